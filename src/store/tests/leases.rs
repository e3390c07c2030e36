//! Leases: whose they are, how long they hold, how they end.

use super::super::lease::{LeaseRequest, Which};
use super::super::writer::{Command, Op};
use super::*;
use sqlx::{AssertSqlSafe, Row};

const MINUTE: Duration = Duration::from_secs(60);

/// Two nodes on one store, with one clock.
async fn two_nodes(directory: &Path) -> (Store, Store, Clock) {
    let clock = Clock::manual(Timestamp::now());
    let manner = Manner { clock: clock.clone(), ..Manner::default() };
    let key = key();
    let open = || Store::open_with(directory, key.clone(), None, &manner);
    (open().await.unwrap(), open().await.unwrap(), clock)
}

async fn due(store: &Store) -> Vec<String> {
    let due = store.lease_due(store.clock().now(), 100, MINUTE).await.unwrap();
    due.into_iter().map(|leased| leased.id.0).collect()
}

async fn pending(store: &Store) -> Vec<String> {
    let pending = store.lease_pending(store.clock().now(), 100, MINUTE).await.unwrap();
    pending.into_iter().map(|entry| entry.id.0).collect()
}

async fn take_in(store: &Store, name: &str, state: State) {
    let mut new = entry(name, state, b"x\r\n");
    new.at = store.clock().now();
    store.commit(vec![new]).await.unwrap();
}

#[tokio::test]
async fn a_lease_belongs_to_one_opening_of_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let (one, two, clock) = two_nodes(directory.path()).await;
    take_in(&one, "M", State::Queued).await;
    take_in(&one, "P", State::Pending).await;
    let soon = clock.now();
    let taken = || outcomes(&Outcome::Delivered { reply: "250".into() });
    assert!(
        matches!(one.record_attempt(&id("M"), taken(), soon, vec![]).await, Err(StoreError::NotLeased(_))),
        "nothing is recorded of what was not leased"
    );
    assert_eq!((due(&one).await, pending(&one).await), (vec!["M".to_owned()], vec!["P".to_owned()]));
    // Same process, same process id: it is the token that tells them apart.
    two.end_lease(vec![id("M"), id("P")]).await.unwrap();
    assert!(due(&two).await.is_empty() && pending(&two).await.is_empty());
    assert!(matches!(two.record_attempt(&id("M"), taken(), soon, vec![]).await, Err(StoreError::NotLeased(_))));
    let refused = two.hold(&id("M"), "Sue", "").await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "it is in work");

    clock.advance(MINUTE);
    assert!(due(&one).await.is_empty() && pending(&one).await.is_empty(), "late or not, it is in our hands");
    let old = one.lease_old(clock.now(), clock.now(), 100, MINUTE).await.unwrap();
    assert!(old.is_empty(), "also for giving up");
    assert_eq!((due(&two).await, pending(&two).await), (vec!["M".to_owned()], vec!["P".to_owned()]));
    let late = one.record_attempt(&id("M"), taken(), soon, vec![notice("N", "M")]).await;
    assert!(matches!(late, Err(StoreError::NotLeased(_))));
    let shown = one.show(&id("M")).await.unwrap();
    assert_eq!((shown.summary.state, shown.summary.due, shown.summary.attempts), (State::Queued, 2, 0), "unchanged");
    assert!(matches!(one.show(&id("N")).await, Err(StoreError::NotFound(_))), "nor is its notice there");
    assert_eq!(two.record_attempt(&id("M"), taken(), soon, vec![]).await.unwrap(), State::Delivered);
}

#[tokio::test]
async fn a_lease_that_is_renewed_holds_and_one_that_is_not_ends() {
    let directory = tempfile::tempdir().unwrap();
    let (one, two, clock) = two_nodes(directory.path()).await;
    let _handed = one.hand_over(1, MINUTE);
    for name in ["A", "B"] {
        take_in(&one, name, State::Queued).await;
    }
    take_in(&one, "P", State::Pending).await;
    assert_eq!(due(&one).await, ["B"], "A was handed over");
    assert_eq!(pending(&one).await, ["P"]);
    for _ in 0..10 {
        clock.advance(MINUTE * 2 / 3);
        assert!(due(&two).await.is_empty() && pending(&two).await.is_empty());
        one.renew_leases(MINUTE).await.unwrap();
    }
    clock.advance(MINUTE);
    two.renew_leases(MINUTE).await.unwrap();
    assert_eq!((due(&two).await, pending(&two).await), (vec!["A".to_owned(), "B".to_owned()], vec!["P".to_owned()]));
}

