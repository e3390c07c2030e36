//! DKIM through the real program: attached originals that their senders signed (keys of a file, at start, at a reload, in `check` and
//! in `doctor`), and our own signature on what leaves.

mod support;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use rustls::pki_types::pem::PemObject;
use schoolgate::message::signed::{Keys, is_altered};
use support::compose::base64;
use support::{Gateway, PATIENCE, Sink, cases, header};

const SENDER: &str = "k.orrin@kestrelmoor.example";
const FIRM: &str = "bookings@heronlakes.example";
const FILE: &str = "dkim-keys.txt";

/// A firm that signs, and what it publishes.
struct Firm {
    key: Ed25519Key,
    record: String,
}

fn firm() -> Firm {
    let key = Ed25519Key::from_pkcs8_der(&Ed25519Key::generate_pkcs8().expect("a key")).expect("a key");
    let public = base64(&key.public_key());
    Firm {
        key,
        record: format!(
            "s1._domainkey.heronlakes.example. 3600 IN TXT \"v=DKIM1; k=ed25519; \" \"p={}\"\n",
            public.trim()
        ),
    }
}

/// The firm's offer as it came.
fn offer(firm: Firm) -> String {
    let message = format!(
        "From: Bookings <{FIRM}>\r\nTo: <{SENDER}>\r\nSubject: Your June booking\r\nDate: Thu, 01 Oct 2026 11:20:00 +0100\r\n\r\n\
         We can offer 28 places from 15 June.\r\n"
    );
    let signer = DkimSigner::from_key(firm.key).domain("heronlakes.example").selector("s1");
    let signature = signer.headers(["From", "To", "Subject", "Date"]).sign(message.as_bytes()).expect("signed");
    format!("{}{message}", signature.to_header())
}

/// A message of the school with the offer attached: as a message, or as a file.
fn with(offer: &str, as_file: bool) -> Vec<u8> {
    let (headers, attached) = match as_file {
        false => ("Content-Type: message/rfc822".to_owned(), offer.to_owned()),
        true => {
            let file =
                "Content-Type: application/octet-stream; name=\"offer.eml\"\r\nContent-Transfer-Encoding: base64";
            (file.to_owned(), base64(offer.as_bytes()))
        }
    };
    format!(
        "From: Kate Orrin <{SENDER}>\r\nTo: {FIRM}\r\nSubject: Your offer\r\nDate: Mon, 12 Oct 2026 13:06:00 +0100\r\n\
         Message-ID: <1@kestrelmoor.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nHello,\r\n\r\nyour offer is attached.\r\n--b\r\n{headers}\r\n\r\n{attached}\r\n--b--\r\n"
    )
    .into_bytes()
}

fn put(gateway: &Gateway, name: &str, bytes: &[u8]) -> PathBuf {
    let file = gateway.directory().join(name);
    std::fs::write(&file, bytes).expect("a file");
    file
}

fn school(smarthost: u16) -> Gateway {
    let gateway = Gateway::of("schools/woodsetton", smarthost);
    gateway.set("policy", "dkim_keys", FILE);
    gateway
}

