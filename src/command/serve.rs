//! `schoolgate serve`: runs the gateway until it is told to stop. SIGTERM and SIGINT end it in good order; SIGHUP reads
//! rules and roster anew, and keeps the old ones where the new ones are bad. A newly imported roster is seen without it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::limits;
use crate::people::RowFault;
use crate::relay::gateway::Gateway;
use crate::relay::log::{self, Event, event};
use crate::relay::monitor;
use crate::store::Sealed;

/// Run the gateway.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Runs the command.
pub fn run(args: &Serve) -> Result<ExitCode> {
    let config = Config::load(&args.config)?;
    config.relay_ready()?;
    // Looked at even where it is not used yet: the configuration may come to name it while we run.
    let sealed = config.store.as_ref().map(|place| Sealed::new(&place.path));
    // Taken before reading: what is imported meanwhile is seen at the first look.
    let mut stamp = sealed.as_ref().and_then(Sealed::stamp);
    let loaded = super::ground::load(&config)?;
    log::init(config.log)?;
    monitor::install()?;
    report_faults(&loaded.faults);
    super::runtime()?.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let gateway = Gateway::start(&config, loaded.ground).await?;
        tell_systemd(&[NotifyState::Ready]);
        let mut watchdog = tokio::time::interval(watchdog_period());
        let mut look = tokio::time::interval(Duration::from_secs(limits::ROSTER_LOOK_SECONDS));
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hang_up.recv() => {
                    // Taken before reading: what is imported meanwhile is seen at the next look.
                    stamp = sealed.as_ref().and_then(Sealed::stamp);
                    reload(&args.config, &gateway);
                }
                () = gateway.store.wait_for_roster() => {
                    stamp = sealed.as_ref().and_then(Sealed::stamp);
                    reload(&args.config, &gateway);
                }
                _ = look.tick(), if sealed.is_some() => {
                    let now = sealed.as_ref().and_then(Sealed::stamp);
                    if now != stamp {
                        stamp = now;
                        reload(&args.config, &gateway);
                    }
                }
                // The store answers or the watchdog bites: a gateway that cannot commit must not look alive.
                _ = watchdog.tick() => {
                    if gateway.store.counts().await.is_ok() {
                        tell_systemd(&[NotifyState::Watchdog]);
                    }
                }
            }
        }
        tell_systemd(&[NotifyState::Stopping]);
        gateway.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// New rules and roster, or the old ones and a word why.
fn reload(file: &Path, gateway: &Gateway) {
    let load = || Config::load(file).map_err(anyhow::Error::from).and_then(|config| super::ground::load(&config));
    // A large roster takes a second to index; mail goes on meanwhile.
    let loaded = tokio::task::block_in_place(load);
    match loaded {
        Ok(loaded) => {
            report_faults(&loaded.faults);
            gateway.replace_ground(loaded.ground);
        }
        Err(error) => event!(Event::Trouble, what = "nothing was reloaded", reason = super::problem(&error)),
    }
}

fn report_faults(faults: &[RowFault]) {
    for fault in faults {
        event!(Event::Trouble, what = "roster", reason = %fault);
    }
}

/// Half of what systemd waits for; once a minute where nobody waits.
fn watchdog_period() -> Duration {
    sd_notify::watchdog_enabled().map_or(Duration::from_secs(60), |limit| limit / 2)
}

/// Tells systemd where it listens; elsewhere nobody listens, which is no fault.
fn tell_systemd(states: &[NotifyState]) {
    let _ = sd_notify::notify(states);
}
