//! Requests for disclosure: asked for, approved by a second person, decided on message by message, handed over and recorded
//! (UK GDPR Article 15, Freedom of Information Act 2000 section 1, Civil Procedure Rules part 31).
//!
//! Owns the tables `disclosure` and `disclosure_message`. Never knows the roster, nor what an export looks like. Invariants: nobody
//! approves what they asked for, nor what is about themselves; nothing is handed over of a request that is not approved, or no longer;
//! sealed mail is handed over to nobody without the chair's grant; each step is one transaction with a line in the audit that holds no
//! name and no word of what was looked for; a message is read only after its line `disclosed` is written. Events: `disclosure-asked`,
//! `disclosure-approved`, `disclosure-refused`, `disclosure-left-out`, `disclosure-taken-in`, `disclosure-seen`, `disclosed`,
//! `disclosure-exported`, `evidence-exported`.

mod change;
mod kind;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::audit::{AuditLine, AuditLink, timestamp};
use super::queue::mismatch;
use super::row::{count_of, state_of};
use super::writer::{Answer, Op};
use super::{Fit, LawfulPurpose, QueueId, Search, State, Store, StoreError};
use crate::inspect::Report;
use crate::limits;
use crate::smtp::Address;

pub(super) use change::Change;
pub use kind::{DisclosureKind, DisclosureState};

/// A request as somebody makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDisclosure {
    /// What it is for.
    pub kind: DisclosureKind,
    /// What is looked for. The pupil and the mailbox are those whom it is about.
    pub search: Search,
    /// The mailbox of who asked the school, where it is not one of those.
    #[serde(default)]
    pub applicant: Option<String>,
    /// Why; must say something.
    pub reason: String,
}

impl NewDisclosure {
    /// It is about the person whose mailboxes these are.
    pub fn is_about(&self, own: &[Address]) -> bool {
        let same = |about: &String| own.iter().any(|mailbox| about.trim().eq_ignore_ascii_case(mailbox.as_str()));
        self.search.mailbox.iter().chain(&self.applicant).any(same)
    }
}

/// Who does something about a request: an account, and the name that the audit gives the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting {
    /// Name of the account.
    pub account: String,
    /// As the audit names the person.
    pub who: String,
    /// Mailboxes of the person that the school knows, beside the account's own.
    pub own: Vec<Address>,
}

/// An export that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// Who took it away.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// SHA-256 of its index, in hexadecimal digits.
    pub index: String,
    /// SHA-256 of its manifest.
    pub manifest: String,
}

/// A request as the store has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure {
    /// Its id.
    pub id: QueueId,
    /// What was asked for.
    pub what: NewDisclosure,
    /// The account that asked.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// Where it stands.
    pub state: DisclosureState,
    /// The account that approved or refused it.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Why it was refused.
    pub refusal: Option<String>,
    /// Approved until then.
    pub until: Option<Timestamp>,
    /// The last export.
    pub exported: Option<Exported>,
    /// Messages that were found.
    pub messages: u32,
    /// Of them, those that are left out.
    pub left_out: u32,
}

impl Disclosure {
    /// It may be handed over now.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.state == DisclosureState::Approved && self.until.is_some_and(|until| now < until)
    }
}

/// A message of a request, with no content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Which.
    pub id: QueueId,
    /// When it came in; nothing where the message is gone.
    pub at: Option<Timestamp>,
    /// Its envelope sender.
    pub mail_from: Option<String>,
    /// Its envelope recipients.
    pub recipients: Vec<String>,
    /// Where it stands.
    pub state: Option<State>,
    /// Whether a copy is there.
    pub content: bool,
    /// It is marked personal and sealed, or was never inspected so that nobody knows.
    pub sealed: bool,
    /// How sure it is that it fits.
    pub fit: Fit,
    /// Why it is left out; nothing while it is in.
    pub left_out: Option<String>,
    /// Who decided that it is out, or in again.
    pub decided_by: Option<String>,
}

