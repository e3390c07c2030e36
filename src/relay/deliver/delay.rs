//! The notice that a message takes longer (RFC 3461 4.1, RFC 3464 2.3.3): once, to its sender.
//!
//! It does not hang on a try: while the smarthost is away nothing is tried, and each sender is told all the same. What waits
//! for a person does not wait for the smarthost and is not counted. Nobody is told whose program wrote the message.

use std::sync::Arc;

use super::super::dsn::{self, Original, What};
use super::super::log::{Event, event};
use super::courier::Courier;
use super::record::about;
use crate::limits;
use crate::message::{self, automatic};
use crate::smtp::client::header_of;
use crate::store::{Delayed, NewEntry, StoreError};

impl Courier {
    /// Tells the senders of some of the messages that wait long; of those too whose next try is due, with `all`.
    pub(super) async fn tell_of_delays(&self, all: bool) {
        let wait = self.route.load().queue.delay_notice;
        let before = self.now().saturating_sub(wait).unwrap_or(jiff::Timestamp::MIN);
        let told = async {
            for delayed in self.store.delayed(before, all, limits::DELAY_BATCH).await? {
                let content = match self.store.content(&delayed.id).await {
                    Ok(content) => content,
                    // Set aside, or gone meanwhile.
                    Err(StoreError::Damaged { .. } | StoreError::Dropped(_)) => continue,
                    Err(error) => return Err(error),
                };
                let notice = self.delay_notice(&delayed, &content);
                let is_told = notice.is_some();
                if self.store.note_delay(&delayed.id, notice).await? && is_told {
                    event!(Event::Notified, about = %delayed.id, kind = "delay");
                }
            }
            Ok(())
        };
        if let Err(error) = told.await {
            event!(Event::Trouble, what = "senders cannot be told of a delay now", reason = %error);
        }
    }

    /// `None` where there is nobody to tell.
    fn delay_notice(&self, delayed: &Delayed, content: &Arc<[u8]>) -> Option<NewEntry> {
        let to = delayed.mail_from.as_ref()?;
        let waiting = delayed.recipients.iter().filter(|(recipient, _)| recipient.asked.wants_delay());
        let waiting: Vec<_> =
            waiting.map(|(recipient, reply)| about(recipient, reply.as_deref().unwrap_or_default(), false)).collect();
        if waiting.is_empty() || automatic::is_automatic(&message::read(header_of(content))) {
            return None;
        }
        let give_up = self.route.load().queue.give_up;
        let until = delayed.waits_since.saturating_add(give_up).unwrap_or(jiff::Timestamp::MAX);
        if until <= self.now() {
            // It is about to be given up, and that is told.
            return None;
        }
        let original = Original { id: &delayed.id, at: delayed.at, asked: &delayed.reports, content };
        Some(dsn::report(to, What::Delayed { until }, original, &waiting, &self.hostname, self.now()))
    }
}
