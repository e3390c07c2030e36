//! A smarthost that answers oddly: whatever follows it, the first digit decides, and nothing is sent twice or bounced
//! that need not be.

use std::collections::HashMap;

use super::connection::Connection;
use super::host::Host;
use super::sink::{Log, Odd, Script, smarthost};
use super::tests::{Gateway, PLAIN, Setting, certificate, mail};
use super::*;
use crate::config::{HostConfig, SmarthostTls};
use crate::store::QueueId;
use crate::store::State;

/// Replies byte by byte, with the digit that decides; 0 where there is none, and no bytes where the stream is closed.
fn replies() -> Vec<(Vec<u8>, u8)> {
    let latin = |code: &str| [code.as_bytes(), b" gr\xfc\xdfe \xa0\xff"].concat();
    let table: Vec<(Vec<u8>, u8)> = vec![
        ("250".into(), 2),
        ("250 ".into(), 2),
        ("250 ok\n".into(), 2),
        ("299 ok".into(), 2),
        ("200 ok".into(), 2),
        ("268 ok".into(), 2),
        ("250ok".into(), 2),
        ("250\tok".into(), 2),
        ("250  2.0.0  ok".into(), 2),
        ("25 ok".into(), 2),
        ("2500 ok".into(), 2),
        ("\r\n250 ok".into(), 2),
        ("250 zoë 漢字".into(), 2),
        ("250 a\0b\x1b[31m\x07".into(), 2),
        (latin("250"), 2),
        ("250-one\r\n250 two".into(), 2),
        ("250-one\r\n251 two".into(), 2),
        ("550-one\r\n250 two".into(), 2),
        ("250-\r\n250-\r\n250 ".into(), 2),
        ("250-one\r\nwithout a code\r\n250 two".into(), 2),
        (format!("250 {}", "x".repeat(2_000)).into(), 2),
        (format!("250 {}", "x".repeat(200_000)).into(), 2),
        (format!("{}250 end", "250-line\r\n".repeat(20_000)).into(), 2),
        ("354".into(), 3),
        ("399 go".into(), 3),
        (latin("354"), 3),
        ("334 VXNlcm5hbWU6".into(), 3),
        ("450".into(), 4),
        ("471 later".into(), 4),
        ("499 later".into(), 4),
        (latin("451"), 4),
        ("250-one\r\n450 two".into(), 4),
        (format!("450 {}", "x".repeat(200_000)).into(), 4),
        ("550".into(), 5),
        ("571 no".into(), 5),
        ("599 no".into(), 5),
        (latin("550"), 5),
        ("250-one\r\n550 two".into(), 5),
        (format!("{}550 end", "550-5.1.1 no\r\n".repeat(9_000)).into(), 5),
        ("HTTP/1.1 400 Bad Request".into(), 0),
        ("hello".into(), 0),
        ("150 wait".into(), 0),
        ("650 what".into(), 0),
        ("000".into(), 0),
        (b"\xff\xfe\x00".to_vec(), 0),
    ];
    let with_end = |(mut bytes, class): (Vec<u8>, u8)| {
        if !bytes.ends_with(b"\n") {
            bytes.extend(b"\r\n");
        }
        (bytes, class)
    };
    table.into_iter().map(with_end).chain([(Vec::new(), 0)]).collect()
}

/// Sends one message for each reply at this step; gives the replies that led to another state than they should, and how
/// often the content arrived where once was due.
async fn at(step: &'static str, script: Script, setting: Setting, due: impl Fn(u8) -> State) -> Vec<String> {
    let odd = Arc::clone(&script.odd);
    let gateway = Gateway::start(script, setting).await;
    let mut wrong = Vec::new();
    for (number, (bytes, class)) in replies().into_iter().enumerate() {
        let name = format!("M{number}");
        let said = bytes[..bytes.len().min(60)].escape_ascii().to_string();
        let before = gateway.log.taken().len();
        *odd.lock().unwrap() = Some(Odd { step, bytes, class });
        let mut message = mail(&name, &["bob@b.example"], PLAIN);
        message.envelope.mail_from = None;
        gateway.store.commit(vec![message]).await.unwrap();
        let shown = gateway.tried(&name).await;
        let (state, due) = (shown.summary.state, due(class));
        let copies = gateway.log.taken().len() - before;
        if state != due || (due == State::Delivered && copies != 1) || (due == State::Failed && copies != 0) {
            wrong.push(format!("{step} {said}: {state:?}, {copies} copies, {:?}", shown.recipients[0].reply));
        }
        // What was put off would be tried beside the next one.
        while gateway.state(&name).await == State::Queued {
            let _ = gateway.store.discard(&QueueId(name.clone()), "test", "done", Vec::new()).await;
            tokio::task::yield_now().await;
        }
    }
    gateway.stop().await;
    wrong
}

fn soon() -> Setting {
    Setting { retry: Duration::from_millis(20), connections: 1, ..Setting::default() }
}

const NONE: Vec<String> = Vec::new();

/// Relay checklist, rows 83 and 84.
#[tokio::test]
async fn in_the_envelope_the_first_digit_decides() {
    for offers in [vec![], vec!["PIPELINING"]] {
        for (step, good) in [("MAIL", 2), ("RCPT", 2), ("DATA", 3)] {
            let due = |class| match class {
                5 => State::Failed,
                class if class == good => State::Delivered,
                _ => State::Queued,
            };
            let script = Script { offers: offers.clone(), ..Script::default() };
            assert_eq!(at(step, script, soon(), due).await, NONE);
        }
    }
}