/// A message of a request, with what an index says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToIndex {
    /// What stands in the list.
    pub listed: Listed,
    /// A chair's grant opens it to who exports.
    pub granted: bool,
    /// Its subject; nothing of sealed mail without a grant.
    pub subject: String,
    /// Roster ids of the pupils whom it is about.
    pub pupils: Vec<String>,
    /// What was found in the subject of one pupil: roster id and words.
    pub found: Vec<(String, String)>,
    /// What the rules asked for.
    pub action: Option<String>,
    /// The rules that counted.
    pub rules: Vec<String>,
    /// SHA-256 of its content as it was decided on, in hexadecimal digits.
    pub sha256: String,
}

impl ToIndex {
    /// It is handed over.
    pub fn is_in(&self) -> bool {
        self.listed.left_out.is_none() && (!self.listed.sealed || self.granted)
    }
}

/// All that an index is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosing {
    /// The request.
    pub request: Disclosure,
    /// Its messages, the oldest first.
    pub messages: Vec<ToIndex>,
    /// Who was called what in an export before.
    pub pseudonyms: BTreeMap<String, String>,
}

/// An export as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// SHA-256 of its index.
    pub index: [u8; 32],
    /// SHA-256 of its manifest.
    pub manifest: [u8; 32],
    /// Who is called what in it.
    pub pseudonyms: BTreeMap<String, String>,
    /// What it is taken away for.
    pub purpose: LawfulPurpose,
    /// In the words of who takes it.
    pub why: String,
}

/// Hexadecimal digits.
pub(super) fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the parts of a request are sealed for.
fn place(id: &str, part: &str) -> String {
    format!("disclosure {id} {part}")
}

fn no_such(id: &QueueId) -> StoreError {
    StoreError::Refused(format!("there is no request for disclosure {id}"))
}

impl Store {
    /// Asks for a disclosure: looks for the mail, which is recorded, and keeps what was found as it is now. Gives its id.
    ///
    /// # Errors
    /// [`StoreError::Refused`] without a reason, for an account that may not ask, where nothing is found and where there is more than
    /// [`limits::SEARCH_HITS`]; what the database says.
    pub async fn ask_disclosure(&self, new: NewDisclosure, by: &Acting) -> Result<QueueId, StoreError> {
        let reason = new.reason.trim().to_owned();
        if reason.is_empty() || reason.chars().count() > limits::REASON_CHARS {
            let why =
                format!("a request for disclosure needs a reason, of {} characters at most", limits::REASON_CHARS);
            return Err(StoreError::Refused(why));
        }
        // Before anything is looked for: who may not ask learns nothing of what there is.
        self.may_disclose(&by.account).await?;
        let id = QueueId::generate(self.clock().now());
        let found = self.search(&new.search, &by.who, &format!("disclosure {id}: {}", new.kind.in_words())).await?;
        if found.more {
            let why = format!("more than {} messages fit: give fewer days, or more words", limits::SEARCH_HITS);
            return Err(StoreError::Refused(why));
        }
        if found.hits.is_empty() {
            return Err(StoreError::Refused("nothing that is kept fits: there is nothing to disclose".to_owned()));
        }
        let found = found.hits.into_iter().map(|hit| (hit.id, hit.fit == Fit::WordsUnknown)).collect();
        let new = NewDisclosure { reason, ..new };
        self.disclosure_change(Change::Ask { id: id.clone(), new: Box::new(new), found, by: by.clone() }).await?;
        Ok(id)
    }

    /// Approves a request for [`limits::DISCLOSURE_DAYS`], or refuses it with the reason.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for an account that has neither the role `dpo` nor `head`, for who asked, for whom it is about, for what
    /// was decided before, and for a refusal without a reason; what the database says.
    pub async fn decide_disclosure(
        &self,
        id: &QueueId,
        approve: bool,
        why: &str,
        by: &Acting,
    ) -> Result<(), StoreError> {
        let why = why.trim().to_owned();
        if !approve && why.is_empty() {
            return Err(StoreError::Refused("a request is refused with a reason".to_owned()));
        }
        self.disclosure_change(Change::Decide { id: id.clone(), approve, why, by: by.clone() }).await
    }

