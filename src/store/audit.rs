//! The audit: one line for each thing done to a message, each bound to the one before by its hash.
//!
//! `hash = SHA-256(prev || line)`, where `line` is the JSON array `[seq, at, message, event, who, detail]` and `prev` the
//! hash of the line before (32 zero bytes for the first). A line never holds content, only ids, states, counts and words
//! that a person gave as a reason.

use jiff::Timestamp;
use sqlx::{Row, SqliteConnection};

use super::{QueueId, Store, StoreError};

/// What the gateway itself did.
pub(super) const GATEWAY: &str = "gateway";

/// One line of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// From 1, without gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The message; empty where a line is about many.
    pub message: QueueId,
    /// `accepted`, `decided`, `held`, `released`, `returned`, `discarded`, `retried`, `delivered`, `deferred`, `failed`,
    /// `inspection-failed`, `damaged`, `recovered`, `viewed`, `forgotten`.
    pub event: String,
    /// `gateway`, or the person.
    pub who: String,
    /// A JSON object.
    pub detail: String,
}

/// The first line at which the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFault {
    /// Its number; one past the last line where the end is missing.
    pub seq: i64,
    /// What is wrong, in plain words.
    pub problem: &'static str,
}

impl std::fmt::Display for AuditLine {
    /// One line for a person: when, who, what, and the words given as a reason.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.at.to_zoned(jiff::tz::TimeZone::system());
        write!(f, "{} {} by {}", at.strftime("%Y-%m-%d %H:%M:%S"), self.event, self.who)?;
        let detail: serde_json::Value = serde_json::from_str(&self.detail).unwrap_or_default();
        match detail.get("why").and_then(|why| why.as_str()) {
            Some(why) if !why.is_empty() => write!(f, ": {why}"),
            _ => Ok(()),
        }
    }
}

impl AuditLine {
    fn hash(&self, prev: &[u8]) -> Vec<u8> {
        let line = serde_json::json!([self.seq, micros(self.at), self.message.0, self.event, self.who, self.detail]);
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        context.update(prev);
        context.update(line.to_string().as_bytes());
        context.finish().as_ref().to_vec()
    }

    pub(super) fn read(row: &sqlx::sqlite::SqliteRow) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.try_get("seq")?,
            at: timestamp(row.try_get("at")?),
            message: QueueId(row.try_get("message")?),
            event: row.try_get("event")?,
            who: row.try_get("who")?,
            detail: row.try_get("detail")?,
        })
    }
}

/// Microseconds, as the database keeps times.
pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// A time as the database keeps it; what is out of range is the epoch.
pub(super) fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The end of the chain, read inside the transaction that writes: another process may have written before.
pub(super) struct Chain {
    seq: i64,
    hash: Vec<u8>,
}

impl Chain {
    pub async fn end(connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        let last =
            sqlx::query("select seq, hash from audit order by seq desc limit 1").fetch_optional(connection).await?;
        Ok(match last {
            Some(row) => Self { seq: row.try_get("seq")?, hash: row.try_get("hash")? },
            None => Self { seq: 0, hash: vec![0; 32] },
        })
    }

    /// Writes one line.
    pub async fn append(
        &mut self,
        connection: &mut SqliteConnection,
        at: Timestamp,
        message: &QueueId,
        event: &str,
        who: &str,
        detail: serde_json::Value,
    ) -> Result<(), StoreError> {
        let line = AuditLine {
            seq: self.seq + 1,
            at,
            message: message.clone(),
            event: event.to_owned(),
            who: who.to_owned(),
            detail: detail.to_string(),
        };
        let hash = line.hash(&self.hash);
        sqlx::query(
            "insert into audit (seq, at, message, event, who, detail, prev, hash) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(line.seq)
        .bind(micros(at))
        .bind(&message.0)
        .bind(&line.event)
        .bind(&line.who)
        .bind(&line.detail)
        .bind(&self.hash)
        .bind(&hash)
        .execute(connection)
        .await?;
        self.seq = line.seq;
        self.hash = hash;
        Ok(())
    }
}

impl Store {
    /// Goes through the whole chain: the number of lines, or the first one that was changed, removed or put in.
    ///
    /// Lines cut off at the end show only against a count noted elsewhere.
    pub async fn audit_verify(&self) -> Result<Result<u64, AuditFault>, StoreError> {
        const PAGE: i64 = 1_000;
        let mut prev = vec![0u8; 32];
        let mut seq = 0i64;
        loop {
            let rows = sqlx::query("select * from audit where seq > $1 order by seq limit $2")
                .bind(seq)
                .bind(PAGE)
                .fetch_all(&self.inner.reader)
                .await?;
            for row in &rows {
                let line = AuditLine::read(row)?;
                let fault = |problem| Ok(Err(AuditFault { seq: seq + 1, problem }));
                if line.seq != seq + 1 {
                    return fault("a line is missing");
                }
                if row.try_get::<Vec<u8>, _>("prev")? != prev {
                    return fault("it does not follow from the line before");
                }
                let hash: Vec<u8> = row.try_get("hash")?;
                if line.hash(&prev) != hash {
                    return fault("it was changed");
                }
                prev = hash;
                seq += 1;
            }
            if rows.is_empty() {
                return Ok(Ok(u64::try_from(seq).unwrap_or_default()));
            }
        }
    }
}
