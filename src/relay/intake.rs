//! Takes a message in: inspects it, commits it, and only then says 250. The only place that says it.
//!
//! Invariants: nothing is answered 250 before message, verdict and notices are durable in one commit; what could not be
//! decided in time is committed as pending and never leaves before it is decided; after the last failed try it is held.
//! What finds no thread in time is not taken in: the client keeps it.

mod inspectors;
mod signed_in;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use self::inspectors::{Inspectors, Patience, Undone};
use super::answer::{Answers, Tools, offered};
use super::health::Health;
use super::known::{Counted, Gathered, Going};
use super::listen::{Submission, TakeIn};
use super::log::{Event, event};
use super::malware::{Scanner, Screened};
use super::monitor;
use super::notify::{About, Notice, Notifier, Way};
use super::reporting::{self, Mail};
use super::sender::{Ask, possible};
use crate::extract::Isolation;
use crate::inspect::{FiredRule, Ground, Known, Report, inspect_with};
use crate::limits;
use crate::people::RecipientKind;
use crate::policy::Action;
use crate::school_time::SchoolTime;
use crate::smtp::{Account, Address, Credentials, Envelope, NotSignedIn, OwnAddresses, Reply};
use crate::store::{
    Beside, Class, Leaves, NewEntry, PendingEntry, QueueId, SenderLink, State, Store, StoreError, fault,
};

/// Decides and commits what the listener hands over.
pub struct Intake {
    /// Rules and roster; swapped whole on reload, so each message sees one version.
    ground: ArcSwap<Ground>,
    store: Store,
    notifier: Arc<ArcSwap<Notifier>>,
    inspectors: Inspectors,
    /// Who is asked for malware.
    scanner: Scanner,
    /// Where attachments are read.
    isolation: Arc<dyn Isolation>,
    health: Health,
    /// What becomes of answers to notices.
    answers: Answers,
    /// Texts of messages that are being decided on.
    going: Going,
}

/// A message as it is decided on.
#[derive(Clone)]
struct Case {
    id: QueueId,
    envelope: Envelope,
    content: Arc<[u8]>,
    /// When it was taken in.
    at: Timestamp,
}

/// How a sender may come to their message.
#[derive(Clone)]
struct Ways {
    link: SenderLink,
    /// Where they answer its notice.
    answer_to: Option<Address>,
}

/// A decision with all that follows from it.
struct Decided {
    report: Report,
    state: State,
    notices: Vec<NewEntry>,
    /// What leads its sender to it, where it is held or kept.
    link: Option<SenderLink>,
    /// Its text, where that counts; others see it until this goes.
    text: Option<Counted>,
    took: Duration,
}

impl Intake {
    /// An intake on its ground.
    ///
    /// # Errors
    /// The threads cannot be started.
    pub fn new(
        ground: Arc<Ground>,
        store: Store,
        notifier: Arc<ArcSwap<Notifier>>,
        isolation: Arc<dyn Isolation>,
        scanner: Scanner,
        health: Health,
        answers: Answers,
    ) -> Result<Self, rayon::ThreadPoolBuildError> {
        let inspectors = Inspectors::new(health.clone(), Patience::default())?;
        Ok(Self {
            ground: ArcSwap::new(ground),
            store,
            notifier,
            inspectors,
            scanner,
            isolation,
            health,
            answers,
            going: Going::default(),
        })
    }

    /// What decisions rest on now.
    pub fn ground(&self) -> Arc<Ground> {
        self.ground.load_full()
    }

    /// From the next message on, decisions rest on this.
    pub fn replace_ground(&self, ground: Arc<Ground>) {
        self.ground.store(ground);
    }

