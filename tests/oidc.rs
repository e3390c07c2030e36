//! Signing in at a provider (OpenID Connect), against one on the loopback: what it says that is right, and everything that is not.

mod support;

use std::time::Instant;

use schoolgate::config::MailboxProof;
use schoolgate::review::Provider;
use schoolgate::store::AuditFilter;
use schoolgate::store::accounts::{LastSbm, Role};
use serde_json::{Value, json};
use support::desk::{Answer, Browser, House, address};
use support::provider::{Signing, TestProvider, configured};
use support::{PATIENCE, SETTLE, free_port};
use url::Url;

const ORIGIN: &str = "http://127.0.0.1:8025";
const SENTENCE: &str = "You could not be signed in that way.";

/// There and back at once, without the desk's pages: the mailbox that is believed, or the reason in the log.
async fn at_once(provider: &Provider, there: &TestProvider) -> Result<String, String> {
    let (address, begun) = provider.begin(ORIGIN).await.unwrap();
    let (code, state) = there.visit(&address);
    assert_eq!(&state, begun.state.secret());
    provider.finish(ORIGIN, begun, &code).await.map(|mailbox| mailbox.to_string()).map_err(|error| error.to_string())
}

/// Presses the button; where it leads.
async fn pressed(browser: &mut Browser, name: &str, next: &str) -> Url {
    let page = browser.send("POST", &format!("/sign-in/with/{name}"), &[("next", next)]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let link = page.body.split("class=\"button\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let link = link.replace("&amp;", "&").replace("&#x2f;", "/");
    assert_eq!(page.header("refresh"), Some(format!("0; url={link}").as_str()), "goes on by itself");
    Url::parse(&link).unwrap()
}

async fn back(browser: &mut Browser, name: &str, code: &str, state: &str) -> Answer {
    browser.get(&format!("/sign-in/back/{name}?code={code}&state={state}")).await
}

/// There and back through the pages.
async fn through_pages(house: &House, there: &TestProvider, name: &str) -> (Browser, Answer) {
    let mut browser = Browser::new(house.address);
    let address = pressed(&mut browser, name, "/held").await;
    let (code, state) = there.visit(&address);
    let answer = back(&mut browser, name, &code, &state).await;
    (browser, answer)
}

#[track_caller]
fn assert_refused(what: &str, browser: &Browser, answer: &Answer) {
    assert_eq!(answer.status, 422, "{what}: {}", answer.body);
    assert!(answer.body.contains(SENTENCE), "{what}: {}", answer.body);
    assert!(browser.cookies.is_empty(), "{what}: nothing is left in the browser: {:?}", browser.cookies);
}

async fn sue(house: &House) {
    house.store.create_account("sue", &address("sue@saltmere.example"), &[Role::Sbm], "test").await.unwrap();
}

#[tokio::test]
async fn from_the_button_to_the_desk() {
    let (files, there) = (tempfile::tempdir().unwrap(), TestProvider::start().await);
    let provider = there.configured(files.path(), "own", MailboxProof::Verified);
    let house = House::with(vec![provider]).await;
    sue(&house).await;
    let mut browser = Browser::new(house.address);
    let page = browser.get("/sign-in?next=%2Fheld%3Fshow%3Ddecided").await;
    assert!(
        page.body.contains("action=\"/sign-in/with/own\"") && page.body.contains("Sign in with own"),
        "{}",
        page.body
    );
    let mut forged = Browser { origin: Some("https://evil.example".to_owned()), ..browser.clone() };
    assert_eq!(forged.send("POST", "/sign-in/with/own", &[]).await.status, 403, "from a page of somebody else");
    assert_eq!(browser.get("/sign-in/with/own").await.status, 405, "nothing begins on GET");
    assert_eq!(browser.send("POST", "/sign-in/with/other", &[]).await.status, 404);

    let address = pressed(&mut browser, "own", "/held?show=decided").await;
    let (code, state) = there.visit(&address);
    let path = format!("/sign-in/back/own?code={code}&state={state}");
    assert_eq!(browser.send("HEAD", &path, &[]).await.status, 405);
    let answer = browser.get(&path).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/held?show=decided")), "{}", answer.body);
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["schoolgate"], "the session, and nothing else");
    let page = browser.get("/").await;
    assert!(page.status == 200 && page.body.contains("Sign out sue"), "{}", page.body);
    let filter = AuditFilter { event: Some("signed-in".to_owned()), ..AuditFilter::default() };
    let lines = house.store.audit_list(&filter, 9);
    let lines: Vec<(String, String)> = lines.await.unwrap().into_iter().map(|line| (line.who, line.detail)).collect();
    assert!(
        matches!(&lines[..], [(who, detail)] if who == "sue" && detail.contains("\"by\":\"provider own\"")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn without_a_provider_there_is_no_button() {
    let house = House::new().await;
    let mut browser = Browser::new(house.address);
    assert!(!browser.get("/sign-in").await.body.contains("/sign-in/with"));
    assert_eq!(browser.send("POST", "/sign-in/with/own", &[]).await.status, 404);
    assert_eq!(browser.get("/sign-in/back/own?code=x&state=y").await.status, 404);
}

#[tokio::test]
async fn what_a_token_says_is_believed_or_not() {
    use MailboxProof::{Tenant, Verified, Workspace};
    use Signing::{Broken, Es256, Forged, Nothing, Rs256, Secret, Unpublished};
    let google = || Workspace(Some("saltmere.example".to_owned()));
    fn without(claims: &mut Value, name: &str) {
        claims.as_object_mut().unwrap().remove(name);
    }
    type Row = (&'static str, MailboxProof, Signing, fn(&mut Value), Result<(), &'static str>);
    let rows: Vec<Row> = vec![
        ("all is right", Verified, Es256, |_| {}, Ok(())),
        ("RS256", Verified, Rs256, |_| {}, Ok(())),
        ("an audience of one", Verified, Es256, |c| c["aud"] = json!(["desk-of-saltmere"]), Ok(())),
        ("another nonce", Verified, Es256, |c| c["nonce"] = json!("x"), Err("not of this sign-in")),
        ("no nonce", Verified, Es256, |c| without(c, "nonce"), Err("not of this sign-in")),
        ("another audience", Verified, Es256, |c| c["aud"] = json!("other"), Err("for somebody else")),
        (
            "a further audience",
            Verified,
            Es256,
            |c| c["aud"] = json!(["desk-of-saltmere", "x"]),
            Err("for somebody else"),
        ),
        ("no audience", Verified, Es256, |c| without(c, "aud"), Err("for somebody else")),
        ("another issuer", Verified, Es256, |c| c["iss"] = json!("https://id.example"), Err("from somebody else")),
        ("expired", Verified, Es256, |c| c["exp"] = json!(c["iat"].as_i64().unwrap() - 1), Err("has expired")),
        ("no end", Verified, Es256, |c| without(c, "exp"), Err("another form")),
        ("a broken signature", Verified, Broken, |_| {}, Err("signature is wrong")),
        ("a forged signature", Verified, Forged, |_| {}, Err("signature is wrong")),
        ("alg none", Verified, Nothing, |_| {}, Err("no signature")),
        ("signed with our secret", Verified, Secret, |_| {}, Err("in a way that is not taken")),
        ("a key that nobody knows", Verified, Unpublished, |_| {}, Err("none of the provider's")),
        ("not verified", Verified, Es256, |c| c["email_verified"] = json!(false), Err("not verified")),
        ("nothing of verified", Verified, Es256, |c| without(c, "email_verified"), Err("not verified")),
        ("no mailbox", Verified, Es256, |c| without(c, "email"), Err("names no mailbox")),
        ("no address", Verified, Es256, |c| c["email"] = json!("sue"), Err("no e-mail address")),
        ("Microsoft, a member", Tenant, Es256, |c| without(c, "email_verified"), Ok(())),
        (
            "Microsoft, by user name",
            Tenant,
            Es256,
            |c| {
                without(c, "email");
                c["preferred_username"] = json!("sue@saltmere.example");
            },
            Ok(()),
        ),
        (
            "Microsoft, no mailbox",
            Tenant,
            Es256,
            |c| {
                without(c, "email");
                c["preferred_username"] = json!("+44 20 7946 0000");
            },
            Err("no e-mail address"),
        ),
        ("Microsoft, its own word", Tenant, Es256, |c| c["idp"] = c["iss"].clone(), Ok(())),
        ("Microsoft, a guest", Tenant, Es256, |c| c["idp"] = json!("https://sts.windows.net/x/"), Err("a guest")),
        ("Google, of the school", google(), Es256, |c| c["hd"] = json!("Saltmere.example"), Ok(())),
        ("Google, of another", google(), Es256, |c| c["hd"] = json!("evil.example"), Err("another Workspace")),
        ("Google, private", google(), Es256, |_| {}, Err("no Workspace")),
        ("Google, any Workspace", Workspace(None), Es256, |c| c["hd"] = json!("trust.example"), Ok(())),
        ("Google, private, any Workspace", Workspace(None), Es256, |_| {}, Err("no Workspace")),
        (
            "Google, not verified",
            google(),
            Es256,
            |c| {
                c["hd"] = json!("saltmere.example");
                c["email_verified"] = json!(false);
            },
            Err("not verified"),
        ),
    ];
    let (files, there) = (tempfile::tempdir().unwrap(), TestProvider::start().await);
    let named = |row: usize| format!("p{row}");
    let proofs = rows.iter().enumerate();
    let providers = proofs.map(|(row, (_, proof, ..))| there.configured(files.path(), &named(row), proof.clone()));
    let house = House::with(providers.collect()).await;
    sue(&house).await;
    for (row, (what, proof, signing, change, want)) in rows.into_iter().enumerate() {
        there.will(signing, change);
        let alone = there.configured(files.path(), "alone", proof);
        match (at_once(&alone, &there).await, want) {
            (Ok(mailbox), Ok(())) => assert_eq!(mailbox, "sue@saltmere.example", "{what}"),
            (Err(told), Err(why)) => assert!(told.contains(why) && !told.contains("sue"), "{what}: {told}"),
            (got, _) => panic!("{what}: {got:?}"),
        }
        let (browser, answer) = through_pages(&house, &there, &named(row)).await;
        match want {
            Ok(()) => assert_eq!((answer.status, answer.header("location")), (303, Some("/held")), "{what}"),
            Err(_) => assert_refused(what, &browser, &answer),
        }
    }
}

#[tokio::test]
async fn a_way_back_counts_once_and_only_where_it_belongs() {
    let (files, there) = (tempfile::tempdir().unwrap(), TestProvider::start().await);
    let provider = |name| there.configured(files.path(), name, MailboxProof::Verified);
    let house = House::with(vec![provider("own"), provider("other")]).await;
    sue(&house).await;

    let mut browser = Browser::new(house.address);
    let (code, state) = there.visit(&pressed(&mut browser, "own", "/").await);
    let mut thief = Browser::new(house.address);
    let answer = back(&mut thief, "own", &code, &state).await;
    assert_refused("in a browser that never went", &thief, &answer);
    let held = browser.clone();
    assert_eq!(back(&mut browser, "own", &code, &state).await.status, 303, "in the one that did");
    let mut again = held;
    let answer = back(&mut again, "own", &code, &state).await;
    assert_refused("a second time", &again, &answer);

    type Change = fn(&str, &str) -> String;
    let rows: [(&str, Change); 6] = [
        ("another state", |code, _| format!("own?code={code}&state={}", "A".repeat(43))),
        ("half a state", |code, state| format!("own?code={code}&state={}", &state[..20])),
        ("no state", |code, _| format!("own?code={code}")),
        ("two states", |code, state| format!("own?code={code}&state={state}&state={state}")),
        ("the way back of another provider", |code, state| format!("other?code={code}&state={state}")),
        ("no code", |_, state| format!("own?state={state}")),
    ];
    for (what, change) in rows {
        let mut browser = Browser::new(house.address);
        let (code, state) = there.visit(&pressed(&mut browser, "own", "/").await);
        let held = browser.clone();
        let answer = browser.get(&format!("/sign-in/back/{}", change(&code, &state))).await;
        assert_refused(what, &browser, &answer);
        let mut again = held;
        let answer = back(&mut again, "own", &code, &state).await;
        assert_refused(&format!("{what}, and then the right one"), &again, &answer);
    }
}

#[tokio::test]
async fn the_page_says_the_same_whatever_the_reason() {
    let (files, there) = (tempfile::tempdir().unwrap(), TestProvider::start().await);
    let house = House::with(vec![there.configured(files.path(), "own", MailboxProof::Verified)]).await;
    sue(&house).await;
    for name in ["left", "hal"] {
        house
            .store
            .create_account(name, &address(&format!("{name}@saltmere.example")), &[Role::Head], "test")
            .await
            .unwrap();
    }
    assert!(house.store.disable_account("left", LastSbm::Keep, "test").await.unwrap());
    let mut pages = Vec::new();
    for (what, mailbox) in [("nobody's", "nobody@saltmere.example"), ("out of use", "left@saltmere.example")] {
        there.is_signed_in(mailbox);
        let (browser, answer) = through_pages(&house, &there, "own").await;
        assert_refused(what, &browser, &answer);
        assert!(!answer.body.contains(mailbox), "{what}");
        pages.push(answer.body);
    }
    there.is_signed_in("hal@saltmere.example");
    there.will(Signing::Broken, |_| {});
    let (browser, answer) = through_pages(&house, &there, "own").await;
    assert_refused("a broken signature", &browser, &answer);
    pages.push(answer.body);
    let mut browser = Browser::new(house.address);
    let (_, state) = there.visit(&pressed(&mut browser, "own", "/held").await);
    let said = format!("/sign-in/back/own?error=access_denied&error_description=hal%40saltmere.example&state={state}");
    let answer = browser.get(&said).await;
    assert_refused("the person said no", &browser, &answer);
    pages.push(answer.body);
    assert!(pages.windows(2).all(|two| two[0] == two[1]), "{pages:?}");

    there.will(Signing::Es256, |_| {});
    let (mut hal, answer) = through_pages(&house, &there, "own").await;
    assert_eq!(answer.status, 303, "the same way is open to whoever has an account");
    assert_eq!(hal.get("/people").await.status, 404, "as what the account is, not as what the provider says");
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_its_verifier() {
    let (files, there) = (tempfile::tempdir().unwrap(), TestProvider::start().await);
    let provider = there.configured(files.path(), "own", MailboxProof::Verified);
    let (address, begun) = provider.begin(ORIGIN).await.unwrap();
    let (_, other) = provider.begin(ORIGIN).await.unwrap();
    let (code, _) = there.visit(&address);
    let told = provider.finish(ORIGIN, other, &code).await.unwrap_err().to_string();
    assert_eq!(told, "it refuses the code or our secret: invalid_grant", "and nothing of its description");
    let (address, again) = provider.begin(ORIGIN).await.unwrap();
    let (code, _) = there.visit(&address);
    provider.finish(ORIGIN, again, &code).await.unwrap();
    let told = provider.finish(ORIGIN, begun, &code).await.unwrap_err().to_string();
    assert!(told.contains("invalid_grant"), "{told}");
}

#[tokio::test]
async fn a_provider_may_change_its_key_but_not_at_every_token() {
    let (files, there) = (tempfile::tempdir().unwrap(), TestProvider::start().await);
    let provider = there.configured(files.path(), "own", MailboxProof::Verified);
    at_once(&provider, &there).await.unwrap();
    at_once(&provider, &there).await.unwrap();
    assert_eq!(there.keys_asked(), 1, "its keys are kept");
    there.changes_key("second");
    at_once(&provider, &there).await.unwrap();
    assert_eq!(there.keys_asked(), 2);
    there.changes_key("third");
    for _ in 0..3 {
        let told = at_once(&provider, &there).await.unwrap_err();
        assert!(told.contains("none of the provider's"), "{told}");
    }
    assert_eq!(there.keys_asked(), 2, "whoever sends tokens with made-up keys makes nobody fetch");
}

#[tokio::test]
async fn a_provider_that_cannot_be_used_is_told_and_passwords_still_work() {
    let files = tempfile::tempdir().unwrap();
    let issuer = format!("http://127.0.0.1:{}", free_port());
    let house = House::with(vec![configured(&issuer, files.path(), "own", MailboxProof::Verified)]).await;
    let mut browser = Browser::new(house.address);
    for _ in 0..2 {
        let answer = browser.send("POST", "/sign-in/with/own", &[("next", "/held")]).await;
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(answer.body.contains("not possible at the moment") && answer.body.contains("name=\"password\""));
        assert!(browser.cookies.is_empty());
    }
    house.person("hal", &[Role::Head]).await;

    type Prepare = fn(&TestProvider);
    let rows: [(&str, Prepare); 3] = [
        ("it calls itself otherwise", |there| there.names_itself("https://id.example")),
        ("at that is not https", |there| there.sends_people_to("http://evil.example/authorize")),
        ("too long", |there| there.pads(300 * 1_024)),
    ];
    for (why, prepare) in rows {
        let there = TestProvider::start().await;
        prepare(&there);
        let provider = there.configured(files.path(), "own", MailboxProof::Verified);
        let error = provider.begin(ORIGIN).await.err().unwrap();
        assert!(error.is_outage() && error.to_string().contains(why), "{error}");
    }
}

/// That nothing in the browser stands in the way: policies of pages hold forms back, and cookies are not sent from every site.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_browser_goes_there_and_back_by_itself() {
    let Some(program) = support::browser::Browser::program() else {
        println!("skipped: no chromium is installed, and SCHOOLGATE_BROWSER names none");
        return;
    };
    let (files, there) = (tempfile::tempdir().unwrap(), TestProvider::start().await);
    // To a browser `localhost` is another site than 127.0.0.1.
    there.sends_people_to(&format!("{}/authorize", there.issuer.replace("127.0.0.1", "localhost")));
    let house = House::with(vec![there.configured(files.path(), "own", MailboxProof::Verified)]).await;
    sue(&house).await;
    let base = format!("http://{}", house.address);
    tokio::task::block_in_place(|| {
        for scripts in [true, false] {
            let mut browser = support::browser::Browser::start(&program);
            browser.scripts(scripts);
            browser.open(&format!("{base}/sign-in?next=%2Fheld"));
            browser.press("#with button");
            let end = Instant::now() + PATIENCE;
            // Between two pages there is no body.
            while !browser.holds("document.body?.innerText.includes('Sign out sue') === true") {
                assert!(Instant::now() < end, "{}", browser.words());
                std::thread::sleep(SETTLE);
            }
            assert_eq!(browser.text("location.pathname"), "/held");
            let complaints = browser.complaints();
            assert!(complaints.is_empty(), "scripts {scripts}: {complaints:?}");
        }
    });
}
