//! The parts of a gateway as its configuration says, made in one way for `serve`, for a reload and for `doctor`.
//!
//! An error names the key that it comes from, with its place in the file. Nothing here serves yet: what is bound and not
//! used is let go of when it is dropped.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::deliver::{DeliverError, Route};
use super::dkim::{DkimError, Signer};
use super::health::Health;
use super::listen::{ListenError, ListenOptions, Listener, Pace, Places};
use super::monitor::{Monitor, MonitorError};
use super::notify::{Notifier, TemplateError};
use super::passed::PassedHeader;
use crate::config::{Config, SmarthostConfig, StoreConfig};
use crate::store::{StoreError, StoreKey};
use crate::text::problem::FileProblems;

/// Why a part cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// The configuration lacks what serving needs.
    #[error(transparent)]
    Config(#[from] FileProblems),
    /// The key cannot be read.
    #[error("{at}: {error}")]
    Key {
        /// File, line, column and key.
        at: String,
        /// Why.
        error: StoreError,
    },
    /// A school's own template is broken.
    #[error("{at}: {error}")]
    Template {
        /// File, line, column and key.
        at: String,
        /// Why.
        error: TemplateError,
    },
    /// TLS to the smarthost.
    #[error("{at}: {error}")]
    Route {
        /// File, line, column and key.
        at: String,
        /// Why.
        error: DeliverError,
    },
    /// The key that mail is signed with.
    #[error("{at}: {error}")]
    Dkim {
        /// File, line, column and key.
        at: String,
        /// Why.
        error: DkimError,
    },
    /// A port of the listener.
    #[error("{at}: {error}")]
    Listen {
        /// File, line, column and key.
        at: String,
        /// Why.
        error: ListenError,
    },
    /// The port of the monitor.
    #[error("{at}: {error}")]
    Monitor {
        /// File, line, column and key.
        at: String,
        /// Why.
        error: MonitorError,
    },
    /// The port of the desk.
    #[error("{at}: {address}: {error}")]
    Review {
        /// File, line, column and key.
        at: String,
        /// What was to be bound.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
}

/// The store's key.
///
/// # Errors
/// It cannot be read, or is no key.
pub fn key(config: &Config, place: &StoreConfig) -> Result<StoreKey, PartError> {
    StoreKey::load(place.key_file.as_deref()).map_err(|error| PartError::Key { at: config.at("store.key_file"), error })
}

/// Who composes notices, with every template read and tried.
///
/// # Errors
/// A template that cannot be read or used.
pub fn notifier(config: &Config) -> Result<Notifier, PartError> {
    let templates = config.notices.templates.as_deref();
    let from = config
        .notice_from()
        .ok_or_else(|| FileProblems::one(&config.file, "notices.from: name the address that notices come from"))?;
    let school = &config.school;
    Notifier::new(&school.name, &school.telephone, &config.listen.hostname, from, templates, config.roles.clone())
        .map(|notifier| {
            let url = config.review.as_ref().map(|review| review.public_url.clone());
            let keep = config.review.as_ref().map_or(0, |review| review.keep_returned_hours);
            notifier.at_desk(url, config.school_time.zone.clone()).keeping(keep)
        })
        .map_err(|error| PartError::Template { at: config.at("notices.templates"), error })
}

/// How mail leaves: the smarthost with TLS set up, and the schedule.
///
/// # Errors
/// A certificate cannot be read, or TLS not be set up.
pub fn route(config: &Config, smarthost: &SmarthostConfig, key: &StoreKey) -> Result<Route, PartError> {
    let signer = config.dkim.as_ref().map(Signer::new).transpose();
    let signer = signer.map_err(|error| PartError::Dkim { at: config.at("dkim.key_file"), error })?;
    Route::new(smarthost.clone(), config.queue.clone())
        .map(|route| route.marking(smarthost.passed_header.then(|| PassedHeader::new(key)), signer))
        .map(|route| route.of_school(&config.school.domains))
        .map_err(|error| PartError::Route { at: config.at(&error.key()), error })
}

/// How the listener listens. What of it a reload may change is what [`Listener::bind`]'s handle takes.
pub fn listen_options(config: &Config, place: &StoreConfig, key: &StoreKey, health: &Health) -> ListenOptions {
    ListenOptions {
        hostname: config.listen.hostname.clone(),
        postmaster_domain: config.school.domains.first().cloned().unwrap_or_default(),
        doors: config.listen.listeners.iter().cloned().map(Arc::new).collect(),
        message_size: config.listen.message_size,
        spool: place.path.clone(),
        store_key: key.derived("received line"),
        health: health.clone(),
        places: Places {
            total: config.listen.connections,
            per_client: config.listen.connections_per_client,
            strangers: config.listen.stranger_connections,
            ..Places::default()
        },
        pace: Pace::default(),
    }
}

/// The ports that mail comes in by, bound.
///
/// # Errors
/// An address is taken or not ours; a certificate, its key or a file with authorities cannot be read or used.
pub async fn listener(config: &Config, options: ListenOptions) -> Result<Listener, PartError> {
    Listener::bind(options).await.map_err(|error| not_listening(config, error))
}

/// With the place in the configuration that an error of the listener is about.
pub fn not_listening(config: &Config, error: ListenError) -> PartError {
    PartError::Listen { at: config.at(error.key()), error }
}

/// The port of metrics and health, bound, where one is configured.
///
/// # Errors
/// The address is taken or not ours.
pub async fn monitor(config: &Config) -> Result<Option<Monitor>, PartError> {
    let Some(address) = config.monitor else { return Ok(None) };
    match Monitor::bind(address).await {
        Ok(monitor) => Ok(Some(monitor)),
        Err(error) => Err(PartError::Monitor { at: config.at("monitor.address"), error }),
    }
}

/// The port of the desk, bound, where the desk is on.
///
/// # Errors
/// The address is taken or not ours.
pub async fn review(config: &Config) -> Result<Option<TcpListener>, PartError> {
    let Some(review) = &config.review else { return Ok(None) };
    let address = review.address;
    match TcpListener::bind(address).await {
        Ok(socket) => Ok(Some(socket)),
        Err(error) => Err(PartError::Review { at: config.at("review.listen"), address, error }),
    }
}
