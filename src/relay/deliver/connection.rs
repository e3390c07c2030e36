//! One connection to the smarthost: opening it, with TLS as configured, and commands with their replies and waits.
//!
//! The SMTP client is lettre's, on a stream of our own ([`Wire`]): it reads the replies, begins TLS, and sets
//! TCP_NODELAY, without which each command would wait for the peer's delayed acknowledgement, some 40 ms.

use std::fmt::Display;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Ehlo, Quit, Starttls};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsConnector;

use super::reply::{Reply, sanitised};
use super::wire::Wire;
use crate::config::{HostConfig, SmarthostTls};
use crate::limits;
use crate::relay::log::{Event, event};
use crate::store::fault;

/// The connection is of no use any more: closed, silent for too long, or no SMTP.
#[derive(Debug, Clone)]
pub(super) struct Lost(pub String);

/// What the smarthost offers (EHLO keywords, RFC 5321 4.1.1.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offers {
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// 8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// TLS is on: these are the offers made under it.
    pub encrypted: bool,
    /// SIZE, with its limit where it names one above 0 (RFC 1870 4).
    pub size: Option<Option<usize>>,
}

impl Offers {
    fn read(reply: &Reply) -> Self {
        let mut offers = Self::default();
        for line in reply.lines.iter().skip(1) {
            let mut words = line.split_ascii_whitespace();
            match words.next().map(str::to_ascii_uppercase).as_deref() {
                Some("PIPELINING") => offers.pipelining = true,
                Some("8BITMIME") => offers.eight_bit = true,
                Some("SMTPUTF8") => offers.smtputf8 = true,
                Some("STARTTLS") => offers.starttls = true,
                Some("SIZE") => {
                    offers.size = Some(words.next().and_then(|n| n.parse().ok()).filter(|&n| n > 0));
                }
                _ => {}
            }
        }
        offers
    }
}

/// Why no mail can be sent over a new connection.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// No connection, or no greeting.
    #[error("{0}")]
    Unreachable(String),
    /// TLS is wanted and cannot be had.
    #[error("{0}")]
    Tls(String),
}

/// A connection that has been greeted.
pub(super) struct Connection {
    smtp: AsyncSmtpConnection,
    wire: Wire,
    pub offers: Offers,
    /// Messages sent over it.
    pub mails: usize,
    /// When it was last of use.
    pub used: Instant,
}

impl Connection {
    /// Connects, greets, and starts TLS as configured. The error is a reason in plain words.
    pub async fn open(smarthost: &HostConfig, tls: Option<&TlsConnector>, hostname: &str) -> Result<Self, OpenError> {
        let hello = ClientId::Domain(hostname.to_owned());
        let mut connection = Self::greet(smarthost, &hello).await.map_err(OpenError::Unreachable)?;
        let Some(tls) = tls else { return Ok(connection) };
        let required = smarthost.tls != SmarthostTls::Opportunistic;
        if connection.offers.starttls {
            if let Err(why) = connection.start_tls(smarthost, tls, hello.clone()).await {
                let why = format!("TLS could not be started: {why}");
                if required {
                    return Err(OpenError::Tls(why));
                }
                event!(Event::Trouble, what = "going on without TLS", reason = %why);
                return Self::greet(smarthost, &hello).await.map_err(OpenError::Unreachable);
            }
        } else if required {
            return Err(OpenError::Tls("TLS is required and the smarthost does not offer STARTTLS".to_owned()));
        }
        Ok(connection)
    }

