//! Passwords, codes and keys that are written out, as against talk about them.
//!
//! A small grammar: a label says what follows, a joiner how firmly, and the value must have a shape that goes with both.
//! After `password:` nearly any single word is one; straight after the label, or in the line below, only what mixes letters
//! with digits or signs. Label and value stand in one sentence, in two lines one below the other, or in a table as heading
//! and cell. The passcode of a meeting is meant for whom it is sent to, and is none.

mod shapes;

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::marks::Marks;
use super::scene::{Line, Scene};
use crate::limits;
use crate::text::Kind;
use shapes::trimmed;

/// Words of which each label and each pattern has one; a line without any of them holds no label.
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
    "pins",
    "log",
    "login",
    "logins",
    "logon",
    "sign",
    "signin",
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
    "locked",
    "unlock",
    "unlocks",
    "open",
    "opens",
    "token",
    "safe",
    "gate",
    "door",
    "alarm",
    "lock",
];

/// Words that speak of passwords: a line near one may give it without naming it.
pub(super) const OF_LOCKS: &[&str] =
    &["password", "passwords", "passcode", "passphrase", "pw", "pwd", "unlock", "protected", "encrypted", "keypad"];

/// What a label announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    Password,
    /// May be several words.
    Phrase,
    /// A PIN, or the code of a lock.
    Code,
    /// A code of which the sentence must say that it is a lock's.
    SomeCode,
    /// A key for machines.
    Key,
    /// A user's name and a password behind it, or what is locked.
    Login,
}

/// How a value is joined to its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joiner {
    /// A colon or the sign of equality.
    Colon,
    /// `is` and its like.
    Is,
    Dash,
    /// Straight behind it.
    Bare,
    /// In the line below, or the column below.
    Below,
}

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($text).ok());
    };
}

