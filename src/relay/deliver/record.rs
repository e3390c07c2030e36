//! What became of a message: recorded with the reports that are due, until it is, and said in the log.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::sleep;

use super::super::dsn::{self, About, Original, What};
use super::super::log::{Event, event};
use super::super::monitor::{self, DeliveryOutcome};
use super::super::schedule;
use super::courier::Courier;
use super::{AGAIN_AT_MOST, LEASE, POLL};
use crate::limits;
use crate::store::{DueRecipient, Leased, Left, Outcome, QueueId, RecipientOutcome, StoreError};

impl Courier {
    /// Stores what became of a message, with the reports to its sender that are due.
    pub(super) async fn record(
        &self,
        message: &Leased,
        content: &[u8],
        mut outcomes: Vec<RecipientOutcome>,
        relayed: &[u32],
        next: Timestamp,
        left: Option<Left>,
    ) {
        let now = self.now();
        let id = &message.id;
        let given_up = schedule::is_given_up(message.waits_since, now, &self.route.load().queue);
        let (mut failed, mut passed_on) = (Vec::new(), Vec::new());
        let mut failures = 0;
        for outcome in &mut outcomes {
            let put_off = match &outcome.outcome {
                Outcome::Deferred { reply } => Some(reply.clone()),
                Outcome::Unknown => Some("the connection was lost after the message was sent".to_owned()),
                _ => None,
            };
            let given_up = given_up && put_off.is_some();
            if given_up && let Some(reply) = put_off {
                outcome.outcome = Outcome::Failed { reply };
            }
            let Some(recipient) = message.recipients.iter().find(|r| r.position == outcome.position) else { continue };
            match &outcome.outcome {
                Outcome::Failed { reply } => {
                    failures += 1;
                    failed.extend(recipient.asked.wants_failure().then(|| about(recipient, reply, given_up)));
                }
                Outcome::Delivered { reply } if relayed.contains(&recipient.position) => {
                    passed_on.extend(recipient.asked.wants_success().then(|| about(recipient, reply, false)));
                }
                _ => {}
            }
        }
        note(id, &outcomes, next);
        let mut notices = Vec::new();
        match dsn::report_to(message) {
            Some(to) => {
                let original = Original { id, at: message.at, asked: &message.reports, content };
                let reports = [(What::Failed, failed), (What::Relayed, passed_on)];
                for (what, about) in reports.into_iter().filter(|(_, about)| !about.is_empty()) {
                    notices.push(dsn::report(to, what, original, &about, &self.hostname, now));
                }
            }
            None if failures > 0 => {
                event!(Event::Trouble, id = %id, what = "it failed", reason = "there is nobody to tell");
            }
            None => {}
        }
        // What was sent is sent: only the record of it keeps it from being sent again.
        let mut wait = POLL;
        loop {
            match self.store.record_sent(id, outcomes.clone(), next, notices.clone(), left.clone()).await {
                Ok(_) => return,
                Err(error @ (StoreError::Full | StoreError::Io { .. } | StoreError::Database(_))) => {
                    event!(Event::Trouble, id = %id, what = "what became of it is not recorded yet", reason = %error);
                    sleep(wait).await;
                    wait = (wait * 2).min(AGAIN_AT_MOST);
                }
                Err(error) => {
                    let what = "what became of it cannot be recorded";
                    event!(Event::Trouble, id = %id, what, reason = %error, possible_duplicate = true);
                    // Where it is still ours, it must not be sent again without a person's word.
                    if !matches!(error, StoreError::NotLeased(_) | StoreError::NotFound(_) | StoreError::Closed) {
                        self.set_aside(id, what).await;
                    }
                    return;
                }
            }
        }
    }

