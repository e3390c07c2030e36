//! The two steps, waits and the life of a session.

use super::*;

fn is_wrong(answer: &PasswordAnswer) -> bool {
    matches!(answer, PasswordAnswer::Wrong)
}

#[tokio::test]
async fn whoever_is_unknown_costs_as_much_and_hears_the_same() {
    let desk = Desk::new().await;
    desk.person("jane", &[Role::Sbm]).await;
    desk.person("gone", &[Role::Head]).await;
    desk.store.disable_account("gone", LastSbm::Keep, "root").await.unwrap();
    desk.add("new", &[Role::It]).await;
    for (name, password) in [
        ("jane", "not her password"),
        ("jane", ""),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("gone", "not her password"),
        ("new", PASSWORD),
        ("", ""),
        ("' or 1=1 --", PASSWORD),
    ] {
        let (hashes, lines) = (desk.store.inner.hasher.made(), desk.events().await.len());
        let answer = desk.store.sign_in_password(name, password, CLIENT).await.unwrap();
        assert!(is_wrong(&answer), "{name} {password}");
        assert_eq!(desk.store.inner.hasher.made() - hashes, 1, "{name}: one hash, whoever it is");
        assert_eq!(desk.events().await.split_off(lines), ["sign-in-failed"], "{name}: one line, whoever it is");
    }
    let hashes = desk.store.inner.hasher.made();
    desk.half_way("Jane ").await;
    assert_eq!(desk.store.inner.hasher.made() - hashes, 1, "no more for the right one");
}

#[tokio::test]
async fn a_code_is_taken_one_step_off_and_once() {
    let desk = Desk::new().await;
    let (phone, _) = desk.person("jane", &[Role::Sbm]).await;
    desk.later(3_600);
    let now = desk.clock.now();
    let at = |seconds: i64| phone.code(now + jiff::SignedDuration::from_secs(seconds));
    for (code, taken) in [
        (at(-60), false),
        (at(60), false),
        (at(-30), true),
        (at(-30), false),
        (at(0), true),
        (at(0), false),
        (at(-30), false),
        (at(30), true),
        (at(30), false),
        (at(0), false),
        ("".to_owned(), false),
    ] {
        let half = desk.half_way("jane").await;
        let answer = desk.store.sign_in_code(half.reveal(), &code, CLIENT).await.unwrap();
        assert_eq!(matches!(answer, CodeAnswer::In(_)), taken, "{code}: {answer:?}");
        desk.store.end_sessions("jane", "x").await.unwrap();
        forget_tries(&desk).await;
    }
}

/// Forgets what was tried: a table of many tries is not about the waits.
async fn forget_tries(desk: &Desk) {
    let path = desk.directory.path();
    let mut raw = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&crate::store::database::options(path))
        .await
        .unwrap();
    sqlx::query("delete from attempt").execute(&mut raw).await.unwrap();
}

#[tokio::test]
async fn two_at_once_with_one_code_are_one_sign_in() {
    let desk = Desk::new().await;
    let (phone, codes) = desk.person("jane", &[Role::Sbm]).await;
    desk.later(60);
    let authenticator = phone.code(desk.clock.now());
    for typed in [authenticator.as_str(), codes[0].reveal()] {
        let (one, other) = (desk.half_way("jane").await, desk.half_way("jane").await);
        let (a, b) = tokio::join!(
            desk.store.sign_in_code(one.reveal(), typed, CLIENT),
            desk.store.sign_in_code(other.reveal(), typed, CLIENT),
        );
        let ins = [a.unwrap(), b.unwrap()].iter().filter(|answer| matches!(answer, CodeAnswer::In(_))).count();
        assert_eq!(ins, 1);
    }
}

#[tokio::test]
async fn a_recovery_code_works_once_and_for_its_owner() {
    let desk = Desk::new().await;
    let (_, codes) = desk.person("jane", &[Role::Sbm]).await;
    let (_, others) = desk.person("joe", &[Role::It]).await;
    let typed = codes[3].reveal().to_lowercase().replace('-', " ");
    for (code, taken) in
        [(others[0].reveal(), false), (typed.as_str(), true), (typed.as_str(), false), (codes[9].reveal(), true)]
    {
        let half = desk.half_way("jane").await;
        let answer = desk.store.sign_in_code(half.reveal(), code, CLIENT).await.unwrap();
        assert_eq!(matches!(answer, CodeAnswer::In(_)), taken, "{answer:?}");
    }
}

