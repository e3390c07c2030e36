//! The rule table of the core policy, and the words of a rule.

use super::*;
use RecipientKind::*;

fn to(kind: RecipientKind, guardian_of: &[u32]) -> RecipientFact {
    let guardian_of = guardian_of.iter().map(|&i| PupilIndex(i)).collect();
    RecipientFact { address: "a@b.example".into(), kind, guardian_of, known: RecipientTraits::default() }
}

fn about(pupils: &[(u32, Tier)]) -> Vec<PupilFact> {
    pupils
        .iter()
        .map(|&(i, tier)| PupilFact { pupil: Some(PupilIndex(i)), tier, doubtful: false, shared_name: false })
        .collect()
}

/// Every line: facts, the ids that fire, the action. The ground for each line is the rule table of the core policy.
#[test]
fn the_rule_table() {
    use Tier::*;
    let facts = Facts::default;
    let perhaps = || vec![PupilFact { pupil: Some(PupilIndex(1)), tier: Record, doubtful: true, shared_name: false }];
    let cases: Vec<(Facts, &[&str], Action)> = vec![
        (Facts { recipients: vec![to(External, &[])], pupils: perhaps(), ..facts() }, &[], Action::Deliver),
        (
            Facts { recipients: vec![to(External, &[])], pupils: about(&[(1, Record)]), ..facts() },
            &["confidential-marker-missing"],
            Action::Warn,
        ),
        (
            Facts { recipients: vec![to(Guardian, &[2])], pupils: perhaps(), ..facts() },
            &["pupil-record-to-wrong-guardian"],
            Action::Hold,
        ),
        (
            Facts { recipients: vec![to(Internal, &[])], pupils: about(&[(1, Sensitive)]), ..facts() },
            &[],
            Action::Deliver,
        ),
        (
            Facts { recipients: vec![to(Guardian, &[1])], pupils: about(&[(1, Record)]), ..facts() },
            &[],
            Action::Deliver,
        ),
        (
            Facts { recipients: vec![to(Guardian, &[1])], pupils: about(&[(1, Sensitive)]), ..facts() },
            &["confidential-marker-missing"],
            Action::Warn,
        ),
        (
            Facts { recipients: vec![to(Guardian, &[2])], pupils: about(&[(1, Record), (2, Record)]), ..facts() },
            &["pupil-record-to-wrong-guardian"],
            Action::Hold,
        ),
        (
            Facts { recipients: vec![to(Guardian, &[2])], pupils: about(&[(1, Mention)]), ..facts() },
            &[],
            Action::Deliver,
        ),
        (
            Facts {
                recipients: vec![to(Guardian, &[2])],
                pupils: vec![PupilFact { pupil: None, tier: Record, doubtful: false, shared_name: false }],
                ..facts()
            },
            &["pupil-record-to-wrong-guardian"],
            Action::Hold,
        ),
        (
            Facts {
                recipients: vec![to(Personal, &[])],
                pupils: about(&[(1, Record)]),
                personal: true,
                personal_stands_out: true,
                ..facts()
            },
            &["pupil-record-to-personal", "personal-marker-misused"],
            Action::Hold,
        ),
        (
            Facts { recipients: vec![to(Personal, &[])], pupils: about(&[(1, Mention)]), ..facts() },
            &["pupil-mention-to-personal"],
            Action::Warn,
        ),
        (Facts { recipients: vec![to(Personal, &[])], ..facts() }, &["personal-marker-missing"], Action::Warn),
        (Facts { recipients: vec![to(Personal, &[])], automatic: true, ..facts() }, &[], Action::Deliver),
        (
            Facts { recipients: vec![to(Personal, &[])], pupils: about(&[(1, Record)]), automatic: true, ..facts() },
            &["pupil-record-to-personal"],
            Action::Hold,
        ),
        (Facts { recipients: vec![to(Disposable, &[])], ..facts() }, &[], Action::Deliver),
        (Facts { recipients: vec![to(Personal, &[])], personal: true, ..facts() }, &[], Action::Deliver),
        (
            Facts { recipients: vec![to(Personal, &[])], adult_identifier: true, ..facts() },
            &["adult-identifier-outside"],
            Action::Hold,
        ),
        (
            Facts { recipients: vec![to(Guardian, &[])], adult_identifier: true, ..facts() },
            &["adult-identifier-unmarked"],
            Action::Warn,
        ),
        (
            Facts { recipients: vec![to(Trusted, &[])], pupils: about(&[(1, Mention)]), bulk: true, ..facts() },
            &["confidential-marker-missing"],
            Action::Warn,
        ),
        (
            Facts {
                recipients: vec![to(Contact, &[])],
                pupils: about(&[(1, Sensitive)]),
                confidential: true,
                ..facts()
            },
            &["sensitive-unprotected"],
            Action::Hold,
        ),
        (
            Facts { recipients: vec![to(Guardian, &[1])], pupils: about(&[(1, Mention)]), bulk: true, ..facts() },
            &["bulk-pupils-outside"],
            Action::Hold,
        ),
        (
            Facts {
                recipients: vec![to(Guardian, &[1])],
                pupils: about(&[(1, Record)]),
                personal_stands_out: true,
                ..facts()
            },
            &[],
            Action::Deliver,
        ),
        (
            Facts { recipients: vec![to(Contact, &[])], unreadable: vec![Why::Encrypted], ..facts() },
            &[],
            Action::Deliver,
        ),
        (
            Facts { recipients: vec![to(External, &[])], unreadable: vec![Why::Encrypted], ..facts() },
            &["unreadable-content"],
            Action::Hold,
        ),
        (
            Facts { recipients: vec![to(Trusted, &[])], unreadable: vec![Why::Damaged], ..facts() },
            &["unreadable-content"],
            Action::Hold,
        ),
        (
            Facts { recipients: vec![to(Internal, &[])], offensive: true, credentials: true, ..facts() },
            &["offensive-language"],
            Action::Hold,
        ),
        (
            Facts { recipients: vec![to(Internal, &[])], sender_not_permitted: true, ..facts() },
            &["impersonation"],
            Action::Reject,
        ),
        (
            Facts {
                recipients: vec![to(Guardian, &[])],
                visible_private: vec!["a@b.example".to_owned(); 5],
                ..facts()
            },
            &["visible-recipients"],
            Action::Warn,
        ),
        (
            Facts {
                recipients: vec![to(Guardian, &[])],
                visible_private: vec!["a@b.example".to_owned(); 4],
                photograph: true,
                ..facts()
            },
            &[],
            Action::Deliver,
        ),
        (Facts { recipients: vec![to(Lookalike, &[])], ..facts() }, &["lookalike-recipient"], Action::Warn),
    ];
    let pack = RulePack::embedded("core").expect("the core pack parses");
    for (facts, ids, action) in cases {
        let verdict = decide(&pack, &facts, &Allowed::default());
        let fired: Vec<_> = verdict.fired.iter().map(|f| pack.rules[f.rule].id.as_str()).collect();
        assert_eq!(fired, ids, "{facts:?}");
        assert_eq!(verdict.action, action, "{facts:?}");
        assert!(verdict.fired.iter().all(|f| !f.why.contains('{')), "{:?}", verdict.fired);
    }
}

