//! The rows of held mail: begun, ended, filled in for what an older program held.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

use super::*;

/// A report as messages on three kinds of recipients get it.
fn told() -> Report {
    let json = serde_json::json!({
        "action": "hold", "breach": true, "notify": ["sbm", "slt"], "findings": [], "unreadable": [],
        "recipients": [{"address": "one@a.example", "kind": "guardian"}, {"address": "two@b.example", "kind": "personal"},
                       {"address": "three@b.example", "kind": "personal"}],
        "pupils": [{"id": "P1", "tier": "sensitive", "categories": ["health", "safeguarding"], "where": []}],
        "unlisted_pupils": 2,
        "rules": [{"id": "a-rule", "action": "hold", "breach": true, "why": "", "remedy": "", "clauses": []},
                  {"id": "watched", "action": "hold", "breach": true, "why": "", "remedy": "", "clauses": [],
                   "observed_only": true}],
        "markers": ["personal", "personal-standing-out"],
    });
    serde_json::from_value(json).unwrap()
}

/// One row as words.
async fn row(directory: &Path, name: &str) -> String {
    let row: Option<String> = sqlx::query_scalar(
        "select sender || '|' || rules || '|' || kinds || '|' || notified || '|' || breach || pupils || sealed \
         || safeguarding || '|' || coalesce(decision, '-') || '|' || coalesce(decided_by, '-') || '|' \
         || coalesce(classification, '-') || '|' || coalesce(reason, '-') from review where message = $1 and described",
    )
    .bind(name)
    .fetch_optional(&mut raw(directory).await)
    .await
    .unwrap();
    row.unwrap_or_default()
}

const TOLD: &str = "amy@school.example|,a-rule,|,guardian,personal,|,sbm,slt,|1311";
const PLAIN: &str = "amy@school.example|,visible-recipients,|,|,|0000";

#[tokio::test]
async fn a_held_message_has_its_row_however_it_came_to_be_held() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    let mut told_entry = entry("A", State::Held, b"x\r\n");
    told_entry.report = Some(told());
    store
        .commit(vec![told_entry, entry("B", State::Pending, b"x\r\n"), entry("C", State::Queued, b"x\r\n")])
        .await
        .unwrap();
    store.commit(vec![entry("D", State::Queued, b"x\r\n"), entry("E", State::Returned, b"x\r\n")]).await.unwrap();
    store.decide_pending(&id("B"), &told(), State::Held, Vec::new(), None).await.unwrap();
    store.hold(&id("C"), "Ann", "wait").await.unwrap();
    for (name, wanted) in [
        ("A", format!("{TOLD}|-|-|-|-")),
        ("B", format!("{TOLD}|-|-|-|-")),
        ("C", format!("{PLAIN}|-|-|-|-")),
        ("D", String::new()),
        ("E", String::new()),
    ] {
        assert_eq!(row(directory.path(), name).await, wanted, "{name}");
    }
    let with = Grounds { classification: Some(Classification::NearMiss), ..grounds("Sue", "a parent") };
    store.decide_on(&id("A"), &Ruling::Return, &with, Vec::new()).await.unwrap();
    store.decide_on(&id("C"), &Ruling::Release, &grounds("Sue", ""), Vec::new()).await.unwrap();
    store.drop_queued(&id("B"), "Tom", "junk").await.unwrap();
    for (name, wanted) in [
        ("A", format!("{TOLD}|returned|Sue|near-miss|a parent")),
        ("B", format!("{TOLD}|discarded|Tom|-|junk")),
        ("C", format!("{PLAIN}|released|Sue|-|")),
    ] {
        assert_eq!(row(directory.path(), name).await, wanted, "{name}");
    }
    let line = store.show(&id("A")).await.unwrap().audit.pop().unwrap();
    assert_eq!(line.detail, r#"{"classification":"near-miss","from":"held","why":"a parent"}"#);
}

