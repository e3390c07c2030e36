//! A next hop with what is needed to open a connection to it: TLS, and what we sign in with.

use std::fs::File;
use std::future::Future;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::shown::Shown;
use super::tokens::{Source, TokenError};
use super::{DeliverError, tls};
use crate::config::{HostConfig, SignInProof, SmarthostTls};
use crate::limits;
use crate::smtp::client::{Proof, SignIn, Under};
use crate::store::Clock;

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
    shown: Option<Arc<Shown>>,
    proof: Option<ProofOfUs>,
}

enum ProofOfUs {
    Password(PathBuf),
    Tokens(Arc<dyn Tokens>),
}

impl Host {
    /// Reads certificates and sets TLS up. `tokens` are those of a sign-in by token.
    pub fn new(config: HostConfig, tokens: Option<Arc<dyn Tokens>>) -> Result<Self, DeliverError> {
        let shown = config.certificate.as_ref().map(|files| Shown::read(files).map(Arc::new)).transpose()?;
        let tls = tls::connector(&config, shown.as_ref())?;
        let proof = match config.sign_in.as_ref().map(|sign_in| &sign_in.proof) {
            None => None,
            Some(SignInProof::Password(file)) => Some(ProofOfUs::Password(file.clone())),
            Some(SignInProof::OAuth(oauth)) => Some(ProofOfUs::Tokens(match tokens {
                Some(tokens) => tokens,
                None => Arc::new(
                    Source::new(&config.host, oauth.clone(), Clock::system())
                        .map_err(|error| DeliverError::Tokens(error.to_string()))?,
                ),
            })),
        };
        Ok(Self { config, tls, shown, proof })
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
