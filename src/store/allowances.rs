//! What people confirmed: given with the decision on a message, in its transaction; listed; read for the mail of a sender;
//! ended by a person, by its time, or when the pupil or the mailbox is gone from the roster.
//!
//! Never knows rules, nor who may give or end. Invariants: for one rule, sender, recipient and pupil at most one allowance
//! holds; each that is given or ended has its line in the audit, which names it by its id; addresses and pupils stand in
//! the table alone. Events: `allowed`, `allowance-ended`.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::audit::{GATEWAY, micros, timestamp};
use super::queue::mismatch;
use super::writer::{Answer, Op, Tx};
use super::{QueueId, Store, StoreError};
use crate::limits;
use crate::policy::Allowance;

/// An allowance that is to be given. Addresses in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAllowance {
    /// The rule that does not ask again.
    pub rule: String,
    /// The envelope sender.
    pub sender: String,
    /// To whom.
    pub recipient: String,
    /// Roster id, where the rule is about pupils.
    pub pupil: Option<String>,
    /// The sender stands in the staff directory: the allowance ends when that is no longer so.
    pub sender_listed: bool,
    /// Likewise the recipient, among guardians or staff.
    pub recipient_listed: bool,
    /// It holds before this time.
    pub until: Timestamp,
}

impl NewAllowance {
    /// As it counts once it is given.
    pub fn given(&self, at: Timestamp, by: &str) -> Allowance {
        let Self { rule, sender, recipient, pupil, until, .. } = self.clone();
        Allowance { rule, sender, recipient, pupil, until, given_at: at, by: by.to_owned() }
    }
}

/// An allowance as the store has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAllowance {
    /// Its id.
    pub id: String,
    /// What is allowed.
    pub allowance: Allowance,
    /// The sender stood in the staff directory when it was given.
    pub sender_listed: bool,
    /// The recipient stood among guardians or staff.
    pub recipient_listed: bool,
    /// With the decision on this message.
    pub message: QueueId,
}

/// An end that is asked for.
pub(super) struct End {
    ids: Vec<String>,
    who: String,
    why: String,
}

impl Store {
    /// Whether any allowance may hold. No is certain.
    pub fn has_allowances(&self) -> bool {
        self.inner.shared.allowances.load(Ordering::Acquire)
    }

    /// What holds for mail of this sender at `at`, the newest first, up to [`limits::ALLOWANCES_READ`]. Asks the database
    /// only where there is any allowance at all.
    ///
    /// # Errors
    /// What the database says.
    pub async fn allowances_of(&self, sender: &str, at: Timestamp) -> Result<Vec<Allowance>, StoreError> {
        if !self.has_allowances() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "select * from allowance where sender = $1 and ended_at is null and until > $2 \
             order by given_at desc, id desc limit $3",
        )
        .bind(sender.to_lowercase())
        .bind(micros(at))
        .bind(i64::from(limits::ALLOWANCES_READ))
        .fetch_all(&self.inner.reader)
        .await?;
        rows.iter().map(|row| Ok(KeptAllowance::read(row)?.allowance)).collect()
    }

    /// All that hold at `at`, the newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn allowances(&self, at: Timestamp) -> Result<Vec<KeptAllowance>, StoreError> {
        let rows = sqlx::query(
            "select * from allowance where ended_at is null and until > $1 order by given_at desc, id desc",
        )
        .bind(micros(at))
        .fetch_all(&self.inner.reader)
        .await?;
        rows.iter().map(KeptAllowance::read).collect()
    }

    /// Ends an allowance; says whether it held until now.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_allowance(&self, id: &str, who: &str, why: &str) -> Result<bool, StoreError> {
        Ok(self.end_allowances(vec![id.to_owned()], who, why).await? > 0)
    }

    /// Ends those whose pupil or listed mailbox is gone, by what `is_there` says of them; gives how many.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_allowances_without(&self, is_there: impl Fn(&KeptAllowance) -> bool) -> Result<u64, StoreError> {
        if !self.has_allowances() {
            return Ok(0);
        }
        let all = self.allowances(self.clock().now()).await?;
        let gone: Vec<String> = all.into_iter().filter(|kept| !is_there(kept)).map(|kept| kept.id).collect();
        if gone.is_empty() {
            return Ok(0);
        }
        self.end_allowances(gone, GATEWAY, "no longer on the roster").await
    }

    async fn end_allowances(&self, ids: Vec<String>, who: &str, why: &str) -> Result<u64, StoreError> {
        let end = End { ids, who: who.to_owned(), why: why.to_owned() };
        match self.ask(Op::EndAllowances(end)).await? {
            Answer::Count(count) => Ok(count),
            _ => mismatch(),
        }
    }
}

