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

use std::collections::BTreeSet;

pub use audience::Audience;
pub use business::Business;
pub use links::has_open_link;

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
            let sentences = lines::sentences(document);
            traits.private_reply |=
                wanted.private_reply && sentences.iter().any(|sentence| reply::asks(sentence, &known));
            traits.staff_contact |= phones
                .as_ref()
                .is_some_and(|phones| sentences.iter().any(|sentence| contact::gives_own(sentence, &known, phones)));
            own_words.extend(sentences);
        }
        if document.kind != Kind::Quoted && (wanted.staff_contact || wanted.open_link) {
            for line in document.blocks.iter().flat_map(lines::of_block) {
                traits.staff_contact |=
                    phones.as_ref().is_some_and(|phones| phones.stand_in(&line) || known.of_staff_in(&line));
                traits.open_link |= wanted.open_link && has_open_link(&line);
            }
        }
    }
    if wanted.business {
        traits.business = business::find(&own_words);
    }
    traits.forwarded = wanted.forwarded && forward::passes_on(documents, &known);
    if wanted.audiences {
        traits.audiences = audience::find(documents);
    }
    traits
}
