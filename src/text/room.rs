//! Room that heavy work shares: so many octets, and never more of them taken at once than there are.
//!
//! Whoever asks first is served first, so that a large piece of work is not passed by for ever by smaller ones. One that wants more
//! than there is takes all of it and goes alone. Work in a hurry does not wait ([`Halt::may_wait`]), and work that nobody waits for any
//! more leaves the queue. Knows octets, never what they hold.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Halt;
use crate::limits;

/// See the module's documentation.
#[derive(Debug)]
pub struct Room {
    octets: usize,
    queue: Mutex<Queue>,
    /// Something was given back, or somebody has left the queue.
    moved: Condvar,
}

#[derive(Debug)]
struct Queue {
    taken: usize,
    /// Those who wait, by their numbers; the first is served next.
    waiting: VecDeque<u64>,
    next: u64,
}

/// A part of the room, given back when it goes.
#[derive(Debug)]
pub struct Share<'a> {
    room: &'a Room,
    octets: usize,
}

impl Room {
    /// So much room.
    pub const fn of(octets: usize) -> Self {
        Self { octets, queue: Mutex::new(Queue { taken: 0, waiting: VecDeque::new(), next: 0 }), moved: Condvar::new() }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Whole after every statement, so a panic elsewhere cannot have torn it.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many octets of it, when they are free and nobody has asked before; nothing where `halt` is set first.
    pub fn take(&self, octets: usize, halt: &Halt) -> Option<Share<'_>> {
        let octets = octets.min(self.octets);
        let mut queue = self.queue();
        if queue.waiting.is_empty() && queue.taken + octets <= self.octets {
            queue.taken += octets;
            return Some(Share { room: self, octets });
        }
        if !halt.may_wait() {
            return None;
        }
        let number = queue.next;
        queue.next += 1;
        queue.waiting.push_back(number);
        let look = Duration::from_millis(limits::ROOM_LOOK_MILLIS);
        loop {
            let served = queue.waiting.front() == Some(&number) && queue.taken + octets <= self.octets;
            let gives_up = !served && halt.is_set();
            if served || gives_up {
                queue.waiting.retain(|other| *other != number);
                queue.taken += if served { octets } else { 0 };
                // The next may fit beside this one.
                self.moved.notify_all();
                // A share that is made is one that is given back.
                return served.then(|| Share { room: self, octets });
            }
            (queue, _) = self.moved.wait_timeout(queue, look).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut queue = self.room.queue();
        queue.taken = queue.taken.saturating_sub(self.octets);
        drop(queue);
        self.room.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn no_more_is_taken_than_there_is_and_a_larger_piece_goes_alone() {
        // The room, what is taken of it, and whether a further piece fits beside.
        for (taken, wanted, fits) in
            [(0, 10, true), (0, 11, true), (1, 9, true), (1, 10, false), (10, 1, false), (11, 1, false), (10, 0, true)]
        {
            let room = Room::of(10);
            let _held = room.take(taken, &Halt::default()).unwrap();
            let hurried = Halt::hurried();
            assert_eq!(room.take(wanted, &hurried).is_some(), fits, "{wanted} beside {taken} of 10");
            assert_eq!(hurried.gave_way(), !fits, "what would wait gives way");
        }
    }

    #[test]
    fn a_hundred_at_once_never_hold_more_than_the_room_and_all_are_served() {
        let (room, held, most) = (Room::of(100), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for at in 0..100 {
                let (room, held, most) = (&room, &held, &most);
                scope.spawn(move || {
                    let octets = [1, 30, 70, 100][at % 4];
                    let share = room.take(octets, &Halt::default()).unwrap();
                    most.fetch_max(held.fetch_add(octets, Ordering::SeqCst) + octets, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(1));
                    held.fetch_sub(octets, Ordering::SeqCst);
                    drop(share);
                });
            }
        });
        assert_eq!(most.into_inner(), 100);
        assert_eq!(room.queue().taken, 0);
    }

    #[test]
    fn who_waits_is_served_in_turn_and_leaves_when_nobody_waits_for_it() {
        let room = Room::of(10);
        let held = room.take(10, &Halt::default()).unwrap();
        let (gone, order) = (Halt::default(), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            let until = |waiting: usize| {
                while room.queue().waiting.len() != waiting {
                    std::thread::yield_now();
                }
            };
            let given_up = scope.spawn(|| room.take(10, &gone).is_none());
            until(1);
            let served = |name: &'static str, octets: usize| {
                let (room, order) = (&room, &order);
                move || {
                    let _share = room.take(octets, &Halt::default()).unwrap();
                    order.lock().unwrap().push(name);
                }
            };
            scope.spawn(served("large", 10));
            until(2);
            scope.spawn(served("small", 1));
            until(3);
            gone.set();
            assert!(given_up.join().unwrap());
            drop(held);
        });
        assert_eq!(order.into_inner().unwrap(), ["large", "small"]);
    }
}
