//! For whom a message or a file says that it is: "staff only", "not for parents", "governors only", set off as a marker is.
//!
//! A marker stands alone on a line, in brackets or between strokes, or ends a title or a file's name; one that begins a title
//! counts with a stroke behind it, or in capitals where the rest is not. Running prose marks nothing ("the staff-only
//! day", "staff only car park").

use std::sync::LazyLock;

use regex::Regex;

use super::lines::{self, Line};
use super::seen::{Seen, kind};
use crate::limits;
use crate::text::{Block, Document, Kind};

/// For whom a message or a file says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// Staff only; not for parents.
    Staff,
    /// Governors.
    Governors,
}

impl Audience {
    /// The kind of a finding of it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Staff => kind::FOR_STAFF,
            Self::Governors => kind::FOR_GOVERNORS,
        }
    }
}

/// A marker, and whether it is one only where it stands alone between strokes.
struct Marker {
    of: Audience,
    weak: bool,
    says: Regex,
}

static MARKERS: LazyLock<Vec<Marker>> = LazyLock::new(|| {
    use Audience::{Governors, Staff};
    let parents =
        "(?:parents?|parents? ?(?:and|or|/|&) ?(?:carers?|guardians?|pupils?|children)|families|carers|guardians|home)";
    let board =
        "(?:governors?'?s?|governing (?:body|board)|trustees?'?s?|lgb|local governing (?:body|board|committee))";
    let staff = "(?:school |teaching |all |internal )?(?:staff|teachers?'?|slt|smt|senior leadership(?: team)?|leadership team)";
    let markers = [
        (Staff, false, format!("(?:strictly |for |confidential )*{staff}(?: members| use| eyes| information)? only")),
        (Staff, false, "(?:strictly |for )*internal (?:use |circulation |school use )?only".to_owned()),
        (
            Staff,
            false,
            format!(
                "(?:strictly )?not (?:to be (?:shared|seen|sent|given)|for sharing|for sending|for circulation|for release) (?:with|to|by|home to) {parents}"
            ),
        ),
        (
            Staff,
            false,
            format!(
                "(?:please )?(?:do not|don't) (?:share|forward|send|show|give)(?: this| it)? (?:with|to|home to) {parents}"
            ),
        ),
        (Staff, false, format!("(?:strictly )?not for {parents}")),
        (Staff, false, "confidential to (?:the )?(?:staff|slt|smt|leadership team)".to_owned()),
        (Staff, true, "for (?:all )?(?:staff|slt|teachers)".to_owned()),
        (Governors, false, format!("(?:strictly |for |confidential )*(?:the )?{board}(?: use| eyes| members)? only")),
        (Governors, false, format!("(?:strictly )?confidential to (?:the )?{board}")),
        (Governors, true, format!("for (?:the )?{board}")),
    ];
    let compiled = |(of, weak, says): (Audience, bool, String)| {
        Some(Marker { of, weak, says: Regex::new(&format!(r"(?i)\b{}", says.replace(' ', r"[ \-]"))).ok()? })
    };
    markers.into_iter().filter_map(compiled).collect()
});

/// For whom the message, or a file that goes with it, says that it is, and where first.
pub(super) fn find(documents: &[Document]) -> Vec<(Audience, Seen)> {
    let mut out: Vec<(Audience, Seen)> = Vec::new();
    for document in documents {
        let mut found = Vec::new();
        match document.kind {
            Kind::Subject => title(&lines::plain(&text_of(document)), &mut found),
            Kind::FileName => title(&name(&text_of(document)), &mut found),
            Kind::Body => headings(document, limits::HEADING_LINES_BODY, &mut found),
            Kind::Attachment => headings(document, limits::HEADING_LINES, &mut found),
            Kind::Header | Kind::Quoted => {}
        }
        let detail = match document.kind {
            Kind::FileName => Some("in its name".to_owned()),
            Kind::Body | Kind::Attachment => Some("in a heading".to_owned()),
            _ => None,
        };
        for (audience, text) in found {
            if out.iter().all(|(known, _)| *known != audience) {
                let line = Line { detail: detail.clone(), text };
                out.push((audience, Seen::of(audience.kind(), document, &line)));
            }
        }
    }
    out
}

fn text_of(document: &Document) -> String {
    document.blocks.iter().flat_map(lines::of_block).collect::<Vec<_>>().join(" ")
}

