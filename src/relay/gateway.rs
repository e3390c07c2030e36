//! Puts the moving parts together: one running gateway, from its first socket to the last committed outcome.

use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::control::{Control, ControlError};
use super::deliver::{self, DeliverError};
use super::intake::Intake;
use super::listen::{ListenError, ListenOptions, Listener, Pace};
use super::log::{Event, event};
use super::monitor::{self, Monitor, MonitorError, Readiness};
use super::notify::{Notifier, TemplateError};
use crate::config::{Config, StoreConfig};
use crate::extract::Pool;
use crate::inspect::Ground;
use crate::limits;
use crate::store::{Count, State, Store, StoreError, StoreKey};
use crate::text::problem::FileProblems;

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration lacks what serving needs.
    #[error(transparent)]
    Config(#[from] FileProblems),
    /// Key, database or content.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// A school's own template is broken.
    #[error("notices.templates: {0}")]
    Template(#[from] TemplateError),
    /// TLS to the smarthost.
    #[error(transparent)]
    Deliver(#[from] DeliverError),
    /// A port.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Metrics and health.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
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
    intake: Arc<Intake>,
    readiness: Readiness,
    stop_listening: watch::Sender<bool>,
    stop_working: watch::Sender<bool>,
    listening: JoinSet<()>,
    working: JoinSet<()>,
}

impl Gateway {
    /// Opens the store, starts every part, and returns when mail is taken in.
    pub async fn start(config: &Config, ground: Ground) -> Result<Self, StartError> {
        let (smarthost, place) = config.relay_ready()?;
        let key = StoreKey::load(place.key_file.as_deref())?;
        let trace_key = key.derived("received line");
        let store = Store::open_exclusive(&place.path, key).await?;
        let from = config.notice_from().ok_or_else(|| FileProblems::one(&config.file, "notices.from is missing"))?;
        let notifier = Notifier::new(
            &config.school.name,
            &config.school.telephone,
            &config.listen.hostname,
            from,
            config.notices.templates.as_deref(),
            config.roles.clone(),
        )?;
        let short_of_space = Arc::new(AtomicBool::new(false));
        let options = ListenOptions {
            hostname: config.listen.hostname.clone(),
            postmaster_domain: config.school.domains.first().cloned().unwrap_or_default(),
            relay_from: config.listen.relay_from.clone(),
            message_size: config.listen.message_size,
            spool: place.path.clone(),
            store_key: trace_key,
            short_of_space: Arc::clone(&short_of_space),
            pace: Pace::default(),
        };
        let listener = Listener::bind(&config.listen.addresses, options).await?;
        let addresses = listener.addresses();
        let readiness = Readiness::new();
        let (stop_listening, listening_ends) = watch::channel(false);
        let (stop_working, working_ends) = watch::channel(false);
        let (mut listening, mut working) = (JoinSet::new(), JoinSet::new());
        if let Some(address) = config.monitor {
            let (monitor, readiness) = (Monitor::bind(address).await?, readiness.clone());
            let mut ends = working_ends.clone();
            working.spawn(async move {
                tokio::select! {
                    ended = monitor.serve(readiness) => if let Err(error) = ended {
                        event!(Event::Trouble, what = "monitor", reason = %error);
                    },
                    _ = ends.changed() => {}
                }
            });
        }

        working.spawn(Control::bind(&place.path)?.serve(store.clone(), notifier.clone(), working_ends.clone()));
        let warm = std::thread::available_parallelism().map_or(1, NonZero::get);
        let workers = Arc::new(Pool::start(warm).map_err(StartError::Workers)?);
        let intake = Arc::new(Intake::new(Arc::new(ground), store.clone(), notifier, workers)?);
        let pending = Arc::clone(&intake);
        let pending_ends = working_ends.clone();
        working.spawn(async move { pending.run_pending(pending_ends).await });
        working.spawn(deliver::run(
            store.clone(),
            smarthost.clone(),
            config.listen.hostname.clone(),
            config.queue.clone(),
            working_ends.clone(),
        )?);
        working.spawn(watch_store(
            store.clone(),
            place.clone(),
            config.listen.message_size,
            short_of_space,
            working_ends,
        ));
        listening.spawn(listener.serve(Arc::clone(&intake), listening_ends));
        readiness.set(true);
        for address in &addresses {
            event!(Event::Started, address = %address, smarthost = smarthost.host, port = smarthost.port);
        }
        Ok(Self { addresses, store, intake, readiness, stop_listening, stop_working, listening, working })
    }

    /// From the next message on, decisions rest on this.
    pub fn replace_ground(&self, ground: Ground) {
        self.intake.replace_ground(Arc::new(ground));
        event!(Event::Reloaded, what = "rules and roster");
    }

    /// Stops in good order: takes no more mail, answers what is being taken, records the outcomes of what is being sent.
    pub async fn stop(mut self) {
        self.readiness.set(false);
        let _ = self.stop_listening.send(true);
        while self.listening.join_next().await.is_some() {}
        let _ = self.stop_working.send(true);
        let all = async { while self.working.join_next().await.is_some() {} };
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

/// Keeps the queue's figures for the metrics, refuses mail at MAIL when the disk is nearly full (RFC 1870 6), and forgets
/// messages that were done with long ago.
async fn watch_store(
    store: Store,
    place: StoreConfig,
    message_size: usize,
    short_of_space: Arc<AtomicBool>,
    mut stop: watch::Receiver<bool>,
) {
    let mut forgot = Instant::now();
    loop {
        let free = rustix::fs::statvfs(&place.path).map(|s| s.f_bavail.saturating_mul(s.f_frsize));
        let short = free.is_ok_and(|free| free < message_size as u64 + limits::DISK_RESERVE_BYTES);
        if short_of_space.swap(short, Ordering::Relaxed) != short {
            let reason = if short { "MAIL is answered with 452" } else { "mail is taken again" };
            event!(Event::Trouble, what = "disk space", reason);
        }
        let now = Timestamp::now();
        match store.backlog().await {
            Ok(counts) => publish(&counts, now),
            Err(error) => event!(Event::Trouble, what = "the store cannot be read", reason = %error),
        }
        if forgot.elapsed() >= Duration::from_secs(limits::FORGET_SECONDS) {
            forgot = Instant::now();
            if let Err(error) = store.forget(now - place.keep).await {
                event!(Event::Trouble, what = "old messages cannot be forgotten", reason = %error);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(limits::WATCH_STORE_SECONDS)) => {}
            _ = stop.changed() => return,
        }
    }
}

fn publish(counts: &[Count], now: Timestamp) {
    let of = |state| counts.iter().find(|c| c.state == state);
    let messages = |state| of(state).map_or(0, |c| c.messages);
    let oldest =
        of(State::Queued).and_then(|c| c.oldest).map_or(Duration::ZERO, |at| now.duration_since(at).unsigned_abs());
    monitor::queue(messages(State::Pending), messages(State::Queued), messages(State::Held), oldest);
}
