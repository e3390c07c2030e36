//! What waits long: who is told, once, and what is no longer true.

use super::*;
use crate::smtp::dsn::{EnvelopeId, Notify, OfMessage, OfRecipient, OriginalRecipient, Ret};

const WAIT: Duration = Duration::from_secs(4 * 3_600);

async fn waiting(store: &Store, all: bool) -> Vec<String> {
    let before = store.clock().now().saturating_sub(WAIT).unwrap();
    store.delayed(before, all, 100).await.unwrap().into_iter().map(|delayed| delayed.id.0).collect()
}

async fn take_in(store: &Store, name: &str, state: State) {
    let mut new = entry(name, state, b"x\r\n");
    new.at = store.clock().now();
    store.commit(vec![new]).await.unwrap();
}

/// One try in vain; the next lies this far ahead.
async fn put_off(store: &Store, name: &str, by: Duration) {
    let now = store.clock().now();
    assert!(store.lease_due(now, 100, HOUR).await.unwrap().iter().any(|leased| leased.id == id(name)));
    let deferred = outcomes(&Outcome::Deferred { reply: "450 later".into() });
    store.record_attempt(&id(name), deferred, now.saturating_add(by).unwrap(), vec![]).await.unwrap();
}

// Relay checklist, row 105.
#[tokio::test]
async fn what_is_asked_of_reports_is_kept_to_the_last_try() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    let asked = |notify: &str, original: &str| OfRecipient {
        notify: Notify::parse(notify),
        original: OriginalRecipient::parse(original),
    };
    let of_recipients = vec![asked("SUCCESS,DELAY", "utf-8;gr\u{fc}n@a.example"), asked("NEVER", "")];
    let reports = OfMessage { ret: Some(Ret::Full), id: EnvelopeId::parse("Q+2B1") };
    for (name, state) in [("Q", State::Queued), ("H", State::Held), ("P", State::Pending)] {
        let mut new = entry(name, state, b"x\r\n");
        (new.envelope.reports, new.envelope.of_recipients) = (reports.clone(), of_recipients.clone());
        store.commit(vec![new]).await.unwrap();
    }
    store.release(&id("H"), "Sue", "fine", vec![]).await.unwrap();
    let deliver = report(Action::Deliver);
    store.decide_pending(&id("P"), &deliver, State::Queued, vec![], Beside::default()).await.unwrap();
    store.commit(vec![entry("Z", State::Queued, b"x\r\n")]).await.unwrap();
    let due = store.lease_due(Timestamp::now(), 100, HOUR).await.unwrap();
    assert_eq!(due.len(), 4);
    for leased in due {
        let found: Vec<OfRecipient> = leased.recipients.iter().map(|r| r.asked.clone()).collect();
        if leased.id == id("Z") {
            assert_eq!((leased.reports, found), (OfMessage::default(), vec![OfRecipient::default(); 2]));
        } else {
            assert_eq!((leased.reports, found), (reports.clone(), of_recipients.clone()), "{}", leased.id);
        }
    }
}

// Relay checklist, row 110.
#[tokio::test]
async fn a_sender_is_told_once_whatever_restarts_and_clocks_do() {
    let directory = tempfile::tempdir().unwrap();
    let start = Timestamp::from_second(1_800_000_000).unwrap();
    let clock = Clock::manual(start);
    let store = opened_by(directory.path(), &clock).await;
    take_in(&store, "M", State::Queued).await;
    put_off(&store, "M", WAIT * 2).await;
    clock.advance(WAIT - Duration::from_secs(1));
    assert!(waiting(&store, false).await.is_empty(), "not before its time");
    clock.advance(Duration::from_secs(1));
    assert_eq!(waiting(&store, false).await, ["M"]);
    drop(store);
    let store = opened_by(directory.path(), &clock).await;
    assert!(store.note_delay(&id("M"), Some(notice("N", "M"))).await.unwrap());
    assert!(!store.note_delay(&id("M"), Some(notice("O", "M"))).await.unwrap(), "once");
    assert!(matches!(store.show(&id("O")).await, Err(StoreError::NotFound(_))));
    assert!(waiting(&store, true).await.is_empty());
    drop(store);
    for clock in [clock, Clock::manual(start.saturating_sub(HOUR * 24).unwrap())] {
        let store = opened_by(directory.path(), &clock).await;
        clock.advance(HOUR * 72);
        assert!(waiting(&store, true).await.is_empty());
        assert!(!store.note_delay(&id("M"), Some(notice("P", "M"))).await.unwrap());
    }
}

