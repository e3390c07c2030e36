//! The same message in CRLF and in LF is the same to every reader: one report for both, whatever stands in it.

use std::path::{Path, PathBuf};

use super::*;

/// With one kind of line end alone; nothing where a CR stands by itself, or where the message has bytes that are no text, whose
/// LF are no line ends.
pub fn forms(raw: &[u8]) -> Option<[Vec<u8>; 2]> {
    let text = std::str::from_utf8(raw).ok()?.replace("\r\n", "\n");
    if text.contains(['\r', '\0']) {
        return None;
    }
    let crlf = text.replace('\n', "\r\n").into_bytes();
    Some([crlf, text.into_bytes()])
}

/// What differs between the reports of the two forms, in words.
pub fn difference(raw: &[u8]) -> Option<String> {
    let [crlf, lf] = forms(raw)?.map(|form| serde_json::to_value(decided(&form)).expect("JSON"));
    let fields = crlf.as_object().expect("a report").iter();
    let differs: Vec<String> = fields
        .filter(|(name, value)| lf.get(name) != Some(value))
        .map(|(name, value)| format!("{name}: {value} by CRLF, {} by LF", lf[name]))
        .collect();
    (!differs.is_empty()).then(|| differs.join("\n  "))
}

fn messages(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => messages(&path, into),
            false if path.extension().is_some_and(|end| end == "eml") => into.push(path),
            false => {}
        }
    }
}

/// Relay checklist, row 132.
#[test]
fn every_fixture_is_the_same_in_crlf_and_lf() {
    let mut files = Vec::new();
    messages(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &mut files);
    files.sort();
    let (mut compared, mut found, mut wrong) = (0, 0, Vec::new());
    for file in &files {
        let raw = std::fs::read(file).expect("a message");
        let Some([crlf, _]) = forms(&raw) else { continue };
        compared += 1;
        found += usize::from(!decided(&crlf).findings.is_empty());
        wrong.extend(difference(&raw).map(|how| format!("{}: {how}", file.display())));
    }
    println!("{compared} of {} messages compared, in {found} something is found", files.len());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 50 && found > 20, "{compared} compared, in {found} something is found");
}
