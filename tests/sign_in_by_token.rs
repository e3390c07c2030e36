//! Signing in at the smarthost with a token, as the technician sees it: a token server that refuses, gives, lets tokens run out and falls
//! over; and what `doctor`, metrics and log say of it. Each trouble is told once, and its end once.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use support::{Case, Gateway, PATIENCE, cases};

const SECRET: &str = "s3same-of-the-gate";

/// What the token server answers, and the token that is good at the smarthost.
#[derive(Default)]
struct Provider {
    /// Status and body; without one it gives a token that is good for so many seconds.
    refuses: Option<(u16, &'static str)>,
    seconds: u64,
    /// Of the last token given, from 1.
    given: usize,
    asked: usize,
    /// The first that is still good.
    good_from: usize,
    /// With which token each message came.
    taken: Vec<usize>,
}

type Shared = Arc<Mutex<Provider>>;

fn token(number: usize) -> String {
    format!("t0ken-{number}-of-the-provider")
}

/// A token server (RFC 6749 4.4); gives its address.
fn token_server(provider: &Shared) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let provider = Arc::clone(provider);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let provider = Arc::clone(&provider);
            std::thread::spawn(move || drop(answer(stream, &provider)));
        }
    });
    format!("http://{address}/token")
}

fn answer(mut stream: TcpStream, provider: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut form = vec![0; length];
    reader.read_exact(&mut form)?;
    let form = String::from_utf8(form).expect("a form");
    assert!(
        form.contains("grant_type=client_credentials") && form.contains(&format!("client_secret={SECRET}")),
        "{form}"
    );
    let (status, body) = {
        let mut provider = provider.lock().expect("the provider");
        provider.asked += 1;
        match provider.refuses {
            Some((status, body)) => (status, body.to_owned()),
            None => {
                provider.given += 1;
                let (token, seconds) = (token(provider.given), provider.seconds);
                (200, format!(r#"{{"token_type":"Bearer","access_token":"{token}","expires_in":{seconds}}}"#))
            }
        }
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close"
    );
    write!(stream, "{head}\r\n\r\n{body}")
}

/// A smarthost with TLS that takes one message a connection, from whoever shows a token that is good; gives its port and its certificate.
fn smarthost(provider: &Shared) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("its key");
    let server = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("the certificate fits");
    let (server, provider) = (Arc::new(server), Arc::clone(provider));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (server, provider) = (Arc::clone(&server), Arc::clone(&provider));
            std::thread::spawn(move || drop(serve(stream, server, &provider)));
        }
    });
    (port, made.cert.pem())
}

fn serve(stream: TcpStream, server: Arc<rustls::ServerConfig>, provider: &Shared) -> std::io::Result<()> {
    let connection = rustls::ServerConnection::new(server).map_err(std::io::Error::other)?;
    let mut stream = BufReader::new(rustls::StreamOwned::new(connection, stream));
    let say = |stream: &mut BufReader<rustls::StreamOwned<_, TcpStream>>, text: &str| {
        stream.get_mut().write_all(format!("{text}\r\n").as_bytes())?;
        stream.get_mut().flush()
    };
    say(&mut stream, "220 smarthost")?;
    let mut with = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        match line.split(' ').next().unwrap_or_default() {
            "EHLO" => say(&mut stream, "250-smarthost\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH XOAUTH2")?,
            "AUTH" => {
                let shown = line.rsplit(' ').next().unwrap_or_default();
                let shown = base64::engine::general_purpose::STANDARD.decode(shown).expect("base64");
                let shown = String::from_utf8(shown).expect("text");
                with = {
                    let provider = provider.lock().expect("the provider");
                    let mut good = provider.good_from..=provider.given;
                    let is = |number: usize| {
                        shown == format!("user=gate@saltmere.example\u{1}auth=Bearer {}\u{1}\u{1}", token(number))
                    };
                    good.find(|number| is(*number)).unwrap_or_default()
                };
                if with > 0 {
                    say(&mut stream, "235 2.7.0 in")?;
                } else {
                    say(&mut stream, "334 eyJzdGF0dXMiOiI0MDEifQ==")?;
                    stream.read_line(&mut String::new())?;
                    say(&mut stream, "535 5.7.3 not with that")?;
                }
            }
            "MAIL" if with == 0 => say(&mut stream, "530 5.7.57 not signed in")?,
            "DATA" => {
                say(&mut stream, "354 go on")?;
                let mut line = Vec::new();
                while line != b".\r\n" {
                    line.clear();
                    if stream.read_until(b'\n', &mut line)? == 0 {
                        return Ok(());
                    }
                }
                provider.lock().expect("the provider").taken.push(with);
                return say(&mut stream, "250 2.0.0 taken");
            }
            "QUIT" => return say(&mut stream, "221 bye"),
            _ => say(&mut stream, "250 ok")?,
        }
    }
}

