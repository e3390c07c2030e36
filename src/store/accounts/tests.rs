//! Accounts as a whole, on a real store with a clock that only the test moves.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row;

use super::super::{AuditFilter, Clock, Manner, Store, StoreError, StoreKey};
use super::*;
use crate::limits;
use crate::smtp::Address;

mod opening;
mod signing_in;
mod submission;

const PASSWORD: &str = "kettle-orchard-violin";
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// A store with nobody in it.
struct Desk {
    directory: tempfile::TempDir,
    store: Store,
    clock: Clock,
}

impl Desk {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::manual("2026-11-28T09:00:00Z".parse().unwrap());
        let manner = Manner { clock: clock.clone(), ..Manner::default() };
        let key = StoreKey::from_bytes([7; 32]);
        let store = Store::open_exclusive_in(directory.path(), key, &manner).await.unwrap();
        Self { directory, store, clock }
    }

    fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn add(&self, name: &str, roles: &[Role]) -> Link {
        let address = Address::parse(&format!("{name}@saltmere.example")).unwrap();
        self.store.create_account(name, &address, roles, "root").await.unwrap()
    }

    /// Makes an account and signs it up; gives the authenticator and the recovery codes.
    async fn person(&self, name: &str, roles: &[Role]) -> (Phone, Vec<Token>) {
        let link = self.add(name, roles).await;
        self.sign_up(&link).await
    }

    async fn sign_up(&self, link: &Link) -> (Phone, Vec<Token>) {
        let phone = Phone(self.store.sign_up(link.token.reveal()).await.unwrap().unwrap());
        let code = phone.code(self.clock.now());
        match self.store.complete_sign_up(link.token.reveal(), PASSWORD, &code).await.unwrap() {
            SignUpAnswer::Done(codes) => (phone, codes),
            other => panic!("{other:?}"),
        }
    }

    /// The first step, with the right password.
    async fn half_way(&self, name: &str) -> Token {
        match self.store.sign_in_password(name, PASSWORD, CLIENT).await.unwrap() {
            PasswordAnswer::Code(token) => token,
            other => panic!("{other:?}"),
        }
    }

    /// Both steps, with the code of the next moment in which there is a fresh one.
    async fn session(&self, name: &str, phone: &Phone) -> Token {
        self.later(limits::TOTP_SECONDS * 2);
        let half = self.half_way(name).await;
        match self.store.sign_in_code(half.reveal(), &phone.code(self.clock.now()), CLIENT).await.unwrap() {
            CodeAnswer::In(session) => session.token,
            other => panic!("{other:?}"),
        }
    }

    async fn is_in(&self, token: &Token) -> bool {
        self.store.session(token.reveal()).await.unwrap().is_some()
    }

    /// Events of the audit, oldest first.
    async fn events(&self) -> Vec<String> {
        let lines = self.store.audit_list(&AuditFilter::default(), 1_000).await.unwrap();
        lines.into_iter().map(|line| line.event).collect()
    }
}

/// An authenticator that somebody typed the secret into.
struct Phone(SignUp);

impl Phone {
    fn code(&self, at: Timestamp) -> String {
        let secret = self.0.secret.reveal().replace(' ', "");
        let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
        let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
        totp.generate(u64::try_from(at.as_second()).unwrap()).to_string()
    }
}

#[tokio::test]
async fn names_and_addresses_are_one_person_s() {
    let desk = Desk::new().await;
    let address = |text: &str| Address::parse(text).unwrap();
    let add = |name: &'static str, mailbox: &'static str| {
        let store = desk.store.clone();
        async move { store.create_account(name, &address(mailbox), &[Role::Sbm], "root").await }
    };
    add("Jane.Doe", "J.Doe@Saltmere.example").await.unwrap();
    for (name, mailbox, refused) in [
        ("jane.doe", "other@saltmere.example", "there is an account with the name jane.doe already"),
        ("other", "j.doe@saltmere.EXAMPLE", "there is an account with the address j.doe@saltmere.example already"),
        ("", "a@b.example", "a name to sign in with"),
        ("two words", "a@b.example", "a name to sign in with"),
        ("jöe", "a@b.example", "a name to sign in with"),
        ("x\u{1b}[2J", "a@b.example", "a name to sign in with"),
        (Box::leak("x".repeat(65).into_boxed_str()), "a@b.example", "a name to sign in with"),
    ] {
        let error = add(name, mailbox).await.unwrap_err().to_string();
        assert!(error.starts_with(refused), "{name}: {error}");
    }
    let account = desk.store.account(" JANE.doe").await.unwrap();
    assert_eq!((account.name.as_str(), account.address.as_str()), ("jane.doe", "j.doe@saltmere.example"));
    assert_eq!(desk.store.account_of(&address("J.DOE@saltmere.example")).await.unwrap(), Some(account));
    assert!(matches!(desk.store.account("nobody").await, Err(StoreError::NoAccount(name)) if name == "nobody"));
    assert_eq!(desk.store.accounts().await.unwrap().len(), 1);
    assert_eq!(desk.events().await, ["account-created"]);
}

