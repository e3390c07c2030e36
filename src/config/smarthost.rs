//! `[smarthost]` and `[[smarthost.fallback]]`, checked: where clean mail goes, and how the gateway shows who it is there.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use super::check::Check;
use super::file::{RawHost, RawOAuth, RawSmarthost};
use super::{SmarthostConfig, TlsFiles};
use crate::limits;

/// A next hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// Name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// TLS to it.
    pub tls: SmarthostTls,
    /// Further root certificates (PEM) that are trusted for it.
    pub ca_file: Option<PathBuf>,
    /// What we show it where it asks for a certificate.
    pub certificate: Option<TlsFiles>,
    /// How we sign in; under TLS alone.
    pub sign_in: Option<SignInConfig>,
}

/// TLS to the smarthost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmarthostTls {
    /// Never.
    None,
    /// STARTTLS when offered; the certificate is not checked.
    Opportunistic,
    /// STARTTLS, or no mail; the certificate is not checked.
    Encrypted,
    /// STARTTLS with a certificate that fits the name, or no mail.
    Required,
    /// TLS from the first octet with a certificate that fits the name, or no mail (RFC 8314 3.3).
    Implicit,
}

/// Signing in (RFC 4954). The secrets stay in their files, which are read when they are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInConfig {
    /// The name of our account there.
    pub user: String,
    /// What proves that it is ours.
    pub proof: SignInProof,
}

/// What proves that an account is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInProof {
    /// A password, on one line of this file: AUTH PLAIN (RFC 4616), or LOGIN where that alone is offered.
    Password(PathBuf),
    /// A token that is fetched and renewed: AUTH XOAUTH2.
    OAuth(OAuthConfig),
}

/// Where tokens come from (RFC 6749).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthConfig {
    /// The token endpoint; https, or http on loopback.
    pub token_url: String,
    /// Our name there.
    pub client_id: String,
    /// Holds our secret there, on one line.
    pub client_secret_file: Option<PathBuf>,
    /// What the token is for.
    pub scope: Option<String>,
    /// A refresh token, on one line (RFC 6749 6); without it the client's own credentials are enough (4.4). A newer one that the
    /// server gives in its place is written there.
    pub refresh_token_file: Option<PathBuf>,
}

impl HostConfig {
    /// A next hop that wants nothing of us but TLS as said.
    pub fn new(host: &str, port: u16, tls: SmarthostTls) -> Self {
        Self { host: host.to_owned(), port, tls, ca_file: None, certificate: None, sign_in: None }
    }

    /// What it is called in log and metrics: no other next hop has the same.
    pub fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl SmarthostConfig {
    /// All next hops in the order in which they are tried, each with its section in the file.
    pub fn hosts(&self) -> impl Iterator<Item = (String, &HostConfig)> {
        let fallback = self.fallback.iter().map(|host| (format!("smarthost.fallback.{}", host.host), host));
        std::iter::once(("smarthost".to_owned(), &self.first)).chain(fallback)
    }

    /// One next hop, as many connections at the same time, and what is usual else.
    pub fn only(first: HostConfig, connections: usize) -> Self {
        Self {
            first,
            fallback: Vec::new(),
            connections,
            messages_per_minute: None,
            passed_header: false,
            recipients: limits::TRANSACTION_RECIPIENTS,
        }
    }
}

impl Check<'_> {
    pub(super) fn smarthost(&mut self, raw: RawSmarthost) -> SmarthostConfig {
        let messages = raw.messages_per_minute.as_ref().map(|_| {
            let range = 1..=limits::SMARTHOST_PER_MINUTE_MOST;
            self.number("smarthost.messages_per_minute", raw.messages_per_minute.clone(), 1, range)
        });
        let first = self.host("smarthost", raw.host());
        let mut names = vec![first.name()];
        let mut fallback = Vec::with_capacity(raw.fallback.len());
        for raw in &raw.fallback {
            let host = self.host("smarthost.fallback", raw.host());
            let name = host.name();
            if names.contains(&name) {
                self.wrong(&raw.host, format!("smarthost.fallback.host: {name} is a smarthost already"));
            }
            names.push(name);
            fallback.push(host);
        }
        SmarthostConfig {
            first,
            fallback,
            connections: self.number(
                "smarthost.connections",
                raw.connections,
                limits::SMARTHOST_CONNECTIONS,
                1..=1_000,
            ),
            messages_per_minute: messages,
            passed_header: raw.passed_header,
            recipients: self.number(
                "smarthost.recipients",
                raw.recipients,
                limits::TRANSACTION_RECIPIENTS,
                1..=limits::RECIPIENTS,
            ),
        }
    }

