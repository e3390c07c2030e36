//! Between two servers of a kind: one hands the school's mail to the gateway, one is its smarthost.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Account;
use crate::server::{Kind, Place, Server};
use crate::support::{Case, Client, Gateway, PATIENCE, Sink, cases, free_port, header, is_notice_about};
use crate::trust::{HOST, Trust};

/// The upstream's account with us.
const UPSTREAM: Account = Account { user: "upstream", password: "a long password of the upstream" };

/// Our account with the smarthost.
const GATE: Account = Account { user: "gate", password: "a long password of the gateway" };

/// How all of them speak.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In clear; nobody signs in.
    Clear,
    /// The upstream signs in to us under TLS; the smarthost is spoken to in clear.
    Upstream,
    /// Each signs in to the next one under TLS; we, with this word in `[smarthost] tls`.
    Both(&'static str),
}

/// Whether the upstream has an account with us from the start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Has {
    Account,
    NoAccount,
}

struct Between {
    sink: Sink,
    smarthost: Server,
    gateway: Gateway,
    upstream: Server,
}

impl Between {
    /// Our password with the smarthost is this. `None` where such servers cannot run.
    fn start(kind: Kind, way: Way, ours: &str, upstreams: Has) -> Option<Self> {
        let trust = Trust::new();
        let sink = Sink::start();
        let asks = matches!(way, Way::Both(_)).then_some(GATE);
        let smarthost = Server::start(kind, &Place { next: sink.port, signs_in: None, asks, trust: &trust })?;
        let mut gateway = Gateway::new(smarthost.port);
        gateway.monitored();
        trust.lay(gateway.directory());
        std::fs::write(gateway.directory().join("password"), format!("{ours}\n")).expect("our password");
        if let Way::Both(tls) = way {
            let port = if tls == "implicit" { smarthost.implicit } else { smarthost.port };
            gateway.set("smarthost", "port", i64::from(port));
            for (key, value) in [
                ("tls", tls),
                ("host", HOST),
                ("ca_file", "ca.pem"),
                ("user", GATE.user),
                ("password_file", "password"),
            ] {
                gateway.set("smarthost", key, value);
            }
        }
        let door = free_port();
        let text = std::fs::read_to_string(&gateway.config).expect("the configuration");
        let listener = format!(
            "\n[[listener]]\nname = \"upstream\"\naddresses = [\"127.0.0.1:{door}\"]\ntls = \"required\"\nsign_in = true\n\
             tls_certificate = \"own.pem\"\ntls_key = \"own.key\"\n"
        );
        std::fs::write(&gateway.config, text + &listener).expect("the configuration");
        gateway.start(&[]);
        let (next, signs_in) = match way {
            Way::Clear => (gateway.port, None),
            _ => (door, Some(UPSTREAM)),
        };
        if way != Way::Clear && upstreams == Has::Account {
            add_account(&gateway);
        }
        let upstream = Server::start(kind, &Place { next, signs_in, asks: None, trust: &trust })
            .expect("the second starts as the first did");
        Some(Self { sink, smarthost, gateway, upstream })
    }

    /// Hands a message to the upstream, which takes it.
    fn send(&self, case: &Case) {
        let mut client = Client::connect(self.upstream.port).expect("a greeting");
        client.hello().expect("EHLO is answered");
        let reply = client.send(&case.mail_from, &case.rcpt, &case.message()).expect("a transaction");
        assert_eq!(reply.code, 250, "{}: {reply:?}", case.id);
    }

    /// The metric that says whether the smarthost can be used.
    fn state(&self) -> String {
        let page = self.gateway.page("/metrics").1;
        page.lines().find(|line| line.starts_with("schoolgate_smarthost_well{")).unwrap_or_default().to_owned()
    }

