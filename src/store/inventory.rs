//! What is in the store, for the command line, the pages and the metrics. Reads only.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::audit::{AuditLine, timestamp};
use super::held::due_of;
use super::row::{address_of, count_of, sender_of, state_of};
use super::{Class, Leaves, QueueId, State, Store, StoreError};
use crate::inspect::Report;
use crate::smtp::Address;

/// Which messages to list; `None` is any.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Filter {
    /// In this state.
    pub state: Option<State>,
    /// Mail or notices.
    pub class: Option<Class>,
    /// Only what is set aside as damaged.
    pub damaged: bool,
}

/// A message on one line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Summary {
    /// Its id.
    pub id: QueueId,
    /// Mail or notice.
    pub class: Class,
    /// The message that a notice is about.
    pub about: Option<QueueId>,
    /// Where it stands.
    pub state: State,
    /// `None` is the null sender.
    pub mail_from: Option<Address>,
    /// Recipients in all, and those still due.
    pub recipients: u32,
    /// Recipients still due.
    pub due: u32,
    /// Octets of the content.
    pub size: u64,
    /// Ids of the rules that fired.
    pub rules: Vec<String>,
    /// When it was taken in.
    pub at: Timestamp,
    /// When its state last changed.
    pub changed_at: Timestamp,
    /// When it is tried next, while it is queued or pending.
    pub next_due: Option<Timestamp>,
    /// By when it is to be decided on, while it is held.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// Until when it waits before it leaves, or waited, and for what; while it is queued.
    #[serde(default)]
    pub leaves: Option<Leaves>,
    /// Tries to deliver it so far.
    pub attempts: u32,
    /// The version of the rules that it was decided by, where it is known.
    #[serde(default)]
    pub rules_version: Option<String>,
    /// Why it is set aside.
    pub damaged: Option<String>,
}

/// A message in full, but for its content.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shown {
    /// The line of the list.
    pub summary: Summary,
    /// Each recipient with what became of it.
    pub recipients: Vec<ShownRecipient>,
    /// All that was done with it.
    pub audit: Vec<AuditLine>,
    /// The decision; absent while pending, and for notices.
    pub report: Option<Report>,
    /// Hash of the content.
    pub sha256: Vec<u8>,
}

/// A recipient with what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShownRecipient {
    /// Whom.
    pub address: Address,
    /// `due`, `delivered`, `failed`, or `withheld` by who decided.
    pub state: String,
    /// Tries so far.
    pub attempts: u32,
    /// The smarthost's last reply, sanitised.
    pub reply: Option<String>,
    /// When it was last tried.
    pub tried_at: Option<Timestamp>,
}

/// How many messages are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The state.
    pub state: State,
    /// Messages and notices in it.
    pub messages: u64,
    /// When the oldest of them was taken in; in [`Store::backlog`], or when it could leave, where it was to wait.
    pub oldest: Option<Timestamp>,
}

const SUMMARY: &str = "select m.*, \
     (select count(*) from recipient r where r.message = m.id) as recipients, \
     (select count(*) from recipient r where r.message = m.id and r.state = 'due') as due, \
     (select v.due_at from review v where v.message = m.id and v.decided_at is null) as due_at from message m ";

