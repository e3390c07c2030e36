//! An authority that all programs of a test trust, and the certificate of `localhost` that each of its servers shows.

use std::path::Path;

use crate::support::certificates::{Authority, Pair};

/// The name that every server is reached by.
pub const HOST: &str = "localhost";

pub struct Trust {
    authority: String,
    own: Pair,
}

impl Trust {
    pub fn new() -> Self {
        let authority = Authority::new();
        Self { authority: authority.pem(), own: authority.issue(HOST) }
    }

    /// Its certificate, in PEM form.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Puts `ca.pem`, `own.pem` and `own.key` there.
    pub fn lay(&self, folder: &Path) {
        std::fs::write(folder.join("ca.pem"), &self.authority).expect("its file");
        self.own.lay(folder, "own");
    }
}
