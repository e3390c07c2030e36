//! Passwords, codes and keys that are written out, as against talk about them.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::marks::Marks;
use super::scene::{Line, Scene};
use crate::text::Kind;

/// Words of which each pattern of a stated secret has one; a line without any of them states none.
pub(super) const BESIDE: &[&str] = &[
    "pass",
    "password",
    "passwords",
    "passcode",
    "passcodes",
    "passphrase",
    "passphrases",
    "passkey",
    "passwd",
    "pwd",
    "pw",
    "p",
    "pin",
    "log",
    "login",
    "wifi",
    "wi",
    "code",
    "codes",
    "combination",
    "padlock",
    "key",
    "keys",
    "keypad",
    "keysafe",
    "protected",
    "encrypted",
    "token",
    "alarm",
    "gate",
    "door",
    "lock",
];

/// Words that speak of passwords, codes and locks: a secret may stand by itself in a message that has one.
pub(super) const OF_LOCKS: &[&str] = &[
    "pass",
    "password",
    "passwords",
    "passcode",
    "passcodes",
    "pw",
    "unlock",
    "protected",
    "encrypted",
    "locked",
    "door",
    "gate",
    "alarm",
    "keypad",
    "code",
    "log",
    "login",
    "wifi",
    "wi",
];

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($text).ok());
    };
}
// The value is what follows `is`, `:`, `=` or a dash; whether it looks like one is judged apart. The first three are tried
// where a word of `BESIDE` stands and at the word before it.
pattern!(
    STATED,
    r#"(?i)\A(?:pass ?-?(?:word|code|phrase|key)s?|pwd?|pw|p/w|passwd|pin(?: ?(?:number|code|no\.?))?|log-?in(?: details)?|wi-?fi(?: ?(?:key|code))?|(?:door|gate|alarm|entry|access|key ?pad|key ?safe|keysafe|lock|padlock|safe|security|unlock|disarm|front|back|side|building) ?codes?|combination|padlock|key ?pad|key ?safe|protected|encrypted|(?:secret|api|access|licen[cs]e|encryption|product|wpa|network) ?key|token)\b(?P<between>[^\n.?!:=]{0,60}?)(?:\s+(?:is now|is still|is|are|was|will be|remains)(?:\s+just|\s+simply)?:?|\s*[:=]|\s+-|\s*-(?:\s))\s*["'(]?(?P<value>[^\s"'<>]{3,64})"#
);
pattern!(
    CODE_FOR,
    r#"(?i)\Acodes?\b(?P<between> (?:for|to|on|of) (?:the |our )?[a-z ,]{3,40}?)(?: is(?: now)?| are|:| =| -)\s*["']?(?P<value>[a-z]?\d[\da-z*#]{2,9})\b"#
);
pattern!(
    LOCK,
    r#"(?i)\A(?:padlock|key ?pad|key ?safe|alarm|gate|door|lock)\b(?: ?code)?(?: is| =|:| with| w/?| using| on| to| code)* ["']?(?P<value>[a-z]?\d[\da-z*#]{3,7})\b"#
);
pattern!(
    ITS,
    r#"(?i)\b(?:it's|it is|its|this is|the new one is|new one is|one is|try|now)\s+["']?(?P<value>[^\s"'<>]{6,40})"#
);
pattern!(
    USE,
    r#"(?i)\b(?:use|enter|type|type in|key in|unlock(?: it)? with|open(?: it)? with|opens with|log ?in with|using)\s+["']?(?P<value>[^\s"'<>]{4,40})"#
);
/// Where a credential is written out: line, range of the folded text, kind.
pub(super) fn find(scene: &Scene<'_>) -> Vec<(usize, Range<usize>, &'static str)> {
    let mut out = Vec::new();
    // A lone token that looks like a password counts when somebody speaks of one in the message.
    let spoken_of = scene.lines.iter().any(speaks_of_one);
    for (at, line) in scene.lines() {
        let beside = line.all_marks.has(Marks::SECRET);
        if !(beside || spoken_of) || line.footer || scene.kind(at) == Kind::FileName {
            continue;
        }
        let text = line.text.folded();
        if beside {
            for pattern in [&STATED, &CODE_FOR, &LOCK] {
                stated(line, pattern, |range, kind| out.push((at, range, kind)));
            }
        }
        // Where secrets are spoken of, one may stand by itself: it mixes letters with digits or signs.
        if !spoken_of || !holds_secret(text) {
            continue;
        }
        for pattern in [&ITS, &USE] {
            let Some(pattern) = pattern.as_ref() else { continue };
            for found in pattern.captures_iter(text) {
                let (Some(whole), Some(value)) = (found.get(0), found.name("value")) else { continue };
                let secret = trimmed(value.as_str());
                if secret_like(secret) {
                    out.push((at, value.start()..value.start() + secret.len(), kind(whole.as_str())));
                }
            }
        }
        if line.cell.is_none() {
            for (from, piece) in lines_of(text) {
                let lone = piece.trim().trim_end_matches('.');
                let short = lone.split_whitespace().count() == 1;
                if short && secret_like(lone) {
                    let start = from + piece.find(lone).unwrap_or(0);
                    out.push((at, start..start + lone.len(), "password"));
                }
            }
        }
    }
    out
}