impl Store {
    /// Messages that fit, oldest first.
    ///
    /// # Errors
    /// What the database says. A row that does not read is left out.
    pub async fn list(&self, filter: Filter, limit: u32) -> Result<Vec<Summary>, StoreError> {
        let sql = format!(
            "{SUMMARY} where ($1 is null or m.state = $1) and ($2 is null or m.class = $2) \
             and ($3 = 0 or m.damaged is not null) order by m.at, m.id limit $4"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(filter.state.map(State::as_str))
            .bind(filter.class.map(Class::as_str))
            .bind(i64::from(filter.damaged))
            .bind(i64::from(limit))
            .fetch_all(&self.inner.reader)
            .await?;
        // One bad row must not hide the others.
        Ok(rows.iter().filter_map(|row| Summary::read(row).ok()).collect())
    }

    /// One message with recipients, audit and report.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Damaged`] where its report does not open; what the database says.
    pub async fn show(&self, id: &QueueId) -> Result<Shown, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SUMMARY} where m.id = $1")))
            .bind(&id.0)
            .fetch_optional(&self.inner.reader)
            .await?
            .ok_or_else(|| StoreError::NotFound(id.clone()))?;
        let recipients = sqlx::query("select * from recipient where message = $1 order by position")
            .bind(&id.0)
            .fetch_all(&self.inner.reader)
            .await?;
        let audit = sqlx::query("select * from audit where message = $1 order by seq")
            .bind(&id.0)
            .fetch_all(&self.inner.reader)
            .await?;
        let recipients = recipients.iter().map(|row| {
            Ok::<_, StoreError>(ShownRecipient {
                address: address_of(row.try_get("address")?, id)?,
                state: row.try_get("state")?,
                attempts: count_of(row, "attempts")?,
                reply: row.try_get("reply")?,
                tried_at: row.try_get::<Option<i64>, _>("tried_at")?.map(timestamp),
            })
        });
        let report = match row.try_get::<Option<Vec<u8>>, _>("report")? {
            Some(sealed) => Some(self.open_report(id, &sealed)?),
            None => None,
        };
        Ok(Shown {
            summary: Summary::read(&row)?,
            recipients: recipients.collect::<Result<_, _>>()?,
            audit: audit.iter().map(AuditLine::read).collect::<Result<_, _>>()?,
            report,
            sha256: row.try_get("sha256")?,
        })
    }

    fn open_report(&self, id: &QueueId, sealed: &[u8]) -> Result<Report, StoreError> {
        self.inner
            .keys
            .open_report(&id.0, sealed)
            .and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or_else(|| StoreError::Damaged { id: id.clone(), reason: "its report does not open".to_owned() })
    }

    /// Every state with its number of messages, in the order of [`State::ALL`]; states without any count 0.
    ///
    /// # Errors
    /// What the database says.
    pub async fn counts(&self) -> Result<Vec<Count>, StoreError> {
        self.count(&State::ALL, "select state, count(*) as messages, min(at) as oldest from message group by state")
            .await
    }

    /// As [`Store::counts`], of what waits: pending, queued, held. Costs the same however much was delivered before.
    ///
    /// # Errors
    /// What the database says.
    pub async fn backlog(&self) -> Result<Vec<Count>, StoreError> {
        self.count(
            &[State::Pending, State::Queued, State::Held],
            "select state, count(*) as messages, min(coalesce(leaves_at, at)) as oldest from message \
             where state in ('pending', 'queued', 'held') group by state",
        )
        .await
    }

    /// How many messages are set aside as damaged.
    ///
    /// # Errors
    /// What the database says.
    pub async fn set_aside_count(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("select count(*) from message where damaged is not null")
            .fetch_one(&self.inner.reader)
            .await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    async fn count(&self, states: &[State], sql: &'static str) -> Result<Vec<Count>, StoreError> {
        let rows = sqlx::query(sql).fetch_all(&self.inner.reader).await?;
        let mut counts: Vec<Count> = states.iter().map(|&state| Count { state, messages: 0, oldest: None }).collect();
        for row in &rows {
            let state = row.try_get::<String, _>("state")?;
            if let Some(count) = counts.iter_mut().find(|c| c.state.as_str() == state) {
                count.messages = u64::try_from(row.try_get::<i64, _>("messages")?).unwrap_or_default();
                count.oldest = row.try_get::<Option<i64>, _>("oldest")?.map(timestamp);
            }
        }
        Ok(counts)
    }
}

impl Summary {
    fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        let id = QueueId(row.try_get("id")?);
        let state = state_of(row.try_get("state")?)?;
        let rules: String = row.try_get("rules")?;
        let waits = matches!(state, State::Queued | State::Pending);
        Ok(Self {
            class: if row.try_get::<&str, _>("class")? == "notice" { Class::Notice } else { Class::Mail },
            about: row.try_get::<Option<String>, _>("about")?.map(QueueId),
            state,
            mail_from: sender_of(row, &id)?,
            recipients: count_of(row, "recipients")?,
            due: count_of(row, "due")?,
            size: u64::try_from(row.try_get::<i64, _>("size")?).unwrap_or_default(),
            rules: rules.split(',').filter(|rule| !rule.is_empty()).map(str::to_owned).collect(),
            at: timestamp(row.try_get("at")?),
            changed_at: timestamp(row.try_get("changed_at")?),
            next_due: if waits { Some(timestamp(row.try_get("next_due")?)) } else { None },
            due_at: row.try_get::<Option<i64>, _>("due_at")?.and_then(due_of),
            leaves: Leaves::read(row)?.filter(|_| state == State::Queued),
            attempts: count_of(row, "attempts")?,
            rules_version: row.try_get("rules_version")?,
            damaged: row.try_get("damaged")?,
            id,
        })
    }
}
