//! One connection to the smarthost: opening it, with TLS as configured, and commands with their replies and waits.
//!
//! The SMTP client is lettre's, on a socket of our own: without TCP_NODELAY each command would wait for the peer's
//! delayed acknowledgement, some 40 ms.

use std::fmt::Display;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Ehlo, Quit};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use super::wire::Wire;
use crate::config::{SmarthostConfig, SmarthostTls};
use crate::limits;
use crate::relay::log::{Event, event};
use crate::store::fault;

/// A reply of the smarthost, on one line and sanitised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: u16,
    pub text: String,
}

impl Reply {
    /// The first digit, which alone decides (RFC 5321 4.2.1).
    pub fn class(&self) -> u16 {
        self.code / 100
    }

    fn of(response: &Response) -> Self {
        let text = response.message().collect::<Vec<_>>().join(" ");
        Self { code: response.code().into(), text: sanitised(&text) }
    }
}

impl Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// A text of the peer as it may stand in logs, in the store and in reports: one line, no controls, not too long.
pub(super) fn sanitised(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() || c == '\u{2028}' || c == '\u{2029}' { ' ' } else { c });
    clean.take(limits::REPLY_KEPT).collect::<String>().trim().to_owned()
}

/// The connection is of no use any more: closed, silent for too long, or no SMTP.
#[derive(Debug, Clone)]
pub(super) struct Lost(pub String);

/// What the smarthost offers (EHLO keywords, RFC 5321 4.1.1.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Offers {
    pub pipelining: bool,
    pub eight_bit: bool,
    pub smtputf8: bool,
    /// SIZE, with its limit where it names one above 0 (RFC 1870 4).
    pub size: Option<Option<usize>>,
}

impl Offers {
    fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut offers = Self::default();
        for line in lines.skip(1) {
            let mut words = line.split_ascii_whitespace();
            match words.next().map(str::to_ascii_uppercase).as_deref() {
                Some("PIPELINING") => offers.pipelining = true,
                Some("8BITMIME") => offers.eight_bit = true,
                Some("SMTPUTF8") => offers.smtputf8 = true,
                Some("SIZE") => {
                    offers.size = Some(words.next().and_then(|n| n.parse().ok()).filter(|&n| n > 0));
                }
                _ => {}
            }
        }
        offers
    }
}

/// TLS as configured, read once.
pub(super) fn tls_parameters(smarthost: &SmarthostConfig) -> Result<Option<TlsParameters>, String> {
    let builder = TlsParameters::builder(smarthost.host.clone());
    let builder = match smarthost.tls {
        SmarthostTls::None => return Ok(None),
        SmarthostTls::Opportunistic => {
            let unchecked = builder.certificate_store(CertificateStore::None).dangerous_accept_invalid_certs(true);
            unchecked.dangerous_accept_invalid_hostnames(true)
        }
        SmarthostTls::Required => match &smarthost.ca_file {
            None => builder,
            Some(file) => {
                let pem = std::fs::read(file).map_err(|e| format!("{} cannot be read: {e}", file.display()))?;
                let certificate = Certificate::from_pem(&pem)
                    .map_err(|_| format!("{} holds no certificate in PEM form", file.display()))?;
                builder.add_root_certificate(certificate)
            }
        },
    };
    builder.build().map(Some).map_err(|e| format!("TLS to {} cannot be set up: {e}", smarthost.host))
}

/// A connection that has been greeted.
pub(super) struct Connection {
    smtp: AsyncSmtpConnection,
    pub offers: Offers,
    /// Messages sent over it.
    pub mails: usize,
    /// When it was last of use.
    pub used: Instant,
}

impl Connection {
    /// Connects, greets, and starts TLS as configured. The error is a reason in plain words.
    pub async fn open(
        smarthost: &SmarthostConfig,
        tls: Option<&TlsParameters>,
        hostname: &str,
    ) -> Result<Self, String> {
        let hello = ClientId::Domain(hostname.to_owned());
        let mut smtp = Self::greet(smarthost, &hello).await?;
        if let Some(parameters) = tls {
            let required = smarthost.tls == SmarthostTls::Required;
            if smtp.can_starttls() {
                let started = waited(limits::SMARTHOST_COMMAND, smtp.starttls(parameters.clone(), &hello)).await;
                if let Err(error) = started {
                    let why = format!("TLS could not be started: {}", reason(&error));
                    if required {
                        return Err(why);
                    }
                    event!(Event::Trouble, what = "going on without TLS", reason = %why);
                    smtp = Self::greet(smarthost, &hello).await?;
                }
            } else if required {
                return Err("TLS is required and the smarthost does not offer STARTTLS".to_owned());
            }
        }
        // lettre keeps only the keywords that it uses itself; asked again, the smarthost says them all.
        let response = waited(limits::SMARTHOST_COMMAND, smtp.command(Ehlo::new(hello)))
            .await
            .map_err(|e| format!("it does not answer EHLO: {}", reason(&e)))?;
        Ok(Self { smtp, offers: Offers::read(response.message()), mails: 0, used: Instant::now() })
    }

