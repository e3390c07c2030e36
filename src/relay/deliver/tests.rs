//! Delivery against a scripted smarthost on the loopback.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::sink::{Log, Script, smarthost};
use super::*;
use crate::config::QueueConfig;
use crate::config::SmarthostConfig;
use crate::config::{HostConfig, SignInConfig, SmarthostTls, TlsFiles};
use crate::inspect::Report;
use crate::smtp::{Address, Envelope};
use crate::store::QueueId;
use crate::store::{Class, Clock, Decision, Manner, NewEntry, State, StoreKey};

/// A gateway that delivers to a scripted smarthost.
pub(super) struct Gateway {
    pub store: Store,
    pub log: Log,
    pub delivery: Delivery,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    pub directory: tempfile::TempDir,
}

pub(super) struct Setting {
    pub tls: SmarthostTls,
    pub ca_file: Option<PathBuf>,
    pub certificate: Option<TlsFiles>,
    pub sign_in: Option<SignInConfig>,
    pub tokens: Option<Arc<dyn Tokens>>,
    pub retry: Duration,
    pub give_up: Duration,
    pub delay_notice: Duration,
    pub connections: usize,
    pub fallback: Vec<HostConfig>,
    pub per_minute: Option<usize>,
    pub clock: Clock,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            tls: SmarthostTls::Opportunistic,
            ca_file: None,
            certificate: None,
            sign_in: None,
            tokens: None,
            retry: Duration::from_secs(3_600),
            give_up: Duration::from_secs(86_400),
            delay_notice: Duration::from_secs(86_400),
            connections: 2,
            fallback: Vec::new(),
            per_minute: None,
            clock: Clock::system(),
        }
    }
}

impl Gateway {
    pub async fn start(script: Script, setting: Setting) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Log::default();
        tokio::spawn(smarthost(listener, script, log.clone()));
        Self::start_at(port, log, setting).await
    }

    pub async fn start_at(port: u16, log: Log, setting: Setting) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), port, log, setting).await
    }

    pub async fn start_in(directory: tempfile::TempDir, port: u16, log: Log, setting: Setting) -> Self {
        let manner = Manner { clock: setting.clock, ..Manner::default() };
        let store = Store::open_exclusive_in(directory.path(), StoreKey::from_bytes([5; 32]), &manner).await.unwrap();
        let host = HostConfig {
            ca_file: setting.ca_file,
            certificate: setting.certificate,
            sign_in: setting.sign_in,
            ..HostConfig::new("localhost", port, setting.tls)
        };
        let smarthost = SmarthostConfig {
            fallback: setting.fallback,
            messages_per_minute: setting.per_minute,
            ..SmarthostConfig::only(host, setting.connections)
        };
        let queue =
            QueueConfig { retry: vec![setting.retry], give_up: setting.give_up, delay_notice: setting.delay_notice };
        let (stop, shutdown) = watch::channel(false);
        let route = Route::with_tokens(smarthost, queue, setting.tokens).unwrap();
        let (delivery, delivers) = run(store.clone(), route, "gate.school.example".to_owned(), Health::new(), shutdown);
        Self { store, log, delivery, stop, task: tokio::spawn(delivers), directory }
    }

    pub async fn state(&self, id: &str) -> State {
        self.store.show(&QueueId(id.to_owned())).await.unwrap().summary.state
    }

    /// Waits until the message has been tried.
    pub async fn tried(&self, id: &str) -> crate::store::Shown {
        for _ in 0..500 {
            let shown = self.store.show(&QueueId(id.to_owned())).await.unwrap();
            if shown.summary.attempts > 0 {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{id} was not tried in 5 s");
    }

    pub async fn until(&self, what: &str, mut fits: impl FnMut(&Log) -> bool) {
        for _ in 0..800 {
            if fits(&self.log) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{what}: not within 8 s; {:?}", self.log.commands());
    }

    /// Gives the directory of the store, which goes when that is dropped.
    pub async fn stop(self) -> tempfile::TempDir {
        self.stop.send(true).unwrap();
        self.task.await.unwrap();
        self.directory
    }
}

pub(super) fn mail(id: &str, recipients: &[&str], content: &[u8]) -> NewEntry {
    let report = serde_json::json!({
        "action": "deliver", "breach": false, "notify": [], "rules": [], "recipients": [], "pupils": [],
        "findings": [], "markers": [], "unreadable": [],
    });
    let report: Report = serde_json::from_value(report).unwrap();
    let address = |a: &&str| Address::parse(a).unwrap();
    NewEntry {
        id: QueueId(id.to_owned()),
        class: Class::Mail,
        about: None,
        state: State::Queued,
        envelope: Envelope::new(
            Some(Address::parse("amy@school.example").unwrap()),
            recipients.iter().map(address).collect(),
        ),
        content: Arc::from(content),
        sha256: ring::digest::digest(&ring::digest::SHA256, content).as_ref().try_into().unwrap(),
        report: Some(report),
        at: Timestamp::now(),
        client: None,
    }
}

pub(super) const PLAIN: &[u8] = b"Subject: s\r\n\r\nhello\r\n";

/// A server with a certificate for this name, and the certificate in PEM form.
pub(super) fn certificate(name: &str) -> (Arc<rustls::ServerConfig>, String) {
    certificate_as(name, |_| ())
}

/// As [`certificate`], with what else the certificate is to say.
pub(super) fn certificate_as(
    name: &str,
    change: impl FnOnce(&mut rcgen::CertificateParams),
) -> (Arc<rustls::ServerConfig>, String) {
    let mut params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
    change(&mut params);
    let key = rcgen::KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.der().clone()], key)
        .unwrap();
    (Arc::new(config), made.pem())
}

