//! Things that went wrong for others who run gateways, parsers and school systems, as public reports tell them, each made
//! into a small message. They lie in the folder that `SCHOOLGATE_CASES` names, beside a `corpus` with their school; without
//! it nothing is run. What does not come right yet is listed by id and must go from the list when it does.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Cases that wait for readers of files which are not there yet.
const KNOWN: &[&str] = &[];

/// Somebody's message, and what must be said of it.
struct Message<'a> {
    file: PathBuf,
    args: &'a Value,
    expected: &'a Value,
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().map(|all| all.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// What `check --json` says, under the school of the cases.
fn decided(school: &Path, message: &Message) -> Value {
    let mut check = Command::new(env!("CARGO_BIN_EXE_schoolgate"));
    check.args(["check", "--json", "--config"]).arg(school);
    check.args(["--mail-from", message.args["mail_from"].as_str().expect("a sender")]);
    for recipient in strings(&message.args["rcpt"]) {
        check.args(["--rcpt", recipient]);
    }
    let output = check.arg(&message.file).output().expect("the program runs");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        panic!("{}: no report: {}", message.file.display(), String::from_utf8_lossy(&output.stderr))
    })
}

/// What is not as expected, in words; empty where all is.
fn wrong(report: &Value, expected: &Value) -> Vec<String> {
    let pupils: Vec<(&str, &str)> = report["pupils"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pupil| Some((pupil["id"].as_str()?, pupil["tier"].as_str()?)))
        .collect();
    let rules: Vec<&str> = report["rules"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|rule| rule.as_str().or_else(|| rule["id"].as_str()))
        .collect();
    let mut wrong = Vec::new();
    let mut want = |right: bool, what: String| {
        if !right {
            wrong.push(what);
        }
    };
    let action = report["action"].as_str().unwrap_or("none");
    want(strings(&expected["action"]).contains(&action), format!("action is {action}, not {}", expected["action"]));
    for rule in strings(&expected["rules"]) {
        want(rules.contains(&rule), format!("{rule} does not fire"));
    }
    for rule in strings(&expected["not_rules"]) {
        want(!rules.contains(&rule), format!("{rule} fires"));
    }
    let any = strings(&expected["any_rule"]);
    want(any.is_empty() || any.iter().any(|rule| rules.contains(rule)), format!("none of {any:?} fires"));
    let read = report["unreadable"].as_array().is_some_and(Vec::is_empty);
    for pupil in strings(&expected["pupils"]) {
        want(pupils.iter().any(|p| p.0 == pupil), format!("{pupil} is not found"));
    }
    // Of a file that is said to be unread nobody has to be found.
    for pupil in strings(&expected["found"]) {
        want(!read || pupils.iter().any(|p| p.0 == pupil), format!("{pupil} is neither found nor the file unread"));
    }
    for pupil in strings(&expected["not_pupils"]) {
        want(pupils.iter().all(|p| p.0 != pupil), format!("{pupil} is found"));
    }
    for (pupil, tier) in expected["tier"].as_object().into_iter().flatten() {
        let got = pupils.iter().find(|p| p.0 == pupil).map(|p| p.1);
        want(got == tier.as_str(), format!("{pupil} is {got:?}, not {tier}"));
    }
    wrong
}

#[test]
fn what_went_wrong_for_others_comes_right_here() {
    let Some(root) = std::env::var_os("SCHOOLGATE_CASES").map(PathBuf::from) else {
        println!("skipped: SCHOOLGATE_CASES names no folder of cases");
        return;
    };
    let school = root.join("../corpus/alderbrook/school.toml");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(&root).expect("the cases").filter_map(|entry| entry.ok().map(|e| e.path())).collect();
    folders.retain(|folder| folder.join("case.json").is_file());
    folders.sort();
    let (mut messages, mut failed) = (0, Vec::new());
    for folder in &folders {
        let text = std::fs::read_to_string(folder.join("case.json")).expect("a case");
        let case: Value = serde_json::from_str(&text).expect("JSON");
        if case["kind"] != "check" {
            continue;
        }
        let each = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        let (args, expected) = (each(&case["args"]), each(&case["expected"]));
        assert_eq!(args.len(), expected.len(), "{}: each message has what is expected of it", folder.display());
        for (args, expected) in args.iter().zip(&expected) {
            let name = args["file"].as_str().or_else(|| case["inputs"][0].as_str()).expect("a file");
            let message = Message { file: folder.join(name), args, expected };
            let wrong = wrong(&decided(&school, &message), message.expected);
            let id = format!("{}/{name}", case["id"].as_str().expect("an id"));
            messages += 1;
            match (wrong.is_empty(), KNOWN.contains(&id.as_str())) {
                (true, false) | (false, true) => {}
                (true, true) => failed.push(format!("{id} comes right: take it out of KNOWN")),
                (false, false) => failed.push(format!("{id}: {}", wrong.join("; "))),
            }
        }
    }
    assert!(messages > 0, "SCHOOLGATE_CASES holds no case");
    println!("{messages} messages, {} known not to come right", KNOWN.len());
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}
