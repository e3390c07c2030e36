//! What holds for clients that have signed in: who they are by the store's word, as whom they may write, and what is added to
//! a message that came without Date or Message-ID (RFC 6409 8).
//!
//! Never knows the protocol. Invariants: nobody signs in whom the store did not name; an account sends as own mailboxes of the
//! school alone, also where it was made for others before; every address of From and Sender is one that the account may send
//! as, before anything is kept of the message; nothing of a message that came otherwise is touched. Neither a password nor a
//! name that is no account's gets into the log.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::super::listen::Submission;
use super::super::log::{Event, event};
use super::sha256;
use crate::message::{self, Message};
use crate::smtp::{Account, Address, Code, Credentials, NotSignedIn, Reply, Sender};
use crate::store::{Store, StoreError};

/// Asks the store.
pub(super) async fn sign_in(
    store: &Store,
    domains: &[String],
    credentials: &Credentials,
    client: IpAddr,
) -> Result<Account, NotSignedIn> {
    match asked(store, credentials, client).await {
        Ok(Ok(mut account)) => {
            account.senders.retain(|sender| is_own(domains, sender));
            Ok(account)
        }
        Ok(Err(why)) => Err(why),
        Err(error) => {
            event!(Event::Trouble, what = "accounts cannot be asked", reason = %error);
            Err(NotSignedIn::Unavailable)
        }
    }
}

async fn asked(
    store: &Store,
    credentials: &Credentials,
    client: IpAddr,
) -> Result<Result<Account, NotSignedIn>, StoreError> {
    let outcome = store.sign_in_to_send(&credentials.name, &credentials.password, client).await?;
    if let Err(why) = outcome {
        let reason = if why == NotSignedIn::Throttled { "throttled" } else { "wrong" };
        if store.has_submission(&credentials.name).await? {
            let account = credentials.name.trim().to_lowercase();
            event!(Event::SignInFailed, client = %client, account, reason);
        } else {
            event!(Event::SignInFailed, client = %client, reason);
        }
    }
    Ok(outcome)
}

fn is_own(domains: &[String], sender: &Sender) -> bool {
    let domain = match sender {
        Sender::Mailbox(address) => address.domain(),
        Sender::Domain(domain) => domain.clone(),
    };
    domains.iter().any(|own| own.eq_ignore_ascii_case(&domain))
}

/// The message as it is taken in: as it came, or, of a client that has signed in, with what it lacked.
///
/// # Errors
/// The refusal, where the account may not send as whom the message says it is from.
pub(super) async fn completed(submission: Submission) -> Result<Submission, Reply> {
    if submission.account.is_none() {
        return Ok(submission);
    }
    // Beside the runtime: a header may be long. A panic is no answer, and the client keeps its message.
    let done = tokio::task::spawn_blocking(move || complete(submission)).await;
    done.unwrap_or_else(|_| Err(Reply::try_again("The message could not be processed, please try again later")))
}

fn complete(mut submission: Submission) -> Result<Submission, Reply> {
    let Some(account) = &submission.account else { return Ok(submission) };
    let head = message::read_head(&submission.content);
    let Some(from) = sender_of(&head, account) else {
        event!(Event::Refused, id = %submission.id, client = %submission.client, account = account.name, reason = "from");
        return Err(not_as_this());
    };
    let mut lacking = String::new();
    if head.header("Date").is_none() {
        let date = jiff::fmt::rfc2822::to_string(&submission.at.to_zoned(TimeZone::UTC));
        let date = date.map_err(|_| Reply::try_again("Local error"))?;
        lacking += &format!("Date: {date}\r\n");
    }
    if head.header("Message-ID").is_none() {
        lacking += &format!("Message-ID: <{}@{}>\r\n", submission.id, from.domain());
    }
    if !lacking.is_empty() {
        // Below our own line, which is the first of all.
        let at = head.headers.first().filter(|first| first.is("Received")).map_or(0, |first| first.span.end);
        let (ours, rest) = submission.content.split_at(at);
        let content: Arc<[u8]> = [ours, lacking.as_bytes(), rest].concat().into();
        submission.sha256 = sha256(&content);
        submission.content = content;
    }
    Ok(submission)
}

/// The first mailbox of From, where the account may send as every one of From and of Sender.
fn sender_of(head: &Message<'_>, account: &Account) -> Option<Address> {
    let own = |mailboxes: Vec<message::Mailbox>| -> Option<Vec<Address>> {
        let read = |mailbox: &message::Mailbox| Address::parse(&mailbox.address).ok();
        mailboxes.iter().map(|mailbox| read(mailbox).filter(|address| account.may_send_as(address))).collect()
    };
    let from = own(head.from_addresses())?;
    own(head.sender_addresses())?;
    from.into_iter().next()
}

fn not_as_this() -> Reply {
    let words = "NOT SENT: The address that this message says it is from (From or Sender) is not one that this account may send as.\n\
                 Set the sender in the device or program to the account's own address, or ask your IT support to allow this one.";
    Reply::new(Code::Refused, (7, 1), words)
}

#[cfg(test)]
mod tests;