#[tokio::test]
async fn a_link_signs_up_once_within_a_day() {
    let desk = Desk::new().await;
    let link = desk.add("jane", &[Role::Sbm]).await;
    assert_eq!(link.until, "2026-11-29T09:00:00Z".parse().unwrap());
    let brought = link.token.reveal();
    let phone = Phone(desk.store.sign_up(brought).await.unwrap().unwrap());
    assert_eq!(phone.0.name, "jane");
    assert!(phone.0.otpauth.reveal().starts_with("otpauth://totp/schoolgate:jane?secret="));
    let code = phone.code(desk.clock.now());
    let try_with = |password: &'static str, code: &str| {
        let (store, brought, code) = (desk.store.clone(), brought.to_owned(), code.to_owned());
        async move { store.complete_sign_up(&brought, password, &code).await.unwrap() }
    };
    assert!(matches!(try_with("jane2026", &code).await, SignUpAnswer::Weak(WeakPassword::Short)));
    assert!(matches!(try_with("jane20262026", &code).await, SignUpAnswer::Weak(WeakPassword::Name)));
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert!(matches!(try_with(PASSWORD, wrong).await, SignUpAnswer::WrongCode));
    assert!(!desk.store.account("jane").await.unwrap().signed_up, "nothing of that changed anything");
    let SignUpAnswer::Done(codes) = try_with(PASSWORD, &code).await else { panic!("it is right") };
    assert_eq!(codes.len(), limits::RECOVERY_CODES);
    assert!(matches!(try_with(PASSWORD, &code).await, SignUpAnswer::Over), "a link works once");
    assert!(desk.store.sign_up(brought).await.unwrap().is_none());
    let account = desk.store.account("jane").await.unwrap();
    assert!(account.signed_up && account.link_until.is_none());
    // The code that signed up does not sign in.
    let half = desk.half_way("jane").await;
    assert!(matches!(desk.store.sign_in_code(half.reveal(), &code, CLIENT).await.unwrap(), CodeAnswer::Wrong));

    // Too old, of an account out of use, and made up.
    let old = desk.add("old", &[]).await;
    let off = desk.add("off", &[]).await;
    desk.store.disable_account("off", LastSbm::Keep, "root").await.unwrap();
    desk.later(limits::SIGN_UP_SECONDS - 1);
    assert!(desk.store.sign_up(old.token.reveal()).await.unwrap().is_some());
    desk.later(1);
    for brought in [old.token.reveal(), off.token.reveal(), "", "x", &"A".repeat(43)] {
        assert!(desk.store.sign_up(brought).await.unwrap().is_none(), "{brought}");
        let answer = desk.store.complete_sign_up(brought, PASSWORD, "000000").await.unwrap();
        assert!(matches!(answer, SignUpAnswer::Over), "{brought}");
    }
}

#[tokio::test]
async fn of_two_who_use_one_link_one_wins() {
    let desk = Desk::new().await;
    let link = desk.add("jane", &[Role::Sbm]).await;
    let phone = Phone(desk.store.sign_up(link.token.reveal()).await.unwrap().unwrap());
    let code = phone.code(desk.clock.now());
    let (one, other) = tokio::join!(
        desk.store.complete_sign_up(link.token.reveal(), PASSWORD, &code),
        desk.store.complete_sign_up(link.token.reveal(), "another good password", &code),
    );
    let won = [one.unwrap(), other.unwrap()].map(|answer| matches!(answer, SignUpAnswer::Done(_)));
    assert!(won[0] != won[1], "{won:?}");
    let right = desk.store.sign_in_password("jane", PASSWORD, CLIENT).await.unwrap();
    assert_eq!(matches!(right, PasswordAnswer::Code(_)), won[0], "the password is the winner's");
    assert_eq!(desk.events().await.iter().filter(|event| *event == "signed-up").count(), 1);
}

