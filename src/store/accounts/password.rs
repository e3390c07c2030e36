//! Passwords: which are taken, and Argon2id.
//!
//! Hashing takes tens of milliseconds and megabytes by design, so it is done beside the runtime, few at a time.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::super::StoreError;
use super::super::key::Keys;
use crate::limits;

/// The commonest passwords, lower case; the file says where they come from.
static COMMON: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common-passwords.txt").lines().filter(|line| !line.starts_with("# ")).collect());

/// Why a password is not taken, in words for the person who chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Shorter than [`limits::PASSWORD_FEWEST_CHARS`].
    #[error(
        "The password is too short: 12 characters or more are wanted. Three words that do not belong together are easy to remember."
    )]
    Short,
    /// Longer than [`limits::PASSWORD_MOST_CHARS`].
    #[error("The password is too long: 256 characters are enough.")]
    Long,
    /// Made of fewer than [`limits::PASSWORD_FEWEST_DIFFERENT`] characters.
    #[error(
        "The password repeats the same few characters. Three words that do not belong together are easy to remember."
    )]
    Plain,
    /// Hardly more than the name or the mailbox.
    #[error("The password is too much like your name or mailbox.")]
    Name,
    /// Among the commonest, but for digits and marks around it.
    #[error(
        "The password is one of the first that anybody tries. Three words that do not belong together are easy to remember."
    )]
    Common,
}

/// The same password, however the keyboard composes its letters (NIST SP 800-63B 5.1.1.2: NFKC).
fn normal(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.nfkc().collect())
}

fn different(text: &str) -> usize {
    text.chars().collect::<HashSet<_>>().len()
}

/// Whether a password is good enough for this person.
///
/// # Errors
/// Why it is not.
pub(super) fn judge(password: &str, name: &str, address: &str) -> Result<(), WeakPassword> {
    let small = Zeroizing::new(normal(password).to_lowercase());
    match small.chars().count() {
        count if count < limits::PASSWORD_FEWEST_CHARS => return Err(WeakPassword::Short),
        count if count > limits::PASSWORD_MOST_CHARS => return Err(WeakPassword::Long),
        _ => {}
    }
    if different(&small) < limits::PASSWORD_FEWEST_DIFFERENT {
        return Err(WeakPassword::Plain);
    }
    let mailbox = address.split('@').next().unwrap_or_default();
    let mut beside = small.clone();
    for own in [address, mailbox, name].into_iter().filter(|own| !own.is_empty()) {
        beside = Zeroizing::new(beside.replace(own, ""));
    }
    if beside.len() < small.len() && different(&beside) < limits::PASSWORD_BESIDES_NAME {
        return Err(WeakPassword::Name);
    }
    let core = small.trim_matches(|c: char| !c.is_alphabetic());
    if COMMON.contains(small.as_str()) || COMMON.contains(core) {
        return Err(WeakPassword::Common);
    }
    Ok(())
}

/// Argon2id (RFC 9106), with OWASP's parameters for new hashes.
pub(in crate::store) struct Hasher {
    argon2: Argon2<'static>,
    places: Arc<Semaphore>,
    /// As costly as any other, and right for no password.
    nobodys: String,
    /// Hashes made so far.
    made: AtomicU64,
}

impl Hasher {
    /// Hashes nothing yet.
    ///
    /// # Errors
    /// [`StoreError::Key`] where the library refuses the parameters.
    pub fn new() -> Result<Self, StoreError> {
        let (memory, passes, lanes) = (limits::PASSWORD_MEMORY, limits::PASSWORD_PASSES, limits::PASSWORD_LANES);
        let parameters = Params::new(memory, passes, lanes, None).map_err(|_| cannot())?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
        let (salt, hash) = ("A".repeat(22), "A".repeat(43));
        Ok(Self {
            argon2,
            places: Arc::new(Semaphore::new(limits::PASSWORDS_AT_ONCE)),
            nobodys: format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${hash}"),
            made: AtomicU64::new(0),
        })
    }

