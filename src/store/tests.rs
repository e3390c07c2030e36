//! The store as a whole, on a real directory.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Connection, Row, SqliteConnection};

use super::*;
use crate::policy::Action;
use crate::smtp::Address;

mod audit;
mod counts;
pub(crate) mod crashes;
mod decisions;
mod delay;
mod disclosures;
mod footers;
mod held;
mod incidents;
mod journal;
mod leases;
mod older;
mod overview;
mod personal_use;
mod power;
mod review;
mod segments;
mod sender;
mod wait;

/// The three decisions in their short form.
impl Store {
    pub(crate) async fn release(
        &self,
        id: &QueueId,
        who: &str,
        why: &str,
        notices: Vec<NewEntry>,
    ) -> Result<Decision, StoreError> {
        self.decide_on(id, &Ruling::Release, &grounds(who, why), notices).await
    }

    pub(crate) async fn return_to_sender(
        &self,
        id: &QueueId,
        who: &str,
        why: &str,
        notices: Vec<NewEntry>,
    ) -> Result<Decision, StoreError> {
        self.decide_on(id, &Ruling::Return, &grounds(who, why), notices).await
    }

    pub(crate) async fn discard(
        &self,
        id: &QueueId,
        who: &str,
        why: &str,
        notices: Vec<NewEntry>,
    ) -> Result<Decision, StoreError> {
        self.decide_on(id, &Ruling::Discard, &grounds(who, why), notices).await
    }
}

fn grounds(who: &str, why: &str) -> Grounds {
    Grounds { who: who.to_owned(), why: why.to_owned(), ..Grounds::default() }
}

const HOUR: Duration = Duration::from_secs(3_600);

fn key() -> StoreKey {
    StoreKey::from_bytes([7; 32])
}

/// As the next daemon does. Another test may be starting a process, which holds our lock until it is a program of its own.
async fn exclusive(directory: &Path) -> Store {
    opened_by(directory, &Clock::system()).await
}

/// As [`exclusive`], going by this clock.
async fn opened_by(directory: &Path, clock: &Clock) -> Store {
    let manner = Manner { clock: clock.clone(), ..Manner::default() };
    for _ in 0..200 {
        match Store::open_exclusive_in(directory, key(), &manner).await {
            Err(StoreError::InUse(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
            opened => return opened.unwrap(),
        }
    }
    panic!("the lock was not free in 2 s");
}

/// As [`exclusive`], with a clock that stands at this time until it is moved.
async fn opened_at(directory: &Path, now: &str) -> (Store, Clock) {
    let clock = Clock::manual(now.parse().unwrap());
    (opened_by(directory, &clock).await, clock)
}

fn report(action: Action) -> Report {
    let json = serde_json::json!({
        "action": action.as_str(), "breach": false, "notify": [], "recipients": [], "pupils": [], "findings": [],
        "rules": [{"id": "visible-recipients", "action": action.as_str(), "breach": false, "why": "", "remedy": "",
                   "clauses": []}],
        "markers": [], "unreadable": [],
    });
    serde_json::from_value(json).unwrap()
}

pub(crate) fn entry(name: &str, state: State, content: &[u8]) -> NewEntry {
    let sender = Address::parse("amy@school.example").unwrap();
    let recipients = ["one@a.example", "two@b.example"].map(|a| Address::parse(a).unwrap());
    let digest = ring::digest::digest(&ring::digest::SHA256, content);
    NewEntry {
        id: QueueId(name.to_owned()),
        class: Class::Mail,
        about: None,
        state,
        envelope: Envelope::new(Some(sender), recipients.to_vec()),
        content: Arc::from(content),
        sha256: digest.as_ref().try_into().unwrap(),
        report: match state {
            State::Pending => None,
            State::Queued => Some(report(Action::Deliver)),
            State::Returned => Some(report(Action::Warn)),
            _ => Some(report(Action::Hold)),
        },
        at: Timestamp::now(),
        client: None,
    }
}

fn notice(name: &str, about: &str) -> NewEntry {
    let mut notice = entry(name, State::Queued, b"Subject: held\r\n\r\nIt waits.\r\n");
    notice.class = Class::Notice;
    notice.about = Some(QueueId(about.to_owned()));
    notice.report = None;
    notice.envelope.mail_from = None;
    notice
}

fn outcomes(outcome: &Outcome) -> Vec<RecipientOutcome> {
    (0..2).map(|position| RecipientOutcome { position, outcome: outcome.clone() }).collect()
}

fn id(name: &str) -> QueueId {
    QueueId(name.to_owned())
}

pub(crate) async fn raw(directory: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&database::options(directory)).await.unwrap()
}

async fn ids_due(store: &Store) -> Vec<String> {
    let due = store.lease_due(Timestamp::now(), 100, HOUR).await.unwrap();
    due.into_iter().map(|leased| leased.id.0).collect()
}

async fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within 10 s");
}

