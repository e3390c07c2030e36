//! Tokens to sign in with at a smarthost (RFC 6749): from a client's own credentials (4.4), or from a refresh token (6).
//!
//! One fetch at a time, whoever waits for it, and none that is broken off: who waits may go away, and with the answer a newer
//! refresh token would be lost. A token is renewed before its end; while that fails the old one is used as long as it is good. What
//! fails is asked for again after a pause, or at once where a file with a secret has changed. Secrets are read when they are wanted,
//! wiped behind it, and stand in no error: of what a server says its `error` code alone is repeated (5.2).

mod refresh;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use hyper::Request;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use self::refresh::{Newer, Turn};
use super::host::{Fetching, Token, Tokens, secret_line};
use crate::config::OAuthConfig;
use crate::limits;
use crate::relay::log::{Event, event};
use crate::relay::monitor;
use crate::store::Clock;
use crate::web::{Web, word};

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A file with a secret cannot be used.
    #[error("{0}")]
    File(String),
    /// The server cannot be reached, or breaks off.
    #[error("the token server cannot be asked: {0}")]
    Web(String),
    /// It refuses us, with this code.
    #[error("the token server refuses us: {0}")]
    Refused(String),
    /// It answers with this status, and no code.
    #[error("the token server answers with status {0}")]
    Status(u16),
    /// What it answers holds no token that can be used.
    #[error("the token server's answer cannot be used: {0}")]
    Answer(&'static str),
    /// Our own part failed.
    #[error("the fetch of a token broke off")]
    BrokeOff,
}

/// Where the tokens of one account come from.
pub struct Source(Arc<Inner>);

struct Inner {
    /// The smarthost that they are for, in log and metrics.
    host: String,
    config: OAuthConfig,
    web: Web,
    clock: Clock,
    /// The newest token that was refused.
    refused: AtomicU64,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Of the newest token, from 1.
    number: u64,
    token: Option<Kept>,
    failed: Option<Failed>,
    /// A refresh token that is not in its file yet.
    newer: Option<Newer>,
}

struct Kept {
    secret: Zeroizing<String>,
    /// From here on another is fetched.
    renew: Timestamp,
    until: Timestamp,
}

struct Failed {
    times: u32,
    at: Timestamp,
    again: Timestamp,
    /// The files with secrets, as they were.
    seen: Vec<Stamp>,
    why: TokenError,
}

/// When a file was changed last, and how long it is.
type Stamp = Option<(SystemTime, u64)>;

/// RFC 6749 5.1.
#[derive(Deserialize)]
struct Granted {
    #[serde(deserialize_with = "secret")]
    access_token: Zeroizing<String>,
    token_type: String,
    #[serde(default)]
    expires_in: Option<Seconds>,
    #[serde(default, deserialize_with = "perhaps_secret")]
    refresh_token: Option<Zeroizing<String>>,
}

/// A number; some servers write it as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(i64),
    Text(String),
}

/// RFC 6749 5.2.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(from).map(Zeroizing::new)
}

fn perhaps_secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Zeroizing<String>>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(Zeroizing::new))
}

impl Source {
    /// Nothing is read or asked for yet.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(host: String, config: OAuthConfig, clock: Clock) -> Result<Self, rustls::Error> {
        Ok(Self(Arc::new(Inner {
            host,
            config,
            web: Web::new()?,
            clock,
            refused: AtomicU64::new(0),
            known: Mutex::default(),
        })))
    }

    /// Until when the token is good that can be had now.
    ///
    /// # Errors
    /// Why none can be had.
    pub async fn until(&self) -> Result<Timestamp, TokenError> {
        self.have().await.map(|(_, until)| until)
    }

    /// Whether a newer refresh token could be kept; without one there is nothing to keep.
    ///
    /// # Errors
    /// Why not.
    pub fn keeps(&self) -> Result<(), TokenError> {
        self.0.config.refresh_token_file.as_deref().map_or(Ok(()), refresh::can_be_replaced)
    }

    /// In a task of its own, which goes on where nobody waits any more.
    async fn have(&self) -> Result<(Token, Timestamp), TokenError> {
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move { inner.have().await }).await.unwrap_or(Err(TokenError::BrokeOff))
    }
}

impl Tokens for Source {
    fn token(&self) -> Fetching<'_> {
        Box::pin(async { self.have().await.map(|(token, _)| token).map_err(|error| error.to_string()) })
    }

    fn refused(&self, number: u64) {
        self.0.refused.fetch_max(number, Ordering::Relaxed);
    }

    fn until(&self) -> Option<super::host::Until<'_>> {
        Some(Box::pin(self.until()))
    }

    fn keeps(&self) -> Result<(), TokenError> {
        self.keeps()
    }
}

impl Known {
    fn good(&self, now: Timestamp) -> Option<(Token, Timestamp)> {
        let kept = self.token.as_ref().filter(|kept| now < kept.until)?;
        Some((Token { secret: kept.secret.clone(), number: self.number }, kept.until))
    }
}

