//! Accounts: who there is, with which roles; making, changing, ending them.

use axum::extract::{Path, State as From};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use jiff::Zoned;
use minijinja::{Value, context};
use serde::Serialize;

use super::State;
use super::access::{Reach, Task};
use super::pages::{Answer, not_found, page_as, refused};
use super::person::Person;
use super::sign_in::stale;
use super::view::{Trouble, said};
use crate::smtp::Address;
use crate::store::StoreError;
use crate::store::accounts::{Account, LastSbm, Link, Role};

#[derive(Debug, Clone, Serialize)]
struct Choice {
    id: &'static str,
    words: &'static str,
    held: bool,
}

super::view::printed!(Choice);

fn choices(held: &[Role]) -> Vec<Choice> {
    Role::ALL.map(|role| Choice { id: role.as_str(), words: role.words(), held: held.contains(&role) }).into()
}

fn account(account: &Account, may_change: bool, now: &Zoned) -> Value {
    let seen = match (account.signed_in_at, account.signed_up) {
        (Some(at), _) => format!("last signed in {}", said(at, now)),
        (None, true) => "never signed in".to_owned(),
        (None, false) => "has not used the link yet".to_owned(),
    };
    let roles: Vec<&str> = account.roles.iter().map(|role| role.words()).collect();
    context! {
        name => account.name.as_str(),
        address => account.address.as_str(),
        roles => if roles.is_empty() { "no role yet".to_owned() } else { roles.join(", ") },
        disabled => account.disabled_at.is_some(),
        seen,
        may_change,
        choices => choices(&account.roles),
    }
}

async fn show(desk: &State, person: &Person, link: Option<Link>, trouble: Option<Trouble>) -> Answer {
    let reach = person.reach(Task::People);
    let now = desk.now();
    let all = desk.store.accounts().await?;
    let accounts: Vec<Value> = all.iter().map(|one| account(one, reach == Reach::All, &now)).collect();
    let link = link.map(|link| {
        let url = format!("{}/sign-up/{}", desk.origin.text(), link.token.reveal());
        context! { name => link.name, url, until => said(link.until, &now) }
    });
    // A technician makes accounts; roles are the School Business Manager's to give.
    let roles = if reach == Reach::All { choices(&[]) } else { Vec::new() };
    let status = if trouble.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let own = context! { accounts, link, roles, may_add => true, trouble };
    page_as(status, desk, Some(person), "people.html", "/people", own)
}

/// GET `/people`.
pub async fn list(From(desk): From<State>, person: Person) -> Answer {
    if person.reach(Task::People) == Reach::Nothing {
        return not_found(&desk, Some(&person));
    }
    show(&desk, &person, None, None).await
}

/// A form with fields that may stand several times.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn new(body: &str) -> Self {
        Self(form_urlencoded::parse(body.as_bytes()).into_owned().collect())
    }

    fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    fn roles(&self) -> Result<Vec<Role>, <Role as std::str::FromStr>::Err> {
        self.0.iter().filter(|(key, _)| key == "role").map(|(_, value)| value.parse()).collect()
    }
}

/// POST `/people`.
pub async fn add(From(desk): From<State>, person: Person, body: String) -> Answer {
    let reach = person.reach(Task::People);
    let form = Fields::new(&body);
    if !person.sent(form.one("token")) {
        return stale(&desk, &person);
    }
    if reach == Reach::Nothing {
        return not_found(&desk, Some(&person));
    }
    let roles = if reach == Reach::All { form.roles().unwrap_or_default() } else { Vec::new() };
    let Ok(address) = Address::parse(form.one("address").trim()) else {
        let trouble = Trouble::at("address", "This is no e-mail address.".to_owned());
        return show(&desk, &person, None, Some(trouble)).await;
    };
    match desk.store.create_account(form.one("name"), &address, &roles, &person.account().name).await {
        Ok(link) => show(&desk, &person, Some(link), None).await,
        Err(error @ (StoreError::Refused(_) | StoreError::AccountExists(..))) => {
            show(&desk, &person, None, Some(Trouble::at("name", error.to_string()))).await
        }
        Err(error) => Err(error.into()),
    }
}

/// POST `/people/NAME/WHAT`.
pub async fn change(
    From(desk): From<State>,
    person: Person,
    Path((name, what)): Path<(String, String)>,
    body: String,
) -> Answer {
    let form = Fields::new(&body);
    if !person.sent(form.one("token")) {
        return stale(&desk, &person);
    }
    if person.reach(Task::People) != Reach::All {
        return not_found(&desk, Some(&person));
    }
    let who = &person.account().name;
    let done = match what.as_str() {
        "roles" => match form.roles() {
            Ok(roles) => desk.store.set_roles(&name, &roles, LastSbm::Keep, who).await.map(|_| None),
            Err(error) => Err(StoreError::Refused(error.to_string())),
        },
        "reset" => desk.store.reset_account(&name, who).await.map(Some),
        "end" => desk.store.end_sessions(&name, who).await.map(|_| None),
        "disable" => desk.store.disable_account(&name, LastSbm::Keep, who).await.map(|_| None),
        "enable" => desk.store.enable_account(&name, who).await.map(|_| None),
        _ => return not_found(&desk, Some(&person)),
    };
    match done {
        Ok(Some(link)) => show(&desk, &person, Some(link), None).await,
        Ok(None) => Ok(Redirect::to("/people").into_response()),
        Err(StoreError::NoAccount(_)) => not_found(&desk, Some(&person)),
        Err(error @ (StoreError::Refused(_) | StoreError::LastSbm(_))) => {
            refused(&desk, Some(&person), StatusCode::CONFLICT, "It could not be done", &error.to_string())
        }
        Err(error) => Err(error.into()),
    }
}
