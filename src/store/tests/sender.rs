//! Returned mail that is kept, and what its sender does with it by the link: each thing once, or nothing.

use jiff::SignedDuration;

use super::*;
use crate::store::{Brought, OpenLink, SenderAct};

const HERE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// A message with a link for its sender; the token.
async fn linked(store: &Store, name: &str, state: State) -> String {
    let link = store.new_sender_link(&id(name), SignedDuration::from_hours(72)).unwrap();
    let token = link.token.reveal().to_owned();
    store.commit_with(vec![entry(name, state, name.as_bytes())], Some(link)).await.unwrap();
    token
}

async fn open(store: &Store, token: &str) -> Option<OpenLink> {
    match store.sender_link(token, HERE).await.unwrap() {
        Brought::Open(link) => Some(*link),
        Brought::Left | Brought::Nothing | Brought::Wait(_) => None,
    }
}

async fn state(store: &Store, name: &str) -> State {
    store.show(&id(name)).await.unwrap().summary.state
}

fn send() -> SenderAct {
    SenderAct::Send { because: "it is right".to_owned(), remember: Vec::new() }
}

fn changed(name: &str) -> SenderAct {
    SenderAct::SendChanged {
        how: "changed".to_owned(),
        remember: Vec::new(),
        new: Box::new(entry(name, State::Queued, b"changed")),
    }
}

fn hand_over() -> SenderAct {
    SenderAct::HandOver { note: "it is right".to_owned(), report: Box::new(report(Action::Warn)) }
}

#[tokio::test]
async fn a_sender_does_one_thing_with_what_came_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    let note = || SenderAct::Note("more".to_owned());
    for (number, (from, act, becomes)) in [
        (State::Returned, SenderAct::Cancel, Some(State::Discarded)),
        (State::Returned, send(), Some(State::Queued)),
        (State::Returned, changed("NEW"), Some(State::Discarded)),
        (State::Returned, hand_over(), Some(State::Held)),
        (State::Returned, note(), None),
        (State::Held, SenderAct::Cancel, Some(State::Discarded)),
        (State::Held, note(), Some(State::Held)),
        (State::Held, send(), None),
        (State::Held, changed("NEVER"), None),
        (State::Held, hand_over(), None),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("M{number}");
        let token = linked(&store, &name, from).await;
        assert_eq!(token.len(), 22, "128 bits");
        let link = open(&store, &token).await.unwrap();
        let done = store.do_as_sender(&link, act, Vec::new()).await.unwrap();
        assert_eq!((done, state(&store, &name).await), (becomes.is_some(), becomes.unwrap_or(from)), "{name}");
        // Whoever saw the page as it was before changes nothing any more.
        let open_now = open(&store, &token).await;
        assert_eq!(open_now.is_some(), matches!(becomes, None | Some(State::Held)), "{name}");
        if becomes.is_some() && from == State::Returned {
            for again in [send(), changed("NEVER"), hand_over()] {
                assert!(!store.do_as_sender(&link, again, Vec::new()).await.unwrap(), "{name}");
            }
        }
        let keeps = store.content(&id(&name)).await.is_ok();
        assert_eq!(keeps, becomes != Some(State::Discarded), "{name}");
    }
    assert_eq!(*store.content(&id("NEW")).await.unwrap(), *b"changed");
    assert!(matches!(store.show(&id("NEVER")).await, Err(StoreError::NotFound(_))));
    let mut due = ids_due(&store).await;
    due.sort();
    assert_eq!(due, ["M1", "NEW"]);
    assert_eq!(store.audit_check(Scope::Whole).await.unwrap().faults, []);
}

#[tokio::test]
async fn what_came_back_is_kept_for_its_time_and_not_longer() {
    let directory = tempfile::tempdir().unwrap();
    let start = Timestamp::now();
    let clock = Clock::manual(start);
    let manner = Manner { clock: clock.clone(), ..Manner::default() };
    let store = Store::open_exclusive_in(directory.path(), key(), &manner).await.unwrap();
    let token = linked(&store, "A", State::Returned).await;
    store.commit(vec![entry("B", State::Returned, b"B")]).await.unwrap();
    assert!(store.content(&id("A")).await.is_ok(), "kept");
    assert!(matches!(store.content(&id("B")).await, Err(StoreError::Dropped(_))), "no link, not kept");
    let link = open(&store, &token).await.unwrap();
    clock.advance(71 * HOUR);
    assert_eq!(store.end_keeping().await.unwrap(), 0);
    clock.advance(2 * HOUR);
    assert!(open(&store, &token).await.is_none(), "over even before it is dropped");
    assert!(!store.do_as_sender(&link, send(), Vec::new()).await.unwrap());
    assert_eq!(store.end_keeping().await.unwrap(), 1);
    assert!(matches!(store.content(&id("A")).await, Err(StoreError::Dropped(_))));
    assert_eq!(store.end_keeping().await.unwrap(), 0, "once");
    let mut schema = raw(directory.path()).await;
    let moved = sqlx::query("update message set state = 'held' where id = 'A'").execute(&mut schema).await;
    assert!(moved.unwrap_err().to_string().contains("final"), "what is not kept stays returned");
    assert_eq!(store.audit_check(Scope::Whole).await.unwrap().faults, []);
}

