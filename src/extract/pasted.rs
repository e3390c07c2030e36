//! Files and texts that stand in a text instead of being attached to it: uuencode, yEnc, base64 in lines or in one run,
//! quoted-printable, and `data:` URIs in HTML (RFC 2397).
//!
//! What has no mark is only taken for encoded when it decodes to something: a link or a fingerprint is as long.

mod quoted;
mod runs;
mod short;

pub use short::texts as short_texts;

/// A file found in a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Pasted {
    /// The name it is given there.
    pub name: Option<String>,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// All files in a text, in order.
pub fn find(text: &[u8]) -> Vec<Pasted> {
    let mut found = Vec::new();
    let mut lines = text.split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l));
    let mut runs = runs::Runs::default();
    while let Some(line) = lines.next() {
        if let Some(start) = marked_start(line) {
            runs.finish(&mut found);
            let mut bytes = Vec::new();
            for line in lines.by_ref() {
                match start.kind.decode(line, &mut bytes) {
                    true => {}
                    false => break,
                }
            }
            if !bytes.is_empty() {
                found.push(Pasted { name: Some(start.name), bytes });
            }
            continue;
        }
        runs.line(line, &mut found);
    }
    runs.finish(&mut found);
    found
}

/// The text as it was before somebody encoded it in quoted-printable, where it plainly is that and nothing says so.
pub fn unquoted(text: &[u8]) -> Option<Pasted> {
    quoted::undone(text).map(|bytes| Pasted { name: None, bytes })
}

/// The content of every `data:` URI in the source of a page.
pub fn data_uris(html: &str) -> Vec<Vec<u8>> {
    let bytes = html.as_bytes();
    let mut found = Vec::new();
    for colon in memchr::memchr_iter(b':', bytes) {
        let scheme = colon.checked_sub(4).and_then(|start| bytes.get(start..colon));
        let before = colon.checked_sub(5).and_then(|at| bytes.get(at));
        if !scheme.is_some_and(|s| s.eq_ignore_ascii_case(b"data")) || before.is_some_and(u8::is_ascii_alphanumeric) {
            continue;
        }
        let rest = &bytes[colon + 1..];
        let Some(comma) = rest.iter().take(200).position(|b| *b == b',') else { continue };
        let kind = rest[..comma].to_ascii_lowercase();
        // Scripts and prose have the word too; a type is of few characters.
        if !kind.iter().all(|b| b.is_ascii_alphanumeric() || b"/+.;=-_".contains(b)) {
            continue;
        }
        let end = |b: &u8| matches!(b, b'"' | b'\'' | b')' | b'>' | b'<');
        let data = &rest[comma + 1..];
        let data = &data[..data.iter().position(end).unwrap_or(data.len())];
        let plain = percent(data);
        let content = if kind.ends_with(b";base64") { crate::message::decode_base64(&plain) } else { plain };
        if !content.is_empty() {
            found.push(content);
        }
    }
    found
}

struct Start {
    kind: Coding,
    name: String,
}

#[derive(Clone, Copy)]
enum Coding {
    Uu,
    UuBase64,
    Y,
}

fn marked_start(line: &[u8]) -> Option<Start> {
    let text = crate::message::guess_text(line);
    if let Some(rest) = text.strip_prefix("=ybegin ") {
        let name = rest.split_once("name=").map_or("", |(_, name)| name.trim());
        return Some(Start { kind: Coding::Y, name: name.to_owned() });
    }
    let (kind, rest) = match text.strip_prefix("begin-base64 ") {
        Some(rest) => (Coding::UuBase64, rest),
        None => (Coding::Uu, text.strip_prefix("begin ")?),
    };
    let (mode, name) = rest.split_once(' ')?;
    let octal = (3..=4).contains(&mode.len()) && mode.bytes().all(|b| (b'0'..=b'7').contains(&b));
    octal.then(|| Start { kind, name: name.trim().to_owned() })
}

impl Coding {
    /// Decodes one line; false at the end.
    fn decode(self, line: &[u8], out: &mut Vec<u8>) -> bool {
        match self {
            Self::Uu => uu_line(line, out),
            Self::UuBase64 => {
                let more = !line.starts_with(b"====");
                if more {
                    out.extend(crate::message::decode_base64(line));
                }
                more
            }
            Self::Y => y_line(line, out),
        }
    }
}

fn uu_line(line: &[u8], out: &mut Vec<u8>) -> bool {
    if line.trim_ascii() == b"end" {
        return false;
    }
    let Some((first, rest)) = line.split_first() else { return true };
    let value = |b: Option<&u8>| b.map_or(0, |b| u32::from(b.wrapping_sub(32) & 63));
    let length = value(Some(first)) as usize;
    // Prose behind a line that happens to begin with "begin" is not as long as its first letter says; blanks at the end
    // of a line may have been lost, and some programs add a character.
    let full = length.div_ceil(3) * 4;
    if !(full.saturating_sub(4)..=full + 2).contains(&rest.len()) {
        return false;
    }
    let mut decoded = Vec::with_capacity(length + 3);
    for group in rest.chunks(4) {
        let bits = (0..4).fold(0, |bits, n| bits << 6 | value(group.get(n)));
        decoded.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    decoded.truncate(length);
    out.append(&mut decoded);
    true
}

fn y_line(line: &[u8], out: &mut Vec<u8>) -> bool {
    if line.starts_with(b"=yend") {
        return false;
    }
    if line.starts_with(b"=ypart ") {
        return true;
    }
    let mut bytes = line.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'=' => out.extend(bytes.next().map(|b| b.wrapping_sub(64 + 42))),
            byte => out.push(byte.wrapping_sub(42)),
        }
    }
    true
}

