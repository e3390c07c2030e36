//! Whether the service's user may read what it reads and owns what it writes.
//!
//! That user is the owner of the store's directory; where that is not made yet, the owner of the key. As root, `doctor`
//! reads everything itself, so what that user may not is told by owner, groups and modes along the path.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Findings, user};
use crate::config::{Config, Pack, SignInProof, SmarthostConfig, TlsFiles};
use crate::limits;
use crate::relay::deliver::unreadable_secrets;

const READ: u32 = 0o4;
const SEARCH: u32 = 0o1;

/// Looks at key, store and every file that the configuration names.
pub fn look(config: &Config, findings: &mut Findings) {
    let Some(place) = &config.store else { return };
    if let Some(file) = &place.key_file {
        key(config, file, &place.path, findings);
    }
    for (key, file) in client_secrets(config).into_iter().chain(tls_keys(config)) {
        closed(&config.at(&key), &file, findings);
    }
    let owner_of = |path: &Path| std::fs::metadata(path).ok();
    let store = owner_of(&place.path).filter(Metadata::is_dir);
    if let Some(about) = &store {
        directory(config, &place.path, about, findings);
    }
    let Some(about) = store.or_else(|| place.key_file.as_deref().and_then(owner_of)) else { return };
    let service = User::new(about.uid(), about.gid());
    if service.uid == 0 {
        return findings.doubtful("the gateway runs as root, or the store is root's: a user of its own is safer");
    }
    findings.well(format!("the gateway's user is {}", user(service.uid)));
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for (key, file) in named(config) {
        if let Some(barred) = service.barred(&file) {
            findings.bad(format!(
                "{}: {} cannot read {} (for {}): chown or chmod it",
                config.at(&key),
                user(service.uid),
                file.display(),
                barred.display()
            ));
        }
    }
}

fn key(config: &Config, file: &Path, store: &Path, findings: &mut Findings) {
    let at = config.at("store.key_file");
    closed(&at, file, findings);
    if file.starts_with(store) {
        findings.doubtful(format!("{at}: it lies inside the store, so a copy of the store is a copy of the key"));
    }
}

/// Whether what we sign in with at smarthosts can be read.
pub fn secrets(config: &Config, findings: &mut Findings) {
    for (section, host) in config.smarthost.iter().flat_map(SmarthostConfig::hosts) {
        for (key, why) in unreadable_secrets(host) {
            let at = config.at(&format!("{section}.{key}"));
            findings.bad(format!("{at}: {}: {why}: all mail for it would wait", host.host));
        }
    }
}

/// A file with a secret is its owner's alone.
fn closed(at: &str, file: &Path, findings: &mut Findings) {
    if let Ok(about) = std::fs::metadata(file)
        && about.mode() & 0o077 != 0
    {
        let (file, mode) = (file.display(), about.mode() & 0o777);
        findings.doubtful(format!("{at}: {file} can be read by others (mode {mode:03o}): chmod 600 {file}"));
    }
}

/// The secrets that we have at providers and smarthosts.
fn client_secrets(config: &Config) -> Vec<(String, PathBuf)> {
    let all = config.review.iter().flat_map(|review| &review.oidc);
    let mut files: Vec<_> = all
        .map(|one| (format!("review.oidc.{}.client_secret_file", one.name), one.client_secret_file.clone()))
        .collect();
    for (section, host) in config.smarthost.iter().flat_map(SmarthostConfig::hosts) {
        let mut add = |key: &str, file: Option<&PathBuf>| {
            files.extend(file.map(|file| (format!("{section}.{key}"), file.clone())));
        };
        match host.sign_in.as_ref().map(|sign_in| &sign_in.proof) {
            Some(SignInProof::Password(file)) => add("password_file", Some(file)),
            Some(SignInProof::OAuth(oauth)) => {
                add("oauth.client_secret_file", oauth.client_secret_file.as_ref());
                add("oauth.refresh_token_file", oauth.refresh_token_file.as_ref());
            }
            None => {}
        }
    }
    files
}

/// What desk and listeners show, each with the section of its owner; what several listeners share stands once.
fn shown(config: &Config) -> Vec<(String, &TlsFiles)> {
    let desk = config.review.iter().filter_map(|review| Some(("review".to_owned(), review.tls.as_ref()?)));
    let doors = config.listen.listeners.iter().filter_map(|door| Some((door.section(), door.certificate.as_ref()?)));
    let mut all: Vec<(String, &TlsFiles)> = Vec::new();
    for (section, files) in desk.chain(doors) {
        if all.iter().all(|(_, other)| *other != files) {
            all.push((section, files));
        }
    }
    all
}

/// The private keys of our own TLS.
fn tls_keys(config: &Config) -> Vec<(String, PathBuf)> {
    shown(config).into_iter().map(|(section, files)| (format!("{section}.tls_key"), files.key.clone())).collect()
}

