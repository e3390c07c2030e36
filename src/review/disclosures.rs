//! Disclosures: at the desk, and as they are handed over – the files of an export, the names in its index, and whether it is as it was made.
//!
//! At the desk nobody sees a request that somebody else made about them, and nobody sees content: what was found is shown by its envelopes.
//! Whoever opens a request is in the audit before it is shown; whoever takes one away says what for.

pub mod archive;
pub mod bundle;
pub mod evidence;
pub mod export;
mod form;
pub mod make;
mod names;
mod take;
pub mod verify;

use axum::Form;
use axum::extract::{Path, State as From};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use jiff::Zoned;
use minijinja::{Value, context};
use serde::Deserialize;

use self::form::Ask;
use super::State;
use super::access::{Reach, Task};
use super::pages::{Answer, PageError, not_found, page_as};
use super::person::Person;
use super::sign_in::stale;
use super::view::{Trouble, last_day, said, time};
use crate::limits;
use crate::people::School;
use crate::store::{
    Acting, Disclosure, DisclosureKind, DisclosureState, Fit, LawfulPurpose, Listed, QueueId, StoreError,
};

pub use self::take::take;

/// In whose name something is done.
fn acting(desk: &State, person: &Person) -> Acting {
    let name = person.account().name.clone();
    Acting { account: name.clone(), who: name, own: person.own(&(desk.ground)().school) }
}

fn may_see(person: &Person) -> bool {
    person.reach(Task::SeeDisclosures) == Reach::All
}

/// Nobody is shown what somebody else asked about them.
fn is_hidden(one: &Disclosure, acting: &Acting) -> bool {
    one.asked_by != acting.account && one.what.is_about(&acting.own)
}