#[tokio::test]
async fn what_changes_an_account_ends_its_sessions() {
    let desk = Desk::new().await;
    desk.person("head", &[Role::Sbm]).await;
    let (mut phone, _) = desk.person("jane", &[Role::Head]).await;
    let change: [(&str, bool, &str); 8] = [
        ("the same roles", true, ""),
        ("roles", false, "account-roles"),
        ("a wrong password", true, "sign-in-failed"),
        ("password", false, "password-changed"),
        ("disable", false, "account-disabled"),
        ("sign out", false, "signed-out"),
        ("all sessions", false, "sessions-ended"),
        ("reset", false, "account-reset"),
    ];
    let mut password = PASSWORD;
    for (what, stays, event) in change {
        let session = desk.session("jane", &phone).await;
        assert!(desk.is_in(&session).await, "{what}");
        let mut lines = desk.events().await.len();
        let store = &desk.store;
        match what {
            "the same roles" => assert!(!store.set_roles("jane", &[Role::Head], LastSbm::Keep, "x").await.unwrap()),
            "roles" => assert!(store.set_roles("jane", &[Role::It, Role::Dsl], LastSbm::Keep, "x").await.unwrap()),
            "a wrong password" => {
                let session = session.reveal();
                let answer =
                    store.change_password(session, "not this one", "seven blue teapots", CLIENT).await.unwrap();
                assert!(matches!(answer, PasswordChange::Wrong));
                let answer = store.new_recovery_codes(session, "not this one", CLIENT).await.unwrap();
                assert!(matches!(answer, NewCodes::Wrong));
            }
            "password" => {
                let other = desk.session("jane", &phone).await;
                lines = desk.events().await.len();
                let old = session.reveal();
                let weak = store.change_password(old, password, "password1234", CLIENT).await.unwrap();
                assert!(matches!(weak, PasswordChange::Weak(WeakPassword::Common)));
                let new = "seven blue teapots";
                let before = store.session(old).await.unwrap().unwrap();
                desk.later(60);
                let answer = store.change_password(old, password, new, CLIENT).await.unwrap();
                let PasswordChange::Done(token) = answer else { panic!("{answer:?}") };
                assert!(!desk.is_in(&session).await && !desk.is_in(&other).await);
                let after = store.session(token.reveal()).await.unwrap().unwrap();
                assert_eq!((after.since, after.until), (before.since, before.until), "it ends when it would have");
                assert_ne!(after.csrf, before.csrf, "forms of the old session are worth nothing");
                let again = store.change_password(old, new, password, CLIENT).await.unwrap();
                assert!(matches!(again, PasswordChange::Over));
                // Back, so that the next rounds sign in as ever.
                let answer = store.change_password(token.reveal(), new, password, CLIENT).await.unwrap();
                assert!(matches!(answer, PasswordChange::Done(_)));
                password = PASSWORD;
            }
            "disable" => assert!(store.disable_account("jane", LastSbm::Keep, "x").await.unwrap()),
            "sign out" => {
                assert!(store.sign_out(session.reveal()).await.unwrap());
                assert!(!store.sign_out(session.reveal()).await.unwrap(), "once");
            }
            "all sessions" => assert_eq!(store.end_sessions("jane", "x").await.unwrap(), 1),
            _ => {
                let link = store.reset_account("jane", "x").await.unwrap();
                let answer = store.sign_in_password("jane", PASSWORD, CLIENT).await.unwrap();
                assert!(matches!(answer, PasswordAnswer::Wrong), "the old password is gone");
                desk.later(limits::TOTP_SECONDS);
                (phone, _) = desk.sign_up(&link).await;
            }
        }
        assert_eq!(desk.is_in(&session).await, stays, "{what}");
        let told = desk.events().await.split_off(lines);
        assert_eq!(told.first().map_or("", String::as_str), event, "{what}");
        if what == "disable" {
            assert!(!store.disable_account("jane", LastSbm::Keep, "x").await.unwrap(), "already");
            assert!(
                store.enable_account("jane", "x").await.unwrap() && !store.enable_account("jane", "x").await.unwrap()
            );
            assert!(!desk.is_in(&session).await, "what has ended does not come back");
        }
    }
    assert_eq!(desk.store.account("jane").await.unwrap().roles, [Role::Dsl, Role::It]);
    desk.session("jane", &phone).await;
    assert!(desk.store.audit_verify(super::super::Scope::Whole).await.unwrap().is_ok());
}

