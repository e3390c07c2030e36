//! Puts the moving parts together: one running gateway, from its first socket to the last committed outcome.
//!
//! Every long-lived task runs under a [`Supervisor`]: when one ends that nobody had told to, [`Gateway::failed`] returns,
//! and whoever runs the gateway ends the process. A store whose disk is full is waited for, with the door shut (421).

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::watch;

use super::answer::{AnswerAddresses, Answers};
use super::control::{Control, ControlError};
use super::deadlines::Deadlines;
use super::deliver::{self, Delivery};
use super::first_account;
use super::health::{Door, Health};
use super::intake::Intake;
use super::listen::{ListenError, ListenHandle};
use super::log::{Event, event};
use super::malware::Scanner;
use super::monitor;
use super::notify::Notifier;
use super::parts::{self, PartError};
use super::remembered;
use super::supervise::{Supervisor, Task};
use crate::config::{Config, StoreConfig};
use crate::extract::{Isolation, Pool};
use crate::inspect::Ground;
use crate::limits;
use crate::school_time::SchoolTime;
use crate::store::{Count, State, Store, StoreError, StoreKey};

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A part cannot be made as configured.
    #[error(transparent)]
    Part(#[from] PartError),
    /// The store cannot be opened or made.
    #[error("{at}: {error}")]
    Open {
        /// File, line, column and key.
        at: String,
        /// Why.
        error: StoreError,
    },
    /// Database or content.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// No temporary files.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The socket of the commands.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// Threads for inspection.
    #[error("the threads for inspection cannot be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// Processes that read attachments.
    #[error("the processes that read attachments cannot be started: {0}")]
    Workers(std::io::Error),
}

/// A running gateway.
pub struct Gateway {
    /// Where it listens, with the ports that the system chose.
    pub addresses: Vec<SocketAddr>,
    /// What it keeps.
    pub store: Store,
    /// How it is.
    pub health: Health,
    /// As it was started: what a reload cannot change stays so.
    started: Config,
    intake: Arc<Intake>,
    rules: RulesNow,
    notifier: Arc<ArcSwap<Notifier>>,
    scanner: Scanner,
    delivery: Delivery,
    listens: ListenHandle,
    /// What the watch over the store goes by.
    current: Arc<ArcSwap<Watched>>,
    /// Processes that read attachments.
    workers: Arc<Pool>,
    stop_listening: watch::Sender<bool>,
    stop_working: watch::Sender<bool>,
    listening: Supervisor,
    working: Supervisor,
}

