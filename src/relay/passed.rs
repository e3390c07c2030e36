//! The header by which a provider's mail-flow rule knows what has passed here already, so that it is not sent round again.
//!
//! Its value is derived from the store's key: nobody makes it up who has not seen it. It is put on what leaves for the smarthost; one that
//! came with a message, from a stranger or from a mailbox of the school, is taken out first, whatever it says.

use ring::hmac;

use crate::limits;
use crate::message::header;
use crate::store::StoreKey;

/// Its name.
pub const NAME: &str = "X-Schoolgate-Passed";

/// Marks what leaves.
#[derive(Clone)]
pub struct PassedHeader(String);

impl PassedHeader {
    /// The header of the gateway with this key.
    pub fn new(key: &StoreKey) -> Self {
        let derived = hmac::Key::new(hmac::HMAC_SHA256, &key.derived("passed header"));
        let octets = hmac::sign(&derived, NAME.as_bytes());
        Self(octets.as_ref().iter().take(limits::PASSED_OCTETS).map(|octet| format!("{octet:02x}")).collect())
    }

    /// What the provider's rule looks for.
    pub fn value(&self) -> &str {
        &self.0
    }

    /// The message with the header on top, and none of its name below.
    pub fn put(&self, content: &[u8]) -> Vec<u8> {
        let line = format!("{NAME}: {}\r\n", self.0).into_bytes();
        [line, header::without(content, |field| field.is(NAME))].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_once_and_on_top() {
        let own = PassedHeader::new(&StoreKey::from_bytes([1; 32]));
        let other = PassedHeader::new(&StoreKey::from_bytes([2; 32]));
        assert_ne!(own.value(), other.value());
        let plain = "From: a@s.example\r\nSubject: x\r\n\r\nX-Schoolgate-Passed: in the text\r\n";
        for before in [
            plain.to_owned(),
            format!("X-Schoolgate-Passed: {}\r\n{plain}", own.value()),
            format!("X-SCHOOLGATE-passed : made\r\n up\r\n{plain}"),
            plain.replace("Subject", "X-Schoolgate-Passed: 1\r\nX-Schoolgate-Passed: 2\r\nSubject"),
        ] {
            let after = String::from_utf8(own.put(before.as_bytes())).expect("text");
            assert_eq!(after, format!("{NAME}: {}\r\n{plain}", own.value()));
        }
        assert_eq!(
            own.put(b"no header at all"),
            [format!("{NAME}: {}\r\n", own.value()).as_bytes(), b"no header at all"].concat()
        );
    }
}