/// Whether `check` says that an attached message was altered.
fn is_found(gateway: &Gateway, message: &[u8]) -> bool {
    let file = put(gateway, "message.eml", message);
    let file = file.to_str().expect("UTF-8");
    let at = "2026-10-12T13:06:00Z";
    let output = gateway.command(&["check", "--mail-from", SENDER, "--rcpt", FIRM, "--json", "--at", at, file]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.starts_with('{'), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said.contains("\"altered-forward\"")
}

/// Sends SIGHUP and waits until the log tells what came of it.
fn hang_up(gateway: &Gateway, words: &str) {
    gateway.signal("-HUP");
    let until = Instant::now() + PATIENCE;
    while !gateway.log().contains(words) {
        assert!(Instant::now() < until, "{words}\n{}", gateway.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn check_finds_what_was_altered_by_the_key_and_by_the_body_without_one() {
    let gateway = school(1);
    let firm = firm();
    let record = firm.record.clone();
    let offer = offer(firm);
    let rows = [
        ("as it came", offer.clone(), false, false),
        ("a header more", format!("X-Folder: offers\r\n{offer}"), false, false),
        ("another subject", offer.replace("June booking", "May booking"), true, false),
        ("another sender", offer.replace("Bookings <", "Heron Lakes <"), true, false),
        ("another day", offer.replace("01 Oct", "02 Oct"), true, false),
        ("another body", offer.replace("28 places", "82 places"), true, true),
    ];
    for (keys, known) in [(record.as_str(), true), ("# none yet\n", false)] {
        put(&gateway, FILE, keys.as_bytes());
        for (what, message, with_key, without) in &rows {
            for as_file in [false, true] {
                let expected = if known { *with_key } else { *without };
                assert_eq!(
                    is_found(&gateway, &with(message, as_file)),
                    expected,
                    "{what}, key {known}, file {as_file}"
                );
            }
        }
    }
}

#[test]
fn a_running_gateway_takes_keys_at_a_reload_and_keeps_them_where_the_new_ones_are_bad() {
    let sink = Sink::start();
    let mut gateway = school(sink.port);
    // What goes is to go at once.
    let permitted = toml::Table::from_iter([("second-look".to_owned(), toml::Value::from(vec![SENDER.to_owned()]))]);
    gateway.set("policy", "permitted", permitted);
    let firm = firm();
    let record = firm.record.clone();
    let altered = with(&offer(firm).replace("June booking", "May booking"), false);
    put(&gateway, FILE, b"");
    gateway.start(&[]);
    // What becomes of it: it goes on, or its sender is told of it.
    let goes = |gateway: &Gateway, mark: &str| {
        let told = || sink.settled().iter().filter(|t| t.from.is_empty() && t.recipients == [SENDER]).count();
        let before = told();
        let text = String::from_utf8_lossy(&altered).replace("Your offer", &format!("Your offer {mark}"));
        let reply = gateway.client().send(SENDER, &[FIRM.to_owned()], text.as_bytes()).expect("an answer");
        assert_eq!(reply.code, 250, "{}", reply.text());
        let came_back = told() > before;
        let subject = format!("Your offer {mark}");
        let went = sink
            .taken()
            .iter()
            .any(|t| t.recipients == [FIRM] && header(&t.content, "Subject") == Some(subject.clone()));
        assert_ne!(went, came_back, "{mark}\n{}", gateway.log());
        went
    };
    assert!(goes(&gateway, "one"), "without its key nothing is known of a subject");
    put(&gateway, FILE, record.as_bytes());
    hang_up(&gateway, "event=\"reloaded\"");
    assert!(!goes(&gateway, "two"), "the key is known, and the subject another");
    put(&gateway, FILE, b"# by hand\ns1._domainkey.heronlakes.example p=nonsense!\n");
    hang_up(&gateway, "nothing was reloaded");
    assert!(gateway.log().contains("dkim-keys.txt:2:1"), "{}", gateway.log());
    assert!(!goes(&gateway, "three"), "the old keys hold");
}

#[test]
fn doctor_tells_of_keys_by_file_and_line() {
    let gateway = school(1);
    let doctor = || {
        let output = gateway.command(&["doctor"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(doctor().contains("policy.dkim_keys") && doctor().contains("cannot be read"), "{}", doctor());
    put(&gateway, FILE, firm().record.as_bytes());
    assert!(doctor().contains("DKIM keys: 1"), "{}", doctor());
    put(&gateway, FILE, b"s1._domainkey.a.example v=DKIM1; p=\n");
    assert!(doctor().contains("1 of 1 keys verify nothing: s1._domainkey.a.example (revoked)"), "{}", doctor());
    put(&gateway, FILE, b"\n\"v=DKIM1; p=\"\n");
    assert!(doctor().contains("dkim-keys.txt:2:1: a line begins with a name"), "{}", doctor());
    put(&gateway, FILE, b"\xff\xfe");
    assert!(doctor().contains("no text in UTF-8"), "{}", doctor());
    put(&gateway, FILE, &vec![b'#'; schoolgate::limits::DKIM_KEYS_FILE + 1]);
    assert!(doctor().contains("is larger than"), "{}", doctor());
    put(&gateway, FILE, firm().record.as_bytes());
    gateway.set("policy", "pack", "core");
    assert!(doctor().contains("no rule of the pack asks about attached messages"), "{}", doctor());
}

/// What leaves carries our signature on top, which verifies; below it stands what was taken in, to the octet.
#[test]
fn what_leaves_is_signed_and_below_the_signature_is_what_came() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    let fixture = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/dkim/ed25519.pem");
    std::fs::copy(&fixture, gateway.directory().join("dkim.pem")).expect("the key");
    let text = std::fs::read_to_string(&gateway.config).expect("the configuration");
    let signing = "\n[dkim]\nselector = \"gate\"\nkey_file = \"dkim.pem\"\n";
    std::fs::write(&gateway.config, text + signing).expect("the configuration");
    gateway.start(&[]);
    let case = cases().into_iter().find(|case| case.action == "deliver" && case.rcpt.len() == 1).expect("clean mail");
    let message = case.message();
    let reply = gateway.client().send(&case.mail_from, &case.rcpt, &message).expect("an answer");
    assert_eq!(reply.code, 250, "{}", reply.text());
    let taken = sink.wait("the message", |taken| !taken.is_empty());
    let content = &taken[0].content;
    assert!(content.starts_with(b"DKIM-Signature: ") && content.ends_with(&message), "{}", content.escape_ascii());
    let pem = std::fs::read(&fixture).expect("the key");
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from_pem_slice(&pem).expect("PEM");
    let key = Ed25519Key::from_pkcs8_maybe_unchecked_der(key.secret_pkcs8_der()).expect("a key");
    let record =
        format!("gate._domainkey.saltmere.example v=DKIM1; k=ed25519; p={}\n", base64(&key.public_key()).trim());
    let keys = Keys::parse(&record).expect("a record");
    assert!(!is_altered(content, &keys));
    let other = String::from_utf8_lossy(content).replacen("\r\nSubject: ", "\r\nSubject: Not ", 1);
    assert!(is_altered(other.as_bytes(), &keys), "the subject is signed");
    // A key that is none is told at the start, with its place.
    std::fs::write(gateway.directory().join("dkim.pem"), "no key").expect("a file");
    hang_up(&gateway, "nothing was reloaded");
    assert!(gateway.log().contains("dkim.key_file"), "{}", gateway.log());
}