impl Gateway {
    /// Opens the store, starts every part, and returns when mail is taken in.
    ///
    /// While the disk of the store is full it waits, and says 421 to everybody.
    ///
    /// # Errors
    /// What keeps the gateway from serving until a person has changed something.
    pub async fn start(config: &Config, ground: Ground) -> Result<Self, StartError> {
        let (smarthost, place) = config.relay_ready().map_err(PartError::from)?;
        let key = parts::key(config, place)?;
        let notifier = Arc::new(ArcSwap::from_pointee(parts::notifier(config)?));
        let route = parts::route(config, smarthost, &key)?;
        let health = Health::new();
        let listener = parts::listener(config, parts::listen_options(config, place, &key, &health)).await?;
        let listens = listener.handle();
        let addresses = listener.addresses();
        let (stop_listening, listening_ends) = watch::channel(false);
        let (stop_working, working_ends) = watch::channel(false);
        let (mut listening, mut working) = (Supervisor::default(), Supervisor::default());
        if let Some(monitor) = parts::monitor(config).await? {
            let health = health.clone();
            let mut ends = working_ends.clone();
            working.spawn(Task::Monitor, async move {
                tokio::select! {
                    ended = monitor.serve(health) => if let Err(error) = ended {
                        event!(Event::Trouble, what = "monitor", reason = %error);
                    },
                    _ = ends.changed() => {}
                }
            });
        }
        let opened = listener.turn_away_until(open_store(place, &key, &health)).await;
        let store = opened.map_err(|error| {
            let key = if matches!(error, StoreError::WrongKey) { "store.key_file" } else { "store.path" };
            StartError::Open { at: config.at(key), error }
        })?;
        listener.check_spool()?;
        store.keep_school_time(config.school_time.clone()).await?;

        working.spawn(
            Task::Control,
            Control::bind(&place.path)?.serve(store.clone(), Arc::clone(&notifier), working_ends.clone()),
        );
        working.spawn(Task::Writer, writer_ends(store.ended(), working_ends.clone()));
        let warm = std::thread::available_parallelism().map_or(1, NonZero::get);
        let workers = Arc::new(Pool::start(warm).map_err(StartError::Workers)?);
        let isolation: Arc<dyn Isolation> = Arc::clone(&workers) as _;
        let ground = Arc::new(with_chosen_modes(&store, ground));
        remembered::end_with_roster(store.clone(), Arc::clone(&ground)).await;
        let days = config.review.as_ref().map_or(limits::REMEMBER_DAYS, |review| review.remember_days);
        let answers = Answers::new(AnswerAddresses::new(store.clone(), &config.listen.hostname), days);
        let scanner = Scanner::new(config.malware.clone());
        let (told, look) = (Arc::clone(&notifier), scanner.clone());
        let intake = Intake::new(ground, store.clone(), told, isolation, look, health.clone(), answers)?;
        let intake = Arc::new(intake);
        let pending = Arc::clone(&intake);
        let pending_ends = working_ends.clone();
        working.spawn(Task::Pending, pending.run_pending(pending_ends));
        let hostname = config.listen.hostname.clone();
        let (delivery, delivers) = deliver::run(store.clone(), route, hostname, health.clone(), working_ends.clone());
        working.spawn(Task::Delivery, delivers);
        let current = Arc::new(ArcSwap::from_pointee(Watched::of(config, place)));
        let watched = StoreWatch {
            store: store.clone(),
            directory: place.path.clone(),
            current: Arc::clone(&current),
            health: health.clone(),
        };
        working.spawn(Task::StoreWatch, watched.run(working_ends.clone()));
        let ground_now = Arc::clone(&intake);
        let deadlines = Deadlines::new(
            store.clone(),
            Arc::clone(&notifier),
            Box::new(move |sender| ground_now.ground().school.mailboxes_of(sender)),
            config.review.is_some(),
        );
        working.spawn(Task::Deadlines, deadlines.run(working_ends.clone()));
        first_account::tell(config, &store).await;
        listening.spawn(Task::Listener, listener.serve(Arc::clone(&intake), listening_ends));
        health.set_serving(true);
        for address in &addresses {
            event!(Event::Started, address = %address, smarthost = smarthost.first.host, port = smarthost.first.port);
        }
        let started = config.clone();
        let rules = RulesNow { store: store.clone(), intake: Arc::clone(&intake), one: Arc::default() };
        Ok(Self {
            addresses,
            store,
            health,
            started,
            intake,
            rules,
            notifier,
            scanner,
            delivery,
            listens,
            current,
            workers,
            stop_listening,
            stop_working,
            listening,
            working,
        })
    }

    /// Takes a new configuration and its ground, all of it or, with an error, nothing. `load` reads the ground; it is given
    /// the configuration as it will hold, with what cannot change while the gateway runs. Each key of those that is
    /// otherwise in the file is named in the log.
    ///
    /// # Errors
    /// What a start with the new configuration would fail of.
    pub fn reload<E: From<PartError>>(
        &self,
        mut config: Config,
        load: impl FnOnce(&Config) -> Result<Ground, E>,
    ) -> Result<(), E> {
        let later = config.keep_started(&self.started);
        let (smarthost, place) = config.relay_ready().map_err(PartError::from)?;
        let key = parts::key(&config, place)?;
        let notifier = parts::notifier(&config)?;
        let route = parts::route(&config, smarthost, &key)?;
        let rules = self.listens.prepare(&parts::listen_options(&config, place, &key, &self.health));
        let rules = rules.map_err(|error| parts::not_listening(&config, error))?;
        let ground = self.rules.take(load(&config)?);
        tokio::spawn(remembered::end_with_roster(self.store.clone(), ground));
        self.notifier.store(Arc::new(notifier));
        self.scanner.change(config.malware.clone());
        self.delivery.change(route);
        self.listens.change(rules);
        self.current.store(Arc::new(Watched::of(&config, place)));
        self.store.use_school_time(config.school_time.clone());
        tokio::spawn(keep_school_time(self.store.clone(), config.school_time.clone()));
        event!(Event::Reloaded, what = "configuration, rules and roster");
        for key in later {
            event!(Event::Trouble, what = "a changed key takes effect only at a restart", key = key.as_str());
        }
        Ok(())
    }

