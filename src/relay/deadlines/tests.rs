use std::path::Path;

use super::*;
use crate::inspect::Report;
use crate::policy::Action;
use crate::relay::notify::tests::address;
use crate::school_time::SchoolTime;
use crate::smtp::Envelope;
use crate::store::{Class, Clock, Decision, Filter, Grounds, Manner, Ruling, State, StoreKey};

/// A gateway's house without its doors.
struct House {
    directory: tempfile::TempDir,
    clock: Clock,
    roles: &'static [(&'static str, &'static str)],
    desk: bool,
}

const ALL: &[(&str, &str)] = &[
    ("sbm", "sbm@school.example"),
    ("head", "head@school.example"),
    ("chair", "chair@x.example"),
    ("it", "it@x.example"),
];

impl House {
    fn at(time: &str, roles: &'static [(&'static str, &'static str)], desk: bool) -> Self {
        let clock = Clock::manual(time.parse().unwrap());
        Self { directory: tempfile::tempdir().unwrap(), clock, roles, desk }
    }

    async fn open(&self) -> Deadlines {
        self.open_with(&SchoolTime { digest_at: Vec::new(), ..SchoolTime::default() }).await
    }

    async fn open_with(&self, times: &SchoolTime) -> Deadlines {
        Self::open_at(self.directory.path(), &self.clock, self.roles, self.desk, times).await
    }

    async fn open_at(place: &Path, clock: &Clock, roles: &[(&str, &str)], desk: bool, times: &SchoolTime) -> Deadlines {
        let manner = Manner { clock: clock.clone(), ..Manner::default() };
        let store = Store::open_exclusive_in(place, StoreKey::from_bytes([7; 32]), &manner).await.unwrap();
        store.use_school_time(times.clone());
        let roles = roles.iter().map(|(role, mailbox)| ((*role).to_owned(), vec![address(mailbox)])).collect();
        let notifier =
            Notifier::new("A School", "", "gate.school.example", address("gate@school.example"), None, roles).unwrap();
        Deadlines::new(store, Arc::new(ArcSwap::from_pointee(notifier)), Box::new(|_| Vec::new()), desk)
    }

    fn held(&self, name: &str, sender: Option<&str>) -> NewEntry {
        self.held_to(name, sender, "one@a.example")
    }

    fn held_to(&self, name: &str, sender: Option<&str>, to: &str) -> NewEntry {
        let content: Arc<[u8]> = Arc::from(&b"Subject: plan\r\n\r\nbody\r\n"[..]);
        NewEntry {
            id: QueueId(name.to_owned()),
            class: Class::Mail,
            about: None,
            state: State::Held,
            envelope: Envelope::new(sender.map(address), vec![address(to)]),
            sha256: ring::digest::digest(&ring::digest::SHA256, &content).as_ref().try_into().unwrap(),
            content,
            report: Some(Report::of(Action::Hold)),
            at: self.clock.now(),
            client: None,
        }
    }
}

/// Subject and recipients of each letter so far, in order.
async fn letters(store: &Store) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let filter = Filter { class: Some(Class::Notice), ..Filter::default() };
    for summary in store.list(filter, 100).await.unwrap() {
        let content = store.content(&summary.id).await.unwrap();
        let message = mail_parser::MessageParser::default().parse(&content[..]).unwrap();
        let to: Vec<String> =
            store.show(&summary.id).await.unwrap().recipients.iter().map(|r| r.address.to_string()).collect();
        found.push((message.subject().unwrap().split(':').next().unwrap().to_owned(), to.join(" ")));
    }
    found
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(subject, to)| ((*subject).to_owned(), (*to).to_owned())).collect()
}

