//! Opening what was found, the whole message, and the original; sealed mail on request and approval.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State as From};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use minijinja::context;
use serde::{Deserialize, Serialize};

use super::State;
use super::access::{Task, may};
use super::held::{Filled, Look, Seen, find, show};
use super::pages::{Answer, PageError, not_found, page, refused};
use super::person::Person;
use super::sign_in::{Press, stale};
use crate::extract::{self, Isolation, Unread};
use crate::inspect::view::place;
use crate::limits;
use crate::message;
use crate::store::accounts::{AccountId, Looked};
use crate::store::{LawfulPurpose, QueueId};
use crate::text::{Block, Document, Halt};

/// What stands in the form before anything opens.
#[derive(Deserialize)]
pub struct Why {
    #[serde(default)]
    token: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    why: String,
}

impl Why {
    /// The purpose as it is recorded; none where none was chosen.
    fn recorded(&self) -> Option<String> {
        let purpose: LawfulPurpose = self.purpose.parse().ok()?;
        let more = self.why.trim();
        Some(if more.is_empty() { purpose.as_str().to_owned() } else { format!("{}: {more}", purpose.as_str()) })
    }
}

#[derive(Debug, Clone, Serialize)]
struct Choice {
    id: &'static str,
    words: &'static str,
}

super::view::printed!(Choice, Part);

/// The message, where this person may open so much of it.
async fn may_open(desk: &State, person: &Person, id: &str, task: Task) -> Result<Option<Seen>, PageError> {
    let seen = find(desk, person, id).await?;
    Ok(seen.filter(|seen| !seen.sealed && may(&person.account().roles, task, &seen.traits)))
}

fn purpose_page(desk: &State, person: &Person, id: &QueueId, what: &str, action: &str) -> Answer {
    let purposes: Vec<Choice> =
        LawfulPurpose::ALL.map(|purpose| Choice { id: purpose.as_str(), words: purpose.in_words() }).into();
    let id = id.to_string();
    let action = format!("/held/{id}/{action}");
    page(desk, Some(person), "purpose.html", "/held", context! { id, what, action, purposes })
}

/// GET `/held/ID/findings`: asks for the purpose, once.
pub async fn ask_findings(From(desk): From<State>, person: Person, Path(id): Path<String>) -> Answer {
    let Some(seen) = may_open(&desk, &person, &id, Task::OpenFindings).await? else {
        return not_found(&desk, Some(&person));
    };
    let id = seen.message.summary.id;
    // They stand on the message's own page from then on.
    if desk.store.opened_for(&id, &person.account().id, Looked::Findings).await?.is_some() {
        return Ok(to_message(&id));
    }
    purpose_page(&desk, &person, &id, "the passages", "findings")
}

/// POST `/held/ID/findings`: shows the message with them.
pub async fn findings(
    From(desk): From<State>,
    person: Person,
    Path(id): Path<String>,
    Form(form): Form<Why>,
) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    let Some(seen) = may_open(&desk, &person, &id, Task::OpenFindings).await? else {
        return not_found(&desk, Some(&person));
    };
    let id = &seen.message.summary.id;
    let Some(purpose) = form.recorded() else {
        return purpose_page(&desk, &person, id, "the passages", "findings");
    };
    desk.store.note_opened(id, &person.account().id, Looked::Findings, &purpose).await?;
    show(&desk, &person, seen, &Filled::default(), None, Look::Noted).await
}

/// GET `/held/ID/content`: asks for the purpose once; later it shows the message, and each look is recorded.
pub async fn ask_content(From(desk): From<State>, person: Person, Path(id): Path<String>) -> Answer {
    let Some(seen) = may_open(&desk, &person, &id, Task::OpenWhole).await? else {
        return not_found(&desk, Some(&person));
    };
    let id = seen.message.summary.id;
    if !desk.store.note_opened_again(&id, &person.account().id, Looked::Content).await? {
        return purpose_page(&desk, &person, &id, "the whole message", "content");
    }
    whole(&desk, &person, &id).await
}

/// POST `/held/ID/content`.
pub async fn content(From(desk): From<State>, person: Person, Path(id): Path<String>, Form(form): Form<Why>) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    let Some(seen) = may_open(&desk, &person, &id, Task::OpenWhole).await? else {
        return not_found(&desk, Some(&person));
    };
    let id = seen.message.summary.id;
    let Some(purpose) = form.recorded() else {
        return purpose_page(&desk, &person, &id, "the whole message", "content");
    };
    desk.store.note_opened(&id, &person.account().id, Looked::Content, &purpose).await?;
    whole(&desk, &person, &id).await
}

/// The whole message as text, with the purpose for which it was opened. The look is recorded already.
async fn whole(desk: &State, person: &Person, id: &QueueId) -> Answer {
    let purpose = desk.store.opened_for(id, &person.account().id, Looked::Content).await?.unwrap_or_default();
    let raw = desk.store.content(id).await?;
    let workers = Arc::clone(&desk.workers);
    let read = tokio::task::spawn_blocking(move || read(&*workers, &raw)).await;
    let Ok((parts, unread)) = read else {
        let words = "The message could not be read for showing. The original can be downloaded.";
        return refused(desk, Some(person), StatusCode::INTERNAL_SERVER_ERROR, "It could not be shown", words);
    };
    let own = context! { id => id.to_string(), purpose => in_words(&purpose), parts, unread };
    page(desk, Some(person), "content.html", "/held", own)
}