// Relay checklist, row 110.
#[tokio::test]
async fn time_with_a_person_is_no_delay_and_what_is_tried_now_not_yet() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Timestamp::from_second(1_800_000_000).unwrap());
    let store = opened_by(directory.path(), &clock).await;
    for (name, state) in [("H", State::Held), ("P", State::Pending), ("R", State::Returned), ("M", State::Queued)] {
        take_in(&store, name, state).await;
    }
    store.commit(vec![notice("N", "H")]).await.unwrap();
    clock.advance(WAIT * 40);
    assert_eq!(waiting(&store, true).await, ["M"]);
    assert!(waiting(&store, false).await.is_empty(), "it is due: it may be delivered at once");
    store.release(&id("H"), "Sue", "fine", vec![]).await.unwrap();
    assert_eq!(waiting(&store, true).await, ["M"], "it waits for the smarthost since now");
    let leased = store.lease_due(clock.now(), 100, HOUR).await.unwrap();
    let held = leased.iter().find(|leased| leased.id == id("H")).unwrap();
    assert_eq!((held.waits_since, held.at < held.waits_since), (clock.now(), true), "nor does it age");
    assert!(waiting(&store, true).await.is_empty(), "they are in hand");
    let old = clock.now().saturating_sub(HOUR).unwrap();
    store.end_lease(leased.into_iter().map(|leased| leased.id).collect()).await.unwrap();
    let given_up = store.lease_old(clock.now(), old, 100, HOUR).await.unwrap();
    assert!(given_up.iter().all(|leased| leased.id != id("H")), "it is not given up for the time with a person");
    store.end_lease(given_up.into_iter().map(|leased| leased.id).collect()).await.unwrap();
    clock.advance(WAIT);
    assert_eq!(waiting(&store, true).await, ["M", "H"]);
}

// Relay checklist, row 110.
#[tokio::test]
async fn a_notice_that_has_not_left_goes_with_its_message() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    for (name, outcome, withdrawn) in [
        ("A", Outcome::Delivered { reply: "250".into() }, true),
        ("B", Outcome::Failed { reply: "550".into() }, true),
        ("C", Outcome::Deferred { reply: "450".into() }, false),
    ] {
        store.commit(vec![entry(name, State::Queued, b"x\r\n")]).await.unwrap();
        let told = format!("N{name}");
        assert!(store.note_delay(&id(name), Some(notice(&told, name))).await.unwrap());
        let now = Timestamp::now();
        let due = store.lease_due(now, 100, HOUR).await.unwrap();
        let others = due.into_iter().map(|leased| leased.id).filter(|other| *other != id(name)).collect();
        store.end_lease(others).await.unwrap();
        store.record_attempt(&id(name), outcomes(&outcome), now.saturating_add(HOUR).unwrap(), vec![]).await.unwrap();
        let state = store.show(&id(&told)).await.unwrap().summary.state;
        assert_eq!(state, if withdrawn { State::Discarded } else { State::Queued }, "{name}");
    }
    // Dropped or held by a person, it is no longer on its way either.
    store.hold(&id("C"), "Sue", "").await.unwrap();
    assert_eq!(store.show(&id("NC")).await.unwrap().summary.state, State::Discarded);
}
