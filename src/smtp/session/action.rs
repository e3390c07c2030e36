//! What a session tells its caller to do, and why it closes.

use std::net::IpAddr;

use crate::smtp::Envelope;
use crate::smtp::auth::{Account, Credentials};
use crate::smtp::data::ContentFacts;
use crate::smtp::xclient::Told;

/// What the caller is to do, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Write these octets in one go.
    Write(Vec<u8>),
    /// Wait before going on: the client made too many mistakes.
    Pause,
    /// A transaction has its recipients, and its content follows: make ready to keep it. The 354 is the next write.
    Begin(Box<Begun>),
    /// The next piece of the content, un-stuffed.
    Content(Vec<u8>),
    /// The content is refused or given up: forget it.
    Discard,
    /// The content is complete: decide, then call [`Session::answer`]. Until then nothing more is read.
    Complete(ContentFacts),
    /// Begin TLS once all is written that was said; then [`super::Session::secured`].
    StartTls,
    /// The session is that of the client with this address now: [`super::Session::introduced`]. Until then nothing more is read.
    Introduce(IpAddr),
    /// Say whether name and password are right: [`super::Session::signed_in`]. Until then nothing more is read.
    SignIn(Credentials),
    /// Close the connection.
    Close(CloseReason),
}

/// A transaction whose content is about to come.
#[derive(Debug, Clone)]
pub struct Begun {
    /// From whom, to whom.
    pub envelope: Envelope,
    /// The client's name as it gave it.
    pub helo: String,
    /// It said EHLO rather than HELO.
    pub esmtp: bool,
    /// It came over TLS.
    pub encrypted: bool,
    /// The account that has signed in.
    pub account: Option<Account>,
    /// Whom a server in front took the message from, for the record.
    pub forwarded: Option<Told>,
}

impl PartialEq for Begun {
    fn eq(&self, other: &Self) -> bool {
        self.helo == other.helo
            && self.esmtp == other.esmtp
            && self.encrypted == other.encrypted
            && self.account == other.account
            && self.forwarded == other.forwarded
            && self.envelope.mail_from == other.envelope.mail_from
            && self.envelope.recipients == other.envelope.recipients
    }
}
impl Eq for Begun {}

/// Why the session closes, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// QUIT.
    Quit,
    /// HTTP or TLS on a plain SMTP port.
    WrongProtocol,
    /// It spoke before our banner, or sent content before 354.
    TooEarly,
    /// Too many refused commands, or too many that do nothing.
    TooManyErrors,
    /// A command line that does not end.
    LineTooLong,
    /// A command line that ends in a bare LF.
    BareLineEnd,
    /// Content far over the limit.
    ContentTooLong,
    /// Silent, or too slow.
    TimedOut,
    /// The gateway stops.
    Stopping,
    /// TLS could not be begun.
    Handshake,
}

impl CloseReason {
    /// The word for the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quit => "quit",
            Self::WrongProtocol => "wrong-protocol",
            Self::TooEarly => "too-early",
            Self::TooManyErrors => "too-many-errors",
            Self::LineTooLong => "line-too-long",
            Self::BareLineEnd => "bare-line-end",
            Self::ContentTooLong => "content-too-long",
            Self::TimedOut => "timed-out",
            Self::Stopping => "stopping",
            Self::Handshake => "handshake",
        }
    }
}
