//! Purposes, requests and grants.

use super::super::super::tests::entry;
use super::*;
use crate::store::State;

#[tokio::test]
async fn a_purpose_is_recorded_once_for_a_message_and_a_person() {
    let desk = Desk::new().await;
    desk.store.commit(vec![entry("A", State::Held, b"x")]).await.unwrap();
    let (jane, joe) = (id_of(&desk, "jane").await, id_of(&desk, "joe").await);
    let message = QueueId("A".to_owned());
    for (who, what, purpose, recorded) in [
        (&jane, Looked::Findings, "to decide on it", Some(true)),
        (&jane, Looked::Findings, "again", Some(false)),
        (&jane, Looked::Content, "to decide on it", Some(true)),
        (&joe, Looked::Findings, "  ", None),
        (&joe, Looked::Findings, "safeguarding", Some(true)),
    ] {
        let before = desk.store.opened_for(&message, who, what).await.unwrap().is_some();
        let done = desk.store.note_opened(&message, who, what, purpose).await;
        assert_eq!(done.as_ref().ok(), recorded.as_ref(), "{purpose}: {done:?}");
        assert_eq!(before, recorded == Some(false), "{purpose}");
    }
    let long = "x".repeat(limits::REASON_CHARS + 1);
    assert!(desk.store.note_opened(&message, &joe, Looked::Content, &long).await.is_err());
    let nothing = desk.store.note_opened(&QueueId("B".to_owned()), &joe, Looked::Content, "why").await;
    assert!(matches!(nothing, Err(StoreError::NotFound(_))));
    let filter = AuditFilter { event: Some("opened".to_owned()), message: Some(message), ..AuditFilter::default() };
    let lines = desk.store.audit_list(&filter, 10).await.unwrap();
    let who: Vec<_> = lines.iter().map(|line| line.who.as_str()).collect();
    assert_eq!(who, ["jane", "jane", "joe"]);
    assert!(lines[2].detail.contains("safeguarding"));
}

/// Each look is a line, with the purpose that was given first.
#[tokio::test]
async fn every_later_look_is_recorded_with_the_first_purpose() {
    let desk = Desk::new().await;
    desk.store.commit(vec![entry("A", State::Held, b"x")]).await.unwrap();
    let (jane, joe) = (id_of(&desk, "jane").await, id_of(&desk, "joe").await);
    let message = QueueId("A".to_owned());
    let store = &desk.store;
    assert!(!store.note_opened_again(&message, &jane, Looked::Content).await.unwrap(), "nothing was opened");
    assert!(store.note_opened(&message, &jane, Looked::Content, "facts: a parent rang").await.unwrap());
    for (who, what, noted) in [
        (&jane, Looked::Content, true),
        (&jane, Looked::Original, true),
        (&jane, Looked::Findings, false),
        (&joe, Looked::Content, false),
    ] {
        assert_eq!(store.note_opened_again(&message, who, what).await.unwrap(), noted, "{what:?}");
        let purpose = noted.then(|| "facts: a parent rang".to_owned());
        assert_eq!(store.opened_for(&message, who, what).await.unwrap(), purpose, "{what:?}");
    }
    assert!(!store.note_opened(&message, &jane, Looked::Content, "another").await.unwrap());
    let nothing = store.note_opened_again(&QueueId("B".to_owned()), &joe, Looked::Content).await;
    assert!(matches!(nothing, Err(StoreError::NotFound(_))));
    let filter = AuditFilter { who: Some("jane".to_owned()), message: Some(message), ..AuditFilter::default() };
    let lines = store.audit_list(&filter, 10).await.unwrap();
    let said: Vec<_> = lines.iter().map(|line| (line.event.as_str(), line.detail.as_str())).collect();
    let detail = |what: &str| format!(r#"{{"what":"{what}","why":"facts: a parent rang"}}"#);
    let (content, original) = (detail("content"), detail("original"));
    let again = "viewed-again";
    assert_eq!(said, [("opened", &*content), (again, &content), (again, &original), (again, &content)]);
}

async fn id_of(desk: &Desk, name: &str) -> AccountId {
    let roles: &[Role] = if name.starts_with("chair") { &[Role::Chair] } else { &[Role::Sbm] };
    desk.add(name, roles).await;
    desk.store.account(name).await.unwrap().id
}

#[tokio::test]
async fn a_chair_opens_a_sealed_message_to_one_person_for_a_time() {
    let desk = Desk::new().await;
    // The message is from amy@school.example.
    desk.store.commit(vec![entry("A", State::Held, b"x"), entry("B", State::Held, b"y")]).await.unwrap();
    let (a, b) = (QueueId("A".to_owned()), QueueId("B".to_owned()));
    let (jane, joe, chair) = (id_of(&desk, "jane").await, id_of(&desk, "joe").await, id_of(&desk, "chair").await);
    let store = &desk.store;
    let amy = Address::parse("amy@school.example").unwrap();
    store.create_account("amy", &amy, &[Role::Chair], "root").await.unwrap();
    let amy = store.account("amy").await.unwrap().id;

    assert!(!store.approve_opening(&a, &jane, &chair).await.unwrap(), "nobody asked");
    assert!(store.ask_to_open(&a, &jane, "A complaint of 12 November.").await.unwrap());
    assert!(!store.ask_to_open(&a, &jane, "Once more.").await.unwrap(), "it waits already");
    assert!(store.ask_to_open(&a, &chair, "I as well.").await.unwrap());
    for (account, by, why) in [
        (&jane, &jane, "chair of governors"),
        (&jane, &joe, "chair of governors"),
        (&chair, &chair, "their own request"),
        (&jane, &amy, "their own message"),
    ] {
        let refused = store.approve_opening(&a, account, by).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    let waiting = store.sealed_requests(None).await.unwrap();
    assert_eq!(
        waiting.iter().map(|r| (r.name.as_str(), r.until)).collect::<Vec<_>>(),
        [("jane", None), ("chair", None)]
    );
    assert_eq!(store.opened_until(&a, &jane).await.unwrap(), None);

    assert!(store.approve_opening(&a, &jane, &chair).await.unwrap());
    assert!(!store.approve_opening(&a, &jane, &chair).await.unwrap(), "once");
    let until = desk.clock.now() + Duration::from_secs(limits::SEALED_GRANT_SECONDS);
    for (message, who, open) in [(&a, &jane, Some(until)), (&b, &jane, None), (&a, &joe, None), (&a, &chair, None)] {
        assert_eq!(store.opened_until(message, who).await.unwrap(), open);
    }
    let about = store.sealed_requests(Some(&a)).await.unwrap();
    assert_eq!(about[0].approved_by.as_deref(), Some("chair"));
    assert_eq!(store.sealed_requests(None).await.unwrap().len(), 1);
    desk.later(limits::SEALED_GRANT_SECONDS - 1);
    assert_eq!(store.opened_until(&a, &jane).await.unwrap(), Some(until));
    desk.later(1);
    assert_eq!(store.opened_until(&a, &jane).await.unwrap(), None, "a grant has an end");
    assert!(store.ask_to_open(&a, &jane, "Not done yet.").await.unwrap(), "and may be asked for again");
    let told = desk.events().await.into_iter().filter(|event| event.starts_with("opening")).collect::<Vec<_>>();
    assert_eq!(told, ["opening-asked", "opening-asked", "opening-approved", "opening-asked"]);
    assert!(store.audit_check(crate::store::Scope::Whole).await.unwrap().faults.is_empty());
}
