//! The school's words that stand below a message: kept from its decision to its delivery, whichever way it takes, and told of in the audit.

use super::*;

fn with_words(mut new: NewEntry, words: &[&str]) -> NewEntry {
    if let Some(report) = &mut new.report {
        report.duties.footers = words.iter().map(|words| (*words).to_owned()).collect();
    }
    new
}

#[tokio::test]
async fn the_words_of_the_day_of_the_decision_come_with_what_is_leased() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    let words = ["Line one\nLine two", "It’s £5"];
    store
        .commit(vec![
            with_words(entry("A", State::Held, b"held\r\n"), &words),
            entry("P", State::Pending, b"pending\r\n"),
            with_words(entry("Q", State::Queued, b"queued\r\n"), &words),
            entry("R", State::Queued, b"without\r\n"),
            notice("N", "A"),
        ])
        .await
        .unwrap();
    let mut decided = report(Action::Deliver);
    decided.duties.footers = vec!["Another".to_owned()];
    store.decide_pending(&id("P"), &decided, State::Queued, Vec::new(), None).await.unwrap();
    assert_eq!(store.release(&id("A"), "Sue", "fine", Vec::new()).await.unwrap(), Decision::Done);
    store.close().await;
    let store = exclusive(directory.path()).await;
    let mut due = store.lease_due(Timestamp::now() + HOUR, 10, HOUR).await.unwrap();
    due.sort_by(|one, other| one.id.cmp(&other.id));
    let kept: Vec<(&str, Vec<&str>)> =
        due.iter().map(|leased| (leased.id.0.as_str(), leased.footers.iter().map(String::as_str).collect())).collect();
    let both = words.to_vec();
    assert_eq!(kept, [("A", both.clone()), ("N", vec![]), ("P", vec!["Another"]), ("Q", both), ("R", vec![])]);
    let taken = outcomes(&Outcome::Delivered { reply: "250".to_owned() });
    let left = Left { sha256: [0xab; 32], footer: Some("added") };
    store.record_sent(&id("Q"), taken.clone(), Timestamp::now(), Vec::new(), Some(left)).await.unwrap();
    store.record_attempt(&id("R"), taken, Timestamp::now(), Vec::new()).await.unwrap();
    let told = async |name: &str| {
        let filter =
            AuditFilter { message: Some(id(name)), event: Some("delivered".to_owned()), ..AuditFilter::default() };
        let lines = store.audit_list(&filter, 10).await.unwrap();
        serde_json::from_str::<serde_json::Value>(&lines[0].detail).unwrap()
    };
    let detail = told("Q").await;
    let came: String =
        entry("Q", State::Queued, b"queued\r\n").sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((&detail["sha256"], &detail["left_sha256"]), (&came.into(), &"ab".repeat(32).into()), "{detail}");
    assert_eq!(detail["footer"], "added");
    assert!(told("R").await.get("left_sha256").is_none());
    assert_eq!(store.audit_check(Scope::Whole).await.unwrap().faults, []);
}
