//! The certificate that we show a smarthost which asks for one: read when the gateway starts, and anew where its files
//! have changed. A pair is taken whole or not at all.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::{DeliverError, lock};
use crate::config::TlsFiles;
use crate::relay::log::{Event, event};

type Stamps = [Option<(SystemTime, u64)>; 2];

/// A certificate with its key, and where they lie.
#[derive(Debug)]
pub(super) struct Shown {
    files: TlsFiles,
    current: ArcSwap<CertifiedKey>,
    seen: Mutex<Stamps>,
}

impl Shown {
    /// Reads both files.
    pub fn read(files: &TlsFiles) -> Result<Self, DeliverError> {
        // Taken before reading: what is written meanwhile is seen at the next look.
        let seen = Mutex::new(stamps(files));
        Ok(Self { current: ArcSwap::from_pointee(pair(files)?), files: files.clone(), seen })
    }

    /// Takes the pair anew where one of its files has changed since it was read or tried; says so in the log, either way.
    pub fn look(&self) {
        let now = stamps(&self.files);
        if std::mem::replace(&mut *lock(&self.seen), now) == now {
            return;
        }
        match pair(&self.files) {
            Ok(pair) => {
                self.current.store(Arc::new(pair));
                event!(Event::Reloaded, what = "the certificate for the smarthost");
            }
            Err(error) => {
                let what = "the certificate for the smarthost was not renewed, the one before stays in force";
                event!(Event::Trouble, what, key = error.key(), reason = %error);
            }
        }
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn stamps(files: &TlsFiles) -> Stamps {
    [&files.certificate, &files.key].map(|file| {
        let found = fs::metadata(file).ok()?;
        Some((found.modified().ok()?, found.len()))
    })
}

fn pair(files: &TlsFiles) -> Result<CertifiedKey, DeliverError> {
    let (file, key_file) = (files.certificate.display(), files.key.display());
    let of_certificate = |why: String| DeliverError::Certificate(why);
    let pem = fs::read(&files.certificate).map_err(|e| of_certificate(format!("{file} cannot be read: {e}")))?;
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let chain = chain.ok().filter(|found| !found.is_empty());
    let chain = chain.ok_or_else(|| of_certificate(format!("{file} holds no certificate in PEM form")))?;
    let of_key = |why: String| DeliverError::Key(why);
    let pem = Zeroizing::new(fs::read(&files.key).map_err(|e| of_key(format!("{key_file} cannot be read: {e}")))?);
    let none = || of_key(format!("{key_file} holds no private key in PEM form that can be used without a password"));
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| none())?;
    let key = rustls::crypto::ring::default_provider().key_provider.load_private_key(key).map_err(|_| none())?;
    let pair = CertifiedKey::new(chain, key);
    match pair.keys_match() {
        Ok(()) => Ok(pair),
        Err(_) => Err(of_key(format!("{key_file} does not fit the first certificate in {file}"))),
    }
}
