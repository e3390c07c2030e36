//! Copies of mail that left: kept when a rule asks for it or a legal hold forbids to let them go, ended by their time.
//!
//! Owns the tables `journal` and `legal_hold`. A copy is the content that was decided on, where it lies and under its own key; nothing is
//! written twice. Never knows who may search or read them. Invariants: what a rule has kept is kept in the very transaction in which the
//! message is done with; what ends has its line in the audit; while a legal hold is on, nothing that it is about goes, whoever lets go.
//! Events: `journalled`, `journal-ended`, `legal-hold`, `legal-hold-ended`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::audit::{GATEWAY, micros, timestamp};
use super::queue::{Standing, mismatch};
use super::writer::{Answer, Op, Tx};
use super::{Class, QueueId, State, Store, StoreError};
use crate::limits;
use crate::policy::Duties;

/// True of a row `m` of `message` that must not be deleted.
macro_rules! on_hold {
    () => {
        "exists (select 1 from legal_hold h where h.ended_at is null \
             and (h.since is null or h.since <= m.at) and (h.until is null or m.at < h.until) \
             and (h.mailbox is null or lower(m.mail_from) = h.mailbox \
                  or exists (select 1 from recipient r where r.message = m.id and lower(r.address) = h.mailbox)))"
    };
}
pub(super) use on_hold;

/// What must not be deleted, as somebody asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewHold {
    /// Mail from or to this mailbox; with none, all mail.
    pub mailbox: Option<String>,
    /// Mail from then on.
    pub since: Option<Timestamp>,
    /// Mail before then.
    pub until: Option<Timestamp>,
    /// Why; must say something.
    pub reason: String,
}

/// A legal hold as the store has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalHold {
    /// Its id.
    pub id: String,
    /// What it is about, and why.
    pub what: NewHold,
    /// Who asked for it.
    pub given_by: String,
    /// When.
    pub given_at: Timestamp,
    /// Messages that are kept now and that it is about.
    pub messages: u64,
}

/// What is to be done about legal holds.
pub(super) enum HoldChange {
    Give { new: NewHold, who: String },
    End { id: String, who: String, why: String },
}

/// How much the journal keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalFigures {
    /// Copies.
    pub messages: u64,
    /// Octets of their content in clear.
    pub octets: u64,
    /// When the next one ends.
    pub next_ends: Option<Timestamp>,
    /// Those that would have ended and are kept by a legal hold.
    pub on_hold: u64,
}

impl Store {
    /// How much the journal keeps.
    ///
    /// # Errors
    /// What the database says.
    pub async fn journal_figures(&self) -> Result<JournalFigures, StoreError> {
        let now = micros(self.clock().now());
        let row = sqlx::query(
            "select count(*) as messages, coalesce(sum(m.size), 0) as octets, \
             min(case when j.kept_until > $1 then j.kept_until end) as next_ends, \
             coalesce(sum(j.kept_until <= $1), 0) as on_hold \
             from journal j join message m on m.id = j.message where j.kept_until is not null",
        )
        .bind(now)
        .fetch_one(&self.inner.reader)
        .await?;
        let count = |column: &str| row.try_get::<i64, _>(column).map(|n| u64::try_from(n).unwrap_or_default());
        Ok(JournalFigures {
            messages: count("messages")?,
            octets: count("octets")?,
            next_ends: row.try_get::<Option<i64>, _>("next_ends")?.map(timestamp),
            on_hold: count("on_hold")?,
        })
    }