/// A recorded purpose as its form said it: `facts: a parent rang` is "To establish … (a parent rang)".
pub fn in_words(recorded: &str) -> String {
    let (word, more) = recorded.split_once(": ").unwrap_or((recorded, ""));
    let Ok(purpose) = word.parse::<LawfulPurpose>() else { return recorded.to_owned() };
    if more.is_empty() { purpose.in_words().to_owned() } else { format!("{} ({more})", purpose.in_words()) }
}

/// A part of a message as text.
#[derive(Debug, Clone, Serialize)]
struct Part {
    place: String,
    hidden: bool,
    text: String,
}

/// Every text of a message in its place, and what could not be read.
fn read(workers: &dyn Isolation, raw: &[u8]) -> (Vec<Part>, Vec<String>) {
    let message = message::read(raw);
    let reading = extract::read_with(Some(workers), &Halt::default(), &message);
    let parts = reading.documents.iter().flat_map(parts).collect();
    let told = |unread: &Unread| format!("{}: {}", place(&unread.part, None), unread.why.as_str().replace('-', " "));
    (parts, reading.unread.iter().map(told).collect())
}

/// The blocks of a document, those of one place together.
fn parts(document: &Document) -> Vec<Part> {
    let mut out: Vec<Part> = Vec::new();
    for block in &document.blocks {
        let (detail, text) = match block {
            Block::Paragraph { text, detail } => (detail, text.clone()),
            Block::Table(table) => {
                let rows: Vec<String> = table.rows().map(|row| row.joined(" | ")).collect();
                (&table.detail, rows.join("\n"))
            }
        };
        let place = place(&document.place, detail.as_deref());
        let hidden = detail.as_ref().is_some_and(|detail| detail.to_lowercase().contains("hidden"));
        match out.last_mut() {
            Some(last) if last.place == place => {
                last.text.push('\n');
                last.text.push_str(&text);
            }
            _ => out.push(Part { place, hidden, text }),
        }
    }
    for part in &mut out {
        if part.text.len() > limits::SHOWN_PART_OCTETS {
            let end = (0..=limits::SHOWN_PART_OCTETS).rev().find(|&at| part.text.is_char_boundary(at)).unwrap_or(0);
            part.text.truncate(end);
            part.text.push_str("\n… (the rest is in the original)");
        }
    }
    out
}

/// POST `/held/ID/original`: the bytes as they came, as a file to save.
pub async fn original(
    From(desk): From<State>,
    person: Person,
    Path(id): Path<String>,
    Form(form): Form<Press>,
) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    let Some(seen) = may_open(&desk, &person, &id, Task::OpenWhole).await? else {
        return not_found(&desk, Some(&person));
    };
    let id = seen.message.summary.id;
    if !desk.store.note_opened_again(&id, &person.account().id, Looked::Original).await? {
        return purpose_page(&desk, &person, &id, "the whole message", "content");
    }
    let raw = desk.store.content(&id).await?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/octet-stream"));
    // The id is letters and digits: nothing of the message stands in the name.
    if let Ok(name) = format!("attachment; filename=\"{id}.eml\"").parse() {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok((headers, raw.to_vec()).into_response())
}

/// What stands in the form of a request.
#[derive(Deserialize)]
pub struct Ask {
    #[serde(default)]
    token: String,
    #[serde(default)]
    why: String,
}

/// POST `/held/ID/ask`: asks the chair to open a sealed message.
pub async fn ask_to_open(
    From(desk): From<State>,
    person: Person,
    Path(id): Path<String>,
    Form(form): Form<Ask>,
) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    let seen = find(&desk, &person, &id).await?;
    let fits = |seen: &Seen| seen.sealed && may(&person.account().roles, Task::OpenFindings, &seen.traits);
    let Some(seen) = seen.filter(fits) else { return not_found(&desk, Some(&person)) };
    let id = seen.message.summary.id;
    if form.why.trim().is_empty() {
        let words = "Write why the message has to be opened. Nothing was asked yet.";
        return refused(&desk, Some(&person), StatusCode::UNPROCESSABLE_ENTITY, "A reason is wanted", words);
    }
    desk.store.ask_to_open(&id, &person.account().id, form.why.trim()).await?;
    Ok(to_message(&id))
}

/// What stands in the form of an approval.
#[derive(Deserialize)]
pub struct Approve {
    #[serde(default)]
    token: String,
    #[serde(default)]
    request: String,
}

/// POST `/held/ID/approve`: for one message, one person, a few hours.
pub async fn approve(
    From(desk): From<State>,
    person: Person,
    Path(id): Path<String>,
    Form(form): Form<Approve>,
) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    let seen = find(&desk, &person, &id).await?;
    let fits = |seen: &Seen| may(&person.account().roles, Task::ApproveOpening, &seen.traits);
    let Some(seen) = seen.filter(fits) else { return not_found(&desk, Some(&person)) };
    let id = seen.message.summary.id;
    desk.store.approve_opening(&id, &AccountId(form.request), &person.account().id).await?;
    Ok(to_message(&id))
}

fn to_message(id: &QueueId) -> Response {
    Redirect::to(&format!("/held/{id}")).into_response()
}
