//! Doors with TLS, as clients with and without certificates meet them. Rows are those of the relay checklist.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use ring::digest::{SHA256, digest};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tokio::io::AsyncReadExt;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::tests::{Client, Gateway};
use super::*;
use crate::config::{ClientCertificates, Tenant, TlsFiles};

const HOST: &str = "gate.school.example";
const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];
pub(super) const EHLO: &str = "EHLO client.example\r\n";

/// An authority, and a folder for what it signs.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

/// A certificate and its key, as a client shows them.
type Shown = (Vec<rustls::pki_types::CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { issuer, folder: tempfile::tempdir().unwrap() };
        std::fs::write(authority.path("ca.pem"), authority.issuer.pem()).unwrap();
        authority
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn files(&self) -> TlsFiles {
        TlsFiles { certificate: self.path("cert.pem"), key: self.path("key.pem") }
    }

    /// A new pair of the gateway in its files, with this number.
    pub(super) fn issue(&self, number: u64) {
        let mut params = CertificateParams::new([HOST.to_owned()]).unwrap();
        params.serial_number = Some(number.into());
        let key = KeyPair::generate().unwrap();
        let own = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.files().certificate, own.pem()).unwrap();
        std::fs::write(self.files().key, key.serialize_pem()).unwrap();
    }

    /// What a client of this name shows.
    fn client(&self, name: &str, use_for: &[ExtendedKeyUsagePurpose], year: i32) -> Shown {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.extended_key_usages = use_for.to_vec();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let own = params.signed_by(&key, &self.issuer).unwrap();
        (vec![own.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }

    pub(super) fn door(&self, tls: ListenerTls) -> ListenerConfig {
        let addresses = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
        ListenerConfig {
            tls,
            certificate: Some(self.files()),
            ..ListenerConfig::plain("staff", addresses, vec!["127.0.0.0/8".parse().unwrap()])
        }
    }

    /// A client that trusts this authority.
    pub(super) fn config(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        shown: Option<Shown>,
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let builder = builder.with_root_certificates(roots);
        Arc::new(match shown {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).unwrap(),
        })
    }
}

async fn plain(address: SocketAddr) -> Client {
    let mut client = Client(TcpStream::connect(address).await.unwrap());
    assert!(client.reply().await.starts_with("220 "));
    client
}

/// Behind the answer to STARTTLS.
async fn starttls(address: SocketAddr) -> TcpStream {
    let mut client = plain(address).await;
    assert!(client.says(EHLO).await.contains("STARTTLS\r\n"));
    assert_eq!(client.says("STARTTLS\r\n").await, "220 2.0.0 Begin TLS now\r\n");
    client.0
}

async fn under_tls(address: SocketAddr, config: &Arc<ClientConfig>) -> Client<TlsStream<TcpStream>> {
    let stream = starttls(address).await;
    let connector = TlsConnector::from(Arc::clone(config));
    Client(connector.connect(ServerName::try_from(HOST).unwrap(), stream).await.unwrap())
}

/// From the first octet, up to the banner.
pub(super) async fn implicit(address: SocketAddr, config: &Arc<ClientConfig>) -> Client<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(Arc::clone(config));
    let mut client = Client(connector.connect(ServerName::try_from(HOST).unwrap(), stream).await.unwrap());
    assert!(client.reply().await.starts_with("220 "));
    client
}

pub(super) const MAIL: &[u8] = b"Subject: x\r\n\r\nx\r\n.\r\n";