/// A store as the schema before the desk made it: what it holds stands in message, recipient and audit alone.
async fn made_before(directory: &Path) {
    let store = exclusive(directory).await;
    let mut told_entry = entry("A", State::Held, b"x\r\n");
    told_entry.report = Some(told());
    let held = ["B", "C", "D"].map(|name| entry(name, State::Held, b"x\r\n"));
    store.commit(std::iter::once(told_entry).chain(held).collect()).await.unwrap();
    store.commit(vec![entry("E", State::Queued, b"x\r\n"), entry("F", State::Pending, b"x\r\n")]).await.unwrap();
    store.commit(vec![entry("G", State::Queued, b"x\r\n"), notice("N", "A")]).await.unwrap();
    store.decide_pending(&id("F"), &told(), State::Held, Vec::new(), None).await.unwrap();
    store.hold(&id("G"), "Ann", "wait").await.unwrap();
    store.decide_on(&id("B"), &Ruling::Return, &grounds("Sue", "a \"state\":\"held\""), Vec::new()).await.unwrap();
    store.decide_on(&id("C"), &Ruling::Release, &grounds("Sue", "fine"), Vec::new()).await.unwrap();
    store.drop_queued(&id("E"), "Tom", "\"state\":\"held\"").await.unwrap();
    store.close().await;
    let mut now = raw(directory).await;
    sqlx::raw_sql("attach database ':memory:' as before").execute(&mut now).await.unwrap();
    // The rows, laid into the tables of the earlier schema.
    let tables = ["setting", "message", "recipient", "audit"];
    for table in tables {
        let sql = format!("create table before.{table} as select * from main.{table}");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut now).await.unwrap();
    }
    let accounts = [
        "content_view",
        "sealed_request",
        "attempt",
        "session",
        "sign_in",
        "sign_up",
        "recovery_code",
        "account_role",
        "account",
    ];
    let others = [
        "disclosure_message",
        "disclosure",
        "word_index",
        "legal_hold",
        "journal",
        "fired",
        "rule_mode",
        "incident_version",
        "incident",
        "submission_client",
        "submission_sender",
        "submission_account",
        "exemption",
        "written_to",
        "text_sent",
        "personal_use",
        "sender_link",
        "allowance",
        "review",
        "recipient",
        "message",
        "audit",
        "setting",
        "_sqlx_migrations",
    ];
    for table in accounts.into_iter().chain(others) {
        let sql = format!("drop table main.{table}");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut now).await.unwrap();
    }
    let earlier = database::MIGRATIONS.iter().filter(|(number, ..)| *number < 4).map(|(number, name, sql)| {
        Migration::new(*number, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(earlier.collect()).run(&mut now).await.unwrap();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar("select name from pragma_table_info($1, 'main')")
            .bind(table)
            .fetch_all(&mut now)
            .await
            .unwrap();
        let columns = columns.join(", ");
        let sql = format!("insert into main.{table} ({columns}) select {columns} from before.{table}");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut now).await.unwrap();
    }
}

#[tokio::test]
async fn a_store_of_the_schema_before_is_filled_in_when_it_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    made_before(directory.path()).await;
    let store = exclusive(directory.path()).await;
    for (name, wanted) in [
        ("A", format!("{TOLD}|-|-|-|-")),
        ("B", format!("{PLAIN}|returned|Sue|-|a \"state\":\"held\"")),
        ("C", format!("{PLAIN}|released|Sue|-|fine")),
        ("D", format!("{PLAIN}|-|-|-|-")),
        ("E", String::new()),
        ("F", format!("{TOLD}|-|-|-|-")),
        ("G", format!("{PLAIN}|-|-|-|-")),
        ("N", String::new()),
    ] {
        assert_eq!(row(directory.path(), name).await, wanted, "{name}");
    }
    assert_eq!(store.audit_check(Scope::Whole).await.unwrap().faults, []);
    let shown = store.show(&id("A")).await.unwrap();
    assert_eq!(shown.recipients.len(), 2, "the recipients are all there");
    assert_eq!(&*store.content(&id("A")).await.unwrap(), b"x\r\n");
    assert_eq!(ids_due(&store).await, ["N", "C"]);
}

#[tokio::test]
async fn what_was_not_filled_in_is_filled_in_the_next_time_and_a_broken_report_stops_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    store.commit(vec![entry("A", State::Held, b"x\r\n"), entry("B", State::Held, b"x\r\n")]).await.unwrap();
    store.close().await;
    sqlx::raw_sql("update review set described = false, rules = ','; update message set report = x'00' where id = 'B'")
        .execute(&mut raw(directory.path()).await)
        .await
        .unwrap();
    let _store = exclusive(directory.path()).await;
    assert_eq!(row(directory.path(), "A").await, format!("{PLAIN}|-|-|-|-"));
    assert_eq!(row(directory.path(), "B").await, "amy@school.example|,|,|,|0000|-|-|-|-");
}

