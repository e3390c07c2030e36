//! What must last: queue, quarantine, decisions, audit, accounts. Content is encrypted with a key that is not in the database.
//!
//! Never knows sockets, people or rules. A message is in exactly one [`State`]; every change is one transaction with an
//! audit line. [`NewEntry`]s are durable, message and entry both, when their commit returns.
//!
//! Facts stand in SQLite (`queue.db`), written by one task that commits in groups (`writer`); content is appended to
//! segment files, or is a file of its own when large. First content is synced, then rows commit, then the caller is
//! answered; content that no row names is swept when a daemon starts. Clean mail takes two syncs a group: one for the
//! segment, one for the database. What people will decide on goes to a segment of its own (one sync more), so that a held
//! message does not keep the bytes of delivered ones on disk.
//!
//! Work is leased: a lease names its owner, one opening of the store, by a random token. What this owner has in hand is
//! never leased to it again, however late it is; what another one has is not leased before its lease is over by the
//! [`Clock`]. Leases are short and renewed, so that what a dead node had in hand is soon taken up.
//!
//! One process writes: whoever holds the [`Lock`]. That is the daemon, which does what commands ask of it through its
//! control socket (`relay::control`); a command opens the store itself only while no daemon runs. Whatever is made in
//! the directory belongs to the directory's owner.
//!
//! Nothing is leased for delivery but a notice of ours, mail with a stored verdict `deliver` for exactly its bytes, and
//! mail that a person released; the schema checks it too (`migrations/`).

pub mod accounts;
mod allowances;
mod audit;
mod clock;
mod content;
mod counts;
mod database;
mod deadlines;
mod decisions;
mod delay;
mod disclosures;
mod error;
mod exemptions;
pub mod fault;
mod held;
mod id;
mod incidents;
mod intake;
mod inventory;
mod journal;
mod key;
mod lease;
mod lock;
mod modes;
mod overview;
mod owner;
mod personal_use;
mod purpose;
mod queue;
mod review;
mod row;
mod sealed;
mod search;
mod segment;
mod sender;
mod setting;
#[cfg(test)]
pub(crate) mod tests;
mod verify;
mod wait;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use allowances::{KeptAllowance, NewAllowance};
pub use audit::{AuditFilter, AuditLine, AuditLink, GATEWAY};
pub use clock::Clock;
pub use counts::{Beside, SentText, TextsToday};
pub use deadlines::Stage;
pub use decisions::{Decision, Grounds, Ruling};
pub use delay::Delayed;
pub use disclosures::{
    Acting, Disclosing, Disclosure, DisclosureKind, DisclosureState, Exported, Listed, Made, NewDisclosure, ToIndex,
};
pub use error::StoreError;
pub use exemptions::{KeptExemption, NewExemption};
pub use held::{Decided, HeldFigures, HeldFilter, HeldKey, HeldLine, HeldPage};
pub use id::QueueId;
pub use incidents::{
    Assessment, ConcernedChild, DueReminder, Export, Incident, IncidentFilter, IncidentKey, IncidentKind, IncidentLine,
    NewIncident, Origin, Written,
};
pub use inventory::{Count, Filter, Shown, ShownRecipient, Summary};
pub use journal::{JournalFigures, LegalHold, NewHold};
pub use key::StoreKey;
pub use lock::Lock;
pub use modes::{ModeStep, RuleMode};
pub use overview::{Overview, OverviewWeek, Pace, RuleEffect, WeekFigures};
pub use personal_use::{Amount, MonthOfUse, NamedSender, Sight};
pub use purpose::LawfulPurpose;
pub use queue::{DueRecipient, Leased, Left, Outcome, PendingEntry, RecipientOutcome};
pub use review::Classification;
pub use sealed::{Replacing, Sealed, Stamp};
pub use search::{Fit, Found, Hit, Search};
pub use segment::Counts;
pub use sender::{Brought, OpenLink, SENDER, SenderAct, SenderLink};
pub use setting::Outage;
pub use verify::{AuditCheck, AuditFault, Scope};
pub use wait::Leaves;

