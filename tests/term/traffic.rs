//! The mail of a term: relations and a labelled corpus played day by day, with slips at a low rate.

use std::path::Path;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schoolgate::command::score::Case;
use schoolgate::inspect::Ground;
use schoolgate::people::School;
use schoolgate::policy::Action;
use schoolgate::relay::sender::with_confidential;

use super::forms::{self, Form, Habit};
use super::school::{Relation, pupil_name, relations};
use crate::ordinary::Grammar;
use crate::support::Seeded;

/// What is true of a message, whatever the gateway makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Label {
    /// It should reach whom it is for, perhaps after a mark.
    Right,
    /// As the last, and it is private mail.
    Private,
    /// It should not go as it is; about these pupils of the roster.
    Slip(Vec<String>),
}

/// One message on one day.
#[derive(Debug, Clone)]
pub struct Mail {
    /// School day of the term, from 0.
    pub day: usize,
    pub sender: String,
    pub to: Vec<String>,
    /// Places in the roster of whom the relation is about; of the corpus none.
    pub about: Vec<usize>,
    pub raw: Rc<[u8]>,
    pub label: Label,
    /// The form, for the tables.
    pub form: &'static str,
}

/// How much is played.
#[derive(Debug, Clone, Copy)]
pub struct Play {
    pub days: usize,
    /// Slips in a thousand messages.
    pub slips: u64,
    /// Each message of the corpus that is right is sent once in so many days.
    pub corpus_every: u64,
}

/// Bodies of ordinary mail of one relation.
const ORDINARY: usize = 4;

/// A term of mail; the same seed gives the same term.
pub fn term(ground: &Ground, folder: &Path, play: Play, rng: &mut Seeded) -> Vec<Mail> {
    let school = &ground.school;
    let names: Vec<_> = school.pupils.iter().map(|p| (p.forename.clone(), p.surname.clone())).collect();
    let grammar = Grammar::open(&names);
    let relations = relations(ground, rng);
    // Ordinary mail repeats itself within a relation.
    let ordinary: Vec<Vec<Rc<[u8]>>> = relations
        .iter()
        .map(|relation| match relation.forms.is_empty() {
            false => Vec::new(),
            true => (0..ORDINARY).map(|_| ordinary(&grammar, relation, rng)).collect(),
        })
        .collect();
    let corpus = corpus(folder);
    let (right, slips): (Vec<_>, Vec<_>) = corpus.into_iter().partition(|m| !matches!(m.label, Label::Slip(_)));
    let mut mails = Vec::new();
    for day in 0..play.days {
        let first = mails.len();
        for (relation, ordinary) in relations.iter().zip(&ordinary) {
            // At most one a day: rates are small.
            if rng.below(1_000) < relation.rate {
                mails.push(written(school, relation, ordinary, day, rng));
            }
        }
        for mail in &right {
            if rng.one_in(play.corpus_every) {
                mails.extend(again(mail, day, rng));
            }
        }
        for _ in first..mails.len() {
            if rng.below(1_000) < play.slips {
                mails.push(slip(school, &relations, &slips, day, rng));
            }
        }
        // The order within a day is anybody's.
        for at in (first + 1..mails.len()).rev() {
            mails.swap(at, first + rng.below((at - first + 1) as u64) as usize);
        }
    }
    mails
}

/// A message of the corpus once more: what lacks its mark is marked as often as other mail is.
fn again(mail: &Mail, day: usize, rng: &mut Seeded) -> Option<Mail> {
    match mail.form {
        UNMARKED if rng.below(100) < forms::MARKED => {
            Some(Mail { day, raw: with_confidential(&mail.raw).into(), ..mail.clone() })
        }
        PRIVATE if rng.below(100) < forms::MARKED_PRIVATE => None,
        _ => Some(Mail { day, ..mail.clone() }),
    }
}

