//! Whether the desk is on, and whether anybody can sign in at it. Its port is looked at with the others.

use anyhow::{Error, Result};
use jiff::Timestamp;

use super::Findings;
use super::certificate::Shown;
use crate::command::store::{Desk, unexpected};
use crate::config::{Config, TlsFiles};
use crate::relay::control::{Answer, Request};
use crate::relay::first_account::FIRST_ACCOUNT;
use crate::review::{Provider, certificate_owner};
use crate::store::accounts::{Account, Role};

/// What the section says, or that there is none.
pub fn section(config: &Config, findings: &mut Findings) {
    let Some(review) = &config.review else {
        return findings.doubtful(
            "desk: it is off, so held mail is decided on by command alone; [review] with a public_url turns it on",
        );
    };
    findings.well(format!("desk: browsers find it at {}", review.public_url));
    if let Some(files) = &review.tls {
        return own_certificate(config, &review.public_url, files, Timestamp::now(), findings);
    }
    if review.public_url.starts_with("https:") && review.trusted_proxies.is_empty() {
        findings.doubtful(format!(
            "{}: no proxy is named, and one must stand in front of an https address: everybody would seem to come from \
             it, and wrong passwords of one would make all wait; name its address",
            config.at("review.trusted_proxies")
        ));
    }
}

/// Whether browsers would take the desk's certificate, and for how long.
fn own_certificate(config: &Config, public_url: &str, files: &TlsFiles, now: Timestamp, findings: &mut Findings) {
    let host = public_url.trim_start_matches("https://");
    // An address of IPv6 stands in brackets, and the port is none of the certificate's business.
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => host.split(':').next(),
    };
    let shown = Shown {
        what: "desk",
        owner: &certificate_owner(),
        host: host.unwrap_or_default(),
        host_is: "the host of public_url",
        who: "browsers",
    };
    shown.look(config, files, now, findings);
}

/// Whether those who vouch for people can be asked, and what is to be registered at them. Local accounts work without them.
pub async fn providers(config: &Config, findings: &mut Findings) {
    let Some(review) = &config.review else { return };
    for one in &review.oidc {
        let at = config.at(&format!("review.oidc.{}", one.name));
        let provider = match Provider::load(one.clone()) {
            Ok(provider) => provider,
            Err(error) => {
                findings
                    .bad(format!("{}: {error}", config.at(&format!("review.oidc.{}.client_secret_file", one.name))));
                continue;
            }
        };
        match provider.reach().await {
            Ok(()) => findings.well(format!(
                "desk: {} answers; its redirect URI for us is {}",
                one.issuer,
                provider.redirect_url(&review.public_url)
            )),
            Err(error) => findings.doubtful(format!("{at}: {}: {error}; nobody can sign in by it", one.issuer)),
        }
    }
}

/// Every account, from the gateway that runs or from the store.
pub async fn accounts(desk: &mut Desk) -> Result<Vec<Account>> {
    match desk.ask(Request::Accounts).await? {
        Answer::Accounts(accounts) => Ok(accounts),
        _ => unexpected(),
    }
}

