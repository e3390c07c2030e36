use std::sync::Mutex;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::smtp::{Address, Sender};
use crate::store::StoreError;

/// Takes everything in and keeps it; falls over at a message from `panic@`.
#[derive(Default)]
pub(super) struct Toy(Mutex<Vec<Submission>>);

impl TakeIn for Toy {
    async fn take_in(&self, submission: Submission) -> Reply {
        let from = submission.envelope.mail_from.as_ref().map(|a| a.local().to_owned());
        assert_ne!(from.as_deref(), Some("panic"), "asked to fall over");
        let reply = Reply::queued(&submission.id);
        self.0.lock().unwrap().push(submission);
        reply
    }

    /// The name says how it ends.
    async fn sign_in(&self, credentials: Credentials, _: IpAddr) -> Result<Account, NotSignedIn> {
        match credentials.name.as_str() {
            "office" => {
                let senders = vec![Sender::Mailbox(Address::parse("office@school.example").unwrap())];
                Ok(Account { name: credentials.name, senders })
            }
            "many" => Err(NotSignedIn::Throttled),
            "gone" => Err(NotSignedIn::Unavailable),
            "panic" => panic!("asked to fall over"),
            "slow" => std::future::pending().await,
            _ => Err(NotSignedIn::Wrong),
        }
    }
}

pub(super) struct Gateway {
    pub(super) address: SocketAddr,
    /// Of every door, in order.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) handle: ListenHandle,
    toy: Arc<Toy>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) served: JoinHandle<()>,
    spool: tempfile::TempDir,
    health: Health,
    pub(super) options: ListenOptions,
}

impl Gateway {
    async fn start(relay_from: &str) -> Self {
        Self::start_at(relay_from, Pace::default()).await
    }

    async fn start_at(relay_from: &str, pace: Pace) -> Self {
        let addresses = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
        let door = ListenerConfig::plain("listen", addresses, vec![relay_from.parse().unwrap()]);
        Self::start_doors(vec![door], pace).await
    }

    pub(super) async fn start_doors(doors: Vec<ListenerConfig>, pace: Pace) -> Self {
        let health = Health::new();
        let spool = tempfile::tempdir().unwrap();
        let options = ListenOptions {
            hostname: "gate.school.example".into(),
            postmaster_domain: "school.example".into(),
            doors: doors.into_iter().map(Arc::new).collect(),
            message_size: 4 * 1024 * 1024,
            spool: spool.path().to_owned(),
            store_key: [1; 32],
            health: health.clone(),
            places: Places::default(),
            pace,
        };
        let listener = Listener::bind(options.clone()).await.unwrap();
        let addresses = listener.addresses();
        let (address, handle) = (addresses[0], listener.handle());
        let toy = Arc::new(Toy::default());
        let (stop, stopped) = watch::channel(false);
        let served = tokio::spawn(listener.serve(toy.clone(), stopped));
        Self { address, addresses, handle, toy, stop, served, spool, health, options }
    }

    pub(super) fn taken(&self) -> Vec<Submission> {
        self.toy.0.lock().unwrap().clone()
    }

    async fn client(&self) -> Client {
        let mut client = Client(TcpStream::connect(self.address).await.unwrap());
        assert_eq!(client.reply().await, "220 gate.school.example ESMTP\r\n");
        client.says("EHLO client.example\r\n").await;
        client
    }
}

pub(super) struct Client<S = TcpStream>(pub(super) S);

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// One whole reply; empty when the connection is closed.
    pub(super) async fn reply(&mut self) -> String {
        let mut text = String::new();
        loop {
            let mut byte = [0];
            let read = timeout(Duration::from_secs(20), self.0.read(&mut byte)).await.expect("no reply in time");
            if read.unwrap_or(0) == 0 {
                return text;
            }
            text.push(char::from(byte[0]));
            let last_line = text.trim_end().rsplit("\r\n").next().unwrap_or("");
            if text.ends_with("\r\n") && last_line.as_bytes().get(3) == Some(&b' ') {
                return text;
            }
        }
    }

    pub(super) async fn sends(&mut self, text: impl AsRef<[u8]>) {
        self.0.write_all(text.as_ref()).await.unwrap();
    }

    pub(super) async fn says(&mut self, text: impl AsRef<[u8]>) -> String {
        self.sends(text).await;
        self.reply().await
    }

    /// A whole transaction; gives the answer to the content, which must bring its own end.
    pub(super) async fn mails(&mut self, from: &str, content: &[u8]) -> String {
        self.sends(format!("MAIL FROM:<{from}@school.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n")).await;
        for code in ["250", "250", "354"] {
            let reply = self.reply().await;
            assert!(reply.starts_with(code), "{reply}");
        }
        self.says(content).await
    }
}

