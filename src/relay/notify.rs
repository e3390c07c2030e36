//! Notices: what staff and reviewers are told about a message that did not simply go.
//!
//! Owns their wording (templates under `rules/notices/`, replaceable file by file by a school) and their form: null
//! envelope sender, `Auto-Submitted` (RFC 3834), plain text with an HTML alternative (RFC 2046 5.1.4).
//!
//! Never knows what was found: a template is given a rule's reasons and remedies, the kinds and places of the traits that it
//! goes by, addresses, counts and the queue id, so no template can quote a finding. The subject of the message is shown to its own sender alone, and not where something
//! was found in it.
//!
//! Invariants: no notice goes to the null sender, to the gateway's own address, or to the sender of an automatic message
//! (RFC 3834 2, RFC 5321 6.1); no notice to reviewers goes to the sender of the message it is about; nothing that came in
//! by mail can add a header or a line to one; a template that a school broke is refused at start, and should one still
//! fail later, the built-in one speaks.

mod clean;
mod compose;
mod incidents;
mod templates;
mod words;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use crate::inspect::{Report, view};
use crate::limits;
use crate::policy::Action;
use crate::policy::pack::DECIDERS;
use crate::smtp::{Address, Envelope};
use crate::store::{Leaves, QueueId, SenderLink};

pub use templates::Waiting;
use templates::{AboutIncident, Context, Kind, Outcome, Recipients, Rule, School, Templates};

pub use templates::TemplateError;

/// A complete message of our own, ready for the queue.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Null sender; to whom the notice goes.
    pub envelope: Envelope,
    /// Headers and body with CRLF line ends, no dot-stuffing.
    pub content: Vec<u8>,
}

/// The message that a notice is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// From whom, to whom.
    pub envelope: &'a Envelope,
    /// Its Subject, decoded; shown to the sender alone, and only where nothing was found in it. May hold anything.
    pub subject: &'a str,
    /// Its Message-ID with the angle brackets, where it has one. May hold anything.
    pub message_id: Option<&'a str>,
    /// Our own id of it.
    pub id: &'a QueueId,
    /// When it was taken in.
    pub at: Timestamp,
    /// When the notice is written: its Date.
    pub now: Timestamp,
    /// Mailboxes that its sender and those whom it is about read or may send as, from the staff directory; none of them is
    /// told of it as a reviewer.
    pub not_told: &'a [Address],
    /// What its sender can do with it, for letters to the sender.
    pub link: Option<Way<'a>>,
}

/// The ways by which a sender comes to a message.
#[derive(Debug, Clone, Copy)]
pub struct Way<'a> {
    /// Their page, where the token is still at hand.
    pub link: Option<&'a SenderLink>,
    /// Where an answer by mail goes.
    pub answer_to: Option<&'a Address>,
    /// The words that an answer may begin with, each with what it does.
    pub answers: &'a [Offered],
}

/// A word that an answer may begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Offered {
    /// In capitals.
    pub word: &'static str,
    /// What it does, as the end of a line.
    pub does: &'static str,
}

/// Composes notices for one school.
#[derive(Debug, Clone)]
pub struct Notifier {
    school: School,
    hostname: String,
    from: Address,
    templates: Templates,
    roles: BTreeMap<String, Vec<Address>>,
    /// Where the desk is, where it is on.
    desk: Option<String>,
    /// Hours for which returned mail is kept, where the desk is on.
    keep_returned: u32,
    zone: jiff::tz::TimeZone,
}

/// Which letter about what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingLetter {
    /// All of it.
    Digest,
    /// Half of its time is over.
    Reminder,
    /// Nobody has decided yet, so somebody else is told.
    Escalated,
}

impl Notifier {
    /// `hostname` names us in Message-IDs; `from` is the address of the From header; files in `templates_dir` replace the
    /// built-in templates of the same name. Every template is read and tried here, on made-up messages.
    pub fn new(
        school_name: &str,
        telephone: &str,
        hostname: &str,
        from: Address,
        templates_dir: Option<&Path>,
        roles: BTreeMap<String, Vec<Address>>,
    ) -> Result<Self, TemplateError> {
        let school = School {
            name: clean::line(school_name, limits::NOTICE_SUBJECT_CHARS),
            telephone: clean::line(telephone, limits::NOTICE_SUBJECT_CHARS),
        };
        let templates = Templates::load(templates_dir)?;
        Ok(Self {
            school,
            hostname: hostname.to_owned(),
            from,
            templates,
            roles,
            desk: None,
            keep_returned: 0,
            zone: crate::school_time::london(),
        })
    }

    /// Letters link to the desk at this address, and say times in this zone.
    #[must_use]
    pub fn at_desk(self, public_url: Option<String>, zone: jiff::tz::TimeZone) -> Self {
        Self { desk: public_url, zone, ..self }
    }

