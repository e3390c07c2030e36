//! Every number that somebody might turn stands in `src/limits.rs` and the files below `src/limits`, with its unit and source.

use std::path::{Path, PathBuf};

/// Numbers that are part of a format, of a law or of how bits are laid out: nobody turns them.
const OF_FORMATS: &[(&str, &[&str], &str)] = &[
    ("text/tokens.rs", &["LOWER", "UPPER", "DIGIT", "APOSTROPHE", "FOREIGN"], "bits of a mask"),
    ("message/transfer.rs", &["NO_DIGIT"], "RFC 4648 4"),
    ("extract/pool.rs", &["SIGXCPU", "SIGKILL", "SIGABRT"], "signal(7)"),
    ("extract/cms.rs", &["DATA", "DETACHED_LENGTH", "ENVELOPED", "ENCRYPTED"], "object identifiers of RFC 5652"),
    ("extract/pasted/short.rs", &["GROUP"], "RFC 4648 4"),
    ("extract/zip_walk.rs", &["STORED", "DEFLATED"], "methods of APPNOTE 4.4.5"),
    (
        "extract/tnef.rs",
        &["ATTACH_REND_DATA", "ATTACH_TITLE", "ATTACH_DATA", "ATTACHMENT", "MAPI_PROPERTIES", "BODY", "SUBJECT"],
        "attributes of MS-OXTNEF",
    ),
    (
        "extract/mapi.rs",
        &[
            "SUBJECT",
            "SENDER_NAME",
            "SENDER_ADDRESS",
            "DISPLAY_TO",
            "DISPLAY_CC",
            "BODY",
            "RTF",
            "HTML",
            "DATA",
            "SHORT_NAME",
            "LONG_NAME",
            "ANSI",
            "UNICODE",
            "BINARY",
        ],
        "properties of MS-OXPROPS",
    ),
    ("extract/storage.rs", &["SECTOR", "ENTRY", "IN_HEADER"], "MS-CFB 2.2"),
    ("extract/sectors.rs", &["IN_HEADER", "ENTRY", "MINI"], "MS-CFB 2.1 and 2.2"),
    (
        "extract/record_tree.rs",
        &["EOF", "CONTINUE", "SHEET", "STRINGS", "STRING_CELL", "CONTAINER", "WORD_97", "PIECES"],
        "records of MS-XLS 2.3 and MS-PPT 2.3, and places of MS-DOC 2.5",
    ),
    (
        "extract/records.rs",
        &[
            "HEADER",
            "FOOTER",
            "CONTINUE",
            "CACHED_ROW",
            "PIVOT_STRING",
            "DRAWING",
            "TEXT_OBJECT",
            "LINK",
            "LABEL",
            "MORE_HEADERS",
            "CHART_TEXT",
            "TEXT_CHARS",
            "TEXT_BYTES",
            "STRING",
            "OBJECT",
            "CONTAINER",
        ],
        "records of MS-XLS 2.3 and MS-PPT 2.13.24",
    ),
    ("command/doctor/files.rs", &["READ", "SEARCH"], "bits of inode(7)"),
    ("extract/tar.rs", &["BLOCK"], "pax(1)"),
    ("extract/offcrypto.rs", &["STANDARD_SPIN_COUNT", "SEGMENT"], "MS-OFFCRYPTO 2.3.4.7 and 2.3.4.15"),
    ("detect/meaning/encoder/layers.rs", &["MOST_WEIGHT", "STEPS", "NOTHING"], "numbers of seven and eight bits"),
    ("detect/scene/facts.rs", &["OUTWARD", "INWARD"], "British post codes (BS 7666)"),
    ("detect/identifiers.rs", &["FEWEST_DIGITS", "ACCOUNT_DIGITS"], "how the identifiers are written"),
    (
        "people/index.rs",
        &[
            "PUPIL_FORENAME",
            "PUPIL_SURNAME",
            "ADULT_FORENAME",
            "STAFF_FORENAME",
            "ADULT_SURNAME",
            "WORD",
            "COMMON",
            "STAFF_SURNAME",
            "LOOSE",
        ],
        "bits of a mask",
    ),
    ("text/run.rs", &["SPREADING"], "the multiplier of the function that spreads hashes"),
    ("people/tables.rs", &["LOOSE", "KEPT"], "how bits are laid out: 24 of a hash and 8 flags are 32"),
    ("inspect/report.rs", &["VERSION"], "what the store keeps"),
    ("relay/control/socket.rs", &["VERSION", "SUN_PATH"], "what is said on the socket; unix(7)"),
    ("command/serve.rs", &["SOFTWARE"], "sysexits(3)"),
    ("store/content.rs", &["PREFIX"], "the nonce of the STREAM construction"),
    ("store/error.rs", &["SQLITE_FULL"], "a result code of SQLite"),
    ("store/sealed.rs", &["KEY_ID"], "the format of the sealed roster"),
    ("message/signed/keys.rs", &["ED25519_KEY"], "RFC 8032 5.1.5"),
];

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

