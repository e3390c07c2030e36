//! Mail that waits long: whose sender is to be told, and that it was.
//!
//! A message's sender is told once, whatever restarts and clocks do: that it was told stands in the row of the message, and
//! is written with the notice or not at all. A notice that has not left when its message does is withdrawn: it would say
//! what is no longer true.

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::audit::{GATEWAY, micros, timestamp};
use super::queue::mismatch;
use super::row::{address_of, asked_of_message, asked_of_recipient, count_of, sender_of};
use super::writer::{Answer, Entry, Op, Tx};
use super::{Class, DueRecipient, NewEntry, QueueId, State, Store, StoreError};
use crate::smtp::Address;
use crate::smtp::dsn::OfMessage;

/// Found by an index of its own, however much waits.
pub(super) const DELAYED: &str = "select id, mail_from, dsn_ret, dsn_envid, at, waits_since from message \
    where state = 'queued' and class = 'mail' and delay_told is null and coalesce(waits_since, at) <= $1 \
    and damaged is null and (next_due > $2 or $3) and (lease_owner is null or lease_until <= $2) \
    order by coalesce(waits_since, at), id limit $4";

/// A message that waits long, and whose sender was not told yet.
#[derive(Debug, Clone)]
pub struct Delayed {
    /// Its id.
    pub id: QueueId,
    /// `None` is the null sender.
    pub mail_from: Option<Address>,
    /// What its sender asks of reports.
    pub reports: OfMessage,
    /// Recipients still due with the last reply about each, in the order of the envelope.
    pub recipients: Vec<(DueRecipient, Option<String>)>,
    /// When it was taken in.
    pub at: Timestamp,
    /// Since when it waits to be delivered.
    pub waits_since: Timestamp,
}

/// That the sender of a message was told, or need not be.
pub(super) struct Told {
    pub id: QueueId,
    pub notices: Vec<Entry>,
}

impl Store {
    /// Up to `limit` messages that wait since `before` or longer for a try that lies ahead, those that wait longest first; with
    /// `all`, whether it lies ahead or not. What is in somebody's hands, is set aside, or waits for a person is not among them.
    ///
    /// # Errors
    /// The database cannot be read, or what is damaged in it not be set aside.
    pub async fn delayed(&self, before: Timestamp, all: bool, limit: u32) -> Result<Vec<Delayed>, StoreError> {
        let now = micros(self.clock().now());
        let rows = sqlx::query(DELAYED)
            .bind(micros(before))
            .bind(now)
            .bind(all)
            .bind(i64::from(limit))
            .fetch_all(&self.inner.reader)
            .await?;
        let mut delayed = Vec::with_capacity(rows.len());
        for row in &rows {
            let id = QueueId(row.try_get("id")?);
            match self.read_delayed(row, &id).await {
                Ok(one) => delayed.push(one),
                Err(StoreError::Damaged { reason, .. }) => self.set_aside(&id, &reason).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(delayed)
    }

    async fn read_delayed(&self, row: &SqliteRow, id: &QueueId) -> Result<Delayed, StoreError> {
        let rows = sqlx::query(
            "select position, address, attempts, reply, dsn_notify, dsn_orcpt from recipient \
             where message = $1 and state = 'due' order by position",
        )
        .bind(&id.0)
        .fetch_all(&self.inner.reader)
        .await?;
        let recipients = rows.iter().map(|row| {
            let due = DueRecipient {
                position: count_of(row, "position")?,
                address: address_of(row.try_get("address")?, id)?,
                asked: asked_of_recipient(row)?,
                attempts: count_of(row, "attempts")?,
            };
            Ok::<_, StoreError>((due, row.try_get("reply")?))
        });
        let at = row.try_get("at")?;
        Ok(Delayed {
            id: id.clone(),
            mail_from: sender_of(row, id)?,
            reports: asked_of_message(row)?,
            recipients: recipients.collect::<Result<_, _>>()?,
            at: timestamp(at),
            waits_since: timestamp(row.try_get::<Option<i64>, _>("waits_since")?.unwrap_or(at)),
        })
    }

    /// Records that the sender of a message was told of its delay, with the notice; without one, that there is nobody to
    /// tell. Gives whether it was recorded: not where it was before, nor where the message no longer waits or is in
    /// somebody's hands; the notice is not sent then.
    ///
    /// # Errors
    /// What disk and database say.
    pub async fn note_delay(&self, id: &QueueId, notice: Option<NewEntry>) -> Result<bool, StoreError> {
        let notices = self.seal(notice.into_iter().collect()).await?;
        match self.ask(Op::Delayed(Box::new(Told { id: id.clone(), notices }))).await? {
            Answer::Changed(told) => Ok(told),
            _ => mismatch(),
        }
    }
}

impl Tx<'_> {
    /// See [`Store::note_delay`].
    ///
    /// # Errors
    /// As there.
    pub async fn note_delay(&mut self, told: &Told) -> Result<bool, StoreError> {
        let Told { id, notices } = told;
        let noted = sqlx::query(
            "update message set delay_told = $2, delay_notice = $3 where id = $1 and state = 'queued' \
             and delay_told is null and (lease_owner is null or lease_until <= $2)",
        )
        .bind(&id.0)
        .bind(micros(self.now))
        .bind(notices.first().map(|notice| &notice.new.id.0))
        .execute(&mut *self.connection)
        .await?;
        if noted.rows_affected() == 0 {
            return Ok(false);
        }
        if !notices.is_empty() {
            self.audit(id, "delay-told", GATEWAY, json!({})).await?;
            self.insert(notices).await?;
        }
        Ok(true)
    }

    /// A message has left the queue: a notice of its delay that has not is not sent any more.
    ///
    /// # Errors
    /// What the database says.
    pub async fn withdraw_delay_notice(&mut self, id: &QueueId) -> Result<(), StoreError> {
        let notice: Option<String> =
            sqlx::query_scalar("select delay_notice from message where id = $1 and delay_notice is not null")
                .bind(&id.0)
                .fetch_optional(&mut *self.connection)
                .await?;
        let Some(notice) = notice.map(QueueId) else { return Ok(()) };
        let standing = match self.standing(&notice).await {
            // It is over and forgotten.
            Err(StoreError::NotFound(_)) => return Ok(()),
            standing => standing?,
        };
        if standing.state != State::Queued || standing.class != Class::Notice || standing.leased {
            return Ok(());
        }
        self.move_to(&notice, &standing, State::Discarded).await?;
        self.audit(&notice, "withdrawn", GATEWAY, json!({"about": id.0})).await
    }
}
