//! The text of a message as it is compared with the sender's others of the day: is it the same again?
//!
//! What the sender wrote anew, without greeting and sign-off, in lower case and words alone; what it carries along counts
//! with it, so that thirty reports under the same covering words are thirty messages. Counted are messages: somebody writes
//! to many once, and again when something was amiss; from the third on ([`limits::SAME_TEXT_MESSAGES`]) their recipients count
//! together, so that a mailing in batches counts as what it is. No person's words are kept: the text is for hashing.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::extract::own_text;
use crate::limits;
use crate::message::{self, Message, PartKind};

/// For the so-manyth time a text goes out, by its messages of the day and all their recipients outside.
pub fn again(messages: usize, recipients: usize) -> usize {
    if messages >= limits::SAME_TEXT_MESSAGES { messages.max(recipients) } else { messages }
}

/// The text as it is compared; `None` where it cannot be the same again: no person wrote it, it answers somebody, or it has
/// fewer words than [`limits::SAME_TEXT_WORDS`].
pub fn of(raw: &[u8]) -> Option<String> {
    let message = message::read(raw);
    if message.header("In-Reply-To").is_some() || message::automatic::is_automatic(&message) {
        return None;
    }
    let body = body(&message)?;
    let words = words(between_greeting_and_sign_off(&body));
    if words.len() < limits::SAME_TEXT_WORDS {
        return None;
    }
    let mut text = format!("{}\n{}", self::words(without_prefixes(&message.subject())).join(" "), words.join(" "));
    for part in message.parts.iter().filter(|part| part.attachment || !part.names.is_empty()) {
        text.push('\n');
        for byte in Sha256::digest(&part.body) {
            // Writing to a string never fails.
            let _ = write!(text, "{byte:02x}");
        }
    }
    Some(text)
}

/// What its sender wrote, in the first part that shows it.
fn body(message: &Message<'_>) -> Option<String> {
    let shown = |kind: &str| {
        let parts = message.parts.iter().filter(|part| part.kind == PartKind::Text);
        let mut parts = parts.filter(|part| !part.attachment && part.names.is_empty() && part.content_type == kind);
        parts.find_map(|part| own_text(part).filter(|text| !text.trim().is_empty()))
    };
    let mut text = shown("text/plain").or_else(|| shown("text/html"))?;
    let mut end = text.len().min(limits::SAME_TEXT_OCTETS);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    Some(text)
}

/// Words with which a greeting begins.
const GREETINGS: &[&str] =
    &["dear", "hi", "hiya", "hello", "hey", "good", "morning", "afternoon", "evening", "greetings"];

/// Words with which a sign-off begins.
const SIGN_OFFS: &[&str] = &[
    "regards",
    "kind",
    "kindest",
    "best",
    "warm",
    "warmest",
    "many",
    "thanks",
    "thank",
    "yours",
    "sincerely",
    "faithfully",
    "cheers",
    "wishes",
    "with",
];

