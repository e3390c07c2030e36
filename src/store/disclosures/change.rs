//! What changes requests for disclosure, inside the transaction.

use jiff::{Span, Timestamp};
use serde_json::json;
use sqlx::Row;

use super::{Acting, DisclosureState, Made, NewDisclosure, digits, no_such, place};
use crate::limits;
use crate::smtp::Address;
use crate::store::audit::micros;
use crate::store::writer::Tx;
use crate::store::{LawfulPurpose, QueueId, StoreError};

/// Roles that ask, leave out and export.
pub(super) const ASKING: &[&str] = &["sbm", "dpo"];
/// Roles that approve and refuse.
const APPROVING: &[&str] = &["dpo", "head"];

/// What is to be done about requests for disclosure.
pub(in crate::store) enum Change {
    Ask {
        id: QueueId,
        new: Box<NewDisclosure>,
        found: Vec<(QueueId, bool)>,
        by: Acting,
    },
    Decide {
        id: QueueId,
        approve: bool,
        why: String,
        by: Acting,
    },
    LeaveOut {
        id: QueueId,
        message: QueueId,
        why: Option<String>,
        by: Acting,
    },
    Seen {
        id: QueueId,
        who: String,
    },
    /// Nothing but whether it may be exported.
    Check {
        id: QueueId,
        by: Acting,
    },
    Take {
        id: QueueId,
        message: QueueId,
        purpose: LawfulPurpose,
        by: Acting,
    },
    Exported {
        id: QueueId,
        made: Box<Made>,
        by: Acting,
    },
    Evidence {
        message: QueueId,
        manifest: [u8; 32],
        purpose: LawfulPurpose,
        who: String,
        why: String,
    },
}

/// What of a request decides who may do what.
struct Standing {
    state: DisclosureState,
    until: Option<Timestamp>,
    asked_by: String,
    what: NewDisclosure,
}

/// A line of the audit that is about no message.
fn nothing() -> QueueId {
    QueueId(String::new())
}

fn refused<T>(why: &str) -> Result<T, StoreError> {
    Err(StoreError::Refused(why.to_owned()))
}

pub(super) fn not_theirs(account: &str) -> StoreError {
    StoreError::Refused(format!(
        "disclosures are for the School Business Manager and the data protection officer: no account `{account}` with the role `sbm` \
         or `dpo` is in use"
    ))
}

