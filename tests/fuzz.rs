//! What the fuzz targets hold for any octets, without libFuzzer: each property over its corpus, and over what chance makes of it.
//!
//! `fuzz/corpus/NAME/` holds the inputs that are worth keeping, all of them known to have been read in some way of their own; a crash
//! that was mended stays there. docs/fuzzing.md says how they come in.

#[path = "fuzz/properties/mod.rs"]
mod properties;
mod support;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use support::Seeded;

type Target = (&'static str, fn(&[u8]), usize);

/// Name, property, and how many inputs are made by chance.
const TARGETS: &[Target] = &[
    ("addresses", properties::addresses::holds, 20_000),
    ("answers", properties::answers::holds, 20_000),
    ("client", properties::client::holds, 20_000),
    ("commands", properties::commands::holds, 20_000),
    ("data", properties::data::holds, 20_000),
    ("dsn", properties::dsn::holds, 20_000),
    // Whole messages take longer.
    ("headers", properties::headers::holds, 6_000),
    ("proxy", properties::proxy::holds, 20_000),
    ("session", properties::session::holds, 20_000),
    ("xclient", properties::xclient::holds, 20_000),
];

/// What inputs are made of beyond the octets that are there.
const WORDS: &[&[u8]] = &[
    b"\r\n",
    b"\r",
    b"\n",
    b"\0",
    b".",
    b"\r\n.\r\n",
    b"\n.\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\xff",
    b"\xfe",
    b"\xfd",
    b" ",
    b"@",
    b"<",
    b">",
    b"\"",
    b"\\",
    b"+",
    b"=",
    b";",
    b":",
    b"-",
    b"250 ",
    b"250-",
    b"354 ",
    b"421 ",
    b"550 ",
    b"DATA\r\n\xff",
    b"STARTTLS\r\n\xff",
    b"RSET\r\n",
    b"QUIT\r\n",
    b"\xc3\xa9",
    b"=?utf-8?q?",
    b"?=",
    b"[IPv6:",
    b"SIZE=",
    b"+0D+0A",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name)
}

/// The inputs that are kept, by name.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut inputs: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder(name))
        .unwrap_or_else(|error| panic!("the corpus of {name}: {error}"))
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            (path.file_name().expect("a name").to_string_lossy().into_owned(), std::fs::read(&path).expect("an input"))
        })
        .collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{name} has no corpus");
    inputs
}

/// One of these with one to five things done to it.
fn mutated(chance: &mut Seeded, inputs: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut input = chance.pick(inputs).1.clone();
    for _ in 0..=chance.below(5) {
        let at = chance.below(input.len() as u64 + 1) as usize;
        let length = chance.below(1 + (input.len() - at).min(24) as u64) as usize;
        match chance.below(7) {
            0 => {
                input.splice(at..at, chance.pick(WORDS).iter().copied());
            }
            1 => {
                input.splice(at..at + length, chance.pick(WORDS).iter().copied());
            }
            2 => drop(input.drain(at..at + length)),
            3 => {
                let again = input[at..at + length].to_vec();
                input.splice(at..at, again);
            }
            4 => {
                let other = &chance.pick(inputs).1;
                let from = chance.below(other.len() as u64 + 1) as usize;
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            5 if at < input.len() => input[at] ^= 1 << chance.below(8),
            _ => input.insert(at, chance.below(256) as u8),
        }
    }
    input.truncate(4096);
    input
}

fn replay(name: &str) {
    let (_, holds, times) = *TARGETS.iter().find(|(known, ..)| *known == name).expect("a target");
    let inputs = corpus(name);
    let tried = |what: &str, input: &[u8]| {
        if catch_unwind(AssertUnwindSafe(|| holds(input))).is_err() {
            panic!("{name} does not hold for {what}: b\"{}\"", input.escape_ascii());
        }
    };
    for (file, input) in &inputs {
        tried(file, input);
    }
    let mut chance = Seeded::new();
    for number in 0..times {
        tried(&format!("input {number} of the seed"), &mutated(&mut chance, &inputs));
    }
    println!("{name}: {} inputs of the corpus, {times} of chance", inputs.len());
}

macro_rules! replays {
    ($($name:ident),*) => {
        $(#[test] fn $name() { replay(stringify!($name)); })*
        const REPLAYED: &[&str] = &[$(stringify!($name)),*];
    };
}

replays!(addresses, answers, client, commands, data, dsn, headers, proxy, session, xclient);

/// A property that nobody replays, or a target without a corpus, shows nothing.
#[test]
fn every_target_is_replayed() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml");
    let manifest: toml::Table = std::fs::read_to_string(manifest).expect("its manifest").parse().expect("TOML");
    let bins = manifest["bin"].as_array().expect("targets");
    let names: BTreeSet<&str> = bins.iter().map(|bin| bin["name"].as_str().expect("a name")).collect();
    assert_eq!(names, TARGETS.iter().map(|(name, ..)| *name).collect());
    assert_eq!(names, REPLAYED.iter().copied().collect());
    for name in names {
        corpus(name);
    }
}