/// A message of a relation on this day.
fn written(school: &School, relation: &Relation, ordinary: &[Rc<[u8]>], day: usize, rng: &mut Seeded) -> Mail {
    let (sender, to, about) = (relation.sender.clone(), relation.to.clone(), relation.pupils.clone());
    if !ordinary.is_empty() {
        let raw = Rc::clone(rng.pick(ordinary));
        return Mail { day, sender, to, about, raw, label: Label::Right, form: "ordinary mail" };
    }
    let form = weighed(&relation.forms, rng);
    let label = if matches!(form.habit, Habit::Personal(_)) { Label::Private } else { Label::Right };
    let raw = composed(school, relation, &relation.to, &relation.pupils, form, rng);
    Mail { day, sender, to, about, raw, label, form: form.name }
}

fn weighed(forms: &[(&'static Form, u64)], rng: &mut Seeded) -> &'static Form {
    let mut left = rng.below(forms.iter().map(|(_, weight)| weight).sum());
    for (form, weight) in forms {
        match left.checked_sub(*weight) {
            Some(rest) => left = rest,
            None => return form,
        }
    }
    unreachable!("what is left is below the sum")
}

/// A slip: a message of the corpus that must not go, a note to another child's parent, another pupil in a relation that is
/// about one, or a child's photograph to a firm that gets photographs.
fn slip(school: &School, relations: &[Relation], corpus: &[Mail], day: usize, rng: &mut Seeded) -> Mail {
    let with = |forms: &[&Form]| -> Vec<&Relation> {
        relations.iter().filter(|r| r.forms.iter().any(|(form, _)| forms.iter().any(|f| f.name == form.name))).collect()
    };
    let pupil_of = |relation: &Relation| school.pupils[relation.pupils[0]].id.clone();
    let made = |relation: &Relation, about: &Relation, form: &'static Form, rng: &mut Seeded, name| {
        let raw = composed(school, relation, &relation.to, &about.pupils, form, rng);
        let pupils = if relation.pupils.is_empty() { Vec::new() } else { vec![pupil_of(about)] };
        let (sender, to) = (relation.sender.clone(), relation.to.clone());
        Mail { day, sender, to, about: about.pupils.clone(), raw, label: Label::Slip(pupils), form: name }
    };
    match rng.below(5) {
        0 | 1 if !corpus.is_empty() => Mail { day, ..rng.pick(corpus).clone() },
        2 => {
            let firm = *rng.pick(&with(&[&forms::BOILER]));
            made(firm, firm, &forms::CHILD_PICTURE, rng, forms::CHILD_PICTURE.name)
        }
        3 => {
            let carers = with(&[&forms::COLLECT, &forms::THERAPIST, &forms::LESSON]);
            let (one, other) = others(school, &carers, rng);
            let named = |form: &&'static Form| form.bodies.iter().all(|body| body.contains("{pupil}"));
            let forms: Vec<_> = one.forms.iter().map(|(form, _)| *form).filter(named).collect();
            let form = *rng.pick(&forms);
            made(one, other, form, rng, "slip: another pupil than the one concerned")
        }
        _ => {
            let notes = with(&[&forms::PROGRESS]);
            let (one, other) = others(school, &notes, rng);
            made(one, other, &forms::BEHAVIOUR, rng, "slip: to another child's parent")
        }
    }
}

/// Two of these relations. Whom the first writes to is no guardian of the pupil of the second, and nobody writes there about
/// that pupil.
fn others<'a>(school: &School, of: &[&'a Relation], rng: &mut Seeded) -> (&'a Relation, &'a Relation) {
    let is_own = |to: &Relation, pupil: usize| {
        school.guardians.iter().any(|guardian| {
            guardian.email.as_ref().is_some_and(|email| to.to.contains(email))
                && guardian.pupils.iter().any(|own| own.0 as usize == pupil)
        })
    };
    loop {
        let (to, about) = (*rng.pick(of), *rng.pick(of));
        let pupil = about.pupils[0];
        if !is_own(to, pupil) && !of.iter().any(|other| other.to == to.to && other.pupils.contains(&pupil)) {
            return (to, about);
        }
    }
}

fn ordinary(grammar: &Grammar, relation: &Relation, rng: &mut Seeded) -> Rc<[u8]> {
    let kind = loop {
        let kind = *rng.pick(&grammar.mails);
        if kind != "mail personal" {
            break kind;
        }
    };
    let (subject, body) = grammar.message(kind, rng);
    raw(relation, &relation.to, &subject, &body, false)
}

