//! Signing in with name, password and code (at a provider: [`super::oidc`]); signing out; setting up an account from a one-time link.

use axum::Extension;
use axum::Form;
use axum::extract::{Path, Query, State as From};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use minijinja::context;
use serde::Deserialize;

use super::State;
use super::guard::Client;
use super::oidc::Provider;
use super::pages::{Answer, page, page_as, refused};
use super::person::{Person, SESSION, STEP, cookie, set_cookie};
use super::view::Trouble;
use crate::limits;
use crate::store::accounts::{CodeAnswer, PasswordAnswer, SignUpAnswer};

/// Where to go afterwards.
#[derive(Debug, Deserialize)]
pub struct Next {
    #[serde(default)]
    pub(super) next: String,
}

/// A place of ours, never an address elsewhere.
pub(super) fn safe_next(next: &str) -> &str {
    let ours = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t']);
    if ours { next } else { "/" }
}

pub(super) fn redirect(desk: &State, to: &str, cookies: &[(&str, &str, u64)]) -> Response {
    let mut answer = Redirect::to(to).into_response();
    for (what, value, seconds) in cookies {
        answer.headers_mut().append(header::SET_COOKIE, set_cookie(&desk.origin, what, value, *seconds));
    }
    answer
}

/// Too many tries, in words.
pub fn wait(until: Timestamp) -> String {
    let seconds = until.duration_since(Timestamp::now()).as_secs().max(1);
    let minutes = (seconds + 59) / 60;
    let time = if minutes == 1 { "a minute".to_owned() } else { format!("{minutes} minutes") };
    format!("There were too many wrong tries. Please wait {time}, then try again.")
}

/// The form for name and password.
pub(super) fn form(desk: &State, next: &str, name: &str, trouble: Option<Trouble>) -> Answer {
    let status = if trouble.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let button = |provider: &Provider| context! { name => provider.name(), button => provider.button() };
    let providers: Vec<_> = desk.providers.iter().map(button).collect();
    page_as(status, desk, None, "sign-in.html", "", context! { next => safe_next(next), name, trouble, providers })
}

/// GET `/sign-in`.
pub async fn sign_in_page(From(desk): From<State>, Query(query): Query<Next>) -> Answer {
    form(&desk, &query.next, "", None)
}

