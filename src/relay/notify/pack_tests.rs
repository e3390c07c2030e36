//! The core pack read through the notices it leads to: each rule alone, and each pair of rules that one message can fire.

use std::collections::{BTreeMap, BTreeSet};

use super::tests::{about, body_parts, decided, envelope, id, notifier};
use super::*;
use crate::detect::Tier;
use crate::people::{PupilIndex, RecipientKind};
use crate::policy::pack::{Condition, Marker, SenderKind};
use crate::policy::{Facts, PupilFact, RecipientFact, RecipientTraits, RulePack};

/// The least facts in which a condition holds, for each kind of recipient that it asks for.
fn facts_of(condition: &Condition) -> Vec<Facts> {
    use RecipientKind::{External, Guardian};
    let people = [
        (&condition.own_guardian, Guardian, vec![0]),
        (&condition.wrong_guardian, Guardian, vec![900]),
        (&condition.not_own_guardian, External, vec![]),
        (&condition.barred, Guardian, vec![900]),
    ];
    let by_pupil = people.iter().find_map(|(tiers, kind, own)| Some((tiers.as_ref()?, *kind, own)));
    let tiers = condition.tier.as_ref().or(by_pupil.as_ref().map(|(tiers, ..)| *tiers));
    let number = if condition.bulk == Some(true) { 12 } else { 1 };
    let tier = tiers.and_then(|tiers| tiers.first().copied()).or((number > 1).then_some(Tier::Mention));
    let kinds = match (&condition.to, &by_pupil) {
        (Some(kinds), _) => kinds.clone(),
        (None, Some((_, kind, _))) => vec![*kind],
        (None, None) => vec![External],
    };
    let guardian_of: Vec<PupilIndex> =
        by_pupil.iter().flat_map(|(.., own)| own.iter().map(|&p| PupilIndex(p))).collect();
    let fact = |kind: RecipientKind| {
        let recipient = |n: usize| RecipientFact {
            address: format!("{}{n}@mail.example", kind.as_str()),
            kind,
            guardian_of: guardian_of.clone(),
            known: RecipientTraits {
                barred_from: condition.barred.iter().map(|_| PupilIndex(0)).collect(),
                is_pupil: condition.to_pupil == Some(true),
                no_email_consent: condition.no_email_consent == Some(true),
                never_written_to: condition.never_written_to == Some(true),
                other_household: condition.other_household == Some(true),
                others_matter: condition.adult_matter == Some(true),
            },
        };
        let fewest = condition.recipients.unwrap_or(1);
        [fewest, fewest + 1].map(|recipients| Facts {
            recipients: (0..recipients).map(recipient).collect(),
            pupils: (0..number)
                .filter_map(|n| {
                    Some(PupilFact { pupil: Some(PupilIndex(n)), tier: tier?, doubtful: false, shared_name: false })
                })
                .collect(),
            bulk: number > 1,
            adult_identifier: condition.adult_identifier == Some(true),
            credentials: condition.credentials == Some(true),
            offensive: condition.offensive == Some(true),
            photograph: condition.photograph == Some(true),
            unreadable: condition.unreadable.iter().flatten().take(1).copied().collect(),
            confidential: condition.marker == Some(Marker::Confidential),
            personal: condition.marker == Some(Marker::Personal),
            personal_stands_out: condition.marker == Some(Marker::PersonalStandingOut),
            urgent: condition.marker == Some(Marker::Urgent),
            visible_private: vec!["a@b.example".to_owned(); condition.visible_private.unwrap_or_default()],
            sender_not_permitted: condition.sender_not_permitted == Some(true),
            automatic: condition.automatic == Some(true),
            categories: condition.category.iter().flatten().take(1).cloned().collect(),
            photo_consent: condition.photo_consent.unwrap_or_default(),
            malware: condition.malware == Some(true),
            same_text: condition.same_text.unwrap_or_default(),
            sender: condition.sender.iter().flatten().next().copied().unwrap_or_default(),
            sender_roles: condition.sender_role.iter().flatten().take(1).cloned().collect(),
            permitted: BTreeSet::new(),
            exempt: BTreeMap::new(),
            school_hours: condition.school_hours == Some(true),
            private_reply: condition.private_reply == Some(true),
            staff_contact: condition.staff_contact == Some(true),
            forwarded: condition.forwarded == Some(true),
            altered_original: condition.altered_original == Some(true),
            business: condition.business.iter().flatten().take(1).copied().collect(),
            open_link: condition.open_link == Some(true),
            audiences: condition.audience.iter().flatten().take(1).copied().collect(),
            about_roles: condition.about_role.iter().flatten().take(1).cloned().collect(),
        })
    };
    kinds.into_iter().flat_map(fact).collect()
}