// Each alternative has a name of its own, by which the kind of the label is told.
pattern!(
    LABEL,
    r"(?ix)\b(?:
        (?P<phrase>pass[\ -]?phrases?)
      | (?P<password>pass[\ -]?(?:word|code|key)s?|passwd|pwd|pw|p/w)
      | (?P<code>pins?(?:\ (?:numbers?|codes?|no\.?))?
          | (?:door|gate|alarm|entry|entrance|access|key[\ -]?pad|key[\ -]?safe|lock|padlock|safe|security|unlock|disarm
              |barrier|garage|shed|cupboard|locker|store|front|back|side|building|room|wi-?fi)[\ -]?(?:codes?|combination)
          | combination|padlock|key[\ -]?pad|key[\ -]?safe)
      | (?P<some>codes?)
      | (?P<key>(?:secret|api|access|licen[cs]e|encryption|product|activation|recovery|wpa2?|network|wi-?fi|private)\ key
          | (?:api|access|auth|bearer)\ token)
      | (?P<login>(?:log|sign)[\ -]?[io]ns?(?:\ (?:details|info|credentials))?|wi-?fi|protected|encrypted|locked)
    )\b"
);
pattern!(
    EXPLICIT,
    r"(?ix)\A(?P<between>[^\n.?!:=;]{0,60}?)
      (?: (?P<is>[\ ]+(?:is|are|was|will\ be|remains|set\ to|changed\ to|reset\ to)
            (?:\ (?:now|still|just|simply|currently|always|again))*:?[\ ]+)
        | (?P<colon>[\ ]*[:=][\ \t]*)
        | (?P<dash>[\ ]+[-\u{2013}\u{2014}>]+[\ ]+|[\ ]*-[\ ]+) )"
);
pattern!(BARE, r#"\A(?:,?[ \t]+|[ \t]*/[ \t]*)\(?"#);
pattern!(VALUE, r#"\A(?P<open>["'(\[*]?)(?P<value>[^\s"'<>]{3,64})(?P<close>["']?)"#);
// What may stand between a label and its joiner: what it is for.
pattern!(FOR, r"(?i)\A(?:\(|,? ?(?:for|to|of|on|in|at|that|which|we|you|here|now|this|today|again|with)\b)");
pattern!(
    TALK,
    r"(?i)\b(?:reset|chang\w+|forg[eo]t\w*|expir\w+|never|policy|strong|don't|not|separately|own|must|should)\b"
);
// A user's name, and the password behind it.
pattern!(
    PAIR,
    r#"(?ix)\A(?:[\ ]+(?:is|are|with|using|as)|[\ ]*[:=]|[\ ]+-)?[\ ]+[^\s/|,:]{3,40}(?:[\ ]*[,/|][\ ]*|[\ ]+(?:and[\ ]+)?)(?P<value>[^\s"'<>]{5,40})"#
);
pattern!(SHORT_PAIR, r#"(?i)\bu(?:ser)?\s*[:=]\s*\S+?[\s,/|]+p\s*[:=]\s*(?P<value>[^\s"'<>]{4,40})"#);
pattern!(
    USE,
    r#"(?ix)\b(?:(?P<opens>unlock(?:s|\ it)?\ with|opens?(?:\ it)?\ with|(?:log|sign)[\ -]?[io]n\ with)|use|enter|type|type\ in|key\ in|using)\s+["'(]?(?P<value>[^\s"'<>]{4,40})"#
);
pattern!(
    IS_IT,
    r#"(?i)["'(]?(?P<value>[^\s"'<>(]{5,40})["')]? (?:is|as) (?:the|your|our|a|their) (?:new )?pass ?-?(?:word|code|phrase)\b"#
);
pattern!(
    ITS,
    r#"(?i)\b(?:it's|it is|its|this is|the new one is|new one is|one is|try|now)\s+["'(]?(?P<value>[^\s"'<>]{6,40})"#
);
pattern!(
    LOCKED,
    r"(?i)\b(?:gates?|doors?|alarm|padlock|key ?-?pad|key ?-?safe|safe|lock|locks|locked|barrier|garage|shed|cupboard|locker|entrance|building|photocopier|wi-?fi)\b"
);
// A file that is opened with one: what is opened with a word beside it is none.
pattern!(
    FILE,
    r"(?i)\b(?:files?|documents?|attachments?|attached|zip|workbook|spreadsheet|sheet|pdf|archive|folder)\b"
);
// The keys of a pad one by one.
pattern!(
    KEYED,
    r"(?i)(?:^|[^\w ]|[a-z])[ ]+(?P<value>\d(?:[ -]\d){3,7})(?:\s*$|[.,;!)]|\s+(?:then|and|hash|star|to|it))"
);
pattern!(ARTICLE, r"(?i)(?:\b(?:the|a|new|old|this|my|our|its|that|same|and|current)|[,:;(])\s*\z");
pattern!(
    MEETING,
    r"(?i)meeting id|webinar id|conference id|join (?:the |our |zoom |teams |your |this )*(?:meeting|webinar|call|conference)|dial[- ]?in|zoom\.us|teams\.(?:microsoft|live)\.com|meet\.google|webex\.com|(?:zoom|teams|webex|google meet) (?:meeting|link|call|webinar)"
);
pattern!(USER, r"(?i)\b(?:user ?-?(?:name|id)?|log ?-?in|account)\b");

/// What was found in one line: its place in the folded text, and its kind.
type Found = (Range<usize>, &'static str);

/// Where a credential is written out: line, range of the folded text, kind.
pub(super) fn find(scene: &Scene<'_>) -> Vec<(usize, Range<usize>, &'static str)> {
    let mut out = Vec::new();
    for (at, line) in scene.lines() {
        if line.footer || scene.kind(at) == Kind::FileName {
            continue;
        }
        let labels = line.all_marks.has(Marks::SECRET);
        let near = line.all_marks.has(Marks::DIGIT) && spoken_of_near(scene, at);
        let above = [at.checked_sub(1), scene.column_heading(at)];
        let below = above.into_iter().flatten().any(|above| scene.lines[above].all_marks.has(Marks::SECRET));
        if !(labels || near || below) {
            continue;
        }
        let mut found: Vec<Found> = Vec::new();
        let text = unwrapped(line);
        if labels {
            labelled(scene, at, &text, &mut found);
            in_sentence(&text, &mut found);
        }
        if near {
            each(&ITS, &text, |_, value| shapes::strong(value), &mut found);
        }
        announced(scene, at, &text, &mut found);
        found.sort_by_key(|(range, _)| range.start);
        found.dedup_by(|a, b| a.0.start < b.0.end);
        out.extend(found.into_iter().map(|(range, kind)| (at, range, kind)));
    }
    out
}

/// The folded text, in which a line that was only wrapped goes on; as long as it was.
fn unwrapped(line: &Line<'_>) -> String {
    let mut out = String::with_capacity(line.text.folded().len());
    for piece in line.text.folded().split_inclusive('\n') {
        match piece.strip_suffix('\n') {
            Some(whole) if whole.len() >= limits::WRAPPED_LINE => {
                out.push_str(whole);
                out.push(' ');
            }
            _ => out.push_str(piece),
        }
    }
    out
}

/// Values behind the labels of a line.
fn labelled(scene: &Scene<'_>, at: usize, text: &str, found: &mut Vec<Found>) {
    let mut end = 0;
    for (range, label) in labels(text) {
        if range.start < end {
            continue;
        }
        let rest = &text[range.end..];
        let (sentence, from) = sentence(text, range.start);
        let some_code = label == Label::SomeCode;
        if some_code && !(is(&LOCKED, sentence) && (range.start == from || is(&ARTICLE, &text[..range.start]))) {
            continue;
        }
        let Some(value) = stated(label, rest).or_else(|| pair(label, rest)) else { continue };
        let value = range.end + value.start..range.end + value.end;
        if meetings(scene, at, label, &text[range.clone()]) && !is(&USER, sentence) {
            continue;
        }
        end = value.end;
        found.push((value, kind(label)));
    }
}

/// The labels of a text with their places; `password-protected` is none.
fn labels(text: &str) -> impl Iterator<Item = (Range<usize>, Label)> {
    let all = LABEL.as_ref().into_iter().flat_map(move |pattern| pattern.captures_iter(text));
    all.filter_map(move |found| {
        let range = found.get(0)?.range();
        let before = text[..range.start].chars().next_back();
        let mut after = text[range.end..].chars();
        let joined = match after.next() {
            Some('-' | '_' | '.') => after.next().is_some_and(char::is_alphanumeric),
            Some('"' | '\'' | '(' | '[' | '@') => true,
            _ => false,
        };
        let within = before.is_some_and(|c| "-_.$@\"'<#&?".contains(c));
        let label = [
            ("phrase", Label::Phrase),
            ("password", Label::Password),
            ("code", Label::Code),
            ("some", Label::SomeCode),
            ("key", Label::Key),
        ];
        let label = label.into_iter().find(|(name, _)| found.name(name).is_some()).map_or(Label::Login, |(_, l)| l);
        (!joined && !within).then_some((range, label))
    })
}

/// The value that is stated behind a label, by its place in the text behind.
fn stated(label: Label, rest: &str) -> Option<Range<usize>> {
    if let Some(found) = EXPLICIT.as_ref()?.captures(rest) {
        let between = found.name("between").map_or("", |m| m.as_str()).trim();
        let apt = between.is_empty() || (is(&FOR, between) && !is(&TALK, between));
        let joiner = match (found.name("is"), found.name("colon")) {
            (Some(_), _) => Joiner::Is,
            (_, Some(_)) => Joiner::Colon,
            _ => Joiner::Dash,
        };
        let from = found.get(0)?.end();
        if let Some(value) = apt.then(|| value(label, joiner, &rest[from..])).flatten() {
            return Some(from + value.start..from + value.end);
        }
        // `Password:` with the value in the next line.
        if apt && rest[from..].starts_with('\n') {
            let below = rest[from..].trim_start();
            let from = rest.len() - below.len();
            let value = alone(label, below.lines().next()?)?;
            return Some(from + value.start..from + value.end);
        }
    }
    let from = BARE.as_ref()?.find(rest)?.end();
    let value = value(label, Joiner::Bare, &rest[from..])?;
    Some(from + value.start..from + value.end)
}

/// The value with which a text begins, if its shape goes with the label and the joiner.
fn value(label: Label, joiner: Joiner, text: &str) -> Option<Range<usize>> {
    let found = VALUE.as_ref()?.captures(text)?;
    let whole = found.name("value")?;
    let quoted = found.name("open").is_some_and(|m| matches!(m.as_str(), "\"" | "'")) && !found["close"].is_empty();
    // Of `oakclass/Larch-88` the second part.
    let (skip, raw) = match whole.as_str().split_once(['/', '|']) {
        Some((user, secret)) if !secret.contains('/') => (user.len() + 1, secret),
        _ => (0, whole.as_str()),
    };
    let value = trimmed(raw);
    let rest = &text[found.get(0)?.end()..];
    let set_off = skip > 0 || value.len() < raw.len() || quoted;
    let ends = set_off || ends_clause(rest);
    let good = match (label, joiner) {
        (Label::Password | Label::Phrase, Joiner::Colon | Joiner::Is | Joiner::Below) => {
            shapes::mixed(value) || ((set_off || ends_sentence(rest)) && shapes::word(value))
        }
        (Label::Password | Label::Phrase, Joiner::Dash | Joiner::Bare) => shapes::mixed(value),
        (Label::Code | Label::SomeCode, Joiner::Colon | Joiner::Is | Joiner::Below) => ends && shapes::code(value),
        (Label::Code, Joiner::Dash | Joiner::Bare) => ends && shapes::code_alone(value),
        (Label::SomeCode, _) => false,
        (Label::Key, Joiner::Bare) => shapes::mixed(value),
        (Label::Key, _) => shapes::key(value),
        (Label::Login, Joiner::Colon | Joiner::Is) => shapes::strong(value),
        (Label::Login, _) => false,
    };
    if good {
        let from = whole.start() + skip;
        return Some(from..from + value.len());
    }
    // `the pass phrase is purple kettle seven`
    let line = text.lines().next().unwrap_or_default();
    let words = line.split_whitespace().count();
    let several = label == Label::Phrase
        && matches!(joiner, Joiner::Colon | Joiner::Is)
        && (2..=7).contains(&words)
        && shapes::word(value)
        && line.trim_end_matches('.').chars().all(|c| c.is_alphanumeric() || c == ' ' || c == '-');
    several.then_some(0..line.len())
}

/// The value ends the clause, or another begins behind it.
fn ends_sentence(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t']);
    let next = ["and ", "or ", "but "];
    ends_clause(rest) && (!rest.starts_with(char::is_alphabetic) || next.iter().any(|word| rest.starts_with(word)))
}

/// Nothing that belongs to the value's clause follows.
fn ends_clause(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t', ')', ']', '*']);
    rest.is_empty()
        || rest.starts_with(['\n', '\r', '.', ',', ';', '/', '|', '(', '-', '\u{2013}', '!'])
        || ["and ", "or ", "then ", "but ", "for ", "to ", "on ", "if ", "until ", "from ", "at ", "which ", "thanks"]
            .iter()
            .any(|word| rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)))
}