#[tokio::test]
async fn a_returned_message_that_was_pending_is_kept_too() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    store.commit(vec![entry("A", State::Pending, b"A")]).await.unwrap();
    let link = store.new_sender_link(&id("A"), SignedDuration::from_hours(1)).unwrap();
    let token = link.token.reveal().to_owned();
    store.decide_pending(&id("A"), &report(Action::Warn), State::Returned, Vec::new(), Some(link)).await.unwrap();
    let link = open(&store, &token).await.unwrap();
    assert!(store.do_as_sender(&link, send(), Vec::new()).await.unwrap());
    assert_eq!(ids_due(&store).await, ["A"]);
    let database = std::fs::read(directory.path().join("queue.db")).unwrap();
    assert!(!database.windows(token.len()).any(|at| at == token.as_bytes()), "the token stands hashed");
}

#[tokio::test]
async fn guesses_are_slowed_down_and_found_links_are_none() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    let token = linked(&store, "A", State::Held).await;
    for _ in 0..100 {
        assert!(open(&store, &token).await.is_some());
    }
    for guess in 0..=crate::limits::ATTEMPTS_CLIENT {
        assert!(matches!(store.sender_link(&format!("{guess}"), HERE).await.unwrap(), Brought::Nothing));
    }
    assert!(matches!(store.sender_link(&token, HERE).await.unwrap(), Brought::Wait(_)));
    let elsewhere = "192.0.2.7".parse().unwrap();
    assert!(matches!(store.sender_link(&token, elsewhere).await.unwrap(), Brought::Open(_)), "others go on");
}

#[test]
#[ignore = "started by the test below, which kills it"]
fn child_that_sends_a_changed_message() {
    let Some(directory) = std::env::var_os("SCHOOLGATE_TEST_STORE") else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open_exclusive(Path::new(&directory), key()).await.unwrap();
        let token = linked(&store, "OLD", State::Returned).await;
        println!("\ntoken {token}");
        let link = open(&store, &token).await.unwrap();
        store.do_as_sender(&link, changed("NEW"), Vec::new()).await.unwrap();
    });
}

/// Relay checklist, row 128.
#[test]
fn of_a_changed_message_and_the_old_one_exactly_one_is_there_after_a_kill() {
    // The first passes are those of the old message's own way in.
    for (fault, sent) in [
        ("before-sender:1", false),
        ("before-content-write:2", false),
        ("after-content-write:2", false),
        ("after-content-sync:2", false),
        ("after-commit:3", true),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().display().to_string();
        let child = "store::tests::sender::child_that_sends_a_changed_message";
        let printed = crashes::run_until_killed(child, fault, &[("SCHOOLGATE_TEST_STORE", path)]);
        let token = printed.lines().find_map(|line| line.strip_prefix("token ")).map(str::to_owned);
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let store = exclusive(directory.path()).await;
            let new = store.show(&id("NEW")).await.is_ok();
            let old = store.content(&id("OLD")).await.is_ok();
            // The segments are written in one go: a kill at the first pass may come before the old one was in.
            let Some(token) = token else { panic!("{fault}: {printed}") };
            let link = open(&store, &token).await;
            assert_eq!((new, old, link.is_some()), (sent, !sent, !sent), "{fault}");
            if let Some(link) = link {
                assert!(store.do_as_sender(&link, changed("NEW"), Vec::new()).await.unwrap(), "{fault}: asked again");
            }
            assert_eq!(ids_due(&store).await, ["NEW"], "{fault}");
            assert_eq!(store.audit_check(Scope::Whole).await.unwrap().faults, [], "{fault}");
        });
    }
}
