//! The PROXY header of a connection from a load balancer that a door names: read within its deadline, before anything else.
//!
//! Not an octet behind the header is taken: it may be the start of a TLS handshake.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::ListenerConfig;
use crate::limits;
use crate::smtp::proxy::{self, Header};

/// Whether connections from this peer begin with a PROXY header.
pub(super) fn is_expected(door: &ListenerConfig, peer: IpAddr) -> bool {
    door.proxy_from.iter().any(|network| network.contains(&peer))
}

/// Who the client behind the peer is; `None` where no header came in time, or something else did.
pub(super) async fn client(stream: &mut TcpStream, peer: IpAddr, patience: Duration) -> Option<IpAddr> {
    let header = timeout(patience, header(stream));
    // A balancer that looks whether we are well is its own client.
    header.await.ok()?.ok()?.map(|client| client.unwrap_or(peer))
}

async fn header(stream: &mut TcpStream) -> io::Result<Option<Option<IpAddr>>> {
    let mut input = vec![0; limits::PROXY_OCTETS];
    let mut taken = 0;
    loop {
        let more = stream.peek(&mut input[taken..]).await?;
        if more == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (take, ended) = match proxy::read(&input[..taken + more]) {
            Header::More => (more, None),
            Header::Read { used, client } => (used - taken, Some(client)),
            Header::Wrong => return Ok(None),
        };
        stream.read_exact(&mut input[taken..taken + take]).await?;
        taken += take;
        if ended.is_some() {
            return Ok(ended);
        }
    }
}
