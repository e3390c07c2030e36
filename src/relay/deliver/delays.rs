//! Senders hear once that a message takes longer, whether it is tried meanwhile or the smarthost is away.

use tokio::net::TcpListener;

use super::sink::{Log, Script};
use super::tests::{Gateway, PLAIN, Setting, mail};
use super::*;
use crate::smtp::Address;
use crate::smtp::dsn::{Notify, OfRecipient};
use crate::store::{Class, Clock, NewEntry, State, Summary};
use jiff::Timestamp;

const HOUR: Duration = Duration::from_secs(3_600);

fn setting(clock: &Clock) -> Setting {
    let (give_up, delay_notice) = (HOUR * 120, HOUR * 4);
    Setting { retry: HOUR, give_up, delay_notice, connections: 1, clock: clock.clone(), ..Setting::default() }
}

fn start() -> Clock {
    Clock::manual(Timestamp::from_second(1_800_000_000).unwrap())
}

fn taken_in(clock: &Clock, id: &str, content: &[u8]) -> NewEntry {
    NewEntry { at: clock.now(), ..mail(id, &["bob@b.example"], content) }
}

async fn notices(store: &Store) -> Vec<Summary> {
    let filter = crate::store::Filter { class: Some(Class::Notice), ..Default::default() };
    store.list(filter, 5_000).await.unwrap()
}

/// Waits until there are so many notices, and then for two rounds more that there are no others.
async fn told(store: &Store, wanted: usize) -> Vec<Summary> {
    for _ in 0..3_000 {
        if notices(store).await.len() >= wanted {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(POLL * 2).await;
    let notices = notices(store).await;
    assert_eq!(notices.len(), wanted);
    notices
}

// Relay checklist, row 110.
#[tokio::test]
async fn who_is_told_of_a_delay_and_who_is_not() {
    let clock = start();
    let script = Script { rcpt: [("bob", "450 4.2.1 later")].into(), ..Script::default() };
    let gateway = Gateway::start(script, setting(&clock)).await;
    let asks = |id: &str, notify: &str| {
        let mut new = taken_in(&clock, id, PLAIN);
        new.envelope.of_recipients = vec![OfRecipient { notify: Notify::parse(notify), original: None }];
        new
    };
    let mut null = taken_in(&clock, "null", PLAIN);
    null.envelope.mail_from = None;
    let mut held = taken_in(&clock, "held", PLAIN);
    held.state = State::Held;
    let all = vec![
        taken_in(&clock, "plain", PLAIN),
        taken_in(&clock, "by-a-person", b"Auto-Submitted: no\r\n\r\nx\r\n"),
        taken_in(&clock, "by-a-program", b"Auto-Submitted: auto-generated\r\n\r\nx\r\n"),
        asks("delay", "DELAY"),
        asks("failure", "FAILURE"),
        asks("success", "SUCCESS"),
        asks("never", "NEVER"),
        null,
        held,
    ];
    gateway.store.commit(all).await.unwrap();
    for id in ["plain", "by-a-person", "by-a-program", "delay", "failure", "success", "never", "null"] {
        gateway.tried(id).await;
    }
    clock.advance(HOUR * 4 - Duration::from_secs(1));
    gateway.until("each is tried again", |log| count(log, "RCPT") >= 16).await;
    told(&gateway.store, 0).await;
    clock.advance(Duration::from_secs(1));
    let notices = told(&gateway.store, 3).await;
    let mut about: Vec<String> = notices.iter().filter_map(|n| n.about.clone()).map(|id| id.0).collect();
    about.sort();
    assert_eq!(about, ["by-a-person", "delay", "plain"]);
    gateway.until("the notices leave", |log| log.taken().len() == 3).await;
    for taken in gateway.log.taken() {
        let text = String::from_utf8(taken.content).unwrap();
        assert_eq!((taken.mail.as_str(), taken.rcpt), ("MAIL FROM:<>", vec!["amy@school.example".to_owned()]));
        // From when it was taken in, not from its last try: 2027-01-15 08:00 and five days.
        let fields = ["Action: delayed", "Status: 4.2.1", "Will-Retry-Until: Wed, 20 Jan 2027 08:00:00 +0000"];
        assert!(fields.iter().all(|field| text.contains(field)), "{text}");
        assert!(text.contains("Wednesday 20 January 2027 at 08:00"), "{text}");
    }
    // A day later, after a restart, and with a clock that was put back.
    clock.advance(HOUR * 24);
    told(&gateway.store, 3).await;
    let directory = gateway.stop().await;
    let earlier = Clock::manual(clock.now().saturating_sub(HOUR * 48).unwrap());
    let gateway = Gateway::start_in(directory, closed_port().await, Log::default(), setting(&earlier)).await;
    earlier.advance(HOUR * 72);
    told(&gateway.store, 3).await;
    gateway.stop().await;
}

// Relay checklist, rows 102 and 110.
#[tokio::test]
async fn while_the_smarthost_is_away_each_of_a_thousand_is_told_once_and_then_given_up_once() {
    let clock = start();
    let gateway = Gateway::start_at(closed_port().await, Log::default(), setting(&clock)).await;
    let mut all: Vec<NewEntry> = (0..1_000).map(|n| taken_in(&clock, &format!("M{n}"), PLAIN)).collect();
    for (n, new) in all.iter_mut().enumerate() {
        new.envelope.mail_from = Some(Address::parse(&format!("amy{n}@school.example")).unwrap());
    }
    gateway.store.commit(all).await.unwrap();
    // One message finds out that nobody answers; the others wait untried.
    for _ in 0..800 {
        if !gateway.store.outages().await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    clock.advance(HOUR * 4);
    let notices = told(&gateway.store, 1_000).await;
    let about: std::collections::BTreeSet<String> =
        notices.iter().filter_map(|n| n.about.clone()).map(|id| id.0).collect();
    assert_eq!(about.len(), 1_000, "one each");
    let mail = crate::store::Filter { class: Some(Class::Mail), ..Default::default() };
    let tries: u32 = gateway.store.list(mail, 5_000).await.unwrap().iter().map(|m| m.attempts).sum();
    assert!(tries < 20, "they were not tried one by one: {tries}");
    // Given up: one report each, and the notices that never left are withdrawn.
    clock.advance(HOUR * 116);
    let notices = told(&gateway.store, 2_000).await;
    let withdrawn = notices.iter().filter(|n| n.state == State::Discarded).count();
    assert_eq!(withdrawn, 1_000);
    gateway.stop().await;
}

fn count(log: &Log, verb: &str) -> usize {
    log.commands().iter().filter(|command| command.starts_with(verb)).count()
}

/// A port at which nobody listens.
async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}
