//! Short words of base64 that no mark tells: a name, a date or a telephone number (RFC 4648).
//!
//! Eight letters come out as some text or other by chance, so only two words beside each other or a number of six digits
//! count, and nothing else may be among them. Every word, and what a few of them are when joined, is decoded no further than it is text: the cost
//! is a few times the length of what is looked at.

use crate::limits;

/// Letters that three octets are.
const GROUP: usize = 4;

/// What short words of base64 say, each once and in order; more than [`limits::PASTED_SHORT_TEXTS`] where there are more
/// than are taken.
pub fn texts(text: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    // Words of lines that may be pieces of one.
    let mut run: Vec<&[u8]> = Vec::new();
    for line in text.split(|b| *b == b'\n') {
        let quoted = line.iter().position(|b| !matches!(b, b'>' | b' ' | b'\t')).unwrap_or(line.len());
        let line = line[quoted..].trim_ascii();
        if line.iter().all(|b| is_sign(*b) || matches!(b, b' ' | b'\t')) {
            run.extend(line.split(|b| matches!(b, b' ' | b'\t')).filter(|word| !word.is_empty()));
            continue;
        }
        joined(&mut run, &mut found);
        for word in line.split(|b| !is_sign(*b)) {
            if found.len() > limits::PASTED_SHORT_TEXTS {
                return found;
            }
            of_word(word, &mut found);
        }
    }
    joined(&mut run, &mut found);
    if found.len() > limits::PASTED_SHORT_TEXTS {
        return found;
    }
    let mut known = std::collections::HashSet::new();
    found.retain(|text| known.insert(text.clone()));
    found
}

/// Each word of a run, and what it is with those behind it: where an ordinary word follows, it comes out as a few more letters.
fn joined(run: &mut Vec<&[u8]>, found: &mut Vec<String>) {
    for at in 0..run.len() {
        if found.len() > limits::PASTED_SHORT_TEXTS {
            break;
        }
        of_word(run[at], found);
        with_following(&run[at..], found);
    }
    run.clear();
}

/// What the first word is with one, two and more of those behind it. Pieces shorter than a group of base64 are passed over.
fn with_following(words: &[&[u8]], found: &mut Vec<String>) {
    let Some((first, following)) = words.split_first().filter(|(first, _)| first.len() >= GROUP) else { return };
    let mut open = first.to_vec();
    for word in following {
        let ended = open.ends_with(b"=") || open.len() + word.len() >= limits::PASTED_RUN;
        if ended || !begins_as_text(&open) {
            break;
        }
        open.extend_from_slice(word);
        found.extend(decoded(&open));
        if word.len() < GROUP {
            break;
        }
    }
}

/// Whether the first letters are no control characters: nearly all words end here.
fn begins_as_text(word: &[u8]) -> bool {
    let first = crate::message::decode_base64(&word[..word.len().min(GROUP)]);
    !first.iter().any(|b| b.is_ascii_control() && !b.is_ascii_whitespace() && *b != 0)
}

/// A word, or what signs part in it: in a path or an address they part words, too.
fn of_word(word: &[u8], found: &mut Vec<String>) {
    let part = |mark: fn(&u8) -> bool| word.split(mark).filter_map(decoded).collect::<Vec<_>>();
    let mut said = part(|b| *b == b'=');
    if said.is_empty() {
        said = part(|b| matches!(b, b'=' | b'/' | b'-' | b'_' | b'+'));
    }
    found.append(&mut said);
}

