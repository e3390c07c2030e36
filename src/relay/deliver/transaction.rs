//! A message of the queue, sent over a connection: what became of each recipient, by its place in the envelope.

use std::sync::Arc;

use super::connection::Connection;
use crate::smtp::client::{Body, Fate, Mail};
use crate::store::{DueRecipient, Leased, Outcome, RecipientOutcome, fault};

/// What became of a transaction.
pub(super) struct Sent {
    /// One for each recipient that was asked for.
    pub outcomes: Vec<RecipientOutcome>,
    /// Those that were taken by a server that reports nothing further about them, by their places.
    pub relayed: Vec<u32>,
    /// The connection may take another.
    pub reusable: bool,
    /// Nothing was answered at all: the connection had died before.
    pub stale: bool,
    /// Content was sent: it may count as a message there.
    pub counts: bool,
    /// The answer that says that the smarthost takes nothing from us now.
    pub trouble: Option<String>,
}

/// Sends the message to these recipients.
pub(super) async fn send(
    connection: &mut Connection,
    message: &Leased,
    recipients: &[DueRecipient],
    content: &Arc<[u8]>,
) -> Sent {
    fault::point("before-send");
    let mail = Mail {
        from: message.mail_from.clone(),
        recipients: recipients.iter().map(|r| r.address.clone()).collect(),
        content: Body(Arc::clone(content)),
        smtputf8: message.smtputf8,
        reports: message.reports.clone(),
        asked: recipients.iter().map(|r| r.asked.clone()).collect(),
    };
    let before = connection.mails;
    let done = connection.send(mail).await;
    let counts = connection.mails > before;
    let outcomes = recipients.iter().zip(done.fates).map(|(recipient, fate)| {
        let outcome = match fate {
            Fate::Delivered(reply) => Outcome::Delivered { reply },
            Fate::Deferred(reply) => Outcome::Deferred { reply },
            Fate::Failed(reply) => Outcome::Failed { reply },
            Fate::Unknown => Outcome::Unknown,
        };
        RecipientOutcome { position: recipient.position, outcome }
    });
    let outcomes: Vec<_> = outcomes.collect();
    let taken = outcomes.iter().filter(|o| !done.reports && matches!(o.outcome, Outcome::Delivered { .. }));
    let relayed = taken.map(|o| o.position).collect();
    Sent { outcomes, relayed, reusable: done.reusable, stale: done.stale, counts, trouble: done.trouble }
}
