//! Long-lived tasks under one eye: none ends unseen.
//!
//! Owns the list of long-lived tasks and who of them still runs. Never knows what a task does. A task that ends without
//! having been told to, by a panic or by returning, is an event of level error; [`Supervisor::next_end`] hands it to
//! whoever must then end the process, so that systemd starts it anew.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;

use tokio::task::{Id, JoinSet};

use super::log::{Event, event};
use crate::store::fault;

/// A task that runs as long as the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Task {
    /// Accepts connections.
    Listener,
    /// Sends to the smarthost.
    Delivery,
    /// Decides what was set aside.
    Pending,
    /// Watches store and disk.
    StoreWatch,
    /// Serves metrics and health.
    Monitor,
    /// Answers commands.
    Control,
    /// The one that writes to the store.
    Writer,
    /// Serves the desk.
    Desk,
    /// Looks after what waits for a decision.
    Deadlines,
}

impl Task {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Listener,
        Self::Delivery,
        Self::Pending,
        Self::StoreWatch,
        Self::Monitor,
        Self::Control,
        Self::Writer,
        Self::Desk,
        Self::Deadlines,
    ];

    /// The word for logs and fault points.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Delivery => "delivery",
            Self::Pending => "pending",
            Self::StoreWatch => "store-watch",
            Self::Monitor => "monitor",
            Self::Control => "control",
            Self::Writer => "writer",
            Self::Desk => "desk",
            Self::Deadlines => "deadlines",
        }
    }
}

/// The tasks that run. Dropping it ends them.
#[derive(Debug, Default)]
pub struct Supervisor {
    running: JoinSet<()>,
    names: HashMap<Id, Task>,
}

impl Supervisor {
    /// Starts a task. Several may bear one name.
    pub fn spawn(&mut self, task: Task, work: impl Future<Output = ()> + Send + 'static) {
        let handle = self.running.spawn(async move {
            let mut work = pin!(work);
            poll_fn(|context| {
                fault::panic_point(task.as_str());
                work.as_mut().poll(context)
            })
            .await;
        });
        self.names.insert(handle.id(), task);
    }

    /// Waits for the next task to end; `None` when none is left.
    pub async fn next_end(&mut self) -> Option<Task> {
        let ended = self.running.join_next_with_id().await?;
        let (id, panicked) = match &ended {
            Ok((id, ())) => (*id, false),
            Err(error) => (error.id(), error.is_panic()),
        };
        let task = self.names.remove(&id)?;
        if panicked {
            event!(Event::TaskEnded, task = task.as_str(), reason = "panic");
        }
        Some(task)
    }

    /// Waits until every task has ended.
    pub async fn all_ended(&mut self) {
        while self.next_end().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_end_is_seen_and_named() {
        let mut supervisor = Supervisor::default();
        supervisor.spawn(Task::Monitor, async {});
        assert_eq!(supervisor.next_end().await, Some(Task::Monitor));
        supervisor.spawn(Task::Delivery, async { panic!("asked for by the test") });
        supervisor.spawn(Task::Pending, std::future::pending());
        assert_eq!(supervisor.next_end().await, Some(Task::Delivery));
        assert_eq!(supervisor.running.len(), 1, "the others go on");
    }

    #[test]
    fn every_task_has_a_word_of_its_own() {
        let words: std::collections::HashSet<_> = Task::ALL.iter().map(|t| t.as_str()).collect();
        assert_eq!(words.len(), Task::ALL.len());
    }
}
