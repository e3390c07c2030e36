//! Ordinary mail with no pupil in it, full of words and names that pupils of the roster also bear: how much of it is
//! stopped for pupil data, and whom it is said to name.

mod ordinary;
mod shapes;
mod support;

use std::collections::BTreeMap;

use jiff::Timestamp;
use ordinary::Grammar;
use schoolgate::command::ground;
use schoolgate::config::Config;
use schoolgate::inspect::{Ground, inspect};
use schoolgate::policy::pack::EMBEDDED;
use schoolgate::policy::{Action, RulePack};
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

/// Of so many messages to a parent, one is sent a second time with something of the other parent's.
const CONTROL: usize = 40;

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
const OTHER_RULES: [&str; 6] = [
    "credentials-disclosed",
    "offensive-language",
    "adult-identifier-unmarked",
    "adult-identifier-outside",
    "adult-matter-outside",
    "other-household",
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

/// An ordinary message, and to whom it goes.
struct Mail {
    kind: &'static str,
    text: String,
    to: &'static str,
    envelope: Envelope,
    raw: Vec<u8>,
}

fn ground_of(roster: &Roster) -> Ground {
    let config = Config::load(&roster.folder.join("school.toml")).expect("a sound configuration");
    ground::load(&config).expect("a sound roster").ground
}

/// Messages of a grammar, the same for the same seed.
fn mails(roster: &Roster, grammar: fn(&[(String, String)]) -> Grammar, seed: u64, messages: usize) -> Vec<Mail> {
    let mut rng = Seeded::fixed(seed);
    let pupils: Vec<_> = roster.pupils.iter().map(|p| (p.forename.clone(), p.surname.clone())).collect();
    let grammar = grammar(&pupils);
    let address = |text: &str| Address::parse(text).expect("an address");
    let mail = |i: usize| {
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
        Mail { kind, text, to, envelope, raw }
    };
    (0..messages).map(mail).collect()
}

/// How many were stopped for pupil data, how many were said to name a pupil, and how many fire a rule on other content.
fn run(grammar: fn(&[(String, String)]) -> Grammar, seed: u64, messages: usize, show: bool) -> (usize, usize, usize) {
    let roster = Roster::of("secondary");
    let ground = ground_of(&roster);
    let (mut stopped, mut named, mut other) = (0, 0, 0);
    let mut by_kind: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    for (i, Mail { kind, text, to, envelope, raw }) in mails(&roster, grammar, seed, messages).into_iter().enumerate() {
        let report = inspect(&ground, &envelope, &raw, at());
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

/// Homes for the parents of the roster: of three pairs, one lives apart, one together, and of one nobody knows. Gives each
/// parent who lives apart with the other one.
fn with_homes(ground: &mut Ground) -> Vec<(usize, usize)> {
    let mut school = std::sync::Arc::into_inner(std::mem::take(&mut ground.school)).expect("nobody else has it");
    let guardians = &mut school.guardians;
    let mut apart = Vec::new();
    let mut housed = BTreeMap::new();
    for one in 0..guardians.len() {
        let shares = |other: &usize| guardians[*other].pupils.iter().any(|pupil| guardians[one].pupils.contains(pupil));
        let Some(other) = (one + 1..guardians.len()).find(shares) else { continue };
        // Who reads at one mailbox is told what the other is.
        let one_mailbox = guardians[one].email == guardians[other].email;
        if one_mailbox || housed.contains_key(&one) || housed.contains_key(&other) {
            continue;
        }
        let kind = housed.len() / 2 % 3;
        housed.insert(one, kind);
        housed.insert(other, kind);
        let home = |number: usize| format!("{number} Thornmoor Street, Fellbeck");
        match kind {
            0 => {
                (guardians[one].address, guardians[other].address) = (home(one + 1), home(other + 1));
                apart.extend([(one, other), (other, one)]);
            }
            1 => (guardians[one].address, guardians[other].address) = (home(one + 1), home(one + 1)),
            _ => {}
        }
    }
    ground.school = std::sync::Arc::new(school.indexed());
    apart
}

/// Ordinary mail to parents who live apart, with what a school writes of the reader's own household beside it, is not
/// stopped; with the other one's telephone, mailbox or home in it, it is.
#[test]
fn ordinary_mail_to_parents_who_live_apart_is_not_stopped_for_the_other_household() {
    let roster = Roster::of("secondary");
    let mut ground = ground_of(&roster);
    let apart = with_homes(&mut ground);
    assert!(apart.len() >= 50, "{} parents live apart", apart.len());
    let pupils: Vec<_> = roster.pupils.iter().map(|p| (p.forename.clone(), p.surname.clone())).collect();
    let mut rng = Seeded::fixed(20_261_018);
    let address = |text: &str| Address::parse(text).expect("an address");
    let (mut read, mut stopped, mut given) = (0, Vec::new(), 0);
    for (grammar, many) in [(Grammar::open(&pupils), MESSAGES / 2), (Grammar::held_aside(&pupils), ASIDE / 2)] {
        for i in 0..many {
            let (reader, other) = *rng.pick(&apart);
            let (reader, other) = (&ground.school.guardians[reader], &ground.school.guardians[other]);
            let Some(to) = reader.email.clone() else { continue };
            let kind = grammar.mails[i % grammar.mails.len()];
            let text = grammar.expand(rng.pick::<&str>(&grammar.lists[kind]), &mut rng);
            let (subject, body) = text.split_once(" // ").expect("subject and body");
            let own = [
                String::new(),
                format!("We have {} as your telephone.", reader.phone),
                format!("Our letter went to {}.", reader.address),
                format!("We write to you at {to}."),
                format!("The school office is on {}.", ground.school.telephone),
                "Mum has a new car and Dad moved to the front row.".to_owned(),
                "Mum or Dad may ring on 12 May between 3 and 4; the way in is by Park Road.".to_owned(),
            ];
            let others = [other.phone.clone(), other.address.clone(), other.email.clone().unwrap_or_default()];
            let form = *rng.pick(&[Form::Text, Form::Html, Form::Docx]);
            let fires = |line: &str| {
                let mut prose: Vec<String> = body.split("\n\n").map(str::to_owned).collect();
                prose.push(line.to_owned());
                let content = Content { subject: subject.replace('\n', " "), prose, ..Content::default() };
                let raw = message(&content, form, "Office <office@thornmoor.example>", &to);
                let envelope = Envelope::new(Some(address("office@thornmoor.example")), vec![address(&to)]);
                let report = inspect(&ground, &envelope, &raw, at());
                report.rules.iter().any(|rule| rule.id == "other-household")
            };
            let line = rng.pick(&own);
            if fires(line) {
                stopped.push(format!("{line} {}", text.replace('\n', " / ")));
            }
            read += 1;
            let told = &others[i % others.len()];
            if i % CONTROL == 0 && !told.is_empty() {
                assert!(fires(&format!("We have {told}.")), "{told} is told to the other parent");
                given += 1;
            }
        }
    }
    println!(
        "{read} messages to parents who live apart, {} stopped; {given} with the other's data, all stopped",
        stopped.len()
    );
    assert!(read > MESSAGES / 2 && given > 10, "{read} {given}");
    assert!(stopped.is_empty(), "{}", stopped.join("\n"));
}

fn at() -> Timestamp {
    "2026-10-14T10:00:00+01:00".parse().expect("a time")
}

/// Asks about whatever is passed on, as the policy wants it; some of these messages are.
const PASSED_ON: &str = "forwarded-outside";

/// What a school's pack adds to core stops ordinary mail of the office in no more than one case of a thousand, mail that is
/// passed on aside: the rest holds nothing that any of these policies speaks of.
#[test]
fn no_pack_stops_ordinary_mail_for_what_it_adds() {
    let roster = Roster::of("secondary");
    let ordinary: Vec<Mail> = [
        mails(&roster, Grammar::open, 20_261_016, MESSAGES / 2),
        mails(&roster, Grammar::held_aside, 20_261_017, ASIDE / 2),
    ]
    .into_iter()
    .flatten()
    .collect();
    let core = ground_of(&roster);
    let by_core: Vec<Action> =
        ordinary.iter().map(|mail| inspect(&core, &mail.envelope, &mail.raw, at()).action).collect();
    println!("pack               messages  stopped by core  more in 1,000 (mail passed on aside)  by rule");
    for (name, _) in EMBEDDED {
        let ground = Ground { pack: RulePack::embedded(name).expect("sound"), ..ground_of(&roster) };
        let mut more = 0;
        let mut by_rule: BTreeMap<String, usize> = BTreeMap::new();
        for (mail, by_core) in ordinary.iter().zip(&by_core) {
            let report = inspect(&ground, &mail.envelope, &mail.raw, at());
            assert!(report.action >= *by_core, "{name} is milder than core: {}", mail.text);
            let added = report.rules.iter().filter(|rule| core.pack.rules.iter().all(|known| known.id != rule.id));
            for rule in added {
                *by_rule.entry(rule.id.clone()).or_default() += 1;
            }
            let passed_on = report.rules.iter().any(|rule| rule.id == PASSED_ON);
            assert!(
                !passed_on || mail.text.contains("riginal message") || mail.text.contains("orward"),
                "{}",
                mail.text
            );
            more += usize::from(report.action > *by_core && !passed_on);
        }
        let core_stops = by_core.iter().filter(|action| **action != Action::Deliver).count();
        let per_thousand = more as f64 * 1000.0 / ordinary.len() as f64;
        println!("{name:18} {:8}  {core_stops:15}  {per_thousand:37.1}  {by_rule:?}", ordinary.len());
        assert!(more * 1000 <= ordinary.len(), "{name} stops {more} of {} more than core: {by_rule:?}", ordinary.len());
    }
}
