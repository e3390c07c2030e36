//! Row 87 with the clock that there is: each wait, made short while all others are long, ends what hangs at its step.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connection::Connection;
use super::host::Host;
use crate::config::{HostConfig, SmarthostTls};
use crate::smtp::Address;
use crate::smtp::client::{Body, Done, Fate, Mail, NotOpen, Waits};
use crate::smtp::dsn::OfMessage;

/// A step at which the smarthost falls silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hangs {
    Greeting,
    Ehlo,
    Mail,
    Data,
    /// It asks for the content and reads none of it.
    Block,
    Dot,
    Quit,
}

const LONG: Duration = Duration::from_secs(3_600);
const SHORT: Duration = Duration::from_secs(1);
/// For a test that would wait for an hour else.
const PATIENCE: Duration = Duration::from_secs(60);
/// More than all buffers between two sockets take.
const MUCH: usize = 48 << 20;

/// Says what is awaited until it hangs. `drips` says the start of an answer then, again and again, and never its end.
async fn smarthost(stream: TcpStream, hangs: Hangs, drips: bool) {
    let mut stream = BufReader::new(stream);
    let mut content = false;
    let mut say = (Hangs::Greeting, "220 mx\r\n");
    loop {
        if say.0 == hangs {
            while !drips || stream.write_all(b"250-still here\r\n").await.is_ok() {
                tokio::time::sleep(SHORT / 50).await;
            }
            return;
        }
        stream.write_all(say.1.as_bytes()).await.unwrap();
        if hangs == Hangs::Block && say.0 == Hangs::Data {
            return std::future::pending().await;
        }
        say = loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            match line.split([' ', '\r']).next().unwrap_or_default() {
                "." => {
                    content = false;
                    break (Hangs::Dot, "250 taken\r\n");
                }
                _ if content => {}
                "EHLO" => break (Hangs::Ehlo, "250 mx\r\n"),
                "DATA" => {
                    content = true;
                    break (Hangs::Data, "354 go\r\n");
                }
                "QUIT" => break (Hangs::Quit, "221 bye\r\n"),
                _ => break (Hangs::Mail, "250 ok\r\n"),
            }
        };
    }
}

async fn send(hangs: Hangs, drips: bool, waits: Waits) -> Result<Done, NotOpen> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        smarthost(stream, hangs, drips).await;
    });
    let mut host = Host::new(HostConfig::new("127.0.0.1", port, SmarthostTls::None), 1, None).unwrap();
    host.waits = waits;
    let mut connection = Connection::open(&host, "gate.school.example").await?;
    let length = if hangs == Hangs::Block { MUCH } else { 100 };
    let done = connection.send(Mail {
        from: Some(Address::parse("amy@school.example").unwrap()),
        recipients: vec![Address::parse("a@firm.example").unwrap()],
        content: Body(Arc::from([&b"Subject: s\r\n\r\n"[..], &b"line\r\n".repeat(length / 6)].concat())),
        smtputf8: false,
        reports: OfMessage::default(),
        asked: Vec::new(),
    });
    let done = done.await;
    if hangs == Hangs::Quit {
        connection.close().await;
    }
    Ok(done)
}

/// Row 87.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_wait_ends_what_hangs_at_its_step() {
    let long = Waits { connect: LONG, command: LONG, data: LONG, block: LONG, final_dot: LONG, quit: LONG };
    let command = Waits { command: SHORT, ..long };
    let data = Waits { data: SHORT, ..long };
    let final_dot = Waits { final_dot: SHORT, ..long };
    let mut all = JoinSet::new();
    for (hangs, waits, drips) in [
        (Hangs::Greeting, command, false),
        (Hangs::Ehlo, command, false),
        (Hangs::Mail, command, false),
        (Hangs::Data, data, false),
        (Hangs::Block, Waits { block: SHORT, ..long }, false),
        (Hangs::Dot, final_dot, false),
        (Hangs::Quit, Waits { quit: SHORT, ..long }, false),
        // What never comes to its end is no answer.
        (Hangs::Ehlo, command, true),
        (Hangs::Mail, command, true),
        (Hangs::Data, data, true),
        (Hangs::Dot, final_dot, true),
    ] {
        all.spawn(async move { (hangs, drips, timeout(PATIENCE, send(hangs, drips, waits)).await) });
    }
    while let Some(ended) = all.join_next().await {
        let (hangs, drips, outcome) = ended.unwrap();
        let step = format!("{hangs:?}, {drips}");
        let outcome = outcome.unwrap_or_else(|_| panic!("{step}: it hangs"));
        let late = |why: &str| why.contains("no answer in time");
        match (hangs, outcome) {
            (Hangs::Greeting | Hangs::Ehlo, Err(NotOpen::Unreachable(why))) => assert!(late(&why), "{step}: {why}"),
            (Hangs::Quit, Ok(done)) => assert_eq!(done.fates, [Fate::Delivered("250 taken".to_owned())], "{step}"),
            // It may have been taken: another try could be a second one.
            (Hangs::Dot, Ok(done)) => assert_eq!(done.fates, [Fate::Unknown], "{step}"),
            (_, Ok(done)) => {
                let [Fate::Deferred(why)] = &done.fates[..] else { panic!("{step}: {:?}", done.fates) };
                assert!(late(&format!("{why:?}")), "{step}: {why:?}");
            }
            (_, Err(why)) => panic!("{step}: {why}"),
        }
    }
}
