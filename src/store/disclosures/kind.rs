//! What a request for disclosure is for, and where it stands: words of store, forms and command line.

use serde::{Deserialize, Serialize};

/// What a disclosure is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisclosureKind {
    /// Somebody asks what the school has of them (UK GDPR Article 15).
    SubjectAccess,
    /// Anybody asks what the school has of a matter (Freedom of Information Act 2000).
    FreedomOfInformation,
    /// A court or tribunal, or those who prepare for one.
    Proceedings,
    /// The school's own disciplinary procedure.
    Disciplinary,
}

impl DisclosureKind {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::SubjectAccess, Self::FreedomOfInformation, Self::Proceedings, Self::Disciplinary];

    /// The word of store, forms and command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SubjectAccess => "subject-access",
            Self::FreedomOfInformation => "freedom-of-information",
            Self::Proceedings => "proceedings",
            Self::Disciplinary => "disciplinary",
        }
    }

    /// As a person reads it.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::SubjectAccess => "a subject access request",
            Self::FreedomOfInformation => "a freedom of information request",
            Self::Proceedings => "legal proceedings",
            Self::Disciplinary => "a disciplinary procedure",
        }
    }
}

impl std::str::FromStr for DisclosureKind {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or(())
    }
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisclosureState {
    /// A second person is to decide on it.
    Asked,
    /// It may be handed over until its time is over.
    Approved,
    /// It may not.
    Refused,
}

impl DisclosureState {
    /// The word of the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Approved => "approved",
            Self::Refused => "refused",
        }
    }
}
