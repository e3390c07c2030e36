//! Every rule in force in words, what it has done of late, and the way to another mode: proposed, approved, put in force, each by
//! another role.

use axum::Form;
use axum::extract::{Path, State as From};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use minijinja::context;
use serde::Deserialize;

use super::State;
use super::access::{Reach, Task};
use super::pages::{Answer, not_found, page_as};
use super::person::Person;
use super::sign_in::stale;
use super::view::{Trouble, count, said};
use crate::limits;
use crate::policy::pack::Rule;
use crate::policy::{Action, Mode};
use crate::store::{ModeStep, RuleEffect, RuleMode, StoreError};

/// What stands in the form of a proposal.
#[derive(Default, Deserialize)]
pub struct Proposal {
    #[serde(default)]
    token: String,
    #[serde(default)]
    rule: String,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    because: String,
}

/// What a rule asks for, in words.
fn action(action: Action) -> &'static str {
    match action {
        Action::Deliver => "lets it go",
        Action::Warn => "returns it to its sender",
        Action::Hold => "holds it for a decision",
        Action::Reject => "refuses it",
    }
}

/// What a mode means for a rule, in words.
fn mode(mode: Mode, asks: Action) -> &'static str {
    match (mode, asks) {
        (Mode::Observe, _) => "only observes: it stops nothing, and what it would stop is counted",
        (Mode::Warn, Action::Hold | Action::Reject) => "returns mail that it would hold or refuse, and holds nothing",
        (Mode::Warn | Mode::Enforce, _) => "does what it says",
    }
}

/// What it has done in the last weeks, a sentence each.
fn effect(of: &RuleEffect) -> Vec<String> {
    let messages = |many: u64| count(u32::try_from(many).unwrap_or(u32::MAX), "message", "messages");
    let weeks = count(limits::RULE_EFFECT_WEEKS, "week", "weeks");
    let mut out = Vec::new();
    if of.returned + of.held > 0 {
        out.push(format!("In the last {weeks} this returned {} and held {}.", messages(of.returned), of.held));
    }
    if of.would_return + of.would_hold > 0 {
        out.push(format!(
            "In the last {weeks} this would have returned {} and held {}; no other rule stopped {} of them.",
            messages(of.would_return),
            of.would_hold,
            of.would_stop_alone
        ));
    }
    if of.decided > 0 {
        out.push(format!(
            "{} of {} that it held and somebody decided on were let go, {} of them as neither a breach nor a near miss.",
            of.released, of.decided, of.false_holds
        ));
    }
    if out.is_empty() {
        out.push(format!("In the last {weeks} it asked for nothing."));
    }
    out
}

async fn show(desk: &State, person: &Person, filled: &Proposal, trouble: Option<Trouble>) -> Answer {
    let now = desk.now();
    let ground = (desk.ground)();
    let (effects, chosen) = (desk.store.rule_effects().await?, desk.store.rule_modes().await?);
    let who = &person.account().name;
    let by = |step: &(jiff::Timestamp, String)| format!("{}, {}", step.1, said(step.0, &now));
    let one = |rule: &Rule| {
        let nothing = RuleEffect::default();
        let of = effects.iter().find(|effect| effect.rule == rule.id).unwrap_or(&nothing);
        let of_rule = |put: bool| chosen.iter().find(|one| one.rule == rule.id && one.put.is_some() == put);
        let asked = of_rule(false).map(|asked: &RuleMode| {
            context! {
                id => asked.id.as_str(),
                mode => asked.mode.as_str(),
                because => asked.because.as_str(),
                proposed => by(&asked.proposed),
                approved => asked.approved.as_ref().map(by),
                own => asked.proposed.1 == *who,
            }
        });
        context! {
            id => rule.id.as_str(),
            words => rule.id.replace('-', " "),
            why => rule.why.as_str(),
            action => action(rule.action),
            mode => rule.mode.as_str(),
            meaning => mode(rule.mode, rule.action),
            // Whatever the rules as published say, this school has it otherwise.
            milder => rule.mode < Mode::Enforce && rule.action > Action::Deliver,
            clauses => rule.clauses.clone(),
            effect => effect(of),
            chosen => of_rule(true).and_then(|one| one.put.as_ref()).map(by),
            others => Mode::ALL.into_iter().filter(|one| *one != rule.mode).map(Mode::as_str).collect::<Vec<_>>(),
            asked,
        }
    };
    let gone: Vec<String> = chosen
        .iter()
        .filter(|one| one.put.is_some() && ground.pack.rules.iter().all(|rule| rule.id != one.rule))
        .map(|one| one.rule.replace('-', " "))
        .collect();
    let status = if trouble.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let own = context! {
        rules => ground.pack.rules.iter().map(one).collect::<Vec<_>>(),
        version => ground.version(),
        gone,
        may_propose => person.reach(Task::ProposeMode) == Reach::All,
        may_approve => person.reach(Task::ApproveMode) == Reach::All,
        may_put => person.reach(Task::PutMode) == Reach::All,
        filled => context! { rule => filled.rule.as_str(), mode => filled.mode.as_str(), because => filled.because.as_str() },
        trouble,
    };
    page_as(status, desk, Some(person), "rules.html", "/rules", own)
}

