//! Sign-ins that are at a provider: kept here, in memory, so that each comes back once. A browser holds no more than a random name for its own.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use openidconnect::CsrfToken;
use sha2::{Digest, Sha256};

use super::provider::Begun;
use crate::limits;

/// A sign-in that is at a provider.
pub struct Waiting {
    /// The provider, by its name.
    pub provider: String,
    /// What was sent along, and must come back.
    pub begun: Begun,
    /// Where to go afterwards.
    pub next: String,
    client: IpAddr,
    since: Instant,
}

/// All of them, by the digest of what the browser holds: nothing that is compared in time is the secret itself.
#[derive(Default)]
pub struct Pending(Mutex<HashMap<[u8; 32], Waiting>>);

const LASTS: Duration = Duration::from_secs(limits::OIDC_SIGN_IN_SECONDS);

impl Pending {
    /// Keeps one for [`limits::OIDC_SIGN_IN_SECONDS`]; gives what the browser is to hold, or `None` where too many are under way.
    pub fn add(&self, provider: &str, begun: Begun, next: &str, client: IpAddr) -> Option<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, one| one.since.elapsed() < LASTS);
        let own = |all: &HashMap<[u8; 32], Waiting>| {
            let own = all.iter().filter(|(_, one)| one.client == client);
            let oldest = own.clone().min_by_key(|(_, one)| one.since).map(|(name, _)| *name);
            (own.count(), oldest)
        };
        // So that nobody shuts others out: whoever begins too many loses their own.
        if let (limits::OIDC_PENDING_PER_CLIENT.., Some(oldest)) = own(&all) {
            all.remove(&oldest);
        }
        if all.len() >= limits::OIDC_PENDING {
            return None;
        }
        let next = if next.len() <= limits::OIDC_NEXT_OCTETS { next } else { "/" };
        let name = CsrfToken::new_random_len(limits::OIDC_RANDOM_OCTETS).into_secret();
        let one =
            Waiting { provider: provider.to_owned(), begun, next: next.to_owned(), client, since: Instant::now() };
        all.insert(digest(&name), one);
        Some(name)
    }

    /// Takes one out, whatever comes of it: there is no second time.
    pub fn take(&self, name: &str) -> Option<Waiting> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&digest(name)).filter(|one| one.since.elapsed() < LASTS)
    }
}

fn digest(name: &str) -> [u8; 32] {
    Sha256::digest(name).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_back_once_and_whoever_begins_too_many_loses_their_own() {
        let pending = Pending::default();
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let add = |client, next: &str| pending.add("own", Begun::new(), next, client).unwrap();
        let others = add(other, "/held/a1");
        let first = add(one, "/");
        let mut rest: Vec<String> = (0..limits::OIDC_PENDING_PER_CLIENT).map(|_| add(one, &"/x".repeat(999))).collect();
        assert!(pending.take(&first).is_none(), "the oldest of the same client has gone");
        assert_eq!(pending.take(&others).map(|waiting| waiting.next).as_deref(), Some("/held/a1"));
        assert!(pending.take(&others).is_none(), "twice");
        assert!(pending.take("unknown").is_none());
        assert_eq!(
            pending.take(&rest.pop().unwrap()).map(|waiting| waiting.next).as_deref(),
            Some("/"),
            "too long a way"
        );
    }
}
