//! The report on personal use: what counts, once, in which month; who is named; what goes.

use super::*;
use crate::inspect::PersonalUse;
use crate::school_time::SchoolTime;
use crate::store::accounts::Role;

/// From a sender, taken in at a time.
fn sent(name: &str, from: &str, at: &str, state: State, is: Option<PersonalUse>) -> NewEntry {
    let mut new = entry(name, state, b"Subject: Personal: the dentist\r\n\r\nx\r\n");
    new.envelope.mail_from = Some(Address::parse(from).unwrap());
    new.at = at.parse().unwrap();
    if let Some(report) = &mut new.report {
        report.personal_use = is;
    }
    new
}

/// Tries what is due, all with this outcome.
async fn try_all(store: &Store, clock: &Clock, outcomes: Vec<RecipientOutcome>) {
    clock.advance(HOUR);
    for leased in store.lease_due(clock.now(), 100, HOUR).await.unwrap() {
        store.record_attempt(&leased.id, outcomes.clone(), clock.now(), Vec::new()).await.unwrap();
    }
}

fn taken() -> Outcome {
    Outcome::Delivered { reply: "250".to_owned() }
}

async fn seen(store: &Store, names_from: usize) -> Vec<MonthOfUse> {
    store.personal_use(names_from, Sight::Names, "sue").await.unwrap()
}

/// Month, messages, senders, marked, by, asked.
fn sums(months: &[MonthOfUse]) -> Vec<Row6> {
    let row = |m: &MonthOfUse| {
        let month = m.month.strftime("%Y-%m").to_string();
        (month, m.messages, m.senders, m.marked.to_string(), m.marked_by, m.asked.to_string())
    };
    months.iter().map(row).collect()
}

fn row(month: &str, messages: u64, senders: u64, marked: &str, by: u64, asked: &str) -> Vec<Row6> {
    vec![(month.to_owned(), messages, senders, marked.to_owned(), by, asked.to_owned())]
}

type Row6 = (String, u64, u64, String, u64, String);

const AMY: &str = "amy@school.example";
const BEN: &str = "ben@school.example";
const CAT: &str = "cat@school.example";

#[tokio::test]
async fn a_message_counts_once_when_it_has_left_and_in_no_other_case() {
    let directory = tempfile::tempdir().unwrap();
    let (store, clock) = opened_at(directory.path(), "2026-11-17T09:00:00Z").await;
    let now = "2026-11-17T09:00:00Z";
    let marked = Some(PersonalUse::Marked);
    let kept = sent("C", AMY, now, State::Returned, marked);
    let link = store.new_sender_link(&id("C"), jiff::SignedDuration::from_hours(24)).unwrap();
    store.commit_with(vec![kept], Some(link.clone())).await.unwrap();
    store
        .commit(vec![
            sent("A", AMY, now, State::Queued, marked),
            sent("B", AMY, now, State::Held, marked),
            sent("D", AMY, now, State::Returned, marked),
            sent("E", AMY, now, State::Held, marked),
            sent("P", AMY, now, State::Pending, None),
            sent("X", "pupil@school.example", now, State::Queued, None),
            notice("N", "B"),
        ])
        .await
        .unwrap();
    assert!(seen(&store, 5).await.is_empty(), "nothing has left");

    // Deferred, perhaps taken, taken by one, taken by the other: one message.
    let one = |position, outcome| vec![RecipientOutcome { position, outcome }];
    let later = Outcome::Deferred { reply: "450".to_owned() };
    try_all(&store, &clock, outcomes(&later)).await;
    try_all(&store, &clock, outcomes(&Outcome::Unknown)).await;
    assert!(seen(&store, 5).await.is_empty());
    try_all(&store, &clock, one(0, taken())).await;
    assert_eq!(sums(&seen(&store, 1).await), row("2026-11", 1, 1, "1", 1, "0"));
    try_all(&store, &clock, one(1, taken())).await;
    assert_eq!(sums(&seen(&store, 1).await), row("2026-11", 1, 1, "1", 1, "0"));

    // What was held counts when it has gone; what was decided on late likewise; what is dropped or goes back never.
    store.release(&id("B"), "sue", "right", Vec::new()).await.unwrap();
    store.discard(&id("E"), "sue", "wrong", Vec::new()).await.unwrap();
    let mut late = report(Action::Deliver);
    late.personal_use = Some(PersonalUse::Asked);
    store.decide_pending(&id("P"), &late, State::Queued, Vec::new(), Beside::default()).await.unwrap();
    assert_eq!(sums(&seen(&store, 1).await), row("2026-11", 1, 1, "1", 1, "0"));
    try_all(&store, &clock, outcomes(&taken())).await;
    assert_eq!(sums(&seen(&store, 1).await), row("2026-11", 3, 1, "2", 1, "1"));

    // Its sender changes what came back: the one that goes is the one that counts.
    let Brought::Open(open) =
        store.sender_link(link.token.reveal(), std::net::Ipv4Addr::LOCALHOST.into()).await.unwrap()
    else {
        panic!("the link is open")
    };
    let new = Box::new(sent("C2", AMY, now, State::Queued, marked));
    let act = SenderAct::SendChanged { how: "marked".to_owned(), remember: Vec::new(), new };
    assert!(store.do_as_sender(&open, act, Vec::new()).await.unwrap());
    try_all(&store, &clock, outcomes(&taken())).await;
    try_all(&store, &clock, outcomes(&taken())).await;
    assert_eq!(sums(&seen(&store, 1).await), row("2026-11", 4, 1, "3", 1, "1"));
    // Given up for all: it never left.
    store.commit(vec![sent("F", AMY, now, State::Queued, marked)]).await.unwrap();
    try_all(&store, &clock, outcomes(&Outcome::Failed { reply: "550".to_owned() })).await;
    assert_eq!(state_of(&store, "F").await, State::Failed);
    assert_eq!(sums(&seen(&store, 1).await), row("2026-11", 4, 1, "3", 1, "1"));
    assert!(store.audit_check(Scope::Whole).await.unwrap().faults.is_empty());
}