/// Somebody speaks of a password, a code or a lock.
fn speaks_of_one(line: &Line<'_>) -> bool {
    let text = &line.text;
    line.all_marks.has(Marks::LOCK)
        && (0..text.tokens.len()).filter(|&at| line.marks[at].has(Marks::LOCK)).any(|at| match text.word(at) {
            "pass" => matches!(text.word(at + 1), "word" | "words" | "code" | "codes"),
            "log" => text.word(at + 1) == "in",
            "wi" => text.word(at + 1) == "fi",
            _ => true,
        })
}

/// Values that a line states to be a secret.
fn stated(line: &Line<'_>, pattern: &LazyLock<Option<Regex>>, mut each: impl FnMut(Range<usize>, &'static str)) {
    const TALK: [&str; 12] = [
        "reset",
        "change",
        "forgot",
        "forgotten",
        "expire",
        "never",
        "policy",
        "strong",
        "don't",
        "not ",
        "separately",
        "your own",
    ];
    let Some(pattern) = pattern.as_ref() else { return };
    let (text, tokens) = (line.text.folded(), line.text.tokens);
    let beside = |at: usize| line.marks.get(at).is_some_and(|marks| marks.has(Marks::SECRET));
    let mut end = 0;
    for at in (0..tokens.len()).filter(|&at| beside(at) || beside(at + 1)) {
        let from = tokens[at].start();
        if from < end {
            continue;
        }
        let Some(found) = text.get(from..).and_then(|rest| pattern.captures(rest)) else { continue };
        let (Some(whole), Some(value)) = (found.get(0), found.name("value")) else { continue };
        end = from + whole.end();
        let between = found.name("between").map_or("", |m| m.as_str()).to_lowercase();
        let talk = TALK.iter().any(|word| between.contains(word));
        let secret = trimmed(value.as_str());
        let separator = whole.as_str()[..value.start()].trim_end().ends_with([':', '=']);
        let good = secret_like(secret) || code_like(secret) || (separator && word_like(secret));
        if good && !talk {
            let start = from + value.start();
            each(start..start + secret.len(), kind(whole.as_str()));
        }
    }
}

fn kind(stated: &str) -> &'static str {
    let stated = stated.to_lowercase();
    if stated.contains("pass") || stated.contains("pw") { "password" } else { "access-code" }
}

/// Whether a piece of the text is like a secret; most are told by the kinds of their bytes.
fn holds_secret(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut from = 0;
    while from < bytes.len() {
        let (mut at, mut kinds) = (from, 0);
        while at < bytes.len() && BYTES[usize::from(bytes[at])] != ENDS {
            kinds |= BYTES[usize::from(bytes[at])];
            at += 1;
        }
        let mixed = kinds & LETTER != 0 && kinds & (DIGIT | SIGN) != 0;
        if mixed && text.get(from..at).is_some_and(|text| text.split(NO_SECRET).any(|p| secret_like(trimmed(p)))) {
            return true;
        }
        from = at + 1;
    }
    false
}

const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const SIGN: u8 = 4;
const ENDS: u8 = 8;

