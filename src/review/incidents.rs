//! The register of breaches and near misses: the list, one incident with all that is written of it, and what leads to one.
//!
//! Whoever opens an incident is in the audit before it is shown. Nobody writes on an incident about a message of their own, or
//! one that they reported; they may read it.

mod export;
mod fields;

use axum::Form;
use axum::extract::{Path, Query, State as From};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use minijinja::context;
use serde::Deserialize;

use self::fields::Fields;
use super::State;
use super::access::{Reach, Task};
use super::pages::{Answer, PageError, not_found, page, page_as, refused};
use super::person::Person;
use super::sign_in::stale;
use super::view::{Trouble, said, time};
use crate::limits;
use crate::school_time::left_in_words;
use crate::smtp::Address;
use crate::store::{
    Assessment, Incident, IncidentFilter, IncidentKey, IncidentKind, IncidentLine, NewIncident, Origin, QueueId,
    StoreError,
};

pub use self::export::{ask_dossier, dossier, export, table};
pub use self::fields::child;

/// What somebody may see of the register: nothing of it, or these.
fn within(person: &Person, mut filter: IncidentFilter) -> Option<IncidentFilter> {
    match person.reach(Task::SeeIncidents) {
        Reach::All => Some(filter),
        Reach::Safeguarding => {
            filter.safeguarding = true;
            Some(filter)
        }
        _ => None,
    }
}

/// What of the clock is left, in words; nothing where none runs.
fn clock(line: &IncidentLine, now: Timestamp) -> Option<String> {
    let ends = line.ends_at().filter(|_| line.runs())?;
    Some(match left_in_words(ends, now) {
        Some(left) => format!("{left} to tell the ICO"),
        None => "The 72 hours are over. Tell the ICO now, and why it is late".to_owned(),
    })
}

/// Where an incident stands, in a few words.
fn standing(line: &IncidentLine, now: Timestamp) -> String {
    match (line.closed_at, line.kind, line.ico) {
        (Some(_), ..) => "closed".to_owned(),
        (None, IncidentKind::NearMiss, _) => "near miss".to_owned(),
        (None, _, Some(true)) => "the ICO is told".to_owned(),
        (None, _, Some(false)) => "the ICO is not told".to_owned(),
        (None, _, None) => {
            clock(line, now).unwrap_or_else(|| "nobody has said since when we are aware of it".to_owned())
        }
    }
}

/// What the address of the list says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    show: String,
    after: String,
}

/// GET `/incidents`.
pub async fn list(From(desk): From<State>, person: Person, Query(asked): Query<Asked>) -> Answer {
    let show = match asked.show.as_str() {
        word @ ("all" | "near-misses") => word,
        _ => "open",
    };
    let filter = match show {
        "all" => IncidentFilter::default(),
        "near-misses" => IncidentFilter { kind: Some(IncidentKind::NearMiss), ..IncidentFilter::default() },
        _ => IncidentFilter { open: Some(true), kind: Some(IncidentKind::LikelyBreach), ..IncidentFilter::default() },
    };
    let Some(filter) = within(&person, filter) else { return not_found(&desk, Some(&person)) };
    let after: Option<IncidentKey> = asked.after.parse().ok();
    let (lines, next) = desk.store.incidents(filter, after.as_ref(), limits::INCIDENT_PAGE).await?;
    let now = desk.now();
    let rows: Vec<_> = lines
        .iter()
        .map(|line| {
            context! {
                id => line.id.0.as_str(),
                kind => line.kind.in_words(),
                children => super::view::count(line.children, "child", "children"),
                opened => time(line.opened_at, &now),
                by => line.opened_by.as_str(),
                standing => standing(line, now.timestamp()),
                runs => line.runs(),
            }
        })
        .collect();
    let more = next.map(|key| format!("/incidents?show={show}&after={key}"));
    let own = context! {
        rows,
        more,
        show,
        edits => person.reach(Task::EditIncident) == Reach::All,
        whole => person.reach(Task::CloseIncident) == Reach::All,
        kept => limits::INCIDENT_KEEP_YEARS,
    };
    page(&desk, Some(&person), "incidents.html", "/incidents", own)
}

/// Somebody's own: about a message from or to them, about them, or reported by them.
fn is_own(desk: &State, person: &Person, incident: &Incident) -> bool {
    let own = person.own(&(desk.ground)().school);
    let concerned = incident.assessment().concerned.iter().filter_map(|mailbox| Address::parse(mailbox).ok());
    concerned.into_iter().any(|mailbox| own.iter().any(|one| one.is_same_mailbox(&mailbox)))
}

/// An incident that this person may see; nothing where there is none or it is not theirs: the two look the same. Records
/// nothing yet.
async fn find(desk: &State, person: &Person, id: &str) -> Result<Option<Incident>, PageError> {
    let Some(filter) = within(person, IncidentFilter::default()) else { return Ok(None) };
    let found = desk.store.read_incident(&QueueId(id.to_owned())).await?;
    Ok(found.filter(|incident| !filter.safeguarding || incident.line.safeguarding))
}

