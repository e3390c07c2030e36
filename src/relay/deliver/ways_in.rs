//! Rows 92, 95 and 96: TLS of every kind and signing in, against a smarthost that speaks both; what fails makes all mail
//! wait, and is told without anything secret.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::server::WebPkiClientVerifier;
use zeroize::Zeroizing;

use super::sink::Script;
use super::tests::{Gateway, PLAIN, Setting, certificate, certificate_as, mail};
use super::*;
use crate::config::QueueConfig;
use crate::config::SmarthostConfig;
use crate::config::{HostConfig, OAuthConfig, SignInConfig, SignInProof, SmarthostTls, TlsFiles};
use crate::store::State;

/// Sends one message; gives whether it arrived under TLS, what is said of its recipient, and the commands that were told.
async fn one(script: Script, setting: Setting) -> (Option<bool>, String, Vec<String>) {
    let gateway = Gateway::start(script, setting).await;
    gateway.store.commit(vec![mail("M", &["bob@b.example"], PLAIN)]).await.unwrap();
    let shown = gateway.tried("M").await;
    let taken = gateway.log.taken().first().map(|taken| taken.tls);
    let wanted = if taken.is_some() { State::Delivered } else { State::Queued };
    assert_eq!(shown.summary.state, wanted, "nothing bounces");
    let commands = gateway.log.commands();
    gateway.stop().await;
    (taken, shown.recipients[0].reply.clone().unwrap_or_default(), commands)
}

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

/// Relay checklist, row 92.
#[tokio::test]
async fn tls_of_every_kind_or_no_mail() {
    let files = Files::new();
    let ((good, pem), (other, other_pem)) = (certificate("localhost"), certificate("elsewhere.example"));
    let (late, late_pem) = certificate_as("localhost", |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let ca = files.write("ca.pem", &[pem, other_pem, late_pem].concat());
    use SmarthostTls::{Encrypted, Implicit, Required};
    for (name, tls, server, starttls, implicit, wanted) in [
        ("encrypted", Encrypted, Some(&good), true, false, Some(true)),
        ("encrypted, another name", Encrypted, Some(&other), true, false, Some(true)),
        ("encrypted, stripped", Encrypted, Some(&good), false, false, None),
        ("required", Required, Some(&good), true, false, Some(true)),
        ("required, another name", Required, Some(&other), true, false, None),
        ("required, expired", Required, Some(&late), true, false, None),
        ("required, stripped", Required, Some(&good), false, false, None),
        ("implicit", Implicit, Some(&good), false, true, Some(true)),
        ("implicit, another name", Implicit, Some(&other), false, true, None),
        ("implicit, expired", Implicit, Some(&late), false, true, None),
        ("implicit, in clear", Implicit, None, true, false, None),
    ] {
        let offers = if starttls { vec!["STARTTLS"] } else { vec![] };
        let script = Script { offers, tls: server.cloned(), implicit, ..Script::default() };
        let (taken, said, commands) =
            one(script, Setting { tls, ca_file: Some(ca.clone()), ..Setting::default() }).await;
        assert_eq!(taken, wanted, "{name}: {said}");
        assert!(wanted.is_some() || said.contains("TLS"), "{name}: {said}");
        assert!(wanted.is_some() || !commands.iter().any(|c| c.starts_with("MAIL")), "{name}");
    }
}

fn account(proof: SignInProof) -> Option<SignInConfig> {
    Some(SignInConfig { user: "gate@s.example".to_owned(), proof })
}

#[tokio::test]
async fn a_password_opens_the_door_or_all_mail_waits() {
    let files = Files::new();
    let (tls, pem) = certificate("localhost");
    let ca = files.write("ca.pem", &pem);
    let good = "correct horse";
    let missing = files.0.path().join("missing");
    // The file, what is offered, and: what is told of it where mail waits, and how often AUTH was said.
    for (file, offers, said, times) in [
        (files.write("good", "correct horse\n"), "AUTH PLAIN LOGIN", "", 1),
        (files.write("crlf", "correct horse\r\n"), "AUTH LOGIN", "", 1),
        (files.write("bare", good), "AUTH=PLAIN", "", 1),
        (files.write("wrong", "wrong battery\n"), "AUTH PLAIN", "it does not let us sign in: 535 5.7.8 wrong", 1),
        (files.write("wrong", "wrong battery\n"), "AUTH LOGIN", "it does not let us sign in: 535 5.7.8 wrong", 1),
        (files.write("good", good), "SIZE 0", "it does not offer AUTH PLAIN or LOGIN", 0),
        (files.write("good", good), "AUTH GSSAPI NTLM XOAUTH2", "it does not offer AUTH PLAIN or LOGIN", 0),
        (files.write("empty", "\n"), "AUTH PLAIN", "does not hold one line", 0),
        (files.write("two", "correct horse\nbattery\n"), "AUTH PLAIN", "does not hold one line", 0),
        (missing, "AUTH PLAIN", "cannot be read", 0),
    ] {
        for implicit in [true, false] {
            let script = Script {
                offers: vec!["STARTTLS", offers],
                tls: Some(Arc::clone(&tls)),
                implicit,
                proofs: Some(Arc::new(Mutex::new(vec![format!("\0gate@s.example\0{good}")]))),
                ..Script::default()
            };
            let setting = Setting {
                tls: if implicit { SmarthostTls::Implicit } else { SmarthostTls::Required },
                ca_file: Some(ca.clone()),
                sign_in: account(SignInProof::Password(file.clone())),
                ..Setting::default()
            };
            let name = format!("{} {offers}", file.display());
            let (taken, told, commands) = one(script, setting).await;
            assert_eq!(taken, said.is_empty().then_some(true), "{name}: {told}");
            assert!(told.contains(said), "{name}: {told}");
            assert!(!["battery", "horse"].iter().any(|word| told.contains(word)), "{name}: {told}");
            assert_eq!(commands.iter().filter(|c| c.starts_with("AUTH")).count(), times, "{name}");
        }
    }
}

/// Gives tokens in turn, and counts what it is told.
#[derive(Default)]
struct InTurn {
    refused: AtomicUsize,
    fetched: AtomicUsize,
}

impl Tokens for InTurn {
    fn token(&self) -> Fetching<'_> {
        self.fetched.fetch_add(1, Ordering::Relaxed);
        let number = self.refused.load(Ordering::Relaxed);
        Box::pin(
            async move { Ok(Token { secret: Zeroizing::new(format!("token-{number}")), number: number as u64 + 1 }) },
        )
    }

    fn refused(&self, number: u64) {
        assert_eq!(number, self.refused.fetch_add(1, Ordering::Relaxed) as u64 + 1, "the one that was shown");
    }
}