#[tokio::test]
async fn new_recovery_codes_take_the_place_of_the_old() {
    let desk = Desk::new().await;
    let (phone, old) = desk.person("jane", &[Role::Sbm]).await;
    let session = desk.session("jane", &phone).await;
    let NewCodes::Done(new) = desk.store.new_recovery_codes(session.reveal(), PASSWORD, CLIENT).await.unwrap() else {
        panic!("the password is right")
    };
    assert_eq!(new.len(), old.len());
    assert!(desk.is_in(&session).await);
    assert_eq!(desk.events().await.last().map(String::as_str), Some("recovery-codes-made"));
    for (code, taken) in [(&old[0], false), (&new[0], true), (&new[0], false)] {
        let half = desk.half_way("jane").await;
        let answer = desk.store.sign_in_code(half.reveal(), code.reveal(), CLIENT).await.unwrap();
        assert_eq!(matches!(answer, CodeAnswer::In(_)), taken, "{answer:?}");
    }
}

/// Whoever finds a browser open has no more guesses than anybody else, and the waits are the same ones.
#[tokio::test]
async fn an_open_session_gives_no_guesses_at_the_password() {
    let desk = Desk::new().await;
    let (phone, _) = desk.person("jane", &[Role::Sbm]).await;
    let session = desk.session("jane", &phone).await;
    for at in 0..=limits::ATTEMPTS_ACCOUNT {
        let wrong = match at % 2 {
            0 => {
                let answer = desk.store.change_password(session.reveal(), "a guess", "seven blue teapots", CLIENT);
                matches!(answer.await.unwrap(), PasswordChange::Wrong)
            }
            _ => {
                let answer = desk.store.new_recovery_codes(session.reveal(), "a guess", CLIENT);
                matches!(answer.await.unwrap(), NewCodes::Wrong)
            }
        };
        assert!(wrong, "{at}");
    }
    let answer = desk.store.change_password(session.reveal(), PASSWORD, "seven blue teapots", CLIENT).await.unwrap();
    assert!(matches!(answer, PasswordChange::Wait(_)), "{answer:?}");
    let answer = desk.store.new_recovery_codes(session.reveal(), PASSWORD, CLIENT).await.unwrap();
    assert!(matches!(answer, NewCodes::Wait(_)), "{answer:?}");
    let answer = desk.store.sign_in_password("jane", PASSWORD, CLIENT).await.unwrap();
    assert!(matches!(answer, PasswordAnswer::Wait(_)), "{answer:?}");
    for brought in ["", "made up"] {
        let answer = desk.store.change_password(brought, PASSWORD, "seven blue teapots", CLIENT).await.unwrap();
        assert!(matches!(answer, PasswordChange::Over), "{answer:?}");
    }
}

#[tokio::test]
async fn the_second_step_needs_the_first_and_not_for_long() {
    let desk = Desk::new().await;
    let (phone, _) = desk.person("jane", &[Role::Sbm]).await;
    desk.later(60);
    let is_over = |answer: CodeAnswer| matches!(answer, CodeAnswer::Over);
    let half = desk.half_way("jane").await;
    assert!(!desk.is_in(&half).await, "half a sign-in is no session");
    for (brought, wait) in [("made up", 0), ("", 0), (half.reveal(), limits::SIGN_IN_SECONDS)] {
        desk.later(wait);
        let code = phone.code(desk.clock.now());
        assert!(is_over(desk.store.sign_in_code(brought, &code, CLIENT).await.unwrap()), "{brought}");
    }
    let half = desk.half_way("jane").await;
    let code = phone.code(desk.clock.now());
    assert!(matches!(desk.store.sign_in_code(half.reveal(), &code, CLIENT).await.unwrap(), CodeAnswer::In(_)));
    desk.later(60);
    let code = phone.code(desk.clock.now());
    assert!(is_over(desk.store.sign_in_code(half.reveal(), &code, CLIENT).await.unwrap()), "used up");
    let half = desk.half_way("jane").await;
    desk.store.disable_account("jane", LastSbm::MayGo, "x").await.unwrap();
    desk.store.enable_account("jane", "x").await.unwrap();
    assert!(is_over(desk.store.sign_in_code(half.reveal(), &code, CLIENT).await.unwrap()), "changed in between");
}

