//! Postfix, with a directory and a queue of its own; it signs others in with Cyrus SASL.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Account;
use crate::server::{End, Site, program, said_by};
use crate::skipped;
use crate::support::installed;
use crate::trust::HOST;

pub fn begin(site: &Site) -> Option<End> {
    let postfix = program("postfix")?;
    let (root, place) = (site.root, site.place);
    if place.asks.is_some() && installed("saslpasswd2").is_none() {
        skipped("saslpasswd2 is not installed (sasl2-bin)");
        return None;
    }
    for inside in ["etc", "etc/sasl", "queue", "data"] {
        std::fs::create_dir(root.join(inside)).expect("a directory");
    }
    said_by(Command::new("chown").arg("postfix").arg(root.join("data")));
    if let Some(account) = place.asks {
        keep_account(root, account);
    }
    if let Some(Account { user, password }) = place.signs_in {
        let line = format!("[{HOST}]:{} {user}:{password}\n", place.next);
        std::fs::write(root.join("etc/password"), line).expect("the password");
    }
    std::fs::write(root.join("etc/main.cf"), main_cf(site)).expect("main.cf");
    std::fs::write(root.join("etc/master.cf"), master_cf(site)).expect("master.cf");
    // Its own configuration directory names this instance and no other.
    let command = |word| {
        let mut command = Command::new(&postfix);
        command.arg("-c").arg(root.join("etc")).arg(word);
        command
    };
    said_by(&mut command("start"));
    Some(End::Command(command("stop")))
}

/// Who may sign in to it.
fn keep_account(root: &Path, account: Account) {
    let base = root.join("etc/sasl/sasldb2");
    let mut keep = Command::new("saslpasswd2");
    keep.args(["-p", "-c", "-u", "relay.saltmere.example", "-f"]).arg(&base).arg(account.user).stdin(Stdio::piped());
    let mut child = keep.spawn().expect("saslpasswd2 starts");
    child.stdin.take().expect("its input").write_all(account.password.as_bytes()).expect("the password");
    assert!(child.wait().expect("it ends").success(), "saslpasswd2 keeps the account");
    said_by(Command::new("chown").arg("postfix").arg(&base));
    let text = format!(
        "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: {}\n",
        base.display()
    );
    // Debian's build looks there, whatever is configured.
    std::fs::write(root.join("etc/sasl/smtpd.conf"), text).expect("SASL's configuration");
}

fn main_cf(site: &Site) -> String {
    let (root, next) = (site.root.display(), site.place.next);
    let asks = match site.place.asks {
        Some(_) => format!(
            "smtpd_recipient_restrictions = permit_sasl_authenticated, reject\n\
             smtpd_tls_security_level = encrypt\n\
             smtpd_tls_auth_only = yes\n\
             smtpd_tls_cert_file = {root}/own.pem\n\
             smtpd_tls_key_file = {root}/own.key\n\
             smtpd_sasl_auth_enable = yes\n\
             smtpd_sasl_local_domain = relay.saltmere.example\n\
             cyrus_sasl_config_path = {root}/etc/sasl\n"
        ),
        None => {
            "smtpd_recipient_restrictions = permit_mynetworks, reject\nsmtpd_tls_security_level = none\n".to_owned()
        }
    };
    let signs_in = match site.place.signs_in {
        Some(_) => format!(
            "relayhost = [{HOST}]:{next}\n\
             smtp_tls_security_level = secure\n\
             smtp_tls_CAfile = {root}/ca.pem\n\
             smtp_sasl_auth_enable = yes\n\
             smtp_sasl_tls_security_options = noanonymous\n\
             smtp_sasl_password_maps = texthash:{root}/etc/password\n"
        ),
        None => format!("relayhost = [127.0.0.1]:{next}\nsmtp_tls_security_level = none\n"),
    };
    format!(
        "compatibility_level = 3.6\n\
         queue_directory = {root}/queue\n\
         data_directory = {root}/data\n\
         maillog_file_prefixes = {root}\n\
         maillog_file = {root}/mail.log\n\
         myhostname = relay.saltmere.example\n\
         mydestination =\n\
         alias_maps =\n\
         local_recipient_maps =\n\
         mynetworks = 127.0.0.0/8\n\
         smtpd_peername_lookup = no\n\
         smtp_dns_support_level = disabled\n\
         inet_interfaces = loopback-only\n\
         inet_protocols = ipv4\n\
         message_size_limit = 104857600\n\
         minimal_backoff_time = 1s\n\
         maximal_backoff_time = 2s\n\
         queue_run_delay = 1s\n\
         queue_minfree = 0\n\
         {asks}{signs_in}"
    )
}

/// The services that a relay without local delivery needs, none of them in a chroot.
fn master_cf(site: &Site) -> String {
    let mut text = format!("127.0.0.1:{} inet n - n - - smtpd\n", site.port);
    if site.place.asks.is_some() {
        text.push_str(&format!("127.0.0.1:{} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n", site.implicit));
    }
    for (service, kind, private, wakeup, limit, program) in [
        ("pickup", "unix", "n", "60", "1", "pickup"),
        ("cleanup", "unix", "n", "-", "0", "cleanup"),
        ("qmgr", "unix", "n", "300", "1", "qmgr"),
        ("rewrite", "unix", "-", "-", "-", "trivial-rewrite"),
        ("bounce", "unix", "-", "-", "0", "bounce"),
        ("defer", "unix", "-", "-", "0", "bounce"),
        ("trace", "unix", "-", "-", "0", "bounce"),
        ("flush", "unix", "n", "1000?", "0", "flush"),
        ("proxymap", "unix", "-", "-", "-", "proxymap"),
        ("smtp", "unix", "-", "-", "-", "smtp"),
        ("relay", "unix", "-", "-", "-", "smtp"),
        ("showq", "unix", "n", "-", "-", "showq"),
        ("error", "unix", "-", "-", "-", "error"),
        ("retry", "unix", "-", "-", "-", "error"),
        ("anvil", "unix", "-", "-", "1", "anvil"),
        ("scache", "unix", "-", "-", "1", "scache"),
        ("tlsmgr", "unix", "-", "1000?", "1", "tlsmgr"),
        ("postlog", "unix-dgram", "n", "-", "1", "postlogd"),
    ] {
        text.push_str(&format!("{service} {kind} {private} - n {wakeup} {limit} {program}\n"));
    }
    text
}
