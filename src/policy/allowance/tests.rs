//! No allowance lets anything through but the very thing that it names: the rules against a model of twenty lines.

use proptest::prelude::*;

use super::*;
use crate::detect::Tier;
use crate::people::RecipientKind;
use crate::policy::{Facts, PupilFact, RecipientFact, RulePack, decide};

const RULES: [&str; 4] =
    ["pupil-record-to-personal", "pupil-record-to-wrong-guardian", "pupil-images", "credentials-disclosed"];

/// Who writes, to whom, about whom: small numbers, so that sequences meet themselves again.
#[derive(Debug, Clone)]
struct Mail {
    sender: u8,
    /// Even ones are private mailboxes, odd ones the guardian of the pupil of that number.
    recipients: Vec<u8>,
    pupils: Vec<Meant>,
}

#[derive(Debug, Clone, Copy)]
struct Meant {
    /// `None` is on no roster.
    pupil: Option<u32>,
    tier: Tier,
    /// By a name that another pupil bears too, and by nothing else.
    shared: bool,
}

impl Meant {
    fn record(pupil: Option<u32>) -> Self {
        Self { pupil, tier: Tier::Record, shared: false }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Give {
        rule: usize,
        sender: u8,
        recipient: u8,
        pupil: Option<u32>,
        days: i64,
    },
    /// What was given last but so many.
    End(usize),
    Wait(i64),
    Send(Mail),
}

fn step() -> impl Strategy<Value = Step> {
    let tier = prop_oneof![Just(Tier::Mention), Just(Tier::Record), Just(Tier::Sensitive)];
    let meant = (prop::option::weighted(0.9, 0..4u32), tier, prop::bool::weighted(0.2))
        .prop_map(|(pupil, tier, shared)| Meant { pupil, tier, shared: shared && pupil.is_some() });
    let pupils = prop::collection::vec(meant, 0..3);
    let mail = (0..2u8, prop::collection::vec(0..4u8, 1..3), pupils)
        .prop_map(|(sender, recipients, pupils)| Step::Send(Mail { sender, recipients, pupils }));
    let give = (0..RULES.len(), 0..2u8, 0..4u8, prop::option::weighted(0.8, 0..4u32), 0..10i64)
        .prop_map(|(rule, sender, recipient, pupil, days)| Step::Give { rule, sender, recipient, pupil, days });
    prop_oneof![6 => give, 1 => (0..6usize).prop_map(Step::End), 1 => (0..4i64).prop_map(Step::Wait), 4 => mail]
}

fn address(of: u8) -> String {
    format!("n{of}@mail.example")
}

/// The model: which of the rules ask, by what holds of each pair.
fn asks(mail: &Mail, now: i64, given: &[(usize, u8, u8, Option<u32>, i64)]) -> Vec<&'static str> {
    let holds = |rule: usize, to: u8, pupil: Option<u32>| {
        given.iter().any(|g| (g.0, g.1, g.2, g.3) == (rule, mail.sender, to, pupil) && now < g.4)
    };
    let told = |meant: &&Meant| meant.tier >= Tier::Record;
    let private = || mail.recipients.iter().filter(|to| to.is_multiple_of(2));
    let mut out = Vec::new();
    // A record of anybody: then each pupil of the message is to be allowed to each private mailbox.
    let free = |p: &Meant, rule, to| p.pupil.is_some() && !p.shared && holds(rule, to, p.pupil);
    if mail.pupils.iter().any(|p| told(&p)) && private().any(|to| mail.pupils.iter().any(|p| !free(p, 0, *to))) {
        out.push(RULES[0]);
    }
    let guardians = || mail.recipients.iter().filter(|to| !to.is_multiple_of(2));
    let wrong = |to: u8, p: Option<u32>| p != Some(u32::from(to));
    if guardians().any(|to| mail.pupils.iter().filter(told).any(|p| wrong(*to, p.pupil) && !free(p, 1, *to))) {
        out.push(RULES[1]);
    }
    // Beside pupils a picture is theirs; by itself it is nobody's.
    let picture = |to: u8| match mail.pupils.as_slice() {
        [] => holds(2, to, None),
        pupils => pupils.iter().all(|p| free(p, 2, to)),
    };
    if private().any(|to| !picture(*to)) {
        out.push(RULES[2]);
    }
    // Nobody may confirm it.
    out.push(RULES[3]);
    out
}

