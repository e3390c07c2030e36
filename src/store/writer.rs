//! The one task that writes: it drains waiting commands into one transaction and answers them after the commit.
//!
//! First the content of the whole group is appended and synced, then its rows commit. When a sync or a commit fails, every
//! command of the group is answered with the error and nothing is tried again by itself: after a failed fsync nobody
//! knows what the disk holds. A command that alone upsets the database does not spoil its group: the group is rolled back
//! and each command runs by itself.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{Notify, mpsc, oneshot};

use super::audit::Chain;
use super::content::{Place, Sealed};
use super::segment::{Counts, Segment};
use super::{Decision, LARGE, Leased, Lock, NewEntry, PendingEntry, QueueId, SEGMENTS, State, StoreError};
use super::{decisions, fault, intake, queue};
use crate::limits;

/// How often closed segments are looked at, and how often the whole directory.
const SWEEP_SOON: Duration = Duration::from_secs(1);
const SWEEP_ALL: Duration = Duration::from_secs(3_600);

/// A message on its way into the store: sealed, and with a place once it has one.
pub(super) struct Entry {
    pub new: NewEntry,
    /// The record waits for a segment; large ones come with their place.
    pub record: Option<Vec<u8>>,
    /// Absent for what is committed without content.
    pub key: Option<Vec<u8>>,
    pub place: Option<Place>,
    /// The report, sealed.
    pub report: Option<Vec<u8>>,
}

impl Entry {
    pub fn new(new: NewEntry, sealed: Option<Sealed>, report: Option<Vec<u8>>) -> Self {
        let (record, key) = sealed.map_or((None, None), |s| (Some(s.record), Some(s.key)));
        Self { new, record, key, place: None, report }
    }
}

/// What can be asked of the writer.
pub(super) enum Op {
    Commit(Vec<Entry>),
    Decide(Box<intake::Decide>),
    InspectionFailed(QueueId),
    LeaseDue(queue::LeaseRequest),
    LeasePending(queue::LeaseRequest),
    EndLease(Vec<QueueId>),
    Record(Box<queue::Record>),
    Decision(Box<decisions::Request>),
    Damaged(QueueId, String),
    Recover,
    Forget(Timestamp),
}

impl Op {
    fn entries(&mut self) -> &mut [Entry] {
        match self {
            Self::Commit(entries) => entries,
            Self::Decide(decide) => &mut decide.notices,
            Self::Record(record) => &mut record.notices,
            Self::Decision(request) => &mut request.notices,
            _ => &mut [],
        }
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Answer, StoreError> {
        match self {
            Self::Commit(entries) => tx.insert(entries).await.map(|()| Answer::Done),
            Self::Decide(decide) => tx.decide(decide).await.map(|()| Answer::Done),
            Self::InspectionFailed(id) => tx.inspection_failed(id).await.map(Answer::Tries),
            Self::LeaseDue(request) => tx.lease_due(request).await.map(Answer::Due),
            Self::LeasePending(request) => tx.lease_pending(request).await.map(Answer::Pending),
            Self::EndLease(ids) => tx.end_lease(ids).await.map(|()| Answer::Done),
            Self::Record(record) => tx.record(record).await.map(Answer::State),
            Self::Decision(request) => tx.apply(request).await.map(Answer::Decision),
            Self::Damaged(id, reason) => tx.damaged(id, reason).await.map(|()| Answer::Done),
            Self::Forget(before) => tx.forget(*before).await.map(Answer::Count),
            Self::Recover => tx.recover().await.map(|()| Answer::Done),
        }
    }
}

/// What a command is answered with.
pub(super) enum Answer {
    Done,
    Tries(u32),
    Count(u64),
    Due(Vec<Leased>),
    Pending(Vec<PendingEntry>),
    State(State),
    Decision(Decision),
}

/// A command with the way back.
pub(super) struct Command {
    pub op: Op,
    pub answer: oneshot::Sender<Result<Answer, StoreError>>,
}

/// What the writer shares with the store's other hands.
#[derive(Default)]
pub(super) struct Shared {
    pub queued: Notify,
    pub pending: Notify,
    pub hand_over: Mutex<Option<(mpsc::Sender<Leased>, Duration)>>,
    pub counts: Arc<Counts>,
    /// Whether this process is the daemon, which may sweep.
    pub exclusive: std::sync::atomic::AtomicBool,
    pub task: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

/// A transaction, with what follows from it once it is committed.
pub(super) struct Tx<'a> {
    pub connection: &'a mut SqliteConnection,
    pub chain: Chain,
    pub now: Timestamp,
    pub owner: &'a str,
    /// Free places with delivery, and the length of the leases given with them.
    pub places: usize,
    pub lease_for: Duration,
    pub effects: Effects,
}

/// What is done after the commit and not before.
#[derive(Default)]
pub(super) struct Effects {
    pub queued: bool,
    pub pending: bool,
    pub handed: Vec<Leased>,
    /// Content files that lost a row.
    pub dropped: Vec<String>,
}

enum Failure {
    /// One command upset the database; nothing was committed.
    Command(StoreError),
    /// The commit itself failed.
    Commit(StoreError),
}

struct Writer {
    directory: PathBuf,
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
    /// Segment for what leaves in seconds, and for what waits for a person or an inspection.
    segments: Option<[Segment; 2]>,
    shared: Arc<Shared>,
    owner: String,
    /// Segments that this process began.
    own: HashSet<String>,
    /// Content files that lost a row since the last look.
    touched: HashSet<String>,
    looked: Instant,
    /// Never, until the first group: a daemon's first command ends the leases of the last one.
    swept: Option<Instant>,
}

/// Starts the writer; it ends when the last sender is gone.
pub(super) fn spawn(
    directory: &Path,
    options: SqliteConnectOptions,
    connection: SqliteConnection,
    lock: Option<Lock>,
) -> (mpsc::Sender<Command>, Arc<Shared>) {
    let (sender, receiver) = mpsc::channel(limits::GROUP_COMMANDS);
    let shared = Arc::new(Shared::default());
    shared.exclusive.store(lock.is_some(), Ordering::Relaxed);
    let segment = |kind| Segment::new(directory, kind, Arc::clone(&shared.counts));
    let writer = Writer {
        directory: directory.to_owned(),
        options,
        connection: Some(connection),
        segments: Some([segment("transit"), segment("kept")]),
        shared: Arc::clone(&shared),
        owner: std::process::id().to_string(),
        own: HashSet::new(),
        touched: HashSet::new(),
        looked: Instant::now(),
        swept: None,
    };
    let task = tokio::spawn(async move {
        writer.run(receiver).await;
        // Held for as long as this process may write; the system lets go of it when the process dies.
        drop(lock);
    });
    if let Ok(mut slot) = shared.task.lock() {
        *slot = Some(task);
    }
    (sender, shared)
}

impl Writer {
    async fn run(mut self, mut receiver: mpsc::Receiver<Command>) {
        loop {
            let wait = if self.touched.is_empty() { SWEEP_ALL } else { SWEEP_SOON };
            match tokio::time::timeout(wait, receiver.recv()).await {
                Ok(Some(first)) => {
                    let mut group = vec![first];
                    while group.len() < limits::GROUP_COMMANDS
                        && let Ok(next) = receiver.try_recv()
                    {
                        group.push(next);
                    }
                    self.group(group).await;
                }
                Ok(None) => break,
                Err(_) => {}
            }
            if self.looked.elapsed() >= SWEEP_SOON {
                self.sweep_touched().await;
            }
            if self.swept.is_none_or(|at| at.elapsed() >= SWEEP_ALL) && self.shared.exclusive.load(Ordering::Relaxed) {
                self.sweep_all().await;
            }
        }
        self.sweep_touched().await;
        if let Some(connection) = self.connection.take() {
            let _ = connection.close().await;
        }
    }

