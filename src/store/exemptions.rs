//! Senders whom the head exempts from a rule for a time: granted, listed, ended by a person, by its time, or when the mailbox
//! is gone from the roster.
//!
//! Never knows which rules allow it. Invariants: granted by an account in use that has the role `head`, and by nobody else;
//! it has an end and a reason; for one rule and sender at most one holds; each that is granted or ended has its line in the
//! audit. Events: `exempted`, `exemption-ended`.

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
use crate::policy::Exemption;

/// An exemption that is to be granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewExemption {
    /// The rule.
    pub rule: String,
    /// The sender's mailbox, in lower case.
    pub sender: String,
    /// It stands in the staff directory: the exemption ends when that is no longer so.
    pub sender_listed: bool,
    /// It holds before this time, at most [`limits::EXEMPTION_DAYS`] ahead.
    pub until: Timestamp,
    /// Why; must say something.
    pub because: String,
}

/// An exemption as the store has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptExemption {
    /// Its id.
    pub id: String,
    /// What it says.
    pub exemption: Exemption,
    /// The sender stood in the staff directory when it was granted.
    pub sender_listed: bool,
}

/// What is to be done about exemptions.
pub(super) enum Change {
    Grant {
        new: NewExemption,
        /// Name of the account.
        by: String,
        /// As the audit names the person.
        who: String,
    },
    End {
        ids: Vec<String>,
        who: String,
        why: String,
    },
}

impl Store {
    /// Grants an exemption in the name of the account `by`; the audit names `who`. One that holds for the same rule and
    /// sender ends: what was said last counts.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the account is out of use or has not the role `head`, where nothing is given as the
    /// reason, or where the end is not ahead or too far; what the database says.
    pub async fn exempt(&self, new: NewExemption, by: &str, who: &str) -> Result<(), StoreError> {
        let refused = |why: &str| Err(StoreError::Refused(why.to_owned()));
        let now = self.clock().now();
        let days = std::time::Duration::from_secs(u64::from(limits::EXEMPTION_DAYS + 1) * 86_400);
        if new.because.trim().is_empty() {
            return refused("an exemption needs a reason");
        }
        if new.until <= now || new.until > now.saturating_add(days).unwrap_or(Timestamp::MAX) {
            return refused(&format!(
                "an exemption ends on a day from today on, {} days from now at most",
                limits::EXEMPTION_DAYS
            ));
        }
        let change = Change::Grant { new, by: by.trim().to_lowercase(), who: who.to_owned() };
        self.ask(Op::Exempt(Box::new(change))).await.map(drop)
    }

    /// All that hold at `at`, the newest first. Asks the database only where there is any exemption at all.
    ///
    /// # Errors
    /// What the database says.
    pub async fn exemptions(&self, at: Timestamp) -> Result<Vec<KeptExemption>, StoreError> {
        if !self.inner.shared.exemptions.load(Ordering::Acquire) {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "select * from exemption where ended_at is null and until > $1 order by given_at desc, id desc limit $2",
        )
        .bind(micros(at))
        .bind(i64::from(limits::EXEMPTIONS_READ))
        .fetch_all(&self.inner.reader)
        .await?;
        rows.iter().map(KeptExemption::read).collect()
    }

    /// Ends an exemption; says whether it held until now.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_exemption(&self, id: &str, who: &str, why: &str) -> Result<bool, StoreError> {
        Ok(self.end_exemptions(vec![id.to_owned()], who, why).await? > 0)
    }

    /// Ends those whose sender is gone, by what `is_there` says of them; gives how many.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_exemptions_without(&self, is_there: impl Fn(&KeptExemption) -> bool) -> Result<u64, StoreError> {
        let all = self.exemptions(self.clock().now()).await?;
        let gone: Vec<String> = all.into_iter().filter(|kept| !is_there(kept)).map(|kept| kept.id).collect();
        if gone.is_empty() {
            return Ok(0);
        }
        self.end_exemptions(gone, GATEWAY, "no longer on the roster").await
    }

    async fn end_exemptions(&self, ids: Vec<String>, who: &str, why: &str) -> Result<u64, StoreError> {
        let change = Change::End { ids, who: who.to_owned(), why: why.to_owned() };
        match self.ask(Op::Exempt(Box::new(change))).await? {
            Answer::Count(count) => Ok(count),
            _ => mismatch(),
        }
    }
}

