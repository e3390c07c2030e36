//! `schoolgate doctor`: looks at everything that `serve` needs, changes nothing, and says what to put right.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::store::Desk;
use super::terminal::{safe, say};
use crate::config::{Config, ListenConfig, SmarthostConfig, SmarthostTls, StoreConfig};
use crate::limits;
use crate::store::{Store, StoreKey};

/// Look at configuration, roster, key, disk, audit and smarthost; exit status 1 when something would keep the gateway from working.
#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// How a thing that was looked at is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Well,
    Doubtful,
    Bad,
}

/// What was looked at, one line each.
#[derive(Default)]
struct Findings(Vec<(Health, String)>);

impl Findings {
    fn well(&mut self, text: impl Into<String>) {
        self.0.push((Health::Well, text.into()));
    }
    fn doubtful(&mut self, text: impl Into<String>) {
        self.0.push((Health::Doubtful, text.into()));
    }
    fn bad(&mut self, text: impl Into<String>) {
        self.0.push((Health::Bad, text.into()));
    }
}

/// Runs the command.
pub fn run(args: &Doctor) -> Result<ExitCode> {
    let mut findings = Findings::default();
    match Config::load(&args.config) {
        Err(errors) => errors.0.iter().for_each(|e| findings.bad(e.to_string())),
        Ok(config) => look(&config, &mut findings)?,
    }
    for (health, text) in &findings.0 {
        let word = match health {
            Health::Well => "well",
            Health::Doubtful => "look",
            Health::Bad => "BAD ",
        };
        say!("{word}  {}", safe(text))?;
    }
    let bad = findings.0.iter().filter(|(h, _)| *h == Health::Bad).count();
    say!("{}", if bad == 0 { "The gateway can work.".to_owned() } else { format!("{bad} to put right.") })?;
    Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look(config: &Config, findings: &mut Findings) -> Result<()> {
    findings.well(format!("configuration: {} is sound", config.file.display()));
    match super::ground::load(config) {
        Err(error) => findings.bad(super::problem(&error)),
        Ok(loaded) => {
            let school = &loaded.ground.school;
            let counts = format!("{} pupils, {} guardians", school.pupils.len(), school.guardians.len());
            findings.well(format!(
                "rules: pack `{}`, {} rules",
                loaded.ground.pack.name,
                loaded.ground.pack.rules.len()
            ));
            match loaded.faults.len() {
                0 => findings.well(format!("roster: {counts}, every row is sound")),
                n => findings
                    .doubtful(format!("roster: {counts}; {n} rows have problems: see `schoolgate roster check`")),
            }
            if school.guardians.iter().all(|g| g.email.is_none()) {
                findings.doubtful(
                    "roster: no guardian has an e-mail address, so all mail to parents counts as mail to strangers",
                );
            }
        }
    }
    listener(&config.listen, findings);
    if let Err(errors) = config.relay_ready() {
        errors.0.iter().for_each(|e| findings.bad(&e.problem));
    }
    if let Some(store) = &config.store {
        key(store, findings);
        disk(&store.path, config.listen.message_size, findings);
        super::runtime()?.block_on(audit(&config.file, &store.path, findings));
    }
    if let Some(smarthost) = &config.smarthost {
        let runtime = super::runtime()?;
        runtime.block_on(smarthost_answers(smarthost, &config.listen.hostname, findings));
    }
    Ok(())
}

fn listener(listen: &ListenConfig, findings: &mut Findings) {
    for address in &listen.addresses {
        match std::net::TcpListener::bind(address) {
            Ok(_) => findings.well(format!("listener: {address} is free")),
            Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => {
                findings.doubtful(format!("listener: {address} is in use (by a running gateway?)"));
            }
            Err(e) => findings.bad(format!("listener: {address}: {e}")),
        }
    }
    for network in listen.relay_from.iter().filter(|n| n.prefix_len() == 0) {
        findings.bad(format!("relay_from: {network} lets everybody send through this gateway"));
    }
}

fn key(store: &StoreConfig, findings: &mut Findings) {
    match StoreKey::load(store.key_file.as_deref()) {
        Err(error) => findings.bad(format!("key: {error}")),
        Ok(_) => findings.well("key: can be read"),
    }
    if let Some(file) = &store.key_file {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(file).map_or(0, |m| m.permissions().mode());
        if mode & 0o077 != 0 {
            findings.doubtful(format!(
                "key: {} can be read by others (mode {:03o}); 600 is right",
                file.display(),
                mode & 0o777
            ));
        }
        if file.starts_with(&store.path) {
            findings.doubtful("key: it lies inside the store, so a copy of the store is a copy of the key");
        }
    }
}

/// Goes through the audit, where there is one and we may see it.
async fn audit(config: &Path, store: &Path, findings: &mut Findings) {
    if !Store::exists(store) {
        // Either it is not there yet, or it is not ours to see.
        return match super::store::permitted(store) {
            Ok(()) => findings.well("audit: there is none yet"),
            Err(error) => findings.doubtful(format!("audit: {}", super::problem(&error))),
        };
    }
    let checked = async {
        let mut desk = Desk::at(config)?;
        let check = super::audit::check(&mut desk).await;
        desk.leave().await;
        check
    };
    match checked.await {
        Ok(check) if check.faults.is_empty() => findings.well(format!("audit: {} lines, it holds", check.lines)),
        Ok(check) => check.faults.iter().for_each(|fault| findings.bad(format!("audit: {fault}"))),
        Err(error) => findings.doubtful(format!("audit: {}", super::problem(&error))),
    }
}

fn disk(store: &Path, message_size: usize, findings: &mut Findings) {
    // The nearest folder that exists says how much space there is for the one that will be made.
    let Some(existing) = store.ancestors().find(|p| p.is_dir()) else {
        return findings.bad(format!("store: {} cannot be reached", store.display()));
    };
    match rustix::fs::statvfs(existing) {
        Err(e) => findings.bad(format!("store: {}: {e}", existing.display())),
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let text = format!("store: {} MB free for {}", free / 1_000_000, store.display());
            if free < message_size as u64 {
                findings.bad(format!("{text}: less than one message of the largest size"));
            } else if free < limits::DISK_COMFORT_BYTES {
                findings.doubtful(format!("{text}: little"));
            } else {
                findings.well(text);
            }
        }
    }
}

