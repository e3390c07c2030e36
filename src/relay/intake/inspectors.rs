//! The threads that inspect: one job a message, within a time, and none that nobody waits for.
//!
//! Small messages have threads of their own, so that none waits behind an archive. A small one that would wait for another
//! program, as for the words of a page that is a picture, begins anew among the large ones. A job that found no thread in time is
//! dropped, not set aside: what was set aside would want the same threads again, and overload would feed itself. A job
//! that runs past its time is told to stop and does so at its next part or line.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::extract::give_way;
use crate::limits;
use crate::relay::health::Health;
use crate::relay::log::{Event, event};
use crate::relay::monitor;
use crate::text::Halt;

/// Why a job gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undone {
    /// No thread was free in time; it was not begun.
    Busy,
    /// It ran out of time.
    Late,
    /// It panicked.
    Failed,
    /// It could not be checked for malware, and soon may.
    Unscreened,
}

/// How long a job may wait and run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For a thread.
    pub queue: Duration,
    /// From its start to its end.
    pub run: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            queue: Duration::from_secs(limits::INSPECT_QUEUE_SECONDS),
            run: Duration::from_secs(limits::INSPECT_SECONDS),
        }
    }
}

/// The threads.
pub(super) struct Inspectors {
    light: Threads,
    heavy: Threads,
    patience: Patience,
}

/// Threads of one kind with the jobs that wait for them.
struct Threads {
    pool: rayon::ThreadPool,
    queue: Arc<Queue>,
}

/// The jobs that wait for a thread.
#[derive(Default)]
struct Queue {
    line: Mutex<Line>,
    /// Told of it, where MAIL should be refused meanwhile.
    health: Option<Health>,
}

/// Changed under one lock: a queue that counts as full while nobody is in it would never be told otherwise.
#[derive(Default)]
struct Line {
    waiting: usize,
    /// What comes now would wait too long.
    full: bool,
}

impl Queue {
    fn line(&self) -> MutexGuard<'_, Line> {
        // Both fields are whole after every statement, so a panic elsewhere cannot have torn them.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place in the queue, unless it is full.
    fn enter(&self) -> Option<Instant> {
        let mut line = self.line();
        if line.full {
            return None;
        }
        line.waiting += 1;
        monitor::inspections_waiting(1);
        Some(Instant::now())
    }

    /// A job has left, begun or given up. The queue is full from the first job that waited half of what it may, until one
    /// waits less than a quarter or none is left: so what is let in is answered in time.
    fn leave(&self, waited: Duration, patience: Duration) {
        let mut line = self.line();
        line.waiting = line.waiting.saturating_sub(1);
        monitor::inspections_waiting(-1);
        let full = match line.waiting {
            0 => false,
            _ if waited >= patience / 2 => true,
            _ if waited < patience / 4 => false,
            _ => line.full,
        };
        if std::mem::replace(&mut line.full, full) != full {
            let reason = if full { "what comes is answered with 451" } else { "mail is taken again" };
            event!(Event::Trouble, what = "more mail than can be inspected", reason);
            if let Some(health) = &self.health {
                health.set_busy(full);
            }
        }
    }
}

impl Inspectors {
    /// As many threads of each kind as the machine has processors.
    pub(super) fn new(health: Health, patience: Patience) -> Result<Self, rayon::ThreadPoolBuildError> {
        let light = rayon::ThreadPoolBuilder::new().thread_name(|i| format!("inspect-{i}")).build()?;
        let heavy = rayon::ThreadPoolBuilder::new()
            .thread_name(|i| format!("inspect-heavy-{i}"))
            // On Linux this is the thread's own.
            .start_handler(|_| give_way())
            .build()?;
        // Most mail is light: only where that must wait is it refused before its content has come.
        let light_queue = Queue { health: Some(health), ..Queue::default() };
        Ok(Self {
            light: Threads { pool: light, queue: Arc::new(light_queue) },
            heavy: Threads { pool: heavy, queue: Arc::default() },
            patience,
        })
    }

    /// Runs a job about so many octets, twice where it is small and gave way. A panic in it is [`Undone::Failed`], not a
    /// crashed gateway.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        octets: usize,
        job: impl Fn(&Halt) -> T + Send + Sync + 'static,
    ) -> Result<T, Undone> {
        let job = Arc::new(job);
        if octets <= limits::LIGHT_MESSAGE {
            let halt = Halt::hurried();
            let outcome = self.run_on(&self.light, &halt, Arc::clone(&job)).await?;
            if !halt.gave_way() {
                return Ok(outcome);
            }
        }
        self.run_on(&self.heavy, &Halt::default(), job).await
    }

    async fn run_on<T: Send + 'static>(
        &self,
        Threads { pool, queue }: &Threads,
        halt: &Halt,
        job: Arc<impl Fn(&Halt) -> T + Send + Sync + 'static>,
    ) -> Result<T, Undone> {
        let entered = queue.enter().ok_or(Undone::Busy)?;
        let (begins, begun) = oneshot::channel();
        let (done, result) = oneshot::channel();
        let (halted, queue, patience) = (halt.clone(), Arc::clone(queue), self.patience);
        pool.spawn_fifo(move || {
            let wanted = !halted.is_set() && begins.send(()).is_ok();
            queue.leave(entered.elapsed(), patience.queue);
            if wanted {
                let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| job(&halted)));
                // Nobody may be waiting any more; then the outcome is of no use.
                let _ = done.send(outcome.map_err(|_| Undone::Failed));
            }
        });
        let _stop = StopOnDrop(halt.clone());
        if tokio::time::timeout(patience.queue, begun).await.is_err() {
            return Err(Undone::Busy);
        }
        match tokio::time::timeout(patience.run, result).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Undone::Failed),
            Err(_) => Err(Undone::Late),
        }
    }
}

