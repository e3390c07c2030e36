//! Who asks: the account behind the session's cookie, and the token that this session's forms carry.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;

use super::State;
use super::access::{Reach, Task, farthest};
use super::guard::Origin;
use super::pages::{self, PageError};
use crate::inspect::Report;
use crate::limits;
use crate::people::School;
use crate::smtp::Address;
use crate::store::accounts::{Account, SignedIn};

/// Somebody who has signed in.
#[derive(Debug, Clone)]
pub struct Person {
    signed_in: SignedIn,
}

/// What the head of each page says of the person.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    name: String,
    pages: Vec<Link>,
}

#[derive(Debug, Clone, Serialize)]
struct Link {
    path: &'static str,
    words: &'static str,
}

super::view::printed!(Shown);

impl Person {
    /// Their account.
    pub fn account(&self) -> &Account {
        &self.signed_in.account
    }

    /// Every mailbox of theirs that the school knows, and the account's own.
    pub fn own(&self, school: &School) -> Vec<Address> {
        let Ok(address) = Address::parse(&self.account().address) else { return Vec::new() };
        let mut own = school.mailboxes_of(&address);
        own.push(address);
        own
    }

    /// The message speaks of this person by full name where it is about an adult: in its subject, or beside what was found of
    /// somebody who is no pupil. A name in a signature or a greeting elsewhere makes nobody its subject.
    pub fn is_spoken_of(&self, school: &School, report: &Report) -> bool {
        let Ok(address) = Address::parse(&self.account().address) else { return false };
        let Some(staff) = school.staff_by_address(&address) else { return false };
        let of_adults =
            report.findings.iter().filter(|finding| finding.pupil.is_none()).filter_map(|f| f.excerpt.as_ref());
        let beside = of_adults.flat_map(|excerpt| [&excerpt.before, &excerpt.line, &excerpt.after]);
        std::iter::once(&report.subject).chain(beside).any(|text| names(text, &staff.forename, &staff.surname))
    }

    /// Whoever has this session.
    ///
    /// # Errors
    /// The store.
    pub async fn behind(desk: &State, session: &str) -> Result<Option<Self>, PageError> {
        Ok(desk.store.session(session).await?.map(|signed_in| Self { signed_in }))
    }

    /// What forms of this session carry.
    pub fn csrf(&self) -> &str {
        self.signed_in.csrf.reveal()
    }

    /// How far they reach in a task.
    pub fn reach(&self, task: Task) -> Reach {
        farthest(&self.account().roles, task)
    }

    /// For the head of a page.
    pub fn shown(&self) -> Shown {
        let pages = [
            (Task::See, "/", "What waits"),
            (Task::See, "/held", "Held mail"),
            (Task::EndAllowance, "/allowances", "Allowed"),
            (Task::GrantExemption, "/exemptions", "Exemptions"),
            (Task::PersonalUse, "/personal-use", "Personal use"),
            (Task::SeeIncidents, "/incidents", "Incidents"),
            (Task::SeeDisclosures, "/disclosures", "Disclosures"),
            (Task::Overview, "/overview", "Overview"),
            (Task::ProposeMode, "/rules", "Rules"),
            (Task::Audit, "/audit", "Record"),
            (Task::People, "/people", "People"),
            (Task::OwnAccount, "/account", "Your account"),
        ];
        let open = pages.into_iter().filter(|(task, path, _)| {
            let reach = self.reach(*task);
            reach > Reach::Counts || (reach == Reach::Counts && *path != "/held")
        });
        Shown { name: self.account().name.clone(), pages: open.map(|(_, path, words)| Link { path, words }).collect() }
    }

    /// The form came from a page of this session.
    pub fn sent(&self, token: &str) -> bool {
        same(self.csrf(), token)
    }
}

/// Whether what was sent is our own. Compared in one go whatever differs.
pub fn same(own: &str, sent: &str) -> bool {
    let (own, sent) = (own.as_bytes(), sent.as_bytes());
    own.len() == sent.len() && own.iter().zip(sent).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// Names of the cookies: with the prefix that binds them to the host wherever the line is safe.
pub fn cookie_name(origin: &Origin, what: &str) -> String {
    if origin.is_safe() { format!("__Host-{what}") } else { what.to_owned() }
}

/// The session's cookie.
pub const SESSION: &str = "schoolgate";
/// Between password and code.
pub const STEP: &str = "schoolgate-code";

/// While somebody is at a provider.
pub const WITH: &str = "schoolgate-with";

/// A header that sets a cookie; an empty value takes it back.
pub fn set_cookie(origin: &Origin, what: &str, value: &str, seconds: u64) -> HeaderValue {
    let name = cookie_name(origin, what);
    let secure = if origin.is_safe() { "; Secure" } else { "" };
    let age = if value.is_empty() { 0 } else { seconds };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// What a cookie holds.
pub fn cookie<'h>(origin: &Origin, headers: &'h HeaderMap, what: &str) -> Option<&'h str> {
    let name = cookie_name(origin, what);
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty() && value.len() <= limits::COOKIE_OCTETS)
        .map(|(_, value)| value)
}

impl OptionalFromRequestParts<State> for Person {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, desk: &State) -> Result<Option<Self>, Infallible> {
        let Some(brought) = cookie(&desk.origin, &parts.headers, SESSION) else { return Ok(None) };
        let signed_in = desk.store.session(brought).await.ok().flatten();
        Ok(signed_in.map(|signed_in| Self { signed_in }))
    }
}

impl FromRequestParts<State> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &State) -> Result<Self, Response> {
        let person = match cookie(&desk.origin, &parts.headers, SESSION) {
            Some(brought) => Self::behind(desk, brought).await.map_err(IntoResponse::into_response)?,
            None => None,
        };
        if let Some(person) = person {
            return Ok(person);
        }
        if matches!(parts.method, axum::http::Method::GET | axum::http::Method::HEAD) {
            let next = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
            return Err(Redirect::to(&format!("/sign-in?{query}")).into_response());
        }
        Err(pages::refused(
            desk,
            None,
            StatusCode::FORBIDDEN,
            "You are not signed in",
            "Your session has ended. Nothing was changed. Sign in and try again.",
        )
        .unwrap_or_else(IntoResponse::into_response))
    }
}
/// Forename and surname stand together, in either order.
fn names(text: &str, forename: &str, surname: &str) -> bool {
    let spaced = |text: &str| {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        format!(" {} ", words.collect::<Vec<_>>().join(" ").to_lowercase())
    };
    let text = spaced(text);
    let (forename, surname) = (spaced(forename), spaced(surname));
    let together = |first: &str, second: &str| text.contains(&format!(" {} {} ", first.trim(), second.trim()));
    !forename.trim().is_empty()
        && !surname.trim().is_empty()
        && (together(&forename, &surname) || together(&surname, &forename))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_full_name_in_either_order_names() {
        for (text, forename, surname, want) in [
            ("Carol Drew's number is", "Carol", "Drew", true),
            ("DREW, Carol: sick pay", "Carol", "Drew", true),
            ("Anne-Marie O'Neill left", "Anne-Marie", "O'Neill", true),
            ("Carol asked Drew", "Carol", "Drew", false),
            ("Carola Drewe", "Carol", "Drew", false),
            ("Mrs Drew", "Carol", "Drew", false),
            ("  ", "", "Drew", false),
        ] {
            assert_eq!(names(text, forename, surname), want, "{text}");
        }
    }
}
