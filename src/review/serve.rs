//! From a socket to requests: who gets a connection, TLS where the desk has a certificate, and HTTP/1.1 on it.
//!
//! Each connection is a task of its own, its handshake included, so what stalls, speaks clear text or breaks ends alone and delays nobody.
//! There are so many connections in all and for each client, and a time limit for each handshake and for the head of each request.
//! What a client does wrong is not told in the log: it would be the client's to fill.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::guard::Origin;
use crate::limits;
use crate::relay::certificate::Certificate;
use crate::relay::log::{Event, event};

/// How long the desk waits for its clients.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// For a handshake.
    pub handshake: Duration,
    /// For the head of a request.
    pub head: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(limits::DESK_HANDSHAKE_SECONDS),
            head: Duration::from_secs(limits::DESK_HEAD_SECONDS),
        }
    }
}

/// What every connection is served with.
#[derive(Clone)]
struct Serving {
    pages: Router,
    pace: Pace,
    tls: Option<TlsAcceptor>,
    handshakes: Arc<Semaphore>,
}

/// Serves until the future is dropped, and looks for a renewed certificate meanwhile.
pub async fn run(
    pages: Router,
    origin: &Origin,
    socket: TcpListener,
    tls: Option<(TlsAcceptor, Arc<Certificate>)>,
    pace: Pace,
) {
    let (acceptor, certificate) = tls.unzip();
    let handshakes = Arc::new(Semaphore::new(limits::DESK_HANDSHAKES));
    let serving = Serving { pages, pace, tls: acceptor, handshakes };
    let places = Arc::new(Places::default());
    let mut connections = JoinSet::new();
    let mut look = tokio::time::interval(Duration::from_secs(limits::CERTIFICATE_LOOK_SECONDS));
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, peer)) => {
                    if let Some(place) = places.admit(peer.ip(), origin.trusts(peer.ip())) {
                        let serving = serving.clone();
                        connections.spawn(async move {
                            serving.serve(stream, peer).await;
                            drop(place);
                        });
                    }
                }
                Err(error) => {
                    // One client's, mostly; or we are out of descriptors, and to try again at once would not help.
                    event!(Event::Trouble, what = "the desk cannot take a connection", reason = %error);
                    tokio::time::sleep(Duration::from_millis(limits::ACCEPT_PAUSE_MILLIS)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = look.tick() => {
                if let Some(certificate) = &certificate {
                    certificate.look();
                }
            }
        }
    }
}

impl Serving {
    async fn serve(self, stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else { return self.talk(stream, peer).await };
        let stream = {
            let Ok(_under_way) = self.handshakes.try_acquire() else { return };
            let Ok(Ok(stream)) = tokio::time::timeout(self.pace.handshake, tls.accept(stream)).await else { return };
            stream
        };
        self.talk(stream, peer).await;
    }

    async fn talk(&self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: SocketAddr) {
        let pages = TowerToHyperService::new(self.pages.clone());
        let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            pages.call(request)
        });
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.pace.head);
        // How a connection ends is its client's business.
        let _ = http.serve_connection(TokioIo::new(stream), service).await;
    }
}

/// Counts connections.
#[derive(Debug, Default)]
struct Places(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    open: usize,
    by_client: HashMap<IpAddr, usize>,
}

/// One connection's place, given back when it is dropped.
struct Place {
    places: Arc<Places>,
    client: IpAddr,
}

impl Places {
    /// A place for one more connection of this client, while there is one; many people come through a proxy.
    fn admit(self: &Arc<Self>, client: IpAddr, is_proxy: bool) -> Option<Place> {
        let client = network(client);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_client = counts.by_client.get(&client).copied().unwrap_or(0);
        if counts.open >= limits::DESK_CONNECTIONS || (of_client >= limits::DESK_CONNECTIONS_PER_CLIENT && !is_proxy) {
            return None;
        }
        counts.open += 1;
        counts.by_client.insert(client, of_client + 1);
        Some(Place { places: Arc::clone(self), client })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.open = counts.open.saturating_sub(1);
        if let Some(of_client) = counts.by_client.get_mut(&self.client) {
            *of_client -= 1;
            if *of_client == 0 {
                counts.by_client.remove(&self.client);
            }
        }
    }
}

/// An IPv4 address, or the /64 that one subscriber has in IPv6.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_in_all_and_for_each_client_and_given_back() {
        let places = Arc::new(Places::default());
        let admit = |client: &str, proxy| places.admit(client.parse().unwrap(), proxy);
        let mut one: Vec<_> = (0..limits::DESK_CONNECTIONS_PER_CLIENT).map(|_| admit("2001:db8::1", false)).collect();
        assert!(one.iter().all(Option::is_some));
        assert!(admit("2001:db8::ffff", false).is_none(), "one subscriber is one client");
        assert!(admit("192.0.2.1", false).is_some());
        one.pop();
        assert!(admit("2001:db8::1", false).is_some(), "a place comes back");
        drop(one);
        let all: Vec<_> = (0..limits::DESK_CONNECTIONS).map(|_| admit("::ffff:127.0.0.1", true)).collect();
        assert!(all.iter().all(Option::is_some), "a proxy has no limit of its own");
        assert!(admit("192.0.2.1", false).is_none() && admit("127.0.0.1", true).is_none(), "the desk is full");
        drop(all);
        let counts = places.0.lock().unwrap();
        assert!(counts.open == 0 && counts.by_client.is_empty());
    }
}
