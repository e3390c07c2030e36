//! What mail came to, summed by week and by rule: how much went, came back and was held, how long decisions took, how often what a
//! rule held was let go, and what rules that only observe would have done.
//!
//! A message counts in the week in which it was taken in, weeks beginning on Monday in the school's own time; what was done with it
//! later counts there too. What is forgotten (`[store] keep_days`) counts no more. What is refused at the door is never kept, and
//! does not count.
//!
//! Never knows a name, an address or a text. Invariant: a rule that was confirmed, or from which the sender is exempt, counts for
//! nothing here.

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::audit::{GATEWAY, micros};
use super::writer::Tx;
use super::{QueueId, Store, StoreError};
use crate::inspect::Report;
use crate::limits;
use crate::policy::Action;

/// What mail came to in some time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekFigures {
    /// Messages taken in.
    pub messages: u64,
    /// Of them, those that went out or are on their way, released ones included.
    pub sent: u64,
    /// That came back to their senders at once.
    pub returned: u64,
    /// That were held.
    pub held: u64,
    /// That were held and let go, to all or some of their recipients.
    pub released: u64,
}

/// How long people took to decide.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Decisions of people. What went back because its time was over is none.
    pub decisions: u64,
    /// Half of them took no longer, in seconds.
    pub median: u64,
    /// The slowest tenth took as long or longer, in seconds.
    pub slowest_tenth: u64,
}

/// What one rule did in some time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleEffect {
    /// The rule's id.
    pub rule: String,
    /// Messages that it returned to their senders.
    pub returned: u64,
    /// Messages that it held.
    pub held: u64,
    /// Of those held: people decided on them.
    pub decided: u64,
    /// Of those decided on: let go.
    pub released: u64,
    /// Of those let go: taken for neither a breach nor a near miss. The rule held them for nothing.
    pub false_holds: u64,
    /// Messages that it would have returned, while it only observed.
    pub would_return: u64,
    /// Messages that it would have held or refused, while it only observed.
    pub would_hold: u64,
    /// Of those: no other rule stopped them.
    pub would_stop_alone: u64,
}

/// One week of the overview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverviewWeek {
    /// Its Monday.
    pub begins: Date,
    /// All mail.
    pub figures: WeekFigures,
    /// How long decisions on what was held in it took.
    pub pace: Pace,
    /// Rules that did anything, or would have, by id.
    pub rules: Vec<RuleEffect>,
}

/// The overview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// The oldest first; the last one is this week, so far.
    pub weeks: Vec<OverviewWeek>,
    /// Decisions of all these weeks.
    pub pace: Pace,
    /// What each rule did in all these weeks.
    pub rules: Vec<RuleEffect>,
}

impl RuleEffect {
    /// Of a hundred that people decided on, how many were held for nothing; nothing where too few were decided on.
    pub fn false_hold_percent(&self) -> Option<u64> {
        (self.decided >= limits::FALSE_HOLD_DECIDED).then(|| (self.false_holds * 100 + self.decided / 2) / self.decided)
    }
}

impl Pace {
    fn of(mut seconds: Vec<u64>) -> Self {
        seconds.sort_unstable();
        let Some(last) = seconds.len().checked_sub(1) else { return Self::default() };
        // The smallest that is not below the share: of ten, the fifth and the ninth.
        let at = |share: usize| seconds[((last + 1) * share).div_ceil(10).saturating_sub(1).min(last)];
        Self { decisions: seconds.len() as u64, median: at(5), slowest_tenth: at(9) }
    }
}

impl Store {
    /// The last [`limits::OVERVIEW_WEEKS`] weeks.
    ///
    /// # Errors
    /// What the database says.
    pub async fn overview(&self) -> Result<Overview, StoreError> {
        let weeks = i64::from(limits::OVERVIEW_WEEKS);
        let monday = self.monday(0);
        let mut out = Vec::with_capacity(limits::OVERVIEW_WEEKS as usize);
        for back in (0..weeks).rev() {
            let begins = monday.saturating_sub(Span::new().weeks(back));
            let (from, to) = (self.midnight(begins), self.midnight(begins.saturating_add(Span::new().weeks(1))));
            out.push(OverviewWeek {
                begins,
                figures: self.figures(from, to).await?,
                pace: self.pace(from, to).await?,
                rules: self.effects_between(from, to).await?,
            });
        }
        let (from, to) = (self.midnight(self.monday(weeks - 1)), i64::MAX);
        Ok(Overview { weeks: out, pace: self.pace(from, to).await?, rules: self.effects_between(from, to).await? })
    }