#[test]
fn modes_observe_and_warn_soften_a_rule() {
    let facts = Facts { recipients: vec![to(Personal, &[])], pupils: about(&[(1, Tier::Record)]), ..Facts::default() };
    for (mode, action, breach) in
        [(Mode::Enforce, Action::Hold, true), (Mode::Warn, Action::Warn, true), (Mode::Observe, Action::Deliver, false)]
    {
        let mut pack = RulePack::embedded("core").expect("the core pack parses");
        assert!(pack.set_modes(&[("pupil-record-to-personal".to_owned(), mode)].into()).is_empty());
        let verdict = decide(&pack, &facts, &Allowed::default());
        assert_eq!((verdict.action, verdict.breach, verdict.fired.len()), (action, breach, 1), "{mode:?}");
    }
}

#[test]
fn a_rule_from_which_the_sender_is_exempt_is_told_and_decides_nothing() {
    let facts = Facts {
        recipients: vec![to(Guardian, &[1])],
        sender: SenderKind::Individual,
        exempt: ["direct-to-guardian", "pupil-record-to-wrong-guardian"]
            .map(|id| (id.to_owned(), Exempted { until: jiff::Timestamp::MAX, by: "helen".to_owned() }))
            .into(),
        ..Facts::default()
    };
    let pack = RulePack::embedded("wooden-hill").expect("the pack parses");
    let verdict = decide(&pack, &facts, &Allowed::default());
    let [fired] = verdict.fired.as_slice() else { panic!("{:?}", verdict.fired) };
    assert_eq!((verdict.action, verdict.approver, verdict.notify.len()), (Action::Deliver, None, 0));
    assert!(fired.action == Action::Hold && fired.exempt.is_some() && fired.reasons.is_empty(), "{fired:?}");
    // A likely breach is no rule to be exempt from, whatever stands in the store.
    let breach = Facts { pupils: about(&[(2, Tier::Record)]), ..facts };
    let verdict = decide(&pack, &breach, &Allowed::default());
    assert!(verdict.action == Action::Hold && verdict.breach, "{verdict:?}");
}

