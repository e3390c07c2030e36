//! Rule packs: TOML files laid over each other, checked whole, every problem with file, line and column.
//!
//! A school's pack says on which pack it lies (`extends`), adds rules, tightens those below by id, and gives its own clauses.

mod condition;
mod duty;
mod layer;
mod machinery;
mod merge;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use condition::{Audience, Business, Condition, Marker, PhotoConsent, SenderKind};
pub use machinery::{MACHINERY, Machinery};

use self::layer::Layer;
use super::Action;
use super::duty::Duty;
use crate::limits;
use crate::text::problem::FileProblems;

/// The packs that are compiled in, by name.
pub const EMBEDDED: &[(&str, &str)] = &[
    ("core", include_str!("../../rules/core.toml")),
    ("woodsetton", include_str!("../../rules/woodsetton.toml")),
    ("wooden-hill", include_str!("../../rules/wooden-hill.toml")),
    ("saxon-wood", include_str!("../../rules/saxon-wood.toml")),
    ("hermitage-oaktree", include_str!("../../rules/hermitage-oaktree.toml")),
    ("droitwich", include_str!("../../rules/droitwich.toml")),
];

/// The roles that a rule may tell.
pub const ROLES: &[&str] = &["sbm", "head", "slt", "dsl", "dpo", "chair", "it"];
/// The key of `[roles]` that names the mailboxes at which staff report breaches. Nobody decides as it, and no pack names it.
pub const REPORTING: &str = "report";

/// The roles that may decide on a held message, in the order in which they are asked when those who would be told wrote it
/// themselves. `it` looks after the machine and does not decide.
pub const DECIDERS: &[&str] = &["sbm", "head", "chair", "slt", "dpo", "dsl"];

/// How far a rule goes. The school's own setting (`[policy.modes]`) replaces the pack's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Recorded only.
    Observe,
    /// At most `warn`: a rule that would hold returns instead.
    Warn,
    /// As the rule says.
    Enforce,
}

impl Mode {
    /// Each of them, the mildest first.
    pub const ALL: [Self; 3] = [Self::Observe, Self::Warn, Self::Enforce];

    /// The mode of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }

    /// The word that packs and tables use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Warn => "warn",
            Self::Enforce => "enforce",
        }
    }
}

/// Who may confirm what a rule asks about, so that it does not ask again. A breach rule never says `sender`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirm {
    /// The sender, or whoever decides on held mail.
    Sender,
    /// Whoever decides on held mail.
    Reviewer,
    /// Nobody: it asks each time.
    Nobody,
}

impl Confirm {
    /// The word that packs and tables use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Reviewer => "reviewer",
            Self::Nobody => "nobody",
        }
    }
}

/// A checked rule pack, with all that it lies on.
#[derive(Debug, Clone)]
pub struct RulePack {
    /// Its name.
    pub name: String,
    /// Whose policy it keeps, in words.
    pub policy: Option<String>,
    /// The packs that were laid over each other, the lowest first, this one last.
    pub chain: Vec<String>,
    /// In the order of the files, the lowest first, which is the order of reports.
    pub rules: Vec<Rule>,
    /// Who is told besides of what is held.
    pub routes: Vec<Route>,
    /// What the policy says.
    pub clauses: Vec<Clause>,
}

/// A clause of a policy, and what keeps it.
#[derive(Debug, Clone, Serialize)]
pub struct Clause {
    /// Stable id, `WS-3`.
    pub id: String,
    /// As the policy numbers it, `5.1.1b`.
    pub number: Option<String>,
    /// What it says.
    pub text: String,
    /// Rules that keep it, by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// What else keeps it: names of [`MACHINERY`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub machinery: Vec<String>,
    /// What shows that it is kept: fixtures by id, and tests as `file::name`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shown_by: Vec<String>,
    /// A school's own, not one of the packs that others lie on.
    #[serde(skip)]
    pub own: bool,
}

/// Who is told besides those whom the rules tell, when a message is held.
#[derive(Debug, Clone, Serialize)]
pub struct Route {
    /// Stable id.
    pub id: String,
    /// Roles.
    pub notify: Vec<String>,
    /// When one of these holds.
    pub when: Vec<Condition>,
}

