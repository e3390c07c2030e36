//! How much mail of the school's staff was marked personal: numbers by month and sender, for the report that a policy asks
//! for (WH-5.1.1a, DR-4.3).
//!
//! A message counts once, in the transaction in which the first of its recipients is found to have it: what was returned,
//! cancelled, discarded or given up never left and does not count, what was held counts when it has gone, and a message that
//! its sender changed counts as the one that went. It counts in the month in which it was taken in, in the school's own time.
//!
//! Never knows what a message says, nor to whom it goes. Invariants: a sender is kept as a keyed hash and a sealed mailbox;
//! whoever marked fewer than the threshold is neither named nor to be told from the sums; a look that cannot be recorded is
//! not had. Event: `personal-use-seen`.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::Row;

use super::audit::timestamp;
use super::writer::{Op, Tx};
use super::{QueueId, Store, StoreError};
use crate::limits;

/// How much of the report somebody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sight {
    /// Sums, and the names of those who are named.
    Names,
    /// Sums alone.
    Figures,
}

/// A sum of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Amount {
    /// So many.
    Exactly(u64),
    /// Fewer than so many: the number itself would be one person's, who is not named.
    FewerThan(u64),
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exactly(many) => write!(f, "{many}"),
            Self::FewerThan(many) => write!(f, "fewer than {many}"),
        }
    }
}

/// Somebody who marked as many messages as the threshold, or more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedSender {
    /// The mailbox, in lower case, as the envelope had it.
    pub mailbox: String,
    /// Messages marked personal.
    pub marked: u64,
}

/// A month of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthOfUse {
    /// Its first day.
    pub month: Date,
    /// Messages of the staff that left.
    pub messages: u64,
    /// Who sent them: mailboxes.
    pub senders: u64,
    /// Messages that were marked personal.
    pub marked: Amount,
    /// How many mailboxes marked any.
    pub marked_by: u64,
    /// Messages to private mailboxes that were not marked, and that a rule asked about.
    pub asked: Amount,
    /// Those who are named, who marked the most first.
    pub named: Vec<NamedSender>,
}

/// Who looks at the report.
pub(super) struct Look {
    who: String,
    sight: Sight,
}

/// What one sender did in a month.
struct Sent {
    mailbox: String,
    messages: u64,
    marked: u64,
    asked: u64,
}

impl Store {
    /// The report: the last [`limits::PERSONAL_USE_MONTHS`] months in which mail was counted, the newest first. Who marked
    /// `names_from` messages or more in a month is named there, if that is to be seen. That `who` looks is recorded first.
    ///
    /// # Errors
    /// What the database says; a mailbox that does not open.
    pub async fn personal_use(
        &self,
        names_from: usize,
        sight: Sight,
        who: &str,
    ) -> Result<Vec<MonthOfUse>, StoreError> {
        self.ask(Op::UseSeen(Look { who: who.to_owned(), sight })).await?;
        let first = first_month(self.clock().now(), &self.school_time().zone);
        let rows = sqlx::query("select * from personal_use where month >= $1 order by month desc")
            .bind(word(first))
            .fetch_all(&self.inner.reader)
            .await?;
        let mut months: Vec<(String, Vec<Sent>)> = Vec::new();
        for row in &rows {
            let (month, mark): (String, Vec<u8>) = (row.try_get("month")?, row.try_get("sender")?);
            let sealed: Vec<u8> = row.try_get("mailbox")?;
            let mailbox = self.inner.keys.open_name(&place(&month, &mark), &sealed);
            let mailbox = mailbox.and_then(|mailbox| String::from_utf8(mailbox).ok());
            let number =
                |column| Ok::<_, StoreError>(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or_default());
            let sent = Sent {
                mailbox: mailbox.ok_or_else(|| StoreError::Database("a sealed mailbox does not open".to_owned()))?,
                messages: number("messages")?,
                marked: number("marked")?,
                asked: number("asked")?,
            };
            match months.last_mut() {
                Some((last, all)) if *last == month => all.push(sent),
                _ => months.push((month, vec![sent])),
            }
        }
        let names_from = u64::try_from(names_from).unwrap_or(u64::MAX);
        months.into_iter().map(|(month, sent)| shown(&month, sent, names_from, sight)).collect()
    }
}

