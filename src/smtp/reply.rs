//! Replies: one closed list of codes, enhanced status codes, and the bytes on the wire (RFC 5321 4.2; RFC 2034; RFC 3463).
//!
//! The class of an enhanced code is the first digit of its reply by construction. Text is made printable ASCII and
//! folded, so that no reply line passes 512 octets and nothing a peer sent can break out of its line.

use crate::limits;

/// Every reply code that this server gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Code {
    /// Answer to HELP.
    Help = 214,
    /// The banner.
    Ready = 220,
    /// Answer to QUIT.
    Closing = 221,
    /// Signed in.
    SignedIn = 235,
    /// Done.
    Ok = 250,
    /// VRFY: will try.
    CannotVerify = 252,
    /// Go on with signing in.
    Challenge = 334,
    /// Send the content.
    StartContent = 354,
    /// Going away, or too many connections.
    Unavailable = 421,
    /// Mailbox not available now.
    MailboxBusy = 450,
    /// Our fault, for now.
    LocalError = 451,
    /// Not enough room, for now.
    NoRoom = 452,
    /// Signing in, or TLS, is not possible now.
    NotNow = 454,
    /// Unknown command, or line too long.
    Unrecognised = 500,
    /// Syntax of the arguments.
    Syntax = 501,
    /// Known, not done here.
    NotImplemented = 502,
    /// Not now: bad sequence.
    BadSequence = 503,
    /// Parameter not done here.
    NoSuchMechanism = 504,
    /// Sign in, or begin TLS, first.
    Required = 530,
    /// Wrong name or password.
    WrongPassword = 535,
    /// Not without TLS.
    WantsTls = 538,
    /// Refused: policy, or no such mailbox.
    Refused = 550,
    /// Too big.
    TooBig = 552,
    /// This address cannot be taken.
    BadAddress = 553,
    /// The transaction failed.
    Failed = 554,
    /// Parameter not known.
    BadParameter = 555,
}

impl Code {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Help,
        Self::Ready,
        Self::Closing,
        Self::SignedIn,
        Self::Ok,
        Self::CannotVerify,
        Self::Challenge,
        Self::StartContent,
        Self::Unavailable,
        Self::MailboxBusy,
        Self::LocalError,
        Self::NoRoom,
        Self::NotNow,
        Self::Unrecognised,
        Self::Syntax,
        Self::NotImplemented,
        Self::BadSequence,
        Self::NoSuchMechanism,
        Self::Required,
        Self::WrongPassword,
        Self::WantsTls,
        Self::Refused,
        Self::TooBig,
        Self::BadAddress,
        Self::Failed,
        Self::BadParameter,
    ];

    /// The number.
    pub fn number(self) -> u16 {
        self as u16
    }
}

/// An enhanced status code (RFC 3463 2), ours or another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enhanced {
    /// 2 done, 4 not now, 5 no.
    pub class: u16,
    /// What it is about.
    pub subject: u16,
    /// The matter itself.
    pub detail: u16,
}

impl Enhanced {
    /// Three numbers of one to three digits, between dots; `None` for all else.
    pub fn parse(word: &str) -> Option<Self> {
        let mut numbers = word.split('.').map(|part| {
            let fits = matches!(part.len(), 1..=3) && part.bytes().all(|b| b.is_ascii_digit());
            part.parse().ok().filter(|_| fits)
        });
        let (class, subject, detail) = (numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(Self { class, subject, detail })
    }
}

impl std::fmt::Display for Enhanced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// One reply of ours, of one line or several. What others say is [`super::Answer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: Code,
    /// Subject and detail of RFC 3463; the class is the code's.
    enhanced: Option<(u16, u16)>,
    lines: Vec<String>,
}

impl Reply {
    /// A reply with an enhanced status code `(subject, detail)`: `(7, 1)` on a 550 is written `5.7.1`.
    ///
    /// A line break in `text` begins a new line of the reply; long lines are folded.
    pub fn new(code: Code, enhanced: (u16, u16), text: impl AsRef<str>) -> Self {
        Self { code, enhanced: Some(enhanced), lines: text.as_ref().lines().map(str::to_owned).collect() }
    }

    /// A reply without an enhanced code: the banner, EHLO and 354 (RFC 2034 4).
    pub fn bare(code: Code, lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { code, enhanced: None, lines: lines.into_iter().map(Into::into).collect() }
    }

    /// 250 2.0.0 with the queue id: the message is ours. Only what has made it durable may say so.
    pub fn queued(id: impl std::fmt::Display) -> Self {
        Self::new(Code::Ok, (0, 0), format!("Ok: queued as {id}"))
    }

