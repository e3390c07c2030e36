//! Ends of data at each kind of door, from each network: rows 42 and 45 to 49 of the relay checklist. No door reads content by a rule of
//! its own, and what one takes arrives as it was said.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::ends::{ATTACKS, SMUGGLED, around};
use super::support::{Gateway, Sink, free_port, header};
use super::{Talk, octets};

const HOST: &str = "gate.saltmere.example";
const PASSWORD: &str = "a long password of a copier";
/// NUL, `copier`, NUL and the password (RFC 4616).
const PROOF: &str = "AGNvcGllcgBhIGxvbmcgcGFzc3dvcmQgb2YgYSBjb3BpZXI=";

trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

/// Somebody who has come in, whatever the door.
type Guest = Talk<Box<dyn Wire>>;

/// A way in: what `[[listener]]` says of it, and how a client comes to where it may say MAIL.
struct Door {
    name: &'static str,
    rules: &'static str,
    enter: fn(u16, &Arc<ClientConfig>) -> Guest,
}

const DOORS: [Door; 7] = [
    Door { name: "plain", rules: "relay_from = [\"127.0.0.0/8\"]", enter: |port, _| guest(Talk::at(port), true) },
    Door {
        name: "starttls",
        rules: "relay_from = [\"127.0.0.0/8\"]\ntls = \"required\"",
        enter: |port, tls| starttls(Talk::at(port), tls),
    },
    Door {
        name: "implicit",
        rules: "relay_from = [\"127.0.0.0/8\"]\ntls = \"implicit\"",
        enter: |port, tls| guest(secured(Talk::at(port), tls), true),
    },
    Door {
        name: "submission",
        rules: "relay_from = [\"192.0.2.0/24\"]\ntls = \"required\"\nsign_in = true",
        enter: |port, tls| {
            let mut guest = starttls(Talk::at(port), tls);
            guest.asks(&format!("AUTH PLAIN {PROOF}"), "235", "submission");
            guest
        },
    },
    Door {
        name: "trusted",
        rules: "relay_from = [\"10.0.0.0/8\"]\nproxy_from = [\"127.0.0.0/8\"]",
        enter: |port, _| {
            let mut talk = Talk::at(port);
            talk.says(b"PROXY TCP4 10.1.2.3 10.0.0.1 56324 25\r\n");
            guest(talk, true)
        },
    },
    Door {
        name: "balanced",
        rules: "relay_from = [\"2001:db8::/32\"]\nproxy_from = [\"127.0.0.0/8\"]\ntls = \"required\"",
        enter: |port, tls| {
            let mut talk = Talk::at(port);
            talk.says(b"PROXY TCP6 2001:db8::1 2001:db8::2 56324 25\r\n");
            starttls(talk, tls)
        },
    },
    Door {
        name: "in-front",
        rules: "relay_from = [\"10.0.0.0/8\"]\nxclient_from = [\"127.0.0.0/8\"]",
        enter: |port, _| {
            let mut guest = guest(Talk::at(port), true);
            guest.asks("XCLIENT ADDR=10.1.2.3", "220", "in-front");
            guest.asks("EHLO client.example", "250", "in-front");
            guest
        },
    },
];

/// Greeted, where there is a greeting to come.
fn guest<S: Wire + 'static>(mut talk: Talk<S>, greeting: bool) -> Guest {
    if greeting {
        talk.codes(&["220"], "the greeting");
    }
    talk.asks("EHLO client.example", "250", "a guest");
    Talk { stream: Box::new(talk.stream), read: talk.read }
}

fn secured(talk: Talk, tls: &Arc<ClientConfig>) -> Talk<StreamOwned<ClientConnection, TcpStream>> {
    assert!(talk.read.is_empty());
    let name = ServerName::try_from(HOST).expect("a name");
    let connection = ClientConnection::new(Arc::clone(tls), name).expect("a client");
    Talk { stream: StreamOwned::new(connection, talk.stream), read: Vec::new() }
}

fn starttls(mut talk: Talk, tls: &Arc<ClientConfig>) -> Guest {
    talk.codes(&["220"], "the greeting");
    talk.asks("EHLO client.example", "250", "in clear");
    talk.asks("STARTTLS", "220", "in clear");
    guest(secured(talk, tls), false)
}

/// A gateway with every door twice, `strict` and `fix`; what its clients trust, and the ports, in the order of [`DOORS`].
fn house(sink: &Sink) -> (Gateway, Arc<ClientConfig>, Vec<[u16; 2]>) {
    let mut gateway = Gateway::new(sink.port);
    let folder = gateway.directory().to_owned();
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).expect("a certificate");
    std::fs::write(folder.join("gate.pem"), made.cert.pem()).expect("its file");
    std::fs::write(folder.join("gate.key"), made.signing_key.serialize_pem()).expect("its file");
    std::fs::write(folder.join("password"), format!("{PASSWORD}\n")).expect("the password");
    gateway.set("listen", "hostname", HOST);
    gateway.set("listen", "tls", "starttls");
    gateway.set("listen", "tls_certificate", "gate.pem");
    gateway.set("listen", "tls_key", "gate.key");
    let ports: Vec<[u16; 2]> = DOORS.iter().map(|_| [free_port(), free_port()]).collect();
    let mut text = std::fs::read_to_string(&gateway.config).expect("the configuration");
    for (door, ports) in DOORS.iter().zip(&ports) {
        for (line_ends, port) in ["strict", "fix"].iter().zip(ports) {
            text += &format!(
                "\n[[listener]]\nname = \"{}-{line_ends}\"\naddresses = [\"127.0.0.1:{port}\"]\nline_ends = \"{line_ends}\"\n{}\n",
                door.name, door.rules
            );
        }
    }
    std::fs::write(&gateway.config, text).expect("the configuration");
    gateway.start(&[]);
    let password = folder.join("password").display().to_string();
    let added = gateway.command(&[
        "sender",
        "add",
        "copier",
        "--send-as",
        "office@saltmere.example",
        "--password-file",
        &password,
    ]);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("an anchor");
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (gateway, Arc::new(tls), ports)
}

