//! Envelope addresses and envelopes (RFC 5321 4.1.2, 2.3.11; RFC 6531 3.3).
//!
//! An address keeps the bytes it came with, quotes and case included, because a relay hands on what it was given. Only
//! what would change the meaning of a command, a log line or a header is refused; `x..y@school.example` is odd but
//! deliverable and passes. The percent hack and the bang path are plain local parts: nothing here routes by them.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::dsn;
use crate::limits;

/// A mailbox as the envelope gives it, without angle brackets and without a source route.
///
/// The local part is kept byte for byte, quotes included (RFC 5321 2.4). Two addresses are equal when they mean the
/// same mailbox: the domain compares without case, the local part with case and with its quoting undone.
#[derive(Debug, Clone)]
pub struct Address {
    text: String,
    at: usize,
}

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no `@`, or nothing on one side of it, or the brackets and quotes do not close.
    #[error("it wants a local part, an @ and a domain")]
    Shape,
    /// Local part over 64, domain over 255 or path over 256 octets (RFC 5321 4.5.3.1.1 to 4.5.3.1.3).
    #[error("it is too long")]
    Long,
    /// A control character, or one that may not stand where it stands.
    #[error("it holds a character that may not stand there")]
    Character,
    /// The domain has an empty label, or its address literal is no address (RFC 5321 4.1.3).
    #[error("its domain is not valid")]
    Domain,
}

impl Address {
    /// Reads `local@domain`: a dot string or quoted string, and a domain or address literal.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.chars().any(|c| c.is_control() || is_deceptive(c)) {
            return Err(AddressError::Character);
        }
        let at = local_part_end(text)?;
        let domain = &text[at + 1..];
        if domain.is_empty() {
            return Err(AddressError::Shape);
        }
        // The path of RFC 5321 4.5.3.1.3 counts the angle brackets.
        if at > limits::LOCAL_PART || domain.len() > limits::DOMAIN || text.len() + 2 > limits::PATH {
            return Err(AddressError::Long);
        }
        check_domain(domain)?;
        Ok(Self { text: text.to_owned(), at })
    }

    /// The whole address, as given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `@`, as given.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// Whether both lead to one mailbox. School mailboxes ignore case, whatever RFC 5321 2.4 leaves open.
    pub fn is_same_mailbox(&self, other: &Self) -> bool {
        self.domain() == other.domain() && self.local().to_lowercase() == other.local().to_lowercase()
    }

    /// The local part as it is meant: quotes removed and backslashes resolved (RFC 5321 4.1.2).
    pub fn local_unquoted(&self) -> Cow<'_, str> {
        let local = self.local();
        let Some(inner) = local.strip_prefix('"').and_then(|l| l.strip_suffix('"')) else {
            return Cow::Borrowed(local);
        };
        let mut out = String::with_capacity(inner.len());
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            out.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
        }
        Cow::Owned(out)
    }

    /// The domain in lower case, without a trailing dot.
    pub fn domain(&self) -> String {
        self.text[self.at + 1..].trim_end_matches('.').to_lowercase()
    }

    /// No character outside ASCII: such an address needs no SMTPUTF8 (RFC 6531 3.3).
    pub fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }
}

/// Invisible characters, and look-alikes of `@` and `.`: with them two readers would see two addresses.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
        | '\u{FF20}' | '\u{FE6B}' | '\u{3002}' | '\u{FF0E}' | '\u{FF61}')
}

/// The index of the `@` that ends the local part.
fn local_part_end(text: &str) -> Result<usize, AddressError> {
    let end = if text.starts_with('"') { quoted_end(text)? } else { text.find('@').ok_or(AddressError::Shape)? };
    if end == 0 || !text[end..].starts_with('@') {
        return Err(AddressError::Shape);
    }
    if !text.starts_with('"') && !text[..end].chars().all(is_dot_string) {
        return Err(AddressError::Character);
    }
    Ok(end)
}

/// The index behind the closing quote of a text that starts with a quote.
fn quoted_end(text: &str) -> Result<usize, AddressError> {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Ok(i + 1),
            _ => {}
        }
    }
    Err(AddressError::Shape)
}

/// `atext` of RFC 5322 3.2.3 and RFC 6531 3.3, and the dot in any place.
fn is_dot_string(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || (!c.is_ascii() && !c.is_whitespace())
}

