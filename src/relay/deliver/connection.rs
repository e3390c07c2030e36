//! One connection to the smarthost: the stream under [`Client`], in clear or under TLS, with the waits.
//!
//! What is said and what an answer means is decided there; here it is written, read and timed. TCP_NODELAY is set,
//! without which each command would wait for the peer's delayed acknowledgement, some 40 ms.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};

use super::host::Host;
use crate::config::SmarthostTls;
use crate::limits;
use crate::relay::log::{Event, event};
use crate::relay::monitor;
use crate::smtp::answer::sanitised;
use crate::smtp::client::{Action, Body, Client, Done, Mail, NotOpen, Offers, StartTls, Under, Waits, Way};
use crate::store::fault;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that takes mail.
pub(super) struct Connection {
    stream: Box<dyn Stream>,
    client: Client,
    waits: Waits,
    /// The final dot was written, and no answer heard since.
    dot_left: bool,
    /// The number of the token that was shown last; 0 before the first.
    token: u64,
    /// Messages sent over it.
    pub mails: usize,
    /// Given back when the stream is gone, which stands above.
    _place: Option<OwnedSemaphorePermit>,
}

/// What a piece of the dialogue has come to.
enum End {
    Ready,
    NotOpen(NotOpen),
    Done(Done),
    Bye,
}

impl Connection {
    /// Connects, greets, starts TLS and signs in, as configured.
    pub async fn open(host: &Host, hostname: &str) -> Result<Self, NotOpen> {
        let tls = match host.config.tls {
            _ if host.tls.is_none() => StartTls::Never,
            SmarthostTls::None | SmarthostTls::Implicit => StartTls::Never,
            SmarthostTls::Opportunistic => StartTls::IfOffered,
            SmarthostTls::Encrypted | SmarthostTls::Required => StartTls::Must,
        };
        match Self::greet(host, hostname, tls).await {
            Err(NotOpen::Tls(why)) if tls == StartTls::IfOffered => {
                event!(Event::Trouble, what = "going on without TLS", reason = %why);
                Self::greet(host, hostname, StartTls::Never).await
            }
            opened => opened,
        }
    }

    async fn greet(host: &Host, hostname: &str, tls: StartTls) -> Result<Self, NotOpen> {
        host.look().await;
        let place = host.place().await;
        let stream = connect(host).await.map_err(NotOpen::Unreachable)?;
        let way = Way { hostname: hostname.to_owned(), tls, sign_in: host.sign_in() };
        let mut new = Self {
            stream: Box::new(stream),
            client: Client::new(way.clone(), Under::Nothing),
            waits: host.waits,
            dot_left: false,
            token: 0,
            mails: 0,
            _place: place,
        };
        if host.config.tls == SmarthostTls::Implicit {
            new.start_tls(host).await.map_err(|why| NotOpen::Tls(format!("TLS could not be started: {why}")))?;
            new.client = Client::new(way, host.under());
        }
        match new.go(Some(host), Vec::new()).await {
            End::Ready => Ok(new),
            End::NotOpen(why) => Err(why),
            End::Done(_) | End::Bye => Err(NotOpen::Unreachable("no greeting".to_owned())),
        }
    }

    /// What the smarthost offers.
    pub fn offers(&self) -> Offers {
        self.client.offers()
    }

    /// It may take another message: the stream is open and says nothing by itself.
    pub fn is_ready(&mut self) -> bool {
        let mut octet = [0];
        let mut cx = Context::from_waker(Waker::noop());
        let quiet = Pin::new(&mut self.stream).poll_read(&mut cx, &mut ReadBuf::new(&mut octet)).is_pending();
        quiet && self.client.is_ready()
    }

    /// Sends a message and says what became of it.
    pub async fn send(&mut self, mail: Mail) -> Done {
        let all = mail.recipients.len();
        let mut actions = Vec::new();
        self.client.send(mail, &mut actions);
        let began = Instant::now();
        let end = self.go(None, actions).await;
        monitor::delivery_took(began.elapsed());
        match end {
            End::Done(done) => done,
            // The client ends a message with `Done` alone; were it otherwise, nothing may be taken for sent.
            End::Ready | End::NotOpen(_) | End::Bye => Done::given_up(all),
        }
    }

    /// Says goodbye, without waiting long for the answer.
    pub async fn close(mut self) {
        let mut actions = Vec::new();
        self.client.quit(&mut actions);
        self.go(None, actions).await;
    }

