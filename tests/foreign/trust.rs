//! An authority that all programs of a test trust, and the certificate of `localhost` that each of its servers shows.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// The name that every server is reached by.
pub const HOST: &str = "localhost";

pub struct Trust {
    authority: String,
    own: String,
    key: String,
}

impl Trust {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let params = CertificateParams::new([HOST.to_owned()]).expect("a name");
        let key = KeyPair::generate().expect("a key");
        let own = params.signed_by(&key, &issuer).expect("a certificate");
        Self { authority: issuer.pem(), own: own.pem(), key: key.serialize_pem() }
    }

    /// Its certificate, in PEM form.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Puts `ca.pem`, `own.pem` and `own.key` there.
    pub fn lay(&self, folder: &Path) {
        for (name, text) in [("ca.pem", &self.authority), ("own.pem", &self.own), ("own.key", &self.key)] {
            std::fs::write(folder.join(name), text).expect("its file");
        }
    }
}
