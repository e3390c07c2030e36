//! Answers to notices: a sender replies from their mail program, and what their page would do is done.
//!
//! Owns the addresses that notices are answered at, and what becomes of a message to one. An address is
//! `answer+MESSAGE-REFERENCE` at the gateway's own host name: a school's mail server takes mail to the school's domain for
//! its own, and sends mail to this name on to us. The reference is a keyed hash of message and sender
//! ([`Store::answer_reference`]); it stands nowhere but in the notice. Never knows how what is asked is carried out
//! ([`sender::carry_out`]).
//!
//! Invariants: an address that does not fit message and envelope sender is refused at RCPT, the same whatever is wrong with
//! it; what comes to one that fits is never sent on and never stored, and is answered 250 only when what it asks for is
//! durable; what a program wrote changes nothing and is answered by nothing; what asks for nothing possible is answered by
//! one letter in [`limits::ANSWER_LETTER_HOURS`].

mod words;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use self::words::Said;
use super::intake::notice_entry;
use super::log::{Event, event};
use super::malware::Scanner;
use super::notify::{About, Notifier, Way};
use super::sender::{self, Ask, Done, Means};
use crate::extract::Isolation;
use crate::inspect::{Ground, Report};
use crate::limits;
use crate::policy::Action;
use crate::smtp::{Address, Code, Own, OwnAddresses, Reply};
use crate::store::{NewEntry, OpenLink, QueueId, Store, StoreError};

pub use self::words::{is_automatic, offered};

/// What stands in front of the reference.
const MAILBOX: &str = "answer";

/// The addresses that notices are answered at.
#[derive(Clone)]
pub struct AnswerAddresses {
    store: Store,
    /// In lower case.
    hostname: String,
}

/// Takes answers.
#[derive(Debug)]
pub struct Answers {
    addresses: Arc<AnswerAddresses>,
    /// Places for reading answers.
    reading: Semaphore,
    /// Mail that its sender changed is inspected one at a time.
    inspections: Semaphore,
    remember_days: u32,
}

/// What answers are carried out with, as it is in force.
pub struct Tools {
    /// Rules and roster.
    pub ground: Arc<Ground>,
    /// Who writes to senders.
    pub notifier: Arc<Notifier>,
    /// Where attachments are read.
    pub isolation: Arc<dyn Isolation>,
    /// Who is asked for malware.
    pub scanner: Scanner,
}

/// Why nothing was done, in a letter.
struct Unheeded {
    words: String,
}

impl AnswerAddresses {
    /// Addresses at a gateway of this name.
    pub fn new(store: Store, hostname: &str) -> Self {
        Self { store, hostname: hostname.to_ascii_lowercase() }
    }

    /// Where this sender answers a notice about this message; `None` where the host name makes no address.
    pub fn of(&self, message: &QueueId, sender: &Address) -> Option<Address> {
        let reference = self.store.answer_reference(message, sender);
        Address::parse(&format!("{MAILBOX}+{message}-{reference}@{}", self.hostname)).ok()
    }

    /// The message that this sender answers at this address.
    pub fn message_of(&self, from: Option<&Address>, to: &Address) -> Option<QueueId> {
        let local = to.local().to_ascii_lowercase();
        let (id, _) = local.strip_prefix(MAILBOX)?.strip_prefix('+')?.split_once('-')?;
        let id = QueueId(id.to_owned());
        let right = self.of(&id, from?)?;
        let same = right.local().len() == local.len()
            && right.local().bytes().zip(local.bytes()).fold(0, |differs, (one, other)| differs | (one ^ other)) == 0;
        (same && to.domain() == self.hostname).then_some(id)
    }
}

impl std::fmt::Debug for AnswerAddresses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerAddresses").field("hostname", &self.hostname).finish_non_exhaustive()
    }
}

impl OwnAddresses for AnswerAddresses {
    fn look(&self, from: Option<&Address>, to: &Address) -> Own {
        let local = to.local().to_ascii_lowercase();
        let ours = to.domain() == self.hostname
            && local.strip_prefix(MAILBOX).is_some_and(|rest| rest.is_empty() || rest.starts_with('+'));
        match ours {
            false => Own::No,
            true if self.message_of(from, to).is_some() => Own::Yes,
            true => Own::Unknown,
        }
    }
}

impl Answers {
    /// Takes answers at these addresses. What is confirmed is remembered for so many days.
    pub fn new(addresses: AnswerAddresses, remember_days: u32) -> Self {
        Self {
            addresses: Arc::new(addresses),
            reading: Semaphore::new(limits::ANSWERS_AT_ONCE),
            inspections: Semaphore::new(1),
            remember_days,
        }
    }

    /// Where they are answered.
    pub fn addresses(&self) -> &Arc<AnswerAddresses> {
        &self.addresses
    }