    /// Leaves a message out of a disclosure, with the reason; without one, takes it in again.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for an account that may not, for a message that is not of the request, and for a request that was refused
    /// or whose time is over; what the database says.
    pub async fn leave_out(
        &self,
        id: &QueueId,
        message: &QueueId,
        why: Option<&str>,
        by: &Acting,
    ) -> Result<(), StoreError> {
        let why = why.map(|why| why.trim().to_owned());
        if why.as_ref().is_some_and(String::is_empty) {
            return Err(StoreError::Refused("a message is left out with a reason".to_owned()));
        }
        let change = Change::LeaveOut { id: id.clone(), message: message.clone(), why, by: by.clone() };
        self.disclosure_change(change).await
    }

    /// All requests, the newest first, at most [`limits::LIST_ROWS`].
    ///
    /// # Errors
    /// What the database says; one that does not open with our key.
    pub async fn disclosures(&self) -> Result<Vec<Disclosure>, StoreError> {
        let rows = sqlx::query(concat!(columns!(), " order by d.asked_at desc, d.id desc limit $1"))
            .bind(i64::from(limits::LIST_ROWS))
            .fetch_all(&self.inner.reader)
            .await?;
        rows.iter().map(|row| self.disclosure(row)).collect()
    }

    /// One request with its messages. That `who` looks is recorded first.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there is none; what the database says.
    pub async fn see_disclosure(&self, id: &QueueId, who: &str) -> Result<(Disclosure, Vec<Listed>), StoreError> {
        self.disclosure_change(Change::Seen { id: id.clone(), who: who.to_owned() }).await?;
        let request = self.read_disclosure(id).await?;
        let messages = self.disclosed_messages(id).await?;
        Ok((request, messages.into_iter().map(|(listed, _)| listed).collect()))
    }

    /// One request, to find out who may do what with it. Whoever shows it calls [`Store::see_disclosure`].
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there is none; what the database says.
    pub async fn read_disclosure(&self, id: &QueueId) -> Result<Disclosure, StoreError> {
        let row = sqlx::query(concat!(columns!(), " where d.id = $1"))
            .bind(&id.0)
            .fetch_optional(&self.inner.reader)
            .await?
            .ok_or_else(|| no_such(id))?;
        self.disclosure(&row)
    }

    /// What the index of an export by this account is made of: no content but subjects, so that it is for an approved request alone.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it is not approved, or no longer, or the account may not; what the database says.
    pub async fn disclosing(&self, id: &QueueId, by: &Acting) -> Result<Disclosing, StoreError> {
        self.disclosure_change(Change::Check { id: id.clone(), by: by.clone() }).await?;
        let account = self.account(&by.account).await?;
        let request = self.read_disclosure(id).await?;
        let mut messages = Vec::new();
        for (listed, told) in self.disclosed_messages(id).await? {
            let granted = listed.sealed && self.opened_until(&listed.id, &account.id).await?.is_some();
            let (report, sha256) = told;
            let report = report.filter(|_| !listed.sealed || granted);
            let mut one = ToIndex {
                listed,
                granted,
                sha256,
                subject: String::new(),
                pupils: Vec::new(),
                found: Vec::new(),
                action: None,
                rules: Vec::new(),
            };
            if let Some(report) = report {
                one.pupils = report.pupils.iter().map(|pupil| pupil.id.clone()).collect();
                let in_subject = report.findings.iter().filter(|found| found.place == "subject");
                one.found = in_subject.filter_map(|found| Some((found.pupil.clone()?, found.text.clone()))).collect();
                one.action = Some(report.action.as_str().to_owned());
                one.rules = report.rules.iter().filter(|rule| rule.counts()).map(|rule| rule.id.clone()).collect();
                one.subject = report.subject;
            }
            messages.push(one);
        }
        let sealed: Option<Vec<u8>> = sqlx::query_scalar("select pseudonyms from disclosure where id = $1")
            .bind(&id.0)
            .fetch_one(&self.inner.reader)
            .await?;
        let opened = match sealed {
            Some(sealed) => Some(self.inner.keys.open_name(&place(&id.0, "pseudonyms"), &sealed).ok_or_else(damaged)?),
            None => None,
        };
        let pseudonyms = match opened {
            Some(json) => serde_json::from_slice(&json).map_err(|_| damaged())?,
            None => BTreeMap::new(),
        };
        Ok(Disclosing { request, messages, pseudonyms })
    }