/// The store's directory, and that all in it is its owner's.
fn directory(config: &Config, store: &Path, about: &Metadata, findings: &mut Findings) {
    let at = config.at("store.path");
    if about.mode() & 0o077 != 0 {
        let (store, mode) = (store.display(), about.mode() & 0o777);
        findings.doubtful(format!("{at}: {store} is open to others (mode {mode:03o}): chmod 700 {store}"));
    }
    let folders = [store.to_owned(), store.join("segments"), store.join("large")];
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let foreign: Vec<PathBuf> = entries
        .filter(|entry| entry.metadata().is_ok_and(|inside| inside.uid() != about.uid()))
        .map(|entry| entry.path())
        .collect();
    if !foreign.is_empty() {
        let names: Vec<_> = foreign.iter().take(limits::DOCTOR_NAMED).map(|f| f.display().to_string()).collect();
        findings.bad(format!(
            "{at}: {} files in it are not {}'s ({}): chown -R {} {}",
            foreign.len(),
            user(about.uid()),
            names.join(", "),
            about.uid(),
            store.display()
        ));
    }
}

/// Every file that the gateway reads by its configuration, with its key.
fn named(config: &Config) -> Vec<(String, PathBuf)> {
    let directory = &config.directory;
    let mut files = vec![("school".to_owned(), config.file.clone())];
    files.extend(client_secrets(config));
    files.extend(tls_keys(config));
    let mut add = |key: &str, file: Option<&PathBuf>| files.extend(file.map(|file| (key.to_owned(), file.clone())));
    add("store.key_file", config.store.as_ref().and_then(|s| s.key_file.as_ref()));
    add("directory.pupils", directory.pupils.as_ref().filter(|_| !directory.imported));
    add("directory.guardians", directory.guardians.as_ref().filter(|_| !directory.imported));
    add("directory.staff", directory.staff.as_ref());
    add("directory.correspondents", directory.correspondents.as_ref());
    add("policy.dkim_keys", config.policy.dkim_keys.as_ref());
    for (section, files) in shown(config) {
        add(&format!("{section}.tls_certificate"), Some(&files.certificate));
    }
    for door in &config.listen.listeners {
        let ca_file = door.client.as_ref().and_then(|client| client.ca_file.as_ref());
        add(&format!("{}.client_ca", door.section()), ca_file);
    }
    for (section, host) in config.smarthost.iter().flat_map(SmarthostConfig::hosts) {
        add(&format!("{section}.ca_file"), host.ca_file.as_ref());
    }
    add("dkim.key_file", config.dkim.as_ref().map(|dkim| &dkim.key_file));
    if let Pack::File(file) = &config.policy.pack {
        add("policy.pack", Some(file));
    }
    if let Some(folder) = &config.notices.templates {
        add("notices.templates", Some(folder));
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            add("notices.templates", Some(&entry.path()));
        }
    }
    files
}

/// A user with all the groups that the system's list gives it.
struct User {
    uid: u32,
    groups: Vec<u32>,
}

impl User {
    fn new(uid: u32, gid: u32) -> Self {
        let mut groups = vec![gid];
        if let (Some(name), Ok(list)) = (crate::relay::control::name_of(uid), std::fs::read_to_string("/etc/group")) {
            groups.extend(list.lines().filter_map(|line| {
                let fields: Vec<&str> = line.split(':').collect();
                let is_member = fields.get(3)?.split(',').any(|member| member == name);
                fields.get(2)?.parse::<u32>().ok().filter(|_| is_member)
            }));
        }
        Self { uid, groups }
    }

    fn may(&self, about: &Metadata, bit: u32) -> bool {
        let shift = if about.uid() == self.uid {
            6
        } else if self.groups.contains(&about.gid()) {
            3
        } else {
            0
        };
        about.mode() & (bit << shift) != 0
    }

    /// The part of the path that keeps this user from reading the file; a path that is not there is no matter of rights.
    fn barred(&self, file: &Path) -> Option<PathBuf> {
        let file = std::path::absolute(file).ok()?;
        let whole = std::fs::metadata(&file).ok()?;
        let bit = if whole.is_dir() { READ | SEARCH } else { READ };
        let allowed = (0..3).map(|n| 1 << n).filter(|b| bit & b != 0).all(|b| self.may(&whole, b));
        if !allowed {
            return Some(file);
        }
        file.ancestors()
            .skip(1)
            .find(|folder| std::fs::metadata(folder).is_ok_and(|about| !self.may(&about, SEARCH)))
            .map(Path::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn owner_group_and_others_each_have_their_bits() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let about = || std::fs::metadata(file.path()).unwrap();
        let (uid, gid) = (about().uid(), about().gid());
        let [owner, group, other] = [(uid, gid), (uid + 1, gid), (uid + 1, gid + 1)];
        for (mode, reader, may) in [
            (0o600, owner, true),
            (0o600, group, false),
            (0o040, group, true),
            (0o040, owner, false),
            (0o640, other, false),
            (0o604, other, true),
            (0o604, group, false),
        ] {
            std::fs::set_permissions(file.path(), PermissionsExt::from_mode(mode)).unwrap();
            let user = User { uid: reader.0, groups: vec![reader.1] };
            assert_eq!(user.may(&about(), READ), may, "{mode:o} {reader:?}");
        }
    }
}