/// For an hour, once, the latest, and while there is nobody at all.
#[tokio::test]
async fn the_first_link_is_for_the_first_account() {
    let desk = Desk::new().await;
    let address = Address::parse("Jane@saltmere.example").unwrap();
    let complete = async |link: &FirstLink, name: &str| {
        let phone = desk.store.first_sign_up(link.token.reveal()).await.unwrap().map(Phone);
        let code = phone.map_or_else(String::new, |phone| phone.code(desk.clock.now()));
        desk.store.complete_first(link.token.reveal(), name, &address, PASSWORD, &code).await
    };
    let late = desk.store.first_link().await.unwrap().unwrap();
    desk.later(limits::FIRST_LINK_SECONDS);
    assert!(matches!(complete(&late, "jane").await.unwrap(), SignUpAnswer::Over), "too late");
    let before = desk.store.first_link().await.unwrap().unwrap();
    let link = desk.store.first_link().await.unwrap().unwrap();
    assert!(matches!(complete(&before, "jane").await.unwrap(), SignUpAnswer::Over), "there is a later one");
    assert!(matches!(complete(&link, "no name").await, Err(StoreError::Refused(_))));
    assert!(desk.events().await.is_empty());
    let (a, b) = tokio::join!(complete(&link, "Jane"), complete(&link, "joe"));
    let done = [a.unwrap(), b.unwrap()];
    assert_eq!(done.iter().filter(|one| matches!(one, SignUpAnswer::Done(_))).count(), 1, "{done:?}");
    assert_eq!(desk.events().await, ["account-created", "signed-up"]);
    let accounts = desk.store.accounts().await.unwrap();
    assert!(accounts.len() == 1 && accounts[0].signed_up && accounts[0].roles == [Role::Sbm], "{accounts:?}");
    assert!(desk.store.first_link().await.unwrap().is_none());

    let desk = Desk::new().await;
    let link = desk.store.first_link().await.unwrap().unwrap();
    desk.add("joe", &[]).await;
    desk.store.disable_account("joe", LastSbm::MayGo, "x").await.unwrap();
    assert!(desk.store.first_sign_up(link.token.reveal()).await.unwrap().is_none(), "somebody was faster");
}

#[tokio::test]
async fn the_last_sbm_goes_only_when_that_is_said() {
    let desk = Desk::new().await;
    desk.add("one", &[Role::Sbm, Role::Head]).await;
    desk.add("two", &[Role::Sbm]).await;
    desk.add("head", &[Role::Head]).await;
    let store = &desk.store;
    let is_last = |result: Result<bool, StoreError>| matches!(result, Err(StoreError::LastSbm(name)) if name == "one");
    assert!(store.set_roles("two", &[Role::It], LastSbm::Keep, "x").await.unwrap(), "one has it still");
    assert!(is_last(store.set_roles("one", &[Role::Head], LastSbm::Keep, "x").await));
    assert!(is_last(store.disable_account("one", LastSbm::Keep, "x").await));
    assert!(store.set_roles("one", &[Role::Sbm], LastSbm::Keep, "x").await.unwrap(), "it keeps the role");
    store.set_roles("two", &[Role::Sbm], LastSbm::Keep, "x").await.unwrap();
    store.disable_account("two", LastSbm::Keep, "x").await.unwrap();
    assert!(is_last(store.disable_account("one", LastSbm::Keep, "x").await), "one out of use does not count");
    assert!(store.disable_account("one", LastSbm::MayGo, "x").await.unwrap());
    assert!(store.set_roles("one", &[], LastSbm::Keep, "x").await.unwrap(), "it was not in use any more");
    store.reset_account("head", "x").await.unwrap();
    assert!(matches!(store.reset_account("one", "x").await, Err(StoreError::Refused(_))));
}

#[tokio::test]
async fn no_secret_stands_in_the_database() {
    let desk = Desk::new().await;
    let (phone, codes) = desk.person("jane", &[Role::Sbm]).await;
    let open = desk.add("open", &[]).await;
    let session = desk.session("jane", &phone).await;
    let half = desk.half_way("jane").await;
    desk.store.sign_in_password("hunter2-in-the-wrong-field", PASSWORD, CLIENT).await.unwrap();
    let base32 = phone.0.secret.reveal().replace(' ', "");
    let raw = totp_rs::Secret::try_from_base32(&base32).unwrap();
    let mut secrets: Vec<Vec<u8>> = vec![PASSWORD.into(), base32.into(), raw.as_bytes().to_vec()];
    secrets.push("hunter2-in-the-wrong-field".into());
    secrets.extend(codes.iter().chain([&open.token, &session, &half]).map(|token| token.reveal().into()));
    secrets.extend(codes.iter().map(|code| code.reveal().replace('-', "").into()));
    // Whatever stands in any table, in clear text or as bytes.
    let tables = ["account", "recovery_code", "sign_up", "sign_in", "session", "attempt", "audit", "setting"];
    let (mut seen, mut values) = (0, Vec::new());
    for table in tables {
        let sql = format!("select * from {table}");
        for row in sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&desk.store.inner.reader).await.unwrap() {
            seen += 1;
            for column in 0..row.len() {
                values
                    .push(row.try_get_unchecked::<Option<Vec<u8>>, _>(column).unwrap_or_default().unwrap_or_default());
            }
        }
    }
    assert!(seen > 20 && values.iter().any(|value| value.starts_with(b"$argon2id$")), "{seen} rows");
    for secret in &secrets {
        assert!(
            !values.iter().any(|v| v.windows(secret.len()).any(|w| w == secret)),
            "{:?}",
            String::from_utf8_lossy(secret)
        );
    }
    for shown in [format!("{session:?}"), format!("{open:?}"), format!("{:?}", phone.0)] {
        assert!(secrets.iter().all(|s| !shown.contains(&*String::from_utf8_lossy(s))), "{shown}");
    }
}
