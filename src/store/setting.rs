//! What the store keeps beside messages: the outages of the smarthosts, and when a person last asked for a try at once.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::audit::{micros, timestamp};
use super::queue::mismatch;
use super::writer::{Answer, Op, Tx};
use super::{Store, StoreError};

const OUTAGES: &str = "outage";
const RETRY_ASKED: &str = "retry-asked";

/// That a smarthost cannot be used, so that a restart does not forget it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Outage {
    /// Failed tries in a row.
    pub failures: u32,
    /// The last of them.
    pub failed_at: Timestamp,
    /// Not tried before this time.
    pub until: Timestamp,
}

impl Store {
    /// The outages that were kept last, by smarthost; those that were in order are not there.
    ///
    /// # Errors
    /// When the database cannot be read. What is kept and does not read is no outage.
    pub async fn outages(&self) -> Result<BTreeMap<String, Outage>, StoreError> {
        Ok(self.setting(OUTAGES).await?.and_then(|value| serde_json::from_slice(&value).ok()).unwrap_or_default())
    }

    /// Keeps what is known of all smarthosts, in place of what was.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn keep_outages(&self, outages: &BTreeMap<String, Outage>) -> Result<(), StoreError> {
        let value = (!outages.is_empty()).then(|| serde_json::to_vec(outages)).transpose();
        let value = value.map_err(|e| StoreError::Database(e.to_string()))?;
        match self.ask(Op::Set(OUTAGES, value)).await? {
            Answer::Done => Ok(()),
            _ => mismatch(),
        }
    }

    /// When a person last asked, in this process or another, that a message be tried at once.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn retry_asked(&self) -> Result<Option<Timestamp>, StoreError> {
        let value = self.setting(RETRY_ASKED).await?;
        Ok(value.and_then(|v| v.try_into().ok()).map(|v| timestamp(i64::from_be_bytes(v))))
    }

    pub(super) async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let value = sqlx::query_scalar("select value from setting where name = $1").bind(name);
        Ok(value.fetch_optional(&self.inner.reader).await?)
    }
}

impl Tx<'_> {
    /// Keeps a value under a name, or nothing any more.
    ///
    /// # Errors
    /// What the database says.
    pub async fn set(&mut self, name: &str, value: Option<&[u8]>) -> Result<(), StoreError> {
        let change = match value {
            Some(value) => sqlx::query(
                "insert into setting (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value",
            )
            .bind(name)
            .bind(value),
            None => sqlx::query("delete from setting where name = $1").bind(name),
        };
        change.execute(&mut *self.connection).await?;
        Ok(())
    }

    /// A person asks for a try at once: delivery looks at this before it waits for the smarthost.
    ///
    /// # Errors
    /// What the database says.
    pub async fn ask_for_retry(&mut self) -> Result<(), StoreError> {
        self.set(RETRY_ASKED, Some(&micros(self.now).to_be_bytes())).await
    }
}