/// Name and password, or network and key.
fn pair(label: Label, rest: &str) -> Option<Range<usize>> {
    if !matches!(label, Label::Login | Label::Password) {
        return None;
    }
    let value = PAIR.as_ref()?.captures(rest)?.name("value")?;
    let secret = trimmed(value.as_str());
    shapes::strong(secret).then(|| value.start()..value.start() + secret.len())
}

/// The whole of a line or a cell, if it is a value.
fn alone(label: Label, text: &str) -> Option<Range<usize>> {
    let lone = text.trim();
    let one = !lone.is_empty() && !lone.contains(char::is_whitespace);
    let value = match label {
        Label::Password | Label::Phrase => shapes::mixed(lone),
        Label::Code => shapes::code(lone),
        Label::Key => shapes::key(lone),
        Label::SomeCode | Label::Login => false,
    };
    let from = text.len() - text.trim_start().len();
    (one && value).then_some(from..from + lone.len())
}

/// Values that a verb hands over: `use X as the password`, `it opens with X`.
fn in_sentence(text: &str, found: &mut Vec<Found>) {
    each(&SHORT_PAIR, text, |_, value| shapes::mixed(value), found);
    each(&IS_IT, text, |_, value| shapes::mixed(value), found);
    let said = |at: usize, value: &str| {
        let Some(verb) = USE.as_ref().and_then(|pattern| pattern.captures_at(text, at)) else { return false };
        let (sentence, _) = sentence(text, at);
        let label = |wanted: &[Label]| labels(sentence).any(|(_, label)| wanted.contains(&label));
        let opens = verb.name("opens").is_some();
        let file = || opens && is(&FILE, sentence) && ends_clause(after(text, value));
        (shapes::strong(value) && (opens || label(&[Label::Password, Label::Phrase])))
            || (shapes::mixed(value) && file())
            || (shapes::mixed(value) && label(&[Label::Password, Label::Phrase]) && ends_clause(after(text, value)))
            || (shapes::code_alone(value) && is(&LOCKED, sentence))
    };
    each(&USE, text, said, found);
    let keyed = |at: usize, value: &str| value.contains(' ') && is(&LOCKED, sentence(text, at).0);
    each(&KEYED, text, keyed, found);
}