#[tokio::test]
async fn a_token_that_has_run_out_is_fetched_once_more() {
    let files = Files::new();
    let (tls, pem) = certificate("localhost");
    let ca = files.write("ca.pem", &pem);
    let oauth = || {
        account(SignInProof::OAuth(OAuthConfig {
            token_url: "https://login.example/t".to_owned(),
            client_id: "c".to_owned(),
            client_secret_file: None,
            scope: None,
            refresh_token_file: None,
        }))
    };
    for (good, arrives, fetched) in [("token-0", true, 1), ("token-1", true, 2), ("token-9", false, 2)] {
        let proof = format!("user=gate@s.example\x01auth=Bearer {good}\x01\x01");
        let script = Script {
            offers: vec!["STARTTLS", "AUTH XOAUTH2 PLAIN"],
            tls: Some(Arc::clone(&tls)),
            proofs: Some(Arc::new(Mutex::new(vec![proof]))),
            ..Script::default()
        };
        let tokens = Arc::new(InTurn::default());
        let setting = Setting {
            tls: SmarthostTls::Required,
            ca_file: Some(ca.clone()),
            sign_in: oauth(),
            tokens: Some(Arc::clone(&tokens) as Arc<dyn Tokens>),
            ..Setting::default()
        };
        let (taken, told, _) = one(script, setting).await;
        assert_eq!(taken.is_some(), arrives, "{good}: {told}");
        assert_eq!(tokens.fetched.load(Ordering::Relaxed), fetched, "{good}");
        assert!(!told.contains("token-"), "{told}");
    }
}

