//! What delivery does with messages: read, record, set aside. How it gets them: `lease`.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row;

use super::audit::{GATEWAY, micros, timestamp};
use super::content::{self, Place};
use super::row::{hash_of, hex, state_of};
use super::writer::{Answer, Command, Entry, Op, Tx};
use super::{Class, Leaves, NewEntry, QueueId, State, Store, StoreError, fault};
use crate::smtp::dsn::{OfMessage, OfRecipient};
use crate::smtp::{Address, Envelope};

/// A message leased for delivery: nobody else gets it until the lease ends.
#[derive(Debug, Clone)]
pub struct Leased {
    /// Its id.
    pub id: QueueId,
    /// Mail or notice.
    pub class: Class,
    /// `None` is the null sender.
    pub mail_from: Option<Address>,
    /// MAIL carried SMTPUTF8.
    pub smtputf8: bool,
    /// MAIL carried BODY=8BITMIME.
    pub eight_bit: bool,
    /// What its sender asks of reports.
    pub reports: OfMessage,
    /// Recipients still due, in the order of the envelope.
    pub recipients: Vec<DueRecipient>,
    /// Hash of the bytes that may leave; whoever sends checks it.
    pub sha256: [u8; 32],
    /// The stored verdict is `deliver` for these bytes, or a person released them, or we wrote them. Always true for what
    /// [`Store::lease_due`] gives; kept so that whoever sends can refuse otherwise.
    pub may_leave: bool,
    /// When it was taken in.
    pub at: Timestamp,
    /// Since when it waits to be delivered: since it was taken in, or since a person released it.
    pub waits_since: Timestamp,
    /// Tries so far.
    pub attempts: u32,
    /// The school's words that stand below it when it leaves.
    pub footers: Vec<String>,
    /// The content, where it is at hand; otherwise [`Store::content`] reads it.
    pub content: Option<Arc<[u8]>>,
}

/// A recipient still to be served.
#[derive(Debug, Clone)]
pub struct DueRecipient {
    /// Place in the envelope, from 0; names the recipient in [`RecipientOutcome`].
    pub position: u32,
    /// Whom.
    pub address: Address,
    /// What is asked of reports about it.
    pub asked: OfRecipient,
    /// Tries so far.
    pub attempts: u32,
}

/// A message that waits for inspection.
#[derive(Debug, Clone)]
pub struct PendingEntry {
    /// Its id.
    pub id: QueueId,
    /// From whom, to whom.
    pub envelope: Envelope,
    /// Hash of the content.
    pub sha256: [u8; 32],
    /// When it was taken in.
    pub at: Timestamp,
    /// Inspections begun so far, this one and the one at its intake included.
    pub tries: u32,
}

/// What became of one recipient in one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientOutcome {
    /// Which, as in [`DueRecipient::position`].
    pub position: u32,
    /// What.
    pub outcome: Outcome,
}

/// What the smarthost did with one recipient; replies are sanitised by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Taken.
    Delivered {
        /// The reply to the final dot.
        reply: String,
    },
    /// To be tried again.
    Deferred {
        /// The 4xx reply, or what went wrong.
        reply: String,
    },
    /// Refused for good, or given up.
    Failed {
        /// The 5xx reply, or why it was given up.
        reply: String,
    },
    /// The connection was lost after our final dot: perhaps taken. To be tried again.
    Unknown,
}

/// What left of a message: other bytes than were taken in where something was put on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Hash of all that was given to the smarthost, our own header and signature included.
    pub sha256: [u8; 32],
    /// What became of the school's words, where any were to stand below it.
    pub footer: Option<&'static str>,
}

pub(super) struct Record {
    pub id: QueueId,
    pub outcomes: Vec<RecipientOutcome>,
    pub left: Option<Left>,
    pub next_due: Timestamp,
    pub notices: Vec<Entry>,
}

/// An answer of another kind than its command's.
pub(super) fn mismatch<T>() -> Result<T, StoreError> {
    Err(StoreError::Closed)
}

