//! Runs of base64 without a mark, in lines of any length, blanks between them or not (RFC 4648).
//!
//! Every word of a run is tried as the beginning: what stands there is decoded only as far as it takes to see that it is
//! neither text nor a file, so a long text of words costs no more than its length.

use super::Pasted;
use crate::limits;

/// Beginnings of files, long enough that no other run of base64 decodes to one.
const FILES: &[&[u8]] = &[
    b"PK\x03\x04",
    b"%PDF-",
    b"\xd0\xcf\x11\xe0",
    b"{\\rtf",
    b"\x89PNG",
    b"\xff\xd8\xff\xe0",
    b"\xff\xd8\xff\xe1",
    b"GIF8",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\x1f\x8b\x08",
    b"BEGIN:V",
];

/// Marks of UTF-16, too short to be looked for behind every word.
const WIDE: &[&[u8]] = &[b"\xff\xfe", b"\xfe\xff"];

/// Lines and words of nothing but base64 that follow each other.
#[derive(Default)]
pub struct Runs {
    chars: Vec<u8>,
    words: Vec<Word>,
}

struct Word {
    start: usize,
    /// It is all of its line.
    alone: bool,
    /// The first of its line.
    first: bool,
}

impl Runs {
    /// Takes in a line; what ends with it is decoded.
    pub fn line(&mut self, line: &[u8], found: &mut Vec<Pasted>) {
        let quoted = line.iter().position(|b| !matches!(b, b'>' | b' ' | b'\t')).unwrap_or(line.len());
        let line = line[quoted..].trim_ascii();
        if line.iter().all(|b| is_base64(*b) || matches!(b, b' ' | b'\t')) {
            // An empty line parts nothing: some programs put one between all lines.
            let words = line.split(|b| matches!(b, b' ' | b'\t')).filter(|word| !word.is_empty());
            let alone = words.clone().count() == 1;
            for (number, word) in words.enumerate() {
                self.word(word, alone, number == 0);
            }
            return;
        }
        self.finish(found);
        for word in line.split(|b| !is_base64(*b)).filter(|word| word.len() >= limits::PASTED_RUN) {
            self.word(word, false, true);
            self.finish(found);
        }
    }

    fn word(&mut self, word: &[u8], alone: bool, first: bool) {
        self.words.push(Word { start: self.chars.len(), alone, first });
        self.chars.extend_from_slice(word);
    }

    /// Takes what the run decodes to, and forgets it.
    pub fn finish(&mut self, found: &mut Vec<Pasted>) {
        let mut at = 0;
        while at < self.words.len() && self.chars.len() - self.words[at].start >= limits::PASTED_RUN {
            match self.decoded_from(at) {
                Some((None, end)) => at = self.behind(at, end),
                Some((Some(bytes), end)) => {
                    found.push(Pasted { name: None, bytes });
                    // A short word above lines of another length may be a greeting that comes out as letters by chance.
                    let (length, below) = (self.length(at), self.length(at + 1));
                    let greeting = length != below && (length < below || !length.is_multiple_of(4));
                    if greeting
                        && length < limits::PASTED_TEXT
                        && let Some((Some(bytes), _)) = self.decoded_from(at + 1)
                    {
                        found.push(Pasted { name: None, bytes });
                    }
                    at = self.behind(at, end);
                }
                None => at += 1,
            }
        }
        self.chars.clear();
        self.words.clear();
    }

    fn length(&self, at: usize) -> usize {
        self.words.get(at).map_or(0, |word| self.end(at) - word.start)
    }

    /// Where a word ends.
    fn end(&self, at: usize) -> usize {
        self.words.get(at + 1).map_or(self.chars.len(), |next| next.start)
    }

    /// The first word behind `at` that begins at `end` or later.
    fn behind(&self, at: usize, end: usize) -> usize {
        let next = self.words[at + 1..].iter().position(|word| word.start >= end);
        next.map_or(self.words.len(), |next| at + 1 + next)
    }

