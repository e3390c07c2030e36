//! Where a trait of a message stands: one shape for all of them, for the report and for who decides.

use crate::limits;
use crate::text::Document;

use super::lines::Line;

/// A trait, and where it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Seen {
    /// One of [`kind`].
    pub kind: &'static str,
    /// The line or sentence that shows it, cut to what a person reads at a glance; may be empty. As secret as the message: for
    /// the report and the encrypted store alone.
    pub text: String,
    /// Place of the document, as in [`Document::place`], or one of [`place`].
    pub place: String,
    /// Finer place: `line 4` (lines with nothing in them do not count), `page 2`.
    pub detail: Option<String>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seen").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Seen {
    /// Something that stands in no text.
    pub fn at(kind: &'static str, place: impl Into<String>, text: &str) -> Self {
        Self { kind, text: cut(text), place: place.into(), detail: None }
    }

    /// A line or sentence of a document.
    pub(super) fn of(kind: &'static str, document: &Document, line: &Line) -> Self {
        Self { kind, text: cut(&line.text), place: document.place.clone(), detail: line.detail.clone() }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(limits::EXCERPT_LINE).collect()
}

/// The kinds of traits, as findings have them.
pub mod kind {
    /// Answers are asked for at a private mailbox.
    pub const PRIVATE_REPLY: &str = "private-reply";
    /// A private telephone or mailbox of a member of staff.
    pub const STAFF_CONTACT: &str = "staff-contact";
    /// Somebody else's mail, passed on.
    pub const FORWARDED: &str = "forwarded";
    /// A link that anyone may open.
    pub const OPEN_LINK: &str = "open-link";
    /// An attached message that was changed.
    pub const ALTERED: &str = "altered-original";
    /// The same text as before.
    pub const SAME_TEXT: &str = "same-text";
    /// So many recipients.
    pub const RECIPIENTS: &str = "many-recipients";
    /// How to reach a child's other household.
    pub const OTHER_HOUSEHOLD: &str = "other-household";
    /// Marked for staff.
    pub const FOR_STAFF: &str = "for-staff";
    /// Marked for governors.
    pub const FOR_GOVERNORS: &str = "for-governors";
    /// The sender's own trade.
    pub const TRADE: &str = "own-trade";
    /// A prize.
    pub const PRIZE: &str = "prize";
    /// A wager.
    pub const GAMBLING: &str = "gambling";
    /// Party politics.
    pub const POLITICS: &str = "politics";
    /// Each of them.
    pub const ALL: [&str; 14] = [
        PRIVATE_REPLY,
        STAFF_CONTACT,
        FORWARDED,
        OPEN_LINK,
        ALTERED,
        SAME_TEXT,
        RECIPIENTS,
        OTHER_HOUSEHOLD,
        FOR_STAFF,
        FOR_GOVERNORS,
        TRADE,
        PRIZE,
        GAMBLING,
        POLITICS,
    ];
}

/// Places that are no document's.
pub mod place {
    /// The header of that name.
    pub const REPLY_TO: &str = "Reply-To header";
    /// To and Cc, or whoever gets it.
    pub const RECIPIENTS: &str = "list of recipients";
    /// The body.
    pub const BODY: &str = "body";
    /// All of it.
    pub const MESSAGE: &str = "message";
    /// A message that is attached and has no name.
    pub const ATTACHED: &str = "attached message";
}
