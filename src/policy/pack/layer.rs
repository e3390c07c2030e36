//! One file of a rule pack as it is written: every value with its place, nothing checked against other files yet.
//!
//! A school's pack is a layer over another one. [`Layer::over`] lays one over another without losing what either says, so
//! that it does not matter in which order several are laid together.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::{Condition, Confirm, Mode};
use crate::policy::Action;
use crate::text::problem::{FileProblem, FileProblems, line_and_column};

/// Where something is written: file, line and column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub file: Arc<Path>,
    pub at: (usize, usize),
}

impl Place {
    pub fn problem(&self, problem: impl Into<String>) -> FileProblem {
        FileProblem { file: self.file.to_path_buf(), place: Some(self.at), problem: problem.into() }
    }
}

/// A value and where it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct At<T> {
    pub value: T,
    pub place: Place,
}

/// A pack's file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layer {
    pub name: String,
    /// Whose policy it keeps.
    pub policy: Option<String>,
    /// The pack that it lies on.
    pub extends: Option<At<String>>,
    /// The file's own beginning, for what it lacks.
    pub start: Place,
    pub clauses: Vec<ClausePart>,
    pub rules: Vec<RulePart>,
    pub routes: Vec<RoutePart>,
}

/// A clause of the policy that the pack keeps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ClausePart {
    pub id: At<String>,
    pub number: Option<String>,
    pub text: String,
    pub rules: Vec<At<String>>,
    pub machinery: Vec<At<String>>,
    pub shown_by: Vec<At<String>>,
    /// It is a school's own, and so speaks instead of what lies below.
    pub own: bool,
}

/// What a file says of one rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RulePart {
    pub id: At<String>,
    /// It stands by itself, whatever lies below.
    pub replace: bool,
    pub action: Option<At<Action>>,
    pub breach: Option<At<bool>>,
    pub notify: Option<Vec<At<String>>>,
    pub approver: Option<At<String>>,
    pub mode: Option<At<Mode>>,
    pub confirm: Option<At<Confirm>>,
    pub confirm_at_once: Option<At<usize>>,
    pub inside_too: Option<bool>,
    pub exempt: Option<At<bool>>,
    pub clauses: Option<Vec<At<String>>>,
    pub why: Option<At<String>>,
    pub remedy: Option<At<String>>,
    pub duty: DutyPart,
    pub when: Option<At<Vec<At<Condition>>>>,
    /// Further alternatives beside those below.
    pub when_also: Vec<At<Condition>>,
}

/// What a file says of what is done with a message that fires the rule and goes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct DutyPart {
    pub journal: Option<At<bool>>,
    pub retention_days: Option<At<u32>>,
    pub wait_minutes: Option<At<u32>>,
    pub wait_until_open: Option<At<bool>>,
    pub urgent: Option<At<bool>>,
    pub footer: Option<At<String>>,
}

impl DutyPart {
    fn over(self, below: Self) -> Self {
        Self {
            journal: self.journal.or(below.journal),
            retention_days: self.retention_days.or(below.retention_days),
            wait_minutes: self.wait_minutes.or(below.wait_minutes),
            wait_until_open: self.wait_until_open.or(below.wait_until_open),
            urgent: self.urgent.or(below.urgent),
            footer: self.footer.or(below.footer),
        }
    }
}

/// Who is told besides, of what is held.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RoutePart {
    pub id: At<String>,
    pub notify: Vec<At<String>>,
    pub when: At<Vec<At<Condition>>>,
}

