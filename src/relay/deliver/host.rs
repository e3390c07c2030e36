//! A next hop: what is needed to open a connection to it, TLS and what we sign in with; what is known of it; and its
//! connections without work.

use std::fs::File;
use std::future::Future;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::connection::Connection;
use super::shown::Shown;
use super::tokens::{Source, TokenError};
use super::{DeliverError, lock, random, tls};
use crate::config::{HostConfig, QueueConfig, SignInProof, SmarthostTls};
use crate::limits;
use crate::relay::log::{Event, event};
use crate::relay::monitor;
use crate::relay::schedule::{Admission, Destination};
use crate::smtp::client::{Proof, SignIn, Under, Waits};
use crate::store::{Clock, Outage};

/// What a token, or the reason why there is none, comes in.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Token, String>> + Send + 'a>>;

/// Until when a token is good, or the reason why there is none.
pub type Until<'a> = Pin<Box<dyn Future<Output = Result<Timestamp, TokenError>> + Send + 'a>>;

/// A token, and which it is of those that were fetched.
pub struct Token {
    /// What is shown.
    pub secret: Zeroizing<String>,
    /// From 1.
    pub number: u64,
}

/// Where tokens come from (RFC 6749). Who implements it keeps a token for as long as it is good.
pub trait Tokens: Send + Sync {
    /// A token that has not run out. The error is a reason in plain words, without anything secret.
    fn token(&self) -> Fetching<'_>;

    /// The token of this number was refused: [`Self::token`] gives it no more.
    fn refused(&self, number: u64);

    /// Until when the token is good that can be had now, where that is known.
    fn until(&self) -> Option<Until<'_>> {
        None
    }

    /// Whether what comes with a token, and is wanted for the next, could be kept.
    ///
    /// # Errors
    /// Why not.
    fn keeps(&self) -> Result<(), TokenError> {
        Ok(())
    }
}

/// A next hop.
pub(super) struct Host {
    pub config: HostConfig,
    /// `None` where TLS is not wanted.
    pub tls: Option<TlsConnector>,
    pub waits: Waits,
    shown: Option<Arc<Shown>>,
    proof: Option<ProofOfUs>,
    state: Arc<State>,
    /// With the time since when, the last one at the end; `None` once mail leaves another way.
    idle: Mutex<Option<Vec<(Instant, Connection)>>>,
}

/// What outlasts a change of the configuration that leaves the host as it is.
struct State {
    destination: Mutex<Destination>,
    /// One message probes it.
    probing: AtomicBool,
    /// Of connections, open or being closed.
    places: Arc<Semaphore>,
}

/// The right to probe a host, or to send as much as the limits allow.
pub(super) struct Claim(Option<Arc<State>>);

impl Claim {
    /// Whether it is a probe.
    pub fn probes(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(state) = &self.0 {
            state.probing.store(false, Ordering::Release);
        }
    }
}

enum ProofOfUs {
    Password(PathBuf),
    Tokens(Arc<dyn Tokens>),
}

impl Host {
    /// Reads certificates and sets TLS up. `tokens` are those of a sign-in by token.
    pub fn new(config: HostConfig, connections: usize, tokens: Option<Arc<dyn Tokens>>) -> Result<Self, DeliverError> {
        let shown = config.certificate.as_ref().map(|files| Shown::read(files).map(Arc::new)).transpose()?;
        let tls = tls::connector(&config, shown.as_ref())?;
        let proof = match config.sign_in.as_ref().map(|sign_in| &sign_in.proof) {
            None => None,
            Some(SignInProof::Password(file)) => Some(ProofOfUs::Password(file.clone())),
            Some(SignInProof::OAuth(oauth)) => Some(ProofOfUs::Tokens(match tokens {
                Some(tokens) => tokens,
                None => Arc::new(
                    Source::new(config.name(), oauth.clone(), Clock::system())
                        .map_err(|error| DeliverError::Tokens(error.to_string()))?,
                ),
            })),
        };
        let state = State {
            destination: Mutex::default(),
            probing: AtomicBool::new(false),
            places: Arc::new(Semaphore::new(connections)),
        };
        Ok(Self {
            config,
            tls,
            waits: Waits::default(),
            shown,
            proof,
            state: Arc::new(state),
            idle: Mutex::new(Some(Vec::new())),
        })
    }