#[tokio::test]
async fn it_is_reminded_of_escalated_and_goes_back_each_once_over_restarts() {
    // Friday 9 October 2026, 10:00 in London.
    let house = House::at("2026-10-09T09:00:00Z", ALL, false);
    let mut deadlines = house.open().await;
    deadlines.store.commit(vec![house.held("A", Some("amy@school.example"))]).await.unwrap();
    let expected =
        [("REMINDER", "sbm@school.example"), ("TO DECIDE", "head@school.example"), ("NOT SENT", "amy@school.example")];
    // The weekend; Monday 10:00; Tuesday 08:00; Tuesday 10:00.
    for (minutes, sent) in [(60 * 71, 0), (60, 1), (22 * 60 - 1, 1), (1, 2), (119, 2), (1, 3), (60 * 24 * 30, 3)] {
        house.clock.advance(Duration::from_secs(minutes * 60));
        deadlines.round().await.unwrap();
        deadlines.round().await.unwrap();
        deadlines.store.close().await;
        deadlines = house.open().await;
        deadlines.round().await.unwrap();
        assert_eq!(letters(&deadlines.store).await, pairs(&expected[..sent]), "at {}", house.clock.now());
    }
    let shown = deadlines.store.show(&QueueId("A".to_owned())).await.unwrap();
    assert_eq!(shown.summary.state, State::Returned);
    let told: Vec<_> = shown.audit.iter().map(|line| (line.event.as_str(), line.who.as_str())).collect();
    let ours = ["accepted", "reminded", "escalated", "returned"].map(|event| (event, "gateway"));
    assert_eq!(told, ours);
    // Relay checklist, row 135: after its time it is not released, and who tries is told who ended it.
    let sue = Grounds { who: "Sue".to_owned(), ..Grounds::default() };
    let late = deadlines.store.decide_on(&QueueId("A".to_owned()), &Ruling::Release, &sue, Vec::new()).await.unwrap();
    assert!(matches!(&late, Decision::Already(line) if line.who == "gateway" && line.event == "returned"), "{late:?}");
    let shown = deadlines.store.show(&QueueId("A".to_owned())).await.unwrap();
    assert_eq!(shown.summary.state, State::Returned);
}

#[tokio::test]
async fn what_cannot_go_back_waits_on_and_somebody_is_told() {
    let house = House::at("2026-10-05T09:00:00Z", ALL, false);
    let deadlines = house.open().await;
    deadlines.store.commit(vec![house.held("A", None)]).await.unwrap();
    house.clock.advance(Duration::from_secs(48 * 3_600));
    deadlines.round().await.unwrap();
    deadlines.round().await.unwrap();
    // Nobody was told of it in two days: the ladder first, and time for it.
    let told = [("TO DECIDE", "head@school.example"), ("REMINDER", "sbm@school.example")];
    assert_eq!(letters(&deadlines.store).await, pairs(&told));
    house.clock.advance(Duration::from_secs(48 * 3_600));
    deadlines.round().await.unwrap();
    deadlines.round().await.unwrap();
    let told = [&told[..], &[("TO DECIDE", "head@school.example")]].concat();
    assert_eq!(letters(&deadlines.store).await, pairs(&told));
    let line = deadlines.store.held_line(&QueueId("A".to_owned())).await.unwrap().unwrap();
    assert!(line.decided.is_none() && line.due_at.is_some_and(|due| due > house.clock.now()));
}

#[tokio::test]
async fn whoever_is_missing_somebody_is_told() {
    const NO_HEAD: &[(&str, &str)] =
        &[("sbm", "sbm@school.example"), ("chair", "chair@x.example"), ("it", "it@x.example")];
    const TWO: &[(&str, &str)] = &[("sbm", "sbm@school.example"), ("dsl", "dsl@school.example")];
    const ONE: &[(&str, &str)] = &[("sbm", "sbm@school.example")];
    for (roles, desk, sender, to, reminded, escalated) in [
        (ALL, false, "amy@school.example", "x@a.example", "sbm@school.example", "head@school.example"),
        // The SBM's own mail goes up, and so does what is addressed to the SBM.
        (ALL, false, "sbm@school.example", "x@a.example", "head@school.example it@x.example", "head@school.example"),
        (
            ALL,
            false,
            "amy@school.example",
            "sbm@school.example",
            "head@school.example it@x.example",
            "head@school.example",
        ),
        (
            ALL,
            false,
            "sbm@school.example",
            "head@school.example",
            "chair@x.example it@x.example",
            "chair@x.example it@x.example",
        ),
        (NO_HEAD, false, "amy@school.example", "x@a.example", "sbm@school.example", "chair@x.example it@x.example"),
        // Off the ladder, whoever may decide; with nobody else left, who gets it.
        (TWO, false, "sbm@school.example", "x@a.example", "dsl@school.example", "dsl@school.example"),
        (ONE, false, "amy@school.example", "sbm@school.example", "sbm@school.example", "sbm@school.example"),
        // Nobody has an account at the desk.
        (
            ALL,
            true,
            "amy@school.example",
            "x@a.example",
            "sbm@school.example head@school.example chair@x.example it@x.example",
            "head@school.example chair@x.example it@x.example",
        ),
    ] {
        let house = House::at("2026-10-05T09:00:00Z", roles, desk);
        let deadlines = house.open().await;
        deadlines.store.commit(vec![house.held_to("A", Some(sender), to)]).await.unwrap();
        for hours in [24, 23] {
            house.clock.advance(Duration::from_secs(hours * 3_600));
            deadlines.round().await.unwrap();
        }
        assert_eq!(
            letters(&deadlines.store).await,
            pairs(&[("REMINDER", reminded), ("TO DECIDE", escalated)]),
            "{sender} to {to}"
        );
    }
}

