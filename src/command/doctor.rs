//! `schoolgate doctor`: makes every part of the gateway as `serve` does, lets go of it again, and says what to put right.
//!
//! Nothing is changed: ports are bound for a moment, a temporary file or folder stands where the store is to be, and
//! beside a running gateway the store is asked through its control socket. What is wrong is named with its key, and its
//! place in the file. [`advice`] is about what is legal and unwise, [`desk`] about the desk, [`files`] about who may
//! read and write what.

mod advice;
mod certificate;
mod deadlines;
mod desk;
mod doors;
mod files;
mod malware;
mod provider;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;

use self::provider::Provider;
use super::store::Desk;
use super::terminal::{safe, say};
use crate::config::{self, Config, HostConfig, SignInProof, SmarthostTls, StoreConfig};
use crate::extract;
use crate::limits;
use crate::policy::RulePack;
use crate::relay::control;
use crate::relay::deliver::{Route, Tokens, unreadable_secrets};
use crate::relay::health::Health;
use crate::relay::listen::ListenError;
use crate::relay::monitor::MonitorError;
use crate::relay::parts::{self, PartError};
use crate::smtp::client::NotOpen;
use crate::store::{Store, StoreError, StoreKey};

/// Look at everything that the gateway needs; exit status 1 when something would keep it from working.
#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
    config: PathBuf,
    /// Look too at what Microsoft 365 wants on both sides of the gateway
    #[arg(long, conflicts_with = "google")]
    microsoft_365: bool,
    /// Look too at what Google Workspace wants on both sides of the gateway
    #[arg(long)]
    google: bool,
}

impl Doctor {
    fn provider(&self) -> Option<Provider> {
        match (self.microsoft_365, self.google) {
            (true, _) => Some(Provider::Microsoft365),
            (_, true) => Some(Provider::Google),
            _ => None,
        }
    }
}

/// How a thing that was looked at is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Well,
    Doubtful,
    /// A start may go on with it.
    Bad,
    /// No start goes on with it, and whoever starts or takes it at a reload says so in these words.
    Unstartable,
}

/// What was looked at, one line each; what two parts stumble over is told once.
#[derive(Default)]
struct Findings(Vec<(Verdict, String)>);

impl Findings {
    fn well(&mut self, text: impl Into<String>) {
        self.add(Verdict::Well, text.into());
    }
    fn doubtful(&mut self, text: impl Into<String>) {
        self.add(Verdict::Doubtful, text.into());
    }
    fn bad(&mut self, text: impl Into<String>) {
        self.add(Verdict::Bad, text.into());
    }
    fn unstartable(&mut self, text: impl Into<String>) {
        self.add(Verdict::Unstartable, text.into());
    }
    fn add(&mut self, verdict: Verdict, text: String) {
        if self.0.iter().all(|(_, told)| *told != text) {
            self.0.push((verdict, text));
        }
    }
    fn count(&self, verdict: Verdict) -> usize {
        self.0.iter().filter(|(v, _)| *v == verdict).count()
    }
}

