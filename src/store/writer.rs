//! The one task that writes: it drains waiting commands into one transaction and answers them after the commit.
//!
//! First the content of the whole group is appended and synced, then its rows commit. When a sync or a commit fails, every
//! command of the group is answered with the error and nothing is tried again by itself: after a failed fsync nobody
//! knows what the disk holds. A command that alone upsets the database does not spoil its group: the group is rolled back
//! and each command runs by itself. After a failed commit the connection is given up: what it believes is not to be relied
//! on.
//!
//! What was leased to us and reached nobody (the caller had gone, the commit is in doubt, delivery had stopped) would
//! never be leased again by itself, so the writer ends such leases on its own, as soon as it can.

mod op;

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};

use super::audit::Chain;
use super::key::Keys;
use super::segment::{Counts, Segment};
use super::{Clock, LARGE, Leased, Lock, QueueId, SEGMENTS, State, StoreError, fault};
use crate::limits;
use crate::school_time::SchoolTime;
pub(super) use op::{Answer, Command, Entry, Op};

/// How often closed segments are looked at, and how often the whole directory.
const SWEEP_SOON: Duration = Duration::from_secs(limits::SWEEP_SECONDS);
const SWEEP_ALL: Duration = Duration::from_secs(limits::SWEEP_ALL_SECONDS);

/// What the writer shares with the store's other hands.
pub(super) struct Shared {
    /// The owner of our leases.
    pub owner: String,
    pub queued: Notify,
    pub pending: Notify,
    pub hand_over: Mutex<Option<(mpsc::Sender<Leased>, Duration)>>,
    pub counts: Arc<Counts>,
    /// Whether this process is the daemon, which may sweep.
    pub exclusive: std::sync::atomic::AtomicBool,
    /// Whether any allowance may hold; once true, it stays so while the store is open.
    pub allowances: std::sync::atomic::AtomicBool,
    /// Likewise any exemption.
    pub exemptions: std::sync::atomic::AtomicBool,
    pub task: Mutex<Option<JoinHandle<()>>>,
    /// Its sender goes with the writer.
    pub ended: watch::Receiver<()>,
    /// How deadlines are counted.
    pub school_time: arc_swap::ArcSwap<SchoolTime>,
}

/// A transaction, with what follows from it once it is committed.
pub(super) struct Tx<'a> {
    pub connection: &'a mut SqliteConnection,
    pub chain: Chain,
    pub now: Timestamp,
    pub owner: &'a str,
    pub school_time: Arc<SchoolTime>,
    /// Free places with delivery, and the length of the leases given with them.
    pub places: usize,
    pub lease_for: Duration,
    pub effects: Effects,
    pub allowances: &'a std::sync::atomic::AtomicBool,
    pub exemptions: &'a std::sync::atomic::AtomicBool,
    pub keys: &'a Keys,
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
    clock: Clock,
    keys: Arc<Keys>,
    /// Leased to us and in nobody's hands.
    let_go: Vec<QueueId>,
    /// Segments that this process began.
    own: HashSet<String>,
    /// Content files that lost a row since the last look.
    touched: HashSet<String>,
    looked: Instant,
    /// Never, until the first group: a daemon's first command ends the leases of the last one.
    swept: Option<Instant>,
    /// The listing of all content files that is being made.
    listing: Option<JoinHandle<Vec<String>>>,
    /// Content files that may have no row left, to be looked up.
    suspects: VecDeque<Suspect>,
}

/// A content file that may have no row left.
struct Suspect {
    file: String,
    /// Found in its directory; otherwise one that lost a row just now.
    stray: bool,
}

/// Starts the writer; it ends when the last sender is gone.
pub(super) fn spawn(
    directory: &Path,
    options: SqliteConnectOptions,
    connection: SqliteConnection,
    lock: Option<Lock>,
    owner: String,
    clock: Clock,
    keys: Arc<Keys>,
) -> (mpsc::Sender<Command>, Arc<Shared>) {
    let (sender, receiver) = mpsc::channel(limits::GROUP_COMMANDS);
    let (running, ended) = watch::channel(());
    let shared = Arc::new(Shared {
        owner,
        queued: Notify::default(),
        pending: Notify::default(),
        hand_over: Mutex::default(),
        counts: Arc::default(),
        exclusive: lock.is_some().into(),
        allowances: false.into(),
        exemptions: false.into(),
        task: Mutex::default(),
        ended,
        school_time: arc_swap::ArcSwap::default(),
    });
    let writer = Writer {
        directory: directory.to_owned(),
        options,
        connection: Some(connection),
        segments: None,
        shared: Arc::clone(&shared),
        clock,
        keys,
        let_go: Vec::new(),
        own: HashSet::new(),
        touched: HashSet::new(),
        looked: Instant::now(),
        swept: None,
        listing: None,
        suspects: VecDeque::new(),
    };
    let task = tokio::spawn(async move {
        // Both are held for as long as this process may write, and go when the writer panics, too; the system lets go of
        // the lock when the process dies.
        let _held = (running, lock);
        writer.run(receiver).await;
    });
    if let Ok(mut slot) = shared.task.lock() {
        *slot = Some(task);
    }
    (sender, shared)
}