    /// Does what the client says, and tells it what came of that, until it has come to something.
    async fn go(&mut self, host: Option<&Host>, mut todo: Vec<Action>) -> End {
        loop {
            let mut next = Vec::new();
            for action in todo.drain(..) {
                match action {
                    Action::Write(bytes) => self.write(&bytes, &mut next).await,
                    Action::Secret(secret) => self.write(&secret.0, &mut next).await,
                    Action::Content(body) => self.content(&body, &mut next).await,
                    Action::BeginTls => match host {
                        Some(host) => match self.start_tls(host).await {
                            Ok(()) => self.client.secured(host.under(), &mut next),
                            Err(why) => self.client.not_secured(&why, &mut next),
                        },
                        None => self.client.not_secured("not now", &mut next),
                    },
                    Action::Prove(wanted) => match host {
                        Some(host) => match host.proof(wanted, &mut self.token).await {
                            Ok(proof) => self.client.prove(&proof, &mut next),
                            Err(why) => self.client.cannot_prove(&why, &mut next),
                        },
                        None => self.client.cannot_prove("not now", &mut next),
                    },
                    Action::Ready => return End::Ready,
                    Action::NotOpen(why) => return End::NotOpen(why),
                    Action::Done(done) => return End::Done(done),
                    Action::Bye => return End::Bye,
                }
            }
            if next.is_empty() {
                // Nothing more comes of it.
                if self.client.is_over() {
                    return End::Bye;
                }
                self.read(&mut next).await;
            }
            todo = next;
        }
    }

    /// Reads until the client says something, which it does with every answer or when there is none in time.
    async fn read(&mut self, actions: &mut Vec<Action>) {
        let mut bytes = [0; limits::SMARTHOST_READ];
        let waits = self.waits;
        let wait = |client: &Client| Instant::now() + client.patience(&waits);
        let (mut deadline, mut heard) = (wait(&self.client), self.client.heard());
        while actions.is_empty() {
            match timeout_at(deadline, self.stream.read(&mut bytes)).await {
                Err(_) => self.client.lost(LATE, actions),
                Ok(Ok(0)) => self.client.ended(actions),
                // Closed without a TLS close_notify, as many servers do.
                Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => self.client.ended(actions),
                Ok(Err(error)) => self.client.lost(&sanitised(&error.to_string()), actions),
                Ok(Ok(read)) => self.client.receive(&bytes[..read], actions),
            }
            if self.client.heard() != heard {
                (deadline, heard) = (wait(&self.client), self.client.heard());
                if std::mem::take(&mut self.dot_left) {
                    fault::point("after-smarthost-250");
                }
            }
        }
    }

    async fn write(&mut self, bytes: &[u8], actions: &mut Vec<Action>) {
        let patience = self.client.patience(&self.waits);
        let written = written(patience, async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        });
        if let Err(why) = written.await {
            self.client.lost(&why, actions);
        }
    }

    /// Sends the content in blocks, each with its own wait, and the final dot.
    async fn content(&mut self, body: &Body, actions: &mut Vec<Action>) {
        self.mails += 1;
        let (stuffed, end) = body.on_the_wire();
        for block in stuffed.chunks(limits::CONTENT_CHUNK) {
            if let Err(why) = written(self.waits.block, self.stream.write_all(block)).await {
                return self.client.lost(&why, actions);
            }
        }
        self.client.dot_leaves();
        self.write(end, actions).await;
        self.dot_left = true;
        fault::point("after-final-dot");
    }

    /// The handshake. When it fails, the stream is of no use any more.
    async fn start_tls(&mut self, host: &Host) -> Result<(), String> {
        let connector = host.tls.as_ref().ok_or("it is not configured")?;
        let name = ServerName::try_from(host.config.host.clone())
            .map_err(|_| format!("{} is no name that a certificate can hold", host.config.host))?;
        let stream = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let stream = written(self.waits.command, connector.connect(name, stream)).await?;
        self.stream = Box::new(stream);
        Ok(())
    }
}

const LATE: &str = "no answer in time";

async fn written<T>(wait: Duration, doing: impl Future<Output = io::Result<T>>) -> Result<T, String> {
    match timeout(wait, doing).await {
        Ok(result) => result.map_err(|error| sanitised(&error.to_string())),
        Err(_) => Err(LATE.to_owned()),
    }
}

async fn connect(host: &Host) -> Result<TcpStream, String> {
    let address = (host.config.host.as_str(), host.config.port);
    let stream = timeout(host.waits.connect, TcpStream::connect(address))
        .await
        .map_err(|_| "it does not answer".to_owned())?
        .map_err(|e| format!("it cannot be reached: {e}"))?;
    stream.set_nodelay(true).map_err(|e| format!("the connection fails: {e}"))?;
    Ok(stream)
}
