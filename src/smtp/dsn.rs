//! What a sender asks of reports about a message: RET and ENVID of MAIL, NOTIFY and ORCPT of RCPT (RFC 3461 4; UTF-8 in
//! ORCPT by RFC 6533 3).
//!
//! Knows the words and what they mean, not who reports. Values are kept as they were given, because a relay hands on what
//! it was given (RFC 3461 5.2.1); what is hidden in them is decoded only for looking at it and for a report. Invariant: what
//! was read here decodes to printable characters without `>`, so it breaks out of no command, field or log line.

use std::borrow::Cow;

use super::xtext;
use crate::limits;

/// How much of the original a report of failure returns (RFC 3461 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ret {
    /// All of it.
    Full,
    /// Its header.
    Headers,
}

impl Ret {
    /// Reads the value of RET.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Full, Self::Headers].into_iter().find(|ret| ret.as_str().eq_ignore_ascii_case(text))
    }

    /// As MAIL says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Headers => "HDRS",
        }
    }
}

/// Of what a report is wanted about a recipient (RFC 3461 4.1); of nothing is `NEVER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Notify {
    /// That it arrived, or was passed on to where nobody reports that.
    pub success: bool,
    /// That it will not arrive.
    pub failure: bool,
    /// That it takes longer.
    pub delay: bool,
}

impl Notify {
    /// Reads the value of NOTIFY: `NEVER` alone, or others with commas, each once.
    pub fn parse(text: &str) -> Option<Self> {
        let mut notify = Self::default();
        if text.eq_ignore_ascii_case("NEVER") {
            return Some(notify);
        }
        for word in text.split(',') {
            let wanted = match word.to_ascii_uppercase().as_str() {
                "SUCCESS" => &mut notify.success,
                "FAILURE" => &mut notify.failure,
                "DELAY" => &mut notify.delay,
                _ => return None,
            };
            if std::mem::replace(wanted, true) {
                return None;
            }
        }
        Some(notify)
    }
}

impl std::fmt::Display for Notify {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = [(self.success, "SUCCESS"), (self.failure, "FAILURE"), (self.delay, "DELAY")];
        let words: Vec<&str> = words.into_iter().filter_map(|(wanted, word)| wanted.then_some(word)).collect();
        f.write_str(if words.is_empty() { "NEVER".to_owned() } else { words.join(",") }.as_str())
    }
}

/// A name that the sender gave to the message (ENVID, RFC 3461 4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeId(String);

impl EnvelopeId {
    /// Reads xtext of up to [`limits::DSN_ENVID`] octets.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() <= limits::DSN_ENVID && shown(text).is_some()).then(|| Self(text.to_owned()))
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it stands for: printable ASCII.
    pub fn decoded(&self) -> String {
        shown(&self.0).unwrap_or_default()
    }
}

/// The recipient as the sender first wrote it (ORCPT, RFC 3461 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginalRecipient(String);

impl OriginalRecipient {
    /// Reads `type;xtext` of up to [`limits::DSN_ORCPT`] octets. Of type `utf-8` it may hold characters outside ASCII, or
    /// name them as `\x{E9}` (RFC 6533 3).
    pub fn parse(text: &str) -> Option<Self> {
        let new = Self(text.to_owned());
        (text.len() <= limits::DSN_ORCPT && new.read().is_some()).then_some(new)
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// No character outside ASCII, as given.
    pub fn is_ascii(&self) -> bool {
        self.0.is_ascii()
    }

    /// As a server is told that was not told SMTPUTF8: what is outside ASCII is named. `None` where that is too long.
    pub fn in_ascii(&self) -> Option<Cow<'_, str>> {
        if self.is_ascii() {
            return Some(Cow::Borrowed(&self.0));
        }
        let named = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\x{{{:X}}}", u32::from(c)) };
        let named: String = self.0.chars().map(named).collect();
        (named.len() <= limits::DSN_ORCPT).then_some(Cow::Owned(named))
    }

    /// Its type in lower case, and the address that it stands for: printable characters.
    pub fn decoded(&self) -> (String, String) {
        self.read().unwrap_or_default()
    }

