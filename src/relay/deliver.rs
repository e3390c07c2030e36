//! Delivery to the smarthost: leases due mail, sends it, records what became of each recipient.
//!
//! Nothing is sent whose bytes are not those that were decided on: the hash is taken again before the first command.
//! A smarthost that cannot be reached, or takes nothing from us, concerns all mail: it is probed by one message, the
//! others go to the next one, or wait untried where there is none. A connection lost after the final dot is recorded as unknown and tried again: a message may arrive twice, it is never
//! lost (RFC 5321 6.1, RFC 1047). What is refused for good or given up is reported to its sender in the same transaction
//! that records it.

mod connection;
mod delay;
#[cfg(test)]
mod delays;
mod host;
#[cfg(test)]
mod hosts_tests;
#[cfg(test)]
mod odd_replies;
#[cfg(test)]
mod outage;
mod pace;
mod round;
mod shown;
#[cfg(test)]
mod sink;
#[cfg(test)]
mod tests;
mod tls;
mod tokens;
#[cfg(test)]
mod tokens_tests;
mod transaction;
#[cfg(test)]
mod ways_in;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use ring::digest::{Digest, SHA256, digest};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep};

use self::connection::Connection;
use self::host::{Claim, Host};
pub use self::host::{Fetching, Token, Tokens, Until};
use self::pace::{Pace, Place};
use self::round::Round;
pub use self::tokens::{Source, TokenError};
use super::dkim::{self, Signer};
use super::dsn::{self, About, Original, What};
use super::health::Health;
use super::log::{Event, event};
use super::monitor::{self, DeliveryOutcome};
use super::passed::PassedHeader;
use super::schedule::{self, Admission};
use crate::config::{QueueConfig, SmarthostConfig};
use crate::limits;
use crate::smtp::client::{NotOpen, Offers};
use crate::store::{DueRecipient, Leased, Outage, Outcome, QueueId, RecipientOutcome, Store, StoreError, fault};

const LEASE: Duration = Duration::from_secs(limits::LEASE_SECONDS);
/// How often leases are renewed: twice in vain and they still hold.
const RENEWAL: Duration = Duration::from_secs(limits::LEASE_SECONDS / 3);
const POLL: Duration = Duration::from_millis(limits::QUEUE_POLL_MILLIS);
/// Time that messages in hand have to end once delivery is told to stop.
const GRACE: Duration = Duration::from_secs(limits::DELIVERY_STOP_SECONDS);
/// Longest pause between two tries to record an outcome.
const AGAIN_AT_MOST: Duration = Duration::from_secs(limits::RECORD_AGAIN_SECONDS);

/// Said of recipients who found no place any more.
const FULL_MINUTE: &str = "messages_per_minute is reached";

/// Delivery cannot start.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeliverError {
    /// TLS cannot be set up.
    #[error("{0}")]
    Tls(String),
    /// The authorities of our own.
    #[error("{0}")]
    Authorities(String),
    /// The certificate that we show.
    #[error("{0}")]
    Certificate(String),
    /// Its key.
    #[error("{0}")]
    Key(String),
    /// Tokens cannot be fetched.
    #[error("tokens cannot be fetched: {0}")]
    Tokens(String),
    /// Of a smarthost that is not the first.
    #[error("{error}")]
    Fallback {
        /// Its section.
        section: String,
        /// Why.
        error: Box<Self>,
    },
}

impl DeliverError {
    /// The key of the configuration that it is about.
    pub fn key(&self) -> String {
        let key = match self {
            Self::Fallback { section, error } => return error.key().replacen("smarthost", section, 1),
            Self::Tls(_) => "smarthost.tls",
            Self::Authorities(_) => "smarthost.ca_file",
            Self::Certificate(_) => "smarthost.tls_certificate",
            Self::Key(_) => "smarthost.tls_key",
            Self::Tokens(_) => "smarthost.oauth.token_url",
        };
        key.to_owned()
    }
}

