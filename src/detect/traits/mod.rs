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

/// Whether the lists built into the program are of their shape.
pub(super) fn check() -> Result<(), String> {
    links::check().and_then(|()| business::check())
}

/// The traits of one message. Once `halt` is set, what it gives is of no use.
pub fn find(documents: &[Document], school: &School, correspondence: &Correspondence, halt: &Halt) -> Traits {
    let mut traits = Traits::default();
    let known = addresses::Known::of(school, correspondence);
    let phones = contact::Phones::of(school);
    let mut own_words = Vec::new();
    for document in documents {
        if halt.is_set() {
            return traits;
        }
        let own = matches!(document.kind, Kind::Subject | Kind::Body);
        if own {
            let sentences = lines::sentences(document);
            traits.private_reply |= sentences.iter().any(|sentence| reply::asks(sentence, &known));
            traits.staff_contact |= sentences.iter().any(|sentence| contact::gives_own(sentence, &known, &phones));
            own_words.extend(sentences);
        }
        if document.kind != Kind::Quoted {
            for line in document.blocks.iter().flat_map(lines::of_block) {
                traits.staff_contact |= phones.stand_in(&line) || known.of_staff_in(&line);
                traits.open_link |= has_open_link(&line);
            }
        }
    }
    traits.business = business::find(&own_words);
    traits.forwarded = forward::passes_on(documents, &known);
    traits.audiences = audience::find(documents);
    traits
}
