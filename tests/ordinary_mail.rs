//! Ordinary mail with no pupil in it, full of words and names that pupils of the roster also bear: how much of it is
//! stopped for pupil data, and whom it is said to name.

mod ordinary;
mod shapes;
mod support;

use std::collections::BTreeMap;

use ordinary::Grammar;
use schoolgate::command::ground;
use schoolgate::config::Config;
use schoolgate::inspect::inspect;
use schoolgate::policy::Action;
use schoolgate::smtp::{Address, Envelope};
use shapes::{Content, Form, Roster, message};
use support::Seeded;

/// Messages; not fewer than two thousand.
const MESSAGES: usize = 2_400;

/// Stopped for pupil data at most, and messages that are said to name a pupil at most. Lower them when the figures fall;
/// never raise one. The aim is 1 in 1,000 stopped.
const STOPPED: usize = 0;
const NAMED: usize = 2;

/// The same of the second grammar, which is for measuring alone.
const ASIDE: usize = 1_000;
const STOPPED_ASIDE: usize = 0;
const NAMED_ASIDE: usize = 1;

/// The rules that pupil data fires.
const PUPIL_RULES: [&str; 7] = [
    "pupil-record-to-personal",
    "pupil-mention-to-personal",
    "pupil-record-to-wrong-guardian",
    "bulk-pupils-outside",
    "sensitive-unprotected",
    "confidential-marker-missing",
    "personal-marker-misused",
];

/// Rules on other content, which these messages do not hold either.
const OTHER_RULES: [&str; 5] = [
    "credentials-disclosed",
    "offensive-language",
    "adult-identifier-unmarked",
    "adult-identifier-outside",
    "adult-matter-outside",
];

#[test]
fn ordinary_mail_is_not_stopped_for_pupil_data() {
    let show = std::env::var_os("SCHOOLGATE_MISSES").is_some();
    let (stopped, named, other) = run(Grammar::open, 20_261_014, MESSAGES, show);
    assert_eq!(other, 0, "{other} of {MESSAGES} ordinary messages stopped for other content");
    assert!((0..=STOPPED).contains(&stopped), "{stopped} of {MESSAGES} ordinary messages stopped for pupil data");
    assert!(named <= NAMED, "{named} of {MESSAGES} ordinary messages said to name a pupil");
}

/// Prints no offender: nothing is changed on account of these.
#[test]
fn ordinary_mail_held_aside_is_not_stopped_for_pupil_data() {
    let (stopped, named, other) = run(Grammar::held_aside, 20_261_015, ASIDE, false);
    assert_eq!(other, 0, "{other} of {ASIDE} ordinary messages stopped for other content");
    assert!((0..=STOPPED_ASIDE).contains(&stopped), "{stopped} of {ASIDE} ordinary messages stopped for pupil data");
    assert!(named <= NAMED_ASIDE, "{named} of {ASIDE} ordinary messages said to name a pupil");
}

/// How many were stopped for pupil data, how many were said to name a pupil, and how many fire a rule on other content.
fn run(grammar: fn(&[(String, String)]) -> Grammar, seed: u64, messages: usize, show: bool) -> (usize, usize, usize) {
    let mut rng = Seeded::fixed(seed);
    let roster = Roster::of("secondary");
    let config = Config::load(&roster.folder.join("school.toml")).expect("a sound configuration");
    let ground = ground::load(&config).expect("a sound roster").ground;
    let pupils: Vec<_> = roster.pupils.iter().map(|p| (p.forename.clone(), p.surname.clone())).collect();
    let grammar = grammar(&pupils);
    let at = "2026-10-14T10:00:00+01:00".parse().expect("a time");
    let address = |text: &str| Address::parse(text).expect("an address");

    let (mut stopped, mut named, mut other) = (0, 0, 0);
    let mut by_kind: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    for i in 0..messages {
        let kind = grammar.mails[i % grammar.mails.len()];
        let text = grammar.expand(rng.pick::<&str>(&grammar.lists[kind]), &mut rng);
        let (subject, body) = text.split_once(" // ").expect("subject and body");
        let to = if kind == "mail personal" {
            *rng.pick(&["chris.moorland77@gmail.com", "aunt.jean.beck@btinternet.com"])
        } else {
            *rng.pick(&[
                "sales@moorsupplies.example",
                "info@summitoutdoor.example",
                "team@moorshire.gov.example",
                "office@tallowfield.example",
                "hello@moorvenue.example",
                "karen.hollis.beck@gmail.com",
            ])
        };
        let form = *rng.pick(&[Form::Text, Form::Text, Form::Text, Form::Html, Form::Html, Form::Docx]);
        let content = Content {
            subject: subject.replace('\n', " "),
            covering: if form == Form::Docx { "See attached.".into() } else { String::new() },
            prose: body.split("\n\n").map(str::to_owned).collect(),
            ..Content::default()
        };
        let raw = message(&content, form, "Office <office@thornmoor.example>", to);
        let envelope = Envelope::new(Some(address("office@thornmoor.example")), vec![address(to)]);
        let report = inspect(&ground, &envelope, &raw, at);
        let fired: Vec<&str> =
            report.rules.iter().map(|r| r.id.as_str()).filter(|id| PUPIL_RULES.contains(id)).collect();
        other += usize::from(report.rules.iter().any(|rule| OTHER_RULES.contains(&rule.id.as_str())));
        let entry = by_kind.entry(kind).or_default();
        entry.0 += 1;
        if report.action != Action::Deliver && !fired.is_empty() {
            stopped += 1;
            entry.1 += 1;
        }
        if !report.pupils.is_empty() {
            named += 1;
            entry.2 += 1;
        }
        if show && !(report.pupils.is_empty() && fired.is_empty()) {
            let found: Vec<String> = report
                .findings
                .iter()
                .filter(|f| f.pupil.is_some())
                .map(|f| format!("{} {:?}", f.kind, f.text))
                .collect();
            println!("{i} {kind} to {to}: {:?} {fired:?} {found:?}\n    {}", report.action, text.replace('\n', " / "));
        }
    }
    println!("kind               messages stopped naming-a-pupil");
    for (kind, (all, stopped, named)) in &by_kind {
        println!("{kind:18} {all:8} {stopped:7} {named:7}");
    }
    println!(
        "{messages} messages, {stopped} stopped for pupil data, {named} said to name a pupil, {other} stopped for other content"
    );
    (stopped, named, other)
}
