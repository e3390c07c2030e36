//! The five schools' packs: what each clause's messages meet in the real program, and that every clause has its pair.
//!
//! A clause is shown by what its pack names in `shown_by`: labelled messages of `fixtures/schools/PACK`, one that breaks it and
//! one that keeps it at least, and tests.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use schoolgate::command::{ground, score};
use schoolgate::config::Config;
use schoolgate::inspect::inspect;
use schoolgate::policy::coverage::coverage;
use schoolgate::policy::pack::EMBEDDED;
use schoolgate::policy::{Action, RulePack};
use schoolgate::smtp::{Address, Envelope};
use support::{Case, Gateway, Sink, cases_of, header, wrong_fates};

/// Each pack that keeps a school's policy, with the clauses of that policy that a gateway can keep.
const CLAUSES: &[(&str, &[&str])] = &[
    (
        "woodsetton",
        &[
            "WS-1", "WS-2", "WS-3", "WS-4", "WS-5", "WS-6", "WS-7", "WS-8", "WS-9", "WS-10", "WS-11", "WS-12", "WS-13",
            "WS-14", "WS-15",
        ],
    ),
    (
        "wooden-hill",
        &[
            "WH-4a",
            "WH-4b",
            "WH-4c",
            "WH-4d",
            "WH-4.1",
            "WH-5.1",
            "WH-5.1.1a",
            "WH-5.1.1b",
            "WH-5.1.1c",
            "WH-5.1.1d",
            "WH-5.1.1e",
            "WH-5.1.1f",
            "WH-5.1.1g",
            "WH-5.5",
            "WH-8.1",
            "WH-8.5",
        ],
    ),
    (
        "saxon-wood",
        &[
            "SW-3.2",
            "SW-4.1.4",
            "SW-4.2",
            "SW-4.3",
            "SW-6.1.1",
            "SW-6.1.2",
            "SW-6.1.3-5",
            "SW-6.1.6",
            "SW-6.1.8",
            "SW-8.8",
            "SW-9.2",
            "SW-9.4",
            "SW-10.1",
            "SW-A1a",
            "SW-A1b",
            "SW-A1c",
            "SW-A1d",
        ],
    ),
    ("hermitage-oaktree", &["HO-1", "HO-2", "HO-3", "HO-4", "HO-5", "HO-6", "HO-7", "HO-8"]),
    (
        "droitwich",
        &[
            "DR-4.1a", "DR-4.1b", "DR-4.1c", "DR-4.1d", "DR-4.1e", "DR-4.2a", "DR-4.2b", "DR-4.2c", "DR-4.3", "DR-6a",
            "DR-6b", "DR-6c", "DR-6d", "DR-7",
        ],
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn packs() -> impl Iterator<Item = (&'static str, RulePack)> {
    CLAUSES.iter().map(|(name, _)| (*name, RulePack::embedded(name).expect(name)))
}

fn messages(pack: &str) -> Vec<Case> {
    cases_of(&format!("schools/{pack}"))
}

fn each_meets_its_fate(pack: &str) {
    let sink = Sink::start();
    let mut gateway = Gateway::of(&format!("schools/{pack}"), sink.port);
    // What waits before it leaves is shown by tests/waits.rs; here no message hangs on the hour at which this test runs.
    let rules = RulePack::embedded(pack).expect(pack).rules;
    let waits = rules.iter().filter(|rule| rule.duty.wait_minutes.is_some() || rule.duty.wait_until_open);
    let modes = toml::Table::from_iter(waits.map(|rule| (rule.id.clone(), toml::Value::from("observe"))));
    gateway.set("policy", "modes", modes);
    gateway.start(&[]);
    let cases = messages(pack);
    let wrong = wrong_fates(&gateway, &sink, &cases);
    assert!(wrong.is_empty(), "{} of {} went wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn each_message_of_woodsetton_meets_its_fate() {
    each_meets_its_fate("woodsetton");
}

#[test]
fn each_message_of_wooden_hill_meets_its_fate() {
    each_meets_its_fate("wooden-hill");
}

#[test]
fn each_message_of_saxon_wood_meets_its_fate() {
    each_meets_its_fate("saxon-wood");
}

#[test]
fn each_message_of_hermitage_oaktree_meets_its_fate() {
    each_meets_its_fate("hermitage-oaktree");
}

#[test]
fn each_message_of_droitwich_meets_its_fate() {
    each_meets_its_fate("droitwich");
}

#[test]
fn the_packs_hold_exactly_the_clauses_of_the_five_policies() {
    assert_eq!(CLAUSES.iter().map(|(_, clauses)| clauses.len()).sum::<usize>(), 70);
    let of_schools = EMBEDDED.iter().map(|(name, _)| *name).filter(|name| *name != "core");
    assert_eq!(of_schools.collect::<BTreeSet<_>>(), CLAUSES.iter().map(|(name, _)| *name).collect());
    for ((name, pack), (_, clauses)) in packs().zip(CLAUSES) {
        let own: Vec<&str> = pack.clauses.iter().filter(|clause| clause.own).map(|clause| clause.id.as_str()).collect();
        assert_eq!(own, *clauses, "{name}");
    }
}

/// What a clause says shows it.
enum Shown<'c> {
    Message(&'c Case),
    Test,
}

/// A message of the pack that is tagged with the clause, or a test that is there.
fn shown<'c>(clause: &str, name: &str, cases: &'c [Case]) -> Result<Shown<'c>, String> {
    if let Some((file, function)) = name.split_once("::") {
        let text = std::fs::read_to_string(root().join(file)).map_err(|e| format!("{clause}: {file}: {e}"))?;
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let is_it = |line: &str| line.ends_with(&format!("fn {function}() {{"));
        let test = lines.windows(2).any(|pair| pair[0].ends_with("test]") && is_it(pair[1]));
        return if test { Ok(Shown::Test) } else { Err(format!("{clause}: {file} has no test `{function}`")) };
    }
    let case = cases.iter().find(|case| case.id == name).ok_or(format!("{clause}: there is no message `{name}`"))?;
    match case.tagged(&format!("clause:{clause}")) {
        true => Ok(Shown::Message(case)),
        false => Err(format!("{clause}: `{name}` is not about it")),
    }
}

#[test]
fn every_clause_is_shown_by_a_message_that_breaks_it_and_one_that_keeps_it() {
    let mut wrong = Vec::new();
    for (name, pack) in packs() {
        let cases = messages(name);
        let mut named = BTreeSet::new();
        for clause in pack.clauses.iter().filter(|clause| clause.own) {
            let (mut breaks, mut keeps, mut tests) = (0, 0, 0);
            for by in &clause.shown_by {
                match shown(&clause.id, by, &cases) {
                    Ok(Shown::Test) => tests += 1,
                    Ok(Shown::Message(case)) => {
                        named.insert(case.id.as_str());
                        breaks += usize::from(case.tagged("breaks"));
                        keeps += usize::from(case.tagged("keeps"));
                    }
                    Err(problem) => wrong.push(problem),
                }
            }
            // What only another program can find is shown by a test with that program.
            let by_rules = !clause.rules.is_empty();
            if by_rules && (breaks == 0 || keeps == 0) && (tests == 0 || breaks + keeps > 0) {
                wrong.push(format!("{}: {breaks} messages break it and {keeps} keep it", clause.id));
            }
        }
        // No message stands there that shows nothing.
        for case in &cases {
            if !named.contains(case.id.as_str()) {
                wrong.push(format!("{name}: nothing is shown by {}", case.id));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_breaks_a_clause_is_stopped_by_a_rule_of_it_and_what_keeps_it_is_not() {
    for (name, pack) in packs() {
        let cases = messages(name);
        let mut hard = BTreeMap::new();
        for clause in pack.clauses.iter().filter(|clause| clause.own && !clause.rules.is_empty()) {
            let is_rule = |rule: &String| clause.rules.contains(rule);
            for case in cases.iter().filter(|case| case.tagged(&format!("clause:{}", clause.id))) {
                match (case.tagged("breaks"), case.tagged("keeps")) {
                    (true, false) => assert!(case.rules.iter().any(is_rule), "{} breaks no rule of it", case.id),
                    (false, true) => assert!(!case.rules.iter().any(is_rule), "{} breaks a rule of it", case.id),
                    _ => panic!("{} breaks or keeps", case.id),
                }
                let is_hard = case.tagged("hard-negative");
                assert!(!is_hard || case.tagged("keeps"), "{} is hard and no negative", case.id);
                *hard.entry(clause.id.as_str()).or_insert(0) += usize::from(is_hard);
            }
        }
        assert!(hard.values().all(|&number| number > 0), "{name}: a clause without a hard negative: {hard:?}");
        let ids: BTreeSet<_> = cases.iter().map(|case| header(&case.message(), "Message-ID")).collect();
        assert_eq!(ids.len(), cases.len(), "{name}: each message has a Message-ID of its own");
    }
}

/// Nothing but what is asked for fires, too.
#[test]
fn the_labels_name_every_rule_that_fires_on_what_keeps_a_clause() {
    for (name, _) in CLAUSES {
        let folder = root().join("fixtures/schools").join(name);
        let config = Config::load(&folder.join("school.toml")).expect("a sound configuration");
        let loaded = ground::load(&config).expect("a sound roster");
        assert!(loaded.faults.is_empty(), "{:?}", loaded.faults);
        let scored = score::score(&loaded.ground, &folder.join("cases.jsonl")).expect("labelled messages");
        assert_eq!(scored.problems, Vec::<String>::new(), "{name}");
        for outcome in &scored.outcomes {
            assert!(outcome.right && outcome.rules_missing.is_empty(), "{name} {}: {:?}", outcome.id, outcome.got);
            let keeps = outcome.tags.iter().any(|tag| tag == "keeps");
            assert!(!keeps || outcome.rules_extra.is_empty(), "{name} {}: {:?}", outcome.id, outcome.rules_extra);
        }
    }
}

/// SW-10.1, HO-7, DR-7: safeguarding reaches the safeguarding lead, much or sensitive the data protection officer, in whichever
/// pack; and nobody is told of what is not theirs.
#[test]
fn who_is_told_goes_by_what_is_held() {
    let mut seen = BTreeMap::new();
    for (name, _) in CLAUSES {
        let gateway = Gateway::of(&format!("schools/{name}"), 9);
        let told = |tag: &str| tag.starts_with("notify:") || tag.starts_with("not-notify:");
        for case in messages(name).iter().filter(|case| case.tags.iter().any(|tag| told(tag))) {
            let file = gateway.directory().join("message.eml");
            std::fs::write(&file, case.message()).expect("the message");
            let mut arguments = vec!["check", "--json", "--mail-from", &case.mail_from, "--rcpt"];
            arguments.extend(case.rcpt.iter().map(String::as_str));
            let file = file.to_string_lossy().into_owned();
            arguments.extend(["--explain", &file]);
            let output = gateway.command(&arguments);
            let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
            let roles: Vec<&str> =
                report["notify"].as_array().expect("roles").iter().filter_map(|role| role.as_str()).collect();
            for tag in case.tags.iter().filter(|tag| told(tag)) {
                let (wanted, role) = tag.split_once(':').expect("a role");
                assert_eq!(roles.contains(&role), wanted == "notify", "{}: {roles:?}", case.id);
                *seen.entry(tag.clone()).or_insert(0) += 1;
            }
        }
    }
    let tags: Vec<&str> = seen.keys().map(String::as_str).collect();
    assert_eq!(tags, ["not-notify:dpo", "not-notify:dsl", "notify:dpo", "notify:dsl"]);
}

/// The folders of labelled mail that are there, those that `SCHOOLGATE_CORPUS` names included.
fn corpora() -> Vec<PathBuf> {
    let fixtures = root().join("fixtures");
    let mut folders: Vec<PathBuf> = ["school", "secondary", "plain"].iter().map(|name| fixtures.join(name)).collect();
    folders.extend(CLAUSES.iter().map(|(name, _)| fixtures.join("schools").join(name)));
    if let Some(root) = std::env::var_os("SCHOOLGATE_CORPUS") {
        let further = std::fs::read_dir(root).expect("SCHOOLGATE_CORPUS can be read").filter_map(Result::ok);
        folders.extend(further.map(|entry| entry.path()).filter(|path| path.join("cases.jsonl").is_file()));
    }
    folders
}

#[test]
fn what_a_pack_adds_never_makes_cores_verdict_milder() {
    let mut stricter = BTreeMap::new();
    for folder in corpora() {
        let config = Config::load(&folder.join("school.toml")).expect("a sound configuration");
        let mut loaded = ground::load(&config).expect("a sound roster");
        let text = std::fs::read_to_string(folder.join("cases.jsonl")).expect("labelled messages");
        let cases: Vec<score::Case> =
            text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
        let mut decided = |pack: &str| -> Vec<Action> {
            loaded.ground.pack = RulePack::embedded(pack).expect(pack);
            let action = |case: &score::Case| {
                let raw = std::fs::read(folder.join(&case.file)).expect("the message");
                let recipients = case.rcpt.iter().map(|to| Address::parse(to).expect("a recipient")).collect();
                let envelope = Envelope::new(Address::parse(&case.mail_from).ok(), recipients);
                let at = case.at.as_deref().map_or(jiff::Timestamp::UNIX_EPOCH, |at| at.parse().expect("a time"));
                inspect(&loaded.ground, &envelope, &raw, at).action
            };
            cases.par_iter().map(action).collect()
        };
        let core = decided("core");
        assert!(!core.is_empty(), "{}", folder.display());
        for (name, _) in CLAUSES {
            for ((case, below), above) in cases.iter().zip(&core).zip(decided(name)) {
                let place = format!("{} {}", folder.display(), case.id);
                assert!(above >= *below, "{place}: {above:?} by {name}, {below:?} by core");
                *stricter.entry(*name).or_insert(0) += usize::from(above > *below);
            }
        }
    }
    assert!(CLAUSES.iter().all(|(name, _)| stricter.get(name).is_some_and(|&n| n > 0)), "{stricter:?}");
}

/// Each bad pack beside what `policy check` says of it, word for word.
#[test]
fn a_bad_pack_is_refused_with_its_place_and_in_plain_words() {
    let folder = Path::new("fixtures/bad/packs");
    let mut checked = 0;
    let mut wrong = Vec::new();
    let mut names: Vec<_> =
        std::fs::read_dir(root().join(folder)).expect("the folder").filter_map(Result::ok).collect();
    names.sort_by_key(std::fs::DirEntry::file_name);
    for entry in names {
        let file = folder.join(entry.file_name());
        // What others lie on is sound by itself.
        if file.extension().is_none_or(|end| end != "toml") || !root().join(file.with_extension("txt")).exists() {
            continue;
        }
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_schoolgate"))
            .args(["policy", "check"])
            .arg(&file)
            .current_dir(root())
            .output()
            .expect("the program starts");
        let expected = std::fs::read_to_string(root().join(file.with_extension("txt"))).expect("the words");
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() || said != expected {
            wrong.push(format!("{}: {}\n{said}", file.display(), output.status));
        }
        checked += 1;
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(checked >= 12, "{checked} bad packs");
}

/// The pack that docs/policies.md prints as a school's own is sound, and does what the page says of it.
#[test]
fn the_pack_that_the_guide_prints_is_sound() {
    let page = std::fs::read_to_string(root().join("docs/policies.md")).expect("the guide");
    let block = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a pack");
    let pack = RulePack::parse(Path::new("docs/policies.md"), block).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(pack.chain, ["core", "our-school"]);
    let own: Vec<&str> = pack.clauses.iter().filter(|clause| clause.own).map(|clause| clause.id.as_str()).collect();
    assert_eq!(own, ["OUR-3", "OUR-7"]);
    let rule = |id: &str| pack.rules.iter().find(|rule| rule.id == id).unwrap_or_else(|| panic!("{id}"));
    assert_eq!(rule("pupil-images").action, Action::Hold);
    assert_eq!(rule("open-link").action, Action::Warn);
}

/// The summary that docs/policies.md prints is what `policy coverage` says today.
#[test]
fn the_guide_says_how_many_clauses_are_kept() {
    let page = std::fs::read_to_string(root().join("docs/policies.md")).expect("the guide");
    let (mut kept, mut all) = (0, 0);
    for (name, pack) in packs() {
        let rows = coverage(&pack);
        let of_pack = rows.iter().filter(|row| row.state.is_kept()).count();
        let line = format!("| `{name}` | {of_pack} of {} |", rows.len());
        assert!(page.contains(&line), "docs/policies.md lacks {line:?}");
        (kept, all) = (kept + of_pack, all + rows.len());
    }
    let line = format!("| all five | {kept} of {all} |");
    assert!(page.contains(&line), "docs/policies.md lacks {line:?}");
}
