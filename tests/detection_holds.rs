//! What must hold of detection whatever the message: no octet brings it down, and what is the same to a reader — line ends, spellings of
//! one letter, the order of attachments and of the roster — is the same to it.
//!
//! Schools and messages are made anew from a seed. A message is some of the forms of `written`, together.

mod schools;
mod support;
mod written;

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use schoolgate::command::ground;
use schoolgate::config::Config;
use schoolgate::detect::{Confidence, Correspondence, Findings, detect};
use schoolgate::inspect::{Ground, inspect};
use schoolgate::people::{Pupil, PupilIndex, School};
use schoolgate::smtp::{Address, Envelope};
use schoolgate::text::{Block, Document, Halt, Kind};
use support::Seeded;
use unicode_normalization::UnicodeNormalization;
use written::{CONTEXTS, Case, Roster, folded};

/// Kinds of schools of which each property is asked.
const SCHOOLS: [schools::Kind; 3] = [schools::Kind::Celtic, schools::Kind::Words, schools::Kind::Rural];

/// Messages of each school.
const MESSAGES: usize = 90;

fn found(documents: &[Document], school: &School) -> Findings {
    detect(documents, &[], school, &Correspondence::default(), &Halt::default())
}

/// Pupils by roster id, with tier and categories.
fn pupils(findings: &Findings, school: &School) -> BTreeSet<String> {
    let pupil = |index| school.pupil(index).map_or("none", |pupil| pupil.id.as_str());
    findings.pupils.iter().map(|p| format!("{} {} {:?}", pupil(p.pupil), p.tier.as_str(), p.categories)).collect()
}

/// Kinds of the findings, each with the pupil it is about.
fn kinds(findings: &Findings, school: &School) -> Vec<String> {
    let pupil = |index| school.pupil(index).map_or("none", |pupil| pupil.id.as_str());
    let kind = |f: &schoolgate::detect::Finding| format!("{} {:?}", f.kind, f.pupil.map(pupil));
    let mut kinds: Vec<_> = findings.findings.iter().map(kind).collect();
    kinds.sort();
    kinds
}

/// A school, and messages that mean some of its pupils, and some that look so.
struct Mail {
    roster: Roster,
    messages: Vec<Vec<Document>>,
}

impl Mail {
    fn of(kind: schools::Kind, rng: &mut Seeded) -> Self {
        let roster = Roster::new(schools::school(kind, rng));
        let forms: Vec<written::Write> =
            written::forms().map(|form| form.write).chain(written::strangers().map(|(_, write)| *write)).collect();
        let mut messages = Vec::with_capacity(MESSAGES);
        while messages.len() < MESSAGES {
            let parts = 1 + rng.below(3);
            let mut documents = Vec::new();
            for part in 0..parts {
                let at = rng.below(roster.school.pupils.len() as u64) as usize;
                let context = rng.pick(CONTEXTS);
                let write = *rng.pick(&forms);
                let written = write(&mut Case { roster: &roster, at, context, rng: &mut *rng }).unwrap_or_default();
                documents.extend(written.into_iter().map(|document| renamed(document, part)));
            }
            if rng.one_in(2) {
                documents = changed(&documents, |text| shaken(text, rng));
            }
            if !documents.is_empty() {
                messages.push(documents);
            }
        }
        let naming = messages.iter().filter(|message| !found(message, &roster.school).pupils.is_empty()).count();
        assert!(naming * 2 > MESSAGES, "only {naming} of {MESSAGES} messages name anybody");
        Self { roster, messages }
    }

    /// Holds for every message; else shows the first for which it does not.
    fn all(&self, what: &str, mut holds: impl FnMut(&School, &[Document]) -> Result<(), String>) {
        let wrong: Vec<_> = (self.messages.iter())
            .filter_map(|message| holds(&self.roster.school, message).err().map(|why| (why, message)))
            .collect();
        if let Some((why, message)) = wrong.first() {
            panic!("{what}: {} of {} messages; {why}\n{message:#?}", wrong.len(), self.messages.len());
        }
    }
}

/// Attachments of several parts are several files.
fn renamed(mut document: Document, part: u64) -> Document {
    if matches!(document.kind, Kind::Attachment | Kind::FileName) {
        document.place = format!("{part}/{}", document.place);
    }
    document
}