fn together(a: &Facts, b: &Facts) -> Facts {
    let mut recipients = a.recipients.clone();
    recipients.extend(b.recipients.iter().filter(|r| a.recipients.iter().all(|k| k.address != r.address)).cloned());
    let most = if a.pupils.len() >= b.pupils.len() { &a.pupils } else { &b.pupils };
    let tier = a.pupils.iter().chain(&b.pupils).map(|p| p.tier).max();
    Facts {
        recipients,
        pupils: most.iter().map(|p| PupilFact { tier: tier.unwrap_or(p.tier), ..*p }).collect(),
        bulk: a.bulk || b.bulk,
        adult_identifier: a.adult_identifier || b.adult_identifier,
        credentials: a.credentials || b.credentials,
        offensive: a.offensive || b.offensive,
        photograph: a.photograph || b.photograph,
        unreadable: a.unreadable.iter().chain(&b.unreadable).copied().collect(),
        confidential: a.confidential || b.confidential,
        personal: a.personal || b.personal,
        personal_stands_out: a.personal_stands_out || b.personal_stands_out,
        urgent: a.urgent || b.urgent,
        visible_private: a.visible_private.iter().chain(&b.visible_private).cloned().collect(),
        sender_not_permitted: a.sender_not_permitted || b.sender_not_permitted,
        automatic: a.automatic || b.automatic,
        categories: &a.categories | &b.categories,
        photo_consent: if a.photograph { a.photo_consent } else { b.photo_consent },
        malware: a.malware || b.malware,
        same_text: a.same_text.max(b.same_text),
        sender: if a.sender == SenderKind::Unknown { b.sender } else { a.sender },
        sender_roles: &a.sender_roles | &b.sender_roles,
        permitted: BTreeSet::new(),
        exempt: BTreeMap::new(),
        school_hours: a.school_hours || b.school_hours,
        private_reply: a.private_reply || b.private_reply,
        staff_contact: a.staff_contact || b.staff_contact,
        forwarded: a.forwarded || b.forwarded,
        altered_original: a.altered_original || b.altered_original,
        business: &a.business | &b.business,
        open_link: a.open_link || b.open_link,
        audiences: &a.audiences | &b.audiences,
        about_roles: &a.about_roles | &b.about_roles,
    }
}

/// All that is said wrongly in a piece of prose.
fn slips(prose: &str) -> Vec<String> {
    let mut found: Vec<String> =
        [".;", "..", ".,", ";;", ":.", " .", " ,", "  ", "1 pupils", "about 1 ", "{", "}", "1 others"]
            .iter()
            .filter(|slip| prose.contains(**slip))
            .map(|slip| format!("{slip:?}"))
            .collect();
    if !prose.starts_with(char::is_uppercase) || !prose.ends_with('.') {
        found.push("no sentence".to_owned());
    }
    found.extend(prose.match_indices(['.', '?', '!']).filter_map(|(at, _)| {
        let next = prose[at + 1..].strip_prefix(' ')?;
        next.starts_with(char::is_lowercase).then(|| format!("a sentence begins small: {next:?}"))
    }));
    found
}

fn check(notifier: &Notifier, facts: &Facts) {
    let report = decided(facts);
    assert!(!report.rules.is_empty(), "a rule fires");
    for rule in &report.rules {
        for prose in [&rule.why, &rule.remedy, &rule.clauses.join(" ")] {
            assert!(slips(prose).is_empty(), "{}: {:?} in: {prose}", rule.id, slips(prose));
        }
    }
    let (envelope, id) = (envelope(Some("m.teacher@school.example")), id());
    let about = about(&envelope, &id);
    for notice in [
        notifier.returned_to_sender(&report, &about),
        notifier.held_for_sender(&report, &about),
        notifier.held_for_reviewer(&report, &about, super::tests::due()),
        notifier.returned_by_reviewer(&report, &about, "A note."),
        notifier.discarded_for_sender(&report, &about),
        notifier.released_for_sender(&report, &about),
    ] {
        let (text, html) = body_parts(&notice.expect("a notice"));
        // Prose as it is read: paragraphs put together again, what stands in columns left out.
        let paragraphs = text.replace("\r\n", "\n");
        for paragraph in paragraphs.split("\n\n").filter(|p| !p.starts_with("  ") && !p.starts_with("--")) {
            let prose = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
            let slips: Vec<String> = slips(&prose).into_iter().filter(|slip| slip != "no sentence").collect();
            assert!(slips.is_empty(), "{slips:?} in:\n{text}");
        }
        for (shown, what) in [(&text, "text"), (&html, "HTML")] {
            for slip in [".;", "1 pupils", "about 1 ", "{{", "{%"] {
                assert!(!shown.contains(slip), "{slip} in the {what}:\n{shown}");
            }
        }
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for rule in &report.rules {
            assert!(flat.matches(&rule.remedy).count() <= 1, "a remedy stands twice:\n{text}");
        }
    }
    // In a notice that says one need do nothing, nothing is to be put right, and nobody is sent for.
    let (held, _) = body_parts(&notifier.held_for_sender(&report, &about).expect("a notice"));
    assert!(!held.contains("To put it right"), "{held}");
}