async fn state_of(store: &Store, name: &str) -> State {
    store.show(&id(name)).await.unwrap().summary.state
}

#[test]
fn queue_ids_are_sixteen_digits_and_sort_by_time() {
    let at = |s| QueueId::generate(Timestamp::from_second(s).unwrap());
    let ids: Vec<QueueId> = [1, 2, 1_700_000_000, 1_700_000_001, 4_000_000_000].into_iter().map(at).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    assert!(ids.iter().all(|id| id.0.len() == 16 && id.0.bytes().all(|b| b.is_ascii_alphanumeric())));
    assert_ne!(at(5), at(5));
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let large = vec![b'x'; crate::limits::LARGE_CONTENT + 1];
    let runtime = std::thread::spawn({
        let (path, large) = (directory.path().to_owned(), large.clone());
        move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let store = exclusive(&path).await;
                store.commit(vec![entry("A", State::Queued, b"small\r\n"), notice("N", "A")]).await.unwrap();
                store.commit(vec![entry("B", State::Held, &large)]).await.unwrap();
                store.commit(vec![entry("C", State::Pending, b"pending\r\n")]).await.unwrap();
                assert_eq!(ids_due(&store).await, ["A", "N"]);
            });
            // No closing: tasks are dropped where they stand.
            runtime.shutdown_background();
        }
    });
    runtime.join().unwrap();
    let store = exclusive(directory.path()).await;
    assert_eq!(&*store.content(&id("A")).await.unwrap(), b"small\r\n");
    assert_eq!(&*store.content(&id("B")).await.unwrap(), &large[..]);
    assert_eq!(&*store.content(&id("C")).await.unwrap(), b"pending\r\n");
    assert_eq!(ids_due(&store).await, ["A", "N"], "the leases of the dead daemon ended");
    let pending = store.lease_pending(Timestamp::now(), 10, HOUR).await.unwrap();
    assert_eq!(pending.iter().map(|p| p.id.0.as_str()).collect::<Vec<_>>(), ["C"]);
    assert_eq!(pending[0].envelope.recipients.len(), 2);
    let shown = store.show(&id("B")).await.unwrap();
    assert_eq!(shown.summary.rules, ["visible-recipients"]);
    assert_eq!(shown.report.map(|r| r.action), Some(Action::Hold));
    assert!(store.audit_verify(Scope::Whole).await.unwrap().is_ok());
}

/// Relay checklist, row 76.
#[tokio::test]
async fn a_wrong_key_and_a_second_daemon_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    let second = Store::open_exclusive(directory.path(), key()).await.unwrap_err();
    assert!(second.to_string().contains(&std::process::id().to_string()), "{second}");
    Store::open(directory.path(), key()).await.expect("a command may open beside the daemon").close().await;
    store.close().await;
    let wrong = Store::open(directory.path(), StoreKey::from_bytes([8; 32])).await;
    assert!(matches!(wrong, Err(StoreError::WrongKey)));
    let missing = StoreKey::load(Some(&directory.path().join("none"))).unwrap_err().to_string();
    assert!(missing.contains("none"), "{missing}");
}

