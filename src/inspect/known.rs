//! What is known of a message beside itself: read from the store, asked of others, given to [`super::inspect_with`] as values.
//!
//! The default knows nothing: nothing was confirmed, nobody counts as never written to, nothing was counted.

use crate::policy::{Allowance, Exemption};
use crate::smtp::Address;

/// What a message is decided with, beside the message and the ground.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// What was confirmed before.
    pub allowances: &'a [Allowance],
    /// Whom the head exempts from what; those of other senders, and those that are over, do not count.
    pub exemptions: &'a [Exemption],
    /// Those of the envelope's recipients to whom nothing was ever delivered. Whoever is on a list of the school's is
    /// known all the same.
    pub never_written_to: &'a [Address],
    /// For the so-manyth time its sender's text goes out today, as the intake counts; 0 where nobody counts.
    pub same_text: usize,
    /// A part is malicious.
    pub malware: bool,
}

impl Known<'_> {
    /// The store says that nothing was ever delivered to this address.
    pub(super) fn is_new(&self, address: &Address) -> bool {
        self.never_written_to.iter().any(|new| new.is_same_mailbox(address))
    }
}
