//! One mail transaction with the smarthost: MAIL, RCPT, DATA, content, and what became of each recipient.
//!
//! With PIPELINING the envelope goes out in one write (RFC 2920). Only the first digit of a reply decides (RFC 5321
//! 4.2.1). What the smarthost does not offer and the message needs is refused here: content is never converted.

use std::fmt::Display;

use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter};

use super::connection::{Connection, Lost, Offers};
use super::reply::Reply;
use crate::limits;
use crate::smtp::Address;
use crate::store::{DueRecipient, Leased, Outcome, RecipientOutcome, fault};

/// What became of a transaction.
pub(super) struct Done {
    /// One for each recipient that was asked for.
    pub outcomes: Vec<RecipientOutcome>,
    /// The connection may take another.
    pub reusable: bool,
    /// Nothing was answered at all: the connection had died before.
    pub stale: bool,
}

/// Several commands in one write.
struct Group(Vec<String>);

impl Display for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|command| f.write_str(command))
    }
}

fn address(address: &Address) -> lettre::Address {
    let text = address.as_str();
    lettre::Address::new_dangerous(address.local(), &text[(address.local().len() + 1).min(text.len())..])
}

/// The header block: what stands before the first empty line.
pub(in crate::relay) fn header_of(content: &[u8]) -> &[u8] {
    let end = memchr::memmem::find(content, b"\r\n\r\n").map_or(content.len(), |at| at + 2);
    &content[..end]
}