#[tokio::test]
async fn a_message_arrives_whole_under_our_line() {
    let gateway = Gateway::start("127.0.0.0/8").await;
    let mut client = gateway.client().await;
    let message = b"Received: from elsewhere\r\nSubject: x\r\n\r\n..stuffed\r\n \xe4 \r\n";
    let reply = client.mails("a", &[&message[..39], &message[39..], b".\r\n"].concat()).await;
    let taken = gateway.taken();
    let [got] = taken.as_slice() else { panic!("{} messages", taken.len()) };
    assert_eq!(reply, format!("250 2.0.0 Ok: queued as {}\r\n", got.id));
    let text = String::from_utf8_lossy(&got.content);
    assert!(
        text.starts_with("Received: from client.example\r\n\t([127.0.0.1])\r\n\tby gate.school.example\r\n"),
        "{text}"
    );
    assert!(got.content.ends_with(b"\r\nReceived: from elsewhere\r\nSubject: x\r\n\r\n.stuffed\r\n \xe4 \r\n"));
    assert_eq!(ring::digest::digest(&ring::digest::SHA256, &got.content).as_ref(), got.sha256);
    assert_eq!(
        (got.received_hops, got.helo.as_str(), got.client.to_string().as_str()),
        (1, "client.example", "127.0.0.1")
    );
    assert!(client.says("QUIT\r\n").await.starts_with("221 "));
    assert_eq!(client.reply().await, "");
}

/// The end-of-data forms with which a second message was smuggled past real servers.
const SMUGGLING: &[&[u8]] = &[
    b"\n.\n",
    b"\n.\r",
    b"\r.\n",
    b"\r.\r",
    b"\n.\r\n",
    b"\r.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n",
];

#[tokio::test]
async fn nothing_is_smuggled() {
    let gateway = Gateway::start("127.0.0.0/8").await;
    for (n, form) in SMUGGLING.iter().enumerate() {
        let mut client = gateway.client().await;
        let body = [
            b"Subject: outer\r\n\r\nhello",
            *form,
            b"MAIL FROM:<head@school.example>\r\nRCPT TO:<c@x.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n",
        ]
        .concat();
        let reply = client.mails("a", &body).await;
        assert!(reply.starts_with("554-5.6.0 ") || reply.starts_with("554 5.6.0 "), "{}: {reply}", form.escape_ascii());
        // The session is in step: the very next reply belongs to the very next command.
        assert!(client.says("NOOP\r\n").await.starts_with("250 2.0.0 "));
        assert!(client.says("RCPT TO:<c@x.example>\r\n").await.starts_with("503 "));
        assert!(client.mails("a", b"Subject: right\r\n\r\nx\r\n.\r\n").await.starts_with("250 "));
        let taken = gateway.taken();
        assert_eq!(taken.len(), n + 1, "{}", form.escape_ascii());
        assert!(!String::from_utf8_lossy(&taken[n].content).contains("smuggled"));
    }
}

/// Relay checklist, row 53.
#[tokio::test]
async fn a_large_message_goes_through_a_file() {
    let gateway = Gateway::start("127.0.0.0/8").await;
    let mut client = gateway.client().await;
    let message = [b"Subject: x\r\n\r\n".as_slice(), &b"0123456789abcdef0123456789\r\n".repeat(100_000)].concat();
    let reply = client.mails("a", &[&message, b".\r\n".as_slice()].concat()).await;
    assert!(reply.starts_with("250 "), "{reply}");
    let taken = gateway.taken();
    assert!(taken[0].content.ends_with(&message));
    assert_eq!(ring::digest::digest(&ring::digest::SHA256, &taken[0].content).as_ref(), taken[0].sha256);
    let reply = client.mails("a", &[message.repeat(2), b".\r\n".to_vec()].concat()).await;
    assert!(reply.starts_with("552 5.3.4 "), "{reply}");
    assert_eq!(gateway.taken().len(), 1);
}