    /// What each rule did in the last [`limits::RULE_EFFECT_WEEKS`] weeks, to this moment; by id.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rule_effects(&self) -> Result<Vec<RuleEffect>, StoreError> {
        let span = std::time::Duration::from_secs(u64::from(limits::RULE_EFFECT_WEEKS) * 7 * 86_400);
        let from = self.clock().now().saturating_sub(span).unwrap_or(Timestamp::MIN);
        self.effects_between(micros(from), i64::MAX).await
    }

    /// The Monday of so many weeks ago, in the school's own time.
    fn monday(&self, weeks: i64) -> Date {
        let today = self.clock().now().to_zoned(self.school_time().zone.clone()).date();
        let since = i64::from(today.weekday().to_monday_zero_offset());
        today.saturating_sub(Span::new().days(since)).saturating_sub(Span::new().weeks(weeks))
    }

    fn midnight(&self, day: Date) -> i64 {
        let day = day.to_zoned(self.school_time().zone.clone());
        day.map_or(i64::MAX, |midnight| micros(midnight.timestamp()))
    }

    async fn figures(&self, from: i64, to: i64) -> Result<WeekFigures, StoreError> {
        // All states are named, so that the index by state and time is gone along.
        let row = sqlx::query(
            "select count(*) as messages, \
             coalesce(sum(m.state in ('queued', 'delivered')), 0) as sent, \
             coalesce(sum(m.verdict = 'warn' and r.message is null), 0) as returned, \
             count(r.message) as held, \
             coalesce(sum(r.decision in ('released', 'released-in-part')), 0) as released \
             from message m left join review r on r.message = m.id \
             where m.state in ('pending', 'queued', 'held', 'returned', 'delivered', 'failed', 'discarded') \
             and m.at >= $1 and m.at < $2 and m.class = 'mail'",
        )
        .bind(from)
        .bind(to)
        .fetch_one(&self.inner.reader)
        .await?;
        Ok(WeekFigures {
            messages: number(&row, "messages")?,
            sent: number(&row, "sent")?,
            returned: number(&row, "returned")?,
            held: number(&row, "held")?,
            released: number(&row, "released")?,
        })
    }

    async fn pace(&self, from: i64, to: i64) -> Result<Pace, StoreError> {
        let took: Vec<i64> = sqlx::query_scalar(
            "select decided_at - held_at from review \
             where held_at >= $1 and held_at < $2 and decided_at is not null and decided_by <> $3",
        )
        .bind(from)
        .bind(to)
        .bind(GATEWAY)
        .fetch_all(&self.inner.reader)
        .await?;
        Ok(Pace::of(took.into_iter().map(|took| u64::try_from(took / 1_000_000).unwrap_or_default()).collect()))
    }

    async fn effects_between(&self, from: i64, to: i64) -> Result<Vec<RuleEffect>, StoreError> {
        let rows = sqlx::query(
            "select f.rule as rule, \
             coalesce(sum(not f.observed and f.action = 'warn'), 0) as returned, \
             coalesce(sum(not f.observed and f.action <> 'warn'), 0) as held, \
             coalesce(sum(not f.observed and f.action <> 'warn' and r.decided_by <> $3), 0) as decided, \
             coalesce(sum(not f.observed and f.action <> 'warn' and r.decided_by <> $3 \
                          and r.decision in ('released', 'released-in-part')), 0) as released, \
             coalesce(sum(not f.observed and f.action <> 'warn' and r.decided_by <> $3 \
                          and r.decision in ('released', 'released-in-part') and r.classification = 'neither'), 0) \
                 as false_holds, \
             coalesce(sum(f.observed and f.action = 'warn'), 0) as would_return, \
             coalesce(sum(f.observed and f.action <> 'warn'), 0) as would_hold, \
             coalesce(sum(f.observed and m.verdict = 'deliver'), 0) as would_stop_alone \
             from fired f join message m on m.id = f.message left join review r on r.message = f.message \
             where f.at >= $1 and f.at < $2 group by f.rule order by f.rule",
        )
        .bind(from)
        .bind(to)
        .bind(GATEWAY)
        .fetch_all(&self.inner.reader)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(RuleEffect {
                    rule: row.try_get("rule")?,
                    returned: number(row, "returned")?,
                    held: number(row, "held")?,
                    decided: number(row, "decided")?,
                    released: number(row, "released")?,
                    false_holds: number(row, "false_holds")?,
                    would_return: number(row, "would_return")?,
                    would_hold: number(row, "would_hold")?,
                    would_stop_alone: number(row, "would_stop_alone")?,
                })
            })
            .collect()
    }
}

fn number(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or_default())
}

impl Tx<'_> {
    /// Keeps what each rule asked for of a message that is in the store, in the place of what was kept of it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn note_fired(&mut self, id: &QueueId, report: &Report) -> Result<(), StoreError> {
        for rule in &report.rules {
            let set_aside = rule.confirmed.is_some() || rule.exempt.is_some();
            if set_aside || rule.action == Action::Deliver {
                continue;
            }
            sqlx::query(
                "insert into fired (message, rule, action, observed, at) \
                 select id, $2, $3, $4, at from message where id = $1 \
                 on conflict (message, rule) do update set action = excluded.action, observed = excluded.observed",
            )
            .bind(&id.0)
            .bind(&rule.id)
            .bind(rule.action.as_str())
            .bind(rule.observed_only)
            .execute(&mut *self.connection)
            .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_slowest_tenth_are_times_that_were_taken() {
        for (seconds, median, slowest_tenth) in [
            (vec![], 0, 0),
            (vec![7], 7, 7),
            (vec![9, 1], 1, 9),
            (vec![3, 1, 2], 2, 3),
            ((1..=10).collect(), 5, 9),
            ((1..=100).rev().collect(), 50, 90),
        ] {
            let decisions = seconds.len() as u64;
            assert_eq!(Pace::of(seconds.clone()), Pace { decisions, median, slowest_tenth }, "{seconds:?}");
        }
    }

    #[test]
    fn a_share_is_said_of_enough_and_rounded() {
        let of = |false_holds, decided| RuleEffect { false_holds, decided, ..RuleEffect::default() };
        assert_eq!(of(4, 4).false_hold_percent(), None);
        assert_eq!(of(9, 10).false_hold_percent(), Some(90));
        assert_eq!(of(2, 6).false_hold_percent(), Some(33));
        assert_eq!(of(4, 6).false_hold_percent(), Some(67));
    }
}
