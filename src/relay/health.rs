//! How the gateway is: whether its store commits, its disk has room, its delivery lives and every task runs.
//!
//! Owns the answers to four questions and nothing else: what the door says to a client ([`Health::door`]), what `/readyz`
//! says ([`Health::troubles`]), whether delivery may send what it could not record ([`Health::may_send`]), and whether
//! the watchdog is fed ([`Health::is_alive`]). Those who know tell it; it never looks for itself, and never knows mail.
//! Ready means that mail is taken: while MAIL is refused for want of room, or the store does not commit, it is not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::supervise::Task;
use crate::limits;
use crate::store::StoreError;

/// What a client is told when it wants to hand a message over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Door {
    /// Mail is taken.
    #[default]
    Open,
    /// MAIL is answered 452: the disk is nearly full (RFC 1870 6).
    NoRoom,
    /// The banner is 421, MAIL is answered 451: the store does not commit.
    Sick,
    /// MAIL is answered 451: more is waiting for inspection than can be inspected in time.
    Busy,
}

/// Why the gateway is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It starts, or stops.
    NotServing,
    /// A long-lived task ended.
    TaskEnded(Task),
    /// The disk is nearly full.
    NoRoom,
    /// The last commit failed.
    StoreFails,
    /// No commit was heard of for too long.
    StoreSilent,
    /// Delivery has not come round for too long.
    DeliveryStands,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotServing => f.write_str("starting or stopping"),
            Self::TaskEnded(task) => write!(f, "task ended: {}", task.as_str()),
            Self::NoRoom => f.write_str("disk nearly full"),
            Self::StoreFails => f.write_str("store does not commit"),
            Self::StoreSilent => f.write_str("store does not answer"),
            Self::DeliveryStands => f.write_str("delivery stands still"),
        }
    }
}

/// What is known; clones share it.
#[derive(Debug, Clone)]
pub struct Health(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// More waits for inspection than can be inspected in time.
    busy: AtomicBool,
    facts: Mutex<Facts>,
}

#[derive(Debug)]
struct Facts {
    serving: bool,
    ended: Option<Task>,
    short_of_room: bool,
    store: Commit,
    /// When the writer last answered with success, or with a full disk, which no restart mends.
    store_answered: Instant,
    delivery: Instant,
}

