//! One's own account: a new password, new recovery codes. Both want the present password, for a browser may be found open.

use axum::extract::State as From;
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Form};
use minijinja::{Value, context};
use serde::Deserialize;

use super::State;
use super::access::{Reach, Task};
use super::guard::Client;
use super::pages::{Answer, not_found, page, page_as};
use super::person::{Person, SESSION, cookie, set_cookie};
use super::sign_in::{stale, wait};
use super::view::Trouble;
use crate::limits;
use crate::store::accounts::{NewCodes, PasswordChange};

fn form(desk: &State, person: &Person, trouble: Option<Trouble>) -> Answer {
    let status = if trouble.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page_as(status, desk, Some(person), "account.html", PATH, context! { ..known(person), ..context! { trouble } })
}

/// What the page says of the account.
fn known(person: &Person) -> Value {
    let account = person.account();
    let roles: Vec<&str> = account.roles.iter().map(|role| role.words()).collect();
    context! {
        name => account.name.as_str(),
        address => account.address.as_str(),
        roles => roles.join(", "),
        has_password => account.signed_up,
    }
}

const PATH: &str = "/account";

/// GET `/account`.
pub async fn own(From(desk): From<State>, person: Person) -> Answer {
    if person.reach(Task::OwnAccount) == Reach::Nothing {
        return not_found(&desk, Some(&person));
    }
    form(&desk, &person, None)
}

/// What stands in the form for the password.
#[derive(Deserialize)]
pub struct Change {
    #[serde(default)]
    token: String,
    #[serde(default)]
    present: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
}

/// POST `/account/password`.
pub async fn password(
    From(desk): From<State>,
    person: Person,
    Extension(Client(client)): Extension<Client>,
    headers: HeaderMap,
    Form(asked): Form<Change>,
) -> Answer {
    if !person.sent(&asked.token) {
        return stale(&desk, &person);
    }
    if person.reach(Task::OwnAccount) == Reach::Nothing {
        return not_found(&desk, Some(&person));
    }
    if asked.password != asked.again {
        let words = "The two new passwords are not the same.".to_owned();
        return form(&desk, &person, Some(Trouble::at("again", words)));
    }
    let brought = cookie(&desk.origin, &headers, SESSION).unwrap_or_default();
    let trouble = match desk.store.change_password(brought, &asked.present, &asked.password, client).await? {
        PasswordChange::Done(token) => {
            let Some(person) = Person::behind(&desk, token.reveal()).await? else { return stale(&desk, &person) };
            let told = "Your password is changed. Wherever else you were signed in, you are signed out.";
            let own = context! { ..known(&person), ..context! { told } };
            let mut answer = page(&desk, Some(&person), "account.html", PATH, own)?;
            let cookie = set_cookie(&desk.origin, SESSION, token.reveal(), limits::SESSION_SECONDS);
            answer.headers_mut().append(header::SET_COOKIE, cookie);
            return Ok(answer);
        }
        PasswordChange::Weak(why) => Trouble::at("password", why.to_string()),
        PasswordChange::Wrong => Trouble::at("present", WRONG.to_owned()),
        PasswordChange::Wait(until) => Trouble::at("present", wait(until)),
        PasswordChange::Over => return stale(&desk, &person),
    };
    form(&desk, &person, Some(trouble))
}

const WRONG: &str = "This is not your present password. Nothing was changed.";

/// What stands in the form for recovery codes.
#[derive(Deserialize)]
pub struct Codes {
    #[serde(default)]
    token: String,
    #[serde(default)]
    present: String,
}

/// POST `/account/codes`.
pub async fn codes(
    From(desk): From<State>,
    person: Person,
    Extension(Client(client)): Extension<Client>,
    headers: HeaderMap,
    Form(asked): Form<Codes>,
) -> Answer {
    if !person.sent(&asked.token) {
        return stale(&desk, &person);
    }
    if person.reach(Task::OwnAccount) == Reach::Nothing {
        return not_found(&desk, Some(&person));
    }
    let brought = cookie(&desk.origin, &headers, SESSION).unwrap_or_default();
    let trouble = match desk.store.new_recovery_codes(brought, &asked.present, client).await? {
        NewCodes::Done(codes) => {
            let codes: Vec<String> = codes.iter().map(|code| code.reveal().to_owned()).collect();
            return page(&desk, Some(&person), "signed-up.html", PATH, context! { codes });
        }
        NewCodes::Wrong => Trouble::at("codes-present", WRONG.to_owned()),
        NewCodes::Wait(until) => Trouble::at("codes-present", wait(until)),
        NewCodes::Over => return stale(&desk, &person),
    };
    form(&desk, &person, Some(trouble))
}
