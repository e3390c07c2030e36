//! What is written of an incident: by people, and at first by what the report of its message says.

use serde::{Deserialize, Serialize};

use crate::inspect::Report;

/// As the columns say that somebody is told.
pub(super) const TOLD: &str = "told";
/// As they say that nobody is.
const NOT_TOLD: &str = "not-told";

/// What an incident is taken for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IncidentKind {
    /// A personal data breach, or likely one.
    #[default]
    LikelyBreach,
    /// It would have been one, had it been sent.
    NearMiss,
}

impl IncidentKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::LikelyBreach, Self::NearMiss];

    /// The word that store, command line and forms use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LikelyBreach => "likely-breach",
            Self::NearMiss => "near-miss",
        }
    }

    /// As pages and letters say it.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::LikelyBreach => "likely breach",
            Self::NearMiss => "near miss",
        }
    }
}

impl std::str::FromStr for IncidentKind {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|one| one.as_str() == word).ok_or(())
    }
}

/// A child whose data it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConcernedChild {
    /// Roster id, where the child is on the roster.
    pub pupil: Option<String>,
    /// As somebody wrote it; may be empty beside an id.
    pub who: String,
    /// What was said of the child: `health`.
    pub kinds: Vec<String>,
}

/// What is known and decided (Article 33(3) and (5), Article 34). Everything in it may hold names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Assessment {
    /// What it is taken for.
    pub kind: IncidentKind,
    /// What happened.
    pub happened: String,
    /// Whose data.
    pub children: Vec<ConcernedChild>,
    /// Children besides, of whom nothing more is known.
    pub further: u32,
    /// Adults whose data it is.
    pub adults: String,
    /// To whom it went, or would have gone.
    pub to_whom: String,
    /// Likely consequences.
    pub consequences: String,
    /// What was and will be done.
    pub measures: String,
    /// Whether the ICO is told.
    pub ico: Option<bool>,
    /// Why, or why not.
    pub ico_why: String,
    /// Whether the families are told.
    pub families: Option<bool>,
    /// Why, or why not.
    pub families_why: String,
    /// Why it was closed.
    pub closed_why: String,
    /// Mailboxes of those whose own message it is, or who reported it: set when it is opened, and by no form.
    pub concerned: Vec<String>,
    /// It concerns safeguarding by its report, whatever kinds are written.
    pub safeguarding: bool,
}

impl Assessment {
    /// What the report of a message says, before anybody has written: pupils with what is said of them, recipients, rules.
    /// Of sealed personal mail numbers alone.
    pub fn of(report: Option<&Report>, from: Option<&str>, recipients: &[String]) -> Self {
        let concerned = from.into_iter().map(str::to_owned).chain(recipients.iter().cloned());
        let mut new = Self { concerned: concerned.collect(), to_whom: recipients.join("\n"), ..Self::default() };
        let Some(report) = report else { return new };
        new.concerned.extend(report.about_staff.iter().cloned());
        new.safeguarding = report.concerns_safeguarding();
        let further = report.unlisted_pupils + if report.is_sealed() { report.pupils.len() } else { 0 };
        new.further = u32::try_from(further).unwrap_or(u32::MAX);
        if !report.is_sealed() {
            let child = |pupil: &crate::inspect::ReportedPupil| ConcernedChild {
                pupil: Some(pupil.id.clone()),
                who: String::new(),
                kinds: pupil.categories.clone(),
            };
            new.children = report.pupils.iter().map(child).collect();
            let kinds = recipients.iter().map(|address| {
                let party = report.recipients.iter().find(|party| party.address.eq_ignore_ascii_case(address));
                party.map_or_else(|| address.clone(), |party| format!("{address} ({})", party.kind))
            });
            new.to_whom = kinds.collect::<Vec<_>>().join("\n");
        }
        let rules = report.rules.iter().filter(|rule| rule.stops());
        let why: Vec<&str> = rules.map(|rule| rule.why.as_str()).collect();
        let many = match recipients.len() {
            1 => "one recipient".to_owned(),
            many => format!("{many} recipients"),
        };
        new.happened = format!("{} sent an e-mail to {many}.", from.unwrap_or("The mail system"));
        if !why.is_empty() {
            new.happened = format!("{} It was stopped before it left: {}", new.happened, why.join(" "));
        }
        new
    }

    /// How many children.
    pub fn many(&self) -> u32 {
        u32::try_from(self.children.len()).unwrap_or(u32::MAX).saturating_add(self.further)
    }

    /// Each kind of data once, in alphabetical order.
    pub fn kinds(&self) -> Vec<&str> {
        let mut kinds: Vec<&str> = self.children.iter().flat_map(|child| &child.kinds).map(String::as_str).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// It is for the designated safeguarding lead to know.
    pub fn concerns_safeguarding(&self) -> bool {
        self.safeguarding || self.kinds().contains(&"safeguarding")
    }

    /// What is missing in it, with the field.
    pub fn problem(&self) -> Option<(&'static str, &'static str)> {
        if self.happened.trim().is_empty() {
            return Some(("happened", "Say what happened."));
        }
        if self.ico.is_some() && self.ico_why.trim().is_empty() {
            return Some(("ico-why", "Say why the ICO is told, or why not."));
        }
        if self.families.is_some() && self.families_why.trim().is_empty() {
            return Some(("families-why", "Say why the families are told, or why not."));
        }
        None
    }

    pub(super) fn ico_word(&self) -> Option<&'static str> {
        self.ico.map(word)
    }

    pub(super) fn families_word(&self) -> Option<&'static str> {
        self.families.map(word)
    }
}

fn word(told: bool) -> &'static str {
    if told { TOLD } else { NOT_TOLD }
}
