//! Six kinds of rosters, and every written form of a name: how many pupils are found, by form and by how much of the name is
//! also words, by kind of roster, and whether what is said of them is seen for what it is. And what looks like a pupil's
//! name and is none.
//!
//! Schools and messages are made anew from a seed. `SCHOOLGATE_MISSES=form` prints what was missed of the forms so named.

mod schools;
mod support;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use schoolgate::detect::{Correspondence, Tier, detect};
use schoolgate::people::School;
use schoolgate::text::{Document, Halt};
use schools::{Kind, school, words};
use support::Seeded;
use written::floors::{CONTEXTS_FOUND, FORMS, KINDS, STRANGERS, TIERS};
use written::{CONTEXTS, Case, Roster, forms, strangers};

/// Pupils of each school and each wordness that a form is tried on.
const TRIED: usize = 14;

/// Pupils of each school in whose place a stranger is named.
const STRANGERS_TRIED: usize = 60;

fn pupils(school: &School, documents: &[Document]) -> Vec<(usize, Tier)> {
    let findings = detect(documents, &[], school, &Correspondence::default(), &Halt::default());
    findings.pupils.iter().map(|found| (found.pupil.0 as usize, found.tier_beyond_doubt())).collect()
}

fn show(form: &str, why: &str, case: &Case, documents: &[Document]) {
    if std::env::var("SCHOOLGATE_MISSES").is_ok_and(|wanted| form.contains(&wanted)) {
        let blocks: Vec<_> = documents.iter().map(|document| (document.kind, &document.blocks)).collect();
        let pupil = case.pupil();
        println!("{form}, {why}, {} {} {}: {blocks:?}", pupil.forename, pupil.surname, pupil.form);
    }
}

/// 0 for a plain name, 1 where the forename, 2 where the surname, 3 where both are words too.
fn wordness(school: &School, words: &[BTreeSet<&str>; 2], at: usize) -> usize {
    let pupil = &school.pupils[at];
    usize::from(words[0].contains(pupil.forename.as_str())) + 2 * usize::from(words[1].contains(pupil.surname.as_str()))
}

/// How many of how many.
#[derive(Default, Clone, Copy)]
struct Count {
    yes: usize,
    all: usize,
}

impl Count {
    fn add(&mut self, yes: bool) {
        self.yes += usize::from(yes);
        self.all += 1;
    }

    /// Rounded down; where nothing was tried, 0.
    fn per(self, whole: usize) -> usize {
        self.yes * whole / self.all.max(1)
    }
}

/// What came of one form.
#[derive(Default)]
struct Figures {
    /// Pupils found, by wordness.
    found: [Count; 4],
    /// Of those found, with the right tier.
    tier: Count,
    /// Messages that name another pupil.
    others: Count,
}

/// Every place in the school once, in an order that a seed gives.
fn order(school: &School, rng: &mut Seeded) -> Vec<usize> {
    let mut places: Vec<usize> = (0..school.pupils.len()).collect();
    for at in (1..places.len()).rev() {
        places.swap(at, rng.below(at as u64 + 1) as usize);
    }
    places
}

/// Prints per cent by name, and gives the names that fell below their floors.
fn fallen(heading: &str, figures: &BTreeMap<&'static str, Count>, floors: &[(&str, usize)]) -> Vec<&'static str> {
    println!("{heading}");
    for (name, count) in figures {
        println!("    (\"{name}\", {}), // {} of {}", count.per(100), count.yes, count.all);
    }
    let floor = |name: &str| floors.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor);
    let below = figures.iter().filter(|(name, count)| floor(name).is_none_or(|floor| count.per(100) < floor));
    below.map(|(name, _)| *name).collect()
}

