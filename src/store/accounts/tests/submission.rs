//! Accounts that sign in to send.

use super::*;
use crate::smtp::auth::{self, NotSignedIn, Sender};
use crate::store::audit::micros;

const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 8));

fn mailbox(text: &str) -> Sender {
    Sender::Mailbox(Address::parse(text).unwrap())
}

impl Desk {
    /// Makes the account `copier` with the password that all tests use.
    async fn copier(&self) {
        let senders = [mailbox("Office@School.example")];
        let made = self.store.create_submission("Copier", &senders, Some(PASSWORD), "root").await.unwrap();
        assert!(made.is_none(), "the password was given");
    }

    async fn sends(&self, name: &str, password: &str, client: IpAddr) -> Result<auth::Account, NotSignedIn> {
        self.store.sign_in_to_send(name, password, client).await.unwrap()
    }
}

/// relay.md 117: an unknown name, one out of use and a wrong password are one answer, after the same work.
#[tokio::test]
async fn who_signs_in_and_who_does_not() {
    let desk = Desk::new().await;
    desk.copier().await;
    desk.store
        .create_submission("off@school.example", &[mailbox("off@school.example")], Some(PASSWORD), "root")
        .await
        .unwrap();
    assert!(desk.store.use_submission("off@school.example", false, "root").await.unwrap());
    let account = desk.sends(" COPIER", PASSWORD, CLIENT).await.unwrap();
    assert_eq!((account.name.as_str(), account.senders), ("copier", vec![mailbox("office@school.example")]));
    for (name, password) in [("copier", "wrong"), ("nobody", PASSWORD), ("off@school.example", PASSWORD), ("", "")] {
        let before = desk.store.inner.hasher.made();
        assert_eq!(desk.sends(name, password, CLIENT).await, Err(NotSignedIn::Wrong), "{name}");
        assert_eq!(desk.store.inner.hasher.made(), before + 1, "{name}: one hash, as for a right one");
    }
    // A person's account is none, and the other way round.
    desk.person("jane", &[Role::Sbm]).await;
    assert_eq!(desk.sends("jane", PASSWORD, OTHER).await, Err(NotSignedIn::Wrong));
    let answer = desk.store.sign_in_password("copier", PASSWORD, OTHER).await.unwrap();
    assert!(matches!(answer, PasswordAnswer::Wrong), "{answer:?}");
}

/// relay.md 118, both sides: by account at an address, by address, by account from everywhere.
#[tokio::test]
async fn tries_wait_before_a_password_is_hashed() {
    let client = |n: u32| IpAddr::V4(Ipv4Addr::from(0xc633_6400 + n));
    let throttled = Err(NotSignedIn::Throttled);
    let desk = Desk::new().await;
    desk.copier().await;
    let made = || desk.store.inner.hasher.made();
    // The account at this address, which is known from now on.
    desk.sends("copier", PASSWORD, CLIENT).await.expect("right");
    for _ in 0..limits::ATTEMPTS_ACCOUNT {
        assert_eq!(desk.sends("copier", "wrong", CLIENT).await, Err(NotSignedIn::Wrong));
    }
    desk.sends("copier", PASSWORD, CLIENT).await.expect("right in time, and the count begins anew");
    for _ in 0..=limits::ATTEMPTS_ACCOUNT {
        assert_eq!(desk.sends("copier", "wrong", CLIENT).await, Err(NotSignedIn::Wrong));
    }
    let before = made();
    assert_eq!(desk.sends("copier", PASSWORD, CLIENT).await, throttled);
    assert_eq!(made(), before, "not even looked at");
    desk.sends("copier", PASSWORD, OTHER).await.expect("from elsewhere it goes on");
    desk.later(limits::ATTEMPTS_ACCOUNT_SECONDS);
    desk.sends("copier", PASSWORD, CLIENT).await.expect("the wait is over");

    // An address, whatever the names; of IPv6 its network.
    for n in 0..=limits::ATTEMPTS_CLIENT {
        let address = format!("2001:db8::{n:x}").parse().unwrap();
        assert_eq!(desk.sends(&format!("name{n}"), "wrong", address).await, Err(NotSignedIn::Wrong), "{n}");
    }
    assert_eq!(desk.sends("copier", PASSWORD, "2001:db8::ffff".parse().unwrap()).await, throttled);
    desk.sends("copier", PASSWORD, "2001:db8:0:1::1".parse().unwrap()).await.expect("another network");
    // What the desk counts is another matter.
    let answer = desk.store.sign_in_password("jane", PASSWORD, "2001:db8::1".parse().unwrap()).await.unwrap();
    assert!(matches!(answer, PasswordAnswer::Wrong), "{answer:?}");

    // An account from everywhere: strangers wait, and those that have signed in with it do not.
    for n in 0..=limits::ATTEMPTS_SENDER {
        assert_eq!(desk.sends("copier", "wrong", client(n)).await, Err(NotSignedIn::Wrong), "{n}");
    }
    assert_eq!(desk.sends("copier", PASSWORD, client(200)).await, throttled);
    assert_eq!(desk.sends("nobody", "wrong", client(200)).await, Err(NotSignedIn::Wrong), "of another name");
    desk.sends("copier", PASSWORD, CLIENT).await.expect("nobody is kept out where they always come from");
    desk.later(limits::ATTEMPTS_MOST_SECONDS);
    desk.sends("copier", PASSWORD, client(200)).await.expect("the wait is over");
}

/// As many at once are no more than one after the other.
#[tokio::test]
async fn tries_at_once_are_counted_too() {
    let desk = Desk::new().await;
    desk.copier().await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let store = desk.store.clone();
        tries.spawn(async move { store.sign_in_to_send("copier", "wrong", CLIENT).await.unwrap() });
    }
    let answers = tries.join_all().await;
    let looked_at = answers.iter().filter(|answer| **answer == Err(NotSignedIn::Wrong)).count();
    assert_eq!(looked_at, usize::try_from(limits::ATTEMPTS_ACCOUNT + 1).unwrap(), "{answers:?}");
}

