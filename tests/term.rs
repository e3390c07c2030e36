//! A term of mail: how much of it is stopped, week by week, with what was confirmed remembered and without.
//!
//! Roster and directory are a fixture's; who writes how often to whom is a model (`docs/accuracy.md`, "A term of mail"), made
//! from a seed. No clock: the days are the school days of autumn 2026.

mod ordinary;
mod support;
mod term {
    pub mod figures;
    pub mod forms;
    pub mod play;
    pub mod school;
    pub mod traffic;
}

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use schoolgate::command::ground;
use schoolgate::config::Config;
use schoolgate::inspect::Ground;
use schoolgate::policy::Action;
use schoolgate::school_time::SchoolTime;
use support::Seeded;
use term::figures::{Count, WEEK_1, WEEK_6, by_form, by_rule, count};
use term::play::{Decided, Gateway, Outcome, Played};
use term::traffic::{Label, Mail, Play, term};

/// School days of the term that the figures are of.
const DAYS: usize = 60;
const SEEDS: [u64; 3] = [20_260_907, 20_270_104, 20_270_419];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn ground(folder: &Path) -> Ground {
    let config = Config::load(&folder.join("school.toml")).expect("a sound configuration");
    ground::load(&config).expect("a sound roster").ground
}

/// The school days of the term, half term left out.
fn school_days(many: usize) -> Vec<Date> {
    let time = SchoolTime { holidays: vec![(date(2026, 10, 26), date(2026, 10, 30))], ..SchoolTime::default() };
    let mut days = Vec::new();
    let mut day = date(2026, 9, 7);
    while days.len() < many {
        if time.is_school_day(day) {
            days.push(day);
        }
        day = day.tomorrow().expect("a day");
    }
    days
}

