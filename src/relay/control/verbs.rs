//! What people do by command with a message and with accounts, as it travels to the gateway.

use serde::{Deserialize, Serialize};

use crate::smtp::{Address, Sender};
use crate::store::Classification;
use crate::store::accounts::{LastSbm, Role, Token};

/// Who does something, and why; both go into the audit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Because {
    /// The name that was given.
    pub who: String,
    /// The reason that was given; may be empty for another try.
    pub why: String,
    /// What a decided message is taken for.
    #[serde(default)]
    pub classification: Option<Classification>,
}

/// What is done with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Try it again at once.
    Retry,
    /// Out of the queue, into quarantine.
    Hold,
    /// Out of the queue, for good; nobody is told.
    Drop,
    /// Let it go; its sender is told.
    Release {
        /// To these recipients alone; empty is all of them.
        only: Vec<Address>,
    },
    /// Back to its sender, with what the reviewer writes.
    Return {
        /// May be empty.
        note: String,
    },
    /// For good; its sender is told.
    Discard,
}

/// What is done about an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountVerb {
    /// Make it.
    Add {
        /// The person's school mailbox.
        address: Address,
        /// What the person is.
        roles: Vec<Role>,
    },
    /// These roles and no others.
    Roles {
        /// What the person is.
        roles: Vec<Role>,
        /// Whether it may be the last `sbm`.
        last: LastSbm,
    },
    /// A fresh one-time link.
    Reset,
    /// Out of use.
    Disable {
        /// Whether it may be the last `sbm`.
        last: LastSbm,
    },
    /// Into use again.
    Enable,
}

/// What is done about an account that may sign in to send.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubmissionVerb {
    /// Make it.
    Add {
        /// Whom it may send as.
        senders: SendAs,
        /// Its password; without, one is made.
        password: Option<Token>,
    },
    /// Another password.
    Password {
        /// This one; without, one is made.
        password: Option<Token>,
    },
    /// These senders and no others.
    Senders(SendAs),
    /// Out of use.
    Disable,
    /// Into use again.
    Enable,
    /// For good.
    Remove,
}

/// Whom an account may send as.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendAs {
    /// These mailboxes.
    pub mailboxes: Vec<Address>,
    /// Every mailbox of these domains.
    pub domains: Vec<String>,
}

impl SendAs {
    pub(super) fn senders(&self) -> Vec<Sender> {
        let mailboxes = self.mailboxes.iter().cloned().map(Sender::Mailbox);
        mailboxes.chain(self.domains.iter().cloned().map(Sender::Domain)).collect()
    }
}
