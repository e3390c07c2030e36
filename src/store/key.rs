//! The store's key, and the keys derived from it: one wraps the file keys of content, one seals reports, one seals
//! what accounts prove themselves with, one makes keyed hashes, one only identifies. HKDF-SHA256 (RFC 5869) and AES-256-GCM (NIST SP 800-38D).

use std::path::Path;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use super::StoreError;

/// The master key: 32 random bytes that never stand in the store itself.
#[derive(Clone)]
pub struct StoreKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreKey(..)")
    }
}

impl StoreKey {
    /// Reads `key_file`, or without one the systemd credential `schoolgate.key` (systemd.exec(5), `LoadCredential=`).
    ///
    /// The file holds 32 bytes, or 64 hexadecimal digits with an optional line end.
    ///
    /// # Errors
    /// [`StoreError::Key`] where none is configured, it cannot be read, or holds something else.
    pub fn load(key_file: Option<&Path>) -> Result<Self, StoreError> {
        let file = match (key_file, std::env::var_os("CREDENTIALS_DIRECTORY")) {
            (Some(file), _) => file.to_owned(),
            (None, Some(directory)) => Path::new(&directory).join("schoolgate.key"),
            (None, None) => {
                return Err(StoreError::Key(
                    "none is configured: name a file in [store] key_file, or give systemd the credential schoolgate.key"
                        .to_owned(),
                ));
            }
        };
        let bytes = Zeroizing::new(
            std::fs::read(&file).map_err(|e| StoreError::Key(format!("{} cannot be read: {e}", file.display())))?,
        );
        Self::read(&bytes).ok_or_else(|| {
            StoreError::Key(format!(
                "{} holds {} bytes: 32 random bytes are wanted, raw or as 64 hexadecimal digits",
                file.display(),
                bytes.len()
            ))
        })
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        if let Ok(raw) = <[u8; 32]>::try_from(bytes) {
            return Some(Self(Zeroizing::new(raw)));
        }
        let digits = bytes.trim_ascii();
        let mut key = Zeroizing::new([0u8; 32]);
        if digits.len() != 64 {
            return None;
        }
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            let high = (pair[0] as char).to_digit(16)?;
            let low = (pair[1] as char).to_digit(16)?;
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        Some(Self(key))
    }

    /// A key for another use, by name, from which this one cannot be told (HMAC-SHA-256 of the name).
    pub fn derived(&self, name: &str) -> [u8; 32] {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, self.0.as_slice());
        let mut derived = [0; 32];
        derived.copy_from_slice(ring::hmac::sign(&key, name.as_bytes()).as_ref());
        derived
    }

    /// A key from 32 bytes at hand.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

/// What is derived from a [`StoreKey`].
pub(super) struct Keys {
    /// Identifies the key without giving it away.
    pub id: [u8; 16],
    wrap: LessSafeKey,
    report: LessSafeKey,
    account: LessSafeKey,
    name: LessSafeKey,
    marks: ring::hmac::Key,
    random: SystemRandom,
}

