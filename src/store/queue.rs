//! What delivery does with messages: lease, read, record.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::audit::{GATEWAY, micros, timestamp};
use super::content::{self, Place};
use super::row::{address_of, count_of, hash_of, sender_of};
use super::writer::{Answer, Command, Entry, Op, Tx};
use super::{Class, NewEntry, QueueId, State, Store, StoreError, fault};
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
    /// Recipients still due, in the order of the envelope.
    pub recipients: Vec<DueRecipient>,
    /// Hash of the bytes that may leave; whoever sends checks it.
    pub sha256: [u8; 32],
    /// The stored verdict is `deliver` for these bytes, or a person released them, or we wrote them. Always true for what
    /// [`Store::lease_due`] gives; kept so that whoever sends can refuse otherwise.
    pub may_leave: bool,
    /// When it was taken in.
    pub at: Timestamp,
    /// Tries so far.
    pub attempts: u32,
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

/// Which messages are leased.
#[derive(Clone, Copy)]
pub(super) enum Which {
    /// Those that are due.
    Due,
    /// Those taken in at this time or before, due or not.
    TakenBefore(Timestamp),
}

impl Which {
    /// What `next_due` and `at` may be at most, as the database keeps times.
    fn bounds(self, now: Timestamp) -> (i64, i64) {
        match self {
            Self::Due => (micros(now), i64::MIN),
            Self::TakenBefore(at) => (i64::MIN, micros(at)),
        }
    }
}

pub(super) struct LeaseRequest {
    pub now: Timestamp,
    pub which: Which,
    pub limit: u32,
    pub until: Timestamp,
}

pub(super) struct Record {
    pub id: QueueId,
    pub outcomes: Vec<RecipientOutcome>,
    pub next_due: Timestamp,
    pub notices: Vec<Entry>,
}

/// An answer of another kind than its command's.
pub(super) fn mismatch<T>() -> Result<T, StoreError> {
    Err(StoreError::Closed)
}

impl Store {
    /// Leases up to `limit` messages that are due at `now`, longest due first.
    pub async fn lease_due(&self, now: Timestamp, limit: u32, lease_for: Duration) -> Result<Vec<Leased>, StoreError> {
        self.lease(now, Which::Due, limit, lease_for).await
    }

    /// As [`Store::lease_due`], due or not, but only what was taken in before `taken_before`: what is to be given up.
    pub async fn lease_old(
        &self,
        now: Timestamp,
        taken_before: Timestamp,
        limit: u32,
        lease_for: Duration,
    ) -> Result<Vec<Leased>, StoreError> {
        self.lease(now, Which::TakenBefore(taken_before), limit, lease_for).await
    }

    async fn lease(
        &self,
        now: Timestamp,
        which: Which,
        limit: u32,
        lease_for: Duration,
    ) -> Result<Vec<Leased>, StoreError> {
        // A look costs no lock; only what is there is worth a transaction.
        let (due, taken) = which.bounds(now);
        let waiting = sqlx::query(
            "select 1 from message where state = 'queued' and (next_due <= $1 or at <= $2) \
             and (lease_until is null or lease_until <= $3) and damaged is null limit 1",
        )
        .bind(due)
        .bind(taken)
        .bind(micros(now))
        .fetch_optional(&self.inner.reader)
        .await?;
        if waiting.is_none() {
            return Ok(Vec::new());
        }
        let until = now.saturating_add(lease_for).map_err(|_| StoreError::Refused("no such lease".to_owned()))?;
        match self.ask(Op::LeaseDue(LeaseRequest { now, which, limit, until })).await? {
            Answer::Due(due) => Ok(due),
            _ => mismatch(),
        }
    }

    /// Leases up to `limit` messages that wait for inspection, longest due first; each lease is the begin of a try.
    pub async fn lease_pending(
        &self,
        now: Timestamp,
        limit: u32,
        lease_for: Duration,
    ) -> Result<Vec<PendingEntry>, StoreError> {
        let waiting = sqlx::query(
            "select 1 from message where state = 'pending' and next_due <= $1 \
             and (lease_until is null or lease_until <= $1) and damaged is null limit 1",
        )
        .bind(micros(now))
        .fetch_optional(&self.inner.reader)
        .await?;
        if waiting.is_none() {
            return Ok(Vec::new());
        }
        let until = now.saturating_add(lease_for).map_err(|_| StoreError::Refused("no such lease".to_owned()))?;
        match self.ask(Op::LeasePending(LeaseRequest { now, which: Which::Due, limit, until })).await? {
            Answer::Pending(pending) => Ok(pending),
            _ => mismatch(),
        }
    }

