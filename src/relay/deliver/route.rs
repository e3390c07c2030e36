//! How mail leaves: the smarthosts in their order, whose turn it is, and what is put on what leaves.
//!
//! Knows no message and no queue. A turn holds the right to try its host: where it is dropped untried, the next may have it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::dkim::Signer;
use super::super::passed::PassedHeader;
use super::super::schedule::Admission;
use super::connection::Connection;
use super::host::{Claim, Host, Tokens};
use crate::config::{QueueConfig, SmarthostConfig};
use crate::smtp::client::{NotOpen, Offers};
use crate::store::Outage;

/// Delivery cannot start.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeliverError {
    /// TLS cannot be set up.
    #[error("{0}")]
    Tls(String),
    /// The authorities of our own.
    #[error("{0}")]
    Authorities(String),
    /// The certificate that we show.
    #[error("{0}")]
    Certificate(String),
    /// Its key.
    #[error("{0}")]
    Key(String),
    /// Tokens cannot be fetched.
    #[error("tokens cannot be fetched: {0}")]
    Tokens(String),
    /// Of a smarthost that is not the first.
    #[error("{error}")]
    Fallback {
        /// Its section.
        section: String,
        /// Why.
        error: Box<Self>,
    },
}

impl DeliverError {
    /// The key of the configuration that it is about.
    pub fn key(&self) -> String {
        let key = match self {
            Self::Fallback { section, error } => return error.key().replacen("smarthost", section, 1),
            Self::Tls(_) => "smarthost.tls",
            Self::Authorities(_) => "smarthost.ca_file",
            Self::Certificate(_) => "smarthost.tls_certificate",
            Self::Key(_) => "smarthost.tls_key",
            Self::Tokens(_) => "smarthost.oauth.token_url",
        };
        key.to_owned()
    }
}

/// How mail leaves: the smarthost, TLS to it, and the schedule of tries.
pub struct Route {
    pub(super) smarthost: SmarthostConfig,
    pub(super) queue: QueueConfig,
    /// In the order in which they are tried.
    pub(super) hosts: Vec<Arc<Host>>,
    /// Says of what leaves that it has passed here.
    pub(super) passed: Option<PassedHeader>,
    /// Signs what leaves.
    pub(super) signer: Option<Signer>,
    /// The school's mail domains: what comes from another was passed on.
    pub(super) own: Arc<[String]>,
}

/// To whom the next message goes.
pub(super) enum Choice {
    /// To this one.
    Host(Turn),
    /// Nobody, until a probe that is under way has ended.
    Probed,
    /// Nobody before this time.
    Closed(Timestamp),
}

/// A host's turn: which it is, and the right to try it.
pub(super) struct Turn {
    pub route: Arc<Route>,
    pub host: usize,
    pub claim: Claim,
}

impl Route {
    /// The first that can be used.
    pub(super) fn choose(self: &Arc<Self>, now: Timestamp) -> Choice {
        if let Some(turn) = self.turn_from(0, now) {
            return Choice::Host(turn);
        }
        if self.hosts.iter().any(|host| host.is_probed() && host.admission(now) == Admission::Probe) {
            return Choice::Probed;
        }
        Choice::Closed(self.soonest(now))
    }

    /// The first that can be used, from this one on.
    pub(super) fn turn_from(self: &Arc<Self>, from: usize, now: Timestamp) -> Option<Turn> {
        let claim = |(host, one): (usize, &Arc<Host>)| Some((host, one.claim(now)?));
        let (host, claim) = self.hosts.iter().enumerate().skip(from).find_map(claim)?;
        Some(Turn { route: Arc::clone(self), host, claim })
    }

    /// When the first of them may be tried.
    pub(super) fn soonest(&self, now: Timestamp) -> Timestamp {
        let of = |host: &Arc<Host>| match host.admission(now) {
            Admission::Closed(until) => until,
            Admission::Open | Admission::Probe => now,
        };
        self.hosts.iter().map(of).min().unwrap_or(now)
    }

    pub(super) fn outages(&self) -> BTreeMap<String, Outage> {
        self.hosts.iter().filter_map(|host| Some((host.key(), host.outage()?))).collect()
    }
}

impl Route {
    /// Reads certificates and sets TLS up as configured.
    ///
    /// # Errors
    /// A certificate or key cannot be read or used, or TLS not be set up.
    pub fn new(smarthost: SmarthostConfig, queue: QueueConfig) -> Result<Self, DeliverError> {
        Self::with_tokens(smarthost, queue, None)
    }

    /// As [`Route::new`], where one signs in by token at the first smarthost with these.
    ///
    /// # Errors
    /// As [`Route::new`].
    pub fn with_tokens(
        smarthost: SmarthostConfig,
        queue: QueueConfig,
        tokens: Option<Arc<dyn Tokens>>,
    ) -> Result<Self, DeliverError> {
        let places = smarthost.connections.max(1);
        let mut hosts = vec![Arc::new(Host::new(smarthost.first.clone(), places, tokens)?)];
        for (section, config) in smarthost.hosts().skip(1) {
            let host = Host::new(config.clone(), places, None);
            hosts.push(Arc::new(host.map_err(|error| DeliverError::Fallback { section, error: Box::new(error) })?));
        }
        Ok(Self { smarthost, queue, hosts, passed: None, signer: None, own: Arc::from([]) })
    }

    /// The same route, with our header and our signature on what leaves by it.
    #[must_use]
    pub fn marking(self, passed: Option<PassedHeader>, signer: Option<Signer>) -> Self {
        Self { passed, signer, ..self }
    }

    /// The same route, for a school of these mail domains.
    #[must_use]
    pub fn of_school(self, domains: &[String]) -> Self {
        Self { own: domains.into(), ..self }
    }

    /// Connects as for mail, TLS and signing in included, and says what the smarthost offers; `number` 0 is the first.
    ///
    /// # Errors
    /// What would keep mail waiting.
    pub async fn try_out(&self, number: usize, hostname: &str) -> Result<Offers, NotOpen> {
        let none = || NotOpen::Unreachable("there is no such smarthost".to_owned());
        let connection = Connection::open(self.hosts.get(number).ok_or_else(none)?, hostname).await?;
        let offers = connection.offers();
        connection.close().await;
        Ok(offers)
    }

    /// Who gives the tokens that one signs in with at a smarthost; `number` 0 is the first.
    pub fn tokens(&self, number: usize) -> Option<&dyn Tokens> {
        self.hosts.get(number)?.tokens()
    }
}
