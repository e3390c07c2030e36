//! Rows 95 and 96: tokens from a server on the loopback, and a smarthost that takes one of them and no other.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use form_urlencoded::parse;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::sink::Script;
use super::tests::{Gateway, PLAIN, Setting, certificate, mail};
use super::*;
use crate::config::{OAuthConfig, SignInConfig, SignInProof, SmarthostTls};
use crate::store::{Clock, State};

/// What the server answers, by the number of the request, from 1.
type Answers = Arc<dyn Fn(usize) -> (u16, String) + Send + Sync>;

type Form = Vec<(String, String)>;

/// Gives tokens by script; notes what it was sent.
struct Server {
    port: u16,
    forms: Arc<Mutex<Vec<Form>>>,
    answers: Arc<Mutex<Answers>>,
}

impl Server {
    /// Each answer comes after this time.
    async fn start(after: Duration, answers: impl Fn(usize) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, forms: Arc::default(), answers: Arc::new(Mutex::new(Arc::new(answers) as Answers)) };
        let (forms, answers) = (Arc::clone(&server.forms), Arc::clone(&server.answers));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (forms, answers) = (Arc::clone(&forms), Arc::clone(&answers));
                tokio::spawn(async move {
                    let mut read = Vec::new();
                    let body = loop {
                        let mut bytes = [0; 4_096];
                        let count = stream.read(&mut bytes).await.unwrap();
                        read.extend_from_slice(&bytes[..count]);
                        let text = String::from_utf8(read.clone()).unwrap();
                        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                        let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap();
                        if body.len() == length.parse::<usize>().unwrap() {
                            break body.to_owned();
                        }
                    };
                    let number = {
                        let mut forms = forms.lock().unwrap();
                        forms.push(parse(body.as_bytes()).into_owned().collect());
                        forms.len()
                    };
                    tokio::time::sleep(after).await;
                    let answer = Arc::clone(&*answers.lock().unwrap());
                    let (status, body) = answer(number);
                    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
                    // Whoever has heard enough goes away.
                    let _ = stream.write_all([head, body].concat().as_bytes()).await;
                });
            }
        });
        server
    }

    fn then(&self, answers: impl Fn(usize) -> (u16, String) + Send + Sync + 'static) {
        *self.answers.lock().unwrap() = Arc::new(answers);
    }

    fn asked(&self) -> usize {
        self.forms.lock().unwrap().len()
    }

    fn last(&self, field: &str) -> Option<String> {
        let forms = self.forms.lock().unwrap();
        forms.last()?.iter().find(|(name, _)| name == field).map(|(_, value)| value.clone())
    }
}

fn granted(number: usize, seconds: &str, more: &str) -> (u16, String) {
    (200, format!("{{\"access_token\":\"token-{number}\",\"token_type\":\"bearer\",\"expires_in\":{seconds}{more}}}"))
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("secret", "sesame & + =%\n");
        place
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn config(&self, server: &Server, refresh: bool) -> OAuthConfig {
        OAuthConfig {
            token_url: format!("http://127.0.0.1:{}/tenant/token", server.port),
            client_id: "gate".to_owned(),
            client_secret_file: Some(self.0.path().join("secret")),
            scope: Some("https://outlook.office365.com/.default".to_owned()),
            refresh_token_file: refresh.then(|| self.0.path().join("refresh")),
        }
    }

    fn source(&self, server: &Server, refresh: bool) -> (Source, Clock) {
        let clock = Clock::manual("2026-03-02T08:00:00Z".parse().unwrap());
        (Source::new("smtp.example".to_owned(), self.config(server, refresh), clock.clone()).unwrap(), clock)
    }
}

/// The token, or why there is none.
async fn had(source: &Source) -> Result<String, String> {
    source.token().await.map(|token| token.secret.to_string())
}

