//! `schoolgate.toml`: read, checked whole, every error with file, line and column.
//!
//! The smallest form is ten lines: `[school]` and `[directory]` are enough to decide (`check`, `score`, `replay`);
//! `serve` also wants `[smarthost]`, `[store]` and `[roles]`, which [`Config::relay_ready`] asks for.
//! Relative paths are relative to the file that names them. Unknown keys are errors.

mod change;
mod check;
mod dkim;
mod file;
mod listener;
mod malware;
mod oidc;
mod places;
mod review;
mod school_time;
mod smarthost;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use self::check::Check;
pub use self::dkim::DkimConfig;
use self::file::RawConfig;
pub use self::listener::{ClientCertificates, ListenerConfig, ListenerTls, Tenant};
pub use self::places::Places;
pub use self::smarthost::{HostConfig, OAuthConfig, SignInConfig, SignInProof, SmarthostTls};
use crate::policy::pack::Mode;
use crate::school_time::SchoolTime;
use crate::smtp::Address;
use crate::text::problem::{FileProblem, FileProblems};

/// The file that is read where neither the command line nor [`VARIABLE`] names another.
pub const DEFAULT_FILE: &str = "/etc/schoolgate/schoolgate.toml";
/// The environment variable that names the file for commands without `--config`.
pub const VARIABLE: &str = "SCHOOLGATE_CONFIG";

/// The gateway's configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it came from, for messages and for reloading.
    pub file: PathBuf,
    /// Where its keys stand in it.
    pub places: Places,
    /// Who the school is.
    pub school: SchoolConfig,
    /// Where its roster lies.
    pub directory: DirectoryConfig,
    /// What is decided.
    pub policy: PolicyConfig,
    /// Who is told: role (`sbm`, `head`, `slt`, `dsl`, `dpo`, `chair`, `it`) to mailboxes.
    pub roles: BTreeMap<String, Vec<Address>>,
    /// Where mail comes in.
    pub listen: ListenConfig,
    /// Where clean mail goes.
    pub smarthost: Option<SmarthostConfig>,
    /// Retries.
    pub queue: QueueConfig,
    /// What must last.
    pub store: Option<StoreConfig>,
    /// What staff and the SBM are sent.
    pub notices: NoticesConfig,
    /// Metrics and health; none without an address.
    pub monitor: Option<SocketAddr>,
    /// The desk in the browser; off without its section.
    pub review: Option<ReviewConfig>,
    /// Days, hours and deadlines of `[review]`; without the section the defaults, and each held message is told of at once.
    pub school_time: SchoolTime,
    /// Who is asked for malware; nobody without its section.
    pub malware: Option<MalwareConfig>,
    /// How mail is signed that leaves; not at all without its section.
    pub dkim: Option<DkimConfig>,
    /// How the log is written.
    pub log: LogFormat,
}

/// `[school]`
#[derive(Debug, Clone)]
pub struct SchoolConfig {
    /// Its name as people read it.
    pub name: String,
    /// Its own mail domains, lower case, at least one.
    pub domains: Vec<String>,
    /// Telephone of the office, for the texts that staff read; may be empty.
    pub telephone: String,
    /// Own bank accounts: digits of sort code and account number, or an IBAN, without spaces.
    pub bank_accounts: Vec<String>,
}

/// `[directory]`: the CSV files of the roster, or that it was imported.
#[derive(Debug, Clone)]
pub struct DirectoryConfig {
    /// Pupils and guardians are those of the last `roster import`, sealed in the store; staff too where no file lists
    /// them.
    pub imported: bool,
    /// Pupils; must be there unless they are imported, and serves until the first import where they are.
    pub pupils: Option<PathBuf>,
    /// Guardians.
    pub guardians: Option<PathBuf>,
    /// Staff.
    pub staff: Option<PathBuf>,
    /// Trusted and contact lists.
    pub correspondents: Option<PathBuf>,
}

/// `[policy]`
#[derive(Debug, Clone)]
pub struct PolicyConfig {
    /// `core`, or the path of a pack.
    pub pack: Pack,
    /// Distinct pupils from which a message counts as bulk.
    pub bulk_pupils: usize,
    /// Further words that count as the Confidential marker; `Official-Sensitive` ships.
    pub confidential_markers: Vec<String>,
    /// Rules that run in another mode than the pack says.
    pub modes: BTreeMap<String, Mode>,
    /// Senders whom the school permits what a rule would stop, by the rule's id.
    pub permitted: BTreeMap<String, Vec<Address>>,
    /// Keys of senders' DKIM signatures, for attached originals.
    pub dkim_keys: Option<PathBuf>,
}