    /// Gives leased messages back untried.
    pub async fn end_lease(&self, ids: Vec<QueueId>) -> Result<(), StoreError> {
        self.ask(Op::EndLease(ids)).await.map(drop)
    }

    /// The content of a message. What does not open is set aside as damaged.
    pub async fn content(&self, id: &QueueId) -> Result<Arc<[u8]>, StoreError> {
        let Some((sha256, place, key)) = self.place_of(id).await? else {
            return Err(StoreError::Dropped(id.clone()));
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
        if self.place_of(id).await?.is_none() {
            return Err(StoreError::Dropped(id.clone()));
        }
        self.set_aside(id, reason).await?;
        Err(StoreError::Damaged { id: id.clone(), reason: reason.to_owned() })
    }

    async fn place_of(&self, id: &QueueId) -> Result<Option<([u8; 32], Place, Vec<u8>)>, StoreError> {
        let row = sqlx::query(
            "select sha256, content_file, content_offset, content_length, content_key from message where id = $1",
        )
        .bind(&id.0)
        .fetch_optional(&self.inner.reader)
        .await?
        .ok_or_else(|| StoreError::NotFound(id.clone()))?;
        let (Some(file), Some(key)) =
            (row.try_get::<Option<String>, _>("content_file")?, row.try_get::<Option<Vec<u8>>, _>("content_key")?)
        else {
            return Ok(None);
        };
        let offset = u64::try_from(row.try_get::<i64, _>("content_offset")?).unwrap_or_default();
        let length = u64::try_from(row.try_get::<i64, _>("content_length")?).unwrap_or_default();
        Ok(Some((hash_of(&row, id)?, Place { file, offset, length }, key)))
    }

    /// Flags a message as damaged: it keeps its state, and is no longer leased, until a person retries or discards it.
    pub async fn set_aside(&self, id: &QueueId, reason: &str) -> Result<(), StoreError> {
        tracing::error!(%id, reason, "message set aside");
        self.ask(Op::Damaged(id.clone(), reason.to_owned())).await.map(drop)
    }

    /// Records one try: what became of its recipients, when it is tried next, and the notices that follow, in one
    /// transaction. The lease ends. Gives the state that follows: `Queued` while a recipient is due, `Delivered` when all
    /// were taken, `Failed` when none is due and one or more were refused; content goes with the last two.
    pub async fn record_attempt(
        &self,
        id: &QueueId,
        outcomes: Vec<RecipientOutcome>,
        next_due: Timestamp,
        notices: Vec<NewEntry>,
    ) -> Result<State, StoreError> {
        fault::point("before-record");
        let notices = self.seal(notices).await?;
        let record = Record { id: id.clone(), outcomes, next_due, notices };
        let answer = self.ask(Op::Record(Box::new(record))).await?;
        fault::point("after-record");
        match answer {
            Answer::State(state) => Ok(state),
            _ => mismatch(),
        }
    }

    /// Ends the leases of a daemon that died; what was leased may have been on its way.
    pub(super) async fn recover(&self) -> Result<(), StoreError> {
        self.ask(Op::Recover).await.map(drop)
    }

    pub(super) async fn ask(&self, op: Op) -> Result<Answer, StoreError> {
        let (answer, waiting) = tokio::sync::oneshot::channel();
        self.inner.commands.send(Command { op, answer }).await.map_err(|_| StoreError::Closed)?;
        waiting.await.map_err(|_| StoreError::Closed)?
    }
}

impl Tx<'_> {
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
    pub async fn standing(&mut self, id: &QueueId) -> Result<Standing, StoreError> {
        let row = sqlx::query("select state, class, content_file, damaged, lease_until from message where id = $1")
            .bind(&id.0)
            .fetch_optional(&mut *self.connection)
            .await?
            .ok_or_else(|| StoreError::NotFound(id.clone()))?;
        let state = row.try_get::<String, _>("state")?;
        Ok(Standing {
            state: state.parse().map_err(|()| StoreError::Refused(format!("there is no state {state}")))?,
            content_file: row.try_get("content_file")?,
            damaged: row.try_get("damaged")?,
            leased: row.try_get::<Option<i64>, _>("lease_until")?.is_some_and(|until| until > micros(self.now)),
        })
    }

