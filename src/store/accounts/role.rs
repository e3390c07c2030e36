//! What people are at the school.

use serde::{Deserialize, Serialize};

/// A role; an account may hold several. What each may do is the desk's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// School Business Manager.
    Sbm,
    /// Headteacher.
    Head,
    /// Senior leadership team.
    Slt,
    /// Designated Safeguarding Lead.
    Dsl,
    /// Data Protection Officer.
    Dpo,
    /// Chair of governors.
    Chair,
    /// IT technician.
    It,
}

impl Role {
    /// Every role, in the order of the policy's words.
    pub const ALL: [Self; 7] = [Self::Sbm, Self::Head, Self::Slt, Self::Dsl, Self::Dpo, Self::Chair, Self::It];

    /// The word of the policy, the store and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sbm => "sbm",
            Self::Head => "head",
            Self::Slt => "slt",
            Self::Dsl => "dsl",
            Self::Dpo => "dpo",
            Self::Chair => "chair",
            Self::It => "it",
        }
    }

    /// As staff say it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Sbm => "School Business Manager",
            Self::Head => "Headteacher",
            Self::Slt => "Senior leadership team",
            Self::Dsl => "Designated Safeguarding Lead",
            Self::Dpo => "Data Protection Officer",
            Self::Chair => "Chair of governors",
            Self::It => "IT technician",
        }
    }
}

/// There is no such role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such role; there are sbm, head, slt, dsl, dpo, chair and it")]
pub struct NoRole;

impl std::str::FromStr for Role {
    type Err = NoRole;
    fn from_str(text: &str) -> Result<Self, NoRole> {
        let text = text.trim();
        Self::ALL.into_iter().find(|role| role.as_str().eq_ignore_ascii_case(text)).ok_or(NoRole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_those_of_the_policy() {
        assert_eq!(Role::ALL.map(Role::as_str), crate::policy::pack::ROLES);
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert_eq!("governor".parse::<Role>(), Err(NoRole));
    }
}
