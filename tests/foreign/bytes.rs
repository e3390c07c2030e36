//! Contents of shapes that programs on the way like to mend arrive byte for byte at a server of somebody else's, aiosmtpd, which
//! takes the hash itself.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use sha2::{Digest, Sha256};

use crate::clients::{CLEAR, Letter, Program, must};
use crate::support::{Gateway, PATIENCE, free_port};
use crate::{Account, skipped};

/// aiosmtpd, which says a line of each message.
struct Aiosmtpd {
    port: u16,
    child: Child,
    lines: Receiver<String>,
}

impl Aiosmtpd {
    fn start() -> Option<Self> {
        let python = "/usr/bin/python3";
        let there = Command::new(python).args(["-c", "import aiosmtpd"]).output().is_ok_and(|out| out.status.success());
        if !there {
            skipped("aiosmtpd is not installed");
            return None;
        }
        let port = free_port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/clients/sink_aiosmtpd.py");
        let mut command = Command::new(python);
        command.arg(script).arg(port.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (says, lines) = channel();
        // Ends with the program, or with the test that no longer listens.
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| says.send(line)));
        let mut sink = Self { port, child, lines };
        assert_eq!(sink.told()["listens"], true);
        Some(sink)
    }

    /// The next line that it says.
    fn told(&mut self) -> serde_json::Value {
        let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
            let _ = self.child.kill();
            let mut said = String::new();
            let _ = self.child.stderr.take().map(|mut all| all.read_to_string(&mut said));
            panic!("aiosmtpd says nothing more: {said}");
        };
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Aiosmtpd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Name, headers beside the usual ones, body, parameters of MAIL.
fn shapes() -> Vec<(&'static str, &'static str, Vec<u8>, &'static [&'static str])> {
    const EIGHT: &str =
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n";
    const LATIN: &str =
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n";
    let long = |octets: usize| {
        let words = "the minutes of the meeting are on the website ".repeat(octets / 46 + 1);
        format!("{}\r\n", &words[..octets]).into_bytes()
    };
    vec![
        ("eight bits", EIGHT, "The café opens at nine, naïve or not.\r\n".into(), &["BODY=8BITMIME"]),
        ("eight bits of Latin 1", LATIN, b"The caf\xe9 opens at nine.\r\n".to_vec(), &["BODY=8BITMIME"]),
        ("UTF-8 in a header", "X-Place: Café Zoë\r\n", "The hall is free.\r\n".into(), &["SMTPUTF8", "BODY=8BITMIME"]),
        ("a line of 998 octets", "", long(998), &[]),
        ("dots that lead", "", b".\r\n..\r\n...\r\n.The hall is free.\r\nfree.\r\n. \r\n".to_vec(), &[]),
        ("a dot alone at the end", "", b"The hall is free.\r\n.\r\n".to_vec(), &[]),
        ("blank lines at the end", "", b"The hall is free.\r\n\r\n\r\n\r\n\r\n".to_vec(), &[]),
        ("blank lines alone", "", b"\r\n\r\n\r\n".to_vec(), &[]),
        ("no body", "", Vec::new(), &[]),
        ("blanks at the ends of lines", "", b"The hall is free. \t \r\n\t\r\n   \r\n".to_vec(), &[]),
        (
            "a header in folds",
            "X-Long: one\r\n\ttwo\r\n  three  \r\nx-LOWER:nothing \r\n",
            b"The hall is free.\r\n".to_vec(),
            &[],
        ),
        ("From at the front", "", b"From the office: the hall is free.\r\n>From the office.\r\n".to_vec(), &[]),
        ("a megabyte", "", long(900).repeat(1_200), &[]),
    ]
}

#[test]
fn contents_of_any_shape_arrive_byte_for_byte() {
    let Some(mut sink) = Aiosmtpd::start() else { return };
    if !Program::Smtplib.is_here() {
        return;
    }
    let gateway = Gateway::started(sink.port);
    // There is no authority where nothing speaks TLS.
    crate::trust::Trust::new().lay(gateway.directory());
    let (from, to) = ("office@saltmere.example", ["head@saltmere.example".to_owned()]);
    for (number, (name, headers, body, options)) in shapes().into_iter().enumerate() {
        let head = format!(
            "From: Office <{from}>\r\nTo: Head <{}>\r\nSubject: The hall\r\nDate: Tue, 3 Mar 2026 09:00:00 +0000\r\n\
             Message-ID: <shape-{number}@saltmere.example>\r\n{headers}\r\n",
            to[0]
        );
        let content = [head.as_bytes(), &body[..]].concat();
        let letter = Letter { from, to: &to, content: &content, options };
        let nobody = Account { user: "", password: "" };
        must(name, &Program::Smtplib.send(gateway.port, gateway.directory(), CLEAR, nobody, &letter));
        let told = sink.told();
        assert_eq!((told["from"].as_str(), told["to"][0].as_str()), (Some(from), Some(&*to[0])), "{name}");
        assert_eq!(told["size"], content.len(), "{name}");
        let hash: String = Sha256::digest(&content).iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(told["rest"].as_str(), Some(&*hash), "{name}");
        let said = told["options"].to_string();
        for option in options {
            assert!(said.contains(option), "{name}: {option} is passed on, not {said}");
        }
    }
}
