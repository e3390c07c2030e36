//! What a workbook's formats make of numbers: dates as dates, zeros in front, and the words that stand beside a number or in
//! its place (ECMA-376 18.8.31).

use std::borrow::Cow;
use std::collections::HashMap;

use super::super::Why;
use super::super::package::Package;
use super::super::xml;
use crate::limits;

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shown {
    Plain,
    Date,
    /// Zeros in front up to so many digits.
    Padded(usize),
}

/// How numbers are shown, by cell style; and the words that the formats hold.
pub(super) fn styles(package: &Package, part: &str) -> Result<(Vec<Shown>, Vec<String>), Why> {
    let Some(bytes) = package.get(part) else { return Ok((Vec::new(), Vec::new())) };
    let root = xml::parse(bytes)?;
    let mut codes: HashMap<&str, &str> = HashMap::new();
    let mut formats = Vec::new();
    root.descendants("numFmt", &mut formats);
    let root_codes: Vec<&str> = formats.iter().filter_map(|format| format.attribute("formatCode")).collect();
    for format in formats {
        if let (Some(id), Some(code)) = (format.attribute("numFmtId"), format.attribute("formatCode")) {
            codes.insert(id, code);
        }
    }
    let mut words: Vec<String> = Vec::new();
    for code in root_codes {
        for section in words_of(code) {
            if !words.contains(&section) && words.len() < limits::TABLE_COLUMNS {
                words.push(section);
            }
        }
    }
    let Some(cells) = root.child("cellXfs") else { return Ok((Vec::new(), words)) };
    let shown = cells.elements().map(|style| {
        let id = style.attribute("numFmtId").unwrap_or("0");
        match codes.get(id) {
            Some(code) => shown_by(code),
            None if matches!(id.parse(), Ok(14..=22 | 27..=36 | 45..=47 | 50..=58)) => Shown::Date,
            None => Shown::Plain,
        }
    });
    Ok((shown.collect(), words))
}

/// What each section of a number format says in words.
fn words_of(code: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        let section = sections.last_mut().filter(|_| c != ';');
        match (c, section) {
            ('"', Some(section)) => section.extend(chars.by_ref().take_while(|c| *c != '"')),
            ('\\', Some(section)) => section.extend(chars.next()),
            // A condition or a colour; the width of a letter; a letter that fills the cell.
            ('[', Some(_)) => chars.by_ref().take_while(|c| *c != ']').for_each(drop),
            ('_' | '*', Some(_)) => drop(chars.next()),
            (' ', Some(section)) => section.push(' '),
            (_, Some(_)) => {}
            (_, None) => sections.push(String::new()),
        }
    }
    let said = sections.into_iter().map(|section| section.trim().to_owned());
    said.filter(|section| section.chars().filter(|c| c.is_alphabetic()).count() > 1).collect()
}

/// What a number format makes of a number (ECMA-376 18.8.31), as far as reading needs it.
fn shown_by(code: &str) -> Shown {
    let mut plain = String::new();
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                chars.by_ref().take_while(|c| *c != '"').for_each(drop);
            }
            '[' => {
                let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                if matches!(inside.to_ascii_lowercase().as_str(), "h" | "hh" | "m" | "mm" | "s" | "ss") {
                    plain.push('h');
                }
            }
            '\\' | '_' | '*' => {
                chars.next();
            }
            c => plain.push(c.to_ascii_lowercase()),
        }
    }
    if plain.chars().any(|c| "ymdhs".contains(c)) && !plain.contains("general") {
        return Shown::Date;
    }
    let first = plain.split(';').next().unwrap_or_default();
    if first.len() > 1 && first.chars().all(|c| c == '0') { Shown::Padded(first.len()) } else { Shown::Plain }
}

/// A number as the sheet shows it, near enough: dates in ISO form, long numbers without exponent.
pub(super) fn number(raw: &str, shown: Shown, from_1904: bool) -> Cow<'_, str> {
    let raw = raw.trim();
    if shown == Shown::Plain && raw.len() <= 16 && !raw.contains(['e', 'E']) {
        return raw.into();
    }
    let Ok(value) = raw.parse::<f64>() else { return raw.into() };
    match shown {
        Shown::Date => date(value, from_1904).map_or(Cow::Borrowed(raw), Cow::Owned),
        Shown::Padded(digits) if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value:0digits$}").into(),
        _ if raw.contains(['e', 'E']) && value.fract() == 0.0 && value.abs() < 1e17 => format!("{value:.0}").into(),
        // 0.1 + 0.2 is stored with seventeen digits and shown with fifteen.
        _ if raw.len() > 16 && raw.contains('.') => {
            format!("{value:.10}").trim_end_matches('0').trim_end_matches('.').to_owned().into()
        }
        _ => raw.into(),
    }
}

/// A day number of Excel, which believes in 29 February 1900 (ECMA-376 18.17.4.1).
fn date(value: f64, from_1904: bool) -> Option<String> {
    if !(0.0..2_958_466.0).contains(&value) {
        return None;
    }
    let minutes = ((value.fract() * 1440.0).round() as i64).min(1439);
    let time = format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let days = value.trunc() as i64;
    if days == 0 && !from_1904 {
        return Some(time);
    }
    let epoch = match (from_1904, days < 60) {
        (true, _) => jiff::civil::date(1904, 1, 1),
        (false, true) => jiff::civil::date(1899, 12, 31),
        (false, false) => jiff::civil::date(1899, 12, 30),
    };
    let day = epoch.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
    Some(if minutes == 0 { day.to_string() } else { format!("{day} {time}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates() {
        for (raw, code, expected) in [
            ("42311", "yyyy-mm-dd", "2015-11-03"),
            ("42311.5", "d mmm yyyy h:mm", "2015-11-03 12:00"),
            ("0.5", "h:mm", "12:00"),
            ("59", "dd/mm/yy", "1900-02-28"),
            ("42311", "General", "42311"),
            ("42311", "#,##0\" days\"", "42311"),
            ("7", "000", "007"),
            ("1.23456789012E11", "General", "123456789012"),
            ("0.30000000000000004", "General", "0.3"),
            ("42311", "[$-809]dd mmmm yyyy;@", "2015-11-03"),
        ] {
            assert_eq!(number(raw, shown_by(code), false), expected, "{raw} {code}");
        }
        assert_eq!(date(0.0, true).as_deref(), Some("1904-01-01"));
    }
}
