//! Quoted-printable in a text that no header says is encoded (RFC 2045 6.7): the source of a message that was copied, or a
//! text somebody made hard to read.
//!
//! An `=` is common in links and in settings, so a text is only taken for encoded where most of its `=` start a code as
//! encoders write it, and not one of them comes out as a control character.

use crate::limits;

/// The text decoded, where it plainly is encoded.
pub fn undone(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'=', text)?;
    let (mut good, mut bad) = (0usize, 0usize);
    let spaced = |b: &u8| b.is_ascii_whitespace();
    for line in text.split_inclusive(|b| *b == b'\n') {
        let ended = line.trim_ascii_end();
        // A soft line break; a rule drawn of such signs is none.
        let soft = line.ends_with(b"\n") && ended.ends_with(b"=") && !ended.ends_with(b"==");
        good += usize::from(soft);
        let rest = if soft { &ended[..ended.len() - 1] } else { ended };
        for word in rest.split(spaced).filter(|word| !is_link(word)) {
            for at in memchr::memchr_iter(b'=', word) {
                match code(word, at) {
                    Code::Encoded => good += 1,
                    Code::Unclear => {}
                    Code::None => bad += 1,
                }
            }
        }
    }
    if good < limits::PASTED_QUOTED || bad * limits::PASTED_QUOTED_PART > good + bad {
        return None;
    }
    let bytes = crate::message::decode_quoted_printable(text);
    let control = |b: &u8| b.is_ascii_control() && !b.is_ascii_whitespace();
    (!bytes.iter().any(control)).then_some(bytes)
}

enum Code {
    /// As an encoder writes it.
    Encoded,
    /// A setting, `size=20`, or a code that stands for the sign itself.
    Unclear,
    None,
}

fn code(word: &[u8], at: usize) -> Code {
    let digits = word.get(at + 1..at + 3).unwrap_or_default();
    let upper = |b: &u8| b.is_ascii_digit() || (b'A'..=b'F').contains(b);
    if digits.len() < 2 || !digits.iter().all(upper) {
        return Code::None;
    }
    let next = word.get(at + 3).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'=');
    let after_code = at.checked_sub(3).and_then(|before| word.get(before)) == Some(&b'=');
    let setting = digits.iter().all(u8::is_ascii_digit) && !next && !after_code;
    if digits == b"3D" || setting && digits != b"20" { Code::Unclear } else { Code::Encoded }
}

fn is_link(word: &[u8]) -> bool {
    word.contains(&b'&') || word.contains(&b'?') || memchr::memmem::find(word, b"://").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_plainly_encoded() {
        for (text, expected) in [
            (
                "Keira=20Doyle=20has=20asthma=20and=20an=20EHCP=20for=20speech",
                "Keira Doyle has asthma and an EHCP for speech",
            ),
            ("=4B=65=69=72=61=20=44=6F=79=6C=65", "Keira Doyle"),
            (
                "Kei=\r\nra Do=\r\nyle ha=\r\ns as=\r\nthma=\r\n and=\r\n an =\r\nEHC=\r\nP.",
                "Keira Doyle has asthma and an EHCP.",
            ),
            ("Si=C3=A2n, Zo=C3=AB, Ren=C3=A9e=20and=20Chlo=C3=AB", "Siân, Zoë, Renée and Chloë"),
        ] {
            assert_eq!(undone(text.as_bytes()).as_deref(), Some(expected.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_only_has_the_sign() {
        for text in [
            "x = 5\ny = 6\nsum = x + y\n".repeat(9),
            "https://x.example/?a=20&b=41&c=4B&d=65&e=69&f=72&g=61&h=20&i=44".to_owned(),
            "size=20 width=35 height=41 top=52 left=61 right=72 pad=33 gap=44 row=55\n".to_owned(),
            "id=4E6F20\n".repeat(2),
            "==========\n".repeat(20),
            "key=A0FF key=B1EE key=C2DD, and= not=so =\n".to_owned(),
            "session=01 session=02 session=0A session=1B ".repeat(9),
            "a=b c=d e=f g=h i=j k=l m=n o=p q=r s=t".to_owned(),
            "no sign at all".to_owned(),
        ] {
            assert_eq!(undone(text.as_bytes()), None, "{text}");
        }
    }
}
