//! The stream under an SMTP connection: hands up one line at a time.
//!
//! A server's reply to STARTTLS may be followed by text that somebody put on the wire; a client that had read it into a
//! buffer before the handshake would take it for a reply given under TLS (RFC 3207 4.2, CVE-2011-0411). With no more
//! than one line in the buffer above, such text goes to the handshake and breaks it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    waiting: Vec<u8>,
    taken: usize,
}

impl Wire {
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, waiting: Vec::new(), taken: 0 }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        if wire.taken == wire.waiting.len() {
            wire.waiting.resize(4_096, 0);
            let mut fresh = ReadBuf::new(&mut wire.waiting);
            let read = Pin::new(&mut wire.stream).poll_read(cx, &mut fresh);
            let filled = fresh.filled().len();
            wire.waiting.truncate(filled);
            wire.taken = 0;
            ready!(read)?;
        }
        let rest = &wire.waiting[wire.taken..];
        let line = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let given = line.min(buf.remaining());
        buf.put_slice(&rest[..given]);
        wire.taken += given;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}