impl Store {
    /// The content of a message. What does not open, or is gone while it is still wanted, is set aside as damaged.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for what was set aside, [`StoreError::Dropped`] for a message that is done with.
    pub async fn content(&self, id: &QueueId) -> Result<Arc<[u8]>, StoreError> {
        let (state, place) = self.place_of(id).await?;
        let Some((sha256, place, key)) = place else {
            return Err(match state.keeps_content() {
                true => self.damaged_content(id, "its content is gone").await,
                false => StoreError::Dropped(id.clone()),
            });
        };
        let (directory, keys, own) = (self.inner.directory.clone(), Arc::clone(&self.inner.keys), id.clone());
        let read = move || match content::read(&directory, &place) {
            Ok(record) => content::open(&keys, &own, &sha256, &record, &key).map(Arc::<[u8]>::from),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err("its content is missing"),
            Err(_) => Err("its content cannot be read"),
        };
        let reason = match tokio::task::spawn_blocking(read).await {
            Ok(Ok(content)) => return Ok(content),
            Ok(Err(reason)) => reason,
            Err(_) => return Err(StoreError::Closed),
        };
        // It may have been delivered and dropped while we read.
        let (state, place) = self.place_of(id).await?;
        if !state.keeps_content() && place.is_none() {
            return Err(StoreError::Dropped(id.clone()));
        }
        Err(self.damaged_content(id, reason).await)
    }

    async fn damaged_content(&self, id: &QueueId, reason: &str) -> StoreError {
        match self.set_aside(id, reason).await {
            Ok(()) => StoreError::Damaged { id: id.clone(), reason: reason.to_owned() },
            Err(error) => error,
        }
    }

    /// Where a message stands, and hash, place and key of its content while that is kept.
    async fn place_of(&self, id: &QueueId) -> Result<(State, Option<([u8; 32], Place, Vec<u8>)>), StoreError> {
        let row = sqlx::query(
            "select state, sha256, content_file, content_offset, content_length, content_key from message where id = $1",
        )
        .bind(&id.0)
        .fetch_optional(&self.inner.reader)
        .await?
        .ok_or_else(|| StoreError::NotFound(id.clone()))?;
        let state = state_of(row.try_get("state")?)?;
        let (Some(file), Some(key)) =
            (row.try_get::<Option<String>, _>("content_file")?, row.try_get::<Option<Vec<u8>>, _>("content_key")?)
        else {
            return Ok((state, None));
        };
        let offset = u64::try_from(row.try_get::<i64, _>("content_offset")?).unwrap_or_default();
        let length = u64::try_from(row.try_get::<i64, _>("content_length")?).unwrap_or_default();
        Ok((state, Some((hash_of(&row, id)?, Place { file, offset, length }, key))))
    }

    /// Flags a message as damaged: it keeps its state, and is no longer leased, until a person retries or discards it.
    /// A lease of ours ends; another process that has it in hand records what became of it as ever.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_aside(&self, id: &QueueId, reason: &str) -> Result<(), StoreError> {
        tracing::error!(%id, reason, "message set aside");
        self.ask(Op::Damaged(id.clone(), reason.to_owned())).await.map(drop)
    }

    /// Records one try: what became of its recipients, when it is tried next, and the notices that follow, in one
    /// transaction. The lease ends. Gives the state that follows: `Queued` while a recipient is due, `Delivered` when all
    /// were taken, `Failed` when none is due and one or more were refused; content goes with the last two.
    ///
    /// # Errors
    /// [`StoreError::NotLeased`] where the message is no longer ours: another may be sending it too. Nothing is changed by
    /// an error.
    pub async fn record_attempt(
        &self,
        id: &QueueId,
        outcomes: Vec<RecipientOutcome>,
        next_due: Timestamp,
        notices: Vec<NewEntry>,
    ) -> Result<State, StoreError> {
        self.record_sent(id, outcomes, next_due, notices, None).await
    }

    /// As [`Store::record_attempt`], with what left, which is told in the audit beside what was taken in.
    ///
    /// # Errors
    /// As there.
    pub async fn record_sent(
        &self,
        id: &QueueId,
        outcomes: Vec<RecipientOutcome>,
        next_due: Timestamp,
        notices: Vec<NewEntry>,
        left: Option<Left>,
    ) -> Result<State, StoreError> {
        fault::point("before-record");
        let notices = self.seal(notices).await?;
        let record = Record { id: id.clone(), outcomes, left, next_due, notices };
        let answer = self.ask(Op::Record(Box::new(record))).await?;
        fault::point("after-record");
        match answer {
            Answer::State(state) => Ok(state),
            _ => mismatch(),
        }
    }

    pub(super) async fn ask(&self, op: Op) -> Result<Answer, StoreError> {
        let (answer, waiting) = tokio::sync::oneshot::channel();
        self.inner.commands.send(Command { op, answer }).await.map_err(|_| StoreError::Closed)?;
        waiting.await.map_err(|_| StoreError::Closed)?
    }
}

