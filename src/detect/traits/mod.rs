//! The message's own traits: what a rule may ask of it that is about no pupil.
//!
//! Knows text and people, never mail or rules. Each trait has a file of its own and reads what the sender wrote; what is
//! quoted counts only where passing it on is the trait. A sign has to stand in one sentence or line: two halves from
//! different ones never make one. Time grows with the text.

mod addresses;
mod audience;
mod business;
mod contact;
mod forward;
mod lines;
mod links;
mod reply;
pub mod seen;

use std::collections::BTreeSet;

pub use audience::Audience;
pub use business::Business;
pub use links::has_open_link;
pub use seen::{Seen, kind, place};

use super::Correspondence;
use crate::people::School;
use crate::text::{Document, Halt, Kind};

/// What is true of a message as a whole.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Traits {
    /// The sender asks for answers to a private mailbox.
    pub private_reply: bool,
    /// A private telephone or mailbox of a member of staff stands in it.
    pub staff_contact: bool,
    /// Somebody else's mail is passed on to people who had no part in it.
    pub forwarded: bool,
    /// A link to a file that whoever has the link may open, written out.
    pub open_link: bool,
    /// For whom it says that it is.
    pub audiences: BTreeSet<Audience>,
    /// What it is about that has no place in a school's mail.
    pub business: BTreeSet<Business>,
    /// Where each of them stands first.
    pub seen: Vec<Seen>,
}

impl Traits {
    /// Keeps the first of each kind in each place.
    pub fn see(&mut self, seen: Seen) {
        if self.seen.iter().all(|known| (known.kind, &known.place) != (seen.kind, &seen.place)) {
            self.seen.push(seen);
        }
    }
}

/// Which traits somebody asks for; the others are not looked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// [`Traits::private_reply`].
    pub private_reply: bool,
    /// [`Traits::staff_contact`].
    pub staff_contact: bool,
    /// [`Traits::forwarded`].
    pub forwarded: bool,
    /// [`Traits::open_link`].
    pub open_link: bool,
    /// [`Traits::audiences`].
    pub audiences: bool,
    /// [`Traits::business`].
    pub business: bool,
}

/// Whether the lists built into the program are of their shape.
pub(super) fn check() -> Result<(), String> {
    links::check().and_then(|()| business::check())
}

/// The traits of one message that are wanted. Once `halt` is set, what it gives is of no use.
pub fn find(
    documents: &[Document],
    school: &School,
    correspondence: &Correspondence,
    wanted: Wanted,
    halt: &Halt,
) -> Traits {
    let mut traits = Traits::default();
    let known = addresses::Known::of(school, correspondence);
    let phones = wanted.staff_contact.then(|| contact::Phones::of(school));
    let mut own_words = Vec::new();
    for document in documents {
        if halt.is_set() {
            return traits;
        }
        let own = matches!(document.kind, Kind::Subject | Kind::Body);
        if own && (wanted.private_reply || wanted.staff_contact || wanted.business) {
            for sentence in lines::sentences(document) {
                if wanted.private_reply && reply::asks(&sentence.text, &known) {
                    traits.see(Seen::of(kind::PRIVATE_REPLY, document, &sentence));
                }
                if phones.as_ref().is_some_and(|phones| contact::gives_own(&sentence.text, &known, phones)) {
                    traits.see(Seen::of(kind::STAFF_CONTACT, document, &sentence));
                }
                own_words.push((document, sentence));
            }
        }
        if document.kind != Kind::Quoted && (wanted.staff_contact || wanted.open_link) {
            for line in lines::of_document(document) {
                if phones.as_ref().is_some_and(|phones| phones.stand_in(&line.text) || known.of_staff_in(&line.text)) {
                    traits.see(Seen::of(kind::STAFF_CONTACT, document, &line));
                }
                if wanted.open_link && has_open_link(&line.text) {
                    traits.see(Seen::of(kind::OPEN_LINK, document, &line));
                }
            }
        }
    }
    if wanted.business {
        let sentences: Vec<&str> = own_words.iter().map(|(_, sentence)| sentence.text.as_str()).collect();
        for (business, at) in business::find(&sentences) {
            traits.business.insert(business);
            let (document, sentence) = &own_words[at];
            traits.see(Seen::of(business.kind(), document, sentence));
        }
    }
    if let Some(document) = wanted.forwarded.then(|| forward::passes_on(documents, &known)).flatten() {
        traits.see(Seen::at(kind::FORWARDED, &document.place, ""));
    }
    for (audience, seen) in wanted.audiences.then(|| audience::find(documents)).into_iter().flatten() {
        traits.audiences.insert(audience);
        traits.see(seen);
    }
    let is_seen = |kind: &str| traits.seen.iter().any(|seen| seen.kind == kind);
    let (reply, contact) = (is_seen(kind::PRIVATE_REPLY), is_seen(kind::STAFF_CONTACT));
    let (forwarded, open_link) = (is_seen(kind::FORWARDED), is_seen(kind::OPEN_LINK));
    (traits.private_reply, traits.staff_contact, traits.forwarded, traits.open_link) =
        (reply, contact, forwarded, open_link);
    traits
}