impl Tx<'_> {
    /// Gives allowances with the decision on a message. One that holds for the same ends: what was said last counts.
    ///
    /// # Errors
    /// What the database says.
    pub async fn give_allowances(
        &mut self,
        message: &QueueId,
        who: &str,
        given: &[NewAllowance],
    ) -> Result<(), StoreError> {
        for new in given {
            let id = QueueId::generate(self.now).to_string();
            let replaced: Option<String> = sqlx::query_scalar(
                "update allowance set ended_at = $5, ended_by = $6 where rule = $1 and sender = $2 and recipient = $3 \
                 and coalesce(pupil, '') = $4 and ended_at is null returning id",
            )
            .bind(&new.rule)
            .bind(&new.sender)
            .bind(&new.recipient)
            .bind(new.pupil.as_deref().unwrap_or_default())
            .bind(micros(self.now))
            .bind(who)
            .fetch_optional(&mut *self.connection)
            .await?;
            sqlx::query(
                "insert into allowance (id, rule, sender, recipient, pupil, sender_listed, recipient_listed, message, \
                 given_at, given_by, until) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            )
            .bind(&id)
            .bind(&new.rule)
            .bind(&new.sender)
            .bind(&new.recipient)
            .bind(&new.pupil)
            .bind(new.sender_listed)
            .bind(new.recipient_listed)
            .bind(&message.0)
            .bind(micros(self.now))
            .bind(who)
            .bind(micros(new.until))
            .execute(&mut *self.connection)
            .await?;
            let mut detail = json!({"allowance": id, "rule": new.rule, "until": new.until.to_string()});
            if let Some(replaced) = replaced {
                detail["replaces"] = replaced.into();
            }
            self.audit(message, "allowed", who, detail).await?;
        }
        // Before the commit: to ask in vain costs a query, not to ask would forget what is allowed.
        if !given.is_empty() {
            self.allowances.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// See [`Store::end_allowance`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_allowances(&mut self, end: &End) -> Result<u64, StoreError> {
        let mut ended = 0;
        for id in &end.ids {
            let message: Option<String> = sqlx::query_scalar(
                "update allowance set ended_at = $2, ended_by = $3 where id = $1 and ended_at is null and until > $2 \
                 returning message",
            )
            .bind(id)
            .bind(micros(self.now))
            .bind(&end.who)
            .fetch_optional(&mut *self.connection)
            .await?;
            if let Some(message) = message {
                let detail = json!({"allowance": id, "why": end.why});
                self.audit(&QueueId(message), "allowance-ended", &end.who, detail).await?;
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// Forgets those that ended, or were over, before `before`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget_allowances(&mut self, before: Timestamp) -> Result<(), StoreError> {
        sqlx::query("delete from allowance where until < $1 or ended_at < $1")
            .bind(micros(before))
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }
}

impl KeptAllowance {
    fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.try_get("id")?,
            allowance: Allowance {
                rule: row.try_get("rule")?,
                sender: row.try_get("sender")?,
                recipient: row.try_get("recipient")?,
                pupil: row.try_get("pupil")?,
                until: timestamp(row.try_get("until")?),
                given_at: timestamp(row.try_get("given_at")?),
                by: row.try_get("given_by")?,
            },
            sender_listed: row.try_get("sender_listed")?,
            recipient_listed: row.try_get("recipient_listed")?,
            message: QueueId(row.try_get("message")?),
        })
    }
}