fn percent(text: &[u8]) -> Vec<u8> {
    let hex = |at: usize| text.get(at).and_then(|b| (*b as char).to_digit(16));
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match (text[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_pasted_into_a_text() {
        let y: Vec<u8> = b"Amy Smith".iter().map(|b| b.wrapping_add(42)).collect();
        let y = [b"=ybegin line=128 size=9 name=a.txt\r\n".as_slice(), &y, b"\r\n=yend size=9\r\nBye"].concat();
        for (text, name, expected) in [
            (b"Hi\nbegin 644 a.txt\n)06UY(%-M:71H\n`\nend\nBye".as_slice(), Some("a.txt"), "Amy Smith"),
            (b"begin-base64 644 b.txt\nQW15IFNtaXRo\n====\n", Some("b.txt"), "Amy Smith"),
            (&y, Some("a.txt"), "Amy Smith"),
            (
                b"See TmFtZSxGb3JtCkFteSBTbWl0aCxPYWsKQmVuIEpvbmVzLEVsbQo= here",
                None,
                "Name,Form\nAmy Smith,Oak\nBen Jones,Elm\n",
            ),
            (
                b"> TmFtZSxGb3JtCkFteSBTbWl0aCxPYWsKQmVuIEpvbmVz\n> LEVsbQo=\n",
                None,
                "Name,Form\nAmy Smith,Oak\nBen Jones,Elm\n",
            ),
            (
                b"TmFtZSxGb3Jt\nCkFteSBTbWl0\naCxPYWsKQmVu\nIEpvbmVzLEVs\nbQo=\nThanks\n",
                None,
                "Name,Form\nAmy Smith,Oak\nBen Jones,Elm\n",
            ),
            (
                b"--foo--\nHi\nTmFtZSxGb3JtCkFteSBTbWl0aCxPYWsKQmVu\n\nIEpvbmVzLEVsbQo=\n--foo--\n",
                None,
                "Name,Form\nAmy Smith,Oak\nBen Jones,Elm\n",
            ),
            (
                b">> TmFtZSxG b3JtCkFt eSBTbWl0 aCxPYWsK\n>> QmVuIEpv bmVzLEVs bQo=\n",
                None,
                "Name,Form\nAmy Smith,Oak\nBen Jones,Elm\n",
            ),
            (
                b"QW15IFNtaXRoIGhh\r\ncyBhc3RobWE=\r\nQmVuIEpvbmVzIGhhcyBub25lLg==\r\n",
                None,
                "Amy Smith has asthmaBen Jones has none.",
            ),
        ] {
            let found = find(text);
            assert_eq!(found.len(), 1, "{}", String::from_utf8_lossy(text));
            assert_eq!((found[0].name.as_deref(), String::from_utf8_lossy(&found[0].bytes).as_ref()), (name, expected));
        }
    }

    #[test]
    fn what_is_only_long_is_no_file() {
        for text in [
            "https://example.com/0123456789abcdef0123456789abcdef0123456789abcdef",
            "begin with the end in mind",
            "begin 2026 well",
            "----------------------------------------------------------------",
            "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
            "Amy\nBen\nCal\nDan\nEve\nFay\nGus\nHal\nIda\nJim\nKay\nLee\nMax\nNed\nOla\nPam\nQuin\nRob\nSam\n",
            "Dear all\nthis is a text without any marks at all that goes on and on and has words like any other text\n",
            "9f86d081884c7d65\n9a2feaa0c55ad015\na3bf4f1b2b0b822c\nd15d6c15b0f00a08\n9f86d081884c7d65\n9a2feaa0c55ad015",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8y0p3oXqv9b0l6m3Zx1cV7nB5kQw2tYhR4uE6sGfDa me@here",
            "https://x.example/track?u=AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKl&utm_source=a&id=4E6F20",
            "550e8400-e29b-41d4-a716-446655440000\n550e8400-e29b-41d4-a716-446655440001\n",
        ] {
            assert_eq!(find(text.as_bytes()), [], "{text}");
        }
    }

    #[test]
    fn data_uris_of_both_kinds() {
        let html = "<img src=\"data:image/png;base64,QW15IFNtaXRo\"><a href='DATA:,Amy%20Smith'>metadata: x, y</a>";
        assert_eq!(data_uris(html), [b"Amy Smith", b"Amy Smith"]);
    }
}