fn facts(mail: &Mail) -> Facts {
    let recipient = |of: &u8| RecipientFact {
        address: address(*of).to_uppercase(),
        kind: if of.is_multiple_of(2) { RecipientKind::Personal } else { RecipientKind::Guardian },
        guardian_of: if of.is_multiple_of(2) { Vec::new() } else { vec![PupilIndex(u32::from(*of))] },
        known: Default::default(),
    };
    Facts {
        recipients: mail.recipients.iter().map(recipient).collect(),
        pupils: mail
            .pupils
            .iter()
            .map(|p| PupilFact { pupil: p.pupil.map(PupilIndex), tier: p.tier, doubtful: false, shared_name: p.shared })
            .collect(),
        photograph: true,
        credentials: true,
        ..Facts::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// A failing sequence is printed with its seed and kept in `proptest-regressions`.
    #[test]
    fn nothing_is_let_through_but_what_was_allowed(steps in prop::collection::vec(step(), 1..40)) {
        let pack = RulePack::embedded("core").expect("the core pack parses");
        let at = |day: i64| Timestamp::from_second(day * 86_400).expect("in range");
        let (mut now, mut given, mut allowances) = (0, Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Give { rule, sender, recipient, pupil, days } => {
                    given.push((rule, sender, recipient, pupil, now + days));
                    allowances.push(Allowance {
                        rule: RULES[rule].to_owned(),
                        sender: address(sender),
                        recipient: address(recipient),
                        pupil: pupil.map(|p| p.to_string()),
                        until: at(now + days),
                        given_at: at(now),
                        by: "sam".to_owned(),
                    });
                }
                Step::End(back) => {
                    if let Some(which) = given.len().checked_sub(back + 1) {
                        given.remove(which);
                        allowances.remove(which);
                    }
                }
                Step::Wait(days) => now += days,
                Step::Send(mail) => {
                    let sender = address(mail.sender);
                    let index = |id: &str| id.parse().ok().map(PupilIndex);
                    let allowed = Allowed::of(&allowances, Some(&sender), at(now), index);
                    let verdict = decide(&pack, &facts(&mail), &allowed);
                    let fired = verdict.fired.iter().filter(|fired| fired.confirmed.is_none());
                    let ids = fired.map(|fired| pack.rules[fired.rule].id.as_str()).filter(|id| RULES.contains(id));
                    prop_assert_eq!(ids.collect::<Vec<_>>(), {
                        let mut want = asks(&mail, now, &given);
                        want.sort_by_key(|id| pack.rules.iter().position(|rule| rule.id == *id));
                        want
                    });
                    let counts = verdict.fired.iter().filter(|fired| fired.confirmed.is_none());
                    prop_assert_eq!(verdict.action, counts.map(|fired| fired.action).max().expect("one asks each time"));
                }
            }
        }
    }
}

fn given(rule: &str, recipient: &str, pupil: Option<&str>) -> Allowance {
    Allowance {
        rule: rule.to_owned(),
        sender: "head@school.example".to_owned(),
        recipient: recipient.to_owned(),
        pupil: pupil.map(str::to_owned),
        until: Timestamp::MAX,
        given_at: Timestamp::UNIX_EPOCH,
        by: "sam".to_owned(),
    }
}