/// Greeting and sign-off name people, and are not what is said.
fn between_greeting_and_sign_off(body: &str) -> &str {
    let text = body.trim_start();
    let (first_line, below) = text.split_once('\n').unwrap_or((text, ""));
    let first = words(first_line);
    let greets = first.first().is_some_and(|word| GREETINGS.contains(&word.as_str()));
    let (greeting, said) = first_line.split_once([',', '!', '-', '–', '—', ':']).unwrap_or((first_line, ""));
    let text = match () {
        // `Dear Mrs Shah,` by itself, or with the text on the same line; `Mrs Shah,`.
        () if words(greeting).len() > limits::GREETING_WORDS => text,
        () if greets && said.trim().is_empty() => below,
        () if greets => &text[first_line.len() - said.len()..],
        () if first_line.trim_end().ends_with(',') && said.trim().is_empty() => below,
        () => text,
    };
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        let here = words(line);
        let signs =
            here.len() <= limits::SIGN_OFF_WORDS && here.first().is_some_and(|w| SIGN_OFFS.contains(&w.as_str()));
        // RFC 3676 4.3.
        if line.trim_end() == "--" || (signs && end > 0 && !line.trim_end().ends_with(['.', '?'])) {
            break;
        }
        end += line.len();
    }
    &text[..end]
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// `Re: FW: Trip` is about the trip.
fn without_prefixes(subject: &str) -> &str {
    let mut rest = subject.trim();
    while let Some((prefix, after)) = rest.split_once(':')
        && matches!(prefix.trim().to_lowercase().as_str(), "re" | "fw" | "fwd" | "aw" | "wg" | "tr")
    {
        rest = after.trim_start();
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "The choir meets in the hall at half past three on Thursday, and parents are welcome to listen.";

    fn mail(subject: &str, body: &str) -> String {
        format!("From: a@school.example\r\nSubject: {subject}\r\n\r\n{}\r\n", body.replace('\n', "\r\n"))
    }

    fn html(body: &str) -> String {
        format!("From: a@school.example\r\nSubject: Choir\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}\r\n")
    }

    fn with_file(body: &str, file: &str) -> String {
        format!(
            "From: a@school.example\r\nSubject: Choir\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\n{body}\r\n--b\r\nContent-Type: application/octet-stream\r\n\
             Content-Disposition: attachment; filename=report.bin\r\n\r\n{file}\r\n--b--\r\n"
        )
    }

    #[test]
    fn the_same_words_are_the_same_text_whoever_is_greeted() {
        let plain = of(mail("Choir", SAID).as_bytes()).expect("it is long enough");
        for other in [
            mail("Re: Choir", SAID),
            mail("FW: RE: choir", &SAID.to_uppercase()),
            mail("Choir", &format!("Dear Mrs Shah,\n\n{SAID}")),
            mail("Choir", &format!("Dear Mrs Shah, {SAID}")),
            mail("Choir", &format!("Hi Tom\n\n{SAID}\n\nKind regards\nAnn Reed\nYear 3")),
            mail("Choir", &format!("Mrs Shah,\n{SAID}\nMany thanks,\nAnn")),
            mail("Choir", &format!("Good morning!\n{}\n-- \nAnn Reed", SAID.replace(' ', "  "))),
            mail(
                "Choir",
                &format!(
                    "{SAID}\n\n-----Original Message-----\nFrom: x@y.example\nSent: today\nTo: z\nSubject: q\n\nOld."
                ),
            ),
            html(&format!("<p>Dear Tom,</p><p>{SAID}</p><p>Best wishes</p><p>Ann</p>")),
        ] {
            assert_eq!(of(other.as_bytes()).as_deref(), Some(plain.as_str()), "{other}");
        }
    }

    #[test]
    fn other_words_are_another_text() {
        let plain = of(mail("Choir", SAID).as_bytes());
        for other in [
            mail("Orchestra", SAID),
            mail("Choir", &SAID.replace("Thursday", "Friday")),
            mail("Choir", &format!("{SAID} Bring a drink.")),
            with_file(SAID, "one"),
        ] {
            let other = of(other.as_bytes());
            assert!(other.is_some() && other != plain, "{other:?}");
        }
        let (one, two) = (with_file(SAID, "one"), with_file(SAID, "two"));
        assert_ne!(of(one.as_bytes()), of(two.as_bytes()), "a report for each");
        assert_eq!(of(one.as_bytes()), of(with_file(&format!("Dear Tom,\r\n{SAID}"), "one").as_bytes()));
    }

    #[test]
    fn what_is_short_answers_or_comes_from_a_machine_does_not_count() {
        let after = |header: &str| mail("Choir", SAID).replacen("Subject", &format!("{header}\r\nSubject"), 1);
        let signed = "Thanks, see you then.\n\nKind regards\nAnn Reed\nTeacher of Year 3 and leader of music\nA long line \
                      about the school, its address, its telephone and what to do when this reached the wrong person";
        for none in [
            mail("Choir", "Thanks, see you then"),
            mail("Choir", "Dear Mr and Mrs Shah and family,\nThank you for letting us know."),
            mail("Choir", signed),
            mail("Choir", ""),
            after("In-Reply-To: <x@y.example>"),
            after("Auto-Submitted: auto-generated"),
            mail("Choir", &format!("> {SAID}")),
        ] {
            assert_eq!(of(none.as_bytes()), None, "{none}");
        }
        assert!(of(after("X-Note: x").as_bytes()).is_some());
    }

    #[test]
    fn messages_count_and_from_the_third_on_their_recipients() {
        for (messages, recipients, want) in
            [(1, 1, 1), (1, 40, 1), (2, 24, 2), (3, 3, 3), (3, 30, 30), (10, 10, 10), (12, 9, 12)]
        {
            assert_eq!(again(messages, recipients), want, "{messages} to {recipients}");
        }
    }
}
