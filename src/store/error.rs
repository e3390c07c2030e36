//! What can go wrong with what must last.

use super::{QueueId, State};

/// Why the store did not do what was asked. Nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The disk is full; the listener answers 452.
    #[error("the disk of the store is full")]
    Full,
    /// A read, write or sync failed; the listener answers 451.
    #[error("{what}: {why}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        why: String,
    },
    /// The database refused or failed; the listener answers 451.
    #[error("database: {0}")]
    Database(String),
    /// The key cannot be had.
    #[error("key of the store: {0}")]
    Key(String),
    /// The store was made with another key.
    #[error("key of the store: this is not the key that the store was made with")]
    WrongKey,
    /// A newer program made the store: what stands in it is not known here, and nothing is touched.
    #[error(
        "the store was made by a newer schoolgate (schema {found}; this one knows up to {known}): run that one, or restore a copy from before"
    )]
    Newer {
        /// The newest step of its schema.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// Another daemon serves from this store.
    #[error("the store is in use by another schoolgate (process {0})")]
    InUse(String),
    /// There is no store where a command looks for one.
    #[error("there is no store yet at {0}; start the gateway first")]
    Missing(String),
    /// There is no such message.
    #[error("there is no message {0}")]
    NotFound(QueueId),
    /// The message is not in a state in which this can be done.
    #[error("message {id} is {}: it cannot be {wanted}", state.as_str())]
    WrongState {
        /// Which.
        id: QueueId,
        /// Where it stands.
        state: State,
        /// What was asked, as a participle: `held`, `released`.
        wanted: &'static str,
    },
    /// The message is no longer leased to us: another process took it up, or a person decided on it.
    #[error("message {0} is no longer leased to this process")]
    NotLeased(QueueId),
    /// What was asked contradicts itself.
    #[error("{0}")]
    Refused(String),
    /// Row or content of this message is damaged or gone.
    #[error("message {id} is damaged: {reason}")]
    Damaged {
        /// Which.
        id: QueueId,
        /// How.
        reason: String,
    },
    /// The content was dropped: the message is delivered, returned or discarded.
    #[error("the content of message {0} is no longer kept")]
    Dropped(QueueId),
    /// There is no such account.
    #[error("there is no account {0}")]
    NoAccount(String),
    /// Name or address are another account's.
    #[error("there is an account with the {0} {1} already")]
    AccountExists(&'static str, String),
    /// Nobody could manage accounts any more, or decide for the school.
    #[error("{0} is the last account in use with the role sbm")]
    LastSbm(String),
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// An error of the file system, a full disk told apart.
    pub(super) fn io(what: impl Into<String>, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io { what: what.into(), why: error.to_string() },
        }
    }

    /// The disk or the database failed, as opposed to a request that cannot be met.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Full | Self::Io { .. } | Self::Database(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        const SQLITE_FULL: i64 = 13;
        let code = error.as_database_error().and_then(|e| e.code()).and_then(|c| c.parse::<i64>().ok());
        match code {
            Some(code) if code & 0xff == SQLITE_FULL => Self::Full,
            _ => Self::Database(error.to_string()),
        }
    }
}
