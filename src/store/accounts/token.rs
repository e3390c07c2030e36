//! Tokens of links and sessions: 256 random bits, of which the store keeps only the SHA-256.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// A secret that somebody carries; those of links and sessions are base64url without padding (RFC 4648 5), 43 characters.
/// Shown by no `Debug`, wiped when it is let go.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// Writes random bytes as a token.
    pub(super) fn new(random: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(random))
    }

    /// Another secret text that is carried as carefully.
    pub(crate) fn of(text: String) -> Self {
        Self(text)
    }

    /// The text, to hand it to whom it belongs.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the store keeps.
    pub(in crate::store) fn digest(&self) -> [u8; 32] {
        digest(&self.0)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// SHA-256 of what somebody brings, by which a token is looked up.
pub(super) fn digest(brought: &str) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, brought.as_bytes()).as_ref());
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_43_characters_that_a_link_takes_and_debug_does_not_show() {
        let token = Token::new([0xfb; 32]);
        assert_eq!(token.reveal().len(), 43);
        assert!(token.reveal().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_eq!(token.digest(), digest(token.reveal()));
        assert!(!format!("{token:?}").contains(token.reveal()));
    }
}