impl Tx<'_> {
    /// Carries a change out; gives how many exemptions it changed.
    ///
    /// # Errors
    /// As [`Store::exempt`]; nothing was written then.
    pub async fn change_exemptions(&mut self, change: &Change) -> Result<u64, StoreError> {
        match change {
            Change::Grant { new, by, who } => self.grant(new, by, who).await.map(|()| 1),
            Change::End { ids, who, why } => self.end_exemptions(ids, who, why).await,
        }
    }

    async fn grant(&mut self, new: &NewExemption, by: &str, who: &str) -> Result<(), StoreError> {
        let head = sqlx::query(
            "select 1 from account join account_role on account_role.account = account.id \
             where account.name = $1 and account.disabled_at is null and account_role.role = 'head'",
        )
        .bind(by)
        .fetch_optional(&mut *self.connection)
        .await?;
        if head.is_none() {
            return Err(StoreError::Refused(format!(
                "exemptions are the head's to grant: no account `{by}` with the role `head` is in use"
            )));
        }
        let replaced: Option<String> = sqlx::query_scalar(
            "update exemption set ended_at = $3, ended_by = $4 where rule = $1 and sender = $2 and ended_at is null \
             returning id",
        )
        .bind(&new.rule)
        .bind(&new.sender)
        .bind(micros(self.now))
        .bind(who)
        .fetch_optional(&mut *self.connection)
        .await?;
        let id = QueueId::generate(self.now).to_string();
        sqlx::query(
            "insert into exemption (id, rule, sender, sender_listed, because, given_at, given_by, until) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&id)
        .bind(&new.rule)
        .bind(&new.sender)
        .bind(new.sender_listed)
        .bind(new.because.trim())
        .bind(micros(self.now))
        .bind(by)
        .bind(micros(new.until))
        .execute(&mut *self.connection)
        .await?;
        let mut detail = json!({"exemption": id, "rule": new.rule, "until": new.until.to_string(),
                                "account": by, "why": new.because.trim()});
        if let Some(replaced) = replaced {
            detail["replaces"] = replaced.into();
        }
        self.audit(&QueueId(String::new()), "exempted", who, detail).await?;
        // Before the commit: to ask in vain costs a query, not to ask would forget who is exempt.
        self.exemptions.store(true, Ordering::Release);
        Ok(())
    }

    async fn end_exemptions(&mut self, ids: &[String], who: &str, why: &str) -> Result<u64, StoreError> {
        let mut ended = 0;
        for id in ids {
            let rule: Option<String> = sqlx::query_scalar(
                "update exemption set ended_at = $2, ended_by = $3 where id = $1 and ended_at is null and until > $2 \
                 returning rule",
            )
            .bind(id)
            .bind(micros(self.now))
            .bind(who)
            .fetch_optional(&mut *self.connection)
            .await?;
            if let Some(rule) = rule {
                let detail = json!({"exemption": id, "rule": rule, "why": why});
                self.audit(&QueueId(String::new()), "exemption-ended", who, detail).await?;
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// Forgets those that ended, or were over, before `before`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget_exemptions(&mut self, before: Timestamp) -> Result<(), StoreError> {
        sqlx::query("delete from exemption where until < $1 or ended_at < $1")
            .bind(micros(before))
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }
}

impl KeptExemption {
    fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.try_get("id")?,
            exemption: Exemption {
                rule: row.try_get("rule")?,
                sender: row.try_get("sender")?,
                until: timestamp(row.try_get("until")?),
                given_at: timestamp(row.try_get("given_at")?),
                by: row.try_get("given_by")?,
                because: row.try_get("because")?,
            },
            sender_listed: row.try_get("sender_listed")?,
        })
    }
}
