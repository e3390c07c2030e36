//! `[review.oidc.NAME]` checked: at whom people may sign in, and what of its word proves a mailbox.
//!
//! An account is found by its mailbox, so whoever may write a mailbox into a token of the issuer may sign in as anybody.
//! Issuers for which that is everybody are refused here.

use std::collections::BTreeMap;

use toml::Spanned;
use url::{Host, Url};

use super::check::{Check, is_label};
use super::file::RawOidc;
use super::{MailboxProof, OidcConfig};
use crate::limits;

const MICROSOFT: &str = "login.microsoftonline.com";
const GOOGLE: &str = "https://accounts.google.com";
/// The tenant of everybody's private Microsoft accounts.
const PRIVATE_ACCOUNTS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

impl Check<'_> {
    /// The providers that can be used; what is wrong is told either way.
    pub(super) fn oidc(&mut self, raw: &BTreeMap<Spanned<String>, Spanned<RawOidc>>) -> Vec<OidcConfig> {
        raw.iter().filter_map(|(name, section)| self.provider(name, section.as_ref())).collect()
    }

    fn provider(&mut self, name: &Spanned<String>, raw: &RawOidc) -> Option<OidcConfig> {
        let (at, before) = (name, self.errors.len());
        let name = name.as_ref().as_str();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.chars().count() > limits::OIDC_NAME_CHARS || !name.chars().all(plain) {
            let most = limits::OIDC_NAME_CHARS;
            let problem = format!(
                "review.oidc: `{name}` is no name for a provider: up to {most} of a-z, 0-9 and -, as microsoft"
            );
            self.wrong(at, problem);
        }
        let key = |key: &str| format!("review.oidc.{name}.{key}");
        let text = raw.issuer.as_ref();
        let issuer =
            issuer(text).map_err(|why| self.wrong(&raw.issuer, format!("{}: `{text}` {why}", key("issuer")))).ok();
        let id = raw.client_id.as_ref().trim();
        if id.is_empty() || id.contains(|c: char| c.is_whitespace() || c.is_control()) {
            self.wrong(
                &raw.client_id,
                format!("{}: `{id}` is no client id; copy it from the provider's page", key("client_id")),
            );
        }
        let mut proof = issuer.as_ref().map_or(MailboxProof::Verified, |issuer| issuer.proof.clone());
        if let Some(domain) = &raw.hosted_domain {
            let name = domain.as_ref().to_lowercase();
            let fits = name.contains('.') && name.split('.').all(is_label);
            let name = self.parsed(&key("hosted_domain"), "domain, as school.example", domain, fits.then_some(name));
            match &mut proof {
                MailboxProof::Workspace(hosted) => *hosted = name,
                _ if issuer.is_some() => {
                    self.wrong(domain, format!("{}: only Google ({GOOGLE}) has hosted domains", key("hosted_domain")))
                }
                _ => {}
            }
        }
        let button = match &raw.button {
            None => issuer.as_ref().map_or_else(String::new, |issuer| issuer.button.clone()),
            Some(button) => {
                let words = button.as_ref().trim();
                let count = words.chars().count();
                if count == 0 || count > limits::OIDC_BUTTON_CHARS || words.contains(char::is_control) {
                    let most = limits::OIDC_BUTTON_CHARS;
                    self.wrong(
                        button,
                        format!(
                            "{}: wants one line of up to {most} characters, as \"Sign in with Microsoft\"",
                            key("button")
                        ),
                    );
                }
                words.to_owned()
            }
        };
        let client_secret_file = self.path(raw.client_secret_file.clone());
        let issuer = issuer.filter(|_| self.errors.len() == before)?.text;
        Some(OidcConfig { name: name.to_owned(), issuer, client_id: id.to_owned(), client_secret_file, button, proof })
    }
}

/// Somebody who issues tokens.
#[derive(Debug, PartialEq, Eq)]
struct Issuer {
    text: String,
    button: String,
    proof: MailboxProof,
}

