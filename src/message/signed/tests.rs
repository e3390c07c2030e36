//! Messages signed by mail-auth, changed in every way, and told by their signatures; nothing that was made to hurt does.

use mail_auth::common::crypto::{Ed25519Key, RsaKey, Sha256, SigningKey};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::Canonicalization::{self, Relaxed, Simple};
use mail_auth::dkim::DkimSigner;
use proptest::prelude::*;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

use super::*;

const MESSAGE: &str = "From: Sue <sue@firm.example>\r\nTo: Jo <jo@school.example>\r\nSubject: The  fee\r\n of May\r\n\
    Date: Mon, 2 Nov 2026 10:00:00 +0000\r\n\r\nThe fee is 10.  \r\n\r\nSue\r\n";
const NAMES: [&str; 4] = ["From", "To", "Subject", "Date"];

fn rsa() -> RsaKey<Sha256> {
    let pem = include_bytes!("../../../fixtures/dkim/rsa2048.pem");
    RsaKey::from_key_der(PrivateKeyDer::from_pem_slice(pem).expect("a key")).expect("RSA")
}

/// RFC 8463 A.1.
fn ed25519() -> Ed25519Key {
    let bytes = |text: &str| base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).expect("base64");
    let seed = bytes("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=");
    let public = bytes("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    Ed25519Key::from_seed_and_public_key(&seed, &public).expect("a key")
}

fn public(key: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key)
}

/// The records of both keys, `tags` in each.
fn keys(tags: &str) -> Keys {
    let rsa = public(&rsa().public_key());
    let ed25519 = public(&ed25519().public_key());
    let text = format!(
        "rsa._domainkey.firm.example v=DKIM1; {tags} k=rsa; p={rsa}\ned._domainkey.firm.example v=DKIM1; {tags} k=ed25519; p={ed25519}\n"
    );
    Keys::parse(&text).expect("sound")
}

fn signed_by(
    key: impl SigningKey,
    selector: &str,
    forms: (Canonicalization, Canonicalization),
    length: bool,
    message: &str,
) -> String {
    let signer = DkimSigner::from_key(key).domain("firm.example").selector(selector).headers(NAMES);
    let signer = signer.header_canonicalization(forms.0).body_canonicalization(forms.1).body_length(length);
    format!("{}{message}", signer.sign(message.as_bytes()).expect("signed").to_header())
}

/// The message signed with each key in each pair of forms.
fn signed(length: bool) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for forms in [(Simple, Simple), (Simple, Relaxed), (Relaxed, Simple), (Relaxed, Relaxed)] {
        all.push((format!("rsa {forms:?}"), signed_by(rsa(), "rsa", forms, length, MESSAGE)));
        all.push((format!("ed25519 {forms:?}"), signed_by(ed25519(), "ed", forms, length, MESSAGE)));
    }
    all
}

fn relaxed() -> String {
    signed_by(rsa(), "rsa", (Relaxed, Relaxed), false, MESSAGE)
}

/// What the one signature of a message tells.
fn one(message: &str, keys: &Keys) -> Option<Told> {
    let all = told(message.as_bytes(), keys);
    assert!(all.len() < 2, "{all:?}");
    all.first().copied()
}