    /// Inspects, and beside it asks for malware. Where it is not the last try and clamd may be asked again soon, nothing is
    /// decided yet.
    async fn decide(&self, case: Case, last: bool) -> Result<Decided, Undone> {
        // One version of the rules, however often they change before the message is decided.
        let ground = self.ground.load_full();
        let inspection = self.inspected(&ground, case.clone(), Screened::Clean, None);
        let (screened, decided) = tokio::join!(self.screen(&case), inspection);
        let decided = decided?;
        match screened {
            Screened::Clean => Ok(decided),
            _ if decided.report.action == Action::Reject => Ok(decided),
            // The rules may ask of it.
            Screened::Found(_) => {
                // Its text is counted anew, and not beside itself.
                drop(decided);
                self.inspected(&ground, case, screened, None).await
            }
            Screened::Unchecked(why) if why.is_passing() && !last => Err(Undone::Unscreened),
            Screened::Unchecked(_) => {
                let Decided { report, text, .. } = decided;
                drop(text);
                self.inspected(&ground, case, screened, Some(report)).await
            }
        }
    }

    /// What clamd says of a message, with a word in the log where something is to be said.
    async fn screen(&self, case: &Case) -> Screened {
        let screened = self.scanner.screen(&case.content).await;
        match &screened {
            Screened::Clean => {}
            Screened::Found(_) => event!(Event::MalwareFound, id = %case.id),
            Screened::Unchecked(reason) => event!(Event::Unscreened, id = %case.id, reason = %reason),
        }
        screened
    }

    /// Inspects, unless there is a report already, and composes the notices, all on the threads for it: a panic in any of it
    /// is a failed inspection.
    async fn inspected(
        &self,
        ground: &Arc<Ground>,
        case: Case,
        screened: Screened,
        report: Option<Report>,
    ) -> Result<Decided, Undone> {
        let (ground, notifier) = (Arc::clone(ground), self.notifier.load_full());
        let isolation = Arc::clone(&self.isolation);
        let (times, clock) = (self.store.school_time(), self.store.clock().clone());
        let gathered = Gathered::of(&self.store, &ground, &case.envelope, case.at).await;
        let going = self.going.clone();
        let ways = self.ways(&case);
        let started = Instant::now();
        let decided = self.inspectors.run(case.content.len(), move |halt| {
            fault::inspection();
            let text = gathered.count(&going, &ground, &case.envelope, &case.content);
            let mut report = report.clone().unwrap_or_else(|| {
                let known = gathered.known(text.as_ref().map_or(0, |text| text.again));
                let known = Known { malware: screened.is_malware(), ..known };
                inspect_with(Some(&*isolation), halt, &ground, &known, &case.envelope, &case.content, case.at)
            });
            screened.add_to(&mut report, &ground.pack);
            let (state, notices, link) =
                consequences(&notifier, &ground, &report, &case, &times, ways.clone(), clock.now());
            // Of a message that was not read to its end nothing is believed.
            (!halt.is_set()).then_some((report, state, notices, link, text))
        });
        let (report, state, notices, link, text) = decided.await?.ok_or(Undone::Late)?;
        Ok(Decided { report, state, notices, link, text, took: started.elapsed() })
    }

    /// The message whose notice this answers; such mail is for us.
    fn answered(&self, envelope: &Envelope) -> Option<QueueId> {
        let addresses = self.answers.addresses();
        envelope.recipients.iter().find_map(|to| addresses.message_of(envelope.mail_from.as_ref(), to))
    }

    /// What may lead the sender to the message. Where a link cannot be made, the message is decided on
    /// without.
    fn ways(&self, case: &Case) -> Option<Ways> {
        // What waits before it leaves has its answers without a desk, too.
        let keep = self.notifier.load().keeps_returned().unwrap_or_default();
        let made = self.store.new_sender_link(&case.id, keep).inspect_err(|error| {
            event!(Event::Trouble, id = %case.id, what = "a link for a sender could not be made", reason = %error);
        });
        let sender = case.envelope.mail_from.as_ref();
        let answer_to = sender.and_then(|sender| self.answers.addresses().of(&case.id, sender));
        made.ok().map(|link| Ways { link, answer_to })
    }

