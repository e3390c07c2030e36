//! Signing in (RFC 4954) without sockets or accounts: the exchange of AUTH PLAIN (RFC 4616) and AUTH LOGIN
//! (draft-murchison-sasl-login-00), octets in, [`Credentials`] out.
//!
//! Never knows whether a password is right, and never shows one: what is held here is wiped when it is dropped, and has no `Debug`
//! that tells it.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::{Zeroize, Zeroizing};

use super::Address;
use crate::limits;

/// Padding may be left out, as old clients do.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The mechanisms that are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// Name and password in one answer.
    Plain,
    /// One after the other; old clients know nothing else.
    Login,
}

impl Mechanism {
    /// All of them, as EHLO lists them.
    pub const OFFER: &str = "AUTH PLAIN LOGIN";

    /// By its name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        [("PLAIN", Self::Plain), ("LOGIN", Self::Login)]
            .into_iter()
            .find_map(|(known, mechanism)| known.eq_ignore_ascii_case(name).then_some(mechanism))
    }
}

/// What a client shows of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The account.
    pub name: String,
    /// Its password.
    pub password: Zeroizing<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

/// Who has signed in, and for whom it may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Senders whom it may give in MAIL and in From.
    pub senders: Vec<Sender>,
}

/// Whom an account may send for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// One mailbox.
    Mailbox(Address),
    /// Every mailbox of a domain, given in lower case.
    Domain(String),
}

impl Account {
    /// Whether it may send as this mailbox.
    pub fn may_send_as(&self, address: &Address) -> bool {
        self.senders.iter().any(|sender| match sender {
            Sender::Mailbox(own) => own.is_same_mailbox(address),
            Sender::Domain(domain) => address.domain().eq_ignore_ascii_case(domain),
        })
    }
}

/// Why nobody has signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSignedIn {
    /// Unknown name or wrong password: the same for both.
    Wrong,
    /// Too many have failed; not even looked at.
    Throttled,
    /// The accounts cannot be asked now.
    Unavailable,
}

/// What the client is told next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// 334 with this challenge, which is in base64 already.
    Challenge(&'static str),
    /// It is for others to say whether they are right.
    Done(Credentials),
    /// `*`: the client gives up.
    Cancelled,
    /// No base64, or not what the mechanism wants.
    Malformed,
}

/// An exchange that runs.
#[derive(Debug)]
pub(super) struct Exchange {
    mechanism: Mechanism,
    /// LOGIN's first answer.
    name: Option<String>,
}

impl Exchange {
    /// Begins one; `initial` is what came in the command's own line (RFC 4954 4), where `=` is an empty answer.
    pub fn begin(mechanism: Mechanism, initial: Option<&str>) -> (Self, Step) {
        let mut exchange = Self { mechanism, name: None };
        let step = match initial {
            Some("=") => exchange.answer(b""),
            Some(initial) => exchange.answer(initial.as_bytes()),
            None => exchange.challenge(),
        };
        (exchange, step)
    }

    fn challenge(&self) -> Step {
        Step::Challenge(match (self.mechanism, &self.name) {
            (Mechanism::Plain, _) => "",
            // `Username:` and `Password:`.
            (Mechanism::Login, None) => "VXNlcm5hbWU6",
            (Mechanism::Login, Some(_)) => "UGFzc3dvcmQ6",
        })
    }

    /// A line of the client, without its end.
    pub fn answer(&mut self, line: &[u8]) -> Step {
        if line == b"*" {
            return Step::Cancelled;
        }
        let Some(text) = decoded(line) else { return Step::Malformed };
        match (self.mechanism, self.name.take()) {
            (Mechanism::Plain, _) => plain(&text).map_or(Step::Malformed, Step::Done),
            (Mechanism::Login, None) if fits(&text) => {
                self.name = Some(text.to_string());
                self.challenge()
            }
            (Mechanism::Login, Some(name)) if fits(&text) => Step::Done(Credentials { name, password: text }),
            (Mechanism::Login, _) => Step::Malformed,
        }
    }
}

fn decoded(line: &[u8]) -> Option<Zeroizing<String>> {
    let mut octets = BASE64.decode(line).ok()?;
    let text = std::str::from_utf8(&octets).ok().map(|text| Zeroizing::new(text.to_owned()));
    octets.zeroize();
    text
}

