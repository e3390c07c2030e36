//! What a trusted relay shows, as a client sees it: conversations in `dialogues/`, one a file, said to the real gateway, with the bytes
//! of both sides.
//!
//! A file begins with the numbers of the behaviours that it shows (`rows 5, 8`) and the door that is knocked at (`door strict`). Then:
//!
//! | line | meaning |
//! |---|---|
//! | `>> text` | the client says `text` and CR LF |
//! | `>\| text` | the client says `text` as it stands |
//! | `<< text` | the next line of a reply begins so |
//! | `<<9 text` | the next nine lines begin so |
//! | `<<*` | what is left of a reply of several lines |
//! | `closed` | the gateway has closed the connection, and says nothing more |
//! | `hangs up` | the client closes the connection |
//! | `arrived 1` | so many messages of this conversation are at the smarthost, and no more come |
//! | `without text` | the last message there does not hold `text` |
//! | `with text` | it does |
//!
//! `\r`, `\n`, `\0`, `\xHH` and `\\` stand for octets, `{300*x}` for 300 times `x`.

#[path = "../support/mod.rs"]
mod support;

mod doors;
mod ends;
mod hung;
mod rows;
mod service;
mod systemd;
mod verdicts;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use support::{Gateway, PATIENCE, Sink, Taken, free_port};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/relay/dialogues")
}

/// The conversations, by name.
fn files() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder())
        .expect("the folder of dialogues")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a dialogue");
            (path.file_name().expect("a name").to_string_lossy().into_owned(), text)
        })
        .collect();
    files.sort();
    files
}

/// The numbers in a file's first line.
fn rows_of(text: &str) -> Vec<u16> {
    let first = text.lines().next().unwrap_or_default();
    let numbers = first.strip_prefix("rows ").unwrap_or_else(|| panic!("no rows in {first:?}"));
    numbers.split(", ").map(|number| number.parse().unwrap_or_else(|_| panic!("{first:?}"))).collect()
}

/// What a line of a file stands for, in octets.
fn octets(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(one) = rest.chars().next() {
        rest = &rest[one.len_utf8()..];
        match one {
            '\\' => {
                let kind = rest.chars().next().expect("something behind the backslash");
                rest = &rest[1..];
                out.push(match kind {
                    'r' => b'\r',
                    'n' => b'\n',
                    '0' => 0,
                    'x' => {
                        let octet = u8::from_str_radix(&rest[..2], 16).expect("two digits");
                        rest = &rest[2..];
                        octet
                    }
                    other => u8::try_from(other).expect("ASCII"),
                });
            }
            '{' => {
                let (inner, after) = rest.split_once('}').expect("an end of the repetition");
                let (times, what) = inner.split_once('*').expect("a number of times");
                out.extend(octets(what).repeat(times.parse().expect("a number")));
                rest = after;
            }
            other => out.extend(other.to_string().bytes()),
        }
    }
    out
}

/// One side of a connection, read line by line.
struct Talk<S = TcpStream> {
    stream: S,
    read: Vec<u8>,
}

impl Talk {
    fn at(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the door answers");
        stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
        stream.set_nodelay(true).expect("no delay");
        Self { stream, read: Vec::new() }
    }
}

impl<S: Read + Write> Talk<S> {
    /// The next line with its end, or what there is of one where the connection ends.
    fn line(&mut self) -> Vec<u8> {
        loop {
            if let Some(end) = self.read.iter().position(|&octet| octet == b'\n') {
                return self.read.drain(..=end).collect();
            }
            let mut more = [0; 4096];
            match self.stream.read(&mut more) {
                Ok(0) => return std::mem::take(&mut self.read),
                Ok(n) => self.read.extend_from_slice(&more[..n]),
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                    return std::mem::take(&mut self.read);
                }
                Err(error) => return format!("nothing: {error}").into_bytes(),
            }
        }
    }
}

