//! The row of each message that came to quarantine: what the list shows and filters by, and what was decided.
//!
//! Owns the table `review`: begun when a message is held, ended by its decision, filled in for what an older program held.
//! Knows the report as far as one line of a list goes: counts, words and flags, never what was found. Invariant: a row
//! is undecided exactly while its message is held.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{Connection, Row, SqliteConnection};

use super::audit::{AuditLine, micros};
use super::intake::rules_that_count;
use super::key::Keys;
use super::writer::Tx;
use super::{QueueId, StoreError};
use crate::inspect::Report;
use crate::limits;

/// What the person who decides takes a held message for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Classification {
    /// A personal data breach, or likely one.
    Breach,
    /// It would have been one, had it been sent.
    NearMiss,
    /// Neither.
    Neither,
}

impl Classification {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Breach, Self::NearMiss, Self::Neither];

    /// The word that store, command line and forms use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Breach => "breach",
            Self::NearMiss => "near-miss",
            Self::Neither => "neither",
        }
    }
}

impl std::str::FromStr for Classification {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|one| one.as_str() == word).ok_or(())
    }
}

/// What the report says on one line.
#[derive(Debug, Default)]
struct Description {
    rules: String,
    kinds: String,
    notified: String,
    breach: bool,
    pupils: i64,
    sealed: bool,
    safeguarding: bool,
}

/// Words with a comma before and behind each, so that one is found whole.
fn listed<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let mut out = String::from(",");
    for word in words {
        if !out.contains(&format!(",{word},")) {
            out.push_str(word);
            out.push(',');
        }
    }
    out
}

/// The words of such a list.
pub(super) fn words(list: &str) -> Vec<String> {
    list.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

impl Description {
    fn of(report: Option<&Report>) -> Self {
        let Some(report) = report else { return Self::empty() };
        Self {
            rules: listed(rules_that_count(report)),
            kinds: listed(report.recipients.iter().map(|recipient| recipient.kind.as_str())),
            notified: listed(report.notify.iter().map(String::as_str)),
            breach: report.breach,
            pupils: i64::try_from(report.pupils.len() + report.unlisted_pupils).unwrap_or(i64::MAX),
            sealed: report.is_sealed(),
            safeguarding: report.concerns_safeguarding(),
        }
    }

    fn empty() -> Self {
        let none = || listed([].into_iter());
        Self { rules: none(), kinds: none(), notified: none(), ..Self::default() }
    }
}

/// A decision as the row keeps it.
pub(super) struct Ended<'d> {
    pub at: Timestamp,
    pub by: &'d str,
    pub decision: &'d str,
    pub classification: Option<Classification>,
    pub reason: &'d str,
    pub key: Option<&'d str>,
}

impl Tx<'_> {
    /// Begins the row of a message that is held from now on, whose envelope is in the store.
    ///
    /// # Errors
    /// What the database says.
    pub async fn begin_review(&mut self, id: &QueueId, report: Option<&Report>) -> Result<(), StoreError> {
        sqlx::query("insert into review (message, held_at) values ($1, $2) on conflict (message) do nothing")
            .bind(&id.0)
            .bind(micros(self.now))
            .execute(&mut *self.connection)
            .await?;
        self.begin_deadline(id).await?;
        describe(self.connection, id, report).await
    }

    /// Writes what was decided; does nothing for a message that was never held.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_review(&mut self, id: &QueueId, ended: &Ended<'_>) -> Result<(), StoreError> {
        end(self.connection, id, ended).await
    }

    /// Decision and key of the form by which a message was decided.
    ///
    /// # Errors
    /// What the database says.
    pub async fn ended_by(&mut self, id: &QueueId) -> Result<Option<(String, String)>, StoreError> {
        let row = sqlx::query(
            "select decision, decision_key from review where message = $1 and decision is not null and decision_key is not null",
        )
        .bind(&id.0)
        .fetch_optional(&mut *self.connection)
        .await?;
        row.map(|row| Ok((row.try_get("decision")?, row.try_get("decision_key")?))).transpose()
    }
}

async fn describe(connection: &mut SqliteConnection, id: &QueueId, report: Option<&Report>) -> Result<(), StoreError> {
    let sender: Option<String> = sqlx::query_scalar("select mail_from from message where id = $1")
        .bind(&id.0)
        .fetch_one(&mut *connection)
        .await?;
    let recipients: Vec<String> =
        sqlx::query_scalar("select address from recipient where message = $1 order by position")
            .bind(&id.0)
            .fetch_all(&mut *connection)
            .await?;
    let sender = sender.unwrap_or_default().to_lowercase();
    let sought = format!("{} {sender} {}", id.0, recipients.join(" ")).to_lowercase();
    let told = Description::of(report);
    sqlx::query(
        "update review set described = true, sender = $2, sought = $3, rules = $4, kinds = $5, notified = $6, \
         breach = $7, pupils = $8, sealed = $9, safeguarding = $10 where message = $1",
    )
    .bind(&id.0)
    .bind(sender)
    .bind(sought)
    .bind(told.rules)
    .bind(told.kinds)
    .bind(told.notified)
    .bind(told.breach)
    .bind(told.pupils)
    .bind(told.sealed)
    .bind(told.safeguarding)
    .execute(connection)
    .await?;
    Ok(())
}

async fn end(connection: &mut SqliteConnection, id: &QueueId, ended: &Ended<'_>) -> Result<(), StoreError> {
    sqlx::query(
        "update review set decided_at = $2, decided_by = $3, decision = $4, classification = $5, reason = $6, \
         decision_key = $7 where message = $1",
    )
    .bind(&id.0)
    .bind(micros(ended.at))
    .bind(ended.by)
    .bind(ended.decision)
    .bind(ended.classification.map(Classification::as_str))
    .bind(ended.reason)
    .bind(ended.key)
    .execute(connection)
    .await?;
    Ok(())
}

/// Fills in the rows that the schema began for what an older program held: from envelope, report and audit, in batches,
/// each one transaction. What a batch left open is done when the store is opened again.
///
/// # Errors
/// What the database says. A report that does not open leaves its row without what it would have said.
pub(super) async fn fill(connection: &mut SqliteConnection, keys: &Keys) -> Result<(), StoreError> {
    loop {
        let mut batch = connection.begin().await?;
        let rows = sqlx::query(
            "select m.id, m.report from review v join message m on m.id = v.message where not v.described \
             order by v.message limit $1",
        )
        .bind(limits::REVIEW_FILL_BATCH)
        .fetch_all(&mut *batch)
        .await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            let id = QueueId(row.try_get("id")?);
            let sealed: Option<Vec<u8>> = row.try_get("report")?;
            let report: Option<Report> = sealed
                .and_then(|sealed| keys.open_report(&id.0, &sealed))
                .and_then(|json| serde_json::from_slice(&json).ok());
            describe(&mut batch, &id, report.as_ref()).await?;
            let line = sqlx::query(
                "select * from audit where message = $1 and event in ('released', 'returned', 'discarded') \
                 order by seq desc limit 1",
            )
            .bind(&id.0)
            .fetch_optional(&mut *batch)
            .await?;
            if let Some(line) = line.as_ref().map(AuditLine::read).transpose()? {
                let detail: serde_json::Value = serde_json::from_str(&line.detail).unwrap_or_default();
                let ended = Ended {
                    at: line.at,
                    by: &line.who,
                    decision: &line.event,
                    classification: None,
                    reason: detail["why"].as_str().unwrap_or_default(),
                    key: None,
                };
                end(&mut batch, &id, &ended).await?;
            }
        }
        batch.commit().await?;
    }
}
