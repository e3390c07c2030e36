//! Guesses of passwords from everywhere: slowed down by address, by account at an address, and by account; whoever has the password and
//! always came from the same place still signs in. That the counts are bounded however many are tried: `src/store/accounts/tests`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::caller::{address, certificate, doors, is_served, memory, secured};
use crate::support::{Gateway, Sink};

const PASSWORD: &str = "plum kettle orchard";
/// Sessions from addresses of their own, each with as many tries as a session may have; above fifty tries, from which an account waits.
const STRANGERS: usize = 25;
/// Tries of other accounts from one address; above thirty, from which an address waits.
const FROM_ONE: usize = 36;
/// What the guesses may leave behind, KiB: each hash takes 19 MB while it is made, which the allocator may keep for the next ones.
const LEFT_BEHIND: u64 = 128 * 1_024;

fn plain(name: &str, password: &str) -> String {
    format!("AUTH PLAIN {}", BASE64_STANDARD.encode(format!("\0{name}\0{password}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_are_slowed_down_and_the_right_password_from_its_place_is_not() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    let connector = certificate(gateway.directory());
    let port = doors(
        &gateway,
        &[("devices", "tls_certificate = \"gate.pem\"\ntls_key = \"gate.key\"\ntls = \"required\"\nsign_in = true")],
    )[0];
    gateway.start(&[]);
    let file = gateway.directory().join("password");
    std::fs::write(&file, PASSWORD).expect("written");
    let file = file.to_str().expect("a path");
    let made =
        gateway.command(&["sender", "add", "copier", "--send-as", "w.carr@saltmere.example", "--password-file", file]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    // One attempt in a session of its own: the last line that is heard.
    let attempt = async |number: usize, name: &str, password: &str| {
        secured(&connector, address(number), port).await.asks(&plain(name, password)).await
    };
    const HOME: usize = 1_000;
    assert!(attempt(HOME, "copier", PASSWORD).await.starts_with("235 "), "{}", gateway.log());
    let before = memory(&gateway);

    // One account, from many addresses.
    let mut refused = 0;
    for number in 0..STRANGERS {
        let mut guesser = secured(&connector, address(number), port).await;
        for guess in 1..=3 {
            let said = guesser.asks(&plain("copier", &format!("guess {number} {guess}"))).await;
            assert!(said.starts_with("535 5.7.8 ") || said.starts_with("454 4.7.0 "), "{said}");
            refused += usize::from(said.starts_with("454"));
        }
        assert_eq!(guesser.hears().await, "", "three wrong ones end a session");
    }
    assert!(refused > 0, "an account that everybody guesses at makes them wait");
    assert!(
        attempt(STRANGERS, "copier", PASSWORD).await.starts_with("454 4.7.0 "),
        "the right one too, from a strange place"
    );
    let at_home = attempt(HOME, "copier", PASSWORD).await;
    assert!(at_home.starts_with("235 "), "not where it always signs in: {at_home}");

    // Many accounts, from one address.
    let mut said = Vec::new();
    for number in 0..FROM_ONE {
        said.push(attempt(2_000, &format!("name{number}"), "guess").await);
    }
    assert!(said[0].starts_with("535 5.7.8 "), "{said:?}");
    assert!(said[FROM_ONE - 1].starts_with("454 4.7.0 "), "{said:?}");

    // Others are served, and the account sends.
    is_served(&gateway, "beside those who guess").await;
    let mut device = secured(&connector, address(HOME), port).await;
    assert!(device.asks(&plain("copier", PASSWORD)).await.starts_with("235 "));
    let sent = device.sends("from the copier").await;
    assert!(sent.starts_with("250 "), "{sent}");
    sink.wait("both", |taken| taken.len() >= 2);
    let after = memory(&gateway);
    println!("{before} KiB before, {after} KiB after");
    assert!(after <= before + LEFT_BEHIND, "{before} KiB before, {after} KiB after");
    assert!(!gateway.log().contains(PASSWORD) && !gateway.log().contains("guess 1"), "no password is told");
}
