//! A flag by which long work is told to stop. Whoever reads or detects looks at it between parts and between lines, and
//! gives up with what it has; whoever has set it takes no notice of what comes then. Work in a hurry stops by itself before
//! it would wait for another program, to be begun anew where it may wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The flag; clones share it. Once set, it stays.
#[derive(Debug, Clone, Default)]
pub struct Halt(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    halted: AtomicBool,
    hurried: bool,
    gave_way: AtomicBool,
}

impl Halt {
    /// For work on a thread that others wait for.
    pub fn hurried() -> Self {
        Self(Arc::new(Flags { hurried: true, ..Flags::default() }))
    }

    /// Tells the work to stop.
    pub fn set(&self) {
        self.0.halted.store(true, Ordering::Relaxed);
    }

    /// Whether the work is to stop.
    pub fn is_set(&self) -> bool {
        self.0.halted.load(Ordering::Relaxed)
    }

    /// Whether the work may wait for another program. Where it is in a hurry it may not, and is told to stop.
    pub fn may_wait(&self) -> bool {
        if self.0.hurried {
            self.0.gave_way.store(true, Ordering::Relaxed);
            self.set();
        }
        !self.0.hurried
    }

    /// Whether the work stopped because it would have had to wait.
    pub fn gave_way(&self) -> bool {
        self.0.gave_way.load(Ordering::Relaxed)
    }
}
