//! The smarthost as a whole: what makes it wait, who may try it then, and that nobody waits for one delivery.

use std::collections::HashMap;

use jiff::Timestamp;
use tokio::net::TcpListener;

use super::sink::{Log, Odd, Script, smarthost};
use super::tests::{Gateway, PLAIN, Setting, mail};
use super::*;
use crate::config::QueueConfig;
use crate::config::SmarthostConfig;
use crate::config::{HostConfig, SmarthostTls};
use crate::store::QueueId;
use crate::store::{Clock, Decision, Shown, State, StoreKey};

async fn commit(gateway: &Gateway, id: &str) {
    gateway.store.commit(vec![mail(id, &["bob@b.example"], PLAIN)]).await.unwrap();
}

/// Waits until the message stands as wanted.
async fn until(gateway: &Gateway, id: &str, fits: impl Fn(&Shown) -> bool) -> Shown {
    for _ in 0..800 {
        let shown = gateway.store.show(&QueueId(id.to_owned())).await.unwrap();
        if fits(&shown) {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{id}: not within 8 s; {:?}", gateway.log.commands());
}

/// Waits until the store has an outage, or none.
async fn known(gateway: &Gateway, outage: bool) {
    for _ in 0..800 {
        if gateway.store.outages().await.unwrap().is_empty() != outage {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("outage is not {outage} within 8 s; {:?}", gateway.log.commands());
}

/// A port at which nobody listens.
async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

async fn open_port(port: u16, log: &Log) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(smarthost(listener, Script::default(), log.clone()));
}

/// Relay checklist, rows 81 and 85.
#[tokio::test]
async fn a_refusal_that_is_about_us_makes_mail_wait_and_bounces_nothing() {
    for (step, reply) in [
        ("BANNER", "554 5.7.1 your address is blocked"),
        ("BANNER", "421 too many connections"),
        ("EHLO", "550 bad name"),
        ("MAIL", "530 5.7.57 client was not authenticated"),
        ("MAIL", "550 5.7.606 access denied, banned sending IP"),
        ("MAIL", "550 5.7.0 authentication required"),
        ("MAIL", "421 4.3.2 closing"),
        ("RCPT", "550 5.7.64 relay access denied"),
        ("DATA", "421 4.7.0 try again later"),
        ("DOT", "421 4.3.0 closing"),
        ("DOT", "530 authentication required"),
    ] {
        for offers in [vec![], vec!["PIPELINING"]] {
            let script = Script { offers, ..Script::default() };
            let odd = Arc::clone(&script.odd);
            let bytes = format!("{reply}\r\n").into_bytes();
            *odd.lock().unwrap() = Some(Odd { step, bytes, class: reply.as_bytes()[0] - b'0' });
            let setting = Setting { retry: Duration::from_millis(100), connections: 1, ..Setting::default() };
            let gateway = Gateway::start(script, setting).await;
            commit(&gateway, "A").await;
            let shown = until(&gateway, "A", |shown| shown.summary.attempts >= 2).await;
            assert_eq!(shown.summary.state, State::Queued, "{step} {reply}: nothing bounces");
            known(&gateway, true).await;
            *odd.lock().unwrap() = None;
            until(&gateway, "A", |shown| shown.summary.state == State::Delivered).await;
            assert_eq!(gateway.log.taken().len(), 1, "{step} {reply}");
            known(&gateway, false).await;
            gateway.stop().await;
        }
    }
}

#[tokio::test]
async fn a_smarthost_that_hangs_up_with_its_refusal_is_understood() {
    // All that is pipelined behind MAIL stays without an answer.
    for (reply, state, outage) in [("421 4.3.2 closing", State::Queued, true), ("550 5.1.0 no", State::Failed, false)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                stream.write_all(b"220 hello\r\n").await.unwrap();
                stream.read_line(&mut line).await.unwrap();
                stream.write_all(b"250-hello\r\n250 PIPELINING\r\n").await.unwrap();
                // Unread input would turn the close into a reset, which may outrun the reply.
                while !line.starts_with("DATA") {
                    line.clear();
                    stream.read_line(&mut line).await.unwrap();
                }
                stream.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
            }
        });
        let gateway = Gateway::start_at(port, Log::default(), Setting::default()).await;
        commit(&gateway, "A").await;
        assert_eq!(gateway.tried("A").await.summary.state, state, "{reply}");
        known(&gateway, outage).await;
        gateway.stop().await;
    }
}