#[test]
fn the_kind_of_each_recipient_is_named_and_addresses_are_taken_as_they_are() {
    let fact = |address: &str, kind| RecipientFact {
        address: address.to_owned(),
        kind,
        guardian_of: Vec::new(),
        known: RecipientTraits::default(),
    };
    let facts = Facts {
        recipients: vec![
            fact("a@b.example", Personal),
            fact("c@d.example", Lookalike),
            fact("{pupils}@e.example", Personal),
            fact("in@school.example", Internal),
        ],
        pupils: about(&[(1, Tier::Record), (2, Tier::Record)]),
        ..Facts::default()
    };
    let condition = Condition { to: Some(vec![Personal, Lookalike]), ..Condition::default() };
    assert_eq!(
        words(
            "It names {pupils} and goes to {recipients}.",
            &Concerned { holding: &[&condition], facts: &facts, left: None }
        ),
        "It names 2 pupils and goes to a@b.example and {pupils}@e.example (private mailboxes that are not on our \
         records) and c@d.example (an address that looks mistyped)."
    );
    let condition = Condition { to: Some(vec![Lookalike]), ..Condition::default() };
    assert_eq!(words("To {to}.", &Concerned { holding: &[&condition], facts: &facts, left: None }), "To c@d.example.");
}

#[test]
fn numbers_and_lists_in_words() {
    assert_eq!(
        [0, 1, 2, 9, 11, 28, 103].map(counted),
        ["a pupil", "a pupil", "2 pupils", "9 pupils", "some 10 pupils", "some 30 pupils", "some 105 pupils"]
    );
    assert_eq!(listed(&["a", "b", "c", "d"]), "a, b and 2 others");
}

/// Duties of all rules that fire, whatever the action; of an observed rule, or one that the sender is exempt from, none.
#[test]
fn what_is_done_with_mail_that_goes_comes_from_every_rule_that_counts() {
    let text = r#"
name = "x"
[[rule]]
id = "keep"
action = "deliver"
journal = true
retention_days = 30
exempt = true
when = [{ to = ["guardian"] }]
[[rule]]
id = "images"
action = "warn"
breach = false
confirm = "sender"
why = "w"
remedy = "r"
journal = true
retention_days = 90
wait_minutes = 1
footer = "F"
when = [{ photograph = true }]
[[rule]]
id = "look"
action = "deliver"
wait_minutes = 3
footer = "F"
when = [{ to = ["guardian", "external"] }]
[[rule]]
id = "night"
action = "deliver"
wait_until_open = true
when = [{ to = ["contact"], no_marker = "urgent" }]
[[rule]]
id = "danger"
action = "deliver"
urgent = true
when = [{ to = ["contact"], credentials = true }]
[[rule]]
id = "watched"
action = "deliver"
mode = "observe"
wait_until_open = true
when = [{ to = ["guardian"] }]
"#;
    let pack = RulePack::parse(std::path::Path::new("p.toml"), text).expect("sound");
    let decided = |facts: Facts| decide(&pack, &facts, &Allowed::default());
    let guardian = Facts { recipients: vec![to(Guardian, &[1])], ..Facts::default() };
    let duties = |keep: &[&str], days: Option<u32>, minutes: Option<u32>, footers: &[&str]| Duties {
        journal_days: days,
        journal_rules: keep.iter().map(|rule| (*rule).to_owned()).collect(),
        wait_minutes: minutes,
        wait_until_open: false,
        wait_rules: minutes.map(|_| "look".to_owned()).into_iter().collect(),
        urgent: false,
        footers: footers.iter().map(|footer| (*footer).to_owned()).collect(),
    };
    let office = Facts { recipients: vec![to(Contact, &[])], ..Facts::default() };
    let until_open = Duties { wait_until_open: true, wait_rules: vec!["night".to_owned()], ..Duties::default() };
    let permitted = ["keep".to_owned()].into();
    for (facts, fired, action, wanted) in [
        (guardian.clone(), 0, Action::Deliver, duties(&["keep"], Some(30), Some(3), &["F"])),
        (
            Facts { photograph: true, ..guardian.clone() },
            1,
            Action::Warn,
            Duties {
                wait_rules: ["images", "look"].map(str::to_owned).into(),
                ..duties(&["keep", "images"], Some(90), Some(3), &["F"])
            },
        ),
        (Facts { permitted, ..guardian.clone() }, 0, Action::Deliver, duties(&[], None, Some(3), &["F"])),
        (office.clone(), 0, Action::Deliver, until_open.clone()),
        (Facts { urgent: true, ..office.clone() }, 0, Action::Deliver, Duties::default()),
        (Facts { credentials: true, ..office }, 0, Action::Deliver, Duties { urgent: true, ..until_open }),
        (Facts { recipients: vec![to(Internal, &[])], ..Facts::default() }, 0, Action::Deliver, Duties::default()),
        (Facts { recipients: vec![to(Trusted, &[])], ..Facts::default() }, 0, Action::Deliver, Duties::default()),
    ] {
        let verdict = decided(facts);
        assert_eq!((verdict.fired.len(), verdict.action), (fired, action));
        assert_eq!(verdict.duties, wanted);
    }
}