/// What a byte is to a secret.
const BYTES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        #[allow(clippy::cast_possible_truncation)]
        let b = byte as u8;
        table[byte] = match b {
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'0'..=b'9' => DIGIT,
            b'"' | b'\'' | b'<' | b'>' | b'(' => ENDS,
            _ if b.is_ascii_whitespace() => ENDS,
            b'!'..=b'~' => SIGN,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// What no secret holds.
const NO_SECRET: fn(char) -> bool = |c| c.is_whitespace() || "\"'<>(".contains(c);

/// Without the marks that end a sentence or a bracket.
fn trimmed(value: &str) -> &str {
    value.trim_end_matches(['.', ',', ';', ')', '!', '?', ':', '"', '\''])
}

fn lines_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split('\n').scan(0usize, |at, piece| {
        let from = *at;
        *at += piece.len() + 1;
        Some((from, piece))
    })
}

/// Mixes letters with digits or signs as secrets do, and is no address, link, date, class or reference.
fn secret_like(value: &str) -> bool {
    let length = value.chars().count();
    if !(5..=40).contains(&length)
        || value.contains('@') && value.contains('.') && !value.ends_with('@')
        || value.contains("://")
        || value.starts_with("www")
    {
        return false;
    }
    let digit = value.bytes().any(|b| b.is_ascii_digit());
    let lower = value.bytes().any(|b| b.is_ascii_lowercase());
    let upper = value.bytes().any(|b| b.is_ascii_uppercase());
    let sign = value.bytes().any(|b| b"!$%^&*#@?~+=_".contains(&b));
    let file = value
        .rsplit_once('.')
        .is_some_and(|(_, end)| (2..=4).contains(&end.len()) && end.bytes().all(|b| b.is_ascii_alphabetic()));
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let ordinal = digit && letters <= 2 && !sign;
    let dashes = value.contains(['/', ':']);
    !file
        && !ordinal
        && !dashes
        && ((digit && lower && letters >= 3)
            || (digit && upper && letters >= 3 && length >= 6)
            || (sign && letters >= 3 && (digit || upper)))
}

/// `4471C`, `2580`, `C1357X`, `1234#`.
fn code_like(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    (4..=10).contains(&value.len())
        && digits >= 3
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"*#".contains(&b))
        && value.len() - digits <= 2
}

/// After a colon even a plain word is the password, unless it is said of it.
fn word_like(value: &str) -> bool {
    const SAID: [&str; 16] = [
        "please", "the", "your", "you", "see", "sent", "same", "as", "will", "to", "not", "reset", "changed", "what",
        "how", "in",
    ];
    let lower = value.to_lowercase();
    value.len() >= 6
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_!".contains(&b))
        && !SAID.contains(&lower.as_str())
        && value.bytes().any(|b| b.is_ascii_digit() || b == b'-' || b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::layout::Layout;
    use crate::people::School;
    use crate::text::Document;
    use crate::text::Halt;

    #[test]
    fn written_out_or_talked_about() {
        for (text, want) in [
            ("The password is Foo123.", true),
            ("Password: Bluebell-77", true),
            ("pw: tiger99!", true),
            ("The code for the side gate is 4471C.", true),
            ("The alarm code is 2580.", true),
            ("back gate padlock is 2580, side door keypad C1379Y", true),
            ("It's protected: Larches-41-kettle", true),
            ("Sorry! It's Larches-41-kettle\n\nthe password does not work", true),
            ("The Year 6 door is by gate 3", false),
            ("Please reset your password.", false),
            ("Never share your password with anyone.", false),
            ("I will send the password separately.", false),
            ("The password is on its way.", false),
            ("Your password is about to expire", false),
            ("The password for the attached file\n\nHazelnut42!", true),
            ("Dress code: non-uniform", false),
        ] {
            let documents = [Document {
                kind: Kind::Body,
                place: "body".into(),
                blocks: text
                    .split("\n\n")
                    .map(|t| crate::text::Block::Paragraph { text: t.into(), detail: None })
                    .collect(),
            }];
            let school = School::default();
            let halt = Halt::default();
            let layout = Layout::new(&documents, &school, &halt);
            let scene = Scene::new(&documents, &layout, &school, &halt);
            let found = !find(&scene).is_empty();
            assert_eq!(found, want, "{text}");
        }
    }
}