/// Relay checklist, rows 126 and 129.
#[tokio::test]
async fn nothing_is_queued_without_the_verdict_deliver() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), key()).await.unwrap();
    let mut held = entry("A", State::Queued, b"x\r\n");
    held.report = Some(report(Action::Hold));
    let mut none = entry("B", State::Queued, b"x\r\n");
    none.report = None;
    for bad in [held, none] {
        assert!(matches!(store.commit(vec![bad]).await, Err(StoreError::Refused(_))));
    }
    store.commit(vec![entry("C", State::Queued, b"x\r\n"), entry("D", State::Held, b"y\r\n")]).await.unwrap();
    store.commit(vec![entry("E", State::Pending, b"z\r\n")]).await.unwrap();
    let mut connection = raw(directory.path()).await;
    for statement in [
        "update message set verdict = null where id = 'C'",
        "update message set verdict_sha256 = zeroblob(32) where id = 'C'",
        "update message set sha256 = zeroblob(32) where id = 'C'",
        "update message set state = 'queued' where id = 'D'",
        "update message set state = 'delivered' where id = 'D'",
        "update message set state = 'queued' where id = 'E'",
        "update message set class = 'notice' where id = 'E'",
        "update audit set who = 'x'",
        "delete from audit",
    ] {
        assert!(sqlx::query(statement).execute(&mut connection).await.is_err(), "{statement}");
    }
    assert_eq!(ids_due(&store).await, ["C"]);
}

#[tokio::test]
async fn a_pending_message_is_decided_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), key()).await.unwrap();
    for name in ["A", "B"] {
        store.commit(vec![entry(name, State::Pending, b"x\r\n")]).await.unwrap();
    }
    assert!(ids_due(&store).await.is_empty(), "a pending message can never leave");
    // The try at the intake is the first; each lease begins another, and one that is put off was none.
    let lease = async || {
        let later = Timestamp::now() + Duration::from_secs(3_600);
        let leased = store.lease_pending(later, 1, Duration::from_secs(1)).await.unwrap();
        leased.into_iter().map(|entry| (entry.id.0, entry.tries)).collect::<Vec<_>>()
    };
    assert_eq!(lease().await, [("A".to_owned(), 2)]);
    store.put_off_inspection(&id("A")).await.unwrap();
    store.end_lease(vec![id("B")]).await.unwrap();
    assert_eq!(lease().await, [("B".to_owned(), 2)]);
    assert_eq!(store.note_inspection_failure(&id("B")).await.unwrap(), 2);
    assert_eq!(lease().await, [("A".to_owned(), 2)]);
    assert_eq!(store.note_inspection_failure(&id("A")).await.unwrap(), 2);
    let held = report(Action::Hold);
    assert!(store.decide_pending(&id("A"), &held, State::Queued, vec![], None).await.is_err());
    store.decide_pending(&id("A"), &held, State::Held, vec![notice("N", "A")], None).await.unwrap();
    assert!(store.decide_pending(&id("A"), &report(Action::Deliver), State::Queued, vec![], None).await.is_err());
    store.decide_pending(&id("B"), &report(Action::Deliver), State::Queued, vec![], None).await.unwrap();
    let mut due = ids_due(&store).await;
    due.sort();
    assert_eq!(due, ["B", "N"]);
    assert!(ids_due(&store).await.is_empty(), "leased mail is leased once");
    assert_eq!(state_of(&store, "A").await, State::Held);
}