fn is_sign(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

fn decoded(word: &[u8]) -> Option<String> {
    let word = word.trim_ascii_end();
    let bare = word.strip_suffix(b"==").or_else(|| word.strip_suffix(b"=")).unwrap_or(word);
    if !(limits::PASTED_SHORT..limits::PASTED_RUN).contains(&bare.len()) || bare.len() % 4 == 1 {
        return None;
    }
    if !begins_as_text(bare) {
        return None;
    }
    let bytes = crate::message::decode_base64(bare);
    let narrow: Vec<u8> = match bytes.iter().skip(1).step_by(2).all(|b| *b == 0) {
        // UTF-16 of Latin letters.
        true => bytes.iter().step_by(2).copied().collect(),
        false => bytes,
    };
    // What was encoded twice is a word again, and a shorter one.
    let again = narrow.iter().all(|b| is_sign(*b)).then(|| decoded(&narrow)).flatten();
    again.or_else(|| String::from_utf8(narrow).ok().filter(|text| says(text)))
}

/// Whether a text is two words or a number, and nothing that is in no text.
fn says(text: &str) -> bool {
    let text = text.trim();
    let fits = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '\n' | '\r' | '\t') || ",.;:'()/-@&".contains(c);
    let letters = text.chars().filter(|c| c.is_alphabetic());
    let odd = letters.clone().filter(|c| !c.is_ascii()).count();
    if !text.chars().all(fits) || odd * limits::PASTED_SHORT_ODD > text.chars().count() {
        return false;
    }
    let word = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        let inside = |c: char| c.is_alphabetic() || matches!(c, '\'' | '-');
        // A name begins with a capital letter or has none.
        let tail = word.chars().skip(1).filter(|c| c.is_uppercase()).count();
        word.chars().nth(1).is_some()
            && word.chars().all(inside)
            && (tail < 2 || word.chars().all(|c| !c.is_lowercase()))
    };
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':')).collect();
    let pair = words
        .iter()
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .windows(2)
        .any(|pair| word(pair[0]) && word(pair[1]));
    pair || text.chars().filter(char::is_ascii_digit).count() >= limits::PASTED_SHORT_DIGITS
        && letters.count() * 2 <= text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_words_that_say_something() {
        for (text, expected) in [
            ("See QW15IFNtaXRo.", vec!["Amy Smith"]),
            ("QW15IFNtaXRo", vec!["Amy Smith"]),
            ("Hello\nQW15IFNtaXRo\nThanks", vec!["Amy Smith"]),
            ("> QW15IFNt\n> aXRo\n", vec!["Amy Sm", "Amy Smith"]),
            ("QW15 IFNt aXRo", vec!["Amy Sm", "Amy Smith"]),
            ("See QW15IFNtaXRo and", vec!["Amy Smith", "Amy Smithjw"]),
            ("name=QmVuIEpvbmVz&x=1", vec!["Ben Jones"]),
            ("https://x.example/QmVuIEpvbmVz/a", vec!["Ben Jones"]),
            ("(QmVuIEpvbmVzIGhhcyBhc3RobWE=)", vec!["Ben Jones has asthma"]),
            ("U2nDom4gRXZhbnM=", vec!["Siân Evans"]),
            ("UVcxNUlGTnRhWFJv", vec!["Amy Smith"]),
            ("QW15IFNtaXRo QmVuIEpvbmVz", vec!["Amy Smith", "Amy SmithBen Jones", "Ben Jones"]),
            ("MDMvMTEvMjAxNQ==", vec!["03/11/2015"]),
            ("tel MDc3MDAgOTAwMTIz!", vec!["07700 900123"]),
            ("QQBtAHkAIABTAG0AaQB0AGgA", vec!["Amy Smith"]),
            ("QW15IFNtaXRo, QmVuIEpvbmVz; QW15IFNtaXRo", vec!["Amy Smith", "Ben Jones"]),
        ] {
            assert_eq!(texts(text.as_bytes()), expected, "{text}");
        }
    }

    /// A text of nothing else would be decoded and kept many times over.
    #[test]
    fn more_than_are_taken_are_told() {
        for text in ["QW15IFNtaXRo\n", "QW15 IFNt aXRo ", "QW15IFNtaXRo. "] {
            let found = texts(text.repeat(200_000).as_bytes());
            assert!(found.len() > limits::PASTED_SHORT_TEXTS && found.len() < limits::PASTED_SHORT_TEXTS * 2, "{text}");
            let one = texts(text.repeat(200).as_bytes());
            assert!(one.contains(&"Amy Smith".to_owned()) && one.len() < 30, "{one:?}");
        }
    }

    #[test]
    fn words_and_chance_say_nothing() {
        for text in [
            "Dear parents and carers, the safeguarding information evening is on Wednesday",
            "SAFEGUARDING INFORMATION EVENING OAKFIELD PRIMARY SCHOOL GOVERNORS MEETING",
            "getElementById XMLHttpRequest backgroundColor MsoNormalTable utm_source=newsletter",
            "550e8400-e29b-41d4-a716-446655440000 9f86d081884c7d659a2feaa0c55ad015 4E6F20",
            "Llanfairpwllgwyngyll 07700900123 2026-03-02 GB29NWBK60161331926819",
            "",
        ] {
            assert_eq!(texts(text.as_bytes()), Vec::<String>::new(), "{text}");
        }
        // Two million signs by chance, in words of every length.
        let mut state = 0x5eed_u64;
        let mut next = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize
        };
        const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut text = Vec::new();
        for _ in 0..80_000 {
            let length = 8 + next() % 32;
            text.extend((0..length).map(|_| SIGNS[next() % 64]));
            text.push(if next() % 9 == 0 { b'.' } else { b' ' });
        }
        assert!(texts(&text).len() <= 2, "{:?}", texts(&text));
    }
}