/// What MAIL says of the message, or why the smarthost cannot take it.
fn parameters(message: &Leased, content: &[u8], offers: &Offers) -> Result<Vec<MailParameter>, String> {
    let mut parameters = Vec::new();
    if let Some(Some(limit)) = offers.size
        && content.len() > limit
    {
        return Err(format!("552 5.3.4 the message is larger than the {limit} octets that the smarthost takes"));
    }
    if offers.size.is_some() {
        parameters.push(MailParameter::Size(content.len()));
    }
    if !content.is_ascii() {
        if !offers.eight_bit {
            return Err("554 5.6.3 the message holds 8-bit text and the smarthost does not offer 8BITMIME".to_owned());
        }
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let sender = message.mail_from.as_ref().is_some_and(|a| !a.as_str().is_ascii());
    let header = message.smtputf8 && !header_of(content).is_ascii();
    if (sender || header) && !offers.smtputf8 {
        return Err("553 5.6.7 the message needs SMTPUTF8 and the smarthost does not offer it".to_owned());
    }
    let recipients = message.recipients.iter().any(|r| !r.address.as_str().is_ascii());
    if (sender || header || recipients) && offers.smtputf8 {
        parameters.push(MailParameter::SmtpUtfEight);
    }
    Ok(parameters)
}

/// What a reply that is no success means for a recipient.
fn refusal(reply: &Reply) -> Outcome {
    match reply.class() {
        5 => Outcome::Failed { reply: reply.to_string() },
        _ => Outcome::Deferred { reply: reply.to_string() },
    }
}

/// Sends the message to these recipients.
pub(super) async fn send(
    connection: &mut Connection,
    message: &Leased,
    recipients: &[DueRecipient],
    content: &[u8],
) -> Done {
    let for_all = |outcome: Outcome| {
        recipients.iter().map(|r| RecipientOutcome { position: r.position, outcome: outcome.clone() }).collect()
    };
    let parameters = match parameters(message, content, &connection.offers) {
        Ok(parameters) => parameters,
        Err(reply) => {
            return Done { outcomes: for_all(Outcome::Failed { reply }), reusable: true, stale: false };
        }
    };
    let utf8 = connection.offers.smtputf8;
    let (asked, unsaid): (Vec<_>, Vec<_>) = recipients.iter().partition(|r| utf8 || r.address.as_str().is_ascii());
    let reply = "553 5.6.7 the address needs SMTPUTF8 and the smarthost does not offer it";
    let mut outcomes: Vec<_> = unsaid
        .iter()
        .map(|r| RecipientOutcome { position: r.position, outcome: Outcome::Failed { reply: reply.to_owned() } })
        .collect();
    if asked.is_empty() {
        return Done { outcomes, reusable: true, stale: false };
    }
    fault::point("before-send");
    let mut open = Open { answered: false, accepted: vec![None; asked.len()], reusable: true };
    let end = open.run(connection, message, &asked, parameters, content).await;
    let stale = !open.answered;
    outcomes.extend(asked.iter().zip(open.accepted).map(|(r, refused)| {
        let outcome = match (refused, &end) {
            (Some(refused), _) => refused,
            (None, Ok(outcome)) => outcome.clone(),
            (None, Err(Lost(why))) => Outcome::Deferred { reply: format!("the connection was lost: {why}") },
        };
        RecipientOutcome { position: r.position, outcome }
    }));
    outcomes.sort_by_key(|o| o.position);
    Done { outcomes, reusable: open.reusable && end.is_ok(), stale }
}

struct Open {
    /// The smarthost has said something in this transaction.
    answered: bool,
    /// For each recipient its refusal, where there was one.
    accepted: Vec<Option<Outcome>>,
    reusable: bool,
}

impl Open {
    /// Gives what became of the recipients that were not refused by themselves.
    async fn run(
        &mut self,
        connection: &mut Connection,
        message: &Leased,
        recipients: &[&DueRecipient],
        parameters: Vec<MailParameter>,
        content: &[u8],
    ) -> Result<Outcome, Lost> {
        let wait = limits::SMARTHOST_COMMAND;
        let mail = Mail::new(message.mail_from.as_ref().map(address), parameters).to_string();
        let rcpts = recipients.iter().map(|r| Rcpt::new(address(&r.address), Vec::new()).to_string());
        let pipelining = connection.offers.pipelining;
        let mail_reply = if pipelining {
            let group: Vec<String> = std::iter::once(mail).chain(rcpts.clone()).chain([Data.to_string()]).collect();
            connection.command(Group(group), wait).await?
        } else {
            connection.command(mail, wait).await?
        };
        self.note(&mail_reply);
        if mail_reply.class() != 2 && !pipelining {
            return Ok(refusal(&mail_reply));
        }
        for (rcpt, accepted) in rcpts.zip(&mut self.accepted) {
            let reply = if pipelining { connection.reply(wait).await? } else { connection.command(rcpt, wait).await? };
            if reply.code == 421 {
                self.reusable = false;
            }
            if reply.class() != 2 {
                *accepted = Some(refusal(&reply));
            }
        }
        let nobody = self.accepted.iter().all(Option::is_some);
        if nobody && !pipelining {
            self.reset(connection).await;
            return Ok(Outcome::Deferred { reply: "no recipient was accepted".to_owned() });
        }
        let wait = limits::SMARTHOST_DATA;
        let data = if pipelining { connection.reply(wait).await? } else { connection.command(Data, wait).await? };
        self.note(&data);
        if mail_reply.class() != 2 {
            // Refused as a whole; the refusals of RCPT and DATA only follow from it.
            self.accepted.iter_mut().for_each(|refused| *refused = None);
        }
        if data.class() != 3 {
            self.reset(connection).await;
            let verdict = if mail_reply.class() == 2 { &data } else { &mail_reply };
            return Ok(refusal(verdict));
        }
        if nobody || mail_reply.class() != 2 {
            // RFC 2920 3.1: with no recipient the text is one lone dot.
            let reply = connection.command(".\r\n", limits::SMARTHOST_FINAL_DOT).await?;
            self.note(&reply);
            return Ok(refusal(&mail_reply));
        }
        match connection.content(content).await {
            Ok(reply) => {
                fault::point("after-smarthost-250");
                self.note(&reply);
                Ok(match reply.class() {
                    2 => Outcome::Delivered { reply: reply.to_string() },
                    _ => refusal(&reply),
                })
            }
            Err((Lost(why), after_dot)) => {
                self.reusable = false;
                if after_dot {
                    return Ok(Outcome::Unknown);
                }
                Err(Lost(why))
            }
        }
    }

    fn note(&mut self, reply: &Reply) {
        self.answered = true;
        self.reusable &= reply.code != 421;
    }

    /// Clears a transaction that the smarthost may hold open.
    async fn reset(&mut self, connection: &mut Connection) {
        if self.reusable {
            let reply = connection.command("RSET\r\n", limits::SMARTHOST_COMMAND).await;
            self.reusable = reply.is_ok_and(|reply| reply.class() == 2);
        }
    }
}
