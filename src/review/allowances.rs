//! What was allowed: who may write what to whom about whom, until when; ended with one press.

use axum::Form;
use axum::extract::{Path, State as From};
use axum::response::{IntoResponse, Redirect};
use minijinja::context;
use serde::Deserialize;

use super::State;
use super::access::{Reach, Task};
use super::pages::{Answer, not_found, page};
use super::person::Person;
use super::sign_in::stale;
use super::view::{self, time};
use crate::inspect::view::Names;
use crate::limits;
use crate::people::School;
use crate::policy::allowance::folded;
use crate::store::KeptAllowance;

/// Whether this person may see and end it: everybody's, or what they gave and what is for their own mail.
fn may_end(person: &Person, school: &School, kept: &KeptAllowance) -> bool {
    match person.reach(Task::EndAllowance) {
        Reach::All => true,
        Reach::Theirs => {
            let own = person.own(school);
            kept.allowance.by == person.account().name
                || own.iter().any(|mailbox| folded(mailbox.as_str()) == kept.allowance.sender)
        }
        _ => false,
    }
}

/// GET `/allowances`.
pub async fn list(From(desk): From<State>, person: Person) -> Answer {
    if person.reach(Task::EndAllowance) < Reach::Theirs {
        return not_found(&desk, Some(&person));
    }
    let now = desk.now();
    let ground = (desk.ground)();
    let names = Names::of(&ground.school);
    let mut all = desk.store.allowances(now.timestamp()).await?;
    all.retain(|kept| may_end(&person, &ground.school, kept));
    let most = usize::try_from(limits::ALLOWANCES_LISTED).unwrap_or(usize::MAX);
    let more = all.len().saturating_sub(most);
    let rows: Vec<_> = all
        .iter()
        .take(most)
        .map(|kept| {
            let allowance = &kept.allowance;
            context! {
                id => kept.id.as_str(),
                sender => allowance.sender.as_str(),
                recipient => allowance.recipient.as_str(),
                pupil => allowance.pupil.as_deref().map(|id| names.singled_out(id)),
                rule => allowance.rule.replace('-', " "),
                until => view::last_day(allowance.until, &now),
                by => allowance.by.as_str(),
                given => time(allowance.given_at, &now),
            }
        })
        .collect();
    page(&desk, Some(&person), "allowances.html", "/allowances", context! { rows, more })
}

/// What stands in the form.
#[derive(Deserialize)]
pub struct End {
    #[serde(default)]
    token: String,
}

/// POST `/allowances/ID/end`.
pub async fn end(From(desk): From<State>, person: Person, Path(id): Path<String>, Form(form): Form<End>) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    if person.reach(Task::EndAllowance) < Reach::Theirs {
        return not_found(&desk, Some(&person));
    }
    let ground = (desk.ground)();
    let all = desk.store.allowances(desk.store.clock().now()).await?;
    let theirs = all.iter().any(|kept| kept.id == id && may_end(&person, &ground.school, kept));
    // What has ended already is what was asked for.
    if theirs {
        desk.store.end_allowance(&id, &person.account().name, "").await?;
    }
    Ok(Redirect::to("/allowances").into_response())
}
