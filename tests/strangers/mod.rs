//! Mail that a school's staff send and that means no pupil, full of strangers who bear the names of pupils in parts: whoever stands in it
//! has a forename and a surname that may both be on the roster, and never the two together.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code)]

mod people;

use std::collections::BTreeMap;

use schoolgate::people::School;
use schoolgate::smtp::{Address, Envelope};

use crate::shapes::{Content, Form, message};
use crate::support::Seeded;
#[allow(unused_imports, reason = "not every test that makes this mail compares names")]
pub use people::folded;
use people::{Cast, Names};

/// Of so many messages one is dictated, without a capital; one is passed on, quoted; one has short lines.
const DICTATED: u64 = 12;
const QUOTED: u64 = 10;
const WRAPPED: u64 = 4;

/// Characters of a short line.
const WIDTH: usize = 72;

/// A message, and what kind of mail it is.
pub struct Mail {
    pub kind: &'static str,
    pub text: String,
    pub envelope: Envelope,
    pub raw: Vec<u8>,
}

struct Template {
    kind: &'static str,
    text: &'static str,
}

/// Makes mail for a school.
pub struct Strangers<'a> {
    names: Names<'a>,
    domain: &'a str,
    templates: Vec<Template>,
    lists: BTreeMap<&'static str, Vec<&'static str>>,
}

impl<'a> Strangers<'a> {
    pub fn of(school: &'a School) -> Self {
        let templates = templates(include_str!("mail.txt"));
        assert!(templates.len() >= 60, "{} templates", templates.len());
        let domain = school.domains.first().expect("a mail domain");
        Self { names: Names::of(school), domain, templates, lists: lists(include_str!("lists.txt")) }
    }

    /// The message of this number, from each template in turn.
    pub fn mail(&self, number: usize, rng: &mut Seeded) -> Mail {
        let template = &self.templates[number % self.templates.len()];
        let (mut cast, mut text) = self.cast_and_text(template, rng);
        while self.names.means_somebody(&text) {
            (cast, text) = self.cast_and_text(template, rng);
        }
        let (head, attached) = match text.split_once("\n+ ") {
            Some((head, attached)) => (head.to_owned(), attached.split_once('\n')),
            None => (text.clone(), None),
        };
        let (subject, body) = head.split_once("\n\n").expect("subject and body");
        let (mut subject, mut body) = (subject.to_owned(), body.to_owned());
        if rng.one_in(DICTATED) {
            (subject, body) = (subject.to_lowercase(), body.to_lowercase());
        }
        if rng.one_in(QUOTED) {
            let opening =
                *rng.pick(&["see below", "Any thoughts on this?", "For you, I think.", "Passing this on as promised."]);
            body = format!("{opening}\n\n> {}", body.replace('\n', "\n> "));
            subject = format!("{} {subject}", rng.pick(&["Fwd:", "FW:", "Re:"]));
        } else if rng.one_in(WRAPPED) {
            body = wrapped(&body);
        }
        let from = format!("{} <{}@{}>", cast.of(&self.names, 's', rng).full(), "office", self.domain);
        let other = cast.of(&self.names, 'a', rng).clone();
        let host = *rng.pick(&[
            "moorsupplies.example",
            "tallowfield.example",
            "gmail.com",
            "shire.gov.example",
            "btinternet.com",
        ]);
        let mailbox = format!("{}@{host}", other.local_part(rng));
        let to = if other.full().is_ascii() { format!("{} <{mailbox}>", other.full()) } else { mailbox.clone() };
        let raw = raw(subject, body, attached, &from, &to, rng);
        let address = |text: &str| Address::parse(text).expect("an address");
        let envelope = Envelope::new(Some(address(&format!("office@{}", self.domain))), vec![address(&mailbox)]);
        Mail { kind: template.kind, text, envelope, raw }
    }

    fn cast_and_text(&self, template: &Template, rng: &mut Seeded) -> (Cast, String) {
        let mut cast = Cast::default();
        let text = self.expand(template.text, &mut cast, rng).replace("\\n", "\n");
        (cast, text)
    }

