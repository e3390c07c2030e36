//! The desk in a real browser: the School Business Manager sets up her account, signs in, opens what waits and decides.
//!
//! Every page is looked at on a telephone and on a desk: nothing to scroll sideways, one heading, a label for each field, the main button
//! within reach of the keyboard. Skipped, with a line that says so, where no browser is installed, unless `SCHOOLGATE_BROWSER` names one.
//! `SCHOOLGATE_SCREENSHOTS=1` takes the pictures of `docs/desk` anew; axe-core (`fixtures/axe`) is run on each page.

mod support;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use support::browser::Browser;
use support::{Case, Gateway, Sink, cases, compose, free_port, id_of};

/// A telephone and a desk, in CSS pixels.
const WIDTHS: [u32; 2] = [375, 1280];
/// Naughty strings in one message; a line of SMTP holds 1,000 octets.
const STRINGS: usize = 125;
const PASSWORD: &str = "three quiet otters";

/// What is wrong with a page, in words.
const FAULTS: &str = r#"(() => {
  const faults = [], root = document.documentElement, all = (s) => [...document.querySelectorAll(s)];
  if (root.scrollWidth > root.clientWidth) {
    const wide = all("body *").filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1 && !e.closest(".table"));
    faults.push(`scrolls sideways, ${root.scrollWidth} > ${root.clientWidth}: ${wide.slice(0, 3).map((e) => e.outerHTML.slice(0, 120))}`);
  }
  if (all("h1").length !== 1) faults.push(`${all("h1").length} main headings`);
  if (!document.title || !root.lang || all("main").length !== 1) faults.push("no title, language or main part");
  for (const e of all("input:not([type=hidden], [hidden]), select, textarea"))
    if (![...e.labels].some((label) => label.innerText.trim())) faults.push(`no label: ${e.outerHTML}`);
  for (const e of all("a, button")) if (!e.innerText.trim()) faults.push(`no words: ${e.outerHTML}`);
  for (const e of all("main button, main input:not([type=hidden], [hidden]), main select, main textarea")) {
    const box = (e.labels && e.labels[0] || e).getBoundingClientRect();
    if (Math.max(box.height, e.getBoundingClientRect().height) < 24) faults.push(`hard to hit: ${e.outerHTML}`);
  }
  const ids = all("[id]").map((e) => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`twice: #${id}`);
  if (all("main img, main svg:not(.chart), main script, main iframe, main style, [onload], [onerror]").length) faults.push("something of the message is alive");
  if (all("link[rel=stylesheet]").length !== 1 || all("style").length) faults.push("not one style sheet");
  if (all("script").some((e) => !e.defer)) faults.push("the first paint waits for a script");
  if (typeof window.hacked !== "undefined") faults.push("something of the message ran");
  return faults;
})()"#;

/// The button that the page is for, else its first link.
const MAIN: &str = r#"["main button:not(.second, .link), main a.button", "main a.row, main button", "main a"]
  .map((wanted) => [...document.querySelectorAll(wanted)].find((e) => e.getClientRects().length)).find((e) => e)"#;

struct Desk {
    browser: Browser,
    base: String,
    pictures: bool,
    faults: Vec<String>,
}

impl Desk {
    fn open(&mut self, path: &str) {
        self.browser.open(&format!("{}{path}", self.base));
    }

    /// Looks at the page that is open, at every width; its pictures are kept under a name.
    fn look(&mut self, page: &str, pictures: &[(u32, &str)]) {
        for width in WIDTHS {
            self.browser.wide(width);
            let mut faults: Vec<String> = serde_json::from_value(self.browser.value(FAULTS)).expect("a list");
            for dark in [true, false] {
                self.browser.dark(dark);
                self.browser.value(concat!(include_str!("../fixtures/axe/axe.min.js"), ";0"));
                let found = "axe.run().then((r) => r.violations.map((v) => `axe ${v.id}: ${v.nodes[0].html}`))";
                let found: Vec<String> = serde_json::from_value(self.browser.value(found)).expect("a list");
                faults.extend(found);
            }
            self.faults.extend(faults.iter().map(|fault| format!("{page} at {width}: {fault}")));
            if let Some((_, name)) = pictures.iter().find(|(at, _)| *at == width).filter(|_| self.pictures) {
                let picture = self.browser.picture(if width < 600 { 1600 } else { 1000 });
                assert!(picture.len() < 250_000, "{name}.png has {} octets", picture.len());
                let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/desk/{name}.png"));
                std::fs::create_dir_all(file.parent().expect("a directory")).expect("docs/desk");
                std::fs::write(file, picture).expect("written");
            }
        }
        self.reach(page);
    }

