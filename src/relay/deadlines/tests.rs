use std::path::Path;

use super::*;
use crate::inspect::Report;
use crate::policy::Action;
use crate::relay::notify::tests::address;
use crate::school_time::SchoolTime;
use crate::smtp::Envelope;
use crate::store::{Class, Clock, Filter, Manner, State, StoreKey};

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
        let manner = Manner { clock: self.clock.clone(), ..Manner::default() };
        let place: &Path = self.directory.path();
        let store = Store::open_exclusive_in(place, StoreKey::from_bytes([7; 32]), &manner).await.unwrap();
        store.use_school_time(SchoolTime { digest_at: Vec::new(), ..SchoolTime::default() });
        let roles = self.roles.iter().map(|(role, mailbox)| ((*role).to_owned(), vec![address(mailbox)])).collect();
        let notifier =
            Notifier::new("A School", "", "gate.school.example", address("gate@school.example"), None, roles).unwrap();
        Deadlines::new(store, Arc::new(ArcSwap::from_pointee(notifier)), Box::new(|_| Vec::new()), self.desk)
    }

    fn held(&self, name: &str, sender: Option<&str>) -> NewEntry {
        let content: Arc<[u8]> = Arc::from(&b"Subject: plan\r\n\r\nbody\r\n"[..]);
        NewEntry {
            id: QueueId(name.to_owned()),
            class: Class::Mail,
            about: None,
            state: State::Held,
            envelope: Envelope::new(sender.map(address), vec![address("one@a.example")]),
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
}

#[tokio::test]
async fn what_cannot_go_back_waits_on_and_somebody_is_told() {
    let house = House::at("2026-10-05T09:00:00Z", ALL, false);
    let deadlines = house.open().await;
    deadlines.store.commit(vec![house.held("A", None)]).await.unwrap();
    house.clock.advance(Duration::from_secs(48 * 3_600));
    deadlines.round().await.unwrap();
    deadlines.round().await.unwrap();
    assert_eq!(letters(&deadlines.store).await, pairs(&[("TO DECIDE", "head@school.example")]));
    let line = deadlines.store.held_line(&QueueId("A".to_owned())).await.unwrap().unwrap();
    assert!(line.decided.is_none() && line.due_at.is_some_and(|due| due > house.clock.now()));
}

#[tokio::test]
async fn whoever_is_missing_somebody_is_told() {
    const NO_HEAD: &[(&str, &str)] =
        &[("sbm", "sbm@school.example"), ("chair", "chair@x.example"), ("it", "it@x.example")];
    for (roles, desk, sender, reminded, escalated) in [
        (ALL, false, "amy@school.example", "sbm@school.example", "head@school.example"),
        // The SBM's own mail goes up.
        (ALL, false, "sbm@school.example", "head@school.example it@x.example", "head@school.example"),
        (NO_HEAD, false, "amy@school.example", "sbm@school.example", "chair@x.example it@x.example"),
        // Nobody has an account at the desk.
        (
            ALL,
            true,
            "amy@school.example",
            "sbm@school.example head@school.example chair@x.example it@x.example",
            "head@school.example chair@x.example it@x.example",
        ),
    ] {
        let house = House::at("2026-10-05T09:00:00Z", roles, desk);
        let deadlines = house.open().await;
        deadlines.store.commit(vec![house.held("A", Some(sender))]).await.unwrap();
        for hours in [24, 23] {
            house.clock.advance(Duration::from_secs(hours * 3_600));
            deadlines.round().await.unwrap();
        }
        assert_eq!(
            letters(&deadlines.store).await,
            pairs(&[("REMINDER", reminded), ("TO DECIDE", escalated)]),
            "{sender}"
        );
    }
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