#[test]
fn pupils_are_found_in_every_written_form() {
    let mut rng = Seeded::fixed(20_261_201);
    let words = words();
    let mut by_form: BTreeMap<&str, Figures> = BTreeMap::new();
    let mut by_kind: BTreeMap<&str, Count> = BTreeMap::new();
    let mut by_context: BTreeMap<&str, Count> = BTreeMap::new();
    let mut tier_by_context: BTreeMap<&str, Count> = BTreeMap::new();
    for kind in Kind::ALL {
        let roster = Roster::new(school(kind, &mut rng.branch()));
        for form in forms() {
            let mut tried = [0; 4];
            let mut rng = rng.branch();
            for at in order(&roster.school, &mut rng) {
                let mut rng = rng.branch();
                let wordness = wordness(&roster.school, &words, at);
                if tried[wordness] == TRIED {
                    continue;
                }
                let context = rng.pick(CONTEXTS);
                let mut case = Case { roster: &roster, at, context, rng: &mut rng };
                let Some(documents) = case.has_own_name().then(|| (form.write)(&mut case)).flatten() else { continue };
                tried[wordness] += 1;
                let found = pupils(&roster.school, &documents);
                let own = found.iter().find(|(pupil, _)| *pupil == at).map(|(_, tier)| *tier);
                let another = found.iter().any(|(pupil, _)| *pupil != at);
                let wanted = if form.says { context.tier.max(Tier::Record) } else { context.tier };
                let figures = by_form.entry(form.name).or_default();
                figures.found[wordness].add(own.is_some());
                figures.others.add(another);
                by_kind.entry(kind.name()).or_default().add(own.is_some());
                by_context.entry(context.name).or_default().add(own.is_some());
                if let Some(tier) = own {
                    figures.tier.add(tier == wanted);
                    tier_by_context.entry(context.name).or_default().add(tier == wanted);
                }
                match own {
                    None => show(form.name, "missed", &case, &documents),
                    Some(tier) if tier != wanted => show(form.name, tier.as_str(), &case, &documents),
                    Some(_) if another => show(form.name, "another", &case, &documents),
                    Some(_) => {}
                }
            }
        }
    }
    println!("per cent found (plain, forename, surname, both are words), and of these with the right tier, by form");
    let mut others = Count::default();
    let mut below = Vec::new();
    for (name, figures) in &by_form {
        let (found, tier) = (figures.found.map(|count| count.per(100)), figures.tier.per(100));
        println!("    (\"{name}\", {found:?}, {tier}), // {:?} tried", figures.found.map(|count| count.all));
        others.yes += figures.others.yes;
        others.all += figures.others.all;
        let kept = FORMS.iter().find(|(known, ..)| known == name).is_some_and(|(_, floors, floor)| {
            tier >= *floor && floors.iter().zip(found).all(|(floor, found)| found >= *floor)
        });
        if !kept {
            below.push(*name);
        }
    }
    below.extend(fallen("found, by kind of roster", &by_kind, KINDS));
    below.extend(fallen("found, by what is said", &by_context, CONTEXTS_FOUND));
    below.extend(fallen("right tier, by what is said", &tier_by_context, TIERS));
    println!("{} of {} messages name another pupil as well", others.yes, others.all);
    assert!(below.is_empty(), "found less often than before: {below:?}");
    assert!(others.yes == 0, "{} of {} messages name another pupil as well", others.yes, others.all);
}

#[test]
fn strangers_in_written_forms_are_no_pupils() {
    let mut rng = Seeded::fixed(20_261_202);
    let mut named: BTreeMap<&str, Count> = BTreeMap::new();
    for kind in Kind::ALL {
        let roster = Roster::new(school(kind, &mut rng.branch()));
        for (form, write) in strangers() {
            let mut rng = rng.branch();
            for at in order(&roster.school, &mut rng).into_iter().take(STRANGERS_TRIED) {
                let mut rng = rng.branch();
                let context = rng.pick(CONTEXTS);
                let mut case = Case { roster: &roster, at, context, rng: &mut rng };
                let Some(documents) = write(&mut case) else { continue };
                let any = !pupils(&roster.school, &documents).is_empty();
                named.entry(form).or_default().add(any);
                if any {
                    show(form, "named", &case, &documents);
                }
            }
        }
    }
    println!("in 1,000 messages those that name a pupil, by form");
    let mut above = Vec::new();
    for (form, count) in &named {
        println!("    (\"{form}\", {}), // {} of {}", count.per(1000), count.yes, count.all);
        if STRANGERS.iter().find(|(known, _)| known == form).is_none_or(|(_, ceiling)| count.per(1000) > *ceiling) {
            above.push(*form);
        }
    }
    assert!(above.is_empty(), "strangers said to be pupils more often than before: {above:?}");
}

/// In 1,000 pupils those who share forename and surname with another: a real school has few.
const NAMESAKES: usize = 60;

#[test]
fn rosters_are_what_their_kind_says() {
    let mut rng = Seeded::fixed(20_261_130);
    for (kind, wanted) in Kind::ALL.into_iter().zip([1300, 210, 400, 900, 300, 90]) {
        let school = school(kind, &mut rng);
        let pupils = &school.pupils;
        let surnames: BTreeSet<_> = pupils.iter().map(|pupil| &pupil.surname).collect();
        let names: BTreeSet<_> = pupils.iter().map(|pupil| (&pupil.forename, &pupil.surname)).collect();
        let numbers: BTreeSet<_> = pupils.iter().filter_map(|pupil| pupil.upn.as_deref()).collect();
        println!("{}: {} surnames, {} full names of {}", kind.name(), surnames.len(), names.len(), pupils.len());
        assert_eq!(pupils.len(), wanted);
        assert_eq!(numbers.len(), wanted, "every pupil has a number of their own");
        assert!(numbers.iter().all(|number| schoolgate::text::checks::upn(number)), "with its check letter");
        assert!((pupils.len() - names.len()) * 1000 <= NAMESAKES * pupils.len(), "namesakes are few");
        assert!(surnames.len() * 10 < pupils.len() * 9, "families have brothers and sisters");
        assert!(names.iter().all(
            |(forename, surname)| !format!("{forename}{surname}").contains([',', '=', '[']) && !surname.is_empty()
        ));
        assert!(
            school.guardians.iter().any(|guardian| !surnames.contains(&guardian.surname)),
            "parents of another surname"
        );
        assert!(school.staff.iter().any(|person| surnames.contains(&person.surname)), "staff of a pupil's surname");
    }
}