/// The text with words lost, twice, in another order, in another case, or at the end of a line.
fn shaken(text: &str, rng: &mut Seeded) -> String {
    let mut words: Vec<String> = text.split_inclusive([' ', '\n']).map(str::to_owned).collect();
    for _ in 0..=words.len() / 12 {
        let at = rng.below(words.len().max(1) as u64) as usize;
        let other = rng.below(words.len().max(1) as u64) as usize;
        let Some(word) = words.get(at).cloned() else { break };
        match rng.below(6) {
            0 => drop(words.remove(at)),
            1 => words.insert(other, word),
            2 => words.swap(at, other),
            3 => words[at] = word.to_uppercase(),
            4 => words[at] = word.to_lowercase(),
            _ => words[at] = word.replace(' ', "\n"),
        }
    }
    words.concat()
}

/// The documents with every text changed.
fn changed(documents: &[Document], mut change: impl FnMut(&str) -> String) -> Vec<Document> {
    let mut documents = documents.to_vec();
    for block in documents.iter_mut().flat_map(|document| &mut document.blocks) {
        match block {
            Block::Paragraph { text, .. } => *text = change(text),
            Block::Table(table) => {
                table.change_texts(|text| Some(change(text)));
            }
        }
    }
    documents
}

fn same<T: PartialEq + std::fmt::Debug>(one: T, other: T) -> Result<(), String> {
    if one == other { Ok(()) } else { Err(format!("{one:?} is not {other:?}")) }
}

fn each_school(seed: u64, mut test: impl FnMut(&Mail, &mut Seeded)) {
    let mut rng = Seeded::fixed(seed);
    for kind in SCHOOLS {
        let mail = Mail::of(kind, &mut rng.branch());
        test(&mail, &mut rng.branch());
    }
}

#[test]
fn any_text_in_any_place_is_read_to_its_end() {
    /// What breaks readers of text: marks that join, letters that grow when folded, ends of lines, the astral, controls.
    const ODD: &[&str] = &[
        "\u{301}",
        "\u{200D}",
        "\u{FEFF}",
        "\u{202E}",
        "İ",
        "ß",
        "ﬃ",
        "\r",
        "\r\n",
        "\n",
        "\t",
        "\0",
        "\u{1F469}",
        "\u{FFFD}",
        "'",
        "-",
        "\u{2019}",
        ".",
        ",",
        "(",
        ")",
        "@",
        "/",
        "0",
        "99999999999999999999",
        "  ",
        "|",
        ":",
        "ǆ",
        "\u{3A3}",
        "\u{1D7D8}",
        "\u{660}",
    ];
    each_school(20_261_301, |mail, rng| {
        mail.all("read to its end", |school, message| {
            let torn = changed(message, |text| {
                let mut out = String::new();
                for letter in text.chars() {
                    match rng.below(12) {
                        0 => out.push_str(rng.pick::<&str>(ODD)),
                        1 => out.extend(char::from_u32(rng.below(0x11_0000) as u32)),
                        2 => {}
                        _ => out.push(letter),
                    }
                }
                let octets: Vec<u8> = (0..rng.below(40)).map(|_| rng.below(256) as u8).collect();
                out + &String::from_utf8_lossy(&octets)
            });
            for kind in [Kind::Subject, Kind::Header, Kind::Body, Kind::Quoted, Kind::Attachment, Kind::FileName] {
                let moved: Vec<_> = torn.iter().map(|document| Document { kind, ..document.clone() }).collect();
                // What is found lies in the text, or it would not be shown.
                for finding in found(&moved, school).findings {
                    if !moved.iter().any(|document| document.place == finding.place) {
                        return Err(format!("{} is nowhere", finding.kind));
                    }
                }
            }
            Ok(())
        });
    });
}

#[test]
fn any_octets_of_a_message_are_read_to_their_end() {
    let ground = small_school();
    let mut rng = Seeded::fixed(20_261_302);
    for case in support::cases().iter().filter(|case| !case.tagged("held-aside")) {
        let mut raw = case.message();
        raw.truncate(20_000);
        for _ in 0..=raw.len() / 100 {
            let at = rng.below(raw.len() as u64) as usize;
            raw[at] = rng.below(256) as u8;
        }
        let cut = rng.below(raw.len() as u64) as usize;
        for raw in [&raw[..], &raw[..cut]] {
            let report = inspect(&ground, &envelope(case), raw, now());
            assert_eq!(report.recipients.len(), case.rcpt.len(), "{}", case.id);
        }
    }
}

