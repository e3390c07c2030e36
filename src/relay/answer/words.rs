//! What an answer to a notice says: one word at its very beginning, or nothing that counts.
//!
//! YES lets mail go out, so a word counts only where nobody could mean anything else: it is the first thing that the writer
//! wrote, stands above all that is quoted, in each form in which the answer comes, and no other of the words follows on its
//! line. Never knows the message that is answered.

use crate::extract::first_own_line;
use crate::limits;
use crate::message::{self, Message, Part, PartKind, automatic};
use crate::relay::notify::Offered;
use crate::relay::sender::Ask;

/// Each word, what it asks for, and what it does.
const WORDS: [(&str, Ask, &str); 6] = [
    ("CONFIDENTIAL", Ask::Mark, "it is sent with Confidential in its subject, unless something else stops it"),
    ("YES", Ask::Confirm, "it is right and goes out as you wrote it; say why on the same line"),
    ("YES", Ask::MarkConfirm, "it is right and goes out with Confidential in its subject; say why on the same line"),
    ("CANCEL", Ask::Cancel, "it is deleted here, and nobody receives it"),
    ("SEND", Ask::SendNow, "it goes out now"),
    ("SEND", Ask::Urgent, "it is urgent and goes out now; say why on the same line"),
];

/// The reason for which a message is right, where its sender gave none.
pub const NO_REASON: &str = "no reason was given in the answer to the notice";

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A program wrote it, not a person.
    Automatic,
    /// One of the words, with what follows it on its line.
    Word(Ask, String),
    /// Anything else.
    Else,
}

/// The words for these, in the same order.
pub fn offered(asks: &[Ask]) -> Vec<Offered> {
    let of = |ask: &Ask| WORDS.iter().find(|(_, of, _)| of == ask).map(|&(word, _, does)| Offered { word, does });
    asks.iter().filter_map(of).collect()
}

/// Reads an answer.
pub fn read(raw: &[u8]) -> Said {
    let message = message::read(raw);
    if is_automatic(&message) {
        return Said::Automatic;
    }
    if !message.faults.is_empty() {
        return Said::Else;
    }
    // A program shows one of the two; both must say the same.
    let first_of = |kind: &str| {
        let is_it = |part: &&Part| part.kind == PartKind::Text && part.content_type == kind;
        message.parts.iter().filter(|part| !is_inside_another(&message, part)).find(is_it).map(said_in)
    };
    let empty = (Said::Else, true);
    let (plain, html) = (first_of("text/plain"), first_of("text/html"));
    let ((plain, no_plain), (html, no_html)) = (plain.unwrap_or(empty.clone()), html.unwrap_or(empty));
    match (&plain, &html) {
        (Said::Word(one, _), Said::Word(other, _)) if one == other => plain,
        (Said::Word(..), _) if no_html => plain,
        (_, Said::Word(..)) if no_plain => html,
        _ => Said::Else,
    }
}

/// What a text says, and whether its writer wrote nothing in it at all.
fn said_in(part: &Part) -> (Said, bool) {
    match first_own_line(part) {
        Some(line) => (in_line(&line), false),
        None => (Said::Else, part.body.iter().all(u8::is_ascii_whitespace)),
    }
}

/// Part of a message that is attached.
fn is_inside_another(message: &Message<'_>, part: &Part) -> bool {
    let mut above = part.parent;
    while let Some(part) = above.and_then(|index| message.parts.get(index)) {
        if part.kind == PartKind::Message {
            return true;
        }
        above = part.parent;
    }
    false
}

/// What a first line says.
fn in_line(line: &str) -> Said {
    // A question mark asks.
    let behind = |c: char| matches!(c, '.' | ',' | ';' | ':' | '!' | '\u{2013}' | '\u{2014}' | '-' | '\u{2026}');
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let of = |word: &str| WORDS.iter().find(|(known, ..)| word.eq_ignore_ascii_case(known));
    let Some(&(_, ask, _)) = of(first.trim_end_matches(behind)) else { return Said::Else };
    if rest.split(|c: char| !c.is_alphanumeric()).any(|word| of(word).is_some()) {
        return Said::Else;
    }
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || behind(c));
    let words: String =
        rest.chars().map(|c| if c.is_control() { ' ' } else { c }).take(limits::SENDER_WORDS_CHARS).collect();
    Said::Word(ask, if words.trim().is_empty() { NO_REASON.to_owned() } else { words.trim().to_owned() })
}

/// Whether a program wrote it: as RFC 3834 2 and 5 name it, and as programs did and do beside it.
pub fn is_automatic(message: &Message<'_>) -> bool {
    let says = |name: &str, holds: &dyn Fn(&str) -> bool| {
        message.headers_named(name).any(|header| holds(&header.value.trim().to_ascii_lowercase()))
    };
    let there = |name: &str| message.header(name).is_some();
    automatic::is_automatic(message)
        || says("Precedence", &|value| matches!(value, "bulk" | "list" | "junk" | "auto_reply"))
        || says("X-Auto-Response-Suppress", &|value| !matches!(value, "" | "none"))
        || ["X-Autoreply", "X-Autorespond", "List-Id"].into_iter().any(there)
        || says("Return-Path", &|value| value == "<>")
        || message.parts.first().is_some_and(|part| part.content_type == "multipart/report")
}