    /// Returned mail is kept for so many hours, where there is a desk.
    #[must_use]
    pub fn keeping(self, hours: u32) -> Self {
        Self { keep_returned: hours, ..self }
    }

    /// For how long a message is kept that `warn` returns; `None` without a desk, where its sender could do nothing with it.
    pub fn keeps_returned(&self) -> Option<jiff::SignedDuration> {
        let kept = jiff::SignedDuration::from_hours(i64::from(self.keep_returned));
        self.desk.as_ref().filter(|_| self.keep_returned > 0).map(|_| kept)
    }

    /// To the sender of a held message on which nobody decided in time: it goes back.
    pub fn returned_undecided(&self, report: &Report, about: &About<'_>) -> Option<Notice> {
        self.to_sender(Kind::ReturnedUndecided, report, about, "", &[])
    }

    /// The mailboxes of these roles but those in `own`, each once.
    pub fn mailboxes<'r>(&self, roles: impl Iterator<Item = &'r str>, own: &[Address]) -> Vec<Address> {
        let mut mailboxes = Vec::<Address>::new();
        for mailbox in roles.filter_map(|role| self.roles.get(role)).flatten() {
            if !own.iter().chain(&mailboxes).any(|known| known.is_same_mailbox(mailbox)) {
                mailboxes.push(mailbox.clone());
            }
        }
        mailboxes
    }

    /// A held message as letters list it: counts and kinds, no name and no content.
    pub fn waiting(&self, line: &crate::store::HeldLine) -> Waiting {
        Waiting {
            id: clean::line(&line.id.0, limits::NOTICE_SUBJECT_CHARS),
            summary: words::summary(line),
            due: line.due_at.map(|due| words::time_in(due, &self.zone)).unwrap_or_default(),
            link: self.link(&line.id),
        }
    }

    /// Where a held message is at the desk; empty without one.
    fn link(&self, id: &QueueId) -> String {
        self.desk.as_ref().map(|desk| format!("{desk}/held/{id}")).unwrap_or_default()
    }

    /// A letter about what waits, to those who decide or look after it; `id` is its own. `more` messages are counted only.
    /// `None` where there is nobody to tell, or nothing.
    pub fn of_what_waits(
        &self,
        letter: WaitingLetter,
        to: Vec<Address>,
        waiting: Vec<Waiting>,
        more: usize,
        id: &QueueId,
        now: Timestamp,
    ) -> Option<Notice> {
        if to.is_empty() || waiting.is_empty() {
            return None;
        }
        let kind = match letter {
            WaitingLetter::Digest => Kind::Digest,
            WaitingLetter::Reminder => Kind::Reminder,
            WaitingLetter::Escalated => Kind::Escalated,
        };
        let envelope = Envelope::new(None, Vec::new());
        let about =
            About { envelope: &envelope, subject: "", message_id: None, id, at: now, now, not_told: &[], link: None };
        let mut context = self.context(kind, &Report::of(Action::Hold), &about, "", &[]);
        if kind == Kind::Digest {
            context.headline = words::digest_headline(waiting.len() + more);
        }
        (context.waiting, context.more_waiting) = (waiting, more);
        Some(self.compose(kind, &context, &about, to))
    }

    /// To the sender of a message with the verdict `warn`: it was not sent, why, and how to put it right.
    pub fn returned_to_sender(&self, report: &Report, about: &About<'_>) -> Option<Notice> {
        self.to_sender(Kind::Returned, report, about, "", &[])
    }

    /// To the sender of a message with the verdict `hold`: it waits, why, and who decides.
    pub fn held_for_sender(&self, report: &Report, about: &About<'_>) -> Option<Notice> {
        self.to_sender(Kind::Held, report, about, "", &[])
    }

    /// To the sender of a message that waits before it leaves: when it leaves, and how to take it back until then.
    pub fn waits(&self, report: &Report, about: &About<'_>, leaves: &Leaves) -> Option<Notice> {
        let sender = self.can_be_told(about).filter(|_| !report.automatic)?.clone();
        let mut context = self.context(Kind::Waits, report, about, "", &[]);
        context.leaves = words::time_in(leaves.at, &self.zone);
        context.opening = leaves.for_opening(about.now);
        context.headline = words::waits_headline(context.opening).to_owned();
        Some(self.compose(Kind::Waits, &context, about, vec![sender]))
    }

    /// To the sender of a held message that a reviewer sent back, with the reviewer's note (may be empty).
    pub fn returned_by_reviewer(&self, report: &Report, about: &About<'_>, note: &str) -> Option<Notice> {
        self.to_sender(Kind::ReturnedByReviewer, report, about, note, &[])
    }

    /// To the sender of a held message that a reviewer discarded.
    pub fn discarded_for_sender(&self, report: &Report, about: &About<'_>) -> Option<Notice> {
        self.to_sender(Kind::Discarded, report, about, "", &[])
    }

    /// To the sender of a held message that a reviewer let go: it was sent as it is.
    pub fn released_for_sender(&self, report: &Report, about: &About<'_>) -> Option<Notice> {
        self.to_sender(Kind::Released, report, about, "", &[])
    }

    /// To the sender of a held message that a reviewer let go to some of its recipients: who does not get it.
    pub fn released_in_part(&self, report: &Report, about: &About<'_>, withheld: &[Address]) -> Option<Notice> {
        self.to_sender(Kind::ReleasedInPart, report, about, "", withheld)
    }

    /// To the sender of a held message that a reviewer let go, to all but those withheld, while the school is closed: it leaves when the
    /// school opens.
    pub fn released_until_open(
        &self,
        report: &Report,
        about: &About<'_>,
        withheld: &[Address],
        opens: Timestamp,
    ) -> Option<Notice> {
        let sender = self.can_be_told(about).filter(|_| !report.automatic)?.clone();
        let kind = if withheld.is_empty() { Kind::Released } else { Kind::ReleasedInPart };
        let mut context = self.context(kind, report, about, "", withheld);
        context.leaves = words::time_in(opens, &self.zone);
        context.opening = true;
        if kind == Kind::Released {
            context.headline = words::RELEASED_UNTIL_OPEN.to_owned();
        }
        Some(self.compose(kind, &context, about, vec![sender]))
    }

    /// To the sender, who has answered a notice: what was done, or why nothing was, and what can be answered now.
    pub fn answered(&self, report: &Report, about: &About<'_>, title: &str, words: &str) -> Option<Notice> {
        let sender = self.can_be_told(about)?.clone();
        let mut context = self.context(Kind::Answered, report, about, "", &[]);
        context.headline = words::answered_headline(title);
        context.outcome = Outcome { title: title.to_owned(), words: words.to_owned() };
        // The notice that was answered has said it all.
        context.rules.clear();
        Some(self.compose(Kind::Answered, &context, about, vec![sender]))
    }

    /// To those who decide on a held message: the roles of `report.notify`, without the sender's own mailboxes and the recipients. Where
    /// that leaves nobody, the first of [`DECIDERS`] who is left. `due` is by when it is to be decided on. `None` where it leaves nobody at all.
    pub fn held_for_reviewer(&self, report: &Report, about: &About<'_>, due: Timestamp) -> Option<Notice> {
        let (_, to) = self.reviewers(report, about);
        if to.is_empty() {
            return None;
        }
        let mut context = self.context(Kind::Review, report, about, "", &[]);
        context.waiting = vec![Waiting {
            id: context.id.clone(),
            summary: words::sentence(
                context.pupils as u64,
                about.envelope.recipients.len() as u64,
                report.breach,
                context.rules.first().map(|rule| rule.id.as_str()),
            ),
            due: words::time_in(due, &self.zone),
            link: self.link(about.id),
        }];
        Some(self.compose(Kind::Review, &context, about, to))
    }

    fn to_sender(
        &self,
        kind: Kind,
        report: &Report,
        about: &About<'_>,
        note: &str,
        withheld: &[Address],
    ) -> Option<Notice> {
        let sender = self.can_be_told(about).filter(|_| !report.automatic)?.clone();
        let context = self.context(kind, report, about, note, withheld);
        Some(self.compose(kind, &context, about, vec![sender]))
    }

    /// The sender, unless that is nobody or ourselves.
    fn can_be_told<'a>(&self, about: &About<'a>) -> Option<&'a Address> {
        about.envelope.mail_from.as_ref().filter(|sender| !sender.is_same_mailbox(&self.from))
    }

    /// The roles that are told, and their mailboxes, each once. Who sent it is not told, nor who gets it, while anybody else
    /// could decide: nobody decides on mail from or to them.
    fn reviewers(&self, report: &Report, about: &About<'_>) -> (Vec<String>, Vec<Address>) {
        let sender: Vec<&Address> = about.envelope.mail_from.iter().chain(about.not_told).collect();
        let concerned: Vec<&Address> = sender.iter().copied().chain(&about.envelope.recipients).collect();
        let wanted = || report.notify.iter().map(String::as_str);
        let by = |own: &[&Address]| {
            let first = DECIDERS.iter().map(|&role| self.mailboxes_of(std::iter::once(role), own));
            std::iter::once(self.mailboxes_of(wanted(), own)).chain(first).find(|(_, mailboxes)| !mailboxes.is_empty())
        };
        by(&concerned).or_else(|| by(&sender)).unwrap_or_default()
    }

    fn mailboxes_of<'r>(&self, roles: impl Iterator<Item = &'r str>, own: &[&Address]) -> (Vec<String>, Vec<Address>) {
        let own = |mailbox: &Address| own.iter().any(|one| one.is_same_mailbox(mailbox));
        let (mut told, mut mailboxes) = (Vec::new(), Vec::<Address>::new());
        for role in roles {
            let before = mailboxes.len();
            for mailbox in self.roles.get(role).into_iter().flatten().filter(|mailbox| !own(mailbox)) {
                if !mailboxes.iter().any(|known| known.is_same_mailbox(mailbox)) {
                    mailboxes.push(mailbox.clone());
                }
            }
            if mailboxes.len() > before {
                told.push(role.to_owned());
            }
        }
        (told, mailboxes)
    }

    fn context(&self, kind: Kind, report: &Report, about: &About<'_>, note: &str, withheld: &[Address]) -> Context {
        let address = |address: &Address| clean::line(address.as_str(), limits::NOTICE_SUBJECT_CHARS);
        let some = |addresses: &[Address]| Recipients {
            shown: addresses.iter().take(limits::NOTICE_RECIPIENTS).map(address).collect(),
            more: addresses.len().saturating_sub(limits::NOTICE_RECIPIENTS),
        };
        let fired = || report.rules.iter().filter(|rule| rule.stops());
        let link = about.link.and_then(|way| way.link);
        // The rules that decided come first; the order of the pack stays within each action.
        let mut rules: Vec<_> = fired().collect();
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.action));
        Context {
            headline: words::headline(kind, rules.first().map(|rule| rule.id.as_str())),
            school: self.school.clone(),
            sender: about.envelope.mail_from.as_ref().map(address).unwrap_or_default(),
            sender_told: self.can_be_told(about).is_some(),
            // Reviewers get no subject: it may itself name a pupil.
            subject: match kind {
                Kind::Review => String::new(),
                _ => words::subject(report, about.subject),
            },
            recipients: some(&about.envelope.recipients),
            withheld: some(withheld),
            waiting: Vec::new(),
            more_waiting: 0,
            at: words::time_in(about.at, &self.zone),
            rules: rules
                .iter()
                .enumerate()
                .map(|(nth, rule)| Rule {
                    id: rule.id.clone(),
                    why: clean::line(&rule.why, limits::NOTICE_NOTE_CHARS),
                    remedy: match rules[..nth].iter().any(|earlier| earlier.remedy == rule.remedy) {
                        true => String::new(),
                        false => clean::line(&rule.remedy, limits::NOTICE_NOTE_CHARS),
                    },
                    remedy_label: words::remedy_label(kind, rule.action),
                    found: rule
                        .found
                        .iter()
                        .map(|found| clean::line(&view::in_words(found), limits::NOTICE_SUBJECT_CHARS))
                        .collect(),
                    clauses: rule.clauses.iter().map(|c| clean::line(c, limits::NOTICE_SUBJECT_CHARS)).collect(),
                })
                .collect(),
            pupils: report.pupils.len() + report.unlisted_pupils,
            breach: report.breach,
            reviewers: words::titles(&self.reviewers(report, about).0),
            link: match (kind, &self.desk, link) {
                (Kind::Returned | Kind::Held | Kind::Waits, Some(desk), Some(link)) => {
                    format!("{desk}/m/{}", link.token.reveal())
                }
                _ => String::new(),
            },
            link_until: link.map(|link| words::time_in(link.until, &self.zone)).unwrap_or_default(),
            leaves: String::new(),
            opening: false,
            answers: about.link.map(|way| way.answers.to_vec()).unwrap_or_default(),
            outcome: Outcome::default(),
            incident: AboutIncident::default(),
            note: clean::lines(note, limits::NOTICE_NOTE_CHARS),
            id: clean::line(&about.id.0, limits::NOTICE_SUBJECT_CHARS),
        }
    }

    fn compose(&self, kind: Kind, context: &Context, about: &About<'_>, to: Vec<Address>) -> Notice {
        let (text, html) = self.templates.render(kind, context);
        let content = compose::message(&compose::Parts {
            kind,
            from: &self.from,
            from_name: &format!("schoolgate at {}", self.school.name),
            to: &to,
            reply_to: about.link.filter(|way| !way.answers.is_empty()).and_then(|way| way.answer_to),
            subject: &context.headline,
            hostname: &self.hostname,
            id: &context.id,
            in_reply_to: about.message_id.filter(|id| clean::is_message_id(id)),
            at: about.now,
            text: &clean::wrap(&text, limits::NOTICE_LINE_CHARS),
            html: &html,
        });
        let mut envelope = Envelope::new(None, to);
        envelope.smtputf8 = envelope.recipients.iter().any(|address| !address.as_str().is_ascii());
        Notice { envelope, content }
    }
}

#[cfg(test)]
pub(crate) mod tests;

#[cfg(test)]
mod pack_tests;
