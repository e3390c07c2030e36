//! Dates as people write them, day first.

use std::ops::Range;
use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;

/// Two-digit years up to this one are of this century.
const PIVOT: i16 = 30;

static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)\b(?:
        (?P<y2>(?:19|20)\d\d)[-/.](?P<m2>0?[1-9]|1[0-2])[-/.](?P<d2>0?[1-9]|[12]\d|3[01])(?:T[\d:.]+Z?)?
        | (?P<d1>0?[1-9]|[12]\d|3[01])\ ?[-/.]\ ?(?P<m1>0?[1-9]|1[0-2])\ ?[-/.]\ ?(?P<y1>(?:19|20)\d\d|\d\d)
        | (?P<d3>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?(?:\ of)?[\ -](?P<m3>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?,?[\ -](?P<y3>(?:19|20)\d\d|'?\d\d)
        | (?P<m4>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\ (?P<d4>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?,?\ (?P<y4>(?:19|20)\d\d)
        )\b",
    )
    .ok()
});

/// All dates of a text with their ranges.
pub(super) fn dates(text: &str) -> Vec<(Range<usize>, Date)> {
    if !text.bytes().any(|b| b.is_ascii_digit()) {
        return Vec::new();
    }
    let Some(pattern) = DATE.as_ref() else { return Vec::new() };
    let mut out = Vec::new();
    for found in pattern.captures_iter(text) {
        let get = |name: &str| found.name(name).map(|m| m.as_str());
        let (Some(day), Some(month), Some(year), Some(whole)) = (
            get("d1").or(get("d2")).or(get("d3")).or(get("d4")),
            get("m1").or(get("m2")).or(get("m3")).or(get("m4")),
            get("y1").or(get("y2")).or(get("y3")).or(get("y4")),
            found.get(0),
        ) else {
            continue;
        };
        if let Some(date) = read(day, month, year) {
            out.push((whole.range(), date));
        }
    }
    out
}

fn read(day: &str, month: &str, year: &str) -> Option<Date> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let month: i8 = match month.parse() {
        Ok(number) => number,
        Err(_) => i8::try_from(MONTHS.iter().position(|name| month.to_lowercase().starts_with(name))? + 1).ok()?,
    };
    let year: i16 = match year.trim_start_matches('\'').parse::<i16>().ok()? {
        short @ 0..=99 if short <= PIVOT => 2000 + short,
        short @ 0..=99 => 1900 + short,
        full => full,
    };
    Date::new(year, month, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let found: Vec<String> = dates(text).iter().map(|(_, date)| date.to_string()).collect();
            assert_eq!(found, [want], "{text}");
        }
        for text in ["29/02/2013", "32/01/2013", "14/13/2013", "room 12", "1.2.3.4.5 x"] {
            assert!(dates(text).iter().all(|(_, d)| d.year() < 2012), "{text}");
        }
    }
}