/// GET `/rules`.
pub async fn list(From(desk): From<State>, person: Person) -> Answer {
    if person.reach(Task::ProposeMode) == Reach::Nothing {
        return not_found(&desk, Some(&person));
    }
    show(&desk, &person, &Proposal::default(), None).await
}

/// POST `/rules`: another mode is proposed.
pub async fn propose(From(desk): From<State>, person: Person, Form(form): Form<Proposal>) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    if person.reach(Task::ProposeMode) != Reach::All {
        return not_found(&desk, Some(&person));
    }
    let trouble = |field, words: &str| Some(Trouble::at(field, words.to_owned()));
    let ground = (desk.ground)();
    let Some(rule) = ground.pack.rules.iter().find(|rule| rule.id == form.rule) else {
        return show(&desk, &person, &form, trouble("rule", "Choose one of the rules below.")).await;
    };
    let Some(mode) = Mode::of_word(&form.mode).filter(|mode| *mode != rule.mode) else {
        return show(&desk, &person, &form, trouble("mode", "Choose a mode that the rule does not have now.")).await;
    };
    if form.because.trim().is_empty() {
        return show(&desk, &person, &form, trouble("because", "Say why; it goes into the record.")).await;
    }
    let step = ModeStep::Propose { rule: rule.id.clone(), mode, because: form.because.clone() };
    match desk.store.change_mode(step, &person.account().name).await {
        Ok(_) => Ok(Redirect::to("/rules").into_response()),
        Err(StoreError::Refused(why)) => show(&desk, &person, &form, trouble("because", &why)).await,
        Err(error) => Err(error.into()),
    }
}

/// What stands in the form of a step.
#[derive(Deserialize)]
pub struct Pressed {
    #[serde(default)]
    token: String,
}

/// POST `/rules/ID/WHAT`: what was proposed is approved, put in force or dropped.
pub async fn step(
    From(desk): From<State>,
    person: Person,
    Path((id, what)): Path<(String, String)>,
    Form(form): Form<Pressed>,
) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    let reaches = |task| person.reach(task) == Reach::All;
    let step = match what.as_str() {
        "approve" if reaches(Task::ApproveMode) => ModeStep::Approve(id),
        "put" if reaches(Task::PutMode) => ModeStep::Put(id),
        "drop" if reaches(Task::ProposeMode) || reaches(Task::ApproveMode) => ModeStep::Drop(id),
        _ => return not_found(&desk, Some(&person)),
    };
    let put = matches!(step, ModeStep::Put(_));
    match desk.store.change_mode(step, &person.account().name).await {
        Ok(changed) => {
            if put && changed {
                (desk.modes_put)();
            }
            // What has been done already is what was asked for.
            Ok(Redirect::to("/rules").into_response())
        }
        Err(StoreError::Refused(why)) => {
            let trouble = Some(Trouble::at("because", why));
            show(&desk, &person, &Proposal::default(), trouble).await
        }
        Err(error) => Err(error.into()),
    }
}