    async fn greet(smarthost: &HostConfig, hello: &ClientId) -> Result<Self, String> {
        let address = (smarthost.host.as_str(), smarthost.port);
        let stream = timeout(Duration::from_secs(limits::SMARTHOST_CONNECT), TcpStream::connect(address))
            .await
            .map_err(|_| "it does not answer".to_owned())?
            .map_err(|e| format!("it cannot be reached: {e}"))?;
        stream.set_nodelay(true).map_err(|e| format!("the connection fails: {e}"))?;
        let wire = Wire::new(stream);
        let greeting = AsyncSmtpConnection::connect_with_transport(Box::new(wire.clone()), hello);
        let greeted = waited(limits::SMARTHOST_COMMAND, greeting).await;
        // What it said tells more than that lettre went no further.
        let said = |answer: &str| match wire.said() {
            Some(reply) if reply.class() == 2 => Ok(Some(reply)),
            Some(reply) => Err(format!("{answer}: {reply}")),
            None => Ok(None),
        };
        let banner = said("it does not welcome us")?;
        let ehlo = said("it refuses EHLO")?;
        match (greeted, banner, ehlo) {
            (Ok(smtp), Some(_), Some(ehlo)) => {
                Ok(Self { smtp, wire, offers: Offers::read(&ehlo), mails: 0, used: Instant::now() })
            }
            (Ok(_), ..) => Err("no greeting".to_owned()),
            (Err(failed), ..) => Err(format!("no greeting: {}", reason(&failed))),
        }
    }

    /// STARTTLS, the handshake, and EHLO again: what was offered in clear is forgotten (RFC 3207 4.2).
    async fn start_tls(&mut self, smarthost: &HostConfig, tls: &TlsConnector, hello: ClientId) -> Result<(), String> {
        let name = ServerName::try_from(smarthost.host.clone())
            .map_err(|_| format!("{} is no name that a certificate can hold", smarthost.host))?;
        let reply = self.command(Starttls, limits::SMARTHOST_COMMAND).await.map_err(|Lost(why)| why)?;
        if reply.class() != 2 {
            return Err(reply.to_string());
        }
        timeout(Duration::from_secs(limits::SMARTHOST_COMMAND), self.wire.start_tls(tls, name))
            .await
            .map_err(|_| reason(&Failed::Late))??;
        let reply = self.command(Ehlo::new(hello), limits::SMARTHOST_COMMAND).await.map_err(|Lost(why)| why)?;
        if reply.class() != 2 {
            return Err(format!("it refuses EHLO: {reply}"));
        }
        self.offers = Offers { encrypted: true, ..Offers::read(&reply) };
        Ok(())
    }

    /// It may take another message: the stream is open and says nothing by itself.
    pub fn is_ready(&self) -> bool {
        self.wire.is_quiet()
    }

    /// Sends a command, or several in one write, and reads the first reply.
    pub async fn command(&mut self, command: impl Display, seconds: u64) -> Result<Reply, Lost> {
        // A reply too many would be taken for the reply to this command, and each one after it for the next.
        if self.wire.has_unasked() {
            return Err(Lost("it says more than it is asked for".to_owned()));
        }
        let result = waited(seconds, self.smtp.command(command)).await;
        true_reply(&self.wire, result)
    }

    /// Reads the reply to a further command of one write.
    pub async fn reply(&mut self, seconds: u64) -> Result<Reply, Lost> {
        let result = waited(seconds, self.smtp.read_response()).await;
        true_reply(&self.wire, result)
    }

