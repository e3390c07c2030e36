//! Envelope addresses and envelopes (RFC 5321 4.1.2, 2.3.11; RFC 6531 3.3).

/// A mailbox as the envelope gives it, without angle brackets and without a source route.
///
/// The local part is kept byte for byte, quotes included (RFC 5321 2.4); comparison folds only the domain.
#[derive(Debug, Clone)]
pub struct Address {
    text: String,
    at: usize,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no `@`, or nothing on one side of it.
    #[error("it wants a local part, an @ and a domain")]
    Shape,
    /// Local part over 64, domain over 255 or path over 256 octets (RFC 5321 4.5.3.1.1 to 4.5.3.1.3).
    #[error("it is too long")]
    Long,
    /// A control character, or one that may not stand where it stands.
    #[error("it holds a character that may not stand there")]
    Character,
}

impl Address {
    /// Reads `local@domain`. The domain is what follows the last `@` outside quotes.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let at = text.rfind('@').ok_or(AddressError::Shape)?;
        if at == 0 || at + 1 == text.len() {
            return Err(AddressError::Shape);
        }
        if text.chars().any(|c| c.is_control() || c == '<' || c == '>') {
            return Err(AddressError::Character);
        }
        Ok(Self { text: text.to_owned(), at })
    }

    /// The whole address, as given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the last `@`, as given.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// The domain in lower case, without a trailing dot.
    pub fn domain(&self) -> String {
        self.text[self.at + 1..].trim_end_matches('.').to_lowercase()
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.local() == other.local() && self.domain() == other.domain()
    }
}
impl Eq for Address {}

/// Who sends, and to whom, as MAIL and RCPT said it.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// `None` is the null sender `<>` (RFC 5321 4.5.5).
    pub mail_from: Option<Address>,
    /// In the order of the RCPT commands, at least one.
    pub recipients: Vec<Address>,
    /// MAIL carried SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// MAIL carried BODY=8BITMIME (RFC 6152).
    pub eight_bit: bool,
}

impl Envelope {
    /// A plain envelope, as commands and tests need it.
    pub fn new(mail_from: Option<Address>, recipients: Vec<Address>) -> Self {
        Self { mail_from, recipients, smtputf8: false, eight_bit: false }
    }
}
