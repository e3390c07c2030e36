//! Takes a message in: inspects it, commits it, and only then says 250. The only place that says it.
//!
//! Invariants: nothing is answered 250 before message, verdict and notices are durable in one commit; what could not be
//! decided in time is committed as pending and never leaves before it is decided; after the last failed try it is held.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::{oneshot, watch};

use super::listen::{Submission, TakeIn};
use super::log::{Event, event};
use super::monitor;
use super::notify::{About, Notice, Notifier};
use crate::extract::Isolation;
use crate::inspect::{FiredRule, Ground, Report, inspect_with};
use crate::limits;
use crate::message;
use crate::policy::Action;
use crate::smtp::{Envelope, Reply};
use crate::store::{Class, NewEntry, QueueId, State, Store, StoreError, fault};

/// Decides and commits what the listener hands over.
pub struct Intake {
    /// Rules and roster; swapped whole on reload, so each message sees one version.
    ground: ArcSwap<Ground>,
    store: Store,
    notifier: Notifier,
    /// Inspection has threads of its own, so that a slow archive cannot delay a banner; and small messages have theirs,
    /// so that none waits behind an archive.
    inspectors: rayon::ThreadPool,
    heavy_inspectors: rayon::ThreadPool,
    /// Where attachments are read.
    isolation: Arc<dyn Isolation>,
}

/// A report, and how long it took.
#[derive(Clone)]
struct Inspected {
    report: Report,
    took: Duration,
}

/// Why there is no report.
#[derive(Debug, Clone, Copy)]
enum Undecided {
    /// The time ran out.
    Late,
    /// Inspection failed in itself.
    Failed,
}

impl Intake {
    /// An intake on its ground.
    pub fn new(
        ground: Arc<Ground>,
        store: Store,
        notifier: Notifier,
        isolation: Arc<dyn Isolation>,
    ) -> Result<Self, rayon::ThreadPoolBuildError> {
        let inspectors = rayon::ThreadPoolBuilder::new().thread_name(|i| format!("inspect-{i}")).build()?;
        let heavy_inspectors = rayon::ThreadPoolBuilder::new()
            .thread_name(|i| format!("inspect-heavy-{i}"))
            .start_handler(|_| {
                // On Linux this is the thread's own. Should it fail, large messages merely yield less.
                let _ = rustix::process::nice(limits::WORKER_NICE);
            })
            .build()?;
        Ok(Self { ground: ArcSwap::new(ground), store, notifier, inspectors, heavy_inspectors, isolation })
    }

    /// From the next message on, decisions rest on this.
    pub fn replace_ground(&self, ground: Arc<Ground>) {
        self.ground.store(ground);
    }

    /// Inspects on the pool, within the time budget. A panic is a failed inspection, not a crashed gateway.
    async fn inspect(&self, envelope: &Envelope, content: &Arc<[u8]>, at: Timestamp) -> Result<Inspected, Undecided> {
        let (done, report) = oneshot::channel();
        let (ground, envelope, content) = (self.ground.load_full(), envelope.clone(), Arc::clone(content));
        let isolation = Arc::clone(&self.isolation);
        let started = Instant::now();
        let threads = if content.len() > limits::LIGHT_MESSAGE { &self.heavy_inspectors } else { &self.inspectors };
        threads.spawn(move || {
            let inspected = std::panic::catch_unwind(AssertUnwindSafe(|| {
                if fault::inspection_fails() {
                    std::panic::panic_any("asked for by the environment");
                }
                inspect_with(Some(&*isolation), &ground, &envelope, &content, at)
            }));
            // The receiver is gone when the time ran out; the message is pending by then.
            let _ = done.send(inspected.map_err(|_| Undecided::Failed));
        });
        let budget = Duration::from_secs(limits::INSPECT_SECONDS);
        let outcome = match tokio::time::timeout(budget, report).await {
            Ok(Ok(inspected)) => inspected,
            Ok(Err(_)) => Err(Undecided::Failed),
            Err(_) => Err(Undecided::Late),
        };
        outcome.map(|report| Inspected { report, took: started.elapsed() })
    }

