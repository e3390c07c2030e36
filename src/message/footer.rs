//! The school's words below a message: added to the text that its reader sees, everything else as it was.
//!
//! Works on ranges of the raw bytes: what stands outside the bodies that are changed stays byte for byte, and in these the words are one run
//! that is put in (of base64: in what it decodes to). Never knows why words are wanted, nor who gets the message.
//!
//! Invariants: [`with_footers`] never fails and never panics; the same bytes and words give the same result; either every text of the message
//! has the words, or none; a part of seven bits stays one; no line passes 998 octets for them (RFC 5322 2.1.1); what comes out is read back
//! and has the parts that went in (RFC 2045, 2046, 3676).

mod insert;
mod page;
mod seek;
mod words;

use super::{Message, PartKind, charset, read};
use seek::Body;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footered {
    /// The message as it leaves.
    pub content: Vec<u8>,
    /// What was done to it.
    pub done: Done,
}

/// What was done to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// The words were added.
    Added,
    /// They stand in it already, be it in what is quoted; nothing was changed.
    Stands,
    /// Nothing was changed.
    Not(Why),
}

/// Why a message is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A signature covers its text.
    Signed,
    /// It is encrypted.
    Encrypted,
    /// A signature of its sender's domain, which is not ours, covers it: it was passed on.
    PassedOn,
    /// An invitation, or an answer to one.
    Invitation,
    /// A report of mail systems.
    Report,
    /// It has no text that is shown.
    NoText,
    /// Mail programs may read it differently.
    Contradictory,
    /// Its characters cannot say the words.
    Characters,
    /// A page of which it cannot be told where it ends.
    Page,
}

impl Done {
    /// For the audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Stands => "stands there already",
            Self::Not(why) => match why {
                Why::Signed => "not added: the text is signed",
                Why::Encrypted => "not added: it is encrypted",
                Why::PassedOn => "not added: another domain signed it",
                Why::Invitation => "not added: it is an invitation",
                Why::Report => "not added: it is a report",
                Why::NoText => "not added: it has no text",
                Why::Contradictory => "not added: mail programs may read it differently",
                Why::Characters => "not added: its characters cannot say it",
                Why::Page => "not added: where its page ends cannot be told",
            },
        }
    }
}

/// The message with these words below its text, each once, in plain lines. `own` are the school's mail domains, in small letters.
pub fn with_footers(raw: &[u8], footers: &[String], own: &[String]) -> Footered {
    // As where it is read: should a parser panic, the message leaves as it is.
    let changed = std::panic::catch_unwind(|| change(raw, footers, own)).unwrap_or(Err(Why::Contradictory));
    let (content, done) = match changed {
        Ok(Some(content)) => (content, Done::Added),
        Ok(None) => (raw.to_vec(), Done::Stands),
        Err(why) => (raw.to_vec(), Done::Not(why)),
    };
    Footered { content, done }
}

fn change(raw: &[u8], footers: &[String], own: &[String]) -> Result<Option<Vec<u8>>, Why> {
    let message = read(raw);
    if !message.faults.is_empty() {
        return Err(Why::Contradictory);
    }
    if message.header("DKIM-Signature").is_some() && !is_own(&message, own) {
        return Err(Why::PassedOn);
    }
    let bodies = seek::bodies(raw)?;
    let texts: Vec<String> =
        bodies.iter().map(|body| charset::decode(&body.decoded, body.charset.as_deref())).collect();
    if texts.iter().any(|text| text.contains("-----BEGIN PGP ")) {
        return Err(Why::Encrypted);
    }
    let seen: Vec<String> = bodies.iter().zip(&texts).map(|(body, text)| words::folded(&shown(body, text))).collect();
    let stands = |footer: &str| {
        let folded = words::folded(footer);
        !folded.is_empty() && seen.iter().any(|text| text.contains(&folded))
    };
    let missing: Vec<&str> = footers.iter().map(String::as_str).filter(|footer| !stands(footer)).collect();
    if missing.is_empty() {
        return Ok(None);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    for (body, text) in bodies.iter().zip(&texts) {
        let with = insert::below(body, &raw[body.range.clone()], text, &missing)?;
        out.extend_from_slice(&raw[at..body.range.start]);
        out.extend_from_slice(&with);
        at = body.range.end;
    }
    out.extend_from_slice(&raw[at..]);
    if is_as_before(&message, &read(&out), bodies.len()) { Ok(Some(out)) } else { Err(Why::Contradictory) }
}

/// All that it says it is from is of our domains.
fn is_own(message: &Message<'_>, own: &[String]) -> bool {
    let from = message.from_addresses();
    let ours = |address: &str| {
        address.rsplit_once('@').is_some_and(|(_, domain)| own.iter().any(|own| own.eq_ignore_ascii_case(domain)))
    };
    !from.is_empty() && from.iter().all(|mailbox| ours(&mailbox.address))
}

/// What a person reads of it.
fn shown(body: &Body, text: &str) -> String {
    if body.page { page::text(text) } else { text.to_owned() }
}

/// The same parts in the same order, of which so many texts alone have changed.
fn is_as_before(before: &Message<'_>, after: &Message<'_>, texts: usize) -> bool {
    let mut changed = 0;
    let same = before.parts.iter().zip(&after.parts).all(|(one, other)| {
        let same_body = one.body == other.body;
        changed += usize::from(!same_body);
        let alike = one.content_type == other.content_type && one.kind == other.kind && one.parent == other.parent;
        alike && (same_body || one.kind == PartKind::Text)
    });
    same && before.parts.len() == after.parts.len() && changed == texts && after.faults.is_empty()
}

#[cfg(test)]
mod tests;