    async fn greet(smarthost: &SmarthostConfig, hello: &ClientId) -> Result<AsyncSmtpConnection, String> {
        let address = (smarthost.host.as_str(), smarthost.port);
        let stream = timeout(Duration::from_secs(limits::SMARTHOST_CONNECT), TcpStream::connect(address))
            .await
            .map_err(|_| "it does not answer".to_owned())?
            .map_err(|e| format!("it cannot be reached: {e}"))?;
        stream.set_nodelay(true).map_err(|e| format!("the connection fails: {e}"))?;
        let greeting = AsyncSmtpConnection::connect_with_transport(Box::new(Wire::new(stream)), hello);
        waited(limits::SMARTHOST_COMMAND, greeting).await.map_err(|e| format!("no greeting: {}", reason(&e)))
    }

    /// Sends a command, or several in one write, and reads the first reply.
    pub async fn command(&mut self, command: impl Display, seconds: u64) -> Result<Reply, Lost> {
        read_reply(waited(seconds, self.smtp.command(command)).await)
    }

    /// Reads the reply to a further command of one write.
    pub async fn reply(&mut self, seconds: u64) -> Result<Reply, Lost> {
        read_reply(waited(seconds, self.smtp.read_response()).await)
    }

    /// Sends the content and the final dot. With the error comes whether the dot was sent: then nobody knows.
    pub async fn content(&mut self, content: &[u8]) -> Result<Reply, (Lost, bool)> {
        let (given, all_given) = (AtomicUsize::new(0), AtomicBool::new(false));
        // lettre stuffs dots, and writes the last CRLF itself, together with the final dot.
        let body = content.strip_suffix(b"\r\n").unwrap_or(content);
        let blocks = Blocks { rest: body, given: &given, all_given: &all_given };
        let mut sending = std::pin::pin!(self.smtp.message_iter(blocks));
        let watched = std::future::poll_fn(|cx| {
            let poll = sending.as_mut().poll(cx);
            if poll.is_pending() && all_given.load(Ordering::Relaxed) {
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
        read_reply(result).map_err(|lost| (lost, all_given.load(Ordering::Relaxed)))
    }

    /// Says goodbye, without waiting long for the answer.
    pub async fn close(mut self) {
        let _ = timeout(Duration::from_secs(1), self.smtp.command(Quit)).await;
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

/// A negative reply is a reply; all else loses the connection.
fn read_reply(result: Result<Response, Failed>) -> Result<Reply, Lost> {
    match result {
        Ok(response) => Ok(Reply::of(&response)),
        Err(Failed::Smtp(error)) => match error.status() {
            Some(code) => Ok(Reply { code: code.into(), text: reply_text(&error) }),
            None => Err(Lost(reason(&Failed::Smtp(error)))),
        },
        Err(late) => Err(Lost(reason(&late))),
    }
}

fn reply_text(error: &Error) -> String {
    sanitised(&std::error::Error::source(error).map(ToString::to_string).unwrap_or_default())
}

fn reason(failed: &Failed) -> String {
    match failed {
        Failed::Late => "no answer in time".to_owned(),
        Failed::Smtp(error) => match error.status() {
            Some(code) => format!("{code} {}", reply_text(error)),
            None => sanitised(&error.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_read_in_any_case() {
        let offers = |lines: &[&str]| Offers::read(lines.iter().copied());
        let all = Offers { pipelining: true, eight_bit: true, smtputf8: true, size: Some(Some(10)) };
        assert_eq!(offers(&["mx.example PIPELINING", "pipelining", "8BITMIME", "SmtpUtf8", "SIZE 10"]), all);
        assert_eq!(offers(&["PIPELINING"]), Offers::default(), "the first line is a name");
        assert_eq!(offers(&["mx", "SIZE"]).size, Some(None));
        assert_eq!(offers(&["mx", "SIZE 0"]).size, Some(None));
    }

    #[test]
    fn texts_of_the_peer_are_one_short_line() {
        assert_eq!(sanitised("no\r\nsuch\x1b[31m user\t"), "no  such [31m user");
        assert_eq!(sanitised(&"x".repeat(10_000)).len(), limits::REPLY_KEPT);
    }
}