    /// Moves a message to `state`, ends its lease, and lets its content go where the state does not keep it.
    pub async fn move_to(&mut self, id: &QueueId, standing: &Standing, state: State) -> Result<(), StoreError> {
        let sql = if state.keeps_content() {
            "update message set state = $2, changed_at = $3, lease_owner = null, lease_until = null where id = $1"
        } else {
            "update message set state = $2, changed_at = $3, lease_owner = null, lease_until = null, \
             content_file = null, content_offset = null, content_length = null, content_key = null where id = $1"
        };
        let moved = sqlx::query(sql).bind(&id.0).bind(state.as_str()).bind(micros(self.now));
        moved.execute(&mut *self.connection).await?;
        if !state.keeps_content() {
            self.effects.dropped.extend(standing.content_file.clone());
        }
        Ok(())
    }

    pub async fn lease_due(&mut self, request: &LeaseRequest) -> Result<Vec<Leased>, StoreError> {
        let (due, taken) = request.which.bounds(request.now);
        let rows = sqlx::query(
            "update message set lease_owner = $1, lease_until = $2 where id in ( \
                 select id from message where state = 'queued' and (next_due <= $3 or at <= $4) \
                 and (lease_until is null or lease_until <= $5) and damaged is null \
                 and (class = 'notice' or (verdict = 'deliver' and verdict_sha256 = sha256) or released_sha256 = sha256) \
                 order by next_due, id limit $6) \
             returning id, class, mail_from, smtputf8, eight_bit, sha256, at, attempts, next_due",
        )
        .bind(self.owner)
        .bind(micros(request.until))
        .bind(due)
        .bind(taken)
        .bind(micros(request.now))
        .bind(i64::from(request.limit))
        .fetch_all(&mut *self.connection)
        .await?;
        let mut due = Vec::with_capacity(rows.len());
        for row in &rows {
            let id = QueueId(row.try_get("id")?);
            match self.leased(row, &id).await {
                Ok(leased) => due.push((row.try_get::<i64, _>("next_due")?, leased)),
                Err(StoreError::Damaged { reason, .. }) => self.damaged(&id, &reason).await?,
                Err(error) => return Err(error),
            }
        }
        due.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
        Ok(due.into_iter().map(|(_, leased)| leased).collect())
    }

    async fn leased(&mut self, row: &SqliteRow, id: &QueueId) -> Result<Leased, StoreError> {
        let rows = sqlx::query(
            "select position, address, attempts from recipient where message = $1 and state = 'due' order by position",
        )
        .bind(&id.0)
        .fetch_all(&mut *self.connection)
        .await?;
        if rows.is_empty() {
            return Err(StoreError::Damaged { id: id.clone(), reason: "it has no recipient left".to_owned() });
        }
        let recipients = rows.iter().map(|row| {
            Ok::<_, StoreError>(DueRecipient {
                position: count_of(row, "position")?,
                address: address_of(row.try_get("address")?, id)?,
                attempts: count_of(row, "attempts")?,
            })
        });
        Ok(Leased {
            id: id.clone(),
            class: if row.try_get::<&str, _>("class")? == "notice" { Class::Notice } else { Class::Mail },
            mail_from: sender_of(row, id)?,
            smtputf8: row.try_get("smtputf8")?,
            eight_bit: row.try_get("eight_bit")?,
            recipients: recipients.collect::<Result<_, _>>()?,
            sha256: hash_of(row, id)?,
            may_leave: true,
            at: timestamp(row.try_get("at")?),
            attempts: count_of(row, "attempts")?,
            content: None,
        })
    }

    pub async fn lease_pending(&mut self, request: &LeaseRequest) -> Result<Vec<PendingEntry>, StoreError> {
        let rows = sqlx::query(
            "update message set lease_owner = $1, lease_until = $2, inspect_tries = inspect_tries + 1 where id in ( \
                 select id from message where state = 'pending' and next_due <= $3 \
                 and (lease_until is null or lease_until <= $3) and damaged is null order by next_due, id limit $4) \
             returning id, mail_from, smtputf8, eight_bit, sha256, at, inspect_tries",
        )
        .bind(self.owner)
        .bind(micros(request.until))
        .bind(micros(request.now))
        .bind(i64::from(request.limit))
        .fetch_all(&mut *self.connection)
        .await?;
        let mut pending = Vec::with_capacity(rows.len());
        for row in &rows {
            let id = QueueId(row.try_get("id")?);
            match self.pending(row, &id).await {
                Ok(entry) => pending.push(entry),
                Err(StoreError::Damaged { reason, .. }) => self.damaged(&id, &reason).await?,
                Err(error) => return Err(error),
            }
        }
        pending.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(pending)
    }

