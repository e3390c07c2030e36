//! Mail from other people's clients: what arrives through the gateway is what arrives from the same client without it, whatever
//! door they come in by.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::support::{Case, Gateway, Sink, Taken, cases, free_port, header, installed, relayed};
use crate::trust::Trust;
use crate::{Account, skipped};

/// The account of the clients.
const COPIER: Account = Account { user: "copier", password: "a long password of a copier" };

/// A client, and what shows that it is here with all that it needs.
#[derive(Debug, Clone, Copy)]
pub enum Program {
    Swaks,
    Smtplib,
    Aiosmtplib,
    Nodemailer,
}

/// How a client comes in.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// `none`, `starttls` or `implicit`.
    pub tls: &'static str,
    /// AUTH's mechanism; empty for none.
    pub method: &'static str,
    /// What our Received line says of it (RFC 3848).
    with: &'static str,
}

pub const CLEAR: Way = Way { tls: "none", method: "", with: "ESMTP" };

const UNDER_TLS: [Way; 5] = [
    Way { tls: "starttls", method: "", with: "ESMTPS" },
    Way { tls: "starttls", method: "PLAIN", with: "ESMTPSA" },
    Way { tls: "starttls", method: "LOGIN", with: "ESMTPSA" },
    Way { tls: "implicit", method: "PLAIN", with: "ESMTPSA" },
    Way { tls: "implicit", method: "LOGIN", with: "ESMTPSA" },
];

/// What is sent, and by whom.
pub struct Letter<'a> {
    pub from: &'a str,
    pub to: &'a [String],
    pub content: &'a [u8],
    /// Parameters of MAIL, where the client can be told them.
    pub options: &'a [&'a str],
}

impl Program {
    /// Whether it is here; says a word where it is not.
    pub fn is_here(self) -> bool {
        let (program, arguments): (&str, &[&str]) = match self {
            Self::Swaks => ("perl", &["-MNet::SSLeay", "-e", "1"]),
            Self::Smtplib => ("python3", &["-c", "import smtplib"]),
            Self::Aiosmtplib => ("/usr/bin/python3", &["-c", "import aiosmtplib"]),
            Self::Nodemailer => ("node", &["-e", "require('nodemailer')"]),
        };
        let answers = self.command(program).args(arguments).output().is_ok_and(|out| out.status.success());
        let is_here = answers && (!matches!(self, Self::Swaks) || installed("swaks").is_some());
        if !is_here {
            skipped(&format!("{self:?} is not installed with all that it needs"));
        }
        is_here
    }

    fn command(self, program: &str) -> Command {
        let mut command = Command::new(program);
        // Where Debian puts its modules; a node of somebody else's does not look there.
        command.env("NODE_PATH", "/usr/share/nodejs");
        command
    }

    /// Lets it send to the port; `folder` holds the authority.
    pub fn send(self, port: u16, folder: &Path, way: Way, account: Account, letter: &Letter) -> Output {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(letter.content).expect("the message");
        let (path, trust) = (file.path().to_string_lossy(), folder.join("ca.pem"));
        if let Self::Swaks = self {
            let mut command = self.command("swaks");
            command.args(["--server", "localhost", "--port", &port.to_string(), "--helo", "client.saltmere.example"]);
            command.args(["--from", letter.from, "--to", &letter.to.join(",")]);
            command.args(["--data", &format!("@{path}"), "--silent", "2"]);
            match way.tls {
                "starttls" => command.arg("--tls"),
                "implicit" => command.arg("--tls-on-connect"),
                _ => &mut command,
            };
            if way.tls != "none" {
                command.arg("--tls-verify").arg("--tls-ca-path").arg(trust);
            }
            if !way.method.is_empty() {
                let (user, password) = (account.user, account.password);
                command.args(["--auth", way.method, "--auth-user", user, "--auth-password", password]);
            }
            return command.output().expect("swaks starts");
        }
        let (program, script) = match self {
            Self::Smtplib | Self::Swaks => ("python3", "send_smtplib.py"),
            Self::Aiosmtplib => ("/usr/bin/python3", "send_aiosmtplib.py"),
            Self::Nodemailer => ("node", "send_nodemailer.js"),
        };
        let told = json!({
            "port": port, "trust": trust, "tls": way.tls, "method": way.method, "user": account.user,
            "password": account.password, "from": letter.from, "to": letter.to, "file": path, "options": letter.options,
        });
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/clients").join(script);
        self.command(program).arg(script).arg(told.to_string()).output().expect("the client starts")
    }
}

/// It went well.
pub fn must(what: &str, output: &Output) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}: {}\n{out}{err}", output.status);
}

/// A gateway with a door for each way, and the sink behind it.
struct House {
    gateway: Gateway,
    sink: Sink,
    /// STARTTLS, for the loopback; STARTTLS and TLS from the first octet, for those who sign in.
    doors: [u16; 3],
}

impl House {
    fn start() -> Self {
        let sink = Sink::start();
        let mut gateway = Gateway::new(sink.port);
        Trust::new().lay(gateway.directory());
        let doors = [free_port(), free_port(), free_port()];
        let mut text = std::fs::read_to_string(&gateway.config).expect("the configuration");
        for (name, port, rules) in [
            ("near", doors[0], "tls = \"required\"\nrelay_from = [\"127.0.0.0/8\"]\n"),
            ("copiers", doors[1], "tls = \"required\"\nsign_in = true\n"),
            ("newer", doors[2], "tls = \"implicit\"\nsign_in = true\n"),
        ] {
            text.push_str(&format!(
                "\n[[listener]]\nname = \"{name}\"\naddresses = [\"127.0.0.1:{port}\"]\n{rules}\
                 tls_certificate = \"own.pem\"\ntls_key = \"own.key\"\n"
            ));
        }
        std::fs::write(&gateway.config, text).expect("the configuration");
        gateway.start(&[]);
        let file = gateway.directory().join("copier.password");
        std::fs::write(&file, COPIER.password).expect("the password");
        let file = file.display().to_string();
        let all = ["sender", "add", COPIER.user, "--send-as-domain", "saltmere.example", "--password-file", &file];
        must("the account", &gateway.command(&all));
        Self { gateway, sink, doors }
    }

