//! What the sender of a message that was returned, is held or waits before it leaves can do with it, by their own link or by an answer to the notice.
//!
//! Knows rules and reports as far as they say what is possible: what may be confirmed by its sender, and what one word in the
//! subject would put right. Never knows the page, nor mail that comes in. Invariants: whoever asks, one function carries it out; a changed message goes only after it was inspected anew and
//! nothing stops it; what goes differs from what came in by that one header line alone; a likely breach is never confirmed
//! by its sender.

mod subject;

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use tokio::sync::Semaphore;

use super::intake::{notice_entry, sha256};
use super::known::Gathered;
use super::malware::{Scanner, Screened};
use super::notify::{About, Notifier};
use super::remembered::rememberable;
use crate::extract::Isolation;
use crate::inspect::{Ground, Report, inspect_with};
use crate::limits;
use crate::policy::pack::{Marker, Rule};
use crate::policy::{Action, Confirm};
use crate::store::{Class, Leaves, NewEntry, OpenLink, QueueId, SENDER, SenderAct, Shown, State, Store, StoreError};
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

/// What a sender can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Delete it.
    Cancel,
    /// Send what waits for a second look.
    SendNow,
    /// Send what waits for the school to open: it is urgent.
    Urgent,
    /// Send it with Confidential in its subject.
    Mark,
    /// Send it as it is: it is right.
    Confirm,
    /// Both at once, where neither would do.
    MarkConfirm,
    /// Have somebody look at it.
    Wrong,
    /// Tell who decides.
    Note,
}

impl Ask {
    /// What is offered for a message that is held or was returned, the first thing being what its page is for.
    pub fn possible(held: bool, possible: Possible) -> Vec<Self> {
        if held {
            return vec![Self::Note, Self::Cancel];
        }
        let offered = [
            (Self::Mark, possible.mark),
            (Self::Confirm, possible.confirm),
            (Self::MarkConfirm, possible.mark_and_confirm),
            (Self::Wrong, true),
            (Self::Cancel, true),
        ];
        offered.into_iter().filter(|(_, offered)| *offered).map(|(ask, _)| ask).collect()
    }

    /// What is offered for a message by its sender's link, the first thing being what its page is for.
    pub fn of_link(link: &OpenLink, possible: Possible, now: Timestamp) -> Vec<Self> {
        link.leaves.map_or_else(|| Self::possible(link.held, possible), |leaves| Self::waiting(&leaves, now))
    }

    /// What is offered for a message that waits before it leaves.
    pub fn waiting(leaves: &Leaves, now: Timestamp) -> Vec<Self> {
        match leaves.for_opening(now) {
            true => vec![Self::Cancel, Self::Urgent],
            false => vec![Self::Cancel, Self::SendNow],
        }
    }

    /// It cannot be asked for on the page without a word of why.
    pub fn wants_words(self) -> bool {
        matches!(self, Self::Confirm | Self::MarkConfirm | Self::Wrong | Self::Note | Self::Urgent)
    }

