//! Layers to a checked pack: every problem with the file, line and column that it stands at, whichever layer that is.
//!
//! Invariant: a layer never makes milder what lies below it, unless it says that it replaces the rule.

use super::duty;
use super::layer::{At, ClausePart, Layer, Place, RulePart};
use super::{Clause, Condition, Confirm, MACHINERY, Mode, ROLES, Route, Rule, RulePack};
use crate::detect::meaning::categories;
use crate::limits;
use crate::policy::Action;
use crate::text::problem::{FileProblem, FileProblems};

/// Lays the layers over each other, the lowest first, and checks what comes out.
pub(super) fn merged(layers: Vec<Layer>) -> Result<RulePack, FileProblems> {
    let mut problems = Vec::new();
    let chain: Vec<String> = layers.iter().map(|layer| layer.name.clone()).collect();
    let mut whole: Option<Layer> = None;
    for layer in layers {
        whole = Some(match whole {
            None => layer,
            Some(below) => {
                for part in &layer.rules {
                    if let Some(known) = below.rules.iter().find(|known| known.id.value == part.id.value) {
                        no_milder(part, known, &mut problems);
                    }
                }
                layer.over(below)
            }
        });
    }
    let Some(whole) = whole else { return Err(FileProblems(problems)) };
    if whole.rules.is_empty() {
        problems.push(whole.start.problem("the pack holds no [[rule]]"));
    }
    let ids: Vec<&str> = whole.rules.iter().map(|rule| rule.id.value.as_str()).collect();
    for clause in &whole.clauses {
        known(&clause.rules, "there is no rule", &ids, &clause.id.value, &mut problems);
        let machinery: Vec<&str> = MACHINERY.iter().map(|machinery| machinery.name).collect();
        known(&clause.machinery, "there is no machinery", &machinery, &clause.id.value, &mut problems);
    }
    let rules: Vec<_> = whole.rules.iter().filter_map(|part| rule(part, &whole.clauses, &mut problems)).collect();
    let routes = whole
        .routes
        .iter()
        .map(|part| {
            roles(&part.notify, &part.id.value, &mut problems);
            if part.notify.is_empty() {
                problems.push(part.id.place.problem(format!("route `{}` tells nobody", part.id.value)));
            }
            Route {
                id: part.id.value.clone(),
                notify: part.notify.iter().map(|role| role.value.clone()).collect(),
                when: conditions(&part.id.value, Some(&part.when), &[], &mut problems),
            }
        })
        .collect();
    let clauses = whole.clauses.into_iter().map(Clause::from).collect();
    match problems.is_empty() {
        true => Ok(RulePack { name: whole.name, policy: whole.policy, chain, rules, routes, clauses }),
        false => Err(FileProblems(problems)),
    }
}

impl From<ClausePart> for Clause {
    fn from(part: ClausePart) -> Self {
        let words = |list: Vec<At<String>>| list.into_iter().map(|one| one.value).collect();
        Self {
            id: part.id.value,
            number: part.number,
            text: part.text,
            rules: words(part.rules),
            machinery: words(part.machinery),
            shown_by: words(part.shown_by),
            own: part.own,
        }
    }
}

/// A layer may tighten what lies below, and add to it.
fn no_milder(part: &RulePart, below: &RulePart, problems: &mut Vec<FileProblem>) {
    if part.replace {
        return;
    }
    let id = &part.id.value;
    let mut milder = |place: &Place, key: &str, was: &str, is: &str| {
        problems.push(place.problem(format!(
            "rule `{id}`: {key} = {is} is milder than {was} of the pack below; to do so on purpose, say replace = true and write the rule whole"
        )));
    };
    if let (Some(is), Some(was)) = (&part.action, &below.action)
        && is.value < was.value
    {
        milder(&is.place, "action", was.value.as_str(), is.value.as_str());
    }
    if let (Some(is), Some(was)) = (&part.breach, &below.breach)
        && was.value
        && !is.value
    {
        milder(&is.place, "breach", "true", "false");
    }
    if let Some(is) = &part.mode {
        let was = below.mode.as_ref().map_or(Mode::Enforce, |mode| mode.value);
        if is.value < was {
            milder(&is.place, "mode", was.as_str(), is.value.as_str());
        }
    }
    if let Some(is) = &part.confirm {
        let was = below.confirm.as_ref().map_or(Confirm::Nobody, |confirm| confirm.value);
        if is.value < was {
            milder(&is.place, "confirm", was.as_str(), is.value.as_str());
        }
    }
    if let Some(is) = part.exempt.as_ref().filter(|is| is.value)
        && below.exempt.as_ref().is_none_or(|was| !was.value)
    {
        milder(&is.place, "exempt", "false", "true");
    }
    duty::no_milder(&part.duty, &below.duty, &mut milder);
    if let Some(when) = &part.when {
        problems.push(when.place.problem(format!(
            "rule `{id}` stands in the pack below: `when_also` adds to what it fires for; to change that, say replace = true and write the rule whole"
        )));
    }
}