impl RulePart {
    /// This over what lies below: what it does not say is said there.
    fn over(self, below: Self) -> Self {
        if self.replace {
            return self;
        }
        Self {
            id: self.id,
            replace: below.replace,
            action: self.action.or(below.action),
            breach: self.breach.or(below.breach),
            notify: self.notify.or(below.notify),
            approver: self.approver.or(below.approver),
            mode: self.mode.or(below.mode),
            confirm: self.confirm.or(below.confirm),
            confirm_at_once: self.confirm_at_once.or(below.confirm_at_once),
            inside_too: self.inside_too.or(below.inside_too),
            exempt: self.exempt.or(below.exempt),
            clauses: self.clauses.or(below.clauses),
            why: self.why.or(below.why),
            remedy: self.remedy.or(below.remedy),
            duty: self.duty.over(below.duty),
            when: self.when.or(below.when),
            when_also: [below.when_also, self.when_also].concat(),
        }
    }
}

impl Layer {
    /// This over another: rules keep the order in which they are first named. Laying a over b and both over c is laying a
    /// over what b over c gives.
    pub fn over(self, below: Self) -> Self {
        let mut rules = below.rules;
        for part in self.rules {
            match rules.iter().position(|known| known.id.value == part.id.value) {
                Some(at) => {
                    let known = rules.remove(at);
                    rules.insert(at, part.over(known));
                }
                None => rules.push(part),
            }
        }
        let mut routes = below.routes;
        for part in self.routes {
            match routes.iter_mut().find(|known| known.id.value == part.id.value) {
                Some(known) => *known = part,
                None => routes.push(part),
            }
        }
        let mut clauses = below.clauses;
        for part in self.clauses {
            match clauses.iter_mut().find(|known| known.id.value == part.id.value) {
                Some(known) => *known = part,
                None => clauses.push(part),
            }
        }
        Self {
            name: self.name,
            policy: self.policy.or(below.policy),
            extends: below.extends,
            start: self.start,
            clauses,
            rules,
            routes,
        }
    }

    /// Reads one file. What stands in it twice is a problem; what it lacks may stand in what it lies on.
    pub fn read(file: &Path, text: &str) -> Result<Self, FileProblems> {
        let raw: RawPack = toml::from_str(text).map_err(|e| FileProblems::toml(file, text, &e))?;
        let reader = Reader { file: Arc::from(file), text };
        let mut problems = Vec::new();
        let clauses: Vec<_> = raw.clause.into_iter().map(|clause| reader.clause(clause)).collect();
        let rules: Vec<_> = raw.rule.into_iter().map(|rule| reader.rule(rule)).collect();
        let routes: Vec<_> = raw.route.into_iter().map(|route| reader.route(route)).collect();
        twice("clause", clauses.iter().map(|clause| &clause.id), &mut problems);
        twice("rule", rules.iter().map(|rule| &rule.id), &mut problems);
        twice("route", routes.iter().map(|route| &route.id), &mut problems);
        if !problems.is_empty() {
            return Err(FileProblems(problems));
        }
        Ok(Self {
            name: raw.name,
            policy: raw.policy,
            extends: raw.extends.map(|extends| reader.at(extends)),
            start: Place { file: Arc::clone(&reader.file), at: (1, 1) },
            clauses,
            rules,
            routes,
        })
    }
}

fn twice<'a>(what: &str, ids: impl Iterator<Item = &'a At<String>>, problems: &mut Vec<FileProblem>) {
    let mut seen = std::collections::HashMap::new();
    for id in ids {
        if let Some(first) = seen.insert(&id.value, id.place.at.0) {
            problems.push(
                id.place.problem(format!("{what} `{}` stands here a second time (first in line {first})", id.value)),
            );
        }
    }
}

struct Reader<'t> {
    file: Arc<Path>,
    text: &'t str,
}