    /// Over what is told once it is done.
    pub fn title(self) -> &'static str {
        match self {
            Self::Cancel => "Cancelled",
            Self::Mark | Self::Confirm | Self::MarkConfirm | Self::SendNow | Self::Urgent => "On its way",
            Self::Wrong => "Handed over",
            Self::Note => "Noted",
        }
    }

    /// What is told once it is done.
    pub fn done(self) -> &'static str {
        match self {
            Self::Cancel => "Your message is deleted here. Nobody has received it.",
            Self::SendNow | Self::Urgent => "Your message goes out now as you wrote it.",
            Self::Mark => "Your message goes out now, with Confidential in front of its subject.",
            Self::Confirm => {
                "Your message goes out now as you wrote it. You will not be asked about this again for some time."
            }
            Self::MarkConfirm => {
                "Your message goes out now, with Confidential in front of its subject. You will not be asked again for some \
                 time about what you confirmed."
            }
            Self::Wrong => {
                "Your message now waits for a decision, and who decides has been told. You will hear of it. By the link in \
                 your notice you can still cancel it."
            }
            Self::Note => "Who decides on your message will read what you wrote.",
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub enum Done {
    /// It is done.
    Yes,
    /// The message is over, or was taken up otherwise in the meantime.
    Gone,
    /// It could not be inspected in time.
    Late,
    /// Something else stops it.
    Stopped(Box<Report>),
}

/// What it is carried out with.
pub struct Means<'a> {
    /// Where the message is.
    pub store: &'a Store,
    /// Rules and roster in force.
    pub ground: Arc<Ground>,
    /// Who writes to those that are told.
    pub notifier: &'a Notifier,
    /// Where attachments are read.
    pub isolation: Arc<dyn Isolation>,
    /// Who is asked for malware.
    pub scanner: &'a Scanner,
    /// A place for each inspection that may run: nobody keeps the machine busy with their own message.
    pub one: &'a Semaphore,
    /// Days for which a confirmation is remembered.
    pub remember_days: u32,
}

/// Carries out what a sender asks; nothing is changed unless it gives [`Done::Yes`]. `letter`, to the sender, goes with it.
///
/// # Errors
/// [`StoreError::Refused`] where that is not possible with this message; [`StoreError::Damaged`] where it does not open; what
/// disk and database say.
pub async fn carry_out(
    means: &Means<'_>,
    link: &OpenLink,
    ask: Ask,
    words: String,
    letter: Option<NewEntry>,
) -> Result<Done, StoreError> {
    let letters = Vec::from_iter(letter);
    let done = match ask {
        Ask::Cancel => means.store.do_as_sender(link, SenderAct::Cancel, letters).await?,
        Ask::SendNow => means.store.do_as_sender(link, SenderAct::SendNow { because: String::new() }, letters).await?,
        Ask::Urgent => means.store.do_as_sender(link, SenderAct::SendNow { because: words }, letters).await?,
        Ask::Note => means.store.do_as_sender(link, SenderAct::Note(words), letters).await?,
        Ask::Wrong => hand_over(means, link, &words, letters).await?,
        Ask::Confirm => confirm(means, link, &words, letters).await?,
        Ask::Mark | Ask::MarkConfirm => {
            let because = Some(words.as_str()).filter(|_| ask == Ask::MarkConfirm);
            let Ok(_one) = means.one.acquire().await else { return Ok(Done::Late) };
            return send_marked(means, link, because, letters).await;
        }
    };
    Ok(if done { Done::Yes } else { Done::Gone })
}

