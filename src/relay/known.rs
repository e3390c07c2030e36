//! What the store knows for one message: what was confirmed, who is exempt, who was never written to, how often the text went
//! out today. Only what a rule of the pack asks for is looked up.
//!
//! Knows the store and the rules; never decides. Invariants: what cannot be read counts as unknown, and is logged; two
//! messages with the same text that are decided at the same moment see each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::log::{Event, event};
use crate::inspect::{Ground, Known, same_text};
use crate::people::{RecipientKind, SenderIdentity};
use crate::policy::{Allowance, Exemption};
use crate::smtp::{Address, Envelope};
use crate::store::{SentText, Store, StoreError, TextsToday};

/// What was read for one message.
#[derive(Default)]
pub struct Gathered {
    /// What was confirmed for mail of its sender.
    pub allowances: Vec<Allowance>,
    exemptions: Vec<Exemption>,
    never_written_to: Vec<Address>,
    /// Absent where no rule asks.
    texts: Option<TextsToday>,
}

impl Gathered {
    /// Reads it for a message taken in at `at`. Where something cannot be read, the rules ask again, and nothing was counted.
    pub async fn of(store: &Store, ground: &Ground, envelope: &Envelope, at: Timestamp) -> Self {
        let now = store.clock().now();
        let mut gathered = Self::default();
        if let Some(sender) = &envelope.mail_from {
            gathered.allowances = read(store.allowances_of(sender.as_str(), now).await);
            if ground.pack.asks(|condition| condition.same_text.is_some()) {
                gathered.texts = read(store.texts_today(sender.as_str(), at).await.map(Some));
            }
        }
        let kept = read(store.exemptions(now).await);
        gathered.exemptions = kept.into_iter().map(|kept| kept.exemption).collect();
        if ground.pack.asks(|condition| condition.never_written_to.is_some()) {
            gathered.never_written_to = read(store.never_written_to(&outside(ground, envelope)).await);
        }
        gathered
    }

    /// As the inspection takes it.
    pub fn known(&self, same_text: usize) -> Known<'_> {
        Known {
            allowances: &self.allowances,
            exemptions: &self.exemptions,
            never_written_to: &self.never_written_to,
            same_text,
            ..Known::default()
        }
    }

    /// Counts the text of this message with those of today, and with those that are being decided on; nothing where no rule
    /// asks, or where it is no text that counts. Until what is given goes, others see it.
    pub fn count(&self, going: &Going, ground: &Ground, envelope: &Envelope, raw: &[u8]) -> Option<Counted> {
        let texts = self.texts.as_ref()?;
        let recipients = outside(ground, envelope).len();
        if recipients == 0 {
            return None;
        }
        let (sent, messages, all) = texts.one_more(&same_text::of(raw)?, recipients);
        let (beside, guard) = going.enter(sent.key(), recipients);
        let again = same_text::again(messages + beside.0, all + beside.1);
        Some(Counted { sent, again, _guard: guard })
    }
}

/// A message whose text counts.
pub struct Counted {
    /// For the store, in the commit of the message.
    pub sent: SentText,
    /// The so-manyth time.
    pub again: usize,
    _guard: Guard,
}

type Key = ([u8; 32], [u8; 32]);

/// Texts of messages that are being decided on, each with how many messages and recipients.
#[derive(Default, Clone)]
pub struct Going(Arc<Mutex<HashMap<Key, (usize, usize)>>>);

/// One of them, until it goes.
struct Guard {
    going: Going,
    key: Key,
    recipients: usize,
}

impl Going {
    /// Messages and recipients of the others with this text, and this one from now on.
    fn enter(&self, key: Key, recipients: usize) -> ((usize, usize), Guard) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let one = all.entry(key).or_default();
        let others = *one;
        *one = (others.0 + 1, others.1 + recipients);
        (others, Guard { going: self.clone(), key, recipients })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut all = self.going.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = all.get_mut(&self.key) {
            *one = (one.0.saturating_sub(1), one.1.saturating_sub(self.recipients));
            if one.0 == 0 {
                all.remove(&self.key);
            }
        }
    }
}

fn read<T: Default>(answer: Result<T, StoreError>) -> T {
    answer.unwrap_or_else(|error| {
        event!(Event::Trouble, what = "what is known of a sender or a recipient could not be read", reason = %error);
        T::default()
    })
}

fn outside(ground: &Ground, envelope: &Envelope) -> Vec<Address> {
    let nobody = SenderIdentity::default();
    let is_outside = |to: &&Address| ground.school.recipient(to, &nobody).kind != RecipientKind::Internal;
    envelope.recipients.iter().filter(is_outside).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_being_decided_on_is_seen_until_it_goes() {
        let going = Going::default();
        let (one, other) = (([1; 32], [1; 32]), ([1; 32], [2; 32]));
        let (none, first) = going.enter(one, 2);
        let (seen, second) = going.enter(one, 3);
        let (apart, _third) = going.enter(other, 7);
        assert_eq!((none, seen, apart), ((0, 0), (1, 2), (0, 0)));
        drop(first);
        assert_eq!(going.enter(one, 1).0, (1, 3));
        drop(second);
        assert_eq!(going.enter(one, 1).0, (0, 0));
        assert_eq!(going.0.lock().unwrap().len(), 1, "what has gone is forgotten");
    }
}