#[tokio::test]
async fn accounts_are_changed_and_each_change_is_told() {
    let desk = Desk::new().await;
    let store = &desk.store;
    let many: Vec<Sender> =
        (0..=limits::SUBMISSION_SENDERS).map(|n| mailbox(&format!("m{n}@school.example"))).collect();
    let office = [mailbox("office@school.example")];
    for (name, senders, password) in [
        ("", &office[..], None),
        ("no name", &office, None),
        ("copier", &[], None),
        ("copier", &many, None),
        ("copier", &[mailbox("\"of fice\"@school.example")], None),
        ("copier", &office, Some("short")),
        ("copier", &office, Some("password1234")),
    ] {
        let refused = store.create_submission(name, senders, password, "root").await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{name:?} {refused:?}");
    }
    assert!(desk.events().await.is_empty() && store.submissions().await.unwrap().is_empty());

    let made = store.create_submission("copier", &office, None, "root").await.unwrap().expect("one was made");
    assert!(made.reveal().len() >= 24 && desk.sends("copier", made.reveal(), CLIENT).await.is_ok());
    let again = store.create_submission("COPIER", &office, None, "root").await;
    assert!(matches!(again, Err(StoreError::AccountExists("name", _))), "{again:?}");
    let other = store.set_submission_password("copier", None, "root").await.unwrap().expect("another one");
    assert_eq!(
        desk.sends("copier", made.reveal(), CLIENT).await,
        Err(NotSignedIn::Wrong),
        "the old one is worth nothing"
    );
    assert!(desk.sends("copier", other.reveal(), CLIENT).await.is_ok());
    let both = [Sender::Domain("School.example".to_owned()), mailbox("B@trust.example"), mailbox("a@trust.example")];
    assert!(store.set_submission_senders("copier", &both, "root").await.unwrap());
    assert!(!store.set_submission_senders("copier", &both, "root").await.unwrap(), "it was so already");
    let listed = store.submissions().await.unwrap();
    assert_eq!(listed[0].mailboxes, ["a@trust.example", "b@trust.example"]);
    assert_eq!(
        (&listed[0].domains[..], listed[0].used_at),
        (&["school.example".to_owned()][..], Some(desk.clock.now()))
    );
    assert_eq!(listed[0].created_by, "root");
    for (in_use, changed) in [(true, false), (false, true), (false, false), (true, true)] {
        assert_eq!(store.use_submission("copier", in_use, "root").await.unwrap(), changed);
    }
    assert!(desk.sends("copier", other.reveal(), CLIENT).await.unwrap().senders.len() == 3);
    store.remove_submission("copier", "root").await.unwrap();
    assert_eq!(desk.sends("copier", other.reveal(), CLIENT).await, Err(NotSignedIn::Wrong));
    for gone in [
        store.remove_submission("copier", "root").await.err(),
        store.use_submission("copier", true, "root").await.err(),
        store.set_submission_senders("copier", &office, "root").await.err(),
        store.set_submission_password("copier", None, "root").await.err(),
    ] {
        assert!(matches!(gone, Some(StoreError::NoAccount(_))), "{gone:?}");
    }
    let words = ["created", "password", "senders", "disabled", "enabled", "removed"];
    assert_eq!(desk.events().await, words.map(|word| format!("sender-{word}")));
    assert!(store.audit_verify(super::super::super::Scope::Whole).await.unwrap().is_ok());
    let audit = format!("{:?}", store.audit_list(&AuditFilter::default(), 100).await.unwrap());
    assert!(
        audit.contains("@school.example") && !audit.contains(made.reveal()) && !audit.contains("argon2"),
        "{audit}"
    );
}

/// A hundred thousand addresses and names: what is kept of them is bounded, whoever waits goes on waiting, and the right password still
/// signs in.
#[tokio::test]
async fn however_many_try_the_counts_are_bounded() {
    let desk = Desk::new().await;
    desk.copier().await;
    desk.sends("copier", PASSWORD, OTHER).await.expect("right");
    for _ in 0..=limits::ATTEMPTS_ACCOUNT {
        assert_eq!(desk.sends("copier", "wrong", CLIENT).await, Err(NotSignedIn::Wrong));
    }
    let mut raw = crate::store::tests::raw(desk.directory.path()).await;
    let count = async || {
        let counted = sqlx::query_scalar::<_, i64>("select count(*) from attempt");
        u32::try_from(counted.fetch_one(&desk.store.inner.reader).await.unwrap()).unwrap()
    };
    let before = count().await;
    // As each of them leaves it after one try.
    sqlx::query(
        "with recursive n (n) as (select 1 union all select n + 1 from n where n < $1) \
         insert into attempt (whose, failures, last_at, until) select randomblob(32), 1, $2, 0 from n",
    )
    .bind(i64::from(limits::ATTEMPTS_KEPT))
    .bind(micros(desk.clock.now()))
    .execute(&mut raw)
    .await
    .unwrap();
    assert_eq!(count().await, limits::ATTEMPTS_KEPT + before);
    desk.store.forget(Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(count().await, limits::ATTEMPTS_KEPT);
    desk.store.forget(Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(count().await, limits::ATTEMPTS_KEPT, "and no further");
    assert_eq!(
        desk.sends("copier", PASSWORD, CLIENT).await,
        Err(NotSignedIn::Throttled),
        "whoever waits goes on waiting"
    );
    desk.sends("copier", PASSWORD, OTHER).await.expect("from elsewhere it goes on");
}