/// Says a conversation and hears what comes back; what is not as the file says is the error.
fn converse(text: &str, port: u16, sink: &Sink) -> Result<(), String> {
    let before = sink.taken().len();
    let mut talk = Talk::at(port);
    let mut arrived: Vec<Taken> = Vec::new();
    for (number, line) in text.lines().enumerate().skip(2) {
        let wrong = |what: String| Err(format!("line {}: {line}: {what}", number + 1));
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" | "#" => {}
            ">>" | ">|" => {
                let mut said = octets(rest);
                if word == ">>" {
                    said.extend_from_slice(b"\r\n");
                }
                // It may have closed already; then the next line says what was wrong.
                let _ = talk.stream.write_all(&said);
            }
            "<<*" => while talk.line().get(3) == Some(&b'-') {},
            _ if word.starts_with("<<") => {
                let times = if word == "<<" { Ok(1) } else { word[2..].parse() };
                for _ in 0..times.map_err(|_| format!("{line}: no number"))? {
                    let heard = talk.line();
                    let whole = heard.strip_suffix(b"\r\n").filter(|line| !line.contains(&b'\r'));
                    if !whole.is_some_and(|heard| heard.starts_with(&octets(rest))) {
                        return wrong(format!("it said {:?}", heard.escape_ascii().to_string()));
                    }
                }
            }
            "closed" => {
                let heard = talk.line();
                if !heard.is_empty() {
                    return wrong(format!("it said {:?}", heard.escape_ascii().to_string()));
                }
            }
            "hangs" => talk.stream.shutdown(std::net::Shutdown::Both).map_err(|e| e.to_string())?,
            "arrived" => {
                let wanted: usize = rest.parse().map_err(|_| format!("{line}: no number"))?;
                sink.wait(line, |taken| taken.len() >= before + wanted);
                arrived = sink.settled().split_off(before);
                if arrived.len() != wanted {
                    return wrong(format!("{} arrived", arrived.len()));
                }
            }
            "with" | "without" => {
                let Some(last) = arrived.last() else { return wrong("nothing has arrived".to_owned()) };
                let content = last.content.as_slice();
                let wanted = octets(rest);
                if content.windows(wanted.len()).any(|window| window == wanted) != (word == "with") {
                    return wrong(format!("it is {:?}", content.escape_ascii().to_string()));
                }
            }
            _ => return wrong("no line of a dialogue".to_owned()),
        }
    }
    Ok(())
}

/// The doors that dialogues knock at: name, and what `[[listener]]` says of it.
const DOORS: &[(&str, &str)] = &[
    ("strict", "relay_from = [\"127.0.0.0/8\"]"),
    ("fix", "relay_from = [\"127.0.0.0/8\"]\nline_ends = \"fix\""),
    ("strange", "relay_from = [\"192.0.2.0/24\"]"),
    ("proxied", "relay_from = [\"192.0.2.0/24\"]\nproxy_from = [\"127.0.0.0/8\"]"),
    ("in-front", "relay_from = [\"10.0.0.0/8\"]\nxclient_from = [\"127.0.0.0/8\"]"),
];

#[test]
fn every_conversation_goes_as_it_is_written() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    let mut text = std::fs::read_to_string(&gateway.config).expect("the configuration");
    let ports: Vec<(&str, u16)> = DOORS.iter().map(|(name, _)| (*name, free_port())).collect();
    for ((name, rules), (_, port)) in DOORS.iter().zip(&ports) {
        text += &format!("\n[[listener]]\nname = \"{name}\"\naddresses = [\"127.0.0.1:{port}\"]\n{rules}\n");
    }
    std::fs::write(&gateway.config, text).expect("the configuration");
    gateway.start(&[]);
    let mut wrong = Vec::new();
    let mut said = 0;
    for (name, text) in files() {
        assert!(!rows_of(&text).is_empty(), "{name}");
        let second = text.lines().nth(1).unwrap_or_default();
        for door in second.strip_prefix("door ").unwrap_or_else(|| panic!("{name} names no door")).split(", ") {
            let port = ports.iter().find(|(known, _)| *known == door).unwrap_or_else(|| panic!("{name}: {door}")).1;
            if let Err(why) = converse(&text, port, &sink) {
                wrong.push(format!("{name} at {door}: {why}"));
            }
            said += 1;
        }
    }
    println!("{said} conversations");
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), gateway.log());
    assert!(gateway.log().contains("origin=\"203.0.113.9\""), "what is forwarded is on record: {}", gateway.log());
}
