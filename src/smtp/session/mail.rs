//! MAIL, RCPT, DATA and content in the session's table (RFC 5321 3.3): one transaction, from its sender to the end of its content.

use std::collections::HashSet;

use super::{Action, Begun, CloseReason, Own, Phase, Session, Tls, out_of_order};
use crate::smtp::address::{Address, Envelope, Path};
use crate::smtp::command::{CommandError, Mail};
use crate::smtp::data::{DataReader, Progress, Refusal};
use crate::smtp::dsn::{OfRecipient, OriginalRecipient};
use crate::smtp::reply::{Code, Reply};

/// What MAIL and RCPT have said so far.
#[derive(Debug)]
pub(super) struct Transaction {
    envelope: Envelope,
    /// The recipients again, for finding one that is given twice.
    known: HashSet<Address>,
    /// Its one recipient is the gateway itself.
    own: bool,
}

impl Session {
    pub(super) fn mail(&mut self, mail: Mail, actions: &mut Vec<Action>) {
        let too_big = mail.size.is_some_and(|s| s > self.config.message_size as u64);
        if self.greeted.is_none() {
            self.refuse(&out_of_order("Say EHLO first"), actions);
        } else if self.transaction.is_some() {
            self.refuse(&out_of_order("A transaction is open already"), actions);
        } else if let Some(refusal) = self.first_wants(&mail) {
            self.refuse(&refusal, actions);
        } else if too_big {
            let text = format!("This server takes messages of up to {} octets", self.config.message_size);
            self.refuse(&Reply::new(Code::TooBig, (3, 4), text), actions);
        } else if let Some(refusal) = self.refusal.clone() {
            self.junk(refusal, actions);
        } else {
            let Mail { from, eight_bit, smtputf8, reports, size: _ } = mail;
            let envelope = Envelope { smtputf8, eight_bit, reports, ..Envelope::new(from, Vec::new()) };
            self.transaction = Some(Transaction { envelope, known: HashSet::new(), own: false });
            self.say(&Reply::new(Code::Ok, (1, 0), "Ok"));
        }
    }

    pub(super) fn rcpt(&mut self, path: Path, asked: OfRecipient, actions: &mut Vec<Action>) {
        let address = match path {
            Path::Mailbox(address) => Ok(address),
            _ => Address::parse(&format!("postmaster@{}", self.config.postmaster_domain)),
        };
        let Some(transaction) = &mut self.transaction else {
            return self.refuse(&out_of_order("Say MAIL first"), actions);
        };
        let address = match address {
            Ok(address) => address,
            Err(error) => return self.refuse(&CommandError::Recipient(error).reply(), actions),
        };
        let may_relay = self.config.may_relay || self.account.is_some();
        let own = match may_relay {
            true => self.config.own.look(transaction.envelope.mail_from.as_ref(), &address),
            false => Own::No,
        };
        let in_ascii = address.is_ascii() && asked.original.as_ref().is_none_or(OriginalRecipient::is_ascii);
        if !in_ascii && !transaction.envelope.smtputf8 {
            self.refuse(&CommandError::WantsUtf8.reply(), actions);
        } else if !may_relay {
            let text = "Relaying denied: this server takes mail from the school's own networks only";
            self.refuse(&Reply::new(Code::Refused, (7, 1), text), actions);
        } else if own == Own::Unknown {
            self.refuse(&Reply::new(Code::Refused, (1, 1), "There is no such mailbox here"), actions);
        } else if transaction.known.contains(&address) {
            self.overshoot(&Reply::new(Code::Ok, (1, 5), "Ok"), actions);
        } else if transaction.known.len() >= self.config.recipients {
            // No error of the client's: it sends the rest in a further transaction (RFC 5321 4.5.3.1.10).
            let text = "Too many recipients, send the rest separately";
            self.overshoot(&Reply::new(Code::NoRoom, (5, 3), text), actions);
        } else if !transaction.known.is_empty() && (transaction.own || own == Own::Yes) {
            // What is for us and what is for others are not one message: the client sends the rest by itself.
            let text = "An answer to a notice travels alone, send the rest separately";
            self.overshoot(&Reply::new(Code::NoRoom, (5, 3), text), actions);
        } else {
            transaction.own = own == Own::Yes;
            transaction.known.insert(address.clone());
            transaction.envelope.recipients.push(address);
            transaction.envelope.of_recipients.push(asked);
            self.say(&Reply::new(Code::Ok, (1, 5), "Ok"));
        }
    }

    pub(super) fn data(&mut self, actions: &mut Vec<Action>) {
        // Whatever its answer would be, what came behind DATA in the same group may be a message: to read it as commands
        // would be to obey the message (RFC 2920 3.1: DATA is the last command of its group).
        if !self.input.is_empty() {
            let reply = Reply::new(Code::Failed, (5, 0), "Content was sent before this server asked for it");
            return self.close(CloseReason::TooEarly, Some(reply), actions);
        }
        let (Some(transaction), Some(greeted)) = (&self.transaction, &self.greeted) else {
            return self.refuse(&out_of_order("Say MAIL first"), actions);
        };
        if transaction.envelope.recipients.is_empty() {
            return self.refuse(&out_of_order("No recipient has been accepted"), actions);
        }
        let begun = Begun {
            envelope: transaction.envelope.clone(),
            helo: greeted.name.clone(),
            esmtp: greeted.esmtp,
            encrypted: self.config.tls == Tls::On,
            account: self.account.clone(),
            forwarded: self.forwarded.take(),
        };
        actions.push(Action::Begin(Box::new(begun)));
        self.say(&Reply::bare(Code::StartContent, ["End the message with a dot on a line of its own"]));
        self.phase = Phase::Content(DataReader::new(self.config.message_size, self.config.line_ends));
    }

    pub(super) fn read_content(&mut self, actions: &mut Vec<Action>) -> bool {
        let Phase::Content(reader) = &mut self.phase else { return false };
        let mut content = Vec::with_capacity(self.input.len());
        let progress = reader.read(&self.input, &mut content);
        let facts = reader.facts();
        if !content.is_empty() {
            actions.push(Action::Content(content));
        }
        match progress {
            Progress::More => {
                self.input.clear();
                false
            }
            Progress::Overrun => {
                actions.push(Action::Discard);
                self.close(CloseReason::ContentTooLong, Some(refusal_reply(Refusal::TooBig)), actions);
                false
            }
            Progress::End(used) => {
                self.input.drain(..used);
                self.reset_transaction();
                match facts.refusal(self.config.message_size) {
                    Some(refusal) => {
                        actions.push(Action::Discard);
                        self.phase = Phase::Commands;
                        self.refuse(&refusal_reply(refusal), actions);
                        true
                    }
                    None => {
                        self.phase = Phase::Deciding;
                        actions.push(Action::Complete(facts));
                        false
                    }
                }
            }
        }
    }

    /// Forgets MAIL and RCPT. The one way in which a transaction ends.
    pub(super) fn reset_transaction(&mut self) {
        self.transaction = None;
        self.forwarded = None;
    }
}

fn refusal_reply(refusal: Refusal) -> Reply {
    let (code, enhanced) = match refusal {
        Refusal::BareLineEnd | Refusal::Nul | Refusal::HeaderTooLong | Refusal::StartsFolded => (Code::Failed, (6, 0)),
        Refusal::TooBig => (Code::TooBig, (3, 4)),
        Refusal::TooManyHops => (Code::Failed, (4, 6)),
    };
    Reply::new(code, enhanced, refusal.to_string())
}