    fn host(&mut self, section: &str, raw: RawHost<'_>) -> HostConfig {
        let host = raw.host.as_ref();
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') {
            self.wrong(raw.host, format!("{section}.host: `{host}` is no host name"));
        }
        let tls =
            raw.tls.unwrap_or(if raw.user.is_some() { SmarthostTls::Required } else { SmarthostTls::Opportunistic });
        let certificate = self.certificate(section, raw.tls_certificate, raw.tls_key);
        if let Some(at) = raw.tls_certificate.filter(|_| tls == SmarthostTls::None) {
            self.wrong(at, format!("{section}.tls_certificate: is shown under TLS alone, and tls is \"none\""));
        }
        HostConfig {
            port: raw.port.unwrap_or(if tls == SmarthostTls::Implicit { 465 } else { 25 }),
            tls,
            ca_file: raw.ca_file.map(|file| self.path(file.clone())),
            certificate,
            sign_in: self.sign_in(section, tls, &raw),
            host: host.clone(),
        }
    }

    fn sign_in(&mut self, section: &str, tls: SmarthostTls, raw: &RawHost<'_>) -> Option<SignInConfig> {
        let Some(user) = raw.user else {
            if let Some(at) = raw.password_file {
                self.wrong(at, format!("{section}.password_file: whose? name the account in user"));
            } else if let Some(at) = raw.oauth {
                self.wrong(at, format!("{section}.oauth: for which mailbox? name it in user"));
            }
            return None;
        };
        if user.as_ref().is_empty() || user.as_ref().chars().any(char::is_control) {
            self.wrong(user, format!("{section}.user: is no name of an account"));
        }
        // Whoever answers in the smarthost's place would be given the password.
        if !matches!(tls, SmarthostTls::Required | SmarthostTls::Implicit) {
            let problem =
                "a password is sent only where the certificate is checked; set tls to \"required\" or \"implicit\"";
            self.wrong(user, format!("{section}.user: {problem}"));
        }
        let proof = match (raw.password_file, raw.oauth) {
            (Some(file), None) => SignInProof::Password(self.path(file.as_ref().clone())),
            (None, Some(oauth)) => SignInProof::OAuth(self.oauth_client(section, oauth.as_ref())),
            (Some(_), Some(at)) => {
                self.wrong(at, format!("{section}.oauth: beside password_file; name one of the two"));
                return None;
            }
            (None, None) => {
                self.wrong(user, format!("{section}.user: without a proof; name password_file, or a section oauth"));
                return None;
            }
        };
        Some(SignInConfig { user: user.as_ref().clone(), proof })
    }

    fn oauth_client(&mut self, section: &str, raw: &RawOAuth) -> OAuthConfig {
        let url = raw.token_url.as_ref();
        let is_local =
            |url: &Url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) && url.scheme() == "http";
        let fits = Url::parse(url).is_ok_and(|url| url.scheme() == "https" || is_local(&url));
        self.parsed(
            &format!("{section}.oauth.token_url"),
            "address that begins with https",
            &raw.token_url,
            fits.then_some(()),
        );
        if raw.client_secret_file.is_none() && raw.refresh_token_file.is_none() {
            let problem = "without a secret; name client_secret_file, or refresh_token_file, or both";
            self.wrong(&raw.client_id, format!("{section}.oauth.client_id: {problem}"));
        }
        OAuthConfig {
            token_url: url.clone(),
            client_id: raw.client_id.as_ref().clone(),
            client_secret_file: raw.client_secret_file.clone().map(|file| self.path(file)),
            scope: raw.scope.clone(),
            refresh_token_file: raw.refresh_token_file.clone().map(|file| self.path(file)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn config(more: &str) -> SmarthostConfig {
        let text = format!(
            "[school]\nname = \"S\"\ndomains = [\"s.example\"]\n[directory]\npupils = \"p.csv\"\n[smarthost]\n\
             host = \"mail.s.example\"\n{more}"
        );
        Config::parse(Path::new("/etc/gate/s.toml"), &text).expect(more).smarthost.expect("the section")
    }

    #[test]
    fn ports_and_tls_are_those_that_are_usual() {
        for (more, port, tls) in [
            ("", 25, SmarthostTls::Opportunistic),
            ("port = 587\n", 587, SmarthostTls::Opportunistic),
            ("tls = \"implicit\"\n", 465, SmarthostTls::Implicit),
            ("tls = \"encrypted\"\n", 25, SmarthostTls::Encrypted),
            ("user = \"gate\"\npassword_file = \"p\"\n", 25, SmarthostTls::Required),
        ] {
            let first = config(more).first;
            assert_eq!((first.port, first.tls), (port, tls), "{more}");
        }
    }

    #[test]
    fn each_host_has_its_own_way_in() {
        let smarthost = config(
            "port = 587\nuser = \"gate@s.example\"\nconnections = 3\nmessages_per_minute = 30\nrecipients = 50\n\
             [smarthost.oauth]\ntoken_url = \"https://login.example/t\"\nclient_id = \"c\"\nrefresh_token_file = \"r\"\n\
             [[smarthost.fallback]]\nhost = \"b.example\"\ntls = \"implicit\"\nuser = \"g\"\npassword_file = \"pw\"\n\
             [[smarthost.fallback]]\nhost = \"c.example\"\ntls_certificate = \"c.pem\"\ntls_key = \"k.pem\"\n",
        );
        let SmarthostConfig { first, fallback, connections, messages_per_minute, recipients, .. } = smarthost;
        assert_eq!((connections, messages_per_minute, recipients), (3, Some(30), 50));
        let oauth = OAuthConfig {
            token_url: "https://login.example/t".to_owned(),
            client_id: "c".to_owned(),
            client_secret_file: None,
            scope: None,
            refresh_token_file: Some("/etc/gate/r".into()),
        };
        let of = |user: &str, proof| Some(SignInConfig { user: user.to_owned(), proof });
        assert_eq!(first.sign_in, of("gate@s.example", SignInProof::OAuth(oauth)));
        assert_eq!(fallback[0].sign_in, of("g", SignInProof::Password("/etc/gate/pw".into())));
        assert_eq!((fallback[0].port, fallback[1].port), (465, 25));
        assert!(fallback[1].certificate.is_some() && fallback[1].sign_in.is_none());
    }
}
