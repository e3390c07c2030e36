//! One connection: reads, feeds the session, does what it says, within deadlines.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::spool::Spool;
use super::{ListenOptions, Shared, Submission, TakeIn, told_to_stop};
use crate::config::ListenerConfig;
use crate::limits;
use crate::relay::health::Door;
use crate::relay::log::{Event, event};
use crate::relay::monitor;
use crate::relay::trace::Hop;
use crate::smtp::auth::Account;
use crate::smtp::session::Begun;
use crate::smtp::{
    Action, CloseReason, Code, ContentFacts, Credentials, NotSignedIn, OwnAddresses, Reply, Session, SessionConfig, Tls,
};
use crate::store::{QueueId, fault};

/// How a connection ended that only looked whether the port answers, as health checks do.
pub(super) const SAID_NOTHING: &str = "said-nothing";

/// What MAIL is answered with while mail cannot be taken.
fn refusal(door: Door) -> Option<Reply> {
    match door {
        Door::Open => None,
        Door::NoRoom => Some(Reply::no_room()),
        Door::Sick => Some(Reply::try_again("Mail cannot be stored at the moment, please try again later")),
        Door::Busy => Some(Reply::busy()),
    }
}

fn session(
    options: &ListenOptions,
    door: &ListenerConfig,
    own: Arc<dyn OwnAddresses>,
    tls: Tls,
    may_relay: bool,
) -> Session {
    Session::new(SessionConfig {
        hostname: options.hostname.clone(),
        postmaster_domain: options.postmaster_domain.clone(),
        message_size: options.message_size,
        recipients: limits::RECIPIENTS,
        may_relay,
        tls,
        sign_in: door.sign_in,
        line_ends: door.line_ends,
        own,
    })
}

/// A message that comes.
struct Receiving {
    id: QueueId,
    at: Timestamp,
    begun: Begun,
    /// Our Received line, then the message.
    spool: Spool,
    /// Length of our Received line.
    head: usize,
    since: Instant,
    /// Octets read from the socket since then.
    read: u64,
}

pub(super) struct Connection<T> {
    stream: TcpStream,
    client: IpAddr,
    door: Arc<ListenerConfig>,
    options: Arc<ListenOptions>,
    shared: Arc<Shared<T>>,
    session: Session,
    receiving: Option<Receiving>,
    /// When the client last finished something.
    last_done: Instant,
    /// How long it may be silent.
    idle: Duration,
    /// When it is cut, however busy it is: a stranger.
    ends: Option<Instant>,
    /// When even a running transaction is cut, once the gateway stops.
    stops: Option<Instant>,
    /// The client has sent something.
    spoke: bool,
    /// A message is ours, and its 250 is the next thing to be written.
    accepted: bool,
}

impl<T: TakeIn> Connection<T> {
    pub(super) fn new(
        stream: TcpStream,
        client: IpAddr,
        may_relay: bool,
        door: Arc<ListenerConfig>,
        options: Arc<ListenOptions>,
        shared: Arc<Shared<T>>,
    ) -> Self {
        let session = session(&options, &door, shared.take_in.own(), Tls::None, may_relay);
        let pace = options.pace;
        let (idle, ends) = match may_relay {
            true => (pace.idle, None),
            false => (pace.idle.min(pace.stranger_idle), Some(Instant::now() + pace.stranger_session)),
        };
        Self {
            stream,
            client,
            door,
            options,
            shared,
            session,
            receiving: None,
            last_done: Instant::now(),
            idle,
            ends,
            stops: None,
            spoke: false,
            accepted: false,
        }
    }

    /// As it is behind a handshake, for what comes after one.
    #[cfg(test)]
    pub(super) fn behind_handshake(mut self, may_relay: bool) -> Self {
        self.session = session(&self.options, &self.door, self.shared.take_in.own(), Tls::On, may_relay);
        self
    }

