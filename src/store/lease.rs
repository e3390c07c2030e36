//! Leases: who has a message in hand, for delivery or for inspection, and until when.
//!
//! The owner is one opening of the store. What it has in hand is never leased to it again; another owner gets it when its
//! time is over and it was not renewed. A lease ends with the record of what became of the message, when it is given back,
//! when it is set aside, or with a decision; a daemon that starts ends those of all others.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::audit::{GATEWAY, micros, timestamp};
use super::queue::mismatch;
use super::row::{address_of, asked_of_message, asked_of_recipient, count_of, footers_of, hash_of, sender_of};
use super::writer::{Answer, Op, Tx};
use super::{Class, DueRecipient, Leased, PendingEntry, QueueId, State, Store, StoreError};
use crate::smtp::Envelope;

/// Which messages are leased.
#[derive(Clone, Copy)]
pub(super) enum Which {
    /// Those that are due.
    Due,
    /// Those that wait since this time or before, due or not.
    TakenBefore(Timestamp),
}

/// Whether anything waits whose time by this column has come. The database finds it by that column's own index: a condition about both
/// would read all that waits.
macro_rules! look_by {
    ($column:literal) => {
        concat!(
            "select 1 from message where state = 'queued' and ",
            $column,
            " <= $1 and (leaves_at is null or leaves_at <= $2) \
              and (lease_owner is null or (lease_owner <> $3 and lease_until <= $2)) and damaged is null limit 1"
        )
    };
}

/// Leases what may leave and whose time by this column has come.
macro_rules! lease_by {
    ($column:literal) => {
        concat!(
            "update message set lease_owner = $1, lease_until = $2 where id in ( \
                 select id from message where state = 'queued' and ",
            $column,
            " <= $3 and (leaves_at is null or leaves_at <= $4) \
                 and (lease_owner is null or (lease_owner <> $1 and lease_until <= $4)) and damaged is null \
                 and (class = 'notice' or (verdict = 'deliver' and verdict_sha256 = sha256) or released_sha256 = sha256) \
                 order by ",
            $column,
            ", id limit $5) \
             returning id, class, mail_from, smtputf8, eight_bit, dsn_ret, dsn_envid, sha256, at, waits_since, attempts, next_due, footers"
        )
    };
}

impl Which {
    /// What its time may be at most, as the database keeps times.
    fn bound(self, now: Timestamp) -> i64 {
        match self {
            Self::Due => micros(now),
            Self::TakenBefore(at) => micros(at),
        }
    }

    /// Whether there is any.
    pub(super) fn look(self) -> &'static str {
        match self {
            Self::Due => look_by!("next_due"),
            Self::TakenBefore(_) => look_by!("coalesce(waits_since, at)"),
        }
    }

    /// Leases them.
    pub(super) fn lease(self) -> &'static str {
        match self {
            Self::Due => lease_by!("next_due"),
            Self::TakenBefore(_) => lease_by!("coalesce(waits_since, at)"),
        }
    }
}

pub(super) struct LeaseRequest {
    pub now: Timestamp,
    pub which: Which,
    pub limit: u32,
    pub until: Timestamp,
}

