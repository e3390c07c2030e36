//! One sealed file beside the queue: the imported roster, as bytes that this room does not look into.
//!
//! `people.sealed` is `"SGP1"`, the id of its key (16 bytes), a nonce (12), then the content under AES-256-GCM with its
//! tag; the header is authenticated with it. It is swapped whole: written beside, synced, renamed, and the directory
//! synced, so that at any moment the name leads to one whole roster, the earlier or the new one.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use rustix::fs::FlockOperation;
use zeroize::Zeroizing;

use super::{StoreError, StoreKey, fault, owner};

const NAME: &str = "people.sealed";
const BESIDE: &str = "people.sealed.new";
const LOCK: &str = "people.lock";
const MAGIC: &[u8; 4] = b"SGP1";
const KEY_ID: usize = 16;
const HEADER: usize = MAGIC.len() + KEY_ID + NONCE_LEN;

/// The sealed file of a store directory.
#[derive(Debug, Clone)]
pub struct Sealed {
    directory: PathBuf,
}

/// What tells one version of the file from the next: inode, length and time of change.
pub type Stamp = (u64, u64, SystemTime);

/// Held by the one process that imports, from its look at the earlier roster to the end.
#[derive(Debug)]
pub struct Replacing {
    // Closing it releases the lock, whatever way the process ends.
    _lock: std::fs::File,
}

fn cipher(key: &StoreKey) -> Result<LessSafeKey, StoreError> {
    let key = Zeroizing::new(key.derived("people 1"));
    UnboundKey::new(&AES_256_GCM, &*key)
        .map(LessSafeKey::new)
        .map_err(|_| StoreError::Key("it cannot be used".to_owned()))
}

fn key_id(key: &StoreKey) -> [u8; KEY_ID] {
    let mut id = [0; KEY_ID];
    id.copy_from_slice(&key.derived("people key id")[..KEY_ID]);
    id
}

impl Sealed {
    /// The file of a store directory, whether it is there or not.
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    fn path(&self) -> PathBuf {
        self.directory.join(NAME)
    }

    /// `None` while there is no such file.
    pub fn stamp(&self) -> Option<Stamp> {
        use std::os::unix::fs::MetadataExt;
        let about = std::fs::metadata(self.path()).ok()?;
        Some((about.ino(), about.len(), about.modified().ok()?))
    }

