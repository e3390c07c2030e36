//! Laying layers together does not depend on which two are laid together first, and a verdict does not on the order of rules.

use std::path::Path;

use proptest::prelude::*;

use super::RulePack;
use super::layer::Layer;
use crate::people::{PupilIndex, RecipientKind};
use crate::policy::{Allowed, Facts, PupilFact, RecipientFact, decide};

/// What a layer may say of one of a few rules.
fn part() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        Just("action = \"hold\""),
        Just("breach = true"),
        Just("notify = [\"head\", \"dsl\"]"),
        Just("mode = \"warn\""),
        Just("confirm = \"nobody\""),
        Just("inside_too = true"),
        Just("why = \"why\""),
        Just("remedy = \"remedy\""),
        Just("when = [{ bulk = true }]"),
        Just("when_also = [{ photograph = true }]"),
        Just("when_also = [{ offensive = true }, { no_pupil = true }]"),
        Just("replace = true"),
        Just("approver = \"head\""),
    ];
    proptest::collection::vec(key, 0..6).prop_map(|keys| {
        let name = |key: &&str| key.split(' ').next().unwrap_or_default().to_owned();
        let by_name: std::collections::BTreeMap<_, _> = keys.iter().map(|key| (name(key), *key)).collect();
        by_name.into_values().map(|key| format!("{key}\n")).collect()
    })
}

fn layer() -> impl Strategy<Value = String> {
    let rules = proptest::collection::btree_map("[a-d]", part(), 0..4);
    (rules, any::<bool>()).prop_map(|(rules, clause)| {
        let rules: String = rules.iter().map(|(id, part)| format!("[[rule]]\nid = \"{id}\"\n{part}")).collect();
        let clause = if clause { "[[clause]]\nid = \"A\"\ntext = \"t\"\nrules = [\"a\"]\n" } else { "" };
        format!("name = \"x\"\n{clause}{rules}")
    })
}

proptest! {
    #[test]
    fn layers_are_laid_together_in_any_grouping(texts in proptest::collection::vec(layer(), 3)) {
        let read = |n: usize| Layer::read(Path::new(&format!("{n}.toml")), &texts[n]).expect("it parses");
        let from_below = read(2).over(read(1).over(read(0)));
        let from_above = read(2).over(read(1)).over(read(0));
        prop_assert_eq!(from_below, from_above);
    }

    #[test]
    fn the_order_of_rules_changes_no_verdict(
        order in proptest::collection::vec(any::<u32>(), 64),
        bits in any::<u16>(),
        kinds in proptest::collection::vec(0..9usize, 1..4),
        tiers in proptest::collection::vec(0..3usize, 0..3),
    ) {
        use crate::detect::Tier::{Mention, Record, Sensitive};
        use RecipientKind::*;
        let bit = |n: usize| bits >> n & 1 == 1;
        let all = [Internal, Guardian, StaffPersonal, Trusted, Contact, Lookalike, Disposable, Personal, External];
        let recipient = |kind: &usize| RecipientFact {
            address: format!("a{kind}@b.example"), kind: all[*kind], guardian_of: vec![PupilIndex(1)], known: Default::default(),
        };
        let facts = Facts {
            recipients: kinds.iter().map(recipient).collect(),
            pupils: tiers.iter().zip(0..).map(|(tier, n)| PupilFact {
                pupil: Some(PupilIndex(n)), tier: [Mention, Record, Sensitive][*tier], doubtful: false, shared_name: bit(10),
            }).collect(),
            bulk: bit(0), adult_identifier: bit(1), credentials: bit(2), offensive: bit(3), photograph: bit(4),
            confidential: bit(5), personal: bit(6), personal_stands_out: bit(6) && bit(7), sender_not_permitted: bit(8),
            automatic: bit(9),
            ..Facts::default()
        };
        for (name, _) in super::EMBEDDED {
            let pack = RulePack::embedded(name).expect("sound");
            let mut shuffled = pack.clone();
            let mut keyed: Vec<_> = order.iter().cycle().zip(pack.rules.clone()).collect();
            keyed.sort_by_key(|(key, _)| **key);
            shuffled.rules = keyed.into_iter().map(|(_, rule)| rule).collect();
            let verdict = |pack: &RulePack| {
                let verdict = decide(pack, &facts, &Allowed::default());
                let mut fired: Vec<_> = verdict.fired.iter().map(|f| (pack.rules[f.rule].id.clone(), f.why.clone())).collect();
                let mut notify = verdict.notify;
                fired.sort();
                notify.sort();
                (verdict.action, verdict.breach, fired, notify, verdict.approver)
            };
            prop_assert_eq!(verdict(&pack), verdict(&shuffled), "{}", name);
        }
    }
}