/// What is left is named, and what is asked can be remembered.
#[test]
fn the_words_are_about_what_is_left() {
    let pack = RulePack::embedded("core").expect("the core pack parses");
    let mail = Mail {
        sender: 0,
        recipients: vec![0, 2],
        pupils: vec![
            Meant::record(Some(1)),
            Meant::record(Some(2)),
            Meant { tier: Tier::Mention, ..Meant::record(Some(3)) },
        ],
    };
    let rule = "pupil-record-to-personal";
    let allowances: Vec<Allowance> =
        [("n0@mail.example", "1"), ("n0@mail.example", "2"), ("n0@mail.example", "3"), ("n2@mail.example", "1")]
            .map(|(to, pupil)| given(rule, to, Some(pupil)))
            .into();
    let index = |id: &str| id.parse().ok().map(PupilIndex);
    let verdict = |allowances: &[Allowance], sender| {
        let allowed = Allowed::of(allowances, sender, Timestamp::UNIX_EPOCH, index);
        let fired = decide(&pack, &facts(&mail), &allowed).fired;
        fired.into_iter().find(|fired| pack.rules[fired.rule].id == rule).expect("it is reported")
    };
    let left = verdict(&allowances, Some("HEAD@school.example"));
    assert_eq!(left.confirmed, None);
    assert_eq!(
        left.why,
        "It holds personal information about 2 pupils and goes to N2@MAIL.EXAMPLE (a private mailbox that is not on our \
         records)."
    );
    let pairs: Vec<About> = left.reasons.iter().map(|(_, about)| *about).collect();
    assert_eq!(pairs, [About::Pupil(PupilIndex(2)), About::Pupil(PupilIndex(3))]);
    let all: Vec<Allowance> = ["n0@mail.example", "n2@mail.example"]
        .iter()
        .flat_map(|to| ["1", "2", "3"].map(|p| given(rule, to, Some(p))))
        .collect();
    assert_eq!(
        verdict(&all, Some("head@school.example")).confirmed,
        Some(Confirmed { at: Timestamp::UNIX_EPOCH, by: "sam".to_owned() })
    );
    for (sender, words) in [(None, "a report has no sender"), (Some("cook@school.example"), "another sender")] {
        assert_eq!(verdict(&all, sender).confirmed, None, "{words}");
    }
}

/// More than the rule lets be remembered at once, and a pupil whom nobody knows again, are not.
#[test]
fn what_cannot_be_remembered_gives_no_reasons() {
    let pack = RulePack::embedded("core").expect("the core pack parses");
    let reasons = |recipients: &[u8], pupils: &[Option<u32>], rule: &str| {
        let pupils = pupils.iter().map(|p| Meant::record(*p)).collect();
        let facts = facts(&Mail { sender: 0, recipients: recipients.to_vec(), pupils });
        let fired = decide(&pack, &facts, &Allowed::default()).fired;
        fired.into_iter().find(|fired| pack.rules[fired.rule].id == rule).expect("it fires").reasons.len()
    };
    for (recipients, pupils, rule, want) in [
        (&[1][..], &[Some(2)][..], "pupil-record-to-wrong-guardian", 1),
        (&[1], &[Some(2), Some(3)], "pupil-record-to-wrong-guardian", 0),
        (&[1, 3], &[Some(2)], "pupil-record-to-wrong-guardian", 0),
        (&[0, 2], &[Some(2), Some(3)], "pupil-record-to-personal", 4),
        (&[0], &[Some(2), None], "pupil-record-to-personal", 0),
        (&[0], &[Some(2)], "pupil-images", 1),
        (&[0], &[Some(2)], "credentials-disclosed", 0),
    ] {
        assert_eq!(reasons(recipients, pupils, rule), want, "{rule} to {recipients:?} about {pupils:?}");
    }
}

/// Nobody can tell which namesake is meant: nothing is remembered, what was given before does not count, and the remedy says
/// what would help. The rule that does not tell one pupil from another says nothing of it.
#[test]
fn a_pupil_known_by_a_shared_name_only_is_asked_about_each_time() {
    let pack = RulePack::embedded("core").expect("the core pack parses");
    let index = |id: &str| id.parse().ok().map(PupilIndex);
    for (rule, to, helps) in [("pupil-record-to-wrong-guardian", 1, true), ("pupil-record-to-personal", 0, false)] {
        let earlier = [given(rule, &address(to), Some("2")), given(rule, &address(to), None)];
        for (allowances, shared) in [(&[][..], true), (&earlier[..], true), (&[][..], false), (&earlier[..], false)] {
            let meant = Meant { shared, ..Meant::record(Some(2)) };
            let facts = facts(&Mail { sender: 0, recipients: vec![to], pupils: vec![meant] });
            let allowed = Allowed::of(allowances, Some("head@school.example"), Timestamp::UNIX_EPOCH, index);
            let fired = decide(&pack, &facts, &allowed).fired;
            let fired = fired.into_iter().find(|fired| pack.rules[fired.rule].id == rule).expect("it fires");
            let line = format!("{rule}, shared {shared}, {} given", allowances.len());
            assert_eq!(fired.confirmed.is_some(), !shared && !allowances.is_empty(), "{line}");
            assert_eq!(fired.reasons.is_empty(), shared || !allowances.is_empty(), "{line}");
            assert_eq!(fired.remedy.contains("class or the date of birth"), shared && helps, "{line}");
        }
    }
}
