//! What a rule may ask of a message: one key a fact.

use serde::{Deserialize, Serialize};

use crate::detect::Tier;
pub use crate::detect::traits::{Audience, Business};
use crate::extract::Why;
use crate::people::RecipientKind;

/// What must hold together; an absent key does not matter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The message's tier is one of these.
    pub tier: Option<Vec<Tier>>,
    /// Something of one of these categories is said of a pupil.
    pub category: Option<Vec<String>>,
    /// The message counts as bulk.
    pub bulk: Option<bool>,
    /// No pupil is identified.
    pub no_pupil: Option<bool>,
    /// A recipient is of one of these kinds.
    pub to: Option<Vec<RecipientKind>>,
    /// A recipient is a pupil's own mailbox, or none of these is.
    pub to_pupil: Option<bool>,
    /// A pupil of one of these tiers goes to that pupil's own guardian.
    pub own_guardian: Option<Vec<Tier>>,
    /// A pupil of one of these tiers goes to another pupil's guardian.
    pub wrong_guardian: Option<Vec<Tier>>,
    /// A pupil of one of these tiers goes outside to anybody but that pupil's own guardian.
    pub not_own_guardian: Option<Vec<Tier>>,
    /// A pupil of one of these tiers goes to a parent who is kept from that pupil.
    pub barred: Option<Vec<Tier>>,
    /// A parent who has not agreed to be written to by e-mail.
    pub no_email_consent: Option<bool>,
    /// An address that the school has never written to.
    pub never_written_to: Option<bool>,
    /// A parent is told how to reach the child's other household.
    pub other_household: Option<bool>,
    /// An adult's identifier is there, or none is.
    pub adult_identifier: Option<bool>,
    /// A confidential matter of an adult, or of the school itself, that is not the recipient's own.
    pub adult_matter: Option<bool>,
    /// A password or code is written out.
    pub credentials: Option<bool>,
    /// Offensive language.
    pub offensive: Option<bool>,
    /// A camera picture.
    pub photograph: Option<bool>,
    /// What is recorded of the pupils whom a picture's message names.
    pub photo_consent: Option<PhotoConsent>,
    /// A part is unread for one of these reasons.
    pub unreadable: Option<Vec<Why>>,
    /// A part is malicious.
    pub malware: Option<bool>,
    /// The subject has this marker.
    pub marker: Option<Marker>,
    /// The subject lacks this marker.
    pub no_marker: Option<Marker>,
    /// So many private addresses, or more, stand in To and Cc.
    pub visible_private: Option<usize>,
    /// So many recipients outside, or more.
    pub recipients: Option<usize>,
    /// The sender's text of today goes out for the so-manyth time, or more.
    pub same_text: Option<usize>,
    /// From or Sender is an address that the sender may not use.
    pub sender_not_permitted: Option<bool>,
    /// From whom it comes.
    pub sender: Option<Vec<SenderKind>>,
    /// The sender has one of these roles.
    pub sender_role: Option<Vec<String>>,
    /// No person wrote it, or a person did.
    pub automatic: Option<bool>,
    /// It is sent while the school is open, or while it is not.
    pub school_hours: Option<bool>,
    /// It asks for answers to a private mailbox.
    pub private_reply: Option<bool>,
    /// A private telephone or mailbox of a member of staff stands in it.
    pub staff_contact: Option<bool>,
    /// Somebody else's mail is passed on.
    pub forwarded: Option<bool>,
    /// A message that is attached is not as its sender signed it.
    pub altered_original: Option<bool>,
    /// What it is about has no place in a school's mail.
    pub business: Option<Vec<Business>>,
    /// A link to a file that whoever has the link may open.
    pub open_link: Option<bool>,
    /// It says of itself for whom it is.
    pub audience: Option<Vec<Audience>>,
    /// It is about somebody who has one of these roles.
    pub about_role: Option<Vec<String>>,
}

impl Condition {
    /// It speaks of pupils who are there, so that what is confirmed is confirmed for each of them.
    pub fn is_about_pupils(&self) -> bool {
        self.tier.is_some()
            || self.category.is_some()
            || self.bulk == Some(true)
            || self.own_guardian.is_some()
            || self.wrong_guardian.is_some()
            || self.not_own_guardian.is_some()
            || self.barred.is_some()
            // "A pupil is identified", said the other way round.
            || self.no_pupil == Some(false)
    }

    /// It asks for what a recipient is, and so concerns the recipients who are that.
    pub fn asks_for_recipient(&self) -> bool {
        self.to.is_some()
            || self.to_pupil.is_some()
            || self.own_guardian.is_some()
            || self.wrong_guardian.is_some()
            || self.not_own_guardian.is_some()
            || self.barred.is_some()
            || self.no_email_consent.is_some()
            || self.never_written_to.is_some()
            || self.other_household.is_some()
            || self.adult_matter.is_some()
    }

    /// The kinds of the message's own traits that it asks for, as the findings of a report have them.
    pub fn traits(&self) -> Vec<&'static str> {
        use crate::detect::traits::kind;
        let asked = |wanted: Option<bool>, kind| (wanted == Some(true)).then_some(kind);
        let one = [
            asked(self.private_reply, kind::PRIVATE_REPLY),
            asked(self.staff_contact, kind::STAFF_CONTACT),
            asked(self.forwarded, kind::FORWARDED),
            asked(self.open_link, kind::OPEN_LINK),
            asked(self.altered_original, kind::ALTERED),
            asked(self.other_household, kind::OTHER_HOUSEHOLD),
            self.same_text.map(|_| kind::SAME_TEXT),
            self.recipients.map(|_| kind::RECIPIENTS),
        ];
        let audiences = self.audience.iter().flatten().map(|audience| audience.kind());
        one.into_iter().flatten().chain(audiences).chain(self.business.iter().flatten().map(|b| b.kind())).collect()
    }

    /// No key is given: it would hold for every message.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A subject marker of the core policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Marker {
    /// `Confidential` or an alias.
    Confidential,
    /// `Personal` or `Private`, anywhere.
    Personal,
    /// `Personal` or `Private`, set off from the rest.
    PersonalStandingOut,
    /// `Urgent`.
    Urgent,
}

/// From whom a message comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SenderKind {
    /// A person of the staff directory.
    Individual,
    /// A mailbox that several people read: the office, a year group.
    Shared,
    /// A pupil.
    Pupil,
    /// On no list.
    #[default]
    Unknown,
}

/// What the roster says of pictures of the pupils whom the message names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhotoConsent {
    /// One of them may not be shown.
    Refused,
    /// Nobody is named, or nothing is recorded of one of them.
    #[default]
    Unknown,
    /// Every one of them may be shown.
    Given,
}