#[tokio::test]
async fn outcomes_decide_the_state_and_content_goes_when_it_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), key()).await.unwrap();
    let (taken, refused) = (Outcome::Delivered { reply: "250".into() }, Outcome::Failed { reply: "550".into() });
    let later = Outcome::Deferred { reply: "450".into() };
    let soon = Timestamp::now() + HOUR;
    let large = vec![b'x'; crate::limits::LARGE_CONTENT + 1];
    for (name, outcome, state) in [
        ("A", &taken, State::Delivered),
        ("B", &refused, State::Failed),
        ("C", &later, State::Queued),
        ("D", &Outcome::Unknown, State::Queued),
    ] {
        store.commit(vec![entry(name, State::Queued, &large)]).await.unwrap();
        assert_eq!(ids_due(&store).await, [name]);
        assert_eq!(store.record_attempt(&id(name), outcomes(outcome), soon, vec![]).await.unwrap(), state, "{name}");
        let content = store.content(&id(name)).await;
        match state {
            State::Queued => assert_eq!(content.unwrap().len(), large.len()),
            _ => assert!(matches!(content, Err(StoreError::Dropped(_))), "{name}"),
        }
    }
    assert!(ids_due(&store).await.is_empty(), "not due before its time");
    let past = Timestamp::now() - HOUR;
    assert!(store.lease_old(Timestamp::now(), past, 10, HOUR).await.unwrap().is_empty());
    let old = store.lease_old(Timestamp::now(), Timestamp::now(), 10, HOUR).await.unwrap();
    assert_eq!(old.len(), 2, "age alone is enough to give up");
    assert_eq!(old[0].attempts, 1);
    store.end_lease(old.iter().map(|l| l.id.clone()).collect()).await.unwrap();
    // Mixed: the one who took it is not tried again.
    store.commit(vec![entry("E", State::Queued, b"x\r\n")]).await.unwrap();
    assert_eq!(ids_due(&store).await, ["E"]);
    let mixed = [taken, later].into_iter().zip(0..).map(|(outcome, position)| RecipientOutcome { position, outcome });
    let state = store.record_attempt(&id("E"), mixed.collect(), Timestamp::now(), vec![notice("N", "E")]).await;
    assert_eq!(state.unwrap(), State::Queued);
    let due = store.lease_due(Timestamp::now(), 10, HOUR).await.unwrap();
    let e = due.iter().find(|l| l.id == id("E")).unwrap();
    assert_eq!(e.recipients.iter().map(|r| (r.position, r.attempts)).collect::<Vec<_>>(), [(1, 1)]);
    assert!(due.iter().any(|l| l.id == id("N")), "the notice came with the outcome");
    let counts = store.counts().await.unwrap();
    let count = |state| counts.iter().find(|c| c.state == state).unwrap().messages;
    assert_eq!([count(State::Queued), count(State::Delivered), count(State::Failed)], [4, 1, 1]);
    store.close().await;
    assert_eq!(std::fs::read_dir(directory.path().join(LARGE)).unwrap().count(), 2, "files of C and D alone");
}

#[tokio::test]
async fn what_is_over_is_forgotten_and_the_audit_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), key()).await.unwrap();
    for (name, state) in [("A", State::Queued), ("B", State::Held), ("C", State::Returned), ("D", State::Queued)] {
        store.commit(vec![entry(name, state, b"x\r\n")]).await.unwrap();
    }
    assert_eq!(ids_due(&store).await, ["A", "D"]);
    let taken = outcomes(&Outcome::Delivered { reply: "250".into() });
    store.record_attempt(&id("A"), taken, Timestamp::now(), vec![]).await.unwrap();
    assert_eq!(store.forget(Timestamp::now() - HOUR).await.unwrap(), 0, "too young");
    assert_eq!(store.forget(Timestamp::now() + HOUR).await.unwrap(), 2);
    let left = store.list(Filter::default(), 10).await.unwrap();
    assert_eq!(left.iter().map(|s| s.id.0.as_str()).collect::<Vec<_>>(), ["B", "D"]);
    assert_eq!(store.audit_verify(Scope::Whole).await.unwrap(), Ok(6));
}