    /// The content; `None` where there is no such file. A file that does not open is an error, never an empty roster.
    ///
    /// # Errors
    /// [`StoreError::Io`] where it cannot be read, is cut short, was changed or was sealed with another key.
    pub fn read(&self, key: &StoreKey) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let path = self.path();
        let damaged =
            |why: &str| StoreError::Io { what: format!("{} cannot be used", path.display()), why: why.to_owned() };
        let mut bytes = match std::fs::read(&path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io(format!("{} cannot be read", path.display()), &error)),
        };
        if bytes.len() < HEADER || !bytes.starts_with(MAGIC) {
            return Err(damaged("it is cut short, or no sealed roster"));
        }
        if bytes[MAGIC.len()..MAGIC.len() + KEY_ID] != key_id(key) {
            return Err(damaged("it was sealed with another key"));
        }
        let header: [u8; HEADER] = bytes[..HEADER].try_into().map_err(|_| damaged("it is cut short"))?;
        let nonce =
            Nonce::try_assume_unique_for_key(&header[HEADER - NONCE_LEN..]).map_err(|_| damaged("it is cut short"))?;
        let length = cipher(key)?
            .open_within(nonce, Aad::from(&header), &mut bytes, HEADER..)
            .map_err(|_| damaged("it is cut short or was changed"))?
            .len();
        bytes.truncate(length);
        Ok(Some(bytes))
    }

    /// Makes this process the only one that imports; the directory is created when missing, and belongs to the owner of
    /// the one that it lies in.
    ///
    /// # Errors
    /// [`StoreError::Refused`] while another import runs; what the disk says.
    pub fn replacing(&self) -> Result<Replacing, StoreError> {
        let directory = &self.directory;
        let failed = |e: &std::io::Error| StoreError::io("the lock of the roster cannot be opened", e);
        if !directory.exists() {
            super::make_directory(directory)?;
            let around = directory.parent().unwrap_or(directory);
            let opened = std::fs::File::open(directory).map_err(|e| failed(&e))?;
            owner::give(&opened, around).map_err(|e| failed(&e))?;
        }
        let file = super::private()
            .create(true)
            .write(true)
            .truncate(false)
            .open(directory.join(LOCK))
            .map_err(|e| failed(&e))?;
        owner::give(&file, directory).map_err(|e| failed(&e))?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| StoreError::Refused("another import is running".to_owned()))?;
        Ok(Replacing { _lock: file })
    }

    /// Swaps the file for one with this content. When this returns, the new one is on stable storage.
    ///
    /// For the process that holds the [`super::Lock`].
    ///
    /// # Errors
    /// What the disk says; the earlier file stays then.
    pub fn replace(&self, key: &StoreKey, content: &[u8]) -> Result<(), StoreError> {
        let directory = &self.directory;
        let mut nonce = [0u8; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| StoreError::Key("no random bytes to be had".to_owned()))?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER + content.len() + AES_256_GCM.tag_len()));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&key_id(key));
        bytes.extend_from_slice(&nonce);
        let header: Vec<u8> = bytes.clone().to_vec();
        bytes.extend_from_slice(content);
        let tag = cipher(key)?
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&header), &mut bytes[HEADER..])
            .map_err(|_| StoreError::Key("sealing failed".to_owned()))?;
        bytes.extend_from_slice(tag.as_ref());
        let beside = directory.join(BESIDE);
        let write = || -> std::io::Result<()> {
            fault::point("before-people-write");
            let mut file = super::private().create(true).write(true).truncate(true).open(&beside)?;
            owner::give(&file, directory)?;
            let half = bytes.len() / 2;
            file.write_all(&bytes[..half])?;
            fault::point("during-people-write");
            file.write_all(&bytes[half..])?;
            fault::point("after-people-write");
            file.sync_all()?;
            fault::point("after-people-sync");
            std::fs::rename(&beside, self.path())?;
            fault::point("after-people-rename");
            std::fs::File::open(directory)?.sync_all()
        };
        write().map_err(|e| StoreError::io("the imported roster cannot be written", &e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_opens_whole_with_its_key_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let sealed = Sealed::new(&dir.path().join("store"));
        let (key, other) = (StoreKey::from_bytes([1; 32]), StoreKey::from_bytes([2; 32]));
        assert!(sealed.read(&key).unwrap().is_none());
        assert_eq!(sealed.stamp(), None);
        for content in [&b"first"[..], b"", b"a longer second"] {
            sealed.replacing().unwrap();
            sealed.replace(&key, content).unwrap();
            assert_eq!(sealed.read(&key).unwrap().unwrap().as_slice(), content);
        }
        let error = sealed.read(&other).unwrap_err().to_string();
        assert!(error.contains("another key"), "{error}");
        let whole = std::fs::read(sealed.path()).unwrap();
        assert!(!whole.windows(6).any(|part| part == b"second"));
        for length in 0..whole.len() {
            std::fs::write(sealed.path(), &whole[..length]).unwrap();
            assert!(sealed.read(&key).is_err(), "cut to {length}");
        }
        for at in 0..whole.len() {
            let mut bent = whole.clone();
            bent[at] ^= 1;
            std::fs::write(sealed.path(), &bent).unwrap();
            assert!(sealed.read(&key).is_err(), "bent at {at}");
        }
    }

    #[test]
    fn one_import_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let sealed = Sealed::new(dir.path());
        let first = sealed.replacing().unwrap();
        assert!(sealed.replacing().is_err());
        drop(first);
        assert!(sealed.replacing().is_ok());
    }
}
