//! Deadlines of held mail: set when it is held, warned of once each, never forgotten over a restart.
//!
//! Owns the columns of `review` that say what is due when and what was sent about it. Never knows who is told, or what a
//! letter says. Invariants: a mark and the letters that it stands for are one transaction; nothing comes to its end of which
//! the next rung was not told in good time.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlx::Row;

use super::audit::{GATEWAY, micros, timestamp};
use super::queue::mismatch;
use super::writer::{Answer, Entry, Op, Tx};
use super::{NewEntry, QueueId, Store, StoreError};
use crate::limits;
use crate::school_time::SchoolTime;

const DIGEST: &str = "digest";

/// What is due on a held message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// To remind who decides.
    Remind,
    /// To tell the next rung of the ladder.
    Escalate,
    /// Nobody decided: to go back to its sender.
    End,
}

/// A mark to be set with the letters that it stands for.
pub(super) enum Mark {
    /// Roles that were told that this message waits.
    Warned { id: QueueId, escalated: bool, end: Option<Timestamp>, told: Vec<String>, notices: Vec<Entry> },
    /// It cannot go back: its time begins anew.
    PutOff { id: QueueId, why: &'static str, told: Vec<String>, notices: Vec<Entry> },
    /// A digest went, where the last one was at `last`.
    Digest { last: Option<Timestamp>, at: Timestamp, notices: Vec<Entry> },
    /// Sets the deadlines of what an older program held, and lets leave earlier what waits for an opening that is earlier now.
    Begin,
}

impl Mark {
    pub fn entries(&mut self) -> &mut [Entry] {
        match self {
            Self::Warned { notices, .. } | Self::PutOff { notices, .. } | Self::Digest { notices, .. } => notices,
            Self::Begin => &mut [],
        }
    }
}

impl Store {
    /// Counts the deadlines of what is held from now on in this way. What waits keeps the deadline that it was given; what
    /// has none yet (an older program held it) gets one, counted from now. What waits for the school to open leaves when it was to
    /// leave, or earlier, where the school opens earlier.
    ///
    /// # Errors
    /// What the database says.
    pub async fn keep_school_time(&self, times: SchoolTime) -> Result<(), StoreError> {
        self.use_school_time(times);
        self.mark(Mark::Begin).await.map(drop)
    }

    /// The same, for a command that only looks: writes nothing.
    pub fn use_school_time(&self, times: SchoolTime) {
        self.inner.shared.school_time.store(Arc::new(times));
    }

    /// How deadlines are counted.
    pub fn school_time(&self) -> Arc<SchoolTime> {
        self.inner.shared.school_time.load_full()
    }

    /// The held messages for which `stage` is due by the store's clock, the longest due first; at most
    /// [`limits::DEADLINE_BATCH`]. What nobody was told of, because no gateway ran, has not come to its end.
    ///
    /// # Errors
    /// What the database says.
    pub async fn due_now(&self, stage: Stage) -> Result<Vec<QueueId>, StoreError> {
        let sql = match stage {
            Stage::Remind => {
                "select message from review where decided_at is null and reminded_at is null and remind_at <= $1 \
                 and due_at > 0 order by remind_at limit $2"
            }
            Stage::Escalate => {
                "select message from review where decided_at is null and escalated_at is null and escalate_at <= $1 \
                 and due_at > 0 order by escalate_at limit $2"
            }
            Stage::End => {
                "select message from review where decided_at is null and due_at > 0 and due_at <= $1 \
                 and escalated_at is not null order by due_at limit $2"
            }
        };
        let rows: Vec<String> = sqlx::query_scalar(sql)
            .bind(micros(self.clock().now()))
            .bind(i64::from(limits::DEADLINE_BATCH))
            .fetch_all(&self.inner.reader)
            .await?;
        Ok(rows.into_iter().map(QueueId).collect())
    }

    /// The later end that a message gets when the next rung is told of it now, more than [`limits::WARNING_MINUTES`] late:
    /// whoever is told has the last quarter of its time. `None` where its end stays.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_when_told_late(&self, id: &QueueId) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("select escalate_at, due_at from review where message = $1 and decided_at is null")
            .bind(&id.0)
            .fetch_optional(&self.inner.reader)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let (told_at, due_at) = (timestamp(row.try_get("escalate_at")?), timestamp(row.try_get("due_at")?));
        let now = self.clock().now();
        let late = now.duration_since(told_at) > SignedDuration::from_mins(limits::WARNING_MINUTES);
        Ok(Some(self.school_time().last_quarter(now)).filter(|end| late && *end > due_at))
    }

    /// Marks a message as reminded of or escalated, and sends the letters; `false` where that was done before or it is
    /// decided. With `end`, that is its end from now on.
    ///
    /// # Errors
    /// What the database says.
    pub async fn warned(
        &self,
        id: &QueueId,
        stage: Stage,
        end: Option<Timestamp>,
        told: Vec<String>,
        notices: Vec<NewEntry>,
    ) -> Result<bool, StoreError> {
        let notices = self.seal(notices).await?;
        self.mark(Mark::Warned { id: id.clone(), escalated: stage == Stage::Escalate, end, told, notices }).await
    }