    /// Lets go of copies whose time is over, a batch of them, but for what a legal hold is about; gives how many.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_journal(&self) -> Result<u64, StoreError> {
        let over: Option<i64> = sqlx::query_scalar("select 1 from journal where kept_until <= $1 limit 1")
            .bind(micros(self.clock().now()))
            .fetch_optional(&self.inner.reader)
            .await?;
        if over.is_none() {
            return Ok(0);
        }
        match self.ask(Op::EndJournal).await? {
            Answer::Count(count) => Ok(count),
            _ => mismatch(),
        }
    }

    /// Forbids that mail is deleted, and gives the id of the hold.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where no reason is given or the time is empty; what the database says.
    pub async fn hold_for_law(&self, new: NewHold, who: &str) -> Result<(), StoreError> {
        if new.reason.trim().is_empty() {
            return Err(StoreError::Refused("a legal hold needs a reason".to_owned()));
        }
        if new.since.zip(new.until).is_some_and(|(since, until)| since >= until) {
            return Err(StoreError::Refused("a legal hold begins before it ends".to_owned()));
        }
        self.ask(Op::LegalHold(Box::new(HoldChange::Give { new, who: who.to_owned() }))).await.map(drop)
    }

    /// Ends a legal hold; says whether it was on until now. What is over by its time goes soon.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_legal_hold(&self, id: &str, who: &str, why: &str) -> Result<bool, StoreError> {
        let end = HoldChange::End { id: id.to_owned(), who: who.to_owned(), why: why.to_owned() };
        match self.ask(Op::LegalHold(Box::new(end))).await? {
            Answer::Count(count) => Ok(count > 0),
            _ => mismatch(),
        }
    }

    /// All that are on, the newest first.
    ///
    /// # Errors
    /// What the database says; one that does not open with our key.
    pub async fn legal_holds(&self) -> Result<Vec<LegalHold>, StoreError> {
        let rows =
            sqlx::query("select * from legal_hold where ended_at is null order by given_at desc, id desc limit $1")
                .bind(i64::from(limits::LIST_ROWS))
                .fetch_all(&self.inner.reader)
                .await?;
        let mut holds = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut hold = self.legal_hold(row)?;
            let kept: i64 = sqlx::query_scalar(
                "select count(*) from message m where m.class = 'mail' and m.content_file is not null and m.at >= $2 and m.at < $3 \
                 and ($1 is null or lower(m.mail_from) = $1 \
                      or exists (select 1 from recipient r where r.message = m.id and lower(r.address) = $1))"
            )
            .bind(&hold.what.mailbox)
            .bind(hold.what.since.map_or(i64::MIN, micros))
            .bind(hold.what.until.map_or(i64::MAX, micros))
            .fetch_one(&self.inner.reader)
            .await?;
            hold.messages = u64::try_from(kept).unwrap_or_default();
            holds.push(hold);
        }
        Ok(holds)
    }

    fn legal_hold(&self, row: &SqliteRow) -> Result<LegalHold, StoreError> {
        let id: String = row.try_get("id")?;
        let reason = self.inner.keys.open_name(&row_of(&id), row.try_get("reason")?);
        let reason = reason.and_then(|reason| String::from_utf8(reason).ok());
        let time = |column: &str| row.try_get::<Option<i64>, _>(column).map(|at| at.map(timestamp));
        Ok(LegalHold {
            what: NewHold {
                mailbox: row.try_get("mailbox")?,
                since: time("since")?,
                until: time("until")?,
                reason: reason.unwrap_or_else(|| "(the reason does not open with this key)".to_owned()),
            },
            given_by: row.try_get("given_by")?,
            given_at: timestamp(row.try_get("given_at")?),
            messages: 0,
            id,
        })
    }
}

/// What a hold's reason is sealed for.
fn row_of(id: &str) -> String {
    format!("legal hold {id}")
}