/// Relay checklist, rows 89 and 129.
#[tokio::test]
async fn content_arrives_byte_for_byte() {
    let long = [&b"Subject: s\r\n\r\n"[..], &b"x.\r\n.x\r\n..\r\n.\r\n".repeat(40_000)].concat();
    let contents: [&[u8]; 5] =
        [PLAIN, b".first\r\n\r\n..\r\n.\r\n", b"A: b\r\n\r\nx\r\n\r\n\r\n", "A: b\r\n\r\nZoë\r\n".as_bytes(), &long];
    for offers in [vec![], vec!["PIPELINING", "SIZE 0"]] {
        let offers = [offers, vec!["8BITMIME"]].concat();
        let gateway = Gateway::start(Script { offers, ..Script::default() }, Setting::default()).await;
        for (number, content) in contents.iter().enumerate() {
            let id = format!("M{number}");
            gateway.store.commit(vec![mail(&id, &["bob@b.example"], content)]).await.unwrap();
            gateway.tried(&id).await;
            let taken = gateway.log.taken();
            assert_eq!(taken.len(), number + 1);
            assert!(taken[number].content == *content, "content {number} differs");
            assert_eq!(gateway.state(&id).await, State::Delivered);
        }
        gateway.stop().await;
    }
}

/// Relay checklist, rows 82 and 89.
#[tokio::test]
async fn each_recipient_has_an_outcome_of_its_own() {
    for offers in [vec![], vec!["PIPELINING"]] {
        let rcpt = HashMap::from([("later", "450 4.2.0 busy"), ("never", "550 5.1.1 no such user")]);
        let gateway = Gateway::start(Script { rcpt, offers, ..Script::default() }, Setting::default()).await;
        let recipients = ["ok@b.example", "later@b.example", "never@b.example"];
        gateway.store.commit(vec![mail("M", &recipients, PLAIN)]).await.unwrap();
        let shown = gateway.tried("M").await;
        let states: Vec<_> = shown.recipients.iter().map(|r| r.state.as_str()).collect();
        assert_eq!(states, ["delivered", "due", "failed"]);
        assert_eq!(shown.recipients[2].reply.as_deref(), Some("550 5.1.1 no such user"));
        gateway.until("the report", |log| log.taken().len() == 2).await;
        let report = &gateway.log.taken()[1];
        assert!(report.mail.starts_with("MAIL FROM:<>"), "{}", report.mail);
        assert_eq!(report.rcpt, ["amy@school.example"]);
        let text = String::from_utf8(report.content.clone()).unwrap();
        assert!(text.contains("Status: 5.1.1") && text.contains("never@b.example") && !text.contains("later@"));
        gateway.stop().await;
    }
}