#[test]
fn line_ends_change_nothing() {
    each_school(20_261_303, |mail, _| {
        mail.all("CRLF", |school, message| {
            let crlf = changed(message, |text| text.replace('\n', "\r\n"));
            let all = |documents: &[Document]| {
                let findings = found(documents, school);
                let of = |f: &schoolgate::detect::Finding| {
                    (f.kind, f.text.replace("\r\n", "\n"), f.place.clone(), f.confidence, f.pupil)
                };
                (pupils(&findings, school), findings.findings.iter().map(of).collect::<Vec<_>>())
            };
            same(all(message), all(&crlf))
        });
    });
}

#[test]
fn spellings_of_one_letter_change_nothing() {
    type Spelling = fn(&str) -> String;
    let spellings: [(&str, Spelling); 6] = [
        ("decomposed", |text| text.nfd().collect()),
        ("composed", |text| text.nfc().collect()),
        ("typographic apostrophes", |text| text.replace('\'', "\u{2019}")),
        ("plain apostrophes", |text| text.replace(['\u{2019}', '\u{2BC}'], "'")),
        ("typographic hyphens", |text| text.replace('-', "\u{2010}")),
        ("non-breaking hyphens", |text| text.replace('-', "\u{2011}")),
    ];
    each_school(20_261_304, |mail, _| {
        for (what, spelling) in spellings {
            mail.all(what, |school, message| {
                let all = |documents: &[Document]| {
                    let findings = found(documents, school);
                    (pupils(&findings, school), kinds(&findings, school))
                };
                same(all(message), all(&changed(message, spelling)))
            });
        }
    });
}

#[test]
fn the_order_of_attachments_changes_nothing() {
    each_school(20_261_305, |mail, rng| {
        mail.all("order of attachments", |school, message| {
            let attached = |document: &&Document| matches!(document.kind, Kind::Attachment | Kind::FileName);
            let mut files: Vec<&str> =
                message.iter().filter(attached).map(|document| document.place.as_str()).collect();
            files.dedup();
            shuffle(&mut files, rng);
            let of = |place: &&str| {
                message.iter().filter(attached).filter(move |d| d.place == *place).cloned().collect::<Vec<_>>()
            };
            let mut moved: Vec<Document> = message.iter().filter(|document| !attached(document)).cloned().collect();
            moved.extend(files.iter().flat_map(of));
            same(pupils(&found(message, school), school), pupils(&found(&moved, school), school))
        });
    });
}

#[test]
fn several_threads_at_once_find_what_each_finds_alone() {
    let ground = small_school();
    let cases: Vec<_> = support::cases().into_iter().filter(|case| !case.tagged("held-aside")).take(60).collect();
    let report = |case: &support::Case| {
        let report = inspect(&ground, &envelope(case), &case.message(), now());
        serde_json::to_string(&(&report.pupils, &report.findings, &report.rules)).expect("a report")
    };
    let alone: Vec<String> = cases.iter().map(report).collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (cases, alone, report) = (&cases, &alone, &report);
            scope.spawn(move || {
                // Each begins elsewhere, so that different messages are read at once.
                for at in (0..cases.len()).map(|at| (at + thread * 13) % cases.len()) {
                    assert_eq!(report(&cases[at]), alone[at], "{}", cases[at].id);
                }
            });
        }
    });
}

#[test]
fn the_order_of_the_roster_changes_nothing() {
    each_school(20_261_306, |mail, rng| {
        let mut order: Vec<usize> = (0..mail.roster.school.pupils.len()).collect();
        shuffle(&mut order, rng);
        let moved = reordered(&mail.roster.school, &order);
        mail.all("order of the roster", |school, message| {
            let all = |school: &School| {
                let findings = found(message, school);
                (pupils(&findings, school), kinds(&findings, school))
            };
            same(all(school), all(&moved))
        });
    });
}