impl Tx<'_> {
    /// Carries a change out.
    ///
    /// # Errors
    /// As the method of [`crate::store::Store`] that asks for it; nothing was written then.
    pub async fn change_disclosure(&mut self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Ask { id, new, found, by } => self.ask_disclosure(id, new, found, by).await,
            Change::Decide { id, approve, why, by } => self.decide_disclosure(id, *approve, why, by).await,
            Change::LeaveOut { id, message, why, by } => self.leave_out(id, message, why.as_deref(), by).await,
            Change::Seen { id, who } => {
                self.disclosure(id).await?;
                self.audit(&nothing(), "disclosure-seen", who, json!({"disclosure": id.0})).await
            }
            Change::Check { id, by } => self.may_export(id, by).await,
            Change::Take { id, message, purpose, by } => self.take(id, message, *purpose, by).await,
            Change::Exported { id, made, by } => self.exported(id, made, by).await,
            Change::Evidence { message, manifest, purpose, who, why } => {
                self.standing(message).await?;
                let detail = json!({"manifest": digits(manifest), "purpose": purpose.as_str(), "why": why});
                self.audit(message, "evidence-exported", who, detail).await
            }
        }
    }

    /// The mailbox of an account in use with one of these roles.
    async fn mailbox_of(&mut self, account: &str, roles: &[&str]) -> Result<Option<String>, StoreError> {
        let found = sqlx::query_scalar(
            "select a.address from account a where a.name = $1 and a.disabled_at is null and exists \
             (select 1 from account_role r where r.account = a.id and r.role in (select value from json_each($2)))",
        )
        .bind(account.trim().to_lowercase())
        .bind(json!(roles).to_string())
        .fetch_optional(&mut *self.connection)
        .await?;
        Ok(found)
    }

    async fn disclosure(&mut self, id: &QueueId) -> Result<Standing, StoreError> {
        let row = sqlx::query("select state, until, asked_by, body from disclosure where id = $1")
            .bind(&id.0)
            .fetch_optional(&mut *self.connection)
            .await?
            .ok_or_else(|| no_such(id))?;
        let body: &[u8] = row.try_get("body")?;
        let what = self.keys.open_name(&place(&id.0, "body"), body);
        let what = what.and_then(|json| serde_json::from_slice(&json).ok()).ok_or_else(super::damaged)?;
        Ok(Standing {
            state: match row.try_get::<&str, _>("state")? {
                "asked" => DisclosureState::Asked,
                "approved" => DisclosureState::Approved,
                _ => DisclosureState::Refused,
            },
            until: row.try_get::<Option<i64>, _>("until")?.map(super::timestamp),
            asked_by: row.try_get("asked_by")?,
            what,
        })
    }

    /// The request, for who asks, leaves out and exports; not where it is about themselves.
    async fn as_asking(&mut self, id: &QueueId, by: &Acting) -> Result<Standing, StoreError> {
        let Some(mailbox) = self.mailbox_of(&by.account, ASKING).await? else { return Err(not_theirs(&by.account)) };
        let standing = self.disclosure(id).await?;
        match is_about(&standing.what, &mailbox, &by.own) {
            true => refused("it is about a mailbox of yours: somebody else does it"),
            false => Ok(standing),
        }
    }

    async fn may_export(&mut self, id: &QueueId, by: &Acting) -> Result<(), StoreError> {
        let standing = self.as_asking(id, by).await?;
        match (standing.state, standing.until) {
            (DisclosureState::Approved, Some(until)) if self.now < until => Ok(()),
            (DisclosureState::Approved, _) => refused("the approval is over: ask anew"),
            (DisclosureState::Asked, _) => refused("nobody has approved it yet"),
            (DisclosureState::Refused, _) => refused("it was refused"),
        }
    }

    async fn ask_disclosure(
        &mut self,
        id: &QueueId,
        new: &NewDisclosure,
        found: &[(QueueId, bool)],
        by: &Acting,
    ) -> Result<(), StoreError> {
        if self.mailbox_of(&by.account, ASKING).await?.is_none() {
            return Err(not_theirs(&by.account));
        }
        let body = serde_json::to_vec(new).map_err(|e| StoreError::Refused(format!("no request: {e}")))?;
        sqlx::query(
            "insert into disclosure (id, kind, body, asked_by, asked_at, state) values ($1, $2, $3, $4, $5, 'asked')",
        )
        .bind(&id.0)
        .bind(new.kind.as_str())
        .bind(self.keys.seal_name(&place(&id.0, "body"), &body)?)
        .bind(by.account.trim().to_lowercase())
        .bind(micros(self.now))
        .execute(&mut *self.connection)
        .await?;
        for (at, (message, unsure)) in (0i64..).zip(found) {
            sqlx::query("insert into disclosure_message (disclosure, message, place, unsure) values ($1, $2, $3, $4)")
                .bind(&id.0)
                .bind(&message.0)
                .bind(at)
                .bind(unsure)
                .execute(&mut *self.connection)
                .await?;
        }
        let detail = json!({
            "disclosure": id.0,
            "kind": new.kind.as_str(),
            "messages": found.len(),
            "by_pupil": new.search.pupil.is_some(),
            "by_mailbox": new.search.mailbox.is_some(),
        });
        self.audit(&nothing(), "disclosure-asked", &by.who, detail).await
    }

    async fn decide_disclosure(
        &mut self,
        id: &QueueId,
        approve: bool,
        why: &str,
        by: &Acting,
    ) -> Result<(), StoreError> {
        let Some(mailbox) = self.mailbox_of(&by.account, APPROVING).await? else {
            return Err(StoreError::Refused(format!(
                "disclosures are the data protection officer's and the head's to approve: no account `{}` with the role `dpo` or \
                 `head` is in use",
                by.account.trim()
            )));
        };
        let account = by.account.trim().to_lowercase();
        let standing = self.disclosure(id).await?;
        let asker: Option<String> = sqlx::query_scalar("select address from account where name = $1")
            .bind(&standing.asked_by)
            .fetch_optional(&mut *self.connection)
            .await?;
        if standing.asked_by == account || asker.is_some_and(|asker| is_of(&asker, &mailbox, &by.own)) {
            return refused("nobody decides on their own request: another account approves it");
        }
        if is_about(&standing.what, &mailbox, &by.own) {
            return refused("nobody approves what is about themselves: it looks for a mailbox of yours");
        }
        if standing.state != DisclosureState::Asked {
            return refused("it was decided on before");
        }
        let until = self.now.saturating_add(Span::new().hours(24 * i64::from(limits::DISCLOSURE_DAYS)));
        let until = approve.then(|| until.unwrap_or(Timestamp::MAX));
        let refusal = match approve {
            true => None,
            false => Some(self.keys.seal_name(&place(&id.0, "refusal"), why.as_bytes())?),
        };
        let state = if approve { DisclosureState::Approved } else { DisclosureState::Refused };
        sqlx::query(
            "update disclosure set state = $2, decided_by = $3, decided_at = $4, refusal = $5, until = $6 where id = $1",
        )
        .bind(&id.0)
        .bind(state.as_str())
        .bind(&account)
        .bind(micros(self.now))
        .bind(refusal)
        .bind(until.map(micros))
        .execute(&mut *self.connection)
        .await?;
        let event = if approve { "disclosure-approved" } else { "disclosure-refused" };
        let detail = json!({"disclosure": id.0, "account": account, "until": until.map(|until| until.to_string())});
        self.audit(&nothing(), event, &by.who, detail).await
    }

    async fn leave_out(
        &mut self,
        id: &QueueId,
        message: &QueueId,
        why: Option<&str>,
        by: &Acting,
    ) -> Result<(), StoreError> {
        let standing = self.as_asking(id, by).await?;
        let over = standing.until.is_some_and(|until| until <= self.now);
        if standing.state == DisclosureState::Refused || over {
            return refused("it was refused, or its time is over: nothing of it is handed over");
        }
        let sealed = match why {
            Some(why) => Some(self.keys.seal_name(&place(&id.0, &message.0), why.as_bytes())?),
            None => None,
        };
        let changed = sqlx::query(
            "update disclosure_message set left_out = $3, decided_by = $4, decided_at = $5 \
             where disclosure = $1 and message = $2",
        )
        .bind(&id.0)
        .bind(&message.0)
        .bind(sealed)
        .bind(by.account.trim().to_lowercase())
        .bind(micros(self.now))
        .execute(&mut *self.connection)
        .await?
        .rows_affected();
        if changed == 0 {
            return Err(StoreError::Refused(format!("message {message} is not of this request")));
        }
        let event = if why.is_some() { "disclosure-left-out" } else { "disclosure-taken-in" };
        self.audit(&nothing(), event, &by.who, json!({"disclosure": id.0, "of": message.0})).await
    }

    async fn take(
        &mut self,
        id: &QueueId,
        message: &QueueId,
        purpose: LawfulPurpose,
        by: &Acting,
    ) -> Result<(), StoreError> {
        self.may_export(id, by).await?;
        let is_in: Option<i64> = sqlx::query_scalar(
            "select 1 from disclosure_message where disclosure = $1 and message = $2 and left_out is null",
        )
        .bind(&id.0)
        .bind(&message.0)
        .fetch_optional(&mut *self.connection)
        .await?;
        if is_in.is_none() {
            return Err(StoreError::Refused(format!("message {message} is left out, or not of this request")));
        }
        self.standing(message).await?;
        let detail = json!({"disclosure": id.0, "purpose": purpose.as_str()});
        self.audit(message, "disclosed", &by.who, detail).await
    }

    async fn exported(&mut self, id: &QueueId, made: &Made, by: &Acting) -> Result<(), StoreError> {
        let Made { index, manifest, pseudonyms, purpose, why } = made;
        self.may_export(id, by).await?;
        let json = serde_json::to_vec(pseudonyms).map_err(|e| StoreError::Refused(format!("no pseudonyms: {e}")))?;
        sqlx::query(
            "update disclosure set exported_by = $2, exported_at = $3, index_sha256 = $4, manifest_sha256 = $5, \
             pseudonyms = $6 where id = $1",
        )
        .bind(&id.0)
        .bind(by.account.trim().to_lowercase())
        .bind(micros(self.now))
        .bind(&index[..])
        .bind(&manifest[..])
        .bind(self.keys.seal_name(&place(&id.0, "pseudonyms"), &json)?)
        .execute(&mut *self.connection)
        .await?;
        let detail = json!({
            "disclosure": id.0,
            "index": digits(index),
            "manifest": digits(manifest),
            "purpose": purpose.as_str(),
            "why": why,
        });
        self.audit(&nothing(), "disclosure-exported", &by.who, detail).await
    }

    /// Forgets requests that are long done with.
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget_disclosures(&mut self) -> Result<(), StoreError> {
        let today = self.now.to_zoned(jiff::tz::TimeZone::UTC);
        let Ok(before) = today.checked_sub(Span::new().years(limits::DISCLOSURE_KEEP_YEARS)) else { return Ok(()) };
        sqlx::query("delete from disclosure where asked_at < $1")
            .bind(micros(before.timestamp()))
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }
}

/// Whether an address is one of a person's.
fn is_of(address: &str, mailbox: &str, own: &[Address]) -> bool {
    let same = |other: &str| address.trim().eq_ignore_ascii_case(other.trim());
    same(mailbox) || own.iter().any(|other| same(other.as_str()))
}

/// Whether a request is about the person whose mailboxes these are.
fn is_about(what: &NewDisclosure, mailbox: &str, own: &[Address]) -> bool {
    what.is_about(own) || what.search.mailbox.iter().chain(&what.applicant).any(|about| is_of(about, mailbox, own))
}
