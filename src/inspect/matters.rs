//! Whether a confidential matter of an adult, or of the school itself, is a recipient's own.
//!
//! Knows who is who and whose a matter is; never what is said. What is one's own, or one's business by trade, is nobody else's.

use crate::detect::AdultMatter;
use crate::people::index::Adult;
use crate::people::{RecipientKind, School, SenderIdentity};
use crate::smtp::Address;
use crate::text::TextBuf;

/// In the name of a contact these say that the matters of staff are its trade: who pays, insures, advises, treats or places them.
const TRADES: &[&str] = &[
    "payroll",
    "pay",
    "pensions",
    "pension",
    "occupational",
    "hr",
    "personnel",
    "employment",
    "solicitor",
    "solicitors",
    "legal",
    "law",
    "insurance",
    "insurers",
    "union",
    "counselling",
    "recruitment",
    "supply",
    "audit",
    "auditors",
    "accountants",
    "clerk",
    "governors",
    "governance",
    "trust",
];

/// School mailboxes of the staff whose matters these are, each once.
pub(super) fn staff_spoken_of(school: &School, matters: &[AdultMatter]) -> Vec<String> {
    let staff = matters.iter().flat_map(|matter| &matter.whose).filter_map(|adult| match adult {
        Adult::Staff(at) => school.staff.get(*at as usize).map(|staff| staff.email.clone()),
        Adult::Guardian(_) => None,
    });
    staff.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// One of the matters is somebody else's than the recipient's.
pub(super) fn others_matter(
    school: &School,
    sender: &SenderIdentity,
    address: &Address,
    kind: RecipientKind,
    matters: &[AdultMatter],
) -> bool {
    if matters.is_empty() || (kind == RecipientKind::Contact && is_of_the_trade(school, address)) {
        return false;
    }
    let mut own = school.adults_at(address);
    if kind == RecipientKind::StaffPersonal && own.is_empty() {
        // Told from a stranger's by its likeness to the sender's name.
        own.extend(sender.staff.and_then(|at| u32::try_from(at).ok()).map(Adult::Staff));
    }
    let is_own = |adult: &Adult| {
        own.contains(adult)
            || own.iter().any(|other| share_a_child(school, *adult, *other))
            || (kind == RecipientKind::Personal && school.spells_adult(address, *adult))
    };
    matters.iter().any(|matter| !matter.whose.iter().any(is_own))
}

/// The parents of one child know of one another what the school writes to both.
fn share_a_child(school: &School, one: Adult, other: Adult) -> bool {
    let (Adult::Guardian(one), Adult::Guardian(other)) = (one, other) else { return false };
    let children = |at: u32| school.guardians.get(at as usize).map_or(&[][..], |parent| parent.pupils.as_slice());
    children(one).iter().any(|child| children(other).contains(child))
}

fn is_of_the_trade(school: &School, address: &Address) -> bool {
    school.correspondent(address).is_some_and(|contact| {
        let name = TextBuf::new(&contact.name);
        let name = name.text();
        (0..name.tokens.len()).any(|at| TRADES.contains(&name.word(at)))
    })
}
