//! Relay checklist, row 98: a connection takes one message after the other, for so long and so many, and is then closed in good
//! order by us.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use super::sink::{Log, Odd, Script};
use super::tests::{Gateway, PLAIN, Setting, mail};
use super::{POLL, lock};
use crate::limits;
use crate::store::{Clock, QueueId, State};

async fn commit(gateway: &Gateway, id: &str, recipients: &[&str]) {
    let mut new = mail(id, recipients, PLAIN);
    new.at = gateway.store.clock().now();
    gateway.store.commit(vec![new]).await.unwrap();
}

/// How often a verb was said.
fn said(log: &Log, verb: &str) -> usize {
    log.commands().iter().filter(|command| command.split([' ', ':']).next() == Some(verb)).count()
}

fn connections(log: &Log) -> usize {
    *log.connections.lock().unwrap()
}

#[tokio::test]
async fn what_a_transaction_left_open_is_reset_before_the_next() {
    const NEVER: &str = "550 5.1.1 no such user";
    // A reply at a step, who is written to, and whether there is something to reset afterwards.
    let odd = |step, reply: &str| Some(Odd { step, bytes: format!("{reply}\r\n").into_bytes(), class: 4 });
    for (name, at_first, recipient, resets) in [
        ("taken", None, "bob@b.example", 0),
        ("no recipient", None, "never@b.example", 1),
        ("DATA refused", odd("DATA", "451 4.3.0 later"), "bob@b.example", 1),
        ("the content refused", odd("DOT", "452 4.3.1 later"), "bob@b.example", 0),
    ] {
        for offers in [vec![], vec!["PIPELINING"]] {
            let script = Script {
                rcpt: HashMap::from([("never", NEVER)]),
                odd: Arc::new(Mutex::new(at_first.clone())),
                offers: offers.clone(),
                ..Script::default()
            };
            let odd = Arc::clone(&script.odd);
            let gateway = Gateway::start(script, Setting { connections: 1, ..Setting::default() }).await;
            commit(&gateway, "A", &[recipient]).await;
            gateway.tried("A").await;
            *lock(&odd) = None;
            let before = gateway.log.taken().len();
            commit(&gateway, "B", &["ann@b.example"]).await;
            gateway.until("the second", |log| log.taken().len() > before).await;
            let commands = gateway.log.commands();
            assert_eq!(connections(&gateway.log), 1, "{name} {offers:?}: {commands:?}");
            // What the report of a failure needs goes over it too.
            let opened: Vec<&str> =
                commands.windows(2).filter(|two| two[1].starts_with("MAIL ")).map(|two| two[0].as_str()).collect();
            assert_eq!(
                opened.iter().filter(|before| **before == "RSET").count(),
                resets,
                "{name} {offers:?}: {commands:?}"
            );
            assert_eq!(said(&gateway.log, "RSET"), resets, "{name} {offers:?}: {commands:?}");
            gateway.stop().await;
        }
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_work_in_time_keeps_it() {
    let clock = Clock::manual(Timestamp::now());
    let setting = Setting { connections: 1, clock: clock.clone(), ..Setting::default() };
    let gateway = Gateway::start(Script::default(), setting).await;
    let idle = Duration::from_secs(limits::SMARTHOST_IDLE);
    let nearly = idle - Duration::from_secs(1);
    // Two rounds look at what lies idle.
    let looked = || tokio::time::sleep(POLL * 2 + POLL / 4);
    for id in ["A", "B", "C"] {
        commit(&gateway, id, &["bob@b.example"]).await;
        gateway.tried(id).await;
        clock.advance(nearly);
        looked().await;
    }
    assert_eq!((connections(&gateway.log), said(&gateway.log, "QUIT")), (1, 0), "each came in time");
    clock.advance(idle - nearly);
    gateway.until("goodbye", |log| said(log, "QUIT") == 1 && log.open.lock().unwrap().0 == 0).await;
    commit(&gateway, "D", &["bob@b.example"]).await;
    gateway.tried("D").await;
    assert_eq!((connections(&gateway.log), gateway.log.taken().len()), (2, 4));
    gateway.stop().await;
}

#[tokio::test]
async fn a_connection_takes_so_many_messages_and_no_more() {
    let gateway = Gateway::start(Script::default(), Setting { connections: 1, ..Setting::default() }).await;
    // Of one recipient a transaction each; hundreds of recipients would be the same, and say less.
    let more = 5;
    let all: Vec<String> = (0..limits::SMARTHOST_MAILS + more).map(|number| format!("M{number}")).collect();
    for some in all.chunks(100) {
        gateway.store.commit(some.iter().map(|id| mail(id, &["bob@b.example"], PLAIN)).collect()).await.unwrap();
    }
    for _ in 0..3_000 {
        if gateway.log.taken().len() == all.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let commands = gateway.log.commands();
    let goodbye = commands.iter().position(|command| command == "QUIT").expect("the first is closed in good order");
    let before = commands[..goodbye].iter().filter(|command| *command == "DATA").count();
    assert_eq!((before, gateway.log.taken().len()), (limits::SMARTHOST_MAILS, all.len()));
    assert_eq!((connections(&gateway.log), said(&gateway.log, "EHLO")), (2, 2), "and the rest go over one more");
    for id in &all {
        gateway.tried(id).await;
        assert_eq!(gateway.store.show(&QueueId(id.clone())).await.unwrap().summary.state, State::Delivered, "{id}");
    }
    gateway.stop().await;
}