    /// The ground in force, whenever it is asked for.
    pub fn ground(&self) -> Arc<dyn Fn() -> Arc<Ground> + Send + Sync> {
        let intake = Arc::clone(&self.intake);
        Arc::new(move || intake.ground())
    }

    /// Has the rules in force take the modes that the store has, from the next message on.
    pub fn modes_put(&self) -> Arc<dyn Fn() + Send + Sync> {
        let rules = self.rules.clone();
        Arc::new(move || rules.take_modes())
    }

    /// What notices are made with; a reload changes it in place.
    pub fn notifier(&self) -> Arc<ArcSwap<Notifier>> {
        Arc::clone(&self.notifier)
    }

    /// Who is asked for malware; a reload changes it in place.
    pub fn scanner(&self) -> Scanner {
        self.scanner.clone()
    }

    /// The processes that read attachments.
    pub fn workers(&self) -> Arc<Pool> {
        Arc::clone(&self.workers)
    }

    /// Runs a task of another room beside its own: when it ends by itself, the gateway has failed.
    pub fn run_beside(&mut self, task: Task, work: impl Future<Output = ()> + Send + 'static) {
        let mut ends = self.stop_working.subscribe();
        self.working.spawn(task, async move {
            tokio::select! {
                () = work => {}
                _ = ends.changed() => {}
            }
        });
    }

    /// Waits until a long-lived task ends that nobody had told to. The process must end then: mail that is taken in
    /// would not be decided, delivered or told of.
    pub async fn failed(&mut self) -> &'static str {
        let task = tokio::select! {
            Some(task) = self.listening.next_end() => task,
            Some(task) = self.working.next_end() => task,
            else => std::future::pending().await,
        };
        self.health.task_ended(task);
        event!(Event::TaskEnded, task = task.as_str(), reason = "the process ends, to be started anew");
        task.as_str()
    }

    /// Stops in good order: takes no more mail, answers what is being taken, records the outcomes of what is being sent.
    pub async fn stop(mut self) {
        self.health.set_serving(false);
        // Whoever watches is gone, or listens.
        let _ = self.stop_listening.send(true);
        self.listening.all_ended().await;
        let _ = self.stop_working.send(true);
        let all = self.working.all_ended();
        if tokio::time::timeout(Duration::from_secs(limits::STOP_SECONDS), all).await.is_err() {
            event!(
                Event::Trouble,
                what = "stopping",
                reason = "delivery did not end in time; it is tried again at the next start"
            );
        }
        event!(Event::Stopped,);
    }
}

/// What changes the ground while the gateway runs: one at a time, so that neither a reload nor a mode is lost to the other.
#[derive(Clone)]
struct RulesNow {
    store: Store,
    intake: Arc<Intake>,
    one: Arc<std::sync::Mutex<()>>,
}

impl RulesNow {
    /// Takes a new ground, with the modes that the store has.
    fn take(&self, ground: Ground) -> Arc<Ground> {
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        let ground = Arc::new(with_chosen_modes(&self.store, ground));
        self.intake.replace_ground(Arc::clone(&ground));
        ground
    }

    /// Takes the modes that the store has for the ground that is in force. None is ever taken away, so that they lie over it.
    fn take_modes(&self) {
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        let (ground, _) = self.intake.ground().with_modes(&self.store.modes());
        self.intake.replace_ground(Arc::new(ground));
    }
}

/// The ground with the modes that were put in force at the desk, which stand over those of the configuration. One for a rule that
/// there is no more is told, and ignored.
fn with_chosen_modes(store: &Store, ground: Ground) -> Ground {
    let modes = store.modes();
    if modes.is_empty() {
        return ground;
    }
    let (ground, unknown) = ground.with_modes(&modes);
    for rule in unknown {
        event!(
            Event::Trouble,
            what = "a mode chosen at the desk is ignored: there is no such rule",
            rule = rule.as_str()
        );
    }
    ground
}