/// `authzid NUL authcid NUL passwd`; to act for another (`authzid`) is not known here.
fn plain(text: &str) -> Option<Credentials> {
    let mut parts = text.split('\0');
    let (acts_for, name, password) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = parts.next().is_none() && (acts_for.is_empty() || acts_for == name) && fits(name) && fits(password);
    fits.then(|| Credentials { name: name.to_owned(), password: Zeroizing::new(password.to_owned()) })
}

/// RFC 4616 2: one octet at least, no NUL.
fn fits(text: &str) -> bool {
    !text.is_empty() && text.len() <= limits::SIGN_IN_OCTETS && !text.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(name: &str, password: &str) -> Step {
        Step::Done(Credentials { name: name.to_owned(), password: Zeroizing::new(password.to_owned()) })
    }

    #[test]
    fn what_is_answered_is_read() {
        let b64 = |text: &str| BASE64.encode(text);
        let long = "x".repeat(limits::SIGN_IN_OCTETS + 1);
        // The answers after the command, of which the first may stand in its line.
        let table: Vec<(Mechanism, Vec<String>, Step)> = vec![
            (Mechanism::Plain, vec![b64("\0office\0secret")], done("office", "secret")),
            (Mechanism::Plain, vec![b64("office\0office\0secret")], done("office", "secret")),
            (Mechanism::Plain, vec![b64("\0office\0secret").replace('=', "")], done("office", "secret")),
            (Mechanism::Plain, vec![b64("\0käthe\0geheim ß")], done("käthe", "geheim ß")),
            (Mechanism::Plain, vec![b64("head\0office\0secret")], Step::Malformed),
            (Mechanism::Plain, vec![b64("\0office")], Step::Malformed),
            (Mechanism::Plain, vec![b64("\0office\0")], Step::Malformed),
            (Mechanism::Plain, vec![b64("\0\0secret")], Step::Malformed),
            (Mechanism::Plain, vec![b64("\0office\0secret\0more")], Step::Malformed),
            (Mechanism::Plain, vec![b64(&format!("\0office\0{long}"))], Step::Malformed),
            (Mechanism::Plain, vec!["not base64!".to_owned()], Step::Malformed),
            (Mechanism::Plain, vec!["=".to_owned()], Step::Malformed),
            (Mechanism::Plain, vec![BASE64.encode(b"\0a\0\xff")], Step::Malformed),
            (Mechanism::Plain, vec!["*".to_owned()], Step::Cancelled),
            (Mechanism::Login, vec![b64("office"), b64("secret")], done("office", "secret")),
            (Mechanism::Login, vec![b64("office"), "*".to_owned()], Step::Cancelled),
            (Mechanism::Login, vec![b64("office"), b64("")], Step::Malformed),
            (Mechanism::Login, vec![b64("a\0b")], Step::Malformed),
        ];
        for (mechanism, answers, wanted) in table {
            for in_the_command in [false, true] {
                let mut answers = answers.iter().map(String::as_str);
                let initial = if in_the_command { answers.next() } else { None };
                let (mut exchange, mut step) = Exchange::begin(mechanism, initial);
                for answer in answers {
                    assert!(matches!(step, Step::Challenge(_)), "{mechanism:?} {wanted:?}");
                    step = exchange.answer(answer.as_bytes());
                }
                assert_eq!(step, wanted, "{mechanism:?} {in_the_command}");
            }
        }
    }

    #[test]
    fn nothing_shows_a_password() {
        let step = done("office", "secret");
        assert_eq!(format!("{step:?}"), "Done(Credentials)");
    }

    #[test]
    fn an_account_sends_for_its_own() {
        let address = |text: &str| Address::parse(text).expect("address");
        let account = Account {
            name: "copier".to_owned(),
            senders: vec![
                Sender::Mailbox(address("office@school.example")),
                Sender::Domain("scan.school.example".to_owned()),
            ],
        };
        for (from, may) in [
            ("office@school.example", true),
            ("Office@School.Example", true),
            ("head@school.example", false),
            ("anybody@scan.school.example", true),
            ("anybody@SCAN.school.example", true),
            ("anybody@not.scan.school.example", false),
        ] {
            assert_eq!(account.may_send_as(&address(from)), may, "{from}");
        }
    }
}
