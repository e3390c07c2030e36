//! Forms that look like a pupil's name and mean nobody, or somebody else.

use std::sync::LazyLock;

use schoolgate::text::Document;

use super::{Case, Write, folded, is_kin};
use crate::schools::surnames;

type Written = Option<Vec<Document>>;

/// By name.
pub const FORMS: &[(&str, Write)] = &[
    ("forename, initial, another surname", |case| initial_before_surname(case, &SURNAMES)),
    ("forename, initial, another surname that is a word", |case| initial_before_surname(case, &WORDS)),
    ("forename with another surname", |case| other_surname(case, &SURNAMES)),
    ("forename with another surname that is a word", |case| other_surname(case, &WORDS)),
    ("initial and surname", initial_and_surname),
    ("initial, surname and class", initial_surname_and_class),
    ("initials", initials),
    ("bare forename", bare_forename),
    ("bare surname", |case| {
        Some(case.mail("Update", &format!("We heard from {} today. {}", case.surname(), case.fact())))
    }),
];

static SURNAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| surnames("irish"));
static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| surnames("words"));

/// A surname of no pupil, and no forename of one.
fn stranger(case: &mut Case, names: &[&'static str]) -> Option<&'static str> {
    let name = *case.rng.pick(names);
    let known = case.school().pupils.iter().any(|pupil| {
        is_kin(&pupil.surname, name) || is_kin(&pupil.forename, name) || is_kin(&pupil.middle_names, name)
    });
    (!known).then_some(name)
}

fn initial_before_surname(case: &mut Case, names: &[&'static str]) -> Written {
    let other = stranger(case, names)?;
    let initial = case.surname().chars().next()?.to_uppercase().to_string();
    let forename = case.forename();
    let text = match case.rng.below(4) {
        0 => format!("{forename} {initial}. {other} {}", case.said()),
        1 => format!("{forename} {initial} {other} {}", case.said()),
        2 => format!("The review was written by {forename} {initial}. {other} of the council. {}", case.fact()),
        _ => format!("Our speaker on Monday is {forename} {initial}. {other}, who has dyslexia."),
    };
    Some(case.mail("Update", &text))
}

fn other_surname(case: &mut Case, names: &[&'static str]) -> Written {
    let name = format!("{} {}", case.forename(), stranger(case, names)?);
    Some(if case.rng.one_in(2) { case.told(&name) } else { case.mail(&name, case.fact()) })
}

fn initial_and_surname(case: &mut Case) -> Written {
    let point = case.one(&["", "."]);
    let initial = case.forename().chars().next()?;
    Some(case.told(&format!("{initial}{point} {}", case.surname())))
}

fn initial_surname_and_class(case: &mut Case) -> Written {
    let initial = case.forename().chars().next()?;
    let name = format!("{initial}. {} ({})", case.surname(), case.pupil().form);
    Some(case.told(&name))
}

fn initials(case: &mut Case) -> Written {
    let (forename, surname) = (folded(case.forename()), folded(case.surname()));
    let name: String = forename.chars().take(1).chain(surname.chars().take(1)).collect();
    Some(case.told(&name.to_uppercase()))
}

/// Where more than one pupil is called so.
fn bare_forename(case: &mut Case) -> Written {
    (!case.alone(case.forename(), |_| true)).then(|| case.told(case.forename()))
}