/// Whether there is somebody who can sign in and decide; says nothing where the desk is off.
pub fn people(config: &Config, accounts: Result<&[Account], &Error>, findings: &mut Findings) {
    let Some(review) = &config.review else { return };
    let accounts = match accounts {
        Ok(accounts) => accounts,
        Err(error) => {
            let why = crate::command::problem(error);
            return findings.doubtful(format!("desk: who may sign in cannot be told: {why}"));
        }
    };
    let managers = || accounts.iter().filter(|a| a.disabled_at.is_none() && a.roles.contains(&Role::Sbm));
    // Whoever a provider vouches for needs no password.
    match managers().filter(|account| account.signed_up || !review.oidc.is_empty()).count() {
        0 if accounts.is_empty() => findings.doubtful(format!(
            "desk: nobody can sign in yet, there is no account; once the gateway has started, make the first: {FIRST_ACCOUNT}"
        )),
        0 => match managers().next() {
            None => findings.doubtful(format!("desk: no account in use has the role sbm; make one: {FIRST_ACCOUNT}")),
            Some(account) => findings.doubtful(format!(
                "desk: nobody with the role sbm has signed up yet, so nobody can decide; open the link that was given to {0}, \
                 or make another: schoolgate user reset {0}",
                account.name
            )),
        },
        1 => findings.well("desk: 1 account with the role sbm can sign in"),
        n => findings.well(format!("desk: {n} accounts with the role sbm can sign in")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Verdict;
    use super::*;
    use crate::store::accounts::AccountId;

    fn config(review: &str) -> Config {
        let rest = "[school]\nname = \"Saltmere\"\ndomains = [\"saltmere.example\"]\n[directory]\npupils = \"p.csv\"\n";
        Config::parse(Path::new("x.toml"), &format!("{rest}{review}")).expect("sound")
    }

    const ON: &str = "[review]\npublic_url = \"https://desk.saltmere.example\"\ntrusted_proxies = [\"127.0.0.1\"]\n";

    fn account(role: Role, signed_up: bool, disabled: bool) -> Account {
        let now = Timestamp::UNIX_EPOCH;
        Account {
            id: AccountId("1".to_owned()),
            name: "jane".to_owned(),
            address: "jane@saltmere.example".to_owned(),
            roles: vec![role],
            signed_up,
            link_until: None,
            disabled_at: disabled.then_some(now),
            created_at: now,
            changed_at: now,
            signed_in_at: None,
        }
    }

    #[test]
    fn somebody_must_be_able_to_sign_in_and_decide() {
        use Verdict::{Doubtful, Well};
        let (signed_up, invited) = (account(Role::Sbm, true, false), account(Role::Sbm, false, false));
        let (left, technician) = (account(Role::Sbm, true, true), account(Role::It, true, false));
        for (accounts, verdict, words) in [
            (vec![], Doubtful, "there is no account"),
            (vec![technician.clone()], Doubtful, "no account in use has the role sbm"),
            (vec![technician.clone(), left.clone()], Doubtful, "no account in use has the role sbm"),
            (vec![invited.clone(), left], Doubtful, "schoolgate user reset jane"),
            (vec![invited, signed_up.clone(), technician], Well, "1 account with the role sbm"),
            (vec![signed_up.clone(), signed_up], Well, "2 accounts with the role sbm"),
        ] {
            let mut findings = Findings::default();
            people(&config(ON), Ok(&accounts), &mut findings);
            let [(told, text)] = &findings.0[..] else { panic!("one line: {:?}", findings.0) };
            assert!(*told == verdict && text.contains(words), "{text}");
        }
        let mut findings = Findings::default();
        people(&config(""), Ok(&[]), &mut findings);
        assert!(findings.0.is_empty(), "nobody is missed where there is no desk: {:?}", findings.0);
        people(&config(ON), Err(&anyhow::anyhow!("the gateway hangs")), &mut findings);
        assert!(findings.0[0].0 == Doubtful && findings.0[0].1.contains("the gateway hangs"), "{:?}", findings.0);
    }

    #[test]
    fn a_certificate_is_looked_at_as_browsers_would() {
        use Verdict::{Bad, Doubtful, Unstartable, Well};
        let files = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| std::fs::write(files.path().join(name), text).expect("a file");
        let names = ["desk.saltmere.example", "192.0.2.7", "2001:db8::7"].map(str::to_owned);
        let mut params = rcgen::CertificateParams::new(names).expect("names");
        (params.not_before, params.not_after) = (rcgen::date_time_ymd(2026, 1, 1), rcgen::date_time_ymd(2026, 6, 1));
        let key = rcgen::KeyPair::generate().expect("a key");
        write("cert", &params.self_signed(&key).expect("a certificate").pem());
        write("key", &key.serialize_pem());
        write("other", &rcgen::KeyPair::generate().expect("a key").serialize_pem());
        write("locked", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
        write("none", "");
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let (fresh, late) = (at("2026-03-01T00:00:00Z"), at("2026-05-12T00:00:00Z"));
        let (own, url) = (("cert", "key"), "https://desk.saltmere.example");
        for ((cert, key), url, now, verdict, words) in [
            (own, url, fresh, Well, "holds until 1 June 2026"),
            (own, "https://desk.saltmere.example:8443", at("2026-05-10T00:00:00Z"), Well, "holds until 1 June 2026"),
            (own, "https://192.0.2.7", fresh, Well, "holds until"),
            (own, "https://[2001:db8::7]:8443", fresh, Well, "holds until"),
            (own, url, late, Doubtful, "x.toml:8:19: review.tls_certificate: "),
            (own, url, late, Doubtful, "ends on 1 June 2026, in 20 days"),
            (own, url, at("2026-06-01T00:00:01Z"), Bad, "ended on 1 June 2026"),
            (own, "https://other.saltmere.example", fresh, Bad, "is not for other.saltmere.example"),
            (own, "https://192.0.2.8", fresh, Bad, "is not for 192.0.2.8"),
            (("cert", "other"), url, fresh, Unstartable, "8:19: review.tls_certificate: the key does not fit"),
            (("key", "key"), url, fresh, Unstartable, "key holds no certificate in PEM form"),
            (("none", "key"), url, fresh, Unstartable, "none holds no certificate in PEM form"),
            (("cert", "cert"), url, fresh, Unstartable, "9:11: review.tls_key: "),
            (("cert", "cert"), url, fresh, Unstartable, "cert holds no private key in PEM form"),
            (("cert", "locked"), url, fresh, Unstartable, "is locked with a password"),
            (("gone", "key"), url, fresh, Unstartable, "gone cannot be read"),
            (("cert", "gone"), url, fresh, Unstartable, "9:11: review.tls_key: "),
        ] {
            let path = |name: &str| files.path().join(name);
            let (cert, key) = (path(cert), path(key));
            let section = format!(
                "[review]\npublic_url = \"{url}\"\ntls_certificate = \"{}\"\ntls_key = \"{}\"\n",
                cert.display(),
                key.display()
            );
            let config = config(&section);
            let tls = config.review.as_ref().and_then(|review| review.tls.clone()).expect("both files");
            let mut findings = Findings::default();
            own_certificate(&config, url, &tls, now, &mut findings);
            let told = findings.0.iter().find(|(_, text)| text.contains(words));
            assert!(told.is_some_and(|(told, _)| *told == verdict), "{url} {words}: {:?}", findings.0);
            assert!(!format!("{:?}", findings.0).contains("BEGIN PRIVATE KEY-----\n"), "nothing of a key is told");
        }
    }

    #[tokio::test]
    async fn a_provider_is_asked_and_its_secret_read() {
        let files = tempfile::tempdir().expect("a directory");
        let secret = files.path().join("secret");
        let section = format!(
            "{ON}[review.oidc.own]\nissuer = \"http://127.0.0.1:9\"\nclient_id = \"x\"\nclient_secret_file = \"{}\"\n",
            secret.display()
        );
        for (holds, verdict, words) in [
            (None, Verdict::Bad, "x.toml:12:22: review.oidc.own.client_secret_file: "),
            (Some("two words\n"), Verdict::Bad, "holds no client secret"),
            (
                Some("s3cret\n"),
                Verdict::Doubtful,
                "x.toml:9:14: review.oidc.own: http://127.0.0.1:9: it cannot be reached",
            ),
        ] {
            if let Some(text) = holds {
                std::fs::write(&secret, text).expect("the secret");
            }
            let mut findings = Findings::default();
            providers(&config(&section), &mut findings).await;
            let [(told, text)] = &findings.0[..] else { panic!("one line: {:?}", findings.0) };
            assert!(*told == verdict && text.contains(words) && !text.contains("s3cret"), "{text}");
        }
        let mut findings = Findings::default();
        people(&config(&section), Ok(&[account(Role::Sbm, false, false)]), &mut findings);
        assert!(findings.0[0].0 == Verdict::Well, "whom a provider vouches for needs no password: {:?}", findings.0);
    }
}
