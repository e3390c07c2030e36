//! What a person may open a held message for.
//!
//! The purposes for which a business may look into messages on its own system are those of the Investigatory Powers
//! (Interception by Businesses etc. for Monitoring and Record-keeping Purposes) Regulations 2018 (SI 2018/356, regulation
//! 3); the school's own policy asks that one of them is named before anything is opened (WS-11, WH-5.5, SW-9.2).

use serde::{Deserialize, Serialize};

/// One lawful purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LawfulPurpose {
    /// To see whether the message keeps to rules and procedures.
    Compliance,
    /// To establish facts.
    Facts,
    /// To see which standards are kept.
    Standards,
    /// To prevent or detect crime.
    Crime,
    /// To investigate unauthorised use.
    UnauthorisedUse,
    /// To keep the system working.
    Operation,
}

impl LawfulPurpose {
    /// Each of them, the commonest first.
    pub const ALL: [Self; 6] =
        [Self::Compliance, Self::Facts, Self::Standards, Self::Crime, Self::UnauthorisedUse, Self::Operation];

    /// The word that audit, command line and forms use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compliance => "compliance",
            Self::Facts => "facts",
            Self::Standards => "standards",
            Self::Crime => "crime",
            Self::UnauthorisedUse => "unauthorised-use",
            Self::Operation => "operation",
        }
    }

    /// As a person chooses it.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Compliance => "to decide whether the message keeps to the school's rules",
            Self::Facts => "to establish facts about school business",
            Self::Standards => "to check the standard of work on this system",
            Self::Crime => "to prevent or detect crime",
            Self::UnauthorisedUse => "to investigate unauthorised use of the system",
            Self::Operation => "to keep the mail system working",
        }
    }
}

impl std::str::FromStr for LawfulPurpose {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == word).ok_or(())
    }
}
