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

use super::admission::Place;
use super::spool::Spool;
use super::stream::Stream;
use super::tls::DoorTls;
use super::{ListenOptions, Shared, Submission, TakeIn, tenant, told_to_stop};
use crate::config::{ListenerConfig, ListenerTls};
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

/// Whether its address lets a client send through a door.
pub(super) fn is_of_network(door: &ListenerConfig, client: IpAddr) -> bool {
    door.relay_from.iter().any(|network| network.contains(&client))
}

/// Whether it is a mail server in front of us, which may say who its client was.
fn is_in_front(door: &ListenerConfig, client: IpAddr) -> bool {
    door.xclient_from.iter().any(|network| network.contains(&client))
}

fn session(
    options: &ListenOptions,
    door: &ListenerConfig,
    own: Arc<dyn OwnAddresses>,
    tls: Tls,
    may_relay: bool,
    xclient: bool,
) -> Session {
    Session::new(SessionConfig {
        hostname: options.hostname.clone(),
        postmaster_domain: options.postmaster_domain.clone(),
        message_size: options.message_size,
        recipients: limits::RECIPIENTS,
        may_relay,
        tls,
        sign_in: door.sign_in,
        xclient,
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
    stream: Stream,
    client: IpAddr,
    place: Place,
    door: Arc<ListenerConfig>,
    /// TLS of its door.
    tls: Option<Arc<DoorTls>>,
    options: Arc<ListenOptions>,
    shared: Arc<Shared<T>>,
    session: Session,
    receiving: Option<Receiving>,
    /// When the client last finished something.
    last_done: Instant,
    /// When it last had an answer to content; before the first, when it began.
    last_message: Instant,
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
        place: Place,
        (door, tls): (Arc<ListenerConfig>, Option<Arc<DoorTls>>),
        options: Arc<ListenOptions>,
        shared: Arc<Shared<T>>,
    ) -> Self {
        let may_relay = is_of_network(&door, client);
        let secured = match door.tls {
            _ if tls.is_none() => Tls::None,
            ListenerTls::None => Tls::None,
            ListenerTls::Starttls => Tls::Offered,
            ListenerTls::Required => Tls::Required,
            ListenerTls::Implicit => Tls::On,
        };
        let in_front = is_in_front(&door, client);
        let session = session(&options, &door, shared.take_in.own(), secured, may_relay, in_front);
        let pace = options.pace;
        let (idle, ends) = match may_relay {
            true => (pace.idle, None),
            false => (pace.idle.min(pace.stranger_idle), Some(Instant::now() + pace.stranger_session)),
        };
        Self {
            stream: Stream::Clear(stream),
            client,
            place,
            door,
            tls,
            options,
            shared,
            session,
            receiving: None,
            last_done: Instant::now(),
            last_message: Instant::now(),
            idle,
            ends,
            stops: None,
            spoke: false,
            accepted: false,
        }
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
        if self.door.tls == ListenerTls::Implicit {
            let Some(may_relay) = self.secure(&mut stop).await? else { return Ok(CloseReason::Handshake) };
            let in_front = is_in_front(&self.door, self.client);
            self.session = session(&self.options, &self.door, self.shared.take_in.own(), Tls::On, may_relay, in_front);
        }
        let mut actions = Vec::new();
        let wait = Duration::from_millis(limits::GREETING_WAIT_MILLIS);
        match timeout(wait, self.stream.read_some()).await {
            Ok(read) => self.spoke_too_early(&read?, &mut actions),
            Err(_) => actions.push(Action::Write(self.session.banner())),
        }
        loop {
            if let Some(reason) = self.perform(&mut actions, &mut stop).await? {
                return Ok(reason);
            }
            // One that never falls silent would never come to a deadline.
            if self.ends().is_some_and(|ends| ends <= Instant::now()) {
                self.session.timed_out(&mut actions);
                continue;
            }
            let deadline = self.deadline();
            tokio::select! {
                // What has come by the time of the end is read after it: nobody begins anything then.
                biased;
                () = told_to_stop(&mut stop), if self.stops.is_none() => {
                    // Half of the time: the rest is for deciding on what has come by then.
                    self.stops = Some(Instant::now() + self.options.pace.stop / 2);
                    self.session.stop(&mut actions);
                }
                read = timeout_at(deadline, self.stream.read_some()) => match read {
                    Err(_) => self.session.timed_out(&mut actions),
                    Ok(read) => self.feed(&read?, &mut actions),
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
        [self.stops, self.ends()].into_iter().flatten().fold(deadline, Instant::min)
    }

    /// When it is cut, however busy it is.
    fn ends(&self) -> Option<Instant> {
        let content = self.receiving.is_none().then(|| self.last_message + self.options.pace.before_content);
        [self.ends, content].into_iter().flatten().min()
    }

    /// Begins TLS, within its deadline and until the gateway stops: whether the client may relay now, or `None` where there is
    /// no TLS and nothing may be said any more.
    ///
    /// # Errors
    /// The client has gone without a word.
    async fn secure(&mut self, stop: &mut watch::Receiver<bool>) -> io::Result<Option<bool>> {
        let Some(tls) = self.tls.clone() else { return Ok(None) };
        let limit = Instant::now() + self.options.pace.handshake;
        let deadline = [self.stops, self.ends()].into_iter().flatten().fold(limit, Instant::min);
        let handshake = async {
            self.stream.spoken_to().await?;
            self.spoke = true;
            io::Result::Ok(self.stream.secure(tls.acceptor()).await.is_ok())
        };
        let begun = tokio::select! {
            () = told_to_stop(stop) => false,
            begun = timeout_at(deadline, handshake) => begun.unwrap_or(Ok(false))?,
        };
        self.last_done = Instant::now();
        let Some(handshake) = self.stream.handshake().filter(|_| begun) else { return Ok(None) };
        if tls.lets_in(handshake) {
            self.may_relay();
            return Ok(Some(true));
        }
        Ok(Some(is_of_network(&self.door, self.client)))
    }

    /// Who was a stranger has shown that it may relay: it has the place and the time of those who may.
    fn may_relay(&mut self) {
        self.place.may_relay();
        self.idle = self.options.pace.idle;
        self.ends = None;
    }

    /// The connection is another client's: whether that one may relay. Its place stays that of the server in front.
    fn introduce(&mut self, client: IpAddr) -> bool {
        self.client = client;
        let may_relay = is_of_network(&self.door, client);
        if may_relay {
            self.may_relay();
        } else {
            let pace = &self.options.pace;
            self.idle = pace.idle.min(pace.stranger_idle);
            self.ends = Some(Instant::now() + pace.stranger_session);
        }
        may_relay
    }

    /// Does what the session says; a reason when the connection is to close.
    async fn perform(
        &mut self,
        actions: &mut Vec<Action>,
        stop: &mut watch::Receiver<bool>,
    ) -> io::Result<Option<CloseReason>> {
        while !actions.is_empty() {
            for action in std::mem::take(actions) {
                match action {
                    Action::Write(reply) => {
                        let write = async {
                            self.stream.write_all(&reply).await?;
                            self.stream.flush().await
                        };
                        timeout(self.idle, write).await??;
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
                    Action::Discard => {
                        self.receiving = None;
                        self.last_message = Instant::now();
                    }
                    Action::Introduce(client) => {
                        let may_relay = self.introduce(client);
                        self.session.introduced(may_relay, actions);
                    }
                    Action::StartTls => match self.secure(stop).await? {
                        Some(may_relay) => self.session.secured(may_relay, actions),
                        None => self.session.not_secured(actions),
                    },
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
                        self.last_message = self.last_done;
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
            unasked => {
                let reason = if unasked.is_ok() { "it ended without an answer" } else { "it had no answer in time" };
                event!(Event::Trouble, what = "sign-in", listener = self.door.name, reason);
                Err(NotSignedIn::Unavailable)
            }
        };
        monitor::signed_in(outcome.as_ref().err().copied());
        if outcome.is_ok() {
            self.may_relay();
        }
        outcome
    }

    async fn begin(&mut self, begun: Begun) {
        let at = Timestamp::now();
        let id = QueueId::generate(at);
        let line = self.shared.tracer.received_line(&Hop {
            helo: &begun.helo,
            client: self.client,
            esmtp: begun.esmtp,
            encrypted: begun.encrypted,
            signed_in: begun.account.is_some(),
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
        // Of whom a server in front took it, where it said so; and who had signed in.
        let told = receiving.begun.forwarded.as_ref();
        let origin = told.and_then(|told| told.address).map(|address| address.to_string());
        let account = receiving.begun.account.as_ref().map(|account| account.name.clone());
        let reply = self.decide(receiving, facts).await;
        let (client, size, code) = (self.client, facts.size, reply.code().number());
        if reply.is_success() {
            event!(Event::Accepted, id = %id, client = %client, origin, account, recipients, size);
        } else {
            event!(Event::Refused, id = %id, client = %client, origin, account, recipients, size, code);
        }
        monitor::answered(reply.code(), facts.size, ended.elapsed());
        reply
    }

    async fn decide(&mut self, receiving: Receiving, facts: ContentFacts) -> Reply {
        let Receiving { id, at, begun, spool, head, .. } = receiving;
        // A small message is in memory as it is, and waits for none. One larger than all permits together takes them all and goes alone.
        let large = spool.length() > limits::LIGHT_MESSAGE;
        let kib = if large { spool.length().div_ceil(1024).min(limits::CONTENT_IN_HAND / 1024) } else { 0 };
        let permits = u32::try_from(kib).unwrap_or(u32::MAX);
        let wait = Duration::from_secs(limits::CONTENT_QUEUE_SECONDS);
        let Ok(Ok(_in_hand)) = timeout(wait, self.shared.in_hand.acquire_many(permits)).await else {
            return Reply::busy();
        };
        let (mut content, mut sha256) = match spool.finish().await {
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
        // Whoever has signed in is known by more than what all tenants share.
        if let Some(wanted) = self.door.tenant.clone().filter(|_| begun.account.is_none()) {
            // Beside the runtime: all of the content is copied and hashed anew.
            let looked = tokio::task::spawn_blocking(move || tenant::admitted(&content, head, &wanted)).await;
            let Ok(admitted) = looked else { return Reply::try_again("Local error") };
            let Some(admitted) = admitted else {
                event!(Event::ForeignTenant, id = %id, client = %self.client, listener = self.door.name);
                let text = "This server takes mail of this provider from one tenant only";
                return Reply::new(Code::Refused, (7, 1), text);
            };
            (content, sha256) = admitted;
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
