//! A mode that was put in force at the desk of the real gateway: mail is decided by it at once, and after a reload and a restart; it
//! stands over the file, and `policy check` says so.

mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use support::desk::{Browser, PASSWORD, code};
use support::{Case, Gateway, PATIENCE, Sink, cases, free_port, id_of};

/// Somebody with an account of this role, signed in.
async fn person(gateway: &Gateway, base: &str, address: SocketAddr, role: &str) -> Browser {
    let mailbox = format!("{role}.desk@saltmere.example");
    let output = gateway.command(&["user", "add", role, "--address", &mailbox, "--role", role]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let link = told.split_whitespace().find(|word| word.starts_with(base)).unwrap_or_else(|| panic!("no link: {told}"));
    let path = link.strip_prefix(base).expect("a path").to_owned();
    let mut browser = Browser::new(address);
    let page = browser.get(&path).await;
    let secret = page.body.split("<code>").nth(1).expect("a secret").split('<').next().expect("its end").to_owned();
    let form = [("password", PASSWORD), ("again", PASSWORD), ("code", &code(&secret))];
    let done = browser.send("POST", &path, &form).await;
    let recovery =
        done.body.split("<li>").nth(1).expect("a recovery code").split('<').next().expect("its end").to_owned();
    browser.send("POST", "/sign-in", &[("name", role), ("password", PASSWORD)]).await;
    let answer = browser.send("POST", "/sign-in/code", &[("code", &recovery)]).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{}", answer.body);
    browser
}

/// How a message stands once it is decided on.
fn state(gateway: &Gateway, case: &Case) -> String {
    let id = id_of(&gateway.client().send(&case.mail_from, &case.rcpt, &case.message()).expect("taken in"));
    let until = Instant::now() + PATIENCE;
    loop {
        let shown = gateway.command(&["queue", "show", &id, "--json"]);
        let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
        let state = shown["state"].as_str().unwrap_or_default().to_owned();
        if !["pending", "queued"].contains(&state.as_str()) {
            return state;
        }
        assert!(Instant::now() < until, "{id} is still {state}\n{}", gateway.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The id of what is proposed, as the page's form has it.
fn proposal(page: &str, what: &str) -> String {
    let form = page.split("action=\"/rules/").find(|form| form.split('"').next().is_some_and(|to| to.ends_with(what)));
    form.and_then(|form| form.split('/').next()).unwrap_or_else(|| panic!("no {what}: {page}")).to_owned()
}

#[tokio::test]
async fn a_mode_that_was_put_in_force_holds_at_once_and_over_reload_and_restart() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    let port = free_port();
    let (base, address) = (format!("http://127.0.0.1:{port}"), SocketAddr::from(([127, 0, 0, 1], port)));
    gateway.set("review", "public_url", base.as_str());
    gateway.set("review", "listen", format!("127.0.0.1:{port}"));
    gateway.start(&[]);
    let is_it = |case: &Case| case.action == "hold" && case.accept.is_empty() && case.rules.len() == 1;
    let case = cases().into_iter().find(is_it).expect("a message that one rule holds");
    let rule = case.rules[0].clone();
    assert_eq!(state(&gateway, &case), "held");
    let mut sue = person(&gateway, &base, address, "sbm").await;
    let mut hal = person(&gateway, &base, address, "head").await;
    let mut ivy = person(&gateway, &base, address, "it").await;
    let form = [("rule", rule.as_str()), ("mode", "observe"), ("because", "it holds too much")];
    assert_eq!(sue.press("/rules", "/rules", &form).await.status, 303);
    let id = proposal(&hal.get("/rules").await.body, "/approve");
    assert_eq!(hal.press("/rules", &format!("/rules/{id}/approve"), &[]).await.status, 303);
    assert_eq!(state(&gateway, &case), "held", "approved is not in force");
    assert_eq!(ivy.press("/rules", &format!("/rules/{id}/put"), &[]).await.status, 303);
    assert_eq!(state(&gateway, &case), "delivered", "it holds at once");
    let said = format!("{rule}: the mode observe was chosen at the desk and stands over the file");
    let check = |gateway: &Gateway| {
        let output = gateway.command(&["policy", "check"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(check(&gateway).contains(&said), "{}", check(&gateway));

    // The file says otherwise, and is read anew.
    gateway.set("policy", "modes", toml::Table::from_iter([(rule.clone(), "enforce".into())]));
    let before = gateway.log().matches("event=\"reloaded\"").count();
    gateway.signal("-HUP");
    let until = Instant::now() + PATIENCE;
    while gateway.log().matches("event=\"reloaded\"").count() == before {
        assert!(Instant::now() < until, "{}", gateway.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(state(&gateway, &case), "delivered", "it stands over the file");
    gateway.kill();
    assert!(check(&gateway).contains(&said), "while none runs, too");
    gateway.start(&[]);
    assert_eq!(state(&gateway, &case), "delivered", "a restart keeps it");
    let page = ivy.get("/rules").await.body;
    assert!(page.contains("put in force here by it"), "{page}");
    let report = gateway.command(&["report", "overview", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).expect("JSON");
    let effects = report["rules"].as_array().expect("rules").iter().find(|one| one["rule"] == rule.as_str());
    let effect = effects.unwrap_or_else(|| panic!("{report}"));
    assert_eq!((effect["held"].as_u64(), effect["would_hold"].as_u64()), (Some(2), Some(3)), "{effect}");
    let table = gateway.command(&["report", "overview", "--csv"]);
    assert!(String::from_utf8_lossy(&table.stdout).contains(&format!("\"{rule}\"")));
    assert!(gateway.command(&["report", "overview"]).status.success());
}