impl Store {
    /// Leases up to `limit` messages that are due at `now`, longest due first. What is leased to us already is not among
    /// them, however old its lease: that ends with its record, with [`Store::end_lease`], when it is set aside, or with a
    /// decision.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub async fn lease_due(&self, now: Timestamp, limit: u32, lease_for: Duration) -> Result<Vec<Leased>, StoreError> {
        self.lease(now, Which::Due, limit, lease_for).await
    }

    /// As [`Store::lease_due`], due or not, but only what waits since before `taken_before`: what is to be given up.
    ///
    /// # Errors
    /// The database cannot be read or written.
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
        let waiting = sqlx::query(which.look())
            .bind(which.bound(now))
            .bind(micros(now))
            .bind(&self.inner.shared.owner)
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

    /// Leases up to `limit` messages that wait for inspection, longest due first, which begins a try of each; as [`Store::lease_due`], nothing that
    /// is leased to us already.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub async fn lease_pending(
        &self,
        now: Timestamp,
        limit: u32,
        lease_for: Duration,
    ) -> Result<Vec<PendingEntry>, StoreError> {
        let waiting = sqlx::query(
            "select 1 from message where state = 'pending' and next_due <= $1 \
             and (lease_owner is null or (lease_owner <> $2 and lease_until <= $1)) and damaged is null limit 1",
        )
        .bind(micros(now))
        .bind(&self.inner.shared.owner)
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

    /// Gives leased messages back untried; leases of others are left alone.
    ///
    /// # Errors
    /// The database cannot be written: the writer then ends these leases by itself, as soon as it can.
    pub async fn end_lease(&self, ids: Vec<QueueId>) -> Result<(), StoreError> {
        self.ask(Op::EndLease(ids)).await.map(drop)
    }

    /// Renews the leases of all that this process has in hand, for delivery and for inspection: they end `lease_for` from
    /// now. Whoever leases asks for it well before a lease is over, so that no other node takes the work for abandoned.
    ///
    /// # Errors
    /// The database cannot be written; nothing that is in hand is leased twice by this process for that.
    pub async fn renew_leases(&self, lease_for: Duration) -> Result<(), StoreError> {
        let until = self.inner.clock.now().saturating_add(lease_for);
        let until = until.map_err(|_| StoreError::Refused("no such lease".to_owned()))?;
        self.ask(Op::RenewLeases(until)).await.map(drop)
    }

    /// Ends the leases of all others, as a daemon that died; what was leased may have been on its way.
    pub(super) async fn recover(&self) -> Result<(), StoreError> {
        self.ask(Op::Recover).await.map(drop)
    }
}

impl Tx<'_> {
    /// See [`Store::lease_due`].
    ///
    /// # Errors
    /// As there.
    pub async fn lease_due(&mut self, request: &LeaseRequest) -> Result<Vec<Leased>, StoreError> {
        let rows = sqlx::query(request.which.lease())
            .bind(self.owner)
            .bind(micros(request.until))
            .bind(request.which.bound(request.now))
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
            "select position, address, attempts, dsn_notify, dsn_orcpt from recipient \
             where message = $1 and state = 'due' order by position",
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
                asked: asked_of_recipient(row)?,
                attempts: count_of(row, "attempts")?,
            })
        });
        Ok(Leased {
            id: id.clone(),
            class: if row.try_get::<&str, _>("class")? == "notice" { Class::Notice } else { Class::Mail },
            mail_from: sender_of(row, id)?,
            smtputf8: row.try_get("smtputf8")?,
            eight_bit: row.try_get("eight_bit")?,
            reports: asked_of_message(row)?,
            recipients: recipients.collect::<Result<_, _>>()?,
            sha256: hash_of(row, id)?,
            may_leave: true,
            at: timestamp(row.try_get("at")?),
            waits_since: timestamp(row.try_get::<Option<i64>, _>("waits_since")?.unwrap_or(row.try_get("at")?)),
            attempts: count_of(row, "attempts")?,
            footers: footers_of(row)?,
            content: None,
        })
    }

    /// See [`Store::lease_pending`].
    ///
    /// # Errors
    /// As there.
    pub async fn lease_pending(&mut self, request: &LeaseRequest) -> Result<Vec<PendingEntry>, StoreError> {
        let rows = sqlx::query(
            "update message set lease_owner = $1, lease_until = $2, inspect_tries = inspect_tries + 1 where id in ( \
                 select id from message where state = 'pending' and next_due <= $3 \
                 and (lease_owner is null or (lease_owner <> $1 and lease_until <= $3)) and damaged is null \
                 order by next_due, id limit $4) \
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

    /// See [`Store::end_lease`].
    ///
    /// # Errors
    /// What the database says.
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

    /// See [`Store::renew_leases`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn renew_leases(&mut self, until: Timestamp) -> Result<(), StoreError> {
        sqlx::query("update message set lease_until = $1 where lease_owner = $2")
            .bind(micros(until))
            .bind(self.owner)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Ends the leases of all others.
    ///
    /// # Errors
    /// What the database says.
    pub async fn recover(&mut self) -> Result<(), StoreError> {
        let rows = sqlx::query(
            "update message set lease_owner = null, lease_until = null \
             where lease_owner is not null and lease_owner <> $1 returning id, state",
        )
        .bind(self.owner)
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