/// A month as it is shown.
fn shown(month: &str, mut sent: Vec<Sent>, names_from: u64, sight: Sight) -> Result<MonthOfUse, StoreError> {
    let unknown = |_| StoreError::Database(format!("`{month}` is no month"));
    let month: Date = format!("{month}-01").parse().map_err(unknown)?;
    sent.sort_by(|one, other| other.marked.cmp(&one.marked).then_with(|| one.mailbox.cmp(&other.mailbox)));
    let marked: Vec<u64> = sent.iter().map(|sent| sent.marked).collect();
    let asked: Vec<u64> = sent.iter().map(|sent| sent.asked).collect();
    Ok(MonthOfUse {
        month,
        messages: sent.iter().map(|sent| sent.messages).sum(),
        senders: sent.len() as u64,
        marked: amount(&marked, names_from),
        marked_by: marked.iter().filter(|&&many| many > 0).count() as u64,
        asked: amount(&asked, names_from),
        named: match sight {
            Sight::Figures => Vec::new(),
            Sight::Names => {
                let named = sent.into_iter().filter(|sent| sent.marked >= names_from);
                named.map(|sent| NamedSender { mailbox: sent.mailbox, marked: sent.marked }).collect()
            }
        },
    })
}

/// The sum of what senders did. Where what is left beside those at the threshold is one person's, the sum says no more than
/// that it is below it.
fn amount(each: &[u64], names_from: u64) -> Amount {
    let (above, below): (Vec<u64>, Vec<u64>) =
        each.iter().filter(|&&many| many > 0).partition(|&&many| many >= names_from);
    let above: u64 = above.iter().sum();
    match below.as_slice() {
        [_] => Amount::FewerThan(above.saturating_add(names_from)),
        all => Amount::Exactly(above + all.iter().sum::<u64>()),
    }
}

/// The first of the months that are kept.
fn first_month(now: Timestamp, zone: &TimeZone) -> Date {
    let this = now.to_zoned(zone.clone()).date().first_of_month();
    this.saturating_sub(Span::new().months(i64::from(limits::PERSONAL_USE_MONTHS) - 1))
}

/// A month as the database has it; words sort as months do.
fn word(day: Date) -> String {
    format!("{:04}-{:02}", day.year(), day.month())
}

/// What a mailbox is sealed for.
fn place(month: &str, mark: &[u8]) -> String {
    use std::fmt::Write;
    mark.iter().fold(format!("personal use {month} "), |mut place, byte| {
        // Writing to a string never fails.
        let _ = write!(place, "{byte:02x}");
        place
    })
}

impl Tx<'_> {
    /// So many recipients have this message now who had not; it counts where nobody had it before.
    ///
    /// # Errors
    /// What the database says; there are no random bytes.
    pub async fn count_use(&mut self, id: &QueueId, newly: i64) -> Result<(), StoreError> {
        let row = sqlx::query(
            "select personal, mail_from, at from message \
             where id = $1 and personal is not null and mail_from is not null \
             and $2 = (select count(*) from recipient where message = $1 and state = 'delivered')",
        )
        .bind(&id.0)
        .bind(newly)
        .fetch_optional(&mut *self.connection)
        .await?;
        let Some(row) = row else { return Ok(()) };
        let (personal, mailbox): (String, String) = (row.try_get("personal")?, row.try_get("mail_from")?);
        let taken = timestamp(row.try_get("at")?).to_zoned(self.school_time.zone.clone());
        let (month, mailbox) = (word(taken.date()), mailbox.to_lowercase());
        let mark = self.keys.mark("personal use", &mailbox);
        sqlx::query(
            "insert into personal_use (month, sender, mailbox, messages, marked, asked) values ($1, $2, $3, 1, $4, $5) \
             on conflict (month, sender) do update set messages = personal_use.messages + 1, \
             marked = personal_use.marked + $4, asked = personal_use.asked + $5",
        )
        .bind(&month)
        .bind(mark.to_vec())
        .bind(self.keys.seal_name(&place(&month, &mark), mailbox.as_bytes())?)
        .bind(i64::from(personal == "marked"))
        .bind(i64::from(personal == "asked"))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Records that somebody looks at the report.
    ///
    /// # Errors
    /// What the database says.
    pub async fn note_use_seen(&mut self, look: &Look) -> Result<(), StoreError> {
        let detail = json!({"names": look.sight == Sight::Names});
        self.audit(&QueueId(String::new()), "personal-use-seen", &look.who, detail).await
    }

    /// Forgets the months before those that are kept.
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget_use(&mut self) -> Result<(), StoreError> {
        let first = first_month(self.now, &self.school_time.zone);
        let query = sqlx::query("delete from personal_use where month < $1").bind(word(first));
        query.execute(&mut *self.connection).await?;
        Ok(())
    }
}
