//! Mail of a school's staff that means no pupil, full of strangers who share forenames or surnames with pupils, under three rosters: how
//! often it is said to name a pupil, and how often it is stopped for that.
//!
//! Schools and messages are made anew from a seed. `SCHOOLGATE_MISSES=1` prints what was wrongly taken for a pupil, and why.

mod schools;
mod shapes;
#[path = "strangers/mod.rs"]
mod strangers;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use schoolgate::command::ground;
use schoolgate::config::Config;
use schoolgate::inspect::{Ground, Report, ReportedFinding, inspect};
use schoolgate::policy::Action;
use schools::Kind;
use strangers::{Strangers, folded};
use support::Seeded;

/// Messages under each roster.
const MESSAGES: usize = 4_000;

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

/// Mail to a private mailbox says so in its subject, by policy; these messages do not, and that is nothing to measure here.
const PRIVATE_MAILBOX: &str = "personal-marker-missing";

/// What may be wrong at most in so many messages. Lower a figure when it falls; never raise one.
struct Ceilings {
    /// Pupils whom any finding is about.
    named: usize,
    /// Of these with confidence enough to act.
    sure: usize,
    /// Messages stopped for pupil data.
    stopped: usize,
    /// Messages stopped for anything else.
    other: usize,
}

#[test]
fn strangers_are_no_pupils_of_a_secondary_school() {
    measure(Kind::Secondary, 20_261_101, &Ceilings { named: 10, sure: 10, stopped: 4, other: 0 });
}

#[test]
fn strangers_are_no_pupils_of_an_inner_city_school() {
    measure(Kind::City, 20_261_111, &Ceilings { named: 0, sure: 0, stopped: 0, other: 0 });
}

#[test]
fn strangers_are_no_pupils_of_a_celtic_school() {
    measure(Kind::Celtic, 20_261_121, &Ceilings { named: 2, sure: 2, stopped: 1, other: 0 });
}

/// The configuration of the made-up secondary school over another roster.
fn ground_of(kind: Kind, rng: &mut Seeded) -> Ground {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/secondary/school.toml");
    let config = Config::load(&file).expect("a sound configuration");
    let mut ground = ground::load(&config).expect("a sound roster").ground;
    ground.school = std::sync::Arc::new(schools::school(kind, rng));
    ground
}

/// What went wrong with the messages of one kind.
#[derive(Default)]
struct Tally {
    messages: usize,
    named: usize,
    sure: usize,
    stopped: usize,
    other: usize,
}

impl Tally {
    fn add(&mut self, more: &Self) {
        self.messages += more.messages;
        self.named += more.named;
        self.sure += more.sure;
        self.stopped += more.stopped;
        self.other += more.other;
    }

    fn of(report: &Report) -> Self {
        let held = report.action != Action::Deliver;
        let fired = |wanted: fn(&str) -> bool| held && report.rules.iter().any(|rule| wanted(&rule.id));
        let by_pupils = fired(|id| PUPIL_RULES.contains(&id));
        let named: BTreeSet<_> = report.findings.iter().filter_map(|finding| finding.pupil.as_ref()).collect();
        Self {
            messages: 1,
            named: named.len(),
            sure: report.pupils.len(),
            stopped: usize::from(by_pupils),
            other: usize::from(!by_pupils && fired(|id| id != PRIVATE_MAILBOX)),
        }
    }

    fn print(&self, kind: &str) {
        let Self { messages, named, sure, stopped, other } = self;
        let in_a_thousand = *named as f64 * 1000.0 / *messages as f64;
        println!("{kind:12} {messages:8} {named:5} {in_a_thousand:8.1} {sure:4} {stopped:7} {other:5}");
    }
}

/// Whom a finding takes for a pupil, and why; what is said of one is none.
fn reason<'a>(ground: &Ground, finding: &'a ReportedFinding) -> Option<(&'a str, String)> {
    let id = finding.pupil.as_deref().filter(|_| finding.kind == "pupil-name")?;
    let pupil = &ground.school.pupils[ground.school.pupil_by_id(id)?.0 as usize];
    let text = folded(&finding.text);
    let written = pupil.forenames().any(|forename| text.contains(&folded(forename)));
    let form = if written { "" } else { ", a short form or another spelling" };
    Some((id, format!("{}{form}", finding.because)))
}

fn measure(kind: Kind, seed: u64, ceilings: &Ceilings) {
    let show = std::env::var_os("SCHOOLGATE_MISSES").is_some();
    let at: Timestamp = "2026-10-14T10:00:00+01:00".parse().expect("a time");
    let ground = ground_of(kind, &mut Seeded::fixed(seed));
    let mut rng = Seeded::fixed(seed + 1);
    let strangers = Strangers::of(&ground.school);
    let mut by_kind: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut by_rule: BTreeMap<String, usize> = BTreeMap::new();
    let mut by_reason: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..MESSAGES {
        let mail = strangers.mail(number, &mut rng);
        let report = inspect(&ground, &mail.envelope, &mail.raw, at);
        if report.action != Action::Deliver {
            report.rules.iter().for_each(|rule| *by_rule.entry(rule.id.clone()).or_default() += 1);
        }
        let reasons: BTreeSet<_> = report.findings.iter().filter_map(|found| reason(&ground, found)).collect();
        reasons.into_iter().for_each(|(_, reason)| *by_reason.entry(reason).or_default() += 1);
        let tally = Tally::of(&report);
        if show && tally.named + tally.sure + tally.stopped + tally.other > 0 {
            println!(
                "{number} {} {:?} {:?}",
                mail.kind,
                report.action,
                report.rules.iter().map(|r| &r.id).collect::<Vec<_>>()
            );
            for finding in report.findings.iter().filter(|finding| finding.pupil.is_some() || tally.other > 0) {
                let pupil = finding.pupil.as_deref().and_then(|id| ground.school.pupil_by_id(id));
                let pupil = pupil.map(|index| &ground.school.pupils[index.0 as usize]);
                let pupil =
                    pupil.map(|p| format!("{} ({}) {}", p.forename, p.known_as.as_deref().unwrap_or("-"), p.surname));
                println!(
                    "  {} {} {:?} in {} for {pupil:?}: {}",
                    finding.confidence, finding.kind, finding.text, finding.place, finding.because
                );
            }
            println!("    {}", mail.text.replace('\n', " / "));
        }
        by_kind.entry(mail.kind).or_default().add(&tally);
    }
    let mut all = Tally::default();
    by_kind.values().for_each(|tally| all.add(tally));
    println!("{:12} messages named in-1,000 sure stopped other", kind.name());
    by_kind.iter().for_each(|(kind, tally)| tally.print(kind));
    all.print("all");
    println!("stopped by {by_rule:?}");
    by_reason.iter().for_each(|(reason, many)| println!("{many:5} {reason}"));
    let name = kind.name();
    assert!(all.named <= ceilings.named, "{} pupils of the {name} school named in {MESSAGES} messages", all.named);
    assert!(all.sure <= ceilings.sure, "{} of them with confidence under the {name} school", all.sure);
    assert!(
        all.stopped <= ceilings.stopped,
        "{} messages of {MESSAGES} stopped for pupils of the {name} school",
        all.stopped
    );
    assert!(all.other <= ceilings.other, "{} messages of {MESSAGES} stopped for other content", all.other);
}
