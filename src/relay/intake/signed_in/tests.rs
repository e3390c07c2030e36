//! Messages of clients that have signed in, and signing in with a real store.

use std::net::{IpAddr, Ipv4Addr};

use sqlx::Connection as _;
use zeroize::Zeroizing;

use super::*;
use crate::smtp::Envelope;
use crate::store::{QueueId, StoreKey};

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
const OURS: &str = "Received: from c\r\n\tby gate.school.example id 1\r\n";

fn mailbox(text: &str) -> Sender {
    Sender::Mailbox(Address::parse(text).unwrap())
}

fn copier() -> Account {
    let senders = vec![mailbox("office@school.example"), Sender::Domain("scan.school.example".to_owned())];
    Account { name: "copier".to_owned(), senders }
}

fn submission(account: Option<Account>, message: &str) -> Submission {
    let content: Arc<[u8]> = [OURS, message].concat().into_bytes().into();
    let at = "2026-11-28T09:00:00Z".parse().unwrap();
    Submission {
        id: QueueId::generate(at),
        envelope: Envelope::new(None, vec![Address::parse("b@x.example").unwrap()]),
        client: CLIENT,
        helo: "c".to_owned(),
        encrypted: true,
        account,
        sha256: sha256(&content),
        content,
        received_hops: 0,
        at,
    }
}

/// Every address of From and Sender, in whatever form, is one that the account may send as.
#[tokio::test]
async fn a_message_is_from_whom_its_account_may_send_as() {
    for (header, taken) in [
        ("From: office@school.example", true),
        ("from: The Office <OFFICE@School.example>", true),
        ("From: =?utf-8?q?B=C3=BCro?= <office@school.example>", true),
        ("From: office@school.example, anybody@scan.school.example", true),
        ("From: office@school.example\r\nSender: scan1@scan.school.example", true),
        ("FROM :\r\n office@school.example", true),
        ("From: office@school.example\r\nReply-To: head@elsewhere.example", true),
        ("From: head@school.example", false),
        ("From: \"office@school.example\" <head@school.example>", false),
        ("From: office@school.example <head@school.example>", false),
        ("From: office@school.example, head@school.example", false),
        ("From: <office@school.example> <head@school.example>", false),
        ("From: office@school.example\r\nFrom: head@school.example", false),
        ("FROM :\r\n head@school.example", false),
        ("From: Staff: office@school.example, head@school.example;", false),
        ("From: office@school.example\r\nSender: head@school.example", false),
        ("From: office@school.example\r\nX: y\r\nsender : head@school.example", false),
        ("From: office@scan.school.example.evil.example", false),
        ("From: The Office", false),
        ("From:", false),
        ("From: undisclosed:;", false),
        ("Subject: of nobody", false),
    ] {
        let message = format!("{header}\r\nDate: Sat, 28 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@c>\r\n\r\nHi\r\n");
        match completed(submission(Some(copier()), &message)).await {
            Ok(submission) => {
                assert!(taken, "{header}");
                assert_eq!(&*submission.content, format!("{OURS}{message}").as_bytes(), "{header}");
            }
            Err(reply) => {
                assert!(!taken, "{header}: {reply:?}");
                let words = String::from_utf8(reply.to_bytes()).unwrap();
                assert!(words.starts_with("550-5.7.1 ") && words.contains("\r\n550 5.7.1 "), "{words}");
                assert!(!words.contains("head@"), "{words}");
            }
        }
        // Of others nothing is asked.
        assert!(completed(submission(None, &message)).await.is_ok(), "{header}");
    }
}

/// relay.md 67: what is missing is added for those that have signed in, below our line, and never on the way through.
#[tokio::test]
async fn date_and_message_id_are_added_on_submission_alone() {
    let from = "From: office@school.example\r\n";
    for (more, date, id) in [
        ("", true, true),
        ("Date: Fri, 27 Nov 2026 09:00:00 +0000\r\n", false, true),
        ("message-id: <1@c>\r\n", true, false),
        ("Resent-Date: x\r\nDATE: x\r\nMessage-Id:\r\n", false, false),
    ] {
        let message = format!("{from}{more}\r\nDate: in the body\r\n");
        let relayed = completed(submission(None, &message)).await.unwrap();
        assert_eq!(&*relayed.content, format!("{OURS}{message}").as_bytes());
        let sent = completed(submission(Some(copier()), &message)).await.unwrap();
        let mut added = String::new();
        if date {
            added += "Date: Sat, 28 Nov 2026 09:00:00 +0000\r\n";
        }
        if id {
            added += &format!("Message-ID: <{}@school.example>\r\n", sent.id);
        }
        assert_eq!(String::from_utf8_lossy(&sent.content), format!("{OURS}{added}{message}"), "{more}");
        assert_eq!(sent.sha256, sha256(&sent.content), "{more}");
    }
}

fn shown(name: &str, password: &str) -> Credentials {
    Credentials { name: name.to_owned(), password: Zeroizing::new(password.to_owned()) }
}

/// relay.md 117 and 119, and an account whose domain is the school's no more.
#[tokio::test]
async fn the_store_is_asked_and_without_it_nobody_signs_in() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_exclusive(folder.path(), StoreKey::from_bytes([7; 32])).await.unwrap();
    let senders =
        [mailbox("office@school.example"), mailbox("a@old.example"), Sender::Domain("old.example".to_owned())];
    store.create_submission("copier", &senders, Some("kettle-orchard-violin"), "root").await.unwrap();
    let domains = ["school.example".to_owned()];
    let ask = async |name: &str, password: &str| sign_in(&store, &domains, &shown(name, password), CLIENT).await;
    let account = ask("Copier", "kettle-orchard-violin").await.unwrap();
    assert_eq!((account.name.as_str(), account.senders), ("copier", vec![mailbox("office@school.example")]));
    assert_eq!(ask("copier", "wrong").await, Err(NotSignedIn::Wrong));
    assert_eq!(ask("nobody", "wrong").await, Err(NotSignedIn::Wrong));
    // Now the accounts cannot be read.
    let mut other = sqlx::SqliteConnection::connect(folder.path().join("queue.db").to_str().unwrap()).await.unwrap();
    sqlx::query("alter table submission_account rename to gone").execute(&mut other).await.unwrap();
    for (name, password) in [("copier", "kettle-orchard-violin"), ("copier", "wrong"), ("nobody", "wrong")] {
        assert_eq!(ask(name, password).await, Err(NotSignedIn::Unavailable), "{name}");
    }
}