/// Which rule pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pack {
    /// One that is compiled in, by name.
    Embedded(String),
    /// A file.
    File(PathBuf),
}

/// `[listen]` and `[[listener]]`
#[derive(Debug, Clone)]
pub struct ListenConfig {
    /// The doors; at least one.
    pub listeners: Vec<ListenerConfig>,
    /// Our name in the banner, in EHLO to the smarthost, in Received lines.
    pub hostname: String,
    /// Largest message, octets.
    pub message_size: usize,
    /// Connections at the same time.
    pub connections: usize,
    /// Connections at the same time from one client.
    pub connections_per_client: usize,
    /// Connections at the same time from strangers; fewer than `connections`, the rest is kept for those who may relay.
    pub stranger_connections: usize,
}

impl ListenConfig {
    /// All addresses that are listened on.
    pub fn addresses(&self) -> impl Iterator<Item = &SocketAddr> {
        self.listeners.iter().flat_map(|listener| &listener.addresses)
    }
}

/// `[smarthost]`
#[derive(Debug, Clone)]
pub struct SmarthostConfig {
    /// The next hop.
    pub first: HostConfig,
    /// Where mail goes while the one before cannot be used, in order.
    pub fallback: Vec<HostConfig>,
    /// Connections at the same time.
    pub connections: usize,
    /// Most messages a minute; without, as many as there are.
    pub messages_per_minute: Option<usize>,
    /// What leaves carries the header by which a provider's rule knows that it has passed here.
    pub passed_header: bool,
    /// Most recipients of one transaction.
    pub recipients: usize,
}

/// `[queue]`
#[derive(Debug, Clone)]
pub struct QueueConfig {
    /// Waits between tries; the last one repeats.
    pub retry: Vec<Duration>,
    /// Age at which a message is given up.
    pub give_up: Duration,
    /// Age at which a sender is told, once, that a message takes longer; from `give_up` on, nobody is.
    pub delay_notice: Duration,
}

/// `[store]`
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// Directory of database and content; created with mode 0700 when missing.
    pub path: PathBuf,
    /// 32 random bytes, raw or as 64 hexadecimal digits; without it the systemd credential `schoolgate.key` is read.
    pub key_file: Option<PathBuf>,
    /// How long the record of a message that is done with is kept: who, to whom, when, and the sealed decision.
    pub keep: Duration,
}

/// `[notices]`
#[derive(Debug, Clone)]
pub struct NoticesConfig {
    /// Address that notices come from in their From header; their envelope sender is always null.
    pub from: Option<Address>,
    /// Directory of templates that replace the embedded ones, file by file.
    pub templates: Option<PathBuf>,
}

/// `[review]`: the desk, where people decide on held mail in a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewConfig {
    /// Where it listens. Not on loopback only where `public_url` is https and `tls` or `trusted_proxies` names who sees to it.
    pub address: SocketAddr,
    /// What it shows and speaks TLS with; without, it speaks clear text, and TLS is the reverse proxy's.
    pub tls: Option<TlsFiles>,
    /// Where browsers find it, written as they send it in `Origin` (RFC 6454 6.2): scheme, host in ASCII, and the port
    /// unless it is the scheme's own; no slash at the end. http only for `localhost`, `127.0.0.1` and `[::1]`.
    pub public_url: String,
    /// Whose `X-Forwarded-For` is believed; IPv4 addresses as such, not inside IPv6.
    pub trusted_proxies: Vec<IpAddr>,
    /// For how many days a release is remembered, unless another day is chosen; 1 to [`limits::REMEMBER_DAYS_MOST`].
    pub remember_days: u32,
    /// Messages marked personal in a month from which the report on personal use names their sender;
    /// [`limits::PERSONAL_USE_NAMES_FEWEST`] to [`limits::PERSONAL_USE_NAMES_MOST`].
    pub personal_use_names_from: usize,
    /// Who may vouch for people, in the order of their names; local accounts alone where it is empty.
    pub oidc: Vec<OidcConfig>,
    /// Hours for which mail that came back to its sender is kept, so that the sender can still let it go.
    pub keep_returned_hours: u32,
}

/// `tls_certificate` and `tls_key` of the desk, a listener or a smarthost. Neither is read with the configuration: they change without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// One's own certificate in PEM form, and behind it those that lead to an authority.
    pub certificate: PathBuf,
    /// Its private key in PEM form.
    pub key: PathBuf,
}