    /// Gives a message that is disclosed, octet for octet. The line of the audit is written first.
    ///
    /// # Errors
    /// As [`Store::disclosing`]; [`StoreError::Refused`] for what is left out, sealed or not of the request; as [`Store::content`].
    pub async fn disclose(
        &self,
        id: &QueueId,
        message: &QueueId,
        purpose: LawfulPurpose,
        by: &Acting,
    ) -> Result<Arc<[u8]>, StoreError> {
        let account = self.account(&by.account).await?;
        let sealed = self.show(message).await?.report.is_none_or(|report| report.is_sealed());
        if sealed && self.opened_until(message, &account.id).await?.is_none() {
            let why = format!("message {message} is sealed: it is opened only with the chair of governors' approval");
            return Err(StoreError::Refused(why));
        }
        let change = Change::Take { id: id.clone(), message: message.clone(), purpose, by: by.clone() };
        self.disclosure_change(change).await?;
        self.content(message).await
    }

    /// Records an export that was made, and keeps who is called what in it.
    ///
    /// # Errors
    /// As [`Store::disclosing`].
    pub async fn note_exported(&self, id: &QueueId, made: Made, by: &Acting) -> Result<(), StoreError> {
        self.disclosure_change(Change::Exported { id: id.clone(), made: Box::new(made), by: by.clone() }).await
    }

    /// Records that one message was handed over as evidence, with the SHA-256 of the manifest.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; what the database says.
    pub async fn note_evidence(
        &self,
        message: &QueueId,
        manifest: [u8; 32],
        purpose: LawfulPurpose,
        who: &str,
        why: &str,
    ) -> Result<(), StoreError> {
        let (who, why) = (who.to_owned(), why.trim().to_owned());
        self.disclosure_change(Change::Evidence { message: message.clone(), manifest, purpose, who, why }).await
    }

