//! How much mail was marked personal, month by month; who marked much, for those who may know. Shown when it is asked for by a
//! form, and recorded then: to fetch the page shows nothing.

use axum::Form;
use axum::extract::State as From;
use minijinja::context;
use serde::Deserialize;

use super::State;
use super::access::{Reach, Task};
use super::pages::{Answer, not_found, page};
use super::person::Person;
use super::sign_in::stale;
use crate::limits;
use crate::store::Sight;

/// What this person sees of it.
fn sight(person: &Person) -> Option<Sight> {
    match person.reach(Task::PersonalUse) {
        Reach::All => Some(Sight::Names),
        Reach::Counts => Some(Sight::Figures),
        _ => None,
    }
}

/// GET `/personal-use`.
pub async fn ask(From(desk): From<State>, person: Person) -> Answer {
    let Some(sight) = sight(&person) else { return not_found(&desk, Some(&person)) };
    let own =
        context! { names => sight == Sight::Names, names_from => desk.names_from, kept => limits::PERSONAL_USE_MONTHS };
    page(&desk, Some(&person), "personal-use.html", "/personal-use", own)
}

/// What stands in the form.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    token: String,
}

/// POST `/personal-use`.
pub async fn show(From(desk): From<State>, person: Person, Form(form): Form<Asked>) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    let Some(sight) = sight(&person) else { return not_found(&desk, Some(&person)) };
    let this = desk.now().date().first_of_month();
    let months = desk.store.personal_use(desk.names_from, sight, &person.account().name).await?;
    let months: Vec<_> = months
        .into_iter()
        .map(|month| {
            let named =
                month.named.iter().map(|one| context! { mailbox => one.mailbox.as_str(), marked => one.marked });
            context! {
                month => month.month.strftime("%B %Y").to_string(),
                so_far => month.month == this,
                messages => month.messages,
                senders => month.senders,
                marked => month.marked.to_string(),
                marked_by => month.marked_by,
                asked => month.asked.to_string(),
                named => named.collect::<Vec<_>>(),
            }
        })
        .collect();
    let own = context! {
        shown => true,
        months,
        names => sight == Sight::Names,
        names_from => desk.names_from,
        kept => limits::PERSONAL_USE_MONTHS,
    };
    page(&desk, Some(&person), "personal-use.html", "/personal-use", own)
}
