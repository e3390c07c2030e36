//! Requests for disclosure: refused for good, and approved for their time and not longer.

use std::collections::BTreeMap;

use super::*;
use crate::store::accounts::Role;

const ANN: &str = "ann@school.example";

fn by(account: &str) -> Acting {
    Acting { account: account.to_owned(), who: account.to_owned(), own: Vec::new() }
}

fn wanted() -> NewDisclosure {
    NewDisclosure {
        kind: DisclosureKind::Proceedings,
        search: Search { mailbox: Some(ANN.to_owned()), ..Search::default() },
        applicant: None,
        reason: "a claim".to_owned(),
    }
}

fn made() -> Made {
    Made {
        index: [1; 32],
        manifest: [2; 32],
        pseudonyms: BTreeMap::new(),
        purpose: LawfulPurpose::Facts,
        why: "a claim".to_owned(),
    }
}

/// A store with one message of hers, and those who ask and approve.
async fn house(directory: &Path) -> (Store, Clock) {
    let clock = Clock::manual("2026-09-01T08:00:00Z".parse().unwrap());
    let manner = Manner { clock: clock.clone(), ..Manner::default() };
    let store = Store::open_exclusive_in(directory, key(), &manner).await.unwrap();
    for (name, role) in [("sue", Role::Sbm), ("dora", Role::Dpo), ("helen", Role::Head), ("tim", Role::It)] {
        let mailbox = Address::parse(&format!("{name}@school.example")).unwrap();
        store.create_account(name, &mailbox, &[role], "test").await.unwrap();
    }
    let mut new = entry("A", State::Held, b"Subject: A\r\n\r\nThe whole text.\r\n");
    new.envelope.mail_from = Some(Address::parse(ANN).unwrap());
    new.at = clock.now();
    store.commit(vec![new]).await.unwrap();
    (store, clock)
}

fn why<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// What may be done with a request that is over, each as it is refused.
async fn all_refused(store: &Store, request: &QueueId, says: &str) {
    let (sue, message) = (by("sue"), id("A"));
    assert!(why(store.disclosing(request, &sue).await).contains(says));
    assert!(why(store.disclose(request, &message, LawfulPurpose::Facts, &sue).await).contains(says));
    assert!(why(store.note_exported(request, made(), &sue).await).contains(says));
    assert!(why(store.leave_out(request, &message, Some("privilege"), &sue).await).contains("its time is over"));
    let lines = store.audit_list(&AuditFilter::default(), 1_000).await.unwrap();
    assert!(lines.iter().all(|line| line.event != "disclosed"), "{lines:?}");
}

#[tokio::test]
async fn a_request_is_refused_by_a_second_person_with_a_reason_and_for_good() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = house(directory.path()).await;
    assert!(why(store.ask_disclosure(wanted(), &by("helen")).await).contains("School Business Manager"));
    let request = store.ask_disclosure(wanted(), &by("dora")).await.unwrap();
    for (who, reason, says) in [
        ("helen", " ", "refused with a reason"),
        ("dora", "no need", "their own request"),
        ("sue", "no need", "to approve"),
        ("tim", "no need", "to approve"),
        ("nobody", "no need", "to approve"),
    ] {
        let refused = why(store.decide_disclosure(&request, false, reason, &by(who)).await);
        assert!(refused.contains(says), "{who}: {refused}");
    }
    assert_eq!(store.read_disclosure(&request).await.unwrap().state, DisclosureState::Asked);
    store.decide_disclosure(&request, false, "no need of it", &by("helen")).await.unwrap();
    let one = store.read_disclosure(&request).await.unwrap();
    assert_eq!((one.state, one.refusal.as_deref()), (DisclosureState::Refused, Some("no need of it")));
    assert_eq!((one.decided_by.as_deref(), one.until), (Some("helen"), None));
    assert!(why(store.decide_disclosure(&request, true, "", &by("helen")).await).contains("decided on before"));
    all_refused(&store, &request, "it was refused").await;
    let audit = store.audit_list(&AuditFilter::default(), 1_000).await.unwrap();
    let refusals: Vec<_> = audit.iter().filter(|line| line.event == "disclosure-refused").collect();
    assert!(matches!(refusals[..], [line] if line.who == "helen" && !line.detail.contains("no need")), "{refusals:?}");
    store.close().await;
    let mut open = raw(directory.path()).await;
    let (body, refusal): (Vec<u8>, Vec<u8>) =
        sqlx::query_as("select body, refusal from disclosure").fetch_one(&mut open).await.unwrap();
    let clear = |bytes: &[u8], word: &str| String::from_utf8_lossy(bytes).contains(word);
    assert!(!clear(&body, ANN) && !clear(&body, "claim") && !clear(&refusal, "need"), "sealed at rest");
}

#[tokio::test]
async fn an_approval_lasts_its_days_and_not_a_second_longer() {
    let directory = tempfile::tempdir().unwrap();
    let (store, clock) = house(directory.path()).await;
    let request = store.ask_disclosure(wanted(), &by("sue")).await.unwrap();
    // Days before the approval do not count.
    clock.advance(HOUR * 24 * 10);
    assert!(why(store.disclosing(&request, &by("sue")).await).contains("nobody has approved it yet"));
    store.decide_disclosure(&request, true, "", &by("helen")).await.unwrap();
    let lasts = HOUR * 24 * crate::limits::DISCLOSURE_DAYS;
    let one = store.read_disclosure(&request).await.unwrap();
    assert_eq!(one.until, Some(clock.now() + lasts));
    clock.advance(lasts - Duration::from_secs(1));
    assert!(store.read_disclosure(&request).await.unwrap().is_open(clock.now()));
    assert_eq!(store.disclosing(&request, &by("sue")).await.unwrap().messages.len(), 1);
    store.leave_out(&request, &id("A"), Some("privilege"), &by("sue")).await.unwrap();
    store.leave_out(&request, &id("A"), None, &by("sue")).await.unwrap();
    clock.advance(Duration::from_secs(1));
    assert!(!store.read_disclosure(&request).await.unwrap().is_open(clock.now()));
    all_refused(&store, &request, "the approval is over").await;
    assert!(why(store.decide_disclosure(&request, true, "", &by("helen")).await).contains("decided on before"));
    assert!(store.audit_verify(Scope::Whole).await.unwrap().is_ok());
}