/// The mail through one gateway, in its order; each message half a minute after the one before.
fn play(
    mails: &[Mail],
    gateway: &mut Gateway<'_>,
    mut seen: impl FnMut(&mut Gateway<'_>, &Mail, &Played, Timestamp),
) -> Vec<Played> {
    let days = school_days(mails.last().map_or(0, |mail| mail.day + 1));
    let zone = SchoolTime::default().zone;
    let (mut day, mut within) = (usize::MAX, 0);
    let mut all = Vec::with_capacity(mails.len());
    for mail in mails {
        within = if mail.day == day { within + 30 } else { 0 };
        day = mail.day;
        let morning = days[day].at(9, 0, 0, 0).to_zoned(zone.clone()).expect("a time").timestamp();
        let at = morning + within.seconds();
        let played = gateway.play(mail, at);
        seen(gateway, mail, &played, at);
        all.push(played);
    }
    all
}

/// Over two weeks with many slips: what is remembered lets through nothing that should stop, unless for exactly this sender,
/// recipient, pupil and rule; and stops no right mail that would go without it.
#[test]
fn what_is_remembered_stops_no_right_mail_and_lets_no_slip_through_that_was_not_confirmed() {
    let folder = fixture("secondary");
    let ground = ground(&folder);
    let mut rng = Seeded::fixed(7);
    let mails = term(&ground, &folder, Play { days: 10, slips: 120, corpus_every: 20 }, &mut rng);
    let mut decided = Decided::default();
    let mut gateway = Gateway::new(&ground, true, &mut decided).thorough();
    let (mut spared, mut slips, mut other_pupil) = (0, 0, 0);
    play(&mails, &mut gateway, |gateway, mail, played, at| {
        let plain = gateway.without_memory(mail, at);
        let went = played.outcome == Outcome::Went;
        let would = plain.action == Action::Deliver;
        let Label::Slip(pupils) = &mail.label else {
            assert!(went || !would, "{} of {} is stopped for what was confirmed", mail.form, mail.sender);
            spared += usize::from(went && !would);
            return;
        };
        slips += usize::from(!would);
        other_pupil += usize::from(!would && mail.form.contains("another pupil"));
        if went && !would {
            for rule in plain.rules.iter().filter(|rule| rule.counts()) {
                let exact = |to: &str, pupil: Option<&str>| {
                    gateway.confirmed.iter().any(|(of, by, recipient, about)| {
                        *of == rule.id
                            && by.eq_ignore_ascii_case(&mail.sender)
                            && recipient.eq_ignore_ascii_case(to)
                            && about.as_deref() == pupil
                    })
                };
                let of_pack =
                    ground.pack.rules.iter().find(|of_pack| of_pack.id == rule.id).expect("a rule of the pack");
                let about_pupils = of_pack.when.iter().any(|when| when.is_about_pupils());
                // A picture beside nobody's name is nobody's.
                let about_pupils = about_pupils && !plain.pupils.is_empty();
                let was = mail.to.iter().any(|to| match about_pupils {
                    true => !pupils.is_empty() && pupils.iter().all(|pupil| exact(to, Some(pupil))),
                    false => exact(to, None),
                });
                assert!(was, "{} of {} went, and {} was confirmed for something else", mail.form, mail.sender, rule.id);
            }
        }
    });
    println!("{} messages: {spared} stops spared, {slips} slips to stop, {other_pupil} of another pupil", mails.len());
    assert!(
        spared > 0 && slips > 20 && other_pupil > 5,
        "{spared} spared, {slips} slips, {other_pupil} of another pupil"
    );
}

#[test]
#[ignore = "figures: cargo test --test term -- --ignored --nocapture"]
fn a_term_at_two_schools() {
    let mut schools = vec![("Thornmoor", fixture("secondary"))];
    match std::env::var_os("SCHOOLGATE_CORPUS") {
        Some(root) => schools.insert(0, ("Alderbrook", Path::new(&root).join("alderbrook"))),
        None => println!("without Alderbrook: SCHOOLGATE_CORPUS names no folder of labelled corpora"),
    }
    for (name, folder) in schools {
        let ground = ground(&folder);
        let mut terms = Vec::new();
        for seed in SEEDS {
            let mut rng = Seeded::fixed(seed);
            let mails = term(&ground, &folder, Play { days: DAYS, slips: 3, corpus_every: 20 }, &mut rng);
            let mut decided = Decided::default();
            let without = play(&mails, &mut Gateway::new(&ground, false, &mut decided), |_, _, _, _| {});
            let with = play(&mails, &mut Gateway::new(&ground, true, &mut decided), |_, _, _, _| {});
            terms.push((mails, without, with));
        }
        print(name, &terms);
    }
}

type Term = (Vec<Mail>, Vec<Played>, Vec<Played>);

fn print(name: &str, terms: &[Term]) {
    let all = 0..DAYS;
    let messages: usize = terms.iter().map(|(mails, ..)| mails.len()).sum();
    println!("\n## {name}: {} messages a day, {} in {} terms\n", messages / terms.len() / DAYS, messages, terms.len());
    println!(
        "| stretch | remembered | messages | stopped | in 1,000 | right as it was | but for a mark | slips | sender alone | somebody else | slips gone |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for (stretch, days) in [("week 1", WEEK_1), ("week 6", WEEK_6), ("term", all.clone())] {
        for (remembered, which) in [("no", 0), ("yes", 1)] {
            let mut sum = Count::default();
            let mut each = Vec::new();
            for (mails, without, with) in terms {
                let of = count(mails, if which == 0 { without } else { with }, days.clone());
                each.push(of.stopped);
                sum.messages += of.messages;
                sum.stopped += of.stopped;
                sum.right += of.right;
                sum.unmarked += of.unmarked;
                sum.alone += of.alone;
                sum.other += of.other;
                sum.slips += of.slips;
                sum.slips_gone += of.slips_gone;
            }
            println!(
                "| {stretch} | {remembered} | {} | {} ({each:?}) | {:.1} | {} | {} | {} | {} | {} | {} |",
                sum.messages,
                sum.stopped,
                1_000.0 * sum.stopped as f64 / sum.messages as f64,
                sum.right,
                sum.unmarked,
                sum.slips - sum.slips_gone,
                sum.alone,
                sum.other,
                sum.slips_gone
            );
        }
    }
    println!(
        "\nStopped by rule (of them, somebody else had to decide), without and with what was confirmed remembered:\n"
    );
    println!(
        "| rule | week 1, without | with | week 6, without | with | term, without | with |\n|---|---|---|---|---|---|---|"
    );
    let columns: Vec<BTreeMap<String, (usize, usize)>> = [WEEK_1, WEEK_6, all.clone()]
        .into_iter()
        .flat_map(|days| [false, true].map(|remembers| (days.clone(), remembers)))
        .map(|(days, remembers)| {
            let mut sum: BTreeMap<String, (usize, usize)> = BTreeMap::new();
            for (mails, without, with) in terms {
                for (rule, (all, other)) in by_rule(mails, if remembers { with } else { without }, days.clone()) {
                    let entry = sum.entry(rule).or_default();
                    *entry = (entry.0 + all, entry.1 + other);
                }
            }
            sum
        })
        .collect();
    let rules: BTreeSet<&String> = columns.iter().flat_map(BTreeMap::keys).collect();
    for rule in rules {
        let cell = |column: &BTreeMap<String, (usize, usize)>| match column.get(rule) {
            None => "0".to_owned(),
            Some((all, 0)) => all.to_string(),
            Some((all, other)) => format!("{all} ({other})"),
        };
        println!("| {rule} | {} |", columns.iter().map(cell).collect::<Vec<_>>().join(" | "));
    }
    println!("\nRight mail stopped in the term, with what was confirmed remembered, by form and rule:\n");
    let mut forms: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    for (mails, _, with) in terms {
        for (form, (all, again)) in by_form(mails, with) {
            let entry = forms.entry(form).or_default();
            *entry = (entry.0 + all, entry.1 + again);
        }
    }
    let mut forms: Vec<_> = forms.into_iter().collect();
    forms.sort_by_key(|(_, (all, _))| std::cmp::Reverse(*all));
    println!("| times | of them not the first | form | rules | put right |\n|---|---|---|---|---|");
    for ((form, rules, outcome), (all, again)) in forms {
        println!("| {all} | {again} | {form} | {rules} | {outcome:?} |");
    }
    let mut gone = BTreeMap::new();
    for (mails, without, with) in terms {
        for ((mail, without), with) in mails.iter().zip(without).zip(with) {
            if matches!(mail.label, Label::Slip(_)) && with.outcome == Outcome::Went {
                *gone.entry((mail.form, without.rules.join(" + "))).or_insert(0) += 1;
            }
        }
    }
    println!("\nSlips that went, with what stops them where nothing is remembered:\n");
    for ((form, rules), many) in gone {
        println!("- {many}: {form}: {}", if rules.is_empty() { "nothing" } else { &rules });
    }
}