    /// Serves the connection to its end, and says in one word how it ended.
    pub(super) async fn run(mut self, stop: watch::Receiver<bool>) -> &'static str {
        match self.talk(stop).await {
            Ok(reason) => {
                if reason != CloseReason::WrongProtocol {
                    self.linger().await;
                }
                reason.as_str()
            }
            Err(_) if self.spoke => "lost",
            Err(_) => SAID_NOTHING,
        }
    }

    async fn talk(&mut self, mut stop: watch::Receiver<bool>) -> io::Result<CloseReason> {
        // Replies are whole when they are written; nothing is gained by waiting for more.
        self.stream.set_nodelay(true)?;
        let mut buffer = vec![0; limits::READ_BUFFER];
        let mut actions = Vec::new();
        let wait = Duration::from_millis(limits::GREETING_WAIT_MILLIS);
        match timeout(wait, self.stream.read(&mut buffer)).await {
            Ok(read) => match read? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => self.spoke_too_early(&buffer[..n], &mut actions),
            },
            Err(_) => actions.push(Action::Write(self.session.banner())),
        }
        loop {
            if let Some(reason) = self.perform(&mut actions).await? {
                return Ok(reason);
            }
            // One that never falls silent would never come to a deadline.
            if self.ends.is_some_and(|ends| ends <= Instant::now()) {
                self.session.timed_out(&mut actions);
                continue;
            }
            let deadline = self.deadline();
            tokio::select! {
                () = told_to_stop(&mut stop), if self.stops.is_none() => {
                    // Half of the time: the rest is for deciding on what has come by then.
                    self.stops = Some(Instant::now() + self.options.pace.stop / 2);
                    self.session.stop(&mut actions);
                }
                read = timeout_at(deadline, self.stream.read(&mut buffer)) => match read {
                    Err(_) => self.session.timed_out(&mut actions),
                    Ok(read) => match read? {
                        0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                        n => self.feed(&buffer[..n], &mut actions),
                    },
                },
            }
        }
    }

    fn spoke_too_early(&mut self, input: &[u8], actions: &mut Vec<Action>) {
        self.spoke = true;
        self.session.spoke_too_early(input, actions);
    }

    fn feed(&mut self, input: &[u8], actions: &mut Vec<Action>) {
        self.spoke = true;
        if let Some(receiving) = &mut self.receiving {
            receiving.read += input.len() as u64;
        }
        self.session.set_refusal(refusal(self.options.health.door()));
        self.session.receive(input, actions);
        // Octets alone are no progress: a command must end before the client has its full time again.
        if !actions.is_empty() {
            self.last_done = Instant::now();
        }
    }

    /// Until when the next octets must come.
    fn deadline(&self) -> Instant {
        let pace = &self.options.pace;
        let deadline = match &self.receiving {
            None => self.last_done + self.idle,
            Some(receiving) => {
                let at_rate = pace.content_grace + Duration::from_secs(receiving.read / pace.content_rate.max(1));
                receiving.since + at_rate.min(pace.content)
            }
        };
        [self.stops, self.ends].into_iter().flatten().fold(deadline, Instant::min)
    }

    /// Does what the session says; a reason when the connection is to close.
    async fn perform(&mut self, actions: &mut Vec<Action>) -> io::Result<Option<CloseReason>> {
        while !actions.is_empty() {
            for action in std::mem::take(actions) {
                match action {
                    Action::Write(reply) => {
                        timeout(self.idle, self.stream.write_all(&reply)).await??;
                        if std::mem::take(&mut self.accepted) {
                            fault::point("after-250");
                        }
                    }
                    Action::Pause => tokio::time::sleep(Duration::from_secs(limits::ERROR_PAUSE_SECONDS)).await,
                    Action::Begin(begun) => self.begin(*begun).await,
                    Action::Content(content) => {
                        if let Some(receiving) = &mut self.receiving {
                            receiving.spool.push(&content).await;
                        }
                    }
                    Action::Discard => self.receiving = None,
                    Action::StartTls => self.session.not_secured(actions),
                    Action::SignIn(credentials) => {
                        let outcome = self.sign_in(credentials).await;
                        self.session.signed_in(outcome, actions);
                        self.last_done = Instant::now();
                    }
                    Action::Complete(facts) => {
                        let reply = self.complete(facts).await;
                        self.accepted = reply.is_success();
                        self.session.answer(&reply, actions);
                        self.last_done = Instant::now();
                    }
                    Action::Close(reason) => return Ok(Some(reason)),
                }
            }
        }
        Ok(None)
    }

    /// Has name and password looked at, within a deadline: who cannot be asked lets nobody in.
    async fn sign_in(&mut self, credentials: Credentials) -> Result<Account, NotSignedIn> {
        let (take_in, client) = (self.shared.take_in.clone(), self.client);
        // A task of its own: its panic is not ours, and a try that is counted is counted to its end.
        let asked = tokio::spawn(async move { take_in.sign_in(credentials, client).await });
        let outcome = match timeout(self.options.pace.sign_in, asked).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => {
                event!(
                    Event::Trouble,
                    what = "sign-in",
                    listener = self.door.name,
                    reason = "it ended without an answer"
                );
                Err(NotSignedIn::Unavailable)
            }
            Err(_) => {
                event!(
                    Event::Trouble,
                    what = "sign-in",
                    listener = self.door.name,
                    reason = "it had no answer in time"
                );
                Err(NotSignedIn::Unavailable)
            }
        };
        monitor::signed_in(outcome.as_ref().err().copied());
        if outcome.is_ok() {
            self.may_relay();
        }
        outcome
    }

    /// Who was a stranger has shown that it may relay: it has the time of those who may.
    fn may_relay(&mut self) {
        self.idle = self.options.pace.idle;
        self.ends = None;
    }

    async fn begin(&mut self, begun: Begun) {
        let at = Timestamp::now();
        let id = QueueId::generate(at);
        let line = self.shared.tracer.received_line(&Hop {
            helo: &begun.helo,
            client: self.client,
            esmtp: begun.esmtp,
            smtputf8: begun.envelope.smtputf8,
            id: &id,
            recipients: &begun.envelope.recipients,
            at,
        });
        let mut spool = Spool::new(self.options.spool.clone());
        spool.push(&line).await;
        let head = spool.length();
        self.receiving = Some(Receiving { id, at, begun, spool, head, since: Instant::now(), read: 0 });
    }

    /// Has the message decided on, and gives the answer to it.
    async fn complete(&mut self, facts: ContentFacts) -> Reply {
        let ended = Instant::now();
        let Some(receiving) = self.receiving.take() else { return Reply::try_again("Local error") };
        let id = receiving.id.clone();
        let recipients = receiving.begun.envelope.recipients.len();
        let reply = self.decide(receiving, facts).await;
        let (client, size, code) = (self.client, facts.size, reply.code().number());
        if reply.is_success() {
            event!(Event::Accepted, id = %id, client = %client, recipients, size);
        } else {
            event!(Event::Refused, id = %id, client = %client, recipients, size, code);
        }
        monitor::answered(reply.code(), facts.size, ended.elapsed());
        reply
    }

    async fn decide(&mut self, receiving: Receiving, facts: ContentFacts) -> Reply {
        let Receiving { id, at, begun, spool, head, .. } = receiving;
        // A message larger than all permits together takes them all and goes alone.
        let kib = (spool.length().div_ceil(1024)).min(limits::CONTENT_IN_HAND / 1024);
        let permits = u32::try_from(kib).unwrap_or(u32::MAX);
        let wait = Duration::from_secs(limits::INSPECT_QUEUE_SECONDS);
        let Ok(Ok(_in_hand)) = timeout(wait, self.shared.in_hand.acquire_many(permits)).await else {
            return Reply::busy();
        };
        let (content, sha256) = match spool.finish().await {
            Ok(finished) => finished,
            Err(error) => {
                event!(Event::Trouble, id = %id, what = "spool", reason = %error);
                return Reply::no_room();
            }
        };
        if self.shared.tracer.has_been_here(&content[head..], &begun.envelope.recipients) {
            let text = "This message has passed this server before, it is looping";
            return Reply::new(Code::Failed, (4, 6), text);
        }
        let submission = Submission {
            id: id.clone(),
            envelope: begun.envelope,
            client: self.client,
            helo: begun.helo,
            encrypted: begun.encrypted,
            account: begun.account,
            content,
            sha256,
            received_hops: facts.received,
            at,
        };
        let take_in = self.shared.take_in.clone();
        // A task of its own: it ends what it began when the client goes away, and its panic is not ours.
        match tokio::spawn(async move { take_in.take_in(submission).await }).await {
            Ok(reply) => reply,
            Err(_) => {
                event!(Event::Trouble, id = %id, what = "intake", reason = "it ended without an answer");
                Reply::try_again("The message could not be processed, please try again later")
            }
        }
    }

    /// Reads on for a moment, so that the client takes our last reply before the connection is gone.
    async fn linger(&mut self) {
        let drain = async {
            self.stream.shutdown().await?;
            let mut buffer = [0; 4096];
            while self.stream.read(&mut buffer).await? > 0 {}
            io::Result::Ok(())
        };
        // Whether it listened to the end or not, the connection is over.
        let _ = timeout(Duration::from_secs(limits::LINGER_SECONDS), drain).await;
    }
}
