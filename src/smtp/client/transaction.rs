//! One mail transaction: MAIL, RCPT, DATA, content, and what becomes of each recipient.
//!
//! With PIPELINING the envelope goes out in one write (RFC 2920). The first digit of an answer decides (RFC 5321 4.2.1),
//! but a refusal that is about us fails nobody ([`concern`]). What the server does not offer and the message needs is
//! refused here: content is never converted.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use super::Step;
use super::concern::{self, Concern, Stage};
use super::offers::Offers;
use crate::smtp::answer::Answer;
use crate::smtp::dsn::{EnvelopeId, OfMessage, OfRecipient, OriginalRecipient};
use crate::smtp::{Address, dot_stuff, end_of_data};

/// What is to be sent, and to whom.
#[derive(Debug, Clone)]
pub struct Mail {
    /// `None` is the null sender.
    pub from: Option<Address>,
    /// Of one transaction.
    pub recipients: Vec<Address>,
    /// The message, not stuffed.
    pub content: Body,
    /// It was given to us with SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// What its sender asks of reports; said to a server that offers DSN, as it was given (RFC 3461 5.2.1).
    pub reports: OfMessage,
    /// The same about the recipients, in their order; about those behind its end, nothing.
    pub asked: Vec<OfRecipient>,
}

/// The content of a message. Debug does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(pub Arc<[u8]>);

impl Body {
    /// As it goes on the wire, dots stuffed, and what ends it there. Only once all of the first is written may the
    /// second follow, after [`super::Client::dot_leaves`].
    pub fn on_the_wire(&self) -> (Cow<'_, [u8]>, &'static [u8]) {
        let stuffed = dot_stuff(&self.0);
        let end = end_of_data(&stuffed);
        (stuffed, end)
    }

    /// The header block: what stands before the first empty line.
    pub fn header(&self) -> &[u8] {
        header_of(&self.0)
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body of {} octets", self.0.len())
    }
}

/// The header block: what stands before the first empty line.
pub fn header_of(content: &[u8]) -> &[u8] {
    let end = memchr::memmem::find(content, b"\r\n\r\n").map_or(content.len(), |at| at + 2);
    &content[..end]
}

/// What became of a recipient; with it the server's answer, or what is said in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The server has it.
    Delivered(String),
    /// Not now.
    Deferred(String),
    /// Never.
    Failed(String),
    /// Nobody knows: the connection was lost after the final dot (RFC 1047).
    Unknown,
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// One for each recipient, in their order.
    pub fates: Vec<Fate>,
    /// The server was told what is asked of reports, and reports from here on.
    pub reports: bool,
    /// The connection may take another.
    pub reusable: bool,
    /// Nothing was answered at all: the connection had died before.
    pub stale: bool,
    /// The answer that says that the server takes nothing from us now.
    pub trouble: Option<String>,
}

impl Done {
    /// Nothing was sent to any of so many recipients, and nothing can be.
    pub fn given_up(recipients: usize) -> Self {
        let fates = vec![lost("it was given up"); recipients];
        Self { fates, reports: false, reusable: false, stale: false, trouble: None }
    }
}

/// What comes next in a transaction.
pub(super) enum Next {
    /// More answers.
    Wait,
    /// These commands in one write, with the steps that they will be answers to.
    Say(String, Vec<Step>),
    /// The content.
    Content,
    /// Nothing: it is over.
    End,
}

#[derive(Debug)]
pub(super) struct Transaction {
    mail: Mail,
    pipelining: bool,
    /// DSN is offered.
    dsn: bool,
    parameters: String,
    /// Places of the recipients that are asked for.
    asked: Vec<usize>,
    /// What is known of each recipient by itself.
    fates: Vec<Option<Fate>>,
    /// What becomes of the others.
    end: Option<Fate>,
    /// The message was refused as a whole, before any recipient.
    refused: Option<Fate>,
    /// The server has said something in this transaction.
    answered: bool,
    reusable: bool,
    trouble: Option<String>,
    /// The final dot may be on its way: from now on only an answer tells.
    dot_left: bool,
}

fn lost(why: &str) -> Fate {
    Fate::Deferred(format!("the connection was lost: {why}"))
}