    /// From the top of the page, Tab comes to the main button, and each stop on the way can be seen.
    fn reach(&mut self, page: &str) {
        self.browser.value("document.activeElement.blur(), getSelection().removeAllRanges(), scrollTo(0, 0)");
        for _ in 0..120 {
            self.browser.key("Tab");
            let seen = "getComputedStyle(document.activeElement).outlineStyle !== 'none' || document.activeElement === document.body";
            if self.browser.value(seen) != true {
                let what = self.browser.text("document.activeElement.outerHTML");
                self.faults.push(format!("{page}: the focus cannot be seen on {what}"));
            }
            if self.browser.value(&format!("document.activeElement === {MAIN}")) == true {
                return;
            }
        }
        let main = self.browser.value(&format!("{MAIN}?.outerHTML"));
        self.faults.push(format!("{page}: Tab does not come to {main}"));
    }

    fn says(&mut self, words: &str) {
        let page = self.browser.words();
        assert!(page.contains(words), "{words:?} is not on the page:\n{page}");
    }

    /// Chooses the first purpose and goes on.
    fn say_why(&mut self) {
        self.browser.press("input[name=purpose]");
        self.browser.follow("main button");
    }

    /// Takes the first reason that is at hand for a decision, in the form that is open, and sends it.
    fn decide(&mut self, decision: &str) {
        self.browser.press(&format!("#{decision}-1"));
        self.browser.press("#class-near-miss");
        self.browser.follow(".decide button");
    }
}

/// A message that is held, and whose every part would run in a careless page.
fn hostile() -> Vec<u8> {
    let alive = "<script>hacked=1</script><img src=x onerror=hacked=1>";
    let text = format!(
        "{alive}\nAlbert Fisher was upset today; his social worker rang. UPN A998441726129. {}",
        "W".repeat(300)
    );
    let file =
        compose::docx(&[&format!("Albert Fisher, UPN A998441726129 {}", "&lt;script&gt;hacked=1&lt;/script&gt;")]);
    let message = compose::with_files(
        &format!("{alive}{{{{ 7 * 7 }}}}{}", "W".repeat(200)),
        &text,
        &[("'><img src=x onerror=hacked=1>.docx", &file)],
    );
    let from = "From: \"<svg onload=hacked=1>\" <c.drew@saltmere.example>";
    String::from_utf8(message).expect("ASCII").replacen("From: w.carr@saltmere.example", from, 1).into_bytes()
}

/// Messages of which each string of the Big List of Naughty Strings is a line of the text, the name of a file and a part of Subject and From.
fn naughty() -> Vec<Vec<u8>> {
    let strings = String::from_utf8(support::fixture("naughty/blns.json")).expect("UTF-8");
    let strings: Vec<String> = serde_json::from_str(&strings).expect("a list");
    let word = |text: &str| format!("=?utf-8?B?{}?=", compose::base64_line(text.as_bytes()));
    let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let message = |some: &[String]| {
        let words: Vec<String> = some.iter().map(|text| word(text)).collect();
        let text = format!("Albert Fisher, UPN A998441726129.\n\n{}\n", some.join("\n\n"));
        let mut raw = format!(
            "From: {0}\n <c.drew@saltmere.example>\nSubject: {0}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=_n\"\n\n\
             --=_n\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n{1}\n",
            words.join("\n "),
            compose::base64(text.as_bytes()).replace("\r\n", "\n")
        );
        for text in some {
            raw.push_str(&format!(
                "--=_n\nContent-Type: text/plain\nContent-Disposition: attachment;\n filename*=utf-8''{}\n\nx\n",
                percent(text)
            ));
        }
        (raw + "--=_n--\n").replace('\n', "\r\n").into_bytes()
    };
    strings.chunks(STRINGS).map(message).collect()
}