/// The issuer that a URL names; or what is wrong with it, to be read behind the URL.
fn issuer(text: &str) -> Result<Issuer, String> {
    let no_url = || "is no URL of an issuer, as https://accounts.google.com".to_owned();
    let url = Url::parse(text).map_err(|_| no_url())?;
    if text.contains(|c: char| c.is_whitespace() || c.is_control())
        || !text.starts_with(&format!("{}://", url.scheme()))
    {
        return Err(no_url());
    }
    let (Some(host), true) = (url.host(), url.username().is_empty() && url.password().is_none()) else {
        return Err(no_url());
    };
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has something behind its path; an issuer has neither query nor fragment".to_owned());
    }
    let this_machine = match &host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    match url.scheme() {
        "https" => {}
        "http" if this_machine => {}
        _ => {
            return Err(
                "is not https: keys that arrive in clear text are anybody's; http is for this machine alone".to_owned()
            );
        }
    }
    let host = host.to_string();
    let (text, who, proof) = if host == MICROSOFT {
        (tenant(&url)?, "Microsoft", MailboxProof::Tenant)
    } else if host == "accounts.google.com" {
        if text.trim_end_matches('/') != GOOGLE {
            return Err(format!("is not how Google names itself: write {GOOGLE}"));
        }
        (GOOGLE.to_owned(), "Google", MailboxProof::Workspace(None))
    } else {
        (text.to_owned(), host.as_str(), MailboxProof::Verified)
    };
    Ok(Issuer { text, button: format!("Sign in with {who}"), proof })
}

