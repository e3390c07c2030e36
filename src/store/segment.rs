//! Segment files: small records appended one behind the other, synced once for a whole group.
//!
//! A segment is written by one process, once; it is never opened for writing again, so that what a crash leaves at its
//! end is named by no row and never read. After a failed write or sync it is left alone and the next group starts another.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::content::Place;
use super::{QueueId, StoreError, fault};
use crate::limits;

/// Counts of what was asked of the disk; for metrics and for the test that groups are groups.
#[derive(Debug, Default)]
pub struct Counts {
    /// Syncs of content: segments, and the directory when a segment is new.
    pub content_syncs: AtomicU64,
    /// Transactions committed.
    pub commits: AtomicU64,
}

/// The segment that is being written.
pub(super) struct Segment {
    directory: PathBuf,
    kind: &'static str,
    open: Option<(String, File, u64)>,
    counts: Arc<Counts>,
}

impl Segment {
    /// `kind` tells files apart that live for seconds from files that live for weeks.
    pub fn new(directory: &Path, kind: &'static str, counts: Arc<Counts>) -> Self {
        Self { directory: directory.to_owned(), kind, open: None, counts }
    }

    /// The file that may still grow.
    pub fn name(&self) -> Option<&str> {
        self.open.as_ref().map(|(name, ..)| name.as_str())
    }

    /// Appends all records and syncs once.
    ///
    /// # Errors
    /// What the disk says; nothing of it counts as written then.
    pub fn append(&mut self, records: &[Vec<u8>]) -> Result<Vec<Place>, StoreError> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        if fault::disk_full() {
            return Err(StoreError::Full);
        }
        let before = self.open.as_ref().map_or(0, |(.., length)| *length);
        let result = self.try_append(records);
        if result.is_err()
            && let Some((_, file, _)) = &self.open
        {
            // No row names what was written: give the room back, as far as the disk lets us.
            let _ = file.set_len(before);
        }
        if result.is_err() || self.open.as_ref().is_some_and(|(.., length)| *length >= limits::SEGMENT_SIZE) {
            self.open = None;
        }
        result.map_err(|e| StoreError::io("content cannot be written", &e))
    }

    fn try_append(&mut self, records: &[Vec<u8>]) -> std::io::Result<Vec<Place>> {
        let fresh = self.open.is_none();
        let (name, file, length) = match &mut self.open {
            Some(open) => open,
            empty => {
                let name = format!("{}/{}.{}", super::SEGMENTS, QueueId::generate(jiff::Timestamp::now()), self.kind);
                let file = super::private().create_new(true).append(true).open(self.directory.join(&name))?;
                super::owner::give(&file, &self.directory)?;
                empty.insert((name, file, 0))
            }
        };
        fault::point("before-content-write");
        let mut places = Vec::with_capacity(records.len());
        for record in records {
            let size = record.len() as u64;
            places.push(Place { file: name.clone(), offset: *length, length: size });
            *length += size;
        }
        match records {
            [only] => file.write_all(only)?,
            several => file.write_all(&several.concat())?,
        }
        fault::point("after-content-write");
        fault::disk_error("sync-fails")?;
        file.sync_data()?;
        self.counts.content_syncs.fetch_add(1, Ordering::Relaxed);
        if fresh {
            fault::disk_error("directory-sync-fails")?;
            File::open(self.directory.join(super::SEGMENTS))?.sync_all()?;
            self.counts.content_syncs.fetch_add(1, Ordering::Relaxed);
        }
        fault::point("after-content-sync");
        Ok(places)
    }
}
