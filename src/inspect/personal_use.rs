//! What a message is to the report on personal use of the school's mail: a word, and nothing of what the message says.
//!
//! Whose mail is counted: the staff's and their shared mailboxes'; not what a program wrote, nor pupils', nor what is no
//! mailbox of the school's. A marker counts where it stands out, as wherever it has consequences: a `Personal Education Plan`
//! is work.

use super::FiredRule;
use crate::policy::Facts;
use crate::policy::pack::SenderKind;

/// The core rule that asks whether a message is personal.
const ASKS: &str = "personal-marker-missing";

/// What a message of the staff is to the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonalUse {
    /// Neither of these.
    Unmarked,
    /// A Personal or Private marker stands out in its subject.
    Marked,
    /// The rule that asks for the marker fired, in whichever mode, confirmed or exempt as it may be.
    Asked,
}

impl PersonalUse {
    /// The word that the store uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unmarked => "unmarked",
            Self::Marked => "marked",
            Self::Asked => "asked",
        }
    }
}

/// What this message is to the report; nothing where it is not counted.
pub(super) fn of(facts: &Facts, rules: &[FiredRule]) -> Option<PersonalUse> {
    if facts.automatic || !matches!(facts.sender, SenderKind::Individual | SenderKind::Shared) {
        return None;
    }
    Some(if facts.personal_stands_out {
        PersonalUse::Marked
    } else if rules.iter().any(|rule| rule.id == ASKS) {
        PersonalUse::Asked
    } else {
        PersonalUse::Unmarked
    })
}