#[tokio::test]
async fn a_session_ends_by_the_clock() {
    let desk = Desk::new().await;
    let (phone, _) = desk.person("jane", &[Role::Sbm]).await;
    let idle = limits::SESSION_IDLE_SECONDS;
    let first = desk.session("jane", &phone).await;
    let second = desk.session("jane", &phone).await;
    assert_ne!(first, second, "each has a token of its own");
    let found = desk.store.session(second.reveal()).await.unwrap().unwrap();
    assert_eq!((found.account.name.as_str(), found.since), ("jane", desk.clock.now()));
    assert_ne!(found.csrf, desk.store.session(first.reveal()).await.unwrap().unwrap().csrf);

    // Use keeps it, idleness ends it.
    desk.later(idle - 1);
    assert!(desk.is_in(&second).await);
    desk.later(idle - 1);
    assert!(desk.is_in(&second).await && !desk.is_in(&first).await);
    desk.later(idle);
    assert!(!desk.is_in(&second).await);

    // Eight hours are the end, however busy.
    let third = desk.session("jane", &phone).await;
    let began = desk.clock.now();
    for _ in 0..limits::SESSION_SECONDS / 600 - 1 {
        desk.later(600);
        assert!(desk.is_in(&third).await);
    }
    desk.later(599);
    assert!(desk.is_in(&third).await);
    desk.later(1);
    assert_eq!(desk.clock.now().duration_since(began).as_secs(), i64::try_from(limits::SESSION_SECONDS).unwrap());
    assert!(!desk.is_in(&third).await);
}

#[tokio::test]
async fn a_session_s_use_is_written_once_a_minute() {
    let desk = Desk::new().await;
    let (phone, _) = desk.person("jane", &[Role::Sbm]).await;
    let session = desk.session("jane", &phone).await;
    let began = desk.clock.now();
    for (wait, written) in [(0, 0), (59, 0), (1, 60), (30, 60), (29, 60), (1, 120)] {
        desk.later(wait);
        assert!(desk.is_in(&session).await);
        let seen: i64 =
            sqlx::query_scalar("select seen_at from session").fetch_one(&desk.store.inner.reader).await.unwrap();
        assert_eq!(timestamp(seen).duration_since(began).as_secs(), written, "{wait}");
    }
}

#[tokio::test]
async fn waits_grow_by_name_and_by_client() {
    let desk = Desk::new().await;
    let (phone, _) = desk.person("jane", &[Role::Sbm]).await;
    desk.person("joe", &[Role::It]).await;
    for name in ["jane", "nobody"] {
        let mut client = 0;
        // Each try from another client: it is the name that waits.
        let mut attempt = async || {
            client += 1;
            desk.store
                .sign_in_password(name, "a wrong password", Ipv4Addr::new(198, 51, 100, client).into())
                .await
                .unwrap()
        };
        for _ in 0..limits::ATTEMPTS_ACCOUNT {
            assert!(is_wrong(&attempt().await), "{name}");
        }
        for wait in [30, 60, 120, 240, 480, 900, 900] {
            assert!(is_wrong(&attempt().await), "{name}");
            let until = desk.clock.now() + Duration::from_secs(wait);
            let hashes = desk.store.inner.hasher.made();
            assert!(matches!(attempt().await, PasswordAnswer::Wait(at) if at == until), "{name} {wait}");
            desk.later(wait - 1);
            assert!(
                matches!(attempt().await, PasswordAnswer::Wait(at) if at == until),
                "{name}: knocking adds nothing"
            );
            assert_eq!(desk.store.inner.hasher.made(), hashes, "no work for who has to wait");
            desk.later(1);
        }
    }
    // Who has the password and the code is in, and starts afresh.
    desk.session("jane", &phone).await;
    for _ in 0..limits::ATTEMPTS_ACCOUNT {
        assert!(is_wrong(&desk.store.sign_in_password("jane", "wrong", CLIENT).await.unwrap()));
    }
}

