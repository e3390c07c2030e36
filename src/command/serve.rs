//! `schoolgate serve`: runs the gateway until it is told to stop. SIGTERM and SIGINT end it in good order; SIGHUP reads
//! configuration, rules and roster anew, and keeps the old ones where the new ones are bad; what takes effect only at a
//! restart is named in the log. A newly imported roster is seen without it.
//! When a part of the gateway ends by itself, the process ends with status 70, to be started anew.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{self, Config};
use crate::inspect::Ground;
use crate::limits;
use crate::people::RowFault;
use crate::relay::certificate::Certificate;
use crate::relay::gateway::Gateway;
use crate::relay::log::{self, Event, event};
use crate::relay::{monitor, parts};
use crate::store::Sealed;

/// The exit status when a part of the gateway has failed (EX_SOFTWARE of sysexits.h).
const SOFTWARE: u8 = 70;

/// Run the gateway.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
    config: PathBuf,
}

/// As many open files as the system lets this process have: the limit that a shell hands on is often below `[listen] connections`, and
/// who has none left can keep no message either. Where that is still too few, `doctor` and the log say so.
fn raise_open_files() -> rustix::io::Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
}

/// Runs the command.
pub fn run(args: &Serve) -> Result<ExitCode> {
    super::allocator::give_back_soon();
    let config = Config::load(&args.config)?;
    config.relay_ready()?;
    // Looked at even where it is not used yet: the configuration may come to name it while we run.
    let sealed = config.store.as_ref().map(|place| Sealed::new(&place.path));
    // Taken before reading: what is imported meanwhile is seen at the first look.
    let mut stamp = sealed.as_ref().and_then(Sealed::stamp);
    let loaded = super::ground::load_for_relaying(&config)?;
    log::init(config.log)?;
    if let Err(error) = raise_open_files() {
        event!(Event::Trouble, what = "open files", reason = %error);
    }
    monitor::install()?;
    report_faults(&loaded.faults);
    report_regardless(&config, &loaded.ground);
    super::runtime()?.block_on(async {
        let desk = parts::review(&config).await?;
        let providers = super::desk::providers(&config)?;
        let certificate = super::desk::certificate(&config)?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let mut gateway = tokio::select! {
            started = patiently(Gateway::start(&config, loaded.ground)) => started?,
            _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
            _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
        };
        if let Some(socket) = desk {
            super::desk::open(&config, &mut gateway, socket, providers, certificate.clone())?;
        }
        let store = gateway.store.clone();
        tell_systemd(&[NotifyState::Ready, NotifyState::Status("taking mail")]);
        let mut watchdog = tokio::time::interval(watchdog_period());
        let mut look = tokio::time::interval(Duration::from_secs(limits::ROSTER_LOOK_SECONDS));
        let mut end = ExitCode::SUCCESS;
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                // Not in silence, and not half dead: systemd starts a whole one.
                _ = gateway.failed() => {
                    end = ExitCode::from(SOFTWARE);
                    break;
                }
                _ = hang_up.recv() => {
                    // Taken before reading: what is imported meanwhile is seen at the next look.
                    stamp = sealed.as_ref().and_then(Sealed::stamp);
                    reload(&args.config, &gateway, certificate.as_deref());
                }
                () = store.wait_for_roster() => {
                    stamp = sealed.as_ref().and_then(Sealed::stamp);
                    reload(&args.config, &gateway, certificate.as_deref());
                }
                _ = look.tick(), if sealed.is_some() => {
                    let now = sealed.as_ref().and_then(Sealed::stamp);
                    if now != stamp {
                        stamp = now;
                        reload(&args.config, &gateway, certificate.as_deref());
                    }
                }
                // Commits come through and delivery comes round, or the watchdog bites: a gateway that cannot keep what it
                // promises must not look alive.
                _ = watchdog.tick() => {
                    if gateway.health.is_alive(Instant::now()) {
                        tell_systemd(&[NotifyState::Watchdog]);
                    }
                }
            }
        }
        tell_systemd(&[NotifyState::Stopping]);
        gateway.stop().await;
        Ok(end)
    })
}

/// Waits for the start as long as it takes, and keeps systemd waiting too: a disk that is full is no reason to give up.
async fn patiently<T>(start: impl Future<Output = T>) -> T {
    let extension = Duration::from_secs(limits::START_EXTENSION_SECONDS);
    let mut extend = tokio::time::interval(extension / 4);
    let mut start = std::pin::pin!(start);
    // The first tick is at once, and an ordinary start wants no more time.
    extend.tick().await;
    loop {
        tokio::select! {
            started = &mut start => return started,
            _ = extend.tick() => {
                let micros = u32::try_from(extension.as_micros()).unwrap_or(u32::MAX);
                tell_systemd(&[NotifyState::ExtendTimeoutUsec(micros), NotifyState::Status("waiting for the store")]);
            }
        }
    }
}

/// New configuration, rules and roster, or the old ones and a word why.
fn reload(file: &Path, gateway: &Gateway, certificate: Option<&Certificate>) {
    let reload = || -> Result<()> {
        let mut tls = None;
        gateway.reload(Config::load(file)?, |config| -> Result<Ground> {
            tls = config.review.as_ref().and_then(|review| review.tls.clone());
            let loaded = super::ground::load_for_relaying(config)?;
            report_faults(&loaded.faults);
            report_regardless(config, &loaded.ground);
            Ok(loaded.ground)
        })?;
        // By itself: a certificate that is being renewed keeps no roster from being taken.
        if let (Some(certificate), Some(files)) = (certificate, &tls) {
            certificate.reload(files);
        }
        Ok(())
    };
    // A large roster takes a second to index; mail goes on meanwhile.
    if let Err(error) = tokio::task::block_in_place(reload) {
        event!(Event::Trouble, what = "nothing was reloaded", reason = super::problem(&error));
    }
}

fn report_faults(faults: &[RowFault]) {
    for fault in faults {
        event!(Event::Trouble, what = "roster", reason = %fault);
    }
}

/// Says what `doctor` would call bad and nothing is kept from starting by.
fn report_regardless(config: &Config, ground: &Ground) {
    for problem in super::doctor::started_regardless(config, &ground.pack) {
        event!(Event::Trouble, what = "configuration", reason = problem);
    }
}

/// Half of what systemd waits for; once a minute where nobody waits.
fn watchdog_period() -> Duration {
    sd_notify::watchdog_enabled().map_or(Duration::from_secs(limits::WATCHDOG_SECONDS), |limit| limit / 2)
}

/// Tells systemd where it listens; elsewhere nobody listens, which is no fault.
fn tell_systemd(states: &[NotifyState]) {
    let _ = sd_notify::notify(states);
}
