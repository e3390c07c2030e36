//! Growing waits between tries to sign in, by name and by client.
//!
//! A try is counted before it is looked at and taken back when it was right. While a wait lasts, tries are refused and not
//! counted: nobody keeps a name shut by knocking on. Names are counted whether an account has them or not. Who signs in to send
//! is counted by itself: a copier with an old password keeps nobody out of the desk. However many are tried, the counts that
//! are kept are bounded.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row;

use super::super::audit::{micros, timestamp};
use super::super::queue::mismatch;
use super::super::writer::{Answer, Op, Tx};
use super::super::{Store, StoreError};
use super::{Change, after, before};
use crate::limits;

/// Under what a try is counted.
#[derive(Debug, Clone)]
pub(in crate::store) struct Tries {
    /// Done with once somebody has signed in.
    own: Counted,
    /// Of these the try that was right is taken back, and no other: others count there too.
    shared: Vec<Counted>,
}

/// One count: the keyed hash of whose it is, and its measure.
#[derive(Debug, Clone, Copy)]
struct Counted {
    whose: [u8; 32],
    measure: Measure,
}

/// Whose guesses of a token are counted: the keyed hash of a kind of link and a client.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Guess([u8; 32]);

/// How many tries are free, and how long the first wait is.
#[derive(Debug, Clone, Copy)]
struct Measure {
    free: u32,
    seconds: u64,
}

const BY_NAME: Measure = Measure { free: limits::ATTEMPTS_ACCOUNT, seconds: limits::ATTEMPTS_ACCOUNT_SECONDS };
const BY_CLIENT: Measure = Measure { free: limits::ATTEMPTS_CLIENT, seconds: limits::ATTEMPTS_CLIENT_SECONDS };
const BY_SENDER: Measure = Measure { free: limits::ATTEMPTS_SENDER, seconds: limits::ATTEMPTS_ACCOUNT_SECONDS };

impl Measure {
    /// The wait after so many tries that were not taken back.
    fn wait(self, failures: u32) -> Duration {
        let Some(beyond) = failures.checked_sub(self.free + 1) else { return Duration::ZERO };
        let seconds = self.seconds.saturating_mul(1u64.checked_shl(beyond).unwrap_or(u64::MAX));
        Duration::from_secs(seconds.min(limits::ATTEMPTS_MOST_SECONDS))
    }
}

/// A client: an IPv4 address, or the network of an IPv6 one (RFC 4291 2.5.4: 64 bits).
fn client_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

impl Tries {
    fn all(&self) -> impl Iterator<Item = &Counted> {
        std::iter::once(&self.own).chain(&self.shared)
    }
}

impl Store {
    pub(super) fn tries(&self, name: &str, client: IpAddr) -> Tries {
        let keys = &self.inner.keys;
        let own = Counted { whose: keys.mark("name", name), measure: BY_NAME };
        let client = Counted { whose: keys.mark("client", &client_of(client)), measure: BY_CLIENT };
        Tries { own, shared: vec![client] }
    }

    /// Tries to sign in to send: by name at this client, by client, and by name alone unless the client is `known` as one that
    /// signs in with it.
    pub(super) fn tries_to_send(&self, name: &str, client: IpAddr, known: bool) -> Tries {
        let keys = &self.inner.keys;
        let of = client_of(client);
        let count = |kind, what: &str, measure| Counted { whose: keys.mark(kind, what), measure };
        let mut shared = vec![count("send client", &of, BY_CLIENT)];
        if !known {
            shared.push(count("send name", name, BY_SENDER));
        }
        Tries { own: count("send", &format!("{of} {name}"), BY_NAME), shared }
    }

    /// The keyed hash of a client that has signed in to send.
    pub(super) fn client_mark(&self, client: IpAddr) -> [u8; 32] {
        self.inner.keys.mark("send from", &client_of(client))
    }

    /// Until when no try is allowed, without counting one.
    pub(super) async fn tries_wait(&self, tries: &Tries) -> Result<Option<Timestamp>, StoreError> {
        let mut latest = None;
        for counted in tries.all() {
            latest = latest.max(self.wait_of(&counted.whose).await?);
        }
        Ok(latest)
    }

    /// Until when nothing is counted under this mark.
    async fn wait_of(&self, whose: &[u8; 32]) -> Result<Option<Timestamp>, StoreError> {
        let until: Option<i64> = sqlx::query_scalar("select until from attempt where whose = $1 and until > $2")
            .bind(&whose[..])
            .bind(micros(self.clock().now()))
            .fetch_optional(&self.inner.reader)
            .await?;
        Ok(until.map(timestamp))
    }

    /// Counts a try; `Some` says until when none is allowed.
    pub(super) async fn try_sign_in(&self, tries: &Tries) -> Result<Option<Timestamp>, StoreError> {
        match self.ask(Op::Account(Box::new(Change::Try(tries.clone())))).await? {
            Answer::Wait(until) => Ok(until),
            _ => mismatch(),
        }
    }
}

impl Store {
    /// Whose guesses of a link of this kind are counted.
    pub(in crate::store) fn guess_of(&self, kind: &str, client: IpAddr) -> Guess {
        Guess(self.inner.keys.mark("guess", &format!("{kind} {}", client_of(client))))
    }

    /// Until when no link is looked at for who guessed.
    ///
    /// # Errors
    /// What the database says.
    pub(in crate::store) async fn guesses_wait(&self, guess: &Guess) -> Result<Option<Timestamp>, StoreError> {
        self.wait_of(&guess.0).await
    }

