//! Who sends a message, as far as the rules ask: a person or a mailbox of several, with which roles, free of which rules.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Ground, Known};
use crate::message::Message;
use crate::people::SenderIdentity;
use crate::policy::Exempted;
use crate::policy::allowance::folded;
use crate::policy::pack::SenderKind;
use crate::smtp::{Address, Envelope};

/// What the rules may know of the sender.
#[derive(Debug, Default)]
pub(super) struct Sender {
    pub kind: SenderKind,
    pub roles: BTreeSet<String>,
    pub permitted: BTreeSet<String>,
    pub exempt: BTreeMap<String, Exempted>,
}

/// The sender of a message. Who may send as another address does: then the message is that mailbox's.
pub(super) fn of(
    ground: &Ground,
    envelope: &Envelope,
    message: &Message<'_>,
    known: &Known<'_>,
    at: Timestamp,
) -> Sender {
    let Some(mail_from) = &envelope.mail_from else { return Sender::default() };
    let school = &ground.school;
    let from = message.from_addresses().first().and_then(|from| Address::parse(&from.address).ok());
    let from = from.filter(|from| school.may_send_as(mail_from, from));
    let mailbox = from.as_ref().unwrap_or(mail_from);
    let is = |other: &Address| other.is_same_mailbox(mailbox);
    let permitted = ground.permitted.iter().filter(|(_, senders)| senders.iter().any(is));
    // Of several that hold, the last to end.
    let mut exempt: BTreeMap<String, Exempted> = BTreeMap::new();
    let theirs = [folded(mailbox.as_str()), folded(mail_from.as_str())];
    for one in known.exemptions.iter().filter(|one| at < one.until && theirs.contains(&folded(&one.sender))) {
        let longer = exempt.get(&one.rule).is_none_or(|other| other.until < one.until);
        if longer {
            exempt.insert(one.rule.clone(), Exempted { until: one.until, by: one.by.clone() });
        }
    }
    Sender {
        exempt,
        kind: kind(ground, mailbox),
        roles: had_by(ground, &[mailbox, mail_from]),
        permitted: permitted.map(|(rule, _)| rule.clone()).collect(),
    }
}

/// The roles that these people have, by their school mailboxes.
pub(super) fn roles_of(ground: &Ground, mailboxes: &[String]) -> BTreeSet<String> {
    let mailboxes: Vec<Address> = mailboxes.iter().filter_map(|mailbox| Address::parse(mailbox).ok()).collect();
    had_by(ground, &mailboxes.iter().collect::<Vec<_>>())
}

/// A role is had by its mailbox, and by whoever reads that or sends from it.
fn had_by(ground: &Ground, mailboxes: &[&Address]) -> BTreeSet<String> {
    let own: Vec<Address> = mailboxes.iter().flat_map(|mailbox| ground.school.mailboxes_of(mailbox)).collect();
    let has = |role: &Address| mailboxes.iter().copied().chain(&own).any(|mailbox| mailbox.is_same_mailbox(role));
    let roles = ground.roles.iter().filter(|(_, mailboxes)| mailboxes.iter().any(has));
    roles.map(|(role, _)| role.clone()).collect()
}

/// A mailbox that others may send as, or that has a role and no person of its own, is several people's. Whoever else writes
/// from the school's own domain is a person: a mailbox that is on no list is not free of what persons must keep.
fn kind(ground: &Ground, mailbox: &Address) -> SenderKind {
    let school = &ground.school;
    if !school.domains.contains(&mailbox.domain()) {
        return SenderKind::Unknown;
    }
    match school.staff_by_address(mailbox) {
        Some(staff) if !staff.surname.is_empty() => SenderKind::Individual,
        Some(_) => SenderKind::Shared,
        None if school.is_sent_as(mailbox) => SenderKind::Shared,
        None if ground.roles.values().flatten().any(|role| role.is_same_mailbox(mailbox)) => SenderKind::Shared,
        None if school.recipient(mailbox, &SenderIdentity::default()).is_pupil => SenderKind::Pupil,
        None => SenderKind::Individual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{Pupil, School, Staff};
    use crate::policy::RulePack;

    fn ground() -> Ground {
        let staff = |id: &str, forename: &str, surname: &str, email: &str, as_: &[&str]| Staff {
            id: id.to_owned(),
            forename: forename.to_owned(),
            surname: surname.to_owned(),
            email: email.to_owned(),
            may_send_as: as_.iter().map(|&one| one.to_owned()).collect(),
            ..Staff::default()
        };
        let address = |text: &str| Address::parse(text).expect(text);
        let school = School {
            domains: vec!["school.example".to_owned()],
            staff: vec![
                staff("S1", "Ann", "Reed", "a.reed@school.example", &["head@school.example", "year3@school.example"]),
                staff("S2", "Tom", "Fox", "t.fox@school.example", &["year3@school.example"]),
                staff("S3", "", "", "office@school.example", &[]),
            ],
            pupils: vec![Pupil {
                id: "P1".to_owned(),
                email: Some("14smith@school.example".to_owned()),
                ..Pupil::default()
            }],
            ..School::default()
        };
        Ground {
            school: std::sync::Arc::new(school.indexed()),
            pack: RulePack::embedded("wooden-hill").expect("sound"),
            confidential_markers: Vec::new(),
            bulk_pupils: 10,
            roles: [
                ("head".to_owned(), vec![address("head@school.example")]),
                ("sbm".to_owned(), vec![address("sbm@school.example")]),
            ]
            .into(),
            permitted: [("direct-to-guardian".to_owned(), vec![address("T.Fox@school.example")])].into(),
            times: Default::default(),
            dkim_keys: Default::default(),
            version: Default::default(),
        }
    }

    #[test]
    fn persons_mailboxes_roles_and_permits() {
        use SenderKind::{Individual, Pupil, Shared, Unknown};
        let ground = ground();
        for (envelope_from, from, kind, roles, permitted) in [
            ("a.reed@school.example", "a.reed@school.example", Individual, "head", false),
            ("a.reed@school.example", "head@school.example", Shared, "head", false),
            ("a.reed@school.example", "year3@school.example", Shared, "head", false),
            ("t.fox@school.example", "year3@school.example", Shared, "", false),
            ("t.fox@school.example", "t.fox@school.example", Individual, "", true),
            // What the sender may not use makes nobody somebody else.
            ("t.fox@school.example", "head@school.example", Individual, "", true),
            ("office@school.example", "office@school.example", Shared, "", false),
            ("sbm@school.example", "sbm@school.example", Shared, "sbm", false),
            ("new@school.example", "new@school.example", Individual, "", false),
            ("14smith@school.example", "14smith@school.example", Pupil, "", false),
            ("stranger@mail.example", "stranger@mail.example", Unknown, "", false),
        ] {
            let raw = format!("From: <{from}>\r\nSubject: x\r\n\r\nx\r\n");
            let envelope = Envelope::new(Address::parse(envelope_from).ok(), Vec::new());
            let sender =
                of(&ground, &envelope, &crate::message::read(raw.as_bytes()), &Known::default(), Timestamp::UNIX_EPOCH);
            let had: Vec<&str> = sender.roles.iter().map(String::as_str).collect();
            assert_eq!((sender.kind, had.join(" ").as_str()), (kind, roles), "{envelope_from} {from}");
            assert_eq!(sender.permitted.contains("direct-to-guardian"), permitted, "{envelope_from} {from}");
        }
        let nobody = of(
            &ground,
            &Envelope::new(None, Vec::new()),
            &crate::message::read(b"\r\n"),
            &Known::default(),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(nobody.kind, Unknown);
    }
}