fn composed(
    school: &School,
    relation: &Relation,
    to: &[String],
    pupils: &[usize],
    form: &Form,
    rng: &mut Seeded,
) -> Rc<[u8]> {
    let fill = |text: &str| {
        let mut text = text.to_owned();
        if let Some(&first) = pupils.first() {
            let pupil = &school.pupils[first];
            text = text.replace("{pupil}", &pupil_name(school, first));
            text = text
                .replace("{name}", pupil.known_as.as_deref().unwrap_or(&pupil.forename))
                .replace("{class}", &pupil.form);
        }
        text
    };
    let names = |pupils: &[usize], between: &str| {
        pupils.iter().map(|&pupil| pupil_name(school, pupil)).collect::<Vec<_>>().join(between)
    };
    let body = fill(rng.pick::<&str>(form.bodies));
    // A squad: three of it play.
    let from = rng.below(pupils.len().max(3) as u64 - 2) as usize;
    let team = names(pupils.get(from..pupils.len().min(from + 3)).unwrap_or_default(), ", ");
    let body = body.replace("{team}", &team).replace("{list}", &names(pupils, "\n"));
    let subject = fill(form.subject);
    let subject = match form.habit {
        Habit::Confidential(of_100) if rng.below(100) < of_100 => format!("Confidential: {subject}"),
        Habit::Personal(of_100) if rng.below(100) < of_100 => format!("Personal: {subject}"),
        _ => subject,
    };
    let picture = rng.below(100) < form.pictures;
    raw(relation, to, &subject, &body, picture)
}

/// A message as a mail program writes it.
fn raw(relation: &Relation, to: &[String], subject: &str, body: &str, picture: bool) -> Rc<[u8]> {
    let head =
        format!("From: {}\r\nTo: {}\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n", relation.from, to.join(",\r\n "));
    let text = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    let sign = relation.from.split(" <").next().unwrap_or_default();
    let body = format!("Hello,\n\n{body}\n\nBest wishes\n{sign}\n").replace('\n', "\r\n");
    let whole = match picture {
        false => format!("{head}{text}{body}"),
        true => format!(
            "{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{text}{body}\r\n--b\r\nContent-Type: image/jpeg; name=IMG_2041.jpg\r\n\
             Content-Disposition: attachment; filename=IMG_2041.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
            STANDARD.encode(CAMERA)
        ),
    };
    whole.into_bytes().into()
}

/// The smallest JPEG that says which camera wrote it.
const CAMERA: &[u8] =
    b"\xff\xd8\xff\xe1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x0f\x01\x02\0\x04\0\0\0Cam\0\0\0\0\0\xff\xd9";

const UNMARKED: &str = "corpus, right but for its mark";
const PRIVATE: &str = "corpus, private mail without its mark";

/// Rules that ask for a mark only: what they stop is right but for it.
const MARKS: &[&str] = &["confidential-marker-missing", "adult-identifier-unmarked"];

/// The messages of a labelled corpus, without those that are held aside.
fn corpus(folder: &Path) -> Vec<Mail> {
    let cases = std::fs::read_to_string(folder.join("cases.jsonl")).expect("a corpus");
    let cases = cases.lines().map(|line| serde_json::from_str::<Case>(line).expect("a labelled case"));
    cases
        .filter(|case| !case.tags.iter().any(|tag| tag == "held-aside") && !case.mail_from.is_empty())
        .map(|case| {
            let only =
                |rules: &[&str]| !case.rules.is_empty() && case.rules.iter().all(|rule| rules.contains(&rule.as_str()));
            let (label, form) = if case.action == Action::Deliver || case.accept.contains(&Action::Deliver) {
                (Label::Right, "corpus, right")
            } else if only(MARKS) {
                (Label::Right, UNMARKED)
            } else if only(&["personal-marker-missing"]) {
                (Label::Private, PRIVATE)
            } else {
                (Label::Slip(case.pupils.clone()), "corpus, to be stopped")
            };
            let raw = std::fs::read(folder.join(&case.file)).expect("its message").into();
            Mail { day: 0, sender: case.mail_from, to: case.rcpt, about: Vec::new(), raw, label, form }
        })
        .collect()
}
