//! The audit: one line for each thing done to a message, each bound to the one before by its hash.
//!
//! `hash = SHA-256(prev || line)`, where `line` is the JSON array `[seq, at, message, event, who, detail]` and `prev` the
//! hash of the line before (32 zero bytes for the first). A line never holds content, only ids, states, counts and words
//! that a person gave as a reason.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{QueryBuilder, Row, SqliteConnection};

use super::{QueueId, Store, StoreError};
use crate::limits;

/// What the gateway itself did.
pub const GATEWAY: &str = "gateway";

/// One line of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    /// From 1, without gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The message; empty where a line is about many.
    pub message: QueueId,
    /// `accepted`, `decided`, `held`, `released`, `returned`, `discarded`, `retried`, `delivered`, `deferred`, `failed`,
    /// `reminded`, `escalated`, `put-off`, `inspection-failed`, `damaged`, `recovered`, `viewed`, `opened`,
    /// `viewed-again`, `opening-asked`, `opening-approved`, `forgotten`, `allowed`, `allowance-ended`,
    /// `exempted`, `exemption-ended`, `waits`; of incidents those in [`super::incidents`]; of accounts those in [`super::accounts`].
    pub event: String,
    /// `gateway`, or the person.
    pub who: String,
    /// A JSON object.
    pub detail: String,
}

/// A line with its place in the chain, as somebody else can verify it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLink {
    /// The line.
    pub line: AuditLine,
    /// Hash of the line before.
    pub prev: Vec<u8>,
    /// Its own hash.
    pub hash: Vec<u8>,
}

impl AuditLink {
    /// What the hash is taken of stands there exactly: times in microseconds, the detail as text.
    pub fn as_json(&self) -> serde_json::Value {
        let line = &self.line;
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        serde_json::json!({
            "seq": line.seq, "at": line.at.as_microsecond(), "message": line.message, "event": line.event, "who": line.who,
            "detail": line.detail, "prev": hex(&self.prev), "hash": hex(&self.hash),
        })
    }

    /// A line as [`AuditLink::as_json`] writes it.
    pub fn of_json(text: &str) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        let word = |key: &str| value.get(key)?.as_str().map(str::to_owned);
        let bytes = |key: &str| {
            let digits = word(key)?;
            let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
            (0..digits.len()).step_by(2).map(pair).collect::<Option<Vec<u8>>>()
        };
        let line = AuditLine {
            seq: value.get("seq")?.as_i64()?,
            at: Timestamp::from_microsecond(value.get("at")?.as_i64()?).ok()?,
            message: QueueId(word("message")?),
            event: word("event")?,
            who: word("who")?,
            detail: word("detail")?,
        };
        Some(Self { line, prev: bytes("prev")?, hash: bytes("hash")? })
    }

    /// Its hash is that of the line and the hash before.
    pub fn holds(&self) -> bool {
        self.line.hash(&self.prev) == self.hash
    }
}

/// Which lines are listed; what is absent filters nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AuditFilter {
    /// About this message.
    pub message: Option<QueueId>,
    /// At this time or later.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// By somebody whose name holds this.
    pub who: Option<String>,
    /// With this event.
    pub event: Option<String>,
    /// Before this line.
    #[serde(default)]
    pub before: Option<i64>,
    /// By the gateway or by one of these persons, each named alone or with the system's user behind the name.
    #[serde(default)]
    pub of: Option<Vec<String>>,
    /// By people: what the gateway did itself is left out.
    #[serde(default)]
    pub people: bool,
    /// About no message: accounts, the configuration, the gateway itself.
    #[serde(default)]
    pub technical: bool,
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
    /// The message was put to these roles, because nobody had decided in time, or it cannot go back.
    pub fn escalated_to(&self) -> Vec<String> {
        if !["escalated", "put-off"].contains(&self.event.as_str()) {
            return Vec::new();
        }
        let detail: serde_json::Value = serde_json::from_str(&self.detail).unwrap_or_default();
        let told = detail.get("told").and_then(|told| told.as_array()).into_iter().flatten();
        told.filter_map(|role| role.as_str().map(str::to_owned)).collect()
    }

    pub(super) fn hash(&self, prev: &[u8]) -> Vec<u8> {
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
    /// Reads it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end(connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        let last =
            sqlx::query("select seq, hash from audit order by seq desc limit 1").fetch_optional(connection).await?;
        Ok(match last {
            Some(row) => Self { seq: row.try_get("seq")?, hash: row.try_get("hash")? },
            None => Self { seq: 0, hash: vec![0; 32] },
        })
    }

    /// Writes one line.
    ///
    /// # Errors
    /// What the database says. A chain that failed to append is used no more: its transaction is rolled back.
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
    /// The last lines that fit, the newest last, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_list(&self, filter: &AuditFilter, limit: u32) -> Result<Vec<AuditLine>, StoreError> {
        let mut query = QueryBuilder::new("select * from audit where true");
        if let Some(message) = &filter.message {
            query.push(" and message = ").push_bind(&message.0);
        }
        if let Some(since) = filter.since {
            query.push(" and at >= ").push_bind(micros(since));
        }
        if let Some(until) = filter.until {
            query.push(" and at < ").push_bind(micros(until));
        }
        if let Some(who) = &filter.who {
            query.push(" and instr(lower(who), lower(").push_bind(who).push(")) > 0");
        }
        if let Some(event) = &filter.event {
            query.push(" and event = ").push_bind(event);
        }
        if let Some(before) = filter.before {
            query.push(" and seq < ").push_bind(before);
        }
        if filter.people {
            query.push(" and who <> ").push_bind(GATEWAY);
        }
        if filter.technical {
            query.push(" and message = ''");
        }
        if let Some(people) = &filter.of {
            query.push(" and (who = ").push_bind(GATEWAY);
            for name in people {
                query.push(" or who = ").push_bind(name);
                let behind = format!("{name} ");
                query.push(" or substr(who, 1, length(").push_bind(behind.clone());
                query.push(")) = ").push_bind(behind);
            }
            query.push(")");
        }
        query.push(" order by seq desc limit ").push_bind(i64::from(limit));
        let rows = query.build().fetch_all(&self.inner.reader).await?;
        rows.iter().rev().map(AuditLine::read).collect()
    }

    /// Up to [`limits::AUDIT_PAGE`] lines after the line `after`, with their places in the chain; none at the end.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_page(&self, after: i64) -> Result<Vec<AuditLink>, StoreError> {
        let rows = sqlx::query("select * from audit where seq > $1 order by seq limit $2")
            .bind(after)
            .bind(i64::from(limits::AUDIT_PAGE))
            .fetch_all(&self.inner.reader)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(AuditLink { line: AuditLine::read(row)?, prev: row.try_get("prev")?, hash: row.try_get("hash")? })
            })
            .collect()
    }
}
