//! Relay checklist, row 103: while the smarthost hangs, mail is taken in, the desk answers, and so do metrics and commands.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::Talk;
use super::support::{Gateway, PATIENCE, Sink, free_port};

/// How a smarthost hangs.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Hangs {
    /// It takes the connection and says nothing.
    Silent,
    /// A banner without end, an octet at a time.
    Drips,
    /// It takes all of a message and never answers for it.
    AtTheDot,
}

/// Gives its port, and how many connections have come to where it hangs.
fn smarthost(hangs: Hangs) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    let hanging = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hanging);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counted = Arc::clone(&counted);
            // Ends when the gateway closes.
            std::thread::spawn(move || drop(hang(stream, hangs, &counted)));
        }
    });
    (port, hanging)
}

fn hang(mut stream: TcpStream, hangs: Hangs, counted: &AtomicUsize) -> std::io::Result<()> {
    if hangs == Hangs::Drips {
        counted.fetch_add(1, Ordering::SeqCst);
        for octet in b"220-wait a little\r\n".iter().cycle() {
            stream.write_all(&[*octet])?;
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    if hangs == Hangs::AtTheDot {
        stream.write_all(b"220 smarthost\r\n")?;
        let mut octet = [0];
        let (mut line, mut in_content) = (Vec::new(), false);
        while stream.read(&mut octet)? == 1 {
            line.push(octet[0]);
            if octet[0] != b'\n' {
                continue;
            }
            match (in_content, line.as_slice()) {
                (true, b".\r\n") => break,
                (true, _) => {}
                (false, b"DATA\r\n") => {
                    in_content = true;
                    stream.write_all(b"354 go on\r\n")?;
                }
                (false, _) => stream.write_all(b"250 ok\r\n")?,
            }
            line.clear();
        }
    }
    counted.fetch_add(1, Ordering::SeqCst);
    stream.read_to_end(&mut Vec::new()).map(drop)
}

/// What the desk answers, as its proxy asks it.
fn desk(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the desk listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: desk.saltmere.example\r\nConnection: close\r\n\r\n").expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn a_smarthost_that_hangs_stops_neither_intake_nor_desk() {
    const MESSAGES: usize = 60;
    for hangs in [Hangs::Silent, Hangs::Drips, Hangs::AtTheDot] {
        let (port, hanging) = smarthost(hangs);
        let mut gateway = Gateway::new(port);
        let desk_port = free_port();
        gateway.set("review", "public_url", "https://desk.saltmere.example");
        gateway.set("review", "listen", format!("127.0.0.1:{desk_port}"));
        gateway.set("review", "trusted_proxies", vec!["127.0.0.1"]);
        gateway.set("smarthost", "connections", 4);
        gateway.monitored();
        gateway.start(&[]);
        let send = |number: usize| {
            let mut talk = Talk::begins(gateway.port, "while it hangs");
            let text =
                format!("Subject: Coach\r\nMessage-ID: <{number}.hung@saltmere.example>\r\n\r\nAt nine.\r\n.\r\n");
            talk.says(text.as_bytes());
            talk.codes(&["250"], "while it hangs");
        };
        send(0);
        let until = Instant::now() + PATIENCE;
        while hanging.load(Ordering::SeqCst) == 0 {
            assert!(Instant::now() < until, "{hangs:?}: nobody came\n{}", gateway.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        // Many more than there are connections, and than messages are held in hand. Every answer is waited for far shorter than the
        // smarthost is.
        for number in 1..MESSAGES {
            send(number);
        }
        let answer = desk(desk_port, "/sign-in");
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("password"), "{hangs:?}: {answer}");
        assert_eq!(gateway.page("/readyz").0, 200, "{hangs:?}: {:?}", gateway.page("/readyz"));
        let metrics = gateway.page("/metrics").1;
        assert!(metrics.contains(&format!("\nschoolgate_messages_taken_total {MESSAGES}\n")), "{hangs:?}: {metrics}");
        let listed = gateway.command(&["queue", "list", "--state", "queued", "--json"]);
        let listed: Vec<serde_json::Value> = serde_json::from_slice(&listed.stdout).expect("a list");
        assert_eq!(listed.len(), MESSAGES, "{hangs:?}: all of it waits, and none is lost");
        let held = hanging.load(Ordering::SeqCst);
        assert!((1..=4).contains(&held), "{hangs:?}: {held} connections hang");

        // Another smarthost: what waits goes there, but for what may have arrived at the first.
        let sink = Sink::start();
        gateway.kill();
        gateway.set("smarthost", "port", i64::from(sink.port));
        gateway.start(&[]);
        sink.wait("all of it", |taken| taken.len() == MESSAGES);
    }
}
