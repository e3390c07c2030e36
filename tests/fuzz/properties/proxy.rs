//! The PROXY header: whatever comes after it, and in whatever pieces it comes, it says the same.

use std::net::IpAddr;

use schoolgate::smtp::proxy::{Header, read};

/// What a connection begins with.
pub fn holds(input: &[u8]) {
    let input = &input[..input.len().min(2048)];
    let whole = read(input);
    let mut decided = None;
    for length in 0..=input.len() {
        let now = read(&input[..length]);
        match (decided, now) {
            (None, Header::More) => {}
            (None, now) => decided = Some((length, now)),
            (Some((_, before)), now) => assert_eq!(now, before, "more octets change nothing"),
        }
    }
    match (decided, whole) {
        (None, Header::More) => assert!(input.len() < 2048, "it does not end"),
        (Some((length, Header::Read { used, client })), _) => {
            assert_eq!(used, length, "it is read as soon as it is there, and nothing of the client's with it");
            if let Some(client) = client {
                assert_eq!(client, client.to_canonical());
                assert_eq!(read(&again(client)), Header::Read { used: again(client).len(), client: Some(client) });
            }
        }
        (Some((_, now)), whole) => assert_eq!(now, whole),
        (None, whole) => panic!("{whole:?} of nothing"),
    }
}

fn again(client: IpAddr) -> Vec<u8> {
    let (kind, to) = if client.is_ipv4() { ("TCP4", "192.0.2.1") } else { ("TCP6", "2001:db8::1") };
    format!("PROXY {kind} {client} {to} 1 25\r\n").into_bytes()
}