impl Tx<'_> {
    /// Notes that a copy of this message is kept once it has left, where its rules ask for it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn begin_journal(&mut self, id: &QueueId, duties: &Duties) -> Result<(), StoreError> {
        let Some(days) = duties.journal_days else { return Ok(()) };
        sqlx::query("insert into journal (message, days, rules) values ($1, $2, $3) on conflict (message) do nothing")
            .bind(&id.0)
            .bind(i64::from(days))
            .bind(duties.journal_rules.join(","))
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Whether the content of a message that is done with stays, and if so until when.
    ///
    /// # Errors
    /// What the database says.
    pub async fn journal(&mut self, id: &QueueId, standing: &Standing, state: State) -> Result<bool, StoreError> {
        if standing.class == Class::Notice || standing.content_file.is_none() {
            return Ok(false);
        }
        // One question for all mail; of most of it nothing is kept, and no hold is on.
        let (days, rules, indexed, held): (Option<i64>, Option<String>, bool, bool) = sqlx::query_as(
            "select (select days from journal where message = $1), (select rules from journal where message = $1), \
             exists (select 1 from word_index where message = $1), \
             exists (select 1 from legal_hold where ended_at is null)",
        )
        .bind(&id.0)
        .fetch_one(&mut *self.connection)
        .await?;
        let left = matches!(state, State::Delivered | State::Failed);
        let (days, rules) = match days.zip(rules) {
            Some(asked) if left && self.delivered_in_part(id).await? => asked,
            _ if held && self.is_on_hold(id).await? => (0, String::new()),
            asked => {
                if asked.is_some() {
                    sqlx::query("delete from journal where message = $1")
                        .bind(&id.0)
                        .execute(&mut *self.connection)
                        .await?;
                }
                if indexed {
                    sqlx::query("delete from word_index where message = $1")
                        .bind(&id.0)
                        .execute(&mut *self.connection)
                        .await?;
                }
                return Ok(false);
            }
        };
        let until = micros(self.now).saturating_add(days.saturating_mul(86_400_000_000));
        sqlx::query(
            "insert into journal (message, days, rules, kept_until) values ($1, $2, $3, $4) \
             on conflict (message) do update set days = $2, rules = $3, kept_until = $4",
        )
        .bind(&id.0)
        .bind(days)
        .bind(&rules)
        .bind(until)
        .execute(&mut *self.connection)
        .await?;
        let detail = match rules.is_empty() {
            true => json!({"why": "a legal hold"}),
            false => json!({"rules": rules, "until": timestamp(until).to_string()}),
        };
        self.audit(id, "journalled", GATEWAY, detail).await?;
        Ok(true)
    }

    /// A legal hold is about this message.
    ///
    /// # Errors
    /// What the database says.
    pub async fn is_on_hold(&mut self, id: &QueueId) -> Result<bool, StoreError> {
        let held = sqlx::query(concat!("select 1 from message m where m.id = $1 and ", on_hold!()))
            .bind(&id.0)
            .fetch_optional(&mut *self.connection)
            .await?;
        Ok(held.is_some())
    }

    /// See [`Store::end_journal`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_journal(&mut self) -> Result<u64, StoreError> {
        let over: Vec<(String, String, Option<String>)> = sqlx::query_as(concat!(
            "select m.id, j.rules, m.content_file from journal j join message m on m.id = j.message \
             where j.kept_until <= $1 and not ",
            on_hold!(),
            " order by j.kept_until limit $2"
        ))
        .bind(micros(self.now))
        .bind(limits::FORGET_BATCH)
        .fetch_all(&mut *self.connection)
        .await?;
        for (id, rules, file) in &over {
            for sql in [
                "update message set content_file = null, content_offset = null, content_length = null, content_key = null where id = $1",
                "delete from journal where message = $1",
                "delete from word_index where message = $1",
            ] {
                sqlx::query(sql).bind(id).execute(&mut *self.connection).await?;
            }
            self.effects.dropped.extend(file.clone());
            self.audit(&QueueId(id.clone()), "journal-ended", GATEWAY, json!({"rules": rules})).await?;
        }
        Ok(over.len() as u64)
    }

    /// See [`Store::hold_for_law`] and [`Store::end_legal_hold`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn change_legal_hold(&mut self, change: &HoldChange) -> Result<u64, StoreError> {
        let nothing = QueueId(String::new());
        match change {
            HoldChange::Give { new, who } => {
                let id = QueueId::generate(self.now).0;
                let reason = self.keys.seal_name(&row_of(&id), new.reason.trim().as_bytes())?;
                sqlx::query(
                    "insert into legal_hold (id, mailbox, since, until, reason, given_by, given_at) values ($1, $2, $3, $4, $5, $6, $7)",
                )
                .bind(&id)
                .bind(new.mailbox.as_ref().map(|mailbox| mailbox.trim().to_ascii_lowercase()))
                .bind(new.since.map(micros))
                .bind(new.until.map(micros))
                .bind(reason)
                .bind(who)
                .bind(micros(self.now))
                .execute(&mut *self.connection)
                .await?;
                let detail = json!({
                    "hold": id,
                    "of": if new.mailbox.is_some() { "a mailbox" } else { "everybody" },
                    "since": new.since.map(|at| at.to_string()),
                    "until": new.until.map(|at| at.to_string()),
                });
                self.audit(&nothing, "legal-hold", who, detail).await?;
                Ok(1)
            }
            HoldChange::End { id, who, why } => {
                let ended = sqlx::query(
                    "update legal_hold set ended_by = $2, ended_at = $3 where id = $1 and ended_at is null",
                )
                .bind(id)
                .bind(who)
                .bind(micros(self.now))
                .execute(&mut *self.connection)
                .await?
                .rows_affected();
                if ended > 0 {
                    self.audit(&nothing, "legal-hold-ended", who, json!({"hold": id, "why": why})).await?;
                }
                Ok(ended)
            }
        }
    }
}
