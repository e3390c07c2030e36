//! Rule packs (`rules/*.toml`) to compiled rules, and facts to a verdict with reasons and clauses.
//!
//! Knows what detection found and to whom the message goes; never text, disk or network.

pub mod allowance;
pub mod coverage;
pub mod duty;
pub mod exemption;
pub mod pack;
pub mod verdict;

use serde::{Deserialize, Serialize};

pub use allowance::{Allowance, Allowed, Confirmed, Reason};
pub use duty::{Duties, Duty};
pub use exemption::{Exempted, Exemption};
pub use pack::{Clause, Confirm, Mode, Route, Rule, RulePack};
pub use verdict::{Facts, Fired, PupilFact, RecipientFact, RecipientTraits, Verdict, decide};

/// What happens to the message, mildest first; the strictest action of all rules that fire wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Relayed at once.
    Deliver,
    /// Not delivered: returned to the sender with the reason and the way to put it right.
    Warn,
    /// Not delivered: kept in quarantine for the School Business Manager.
    Hold,
    /// Refused while the sending server is still connected.
    Reject,
}

impl Action {
    /// The word that reports, logs and the store use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deliver => "deliver",
            Self::Warn => "warn",
            Self::Hold => "hold",
            Self::Reject => "reject",
        }
    }
}

impl std::str::FromStr for Action {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        [Self::Deliver, Self::Warn, Self::Hold, Self::Reject].into_iter().find(|a| a.as_str() == s).ok_or(())
    }
}
