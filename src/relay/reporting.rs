//! Incidents and mail: a report that comes to the reporting mailbox opens one, and its 72 hours are called to mind.
//!
//! What staff send to a mailbox of `[roles] report` is taken for a report of a breach, whatever it says: a sent message passed
//! on, or some words. It goes on to the mailbox like any mail. Never knows who reads the register.
//!
//! Invariants: nobody outside the school, no pupil and no program opens an incident, and the letter back goes out under the
//! null sender, so that no two machines write to each other; an incident stands in the transaction of the message that
//! reports it, a reminder in that of its mark.

use std::sync::Arc;

use jiff::Timestamp;

use super::answer::is_automatic;
use super::intake::notice_entry;
use super::log::{Event, event};
use super::notify::{About, Notifier};
use crate::extract::own_text;
use crate::inspect::{Ground, Report};
use crate::limits;
use crate::message::{self, Message, PartKind};
use crate::people::SenderIdentity;
use crate::policy::pack::DECIDERS;
use crate::smtp::{Address, Envelope};
use crate::store::{Assessment, NewEntry, NewIncident, Origin, QueueId, Store, StoreError};

/// Who answers for breaches, and is told of each at once.
const ANSWERS_FOR_BREACHES: [&str; 2] = ["sbm", "dpo"];
/// Who is reminded of the 72 hours.
const REMINDED: [&str; 3] = ["sbm", "dpo", "head"];

/// What a report by mail leads to.
pub struct Reported {
    /// The incident.
    pub incident: Box<NewIncident>,
    /// To those who answer for breaches, and to who reported.
    pub notices: Vec<NewEntry>,
}

/// A message as it is looked at.
pub struct Mail<'m> {
    /// Its id.
    pub id: &'m QueueId,
    /// From whom, to whom.
    pub envelope: &'m Envelope,
    /// Its bytes.
    pub content: &'m Arc<[u8]>,
}

/// What the message itself says.
#[derive(Default)]
struct Said {
    automatic: bool,
    words: String,
    /// To whom the message that is attached went.
    to: String,
    message_id: Option<String>,
}

/// What this message reports; nothing where it goes to no reporting mailbox, or comes from nobody of the staff.
pub async fn reported(
    notifier: &Notifier,
    ground: &Ground,
    mail: &Mail<'_>,
    report: Option<&Report>,
    now: Timestamp,
) -> Option<Reported> {
    let to = mail.envelope.recipients.iter().find(|to| notifier.is_reporting_mailbox(to))?;
    let from = mail.envelope.mail_from.as_ref().filter(|from| is_staff(ground, from))?;
    let content = Arc::clone(mail.content);
    // What a reader panics on is a report without words, not no report.
    let said = tokio::task::spawn_blocking(move || read(&content)).await.unwrap_or_default();
    if said.automatic || report.is_some_and(|report| report.automatic) {
        return None;
    }
    let mut assessment = Assessment::of(report, Some(from.as_str()), &[]);
    let sealed = report.is_some_and(Report::is_sealed);
    assessment.happened = format!("{from} reported it by mail to {to}.");
    if !sealed && !said.words.is_empty() {
        assessment.happened = format!("{} They wrote:\n\n{}", assessment.happened, said.words);
    }
    assessment.to_whom = said.to;
    let incident = NewIncident {
        id: QueueId::generate(now),
        message: None,
        report: Some(mail.id.clone()),
        origin: Origin::Report,
        assessment,
        who: from.to_string(),
    };
    let own = [ground.school.mailboxes_of(from), vec![from.clone()]].concat();
    let mut told = notifier.mailboxes(ANSWERS_FOR_BREACHES.into_iter(), &own);
    // Whoever reports their own is not alone with it.
    if notifier.mailboxes(std::iter::once("sbm"), &own).is_empty() {
        told.extend(notifier.mailboxes(std::iter::once("head"), &[own.clone(), told.clone()].concat()));
    }
    if told.is_empty() {
        told = notifier.mailboxes(DECIDERS.iter().copied(), &own);
    }
    let about = About {
        envelope: mail.envelope,
        subject: "",
        message_id: said.message_id.as_deref(),
        id: &incident.id,
        at: now,
        now,
        not_told: &[],
        link: None,
    };
    let letters = [notifier.incident_reported(told, &incident.id, now), notifier.report_received(&about)];
    let notices = letters.into_iter().flatten().map(|letter| notice_entry(letter, mail.id, now)).collect();
    Some(Reported { incident: Box::new(incident), notices })
}

/// Somebody who writes from the school, and is no pupil.
fn is_staff(ground: &Ground, from: &Address) -> bool {
    let school = &ground.school;
    school.domains.contains(&from.domain()) && !school.recipient(from, &SenderIdentity::default()).is_pupil
}

fn read(raw: &[u8]) -> Said {
    let message = message::read(raw);
    let inside = |index: usize| {
        let mut above = message.parts.get(index).and_then(|part| part.parent);
        while let Some(at) = above {
            match message.parts.get(at) {
                Some(part) if part.kind == PartKind::Message => return true,
                part => above = part.and_then(|part| part.parent),
            }
        }
        false
    };
    let texts = message.parts.iter().enumerate().filter(|(at, part)| part.kind == PartKind::Text && !inside(*at));
    let words = texts.filter_map(|(_, part)| own_text(part)).find(|text| !text.trim().is_empty()).unwrap_or_default();
    let shown = |c: &char| !c.is_control() || *c == '\n';
    Said {
        automatic: is_automatic(&message),
        words: words.trim().chars().filter(shown).take(limits::INCIDENT_REPORT_CHARS).collect(),
        to: attached_to(&message),
        message_id: message.header("Message-ID").map(|header| header.value.trim().to_owned()),
    }
}

/// Recipients of the first attached message, one a line.
fn attached_to(message: &Message<'_>) -> String {
    let holder = message.parts.iter().position(|part| part.kind == PartKind::Message);
    let root = holder.and_then(|at| message.parts.iter().find(|part| part.parent == Some(at)));
    let lines =
        root.into_iter().flat_map(|part| ["To", "Cc", "Bcc"].into_iter().filter_map(move |name| part.header(name)));
    let lines = lines.map(|header| header.value.trim().to_owned()).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n").chars().take(limits::INCIDENT_REPORT_CHARS).collect()
}

/// Sends the letters about the 72 hours that are due now. What fails of one incident does not keep the others waiting.
///
/// # Errors
/// What the database says.
pub async fn remind(store: &Store, notifier: &Notifier) -> Result<(), StoreError> {
    for due in store.incident_reminders().await? {
        let written = |role: &&str| !notifier.mailboxes(std::iter::once(*role), &[]).is_empty();
        let told: Vec<String> = REMINDED.into_iter().filter(written).map(str::to_owned).collect();
        let to = notifier.mailboxes(told.iter().map(String::as_str), &[]);
        let hours = jiff::SignedDuration::from_hours(i64::from(limits::INCIDENT_HOURS));
        let ends = due.aware_at.saturating_add(hours).unwrap_or(Timestamp::MAX);
        let now = store.clock().now();
        let Some(letter) = notifier.incident_reminder(to, &due.id, ends, now) else {
            event!(Event::Trouble, id = %due.id, what = "nobody can be reminded of the 72 hours of an incident");
            continue;
        };
        // No message is what it is about.
        let entry = NewEntry { about: None, ..notice_entry(letter, &due.id, now) };
        if let Err(error) = store.incident_reminded(&due, told, vec![entry]).await {
            event!(Event::Trouble, id = %due.id, what = "a reminder of an incident", reason = %error);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