/// What stands in the form.
#[derive(Deserialize)]
pub struct Password {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// POST `/sign-in`.
pub async fn password(
    From(desk): From<State>,
    Extension(Client(client)): Extension<Client>,
    Form(form): Form<Password>,
) -> Answer {
    let words = match desk.store.sign_in_password(&form.name, &form.password, client).await? {
        PasswordAnswer::Code(token) => {
            let query =
                form_urlencoded::Serializer::new(String::new()).append_pair("next", safe_next(&form.next)).finish();
            let step = (STEP, token.reveal(), limits::SIGN_IN_SECONDS);
            return Ok(redirect(&desk, &format!("/sign-in/code?{query}"), &[step]));
        }
        PasswordAnswer::Wrong => "The name or the password is not right.".to_owned(),
        PasswordAnswer::Wait(until) => wait(until),
    };
    self::form(&desk, &form.next, &form.name, Some(Trouble::at("name", words)))
}

/// GET `/sign-in/code`.
pub async fn code_page(From(desk): From<State>, headers: HeaderMap, Query(query): Query<Next>) -> Answer {
    if cookie(&desk.origin, &headers, STEP).is_none() {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    page(&desk, None, "sign-in-code.html", "", context! { next => safe_next(&query.next) })
}

/// What stands in the form.
#[derive(Deserialize)]
pub struct Code {
    code: String,
    #[serde(default)]
    next: String,
}

/// POST `/sign-in/code`.
pub async fn code(
    From(desk): From<State>,
    Extension(Client(client)): Extension<Client>,
    headers: HeaderMap,
    Form(form): Form<Code>,
) -> Answer {
    let Some(brought) = cookie(&desk.origin, &headers, STEP) else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    let next = safe_next(&form.next);
    let words = match desk.store.sign_in_code(brought, &form.code, client).await? {
        CodeAnswer::In(session) => {
            let cookies = [(SESSION, session.token.reveal(), limits::SESSION_SECONDS), (STEP, "", 0)];
            return Ok(redirect(&desk, next, &cookies));
        }
        CodeAnswer::Over => return Ok(redirect(&desk, "/sign-in", &[(STEP, "", 0)])),
        CodeAnswer::Wrong => {
            "This code is not right, or was used before. Wait for the next one that your authenticator shows."
                .to_owned()
        }
        CodeAnswer::Wait(until) => wait(until),
    };
    let trouble = Trouble::at("code", words);
    page_as(StatusCode::UNPROCESSABLE_ENTITY, &desk, None, "sign-in-code.html", "", context! { next, trouble })
}

/// A form with nothing but its token.
#[derive(Deserialize)]
pub struct Press {
    #[serde(default)]
    pub(super) token: String,
}

/// POST `/sign-out`.
pub async fn sign_out(From(desk): From<State>, person: Person, headers: HeaderMap, Form(form): Form<Press>) -> Answer {
    if !person.sent(&form.token) {
        return stale(&desk, &person);
    }
    if let Some(brought) = cookie(&desk.origin, &headers, SESSION) {
        desk.store.sign_out(brought).await?;
    }
    Ok(redirect(&desk, "/sign-in", &[(SESSION, "", 0), (STEP, "", 0)]))
}

/// A form that is not of this session.
pub fn stale(desk: &State, person: &Person) -> Answer {
    let words =
        "The page was too old, or not from here. Nothing was changed. Go back, load the page anew and try again.";
    refused(desk, Some(person), StatusCode::FORBIDDEN, "Please try again", words)
}

pub fn link_is_over(desk: &State) -> Answer {
    let words = "This link was used before, or is too old. Ask who sent it for a new one.";
    refused(desk, None, StatusCode::NOT_FOUND, "This link no longer works", words)
}

/// GET `/sign-up/TOKEN`.
pub async fn sign_up_page(From(desk): From<State>, Path(token): Path<String>) -> Answer {
    sign_up_form(&desk, &token, None).await
}

async fn sign_up_form(desk: &State, token: &str, trouble: Option<Trouble>) -> Answer {
    let Some(open) = desk.store.sign_up(token).await? else { return link_is_over(desk) };
    let status = if trouble.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let own = context! { name => open.name, spaced => open.secret.reveal(), link => open.otpauth.reveal(), trouble };
    page_as(status, desk, None, "sign-up.html", "", own)
}

/// What stands in the form.
#[derive(Deserialize)]
pub struct NewAccount {
    password: String,
    again: String,
    code: String,
}

/// POST `/sign-up/TOKEN`.
pub async fn sign_up(From(desk): From<State>, Path(token): Path<String>, Form(form): Form<NewAccount>) -> Answer {
    if form.password != form.again {
        let words = "The two passwords are not the same.".to_owned();
        return sign_up_form(&desk, &token, Some(Trouble::at("again", words))).await;
    }
    let trouble = match desk.store.complete_sign_up(&token, &form.password, &form.code).await? {
        SignUpAnswer::Done(codes) => {
            let codes: Vec<String> = codes.iter().map(|code| code.reveal().to_owned()).collect();
            return page(&desk, None, "signed-up.html", "", context! { codes });
        }
        SignUpAnswer::Over => return link_is_over(&desk),
        SignUpAnswer::Weak(why) => Trouble::at("password", why.to_string()),
        SignUpAnswer::WrongCode => {
            Trouble::at("code", "The code is not the one that the authenticator shows.".to_owned())
        }
    };
    sign_up_form(&desk, &token, Some(trouble)).await
}

#[cfg(test)]
mod tests {
    #[test]
    fn next_is_a_place_of_ours() {
        for (next, want) in [
            ("/held/a1", "/held/a1"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/\t/evil.example", "/"),
            ("", "/"),
        ] {
            assert_eq!(super::safe_next(next), want, "{next}");
        }
    }
}