#[tokio::test]
async fn a_second_release_says_what_was_decided() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), key()).await.unwrap();
    store.commit(vec![entry("A", State::Held, b"x\r\n")]).await.unwrap();
    assert_eq!(store.release(&id("A"), "Sue", "a parent", vec![]).await.unwrap(), Decision::Done);
    assert_eq!(ids_due(&store).await, ["A"]);
    let Decision::Already(line) = store.release(&id("A"), "Tom", "", vec![]).await.unwrap() else {
        panic!("released twice")
    };
    assert_eq!((line.who.as_str(), line.event.as_str()), ("Sue", "released"));
    assert!(matches!(store.hold(&id("A"), "Tom", "").await.unwrap(), Decision::Already(_)), "it is on its way");
    assert!(ids_due(&store).await.is_empty(), "one release, one delivery");
    store.commit(vec![entry("B", State::Held, b"x\r\n"), entry("C", State::Held, b"x\r\n")]).await.unwrap();
    assert_eq!(store.discard(&id("B"), "Sue", "", Vec::new()).await.unwrap(), Decision::Done);
    assert!(
        matches!(store.release(&id("B"), "Tom", "", vec![]).await.unwrap(), Decision::Already(l) if l.event == "discarded")
    );
    let back = store.return_to_sender(&id("C"), "Sue", "", vec![notice("N", "C")]).await.unwrap();
    assert_eq!((back, state_of(&store, "C").await), (Decision::Done, State::Returned));
    assert!(matches!(store.content(&id("C")).await, Err(StoreError::Dropped(_))));
    assert!(matches!(store.release(&id("Z"), "Sue", "", vec![]).await, Err(StoreError::NotFound(_))));
    store.commit(vec![entry("D", State::Queued, b"x\r\n")]).await.unwrap();
    assert_eq!(store.hold(&id("D"), "Sue", "wait").await.unwrap(), Decision::Done);
    assert_eq!(ids_due(&store).await, ["N"]);
    let held = store.list(Filter { state: Some(State::Held), ..Filter::default() }, 10).await.unwrap();
    assert_eq!(held.iter().map(|s| s.id.0.as_str()).collect::<Vec<_>>(), ["D"]);
}

#[tokio::test]
async fn what_is_damaged_is_set_aside_and_the_rest_is_served() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), key()).await.unwrap();
    for name in ["A", "B", "C", "D"] {
        store.commit(vec![entry(name, State::Queued, name.as_bytes())]).await.unwrap();
    }
    let mut connection = raw(directory.path()).await;
    for statement in [
        "update recipient set address = 'nonsense' where message = 'A'",
        "update message set content_offset = content_offset + 1 where id = 'B'",
        "update message set content_file = 'segments/none' where id = 'C'",
    ] {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    assert_eq!(ids_due(&store).await, ["B", "C", "D"]);
    for name in ["B", "C"] {
        assert!(matches!(store.content(&id(name)).await, Err(StoreError::Damaged { .. })), "{name}");
    }
    assert_eq!(&*store.content(&id("D")).await.unwrap(), b"D");
    let damaged = store.list(Filter { damaged: true, ..Filter::default() }, 10).await.unwrap();
    assert_eq!(damaged.iter().map(|s| s.id.0.as_str()).collect::<Vec<_>>(), ["A", "B", "C"]);
}

/// Relay checklist, row 78.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_commits_at_once_take_few_syncs() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    let before = store.counts_of_syncs().content_syncs.load(Ordering::Relaxed);
    let commits = (0..200).map(|n| {
        let store = store.clone();
        tokio::spawn(async move { store.commit(vec![entry(&format!("M{n:03}"), State::Queued, b"x\r\n")]).await })
    });
    for commit in commits.collect::<Vec<_>>() {
        commit.await.unwrap().unwrap();
    }
    let syncs = store.counts_of_syncs().content_syncs.load(Ordering::Relaxed) - before;
    let transactions = store.counts_of_syncs().commits.load(Ordering::Relaxed);
    assert!(syncs <= 60 && transactions <= 60, "{syncs} syncs, {transactions} transactions for 200 messages");
    assert_eq!(store.list(Filter::default(), 1_000).await.unwrap().len(), 200);
}