/// Relay checklist, row 134.
#[tokio::test]
async fn the_same_form_is_carried_out_once_and_another_is_told_who_decided() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    let by = |who: &str, key: &str| Grounds { key: Some(key.to_owned()), ..grounds(who, "a reason") };
    let cases = [
        ("A", Ruling::Release, Ruling::Return),
        ("B", Ruling::ReleaseTo(vec![1]), Ruling::Release),
        ("C", Ruling::ReleaseTo(vec![1]), Ruling::ReleaseTo(vec![0])),
        ("D", Ruling::Return, Ruling::Discard),
        ("E", Ruling::Discard, Ruling::Return),
        ("F", Ruling::ReleaseTo(vec![0, 1]), Ruling::ReleaseTo(vec![])),
    ];
    for (name, ruling, other) in cases {
        store.commit(vec![entry(name, State::Held, b"x\r\n")]).await.unwrap();
        let told = |n: &str| vec![notice(&format!("{name}-{n}"), name)];
        let at = id(name);
        assert_eq!(store.decide_on(&at, &ruling, &by("Sue", "k1"), told("1")).await.unwrap(), Decision::Done, "{name}");
        let lines = store.show(&at).await.unwrap().audit.len();
        assert_eq!(store.decide_on(&at, &ruling, &by("Sue", "k1"), told("2")).await.unwrap(), Decision::Done, "{name}");
        for (ruling, grounds) in [(&ruling, by("Tom", "k2")), (&ruling, grounds("Tom", "")), (&other, by("Tom", "k2"))]
        {
            let later = store.decide_on(&at, ruling, &grounds, told("3")).await.unwrap();
            assert!(matches!(&later, Decision::Already(line) if line.who == "Sue"), "{name}: {later:?}");
        }
        if name != "F" {
            let changed = store.decide_on(&at, &other, &by("Sue", "k1"), told("4")).await.unwrap();
            assert!(matches!(changed, Decision::Already(_)), "{name}: another ruling is another decision");
        }
        // One line of what was carried out, and of each who came too late one that says so.
        let audit = store.show(&at).await.unwrap().audit;
        let late = if name == "F" { 3 } else { 4 };
        assert_eq!(audit.len(), lines + late, "{name}");
        assert!(audit[lines..].iter().all(|line| line.event == "came-too-late"), "{name}: {audit:?}");
        let notices = store.list(Filter { class: Some(Class::Notice), ..Filter::default() }, 100).await.unwrap();
        let of_this: Vec<&str> =
            notices.iter().filter(|n| n.about == Some(id(name))).map(|n| n.id.0.as_str()).collect();
        assert_eq!(of_this, [format!("{name}-1")], "one notice alone");
    }
}

#[tokio::test]
async fn a_release_to_some_goes_to_them_and_is_delivered_with_them() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    store.commit(vec![entry("A", State::Held, b"x\r\n"), entry("B", State::Held, b"x\r\n")]).await.unwrap();
    for nobody in [vec![], vec![2], vec![0, 7]] {
        let refused = store.decide_on(&id("A"), &Ruling::ReleaseTo(nobody), &grounds("Sue", ""), vec![]).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    }
    assert_eq!(state_of(&store, "A").await, State::Held, "nothing was done");
    store.decide_on(&id("A"), &Ruling::ReleaseTo(vec![1]), &grounds("Sue", ""), vec![]).await.unwrap();
    store.decide_on(&id("B"), &Ruling::ReleaseTo(vec![0, 1]), &grounds("Sue", ""), vec![]).await.unwrap();
    let due = store.lease_due(Timestamp::now(), 10, HOUR).await.unwrap();
    let to = |leased: &Leased| leased.recipients.iter().map(|r| r.address.to_string()).collect::<Vec<_>>();
    assert_eq!(due.iter().map(to).collect::<Vec<_>>(), [vec!["two@b.example"], vec!["one@a.example", "two@b.example"]]);
    let outcome = RecipientOutcome { position: 1, outcome: Outcome::Delivered { reply: "250".into() } };
    let state = store.record_attempt(&id("A"), vec![outcome], Timestamp::now(), vec![]).await.unwrap();
    assert_eq!(state, State::Delivered, "who was left out is not waited for");
    let shown = store.show(&id("A")).await.unwrap();
    let states: Vec<&str> = shown.recipients.iter().map(|r| r.state.as_str()).collect();
    assert_eq!(states, ["withheld", "delivered"]);
    let released = shown.audit.iter().find(|line| line.event == "released").unwrap();
    assert_eq!(released.detail, r#"{"from":"held","why":"","withheld":[0]}"#);
    assert!(row(directory.path(), "A").await.contains("|released-in-part|"));
    assert!(row(directory.path(), "B").await.contains("|released|"));
    assert_eq!(store.audit_check(Scope::Whole).await.unwrap().faults, []);
}

#[tokio::test]
async fn content_is_opened_for_a_purpose_and_sealed_mail_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    let mut sealed = entry("A", State::Held, b"x\r\n");
    sealed.report = Some(told());
    let mut unknown = entry("C", State::Held, b"x\r\n");
    unknown.report = None;
    store.commit(vec![sealed, entry("B", State::Held, b"text\r\n"), unknown]).await.unwrap();
    for name in ["A", "C"] {
        let refused = store.open_content(&id(name), "Sue", "to see", LawfulPurpose::Facts).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{name}: {refused:?}");
        assert_eq!(store.show(&id(name)).await.unwrap().audit.len(), 1, "{name}: nothing was seen");
    }
    let content = store.open_content(&id("B"), "Sue", "to see", LawfulPurpose::Compliance).await.unwrap();
    assert_eq!(&*content, b"text\r\n");
    let line = store.show(&id("B")).await.unwrap().audit.pop().unwrap();
    assert_eq!((line.event.as_str(), line.who.as_str()), ("viewed", "Sue"));
    assert_eq!(line.detail, r#"{"from":"held","purpose":"compliance","seen":"message","why":"to see"}"#);
}
