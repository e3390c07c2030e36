//! Deciding on held mail: what the command line and the desk share, notice to the sender included.
//!
//! Never knows who may decide by role, or how the answer is shown. Invariant: nobody decides on a message from or to a
//! mailbox of their own.

use jiff::Timestamp;

use super::intake::notice_entry;
use super::notify::{About, Notice, Notifier};
use crate::inspect::Report;
use crate::policy::Action;
use crate::school_time::SchoolTime;
use crate::smtp::{Address, Envelope};
use crate::store::{Decision, Grounds, Leaves, NewEntry, QueueId, Ruling, Shown, Store, StoreError};

/// A decision as a person gives it.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// What is decided.
    pub ruling: Ruling,
    /// What the sender of a returned message is told besides; may be empty.
    pub note: &'a str,
    /// Who, why, and what it is taken for.
    pub grounds: Grounds,
    /// The mailboxes of who decides, as far as they are known.
    pub own: &'a [Address],
}

/// The message is from or to one of these mailboxes.
pub fn concerns(own: &[Address], message: &Shown) -> bool {
    let mut concerned = message.summary.mail_from.iter().chain(message.recipients.iter().map(|r| &r.address));
    concerned.any(|address| own.iter().any(|mailbox| mailbox.is_same_mailbox(address)))
}

/// Decides on a held message and tells its sender, in one transaction.
///
/// # Errors
/// [`StoreError::Refused`] where the message concerns who decides, and where there is no decision of ours to tell its
/// sender of; otherwise as [`Store::decide_on`].
pub async fn decide(
    store: &Store,
    notifier: &Notifier,
    id: &QueueId,
    asked: &Asked<'_>,
) -> Result<Decision, StoreError> {
    let shown = store.show(id).await?;
    if concerns(asked.own, &shown) {
        return Err(StoreError::Refused(format!("message {id} is from or to you: somebody else decides on it")));
    }
    let notices = notices(notifier, id, shown, &asked.ruling, asked.note, &store.school_time(), store.clock().now())?;
    store.decide_on(id, &asked.ruling, &asked.grounds, notices).await
}

/// Sends a held message on which nobody decided back to its sender; `false`, and nothing is done, where its sender cannot be
/// written to: it would vanish unread.
///
/// # Errors
/// As [`Store::decide_on`].
pub async fn return_undecided(store: &Store, notifier: &Notifier, id: &QueueId) -> Result<bool, StoreError> {
    let shown = store.show(id).await?;
    let report = shown.report.unwrap_or_else(undecided);
    let envelope = Envelope::new(shown.summary.mail_from, shown.recipients.into_iter().map(|r| r.address).collect());
    let about = About {
        envelope: &envelope,
        subject: &report.subject,
        message_id: report.message_id.as_deref(),
        id,
        at: shown.summary.at,
        now: store.clock().now(),
        not_told: &[],
        link: None,
    };
    let Some(notice) = notifier.returned_undecided(&report, &about) else { return Ok(false) };
    let grounds = Grounds { who: "gateway".to_owned(), why: "nobody decided in time".to_owned(), ..Grounds::default() };
    store.decide_on(id, &Ruling::Return, &grounds, vec![notice_entry(notice, id, about.now)]).await.map(|_| true)
}

/// What the sender of a message is told of the decision; nothing where there is nobody to tell.
fn notices(
    notifier: &Notifier,
    id: &QueueId,
    shown: Shown,
    ruling: &Ruling,
    note: &str,
    times: &SchoolTime,
    now: Timestamp,
) -> Result<Vec<NewEntry>, StoreError> {
    let report = match (shown.report, ruling) {
        (Some(report), _) => report,
        // Held by a person before it was decided on: no rule is to be named.
        (None, Ruling::Release | Ruling::ReleaseTo(_)) => undecided(),
        (None, _) => return Err(StoreError::Refused(format!("{id} has no decision to tell its sender of"))),
    };
    let withheld: Vec<Address> = match ruling {
        Ruling::ReleaseTo(only) => (0..)
            .zip(&shown.recipients)
            .filter(|(place, recipient)| recipient.state == "due" && !only.contains(place))
            .map(|(_, recipient)| recipient.address.clone())
            .collect(),
        _ => Vec::new(),
    };
    let envelope = Envelope::new(shown.summary.mail_from, shown.recipients.into_iter().map(|r| r.address).collect());
    let about = About {
        envelope: &envelope,
        subject: &report.subject,
        message_id: report.message_id.as_deref(),
        id,
        at: shown.summary.at,
        now,
        not_told: &[],
        link: None,
    };
    let opens = Leaves::when_let_go(&report, times, now).map(|leaves| leaves.at);
    let notice: Option<Notice> = match (ruling, opens) {
        (Ruling::Return, _) => notifier.returned_by_reviewer(&report, &about, note),
        (Ruling::Discard, _) => notifier.discarded_for_sender(&report, &about),
        (Ruling::Release | Ruling::ReleaseTo(_), Some(opens)) => {
            notifier.released_until_open(&report, &about, &withheld, opens)
        }
        (Ruling::ReleaseTo(_), None) if !withheld.is_empty() => notifier.released_in_part(&report, &about, &withheld),
        (Ruling::Release | Ruling::ReleaseTo(_), None) => notifier.released_for_sender(&report, &about),
    };
    Ok(notice.into_iter().map(|notice| notice_entry(notice, id, now)).collect())
}

/// Of a message that was held before any rule looked at it.
fn undecided() -> Report {
    Report::of(Action::Hold)
}

#[cfg(test)]
mod tests;
