//! The school's words below what leaves, by the real gateway: what arrives, in which form, where nothing is added, and what the record says.

mod ordinary;
mod shapes;
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use mail_auth::common::crypto::Ed25519Key;
use ordinary::Grammar;
use rustls::pki_types::pem::PemObject;
use schoolgate::message::footer::{Done, with_footers};
use schoolgate::message::read;
use schoolgate::message::signed::{Keys, is_altered};
use schoolgate::policy::RulePack;
use shapes::{Content, Form, Roster, message};
use support::{Gateway, PATIENCE, Seeded, Sink, compose, id_of, relayed};

const SENDER: &str = "e.stroud@kestrelmoor.example";
const COACHES: &str = "planning@moorlinecoaches.example";
const BROTHER: &str = "jdenby.allotments@gmail.com";
const OFFICE: &str = "office@kestrelmoor.example";

fn mail(to: &str, subject: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "From: Elaine Stroud <{SENDER}>\r\nTo: {to}\r\nSubject: {subject}\r\nDate: Fri, 09 Oct 2026 15:57:00 +0100\r\n\
         Message-ID: <{}@kestrelmoor.example>\r\nMIME-Version: 1.0\r\n{headers}\r\n{body}",
        subject.replace(' ', ".")
    )
    .into_bytes()
}

fn send(gateway: &Gateway, to: &str, message: &[u8]) -> String {
    let reply = gateway.client().send(SENDER, &[to.to_owned()], message).expect("an answer");
    assert_eq!(reply.code, 250, "{}", reply.text());
    id_of(&reply)
}

/// Takes a message in, and gives its name and what arrives.
fn through(gateway: &Gateway, sink: &Sink, to: &str, message: &[u8]) -> (String, Vec<u8>) {
    let before = sink.taken().len();
    let id = send(gateway, to, message);
    let taken = sink.wait("the message", |taken| taken.len() > before);
    assert_eq!(taken[before].from, SENDER, "{}", gateway.log());
    (id, taken[before].content.clone())
}