fn gateway(provider: &Shared) -> (Gateway, String) {
    let (port, certificate) = smarthost(provider);
    let mut gateway = Gateway::new(port);
    let write = |name: &str, text: &str| {
        let path = gateway.directory().join(name);
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
    };
    write("roots.pem", &certificate);
    write("secret", &format!("{SECRET}\n"));
    let oauth = [
        ("token_url", token_server(provider)),
        ("client_id", "gate".to_owned()),
        ("client_secret_file", "secret".to_owned()),
    ];
    let oauth = oauth.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    for (key, value) in [
        ("host", "localhost".into()),
        ("tls", "implicit".into()),
        ("ca_file", "roots.pem".into()),
        ("user", "gate@saltmere.example".into()),
        ("oauth", toml::Value::Table(oauth)),
    ] {
        gateway.set("smarthost", key, value);
    }
    gateway.monitored();
    (gateway, format!("localhost:{port}"))
}

fn until(what: &str, gateway: &Gateway, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}\n{}\n{}", gateway.page("/metrics").1, gateway.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a metric shows; 0 where it shows nothing.
fn shown(gateway: &Gateway, name: &str, labels: &[(&str, &str)]) -> f64 {
    let page = gateway.page("/metrics").1;
    let fits = |line: &&str| {
        line.starts_with(&format!("{name}{{"))
            && labels.iter().all(|(key, value)| line.contains(&format!("{key}=\"{value}\"")))
    };
    page.lines().find(fits).and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(-1.0)
}

/// How many lines of the log say this.
fn told(gateway: &Gateway, words: &str) -> usize {
    gateway.log().lines().filter(|line| line.contains(words)).count()
}

fn clean() -> Case {
    cases().into_iter().find(|c| c.action == "deliver" && c.rcpt.len() == 1).expect("clean mail")
}

fn send(gateway: &Gateway) {
    let case = clean();
    gateway.client().send(&case.mail_from, &case.rcpt, &case.message()).expect("taken in");
}

const NO_TOKEN: &str = "no token can be had to sign in with";
const AWAY: &str = "the smarthost cannot be used";

