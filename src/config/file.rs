//! `schoolgate.toml` as it stands in the file: every key with its place, nothing checked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::{ListenerTls, LogFormat, SmarthostTls};
use crate::policy::pack::Mode;
use crate::smtp::LineEnds;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    pub school: RawSchool,
    pub directory: Spanned<RawDirectory>,
    #[serde(default)]
    pub policy: RawPolicy,
    #[serde(default)]
    pub roles: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    #[serde(default)]
    pub listen: RawListen,
    #[serde(default)]
    pub listener: Vec<Spanned<RawListener>>,
    pub smarthost: Option<RawSmarthost>,
    #[serde(default)]
    pub queue: RawQueue,
    pub store: Option<RawStore>,
    #[serde(default)]
    pub notices: RawNotices,
    pub monitor: Option<RawMonitor>,
    pub review: Option<Spanned<RawReview>>,
    pub malware: Option<RawMalware>,
    pub dkim: Option<RawDkim>,
    pub log: Option<RawLog>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSchool {
    pub name: Spanned<String>,
    pub domains: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    pub telephone: String,
    #[serde(default)]
    pub bank_accounts: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDirectory {
    #[serde(default)]
    pub imported: Option<Spanned<bool>>,
    pub pupils: Option<PathBuf>,
    pub guardians: Option<PathBuf>,
    pub staff: Option<PathBuf>,
    pub correspondents: Option<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPolicy {
    pub pack: Option<String>,
    pub bulk_pupils: Option<Spanned<i64>>,
    #[serde(default)]
    pub confidential_markers: Vec<Spanned<String>>,
    #[serde(default)]
    pub modes: BTreeMap<String, Mode>,
    #[serde(default)]
    pub permitted: BTreeMap<String, Vec<Spanned<String>>>,
    pub dkim_keys: Option<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawListen {
    pub hostname: Option<Spanned<String>>,
    pub message_size: Option<Spanned<i64>>,
    pub connections: Option<Spanned<i64>>,
    pub connections_per_client: Option<Spanned<i64>>,
    pub stranger_connections: Option<Spanned<i64>>,
    pub addresses: Option<Vec<Spanned<String>>>,
    pub relay_from: Option<Vec<Spanned<String>>>,
    pub tls: Option<Spanned<ListenerTls>>,
    pub tls_certificate: Option<Spanned<PathBuf>>,
    pub tls_key: Option<Spanned<PathBuf>>,
    pub sign_in: Option<Spanned<bool>>,
    pub client_ca: Option<Spanned<PathBuf>>,
    #[serde(default)]
    pub client_names: Vec<Spanned<String>>,
    pub tenant: Option<RawTenant>,
    pub line_ends: Option<LineEnds>,
    #[serde(default)]
    pub proxy_from: Vec<Spanned<String>>,
    #[serde(default)]
    pub xclient_from: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawListener {
    pub name: Spanned<String>,
    pub addresses: Vec<Spanned<String>>,
    #[serde(default)]
    pub relay_from: Vec<Spanned<String>>,
    pub tls: Option<Spanned<ListenerTls>>,
    pub tls_certificate: Option<Spanned<PathBuf>>,
    pub tls_key: Option<Spanned<PathBuf>>,
    pub sign_in: Option<Spanned<bool>>,
    pub client_ca: Option<Spanned<PathBuf>>,
    #[serde(default)]
    pub client_names: Vec<Spanned<String>>,
    pub tenant: Option<RawTenant>,
    pub line_ends: Option<LineEnds>,
    #[serde(default)]
    pub proxy_from: Vec<Spanned<String>>,
    #[serde(default)]
    pub xclient_from: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTenant {
    pub header: Spanned<String>,
    pub value: Spanned<String>,
}

/// What `[listen]` and `[[listener]]` say in the same words. Each has its keys written out: behind `serde(flatten)` no key has its place
/// in the file any more (`Spanned`), and unknown keys are not refused.
pub(super) struct RawDoor<'a> {
    pub relay_from: &'a [Spanned<String>],
    pub tls: Option<&'a Spanned<ListenerTls>>,
    pub sign_in: Option<&'a Spanned<bool>>,
    pub client_ca: Option<&'a Spanned<PathBuf>>,
    pub client_names: &'a [Spanned<String>],
    pub tenant: Option<&'a RawTenant>,
    pub line_ends: Option<LineEnds>,
    pub proxy_from: &'a [Spanned<String>],
    pub xclient_from: &'a [Spanned<String>],
}

impl RawListen {
    pub fn door(&self) -> RawDoor<'_> {
        RawDoor {
            relay_from: self.relay_from.as_deref().unwrap_or_default(),
            tls: self.tls.as_ref(),
            sign_in: self.sign_in.as_ref(),
            client_ca: self.client_ca.as_ref(),
            client_names: &self.client_names,
            tenant: self.tenant.as_ref(),
            line_ends: self.line_ends,
            proxy_from: &self.proxy_from,
            xclient_from: &self.xclient_from,
        }
    }
}

impl RawListener {
    pub fn door(&self) -> RawDoor<'_> {
        RawDoor {
            relay_from: &self.relay_from,
            tls: self.tls.as_ref(),
            sign_in: self.sign_in.as_ref(),
            client_ca: self.client_ca.as_ref(),
            client_names: &self.client_names,
            tenant: self.tenant.as_ref(),
            line_ends: self.line_ends,
            proxy_from: &self.proxy_from,
            xclient_from: &self.xclient_from,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSmarthost {
    pub host: Spanned<String>,
    pub port: Option<u16>,
    pub tls: Option<SmarthostTls>,
    pub ca_file: Option<PathBuf>,
    pub tls_certificate: Option<Spanned<PathBuf>>,
    pub tls_key: Option<Spanned<PathBuf>>,
    pub user: Option<Spanned<String>>,
    pub password_file: Option<Spanned<PathBuf>>,
    pub oauth: Option<Spanned<RawOAuth>>,
    pub connections: Option<Spanned<i64>>,
    pub messages_per_minute: Option<Spanned<i64>>,
    #[serde(default)]
    pub passed_header: bool,
    pub recipients: Option<Spanned<i64>>,
    #[serde(default)]
    pub fallback: Vec<RawFallback>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFallback {
    pub host: Spanned<String>,
    pub port: Option<u16>,
    pub tls: Option<SmarthostTls>,
    pub ca_file: Option<PathBuf>,
    pub tls_certificate: Option<Spanned<PathBuf>>,
    pub tls_key: Option<Spanned<PathBuf>>,
    pub user: Option<Spanned<String>>,
    pub password_file: Option<Spanned<PathBuf>>,
    pub oauth: Option<Spanned<RawOAuth>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOAuth {
    pub token_url: Spanned<String>,
    pub client_id: Spanned<String>,
    pub client_secret_file: Option<PathBuf>,
    pub scope: Option<String>,
    pub refresh_token_file: Option<PathBuf>,
}

/// What `[smarthost]` and `[[smarthost.fallback]]` say in the same words; why each has its keys: [`RawDoor`].
pub(super) struct RawHost<'a> {
    pub host: &'a Spanned<String>,
    pub port: Option<u16>,
    pub tls: Option<SmarthostTls>,
    pub ca_file: Option<&'a PathBuf>,
    pub tls_certificate: Option<&'a Spanned<PathBuf>>,
    pub tls_key: Option<&'a Spanned<PathBuf>>,
    pub user: Option<&'a Spanned<String>>,
    pub password_file: Option<&'a Spanned<PathBuf>>,
    pub oauth: Option<&'a Spanned<RawOAuth>>,
}

impl RawSmarthost {
    pub fn host(&self) -> RawHost<'_> {
        RawHost {
            host: &self.host,
            port: self.port,
            tls: self.tls,
            ca_file: self.ca_file.as_ref(),
            tls_certificate: self.tls_certificate.as_ref(),
            tls_key: self.tls_key.as_ref(),
            user: self.user.as_ref(),
            password_file: self.password_file.as_ref(),
            oauth: self.oauth.as_ref(),
        }
    }
}

impl RawFallback {
    pub fn host(&self) -> RawHost<'_> {
        RawHost {
            host: &self.host,
            port: self.port,
            tls: self.tls,
            ca_file: self.ca_file.as_ref(),
            tls_certificate: self.tls_certificate.as_ref(),
            tls_key: self.tls_key.as_ref(),
            user: self.user.as_ref(),
            password_file: self.password_file.as_ref(),
            oauth: self.oauth.as_ref(),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQueue {
    pub retry_minutes: Option<Spanned<Vec<f64>>>,
    pub give_up_hours: Option<Spanned<f64>>,
    pub delay_notice_hours: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStore {
    pub path: PathBuf,
    pub key_file: Option<PathBuf>,
    pub keep_days: Option<Spanned<i64>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNotices {
    pub from: Option<Spanned<String>>,
    pub templates: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMonitor {
    pub address: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReview {
    pub listen: Option<Spanned<String>>,
    pub public_url: Option<Spanned<String>>,
    #[serde(default)]
    pub trusted_proxies: Vec<Spanned<String>>,
    pub tls_certificate: Option<Spanned<PathBuf>>,
    pub tls_key: Option<Spanned<PathBuf>>,
    pub school_days: Option<Spanned<Vec<Spanned<String>>>>,
    pub school_hours: Option<Spanned<String>>,
    pub time_zone: Option<Spanned<String>>,
    #[serde(default)]
    pub holidays: Vec<Spanned<String>>,
    pub decide_within_hours: Option<Spanned<i64>>,
    pub remember_days: Option<Spanned<i64>>,
    pub personal_use_names_from: Option<Spanned<i64>>,
    pub digest_at: Option<Vec<Spanned<String>>>,
    pub keep_returned_hours: Option<Spanned<i64>>,
    #[serde(default)]
    pub oidc: BTreeMap<Spanned<String>, Spanned<RawOidc>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOidc {
    pub issuer: Spanned<String>,
    pub client_id: Spanned<String>,
    pub client_secret_file: PathBuf,
    pub button: Option<Spanned<String>>,
    pub hosted_domain: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMalware {
    pub clamd: Spanned<String>,
    pub timeout_seconds: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDkim {
    pub selector: Spanned<String>,
    pub key_file: PathBuf,
    #[serde(default)]
    pub domains: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    pub format: LogFormat,
}
