//! One message on its way: its bytes are looked at, it goes to each smarthost in turn until one has no trouble of its own.
//!
//! What a smarthost put off the next may take; what may have arrived is not sent again in the same round.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use ring::digest::{Digest, SHA256, digest};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use super::super::health::Health;
use super::super::log::{Event, event};
use super::super::schedule;
use super::connection::Connection;
use super::host::Host;
use super::pace::{Pace, Place};
use super::record::{deferred, note_delivered};
use super::route::{Route, Turn};
use super::{POLL, random, transaction};
use crate::limits;
use crate::message::footer;
use crate::store::{DueRecipient, Leased, Left, Outcome, RecipientOutcome, Store, StoreError, fault};

/// Said of recipients who found no place any more.
const FULL_MINUTE: &str = "messages_per_minute is reached";

fn hash_of(content: &[u8]) -> [u8; 32] {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, content).as_ref());
    sha256
}

/// Why the smarthost as a whole cannot be used.
enum Trouble {
    /// No connection, no greeting, no TLS.
    Unreachable(String),
    /// It takes nothing from us, by this reply.
    Refused(String),
}

impl Trouble {
    fn why(&self) -> &str {
        let (Self::Unreachable(why) | Self::Refused(why)) = self;
        why
    }
}

/// What came of one transaction.
struct Tried {
    outcomes: Vec<RecipientOutcome>,
    /// Places of those that were taken by a smarthost that reports nothing further.
    relayed: Vec<u32>,
    /// Why the smarthost as a whole cannot be used.
    trouble: Option<Trouble>,
}

/// What every delivery needs.
pub(super) struct Courier {
    pub(super) store: Store,
    /// Swapped whole on reload.
    pub(super) route: ArcSwap<Route>,
    pub(super) hostname: String,
    /// Connections at the same time.
    pub(super) places: usize,
    pub(super) permits: Arc<Semaphore>,
    /// Told of every round, and asked whether an outcome could be recorded.
    pub(super) health: Health,
    /// Messages a minute.
    pub(super) pace: Arc<Pace>,
}

impl Courier {
    pub(super) fn in_hand(&self) -> usize {
        self.places * limits::DELIVERY_IN_HAND
    }

    /// The time that leases and the schedule go by.
    pub(super) fn now(&self) -> Timestamp {
        self.store.clock().now()
    }

    /// A place among the messages of this minute, or when there may be one.
    pub(super) fn place(&self, route: &Route) -> Result<Place, Option<Timestamp>> {
        self.pace.take(route.smarthost.messages_per_minute, self.store.clock())
    }

    /// One message, from the check of its bytes to the record of what became of it. The permit is for the connection:
    /// it is given back before the record, so that the next message is sent meanwhile.
    pub(super) async fn deliver(&self, message: Leased, permit: OwnedSemaphorePermit, turn: Turn, place: Place) {
        let id = message.id.clone();
        fault::panic_passes("delivering");
        let (content, sha256) = match self.content(&message).await {
            Ok(content) => content,
            Err(StoreError::Damaged { .. } | StoreError::Dropped(_)) => return,
            Err(error) => {
                drop(permit);
                event!(Event::Trouble, id = %id, what = "its content cannot be read now", reason = %error);
                sleep(POLL).await;
                return self.end_lease(vec![id]).await;
            }
        };
        if !message.may_leave || sha256.as_ref() != message.sha256 {
            return self.set_aside(&id, "its bytes are not those that were decided on").await;
        }
        let Some((leaving, left)) = self.leaving(&message, &content).await else {
            event!(Event::Trouble, id = %id, what = "it cannot be made ready now", reason = "the work broke off");
            drop(permit);
            sleep(POLL).await;
            return self.end_lease(vec![id]).await;
        };
        let route = Arc::clone(&turn.route);
        let (tried, next_place) = self.send_all(&message, &leaving, turn, place).await;
        drop(permit);
        let now = self.now();
        let own = schedule::next_try(message.attempts + 1, now, &route.queue, random());
        let next = match (&tried.trouble, next_place) {
            (Some(Trouble::Unreachable(_)), _) => route.soonest(now),
            // Perhaps it is this message after all that the smarthost closes its door on.
            (Some(Trouble::Refused(_)), _) => route.soonest(now).max(own),
            (None, Some(free_at)) => free_at,
            (None, None) => own,
        };
        let went = |one: &RecipientOutcome| matches!(one.outcome, Outcome::Delivered { .. } | Outcome::Unknown);
        let left = tried.outcomes.iter().any(went).then_some(left);
        self.record(&message, &content, tried.outcomes, &tried.relayed, next, left).await;
    }