#[test]
fn what_is_as_it_was_signed_verifies_and_each_change_is_found() {
    type Change = fn(&str) -> String;
    let changes: [(&str, Change, Told, Told); 11] = [
        ("nothing", |m| m.to_owned(), Told::Verified, Told::BodyFits),
        ("a header that is not signed", |m| format!("X-Seen: yes\r\n{m}"), Told::Verified, Told::BodyFits),
        ("line ends of a file", |m| m.replace("\r\n", "\n"), Told::Verified, Told::BodyFits),
        ("empty lines at the end", |m| format!("{m}\r\n\r\n"), Told::Verified, Told::BodyFits),
        ("subject", |m| m.replace("  fee", "  bill"), Told::OtherHeaders, Told::BodyFits),
        ("from", |m| m.replace("Sue <sue@", "Sam <sam@"), Told::OtherHeaders, Told::BodyFits),
        ("date", |m| m.replace("2 Nov", "3 Nov"), Told::OtherHeaders, Told::BodyFits),
        ("a second subject", |m| m.replace("\nDate:", "\nSubject: Other\r\nDate:"), Told::OtherHeaders, Told::BodyFits),
        ("a subject less", |m| m.replace("Subject: The  fee\r\n of May\r\n", ""), Told::OtherHeaders, Told::BodyFits),
        ("body", |m| m.replace("is 10", "is 11"), Told::OtherBody, Told::OtherBody),
        ("a footer", |m| format!("{m}-- \r\nA list\r\n"), Told::OtherBody, Told::OtherBody),
    ];
    for (form, message) in signed(false) {
        for (what, change, with_key, without) in &changes {
            let changed = change(&message);
            assert_eq!(one(&changed, &keys("")), Some(*with_key), "{form}, {what}, with its key");
            assert_eq!(one(&changed, &Keys::default()), Some(*without), "{form}, {what}, without");
            let is_other = |told| matches!(told, Told::OtherBody | Told::OtherHeaders);
            assert_eq!(is_altered(changed.as_bytes(), &keys("")), is_other(*with_key), "{form}, {what}");
            assert_eq!(is_altered(changed.as_bytes(), &Keys::default()), is_other(*without), "{form}, {what}");
        }
    }
}

#[test]
fn blanks_matter_to_the_simple_forms_alone() {
    for (form, message) in signed(false) {
        let (headers, body) = form.split_once('(').and_then(|(_, forms)| forms.split_once(", ")).expect("two forms");
        let refolded = message.replace("The  fee\r\n of", "The fee of");
        let expected = if headers == "Relaxed" { Told::Verified } else { Told::OtherHeaders };
        assert_eq!(one(&refolded, &keys("")), Some(expected), "{form}");
        let spaced = message.replace("fee is 10.  ", "fee  is 10.");
        let expected = if body.starts_with("Relaxed") { Told::Verified } else { Told::OtherBody };
        assert_eq!(one(&spaced, &keys("")), Some(expected), "{form}");
    }
}

#[test]
fn below_the_signed_length_anything_may_stand() {
    // mail-auth counts the length before it brings the body into the relaxed form.
    for (form, message) in signed(true).into_iter().filter(|(form, _)| form.ends_with("Simple)")) {
        assert!(message.contains(" l="), "{message}");
        let longer = format!("{message}-- \r\nA footer of a list\r\n");
        assert_eq!(one(&longer, &keys("")), Some(Told::Verified), "{form}");
        assert_eq!(one(&longer.replace("is 10", "is 11"), &keys("")), Some(Told::OtherBody), "{form}");
        assert_eq!(one(&message.replace("\r\nSue\r\n", "\r\n"), &keys("")), Some(Told::OtherBody), "{form}");
    }
}

#[test]
fn expiry_says_nothing_of_what_was_altered() {
    // mail-auth signs for a time to come alone: From and the rest of the field are signed here.
    let signer = DkimSigner::from_key(rsa()).domain("firm.example").selector("rsa").headers(["From"]);
    let mut signature = signer.sign(MESSAGE.as_bytes()).expect("signed");
    (signature.t, signature.x, signature.b) = (1, 2, Vec::new());
    let mut text = b"from:Sue <sue@firm.example>\r\n".to_vec();
    signature.write(&mut text, false);
    signature.b = rsa().sign(&text[..]).expect("signed");
    let message = format!("{}{MESSAGE}", signature.to_header());
    assert!(message.contains(" x=2;"), "{message}");
    assert_eq!(one(&message, &keys("")), Some(Told::Verified));
    assert_eq!(one(&message.replace("Sue <sue@", "Sam <sam@"), &keys("")), Some(Told::OtherHeaders));
    // Nor can the time be changed: it is signed as well.
    let other = message.replacen(" x=2", " x=2222222222", 1);
    assert_eq!(one(&other, &keys("")), Some(Told::OtherHeaders));
}