/// How mail leaves: the smarthost, TLS to it, and the schedule of tries.
pub struct Route {
    smarthost: SmarthostConfig,
    queue: QueueConfig,
    /// In the order in which they are tried.
    hosts: Vec<Arc<Host>>,
    /// Says of what leaves that it has passed here.
    passed: Option<PassedHeader>,
    /// Signs what leaves.
    signer: Option<Signer>,
}

/// To whom the next message goes.
enum Choice {
    /// To this one.
    Host(Turn),
    /// Nobody, until a probe that is under way has ended.
    Probed,
    /// Nobody before this time.
    Closed(Timestamp),
}

/// A host's turn: which it is, and the right to try it.
struct Turn {
    route: Arc<Route>,
    host: usize,
    claim: Claim,
}

impl Route {
    /// The first that can be used.
    fn choose(self: &Arc<Self>, now: Timestamp) -> Choice {
        if let Some(turn) = self.turn_from(0, now) {
            return Choice::Host(turn);
        }
        if self.hosts.iter().any(|host| host.is_probed() && host.admission(now) == Admission::Probe) {
            return Choice::Probed;
        }
        Choice::Closed(self.soonest(now))
    }

    /// The first that can be used, from this one on.
    fn turn_from(self: &Arc<Self>, from: usize, now: Timestamp) -> Option<Turn> {
        let claim = |(host, one): (usize, &Arc<Host>)| Some((host, one.claim(now)?));
        let (host, claim) = self.hosts.iter().enumerate().skip(from).find_map(claim)?;
        Some(Turn { route: Arc::clone(self), host, claim })
    }

    /// When the first of them may be tried.
    fn soonest(&self, now: Timestamp) -> Timestamp {
        let of = |host: &Arc<Host>| match host.admission(now) {
            Admission::Closed(until) => until,
            Admission::Open | Admission::Probe => now,
        };
        self.hosts.iter().map(of).min().unwrap_or(now)
    }

    fn outages(&self) -> BTreeMap<String, Outage> {
        self.hosts.iter().filter_map(|host| Some((host.key(), host.outage()?))).collect()
    }
}

impl Route {
    /// Reads certificates and sets TLS up as configured.
    ///
    /// # Errors
    /// A certificate or key cannot be read or used, or TLS not be set up.
    pub fn new(smarthost: SmarthostConfig, queue: QueueConfig) -> Result<Self, DeliverError> {
        Self::with_tokens(smarthost, queue, None)
    }

    /// As [`Route::new`], where one signs in by token at the first smarthost with these.
    ///
    /// # Errors
    /// As [`Route::new`].
    pub fn with_tokens(
        smarthost: SmarthostConfig,
        queue: QueueConfig,
        tokens: Option<Arc<dyn Tokens>>,
    ) -> Result<Self, DeliverError> {
        let places = smarthost.connections.max(1);
        let mut hosts = vec![Arc::new(Host::new(smarthost.first.clone(), places, tokens)?)];
        for (section, config) in smarthost.hosts().skip(1) {
            let host = Host::new(config.clone(), places, None);
            hosts.push(Arc::new(host.map_err(|error| DeliverError::Fallback { section, error: Box::new(error) })?));
        }
        Ok(Self { smarthost, queue, hosts, passed: None, signer: None })
    }

    /// The same route, with our header and our signature on what leaves by it.
    #[must_use]
    pub fn marking(self, passed: Option<PassedHeader>, signer: Option<Signer>) -> Self {
        Self { passed, signer, ..self }
    }

    /// Connects as for mail, TLS and signing in included, and says what the smarthost offers; `number` 0 is the first.
    ///
    /// # Errors
    /// What would keep mail waiting.
    pub async fn try_out(&self, number: usize, hostname: &str) -> Result<Offers, NotOpen> {
        let none = || NotOpen::Unreachable("there is no such smarthost".to_owned());
        let connection = Connection::open(self.hosts.get(number).ok_or_else(none)?, hostname).await?;
        let offers = connection.offers();
        connection.close().await;
        Ok(offers)
    }

