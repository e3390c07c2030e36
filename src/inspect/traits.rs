//! Traits that stand in headers and in the source of a page, not in what is read of a message.

use crate::detect::traits::{Seen, Wanted, has_open_link, kind, place};
use crate::message::{Message, PartKind, decode_text, signed};
use crate::people::{RecipientKind, School, SenderIdentity};
use crate::policy::RulePack;
use crate::smtp::{Address, Envelope};

/// Marks with which mail programs begin an earlier message in a page; links behind one are not the sender's own.
const EARLIER: [&str; 8] = [
    "divrplyfwdmsg",
    "appendonsend",
    "gmail_quote",
    "moz-forward-container",
    "moz-cite-prefix",
    "yahoo_quoted",
    "outlookmessageheader",
    "<blockquote",
];

/// The traits that the rules go by.
pub(super) fn wanted(pack: &RulePack) -> Wanted {
    Wanted {
        private_reply: pack.asks(|condition| condition.private_reply.is_some()),
        staff_contact: pack.asks(|condition| condition.staff_contact.is_some()),
        forwarded: pack.asks(|condition| condition.forwarded.is_some()),
        open_link: pack.asks(|condition| condition.open_link.is_some()),
        audiences: pack.asks(|condition| condition.audience.is_some()),
        business: pack.asks(|condition| condition.business.is_some()),
    }
}

/// Reply-To names a private mailbox: somebody's own, a member of staff's, or a throw-away one.
pub(super) fn reply_to_private(
    school: &School,
    message: &Message<'_>,
    envelope: &Envelope,
    sender: &SenderIdentity,
) -> Option<Seen> {
    let own = envelope.mail_from.as_ref().map(|from| school.mailboxes_of(from)).unwrap_or_default();
    message
        .addresses_in("Reply-To")
        .into_iter()
        .filter_map(|mailbox| Address::parse(&mailbox.address).ok())
        .find(|address| {
            use RecipientKind::{Disposable, Guardian, Personal, StaffPersonal};
            match school.recipient(address, sender).kind {
                Personal | StaffPersonal | Disposable => true,
                // A member of staff who is a parent too.
                Guardian => own.iter().any(|o| o.as_str().eq_ignore_ascii_case(address.as_str())),
                _ => false,
            }
        })
        .map(|address| Seen::at(kind::PRIVATE_REPLY, place::REPLY_TO, address.as_str()))
}

/// A message that is attached, as such or as a file, is not as its sender signed it.
pub(super) fn altered_original(message: &Message<'_>, keys: &signed::Keys) -> Option<Seen> {
    let is_file = |name: &String| name.to_lowercase().ends_with(".eml");
    let originals =
        message.parts.iter().filter(|part| part.kind == PartKind::Message || part.names.iter().any(is_file));
    let part = originals.into_iter().find(|part| signed::is_altered(&part.body, keys))?;
    Some(Seen::at(kind::ALTERED, part.names.first().map_or(place::ATTACHED, String::as_str), ""))
}

/// A page of the message links to a file that whoever has the link may open, above all that is quoted in it.
pub(super) fn open_link(message: &Message<'_>) -> Option<Seen> {
    let pages = message.parts.iter().filter(|part| part.content_type == "text/html");
    pages.map(|part| decode_text(&part.body, part.charset.as_deref())).find_map(|page| {
        let lower = page.to_ascii_lowercase();
        let end = EARLIER.iter().filter_map(|mark| lower.find(mark)).min().unwrap_or(page.len());
        let own = &page[..end];
        // A link never goes over the end of a line of the source, so the first line with one is where it stands.
        let line = || own.lines().map(|line| line.trim().to_owned()).find(|line| has_open_link(line));
        has_open_link(own).then(|| Seen::at(kind::OPEN_LINK, place::BODY, &line().unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests;
