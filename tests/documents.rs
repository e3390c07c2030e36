//! What the documents promise is there: files and tests that they name exist, and fallible store methods say `# Errors`.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a readable directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn text(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// What stands between backticks on one line.
fn quoted(text: &str) -> Vec<&str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

/// A word between backticks that names a file or a folder of the repository.
fn is_path(word: &str) -> bool {
    let below = ["tests/", "src/", "docs/", "rules/", "fixtures/", "examples/", "benches/", "systemd/"];
    below.iter().any(|folder| word.starts_with(folder)) && !word.contains([' ', '<', '…', '(']) && !word.contains("::")
}

/// A path as it stands, or with `*` for the rest of a name.
fn exists(path: &str) -> bool {
    match path.split_once('*') {
        None => root().join(path).exists(),
        Some((before, after)) => {
            let (folder, start) = before.rsplit_once('/').unwrap_or(("", before));
            let names = std::fs::read_dir(root().join(folder)).into_iter().flatten().filter_map(Result::ok);
            names.filter_map(|e| e.file_name().into_string().ok()).any(|n| n.starts_with(start) && n.ends_with(after))
        }
    }
}

fn documents() -> Vec<PathBuf> {
    let mut documents = files(&root().join("docs"), "md");
    documents.extend(["README.md", "SECURITY.md", "src/lib.rs"].map(|name| root().join(name)));
    documents
}

#[test]
fn files_that_documents_name_exist() {
    let mut named = 0;
    for document in documents() {
        let text = text(&document);
        for path in quoted(&text).into_iter().filter(|word| is_path(word)) {
            named += 1;
            assert!(exists(path), "{} names {path}, which does not exist", document.display());
        }
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let path = link.split('#').next().unwrap_or_default();
            if document.extension().is_some_and(|e| e == "md") && !path.is_empty() && !path.contains("://") {
                let beside = document.parent().expect("a folder").join(path);
                assert!(beside.exists(), "{} links to {link}, which does not exist", document.display());
            }
        }
    }
    assert!(named > 20, "{named} paths are named");
}

#[test]
fn tests_that_shall_show_a_promise_exist() {
    let architecture = text(&root().join("docs/architecture.md"));
    let table = architecture.split("\n## Promises\n").nth(1).and_then(|rest| rest.split("\n## ").next());
    let mut sources = String::new();
    for file in files(&root().join("tests"), "rs").iter().chain(&files(&root().join("src"), "rs")) {
        sources.push_str(&text(file));
    }
    let rows: Vec<&str> = table.expect("the promises").lines().filter(|l| l.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 10, "{} promises", rows.len());
    for row in rows {
        let shown_by = row.trim_end_matches('|').rsplit(" | ").next().expect("a last cell");
        let named = quoted(shown_by);
        assert!(named.iter().any(|word| is_path(word) && exists(word)), "no file shows it: {row}");
        for name in named.iter().filter(|word| !is_path(word) && word.contains('_')) {
            let function = name.rsplit("::").next().unwrap_or(name);
            assert!(sources.contains(&format!("fn {function}(")), "there is no test {name}: {row}");
        }
    }
}

/// What the document of reliability names as a test: `file::test`, at least one for every promise.
#[test]
fn tests_that_shall_show_reliability_are_there() {
    let reliability = text(&root().join("docs/reliability.md"));
    let mut named = 0;
    for table in reliability.split("| promise | shown by |\n|---|---|\n").skip(1) {
        for row in table.lines().take_while(|line| line.starts_with("| ")) {
            let shown_by = row.trim_end_matches([' ', '|']).rsplit(" | ").next().expect("a last cell");
            let places: Vec<_> = quoted(shown_by).into_iter().filter_map(|word| word.split_once("::")).collect();
            assert!(!places.is_empty(), "shown by nothing: {row}");
            for (file, test) in places {
                let source = text(&root().join(file));
                let above = source.split_once(&format!("fn {test}("));
                let (above, _) = above.unwrap_or_else(|| panic!("{file} has no {test}"));
                let attributes = above.rsplit("\n\n").next().unwrap_or_default();
                assert!(
                    ["#[test]", "#[tokio::test"].iter().any(|of| attributes.contains(of)),
                    "{file}: {test} is no test"
                );
                named += 1;
            }
        }
    }
    assert!(named > 60, "{named} tests are named");
}