    /// The message's state after a decision, with the notices that belong to it.
    fn consequences(
        &self,
        report: &Report,
        envelope: &Envelope,
        content: &[u8],
        id: &QueueId,
        at: Timestamp,
    ) -> (State, Vec<NewEntry>) {
        if report.action == Action::Deliver {
            return (State::Queued, Vec::new());
        }
        let message = message::read(content);
        let ground = self.ground.load();
        let sender_mailboxes = envelope.mail_from.as_ref().map_or(Vec::new(), |s| ground.school.mailboxes_of(s));
        let about = About {
            envelope,
            subject: &message.subject(),
            message_id: message.header("Message-ID").map(|h| h.value.as_str()),
            id,
            at,
            now: Timestamp::now(),
            sender_mailboxes: &sender_mailboxes,
        };
        // A refusal that comes after our 250 can only be a return.
        if report.action != Action::Hold
            && let Some(notice) = self.notifier.returned_to_sender(report, &about)
        {
            return (State::Returned, vec![notice_entry(notice, id, about.now)]);
        }
        // Held by a rule, or to be returned to a sender who cannot be written to: nothing vanishes in silence.
        let notices = [self.notifier.held_for_sender(report, &about), self.notifier.held_for_reviewer(report, &about)];
        (State::Held, notices.into_iter().flatten().map(|n| notice_entry(n, id, about.now)).collect())
    }

    async fn commit(
        &self,
        submission: &Submission,
        state: State,
        report: Option<Report>,
        notices: Vec<NewEntry>,
    ) -> Result<(), StoreError> {
        let mut entries = vec![NewEntry {
            id: submission.id.clone(),
            class: Class::Mail,
            about: None,
            state,
            envelope: submission.envelope.clone(),
            content: Arc::clone(&submission.content),
            sha256: submission.sha256,
            report,
            at: submission.at,
            client: Some(submission.client),
        }];
        entries.extend(notices);
        self.store.commit(entries).await
    }

    /// Decides what was set aside, until told to stop.
    pub async fn run_pending(&self, mut stop: watch::Receiver<bool>) {
        let pause = Duration::from_secs(limits::PENDING_POLL_SECONDS);
        let lease = Duration::from_secs(limits::PENDING_LEASE_SECONDS);
        while !*stop.borrow() {
            match self.store.lease_pending(self.store.clock().now(), limits::PENDING_BATCH, lease).await {
                Ok(leased) => {
                    for entry in leased {
                        self.decide_pending(&entry.id, &entry.envelope, entry.at).await;
                    }
                }
                Err(error) => {
                    event!(Event::Trouble, what = "pending messages could not be read", reason = %error);
                }
            }
            tokio::select! {
                () = self.store.wait_for_pending() => {}
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed() => {}
            }
        }
    }