/// Connects as delivery would and says what the smarthost offers.
async fn smarthost_answers(smarthost: &SmarthostConfig, hostname: &str, findings: &mut Findings) {
    let name = format!("smarthost: {}:{}", smarthost.host, smarthost.port);
    let patience = Duration::from_secs(limits::DOCTOR_SECONDS);
    let offers = match tokio::time::timeout(patience, ehlo(smarthost, hostname)).await {
        Err(_) => return findings.bad(format!("{name} does not answer within {} seconds", patience.as_secs())),
        Ok(Err(error)) => return findings.bad(format!("{name}: {error}")),
        Ok(Ok(offers)) => offers,
    };
    findings.well(format!("{name} answers"));
    let offered = offers.iter().any(|o| o.eq_ignore_ascii_case("STARTTLS"));
    match (smarthost.tls, offered) {
        (_, true) => findings.well(format!("{name} offers STARTTLS")),
        (SmarthostTls::Required, false) => {
            findings.bad(format!("{name} does not offer STARTTLS, and tls = \"required\": no mail would leave"))
        }
        (SmarthostTls::Opportunistic, false) => {
            findings.doubtful(format!("{name} does not offer STARTTLS: mail would leave in clear text"))
        }
        (SmarthostTls::None, false) => findings.doubtful(format!("{name}: mail leaves in clear text, as configured")),
    }
    for (extension, why) in [
        ("8BITMIME", "mail with 8-bit text would be refused"),
        ("SMTPUTF8", "mail to international addresses would be refused"),
    ] {
        if !offers.iter().any(|o| o.eq_ignore_ascii_case(extension)) {
            findings.doubtful(format!("{name} does not offer {extension}: {why}"));
        }
    }
}

/// The keywords of the smarthost's EHLO reply (RFC 5321 4.1.1.1).
async fn ehlo(smarthost: &SmarthostConfig, hostname: &str) -> std::io::Result<Vec<String>> {
    let mut stream = BufReader::new(TcpStream::connect((smarthost.host.as_str(), smarthost.port)).await?);
    reply(&mut stream, "220").await?;
    stream.write_all(format!("EHLO {hostname}\r\n").as_bytes()).await?;
    let lines = reply(&mut stream, "250").await?;
    stream.write_all(b"QUIT\r\n").await?;
    Ok(lines.iter().skip(1).filter_map(|l| l.split_whitespace().next().map(str::to_owned)).collect())
}

/// The texts of one reply, which must have this code.
async fn reply(stream: &mut BufReader<TcpStream>, code: &str) -> std::io::Result<Vec<String>> {
    let mut texts = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::Error::other("it closes the connection"));
        }
        let line = line.trim_end();
        if !line.starts_with(code) || texts.len() > limits::REPLY_LINES {
            return Err(std::io::Error::other(format!(
                "it answers `{}`",
                safe(&line.chars().take(200).collect::<String>())
            )));
        }
        texts.push(line.get(4..).unwrap_or("").to_owned());
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(texts);
        }
    }
}
