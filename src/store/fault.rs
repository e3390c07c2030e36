//! Named points at which a test can make the process die, to prove that what was answered with 250 is there afterwards.
//!
//! Nothing happens unless the environment variable `SCHOOLGATE_FAULT` names a point when the process starts. With
//! `after-commit` the process aborts (SIGABRT, no destructors, no flushing) the first time it comes to that point, with
//! `after-commit:5` the fifth time. Some are no such points: `disk-full` makes every commit of new mail fail as a full
//! disk does; `inspection-fails` makes the first inspection fail, and `panic:delivering` the first delivery panic, with
//! `:2` the first two; `inspection-takes:300` makes each inspection last 300 ms longer; `panic:TASK` makes a long-lived task
//! panic (the names are those of `relay::supervise`), with `:3` the third time it is woken.
//!
//! `commit-fails` makes the first commit of the database fail, `commit-fails:3` the third; `sync-fails` does the same to
//! the sync of content, as a disk that answers EIO, and `directory-sync-fails` to that of the directory where content begins. `panic:writer` makes the store's writer panic with the first group of
//! commands, `panic:writer:3` with the third; `stands:writer` makes it stand still there for good.
//!
//! The points, in the order of a message's way: `before-content-write`, `after-content-write`, `after-content-sync`,
//! `before-sender`, `after-commit` (the store); `before-250`, `after-250` (the listener); `before-send`, `after-final-dot`,
//! `after-smarthost-250`, `before-record`, `after-record` (delivery). Of an imported roster: `before-people-write`,
//! `during-people-write`, `after-people-write`, `after-people-sync`, `after-people-rename`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable's value: a point, or `disk-full`; after a colon the pass that dies.
struct Fault {
    name: String,
    pass: u64,
}

fn fault() -> Option<&'static Fault> {
    static FAULT: OnceLock<Option<Fault>> = OnceLock::new();
    FAULT.get_or_init(|| std::env::var("SCHOOLGATE_FAULT").ok().map(|value| read(&value))).as_ref()
}

fn read(value: &str) -> Fault {
    match value.rsplit_once(':').and_then(|(name, pass)| Some((name, pass.parse().ok()?))) {
        Some((name, pass)) => Fault { name: name.to_owned(), pass },
        None => Fault { name: value.to_owned(), pass: 1 },
    }
}

/// Aborts the process if the environment asks for it here.
pub fn point(name: &str) {
    static PASSES: AtomicU64 = AtomicU64::new(0);
    if let Some(fault) = fault()
        && fault.name == name
        && PASSES.fetch_add(1, Ordering::SeqCst) + 1 == fault.pass
    {
        std::process::abort();
    }
}

/// Panics if the environment asks for it here: `panic:NAME` at the first pass, `panic:NAME:3` at the third.
pub fn panic_point(name: &str) {
    static PASSES: AtomicU64 = AtomicU64::new(0);
    if let Some(fault) = fault()
        && fault.name.strip_prefix("panic:") == Some(name)
        && PASSES.fetch_add(1, Ordering::SeqCst) + 1 == fault.pass
    {
        std::panic::panic_any("asked for by the environment");
    }
}

/// An error of the disk (EIO) if the environment asks for it here: `NAME` at the first pass, `NAME:3` at the third.
pub(super) fn disk_error(name: &str) -> std::io::Result<()> {
    static PASSES: AtomicU64 = AtomicU64::new(0);
    match fault() {
        Some(fault) if fault.name == name && PASSES.fetch_add(1, Ordering::SeqCst) + 1 == fault.pass => {
            Err(rustix::io::Errno::IO.into())
        }
        _ => Ok(()),
    }
}

/// Panics if the environment asks for this inspection to fail, or makes it last where it asks for slow ones.
pub fn inspection() {
    static PASSES: AtomicU64 = AtomicU64::new(0);
    let Some(fault) = fault() else { return };
    match fault.name.as_str() {
        "inspection-fails" if PASSES.fetch_add(1, Ordering::SeqCst) < fault.pass => {
            std::panic::panic_any("asked for by the environment")
        }
        "inspection-takes" => std::thread::sleep(std::time::Duration::from_millis(fault.pass)),
        _ => {}
    }
}

/// Never comes back if the environment asks for it here: `stands:NAME` at the first pass, `stands:NAME:3` at the third.
pub(super) async fn standing_point(name: &str) {
    static PASSES: AtomicU64 = AtomicU64::new(0);
    if let Some(fault) = fault()
        && fault.name.strip_prefix("stands:") == Some(name)
        && PASSES.fetch_add(1, Ordering::SeqCst) + 1 == fault.pass
    {
        std::future::pending::<()>().await;
    }
}

/// Panics if the environment asks for it here: `panic:NAME` at the first pass, `panic:NAME:3` at the first three.
pub fn panic_passes(name: &str) {
    static PASSES: AtomicU64 = AtomicU64::new(0);
    if let Some(fault) = fault()
        && fault.name.strip_prefix("panic:") == Some(name)
        && PASSES.fetch_add(1, Ordering::SeqCst) < fault.pass
    {
        std::panic::panic_any("asked for by the environment");
    }
}

/// The environment asks for a full disk.
pub fn disk_full() -> bool {
    fault().is_some_and(|f| f.name == "disk-full")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_fault_names_its_point_and_its_pass() {
        for (value, name, pass) in [
            ("after-commit", "after-commit", 1),
            ("before-250:7", "before-250", 7),
            ("a:b", "a:b", 1),
            ("panic:delivering", "panic:delivering", 1),
            ("panic:delivering:3", "panic:delivering", 3),
        ] {
            let fault = super::read(value);
            assert_eq!((fault.name.as_str(), fault.pass), (name, pass));
        }
    }
}