/// A rule with all that it needs; `None` where something is missing.
fn rule(part: &RulePart, clauses: &[ClausePart], problems: &mut Vec<FileProblem>) -> Option<Rule> {
    let id = &part.id.value;
    let place = &part.id.place;
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        problems.push(place.problem(format!("rule id `{id}`: wants small letters, digits and hyphens")));
    }
    // Of a rule that stops nothing, nobody is told why and how it is put right.
    let stops = part.action.as_ref().is_none_or(|action| action.value > Action::Deliver);
    let missing: Vec<&str> = [
        ("action", part.action.is_none()),
        ("breach", stops && part.breach.is_none()),
        ("why", stops && part.why.is_none()),
        ("remedy", stops && part.remedy.is_none()),
        ("when", part.when.is_none()),
    ]
    .into_iter()
    .filter_map(|(key, missing)| missing.then_some(key))
    .collect();
    if !missing.is_empty() {
        problems.push(place.problem(format!(
            "rule `{id}` lacks {}; a rule that is to be tightened stands in the pack below, under the very same id",
            missing.join(", ")
        )));
    }
    let when = conditions(id, part.when.as_ref(), &part.when_also, problems);
    for (key, words) in [("why", &part.why), ("remedy", &part.remedy)] {
        if let Some(words) = words {
            checked_words(id, key, words, problems);
        }
    }
    // What says nothing asks each time.
    let confirm = part.confirm.as_ref().map_or(Confirm::Nobody, |confirm| confirm.value);
    let breach = part.breach.as_ref().is_some_and(|breach| breach.value);
    if let Some(word) = part.confirm.as_ref().filter(|_| confirm == Confirm::Sender && breach) {
        problems.push(word.place.problem(format!(
            "rule `{id}`: a likely breach is not confirmed by its sender; say \"reviewer\" or \"nobody\""
        )));
    }
    if let Some(pairs) = part.confirm_at_once.as_ref().filter(|pairs| pairs.value == 0) {
        let problem = format!("rule `{id}`: confirm_at_once = 0 allows nothing; say confirm = \"nobody\"");
        problems.push(pairs.place.problem(problem));
    }
    if let Some(exempt) = part.exempt.as_ref().filter(|exempt| exempt.value && breach) {
        problems.push(exempt.place.problem(format!("rule `{id}`: nobody is exempt from what is a likely breach")));
    }
    for role in part.notify.iter().flatten().chain(&part.approver) {
        roles(std::slice::from_ref(role), id, problems);
    }
    if let Some(approver) = part.approver.as_ref().filter(|approver| approver.value == "it") {
        problems.push(approver.place.problem(format!("rule `{id}`: `it` decides on nothing")));
    }
    let duty = duty::checked(id, &part.duty, problems);
    if let Some(breach) = part.breach.as_ref().filter(|breach| breach.value && !stops) {
        problems.push(breach.place.problem(format!("rule `{id}`: what is delivered is no likely breach")));
    }
    let (clauses, clause_ids) = named(part, clauses, problems);
    let action = part.action.as_ref()?.value;
    let mut told: Vec<String> = part.notify.iter().flatten().map(|role| role.value.clone()).collect();
    if let Some(approver) = part.approver.as_ref().filter(|approver| !told.contains(&approver.value)) {
        told.push(approver.value.clone());
    }
    if part.notify.is_none() && told.is_empty() && action == Action::Hold {
        told.push("sbm".to_owned());
    }
    Some(Rule {
        id: id.clone(),
        action,
        breach,
        notify: told,
        approver: part.approver.as_ref().map(|approver| approver.value.clone()),
        mode: part.mode.as_ref().map_or(Mode::Enforce, |mode| mode.value),
        confirm,
        confirm_at_once: part
            .confirm_at_once
            .as_ref()
            .map_or(limits::ALLOWANCES_AT_ONCE, |pairs| pairs.value.min(limits::ALLOWANCES_AT_ONCE)),
        inside_too: part.inside_too.unwrap_or_default(),
        exempt: part.exempt.as_ref().is_some_and(|exempt| exempt.value),
        clauses,
        clause_ids,
        why: words(&part.why, stops)?,
        remedy: words(&part.remedy, stops)?,
        duty,
        when,
    })
}

