//! Making the first account, from the link in the log of a start: name and mailbox, then as with any other link.

use axum::Form;
use axum::extract::{Path, State as From};
use axum::http::StatusCode;
use minijinja::context;
use serde::Deserialize;

use super::State;
use super::pages::{Answer, page, page_as};
use super::sign_in::link_is_over;
use super::view::Trouble;
use crate::smtp::Address;
use crate::store::StoreError;
use crate::store::accounts::SignUpAnswer;

/// GET `/first/TOKEN`.
pub async fn first_page(From(desk): From<State>, Path(token): Path<String>) -> Answer {
    form(&desk, &token, "", "", None).await
}

async fn form(desk: &State, brought: &str, name: &str, address: &str, trouble: Option<Trouble>) -> Answer {
    let Some(open) = desk.store.first_sign_up(brought).await? else { return link_is_over(desk) };
    let status = if trouble.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let own = context! {
        first => true,
        name,
        address,
        spaced => open.secret.reveal(),
        link => open.otpauth.reveal(),
        trouble,
    };
    page_as(status, desk, None, "sign-up.html", "", own)
}

/// What stands in the form.
#[derive(Deserialize)]
pub struct First {
    #[serde(default)]
    name: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
    #[serde(default)]
    code: String,
}

/// POST `/first/TOKEN`.
pub async fn first(From(desk): From<State>, Path(brought): Path<String>, Form(asked): Form<First>) -> Answer {
    let again = |trouble| form(&desk, &brought, &asked.name, &asked.address, Some(trouble));
    let Ok(address) = Address::parse(asked.address.trim()) else {
        return again(Trouble::at("address", "This is no e-mail address.".to_owned())).await;
    };
    if asked.password != asked.again {
        return again(Trouble::at("again", "The two passwords are not the same.".to_owned())).await;
    }
    let made = desk.store.complete_first(&brought, &asked.name, &address, &asked.password, &asked.code).await;
    let trouble = match made {
        Ok(SignUpAnswer::Done(codes)) => {
            let codes: Vec<String> = codes.iter().map(|code| code.reveal().to_owned()).collect();
            return page(&desk, None, "signed-up.html", "", context! { codes });
        }
        Ok(SignUpAnswer::Over) => return link_is_over(&desk),
        Ok(SignUpAnswer::Weak(why)) => Trouble::at("password", why.to_string()),
        Ok(SignUpAnswer::WrongCode) => {
            Trouble::at("code", "The code is not the one that the authenticator shows.".to_owned())
        }
        Err(StoreError::Refused(why)) => Trouble::at("name", why),
        Err(error) => return Err(error.into()),
    };
    again(trouble).await
}
