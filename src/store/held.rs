//! Pages of held mail: what waits for a decision and what was decided, filtered, by key.
//!
//! Reads the table `review` alone to find what fits, and the messages of one page to show it. A page begins behind the last
//! line of the one before, so that a decision in between neither repeats nor hides a line, and the thousandth page costs
//! what the first does.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::audit::{micros, timestamp};
use super::review::{Classification, words};
use super::row::{address_of, asked_of_message, asked_of_recipient, count_of, sender_of};
use super::{QueueId, Store, StoreError};
use crate::limits;
use crate::smtp::Address;
use crate::smtp::dsn::{OfMessage, OfRecipient};

/// Which messages; what is absent filters nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeldFilter {
    /// Those that were decided, the newest decision first; otherwise those that wait, likely breaches first and then by
    /// deadline.
    pub decided: bool,
    /// Held by this rule, among others.
    pub rule: Option<String>,
    /// From this address, in whatever case.
    pub sender: Option<String>,
    /// To a recipient of this kind, among others.
    pub kind: Option<String>,
    /// Likely breaches, or the others.
    pub breach: Option<bool>,
    /// Those that concern safeguarding, or the others.
    pub safeguarding: Option<bool>,
    /// Those that this role was told of.
    pub notified: Option<String>,
    /// Sealed ones, or the others.
    pub sealed: Option<bool>,
    /// Those that are sealed, or that this role was told of because nobody had decided in time.
    pub sealed_or_escalated_to: Option<String>,
    /// This stands in the reference, or in an address of the envelope, in whatever case. Cut at
    /// [`limits::SEARCH_CHARS`].
    pub search: Option<String>,
}

/// The place of a line in its list; the next page begins behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldKey {
    /// A likely breach.
    breach: bool,
    /// Its deadline, or when it was decided.
    at: i64,
    id: QueueId,
}

impl std::fmt::Display for HeldKey {
    /// As it stands in an address: `1.1790000000000000.06F2K7Q9ZB3M5T1X`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", u8::from(self.breach), self.at, self.id)
    }
}

impl std::str::FromStr for HeldKey {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, '.');
        let (Some(breach @ ("0" | "1")), Some(at), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(());
        };
        Ok(Self { breach: breach == "1", at: at.parse().map_err(|_| ())?, id: QueueId(id.to_owned()) })
    }
}

/// One line of the list.
#[derive(Debug, Clone, Serialize)]
pub struct HeldLine {
    /// Its id.
    pub id: QueueId,
    /// `None` is the null sender.
    pub mail_from: Option<Address>,
    /// The first recipient.
    pub to: Option<Address>,
    /// Recipients in all.
    pub recipients: u32,
    /// When it was taken in.
    pub at: Timestamp,
    /// When it came to quarantine: its deadline counts from here.
    pub held_at: Timestamp,
    /// By when it is to be decided on, while it waits.
    pub due_at: Option<Timestamp>,
    /// Roles that are told of it, besides who decides on all.
    pub notified: Vec<String>,
    /// Ids of the rules that count.
    pub rules: Vec<String>,
    /// Kinds of its recipients, each once.
    pub kinds: Vec<String>,
    /// A likely breach.
    pub breach: bool,
    /// How many pupils it is about.
    pub pupils: u32,
    /// Its Personal marker stands out.
    pub sealed: bool,
    /// Safeguarding is concerned.
    pub safeguarding: bool,
    /// Why it is set aside.
    pub damaged: Option<String>,
    /// What was decided, where it was.
    pub decided: Option<Decided>,
}

/// A decision as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// `released`, `released-in-part`, `returned` or `discarded`.
    pub decision: String,
    /// What it was taken for.
    pub classification: Option<Classification>,
    /// Why.
    pub why: String,
}

/// Lines, and where the next page begins.
#[derive(Debug, Clone)]
pub struct HeldPage {
    /// In the order of the list.
    pub lines: Vec<HeldLine>,
    /// Give this for the next page; absent on the last one.
    pub next: Option<HeldKey>,
}

/// The figures above the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HeldFigures {
    /// Messages that wait for a decision.
    pub waiting: u64,
    /// When the one that waits longest was held.
    pub oldest: Option<Timestamp>,
    /// Messages decided since a time.
    pub decided: u64,
}

