//! Who is exempt from which rule, until when: granted by the head, seen by those who keep the system.

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
use super::view::{self, Trouble, time};
use crate::limits;
use crate::relay::remembered;
use crate::smtp::Address;
use crate::store::StoreError;

/// What stands in the form.
#[derive(Default, Deserialize)]
pub struct Grant {
    #[serde(default)]
    token: String,
    #[serde(default)]
    rule: String,
    #[serde(default)]
    sender: String,
    /// The last day.
    #[serde(default)]
    until: String,
    #[serde(default)]
    because: String,
}

async fn show(desk: &State, person: &Person, filled: &Grant, trouble: Option<Trouble>) -> Answer {
    let now = desk.now();
    let ground = (desk.ground)();
    let all = desk.store.exemptions(now.timestamp()).await?;
    let rows: Vec<_> = all
        .iter()
        .map(|kept| {
            let one = &kept.exemption;
            context! {
                id => kept.id.as_str(),
                sender => one.sender.as_str(),
                rule => one.rule.replace('-', " "),
                until => view::last_day(one.until, &now),
                by => one.by.as_str(),
                because => one.because.as_str(),
                given => time(one.given_at, &now),
            }
        })
        .collect();
    let rules = ground.pack.rules.iter().filter(|rule| rule.exempt);
    let rules: Vec<_> =
        rules.map(|rule| context! { id => rule.id.as_str(), words => rule.id.replace('-', " ") }).collect();
    let status = if trouble.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let own = context! {
        rows,
        rules,
        may_grant => person.reach(Task::GrantExemption) == Reach::All,
        filled => context! {
            rule => filled.rule.as_str(),
            sender => filled.sender.as_str(),
            until => filled.until.as_str(),
            because => filled.because.as_str(),
        },
        trouble,
    };
    page_as(status, desk, Some(person), "exemptions.html", "/exemptions", own)
}

/// GET `/exemptions`.
pub async fn list(From(desk): From<State>, person: Person) -> Answer {
    if person.reach(Task::GrantExemption) == Reach::Nothing {
        return not_found(&desk, Some(&person));
    }
    show(&desk, &person, &Grant::default(), None).await
}

/// POST `/exemptions`.
pub async fn grant(From(desk): From<State>, person: Person, Form(form): Form<Grant>) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    if person.reach(Task::GrantExemption) != Reach::All {
        return not_found(&desk, Some(&person));
    }
    let trouble = |field, words: &str| Some(Trouble::at(field, words.to_owned()));
    let Ok(sender) = Address::parse(form.sender.trim()) else {
        return show(&desk, &person, &form, trouble("sender", "This is no e-mail address.")).await;
    };
    let Some(until) = view::end_of_day(&form.until, &desk.now(), limits::EXEMPTION_DAYS) else {
        let words = format!("Choose a last day from today on, at most {} days ahead.", limits::EXEMPTION_DAYS);
        return show(&desk, &person, &form, trouble("until", &words)).await;
    };
    if form.because.trim().is_empty() {
        return show(&desk, &person, &form, trouble("because", "Say why; it goes into the record.")).await;
    }
    let new = match remembered::exemption(&(desk.ground)(), &form.rule, &sender, until, &form.because) {
        Ok(new) => new,
        Err(why) => return show(&desk, &person, &form, trouble("rule", &why)).await,
    };
    let who = &person.account().name;
    match desk.store.exempt(new, who, who).await {
        Ok(()) => Ok(Redirect::to("/exemptions").into_response()),
        Err(StoreError::Refused(why)) => show(&desk, &person, &form, trouble("rule", &why)).await,
        Err(error) => Err(error.into()),
    }
}

/// What stands in the form that ends one.
#[derive(Deserialize)]
pub struct End {
    #[serde(default)]
    token: String,
}

/// POST `/exemptions/ID/end`.
pub async fn end(From(desk): From<State>, person: Person, Path(id): Path<String>, Form(form): Form<End>) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    if person.reach(Task::GrantExemption) != Reach::All {
        return not_found(&desk, Some(&person));
    }
    // What has ended already is what was asked for.
    desk.store.end_exemption(&id, &person.account().name, "").await?;
    Ok(Redirect::to("/exemptions").into_response())
}
