//! What people do with messages: retry, hold, drop, discard, release, return. Each is one transaction with its audit line.
//!
//! A decision is taken once. Release, return and discard are final whoever is first: whatever is asked afterwards changes
//! nothing and is answered with the line that says who did what. To hold settles less: it sends a message to quarantine,
//! where it is still to be decided on, so it stands against holding or dropping it from the queue alone. One exception:
//! a released message that was set aside as damaged can never go, so it may still be discarded.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::audit::{AuditLine, GATEWAY, micros};
use super::queue::mismatch;
use super::writer::{Answer, Entry, Op, Tx};
use super::{NewEntry, QueueId, State, Store, StoreError};
use crate::limits;

/// What became of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It was carried out now.
    Done,
    /// Somebody had decided before; nothing was changed.
    Already(AuditLine),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Retry,
    Hold,
    Drop,
    Discard,
    Release,
    Return,
    View,
}

impl Kind {
    /// As the audit writes it, and as a refusal reads.
    fn event(self) -> &'static str {
        match self {
            Self::Retry => "retried",
            Self::Hold => "held",
            Self::Drop | Self::Discard => "discarded",
            Self::Release => "released",
            Self::Return => "returned",
            Self::View => "viewed",
        }
    }

    fn allowed_from(self, state: State) -> bool {
        match self {
            Self::Retry => matches!(state, State::Queued | State::Pending),
            Self::Hold => matches!(state, State::Queued | State::Pending),
            Self::Drop | Self::Discard => state.keeps_content(),
            Self::Release | Self::Return => state == State::Held,
            Self::View => true,
        }
    }

    /// An earlier decision of this kind stands: nothing is changed.
    fn yields_to(self, earlier: &AuditLine) -> bool {
        match self {
            Self::Retry | Self::View => false,
            Self::Hold | Self::Drop => true,
            Self::Discard | Self::Release | Self::Return => earlier.event != Self::Hold.event(),
        }
    }
}

pub(super) struct Request {
    pub kind: Kind,
    pub id: QueueId,
    pub who: String,
    pub why: String,
    pub notices: Vec<Entry>,
}

impl Store {
    /// Makes a queued or pending message due before all others, and no longer set aside as damaged. It is tried at once
    /// even while the smarthost counts as out of order.
    ///
    /// # Errors
    /// When there is no such message, it waits neither for delivery nor inspection, or the database fails.
    pub async fn retry(&self, id: &QueueId, who: &str) -> Result<Decision, StoreError> {
        self.decide(Kind::Retry, id, who, "", Vec::new()).await
    }

    /// Makes all queued and pending messages due at once, but those set aside as damaged; gives how many there are. As
    /// with [`Store::retry`] the smarthost is tried at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retry_all(&self, who: &str) -> Result<u64, StoreError> {
        match self.ask(Op::RetryAll(who.to_owned())).await? {
            Answer::Count(count) => Ok(count),
            _ => mismatch(),
        }
    }

    /// Moves a queued or pending message to quarantine.
    ///
    /// # Errors
    /// [`StoreError::Refused`] while it is being delivered or inspected.
    pub async fn hold(&self, id: &QueueId, who: &str, why: &str) -> Result<Decision, StoreError> {
        self.decide(Kind::Hold, id, who, why, Vec::new()).await
    }

    /// Drops a message that is queued, pending or held by the gateway; nobody is told.
    ///
    /// # Errors
    /// [`StoreError::Refused`] while it is being delivered or inspected.
    pub async fn drop_queued(&self, id: &QueueId, who: &str, why: &str) -> Result<Decision, StoreError> {
        self.decide(Kind::Drop, id, who, why, Vec::new()).await
    }

    /// Discards a message that is held, queued or pending: the notices are committed with the decision, the content goes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::WrongState`] where it is in none of these states; [`StoreError::Refused`] while it is
    /// being delivered or inspected; what the database says.
    pub async fn discard(
        &self,
        id: &QueueId,
        who: &str,
        why: &str,
        notices: Vec<NewEntry>,
    ) -> Result<Decision, StoreError> {
        self.decide(Kind::Discard, id, who, why, notices).await
    }

    /// Records that a person looked at what was found in a message, and why.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; what the database says.
    pub async fn note_view(&self, id: &QueueId, who: &str, why: &str) -> Result<Decision, StoreError> {
        self.decide(Kind::View, id, who, why, Vec::new()).await
    }

    /// Lets a held message go, exactly the bytes that are stored. The notices are committed with the decision, unless some
    /// recipient already has the message: then its sender knew it as sent.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where its bytes do not open.
    pub async fn release(
        &self,
        id: &QueueId,
        who: &str,
        why: &str,
        notices: Vec<NewEntry>,
    ) -> Result<Decision, StoreError> {
        self.decide(Kind::Release, id, who, why, notices).await
    }

    /// Returns a held message to its sender: the notices are committed with the decision, the content goes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::WrongState`] where it is not held; what the database says.
    pub async fn return_to_sender(
        &self,
        id: &QueueId,
        who: &str,
        why: &str,
        notices: Vec<NewEntry>,
    ) -> Result<Decision, StoreError> {
        self.decide(Kind::Return, id, who, why, notices).await
    }

    /// Forgets up to [`limits::FORGET_BATCH`] messages that were delivered, returned, failed or discarded before `before`, oldest first;
    /// gives how many. The audit keeps its lines. Sessions that have ended, links that are over and tries to sign in of days
    /// ago go with them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        match self.ask(Op::Forget(before)).await? {
            Answer::Count(count) => Ok(count),
            _ => mismatch(),
        }
    }

    async fn decide(
        &self,
        kind: Kind,
        id: &QueueId,
        who: &str,
        why: &str,
        notices: Vec<NewEntry>,
    ) -> Result<Decision, StoreError> {
        let notices = self.seal(notices).await?;
        let request = Request { kind, id: id.clone(), who: who.to_owned(), why: why.to_owned(), notices };
        match self.ask(Op::Decision(Box::new(request))).await? {
            Answer::Decision(decision) => Ok(decision),
            _ => mismatch(),
        }
    }
}

