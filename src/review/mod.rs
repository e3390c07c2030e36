//! The desk: where the School Business Manager and her colleagues sign in, see what waits, and decide.
//!
//! Owns HTTP, pages, forms, cookies, and who may see and do what ([`access`]). Never knows SMTP, and keeps nothing of its own: accounts, sessions and
//! decisions are the store's, and it decides through the same functions as the command line.
//!
//! Invariants: nothing changes on GET or HEAD (but for the way back of [`oidc`]); a form counts only from a page of ours and with its session's token; the HTML of mail is never shown, and
//! nothing of a page is fetched from elsewhere; what a person opens is recorded before it is shown. Cookies: RFC 6265bis; page headers: CSP Level 3.

pub mod access;
mod account;
mod allowances;
mod audit_page;
mod chart;
mod content;
pub mod csv;
mod decide;
pub mod disclosures;
mod exemptions;
mod first;
mod guard;
mod held;
mod incidents;
mod oidc;
pub mod overview;
mod pages;
mod people;
mod person;
mod personal_use;
mod rules;
mod sender;
mod serve;
mod sign_in;
mod view;

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, post};
use jiff::Zoned;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::extract::Pool;
use crate::inspect::Ground;
use crate::limits;
use crate::relay::certificate::{self, Certificate, Owner, TlsError};
use crate::relay::malware::Scanner;
use crate::relay::notify::Notifier;
use crate::store::Store;

pub use guard::{Origin, OriginError};
pub use incidents::{child as incident_child, table as incidents_as_table};
pub use oidc::{OidcError, Provider, ProviderError};
pub use serve::Pace;

/// The roster in force, as it is at the moment of asking.
pub type GroundNow = Arc<dyn Fn() -> Arc<Ground> + Send + Sync>;

/// Has what decides now take the modes of rules that the store has.
pub type ModesPut = Arc<dyn Fn() + Send + Sync>;

/// What the pages work with.
pub struct Desk {
    store: Store,
    notifier: Arc<ArcSwap<Notifier>>,
    ground: GroundNow,
    origin: Origin,
    /// Mail that its sender changed is inspected one at a time.
    inspections: tokio::sync::Semaphore,
    /// Disclosures are put into one file one at a time.
    exports: tokio::sync::Semaphore,
    /// Processes that read attachments.
    workers: Arc<Pool>,
    /// Who is asked for malware.
    scanner: Scanner,
    pages: pages::Pages,
    /// Who vouches for people.
    providers: Vec<Provider>,
    /// Sign-ins that are at one of them.
    pending: oidc::Pending,
    /// What TLS is spoken with; a proxy does without it.
    certificate: Option<Arc<Certificate>>,
    pace: Pace,
    /// Days for which a release is remembered, unless another day is chosen.
    remember_days: u32,
    /// Messages marked personal in a month from which their sender is named.
    names_from: usize,
    /// Puts the modes that the store has in force.
    modes_put: ModesPut,
}

/// Why the desk does not open.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A page that is built in is broken.
    #[error("a page of the desk is broken: {0}")]
    Pages(#[from] minijinja::Error),
}

type State = Arc<Desk>;

/// Whose the desk's certificate is, for log and errors.
pub fn certificate_owner() -> Owner {
    Owner::new("the desk's certificate", "review")
}

impl Desk {
    /// Now, in the school's own time.
    fn now(&self) -> Zoned {
        self.store.clock().now().to_zoned(self.store.school_time().zone.clone())
    }

    /// `origin` is where people reach it.
    ///
    /// # Errors
    /// A page that does not parse.
    pub fn new(
        store: Store,
        notifier: Arc<ArcSwap<Notifier>>,
        ground: GroundNow,
        origin: Origin,
        workers: Arc<Pool>,
    ) -> Result<Self, DeskError> {
        let pages = pages::Pages::new()?;
        Ok(Self {
            store,
            notifier,
            ground,
            origin,
            inspections: tokio::sync::Semaphore::new(1),
            exports: tokio::sync::Semaphore::new(1),
            workers,
            scanner: Scanner::default(),
            pages,
            providers: Vec::new(),
            pending: oidc::Pending::default(),
            certificate: None,
            pace: Pace::default(),
            remember_days: limits::REMEMBER_DAYS,
            names_from: limits::PERSONAL_USE_NAMES_FROM,
            modes_put: Arc::new(|| {}),
        })
    }

    /// Does this when a mode was put in force; without, it holds from the next start on.
    #[must_use]
    pub fn with_modes_put(self, modes_put: ModesPut) -> Self {
        Self { modes_put, ..self }
    }

    /// Asks for malware before what a sender changed goes out.
    #[must_use]
    pub fn with_scanner(self, scanner: Scanner) -> Self {
        Self { scanner, ..self }
    }