/// What a rule says; one that stops nothing may say nothing.
fn words(said: &Option<At<String>>, stops: bool) -> Option<String> {
    match said {
        Some(said) => Some(said.value.clone()),
        None => (!stops).then(String::new),
    }
}

/// What the school's policy says to this rule: its own clauses where it has any. Words, and ids.
fn named(part: &RulePart, clauses: &[ClausePart], problems: &mut Vec<FileProblem>) -> (Vec<String>, Vec<String>) {
    let id = &part.id.value;
    let mut named: Vec<&ClausePart> = Vec::new();
    for clause in part.clauses.iter().flatten() {
        match clauses.iter().find(|known| known.id.value == clause.value) {
            Some(known) => named.push(known),
            None => {
                problems.push(clause.place.problem(format!("rule `{id}`: there is no [[clause]] `{}`", clause.value)));
            }
        }
    }
    let keeps = |clause: &&ClausePart| clause.own && clause.rules.iter().any(|rule| rule.value == *id);
    let own: Vec<&ClausePart> = clauses.iter().filter(keeps).collect();
    let said = if own.is_empty() { named } else { own };
    let words = |clause: &&ClausePart| match &clause.number {
        Some(number) => format!("{number}: {}", clause.text),
        None => clause.text.clone(),
    };
    (said.iter().map(words).collect(), said.iter().map(|clause| clause.id.value.clone()).collect())
}

fn conditions(
    id: &str,
    when: Option<&At<Vec<At<Condition>>>>,
    also: &[At<Condition>],
    problems: &mut Vec<FileProblem>,
) -> Vec<Condition> {
    if let Some(when) = when.filter(|when| when.value.is_empty() && also.is_empty()) {
        problems.push(when.place.problem(format!("rule `{id}`: `when` is empty, so it could never fire")));
    }
    let all: Vec<&At<Condition>> = when.iter().flat_map(|when| &when.value).chain(also).collect();
    for condition in &all {
        if condition.value.is_empty() {
            let problem = format!("rule `{id}`: an empty condition would fire for every message");
            problems.push(condition.place.problem(problem));
        }
        let known = categories();
        for category in condition.value.category.iter().flatten().filter(|one| !known.contains(&one.as_str())) {
            let problem = format!("rule `{id}`: there is no category `{category}`; there are {}", known.join(", "));
            problems.push(condition.place.problem(problem));
        }
        let roles = condition.value.sender_role.iter().chain(&condition.value.about_role).flatten();
        for role in roles.filter(|role| !ROLES.contains(&role.as_str())) {
            problems.push(no_role(&condition.place, id, role));
        }
    }
    all.into_iter().map(|condition| condition.value.clone()).collect()
}

fn checked_words(id: &str, key: &str, words: &At<String>, problems: &mut Vec<FileProblem>) {
    if words.value.trim().is_empty() {
        problems.push(words.place.problem(format!("rule `{id}`: {key} is empty; the sender reads it")));
    }
    if let Some(unknown) = unknown_placeholder(&words.value) {
        problems.push(words.place.problem(format!(
            "rule `{id}`: {key} holds {{{unknown}}}; there are {{to}}, {{recipients}} and {{pupils}}"
        )));
    }
}

/// The first `{word}` that is no placeholder.
fn unknown_placeholder(words: &str) -> Option<&str> {
    words
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(word, _)| word))
        .find(|word| !["to", "recipients", "pupils"].contains(word))
}

fn roles(told: &[At<String>], id: &str, problems: &mut Vec<FileProblem>) {
    for role in told.iter().filter(|role| !ROLES.contains(&role.value.as_str())) {
        problems.push(no_role(&role.place, id, &role.value));
    }
}

fn no_role(place: &Place, id: &str, role: &str) -> FileProblem {
    place.problem(format!("rule `{id}`: there is no role `{role}`; the roles are {}", ROLES.join(", ")))
}

fn known(named: &[At<String>], missing: &str, there: &[&str], clause: &str, problems: &mut Vec<FileProblem>) {
    for name in named.iter().filter(|name| !there.contains(&name.value.as_str())) {
        problems.push(name.place.problem(format!("clause `{clause}`: {missing} `{}`", name.value)));
    }
}