#[tokio::test]
async fn a_month_is_the_schools_own_and_of_when_it_was_taken_in() {
    let directory = tempfile::tempdir().unwrap();
    let (store, clock) = opened_at(directory.path(), "2026-11-17T09:00:00Z").await;
    store.use_school_time(SchoolTime { zone: crate::school_time::london(), ..SchoolTime::default() });
    let times = [
        "2026-10-31T23:59:59Z",
        "2026-11-01T00:00:00Z",
        // Summer time: it is the first of July already.
        "2026-06-30T23:00:00Z",
        "2026-06-30T22:59:59Z",
        "2025-12-31T23:59:59Z",
    ];
    for (number, time) in times.into_iter().enumerate() {
        let name = format!("M{number}");
        store.commit(vec![sent(&name, AMY, time, State::Queued, Some(PersonalUse::Unmarked))]).await.unwrap();
    }
    try_all(&store, &clock, outcomes(&taken())).await;
    let months: Vec<String> = seen(&store, 5).await.iter().map(|m| m.month.to_string()).collect();
    assert_eq!(months, ["2026-11-01", "2026-10-01", "2026-07-01", "2026-06-01", "2025-12-01"]);
    // Elsewhere the year has begun.
    store.use_school_time(SchoolTime { zone: jiff::tz::TimeZone::fixed(jiff::tz::offset(2)), ..SchoolTime::default() });
    let new = sent("Z", AMY, "2026-08-31T22:00:00Z", State::Queued, Some(PersonalUse::Unmarked));
    store.commit(vec![new]).await.unwrap();
    try_all(&store, &clock, outcomes(&taken())).await;
    assert!(seen(&store, 5).await.iter().any(|m| m.month.to_string() == "2026-09-01"));
}