    /// Lines of the audit about these messages and this request behind the line `after`, with their places in the chain; a page of them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_about(
        &self,
        request: Option<&QueueId>,
        messages: &[QueueId],
        after: i64,
    ) -> Result<Vec<AuditLink>, StoreError> {
        let ids = serde_json::to_string(messages).unwrap_or_default();
        let rows = sqlx::query(
            "select * from audit where seq > $1 and (message in (select value from json_each($2)) \
             or (message = '' and $3 <> '' and json_extract(detail, '$.disclosure') = $3)) order by seq limit $4",
        )
        .bind(after)
        .bind(ids)
        .bind(request.map_or("", |id| id.0.as_str()))
        .bind(i64::from(limits::AUDIT_PAGE))
        .fetch_all(&self.inner.reader)
        .await?;
        let link = |row: &SqliteRow| {
            Ok(AuditLink { line: AuditLine::read(row)?, prev: row.try_get("prev")?, hash: row.try_get("hash")? })
        };
        rows.iter().map(link).collect()
    }

    async fn may_disclose(&self, account: &str) -> Result<(), StoreError> {
        let account = self.account(account).await?;
        let may = account.roles.iter().any(|role| change::ASKING.contains(&role.as_str()));
        match may && account.disabled_at.is_none() {
            true => Ok(()),
            false => Err(change::not_theirs(&account.name)),
        }
    }

    async fn disclosure_change(&self, change: Change) -> Result<(), StoreError> {
        match self.ask(Op::Disclosure(Box::new(change))).await? {
            Answer::Done => Ok(()),
            _ => mismatch(),
        }
    }

    fn disclosure(&self, row: &SqliteRow) -> Result<Disclosure, StoreError> {
        let id = QueueId(row.try_get("id")?);
        let open =
            |part: &str, sealed: &[u8]| self.inner.keys.open_name(&place(&id.0, part), sealed).ok_or_else(damaged);
        let what: Vec<u8> = open("body", row.try_get("body")?)?;
        let refusal = match row.try_get::<Option<&[u8]>, _>("refusal")? {
            Some(sealed) => Some(String::from_utf8(open("refusal", sealed)?).map_err(|_| damaged())?),
            None => None,
        };
        let time = |column: &str| row.try_get::<Option<i64>, _>(column).map(|at| at.map(timestamp));
        let hash =
            |column: &str| row.try_get::<Option<Vec<u8>>, _>(column).map(|hash| digits(&hash.unwrap_or_default()));
        let exported = match (row.try_get::<Option<String>, _>("exported_by")?, time("exported_at")?) {
            (Some(by), Some(at)) => {
                Some(Exported { by, at, index: hash("index_sha256")?, manifest: hash("manifest_sha256")? })
            }
            _ => None,
        };
        Ok(Disclosure {
            what: serde_json::from_slice(&what).map_err(|_| damaged())?,
            asked_by: row.try_get("asked_by")?,
            asked_at: timestamp(row.try_get("asked_at")?),
            state: match row.try_get::<&str, _>("state")? {
                "asked" => DisclosureState::Asked,
                "approved" => DisclosureState::Approved,
                _ => DisclosureState::Refused,
            },
            decided_by: row.try_get("decided_by")?,
            decided_at: time("decided_at")?,
            refusal,
            until: time("until")?,
            exported,
            messages: count_of(row, "messages")?,
            left_out: count_of(row, "out")?,
            id,
        })
    }

    /// The messages of a request, each with its report and hash.
    async fn disclosed_messages(&self, id: &QueueId) -> Result<Vec<(Listed, (Option<Report>, String))>, StoreError> {
        let rows = sqlx::query(
            "select d.message, d.unsure, d.left_out, d.decided_by as by_whom, m.at, m.mail_from, m.state, m.report, m.sha256, \
             m.content_file is not null as content \
             from disclosure_message d left join message m on m.id = d.message where d.disclosure = $1 order by d.place",
        )
        .bind(&id.0)
        .fetch_all(&self.inner.reader)
        .await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            let message = QueueId(row.try_get("message")?);
            let recipients = sqlx::query_scalar("select address from recipient where message = $1 order by position")
                .bind(&message.0)
                .fetch_all(&self.inner.reader)
                .await?;
            let report: Option<Vec<u8>> = row.try_get("report")?;
            let report = report.and_then(|sealed| self.inner.keys.open_report(&message.0, &sealed));
            let report = report.and_then(|json| serde_json::from_slice::<Report>(&json).ok());
            let left_out = match row.try_get::<Option<&[u8]>, _>("left_out")? {
                Some(sealed) => {
                    let opened = self.inner.keys.open_name(&place(&id.0, &message.0), sealed).ok_or_else(damaged)?;
                    Some(String::from_utf8(opened).map_err(|_| damaged())?)
                }
                None => None,
            };
            let state: Option<&str> = row.try_get("state")?;
            let listed = Listed {
                at: row.try_get::<Option<i64>, _>("at")?.map(timestamp),
                mail_from: row.try_get("mail_from")?,
                recipients,
                state: state.map(state_of).transpose()?,
                content: row.try_get("content")?,
                // Of what was never inspected, or whose report does not open, nobody knows that it is not.
                sealed: report.as_ref().is_none_or(Report::is_sealed),
                fit: if row.try_get("unsure")? { Fit::WordsUnknown } else { Fit::Fits },
                left_out,
                decided_by: row.try_get("by_whom")?,
                id: message,
            };
            let hash: Option<Vec<u8>> = row.try_get("sha256")?;
            all.push((listed, (report, digits(&hash.unwrap_or_default()))));
        }
        Ok(all)
    }
}

fn damaged() -> StoreError {
    StoreError::Database("a request for disclosure does not open with this key".to_owned())
}

/// A request with its counts.
macro_rules! columns {
    () => {
        "select d.*, (select count(*) from disclosure_message f where f.disclosure = d.id) as messages, \
         (select count(*) from disclosure_message f where f.disclosure = d.id and f.left_out is not null) as out from disclosure d"
    };
}
use columns;
