//! Opens the desk beside a running gateway.

use anyhow::{Context, Result};
use tokio::net::TcpListener;

use crate::config::Config;
use crate::relay::gateway::Gateway;
use crate::relay::log::{Event, event};
use crate::relay::supervise::Task;
use crate::review::{Desk, Origin};

/// Serves the desk on its socket for as long as the gateway works.
///
/// # Errors
/// A page that is built in does not parse.
pub fn open(config: &Config, gateway: &mut Gateway, socket: TcpListener) -> Result<()> {
    let Some(review) = &config.review else { return Ok(()) };
    let origin = Origin::new(&review.public_url, review.trusted_proxies.clone()).context("review.public_url")?;
    let store = gateway.store.clone();
    let desk = Desk::new(store, gateway.notifier(), gateway.ground(), origin, gateway.workers())?;
    event!(Event::Started, desk = review.public_url, address = %review.address);
    gateway.run_beside(Task::Desk, async move {
        if let Err(error) = desk.serve(socket).await {
            event!(Event::Trouble, what = "desk", reason = %error);
        }
    });
    Ok(())
}
