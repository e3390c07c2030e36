//! Whose the store's files are: always the owner of its directory, whoever makes them. What a command makes as root must
//! not be out of reach for the gateway's own user. SQLite does the same by itself for the files beside its database.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

/// Gives `file` to the owner of `directory`. Does nothing unless we are root: nobody else can, and what others make in
/// a store of their own is theirs already.
pub(super) fn give(file: &File, directory: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let (wanted, own) = (std::fs::metadata(directory)?, file.metadata()?);
    if (wanted.uid(), wanted.gid()) == (own.uid(), own.gid()) {
        return Ok(());
    }
    fchown(file, Some(wanted.uid()), Some(wanted.gid()))
}
