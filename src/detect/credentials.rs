//! Passwords, codes and keys that are written out, as against talk about them.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::scene::Scene;
use crate::text::Kind;

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($text).ok());
    };
}
// The value is what follows `is`, `:`, `=` or a dash; whether it looks like one is judged apart.
pattern!(
    STATED,
    r#"(?i)\b(?:pass ?-?(?:word|code|phrase|key)s?|pwd?|pw|p/w|passwd|pin(?: ?(?:number|code|no\.?))?|log-?in(?: details)?|wi-?fi(?: ?(?:key|code))?|(?:door|gate|alarm|entry|access|key ?pad|key ?safe|keysafe|lock|padlock|safe|security|unlock|disarm|front|back|side|building) ?codes?|combination|padlock|key ?pad|key ?safe|protected|encrypted|(?:secret|api|access|licen[cs]e|encryption|product|wpa|network) ?key|token)\b(?P<between>[^\n.?!:=]{0,60}?)(?:\s+(?:is now|is still|is|are|was|will be|remains)(?:\s+just|\s+simply)?:?|\s*[:=]|\s+-|\s*-(?:\s))\s*["'(]?(?P<value>[^\s"'<>]{3,64})"#
);
pattern!(
    CODE_FOR,
    r#"(?i)\bcodes?\b(?P<between> (?:for|to|on|of) (?:the |our )?[a-z ,]{3,40}?)(?: is(?: now)?| are|:| =| -)\s*["']?(?P<value>[a-z]?\d[\da-z*#]{2,9})\b"#
);
pattern!(
    LOCK,
    r#"(?i)\b(?:padlock|key ?pad|key ?safe|alarm|gate|door|lock)\b(?: ?code)?(?: is| =|:| with| w/?| using| on| to| code)* ["']?(?P<value>[a-z]?\d[\da-z*#]{3,7})\b"#
);
pattern!(
    ITS,
    r#"(?i)\b(?:it's|it is|its|this is|the new one is|new one is|one is|try|now)\s+["']?(?P<value>[^\s"'<>]{6,40})"#
);
pattern!(
    USE,
    r#"(?i)\b(?:use|enter|type|type in|key in|unlock(?: it)? with|open(?: it)? with|opens with|log ?in with|using)\s+["']?(?P<value>[^\s"'<>]{4,40})"#
);
pattern!(
    TALK,
    r"(?i)\b(?:pass ?words?|pass ?codes?|pw|unlock|protected|encrypted|locked|door|gate|alarm|keypad|code|log ?in|wifi|wi-fi)\b"
);

/// Where a credential is written out: line, range of the folded text, kind.
pub(super) fn find(scene: &Scene<'_>) -> Vec<(usize, Range<usize>, &'static str)> {
    let mut out = Vec::new();
    // A lone token that looks like a password counts when somebody speaks of one in the message.
    let spoken_of = scene.lines.iter().any(|line| TALK.as_ref().is_some_and(|p| p.is_match(line.text.folded())));
    for (at, line) in scene.lines.iter().enumerate() {
        if line.footer || scene.kind(at) == Kind::FileName {
            continue;
        }
        let text = line.text.folded();
        for (pattern, strict) in [(&STATED, false), (&CODE_FOR, false), (&LOCK, false), (&ITS, true), (&USE, true)] {
            let Some(pattern) = pattern.as_ref() else { continue };
            for found in pattern.captures_iter(text) {
                let Some(value) = found.name("value") else { continue };
                let between = found.name("between").map_or("", |m| m.as_str()).to_lowercase();
                let talk = [
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
                ]
                .iter()
                .any(|word| between.contains(word));
                let value_text = value.as_str().trim_end_matches(['.', ',', ';', ')', '!', '?', ':', '"', '\'']);
                let whole = found.get(0).map_or("", |m| m.as_str()).to_lowercase();
                let separator =
                    whole[..whole.len().saturating_sub(value.as_str().len())].trim_end().ends_with([':', '=']);
                let good = if strict {
                    secret_like(value_text) && spoken_of
                } else {
                    secret_like(value_text) || code_like(value_text) || (separator && word_like(value_text))
                };
                if good && !talk {
                    let kind = if whole.contains("pass") || whole.contains("pw") { "password" } else { "access-code" };
                    out.push((at, value.start()..value.start() + value_text.len(), kind));
                }
            }
        }
        if spoken_of && line.cell.is_none() {
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
    use crate::people::School;
    use crate::text::Document;

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
            let scene = Scene::new(&documents, &School::default());
            let found = !find(&scene).is_empty();
            assert_eq!(found, want, "{text}");
        }
    }
}