impl Writer {
    async fn run(mut self, mut receiver: mpsc::Receiver<Command>) {
        loop {
            match tokio::time::timeout(self.patience(), receiver.recv()).await {
                Ok(Some(first)) => {
                    let mut group = vec![first];
                    while group.len() < limits::GROUP_COMMANDS
                        && let Ok(next) = receiver.try_recv()
                    {
                        group.push(next);
                    }
                    fault::panic_point("writer");
                    fault::standing_point("writer").await;
                    self.group(group).await;
                }
                Ok(None) => break,
                Err(_) if !self.let_go.is_empty() => self.group(Vec::new()).await,
                Err(_) => {}
            }
            if self.looked.elapsed() >= SWEEP_SOON {
                self.suspect_touched();
            }
            if self.shared.exclusive.load(Ordering::Relaxed) {
                self.list_all().await;
            }
            self.sweep(limits::SWEEP_BATCH).await;
        }
        self.suspects.retain(|suspect| !suspect.stray);
        self.suspect_touched();
        self.sweep(usize::MAX).await;
        if let Some(connection) = self.connection.take() {
            let _ = connection.close().await;
        }
    }

    /// How long the writer waits for the next command before it looks after its house.
    fn patience(&self) -> Duration {
        if !self.suspects.is_empty() {
            Duration::ZERO
        } else if self.touched.is_empty() && self.listing.is_none() && self.let_go.is_empty() {
            SWEEP_ALL
        } else {
            SWEEP_SOON
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
            if group.is_empty() {
                return;
            }
        }
        match self.transact(&group).await {
            Ok((results, effects)) => self.answer(group, results, effects),
            Err(Failure::Command(_)) if group.len() > 1 => self.one_by_one(group).await,
            Err(Failure::Command(error) | Failure::Commit(error)) => self.refuse(group, &error),
        }
    }

    /// Runs the commands of a group that one of them upset, each in a transaction of its own.
    async fn one_by_one(&mut self, group: Vec<Command>) {
        let mut group = group.into_iter();
        while let Some(command) = group.next() {
            let one = vec![command];
            match self.transact(&one).await {
                Ok((results, effects)) => self.answer(one, results, effects),
                Err(Failure::Command(error)) => self.refuse(one, &error),
                Err(Failure::Commit(error)) => {
                    // It is the disk or the database, not the command: the others would wait as long and fare no better.
                    self.refuse(one, &error);
                    return self.refuse(group.collect(), &error);
                }
            }
        }
    }

