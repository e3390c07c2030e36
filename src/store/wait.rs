//! Mail that waits before it leaves: so that its sender can take it back, and until the school is open.
//!
//! Owns the columns `leaves_at`, `second_look_until`, `opens_at` and `when_open` of a message. Never knows rules: what is
//! asked for stands in the report. Invariants: a wait is written in the transaction that queues its message, with its line
//! in the audit (`waits`), and nothing is leased for delivery before it is over; only its sender ends it early, or opening hours
//! that begin earlier; what a person let go waits for the school to open and for nothing else; a notice waits for nothing.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::audit::{GATEWAY, micros, timestamp};
use super::writer::Tx;
use super::{Class, NewEntry, QueueId, State, StoreError};
use crate::inspect::Report;
use crate::school_time::SchoolTime;

/// Until when a message waits, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Leaves {
    /// It does not leave before this time: the later of the two below.
    pub at: Timestamp,
    /// Until when its sender may look at it again, where a rule asks for that.
    pub second_look_until: Option<Timestamp>,
    /// When the school opens, where it waits for that.
    pub opens_at: Option<Timestamp>,
}

impl Leaves {
    /// What a message waits for by its report that was taken in at `at` and is decided on `now`; `None` where it may leave.
    pub fn of(report: &Report, times: &SchoolTime, at: Timestamp, now: Timestamp) -> Option<Self> {
        let minutes = report.duties.wait_minutes.filter(|_| !report.automatic);
        let second_look = minutes.and_then(|minutes| at.saturating_add(SignedDuration::from_mins(minutes.into())).ok());
        let opens = when_open(report).then(|| times.opening(now));
        Self::until(second_look, opens, now)
    }

    /// What a message with this report waits for once a person has let it go; `None` where it leaves at once.
    pub fn when_let_go(report: &Report, times: &SchoolTime, now: Timestamp) -> Option<Self> {
        Self::until(None, when_open(report).then(|| times.opening(now)), now)
    }

    fn until(second_look: Option<Timestamp>, opens: Option<Timestamp>, now: Timestamp) -> Option<Self> {
        let ahead = |time: &Timestamp| *time > now;
        let (second_look_until, opens_at) = (second_look.filter(ahead), opens.filter(ahead));
        let at = second_look_until.max(opens_at)?;
        Some(Self { at, second_look_until, opens_at })
    }

    /// It waits for the school to open, or did, when its second look was over.
    pub fn for_opening(&self, now: Timestamp) -> bool {
        self.opens_at.is_some_and(|opens| opens > now)
    }

    /// As a row of messages has it.
    pub(super) fn read(row: &SqliteRow) -> Result<Option<Self>, StoreError> {
        let time = |column: &str| Ok::<_, StoreError>(row.try_get::<Option<i64>, _>(column)?.map(timestamp));
        let Some(at) = time("leaves_at")? else { return Ok(None) };
        Ok(Some(Self { at, second_look_until: time("second_look_until")?, opens_at: time("opens_at")? }))
    }
}

/// Whenever it is let go, it leaves while the school is open.
fn when_open(report: &Report) -> bool {
    report.duties.wait_until_open && !report.is_urgent() && !report.automatic
}

