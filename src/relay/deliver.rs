//! Delivery to the smarthost: leases due mail, sends it, records what became of each recipient.
//!
//! Nothing is sent whose bytes are not those that were decided on: the hash is taken again before the first command.
//! A smarthost that cannot be reached, or takes nothing from us, concerns all mail: it is probed by one message, the
//! others go to the next one, or wait untried where there is none. A connection lost after the final dot is recorded as unknown and tried again: a message may arrive twice, it is never
//! lost (RFC 5321 6.1, RFC 1047). What is refused for good or given up is reported to its sender in the same transaction
//! that records it.

mod connection;
mod courier;
mod delay;
#[cfg(test)]
mod delays;
#[cfg(test)]
mod ends_tests;
mod host;
#[cfg(test)]
mod hosts_tests;
#[cfg(test)]
mod leases_tests;
#[cfg(test)]
mod odd_replies;
#[cfg(test)]
mod outage;
mod pace;
mod record;
#[cfg(test)]
mod reuse_tests;
mod round;
mod route;
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
mod waits_tests;
#[cfg(test)]
mod ways_in;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;

use self::courier::Courier;
pub use self::host::{Fetching, Token, Tokens, Until, unreadable_secrets};
use self::round::Round;
pub use self::route::{DeliverError, Route};
pub use self::tokens::{Source, TokenError};
use super::health::Health;
use super::log::{Event, event};
use crate::limits;
use crate::store::Store;

const LEASE: Duration = Duration::from_secs(limits::LEASE_SECONDS);
/// How often leases are renewed: twice in vain and they still hold.
const RENEWAL: Duration = Duration::from_secs(limits::LEASE_SECONDS / 3);
const POLL: Duration = Duration::from_millis(limits::QUEUE_POLL_MILLIS);
/// Time that messages in hand have to end once delivery is told to stop.
const GRACE: Duration = Duration::from_secs(limits::DELIVERY_STOP_SECONDS);
/// Longest pause between two tries to record an outcome.
const AGAIN_AT_MOST: Duration = Duration::from_secs(limits::RECORD_AGAIN_SECONDS);

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

/// Renews the leases of what is in hand; ends only when it is dropped.
async fn renew_leases(store: &Store, every: Duration) {
    loop {
        sleep(every).await;
        if let Err(error) = store.renew_leases(LEASE).await {
            event!(Event::Trouble, what = "leases cannot be renewed now", reason = %error);
        }
    }
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
