//! What people do with messages: retry, hold, drop, discard, release, return. Each is one transaction with its audit line.
//!
//! A decision is taken once. Release, return and discard are final whoever is first: whatever is asked afterwards changes
//! nothing but the record, which keeps who came too late, and is answered with the line that says who did what. To hold settles less: it sends a message to quarantine,
//! where it is still to be decided on, so it stands against holding or dropping it from the queue alone. One exception:
//! a released message that was set aside as damaged can never go, so it may still be discarded. The same form sent again,
//! which its key tells, is answered as it was the first time.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::audit::{AuditLine, GATEWAY, micros};
use super::journal::on_hold;
use super::queue::mismatch;
use super::review::{Classification, Ended};
use super::writer::{Answer, Entry, Op, Tx};
use super::{LawfulPurpose, NewAllowance, NewEntry, QueueId, State, Store, StoreError};
use crate::inspect::Report;
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

/// The state of a recipient who was left out.
const WITHHELD: &str = "withheld";
/// The decision by which some recipients were left out.
const IN_PART: &str = "released-in-part";

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

    /// Nobody decides on the message any more.
    fn ends(self) -> bool {
        matches!(self, Self::Drop | Self::Discard | Self::Release | Self::Return)
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

/// What is decided on a held message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ruling {
    /// It goes to all of its recipients.
    Release,
    /// It goes to the recipients at these places of the envelope, from 0; the others get nothing, and stand as `withheld`.
    ReleaseTo(Vec<u32>),
    /// Back to its sender.
    Return,
    /// For good.
    Discard,
}

/// Who decides, why, and what the person takes the message for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// Who, as the audit names the person.
    pub who: String,
    /// Why.
    pub why: String,
    /// A breach, a near miss or neither, where that was said.
    #[serde(default)]
    pub classification: Option<Classification>,
    /// Names the form that was filled in: sent twice, it is answered twice the same and carried out once.
    #[serde(default)]
    pub key: Option<String>,
    /// What is remembered of a release, so that it is not asked again.
    #[serde(default)]
    pub remember: Vec<NewAllowance>,
}

impl Grounds {
    fn of(who: &str, why: &str) -> Self {
        Self { who: who.to_owned(), why: why.to_owned(), ..Self::default() }
    }
}

pub(super) struct Request {
    pub kind: Kind,
    pub id: QueueId,
    pub grounds: Grounds,
    /// Places of the recipients to whom alone it is released.
    pub only: Option<Vec<u32>>,
    /// Of what is held from now on.
    pub report: Option<Report>,
    /// What the audit says besides.
    pub view: serde_json::Value,
    pub notices: Vec<Entry>,
}

impl Store {
    /// Makes a queued or pending message due before all others, and no longer set aside as damaged. It is tried at once
    /// even while the smarthost counts as out of order.
    ///
    /// # Errors
    /// When there is no such message, it waits neither for delivery nor inspection, or the database fails.
    pub async fn retry(&self, id: &QueueId, who: &str) -> Result<Decision, StoreError> {
        self.decide(Kind::Retry, id, Grounds::of(who, ""), None, Vec::new()).await
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
        self.decide(Kind::Hold, id, Grounds::of(who, why), None, Vec::new()).await
    }

    /// Drops a message that is queued, pending or held by the gateway; nobody is told.
    ///
    /// # Errors
    /// [`StoreError::Refused`] while it is being delivered or inspected.
    pub async fn drop_queued(&self, id: &QueueId, who: &str, why: &str) -> Result<Decision, StoreError> {
        self.decide(Kind::Drop, id, Grounds::of(who, why), None, Vec::new()).await
    }

    /// Decides on a held message, in one transaction with the notices: what is released goes exactly as it is stored, the
    /// content of what is returned or discarded goes. A message that still waits in the queue may be discarded too.
    ///
    /// Where some recipient already has a released message, nobody is told: its sender knew it as sent. The same ruling
    /// with the same key is answered [`Decision::Done`] again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::WrongState`] where it is not held; [`StoreError::Damaged`] where what is to
    /// be released does not open; [`StoreError::Refused`] while it is being delivered or inspected, and where it is to go
    /// to nobody or to somebody who is not due; what the database says.
    pub async fn decide_on(
        &self,
        id: &QueueId,
        ruling: &Ruling,
        grounds: &Grounds,
        notices: Vec<NewEntry>,
    ) -> Result<Decision, StoreError> {
        let (kind, only) = match ruling {
            Ruling::Release => (Kind::Release, None),
            Ruling::ReleaseTo(only) => (Kind::Release, Some(only.clone())),
            Ruling::Return => (Kind::Return, None),
            Ruling::Discard => (Kind::Discard, None),
        };
        self.decide(kind, id, grounds.clone(), only, notices).await
    }

