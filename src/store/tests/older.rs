//! Stores of every older schema: each as the program of its time left it, opened by this one; and one of a newer schema, refused.

use std::collections::BTreeMap;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, SqlSafeStr};

use super::*;

/// Rows of every table that a schema may have, but for those that `made` writes through the store itself; each with the schema
/// that brought its table.
const ROWS: &[(i64, &str)] = &[
    (
        3,
        "insert into account (id, name, address, created_at, changed_at) values ('a1', 'ann', 'ann@school.example', 1, 2)",
    ),
    (
        3,
        "insert into account (id, name, address, created_at, changed_at) values ('a2', 'sue', 'sue@school.example', 1, 2)",
    ),
    (3, "insert into account_role (account, role) values ('a1', 'head'), ('a2', 'sbm')"),
    (3, "insert into recovery_code (account, code, used_at) values ('a1', zeroblob(32), null)"),
    (3, "insert into sign_up (token, account, totp, expires_at) values (zeroblob(32), 'a1', x'01', 9000000000000000)"),
    (3, "insert into sign_in (token, account, expires_at) values (zeroblob(32), 'a1', 9000000000000000)"),
    (3, "insert into session (token, account, csrf, created_at, seen_at) values (zeroblob(32), 'a1', x'02', 1, 2)"),
    (3, "insert into attempt (whose, failures, last_at, until) values (zeroblob(32), 3, 1, 9000000000000000)"),
    (3, "insert into sealed_request (message, account, reason, at) values ('A', 'a1', 'a complaint', 5)"),
    (3, "insert into content_view (message, account, what, purpose, at) values ('A', 'a1', 'content', 'facts', 6)"),
    (
        8,
        "insert into exemption (id, rule, sender, sender_listed, because, given_at, given_by, until) \
         values ('e1', 'a-rule', 'amy@school.example', 1, 'a trip', 1, 'ann', 9000000000000000)",
    ),
    (9, "insert into written_to (address, times, last_day) values (zeroblob(32), 4, '2999-01-01')"),
    (
        9,
        "insert into text_sent (day, sender, text, messages, recipients) \
         values ('2999-01-01', zeroblob(32), zeroblob(32), 2, 3)",
    ),
    (
        10,
        "insert into personal_use (month, sender, mailbox, messages, marked, asked) \
          values ('2999-01', zeroblob(32), x'03', 9, 2, 1)",
    ),
    (
        11,
        "insert into submission_account (name, password, created_at, created_by, changed_at) \
          values ('copier', '$argon2id$', 1, 'ann', 2)",
    ),
    (11, "insert into submission_sender (account, kind, sender) values ('copier', 'domain', 'school.example')"),
    (11, "insert into submission_client (account, client, last_at) values ('copier', zeroblob(32), 1)"),
    (
        15,
        "insert into incident (id, message, origin, kind, opened_at, opened_by, version) \
          values ('i1', 'gone', 'decision', 'near-miss', 1, 'ann', 1)",
    ),
    (15, "insert into incident_version (incident, version, at, written_by, body) values ('i1', 1, 1, 'ann', x'01')"),
    (
        16,
        "insert into rule_mode (id, rule, mode, because, proposed_at, proposed_by) \
          values ('m1', 'a-rule', 'warn', 'too many', 1, 'sue')",
    ),
    (18, "insert into journal (message, days, rules) values ('B', 30, 'keep')"),
    (18, "insert into word_index (message, words) values ('B', x'00')"),
    (18, "insert into legal_hold (id, reason, given_by, given_at) values ('l1', x'01', 'dee', 1)"),
    (
        20,
        "insert into disclosure (id, kind, body, asked_by, asked_at, state) \
          values ('d1', 'proceedings', x'01', 'sue', 1, 'asked')",
    ),
    (20, "insert into disclosure_message (disclosure, message, place, unsure) values ('d1', 'A', 0, 0)"),
];

/// Name, state and content of each message of `made`.
const MAIL: &[(&str, State, &[u8])] = &[
    ("A", State::Held, b"held\r\n"),
    ("B", State::Queued, b"released\r\n"),
    ("C", State::Returned, b"returned\r\n"),
    ("D", State::Discarded, b"dropped\r\n"),
    ("P", State::Pending, b"pending\r\n"),
    ("Q", State::Queued, b"queued\r\n"),
];

