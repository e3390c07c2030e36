//! Passwords and sessions: who may change one, and when one ends.

use super::*;

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    let house = House::new().await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let new = "seven blue teapots";
    for (present, password, again, field, says) in [
        ("not this one", new, new, "present", "not your present password"),
        (PASSWORD, new, "seven blue teapot", "again", "not the same"),
        (PASSWORD, "short", "short", "password", "too short"),
        (PASSWORD, "sue sue sue sue", "sue sue sue sue", "password", "password"),
    ] {
        let form = [("present", present), ("password", password), ("again", again)];
        let answer = sue.press("/account", "/account/password", &form).await;
        assert!(
            answer.status == 422 && answer.body.contains(says) && answer.body.contains(&format!("href=\"#{field}\"")),
            "{says}: {}",
            answer.body
        );
        assert!(!answer.body.contains(PASSWORD) && !answer.body.contains(new), "a password never comes back");
        assert_eq!(sue.get("/").await.status, 200, "nothing was changed");
    }
    let mut elsewhere = sue.clone();
    let before = sue.get("/account").await.field("token");
    let form = [("present", PASSWORD), ("password", new), ("again", new)];
    let answer = sue.press("/account", "/account/password", &form).await;
    assert!(answer.status == 200 && answer.body.contains("Your password is changed"), "{}", answer.body);
    assert!(answer.header("set-cookie").is_some_and(|cookie| cookie.contains("HttpOnly; SameSite=Lax")));
    assert_ne!(sue.cookies, elsewhere.cookies, "who had the old token has nothing");
    assert_eq!(elsewhere.get("/").await.status, 303);
    let after = sue.get("/account").await.field("token");
    assert!(!after.is_empty() && before != after && answer.field("token") == after);
    assert_eq!(sue.send("POST", "/sign-out", &[("token", &before)]).await.status, 403, "forms of before are too old");
    assert!(sue.get("/audit?who=sue").await.body.contains("changed the password"));
    let mut signed = Browser::new(house.address);
    for (password, status) in [(PASSWORD, 422), (new, 303)] {
        let answer = signed.send("POST", "/sign-in", &[("name", "sue"), ("password", password)]).await;
        assert_eq!(answer.status, status);
    }
    let wrong = sue.press("/account", "/account/codes", &[("present", PASSWORD)]).await;
    assert!(wrong.status == 422 && wrong.body.contains("not your present password"), "{}", wrong.body);
    let codes = sue.press("/account", "/account/codes", &[("present", new)]).await;
    assert!(codes.status == 200 && codes.body.matches("<li>").count() >= 10, "{}", codes.body);
    let code = codes.body.split("<ol class=\"codes\"><li>").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(signed.send("POST", "/sign-in/code", &[("code", code)]).await.status, 303);
    // Whoever finds the browser open has no more guesses than anybody else.
    let guess = [("present", "a guess"), ("password", new), ("again", new)];
    let mut last = String::new();
    for _ in 0..7 {
        last = sue.press("/account", "/account/password", &guess).await.body;
    }
    assert!(last.contains("too many wrong tries"), "{last}");
}

/// U08: session fixation.
/// Relay checklist, row 137.
#[tokio::test]
async fn a_session_is_new_at_sign_in_and_ends_with_its_roles() {
    let house = House::new().await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let mut planted = Browser::new(house.address);
    planted.cookies.insert("schoolgate".to_owned(), "A".repeat(43));
    assert_eq!(planted.get("/").await.status, 303, "a session that somebody else made up is none");
    let before = sue.cookies.clone();
    assert!(before.values().all(|value| value != &"A".repeat(43)));
    assert_eq!(sue.get("/").await.status, 200);
    house.store.set_roles("sue", &[Role::Sbm, Role::Dsl], LastSbm::Keep, "test").await.unwrap();
    assert_eq!(sue.get("/").await.status, 303, "what was signed in with other roles has ended");
    let wrong = Browser { origin: None, ..Browser::new(house.address) };
    assert_eq!(wrong.clone().send("POST", "/sign-in", &[("name", "sue"), ("password", PASSWORD)]).await.status, 403);
    let mut many = Browser::new(house.address);
    for _ in 0..40 {
        many.send("POST", "/sign-in", &[("name", "nobody"), ("password", "x")]).await;
    }
    let answer = many.send("POST", "/sign-in", &[("name", "nobody"), ("password", "x")]).await;
    assert!(answer.body.contains("too many wrong tries"), "{}", answer.body);
}