    /// Commits the message in the state that was decided, with its notices.
    async fn commit(
        &self,
        submission: &Submission,
        state: State,
        report: Option<Report>,
        notices: Vec<NewEntry>,
        beside: Beside,
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
        let committed = self.store.commit_with(entries, beside).await;
        if self.health.committed(committed.as_ref().copied(), Instant::now()) && committed.is_ok() {
            event!(Event::StoreBack,);
        }
        committed
    }

    /// Decides what was set aside, until told to stop. What goes wrong with one message is that message's own.
    pub async fn run_pending(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let pause = Duration::from_secs(limits::PENDING_POLL_SECONDS);
        let lease = Duration::from_secs(limits::PENDING_LEASE_SECONDS);
        while !*stop.borrow() {
            match self.store.lease_pending(self.store.clock().now(), limits::PENDING_BATCH, lease).await {
                Ok(leased) => {
                    for entry in leased {
                        let id = entry.id.clone();
                        let intake = Arc::clone(&self);
                        // A task of its own: its panic is not the next message's.
                        let decided = tokio::spawn(async move { intake.decide_pending(entry).await }).await;
                        let reason = match decided {
                            Ok(Ok(())) => continue,
                            Ok(Err(error)) => error.to_string(),
                            Err(_) => self.after_panic(&id).await,
                        };
                        event!(Event::Trouble, id = %id, what = "a pending message could not be decided", reason);
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

    /// Ends the try of a message that made its task panic; the next try of too many holds it.
    async fn after_panic(&self, id: &QueueId) -> String {
        match self.store.note_inspection_failure(id).await {
            Ok(tries) => format!("its task panicked, try {tries} of {}", limits::INSPECT_TRIES),
            Err(error) => format!("its task panicked, which could not be noted: {error}"),
        }
    }

    async fn decide_pending(&self, entry: PendingEntry) -> Result<(), StoreError> {
        let PendingEntry { id, envelope, at, tries, .. } = entry;
        let content = self.store.content(&id).await?;
        let case = Case { id: id.clone(), envelope: envelope.clone(), content, at };
        // The tries before this one did not end, not even in failure: it is not tried again.
        if tries > limits::INSPECT_TRIES {
            return self.settle(&case, undecidable(&envelope, at)).await;
        }
        match self.decide(case.clone(), tries >= limits::INSPECT_TRIES).await {
            Ok(decided) => {
                let Decided { report, state, notices, link, text, took } = decided;
                let beside =
                    Beside { link, text: text.as_ref().map(|text| text.sent.clone()), account: None, incident: None };
                self.store.decide_pending(&id, &report, state, notices, beside).await?;
                note_decision(&id, &report, state, took);
                Ok(())
            }
            Err(Undone::Busy) => self.store.put_off_inspection(&id).await,
            Err(Undone::Late | Undone::Failed) if tries >= limits::INSPECT_TRIES => {
                self.settle(&case, undecidable(&envelope, at)).await
            }
            Err(reason) => {
                let tries = self.store.note_inspection_failure(&id).await?;
                event!(Event::Undecided, id = %id, tries, reason = ?reason);
                Ok(())
            }
        }
    }

    /// Stores a decision that no inspection has led to.
    async fn settle(&self, case: &Case, mut report: Report) -> Result<(), StoreError> {
        let screened = self.screen(case).await;
        let (notifier, ground) = (self.notifier.load_full(), self.ground.load_full());
        report.rules_version = ground.version().to_owned();
        screened.add_to(&mut report, &ground.pack);
        let ways = self.ways(case);
        let times = self.store.school_time();
        let now = self.store.clock().now();
        let (state, notices, link) = consequences(&notifier, &ground, &report, case, &times, ways, now);
        self.store.decide_pending(&case.id, &report, state, notices, link).await?;
        note_decision(&case.id, &report, state, Duration::from_secs(limits::INSPECT_SECONDS));
        Ok(())
    }
}

impl TakeIn for Intake {
    async fn take_in(&self, submission: Submission) -> Reply {
        let submission = match signed_in::completed(submission).await {
            Ok(submission) => submission,
            Err(reply) => return reply,
        };
        let id = submission.id.clone();
        if let Some(message) = self.answered(&submission.envelope) {
            let tools = Tools {
                ground: self.ground(),
                notifier: self.notifier.load_full(),
                isolation: Arc::clone(&self.isolation),
                scanner: self.scanner.clone(),
            };
            let reply = self.answers.take(&id, &message, submission.content, tools).await;
            fault::point("before-250");
            return reply;
        }
        let case = Case {
            id: id.clone(),
            envelope: submission.envelope.clone(),
            content: Arc::clone(&submission.content),
            at: submission.at,
        };
        let (state, decided, mut notices, link, text) = match self.decide(case, false).await {
            Ok(Decided { report, took, .. }) if report.action == Action::Reject => {
                note_decision(&id, &report, State::Returned, took);
                return refusal(&report, &id);
            }
            Ok(Decided { report, state, notices, link, text, took }) => {
                (state, Some((report, took)), notices, link, text)
            }
            // To take it and set it aside would only put off the wait; the client still has it.
            Err(Undone::Busy) => return Reply::busy(),
            Err(reason) => {
                event!(Event::Undecided, id = %id, tries = 1, reason = ?reason);
                (State::Pending, None, Vec::new(), None, None)
            }
        };
        let report = decided.as_ref().map(|(report, _)| report.clone());
        let mail = Mail { id: &id, envelope: &submission.envelope, content: &submission.content };
        let (notifier, ground, now) = (self.notifier.load_full(), self.ground(), self.store.clock().now());
        let incident = reporting::reported(&notifier, &ground, &mail, report.as_ref(), now).await.map(|reported| {
            notices.extend(reported.notices);
            reported.incident
        });
        let account = submission.account.as_ref().map(|account| account.name.clone());
        let beside = Beside { link, text: text.as_ref().map(|text| text.sent.clone()), account, incident };
        match self.commit(&submission, state, report, notices, beside).await {
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
        if let Some((report, took)) = &decided {
            note_decision(&id, report, state, *took);
        }
        fault::point("before-250");
        Reply::queued(&id)
    }

    async fn sign_in(&self, credentials: Credentials, client: IpAddr) -> Result<Account, NotSignedIn> {
        let ground = self.ground.load_full();
        signed_in::sign_in(&self.store, &ground.school.domains, &credentials, client).await
    }

    fn own(&self) -> Arc<dyn OwnAddresses> {
        Arc::clone(self.answers.addresses()) as _
    }
}

/// The message's state after a decision, with the notices that belong to it. With `digests`, reviewers are told at once of a
/// likely breach and of what concerns safeguarding alone. With the link, where it leads to something.
fn consequences(
    notifier: &Notifier,
    ground: &Ground,
    report: &Report,
    case: &Case,
    times: &SchoolTime,
    ways: Option<Ways>,
    now: Timestamp,
) -> (State, Vec<NewEntry>, Option<SenderLink>) {
    if report.action == Action::Deliver {
        let (notice, link) = Leaves::of(report, times, case.at, now)
            .and_then(|leaves| told_of_wait(notifier, ground, report, case, &leaves, ways?, now))
            .unzip();
        return (State::Queued, notice.into_iter().collect(), link);
    }
    // What would have been refused is nothing that its sender could let go, nor is anything without a desk.
    let ways = ways.filter(|_| report.action != Action::Reject && notifier.keeps_returned().is_some());
    let Case { id, envelope, at, .. } = case;
    let not_told = report.mailboxes_concerned(&ground.school, envelope.mail_from.as_ref());
    let possible = possible(ground, Some(report));
    let [if_held, if_returned] = [true, false].map(|held| offered(&Ask::possible(held, possible)));
    let way = |answers| ways.as_ref().map(|to| Way { link: Some(&to.link), answer_to: to.answer_to.as_ref(), answers });
    let about = About {
        envelope,
        subject: &report.subject,
        message_id: report.message_id.as_deref(),
        id,
        at: *at,
        now,
        not_told: &not_told,
        link: way(&if_returned),
    };
    let link = ways.as_ref().map(|ways| ways.link.clone());
    // A refusal that comes after our 250 can only be a return.
    if report.action != Action::Hold
        && let Some(notice) = notifier.returned_to_sender(report, &about)
    {
        return (State::Returned, vec![notice_entry(notice, id, about.now)], link);
    }
    // Held by a rule, or to be returned to a sender who cannot be written to: nothing vanishes in silence.
    // What is no likely breach is told of in a digest, where there is one.
    let at_once = times.digest_at.is_empty() || report.breach || report.concerns_safeguarding();
    let reviewers = at_once.then(|| notifier.held_for_reviewer(report, &about, times.plan(about.now).due_at)).flatten();
    let sender = notifier.held_for_sender(report, &About { link: way(&if_held), ..about });
    let told = sender.is_some();
    let notices = [sender, reviewers].into_iter().flatten().map(|n| notice_entry(n, id, about.now)).collect();
    (State::Held, notices, link.filter(|_| told))
}

/// What the sender of a message is told that waits before it leaves, with the link: staff alone, of mail that goes outside. A short
/// wait for the school to open is not worth a letter.
fn told_of_wait(
    notifier: &Notifier,
    ground: &Ground,
    report: &Report,
    case: &Case,
    leaves: &Leaves,
    ways: Ways,
    now: Timestamp,
) -> Option<(NewEntry, SenderLink)> {
    let Case { id, envelope, at, .. } = case;
    let own = envelope.mail_from.as_ref().is_some_and(|from| ground.school.domains.contains(&from.domain()));
    let outside = report.recipients.iter().any(|to| to.kind != RecipientKind::Internal.as_str());
    let long = leaves.at.duration_since(now) >= SignedDuration::from_mins(limits::WAIT_TOLD_MINUTES);
    if !own || !outside || (leaves.second_look_until.is_none() && !long) {
        return None;
    }
    let answers = offered(&Ask::waiting(leaves, now));
    let about = About {
        envelope,
        subject: &report.subject,
        message_id: report.message_id.as_deref(),
        id,
        at: *at,
        now,
        not_told: &[],
        link: Some(Way { link: Some(&ways.link), answer_to: ways.answer_to.as_ref(), answers: &answers }),
    };
    let notice = notifier.waits(report, &about, leaves)?;
    Some((notice_entry(notice, id, now), ways.link))
}

/// The 550 that the sending server hands to its user: plain words first.
fn refusal(report: &Report, id: &QueueId) -> Reply {
    let rule = report.rules.iter().find(|r| r.action == Action::Reject && r.counts());
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
pub(super) fn sha256(content: &[u8]) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, content);
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}

/// The report for a message that could not be inspected, however often it was tried.
fn undecidable(envelope: &Envelope, at: Timestamp) -> Report {
    Report {
        notify: vec!["sbm".to_owned()],
        rules: vec![FiredRule {
            id: "unreadable-content".to_owned(),
            action: Action::Hold,
            breach: false,
            why: "It could not be read to its end, so it could not be checked before leaving.".to_owned(),
            remedy: "Send it with smaller or fewer attachments.".to_owned(),
            clauses: Vec::new(),
            observed_only: false,
            confirmed: None,
            exempt: None,
            found: Vec::new(),
            reasons: Vec::new(),
        }],
        recipients: envelope
            .recipients
            .iter()
            .map(|r| crate::inspect::ReportedRecipient {
                address: r.to_string(),
                kind: "external".to_owned(),
                guardian_of: Vec::new(),
                entitled: false,
            })
            .collect(),
        unreadable: vec![crate::inspect::ReportedUnread { part: "message".to_owned(), why: "beyond-limit".to_owned() }],
        at: Some(at),
        ..Report::of(Action::Hold)
    }
}

/// One log line and the counters: rules and numbers, never content.
fn note_decision(id: &QueueId, report: &Report, state: State, took: Duration) {
    let rules: Vec<&str> = report.rules.iter().map(|r| r.id.as_str()).collect();
    monitor::decided(report.action, &rules, took);
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