#[test]
fn what_a_key_says_of_itself_is_kept_to() {
    let (sound, subject) = (relaxed(), relaxed().replace("  fee", "  bill"));
    let body = sound.replace("is 10", "is 11");
    // 768 bits.
    let weak = Keys::parse(
        "rsa._domainkey.firm.example p=MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhAMNz0mZma8Ci/r6H+BoLQS7+gNopghd03bh0pGt5NfQdtfrTRoqgdnQSxAIhLmgaVe1HUfqn7hR9+OIsFTb16KvQ0ZVnXuniL/pS442Ewtn+oxKxQ2Y9zr6ujDIzFa630wIDAQAB",
    );
    let revoked = Keys::parse("rsa._domainkey.firm.example v=DKIM1; p=").expect("sound");
    let rows = [
        ("in force", keys(""), [Some(Told::Verified), Some(Told::OtherHeaders), Some(Told::OtherBody)]),
        ("tested", keys("t=y;"), [Some(Told::Verified), None, None]),
        ("revoked", revoked, [Some(Told::BodyFits), Some(Told::BodyFits), Some(Told::OtherBody)]),
        ("weak", weak.expect("sound"), [Some(Told::BodyFits), Some(Told::BodyFits), Some(Told::OtherBody)]),
        ("for sha1", keys("h=sha1;"), [Some(Told::BodyFits), Some(Told::BodyFits), Some(Told::OtherBody)]),
        ("for other things", keys("s=tlsrpt;"), [Some(Told::BodyFits), Some(Told::BodyFits), Some(Told::OtherBody)]),
        ("strict", keys("t=s;"), [Some(Told::Verified), Some(Told::OtherHeaders), Some(Told::OtherBody)]),
    ];
    for (what, keys, expected) in rows {
        assert_eq!([&sound, &subject, &body].map(|message| one(message, &keys)), expected, "{what}");
    }
}

#[test]
fn whom_a_signature_speaks_for_is_of_its_domain() {
    let of = |auid: &str| {
        let signer = DkimSigner::from_key(rsa()).domain("firm.example").selector("rsa").headers(NAMES);
        let signature = signer.agent_user_identifier(auid).sign(MESSAGE.as_bytes()).expect("signed");
        format!("{}{MESSAGE}", signature.to_header())
    };
    for (auid, plain, strict) in [
        ("@firm.example", Some(Told::Verified), Some(Told::Verified)),
        ("sue@mail.firm.example", Some(Told::Verified), None),
        ("sue@other.example", None, None),
        ("sue@evilfirm.example", None, None),
    ] {
        assert_eq!(one(&of(auid), &keys("")), plain, "{auid}");
        assert_eq!(one(&of(auid), &keys("t=s;")), strict, "{auid}");
    }
}

#[test]
fn what_a_verifier_is_to_ignore_tells_nothing() {
    let other = relaxed().replace("is 10", "is 11");
    assert_eq!(one(&other, &keys("")), Some(Told::OtherBody));
    for (what, from, to) in [
        ("sha1", "rsa-sha256", "rsa-sha1"),
        ("an algorithm of nobody", "rsa-sha256", "rot13"),
        ("another version", "v=1", "v=2"),
        ("no version", "v=1; ", ""),
        ("a form of nobody", "relaxed/relaxed", "relaxed/loose"),
        ("a tag twice", "v=1; ", "v=1; v=1; "),
        ("From not signed", "From", "Form"),
        ("no domain", "d=firm.example", "d="),
        ("a length that is no number", "v=1; ", "v=1; l=-1; "),
        ("a hash that is no base64", "bh=", "bh=\u{fc}"),
    ] {
        let at = other.find("\r\nFrom:").expect("a head");
        let (signature, message) = other.split_at(at);
        let changed = signature.replacen(from, to, 1);
        assert_ne!(changed, signature, "{what}");
        assert_eq!(one(&format!("{changed}{message}"), &keys("")), None, "{what}");
    }
    assert!(!is_altered(MESSAGE.as_bytes(), &keys("")) && !is_altered(b"", &keys("")));
}

