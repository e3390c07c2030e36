//! From the file to the checked configuration: every mistake with its place, all of them together.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::file::{RawConfig, RawDirectory, RawMonitor, RawPolicy, RawQueue, RawSchool, RawStore};
use super::{
    Config, DirectoryConfig, ListenConfig, LogFormat, NoticesConfig, Pack, Places, PolicyConfig, QueueConfig,
    SchoolConfig, StoreConfig,
};
use crate::limits;
use crate::policy::pack::{DECIDERS, REPORTING, ROLES};
use crate::smtp::Address;
use crate::text::problem::{FileProblem, line_and_column};

/// Turns raw values into checked ones and collects what is wrong.
pub(super) struct Check<'a> {
    pub file: &'a Path,
    pub text: &'a str,
    pub errors: Vec<FileProblem>,
}

impl Check<'_> {
    pub(super) fn wrong<T>(&mut self, at: &Spanned<T>, problem: impl Into<String>) {
        let place = Some(line_and_column(self.text, at.span().start));
        self.errors.push(FileProblem { file: self.file.to_owned(), place, problem: problem.into() });
    }

    pub(super) fn path(&self, path: PathBuf) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    /// `text` read as `T`; otherwise an error that names the key and says what was wanted.
    pub(super) fn parsed<T>(
        &mut self,
        key: &str,
        wanted: &str,
        value: &Spanned<String>,
        parsed: Option<T>,
    ) -> Option<T> {
        if parsed.is_none() {
            self.wrong(value, format!("{key}: `{}` is no {wanted}", value.as_ref()));
        }
        parsed
    }

    pub(super) fn number(
        &mut self,
        key: &str,
        value: Option<Spanned<i64>>,
        default: usize,
        range: std::ops::RangeInclusive<usize>,
    ) -> usize {
        let Some(value) = value else { return default };
        match usize::try_from(*value.as_ref()) {
            Ok(n) if range.contains(&n) => n,
            _ => {
                self.wrong(&value, format!("{key}: wants a number from {} to {}", range.start(), range.end()));
                default
            }
        }
    }

    pub fn config(&mut self, raw: RawConfig) -> Config {
        let school = self.school(raw.school);
        let listen = self.listen(raw.listen, raw.listener, &school);
        let monitor = raw.monitor.and_then(|m| self.monitor(&m, &listen));
        Config {
            file: self.file.to_owned(),
            places: Places::of(self.text),
            directory: self.directory(raw.directory, raw.store.is_some()),
            policy: self.policy(raw.policy),
            roles: self.roles(raw.roles, &school.domains),
            smarthost: raw.smarthost.map(|s| self.smarthost(s)),
            queue: self.queue(raw.queue),
            store: raw.store.map(|s| self.store(s)),
            notices: NoticesConfig {
                from: raw.notices.from.and_then(|a| {
                    let parsed = Address::parse(a.as_ref()).ok();
                    self.parsed("notices.from", "e-mail address", &a, parsed)
                }),
                templates: raw.notices.templates.map(|p| self.path(p)),
            },
            school_time: self.school_time(raw.review.as_ref()),
            review: raw.review.and_then(|r| self.review(&r, &listen, monitor)),
            dkim: raw.dkim.and_then(|d| self.dkim(d, &school)),
            malware: raw.malware.and_then(|m| self.malware(m)),
            monitor,
            log: raw.log.map_or(LogFormat::Plain, |l| l.format),
            listen,
            school,
        }
    }

    fn monitor(&mut self, raw: &RawMonitor, listen: &ListenConfig) -> Option<SocketAddr> {
        let parsed = raw.address.as_ref().parse::<SocketAddr>().ok();
        let wanted = "address with a port, as 127.0.0.1:9125";
        let address = self.parsed("monitor.address", wanted, &raw.address, parsed)?;
        if let Some(taken) = listen.addresses().find(|taken| collide(taken, &address)) {
            self.wrong(
                &raw.address,
                format!("monitor.address: mail is taken at {taken}; give the monitor a port of its own"),
            );
        }
        Some(address)
    }

    fn directory(&mut self, raw: Spanned<RawDirectory>, store: bool) -> DirectoryConfig {
        let imported = raw.as_ref().imported.as_ref().is_some_and(|imported| *imported.as_ref());
        if raw.as_ref().pupils.is_none() && !imported {
            let problem =
                "missing field `pupils`: name a file, or set imported = true and run `schoolgate roster import`";
            self.wrong(&raw, problem);
        }
        if imported && !store {
            let problem = "directory.imported: the imported roster lies in the store, and there is no [store]";
            if let Some(at) = &raw.as_ref().imported {
                self.wrong(at, problem);
            }
        }
        let raw = raw.into_inner();
        DirectoryConfig {
            imported,
            pupils: raw.pupils.map(|p| self.path(p)),
            guardians: raw.guardians.map(|p| self.path(p)),
            staff: raw.staff.map(|p| self.path(p)),
            correspondents: raw.correspondents.map(|p| self.path(p)),
        }
    }

    fn school(&mut self, raw: RawSchool) -> SchoolConfig {
        if raw.name.as_ref().trim().is_empty() {
            self.wrong(&raw.name, "school.name: is empty");
        }
        if raw.domains.as_ref().is_empty() {
            self.wrong(&raw.domains, "school.domains: name at least one of the school's own mail domains");
        }
        let mut domains = Vec::new();
        for domain in raw.domains.as_ref() {
            let name = domain.as_ref().trim_end_matches('.').to_lowercase();
            let fits = name.contains('.') && name.split('.').all(is_label);
            domains.extend(self.parsed("school.domains", "mail domain", domain, fits.then_some(name)));
        }
        let mut bank_accounts = Vec::new();
        for account in &raw.bank_accounts {
            let compact: String = account.as_ref().chars().filter(char::is_ascii_alphanumeric).collect();
            let fits = compact.len() >= 8 && compact.chars().any(|c| c.is_ascii_digit());
            let wanted = "sort code with account number, nor an IBAN";
            bank_accounts.extend(self.parsed(
                "school.bank_accounts",
                wanted,
                account,
                fits.then_some(compact.to_uppercase()),
            ));
        }
        SchoolConfig { name: raw.name.into_inner(), domains, telephone: raw.telephone, bank_accounts }
    }

    fn policy(&mut self, raw: RawPolicy) -> PolicyConfig {
        let pack = match raw.pack.as_deref() {
            None => Pack::Embedded("core".to_owned()),
            Some(name) if name.ends_with(".toml") => Pack::File(self.path(PathBuf::from(name))),
            Some(name) => Pack::Embedded(name.to_owned()),
        };
        let mut confidential_markers = vec!["Official-Sensitive".to_owned()];
        for marker in raw.confidential_markers {
            let fits = marker.as_ref().chars().any(char::is_alphanumeric).then(|| marker.as_ref().trim().to_owned());
            confidential_markers.extend(self.parsed("policy.confidential_markers", "marker", &marker, fits));
        }
        let mut permitted = BTreeMap::new();
        for (rule, senders) in raw.permitted {
            let key = format!("policy.permitted.{rule}");
            let senders: Vec<Address> = senders
                .iter()
                .filter_map(|sender| self.parsed(&key, "e-mail address", sender, Address::parse(sender.as_ref()).ok()))
                .collect();
            permitted.insert(rule, senders);
        }
        PolicyConfig {
            permitted,
            pack,
            bulk_pupils: self.number("policy.bulk_pupils", raw.bulk_pupils, limits::BULK_PUPILS, 1..=1_000_000),
            confidential_markers,
            modes: raw.modes,
            dkim_keys: raw.dkim_keys.map(|file| self.path(file)),
        }
    }

    fn roles(
        &mut self,
        raw: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
        own_domains: &[String],
    ) -> BTreeMap<String, Vec<Address>> {
        let mut roles = BTreeMap::new();
        let manager = raw.keys().find(|role| role.as_ref() == "sbm").cloned();
        let before = self.errors.len();
        for (role, mailboxes) in raw {
            let reporting = role.as_ref() == REPORTING;
            if !reporting && !ROLES.contains(&role.as_ref().as_str()) {
                self.wrong(
                    &role,
                    format!("roles.{}: there is no such role; the roles are {}", role.as_ref(), ROLES.join(", ")),
                );
                continue;
            }
            let mut addresses = Vec::new();
            for mailbox in &mailboxes {
                let parsed = Address::parse(mailbox.as_ref()).ok();
                if let Some(address) = parsed.as_ref().filter(|_| reporting)
                    && !own_domains.contains(&address.domain())
                {
                    self.wrong(
                        mailbox,
                        "roles.report: staff report breaches at a mailbox of the school's own domain, so that no report leaves it",
                    );
                }
                addresses.extend(self.parsed(&format!("roles.{}", role.as_ref()), "e-mail address", mailbox, parsed));
            }
            roles.insert(role.into_inner(), addresses);
        }
        // Said only where it is not one mistake told twice.
        if let Some(manager) = manager
            && self.errors.len() == before
            && !has_second_person(&roles)
        {
            let others = DECIDERS.iter().filter(|role| **role != "sbm").copied().collect::<Vec<_>>().join(", ");
            self.wrong(
                &manager,
                format!(
                    "roles.sbm: nobody else could decide on a held message of the SBM's own; name somebody with another \
                     mailbox, as head = [\"head@…\"] (one of {others})"
                ),
            );
        }
        roles
    }

    fn store(&mut self, raw: RawStore) -> StoreConfig {
        let days = self.number("store.keep_days", raw.keep_days, limits::KEEP_DAYS, 1..=3_650);
        StoreConfig {
            path: self.path(raw.path),
            key_file: raw.key_file.map(|p| self.path(p)),
            keep: Duration::from_secs(days as u64 * 86_400),
        }
    }

    fn queue(&mut self, raw: RawQueue) -> QueueConfig {
        let mut retry: Vec<Duration> = limits::RETRY_MINUTES.iter().map(|&m| Duration::from_secs(m * 60)).collect();
        if let Some(minutes) = raw.retry_minutes {
            let fits = |m: &f64| m.is_finite() && *m > 0.0 && *m <= 1_440.0;
            if minutes.as_ref().is_empty() || !minutes.as_ref().iter().all(fits) {
                self.wrong(&minutes, "queue.retry_minutes: wants numbers above 0 and up to 1440 (a day)");
            } else {
                retry = minutes.as_ref().iter().map(|m| Duration::from_secs_f64(m * 60.0)).collect();
            }
        }
        let give_up = self.hours("queue.give_up_hours", raw.give_up_hours, limits::GIVE_UP_HOURS);
        let delay_notice = self.hours("queue.delay_notice_hours", raw.delay_notice_hours, limits::DELAY_NOTICE_HOURS);
        QueueConfig { retry, give_up, delay_notice }
    }

    fn hours(&mut self, key: &str, given: Option<Spanned<f64>>, otherwise: u64) -> Duration {
        let Some(hours) = given else { return Duration::from_secs(otherwise * 3_600) };
        if hours.as_ref().is_finite() && *hours.as_ref() > 0.0 && *hours.as_ref() <= 720.0 {
            return Duration::from_secs_f64(hours.as_ref() * 3_600.0);
        }
        self.wrong(&hours, format!("{key}: wants a number above 0 and up to 720 (30 days)"));
        Duration::from_secs(otherwise * 3_600)
    }
}

/// Whether somebody but the SBM, with a mailbox that is not the SBM's, can decide.
fn has_second_person(roles: &BTreeMap<String, Vec<Address>>) -> bool {
    let mailboxes = |role: &str| roles.get(role).map_or(&[][..], Vec::as_slice);
    let manager = mailboxes("sbm");
    DECIDERS
        .iter()
        .filter(|role| **role != "sbm")
        .flat_map(|role| mailboxes(role))
        .any(|mailbox| manager.iter().all(|own| !own.is_same_mailbox(mailbox)))
}

/// Whether two addresses cannot be listened on at the same time. Port 0 is any that is free.
fn collide(a: &SocketAddr, b: &SocketAddr) -> bool {
    a.port() == b.port() && a.port() != 0 && (a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified())
}

pub(super) fn is_label(label: &str) -> bool {
    !label.is_empty() && label.len() <= 63 && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}