/// What the sender of a returned message can do with it, by the rules in force now.
pub fn possible(ground: &Ground, report: Option<&Report>) -> Possible {
    let all = |holds: &dyn Fn(&Rule) -> bool| {
        let Some(report) = report else { return false };
        let mut fired = report.rules.iter().filter(|rule| rule.stops()).peekable();
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

/// Sends a returned message as it is, because its sender says that it is right, and remembers that; `false` where the link no
/// longer opens it.
async fn confirm(
    means: &Means<'_>,
    link: &OpenLink,
    because: &str,
    letters: Vec<NewEntry>,
) -> Result<bool, StoreError> {
    let (store, ground) = (means.store, &means.ground);
    let report = store.show(&link.message).await?.report;
    let Some(report) = report.filter(|report| possible(ground, Some(report)).confirm) else {
        return Err(StoreError::Refused(format!("message {} is not for its sender to confirm", link.message)));
    };
    store.content(&link.message).await?;
    let until = remembered_until(store.clock().now(), means.remember_days);
    let remember = rememberable(ground, link.envelope.mail_from.as_ref(), &report, until);
    store.do_as_sender(link, SenderAct::Send { because: because.to_owned(), remember }, letters).await
}

/// Sends a returned message with Confidential in its subject, where it then may go. With a reason, what its sender may
/// confirm of it counts as confirmed, and is remembered if it goes.
async fn send_marked(
    means: &Means<'_>,
    link: &OpenLink,
    because: Option<&str>,
    letters: Vec<NewEntry>,
) -> Result<Done, StoreError> {
    let (store, ground, isolation) = (means.store, Arc::clone(&means.ground), Arc::clone(&means.isolation));
    let report = store.show(&link.message).await?.report;
    let possible = possible(&ground, report.as_ref());
    let helps = if because.is_some() { possible.mark_and_confirm } else { possible.mark };
    let Some(report) = report.filter(|_| helps) else {
        return Err(StoreError::Refused(format!("message {} wants more than a word in its subject", link.message)));
    };
    let content: Arc<[u8]> = with_confidential(&store.content(&link.message).await?).into();
    let now = store.clock().now();
    let mut gathered = Gathered::of(store, &ground, &link.envelope, now).await;
    let mut remember = Vec::new();
    if because.is_some() {
        let until = remembered_until(now, means.remember_days);
        remember = rememberable(&ground, link.envelope.mail_from.as_ref(), &report, until);
        // What the mark puts right is not for the sender to confirm.
        remember.retain(|new| ground.pack.rules.iter().any(|rule| rule.id == new.rule && for_its_sender(rule)));
        gathered.allowances.extend(remember.iter().map(|new| new.given(now, SENDER)));
    }
    let halt = Halt::default();
    let (halted, envelope, bytes) = (halt.clone(), link.envelope.clone(), Arc::clone(&content));
    // A panic is a failed inspection; what runs too long is told to stop and believed in nothing.
    let inspection = tokio::task::spawn_blocking(move || {
        // Its text was counted when it came.
        inspect_with(Some(&*isolation), &halted, &ground, &gathered.known(0), &envelope, &bytes, now)
    });
    let inspection = tokio::time::timeout(Duration::from_secs(limits::INSPECT_SECONDS), inspection);
    let (screened, inspected) = tokio::join!(means.scanner.screen(&content), inspection);
    halt.set();
    let Ok(Ok(mut report)) = inspected else { return Ok(Done::Late) };
    if matches!(screened, Screened::Unchecked(why) if why.is_passing()) {
        return Ok(Done::Late);
    }
    // What was found stops it whatever the rules say of it.
    screened.add_to(&mut report, &means.ground.pack);
    if report.action != Action::Deliver {
        return Ok(Done::Stopped(Box::new(report)));
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
    let how = match because {
        Some(because) => format!("{MARKED}, because: {because}"),
        None => MARKED.to_owned(),
    };
    let act = SenderAct::SendChanged { how, remember, new: Box::new(new) };
    Ok(if store.do_as_sender(link, act, letters).await? { Done::Yes } else { Done::Gone })
}

/// Hands a returned message to those who decide on held mail, who are told at once; `false` where the link no longer opens it.
async fn hand_over(
    means: &Means<'_>,
    link: &OpenLink,
    note: &str,
    mut letters: Vec<NewEntry>,
) -> Result<bool, StoreError> {
    let (store, ground, notifier) = (means.store, &means.ground, means.notifier);
    let Shown { report, summary, .. } = store.show(&link.message).await?;
    let Some(report) = report else {
        return Err(StoreError::Refused(format!("message {} has no decision to doubt", link.message)));
    };
    let not_told = report.mailboxes_concerned(&ground.school, link.envelope.mail_from.as_ref());
    let about = About {
        envelope: &link.envelope,
        subject: &report.subject,
        message_id: report.message_id.as_deref(),
        id: &link.message,
        at: summary.at,
        now: store.clock().now(),
        not_told: &not_told,
        link: None,
    };
    let due = store.school_time().plan(about.now).due_at;
    let notice = notifier.held_for_reviewer(&report, &about, due);
    letters.extend(notice.map(|notice| notice_entry(notice, &link.message, about.now)));
    let act = SenderAct::HandOver { note: note.to_owned(), report: Box::new(report) };
    store.do_as_sender(link, act, letters).await
}