#[tokio::test]
async fn failing_to_sign_in_is_told_once_and_probed_by_one_message() {
    let files = Files::new();
    let (tls, pem) = certificate("localhost");
    let script = Script {
        offers: vec!["STARTTLS", "AUTH PLAIN"],
        tls: Some(tls),
        proofs: Some(Arc::default()),
        ..Script::default()
    };
    let proofs = script.proofs.clone().unwrap();
    let setting = Setting {
        tls: SmarthostTls::Required,
        ca_file: Some(files.write("ca.pem", &pem)),
        sign_in: account(SignInProof::Password(files.write("p", "old\n"))),
        retry: Duration::from_millis(300),
        ..Setting::default()
    };
    let gateway = Gateway::start(script, setting).await;
    for number in 0..10 {
        gateway.store.commit(vec![mail(&format!("M{number}"), &["bob@b.example"], PLAIN)]).await.unwrap();
    }
    gateway.tried("M0").await;
    for number in 0..10 {
        assert_eq!(gateway.state(&format!("M{number}")).await, State::Queued);
    }
    // The password is put right in its file, without a word to the gateway.
    *proofs.lock().unwrap() = vec!["\0gate@s.example\0new".to_owned()];
    files.write("p", "new\n");
    gateway.until("all of them leave", |log| log.taken().len() == 10).await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_smarthost_that_wants_a_certificate_is_shown_the_one_that_lies_there_now() {
    let files = Files::new();
    let server = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let ours = [(); 2].map(|()| rcgen::generate_simple_self_signed(["gate.s.example".to_owned()]).unwrap());
    let ca = files.write("ca.pem", &server.cert.pem());
    // It knows the second one of ours alone.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut known = rustls::RootCertStore::empty();
    known.add(ours[1].cert.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(known), Arc::clone(&provider)).build().unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(server.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![server.cert.der().clone()], key)
        .unwrap();
    let script = Script { offers: vec!["STARTTLS"], tls: Some(Arc::new(config)), ..Script::default() };
    let put = |number: usize| TlsFiles {
        certificate: files.write("c.pem", &ours[number].cert.pem()),
        key: files.write("k.pem", &ours[number].signing_key.serialize_pem()),
    };
    for tls in [SmarthostTls::Required, SmarthostTls::Encrypted] {
        let setting = |certificate| Setting {
            tls,
            ca_file: Some(ca.clone()),
            certificate,
            retry: Duration::from_millis(200),
            ..Setting::default()
        };
        let (taken, said, _) = one(script.clone(), setting(None)).await;
        assert!(taken.is_none() && said.contains("TLS"), "{said}");
        let gateway = Gateway::start(script.clone(), setting(Some(put(0)))).await;
        gateway.store.commit(vec![mail("M", &["bob@b.example"], PLAIN)]).await.unwrap();
        assert_eq!(gateway.tried("M").await.summary.state, State::Queued, "another certificate");
        put(1);
        gateway.until("the renewed one is shown", |log| log.taken().len() == 1).await;
        gateway.stop().await;
    }
    // What cannot be used is told with its key.
    let (whole, queue) = (
        put(1),
        QueueConfig {
            retry: vec![Duration::from_secs(1)],
            give_up: Duration::from_secs(9),
            delay_notice: Duration::from_secs(9),
        },
    );
    let none = files.0.path().join("none.pem");
    let stranger = files.write("stranger.pem", &ours[0].signing_key.serialize_pem());
    for (certificate, key, wanted) in [
        (&none, &whole.key, "smarthost.tls_certificate"),
        (&whole.key, &whole.key, "smarthost.tls_certificate"),
        (&whole.certificate, &none, "smarthost.tls_key"),
        (&whole.certificate, &whole.certificate, "smarthost.tls_key"),
        (&whole.certificate, &stranger, "smarthost.tls_key"),
    ] {
        let files = TlsFiles { certificate: certificate.clone(), key: key.clone() };
        let host = HostConfig { certificate: Some(files), ..HostConfig::new("localhost", 25, SmarthostTls::Required) };
        let error = Route::new(SmarthostConfig::only(host, 1), queue.clone()).err().unwrap();
        assert_eq!(error.key(), wanted, "{error}");
        assert!(!error.to_string().contains("BEGIN PRIVATE"), "{error}");
    }
}
