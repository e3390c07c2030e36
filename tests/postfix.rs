//! Between two Postfixes: one hands the school's mail to the gateway, one is its smarthost.
//!
//! Each has a directory, a queue and ports of its own and touches nothing of an installed one. Postfix starts as root
//! alone; where it is not installed, or the tests do not run as root, they are skipped, with a word.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Client, Gateway, PATIENCE, Sink, cases, free_port, header, installed, is_notice_about};

struct Postfix {
    port: u16,
    dir: tempfile::TempDir,
    program: PathBuf,
}

impl Postfix {
    /// Listens on a free port of the loopback and hands everything to `next`. `None` where it cannot run.
    fn start(next: u16) -> Option<Self> {
        let Some(program) = installed("postfix") else {
            println!("skipped: postfix is not installed");
            return None;
        };
        let user = Command::new("id").arg("-u").output().expect("id is there");
        if user.stdout.trim_ascii() != b"0" {
            println!("skipped: postfix starts as root alone");
            return None;
        }
        let dir = tempfile::tempdir().expect("a temporary directory");
        let port = free_port();
        let root = dir.path();
        for inside in ["etc", "queue", "data"] {
            std::fs::create_dir(root.join(inside)).expect("a directory");
        }
        run(Command::new("chmod").arg("755").arg(root).arg(root.join("etc")).arg(root.join("queue")));
        run(Command::new("chown").arg("postfix").arg(root.join("data")));
        std::fs::write(root.join("etc/main.cf"), main_cf(root, next)).expect("main.cf");
        std::fs::write(root.join("etc/master.cf"), master_cf(port)).expect("master.cf");
        run(Command::new(&program).arg("-c").arg(root.join("etc")).arg("start"));
        let postfix = Self { port, dir, program };
        let until = std::time::Instant::now() + PATIENCE;
        while Client::connect(port).is_err() {
            assert!(std::time::Instant::now() < until, "postfix does not listen\n{}", postfix.log());
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Some(postfix)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("mail.log")).unwrap_or_default()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // Its own configuration directory names this instance and no other.
        let _ = Command::new(&self.program).arg("-c").arg(self.dir.path().join("etc")).arg("stop").output();
        if std::thread::panicking() {
            println!("--- postfix\n{}", self.log());
        }
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn main_cf(root: &Path, next: u16) -> String {
    let root = root.display();
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
         smtpd_recipient_restrictions = permit_mynetworks, reject\n\
         smtpd_peername_lookup = no\n\
         smtp_dns_support_level = disabled\n\
         smtp_tls_security_level = none\n\
         smtpd_tls_security_level = none\n\
         inet_interfaces = loopback-only\n\
         inet_protocols = ipv4\n\
         relayhost = [127.0.0.1]:{next}\n\
         message_size_limit = 104857600\n\
         minimal_backoff_time = 1s\n\
         maximal_backoff_time = 2s\n\
         queue_run_delay = 1s\n\
         queue_minfree = 0\n"
    )
}

/// The services that a relay without local delivery needs, none of them in a chroot.
fn master_cf(port: u16) -> String {
    let mut text = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
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
        ("postlog", "unix-dgram", "n", "-", "1", "postlogd"),
    ] {
        text.push_str(&format!("{service} {kind} {private} - n {wakeup} {limit} {program}\n"));
    }
    text
}

/// The body, from the empty line on: each Postfix adds a Received line of its own above.
fn body(content: &[u8]) -> &[u8] {
    let at = content.windows(4).position(|w| w == b"\r\n\r\n").expect("an empty line");
    &content[at..]
}

#[test]
fn a_gateway_between_two_postfixes() {
    let sink = Sink::start();
    let Some(smarthost) = Postfix::start(sink.port) else { return };
    let gateway = Gateway::started(smarthost.port);
    let upstream = Postfix::start(gateway.port).expect("the second starts as the first did");
    let cases: Vec<_> = cases().into_iter().filter(|c| c.action != "reject").take(24).collect();
    for case in &cases {
        let mut client = Client::connect(upstream.port).expect("a greeting");
        client.hello().expect("EHLO is answered");
        let reply = client.send(&case.mail_from, &case.rcpt, &case.message()).expect("a transaction");
        assert_eq!(reply.code, 250, "{}: {reply:?}", case.id);
    }
    for case in &cases {
        let message = case.message();
        let id = header(&message, "Message-ID").expect("a Message-ID");
        let is_copy = |content: &[u8]| header(content, "Message-ID").as_deref() == Some(&id);
        if case.action == "deliver" {
            let taken = sink.wait(&case.id, |taken| taken.iter().any(|t| is_copy(&t.content)));
            for copy in taken.iter().filter(|t| is_copy(&t.content)) {
                assert_eq!(body(&copy.content), body(&message), "{}", case.id);
            }
        } else {
            let taken = sink.wait(&case.id, |taken| taken.iter().any(|t| is_notice_about(t, &id)));
            assert!(!taken.iter().any(|t| is_copy(&t.content)), "{} was delivered", case.id);
        }
    }
}

#[test]
fn a_refusal_reaches_the_sender_through_the_postfix_before_us() {
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let Some(upstream) = Postfix::start(gateway.port) else { return };
    let case = cases().into_iter().find(|c| c.action == "reject").expect("a message that is refused");
    let mut client = Client::connect(upstream.port).expect("a greeting");
    client.hello().expect("EHLO is answered");
    client.send(&case.mail_from, &case.rcpt, &case.message()).expect("a transaction");
    // Its bounce goes the way of all mail: through the gateway, from the null sender, to the sender of the message.
    sink.wait("the bounce", |taken| {
        taken.iter().any(|t| t.from.is_empty() && t.recipients == [case.mail_from.clone()])
    });
    assert!(sink.settled().iter().all(|t| t.from.is_empty()), "the message itself stays");
}
