//! Clients that are never silent for long and never get on: each ends at a limit of the whole, not of the silence alone.

use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::task::JoinSet;

use super::caller::{Caller, RECIPIENT, SENDER, address, certificate, doors, is_served, open, until_open};
use crate::support::{Gateway, Sink};

/// Between two octets.
const SLOWLY: Duration = Duration::from_secs(1);
/// Between two commands: half of what a stranger may be silent.
const BEFORE_A_COMMAND: Duration = Duration::from_secs(5);
/// No limit that is looked at here is longer; the longest is a minute.
const LONGEST: Duration = Duration::from_secs(150);

/// Says the same again and again until the connection ends; what was heard last.
async fn drips<S: AsyncRead + AsyncWrite + Unpin>(mut caller: Caller<S>, said: &[u8], pause: Duration) -> String {
    let began = Instant::now();
    let mut last = String::new();
    loop {
        assert!(began.elapsed() < LONGEST, "{}: it goes on and on", said.escape_ascii());
        let _ = caller.stream.write_all(said).await;
        let _ = caller.stream.flush().await;
        let until = tokio::time::Instant::now() + pause;
        while let Ok(line) = tokio::time::timeout_at(until, caller.hears()).await {
            if line.is_empty() {
                return last;
            }
            last = line;
        }
    }
}

/// The first octets of a handshake, which announce more than will ever come.
const HELLO: &[u8] = &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_dawdles_is_cut_by_a_limit_of_the_whole() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.monitored();
    let connector = certificate(gateway.directory());
    let pair = "tls_certificate = \"gate.pem\"\ntls_key = \"gate.key\"";
    let strange = "relay_from = [\"192.0.2.0/24\"]";
    let ports = doors(
        &gateway,
        &[
            ("strange", strange),
            ("starttls", &format!("{pair}\ntls = \"starttls\"\nrelay_from = [\"127.0.0.0/8\"]")),
            ("implicit", &format!("{pair}\ntls = \"implicit\"\nrelay_from = [\"127.0.0.0/8\"]")),
            ("devices", &format!("{pair}\ntls = \"required\"\nsign_in = true")),
            ("proxied", &format!("{strange}\nproxy_from = [\"127.0.0.0/8\"]")),
        ],
    );
    let [strange, starttls, implicit, devices, proxied] = ports[..] else { panic!("five doors") };
    gateway.start(&[]);
    // What is done, and what is heard last: 421, or nothing where nothing may be said in clear.
    let (cut, nothing) = ("421 4.4.2 ", "");
    let mut dawdlers = JoinSet::new();
    let caller = |number: usize, port| async move { Caller::from(address(number), port).await.expect("it is let in") };
    let begun = |number: usize, port| async move {
        let mut caller = Caller::from(address(number), port).await.expect("it is let in");
        caller.begins().await;
        caller
    };

    let who = begun(0, strange).await;
    dawdlers.spawn(async move { ("a stranger's command", cut, drips(who, b"N", SLOWLY).await) });
    let mut who = caller(1, strange).await;
    who.hears().await;
    dawdlers.spawn(async move { ("a stranger's greeting", cut, drips(who, b"E", SLOWLY).await) });
    let who = begun(2, strange).await;
    dawdlers.spawn(async move { ("a stranger's commands", cut, drips(who, b"NOOP\r\n", BEFORE_A_COMMAND).await) });
    let who = caller(3, proxied).await;
    dawdlers.spawn(async move { ("a PROXY header", nothing, drips(who, b"P", SLOWLY).await) });
    let mut who = caller(4, implicit).await;
    who.stream.write_all(HELLO).await.expect("it listens");
    dawdlers.spawn(async move { ("a handshake from the first octet", nothing, drips(who, &[0], SLOWLY).await) });
    let mut who = begun(5, starttls).await;
    assert!(who.asks("STARTTLS").await.starts_with("220 "));
    who.stream.write_all(HELLO).await.expect("it listens");
    dawdlers.spawn(async move { ("a handshake behind STARTTLS", nothing, drips(who, &[0], SLOWLY).await) });
    let mut who = super::caller::secured(&connector, address(6), devices).await;
    assert!(who.asks("AUTH LOGIN").await.starts_with("334 "));
    dawdlers.spawn(async move { ("a name to sign in with", cut, drips(who, b"a", SLOWLY).await) });
    for (number, what, line) in [(7, "content of short lines", &b"\r\n"[..]), (8, "content of one long line", b"x")] {
        let mut who = begun(number, gateway.port).await;
        for (command, code) in [
            (format!("MAIL FROM:<{SENDER}>"), "250 "),
            (format!("RCPT TO:<{RECIPIENT}>"), "250 "),
            ("DATA".into(), "354 "),
        ] {
            assert!(who.asks(&command).await.starts_with(code), "{command}");
        }
        dawdlers.spawn(async move { (what, cut, drips(who, line, SLOWLY).await) });
    }

    let many = dawdlers.len();
    let mut served = 0;
    let mut wrong = Vec::new();
    while !dawdlers.is_empty() {
        tokio::select! {
            ended = dawdlers.join_next() => {
                let (what, wanted, last) = ended.expect("somebody").unwrap_or_else(|e| panic!("{e}"));
                if !(last.starts_with(wanted) && last.is_empty() == wanted.is_empty()) {
                    wrong.push(format!("{what}: {last:?}"));
                }
            }
            () = tokio::time::sleep(BEFORE_A_COMMAND) => {
                is_served(&gateway, "beside those who dawdle").await;
                served += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "of {many}: {wrong:?}\n{}", gateway.log());
    is_served(&gateway, "behind those who dawdle").await;
    until_open(&gateway, 0).await;
    assert_eq!(open(&gateway), 0);
    let taken = sink.wait("what was sent beside them, and none of theirs", |taken| taken.len() > served);
    assert_eq!(taken.len(), served + 1);
}