/// How the last commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Commit {
    Done,
    Full,
    Failed,
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Health {
    /// Of a gateway that is starting.
    pub fn new() -> Self {
        let now = Instant::now();
        Self(Arc::new(Inner {
            busy: AtomicBool::new(false),
            facts: Mutex::new(Facts {
                serving: false,
                ended: None,
                short_of_room: false,
                store: Commit::Done,
                store_answered: now,
                delivery: now,
            }),
        }))
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        // Every fact is replaced whole, so a panic elsewhere cannot have torn them.
        self.0.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Mail is taken from now on, or no longer.
    pub fn set_serving(&self, serving: bool) {
        self.facts().serving = serving;
    }

    /// A long-lived task has ended that nobody had told to. There is no way back.
    pub fn task_ended(&self, task: Task) {
        self.facts().ended.get_or_insert(task);
    }

    /// Whether the disk is nearly full; gives whether that is news.
    pub fn set_short_of_room(&self, short: bool) -> bool {
        std::mem::replace(&mut self.facts().short_of_room, short) != short
    }

    /// How a commit ended at `now`; gives whether the store is well otherwise than before.
    pub fn committed(&self, result: Result<(), &StoreError>, now: Instant) -> bool {
        let commit = match result {
            Ok(()) => Commit::Done,
            Err(StoreError::Full) => Commit::Full,
            // What cannot be done for its own sake says nothing of the store.
            Err(error) if !error.is_failure() && !matches!(error, StoreError::Closed) => return false,
            Err(_) => Commit::Failed,
        };
        let mut facts = self.facts();
        if commit != Commit::Failed {
            facts.store_answered = now;
        }
        std::mem::replace(&mut facts.store, commit) != commit
    }

    /// Whether the last commit succeeded.
    pub fn store_commits(&self) -> bool {
        self.facts().store == Commit::Done
    }

    /// Delivery has come round once more at `now`.
    pub fn delivery_comes_round(&self, now: Instant) {
        self.facts().delivery = now;
    }

    /// Whether more waits for inspection than can be inspected in time; gives whether that is news.
    pub fn set_busy(&self, busy: bool) -> bool {
        self.0.busy.swap(busy, Ordering::Relaxed) != busy
    }

    /// What a client is told now.
    pub fn door(&self) -> Door {
        let facts = self.facts();
        match facts.store {
            _ if facts.ended.is_some() => Door::Sick,
            Commit::Failed => Door::Sick,
            Commit::Full => Door::NoRoom,
            Commit::Done if facts.short_of_room => Door::NoRoom,
            Commit::Done if self.0.busy.load(Ordering::Relaxed) => Door::Busy,
            Commit::Done => Door::Open,
        }
    }

    /// Whether an outcome could be recorded now: what cannot be recorded is not sent, for it would be sent again.
    pub fn may_send(&self) -> bool {
        let facts = self.facts();
        facts.store == Commit::Done && facts.ended.is_none()
    }

    /// Why the gateway is not ready at `now`; empty when it is.
    pub fn troubles(&self, now: Instant) -> Vec<Trouble> {
        let facts = self.facts();
        let mut troubles = Vec::new();
        let mut note = |is: bool, trouble| {
            if is {
                troubles.push(trouble);
            }
        };
        note(!facts.serving, Trouble::NotServing);
        if let Some(task) = facts.ended {
            note(true, Trouble::TaskEnded(task));
        }
        note(facts.short_of_room || facts.store == Commit::Full, Trouble::NoRoom);
        note(facts.store == Commit::Failed, Trouble::StoreFails);
        note(store_silent(&facts, now), Trouble::StoreSilent);
        note(delivery_stands(&facts, now), Trouble::DeliveryStands);
        troubles
    }

    /// Whether the process is worth keeping at `now`: a full disk is waited for, all else a fresh start may mend.
    pub fn is_alive(&self, now: Instant) -> bool {
        let facts = self.facts();
        facts.ended.is_none() && !store_silent(&facts, now) && !delivery_stands(&facts, now)
    }
}

fn store_silent(facts: &Facts, now: Instant) -> bool {
    now.saturating_duration_since(facts.store_answered) > Duration::from_secs(limits::STORE_SILENT_SECONDS)
}

fn delivery_stands(facts: &Facts, now: Instant) -> bool {
    now.saturating_duration_since(facts.delivery) > Duration::from_secs(limits::DELIVERY_STANDS_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn io() -> StoreError {
        StoreError::Io { what: "sync".into(), why: "I/O error".into() }
    }

    /// Relay checklist, row 74.
    #[test]
    fn each_fact_has_its_answers() {
        type Told = fn(&Health, Instant);
        type Row = (&'static str, Told, Door, &'static [Trouble], bool, bool);
        let silence = Duration::from_secs(limits::STORE_SILENT_SECONDS + 1);
        let standing = Duration::from_secs(limits::DELIVERY_STANDS_SECONDS + 1);
        // What is told; then the door, whether it is ready, may send, is alive.
        let table: &[Row] = &[
            ("well", |_, _| {}, Door::Open, &[], true, true),
            ("starting", |h, _| h.set_serving(false), Door::Open, &[Trouble::NotServing], true, true),
            ("nearly full", |h, _| assert!(h.set_short_of_room(true)), Door::NoRoom, &[Trouble::NoRoom], true, true),
            (
                "full",
                |h, now| assert!(h.committed(Err(&StoreError::Full), now)),
                Door::NoRoom,
                &[Trouble::NoRoom],
                false,
                true,
            ),
            (
                "failing",
                |h, now| assert!(h.committed(Err(&io()), now)),
                Door::Sick,
                &[Trouble::StoreFails],
                false,
                true,
            ),
            (
                "closed",
                |h, now| assert!(h.committed(Err(&StoreError::Closed), now)),
                Door::Sick,
                &[Trouble::StoreFails],
                false,
                true,
            ),
            (
                "a request that cannot be met",
                |h, now| assert!(!h.committed(Err(&StoreError::Refused("no".into())), now)),
                Door::Open,
                &[],
                true,
                true,
            ),
            ("overloaded", |h, _| assert!(h.set_busy(true)), Door::Busy, &[], true, true),
            (
                "a task ended",
                |h, _| h.task_ended(Task::Pending),
                Door::Sick,
                &[Trouble::TaskEnded(Task::Pending)],
                false,
                false,
            ),
            (
                "failed and mended",
                |h, now| {
                    h.committed(Err(&io()), now);
                    assert!(h.committed(Ok(()), now));
                },
                Door::Open,
                &[],
                true,
                true,
            ),
        ];
        for (what, tell, door, troubles, may_send, alive) in table {
            let health = Health::new();
            health.set_serving(true);
            let now = Instant::now();
            tell(&health, now);
            assert_eq!(health.door(), *door, "{what}");
            assert_eq!(health.troubles(now), *troubles, "{what}");
            assert_eq!(health.may_send(), *may_send, "{what}");
            assert_eq!(health.is_alive(now), *alive, "{what}");
        }
        let health = Health::new();
        health.set_serving(true);
        let later = Instant::now() + silence.max(standing);
        assert_eq!(health.troubles(later), [Trouble::StoreSilent, Trouble::DeliveryStands]);
        assert!(!health.is_alive(later));
        health.delivery_comes_round(later);
        health.committed(Err(&StoreError::Full), later);
        assert_eq!(health.troubles(later), [Trouble::NoRoom]);
        assert!(health.is_alive(later), "a full disk is waited for");
    }
}
