//! Forms of a name in running text.

use schoolgate::people::names::NAMES;
use schoolgate::text::{Document, Kind};
use unicode_normalization::UnicodeNormalization;

use super::{Case, Form, folded, letter, plain, saying};

type Written = Option<Vec<Document>>;

#[rustfmt::skip]
pub const FORMS: &[Form] = &[
    plain("forename surname", |case| Some(case.told(&case.full()))),
    plain("capitals", |case| Some(case.told(&case.full().to_uppercase()))),
    plain("small letters", |case| Some(case.told(&case.full().to_lowercase()))),
    plain("surname forename", |case| Some(case.told(&format!("{} {}", case.surname(), case.forename())))),
    plain("surname comma forename, own line", |case| Some(case.headed(&format!("{}, {}", case.surname(), case.forename())))),
    plain("surname comma forename, sentence", |case| Some(case.told(&format!("{}, {}", case.surname(), case.forename())))),
    plain("SURNAME forename", |case| Some(case.told(&format!("{} {}", case.surname().to_uppercase(), case.forename())))),
    plain("SURNAME comma forename", |case| Some(case.told(&format!("{}, {}", case.surname().to_uppercase(), case.forename())))),
    plain("forename SURNAME", |case| Some(case.told(&format!("{} {}", case.forename(), case.surname().to_uppercase())))),
    plain("forename and initial", |case| with_initial(case, "")),
    plain("forename, initial and point", |case| with_initial(case, ".")),
    plain("forename and class", forename_and_class),
    plain("full name and class", |case| Some(case.told(&format!("{} ({})", case.full(), case.pupil().form)))),
    plain("forename and year", forename_and_year),
    saying("forename and date of birth", forename_and_birth),
    saying("forename and postcode", forename_and_postcode),
    plain("forename and guardian", forename_and_guardian),
    plain("miss or master", |case| { let name = titled(case, &case.full()); Some(case.told(&name)) }),
    plain("miss or master with class", |case| {
        let name = format!("{} ({})", titled(case, &case.full()), case.pupil().form);
        Some(case.told(&name))
    }),
    saying("miss or master, surname and date of birth", titled_surname_and_birth),
    plain("without accents", |case| changed(case, without_accents)),
    plain("decomposed accents", |case| changed(case, |name| name.nfd().collect())),
    plain("typographic apostrophe", |case| changed(case, |name| name.replace('\'', "\u{2019}"))),
    plain("letter apostrophe", |case| changed(case, |name| name.replace('\'', "\u{2BC}"))),
    plain("no apostrophe", |case| changed(case, |name| name.replace('\'', ""))),
    plain("space for an apostrophe", |case| changed(case, |name| name.replace('\'', " "))),
    plain("space for a hyphen", |case| changed(case, |name| name.replace('-', " "))),
    plain("typographic hyphen", |case| changed(case, |name| name.replace('-', "\u{2011}"))),
    plain("first half of two surnames", |case| half(case, 0)),
    plain("second half of two surnames", |case| half(case, 1)),
    plain("middle name", middle_name),
    plain("middle initial", middle_initial),
    plain("forename and middle name", forename_and_middle_name),
    plain("short form", short_form),
    plain("known as", known_as),
    plain("line break within", |case| Some(case.told(&case.full().replace(' ', "\n")))),
    plain("non-breaking space", |case| Some(case.told(&case.full().replace(' ', "\u{A0}")))),
    plain("two spaces", |case| Some(case.told(&case.full().replace(' ', "  ")))),
    plain("zero-width space", |case| Some(case.told(&format!("{}\u{200B} {}", case.forename(), case.surname())))),
    plain("possessive", |case| Some(case.mail("Update", &format!("This is {}'s news. {}", case.full(), case.fact())))),
    plain("parenthesis", |case| Some(case.mail("Update", &format!("The pupil we spoke of ({}) {}", case.full(), case.said())))),
    plain("list", list),
    plain("own line", |case| Some(case.headed(&case.full()))),
    plain("reference line", |case| Some(case.headed(&format!("Re: {}", case.full())))),
    plain("label", label),
    plain("labels of both parts", |case| Some(case.headed(&format!("Forename: {}\nSurname: {}", case.forename(), case.surname())))),
    plain("greeting of the parents", |case| {
        let text = format!("Dear parents of {},\n\n{}\n\nKind regards\n\nThe school office", case.full(), case.fact());
        Some(vec![Document::of_text(Kind::Subject, "subject", "Update"), letter(Kind::Body, "body", &text)])
    }),
    plain("parent of", |case| Some(case.mail("Update", &format!("I spoke to the mum of {}. {}", case.full(), case.fact())))),
    plain("quoted thread", |case| {
        let mut out = case.mail("Update", "Please see below.");
        let text = format!("On Monday the office wrote:\n\n{} {}", case.full(), case.said());
        out.push(letter(Kind::Quoted, "quoted thread", &text));
        Some(out)
    }),
];