fn check_domain(domain: &str) -> Result<(), AddressError> {
    if let Some(literal) = domain.strip_prefix('[') {
        let literal = literal.strip_suffix(']').ok_or(AddressError::Domain)?;
        return if is_address_literal(literal) { Ok(()) } else { Err(AddressError::Domain) };
    }
    let name = domain.strip_suffix('.').unwrap_or(domain);
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || (!c.is_ascii() && !c.is_whitespace());
    if !name.chars().all(|c| c == '.' || fits(c)) {
        return Err(AddressError::Character);
    }
    if name.split('.').any(str::is_empty) { Err(AddressError::Domain) } else { Ok(()) }
}

/// What may stand in square brackets: an IPv4 address, or `IPv6:` and an IPv6 address (RFC 5321 4.1.3).
pub(super) fn is_address_literal(text: &str) -> bool {
    match text.split_at_checked(5) {
        Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6:") => address.parse::<Ipv6Addr>().is_ok(),
        _ => text.parse::<Ipv4Addr>().is_ok(),
    }
}

/// What stands between the angle brackets of MAIL or RCPT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Path {
    /// `<>`, the sender of bounces (RFC 5321 4.5.5).
    Null,
    /// `<postmaster>` without a domain, in any case (RFC 5321 4.5.1).
    Postmaster,
    /// Any other.
    Mailbox(Address),
}

/// Reads `<path>` at the start of `input`, and gives it with what follows the closing bracket.
///
/// A source route is read and dropped (RFC 5321 4.1.2, appendix C). A `>` inside quotes belongs to the local part.
pub fn parse_path(input: &str) -> Result<(Path, &str), AddressError> {
    let inner = input.strip_prefix('<').ok_or(AddressError::Shape)?;
    let mut escaped = false;
    let mut quoted = false;
    let close = inner.char_indices().find(|&(_, c)| match c {
        _ if escaped => {
            escaped = false;
            false
        }
        '\\' if quoted => {
            escaped = true;
            false
        }
        '"' => {
            quoted = !quoted;
            false
        }
        _ => c == '>' && !quoted,
    });
    let (path, rest) = close.map(|(i, _)| (&inner[..i], &inner[i + 1..])).ok_or(AddressError::Shape)?;
    if path.len() + 2 > limits::PATH {
        return Err(AddressError::Long);
    }
    let mailbox = match path.strip_prefix('@') {
        Some(route) => {
            let (hops, mailbox) = route.split_once(':').ok_or(AddressError::Shape)?;
            for hop in hops.split(',') {
                check_domain(hop.strip_prefix('@').unwrap_or(hop))?;
            }
            mailbox
        }
        None => path,
    };
    let path = match mailbox {
        "" if path.is_empty() => Path::Null,
        name if name.eq_ignore_ascii_case("postmaster") => Path::Postmaster,
        mailbox => Path::Mailbox(Address::parse(mailbox)?),
    };
    Ok((path, rest))
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// As text, exactly as given.
impl serde::Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.local_unquoted() == other.local_unquoted() && self.domain() == other.domain()
    }
}
impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.local_unquoted().hash(state);
        self.domain().hash(state);
    }
}

/// Who sends, and to whom, as MAIL and RCPT said it.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// `None` is the null sender `<>` (RFC 5321 4.5.5).
    pub mail_from: Option<Address>,
    /// In the order of the RCPT commands, each mailbox once, at least one.
    pub recipients: Vec<Address>,
    /// MAIL carried SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// MAIL carried BODY=8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// What MAIL asks of reports (RFC 3461).
    pub reports: dsn::OfMessage,
    /// What RCPT asks of them, in the order of the recipients; for those behind its end, nothing.
    pub of_recipients: Vec<dsn::OfRecipient>,
}

impl Envelope {
    /// A plain envelope, as commands and tests need it.
    pub fn new(mail_from: Option<Address>, recipients: Vec<Address>) -> Self {
        Self {
            mail_from,
            recipients,
            smtputf8: false,
            eight_bit: false,
            reports: dsn::OfMessage::default(),
            of_recipients: Vec::new(),
        }
    }

