//! A decision from the form: checked, carried out once, answered with what comes next.

use axum::Form;
use axum::extract::{Path, State as From};
use axum::response::Response;
use minijinja::context;
use serde::Deserialize;

use super::State;
use super::access::{Reach, Task, may};
use super::held::{Filled, Look, Seen, chosen, find, show};
use super::pages::{Answer, not_found, page, refused};
use super::person::Person;
use super::sign_in::stale;
use super::view::{self, Trouble};
use crate::inspect::view::shown;
use crate::limits;
use crate::relay::decide as relay;
use crate::relay::remembered::rememberable;
use crate::store::{Classification, Decision, GATEWAY, Grounds, HeldFilter, NewAllowance, Ruling, StoreError};

/// What stands in the form.
#[derive(Deserialize)]
pub struct Decide {
    #[serde(default)]
    token: String,
    #[serde(default)]
    key: String,
    #[serde(default)]
    decision: String,
    #[serde(default)]
    class: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    note: String,
    /// Of a box: present where it was ticked.
    #[serde(default)]
    remember: String,
    /// The last day on which it is remembered.
    #[serde(default)]
    until: String,
}

/// POST `/held/ID/decide`.
pub async fn decide(
    From(desk): From<State>,
    person: Person,
    Path(id): Path<String>,
    Form(form): Form<Decide>,
) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    let Some(seen) = find(&desk, &person, &id).await? else { return not_found(&desk, Some(&person)) };
    if !may(&person.account().roles, Task::Decide, &seen.traits) {
        let words = "Somebody else decides on this message. Nothing was changed.";
        return refused(&desk, Some(&person), axum::http::StatusCode::FORBIDDEN, "Not for you to decide", words);
    }
    let entitled = || -> Vec<u32> {
        let Some(report) = &seen.message.report else { return Vec::new() };
        let ground = (desk.ground)();
        let parties = shown(report, &ground.school).recipients;
        (0..).zip(parties).filter(|(_, party)| party.entitled).map(|(at, _)| at).collect()
    };
    let (word, ready) = chosen(&form.decision).unwrap_or_default();
    let ruling = match word {
        "release" => Ok(Ruling::Release),
        "release-entitled" => Ok(Ruling::ReleaseTo(entitled())),
        "return" => Ok(Ruling::Return),
        "discard" => Ok(Ruling::Discard),
        _ => Err(Trouble::at("decide", "Choose what becomes of it.".to_owned())),
    };
    let why: Vec<&str> = ready.into_iter().chain([form.reason.trim()]).filter(|words| !words.is_empty()).collect();
    let why = why.join(" ");
    let asked = ruling.and_then(|ruling| {
        let class: Classification = form.class.parse().map_err(|()| {
            Trouble::at("class-breach", "Say whether it was a breach, a near miss or neither.".to_owned())
        })?;
        if why.is_empty() {
            return Err(Trouble::at("reason", "Choose a reason, or write your own.".to_owned()));
        }
        let remember = match form.remember.is_empty() {
            true => Vec::new(),
            false => remember(&desk, &person, &seen, &ruling, &form.until)?,
        };
        Ok((ruling, class, remember))
    });
    let (ruling, class, remember) = match asked {
        Ok(asked) => asked,
        Err(trouble) => {
            let filled = Filled {
                decision: form.decision,
                class: form.class,
                reason: form.reason,
                note: form.note,
                remember: !form.remember.is_empty(),
                until: form.until,
            };
            return show(&desk, &person, seen, &filled, Some(trouble), Look::Another).await;
        }
    };
    let own = person.own(&(desk.ground)().school);
    let asked = relay::Asked {
        ruling: ruling.clone(),
        note: form.note.trim(),
        grounds: Grounds {
            who: person.account().name.clone(),
            why,
            classification: Some(class),
            key: Some(form.key).filter(|key| !key.is_empty() && key.len() <= limits::FORM_KEY_OCTETS),
            remember,
        },
        own: &own,
    };
    let id = seen.message.summary.id.clone();
    let notifier = desk.notifier.load_full();
    match relay::decide(&desk.store, &notifier, &id, &asked).await {
        Ok(Decision::Done) => decided(&desk, &person, "Decided", done(&ruling)).await,
        Ok(Decision::Already(line)) if line.who == GATEWAY => {
            let words = format!(
                "Nobody had decided on it: it {}, {}, and can no longer be sent from here. Your decision changed nothing.",
                view::event(&line.event),
                view::said(line.at, &desk.now())
            );
            decided(&desk, &person, "Its time was over", &words).await
        }
        Ok(Decision::Already(line)) => {
            let words = format!(
                "It {}, by {}, {}. Your decision changed nothing.",
                view::event(&line.event),
                line.who,
                view::said(line.at, &desk.now())
            );
            decided(&desk, &person, "Somebody had decided before you", &words).await
        }
        Err(StoreError::Refused(why)) => {
            refused(&desk, Some(&person), axum::http::StatusCode::CONFLICT, "It could not be done", &why)
        }
        Err(error) => Err(error.into()),
    }
}

/// What is to be remembered of a release.
fn remember(
    desk: &State,
    person: &Person,
    seen: &Seen,
    ruling: &Ruling,
    until: &str,
) -> Result<Vec<NewAllowance>, Trouble> {
    let trouble = |words: &str| Err(Trouble::at("remember", words.to_owned()));
    if person.reach(Task::GiveAllowance) != Reach::All {
        return trouble(
            "The School Business Manager or the head has things remembered. Untick the box to decide without.",
        );
    }
    if *ruling != Ruling::Release {
        return trouble(
            "Only what is released to everybody can be remembered. Untick the box, or choose to release it.",
        );
    }
    // Its pupils would be named to everybody who sees what is allowed.
    if seen.traits.sealed {
        return trouble("What is marked as personal is not remembered. Untick the box to decide without.");
    }
    let Some(until) = view::end_of_day(until, &desk.now(), limits::REMEMBER_DAYS_MOST) else {
        let most = limits::REMEMBER_DAYS_MOST;
        return Err(Trouble::at("until", format!("Choose a last day from today on, at most {most} days ahead.")));
    };
    let sender = seen.message.summary.mail_from.as_ref();
    let report = seen.message.report.as_ref();
    let given = report.map(|report| rememberable(&(desk.ground)(), sender, report, until)).unwrap_or_default();
    if given.is_empty() {
        return trouble(
            "None of the rules that stopped this message lets it be remembered. Untick the box to release it this once.",
        );
    }
    Ok(given)
}

fn done(ruling: &Ruling) -> &'static str {
    match ruling {
        Ruling::Release => "It goes out now, and its sender is told.",
        Ruling::ReleaseTo(_) => "It goes to those entitled. Its sender is told who did not get it.",
        Ruling::Return => "It was returned to the sender. Undo is not possible, because they have been told.",
        Ruling::Discard => "It was discarded. Undo is not possible, because the sender has been told.",
    }
}

/// The page afterwards, with the way to the next.
async fn decided(
    desk: &State,
    person: &Person,
    headline: &str,
    words: &str,
) -> Result<Response, super::pages::PageError> {
    let filter = super::held::within(person, HeldFilter::default());
    let next = match filter {
        Some(filter) => desk.store.held_page(&filter, None, 1).await?.lines.first().map(|line| line.id.to_string()),
        None => None,
    };
    page(desk, Some(person), "decided.html", "", context! { headline, words, next })
}