/// Runs the command.
pub fn run(args: &Doctor) -> Result<ExitCode> {
    let mut findings = Findings::default();
    let me = rustix::process::geteuid().as_raw();
    findings.well(format!("run as {}", user(me)));
    match Config::load(&args.config) {
        Err(errors) => errors.0.iter().for_each(|e| findings.bad(e.to_string())),
        Ok(config) => super::runtime()?.block_on(look(&config, args.provider(), &mut findings)),
    }
    for (verdict, text) in &findings.0 {
        let word = match verdict {
            Verdict::Well => "well",
            Verdict::Doubtful => "look",
            Verdict::Bad | Verdict::Unstartable => "BAD ",
        };
        for (number, line) in text.lines().enumerate() {
            say!("{}  {}", if number == 0 { word } else { "    " }, safe(line))?;
        }
    }
    let bad = findings.count(Verdict::Bad) + findings.count(Verdict::Unstartable);
    match (bad, findings.count(Verdict::Doubtful)) {
        (0, 0) => say!("The gateway can work.")?,
        (0, n) => say!("The gateway can work. {n} to look at.")?,
        (n, _) => say!("{n} to put right.")?,
    }
    Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn look(config: &Config, provider: Option<Provider>, findings: &mut Findings) {
    findings.well(format!("configuration: {} is sound", config.file.display()));
    match super::ground::load(config) {
        Err(error) => findings.bad(super::problem(&error)),
        Ok(loaded) => {
            let pack = &loaded.ground.pack;
            findings.well(format!("rules: pack `{}`, {} rules", pack.name, pack.rules.len()));
            advice::school(config, &loaded, findings);
            advice::dkim_keys(config, &loaded.ground, findings);
            malware::named(config, pack, findings);
        }
    }
    without_asking(config, findings);
    deadlines::look(config, Timestamp::now(), findings);
    if config.review.is_none() {
        deadlines::ladder(config, None, findings);
    }
    desk::providers(config, findings).await;
    malware::look(config, findings).await;
    pages(extract::ocr_program(), findings);
    if let Err(error) = parts::notifier(config) {
        findings.bad(error.to_string());
    }
    files::look(config, findings);
    let (smarthost, place) = match config.relay_ready() {
        Ok(both) => both,
        Err(errors) => return errors.0.iter().for_each(|e| findings.bad(e.to_string())),
    };
    let key = match parts::key(config, place) {
        Ok(key) => {
            findings.well("key: can be read");
            Some(key)
        }
        Err(error) => {
            findings.bad(error.to_string());
            None
        }
    };
    if let Some(provider) = provider {
        provider::look(config, smarthost, provider, key.as_ref(), findings);
    }
    // Without the key only what is put on messages is not known; all else of the route is looked at.
    let any = StoreKey::from_bytes([0; 32]);
    let route = parts::route(config, smarthost, key.as_ref().unwrap_or(&any));
    let running = store(config, place, findings).await;
    if let Ok(chosen) = super::policy::chosen_modes(config).await
        && !chosen.is_empty()
    {
        let each: Vec<String> = chosen.iter().map(|(rule, mode)| format!("{rule} {}", mode.as_str())).collect();
        findings.well(format!("modes: chosen at the desk, and over those of the file: {}", each.join(", ")));
    }
    room(config, &place.path, findings);
    ports(config, place, key, running, findings).await;
    match route {
        Err(error) => findings.bad(format!("{error}; name a PEM file with the authority's certificate")),
        Ok(route) => {
            for (number, (section, host)) in smarthost.hosts().enumerate() {
                // Told already, and without it there is nothing to show there.
                if unreadable_secrets(host).is_empty()
                    && token(config, &section, host, route.tokens(number), findings).await
                {
                    smarthost_answers(config, (number, &section, host), &route, findings).await;
                }
            }
        }
    }
}

/// What the configuration and the files that it names say, and nobody has to be asked for.
fn without_asking(config: &Config, findings: &mut Findings) {
    advice::addresses(config, findings);
    advice::open_files(config, findings);
    desk::section(config, findings);
    doors::look(config, Timestamp::now(), findings);
    files::secrets(config, findings);
}

/// What is wrong and keeps nothing from starting, in the words that `doctor` has for it: for whoever starts regardless.
pub fn started_regardless(config: &Config, pack: &RulePack) -> Vec<String> {
    let mut findings = Findings::default();
    malware::named(config, pack, &mut findings);
    without_asking(config, &mut findings);
    findings.0.into_iter().filter(|(verdict, _)| *verdict == Verdict::Bad).map(|(_, text)| text).collect()
}

/// Whether there is a program that reads pages which are pictures.
fn pages(program: Option<&Path>, findings: &mut Findings) {
    match program {
        Some(program) => findings.well(format!("pictures of pages: read by {}", program.display())),
        None => findings.doubtful(format!(
            "pictures of pages: scans and screenshots of text are not read, and a message with one is held; \
             install Debian's package tesseract-ocr ({} is looked for, or what {} names), and restart the gateway",
            extract::OCR_PROGRAM,
            extract::OCR_VARIABLE
        )),
    }
}

/// A user by name and number.
fn user(uid: u32) -> String {
    control::name_of(uid).map_or(format!("the user with id {uid}"), |name| format!("{name} (uid {uid})"))
}

/// Binds the ports as `serve` does. What the running gateway holds is no fault.
async fn ports(config: &Config, place: &StoreConfig, key: Option<StoreKey>, running: bool, findings: &mut Findings) {
    let health = Health::new();
    // The key of the Received lines plays no part in binding.
    let key = key.unwrap_or_else(|| StoreKey::from_bytes([0; 32]));
    let listener = parts::listener(config, parts::listen_options(config, place, &key, &health)).await;
    let monitor = parts::monitor(config).await;
    let desk = parts::review(config).await;
    let bound = match &listener {
        Ok(listener) => {
            if place.path.is_dir()
                && let Err(error) = listener.check_spool()
            {
                findings.bad(format!("{}: {error}", config.at("store.path")));
            }
            let addresses = listener.addresses().iter().map(ToString::to_string).collect::<Vec<_>>();
            Ok(addresses.join(", "))
        }
        Err(error) => Err(error),
    };
    judge_port("listener", bound, running, findings);
    match &monitor {
        Ok(None) => {}
        Ok(Some(monitor)) => judge_port("monitor", Ok(monitor.address().to_string()), running, findings),
        Err(error) => judge_port("monitor", Err(error), running, findings),
    }
    match (&desk, &config.review) {
        (Ok(Some(_)), Some(review)) if running => findings.doubtful(format!(
            "{}: nobody listens on {}: the gateway that runs does not serve the desk; restart it",
            config.at("review.listen"),
            review.address
        )),
        (Ok(Some(_)), Some(review)) => judge_port("desk", Ok(review.address.to_string()), running, findings),
        (Ok(_), _) => {}
        (Err(error), _) => judge_port("desk", Err(error), running, findings),
    }
}

fn judge_port(what: &str, bound: Result<String, &PartError>, running: bool, findings: &mut Findings) {
    match bound {
        Ok(addresses) => findings.well(format!("{what}: {addresses} can be listened on")),
        Err(
            error @ (PartError::Listen { error: ListenError::Bind(_, why), .. }
            | PartError::Monitor { error: MonitorError::Bind(_, why), .. }
            | PartError::Review { error: why, .. }),
        ) => {
            if running && why.kind() == std::io::ErrorKind::AddrInUse {
                findings.well(format!("{error}: by the gateway that runs"));
            } else {
                findings.bad(format!("{error}; {}", way_out(why)));
            }
        }
        Err(error) => findings.bad(error.to_string()),
    }
}

fn way_out(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "another program has it: stop that, or take another port",
        std::io::ErrorKind::AddrNotAvailable => "this machine has no such address: name one of its own",
        std::io::ErrorKind::PermissionDenied => {
            "ports below 1024 want the capability that the systemd unit gives; or take a port from 1024 up"
        }
        _ => "name another address",
    }
}