/// One that this person may write on, or what is answered instead.
async fn writable(desk: &State, person: &Person, id: &str, task: Task) -> Result<Result<Incident, Answer>, PageError> {
    let Some(incident) = find(desk, person, id).await? else { return Ok(Err(not_found(desk, Some(person)))) };
    if person.reach(task) != Reach::All {
        return Ok(Err(not_found(desk, Some(person))));
    }
    if is_own(desk, person, &incident) {
        let words =
            "It is about a message of yours, or you reported it: somebody else writes on it. Nothing was changed.";
        return Ok(Err(refused(desk, Some(person), StatusCode::FORBIDDEN, "Not yours to write on", words)));
    }
    Ok(Ok(incident))
}

/// GET `/incidents/ID`.
pub async fn one(From(desk): From<State>, person: Person, Path(id): Path<String>) -> Answer {
    if find(&desk, &person, &id).await?.is_none() {
        return not_found(&desk, Some(&person));
    }
    let incident = desk.store.see_incident(&QueueId(id), &person.account().name).await?;
    show(&desk, &person, &incident, None, None)
}

/// The page of one incident, with what stood in the form when it came back.
fn show(
    desk: &State,
    person: &Person,
    incident: &Incident,
    filled: Option<Fields>,
    trouble: Option<Trouble>,
) -> Answer {
    let now = desk.now();
    let ground = (desk.ground)();
    let line = &incident.line;
    let assessment = incident.assessment();
    let open = line.closed_at.is_none();
    let own = is_own(desk, person, incident);
    let edits = open && !own && person.reach(Task::EditIncident) == Reach::All;
    let status = if trouble.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let fields = filled.unwrap_or_else(|| Fields::of(assessment, &ground.school));
    let versions: Vec<_> = incident
        .versions
        .iter()
        .map(|written| {
            let earlier = Fields::of(&written.assessment, &ground.school);
            context! {
                version => written.version,
                by => written.by.as_str(),
                at => time(written.at, &now),
                fields => earlier.shown(),
                newest => written.version == line.version,
            }
        })
        .collect();
    let origin = match line.origin {
        Origin::Decision => "a decision on held mail",
        Origin::Report => "a report by mail",
        Origin::Hand => "hand",
    };
    let own = context! {
        id => line.id.0.as_str(),
        message => line.message.as_ref().map(|id| id.0.as_str()),
        report => line.report.as_ref().map(|id| id.0.as_str()),
        origin,
        kind => line.kind.in_words(),
        breach => line.kind == IncidentKind::LikelyBreach,
        opened => time(line.opened_at, &now),
        opened_by => line.opened_by.as_str(),
        aware => line.aware_at.map(|at| time(at, &now)),
        aware_by => line.aware_by.as_deref(),
        ends => line.ends_at().map(|at| time(at, &now)),
        clock => clock(line, now.timestamp()),
        ico_at => line.ico_at.map(|at| time(at, &now)),
        families_at => line.families_at.map(|at| time(at, &now)),
        closed => line.closed_at.map(|at| time(at, &now)),
        closed_by => line.closed_by.as_deref(),
        closed_why => assessment.closed_why.as_str(),
        version => line.version,
        fields => fields.shown(),
        versions,
        open,
        own,
        edits,
        closes => open && !own && person.reach(Task::CloseIncident) == Reach::All,
        kinds => fields::known_kinds().join(", "),
        most => limits::INCIDENT_WORDS_CHARS,
        today => now.date().to_string(),
        time => now.strftime("%H:%M").to_string(),
        trouble,
    };
    page_as(status, desk, Some(person), "incident.html", "/incidents", own)
}

/// POST `/incidents/ID/write`.
pub async fn write(
    From(desk): From<State>,
    person: Person,
    Path(id): Path<String>,
    Form(form): Form<Fields>,
) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    let incident = match writable(&desk, &person, &id, Task::EditIncident).await? {
        Ok(incident) => incident,
        Err(answer) => return answer,
    };
    let read = form.assessment(&(desk.ground)().school);
    let read = read.and_then(|assessment| match assessment.problem() {
        Some((field, words)) => Err(Trouble::at(field, words.to_owned())),
        None => Ok(assessment),
    });
    let assessment = match read {
        Ok(assessment) => assessment,
        Err(trouble) => return show(&desk, &person, &incident, Some(form), Some(trouble)),
    };
    let written = desk.store.write_incident(&incident.line.id, form.version, assessment, &person.account().name).await;
    done(&desk, &person, &incident, Some(form), written)
}

/// What follows a change: the page anew, or with what is wrong.
fn done(
    desk: &State,
    person: &Person,
    incident: &Incident,
    filled: Option<Fields>,
    result: Result<(), StoreError>,
) -> Answer {
    match result {
        Ok(()) => Ok(Redirect::to(&format!("/incidents/{}", incident.line.id)).into_response()),
        Err(StoreError::Refused(why)) => {
            let mut words = why.chars();
            let first = words.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
            let words = format!("{first}{}.", words.as_str());
            show(desk, person, incident, filled, Some(Trouble::at("main", words)))
        }
        Err(error) => Err(error.into()),
    }
}

