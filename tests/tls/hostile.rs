//! Clients that mean harm, or do not know better, at doors with TLS; meanwhile ordinary mail goes on.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, CodeSigning};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::support::certificates::{Authority, BOTH};
use super::support::{PATIENCE, installed};
use super::{HOST, House};

const EHLO: &str = "EHLO client.example";

/// A client that says lines and hears replies.
struct Talk<S>(S);

type Secret = StreamOwned<ClientConnection, TcpStream>;

impl<S: Read + Write> Talk<S> {
    /// The last line of the next reply; empty where the connection has ended.
    fn hears(&mut self) -> String {
        loop {
            let mut line = Vec::new();
            let mut octet = [0];
            while !line.ends_with(b"\n") {
                match self.0.read(&mut octet) {
                    Ok(1) => line.push(octet[0]),
                    _ => return String::from_utf8_lossy(&line).into_owned(),
                }
            }
            if line.get(3) != Some(&b'-') {
                return String::from_utf8_lossy(&line).trim_end().to_owned();
            }
        }
    }

    fn says(&mut self, text: &str) -> String {
        // Who is cut meanwhile hears it below.
        let _ = self.0.write_all(format!("{text}\r\n").as_bytes());
        self.hears()
    }

    /// Each line, and how its answer begins.
    fn goes(&mut self, dialogue: &[(&str, &str)]) {
        for (said, wanted) in dialogue {
            let heard = self.says(said);
            assert!(heard.starts_with(wanted), "{said}: {heard}, not {wanted}");
        }
    }

