//! What a person has confirmed, so that a rule does not ask again: for one sender, one recipient and, where the rule is
//! about pupils, one pupil, until a time.
//!
//! Plain values without a clock. Invariant: an allowance lets through the very reason that it names and none beside it. A
//! pupil who is on no roster, or known by nothing but a name that several bear, is never allowed: nobody could tell that
//! pupil from the next.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Confirm;
use super::pack::Rule;
use crate::people::PupilIndex;

/// One thing that was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// The rule that does not ask again.
    pub rule: String,
    /// The envelope sender.
    pub sender: String,
    /// The recipient, or the address in To or Cc that others see.
    pub recipient: String,
    /// Roster id of the pupil, where the rule is about pupils.
    pub pupil: Option<String>,
    /// It holds before this time.
    pub until: Timestamp,
    /// When it was given.
    pub given_at: Timestamp,
    /// By whom, as the audit names the person.
    pub by: String,
}

/// Whom a reason is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// The rule is not about pupils.
    NoPupil,
    /// A pupil of the roster, told from every other.
    Pupil(PupilIndex),
    /// A pupil whom nobody could tell from the next: on no roster, or known by nothing but a name that several bear.
    Unclear,
}

/// Why a rule does not ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// When it was confirmed; of several, the last time.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// One reason for which a rule fired, as it can be allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reason {
    /// The address, in lower case.
    pub recipient: String,
    /// Roster id of the pupil, where the rule is about pupils.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pupil: Option<String>,
}

/// An address as allowances compare it: in whatever case, and otherwise as it is written.
pub fn folded(address: &str) -> String {
    address.to_lowercase()
}

/// The allowances that count for one message, by rule and recipient.
#[derive(Debug, Default)]
pub struct Allowed<'a>(HashMap<&'a str, ByRecipient<'a>>);

/// By recipient, and by whom it is about.
pub type ByRecipient<'a> = HashMap<String, HashMap<About, &'a Allowance>>;

impl<'a> Allowed<'a> {
    /// Those of this sender that hold at `at`; `pupil` finds a pupil of the roster by id.
    pub fn of(
        allowances: &'a [Allowance],
        sender: Option<&str>,
        at: Timestamp,
        pupil: impl Fn(&str) -> Option<PupilIndex>,
    ) -> Self {
        let mut found = Self::default();
        let Some(sender) = sender.map(folded) else { return found };
        for allowance in allowances.iter().filter(|a| at < a.until && folded(&a.sender) == sender) {
            let about = match &allowance.pupil {
                None => Some(About::NoPupil),
                Some(id) => pupil(id).map(About::Pupil),
            };
            let Some(about) = about else { continue };
            let of_rule = found.0.entry(allowance.rule.as_str()).or_default();
            of_rule.entry(folded(&allowance.recipient)).or_default().insert(about, allowance);
        }
        found
    }

    /// What is allowed of this rule, by recipient in lower case. Of a rule that nobody may confirm, nothing, whatever was
    /// given before.
    pub fn of_rule(&self, rule: &Rule) -> Option<&ByRecipient<'a>> {
        self.0.get(rule.id.as_str()).filter(|_| rule.confirm != Confirm::Nobody)
    }
}

#[cfg(test)]
mod tests;
