//! Encoded words of header values (RFC 2047), read as generously as any mail program reads them.
//!
//! White space between two encoded words is dropped (RFC 2047 6.2); words with the same charset are joined before
//! they are decoded, since some senders split a character over two; a word need not stand by itself.

use super::{charset, transfer};

/// Decodes all encoded words in an unfolded value. Control characters that decoding brings in become spaces.
pub fn decode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut pending: Option<(String, Vec<u8>)> = None;
    let mut rest = value;
    let mut ends = Next::of(value, |text| text.find("?="));
    while let Some(start) = rest.find("=?") {
        let Some((word, length)) = Word::read(value, value.len() - rest.len() + start, &mut ends) else {
            flush(&mut pending, &mut out);
            out.push_str(&rest[..start + 2]);
            rest = &rest[start + 2..];
            continue;
        };
        let between = &rest[..start];
        let adjacent = pending.is_some() && between.chars().all(char::is_whitespace);
        if !adjacent {
            flush(&mut pending, &mut out);
            out.push_str(between);
        }
        match &mut pending {
            Some((charset, bytes)) if *charset == word.charset => bytes.extend(word.bytes),
            _ => {
                flush(&mut pending, &mut out);
                pending = Some((word.charset, word.bytes));
            }
        }
        rest = &rest[start + length..];
    }
    flush(&mut pending, &mut out);
    out.push_str(rest);
    out
}

fn flush(pending: &mut Option<(String, Vec<u8>)>, out: &mut String) {
    if let Some((label, bytes)) = pending.take() {
        out.extend(charset::decode(&bytes, Some(&label)).chars().map(|c| if c.is_control() { ' ' } else { c }));
    }
}

struct Word {
    charset: String,
    bytes: Vec<u8>,
}

impl Word {
    /// Reads `=?charset*language?B?text?=` where it begins in a value, with its length in octets.
    fn read<F: Fn(&str) -> Option<usize>>(value: &str, at: usize, ends: &mut Next<'_, F>) -> Option<(Self, usize)> {
        let text = &value[at..];
        let inner = text.strip_prefix("=?")?;
        let (charset, after) = inner.split_once('?')?;
        let (encoding, after) = after.split_once('?')?;
        let start = value.len() - after.len();
        let end = ends.from(start)? - start;
        let content = &after[..end];
        if charset.is_empty() || charset.len() > 64 || charset.contains(char::is_whitespace) {
            return None;
        }
        let bytes = match encoding {
            "B" | "b" => transfer::base64(content.as_bytes()).0,
            "Q" | "q" => q(content),
            _ => return None,
        };
        let charset = charset.split('*').next().unwrap_or_default().to_ascii_lowercase();
        Some((Self { charset, bytes }, text.len() - after.len() + end + 2))
    }
}

/// The next place of something in a text, asked for from places that only go forward: what was found holds until it is
/// passed, so that each letter is looked at once.
pub struct Next<'t, F> {
    text: &'t str,
    find: F,
    /// The last answer, where one was given.
    found: Option<Option<usize>>,
}

impl<'t, F: Fn(&str) -> Option<usize>> Next<'t, F> {
    /// Looks in a text with `find`, which tells the first place in what it is given.
    pub fn of(text: &'t str, find: F) -> Self {
        Self { text, find, found: None }
    }

    /// The first place that is not before `at`.
    pub fn from(&mut self, at: usize) -> Option<usize> {
        match self.found {
            Some(None) => None,
            Some(Some(place)) if place >= at => Some(place),
            _ => {
                let place = self.text.get(at..).and_then(|rest| (self.find)(rest)).map(|place| at + place);
                self.found = Some(place);
                place
            }
        }
    }
}

/// The Q encoding: quoted-printable with `_` for a space.
fn q(content: &str) -> Vec<u8> {
    let spaced: Vec<u8> = content.bytes().map(|b| if b == b'_' { b' ' } else { b }).collect();
    transfer::quoted_printable(&spaced).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_as_senders_write_them() {
        for (value, expected) in [
            ("plain", "plain"),
            ("=?utf-8?Q?Zo=C3=AB_Smith?=", "Zoë Smith"),
            ("=?UTF-8?B?Wm/Dqw==?= Smith", "Zoë Smith"),
            ("=?utf-8?q?Confi?= =?utf-8?q?dential?=", "Confidential"),
            ("=?utf-8?q?Confi?=\t  =?iso-8859-1?q?dential?=", "Confidential"),
            ("Confi=?utf-8?q?dential?=", "Confidential"),
            ("=?utf-8?q?=5BCONF?==?utf-8?q?IDENTIAL=5D?=", "[CONFIDENTIAL]"),
            ("=?utf-8?B?ww==?= =?utf-8?B?qw==?=", "ë"),
            ("=?utf-8*en?Q?a_b?= c", "a b c"),
            ("a =?utf-8?Q?b?= c", "a b c"),
            ("=?iso-8859-1?Q?Zo=EB?=", "Zoë"),
            ("=?x-unknown?Q?Amy?=", "Amy"),
            ("=?utf-8?X?Amy?=", "=?utf-8?X?Amy?="),
            ("=?utf-8?Q?open", "=?utf-8?Q?open"),
            ("=?utf-8?Q?a=0D=0ABcc:_x?=", "a  Bcc: x"),
            ("=?=?=?=?", "=?=?=?=?"),
        ] {
            assert_eq!(decode(value), expected, "{value}");
        }
    }
}
