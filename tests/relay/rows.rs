//! Each of the 143 behaviours of a trusted relay, by number, with the tests that show it: `rows.tsv`.
//!
//! A line holds the number, the behaviour in a few words, and where it is shown: `file::test`, several with spaces between, `dialogues`
//! where a conversation names the number, or `-` and why it is not shown.

use std::collections::BTreeSet;
use std::path::Path;

use super::{files, rows_of};

/// How many behaviours there are.
const ROWS: u16 = 143;

/// How many are shown at least; never lowered.
const SHOWN: usize = 143;

struct Row {
    number: u16,
    shown: Vec<String>,
}

fn rows() -> Vec<Row> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(root.join("tests/relay/rows.tsv")).expect("the table");
    table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let [number, what, shown] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("three columns: {line}")
            };
            assert!(!what.is_empty(), "{line}");
            let shown = if shown.starts_with('-') { "" } else { shown };
            Row {
                number: number.parse().unwrap_or_else(|_| panic!("a number: {line}")),
                shown: shown.split_whitespace().map(str::to_owned).collect(),
            }
        })
        .collect()
}

#[test]
fn every_behaviour_has_its_row_and_every_row_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rows = rows();
    let numbers: Vec<u16> = rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=ROWS).collect::<Vec<u16>>(), "each once, in order");
    let said: BTreeSet<u16> = files().iter().flat_map(|(_, text)| rows_of(text)).collect();
    for row in &rows {
        for place in &row.shown {
            if place == "dialogues" {
                assert!(said.contains(&row.number), "row {}: no dialogue names it", row.number);
                continue;
            }
            let (file, test) = place.split_once("::").unwrap_or_else(|| panic!("row {}: {place}", row.number));
            let text =
                std::fs::read_to_string(root.join(file)).unwrap_or_else(|e| panic!("row {}: {file}: {e}", row.number));
            assert!(text.contains(&format!("fn {test}(")), "row {}: {file} has no {test}", row.number);
        }
        let named = row.shown.iter().any(|place| place == "dialogues");
        assert_eq!(named, said.contains(&row.number), "row {}: dialogues and table agree", row.number);
    }
    let shown = rows.iter().filter(|row| !row.shown.is_empty()).count();
    let open: Vec<u16> = rows.iter().filter(|row| row.shown.is_empty()).map(|row| row.number).collect();
    println!("{shown} of {ROWS} rows shown; not: {open:?}");
    assert!(shown >= SHOWN, "{shown} rows are shown, {SHOWN} were");
}