#[tokio::test]
async fn while_one_message_probes_no_other_is_begun() {
    let script = Script { slow: Duration::from_secs(2), ..Script::default() };
    let odd = Arc::clone(&script.odd);
    *odd.lock().unwrap() = Some(Odd { step: "BANNER", bytes: b"421 busy\r\n".to_vec(), class: 4 });
    let setting = Setting { retry: Duration::from_millis(300), connections: 4, ..Setting::default() };
    let gateway = Gateway::start(script, setting).await;
    commit(&gateway, "A").await;
    gateway.tried("A").await;
    *odd.lock().unwrap() = None;
    for id in ["B", "C", "D"] {
        commit(&gateway, id).await;
    }
    gateway.until("the probe", |log| log.commands().iter().any(|command| command == "DATA")).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let commands = gateway.log.commands();
    let begun = commands.iter().filter(|command| command.starts_with("MAIL")).count();
    assert_eq!(begun, 1, "{commands:?}");
    assert!(gateway.log.taken().is_empty(), "the probe is not over");
    gateway.until("all", |log| log.taken().len() == 4).await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_person_has_mail_tried_at_once_while_the_smarthost_counts_as_dead() {
    for all in [false, true] {
        let port = closed_port().await;
        let gateway = Gateway::start_at(port, Log::default(), Setting::default()).await;
        for id in ["A", "B"] {
            commit(&gateway, id).await;
            until(&gateway, "A", |shown| shown.summary.attempts == 1).await;
        }
        // Of a smarthost that is still dead nothing changes but the number of tries.
        assert_eq!(gateway.store.retry(&QueueId("A".into()), "Sue").await.unwrap(), Decision::Done);
        until(&gateway, "A", |shown| shown.summary.attempts == 2).await;
        let waits = gateway.store.show(&QueueId("B".into())).await.unwrap();
        assert_eq!(waits.summary.attempts, 0);
        open_port(port, &gateway.log).await;
        // As by a command: another process on the same store.
        let command = Store::open(gateway.directory.path(), StoreKey::from_bytes([5; 32])).await.unwrap();
        if all {
            assert_eq!(command.retry_all("Sue").await.unwrap(), 2);
        } else {
            assert_eq!(command.retry(&QueueId("A".into()), "Sue").await.unwrap(), Decision::Done);
        }
        command.close().await;
        for id in ["A", "B"] {
            until(&gateway, id, |shown| shown.summary.state == State::Delivered).await;
        }
        gateway.stop().await;
    }
}

/// Relay checklist, row 100.
#[tokio::test]
async fn an_outage_lasts_over_a_restart() {
    let port = closed_port().await;
    let gateway = Gateway::start_at(port, Log::default(), Setting::default()).await;
    commit(&gateway, "A").await;
    gateway.tried("A").await;
    let (store, directory) = (gateway.store.clone(), gateway.stop().await);
    store.close().await;
    let gateway = Gateway::start_in(directory, port, Log::default(), Setting::default()).await;
    let kept = gateway.store.outages().await.unwrap().into_values().next().expect("an outage");
    assert_eq!(kept.failures, 1);
    commit(&gateway, "B").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(gateway.store.show(&QueueId("B".into())).await.unwrap().summary.attempts, 0, "it waits untried");
    gateway.store.retry(&QueueId("B".into()), "Sue").await.unwrap();
    until(&gateway, "B", |shown| shown.summary.attempts == 1).await;
    open_port(port, &gateway.log).await;
    gateway.store.retry_all("Sue").await.unwrap();
    until(&gateway, "B", |shown| shown.summary.state == State::Delivered).await;
    let (store, _directory) = (gateway.store.clone(), gateway.stop().await);
    assert!(store.outages().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_loop_comes_round_whatever_is_in_hand() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open_exclusive(directory.path(), StoreKey::from_bytes([5; 32])).await.unwrap();
    // Two places, and both taken by a smarthost that never says a word.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let smarthost = SmarthostConfig::only(HostConfig::new("localhost", port, SmarthostTls::None), 2);
    let queue = QueueConfig {
        retry: vec![Duration::from_secs(3_600)],
        give_up: Duration::from_secs(86_400),
        delay_notice: Duration::from_secs(86_400),
    };
    let (_stop, shutdown) = tokio::sync::watch::channel(false);
    let route = Route::new(smarthost, queue).unwrap();
    let mut round = round(store.clone(), route, "gate.school.example".to_owned(), Health::new(), shutdown);
    for number in 0..20 {
        store.commit(vec![mail(&format!("M{number}"), &["bob@b.example"], PLAIN)]).await.unwrap();
    }
    let permits = Arc::clone(&round.courier.permits);
    let mut turns = 0;
    while permits.available_permits() > 0 || turns < 5 {
        tokio::time::timeout(POLL * 3, round.turn()).await.expect("a turn takes no longer than the poll");
        turns += 1;
    }
}

/// Relay checklist, row 100.
#[tokio::test]
async fn a_restart_neither_resets_nor_bunches_the_tries() {
    const MESSAGES: i64 = 5;
    let clock = Clock::manual(Timestamp::now());
    let (listener, log) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Log::default());
    let port = listener.local_addr().unwrap().port();
    let rcpt = HashMap::from([("bob", "450 4.2.0 busy")]);
    tokio::spawn(smarthost(listener, Script { rcpt, ..Script::default() }, log.clone()));
    let setting = || Setting { retry: Duration::from_secs(600), clock: clock.clone(), ..Setting::default() };
    let gateway = Gateway::start_at(port, log.clone(), setting()).await;
    let mut due = Vec::new();
    for number in 0..MESSAGES {
        let mut new = mail(&format!("M{number}"), &["bob@b.example"], PLAIN);
        new.at = clock.now();
        gateway.store.commit(vec![new]).await.unwrap();
        let next = gateway.tried(&format!("M{number}")).await.summary.next_due.expect("another try");
        let wait = next.duration_since(clock.now()).as_secs_f64();
        assert!((540.0..=660.0).contains(&wait), "{wait}");
        due.push(next);
        clock.advance(Duration::from_secs(60));
    }
    let (store, directory) = (gateway.store.clone(), gateway.stop().await);
    store.close().await;
    let gateway = Gateway::start_in(directory, port, log, setting()).await;
    let shown = async |number: usize| gateway.store.show(&QueueId(format!("M{number}"))).await.unwrap().summary;
    for (number, due) in due.iter().enumerate() {
        assert_eq!((shown(number).await.next_due, shown(number).await.attempts), (Some(*due), 1), "as before");
    }
    // Nobody a second early, everybody when it is time.
    let mut times: Vec<Timestamp> = due.iter().flat_map(|due| [*due - Duration::from_secs(1), *due]).collect();
    times.sort();
    for time in times {
        clock.advance(Duration::try_from(time.duration_since(clock.now())).unwrap_or_default());
        tokio::time::sleep(POLL * 2).await;
        for (number, due) in due.iter().enumerate() {
            let tries = if *due <= clock.now() { 2 } else { 1 };
            until(&gateway, &format!("M{number}"), |shown| shown.summary.attempts >= tries).await;
            assert_eq!(shown(number).await.attempts, tries, "M{number} at {}", clock.now());
        }
    }
    gateway.stop().await;
}
