//! Opens the desk beside a running gateway.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use tokio::net::TcpListener;

use crate::config::{Config, ReviewConfig};
use crate::limits;
use crate::relay::certificate::Certificate;
use crate::relay::gateway::Gateway;
use crate::relay::log::{Event, event};
use crate::relay::supervise::Task;
use crate::review::{self, Desk, Origin, Provider};
use crate::smtp::Address;
use crate::store::Store;
use crate::store::accounts::{Role, SignUpAnswer};

/// Who vouches for people, with their secrets read. None of them is asked yet: the gateway starts without them.
///
/// # Errors
/// A secret cannot be read; named with its key and place.
pub fn providers(config: &Config) -> Result<Vec<Provider>> {
    let all = config.review.iter().flat_map(|review| &review.oidc);
    all.map(|one| {
        let at = || config.at(&format!("review.oidc.{}.client_secret_file", one.name));
        Provider::load(one.clone()).with_context(at)
    })
    .collect()
}

/// What the desk speaks TLS with, where it does so itself.
///
/// # Errors
/// A file cannot be read or used; named with its key and place.
pub fn certificate(config: &Config) -> Result<Option<Arc<Certificate>>> {
    let Some(files) = config.review.as_ref().and_then(|review| review.tls.as_ref()) else { return Ok(None) };
    let owner = review::certificate_owner();
    match Certificate::load(owner.clone(), files) {
        Ok(certificate) => Ok(Some(Arc::new(certificate))),
        Err(error) => bail!("{}: {error}", config.at(&owner.key(&error))),
    }
}

/// Serves the desk on its socket for as long as the gateway works.
///
/// # Errors
/// A page that is built in does not parse.
pub fn open(
    config: &Config,
    gateway: &mut Gateway,
    socket: TcpListener,
    providers: Vec<Provider>,
    certificate: Option<Arc<Certificate>>,
) -> Result<()> {
    let Some(review) = &config.review else { return Ok(()) };
    let origin = Origin::new(&review.public_url, review.trusted_proxies.clone()).context("review.public_url")?;
    let store = gateway.store.clone();
    let desk = Desk::new(store, gateway.notifier(), gateway.ground(), origin, gateway.workers())?
        .with_scanner(gateway.scanner())
        .with_providers(providers)
        .remembering(review.remember_days)
        .naming_from(review.personal_use_names_from)
        .with_modes_put(gateway.modes_put())
        .with_certificate(certificate);
    event!(Event::Started, desk = review.public_url, address = %review.address);
    gateway.run_beside(Task::Desk, async move {
        if let Err(error) = desk.serve(socket).await {
            event!(Event::Trouble, what = "desk", reason = %error);
        }
    });
    Ok(())
}

/// A socket for the desk of a demonstration, on its usual port or, where that is taken, on any; the configuration says
/// which.
///
/// # Errors
/// There is no free port on this machine.
pub async fn on_this_machine(config: &mut Config) -> Result<TcpListener> {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, limits::REVIEW_PORT));
    let socket = match TcpListener::bind(usual).await {
        Ok(socket) => socket,
        Err(_) => TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?,
    };
    let address = socket.local_addr()?;
    config.review = Some(ReviewConfig {
        address,
        tls: None,
        public_url: format!("http://{address}"),
        trusted_proxies: Vec::new(),
        remember_days: limits::REMEMBER_DAYS,
        personal_use_names_from: limits::PERSONAL_USE_NAMES_FROM,
        oidc: Vec::new(),
        keep_returned_hours: u32::try_from(limits::KEEP_RETURNED_HOURS).unwrap_or_default(),
    });
    Ok(socket)
}

/// Somebody who can sign in at the desk of a demonstration.
pub struct MadeUp {
    /// What to sign in with.
    pub name: String,
    /// Drawn at random for this run.
    pub password: String,
    /// Recovery codes: each works once, and stands for an authenticator that the visitor does not have.
    pub codes: Vec<String>,
}

/// A School Business Manager who has signed up already.
///
/// # Errors
/// What the store says.
pub async fn made_up(store: &Store, address: &Address) -> Result<MadeUp> {
    let link = store.create_account("sam", address, &[Role::Sbm], "demo").await?;
    // As random as any; the link is used up below.
    let password: String = link.token.reveal().chars().take(limits::DEMO_PASSWORD_CHARS).collect();
    let Some(open) = store.sign_up(link.token.reveal()).await? else {
        bail!("the link of the demonstration is not taken")
    };
    let base32: String = open.secret.reveal().chars().filter(|c| !c.is_whitespace()).collect();
    let secret = totp_rs::Secret::try_from_base32(&base32).context("the authenticator's secret")?;
    let totp = totp_rs::Builder::new().with_secret(secret).build().context("the authenticator's secret")?;
    let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
    let code = totp.generate(now).to_string();
    match store.complete_sign_up(link.token.reveal(), &password, &code).await? {
        SignUpAnswer::Done(codes) => {
            Ok(MadeUp { name: link.name, password, codes: codes.iter().map(|code| code.reveal().to_owned()).collect() })
        }
        _ => bail!("the account of the demonstration could not be set up"),
    }
}
