//! The content of a message on the wire: the one place that knows CR, LF and dot (RFC 5321 2.3.8, 4.1.1.4, 4.5.2).
//!
//! Only a dot alone between two CRLFs ends the content, or a dot and CRLF right at its start. A CR or LF that stands
//! alone ends nothing and is remembered: the reader goes on to the true end, so that the client hears the refusal and
//! the session stays in step, and nothing that another server would read as a second message can pass here. The result
//! is the same however the input is cut.
//!
//! For old devices that know no better, [`LineEnds::Fix`] makes such a CR or LF whole instead. A lone dot beside one stays a
//! reason to refuse: what reads it as the end of a message would obey what follows (SMTP smuggling, CVE-2023-51764).

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use crate::limits;

/// What becomes of line ends that are no CR LF (RFC 5321 2.3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineEnds {
    /// The message is refused.
    #[default]
    Strict,
    /// A bare LF becomes CR LF, a bare CR a space; a lone dot beside one is refused all the same.
    Fix,
}

/// What may be said of content without understanding it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContentFacts {
    /// Octets after un-stuffing, counted on even when they are no longer given out.
    pub size: usize,
    /// Lines up to the first empty one.
    pub header_lines: usize,
    /// Octets up to and without the first empty line.
    pub header_bytes: usize,
    /// Header lines that begin with `Received:`.
    pub received: usize,
    /// An octet above 127.
    pub eight_bit: bool,
    /// A NUL.
    pub nul: bool,
    /// A CR or LF that is not part of a CRLF, and was not to be mended.
    pub bare_line_end: bool,
    /// A CR or LF was mended.
    pub mended: bool,
    /// The first line begins with a space or tab: under a field of ours it would become part of it.
    pub starts_folded: bool,
}

/// Why content is refused once it has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// CR or LF alone.
    #[error(
        "The message has lines that end in a bare CR or bare LF. Every line must end in CR LF: \
         set the sending program to CR LF line ends, or send through a mail server that does"
    )]
    BareLineEnd,
    /// Over the size limit.
    #[error("The message is larger than this server takes")]
    TooBig,
    /// Too many header lines or octets.
    #[error("The message's header is longer than this server takes")]
    HeaderTooLong,
    /// A NUL octet.
    #[error("The message holds a NUL octet, which mail may not (RFC 5322 2.2); send such data encoded as base64")]
    Nul,
    /// The first line is a continuation of nothing.
    #[error("The message begins with a space or tab; it must begin with its header (RFC 5322 2.2)")]
    StartsFolded,
    /// Too many Received lines.
    #[error("The message has passed too many servers, it is probably looping")]
    TooManyHops,
}

impl ContentFacts {
    /// The reason to refuse such content, the gravest first.
    pub fn refusal(&self, message_size: usize) -> Option<Refusal> {
        if self.bare_line_end {
            Some(Refusal::BareLineEnd)
        } else if self.size > message_size {
            Some(Refusal::TooBig)
        } else if self.header_lines > limits::HEADER_LINES || self.header_bytes > limits::HEADER_BYTES {
            Some(Refusal::HeaderTooLong)
        } else if self.starts_folded {
            Some(Refusal::StartsFolded)
        } else if self.nul {
            Some(Refusal::Nul)
        } else if self.received >= limits::RECEIVED_HOPS {
            Some(Refusal::TooManyHops)
        } else {
            None
        }
    }
}

/// How far the reader came with one piece of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// All of it was content; more is wanted.
    More,
    /// The content ended behind this many octets of the input; the rest are commands.
    End(usize),
    /// The content is so far over its limit that reading on makes no sense.
    Overrun,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Behind a CRLF, or at the very start.
    LineStart,
    /// Inside a line.
    Text,
    /// Behind a CR inside a line.
    Cr,
    /// Behind a dot at the start of a line.
    Dot,
    /// Behind a dot and a CR at the start of a line.
    DotCr,
    /// Behind a CR that was mended.
    MendedCr,
    /// Behind a dot that follows one.
    MendedCrDot,
}

const RECEIVED: &[u8; 9] = b"received:";

/// Reads content from the wire.
#[derive(Debug)]
pub struct DataReader {
    state: State,
    line_ends: LineEnds,
    /// The line began behind an LF that was mended.
    behind_mended: bool,
    message_size: usize,
    facts: ContentFacts,
    in_header: bool,
    /// The first octets of the current header line, in lower case, and the line's length.
    line_head: [u8; RECEIVED.len()],
    line_length: usize,
}

impl DataReader {
    /// A reader for one message of at most `message_size` octets.
    pub fn new(message_size: usize, line_ends: LineEnds) -> Self {
        Self {
            state: State::LineStart,
            line_ends,
            behind_mended: false,
            message_size,
            facts: ContentFacts::default(),
            in_header: true,
            line_head: [0; RECEIVED.len()],
            line_length: 0,
        }
    }

    /// What is known of the content so far.
    pub fn facts(&self) -> ContentFacts {
        self.facts
    }

