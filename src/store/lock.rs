//! The lock that makes one process the store's only writer. It is an advisory lock on `daemon.pid`, which the system lets
//! go of when the process ends, in whatever way; the process id in the file is for people.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::Path;

use super::{StoreError, owner, private};

/// Held by the one process that may write to a store directory.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "open for as long as it is held")] File);

impl Lock {
    /// Takes the lock of an existing directory, without waiting.
    ///
    /// # Errors
    /// [`StoreError::InUse`] with the id of the process that holds it; what the disk says.
    pub fn take(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join("daemon.pid");
        let failed = |e: &std::io::Error| StoreError::io(format!("{} cannot be locked", path.display()), e);
        let mut file =
            private().read(true).write(true).create(true).truncate(false).open(&path).map_err(|e| failed(&e))?;
        owner::give(&file, directory).map_err(|e| failed(&e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = std::fs::read_to_string(&path).unwrap_or_default();
                let holder = holder.trim();
                return Err(StoreError::InUse(if holder.is_empty() { "unknown" } else { holder }.to_owned()));
            }
            Err(TryLockError::Error(e)) => return Err(failed(&e)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(|e| failed(&e))?;
        Ok(Self(file))
    }
}
