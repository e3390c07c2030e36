//! What the sender of a returned or held message can do with it by their own link.
//!
//! Knows rules and reports as far as they say what is possible: what may be confirmed by its sender, and what one word in the
//! subject would put right. Never knows the page. Invariants: a changed message goes only after it was inspected anew and
//! nothing stops it; what goes differs from what came in by that one header line alone; a likely breach is never confirmed
//! by its sender.

mod subject;

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::intake::{notice_entry, sha256};
use super::notify::{About, Notifier};
use super::remembered::rememberable;
use crate::extract::Isolation;
use crate::inspect::{Ground, Report, inspect_with};
use crate::limits;
use crate::policy::pack::{Marker, Rule};
use crate::policy::{Action, Confirm};
use crate::store::{Class, NewEntry, OpenLink, QueueId, SENDER, SenderAct, Shown, State, Store, StoreError};
use crate::text::Halt;

pub use subject::with_confidential;

/// What the audit says of a message that went marked.
const MARKED: &str = "sent with Confidential in its subject";

/// What is possible besides cancelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Possible {
    /// Every rule that stopped it asks for the Confidential marker and for nothing else.
    pub mark: bool,
    /// Every rule that stopped it may be confirmed by its sender.
    pub confirm: bool,
    /// Some ask for the Confidential marker, and all others may be confirmed by its sender: only both together help.
    pub mark_and_confirm: bool,
}

/// What a sender says is right, besides marking it.
#[derive(Debug, Clone, Copy)]
pub struct Confirmation<'a> {
    /// Why it is right.
    pub because: &'a str,
    /// For how many days that is remembered.
    pub days: u32,
}

/// What came of a message that was sent marked.
#[derive(Debug)]
pub enum Marked {
    /// It goes.
    Sent,
    /// Something else stops it.
    Stopped(Box<Report>),
    /// It could not be inspected in time.
    Late,
    /// The link no longer opens it.
    Gone,
}

/// What the sender of a returned message can do with it, by the rules in force now.
pub fn possible(ground: &Ground, report: Option<&Report>) -> Possible {
    let all = |holds: &dyn Fn(&Rule) -> bool| {
        let Some(report) = report else { return false };
        let mut fired = report.rules.iter().filter(|rule| rule.counts()).peekable();
        let of_pack = |id: &str| ground.pack.rules.iter().find(|rule| rule.id == id);
        fired.peek().is_some() && fired.all(|fired| !fired.breach && of_pack(&fired.id).is_some_and(holds))
    };
    let wants_mark = |rule: &Rule| rule.when.iter().all(|when| when.no_marker == Some(Marker::Confidential));
    let (mark, confirm) = (all(&wants_mark), all(&for_its_sender));
    let both = all(&|rule| wants_mark(rule) || for_its_sender(rule));
    Possible { mark, confirm, mark_and_confirm: both && !mark && !confirm }
}

/// The sender may say that what the rule asks about is right.
fn for_its_sender(rule: &Rule) -> bool {
    rule.confirm == Confirm::Sender && !rule.breach
}

/// Until when what a sender confirms at `now` is remembered, for so many days.
pub fn remembered_until(now: Timestamp, days: u32) -> Timestamp {
    now.to_zoned(TimeZone::UTC).saturating_add(Span::new().days(i64::from(days))).timestamp()
}

/// Sends a returned message as it is, because its sender says that it is right, and remembers that for so many days; `false` where the link no
/// longer opens it.
///
/// # Errors
/// [`StoreError::Refused`] where a rule does not let its sender confirm it; [`StoreError::Damaged`] where it does not open;
/// what disk and database say.
pub async fn confirm(
    store: &Store,
    ground: &Ground,
    link: &OpenLink,
    because: &str,
    days: u32,
) -> Result<bool, StoreError> {
    let report = store.show(&link.message).await?.report;
    let Some(report) = report.filter(|report| possible(ground, Some(report)).confirm) else {
        return Err(StoreError::Refused(format!("message {} is not for its sender to confirm", link.message)));
    };
    store.content(&link.message).await?;
    let until = remembered_until(store.clock().now(), days);
    let remember = rememberable(ground, link.envelope.mail_from.as_ref(), &report, until);
    store.do_as_sender(link, SenderAct::Send { because: because.to_owned(), remember }, Vec::new()).await
}

