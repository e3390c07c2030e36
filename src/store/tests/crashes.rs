//! Deaths and faults at every step: processes of their own that take in mail while something breaks, and what is there afterwards.

use super::*;

/// Runs one test of this binary in a process of its own, which a fault is to kill; gives what it printed.
pub(crate) fn run_until_killed(test: &str, fault: &str, environment: &[(&str, String)]) -> String {
    use std::os::unix::process::ExitStatusExt;
    let (status, printed) = run(test, fault, environment);
    assert!(status.signal().is_some(), "{fault}: {status} instead of a kill; {printed}");
    printed
}

/// Runs one test of this binary in a process of its own; gives how it ended and what it printed.
pub(crate) fn run(test: &str, fault: &str, environment: &[(&str, String)]) -> (std::process::ExitStatus, String) {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env("SCHOOLGATE_FAULT", fault)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    (output.status, String::from_utf8_lossy(&output.stdout).into_owned())
}

pub(super) fn content_of(number: usize) -> Vec<u8> {
    let length = if number % 4 == 3 { crate::limits::LARGE_CONTENT + number } else { 100 + number };
    (0..length).map(|i| (i * 31 + number) as u8).collect()
}

#[test]
#[ignore = "started by the test below, which kills it"]
fn child_that_takes_in() {
    let Some(directory) = std::env::var_os("SCHOOLGATE_TEST_STORE") else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open_exclusive(Path::new(&directory), key()).await.unwrap();
        for number in 0..12 {
            let state = [State::Queued, State::Held, State::Pending][number % 3];
            let entries = vec![
                entry(&format!("M{number:02}"), state, &content_of(number)),
                notice(&format!("N{number:02}"), "M"),
            ];
            store.commit(entries).await.unwrap();
            println!("\ntaken M{number:02}");
        }
    });
}

/// Relay checklist, rows 68 and 136.
#[test]
fn what_was_answered_survives_a_kill_at_every_step() {
    for point in ["before-content-write", "after-content-write", "after-content-sync", "after-commit"] {
        for pass in [1, 4, 9] {
            let directory = tempfile::tempdir().unwrap();
            let fault = format!("{point}:{pass}");
            let path = directory.path().display().to_string();
            let test = "store::tests::crashes::child_that_takes_in";
            let printed = run_until_killed(test, &fault, &[("SCHOOLGATE_TEST_STORE", path)]);
            let taken: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix("taken ")).collect();
            tokio::runtime::Runtime::new().unwrap().block_on(async {
                let store = exclusive(directory.path()).await;
                let listed = store.list(Filter::default(), 100).await.unwrap();
                let (mails, notices): (Vec<_>, Vec<_>) = listed.iter().partition(|s| s.class == Class::Mail);
                let there: Vec<&str> = mails.iter().map(|s| s.id.0.as_str()).collect();
                assert!(taken.iter().all(|id| there.contains(id)), "{fault}: {taken:?} answered, {there:?} there");
                assert!(there.len() <= taken.len() + 1, "{fault}: no more than what was in hand");
                assert_eq!(notices.len(), mails.len(), "{fault}: a message and its notice, or neither");
                for summary in &mails {
                    let number = summary.id.0[1..].parse().unwrap();
                    let content = store.content(&summary.id).await.unwrap();
                    assert!(*content == *content_of(number), "{fault}: content of {}", summary.id);
                }
                assert!(store.audit_verify(Scope::Whole).await.unwrap().is_ok(), "{fault}");
            });
        }
    }
}