    fn port(&self, way: Way) -> u16 {
        match (way.tls, way.method) {
            ("none", _) => self.gateway.port,
            ("implicit", _) => self.doors[2],
            (_, "") => self.doors[0],
            _ => self.doors[1],
        }
    }

    /// Sends it through the gateway; what arrives is what `straight` was given.
    fn passes(&self, program: Program, way: Way, case: &Case, straight: &[u8]) {
        let message = case.message();
        let letter = Letter { from: &case.mail_from, to: &case.rcpt, content: &message, options: &["BODY=8BITMIME"] };
        let what = format!("{program:?}, {way:?}: {}", case.id);
        let before = self.sink.taken().len();
        must(&what, &program.send(self.port(way), self.gateway.directory(), way, COPIER, &letter));
        let is_it = |t: &&Taken| relayed(&t.content) == Some(straight) && t.from == case.mail_from;
        let mut wanted = case.rcpt.clone();
        wanted.sort();
        let reached = |taken: &[Taken]| {
            let mut all: Vec<_> = taken[before..].iter().filter(is_it).flat_map(|t| t.recipients.clone()).collect();
            all.sort();
            all
        };
        let taken = self.sink.wait(&what, |taken| reached(taken) == wanted);
        for copy in taken[before..].iter().filter(is_it) {
            let ours = &copy.content[..copy.content.len() - straight.len()];
            let with = format!("\twith {} id ", way.with);
            assert!(String::from_utf8_lossy(ours).contains(&with), "{what}\n{}", String::from_utf8_lossy(ours));
        }
    }
}

fn through_the_gateway_as_without_it(program: Program) {
    if !program.is_here() {
        return;
    }
    let straight = Sink::start();
    let house = House::start();
    let folder = house.gateway.directory();
    let clean: Vec<_> = cases().into_iter().filter(|case| case.action == "deliver").take(15).collect();
    assert_eq!(clean.len(), 15, "messages that go");
    for (number, case) in clean.iter().enumerate() {
        let message = case.message();
        let letter = Letter { from: &case.mail_from, to: &case.rcpt, content: &message, options: &["BODY=8BITMIME"] };
        must(&case.id, &program.send(straight.port, folder, CLEAR, COPIER, &letter));
        let without = straight.taken().pop().expect("the message, straight").content;
        house.passes(program, CLEAR, case, &without);
        // Each message by one of the ways under TLS, too.
        house.passes(program, UNDER_TLS[number % UNDER_TLS.len()], case, &without);
    }
    let before = house.sink.settled().len();
    let case = &clean[0];
    let message = case.message();
    let letter = Letter { from: &case.mail_from, to: &case.rcpt, content: &message, options: &[] };
    let mistaken = Account { password: "a long password of somebody else", ..COPIER };
    // A password of somebody else's, none where one is wanted, and one that is right but said in clear.
    for (way, account) in [
        (UNDER_TLS[1], mistaken),
        (UNDER_TLS[4], mistaken),
        (Way { method: "", ..UNDER_TLS[3] }, COPIER),
        (Way { method: "PLAIN", ..CLEAR }, COPIER),
        (Way { method: "LOGIN", ..CLEAR }, COPIER),
    ] {
        let refused = program.send(house.port(way), folder, way, account, &letter);
        assert!(!refused.status.success(), "{program:?}, {way:?}: it is told that it may not");
    }
    assert_eq!(house.sink.settled().len(), before, "{program:?}: nothing of it comes in");
    for password in [COPIER.password, mistaken.password] {
        assert!(!house.gateway.log().contains(password), "a password in the log");
    }
}

/// lettre, the most used mail library of Rust, as a client of ours.
#[test]
fn lettre() {
    use lettre::Transport;
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let client = lettre::SmtpTransport::builder_dangerous("127.0.0.1").port(gateway.port).build();
    let clean: Vec<_> = cases().into_iter().filter(|case| case.action == "deliver").collect();
    for case in &clean {
        let to = case.rcpt.iter().map(|r| r.parse().expect("an address")).collect();
        let envelope = lettre::address::Envelope::new(case.mail_from.parse().ok(), to).expect("an envelope");
        let reply = client.send_raw(&envelope, &case.message()).unwrap_or_else(|e| panic!("{}: {e}", case.id));
        assert!(reply.is_positive(), "{}: {reply:?}", case.id);
    }
    let taken = sink.wait("all of them", |taken| taken.len() >= clean.len());
    for case in &clean {
        let id = header(&case.message(), "Message-ID");
        let copy = taken.iter().find(|t| header(&t.content, "Message-ID") == id).expect("it came");
        // lettre ends every message with one more line end.
        let relayed = relayed(&copy.content).map(|c| c.strip_suffix(b"\r\n").unwrap_or(c));
        assert_eq!(relayed, Some(&case.message()[..]), "{}", case.id);
    }
}

#[test]
fn swaks() {
    through_the_gateway_as_without_it(Program::Swaks);
}

#[test]
fn python_smtplib() {
    through_the_gateway_as_without_it(Program::Smtplib);
}

#[test]
fn python_aiosmtplib() {
    through_the_gateway_as_without_it(Program::Aiosmtplib);
}

#[test]
fn nodemailer() {
    through_the_gateway_as_without_it(Program::Nodemailer);
}