/// The header of a message that is complete, so that nothing has to be added for one who has signed in.
fn header_of(subject: &str) -> String {
    format!(
        "Subject: {subject}\\r\\nFrom: office@saltmere.example\\r\\nDate: Mon, 2 Nov 2026 09:00:00 +0000\\r\\n\
         Message-ID: <{}@saltmere.example>\\r\\n",
        subject.replace(' ', ".")
    )
}

/// What is to arrive of content up to its end, or nothing where it is refused.
fn wanted(content: &[u8], fix: bool) -> Option<String> {
    let before = std::str::from_utf8(&content[..content.len() - 3]).expect("ASCII");
    let beside = |octet: u8| matches!(octet, b'\r' | b'\n');
    let is_lone = |three: &[u8]| three[1] == b'.' && beside(three[0]) && beside(three[2]);
    // Each CRLF as one mark; what is left of CR and LF stands alone.
    let marked = before.replace("\r\n", "\u{1}");
    let alone = marked.contains(['\r', '\n']);
    let lone_dot = content[..content.len() - 1].windows(3).rev().skip(1).any(is_lone);
    if marked.contains('\0') || if fix { lone_dot } else { alone } {
        return None;
    }
    let mended = marked.replace('\r', " ").replace('\n', "\u{1}");
    Some(mended.split('\u{1}').map(|line| line.strip_prefix('.').unwrap_or(line)).collect::<Vec<_>>().join("\r\n"))
}

/// Relay checklist, rows 42, 45, 46, 47, 49 and 60.
#[test]
fn every_door_ends_content_alike_and_hands_on_what_it_was_given() {
    let sink = Sink::start();
    let (gateway, tls, ports) = house(&sink);
    let around = around();
    let forms: Vec<String> =
        around.iter().flat_map(|before| around.iter().map(move |behind| format!("{before}.{behind}"))).collect();
    assert!(forms.len() >= 500, "{} forms", forms.len());
    let mut expected: Vec<(String, String)> = Vec::new();
    let (mut said, mut refused) = (0, 0);
    for (place, (door, ports)) in DOORS.iter().zip(&ports).enumerate() {
        for (fix, port) in [false, true].into_iter().zip(*ports) {
            let turn = 2 * place + usize::from(fix);
            // The attacks at each; the others in turn.
            let others = forms.iter().enumerate().filter(|(number, _)| number % (2 * DOORS.len()) == turn);
            let tried = ATTACKS.iter().copied().chain(others.map(|(_, form)| form.as_str()));
            let mut inside: Option<(Guest, usize)> = None;
            for form in tried {
                let subject = format!("form {said}");
                let what = format!("{form} at {}, fix {fix}", door.name);
                let content = octets(&format!("{}\\r\\none{form}{SMUGGLED}", header_of(&subject)));
                let end = content.windows(5).position(|five| five == b"\r\n.\r\n").expect("an end") + 5;
                let (mut guest, messages) = inside.take().unwrap_or_else(|| ((door.enter)(port, &tls), 0));
                guest.opens(&what);
                guest.says(&content);
                let wanted = wanted(&content[..end], fix);
                guest.codes(&[if wanted.is_some() { "250" } else { "554" }], &what);
                refused += usize::from(wanted.is_none());
                expected.extend(wanted.map(|wanted| (subject, wanted)));
                said += 1;
                // Behind a true end stands what is no message; behind ten refused ones, too many mistakes are near.
                if end == content.len() && messages < 10 {
                    inside = Some((guest, messages + 1));
                }
            }
        }
    }
    println!("{said} messages, {refused} refused");
    assert!(refused > 200 && expected.len() > 100, "{refused} of {said} refused");
    sink.wait("what was answered 250", |there| there.len() >= expected.len());
    let there = sink.settled();
    assert_eq!(there.len(), expected.len(), "{}", gateway.log());
    assert!(there.iter().all(|one| !one.from.starts_with("head@")), "a smuggled message arrived");
    assert_eq!(sink.unknown(), Vec::<String>::new(), "nothing of a content was said as a command");
    for (subject, wanted) in expected {
        let mut same = there.iter().filter(|one| header(&one.content, "Subject").as_deref() == Some(subject.as_str()));
        let one = same.next().unwrap_or_else(|| panic!("{subject} did not arrive"));
        assert!(same.next().is_none(), "{subject} arrived twice");
        assert!(one.content.ends_with(wanted.as_bytes()), "{}: {}", wanted.escape_debug(), one.content.escape_ascii());
    }
}
