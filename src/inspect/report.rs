//! The decision on one message as it is shown and kept, in the shape of its JSON.
//!
//! A report is kept for as long as its message: what is added to it has a default, so that older ones still read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{PersonalUse, Words};
use crate::detect::Excerpt;
use crate::people::School;
use crate::policy::{Action, Confirmed, Duties, Exempted, Reason};
use crate::smtp::Address;

/// The decision on one message, in the shape that `check --json` prints and the store keeps (encrypted).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// The strictest action of all rules that fired.
    pub action: Action,
    /// A rule that fired counts as a likely breach of personal data.
    pub breach: bool,
    /// Roles to tell: `sbm` and so on.
    pub notify: Vec<String>,
    /// The role that decides on it; with none, whoever decides on held mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// Every rule that fired, in the order of the pack.
    pub rules: Vec<FiredRule>,
    /// Each envelope recipient with its kind.
    pub recipients: Vec<ReportedRecipient>,
    /// Pupils identified, in roster order.
    pub pupils: Vec<ReportedPupil>,
    /// Valid pupil identifiers that are on no roster.
    #[serde(default)]
    pub unlisted_pupils: usize,
    /// Each thing found; of each kind the first [`crate::limits::FINDINGS`] of a document.
    pub findings: Vec<ReportedFinding>,
    /// Further things of these kinds that were found.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_findings: usize,
    /// `confidential`, `personal`, `personal-standing-out`, `urgent`.
    pub markers: Vec<String>,
    /// What could not be read.
    pub unreadable: Vec<ReportedUnread>,
    /// The time as of which it was decided.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// The subject, decoded: for notices about the message and for those who decide on it.
    #[serde(default)]
    pub subject: String,
    /// The Message-ID, as it stands in the header.
    #[serde(default)]
    pub message_id: Option<String>,
    /// The display name of From, decoded; empty where there is none.
    #[serde(default)]
    pub from_name: String,
    /// School mailboxes of the staff whose confidential matter stands in it: none of them is told of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about_staff: Vec<String>,
    /// No person wrote the message, so that nobody is answered (RFC 3834 2).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
    /// What it is to the report on personal use. Not kept with the report: it is a column of the message.
    #[serde(skip)]
    pub personal_use: Option<PersonalUse>,
    /// Its words, where the message may be kept and looked for. Not kept with the report: the store has keyed hashes of them.
    #[serde(skip)]
    pub words: Option<Words>,
    /// What is done with it if it goes.
    #[serde(default, skip_serializing_if = "Duties::is_empty")]
    pub duties: Duties,
    /// The version of the rules that decided it ([`super::Ground::version`]); empty in reports from before there was one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rules_version: String,
    /// How much a report says: [`Report::VERSION`] for one made now, 0 for one from before there were excerpts.
    #[serde(default)]
    pub version: u32,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Report {
    /// Goes up when a report says more.
    pub const VERSION: u32 = 1;

    /// A report of nothing but what is to be done.
    pub fn of(action: Action) -> Self {
        Self {
            action,
            breach: false,
            notify: Vec::new(),
            approver: None,
            rules: Vec::new(),
            recipients: Vec::new(),
            pupils: Vec::new(),
            unlisted_pupils: 0,
            findings: Vec::new(),
            more_findings: 0,
            markers: Vec::new(),
            unreadable: Vec::new(),
            at: None,
            subject: String::new(),
            message_id: None,
            from_name: String::new(),
            about_staff: Vec::new(),
            automatic: false,
            personal_use: None,
            words: None,
            duties: Duties::default(),
            rules_version: String::new(),
            version: Self::VERSION,
        }
    }

    /// Takes out what stands in the message itself; what is left is envelope, rules, kinds and counts.
    pub fn without_content(&mut self) {
        self.findings.clear();
        // A subject may name a pupil.
        self.subject.clear();
        self.from_name.clear();
    }

    /// Its sender, or a rule, says that it is urgent: opening hours do not hold it back.
    pub fn is_urgent(&self) -> bool {
        self.duties.urgent || self.markers.iter().any(|marker| marker == "urgent")
    }

    /// Its Personal marker stands out: nobody sees more than envelope, rules and counts without a grant.
    pub fn is_sealed(&self) -> bool {
        self.markers.iter().any(|marker| marker == "personal-standing-out")
    }

    /// The mailboxes of those who are not told of it and do not decide on it: who sent it, and the staff whom it is about.
    pub fn mailboxes_concerned(&self, school: &School, mail_from: Option<&Address>) -> Vec<Address> {
        let about = self.about_staff.iter().filter_map(|mailbox| Address::parse(mailbox).ok());
        let all = mail_from.cloned().into_iter().chain(about);
        all.flat_map(|mailbox| [school.mailboxes_of(&mailbox), vec![mailbox]].concat()).collect()
    }

    /// Something is said that is for the designated safeguarding lead to know.
    pub fn concerns_safeguarding(&self) -> bool {
        self.notify.iter().any(|role| role == "dsl")
            || self.pupils.iter().flat_map(|pupil| &pupil.categories).any(|category| category == "safeguarding")
    }
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
    /// Every reason for it was confirmed before: recorded, decides nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Confirmed>,
    /// The head exempts the sender from it for a time: recorded, decides nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exempt: Option<Exempted>,
    /// Which of the message's own traits it goes by, and where they stand: nothing of what they say, and no name of a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<FoundTrait>,
    /// For whom and about whom it asks, as it can be remembered; empty where it cannot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
}

/// A trait of the message by its kind and place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundTrait {
    /// As the kind of a finding.
    pub kind: String,
    /// Where, in words.
    #[serde(rename = "where")]
    pub place: String,
}

impl FiredRule {
    /// It has a say in what happens to the message.
    pub fn counts(&self) -> bool {
        !self.observed_only && self.confirmed.is_none() && self.exempt.is_none()
    }

    /// It keeps the message from leaving: what only has something done with mail that goes does not.
    pub fn stops(&self) -> bool {
        self.counts() && self.action > Action::Deliver
    }
}

/// A recipient as reported.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportedRecipient {
    /// Address as in the envelope.
    pub address: String,
    /// Kind of `policy.md`.
    pub kind: String,
    /// Roster ids of the pupils whose guardian it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guardian_of: Vec<String>,
    /// Of a held message: to this recipient alone it would not have been held.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub entitled: bool,
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
    /// Identified by nothing but a name that another pupil bears too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared_name: bool,
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
    /// What stands around it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub excerpt: Option<Excerpt>,
}

/// An unread part as reported.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportedUnread {
    /// Its place.
    pub part: String,
    /// Why.
    pub why: String,
}