/// What MAIL says of the message, or why the server cannot take it.
fn parameters(mail: &Mail, offers: &Offers) -> Result<String, String> {
    let mut parameters = String::new();
    let content = &mail.content.0;
    if let Some(limit) = offers.size {
        if let Some(limit) = limit.filter(|&limit| content.len() > limit) {
            return Err(format!("552 5.3.4 the message is larger than the {limit} octets that the smarthost takes"));
        }
        let _ = write!(parameters, " SIZE={}", content.len());
    }
    if !content.is_ascii() {
        if !offers.eight_bit {
            return Err("554 5.6.3 the message holds 8-bit text and the smarthost does not offer 8BITMIME".to_owned());
        }
        parameters.push_str(" BODY=8BITMIME");
    }
    let sender = mail.from.as_ref().is_some_and(|a| !a.is_ascii());
    let header = mail.smtputf8 && !mail.content.header().is_ascii();
    if (sender || header) && !offers.smtputf8 {
        return Err("553 5.6.7 the message needs SMTPUTF8 and the smarthost does not offer it".to_owned());
    }
    let recipients = mail.recipients.iter().any(|a| !a.is_ascii());
    if (sender || header || recipients) && offers.smtputf8 {
        parameters.push_str(" SMTPUTF8");
    }
    if offers.dsn {
        let OfMessage { ret, id } = &mail.reports;
        if let Some(ret) = ret {
            let _ = write!(parameters, " RET={}", ret.as_str());
        }
        if let Some(id) = id.as_ref().map(EnvelopeId::as_str) {
            let _ = write!(parameters, " ENVID={id}");
        }
    }
    Ok(parameters)
}

impl Transaction {
    /// Begins one under these offers.
    pub fn begin(mail: Mail, offers: &Offers) -> (Self, Next) {
        let mut new = Self {
            pipelining: offers.pipelining,
            dsn: offers.dsn,
            parameters: String::new(),
            asked: Vec::new(),
            fates: vec![None; mail.recipients.len()],
            end: None,
            refused: None,
            answered: false,
            reusable: true,
            trouble: None,
            dot_left: false,
            mail,
        };
        match parameters(&new.mail, offers) {
            Ok(parameters) => new.parameters = parameters,
            Err(reply) => return new.unasked(&reply),
        }
        let sayable = |a: &Address| offers.smtputf8 || a.is_ascii();
        new.asked = (0..new.fates.len()).filter(|&place| sayable(&new.mail.recipients[place])).collect();
        let unsayable = "553 5.6.7 the address needs SMTPUTF8 and the smarthost does not offer it";
        if new.asked.is_empty() {
            return new.unasked(unsayable);
        }
        for (fate, recipient) in new.fates.iter_mut().zip(&new.mail.recipients) {
            *fate = (!sayable(recipient)).then(|| Fate::Failed(unsayable.to_owned()));
        }
        let next = if new.pipelining { new.envelope() } else { Next::Say(new.mail_from(), vec![Step::Mail]) };
        (new, next)
    }

    /// Nothing is asked of the server.
    fn unasked(mut self, reply: &str) -> (Self, Next) {
        self.answered = true;
        self.end = Some(Fate::Failed(reply.to_owned()));
        (self, Next::End)
    }

    fn mail_from(&self) -> String {
        let from = self.mail.from.as_ref().map_or("", Address::as_str);
        format!("MAIL FROM:<{from}>{}\r\n", self.parameters)
    }

    fn rcpt_to(&self, place: usize) -> String {
        let mut parameters = String::new();
        if let Some(OfRecipient { notify, original }) = self.mail.asked.get(place).filter(|_| self.dsn) {
            if let Some(notify) = notify {
                let _ = write!(parameters, " NOTIFY={notify}");
            }
            if let Some(original) = original.as_ref().and_then(OriginalRecipient::in_ascii) {
                let _ = write!(parameters, " ORCPT={original}");
            }
        }
        format!("RCPT TO:<{}>{parameters}\r\n", self.mail.recipients[place])
    }

    /// All of it in one write.
    fn envelope(&self) -> Next {
        let rcpts: String = self.asked.iter().map(|&place| self.rcpt_to(place)).collect();
        let steps = self.asked.iter().map(|&place| Step::Rcpt(place));
        let steps = std::iter::once(Step::Mail).chain(steps).chain([Step::Data]).collect();
        Next::Say(format!("{}{rcpts}DATA\r\n", self.mail_from()), steps)
    }

