//! The pages' templates, the one style sheet and the one script, all built in.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use sha2::{Digest, Sha256};

use super::State;
use super::person::Person;

macro_rules! templates {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("pages/", $name)))),*] };
}

/// All of them; names ending in `.html` are escaped.
const TEMPLATES: &[(&str, &str)] = templates![
    "base.html",
    "rows.html",
    "waiting.html",
    "held.html",
    "message.html",
    "purpose.html",
    "content.html",
    "decided.html",
    "allowances.html",
    "exemptions.html",
    "personal-use.html",
    "incidents.html",
    "incident.html",
    "incident-new.html",
    "dossier.html",
    "disclosures.html",
    "disclosure.html",
    "overview.html",
    "bars.html",
    "rules.html",
    "audit.html",
    "people.html",
    "account.html",
    "sign-in.html",
    "sign-in-code.html",
    "sign-in-with.html",
    "sign-up.html",
    "signed-up.html",
    "sender.html",
    "sender-done.html",
    "error.html",
];

/// A file that pages link to; its name changes with its content, so that it may be kept for ever.
struct Asset {
    name: String,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, text: &'static str) -> Self {
        let hash: String = Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { name: format!("{stem}-{hash}.{ending}"), kind, text }
    }

    fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("desk", "css", "text/css; charset=utf-8", include_str!("assets/desk.css")));
static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("desk", "js", "text/javascript; charset=utf-8", include_str!("assets/desk.js")));

/// The templates, read once.
pub struct Pages(Environment<'static>);

impl Pages {
    /// Reads them.
    ///
    /// # Errors
    /// One does not parse.
    pub fn new() -> Result<Self, minijinja::Error> {
        let mut pages = Environment::new();
        pages.set_undefined_behavior(UndefinedBehavior::Lenient);
        pages.set_auto_escape_callback(|_| AutoEscape::Html);
        for (name, text) in TEMPLATES {
            pages.add_template(name, text)?;
        }
        pages.add_global("style", STYLE.path());
        pages.add_global("script", SCRIPT.path());
        Ok(Self(pages))
    }

    /// A page as HTML.
    pub fn render(&self, name: &str, context: Value) -> Result<String, minijinja::Error> {
        self.0.get_template(name)?.render(context)
    }
}

/// What goes wrong with a page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The store.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// What is handed over cannot be made.
    #[error("a disclosure could not be made: {0}")]
    Bundle(#[from] super::disclosures::bundle::BundleError),
    /// A template.
    #[error("a page could not be made: {0}")]
    Page(#[from] minijinja::Error),
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        use crate::relay::log::{Event, event};
        if let Self::Store(crate::store::StoreError::NotFound(_)) = self {
            return (StatusCode::NOT_FOUND, "There is no such message.\n").into_response();
        }
        event!(Event::Trouble, what = "desk", reason = %self);
        (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here. Nothing was changed; please try again.\n")
            .into_response()
    }
}

/// What a handler answers.
pub type Answer = Result<Response, PageError>;

/// A page with what all pages share.
pub fn page(desk: &State, person: Option<&Person>, name: &str, here: &str, own: Value) -> Answer {
    page_as(StatusCode::OK, desk, person, name, here, own)
}

/// The same with another status.
pub fn page_as(
    status: StatusCode,
    desk: &State,
    person: Option<&Person>,
    name: &str,
    here: &str,
    own: Value,
) -> Answer {
    let ground = (desk.ground)();
    let shared = context! {
        school => ground.school.name.as_str(),
        here => here,
        person => person.map(Person::shown),
        token => person.map(|person| person.csrf().to_owned()).unwrap_or_default(),
    };
    let html = desk.pages.render(name, context! { ..own, ..shared })?;
    Ok((status, Html(html)).into_response())
}

/// A page that says why there is none.
pub fn refused(desk: &State, person: Option<&Person>, status: StatusCode, title: &str, words: &str) -> Answer {
    page_as(status, desk, person, "error.html", "", context! { title, words })
}

/// No page at this address, or none for this person: the two look the same.
pub fn not_found(desk: &State, person: Option<&Person>) -> Answer {
    refused(desk, person, StatusCode::NOT_FOUND, "Page not found", "There is no such page, or it is not for you.")
}

/// Where no page is.
pub async fn nowhere(axum::extract::State(desk): axum::extract::State<State>, person: Option<Person>) -> Answer {
    not_found(&desk, person.as_ref())
}

/// The style sheet and the script.
pub async fn asset(Path(name): Path<String>) -> Response {
    let Some(asset) = [&*STYLE, &*SCRIPT].into_iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, asset.text).into_response()
}