    /// Gives a message that cannot go back to its sender a new deadline, counted from now, and sends the letters; `false`
    /// where it is decided or not due.
    ///
    /// # Errors
    /// What the database says.
    pub async fn put_off(
        &self,
        id: &QueueId,
        why: &'static str,
        told: Vec<String>,
        notices: Vec<NewEntry>,
    ) -> Result<bool, StoreError> {
        let notices = self.seal(notices).await?;
        self.mark(Mark::PutOff { id: id.clone(), why, told, notices }).await
    }

    /// When the last digest went.
    ///
    /// # Errors
    /// What the database says.
    pub async fn last_digest(&self) -> Result<Option<Timestamp>, StoreError> {
        let value = self.setting(DIGEST).await?;
        Ok(value.and_then(|v| v.try_into().ok()).map(|v| timestamp(i64::from_be_bytes(v))))
    }

    /// Notes that the digest goes now, and sends its letters; `false`, and no letter, where the last one was not at `last`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn digest_sent(&self, last: Option<Timestamp>, notices: Vec<NewEntry>) -> Result<bool, StoreError> {
        let notices = self.seal(notices).await?;
        self.mark(Mark::Digest { last, at: self.clock().now(), notices }).await
    }

    async fn mark(&self, mark: Mark) -> Result<bool, StoreError> {
        match self.ask(Op::Mark(Box::new(mark))).await? {
            Answer::Changed(changed) => Ok(changed),
            _ => mismatch(),
        }
    }
}

impl Tx<'_> {
    /// Sets the deadline of a message from now on, and no mark.
    ///
    /// # Errors
    /// What the database says.
    pub async fn begin_deadline(&mut self, id: &QueueId) -> Result<(), StoreError> {
        let plan = self.school_time.plan(self.now);
        sqlx::query(
            "update review set remind_at = $2, escalate_at = $3, due_at = $4, reminded_at = null, escalated_at = null \
             where message = $1",
        )
        .bind(&id.0)
        .bind(micros(plan.remind_at))
        .bind(micros(plan.escalate_at))
        .bind(micros(plan.due_at))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Sets a mark and enqueues its letters; whether anything is different now.
    ///
    /// # Errors
    /// What the database says.
    pub async fn mark(&mut self, mark: &Mark) -> Result<bool, StoreError> {
        match mark {
            Mark::Warned { id, escalated, end, told, notices } => {
                let sql = if *escalated {
                    "update review set escalated_at = $2 where message = $1 and decided_at is null and escalated_at is null"
                } else {
                    "update review set reminded_at = $2 where message = $1 and decided_at is null and reminded_at is null"
                };
                let set = sqlx::query(sql).bind(&id.0).bind(micros(self.now)).execute(&mut *self.connection).await?;
                if set.rows_affected() == 0 {
                    return Ok(false);
                }
                let event = if *escalated { "escalated" } else { "reminded" };
                let mut detail = json!({"told": told});
                if let Some(end) = end {
                    sqlx::query("update review set due_at = $2 where message = $1")
                        .bind(&id.0)
                        .bind(micros(*end))
                        .execute(&mut *self.connection)
                        .await?;
                    detail["late_so_until"] = end.to_string().into();
                }
                self.audit(id, event, GATEWAY, detail).await?;
                self.insert(notices).await?;
            }
            Mark::PutOff { id, why, told, notices } => {
                let due: Option<i64> =
                    sqlx::query_scalar("select due_at from review where message = $1 and decided_at is null")
                        .bind(&id.0)
                        .fetch_optional(&mut *self.connection)
                        .await?;
                if due.is_none_or(|due| due > micros(self.now)) {
                    return Ok(false);
                }
                self.begin_deadline(id).await?;
                self.audit(id, "put-off", GATEWAY, json!({"why": why, "told": told})).await?;
                self.insert(notices).await?;
            }
            Mark::Digest { last, at, notices } => {
                let found: Option<Vec<u8>> = sqlx::query_scalar("select value from setting where name = $1")
                    .bind(DIGEST)
                    .fetch_optional(&mut *self.connection)
                    .await?;
                if found != last.map(|last| micros(last).to_be_bytes().to_vec()) {
                    return Ok(false);
                }
                self.set(DIGEST, Some(&micros(*at).to_be_bytes())).await?;
                self.insert(notices).await?;
            }
            Mark::Begin => {
                let unset: Vec<String> =
                    sqlx::query("select message from review where decided_at is null and due_at = 0")
                        .fetch_all(&mut *self.connection)
                        .await?
                        .iter()
                        .map(|row| row.try_get("message"))
                        .collect::<Result<_, _>>()?;
                for id in &unset {
                    self.begin_deadline(&QueueId(id.clone())).await?;
                }
                self.open_earlier().await?;
                return Ok(!unset.is_empty());
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