    /// The hash of a password, as a PHC string with its salt.
    ///
    /// # Errors
    /// [`StoreError::Key`] where there are no random bytes or no memory.
    pub async fn hash(&self, password: &str, keys: &Keys) -> Result<String, StoreError> {
        let salt = keys.random::<16>()?;
        self.beside(password, move |argon2, password| {
            argon2.hash_password_with_salt(password, &salt).map(|hash| hash.to_string()).map_err(|_| cannot())
        })
        .await?
    }

    /// Whether the password is that of the hash; without one the answer is no, after the same work.
    ///
    /// # Errors
    /// [`StoreError::Closed`] while the program ends.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, StoreError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.nobodys).to_owned();
        let right = self
            .beside(password, move |argon2, password| {
                PasswordHash::new(&hash).is_ok_and(|hash| argon2.verify_password(password, &hash).is_ok())
            })
            .await?;
        Ok(right && known)
    }

    /// Hashes made so far.
    #[cfg(test)]
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    async fn beside<T: Send + 'static>(
        &self,
        password: &str,
        work: impl FnOnce(&Argon2<'static>, &[u8]) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let password = normal(password);
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        self.made.fetch_add(1, Ordering::Relaxed);
        let argon2 = self.argon2.clone();
        spawn_blocking(move || {
            // Held to the end of the work, also when nobody waits for it any more.
            let _place = place;
            work(&argon2, password.as_bytes())
        })
        .await
        .map_err(|_| StoreError::Closed)
    }
}

fn cannot() -> StoreError {
    StoreError::Key("a password cannot be hashed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::super::StoreKey;
    use super::*;

    #[test]
    fn which_passwords_are_taken() {
        for (password, wanted) in [
            ("kettle-orchard-violin", Ok(())),
            ("Übergrößenträger 7", Ok(())),
            ("jane.okoro likes plums and tin", Ok(())),
            ("", Err(WeakPassword::Short)),
            ("elevenchars", Err(WeakPassword::Short)),
            // Eleven letters with six combining marks are eleven letters.
            ("e\u{301}le\u{301}ve\u{301}ncha\u{301}rs", Err(WeakPassword::Short)),
            ("abababababababab", Err(WeakPassword::Plain)),
            ("            ", Err(WeakPassword::Plain)),
            ("jane.okoro2026", Err(WeakPassword::Name)),
            ("JANE.OKORO-jane.okoro", Err(WeakPassword::Name)),
            ("j.okoro@saltmere.example", Err(WeakPassword::Name)),
            ("password1234", Err(WeakPassword::Common)),
            ("Password2026!", Err(WeakPassword::Common)),
            ("1Q2W3E4R5T6Y", Err(WeakPassword::Common)),
        ] {
            assert_eq!(judge(password, "jane.okoro", "j.okoro@saltmere.example"), wanted, "{password}");
        }
        let long = "kettle orchard violin ".repeat(12);
        assert_eq!(judge(&long, "jane", "j@s.example"), Err(WeakPassword::Long));
        for weak in [WeakPassword::Short, WeakPassword::Long] {
            let number =
                if weak == WeakPassword::Short { limits::PASSWORD_FEWEST_CHARS } else { limits::PASSWORD_MOST_CHARS };
            assert!(weak.to_string().contains(&number.to_string()), "{weak}");
        }
    }

    #[tokio::test]
    async fn a_hash_is_argon2id_with_a_salt_of_its_own_and_right_for_its_password_alone() {
        let keys = Keys::derive(&StoreKey::from_bytes([1; 32])).unwrap();
        let hasher = Hasher::new().unwrap();
        let hash = hasher.hash("cafe\u{301} kettle violin", &keys).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hasher.hash("cafe\u{301} kettle violin", &keys).await.unwrap(), hash);
        for (password, hash, right) in [
            ("caf\u{e9} kettle violin", Some(&*hash), true),
            ("caf\u{e9} kettle violins", Some(&*hash), false),
            ("", Some(&*hash), false),
            ("anything", Some("no hash"), false),
            ("anything", None, false),
        ] {
            assert_eq!(hasher.verify(password, hash).await.unwrap(), right, "{password}");
        }
        assert!(PasswordHash::new(&hasher.nobodys).is_ok(), "nobody's hash costs what another costs");
        assert_eq!(hasher.made(), 7);
    }
}