    /// Who gives the tokens that one signs in with at a smarthost; `number` 0 is the first.
    pub fn tokens(&self, number: usize) -> Option<&dyn Tokens> {
        self.hosts.get(number)?.tokens()
    }
}

/// Changes where a delivery that runs sends to.
#[derive(Clone)]
pub struct Delivery(Arc<Courier>);

impl Delivery {
    /// From the next message on, mail leaves this way. The number of connections stays.
    pub fn change(&self, mut route: Route) {
        let current = &self.0.route;
        let old = current.load_full();
        for host in &mut route.hosts {
            // Nobody else has it yet.
            if let Some(host) = Arc::get_mut(host) {
                host.take_over(&old.hosts);
            }
        }
        current.store(Arc::new(route));
        // Of another smarthost, or over another TLS: nothing more is sent over them.
        for connection in old.hosts.iter().flat_map(|host| host.retire()) {
            tokio::spawn(connection.close());
        }
    }
}

/// Sets delivery up; the future that it gives delivers until `shutdown` turns true or its sender is gone, then ends what
/// is in hand (for up to 30 s) and gives the rest back.
pub fn run(
    store: Store,
    route: Route,
    hostname: String,
    health: Health,
    shutdown: watch::Receiver<bool>,
) -> (Delivery, impl Future<Output = ()> + Send) {
    let round = round(store, route, hostname, health, shutdown);
    (Delivery(Arc::clone(&round.courier)), round.run())
}