/// Opens the store, or asks the gateway that has it open; says whether one runs. One that is not there yet can be made.
async fn store(config: &Config, place: &StoreConfig, findings: &mut Findings) -> bool {
    let at = config.at("store.path");
    if let Err(error) = super::store::permitted(&place.path) {
        findings.doubtful(format!("{at}: {}", super::problem(&error)));
        return false;
    }
    if !Store::exists(&place.path) {
        match could_be_made(&place.path) {
            Ok(()) => findings.well(format!("store: {} is made at the first start", place.path.display())),
            Err(error) => findings.bad(format!(
                "{at}: {} cannot be created: {error}; make its parent writable for the gateway's user, or name another path",
                place.path.display()
            )),
        }
        desk::people(config, Ok(&[]), findings);
        return false;
    }
    let mut running = false;
    let mut accounts = None;
    let checked = async {
        let mut desk = Desk::of(config.clone())?;
        let check = super::audit::check(&mut desk).await;
        running = check.is_ok() && desk.is_answered_by_gateway();
        if check.is_ok() && config.review.is_some() {
            accounts = Some(desk::accounts(&mut desk).await);
        }
        desk.leave().await;
        check
    };
    match checked.await {
        Ok(check) => {
            let how = if running { "the gateway that runs answers" } else { "it opens" };
            if check.faults.is_empty() {
                findings.well(format!("store: {how}; audit: {} lines, it holds", check.lines));
            }
            for fault in &check.faults {
                findings.bad(format!("{at}: the audit does not hold: {fault}; see `schoolgate audit verify`"));
            }
        }
        Err(error) => match error.downcast_ref::<StoreError>() {
            Some(wrong @ StoreError::WrongKey) => findings.bad(format!(
                "{}: {wrong}; bring back the key that belongs to {}",
                config.at("store.key_file"),
                place.path.display()
            )),
            Some(_) => findings.bad(format!("{at}: {}", super::problem(&error))),
            None => findings.bad(super::problem(&error)),
        },
    }
    if let Some(accounts) = accounts {
        desk::people(config, accounts.as_deref(), findings);
        if let Ok(accounts) = accounts
            && !accounts.is_empty()
        {
            deadlines::ladder(config, Some(&accounts), findings);
        }
    }
    running
}

/// Makes a folder or file where the store would be, for a moment.
fn could_be_made(store: &Path) -> std::io::Result<()> {
    let existing = nearest(store);
    if existing == store {
        return tempfile::tempfile_in(store).map(drop);
    }
    tempfile::tempdir_in(existing).map(drop)
}

/// The path itself or what of it is there.
fn nearest(path: &Path) -> &Path {
    let found = path.ancestors().find(|p| p.symlink_metadata().is_ok()).unwrap_or(Path::new(""));
    if found.as_os_str().is_empty() { Path::new(".") } else { found }
}

/// Room on the disk of the store.
fn room(config: &Config, store: &Path, findings: &mut Findings) {
    let Ok(disk) = rustix::fs::statvfs(nearest(store)) else { return };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let text = format!("disk: {} MB free for {}", free / 1_000_000, store.display());
    if free < config.listen.message_size as u64 + limits::DISK_RESERVE_BYTES {
        findings.bad(format!("{text}: MAIL would be answered with 452; make room"));
    } else if free < limits::DISK_COMFORT_BYTES {
        findings.doubtful(format!("{text}: little"));
    } else {
        findings.well(text);
    }
}