    /// Waits until the gateway is so.
    fn until(&self, what: &str, so: impl Fn() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !so() {
            assert!(Instant::now() < until, "{what}: not within {PATIENCE:?}\n{}", self.gateway.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// No password stands in anybody's log, as it is or as it is sent.
    fn nobody_tells(&self, passwords: &[&str]) {
        let sent = passwords.iter().map(|password| STANDARD.encode(password));
        let plain = passwords.iter().flat_map(|password| {
            [GATE.user, UPSTREAM.user].map(|user| STANDARD.encode(format!("\0{user}\0{password}")))
        });
        let words: Vec<String> = sent.chain(plain).chain(passwords.iter().map(|&p| p.to_owned())).collect();
        for log in [self.gateway.log(), self.smarthost.log(), self.upstream.log()] {
            assert!(!words.iter().any(|word| log.contains(word)), "a password in a log\n{log}");
        }
    }
}

fn add_account(gateway: &Gateway) {
    let file = gateway.directory().join("upstream.password");
    std::fs::write(&file, UPSTREAM.password).expect("its password");
    let file = file.display().to_string();
    let all = ["sender", "add", UPSTREAM.user, "--send-as-domain", "saltmere.example", "--password-file", &file];
    let added = gateway.command(&all);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
}

/// The body, from the empty line on: each server adds a Received line of its own above.
fn body(content: &[u8]) -> &[u8] {
    let at = content.windows(4).position(|w| w == b"\r\n\r\n").expect("an empty line");
    &content[at..]
}

fn clean() -> Case {
    cases().into_iter().find(|case| case.action == "deliver").expect("a message that goes")
}

fn is_copy(content: &[u8], message: &[u8]) -> bool {
    header(content, "Message-ID").is_some_and(|id| header(message, "Message-ID") == Some(id))
}

/// What is sent to the upstream arrives, or is held and told of.
fn mail_goes(kind: Kind, way: Way) {
    let Some(between) = Between::start(kind, way, GATE.password, Has::Account) else { return };
    let cases: Vec<_> = cases().into_iter().filter(|c| c.action != "reject").take(24).collect();
    for case in &cases {
        between.send(case);
    }
    // We under the upstream's name, and the smarthost under ours.
    let signed_in = match way {
        Way::Clear => 0,
        Way::Upstream => 1,
        Way::Both(_) => 2,
    };
    for case in &cases {
        let message = case.message();
        let id = header(&message, "Message-ID").expect("a Message-ID");
        if case.action == "deliver" {
            let taken = between.sink.wait(&case.id, |taken| taken.iter().any(|t| is_copy(&t.content, &message)));
            for copy in taken.iter().filter(|t| is_copy(&t.content, &message)) {
                assert_eq!(body(&copy.content), body(&message), "{}", case.id);
                let head = String::from_utf8_lossy(&copy.content).to_lowercase();
                assert_eq!(head.matches("with esmtpsa").count(), signed_in, "{}\n{head}", case.id);
            }
        } else {
            let taken = between.sink.wait(&case.id, |taken| taken.iter().any(|t| is_notice_about(t, &id)));
            assert!(!taken.iter().any(|t| is_copy(&t.content, &message)), "{} was delivered", case.id);
        }
    }
    if way != Way::Clear {
        assert!(between.gateway.log().contains("account=\"upstream\""), "{}", between.gateway.log());
    }
    between.nobody_tells(&[GATE.password, UPSTREAM.password]);
}

/// Mail waits with us, and says so, until our password is right.
fn a_wrong_password_at_the_smarthost(kind: Kind, tls: &'static str) {
    let wrong = "a long password that was changed";
    let Some(between) = Between::start(kind, Way::Both(tls), wrong, Has::Account) else { return };
    let case = clean();
    between.send(&case);
    between.until("the refusal is told", || {
        between.gateway.log().contains("reason=\"it does not let us sign in: 535 ") && between.state().ends_with(" 0")
    });
    assert!(between.sink.settled().is_empty(), "nothing leaves, and nobody is told that it failed");
    let file = between.gateway.directory().join("password");
    std::fs::write(file, format!("{}\n", GATE.password)).expect("our password");
    between.sink.wait("it leaves", |taken| taken.iter().any(|t| is_copy(&t.content, &case.message())));
    between.until("it can be used again", || between.state().ends_with(" 1"));
    between.nobody_tells(&[wrong, GATE.password, UPSTREAM.password]);
}

/// Mail waits with us while the smarthost shows a certificate of an authority that we do not know, and no password is said.
fn nobody_vouches_for_the_smarthost(kind: Kind, tls: &'static str) {
    let Some(mut between) = Between::start(kind, Way::Both(tls), GATE.password, Has::Account) else { return };
    let authorities = between.gateway.directory().join("ca.pem");
    let known = std::fs::read(&authorities).expect("the authority");
    between.gateway.kill();
    std::fs::write(&authorities, Trust::new().authority()).expect("another authority");
    between.gateway.start(&[]);
    let case = clean();
    between.send(&case);
    between.until("the certificate is told of", || {
        between.gateway.log().contains("certificate") && between.state().ends_with(" 0")
    });
    assert!(between.sink.settled().is_empty(), "nothing leaves");
    // Postfix counts the AUTH commands of a connection.
    assert!(!between.smarthost.log().contains(" auth="), "a password was said\n{}", between.smarthost.log());
    between.gateway.kill();
    std::fs::write(&authorities, known).expect("the authority");
    between.gateway.start(&[]);
    between.sink.wait("it leaves", |taken| taken.iter().any(|t| is_copy(&t.content, &case.message())));
    between.nobody_tells(&[GATE.password, UPSTREAM.password]);
}

#[test]
fn a_postfix_that_nobody_vouches_for_is_given_neither_mail_nor_password() {
    nobody_vouches_for_the_smarthost(Kind::Postfix, "required");
}

#[test]
fn an_exim_that_nobody_vouches_for_is_given_neither_mail_nor_password() {
    nobody_vouches_for_the_smarthost(Kind::Exim, "implicit");
}

/// Mail waits with the upstream until it has an account with us.
fn an_upstream_without_an_account(kind: Kind) {
    let Some(between) = Between::start(kind, Way::Upstream, GATE.password, Has::NoAccount) else { return };
    let case = clean();
    between.send(&case);
    between.upstream.until_told("535");
    assert!(between.sink.settled().is_empty(), "nothing comes in");
    add_account(&between.gateway);
    between.until("it comes", || {
        between.upstream.flush();
        between.sink.taken().iter().any(|t| is_copy(&t.content, &case.message()))
    });
    between.nobody_tells(&[UPSTREAM.password]);
}

/// What is refused goes back to its sender through the server before us.
fn a_refusal_reaches_the_sender(kind: Kind) {
    let Some(between) = Between::start(kind, Way::Clear, GATE.password, Has::Account) else { return };
    let case = cases().into_iter().find(|c| c.action == "reject").expect("a message that is refused");
    between.send(&case);
    // Its bounce goes the way of all mail: through the gateway, from the null sender, to the sender of the message.
    between.sink.wait("the bounce", |taken| {
        taken.iter().any(|t| t.from.is_empty() && t.recipients == [case.mail_from.clone()])
    });
    assert!(between.sink.settled().iter().all(|t| t.from.is_empty()), "the message itself stays");
}

#[test]
fn a_refusal_reaches_the_sender_through_the_postfix_before_us() {
    a_refusal_reaches_the_sender(Kind::Postfix);
}

#[test]
fn a_refusal_reaches_the_sender_through_the_exim_before_us() {
    a_refusal_reaches_the_sender(Kind::Exim);
}

#[test]
fn a_refusal_reaches_the_sender_through_the_opensmtpd_before_us() {
    a_refusal_reaches_the_sender(Kind::OpenSmtpd);
}

#[test]
fn a_postfix_without_an_account_keeps_its_mail_until_it_has_one() {
    an_upstream_without_an_account(Kind::Postfix);
}

#[test]
fn an_exim_without_an_account_keeps_its_mail_until_it_has_one() {
    an_upstream_without_an_account(Kind::Exim);
}

#[test]
fn a_gateway_between_two_postfixes() {
    mail_goes(Kind::Postfix, Way::Clear);
}

#[test]
fn two_postfixes_that_sign_in() {
    mail_goes(Kind::Postfix, Way::Both("required"));
}

#[test]
fn a_postfix_spoken_to_by_tls_from_the_first_octet() {
    mail_goes(Kind::Postfix, Way::Both("implicit"));
}

#[test]
fn a_gateway_between_two_exims() {
    mail_goes(Kind::Exim, Way::Clear);
}

#[test]
fn two_exims_that_sign_in() {
    mail_goes(Kind::Exim, Way::Both("required"));
}

#[test]
fn an_exim_spoken_to_by_tls_from_the_first_octet() {
    mail_goes(Kind::Exim, Way::Both("implicit"));
}

#[test]
fn a_gateway_between_two_opensmtpds() {
    mail_goes(Kind::OpenSmtpd, Way::Clear);
}

#[test]
fn an_opensmtpd_that_signs_in() {
    mail_goes(Kind::OpenSmtpd, Way::Upstream);
}

#[test]
fn a_postfix_that_refuses_our_password_makes_mail_wait() {
    a_wrong_password_at_the_smarthost(Kind::Postfix, "required");
}

#[test]
fn an_exim_that_refuses_our_password_makes_mail_wait() {
    a_wrong_password_at_the_smarthost(Kind::Exim, "implicit");
}