use crate::inspect::Report;
use crate::limits;
use crate::smtp::Envelope;

/// Where a message stands. Exactly one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Taken in, not yet inspected; can never leave.
    Pending,
    /// To be delivered: has a stored verdict `deliver` for exactly these bytes, or was released.
    Queued,
    /// In quarantine, waiting for a decision.
    Held,
    /// Not delivered; a notice went back to the sender. Final, unless it is kept: then its sender may still send it, cancel
    /// it or hand it over.
    Returned,
    /// Every recipient was taken by the smarthost.
    Delivered,
    /// Given up; reported to the sender.
    Failed,
    /// Dropped by a person, with who and why.
    Discarded,
}

impl State {
    /// Every state, in the order of a message's way.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Queued, Self::Held, Self::Returned, Self::Delivered, Self::Failed, Self::Discarded];

    /// The word that the store, logs and the command line use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Queued => "queued",
            Self::Held => "held",
            Self::Returned => "returned",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Discarded => "discarded",
        }
    }

    /// The content is still wanted. Returned mail may keep its own for a time besides.
    pub fn keeps_content(self) -> bool {
        matches!(self, Self::Pending | Self::Queued | Self::Held)
    }
}

impl std::str::FromStr for State {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|state| state.as_str() == s).ok_or(())
    }
}

/// Mail of a person, or a notice of our own about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// What came in by SMTP.
    Mail,
    /// A bounce, hold notice, SBM notice or delivery report that we wrote; never inspected, never answered.
    Notice,
}

/// A message to be made durable.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Its id.
    pub id: QueueId,
    /// Mail or notice.
    pub class: Class,
    /// The message that a notice is about.
    pub about: Option<QueueId>,
    /// `Pending`, `Queued`, `Held` or `Returned`.
    pub state: State,
    /// From whom, to whom.
    pub envelope: Envelope,
    /// Our Received line and the message: exactly the bytes that may leave, with CRLF line ends and no dot-stuffing.
    pub content: std::sync::Arc<[u8]>,
    /// SHA-256 of `content`; delivery checks it against the bytes that it sends.
    pub sha256: [u8; 32],
    /// The decision, absent while pending and for notices.
    pub report: Option<Report>,
    /// When it was taken in.
    pub at: jiff::Timestamp,
    /// Address of the client, for the audit line.
    pub client: Option<std::net::IpAddr>,
}

impl Class {
    /// The word that the store and the command line use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Notice => "notice",
        }
    }
}

const SEGMENTS: &str = "segments";
const LARGE: &str = "large";

/// Files that only the gateway's own user may read.
fn private() -> std::fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options.mode(0o600);
    options
}

/// The store. Cheap to clone; the last clone to go lets the writer end.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    directory: PathBuf,
    /// For what is sealed beside the database.
    key: StoreKey,
    keys: Arc<key::Keys>,
    hasher: accounts::Hasher,
    clock: Clock,
    reader: sqlx::SqlitePool,
    commands: tokio::sync::mpsc::Sender<writer::Command>,
    shared: Arc<writer::Shared>,
    /// Held while the roster is replaced.
    replacing: tokio::sync::Mutex<()>,
    /// Wakes who waits for a new roster.
    replaced: tokio::sync::Notify,
    /// The link that makes the first account.
    first: std::sync::Mutex<Option<accounts::OpenFirst>>,
}

