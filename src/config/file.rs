//! `schoolgate.toml` as it stands in the file: every key with its place, nothing checked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::{LogFormat, SmarthostTls};
use crate::policy::pack::Mode;

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
    pub smarthost: Option<RawSmarthost>,
    #[serde(default)]
    pub queue: RawQueue,
    pub store: Option<RawStore>,
    #[serde(default)]
    pub notices: RawNotices,
    pub monitor: Option<RawMonitor>,
    pub review: Option<Spanned<RawReview>>,
    pub malware: Option<RawMalware>,
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
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawListen {
    pub addresses: Option<Vec<Spanned<String>>>,
    pub hostname: Option<Spanned<String>>,
    pub relay_from: Option<Vec<Spanned<String>>>,
    pub message_size: Option<Spanned<i64>>,
    pub connections: Option<Spanned<i64>>,
    pub connections_per_client: Option<Spanned<i64>>,
    pub stranger_connections: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSmarthost {
    pub host: Spanned<String>,
    pub port: Option<u16>,
    pub tls: Option<SmarthostTls>,
    pub ca_file: Option<PathBuf>,
    pub connections: Option<Spanned<i64>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQueue {
    pub retry_minutes: Option<Spanned<Vec<f64>>>,
    pub give_up_hours: Option<Spanned<f64>>,
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
pub(super) struct RawLog {
    pub format: LogFormat,
}
