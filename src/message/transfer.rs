//! Transfer encodings undone (RFC 2045 6.7, 6.8), never failing: what stands there is decoded, and how far the text
//! was not what the encoding says is told beside it.

use crate::limits;

/// Whether a body was what its transfer encoding says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Sound.
    Sound,
    /// Read, though other programs may read it otherwise: foreign characters, padding inside, a cut last group, many an `=`
    /// that starts no code.
    Doubtful,
}

/// Decodes base64, also the URL alphabet, skipping what is foreign; padding in the middle ends a group, not the text.
pub fn base64(text: &[u8]) -> (Vec<u8>, Fit) {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut filled, mut fit) = (0u32, 0u8, Fit::Sound);
    let mut padded = false;
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        if filled == 0 && !padded {
            // Whole groups of plain digits, which is nearly all there is.
            let plain = whole_groups(rest, &mut out);
            if plain > 0 {
                rest = &rest[plain..];
                continue;
            }
        }
        rest = behind;
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                end_group(&mut out, &mut group, &mut filled);
                padded = true;
                continue;
            }
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            _ => {
                fit = Fit::Doubtful;
                continue;
            }
        };
        if padded {
            // Something follows a padding: one program stops here, another goes on.
            fit = Fit::Doubtful;
            padded = false;
        }
        if byte == b'-' || byte == b'_' {
            fit = Fit::Doubtful;
        }
        group = group << 6 | u32::from(value);
        filled += 1;
        if filled == 4 {
            out.extend_from_slice(&group.to_be_bytes()[1..]);
            (group, filled) = (0, 0);
        }
    }
    if filled == 1 {
        fit = Fit::Doubtful;
    }
    end_group(&mut out, &mut group, &mut filled);
    (out, fit)
}

/// No digit of base64, among values of six bits.
const NO_DIGIT: u8 = 0x80;

