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
mod tests {
    mod forms;

    use super::*;

    const BIG: usize = 1 << 20;

    /// Reads in pieces cut at `cuts`; gives content, facts and what lies behind the end.
    fn read(input: &[u8], cuts: &[usize], size: usize) -> (Vec<u8>, ContentFacts, Option<Vec<u8>>) {
        read_with(LineEnds::Strict, input, cuts, size)
    }

    fn read_with(
        line_ends: LineEnds,
        input: &[u8],
        cuts: &[usize],
        size: usize,
    ) -> (Vec<u8>, ContentFacts, Option<Vec<u8>>) {
        let mut reader = DataReader::new(size, line_ends);
        let mut out = Vec::new();
        let mut from = 0;
        for to in cuts.iter().copied().chain([input.len()]) {
            match reader.read(&input[from..to], &mut out) {
                Progress::More => from = to,
                Progress::End(n) => return (out, reader.facts(), Some(input[from + n..].to_vec())),
                Progress::Overrun => break,
            }
        }
        (out, reader.facts(), None)
    }

    /// Input; `Some(content)` when it ends there; whether a bare line end is reported.
    type Form = (&'static [u8], Option<&'static [u8]>, bool);

    const FORMS: &[Form] = &[
        (b".\r\n", Some(b""), false),
        (b"\r\n.\r\n", Some(b"\r\n"), false),
        (b"a\r\n.\r\n", Some(b"a\r\n"), false),
        (b"..\r\n.\r\n", Some(b".\r\n"), false),
        (b"..x\r\n.\r\n", Some(b".x\r\n"), false),
        (b".x\r\n.\r\n", Some(b"x\r\n"), false),
        (b"a\r\n..\r\n...\r\n.\r\n", Some(b"a\r\n.\r\n..\r\n"), false),
        (b"a.\r\n.\r\n", Some(b"a.\r\n"), false),
        (b"a\r\n . \r\n.\r\n", Some(b"a\r\n . \r\n"), false),
        (b"a\r\n. \r\n.\r\n", Some(b"a\r\n \r\n"), false),
        (b"a\r\n.\0\r\n.\r\n", Some(b"a\r\n\0\r\n"), false),
        (b"a\r\n\0.\r\n.\r\n", Some(b"a\r\n\0.\r\n"), false),
        (b"\xff\xfe\r\n.\r\n", Some(b"\xff\xfe\r\n"), false),
        (b"", None, false),
        (b".", None, false),
        (b".\r", None, false),
        (b"a\r\n.\r", None, false),
        (b"a\r\n.", None, false),
        (b".\n", None, true),
        (b".\rx", None, true),
        (b"a\n.\n", None, true),
        (b"a\n.\r", None, true),
        (b"a\r.\n", None, true),
        (b"a\r.\r", None, true),
        (b"a\n.\r\n", None, true),
        (b"a\r.\r\n", None, true),
        (b"a\r\n.\n", None, true),
        (b"a\r\n.\rb", None, true),
        (b"a\r\n.\r\r\n", None, true),
        (b"a\r\r\n.\r\r\n", None, true),
        (b"a\r\n\r.\r\n", None, true),
        (b"a\r\n\n.\r\n", None, true),
        (b"a\n\r\n.\r\n", Some(b"a"), true),
        (b"a\r\r\n.\r\n", Some(b"a"), true),
        (b"\r.\r\n.\r\n", Some(b""), true),
        (b"\n.\n\r\n.\r\n", Some(b""), true),
    ];

    #[test]
    fn bare_line_ends_are_mended_where_that_is_wanted() {
        let table: &[(&[u8], Option<&[u8]>)] = &[
            (b"a\nb\r\n.\r\n", Some(b"a\r\nb\r\n")),
            (b"a\n\nb\n\r\n.\r\n", Some(b"a\r\n\r\nb\r\n\r\n")),
            (b"\na\r\n.\r\n", Some(b"\r\na\r\n")),
            (b"a\rb\r\n.\r\n", Some(b"a b\r\n")),
            (b"a\r\r\n.\r\n", Some(b"a \r\n")),
            (b"a\n\r\n.\r\n", Some(b"a\r\n\r\n")),
            (b"a\n..b\n.c\r\n.\r\n", Some(b"a\r\n.b\r\nc\r\n")),
            (b"a\r.b\r\n.\r\n", Some(b"a .b\r\n")),
            (b"a\n.\r\n\r\n.\r\n", None),
            (b"a\n.\n\r\n.\r\n", None),
            (b"a\r\n.\nMAIL\r\n.\r\n", None),
            (b"a\r\n.\rMAIL\r\n.\r\n", None),
            (b"a\r.\r\n\r\n.\r\n", None),
            (b"a\r.\rMAIL\r\n.\r\n", None),
        ];
        for (input, content) in table {
            let shown = input.escape_ascii();
            for cuts in [vec![], (1..input.len()).collect()] {
                let (out, facts, rest) = read_with(LineEnds::Fix, input, &cuts, BIG);
                assert_eq!(rest.as_deref(), Some(&b""[..]), "{shown}: it ends with its last line");
                assert_eq!(facts.bare_line_end, content.is_none(), "{shown}");
                if let Some(content) = content {
                    assert_eq!(out.escape_ascii().to_string(), content.escape_ascii().to_string(), "{shown}");
                    assert!(facts.mended);
                }
            }
        }
        let plain = b"Received: a\r\n..b\r\n\r\nc\r\n.\r\n";
        assert_eq!(read_with(LineEnds::Fix, plain, &[], BIG), read(plain, &[], BIG), "what is whole is left alone");
    }

