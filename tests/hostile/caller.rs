//! One of many: a client with an address of its own in the loopback's network, in clear or under TLS.

use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::support::{Gateway, PATIENCE};

/// The gateway's name, in its certificate too.
pub const HOST: &str = "gate.saltmere.example";
pub const SENDER: &str = "w.carr@saltmere.example";
pub const RECIPIENT: &str = "bookings@shorelinecoaches.example";

/// An address of the loopback's network; no two numbers below 60,000 share one, nor does 127.0.0.1.
pub fn address(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 1, (number / 250) as u8, (number % 250 + 1) as u8)
}

/// A connection from there.
pub async fn connect(from: Ipv4Addr, port: u16) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    let connected = timeout(PATIENCE, socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))).await;
    let stream = connected.map_err(|_| Error::from(ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// What is heard of the gateway, and what is said to it.
pub struct Caller<S = TcpStream> {
    pub stream: S,
}

impl Caller {
    /// In clear; nothing has been heard yet.
    pub async fn from(address: Ipv4Addr, port: u16) -> Result<Self> {
        Ok(Self { stream: connect(address, port).await? })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Caller<S> {
    /// One whole reply, its last line; empty where the connection has ended.
    pub async fn hears(&mut self) -> String {
        loop {
            let line = self.line().await;
            if line.as_bytes().get(3) != Some(&b'-') {
                return line;
            }
        }
    }

    /// One octet after the other, so that nothing is kept and no buffer is held.
    async fn line(&mut self) -> String {
        let mut line = Vec::new();
        let mut octet = [0];
        loop {
            match timeout(PATIENCE * 4, self.stream.read(&mut octet)).await.expect("it is answered or closed") {
                Ok(1) if octet == *b"\n" => return String::from_utf8_lossy(&line).trim_end().to_owned(),
                Ok(1) => line.push(octet[0]),
                _ => return String::from_utf8_lossy(&line).into_owned(),
            }
        }
    }

    /// All that is still said, up to the end of the connection.
    pub async fn hears_the_end(&mut self) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            match self.line().await {
                line if line.is_empty() => return heard,
                line => heard.push(line),
            }
        }
    }

    /// Says a line and hears its answer. Who is cut meanwhile hears why.
    pub async fn asks(&mut self, line: &str) -> String {
        let _ = self.stream.write_all(format!("{line}\r\n").as_bytes()).await;
        let _ = self.stream.flush().await;
        self.hears().await
    }

    /// Banner and EHLO.
    pub async fn begins(&mut self) {
        let banner = self.hears().await;
        assert!(banner.starts_with("220 "), "{banner}");
        self.greets().await;
    }

    pub async fn greets(&mut self) {
        let greeted = self.asks("EHLO client.saltmere.example").await;
        assert!(greeted.starts_with("250 "), "{greeted}");
    }

    /// One message; the answer to it.
    pub async fn sends(&mut self, subject: &str) -> String {
        for (line, code) in [
            (format!("MAIL FROM:<{SENDER}>"), "250 "),
            (format!("RCPT TO:<{RECIPIENT}>"), "250 "),
            ("DATA".into(), "354 "),
        ] {
            let reply = self.asks(&line).await;
            assert!(reply.starts_with(code), "{line}: {reply}");
        }
        self.asks(&format!("From: Wendy Carr <{SENDER}>\r\nTo: {RECIPIENT}\r\nSubject: {subject}\r\n\r\nNine.\r\n."))
            .await
    }
}

/// Who is served whatever others do: sends a message on a connection of its own.
pub async fn is_served(gateway: &Gateway, subject: &str) {
    let mut other = Caller::from(Ipv4Addr::LOCALHOST, gateway.port).await.expect("it is let in");
    other.begins().await;
    let answer = other.sends(subject).await;
    assert!(answer.starts_with("250 "), "{answer}\n{}", gateway.log());
}

/// A pair for the gateway in `gate.pem` and `gate.key`, and a client that trusts it.
pub fn certificate(folder: &Path) -> TlsConnector {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let params = CertificateParams::new([HOST.to_owned()]).expect("a name");
    let key = KeyPair::generate().expect("a key");
    let own = params.signed_by(&key, &issuer).expect("a certificate");
    std::fs::write(folder.join("gate.pem"), own.pem()).expect("its file");
    std::fs::write(folder.join("gate.key"), key.serialize_pem()).expect("its file");
    let mut roots = RootCertStore::empty();
    roots.add(issuer.der().clone()).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("TLS");
    TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

/// A client that has begun TLS by STARTTLS and said EHLO again.
pub async fn secured(
    connector: &TlsConnector,
    from: Ipv4Addr,
    port: u16,
) -> Caller<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut caller = Caller::from(from, port).await.expect("it is let in");
    caller.begins().await;
    let ready = caller.asks("STARTTLS").await;
    assert!(ready.starts_with("220 "), "{ready}");
    let name = ServerName::try_from(HOST).expect("a name");
    let mut caller = Caller { stream: connector.connect(name, caller.stream).await.expect("TLS") };
    caller.greets().await;
    caller
}

/// Adds further doors to the configuration: the name of each, and what it says of itself. Gives their ports.
pub fn doors(gateway: &Gateway, rules: &[(&str, &str)]) -> Vec<u16> {
    let mut text = std::fs::read_to_string(&gateway.config).expect("the configuration");
    let mut ports = Vec::new();
    for (name, rules) in rules {
        let port = crate::support::free_port();
        text += &format!("\n[[listener]]\nname = \"{name}\"\naddresses = [\"127.0.0.1:{port}\"]\n{rules}\n");
        ports.push(port);
    }
    std::fs::write(&gateway.config, text).expect("the configuration");
    ports
}

/// Memory of the gateway's process, in KiB.
pub fn memory(gateway: &Gateway) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number")
}

/// Connections that are open, as the gateway counts them.
pub fn open(gateway: &Gateway) -> usize {
    let (_, page) = gateway.page("/metrics");
    let line = page.lines().find_map(|line| line.strip_prefix("schoolgate_connections_open "));
    line.map_or(0, |count| count.parse().expect("a number"))
}

/// Waits until so many are open.
pub async fn until_open(gateway: &Gateway, wanted: usize) {
    let until = Instant::now() + PATIENCE;
    while open(gateway) != wanted {
        assert!(Instant::now() < until, "{} are open, not {wanted}\n{}", open(gateway), gateway.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
