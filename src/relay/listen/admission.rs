//! How many connections there are, in all and for each client.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::relay::monitor;

/// Counts connections; clones share the count.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    counts: Arc<Mutex<Counts>>,
    total: usize,
    per_client: usize,
}

#[derive(Debug, Default)]
struct Counts {
    open: usize,
    by_client: HashMap<IpAddr, usize>,
}

/// One connection's place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    admission: Admission,
    client: IpAddr,
}

impl Admission {
    pub(super) fn new(total: usize, per_client: usize) -> Self {
        Self { counts: Arc::default(), total, per_client }
    }

    /// A place for one more connection of this client, while there is one.
    pub(super) fn admit(&self, client: IpAddr) -> Option<Place> {
        let client = network(client);
        let mut counts = self.lock();
        let of_client = counts.by_client.get(&client).copied().unwrap_or(0);
        if counts.open >= self.total || of_client >= self.per_client {
            return None;
        }
        counts.open += 1;
        counts.by_client.insert(client, of_client + 1);
        monitor::connections_open(counts.open);
        Some(Place { admission: self.clone(), client })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // The counts are whole after every statement, so a panic elsewhere cannot have torn them.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.admission.lock();
        counts.open = counts.open.saturating_sub(1);
        monitor::connections_open(counts.open);
        if let Some(of_client) = counts.by_client.get_mut(&self.client) {
            *of_client -= 1;
            if *of_client == 0 {
                counts.by_client.remove(&self.client);
            }
        }
    }
}

/// Who counts as one client: an IPv4 address, or the /64 that one subscriber has in IPv6.
fn network(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V4(_) => client,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_and_given_back() {
        let admission = Admission::new(3, 2);
        let ip = |s: &str| s.parse::<IpAddr>().unwrap();
        let first = admission.admit(ip("2001:db8::1")).unwrap();
        let _second = admission.admit(ip("2001:db8::2")).unwrap();
        assert!(admission.admit(ip("2001:db8::ffff")).is_none(), "a third of one /64");
        let _third = admission.admit(ip("192.0.2.1")).unwrap();
        assert!(admission.admit(ip("192.0.2.2")).is_none(), "a fourth in all");
        drop(first);
        assert!(admission.admit(ip("2001:db8::3")).is_some());
    }
}