    fn answer(&mut self, group: Vec<Command>, results: Vec<Result<Answer, StoreError>>, effects: Effects) {
        self.shared.counts.commits.fetch_add(1, Ordering::Relaxed);
        fault::point("after-commit");
        for (command, result) in group.into_iter().zip(results) {
            if let Err(Ok(lost)) = command.answer.send(result) {
                self.let_go.extend(lost.leased());
            }
        }
        self.touched.extend(effects.dropped);
        if let Ok(mut slot) = self.shared.hand_over.lock() {
            let sender = slot.as_ref().map(|(sender, _)| sender);
            let before = self.let_go.len();
            for leased in effects.handed {
                let id = leased.id.clone();
                if sender.is_none_or(|sender| sender.try_send(leased).is_err()) {
                    self.let_go.push(id);
                }
            }
            if self.let_go.len() > before {
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

    fn refuse(&mut self, group: Vec<Command>, error: &StoreError) {
        tracing::error!(%error, "the store could not commit");
        for mut command in group {
            if let Op::EndLease(ids) = &command.op {
                self.let_go.extend(ids.iter().cloned());
            }
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
                    let waits = entry.new.report.as_ref().is_some_and(|report| report.duties.waits());
                    let kept = usize::from(entry.new.state != State::Queued || waits);
                    records[kept].push(record);
                    whose[kept].push((number, which));
                }
            }
        }
        if whose.iter().all(Vec::is_empty) {
            return Ok(());
        }
        let concerned = || whose.iter().flatten().map(|(number, _)| *number).collect();
        let segment = |kind| Segment::new(&self.directory, kind, Arc::clone(&self.shared.counts));
        let mut segments = self.segments.take().unwrap_or_else(|| [segment("transit"), segment("kept")]);
        let written = spawn_blocking(move || {
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

    /// Runs the commands in one transaction; with none it only ends the leases that were let go.
    async fn transact(&mut self, group: &[Command]) -> Result<(Vec<Result<Answer, StoreError>>, Effects), Failure> {
        let mut given = Vec::new();
        let done = self.try_transact(group, &mut given).await;
        match &done {
            Ok(_) => self.let_go.clear(),
            Err(Failure::Command(_)) => {}
            Err(Failure::Commit(_)) => {
                // Whether it is on the disk or not, nobody has what it gave away; and what the connection believes is
                // not to be relied on.
                self.let_go.append(&mut given);
                self.connection = None;
            }
        }
        done
    }

    /// `given` takes in what a commit that then fails may have leased.
    async fn try_transact(
        &mut self,
        group: &[Command],
        given: &mut Vec<QueueId>,
    ) -> Result<(Vec<Result<Answer, StoreError>>, Effects), Failure> {
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
            now: self.clock.now(),
            owner: &self.shared.owner,
            school_time: self.shared.school_time.load_full(),
            places,
            lease_for,
            effects: Effects::default(),
            allowances: &self.shared.allowances,
            exemptions: &self.shared.exemptions,
            keys: &self.keys,
        };
        tx.end_lease(&self.let_go).await.map_err(Failure::Command)?;
        let mut results = Vec::with_capacity(group.len());
        for command in group {
            match command.op.run(&mut tx).await {
                Err(error) if error.is_failure() => return Err(Failure::Command(error)),
                result => results.push(result),
            }
        }
        let effects = tx.effects;
        given.extend(results.iter().flatten().flat_map(Answer::leased));
        given.extend(effects.handed.iter().map(|leased| leased.id.clone()));
        fault::disk_error("commit-fails").map_err(|e| Failure::Commit(StoreError::io("the commit failed", &e)))?;
        transaction.commit().await.map_err(failed)?;
        Ok((results, effects))
    }

    /// Suspects files that lost a row: large ones, and segments that this process wrote.
    fn suspect_touched(&mut self) {
        self.looked = Instant::now();
        let touched = self.touched.drain().filter(|file| file.starts_with(LARGE) || self.own.contains(file));
        self.suspects.extend(touched.map(|file| Suspect { file, stray: false }));
    }

    /// Now and then suspects every content file, except young ones: another process may be about to commit its row.
    /// The directories are read beside the writer.
    async fn list_all(&mut self) {
        if self.swept.is_none_or(|at| at.elapsed() >= SWEEP_ALL) {
            self.swept = Some(Instant::now());
            let directory = self.directory.clone();
            self.listing = Some(spawn_blocking(move || old_files(&directory)));
        } else if let Some(listing) = self.listing.take_if(|listing| listing.is_finished()) {
            let old = listing.await.unwrap_or_default();
            self.suspects.extend(old.into_iter().map(|file| Suspect { file, stray: true }));
        }
    }

    /// Looks up to `most` suspects up and deletes those that no row names; the writer's next group waits that long.
    async fn sweep(&mut self, most: usize) {
        let batch: Vec<Suspect> = self.suspects.drain(..self.suspects.len().min(most)).collect();
        let mut unnamed = Vec::new();
        for Suspect { file, stray } in batch {
            let grows = self.segments.iter().flatten().any(|s| s.name() == Some(&file));
            if !grows && self.unnamed(&file).await {
                self.own.remove(&file);
                if stray {
                    tracing::info!(%file, "content that no message names is swept");
                }
                unnamed.push(self.directory.join(file));
            }
        }
        if !unnamed.is_empty() {
            // A large file can take long to go.
            let delete = || unnamed.into_iter().for_each(|file| drop(std::fs::remove_file(file)));
            let _ = spawn_blocking(delete).await;
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

/// Every content file that is not young, below the store's directory.
fn old_files(directory: &Path) -> Vec<String> {
    let old = |entry: &std::fs::DirEntry| {
        let modified = entry.metadata().and_then(|m| m.modified());
        modified.is_ok_and(|at| {
            SystemTime::now().duration_since(at).unwrap_or_default() >= Duration::from_secs(limits::SWEEP_AGE)
        })
    };
    let mut files = Vec::new();
    for part in [SEGMENTS, LARGE] {
        let Ok(entries) = std::fs::read_dir(directory.join(part)) else { continue };
        let entries = entries.flatten().filter(old);
        files.extend(entries.map(|entry| format!("{part}/{}", entry.file_name().to_string_lossy())));
    }
    files
}
