//! What is taken away: the register without personal data, all of it for the data protection officer, and what of one child
//! was in which incident. Each is in the audit.

use axum::Form;
use axum::extract::State as From;
use axum::http::header;
use axum::response::IntoResponse;
use minijinja::context;
use serde::Deserialize;

use super::fields::{child, known_kinds};
use super::{exact, summary, within};
use crate::people::School;
use crate::review::State;
use crate::review::access::{Reach, Task};
use crate::review::csv;
use crate::review::pages::{Answer, not_found, page};
use crate::review::person::Person;
use crate::review::sign_in::stale;
use crate::store::{Export, Incident, IncidentFilter};

/// What stands in the form.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    token: String,
    what: String,
}

/// POST `/incidents/export`.
pub async fn export(From(desk): From<State>, person: Person, Form(form): Form<Wanted>) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    let Some(filter) = within(&person, IncidentFilter::default()) else { return not_found(&desk, Some(&person)) };
    let what = match form.what.as_str() {
        "whole" if person.reach(Task::CloseIncident) == Reach::All => Export::Whole,
        "register" => Export::Register,
        _ => return not_found(&desk, Some(&person)),
    };
    let all = desk.store.export_incidents(what, None, filter.safeguarding, &person.account().name).await?;
    let ground = (desk.ground)();
    let text = table(&all, (what == Export::Whole).then_some(&ground.school), &desk.now());
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"incidents.csv\""),
    ];
    Ok((headers, text).into_response())
}

fn told(told: Option<bool>) -> &'static str {
    match told {
        Some(true) => "yes",
        Some(false) => "no",
        None => "open",
    }
}

/// The register as a table; with the school, with names and words.
pub fn table(all: &[Incident], whole: Option<&School>, now: &jiff::Zoned) -> String {
    let mut head = vec![
        "reference",
        "kind",
        "opened",
        "through",
        "aware since",
        "72 hours end",
        "children",
        "kinds of data",
        "ICO told",
        "ICO answered",
        "families told",
        "closed",
    ];
    if whole.is_some() {
        head.extend([
            "opened by",
            "aware said by",
            "message",
            "report",
            "what happened",
            "whose data",
            "adults",
            "to whom",
            "likely consequences",
            "measures",
            "why the ICO is told or not",
            "why the families are told or not",
            "why closed",
            "last written by",
        ]);
    }
    let mut out = csv::line(head);
    for incident in all {
        let (line, assessment) = (&incident.line, incident.assessment());
        let known = known_kinds();
        let kinds: Vec<&str> = assessment.kinds().into_iter().filter(|kind| known.contains(kind)).collect();
        let mut cells = vec![
            line.id.0.clone(),
            line.kind.in_words().to_owned(),
            exact(Some(line.opened_at), now),
            line.origin.as_str().to_owned(),
            exact(line.aware_at, now),
            exact(line.ends_at(), now),
            line.children.to_string(),
            kinds.join(", "),
            told(line.ico).to_owned(),
            exact(line.ico_at, now),
            told(line.families).to_owned(),
            exact(line.closed_at, now),
        ];
        if let Some(school) = whole {
            let id = |id: &Option<crate::store::QueueId>| id.as_ref().map(ToString::to_string).unwrap_or_default();
            let children: Vec<String> = assessment.children.iter().map(|one| child(one, school)).collect();
            cells.extend([
                line.opened_by.clone(),
                line.aware_by.clone().unwrap_or_default(),
                id(&line.message),
                id(&line.report),
                assessment.happened.clone(),
                children.join("; "),
                assessment.adults.clone(),
                assessment.to_whom.clone(),
                assessment.consequences.clone(),
                assessment.measures.clone(),
                assessment.ico_why.clone(),
                assessment.families_why.clone(),
                assessment.closed_why.clone(),
                incident.versions.first().map(|written| written.by.clone()).unwrap_or_default(),
            ]);
        }
        out += &csv::line(cells);
    }
    out
}

/// What stands in the form of a dossier.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Whose {
    token: String,
    pupil: String,
}

/// GET `/incidents/dossier`.
pub async fn ask_dossier(From(desk): From<State>, person: Person) -> Answer {
    if person.reach(Task::EditIncident) != Reach::All {
        return not_found(&desk, Some(&person));
    }
    page(&desk, Some(&person), "dossier.html", "/incidents", context! {})
}

/// POST `/incidents/dossier`.
pub async fn dossier(From(desk): From<State>, person: Person, Form(form): Form<Whose>) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    if person.reach(Task::EditIncident) != Reach::All {
        return not_found(&desk, Some(&person));
    }
    let pupil = form.pupil.trim();
    let now = desk.now();
    let ground = (desk.ground)();
    let all = desk.store.export_incidents(Export::Dossier, Some(pupil), false, &person.account().name).await?;
    let rows: Vec<_> = all
        .iter()
        .map(|incident| {
            let theirs = incident.assessment().children.iter().filter(|child| child.pupil.as_deref() == Some(pupil));
            let kinds: Vec<&str> = theirs.flat_map(|child| &child.kinds).map(String::as_str).collect();
            context! {
                id => incident.line.id.0.as_str(),
                words => summary(&incident.line, &now),
                kinds => kinds.join(", "),
                to_whom => incident.assessment().to_whom.as_str(),
                families => told(incident.line.families),
            }
        })
        .collect();
    let found = ground.school.pupil_by_id(pupil).and_then(|at| ground.school.pupil(at));
    let name = found.map(|pupil| format!("{} {}", pupil.forename, pupil.surname));
    page(&desk, Some(&person), "dossier.html", "/incidents", context! { shown => true, pupil, name, rows })
}
