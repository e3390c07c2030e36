//! Which clauses of a school's policy a pack keeps: by rules, by other parts of the gateway, and shown by what.
//!
//! Said by the pack alone. A clause is kept when all that it names is there and works, and something shows it.

use super::pack::{Clause, Mode, RulePack};

/// A clause and what keeps it.
#[derive(Debug, Clone)]
pub struct Row {
    /// Stable id.
    pub id: String,
    /// What the policy says.
    pub text: String,
    /// Rules and machinery.
    pub by: Vec<String>,
    /// Fixtures and tests.
    pub shown_by: Vec<String>,
    /// How far it is kept.
    pub state: State,
}

/// How far a clause is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// All of it, and shown.
    Kept,
    /// Something is built; the rest is named.
    InPart(Vec<String>),
    /// Nothing of it is built.
    NotYet(Vec<String>),
}

impl State {
    /// All of it.
    pub fn is_kept(&self) -> bool {
        *self == Self::Kept
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kept => write!(f, "kept"),
            Self::InPart(lacks) => write!(f, "in part; {}", lacks.join("; ")),
            Self::NotYet(lacks) => write!(f, "not yet; {}", lacks.join("; ")),
        }
    }
}

/// A row for each clause that is the school's own, in the order of its pack.
pub fn coverage(pack: &RulePack) -> Vec<Row> {
    pack.clauses.iter().filter(|clause| clause.own).map(|clause| row(pack, clause)).collect()
}

fn row(pack: &RulePack, clause: &Clause) -> Row {
    let mut lacks = Vec::new();
    // What a pack names of the machinery is there: a pack that names anything else is refused.
    let mut built = clause.machinery.len();
    for id in &clause.rules {
        match pack.rules.iter().find(|rule| rule.id == *id) {
            Some(rule) if rule.mode != Mode::Observe => built += 1,
            _ => lacks.push(format!("`{id}` only observes")),
        }
    }
    if clause.shown_by.is_empty() {
        lacks.push("nothing shows it".to_owned());
    }
    let state = match (lacks.is_empty(), built) {
        (true, _) => State::Kept,
        (false, 0) => State::NotYet(lacks),
        (false, _) => State::InPart(lacks),
    };
    Row {
        id: clause.id.clone(),
        text: clause.text.clone(),
        by: clause.rules.iter().chain(&clause.machinery).cloned().collect(),
        shown_by: clause.shown_by.clone(),
        state,
    }
}
