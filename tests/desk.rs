//! The desk over a socket, as a browser meets it: one person after the other, every page as every role.

#[path = "desk/alive.rs"]
mod alive;
#[path = "desk/allowed.rs"]
mod allowed;
#[path = "desk/dangers.rs"]
mod dangers;
#[path = "desk/disclosures.rs"]
mod disclosures;
#[path = "desk/incidents.rs"]
mod incidents;
#[path = "desk/naughty.rs"]
mod naughty;
#[path = "desk/overview.rs"]
mod overview;
#[path = "desk/personal_use.rs"]
mod personal_use;
#[path = "desk/rules.rs"]
mod rules;
#[path = "desk/sessions.rs"]
mod sessions;
mod support;

use jiff::Timestamp;
use schoolgate::inspect::{Known, inspect_with};
use schoolgate::policy::Action;
use schoolgate::school_time::SchoolTime;
use schoolgate::smtp::Envelope;
use schoolgate::store::accounts::{LastSbm, Role};
use schoolgate::store::{GATEWAY, Grounds, QueueId, Ruling, Stage, State as Standing};
use support::desk::{Browser, House, PASSWORD, address, code};

/// A form's address, its fields, and what nobody, each role and an account without roles are answered.
type Press<'f> = (&'f str, &'f [(&'f str, &'f str)], [u16; 9]);

#[tokio::test]
async fn from_the_link_to_a_decision() {
    let house = House::new().await;
    house.hold("a1", "t.person@saltmere.example", &["someone@gmail.com"], "plan", "Nothing much.").await;
    // A link, as the technician's command prints it.
    let link = house.store.create_account("sue", &address("sue@saltmere.example"), &[Role::Sbm], "test").await.unwrap();
    let path = format!("/sign-up/{}", link.token.reveal());
    let mut sue = Browser::new(house.address);
    let page = sue.get(&path).await;
    assert_eq!(page.status, 200);
    let secret = page.body.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let form = |password: &'static str, code: String| {
        [("password", password.to_owned()), ("again", password.to_owned()), ("code", code)]
    };
    for (password, typed, says) in [
        ("short", code(&secret), "There is a problem"),
        (PASSWORD, "000000".to_owned(), "not the one that the authenticator shows"),
    ] {
        let form = form(password, typed);
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = sue.send("POST", &path, &form).await;
        assert!(answer.status == 422 && answer.body.contains(says), "{}", answer.body);
    }
    let form = form(PASSWORD, code(&secret));
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = sue.send("POST", &path, &form).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let recovery = answer.body.split("<li>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(sue.get(&path).await.status, 404, "a link works once");

    // To the message that the notice links to, over the sign-in.
    let answer = sue.get("/held/a1").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/sign-in?next=%2Fheld%2Fa1")));
    let wrong = sue.send("POST", "/sign-in", &[("name", "sue"), ("password", "wrong"), ("next", "/held/a1")]).await;
    assert_eq!(wrong.status, 422);
    assert!(!wrong.body.contains("value=\"wrong\""), "a password never comes back");
    let answer = sue.send("POST", "/sign-in", &[("name", "Sue "), ("password", PASSWORD), ("next", "/held/a1")]).await;
    assert_eq!(answer.header("location"), Some("/sign-in/code?next=%2Fheld%2Fa1"));
    assert_eq!(sue.send("POST", "/sign-in/code", &[("code", "1234567")]).await.status, 422);
    let answer = sue.send("POST", "/sign-in/code", &[("code", &recovery), ("next", "/held/a1")]).await;
    assert_eq!(answer.header("location"), Some("/held/a1"));

    let page = sue.get("/held/a1").await;
    assert!(page.status == 200 && page.body.contains("someone@gmail.com"), "{}", page.body);
    // What is left out is asked for, and what was filled in stays.
    for (decision, class, says) in [
        ("return", "", "breach, a near miss or neither"),
        ("return", "near-miss", "Choose a reason"),
        ("return:asked", "near-miss", "Choose what becomes of it"),
        ("", "near-miss", "Choose what becomes of it"),
    ] {
        let form = [("decision", decision), ("class", class), ("note", "Ask \"first\"")];
        let answer = sue.press("/held/a1", "/held/a1/decide", &form).await;
        assert!(answer.status == 422 && answer.body.contains("Ask &quot;first&quot;"), "{}", answer.body);
        assert!(answer.body.contains(says), "{decision} {class}: {}", answer.body);
    }
    let decision =
        [("decision", "return:wrong-person"), ("class", "near-miss"), ("reason", "Tom rang."), ("note", "Ask first.")];
    let answer = sue.press("/held/a1", "/held/a1/decide", &decision).await;
    assert!(answer.status == 200 && answer.body.contains("returned to the sender"), "{}", answer.body);
    let shown = house.store.show(&QueueId("a1".to_owned())).await.unwrap();
    assert_eq!(shown.summary.state, Standing::Returned);
    assert!(shown.audit.iter().any(|line| line.detail.contains("It was addressed to the wrong person. Tom rang.")));
    assert!(sue.get("/held?show=decided").await.body.contains("returned to the sender by sue"));
    assert!(sue.get("/audit").await.body.contains("was returned to the sender"));

    let answer = sue.press("/", "/sign-out", &[]).await;
    assert_eq!(answer.header("location"), Some("/sign-in"));
    assert_eq!(sue.get("/").await.status, 303);
}

