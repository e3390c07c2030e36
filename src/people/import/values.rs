//! Values as school systems write them: dates, year groups, numbers, names, mail addresses.

use jiff::civil::Date;

use crate::limits;
use crate::smtp::Address;
use crate::text::TextBuf;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// `03/02/2014`, `3.2.14`, `2014-02-03`, `2014-02-03T00:00:00`, `03-Feb-14`, `3rd February 2014`; the day stands before the
/// month, as the whole country writes it.
pub fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    // A time of day behind the date says nothing about a birth.
    let cut = text.find(['T', 't']).filter(|&at| text[..at].ends_with(|c: char| c.is_ascii_digit()) && at >= 8);
    let text = cut.map_or(text, |at| &text[..at]);
    let parts: Vec<&str> = text
        .split(|c: char| matches!(c, '/' | '-' | '.' | ',') || c.is_whitespace())
        .filter(|p| !p.is_empty())
        .collect();
    let parts: Vec<&str> = parts.into_iter().take_while(|part| !part.contains(':')).collect();
    let [first, second, third, ..] = parts[..] else { return None };
    if parts.len() > 3 {
        return None;
    }
    let (day, month, year) = if first.len() == 4 { (third, second, first) } else { (first, second, third) };
    let day = day.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse::<i8>().ok()?;
    let month = month.parse::<i8>().ok().or_else(|| {
        let word = month.get(..3)?.to_lowercase();
        let at = MONTHS.iter().position(|name| *name == word)?;
        i8::try_from(at + 1).ok()
    })?;
    let written = year.parse::<i16>().ok()?;
    let year = match year.len() {
        2 if written <= limits::ROSTER_DATE_PIVOT => 2000 + written,
        2 => 1900 + written,
        4 => written,
        _ => return None,
    };
    Date::new(year, month, day).ok().filter(|date| (1900..=2200).contains(&date.year()))
}

/// `N`, `R` or `1` to `14` from `Year 4`, `Yr 4`, `04`, `Reception`, `N2`, `PK`. `Some("")` where a school says that there
/// is none (`X`: not by the national curriculum).
pub fn year_group(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let rest = ["nationalcurriculumyear", "curriculumyear", "ncyear", "yeargroup", "year", "yr", "y"]
        .iter()
        .find_map(|word| plain.strip_prefix(word))
        .unwrap_or(&plain);
    Some(match rest {
        "" if plain.is_empty() => String::new(),
        "x" | "none" | "na" | "ungraded" | "ug" => String::new(),
        "n" | "n1" | "n2" | "e1" | "e2" | "nursery" | "nursery1" | "nursery2" | "pk" | "prek" | "it" | "pr" => {
            "N".to_owned()
        }
        // A heading word alone, `YR`, is Reception as the census codes it.
        "r" | "reception" | "0" | "00" | "kg" | "rec" => "R".to_owned(),
        "" if plain == "yr" => "R".to_owned(),
        digits => {
            let year: u8 = digits.parse().ok().filter(|year| (1..=14).contains(year))?;
            year.to_string()
        }
    })
}

/// Letters and digits alone, in capitals.
pub fn number(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase()
}

/// One line, single spaces, no quotation marks around it.
pub fn tidy(text: &str) -> String {
    text.trim_matches(|c: char| c.is_whitespace() || c == '"').split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every address of a cell (`a@b; c@d`), and whether anything in it was none.
pub fn emails(text: &str) -> (Vec<String>, bool) {
    let (mut found, mut bad) = (Vec::<String>::new(), false);
    for part in text.split([';', ',', ' ', '|', '\n', '\r', '\t']).map(str::trim).filter(|part| !part.is_empty()) {
        let part = part.trim_start_matches("mailto:").trim_matches(['<', '>', '"']);
        match Address::parse(part) {
            Ok(_) if !found.iter().any(|other| other.eq_ignore_ascii_case(part)) => found.push(part.to_owned()),
            Ok(_) => {}
            // `Mina Lowe <mina@…>`: the words beside an address are no fault of it.
            Err(_) => bad |= part.contains('@') || !text.contains('@'),
        }
    }
    (found, bad)
}

/// As names are compared when two rows may mean one person: the tokens of the one normaliser, closed up.
pub fn folded(name: &str) -> String {
    let text = TextBuf::new(name);
    let text = text.text();
    text.tokens.iter().map(|token| text.norm(token)).collect()
}

const TITLES: [&str; 20] = [
    "mr",
    "mrs",
    "miss",
    "ms",
    "mx",
    "dr",
    "master",
    "rev",
    "revd",
    "prof",
    "professor",
    "sir",
    "lady",
    "lord",
    "dame",
    "fr",
    "father",
    "sister",
    "cllr",
    "capt",
];

/// A full name in one cell: title, forename, surname. `Lowe, Mina` and `LOWE Mina` have the surname first; otherwise it is
/// the last word, with a particle before it.
pub fn full_name(text: &str) -> (String, String, String) {
    let text = tidy(text);
    let (text, surname_first) = match text.split_once(',') {
        Some((surname, rest)) => (format!("{} {}", rest.trim(), surname.trim()), Some(surname.trim().to_owned())),
        None => (text, None),
    };
    let mut words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let mut title = String::new();
    if let Some(first) = words.first()
        && words.len() > 1
        && TITLES.contains(&first.trim_end_matches('.').to_lowercase().as_str())
    {
        title = words.remove(0).to_owned();
    }
    if let Some(surname) = surname_first {
        let own = surname.split(' ').count().min(words.len());
        let forename = words[..words.len() - own].join(" ");
        return (title, forename, surname);
    }
    let capitals = |word: &str| word.chars().count() > 1 && !word.chars().any(char::is_lowercase);
    if words.len() > 1 && capitals(words[0]) && !capitals(words[words.len() - 1]) {
        let own = words.iter().take_while(|word| capitals(word)).count();
        return (title, words[own..].join(" "), words[..own].join(" "));
    }
    const PARTICLES: [&str; 16] =
        ["van", "der", "den", "de", "la", "le", "da", "dos", "di", "el", "al", "bin", "bint", "ibn", "von", "ter"];
    let mut own = words.len().saturating_sub(1);
    while own > 1 && PARTICLES.contains(&words[own - 1].to_lowercase().as_str()) {
        own -= 1;
    }
    (title, words[..own].join(" "), words[own..].join(" "))
}