/// A store of this program, with mail in every state that it can be taken in or brought to, a large one (`L`) and a notice
/// (`N`); closed.
async fn made(directory: &Path) {
    let store = exclusive(directory).await;
    for (name, state, content) in MAIL {
        let begins = match (*name, state) {
            ("B" | "C" | "D", _) => State::Held,
            (_, state) => *state,
        };
        store.commit(vec![entry(name, begins, content)]).await.unwrap();
    }
    store.commit(vec![entry("L", State::Queued, &large()), notice("N", "A")]).await.unwrap();
    let remember = NewAllowance {
        rule: "a-rule".to_owned(),
        sender: "amy@school.example".to_owned(),
        recipient: "one@a.example".to_owned(),
        pupil: None,
        sender_listed: true,
        recipient_listed: false,
        until: Timestamp::now() + jiff::Span::new().hours(24 * 30),
    };
    let released = Grounds { remember: vec![remember], ..grounds("Sue", "fine") };
    store.decide_on(&id("B"), &Ruling::Release, &released, Vec::new()).await.unwrap();
    store.return_to_sender(&id("C"), "Sue", "wrong", Vec::new()).await.unwrap();
    store.discard(&id("D"), "Sue", "junk", Vec::new()).await.unwrap();
    store.close().await;
    let mut open = unchecked(directory).await;
    for (_, sql) in ROWS {
        sqlx::query(*sql).execute(&mut open).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    sqlx::query("insert into sender_link (token, message) values (zeroblob(32), 'C')")
        .execute(&mut open)
        .await
        .unwrap();
    open.close().await.unwrap();
}

fn large() -> Vec<u8> {
    vec![b'x'; crate::limits::LARGE_CONTENT + 1]
}

async fn unchecked(directory: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(directory.join(database::FILE)).create_if_missing(true);
    options.foreign_keys(false).connect().await.unwrap()
}

async fn strings(connection: &mut SqliteConnection, sql: String) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(connection).await.unwrap()
}