#[tokio::test]
async fn mail_comes_under_tls_of_both_versions_and_says_so() {
    let authority = Authority::new();
    authority.issue(1);
    let doors = vec![authority.door(ListenerTls::Required), authority.door(ListenerTls::Implicit)];
    let gateway = Gateway::start_doors(doors, Pace::default()).await;
    for (version, want) in
        [(&rustls::version::TLS13, ProtocolVersion::TLSv1_3), (&rustls::version::TLS12, ProtocolVersion::TLSv1_2)]
    {
        let config = authority.config(&[version], None);
        for (n, mut client) in
            [under_tls(gateway.addresses[0], &config).await, implicit(gateway.addresses[1], &config).await]
                .into_iter()
                .enumerate()
        {
            assert_eq!(client.0.get_ref().1.protocol_version(), Some(want));
            // Row 113: what was said before is forgotten.
            assert!(client.says("MAIL FROM:<a@school.example>\r\n").await.starts_with("503 "), "door {n}");
            let greeting = client.says(EHLO).await;
            assert!(!greeting.contains("STARTTLS"), "{greeting}");
            assert!(client.says("STARTTLS\r\n").await.starts_with("503 "), "twice is once too often");
            assert!(client.mails("a", MAIL).await.starts_with("250 "));
            assert!(client.says("QUIT\r\n").await.starts_with("221 "));
            assert_eq!(client.reply().await, "");
        }
    }
    let taken = gateway.taken();
    assert_eq!(taken.len(), 4);
    for one in taken {
        let text = String::from_utf8_lossy(&one.content).into_owned();
        assert!(one.encrypted && one.account.is_none() && text.contains("\r\n\twith ESMTPS id "), "{text}");
    }
}

