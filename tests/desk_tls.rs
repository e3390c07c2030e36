//! The desk's own TLS as a browser, a slow one and one that speaks something else meet it.

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ProtocolVersion, SupportedProtocolVersion};
use schoolgate::config::TlsFiles;
use schoolgate::relay::certificate::{Certificate, Pair};
use schoolgate::review::{Pace, certificate_owner};
use schoolgate::store::accounts::Role;
use support::certificates::{self, BOTH};
use support::desk::{House, address};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const HOST: &str = "desk.saltmere.example";
const URL: &str = "https://desk.saltmere.example";

/// An authority, and files that it has signed.
struct Authority {
    issuer: certificates::Authority,
    directory: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        Self { issuer: certificates::Authority::new(), directory: tempfile::tempdir().unwrap() }
    }

    fn files(&self) -> TlsFiles {
        TlsFiles { certificate: self.path("cert.pem"), key: self.path("key.pem") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A certificate with its number in both files, chain first; the key alone where `whole` is false.
    fn issue(&self, number: u64, whole: bool) {
        let pair = self.issuer.numbered(HOST, number);
        if whole {
            replace(&self.files().certificate, &format!("{}{}", pair.certificate, self.issuer.pem()));
        }
        replace(&self.files().key, &pair.key);
    }

    fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> TlsConnector {
        let mut config = self.issuer.client(versions, None);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsConnector::from(Arc::new(config))
    }
}

/// As certbot does: another file takes the name.
fn replace(file: &Path, text: &str) {
    let new = file.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, file).unwrap();
}

/// What a page answered, and over what.
struct Told {
    version: Option<ProtocolVersion>,
    alpn: Option<Vec<u8>>,
    /// The certificate's own number.
    serial: Vec<u8>,
    text: String,
}

async fn page(house: &House, client: &TlsConnector, request: &str) -> Told {
    let stream = TcpStream::connect(house.address).await.unwrap();
    let mut stream = client.connect(ServerName::try_from(HOST).unwrap(), stream).await.unwrap();
    let about = stream.get_ref().1;
    let (version, alpn) = (about.protocol_version(), about.alpn_protocol().map(<[u8]>::to_vec));
    let own = about.peer_certificates().unwrap()[0].clone();
    let serial = x509_parser::parse_x509_certificate(&own).unwrap().1.raw_serial().to_vec();
    stream.write_all(format!("{request}\r\nHost: {HOST}\r\nConnection: close\r\n").as_bytes()).await.unwrap();
    if !request.contains("\r\n\r\n") {
        stream.write_all(b"\r\n").await.unwrap();
    }
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    Told { version, alpn, serial, text }
}

const SIGN_IN: &str = "GET /sign-in HTTP/1.1";

async fn house(authority: &Authority, pace: Pace) -> (House, Arc<Certificate>) {
    let certificate = Arc::new(Certificate::load(certificate_owner(), &authority.files()).unwrap());
    let shown = Arc::clone(&certificate);
    (House::made(Some(URL), |desk| desk.with_certificate(Some(shown)).with_pace(pace)).await, certificate)
}