/// Lays the rows of `from` into a store whose schema ends with `newest`, as far as that one had tables and columns for them;
/// gives the columns of each table.
async fn as_of(newest: i64, from: &Path, directory: &Path) -> BTreeMap<String, Vec<String>> {
    for part in [SEGMENTS, LARGE] {
        std::fs::create_dir_all(directory.join(part)).unwrap();
        for file in std::fs::read_dir(from.join(part)).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), directory.join(part).join(file.file_name())).unwrap();
        }
    }
    let mut old = unchecked(directory).await;
    let steps = database::MIGRATIONS.iter().filter(|(number, ..)| *number <= newest).map(|(number, name, sql)| {
        Migration::new(*number, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(steps.collect()).run(&mut old).await.unwrap();
    let attach = format!("attach database '{}' as today", from.join(database::FILE).display());
    sqlx::query(AssertSqlSafe(attach)).execute(&mut old).await.unwrap();
    let tables = "select name from sqlite_master where type = 'table' and name not like 'sqlite%' and name not like '\\_%' escape '\\'";
    let mut laid = BTreeMap::new();
    for table in strings(&mut old, tables.to_owned()).await {
        let columns = strings(&mut old, format!("select name from pragma_table_info('{table}')")).await;
        let list = columns.join(", ");
        let sql = format!("insert into main.{table} ({list}) select {list} from today.{table}");
        sqlx::query(AssertSqlSafe(sql))
            .execute(&mut old)
            .await
            .unwrap_or_else(|e| panic!("schema {newest}, {table}: {e}"));
        laid.insert(table, columns);
    }
    old.close().await.unwrap();
    laid
}

/// Every row as its columns were, each quoted; leases end whenever a daemon starts.
async fn rows(directory: &Path, of: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut open = unchecked(directory).await;
    let mut all = Vec::new();
    for (table, columns) in of {
        let kept = columns.iter().filter(|column| !column.starts_with("lease_"));
        let each: Vec<String> = kept.map(|column| format!("quote({column})")).collect();
        let sql = format!("select '{table}: ' || {} from {table}", each.join(" || ', ' || "));
        all.extend(strings(&mut open, sql).await);
    }
    open.close().await.unwrap();
    all
}

/// Relay checklist, row 77.
#[tokio::test]
async fn a_store_of_every_older_schema_opens_with_all_that_was_in_it() {
    let today = tempfile::tempdir().unwrap();
    made(today.path()).await;
    for (newest, name, _) in database::MIGRATIONS {
        let newest = *newest;
        let what = format!("schema {newest} ({name})");
        let directory = tempfile::tempdir().unwrap();
        let tables = as_of(newest, today.path(), directory.path()).await;
        for table in
            ROWS.iter().filter(|(brought, _)| *brought <= newest).map(|(_, sql)| sql.split(' ').nth(2).unwrap())
        {
            assert!(tables.contains_key(table), "{what} has {table}");
        }
        let before = rows(directory.path(), &tables).await;
        let store = exclusive(directory.path()).await;
        store.keep_school_time(crate::school_time::SchoolTime::default()).await.unwrap();
        for (name, state, content) in MAIL {
            let shown = store.show(&id(name)).await.unwrap();
            assert_eq!(shown.summary.state, *state, "{what}: {name}");
            assert_eq!(shown.recipients.len(), 2, "{what}: {name}");
            assert_eq!(shown.report.is_some(), *state != State::Pending, "{what}: {name}");
            if state.keeps_content() {
                assert_eq!(&*store.content(&id(name)).await.unwrap(), *content, "{what}: {name}");
            }
        }
        assert!(*store.content(&id("L")).await.unwrap() == *large(), "{what}");
        assert_eq!(store.audit_check(Scope::Whole).await.unwrap().faults, [], "{what}");
        let after = rows(directory.path(), &tables).await;
        let lost: Vec<&String> = before.iter().filter(|row| !after.contains(row)).collect();
        assert!(lost.is_empty(), "{what}: {lost:#?}");
        if newest >= 3 {
            let names: Vec<String> = store.accounts().await.unwrap().into_iter().map(|account| account.name).collect();
            assert_eq!(names, ["ann", "sue"], "{what}");
        }
        let holding = usize::from(newest >= 5);
        assert_eq!(store.allowances(Timestamp::now()).await.unwrap().len(), holding, "{what}");
        assert_eq!(store.exemptions(Timestamp::now()).await.unwrap().len(), usize::from(newest >= 8), "{what}");
        assert_eq!(store.submissions().await.unwrap().len(), usize::from(newest >= 11), "{what}");
        // What was held can be decided on, and what may leave goes.
        assert_eq!(store.held_page(&HeldFilter::default(), None, 9).await.unwrap().lines.len(), 1, "{what}");
        assert_eq!(store.release(&id("A"), "Sue", "", Vec::new()).await.unwrap(), Decision::Done, "{what}");
        let mut due = ids_due(&store).await;
        due.sort();
        assert_eq!(due, ["A", "B", "L", "N", "Q"], "{what}");
        store.close().await;
    }
}

/// Relay checklist, row 77.
#[tokio::test]
async fn a_store_of_a_newer_schema_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    store.commit(vec![entry("A", State::Held, b"x\r\n")]).await.unwrap();
    store.close().await;
    let mut open = raw(directory.path()).await;
    let later = database::MIGRATIONS.iter().map(|(number, ..)| *number).max().unwrap() + 1;
    let sql = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) values ($1, 'later', true, x'00', 1)";
    sqlx::query(sql).bind(later).execute(&mut open).await.unwrap();
    let refused = Store::open_exclusive(directory.path(), key()).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::Newer { found, known } if found == later && known == later - 1),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("newer schoolgate"), "{refused}");
    sqlx::query("delete from _sqlx_migrations where version = $1").bind(later).execute(&mut open).await.unwrap();
    drop(open);
    let store = exclusive(directory.path()).await;
    assert_eq!(state_of(&store, "A").await, State::Held);
}