impl Tx<'_> {
    /// What a new message waits for. What its sender changed and sent has had its second look.
    pub fn wait_of(&self, new: &NewEntry) -> Option<Leaves> {
        let report = new.report.as_ref().filter(|_| new.class == Class::Mail && new.state == State::Queued)?;
        let leaves = Leaves::of(report, &self.school_time, new.at, self.now)?;
        match new.about {
            Some(_) => Leaves::until(None, leaves.opens_at, self.now),
            None => Some(leaves),
        }
    }

    /// Writes what a message that was decided on waits for; and whether it is to leave while the school is open, should it be
    /// let go later.
    ///
    /// # Errors
    /// What the database says.
    pub async fn let_wait(&mut self, id: &QueueId, report: &Report, leaves: Option<&Leaves>) -> Result<(), StoreError> {
        if when_open(report) {
            sqlx::query("update message set when_open = true where id = $1")
                .bind(&id.0)
                .execute(&mut *self.connection)
                .await?;
        }
        let Some(leaves) = leaves else { return Ok(()) };
        self.leaves(id, leaves).await?;
        self.audit_wait(id, leaves, json!({"rules": report.duties.wait_rules})).await
    }

    /// What a person has let go leaves now, or when the school opens, where it is to wait for that.
    ///
    /// # Errors
    /// What the database says.
    pub async fn leave_when_open(&mut self, id: &QueueId) -> Result<(), StoreError> {
        let when_open: bool = sqlx::query_scalar("select when_open from message where id = $1")
            .bind(&id.0)
            .fetch_one(&mut *self.connection)
            .await?;
        let opens = when_open.then(|| self.school_time.opening(self.now));
        match Leaves::until(None, opens, self.now) {
            Some(leaves) => {
                self.leaves(id, &leaves).await?;
                self.audit_wait(id, &leaves, json!({})).await
            }
            None => {
                sqlx::query(
                    "update message set leaves_at = null, second_look_until = null, opens_at = null, next_due = $2, \
                     waits_since = $2 where id = $1",
                )
                .bind(&id.0)
                .bind(micros(self.now))
                .execute(&mut *self.connection)
                .await?;
                Ok(())
            }
        }
    }

    /// Ends the wait of a message: it leaves now.
    ///
    /// # Errors
    /// What the database says.
    pub async fn leave_now(&mut self, id: &QueueId) -> Result<(), StoreError> {
        let leaves = Leaves { at: self.now, second_look_until: None, opens_at: None };
        self.leaves(id, &leaves).await?;
        self.effects.queued = true;
        Ok(())
    }

    /// Lets what waits for the school to open leave earlier, where it opens earlier than was said.
    ///
    /// # Errors
    /// What the database says.
    pub async fn open_earlier(&mut self) -> Result<(), StoreError> {
        let opens = self.school_time.opening(self.now);
        let waiting = sqlx::query(
            "select id, leaves_at, second_look_until, opens_at from message where state = 'queued' and opens_at > $1",
        )
        .bind(micros(opens))
        .fetch_all(&mut *self.connection)
        .await?;
        for row in &waiting {
            let id = QueueId(row.try_get("id")?);
            let Some(before) = Leaves::read(row)? else { continue };
            let at = before.second_look_until.max(Some(opens)).unwrap_or(opens);
            let leaves = Leaves { at, opens_at: Some(opens), ..before };
            self.leaves(&id, &leaves).await?;
            self.audit_wait(&id, &leaves, json!({"why": "the school opens earlier than before"})).await?;
        }
        self.effects.queued |= !waiting.is_empty();
        Ok(())
    }

    async fn leaves(&mut self, id: &QueueId, leaves: &Leaves) -> Result<(), StoreError> {
        // Its wait is neither an age nor a delay.
        sqlx::query(
            "update message set leaves_at = $2, second_look_until = $3, opens_at = $4, next_due = $2, waits_since = $2 \
             where id = $1",
        )
        .bind(&id.0)
        .bind(micros(leaves.at))
        .bind(leaves.second_look_until.map(micros))
        .bind(leaves.opens_at.map(micros))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn audit_wait(
        &mut self,
        id: &QueueId,
        leaves: &Leaves,
        mut detail: serde_json::Value,
    ) -> Result<(), StoreError> {
        detail["until"] = leaves.at.to_string().into();
        if let Some(until) = leaves.second_look_until {
            detail["second_look_until"] = until.to_string().into();
        }
        if let Some(opens) = leaves.opens_at {
            detail["school_opens"] = opens.to_string().into();
        }
        self.audit(id, "waits", GATEWAY, detail).await
    }
}