/// What fits the filter; `$1` to `$3` are the place to begin behind, `$4` how many.
const FITS: &str = "and ($5 is null or v.rules like $5 escape '\\') and ($6 is null or v.sender = $6) \
     and ($7 is null or v.kinds like $7 escape '\\') and ($8 is null or v.safeguarding = $8) \
     and ($9 is null or v.notified like $9 escape '\\') and ($10 is null or v.sought like $10 escape '\\') \
     and ($11 is null or v.sealed = $11) \
     and ($12 is null or v.sealed or exists (select 1 from audit a where a.message = v.message \
     and a.event in ('escalated', 'put-off') and a.detail like $12 escape '\\')) ";

const LINE: &str = "select v.*, m.mail_from, m.at, m.damaged, \
     (select count(*) from recipient r where r.message = v.message) as recipients, \
     (select address from recipient r where r.message = v.message and r.position = 0) as first_recipient \
     from review v join message m on m.id = v.message ";

const WAITING: &str = "where v.decided_at is null and v.breach = $1 and (v.due_at, v.message) > ($2, $3) ";
const WAITING_ORDER: &str = "order by v.due_at, v.message limit $4";
const DECIDED: &str = "where v.decided_at is not null and ($1 is null or v.breach = $1) \
     and (v.decided_at, v.message) < ($2, $3) ";
const DECIDED_ORDER: &str = "order by v.decided_at desc, v.message desc limit $4";

impl Store {
    /// A page of held mail: what stands behind `after`, at most `limit` lines and at most [`limits::HELD_PAGE_MOST`].
    ///
    /// # Errors
    /// What the database says. A row that does not read is left out.
    pub async fn held_page(
        &self,
        filter: &HeldFilter,
        after: Option<&HeldKey>,
        limit: u32,
    ) -> Result<HeldPage, StoreError> {
        let wanted = usize::try_from(limit.clamp(1, limits::HELD_PAGE_MOST)).unwrap_or(1);
        // One more than wanted tells whether there is a next page.
        let mut rows = Vec::new();
        if filter.decided {
            let from = after.map_or((i64::MAX, ""), |key| (key.at, key.id.0.as_str()));
            rows = self.stretch(filter, filter.breach, from, wanted + 1).await?;
        } else {
            // Likely breaches and the others are two stretches of the index, each in its own order.
            for breach in [true, false] {
                let wants = filter.breach.is_none_or(|wanted| wanted == breach);
                let passed = after.is_some_and(|key| breach && !key.breach);
                if !wants || passed || rows.len() > wanted {
                    continue;
                }
                let inside = after.filter(|key| key.breach == breach);
                let from = inside.map_or((i64::MIN, ""), |key| (key.at, key.id.0.as_str()));
                rows.extend(self.stretch(filter, Some(breach), from, wanted + 1 - rows.len()).await?);
            }
        }
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let next = match rows.last().filter(|_| more) {
            Some(row) => Some(HeldKey {
                breach: row.try_get("breach")?,
                at: row.try_get(if filter.decided { "decided_at" } else { "due_at" })?,
                id: QueueId(row.try_get("message")?),
            }),
            None => None,
        };
        // One bad row must not hide the others.
        Ok(HeldPage { lines: rows.iter().filter_map(|row| HeldLine::read(row).ok()).collect(), next })
    }

    async fn stretch(
        &self,
        filter: &HeldFilter,
        breach: Option<bool>,
        from: (i64, &str),
        limit: usize,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let sql = match filter.decided {
            true => format!("{LINE}{DECIDED}{FITS}{DECIDED_ORDER}"),
            false => format!("{LINE}{WAITING}{FITS}{WAITING_ORDER}"),
        };
        let listed = |word: &Option<String>| word.as_deref().map(|word| holding(&format!(",{word},")));
        let sought = filter.search.as_deref().map(str::trim).filter(|sought| !sought.is_empty());
        let sought = sought.map(|sought| sought.chars().take(limits::SEARCH_CHARS).collect::<String>().to_lowercase());
        Ok(sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(breach)
            .bind(from.0)
            .bind(from.1)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(listed(&filter.rule))
            .bind(filter.sender.as_deref().map(str::to_lowercase))
            .bind(listed(&filter.kind))
            .bind(filter.safeguarding)
            .bind(listed(&filter.notified))
            .bind(sought.map(|sought| holding(&sought)))
            .bind(filter.sealed)
            // The detail of those lines is `{"told":["head","it"]}`; no word of it is anybody's own.
            .bind(filter.sealed_or_escalated_to.as_deref().map(|role| holding(&format!("\"{role}\""))))
            .fetch_all(&self.inner.reader)
            .await?)
    }

