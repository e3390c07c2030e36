//! Our own DKIM signature (RFC 6376), as the last hand on a message: put on top when it leaves, never into what was taken in and decided on.
//!
//! Signed is what comes from one of the domains that the key is for (RFC 5322 From, one mailbox). A signature whose body hash our own
//! reading of the RFC does not find again is not sent. Nothing of the key is in an error or in the log.

use std::path::PathBuf;
use std::sync::Arc;

use mail_auth::common::crypto::{Ed25519Key, RsaKey, Sha256, SigningKey};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{Canonicalization, DkimSigner, Done};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use zeroize::Zeroizing;

use crate::config::DkimConfig;
use crate::message;
use crate::message::signed::{self, Keys};
use crate::smtp::Address;

/// What is signed of a header where it is there (RFC 6376 5.4.1); From always is.
const HEADERS: &[&str] = &[
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// Why messages cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum DkimError {
    /// The key's file.
    #[error("{} cannot be read: {error}", file.display())]
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It holds something else.
    #[error("{} holds no private key in PEM form that DKIM knows: RSA of 2,048 bits, or Ed25519, without a password", .0.display())]
    NoKey(PathBuf),
}

/// Signs what leaves.
#[derive(Clone)]
pub struct Signer {
    key: Arc<Key>,
    selector: String,
    domains: Vec<String>,
}

enum Key {
    Rsa(RsaKey<Sha256>),
    Ed25519(Ed25519Key),
}

/// Lends a key, so that one serves all messages.
struct Lent<'a, K>(&'a K);

impl<K: SigningKey> SigningKey for Lent<'_, K> {
    type Hasher = K::Hasher;

    fn sign(&self, input: impl mail_auth::common::headers::Writable) -> mail_auth::Result<Vec<u8>> {
        self.0.sign(input)
    }

    fn algorithm(&self) -> mail_auth::common::crypto::Algorithm {
        self.0.algorithm()
    }
}

