//! How many connections there are: in all, of strangers, and for each client.
//!
//! A stranger is a client that may not send through its door, or of whom it is not known yet. It may say little that is of use, so strangers together have only a
//! part of the places, and the rest is kept for those who may relay: however many strangers come, the school's own server
//! finds a place. A stranger that shows a certificate, or signs in, leaves its place to the next.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits;
use crate::relay::monitor;

/// Places for connections at the same time. The default is that of [`limits`].
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// In all.
    pub total: usize,
    /// Of one client that may relay: an IPv4 address or an IPv6 /64.
    pub per_client: usize,
    /// Of all strangers together; the rest of `total` is kept for those who may relay.
    pub strangers: usize,
    /// Of one stranger.
    pub per_stranger: usize,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            total: limits::CONNECTIONS,
            per_client: limits::CONNECTIONS_PER_CLIENT,
            strangers: limits::STRANGER_CONNECTIONS,
            per_stranger: limits::STRANGER_CONNECTIONS_PER_CLIENT,
        }
    }
}

/// Counts connections; clones share the count.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    places: Places,
    open: usize,
    strangers: usize,
    by_client: HashMap<Client, usize>,
}

/// Who counts as one client. One network may hold both kinds: the strangers in it cost the others no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Client {
    network: IpAddr,
    may_relay: bool,
}

/// One connection's place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    admission: Admission,
    client: Client,
}

impl Admission {
    pub(super) fn new(places: Places) -> Self {
        Self { counts: Arc::new(Mutex::new(Counts { places, ..Counts::default() })) }
    }

    /// From now on there are so many places. Whoever has one keeps it.
    pub(super) fn set_places(&self, places: Places) {
        self.lock().places = places;
    }

    /// A place for one more connection of this client, while there is one.
    pub(super) fn admit(&self, client: IpAddr, may_relay: bool) -> Option<Place> {
        let client = Client { network: network(client), may_relay };
        let mut counts = self.lock();
        let Places { total, per_client, strangers, per_stranger } = counts.places;
        let of_client = counts.by_client.get(&client).copied().unwrap_or(0);
        let full = match may_relay {
            true => of_client >= per_client,
            false => of_client >= per_stranger.min(per_client) || counts.strangers >= strangers,
        };
        if full || counts.open >= total {
            return None;
        }
        counts.open += 1;
        counts.strangers += usize::from(!may_relay);
        counts.by_client.insert(client, of_client + 1);
        monitor::connections_open(counts.open);
        Some(Place { admission: self.clone(), client })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // The counts are whole after every statement, so a panic elsewhere cannot have torn them.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// A stranger's place becomes that of one who may relay. Where its client has all of those, it keeps the stranger's.
    pub(super) fn may_relay(&mut self) {
        if self.client.may_relay {
            return;
        }
        let known = Client { may_relay: true, ..self.client };
        let mut counts = self.admission.lock();
        let of_client = counts.by_client.get(&known).copied().unwrap_or(0);
        if of_client < counts.places.per_client {
            counts.by_client.insert(known, of_client + 1);
            counts.strangers = counts.strangers.saturating_sub(1);
            counts.leave(self.client);
            self.client = known;
        }
    }
}

impl Counts {
    /// A client has one place fewer.
    fn leave(&mut self, client: Client) {
        if let Some(of_client) = self.by_client.get_mut(&client) {
            *of_client = of_client.saturating_sub(1);
            if *of_client == 0 {
                self.by_client.remove(&client);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.admission.lock();
        counts.open = counts.open.saturating_sub(1);
        counts.strangers = counts.strangers.saturating_sub(usize::from(!self.client.may_relay));
        monitor::connections_open(counts.open);
        counts.leave(self.client);
    }
}

/// An IPv4 address, or the /64 that one subscriber has in IPv6.
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
    fn places_are_limited_and_kept_and_given_back() {
        const OWN: bool = true;
        const STRANGE: bool = false;
        // Five in all, two for one client; two for strangers together, one for each. In order: who comes, whether it is let
        // in, and who of those let in (by number, from 0) leaves afterwards.
        let table: &[(&str, bool, bool, Option<usize>)] = &[
            ("192.0.2.1", STRANGE, true, None),
            ("192.0.2.1", STRANGE, false, None),
            ("2001:db8::1", STRANGE, true, None),
            ("2001:db8::ffff", STRANGE, false, None),
            ("192.0.2.3", STRANGE, false, None),
            // Strangers are full; whoever may relay finds all the others, also beside a stranger of its own network.
            ("2001:db8::2", OWN, true, None),
            ("2001:db8::3", OWN, true, None),
            ("2001:db8::4", OWN, false, None),
            ("10.0.0.1", OWN, true, None),
            ("10.0.0.2", OWN, false, Some(0)),
            // A stranger left: one place in all.
            ("10.0.0.2", OWN, true, None),
            ("192.0.2.3", STRANGE, false, Some(2)),
            ("192.0.2.3", STRANGE, true, Some(1)),
            ("2001:db8::2", OWN, true, None),
            ("192.0.2.4", STRANGE, false, Some(3)),
            ("192.0.2.4", STRANGE, true, None),
        ];
        let admission = Admission::new(Places { total: 5, per_client: 2, strangers: 2, per_stranger: 1 });
        let mut places = Vec::new();
        for (number, (client, may_relay, admitted, leaves)) in table.iter().enumerate() {
            let place = admission.admit(client.parse().unwrap(), *may_relay);
            assert_eq!(place.is_some(), *admitted, "line {number}: {client}");
            places.extend(place.map(Some));
            if let Some(leaves) = leaves {
                assert!(places[*leaves].take().is_some(), "line {number}: nobody leaves twice");
            }
        }
        drop(places);
        let counts = admission.lock();
        assert_eq!((counts.open, counts.strangers, counts.by_client.len()), (0, 0, 0));
    }

    #[test]
    fn a_stranger_that_becomes_known_leaves_its_place_to_the_next() {
        let admission = Admission::new(Places { total: 9, per_client: 2, strangers: 1, per_stranger: 1 });
        let come = || admission.admit("192.0.2.1".parse().unwrap(), false);
        let mut known = Vec::new();
        for _ in 0..2 {
            let mut place = come().expect("the one place of strangers");
            assert!(come().is_none(), "it is taken");
            place.may_relay();
            place.may_relay();
            known.push(place);
        }
        assert!(admission.admit("192.0.2.1".parse().unwrap(), true).is_none(), "both of its places are taken");
        let mut third = come().expect("the place of strangers is free again");
        third.may_relay();
        assert!(come().is_none(), "a client that has all of its places keeps the stranger's");
        known.pop();
        third.may_relay();
        assert!(come().is_some());
        drop((known, third));
        let counts = admission.lock();
        assert_eq!((counts.open, counts.strangers, counts.by_client.len()), (0, 0, 0));
    }
}