    /// Without PIPELINING: the command that follows the one to this place, or to the sender.
    fn after(&mut self, place: Option<usize>) -> Next {
        let next = self.asked.iter().copied().find(|&next| place.is_none_or(|place| next > place));
        match next {
            Some(next) => Next::Say(self.rcpt_to(next), vec![Step::Rcpt(next)]),
            None if self.is_for_nobody() => self.reset(Fate::Deferred("no recipient was accepted".to_owned())),
            None => Next::Say("DATA\r\n".to_owned(), vec![Step::Data]),
        }
    }

    fn is_for_nobody(&self) -> bool {
        self.fates.iter().all(Option::is_some)
    }

    /// Takes the answer to a step.
    pub fn heard(&mut self, step: Step, answer: &Answer) -> Next {
        self.answered = true;
        self.reusable &= answer.code != 421;
        let class = answer.class();
        match step {
            Step::Mail => {
                if class != 2 {
                    let refused = self.refusal(Stage::Mail, answer);
                    if !self.pipelining {
                        return self.end(refused);
                    }
                    self.refused = Some(refused);
                }
                if self.pipelining { Next::Wait } else { self.after(None) }
            }
            Step::Rcpt(place) => {
                // After a refused MAIL these refusals only follow from it.
                if class != 2 && self.refused.is_none() {
                    self.fates[place] = Some(self.refusal(Stage::Rcpt, answer));
                }
                if self.pipelining { Next::Wait } else { self.after(Some(place)) }
            }
            Step::Data if class != 3 => {
                let fate = self.refused.take().unwrap_or_else(|| self.refusal(Stage::Data, answer));
                self.reset(fate)
            }
            // RFC 2920 3.1: with no recipient the text is one lone dot.
            Step::Data if self.refused.is_some() || self.is_for_nobody() => {
                Next::Say(".\r\n".to_owned(), vec![Step::LoneDot])
            }
            Step::Data => Next::Content,
            Step::LoneDot => {
                let fate = self.refused.take().unwrap_or_else(|| lost("no recipient was accepted"));
                self.end(fate)
            }
            Step::Dot => {
                let fate = match class {
                    2 => Fate::Delivered(answer.to_string()),
                    _ => self.refusal(Stage::Dot, answer),
                };
                self.end(fate)
            }
            Step::Reset => {
                self.reusable &= class == 2;
                Next::End
            }
            _ => Next::Wait,
        }
    }

    /// What is to be sent.
    pub fn body(&self) -> Body {
        self.mail.content.clone()
    }

    /// The final dot is about to be written.
    pub fn dot_leaves(&mut self) {
        self.dot_left = true;
    }

    /// No more answers will come.
    pub fn lost(&mut self, why: &str) {
        self.reusable = false;
        if self.end.is_none() {
            // A connection may be closed on us for the very reason that MAIL was refused.
            let fate = if self.dot_left { Fate::Unknown } else { self.refused.take().unwrap_or_else(|| lost(why)) };
            self.end = Some(fate);
        }
    }

    /// What became of it, once it is over.
    pub fn done(self) -> Done {
        let end = self.end.unwrap_or_else(|| lost("it was given up"));
        Done {
            fates: self.fates.into_iter().map(|fate| fate.unwrap_or_else(|| end.clone())).collect(),
            reports: self.dsn,
            reusable: self.reusable && self.trouble.is_none(),
            stale: !self.answered,
            trouble: self.trouble,
        }
    }

    fn end(&mut self, fate: Fate) -> Next {
        self.end = Some(fate);
        Next::End
    }

    /// Ends it, and clears what the server may hold open.
    fn reset(&mut self, fate: Fate) -> Next {
        self.end = Some(fate);
        if self.reusable { Next::Say("RSET\r\n".to_owned(), vec![Step::Reset]) } else { Next::End }
    }

    /// What an answer that is no success means for a recipient.
    fn refusal(&mut self, stage: Stage, answer: &Answer) -> Fate {
        let text = answer.to_string();
        match (concern::of(stage, answer), answer.class()) {
            (Concern::Us, 4 | 5) => {
                self.trouble.get_or_insert_with(|| text.clone());
                Fate::Deferred(text)
            }
            (_, 5) => Fate::Failed(text),
            _ => Fate::Deferred(text),
        }
    }
}