    /// What stands from this word on, and where it ends; without octets where it is a long row of letters that nothing parts, which is
    /// no text, and need not be decoded once more from each of its words.
    fn decoded_from(&self, at: usize) -> Option<(Option<Vec<u8>>, usize)> {
        let word = self.words.get(at)?;
        let end = self.end(at);
        let long = end - word.start >= limits::PASTED_RUN;
        if !word.first && !long {
            return None;
        }
        let here = &self.chars[word.start..];
        // Even of groups of one octet each, the beginning takes no more characters; a row of padding alone would take all of them.
        let near = &here[..here.len().min(4 * limits::PASTED_TEXT)];
        let begin: Vec<u8> = Decoded::of(near).take(limits::PASTED_TEXT).map(|(byte, _)| byte).collect();
        if begin.len() < limits::PASTED_TEXT.min(here.len() / 2) {
            return None;
        }
        // Two octets come about by chance: at the beginning of a run, or where Latin letters follow.
        let wide =
            WIDE.iter().any(|mark| begin.starts_with(mark)) && (long && at == 0 || begin.get(2..).is_some_and(is_wide));
        if wide || FILES.iter().any(|start| begin.starts_with(start)) {
            // Padding at the end of a line ends a file; what follows is another.
            let mut last = at;
            while !self.chars[..self.end(last)].ends_with(b"=")
                && self.words.get(last + 1).is_some_and(|next| next.alone)
            {
                last += 1;
            }
            let end = self.end(last);
            return Some((Some(crate::message::decode_base64(&self.chars[word.start..end])), end));
        }
        // A line of a run that was broken anywhere may begin in the middle of a group.
        let shifts = if word.alone { 4 } else { 1 };
        let mut unparted = None;
        for shift in 0..shifts.min(end - word.start) {
            let Some((bytes, length)) = text(&here[shift..]) else { continue };
            let end = word.start + shift + length;
            if bytes.iter().any(|b| b.is_ascii_whitespace() || matches!(b, b',' | b';')) {
                return Some((Some(bytes), end));
            }
            if bytes.len() >= limits::PASTED_UNPARTED {
                unparted = Some((None, end));
            }
        }
        unparted
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// The text at the beginning of a run, and how many characters of the run it takes. Its first octets are beyond doubt; behind
/// them a letter of another code page may stand now and then.
fn text(run: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut bytes: Vec<u8> = Vec::new();
    let mut begun = false;
    let mut wide = false;
    // How many octets of a character are still to come; how much has lately been odd.
    let (mut coming, mut odd) = (0, 0usize);
    let (mut sound, mut length) = (0, 0);
    // The same at the last padding, which is mostly the end.
    let mut padded = None;
    for (byte, taken) in Decoded::of(run) {
        bytes.push(byte);
        if !begun && bytes.len() >= limits::PASTED_TEXT {
            begun = true;
            wide = is_wide(&bytes);
            if odd > 0 && !wide {
                return None;
            }
            odd = 0;
        }
        let control = byte.is_ascii_control() && !byte.is_ascii_whitespace() && !(byte == 0 && (wide || !begun));
        let continues = (0x80..=0xbf).contains(&byte);
        let fits = if continues { coming > 0 } else { coming == 0 && !matches!(byte, 0xc0 | 0xc1 | 0xf5..) };
        coming = match byte {
            _ if continues => coming.max(1) - 1,
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => 0,
        };
        if control || !fits {
            if !begun {
                return None;
            }
            odd += limits::PASTED_ODD_APART;
            if odd > limits::PASTED_ODD * limits::PASTED_ODD_APART {
                break;
            }
        } else if byte == 0 && !wide {
            odd += 1;
        } else {
            odd = odd.saturating_sub(usize::from(begun));
            if odd == 0 && coming == 0 {
                (sound, length) = (bytes.len(), taken);
                if run[..taken].ends_with(b"=") {
                    padded = Some((sound, length));
                }
            }
        }
    }
    if let Some(end) = padded
        && odd > 0
        && sound - end.0 < limits::PASTED_TEXT
    {
        (sound, length) = end;
    }
    bytes.truncate(sound);
    (bytes.len() >= limits::PASTED_TEXT).then_some((bytes, length))
}

/// UTF-16 of Latin letters: a zero in every second octet.
fn is_wide(bytes: &[u8]) -> bool {
    let zeros = |offset: usize| bytes.iter().skip(offset).step_by(2).filter(|b| **b == 0).count();
    let half = bytes.len() / 2;
    (zeros(0) == half && zeros(1) == 0) || (zeros(1) == half && zeros(0) == 0)
}

/// The octets of a run, each with the number of characters up to the end of its group. Padding ends a group, not the run.
struct Decoded<'r> {
    run: &'r [u8],
    at: usize,
    group: [u8; 3],
    ready: std::ops::Range<usize>,
}

impl<'r> Decoded<'r> {
    fn of(run: &'r [u8]) -> Self {
        Self { run, at: 0, group: [0; 3], ready: 0..0 }
    }
}

impl Iterator for Decoded<'_> {
    type Item = (u8, usize);

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            let (mut bits, mut filled) = (0u32, 0u32);
            while filled < 4 {
                let Some(&byte) = self.run.get(self.at) else { break };
                self.at += 1;
                match value(byte) {
                    Some(value) => {
                        bits = bits << 6 | value;
                        filled += 1;
                    }
                    None if filled > 0 => break,
                    None => {}
                }
            }
            if filled == 0 {
                return None;
            }
            let [_, group @ ..] = (bits << (6 * (4 - filled))).to_be_bytes();
            self.group = group;
            self.ready = 0..(filled - 1) as usize;
        }
        let byte = self.ready.next().and_then(|at| self.group.get(at))?;
        Some((*byte, self.at))
    }
}

