//! What must last: queue, quarantine, decisions, audit. Content is encrypted with a key that is not in the database.
//!
//! Never knows sockets, people or rules. A message is in exactly one [`State`]; every change is one transaction with an
//! audit line. [`NewEntry`]s are durable, message and entry both, when their commit returns.

use crate::inspect::Report;
use crate::smtp::Envelope;

/// The gateway's own id of a message: the queue id of our 250, of logs, of notices. 16 letters and digits, sortable by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct QueueId(pub String);

impl std::fmt::Display for QueueId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a message stands. Exactly one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Taken in, not yet inspected; can never leave.
    Pending,
    /// To be delivered: has a stored verdict `deliver` for exactly these bytes, or was released.
    Queued,
    /// In quarantine, waiting for a decision.
    Held,
    /// Not delivered; a notice went back to the sender.
    Returned,
    /// Every recipient was taken by the smarthost.
    Delivered,
    /// Given up; reported to the sender.
    Failed,
    /// Dropped by a person, with who and why.
    Discarded,
}

/// Mail of a person, or a notice of our own about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// What came in by SMTP.
    Mail,
    /// A bounce, hold notice, SBM notice or delivery report that we wrote; never inspected, never answered.
    Notice,
}

/// A message to be made durable.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Its id.
    pub id: QueueId,
    /// Mail or notice.
    pub class: Class,
    /// The message that a notice is about.
    pub about: Option<QueueId>,
    /// `Pending`, `Queued`, `Held` or `Returned`.
    pub state: State,
    /// From whom, to whom.
    pub envelope: Envelope,
    /// Our Received line and the message: exactly the bytes that may leave, with CRLF line ends and no dot-stuffing.
    pub content: std::sync::Arc<[u8]>,
    /// SHA-256 of `content`; delivery checks it against the bytes that it sends.
    pub sha256: [u8; 32],
    /// The decision, absent while pending and for notices.
    pub report: Option<Report>,
    /// When it was taken in.
    pub at: jiff::Timestamp,
    /// Address of the client, for the audit line.
    pub client: Option<std::net::IpAddr>,
}
