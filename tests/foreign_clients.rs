//! Mail from other people's clients: what arrives through the gateway is what arrives from the same client without it.
//! A client that is not installed is skipped, with a word.

mod support;

use std::io::Write;
use std::process::Command;

use support::{Gateway, Sink, Taken, cases, header, installed, relayed};

const PYTHON: &str = "\
import smtplib, sys
port, sender, recipients, file = int(sys.argv[1]), sys.argv[2], sys.argv[3].split(','), sys.argv[4]
with smtplib.SMTP('127.0.0.1', port, local_hostname='client.saltmere.example', timeout=30) as smtp:
    refused = smtp.sendmail(sender, recipients, open(file, 'rb').read(), mail_options=['BODY=8BITMIME'])
    sys.exit(len(refused))
";

/// Lets the client send the message to the port.
fn send(client: &str, port: u16, sender: &str, recipients: &[String], message: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(message).expect("the message");
    let path = file.path().to_string_lossy().into_owned();
    let mut command = Command::new(client);
    match client {
        "python3" => command.args(["-c", PYTHON, &port.to_string(), sender, &recipients.join(","), &path]),
        _ => command.args([
            "--server",
            &format!("127.0.0.1:{port}"),
            "--helo",
            "client.saltmere.example",
            "--from",
            sender,
            "--to",
            &recipients.join(","),
            "--data",
            &format!("@{path}"),
            "--silent",
            "2",
        ]),
    };
    let output = command.output().expect("the client starts");
    assert!(
        output.status.success(),
        "{client}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn through_the_gateway_as_without_it(client: &str) {
    if installed(client).is_none() {
        println!("skipped: {client} is not installed");
        return;
    }
    let straight = Sink::start();
    let behind = Sink::start();
    let gateway = Gateway::started(behind.port);
    let clean: Vec<_> = cases().into_iter().filter(|case| case.action == "deliver").collect();
    assert!(clean.len() > 10, "messages that go");
    for case in &clean {
        send(client, straight.port, &case.mail_from, &case.rcpt, &case.message());
        send(client, gateway.port, &case.mail_from, &case.rcpt, &case.message());
        let without = straight.taken().pop().expect("the message, straight");
        let reached = |taken: &[Taken]| {
            let mut reached: Vec<_> = taken
                .iter()
                .filter(|t| relayed(&t.content) == Some(&without.content[..]) && t.from == case.mail_from)
                .flat_map(|t| t.recipients.clone())
                .collect();
            reached.sort();
            reached
        };
        let mut wanted = case.rcpt.clone();
        wanted.sort();
        behind.wait(&format!("{client}: {}", case.id), |taken| reached(taken) == wanted);
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
    through_the_gateway_as_without_it("swaks");
}

#[test]
fn python_smtplib() {
    through_the_gateway_as_without_it("python3");
}
