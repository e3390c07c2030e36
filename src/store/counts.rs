//! What is counted of mail without keeping any of it: to whom something was ever delivered, and how often a sender's text
//! went out today. Addresses, senders and texts are hashes with the store's key.
//!
//! Never knows who is on a list, nor what counts as the same text. Invariants: a delivery counts in the transaction of its
//! outcome, a text in the transaction in which its message is taken in or decided on.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use sqlx::{QueryBuilder, Row};

use super::key::Keys;
use super::writer::Tx;
use super::{NewIncident, SenderLink, Store, StoreError};
use crate::limits;
use crate::smtp::Address;

/// Texts that one sender sent on one day.
pub struct TextsToday {
    keys: Arc<Keys>,
    day: String,
    sender: String,
    /// Messages, and their recipients outside, by text.
    counts: HashMap<Vec<u8>, (usize, usize)>,
}

/// One more message with a text, to be counted with it.
#[derive(Debug, Clone)]
pub struct SentText {
    day: String,
    sender: [u8; 32],
    text: [u8; 32],
    /// Outside the school.
    recipients: usize,
}

/// What is committed with a decision, beside the message and its notices.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// What leads the sender to a message that is held or kept.
    pub link: Option<SenderLink>,
    /// What counts of it where it is not returned.
    pub text: Option<SentText>,
    /// The account that signed in to send it, for the audit line.
    pub account: Option<String>,
    /// The incident that the message reports.
    pub incident: Option<Box<NewIncident>>,
}

impl From<Option<SenderLink>> for Beside {
    fn from(link: Option<SenderLink>) -> Self {
        Self { link, ..Self::default() }
    }
}

impl TextsToday {
    /// One more message with this text to so many recipients outside: what is to be committed with it, and how many
    /// messages and recipients that makes, this one included.
    pub fn one_more(&self, text: &str, recipients: usize) -> (SentText, usize, usize) {
        let (sender, text) = (self.keys.mark("sender", &self.sender), self.keys.mark("text", text));
        let (messages, before) = self.counts.get(text.as_slice()).copied().unwrap_or_default();
        (SentText { day: self.day.clone(), sender, text, recipients }, messages + 1, before.saturating_add(recipients))
    }
}

impl SentText {
    /// Sender and text, as hashes.
    pub fn key(&self) -> ([u8; 32], [u8; 32]) {
        (self.sender, self.text)
    }
}

impl Store {
    /// Those of these addresses to which nothing was delivered in [`limits::WRITTEN_TO_DAYS`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn never_written_to(&self, addresses: &[Address]) -> Result<Vec<Address>, StoreError> {
        let marks: Vec<[u8; 32]> =
            addresses.iter().map(|address| mark_of(&self.inner.keys, address.as_str())).collect();
        let mut known = std::collections::HashSet::new();
        for some in marks.chunks(limits::ADDRESSES_ASKED) {
            let mut query = QueryBuilder::new("select address from written_to where address in (");
            let mut list = query.separated(", ");
            for mark in some {
                list.push_bind(mark.to_vec());
            }
            query.push(")");
            for row in query.build().fetch_all(&self.inner.reader).await? {
                known.insert(row.try_get::<Vec<u8>, _>("address")?);
            }
        }
        let new = |(address, mark): (&Address, &[u8; 32])| (!known.contains(mark.as_slice())).then(|| address.clone());
        Ok(addresses.iter().zip(&marks).filter_map(new).collect())
    }

    /// What this sender sent on the day of `at`, in the school's own time.
    ///
    /// # Errors
    /// What the database says.
    pub async fn texts_today(&self, sender: &str, at: Timestamp) -> Result<TextsToday, StoreError> {
        let day = at.to_zoned(self.school_time().zone.clone()).date().to_string();
        let (keys, sender) = (Arc::clone(&self.inner.keys), sender.to_lowercase());
        let rows = sqlx::query("select text, messages, recipients from text_sent where sender = $1 and day = $2")
            .bind(keys.mark("sender", &sender).to_vec())
            .bind(&day)
            .fetch_all(&self.inner.reader)
            .await?;
        let number = |n: i64| usize::try_from(n).unwrap_or_default();
        let mut counts = HashMap::with_capacity(rows.len());
        for row in &rows {
            let of = (number(row.try_get("messages")?), number(row.try_get("recipients")?));
            counts.insert(row.try_get("text")?, of);
        }
        Ok(TextsToday { keys, day, sender, counts })
    }
}

/// An address as it is counted: in whatever case.
fn mark_of(keys: &Keys, address: &str) -> [u8; 32] {
    keys.mark("written to", &address.to_lowercase())
}

impl Tx<'_> {
    /// Something was delivered to this address.
    ///
    /// # Errors
    /// What the database says.
    pub async fn count_written_to(&mut self, address: &str) -> Result<(), StoreError> {
        sqlx::query(
            "insert into written_to (address, times, last_day) values ($1, 1, $2) \
             on conflict (address) do update set times = written_to.times + 1, last_day = $2",
        )
        .bind(mark_of(self.keys, address).to_vec())
        .bind(utc(self.now).to_string())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// One more message with this text.
    ///
    /// # Errors
    /// What the database says.
    pub async fn count_text(&mut self, text: &SentText) -> Result<(), StoreError> {
        sqlx::query(
            "insert into text_sent (day, sender, text, messages, recipients) values ($1, $2, $3, 1, $4) \
             on conflict (sender, day, text) do update set messages = text_sent.messages + 1, \
             recipients = text_sent.recipients + $4",
        )
        .bind(&text.day)
        .bind(text.sender.to_vec())
        .bind(text.text.to_vec())
        .bind(i64::try_from(text.recipients).unwrap_or(i64::MAX))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Forgets addresses not written to in [`limits::WRITTEN_TO_DAYS`], and the texts of the days before yesterday.
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget_counts(&mut self) -> Result<(), StoreError> {
        let today = utc(self.now);
        // Yesterday: somewhere it may still be today.
        for (sql, days) in [
            ("delete from written_to where last_day < $1", limits::WRITTEN_TO_DAYS),
            ("delete from text_sent where day < $1", 1),
        ] {
            let first = today.saturating_sub(Span::new().days(i64::from(days)));
            sqlx::query(sql).bind(first.to_string()).execute(&mut *self.connection).await?;
        }
        Ok(())
    }
}

fn utc(at: Timestamp) -> Date {
    at.to_zoned(jiff::tz::TimeZone::UTC).date()
}