#[tokio::test]
async fn a_token_is_kept_and_renewed_before_its_end() {
    let place = Place::new();
    let server = Server::start(Duration::ZERO, |number| granted(number, "3600", "")).await;
    let (source, clock) = place.source(&server, false);
    // Minutes that go by, the token then, and how often it was asked for.
    for (minutes, token, asked) in [(0, 1, 1), (54, 1, 1), (1, 2, 2), (54, 2, 2), (600, 3, 3)] {
        clock.advance(Duration::from_secs(minutes * 60));
        assert_eq!(had(&source).await, Ok(format!("token-{token}")), "{minutes}");
        assert_eq!(server.asked(), asked, "{minutes}");
    }
    for (field, value) in [
        ("grant_type", "client_credentials"),
        ("client_id", "gate"),
        ("client_secret", "sesame & + =%"),
        ("scope", "https://outlook.office365.com/.default"),
    ] {
        assert_eq!(server.last(field).as_deref(), Some(value));
    }
    assert_eq!(server.last("refresh_token"), None);
    assert_eq!(source.until().await, Ok(clock.now() + Duration::from_secs(3_600)));
    // Of text as of numbers, of none and of little time.
    for (seconds, minutes) in [("\"600\"", 10), ("null", 60), ("0", 0), ("-5", 0), ("999999999", 24 * 60)] {
        server.then(move |number| granted(number, seconds, ""));
        let (source, clock) = place.source(&server, false);
        assert_eq!(source.until().await, Ok(clock.now() + Duration::from_secs(minutes * 60)), "{seconds}");
    }
}

#[tokio::test]
async fn while_renewing_fails_the_old_one_is_used_and_the_server_is_not_pressed() {
    let place = Place::new();
    let server = Server::start(Duration::ZERO, |number| granted(number, "3600", "")).await;
    let (source, clock) = place.source(&server, false);
    assert_eq!(had(&source).await.unwrap(), "token-1");
    server.then(|_| (503, String::new()));
    clock.advance(Duration::from_secs(56 * 60));
    // Seconds that go by, whether there is a token, and how often it was asked for.
    let steps = [
        (0, true, 2),
        (4, true, 2),
        (1, true, 3),
        (9, true, 3),
        (1, true, 4),
        (300, false, 5),
        (39, false, 5),
        (1, false, 6),
    ];
    for (seconds, token, asked) in steps {
        clock.advance(Duration::from_secs(seconds));
        let now = had(&source).await;
        assert_eq!(now.is_ok(), token, "{asked}: {now:?}");
        assert!(token || now == Err("the token server answers with status 503".to_owned()), "{now:?}");
        assert_eq!(server.asked(), asked, "{seconds} s");
    }
    // A secret that was put right is tried at once.
    server.then(|number| granted(number, "3600", ""));
    place.write("secret", "another\n");
    assert_eq!(had(&source).await.unwrap(), "token-7");
    assert_eq!(server.last("client_secret").as_deref(), Some("another"));
    // The longest pause is bounded, however long it fails.
    server.then(|_| (503, String::new()));
    source.refused(u64::MAX - 1);
    for _ in 0..80 {
        assert!(had(&source).await.is_err());
        let asked = server.asked();
        clock.advance(Duration::from_secs(limits::TOKEN_AGAIN_MOST_SECONDS as u64));
        assert!(had(&source).await.is_err());
        assert_eq!(server.asked(), asked + 1);
    }
}

