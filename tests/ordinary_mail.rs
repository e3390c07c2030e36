//! Ordinary mail with no pupil in it, full of words and names that pupils of the roster also bear: how much of it is
//! stopped for pupil data, and whom it is said to name.

mod shapes;
mod support;

use std::collections::BTreeMap;

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
const OTHER_RULES: [&str; 4] =
    ["credentials-disclosed", "offensive-language", "adult-identifier-unmarked", "adult-identifier-outside"];

/// Adults' forenames that no pupil of the roster has, in any form.
const ADULTS: &[&str] = &[
    "Martin", "Graham", "Sheila", "Deborah", "Trevor", "Yvonne", "Clive", "Brenda", "Nigel", "Maureen", "Janet",
    "Barry", "Doreen", "Malcolm", "Geoffrey", "Pauline", "Terence", "Norma",
];

/// Places that are spelt like pupils, each with what makes it one, and plain ones.
const PLACES: &[&str] = &[
    "the Rose Hill gate",
    "the corner of Ivy Lane",
    "14 Rose Hill",
    "the Grace Field pavilion",
    "Holly Bush Farm",
    "Preston Hall car park",
    "Hunter Wood Timber",
    "Heather Moor nature reserve",
    "Sandy Shore campsite",
    "Hope Chapel car park",
    "Dean Close School",
    "Amber Stone quarry",
    "Crystal Waters leisure pool",
    "Lincoln and Wells",
    "Station Road",
    "the Bell Yard bakery",
    "Reading station",
    "Church Lane",
    "Hall Farm",
    "the town park",
    "Summer Hall hotel",
    "Olive Marsh bird hide",
    "Jordan Price Coaches",
    "Thornmoor library",
];

/// Lists of alternatives by name, and the names of whole messages.
struct Grammar {
    lists: BTreeMap<&'static str, Vec<&'static str>>,
    mails: Vec<&'static str>,
    surnames: Vec<String>,
}

impl Grammar {
    fn open(roster: &Roster) -> Self {
        let lists = lists(include_str!("ordinary/grammar.txt"));
        let mails: Vec<&str> = lists.keys().filter(|name| name.starts_with("mail ")).copied().collect();
        assert!(mails.len() >= 20, "the grammar holds {} kinds of mail", mails.len());
        Self { lists, mails, surnames: surnames(roster) }
    }

    /// The second grammar: its own lists before those of the first, and its own messages alone.
    fn held_aside(roster: &Roster) -> Self {
        let own = lists(include_str!("ordinary/aside.txt"));
        let mails = own.keys().filter(|name| name.starts_with("mail ")).copied().collect();
        let mut all = lists(include_str!("ordinary/grammar.txt"));
        all.extend(own);
        Self { lists: all, mails, surnames: surnames(roster) }
    }

    fn expand(&self, text: &str, roster: &Roster, rng: &mut Seeded) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (slot, tail) = after.split_once('}').unwrap_or_else(|| panic!("no closing brace in {text:?}"));
            out.push_str(before);
            rest = tail;
            match slot {
                "number" => out.push_str(&(2 + rng.below(97)).to_string()),
                "place" => out.push_str(rng.pick::<&str>(PLACES)),
                "surname" => out.push_str(rng.pick::<String>(&self.surnames)),
                "adult" => {
                    let (forename, surname) = (*rng.pick(ADULTS), rng.pick(&self.surnames));
                    assert!(!roster.has(forename, surname), "{forename} {surname} is a pupil");
                    out.push_str(&format!("{forename} {surname}"));
                }
                _ => {
                    let list = self.lists.get(slot).unwrap_or_else(|| panic!("the grammar has no [{slot}]"));
                    out.push_str(&self.expand(rng.pick::<&str>(list), roster, rng));
                }
            }
        }
        out.push_str(rest);
        out.replace("\\n", "\n")
    }
}

fn surnames(roster: &Roster) -> Vec<String> {
    roster.pupils.iter().map(|p| p.surname.clone()).collect()
}

fn lists(grammar: &'static str) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut lists: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut name = "";
    for line in grammar.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        // A subject may start with a bracket as well; it has more after it.
        match line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            Some(section) => name = section,
            None => lists.entry(name).or_default().push(line),
        }
    }
    lists
}

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
fn run(grammar: fn(&Roster) -> Grammar, seed: u64, messages: usize, show: bool) -> (usize, usize, usize) {
    let mut rng = Seeded::fixed(seed);
    let roster = Roster::of("secondary");
    let config = Config::load(&roster.folder.join("school.toml")).expect("a sound configuration");
    let ground = ground::load(&config).expect("a sound roster").ground;
    let grammar = grammar(&roster);
    let at = "2026-10-14T10:00:00+01:00".parse().expect("a time");
    let address = |text: &str| Address::parse(text).expect("an address");

    let (mut stopped, mut named, mut other) = (0, 0, 0);
    let mut by_kind: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    for i in 0..messages {
        let kind = grammar.mails[i % grammar.mails.len()];
        let text = grammar.expand(rng.pick::<&str>(&grammar.lists[kind]), &roster, &mut rng);
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