/// Relay checklist, row 81.
#[tokio::test]
async fn the_first_digit_decides() {
    for (verb, reply, state) in [
        ("MAIL", "451 4.3.0 later", State::Queued),
        ("MAIL", "550 5.1.0 no", State::Failed),
        ("RCPT", "432 4.3.2 later", State::Queued),
        ("RCPT", "553 no", State::Failed),
        ("DATA", "451 later", State::Queued),
        ("DATA", "554 no", State::Failed),
        ("DOT", "452 4.3.1 full", State::Queued),
        ("DOT", "554 5.7.1 no", State::Failed),
        ("MAIL", "close", State::Queued),
        ("DATA", "close", State::Queued),
        ("BANNER", "421 busy", State::Queued),
        ("BANNER", "554 go away", State::Queued),
        ("EHLO", "550 no", State::Queued),
    ] {
        for offers in [vec![], vec!["PIPELINING"]] {
            let script =
                Script { replies: HashMap::from([(verb, reply)]), offers: offers.clone(), ..Script::default() };
            let gateway = Gateway::start(script, Setting::default()).await;
            gateway.store.commit(vec![mail("M", &["bob@b.example"], PLAIN)]).await.unwrap();
            let shown = gateway.tried("M").await;
            assert_eq!(shown.summary.state, state, "{verb} {reply} {offers:?}");
            assert!(gateway.log.taken().is_empty());
            gateway.stop().await;
        }
    }
}