/// Of one family's child, with what is said of it: the mother may have it, nobody else.
const FAMILY: &str = "May Rivers was excluded for two days and has an EHCP.";

fn letter(from: &str, subject: &str, text: &str) -> Vec<u8> {
    format!("From: A Teacher <{from}>\r\nSubject: {subject}\r\n\r\n{text}\r\n").into_bytes()
}

fn held_cases() -> Vec<Case> {
    cases().into_iter().filter(|case| case.action == "hold" && case.accept.is_empty()).collect()
}

/// The address in what `user add` prints.
fn link(gateway: &Gateway, base: &str) -> String {
    let output = gateway.command(&["user", "add", "hal", "--address", "head@saltmere.example", "--role", "head"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let link = told.split_whitespace().find(|word| word.starts_with(base));
    link.unwrap_or_else(|| panic!("no link: {told}{}", String::from_utf8_lossy(&output.stderr))).to_owned()
}

/// The address that makes the first account, as the log of the start has it.
fn first_link(gateway: &Gateway, base: &str) -> String {
    let log = gateway.log();
    let link = log.split(['"', ' ', '=', '\n']).rfind(|word| word.starts_with(&format!("{base}/first/")));
    link.unwrap_or_else(|| panic!("no link: {log}")).to_owned()
}

fn state(gateway: &Gateway, id: &str) -> String {
    let output = gateway.command(&["queue", "show", id, "--json"]);
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    shown["state"].as_str().expect("a state").to_owned()
}

#[test]
fn a_school_business_manager_decides_in_a_browser() {
    let Some(program) = Browser::program() else {
        println!("skipped: no chromium is installed, and SCHOOLGATE_BROWSER names none");
        return;
    };
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    let port = free_port();
    let base = format!("http://127.0.0.1:{port}");
    gateway.set("review", "listen", format!("127.0.0.1:{port}"));
    gateway.set("review", "public_url", base.clone());
    gateway.start(&[]);
    let send = |from: &str, to: &[String], content: &[u8]| {
        let reply = gateway.client().send(from, to, content).expect("taken in");
        let id = id_of(&reply);
        assert_eq!(state(&gateway, &id), "held");
        id
    };
    let plain: Vec<String> =
        held_cases().iter().take(3).map(|case| send(&case.mail_from, &case.rcpt, &case.message())).collect();
    let to_both = ["tanya.rivers.ropewalk@hotmail.co.uk".to_owned(), "someone@elsewhere.example".to_owned()];
    let family = send("n.aziz@saltmere.example", &to_both, &letter("n.aziz@saltmere.example", "Reading", FAMILY));
    let sealed = send(
        "c.drew@saltmere.example",
        &to_both[1..],
        &letter("c.drew@saltmere.example", "Personal: My own affair", FAMILY),
    );
    let to = [
        "callumdrew.saltmere@hotmail.co.uk".to_owned(),
        "\"<svg/onload=hacked=1>\"@elsewhere.example".to_owned(),
        format!("{}@{}.example", "w".repeat(64), "w".repeat(60)),
    ];
    let hostile = send("c.drew@saltmere.example", &to, &hostile());
    let naughty: Vec<String> =
        naughty().iter().map(|message| send("c.drew@saltmere.example", &to[..1], message)).collect();
    let link = first_link(&gateway, &base);

    let pictures = std::env::var("SCHOOLGATE_SCREENSHOTS").is_ok_and(|value| value == "1");
    let browser = Browser::start(&program);
    let mut desk = Desk { browser, base: base.clone(), pictures, faults: Vec::new() };

    // Setting up the first account, from the link in the log on; and the page of anybody else's.
    desk.browser.open(&link);
    desk.look("first account", &[]);
    let otpauth = desk.browser.text("document.querySelector('a[href^=otpauth]').href");
    let totp = totp_rs::Totp::from_url(otpauth).expect("an authenticator");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    desk.browser.fill("#name", "sue");
    desk.browser.fill("#address", "sbm@saltmere.example");
    desk.browser.fill("#password", PASSWORD);
    desk.browser.fill("#again", PASSWORD);
    desk.browser.fill("#code", &totp.generate(now).to_string());
    desk.browser.follow("main button");
    desk.says("Keep these recovery codes");
    desk.look("recovery codes", &[]);
    let role = gateway.command(&["user", "role", "sue", "--role", "sbm,head"]);
    assert!(role.status.success(), "{}", String::from_utf8_lossy(&role.stderr));
    desk.browser.open(&self::link(&gateway, &base));
    desk.look("sign-up", &[]);
    desk.open("/sign-in");

    // Signing in: a wrong password, then a code that was used, then the next one.
    desk.look("sign-in", &[(1280, "sign-in")]);
    desk.browser.fill("#name", "sue");
    desk.browser.fill("#password", "not the password");
    desk.browser.follow("main button");
    desk.says("There is a problem");
    desk.look("sign-in refused", &[]);
    desk.browser.fill("#password", PASSWORD);
    desk.browser.follow("main button");
    desk.look("code", &[]);
    desk.browser.fill("#code", &totp.generate(now).to_string());
    desk.browser.follow("main button");
    desk.says("was used before");
    desk.look("code refused", &[]);
    desk.browser.fill("#code", &totp.generate(now + 30).to_string());
    desk.browser.follow("main button");
    desk.says("What waits for you");
    desk.look("what waits", &[(375, "waiting-phone"), (1280, "waiting")]);

    // Every page, of a plain message and of a hostile one.
    desk.open("/held");
    desk.look("held", &[]);
    desk.open(&format!("/held/{}", plain[0]));
    desk.browser.key("r");
    assert_eq!(desk.browser.value("document.activeElement.id"), "release-1", "r goes to the reasons to release it");
    for (id, name) in [(&plain[0], "plain"), (&hostile, "hostile")] {
        let is_plain = name == "plain";
        let pictures = |list: &'static [(u32, &'static str)]| if is_plain { list } else { &[] };
        desk.open(&format!("/held/{id}"));
        desk.look(&format!("{name} message"), &[]);
        desk.open(&format!("/held/{id}/findings"));
        desk.look(&format!("{name} purpose"), &[]);
        desk.say_why();
        assert_eq!(desk.browser.text("location.pathname"), format!("/held/{id}/findings"));
        desk.look(&format!("{name} findings"), pictures(&[(375, "message-phone"), (1280, "message")]));
        desk.browser.follow("a[href$='/content']");
        desk.look(&format!("{name} purpose of reading"), &[]);
        desk.say_why();
        desk.look(&format!("{name} content"), pictures(&[(1280, "content")]));
    }
    desk.says("<script>hacked=1</script><img src=x onerror=hacked=1>");
    desk.open(&format!("/held/{hostile}"));
    desk.says("<svg/onload=hacked=1>");

    let loaded = "performance.getEntriesByType('navigation').map((entry) => [entry.responseEnd, entry.domComplete])[0]";
    println!("a message: all octets, and all that belongs to the page, after {} ms", desk.browser.value(loaded));

    // A decision: how many presses from the opened link on.
    desk.browser.wide(WIDTHS[0]);
    desk.open(&format!("/held/{}", plain[0]));
    let before = desk.browser.presses;
    desk.decide("release");
    assert_eq!(desk.browser.presses - before, 3, "presses from the opened link to the recorded decision");
    desk.says("Decided");
    desk.look("decided", &[]);
    sink.wait("the released message", |taken| taken.iter().any(|t| t.from == held_cases()[0].mail_from));

    // The same without scripts.
    desk.browser.scripts(false);
    desk.open(&format!("/held/{}", plain[1]));
    desk.browser.key("r");
    assert_eq!(desk.browser.value("document.activeElement.id"), "", "scripts are off");
    desk.decide("return");
    desk.says("It was returned to the sender");
    assert_ne!(state(&gateway, &plain[1]), "held");
    desk.browser.follow("main a.button");
    desk.says("Nobody outside has received it");
    desk.browser.scripts(true);

    // The other decisions: to the parent alone, and to nobody.
    desk.open(&format!("/held/{family}"));
    desk.says("It goes to tanya.rivers.ropewalk@hotmail.co.uk only");
    desk.look("family", &[]);
    desk.decide("release-entitled");
    desk.says("It goes to those entitled");
    sink.wait("the message to the parent", |taken| {
        taken.iter().any(|t| t.from == "n.aziz@saltmere.example" && t.recipients == to_both[..1])
    });
    desk.open(&format!("/held/{}", plain[2]));
    desk.decide("discard");
    desk.says("It was discarded");
    assert_eq!(state(&gateway, &plain[2]), "discarded");

    // A sealed message: asked for, approved by the chair, open until the grant ends.
    desk.open(&format!("/held/{sealed}"));
    desk.look("sealed", &[]);
    assert!(!desk.browser.words().contains("My own affair"), "a sealed message names nothing");
    desk.browser.fill("#why", "The sender is away and a parent waits.");
    desk.browser.follow("form[action$='/ask'] button");
    desk.says("sue asks");
    desk.look("sealed, asked for", &[]);

    // The sender's own page of what came back, by the link in the notice, without an account.
    let case = cases()
        .into_iter()
        .find(|case| case.rules == ["confidential-marker-missing"])
        .expect("a message that comes back");
    let returned = id_of(&gateway.client().send(&case.mail_from, &case.rcpt, &case.message()).expect("taken"));
    let text = |taken: &support::Taken| String::from_utf8_lossy(&taken.content).replace("=\r\n", "");
    let is_it = |taken: &support::Taken| {
        taken.from.is_empty() && text(taken).contains(&returned) && text(taken).contains("/m/")
    };
    let taken = sink.wait("the notice to the sender", |taken| taken.iter().any(is_it));
    let notice = text(taken.iter().find(|taken| is_it(taken)).expect("the notice"));
    let path = notice.split("/m/").nth(1).map(|rest| format!("/m/{}", &rest[..22])).expect("a link");
    desk.open(&path);
    desk.says("Your message was not sent");
    desk.look("sender's own page", &[(375, "sender-phone")]);
    // What renders pages, runs scripts and sends every form that it finds, changes nothing.
    let forms = desk.browser.value("document.forms.length").as_u64().expect("a number") as usize;
    assert!(forms >= 3, "{forms} forms");
    for nth in 0..forms {
        desk.open(&path);
        desk.browser.value(&format!("document.forms[{nth}].requestSubmit()"));
        desk.says("Your message was not sent");
        desk.browser.submit(nth);
        desk.says("Nothing was changed");
        assert_eq!(state(&gateway, &returned), "returned");
    }
    desk.browser.scripts(false);
    desk.open(&path);
    desk.browser.fill("#words-wrong", "The council asked for it.");
    desk.browser.press("#sure-wrong");
    desk.browser.follow("form:has(#sure-wrong) button");
    desk.says("Handed over");
    desk.browser.scripts(true);
    desk.look("handed over", &[]);
    desk.open(&path);
    desk.says("Your message is held");
    desk.look("sender's own page of a held message", &[]);
    desk.open(&format!("/held/{returned}"));
    desk.says("The council asked for it.");

    // All naughty strings, each page at every width; none is alive, and none leads elsewhere or pushes the page aside.
    for id in &naughty {
        desk.open(&format!("/held/{id}"));
        desk.look("naughty message", &[]);
        desk.open(&format!("/held/{id}/findings"));
        desk.say_why();
        desk.look("naughty findings", &[]);
        desk.open(&format!("/held/{id}/content"));
        desk.say_why();
        desk.look("naughty content", &[]);
    }

    // A decision by the keys alone, without scripts: a reason, what it was, and the button.
    desk.browser.scripts(false);
    desk.open(&format!("/held/{}", naughty[0]));
    for choice in ["#release-1", "#class-breach"] {
        desk.browser.tab_to(choice);
        desk.browser.key(" ");
    }
    desk.browser.follow_by_key(".decide button");
    desk.says("It goes out now");
    assert_ne!(state(&gateway, &naughty[0]), "held");
    desk.browser.scripts(true);

    for (path, name) in [
        ("/held?show=decided", "decided mail"),
        ("/held?search=nobody-has-this", "nothing found"),
        ("/overview", "overview"),
        ("/rules", "rules"),
        ("/incidents", "register"),
        ("/incidents?show=near-misses", "near misses"),
        ("/incidents/new", "incident by hand"),
        ("/incidents/dossier", "dossier"),
        ("/disclosures", "disclosures"),
        ("/audit", "record"),
        ("/people", "people"),
        ("/account", "own account"),
        ("/nowhere", "nothing here"),
    ] {
        desk.open(path);
        let pictures: &[(u32, &'static str)] = match name {
            "record" => &[(1280, "record")],
            "overview" => &[(1280, "overview")],
            _ => &[],
        };
        desk.look(name, pictures);
    }

    // What was taken for a breach is in the register; its 72 hours begin when somebody says so, and not before.
    desk.open("/incidents");
    desk.browser.follow("main .rows a");
    desk.says("no clock runs");
    desk.look("incident", &[]);
    desk.browser.press("#sure");
    desk.browser.follow("main form:nth-of-type(1) button");
    desk.says("72 hours end");
    desk.browser.fill("#measures", "The recipient was asked to delete it.");
    desk.browser.follow("main form:nth-of-type(2) button");
    desk.says("Version 2");
    desk.look("incident with its clock", &[(1280, "incident")]);

    // A disclosure: asked for in the form, decided on by somebody else, one message left out of it.
    desk.open("/disclosures");
    desk.browser.fill("#mailbox", "c.drew@saltmere.example");
    desk.browser.fill("#why", "A parent asks what we have of her.");
    desk.browser.follow("main form button");
    desk.says("waits for a second person");
    desk.look("disclosure, asked for", &[]);
    let request = desk.browser.text("location.pathname").replace("/disclosures/", "");
    let approved = gateway.command(&["disclose", "approve", &request, "--who", "hal"]);
    assert!(approved.status.success(), "{}", String::from_utf8_lossy(&approved.stderr));
    desk.open(&format!("/disclosures/{request}"));
    desk.says("Take it away");
    desk.look("disclosure, approved", &[(1280, "disclosure")]);
    desk.browser.fill("li input[name=why]", "Another family's confidence.");
    desk.browser.follow("li form button");
    desk.says("Another family's confidence.");
    desk.look("disclosure, one left out", &[]);

    // A new password: refused, then taken; the session goes on.
    desk.open("/account");
    for (present, says) in [("not this one", "not your present password"), (PASSWORD, "Your password is changed")] {
        desk.browser.fill("#present", present);
        desk.browser.fill("#password", "seven blue teapots");
        desk.browser.fill("#again", "seven blue teapots");
        desk.browser.follow("main button");
        desk.says(says);
        desk.look(says, &[]);
    }
    desk.browser.fill("#codes-present", "seven blue teapots");
    desk.browser.follow("main form:nth-of-type(2) button");
    desk.says("Keep these recovery codes");
    desk.look("new recovery codes", &[]);
    desk.browser.follow("main a.button");
    desk.browser.follow("header form button");
    desk.says("Sign in");

    assert!(desk.faults.is_empty(), "{} faults:\n{}", desk.faults.len(), desk.faults.join("\n"));
    let complaints = desk.browser.complaints();
    assert!(complaints.is_empty(), "the browser complains:\n{}", complaints.join("\n"));
    let requests = desk.browser.requests();
    // `data:` is the browser's own picture beside a date: it asks nobody.
    let ours = |url: &String| {
        url.starts_with(&format!("{base}/")) || url == "about:blank" || url.starts_with("data:image/svg+xml;")
    };
    let elsewhere: Vec<_> = requests.iter().filter(|url| !ours(url)).collect();
    assert!(requests.len() > 30 && elsewhere.is_empty(), "asked elsewhere: {elsewhere:?} of {}", requests.len());

    // That nothing was seen would mean little if nothing could be.
    desk.browser
        .value("document.querySelector('main').innerHTML += '<img src=http://127.0.0.1:9/x.png onerror=hacked=1>'");
    assert!(desk.browser.value(FAULTS).to_string().contains("is alive"));
    let complaints = desk.browser.complaints().join("\n");
    assert!(complaints.contains("Content Security Policy"), "a breach of the policy is told: {complaints}");
}
