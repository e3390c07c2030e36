//! Whether the audit holds: the chain of its lines, the schema that protects it, and that what it says last of a message
//! is where the message stands. Reads only, in pages, beside a writer that goes on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::{Row, SqliteConnection};

use super::audit::AuditLine;
use super::{QueueId, State, Store, StoreError, database};
use crate::limits;

/// How much of the audit is gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every line and every message.
    Whole,
    /// So many lines from the end, and so many of the messages that wait.
    Tail(u32),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditCheck {
    /// Lines that were gone through.
    pub lines: u64,
    /// What is wrong, at most [`limits::AUDIT_FAULTS`] of them.
    pub faults: Vec<AuditFault>,
}

/// One thing that is wrong with the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFault {
    /// Number of the line that it shows at; 0 where it is about no line.
    pub seq: i64,
    /// What is wrong, in plain words.
    pub problem: String,
}

impl std::fmt::Display for AuditFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.seq {
            0 => f.write_str(&self.problem),
            seq => write!(f, "line {seq}: {}", self.problem),
        }
    }
}

impl AuditCheck {
    fn fault(&mut self, seq: i64, problem: impl Into<String>) {
        if self.faults.len() < limits::AUDIT_FAULTS {
            self.faults.push(AuditFault { seq, problem: problem.into() });
        }
    }
}

/// The state that a line leaves its message in, where it tells one.
fn state_told(line: &AuditLine) -> Option<State> {
    let detail = || serde_json::from_str::<serde_json::Value>(&line.detail).ok();
    match line.event.as_str() {
        "accepted" | "decided" => detail()?.get("state")?.as_str()?.parse().ok(),
        "released" | "deferred" => Some(State::Queued),
        event => event.parse().ok(),
    }
}

/// Events that tell a state.
const TELLING: &str =
    "('accepted', 'decided', 'held', 'released', 'returned', 'discarded', 'delivered', 'deferred', 'failed')";

impl Store {
    /// Goes through the chain alone: the number of lines, or the first one that was changed, removed or put in.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_verify(&self, scope: Scope) -> Result<Result<u64, AuditFault>, StoreError> {
        let mut check = AuditCheck { lines: 0, faults: Vec::new() };
        self.check_chain(scope, &mut check).await?;
        Ok(match check.faults.into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(check.lines),
        })
    }

    /// Goes through the audit: its chain, the schema's triggers and checks, and the states of messages.
    ///
    /// Lines cut off at the end show where a message is not in the state that its last line tells; otherwise only
    /// against an export made before.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_check(&self, scope: Scope) -> Result<AuditCheck, StoreError> {
        let mut check = AuditCheck { lines: 0, faults: Vec::new() };
        self.check_schema(&mut check).await?;
        self.check_chain(scope, &mut check).await?;
        self.check_states(scope, &mut check).await?;
        Ok(check)
    }

    async fn check_chain(&self, scope: Scope, check: &mut AuditCheck) -> Result<(), StoreError> {
        let last: i64 =
            sqlx::query_scalar("select coalesce(max(seq), 0) from audit").fetch_one(&self.inner.reader).await?;
        let mut seq = match scope {
            Scope::Whole => 0,
            Scope::Tail(lines) => last.saturating_sub(i64::from(lines)).max(0),
        };
        let before = sqlx::query_scalar("select hash from audit where seq = $1").bind(seq);
        // The first line follows on 32 zero bytes; a line that is missing before the tail shows as not followed from.
        let mut prev: Vec<u8> = before.fetch_optional(&self.inner.reader).await?.unwrap_or_else(|| vec![0; 32]);
        loop {
            let rows = sqlx::query("select * from audit where seq > $1 order by seq limit $2")
                .bind(seq)
                .bind(i64::from(limits::AUDIT_PAGE))
                .fetch_all(&self.inner.reader)
                .await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in &rows {
                let line = AuditLine::read(row)?;
                let (told, hash): (Vec<u8>, Vec<u8>) = (row.try_get("prev")?, row.try_get("hash")?);
                // After a fault the chain is taken up again as it stands, so that each fault is told once.
                if line.seq != seq + 1 {
                    check.fault(seq + 1, "a line is missing");
                } else if told != prev {
                    check.fault(line.seq, "it does not follow from the line before");
                }
                if line.hash(&told) != hash {
                    check.fault(line.seq, "it was changed");
                }
                (seq, prev) = (line.seq, hash);
                check.lines += 1;
            }
        }
    }

    /// The schema as the program makes it, against the schema as it is.
    async fn check_schema(&self, check: &mut AuditCheck) -> Result<(), StoreError> {
        let wanted = schema(&mut database::fresh().await?).await?;
        let found = schema(&mut *self.inner.reader.acquire().await?).await?;
        for ((kind, name), sql) in &wanted {
            match found.get(&(kind.clone(), name.clone())) {
                None => check.fault(0, format!("the {kind} `{name}`, which protects the store, is missing")),
                Some(other) if other != sql => check.fault(0, format!("the {kind} `{name}` was changed")),
                Some(_) => {}
            }
        }
        for (kind, name) in found.keys().filter(|key| !wanted.contains_key(*key)) {
            check.fault(0, format!("there is a {kind} `{name}` that the program did not make"));
        }
        Ok(())
    }

    async fn check_states(&self, scope: Scope, check: &mut AuditCheck) -> Result<(), StoreError> {
        let (waiting, mut left) = match scope {
            Scope::Whole => ("", u32::MAX),
            Scope::Tail(lines) => ("m.state in ('pending', 'queued', 'held') and", lines),
        };
        // One statement sees one moment: state and lines change together.
        let sql = format!(
            "select m.id as of, m.state as stands, a.* from message m left join audit a on a.seq = \
                 (select max(seq) from audit where message = m.id and event in {TELLING}) \
             where {waiting} m.id > $1 order by m.id limit $2"
        );
        let mut from = String::new();
        loop {
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql.as_str()))
                .bind(&from)
                .bind(i64::from(limits::AUDIT_PAGE.min(left)))
                .fetch_all(&self.inner.reader)
                .await?;
            for row in &rows {
                let (id, stands) = (QueueId(row.try_get("of")?), row.try_get::<String, _>("stands")?);
                if row.try_get::<Option<i64>, _>("seq")?.is_none() {
                    check.fault(0, format!("no line tells how message {id} came to be {stands}"));
                } else {
                    let line = AuditLine::read(row)?;
                    if let Some(told) = state_told(&line)
                        && told.as_str() != stands
                    {
                        check.fault(
                            line.seq,
                            format!("message {id} is {stands}, and its last line says {}", told.as_str()),
                        );
                    }
                }
                from = id.0;
            }
            left = left.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
            if rows.is_empty() || left == 0 {
                return Ok(());
            }
        }
    }
}

/// What the database is made of, by kind and name; what SQLite and the migrator keep for themselves left out.
async fn schema(connection: &mut SqliteConnection) -> Result<BTreeMap<(String, String), String>, StoreError> {
    let rows = sqlx::query(
        "select type, name, sql from sqlite_master where sql is not null \
         and name not like 'sqlite\\_%' escape '\\' and name not like '\\_sqlx\\_%' escape '\\'",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok(((row.try_get("type")?, row.try_get("name")?), row.try_get("sql")?)))
        .collect::<Result<_, sqlx::Error>>()
        .map_err(Into::into)
}