/// Relay checklist, row 86.
#[tokio::test]
async fn a_connection_lost_after_the_final_dot_is_unknown_and_tried_again() {
    let script = Script { replies: HashMap::from([("DOT", "close")]), once: true, ..Script::default() };
    let setting = Setting { retry: Duration::from_millis(50), ..Setting::default() };
    let gateway = Gateway::start(script, setting).await;
    gateway.store.commit(vec![mail("M", &["bob@b.example"], PLAIN)]).await.unwrap();
    gateway.until("the second try", |log| log.taken().len() == 2).await;
    for _ in 0..100 {
        if gateway.state("M").await == State::Delivered {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let shown = gateway.store.show(&QueueId("M".into())).await.unwrap();
    assert_eq!(shown.summary.state, State::Delivered);
    assert!(shown.audit.iter().any(|line| line.detail.contains("\"possible_duplicate\":1")), "{:?}", shown.audit);
    gateway.stop().await;
}

#[tokio::test]
async fn a_smarthost_that_is_down_is_probed_by_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let setting = Setting { retry: Duration::from_millis(1_500), connections: 1, ..Setting::default() };
    let gateway = Gateway::start_at(port, Log::default(), setting).await;
    gateway.store.commit(vec![mail("A", &["bob@b.example"], PLAIN)]).await.unwrap();
    let shown = gateway.tried("A").await;
    assert_eq!(shown.summary.state, State::Queued);
    for id in ["B", "C"] {
        gateway.store.commit(vec![mail(id, &["bob@b.example"], PLAIN)]).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    for id in ["B", "C"] {
        let shown = gateway.store.show(&QueueId(id.into())).await.unwrap();
        assert_eq!(shown.summary.attempts, 0, "{id} waits untried");
    }
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(smarthost(listener, Script::default(), gateway.log.clone()));
    gateway.until("all three", |log| log.taken().len() == 3).await;
    gateway.stop().await;
}

#[tokio::test]
async fn mail_that_waits_for_a_dead_smarthost_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let gateway = Gateway::start_at(port, Log::default(), Setting::default()).await;
    gateway.store.commit(vec![mail("A", &["bob@b.example"], PLAIN)]).await.unwrap();
    gateway.tried("A").await;
    let mut old = mail("M", &["bob@b.example"], PLAIN);
    old.at = Timestamp::now() - Duration::from_secs(86_400);
    gateway.store.commit(vec![old]).await.unwrap();
    let shown = gateway.tried("M").await;
    assert_eq!(shown.summary.state, State::Failed);
    assert_eq!(gateway.state("A").await, State::Queued, "its time is not over");
    let filter = crate::store::Filter { class: Some(Class::Notice), ..Default::default() };
    let notices = gateway.store.list(filter, 10).await.unwrap();
    assert_eq!(notices.iter().map(|n| n.about.clone()).collect::<Vec<_>>(), [Some(QueueId("M".into()))]);
    gateway.stop().await;
}

#[tokio::test]
async fn what_is_too_old_is_given_up_and_reported_once() {
    let rcpt = HashMap::from([("bob", "450 4.2.0 busy"), ("amy", "450 4.2.0 busy")]);
    let setting = Setting { retry: Duration::from_millis(20), ..Setting::default() };
    let gateway = Gateway::start(Script { rcpt, ..Script::default() }, setting).await;
    let mut old = mail("M", &["bob@b.example"], PLAIN);
    old.at = Timestamp::now() - Duration::from_secs(86_400);
    gateway.store.commit(vec![old]).await.unwrap();
    let shown = gateway.tried("M").await;
    assert_eq!(shown.summary.state, State::Failed);
    let filter = crate::store::Filter { class: Some(Class::Notice), ..Default::default() };
    let notices = gateway.store.list(filter, 10).await.unwrap();
    assert_eq!(notices.len(), 1);
    let text = gateway.store.content(&notices[0].id).await.unwrap();
    assert!(String::from_utf8_lossy(&text).contains("Status: 4.4.7"));
    gateway.stop().await;
}

#[tokio::test]
async fn a_notice_that_fails_is_not_reported() {
    let rcpt = HashMap::from([("bob", "550 5.1.1 no")]);
    let gateway = Gateway::start(Script { rcpt, ..Script::default() }, Setting::default()).await;
    let mut notice = mail("N", &["bob@b.example"], PLAIN);
    notice.class = Class::Notice;
    notice.report = None;
    notice.envelope.mail_from = None;
    gateway.store.commit(vec![notice]).await.unwrap();
    assert_eq!(gateway.tried("N").await.summary.state, State::Failed);
    assert_eq!(gateway.store.list(crate::store::Filter::default(), 10).await.unwrap().len(), 1);
    gateway.stop().await;
}

/// Relay checklist, rows 92 and 93.
#[tokio::test]
async fn tls_is_used_as_configured() {
    let (good, pem) = certificate("localhost");
    let (other, _) = certificate("elsewhere.example");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem).unwrap();
    let ca = Some(file.path().to_owned());
    let (required, opportunistic) = (SmarthostTls::Required, SmarthostTls::Opportunistic);
    // Certificate, setting, injected text, and: delivered under TLS, delivered in clear, or not at all.
    for (name, tls, setting, injected, wanted) in [
        ("trusted", Some(&good), required, "", Some(true)),
        ("wrong certificate", Some(&other), required, "", None),
        ("not offered", None, required, "", None),
        ("injected reply", Some(&good), required, "250-x\r\n250 SIZE 1\r\n", None),
        ("unchecked", Some(&other), opportunistic, "", Some(true)),
        ("no TLS", None, opportunistic, "", Some(false)),
        ("broken", Some(&other), opportunistic, "250 not TLS\r\n", Some(false)),
        ("never", Some(&good), SmarthostTls::None, "", Some(false)),
    ] {
        let offers = if tls.is_some() { vec!["STARTTLS"] } else { vec![] };
        let script = Script { offers, tls: tls.cloned(), injected, ..Script::default() };
        let gateway = Gateway::start(script, Setting { tls: setting, ca_file: ca.clone(), ..Setting::default() }).await;
        gateway.store.commit(vec![mail("M", &["bob@b.example"], PLAIN)]).await.unwrap();
        gateway.tried("M").await;
        let taken = gateway.log.taken();
        assert_eq!(taken.first().map(|t| t.tls), wanted, "{name}");
        if wanted.is_none() {
            assert!(!gateway.log.commands().iter().any(|c| c.starts_with("MAIL")), "{name}: no mail in clear");
        }
        gateway.stop().await;
    }
}