#[test]
#[ignore = "started by the test below, with a disk or a database that fails once"]
fn child_with_a_failing_disk() {
    let Some(directory) = std::env::var_os("SCHOOLGATE_TEST_STORE") else { return };
    let say = |names: &str, done: &Result<(), StoreError>| {
        println!("\n{} {names}", if done.is_ok() { "ok" } else { "failed" })
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let store = Store::open_exclusive(Path::new(&directory), key()).await.unwrap();
        // One group, which the second command upsets: the others run one by one.
        let (a, again, b) = tokio::join!(
            store.commit(vec![entry("M00", State::Queued, &content_of(0))]),
            store.commit(vec![entry("M01", State::Queued, b"x\r\n"), entry("M00", State::Queued, b"x\r\n")]),
            store.commit(vec![entry("M02", State::Queued, &content_of(2))]),
        );
        assert!(again.is_err());
        say("M00", &a);
        say("M02", &b);
        say("M03", &store.commit(vec![entry("M03", State::Queued, &content_of(3))]).await);
        say("M04", &store.commit(vec![entry("M04", State::Held, &content_of(4))]).await);
        // A lease whose commit failed is nobody's, and does not stay.
        let mut due = Vec::new();
        for _ in 0..100 {
            if let Ok(leased) = store.lease_due(Timestamp::now(), 100, HOUR).await {
                due.extend(leased.into_iter().map(|leased| leased.id.0));
            } else {
                println!("\nfailed lease");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        println!("\ndue {}", due.join(","));
        say("M05", &store.commit(vec![entry("M05", State::Pending, &content_of(5))]).await);
        store.close().await;
    });
}

/// Relay checklist, rows 70 and 71.
#[test]
fn a_failed_commit_or_sync_loses_nothing_that_was_answered_and_keeps_nothing_that_was_not() {
    let commits = (2..=6).map(|pass| format!("commit-fails:{pass}"));
    let syncs = (1..=3).map(|pass| format!("sync-fails:{pass}"));
    for fault in commits.chain(syncs).chain((1..=2).map(|pass| format!("directory-sync-fails:{pass}"))) {
        let directory = tempfile::tempdir().unwrap();
        let environment = [("SCHOOLGATE_TEST_STORE", directory.path().display().to_string())];
        let (status, printed) = run("store::tests::crashes::child_with_a_failing_disk", &fault, &environment);
        assert!(status.success(), "{fault}: {status}; {printed}");
        let said = |word: &str| -> Vec<String> {
            printed.lines().filter_map(|line| line.strip_prefix(word)).map(|name| name.trim().to_owned()).collect()
        };
        assert!(!said("failed ").is_empty(), "{fault} has struck; {printed}");
        assert!(said("ok ").contains(&"M05".to_owned()), "{fault}: the writer lives on; {printed}");
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let store = exclusive(directory.path()).await;
            let listed = store.list(Filter::default(), 100).await.unwrap();
            let there: Vec<String> = listed.iter().map(|s| s.id.0.clone()).collect();
            assert_eq!(there, said("ok "), "{fault}");
            for summary in &listed {
                let number = summary.id.0[1..].parse().unwrap();
                assert!(*store.content(&summary.id).await.unwrap() == *content_of(number), "{fault}: {}", summary.id);
            }
            let queued = listed.iter().filter(|s| s.state == State::Queued).map(|s| s.id.0.as_str());
            assert_eq!(said("due "), [queued.collect::<Vec<_>>().join(",")], "{fault}");
            assert!(store.audit_verify(Scope::Whole).await.unwrap().is_ok(), "{fault}");
        });
    }
}

#[test]
#[ignore = "started by the test below, with a writer that panics"]
fn child_whose_writer_panics() {
    let Some(directory) = std::env::var_os("SCHOOLGATE_TEST_STORE") else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open_exclusive(Path::new(&directory), key()).await.unwrap();
        let ended = store.ended();
        tokio::pin!(ended);
        store.probe().await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(50), &mut ended).await.is_err(), "it runs");
        let commits = (0..20).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.commit(vec![entry(&format!("M{n:02}"), State::Held, b"x\r\n")]).await })
        });
        for commit in commits.collect::<Vec<_>>() {
            assert!(matches!(commit.await.unwrap(), Err(StoreError::Closed)), "whoever waits is told");
        }
        tokio::time::timeout(Duration::from_secs(10), ended).await.expect("the end is seen");
        assert!(matches!(store.probe().await, Err(StoreError::Closed)));
        drop(store);
        let store = exclusive(Path::new(&directory)).await;
        assert!(store.list(Filter::default(), 100).await.unwrap().is_empty());
        store.commit(vec![entry("A", State::Held, b"x\r\n")]).await.unwrap();
    });
}

#[test]
fn a_writer_that_panics_is_seen_and_nobody_waits_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let environment = [("SCHOOLGATE_TEST_STORE", directory.path().display().to_string())];
    // The first group recovers, the second probes.
    let (status, printed) = run("store::tests::crashes::child_whose_writer_panics", "panic:writer:3", &environment);
    assert!(status.success(), "{status}; {printed}");
}

#[test]
#[ignore = "started by the test below, with a full disk"]
fn child_with_a_full_disk() {
    let Some(directory) = std::env::var_os("SCHOOLGATE_TEST_STORE") else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open_exclusive(Path::new(&directory), key()).await.unwrap();
        for number in [0, 3] {
            let error = store.commit(vec![entry("M", State::Queued, &content_of(number))]).await.unwrap_err();
            println!("\nanswered {}", matches!(error, StoreError::Full));
        }
        println!("\nlisted {}", store.list(Filter::default(), 10).await.unwrap().len());
    });
    fault::point("disk-full");
}