impl Tx<'_> {
    /// Takes a decision, or tells of the earlier one that stands.
    ///
    /// # Errors
    /// As the method of [`Store`] that asks for it.
    pub async fn apply(&mut self, request: &Request) -> Result<Decision, StoreError> {
        let Request { kind, id, who, why, notices } = request;
        let standing = self.standing(id).await?;
        let undeliverable = standing.damaged.is_some() && matches!(kind, Kind::Drop | Kind::Discard);
        if let Some(line) = self.decided_before(id).await?
            && kind.yields_to(&line)
            && !(undeliverable && kind.allowed_from(standing.state))
        {
            return Ok(Decision::Already(line));
        }
        if !kind.allowed_from(standing.state) {
            return Err(StoreError::WrongState { id: id.clone(), state: standing.state, wanted: kind.event() });
        }
        if standing.leased && matches!(kind, Kind::Hold | Kind::Drop | Kind::Discard) {
            return Err(StoreError::Refused(format!("message {id} is in work right now; try again when it is done")));
        }
        match (kind, &standing.damaged) {
            (Kind::Release, Some(reason)) => {
                return Err(StoreError::Damaged { id: id.clone(), reason: reason.clone() });
            }
            (Kind::Release, None) => {
                sqlx::query("update message set released_sha256 = sha256, next_due = $2 where id = $1")
                    .bind(&id.0)
                    .bind(micros(self.now))
                    .execute(&mut *self.connection)
                    .await?;
                self.move_to(id, &standing, State::Queued).await?;
                self.effects.queued = true;
            }
            (Kind::Retry, _) => {
                // Before what is due already: where one message probes the smarthost, it is this one.
                let first: Option<i64> =
                    sqlx::query_scalar("select min(next_due) from message where state in ('queued', 'pending')")
                        .fetch_one(&mut *self.connection)
                        .await?;
                let now = micros(self.now);
                sqlx::query("update message set next_due = $2, damaged = null where id = $1")
                    .bind(&id.0)
                    .bind(first.map_or(now, |first| now.min(first.saturating_sub(1))))
                    .execute(&mut *self.connection)
                    .await?;
                self.ask_for_retry().await?;
                self.effects.queued |= standing.state == State::Queued;
                self.effects.pending |= standing.state == State::Pending;
            }
            (Kind::View, _) => {}
            (Kind::Hold, _) => self.move_to(id, &standing, State::Held).await?,
            (Kind::Drop | Kind::Discard, _) => self.move_to(id, &standing, State::Discarded).await?,
            (Kind::Return, _) => self.move_to(id, &standing, State::Returned).await?,
        }
        self.audit(id, kind.event(), who, json!({"from": standing.state.as_str(), "why": why})).await?;
        if *kind != Kind::Release || !self.delivered_in_part(id).await? {
            self.insert(notices).await?;
        }
        Ok(Decision::Done)
    }

    /// See [`Store::retry_all`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn retry_all(&mut self, who: &str) -> Result<u64, StoreError> {
        let waiting = sqlx::query(
            "update message set next_due = case when next_due < $1 then next_due else $1 end \
             where state in ('queued', 'pending') and damaged is null",
        )
        .bind(micros(self.now))
        .execute(&mut *self.connection)
        .await?
        .rows_affected();
        if waiting > 0 {
            self.ask_for_retry().await?;
            self.audit(&QueueId(String::new()), Kind::Retry.event(), who, json!({"messages": waiting})).await?;
            self.effects.queued = true;
            self.effects.pending = true;
        }
        Ok(waiting)
    }

    async fn delivered_in_part(&mut self, id: &QueueId) -> Result<bool, StoreError> {
        let row = sqlx::query("select 1 from recipient where message = $1 and state = 'delivered' limit 1")
            .bind(&id.0)
            .fetch_optional(&mut *self.connection)
            .await?;
        Ok(row.is_some())
    }

    /// See [`Store::forget`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.forget_sign_ins().await?;
        let forgotten = sqlx::query(
            "delete from message where id in ( \
                 select id from message where state in ('returned', 'delivered', 'failed', 'discarded') \
                 and changed_at < $1 order by changed_at limit $2)",
        )
        .bind(micros(before))
        .bind(limits::FORGET_BATCH)
        .execute(&mut *self.connection)
        .await?
        .rows_affected();
        if forgotten > 0 {
            let detail = json!({"messages": forgotten, "before": before.to_string()});
            self.audit(&QueueId(String::new()), "forgotten", GATEWAY, detail).await?;
        }
        Ok(forgotten)
    }

    /// The last decision of a person on the message.
    async fn decided_before(&mut self, id: &QueueId) -> Result<Option<AuditLine>, StoreError> {
        let row = sqlx::query(
            "select * from audit where message = $1 and event in ('released', 'returned', 'discarded', 'held') \
             order by seq desc limit 1",
        )
        .bind(&id.0)
        .fetch_optional(&mut *self.connection)
        .await?;
        row.as_ref().map(AuditLine::read).transpose()
    }
}
