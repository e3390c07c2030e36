//! Sockets: accepts connections within limits, moves octets between them and [`crate::smtp::Session`], keeps content
//! while it comes, and hands complete messages to a [`TakeIn`].
//!
//! It never decides on a message and never says 250 to one: it writes what the handler returns, and 451 when the
//! handler fails. A message that is not complete leaves nothing behind. What may be used at once is bounded: connections
//! (in all, for each client, and for all who may not relay, so that they never lock out those who may), memory for content that comes (the rest is in unnamed temporary files) and content that
//! is being decided on.

mod admission;
mod connection;
mod proxied;
#[cfg(test)]
mod sign_in_tests;
mod spool;
mod stream;
mod tenant;
#[cfg(test)]
mod tests;
mod tls;
#[cfg(test)]
mod tls_tests;

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

use crate::config::{ListenerConfig, ListenerTls};
use crate::limits;
use crate::relay::certificate::TlsError;
use crate::relay::health::{Door, Health};
use crate::relay::log::{Event, event};
use crate::relay::monitor;
use crate::relay::supervise::Task;
use crate::relay::trace::Tracer;
use crate::smtp::auth::Account;
use crate::smtp::{CloseReason, Credentials, Envelope, NoneOwn, NotSignedIn, OwnAddresses, Reply, Session};
use crate::store::{QueueId, fault};
pub use admission::Places;
use admission::{Admission, Place};
use connection::Connection;
pub use tls::{AuthoritiesError, certificate_owner};
use tls::{Clients, DoorTls};

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
    /// For all that comes before a message's content, since the connection began or the message before was answered.
    pub before_content: Duration,
    /// For all of a message's content.
    pub content: Duration,
    /// For content before its rate counts.
    pub content_grace: Duration,
    /// Least rate of content, octets a second; not 0.
    pub content_rate: u64,
    /// For one handshake of TLS.
    pub handshake: Duration,
    /// Between two looks whether a certificate was renewed.
    pub certificate_look: Duration,
    /// For a PROXY header, from the connection on.
    pub proxy_header: Duration,
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
            before_content: Duration::from_secs(limits::BEFORE_CONTENT_SECONDS),
            content: Duration::from_secs(limits::DATA_SECONDS),
            content_grace: Duration::from_secs(limits::DATA_GRACE_SECONDS),
            content_rate: limits::DATA_RATE,
            handshake: Duration::from_secs(limits::HANDSHAKE_SECONDS),
            certificate_look: Duration::from_secs(limits::CERTIFICATE_LOOK_SECONDS),
            proxy_header: Duration::from_secs(limits::PROXY_SECONDS),
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
    /// What a door shows.
    #[error("{error}")]
    Certificate {
        /// The key of the configuration.
        key: String,
        /// Why.
        error: TlsError,
    },
    /// Who vouches for a door's clients.
    #[error("{error}")]
    Authorities {
        /// The key of the configuration.
        key: String,
        /// Why.
        error: AuthoritiesError,
    },
}

impl ListenError {
    /// The key of the configuration that it is about.
    pub fn key(&self) -> &str {
        match self {
            Self::Bind(..) => "listen.addresses",
            Self::Spool(..) => "store.path",
            Self::Certificate { key, .. } | Self::Authorities { key, .. } => key,
        }
    }
}

/// What holds at the doors. A connection keeps that which it began with.
struct Rules {
    options: Arc<ListenOptions>,
    /// TLS of each door, in the order of [`ListenOptions::doors`].
    tls: Vec<Option<Arc<DoorTls>>>,
}

/// New rules, with all their files read.
pub struct NewRules(Rules);

