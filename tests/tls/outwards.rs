//! Mail goes out while somebody stands in between, who offers no TLS, refuses it, speaks past it, or shows a certificate that is not
//! the smarthost's; all that came over the wire is kept, and searched for what nobody may read there.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rcgen::ExtendedKeyUsagePurpose::ClientAuth;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::support::certificates::{Authority, Pair};
use super::support::{Gateway, PATIENCE, cases, free_port, installed};

const PASSWORD: &str = "correct horse";
/// What AUTH PLAIN and AUTH LOGIN make of account and password.
const PROOFS: [&str; 3] = ["AGdhdGUAY29ycmVjdCBob3JzZQ==", "Z2F0ZQ==", "Y29ycmVjdCBob3JzZQ=="];

/// What happens to STARTTLS.
#[derive(Clone, Copy)]
enum Answer {
    NotOffered,
    /// Offered, and then answered so.
    Reply(&'static str),
    /// Answered 220, and these octets in the same write; then TLS.
    Injects(&'static str),
    /// Answered 220, and the dialogue goes on in clear.
    ClearBehind,
    /// Answered 220, and the connection ends.
    Hangs,
    /// Answered 220, and another program has the connection from there.
    Handed(u16),
    /// There is no STARTTLS: TLS, or that program, from the first octet.
    First(Option<u16>),
}

struct Script {
    answer: Answer,
    shows: Arc<ServerConfig>,
    /// What came over the wire, as it came.
    wire: Vec<u8>,
    connections: usize,
    /// Whether each message came under TLS.
    taken: Vec<bool>,
}

/// Who answers at the smarthost's port.
#[derive(Clone)]
struct Between {
    port: u16,
    script: Arc<Mutex<Script>>,
}

impl Between {
    fn start(shows: Arc<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let script = Script { answer: Answer::NotOffered, shows, wire: Vec::new(), connections: 0, taken: Vec::new() };
        let port = listener.local_addr().expect("its address").port();
        let between = Self { port, script: Arc::new(Mutex::new(script)) };
        let serving = between.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let between = serving.clone();
                // Whoever goes away ends its own session.
                std::thread::spawn(move || between.session(stream));
            }
        });
        between
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// From the next connection on; forgets what was heard.
    fn does(&self, answer: Answer, shows: &Arc<ServerConfig>) {
        let mut script = self.script();
        (script.answer, script.shows) = (answer, Arc::clone(shows));
        (script.wire, script.connections, script.taken) = (Vec::new(), 0, Vec::new());
    }