#[tokio::test]
async fn nobody_below_the_threshold_is_named_or_told_from_the_sums() {
    // Marked and asked about by each sender; the threshold; what is shown of it.
    for (each, marked, by, asked, named) in [
        (vec![(AMY, 5, 0), (BEN, 4, 0), (CAT, 3, 2)], "12", 3, "fewer than 5", vec![(AMY, 5)]),
        (vec![(AMY, 6, 7), (BEN, 4, 0), (CAT, 0, 0)], "fewer than 11", 2, "7", vec![(AMY, 6)]),
        (vec![(AMY, 4, 4), (BEN, 0, 1)], "fewer than 5", 1, "5", vec![]),
        (vec![(AMY, 2, 0), (BEN, 2, 0)], "4", 2, "0", vec![]),
        (vec![(BEN, 5, 9), (AMY, 5, 1), (CAT, 8, 0)], "18", 3, "fewer than 14", vec![(CAT, 8), (AMY, 5), (BEN, 5)]),
        (vec![(AMY, 0, 0)], "0", 0, "0", vec![]),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let (store, clock) = opened_at(directory.path(), "2026-11-17T09:00:00Z").await;
        let mut messages = 0;
        for (sender, marked, asked) in &each {
            let kinds = [(*marked, PersonalUse::Marked), (*asked, PersonalUse::Asked), (1, PersonalUse::Unmarked)];
            for (many, is) in kinds {
                for _ in 0..many {
                    messages += 1;
                    // In whatever case the client writes it.
                    let from = if messages % 2 == 0 { sender.to_uppercase() } else { (*sender).to_owned() };
                    let new = sent(&format!("M{messages}"), &from, "2026-11-17T09:00:00Z", State::Queued, Some(is));
                    store.commit(vec![new]).await.unwrap();
                }
            }
        }
        try_all(&store, &clock, outcomes(&taken())).await;
        let shown = seen(&store, 5).await;
        let senders = each.len() as u64;
        assert_eq!(sums(&shown), row("2026-11", messages, senders, marked, by, asked), "{each:?}");
        let names: Vec<(&str, u64)> = shown[0].named.iter().map(|one| (one.mailbox.as_str(), one.marked)).collect();
        assert_eq!(names, named, "{each:?}");
        let figures = store.personal_use(5, Sight::Figures, "dan").await.unwrap();
        assert_eq!(sums(&figures), sums(&shown));
        assert!(figures[0].named.is_empty());
    }
}

#[tokio::test]
async fn counts_outlive_a_restart_and_their_messages_go_after_their_months_and_say_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let now = "2026-11-17T09:00:00Z";
    let (store, clock) = opened_at(directory.path(), now).await;
    store.create_account("sue", &Address::parse("sue@school.example").unwrap(), &[Role::Sbm], "test").await.unwrap();
    for (name, time) in [("A", "2025-10-31T12:00:00Z"), ("B", "2025-11-01T12:00:00Z"), ("C", now)] {
        store.commit(vec![sent(name, AMY, time, State::Queued, Some(PersonalUse::Marked))]).await.unwrap();
    }
    try_all(&store, &clock, outcomes(&taken())).await;
    let months = async |store: &Store| -> Vec<String> {
        store.personal_use(1, Sight::Names, "sue").await.unwrap().iter().map(|m| m.month.to_string()).collect()
    };
    let kept = ["2026-11-01", "2025-11-01"];
    assert_eq!(months(&store).await, kept, "what is over is not shown before it is removed");
    store.close().await;
    let (store, clock) = opened_at(directory.path(), now).await;
    assert_eq!(months(&store).await, kept);
    // Their messages are forgotten; the month that is over goes.
    let mut rows = raw(directory.path()).await;
    let left = "select count(*) from personal_use";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&mut rows).await.unwrap(), 3);
    clock.advance(HOUR);
    store.forget(clock.now() + HOUR).await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&mut rows).await.unwrap(), 2);
    assert_eq!(months(&store).await, kept);
    clock.advance(HOUR * 24 * 20);
    store.forget(clock.now()).await.unwrap();
    assert_eq!(months(&store).await, ["2026-11-01"], "a year later and a month");

    // Once its messages are forgotten, the sender's name stands nowhere in clear, nor did a subject ever.
    let row: (Vec<u8>, Vec<u8>) =
        sqlx::query_as("select sender, mailbox from personal_use").fetch_one(&mut rows).await.unwrap();
    for kept in [&row.0, &row.1] {
        assert!(!String::from_utf8_lossy(kept).contains("amy"), "{kept:?}");
    }
    let columns: Vec<String> = sqlx::query_scalar("select name from pragma_table_info('personal_use') order by name")
        .fetch_all(&mut rows)
        .await
        .unwrap();
    assert_eq!(columns, ["asked", "mailbox", "marked", "messages", "month", "sender"]);
    let looks: Vec<(String, String)> =
        sqlx::query_as("select who, detail from audit where event = 'personal-use-seen' order by seq")
            .fetch_all(&mut rows)
            .await
            .unwrap();
    assert_eq!(looks.len(), 4);
    assert!(looks.iter().all(|(who, detail)| who == "sue" && detail == "{\"names\":true}"), "{looks:?}");
    // A mailbox that was moved to another row is nobody's.
    sqlx::query("update personal_use set month = '2026-10'").execute(&mut rows).await.unwrap();
    assert!(store.personal_use(1, Sight::Names, "sue").await.is_err());
}
