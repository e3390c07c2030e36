//! What a release lets be remembered, from what a sender may be exempt, and what of both ends with the roster.
//!
//! Knows reports, rules and the school; never who may give or end, or how it is shown.

use std::sync::Arc;

use jiff::Timestamp;

use super::log::{Event, event};
use crate::inspect::{Ground, Report};
use crate::people::School;
use crate::policy::Confirm;
use crate::policy::allowance::folded;
use crate::smtp::Address;
use crate::store::{KeptAllowance, NewAllowance, NewExemption, Store};

/// What may be allowed of a held message by who decides on it: each recipient and pupil for whom a rule asked that is not
/// for nobody to confirm, by the rules in force now. Empty where nothing of it can be remembered.
pub fn rememberable(ground: &Ground, sender: Option<&Address>, report: &Report, until: Timestamp) -> Vec<NewAllowance> {
    let Some(sender) = sender else { return Vec::new() };
    let may = |id: &str| ground.pack.rules.iter().any(|rule| rule.id == id && rule.confirm != Confirm::Nobody);
    let rules = report.rules.iter().filter(|rule| rule.counts() && may(&rule.id));
    rules
        .flat_map(|rule| rule.reasons.iter().map(move |reason| (rule, reason)))
        .filter(|(_, reason)| reason.pupil.as_deref().is_none_or(|id| ground.school.pupil_by_id(id).is_some()))
        .map(|(rule, reason)| NewAllowance {
            rule: rule.id.clone(),
            sender: folded(sender.as_str()),
            recipient: reason.recipient.clone(),
            pupil: reason.pupil.clone(),
            sender_listed: is_listed(&ground.school, sender.as_str()),
            recipient_listed: is_listed(&ground.school, &reason.recipient),
            until,
        })
        .collect()
}

/// An exemption as it can be granted, by the rules and the school in force now.
///
/// # Errors
/// In words for a person: the pack has no such rule, or does not let anybody be exempt from it; the mailbox is not the school's.
pub fn exemption(
    ground: &Ground,
    rule: &str,
    sender: &Address,
    until: Timestamp,
    because: &str,
) -> Result<NewExemption, String> {
    match ground.pack.rules.iter().find(|one| one.id == rule) {
        None => return Err(format!("The pack has no rule {rule}.")),
        Some(one) if !one.exempt => {
            return Err(format!("Nobody is exempt from {rule}: its pack does not say exempt = true."));
        }
        Some(_) => {}
    }
    if !ground.school.domains.contains(&sender.domain()) {
        return Err(format!("{sender} is no mailbox of the school."));
    }
    Ok(NewExemption {
        rule: rule.to_owned(),
        sender: folded(sender.as_str()),
        sender_listed: is_listed(&ground.school, sender.as_str()),
        until,
        because: because.to_owned(),
    })
}

/// The mailbox of a guardian or a member of staff, private ones included.
fn is_listed(school: &School, address: &str) -> bool {
    let Ok(address) = Address::parse(address) else { return false };
    let private = || {
        let mut private = school.staff.iter().filter_map(|staff| staff.private_email.as_deref());
        private.any(|private| folded(private) == folded(address.as_str()))
    };
    school.guardians_at(&address).next().is_some() || school.staff_by_address(&address).is_some() || private()
}

/// Everybody whom the allowance names and who was on the roster still is.
fn is_there(school: &School, kept: &KeptAllowance) -> bool {
    let allowance = &kept.allowance;
    allowance.pupil.as_deref().is_none_or(|id| school.pupil_by_id(id).is_some())
        && (!kept.sender_listed || is_listed(school, &allowance.sender))
        && (!kept.recipient_listed || is_listed(school, &allowance.recipient))
}

/// Ends what was allowed for people who are gone from the roster in force. What fails is logged and tried with the next
/// roster; a pupil who is gone is allowed nothing meanwhile.
pub async fn end_with_roster(store: Store, ground: Arc<Ground>) {
    if let Err(error) = store.end_allowances_without(|kept| is_there(&ground.school, kept)).await {
        event!(Event::Trouble, what = "what was allowed for people who are gone could not be ended", reason = %error);
    }
    let is_here = |sender: &str| is_listed(&ground.school, sender);
    if let Err(error) =
        store.end_exemptions_without(|kept| !kept.sender_listed || is_here(&kept.exemption.sender)).await
    {
        event!(Event::Trouble, what = "exemptions of people who are gone could not be ended", reason = %error);
    }
}