/// Relay checklist, rows 90 and 91.
#[tokio::test]
async fn what_the_smarthost_does_not_offer_is_not_sent() {
    let eight_bit = "A: b\r\n\r\nZoë\r\n".as_bytes();
    for (offers, recipient, content, state, reply) in [
        (vec![], "bob@b.example", eight_bit, State::Failed, "554 5.6.3"),
        (vec!["8BITMIME"], "bob@b.example", eight_bit, State::Delivered, "250 2.0.0"),
        (vec![], "bøb@b.example", PLAIN, State::Failed, "553 5.6.7"),
        (vec!["SMTPUTF8"], "bøb@b.example", PLAIN, State::Delivered, "250 2.0.0"),
        (vec!["SIZE 10"], "bob@b.example", PLAIN, State::Failed, "552 5.3.4"),
    ] {
        let gateway = Gateway::start(Script { offers: offers.clone(), ..Script::default() }, Setting::default()).await;
        gateway.store.commit(vec![mail("M", &[recipient], content)]).await.unwrap();
        let shown = gateway.tried("M").await;
        assert_eq!(shown.summary.state, state, "{offers:?} {recipient}");
        let said = shown.recipients[0].reply.clone().unwrap_or_default();
        assert!(said.starts_with(reply), "{said}");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn mail_parameters_say_what_the_message_is() {
    let offers = vec!["SIZE", "8BITMIME", "SMTPUTF8"];
    let gateway = Gateway::start(Script { offers, ..Script::default() }, Setting::default()).await;
    let content = "A: b\r\n\r\nZoë\r\n".as_bytes();
    gateway.store.commit(vec![mail("M", &["bøb@b.example"], content)]).await.unwrap();
    gateway.tried("M").await;
    let said = gateway.log.taken()[0].mail.clone();
    assert_eq!(said, format!("MAIL FROM:<amy@school.example> SIZE={} BODY=8BITMIME SMTPUTF8", content.len()));
    gateway.stop().await;
}

#[tokio::test]
async fn many_recipients_go_in_hundreds_and_connections_are_kept() {
    let gateway = Gateway::start(Script::default(), Setting { connections: 1, ..Setting::default() }).await;
    let addresses: Vec<String> = (0..250).map(|n| format!("r{n}@b.example")).collect();
    let recipients: Vec<&str> = addresses.iter().map(String::as_str).collect();
    gateway.store.commit(vec![mail("M", &recipients, PLAIN)]).await.unwrap();
    gateway.tried("M").await;
    let sizes: Vec<usize> = gateway.log.taken().iter().map(|t| t.rcpt.len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    let in_order: Vec<String> = gateway.log.taken().into_iter().flat_map(|t| t.rcpt).collect();
    assert_eq!(in_order, addresses);
    assert_eq!(*gateway.log.connections.lock().unwrap(), 1);
    gateway.stop().await;
}

#[tokio::test]
async fn a_slow_smarthost_holds_up_nobody_else_and_stopping_waits_for_it() {
    let script = Script { slow: Duration::from_millis(400), ..Script::default() };
    let gateway = Gateway::start(script, Setting { connections: 2, ..Setting::default() }).await;
    for n in 0..4 {
        let commit = gateway.store.commit(vec![mail(&format!("M{n}"), &["bob@b.example"], PLAIN)]);
        tokio::time::timeout(Duration::from_millis(300), commit).await.expect("intake goes on").unwrap();
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (store, log) = (gateway.store.clone(), gateway.log.clone());
    let _directory = gateway.stop().await;
    let taken = log.taken().len();
    assert!((2..=4).contains(&taken), "{taken}");
    let counts = store.counts().await.unwrap();
    let count = |state| counts.iter().find(|c| c.state == state).unwrap().messages;
    assert_eq!((count(State::Delivered), count(State::Queued)), (taken as u64, 4 - taken as u64));
    let due = store.lease_due(Timestamp::now(), 10, Duration::from_secs(60)).await.unwrap();
    assert_eq!(due.len(), 4 - taken, "what was not begun was given back");
}

/// Relay checklist, row 129.
#[tokio::test]
async fn bytes_that_were_not_decided_on_are_set_aside() {
    let gateway = Gateway::start(Script::default(), Setting::default()).await;
    let mut forged = mail("M", &["bob@b.example"], PLAIN);
    forged.sha256 = [1; 32];
    gateway.store.commit(vec![forged, mail("N", &["bob@b.example"], PLAIN)]).await.unwrap();
    gateway.tried("N").await;
    let shown = gateway.store.show(&QueueId("M".into())).await.unwrap();
    assert_eq!((shown.summary.state, shown.summary.attempts), (State::Queued, 0));
    assert!(shown.summary.damaged.is_some());
    assert_eq!(gateway.log.taken().len(), 1);
    gateway.stop().await;
}

#[tokio::test]
async fn a_release_by_another_process_is_noticed() {
    let gateway = Gateway::start(Script::default(), Setting::default()).await;
    let mut held = mail("M", &["bob@b.example"], PLAIN);
    held.state = State::Held;
    gateway.store.commit(vec![held]).await.unwrap();
    let command = Store::open(gateway.directory.path(), StoreKey::from_bytes([5; 32])).await.unwrap();
    assert_eq!(command.release(&QueueId("M".into()), "Sue", "", vec![]).await.unwrap(), Decision::Done);
    command.close().await;
    gateway.tried("M").await;
    assert_eq!(gateway.state("M").await, State::Delivered);
    gateway.stop().await;
}

#[test]
#[ignore = "started by the test below, which kills it"]
fn child_that_delivers() {
    let (Ok(directory), Ok(port)) = (std::env::var("SCHOOLGATE_TEST_STORE"), std::env::var("SCHOOLGATE_TEST_PORT"))
    else {
        return;
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open_exclusive(directory.as_ref(), StoreKey::from_bytes([5; 32])).await.unwrap();
        let (_stop, shutdown) = watch::channel(false);
        let host = HostConfig::new("localhost", port.parse().unwrap(), SmarthostTls::None);
        let smarthost = SmarthostConfig::only(host, 1);
        let queue = QueueConfig {
            retry: vec![Duration::from_secs(60)],
            give_up: Duration::from_secs(86_400),
            delay_notice: Duration::from_secs(86_400),
        };
        let delivery = tokio::spawn(
            run(
                store.clone(),
                Route::new(smarthost, queue).unwrap(),
                "gate.example".to_owned(),
                Health::new(),
                shutdown,
            )
            .1,
        );
        store.commit(vec![mail("M", &["bob@b.example"], PLAIN)]).await.unwrap();
        let _ = tokio::time::timeout(Duration::from_secs(5), delivery).await;
    });
}

/// Relay checklist, row 79.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_delivering_nothing_is_lost_and_doubles_are_told() {
    // Fault, copies that the smarthost has in the end, and whether the store must have warned of a double.
    for (fault, copies, warned) in [
        ("before-send", 1, true),
        ("after-final-dot", 2, true),
        ("after-smarthost-250", 2, true),
        ("before-record", 2, true),
        ("after-record", 1, false),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Log::default();
        tokio::spawn(smarthost(listener, Script { slow: Duration::from_millis(50), ..Script::default() }, log.clone()));
        let environment = [
            ("SCHOOLGATE_TEST_STORE", directory.path().display().to_string()),
            ("SCHOOLGATE_TEST_PORT", port.to_string()),
        ];
        let killed = tokio::task::spawn_blocking(move || {
            let test = "relay::deliver::tests::child_that_delivers";
            crate::store::tests::crashes::run_until_killed(test, fault, &environment)
        });
        killed.await.unwrap();
        let gateway = Gateway::start_in(directory, port, log, Setting::default()).await;
        let shown = gateway.tried("M").await;
        assert_eq!(shown.summary.state, State::Delivered, "{fault}");
        // The killed one's message may still be on its way through the smarthost.
        gateway.until(fault, |log| log.taken().len() >= copies).await;
        assert_eq!(gateway.log.taken().len(), copies, "{fault}");
        assert!(gateway.log.taken().iter().all(|taken| taken.content == PLAIN), "{fault}");
        let told = shown.audit.iter().any(|line| line.event == "recovered" && line.detail.contains("true"));
        assert_eq!(told, warned, "{fault}");
        gateway.stop().await;
    }
}
