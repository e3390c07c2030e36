//! Who may not decide, and what the sender is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::store::{Class, Clock, Filter, Manner, NewEntry, State, StoreKey};

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn notifier() -> Notifier {
    let from = address("gate@school.example");
    Notifier::new("A School", "", "gate.school.example", from, None, BTreeMap::new()).unwrap()
}

fn held(name: &str) -> NewEntry {
    let content = b"Subject: plan\r\n\r\nbody\r\n";
    let recipients = ["one@a.example", "two@b.example", "three@b.example"].map(address);
    NewEntry {
        id: QueueId(name.to_owned()),
        class: Class::Mail,
        about: None,
        state: State::Held,
        envelope: Envelope::new(Some(address("amy@school.example")), recipients.to_vec()),
        content: Arc::from(&content[..]),
        sha256: ring::digest::digest(&ring::digest::SHA256, content).as_ref().try_into().unwrap(),
        report: Some(undecided()),
        at: Timestamp::now(),
        client: None,
    }
}

async fn store(directory: &std::path::Path) -> Store {
    let manner = Manner { clock: Clock::manual("2026-10-05T09:00:00Z".parse().unwrap()), ..Manner::default() };
    Store::open_exclusive_in(directory, StoreKey::from_bytes([7; 32]), &manner).await.unwrap()
}

#[tokio::test]
async fn nobody_decides_on_mail_from_or_to_them() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path()).await;
    store.commit(vec![held("A")]).await.unwrap();
    let id = QueueId("A".to_owned());
    let shown = store.show(&id).await.unwrap();
    let grounds = Grounds { who: "Sue".to_owned(), why: "fine".to_owned(), ..Grounds::default() };
    for (own, theirs) in [
        (vec![], false),
        (vec!["amy@school.example"], true),
        (vec!["sue@school.example", "AMY@School.example"], true),
        (vec!["two@b.example"], true),
        (vec!["sue@school.example"], false),
        (vec!["my@school.example"], false),
    ] {
        let own: Vec<Address> = own.into_iter().map(address).collect();
        assert_eq!(concerns(&own, &shown), theirs, "{own:?}");
        if theirs {
            for ruling in [Ruling::Release, Ruling::ReleaseTo(vec![0]), Ruling::Return, Ruling::Discard] {
                let asked = Asked { ruling, note: "", grounds: grounds.clone(), own: &own };
                let refused = decide(&store, &notifier(), &id, &asked).await;
                assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
            }
        }
    }
    assert_eq!(store.show(&id).await.unwrap().summary.state, State::Held);
}

#[tokio::test]
async fn the_sender_is_told_what_became_of_it_and_who_does_not_get_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path()).await;
    for (name, ruling, note, says, silent) in [
        ("A", Ruling::Release, "", "has been released\r\n", "one@a.example does not"),
        (
            "B",
            Ruling::ReleaseTo(vec![1]),
            "",
            "WHO DOES NOT GET IT\r\n\r\n  one@a.example\r\n  three@b.example\r\n\r\n",
            "deleted",
        ),
        ("C", Ruling::ReleaseTo(vec![0, 1, 2]), "", "has been released\r\n", "WHO DOES NOT GET IT"),
        ("D", Ruling::Return, "Ask first.", "Ask first.", "has been released"),
        ("E", Ruling::Discard, "", "was not sent", "has been released"),
    ] {
        store.commit(vec![held(name)]).await.unwrap();
        let grounds = Grounds { who: "Sue".to_owned(), why: "a reason".to_owned(), ..Grounds::default() };
        let id = QueueId(name.to_owned());
        let asked = Asked { ruling, note, grounds, own: &[] };
        assert_eq!(decide(&store, &notifier(), &id, &asked).await.unwrap(), Decision::Done, "{name}");
        let notices = store.list(Filter { class: Some(Class::Notice), ..Filter::default() }, 100).await.unwrap();
        let notices: Vec<_> = notices.into_iter().filter(|notice| notice.about == Some(id.clone())).collect();
        assert_eq!(notices.len(), 1, "{name}");
        let content = store.content(&notices[0].id).await.unwrap();
        let content = String::from_utf8_lossy(&content).to_lowercase();
        assert!(content.contains("date: mon, 05 oct 2026 09:00:00 "), "by the store's clock: {content}");
        assert!(content.contains(&says.to_lowercase()), "{name}: {content}");
        assert!(!content.contains(&silent.to_lowercase()), "{name}: {content}");
    }
}
