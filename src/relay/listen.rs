//! Sockets: accepts connections within limits, moves octets between them and [`crate::smtp::Session`], keeps content
//! while it comes, and hands complete messages to a [`TakeIn`].
//!
//! It never decides on a message and never says 250 to one: it writes what the handler returns, and 451 when the
//! handler fails. A message that is not complete leaves nothing behind. What may be used at once is bounded: connections
//! (in all, for each client, and for all who may not relay, so that they never lock out those who may), memory for content that comes (the rest is in unnamed temporary files) and content that
//! is being decided on.

mod admission;
mod connection;
mod spool;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::config::ListenerConfig;
use crate::limits;
use crate::relay::health::{Door, Health};
use crate::relay::log::{Event, event};
use crate::relay::monitor;
use crate::relay::supervise::Task;
use crate::relay::trace::Tracer;
use crate::smtp::auth::Account;
use crate::smtp::{CloseReason, Credentials, Envelope, NoneOwn, NotSignedIn, OwnAddresses, Reply, Session};
use crate::store::{QueueId, fault};
use admission::Admission;
pub use admission::Places;
use connection::Connection;

/// A complete message that waits for its answer.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The id that our Received line names.
    pub id: QueueId,
    /// From whom, to whom.
    pub envelope: Envelope,
    /// The client's address; an IPv4 address is never in its IPv6 form.
    pub client: IpAddr,
    /// The client's name, as it gave it.
    pub helo: String,
    /// It came over TLS.
    pub encrypted: bool,
    /// The account that had signed in.
    pub account: Option<Account>,
    /// Our Received line and the message, byte for byte, with CRLF line ends and without dot-stuffing.
    pub content: Arc<[u8]>,
    /// SHA-256 of `content`.
    pub sha256: [u8; 32],
    /// Received lines that the message came with.
    pub received_hops: usize,
    /// When its content began to come; the date of our Received line.
    pub at: Timestamp,
}

/// Decides on messages and makes them durable. The only one that says 250.
pub trait TakeIn: Send + Sync + 'static {
    /// The answer to the client. Runs to its end even when the client goes away; a panic in it is answered with 451.
    fn take_in(&self, submission: Submission) -> impl Future<Output = Reply> + Send;

    /// Which recipients are the gateway itself.
    fn own(&self) -> Arc<dyn OwnAddresses> {
        Arc::new(NoneOwn)
    }

    /// Whether a client that shows these may send, and as whom. Who keeps no accounts lets nobody in.
    fn sign_in(
        &self,
        credentials: Credentials,
        client: IpAddr,
    ) -> impl Future<Output = Result<Account, NotSignedIn>> + Send {
        drop(credentials);
        let _ = client;
        std::future::ready(Err(NotSignedIn::Unavailable))
    }
}

/// How to listen.
#[derive(Debug, Clone)]
pub struct ListenOptions {
    /// Our name: banner, EHLO, Received lines.
    pub hostname: String,
    /// The domain of `<postmaster>` without a domain: the first of the school's own.
    pub postmaster_domain: String,
    /// Where mail comes in, and the rules that hold at each door.
    pub doors: Vec<Arc<ListenerConfig>>,
    /// Largest message, octets.
    pub message_size: usize,
    /// Directory for the temporary files of large messages; it must exist. The files have no names.
    pub spool: PathBuf,
    /// The store's key, from which the key of our trace token is derived.
    pub store_key: [u8; 32],
    /// Whether mail can be taken: otherwise the banner or MAIL says so.
    pub health: Health,
    /// Connections at the same time.
    pub places: Places,
    /// How long clients may take.
    pub pace: Pace,
}

/// How long a client may take. The default is that of [`limits`].
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// For one command, or for taking a reply.
    pub idle: Duration,
    /// The same for a stranger: a client that may not send through its door.
    pub stranger_idle: Duration,
    /// For all that a stranger does.
    pub stranger_session: Duration,
    /// For all of a message's content.
    pub content: Duration,
    /// For content before its rate counts.
    pub content_grace: Duration,
    /// Least rate of content, octets a second; not 0.
    pub content_rate: u64,
    /// For saying whether name and password are right.
    pub sign_in: Duration,
    /// For ending everything when the gateway stops.
    pub stop: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(limits::IDLE_SECONDS),
            stranger_idle: Duration::from_secs(limits::STRANGER_IDLE_SECONDS),
            stranger_session: Duration::from_secs(limits::STRANGER_SESSION_SECONDS),
            content: Duration::from_secs(limits::DATA_SECONDS),
            content_grace: Duration::from_secs(limits::DATA_GRACE_SECONDS),
            content_rate: limits::DATA_RATE,
            sign_in: Duration::from_secs(limits::SIGN_IN_ANSWER_SECONDS),
            stop: Duration::from_secs(limits::STOP_SECONDS),
        }
    }
}

