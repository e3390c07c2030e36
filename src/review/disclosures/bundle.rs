//! Files that are handed over together with a manifest of their hashes.
//!
//! Invariants: the manifest comes last, so that half an export is not taken for a whole one; it names every file, and its own hash
//! stands in it, so that no octet of any of them is changed unseen.

use std::io::Write;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// The manifest's name.
pub const MANIFEST: &str = "manifest.json";
/// What the manifest says of itself.
pub const FORMAT: &str = "schoolgate export 1";

/// Why an export is not made.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// What the disk says.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    /// The folder holds something.
    #[error("{0} is not empty: an export is made into a folder of its own")]
    NotEmpty(String),
    /// A message is not what was decided on.
    #[error("message {0} is not the one that was decided on")]
    Changed(String),
    /// It cannot be written as JSON.
    #[error("it cannot be written down: {0}")]
    Json(#[from] serde_json::Error),
}

/// Where files are put.
pub trait Place {
    /// Puts one.
    ///
    /// # Errors
    /// What the place says.
    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), BundleError>;
}

/// A folder of its own.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes it, or takes an empty one.
    ///
    /// # Errors
    /// It holds something, or the disk says no.
    pub fn new(path: &Path) -> Result<Self, BundleError> {
        use std::os::unix::fs::DirBuilderExt;
        let told = |error| BundleError::Io(path.display().to_string(), error);
        match std::fs::read_dir(path) {
            Ok(mut inside) => {
                if inside.next().is_some() {
                    return Err(BundleError::NotEmpty(path.display().to_string()));
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                std::fs::DirBuilder::new().mode(0o700).create(path).map_err(told)?;
            }
            Err(error) => return Err(told(error)),
        }
        Ok(Self(path.to_owned()))
    }
}

impl Place for Folder {
    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), BundleError> {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        let file = self.0.join(path);
        let write = || {
            if let Some(folder) = file.parent().filter(|folder| !folder.is_dir()) {
                std::fs::DirBuilder::new().mode(0o700).create(folder)?;
            }
            let mut to = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
            to.write_all(bytes)?;
            to.sync_all()
        };
        write().map_err(|error| BundleError::Io(file.display().to_string(), error))
    }
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its path, with `/`.
    pub path: String,
    /// Its size.
    pub octets: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// `disclosure` or `evidence`.
    pub kind: String,
    /// The request or the message.
    pub reference: String,
    /// When it was made.
    pub made_at: String,
    /// Every other file.
    pub files: Vec<Entry>,
    /// SHA-256 of this manifest with nothing in this place.
    pub sha256: String,
}

impl Manifest {
    /// As it is written.
    ///
    /// # Errors
    /// None that can be thought of.
    pub fn bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// With its own hash in its place.
    ///
    /// # Errors
    /// As [`Manifest::bytes`].
    pub fn sealed(mut self) -> Result<Self, serde_json::Error> {
        self.sha256 = String::new();
        self.sha256 = hex(&sha256(&self.bytes()?));
        Ok(self)
    }
}

/// Hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// Files on their way to their place.
pub struct Bundle<P> {
    place: P,
    files: Vec<Entry>,
}

impl<P: Place> Bundle<P> {
    /// Into this place.
    pub fn into(place: P) -> Self {
        Self { place, files: Vec::new() }
    }

    /// Puts a file there; gives its hash.
    ///
    /// # Errors
    /// What the place says.
    pub fn put(&mut self, path: &str, bytes: &[u8]) -> Result<[u8; 32], BundleError> {
        self.place.put(path, bytes)?;
        let hash = sha256(bytes);
        self.files.push(Entry { path: path.to_owned(), octets: bytes.len() as u64, sha256: hex(&hash) });
        Ok(hash)
    }

    /// The manifest of what is there now, as it is to be written; with its hash.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn manifest(&self, kind: &str, reference: &str, made_at: &str) -> Result<(Vec<u8>, [u8; 32]), BundleError> {
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            kind: kind.to_owned(),
            reference: reference.to_owned(),
            made_at: made_at.to_owned(),
            files: self.files.clone(),
            sha256: String::new(),
        };
        let bytes = manifest.sealed()?.bytes()?;
        let hash = sha256(&bytes);
        Ok((bytes, hash))
    }

    /// Writes the manifest, and gives the place back: the export is whole.
    ///
    /// # Errors
    /// What the place says.
    pub fn close(mut self, manifest: &[u8]) -> Result<P, BundleError> {
        self.place.put(MANIFEST, manifest)?;
        Ok(self.place)
    }
}
