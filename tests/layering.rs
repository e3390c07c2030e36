//! The house's one law: a room uses only rooms below it. The order is the table in the documentation of `src/lib.rs`.

use std::path::{Path, PathBuf};

/// The rooms as the table lists them, low to high.
fn rooms(lib: &str) -> Vec<String> {
    lib.lines()
        .filter_map(|line| line.strip_prefix("//! | [`")?.split_once("`]"))
        .map(|(room, _)| room.to_owned())
        .collect()
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a readable directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The text with comments and string contents blanked, line breaks kept.
fn code_only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let (mut in_string, mut escaped) = (false, false);
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            if in_string {
                in_string = escaped || c != '"';
                escaped = c == '\\' && !escaped;
            } else if c == '/' && chars.peek() == Some(&'/') {
                break;
            } else if c == '"' {
                in_string = true;
            } else {
                out.push(c);
            }
        }
        out.push('\n');
    }
    out
}

/// The rooms that a file's `crate::` paths name, with the line of each: `crate::a`, `crate::{a, b::{c, d}, e}`.
fn uses(text: &str) -> Vec<(usize, String)> {
    let code = code_only(text);
    let mut found = Vec::new();
    for (at, path) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = code[at + path.len()..].trim_start();
        let word = |text: &str| -> String {
            text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        };
        let Some(group) = rest.strip_prefix('{') else {
            found.push((line, word(rest)));
            continue;
        };
        let mut depth = 1;
        let mut at_start = true;
        for (i, c) in group.char_indices() {
            if at_start && depth == 1 && !c.is_whitespace() && c != '}' {
                found.push((line, word(&group[i..])));
                at_start = false;
            }
            match c {
                '{' => depth += 1,
                '}' if depth == 1 => break,
                '}' => depth -= 1,
                ',' if depth == 1 => at_start = true,
                _ => {}
            }
        }
    }
    found
}

/// The room that a file belongs to: the first part of its path below `src`.
fn room_of(file: &Path, src: &Path) -> String {
    let inside = file.strip_prefix(src).expect("a path below src");
    let first = inside.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Every arrow that points up, as `file:line: room uses room`.
fn arrows_up(rooms: &[String], file: &str, room: &str, text: &str) -> Vec<String> {
    let rank = |name: &str| rooms.iter().position(|known| known == name);
    let Some(own) = rank(room) else { return vec![format!("{file}: room `{room}` is not in the table of src/lib.rs")] };
    uses(text)
        .into_iter()
        .filter(|(_, used)| rank(used).is_some_and(|used| used > own))
        .map(|(line, used)| format!("{file}:{line}: `{room}` uses `{used}`, which lies above it"))
        .collect()
}

#[test]
fn rooms_use_only_rooms_below() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = std::fs::read_to_string(src.join("lib.rs")).expect("lib.rs");
    let rooms = rooms(&lib);
    let declared: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(declared.len() > 5, "the modules of lib.rs: {declared:?}");
    let mut wrong: Vec<String> = declared
        .iter()
        .filter(|module| !rooms.iter().any(|room| room == *module))
        .map(|module| format!("src/lib.rs: room `{module}` is not in the table"))
        .collect();
    let mut files = Vec::new();
    sources(&src, &mut files);
    for file in files {
        let room = room_of(&file, &src);
        if room != "main" && room != "lib" {
            let text = std::fs::read_to_string(&file).expect("a source file");
            wrong.extend(arrows_up(&rooms, &file.display().to_string(), &room, &text));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn arrows_up_are_seen_in_every_form() {
    let rooms = ["limits", "text", "relay"].map(str::to_owned);
    for (text, lines) in [
        ("use crate::relay::Notice;", vec![1]),
        ("use crate::limits;\nuse crate::{limits, relay::{Notice, Other}};", vec![2]),
        ("use crate::{\n    limits::{A, B},\n    relay,\n};", vec![1]),
        ("fn f() -> crate::relay::Notice { todo() }", vec![1]),
        ("/// See [`crate::relay`].\nuse crate::limits;", vec![]),
        ("const S: &str = \"crate::relay\"; // crate::relay", vec![]),
        ("use crate::text::relay;\nuse mycrate::relay;", vec![]),
    ] {
        let found = arrows_up(&rooms, "x.rs", "text", text);
        let found: Vec<usize> =
            found.iter().map(|f| f.split(':').nth(1).and_then(|n| n.parse().ok()).expect("a line")).collect();
        assert_eq!(found, lines, "{text}");
    }
}
