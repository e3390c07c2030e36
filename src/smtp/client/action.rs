//! What a client tells its caller to do, and what it is to know before it begins.

use zeroize::Zeroizing;

use super::sign_in::{Proof, SignIn};
use super::transaction::{Body, Done};

/// What the caller is to do, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Write these octets in one go.
    Write(Vec<u8>),
    /// Write these octets in one go, and forget them.
    Secret(Secret),
    /// Write the content, call [`super::Client::dot_leaves`], and write its end.
    Content(Body),
    /// Begin TLS; then [`super::Client::secured`] or [`super::Client::not_secured`]. Nothing is read before.
    BeginTls,
    /// Say what proves that the account is ours: [`super::Client::prove`] or [`super::Client::cannot_prove`].
    Prove(Proof),
    /// The server takes mail now.
    Ready,
    /// No mail can be sent; the connection is of no use any more.
    NotOpen(NotOpen),
    /// The message has ended.
    Done(Done),
    /// The server has answered our goodbye, or has gone.
    Bye,
}

/// Octets that nobody else may see; wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Why no mail can be sent over a new connection. All are about the server as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOpen {
    /// No connection, or no greeting.
    #[error("{0}")]
    Unreachable(String),
    /// TLS is wanted and cannot be had.
    #[error("{0}")]
    Tls(String),
    /// It does not let us sign in, or we have nothing to sign in with.
    #[error("{0}")]
    SignIn(String),
}

/// What protects a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Under {
    /// Nothing.
    Nothing,
    /// TLS with whoever answered.
    Tls,
    /// TLS with the one that we mean: the certificate was checked.
    CheckedTls,
}

/// When STARTTLS is said (RFC 3207).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartTls {
    /// Never.
    Never,
    /// Where it is offered.
    IfOffered,
    /// Always; without it there is no mail.
    Must,
}

/// How a connection is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Our name, for EHLO.
    pub hostname: String,
    /// Of a connection that begins in clear.
    pub tls: StartTls,
    /// As whom we sign in, if at all.
    pub sign_in: Option<SignIn>,
}