/// A file's name as a title: its joints are blanks; one that differs from the other joints parts it.
fn name(name: &str) -> String {
    let spaced = name.contains(' ');
    let mut out = String::new();
    for c in name.chars() {
        match c {
            '_' if spaced || name.contains('-') => out.push_str(" - "),
            '_' | '+' => out.push(' '),
            '-' if !spaced && !name.contains('_') => out.push(' '),
            c => out.push(c),
        }
    }
    lines::plain(&out)
}

/// Lines that hold nothing but a marker, among the first of a document and in what stands on top and at the foot of pages.
fn headings(document: &Document, first: usize, found: &mut Vec<(Audience, String)>) {
    let mut seen = 0;
    for block in &document.blocks {
        let edge = matches!(block, Block::Paragraph { detail: Some(detail), .. } if detail.contains("header") && detail != "headers" || detail.contains("footer"));
        // A file's own subject is a title; other fine places (notes, comments) are no heading.
        let subject = matches!(block, Block::Paragraph { detail: Some(detail), .. } if detail == "subject");
        if !edge && !subject && seen >= first {
            continue;
        }
        for line in lines::of_block(block) {
            if !edge && !subject {
                if line.trim().is_empty() {
                    continue;
                }
                seen += 1;
                if seen > first {
                    break;
                }
            }
            match subject || edge {
                true => title(&lines::plain(&line), found),
                false => whole(&lines::plain(&line), found),
            }
        }
    }
}

/// What parts a marker from the rest of a title.
fn is_stroke(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{2013}'
            | '\u{2014}'
            | ':'
            | ';'
            | '|'
            | '/'
            | '*'
            | '('
            | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | '"'
            | '!'
            | ','
            | '.'
            | '#'
            | '~'
            | '='
            | '<'
            | '>'
            | '_'
    )
}

/// The line is a marker, perhaps with others beside it and strokes between.
fn whole(line: &str, found: &mut Vec<(Audience, String)>) {
    if line.chars().count() > limits::HEADING_CHARS {
        return;
    }
    for marker in &*MARKERS {
        for at in marker.says.find_iter(line) {
            let (before, after) = (line[..at.start()].trim(), line[at.end()..].trim());
            if set_off(before, true) && set_off(after, false) && is_short(before) && is_short(after) {
                found.push((marker.of, line.to_owned()));
            }
        }
    }
}

/// A title goes on for a few words behind a marker.
fn is_short(rest: &str) -> bool {
    rest.split_whitespace().count() <= limits::HEADING_REST_WORDS
}

fn set_off(rest: &str, before: bool) -> bool {
    rest.is_empty() || if before { rest.ends_with(is_stroke) } else { rest.starts_with(is_stroke) }
}

/// A marker in a title: set off on both sides, or strong and at the end, or in capitals of its own at the start.
fn title(text: &str, found: &mut Vec<(Audience, String)>) {
    for marker in &*MARKERS {
        for at in marker.says.find_iter(text) {
            let (before, after) = (text[..at.start()].trim_end(), text[at.end()..].trim_start());
            let tight = text[at.end()..].starts_with(|c: char| c.is_alphanumeric());
            let (left, right) = (set_off(before, true), set_off(after, false));
            let shouts = |s: &str| s.chars().any(char::is_alphabetic) && !s.chars().any(char::is_lowercase);
            let loud = shouts(at.as_str()) && !shouts(before) && !shouts(after);
            let strong = !marker.weak && !tight;
            let ends = strong && right && !is_said(before);
            let begins = strong && left && loud;
            if !tight && left && right || ends && after.chars().all(is_stroke) || begins {
                found.push((marker.of, text.to_owned()));
            }
        }
    }
}

/// The last word before makes a sentence of it: "the car park is staff only", "a day for staff only".
fn is_said(before: &str) -> bool {
    let last = before.rsplit(|c: char| !c.is_alphabetic() && c != '\'').next().unwrap_or_default().to_lowercase();
    matches!(
        last.as_str(),
        "is" | "are"
            | "was"
            | "were"
            | "be"
            | "been"
            | "being"
            | "a"
            | "the"
            | "this"
            | "our"
            | "to"
            | "by"
            | "of"
            | "from"
            | "with"
            | "and"
            | "or"
            | "not"
            | "now"
            | "it's"
            | "remains"
            | "remain"
    )
}