    fn expand(&self, text: &str, cast: &mut Cast, rng: &mut Seeded) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (slot, tail) = after.split_once('}').unwrap_or_else(|| panic!("no closing brace in {text:?}"));
            out.push_str(before);
            rest = tail;
            out.push_str(&self.slot(slot, cast, rng));
        }
        out + rest
    }

    fn slot(&self, slot: &str, cast: &mut Cast, rng: &mut Seeded) -> String {
        match slot {
            "n" => (2 + rng.below(28)).to_string(),
            "nn" => (31 + rng.below(370)).to_string(),
            "code" => (100_000 + rng.below(900_000)).to_string(),
            "room" => format!("{}{}", rng.pick(&["B", "En", "Room ", "Sc", "Hut "]), 1 + rng.below(30)),
            "set" => format!("{}{}", 7 + rng.below(5), rng.pick(&["A/En2", "x1", "B/Ma3", " set 4", "Hi2", "Y"])),
            "first" => self.names.forename(rng),
            "last" => self.names.surname(rng),
            _ => match self.lists.get(slot) {
                Some(list) => self.expand(rng.pick::<&str>(list), cast, rng),
                None => {
                    let (who, part) = slot.split_once('.').unwrap_or((slot, ""));
                    let letter =
                        who.chars().next().filter(|_| who.len() == 1).unwrap_or_else(|| panic!("no slot {slot}"));
                    let person = cast.of(&self.names, letter, rng);
                    person.part(part, rng)
                }
            },
        }
    }
}

/// The message in the form of its attached file or, without one, as text or HTML.
fn raw(
    subject: String,
    body: String,
    attached: Option<(&str, &str)>,
    from: &str,
    to: &str,
    rng: &mut Seeded,
) -> Vec<u8> {
    let between = *rng.pick(&["\t", "  ", " | "]);
    let (Some((file, inside)), body_as_text) = (attached, as_text(&body, between)) else {
        if rng.one_in(2) {
            let content = Content { subject, covering: as_text(&body, between), ..Content::default() };
            return message(&content, Form::Text, from, to);
        }
        let (prose, table) = paragraphs_and_table(&body);
        return message(&Content { subject, prose, table, ..Content::default() }, Form::Html, from, to);
    };
    let (form, standing) = match file.rsplit_once('.').map(|(_, kind)| kind) {
        Some("xlsx") => (Form::Xlsx, "list.xlsx"),
        Some("csv") => (Form::Csv, "list.csv"),
        _ => (Form::Docx, "document.docx"),
    };
    let (prose, table) = paragraphs_and_table(inside);
    let content = Content { subject, covering: body_as_text, prose, table, ..Content::default() };
    let named: String = file.chars().map(|c| if c.is_ascii() && c != '/' && c != '"' { c } else { '-' }).collect();
    let raw = String::from_utf8(message(&content, form, from, to)).expect("ASCII");
    raw.replacen(standing, &named, 1).into_bytes()
}

fn cells(row: &str) -> Option<Vec<String>> {
    let inner = row.trim_start_matches("> ").strip_prefix('|')?.trim_end().strip_suffix('|')?;
    Some(inner.split('|').map(|cell| cell.trim().to_owned()).collect())
}

fn as_text(body: &str, between: &str) -> String {
    let line = |line: &str| cells(line).map_or_else(|| line.to_owned(), |cells| cells.join(between));
    body.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn paragraphs_and_table(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let table = text.lines().filter_map(cells).collect();
    let prose: Vec<&str> = text.lines().filter(|line| cells(line).is_none()).collect();
    let prose =
        prose.join("\n").split("\n\n").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect();
    (prose, table)
}

/// Lines broken where a mail program breaks them; rows of a table stay whole.
fn wrapped(body: &str) -> String {
    let mut out = String::new();
    for line in body.lines() {
        let mut width = 0;
        let row = cells(line).is_some();
        for word in line.split(' ') {
            if width > 0 {
                let full = !row && width + word.chars().count() >= WIDTH;
                out.push(if full { '\n' } else { ' ' });
                width = if full { 0 } else { width + 1 };
            }
            out.push_str(word);
            width += word.chars().count();
        }
        out.push('\n');
    }
    out
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().skip_while(|line| line.starts_with('#'))
}

fn templates(text: &'static str) -> Vec<Template> {
    let parts = text.split("\n= ").skip(1);
    parts
        .map(|part| {
            let (kind, text) = part
                .split_once("\n\n")
                .map_or_else(|| panic!("no kind: {part}"), |_| part.split_once('\n').expect("a line"));
            Template { kind, text: text.trim() }
        })
        .collect()
}

fn lists(text: &'static str) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut lists: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut name = "";
    for line in lines(text).filter(|line| !line.is_empty()) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(section) => name = section,
            None => lists.entry(name).or_default().push(line),
        }
    }
    lists
}
