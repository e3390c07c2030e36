//! The one entry: (envelope, message, school) to a [`Report`]. Pure: no disk, no network, no clock but `at`.

use serde::{Deserialize, Serialize};

use crate::policy::Action;

/// The decision on one message, in the shape that `check --json` prints and the store keeps (encrypted).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// The strictest action of all rules that fired.
    pub action: Action,
    /// A rule that fired counts as a likely breach of personal data.
    pub breach: bool,
    /// Roles to tell: `sbm` and so on.
    pub notify: Vec<String>,
    /// Every rule that fired, in the order of the pack.
    pub rules: Vec<FiredRule>,
    /// Each envelope recipient with its kind.
    pub recipients: Vec<ReportedRecipient>,
    /// Pupils identified, in roster order.
    pub pupils: Vec<ReportedPupil>,
    /// Valid pupil identifiers that are on no roster.
    #[serde(default)]
    pub unlisted_pupils: usize,
    /// Each thing found.
    pub findings: Vec<ReportedFinding>,
    /// `confidential`, `personal`, `personal-standing-out`.
    pub markers: Vec<String>,
    /// What could not be read.
    pub unreadable: Vec<ReportedUnread>,
}

/// A rule that fired.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FiredRule {
    /// Stable id, `pupil-record-to-personal`.
    pub id: String,
    /// What this rule by itself asks for.
    pub action: Action,
    /// Counts as a likely breach.
    pub breach: bool,
    /// Why, in plain words, quoting nothing.
    pub why: String,
    /// How the sender puts it right, in plain words.
    pub remedy: String,
    /// Clauses of the school's own policy.
    pub clauses: Vec<String>,
    /// The rule runs in `observe`: recorded, decides nothing.
    #[serde(default)]
    pub observed_only: bool,
}

/// A recipient as reported.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportedRecipient {
    /// Address as in the envelope.
    pub address: String,
    /// Kind of `policy.md`.
    pub kind: String,
}

/// A pupil as reported.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportedPupil {
    /// Roster id.
    pub id: String,
    /// `mention`, `record` or `sensitive`.
    pub tier: String,
    /// What is said.
    pub categories: Vec<String>,
    /// Where.
    #[serde(rename = "where")]
    pub places: Vec<String>,
}

/// A finding as reported.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportedFinding {
    /// `upn`, `health`, …
    pub kind: String,
    /// What stands there.
    pub text: String,
    /// Place of the document.
    #[serde(rename = "where")]
    pub place: String,
    /// Finer place.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// `low`, `medium` or `high`.
    pub confidence: String,
    /// Roster id of the pupil it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pupil: Option<String>,
    /// Evidence for and against.
    pub because: String,
}

/// An unread part as reported.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportedUnread {
    /// Its place.
    pub part: String,
    /// Why.
    pub why: String,
}