/// What each octet is worth as a digit of base64 (RFC 4648 4).
const DIGITS: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut digits = [NO_DIGIT; 256];
    let mut at = 0;
    while at < alphabet.len() {
        digits[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    digits
};

/// Decodes groups of four digits from the beginning on, up to the first that is anything else; how many octets they were.
fn whole_groups(text: &[u8], out: &mut Vec<u8>) -> usize {
    let (groups, _) = text.as_chunks::<4>();
    let mut taken = 0;
    for group in groups {
        let [a, b, c, d] = group.map(|byte| DIGITS[usize::from(byte)]);
        if (a | b | c | d) & NO_DIGIT != 0 {
            break;
        }
        out.extend_from_slice(&[a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
        taken += group.len();
    }
    taken
}

fn end_group(out: &mut Vec<u8>, group: &mut u32, filled: &mut u8) {
    let bytes = (*group << (6 * (4 - u32::from(*filled).min(4)))).to_be_bytes();
    match *filled {
        2 => out.push(bytes[1]),
        3 => out.extend_from_slice(&bytes[1..3]),
        _ => {}
    }
    (*group, *filled) = (0, 0);
}

/// Decodes quoted-printable. An `=` that starts no code stays as it is, as most mail programs show it; where there are many,
/// the next program shows something else.
pub fn quoted_printable(text: &[u8]) -> (Vec<u8>, Fit) {
    let mut out = Vec::with_capacity(text.len());
    let (mut at, mut good, mut bad) = (0, 0usize, strays(text));
    while at < text.len() {
        let byte = text[at];
        if byte != b'=' {
            out.push(byte);
            at += 1;
            continue;
        }
        good += 1;
        let hex = |i: usize| text.get(i).and_then(|b| (*b as char).to_digit(16));
        if let (Some(high), Some(low)) = (hex(at + 1), hex(at + 2)) {
            out.push((high * 16 + low) as u8);
            at += 3;
            continue;
        }
        // A soft line break, with the blanks that transport may have added before the line end.
        let line_end = text[at + 1..].iter().position(|b| !matches!(b, b' ' | b'\t')).map(|n| at + 1 + n);
        match line_end.map(|end| (end, text[end])) {
            None => at = text.len(),
            Some((end, b'\n')) => at = end + 1,
            Some((end, b'\r')) => at = end + 1 + usize::from(text.get(end + 1) == Some(&b'\n')),
            Some(_) => {
                out.push(b'=');
                at += 1;
                good -= 1;
                bad += 1;
            }
        }
    }
    let doubtful = bad >= limits::QUOTED_PRINTABLE_BAD && bad * limits::QUOTED_PRINTABLE_BAD_PART > good + bad;
    (out, if doubtful { Fit::Doubtful } else { Fit::Sound })
}

/// How many octets stand tight between two letters that quoted-printable does not allow and that no text has there: some
/// programs leave them out. Letters and apostrophes of any code page are the slip of a program that did not encode.
fn strays(text: &[u8]) -> usize {
    if text.is_ascii() && !text.iter().any(|b| is_control(*b)) {
        return 0;
    }
    let mut count = 0;
    let mut from = 0;
    for chunk in text.utf8_chunks() {
        from += chunk.valid().len();
        let invalid = chunk.invalid();
        let foreign = match *invalid {
            [byte] => (0x80..=0xbf).contains(&byte) && !matches!(byte, 0x91 | 0x92 | 0x96 | 0x97 | 0xa0 | 0xad | 0xb7),
            _ => false,
        };
        count += usize::from(foreign && between_letters(text, from));
        from += invalid.len();
    }
    count + (0..text.len()).filter(|&at| is_control(text[at]) && between_letters(text, at)).count()
}

fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127)
}

fn between_letters(text: &[u8], at: usize) -> bool {
    let letter = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphabetic);
    letter(at.checked_sub(1)) && letter(at.checked_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_it_comes() {
        for (text, expected, fit) in [
            ("UGFzcw==", "Pass", Fit::Sound),
            ("UGF\r\nzcw", "Pass", Fit::Sound),
            ("UGFz\ncw==\n", "Pass", Fit::Sound),
            ("UG.Fz#cw==", "Pass", Fit::Doubtful),
            ("UA==YXNz", "Pass", Fit::Doubtful),
            ("Pz8_", "???", Fit::Doubtful),
            ("UGFzc", "Pas", Fit::Doubtful),
            ("", "", Fit::Sound),
        ] {
            assert_eq!(base64(text.as_bytes()), (expected.as_bytes().to_vec(), fit), "{text}");
        }
    }

    #[test]
    fn quoted_printable_as_it_comes() {
        for (text, expected) in [
            ("Zo=C3=AB", "Zoë"),
            ("Zo=c3=ab", "Zoë"),
            ("Smi=\r\nth", "Smith"),
            ("Smi= \t\nth", "Smith"),
            ("Smith=", "Smith"),
            ("a=0", "a=0"),
            ("a=XYb", "a=XYb"),
            ("two=20\r\nlines", "two \r\nlines"),
        ] {
            assert_eq!(String::from_utf8_lossy(&quoted_printable(text.as_bytes()).0), expected, "{text}");
        }
    }

    #[test]
    fn quoted_printable_that_is_none() {
        let many = |text: &str| text.repeat(9).into_bytes();
        let latin =
            "Zo\u{eb}, don\u{92}t go to the caf\u{e9}. ".repeat(20).chars().map(|c| c as u8).collect::<Vec<u8>>();
        for (text, fit) in [
            (many("=0X=41"), Fit::Doubtful),
            (many("K=aHeira"), Fit::Doubtful),
            (many("=2=K=65ira"), Fit::Doubtful),
            (many("Ke\u{0}ira"), Fit::Doubtful),
            (b"Ke\xaaira ".repeat(9), Fit::Doubtful),
            (many("Zo=C3=AB Smi=\r\nth =3D "), Fit::Sound),
            // One link that nobody encoded, in a text that somebody did.
            ([many("?page=x"), many("Zo=C3=AB=20Zo=C3=AB=20")].concat(), Fit::Sound),
            (b"two=XX slips=YY, no more".to_vec(), Fit::Sound),
            (latin, Fit::Sound),
            ("Zoë “Smith” – №".repeat(20).into_bytes(), Fit::Sound),
        ] {
            assert_eq!(quoted_printable(&text).1, fit, "{}", String::from_utf8_lossy(&text));
        }
    }
}
