//! Values as rows keep them; what does not read as what it must be is damage, not a crash.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{QueueId, State, StoreError};
use crate::smtp::Address;
use crate::smtp::dsn::{EnvelopeId, Notify, OfMessage, OfRecipient, OriginalRecipient, Ret};

pub(super) fn hash_of(row: &SqliteRow, id: &QueueId) -> Result<[u8; 32], StoreError> {
    row.try_get::<Vec<u8>, _>("sha256")?
        .try_into()
        .map_err(|_| StoreError::Damaged { id: id.clone(), reason: "its hash is no hash".to_owned() })
}

pub(super) fn state_of(text: &str) -> Result<State, StoreError> {
    text.parse().map_err(|()| StoreError::Refused(format!("there is no state {text}")))
}

/// A count or position as the database keeps it.
pub(super) fn count_of(row: &SqliteRow, column: &str) -> Result<u32, StoreError> {
    Ok(u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or(u32::MAX))
}

pub(super) fn sender_of(row: &SqliteRow, id: &QueueId) -> Result<Option<Address>, StoreError> {
    row.try_get::<Option<String>, _>("mail_from")?.map(|text| address_of(&text, id)).transpose()
}

pub(super) fn address_of(text: &str, id: &QueueId) -> Result<Address, StoreError> {
    Address::parse(text)
        .map_err(|_| StoreError::Damaged { id: id.clone(), reason: "an address of its envelope is none".to_owned() })
}

/// What is asked of reports about a message; what does not read as that is as good as nothing asked.
pub(super) fn asked_of_message(row: &SqliteRow) -> Result<OfMessage, StoreError> {
    let (ret, id) = (text(row, "dsn_ret")?, text(row, "dsn_envid")?);
    Ok(OfMessage { ret: ret.as_deref().and_then(Ret::parse), id: id.as_deref().and_then(EnvelopeId::parse) })
}

/// As [`asked_of_message`], about a recipient.
pub(super) fn asked_of_recipient(row: &SqliteRow) -> Result<OfRecipient, StoreError> {
    let (notify, original) = (text(row, "dsn_notify")?, text(row, "dsn_orcpt")?);
    Ok(OfRecipient {
        notify: notify.as_deref().and_then(Notify::parse),
        original: original.as_deref().and_then(OriginalRecipient::parse),
    })
}

/// Octets in hexadecimal, as the audit has hashes.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// As a row keeps the school's words that stand below a message; with none, nothing.
pub(super) fn footers_kept(footers: &[String]) -> Option<String> {
    (!footers.is_empty()).then(|| serde_json::Value::from(footers.to_vec()).to_string())
}

/// The school's words that stand below a message.
pub(super) fn footers_of(row: &SqliteRow) -> Result<Vec<String>, StoreError> {
    let kept = text(row, "footers")?;
    kept.map_or(Ok(Vec::new()), |kept| {
        serde_json::from_str(&kept)
            .map_err(|_| StoreError::Database("words that stand below a message are none".to_owned()))
    })
}

fn text(row: &SqliteRow, column: &str) -> Result<Option<String>, StoreError> {
    Ok(row.try_get(column)?)
}
