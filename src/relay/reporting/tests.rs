use std::time::Duration;

use super::*;
use crate::relay::notify::tests::address;
use crate::store::{Class, Clock, Filter, IncidentFilter, Manner, StoreKey};

async fn open(directory: &std::path::Path, clock: &Clock) -> Store {
    let manner = Manner { clock: clock.clone(), ..Manner::default() };
    Store::open_exclusive_in(directory, StoreKey::from_bytes([7; 32]), &manner).await.unwrap()
}

fn notifier(roles: &[(&str, &str)]) -> Notifier {
    let roles = roles.iter().map(|(role, mailbox)| ((*role).to_owned(), vec![address(mailbox)])).collect();
    Notifier::new("A School", "", "gate.school.example", address("gate@school.example"), None, roles).unwrap()
}

fn all() -> Notifier {
    notifier(&[
        ("sbm", "sbm@school.example"),
        ("dpo", "dpo@council.example"),
        ("head", "head@school.example"),
        ("chair", "chair@x.example"),
    ])
}

async fn opened(store: &Store, name: &str) -> QueueId {
    let new = NewIncident {
        id: QueueId(name.to_owned()),
        message: None,
        report: None,
        origin: Origin::Hand,
        assessment: Assessment { happened: "Zebedee Quill's plan went astray.".to_owned(), ..Assessment::default() },
        who: "sue".to_owned(),
    };
    store.open_incident(new).await.unwrap().unwrap()
}

/// To whom each letter so far went, and what it says is left.
async fn letters(store: &Store) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for summary in store.list(Filter { class: Some(Class::Notice), ..Filter::default() }, 100).await.unwrap() {
        let content = store.content(&summary.id).await.unwrap();
        let message = mail_parser::MessageParser::default().parse(&content[..]).unwrap();
        let text = message.body_text(0).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!text.contains("Zebedee"), "{text}");
        let to = store.show(&summary.id).await.unwrap().recipients;
        let left = text.split("BREACH? ").nth(1).and_then(|rest| rest.split('.').next()).unwrap_or_default().to_owned();
        found.push((to.iter().map(|one| one.address.to_string()).collect::<Vec<_>>().join(" "), left));
    }
    found
}

const WHOM: &str = "sbm@school.example dpo@council.example head@school.example";

/// The hours are those of the clock: over a weekend, and over the end of summer time.
#[tokio::test]
async fn each_reminder_goes_once_over_restarts_a_weekend_and_the_end_of_summer_time() {
    // Friday 23 October 2026, 15:00 in London; summer time ends on Sunday.
    let clock = Clock::manual("2026-10-23T14:00:00Z".parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let mut store = open(directory.path(), &clock).await;
    let id = opened(&store, "I1").await;
    clock.advance(Duration::from_secs(30 * 3_600));
    remind(&store, &all()).await.unwrap();
    assert_eq!(letters(&store).await, [], "nobody has said that the school is aware");
    store.aware_of_incident(&id, clock.now(), "sue").await.unwrap();
    let ends = "they end on Tuesday 27 October 2026 at 20:00";
    let expected = [
        format!("48 hours are left to tell the ICO: {ends}"),
        format!("24 hours are left to tell the ICO: {ends}"),
        format!("6 hours are left to tell the ICO: {ends}"),
    ];
    for (minutes, sent) in [(24 * 60 - 1, 0), (1, 1), (24 * 60 - 1, 1), (1, 2), (18 * 60 - 1, 2), (1, 3), (60 * 200, 3)]
    {
        clock.advance(Duration::from_secs(minutes * 60));
        remind(&store, &all()).await.unwrap();
        remind(&store, &all()).await.unwrap();
        store.close().await;
        store = open(directory.path(), &clock).await;
        remind(&store, &all()).await.unwrap();
        let expected: Vec<_> = expected[..sent].iter().map(|left| (WHOM.to_owned(), left.clone())).collect();
        assert_eq!(letters(&store).await, expected, "at {}", clock.now());
    }
}

/// After an outage one letter goes, not three; the answer ends them; and where nobody can be told, none is forgotten.
#[tokio::test]
async fn what_was_missed_is_said_once_and_an_answer_ends_it() {
    let clock = Clock::manual("2026-10-23T14:00:00Z".parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), &clock).await;
    let (late, answered, near) = (opened(&store, "I1").await, opened(&store, "I2").await, opened(&store, "I3").await);
    for id in [&late, &answered, &near] {
        store.aware_of_incident(id, clock.now(), "sue").await.unwrap();
    }
    let words = store.read_incident(&answered).await.unwrap().unwrap().assessment().clone();
    let told = Assessment { ico: Some(true), ico_why: "a risk to the family".to_owned(), ..words.clone() };
    store.write_incident(&answered, 1, told, "dora").await.unwrap();
    let miss = Assessment { kind: crate::store::IncidentKind::NearMiss, ..words };
    store.write_incident(&near, 1, miss, "dora").await.unwrap();
    clock.advance(Duration::from_secs(80 * 3_600));
    remind(&store, &notifier(&[("chair", "chair@x.example")])).await.unwrap();
    assert_eq!(letters(&store).await, [], "none of those who are reminded has a mailbox");
    remind(&store, &all()).await.unwrap();
    let found = letters(&store).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].1.starts_with("The 72 hours are over: they end on Monday 26 October 2026 at 14:00"), "{found:?}");
    // Whoever corrects the time has the letters for the new one.
    store.aware_of_incident(&late, clock.now(), "sue").await.unwrap();
    remind(&store, &all()).await.unwrap();
    assert_eq!(letters(&store).await.len(), 1);
    clock.advance(Duration::from_secs(24 * 3_600));
    remind(&store, &all()).await.unwrap();
    assert_eq!(letters(&store).await.len(), 2);
    let reminded = crate::store::AuditFilter { event: Some("incident-reminded".to_owned()), ..Default::default() };
    assert_eq!(store.audit_list(&reminded, 10).await.unwrap().len(), 2);
    assert_eq!(store.incidents(IncidentFilter::default(), None, 9).await.unwrap().0.len(), 3);
}

/// What a report says: the writer's own words, to whom the attached message went, and whether a program wrote it.
#[test]
fn a_report_is_read() {
    let forwarded = "From: a@school.example\r\nTo: breach@school.example\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nI sent this to the wrong mother.\r\n\
        --b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@school.example\r\nTo: other@gmail.com\r\nCc: third@gmail.com\r\n\
        Subject: Amy\r\n\r\nAmy has asthma.\r\n--b--\r\n";
    let said = read(forwarded.as_bytes());
    assert_eq!(said.words, "I sent this to the wrong mother.");
    assert_eq!(said.to, "other@gmail.com\nthird@gmail.com");
    assert!(!said.automatic);
    for header in ["Auto-Submitted: auto-replied", "Precedence: bulk", "List-Id: <x.school.example>"] {
        assert!(read(format!("{header}\r\nFrom: a@school.example\r\n\r\nI am away.\r\n").as_bytes()).automatic);
    }
    assert_eq!(read(b"\xff\x00").words.matches('\u{0}').count(), 0);
}
