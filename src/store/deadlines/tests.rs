use super::super::tests::{entry, raw};
use super::super::{Clock, HeldFilter, Manner, State, Store, StoreKey};
use super::*;
use std::path::Path;
use std::time::Duration;

fn id(name: &str) -> QueueId {
    QueueId(name.to_owned())
}

const HOUR: Duration = Duration::from_secs(3_600);

async fn open(directory: &Path, clock: &Clock) -> Store {
    let manner = Manner { clock: clock.clone(), ..Manner::default() };
    Store::open_exclusive_in(directory, StoreKey::from_bytes([7; 32]), &manner).await.unwrap()
}

/// Monday 5 October 2026, 10:00 in London.
fn monday() -> Clock {
    Clock::manual("2026-10-05T09:00:00Z".parse().unwrap())
}

#[tokio::test]
async fn what_is_held_has_a_deadline_whoever_held_it() {
    let directory = tempfile::tempdir().unwrap();
    let clock = monday();
    let store = open(directory.path(), &clock).await;
    store.commit(vec![entry("A", State::Held, b"x\r\n"), entry("B", State::Queued, b"y\r\n")]).await.unwrap();
    clock.advance(HOUR);
    store.hold(&id("B"), "Sue", "a doubt").await.unwrap();
    for (name, due) in [("A", "2026-10-07T09:00:00Z"), ("B", "2026-10-07T10:00:00Z")] {
        let due: Timestamp = due.parse().unwrap();
        assert_eq!(store.show(&id(name)).await.unwrap().summary.due_at, Some(due));
        assert_eq!(store.held_line(&id(name)).await.unwrap().unwrap().due_at, Some(due));
    }
    store.discard(&id("A"), "Sue", "", vec![]).await.unwrap();
    assert_eq!(store.show(&id("A")).await.unwrap().summary.due_at, None);
}

#[tokio::test]
async fn each_stage_is_due_in_its_time_and_marked_once() {
    let directory = tempfile::tempdir().unwrap();
    let clock = monday();
    let mut store = open(directory.path(), &clock).await;
    store.commit(vec![entry("A", State::Held, b"x\r\n")]).await.unwrap();
    for (hours, stage) in [(24, Stage::Remind), (22, Stage::Escalate), (2, Stage::End)] {
        assert!(store.due_now(stage).await.unwrap().is_empty(), "{stage:?} is early");
        clock.advance(HOUR * hours);
        assert_eq!(store.due_now(stage).await.unwrap(), [id("A")], "{stage:?}");
        store.close().await;
        store = open(directory.path(), &clock).await;
        if stage == Stage::End {
            assert!(store.due_now(Stage::Remind).await.unwrap().is_empty());
            assert!(store.put_off(&id("A"), "no sender", vec![], vec![]).await.unwrap());
            assert!(!store.put_off(&id("A"), "no sender", vec![], vec![]).await.unwrap(), "its time has begun anew");
        } else {
            assert!(store.warned(&id("A"), stage, None, vec!["sbm".to_owned()], vec![]).await.unwrap());
            assert!(
                !store.warned(&id("A"), stage, None, vec!["sbm".to_owned()], vec![]).await.unwrap(),
                "{stage:?} twice"
            );
        }
        assert!(store.due_now(stage).await.unwrap().is_empty(), "{stage:?} is done");
    }
    let events: Vec<String> = store.show(&id("A")).await.unwrap().audit.into_iter().map(|line| line.event).collect();
    assert_eq!(events, ["accepted", "reminded", "escalated", "put-off"]);
}

/// What the chair sees: of these alone the one that was put to the chair, however it came to that.
#[tokio::test]
async fn what_was_put_to_a_role_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let clock = monday();
    let store = open(directory.path(), &clock).await;
    for name in ["A", "B", "C", "D"] {
        store.commit(vec![entry(name, State::Held, b"x\r\n")]).await.unwrap();
    }
    let told = |role: &str| vec![role.to_owned(), "it".to_owned()];
    assert!(store.warned(&id("A"), Stage::Escalate, None, told("head"), vec![]).await.unwrap());
    assert!(store.warned(&id("B"), Stage::Escalate, None, told("chair"), vec![]).await.unwrap());
    assert!(store.warned(&id("C"), Stage::Remind, None, told("chair"), vec![]).await.unwrap());
    clock.advance(HOUR * 48);
    assert!(store.put_off(&id("D"), "no sender", told("chair"), vec![]).await.unwrap());
    for (role, want) in [("chair", &["B", "D"][..]), ("head", &["A"]), ("%", &[])] {
        let filter = crate::store::HeldFilter {
            sealed_or_escalated_to: Some(role.to_owned()),
            ..crate::store::HeldFilter::default()
        };
        let mut names: Vec<String> =
            store.held_page(&filter, None, 50).await.unwrap().lines.into_iter().map(|line| line.id.0).collect();
        names.sort();
        assert_eq!(names, want, "{role}");
        for name in ["A", "B", "C", "D"] {
            let audit = store.show(&id(name)).await.unwrap().audit;
            let found = audit.iter().any(|line| line.escalated_to().iter().any(|told| told == role));
            assert_eq!(found, want.contains(&name), "{role} {name}");
        }
    }
}

#[tokio::test]
async fn of_two_digests_one_goes() {
    let directory = tempfile::tempdir().unwrap();
    let clock = monday();
    let store = open(directory.path(), &clock).await;
    assert_eq!(store.last_digest().await.unwrap(), None);
    assert!(store.digest_sent(None, vec![]).await.unwrap());
    clock.advance(HOUR);
    assert!(!store.digest_sent(None, vec![]).await.unwrap());
    let last = store.last_digest().await.unwrap();
    assert!(store.digest_sent(last, vec![]).await.unwrap());
    assert_eq!(store.last_digest().await.unwrap(), Some(clock.now()));
}

#[tokio::test]
async fn what_an_older_program_held_counts_from_now() {
    let directory = tempfile::tempdir().unwrap();
    let clock = monday();
    let store = open(directory.path(), &clock).await;
    store.commit(vec![entry("A", State::Held, b"x\r\n")]).await.unwrap();
    let mut connection = raw(directory.path()).await;
    sqlx::query("update review set due_at = 0, remind_at = 0, escalate_at = 0").execute(&mut connection).await.unwrap();
    assert!(store.due_now(Stage::End).await.unwrap().is_empty(), "nothing goes back without a deadline");
    assert_eq!(store.held_page(&HeldFilter::default(), None, 10).await.unwrap().lines.len(), 1);
    clock.advance(HOUR * 24 * 7);
    store.keep_school_time(SchoolTime::default()).await.unwrap();
    let due = "2026-10-14T09:00:00Z".parse().unwrap();
    assert_eq!(store.held_line(&id("A")).await.unwrap().unwrap().due_at, Some(due));
}
