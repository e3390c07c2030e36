//! Rows of a report that list nobody: totals, page footers, the heading printed again on every page, ruled lines.
//!
//! Recognised by form. A total says nothing but words of counting and numbers; a footer has few cells and begins with
//! words that begin no name. A row with any other word in it is somebody's.

use csv::StringRecord;

use crate::limits;

/// What begins a total: what follows must be counted things and numbers alone.
const COUNTING: &[&str] =
    &["total", "totals", "subtotal", "subtotals", "sum", "count", "records", "rows", "entries", "pupils", "students"];

/// Words that may stand in a total besides numbers.
const COUNTED: &[&str] = &[
    "grand",
    "sub",
    "number",
    "no",
    "of",
    "the",
    "in",
    "on",
    "at",
    "roll",
    "all",
    "and",
    "this",
    "list",
    "report",
    "file",
    "group",
    "class",
    "form",
    "year",
    "page",
    "pages",
    "pupil",
    "child",
    "children",
    "learner",
    "learners",
    "boys",
    "girls",
    "males",
    "females",
    "male",
    "female",
    "record",
    "row",
    "entry",
    "contacts",
    "parents",
    "guardians",
    "staff",
    "total",
    "totals",
    "count",
    "records",
    "rows",
    "entries",
    "pupils",
    "students",
];

/// How footers and imprints begin.
const IMPRINTS: &[&[&str]] = &[
    &["report", "generated"],
    &["report", "printed"],
    &["report", "produced"],
    &["report", "created"],
    &["report", "exported"],
    &["report", "run"],
    &["report", "date"],
    &["report", "by"],
    &["report", "on"],
    &["date", "of", "report"],
    &["date", "printed"],
    &["generated", "on"],
    &["generated", "by"],
    &["generated", "at"],
    &["generated", "from"],
    &["printed", "on"],
    &["printed", "by"],
    &["printed", "at"],
    &["printed", "from"],
    &["produced", "on"],
    &["produced", "by"],
    &["exported", "on"],
    &["exported", "by"],
    &["exported", "from"],
    &["created", "on"],
    &["created", "by"],
    &["end", "of", "report"],
    &["end", "of", "list"],
    &["end", "of", "file"],
    &["end", "of", "data"],
    &["end", "of", "page"],
    &["end", "of", "document"],
    &["end", "of", "export"],
    &["sorted", "by"],
    &["filtered", "by"],
    &["copyright"],
];

/// What a colon makes an imprint: `Printed:`, `Page: 2`.
const BEFORE_COLON: &[&str] = &[
    "printed",
    "generated",
    "produced",
    "created",
    "exported",
    "page",
    "report",
    "date",
    "filter",
    "filters",
    "total",
    "totals",
    "count",
    "records",
    "rows",
    "sum",
    "by",
    "user",
];

/// What the row is instead of somebody's, in plain words; `None` where it may be somebody's.
pub fn furniture(cells: &StringRecord, heading: &StringRecord) -> Option<&'static str> {
    let filled: Vec<&str> = cells.iter().filter(|cell| !cell.is_empty()).collect();
    if !filled.iter().any(|cell| cell.chars().any(char::is_alphanumeric)) {
        return Some("is a ruled line of the report; it is passed over");
    }
    if is_heading(cells, heading) {
        return Some("is the heading once more; it is passed over");
    }
    let text = filled.join(" ").to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let few = filled.len() <= limits::ROSTER_FOOTER_CELLS;
    if is_total(&words, text.ends_with(':')) || (few && is_imprint(&text, &words)) {
        return Some("is a total or a footer of the report; it is passed over");
    }
    None
}

/// Every filled cell repeats its heading, and there are enough of them.
fn is_heading(cells: &StringRecord, heading: &StringRecord) -> bool {
    let same = |(cell, name): (&str, &str)| cell.eq_ignore_ascii_case(name);
    let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
    let named = heading.iter().filter(|name| !name.is_empty()).count();
    filled >= 2 && 2 * filled >= named && cells.len() <= heading.len() && {
        cells.iter().zip(heading).filter(|(cell, _)| !cell.is_empty()).all(same)
    }
}

fn number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// `Total 211`, `Grand total: 30 pupils`, `Number of pupils 30`, `30 records`, `Page 1 of 4`.
fn is_total(words: &[&str], colon: bool) -> bool {
    let begins = match words {
        ["grand" | "sub", "total" | "totals", ..] | ["number" | "no", "of", ..] => true,
        ["page", second, ..] => number(second),
        [first, second, ..] if number(first) => COUNTING.contains(second) || matches!(*second, "children" | "learners"),
        [first, ..] => COUNTING.contains(first),
        [] => false,
    };
    begins
        && (colon || words.iter().any(|word| number(word)))
        && words.iter().all(|word| number(word) || COUNTING.contains(word) || COUNTED.contains(word))
}

/// `Report generated on …`, `Printed: …`, `End of report`, `Page 1 of 4 …`.
fn is_imprint(text: &str, words: &[&str]) -> bool {
    let pages = matches!(words, ["page", one, "of", all, ..] if number(one) && number(all));
    let before_colon = text.split_once(':').is_some_and(|(before, _)| BEFORE_COLON.contains(&before.trim()));
    let sign = text.trim_start().starts_with('©');
    pages || before_colon || sign || IMPRINTS.iter().any(|imprint| words.starts_with(imprint))
}

#[cfg(test)]
mod tests {
    use super::furniture;

    #[test]
    fn rows_of_the_report_and_rows_of_people() {
        let heading = csv::StringRecord::from(vec!["Surname", "Forename", "UPN", "Reg Group", "Adno"]);
        let told = |row: &str| furniture(&csv::StringRecord::from(row.split('|').collect::<Vec<_>>()), &heading);
        for row in [
            "Total: 211||||",
            "Total|211|||",
            "TOTAL||||211",
            "Total|211|14|105|106",
            "Grand Total||30||",
            "Sub-total: 30||||",
            "Number of pupils 30||||",
            "Number of pupils|30|||",
            "No. of students: 4||||",
            "30 pupils||||",
            "211 records||||",
            "Page 1 of 4||||",
            "||||Page 2",
            "Page 1/4||||",
            "Page 2 of 4|Printed 12/09/2026|||",
            "Report generated on 12/09/2026 10:31 by J Tallis||||",
            "Generated by|J Tallis|12/09/2026||",
            "End of report||||",
            "*** END OF REPORT ***||||",
            "Printed:||||",
            "Printed:|12/09/2026 10:31|||",
            "© Some Company 2026||||",
            "-----|-----|||",
            "Surname|Forename|UPN|Reg Group|Adno",
            "SURNAME|FORENAME|UPN||",
        ] {
            assert!(told(row).is_some(), "{row}");
        }
        for row in [
            "Page|Ellen|||12",
            "Page|Ellen|||",
            "Page, Ellen||||",
            "Count|Lucy||4R|7",
            "Total|Marie|||3",
            "Sum|Ting|||9",
            "Boys|Ada||4R|12",
            "End|Of|||",
            "Lowe|Mina|||211",
            "Lowe||||",
            "12|Page|||",
            "Printer|Report|||",
            "Number|Ada|||5",
            "Surname|Ada||4R|9",
            "Ní Bhriain|Zoë|||",
            "Dale|Report Generated|||",
        ] {
            assert_eq!(told(row), None, "{row}");
        }
    }
}