fn round(store: Store, route: Route, hostname: String, health: Health, shutdown: watch::Receiver<bool>) -> Round {
    let places = route.smarthost.connections.max(1);
    let handed = store.hand_over(places * limits::DELIVERY_IN_HAND, LEASE);
    let courier = Courier {
        places,
        permits: Arc::new(Semaphore::new(places)),
        pace: Arc::default(),
        store,
        route: ArcSwap::from_pointee(route),
        hostname,
        health,
    };
    Round::new(Arc::new(courier), handed, shutdown)
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
struct Courier {
    store: Store,
    /// Swapped whole on reload.
    route: ArcSwap<Route>,
    hostname: String,
    /// Connections at the same time.
    places: usize,
    permits: Arc<Semaphore>,
    /// Told of every round, and asked whether an outcome could be recorded.
    health: Health,
    /// Messages a minute.
    pace: Arc<Pace>,
}

impl Courier {
    fn in_hand(&self) -> usize {
        self.places * limits::DELIVERY_IN_HAND
    }

    /// The time that leases and the schedule go by.
    fn now(&self) -> Timestamp {
        self.store.clock().now()
    }

    /// A place among the messages of this minute, or when there may be one.
    fn place(&self, route: &Route) -> Result<Place, Option<Timestamp>> {
        self.pace.take(route.smarthost.messages_per_minute, self.store.clock())
    }

    /// One message, from the check of its bytes to the record of what became of it. The permit is for the connection:
    /// it is given back before the record, so that the next message is sent meanwhile.
    async fn deliver(&self, message: Leased, permit: OwnedSemaphorePermit, turn: Turn, place: Place) {
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
        let leaving = self.leaving(&id, &content).await;
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
        self.record(&message, &content, tried.outcomes, &tried.relayed, next).await;
    }

    /// What leaves: the content that was decided on, below our header and our signature where they are wanted. Unsigned mail is
    /// still mail: what cannot be signed leaves as it is, and that is told.
    async fn leaving(&self, id: &QueueId, content: &Arc<[u8]>) -> Arc<[u8]> {
        let route = self.route.load();
        let (passed, signer) = (route.passed.clone(), route.signer.clone());
        drop(route);
        let marked: Arc<[u8]> = passed.map_or_else(|| Arc::clone(content), |passed| passed.put(content).into());
        let Some(signer) = signer else { return marked };
        let signing = {
            let marked = Arc::clone(&marked);
            move || signer.sign(&marked)
        };
        let signed = if dkim::is_large(&marked) { tokio::task::spawn_blocking(signing).await } else { Ok(signing()) };
        match signed {
            Ok(Some(signed)) => signed.into(),
            Ok(None) => marked,
            Err(_) => {
                event!(Event::Trouble, id = %id, what = "it leaves without our signature", reason = "signing broke off");
                marked
            }
        }
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
                connection.used = Instant::now();
                if let Some(connection) = if spent { Some(connection) } else { host.lay_idle(connection) } {
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

    /// Stores what became of a message, with the reports to its sender that are due.
    async fn record(
        &self,
        message: &Leased,
        content: &[u8],
        mut outcomes: Vec<RecipientOutcome>,
        relayed: &[u32],
        next: Timestamp,
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
            match self.store.record_attempt(id, outcomes.clone(), next, notices.clone()).await {
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
    async fn give_up_old(&self) {
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
                    self.record(&message, &content, outcomes, &[], now).await;
                }
            }
            Err(error) => event!(Event::Trouble, what = "the queue cannot be read", reason = %error),
        }
    }

    async fn end_lease(&self, ids: Vec<QueueId>) {
        if let Err(error) = self.store.end_lease(ids).await {
            event!(Event::Trouble, what = "leases cannot be ended now, they end when the store can", reason = %error);
        }
    }

    /// Sets a message aside; tries until that is written, because it must not leave meanwhile.
    async fn set_aside(&self, id: &QueueId, reason: &str) {
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

    fn close_idle(&self) {
        let idle = Duration::from_secs(limits::SMARTHOST_IDLE);
        let route = self.route.load();
        for connection in route.hosts.iter().flat_map(|host| host.idle_for(idle)) {
            tokio::spawn(connection.close());
        }
    }
}

/// Renews the leases of what is in hand; ends only when it is dropped.
async fn renew_leases(store: &Store, every: Duration) {
    loop {
        sleep(every).await;
        if let Err(error) = store.renew_leases(LEASE).await {
            event!(Event::Trouble, what = "leases cannot be renewed now", reason = %error);
        }
    }
}

fn about(recipient: &DueRecipient, reply: &str, given_up: bool) -> About {
    About {
        address: recipient.address.clone(),
        original: recipient.asked.original.clone(),
        reply: reply.to_owned(),
        given_up,
        told_of_failure: recipient.asked.wants_failure(),
    }
}

fn deferred(position: u32, reply: &str) -> RecipientOutcome {
    RecipientOutcome { position, outcome: Outcome::Deferred { reply: reply.to_owned() } }
}

/// One log line and one count for each kind of outcome. Replies go to the log without what follows the codes: servers
/// quote addresses there.
fn note(id: &QueueId, outcomes: &[RecipientOutcome], next: Timestamp) {
    let replies = |of: fn(&Outcome) -> Option<&str>| {
        let codes: Vec<String> = outcomes.iter().filter_map(|o| of(&o.outcome)).map(codes).collect();
        (codes.len(), codes.into_iter().next().unwrap_or_default())
    };
    let (delivered, reply) = replies(|o| if let Outcome::Delivered { reply } = o { Some(reply) } else { None });
    if delivered > 0 {
        event!(Event::Delivered, id = %id, recipients = delivered, reply);
        monitor::delivery(DeliveryOutcome::Delivered, delivered as u64);
    }
    let (deferred, reply) = replies(|o| if let Outcome::Deferred { reply } = o { Some(reply) } else { None });
    if deferred > 0 {
        event!(Event::Deferred, id = %id, recipients = deferred, reply, next = %next);
        monitor::delivery(DeliveryOutcome::Deferred, deferred as u64);
    }
    let (failed, reply) = replies(|o| if let Outcome::Failed { reply } = o { Some(reply) } else { None });
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

/// The codes at the start of a reply.
fn codes(reply: &str) -> String {
    let code = |w: &&str| w.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    reply.split(' ').take(2).take_while(code).collect::<Vec<_>>().join(" ")
}

fn random() -> f64 {
    use ring::rand::SecureRandom;
    let mut bytes = [0u8; 4];
    match ring::rand::SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0),
        Err(_) => 0.5,
    }
}

/// What is guarded is replaced whole, never left half done: a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
