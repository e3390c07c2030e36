//! The file with a refresh token: one at a time uses what it holds, and puts a newer one in its place whole.
//!
//! The lock is on the file itself, for other processes too (`doctor` beside the gateway): whoever comes second reads what the first
//! has written. A newer token is a file of its own beside the old one, synced, with the old one's mode, and then renamed.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use tempfile::NamedTempFile;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::{Stamp, TokenError};
use crate::limits;
use crate::relay::deliver::host::secret_line;

/// A newer token that could not be written, and the file that it is to stand in as it was then.
pub(super) struct Newer {
    token: Zeroizing<String>,
    instead_of: Stamp,
}

/// The right to use the token.
pub(super) struct Turn {
    file: PathBuf,
    _lock: File,
}

pub(super) fn stamp(file: &Path) -> Stamp {
    let found = fs::metadata(file).ok()?;
    Some((found.modified().ok()?, found.len()))
}

/// Whether a file can be made beside it.
pub(super) fn can_be_replaced(file: &Path) -> Result<(), TokenError> {
    let tried = fs::canonicalize(file).and_then(|file| NamedTempFile::new_in(beside(&file)));
    tried.map(drop).map_err(|error| {
        TokenError::File(format!("{} cannot be replaced by a newer refresh token: {error}", file.display()))
    })
}

fn beside(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("/"))
}

impl Turn {
    /// Waits for it.
    pub async fn of(file: &Path) -> Result<Self, TokenError> {
        let unreadable =
            |error| TokenError::File(format!("the refresh token file {} cannot be read: {error}", file.display()));
        let end = Instant::now() + Duration::from_secs(limits::TOKEN_LOCK_SECONDS);
        loop {
            let lock = File::open(file).map_err(unreadable)?;
            if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
                // Whoever had it may have put another file in its place.
                let (ours, there) = (lock.metadata(), fs::metadata(file));
                let (ours, there) = (ours.map_err(unreadable)?, there.map_err(unreadable)?);
                if (ours.dev(), ours.ino()) == (there.dev(), there.ino()) {
                    return Ok(Self { file: file.to_owned(), _lock: lock });
                }
            } else if Instant::now() >= end {
                return Err(TokenError::File(format!("the refresh token file {} stays locked", file.display())));
            }
            sleep(Duration::from_millis(limits::TOKEN_LOCK_MILLIS)).await;
        }
    }

    /// The token: what could not be written, unless a person has changed the file since, or what the file holds. What could
    /// not be written is tried anew.
    pub fn token(self, newer: Option<Newer>) -> Result<(Self, Option<Newer>, Zeroizing<String>), String> {
        if let Some(newer) = newer.filter(|newer| newer.instead_of == stamp(&self.file)) {
            let token = newer.token.clone();
            let left = self.replace(&token).is_err().then_some(newer);
            return Ok((self, left, token));
        }
        let token = secret_line("refresh token", &self.file)?;
        Ok((self, None, token))
    }

    /// Writes a newer one; gives it back where that fails, with the reason.
    pub fn keep(self, token: Zeroizing<String>) -> Option<(Newer, std::io::Error)> {
        let error = self.replace(&token).err()?;
        Some((Newer { token, instead_of: stamp(&self.file) }, error))
    }

    fn replace(&self, token: &str) -> std::io::Result<()> {
        // Where a link leads, not the link.
        let file = fs::canonicalize(&self.file)?;
        let old = fs::metadata(&file)?;
        let mut new = NamedTempFile::new_in(beside(&file))?;
        new.write_all(token.as_bytes())?;
        new.write_all(b"\n")?;
        let made = new.as_file().metadata()?;
        let same = (made.uid(), made.gid()) == (old.uid(), old.gid())
            || fchown(new.as_file(), Some(old.uid()), Some(old.gid())).is_ok()
            || fchown(new.as_file(), None, Some(old.gid())).is_ok();
        // For a group that is not the old one's nothing is opened.
        let mode = if same { old.mode() & 0o777 } else { old.mode() & 0o700 };
        new.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
        new.as_file().sync_all()?;
        new.persist(&file).map_err(|error| error.error)?;
        File::open(beside(&file)).and_then(|directory| directory.sync_all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_could_not_be_written_is_used_and_written_later_unless_the_file_was_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("refresh");
        let newer = |instead_of| Some(Newer { token: Zeroizing::new("newer".to_owned()), instead_of });
        for (changed, wanted) in [(false, "newer"), (true, "by hand")] {
            fs::write(&file, "old\n").unwrap();
            let before = stamp(&file);
            if changed {
                fs::write(&file, "by hand\n").unwrap();
            }
            let turn = Turn::of(&file).await.unwrap();
            let (_turn, left, token) = turn.token(newer(before)).unwrap();
            assert_eq!(token.as_str(), wanted);
            assert!(left.is_none());
            assert_eq!(fs::read_to_string(&file).unwrap(), format!("{wanted}\n"));
        }
        // Neither could be written, nor lost: it comes back.
        let turn = Turn { file: folder.path().join("none").join("refresh"), _lock: File::open(&file).unwrap() };
        let (left, _) = turn.keep(Zeroizing::new("newest".to_owned())).expect("it cannot be written");
        assert_eq!(left.token.as_str(), "newest");
        let turn = Turn { file: folder.path().join("none").join("refresh"), _lock: File::open(&file).unwrap() };
        let (_, left, token) = turn.token(Some(left)).unwrap();
        assert_eq!((token.as_str(), left.is_some()), ("newest", true));
    }
}
