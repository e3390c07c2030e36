//! Rows 95 and 96: who signs in by what, and what is said where that fails.

use super::*;

/// A connection under checked TLS that signs in, greeted with these mechanisms.
fn talk(by_token: bool, mechanisms: &str, proofs: &[&'static str]) -> Talk {
    let sign_in = Some(SignIn { user: "gate@s.example".into(), by_token });
    let mut talk = Talk::new(Way { sign_in, ..way(StartTls::Never) }, Under::CheckedTls);
    talk.proofs = proofs.iter().rev().copied().collect();
    talk.hears("220 mx\r\n", 1);
    talk.written.clear();
    talk.hears(format!("250-mx\r\n250-{mechanisms}\r\n250 HELP\r\n"), 1);
    talk
}

fn written(talk: &Talk) -> String {
    String::from_utf8(talk.written.clone()).unwrap()
}

fn refusal(talk: &Talk) -> &str {
    match &talk.ends[..] {
        [Action::NotOpen(NotOpen::SignIn(why))] => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_password_is_said_by_the_best_way_that_is_offered() {
    for mechanisms in ["AUTH PLAIN", "AUTH LOGIN PLAIN", "auth=plain", "AUTH XOAUTH2 CRAM-MD5 PLAIN"] {
        let mut talk = talk(false, mechanisms, &["pass wörd"]);
        assert_eq!(written(&talk), "AUTH PLAIN AGdhdGVAcy5leGFtcGxlAHBhc3Mgd8O2cmQ=\r\n", "{mechanisms}");
        talk.hears("235 2.7.0 in\r\n", 1);
        assert_eq!(talk.ends, [Action::Ready], "{mechanisms}");
    }
    let mut talk = talk(false, "AUTH LOGIN XOAUTH2", &["pass"]);
    assert_eq!(written(&talk), "AUTH LOGIN\r\n");
    assert_eq!(talk.hears("334 VXNlcm5hbWU6\r\n", 1), "Z2F0ZUBzLmV4YW1wbGU=\r\n");
    assert_eq!(talk.hears("334 UGFzc3dvcmQ6\r\n", 1), "cGFzcw==\r\n");
    talk.hears("235 in\r\n", 1);
    assert_eq!((&talk.ends[..], &talk.asked[..]), (&[Action::Ready][..], &[Proof::Password][..]));
}

#[test]
fn a_wrong_password_is_said_once() {
    for (answer, shown) in [
        ("535 5.7.8 no\r\n", "535 5.7.8 no"),
        ("454 4.7.0 later\r\n", "454 4.7.0 later"),
        ("421 bye\r\n", "421 bye"),
        ("334 more\r\n", "334 more"),
        // Who repeats what it was told is not repeated.
        ("535 5.7.8 AGdhdGVAcy5leGFtcGxlAHNlY3JldA== is wrong\r\n", "535 5.7.8"),
        ("535 secret is wrong\r\n", "535"),
    ] {
        let mut talk = talk(false, "AUTH PLAIN LOGIN", &["secret", "never"]);
        let said = written(&talk);
        assert_eq!(talk.hears(answer, 1), "", "{answer}");
        assert_eq!(refusal(&talk), format!("it does not let us sign in: {shown}"), "{said}");
        assert_eq!(talk.asked, [Proof::Password]);
        assert!(!format!("{:?}", talk.client).contains("secret"));
    }
}

#[test]
fn without_a_way_nothing_is_said() {
    for (by_token, mechanisms) in
        [(false, "AUTH"), (false, "AUTH XOAUTH2"), (false, "SIZE"), (true, "AUTH PLAIN LOGIN")]
    {
        let talk = talk(by_token, mechanisms, &["p"]);
        assert!(refusal(&talk).starts_with("it does not offer AUTH"), "{mechanisms}");
        assert_eq!((written(&talk).as_str(), talk.asked.len()), ("", 0), "{mechanisms}");
    }
    let none = talk(false, "AUTH PLAIN", &[]);
    assert_eq!((refusal(&none), written(&none).as_str()), ("there is none", ""));
    for under in [Under::Nothing, Under::Tls] {
        let sign_in = Some(SignIn { user: "gate".into(), by_token: false });
        let mut talk = Talk::new(Way { sign_in, ..way(StartTls::IfOffered) }, Under::Nothing);
        talk.worth = under;
        talk.proofs = vec!["p"];
        talk.hears("220 mx\r\n", 9);
        let starttls = if under == Under::Tls { "250-STARTTLS\r\n" } else { "" };
        talk.hears(format!("250-mx\r\n{starttls}250 AUTH PLAIN\r\n"), 9);
        if under == Under::Tls {
            talk.hears("220 go\r\n", 9);
            talk.hears("250-mx\r\n250 AUTH PLAIN\r\n", 9);
        }
        assert!(refusal(&talk).contains("certificate is not checked"), "{under:?}");
        assert!(talk.told.is_empty() && talk.asked.is_empty(), "{under:?}");
    }
}

#[test]
fn a_token_that_is_refused_is_fetched_once_more() {
    // `user=gate@s.example^Aauth=Bearer one^A^A`, and the same with `two`.
    let auth = |token: &str| {
        use base64::Engine;
        let text = format!("user=gate@s.example\x01auth=Bearer {token}\x01\x01");
        format!("AUTH XOAUTH2 {}\r\n", base64::engine::general_purpose::STANDARD.encode(text))
    };
    let mut taken = talk(true, "AUTH PLAIN XOAUTH2", &["one"]);
    assert_eq!(written(&taken), auth("one"));
    taken.hears("235 in\r\n", 1);
    assert_eq!((&taken.ends[..], &taken.asked[..]), (&[Action::Ready][..], &[Proof::Token][..]));
    // What is wrong is told in a challenge, or at once.
    for challenge in [true, false] {
        let mut talk = talk(true, "AUTH XOAUTH2", &["one", "two", "three"]);
        for token in ["two", "three"] {
            if challenge {
                assert_eq!(talk.hears("334 eyJzdGF0dXMiOiI0MDAifQ==\r\n", 1), "\r\n");
            }
            let next = talk.hears("535 5.7.3 no\r\n", 1);
            assert_eq!(next, if token == "two" { auth(token) } else { String::new() });
        }
        assert_eq!(refusal(&talk), "it does not let us sign in: 535 5.7.3 no");
        assert_eq!(talk.asked, [Proof::Token, Proof::FreshToken]);
    }
    let mut fresh = talk(true, "AUTH XOAUTH2", &["one", "two"]);
    fresh.hears("535 5.7.3 no\r\n", 1);
    fresh.hears("235 in\r\n", 1);
    assert_eq!(fresh.ends, [Action::Ready]);
    // It says that it cannot now: another token would not help.
    let mut later = talk(true, "AUTH XOAUTH2", &["one", "two"]);
    later.hears("454 4.7.0 later\r\n", 1);
    assert_eq!((refusal(&later), later.asked.len()), ("it does not let us sign in: 454 4.7.0 later", 1));
}

#[test]
fn a_connection_that_is_lost_while_signing_in_is_no_refusal() {
    let mut talk = talk(false, "AUTH PLAIN", &["p"]);
    talk.ends();
    assert!(matches!(&talk.ends[..], [Action::NotOpen(NotOpen::Unreachable(_))]), "{:?}", talk.ends);
}

#[test]
fn secrets_are_not_shown() {
    let secret = Secret(b"secret".to_vec().into());
    assert_eq!(format!("{:?}", Action::Secret(secret)), "Secret(Secret)");
}