impl Tx<'_> {
    /// Writes a line of the audit into this transaction.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit(
        &mut self,
        id: &QueueId,
        event: &str,
        who: &str,
        detail: serde_json::Value,
    ) -> Result<(), StoreError> {
        self.chain.append(self.connection, self.now, id, event, who, detail).await
    }

    /// State and content file of a message.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; what the database says.
    pub async fn standing(&mut self, id: &QueueId) -> Result<Standing, StoreError> {
        let sql = "select state, class, content_file, damaged, lease_owner, lease_until, at, attempts, leaves_at, \
                   second_look_until, opens_at from message where id = $1";
        let row = sqlx::query(sql)
            .bind(&id.0)
            .fetch_optional(&mut *self.connection)
            .await?
            .ok_or_else(|| StoreError::NotFound(id.clone()))?;
        let ours = row.try_get::<Option<&str>, _>("lease_owner")? == Some(self.owner);
        let until = row.try_get::<Option<i64>, _>("lease_until")?;
        Ok(Standing {
            state: state_of(row.try_get("state")?)?,
            class: if row.try_get::<&str, _>("class")? == "notice" { Class::Notice } else { Class::Mail },
            content_file: row.try_get("content_file")?,
            damaged: row.try_get("damaged")?,
            at: timestamp(row.try_get("at")?),
            // Once it was tried, it is on its way.
            leaves: Leaves::read(&row)?.filter(|_| row.try_get::<i64, _>("attempts").is_ok_and(|tries| tries == 0)),
            leased: ours || until.is_some_and(|until| until > micros(self.now)),
            ours,
        })
    }

    /// Moves a message to `state`, ends its lease, and lets its content go where the state does not keep it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn move_to(&mut self, id: &QueueId, standing: &Standing, state: State) -> Result<(), StoreError> {
        let keeps = state.keeps_content() || self.journal(id, standing, state).await?;
        let sql = if keeps {
            "update message set state = $2, changed_at = $3, lease_owner = null, lease_until = null, kept_until = null \
             where id = $1"
        } else {
            "update message set state = $2, changed_at = $3, lease_owner = null, lease_until = null, kept_until = null, \
             content_file = null, content_offset = null, content_length = null, content_key = null where id = $1"
        };
        let moved = sqlx::query(sql).bind(&id.0).bind(state.as_str()).bind(micros(self.now));
        moved.execute(&mut *self.connection).await?;
        if !keeps {
            self.effects.dropped.extend(standing.content_file.clone());
        }
        Ok(())
    }

    /// See [`Store::record_attempt`].
    ///
    /// # Errors
    /// As there; [`StoreError::WrongState`] where it is not queued.
    pub async fn record(&mut self, record: &Record) -> Result<State, StoreError> {
        let id = &record.id;
        let standing = self.standing(id).await?;
        if !standing.ours {
            return Err(StoreError::NotLeased(id.clone()));
        }
        if standing.state != State::Queued {
            return Err(StoreError::WrongState { id: id.clone(), state: standing.state, wanted: "delivered" });
        }
        let mut newly = 0;
        let (mut delivered, mut deferred, mut failed, mut unknown) = (0, 0, 0, 0);
        for RecipientOutcome { position, outcome } in &record.outcomes {
            let (state, reply) = match outcome {
                Outcome::Delivered { reply } => ("delivered", reply.as_str()),
                Outcome::Deferred { reply } => ("due", reply.as_str()),
                Outcome::Failed { reply } => ("failed", reply.as_str()),
                Outcome::Unknown => ("due", "the connection was lost after the message was sent"),
            };
            match outcome {
                Outcome::Delivered { .. } => delivered += 1,
                Outcome::Deferred { .. } => deferred += 1,
                Outcome::Failed { .. } => failed += 1,
                Outcome::Unknown => unknown += 1,
            }
            let address: Option<String> = sqlx::query_scalar(
                "update recipient set state = $3, attempts = attempts + 1, reply = $4, tried_at = $5 \
                 where message = $1 and position = $2 and state = 'due' returning address",
            )
            .bind(&id.0)
            .bind(i64::from(*position))
            .bind(state)
            .bind(reply)
            .bind(micros(self.now))
            .fetch_optional(&mut *self.connection)
            .await?;
            if let (Outcome::Delivered { .. }, Some(address), Class::Mail) = (outcome, address, standing.class) {
                newly += 1;
                self.count_written_to(&address).await?;
            }
        }
        if newly > 0 {
            self.count_use(id, newly).await?;
        }
        let left: Vec<String> =
            // Who was left out by a decision is nobody to wait for.
            sqlx::query_scalar("select distinct state from recipient where message = $1 and state not in ('delivered', 'withheld')")
                .bind(&id.0)
                .fetch_all(&mut *self.connection)
                .await?;
        let state = if left.iter().any(|s| s == "due") {
            State::Queued
        } else if left.is_empty() {
            State::Delivered
        } else {
            State::Failed
        };
        sqlx::query("update message set attempts = attempts + 1, next_due = $2 where id = $1")
            .bind(&id.0)
            .bind(micros(record.next_due))
            .execute(&mut *self.connection)
            .await?;
        self.move_to(id, &standing, state).await?;
        if state != State::Queued {
            self.withdraw_delay_notice(id).await?;
        }
        let event = if state == State::Queued { "deferred" } else { state.as_str() };
        let mut detail =
            json!({"delivered": delivered, "deferred": deferred, "failed": failed, "possible_duplicate": unknown});
        if let Some(left) = &record.left {
            detail["sha256"] = hex(&self.hash_of_taken_in(id).await?).into();
            detail["left_sha256"] = hex(&left.sha256).into();
            detail["footer"] = left.footer.into();
        }
        self.audit(id, event, GATEWAY, detail).await?;
        self.insert(&record.notices).await?;
        Ok(state)
    }

    /// Of the bytes that were taken in.
    async fn hash_of_taken_in(&mut self, id: &QueueId) -> Result<[u8; 32], StoreError> {
        let row = sqlx::query("select sha256 from message where id = $1").bind(&id.0);
        hash_of(&row.fetch_one(&mut *self.connection).await?, id)
    }

    /// See [`Store::set_aside`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn damaged(&mut self, id: &QueueId, reason: &str) -> Result<(), StoreError> {
        let flagged = sqlx::query(
            "update message set damaged = $2, lease_owner = nullif(lease_owner, $3), \
             lease_until = case when lease_owner = $3 then null else lease_until end \
             where id = $1 and damaged is null",
        )
        .bind(&id.0)
        .bind(reason)
        .bind(self.owner)
        .execute(&mut *self.connection)
        .await?;
        if flagged.rows_affected() > 0 {
            self.audit(id, "damaged", GATEWAY, json!({"reason": reason})).await?;
        }
        Ok(())
    }

    /// Writes a row whose value nobody reads.
    ///
    /// # Errors
    /// What the database says.
    pub async fn probe(&mut self) -> Result<(), StoreError> {
        sqlx::query(
            "insert into setting (name, value) values ('probe', $1) on conflict (name) do update set value = $1",
        )
        .bind(&micros(self.now).to_be_bytes()[..])
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}

/// Where a message stands, read inside the transaction that changes it.
pub(super) struct Standing {
    pub state: State,
    pub class: Class,
    pub content_file: Option<String>,
    pub damaged: Option<String>,
    /// When it was taken in.
    pub at: Timestamp,
    /// For what it waits or waited before it leaves, until it is tried.
    pub leaves: Option<Leaves>,
    /// Somebody is delivering or inspecting it right now.
    pub leased: bool,
    /// It is leased to us, be the time of the lease over or not.
    pub ours: bool,
}