impl Signer {
    /// Reads the key.
    ///
    /// # Errors
    /// The file cannot be read, or holds no key that DKIM knows.
    pub fn new(config: &DkimConfig) -> Result<Self, DkimError> {
        let file = &config.key_file;
        let text =
            std::fs::read(file).map(Zeroizing::new).map_err(|error| DkimError::Read { file: file.clone(), error })?;
        let none = || DkimError::NoKey(file.clone());
        let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| none())?;
        let ed25519 = match &key {
            PrivateKeyDer::Pkcs8(der) => Ed25519Key::from_pkcs8_maybe_unchecked_der(der.secret_pkcs8_der()).ok(),
            _ => None,
        };
        let key = match ed25519 {
            Some(key) => Key::Ed25519(key),
            None => Key::Rsa(RsaKey::from_key_der(key).map_err(|_| none())?),
        };
        Ok(Self { key: Arc::new(key), selector: config.selector.clone(), domains: config.domains.clone() })
    }

    /// The message with our signature on top; `None` where it is not for us to sign.
    pub fn sign(&self, content: &[u8]) -> Option<Vec<u8>> {
        let domain = self.domain_of(content)?;
        // Relaxed where the one reading of the RFC agrees with the other: some servers behind us touch the blanks.
        [Canonicalization::Relaxed, Canonicalization::Simple].into_iter().find_map(|body| {
            let header = match &*self.key {
                Key::Rsa(key) => self.signer(Lent(key), domain, body).sign(content).ok()?.to_header(),
                Key::Ed25519(key) => self.signer(Lent(key), domain, body).sign(content).ok()?.to_header(),
            };
            let signed = [header.as_bytes(), content].concat();
            (!signed::is_altered(&signed, &Keys::default())).then_some(signed)
        })
    }

    /// The one of our domains that the message comes from.
    fn domain_of(&self, content: &[u8]) -> Option<&str> {
        let head = message::read_head(content);
        let [from] = &head.addresses_in("From")[..] else { return None };
        let domain = Address::parse(&from.address).ok()?.domain().to_lowercase();
        self.domains.iter().find(|own| **own == domain).map(String::as_str)
    }

    fn signer<K: SigningKey>(&self, key: K, domain: &str, body: Canonicalization) -> DkimSigner<K, Done> {
        DkimSigner::from_key(key)
            .domain(domain)
            .selector(&self.selector)
            .headers(HEADERS.iter().copied())
            .header_canonicalization(Canonicalization::Relaxed)
            .body_canonicalization(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// With the public half of the key, as a record in a file of keys.
    fn signer(key: &str) -> (Signer, Keys) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/dkim");
        let domains = vec!["school.example".to_owned(), "trust.example".to_owned()];
        let config = DkimConfig { selector: "gate".to_owned(), key_file: folder.join(key), domains };
        let signer = Signer::new(&config).expect(key);
        let (kind, public) = match &*signer.key {
            Key::Rsa(key) => ("rsa", key.public_key()),
            Key::Ed25519(key) => ("ed25519", key.public_key()),
        };
        let public = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, public);
        let record = |domain: &str| format!("gate._domainkey.{domain} v=DKIM1; k={kind}; p={public}\n");
        let keys = Keys::parse(&["school.example", "trust.example"].map(record).concat()).expect("keys");
        (signer, keys)
    }

    const MESSAGE: &str = "From: Office <office@school.example>\r\nTo: a@firm.example\r\nSubject: The boiler\r\n\
                           Date: Mon, 2 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@school.example>\r\n\r\nIt hums  again. \r\n";

    #[test]
    fn what_is_ours_is_signed_and_what_was_decided_on_stays_below() {
        for key in ["rsa2048.pem", "ed25519.pem"] {
            let (signer, keys) = signer(key);
            for (message, ours) in [
                (MESSAGE.to_owned(), true),
                (MESSAGE.replace("school.example>", "TRUST.example>"), true),
                (MESSAGE.replace("office@school.example", "office@firm.example"), false),
                (MESSAGE.replace("office@school.example", "office@sub.school.example"), false),
                (MESSAGE.replace("<office@school.example>", "<office@school.example>, x@school.example"), false),
                (MESSAGE.replace("From: ", "X-From: "), false),
                (MESSAGE.replace("\r\n\r\n", "\r\n\r\n \r\n\r\n  \r\n\r\n"), true),
                (format!("{MESSAGE}\r\n \r\n\t\r\n"), true),
                (MESSAGE.replace("It hums", "Gr\u{fc}\u{df}e"), true),
            ] {
                let signed = signer.sign(message.as_bytes());
                assert_eq!(signed.is_some(), ours, "{key}: {message}");
                let Some(signed) = signed else { continue };
                assert!(signed.ends_with(message.as_bytes()) && signed.starts_with(b"DKIM-Signature: "));
                assert!(!signed::is_altered(&signed, &keys), "{key}: {message}");
                let text = String::from_utf8(signed).expect("text");
                assert!(signed::is_altered(text.replace("boiler", "invoice").as_bytes(), &keys), "{key}: {message}");
                assert!(text.lines().all(|line| line.len() <= 998));
            }
        }
    }

    #[test]
    fn what_is_no_key_is_told_with_its_file_and_without_its_content() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("dkim.pem");
        let config = DkimConfig { selector: "s".to_owned(), key_file: file.clone(), domains: Vec::new() };
        assert!(matches!(Signer::new(&config), Err(DkimError::Read { .. })));
        for text in ["", "secret", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"] {
            std::fs::write(&file, text).expect("a file");
            let error = Signer::new(&config).err().expect("no key").to_string();
            assert!(error.contains("dkim.pem") && !error.contains("secret") && !error.contains("c2V"), "{error}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn whatever_is_signed_verifies(body in "([ -~\u{e4}\t]{0,12}(\r\n|\r\n\r\n| \r\n)){0,8}[ -~]{0,3}") {
            let (signer, keys) = signer("ed25519.pem");
            let message = format!("From: office@school.example\r\n\r\n{body}");
            let signed = signer.sign(message.as_bytes());
            prop_assert!(signed.is_some_and(|signed| !signed::is_altered(&signed, &keys)));
        }
    }
}
