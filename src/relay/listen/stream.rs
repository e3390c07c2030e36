//! The stream under a session: in clear, and under TLS once that is begun. After a handshake that failed nothing is written
//! to it any more (RFC 3207 4.1).

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::ServerConnection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::limits;

thread_local! {
    /// What every connection of this thread reads into.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; limits::READ_BUFFER].into());
}

pub(super) enum Stream {
    Clear(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
    /// A handshake has failed: what still comes is read, so that the client takes our alert.
    Broken(TcpStream),
    /// A handshake is under way, or was cut.
    Gone,
}

impl Stream {
    /// Begins TLS.
    ///
    /// # Errors
    /// The handshake failed, or TLS is on already; an alert was the last word then.
    pub(super) async fn secure(&mut self, acceptor: &TlsAcceptor) -> io::Result<()> {
        let Self::Clear(stream) = std::mem::replace(self, Self::Gone) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let (now, result) = match acceptor.accept(stream).into_fallible().await {
            Ok(stream) => (Self::Secure(Box::new(stream)), Ok(())),
            Err((error, stream)) => (Self::Broken(stream), Err(error)),
        };
        *self = now;
        result
    }

    /// What the handshake has told; `None` in clear.
    pub(super) fn handshake(&self) -> Option<&ServerConnection> {
        match self {
            Self::Secure(stream) => Some(stream.get_ref().1),
            Self::Clear(_) | Self::Broken(_) | Self::Gone => None,
        }
    }

    /// What has come, once something has. Who only waits holds no buffer: thousands of connections may.
    ///
    /// # Errors
    /// Nothing will come any more; that it has ended in order is [`io::ErrorKind::UnexpectedEof`].
    pub(super) async fn read_some(&mut self) -> io::Result<Vec<u8>> {
        poll_fn(|cx| {
            BUFFER.with_borrow_mut(|buffer| {
                let mut read = ReadBuf::new(buffer);
                ready!(Pin::new(&mut *self).poll_read(cx, &mut read))?;
                let come = read.filled().to_vec();
                // It may be a password, and the next to read is somebody else.
                read.filled_mut().fill(0);
                Poll::Ready(if come.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(come) })
            })
        })
        .await
    }

    /// Waits for the first octets without taking them.
    ///
    /// # Errors
    /// The client has gone without a word.
    pub(super) async fn spoken_to(&self) -> io::Result<()> {
        match self {
            Self::Clear(stream) if stream.peek(&mut [0]).await? == 0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) | Self::Broken(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Secure(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Secure(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Broken(_) | Self::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_flush(cx),
            Self::Secure(stream) => Pin::new(stream).poll_flush(cx),
            Self::Broken(_) | Self::Gone => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) | Self::Broken(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}