/// Sends a returned message with Confidential in its subject, where it then may go. With a confirmation, what its sender may
/// confirm of it counts as confirmed, and is remembered if it goes.
///
/// # Errors
/// [`StoreError::Refused`] where that would not put right what stopped it; [`StoreError::Damaged`] where it does not
/// open; what disk and database say.
pub async fn send_marked(
    store: &Store,
    ground: Arc<Ground>,
    isolation: Arc<dyn Isolation>,
    link: &OpenLink,
    confirmation: Option<Confirmation<'_>>,
) -> Result<Marked, StoreError> {
    let report = store.show(&link.message).await?.report;
    let possible = possible(&ground, report.as_ref());
    let helps = if confirmation.is_some() { possible.mark_and_confirm } else { possible.mark };
    let Some(report) = report.filter(|_| helps) else {
        return Err(StoreError::Refused(format!("message {} wants more than a word in its subject", link.message)));
    };
    let content: Arc<[u8]> = with_confidential(&store.content(&link.message).await?).into();
    let now = store.clock().now();
    let mut allowances = match &link.envelope.mail_from {
        Some(sender) => store.allowances_of(sender.as_str(), now).await?,
        None => Vec::new(),
    };
    let mut remember = Vec::new();
    if let Some(Confirmation { days, .. }) = confirmation {
        remember = rememberable(&ground, link.envelope.mail_from.as_ref(), &report, remembered_until(now, days));
        // What the mark puts right is not for the sender to confirm.
        remember.retain(|new| ground.pack.rules.iter().any(|rule| rule.id == new.rule && for_its_sender(rule)));
        allowances.extend(remember.iter().map(|new| new.given(now, SENDER)));
    }
    let halt = Halt::default();
    let (halted, envelope, bytes) = (halt.clone(), link.envelope.clone(), Arc::clone(&content));
    // A panic is a failed inspection; what runs too long is told to stop and believed in nothing.
    let inspection = tokio::task::spawn_blocking(move || {
        inspect_with(Some(&*isolation), &halted, &ground, &allowances, &envelope, &bytes, now)
    });
    let inspected = tokio::time::timeout(Duration::from_secs(limits::INSPECT_SECONDS), inspection).await;
    halt.set();
    let Ok(Ok(report)) = inspected else { return Ok(Marked::Late) };
    if report.action != Action::Deliver {
        return Ok(Marked::Stopped(Box::new(report)));
    }
    let new = NewEntry {
        id: QueueId::generate(now),
        class: Class::Mail,
        about: Some(link.message.clone()),
        state: State::Queued,
        envelope: link.envelope.clone(),
        sha256: sha256(&content),
        content,
        report: Some(report),
        at: now,
        client: None,
    };
    let how = match confirmation {
        Some(Confirmation { because, .. }) => format!("{MARKED}, because: {because}"),
        None => MARKED.to_owned(),
    };
    let act = SenderAct::SendChanged { how, remember, new: Box::new(new) };
    Ok(if store.do_as_sender(link, act, Vec::new()).await? { Marked::Sent } else { Marked::Gone })
}

/// Hands a returned message to those who decide on held mail, who are told at once; `false` where the link no longer opens it.
///
/// # Errors
/// [`StoreError::Refused`] where it has no decision; what disk and database say.
pub async fn hand_over(
    store: &Store,
    ground: &Ground,
    notifier: &Notifier,
    link: &OpenLink,
    note: &str,
) -> Result<bool, StoreError> {
    let Shown { report, summary, .. } = store.show(&link.message).await?;
    let Some(report) = report else {
        return Err(StoreError::Refused(format!("message {} has no decision to doubt", link.message)));
    };
    let mailboxes = link.envelope.mail_from.as_ref().map_or(Vec::new(), |s| ground.school.mailboxes_of(s));
    let about = About {
        envelope: &link.envelope,
        subject: &report.subject,
        message_id: report.message_id.as_deref(),
        id: &link.message,
        at: summary.at,
        now: store.clock().now(),
        sender_mailboxes: &mailboxes,
        link: None,
    };
    let due = store.school_time().plan(about.now).due_at;
    let notice = notifier.held_for_reviewer(&report, &about, due);
    let notices = notice.into_iter().map(|notice| notice_entry(notice, &link.message, about.now)).collect();
    let act = SenderAct::HandOver { note: note.to_owned(), report: Box::new(report) };
    store.do_as_sender(link, act, notices).await
}
