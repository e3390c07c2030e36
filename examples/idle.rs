//! Holds idle connections at a gateway that runs, and tells what they cost it:
//!
//! `cargo run --release --example idle -- PORT PID [CONNECTIONS [CA]]`
//!
//! PID is the gateway's; memory is VmRSS of its process, before them, with them and after them. With CA, a PEM file that vouches for the
//! gateway's certificate as localhost, they have said STARTTLS. The gateway wants `[listen] connections` of at least that many,
//! `connections_per_client = 50` and `relay_from = ["127.0.0.0/8"]`. Each fifty come from an address of their own in 127.1.0.0/16.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// From one address, as `connections_per_client`.
const OF_ONE: usize = 50;
/// Begun at the same time.
const AT_ONCE: usize = 100;
/// Until memory is looked at.
const REST: Duration = Duration::from_secs(3);

/// Held, and never read again.
enum Held {
    Plain(#[expect(dead_code, reason = "open as long as it is there")] TcpStream),
    Secure(#[expect(dead_code, reason = "open as long as it is there")] Box<TlsStream<TcpStream>>),
}

/// A whole reply, which must begin so.
async fn reply(stream: &mut TcpStream, code: &str) -> Result<()> {
    let mut heard = Vec::new();
    let mut octets = [0; 512];
    loop {
        let read = stream.read(&mut octets).await?;
        ensure!(read > 0, "closed, wanting {code}");
        heard.extend_from_slice(&octets[..read]);
        let text = String::from_utf8_lossy(&heard);
        let last = text.trim_end().rsplit("\r\n").next().unwrap_or_default();
        if text.ends_with("\r\n") && last.as_bytes().get(3) == Some(&b' ') {
            ensure!(last.starts_with(code), "{last}, wanting {code}");
            return Ok(());
        }
    }
}

async fn hold(number: usize, port: u16, secure: Option<TlsConnector>) -> Result<Held> {
    let client = number / OF_ONE;
    let [high, low] = u16::try_from(client)?.to_be_bytes();
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 1, high, low), 0)))?;
    let mut stream = socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    reply(&mut stream, "220").await?;
    stream.write_all(b"EHLO idle.example\r\n").await?;
    reply(&mut stream, "250").await?;
    let Some(connector) = secure else { return Ok(Held::Plain(stream)) };
    stream.write_all(b"STARTTLS\r\n").await?;
    reply(&mut stream, "220").await?;
    let name = ServerName::try_from("localhost")?;
    let mut stream = connector.connect(name, stream).await?;
    stream.write_all(b"EHLO idle.example\r\n").await?;
    stream.flush().await?;
    ensure!(stream.read(&mut [0; 512]).await? > 0, "closed behind STARTTLS");
    Ok(Held::Secure(Box::new(stream)))
}

/// KiB.
fn memory(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).context("the gateway's process")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("its memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [port, process, rest @ ..] = words.as_slice() else { bail!("PORT PID [CONNECTIONS [CA]]") };
    let (port, process): (u16, u32) = (port.parse()?, process.parse()?);
    let connections: usize = rest.first().map_or(Ok(10_000), |count| count.parse())?;
    let secure = match rest.get(1) {
        None => None,
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(authority)?)?;
            let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
            Some(TlsConnector::from(Arc::new(config)))
        }
    };
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    let before = memory(process)?;
    let (mut held, mut coming) = (Vec::new(), JoinSet::new());
    for number in 0..connections {
        if coming.len() == AT_ONCE {
            held.push(coming.join_next().await.context("nobody comes")???);
        }
        let secure = secure.clone();
        coming.spawn(hold(number, port, secure));
    }
    while let Some(come) = coming.join_next().await {
        held.push(come??);
    }
    tokio::time::sleep(REST).await;
    let with = memory(process)?;
    let each = with.saturating_sub(before) as f64 / held.len() as f64;
    println!("{} connections: {before} KiB before, {with} KiB with them, {each:.1} KiB each", held.len());
    drop(held);
    tokio::time::sleep(REST).await;
    println!("{} KiB after them", memory(process)?);
    Ok(())
}