    /// One group: content, rows, answers, and what follows.
    async fn group(&mut self, mut group: Vec<Command>) {
        if let Err((failed, error)) = self.place(&mut group).await {
            let mut number = 0..;
            group = group
                .into_iter()
                .filter_map(|command| {
                    if failed.contains(&number.next()?) {
                        let _ = command.answer.send(Err(error.clone()));
                        return None;
                    }
                    Some(command)
                })
                .collect();
        }
        if group.is_empty() {
            return;
        }
        match self.transact(&group).await {
            Ok((results, effects)) => self.answer(group, results, effects),
            Err(Failure::Command(_)) if group.len() > 1 => {
                for command in group {
                    let one = [command];
                    match self.transact(&one).await {
                        Ok((results, effects)) => self.answer(one, results, effects),
                        Err(Failure::Command(error) | Failure::Commit(error)) => self.refuse(one, &error),
                    }
                }
            }
            Err(Failure::Command(error)) => self.refuse(group, &error),
            Err(Failure::Commit(error)) => {
                // What the connection believes after a failed commit is not to be relied on.
                self.connection = None;
                self.refuse(group, &error);
            }
        }
    }

    fn answer(
        &mut self,
        group: impl IntoIterator<Item = Command>,
        results: Vec<Result<Answer, StoreError>>,
        effects: Effects,
    ) {
        self.shared.counts.commits.fetch_add(1, Ordering::Relaxed);
        fault::point("after-commit");
        for (command, result) in group.into_iter().zip(results) {
            let _ = command.answer.send(result);
        }
        self.touched.extend(effects.dropped);
        if let Ok(mut slot) = self.shared.hand_over.lock()
            && let Some((sender, _)) = slot.as_ref()
        {
            let mut gone = false;
            for leased in effects.handed {
                gone |= sender.try_send(leased).is_err();
            }
            if gone {
                *slot = None;
            }
        }
        if effects.queued {
            self.shared.queued.notify_one();
        }
        if effects.pending {
            self.shared.pending.notify_one();
        }
    }

    fn refuse(&mut self, group: impl IntoIterator<Item = Command>, error: &StoreError) {
        tracing::error!(%error, "the store could not commit");
        for mut command in group {
            self.touched.extend(command.op.entries().iter().filter_map(|e| e.place.as_ref().map(|p| p.file.clone())));
            let _ = command.answer.send(Err(error.clone()));
        }
    }