    /// What is asked of reports about the recipient at this place.
    pub fn asked_of(&self, place: usize) -> dsn::OfRecipient {
        self.of_recipients.get(place).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_pass_keep_their_bytes() {
        let long_local = "l".repeat(64);
        let table: &[(&str, &str, &str)] = &[
            ("<amy@school.example>", "amy", "school.example"),
            ("<Amy.Smith@School.Example>", "Amy.Smith", "school.example"),
            ("<\"a b\"@x.example>", "\"a b\"", "x.example"),
            (r#"<"a\"b"@x.example>"#, r#""a\"b""#, "x.example"),
            ("<\"<>\"@x.example>", "\"<>\"", "x.example"),
            ("<\"a@b\"@x.example>", "\"a@b\"", "x.example"),
            (r#"<"a\\"@x.example>"#, r#""a\\""#, "x.example"),
            ("<x%y@z.example>", "x%y", "z.example"),
            ("<z.example!x@school.example>", "z.example!x", "school.example"),
            ("<x..y@z.example>", "x..y", "z.example"),
            ("<.x.@z.example>", ".x.", "z.example"),
            ("<o'neill+tag@z.example>", "o'neill+tag", "z.example"),
            ("<x@y.example.>", "x", "y.example"),
            ("<x@[192.0.2.1]>", "x", "[192.0.2.1]"),
            ("<x@[IPv6:2001:db8::1]>", "x", "[ipv6:2001:db8::1]"),
            ("<x@localhost>", "x", "localhost"),
            ("<@a.example,@b.example:u@c.example>", "u", "c.example"),
            ("<jörg@schule.example>", "jörg", "schule.example"),
            ("<amy@schüle.example>", "amy", "schüle.example"),
        ];
        for (path, local, domain) in table {
            match parse_path(path) {
                Ok((Path::Mailbox(address), "")) => {
                    assert_eq!((address.local(), address.domain().as_str()), (*local, *domain), "{path}");
                }
                other => panic!("{path}: {other:?}"),
            }
        }
        assert!(parse_path(&format!("<{long_local}@x.example>")).is_ok());
        assert_eq!(parse_path("<> SIZE=1"), Ok((Path::Null, " SIZE=1")));
        assert_eq!(parse_path("<PostMaster>"), Ok((Path::Postmaster, "")));
    }

    #[test]
    fn paths_that_do_not() {
        use AddressError::*;
        let long_local = format!("<{}@x.example>", "l".repeat(65));
        let long_domain = format!("<x@{}example>", "d.".repeat(125));
        let long_path = format!("<@{}:x@y.example>", "d.".repeat(125));
        let table: &[(&str, AddressError)] = &[
            ("", Shape),
            ("amy@school.example", Shape),
            ("<amy@school.example", Shape),
            ("<amy>", Shape),
            ("<@school.example>", Shape),
            ("<amy@>", Shape),
            ("<@a.example:>", Shape),
            ("<\"\"x@y.example>", Shape),
            ("<\"open@y.example>", Shape),
            ("<a b@y.example>", Character),
            ("<a@b@y.example>", Character),
            ("<a\"b\"@y.example>", Character),
            ("<a\\b@y.example>", Character),
            ("<a,b@y.example>", Character),
            ("<a(b)@y.example>", Character),
            ("<a\r@y.example>", Character),
            ("<\"a\r\n.\"@y.example>", Character),
            ("<\"a\0\"@y.example>", Character),
            ("<a@y.exa\u{200B}mple>", Character),
            ("<a@y\u{3002}example>", Character),
            ("<a@y example>", Character),
            ("<a@y..example>", Domain),
            ("<a@.example>", Domain),
            ("<a@y.example..>", Domain),
            ("<a@.>", Domain),
            ("<a@[192.0.2]>", Domain),
            ("<a@[192.0.2.1>", Domain),
            ("<a@[2001:db8::1]>", Domain),
            ("<a@[IPv6:1.2.3.4.5]>", Domain),
            ("<a@[tag:text]>", Domain),
            ("<@a..b:x@y.example>", Domain),
            (&long_local, Long),
            (&long_domain, Long),
            (&long_path, Long),
        ];
        for (path, error) in table {
            assert_eq!(parse_path(path).map(|p| p.0), Err(*error), "{path:?}");
        }
    }

    #[test]
    fn a_bracket_behind_the_address_is_left_to_the_caller() {
        let (path, rest) = parse_path("<a@y.example>> RCPT TO:<b@y.example>").unwrap();
        assert!(matches!(path, Path::Mailbox(_)));
        assert_eq!(rest, "> RCPT TO:<b@y.example>");
    }

    #[test]
    fn equal_means_the_same_mailbox() {
        let eq = |a: &str, b: &str| Address::parse(a).unwrap() == Address::parse(b).unwrap();
        assert!(eq("amy@School.Example", "amy@school.example."));
        assert!(eq("\"amy\"@school.example", "amy@school.example"));
        assert!(eq(r#""a\my"@school.example"#, "amy@school.example"));
        assert!(!eq("Amy@school.example", "amy@school.example"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}|[<>\"\\\\@a.:,\\[\\]\r\n\0]{0,40}") {
            if let Ok((Path::Mailbox(address), _)) = parse_path(&text) {
                proptest::prop_assert!(!address.as_str().contains(['\r', '\n', '\0']));
                proptest::prop_assert_eq!(Address::parse(address.as_str()).unwrap(), address);
            }
        }
    }
}
