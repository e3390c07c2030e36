//! What is counted of mail, and who is exempt: kept, kept apart, forgotten.

use super::*;
use crate::store::accounts::{LastSbm, Role};

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

#[tokio::test]
async fn an_address_is_known_once_something_was_delivered_and_stands_nowhere() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    let [one, two] = ["one@a.example", "two@b.example"].map(address);
    let both = [one.clone(), two.clone()];
    let new = async || store.never_written_to(&both).await.unwrap();
    let outcome = |position, outcome| RecipientOutcome { position, outcome };
    let (taken, later) =
        (Outcome::Delivered { reply: "250".to_owned() }, Outcome::Deferred { reply: "450".to_owned() });
    let try_it = async |name: &str, outcomes| {
        ids_due(&store).await;
        store.record_attempt(&id(name), outcomes, Timestamp::now(), Vec::new()).await.unwrap()
    };
    // A letter of ours is none of the school's.
    store.commit(vec![entry("A", State::Held, b"x"), notice("N", "A")]).await.unwrap();
    try_it("N", outcomes(&taken)).await;
    assert_eq!(new().await, both);
    store.commit(vec![entry("B", State::Queued, b"x")]).await.unwrap();
    try_it("B", vec![outcome(0, later.clone()), outcome(1, Outcome::Unknown)]).await;
    assert_eq!(new().await, both, "deferred, and perhaps taken");
    try_it("B", vec![outcome(0, later), outcome(1, taken.clone())]).await;
    assert_eq!(new().await, std::slice::from_ref(&one));
    assert!(store.never_written_to(&[address("TWO@b.example")]).await.unwrap().is_empty(), "in whatever case");
    try_it("B", vec![outcome(0, taken)]).await;
    assert!(new().await.is_empty());

    let mut rows = raw(directory.path()).await;
    let kept: Vec<(Vec<u8>, i64)> = sqlx::query("select address, times from written_to")
        .fetch_all(&mut rows)
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    assert!(kept.len() == 2 && kept.iter().all(|(mark, times)| mark.len() == 32 && *times == 1), "{kept:?}");
    assert!(kept.iter().all(|(mark, _)| !String::from_utf8_lossy(mark).contains("example")));

    sqlx::query("update written_to set last_day = '2020-01-01' where address = $1")
        .bind(&kept[0].0)
        .execute(&mut rows)
        .await
        .unwrap();
    store.forget(Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(new().await.len(), 1, "the old one is forgotten, the other is not");
}

#[tokio::test]
async fn texts_count_by_sender_and_day_with_the_message_they_are_of() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    let now = Timestamp::now();
    let today = async |sender: &str, at| store.texts_today(sender, at).await.unwrap();
    let amy = "amy@school.example";
    for (name, state) in [("A", State::Queued), ("B", State::Held), ("C", State::Returned), ("D", State::Pending)] {
        let (text, _, _) = today(amy, now).await.one_more("a text", 3);
        let beside = Beside { text: (state != State::Pending).then_some(text), ..Beside::default() };
        store.commit_with(vec![entry(name, state, b"x")], beside).await.unwrap();
    }
    let counted = |texts: TextsToday, text: &str| {
        let (_, messages, recipients) = texts.one_more(text, 1);
        (messages, recipients)
    };
    assert_eq!(counted(today(amy, now).await, "a text"), (3, 7), "two before it: what came back does not count");
    let (text, _, _) = today(amy, now).await.one_more("a text", 2);
    let beside = Beside { text: Some(text), ..Beside::default() };
    store.decide_pending(&id("D"), &report(Action::Hold), State::Held, Vec::new(), beside).await.unwrap();
    assert_eq!(counted(today("Amy@School.example", now).await, "a text"), (4, 9));
    for (sender, at, text) in [
        ("ben@school.example", now, "a text"),
        (amy, now, "another text"),
        (amy, now + 25 * HOUR, "a text"),
        (amy, now - 25 * HOUR, "a text"),
    ] {
        assert_eq!(counted(today(sender, at).await, text), (1, 1), "{sender} {at} {text}");
    }
    let mut rows = raw(directory.path()).await;
    sqlx::query("update text_sent set day = '2020-01-01'").execute(&mut rows).await.unwrap();
    store.forget(Timestamp::UNIX_EPOCH).await.unwrap();
    let left: i64 = sqlx::query_scalar("select count(*) from text_sent").fetch_one(&mut rows).await.unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn only_a_head_in_use_exempts_and_it_ends() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    let now = Timestamp::now();
    for (name, roles) in [("helen", vec![Role::Head]), ("sue", vec![Role::Sbm, Role::It]), ("harry", vec![Role::Head])]
    {
        store.create_account(name, &address(&format!("{name}@school.example")), &roles, "test").await.unwrap();
    }
    store.disable_account("harry", LastSbm::Keep, "test").await.unwrap();
    let new = |sender: &str, hours: u32| NewExemption {
        rule: "a-rule".to_owned(),
        sender: sender.to_owned(),
        sender_listed: sender.starts_with("amy"),
        until: now + hours * HOUR,
        because: "the trip".to_owned(),
    };
    for who in ["sue", "harry", "nobody", ""] {
        assert!(
            matches!(store.exempt(new("amy@school.example", 1), who, who).await, Err(StoreError::Refused(_))),
            "{who}"
        );
    }
    let unsaid = NewExemption { because: " ".to_owned(), ..new("amy@school.example", 1) };
    let over = NewExemption { until: now - HOUR, ..new("amy@school.example", 1) };
    for wrong in [unsaid, over, new("amy@school.example", 402 * 24)] {
        assert!(matches!(store.exempt(wrong, "helen", "helen").await, Err(StoreError::Refused(_))));
    }
    assert!(store.exemptions(now).await.unwrap().is_empty());
    for (sender, hours) in [("amy@school.example", 1), ("ben@school.example", 400 * 24), ("amy@school.example", 2)] {
        store.exempt(new(sender, hours), "helen", "helen (root)").await.unwrap();
    }
    let senders = async |at| -> Vec<String> {
        store.exemptions(at).await.unwrap().into_iter().map(|kept| kept.exemption.sender).collect()
    };
    let mut all = senders(now).await;
    all.sort();
    assert_eq!(all, ["amy@school.example", "ben@school.example"]);
    assert_eq!(senders(now + HOUR + HOUR / 2).await.len(), 2, "what was said last counts");
    assert_eq!(senders(now + 2 * HOUR).await, ["ben@school.example"], "it is over");
    assert_eq!(store.end_exemptions_without(|kept| !kept.sender_listed).await.unwrap(), 1);
    assert_eq!(senders(now).await, ["ben@school.example"]);
    let ben = store.exemptions(now).await.unwrap().remove(0).id;
    assert!(store.end_exemption(&ben, "Jane", "over").await.unwrap());
    assert!(!store.end_exemption(&ben, "Jane", "over").await.unwrap(), "it has ended");
    store.forget(now + 500 * 24 * HOUR).await.unwrap();
    let mut rows = raw(directory.path()).await;
    let left: i64 = sqlx::query_scalar("select count(*) from exemption").fetch_one(&mut rows).await.unwrap();
    assert_eq!(left, 0);
    let said: Vec<String> =
        sqlx::query_scalar("select event || ' ' || who from audit where event like 'exempt%' order by seq")
            .fetch_all(&mut rows)
            .await
            .unwrap();
    let granted = "exempted helen (root)";
    assert_eq!(said, [granted, granted, granted, "exemption-ended gateway", "exemption-ended Jane"]);
}