/// The code of a file that ships: what follows `#[cfg(test)] mod … {` and files of tests are left out.
fn shipped(file: &Path, text: &str) -> Option<String> {
    let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let under_tests = file.components().any(|part| part.as_os_str() == "tests");
    // Tests of one module that are split over files are named by it: `#[cfg(test)] mod outage;`.
    let parent = file.parent().map(|dir| dir.with_extension("rs")).unwrap_or_default();
    let beside = [parent, file.with_file_name("mod.rs"), file.with_file_name("tests.rs")];
    let declared = beside.iter().filter_map(|file| std::fs::read_to_string(file).ok()).any(|text| {
        ["", "pub ", "pub(super) ", "pub(crate) "]
            .iter()
            .any(|seen| text.contains(&format!("#[cfg(test)]\n{seen}mod {name};")))
    });
    if name.contains("tests") || under_tests || declared {
        return None;
    }
    let end = text.find("#[cfg(test)]\nmod ").filter(|at| text[*at..].lines().nth(1).is_some_and(|l| l.ends_with('{')));
    Some(text[..end.unwrap_or(text.len())].to_owned())
}

/// `usize` and `1_024 * 8` are a number of somebody's choice; what names another constant is not.
fn is_number(kind: &str, value: &str) -> bool {
    const INTEGERS: [&str; 12] =
        ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize"];
    let plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || " _.*+-/<>()".contains(c))
    };
    match kind {
        "f32" | "f64" => plain(value),
        "Duration" => value.contains("from_") && plain(value.split_once('(').map_or("", |(_, inside)| inside)),
        _ => INTEGERS.contains(&kind) && plain(value),
    }
}

/// The name of the constant with a number of its own that a line declares.
fn constant(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once("const ")?;
    if !before.trim().is_empty() && !before.trim().starts_with("pub") {
        return None;
    }
    let (name, rest) = rest.split_once(':')?;
    let (kind, value) = rest.split_once('=')?;
    let value = value.split_once(';').map_or(value, |(value, _)| value);
    is_number(kind.trim(), value.trim()).then_some(name.trim())
}

/// A time written as a number where it is used.
fn bare_time(line: &str) -> bool {
    line.split("Duration::from_")
        .skip(1)
        .any(|call| call.split_once('(').is_some_and(|(_, inside)| inside.starts_with(|c: char| c.is_ascii_digit())))
}

#[test]
fn numbers_stand_in_limits() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let (mut astray, mut seen) = (Vec::new(), Vec::new());
    for file in files.iter().filter(|file| !file.starts_with(root.join("limits")) && !file.ends_with("src/limits.rs")) {
        let text = std::fs::read_to_string(file).expect("a source");
        let Some(code) = shipped(file, &text) else { continue };
        let shown = file.strip_prefix(&root).expect("below src").to_str().expect("UTF-8").to_owned();
        for (number, line) in code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            if let Some(name) = constant(line) {
                let known = OF_FORMATS.iter().any(|(file, names, _)| *file == shown && names.contains(&name));
                seen.push((shown.clone(), name.to_owned()));
                if !known {
                    astray.push(format!("src/{shown}:{}: {name}", number + 1));
                }
            }
            if bare_time(line) {
                astray.push(format!("src/{shown}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(astray.is_empty(), "these belong into src/limits:\n{}", astray.join("\n"));
    for (file, names, _) in OF_FORMATS {
        for name in *names {
            assert!(seen.iter().any(|(f, n)| f == file && n == name), "{file} no longer has {name}");
        }
    }
}

#[test]
fn a_number_of_ones_own_is_seen() {
    for (line, name) in [
        ("const A: usize = 1_024;", Some("A")),
        ("    pub(super) const B: f64 = 0.1;", Some("B")),
        ("pub const C: Duration = Duration::from_secs(30);", Some("C")),
        ("const D: u64 = 256 * 1024;", Some("D")),
        ("const E: Duration = Duration::from_secs(limits::STOP_SECONDS);", None),
        ("const F: usize = MAGIC.len() + 16;", None),
        ("const G: &str = \"8\";", None),
        ("fn random<const N: usize>() -> [u8; N] {", None),
    ] {
        assert_eq!(constant(line), name, "{line}");
    }
    assert!(bare_time("sleep(Duration::from_millis(100)).await") && !bare_time("Duration::from_secs(limits::X)"));
}

#[test]
fn a_limit_has_a_name_a_unit_and_a_source_of_its_own() {
    let mut names = std::collections::BTreeSet::new();
    for limit in schoolgate::limits::all() {
        assert!(names.insert(limit.name), "{} stands twice", limit.name);
        assert!(!limit.unit.is_empty() && limit.source.len() > 5, "{}", limit.name);
        assert!(limit.default.is_finite() && limit.default > 0.0, "{}", limit.name);
    }
}
