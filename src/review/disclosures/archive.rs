//! An export as one ZIP, in memory; a folder holds the same files.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::bundle::{BundleError, Place};

/// A ZIP on its way. Nothing is compressed: what a message takes is known beforehand.
pub struct Archive(ZipWriter<Cursor<Vec<u8>>>);

impl Default for Archive {
    fn default() -> Self {
        Self(ZipWriter::new(Cursor::new(Vec::new())))
    }
}

impl Archive {
    /// The whole of it.
    ///
    /// # Errors
    /// It cannot be closed.
    pub fn bytes(self) -> Result<Vec<u8>, BundleError> {
        self.0.finish().map(Cursor::into_inner).map_err(|error| BundleError::Io("ZIP".to_owned(), error.into()))
    }
}

impl Place for Archive {
    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), BundleError> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let started = self.0.start_file(path, options).map_err(std::io::Error::from);
        started.and_then(|()| self.0.write_all(bytes)).map_err(|error| BundleError::Io(path.to_owned(), error))
    }
}