/// The gateway was down, and comes up again at this time.
#[tokio::test]
async fn after_an_outage_nothing_goes_back_of_which_nobody_was_told() {
    // Held on Monday at 10:00, to be decided on by Wednesday at 10:00. In hours after that: up at, told of by then; then the
    // new end, where there is one.
    let (escalated, reminded) = (("TO DECIDE", "head@school.example"), ("REMINDER", "sbm@school.example"));
    for (before, up_at, told, end) in [
        // Up again between reminder and ladder, and just after the ladder's time: it goes on as it was.
        (1, 44, &[reminded][..], "2026-10-07T09:00:00Z"),
        (25, 46, &[reminded, escalated], "2026-10-07T09:00:00Z"),
        (1, 46, &[escalated, reminded], "2026-10-07T09:00:00Z"),
        // An hour and a half later the ladder is late: the last quarter, 12 hours of school days, from now on.
        (25, 47 + 1, &[reminded, escalated], "2026-10-08T07:00:00Z"),
        // Past its end, by hours, and by a fortnight.
        (1, 50, &[escalated, reminded], "2026-10-08T07:00:00Z"),
        (25, 24 * 14, &[reminded, escalated], "2026-10-20T07:00:00Z"),
        // Up again on a Saturday.
        (1, 24 * 5 + 2, &[escalated, reminded], "2026-10-13T07:00:00Z"),
    ] {
        let house = House::at("2026-10-05T09:00:00Z", ALL, false);
        let deadlines = house.open().await;
        deadlines.store.commit(vec![house.held("A", Some("amy@school.example"))]).await.unwrap();
        house.clock.advance(Duration::from_secs(before * 3_600));
        deadlines.round().await.unwrap();
        deadlines.store.close().await;
        house.clock.advance(Duration::from_secs((up_at - before) * 3_600));
        let deadlines = house.open().await;
        for _ in 0..2 {
            deadlines.round().await.unwrap();
            assert_eq!(letters(&deadlines.store).await, pairs(told), "up at {up_at}");
        }
        let line = deadlines.store.held_line(&QueueId("A".to_owned())).await.unwrap().unwrap();
        assert_eq!(line.due_at.unwrap().to_string(), end, "up at {up_at}");
        let left = || line.due_at.unwrap().duration_since(house.clock.now()).unsigned_abs();
        // From now on it runs.
        while left() > Duration::from_secs(1) {
            house.clock.advance((left() - Duration::from_secs(1)).min(Duration::from_secs(1_800)));
            deadlines.round().await.unwrap();
        }
        assert!(!letters(&deadlines.store).await.iter().any(|(what, _)| what == "NOT SENT"), "up at {up_at}: early");
        house.clock.advance(Duration::from_secs(1));
        deadlines.round().await.unwrap();
        assert_eq!(letters(&deadlines.store).await.last().unwrap().0, "NOT SENT", "up at {up_at}");
    }
}

/// At one hour, before the reminder's.
fn one_digest() -> SchoolTime {
    SchoolTime { digest_at: vec![jiff::civil::Time::constant(8, 30, 0, 0)], ..SchoolTime::default() }
}

#[test]
#[ignore = "started by the test below, which kills it"]
fn child_that_looks_at_what_is_due() {
    let (Ok(place), Ok(now)) = (std::env::var("SCHOOLGATE_TEST_STORE"), std::env::var("SCHOOLGATE_TEST_NOW")) else {
        return;
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let clock = Clock::manual(now.parse().unwrap());
        House::open_at(Path::new(&place), &clock, ALL, false, &one_digest()).await.round().await.unwrap();
    });
}