    fn read(&self) -> Option<(String, String)> {
        let (kind, text) = self.0.split_once(';')?;
        let kind = kind.to_ascii_lowercase();
        // An atom; what stands in one beyond these names no type of address (IANA, Mail Delivery Status Notification types).
        if kind.is_empty() || !kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') {
            return None;
        }
        if kind != "utf-8" {
            return Some((kind, shown(text)?));
        }
        // `\x{2B}` stands for `+` there, where xtext would say `+2B`: both are read.
        let mut address = String::new();
        for piece in split_ascii(text) {
            address.push_str(&if piece.is_ascii() { shown(piece)? } else { piece.to_owned() });
        }
        let address = unnamed(&address)?;
        is_printable(&address).then_some((kind, address))
    }
}

/// Stretches of ASCII and of others, in turn.
fn split_ascii(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?.is_ascii();
        let end = rest.find(|c: char| c.is_ascii() != first).unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        Some(piece)
    })
}

/// Puts characters in the place of their `\x{E9}`.
fn unnamed(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("\\x{") {
        let (number, behind) = behind.split_once('}')?;
        let fits = (2..=6).contains(&number.len()) && number.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'));
        let named = fits.then(|| u32::from_str_radix(number, 16).ok()).flatten().and_then(char::from_u32)?;
        out.push_str(before);
        out.push(named);
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

/// What xtext stands for, where that is printable ASCII.
fn shown(text: &str) -> Option<String> {
    let text = String::from_utf8(xtext::decoded(text)?).ok()?;
    (text.is_ascii() && is_printable(&text)).then_some(text)
}

fn is_printable(text: &str) -> bool {
    let breaks = |c: char| c == '>' || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    !text.trim().is_empty() && !text.contains(breaks)
}

/// What is asked about one recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfRecipient {
    /// NOTIFY; without one, failures are reported, and delays (RFC 3461 4.1).
    pub notify: Option<Notify>,
    /// ORCPT.
    pub original: Option<OriginalRecipient>,
}

impl OfRecipient {
    /// Whether its sender is told that it arrived or was passed on.
    pub fn wants_success(&self) -> bool {
        self.notify.is_some_and(|notify| notify.success)
    }

    /// Whether its sender is told that it will not arrive.
    pub fn wants_failure(&self) -> bool {
        self.notify.is_none_or(|notify| notify.failure)
    }

    /// Whether its sender is told that it takes longer.
    pub fn wants_delay(&self) -> bool {
        self.notify.is_none_or(|notify| notify.delay)
    }
}

/// What is asked about a message as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfMessage {
    /// RET; without one, the header is returned.
    pub ret: Option<Ret>,
    /// ENVID.
    pub id: Option<EnvelopeId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    // Relay checklist, row 105.
    #[test]
    fn words_are_read_in_any_case_and_no_others() {
        let notify = |success, failure, delay| Some(Notify { success, failure, delay });
        for (text, wanted) in [
            ("NEVER", notify(false, false, false)),
            ("never", notify(false, false, false)),
            ("SUCCESS", notify(true, false, false)),
            ("Failure,delay", notify(false, true, true)),
            ("DELAY,SUCCESS,FAILURE", notify(true, true, true)),
            ("", None),
            (",", None),
            ("SUCCESS,", None),
            ("SUCCESS, FAILURE", None),
            ("NEVER,FAILURE", None),
            ("FAILURE,NEVER", None),
            ("FAILURE,FAILURE", None),
            ("ALWAYS", None),
        ] {
            assert_eq!(Notify::parse(text), wanted, "{text:?}");
            if let Some(notify) = wanted {
                assert_eq!(Notify::parse(&notify.to_string()), wanted, "{notify}");
            }
        }
        for (text, wanted) in [("FULL", Some(Ret::Full)), ("hdrs", Some(Ret::Headers)), ("", None), ("ALL", None)] {
            assert_eq!(Ret::parse(text), wanted, "{text:?}");
        }
    }

    // Relay checklist, row 32.
    #[test]
    fn nothing_is_smuggled_in_a_name_or_an_address() {
        for (text, wanted) in [
            ("QQ314159", Some("QQ314159")),
            ("a+2Bb+3D", Some("a+b=")),
            ("a+20b", Some("a b")),
            ("", None),
            ("+20", None),
            ("a+0Db", None),
            ("a+0Ab", None),
            ("a+00b", None),
            ("a+3Eb", None),
            ("a>b", None),
            ("a+7Fb", None),
            ("a+C3+A9", None),
            ("\u{e9}", None),
        ] {
            let read = EnvelopeId::parse(text).map(|id| id.decoded());
            assert_eq!(read.as_deref(), wanted, "{text:?}");
        }
        for (text, wanted) in [
            ("rfc822;amy@x.example", Some(("rfc822", "amy@x.example"))),
            ("RFC822;amy+2Btrip@x.example", Some(("rfc822", "amy+trip@x.example"))),
            ("x-local;room+207", Some(("x-local", "room 7"))),
            ("utf-8;b\u{f8}b@b.example", Some(("utf-8", "b\u{f8}b@b.example"))),
            (r"utf-8;b\x{F8}b@b.example", Some(("utf-8", "b\u{f8}b@b.example"))),
            (r"utf-8;b\x{2B}c+2Bd@b.example", Some(("utf-8", "b+c+d@b.example"))),
            ("", None),
            ("amy@x.example", None),
            ("rfc822;", None),
            (";amy@x.example", None),
            ("rfc 822;amy@x.example", None),
            ("rfc822;b\u{f8}b@b.example", None),
            ("rfc822;amy@x.example+0D+0ABcc:", None),
            ("rfc822;amy@x.example+00", None),
            ("rfc822;amy@x.example+3E", None),
            ("rfc822;amy@x.example>", None),
            ("rfc822;amy@x.example+0d", None),
            (r"utf-8;b\x{D}@b.example", None),
            (r"utf-8;b\x{0D}@b.example", None),
            (r"utf-8;b\x{3E}@b.example", None),
            (r"utf-8;b\x{85}@b.example", None),
            (r"utf-8;b\x{D800}@b.example", None),
            (r"utf-8;b\x{110000}@b.example", None),
            (r"utf-8;b\x{F8@b.example", None),
            (r"utf-8;b+5Cx{0A}@b.example", None),
            ("utf-8;b\u{85}@b.example", None),
            ("utf-8;b\u{2028}@b.example", None),
        ] {
            let read = OriginalRecipient::parse(text).map(|original| original.decoded());
            let read = read.as_ref().map(|(kind, address)| (kind.as_str(), address.as_str()));
            assert_eq!(read, wanted, "{text:?}");
        }
    }

    #[test]
    fn lengths_are_those_of_the_rfc() {
        assert!(EnvelopeId::parse(&"x".repeat(100)).is_some());
        assert!(EnvelopeId::parse(&"x".repeat(101)).is_none());
        assert!(OriginalRecipient::parse(&format!("rfc822;{}", "x".repeat(493))).is_some());
        assert!(OriginalRecipient::parse(&format!("rfc822;{}", "x".repeat(494))).is_none());
    }

    #[test]
    fn what_is_outside_ascii_is_named_for_who_takes_none() {
        let named = |text: &str| OriginalRecipient::parse(text).unwrap().in_ascii().map(Cow::into_owned);
        assert_eq!(named("utf-8;b\u{f8}b@b.example").as_deref(), Some(r"utf-8;b\x{F8}b@b.example"));
        assert_eq!(named("rfc822;bob@b.example").as_deref(), Some("rfc822;bob@b.example"));
        assert_eq!(named(&format!("utf-8;{}", "\u{f8}".repeat(100))), None);
        for text in ["utf-8;b\u{f8}b@b.example", "utf-8;\u{1f600}@b.example"] {
            let given = OriginalRecipient::parse(text).unwrap();
            assert_eq!(OriginalRecipient::parse(&given.in_ascii().unwrap()).unwrap().decoded(), given.decoded());
        }
    }
}
