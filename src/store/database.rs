//! The SQLite database: opening, migrating, checking that the key is the one it was made with.
//!
//! WAL with `synchronous=FULL`: a commit that returned is on stable storage. Statements are plain SQL with `$1`
//! placeholders; what only SQLite understands stands in `migrations/sqlite`.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlSafeStr, SqliteConnection, SqlitePool};

use super::key::Keys;
use super::{StoreError, review};
use crate::limits;

/// The database, in the store's directory.
pub(super) const FILE: &str = "queue.db";

/// Number, name and text of each step of the schema.
pub(super) const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "queue", include_str!("migrations/sqlite/1_queue.sql")),
    (2, "leases", include_str!("migrations/sqlite/2_leases.sql")),
    (3, "accounts", include_str!("migrations/sqlite/3_accounts.sql")),
    (4, "desk", include_str!("migrations/sqlite/4_desk.sql")),
    (5, "allowances", include_str!("migrations/sqlite/5_allowances.sql")),
    (6, "deadlines", include_str!("migrations/sqlite/6_deadlines.sql")),
    (7, "sender", include_str!("migrations/sqlite/7_sender.sql")),
    (8, "exemptions", include_str!("migrations/sqlite/8_exemptions.sql")),
    (9, "counts", include_str!("migrations/sqlite/9_counts.sql")),
    (10, "personal use", include_str!("migrations/sqlite/10_personal_use.sql")),
    (11, "submission", include_str!("migrations/sqlite/11_submission.sql")),
    (12, "reports", include_str!("migrations/sqlite/12_reports.sql")),
    (13, "rules version", include_str!("migrations/sqlite/13_rules_version.sql")),
    (14, "waiting", include_str!("migrations/sqlite/14_waiting.sql")),
    (15, "incidents", include_str!("migrations/sqlite/15_incidents.sql")),
    (16, "rules", include_str!("migrations/sqlite/16_rules.sql")),
    (17, "leaving", include_str!("migrations/sqlite/17_leaving.sql")),
    (18, "journal", include_str!("migrations/sqlite/18_journal.sql")),
    (19, "footers", include_str!("migrations/sqlite/19_footers.sql")),
    (20, "disclosures", include_str!("migrations/sqlite/20_disclosures.sql")),
];

/// How every connection to the store in `directory` is opened, unless a test wants a shorter wait.
pub(super) fn options(directory: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(directory.join(FILE))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(limits::STORE_BUSY))
        // A checkpoint costs two syncs more: seldom, then.
        .pragma("wal_autocheckpoint", "4000")
        // A dropped content key is overwritten, not only unlinked.
        .pragma("secure_delete", "on")
        .disable_statement_logging()
}

/// Opens the connection that writes; brings the schema up to date and checks the key.
pub(super) async fn prepare(options: &SqliteConnectOptions, keys: &Keys) -> Result<SqliteConnection, StoreError> {
    let mut connection = SqliteConnection::connect_with(options).await?;
    refuse_newer(&mut connection).await?;
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
        .run(&mut connection)
        .await
        .map_err(|e| StoreError::Database(format!("the schema cannot be brought up to date: {e}")))?;
    sqlx::query("insert into setting (name, value) values ('key', $1) on conflict (name) do nothing")
        .bind(&keys.id[..])
        .execute(&mut connection)
        .await?;
    let made_with: Vec<u8> =
        sqlx::query_scalar("select value from setting where name = 'key'").fetch_one(&mut connection).await?;
    if made_with != keys.id {
        return Err(StoreError::WrongKey);
    }
    review::fill(&mut connection, keys).await?;
    Ok(connection)
}

/// Says no to a schema with a step that this program does not know.
async fn refuse_newer(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let known = MIGRATIONS.iter().map(|(number, ..)| *number).max().unwrap_or_default();
    let table: Option<i64> = sqlx::query_scalar("select 1 from sqlite_master where name = '_sqlx_migrations'")
        .fetch_optional(&mut *connection)
        .await?;
    if table.is_none() {
        return Ok(());
    }
    let found: Option<i64> =
        sqlx::query_scalar("select max(version) from _sqlx_migrations").fetch_one(connection).await?;
    match found {
        Some(found) if found > known => Err(StoreError::Newer { found, known }),
        _ => Ok(()),
    }
}

/// A database in memory with the schema as this program makes it.
pub(super) async fn fresh() -> Result<SqliteConnection, StoreError> {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await?;
    for (_, _, sql) in MIGRATIONS {
        sqlx::raw_sql(*sql).execute(&mut connection).await?;
    }
    Ok(connection)
}

/// The connections that only read.
pub(super) async fn reader(options: &SqliteConnectOptions) -> Result<SqlitePool, StoreError> {
    let options = options.clone().pragma("query_only", "on");
    Ok(SqlitePoolOptions::new().max_connections(limits::STORE_READERS).connect_with(options).await?)
}