    /// While the smarthost is away, what is too old is given up without another try.
    pub(super) async fn give_up_old(&self) {
        let now = self.now();
        let before = schedule::give_up_before(now, &self.route.load().queue);
        match self.store.lease_old(now, before, limits::GIVE_UP_BATCH, LEASE).await {
            Ok(old) => {
                for message in old {
                    let reply = "the smarthost could not be reached";
                    let outcomes = message.recipients.iter().map(|r| deferred(r.position, reply)).collect();
                    let content = match self.store.content(&message.id).await {
                        Ok(content) => content,
                        // Set aside, and so no longer ours.
                        Err(StoreError::Damaged { .. }) => continue,
                        Err(_) => Arc::from(&b""[..]),
                    };
                    self.record(&message, &content, outcomes, &[], now, None).await;
                }
            }
            Err(error) => event!(Event::Trouble, what = "the queue cannot be read", reason = %error),
        }
    }

    pub(super) async fn end_lease(&self, ids: Vec<QueueId>) {
        if let Err(error) = self.store.end_lease(ids).await {
            event!(Event::Trouble, what = "leases cannot be ended now, they end when the store can", reason = %error);
        }
    }

    /// Sets a message aside; tries until that is written, because it must not leave meanwhile.
    pub(super) async fn set_aside(&self, id: &QueueId, reason: &str) {
        let mut wait = POLL;
        while let Err(error) = self.store.set_aside(id, reason).await {
            event!(Event::Trouble, id = %id, what = "it cannot be set aside now", reason = %error);
            if !error.is_failure() {
                return;
            }
            sleep(wait).await;
            wait = (wait * 2).min(AGAIN_AT_MOST);
        }
    }
}

pub(super) fn about(recipient: &DueRecipient, reply: &str, given_up: bool) -> About {
    About {
        address: recipient.address.clone(),
        original: recipient.asked.original.clone(),
        reply: reply.to_owned(),
        given_up,
        told_of_failure: recipient.asked.wants_failure(),
    }
}

pub(super) fn deferred(position: u32, reply: &str) -> RecipientOutcome {
    RecipientOutcome { position, outcome: Outcome::Deferred { reply: reply.to_owned() } }
}

/// One log line and one count for those whom a smarthost took in one transaction.
pub(super) fn note_delivered(id: &QueueId, host: &str, outcomes: &[RecipientOutcome]) {
    let (delivered, reply) =
        replies(outcomes, |o| if let Outcome::Delivered { reply } = o { Some(reply) } else { None });
    if delivered > 0 {
        event!(Event::Delivered, id = %id, host, recipients = delivered, reply);
        monitor::delivery(DeliveryOutcome::Delivered, delivered as u64);
    }
}

/// The same for each other kind of outcome, once all smarthosts were asked.
fn note(id: &QueueId, outcomes: &[RecipientOutcome], next: Timestamp) {
    let (deferred, reply) = replies(outcomes, |o| if let Outcome::Deferred { reply } = o { Some(reply) } else { None });
    if deferred > 0 {
        event!(Event::Deferred, id = %id, recipients = deferred, reply, next = %next);
        monitor::delivery(DeliveryOutcome::Deferred, deferred as u64);
    }
    let (failed, reply) = replies(outcomes, |o| if let Outcome::Failed { reply } = o { Some(reply) } else { None });
    if failed > 0 {
        event!(Event::Failed, id = %id, recipients = failed, reply);
        monitor::delivery(DeliveryOutcome::Failed, failed as u64);
    }
    let unknown = outcomes.iter().filter(|o| o.outcome == Outcome::Unknown).count();
    if unknown > 0 {
        event!(Event::Unknown, id = %id, recipients = unknown, next = %next, possible_duplicate = true);
        monitor::delivery(DeliveryOutcome::Unknown, unknown as u64);
    }
}

/// How many of a kind, and the reply of the first, for the log: without what follows the codes, as servers quote addresses there.
fn replies(outcomes: &[RecipientOutcome], of: fn(&Outcome) -> Option<&str>) -> (usize, String) {
    let mut replies = outcomes.iter().filter_map(|one| of(&one.outcome));
    let first = replies.next().map(codes);
    (usize::from(first.is_some()) + replies.count(), first.unwrap_or_default())
}

/// The codes at the start of a reply.
fn codes(reply: &str) -> String {
    let code = |w: &&str| w.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    reply.split(' ').take(2).take_while(code).collect::<Vec<_>>().join(" ")
}