#[tokio::test]
async fn one_client_that_tries_many_names_waits_and_others_do_not() {
    let desk = Desk::new().await;
    desk.person("jane", &[Role::Sbm]).await;
    let from: IpAddr = "2001:db8::1".parse().unwrap();
    let same_network: IpAddr = "2001:db8::2:3".parse().unwrap();
    // Right passwords do not count.
    for _ in 0..3 {
        desk.store.sign_in_password("jane", PASSWORD, from).await.unwrap();
    }
    for number in 0..=limits::ATTEMPTS_CLIENT {
        let answer = desk.store.sign_in_password(&format!("name{number}"), PASSWORD, from).await.unwrap();
        assert!(is_wrong(&answer), "{number}");
    }
    let answer = desk.store.sign_in_password("jane", PASSWORD, same_network).await.unwrap();
    assert!(matches!(answer, PasswordAnswer::Wait(_)), "{answer:?}");
    desk.half_way("jane").await;
    desk.later(limits::ATTEMPTS_FORGET_SECONDS + 1);
    let answer = desk.store.sign_in_password("jane", PASSWORD, from).await.unwrap();
    assert!(matches!(answer, PasswordAnswer::Code(_)), "a day is enough");
}

#[tokio::test]
async fn codes_cannot_be_guessed_at_once_either() {
    let desk = Desk::new().await;
    let (phone, _) = desk.person("jane", &[Role::Sbm]).await;
    desk.later(60);
    let half = desk.half_way("jane").await;
    let right = phone.code(desk.clock.now());
    let wrong = if right == "123456" { "654321" } else { "123456" };
    let guesses = (0..20).map(|_| {
        let (store, half) = (desk.store.clone(), half.clone());
        tokio::spawn(async move { store.sign_in_code(half.reveal(), wrong, CLIENT).await.unwrap() })
    });
    let mut looked_at = 0;
    for guess in guesses.collect::<Vec<_>>() {
        looked_at += u32::from(matches!(guess.await.unwrap(), CodeAnswer::Wrong));
    }
    assert_eq!(looked_at, limits::ATTEMPTS_ACCOUNT + 1);
    let answer = desk.store.sign_in_code(half.reveal(), &right, CLIENT).await.unwrap();
    assert!(matches!(answer, CodeAnswer::Wait(_)), "{answer:?}");
}

#[tokio::test]
async fn who_is_vouched_for_is_in_by_their_mailbox() {
    let desk = Desk::new().await;
    desk.add("jane", &[Role::Sbm]).await;
    desk.add("gone", &[Role::It]).await;
    desk.store.disable_account("gone", LastSbm::Keep, "x").await.unwrap();
    for (address, is_in) in [
        ("Jane@Saltmere.example", true),
        ("gone@saltmere.example", false),
        ("jane@saltmere.example.attacker.example", false),
    ] {
        let found =
            desk.store.sign_in_vouched(&Address::parse(address).unwrap(), "Microsoft 365", CLIENT).await.unwrap();
        assert_eq!(found.is_some(), is_in, "{address}");
        if let Some(session) = found {
            assert_eq!(desk.store.session(session.token.reveal()).await.unwrap().unwrap().account.roles, [Role::Sbm]);
        }
    }
}

#[tokio::test]
async fn what_is_over_is_forgotten() {
    let desk = Desk::new().await;
    let (phone, _) = desk.person("jane", &[Role::Sbm]).await;
    let count = async |table: &str| {
        let sql = format!("select count(*) from {table}");
        sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(sql)).fetch_one(&desk.store.inner.reader).await.unwrap()
    };
    let ended = desk.session("jane", &phone).await;
    desk.store.sign_out(ended.reveal()).await.unwrap();
    let live = desk.session("jane", &phone).await;
    desk.add("new", &[]).await;
    desk.half_way("jane").await;
    desk.store.sign_in_password("nobody", PASSWORD, CLIENT).await.unwrap();
    desk.store.forget(Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!([count("session").await, count("sign_in").await, count("sign_up").await], [1, 1, 1]);
    assert!(desk.is_in(&live).await && count("attempt").await > 0);
    desk.later(limits::ATTEMPTS_FORGET_SECONDS + 1);
    desk.store.forget(Timestamp::UNIX_EPOCH).await.unwrap();
    for table in ["session", "sign_in", "sign_up", "attempt"] {
        assert_eq!(count(table).await, 0, "{table}");
    }
    assert_eq!([count("account").await, count("recovery_code").await], [2, 10]);
}
