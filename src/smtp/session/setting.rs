//! What a session is told of its listener and its client.

use std::sync::Arc;

use crate::smtp::address::Address;
use crate::smtp::data::LineEnds;

/// TLS on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// There is none.
    None,
    /// STARTTLS is offered.
    Offered,
    /// STARTTLS is offered, and no mail is taken before it.
    Required,
    /// It is on.
    On,
}

/// What a recipient is to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// Somebody elsewhere: mail for them goes on.
    No,
    /// The gateway's own, for this sender: what is sent there is for the gateway, and travels alone.
    Yes,
    /// It has the form of an own address and is none, or not for this sender.
    Unknown,
}

/// Knows which recipients are the gateway itself. Says so at once: no store is asked while a client waits for RCPT.
pub trait OwnAddresses: std::fmt::Debug + Send + Sync {
    /// What this recipient is, for this sender.
    fn look(&self, from: Option<&Address>, to: &Address) -> Own;
}

/// A gateway to which nobody writes.
#[derive(Debug, Clone, Copy)]
pub struct NoneOwn;

impl OwnAddresses for NoneOwn {
    fn look(&self, _: Option<&Address>, _: &Address) -> Own {
        Own::No
    }
}

/// What a session must know of its listener and its client.
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// Our name, for banner and EHLO.
    pub hostname: String,
    /// The domain that `<postmaster>` without a domain belongs to.
    pub postmaster_domain: String,
    /// Largest message, octets.
    pub message_size: usize,
    /// Most recipients of one message.
    pub recipients: usize,
    /// The client may send through us; others are refused at RCPT, until they sign in.
    pub may_relay: bool,
    /// TLS when the connection begins.
    pub tls: Tls,
    /// Accounts may sign in, under TLS.
    pub sign_in: bool,
    /// The peer may say XCLIENT and XFORWARD.
    pub xclient: bool,
    /// What becomes of line ends that are no CR LF.
    pub line_ends: LineEnds,
    /// Which recipients are the gateway itself.
    pub own: Arc<dyn OwnAddresses>,
}