impl Reader<'_> {
    fn at<T>(&self, spanned: Spanned<T>) -> At<T> {
        let at = line_and_column(self.text, spanned.span().start);
        At { value: spanned.into_inner(), place: Place { file: Arc::clone(&self.file), at } }
    }

    fn all<T>(&self, spanned: Vec<Spanned<T>>) -> Vec<At<T>> {
        spanned.into_iter().map(|one| self.at(one)).collect()
    }

    fn conditions(&self, spanned: Spanned<Vec<Spanned<Condition>>>) -> At<Vec<At<Condition>>> {
        let At { value, place } = self.at(spanned);
        At { value: self.all(value), place }
    }

    fn clause(&self, raw: RawClause) -> ClausePart {
        ClausePart {
            id: self.at(raw.id),
            number: raw.number,
            text: raw.text,
            own: !raw.rules.is_empty() || !raw.machinery.is_empty(),
            rules: self.all(raw.rules),
            machinery: self.all(raw.machinery),
            shown_by: self.all(raw.shown_by),
        }
    }

    fn rule(&self, raw: RawRule) -> RulePart {
        RulePart {
            id: self.at(raw.id),
            replace: raw.replace,
            action: raw.action.map(|value| self.at(value)),
            breach: raw.breach.map(|value| self.at(value)),
            notify: raw.notify.map(|value| self.all(value)),
            approver: raw.approver.map(|value| self.at(value)),
            mode: raw.mode.map(|value| self.at(value)),
            confirm: raw.confirm.map(|value| self.at(value)),
            confirm_at_once: raw.confirm_at_once.map(|value| self.at(value)),
            inside_too: raw.inside_too,
            exempt: raw.exempt.map(|value| self.at(value)),
            clauses: raw.clauses.map(|value| self.all(value)),
            why: raw.why.map(|value| self.at(value)),
            remedy: raw.remedy.map(|value| self.at(value)),
            duty: DutyPart {
                journal: raw.journal.map(|value| self.at(value)),
                retention_days: raw.retention_days.map(|value| self.at(value)),
                wait_minutes: raw.wait_minutes.map(|value| self.at(value)),
                wait_until_open: raw.wait_until_open.map(|value| self.at(value)),
                urgent: raw.urgent.map(|value| self.at(value)),
                footer: raw.footer.map(|value| self.at(value)),
            },
            when: raw.when.map(|value| self.conditions(value)),
            when_also: self.all(raw.when_also),
        }
    }

    fn route(&self, raw: RawRoute) -> RoutePart {
        RoutePart { id: self.at(raw.id), notify: self.all(raw.notify), when: self.conditions(raw.when) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPack {
    name: String,
    policy: Option<String>,
    extends: Option<Spanned<String>>,
    #[serde(default)]
    clause: Vec<RawClause>,
    #[serde(default)]
    rule: Vec<RawRule>,
    #[serde(default)]
    route: Vec<RawRoute>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClause {
    id: Spanned<String>,
    number: Option<String>,
    text: String,
    /// References into the policies the pack was made from; kept in the file for its readers.
    #[serde(default, rename = "policies")]
    _policies: Vec<String>,
    #[serde(default)]
    rules: Vec<Spanned<String>>,
    #[serde(default)]
    machinery: Vec<Spanned<String>>,
    #[serde(default)]
    shown_by: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: Spanned<String>,
    #[serde(default)]
    replace: bool,
    action: Option<Spanned<Action>>,
    breach: Option<Spanned<bool>>,
    notify: Option<Vec<Spanned<String>>>,
    approver: Option<Spanned<String>>,
    mode: Option<Spanned<Mode>>,
    confirm: Option<Spanned<Confirm>>,
    confirm_at_once: Option<Spanned<usize>>,
    inside_too: Option<bool>,
    exempt: Option<Spanned<bool>>,
    clauses: Option<Vec<Spanned<String>>>,
    why: Option<Spanned<String>>,
    remedy: Option<Spanned<String>>,
    journal: Option<Spanned<bool>>,
    retention_days: Option<Spanned<u32>>,
    wait_minutes: Option<Spanned<u32>>,
    wait_until_open: Option<Spanned<bool>>,
    urgent: Option<Spanned<bool>>,
    footer: Option<Spanned<String>>,
    when: Option<Spanned<Vec<Spanned<Condition>>>>,
    #[serde(default)]
    when_also: Vec<Spanned<Condition>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRoute {
    id: Spanned<String>,
    notify: Vec<Spanned<String>>,
    when: Spanned<Vec<Spanned<Condition>>>,
}
