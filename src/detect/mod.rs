//! Text to findings with place, offsets and confidence.
//!
//! Knows text and people, never mail or rules. Every finding can say why it stands.

use std::collections::BTreeSet;

use crate::people::PupilIndex;

/// What is said of a pupil, mildest first; a message's tier is the highest of its pupils'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Identified, and nothing else is said.
    Mention,
    /// With at least one attribute in context.
    Record,
    /// With a special-category or safeguarding attribute in context.
    Sensitive,
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Recorded, decides nothing.
    Low,
    /// Enough to act on.
    Medium,
    /// No reasonable doubt.
    High,
}

/// One thing found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// `pupil-name`, `upn`, `uln`, `nhs-number`, `date-of-birth`, `health`, `ni-number`, `payment-card`, `password`, …
    pub kind: &'static str,
    /// What stands in the text, as it stands there. For the report and the encrypted store alone: never logged.
    pub text: String,
    /// Place of the document, as in [`crate::text::Document::place`].
    pub place: String,
    /// Finer place, where there is one ("Sheet 'Data', hidden, row 14").
    pub detail: Option<String>,
    /// How sure.
    pub confidence: Confidence,
    /// The pupil it is about, where it is about one.
    pub pupil: Option<PupilIndex>,
    /// Evidence for and against, in plain words without the text itself.
    pub because: String,
}

/// A pupil identified in the message.
#[derive(Debug, Clone)]
pub struct PupilFinding {
    /// Who.
    pub pupil: PupilIndex,
    /// What is said.
    pub tier: Tier,
    /// Categories of `rules/vocabulary.toml`, in order of name.
    pub categories: BTreeSet<String>,
    /// Places in which the pupil is identified or spoken of, in document order, without repeats.
    pub places: Vec<String>,
}

/// All that the detectors found in one message.
#[derive(Debug, Default)]
pub struct Findings {
    /// Pupils of the roster, in roster order.
    pub pupils: Vec<PupilFinding>,
    /// Valid pupil identifiers (UPN, ULN) that are on no roster: as many unlisted pupils, each of tier `record`.
    pub unlisted_pupils: usize,
    /// National Insurance number, bank account, card, passport, driving licence or NHS number of an adult.
    pub adult_identifier: bool,
    /// A password, passcode, door or alarm code or secret key is written out.
    pub credentials: bool,
    /// Abusive, discriminatory, threatening or sexually explicit language.
    pub offensive: bool,
    /// A camera picture is attached.
    pub photograph: bool,
    /// Each thing found, in document order.
    pub findings: Vec<Finding>,
}

/// What detection may know of the people who write and are written to; it subtracts, it never identifies.
#[derive(Debug, Default)]
pub struct Correspondence {
    /// Display names and addresses of the sender: From, Sender and the envelope.
    pub sender_names: Vec<String>,
    /// The envelope sender's address.
    pub sender_address: Option<String>,
    /// Display names of To and Cc.
    pub recipient_names: Vec<String>,
    /// Envelope recipients.
    pub recipient_addresses: Vec<String>,
}
