//! What can be asked of the writer, what it answers, and which hand of the store does it inside the transaction.

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::Tx;
use crate::store::content::{Place, Sealed};
use crate::store::{
    Decision, Leased, NewEntry, PendingEntry, QueueId, State, StoreError, accounts, allowances, counts, deadlines,
    decisions, delay, disclosures, exemptions, incidents, intake, journal, lease, modes, personal_use, queue, search,
    sender,
};

/// A message on its way into the store: sealed, and with a place once it has one.
pub(in crate::store) struct Entry {
    pub new: NewEntry,
    /// The record waits for a segment; large ones come with their place.
    pub record: Option<Vec<u8>>,
    /// Absent for what is committed without content.
    pub key: Option<Vec<u8>>,
    pub place: Option<Place>,
    /// The report, sealed.
    pub report: Option<Vec<u8>>,
    /// Made with it for its sender.
    pub link: Option<sender::SenderLink>,
    /// What counts of it.
    pub text: Option<counts::SentText>,
    /// The account that sent it.
    pub account: Option<String>,
    /// What it is looked for by, sealed.
    pub words: Option<Vec<u8>>,
    /// The incident that it reports.
    pub incident: Option<Box<incidents::NewIncident>>,
}

impl Entry {
    pub fn new(new: NewEntry, sealed: Option<Sealed>, report: Option<Vec<u8>>) -> Self {
        let (record, key) = sealed.map_or((None, None), |s| (Some(s.record), Some(s.key)));
        Self {
            new,
            record,
            key,
            place: None,
            report,
            link: None,
            text: None,
            account: None,
            words: None,
            incident: None,
        }
    }
}

impl Entry {
    /// Which of the writer's segments its record goes to: bytes that go at about the same time lie together.
    pub fn segment(&self) -> usize {
        match (self.new.state, &self.new.report) {
            (State::Queued, Some(report)) if report.duties.journal_days.is_some() => 2,
            // What waits is not gone in seconds.
            (State::Queued, Some(report)) if report.duties.waits() => 1,
            (State::Queued, _) => 0,
            _ => 1,
        }
    }
}

/// What can be asked of the writer.
pub(in crate::store) enum Op {
    Commit(Vec<Entry>),
    Decide(Box<intake::Decide>),
    InspectionEnded {
        id: QueueId,
        counts: bool,
    },
    LeaseDue(lease::LeaseRequest),
    LeasePending(lease::LeaseRequest),
    EndLease(Vec<QueueId>),
    RenewLeases(Timestamp),
    Record(Box<queue::Record>),
    Decision(Box<decisions::Request>),
    Damaged(QueueId, String),
    Recover,
    Probe,
    Forget(Timestamp),
    /// Makes all that waits due, for this person.
    RetryAll(String),
    EndAllowances(allowances::End),
    Exempt(Box<exemptions::Change>),
    Incident(Box<incidents::Change>),
    /// A step towards another mode of a rule.
    Mode(Box<modes::Step>),
    Disclosure(Box<disclosures::Change>),
    /// Sets or drops a setting.
    Set(&'static str, Option<Vec<u8>>),
    Account(Box<accounts::Change>),
    Mark(Box<deadlines::Mark>),
    Sender(Box<sender::Act>),
    Answered(Box<sender::Unheeded>),
    /// The sender of a message was told that it takes longer.
    Delayed(Box<delay::Told>),
    EndKeeping,
    EndJournal,
    LegalHold(Box<journal::HoldChange>),
    /// Records that somebody looked for mail.
    Searched(Box<search::Searched>),
    /// Records that somebody looks at the report on personal use.
    UseSeen(personal_use::Look),
}

impl Op {
    pub(super) fn entries(&mut self) -> &mut [Entry] {
        match self {
            Self::Commit(entries) => entries,
            Self::Decide(decide) => &mut decide.notices,
            Self::Record(record) => &mut record.notices,
            Self::Decision(request) => &mut request.notices,
            Self::Mark(mark) => mark.entries(),
            Self::Sender(act) => &mut act.entries,
            Self::Answered(unheeded) => &mut unheeded.entries,
            Self::Delayed(told) => &mut told.notices,
            Self::Incident(change) => change.entries(),
            _ => &mut [],
        }
    }