/// `[review.oidc.NAME]`: somebody at whom people sign in (OpenID Connect Core 1.0) and who vouches for their mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcConfig {
    /// The section's own name: it stands in the addresses of the flow and in the audit.
    pub name: String,
    /// As it stands in its tokens, to the letter.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Holds our secret there, on one line.
    pub client_secret_file: PathBuf,
    /// Words on the button.
    pub button: String,
    /// What of its tokens proves a mailbox.
    pub proof: MailboxProof,
}

/// What of a provider's token proves that a mailbox is somebody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxProof {
    /// The issuer is one tenant of Microsoft 365. Its tokens say nothing of `email_verified`: whose mailbox is whose, its
    /// administrators alone decide, and they could sign in as anybody there as it is. So its word is taken for its members,
    /// and never for its guests.
    Tenant,
    /// A Google account: verified, and managed by a Workspace. Only then is Google the authority on the address; a private
    /// account may carry that of somebody who left. Where a domain is named, it must be that Workspace.
    Workspace(Option<String>),
    /// Anybody else: `email_verified` is true.
    Verified,
}

/// `[malware]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalwareConfig {
    /// Where clamd listens.
    pub clamd: ClamdAddress,
    /// For one message, from connecting to the whole answer; up to [`limits::CLAMD_SECONDS_MOST`] seconds.
    pub patience: Duration,
}

/// Where clamd listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClamdAddress {
    /// `LocalSocket` of clamd.conf(5).
    Unix(PathBuf),
    /// `TCPAddr` and `TCPSocket` of clamd.conf(5); in clear text.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
}

impl std::fmt::Display for ClamdAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

/// `[log] format`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Plain,
    /// For machines.
    Json,
}

impl Config {
    /// Reads and checks a file. All problems are reported together.
    pub fn load(file: &Path) -> Result<Self, FileProblems> {
        let text = std::fs::read_to_string(file).map_err(|e| {
            let more = match e.kind() {
                std::io::ErrorKind::NotFound => format!(
                    "; name the configuration with --config or in {VARIABLE}, without either it is {DEFAULT_FILE}"
                ),
                _ => String::new(),
            };
            FileProblems::one(file, format!("cannot be read: {e}{more}"))
        })?;
        Self::parse(file, &text)
    }

    /// Where a key stands and its name, to be put before what is wrong with it: `FILE:LINE:COLUMN: KEY`.
    pub fn at(&self, key: &str) -> String {
        FileProblem { file: self.file.clone(), place: self.places.find(key), problem: key.to_owned() }.to_string()
    }

    /// Checks a text as if it stood in `file`.
    pub fn parse(file: &Path, text: &str) -> Result<Self, FileProblems> {
        let raw: RawConfig = toml::from_str(text).map_err(|e| FileProblems::toml(file, text, &e))?;
        let mut check = Check { file, text, errors: Vec::new() };
        let config = check.config(raw);
        if check.errors.is_empty() {
            Ok(config)
        } else {
            check.errors.sort_by_key(|e| e.place);
            Err(FileProblems(check.errors))
        }
    }

    /// What `serve` needs beyond deciding; `Err` names every section that is missing.
    pub fn relay_ready(&self) -> Result<(&SmarthostConfig, &StoreConfig), FileProblems> {
        let missing = |problem: &str| FileProblem {
            file: self.file.clone(),
            place: self.places.find("roles").filter(|_| problem.starts_with("[roles]")),
            problem: problem.to_owned(),
        };
        let mut errors = Vec::new();
        if self.smarthost.is_none() {
            errors.push(missing("[smarthost] is missing: serve needs to know where clean mail goes (host = \"…\")"));
        }
        if self.store.is_none() {
            errors.push(missing("[store] is missing: serve needs a directory that lasts (path = \"…\")"));
        }
        if self.roles.get("sbm").is_none_or(Vec::is_empty) {
            errors.push(missing("[roles] sbm is missing: somebody must be told of what is held (sbm = [\"…\"])"));
        }
        match (&self.smarthost, &self.store) {
            (Some(smarthost), Some(store)) if errors.is_empty() => Ok((smarthost, store)),
            _ => Err(FileProblems(errors)),
        }
    }

    /// The address that notices come from: as configured, or `schoolgate@` the first own domain.
    pub fn notice_from(&self) -> Option<Address> {
        self.notices
            .from
            .clone()
            .or_else(|| Address::parse(&format!("schoolgate@{}", self.school.domains.first()?)).ok())
    }
}
