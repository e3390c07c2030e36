//! Dates as people write them, day first.

use jiff::civil::Date;

use crate::limits;
use crate::text::Text;
use crate::text::normalise::{Token, TokenKind};

/// Every date of a text, with its first token and one past its last.
pub(super) fn dates(text: &Text<'_>, mut each: impl FnMut(usize, usize, Date)) {
    let mut from = 0;
    while from < text.tokens.len() {
        match date_at(text, from) {
            Some((to, date)) => {
                each(from, to, date);
                from = to;
            }
            None => from += 1,
        }
    }
}

/// What stands between a token and the one before it.
fn between<'a>(text: &Text<'a>, at: usize) -> Option<&'a str> {
    let (before, token) = (text.tokens.get(at.checked_sub(1)?)?, text.tokens.get(at)?);
    text.folded().get(before.end()..token.start())
}

/// `/`, `-` or `.`, with a space on either side at most.
fn mark(text: &Text<'_>, at: usize) -> Option<char> {
    let gap = between(text, at)?;
    let gap = gap.strip_prefix(' ').unwrap_or(gap);
    let gap = gap.strip_suffix(' ').unwrap_or(gap);
    let mut chars = gap.chars();
    let mark = chars.next().filter(|c| matches!(c, '/' | '-' | '.'))?;
    chars.next().is_none().then_some(mark)
}

fn digits<'a>(text: &Text<'a>, at: usize, lengths: std::ops::RangeInclusive<usize>) -> Option<&'a str> {
    let token = text.tokens.get(at).filter(|token| token.kind == TokenKind::Number)?;
    let word = text.norm(token);
    (lengths.contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit())).then_some(word)
}

/// A year of four digits.
fn full_year<'a>(text: &Text<'a>, at: usize) -> Option<&'a str> {
    digits(text, at, 4..=4).filter(|year| year.starts_with("19") || year.starts_with("20"))
}

/// `14`, `4`, `1st`.
fn day_of_month<'a>(text: &Text<'a>, at: usize) -> Option<&'a str> {
    let word = text.word(at);
    let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let ordinal = matches!(&word[number.len()..], "" | "st" | "nd" | "rd" | "th");
    (ordinal && (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())).then_some(number)
}

fn month(token: &Token, word: &str) -> bool {
    token.kind == TokenKind::Word && word.len() >= 3 && word.is_char_boundary(3) && MONTHS.contains(&&word[..3])
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The date that begins with a token, and one past its last token.
fn date_at(text: &Text<'_>, from: usize) -> Option<(usize, Date)> {
    let token = text.tokens.get(from)?;
    match token.kind {
        TokenKind::Word => {
            // `March 14, 2013`
            month(token, text.word(from)).then_some(())?;
            matches!(between(text, from + 1)?, " " | ". ").then_some(())?;
            let day = day_of_month(text, from + 1)?;
            matches!(between(text, from + 2)?, " " | ", ").then_some(())?;
            let year = full_year(text, from + 2)?;
            Some((from + 3, read(day, text.word(from), year)?))
        }
        TokenKind::Number | TokenKind::Mixed => {
            if let Some(year) = full_year(text, from) {
                return iso(text, from, year);
            }
            let day = day_of_month(text, from)?;
            if let Some(date) = numeric(text, from, day) {
                return Some((from + 3, date));
            }
            // `14th of March, 2013`
            let at = if text.word(from + 1) == "of" && between(text, from + 1)? == " " { from + 2 } else { from + 1 };
            let named = text.tokens.get(at)?;
            let joined = between(text, at)?;
            (month(named, text.word(at)) && (joined == " " || (joined == "-" && at == from + 1))).then_some(())?;
            let gap = between(text, at + 1)?;
            let gap = gap.strip_prefix('.').unwrap_or(gap);
            let gap = gap.strip_prefix(',').unwrap_or(gap);
            let short = matches!(gap, " '" | "-'");
            (short || matches!(gap, " " | "-")).then_some(())?;
            let year = full_year(text, at + 1).filter(|_| !short).or_else(|| digits(text, at + 1, 2..=2))?;
            Some((at + 2, read(day, text.word(at), year)?))
        }
    }
}

/// `2013-03-14`, and as machines write it `2013-03-14T00:00:00`.
fn iso(text: &Text<'_>, from: usize, year: &str) -> Option<(usize, Date)> {
    let single = |at: usize| matches!(between(text, at), Some("-" | "/" | "."));
    (single(from + 1) && single(from + 2)).then_some(())?;
    let month = digits(text, from + 1, 1..=2)?;
    let word = text.word(from + 2);
    let day = word.split_once('t').map_or(word, |(day, time)| {
        if time.bytes().all(|b| b.is_ascii_digit()) && !time.is_empty() { day } else { word }
    });
    ((1..=2).contains(&day.len()) && day.bytes().all(|b| b.is_ascii_digit())).then_some(())?;
    Some((from + 3, read(day, month, year)?))
}

/// `14/03/2013`, `4.3.13`.
fn numeric(text: &Text<'_>, from: usize, day: &str) -> Option<Date> {
    text.tokens.get(from).filter(|token| token.kind == TokenKind::Number)?;
    (mark(text, from + 1).is_some() && mark(text, from + 2).is_some()).then_some(())?;
    let month = digits(text, from + 1, 1..=2)?;
    let year = full_year(text, from + 2).or_else(|| digits(text, from + 2, 2..=2))?;
    read(day, month, year)
}

fn read(day: &str, month: &str, year: &str) -> Option<Date> {
    let month: i8 = match month.parse() {
        Ok(number) => number,
        Err(_) => i8::try_from(MONTHS.iter().position(|name| month.to_lowercase().starts_with(name))? + 1).ok()?,
    };
    let year: i16 = match year.trim_start_matches('\'').parse::<i16>().ok()? {
        short @ 0..=99 if short <= limits::DATE_PIVOT => 2000 + short,
        short @ 0..=99 => 1900 + short,
        full => full,
    };
    Date::new(year, month, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::TextBuf;

    fn all(text: &str) -> Vec<Date> {
        let text = TextBuf::new(text);
        let mut out = Vec::new();
        dates(&text.text(), |_, _, date| out.push(date));
        out
    }

    #[test]
    fn written_forms() {
        for (text, want) in [
            ("DOB 14/03/2013", "2013-03-14"),
            ("dob: 4/3/13", "2013-03-04"),
            ("D.O.B. 14.03.2013", "2013-03-14"),
            ("14-03-2013", "2013-03-14"),
            ("2013-03-14", "2013-03-14"),
            ("2013-03-14T00:00:00", "2013-03-14"),
            ("14 March 2013", "2013-03-14"),
            ("14th March 2013", "2013-03-14"),
            ("14th of March, 2013", "2013-03-14"),
            ("Thursday 14 March 2013", "2013-03-14"),
            ("14-Mar-13", "2013-03-14"),
            ("14 Mar 2013", "2013-03-14"),
            ("March 14, 2013", "2013-03-14"),
            ("29/02/2012", "2012-02-29"),
            ("3/8/19", "2019-08-03"),
            ("2013-03-14 00:00:00", "2013-03-14"),
        ] {
            let found: Vec<String> = all(text).iter().map(Date::to_string).collect();
            assert_eq!(found, [want], "{text}");
        }
        for text in ["29/02/2013", "32/01/2013", "14/13/2013", "room 12", "1.2.3.4.5 x"] {
            assert!(all(text).iter().all(|date| date.year() < 2012), "{text}");
        }
    }
}