    /// Speaks TLS alone, and shows this.
    #[must_use]
    pub fn with_certificate(self, certificate: Option<Arc<Certificate>>) -> Self {
        Self { certificate, ..self }
    }

    /// Offers to remember a release for so many days.
    #[must_use]
    pub fn remembering(self, remember_days: u32) -> Self {
        Self { remember_days, ..self }
    }

    /// Names who marked so many messages personal in a month, or more.
    #[must_use]
    pub fn naming_from(self, names_from: usize) -> Self {
        Self { names_from, ..self }
    }

    /// Waits so long for its clients.
    #[must_use]
    pub fn with_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// Lets people sign in at these too, in this order on the page.
    #[must_use]
    pub fn with_providers(self, providers: Vec<Provider>) -> Self {
        Self { providers, ..self }
    }

    fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.name() == name)
    }

    /// Every page and form.
    pub fn router(self) -> Router {
        let desk = Arc::new(self);
        Router::new()
            .route("/", get(held::waiting))
            .route("/held", get(held::list))
            .route("/held/{id}", get(held::message))
            .route("/held/{id}/decide", post(decide::decide))
            .route("/held/{id}/findings", get(content::ask_findings).post(content::findings))
            .route("/held/{id}/content", get(content::ask_content).post(content::content))
            .route("/held/{id}/original", post(content::original))
            .route("/held/{id}/ask", post(content::ask_to_open))
            .route("/held/{id}/approve", post(content::approve))
            .route("/allowances", get(allowances::list))
            .route("/allowances/{id}/end", post(allowances::end))
            .route("/exemptions", get(exemptions::list).post(exemptions::grant))
            .route("/exemptions/{id}/end", post(exemptions::end))
            .route("/personal-use", get(personal_use::ask).post(personal_use::show))
            .route("/incidents", get(incidents::list))
            .route("/incidents/new", get(incidents::ask_new).post(incidents::new))
            .route("/incidents/export", post(incidents::export))
            .route("/incidents/dossier", get(incidents::ask_dossier).post(incidents::dossier))
            .route("/incidents/{id}", get(incidents::one))
            .route("/incidents/{id}/write", post(incidents::write))
            .route("/incidents/{id}/aware", post(incidents::aware))
            .route("/incidents/{id}/close", post(incidents::close))
            .route("/disclosures", get(disclosures::list).post(disclosures::ask))
            .route("/disclosures/{id}", get(disclosures::one))
            .route("/disclosures/{id}/decide", post(disclosures::decide))
            .route("/disclosures/{id}/leave-out", post(disclosures::leave_out))
            .route("/disclosures/{id}/take", post(disclosures::take))
            .route("/rules", get(rules::list).post(rules::propose))
            .route("/rules/{id}/{what}", post(rules::step))
            .route("/overview", get(overview::show))
            .route("/overview.csv", get(overview::save))
            .route("/audit", get(audit_page::record))
            .route("/audit.csv", get(audit_page::table))
            .route("/people", get(people::list).post(people::add))
            .route("/people/{name}/{what}", post(people::change))
            .route("/account", get(account::own))
            .route("/account/password", post(account::password))
            .route("/account/codes", post(account::codes))
            .route("/sign-in", get(sign_in::sign_in_page).post(sign_in::password))
            .route("/sign-in/code", get(sign_in::code_page).post(sign_in::code))
            .route("/sign-in/with/{name}", post(oidc::there))
            // HEAD is answered by what answers GET, unless it is said otherwise.
            .route("/sign-in/back/{name}", get(oidc::back).head(|| async { StatusCode::METHOD_NOT_ALLOWED }))
            .route("/sign-out", post(sign_in::sign_out))
            .route("/sign-up/{token}", get(sign_in::sign_up_page).post(sign_in::sign_up))
            .route("/first/{token}", get(first::first_page).post(first::first))
            .route("/m/{token}", get(sender::message).post(sender::act))
            .route("/assets/{name}", get(pages::asset))
            .fallback(pages::nowhere)
            .layer(DefaultBodyLimit::max(limits::DESK_FORM_OCTETS))
            .layer(axum::middleware::from_fn_with_state(Arc::clone(&desk), guard::watch))
            .with_state(desk)
    }

    /// Serves on a socket until the future is dropped.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub async fn serve(self, socket: TcpListener) -> Result<(), DeskError> {
        let (pace, origin) = (self.pace, self.origin.clone());
        let tls = match &self.certificate {
            None => None,
            Some(shown) => {
                let mut config =
                    certificate::server()?.with_no_client_auth().with_cert_resolver(Arc::clone(shown) as _);
                config.alpn_protocols = vec![b"http/1.1".to_vec()];
                Some((TlsAcceptor::from(Arc::new(config)), Arc::clone(shown)))
            }
        };
        serve::run(self.router(), &origin, socket, tls, pace).await;
        Ok(())
    }
}