    /// Reads a piece of input and appends the content in it to `out`, un-stuffed.
    ///
    /// Once the content cannot be taken any more (a bare line end, too big), nothing more is appended.
    pub fn read(&mut self, input: &[u8], out: &mut Vec<u8>) -> Progress {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            match (self.state, byte) {
                (State::LineStart, b'.') => {
                    self.state = State::Dot;
                    at += 1;
                }
                (State::Dot, b'\r') => {
                    self.state = State::DotCr;
                    at += 1;
                }
                (State::DotCr, b'\n') if !self.behind_mended => return Progress::End(at + 1),
                (State::Cr, b'\n') => {
                    self.line(out);
                    self.behind_mended = false;
                    at += 1;
                }
                (State::Cr, _) if self.mends() => {
                    self.facts.mended = true;
                    self.take(b" ", out);
                    self.state = State::MendedCr;
                }
                (State::MendedCr, b'.') => {
                    self.take(b".", out);
                    self.state = State::MendedCrDot;
                    at += 1;
                }
                (State::MendedCr, _) => self.state = State::Text,
                // A lone dot beside a bare one, with any two of CR and LF around it.
                (State::MendedCrDot, b'\r' | b'\n') | (State::Dot, b'\n') => {
                    self.facts.bare_line_end = true;
                    self.state = State::Text;
                }
                // The same, behind a mended LF. Its own line end is whole: the true end may be what follows.
                (State::DotCr, b'\n') => {
                    self.facts.bare_line_end = true;
                    self.line(out);
                    self.behind_mended = false;
                    at += 1;
                }
                (State::MendedCrDot, _) => self.state = State::Text,
                (State::Cr | State::DotCr, _) => {
                    self.facts.bare_line_end = true;
                    self.take(b"\r", out);
                    self.state = State::Text;
                }
                // The dot was stuffing, or stands before text all the same (RFC 5321 4.5.2): it goes.
                (State::LineStart | State::Dot, _) => self.state = State::Text,
                (State::Text, b'\r') => {
                    self.state = State::Cr;
                    at += 1;
                }
                (State::Text, b'\n') if self.mends() => {
                    self.facts.mended = true;
                    self.line(out);
                    self.behind_mended = true;
                    at += 1;
                }
                (State::Text, b'\n') => {
                    self.facts.bare_line_end = true;
                    self.take(b"\n", out);
                    at += 1;
                }
                (State::Text, _) => {
                    let rest = &input[at..];
                    let text = &rest[..memchr2(b'\r', b'\n', rest).unwrap_or(rest.len())];
                    self.facts.eight_bit |= !text.is_ascii();
                    self.facts.nul |= memchr(0, text).is_some();
                    self.take(text, out);
                    at += text.len();
                }
            }
            // Twice the limit is read for the sake of a client that hears 552 only behind its final dot.
            if self.facts.size > self.message_size.saturating_mul(2) {
                return Progress::Overrun;
            }
        }
        Progress::More
    }

    /// What is refused already is read as it stands.
    fn mends(&self) -> bool {
        self.line_ends == LineEnds::Fix && !self.facts.bare_line_end
    }

    fn line(&mut self, out: &mut Vec<u8>) {
        self.take(b"\r\n", out);
        self.line_has_ended();
        self.state = State::LineStart;
    }

    fn take(&mut self, content: &[u8], out: &mut Vec<u8>) {
        if self.facts.size == 0 {
            self.facts.starts_folded = matches!(content.first(), Some(b' ' | b'\t'));
        }
        self.facts.size += content.len();
        if self.in_header {
            if content != b"\r\n" {
                for (slot, byte) in self.line_head.iter_mut().skip(self.line_length).zip(content) {
                    *slot = byte.to_ascii_lowercase();
                }
                self.line_length += content.len();
            }
            self.facts.header_bytes = self.facts.size;
        }
        if !self.facts.bare_line_end && self.facts.size <= self.message_size {
            out.extend_from_slice(content);
        }
    }

    fn line_has_ended(&mut self) {
        if !self.in_header {
            return;
        }
        if self.line_length == 0 {
            self.in_header = false;
            self.facts.header_bytes -= b"\r\n".len();
            return;
        }
        self.facts.header_lines += 1;
        if self.line_length >= RECEIVED.len() && &self.line_head == RECEIVED {
            self.facts.received += 1;
        }
        self.line_length = 0;
    }
}

/// Content as it goes on the wire, without the end: a dot before every line that begins with one (RFC 5321 4.5.2).
///
/// Content that was taken in has CRLF line ends only and comes out unchanged but for the dots. A CR or LF that stands
/// alone all the same, in a text of our own, is written as CRLF: never does a bare one go out.
pub fn dot_stuff(content: &[u8]) -> Cow<'_, [u8]> {
    let mut out: Vec<u8> = Vec::new();
    // What of `content` is in `out` already; while nothing had to change, nothing is copied.
    let mut copied = 0;
    let mut line = 0;
    while line < content.len() {
        if content[line] == b'.' {
            out.extend_from_slice(&content[copied..line]);
            out.push(b'.');
            copied = line;
        }
        let Some(end) = memchr2(b'\r', b'\n', &content[line..]).map(|i| line + i) else { break };
        if content[end..].starts_with(b"\r\n") {
            line = end + 2;
        } else {
            out.extend_from_slice(&content[copied..end]);
            out.extend_from_slice(b"\r\n");
            line = end + 1;
            copied = line;
        }
    }
    if out.is_empty() {
        return Cow::Borrowed(content);
    }
    out.extend_from_slice(&content[copied..]);
    Cow::Owned(out)
}

/// What ends stuffed content on the wire: the dot line, with a CRLF before it where the last line has none.
pub fn end_of_data(stuffed: &[u8]) -> &'static [u8] {
    if stuffed.is_empty() || stuffed.ends_with(b"\r\n") { b".\r\n" } else { b"\r\n.\r\n" }
}

#[cfg(test)]
mod tests;