/// What a command opens the store for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To look: nothing is put right.
    Look,
    /// To change something: leases that a daemon left when it died end first.
    Change,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("directory", &self.inner.directory).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store a second time, for tests that want two writers. The program never has more than one.
    #[cfg(test)]
    pub(crate) async fn open(directory: &Path, key: StoreKey) -> Result<Self, StoreError> {
        Self::open_with(directory, key, None, &Manner::default()).await
    }

    /// Opens the store for the one daemon that serves from it; creates it when missing (mode 0700).
    ///
    /// What a crash left behind is put right: the leases of all others end, content that no row names is swept. A command that holds the
    /// lock is waited for, up to [`limits::STORE_LOCK_MILLIS`].
    ///
    /// # Errors
    /// [`StoreError::InUse`] with the process id of another daemon; [`StoreError::WrongKey`]; what disk and database say.
    pub async fn open_exclusive(directory: &Path, key: StoreKey) -> Result<Self, StoreError> {
        Self::open_exclusive_in(directory, key, &Manner::default()).await
    }

    pub(crate) async fn open_exclusive_in(
        directory: &Path,
        key: StoreKey,
        manner: &Manner,
    ) -> Result<Self, StoreError> {
        make_directory(directory)?;
        let patience = Instant::now() + Duration::from_millis(limits::STORE_LOCK_MILLIS);
        let lock = loop {
            match Lock::take(directory) {
                Err(StoreError::InUse(_)) if Instant::now() < patience => {
                    tokio::time::sleep(Duration::from_millis(limits::STORE_LOCK_AGAIN_MILLIS)).await;
                }
                taken => break taken?,
            }
        };
        let store = Self::open_with(directory, key, Some(lock), manner).await?;
        store.recover().await?;
        Ok(store)
    }

    /// Opens the store for a command while no daemon runs, which `lock` is proof of. Never creates one.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there is none; otherwise as [`Store::open_exclusive`].
    pub async fn open_alone(directory: &Path, key: StoreKey, lock: Lock, purpose: Purpose) -> Result<Self, StoreError> {
        if !Self::exists(directory) {
            return Err(StoreError::Missing(directory.display().to_string()));
        }
        let store = Self::open_with(directory, key, Some(lock), &Manner::default()).await?;
        if purpose == Purpose::Change {
            store.recover().await?;
        }
        Ok(store)
    }

    /// Whether a daemon has ever made a store here.
    pub fn exists(directory: &Path) -> bool {
        directory.join(database::FILE).exists()
    }

    async fn open_with(
        directory: &Path,
        key: StoreKey,
        lock: Option<Lock>,
        manner: &Manner,
    ) -> Result<Self, StoreError> {
        make_directory(directory)?;
        for name in [SEGMENTS, LARGE] {
            let inside = directory.join(name);
            make_directory(&inside)?;
            std::fs::File::open(&inside)
                .and_then(|opened| owner::give(&opened, directory))
                .map_err(|e| StoreError::io(format!("{} cannot be used", inside.display()), &e))?;
        }
        let keys = Arc::new(key::Keys::derive(&key)?);
        let options = database::options(directory).busy_timeout(manner.busy);
        let connection = database::prepare(&options, &keys).await?;
        let reader = database::reader(&options).await?;
        let clock = manner.clock.clone();
        let allowances = sqlx::query("select 1 from allowance limit 1").fetch_optional(&reader).await?.is_some();
        let exemptions = sqlx::query("select 1 from exemption limit 1").fetch_optional(&reader).await?.is_some();
        let modes = modes::in_force(&reader).await?;
        let owner = token(&keys)?;
        let (commands, shared) =
            writer::spawn(directory, options, connection, lock, owner, clock.clone(), Arc::clone(&keys));
        shared.allowances.store(allowances, std::sync::atomic::Ordering::Release);
        shared.exemptions.store(exemptions, std::sync::atomic::Ordering::Release);
        shared.modes.store(Arc::new(modes));
        let inner = Inner {
            directory: directory.to_owned(),
            key,
            keys,
            hasher: accounts::Hasher::new()?,
            clock,
            reader,
            commands,
            shared,
            replacing: tokio::sync::Mutex::default(),
            replaced: tokio::sync::Notify::new(),
            first: std::sync::Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The time that leases and schedules go by.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Makes one commit through the writer and waits until it is durable: shows that the store takes what it is given.
    ///
    /// # Errors
    /// What a commit of mail would meet now: a full disk, a database that fails or is locked, a writer that has ended.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.ask(writer::Op::Probe).await.map(drop)
    }

    /// Ends when the writer has ended, be it that the store was closed or that the writer panicked: from then on every
    /// command is answered [`StoreError::Closed`]. Holds no handle of the store.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut ended = self.inner.shared.ended.clone();
        async move {
            // The writer holds a sender for as long as it runs and never sends.
            while ended.changed().await.is_ok() {}
        }
    }

    /// Puts a new roster in the place of the earlier one, sealed; when this returns, it is on stable storage, and whoever
    /// waits in [`Store::wait_for_roster`] is woken.
    ///
    /// # Errors
    /// What the disk says; the earlier roster stays then.
    pub async fn replace_roster(&self, roster: zeroize::Zeroizing<Vec<u8>>) -> Result<(), StoreError> {
        let _one = self.inner.replacing.lock().await;
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || Sealed::new(&inner.directory).replace(&inner.key, &roster))
            .await
            .map_err(|_| StoreError::Closed)??;
        self.inner.replaced.notify_one();
        Ok(())
    }

    /// Wakes when this process has replaced the roster.
    pub async fn wait_for_roster(&self) {
        self.inner.replaced.notified().await;
    }

    /// Wakes when mail that may leave was committed, released or set to be retried by this process.
    ///
    /// What another process changed is only found by asking again.
    pub async fn wait_for_mail(&self) {
        self.inner.shared.queued.notified().await;
    }

    /// Wakes when a pending message was committed by this process.
    pub async fn wait_for_pending(&self) {
        self.inner.shared.pending.notified().await;
    }

    /// Gives freshly committed mail straight to delivery, leased for `lease_for` and with its content, as long as
    /// `places` are free.
    ///
    /// What finds no place is leased with [`Store::lease_due`] as ever.
    pub fn hand_over(&self, places: usize, lease_for: Duration) -> tokio::sync::mpsc::Receiver<Leased> {
        let (sender, receiver) = tokio::sync::mpsc::channel(places.max(1));
        if let Ok(mut slot) = self.inner.shared.hand_over.lock() {
            *slot = Some((sender, lease_for));
        }
        receiver
    }

    /// Lets go of this handle; when it was the last one, waits until the writer has ended and the lock is free.
    pub async fn close(self) {
        let task = self.inner.shared.task.lock().ok().and_then(|mut slot| slot.take());
        let Some(inner) = Arc::into_inner(self.inner) else { return };
        inner.reader.close().await;
        drop(inner);
        if let Some(task) = task {
            let _ = task.await;
        }
    }

    /// How often the disk was asked to be sure.
    pub fn counts_of_syncs(&self) -> &Counts {
        &self.inner.shared.counts
    }
}

/// How a store is opened; a test may want it otherwise than a daemon.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    pub clock: Clock,
    /// Wait for another process that writes.
    pub busy: Duration,
}

impl Default for Manner {
    fn default() -> Self {
        Self { clock: Clock::system(), busy: Duration::from_secs(limits::STORE_BUSY) }
    }
}

/// The owner of this opening's leases. A process id would not do: it returns after a restart, and on other nodes.
fn token(keys: &key::Keys) -> Result<String, StoreError> {
    use std::fmt::Write;
    let mut token = String::with_capacity(32);
    for byte in keys.random::<16>()? {
        // Writing to a string never fails.
        let _ = write!(token, "{byte:02x}");
    }
    Ok(token)
}

fn make_directory(directory: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt;
    if directory.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        // Its name lasts when the directory that it stands in was synced.
        .and_then(|()| {
            std::fs::File::open(
                directory.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new(".")),
            )?
            .sync_all()
        })
        .map_err(|e| StoreError::io(format!("{} cannot be created", directory.display()), &e))
}
