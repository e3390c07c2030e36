//! Replies that a server gives us, read from its bytes (RFC 5321 4.2). Knows no stream. What we say ourselves is
//! [`super::Reply`], of which every code is known; here nothing is.
//!
//! Only the first digit decides (RFC 5321 4.2.1), so whatever follows it may be odd: a code that no RFC knows, no text,
//! text in any charset, too much text, several codes in one reply (the last line counts). What does not begin with a
//! digit from 2 to 5 is no reply. However long a reply is, what is kept of it is bounded.

use std::fmt::Display;

use super::reply::Enhanced;
use crate::limits;

/// A reply of a server, as it was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// As it was said; of a code that is not three digits long only the class, in hundreds.
    pub code: u16,
    /// The texts of its lines, as far as they are kept.
    pub lines: Vec<String>,
}

impl Answer {
    /// The first digit, which alone decides.
    pub fn class(&self) -> u16 {
        self.code / 100
    }

    /// The text on one line and sanitised; an enhanced status code that lines repeat stands once (RFC 2034 4).
    pub fn text(&self) -> String {
        let mut lines = self.lines.iter();
        let mut text = lines.next().cloned().unwrap_or_default();
        let repeated =
            text.split(' ').next().filter(|word| Enhanced::parse(word).is_some()).map(|word| format!("{word} "));
        for line in lines {
            text.push(' ');
            text.push_str(repeated.as_deref().and_then(|code| line.strip_prefix(code)).unwrap_or(line));
        }
        sanitised(&text)
    }

    /// The enhanced status code that its text begins with (RFC 2034 4).
    pub fn enhanced(&self) -> Option<Enhanced> {
        Enhanced::parse(self.lines.first()?.split_ascii_whitespace().next()?)
    }
}

impl Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.text();
        if text.is_empty() { write!(f, "{}", self.code) } else { write!(f, "{} {text}", self.code) }
    }
}

/// A text of the peer as it may stand in logs, in the store and in reports: one line, no controls, not too long.
pub fn sanitised(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() || c == '\u{2028}' || c == '\u{2029}' { ' ' } else { c });
    clean.take(limits::REPLY_KEPT).collect::<String>().trim().to_owned()
}

/// What was said is no SMTP reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// It begins with no digit from 2 to 5.
    #[error("what it says is no SMTP reply")]
    Nonsense,
    /// It passes the limit.
    #[error("its reply does not end")]
    Endless,
}

/// Makes replies of bytes, however they are cut.
#[derive(Debug, Default)]
pub struct AnswerReader {
    /// The line that is being read, as far as it is kept.
    line: Vec<u8>,
    /// Texts of the lines of the reply that is being read.
    lines: Vec<String>,
    /// A line with a hyphen after its code was read.
    begun: bool,
    /// Octets of the reply that is being read.
    octets: usize,
}