    /// What leaves, and what is told of it: the content that was decided on, with the school's words below its text, below our header
    /// and our signature where they are wanted. Unsigned mail is still mail: what cannot be signed leaves as it is, and that is told.
    /// `None` where it broke off before the words were put on.
    async fn leaving(&self, message: &Leased, content: &Arc<[u8]>) -> Option<(Arc<[u8]>, Left)> {
        let (id, footers) = (&message.id, message.footers.clone());
        let route = self.route.load();
        let (passed, signer, own) = (route.passed.clone(), route.signer.clone(), Arc::clone(&route.own));
        drop(route);
        let (worded, footer) = if footers.is_empty() {
            (Arc::clone(content), None)
        } else {
            let content = Arc::clone(content);
            let adding = move || footer::with_footers(&content, &footers, &own);
            let footered = tokio::task::spawn_blocking(adding).await.ok()?;
            (Arc::from(footered.content), Some(footered.done.as_str()))
        };
        let marked: Arc<[u8]> = passed.map_or_else(|| Arc::clone(&worded), |passed| passed.put(&worded).into());
        let leaving = match signer {
            None => marked,
            Some(signer) => {
                let signing = {
                    let marked = Arc::clone(&marked);
                    move || signer.sign(&marked)
                };
                match tokio::task::spawn_blocking(signing).await {
                    Ok(Some(signed)) => signed.into(),
                    Ok(None) => marked,
                    Err(_) => {
                        let what = "it leaves without our signature";
                        event!(Event::Trouble, id = %id, what, reason = "signing broke off");
                        marked
                    }
                }
            }
        };
        let sha256 = if Arc::ptr_eq(&leaving, content) {
            message.sha256
        } else if leaving.len() > limits::LARGE_CONTENT {
            let leaving = Arc::clone(&leaving);
            tokio::task::spawn_blocking(move || hash_of(&leaving)).await.ok()?
        } else {
            hash_of(&leaving)
        };
        Some((leaving, Left { sha256, footer }))
    }

    /// Sends to all recipients, by the smarthost whose turn it is and those behind it, until one has no trouble of its own. Gives
    /// what became of whom, the trouble of the last one, and when there is a place for those who found none in this minute.
    async fn send_all(
        &self,
        message: &Leased,
        content: &Arc<[u8]>,
        turn: Turn,
        place: Place,
    ) -> (Tried, Option<Timestamp>) {
        let mut tried =
            Tried { outcomes: Vec::with_capacity(message.recipients.len()), relayed: Vec::new(), trouble: None };
        let mut left = message.recipients.clone();
        let (mut turn, mut place) = (turn, Some(place));
        loop {
            let Turn { route, host, claim } = turn;
            let at = &route.hosts[host];
            let mut put_off = Vec::new();
            let (mut trouble, mut free_at): (Option<Trouble>, Option<Timestamp>) = (None, None);
            for recipients in left.chunks(route.smarthost.recipients) {
                if trouble.is_none() && free_at.is_none() && place.is_none() {
                    match self.place(&route) {
                        Ok(free) => place = Some(free),
                        Err(at) => free_at = Some(at.unwrap_or_else(|| self.now())),
                    }
                }
                let why = trouble.as_ref().map(Trouble::why).or(free_at.map(|_| FULL_MINUTE));
                if let Some(why) = why {
                    put_off.extend(recipients.iter().map(|r| deferred(r.position, why)));
                    continue;
                }
                let sent = self.send(at, message, recipients, content, &mut place).await;
                note_delivered(&message.id, &at.name(), &sent.outcomes);
                put_off.extend(sent.outcomes);
                tried.relayed.extend(sent.relayed);
                trouble = sent.trouble;
            }
            let now = self.now();
            let Some(trouble) = trouble else {
                at.reached();
                tried.outcomes.extend(put_off);
                return (tried, free_at);
            };
            let next = route.turn_from(host + 1, now);
            at.failed(trouble.why(), next.is_some(), now, &route.queue);
            drop(claim);
            let Some(next) = next else {
                tried.outcomes.extend(put_off);
                tried.trouble = Some(trouble);
                return (tried, None);
            };
            if place.is_none() {
                place = self.place(&route).ok();
            }
            if place.is_none() {
                tried.outcomes.extend(put_off);
                return (tried, Some(now));
            }
            // What this one put off the next one may take; what may have arrived is not sent again now.
            let is_left = |one: &RecipientOutcome| matches!(one.outcome, Outcome::Deferred { .. });
            let again: Vec<u32> = put_off.iter().filter(|one| is_left(one)).map(|one| one.position).collect();
            tried.outcomes.extend(put_off.into_iter().filter(|one| !is_left(one)));
            left.retain(|recipient| again.contains(&recipient.position));
            if left.is_empty() {
                return (tried, None);
            }
            turn = next;
        }
    }