fn titled(case: &Case, name: &str) -> String {
    format!("{} {name}", if case.pupil().gender == "F" { "Miss" } else { "Master" })
}

/// The full name written in another way, where that makes a difference.
fn changed(case: &mut Case, change: fn(&str) -> String) -> Written {
    let (full, name) = (case.full(), change(&case.full()));
    (name != full).then(|| case.told(&name))
}

fn without_accents(name: &str) -> String {
    let bare = name.nfd().filter(|c| !unicode_normalization::char::is_combining_mark(*c));
    bare.map(|c| match c {
        'Ł' => 'L',
        'ł' => 'l',
        'ı' => 'i',
        _ => c,
    })
    .collect()
}

fn with_initial(case: &mut Case, point: &str) -> Written {
    let initial = case.surname().chars().next()?;
    let same = |surname: &str| folded(surname).split(' ').any(|part| part.starts_with(&folded(&initial.to_string())));
    // In small letters (van, de, ap) nobody takes it for an initial; the same for one that might be read either way.
    let fit = initial.is_uppercase() && !case.surname().contains(' ');
    let alone = fit && case.alone(case.forename(), |other| same(&other.surname));
    alone.then(|| case.told(&format!("{} {}{point}", case.forename(), initial)))
}

fn forename_and_class(case: &mut Case) -> Written {
    let (forename, form) = (case.forename(), &case.pupil().form);
    case.alone(forename, |other| other.form == *form).then_some(())?;
    let name = match case.rng.below(4) {
        0 => format!("{forename} ({form})"),
        1 => format!("{forename} {form}"),
        2 => format!("{forename} in {form}"),
        _ => format!("{forename}, {form},"),
    };
    Some(case.told(&name))
}

fn forename_and_year(case: &mut Case) -> Written {
    let (forename, year) = (case.forename(), &case.pupil().year_group);
    (year != "R" && case.alone(forename, |other| other.year_group == *year)).then_some(())?;
    let name = match case.rng.below(3) {
        0 => format!("{forename} (Year {year})"),
        1 => format!("{forename} in Year {year}"),
        _ => format!("{forename} (Yr {year})"),
    };
    Some(case.told(&name))
}

/// The date of birth in one of the usual ways.
fn birth(case: &mut Case) -> Option<String> {
    let born = case.pupil().date_of_birth?;
    let format = case.one(&["%d/%m/%Y", "%d.%m.%Y", "%-d %B %Y", "%d/%m/%y"]);
    Some(born.strftime(format).to_string())
}

fn forename_and_birth(case: &mut Case) -> Written {
    let (forename, born) = (case.forename(), case.pupil().date_of_birth);
    case.alone(forename, |other| other.date_of_birth == born).then_some(())?;
    let date = birth(case)?;
    let name = match case.rng.below(3) {
        0 => format!("{forename} (born {date})"),
        1 => format!("{forename} (DOB {date})"),
        _ => format!("{forename}, date of birth {date},"),
    };
    Some(case.told(&name))
}

fn titled_surname_and_birth(case: &mut Case) -> Written {
    let born = case.pupil().date_of_birth;
    let others =
        case.school().pupils.iter().filter(|other| other.date_of_birth == born && other.surname == case.surname());
    (others.count() == 1).then_some(())?;
    let name = format!("{} (born {})", titled(case, case.surname()), birth(case)?);
    Some(case.told(&name))
}