#[tokio::test]
async fn what_is_said_in_clear_behind_starttls_is_never_obeyed() {
    let authority = Authority::new();
    authority.issue(1);
    let gateway = Gateway::start_doors(vec![authority.door(ListenerTls::Starttls)], Pace::default()).await;
    // Row 112: in the same write.
    let mut client = plain(gateway.address).await;
    client.says(EHLO).await;
    let reply = client.says("STARTTLS\r\nMAIL FROM:<a@school.example>\r\n").await;
    assert!(reply.starts_with("554 5.5.0 "), "{reply}");
    assert_eq!(client.reply().await, "");
    // Row 112, and 114: in one of its own it breaks the handshake, and nothing is answered in clear.
    for injected in [&b"EHLO x\r\nMAIL FROM:<a@school.example>\r\n"[..], &[0x80; 600]] {
        let mut stream = starttls(gateway.address).await;
        stream.write_all(injected).await.unwrap();
        let mut told = Vec::new();
        let _ = stream.read_to_end(&mut told).await;
        // An alert (21), fatal (2): RFC 8446 6.
        assert!(told.is_empty() || (told[0] == 21 && told[5] == 2), "{}", told.escape_ascii());
    }
    // Row 113: a transaction that was open is gone.
    let mut client = plain(gateway.address).await;
    client.says(EHLO).await;
    assert!(client.says("MAIL FROM:<a@school.example>\r\n").await.starts_with("250 "));
    assert!(client.says("RCPT TO:<b@x.example>\r\n").await.starts_with("250 "));
    assert!(client.says("STARTTLS\r\n").await.starts_with("220 "));
    let connector = TlsConnector::from(authority.config(BOTH, None));
    let mut client = Client(connector.connect(ServerName::try_from(HOST).unwrap(), client.0).await.unwrap());
    for said in ["RCPT TO:<c@x.example>\r\n", "DATA\r\n", "MAIL FROM:<a@school.example>\r\n"] {
        assert!(client.says(said).await.starts_with("503 "), "{said}");
    }
    assert!(gateway.taken().is_empty());
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
async fn what_is_no_tls_that_is_spoken_here_ends_without_a_word_in_clear() {
    let authority = Authority::new();
    authority.issue(1);
    let doors = vec![authority.door(ListenerTls::Starttls), authority.door(ListenerTls::Implicit)];
    let gateway = Gateway::start_doors(doors, Pace::default()).await;
    for (what, sent) in [
        ("an old version", old_hello()),
        ("clear SMTP", EHLO.into()),
        ("a browser", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("noise", vec![0x80; 600]),
    ] {
        for door in [0, 1] {
            // Row 114.
            let mut stream = match door {
                0 => starttls(gateway.addresses[0]).await,
                _ => TcpStream::connect(gateway.addresses[1]).await.unwrap(),
            };
            stream.write_all(&sent).await.unwrap();
            let mut told = Vec::new();
            let _ = stream.read_to_end(&mut told).await;
            assert!(told.is_empty() || (told[0] == 21 && told[5] == 2), "{what}: {}", told.escape_ascii());
        }
    }
    // A door that wants TLS takes no mail before it.
    let required = Gateway::start_doors(vec![authority.door(ListenerTls::Required)], Pace::default()).await;
    let mut client = plain(required.address).await;
    client.says(EHLO).await;
    assert!(client.says("MAIL FROM:<a@school.example>\r\n").await.starts_with("530 5.7.0 "));
    assert!(under_tls(required.address, &authority.config(BOTH, None)).await.says(EHLO).await.starts_with("250-"));
}

#[tokio::test]
async fn a_handshake_that_stalls_is_cut_and_delays_nobody() {
    let authority = Authority::new();
    authority.issue(1);
    let doors = || vec![authority.door(ListenerTls::Starttls), authority.door(ListenerTls::Implicit)];
    let hasty = Pace { handshake: Duration::from_millis(100), ..Pace::default() };
    let hour = Pace { handshake: Duration::from_secs(3_600), stop: Duration::from_secs(3_600), ..Pace::default() };
    for (pace, stops) in [(hasty, false), (hour, true)] {
        let gateway = Gateway::start_doors(doors(), pace).await;
        let mut stalled = Vec::new();
        for sent in [&[][..], &[22], &old_hello()[..20]] {
            for mut stream in
                [starttls(gateway.addresses[0]).await, TcpStream::connect(gateway.addresses[1]).await.unwrap()]
            {
                stream.write_all(sent).await.unwrap();
                stalled.push(stream);
            }
        }
        let config = authority.config(BOTH, None);
        let mut quick = implicit(gateway.addresses[1], &config).await;
        assert!(quick.says(EHLO).await.starts_with("250"), "others are served");
        if stops {
            gateway.stop.send(true).unwrap();
        }
        for mut stream in stalled {
            let mut told = Vec::new();
            let _ = stream.read_to_end(&mut told).await;
            assert!(told.is_empty(), "{}", told.escape_ascii());
        }
        if stops {
            assert!(quick.reply().await.starts_with("421 "));
            drop(quick);
            tokio::time::timeout(Duration::from_secs(10), gateway.served).await.expect("it ends").unwrap();
        }
    }
}

async fn serial(gateway: &Gateway, config: &Arc<ClientConfig>) -> Vec<u8> {
    let client = under_tls(gateway.address, config).await;
    let own = client.0.get_ref().1.peer_certificates().unwrap()[0].clone();
    x509_parser::parse_x509_certificate(&own).unwrap().1.raw_serial().to_vec()
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_and_a_broken_one_never() {
    // Row 120. By the look at the files, and by a reload alone.
    for (look, reload) in [(Duration::from_millis(20), false), (Duration::from_secs(3_600), true)] {
        let authority = Authority::new();
        authority.issue(1);
        let pace = Pace { certificate_look: look, ..Pace::default() };
        let gateway = Gateway::start_doors(vec![authority.door(ListenerTls::Starttls)], pace).await;
        let config = authority.config(BOTH, None);
        let reload = || {
            if reload {
                gateway.handle.change(gateway.handle.prepare(&gateway.options).unwrap());
            }
        };
        assert_eq!(serial(&gateway, &config).await, [1]);
        authority.issue(2);
        reload();
        while serial(&gateway, &config).await != [2] {}
        std::fs::write(authority.files().key, "-----BEGIN PRIVATE KEY-----\n").unwrap();
        reload();
        // Some looks later it is still the one before.
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(30)).await;
            assert_eq!(serial(&gateway, &config).await, [2]);
        }
        authority.issue(3);
        reload();
        while serial(&gateway, &config).await != [3] {}
    }
}

#[tokio::test]
async fn no_session_is_resumed_here_or_at_another_door() {
    // Row 121: one client, with its own memory of sessions, at one door and at the next.
    let authority = Authority::new();
    authority.issue(1);
    let doors = vec![authority.door(ListenerTls::Starttls), authority.door(ListenerTls::Starttls)];
    let gateway = Gateway::start_doors(doors, Pace::default()).await;
    for version in BOTH {
        let config = authority.config(&[version], None);
        for door in [0, 0, 1, 0] {
            let mut client = under_tls(gateway.addresses[door], &config).await;
            assert!(client.says(EHLO).await.starts_with("250"));
            let about = client.0.get_ref().1;
            assert_eq!(about.handshake_kind(), Some(HandshakeKind::Full));
            assert_eq!(about.tls13_tickets_received(), 0);
        }
    }
}

#[tokio::test]
async fn a_certificate_lets_its_client_send_and_nothing_else_does() {
    use ExtendedKeyUsagePurpose::{ClientAuth, CodeSigning, ServerAuth};
    let (authority, other) = (Authority::new(), Authority::new());
    authority.issue(1);
    let door = |tls| ListenerConfig {
        relay_from: vec!["192.0.2.0/24".parse().unwrap()],
        client: Some(ClientCertificates {
            ca_file: Some(authority.path("ca.pem")),
            names: vec!["mail.school.example".to_owned(), "*.provider.example".to_owned()],
        }),
        ..authority.door(tls)
    };
    // A stranger's time is short; whoever is known has its own.
    let pace = Pace { stranger_idle: Duration::from_secs(30), ..Pace::default() };
    let doors = vec![door(ListenerTls::Starttls), door(ListenerTls::Implicit)];
    let gateway = Gateway::start_doors(doors, pace).await;
    let client = |name: &str| authority.client(name, &[ClientAuth], 2099);
    // Row 122.
    for (what, shown, may) in [
        ("its name", Some(client("mail.school.example")), true),
        ("its name in capitals", Some(client("MAIL.School.example")), true),
        ("a certificate for servers", Some(authority.client("mail.school.example", &[ServerAuth], 2099)), true),
        ("one for both", Some(authority.client("mail.school.example", &[ServerAuth, ClientAuth], 2099)), true),
        ("one for no use in particular", Some(authority.client("mail.school.example", &[], 2099)), true),
        ("one that covers it", Some(client("*.school.example")), true),
        ("one label", Some(client("eur.provider.example")), true),
        ("the wildcard itself", Some(client("*.provider.example")), true),
        ("two labels", Some(client("a.eur.provider.example")), false),
        ("no label", Some(client("provider.example")), false),
        ("another end", Some(client("provider.example.evil.example")), false),
        ("another name", Some(client("other.school.example")), false),
        ("another use", Some(authority.client("mail.school.example", &[CodeSigning], 2099)), false),
        ("one that has ended", Some(authority.client("mail.school.example", &[ClientAuth], 2020)), false),
        ("another authority", Some(other.client("mail.school.example", &[ClientAuth], 2099)), false),
        ("none", None, false),
    ] {
        for version in BOTH {
            let config =
                authority.config(&[version], shown.as_ref().map(|(chain, key)| (chain.clone(), key.clone_key())));
            for mut client in
                [under_tls(gateway.addresses[0], &config).await, implicit(gateway.addresses[1], &config).await]
            {
                client.says(EHLO).await;
                assert!(client.says("MAIL FROM:<a@school.example>\r\n").await.starts_with("250 "), "{what}");
                let reply = client.says("RCPT TO:<b@x.example>\r\n").await;
                assert_eq!(reply.starts_with("250 "), may, "{what}: {reply}");
                assert!(may || reply.starts_with("550 5.7.1 "), "{what}: {reply}");
            }
        }
    }
    // In clear it is a stranger like any other.
    let mut client = plain(gateway.addresses[0]).await;
    client.says(EHLO).await;
    client.says("MAIL FROM:<a@school.example>\r\n").await;
    assert!(client.says("RCPT TO:<b@x.example>\r\n").await.starts_with("550 5.7.1 "));
}

#[tokio::test]
async fn whoever_is_known_by_its_certificate_has_the_place_and_time_of_those_who_may_send() {
    let authority = Authority::new();
    authority.issue(1);
    let door = ListenerConfig {
        relay_from: Vec::new(),
        client: Some(ClientCertificates {
            ca_file: Some(authority.path("ca.pem")),
            names: vec!["mail.school.example".to_owned()],
        }),
        ..authority.door(ListenerTls::Starttls)
    };
    let pace = Pace {
        stranger_idle: Duration::from_millis(1_500),
        stranger_session: Duration::from_millis(3_000),
        ..Pace::default()
    };
    let gateway = Gateway::start_doors(vec![door], pace).await;
    let config = authority.config(BOTH, Some(authority.client("mail.school.example", &[], 2099)));
    let mut known = Vec::new();
    for _ in 0..limits::STRANGER_CONNECTIONS_PER_CLIENT + 3 {
        known.push(under_tls(gateway.address, &config).await);
    }
    let mut stranger = under_tls(gateway.address, &authority.config(BOTH, None)).await;
    assert!(stranger.reply().await.starts_with("421 4.4.2 "), "it is cut");
    tokio::time::sleep(Duration::from_secs(2)).await;
    for mut client in known {
        assert!(client.says(EHLO).await.starts_with("250"), "none of them is");
    }
}

#[tokio::test]
async fn only_the_schools_own_tenant_may_send_through_its_providers_door() {
    let authority = Authority::new();
    authority.issue(1);
    let tenant = Tenant { header: "X-Tenant".to_owned(), value: "ours-1".to_owned() };
    let door = ListenerConfig { tenant: Some(tenant), ..authority.door(ListenerTls::Starttls) };
    let gateway = Gateway::start_doors(vec![door], Pace::default()).await;
    let mut client = under_tls(gateway.address, &authority.config(BOTH, None)).await;
    client.says(EHLO).await;
    for (message, code) in [
        ("X-Tenant: OURS-1\r\nSubject: x\r\n\r\nx", "250 2.0.0 "),
        ("X-Tenant: theirs\r\nSubject: x\r\n\r\nx", "550 5.7.1 "),
        ("Subject: x\r\n\r\nX-Tenant: ours-1", "550 5.7.1 "),
        ("X-Tenant: ours-1\r\nX-Tenant: theirs\r\n\r\nx", "550 5.7.1 "),
        ("X-Tenant:\r\n ours-1\r\n\r\nx", "250 2.0.0 "),
    ] {
        let reply = client.mails("a", format!("{message}\r\n.\r\n").as_bytes()).await;
        assert!(reply.starts_with(code), "{message}: {reply}");
    }
    let taken = gateway.taken();
    assert_eq!(taken.len(), 2, "nothing is kept of the others");
    for one in taken {
        let content = String::from_utf8_lossy(&one.content).into_owned();
        assert!(!content.to_lowercase().contains("ours-1") && content.ends_with("\r\n\r\nx\r\n"), "{content}");
        assert_eq!(digest(&SHA256, &one.content).as_ref(), one.sha256);
    }
}

#[tokio::test]
async fn a_door_whose_files_cannot_be_used_is_not_opened_and_a_reload_keeps_what_was() {
    let authority = Authority::new();
    authority.issue(1);
    let client =
        |file: &str| Some(ClientCertificates { ca_file: Some(authority.path(file)), names: vec!["a.b".into()] });
    std::fs::write(authority.path("none.pem"), "").unwrap();
    let sound = Gateway::start_doors(vec![authority.door(ListenerTls::Starttls)], Pace::default()).await;
    for (door, key) in [
        (ListenerConfig { client: client("gone.pem"), ..authority.door(ListenerTls::Starttls) }, "client_ca"),
        (ListenerConfig { client: client("none.pem"), ..authority.door(ListenerTls::Starttls) }, "client_ca"),
        (
            ListenerConfig {
                certificate: Some(TlsFiles { certificate: authority.path("none.pem"), key: authority.path("key.pem") }),
                ..authority.door(ListenerTls::Starttls)
            },
            "tls_certificate",
        ),
        (
            ListenerConfig {
                certificate: Some(TlsFiles {
                    certificate: authority.path("cert.pem"),
                    key: authority.path("none.pem"),
                }),
                ..authority.door(ListenerTls::Starttls)
            },
            "tls_key",
        ),
    ] {
        let options = ListenOptions { doors: vec![Arc::new(door)], ..sound.options.clone() };
        let error = Listener::bind(options.clone()).await.err().expect(key);
        assert_eq!(error.key(), format!("listener.staff.{key}"));
        // Authorities are rules; a pair is taken or left by itself.
        assert_eq!(sound.handle.prepare(&options).is_err(), key == "client_ca", "{key}");
        if let Ok(rules) = sound.handle.prepare(&options) {
            sound.handle.change(rules);
        }
        assert_eq!(serial(&sound, &authority.config(BOTH, None)).await, [1], "{key}");
    }
}