impl Inner {
    async fn have(&self) -> Result<(Token, Timestamp), TokenError> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if known.number <= self.refused.load(Ordering::Relaxed) {
            known.token = None;
        }
        if known.token.as_ref().is_some_and(|kept| now < kept.renew)
            && let Some(good) = known.good(now)
        {
            return Ok(good);
        }
        let seen = self.stamps();
        if let Some(failed) = &known.failed
            && failed.at <= now
            && now < failed.again
            && failed.seen == seen
        {
            let why = failed.why.clone();
            return known.good(now).ok_or(why);
        }
        match self.fetch(&mut known, now).await {
            Ok(kept) => {
                let until = kept.until;
                known.number += 1;
                let token = Token { secret: kept.secret.clone(), number: known.number };
                known.token = Some(kept);
                monitor::token(&self.host, true);
                if known.failed.take().is_some() {
                    event!(Event::TokensBack, host = %self.host);
                }
                Ok((token, until))
            }
            Err(why) => {
                monitor::token(&self.host, false);
                let times = known.failed.as_ref().map_or(0, |failed| failed.times);
                if times == 0 {
                    event!(Event::Trouble, what = "no token can be had to sign in with", host = %self.host, reason = %why);
                }
                let doubled = limits::TOKEN_AGAIN_SECONDS.saturating_mul(1_i64.checked_shl(times).unwrap_or(i64::MAX));
                let pause = doubled.clamp(limits::TOKEN_AGAIN_SECONDS, limits::TOKEN_AGAIN_MOST_SECONDS);
                let again = later(now, pause);
                known.failed = Some(Failed { times: times.saturating_add(1), at: now, again, seen, why: why.clone() });
                known.good(now).ok_or(why)
            }
        }
    }

    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.config.client_secret_file.iter().chain(&self.config.refresh_token_file)
    }

    fn stamps(&self) -> Vec<Stamp> {
        self.files().map(|file| refresh::stamp(file)).collect()
    }

    async fn fetch(&self, known: &mut Known, now: Timestamp) -> Result<Kept, TokenError> {
        // Held until a newer refresh token is where others look for it.
        let turn = match &self.config.refresh_token_file {
            Some(file) => Some(Turn::of(file).await?),
            None => None,
        };
        let file = self.config.client_secret_file.clone();
        let secret = off_thread(move || file.map(|file| secret_line("client secret", &file)).transpose()).await?;
        let refresh = match turn {
            Some(turn) => {
                let newer = known.newer.take();
                let (turn, newer, token) = off_thread(move || turn.token(newer)).await?;
                known.newer = newer;
                Some((turn, token))
            }
            None => None,
        };
        let granted = self.ask(secret.as_ref(), refresh.as_ref().map(|(_, token)| token)).await?;
        if let Some((turn, old)) = refresh
            && let Some(new) = granted.refresh_token
            && *new != *old
        {
            if !is_plain(&new) {
                return Err(TokenError::Answer("its refresh token is of another form"));
            }
            let newer = off_thread(move || Ok(turn.keep(new))).await?;
            if let Some((newer, why)) = newer {
                let what = "a newer refresh token cannot be written, and is lost with a restart";
                event!(Event::Trouble, what, host = %self.host, reason = %why);
                known.newer = Some(newer);
            } else {
                known.newer = None;
            }
        }
        if !granted.token_type.eq_ignore_ascii_case("bearer") {
            return Err(TokenError::Answer("its token is of another type"));
        }
        if !is_plain(&granted.access_token) {
            return Err(TokenError::Answer("its token is of another form"));
        }
        let good = match granted.expires_in {
            None => limits::TOKEN_SECONDS,
            Some(Seconds::Number(seconds)) => seconds,
            Some(Seconds::Text(text)) => {
                text.parse().map_err(|_| TokenError::Answer("its token's time is no number"))?
            }
        };
        let good = good.clamp(0, limits::TOKEN_SECONDS_MOST);
        let until = later(now, good);
        let renew = later(now, good - limits::TOKEN_EARLY_SECONDS.min(good / 2));
        Ok(Kept { secret: granted.access_token, renew, until })
    }

    async fn ask(
        &self,
        secret: Option<&Zeroizing<String>>,
        refresh: Option<&Zeroizing<String>>,
    ) -> Result<Granted, TokenError> {
        let config = &self.config;
        let mut fields = vec![("client_id", config.client_id.as_str())];
        match refresh {
            Some(token) => fields.extend([("grant_type", "refresh_token"), ("refresh_token", token.as_str())]),
            None => fields.push(("grant_type", "client_credentials")),
        }
        // In the body, as Microsoft and Google write it themselves (RFC 6749 2.3.1).
        fields.extend(secret.map(|secret| ("client_secret", secret.as_str())));
        fields.extend(config.scope.as_deref().map(|scope| ("scope", scope)));
        // As long as it may become, so that no part of it stays behind in memory that was outgrown.
        let longest = fields.iter().map(|(name, value)| name.len() + "%00".len() * value.len() + "&=".len()).sum();
        let form = form_urlencoded::Serializer::new(String::with_capacity(longest)).extend_pairs(fields).finish();
        let request = Request::post(&config.token_url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(form.into_bytes())
            .map_err(|_| TokenError::Web("token_url is no address".to_owned()))?;
        let answer = self.web.ask(request).await.map_err(|error| TokenError::Web(error.to_string()))?;
        let status = answer.status();
        let body = Zeroizing::new(answer.into_body());
        if !status.is_success() {
            let said = serde_json::from_slice::<Refusal>(&body);
            return Err(said.map_or(TokenError::Status(status.as_u16()), |said| TokenError::Refused(word(&said.error))));
        }
        serde_json::from_slice(&body).map_err(|_| TokenError::Answer("it is of another form"))
    }
}

/// RFC 6749 A.12 and A.17, without blanks: it stands in a header of its own.
fn is_plain(token: &str) -> bool {
    !token.is_empty() && token.len() <= limits::TOKEN_OCTETS && token.bytes().all(|octet| octet.is_ascii_graphic())
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// Files are waited for on a thread of their own.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, TokenError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(TokenError::File),
        Err(_) => Err(TokenError::BrokeOff),
    }
}