fn forename_and_postcode(case: &mut Case) -> Written {
    let (forename, postcode) = (case.forename(), &case.pupil().postcode);
    case.alone(forename, |other| other.postcode == *postcode).then_some(())?;
    let name = format!("{forename} of {}, {postcode},", case.pupil().address);
    Some(case.told(&name))
}

fn forename_and_guardian(case: &mut Case) -> Written {
    let own = |at: usize| move |index: &schoolgate::people::PupilIndex| index.0 as usize == at;
    let guardian = case.school().guardians.iter().find(|guardian| guardian.pupils.iter().any(own(case.at)))?;
    let name = format!("{} {}", guardian.forename, guardian.surname);
    // One bearer of the name, none of whose other children is called so, and no pupil.
    let bearers =
        case.school().guardians.iter().filter(|other| format!("{} {}", other.forename, other.surname) == name);
    let pupil = case.school().pupils.iter().any(|pupil| format!("{} {}", pupil.forename, pupil.surname) == name);
    (bearers.count() == 1 && !pupil).then_some(())?;
    let text = match case.rng.below(2) {
        0 => format!("{name} rang about {}. {}", case.forename(), case.fact()),
        _ => format!("{name}'s child {} {}", case.forename(), case.said()),
    };
    Some(case.mail("Update", &text))
}

fn half(case: &mut Case, at: usize) -> Written {
    let surname = case.surname();
    let two = surname.contains('-')
        && !surname.contains(' ')
        && surname.split('-').all(|part| part.starts_with(char::is_uppercase));
    let half = surname.split('-').nth(at).filter(|part| two && part.chars().count() > 2)?;
    Some(case.told(&format!("{} {half}", case.forename())))
}

/// The first middle name, where nobody is named by it and the surname.
fn middle<'a>(case: &Case<'a>) -> Option<&'a str> {
    let middle = case.pupil().middle_names.split(' ').next().filter(|name| !name.is_empty())?;
    case.alone(middle, |other| super::is_kin(&other.surname, case.surname())).then_some(middle)
}

fn middle_name(case: &mut Case) -> Written {
    middle(case)?;
    let name = format!("{} {} {}", case.forename(), case.pupil().middle_names, case.surname());
    Some(case.told(&name))
}

fn middle_initial(case: &mut Case) -> Written {
    let initial = middle(case)?.chars().next()?;
    let point = case.one(&["", "."]);
    Some(case.told(&format!("{} {initial}{point} {}", case.forename(), case.surname())))
}

/// Two of the names without the surname; asked for where no other pupil has both, and none is called by the two as forename and surname.
fn forename_and_middle_name(case: &mut Case) -> Written {
    let middle = middle(case)?;
    let others = |other: &schoolgate::people::Pupil| {
        is_one_of(&other.middle_names, middle) || super::is_kin(&other.surname, middle)
    };
    case.alone(case.forename(), others).then(|| case.told(&format!("{} {middle}", case.forename())))
}

fn is_one_of(names: &str, name: &str) -> bool {
    names.split(' ').any(|other| other == name)
}

fn short_form(case: &mut Case) -> Written {
    let forms = NAMES.short_forms(case.forename());
    (!forms.is_empty()).then_some(())?;
    let form = case.rng.pick(forms).clone();
    case.alone(&form, |other| super::is_kin(&other.surname, case.surname())).then_some(())?;
    Some(case.told(&format!("{form} {}", case.surname())))
}

fn known_as(case: &mut Case) -> Written {
    let name = case.pupil().known_as.as_ref()?;
    case.alone(name, |other| super::is_kin(&other.surname, case.surname())).then_some(())?;
    Some(case.told(&format!("{name} {}", case.surname())))
}

fn list(case: &mut Case) -> Written {
    let (full, said, fact) = (case.full(), case.said(), case.fact());
    let line = match case.rng.below(4) {
        0 => format!("- {full} {said}"),
        1 => format!("1. {full}: {fact}"),
        2 => format!("• {full} – {fact}"),
        _ => format!("* {full}: {fact}"),
    };
    Some(case.mail("Update", &format!("For today:\n\n{line}")))
}

fn label(case: &mut Case) -> Written {
    let label = case.one(&["Name", "Pupil", "Student", "Child", "Name of child", "Pupil name"]);
    Some(case.headed(&format!("{label}: {}", case.full())))
}