#[test]
fn of_several_signatures_one_that_verifies_is_enough() {
    let both = |message: &str| signed_by(ed25519(), "ed", (Relaxed, Simple), false, message);
    let twice = both(&relaxed());
    let rsa_alone =
        Keys::parse(&format!("rsa._domainkey.firm.example p={}", public(&rsa().public_key()))).expect("sound");
    assert_eq!(told(twice.as_bytes(), &keys("")), [Told::Verified, Told::Verified]);
    // A list writes a footer, and signs anew what came of it.
    let list = both(&format!("{}-- \r\nA list\r\n", relaxed()));
    // A list that writes into the subject as well cannot be told from a sender who does, unless its key is named.
    let tagged = both(&relaxed().replace("Subject: The", "Subject: [list] The"));
    let edited = twice.replace("  fee", "  bill");
    for (what, message, with_both, with_one, without) in [
        ("sound", &twice, false, false, false),
        ("a list's footer", &list, false, false, false),
        ("a list's subject", &tagged, false, true, false),
        ("an edited subject", &edited, true, true, false),
        ("an edited body", &twice.replace("is 10", "is 11"), true, true, true),
    ] {
        let altered = [&keys(""), &rsa_alone, &Keys::default()].map(|keys| is_altered(message.as_bytes(), keys));
        assert_eq!(altered, [with_both, with_one, without], "{what}");
    }
}

#[test]
fn numbers_are_bounded() {
    let sound = relaxed();
    let broken = relaxed().replace("is 10", "is 11");
    let (signature, _) = broken.split_at(broken.find("\r\nFrom:").expect("a head") + 2);
    let many = format!("{}{broken}", signature.repeat(limits::DKIM_SIGNATURES * 4));
    assert_eq!(told(many.as_bytes(), &keys("")).len(), limits::DKIM_SIGNATURES);
    let fields = |n: usize| format!("{}{sound}", "X: y\r\n".repeat(n));
    assert_eq!(one(&fields(limits::DKIM_HEADERS / 2), &keys("")), Some(Told::Verified));
    assert_eq!(one(&fields(limits::DKIM_HEADERS), &keys("")), None);
    let huge = format!("X-Huge: {}\r\n{sound}", "x y\r\n ".repeat(200_000));
    assert_eq!(one(&huge, &keys("")), Some(Told::Verified));
    let names = broken.replacen("h=", &format!("h={}", "x:".repeat(limits::DKIM_SIGNED_HEADERS)), 1);
    assert_eq!(one(&names, &keys("")), None);
    // Blanks before a colon: mail-auth would not find the header, so nothing is said of headers.
    assert_eq!(one(&sound.replace("\r\nTo:", "\r\nTo :"), &keys("")), Some(Told::BodyFits));
}

proptest! {
    /// Whatever stands in a signature: no panic, and what verifies is what was signed.
    #[test]
    fn mutated_signatures_hurt_nobody(
        cuts in prop::collection::vec((0usize..700, 0usize..6, prop::collection::vec(any::<u8>(), 0..6)), 1..6)
    ) {
        let keys = keys("");
        let sound = relaxed().into_bytes();
        let mut changed = sound.clone();
        for (at, length, bytes) in cuts {
            let at = at.min(changed.len());
            let end = (at + length).min(changed.len());
            changed.splice(at..end, bytes);
        }
        told(&changed, &keys);
        told(&changed, &Keys::default());
        let text = String::from_utf8_lossy(&changed);
        if !text.contains("The fee is 10.") {
            prop_assert!(!told(&changed, &keys).contains(&Told::Verified), "{text}");
        }
    }

    /// Lines of any kind in a file of keys: refused or taken, no panic.
    #[test]
    fn any_file_of_keys_is_read(text in "(([a-z._\"\\\\]{0,12}( |\t)){0,3}(IN|TXT|CNAME|v=DKIM1|p=[A-Za-z0-9+/=]{0,40}|k=ed25519|;|\"|\\PC){0,8}\n){0,6}") {
        if let Ok(keys) = Keys::parse(&text) {
            told(relaxed().as_bytes(), &keys);
        }
    }
}
