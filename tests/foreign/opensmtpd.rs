//! OpenSMTPD. Its queue, its socket and the authorities that it trusts lie where its build says, so it runs in a mount namespace in
//! which those places are its own, in memory.
//!
//! It signs in to others and looks at their certificates. A server under TLS, and with that a sign-in to it, it cannot be here:
//! Debian 12's 6.8.0 signs nothing with the OpenSSL 3 that it was built with (OpenSMTPD issue 1239), so no handshake with it ends well.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::server::{End, Site, has_users, program, spawn};
use crate::skipped;
use crate::support::installed;
use crate::trust::HOST;

/// Wants the program, its configuration and the authorities.
const RUN: &str = r#"set -e
for place in /var/spool /var/lib /run /etc/ssl/certs; do mount -t tmpfs -o mode=755 tmpfs "$place"; done
mkdir -m 711 /var/spool/smtpd
mkdir -p /var/lib/opensmtpd/empty
cp "$3" /etc/ssl/certs/ca-certificates.crt
exec "$1" -d -f "$2""#;

pub fn begin(site: &Site) -> Option<End> {
    assert!(site.place.asks.is_none(), "no server under TLS");
    let smtpd = program("smtpd").filter(|_| has_users(&["opensmtpd", "opensmtpq"]))?;
    if installed("unshare").is_none() || !may_mount() {
        skipped("this process may make no mount namespace");
        return None;
    }
    let file = site.root.join("smtpd.conf");
    std::fs::write(&file, configuration(site)).expect("the configuration");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).expect("its mode");
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", RUN, "sh"]);
    command.arg(smtpd).arg(&file).arg(site.root.join("ca.pem"));
    Some(End::Process(spawn(&mut command, site.root)))
}

fn may_mount() -> bool {
    let line = "mount -t tmpfs tmpfs /run";
    Path::new("/proc/self/ns/mnt").exists()
        && Command::new("unshare").args(["--mount", "sh", "-c", line]).output().is_ok_and(|out| out.status.success())
}

fn configuration(site: &Site) -> String {
    let (port, next) = (site.port, site.place.next);
    let (keys, towards) = match site.place.signs_in {
        Some(account) => (
            format!("table keys {{ \"next\" = \"{}:{}\" }}\n", account.user, account.password),
            format!("smtp+tls://next@{HOST}:{next} auth <keys>"),
        ),
        None => (String::new(), format!("smtp+notls://127.0.0.1:{next}")),
    };
    format!(
        "{keys}smtp max-message-size 100M\nlisten on 127.0.0.1 port {port} hostname relay.saltmere.example\n\
         action next relay host {towards} helo relay.saltmere.example\nmatch from any for any action next\n"
    )
}