#[tokio::test]
async fn a_page_comes_over_both_versions_with_cookies_for_a_safe_line() {
    let authority = Authority::new();
    authority.issue(1, true);
    let (house, _) = house(&authority, Pace::default()).await;
    for (version, want) in
        [(&rustls::version::TLS13, ProtocolVersion::TLSv1_3), (&rustls::version::TLS12, ProtocolVersion::TLSv1_2)]
    {
        let told = page(&house, &authority.client(&[version]), SIGN_IN).await;
        assert_eq!((told.version, told.alpn.as_deref()), (Some(want), Some(&b"http/1.1"[..])));
        assert!(told.text.starts_with("HTTP/1.1 200 ") && told.text.contains("<title>Sign in"), "{}", told.text);
        assert!(told.text.contains("strict-transport-security: max-age=31536000"), "{}", told.text);
    }
    // The same pages as behind a proxy: a cookie that is bound to the host and to TLS.
    let mailbox = address("sue@saltmere.example");
    house.store.create_account("sue", &mailbox, &[Role::Sbm], "test").await.unwrap();
    let answer = page(&house, &authority.client(BOTH), "GET /held/a1 HTTP/1.1").await.text;
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    let (name, secret) = signed_up(&house).await;
    let form = format!("name={name}&password={}", secret.replace(' ', "+"));
    let request = format!(
        "POST /sign-in HTTP/1.1\r\nOrigin: {URL}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}",
        form.len()
    );
    let stream = TcpStream::connect(house.address).await.unwrap();
    let client = authority.client(BOTH);
    let mut stream = client.connect(ServerName::try_from(HOST).unwrap(), stream).await.unwrap();
    let request = format!("{request}\r\nHost: {HOST}\r\nConnection: close\r\n\r\n{form}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let cookie = text.lines().find(|line| line.starts_with("set-cookie: __Host-")).expect(&text);
    assert!(cookie.contains("; Secure") && cookie.contains("; HttpOnly") && cookie.contains("; Path=/"), "{cookie}");
}

/// Somebody with a password.
async fn signed_up(house: &House) -> (&'static str, &'static str) {
    let mailbox = address("tom@saltmere.example");
    let link = house.store.create_account("tom", &mailbox, &[Role::Sbm], "test").await.unwrap();
    let secret = house.store.sign_up(link.token.reveal()).await.unwrap().unwrap().secret;
    let code = support::desk::code(secret.reveal());
    house.store.complete_sign_up(link.token.reveal(), support::desk::PASSWORD, &code).await.unwrap();
    ("tom", support::desk::PASSWORD)
}

/// A ClientHello of TLS 1.1 (RFC 4346 7.4.1.2) with one cipher suite of its time.
fn old_hello() -> Vec<u8> {
    let mut body = vec![3, 2];
    body.extend([7; 32]);
    body.extend([0, 0, 4, 0xc0, 0x13, 0, 0x2f, 1, 0]);
    let length = u8::try_from(body.len()).unwrap();
    let mut hello = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    hello.extend(body);
    hello
}

#[tokio::test]
async fn what_is_old_or_no_tls_at_all_is_refused_and_sees_nothing() {
    let authority = Authority::new();
    authority.issue(1, true);
    let (house, _) = house(&authority, Pace::default()).await;
    for (what, sent, told) in [
        ("TLS 1.1", old_hello(), true),
        ("clear text", format!("GET /sign-in HTTP/1.1\r\nHost: {HOST}\r\n\r\n").into_bytes(), false),
        ("noise", vec![0x80; 600], false),
    ] {
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        stream.write_all(&sent).await.unwrap();
        let mut answer = Vec::new();
        // What was sent and not read makes of the close a reset.
        let _ = stream.read_to_end(&mut answer).await;
        // An alert (21), fatal (2): RFC 8446 6.
        assert!(answer.is_empty() || (answer[0] == 21 && answer[5] == 2), "{what}: {answer:?}");
        // handshake_failure or protocol_version; a handshake that goes on would answer with a record of kind 22.
        assert!(!told || matches!(answer.get(6), Some(40 | 70)), "{what}: {answer:?}");
    }
    let told = page(&house, &authority.client(BOTH), SIGN_IN).await;
    assert!(told.text.starts_with("HTTP/1.1 200 "), "the next is served: {}", told.text);
}

#[tokio::test]
async fn whoever_stalls_ends_alone_and_delays_nobody() {
    let authority = Authority::new();
    authority.issue(1, true);
    // The quick ones are served although the slow ones would be waited for until the test gives up.
    let hour = Duration::from_secs(3_600);
    let (patient, _) = house(&authority, Pace { handshake: hour, head: hour }).await;
    let mut slow = Vec::new();
    for sent in [&[][..], &[22], &old_hello()[..20]] {
        let mut stream = TcpStream::connect(patient.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        slow.push(stream);
    }
    for _ in 0..3 {
        let told = page(&patient, &authority.client(BOTH), SIGN_IN).await;
        assert!(told.text.starts_with("HTTP/1.1 200 "), "{}", told.text);
    }
    // Where less is waited for, each of them ends.
    let pace = Pace { handshake: Duration::from_millis(50), head: Duration::from_millis(50) };
    let (hasty, _) = house(&authority, pace).await;
    for sent in [&[][..], &[22], &old_hello()[..20]] {
        let mut stream = TcpStream::connect(hasty.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty(), "{answer:?}");
    }
}

/// What happens to the files, and the number of the certificate that is shown then.
type Step<'a> = (&'static str, Box<dyn Fn() + 'a>, u8);

#[tokio::test]
async fn a_renewed_certificate_is_shown_from_the_next_connection_on_and_a_broken_one_never() {
    let authority = Authority::new();
    authority.issue(1, true);
    let (house, certificate) = house(&authority, Pace::default()).await;
    let client = || authority.client(BOTH);
    let other = Authority::new();
    other.issue(9, true);
    let serial = async || page(&house, &client(), SIGN_IN).await.serial;
    assert_eq!(serial().await, [1]);
    let spoil = |file: PathBuf, text: &'static str| move || replace(&file, text);
    let files = authority.files();
    let steps: [Step; 8] = [
        ("nothing has changed", Box::new(|| ()), 1),
        ("renewed", Box::new(|| authority.issue(2, true)), 2),
        ("half renewed", Box::new(|| authority.issue(3, false)), 2),
        ("whole again", Box::new(|| authority.issue(4, true)), 4),
        ("no certificate", Box::new(spoil(files.certificate.clone(), "")), 4),
        ("no key", Box::new(spoil(files.key.clone(), "-----BEGIN PRIVATE KEY-----\n")), 4),
        ("gone", Box::new(|| std::fs::remove_file(&files.key).unwrap()), 4),
        ("and back", Box::new(|| authority.issue(5, true)), 5),
    ];
    for (what, change, shown) in steps {
        change();
        certificate.look();
        assert_eq!(serial().await, [shown], "{what}");
    }
    // A reload may name other files; their authority is not this client's, so the pair is looked at as it stands.
    let broken = TlsFiles { certificate: other.files().certificate, key: authority.files().key };
    assert!(certificate.change(&broken).is_err());
    assert_eq!(serial().await, [5]);
    certificate.change(&other.files()).unwrap();
    let stream = TcpStream::connect(house.address).await.unwrap();
    let refused = client().connect(ServerName::try_from(HOST).unwrap(), stream).await;
    assert!(refused.is_err(), "another authority's is shown now");
    assert!(Pair::read(&other.files()).unwrap().covers(HOST));
}