/// What stands in the form by which somebody says since when the school is aware.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Aware {
    token: String,
    day: String,
    time: String,
    /// Of a box: present where it was ticked.
    sure: String,
}

/// POST `/incidents/ID/aware`.
pub async fn aware(From(desk): From<State>, person: Person, Path(id): Path<String>, Form(form): Form<Aware>) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    let incident = match writable(&desk, &person, &id, Task::EditIncident).await? {
        Ok(incident) => incident,
        Err(answer) => return answer,
    };
    let trouble = |field, words: &str| Some(Trouble::at(field, words.to_owned()));
    let at = form.day.trim().parse::<Date>().ok().zip(form.time.trim().parse::<Time>().ok());
    let at = at.and_then(|(day, time)| day.to_datetime(time).to_zoned(desk.now().time_zone().clone()).ok());
    let Some(at) = at else {
        return show(&desk, &person, &incident, None, trouble("day", "Give the day and the time."));
    };
    if form.sure.is_empty() {
        let words = "Tick the box: from then on the 72 hours run.";
        return show(&desk, &person, &incident, None, trouble("sure", words));
    }
    let set = desk.store.aware_of_incident(&incident.line.id, at.timestamp(), &person.account().name).await;
    done(&desk, &person, &incident, None, set)
}

/// What stands in the form that closes one.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Close {
    token: String,
    why: String,
}

/// POST `/incidents/ID/close`.
pub async fn close(From(desk): From<State>, person: Person, Path(id): Path<String>, Form(form): Form<Close>) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    let incident = match writable(&desk, &person, &id, Task::CloseIncident).await? {
        Ok(incident) => incident,
        Err(answer) => return answer,
    };
    let why: String = form.why.chars().take(limits::INCIDENT_WORDS_CHARS).collect();
    let closed = desk.store.close_incident(&incident.line.id, &why, &person.account().name).await;
    done(&desk, &person, &incident, None, closed)
}

/// What stands in the form that opens one.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct New {
    token: String,
    kind: String,
    message: String,
    happened: String,
}

fn form_new(desk: &State, person: &Person, filled: &New, trouble: Option<Trouble>) -> Answer {
    let status = if trouble.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let own = context! {
        kind => filled.kind.as_str(),
        message => filled.message.as_str(),
        happened => filled.happened.as_str(),
        most => limits::INCIDENT_WORDS_CHARS,
        trouble,
    };
    page_as(status, desk, Some(person), "incident-new.html", "/incidents", own)
}

/// GET `/incidents/new`.
pub async fn ask_new(From(desk): From<State>, person: Person) -> Answer {
    match person.reach(Task::EditIncident) {
        Reach::All => form_new(&desk, &person, &New::default(), None),
        _ => not_found(&desk, Some(&person)),
    }
}

/// POST `/incidents/new`.
pub async fn new(From(desk): From<State>, person: Person, Form(form): Form<New>) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    if person.reach(Task::EditIncident) != Reach::All {
        return not_found(&desk, Some(&person));
    }
    let trouble = |field, words: &str| Some(Trouble::at(field, words.to_owned()));
    let Ok(kind) = form.kind.parse::<IncidentKind>() else {
        return form_new(&desk, &person, &form, trouble("kind", "Say whether it is a likely breach or a near miss."));
    };
    if form.happened.trim().is_empty() {
        return form_new(&desk, &person, &form, trouble("happened", "Say what happened."));
    }
    let message = Some(form.message.trim()).filter(|text| !text.is_empty()).map(|text| QueueId(text.to_owned()));
    let mut assessment = Assessment::default();
    if let Some(id) = &message {
        // Whoever may not see the message is told the same as where there is none.
        if super::held::find(&desk, &person, &id.0).await?.is_none() {
            return form_new(&desk, &person, &form, trouble("message", "There is no held message of this reference."));
        }
        assessment = desk.store.assessment_of(id).await?;
    }
    assessment.kind = kind;
    assessment.happened = form.happened.trim().chars().take(limits::INCIDENT_WORDS_CHARS).collect();
    let new = NewIncident {
        id: QueueId::generate(desk.store.clock().now()),
        message,
        report: None,
        origin: Origin::Hand,
        assessment,
        who: person.account().name.clone(),
    };
    match desk.store.open_incident(new).await? {
        Some(id) => Ok(Redirect::to(&format!("/incidents/{id}")).into_response()),
        None => {
            let words = "There is an incident about this message already; it is in the register.";
            form_new(&desk, &person, &form, trouble("message", words))
        }
    }
}

/// A time in the way of exports.
fn exact(at: Option<Timestamp>, now: &jiff::Zoned) -> String {
    at.map(|at| at.to_zoned(now.time_zone().clone()).strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

/// For the list of a dossier.
fn summary(line: &IncidentLine, now: &jiff::Zoned) -> String {
    format!("{}, opened {}, {}", line.kind.in_words(), said(line.opened_at, now), standing(line, now.timestamp()))
}
