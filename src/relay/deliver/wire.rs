//! The stream under an SMTP connection, in clear or under TLS: reads the smarthost's replies and keeps them.
//!
//! lettre loses the connection over a reply that its parser does not know, which after the final dot means that the
//! message is sent again. So it never sees one: for each reply it is handed one line of ours with the same first digit
//! ([`Reader`] reads the true one), and the true reply is asked for here. TLS is begun here too, so that this holds
//! for what is said under it.
//!
//! A server's reply to STARTTLS may be followed by text that somebody put on the wire; a client that took it for a reply
//! given under TLS would be deceived (RFC 3207 4.2, CVE-2011-0411). What was read and not asked for ends the attempt;
//! what comes later goes to the handshake and breaks it.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::lock;
use super::reply::{Reader, Reply};
use crate::limits;

/// The stream; its clones are hands on the same one.
#[derive(Debug, Clone)]
pub(super) struct Wire(Arc<Mutex<Line>>);

#[derive(Debug)]
struct Line {
    stream: Stream,
    /// Read and not yet looked at, from `taken` on.
    waiting: Vec<u8>,
    taken: usize,
    reader: Reader,
    /// True replies that were not asked for yet.
    said: VecDeque<Reply>,
    /// What lettre is still to be handed.
    stand_in: &'static [u8],
}

#[derive(Debug)]
enum Stream {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// A handshake has failed, or is under way.
    Gone,
}

impl Wire {
    pub fn new(stream: TcpStream) -> Self {
        Self(Arc::new(Mutex::new(Line {
            stream: Stream::Clear(stream),
            waiting: Vec::new(),
            taken: 0,
            reader: Reader::default(),
            said: VecDeque::new(),
            stand_in: b"",
        })))
    }

    /// The reply that lettre was handed a stand-in for, longest ago first.
    pub fn said(&self) -> Option<Reply> {
        lock(&self.0).said.pop_front()
    }

    /// Something was read that no command asked for.
    pub fn has_unasked(&self) -> bool {
        let mut line = lock(&self.0);
        let blank = line.waiting[line.taken..].iter().take_while(|b| b.is_ascii_whitespace()).count();
        line.taken += blank;
        line.taken < line.waiting.len() || !line.reader.is_idle() || !line.said.is_empty()
    }

    /// Between two messages: the stream is open and says nothing.
    pub fn is_quiet(&self) -> bool {
        if self.has_unasked() {
            return false;
        }
        let mut line = lock(&self.0);
        line.poll_fill(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    /// The handshake, after a positive reply to STARTTLS. When it fails, the stream is of no use any more.
    pub async fn start_tls(&self, connector: &TlsConnector, name: ServerName<'static>) -> Result<(), String> {
        if self.has_unasked() {
            return Err("it said more than it was asked for before TLS began".to_owned());
        }
        let Stream::Clear(stream) = std::mem::replace(&mut lock(&self.0).stream, Stream::Gone) else {
            return Err("TLS has begun already".to_owned());
        };
        let stream = connector.connect(name, stream).await.map_err(|e| e.to_string())?;
        lock(&self.0).stream = Stream::Tls(Box::new(stream));
        Ok(())
    }
}

impl Line {
    /// Reads into `waiting`, of which all was taken; gives whether the stream goes on.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.waiting.resize(limits::SMARTHOST_READ, 0);
        self.taken = 0;
        let mut fresh = ReadBuf::new(&mut self.waiting);
        let read = match &mut self.stream {
            Stream::Clear(stream) => Pin::new(stream).poll_read(cx, &mut fresh),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, &mut fresh),
            Stream::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        };
        let filled = fresh.filled().len();
        self.waiting.truncate(filled);
        ready!(read)?;
        Poll::Ready(Ok(filled > 0))
    }

    fn keep(&mut self, reply: Reply) {
        self.stand_in = match reply.class() {
            2 => b"250 -\r\n",
            3 => b"354 -\r\n",
            4 => b"450 -\r\n",
            _ => b"550 -\r\n",
        };
        self.said.push_back(reply);
    }

    /// Reads until there is something to hand up, or the end.
    fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.stand_in.is_empty() {
            if self.taken == self.waiting.len() && !ready!(self.poll_fill(cx))? {
                match self.reader.end() {
                    Some(reply) => self.keep(reply),
                    None => return Poll::Ready(Ok(())),
                }
                break;
            }
            let (read, reply) = self.reader.read(&self.waiting[self.taken..]).map_err(io::Error::other)?;
            self.taken += read;
            if let Some(reply) = reply {
                self.keep(reply);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut line = lock(&self.0);
        ready!(line.poll_reply(cx))?;
        let (given, rest) = line.stand_in.split_at(line.stand_in.len().min(buf.remaining()));
        buf.put_slice(given);
        line.stand_in = rest;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut lock(&self.0).stream {
            Stream::Clear(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut lock(&self.0).stream {
            Stream::Clear(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut lock(&self.0).stream {
            Stream::Clear(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Gone => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &lock(&self.0).stream {
            Stream::Clear(stream) => stream.peer_addr(),
            Stream::Tls(stream) => stream.get_ref().0.peer_addr(),
            Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}