/// The text behind a piece of it.
fn after<'a>(text: &'a str, piece: &str) -> &'a str {
    let from = piece.as_ptr() as usize - text.as_ptr() as usize + piece.len();
    text.get(from..).unwrap_or_default()
}

/// Values of a pattern that are as wanted; the test is told where the pattern began.
fn each(pattern: &LazyLock<Option<Regex>>, text: &str, good: impl Fn(usize, &str) -> bool, found: &mut Vec<Found>) {
    let Some(pattern) = pattern.as_ref() else { return };
    for captures in pattern.captures_iter(text) {
        let (Some(whole), Some(value)) = (captures.get(0), captures.name("value")) else { continue };
        let secret = trimmed(value.as_str());
        if good(whole.start(), secret) {
            let kind = if shapes::code(secret) { kind(Label::Code) } else { kind(Label::Password) };
            found.push((value.start()..value.start() + secret.len(), kind));
        }
    }
}

/// Values that stand by themselves: below a line that announces one, in its column, or beside its label in a row.
fn announced(scene: &Scene<'_>, at: usize, text: &str, found: &mut Vec<Found>) {
    let line = &scene.lines[at];
    if let Some((row, column)) = line.cell() {
        let left = at.checked_sub(1).filter(|&left| {
            let left = &scene.lines[left];
            left.document() == line.document()
                && left.block() == line.block()
                && left.cell() == column.checked_sub(1).map(|c| (row, c))
        });
        let one = !text.trim().contains(char::is_whitespace);
        let from = text.len() - text.trim_start().len();
        let below =
            |label| value(label, Joiner::Below, &text[from..]).map(|found| from + found.start..from + found.end);
        // To the right of a label stands the next heading as well, which is a word.
        for (heading, to_the_left) in [(scene.column_heading(at), false), (left, true)] {
            let Some(heading) = heading.map(|heading| &scene.lines[heading]) else { continue };
            let Some(label) = heading_label(heading) else { continue };
            let value = if to_the_left { alone(label, text) } else { below(label) };
            if let Some(value) = value.filter(|_| one && !meetings(scene, at, label, heading.text.folded())) {
                found.push((value, kind(label)));
            }
        }
        return;
    }
    let mut from = 0;
    // The line above, in this paragraph or the one before.
    let before = at.checked_sub(1).map(|before| &scene.lines[before]).filter(|before| before.cell().is_none());
    let mut above = before.map_or("", |before| match before.all_marks.has(Marks::SECRET) {
        true => before.text.folded().trim_end().lines().next_back().unwrap_or_default(),
        false => "",
    });
    for piece in text.split_inclusive('\n') {
        let lone = piece.trim();
        if !lone.is_empty() && !lone.contains(' ') && !above.is_empty() {
            let words = above.split_whitespace().count();
            let label = labels(above).map(|(_, label)| label).find(|label| *label != Label::Login);
            if let Some(label) = label.filter(|_| words <= limits::HEADING_WORDS && !is(&TALK, above))
                && let Some(value) = alone(label, piece)
                && !meetings(scene, at, label, above)
            {
                found.push((from + value.start..from + value.end, kind(label)));
            }
        }
        from += piece.len();
        if !lone.is_empty() {
            above = if line.all_marks.has(Marks::SECRET) { lone } else { "" };
        }
    }
}