#[tokio::test]
async fn one_bad_command_does_not_spoil_its_group() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), key()).await.unwrap();
    let (a, again, b) = tokio::join!(
        store.commit(vec![entry("A", State::Queued, b"x\r\n")]),
        store.commit(vec![entry("X", State::Queued, b"x\r\n"), entry("A", State::Queued, b"x\r\n")]),
        store.commit(vec![entry("B", State::Queued, b"x\r\n")]),
    );
    assert!(a.is_ok() && b.is_ok());
    assert!(matches!(again, Err(StoreError::Database(_))), "the id is taken");
    assert_eq!(ids_due(&store).await, ["A", "B"], "X went with its failed transaction");
}

#[tokio::test]
async fn fresh_mail_is_handed_over_as_far_as_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), key()).await.unwrap();
    let mut handed = store.hand_over(1, HOUR);
    for name in ["A", "B"] {
        store.commit(vec![entry(name, State::Queued, name.as_bytes())]).await.unwrap();
    }
    let first = handed.try_recv().unwrap();
    assert_eq!((first.id, first.content.as_deref()), (id("A"), Some(&b"A"[..])));
    assert!(handed.try_recv().is_err());
    assert_eq!(ids_due(&store).await, ["B"], "what was handed over is leased");
}

#[tokio::test]
async fn the_database_holds_neither_content_nor_report_in_clear() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), key()).await.unwrap();
    let mut secret = entry("A", State::Held, b"Subject: s\r\n\r\nXYZZY-BODY\r\n");
    if let Some(report) = &mut secret.report {
        report.markers.push("XYZZY-REPORT".to_owned());
    }
    store.commit(vec![secret]).await.unwrap();
    store.close().await;
    let mut files = vec![directory.path().join("queue.db")];
    files.extend(std::fs::read_dir(directory.path().join(SEGMENTS)).unwrap().map(|e| e.unwrap().path()));
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        assert!(memchr::memmem::find(&bytes, b"XYZZY").is_none(), "{}", file.display());
    }
    let mut connection = raw(directory.path()).await;
    let rows = sqlx::query("select length(report) from message").fetch_all(&mut connection).await.unwrap();
    assert!(rows[0].get::<i64, _>(0) > 0);
}

#[tokio::test]
async fn a_probe_is_a_commit_and_the_end_of_the_store_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), key()).await.unwrap();
    let commits = || store.counts_of_syncs().commits.load(Ordering::Relaxed);
    let before = commits();
    store.probe().await.unwrap();
    store.probe().await.unwrap();
    assert_eq!(commits() - before, 2);
    let ended = store.ended();
    store.close().await;
    tokio::time::timeout(Duration::from_secs(10), ended).await.expect("closed is ended");
}

#[tokio::test]
async fn a_database_that_another_process_locks_is_told_in_time_and_serves_again() {
    let directory = tempfile::tempdir().unwrap();
    let manner = Manner { busy: Duration::from_millis(300), ..Manner::default() };
    let store = Store::open_with(directory.path(), key(), None, &manner).await.unwrap();
    store.commit(vec![entry("A", State::Queued, b"x\r\n")]).await.unwrap();
    let mut other = raw(directory.path()).await;
    sqlx::query("begin exclusive").execute(&mut other).await.unwrap();
    let refused = async {
        let commits = (0..10).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.commit(vec![entry(&format!("L{n}"), State::Queued, b"x\r\n")]).await })
        });
        for commit in commits.collect::<Vec<_>>() {
            assert!(matches!(commit.await.unwrap(), Err(StoreError::Database(_))));
        }
        assert!(store.probe().await.is_err());
        assert!(store.lease_due(Timestamp::now(), 10, HOUR).await.is_err());
        assert!(store.release(&id("A"), "Sue", "", Vec::new()).await.is_err());
        assert_eq!(store.list(Filter::default(), 10).await.unwrap().len(), 1, "reading goes on");
    };
    tokio::time::timeout(Duration::from_secs(15), refused).await.expect("nobody waits for ever");
    sqlx::query("rollback").execute(&mut other).await.unwrap();
    store.probe().await.unwrap();
    store.commit(vec![entry("B", State::Queued, b"x\r\n")]).await.unwrap();
    assert_eq!(ids_due(&store).await, ["A", "B"], "what was refused is not there");
}