    /// 550 5.7.1: refused by policy, with the reason in plain words.
    pub fn refused_by_policy(reason: impl AsRef<str>) -> Self {
        Self::new(Code::Refused, (7, 1), reason)
    }

    /// 451 4.3.0: our fault, the client keeps the message and tries again.
    pub fn try_again(reason: impl AsRef<str>) -> Self {
        Self::new(Code::LocalError, (3, 0), reason)
    }

    /// 452 4.3.1: no room on disk.
    pub fn no_room() -> Self {
        Self::new(Code::NoRoom, (3, 1), "Not enough storage, please try again later")
    }

    /// 451 4.3.2: more mail than can be read at the moment; the client keeps the message and tries again.
    pub fn busy() -> Self {
        Self::new(Code::LocalError, (3, 2), "More mail than can be read at the moment, please try again later")
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// 2xx.
    pub fn is_success(&self) -> bool {
        self.code.number() / 100 == 2
    }

    /// 5xx.
    pub fn is_permanent(&self) -> bool {
        self.code.number() / 100 == 5
    }

    /// The enhanced status code.
    pub fn enhanced(&self) -> Option<Enhanced> {
        let class = self.code.number() / 100;
        self.enhanced.map(|(subject, detail)| Enhanced { class, subject, detail })
    }

    /// The reply as it goes on the wire, each line with code, enhanced code and CRLF (RFC 5321 4.2.1).
    pub fn to_bytes(&self) -> Vec<u8> {
        let enhanced = self.enhanced().map(|e| format!("{e} ")).unwrap_or_default();
        let room = limits::REPLY_LINE - "250-\r\n".len() - enhanced.len();
        let mut lines: Vec<String> = self.lines.iter().flat_map(|l| fold(&printable(l), room)).collect();
        if lines.is_empty() {
            lines.push(String::new());
        }
        let last = lines.len() - 1;
        let mut out = Vec::new();
        for (i, line) in lines.iter().enumerate() {
            let separator = if i == last { ' ' } else { '-' };
            out.extend_from_slice(format!("{}{separator}{enhanced}{line}\r\n", self.code.number()).as_bytes());
        }
        out
    }
}

/// Printable ASCII; everything else becomes a question mark.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect()
}

/// Cuts ASCII text into lines of at most `room` octets, at spaces where there are any.
fn fold(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while rest.len() > room {
        let cut = rest[..=room].rfind(' ').filter(|&i| i > 0).unwrap_or(room);
        let (line, behind) = rest.split_at(cut);
        lines.push(line.to_owned());
        rest = behind.trim_start_matches(' ');
    }
    lines.push(rest.to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(reply: &Reply) -> String {
        String::from_utf8(reply.to_bytes()).unwrap()
    }

    #[test]
    fn one_line_and_many() {
        assert_eq!(wire(&Reply::queued("abc")), "250 2.0.0 Ok: queued as abc\r\n");
        assert_eq!(wire(&Reply::refused_by_policy("no\nnever")), "550-5.7.1 no\r\n550 5.7.1 never\r\n");
        assert_eq!(wire(&Reply::bare(Code::Ok, ["me", "SIZE 1"])), "250-me\r\n250 SIZE 1\r\n");
        assert_eq!(wire(&Reply::new(Code::Failed, (6, 0), "")), "554 5.6.0 \r\n");
    }

    #[test]
    fn nothing_breaks_out_of_its_line() {
        let reply = Reply::new(Code::Unrecognised, (5, 1), "a\rb\0c\u{7f}d\u{e9}\u{85}");
        assert_eq!(wire(&reply), "500 5.5.1 a?b?c?d??\r\n");
    }

    /// Relay checklist, row 24.
    #[test]
    fn every_line_fits_and_every_class_agrees() {
        for &code in Code::ALL {
            for text in ["word ".repeat(400), "x".repeat(2_000), " ".repeat(700), "é".repeat(600)] {
                let wire = wire(&Reply::new(code, (7, 1), &text));
                let lines: Vec<&str> = wire.split_terminator("\r\n").collect();
                for (i, line) in lines.iter().enumerate() {
                    assert!(line.len() + 2 <= 512, "{} octets", line.len() + 2);
                    assert_eq!(&line[..1], &line[4..5], "{line}");
                    assert_eq!(&line[3..4], if i + 1 == lines.len() { " " } else { "-" });
                }
            }
        }
    }
}