    async fn pending(&mut self, row: &SqliteRow, id: &QueueId) -> Result<PendingEntry, StoreError> {
        let addresses: Vec<String> =
            sqlx::query_scalar("select address from recipient where message = $1 order by position")
                .bind(&id.0)
                .fetch_all(&mut *self.connection)
                .await?;
        let recipients = addresses.iter().map(|text| address_of(text, id)).collect::<Result<_, _>>()?;
        let mut envelope = Envelope::new(sender_of(row, id)?, recipients);
        envelope.smtputf8 = row.try_get("smtputf8")?;
        envelope.eight_bit = row.try_get("eight_bit")?;
        Ok(PendingEntry {
            id: id.clone(),
            envelope,
            sha256: hash_of(row, id)?,
            at: timestamp(row.try_get("at")?),
            tries: count_of(row, "inspect_tries")?,
        })
    }

    pub async fn end_lease(&mut self, ids: &[QueueId]) -> Result<(), StoreError> {
        for id in ids {
            sqlx::query("update message set lease_owner = null, lease_until = null where id = $1 and lease_owner = $2")
                .bind(&id.0)
                .bind(self.owner)
                .execute(&mut *self.connection)
                .await?;
        }
        self.effects.queued |= !ids.is_empty();
        Ok(())
    }

    pub async fn record(&mut self, record: &Record) -> Result<State, StoreError> {
        let id = &record.id;
        let standing = self.standing(id).await?;
        if standing.state != State::Queued {
            return Err(StoreError::WrongState { id: id.clone(), state: standing.state, wanted: "delivered" });
        }
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
            sqlx::query(
                "update recipient set state = $3, attempts = attempts + 1, reply = $4, tried_at = $5 \
                 where message = $1 and position = $2 and state = 'due'",
            )
            .bind(&id.0)
            .bind(i64::from(*position))
            .bind(state)
            .bind(reply)
            .bind(micros(self.now))
            .execute(&mut *self.connection)
            .await?;
        }
        let left: Vec<String> =
            sqlx::query_scalar("select distinct state from recipient where message = $1 and state <> 'delivered'")
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
        let event = if state == State::Queued { "deferred" } else { state.as_str() };
        let detail =
            json!({"delivered": delivered, "deferred": deferred, "failed": failed, "possible_duplicate": unknown});
        self.audit(id, event, GATEWAY, detail).await?;
        self.insert(&record.notices).await?;
        Ok(state)
    }

    pub async fn damaged(&mut self, id: &QueueId, reason: &str) -> Result<(), StoreError> {
        let flagged = sqlx::query(
            "update message set damaged = $2, lease_owner = null, lease_until = null where id = $1 and damaged is null",
        )
        .bind(&id.0)
        .bind(reason)
        .execute(&mut *self.connection)
        .await?;
        if flagged.rows_affected() > 0 {
            self.audit(id, "damaged", GATEWAY, json!({"reason": reason})).await?;
        }
        Ok(())
    }

    /// Writes a row whose value nobody reads.
    pub async fn probe(&mut self) -> Result<(), StoreError> {
        sqlx::query(
            "insert into setting (name, value) values ('probe', $1) on conflict (name) do update set value = $1",
        )
        .bind(micros(self.now))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub async fn recover(&mut self) -> Result<(), StoreError> {
        let rows = sqlx::query(
            "update message set lease_owner = null, lease_until = null where lease_until is not null \
             returning id, state",
        )
        .fetch_all(&mut *self.connection)
        .await?;
        for row in rows {
            let (id, state) = (QueueId(row.try_get("id")?), row.try_get::<String, _>("state")?);
            let possible_duplicate = state == State::Queued.as_str();
            tracing::warn!(%id, state, possible_duplicate, "was in hand when the last daemon ended; it is taken up again");
            self.audit(&id, "recovered", GATEWAY, json!({"possible_duplicate": possible_duplicate})).await?;
        }
        Ok(())
    }
}

/// Where a message stands, read inside the transaction that changes it.
pub(super) struct Standing {
    pub state: State,
    pub content_file: Option<String>,
    pub damaged: Option<String>,
    /// Somebody is delivering or inspecting it right now.
    pub leased: bool,
}