    async fn decide_pending(&self, id: &QueueId, envelope: &Envelope, at: Timestamp) {
        let result = match self.store.content(id).await {
            Ok(content) => match self.inspect(envelope, &content, at).await {
                Ok(inspected) => self.settle_pending(id, inspected, envelope, &content).await,
                Err(_) => match self.store.note_inspection_failure(id).await {
                    Ok(tries) if tries >= limits::INSPECT_TRIES => {
                        let report = undecidable(envelope, at);
                        let took = Duration::from_secs(limits::INSPECT_SECONDS);
                        self.settle_pending(id, Inspected { report, took }, envelope, &content).await
                    }
                    Ok(tries) => {
                        event!(Event::Undecided, id = %id, tries);
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
            },
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            event!(Event::Trouble, id = %id, what = "a pending message could not be decided", reason = %error);
            // It is tried again; a lease that cannot be ended now is ended when the store can.
            let _ = self.store.end_lease(vec![id.clone()]).await;
        }
    }

    async fn settle_pending(
        &self,
        id: &QueueId,
        inspected: Inspected,
        envelope: &Envelope,
        content: &[u8],
    ) -> Result<(), StoreError> {
        let (state, notices) = self.consequences(&inspected.report, envelope, content, id, Timestamp::now());
        self.store.decide_pending(id, &inspected.report, state, notices).await?;
        note_decision(id, &inspected, state);
        Ok(())
    }
}

impl TakeIn for Intake {
    async fn take_in(&self, submission: Submission) -> Reply {
        let (id, envelope) = (submission.id.clone(), &submission.envelope);
        let inspected = self.inspect(envelope, &submission.content, submission.at).await;
        let (state, notices) = match &inspected {
            Ok(inspected) if inspected.report.action == Action::Reject => {
                note_decision(&id, inspected, State::Returned);
                return refusal(&inspected.report, &id);
            }
            Ok(inspected) => self.consequences(&inspected.report, envelope, &submission.content, &id, submission.at),
            Err(reason) => {
                event!(Event::Undecided, id = %id, tries = 1, reason = ?reason);
                (State::Pending, Vec::new())
            }
        };
        let report = inspected.as_ref().ok().map(|i| i.report.clone());
        match self.commit(&submission, state, report, notices).await {
            Ok(()) => {}
            Err(StoreError::Full) => {
                event!(Event::Trouble, id = %id, what = "a message was refused", reason = "the disk is full");
                return Reply::no_room();
            }
            Err(error) => {
                event!(Event::Trouble, id = %id, what = "a message could not be stored", reason = %error);
                return Reply::try_again("The message could not be stored, try again later");
            }
        }
        if let Ok(inspected) = &inspected {
            note_decision(&id, inspected, state);
        }
        fault::point("before-250");
        Reply::queued(&id)
    }
}

/// The 550 that the sending server hands to its user: plain words first.
fn refusal(report: &Report, id: &QueueId) -> Reply {
    let rule = report.rules.iter().find(|r| r.action == Action::Reject && !r.observed_only);
    let words =
        rule.map_or("Refused by the school's policy".to_owned(), |r| format!("NOT SENT: {}\n{}", r.why, r.remedy));
    Reply::refused_by_policy(format!("{words}\nReference: {id}"))
}

/// The entry of a notice of our own, to be delivered through the same queue.
pub fn notice_entry(notice: Notice, about: &QueueId, at: Timestamp) -> NewEntry {
    let content: Arc<[u8]> = notice.content.into();
    NewEntry {
        id: QueueId::generate(at),
        class: Class::Notice,
        about: Some(about.clone()),
        state: State::Queued,
        envelope: notice.envelope,
        sha256: sha256(&content),
        content,
        report: None,
        at,
        client: None,
    }
}

/// SHA-256 of bytes that are to be stored.
fn sha256(content: &[u8]) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, content);
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}

/// The report for a message that could not be inspected, however often it was tried.
fn undecidable(envelope: &Envelope, at: Timestamp) -> Report {
    Report {
        action: Action::Hold,
        breach: false,
        notify: vec!["sbm".to_owned()],
        rules: vec![FiredRule {
            id: "unreadable-content".to_owned(),
            action: Action::Hold,
            breach: false,
            why: "It could not be read to its end, so it could not be checked before leaving.".to_owned(),
            remedy: "Send it again with smaller or fewer attachments, or ask the School Business Manager.".to_owned(),
            clauses: Vec::new(),
            observed_only: false,
        }],
        recipients: envelope
            .recipients
            .iter()
            .map(|r| crate::inspect::ReportedRecipient { address: r.to_string(), kind: "external".to_owned() })
            .collect(),
        pupils: Vec::new(),
        unlisted_pupils: 0,
        findings: Vec::new(),
        markers: Vec::new(),
        unreadable: vec![crate::inspect::ReportedUnread { part: "message".to_owned(), why: "beyond-limit".to_owned() }],
        at: Some(at),
    }
}

/// One log line and the counters: rules and numbers, never content.
fn note_decision(id: &QueueId, inspected: &Inspected, state: State) {
    let Inspected { report, took } = inspected;
    let rules: Vec<&str> = report.rules.iter().map(|r| r.id.as_str()).collect();
    monitor::decided(report.action, &rules, *took);
    event!(
        Event::Decided,
        id = %id,
        action = report.action.as_str(),
        breach = report.breach,
        rules = rules.join(","),
        seconds = took.as_secs_f64(),
    );
    match state {
        State::Held => event!(Event::Held, id = %id, rules = rules.join(",")),
        State::Returned if report.action != Action::Reject => {
            event!(Event::Returned, id = %id, rules = rules.join(","))
        }
        _ => {}
    }
}