    /// The three figures; `since` is where the week begins.
    ///
    /// # Errors
    /// What the database says.
    pub async fn held_figures(&self, since: Timestamp) -> Result<HeldFigures, StoreError> {
        let waiting =
            sqlx::query("select count(*) as messages, min(held_at) as oldest from review where decided_at is null")
                .fetch_one(&self.inner.reader)
                .await?;
        let decided: i64 = sqlx::query_scalar("select count(*) from review where decided_at >= $1")
            .bind(micros(since))
            .fetch_one(&self.inner.reader)
            .await?;
        Ok(HeldFigures {
            waiting: u64::try_from(waiting.try_get::<i64, _>("messages")?).unwrap_or_default(),
            oldest: waiting.try_get::<Option<i64>, _>("oldest")?.map(timestamp),
            decided: u64::try_from(decided).unwrap_or_default(),
        })
    }

    /// The line of one message; nothing for one that was never held.
    ///
    /// # Errors
    /// What the database says; [`StoreError::Damaged`] where its row does not read.
    pub async fn held_line(&self, id: &QueueId) -> Result<Option<HeldLine>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{LINE}where v.message = $1")))
            .bind(&id.0)
            .fetch_optional(&self.inner.reader)
            .await?;
        row.as_ref().map(HeldLine::read).transpose()
    }

    /// To whom a message goes, in the envelope's order.
    ///
    /// # Errors
    /// What the database says; [`StoreError::Damaged`] where an address does not read.
    pub async fn recipients_of(&self, id: &QueueId) -> Result<Vec<Address>, StoreError> {
        let addresses: Vec<String> =
            sqlx::query_scalar("select address from recipient where message = $1 order by position")
                .bind(&id.0)
                .fetch_all(&self.inner.reader)
                .await?;
        addresses.iter().map(|text| address_of(text, id)).collect()
    }

    /// What its sender asks of reports about a message, and about each of its recipients.
    ///
    /// # Errors
    /// What the database says.
    pub(super) async fn asked_of(&self, id: &QueueId) -> Result<(OfMessage, Vec<OfRecipient>), StoreError> {
        let message = sqlx::query("select dsn_ret, dsn_envid from message where id = $1")
            .bind(&id.0)
            .fetch_optional(&self.inner.reader)
            .await?
            .ok_or_else(|| StoreError::NotFound(id.clone()))?;
        let recipients =
            sqlx::query("select dsn_notify, dsn_orcpt from recipient where message = $1 order by position")
                .bind(&id.0)
                .fetch_all(&self.inner.reader)
                .await?;
        let recipients = recipients.iter().map(asked_of_recipient).collect::<Result<_, _>>()?;
        Ok((asked_of_message(&message)?, recipients))
    }
}

/// A pattern of what holds these very words.
fn holding(words: &str) -> String {
    let mut pattern = String::from("%");
    for letter in words.chars() {
        // SQLite ends a pattern here, and would find everything; PostgreSQL takes no such text.
        let letter = if letter == '\0' { char::REPLACEMENT_CHARACTER } else { letter };
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern + "%"
}

/// A deadline, where it was set already.
pub(super) fn due_of(micros: i64) -> Option<Timestamp> {
    (micros > 0).then(|| timestamp(micros))
}

impl HeldLine {
    fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        let id = QueueId(row.try_get("message")?);
        let first: Option<String> = row.try_get("first_recipient")?;
        let decided = match row.try_get::<Option<i64>, _>("decided_at")? {
            Some(at) => Some(Decided {
                at: timestamp(at),
                by: row.try_get("decided_by")?,
                decision: row.try_get("decision")?,
                classification: row.try_get::<Option<String>, _>("classification")?.and_then(|word| word.parse().ok()),
                why: row.try_get::<Option<String>, _>("reason")?.unwrap_or_default(),
            }),
            None => None,
        };
        Ok(Self {
            mail_from: sender_of(row, &id)?,
            to: first.map(|address| address_of(&address, &id)).transpose()?,
            recipients: count_of(row, "recipients")?,
            at: timestamp(row.try_get("at")?),
            held_at: timestamp(row.try_get("held_at")?),
            due_at: due_of(row.try_get("due_at")?).filter(|_| decided.is_none()),
            notified: words(row.try_get("notified")?),
            rules: words(row.try_get("rules")?),
            kinds: words(row.try_get("kinds")?),
            breach: row.try_get("breach")?,
            pupils: count_of(row, "pupils")?,
            sealed: row.try_get("sealed")?,
            safeguarding: row.try_get("safeguarding")?,
            damaged: row.try_get("damaged")?,
            decided,
            id,
        })
    }
}