    #[test]
    fn a_lone_dot_beside_a_bare_line_end_is_refused_whatever_stands_around_it() {
        let mut ends = vec![String::new()];
        for _ in 0..3 {
            let longer: Vec<String> =
                ends.iter().flat_map(|end| ["\r", "\n"].map(|one| format!("{end}{one}"))).collect();
            ends.extend(longer);
        }
        ends.sort_unstable();
        ends.dedup();
        let mut tried = 0;
        for (before, after) in ends.iter().flat_map(|before| ends.iter().map(move |after| (before, after))) {
            if before.is_empty() || after.is_empty() {
                continue;
            }
            let smuggled = format!("a{before}.{after}MAIL FROM:<x@x.example>\r\n.\r\n");
            let (_, facts, rest) = read_with(LineEnds::Fix, smuggled.as_bytes(), &[], BIG);
            let is_true_end = before.ends_with("\r\n") && after.starts_with("\r\n");
            if is_true_end {
                assert!(rest.is_some_and(|rest| rest.len() > 5), "{before:?} {after:?}");
            } else {
                assert_eq!(rest.as_deref(), Some(&b""[..]), "{before:?} {after:?}: read to the true end");
                assert!(facts.bare_line_end, "{before:?} {after:?}: and refused");
            }
            tried += 1;
        }
        assert!(tried > 190, "{tried} of 14 by 14");
    }

    #[test]
    fn only_a_dot_between_two_crlf_ends_the_content() {
        for (input, content, bare) in FORMS {
            let mut behind = input.to_vec();
            if content.is_some() {
                behind.extend_from_slice(b"MAIL FROM:<>\r\n");
            }
            let (out, facts, rest) = read(&behind, &[], BIG);
            let form = input.escape_ascii();
            assert_eq!(facts.bare_line_end, *bare, "{form}");
            match content {
                Some(content) => {
                    assert_eq!(out, *content, "{form}");
                    assert_eq!(rest.as_deref(), Some(&b"MAIL FROM:<>\r\n"[..]), "{form}");
                }
                None => assert_eq!(rest, None, "{form}"),
            }
        }
    }

    /// Relay checklist, row 48.
    #[test]
    fn every_cut_of_the_input_reads_the_same() {
        for (form, _, _) in FORMS {
            let mut input = b"Received: x\r\n y\r\nSubject: s\r\n\r\n".to_vec();
            input.extend_from_slice(form);
            for input in [form.to_vec(), input] {
                let whole = read(&input, &[], BIG);
                for i in 0..=input.len() {
                    for j in i..=input.len() {
                        assert_eq!(read(&input, &[i, j], BIG), whole, "{} cut at {i}, {j}", input.escape_ascii());
                    }
                }
                let each: Vec<usize> = (0..input.len()).collect();
                assert_eq!(read(&input, &each, BIG), whole, "{} octet by octet", input.escape_ascii());
            }
        }
    }

    #[test]
    fn facts_of_the_header() {
        let table: &[(&[u8], usize, usize, usize)] = &[
            (b".\r\n", 0, 0, 0),
            (b"\r\nReceived: in the body\r\n.\r\n", 0, 0, 0),
            (b"Received: a\r\nRECEIVED: b\r\n\r\nx\r\n.\r\n", 2, 26, 2),
            (b"Received: a\r\n\tReceived: folded\r\nReceiver: c\r\n\r\n.\r\n", 3, 45, 1),
            (b"Received:\r\nReceived\r\n.\r\n", 2, 21, 1),
        ];
        for (input, lines, bytes, received) in table {
            let facts = read(input, &[], BIG).1;
            let found = (facts.header_lines, facts.header_bytes, facts.received);
            assert_eq!(found, (*lines, *bytes, *received), "{}", input.escape_ascii());
        }
        let facts = read("Subject: ä\r\n\r\na\0b\r\n.\r\n".as_bytes(), &[], BIG).1;
        assert!(facts.eight_bit && facts.nul && !facts.bare_line_end);
        assert_eq!(facts.refusal(BIG), Some(Refusal::Nul));
    }

