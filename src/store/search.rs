//! Looking for kept mail: by words, by whom it is about, by mailbox, by time.
//!
//! Owns the table `word_index`: of each message whose content is kept, keyed hashes of its words, sealed for its row. Without the key they
//! tell nothing, not even that two messages share a word. Never knows who may look; that somebody looked, and how, is in the audit, and
//! not for what. Event: `searched`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::audit::{micros, timestamp};
use super::key::Keys;
use super::row::state_of;
use super::writer::{Op, Tx};
use super::{QueueId, State, Store, StoreError};
use crate::inspect::{Report, Words};
use crate::limits::{self, INDEX_WORD_OCTETS as OCTETS};

/// What is looked for. All that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// All of these words stand in it, in whatever place and form.
    #[serde(default)]
    pub words: String,
    /// It is about this pupil, by roster id.
    #[serde(default)]
    pub pupil: Option<String>,
    /// It is from or to this mailbox.
    #[serde(default)]
    pub mailbox: Option<String>,
    /// It came in at this time or later.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// It came in before this time.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

impl Search {
    /// Nothing is asked for, so that it would give everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How sure it is that a message fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// It fits.
    Fits,
    /// All but its words fits; those are not known, or not all of them: somebody has to look.
    WordsUnknown,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Which.
    pub id: QueueId,
    /// When it came in.
    pub at: Timestamp,
    /// Its envelope sender; none is the null sender.
    pub mail_from: Option<String>,
    /// Its envelope recipients.
    pub recipients: Vec<String>,
    /// Where it stands.
    pub state: State,
    /// Whether it can be read still.
    pub content: bool,
    /// Until when its copy is kept, where the journal keeps one.
    pub kept_until: Option<Timestamp>,
    /// How sure it is.
    pub fit: Fit,
}

/// What a search gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The oldest first, at most [`limits::SEARCH_HITS`].
    pub hits: Vec<Hit>,
    /// There are more.
    pub more: bool,
}

/// What the audit says of a search.
pub(super) struct Searched {
    pub who: String,
    pub detail: serde_json::Value,
}

impl Store {
    /// Looks for mail in the name of `who`, for the reason `why`; that is recorded before anything is given.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where nothing is asked for or no reason is given; what the database says.
    pub async fn search(&self, search: &Search, who: &str, why: &str) -> Result<Found, StoreError> {
        if search.is_empty() {
            return Err(StoreError::Refused("say what is looked for: words, a pupil, a mailbox or a time".to_owned()));
        }
        if why.trim().is_empty() {
            return Err(StoreError::Refused("say what for: who looks through mail gives a reason".to_owned()));
        }
        let words = Words::of_text(&search.words).all;
        if words.is_empty() && !search.words.trim().is_empty() {
            return Err(StoreError::Refused("there is no word of two letters or more to look for".to_owned()));
        }
        let found = self.find(search, &words).await?;
        let detail = json!({
            "words": words.len(),
            "by_pupil": search.pupil.is_some(),
            "by_mailbox": search.mailbox.is_some(),
            "since": search.since.map(|at| at.to_string()),
            "until": search.until.map(|at| at.to_string()),
            "found": found.hits.len(),
            "why": why.trim(),
        });
        let searched = Searched { who: who.to_owned(), detail };
        self.ask(Op::Searched(Box::new(searched))).await?;
        Ok(found)
    }

    async fn find(&self, search: &Search, words: &BTreeSet<String>) -> Result<Found, StoreError> {
        let wanted: Vec<u64> = words.iter().map(|word| hash(&self.inner.keys, word)).collect();
        let mut found = Found::default();
        let (mut at, mut id) = (i64::MIN, String::new());
        loop {
            let rows = sqlx::query(
                "select m.id, m.at, m.mail_from, m.state, m.report, m.content_file is not null as content, j.kept_until, w.words \
                 from message m left join journal j on j.message = m.id left join word_index w on w.message = m.id \
                 where m.class = 'mail' and (m.at, m.id) > ($1, $2) and m.at >= $3 and m.at < $4 \
                 and ($5 is null or lower(m.mail_from) = $5 \
                      or exists (select 1 from recipient r where r.message = m.id and lower(r.address) = $5)) \
                 order by m.at, m.id limit $6",
            )
            .bind(at)
            .bind(&id)
            .bind(search.since.map_or(i64::MIN, micros))
            .bind(search.until.map_or(i64::MAX, micros))
            .bind(search.mailbox.as_ref().map(|mailbox| mailbox.trim().to_ascii_lowercase()))
            .bind(i64::from(limits::SEARCH_PAGE))
            .fetch_all(&self.inner.reader)
            .await?;
            let Some(last) = rows.last() else { return Ok(found) };
            (at, id) = (last.try_get("at")?, last.try_get("id")?);
            for row in &rows {
                let Some(fit) = self.fits(row, search.pupil.as_deref(), &wanted)? else { continue };
                if found.hits.len() >= limits::SEARCH_HITS {
                    found.more = true;
                    return Ok(found);
                }
                let hit = self.hit(row, fit).await?;
                found.hits.push(hit);
            }
        }
    }