#[test]
fn a_token_server_that_fails_is_told_once_and_mail_goes_when_it_is_back() {
    let provider: Shared = Arc::default();
    provider.lock().unwrap().refuses =
        Some((401, r#"{"error":"invalid_client","error_description":"of s3same-of-the-gate"}"#));
    let (mut gateway, host) = gateway(&provider);
    gateway.start(&[]);
    for _ in 0..3 {
        send(&gateway);
    }
    until("the metrics say that there is no token", &gateway, || {
        shown(&gateway, "schoolgate_token_well", &[("host", &host)]) == 0.0
            && shown(&gateway, "schoolgate_smarthost_well", &[("host", &host)]) == 0.0
    });
    // It is asked again, and not told again.
    let asked = provider.lock().unwrap().asked;
    until("another try", &gateway, || provider.lock().unwrap().asked > asked);
    until("and the metrics count them", &gateway, || {
        shown(&gateway, "schoolgate_token_fetches_total", &[("host", &host), ("outcome", "failed")]) > asked as f64
    });
    assert_eq!((told(&gateway, NO_TOKEN), told(&gateway, "invalid_client") > 0), (1, true), "{}", gateway.log());
    assert_eq!(told(&gateway, AWAY), 1, "{}", gateway.log());

    {
        let mut provider = provider.lock().unwrap();
        // Half of its time before its end a short one is renewed.
        (provider.refuses, provider.seconds, provider.good_from) = (None, 4, 1);
    }
    until("all three", &gateway, || provider.lock().unwrap().taken.len() == 3);
    until("the metrics say so", &gateway, || {
        shown(&gateway, "schoolgate_token_well", &[("host", &host)]) == 1.0
            && shown(&gateway, "schoolgate_smarthost_well", &[("host", &host)]) == 1.0
            && shown(&gateway, "schoolgate_token_fetches_total", &[("host", &host), ("outcome", "fetched")]) >= 1.0
    });
    assert_eq!((told(&gateway, "tokens-back"), told(&gateway, "smarthost-back")), (1, 1), "{}", gateway.log());

    // What runs out is no good at the smarthost any more, and another is fetched in time.
    std::thread::sleep(Duration::from_secs(5));
    let old = {
        let mut provider = provider.lock().unwrap();
        provider.good_from = provider.given + 1;
        provider.given
    };
    send(&gateway);
    until("the fourth", &gateway, || provider.lock().unwrap().taken.len() == 4);
    assert!(provider.lock().unwrap().taken[3] > old, "{:?}", provider.lock().unwrap().taken);
    assert_eq!((told(&gateway, NO_TOKEN), told(&gateway, AWAY)), (1, 1), "{}", gateway.log());

    // One that the smarthost refuses before its time is fetched once more.
    {
        let mut provider = provider.lock().unwrap();
        (provider.good_from, provider.seconds) = (provider.given + 1, 3_600);
    }
    send(&gateway);
    until("the fifth", &gateway, || provider.lock().unwrap().taken.len() == 5);
    assert_eq!(told(&gateway, AWAY), 1, "{}", gateway.log());

    // A second trouble is another event, and so is its end.
    {
        let mut provider = provider.lock().unwrap();
        (provider.good_from, provider.refuses) = (provider.given + 1, Some((503, "")));
    }
    send(&gateway);
    until("the second trouble", &gateway, || told(&gateway, NO_TOKEN) == 2 && told(&gateway, AWAY) == 2);
    provider.lock().unwrap().refuses = None;
    until("the sixth", &gateway, || provider.lock().unwrap().taken.len() == 6);
    until("both are back", &gateway, || told(&gateway, "tokens-back") == 2 && told(&gateway, "smarthost-back") == 2);
    assert_eq!((told(&gateway, NO_TOKEN), told(&gateway, AWAY)), (2, 2), "{}", gateway.log());

    gateway.terminate();
    let log = gateway.log();
    assert!(!log.contains(SECRET) && !log.contains("t0ken-") && !log.contains("error_description"), "{log}");
}

#[test]
fn doctor_says_what_is_wrong_with_a_token_and_until_when_one_is_good() {
    let provider: Shared = Arc::default();
    provider.lock().unwrap().good_from = 1;
    let (gateway, host) = gateway(&provider);
    let name = host.split(':').next().unwrap().to_owned();
    let says = |what: &str, wanted: &[&str], is_well: bool| {
        let output = gateway.command(&["doctor"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.success(), is_well, "{what}: {said}");
        for words in wanted {
            assert!(said.contains(words), "{what}: {words}\n{said}");
        }
        assert!(!said.contains(SECRET) && !said.contains("t0ken-"), "{what}: {said}");
        said
    };
    for (refuses, words) in [
        ((401, r#"{"error":"invalid_client"}"#), "the token server refuses us: invalid_client"),
        ((400, r#"{"error":"invalid_scope"}"#), "the token server refuses us: invalid_scope"),
        ((503, "away"), "the token server answers with status 503"),
        ((200, "sesame"), "the token server's answer cannot be used"),
    ] {
        provider.lock().unwrap().refuses = Some(refuses);
        let said = says(words, &["smarthost.oauth.client_id", words, "all mail for it would wait"], false);
        assert!(said.lines().any(|line| line.starts_with("BAD") && line.contains(words)), "{said}");
    }
    {
        let mut provider = provider.lock().unwrap();
        (provider.refuses, provider.seconds) = (None, 3_600);
    }
    let before = jiff::Timestamp::now();
    let said = says("a token", &[&format!("a token for {name} can be had"), "answers, with TLS"], true);
    let until = said.split("it is good until ").nth(1).and_then(|rest| rest.lines().next()).expect("until when");
    let until: jiff::Timestamp = until.trim().parse().expect("a time");
    let seconds = until.duration_since(before).as_secs();
    assert!((3_590..3_660).contains(&seconds), "{until}: {seconds}");
    // A token that the smarthost does not take is another matter than none.
    provider.lock().unwrap().good_from = usize::MAX;
    says("not taken", &["oauth.client_id", "all mail would wait"], false);
    std::fs::remove_file(gateway.directory().join("secret")).expect("the secret");
    says("no secret", &["smarthost.oauth.client_secret_file", "secret cannot be read"], false);
}