/// The issuer of one tenant of Microsoft 365.
fn tenant(url: &Url) -> Result<String, String> {
    let wanted = format!(
        "write https://{MICROSOFT}/TENANT/v2.0 with the school's own Directory (tenant) ID, which the application's overview in Entra ID shows"
    );
    let mut path = url.path().trim_matches('/').split('/');
    let tenant = path.next().unwrap_or_default().to_lowercase();
    if ["common", "organizations", "consumers", PRIVATE_ACCOUNTS].contains(&tenant.as_str()) {
        return Err(format!(
            "takes accounts of others than the school's: any tenant could write a mailbox of the school into its tokens and sign in; {wanted}"
        ));
    }
    let lengths: Vec<usize> = tenant.split('-').map(str::len).collect();
    let is_id = lengths == [8, 4, 4, 4, 12] && tenant.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if !is_id || path.next() != Some("v2.0") || path.next().is_some() || url.scheme() != "https" || url.port().is_some()
    {
        return Err(format!("does not name one tenant as its tokens do; {wanted}"));
    }
    Ok(format!("https://{MICROSOFT}/{tenant}/v2.0"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    const TENANT: &str = "0a1b2c3d-1111-2222-3333-444455556666";

    fn of(oidc: &str) -> Result<Vec<OidcConfig>, String> {
        let rest = "[school]\nname = \"Saltmere\"\ndomains = [\"saltmere.example\"]\n[directory]\npupils = \"p.csv\"\n\
                    [review]\npublic_url = \"https://desk.saltmere.example\"\n";
        let config =
            Config::parse(Path::new("/etc/schoolgate/x.toml"), &format!("{rest}{oidc}")).map_err(|e| e.to_string())?;
        Ok(config.review.expect("the section").oidc)
    }

    #[test]
    fn providers_as_they_are_kept() {
        let kept = of(&format!(
            "[review.oidc.microsoft]\nissuer = \"https://login.microsoftonline.com/{}/v2.0/\"\nclient_id = \" app \"\nclient_secret_file = \"m.secret\"\n\
             [review.oidc.google]\nissuer = \"https://accounts.google.com/\"\nclient_id = \"g\"\nclient_secret_file = \"/run/g\"\n\
             hosted_domain = \"Saltmere.example\"\nbutton = \" With Google \"\n\
             [review.oidc.own]\nissuer = \"https://id.saltmere.example/realm/\"\nclient_id = \"o\"\nclient_secret_file = \"o\"\n",
            TENANT.to_uppercase()
        ))
        .expect("sound");
        let want = |name: &str, issuer: &str, id: &str, file: &str, button: &str, proof| OidcConfig {
            name: name.to_owned(),
            issuer: issuer.to_owned(),
            client_id: id.to_owned(),
            client_secret_file: file.into(),
            button: button.to_owned(),
            proof,
        };
        let hosted = MailboxProof::Workspace(Some("saltmere.example".to_owned()));
        let microsoft = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        assert_eq!(
            kept,
            [
                want("google", GOOGLE, "g", "/run/g", "With Google", hosted),
                want(
                    "microsoft",
                    &microsoft,
                    "app",
                    "/etc/schoolgate/m.secret",
                    "Sign in with Microsoft",
                    MailboxProof::Tenant
                ),
                want(
                    "own",
                    "https://id.saltmere.example/realm/",
                    "o",
                    "/etc/schoolgate/o",
                    "Sign in with id.saltmere.example",
                    MailboxProof::Verified
                ),
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let least = "client_id = \"x\"\nclient_secret_file = \"x\"\n";
        let google = format!("issuer = \"{GOOGLE}\"\n");
        for (section, keys, at, words) in [
            (
                "google",
                format!("issuer = \"{GOOGLE}\"\nclient_id = \"x\"\n"),
                "8:1",
                "missing field `client_secret_file`",
            ),
            ("google", format!("{google}{least}secret = \"x\"\n"), "12:1", "unknown field `secret`"),
            ("Google", format!("{google}{least}"), "8:14", "`Google` is no name"),
            ("\"a/b\"", format!("{google}{least}"), "8:14", "`a/b` is no name"),
            (
                "google",
                format!("issuer = \"{GOOGLE}\"\nclient_id = \" \"\nclient_secret_file = \"x\"\n"),
                "10:13",
                "no client id",
            ),
            ("google", format!("{google}{least}hosted_domain = \"saltmere\"\n"), "12:17", "is no domain"),
            ("google", format!("{google}{least}button = \"\"\n"), "12:10", "wants one line"),
            (
                "own",
                format!("issuer = \"https://id.example\"\n{least}hosted_domain = \"a.example\"\n"),
                "12:17",
                "only Google",
            ),
        ] {
            let told = of(&format!("[review.oidc.{section}]\n{keys}")).expect_err(words);
            assert!(
                told.contains(words) && told.contains(&format!("x.toml:{at}: ")) && told.lines().count() == 1,
                "{told}"
            );
        }
    }

    #[test]
    fn issuers_that_are_none_are_refused_with_the_reason() {
        for (text, words) in [
            ("", "is no URL"),
            ("accounts.google.com", "is no URL"),
            ("https:accounts.google.com", "is no URL"),
            ("https://id.example/ x", "is no URL"),
            ("https://jane:secret@id.example", "is no URL"),
            ("https://id.example/?x", "behind its path"),
            ("http://id.example", "is not https"),
            ("http://127.0.0.1.example", "is not https"),
            ("https://accounts.google.com/o/oauth2", "write https://accounts.google.com"),
            ("http://accounts.google.com", "is not https"),
            ("https://login.microsoftonline.com/common/v2.0", "any tenant could"),
            ("https://login.microsoftonline.com/Organizations/v2.0", "any tenant could"),
            ("https://login.microsoftonline.com/consumers/v2.0", "any tenant could"),
            ("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", "any tenant could"),
            ("https://login.microsoftonline.com/{tenantid}/v2.0", "does not name one tenant"),
            ("https://login.microsoftonline.com/saltmere.onmicrosoft.com/v2.0", "does not name one tenant"),
            (&format!("https://login.microsoftonline.com/{TENANT}"), "does not name one tenant"),
            (&format!("https://login.microsoftonline.com/{TENANT}/v2.0/authorize"), "does not name one tenant"),
            ("https://login.microsoftonline.com", "does not name one tenant"),
        ] {
            let why = issuer(text).expect_err(text);
            assert!(why.contains(words), "{text:?}: {why}");
        }
        for text in ["http://127.0.0.1:8080", "http://[::1]:8080/x", "http://localhost"] {
            assert_eq!(issuer(text).map(|issuer| issuer.proof), Ok(MailboxProof::Verified), "{text}");
        }
    }
}