/// Why the gateway cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// An address is taken, or not ours.
    #[error("{0}: {1}")]
    Bind(SocketAddr, std::io::Error),
    /// No temporary file can be made.
    #[error("{0}: no temporary file can be made there: {1}")]
    Spool(PathBuf, std::io::Error),
}

/// What all connections share.
struct Shared<T> {
    /// As a reload may have changed them; a connection keeps those that it began with.
    options: Arc<ArcSwap<ListenOptions>>,
    tracer: Tracer,
    admission: Admission,
    /// KiB of content in the hands of `take_in`.
    in_hand: Semaphore,
    take_in: Arc<T>,
}

/// One address of a door.
#[derive(Debug, Clone)]
struct Socket {
    socket: Arc<TcpListener>,
    /// Its place in [`ListenOptions::doors`], which a reload keeps.
    door: usize,
}

/// Bound sockets.
#[derive(Debug)]
pub struct Listener {
    sockets: Vec<Socket>,
    options: ListenOptions,
    handle: ListenHandle,
}

/// Changes what a listener that serves asks of the connections to come.
#[derive(Debug, Clone)]
pub struct ListenHandle {
    options: Arc<ArcSwap<ListenOptions>>,
    admission: Admission,
}

impl ListenHandle {
    /// From the next connection on, other rules hold at the doors, other sizes and numbers, and `<postmaster>` is of another
    /// domain. Name, key, spool, and the doors with their addresses stay as they were bound.
    pub fn change(&self, new: &ListenOptions) {
        self.admission.set_places(new.places);
        self.options.rcu(|old| ListenOptions {
            doors: if same_doors(&old.doors, &new.doors) { new.doors.clone() } else { old.doors.clone() },
            message_size: new.message_size,
            postmaster_domain: new.postmaster_domain.clone(),
            places: new.places,
            ..ListenOptions::clone(old)
        });
    }
}

impl Listener {
    /// Binds all addresses of all doors, or none.
    ///
    /// # Errors
    /// An address is taken or not ours.
    pub async fn bind(options: ListenOptions) -> Result<Self, ListenError> {
        let mut sockets = Vec::new();
        for (door, rules) in options.doors.iter().enumerate() {
            for &address in &rules.addresses {
                let socket = TcpListener::bind(address).await.map_err(|e| ListenError::Bind(address, e))?;
                sockets.push(Socket { socket: Arc::new(socket), door });
            }
        }
        let handle = ListenHandle {
            options: Arc::new(ArcSwap::from_pointee(options.clone())),
            admission: Admission::new(options.places),
        };
        Ok(Self { sockets, options, handle })
    }

    /// What changes it while it serves.
    pub fn handle(&self) -> ListenHandle {
        self.handle.clone()
    }