fn value(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(bytes: &[u8]) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut out = String::new();
        for chunk in bytes.chunks(3) {
            let group = chunk.iter().fold(0u32, |g, b| g << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
            let place = |n: usize| ALPHABET[(group >> (18 - 6 * n) & 63) as usize] as char;
            (0..4).for_each(|n| out.push(if n <= chunk.len() { place(n) } else { '=' }));
        }
        out
    }

    fn found(text: &str) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let mut runs = Runs::default();
        text.lines().for_each(|line| runs.line(line.as_bytes(), &mut found));
        runs.finish(&mut found);
        found.into_iter().map(|pasted| pasted.bytes).collect()
    }

    #[test]
    fn lines_of_every_length_and_every_kind_of_text() {
        let text = "Siân Evans has asthma; Zoë Rowley has an EHCP.\nBen Jones is a child in need.\n";
        let latin: Vec<u8> = text.replace("Siân", "Sian").chars().map(|c| c as u8).collect();
        let wide: Vec<u8> = text.replace(['â', 'ë'], "e").encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [text.as_bytes(), &latin, &wide, b"%PDF-1.4 \x00\x01\x02 and all that follows in it \xff"] {
            for width in [4, 7, 16, 19, 40, 76, 1000] {
                for (before, between, after) in [
                    ("", "\n", ""),
                    ("Hello\n", "\n", "\nRegards\n"),
                    ("--x--\n", "\n\n", "\n--x--"),
                    ("> ", "\n> ", "\n"),
                ] {
                    let lines: Vec<String> = encoded(bytes)
                        .as_bytes()
                        .chunks(width)
                        .map(|line| String::from_utf8_lossy(line).into())
                        .collect();
                    let pasted = format!("Dear all,\n{before}{}{after}", lines.join(between));
                    let found = found(&pasted);
                    assert!(found.iter().any(|found| found.starts_with(bytes)), "{pasted}\n{found:?}");
                }
            }
        }
    }

    /// Decoded anew from each of its 100,000 lines, such a run would take hours.
    #[test]
    fn a_long_row_of_letters_is_decoded_once() {
        let lines = |bytes: &[u8]| {
            let all = encoded(bytes);
            let lines: Vec<&[u8]> = all.as_bytes().chunks(40).collect();
            String::from_utf8_lossy(&lines.join(&b'\n')).into_owned()
        };
        for row in ["=\n", "A=\n", "QQ==\n"] {
            assert_eq!(found(&row.repeat(500_000)), Vec::<Vec<u8>>::new(), "{row}");
        }
        let letters = vec![b'a'; 3_000_000];
        assert_eq!(found(&lines(&letters)), Vec::<Vec<u8>>::new());
        let behind = b"Amy Smith has asthma, and Ben Jones is a child in need.";
        let found = found(&format!("{}\nHello, see:\n{}", lines(&letters), lines(behind)));
        assert_eq!(found, [behind.to_vec()]);
    }

    #[test]
    fn keys_and_chance_stay_silent() {
        let mut state = 0x5eed_u64;
        let mut next = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as u8
        };
        for width in [5, 12, 40, 64, 76] {
            let mut bytes: Vec<u8> = (0..20_000).map(|_| next()).collect();
            // At the beginning of a line of 76, the mark of UTF-16.
            bytes[57..59].copy_from_slice(b"\xff\xfe");
            let lines: Vec<String> =
                encoded(&bytes).as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into()).collect();
            assert_eq!(found(&lines.join("\n")), Vec::<Vec<u8>>::new());
            let hex: Vec<String> =
                bytes.chunks(width).map(|c| c.iter().map(|b| format!("{b:02x}")).collect()).collect();
            assert_eq!(found(&hex.join("\n")), Vec::<Vec<u8>>::new());
        }
    }
}