#[tokio::test]
async fn the_first_link_makes_the_first_account_once() {
    let house = House::new().await;
    let too_old = house.store.first_link().await.unwrap().unwrap();
    let link = house.store.first_link().await.unwrap().unwrap();
    let mut sue = Browser::new(house.address);
    let old = format!("/first/{}", too_old.token.reveal());
    assert_eq!(sue.get(&old).await.status, 404, "the next start makes it worth nothing");
    let path = format!("/first/{}", link.token.reveal());
    let page = sue.get(&path).await;
    assert_eq!((page.status, sue.send("HEAD", &path, &[]).await.status), (200, 200));
    assert!(house.store.accounts().await.unwrap().is_empty(), "to look changes nothing");
    let secret = page.body.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let right = code(&secret);
    for (name, mailbox, password, again, typed, says) in [
        ("Sue Smith", "sue@saltmere.example", PASSWORD, PASSWORD, right.as_str(), "letters a to z"),
        ("sue", "no address", PASSWORD, PASSWORD, &right, "no e-mail address"),
        ("sue", "sue@saltmere.example", PASSWORD, "another", &right, "not the same"),
        ("sue", "sue@saltmere.example", "short", "short", &right, "too short"),
        ("sue", "sue@saltmere.example", PASSWORD, PASSWORD, "000000", "not the one that the authenticator shows"),
    ] {
        let form = [("name", name), ("address", mailbox), ("password", password), ("again", again), ("code", typed)];
        let answer = sue.send("POST", &path, &form).await;
        assert!(answer.status == 422 && answer.body.contains(says), "{says}: {}", answer.body);
        assert!(!answer.body.contains(PASSWORD), "a password never comes back");
    }
    let form = [
        ("name", "Sue"),
        ("address", "sue@saltmere.example"),
        ("password", PASSWORD),
        ("again", PASSWORD),
        ("code", right.as_str()),
    ];
    assert_eq!(sue.send("POST", &old, &form).await.status, 404);
    let mut forged = Browser { origin: Some("https://evil.example".to_owned()), ..sue.clone() };
    assert_eq!(forged.send("POST", &path, &form).await.status, 403);
    let done = sue.send("POST", &path, &form).await;
    assert!(done.status == 200 && done.body.contains("Keep these recovery codes"), "{}", done.body);
    let recovery = done.body.split("<ol class=\"codes\"><li>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(sue.send("POST", &path, &form).await.status, 404, "once");
    assert_eq!(sue.get(&path).await.status, 404);
    assert!(house.store.first_link().await.unwrap().is_none(), "there is an account");
    let account = house.store.account("sue").await.unwrap();
    assert_eq!((account.roles, account.signed_up), (vec![Role::Sbm], true));
    sue.send("POST", "/sign-in", &[("name", "sue"), ("password", PASSWORD)]).await;
    let answer = sue.send("POST", "/sign-in/code", &[("code", &recovery)]).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
    assert_eq!(sue.get("/people").await.status, 200);
    // Neither link, neither password stands in what the store keeps.
    for (secret, words) in [(link.token.reveal(), "link"), (too_old.token.reveal(), "old link"), (PASSWORD, "password")]
    {
        assert!(!holds(house.directory.path(), secret.as_bytes()), "the {words} is kept");
    }
    assert!(holds(house.directory.path(), b"sue@saltmere.example"), "the search finds what is there");
}

/// Whether any file below holds these octets.
fn holds(directory: &std::path::Path, what: &[u8]) -> bool {
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).any(|path| match path.is_dir() {
        true => holds(&path, what),
        false => std::fs::read(path).unwrap().windows(what.len()).any(|at| at == what),
    })
}

