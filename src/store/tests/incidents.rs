//! The register: opened with a decision and once, written on by one at a time, closed only when it may be.

use super::*;
use crate::store::{Assessment, Classification, Export, IncidentFilter, IncidentKind, NewIncident, Origin};

fn classed(class: Classification) -> Grounds {
    Grounds { classification: Some(class), ..grounds("sue", "to a stranger") }
}

fn by_hand(name: &str, about: Option<&str>) -> NewIncident {
    NewIncident {
        id: id(name),
        message: about.map(id),
        report: None,
        origin: Origin::Hand,
        assessment: Assessment { happened: "A list was left on the bus.".to_owned(), ..Assessment::default() },
        who: "sue".to_owned(),
    }
}

async fn all(store: &Store) -> Vec<(Option<String>, IncidentKind)> {
    let (lines, _) = store.incidents(IncidentFilter::default(), None, 50).await.unwrap();
    lines.into_iter().map(|line| (line.message.map(|id| id.0), line.kind)).collect()
}

#[tokio::test]
async fn a_decision_opens_one_and_no_message_has_two() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    for name in ["A", "B", "C"] {
        store.commit(vec![entry(name, State::Held, b"x\r\n")]).await.unwrap();
    }
    let decide = async |name: &str, ruling: Ruling, class: Classification| {
        store.decide_on(&id(name), &ruling, &classed(class), Vec::new()).await.unwrap()
    };
    assert_eq!(decide("A", Ruling::Release, Classification::Breach).await, Decision::Done);
    decide("B", Ruling::Return, Classification::NearMiss).await;
    decide("C", Ruling::Discard, Classification::Neither).await;
    let expected =
        vec![(Some("A".to_owned()), IncidentKind::LikelyBreach), (Some("B".to_owned()), IncidentKind::NearMiss)];
    assert_eq!(all(&store).await, expected);
    // Too late, and by hand about the same message: no second one.
    decide("A", Ruling::Return, Classification::NearMiss).await;
    assert_eq!(store.open_incident(by_hand("I1", Some("B"))).await.unwrap(), None);
    assert_eq!(all(&store).await, expected);
    let lines = store.incidents(IncidentFilter::default(), None, 50).await.unwrap().0;
    let incident = store.see_incident(&lines[0].id, "dora").await.unwrap();
    let assessment = incident.assessment();
    assert!(assessment.happened.contains("It was sent on: to a stranger"), "{}", assessment.happened);
    assert!(assessment.concerned.len() > 1 && !assessment.to_whom.is_empty(), "{assessment:?}");
    // Neither the words nor the addresses stand in the database in clear, nor in the audit.
    let audit = store.audit_list(&AuditFilter::default(), 100).await.unwrap();
    assert_eq!(audit.iter().filter(|line| line.event == "incident-opened").count(), 2);
    assert!(audit.iter().any(|line| line.event == "incident-seen" && line.who == "dora"));
    store.close().await;
    let mut open = raw(directory.path()).await;
    let bodies: Vec<Vec<u8>> =
        sqlx::query_scalar("select body from incident_version").fetch_all(&mut open).await.unwrap();
    assert_eq!(bodies.len(), 2);
    assert!(bodies.iter().all(|body| !String::from_utf8_lossy(body).contains("stranger")));
}

#[tokio::test]
async fn versions_stay_and_the_older_one_is_not_written_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    store.open_incident(by_hand("I1", None)).await.unwrap().unwrap();
    let first = store.read_incident(&id("I1")).await.unwrap().unwrap().assessment().clone();
    let refused = |result: Result<(), StoreError>| matches!(result, Err(StoreError::Refused(_)));
    assert!(refused(store.close_incident(&id("I1"), "done", "dora").await), "the ICO question is open");
    let answered = Assessment { ico: Some(false), ..first.clone() };
    assert!(refused(store.write_incident(&id("I1"), 1, answered.clone(), "dora").await), "an answer needs a reason");
    let answered = Assessment { ico_why: "no risk".to_owned(), ..answered };
    store.write_incident(&id("I1"), 1, answered.clone(), "dora").await.unwrap();
    assert!(refused(store.write_incident(&id("I1"), 1, first.clone(), "sue").await), "it is no longer the newest");
    assert!(refused(store.close_incident(&id("I1"), " ", "dora").await));
    store.close_incident(&id("I1"), "found again, unread", "dora").await.unwrap();
    assert!(refused(store.write_incident(&id("I1"), 3, first, "sue").await), "it is closed");
    assert!(refused(store.aware_of_incident(&id("I1"), Timestamp::now(), "sue").await), "it is closed");
    let incident = store.read_incident(&id("I1")).await.unwrap().unwrap();
    let written: Vec<_> = incident.versions.iter().map(|one| (one.version, one.by.as_str())).collect();
    assert_eq!(written, [(3, "dora"), (2, "dora"), (1, "sue")]);
    assert_eq!(incident.assessment().closed_why, "found again, unread");
    assert_eq!(incident.line.ico, Some(false));
    assert!(refused(store.see_incident(&id("I2"), "sue").await.map(drop)));
    let exported = store.export_incidents(Export::Dossier, Some("P1"), false, "dora").await.unwrap();
    assert!(exported.is_empty());
}

#[tokio::test]
async fn pages_go_on_behind_each_other_and_the_clock_comes_first() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    for name in ["I1", "I2", "I3", "I4"] {
        store.open_incident(by_hand(name, None)).await.unwrap();
    }
    let now = Timestamp::now();
    let hours = |many: i64| now - jiff::SignedDuration::from_hours(many);
    store.aware_of_incident(&id("I3"), hours(3), "sue").await.unwrap();
    store.aware_of_incident(&id("I4"), hours(30), "sue").await.unwrap();
    let ahead = store.aware_of_incident(&id("I1"), now + jiff::SignedDuration::from_hours(1), "sue").await;
    assert!(matches!(ahead, Err(StoreError::Refused(_))));
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let (lines, next) = store.incidents(IncidentFilter::default(), after.as_ref(), 3).await.unwrap();
        seen.extend(lines.into_iter().map(|line| line.id.0));
        let Some(next) = next else { break };
        assert_eq!(next.to_string().parse(), Ok(next.clone()));
        after = Some(next);
    }
    assert_eq!(seen, ["I4", "I3", "I1", "I2"]);
}
