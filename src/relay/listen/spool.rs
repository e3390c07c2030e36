//! Content while it comes: in memory while it is small, then in a temporary file without a name, hashed on the way.

use std::io::{self, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use ring::digest;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::limits;

/// The content of one message, growing.
pub(super) struct Spool {
    directory: PathBuf,
    /// All of it, until there is a file; then what is to be written next.
    memory: Vec<u8>,
    file: Option<File>,
    length: usize,
    hash: digest::Context,
    /// Why it could not be kept; then nothing more is.
    failed: Option<io::Error>,
}

impl Spool {
    /// An empty spool whose file, if it comes to one, is made in `directory`.
    pub(super) fn new(directory: PathBuf) -> Self {
        let hash = digest::Context::new(&digest::SHA256);
        Self { directory, memory: Vec::new(), file: None, length: 0, hash, failed: None }
    }

    /// Octets so far.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Adds content. A disk that fails is remembered until [`Spool::finish`]: the client must be read to its end first.
    pub(super) async fn push(&mut self, content: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.hash.update(content);
        self.length += content.len();
        self.memory.extend_from_slice(content);
        if self.memory.len() > limits::CONTENT_IN_MEMORY
            && let Err(error) = self.spill().await
        {
            self.failed = Some(error);
            self.memory = Vec::new();
            self.file = None;
        }
    }

    async fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let directory = self.directory.clone();
                let made = tokio::task::spawn_blocking(move || tempfile::tempfile_in(directory)).await;
                self.file.insert(File::from_std(made.map_err(io::Error::other)??))
            }
        };
        file.write_all(&self.memory).await?;
        self.memory.clear();
        Ok(())
    }

    /// All of the content in one piece, with its SHA-256.
    pub(super) async fn finish(mut self) -> io::Result<(Arc<[u8]>, [u8; 32])> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(self.hash.finish().as_ref());
        let Some(mut file) = self.file.take() else { return Ok((Arc::from(self.memory), sha256)) };
        file.write_all(&self.memory).await?;
        drop(std::mem::take(&mut self.memory));
        file.seek(SeekFrom::Start(0)).await?;
        // Of known length, so that it is allocated once; nothing else holds it yet.
        let mut content: Arc<[u8]> = std::iter::repeat_n(0, self.length).collect();
        let room = Arc::get_mut(&mut content).ok_or_else(|| io::Error::other("content is shared"))?;
        file.read_exact(room).await?;
        Ok((content, sha256))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn small_and_large_come_back_whole() {
        let directory = tempfile::tempdir().unwrap();
        for length in
            [0, 1, limits::CONTENT_IN_MEMORY, limits::CONTENT_IN_MEMORY + 1, 3 * limits::CONTENT_IN_MEMORY + 7]
        {
            let content: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let mut spool = Spool::new(directory.path().to_owned());
            for piece in content.chunks(65_521) {
                spool.push(piece).await;
            }
            assert_eq!(spool.length(), length);
            assert_eq!(spool.file.is_some(), length > limits::CONTENT_IN_MEMORY);
            assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "the file has no name");
            let (whole, sha256) = spool.finish().await.unwrap();
            assert_eq!(*whole, *content);
            assert_eq!(sha256, digest::digest(&digest::SHA256, &content).as_ref());
        }
    }

    #[tokio::test]
    async fn a_failing_disk_is_told_at_the_end() {
        let mut spool = Spool::new("/nonexistent/schoolgate".into());
        for _ in 0..3 {
            spool.push(&vec![b'x'; limits::CONTENT_IN_MEMORY]).await;
        }
        assert!(spool.memory.is_empty());
        assert!(spool.finish().await.is_err());
    }
}