    /// One ordinary message.
    fn mails(&mut self, number: usize) {
        self.goes(&[
            ("MAIL FROM:<office@saltmere.example>", "250 "),
            ("RCPT TO:<bookings@shorelinecoaches.example>", "250 "),
            ("DATA", "354 "),
            (
                &format!("Subject: The boiler\r\nMessage-ID: <{number}.tls@saltmere.example>\r\n\r\nIt hums.\r\n."),
                "250 ",
            ),
        ]);
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
    stream.set_nodelay(true).expect("no delay");
    stream
}

fn plain(port: u16) -> Talk<TcpStream> {
    let mut talk = Talk(connect(port));
    assert!(talk.hears().starts_with("220 "));
    talk
}

fn under(stream: TcpStream, config: &Arc<ClientConfig>) -> Talk<Secret> {
    let name = ServerName::try_from(HOST).expect("a name");
    let connection = ClientConnection::new(Arc::clone(config), name).expect("TLS");
    Talk(StreamOwned::new(connection, stream))
}

/// By STARTTLS, EHLO said again.
fn begun(port: u16, config: &Arc<ClientConfig>) -> Talk<Secret> {
    let mut talk = plain(port);
    talk.goes(&[(EHLO, "250 "), ("STARTTLS", "220 ")]);
    let mut talk = under(talk.0, config);
    talk.goes(&[(EHLO, "250 ")]);
    talk
}

/// Relay checklist, rows 112 and 113, to the last octet: what came in the packet of STARTTLS is gone, and what was before it too.
#[test]
fn what_is_said_in_clear_is_forgotten_under_tls() {
    let mut house = House::new();
    house.gateway.set("listen", "sign_in", true);
    // Before TLS there must be something to forget.
    house.gateway.set("listen", "tls", "starttls");
    house.gateway.start(&[]);
    let (port, config) = (house.gateway.port, Arc::new(house.authority.client(BOTH, None)));
    let envelope = "MAIL FROM:<office@saltmere.example>\r\nRCPT TO:<bookings@shorelinecoaches.example>\r\n";
    let letter = "DATA\r\nSubject: injected\r\n\r\ninjected\r\n.\r\n";
    for injected in [
        "NOOP\r\n".to_owned(),
        "QUIT\r\n".to_owned(),
        "EHLO injected.example\r\n".to_owned(),
        "AUTH PLAIN AGdhdGUAY29ycmVjdCBob3JzZQ==\r\n".to_owned(),
        format!("EHLO injected.example\r\n{envelope}{letter}"),
        // The end of it is to come under TLS.
        "EHLO injected.example\r\nMAIL FROM:<".to_owned(),
    ] {
        let mut talk = plain(port);
        talk.goes(&[(EHLO, "250 "), ("MAIL FROM:<office@saltmere.example>", "250 ")]);
        talk.goes(&[("RCPT TO:<bookings@shorelinecoaches.example>", "250 ")]);
        // STARTTLS is the middle of what is read; it is no part of a group (RFC 3207 4), so somebody else has a hand in this.
        talk.0.write_all(format!("NOOP\r\nSTARTTLS\r\n{injected}").as_bytes()).expect("it listens");
        assert!(talk.hears().starts_with("250 "), "{injected}");
        assert!(talk.hears().starts_with("554 5.5.0 "), "{injected}");
        assert_eq!(talk.hears(), "", "nothing of it is answered, and no TLS begins: {injected}");
    }
    // What was said in clear is unknown under TLS: greeting, transaction, sign-in.
    let mut talk = plain(port);
    talk.goes(&[
        (EHLO, "250 "),
        ("AUTH PLAIN AGdhdGUAY29ycmVjdCBob3JzZQ==", "538 "),
        ("MAIL FROM:<office@saltmere.example>", "250 "),
        ("RCPT TO:<bookings@shorelinecoaches.example>", "250 "),
        ("STARTTLS", "220 "),
    ]);
    let mut talk = under(talk.0, &config);
    talk.goes(&[
        ("RCPT TO:<bookings@shorelinecoaches.example>", "503 "),
        ("DATA", "503 "),
        ("MAIL FROM:<office@saltmere.example>", "503 "),
        ("AUTH PLAIN AGdhdGUAY29ycmVjdCBob3JzZQ==", "503 "),
        (EHLO, "250 "),
        ("RCPT TO:<bookings@shorelinecoaches.example>", "503 "),
        ("STARTTLS", "503 "),
        ("QUIT", "221 "),
    ]);
    begun(port, &config).mails(1);
    let taken = house.sink.wait("the honest one", |taken| !taken.is_empty());
    assert_eq!(house.sink.settled().len(), 1, "{taken:?}");
    assert!(!String::from_utf8_lossy(&taken[0].content).contains("injected"));
}

/// Relay checklist, rows 17 and 114: names and protocols that mean nothing, handshakes that stop half way, and another protocol under TLS.
#[test]
fn odd_handshakes_are_served_or_ended_and_disturb_nobody() {
    assert!(installed("openssl").is_some(), "openssl is not installed");
    let house = House::started();
    let (port, config) = (house.gateway.port, Arc::new(house.authority.client(BOTH, None)));
    // A client's first flight, cut at each of these places, and left open or closed for writing.
    let mut hello = Vec::new();
    let name = ServerName::try_from(HOST).expect("a name");
    let mut client = ClientConnection::new(Arc::clone(&config), name).expect("TLS");
    client.write_tls(&mut hello).expect("a vector takes all");
    let mut half_open = Vec::new();
    for cut in [0, 1, 5, 6, 40, hello.len() - 1, hello.len()] {
        for closes in [true, false] {
            let mut stream = connect(house.implicit);
            // One client may have no more than so many; a further one is closed at once, before or after either of these.
            let _ = stream.write_all(&hello[..cut]);
            if closes {
                let _ = stream.shutdown(Shutdown::Write);
            }
            half_open.push(stream);
        }
    }
    let long = format!("{}.example", ["a".repeat(60).as_str(); 4].join("."));
    for (what, arguments) in [
        ("another name", ["-servername", "elsewhere.example"]),
        ("an address", ["-servername", "192.0.2.1"]),
        ("a path", ["-servername", "../../etc/passwd"]),
        ("blanks and quotes", ["-servername", "a b\"';--"]),
        ("a long name", ["-servername", &long]),
        ("no name", ["-noservername", "-quiet"]),
        ("HTTP", ["-alpn", "h2,http/1.1"]),
        ("SMTP", ["-alpn", "smtp"]),
        ("noise", ["-alpn", "\u{1}\u{7f},x"]),
    ] {
        for version in ["-tls1_2", "-tls1_3"] {
            let (_, told) = house.openssl(port, &[&arguments[..], &[version]].concat(), "QUIT\n");
            // Served with the one certificate there is, or refused by an alert; nothing else.
            let served = told.contains("221 2.0.0");
            assert!(served || told.contains("alert"), "{what} {version}: {told}");
            assert!(served || what.contains("path") || what.contains("blanks"), "{what} {version}: {told}");
        }
    }
    // Another protocol under TLS is heard no further than in clear.
    for said in
        ["GET / HTTP/1.1\r\nHost: gate.saltmere.example", "POST /x HTTP/1.1\r\n\r\nMAIL FROM:<a@saltmere.example>"]
    {
        let mut talk = under(connect(house.implicit), &config);
        assert!(talk.hears().starts_with("220 "));
        assert_eq!(talk.says(said), "", "it is closed");
        let mut talk = begun(port, &config);
        let heard = talk.says(said);
        assert!(heard.is_empty() || heard.starts_with("500 ") || heard.starts_with("421 "), "{heard}");
    }
    begun(port, &config).mails(1);
    house.sink.wait("others are served", |taken| taken.len() == 1);
    for mut stream in half_open.drain(..).step_by(2) {
        // Who has closed hears the end, and no word in clear: an alert (21) or a ServerHello (22) at most.
        let mut told = Vec::new();
        let _ = stream.read_to_end(&mut told);
        assert!(told.first().is_none_or(|first| matches!(first, 20..=23)), "{}", told.escape_ascii());
    }
    let log = house.gateway.log();
    assert!(log.contains("event=\"disconnected\" client=127.0.0.1 reason=\"handshake\""), "{log}");
    assert!(log.contains("reason=\"wrong_protocol\"") || log.contains("wrong"), "{log}");
}

/// Relay checklist, row 121, with a client that keeps sessions in a file.
#[test]
fn a_session_of_one_door_is_resumed_at_none() {
    assert!(installed("openssl").is_some(), "openssl is not installed");
    let house = House::started();
    let kept = house.gateway.directory().join("session");
    let kept = kept.to_str().expect("a path");
    let (clear, implicit) = (house.gateway.port, house.implicit);
    for version in ["-tls1_2", "-tls1_3"] {
        for (first, second) in [(clear, clear), (clear, implicit), (implicit, clear), (implicit, implicit)] {
            let _ = std::fs::remove_file(kept);
            let (_, told) = house.openssl(first, &[version, "-sess_out", kept], "QUIT\n");
            // At the second door it does not wait for the greeting.
            assert!(
                told.contains("New, TLSv1.") && (told.contains("221 2.0.0") || told.contains("554 5.5.0")),
                "{told}"
            );
            assert!(!told.contains("session ticket:"), "no ticket: {told}");
            let ids = told.lines().filter_map(|line| line.trim().strip_prefix("Session-ID:"));
            assert!(ids.into_iter().all(|id| version == "-tls1_3" || id.trim().is_empty()), "{told}");
            if std::path::Path::new(kept).exists() {
                let (_, told) = house.openssl(second, &[version, "-sess_in", kept], "QUIT\n");
                assert!(told.contains("New, TLSv1.") && !told.contains("Reused"), "{told}");
            }
        }
    }
}

/// Relay checklist, row 122: whom nobody vouches for may not send, under TLS or not, and it is told why in the log.
#[test]
fn a_client_certificate_that_does_not_count_makes_a_stranger() {
    let house = House::started();
    let other = Authority::new();
    let (name, year) = ("mail.school.example", rcgen::date_time_ymd);
    for (what, pair, may) in [
        ("its own", house.authority.issue_as(name, |p| p.extended_key_usages = vec![ClientAuth]), true),
        ("expired", house.authority.issue_as(name, |p| p.not_after = year(2020, 1, 1)), false),
        ("not yet", house.authority.issue_as(name, |p| p.not_before = year(2090, 1, 1)), false),
        ("another authority", other.issue(name), false),
        ("for code", house.authority.issue_as(name, |p| p.extended_key_usages = vec![CodeSigning]), false),
        ("another name", house.authority.issue("other.school.example"), false),
    ] {
        for version in BOTH {
            let config = Arc::new(house.authority.client(&[version], Some(&pair)));
            let mut talk = under(connect(house.implicit), &config);
            assert!(talk.hears().starts_with("220 "), "{what}");
            talk.goes(&[(EHLO, "250 "), ("MAIL FROM:<office@saltmere.example>", "250 ")]);
            let heard = talk.says("RCPT TO:<bookings@shorelinecoaches.example>");
            assert!(heard.starts_with(if may { "250 " } else { "550 5.7.1 " }), "{what}: {heard}");
        }
    }
    assert!(house.sink.settled().is_empty());
}

/// Relay checklist, row 120: a certificate is renewed again and again while mail comes, on old connections and new ones.
#[test]
fn certificates_are_renewed_under_load_and_no_connection_is_lost() {
    let house = House::started();
    let (port, config) = (house.gateway.port, Arc::new(house.authority.client(BOTH, None)));
    let (over, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    let renewed = 8;
    std::thread::scope(|scope| {
        for stays in [true, false] {
            let (config, over, sent) = (&config, &over, &sent);
            scope.spawn(move || {
                let mut old = begun(port, config);
                while !over.load(Ordering::Relaxed) {
                    let mut new = (!stays).then(|| begun(port, config));
                    new.as_mut().unwrap_or(&mut old).mails(sent.fetch_add(1, Ordering::Relaxed));
                }
                old.goes(&[("NOOP", "250 "), ("QUIT", "221 ")]);
            });
        }
        for number in 0..renewed {
            house.authority.numbered(HOST, 20 + number).lay(house.gateway.directory(), "gate");
            house.until_told("what=\"the certificate of the listener cloud\"", || house.gateway.signal("-HUP"));
            std::thread::sleep(Duration::from_millis(50));
        }
        over.store(true, Ordering::Relaxed);
    });
    let sent = sent.load(Ordering::Relaxed);
    let taken = house.sink.wait("all that was answered", |taken| taken.len() >= sent);
    let ids: std::collections::BTreeSet<_> =
        taken.iter().filter_map(|one| super::support::header(&one.content, "Message-ID")).collect();
    assert_eq!((taken.len(), ids.len()), (sent, sent), "each once");
    assert_eq!(house.serial().trim(), format!("{:02X}", 20 + renewed - 1));
}
