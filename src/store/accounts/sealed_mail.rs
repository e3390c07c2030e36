//! Who opened what of a message, for which purpose; and the opening of sealed personal mail, which somebody asks for in
//! writing and a chair approves, for one message and one person, until a time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::super::audit::{micros, timestamp};
use super::super::writer::Tx;
use super::super::{QueueId, Store, StoreError};
use super::{AccountId, Change, Role, after, time_of};
use crate::limits;

/// How much of a message was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Looked {
    /// What was found, with its excerpts.
    Findings,
    /// The whole message.
    Content,
    /// The whole message, taken away as a file: for the purpose for which [`Looked::Content`] was opened.
    Original,
}

impl Looked {
    /// The word of the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Findings => "findings",
            Self::Content => "content",
            Self::Original => "original",
        }
    }

    /// What a purpose has to be given for.
    fn asked_for(self) -> Self {
        match self {
            Self::Findings => Self::Findings,
            Self::Content | Self::Original => Self::Content,
        }
    }
}

/// Somebody asks to open a sealed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRequest {
    /// Which.
    pub message: QueueId,
    /// Who asks.
    pub account: AccountId,
    /// Their name.
    pub name: String,
    /// Why, in their words.
    pub reason: String,
    /// When they asked.
    pub at: Timestamp,
    /// Name of who approved it.
    pub approved_by: Option<String>,
    /// Open until then.
    pub until: Option<Timestamp>,
}

pub(in crate::store) struct Look {
    pub message: QueueId,
    pub account: AccountId,
    pub what: Looked,
    /// None for another look: the purpose that was given first is written.
    pub purpose: Option<String>,
}

impl Store {
    /// Records that somebody opens what was found in a message, or all of it, with the purpose; once for a message and a
    /// person. `false` where they had: then it is written down as another look, for the purpose that they gave first.
    /// Whether they may is the caller's business.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::NoAccount`]; [`StoreError::Refused`] where the purpose is empty or longer than
    /// [`limits::REASON_CHARS`]; what the database says.
    pub async fn note_opened(
        &self,
        message: &QueueId,
        account: &AccountId,
        what: Looked,
        purpose: &str,
    ) -> Result<bool, StoreError> {
        let purpose = Some(reason(purpose)?);
        self.changed(Change::Look(Look { message: message.clone(), account: account.clone(), what, purpose })).await
    }

    /// For which purpose this person has opened so much of the message before: then none is asked for again. `None` where
    /// they have not.
    ///
    /// # Errors
    /// What the database says.
    pub async fn opened_for(
        &self,
        message: &QueueId,
        account: &AccountId,
        what: Looked,
    ) -> Result<Option<String>, StoreError> {
        let sql = "select purpose from content_view where message = $1 and account = $2 and what = $3";
        let row = sqlx::query_scalar(sql)
            .bind(&message.0)
            .bind(&account.0)
            .bind(what.asked_for().as_str())
            .fetch_optional(&self.inner.reader)
            .await?;
        Ok(row)
    }

    /// Records that somebody looks again at what they have opened, with the purpose that they gave first; `false`, and
    /// nothing is written, where they have not opened so much of it. Written before anything is shown: what cannot be
    /// recorded is not looked at.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::NoAccount`]; what the database says.
    pub async fn note_opened_again(
        &self,
        message: &QueueId,
        account: &AccountId,
        what: Looked,
    ) -> Result<bool, StoreError> {
        let look = Look { message: message.clone(), account: account.clone(), what, purpose: None };
        self.changed(Change::Look(look)).await
    }

    /// Asks for a sealed message to be opened; `false` where the same person's request waits already.
    ///
    /// # Errors
    /// As [`Store::note_opened`].
    pub async fn ask_to_open(&self, message: &QueueId, account: &AccountId, why: &str) -> Result<bool, StoreError> {
        let reason = reason(why)?;
        self.changed(Change::AskToOpen { message: message.clone(), account: account.clone(), reason }).await
    }

    /// Opens a sealed message to who asked, for [`limits::SEALED_GRANT_SECONDS`]; `false` where no request of theirs waits.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where `by` has not the role `chair`, is who asked, or sent the message; [`StoreError::NotFound`];
    /// [`StoreError::NoAccount`]; what the database says.
    pub async fn approve_opening(
        &self,
        message: &QueueId,
        account: &AccountId,
        by: &AccountId,
    ) -> Result<bool, StoreError> {
        let (message, account, by) = (message.clone(), account.clone(), by.clone());
        self.changed(Change::ApproveOpening { message, account, by }).await
    }

    /// Until when a sealed message is open to this person; `None` where it is not, or no longer.
    ///
    /// # Errors
    /// What the database says.
    pub async fn opened_until(&self, message: &QueueId, account: &AccountId) -> Result<Option<Timestamp>, StoreError> {
        let until: Option<i64> =
            sqlx::query_scalar("select max(until) from sealed_request where message = $1 and account = $2")
                .bind(&message.0)
                .bind(&account.0)
                .fetch_one(&self.inner.reader)
                .await?;
        Ok(until.map(timestamp).filter(|until| *until > self.clock().now()))
    }

