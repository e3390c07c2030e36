//! How long each step of a server may take (RFC 5321 4.5.3.2). Numbers alone: whoever has a clock keeps them.

use std::time::Duration;

use crate::limits;

/// The waits on a server. The default is that of [`limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// For the connection.
    pub connect: Duration,
    /// For the greeting, a handshake, and the answer to every command but those below.
    pub command: Duration,
    /// For the answer to DATA.
    pub data: Duration,
    /// Until a block of content is taken.
    pub block: Duration,
    /// For the answer to the final dot.
    pub final_dot: Duration,
    /// For the answer to QUIT.
    pub quit: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(limits::SMARTHOST_CONNECT),
            command: Duration::from_secs(limits::SMARTHOST_COMMAND),
            data: Duration::from_secs(limits::SMARTHOST_DATA),
            block: Duration::from_secs(limits::SMARTHOST_BLOCK),
            final_dot: Duration::from_secs(limits::SMARTHOST_FINAL_DOT),
            quit: Duration::from_secs(limits::SMARTHOST_QUIT_SECONDS),
        }
    }
}
