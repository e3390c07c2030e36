//! Bulk shapes, generated over both made-up schools in every form they travel in: pupils found, nobody else named, the tier
//! of each, and matched negatives delivered. Figures may only rise.

mod shapes;
mod support;

use std::collections::BTreeMap;

use schoolgate::command::ground;
use schoolgate::config::Config;
use schoolgate::inspect::inspect;
use schoolgate::policy::Action;
use schoolgate::smtp::{Address, Envelope};
use shapes::{Form, Kind, Roster, Shape, message, negative, positive};
use support::Seeded;

/// Recall and precision of pupils at least, share of tiers right at least, of the messages of each shape.
/// Raise a floor when the figures rise; never lower one.
const FLOORS: [(Shape, f64, f64, f64); 10] = [
    (Shape::ClassList, 1.0, 1.0, 1.0),
    (Shape::SenRegister, 1.0, 1.0, 1.0),
    (Shape::EhcpLetter, 1.0, 1.0, 1.0),
    (Shape::Ctf, 1.0, 1.0, 1.0),
    (Shape::Census, 1.0, 1.0, 1.0),
    (Shape::Attendance, 1.0, 1.0, 1.0),
    (Shape::Safeguarding, 1.0, 1.0, 1.0),
    (Shape::TripMedical, 1.0, 1.0, 1.0),
    (Shape::ExamEntries, 1.0, 1.0, 1.0),
    (Shape::ParentThread, 1.0, 1.0, 1.0),
];

/// Of the matched negatives, stopped at most. Of the positives with ten pupils or a sensitive fact, none may be delivered.
const NEGATIVES_STOPPED: usize = 0;

/// Positives of each shape, form and school.
const ROUNDS: usize = 6;

#[derive(Default)]
struct Tally {
    messages: usize,
    wanted: usize,
    found: usize,
    others: usize,
    tiers: usize,
    negatives: usize,
    named_in_negatives: usize,
    stopped: usize,
    breaches: usize,
    delivered: usize,
}

#[test]
fn pupils_of_bulk_shapes_are_found_and_nobody_else() {
    let mut rng = Seeded::fixed(20_261_013);
    let mut tallies: BTreeMap<(Shape, &str), Tally> = BTreeMap::new();
    let mut misses = Vec::new();
    for school in ["school", "secondary"] {
        let roster = Roster::of(school);
        let config = Config::load(&roster.folder.join("school.toml")).expect("a sound configuration");
        let ground = ground::load(&config).expect("a sound roster").ground;
        let at = "2026-10-13T09:14:00+01:00".parse().expect("a time");
        let from = format!("office@{}", roster.domain);
        let to = "records@receiver.example";
        let address = |text: &str| Address::parse(text).expect("an address");
        let envelope = Envelope::new(Some(address(&from)), vec![address(to)]);
        for shape in Shape::ALL {
            for &form in shape.forms() {
                let tally = tallies.entry((shape, school)).or_default();
                for _ in 0..ROUNDS {
                    let content = positive(shape, &roster, &mut rng);
                    let report = inspect(&ground, &envelope, &message(&content, form, &from, to), at);
                    let found: BTreeMap<&str, &str> =
                        report.pupils.iter().map(|p| (p.id.as_str(), p.tier.as_str())).collect();
                    tally.messages += 1;
                    tally.wanted += content.wanted.len();
                    for (id, tier) in &content.wanted {
                        tally.found += usize::from(found.contains_key(id.as_str()));
                        tally.tiers += usize::from(found.get(id.as_str()) == Some(tier));
                        if found.get(id.as_str()) != Some(tier) {
                            misses.push(format!(
                                "{school} {shape:?} {form:?}: {id} {tier}, got {:?}",
                                found.get(id.as_str())
                            ));
                        }
                    }
                    let others: Vec<_> = found.keys().filter(|id| !content.wanted.contains_key(**id)).collect();
                    if !others.is_empty() {
                        misses.push(format!("{school} {shape:?} {form:?}: too many {others:?}"));
                    }
                    tally.others += others.len();
                    if content.wanted.len() >= 10 || content.wanted.values().any(|&tier| tier == "sensitive") {
                        tally.breaches += 1;
                        tally.delivered += usize::from(report.action == Action::Deliver);
                    }
                }
                for kind in Kind::ALL {
                    let form = if shape == Shape::Ctf { Form::Html } else { form };
                    let content = negative(shape, kind, &roster, &mut rng);
                    let report = inspect(&ground, &envelope, &message(&content, form, &from, to), at);
                    tally.negatives += 1;
                    tally.named_in_negatives += report.pupils.len();
                    tally.stopped += usize::from(report.action != Action::Deliver);
                    if !report.pupils.is_empty() || report.action != Action::Deliver {
                        let ids: Vec<_> = report.pupils.iter().map(|p| &p.id).collect();
                        misses.push(format!(
                            "{school} {shape:?} {form:?} negative {kind:?}: {:?} {ids:?}",
                            report.action
                        ));
                    }
                }
            }
        }
    }
    if std::env::var_os("SCHOOLGATE_MISSES").is_some() {
        misses.iter().for_each(|miss| println!("{miss}"));
    }
    let share = |part: usize, whole: usize| if whole == 0 { 1.0 } else { part as f64 / whole as f64 };
    println!("shape          school     messages recall precision tiers  negatives stopped  breaches delivered");
    for ((shape, school), t) in &tallies {
        println!(
            "{:14} {school:10} {:8} {:.4} {:.4}    {:.4} {:9} {:7} {:9} {:9}",
            format!("{shape:?}"),
            t.messages,
            share(t.found, t.wanted),
            share(t.found, t.found + t.others + t.named_in_negatives),
            share(t.tiers, t.wanted),
            t.negatives,
            t.stopped,
            t.breaches,
            t.delivered
        );
    }
    let mut below = Vec::new();
    for (shape, recall, precision, tiers) in FLOORS {
        let of = |pick: fn(&Tally) -> usize| {
            tallies.iter().filter(|((s, _), _)| *s == shape).map(|(_, t)| pick(t)).sum::<usize>()
        };
        let (wanted, found) = (of(|t| t.wanted), of(|t| t.found));
        let named = found + of(|t| t.others + t.named_in_negatives);
        assert!(wanted > 0, "{shape:?}: nothing generated");
        println!(
            "{shape:?}: recall {:.4} precision {:.4} tiers {:.4}",
            share(found, wanted),
            share(found, named),
            share(of(|t| t.tiers), wanted)
        );
        let figures = [
            ("recall", share(found, wanted), recall),
            ("precision", share(found, named), precision),
            ("tiers", share(of(|t| t.tiers), wanted), tiers),
        ];
        for (figure, got, floor) in figures {
            if got < floor {
                below.push(format!("{shape:?}: {figure} {got:.4} below {floor}"));
            }
        }
    }
    let sum = |pick: fn(&Tally) -> usize| tallies.values().map(pick).sum::<usize>();
    let (stopped, delivered) = (sum(|t| t.stopped), sum(|t| t.delivered));
    println!("negatives stopped {stopped}, breaches delivered {delivered}");
    assert!((0..=NEGATIVES_STOPPED).contains(&stopped), "{stopped} matched negatives stopped");
    assert_eq!(delivered, 0, "breaches delivered");
    assert!(below.is_empty(), "{}", below.join("\n"));
}