#[test]
fn a_pupil_more_hides_nobody_else() {
    each_school(20_261_307, |mail, rng| {
        // Newcomers with names of all languages.
        let others = schools::school(schools::Kind::City, &mut rng.branch());
        for _ in 0..12 {
            let newcomer = Pupil { id: "newcomer".into(), ..rng.pick(&others.pupils).clone() };
            let order: Vec<usize> = (0..mail.roster.school.pupils.len()).collect();
            let mut more = reordered(&mail.roster.school, &order);
            more.forget_what_is_indexed();
            more.pupils.push(newcomer.clone());
            let more = more.indexed();
            mail.all("a pupil more", |school, message| {
                if speaks_of(message, &newcomer) {
                    return Ok(());
                }
                let still = sure(message, &more);
                let lost = sure(message, school).into_iter().filter(|pupil| !still.contains(pupil));
                let lost: Vec<_> =
                    lost.map(|at| school.pupil(at).expect("a pupil")).filter(|p| !akin(p, &newcomer)).collect();
                same(
                    lost.iter().map(|p| (&p.forename, &p.surname, &newcomer.forename, &newcomer.surname)).collect(),
                    vec![],
                )
            });
        }
    });
}

/// Pupils who are named beyond doubt.
fn sure(documents: &[Document], school: &School) -> BTreeSet<PupilIndex> {
    let findings = found(documents, school).findings;
    findings
        .iter()
        .filter(|f| f.confidence == Confidence::High && f.kind == "pupil-name")
        .filter_map(|f| f.pupil)
        .collect()
}

/// They share a word of a name, or a short form of one.
fn akin(one: &Pupil, other: &Pupil) -> bool {
    let words = |pupil: &Pupil| -> BTreeSet<String> {
        let short =
            |name: &str| schoolgate::people::names::NAMES.short_forms(name).iter().map(ToString::to_string).collect();
        let names = pupil.forenames().chain(pupil.surnames()).chain([pupil.middle_names.as_str()]);
        let all = names.flat_map(|name| std::iter::once(name.to_owned()).chain::<Vec<String>>(short(name)));
        all.flat_map(|name| folded(&name).split(' ').map(str::to_owned).collect::<Vec<_>>()).collect()
    };
    !words(one).is_disjoint(&words(other))
}

/// The class or the address of a pupil stands in the message.
fn speaks_of(documents: &[Document], pupil: &Pupil) -> bool {
    let said = format!("{documents:?}").to_lowercase();
    [&pupil.form, &pupil.address, &pupil.postcode]
        .into_iter()
        .any(|fact| !fact.is_empty() && said.contains(&fact.to_lowercase()))
}

/// The school with its pupils in another order.
fn reordered(school: &School, order: &[usize]) -> School {
    let mut place = vec![PupilIndex(0); order.len()];
    for (at, &old) in order.iter().enumerate() {
        place[old] = PupilIndex(u32::try_from(at).expect("a small school"));
    }
    let now = |pupil: &mut PupilIndex| *pupil = place[pupil.0 as usize];
    let mut out = School::default();
    out.name.clone_from(&school.name);
    out.domains.clone_from(&school.domains);
    out.pupils = order.iter().map(|&old| school.pupils[old].clone()).collect();
    out.staff.clone_from(&school.staff);
    out.guardians.clone_from(&school.guardians);
    for guardian in &mut out.guardians {
        guardian.pupils.iter_mut().chain(&mut guardian.barred_from).for_each(now);
        guardian.responsibility.iter_mut().for_each(|(pupil, _)| now(pupil));
    }
    out.indexed()
}

fn shuffle<T>(list: &mut [T], rng: &mut Seeded) {
    for at in (1..list.len()).rev() {
        list.swap(at, rng.below(at as u64 + 1) as usize);
    }
}

fn now() -> Timestamp {
    "2026-10-14T10:00:00+01:00".parse().expect("a time")
}

fn small_school() -> Ground {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/school/school.toml");
    ground::load(&Config::load(&file).expect("a sound configuration")).expect("a sound roster").ground
}

fn envelope(case: &support::Case) -> Envelope {
    let address = |text: &str| Address::parse(text).expect("an address");
    Envelope::new(Some(address(&case.mail_from)), case.rcpt.iter().map(|to| address(to)).collect())
}
