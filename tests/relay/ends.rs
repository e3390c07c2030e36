//! Ends of data that are none, said to the real gateway: rows 42, 46 and 48 of the relay checklist.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use super::support::{Gateway, Sink, free_port};
use super::{Talk, octets};

pub(super) const SMUGGLED: &str = "MAIL FROM:<head@saltmere.example>\\r\\nRCPT TO:<b@firm.example>\\r\\nDATA\\r\\n\
    Subject: smuggled\\r\\n\\r\\nsmuggled\\r\\n.\\r\\n";

/// A gateway whose further door reads line ends so.
fn gateway(sink: &Sink, line_ends: &str) -> (Gateway, u16) {
    let mut gateway = Gateway::new(sink.port);
    let port = free_port();
    let mut text = std::fs::read_to_string(&gateway.config).expect("the configuration");
    text += &format!(
        "\n[[listener]]\nname = \"{line_ends}\"\naddresses = [\"127.0.0.1:{port}\"]\nrelay_from = [\"127.0.0.0/8\"]\n\
         line_ends = \"{line_ends}\"\n"
    );
    std::fs::write(&gateway.config, text).expect("the configuration");
    gateway.start(&[]);
    (gateway, port)
}

impl<S: Read + Write> Talk<S> {
    pub(super) fn says(&mut self, text: &[u8]) {
        self.stream.write_all(text).expect("it listens");
    }

    /// The code of the next reply, whatever its lines; nothing where the connection has ended.
    pub(super) fn code(&mut self) -> String {
        loop {
            let line = self.line();
            if line.get(3) != Some(&b'-') {
                return String::from_utf8_lossy(line.get(..3).unwrap_or_default()).into_owned();
            }
        }
    }

    pub(super) fn codes(&mut self, wanted: &[&str], what: &str) {
        for wanted in wanted {
            assert_eq!(self.code(), *wanted, "{what}");
        }
    }

    pub(super) fn asks(&mut self, said: &str, code: &str, what: &str) {
        self.says(format!("{said}\r\n").as_bytes());
        self.codes(&[code], &format!("{said}, {what}"));
    }

    /// A message up to its 354.
    pub(super) fn opens(&mut self, what: &str) {
        self.asks("MAIL FROM:<office@saltmere.example>", "250", what);
        self.asks("RCPT TO:<a@firm.example>", "250", what);
        self.asks("DATA", "354", what);
    }
}

impl Talk {
    /// Up to the 354 of a message.
    pub(super) fn begins(port: u16, what: &str) -> Self {
        let mut talk = Self::at(port);
        talk.codes(&["220"], what);
        talk.asks("EHLO client.example", "250", what);
        talk.opens(what);
        talk
    }
}

/// What stands around a dot: up to two of these on each side.
pub(super) fn around() -> BTreeSet<String> {
    const OCTETS: [&str; 5] = ["\\r", "\\n", "\\0", ".", "\\r\\n"];
    let pairs = OCTETS.iter().flat_map(|one| OCTETS.iter().map(move |two| format!("{one}{two}")));
    pairs.chain(OCTETS.map(str::to_owned)).chain([String::new()]).collect()
}

/// Relay checklist, row 42.
#[test]
fn only_a_dot_between_two_crlf_ends_a_message() {
    let sink = Sink::start();
    let (gateway, port) = gateway(&sink, "strict");
    let (mut forms, mut taken) = (0, 0);
    for before in around() {
        for behind in around() {
            let what = format!("one{before}.{behind}");
            let content = octets(&format!("Subject: one\\r\\n\\r\\n{what}{SMUGGLED}"));
            let end = content.windows(5).position(|five| five == b"\r\n.\r\n").expect("an end") + 5;
            let alone = (0..end).any(|at| match content[at] {
                b'\r' => content[at + 1] != b'\n',
                b'\n' => content[at - 1] != b'\r',
                b'\0' => true,
                _ => false,
            });
            let mut talk = Talk::begins(port, &what);
            talk.says(&content);
            talk.codes(&[if alone { "554" } else { "250" }], &what);
            taken += usize::from(!alone);
            if end == content.len() {
                // The session is in step, and nothing of the content was a command.
                talk.says(b"RCPT TO:<b@firm.example>\r\nQUIT\r\n");
                talk.codes(&["503", "221"], &what);
            } else {
                // A true end: what follows is commands, and a message behind DATA in one group is none (RFC 2920 3.1).
                let left_over = !content[end..].starts_with(b"MAIL");
                let heard: Vec<String> = (0..if left_over { 1 } else { 3 }).map(|_| talk.code()).collect();
                assert!(left_over || heard == ["250", "250", "554"], "{what}: {heard:?}");
            }
            forms += 1;
        }
    }
    println!("{forms} forms, {taken} taken");
    assert!(forms > 500 && taken > 0, "{forms} forms, {taken} taken");
    sink.wait("what was answered 250", |there| there.len() >= taken);
    let there = sink.settled();
    assert_eq!(there.len(), taken, "{}", gateway.log());
    assert!(there.iter().all(|one| !one.from.starts_with("head@")), "a smuggled message arrived");
}

/// The ends of data with which a second message was smuggled past servers that people use.
pub(super) const ATTACKS: [&str; 12] = [
    "\\n.\\n",
    "\\n.\\r",
    "\\r.\\n",
    "\\r.\\r",
    "\\n.\\r\\n",
    "\\r.\\r\\n",
    "\\r\\n.\\n",
    "\\r\\n.\\r",
    "\\r\\n\\0.\\r\\n",
    "\\r\\n.\\0\\r\\n",
    "\\r\\n.\\r\\r\\n",
    "\\r\\r\\n.\\r\\r\\n",
];

/// Relay checklist, row 46: each is refused, the right message behind it arrives, and the store knows of that one alone.
#[test]
fn what_is_smuggled_never_runs() {
    for line_ends in ["strict", "fix"] {
        let sink = Sink::start();
        let (gateway, port) = gateway(&sink, line_ends);
        for (number, attack) in ATTACKS.iter().enumerate() {
            let what = format!("{attack} at {line_ends}");
            let mut talk = Talk::begins(port, &what);
            talk.says(&octets(&format!("Subject: one\\r\\n\\r\\none{attack}{SMUGGLED}")));
            talk.codes(&["554"], &what);
            talk.says(b"MAIL FROM:<office@saltmere.example>\r\nRCPT TO:<a@firm.example>\r\nDATA\r\n");
            talk.codes(&["250", "250", "354"], &what);
            talk.says(format!("Subject: The boiler, {number}\r\n\r\nIt hums again.\r\n.\r\nQUIT\r\n").as_bytes());
            talk.codes(&["250", "221"], &what);
        }
        sink.wait("the right ones", |there| there.len() >= ATTACKS.len());
        let there = sink.settled();
        assert_eq!(there.len(), ATTACKS.len());
        assert!(there.iter().all(|one| !String::from_utf8_lossy(&one.content).contains("smuggled")));
        let listed = gateway.command(&["queue", "list", "--state", "delivered", "--json"]);
        let known: Vec<serde_json::Value> = serde_json::from_slice(&listed.stdout).expect("a list");
        assert_eq!(known.len(), ATTACKS.len(), "{known:?}");
        let all = gateway.command(&["queue", "list", "--json"]);
        assert_eq!(String::from_utf8_lossy(&all.stdout).trim(), "[]", "and nothing waits");
    }
}