/// Relay checklist, row 72.
#[test]
fn a_full_disk_is_told_apart_and_the_store_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let environment = [("SCHOOLGATE_TEST_STORE", directory.path().display().to_string())];
    let printed = run_until_killed("store::tests::crashes::child_with_a_full_disk", "disk-full", &environment);
    let said: Vec<&str> = printed.lines().filter(|l| l.starts_with("answered") || l.starts_with("listed")).collect();
    assert_eq!(said, ["answered true", "answered true", "listed 0"]);
}

/// What becomes of a message: from which state, to which, and the event that tells of it.
const WAYS: &[(&str, State, State, &str)] = &[
    ("RELEASE", State::Held, State::Queued, "released"),
    ("IN-PART", State::Held, State::Queued, "released"),
    ("RETURN", State::Held, State::Returned, "returned"),
    ("DISCARD", State::Held, State::Discarded, "discarded"),
    ("EXPIRE", State::Held, State::Returned, "returned"),
    ("HOLD", State::Queued, State::Held, "held"),
    ("DECIDE", State::Pending, State::Held, "decided"),
];

#[test]
#[ignore = "started by the test below, which kills it"]
fn child_that_decides() {
    let Some(directory) = std::env::var_os("SCHOOLGATE_TEST_STORE") else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open_exclusive(Path::new(&directory), key()).await.unwrap();
        store.commit(WAYS.iter().map(|(name, from, ..)| entry(name, *from, b"x\r\n")).collect()).await.unwrap();
        println!("\ntaken");
        for (name, ..) in WAYS {
            let (at, told) = (id(name), vec![notice(&format!("N-{name}"), name)]);
            let done = match *name {
                "IN-PART" => {
                    store.decide_on(&at, &Ruling::ReleaseTo(vec![1]), &grounds("Sue", ""), told).await.map(drop)
                }
                "RETURN" => store.return_to_sender(&at, "Sue", "", told).await.map(drop),
                "DISCARD" => store.discard(&at, "Sue", "", told).await.map(drop),
                "EXPIRE" => store.return_to_sender(&at, "gateway", "nobody decided in time", told).await.map(drop),
                "HOLD" => store.hold(&at, "Sue", "wait").await.map(drop),
                "DECIDE" => store.decide_pending(&at, &report(Action::Hold), State::Held, told, None).await.map(drop),
                _ => store.release(&at, "Sue", "", told).await.map(drop),
            };
            done.unwrap();
            println!("\ndone {name}");
        }
    });
}

/// Relay checklist, rows 135 and 136.
#[test]
fn each_decision_is_whole_or_not_there_after_a_kill_at_every_step() {
    let mut kills = 0;
    for point in ["before-content-write", "after-content-write", "after-content-sync", "after-commit"] {
        for pass in 1.. {
            let directory = tempfile::tempdir().unwrap();
            let fault = format!("{point}:{pass}");
            let environment = [("SCHOOLGATE_TEST_STORE", directory.path().display().to_string())];
            let (status, printed) = run("store::tests::crashes::child_that_decides", &fault, &environment);
            let said = |line: &str| printed.lines().any(|printed| printed == line);
            tokio::runtime::Runtime::new().unwrap().block_on(async {
                let store = exclusive(directory.path()).await;
                let listed = store.list(Filter::default(), 100).await.unwrap();
                assert!(!(said("taken") && listed.is_empty()), "{fault}");
                let mut held = 0;
                for (name, from, to, event) in WAYS.iter().filter(|_| !listed.is_empty()) {
                    let shown = store.show(&id(name)).await.unwrap();
                    let state = shown.summary.state;
                    assert!([*from, *to].contains(&state), "{fault}: {name} is {state:?}");
                    let decided = state == *to;
                    assert!(decided || !said(&format!("done {name}")), "{fault}: {name} was answered and is not there");
                    held += usize::from(state == State::Held);
                    let lines = shown.audit.iter().filter(|line| line.event == *event).count();
                    assert_eq!(lines, usize::from(decided), "{fault}: {name} and its line in the audit");
                    let told = listed.iter().any(|one| one.id.0 == format!("N-{name}"));
                    assert_eq!(told, decided && *name != "HOLD", "{fault}: {name} and its notice");
                    if state.keeps_content() {
                        assert_eq!(&*store.content(&id(name)).await.unwrap(), b"x\r\n", "{fault}: {name}");
                    }
                }
                let waiting = store.held_page(&HeldFilter::default(), None, 50).await.unwrap().lines.len();
                assert_eq!(waiting, held, "{fault}: what is held is what the desk shows");
                assert!(store.audit_verify(Scope::Whole).await.unwrap().is_ok(), "{fault}");
            });
            if status.success() {
                break;
            }
            kills += 1;
        }
    }
    // At each of the four points each of the seven, and the intake.
    assert!(kills > 4 * WAYS.len(), "{kills} kills");
}