    /// Counts a link that was never made.
    ///
    /// # Errors
    /// What the database says.
    pub(in crate::store) async fn count_guess(&self, guess: Guess) -> Result<(), StoreError> {
        self.ask(Op::Account(Box::new(Change::Guess(guess)))).await.map(drop)
    }
}

impl Tx<'_> {
    /// See [`Store::count_guess`].
    ///
    /// # Errors
    /// What the database says.
    pub(super) async fn count_guess(&mut self, guess: &Guess) -> Result<(), StoreError> {
        let before = self.failures(&guess.0).await?;
        self.count(&guess.0, before.failures.saturating_add(1), BY_CLIENT).await
    }

    /// Counts a try of this name and client, or gives until when there is to be none.
    ///
    /// # Errors
    /// What the database says.
    pub(super) async fn try_sign_in(&mut self, tries: &Tries) -> Result<Option<Timestamp>, StoreError> {
        let mut before = Vec::new();
        for counted in tries.all() {
            before.push((counted, self.failures(&counted.whose).await?));
        }
        if let Some(until) = before.iter().map(|(_, failures)| failures.until).max().filter(|until| *until > self.now) {
            return Ok(Some(until));
        }
        for (counted, Failures { failures, .. }) in before {
            self.count(&counted.whose, failures.saturating_add(1), counted.measure).await?;
        }
        Ok(None)
    }

    /// A try was right, so it does not count.
    ///
    /// # Errors
    /// What the database says.
    pub(super) async fn take_back(&mut self, tries: &Tries) -> Result<(), StoreError> {
        for Counted { whose, .. } in tries.all() {
            sqlx::query("update attempt set failures = failures - 1, until = 0 where whose = $1 and failures > 0")
                .bind(&whose[..])
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }

    /// Whoever has the name has signed in: what went wrong with it before is done with, as far as it is theirs alone.
    ///
    /// # Errors
    /// What the database says.
    pub(super) async fn clear_tries(&mut self, tries: &Tries) -> Result<(), StoreError> {
        self.take_back(tries).await?;
        sqlx::query("delete from attempt where whose = $1")
            .bind(&tries.own.whose[..])
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn failures(&mut self, whose: &[u8; 32]) -> Result<Failures, StoreError> {
        let row = sqlx::query("select failures, until from attempt where whose = $1 and last_at >= $2")
            .bind(&whose[..])
            .bind(micros(before(self.now, limits::ATTEMPTS_FORGET_SECONDS)))
            .fetch_optional(&mut *self.connection)
            .await?;
        Ok(match row {
            None => Failures { failures: 0, until: Timestamp::MIN },
            Some(row) => Failures {
                failures: u32::try_from(row.try_get::<i64, _>("failures")?).unwrap_or(u32::MAX),
                until: timestamp(row.try_get("until")?),
            },
        })
    }

    async fn count(&mut self, whose: &[u8; 32], failures: u32, measure: Measure) -> Result<(), StoreError> {
        let until = after(self.now, measure.wait(failures).as_secs());
        sqlx::query(
            "insert into attempt (whose, failures, last_at, until) values ($1, $2, $3, $4) on conflict (whose) \
             do update set failures = excluded.failures, last_at = excluded.last_at, until = excluded.until",
        )
        .bind(&whose[..])
        .bind(i64::from(failures))
        .bind(micros(self.now))
        .bind(micros(until))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// However many names and addresses somebody goes through: those with the fewest tries, whose wait is the shortest if
    /// there is any, are forgotten first, of them the oldest.
    async fn keep_few_tries(&mut self, kept: u32) -> Result<(), StoreError> {
        sqlx::query(
            "delete from attempt where whose in ( \
                 select whose from attempt order by failures, last_at, whose \
                 limit (select case when count(*) > $1 then count(*) - $1 else 0 end from attempt))",
        )
        .bind(i64::from(kept))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Drops sessions that have ended, links and sign-ins that are over, and tries of days ago.
    ///
    /// # Errors
    /// What the database says.
    pub(in crate::store) async fn forget_sign_ins(&mut self) -> Result<(), StoreError> {
        let ago = |seconds| micros(before(self.now, seconds));
        let (oldest, idle) = (ago(limits::SESSION_SECONDS), ago(limits::SESSION_IDLE_SECONDS));
        let tried = ago(limits::ATTEMPTS_FORGET_SECONDS);
        sqlx::query("delete from session where ended_at is not null or created_at <= $1 or seen_at <= $2")
            .bind(oldest)
            .bind(idle)
            .execute(&mut *self.connection)
            .await?;
        for over in ["delete from sign_up where expires_at <= $1", "delete from sign_in where expires_at <= $1"] {
            sqlx::query(over).bind(micros(self.now)).execute(&mut *self.connection).await?;
        }
        sqlx::query("delete from attempt where last_at < $1").bind(tried).execute(&mut *self.connection).await?;
        sqlx::query("delete from submission_client where last_at < $1")
            .bind(ago(limits::SUBMISSION_CLIENT_SECONDS))
            .execute(&mut *self.connection)
            .await?;
        self.keep_few_tries(limits::ATTEMPTS_KEPT).await
    }
}

struct Failures {
    failures: u32,
    until: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_quarter_of_an_hour() {
        for (failures, seconds) in
            [(0, 0), (1, 0), (5, 0), (6, 30), (7, 60), (8, 120), (10, 480), (11, 900), (100, 900), (u32::MAX, 900)]
        {
            assert_eq!(BY_NAME.wait(failures).as_secs(), seconds, "{failures}");
        }
    }

    #[test]
    fn a_client_is_an_address_or_a_network() {
        for (address, client) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(client_of(address.parse().unwrap()), client);
        }
    }
}