/// A request that this person may see; nothing where there is none or it is not for them: the two look the same. Records nothing yet.
async fn find(desk: &State, person: &Person, id: &str) -> Result<Option<Disclosure>, PageError> {
    if !may_see(person) {
        return Ok(None);
    }
    match desk.store.read_disclosure(&QueueId(id.to_owned())).await {
        Ok(one) => Ok(Some(one).filter(|one| !is_hidden(one, &acting(desk, person)))),
        Err(StoreError::Refused(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What the store says no with, as a sentence.
fn sentence(why: &str) -> String {
    let mut rest = why.chars();
    let first: String = rest.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", rest.as_str())
}

/// Where a request stands.
fn standing(one: &Disclosure, now: &Zoned) -> String {
    let by = one.decided_by.as_deref().unwrap_or_default();
    match (one.state, one.until) {
        (DisclosureState::Asked, _) => "waits for a second person".to_owned(),
        (DisclosureState::Refused, _) => format!("refused by {by}"),
        (DisclosureState::Approved, Some(until)) if one.is_open(now.timestamp()) => {
            format!("approved by {by} until {}", said(until, now))
        }
        (DisclosureState::Approved, _) => format!("approved by {by}; the time is over"),
    }
}

/// The list, with what stood in the form when it came back.
async fn show_list(desk: &State, person: &Person, filled: &Ask, trouble: Option<Trouble>) -> Answer {
    let (now, me) = (desk.now(), acting(desk, person));
    let all = desk.store.disclosures().await?;
    let rows: Vec<Value> = all
        .iter()
        .filter(|one| !is_hidden(one, &me))
        .map(|one| {
            context! {
                id => one.id.0.as_str(),
                kind => one.what.kind.in_words(),
                standing => standing(one, &now),
                by => one.asked_by.as_str(),
                asked => time(one.asked_at, &now),
                messages => super::view::count(one.messages, "message", "messages"),
                left_out => one.left_out,
                taken => one.exported.as_ref().map(|taken| time(taken.at, &now)),
            }
        })
        .collect();
    let status = if trouble.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let kinds = DisclosureKind::ALL.map(|kind| context! { id => kind.as_str(), words => kind.in_words() });
    let own = context! {
        rows,
        kinds => kinds.to_vec(),
        asks => person.reach(Task::Disclose) == Reach::All,
        filled => filled.shown(),
        most => limits::REASON_CHARS,
        days => limits::DISCLOSURE_DAYS,
        trouble,
    };
    page_as(status, desk, Some(person), "disclosures.html", "/disclosures", own)
}

/// GET `/disclosures`.
pub async fn list(From(desk): From<State>, person: Person) -> Answer {
    match may_see(&person) {
        true => show_list(&desk, &person, &Ask::default(), None).await,
        false => not_found(&desk, Some(&person)),
    }
}

/// POST `/disclosures`: asks for one.
pub async fn ask(From(desk): From<State>, person: Person, Form(form): Form<Ask>) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    if person.reach(Task::Disclose) != Reach::All {
        return not_found(&desk, Some(&person));
    }
    let new = match form.read(&desk.now()) {
        Ok(new) => new,
        Err(trouble) => return show_list(&desk, &person, &form, Some(trouble)).await,
    };
    match desk.store.ask_disclosure(new, &acting(&desk, &person)).await {
        Ok(id) => Ok(Redirect::to(&format!("/disclosures/{id}")).into_response()),
        Err(StoreError::Refused(why)) => {
            show_list(&desk, &person, &form, Some(Trouble::at("main", sentence(&why)))).await
        }
        Err(error) => Err(error.into()),
    }
}

/// GET `/disclosures/ID`.
pub async fn one(From(desk): From<State>, person: Person, Path(id): Path<String>) -> Answer {
    match find(&desk, &person, &id).await? {
        Some(one) => show(&desk, &person, &one.id, None).await,
        None => not_found(&desk, Some(&person)),
    }
}

/// What was looked for, a line each.
fn criteria(one: &Disclosure, school: &School, now: &Zoned) -> Vec<String> {
    let search = &one.what.search;
    let pupil = search.pupil.as_ref().map(|id| {
        let pupil = school.pupil_by_id(id).and_then(|at| school.pupil(at));
        pupil.map_or_else(|| id.clone(), |pupil| format!("{} {} ({id})", pupil.forename, pupil.surname))
    });
    let day = |at: jiff::Timestamp| at.to_zoned(now.time_zone().clone()).strftime("%-d %B %Y").to_string();
    let told = [
        ("Words", Some(search.words.clone()).filter(|words| !words.is_empty())),
        ("Pupil", pupil),
        ("Mailbox", search.mailbox.clone()),
        ("From", search.since.map(day)),
        ("To the end of", search.until.map(|until| last_day(until, now))),
        ("Who asked the school", one.what.applicant.clone()),
    ];
    told.into_iter().filter_map(|(what, value)| Some(format!("{what}: {}", value?))).collect()
}

/// What happens to a message of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    LeftOut,
    Sealed,
    NoCopy,
    HandedOver,
}

impl Fate {
    /// `opened`: the chair's grant opens it to whoever looks.
    fn of(message: &Listed, opened: bool) -> Self {
        match (&message.left_out, message.sealed && !opened, message.content) {
            (Some(_), ..) => Self::LeftOut,
            (None, true, _) => Self::Sealed,
            (None, false, false) => Self::NoCopy,
            (None, false, true) => Self::HandedOver,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::LeftOut => "left out",
            Self::Sealed => "sealed: marked personal, handed over only with the chair of governors’ approval",
            Self::NoCopy => "no copy is kept: it is listed without a file",
            Self::HandedOver => "handed over",
        }
    }
}

/// A message in the list: its envelope, and what becomes of it.
fn row(message: &Listed, fate: Fate, now: &Zoned) -> Value {
    context! {
        id => message.id.0.as_str(),
        at => message.at.map(|at| time(at, now)),
        from => message.mail_from.as_deref().unwrap_or("the mail system"),
        to => message.recipients.join(", "),
        state => message.state.map_or("no longer known", |state| state.as_str()),
        standing => fate.in_words(),
        unsure => message.fit == Fit::WordsUnknown,
        out => message.left_out.as_deref(),
        by => message.decided_by.as_deref(),
    }
}

/// The page of one request, with what is wrong with a form of it. The look is recorded here.
async fn show(desk: &State, person: &Person, id: &QueueId, trouble: Option<Trouble>) -> Answer {
    let (one, messages) = desk.store.see_disclosure(id, &person.account().name).await?;
    let (now, ground, me) = (desk.now(), (desk.ground)(), acting(desk, person));
    let (open, about_me) = (one.is_open(now.timestamp()), one.what.is_about(&me.own));
    let works = person.reach(Task::Disclose) == Reach::All && !about_me;
    let waits = one.state == DisclosureState::Asked;
    let mut fates = Vec::with_capacity(messages.len());
    for message in &messages {
        let opened = message.sealed && desk.store.opened_until(&message.id, &person.account().id).await?.is_some();
        fates.push(Fate::of(message, opened));
    }
    let count = |fate| fates.iter().filter(|of| **of == fate).count();
    let purposes = LawfulPurpose::ALL.map(|purpose| context! { id => purpose.as_str(), words => purpose.in_words() });
    let status = if trouble.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let own = context! {
        id => one.id.0.as_str(),
        kind => one.what.kind.in_words(),
        standing => standing(&one, &now),
        by => one.asked_by.as_str(),
        asked => time(one.asked_at, &now),
        criteria => criteria(&one, &ground.school, &now),
        reason => one.what.reason.as_str(),
        refusal => one.refusal.as_deref(),
        taken => one.exported.as_ref().map(|taken| context! {
            at => time(taken.at, &now), by => taken.by.as_str(), index => taken.index.as_str(),
        }),
        found => super::view::count(one.messages, "message", "messages"),
        left_out => count(Fate::LeftOut),
        sealed => count(Fate::Sealed),
        without => count(Fate::NoCopy),
        ready => count(Fate::HandedOver),
        rows => messages.iter().zip(&fates).map(|(message, fate)| row(message, *fate, &now)).collect::<Vec<_>>(),
        about_me,
        decides => waits && !about_me && one.asked_by != me.account && person.reach(Task::ApproveDisclosure) == Reach::All,
        leaves_out => works && (waits || open),
        takes => works && open,
        purposes => purposes.to_vec(),
        most => limits::REASON_CHARS,
        days => limits::DISCLOSURE_DAYS,
        trouble,
    };
    page_as(status, desk, Some(person), "disclosure.html", "/disclosures", own)
}

/// What follows a change: the page anew, or with what is wrong.
async fn done(desk: &State, person: &Person, id: &QueueId, result: Result<(), StoreError>) -> Answer {
    match result {
        Ok(()) => Ok(Redirect::to(&format!("/disclosures/{id}")).into_response()),
        Err(StoreError::Refused(why)) => show(desk, person, id, Some(Trouble::at("main", sentence(&why)))).await,
        Err(error) => Err(error.into()),
    }
}

/// What stands in the form of a decision.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Decide {
    token: String,
    decision: String,
    why: String,
}

/// POST `/disclosures/ID/decide`: approves it or refuses it.
pub async fn decide(
    From(desk): From<State>,
    person: Person,
    Path(id): Path<String>,
    Form(form): Form<Decide>,
) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    let found = find(&desk, &person, &id).await?;
    let Some(one) = found.filter(|_| person.reach(Task::ApproveDisclosure) == Reach::All) else {
        return not_found(&desk, Some(&person));
    };
    let approve = match form.decision.as_str() {
        "approve" => true,
        "refuse" => false,
        _ => {
            let trouble = Trouble::at("decide", "Choose whether it is approved or refused.".to_owned());
            return show(&desk, &person, &one.id, Some(trouble)).await;
        }
    };
    let why: String = form.why.chars().take(limits::REASON_CHARS).collect();
    let decided = desk.store.decide_disclosure(&one.id, approve, &why, &acting(&desk, &person)).await;
    done(&desk, &person, &one.id, decided).await
}

/// What stands in the form of one message.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct LeaveOut {
    token: String,
    message: String,
    /// `out` or `in`.
    what: String,
    why: String,
}

/// POST `/disclosures/ID/leave-out`: leaves a message out, or takes it in again.
pub async fn leave_out(
    From(desk): From<State>,
    person: Person,
    Path(id): Path<String>,
    Form(form): Form<LeaveOut>,
) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    let found = find(&desk, &person, &id).await?;
    let Some(one) = found.filter(|_| person.reach(Task::Disclose) == Reach::All) else {
        return not_found(&desk, Some(&person));
    };
    let why: String = form.why.trim().chars().take(limits::REASON_CHARS).collect();
    let why = match form.what.as_str() {
        "in" => None,
        _ => Some(why.as_str()),
    };
    let changed = desk.store.leave_out(&one.id, &QueueId(form.message), why, &acting(&desk, &person)).await;
    done(&desk, &person, &one.id, changed).await
}