/// Killed at every step between a mark and its letters: both are there or neither, and in the end each went once.
#[test]
fn a_kill_between_a_mark_and_its_letter_loses_and_doubles_none() {
    use crate::store::tests::crashes::run;
    let mut died = 0;
    for (hours, event, letter) in [
        // The digest, of which the audit says nothing.
        (23, "", ("TO DECIDE", "sbm@school.example")),
        (24, "reminded", ("REMINDER", "sbm@school.example")),
        (46, "escalated", ("TO DECIDE", "head@school.example")),
        (48, "returned", ("NOT SENT", "amy@school.example")),
    ] {
        for point in ["before-content-write", "after-content-write", "after-content-sync", "after-commit"] {
            for pass in 1..=9 {
                let house = House::at("2026-10-05T09:00:00Z", ALL, false);
                let place = house.directory.path();
                let until = |hours: i64| {
                    let at = "2026-10-05T09:00:00Z".parse::<jiff::Timestamp>().unwrap()
                        + jiff::SignedDuration::from_hours(hours);
                    house.clock.advance(at.duration_since(house.clock.now()).unsigned_abs());
                };
                let runtime = tokio::runtime::Runtime::new().unwrap();
                // What comes before it has been.
                runtime.block_on(async {
                    let deadlines = house.open_with(&one_digest()).await;
                    deadlines.round().await.unwrap();
                    deadlines.store.commit(vec![house.held("A", Some("amy@school.example"))]).await.unwrap();
                    for earlier in [21, 24, 46].iter().filter(|earlier| **earlier < hours) {
                        until(*earlier);
                        deadlines.round().await.unwrap();
                    }
                    until(hours);
                    deadlines.store.close().await;
                });
                let environment = [
                    ("SCHOOLGATE_TEST_STORE", place.display().to_string()),
                    ("SCHOOLGATE_TEST_NOW", house.clock.now().to_string()),
                ];
                let child = "relay::deadlines::tests::child_that_looks_at_what_is_due";
                let (status, printed) = run(child, &format!("{point}:{pass}"), &environment);
                let what = format!("{letter:?} at {point}:{pass}");
                runtime.block_on(async {
                    let deadlines = house.open_with(&one_digest()).await;
                    let counted = async |store: &Store| {
                        let shown = store.show(&QueueId("A".to_owned())).await.unwrap();
                        let marks = shown.audit.iter().filter(|line| line.event == event).count();
                        let sent = letters(store)
                            .await
                            .iter()
                            .filter(|(what, to)| (what.as_str(), to.as_str()) == letter)
                            .count();
                        (marks, sent)
                    };
                    let (marks, sent) = counted(&deadlines.store).await;
                    assert!(event.is_empty() || marks == sent, "{what}: {marks} marks, {sent} letters");
                    deadlines.round().await.unwrap();
                    deadlines.round().await.unwrap();
                    let (marks, sent) = counted(&deadlines.store).await;
                    assert_eq!((marks, sent), (usize::from(!event.is_empty()), 1), "{what}");
                    let check = deadlines.store.audit_check(crate::store::Scope::Whole).await.unwrap();
                    assert_eq!(check.faults, [], "{what}");
                    deadlines.store.close().await;
                });
                if status.success() {
                    break;
                }
                died += 1;
                assert!(pass < 9, "{what}: there is no end of it: {printed}");
            }
        }
    }
    assert!(died >= 4 * 4, "it died {died} times");
}

#[tokio::test]
async fn a_digest_lists_what_waits_once_at_its_hour() {
    // Monday 5 October 2026, 08:00 in London.
    let house = House::at("2026-10-05T07:00:00Z", ALL, false);
    let mut deadlines = house.open().await;
    deadlines.round().await.unwrap();
    let own = house.held("B", Some("sbm@school.example"));
    deadlines.store.commit(vec![house.held("A", Some("amy@school.example")), own]).await.unwrap();
    for (minutes, sent) in [(29, 0), (1, 3), (30, 3)] {
        house.clock.advance(Duration::from_secs(minutes * 60));
        for _ in 0..2 {
            deadlines.store.use_school_time(SchoolTime::default());
            deadlines.round().await.unwrap();
            deadlines.store.close().await;
            deadlines = house.open().await;
        }
        let mut to: Vec<String> = letters(&deadlines.store).await.into_iter().map(|(_, to)| to).collect();
        to.sort();
        // The SBM's own message is for the head and, since a rung was passed over, the technician.
        let all = ["head@school.example", "it@x.example", "sbm@school.example"];
        assert_eq!(to, all[..sent], "after {minutes} minutes");
    }
}