/// What all connections share.
struct Shared<T> {
    rules: Arc<ArcSwap<Rules>>,
    tracer: Tracer,
    admission: Admission,
    /// KiB of content of large messages in the hands of `take_in`.
    in_hand: Semaphore,
    /// Places for connections of whom a PROXY header is still to say whose they are.
    unknown: Arc<Semaphore>,
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
pub struct Listener {
    sockets: Vec<Socket>,
    options: Arc<ListenOptions>,
    handle: ListenHandle,
}

/// Changes what a listener that serves asks of the connections to come.
#[derive(Clone)]
pub struct ListenHandle {
    rules: Arc<ArcSwap<Rules>>,
    admission: Admission,
}

impl ListenHandle {
    /// Reads what other rules need. Name, key, spool, and the doors with their addresses and the manner of their TLS stay as they
    /// were bound.
    ///
    /// # Errors
    /// Authorities of clients cannot be read or used.
    pub fn prepare(&self, new: &ListenOptions) -> Result<NewRules, ListenError> {
        let old = self.rules.load();
        let doors = if same_doors(&old.options.doors, &new.doors) { &new.doors } else { &old.options.doors };
        let mut tls = Vec::new();
        for (door, old) in doors.iter().zip(&old.tls) {
            tls.push(match old {
                Some(old) => Some(old.with(door, Clients::load(door)?)?),
                None => None,
            });
        }
        let options = ListenOptions {
            doors: doors.clone(),
            message_size: new.message_size,
            postmaster_domain: new.postmaster_domain.clone(),
            places: new.places,
            ..ListenOptions::clone(&old.options)
        };
        Ok(NewRules(Rules { options: Arc::new(options), tls }))
    }