    /// Where it listens, with the ports that the system chose.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(|s| s.socket.local_addr().ok()).collect()
    }

    /// Makes sure that large messages can be kept while they come.
    ///
    /// # Errors
    /// No temporary file can be made in [`ListenOptions::spool`].
    pub fn check_spool(&self) -> Result<(), ListenError> {
        let spool = &self.options.spool;
        tempfile::tempfile_in(spool).map(drop).map_err(|e| ListenError::Spool(spool.clone(), e))
    }

    /// Answers everybody with 421 until `ready` is: a client that hears nothing would wait, one that is refused a
    /// connection may take the gateway for gone.
    pub async fn turn_away_until<T>(&self, ready: impl Future<Output = T>) -> T {
        let mut turned_away = JoinSet::new();
        let mut accepting = JoinSet::new();
        let accept = |socket: Arc<TcpListener>| async move {
            let accepted = socket.accept().await;
            if accepted.is_err() {
                tokio::time::sleep(Duration::from_millis(limits::ACCEPT_PAUSE_MILLIS)).await;
            }
            (accepted, socket)
        };
        for Socket { socket, .. } in &self.sockets {
            accepting.spawn(accept(Arc::clone(socket)));
        }
        let mut ready = std::pin::pin!(ready);
        loop {
            tokio::select! {
                ready = &mut ready => return ready,
                Some(_) = turned_away.join_next() => {}
                Some(Ok((accepted, socket))) = accepting.join_next() => {
                    if let Ok((stream, _)) = accepted {
                        monitor::connection(false);
                        turned_away.spawn(turn_away(stream, Session::not_in_service(&self.options.hostname)));
                    }
                    accepting.spawn(accept(socket));
                }
            }
        }
    }

    /// Serves until `stop` is true or its sender is gone.
    ///
    /// Then no connection is accepted any more, idle ones hear 421, running transactions may end within half of
    /// [`Pace::stop`], and their answers come within the rest. Returns when all is over.
    pub async fn serve<T: TakeIn>(self, take_in: Arc<T>, stop: watch::Receiver<bool>) {
        let shared = Arc::new(Shared {
            tracer: Tracer::new(&self.options.hostname, &self.options.store_key),
            admission: self.handle.admission,
            in_hand: Semaphore::new(limits::CONTENT_IN_HAND / 1024),
            options: self.handle.options,
            take_in,
        });
        let mut loops = JoinSet::new();
        for socket in self.sockets {
            loops.spawn(accept(socket, shared.clone(), stop.clone()));
        }
        while let Some(ended) = loops.join_next().await {
            // A panic of one is the panic of all: whoever watches this task must see it.
            if let Err(error) = ended
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// Whether both are the same doors, with whatever rules.
fn same_doors(old: &[Arc<ListenerConfig>], new: &[Arc<ListenerConfig>]) -> bool {
    old.len() == new.len()
        && old.iter().zip(new).all(|(old, new)| old.name == new.name && old.addresses == new.addresses)
}

/// Ends when `stop` is true, or nobody is left to make it so.
async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same as one that said so.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Accepts on one socket until told to stop, then waits for its connections.
async fn accept<T: TakeIn>(Socket { socket, door }: Socket, shared: Arc<Shared<T>>, mut stop: watch::Receiver<bool>) {
    let stopped = stop.clone();
    let mut connections = JoinSet::new();
    loop {
        fault::panic_point(Task::Listener.as_str());
        tokio::select! {
            () = told_to_stop(&mut stop) => break,
            Some(ended) = connections.join_next() => note_panic(&ended),
            accepted = socket.accept() => match accepted {
                Ok((stream, peer)) => admit(stream, peer, door, &shared, &stopped, &mut connections),
                Err(error) => {
                    // Out of descriptors, mostly: to try again at once would only burn the processor.
                    event!(Event::Trouble, what = "accept", reason = %error);
                    tokio::time::sleep(Duration::from_millis(limits::ACCEPT_PAUSE_MILLIS)).await;
                }
            },
        }
    }
    drop(socket);
    let all_done = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(shared.options.load().pace.stop, all_done).await.is_err() {
        event!(Event::Trouble, what = "stop", reason = "connections were cut that did not end in time");
    }
}

/// A connection's panic is that connection's end, and not unseen.
fn note_panic(ended: &Result<(), tokio::task::JoinError>) {
    if ended.as_ref().is_err_and(tokio::task::JoinError::is_panic) {
        event!(Event::Trouble, what = "connection", reason = "it ended in a panic");
    }
}

fn admit<T: TakeIn>(
    stream: TcpStream,
    peer: SocketAddr,
    door: usize,
    shared: &Arc<Shared<T>>,
    stop: &watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
) {
    let client = peer.ip().to_canonical();
    let options = shared.options.load_full();
    let hostname = &options.hostname;
    if options.health.door() == Door::Sick {
        monitor::connection(false);
        event!(Event::Disconnected, client = %client, reason = "not-in-service");
        connections.spawn(turn_away(stream, Session::not_in_service(hostname)));
        return;
    }
    // The doors are those that were bound, so each has its rules.
    let Some(door) = options.doors.get(door).cloned() else { return };
    let may_relay = door.relay_from.iter().any(|network| network.contains(&client));
    let place = shared.admission.admit(client, may_relay);
    monitor::connection(place.is_some());
    let (shared, stop) = (shared.clone(), stop.clone());
    match place {
        Some(place) => {
            connections.spawn(async move {
                let reason = Connection::new(stream, client, may_relay, door, options, shared).run(stop).await;
                monitor::disconnected(reason);
                if ![CloseReason::Quit.as_str(), connection::SAID_NOTHING].contains(&reason) {
                    event!(Event::Disconnected, client = %client, reason);
                }
                drop(place);
            });
        }
        None => {
            event!(Event::Disconnected, client = %client, reason = "too-many-connections");
            connections.spawn(turn_away(stream, Session::too_many_connections(hostname)));
        }
    }
}

/// 421 as the banner: never a silent close (RFC 5321 3.8).
async fn turn_away(mut stream: TcpStream, banner: Vec<u8>) {
    let write = async {
        stream.write_all(&banner).await?;
        stream.shutdown().await
    };
    // The client may be gone already; there is nobody left to tell.
    let _ = tokio::time::timeout(Duration::from_secs(limits::LINGER_SECONDS), write).await;
}