/// U09: released twice, and after another has decided.
#[tokio::test]
async fn two_decide_at_once_and_a_form_counts_once() {
    let house = House::new().await;
    house.hold("a1", "t.person@saltmere.example", &["someone@gmail.com"], "plan", "Nothing much.").await;
    let (mut sue, mut hal) = (house.person("sue", &[Role::Sbm]).await, house.person("hal", &[Role::Head]).await);
    let (first, second) = (sue.get("/held/a1").await, hal.get("/held/a1").await);
    let (token, key) = (first.field("token"), first.field("key"));
    let form =
        [("token", token.as_str()), ("key", &key), ("decision", "discard"), ("class", "neither"), ("reason", "r")];
    for _ in 0..2 {
        let answer = sue.send("POST", "/held/a1/decide", &form).await;
        assert!(answer.body.contains("It was discarded"), "{}", answer.body);
    }
    let (token, key) = (second.field("token"), second.field("key"));
    let form =
        [("token", token.as_str()), ("key", &key), ("decision", "release"), ("class", "neither"), ("reason", "r")];
    let answer = hal.send("POST", "/held/a1/decide", &form).await;
    assert!(
        answer.body.contains("It was discarded, by sue") && answer.body.contains("changed nothing"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn every_page_as_every_role() {
    let house = House::new().await;
    house.hold("a1", "t.person@saltmere.example", &["someone@gmail.com"], "plan", "Nothing much.").await;
    house.incident("i1").await;
    house.store.create_account("asker", &address("asker@saltmere.example"), &[Role::Dpo], "test").await.unwrap();
    let request = house.disclosure("asker", "t.person@saltmere.example").await;
    let [request, decide, leave_out, take] =
        ["", "/decide", "/leave-out", "/take"].map(|what| format!("/disclosures/{request}{what}"));
    #[rustfmt::skip]
    let pages: &[(&str, [u16; 9])] = &[
        //                      nobody sbm  head slt  dsl  dpo  chair it   no role
        ("/",                   [303, 200, 200, 200, 200, 200, 200, 200, 404]),
        ("/held",               [303, 200, 200, 200, 200, 200, 200, 404, 404]),
        ("/held/a1",            [303, 200, 200, 404, 404, 200, 404, 404, 404]),
        ("/held/a1/findings",   [303, 200, 200, 404, 404, 200, 404, 404, 404]),
        ("/held/a1/content",    [303, 200, 200, 404, 404, 200, 404, 404, 404]),
        ("/held/zz",            [303, 404, 404, 404, 404, 404, 404, 404, 404]),
        ("/audit",              [303, 200, 200, 404, 404, 200, 200, 200, 404]),
        ("/audit.csv",          [303, 200, 200, 404, 404, 200, 200, 200, 404]),
        ("/allowances",         [303, 200, 200, 200, 404, 200, 404, 404, 404]),
        ("/exemptions",         [303, 200, 200, 404, 404, 404, 404, 200, 404]),
        ("/personal-use",       [303, 200, 200, 404, 404, 200, 200, 404, 404]),
        ("/incidents",          [303, 200, 200, 404, 200, 200, 200, 404, 404]),
        ("/incidents/new",      [303, 200, 404, 404, 404, 200, 404, 404, 404]),
        ("/incidents/dossier",  [303, 200, 404, 404, 404, 200, 404, 404, 404]),
        ("/incidents/i1",       [303, 200, 200, 404, 404, 200, 200, 404, 404]),
        ("/incidents/zz",       [303, 404, 404, 404, 404, 404, 404, 404, 404]),
        ("/disclosures",        [303, 200, 200, 404, 404, 200, 404, 404, 404]),
        (&request,              [303, 200, 200, 404, 404, 200, 404, 404, 404]),
        ("/disclosures/zz",     [303, 404, 404, 404, 404, 404, 404, 404, 404]),
        ("/overview",           [303, 200, 200, 200, 404, 200, 200, 200, 404]),
        ("/overview.csv",       [303, 200, 200, 200, 404, 200, 200, 200, 404]),
        ("/rules",              [303, 200, 200, 404, 404, 404, 404, 200, 404]),
        ("/people",             [303, 200, 404, 404, 404, 404, 404, 200, 404]),
        ("/account",            [303, 200, 200, 200, 200, 200, 200, 200, 404]),
        ("/sign-in",            [200, 200, 200, 200, 200, 200, 200, 200, 200]),
        ("/nowhere",            [404, 404, 404, 404, 404, 404, 404, 404, 404]),
    ];
    #[rustfmt::skip]
    let presses: &[Press] = &[
        ("/held/a1/content", &[("purpose", "facts")], [403, 200, 200, 404, 404, 200, 404, 404, 404]),
        ("/held/a1/findings", &[("purpose", "facts")], [403, 200, 200, 404, 404, 200, 404, 404, 404]),
        ("/held/a1/original", &[], [403, 200, 200, 404, 404, 200, 404, 404, 404]),
        ("/held/a1/ask", &[("why", "x")], [403, 404, 404, 404, 404, 404, 404, 404, 404]),
        ("/held/a1/approve", &[("request", "x")], [403, 404, 404, 404, 404, 404, 404, 404, 404]),
        ("/held/a1/decide", &[], [403, 422, 422, 404, 404, 403, 404, 404, 404]),
        ("/allowances/x/end", &[], [403, 303, 303, 303, 404, 303, 404, 404, 404]),
        ("/exemptions", &[("rule", "direct-to-guardian")], [403, 404, 422, 404, 404, 404, 404, 404, 404]),
        ("/exemptions/x/end", &[], [403, 404, 303, 404, 404, 404, 404, 404, 404]),
        ("/rules", &[("rule", "bulk-personal-data")], [403, 422, 404, 404, 404, 404, 404, 404, 404]),
        ("/rules/x/approve", &[], [403, 404, 303, 404, 404, 404, 404, 404, 404]),
        ("/rules/x/put", &[], [403, 404, 404, 404, 404, 404, 404, 303, 404]),
        ("/rules/x/drop", &[], [403, 303, 303, 404, 404, 404, 404, 404, 404]),
        ("/rules/x/else", &[], [403, 404, 404, 404, 404, 404, 404, 404, 404]),
        ("/personal-use", &[], [403, 200, 200, 404, 404, 200, 200, 404, 404]),
        ("/incidents/i1/write", &[], [403, 422, 404, 404, 404, 422, 404, 404, 404]),
        ("/incidents/i1/aware", &[], [403, 422, 404, 404, 404, 422, 404, 404, 404]),
        ("/incidents/i1/close", &[], [403, 404, 404, 404, 404, 422, 404, 404, 404]),
        ("/incidents/new", &[], [403, 422, 404, 404, 404, 422, 404, 404, 404]),
        ("/incidents/export", &[("what", "register")], [403, 200, 200, 404, 200, 200, 200, 404, 404]),
        ("/incidents/export", &[("what", "whole")], [403, 404, 404, 404, 404, 200, 404, 404, 404]),
        ("/incidents/dossier", &[("pupil", "P001")], [403, 200, 404, 404, 404, 200, 404, 404, 404]),
        ("/disclosures", &[], [403, 422, 404, 404, 404, 422, 404, 404, 404]),
        (&decide, &[], [403, 404, 422, 404, 404, 422, 404, 404, 404]),
        (&leave_out, &[], [403, 422, 404, 404, 404, 422, 404, 404, 404]),
        (&take, &[], [403, 422, 404, 404, 404, 422, 404, 404, 404]),
        ("/account/password", &[("present", PASSWORD), ("password", "x"), ("again", "x")],
            [403, 422, 422, 422, 422, 422, 422, 422, 404]),
        ("/account/codes", &[("present", "x")], [403, 422, 422, 422, 422, 422, 422, 422, 404]),
        ("/people", &[("name", ""), ("address", "x@y.example")], [403, 422, 404, 404, 404, 404, 404, 422, 404]),
        ("/people/slt/reset", &[], [403, 200, 404, 404, 404, 404, 404, 404, 404]),
        ("/people/nobody/reset", &[], [403, 404, 404, 404, 404, 404, 404, 404, 404]),
        ("/people/dsl/disable", &[], [403, 303, 404, 404, 404, 404, 404, 404, 404]),
        ("/people/sbm/disable", &[], [403, 409, 404, 404, 404, 404, 404, 404, 404]),
    ];
    let mut people = vec![Browser::new(house.address)];
    for role in Role::ALL {
        people.push(house.person(role.as_str(), &[role]).await);
    }
    people.push(house.person("none", &[]).await);
    for (path, want) in pages {
        for (at, (browser, want)) in people.iter_mut().zip(want).enumerate() {
            let answer = browser.get(path).await;
            assert_eq!(answer.status, *want, "GET {path} as column {at}: {}", answer.body);
            // What a page may not do it may not do as anybody.
            assert!(
                answer.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'"))
            );
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
            assert_eq!(browser.send("HEAD", path, &[]).await.status, *want, "HEAD {path} as column {at}");
        }
    }
    for (path, fields, want) in presses {
        // From the last to the first: who may do the most comes last.
        for (at, (browser, want)) in people.iter_mut().zip(want).enumerate().rev() {
            let token = browser.get("/nowhere").await.field("token");
            let mut form = vec![("token", token.as_str())];
            form.extend(*fields);
            let mut forged = browser.clone();
            let answer = browser.send("POST", path, &form).await;
            // Those whose sessions an earlier row has ended have signed in to nothing.
            let gone = ["/people/dsl/disable", "/people/sbm/disable", "/people/nobody/reset"].contains(path)
                && [3, 4].contains(&at);
            assert!(
                answer.status == *want || (gone && answer.status == 403),
                "POST {path} as column {at}: {} {}",
                answer.status,
                answer.body
            );
            forged.origin = Some("https://evil.example".to_owned());
            assert_eq!(forged.send("POST", path, &form).await.status, 403, "{path}: from elsewhere");
            if at > 0 && *want != 403 {
                let without = browser.send("POST", path, fields).await;
                assert_eq!(without.status, 403, "POST {path} as column {at} without the session's token");
            }
        }
    }
}

#[tokio::test]
async fn what_a_message_says_is_text() {
    let house = House::new().await;
    let hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}\u{202e}\"'";
    house.hold("a1", "t.person@saltmere.example", &["someone@gmail.com"], hostile, hostile).await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let message = sue.get("/held/a1").await;
    let content = sue.press("/held/a1/content", "/held/a1/content", &[("purpose", "facts"), ("why", hostile)]).await;
    let search = sue.get("/held?search=%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
    let record = sue.get("/audit?who=%22%3E%3Cscript%3E").await;
    for (name, page) in [("message", message), ("content", content), ("search", search), ("record", record)] {
        assert_eq!(page.status, 200, "{name}");
        assert!(
            !page.body.contains("<script>alert") && !page.body.contains("<img") && !page.body.contains("\"><script"),
            "{name}: {}",
            page.body
        );
        assert!(!page.body.contains(">49<"), "{name}: a template ran");
        assert!(page.body.len() < 100_000, "{name}");
    }
}

#[tokio::test]
async fn what_is_opened_is_recorded_and_the_original_is_a_file() {
    let house = House::new().await;
    house.hold("a1", "t.person@saltmere.example", &["someone@gmail.com"], "plan", "The quiet plan.").await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    assert!(!sue.get("/held/a1").await.body.contains("The quiet plan."));
    let early = sue.press("/held/a1", "/held/a1/original", &[]).await;
    assert!(early.body.contains("Why do you open"), "nothing is downloaded before a purpose is chosen");
    let unsaid = sue.press("/held/a1/content", "/held/a1/content", &[("purpose", "nosiness")]).await;
    assert!(unsaid.body.contains("Why do you open") && !unsaid.body.contains("The quiet plan."));
    let opened =
        sue.press("/held/a1/content", "/held/a1/content", &[("purpose", "facts"), ("why", "a parent rang")]).await;
    assert!(opened.body.contains("The quiet plan."), "{}", opened.body);
    let file = sue.press("/held/a1", "/held/a1/original", &[]).await;
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"a1.eml\""));
    assert_eq!(file.header("content-type"), Some("application/octet-stream"));
    assert!(file.body.starts_with("From: A Teacher"));
    let audit = house.store.show(&QueueId("a1".to_owned())).await.unwrap().audit;
    let said: Vec<&str> = audit.iter().filter(|line| line.who == "sue").map(|line| line.detail.as_str()).collect();
    assert!(said.iter().any(|detail| detail.contains("facts: a parent rang")), "{said:?}");
    assert!(said.iter().any(|detail| detail.contains("original")), "{said:?}");
}

/// Which trait a rule goes by and where it stands is on the page; what it says is behind the purpose, and in no line of the audit.
#[tokio::test]
async fn a_trait_is_shown_with_its_place_and_what_it_says_to_whom_opens_it() {
    let house = House::new().await;
    let text = "Dear Mrs Stone,\r\n\r\nWe rang 07700 900005 at noon.";
    house.hold("a1", "t.person@saltmere.example", &["becky.stone.quayst@gmail.com"], "Numbers", text).await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let page = sue.get("/held/a1").await;
    let words = "Found: how to reach the other household of a child, in the message itself, line 2.";
    assert!(page.body.contains(words) && !page.body.contains("900005"), "{}", page.body);
    let passages = sue.press("/held/a1/findings", "/held/a1/findings", &[("purpose", "crime")]).await;
    assert!(passages.body.contains("900005"), "{}", passages.body);
    let audit = house.store.show(&QueueId("a1".to_owned())).await.unwrap().audit;
    assert!(audit.iter().all(|line| !line.detail.contains("900005") && !line.detail.contains("line 2")), "{audit:?}");
}

/// A purpose is asked for once; every look is a line with it.
#[tokio::test]
async fn every_look_is_recorded_with_its_purpose() {
    let house = House::new().await;
    house.hold("a1", "t.person@saltmere.example", &["someone@gmail.com"], "plan", "The quiet plan.").await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let mut hal = house.person("hal", &[Role::Head]).await;
    let purpose = [("purpose", "facts"), ("why", "a parent rang")];
    let said = "to establish facts about school business (a parent rang)";
    let opened = sue.press("/held/a1/content", "/held/a1/content", &purpose).await;
    assert!(opened.body.contains(said), "{}", opened.body);
    let again = sue.get("/held/a1/content").await;
    assert!(again.body.contains("The quiet plan.") && again.body.contains(said), "{}", again.body);
    assert!(hal.get("/held/a1/content").await.body.contains("Why do you open"), "it was opened to her alone");
    sue.press("/held", "/held/a1/original", &[]).await;
    sue.get("/held/a1").await;
    let passages = sue.press("/held/a1/findings", "/held/a1/findings", &[("purpose", "crime")]).await;
    assert_eq!(passages.status, 200);
    sue.get("/held/a1").await;
    let asked = sue.get("/held/a1/findings").await;
    assert_eq!((asked.status, asked.header("location")), (303, Some("/held/a1")), "it is asked for once");
    // A form for the decision that comes back shows the passages once more.
    let token = passages.field("token");
    sue.send("POST", "/held/a1/decide", &[("token", &token)]).await;
    let audit = house.store.show(&QueueId("a1".to_owned())).await.unwrap().audit;
    let looks: Vec<String> = audit
        .iter()
        .filter(|line| ["opened", "viewed-again"].contains(&line.event.as_str()))
        .map(|line| {
            let detail: serde_json::Value = serde_json::from_str(&line.detail).unwrap();
            let word = |name: &str| detail[name].as_str().unwrap_or_default().to_owned();
            format!("{} {} {}: {}", line.who, line.event, word("what"), word("why"))
        })
        .collect();
    let want = [
        "sue opened content: facts: a parent rang",
        "sue viewed-again content: facts: a parent rang",
        "sue viewed-again original: facts: a parent rang",
        "sue opened findings: crime",
        "sue viewed-again findings: crime",
        "sue viewed-again findings: crime",
    ];
    assert_eq!(looks, want);
}

/// Relay checklist, rows 133 and 135.
#[tokio::test]
async fn a_message_names_the_rules_that_decided_it_and_is_not_sent_on_after_its_time() {
    let house = House::new().await;
    house.hold("a1", "t.person@saltmere.example", &["someone@gmail.com"], "plan", "Nothing much.").await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let open = sue.get("/held/a1").await;
    let version = house.ground.version();
    assert!(open.body.contains(&format!("Version <code>{version}</code>")), "{version}: {}", open.body);
    // While the page is open, its time ends.
    let nobody = Grounds { who: GATEWAY.to_owned(), why: "nobody decided in time".to_owned(), ..Grounds::default() };
    let id = QueueId("a1".to_owned());
    house.store.decide_on(&id, &Ruling::Return, &nobody, Vec::new()).await.unwrap();
    let token = open.field("token");
    for decision in ["release", "return", "discard"] {
        let form = [("token", token.as_str()), ("decision", decision), ("class", "neither"), ("reason", "r")];
        let answer = sue.send("POST", "/held/a1/decide", &form).await;
        assert_eq!(answer.status, 200, "{decision}: {}", answer.body);
        assert!(answer.body.contains("Its time was over"), "{decision}: {}", answer.body);
        assert!(answer.body.contains("can no longer be sent from here"), "{decision}: {}", answer.body);
    }
    assert_eq!(house.store.show(&id).await.unwrap().summary.state, Standing::Returned);
    let later = sue.get("/held/a1").await;
    assert!(!later.body.contains("name=\"decision\"") && later.body.contains(version), "{}", later.body);
}

/// The record begins with what people did; all of it is a press away, and stays with the filter.
#[tokio::test]
async fn the_record_shows_what_people_did_or_everything() {
    let house = House::new().await;
    house.hold("a1", "t.person@saltmere.example", &["someone@gmail.com"], "plan", "Nothing much.").await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let decision = [("decision", "discard"), ("class", "neither"), ("reason", "r")];
    sue.press("/held/a1", "/held/a1/decide", &decision).await;
    let gateways = "<td>gateway</td>";
    let people = sue.get("/audit?message=a1&who=").await.body;
    assert!(people.contains("was discarded") && !people.contains(gateways), "{people}");
    let everything = "/audit?message=a1&amp;show=everything";
    assert!(people.contains(&format!("href=\"{everything}\"")), "{people}");
    let all = sue.get(&everything.replace("&amp;", "&")).await.body;
    assert!(all.contains("was discarded") && all.contains(gateways), "{all}");
    assert!(all.contains("href=\"/audit?message=a1\"") && all.contains("/audit.csv?message=a1&amp;show=everything"));
    assert!(all.contains("name=\"show\" value=\"everything\""), "a new search keeps the choice");
    for (path, gateway) in [("/audit.csv?message=a1", false), ("/audit.csv?message=a1&show=everything", true)] {
        let table = sue.get(path).await.body;
        assert!(table.contains("\"sue\"") && table.contains("\"gateway\"") == gateway, "{path}: {table}");
    }
    assert!(sue.get("/audit").await.body.contains("href=\"/audit?show=everything\""));
}

/// What nobody had decided on and was put to the chair is the chair's to see and to decide, without its content.
#[tokio::test]
async fn what_was_put_to_the_chair_is_the_chairs() {
    let house = House::new().await;
    for id in ["a1", "a2", "a3"] {
        house.hold(id, "t.person@saltmere.example", &["someone@gmail.com"], "plan", "The quiet plan.").await;
    }
    let told = |role: &str| vec![role.to_owned()];
    for (id, role) in [("a1", "chair"), ("a2", "head")] {
        assert!(house.store.warned(&QueueId(id.to_owned()), Stage::Escalate, None, told(role), vec![]).await.unwrap());
    }
    let mut chair = house.person("chair", &[Role::Chair]).await;
    let list = chair.get("/held").await.body;
    for (id, status) in [("a1", 200), ("a2", 404), ("a3", 404)] {
        assert_eq!(list.contains(&format!("/held/{id}")), status == 200, "{id}: {list}");
        assert_eq!(chair.get(&format!("/held/{id}")).await.status, status, "{id}");
        assert_eq!(chair.get(&format!("/held/{id}/findings")).await.status, 404, "{id}");
        assert_eq!(chair.get(&format!("/held/{id}/content")).await.status, 404, "{id}");
    }
    let page = chair.get("/held/a1").await.body;
    assert!(page.contains("<h2 id=\"decide\">") && !page.contains("The quiet plan."), "{page}");
    let decision = [("decision", "discard"), ("class", "neither"), ("reason", "r")];
    assert_eq!(chair.press("/held/a1", "/held/a2/decide", &decision).await.status, 404);
    let answer = chair.press("/held/a1", "/held/a1/decide", &decision).await;
    assert!(answer.status == 200 && answer.body.contains("discarded"), "{}", answer.body);
    assert!(chair.get("/held?show=decided").await.body.contains("discarded by chair"));
}

/// U09: a reviewer who is the sender, or to whom it goes.
#[tokio::test]
async fn nobody_opens_or_decides_on_their_own() {
    let house = House::new().await;
    house.hold("a1", "sue@saltmere.example", &["someone@gmail.com"], "plan", "Nothing much.").await;
    house.hold("a2", "t.person@saltmere.example", &["sue@saltmere.example"], "plan", "Nothing much.").await;
    // About them: in the subject, and where an adult's number is found; a signature is none.
    let sick = "Mr Drew, Callum: National Insurance number JG103759A.";
    house.hold("a3", "t.person@saltmere.example", &["someone@gmail.com"], "Callum Drew's pay", "Nothing much.").await;
    house.hold("a4", "t.person@saltmere.example", &["someone@gmail.com"], "pay", sick).await;
    house.hold("a5", "t.person@saltmere.example", &["someone@gmail.com"], "plan", "Regards\r\n\r\nCallum Drew").await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let mut drew = house.person("c.drew", &[Role::Sbm]).await;
    for (id, status) in [("a3", 403), ("a4", 403), ("a5", 200)] {
        let form = [("decision", "release:asked"), ("class", "neither")];
        let answer = drew.press(&format!("/held/{id}"), &format!("/held/{id}/decide"), &form).await;
        assert_eq!(answer.status, status, "{id}: {}", answer.body);
    }
    for id in ["a1", "a2"] {
        let page = sue.get(&format!("/held/{id}")).await;
        assert!(
            page.body.contains("somebody else decides") && !page.body.contains("<h2 id=\"decide\">"),
            "{}",
            page.body
        );
        assert_eq!(sue.get(&format!("/held/{id}/content")).await.status, 404);
        let form = [("decision", "release"), ("class", "neither"), ("reason", "mine")];
        assert_eq!(sue.press("/held", &format!("/held/{id}/decide"), &form).await.status, 403);
        assert_eq!(house.store.show(&QueueId(id.to_owned())).await.unwrap().summary.state, Standing::Held);
    }
}

/// The school's own time zone, and for how long it has a release remembered.
#[tokio::test]
async fn the_desk_keeps_the_schools_time_and_days() {
    let house = House::made(None, |desk| desk.remembering(30)).await;
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(-11));
    house.store.use_school_time(SchoolTime { zone: zone.clone(), ..SchoolTime::default() });
    let pupil = &house.ground.school.pupils[0];
    let about = format!("{} {} has asthma and was given an inhaler.", pupil.forename, pupil.surname);
    house.hold("a1", "t.person@saltmere.example", &["someone@gmail.com"], "A note", &about).await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let page = sue.get("/held/a1").await.body;
    assert!(page.contains("-11:00\"") && !page.contains("+00:00\""), "{page}");
    let today = Timestamp::now().to_zoned(zone).date();
    let last = today.saturating_add(jiff::Span::new().days(30));
    assert!(page.contains(&format!("type=\"date\" value=\"{last}\" min=\"{today}\"")), "{today} {last}: {page}");
}