#[tokio::test]
async fn every_way_in_which_work_ends_ends_its_lease() {
    let directory = tempfile::tempdir().unwrap();
    let (one, two, clock) = two_nodes(directory.path()).await;
    for name in ["given-back", "put-off", "set-aside", "unread"] {
        take_in(&one, name, State::Queued).await;
    }
    take_in(&one, "undecided", State::Pending).await;
    assert_eq!((due(&one).await.len(), pending(&one).await.len()), (4, 1));
    let mut connection = raw(directory.path()).await;
    let gone = "update message set content_file = null, content_key = null where id = 'unread'";
    sqlx::query(gone).execute(&mut connection).await.unwrap();
    one.end_lease(vec![id("given-back")]).await.unwrap();
    let later = outcomes(&Outcome::Deferred { reply: "450".into() });
    one.record_attempt(&id("put-off"), later, clock.now(), vec![]).await.unwrap();
    one.set_aside(&id("set-aside"), "for a test").await.unwrap();
    assert!(matches!(one.content(&id("unread")).await, Err(StoreError::Damaged { .. })));
    one.note_inspection_failure(&id("undecided")).await.unwrap();
    let leases = "select count(*) from message where lease_owner is not null or lease_until is not null";
    let left: i64 = sqlx::query_scalar(leases).fetch_one(&mut connection).await.unwrap();
    assert_eq!(left, 0);
    let mut free = due(&two).await;
    free.sort();
    assert_eq!(free, ["given-back", "put-off"]);
}

#[tokio::test]
async fn what_another_finds_damaged_is_still_recorded_by_who_sends_it() {
    let directory = tempfile::tempdir().unwrap();
    let (one, two, clock) = two_nodes(directory.path()).await;
    take_in(&one, "M", State::Queued).await;
    assert_eq!(due(&one).await, ["M"]);
    two.set_aside(&id("M"), "for a test").await.unwrap();
    let taken = outcomes(&Outcome::Delivered { reply: "250".into() });
    assert_eq!(one.record_attempt(&id("M"), taken, clock.now(), vec![]).await.unwrap(), State::Delivered);
}

#[tokio::test]
async fn a_lease_that_reached_nobody_ends_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    for name in ["A", "B"] {
        take_in(&store, name, State::Queued).await;
    }
    take_in(&store, "P", State::Pending).await;
    let now = store.clock().now();
    let request = || LeaseRequest { now, which: Which::Due, limit: 10, until: now + HOUR };
    for op in [Op::LeaseDue(request()), Op::LeasePending(request())] {
        let (answer, waiting) = tokio::sync::oneshot::channel();
        drop(waiting);
        store.inner.commands.send(Command { op, answer }).await.unwrap();
    }
    // Whoever asks next gets it, or the writer ends the lease with nobody asking.
    let (mut mail, mut waits) = (Vec::new(), Vec::new());
    for _ in 0..500 {
        mail.extend(due(&store).await);
        waits.extend(pending(&store).await);
        if mail.len() == 2 && waits.len() == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within 5 s: {mail:?} {waits:?}");
}

#[tokio::test]
async fn a_new_daemon_ends_the_leases_of_all_others_and_tells() {
    let directory = tempfile::tempdir().unwrap();
    let (other, _, _) = two_nodes(directory.path()).await;
    take_in(&other, "M", State::Queued).await;
    take_in(&other, "W", State::Queued).await;
    assert_eq!(due(&other).await, ["M", "W"]);
    other.end_lease(vec![id("W")]).await.unwrap();
    let daemon = exclusive(directory.path()).await;
    let recovered = |shown: Shown| shown.audit.iter().any(|line| line.event == "recovered");
    assert!(recovered(daemon.show(&id("M")).await.unwrap()));
    assert!(!recovered(daemon.show(&id("W")).await.unwrap()));
    assert_eq!(ids_due(&daemon).await, ["M", "W"]);
    let taken = outcomes(&Outcome::Delivered { reply: "250".into() });
    let late = other.record_attempt(&id("M"), taken, Timestamp::now(), vec![]).await;
    assert!(matches!(late, Err(StoreError::NotLeased(_))), "the one that was thought dead is told");
}

/// With hundreds of thousands of messages waiting for a smarthost that is away, no round of delivery reads them all:
/// `cargo bench --bench queue` measures it.
#[tokio::test]
async fn what_waits_is_found_by_its_time_and_nothing_is_sorted() {
    let directory = tempfile::tempdir().unwrap();
    let _store = exclusive(directory.path()).await;
    let mut connection = raw(directory.path()).await;
    let old = Which::TakenBefore(Timestamp::now());
    for (sql, index) in [
        (Which::Due.look(), "message_next (state=? AND next_due<?)"),
        (Which::Due.lease(), "message_next (state=? AND next_due<?)"),
        (old.look(), "message_waits (state=? AND <expr><?)"),
        (old.lease(), "message_waits (state=? AND <expr><?)"),
        (super::super::delay::DELAYED, "message_delay_not_told (class=? AND state=? AND <expr><?)"),
    ] {
        let plan = sqlx::query(AssertSqlSafe(format!("explain query plan {sql}"))).fetch_all(&mut connection).await;
        let plan: Vec<String> = plan.unwrap().iter().map(|row| row.get("detail")).collect();
        assert!(plan.iter().any(|step| step.contains(index)), "{sql}: {plan:?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{sql}: nothing is sorted: {plan:?}");
    }
}