/// One rule.
#[derive(Debug, Clone, Serialize)]
pub struct Rule {
    /// Stable id, as reports print it.
    pub id: String,
    /// What the rule asks for when it fires.
    pub action: Action,
    /// A message that fires it would likely have been a breach.
    pub breach: bool,
    /// Roles that are told.
    pub notify: Vec<String>,
    /// The role that decides on what it holds; with none, whoever may decide.
    pub approver: Option<String>,
    /// Observe, warn or enforce.
    pub mode: Mode,
    /// Who may confirm what it asks about.
    pub confirm: Confirm,
    /// It is remembered only where it asked for no more pairs of recipient and pupil than these.
    pub confirm_at_once: usize,
    /// Fires for messages to internal recipients as well.
    pub inside_too: bool,
    /// Senders may be exempt from it: those whom the school permits, and those whom the head exempts for a time.
    pub exempt: bool,
    /// What the school's policy says, in words.
    #[serde(skip)]
    pub clauses: Vec<String>,
    /// The same, by the ids of the clauses.
    #[serde(rename = "clauses")]
    pub clause_ids: Vec<String>,
    /// Why, with `{to}`, `{recipients}` and `{pupils}` still to be filled in.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// How the sender puts it right, likewise.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
    /// What is done with a message that fires it and goes.
    #[serde(flatten)]
    pub duty: Duty,
    /// The rule fires when one of these holds.
    pub when: Vec<Condition>,
}

impl RulePack {
    /// An embedded pack by name; the error lists the names there are.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn embedded(name: &str) -> Result<Self, FileProblems> {
        match embedded(name) {
            Some(text) => Self::parse(&embedded_path(name), text),
            None => Err(FileProblems::one(Path::new("policy.pack"), no_such(name))),
        }
    }

    /// A pack from a file, with what it lies on: an embedded pack, or a file beside it.
    ///
    /// # Errors
    /// Every problem of the pack, with its place.
    pub fn load(file: &Path) -> Result<Self, FileProblems> {
        Self::parse(file, &read(file)?)
    }

    /// Checks a text as if it stood in `file`.
    ///
    /// # Errors
    /// As [`RulePack::load`].
    pub fn parse(file: &Path, text: &str) -> Result<Self, FileProblems> {
        let mut layers = vec![Layer::read(file, text)?];
        while let Some(extends) = layers.last().and_then(|layer| layer.extends.clone()) {
            if layers.len() >= limits::PACK_LAYERS {
                let most = limits::PACK_LAYERS;
                return Err(FileProblems(vec![extends.place.problem(format!(
                    "no more than {most} packs lie on each other; does one of them lie on itself?"
                ))]));
            }
            let directory = extends.place.file.parent().unwrap_or(Path::new("")).to_owned();
            let (file, text) = match extends.value.ends_with(".toml") {
                true => {
                    let file = directory.join(&extends.value);
                    let text = read(&file).map_err(|e| {
                        FileProblems(e.0.into_iter().map(|p| extends.place.problem(format!("extends: {p}"))).collect())
                    })?;
                    (file, text)
                }
                false => {
                    let text = embedded(&extends.value)
                        .ok_or_else(|| FileProblems(vec![extends.place.problem(no_such(&extends.value))]))?;
                    (embedded_path(&extends.value), text.to_owned())
                }
            };
            layers.push(Layer::read(&file, &text)?);
        }
        layers.reverse();
        merge::merged(layers)
    }

    /// The pack as TOML, with all that it lies on; read again, it is the same pack.
    ///
    /// # Errors
    /// None that is known; serialising may say no.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        #[derive(Serialize)]
        struct Written<'p> {
            name: &'p str,
            policy: Option<&'p str>,
            clause: &'p [Clause],
            rule: &'p [Rule],
            #[serde(skip_serializing_if = "<[Route]>::is_empty")]
            route: &'p [Route],
        }
        toml::to_string_pretty(&Written {
            name: &self.name,
            policy: self.policy.as_deref(),
            clause: &self.clauses,
            rule: &self.rules,
            route: &self.routes,
        })
    }

    /// A rule, or who is told, goes by this.
    pub fn asks(&self, what: impl Fn(&Condition) -> bool) -> bool {
        let routes = self.routes.iter().flat_map(|route| &route.when);
        self.rules.iter().flat_map(|rule| &rule.when).chain(routes).any(what)
    }

    /// Sets the modes that the school chose; returns the ids that name no rule.
    pub fn set_modes(&mut self, modes: &BTreeMap<String, Mode>) -> Vec<String> {
        let mut unknown = Vec::new();
        for (id, mode) in modes {
            match self.rules.iter_mut().find(|r| r.id == *id) {
                Some(rule) => rule.mode = *mode,
                None => unknown.push(id.clone()),
            }
        }
        unknown
    }
}

fn embedded(name: &str) -> Option<&'static str> {
    EMBEDDED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

fn embedded_path(name: &str) -> std::path::PathBuf {
    Path::new("rules").join(format!("{name}.toml"))
}

fn no_such(name: &str) -> String {
    let names: Vec<_> = EMBEDDED.iter().map(|(n, _)| *n).collect();
    format!("there is no pack `{name}`; embedded are: {}; a file's name ends in .toml", names.join(", "))
}

fn read(file: &Path) -> Result<String, FileProblems> {
    std::fs::read_to_string(file).map_err(|e| FileProblems::one(file, format!("cannot be read: {e}")))
}

#[cfg(test)]
mod layer_tests;
#[cfg(test)]
mod tests;
