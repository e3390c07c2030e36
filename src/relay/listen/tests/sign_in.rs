//! Signing in over a socket, behind a handshake that is taken as done.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// A connection of a stranger to a door that lets accounts in.
async fn door(toy: &Arc<Toy>, pace: Pace) -> (Client, watch::Sender<bool>, tempfile::TempDir) {
    let spool = tempfile::tempdir().unwrap();
    let door = ListenerConfig { sign_in: true, ..ListenerConfig::plain("staff", Vec::new(), Vec::new()) };
    let options = ListenOptions {
        hostname: "gate.school.example".into(),
        postmaster_domain: "school.example".into(),
        doors: Vec::new(),
        message_size: 65_536,
        spool: spool.path().to_owned(),
        store_key: [1; 32],
        health: Health::new(),
        places: Places::default(),
        pace,
    };
    let shared = Arc::new(Shared {
        options: Arc::new(ArcSwap::from_pointee(options.clone())),
        tracer: Tracer::new(&options.hostname, &options.store_key),
        admission: Admission::new(options.places),
        in_hand: Semaphore::new(limits::CONTENT_IN_HAND / 1024),
        take_in: toy.clone(),
    });
    let socket = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let connected = TcpStream::connect(address).await.unwrap();
    let (stream, peer) = socket.accept().await.unwrap();
    let connection = Connection::new(stream, peer.ip(), false, Arc::new(door), Arc::new(options), shared);
    tokio::spawn(connection.behind_handshake(false).run(stopped));
    let mut client = Client(connected);
    assert!(client.reply().await.starts_with("220 "));
    (client, stop, spool)
}

fn plain(name: &str) -> String {
    format!("AUTH PLAIN {}\r\n", STANDARD.encode(format!("\0{name}\0secret")))
}

/// relay.md 119: who cannot be asked lets nobody in, and nobody is told that the password is wrong.
#[tokio::test]
async fn who_answers_late_or_not_at_all_lets_nobody_in() {
    let toy = Arc::new(Toy::default());
    for (name, wanted) in [
        ("office", "235 2.7.0 "),
        ("anybody", "535 5.7.8 "),
        ("many", "454 4.7.0 "),
        ("gone", "454 4.7.0 "),
        ("panic", "454 4.7.0 "),
        ("slow", "454 4.7.0 "),
    ] {
        let (mut client, _stop, _spool) =
            door(&toy, Pace { sign_in: Duration::from_millis(200), ..Pace::default() }).await;
        assert!(client.says("EHLO c\r\n").await.contains("250 AUTH PLAIN LOGIN"));
        let reply = client.says(plain(name)).await;
        assert!(reply.starts_with(wanted), "{name}: {reply}");
        let mail = client.says("MAIL FROM:<office@school.example>\r\n").await;
        assert_eq!(mail.starts_with("250 "), name == "office", "{name}: {mail}");
    }
    assert!(toy.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_message_says_who_had_signed_in() {
    let toy = Arc::new(Toy::default());
    let (mut client, _stop, _spool) = door(&toy, Pace::default()).await;
    client.says("EHLO c\r\n").await;
    assert!(client.says(plain("office")).await.starts_with("235 "));
    assert!(client.says("MAIL FROM:<head@school.example>\r\n").await.starts_with("550 5.7.1 "));
    let reply = client.mails("office", b"Subject: x\r\n\r\nx\r\n.\r\n").await;
    assert!(reply.starts_with("250 "), "{reply}");
    let taken = toy.0.lock().unwrap();
    let account = taken[0].account.as_ref().expect("an account");
    assert_eq!((account.name.as_str(), taken[0].encrypted, taken.len()), ("office", true, 1));
}