    /// Sends the content and the final dot. With the error comes whether the dot was sent: then nobody knows.
    pub async fn content(&mut self, content: &[u8]) -> Result<Reply, (Lost, bool)> {
        if self.wire.has_unasked() {
            return Err((Lost("it says more than it is asked for".to_owned()), false));
        }
        let (given, all_given) = (AtomicUsize::new(0), AtomicBool::new(false));
        // lettre stuffs dots, and writes the last CRLF itself, together with the final dot.
        let body = content.strip_suffix(b"\r\n").unwrap_or(content);
        let blocks = Blocks { rest: body, given: &given, all_given: &all_given };
        let mut sending = std::pin::pin!(self.smtp.message_iter(blocks));
        let mut passed = false;
        let watched = std::future::poll_fn(|cx| {
            let poll = sending.as_mut().poll(cx);
            // Once a message, whether its answer is there already or not.
            if !passed && all_given.load(Ordering::Relaxed) {
                passed = true;
                fault::point("after-final-dot");
            }
            poll
        });
        let mut watched = std::pin::pin!(watched);
        let mut seen = (usize::MAX, false);
        let mut deadline = Instant::now();
        let result = loop {
            tokio::select! {
                biased;
                result = &mut watched => break Ok(result),
                () = sleep_until(deadline) => {
                    let now = (given.load(Ordering::Relaxed), all_given.load(Ordering::Relaxed));
                    if now == seen {
                        break Err(Late);
                    }
                    seen = now;
                    let wait = if now.1 { limits::SMARTHOST_FINAL_DOT } else { limits::SMARTHOST_BLOCK };
                    deadline = Instant::now() + Duration::from_secs(wait);
                }
            }
        };
        self.mails += 1;
        self.used = Instant::now();
        let result = result.map_err(Failed::from).and_then(|r| r.map_err(Failed::from));
        true_reply(&self.wire, result).map_err(|lost| (lost, all_given.load(Ordering::Relaxed)))
    }

    /// Says goodbye, without waiting long for the answer.
    pub async fn close(mut self) {
        let _ = timeout(Duration::from_secs(limits::SMARTHOST_QUIT_SECONDS), self.smtp.command(Quit)).await;
    }
}

/// The content in blocks; what was asked for last was written before.
struct Blocks<'a> {
    rest: &'a [u8],
    given: &'a AtomicUsize,
    all_given: &'a AtomicBool,
}

impl<'a> Iterator for Blocks<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            self.all_given.store(true, Ordering::Relaxed);
            return None;
        }
        let (block, rest) = self.rest.split_at(self.rest.len().min(limits::CONTENT_CHUNK));
        self.rest = rest;
        self.given.fetch_add(block.len(), Ordering::Relaxed);
        Some(block)
    }
}

struct Late;

/// What came instead of a positive reply.
enum Failed {
    Late,
    Smtp(Error),
}

impl Failed {
    /// lettre's error for a reply that is no success.
    fn is_reply(&self) -> bool {
        matches!(self, Self::Smtp(error) if error.status().is_some())
    }
}

impl From<Late> for Failed {
    fn from(_: Late) -> Self {
        Self::Late
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Smtp(error)
    }
}

async fn waited<T>(seconds: u64, future: impl Future<Output = Result<T, Error>>) -> Result<T, Failed> {
    match timeout(Duration::from_secs(seconds), future).await {
        Ok(result) => result.map_err(Failed::Smtp),
        Err(_) => Err(Failed::Late),
    }
}

/// Positive or negative, a reply is a reply; all else loses the connection.
fn true_reply(wire: &Wire, result: Result<Response, Failed>) -> Result<Reply, Lost> {
    match result {
        Err(failed) if !failed.is_reply() => Err(Lost(reason(&failed))),
        _ => wire.said().ok_or_else(|| Lost("no reply".to_owned())),
    }
}

fn reason(failed: &Failed) -> String {
    match failed {
        Failed::Late => "no answer in time".to_owned(),
        Failed::Smtp(error) => sanitised(&error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_read_in_any_case() {
        let offers =
            |lines: &[&str]| Offers::read(&Reply { code: 250, lines: lines.iter().map(|l| (*l).to_owned()).collect() });
        let all = Offers {
            pipelining: true,
            eight_bit: true,
            smtputf8: true,
            starttls: true,
            encrypted: false,
            size: Some(Some(10)),
        };
        let lines =
            ["mx.example PIPELINING", "pipelining", "", "  ", "8BITMIME", "SmtpUtf8", "\tSIZE  10", "starttls", ""];
        assert_eq!(offers(&lines), all);
        assert_eq!(offers(&["PIPELINING"]), Offers::default(), "the first line is a name");
        assert_eq!(offers(&[]), Offers::default());
        assert_eq!(offers(&["mx", "SIZE"]).size, Some(None));
        assert_eq!(offers(&["mx", "SIZE 0"]).size, Some(None));
    }
}
