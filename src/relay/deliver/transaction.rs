//! One mail transaction with the smarthost: MAIL, RCPT, DATA, content, and what became of each recipient.
//!
//! With PIPELINING the envelope goes out in one write (RFC 2920). The first digit of a reply decides (RFC 5321 4.2.1),
//! but a refusal that is about us fails nobody ([`concern`]). What the smarthost does not offer and the message needs is refused here: content is never converted.

use std::fmt::Display;

use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter};

use super::concern::{self, Concern, Stage};
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
    /// The reply that says that the smarthost takes nothing from us now.
    pub trouble: Option<String>,
}

impl Done {
    /// Nothing was asked of the smarthost.
    fn unasked(outcomes: Vec<RecipientOutcome>) -> Self {
        Self { outcomes, reusable: true, stale: false, trouble: None }
    }
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

fn lost(why: &str) -> Outcome {
    Outcome::Deferred { reply: format!("the connection was lost: {why}") }
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
            return Done::unasked(for_all(Outcome::Failed { reply }));
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
        return Done::unasked(outcomes);
    }
    fault::point("before-send");
    let mut open = Open { accepted: vec![None; asked.len()], reusable: true, ..Open::default() };
    let end = open.run(connection, message, &asked, parameters, content).await;
    let (stale, trouble) = (!open.answered, open.trouble.take());
    outcomes.extend(asked.iter().zip(open.accepted).map(|(r, refused)| {
        let outcome = match (refused, &end) {
            (Some(refused), _) => refused,
            (None, Ok(outcome)) => outcome.clone(),
            // A connection may be closed on us for the very reason that MAIL was refused.
            (None, Err(Lost(why))) => open.refused.clone().unwrap_or_else(|| lost(why)),
        };
        RecipientOutcome { position: r.position, outcome }
    }));
    outcomes.sort_by_key(|o| o.position);
    Done { outcomes, reusable: open.reusable && end.is_ok() && trouble.is_none(), stale, trouble }
}

#[derive(Default)]
struct Open {
    /// The smarthost has said something in this transaction.
    answered: bool,
    /// For each recipient its refusal, where there was one.
    accepted: Vec<Option<Outcome>>,
    /// The message was refused as a whole, before any recipient.
    refused: Option<Outcome>,
    reusable: bool,
    trouble: Option<String>,
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
        if mail_reply.class() != 2 {
            let refused = self.refusal(Stage::Mail, &mail_reply);
            if !pipelining {
                return Ok(refused);
            }
            self.refused = Some(refused);
        }
        for (number, rcpt) in rcpts.enumerate() {
            let reply = if pipelining { connection.reply(wait).await? } else { connection.command(rcpt, wait).await? };
            self.note(&reply);
            // After a refused MAIL these refusals only follow from it.
            if reply.class() != 2 && self.refused.is_none() {
                self.accepted[number] = Some(self.refusal(Stage::Rcpt, &reply));
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
        if data.class() != 3 {
            self.reset(connection).await;
            return Ok(match self.refused.take() {
                Some(refused) => refused,
                None => self.refusal(Stage::Data, &data),
            });
        }
        if nobody || self.refused.is_some() {
            // RFC 2920 3.1: with no recipient the text is one lone dot.
            let reply = connection.command(".\r\n", limits::SMARTHOST_FINAL_DOT).await?;
            self.note(&reply);
            return Ok(self.refused.take().unwrap_or_else(|| lost("no recipient was accepted")));
        }
        match connection.content(content).await {
            Ok(reply) => {
                fault::point("after-smarthost-250");
                self.note(&reply);
                Ok(match reply.class() {
                    2 => Outcome::Delivered { reply: reply.to_string() },
                    _ => self.refusal(Stage::Dot, &reply),
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

    /// What a reply that is no success means for a recipient.
    fn refusal(&mut self, stage: Stage, reply: &Reply) -> Outcome {
        let text = reply.to_string();
        match (concern::of(stage, reply), reply.class()) {
            (Concern::Us, 4 | 5) => {
                self.trouble.get_or_insert_with(|| text.clone());
                Outcome::Deferred { reply: text }
            }
            (_, 5) => Outcome::Failed { reply: text },
            _ => Outcome::Deferred { reply: text },
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