    /// Relay checklist, row 54.
    #[test]
    fn a_first_line_may_not_fold_and_long_lines_pass() {
        for (input, refusal) in [
            (&b" x\r\n.\r\n"[..], Some(Refusal::StartsFolded)),
            (b"\tx\r\n.\r\n", Some(Refusal::StartsFolded)),
            (b". x\r\n.\r\n", Some(Refusal::StartsFolded)),
            (b"\r\n x\r\n.\r\n", None),
            (b"From x\r\n x\r\n.\r\n", None),
        ] {
            assert_eq!(read(input, &[], BIG).1.refusal(BIG), refusal, "{}", input.escape_ascii());
        }
        for length in [998, 999, 100_000] {
            let line = [vec![b'x'; length], b"\r\n".to_vec()].concat();
            let (out, facts, _) = read(&[&line[..], b".\r\n"].concat(), &[], BIG);
            assert_eq!((out, facts.refusal(BIG)), (line, None));
        }
    }

    /// Relay checklist, rows 52 and 53.
    #[test]
    fn one_octet_over_the_limit_is_read_to_its_end_and_refused() {
        let at_limit = read(b"12345678\r\n.\r\nX", &[], 10);
        assert_eq!((at_limit.1.refusal(10), at_limit.2.as_deref()), (None, Some(&b"X"[..])));
        let over = read(b"123456789\r\n.\r\nX", &[], 10);
        assert_eq!((over.1.refusal(10), over.2.as_deref()), (Some(Refusal::TooBig), Some(&b"X"[..])));
        assert!(over.0.len() <= 10);
        // A first line that a mailbox would take for its separator is content like any other.
        for (input, refusal) in [(&b"From x\r\n\r\n.\r\n"[..], None), (b">From x\r\n\r\n.\r\n", Some(Refusal::TooBig))]
        {
            let (out, facts, _) = read(input, &[], 10);
            assert_eq!(facts.refusal(10), refusal);
            assert!(refusal.is_some() || out == b"From x\r\n\r\n");
        }
        let mut reader = DataReader::new(10, LineEnds::Strict);
        assert_eq!(reader.read(&[b'x'; 21], &mut Vec::new()), Progress::Overrun);
    }

    /// Relay checklist, row 64.
    #[test]
    fn headers_without_end_and_hops_without_end() {
        let lines = b"X: y\r\n".repeat(limits::HEADER_LINES + 1);
        let hops = b"Received: y\r\n".repeat(limits::RECEIVED_HOPS);
        for (input, refusal) in [(lines, Refusal::HeaderTooLong), (hops, Refusal::TooManyHops)] {
            let facts = read(&[input.as_slice(), b"\r\n.\r\n"].concat(), &[], BIG).1;
            assert_eq!(facts.refusal(BIG), Some(refusal));
        }
    }

    #[test]
    fn stuffing_table() {
        let table: &[(&[u8], &[u8])] = &[
            (b"", b""),
            (b"a\r\n", b"a\r\n"),
            (b".", b".."),
            (b".\r\n", b"..\r\n"),
            (b"a\r\n.b\r\n..\r\n", b"a\r\n..b\r\n...\r\n"),
            (b"a.b\r\n", b"a.b\r\n"),
            (b"a\nb", b"a\r\nb"),
            (b"a\n.\nb\r", b"a\r\n..\r\nb\r\n"),
            (b"a\r.\r\n", b"a\r\n..\r\n"),
            (b"\r\r\n\n", b"\r\n\r\n\r\n"),
        ];
        for (content, wire) in table {
            assert_eq!(dot_stuff(content).as_ref(), *wire, "{}", content.escape_ascii());
        }
        assert!(matches!(dot_stuff(b"a\r\nb\r\n"), Cow::Borrowed(_)));
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(content in "([.ab\u{e9}]{0,4}\r\n){0,12}") {
            let stuffed = dot_stuff(content.as_bytes());
            let wire = [&*stuffed, end_of_data(&stuffed), b"QUIT\r\n"].concat();
            let (out, facts, rest) = read(&wire, &[], BIG);
            proptest::prop_assert_eq!(out, content.as_bytes());
            proptest::prop_assert_eq!(facts.size, content.len());
            proptest::prop_assert_eq!(rest.as_deref(), Some(&b"QUIT\r\n"[..]));
        }

        #[test]
        fn no_bare_line_end_is_ever_written(content in "[.ab\r\n]{0,60}") {
            let stuffed = dot_stuff(content.as_bytes());
            let wire = [&*stuffed, end_of_data(&stuffed)].concat();
            let (_, facts, rest) = read(&wire, &[], BIG);
            proptest::prop_assert!(!facts.bare_line_end, "{:?}", wire);
            proptest::prop_assert_eq!(rest, Some(Vec::new()));
        }
    }
}
