//! An approved disclosure is taken away from the desk: one ZIP of the files that a folder holds.

use axum::Form;
use axum::extract::{Path, State as From};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;

use super::archive::Archive;
use super::make::{Source, make};
use super::{acting, find, sentence, show};
use crate::limits;
use crate::review::State;
use crate::review::access::{Reach, Task};
use crate::review::pages::{Answer, PageError, not_found, refused};
use crate::review::person::Person;
use crate::review::sign_in::stale;
use crate::review::view::Trouble;
use crate::store::{Acting, AuditLink, Disclosing, Export, Incident, LawfulPurpose, Made, QueueId, Store, StoreError};

/// What stands in the form.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Take {
    token: String,
    purpose: String,
    why: String,
}

/// What an export is made of, as the store gives it.
struct FromStore<'s> {
    store: &'s Store,
    id: QueueId,
    by: Acting,
    purpose: LawfulPurpose,
}

impl Source for FromStore<'_> {
    type Error = PageError;

    async fn content(&mut self, message: &QueueId) -> Result<Vec<u8>, PageError> {
        Ok(self.store.disclose(&self.id, message, self.purpose, &self.by).await?.to_vec())
    }

    async fn lines(&mut self, messages: &[QueueId], after: i64) -> Result<Vec<AuditLink>, PageError> {
        Ok(self.store.audit_about(Some(&self.id), messages, after).await?)
    }

    async fn incidents(&mut self, pupil: &str) -> Result<Vec<Incident>, PageError> {
        Ok(self.store.export_incidents(Export::Dossier, Some(pupil), false, &self.by.who).await?)
    }

    async fn record(&mut self, made: Made) -> Result<(), PageError> {
        Ok(self.store.note_exported(&self.id, made, &self.by).await?)
    }
}

/// Octets of the messages that would be handed over.
async fn octets(desk: &State, disclosing: &Disclosing) -> Result<u64, StoreError> {
    let mut sum = 0;
    for message in disclosing.messages.iter().filter(|one| one.is_in() && one.listed.content) {
        sum += desk.store.show(&message.listed.id).await?.summary.size;
    }
    Ok(sum)
}

/// POST `/disclosures/ID/take`.
pub async fn take(From(desk): From<State>, person: Person, Path(id): Path<String>, Form(form): Form<Take>) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    let found = find(&desk, &person, &id).await?;
    let Some(one) = found.filter(|_| person.reach(Task::Disclose) == Reach::All) else {
        return not_found(&desk, Some(&person));
    };
    let Ok(purpose) = form.purpose.parse::<LawfulPurpose>() else {
        let trouble = Trouble::at("take", "Choose the purpose; it is recorded.".to_owned());
        return show(&desk, &person, &one.id, Some(trouble)).await;
    };
    let why: String = form.why.trim().chars().take(limits::REASON_CHARS).collect();
    if why.is_empty() {
        let trouble = Trouble::at("take-why", "Say why it is taken away; it is recorded.".to_owned());
        return show(&desk, &person, &one.id, Some(trouble)).await;
    }
    let by = acting(&desk, &person);
    let disclosing = match desk.store.disclosing(&one.id, &by).await {
        Ok(disclosing) => disclosing,
        Err(StoreError::Refused(why)) => {
            return show(&desk, &person, &one.id, Some(Trouble::at("main", sentence(&why)))).await;
        }
        Err(error) => return Err(error.into()),
    };
    // Nothing is taken out of the store for what would not fit.
    if octets(&desk, &disclosing).await? > limits::DISCLOSURE_ZIP_OCTETS {
        let words = "It is too large for one file from here. Leave some of it out, or have whoever looks after the server take it away into a \
                     folder with schoolgate disclose export.";
        return show(&desk, &person, &one.id, Some(Trouble::at("main", words.to_owned()))).await;
    }
    let Ok(_alone) = desk.exports.acquire().await else {
        let words = "The desk is closing. Nothing was taken away; please try again.";
        return refused(&desk, Some(&person), StatusCode::SERVICE_UNAVAILABLE, "Please try again", words);
    };
    let ground = (desk.ground)();
    let mut source = FromStore { store: &desk.store, id: one.id.clone(), by, purpose };
    let place = Archive::default();
    let handed = make(&disclosing, (&ground.school, desk.now()), (purpose, why), place, &mut source).await?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/zip"));
    // The id is letters and digits.
    if let Ok(name) = format!("attachment; filename=\"disclosure-{}.zip\"", one.id).parse() {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok((headers, handed.place.bytes()?).into_response())
}