#[tokio::test]
async fn a_client_that_vanishes_leaves_nothing() {
    let gateway = Gateway::start("127.0.0.0/8").await;
    let mut client = gateway.client().await;
    client.sends("MAIL FROM:<a@school.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n").await;
    for _ in 0..3 {
        client.reply().await;
    }
    client.sends(&b"Subject: x\r\n\r\n".repeat(100_000)).await;
    drop(client);
    gateway.stop.send(true).unwrap();
    timeout(Duration::from_secs(10), gateway.served).await.expect("it ends at once").unwrap();
    assert!(gateway.toy.0.lock().unwrap().is_empty());
    assert_eq!(std::fs::read_dir(gateway.spool.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_not_smtp_is_cut() {
    let gateway = Gateway::start("127.0.0.0/8").await;
    let mut browser = Client(TcpStream::connect(gateway.address).await.unwrap());
    browser.reply().await;
    assert_eq!(browser.says("POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO x\r\nMAIL FROM:<a@x.example>\r\n").await, "");
    let mut early = Client(TcpStream::connect(gateway.address).await.unwrap());
    early.sends("EHLO x\r\n").await;
    assert!(early.reply().await.starts_with("554 5.5.0 "));
    assert_eq!(early.reply().await, "");
    let mut long = gateway.client().await;
    assert!(long.says("x".repeat(100_000)).await.starts_with("500 5.5.2 "));
    assert_eq!(long.reply().await, "");
}

#[tokio::test]
async fn a_stranger_may_not_relay() {
    let gateway = Gateway::start("192.0.2.0/24").await;
    let mut client = gateway.client().await;
    assert!(client.says("MAIL FROM:<a@school.example>\r\n").await.starts_with("250 "));
    assert!(client.says("RCPT TO:<b@x.example>\r\n").await.starts_with("550 5.7.1 "));
    assert!(client.says("DATA\r\n").await.starts_with("503 "));
}

/// Relay checklist, rows 64 and 65.
#[tokio::test]
async fn a_message_that_comes_back_is_refused() {
    let gateway = Gateway::start("127.0.0.0/8").await;
    let mut client = gateway.client().await;
    client.mails("a", b"Subject: x\r\n\r\n.\r\n").await;
    let first = gateway.taken()[0].content.clone();
    let again = [&b"Received: from the smarthost\r\n"[..], &first, b".\r\n"].concat();
    assert!(client.mails("a", &again).await.starts_with("554 5.4.6 "));
    // Sent on to somebody else by a list or a mailbox rule, it is a new message.
    client.sends("MAIL FROM:<a@school.example>\r\nRCPT TO:<other@x.example>\r\nDATA\r\n").await;
    for _ in 0..3 {
        client.reply().await;
    }
    assert!(client.says(&again).await.starts_with("250 "));
    let hops = [b"Received: x\r\n".repeat(limits::RECEIVED_HOPS), b"\r\n.\r\n".to_vec()].concat();
    assert!(client.mails("a", &hops).await.starts_with("554 5.4.6 "));
    assert_eq!(gateway.taken().len(), 2);
}

#[tokio::test]
async fn a_handler_that_falls_over_says_451_and_others_go_on() {
    let gateway = Gateway::start("127.0.0.0/8").await;
    let mut client = gateway.client().await;
    assert!(client.mails("panic", b"x\r\n.\r\n").await.starts_with("451 4.3.0 "));
    assert!(client.mails("a", b"x\r\n.\r\n").await.starts_with("250 "));
}

/// Relay checklist, row 2.
#[tokio::test]
async fn one_connection_too_many_hears_421() {
    let gateway = Gateway::start("127.0.0.0/8").await;
    let mut clients = Vec::new();
    for _ in 0..limits::CONNECTIONS_PER_CLIENT {
        clients.push(gateway.client().await);
    }
    let mut turned_away = Client(TcpStream::connect(gateway.address).await.unwrap());
    assert!(turned_away.reply().await.starts_with("421 4.3.2 "));
    assert_eq!(turned_away.reply().await, "");
    assert!(clients[0].says("QUIT\r\n").await.starts_with("221 "));
    assert_eq!(clients[0].reply().await, "");
    clients.remove(0);
    tokio::time::sleep(Duration::from_millis(100)).await;
    gateway.client().await;
}

/// A stranger's connection: `number` chooses its address in 127.1.0.0/16.
async fn stranger(gateway: SocketAddr, number: usize) -> Client {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    let [high, low] = u16::try_from(number + 1).unwrap().to_be_bytes();
    socket.bind(SocketAddr::from(([127, 1, high, low], 0))).unwrap();
    Client(socket.connect(gateway).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_strangers_do_not_lock_out_the_schools_own_server() {
    // They are not cut while this test runs.
    let minute = Duration::from_secs(60);
    let pace = Pace { stranger_idle: minute, stranger_session: minute, ..Pace::default() };
    let gateway = Gateway::start_at("127.0.0.1/32", pace).await;
    let address = gateway.address;
    // Each holds the connection that it gets, or comes again.
    let greeted = Arc::new(Mutex::new(std::collections::BTreeMap::<String, usize>::new()));
    let strangers = (0..500).map(|number| {
        let greeted = Arc::clone(&greeted);
        tokio::spawn(async move {
            loop {
                let mut client = stranger(address, number).await;
                let code = client.reply().await.get(..3).unwrap_or("cut").to_owned();
                *greeted.lock().unwrap().entry(code.clone()).or_default() += 1;
                if code == "220" {
                    std::future::pending::<()>().await;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        })
    });
    let strangers: Vec<_> = strangers.collect();
    let seen = |code: &str| greeted.lock().unwrap().get(code).copied().unwrap_or(0);
    let mut sent = 0;
    let began = tokio::time::Instant::now();
    while began.elapsed() < Duration::from_secs(3) || seen("421") < 450 {
        assert!(began.elapsed() < Duration::from_secs(20), "the strangers do not come: {:?}", greeted.lock().unwrap());
        let mail = async {
            let mut own = gateway.client().await;
            assert!(own.mails("a", b"Subject: x\r\n\r\nx\r\n.\r\n").await.starts_with("250 "));
            own.says("QUIT\r\n").await
        };
        timeout(Duration::from_secs(5), mail).await.expect("the school's own server is served at once");
        sent += 1;
    }
    assert_eq!(gateway.taken().len(), sent);
    assert_eq!(seen("220"), limits::STRANGER_CONNECTIONS, "so many hold a place, and no more");
    strangers.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn strangers_are_cut_soon_and_who_may_relay_is_not() {
    let pace = Pace {
        stranger_idle: Duration::from_millis(500),
        stranger_session: Duration::from_millis(2_500),
        ..Pace::default()
    };
    let gateway = Gateway::start_at("127.0.0.1/32", pace).await;
    let mut own = Client(TcpStream::connect(gateway.address).await.unwrap());
    assert!(own.reply().await.starts_with("220 "));
    let began = tokio::time::Instant::now();
    let mut silent = stranger(gateway.address, 0).await;
    assert!(silent.reply().await.starts_with("220 "));
    assert!(silent.reply().await.starts_with("421 4.4.2 "));
    assert!(began.elapsed() < Duration::from_millis(2_400), "sooner than by the whole session's time");
    // Never silent for long, and within every limit of commands.
    let began = tokio::time::Instant::now();
    let mut busy = stranger(gateway.address, 1).await;
    assert!(busy.reply().await.starts_with("220 "));
    let last = loop {
        let reply = busy.says("NOOP\r\n").await;
        if !reply.starts_with("250") {
            break reply;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(last.starts_with("421 4.4.2 "), "{last}");
    assert!(began.elapsed() >= Duration::from_secs(2), "activity has its time");
    assert!(own.says("EHLO own.example\r\n").await.starts_with("250"), "silent since the banner, and still there");
    assert!(own.mails("a", b"Subject: x\r\n\r\nx\r\n.\r\n").await.starts_with("250 "));
}

#[tokio::test]
async fn one_stranger_has_few_places() {
    let gateway = Gateway::start("127.0.0.1/32").await;
    let mut held = Vec::new();
    for _ in 0..limits::STRANGER_CONNECTIONS_PER_CLIENT {
        let mut client = stranger(gateway.address, 0).await;
        assert!(client.reply().await.starts_with("220 "));
        held.push(client);
    }
    assert!(stranger(gateway.address, 0).await.reply().await.starts_with("421 4.3.2 "));
    assert!(stranger(gateway.address, 1).await.reply().await.starts_with("220 "));
    gateway.client().await;
}

#[tokio::test]
async fn stopping_ends_what_runs_and_begins_nothing() {
    let gateway = Gateway::start("127.0.0.0/8").await;
    let (mut idle, mut busy) = (gateway.client().await, gateway.client().await);
    busy.sends("MAIL FROM:<a@school.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n").await;
    for _ in 0..3 {
        busy.reply().await;
    }
    gateway.stop.send(true).unwrap();
    assert!(idle.reply().await.starts_with("421 4.3.2 "));
    assert!(busy.says("x\r\n.\r\n").await.starts_with("250 "));
    assert!(busy.reply().await.starts_with("421 4.3.2 "));
    drop((idle, busy));
    timeout(Duration::from_secs(10), gateway.served).await.expect("it ends").unwrap();
    assert!(TcpStream::connect(gateway.address).await.is_err());
    assert_eq!(gateway.toy.0.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_transaction_that_does_not_end_is_cut_when_stopping() {
    let pace = Pace { stop: Duration::from_secs(2), ..Pace::default() };
    let gateway = Gateway::start_at("127.0.0.0/8", pace).await;
    let mut client = gateway.client().await;
    assert!(client.says("MAIL FROM:<a@school.example>\r\n").await.starts_with("250 "));
    gateway.stop.send(true).unwrap();
    assert!(client.reply().await.starts_with("421 4.4.2 "));
    drop(client);
    timeout(Duration::from_secs(5), gateway.served).await.expect("it ends").unwrap();
}

/// Relay checklist, row 58.
#[tokio::test]
async fn the_silent_and_the_slow_are_cut() {
    let pace = Pace {
        idle: Duration::from_millis(400),
        content_grace: Duration::from_millis(400),
        content_rate: 1_000_000,
        ..Pace::default()
    };
    let gateway = Gateway::start_at("127.0.0.0/8", pace).await;
    let mut silent = gateway.client().await;
    assert!(silent.reply().await.starts_with("421 4.4.2 "));
    assert_eq!(silent.reply().await, "");
    let mut slow = gateway.client().await;
    slow.sends("MAIL FROM:<a@school.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n").await;
    for _ in 0..3 {
        slow.reply().await;
    }
    // It is never silent for long, but never gets on either.
    let began = tokio::time::Instant::now();
    while slow.0.write_all(b"x").await.is_ok() && began.elapsed() < Duration::from_secs(10) {
        if let Ok(reply) = timeout(Duration::from_millis(50), slow.0.readable()).await {
            reply.unwrap();
            break;
        }
    }
    assert!(slow.reply().await.starts_with("421 4.4.2 "));
    assert!(began.elapsed() < Duration::from_secs(5));
    let mut dripping = gateway.client().await;
    for _ in 0..100 {
        if dripping.0.write_all(b"N").await.is_err()
            || timeout(Duration::from_millis(50), dripping.0.readable()).await.is_ok()
        {
            break;
        }
    }
    assert!(dripping.reply().await.starts_with("421 4.4.2 "), "an unfinished command is no progress");
}

/// Never silent, and within every limit of commands: without content it ends all the same, and with it not.
#[tokio::test]
async fn who_never_comes_to_content_is_cut_however_busy_it_is() {
    let pace = Pace { before_content: Duration::from_secs(2), ..Pace::default() };
    let gateway = Gateway::start_at("127.0.0.0/8", pace).await;
    let mut sends = gateway.client().await;
    let began = tokio::time::Instant::now();
    for (first, said) in [
        ("", "NOOP\r\n"),
        ("", "EHLO client.school.example\r\n"),
        ("MAIL FROM:<a@school.example>\r\n", "RCPT TO:<b@x.example>\r\n"),
        ("", "a command that is never whole"),
    ] {
        let mut busy = gateway.client().await;
        if !first.is_empty() {
            assert!(busy.says(first).await.starts_with("250"));
        }
        let began = tokio::time::Instant::now();
        let last = loop {
            assert!(began.elapsed() < Duration::from_secs(20), "{said}: it goes on and on");
            // It may be closed already; then the reply says so.
            let _ = busy.0.write_all(said.as_bytes()).await;
            let answered = timeout(Duration::from_millis(40), busy.0.readable()).await.is_ok();
            let reply = if answered { busy.reply().await } else { "250".to_owned() };
            if !reply.starts_with("250") {
                break reply;
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
            assert!(sends.mails("a", b"Subject: x\r\n\r\nx\r\n.\r\n").await.starts_with("250 "));
        };
        assert!(last.starts_with("421 4.4.2 "), "{said}: {last}");
        assert_eq!(busy.reply().await, "", "{said}");
    }
    assert!(began.elapsed() > pace.before_content * 2, "whoever sends mail outlasts it");
}

/// Relay checklist, rows 73 and 74.
#[tokio::test]
async fn what_keeps_mail_out_is_told_before_the_content() {
    let gateway = Gateway::start("127.0.0.0/8").await;
    let mut client = gateway.client().await;
    let health = &gateway.health;
    health.set_short_of_room(true);
    assert!(client.says("MAIL FROM:<a@school.example>\r\n").await.starts_with("452 4.3.1 "));
    health.set_short_of_room(false);
    health.set_busy(true);
    assert!(client.says("MAIL FROM:<a@school.example>\r\n").await.starts_with("451 4.3.2 "));
    health.set_busy(false);
    health.committed(Err(&StoreError::Closed), std::time::Instant::now());
    assert!(client.says("MAIL FROM:<a@school.example>\r\n").await.starts_with("451 4.3.0 "));
    let mut turned_away = Client(TcpStream::connect(gateway.address).await.unwrap());
    assert!(turned_away.reply().await.starts_with("421 4.3.0 "));
    assert_eq!(turned_away.reply().await, "");
    health.committed(Ok(()), std::time::Instant::now());
    assert!(client.mails("a", b"x\r\n.\r\n").await.starts_with("250 "));
}

#[tokio::test]
async fn until_it_is_ready_everybody_hears_421() {
    let gateway = Gateway::start("127.0.0.0/8").await;
    let options = ListenOptions { hostname: "late.school.example".into(), ..gateway.options.clone() };
    let listener = Listener::bind(options).await.unwrap();
    let address = listener.addresses()[0];
    let clients = async {
        for _ in 0..3 {
            let mut client = Client(TcpStream::connect(address).await.unwrap());
            assert!(client.reply().await.starts_with("421 4.3.0 late.school.example "));
            assert_eq!(client.reply().await, "");
        }
    };
    listener.turn_away_until(clients).await;
}

#[tokio::test]
async fn who_sends_no_proxy_header_takes_a_counted_place_for_a_while() {
    let mut door = ListenerConfig::plain("listen", vec![SocketAddr::from(([127, 0, 0, 1], 0))], Vec::new());
    door.relay_from = vec!["10.0.0.0/8".parse().unwrap()];
    door.proxy_from = vec!["127.0.0.0/8".parse().unwrap()];
    let pace = Pace { proxy_header: Duration::from_secs(60), ..Pace::default() };
    let gateway = Gateway::start_doors(vec![door], pace).await;
    let connect = || async { Client(TcpStream::connect(gateway.addresses[0]).await.unwrap()) };
    let mut silent = Vec::new();
    for _ in 0..limits::PROXY_WAITING {
        silent.push(connect().await);
    }
    let reply = connect().await.reply().await;
    assert!(reply.starts_with("421 4.3.2 "), "{reply}");
    // A place is free as soon as a header has come, and its client is served beside the others.
    let mut first = silent.remove(0);
    let banner = first.says("PROXY TCP4 10.1.2.3 10.0.0.1 56324 25\r\n").await;
    assert!(banner.starts_with("220 "), "{banner}");
    let mut next = connect().await;
    let banner = next.says("PROXY TCP4 10.1.2.4 10.0.0.1 56324 25\r\n").await;
    assert!(banner.starts_with("220 "), "{banner}");
}