    /// What it is called in log and metrics.
    pub fn name(&self) -> String {
        self.config.name()
    }

    /// What it is called in the store: with its port and our account there.
    pub fn key(&self) -> String {
        let user = self.config.sign_in.as_ref().map_or("", |sign_in| sign_in.user.as_str());
        format!("{} {user}", self.name()).trim_end().to_owned()
    }

    /// Takes over what is known of it, where the old configuration had the same host.
    pub fn take_over(&mut self, old: &[Arc<Self>]) {
        if let Some(same) = old.iter().find(|old| old.config == self.config) {
            self.state = Arc::clone(&same.state);
        } else if let Some(there) =
            old.iter().find(|old| (&old.config.host, old.config.port) == (&self.config.host, self.config.port))
        {
            // Other ways in, and the same count of connections.
            self.state = Arc::new(State {
                destination: Mutex::default(),
                probing: AtomicBool::new(false),
                places: Arc::clone(&there.state.places),
            });
        }
    }

    /// Waits for a place among its connections.
    pub async fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.state.places).acquire_owned().await.ok()
    }

    /// What was kept of it when the gateway ended.
    pub fn recall(&self, outage: Option<Outage>, now: Timestamp, queue: &QueueConfig) {
        *lock(&self.state.destination) = Destination::kept(outage, now, queue);
        monitor::smarthost_well(&self.name(), outage.is_none());
    }

    pub fn outage(&self) -> Option<Outage> {
        lock(&self.state.destination).outage()
    }

    /// Whether it may be tried, and not whether somebody does.
    pub fn admission(&self, now: Timestamp) -> Admission {
        lock(&self.state.destination).admission(now)
    }

    pub fn is_probed(&self) -> bool {
        self.state.probing.load(Ordering::Acquire)
    }

    /// The right to try it now, where there is one.
    pub fn claim(&self, now: Timestamp) -> Option<Claim> {
        match self.admission(now) {
            Admission::Open => Some(Claim(None)),
            Admission::Probe if !self.state.probing.swap(true, Ordering::AcqRel) => {
                Some(Claim(Some(Arc::clone(&self.state))))
            }
            Admission::Probe | Admission::Closed(_) => None,
        }
    }

    /// It could not be used; says so in the log where that is news. `others` can be used.
    pub fn failed(&self, why: &str, others: bool, now: Timestamp, queue: &QueueConfig) {
        let (next, news) = lock(&self.state.destination).failed(now, queue, random());
        if news {
            let what = if others {
                "the smarthost cannot be used, mail goes to the next one"
            } else {
                "the smarthost cannot be used, mail waits"
            };
            event!(Event::Trouble, what, host = %self.name(), reason = why, next = %next);
            monitor::smarthost_well(&self.name(), false);
        }
    }

    /// It answered.
    pub fn reached(&self) {
        if lock(&self.state.destination).reached() {
            event!(Event::SmarthostBack, host = %self.name());
            monitor::smarthost_well(&self.name(), true);
        }
    }

    /// A person asked at this time that mail be tried at once.
    pub fn asked(&self, at: Timestamp) {
        lock(&self.state.destination).asked(at);
    }

    /// A connection that waits for work and can be used.
    pub fn idle(&self) -> Option<Connection> {
        let mut those = std::iter::from_fn(|| lock(&self.idle).as_mut()?.pop());
        those.find_map(|(_, mut idle)| idle.is_ready().then_some(idle))
    }

    /// Keeps a connection for the next message; gives it back where mail leaves another way by now.
    pub fn lay_idle(&self, connection: Connection, now: Instant) -> Option<Connection> {
        match lock(&self.idle).as_mut() {
            Some(idle) => {
                idle.push((now, connection));
                None
            }
            None => Some(connection),
        }
    }

    /// Those that by now have had no work for this long.
    pub fn idle_for(&self, long: Duration, now: Instant) -> Vec<Connection> {
        let mut idle = lock(&self.idle);
        let has_waited = |since: Instant| now.saturating_duration_since(since) >= long;
        let those = idle.iter_mut().flat_map(|idle| idle.extract_if(.., |(since, _)| has_waited(*since)));
        those.map(|(_, connection)| connection).collect()
    }

    /// Mail leaves another way: gives what waits for work.
    pub fn retire(&self) -> Vec<Connection> {
        lock(&self.idle).take().unwrap_or_default().into_iter().map(|(_, connection)| connection).collect()
    }

    /// Before a connection: a certificate that was renewed is the one that is shown.
    pub async fn look(&self) {
        if let Some(shown) = self.shown.clone() {
            // A panic there leaves the pair that was.
            let _ = tokio::task::spawn_blocking(move || shown.look()).await;
        }
    }

    /// What TLS to it is worth.
    pub fn under(&self) -> Under {
        match self.config.tls {
            SmarthostTls::None => Under::Nothing,
            SmarthostTls::Opportunistic | SmarthostTls::Encrypted => Under::Tls,
            SmarthostTls::Required | SmarthostTls::Implicit => Under::CheckedTls,
        }
    }

    pub fn sign_in(&self) -> Option<SignIn> {
        let sign_in = self.config.sign_in.as_ref()?;
        let by_token = matches!(self.proof, Some(ProofOfUs::Tokens(_)));
        Some(SignIn { user: sign_in.user.clone(), by_token })
    }

    /// Who gives the tokens that we sign in with there.
    pub fn tokens(&self) -> Option<&dyn Tokens> {
        match &self.proof {
            Some(ProofOfUs::Tokens(tokens)) => Some(tokens.as_ref()),
            _ => None,
        }
    }

    /// What proves that the account is ours; read or fetched now. `shown` is the number of the token that was shown last over this
    /// connection.
    pub async fn proof(&self, wanted: Proof, shown: &mut u64) -> Result<Zeroizing<String>, String> {
        match &self.proof {
            Some(ProofOfUs::Password(file)) => {
                let file = file.clone();
                let reading = tokio::task::spawn_blocking(move || secret_line("password", &file));
                reading.await.map_err(|_| "the password could not be read".to_owned())?
            }
            Some(ProofOfUs::Tokens(tokens)) => {
                if wanted == Proof::FreshToken {
                    tokens.refused(*shown);
                }
                let token = tokens.token().await?;
                *shown = token.number;
                Ok(token.secret)
            }
            None => Err("there is nothing to sign in with".to_owned()),
        }
    }
}