    fn until(&self, what: &str, gateway: &Gateway, enough: impl Fn(&Script) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !enough(&self.script()) {
            assert!(Instant::now() < until, "{what}: {}\n{}", self.script().wire.escape_ascii(), gateway.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn session(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let (answer, shows) = {
            let mut script = self.script();
            script.connections += 1;
            (script.answer, Arc::clone(&script.shows))
        };
        let mut wire = Wire { stream, between: self.clone() };
        if !matches!(answer, Answer::First(_)) {
            wire.write_all(b"220 smarthost.example ESMTP\r\n")?;
            if !self.dialogue(&mut wire, false, answer)? {
                return Ok(());
            }
        }
        let begin: &str = match answer {
            Answer::Reply(reply) => {
                wire.write_all(format!("{reply}\r\n").as_bytes())?;
                self.dialogue(&mut wire, false, Answer::NotOffered)?;
                return Ok(());
            }
            Answer::First(None) | Answer::NotOffered => "",
            Answer::First(Some(port)) => return wire.handed(port),
            Answer::Injects(more) => more,
            Answer::ClearBehind | Answer::Hangs | Answer::Handed(_) => "",
        };
        if !matches!(answer, Answer::First(_)) {
            wire.write_all(format!("220 2.0.0 Begin\r\n{begin}").as_bytes())?;
        }
        match answer {
            Answer::ClearBehind => self.dialogue(&mut wire, false, Answer::NotOffered).map(|_| ()),
            Answer::Hangs => Ok(()),
            Answer::Handed(port) => wire.handed(port),
            _ => {
                let mut under = StreamOwned::new(ServerConnection::new(shows).map_err(io::Error::other)?, wire);
                if matches!(answer, Answer::First(_)) {
                    under.write_all(b"220 smarthost.example ESMTP\r\n")?;
                }
                self.dialogue(&mut under, true, Answer::NotOffered).map(|_| ())
            }
        }
    }

    /// Takes all that is said, passwords too; true where STARTTLS came and is to be answered.
    fn dialogue(&self, stream: &mut (impl Read + Write), secret: bool, answer: Answer) -> io::Result<bool> {
        let offers = !matches!(answer, Answer::NotOffered);
        loop {
            let said = line(stream)?;
            let verb = said.trim_end().split([' ', ':']).next().unwrap_or("").to_uppercase();
            let reply = match verb.as_str() {
                "EHLO" if offers => "250-smarthost.example\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n",
                "EHLO" => "250-smarthost.example\r\n250 AUTH PLAIN LOGIN\r\n",
                "STARTTLS" => return Ok(true),
                "AUTH" => "235 2.7.0 Welcome\r\n",
                "DATA" => {
                    stream.write_all(b"354 Go on\r\n")?;
                    while line(stream)? != ".\r\n" {}
                    self.script().taken.push(secret);
                    // Each message has a connection of its own, as it is at that time.
                    stream.write_all(b"250 2.0.0 Kept\r\n")?;
                    return Ok(false);
                }
                "QUIT" => return Ok(false),
                _ => "250 2.0.0 Ok\r\n",
            };
            stream.write_all(reply.as_bytes())?;
        }
    }
}

fn line(stream: &mut impl Read) -> io::Result<String> {
    let mut line = Vec::new();
    let mut octet = [0];
    while !line.ends_with(b"\n") {
        stream.read_exact(&mut octet)?;
        line.push(octet[0]);
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// A connection whose incoming octets are kept.
struct Wire {
    stream: TcpStream,
    between: Between,
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(into)?;
        self.between.script().wire.extend_from_slice(&into[..read]);
        Ok(read)
    }
}

impl Write for Wire {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.stream.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Wire {
    /// The program at this port has the connection.
    fn handed(mut self, port: u16) -> io::Result<()> {
        let mut other = TcpStream::connect(("127.0.0.1", port))?;
        let (mut back, mut to) = (other.try_clone()?, self.stream.try_clone()?);
        std::thread::spawn(move || {
            // Either end ends both.
            let _ = io::copy(&mut back, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Both);
        });
        let _ = io::copy(&mut self, &mut other);
        other.shutdown(std::net::Shutdown::Both)
    }
}

/// OpenSSL's server, which speaks one old version alone.
struct Old(Child, u16);

impl Old {
    fn start(folder: &std::path::Path, version: &str) -> Self {
        let port = free_port();
        let child = Command::new("openssl")
            .args(["s_server", "-quiet", "-cipher", "ALL:@SECLEVEL=0", version, "-accept", &port.to_string()])
            .arg("-cert")
            .arg(folder.join("good.pem"))
            .arg("-key")
            .arg(folder.join("good.key"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl runs");
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "openssl s_server does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self(child, port)
    }
}

impl Drop for Old {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a mode does with somebody in between.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    /// No mail; these words in the log.
    Waits(&'static str),
    UnderTls,
    InClear,
}

/// Relay checklist, rows 92 and 93.
#[test]
fn with_somebody_in_between_nothing_secret_leaves_in_clear() {
    use Answer::{ClearBehind, First, Handed, Hangs, Injects, NotOffered, Reply};
    use Does::{InClear, UnderTls, Waits};
    assert!(installed("openssl").is_some(), "openssl is not installed");
    let (authority, stranger) = (Authority::new(), Authority::new());
    let year = rcgen::date_time_ymd;
    let good = authority.issue("localhost");
    let folder = tempfile::tempdir().expect("a folder");
    good.lay(folder.path(), "good");
    let (old, older) = (Old::start(folder.path(), "-tls1_1"), Old::start(folder.path(), "-tls1"));
    let good = good.server();
    // Certificates of others, and what `required` says of each.
    let wrong = [
        ("another name", authority.issue("elsewhere.example"), "not valid for name"),
        ("self-signed", Pair::self_signed("localhost"), "UnknownIssuer"),
        ("another authority of that name", stranger.issue("localhost"), "BadSignature"),
        ("expired", authority.issue_as("localhost", |p| p.not_after = year(2020, 1, 1)), "expired"),
        ("not yet", authority.issue_as("localhost", |p| p.not_before = year(2090, 1, 1)), "not valid yet"),
        ("for clients", authority.issue_as("localhost", |p| p.extended_key_usages = vec![ClientAuth]), "key usage"),
    ]
    .map(|(name, pair, why)| (name, pair.server(), why));
    // What is done to STARTTLS; what `required` and `encrypted` say, and what `opportunistic` does.
    let stripped = [
        ("not offered", NotOffered, "does not offer STARTTLS", InClear),
        ("454", Reply("454 4.7.0 Not now"), "454 4.7.0", InClear),
        ("500", Reply("500 5.5.1 What?"), "500 5.5.1", InClear),
        ("a reply behind 220", Injects("250-x\r\n250 AUTH PLAIN\r\n"), "", InClear),
        ("half a reply behind 220", Injects("250-"), "", InClear),
        ("clear text behind 220", ClearBehind, "", InClear),
        ("the end behind 220", Hangs, "", InClear),
        ("TLS 1.1", Handed(old.1), "", InClear),
        ("TLS 1.0", Handed(older.1), "", InClear),
    ];
    let case = cases().into_iter().find(|c| c.action == "deliver" && c.rcpt.len() == 1).expect("clean mail");
    for (mode, checks, implicit) in [
        ("required", true, false),
        ("implicit", true, true),
        ("encrypted", false, false),
        ("opportunistic", false, false),
    ] {
        let between = Between::start(Arc::clone(&good));
        let mut gateway = Gateway::new(between.port);
        std::fs::write(gateway.directory().join("ca.pem"), authority.pem()).expect("the authority");
        gateway.set("smarthost", "host", "localhost");
        gateway.set("smarthost", "tls", mode);
        gateway.set("smarthost", "ca_file", "ca.pem");
        if checks {
            // A password goes only where the certificate is checked (tests/config_errors.rs).
            std::fs::write(gateway.directory().join("password"), PASSWORD).expect("the password");
            gateway.set("smarthost", "user", "gate");
            gateway.set("smarthost", "password_file", "password");
        }
        gateway.start(&[]);
        let begun = if implicit { First(None) } else { Injects("") };
        let mut table: Vec<(&str, Answer, &Arc<ServerConfig>, Does)> = Vec::new();
        for (name, server, why) in &wrong {
            table.push((name, begun, server, if checks { Waits(why) } else { UnderTls }));
        }
        if implicit {
            table.push(("clear text alone", NotOffered, &good, Waits("TLS could not be started")));
            table.push(("TLS 1.1", First(Some(old.1)), &good, Waits("TLS could not be started")));
            table.push(("TLS 1.0", First(Some(older.1)), &good, Waits("TLS could not be started")));
        } else {
            for (name, answer, why, otherwise) in stripped {
                table.push((name, answer, &good, if mode == "opportunistic" { otherwise } else { Waits(why) }));
            }
        }
        for (name, answer, server, does) in table {
            let told = gateway.log().len();
            between.does(answer, server);
            let reply = gateway.client().send(&case.mail_from, &case.rcpt, &case.message()).expect("it is taken");
            assert_eq!(reply.code, 250, "{mode}, {name}");
            let waits = matches!(does, Waits(_));
            between.until(
                name,
                &gateway,
                |script| if waits { script.connections >= 2 } else { !script.taken.is_empty() },
            );
            let script = between.script();
            println!("{mode}, {name}: {}", script.wire.escape_ascii());
            let log = gateway.log().split_off(told);
            let clear = String::from_utf8_lossy(&script.wire).into_owned();
            if let Waits(why) = does {
                assert!(script.taken.is_empty(), "{mode}, {name}");
                assert!(log.contains("TLS") && log.contains(why), "{mode}, {name}, {why}: {log}");
            } else {
                assert_eq!(script.taken, [does == UnderTls], "{mode}, {name}");
            }
            for word in ["MAIL FROM", "RCPT TO", "DATA", "Subject:", &case.mail_from] {
                assert_eq!(clear.contains(word), does == InClear, "{mode}, {name}, {word}: {clear}");
            }
            for word in PROOFS.iter().copied().chain([PASSWORD, "AUTH"]) {
                assert!(!clear.contains(word) && !log.contains(word), "{mode}, {name}, {word}: {clear}\n{log}");
            }
            let fell_back = does == InClear && !matches!(answer, NotOffered);
            assert_eq!(log.contains("going on without TLS"), fell_back, "{mode}, {name}: {log}");
            drop(script);
            // With the smarthost itself at last, what waited leaves, under TLS; a reason is told once an outage.
            between.does(begun, &good);
            if waits {
                between.until(name, &gateway, |script| script.taken == [true]);
            }
        }
    }
}