    fn fits(&self, row: &SqliteRow, pupil: Option<&str>, wanted: &[u64]) -> Result<Option<Fit>, StoreError> {
        let id: &str = row.try_get("id")?;
        if let Some(pupil) = pupil {
            let sealed: Option<&[u8]> = row.try_get("report")?;
            let report = sealed.and_then(|sealed| self.inner.keys.open_report(id, sealed));
            let report = report.and_then(|json| serde_json::from_slice::<Report>(&json).ok());
            if !report.is_some_and(|report| report.pupils.iter().any(|found| found.id == pupil)) {
                return Ok(None);
            }
        }
        if wanted.is_empty() {
            return Ok(Some(Fit::Fits));
        }
        let sealed: Option<&[u8]> = row.try_get("words")?;
        let opened = sealed.and_then(|sealed| self.inner.keys.open_name(&row_of(id), sealed));
        Ok(match opened.as_deref().and_then(<[u8]>::split_first) {
            Some((cut, hashes)) => match wanted.iter().all(|word| holds(hashes, *word)) {
                true => Some(Fit::Fits),
                false => (*cut != 0).then_some(Fit::WordsUnknown),
            },
            None => row.try_get::<bool, _>("content")?.then_some(Fit::WordsUnknown),
        })
    }

    async fn hit(&self, row: &SqliteRow, fit: Fit) -> Result<Hit, StoreError> {
        let id = QueueId(row.try_get("id")?);
        let recipients = sqlx::query_scalar("select address from recipient where message = $1 order by position")
            .bind(&id.0)
            .fetch_all(&self.inner.reader)
            .await?;
        Ok(Hit {
            at: timestamp(row.try_get("at")?),
            mail_from: row.try_get("mail_from")?,
            recipients,
            state: state_of(row.try_get("state")?)?,
            content: row.try_get("content")?,
            kept_until: row.try_get::<Option<i64>, _>("kept_until")?.map(timestamp),
            fit,
            id,
        })
    }

    /// The words of a message that may be kept, hashed and sealed for its row.
    ///
    /// # Errors
    /// There are no random bytes to be had.
    pub(super) fn seal_words(&self, id: &QueueId, report: &Report) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(words) = &report.words else { return Ok(None) };
        let mut hashes: Vec<u64> = words.all.iter().map(|word| hash(&self.inner.keys, word)).collect();
        hashes.sort_unstable();
        // In front of the hashes: whether there are more words than these.
        let mut plain = vec![u8::from(words.cut)];
        for hash in hashes {
            plain.extend_from_slice(&hash.to_be_bytes()[8 - OCTETS..]);
        }
        self.inner.keys.seal_name(&row_of(&id.0), &plain).map(Some)
    }
}

impl Tx<'_> {
    /// Keeps what a message is looked for by.
    ///
    /// # Errors
    /// What the database says.
    pub async fn index_words(&mut self, id: &QueueId, sealed: Option<&[u8]>) -> Result<(), StoreError> {
        let Some(sealed) = sealed else { return Ok(()) };
        sqlx::query(
            "insert into word_index (message, words) values ($1, $2) on conflict (message) do update set words = $2",
        )
        .bind(&id.0)
        .bind(sealed)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Writes that somebody looked for mail.
    ///
    /// # Errors
    /// What the database says.
    pub async fn note_searched(&mut self, searched: &Searched) -> Result<(), StoreError> {
        self.audit(&QueueId(String::new()), "searched", &searched.who, searched.detail.clone()).await
    }
}

/// What the words of a message are sealed for.
fn row_of(id: &str) -> String {
    format!("words {id}")
}

fn hash(keys: &Keys, word: &str) -> u64 {
    let mark = keys.mark("word", word);
    mark[..OCTETS].iter().fold(0, |hash, octet| hash << 8 | u64::from(*octet))
}

/// Whether a hash is among these, which are in order.
fn holds(hashes: &[u8], wanted: u64) -> bool {
    let wanted = &wanted.to_be_bytes()[8 - OCTETS..];
    let (mut low, mut high) = (0, hashes.len() / OCTETS);
    while low < high {
        let middle = low.midpoint(high);
        match hashes[middle * OCTETS..(middle + 1) * OCTETS].cmp(wanted) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    false
}