/// The files with what we sign in with there that cannot be read now or hold no secret: the key that names each, and why.
pub fn unreadable_secrets(host: &HostConfig) -> Vec<(&'static str, String)> {
    let files = match host.sign_in.as_ref().map(|sign_in| &sign_in.proof) {
        None => Vec::new(),
        Some(SignInProof::Password(file)) => vec![("password_file", "password", Some(file))],
        Some(SignInProof::OAuth(oauth)) => vec![
            ("oauth.client_secret_file", "client secret", oauth.client_secret_file.as_ref()),
            ("oauth.refresh_token_file", "refresh token", oauth.refresh_token_file.as_ref()),
        ],
    };
    let wrong = |(key, what, file): (_, _, Option<&PathBuf>)| Some((key, secret_line(what, file?).err()?));
    files.into_iter().filter_map(wrong).collect()
}

/// The one line of a file with a secret, without its end; `what` it holds stands in the error.
pub(super) fn secret_line(what: &str, file: &Path) -> Result<Zeroizing<String>, String> {
    let name = file.display();
    let read = |error: std::io::Error| format!("the {what} file {name} cannot be read: {error}");
    // As large as it may become, so that no part of it stays behind in memory that was outgrown.
    let mut text = Zeroizing::new(String::with_capacity(limits::AUTH_LINE + 1));
    File::open(file).map_err(read)?.take(limits::AUTH_LINE as u64).read_to_string(&mut text).map_err(read)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains(|c: char| c.is_control()) {
        return Err(format!("the {what} file {name} does not hold one line with the {what}"));
    }
    Ok(Zeroizing::new(line.to_owned()))
}