#[tokio::test]
async fn what_a_server_answers_is_told_by_its_code_alone() {
    let place = Place::new();
    let server = Server::start(Duration::ZERO, |_| (500, String::new())).await;
    let refused =
        |code: &str| format!("{{\"error\":\"{code}\",\"error_description\":\"AADSTS sesame gate@s.example\"}}");
    let token = |token: &str| format!("{{\"access_token\":\"{token}\",\"token_type\":\"Bearer\"}}");
    for (status, body, wanted) in [
        (400, refused("invalid_client"), "the token server refuses us: invalid_client"),
        (401, refused("invalid_grant"), "the token server refuses us: invalid_grant"),
        (400, refused("sesame & <script>"), "the token server refuses us: for another reason"),
        (400, refused(&"a".repeat(500)), "the token server refuses us: for another reason"),
        (400, refused(""), "the token server refuses us: for another reason"),
        (500, "sesame".to_owned(), "the token server answers with status 500"),
        (302, "sesame".to_owned(), "the token server answers with status 302"),
        (200, "sesame".to_owned(), "the token server's answer cannot be used: it is of another form"),
        (200, refused("invalid_client"), "the token server's answer cannot be used: it is of another form"),
        (200, "[]".to_owned(), "the token server's answer cannot be used: it is of another form"),
        (200, token(""), "the token server's answer cannot be used: its token is of another form"),
        (200, token("se same"), "the token server's answer cannot be used: its token is of another form"),
        (200, token("sesame\\u0001auth"), "the token server's answer cannot be used: its token is of another form"),
        (200, token("s\\r\\nQUIT"), "the token server's answer cannot be used: its token is of another form"),
        (200, token(&"s".repeat(9_000)), "the token server's answer cannot be used: its token is of another form"),
        (
            200,
            token("sesame").replace("Bearer", "mac"),
            "the token server's answer cannot be used: its token is of another type",
        ),
        (200, granted(1, "\"soon\"", "").1, "the token server's answer cannot be used: its token's time is no number"),
        (
            200,
            "x".repeat(300_000),
            "the token server cannot be asked: 127.0.0.1: its answer is broken off, or too long",
        ),
    ] {
        let shown = body.chars().take(80).collect::<String>();
        server.then(move |_| (status, body.clone()));
        let (source, _) = place.source(&server, false);
        let said = had(&source).await.unwrap_err();
        assert_eq!(said, wanted, "{shown}");
    }
    let (source, _) =
        place.source(&Server { port: 1, forms: Arc::default(), answers: Arc::clone(&server.answers) }, false);
    let said = had(&source).await.unwrap_err();
    assert!(said.starts_with("the token server cannot be asked: 127.0.0.1: "), "{said}");
    for text in ["", "\n", "sesame\nsesame\n"] {
        place.write("secret", text);
        let (source, _) = place.source(&server, false);
        let said = had(&source).await.unwrap_err();
        assert!(said.contains("does not hold one line with the client secret") && !said.contains("sesame"), "{said}");
    }
}

#[tokio::test]
async fn one_fetch_serves_all_who_wait_and_goes_on_without_them() {
    let place = Place::new();
    let server = Server::start(Duration::from_millis(200), |number| granted(number, "3600", "")).await;
    let (source, _) = place.source(&server, false);
    let source = Arc::new(source);
    let all = |source: &Arc<Source>| {
        (0..20)
            .map(|_| Arc::clone(source))
            .map(|source| tokio::spawn(async move { had(&source).await }))
            .collect::<Vec<_>>()
    };
    let waiting = all(&source);
    tokio::time::sleep(Duration::from_millis(50)).await;
    waiting.iter().take(10).for_each(tokio::task::JoinHandle::abort);
    for one in waiting.into_iter().skip(10) {
        assert_eq!(one.await.unwrap().unwrap(), "token-1");
    }
    assert_eq!(server.asked(), 1);
    // Several connections were refused with the same token: it is fetched once more, not once for each.
    for _ in 0..5 {
        source.refused(1);
        assert_eq!(had(&source).await.unwrap(), "token-2");
    }
    assert_eq!(server.asked(), 2);
    // All who wait go away: what comes is kept.
    source.refused(2);
    assert!(tokio::time::timeout(Duration::from_millis(20), had(&source)).await.is_err());
    assert_eq!(had(&source).await.unwrap(), "token-3");
    assert_eq!(server.asked(), 3);
}

#[tokio::test]
async fn a_newer_refresh_token_takes_the_place_of_the_old_one() {
    let place = Place::new();
    let file = place.write("refresh", "r-0\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let more = |number: usize| granted(number, "60", &format!(",\"refresh_token\":\"r-{number}\""));
    let server = Server::start(Duration::from_millis(20), more).await;
    let (source, clock) = place.source(&server, true);
    for number in 1..4 {
        assert_eq!(had(&source).await.unwrap(), format!("token-{number}"));
        assert_eq!(server.last("refresh_token"), Some(format!("r-{}", number - 1)));
        assert_eq!(server.last("grant_type").as_deref(), Some("refresh_token"));
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("r-{number}\n"));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        clock.advance(Duration::from_secs(60));
    }
    assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 2, "nothing is left beside it");
    // Two at once, as two hosts or two processes: none uses a token that the other has used up.
    let (other, _) = place.source(&server, true);
    let (one, two) = tokio::join!(had(&source), had(&other));
    assert!(one.is_ok() && two.is_ok());
    let used: Vec<_> =
        server.forms.lock().unwrap().iter().flatten().filter(|f| f.0 == "refresh_token").cloned().collect();
    assert_eq!(used.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>(), ["r-0", "r-1", "r-2", "r-3", "r-4"]);
    // A link stays a link.
    let (source, clock) = place.source(&server, true);
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("d");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("r"), "r-5\n").unwrap();
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(target.join("r"), &file).unwrap();
    assert!(had(&source).await.is_ok());
    assert_eq!(fs::read_to_string(target.join("r")).unwrap(), "r-6\n", "where the link leads");
    assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
    clock.advance(Duration::from_secs(60));
    server.then(|_| (400, "{\"error\":\"invalid_grant\"}".to_owned()));
    assert!(had(&source).await.unwrap_err().contains("invalid_grant"));
    // A person has signed in anew.
    server.then(more);
    place.write("refresh", "anew\n");
    assert!(had(&source).await.is_ok());
    assert_eq!(server.last("refresh_token").as_deref(), Some("anew"));
}