/// The limits at the door, with the values that hold.
#[test]
fn limits_that_reliability_names_have_these_values() {
    let reliability = text(&root().join("docs/reliability.md"));
    let mut named = 0;
    for row in reliability.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let name = cells[1].trim_matches('`');
        let limit = schoolgate::limits::all().find(|limit| limit.name == name).unwrap_or_else(|| panic!("{row}"));
        assert_eq!(cells[2], format!("{} {}", limit.default, limit.unit), "{name}");
        named += 1;
    }
    assert!(named > 30, "{named} limits are named");
}

#[test]
fn the_rooms_are_those_of_the_crate() {
    let architecture = text(&root().join("docs/architecture.md"));
    let rows = |text: &str, start: &str, end: &str| -> Vec<String> {
        let room = |line: &str| Some(line.strip_prefix(start)?.split_once(end)?.0.to_owned());
        text.lines().filter_map(room).collect()
    };
    let rooms = rows(&text(&root().join("src/lib.rs")), "//! | [`", "`]");
    let table = architecture.split("\n## The way").next().expect("the rooms");
    assert_eq!(rows(table, "| `", "`"), rooms);
}

/// Public functions of a file that give a `Result` and do not say in their documentation when they fail.
fn silent_about_errors(source: &str) -> Vec<String> {
    let lines: Vec<&str> = source.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).collect();
    let mut silent = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let line = line.trim_start();
        if !["pub fn ", "pub async fn "].iter().any(|start| line.starts_with(start)) {
            continue;
        }
        let head: String = lines[at..].iter().take_while(|l| !l.trim_end().ends_with('{')).copied().collect();
        let last = lines[at..].iter().find(|l| l.trim_end().ends_with('{')).copied().unwrap_or_default();
        let signature = head + last;
        let fallible = signature.rsplit_once("->").is_some_and(|(_, gives)| gives.trim_start().starts_with("Result<"));
        let above = lines[..at].iter().rev().map(|l| l.trim_start());
        let documented =
            above.take_while(|l| l.starts_with("///") || l.starts_with("#[")).any(|l| l.trim_end() == "/// # Errors");
        if fallible && !documented {
            silent.push(line.to_owned());
        }
    }
    silent
}

#[test]
fn fallible_methods_of_the_store_say_when_they_fail() {
    let mut looked_at = 0;
    for file in files(&root().join("src/store"), "rs") {
        if file.ends_with("tests.rs") || file.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        looked_at += 1;
        let silent = silent_about_errors(&text(&file));
        assert!(silent.is_empty(), "{}: these say no `# Errors`:\n{}", file.display(), silent.join("\n"));
    }
    assert!(looked_at > 15, "{looked_at} files");
}

#[test]
fn silence_about_errors_is_noticed() {
    for (source, silent) in [
        ("/// A.\npub fn a() -> Result<(), E> {\n}", 1),
        ("/// A.\n///\n/// # Errors\n/// B.\npub async fn a(\n    b: u8,\n) -> Result<(), E> {\n}", 0),
        ("/// A.\npub async fn a(\n    b: u8,\n) -> Result<(), E> {\n}", 1),
        ("/// A.\npub fn a() -> Option<Result<(), E>> {\n}", 0),
        ("/// A.\npub fn a() {\n}", 0),
        ("fn a() -> Result<(), E> {\n}", 0),
    ] {
        assert_eq!(silent_about_errors(source).len(), silent, "{source}");
    }
}

#[test]
fn each_line_of_what_is_kept_names_a_test_that_shows_it() {
    let privacy = text(&root().join("docs/privacy.md"));
    let table = privacy
        .split("\n## What it keeps, where, and for how long\n")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next());
    let rows: Vec<&str> = table.expect("the table").lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 30, "{} rows", rows.len());
    for row in rows {
        let shown: Vec<&str> = row.rsplit("| ").next().map(quoted).unwrap_or_default();
        assert!(!shown.is_empty(), "nothing shows: {row}");
        for name in shown {
            let (file, function) = name.split_once("::").unwrap_or_else(|| panic!("{name} is no file::test: {row}"));
            let source = text(&root().join(file));
            let is_it = |line: &str| line.trim().ends_with(&format!("fn {function}() {{"));
            let lines: Vec<&str> = source.lines().collect();
            let there = lines.windows(2).any(|pair| pair[0].trim().ends_with("test]") && is_it(pair[1]));
            assert!(there, "{file} has no test `{function}`: {row}");
        }
    }
}