/// What waits for the school to open leaves earlier where it opens earlier now.
async fn keep_school_time(store: Store, times: SchoolTime) {
    if let Err(error) = store.keep_school_time(times).await {
        event!(Event::Trouble, what = "what waits for the school to open keeps its time", reason = %error);
    }
}

/// Stands for the writer, which has ended when this has; told to stop, it ends first.
async fn writer_ends(ended: impl Future<Output = ()>, mut stop: watch::Receiver<bool>) {
    tokio::select! {
        () = ended => {}
        _ = stop.changed() => {}
    }
}

/// Opens the store; while its disk is full, waits for room and says so once.
async fn open_store(place: &StoreConfig, key: &StoreKey, health: &Health) -> Result<Store, StoreError> {
    loop {
        match Store::open_exclusive(&place.path, key.clone()).await {
            Err(StoreError::Full) => {
                if health.committed(Err(&StoreError::Full), Instant::now()) {
                    event!(
                        Event::Trouble,
                        what = "disk space",
                        reason = "the store cannot be opened until there is room"
                    );
                }
                tokio::time::sleep(Duration::from_secs(limits::OPEN_AGAIN_SECONDS)).await;
            }
            opened => {
                health.committed(Ok(()), Instant::now());
                return opened;
            }
        }
    }
}

/// Watches store and disk: refuses mail at MAIL when the disk is nearly full (RFC 1870 6) and at the banner when nothing
/// can be committed, keeps the queue's figures for the metrics, and forgets messages that were done with long ago.
struct StoreWatch {
    store: Store,
    directory: PathBuf,
    current: Arc<ArcSwap<Watched>>,
    health: Health,
}

/// What the watch goes by; a reload changes it.
struct Watched {
    message_size: usize,
    keep: Duration,
}

impl Watched {
    fn of(config: &Config, place: &StoreConfig) -> Self {
        Self { message_size: config.listen.message_size, keep: place.keep }
    }
}

impl StoreWatch {
    async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut forgot = Instant::now();
        loop {
            self.look_at_disk();
            let result = self.store.probe().await;
            if self.health.committed(result.as_ref().copied(), Instant::now()) {
                match &result {
                    Ok(()) => event!(Event::StoreBack,),
                    Err(error) => event!(Event::Trouble, what = "the store does not commit", reason = %error),
                }
            }
            monitor::store_well(result.is_ok());
            match self.store.backlog().await {
                Ok(counts) => publish(&counts, Timestamp::now()),
                Err(error) => event!(Event::Trouble, what = "the store cannot be read", reason = %error),
            }
            match self.store.set_aside_count().await {
                Ok(count) => monitor::set_aside(count),
                Err(error) => event!(Event::Trouble, what = "the store cannot be read", reason = %error),
            }
            if forgot.elapsed() >= Duration::from_secs(limits::FORGET_SECONDS) {
                forgot = Instant::now();
                if let Err(error) = self.store.forget(Timestamp::now() - self.current.load().keep).await {
                    event!(Event::Trouble, what = "old messages cannot be forgotten", reason = %error);
                }
            }
            if let Err(error) = self.store.end_journal().await {
                event!(Event::Trouble, what = "copies whose time is over cannot be deleted", reason = %error);
            }
            let well = self.health.door() == Door::Open;
            let pause = if well { limits::WATCH_STORE_SECONDS } else { limits::WATCH_SICK_SECONDS };
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(pause)) => {}
                _ = stop.changed() => return,
            }
        }
    }

    fn look_at_disk(&self) {
        let Ok(disk) = rustix::fs::statvfs(&self.directory) else { return };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        monitor::store_free(free);
        let short = free < self.current.load().message_size as u64 + limits::DISK_RESERVE_BYTES;
        if self.health.set_short_of_room(short) {
            let reason = if short { "MAIL is answered with 452" } else { "mail is taken again" };
            event!(Event::Trouble, what = "disk space", reason);
        }
    }
}

fn publish(counts: &[Count], now: Timestamp) {
    let of = |state| counts.iter().find(|c| c.state == state);
    let messages = |state| of(state).map_or(0, |c| c.messages);
    let oldest = of(State::Queued)
        .and_then(|c| c.oldest)
        .map_or(Duration::ZERO, |at| Duration::try_from(now.duration_since(at)).unwrap_or_default());
    monitor::queue(messages(State::Pending), messages(State::Queued), messages(State::Held), oldest);
}