    /// Does what the answer `raw`, taken in as `id`, asks for the message, and says so to the client.
    pub async fn take(&self, id: &QueueId, message: &QueueId, raw: Arc<[u8]>, tools: Tools) -> Reply {
        let wait = Duration::from_secs(limits::INSPECT_QUEUE_SECONDS);
        let Ok(Ok(_place)) = tokio::time::timeout(wait, self.reading.acquire()).await else { return Reply::busy() };
        // What makes a parser panic is no word.
        let said = tokio::task::spawn_blocking(move || words::read(&raw)).await.unwrap_or(Said::Else);
        let what = match &said {
            Said::Automatic => "written by a program",
            Said::Word(ask, _) => ask.title(),
            Said::Else => "not understood",
        };
        match self.obey(message, said, &tools).await {
            Ok(reply) => {
                event!(Event::Answered, id = %id, about = %message, what, code = reply.code().number());
                reply
            }
            Err(StoreError::Full) => Reply::no_room(),
            Err(error) => {
                event!(Event::Trouble, id = %id, what = "an answer could not be carried out", reason = %error);
                Reply::try_again("The answer could not be carried out, try again later")
            }
        }
    }

    async fn obey(&self, message: &QueueId, said: Said, tools: &Tools) -> Result<Reply, StoreError> {
        let store = &self.addresses.store;
        if said == Said::Automatic {
            store.note_answer(message, None).await?;
            return Ok(Reply::new(Code::Ok, (0, 0), "Ok, nothing was done: a program wrote this"));
        }
        let Some(link) = store.link_of(message).await? else { return Ok(gone()) };
        let report = store.show(message).await?.report;
        let now = store.clock().now();
        let possible = Ask::of_link(&link, sender::possible(&tools.ground, report.as_ref()), now);
        // Where only both together help, YES says both.
        let said = match said {
            Said::Word(Ask::Confirm, words) if possible.contains(&Ask::MarkConfirm) => {
                Said::Word(Ask::MarkConfirm, words)
            }
            // What waits for the school to open goes where a word of why is given.
            Said::Word(Ask::SendNow, words) if possible.contains(&Ask::Urgent) && words != words::NO_REASON => {
                Said::Word(Ask::Urgent, words)
            }
            said => said,
        };
        let unheeded = match said {
            Said::Word(ask, words) if possible.contains(&ask) => {
                let letter = self.letter(&link, report.as_ref(), tools, &[], ask.title(), ask.done()).await?;
                let means = Means {
                    store,
                    ground: Arc::clone(&tools.ground),
                    notifier: &tools.notifier,
                    isolation: Arc::clone(&tools.isolation),
                    scanner: &tools.scanner,
                    one: &self.inspections,
                    remember_days: self.remember_days,
                };
                match sender::carry_out(&means, &link, ask, words, letter).await {
                    Ok(Done::Yes) => return Ok(Reply::new(Code::Ok, (0, 0), format!("Ok: {}", ask.title()))),
                    Ok(Done::Gone) => return Ok(gone()),
                    Ok(Done::Late) => return Ok(Reply::busy()),
                    Ok(Done::Stopped(report)) => Unheeded::stopped(&report),
                    Err(StoreError::Refused(_)) => Unheeded::impossible(),
                    Err(error) => return Err(error),
                }
            }
            Said::Word(..) => Unheeded::impossible(),
            Said::Else | Said::Automatic => Unheeded::no_word(),
        };
        let letter =
            self.letter(&link, report.as_ref(), tools, &possible, "Nothing was changed", &unheeded.words).await?;
        store.note_answer(message, letter).await?;
        Ok(Reply::new(Code::Ok, (0, 0), "Ok, nothing was changed"))
    }

    /// The letter back, with what is possible now.
    async fn letter(
        &self,
        link: &OpenLink,
        report: Option<&Report>,
        tools: &Tools,
        possible: &[Ask],
        title: &str,
        words: &str,
    ) -> Result<Option<NewEntry>, StoreError> {
        let store = &self.addresses.store;
        let none = Report::of(Action::Hold);
        let report = report.unwrap_or(&none);
        let answer_to = link.envelope.mail_from.as_ref().and_then(|sender| self.addresses.of(&link.message, sender));
        let about = About {
            envelope: &link.envelope,
            subject: &report.subject,
            message_id: report.message_id.as_deref(),
            id: &link.message,
            at: store.show(&link.message).await?.summary.at,
            now: store.clock().now(),
            not_told: &[],
            link: Some(Way { link: None, answer_to: answer_to.as_ref(), answers: &offered(possible) }),
        };
        let notice = tools.notifier.answered(report, &about, title, words);
        Ok(notice.map(|notice| notice_entry(notice, &link.message, about.now)))
    }
}

impl Unheeded {
    fn no_word() -> Self {
        let words =
            "Your answer begins with none of the words that are understood here. Nobody has received your message.";
        Self { words: words.to_owned() }
    }

    fn impossible() -> Self {
        Self { words: "What you answered is not possible with this message. Nobody has received it.".to_owned() }
    }

    fn stopped(report: &Report) -> Self {
        let why = report.rules.iter().filter(|rule| rule.stops()).map(|rule| rule.why.as_str());
        let words =
            Vec::from_iter(std::iter::once("Your message was not sent: something else still stops it.").chain(why));
        Self { words: words.join(" ") }
    }
}

/// To an answer about a message that was decided on, or is kept no longer.
fn gone() -> Reply {
    let text = "Nothing was done: the message was sent, cancelled or decided on, or is kept no longer";
    Reply::new(Code::Refused, (7, 0), text)
}