impl AnswerReader {
    /// Reads up to the end of a reply; gives how much was read, and the reply where it ended.
    ///
    /// # Errors
    /// It is none. Nothing that follows can be read either.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(usize, Option<Answer>), NoAnswer> {
        let mut read = 0;
        while let Some(end) = memchr::memchr(b'\n', &bytes[read..]) {
            self.take(&bytes[read..=read + end])?;
            read += end + 1;
            if let Some(reply) = self.end_line()? {
                return Ok((read, Some(reply)));
            }
        }
        self.take(&bytes[read..])?;
        Ok((bytes.len(), None))
    }

    /// The stream has ended: a last line that lacks only its line end is a reply all the same.
    pub fn end(&mut self) -> Option<Answer> {
        self.end_line().ok().flatten()
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), NoAnswer> {
        self.octets = self.octets.saturating_add(bytes.len());
        if self.octets > limits::REPLY_OCTETS {
            return Err(NoAnswer::Endless);
        }
        let room = limits::REPLY_LINE.saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<Answer>, NoAnswer> {
        let line = std::mem::take(&mut self.line);
        let line = line.trim_ascii_end();
        if line.is_empty() {
            return Ok(None);
        }
        let digits = line.iter().take_while(|b| b.is_ascii_digit()).count();
        let class = match line[0] {
            digit @ b'2'..=b'5' => u16::from(digit - b'0') * 100,
            // Some servers break a long text without another code.
            _ if self.begun && digits != 3 => return Ok(self.keep(line)),
            _ => return Err(NoAnswer::Nonsense),
        };
        let (code, text, more) = match (digits, self.begun) {
            (3, _) => {
                let code = class + u16::from(line[1] - b'0') * 10 + u16::from(line[2] - b'0');
                let text = &line[3..];
                let more = text.first() == Some(&b'-');
                (code, text.strip_prefix(b"-").or(text.strip_prefix(b" ")).unwrap_or(text), more)
            }
            (_, true) => return Ok(self.keep(line)),
            // The code is not what it should be, but the digit that decides is there.
            (_, false) => (class, line, false),
        };
        self.keep(text);
        self.begun = more;
        if more {
            return Ok(None);
        }
        self.octets = 0;
        Ok(Some(Answer { code, lines: std::mem::take(&mut self.lines) }))
    }

    fn keep(&mut self, text: &[u8]) -> Option<Answer> {
        if self.lines.len() < limits::REPLY_LINES {
            self.lines.push(decoded(text));
        }
        None
    }
}