    /// Records that a person looked at what was found in a message, and why.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; what the database says.
    pub async fn note_view(&self, id: &QueueId, who: &str, why: &str) -> Result<Decision, StoreError> {
        self.decide(Kind::View, id, Grounds::of(who, why), None, Vec::new()).await
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

    /// Records that a person opens the message itself, for which purpose and why, and gives its content. The line is
    /// written first: what cannot be recorded is not opened.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for sealed personal mail, and for what was never inspected, of which nobody knows whether it
    /// is; otherwise as [`Store::note_view`] and [`Store::content`].
    pub async fn open_content(
        &self,
        id: &QueueId,
        who: &str,
        why: &str,
        purpose: LawfulPurpose,
    ) -> Result<Arc<[u8]>, StoreError> {
        match self.show(id).await?.report {
            Some(report) if report.is_sealed() => {
                return Err(StoreError::Refused(format!(
                    "message {id} is marked as personal: it is sealed, and opened only with the chair of governors' approval"
                )));
            }
            Some(_) => {}
            None => return Err(StoreError::Refused(format!("message {id} was never inspected: it may be personal"))),
        }
        let view = json!({"seen": "message", "purpose": purpose.as_str()});
        let request = Request {
            kind: Kind::View,
            id: id.clone(),
            grounds: Grounds::of(who, why),
            only: None,
            report: None,
            view,
            notices: Vec::new(),
        };
        self.ask(Op::Decision(Box::new(request))).await?;
        self.content(id).await
    }

    async fn decide(
        &self,
        kind: Kind,
        id: &QueueId,
        grounds: Grounds,
        only: Option<Vec<u32>>,
        notices: Vec<NewEntry>,
    ) -> Result<Decision, StoreError> {
        let report = match kind {
            Kind::Hold => self.show(id).await?.report,
            _ => None,
        };
        let notices = self.seal(notices).await?;
        let request = Request { kind, id: id.clone(), grounds, only, report, view: json!({}), notices };
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
        let Request { kind, id, grounds, only, report, view, notices } = request;
        let standing = self.standing(id).await?;
        if self.is_done(request).await? {
            return Ok(Decision::Done);
        }
        let undeliverable = standing.damaged.is_some() && matches!(kind, Kind::Drop | Kind::Discard);
        if let Some(line) = self.decided_before(id).await?
            && kind.yields_to(&line)
            && !(undeliverable && kind.allowed_from(standing.state))
        {
            // The first decides; that others would have decided too is kept.
            let detail = json!({"asked": kind.event(), "why": grounds.why});
            self.audit(id, "came-too-late", &grounds.who, detail).await?;
            return Ok(Decision::Already(line));
        }
        if !kind.allowed_from(standing.state) {
            return Err(StoreError::WrongState { id: id.clone(), state: standing.state, wanted: kind.event() });
        }
        if standing.leased && matches!(kind, Kind::Hold | Kind::Drop | Kind::Discard) {
            return Err(StoreError::Refused(format!("message {id} is in work right now; try again when it is done")));
        }
        if let (Kind::Retry, None, Some(leaves)) = (kind, &standing.damaged, &standing.leaves)
            && leaves.at > self.now
        {
            let until = leaves.at;
            return Err(StoreError::Refused(format!(
                "message {id} waits until {until}, as a rule asks, and is not sent before; its sender can send it now"
            )));
        }
        let mut withheld = Vec::new();
        match (kind, &standing.damaged) {
            (Kind::Release, Some(reason)) => {
                return Err(StoreError::Damaged { id: id.clone(), reason: reason.clone() });
            }
            (Kind::Release, None) => {
                if let Some(only) = only {
                    withheld = self.withhold(id, only).await?;
                }
                sqlx::query("update message set released_sha256 = sha256 where id = $1")
                    .bind(&id.0)
                    .execute(&mut *self.connection)
                    .await?;
                self.move_to(id, &standing, State::Queued).await?;
                self.effects.queued = true;
            }
            (Kind::Retry, _) => {
                // Before what is due already: where one message probes the smarthost, it is this one.
                let first: Option<i64> = sqlx::query_scalar(
                    "select min(first) from (select min(next_due) as first from message where state = 'queued' \
                     union all select min(next_due) from message where state = 'pending') as firsts",
                )
                .fetch_one(&mut *self.connection)
                .await?;
                let now = micros(self.now);
                sqlx::query(
                    "update message set next_due = case when leaves_at > $3 then leaves_at else $2 end, damaged = null \
                     where id = $1",
                )
                .bind(&id.0)
                .bind(first.map_or(now, |first| now.min(first.saturating_sub(1))))
                .bind(now)
                .execute(&mut *self.connection)
                .await?;
                self.ask_for_retry().await?;
                self.effects.queued |= standing.state == State::Queued;
                self.effects.pending |= standing.state == State::Pending;
            }
            (Kind::View, _) => {}
            (Kind::Hold, _) => {
                self.move_to(id, &standing, State::Held).await?;
                self.begin_review(id, report.as_ref()).await?;
            }
            (Kind::Drop | Kind::Discard, _) => self.move_to(id, &standing, State::Discarded).await?,
            (Kind::Return, _) => self.move_to(id, &standing, State::Returned).await?,
        }
        if standing.state == State::Queued && !matches!(kind, Kind::Retry | Kind::View) {
            self.withdraw_delay_notice(id).await?;
        }
        let mut ended = None;
        if kind.ends() {
            let decision = if withheld.is_empty() { kind.event() } else { IN_PART };
            ended = Some(decision);
            let Grounds { who, why, classification, key, .. } = grounds;
            let review = Ended {
                at: self.now,
                by: who,
                decision,
                classification: *classification,
                reason: why,
                key: key.as_deref(),
            };
            self.end_review(id, &review).await?;
        }
        let mut detail = json!({"from": standing.state.as_str(), "why": grounds.why});
        for (name, word) in view.as_object().into_iter().flatten() {
            detail[name] = word.clone();
        }
        if let Some(classification) = grounds.classification {
            detail["classification"] = classification.as_str().into();
        }
        if !withheld.is_empty() {
            detail["withheld"] = withheld.into();
        }
        self.audit(id, kind.event(), &grounds.who, detail).await?;
        if let Some(decision) = ended {
            self.open_decided(id, grounds, decision).await?;
        }
        if *kind == Kind::Release {
            self.leave_when_open(id).await?;
            self.give_allowances(id, &grounds.who, &grounds.remember).await?;
        }
        if *kind != Kind::Release || !self.delivered_in_part(id).await? {
            self.insert(notices).await?;
        }
        Ok(Decision::Done)
    }

    /// Whether this very form was carried out before. With another ruling it is another decision.
    async fn is_done(&mut self, request: &Request) -> Result<bool, StoreError> {
        let Some(key) = &request.grounds.key else { return Ok(false) };
        let Some((decision, earlier)) = self.ended_by(&request.id).await? else { return Ok(false) };
        if earlier != *key {
            return Ok(false);
        }
        let Some(only) = &request.only else { return Ok(decision == request.kind.event()) };
        let withheld = self.positions(&request.id, WITHHELD).await?;
        Ok(matches!(decision.as_str(), IN_PART | "released") && !only.iter().any(|place| withheld.contains(place)))
    }

    /// Leaves out all recipients who are due but those at `only`; gives the places of those left out.
    async fn withhold(&mut self, id: &QueueId, only: &[u32]) -> Result<Vec<u32>, StoreError> {
        let mut due = self.positions(id, "due").await?;
        if only.is_empty() || only.iter().any(|place| !due.contains(place)) {
            return Err(StoreError::Refused(format!(
                "message {id} can only be released to recipients who wait for it"
            )));
        }
        due.retain(|place| !only.contains(place));
        for place in &due {
            sqlx::query("update recipient set state = $3 where message = $1 and position = $2")
                .bind(&id.0)
                .bind(i64::from(*place))
                .bind(WITHHELD)
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(due)
    }

    async fn positions(&mut self, id: &QueueId, state: &str) -> Result<Vec<u32>, StoreError> {
        let places: Vec<i64> =
            sqlx::query_scalar("select position from recipient where message = $1 and state = $2 order by position")
                .bind(&id.0)
                .bind(state)
                .fetch_all(&mut *self.connection)
                .await?;
        Ok(places.into_iter().filter_map(|place| u32::try_from(place).ok()).collect())
    }

    /// See [`Store::retry_all`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn retry_all(&mut self, who: &str) -> Result<u64, StoreError> {
        let waiting = sqlx::query(
            "update message set next_due = case when next_due < $1 then next_due else $1 end \
             where state in ('queued', 'pending') and damaged is null and (leaves_at is null or leaves_at <= $1)",
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

    pub(super) async fn delivered_in_part(&mut self, id: &QueueId) -> Result<bool, StoreError> {
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
        self.forget_allowances(before).await?;
        self.forget_exemptions(before).await?;
        self.forget_modes(before).await?;
        self.forget_counts().await?;
        self.forget_use().await?;
        self.forget_incidents().await?;
        self.forget_disclosures().await?;
        let forgotten = sqlx::query(concat!(
            "delete from message where id in ( \
                 select id from message m where state in ('returned', 'delivered', 'failed', 'discarded') \
                 and kept_until is null and changed_at < $1 \
                 and not exists (select 1 from journal j where j.message = m.id) and not ",
            on_hold!(),
            " order by changed_at limit $2)"
        ))
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