    /// From the next connection on these rules hold, and the certificates that lie in their files now; one that cannot be used leaves
    /// that before in force, and the log says so.
    pub fn change(&self, NewRules(new): NewRules) {
        self.admission.set_places(new.options.places);
        for (door, tls) in new.options.doors.iter().zip(&new.tls) {
            if let Some(tls) = tls {
                tls.renew(door);
            }
        }
        self.rules.store(Arc::new(new));
    }
}

impl Listener {
    /// Binds all addresses of all doors, or none.
    ///
    /// # Errors
    /// An address is taken or not ours; a certificate, its key or a file with authorities cannot be read or used.
    pub async fn bind(options: ListenOptions) -> Result<Self, ListenError> {
        let tls = options.doors.iter().map(|door| DoorTls::load(door)).collect::<Result<_, _>>()?;
        let mut sockets = Vec::new();
        for (door, rules) in options.doors.iter().enumerate() {
            for &address in &rules.addresses {
                let socket = TcpListener::bind(address).await.map_err(|e| ListenError::Bind(address, e))?;
                sockets.push(Socket { socket: Arc::new(socket), door });
            }
        }
        let options = Arc::new(options);
        let handle = ListenHandle {
            rules: Arc::new(ArcSwap::from_pointee(Rules { options: Arc::clone(&options), tls })),
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
        let accept = |at: Socket| async move {
            let accepted = at.socket.accept().await;
            if accepted.is_err() {
                tokio::time::sleep(Duration::from_millis(limits::ACCEPT_PAUSE_MILLIS)).await;
            }
            (accepted, at)
        };
        for socket in &self.sockets {
            accepting.spawn(accept(socket.clone()));
        }
        let mut ready = std::pin::pin!(ready);
        loop {
            tokio::select! {
                ready = &mut ready => return ready,
                Some(_) = turned_away.join_next() => {}
                Some(Ok((accepted, socket))) = accepting.join_next() => {
                    if let Ok((stream, _)) = accepted {
                        monitor::connection(false);
                        let banner = Session::not_in_service(&self.options.hostname);
                        turned_away.spawn(turn_away(stream, self.options.doors.get(socket.door).cloned(), banner));
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
            unknown: Arc::new(Semaphore::new(limits::PROXY_WAITING)),
            rules: self.handle.rules,
            take_in,
        });
        let mut loops = JoinSet::new();
        for socket in self.sockets {
            loops.spawn(accept(socket, shared.clone(), stop.clone()));
        }
        let mut look = tokio::time::interval(self.options.pace.certificate_look);
        loop {
            tokio::select! {
                ended = loops.join_next() => match ended {
                    // A panic of one is the panic of all: whoever watches this task must see it.
                    Some(Err(error)) => if let Ok(panic) = error.try_into_panic() {
                        std::panic::resume_unwind(panic);
                    },
                    Some(Ok(())) => {}
                    None => break,
                },
                _ = look.tick() => shared.rules.load().tls.iter().flatten().for_each(|tls| tls.look()),
            }
        }
    }
}

/// Whether both are the same doors, with whatever rules.
fn same_doors(old: &[Arc<ListenerConfig>], new: &[Arc<ListenerConfig>]) -> bool {
    old.len() == new.len()
        && old
            .iter()
            .zip(new)
            .all(|(old, new)| old.name == new.name && old.addresses == new.addresses && old.tls == new.tls)
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
            // In this order: whoever comes after the end has begun is greeted by nobody.
            biased;
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
    if tokio::time::timeout(shared.rules.load().options.pace.stop, all_done).await.is_err() {
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
    let rules = shared.rules.load_full();
    let options = Arc::clone(&rules.options);
    let hostname = &options.hostname;
    // The doors are those that were bound, so each has its rules.
    let (Some(tls), Some(door)) = (rules.tls.get(door).cloned(), options.doors.get(door).cloned()) else { return };
    if options.health.door() == Door::Sick {
        monitor::connection(false);
        event!(Event::Disconnected, client = %client, reason = "not-in-service");
        connections.spawn(turn_away(stream, Some(door), Session::not_in_service(hostname)));
        return;
    }
    // Replies are whole when they are written; nothing is gained by waiting for more. A socket that cannot do it serves all the same.
    let _ = stream.set_nodelay(true);
    let (shared, stop) = (shared.clone(), stop.clone());
    if proxied::is_expected(&door, client) {
        let Ok(waits) = Arc::clone(&shared.unknown).try_acquire_owned() else {
            monitor::connection(false);
            event!(Event::Disconnected, client = %client, reason = "too-many-connections");
            connections.spawn(turn_away(stream, Some(door), Session::too_many_connections(hostname)));
            return;
        };
        connections.spawn(async move {
            let mut stream = stream;
            let behind = proxied::client(&mut stream, client, options.pace.proxy_header).await;
            // From here on it has a place of its own, or is turned away.
            drop(waits);
            match behind {
                Some(behind) => {
                    let place = place(&shared, &door, behind);
                    serve_one(stream, behind, place, (door, tls), options, shared, stop).await;
                }
                None => {
                    monitor::connection(false);
                    event!(Event::Disconnected, client = %client, reason = "no-proxy-header");
                }
            }
        });
    } else {
        let place = place(&shared, &door, client);
        connections.spawn(serve_one(stream, client, place, (door, tls), options, shared, stop));
    }
}

fn place<T>(shared: &Shared<T>, door: &ListenerConfig, client: IpAddr) -> Option<Place> {
    let place = shared.admission.admit(client, connection::is_of_network(door, client));
    monitor::connection(place.is_some());
    place
}

/// Serves a connection that has a place, and turns another away.
async fn serve_one<T: TakeIn>(
    stream: TcpStream,
    client: IpAddr,
    place: Option<Place>,
    (door, tls): (Arc<ListenerConfig>, Option<Arc<DoorTls>>),
    options: Arc<ListenOptions>,
    shared: Arc<Shared<T>>,
    stop: watch::Receiver<bool>,
) {
    let Some(place) = place else {
        event!(Event::Disconnected, client = %client, reason = "too-many-connections");
        return turn_away(stream, Some(door), Session::too_many_connections(&options.hostname)).await;
    };
    let reason = Connection::new(stream, client, place, (door, tls), options, shared).run(stop).await;
    monitor::disconnected(reason);
    if ![CloseReason::Quit.as_str(), connection::SAID_NOTHING].contains(&reason) {
        event!(Event::Disconnected, client = %client, reason);
    }
}

/// 421 as the banner: never a silent close (RFC 5321 3.8), but where it could be said in clear alone.
async fn turn_away(mut stream: TcpStream, door: Option<Arc<ListenerConfig>>, banner: Vec<u8>) {
    if door.is_none_or(|door| door.tls == ListenerTls::Implicit) {
        return;
    }
    let write = async {
        stream.write_all(&banner).await?;
        stream.shutdown().await
    };
    // The client may be gone already; there is nobody left to tell.
    let _ = tokio::time::timeout(Duration::from_secs(limits::LINGER_SECONDS), write).await;
}