/// Whoever waited is gone: the job is to stop, or not to begin.
struct StopOnDrop(Halt);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use super::*;

    const SOON: Patience = Patience { queue: Duration::from_millis(200), run: Duration::from_millis(200) };

    fn inspectors(patience: Patience) -> (Inspectors, Health) {
        let health = Health::new();
        (Inspectors::new(health.clone(), patience).unwrap(), health)
    }

    #[tokio::test]
    async fn a_job_gives_its_outcome_and_a_panic_is_a_failure() {
        let (inspectors, _) = inspectors(Patience::default());
        for octets in [1, limits::LIGHT_MESSAGE + 1] {
            assert_eq!(inspectors.run(octets, |_| 7).await, Ok(7));
            let failed = inspectors.run(octets, |_| std::panic::panic_any("asked for by the test")).await;
            assert_eq!(failed, Err::<(), _>(Undone::Failed));
            assert_eq!(inspectors.run(octets, |_| 8).await, Ok(8), "the thread lives on");
        }
    }

    #[tokio::test]
    async fn a_small_job_that_would_wait_begins_anew_among_the_large() {
        let (inspectors, _) = inspectors(Patience::default());
        let name = || std::thread::current().name().unwrap_or_default().to_owned();
        let large = limits::LIGHT_MESSAGE + 1;
        for (octets, waits, heavy) in [(1, false, false), (1, true, true), (large, false, true), (large, true, true)] {
            let ran =
                inspectors.run(octets, move |halt: &Halt| ((!waits || halt.may_wait()) && !halt.is_set(), name()));
            let (whole, thread) = ran.await.unwrap();
            assert!(whole && thread.starts_with("inspect-heavy-") == heavy, "{octets} {waits}: {thread}");
        }
    }

    #[tokio::test]
    async fn a_job_past_its_time_is_told_to_stop() {
        let (inspectors, _) = inspectors(Patience { run: SOON.run, ..Patience::default() });
        let (stopped, was_stopped) = mpsc::channel();
        let late = inspectors.run(1, move |halt: &Halt| {
            while !halt.is_set() {
                std::thread::yield_now();
            }
            stopped.send(()).unwrap();
        });
        assert_eq!(late.await, Err(Undone::Late));
        was_stopped.recv_timeout(Duration::from_secs(20)).expect("it stops");
    }

    #[tokio::test]
    async fn what_nobody_waits_for_does_not_begin_and_a_full_queue_takes_nothing() {
        let (inspectors, health) = inspectors(Patience { queue: SOON.queue, ..Patience::default() });
        let inspectors = Arc::new(inspectors);
        let gate = Arc::new(AtomicBool::new(false));
        let processors = rayon::current_num_threads();
        // Every thread is taken until the gate opens.
        let long: Vec<_> = (0..processors)
            .map(|_| {
                let (inspectors, gate) = (Arc::clone(&inspectors), Arc::clone(&gate));
                tokio::spawn(async move {
                    let wait = move |_: &Halt| {
                        while !gate.load(Ordering::Relaxed) {
                            std::thread::sleep(Duration::from_millis(1));
                        }
                    };
                    inspectors.run(1, wait).await
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let begun = Arc::new(AtomicBool::new(false));
        let mark = Arc::clone(&begun);
        let waited = inspectors.run(1, move |_: &Halt| mark.store(true, Ordering::Relaxed)).await;
        assert_eq!(waited, Err(Undone::Busy), "no thread in time");
        gate.store(true, Ordering::Relaxed);
        for job in long {
            let _ = job.await;
        }
        let mut taken = inspectors.run(1, |_| 1).await;
        while taken == Err(Undone::Busy) {
            taken = inspectors.run(1, |_| 1).await;
        }
        assert_eq!(taken, Ok(1), "taken again when the queue is empty");
        assert!(!begun.load(Ordering::Relaxed), "the job that was given up never ran");
        assert_eq!(health.door(), crate::relay::health::Door::Open);
    }

    #[test]
    fn the_queue_is_full_while_waits_are_long() {
        let health = Health::new();
        let queue = Queue { health: Some(health.clone()), ..Queue::default() };
        let patience = Duration::from_secs(16);
        // The wait of the job that leaves, in seconds, and whether the queue is full then; two more jobs wait behind it.
        for (waited, full) in [(0, false), (7, false), (8, true), (5, true), (4, true), (3, false), (20, true)] {
            queue.line().waiting = 3;
            queue.leave(Duration::from_secs(waited), patience);
            assert_eq!(queue.enter().is_none(), full, "after {waited} s");
            assert_eq!(health.door() == crate::relay::health::Door::Busy, full, "after {waited} s");
        }
        queue.line().waiting = 1;
        queue.leave(Duration::from_secs(20), patience);
        assert!(queue.enter().is_some(), "nobody is left to wait behind");
    }

    #[test]
    fn a_queue_with_nobody_in_it_is_never_full() {
        let queue = Arc::new(Queue { health: Some(Health::new()), ..Queue::default() });
        for _ in 0..2_000 {
            queue.line().waiting = 2;
            // Two leave at once, both after a long wait.
            let leave = |seconds| {
                let queue = Arc::clone(&queue);
                std::thread::spawn(move || queue.leave(Duration::from_secs(seconds), Duration::from_secs(16)))
            };
            for left in [leave(20), leave(20)] {
                left.join().unwrap();
            }
            assert!(!queue.line().full);
        }
    }
}
