//! Whom the head exempts from a rule, until when.
//!
//! Plain values without a clock. Invariant: an exemption counts only for a rule whose pack says `exempt = true`, and what
//! it keeps from asking is reported all the same.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One exemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// The rule that does not stop this sender's mail.
    pub rule: String,
    /// The sender's mailbox, in lower case.
    pub sender: String,
    /// It holds before this time.
    pub until: Timestamp,
    /// When it was granted.
    pub given_at: Timestamp,
    /// By whom: the name of an account with the role `head`.
    pub by: String,
    /// The reason that was given.
    pub because: String,
}

/// Why a rule that fired does not stop the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exempted {
    /// Until when.
    pub until: Timestamp,
    /// By whom.
    pub by: String,
}