// Relay checklist, row 95.
#[tokio::test]
async fn mail_leaves_with_a_fetched_token_and_a_refused_one_is_fetched_once_more() {
    let place = Place::new();
    let (tls, pem) = certificate("localhost");
    let ca = place.write("ca.pem", &pem);
    // The token that the smarthost takes, whether mail leaves, and how often one was fetched.
    for (good, leaves, fetched) in [("token-1", true, 1), ("token-2", true, 2), ("token-9", false, 2)] {
        let server = Server::start(Duration::ZERO, |number| granted(number, "3600", "")).await;
        let script = Script {
            offers: vec!["STARTTLS", "AUTH XOAUTH2 PLAIN"],
            tls: Some(Arc::clone(&tls)),
            proofs: Some(Arc::new(Mutex::new(vec![format!("user=gate@s.example\x01auth=Bearer {good}\x01\x01")]))),
            ..Script::default()
        };
        let proof = SignInProof::OAuth(place.config(&server, false));
        let setting = Setting {
            tls: SmarthostTls::Required,
            ca_file: Some(ca.clone()),
            sign_in: Some(SignInConfig { user: "gate@s.example".to_owned(), proof }),
            ..Setting::default()
        };
        let gateway = Gateway::start(script, setting).await;
        for id in ["A", "B"] {
            gateway.store.commit(vec![mail(id, &["bob@b.example"], PLAIN)]).await.unwrap();
            if leaves || id == "A" {
                let shown = gateway.tried(id).await;
                let wanted = if leaves { State::Delivered } else { State::Queued };
                assert_eq!(shown.summary.state, wanted, "{good}");
                let said = shown.recipients[0].reply.clone().unwrap_or_default();
                assert!(!said.contains("token-") && !said.contains("sesame"), "{said}");
            }
        }
        assert_eq!(server.asked(), fetched, "{good}");
        gateway.stop().await;
    }
}

// Relay checklist, row 96.
#[tokio::test]
async fn without_a_token_all_mail_waits_and_leaves_once_there_is_one() {
    let place = Place::new();
    let (tls, pem) = certificate("localhost");
    let server = Server::start(Duration::ZERO, |_| (400, "{\"error\":\"invalid_client\"}".to_owned())).await;
    let script = Script {
        offers: vec!["STARTTLS", "AUTH XOAUTH2"],
        tls: Some(tls),
        proofs: Some(Arc::new(Mutex::new(vec!["user=gate@s.example\x01auth=Bearer token-1\x01\x01".to_owned()]))),
        ..Script::default()
    };
    let proof = SignInProof::OAuth(place.config(&server, false));
    let setting = Setting {
        tls: SmarthostTls::Required,
        ca_file: Some(place.write("ca.pem", &pem)),
        sign_in: Some(SignInConfig { user: "gate@s.example".to_owned(), proof }),
        retry: Duration::from_millis(200),
        ..Setting::default()
    };
    let gateway = Gateway::start(script, setting).await;
    for number in 0..5 {
        gateway.store.commit(vec![mail(&format!("M{number}"), &["bob@b.example"], PLAIN)]).await.unwrap();
    }
    let said = gateway.tried("M0").await.recipients[0].reply.clone().unwrap();
    assert!(said.contains("the token server refuses us: invalid_client"), "{said}");
    for number in 0..5 {
        assert_eq!(gateway.state(&format!("M{number}")).await, State::Queued, "nothing bounces");
    }
    assert!(!gateway.log.commands().iter().any(|command| command.starts_with("MAIL")));
    server.then(|_| granted(1, "3600", ""));
    place.write("secret", "the right one\n");
    gateway.until("all leave", |log| log.taken().len() == 5).await;
    gateway.stop().await;
}