#[test]
fn every_rule_and_every_pair_of_rules_reads_as_one_letter() {
    let notifier = notifier();
    let pack = RulePack::embedded("core").expect("the core pack parses");
    let alone: Vec<(usize, Vec<Facts>)> = pack
        .rules
        .iter()
        .enumerate()
        .flat_map(|(nth, rule)| rule.when.iter().map(move |condition| (nth, facts_of(condition))))
        .collect();
    let fires = |nth: usize, facts: &Facts| decided(facts).rules.iter().any(|rule| rule.id == pack.rules[nth].id);
    for (nth, all) in &alone {
        for facts in all {
            assert!(fires(*nth, facts), "{}: {facts:?}", pack.rules[*nth].id);
            check(&notifier, facts);
        }
    }
    let mut pairs = std::collections::BTreeSet::new();
    for (at, (one, facts)) in alone.iter().enumerate() {
        for (other, others) in &alone[at + 1..] {
            let both = together(&facts[0], &others[0]);
            if one != other && fires(*one, &both) && fires(*other, &both) {
                pairs.insert((*one, *other));
                check(&notifier, &both);
            }
        }
    }
    assert!(pairs.len() > 80, "{} pairs can fire together", pairs.len());
}

#[test]
fn the_clauses_of_a_rule_are_about_its_subject() {
    let subjects = [
        ("impersonation", "somebody else"),
        ("pupil-record-to-personal", "private mailboxes"),
        ("pupil-mention-to-personal", "private mailboxes"),
        ("pupil-record-to-wrong-guardian", "meant for"),
        ("bulk-pupils-outside", "pupils"),
        ("sensitive-unprotected", "encryption"),
        ("confidential-marker-missing", "'Confidential'"),
        ("personal-marker-missing", "'Personal'"),
        ("personal-marker-misused", "'Personal'"),
        ("adult-identifier-outside", "parents and staff"),
        ("adult-identifier-unmarked", "'Confidential'"),
        ("visible-recipients", "parents and staff"),
        ("credentials-disclosed", "Passwords"),
        ("offensive-language", "offensive"),
        ("unreadable-content", "attachments"),
        ("pupil-images", "Pictures"),
        ("lookalike-recipient", "addresses"),
        ("barred-parent", "meant for"),
        ("pupil-images-refused", "Pictures"),
        ("adult-matter-outside", "parents and staff"),
        ("audience-outside", "meant for"),
        ("other-household", "parents and staff"),
    ];
    let pack = RulePack::embedded("core").expect("the core pack parses");
    assert_eq!(pack.rules.len(), subjects.len());
    for (rule, (id, word)) in pack.rules.iter().zip(subjects) {
        assert_eq!(rule.id, id);
        assert!(rule.clauses[0].contains(word), "{id}: {:?}", rule.clauses);
        let about_adults =
            ["adult-identifier-outside", "adult-identifier-unmarked", "visible-recipients"].contains(&id);
        assert!(!about_adults || rule.clauses.iter().all(|c| !c.contains("pupils")), "{id}: {:?}", rule.clauses);
    }
}

#[test]
fn a_remedy_leaves_sending_waiting_and_deciding_to_the_notice() {
    for rule in RulePack::embedded("core").expect("the core pack parses").rules {
        for words in ["School Business Manager", "headteacher", "release", "end it again"] {
            assert!(!rule.remedy.contains(words), "{}: {}", rule.id, rule.remedy);
        }
        // A marker helps where a marker is asked for, a protected file where it is let through.
        assert_eq!(rule.remedy.contains("Put the word Confidential"), rule.clauses[0].contains("'Confidential'"));
        let protected = ["sensitive-unprotected", "unreadable-content"].contains(&rule.id.as_str());
        assert_eq!(rule.remedy.contains("protected with a password"), protected, "{}", rule.id);
    }
}