    /// Requests about this message, or of all messages those that wait; oldest first, at most [`limits::LIST_ROWS`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn sealed_requests(&self, message: Option<&QueueId>) -> Result<Vec<SealedRequest>, StoreError> {
        let rows = sqlx::query(
            "select r.*, a.name, b.name as approver from sealed_request r join account a on a.id = r.account \
             left join account b on b.id = r.approved_by \
             where ($1 is null and r.approved_by is null) or r.message = $1 order by r.at limit $2",
        )
        .bind(message.map(|id| &id.0))
        .bind(i64::from(limits::LIST_ROWS))
        .fetch_all(&self.inner.reader)
        .await?;
        rows.iter().map(read).collect()
    }
}

impl Tx<'_> {
    /// A first look with its purpose, or another one: whether it was the one that was asked for.
    pub(super) async fn look(&mut self, look: &Look) -> Result<bool, StoreError> {
        let Look { message, account, what, purpose } = look;
        self.standing(message).await?;
        let account = self.account_with(account).await?;
        let before: Option<String> =
            sqlx::query_scalar("select purpose from content_view where message = $1 and account = $2 and what = $3")
                .bind(&message.0)
                .bind(&account.id.0)
                .bind(what.asked_for().as_str())
                .fetch_optional(&mut *self.connection)
                .await?;
        match (before, purpose) {
            (Some(first), _) => {
                self.audit(message, "viewed-again", &account.name, json!({"what": what, "why": first})).await?;
                Ok(purpose.is_none())
            }
            (None, None) => Ok(false),
            (None, Some(purpose)) => {
                sqlx::query(
                    "insert into content_view (message, account, what, purpose, at) values ($1, $2, $3, $4, $5)",
                )
                .bind(&message.0)
                .bind(&account.id.0)
                .bind(what.asked_for().as_str())
                .bind(purpose)
                .bind(micros(self.now))
                .execute(&mut *self.connection)
                .await?;
                self.audit(message, "opened", &account.name, json!({"what": what, "why": purpose})).await?;
                Ok(true)
            }
        }
    }

    pub(super) async fn ask_to_open(
        &mut self,
        message: &QueueId,
        account: &AccountId,
        reason: &str,
    ) -> Result<bool, StoreError> {
        self.standing(message).await?;
        let account = self.account_with(account).await?;
        let waits =
            sqlx::query("select 1 from sealed_request where message = $1 and account = $2 and approved_by is null")
                .bind(&message.0)
                .bind(&account.id.0)
                .fetch_optional(&mut *self.connection)
                .await?;
        if waits.is_some() {
            return Ok(false);
        }
        sqlx::query("insert into sealed_request (message, account, reason, at) values ($1, $2, $3, $4)")
            .bind(&message.0)
            .bind(&account.id.0)
            .bind(reason)
            .bind(micros(self.now))
            .execute(&mut *self.connection)
            .await?;
        self.audit(message, "opening-asked", &account.name, json!({"why": reason})).await?;
        Ok(true)
    }

    pub(super) async fn approve_opening(
        &mut self,
        message: &QueueId,
        account: &AccountId,
        by: &AccountId,
    ) -> Result<bool, StoreError> {
        self.standing(message).await?;
        let (account, by) = (self.account_with(account).await?, self.account_with(by).await?);
        let sender: Option<String> = sqlx::query_scalar("select mail_from from message where id = $1")
            .bind(&message.0)
            .fetch_one(&mut *self.connection)
            .await?;
        let refusal = if by.disabled_at.is_some() || !by.roles.contains(&Role::Chair) {
            Some("only the chair of governors opens sealed mail")
        } else if account.id == by.id {
            Some("nobody approves their own request")
        } else if sender.is_some_and(|sender| sender.to_lowercase() == by.address) {
            Some("nobody opens their own message to others")
        } else {
            None
        };
        if let Some(why) = refusal {
            return Err(StoreError::Refused(why.to_owned()));
        }
        let until = after(self.now, limits::SEALED_GRANT_SECONDS);
        let approved = sqlx::query(
            "update sealed_request set approved_by = $3, approved_at = $4, until = $5 \
             where message = $1 and account = $2 and approved_by is null",
        )
        .bind(&message.0)
        .bind(&account.id.0)
        .bind(&by.id.0)
        .bind(micros(self.now))
        .bind(micros(until))
        .execute(&mut *self.connection)
        .await?
        .rows_affected();
        if approved > 0 {
            let detail = json!({"account": account.name, "until": until.to_string()});
            self.audit(message, "opening-approved", &by.name, detail).await?;
        }
        Ok(approved > 0)
    }
}

fn read(row: &SqliteRow) -> Result<SealedRequest, StoreError> {
    Ok(SealedRequest {
        message: QueueId(row.try_get("message")?),
        account: AccountId(row.try_get("account")?),
        name: row.try_get("name")?,
        reason: row.try_get("reason")?,
        at: timestamp(row.try_get("at")?),
        approved_by: row.try_get("approver")?,
        until: time_of(row, "until")?,
    })
}

/// Words that say something.
fn reason(words: &str) -> Result<String, StoreError> {
    let words = words.trim();
    match words.chars().count() {
        0 => Err(StoreError::Refused("a reason is wanted: it goes into the audit".to_owned())),
        count if count > limits::REASON_CHARS => {
            Err(StoreError::Refused(format!("a reason has at most {} characters", limits::REASON_CHARS)))
        }
        _ => Ok(words.to_owned()),
    }
}