    /// Gives every record of the group its place in a segment. The error names the commands that it concerns.
    async fn place(&mut self, group: &mut [Command]) -> Result<(), (HashSet<usize>, StoreError)> {
        let mut records: [Vec<Vec<u8>>; 2] = Default::default();
        let mut whose: [Vec<(usize, usize)>; 2] = Default::default();
        for (number, command) in group.iter_mut().enumerate() {
            for (which, entry) in command.op.entries().iter_mut().enumerate() {
                if let Some(record) = entry.record.take() {
                    let kept = usize::from(entry.new.state != State::Queued);
                    records[kept].push(record);
                    whose[kept].push((number, which));
                }
            }
        }
        if whose.iter().all(Vec::is_empty) {
            return Ok(());
        }
        let concerned = || whose.iter().flatten().map(|(number, _)| *number).collect();
        let Some(mut segments) = self.segments.take() else { return Err((concerned(), StoreError::Closed)) };
        let written = tokio::task::spawn_blocking(move || {
            let [transit, kept] = &mut segments;
            let places = transit.append(&records[0]).and_then(|t| Ok([t, kept.append(&records[1])?]));
            (segments, places)
        })
        .await;
        let places = match written {
            Ok((segments, places)) => {
                self.own.extend(segments.iter().filter_map(|s| s.name().map(str::to_owned)));
                self.segments = Some(segments);
                places.map_err(|error| (concerned(), error))?
            }
            Err(_) => return Err((concerned(), StoreError::Closed)),
        };
        for (places, whose) in places.into_iter().zip(&whose) {
            for (place, (number, which)) in places.into_iter().zip(whose) {
                self.own.insert(place.file.clone());
                if let Some(entry) = group[*number].op.entries().get_mut(*which) {
                    entry.place = Some(place);
                }
            }
        }
        Ok(())
    }

    async fn transact(&mut self, group: &[Command]) -> Result<(Vec<Result<Answer, StoreError>>, Effects), Failure> {
        let failed = |e: sqlx::Error| Failure::Commit(e.into());
        if self.connection.is_none() {
            self.connection = Some(SqliteConnection::connect_with(&self.options).await.map_err(failed)?);
        }
        let Some(connection) = &mut self.connection else { return Err(Failure::Commit(StoreError::Closed)) };
        let (places, lease_for) = match self.shared.hand_over.lock().as_deref() {
            Ok(Some((sender, lease_for))) if !sender.is_closed() => (sender.capacity(), *lease_for),
            _ => (0, Duration::ZERO),
        };
        let mut transaction = connection.begin_with("begin immediate").await.map_err(failed)?;
        let chain = Chain::end(&mut transaction).await.map_err(Failure::Command)?;
        let mut tx = Tx {
            connection: &mut transaction,
            chain,
            now: Timestamp::now(),
            owner: &self.owner,
            places,
            lease_for,
            effects: Effects::default(),
        };
        let mut results = Vec::with_capacity(group.len());
        for command in group {
            match command.op.run(&mut tx).await {
                Err(error) if error.is_failure() => return Err(Failure::Command(error)),
                result => results.push(result),
            }
        }
        let effects = tx.effects;
        transaction.commit().await.map_err(failed)?;
        Ok((results, effects))
    }

    /// Deletes files that lost a row and have none left: large ones, and segments that this process wrote and closed.
    async fn sweep_touched(&mut self) {
        self.looked = Instant::now();
        let touched: Vec<String> =
            self.touched.drain().filter(|file| file.starts_with(LARGE) || self.own.contains(file)).collect();
        for file in touched {
            if self.segments.iter().flatten().any(|s| s.name() == Some(&file)) {
                continue;
            }
            if self.unnamed(&file).await {
                let _ = std::fs::remove_file(self.directory.join(&file));
                self.own.remove(&file);
            }
        }
    }

    /// Deletes every content file that no row names, except young ones: another process may be about to commit its row.
    pub async fn sweep_all(&mut self) {
        self.swept = Some(Instant::now());
        for directory in [SEGMENTS, LARGE] {
            let Ok(entries) = std::fs::read_dir(self.directory.join(directory)) else { continue };
            for entry in entries.flatten() {
                let old = entry.metadata().and_then(|m| m.modified()).is_ok_and(|modified| {
                    let age = SystemTime::now().duration_since(modified).unwrap_or_default();
                    age >= Duration::from_secs(limits::SWEEP_AGE)
                });
                let file = format!("{directory}/{}", entry.file_name().to_string_lossy());
                let active = self.segments.iter().flatten().any(|s| s.name() == Some(&file));
                if old && !active && self.unnamed(&file).await && std::fs::remove_file(entry.path()).is_ok() {
                    tracing::info!(%file, "swept content that no message names");
                }
            }
        }
    }

    async fn unnamed(&mut self, file: &str) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        let named = sqlx::query("select 1 from message where content_file = $1 limit 1")
            .bind(file)
            .fetch_optional(connection)
            .await;
        matches!(named, Ok(None))
    }
}