/// UTF-8 where it is, perhaps cut in the middle of a character; everything else is Latin-1, which never fails.
fn decoded(text: &[u8]) -> String {
    match std::str::from_utf8(text) {
        Ok(text) => text.to_owned(),
        Err(error) if error.error_len().is_none() => String::from_utf8_lossy(&text[..error.valid_up_to()]).into_owned(),
        Err(_) => text.iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All replies in `bytes`, given whole and octet by octet.
    fn replies(bytes: &[u8]) -> Result<Vec<(u16, String)>, NoAnswer> {
        let read_all = |size: usize| {
            let (mut reader, mut found) = (AnswerReader::default(), Vec::new());
            for mut piece in bytes.chunks(size) {
                while !piece.is_empty() {
                    let (read, reply) = reader.read(piece)?;
                    piece = &piece[read..];
                    found.extend(reply);
                }
            }
            found.extend(reader.end());
            Ok(found.into_iter().map(|r| (r.code, r.text())).collect())
        };
        let whole = read_all(bytes.len().max(1));
        assert_eq!(whole, read_all(1), "{:?}", bytes.escape_ascii().to_string());
        whole
    }

    #[test]
    fn the_first_digit_and_the_last_line_decide() {
        let table: &[(&[u8], u16, &str)] = &[
            (b"250 ok\r\n", 250, "ok"),
            (b"250\r\n", 250, ""),
            (b"250 \r\n", 250, ""),
            (b"250 ok\n", 250, "ok"),
            (b"250 ok", 250, "ok"),
            (b"\r\n250 ok\r\n", 250, "ok"),
            (b"299 ok\r\n", 299, "ok"),
            (b"571 no\r\n", 571, "no"),
            (b"250ok\r\n", 250, "ok"),
            (b"250\tok\r\n", 250, "ok"),
            (b"25 ok\r\n", 200, "25 ok"),
            (b"2500 ok\r\n", 200, "2500 ok"),
            (b"550 gr\xfc\xdfe\r\n", 550, "gr\u{fc}\u{df}e"),
            ("550 grüße\r\n".as_bytes(), 550, "grüße"),
            (b"250-one\r\n250 two\r\n", 250, "one two"),
            (b"250-one\r\n550 two\r\n", 550, "one two"),
            (b"550-one\r\n250 two\r\n", 250, "one two"),
            (b"550-5.1.1 no\r\n550-5.1.1 such\r\n550 5.1.1 user\r\n", 550, "5.1.1 no such user"),
            (b"250-one\r\nand more\r\n2 lines\r\n250 two\r\n", 250, "one and more 2 lines two"),
            (b"250-\r\n250 \r\n", 250, ""),
            (b"250 a\0b\x1b[1m\r\n", 250, "a b [1m"),
        ];
        for (bytes, code, text) in table {
            let bytes = *bytes;
            assert_eq!(replies(bytes), Ok(vec![(*code, (*text).to_owned())]), "{}", bytes.escape_ascii());
        }
        assert_eq!(replies(b"250 a\r\n354 b\r\n"), Ok(vec![(250, "a".into()), (354, "b".into())]));
        assert_eq!(replies(b"250-cut off\r\n"), Ok(vec![]));
    }

    #[test]
    fn what_has_no_class_is_no_reply() {
        for bytes in [&b"HTTP/1.1 400\r\n"[..], b"ok\r\n", b" 250 ok\r\n", b"150 wait\r\n", b"600 x\r\n", b"\xff\r\n"] {
            assert_eq!(replies(bytes), Err(NoAnswer::Nonsense), "{}", bytes.escape_ascii());
        }
        assert_eq!(replies(b"250-a\r\n150 b\r\n"), Err(NoAnswer::Nonsense));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let long = [b"250 ", &b"x".repeat(200_000)[..], b"\r\n"].concat();
        assert_eq!(replies(&long).unwrap()[0].1.len(), limits::REPLY_KEPT);
        let many = [&b"250-line\r\n".repeat(20_000)[..], b"450 end\r\n"].concat();
        let mut reader = AnswerReader::default();
        let reply = reader.read(&many).unwrap().1.unwrap();
        assert_eq!((reply.code, reply.lines.len()), (450, limits::REPLY_LINES));
        let endless = b"250-line\r\n".repeat(limits::REPLY_OCTETS / 10 + 1);
        assert_eq!(AnswerReader::default().read(&endless), Err(NoAnswer::Endless));
        assert_eq!(AnswerReader::default().read(&b"2".repeat(limits::REPLY_OCTETS + 1)), Err(NoAnswer::Endless));
        // The last octet that is let through, and the first that is not, are the same however the reply is cut.
        for (over, wanted) in [(0, Ok(1)), (1, Err(NoAnswer::Endless))] {
            let lines = b"250-line\r\n".repeat(1_000);
            let last = limits::REPLY_OCTETS + over - lines.len() - 6;
            let reply = [&lines[..], b"250 ", &b"x".repeat(last), b"\r\n"].concat();
            assert_eq!(reply.len(), limits::REPLY_OCTETS + over);
            assert_eq!(replies(&reply).map(|all| all.len()), wanted, "{over} over");
        }
        // An umlaut at the place where a line is cut.
        let cut = format!("250 {}ü\r\n", "x".repeat(limits::REPLY_LINE - 5));
        assert!(AnswerReader::default().read(cut.as_bytes()).unwrap().1.unwrap().lines[0].ends_with('x'));
    }

    #[test]
    fn an_enhanced_code_is_read_where_there_is_one() {
        let reply = |text: &str| Answer { code: 550, lines: vec![text.to_owned()] };
        for (text, wanted) in [
            ("5.7.64 no", Some((5, 7, 64))),
            ("5.7.64", Some((5, 7, 64))),
            ("5.7 no", None),
            ("no 5.7.64", None),
            ("5.7.64.1", None),
            ("5.7.6400", None),
            ("", None),
        ] {
            let wanted = wanted.map(|(class, subject, detail)| Enhanced { class, subject, detail });
            assert_eq!(reply(text).enhanced(), wanted, "{text}");
        }
    }

    #[test]
    fn texts_of_the_peer_are_one_short_line() {
        assert_eq!(sanitised("no\r\nsuch\x1b[31m user\t"), "no  such [31m user");
        assert_eq!(sanitised(&"x".repeat(10_000)).len(), limits::REPLY_KEPT);
    }
}
