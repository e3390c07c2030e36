//! Signing in under TLS, as clients meet it. Rows are those of the relay checklist.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio_rustls::client::TlsStream;

use super::tests::{Client, Gateway};
use super::tls_tests::{Authority, EHLO, MAIL, implicit};
use super::*;

/// A gateway whose one door lets nobody in but who signs in.
async fn gateway(authority: &Authority, pace: Pace) -> Gateway {
    authority.issue(1);
    let door = ListenerConfig { sign_in: true, relay_from: Vec::new(), ..authority.door(ListenerTls::Implicit) };
    Gateway::start_doors(vec![door], pace).await
}

async fn client(gateway: &Gateway, authority: &Authority) -> Client<TlsStream<TcpStream>> {
    let mut client = implicit(gateway.address, &authority.config(&[&rustls::version::TLS13], None)).await;
    assert!(client.says(EHLO).await.contains("250 AUTH PLAIN LOGIN"));
    client
}

fn plain(name: &str) -> String {
    format!("AUTH PLAIN {}\r\n", STANDARD.encode(format!("\0{name}\0secret")))
}

/// Row 119: who cannot be asked lets nobody in, and nobody is told that the password is wrong.
#[tokio::test]
async fn who_answers_late_or_not_at_all_lets_nobody_in() {
    let authority = Authority::new();
    let gateway = gateway(&authority, Pace { sign_in: Duration::from_millis(200), ..Pace::default() }).await;
    for (name, wanted) in [
        ("office", "235 2.7.0 "),
        ("anybody", "535 5.7.8 "),
        ("many", "454 4.7.0 "),
        ("gone", "454 4.7.0 "),
        ("panic", "454 4.7.0 "),
        ("slow", "454 4.7.0 "),
    ] {
        let mut client = client(&gateway, &authority).await;
        let reply = client.says(plain(name)).await;
        assert!(reply.starts_with(wanted), "{name}: {reply}");
        let mail = client.says("MAIL FROM:<office@school.example>\r\n").await;
        assert_eq!(mail.starts_with("250 "), name == "office", "{name}: {mail}");
    }
    assert!(gateway.taken().is_empty());
}

#[tokio::test]
async fn a_message_says_who_had_signed_in() {
    let authority = Authority::new();
    let gateway = gateway(&authority, Pace::default()).await;
    let mut client = client(&gateway, &authority).await;
    assert!(client.says("MAIL FROM:<office@school.example>\r\n").await.starts_with("530 5.7.0 "));
    assert!(client.says(plain("office")).await.starts_with("235 "));
    assert!(client.says("MAIL FROM:<head@school.example>\r\n").await.starts_with("550 5.7.1 "));
    assert!(client.mails("office", MAIL).await.starts_with("250 "));
    let taken = gateway.taken();
    let account = taken[0].account.as_ref().expect("an account");
    assert_eq!((account.name.as_str(), taken[0].encrypted, taken.len()), ("office", true, 1));
    let text = String::from_utf8_lossy(&taken[0].content).into_owned();
    assert!(text.contains("\r\n\twith ESMTPSA id "), "{text}");
}