/// What the record says of how a message went.
fn outcome(gateway: &Gateway, id: &str) -> serde_json::Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let output = gateway.command(&["audit", "list", "--event", "delivered", "--json"]);
        let lines: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let found = lines.as_array().expect("lines").iter().find(|line| line["message"] == id);
        if let Some(line) = found {
            return line["detail"].clone();
        }
        assert!(Instant::now() < until, "{id} is not recorded: {lines}\n{}", gateway.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn hash(bytes: &[u8]) -> String {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn footer(pack: &str, rule: &str) -> String {
    let pack = RulePack::embedded(pack).expect("a pack");
    pack.rules.into_iter().find(|own| own.id == rule).and_then(|rule| rule.duty.footer).expect("a footer")
}

/// Letters and digits alone.
fn folded(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The texts of a message as two readings have them.
fn texts(content: &[u8]) -> Vec<String> {
    fn leaves(part: &mailparse::ParsedMail<'_>, out: &mut Vec<String>) {
        if part.subparts.is_empty() {
            out.push(part.get_body().unwrap_or_default());
        }
        part.subparts.iter().for_each(|part| leaves(part, out));
    }
    let mut one = Vec::new();
    leaves(&mailparse::parse_mail(content).expect("a message"), &mut one);
    let parsed = mail_parser::MessageParser::default().parse(content).expect("a message");
    assert_eq!(parsed.parts.iter().filter(|part| !part.is_multipart()).count(), one.len());
    one
}

#[test]
fn each_pack_puts_the_words_of_its_policy_below_what_they_are_for() {
    let personal = footer("woodsetton", "personal-footer");
    let saxon = footer("saxon-wood", "school-disclaimer");
    let droitwich = footer("droitwich", "school-disclaimer");
    for (pack, rows) in [
        (
            "woodsetton",
            &[
                (BROTHER, "Personal: Saturday", Some(&personal)),
                (OFFICE, "Personal: Monday", None),
                (COACHES, "Coach times", None),
            ][..],
        ),
        ("saxon-wood", &[(COACHES, "Coach times", Some(&saxon)), (OFFICE, "Coaches", None)]),
        ("droitwich", &[(COACHES, "Coach times", Some(&droitwich)), (OFFICE, "Coaches", None)]),
        ("wooden-hill", &[(COACHES, "Coach times", None)]),
        ("hermitage-oaktree", &[(COACHES, "Coach times", None)]),
    ] {
        let sink = Sink::start();
        let mut gateway = Gateway::of(&format!("schools/{pack}"), sink.port);
        if *pack == *"woodsetton" {
            // Nothing here hangs on the time of a second look.
            let modes = toml::Table::from_iter([("second-look".to_owned(), toml::Value::from("observe"))]);
            gateway.set("policy", "modes", modes);
        }
        gateway.start(&[]);
        for (to, subject, words) in rows {
            let message = mail(to, subject, "", "Hello,\r\n\r\nshall we say at ten?\r\n");
            let (_, content) = through(&gateway, &sink, to, &message);
            let content = relayed(&content).expect("our line on top");
            match words {
                None => assert_eq!(content, message, "{pack} to {to}"),
                Some(words) => {
                    let below = content.strip_prefix(&message[..]).expect("what was sent, and below it");
                    let below = std::str::from_utf8(below).expect("text");
                    assert_eq!(folded(below), folded(words), "{pack} to {to}");
                }
            }
        }
    }
}

#[test]
fn the_words_stand_in_each_form_of_text_and_the_record_has_both_hashes() {
    let sink = Sink::start();
    let mut gateway = Gateway::of("schools/droitwich", sink.port);
    gateway.start(&[]);
    let words = folded(&footer("droitwich", "school-disclaimer"));
    let plain = |encoding: &str, charset: &str, more: &str| {
        format!("Content-Type: text/plain; charset={charset}{more}\r\nContent-Transfer-Encoding: {encoding}\r\n")
    };
    let alternative = "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\
                       Content-Transfer-Encoding: quoted-printable\r\n\r\n<html><body><p>Hello =C2=A3</p></body></html>\r\n--b--\r\n";
    for (subject, headers, body, count) in [
        ("Coach one", plain("7bit", "us-ascii", ""), "Hello\r\n".to_owned(), 1),
        ("Coach two", plain("quoted-printable", "iso-8859-1", ""), "It costs =A35.\r\n".to_owned(), 1),
        ("Coach three", plain("base64", "utf-8", ""), compose::base64("It costs £5.\r\n".as_bytes()) + "\r\n", 1),
        (
            "Coach four",
            plain("7bit", "us-ascii", "; format=flowed"),
            "It goes \r\non.\r\n-- \r\nElaine\r\n".to_owned(),
            1,
        ),
        ("Coach five", "Content-Type: text/html; charset=us-ascii\r\n".to_owned(), "<p>Hello</p>\r\n".to_owned(), 1),
        ("Coach six", "Content-Type: multipart/alternative; boundary=b\r\n".to_owned(), alternative.to_owned(), 2),
    ] {
        let message = mail(COACHES, subject, &headers, &body);
        let (id, content) = through(&gateway, &sink, COACHES, &message);
        let (before, after) = (texts(&message), texts(&content));
        assert_eq!(before.len(), after.len(), "{subject}");
        let shown = |text: &String| folded(&mail_parser::decoders::html::html_to_text(text));
        assert_eq!(after.iter().filter(|text| shown(text).contains(&words)).count(), count, "{subject}: {after:?}");
        assert!(content.is_ascii(), "{subject}: no more than seven bits");
        let said = outcome(&gateway, &id);
        let line = relayed(&content).map_or(0, |below| content.len() - below.len());
        let taken_in = [&content[..line], &message].concat();
        assert_eq!(said["sha256"], hash(&taken_in), "{subject}: {said}");
        assert_eq!(said["left_sha256"], hash(&content), "{subject}: {said}");
        assert_eq!(said["footer"], "added", "{subject}: {said}");
    }
    // An answer in the same thread has them below already, however deep.
    let quoted: String =
        footer("droitwich", "school-disclaimer").lines().map(|line| format!("> > {line}\r\n")).collect();
    let answer = mail(
        COACHES,
        "Re: Coach six",
        "",
        &format!("Thank you.\r\n\r\nOn Friday Moorline wrote:\r\n> Good.\r\n{quoted}"),
    );
    let (id, content) = through(&gateway, &sink, COACHES, &answer);
    assert_eq!(relayed(&content), Some(&answer[..]));
    let said = outcome(&gateway, &id);
    assert_eq!((said["footer"].as_str(), &said["left_sha256"]), (Some("stands there already"), &said["sha256"]));
    assert!(gateway.command(&["audit", "verify"]).status.success());
}

#[test]
fn what_is_signed_or_an_invitation_arrives_to_the_octet_and_the_record_says_why() {
    let sink = Sink::start();
    let mut gateway = Gateway::of("schools/droitwich", sink.port);
    gateway.start(&[]);
    let signed = "--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\nContent-Type: application/pgp-signature; name=signature.asc\r\n\r\n\
                  -----BEGIN PGP SIGNATURE-----\r\n\r\nwsB=\r\n-----END PGP SIGNATURE-----\r\n--b--\r\n";
    let invitation = "--b\r\nContent-Type: text/plain\r\n\r\nThe meeting\r\n--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n\
                      BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Coaches\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n--b--\r\n";
    for (subject, headers, body, why) in [
        (
            "Signed one",
            "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; micalg=pgp-sha256; boundary=b\r\n",
            signed,
            "not added: the text is signed",
        ),
        (
            "Invited one",
            "Content-Type: multipart/alternative; boundary=b\r\n",
            invitation,
            "not added: it is an invitation",
        ),
    ] {
        let message = mail(COACHES, subject, headers, body);
        let (id, content) = through(&gateway, &sink, COACHES, &message);
        assert_eq!(relayed(&content), Some(&message[..]), "{subject}");
        assert_eq!(outcome(&gateway, &id)["footer"], why, "{subject}");
    }
}

/// Our signature is put on last: it verifies over the words.
#[test]
fn our_signature_stands_over_the_words() {
    let sink = Sink::start();
    let mut gateway = Gateway::of("schools/droitwich", sink.port);
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/dkim/ed25519.pem");
    std::fs::copy(&fixture, gateway.directory().join("dkim.pem")).expect("the key");
    let text = std::fs::read_to_string(&gateway.config).expect("the configuration");
    std::fs::write(&gateway.config, text + "\n[dkim]\nselector = \"gate\"\nkey_file = \"dkim.pem\"\n")
        .expect("written");
    gateway.start(&[]);
    let (id, content) = through(&gateway, &sink, COACHES, &mail(COACHES, "Coach times", "", "Hello\r\n"));
    let pem = std::fs::read(&fixture).expect("the key");
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from_pem_slice(&pem).expect("PEM");
    let key = Ed25519Key::from_pkcs8_maybe_unchecked_der(key.secret_pkcs8_der()).expect("a key");
    let public = compose::base64(&key.public_key());
    let keys = Keys::parse(&format!("gate._domainkey.kestrelmoor.example v=DKIM1; k=ed25519; p={}\n", public.trim()));
    let keys = keys.expect("a record");
    let text = String::from_utf8(content.clone()).expect("text");
    assert!(text.starts_with("DKIM-Signature: ") && text.contains("virus"), "{text}");
    assert!(!is_altered(&content, &keys));
    assert!(is_altered(text.replace("virus", "worm").as_bytes(), &keys), "the words are signed");
    assert_eq!(outcome(&gateway, &id)["left_sha256"], hash(&content));
}

/// What was decided on keeps the words of that day: sent again after a lost connection, a restart and other rules, it has the same octets.
#[test]
fn a_message_keeps_the_words_that_it_was_decided_with() {
    let sink = Sink::start();
    let mut gateway = Gateway::of("schools/wooden-hill", sink.port);
    let pack = gateway.directory().join("own.toml");
    let words = |words: &str| {
        let text = format!(
            "name = \"own\"\nextends = \"wooden-hill\"\n\n[[rule]]\nid = \"own-footer\"\naction = \"deliver\"\nfooter = \"{words}\"\n\
             when = [{{ to = [\"contact\", \"external\"] }}]\n"
        );
        std::fs::write(&pack, text).expect("the pack");
    };
    words("The words of Monday.");
    gateway.set("policy", "pack", pack.to_str().expect("a path"));
    gateway.start(&[]);
    sink.die_after_dot(1);
    let first = mail(COACHES, "Coach times", "", "Hello\r\n");
    send(&gateway, COACHES, &first);
    let taken = sink.wait("the message twice", |taken| taken.len() >= 2);
    assert_eq!(taken[0].content, taken[1].content);
    assert!(taken[0].content.ends_with(b"\r\nThe words of Monday.\r\n"));
    sink.answer_dot(COACHES, "451 4.3.0 later");
    let late = send(&gateway, COACHES, &mail(COACHES, "Coach times again", "", "Hello\r\n"));
    let until = Instant::now() + PATIENCE;
    while !gateway.log().contains("event=\"deferred\"") {
        assert!(Instant::now() < until, "{late} is not put off\n{}", gateway.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    gateway.kill();
    words("The words of Tuesday.");
    gateway.start(&[]);
    sink.answer_dot(COACHES, "250 2.0.0 taken");
    let before = taken.len();
    let taken = sink.wait("the late one", |taken| taken.len() > before);
    assert!(
        taken[before].content.ends_with(b"\r\nThe words of Monday.\r\n"),
        "{}",
        taken[before].content.escape_ascii()
    );
    let (_, content) = through(&gateway, &sink, COACHES, &mail(COACHES, "Coach times anew", "", "Hello\r\n"));
    assert!(content.ends_with(b"\r\nThe words of Tuesday.\r\n"), "{}", content.escape_ascii());
}

/// 500 messages of the two grammars, in the forms that mail programs give them: the same parts in both readings, and the words in the text.
#[test]
fn ordinary_mail_has_the_same_parts_with_the_words() {
    let roster = Roster::of("secondary");
    let pupils: Vec<_> = roster.pupils.iter().map(|p| (p.forename.clone(), p.surname.clone())).collect();
    let mut rng = Seeded::fixed(19);
    let words = [footer("droitwich", "school-disclaimer")];
    for grammar in [Grammar::open(&pupils), Grammar::held_aside(&pupils)] {
        for number in 0..250 {
            let (subject, body) = grammar.message(grammar.mails[number % grammar.mails.len()], &mut rng);
            let form = *rng.pick(&[Form::Text, Form::Html, Form::Docx]);
            let content = Content {
                subject,
                covering: if form == Form::Docx { "See attached.".into() } else { String::new() },
                prose: body.split("\n\n").map(str::to_owned).collect(),
                ..Content::default()
            };
            let raw = message(&content, form, "Office <office@thornmoor.example>", COACHES);
            let footered = with_footers(&raw, &words, &["thornmoor.example".to_owned()]);
            assert_eq!(footered.done, Done::Added, "{}", raw.escape_ascii());
            let (before, after) = (read(&raw), read(&footered.content));
            let shape = |message: &schoolgate::message::Message<'_>| {
                message.parts.iter().map(|part| (part.content_type.clone(), part.names.clone())).collect::<Vec<_>>()
            };
            assert_eq!(shape(&before), shape(&after));
            let with: Vec<bool> = texts(&footered.content)
                .iter()
                .map(|text| folded(&mail_parser::decoders::html::html_to_text(text)).contains(&folded(&words[0])))
                .collect();
            assert_eq!((with.len(), with.contains(&true)), (texts(&raw).len(), true));
        }
    }
}