impl Keys {
    /// Derives them.
    ///
    /// # Errors
    /// [`StoreError::Key`] where the library refuses the key.
    pub fn derive(key: &StoreKey) -> Result<Self, StoreError> {
        let failed = |_| StoreError::Key("it cannot be used".to_owned());
        let master = hkdf::Salt::new(hkdf::HKDF_SHA256, b"schoolgate store 1").extract(&*key.0);
        let aead = |name: &[u8]| {
            let okm = master.expand(&[name], &AES_256_GCM).map(UnboundKey::from).map(LessSafeKey::new);
            okm.map_err(failed)
        };
        let mut id = [0u8; 32];
        master.expand(&[b"key id"], hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut id)).map_err(failed)?;
        let mut short = [0u8; 16];
        short.copy_from_slice(&id[..16]);
        let marks = master.expand(&[b"marks"], ring::hmac::HMAC_SHA256).map(ring::hmac::Key::from).map_err(failed)?;
        Ok(Self {
            id: short,
            wrap: aead(b"content keys")?,
            report: aead(b"reports")?,
            account: aead(b"accounts")?,
            name: aead(b"names")?,
            marks,
            random: SystemRandom::new(),
        })
    }

    /// Fresh random bytes.
    ///
    /// # Errors
    /// [`StoreError::Key`] where the system has none.
    pub fn random<const N: usize>(&self) -> Result<[u8; N], StoreError> {
        let mut bytes = [0u8; N];
        self.random.fill(&mut bytes).map_err(|_| StoreError::Key("no random bytes to be had".to_owned()))?;
        Ok(bytes)
    }

    /// A content's own key, wrapped: it opens only beside the same queue id.
    ///
    /// # Errors
    /// [`StoreError::Key`] where there are no random bytes for a nonce.
    pub fn wrap(&self, id: &str, file_key: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
        self.seal(&self.wrap, id, file_key)
    }

    /// `None` when the wrapped key is not this message's.
    pub fn unwrap(&self, id: &str, wrapped: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let plain = Zeroizing::new(self.open(&self.wrap, id, wrapped)?);
        <[u8; 32]>::try_from(plain.as_slice()).ok().map(Zeroizing::new)
    }

    /// A report, sealed for the row of its message.
    ///
    /// # Errors
    /// [`StoreError::Key`] where there are no random bytes for a nonce.
    pub fn seal_report(&self, id: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.seal(&self.report, id, plain)
    }

    /// `None` when the sealed bytes are not this message's report.
    pub fn open_report(&self, id: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        self.open(&self.report, id, sealed)
    }

    /// What an account proves itself with, sealed for its row.
    ///
    /// # Errors
    /// [`StoreError::Key`] where there are no random bytes for a nonce.
    pub fn seal_account(&self, id: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.seal(&self.account, id, plain)
    }

    /// `None` when the sealed bytes are not this account's.
    pub fn open_account(&self, id: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.open(&self.account, id, sealed).map(Zeroizing::new)
    }

    /// A name that is shown in few cases, sealed for its row.
    ///
    /// # Errors
    /// [`StoreError::Key`] where there are no random bytes for a nonce.
    pub fn seal_name(&self, row: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.seal(&self.name, row, plain)
    }

    /// `None` when the sealed bytes are not this row's name.
    pub fn open_name(&self, row: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        self.open(&self.name, row, sealed)
    }

    /// A keyed hash: who has the database alone cannot try what it may be of. Kinds are apart from each other.
    pub fn mark(&self, kind: &str, what: &str) -> [u8; 32] {
        let mut context = ring::hmac::Context::with_key(&self.marks);
        context.update(kind.as_bytes());
        context.update(&[0]);
        context.update(what.as_bytes());
        let mut mark = [0; 32];
        mark.copy_from_slice(context.sign().as_ref());
        mark
    }

    /// Random nonce in front, tag behind.
    fn seal(&self, key: &LessSafeKey, id: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let nonce = self.random::<NONCE_LEN>()?;
        let mut sealed = nonce.to_vec();
        let mut body = plain.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(id), &mut body)
            .map_err(|_| StoreError::Key("sealing failed".to_owned()))?;
        sealed.append(&mut body);
        Ok(sealed)
    }

    fn open(&self, key: &LessSafeKey, id: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let mut body = body.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let length = key.open_in_place(nonce, Aad::from(id), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_or_64_digits() {
        let digits = "00ff".repeat(16);
        for (bytes, fits) in [
            (vec![7u8; 32], true),
            (digits.clone().into_bytes(), true),
            (format!("{digits}\n").into_bytes(), true),
            (vec![7u8; 31], false),
            (b"".to_vec(), false),
            (format!("{}zz", &digits[2..]).into_bytes(), false),
        ] {
            assert_eq!(StoreKey::read(&bytes).is_some(), fits, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn what_is_sealed_opens_only_beside_its_id_and_with_its_key() {
        let keys = Keys::derive(&StoreKey::from_bytes([1; 32])).unwrap();
        let other = Keys::derive(&StoreKey::from_bytes([2; 32])).unwrap();
        let sealed = keys.seal_report("A", b"text").unwrap();
        assert_eq!(keys.open_report("A", &sealed).as_deref(), Some(&b"text"[..]));
        assert!(keys.open_report("B", &sealed).is_none());
        assert!(other.open_report("A", &sealed).is_none());
        assert!(keys.unwrap("A", &sealed).is_none(), "the keys are apart");
        assert!(keys.open_account("A", &sealed).is_none(), "the keys are apart");
        assert!(keys.open_name("A", &sealed).is_none(), "the keys are apart");
        assert_ne!(keys.mark("a", "text"), keys.mark("b", "text"));
        assert_ne!(keys.mark("a", "text"), other.mark("a", "text"));
        assert_ne!(keys.id, other.id);
    }
}