/// The label that a heading is; one that says when a password was changed is none.
fn heading_label(heading: &Line<'_>) -> Option<Label> {
    let text = heading.text.folded();
    if !heading.all_marks.has(Marks::SECRET) || heading.text.tokens.len() > limits::LABEL_WORDS || is(&TALK, text) {
        return None;
    }
    let (range, label) = labels(text).find(|(_, label)| !matches!(label, Label::Login | Label::SomeCode))?;
    let rest = text[range.end..].trim_matches([' ', ':', '*']);
    (rest.is_empty() || is(&FOR, rest)).then_some(label)
}

/// Whether what a label announces is for a meeting, the link or number of which stands near.
fn meetings(scene: &Scene<'_>, at: usize, label: Label, written: &str) -> bool {
    let written = written.to_lowercase();
    let theirs = match label {
        Label::Password => true,
        Label::Code => written.starts_with("pin") || written.starts_with("access"),
        _ => false,
    };
    theirs && near(scene, at).any(|near| is(&MEETING, scene.lines[near].text.folded()))
}

/// A line near this one speaks of passwords.
fn spoken_of_near(scene: &Scene<'_>, at: usize) -> bool {
    matches!(scene.kind(at), Kind::Body | Kind::Quoted | Kind::Subject)
        && near(scene, at).any(|near| scene.lines[near].all_marks.has(Marks::LOCK))
}

fn near(scene: &Scene<'_>, at: usize) -> Range<usize> {
    at.saturating_sub(limits::SECRET_REACH)..(at + 1 + limits::SECRET_REACH).min(scene.lines.len())
}

/// The sentence around a byte, and where it begins.
fn sentence(text: &str, at: usize) -> (&str, usize) {
    const STOPS: [&str; 4] = [". ", "! ", "? ", "\n"];
    let from =
        STOPS.iter().filter_map(|stop| text[..at].rfind(stop).map(|found| found + stop.len())).max().unwrap_or(0);
    let to = STOPS.iter().filter_map(|stop| text[at..].find(stop)).min().map_or(text.len(), |found| at + found);
    (&text[from..to], from)
}

fn is(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

fn kind(label: Label) -> &'static str {
    match label {
        Label::Password | Label::Phrase | Label::Login => "password",
        Label::Code | Label::SomeCode | Label::Key => "access-code",
    }
}

#[cfg(test)]
mod tests;
