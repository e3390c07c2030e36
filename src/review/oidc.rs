//! Signing in at somebody who vouches for people's mailboxes: Microsoft 365, Google Workspace (OpenID Connect Core 1.0,
//! authorisation code flow with PKCE).
//!
//! Owns the way there and back. What the provider asks of people, a second factor too, is its affair and the school's; what
//! they may do here, their account's alone.
//!
//! Invariants: a way back counts once, only in the browser that went, only from the provider that it went to; whatever goes
//! wrong afterwards, the page says the same, so that it tells nobody who has an account. The way back is the one GET that
//! changes something: the protocol has it so, and the state stands for the form's token.

mod pending;
mod provider;

use axum::Extension;
use axum::Form;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State as From};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use minijinja::context;
use serde::Deserialize;

pub use self::pending::Pending;
pub use self::provider::{OidcError, Provider, ProviderError};
use super::State;
use super::guard::Client;
use super::pages::{Answer, not_found, page};
use super::person::{SESSION, STEP, WITH, cookie, same, set_cookie};
use super::sign_in::{Next, form, redirect, safe_next};
use super::view::Trouble;
use crate::limits;
use crate::relay::log::{Event, event};
use crate::web::word;

/// POST `/sign-in/with/NAME`: to the provider, over a page of ours.
///
/// A redirect would not do: browsers hold a form to `form-action` through every redirect after it, and past the provider's
/// own address a school's may go on to any other (federation). So the answer is a page that goes on by itself, which is no
/// form; its link is for browsers that do not.
pub async fn there(
    From(desk): From<State>,
    Extension(Client(client)): Extension<Client>,
    Path(name): Path<String>,
    Form(sent): Form<Next>,
) -> Answer {
    let Some(provider) = desk.provider(&name) else { return not_found(&desk, None) };
    let next = safe_next(&sent.next);
    let (address, begun) = match provider.begin(&desk.origin.text()).await {
        Ok(both) => both,
        Err(error) => return failed(&desk, provider, next, &error),
    };
    let Some(held) = desk.pending.add(provider.name(), begun, next, client) else {
        event!(Event::Trouble, what = "sign-in", provider = provider.name(), reason = "too many are under way");
        return unreachable(&desk, next);
    };
    let own = context! { address => address.as_str(), button => provider.button() };
    let mut answer = page(&desk, None, "sign-in-with.html", "", own)?;
    let headers = answer.headers_mut();
    headers.append(header::SET_COOKIE, set_cookie(&desk.origin, WITH, &held, limits::OIDC_SIGN_IN_SECONDS));
    if let Ok(on) = HeaderValue::from_str(&format!("0; url={address}")) {
        headers.insert(header::REFRESH, on);
    }
    Ok(answer)
}

/// What a provider sends along (RFC 6749 4.1.2).
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Back {
    code: String,
    state: String,
    error: String,
}

/// GET `/sign-in/back/NAME`.
pub async fn back(
    From(desk): From<State>,
    Extension(Client(client)): Extension<Client>,
    Path(name): Path<String>,
    headers: HeaderMap,
    query: Result<Query<Back>, QueryRejection>,
) -> Answer {
    let Some(provider) = desk.provider(&name) else { return not_found(&desk, None) };
    let Query(sent) = query.unwrap_or_default();
    let waiting = cookie(&desk.origin, &headers, WITH).and_then(|held| desk.pending.take(held));
    let Some(waiting) = waiting else { return refused(&desk, provider, "/", "nothing was under way, or it was used") };
    let next = waiting.next;
    if waiting.provider != name || !same(waiting.begun.state.secret(), &sent.state) {
        return refused(&desk, provider, "/", "the state is not that of this sign-in");
    }
    if !sent.error.is_empty() {
        return refused(&desk, provider, &next, &format!("it says {}", word(&sent.error)));
    }
    if sent.code.is_empty() || sent.code.len() > limits::OIDC_BACK_OCTETS {
        return refused(&desk, provider, &next, "it sent no code");
    }
    let mailbox = match provider.finish(&desk.origin.text(), waiting.begun, &sent.code).await {
        Ok(mailbox) => mailbox,
        Err(error) => return failed(&desk, provider, &next, &error),
    };
    let by = format!("provider {}", provider.name());
    match desk.store.sign_in_vouched(&mailbox, &by, client).await? {
        Some(session) => {
            let cookies = [(SESSION, session.token.reveal(), limits::SESSION_SECONDS), (STEP, "", 0), (WITH, "", 0)];
            Ok(redirect(&desk, &next, &cookies))
        }
        None => refused(&desk, provider, &next, "no account in use has the mailbox"),
    }
}

fn failed(desk: &State, provider: &Provider, next: &str, error: &OidcError) -> Answer {
    if error.is_outage() {
        event!(Event::Trouble, what = "sign-in", provider = provider.name(), reason = %error);
        return unreachable(desk, next);
    }
    refused(desk, provider, next, &error.to_string())
}

/// Said before anything of the person is known.
fn unreachable(desk: &State, next: &str) -> Answer {
    let words = "Signing in there is not possible at the moment. Sign in with name and password, or try again later.";
    said(desk, next, StatusCode::SERVICE_UNAVAILABLE, words)
}

/// The same words whatever the reason, which the log has.
fn refused(desk: &State, provider: &Provider, next: &str, reason: &str) -> Answer {
    event!(Event::NotSignedIn, provider = provider.name(), reason);
    let words = "You could not be signed in that way. Try again, or ask your technician.";
    said(desk, next, StatusCode::UNPROCESSABLE_ENTITY, words)
}

fn said(desk: &State, next: &str, status: StatusCode, words: &str) -> Answer {
    let mut answer: Response = form(desk, next, "", Some(Trouble::at("with", words.to_owned())))?;
    *answer.status_mut() = status;
    answer.headers_mut().append(header::SET_COOKIE, set_cookie(&desk.origin, WITH, "", 0));
    Ok(answer)
}