    /// The content with its hash, which for a large one is not taken on a thread that others wait for.
    async fn content(&self, message: &Leased) -> Result<(Arc<[u8]>, Digest), StoreError> {
        let content = match &message.content {
            Some(content) => Arc::clone(content),
            None => self.store.content(&message.id).await?,
        };
        let hash = |content: Arc<[u8]>| (digest(&SHA256, &content), content);
        let (sha256, content) = if content.len() > limits::LARGE_CONTENT {
            tokio::task::spawn_blocking(move || hash(content)).await.map_err(|_| StoreError::Closed)?
        } else {
            hash(content)
        };
        Ok((content, sha256))
    }

    /// One transaction: what became of these recipients, and why the smarthost as a whole cannot be used. The place is taken
    /// where content was sent.
    async fn send(
        &self,
        host: &Host,
        message: &Leased,
        recipients: &[DueRecipient],
        content: &Arc<[u8]>,
        place: &mut Option<Place>,
    ) -> Tried {
        loop {
            // The smarthost may close what lay idle, or say something of itself.
            let idle = host.idle();
            let reused = idle.is_some();
            let mut connection = match idle {
                Some(connection) => connection,
                None => match Connection::open(host, &self.hostname).await {
                    Ok(connection) => connection,
                    Err(error) => {
                        let why = error.to_string();
                        let outcomes = recipients.iter().map(|r| deferred(r.position, &why)).collect();
                        return Tried { outcomes, relayed: Vec::new(), trouble: Some(Trouble::Unreachable(why)) };
                    }
                },
            };
            let done = transaction::send(&mut connection, message, recipients, content).await;
            if done.counts
                && let Some(mut place) = place.take()
            {
                place.sent();
            }
            if done.reusable {
                let spent = connection.mails >= limits::SMARTHOST_MAILS;
                let now = self.store.clock().instant();
                if let Some(connection) = if spent { Some(connection) } else { host.lay_idle(connection, now) } {
                    connection.close().await;
                }
            }
            // The smarthost may close what lay idle at any time; that says nothing about it.
            let again = done.stale && reused && !done.reusable && place.is_some();
            if !again {
                let trouble = done.trouble.map(Trouble::Refused);
                return Tried { outcomes: done.outcomes, relayed: done.relayed, trouble };
            }
        }
    }

    pub(super) fn close_idle(&self) {
        let (idle, now) = (Duration::from_secs(limits::SMARTHOST_IDLE), self.store.clock().instant());
        let route = self.route.load();
        for connection in route.hosts.iter().flat_map(|host| host.idle_for(idle, now)) {
            tokio::spawn(connection.close());
        }
    }
}