    pub(super) async fn run(&self, tx: &mut Tx<'_>) -> Result<Answer, StoreError> {
        match self {
            Self::Commit(entries) => tx.insert(entries).await.map(|()| Answer::Done),
            Self::Decide(decide) => tx.decide(decide).await.map(|()| Answer::Done),
            Self::InspectionEnded { id, counts } => tx.inspection_ended(id, *counts).await.map(Answer::Tries),
            Self::LeaseDue(request) => tx.lease_due(request).await.map(Answer::Due),
            Self::LeasePending(request) => tx.lease_pending(request).await.map(Answer::Pending),
            Self::EndLease(ids) => tx.end_lease(ids).await.map(|()| Answer::Done),
            Self::RenewLeases(until) => tx.renew_leases(*until).await.map(|()| Answer::Done),
            Self::Record(record) => tx.record(record).await.map(Answer::State),
            Self::Decision(request) => tx.apply(request).await.map(Answer::Decision),
            Self::Damaged(id, reason) => tx.damaged(id, reason).await.map(|()| Answer::Done),
            Self::Forget(before) => tx.forget(*before).await.map(Answer::Count),
            Self::RetryAll(who) => tx.retry_all(who).await.map(Answer::Count),
            Self::EndAllowances(end) => tx.end_allowances(end).await.map(Answer::Count),
            Self::Exempt(change) => tx.change_exemptions(change).await.map(Answer::Count),
            Self::Incident(change) => tx.change_incident(change).await.map(Answer::Changed),
            Self::Mode(step) => tx.change_mode(step).await.map(Answer::Changed),
            Self::Disclosure(change) => tx.change_disclosure(change).await.map(|()| Answer::Done),
            Self::Set(name, value) => tx.set(name, value.as_deref()).await.map(|()| Answer::Done),
            Self::Account(change) => tx.change_account(change).await,
            Self::Mark(mark) => tx.mark(mark).await.map(Answer::Changed),
            Self::Sender(act) => tx.do_as_sender(act).await.map(Answer::Changed),
            Self::Delayed(told) => tx.note_delay(told).await.map(Answer::Changed),
            Self::Answered(unheeded) => tx.note_answer(unheeded).await.map(Answer::Changed),
            Self::EndKeeping => tx.end_keeping().await.map(Answer::Count),
            Self::EndJournal => tx.end_journal().await.map(Answer::Count),
            Self::LegalHold(change) => tx.change_legal_hold(change).await.map(Answer::Count),
            Self::Searched(searched) => tx.note_searched(searched).await.map(|()| Answer::Done),
            Self::UseSeen(look) => tx.note_use_seen(look).await.map(|()| Answer::Done),
            Self::Recover => tx.recover().await.map(|()| Answer::Done),
            Self::Probe => tx.probe().await.map(|()| Answer::Done),
        }
    }
}

/// What a command is answered with.
pub(in crate::store) enum Answer {
    Done,
    Tries(u32),
    Count(u64),
    Due(Vec<Leased>),
    Pending(Vec<PendingEntry>),
    State(State),
    Decision(Decision),
    /// Whether anything is different now.
    Changed(bool),
    /// Until when a try to sign in is refused.
    Wait(Option<Timestamp>),
}

impl Answer {
    /// What this gives away, leased.
    pub(super) fn leased(&self) -> Vec<QueueId> {
        match self {
            Self::Due(due) => due.iter().map(|leased| leased.id.clone()).collect(),
            Self::Pending(pending) => pending.iter().map(|entry| entry.id.clone()).collect(),
            _ => Vec::new(),
        }
    }
}

/// A command with the way back.
pub(in crate::store) struct Command {
    pub op: Op,
    pub answer: oneshot::Sender<Result<Answer, StoreError>>,
}