/// Whether a token can be had, where one signs in with one, and until when it is good. Without one nothing else is worth a look.
async fn token(
    config: &Config,
    section: &str,
    host: &HostConfig,
    tokens: Option<&dyn Tokens>,
    findings: &mut Findings,
) -> bool {
    let Some(tokens) = tokens else { return true };
    let name = &host.host;
    // One that could not be kept would be lost to the gateway.
    if let Err(error) = tokens.keeps() {
        let at = config.at(&format!("{section}.oauth.refresh_token_file"));
        findings.doubtful(format!("{at}: {error}; give the gateway's user a folder of its own for it"));
        return false;
    }
    let Some(until) = tokens.until() else { return true };
    match tokio::time::timeout(Duration::from_secs(limits::DOCTOR_SECONDS), until).await {
        Ok(Ok(until)) => {
            findings.well(format!("smarthost: a token for {name} can be had; it is good until {until}"));
            true
        }
        Ok(Err(error)) => {
            let at = config.at(&format!("{section}.oauth.client_id"));
            findings
                .bad(format!("{at}: {name}: {error}: all mail for it would wait; look at client, secret and scope"));
            false
        }
        Err(_) => {
            let (at, seconds) = (config.at(&format!("{section}.oauth.token_url")), limits::DOCTOR_SECONDS);
            findings.bad(format!("{at}: no token for {name} within {seconds} seconds"));
            false
        }
    }
}

/// Connects as delivery does, TLS included, and says what the smarthost offers.
async fn smarthost_answers(
    config: &Config,
    (number, section, smarthost): (usize, &str, &HostConfig),
    route: &Route,
    findings: &mut Findings,
) {
    let at = |key: &str| config.at(&format!("{section}.{key}"));
    let name = format!("{}:{}", smarthost.host, smarthost.port);
    let patience = Duration::from_secs(limits::DOCTOR_SECONDS);
    let offers = match tokio::time::timeout(patience, route.try_out(number, &config.listen.hostname)).await {
        Err(_) => {
            let seconds = patience.as_secs();
            return findings.bad(format!(
                "{}: {name} does not answer within {seconds} seconds; look at the port and at the firewall",
                at("host")
            ));
        }
        Ok(Err(error @ NotOpen::Unreachable(_))) => {
            return findings.bad(format!("{}: {name}: {error}; look at name, port and firewall", at("host")));
        }
        Ok(Err(error @ NotOpen::Tls(_))) => {
            return findings.bad(format!(
                "{}: {name}: {error}: no mail would leave; use the name that its certificate holds, another port (587 \
                 mostly), or ca_file for an authority of your own",
                at("tls")
            ));
        }
        Ok(Err(error @ NotOpen::SignIn(_))) => {
            let key = match smarthost.sign_in.as_ref().map(|sign_in| &sign_in.proof) {
                Some(SignInProof::Password(_)) => "password_file",
                Some(SignInProof::OAuth(_)) => "oauth.client_id",
                None => "user",
            };
            return findings.bad(format!(
                "{}: {name}: {error}: all mail would wait; look at user and password, and whether the account may send \
                 by SMTP there",
                at(key)
            ));
        }
        Ok(Ok(offers)) => offers,
    };
    match (smarthost.tls, offers.encrypted) {
        (SmarthostTls::Required | SmarthostTls::Implicit, _) => {
            findings.well(format!("smarthost: {name} answers, with TLS and its certificate checked"))
        }
        (SmarthostTls::Opportunistic | SmarthostTls::Encrypted, true) => findings.doubtful(format!(
            "{}: {name} answers with TLS, but its certificate is not checked: tls = \"required\" does",
            at("tls")
        )),
        (SmarthostTls::Opportunistic | SmarthostTls::Encrypted, false) => {
            findings.doubtful(format!("{}: {name} answers without TLS: mail would leave in clear text", at("tls")))
        }
        (SmarthostTls::None, _) => {
            findings.doubtful(format!("{}: {name} answers; mail leaves in clear text, as configured", at("tls")))
        }
    }
    for (offered, extension, why) in [
        (offers.eight_bit, "8BITMIME", "mail with 8-bit text would be refused"),
        (offers.smtputf8, "SMTPUTF8", "mail to international addresses would be refused"),
    ] {
        if !offered {
            findings.doubtful(format!("smarthost: {name} does not offer {extension}: {why}"));
        }
    }
    if let Some(Some(limit)) = offers.size
        && limit < config.listen.message_size
    {
        findings.doubtful(format!(
            "{}: {name} takes {limit} octets, and we take more: what is larger fails later",
            config.at("listen.message_size")
        ));
    }
}