/// Relay checklist, rows 83 and 84.
#[tokio::test]
async fn after_the_final_dot_the_first_digit_decides_in_clear_and_under_tls() {
    let (tls, _) = certificate("localhost");
    for (offers, tls) in [(vec![], None), (vec!["STARTTLS", "PIPELINING"], Some(tls))] {
        let due = |class| match class {
            2 => State::Delivered,
            5 => State::Failed,
            _ => State::Queued,
        };
        let script = Script { offers, tls, ..Script::default() };
        assert_eq!(at("DOT", script, soon(), due).await, NONE);
    }
}

/// A reply too many after each message: no connection is used for another.
fn once_each() -> HashMap<&'static str, &'static str> {
    HashMap::from([("DOT", "250 2.0.0 taken\r\n250 and more")])
}

#[tokio::test]
async fn a_smarthost_that_does_not_greet_costs_no_message() {
    for step in ["BANNER", "EHLO"] {
        let due = |class| if class == 2 { State::Delivered } else { State::Queued };
        assert_eq!(at(step, Script { replies: once_each(), ..Script::default() }, soon(), due).await, NONE);
    }
}

#[tokio::test]
async fn a_starttls_that_fails_leaves_mail_in_clear_only_where_that_is_allowed() {
    let (tls, pem) = certificate("localhost");
    let script = || {
        let (offers, tls) = (vec!["STARTTLS"], Some(Arc::clone(&tls)));
        Script { offers, tls, replies: once_each(), ..Script::default() }
    };
    assert_eq!(at("STARTTLS", script(), soon(), |_| State::Delivered).await, NONE);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem).unwrap();
    let required = Setting { tls: SmarthostTls::Required, ca_file: Some(file.path().to_owned()), ..soon() };
    let due = |class| if class == 2 { State::Delivered } else { State::Queued };
    assert_eq!(at("STARTTLS", script(), required, due).await, NONE);
}

#[tokio::test]
async fn after_a_refusal_rset_changes_nothing() {
    let rcpt = HashMap::from([("bob", "550 5.1.1 no")]);
    assert_eq!(at("RSET", Script { rcpt, ..Script::default() }, soon(), |_| State::Failed).await, NONE);
}

#[tokio::test]
async fn a_goodbye_may_be_answered_in_any_way() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = Script::default();
    let odd = Arc::clone(&script.odd);
    tokio::spawn(smarthost(listener, script, Log::default()));
    let to = Host::new(HostConfig::new("localhost", port, SmarthostTls::None), 1, None).unwrap();
    for (bytes, class) in replies() {
        *odd.lock().unwrap() = Some(Odd { step: "QUIT", bytes, class });
        let connection = Connection::open(&to, "gate.school.example").await.unwrap();
        tokio::time::timeout(Duration::from_secs(5), connection.close()).await.expect("it ends");
    }
}

/// Relay checklist, row 84.
#[tokio::test]
async fn starttls_is_seen_in_any_case_and_blank_lines_in_ehlo_do_no_harm() {
    let (tls, _) = certificate("localhost");
    for offers in [vec!["starttls"], vec!["StartTLS"], vec!["", "STARTTLS"], vec![" ", "starttls", "\t"]] {
        let script = Script { offers: offers.clone(), tls: Some(Arc::clone(&tls)), ..Script::default() };
        let gateway = Gateway::start(script, Setting::default()).await;
        gateway.store.commit(vec![mail("M", &["bob@b.example"], PLAIN)]).await.unwrap();
        assert_eq!(gateway.tried("M").await.summary.state, State::Delivered, "{offers:?}");
        assert!(gateway.log.taken()[0].tls, "{offers:?}");
        gateway.stop().await;
    }
    for ehlo in ["250-sink\r\n250-\r\n250 \r\n", "250-\r\n250-PIPELINING\r\n250 \r\n", "250 \r\n", "250\r\n"] {
        let script = Script::default();
        *script.odd.lock().unwrap() = Some(Odd { step: "EHLO", bytes: ehlo.into(), class: 2 });
        let gateway = Gateway::start(script, Setting::default()).await;
        gateway.store.commit(vec![mail("M", &["bob@b.example"], PLAIN)]).await.unwrap();
        assert_eq!(gateway.tried("M").await.summary.state, State::Delivered, "{ehlo:?}");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_reply_too_many_is_taken_for_no_other() {
    // Said after the dot, the second one would be the answer to the next message's MAIL; said after DATA, to its dot.
    for (step, bytes, class, copies) in [("DOT", "250 a\r\n250 b\r\n", 2, 3), ("DATA", "354 a\r\n250 b\r\n", 3, 0)] {
        let script = Script::default();
        *script.odd.lock().unwrap() = Some(Odd { step, bytes: bytes.into(), class });
        let gateway = Gateway::start(script, Setting { connections: 1, ..Setting::default() }).await;
        for id in ["A", "B", "C"] {
            gateway.store.commit(vec![mail(id, &["bob@b.example"], PLAIN)]).await.unwrap();
            let state = gateway.tried(id).await.summary.state;
            assert_eq!(state == State::Delivered, copies > 0, "{step} {id}");
        }
        assert_eq!(gateway.log.taken().len(), copies, "{step}");
        gateway.stop().await;
    }
}
