//! What others do to a desk like this one, each by its id in the list of attacks (section 7, U01 to U14), with the case it is known from.
//!
//! Beside these: U05 in `src/review/audit_page.rs`, U08 and U09 in `tests/desk.rs` and `tests/desk/sessions.rs`, U10 in `src/relay/notify`, U11 in `tests/control.rs`
//! and `src/relay/log.rs`, U12 in `tests/privacy.rs`. U13 is the engine's: rules are linear by construction.

use sqlx::{Connection, Row, SqliteConnection};

use super::alive::alive;
use super::support::desk::Answer;
use super::*;

/// Every page that shows something of a message, opened by somebody who may.
async fn pages(browser: &mut Browser, id: &str) -> Vec<(&'static str, Answer)> {
    let message = format!("/held/{id}");
    let (findings, content) = (format!("{message}/findings"), format!("{message}/content"));
    let purpose = [("purpose", "facts")];
    let mut out = vec![("waiting", browser.get("/").await), ("list", browser.get("/held").await)];
    out.push(("purpose", browser.get(&content).await));
    assert_eq!(browser.press(&findings, &findings, &purpose).await.status, 200);
    out.push(("message", browser.get(&message).await));
    out.push(("content", browser.press(&content, &content, &purpose).await));
    out.push(("refused", browser.press(&message, &format!("{message}/decide"), &[]).await));
    out.push(("record", browser.get("/audit").await));
    out
}

const HOSTILE: &str = "<script>alert(1)</script><img src=x onerror=alert(1)>";
/// The proof for mailcow: the whole page is a link that calls an endpoint of the administrator's.
const MAILCOW: &str = "<a style=position:fixed;top:0;left:0;width:100%;height:100% onmouseover=fetch('/people/sue/disable',{method:'POST'})>";

/// Relay checklist, row 137.
#[tokio::test]
async fn u01_u02_what_a_header_says_is_text_and_does_nothing() {
    let house = House::new().await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    for (at, (header, value)) in [
        ("Subject", HOSTILE.to_owned()),
        ("Subject", format!("=?utf-8?q?{}?=", HOSTILE.replace(' ', "_").replace('=', "=3D"))),
        ("From", format!("\"{HOSTILE}\" <t.person@saltmere.example>")),
        ("From", format!("{MAILCOW} <t.person@saltmere.example>")),
        ("From", format!("t.person@saltmere.example <{MAILCOW}@evil.example>")),
        ("To", format!("\"{HOSTILE}\" <someone@gmail.com>")),
        ("Message-ID", format!("<{HOSTILE}@saltmere.example>")),
        ("X-Mailer", HOSTILE.to_owned()),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("u{at}");
        let file = HOSTILE.replace('"', "'");
        let raw = format!(
            "{header}: {value}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
             Content-Type: text/plain\r\n\r\n{HOSTILE} Albert Fisher, UPN A998441726129. {MAILCOW}\r\n--b\r\n\
             Content-Type: text/plain; name=\"{file}.txt\"\r\nContent-Disposition: attachment; filename=\"{file}.txt\"\r\n\r\n\
             Albert Fisher, UPN A998441726129\r\n--b--\r\n"
        );
        let to = vec![address("someone@gmail.com"), address("\"<svg/onload=alert(1)>\"@elsewhere.example")];
        house.hold_raw(&id, Some(address("t.person@saltmere.example")), to, raw.as_bytes()).await;
        let mut said = 0;
        for (name, page) in pages(&mut sue, &id).await {
            assert!(matches!(page.status, 200 | 422), "{header} {name}: {}", page.status);
            assert_eq!(alive(&page.body), Vec::<String>::new(), "{header} {name}");
            said += page.body.matches("&lt;script&gt;alert").count();
        }
        assert!(said >= 3, "{header}: text, excerpt and file name are shown as text: {said}");
    }
    assert!(house.store.account("sue").await.unwrap().disabled_at.is_none());
}

/// HTML bodies, among them those that came through a well-known webmail's filter in one year.
const BODIES: &[(&str, &str)] = &[
    ("script", "<script src=//evil.example/x></script><script>alert(1)</script>"),
    ("handler", "<body onload=alert(1)><img src=x onerror=alert(1)><details open ontoggle=alert(1)>"),
    (
        "SVG SMIL",
        "<svg><animate attributeName=href values=javascript:alert(1) /><set attributeName=onmouseover to=alert(1)></svg>",
    ),
    (
        "SVG use and feImage",
        "<svg><use href='data:image/svg+xml,<svg/>#x'/><feImage href='https://evil.example/x'/></svg>",
    ),
    (
        "CSS url",
        "<p style=\"background:url(https://evil.example/x)\">a</p><style>p{background:url('//evil.example/y')}</style>",
    ),
    ("CSS import", "<style>@import 'https://evil.example/x.css'; @import url(//evil.example/y);</style>"),
    ("CSS var", "<p style=\"--x:url(https://evil.example/x);background:var(--x)\">a</p>"),
    (
        "CSS escapes",
        "<p style=\"background:\\75\\72\\6c(https://evil.example/x)\">a</p><p style='b\\61ckground:u/**/rl(//evil.example)'>",
    ),
    (
        "CSS position",
        "<div style='position:fixed;inset:0;z-index:9999;background:#fff'>Sign in again: <input name=password></div>",
    ),
    ("background", "<body background=https://evil.example/x><table background='//evil.example/y'><tr><td>a</table>"),
    ("base", "<base href=https://evil.example/><a href=held>a</a>"),
    ("meta refresh", "<meta http-equiv=refresh content='0;url=https://evil.example/'>"),
    (
        "form",
        "<form action=/held/a1/decide method=post><input name=decision value=release><button autofocus>Open</button></form>",
    ),
    (
        "iframe srcdoc",
        "<iframe srcdoc='&lt;script&gt;alert(1)&lt;/script&gt;'></iframe><object data=//evil.example/x><embed src=x>",
    ),
    (
        "MathML",
        "<math><maction actiontype=statusline xlink:href=javascript:alert(1)>a</maction><mtext><mglyph><style><img src=x onerror=alert(1)>",
    ),
    (
        "data",
        "<a href='data:text/html,<script>alert(1)</script>'>a</a><img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    ),
    ("javascript", "<a href=' jav&#x09;ascript:alert(1)'>a</a><a href=vbscript:x>b</a>"),
    (
        "srcset, poster, ping",
        "<img srcset='https://evil.example/x 1x'><video poster=//evil.example/y></video><a ping=//evil.example/p href=#>a</a>",
    ),
    ("link", "<link rel=stylesheet href=//evil.example/x.css><link rel=dns-prefetch href=//evil.example>"),
    ("unclosed", "<!--><img src=x onerror=alert(1)>--><noscript><p title='</noscript><img src=x onerror=alert(1)>'>"),
    ("text that is HTML once read", "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"),
    ("template", "{{ 7 * 7 }}{% for x in y %}${7*7}<%= 7*7 %>#{7*7}"),
];

/// Relay checklist, row 137.
#[tokio::test]
async fn u03_html_of_mail_is_shown_as_text() {
    let house = House::new().await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    for (at, (name, html)) in BODIES.iter().enumerate() {
        let id = format!("h{at}");
        let raw = format!(
            "From: A <t.person@saltmere.example>\r\nSubject: plan\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
             <p>Albert Fisher, UPN A998441726129.</p>\r\n{html}\r\n<p>UPN A998441726129, the last line</p>\r\n"
        );
        let to = vec![address("someone@gmail.com")];
        house.hold_raw(&id, Some(address("t.person@saltmere.example")), to, raw.as_bytes()).await;
        for (page, answer) in pages(&mut sue, &id).await {
            assert_eq!(alive(&answer.body), Vec::<String>::new(), "{name}: {page}");
            assert!(!answer.body.contains(">49"), "{name}: a template ran on {page}");
            assert!(
                page != "content" || answer.body.contains("Albert Fisher, UPN A998441726129."),
                "{name}: {}",
                answer.body
            );
        }
    }
}

#[tokio::test]
async fn u04_a_download_is_a_file_whatever_it_holds() {
    let house = House::new().await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    for (at, name) in [
        "x.html",
        "x.svg",
        "x.xml",
        "\u{e9}t\u{e9}.html",
        "a\"; filename=b.html",
        "a=0D=0ASet-Cookie: x=1",
        "..%2f..%2fetc%2fpasswd",
        "\u{202e}lmth.x",
    ]
    .iter()
    .enumerate()
    {
        let id = format!("d{at}");
        let encoded = name.replace('"', "\\\"");
        let raw = format!(
            "From: A <t.person@saltmere.example>\r\nSubject: =?utf-8?q?a=0D=0ASet-Cookie:_x=3D1?=\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/html; name=\"{encoded}\"\r\nContent-Disposition: inline; filename=\"{encoded}\"\r\n\r\n{HOSTILE}\r\n"
        );
        let to = vec![address("someone@gmail.com")];
        house.hold_raw(&id, Some(address("t.person@saltmere.example")), to, raw.as_bytes()).await;
        let content = format!("/held/{id}/content");
        sue.press(&content, &content, &[("purpose", "facts")]).await;
        let file = sue.press(&format!("/held/{id}"), &format!("/held/{id}/original"), &[]).await;
        let named = format!("attachment; filename=\"{id}.eml\"");
        for (header, value) in [
            ("content-disposition", named.as_str()),
            ("content-type", "application/octet-stream"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(file.header(header), Some(value), "{name}");
        }
        assert!(file.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
        assert!(file.header("set-cookie").is_none() && file.body == raw, "{name}: octet for octet");
    }
    // An id is looked up, never written into a header.
    let token = sue.get("/").await.field("token");
    for id in ["d0%22%0d%0aSet-Cookie:%20x=1", "..%2f..%2fqueue.db", "d0%00", "%ff"] {
        let answer = sue.send("POST", &format!("/held/{id}/original"), &[("token", &token)]).await;
        assert!(matches!(answer.status, 400 | 404) && answer.header("set-cookie").is_none(), "{id}: {}", answer.head);
    }
}

#[tokio::test]
async fn u05_no_cell_of_the_record_is_a_formula() {
    let house = House::new().await;
    house.hold("a1", "t.person@saltmere.example", &["someone@gmail.com"], "plan", "Nothing much.").await;
    let who = "=HYPERLINK(\"http://evil.example\")";
    house.store.note_view(&QueueId("a1".to_owned()), who, "look").await.unwrap();
    let mut hal = house.person("hal", &[Role::Head]).await;
    let table = hal.get("/audit.csv").await;
    assert!(table.body.contains("\"'=HYPERLINK(\"\"http://evil.example\"\")\""), "{}", table.body);
    assert_eq!(table.header("content-disposition"), Some("attachment; filename=\"record.csv\""));
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
}

/// Every row of every table, but for when sessions were last used.
async fn dump(house: &House) -> Vec<String> {
    let file = house.directory.path().join("queue.db");
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}?mode=ro", file.display())).await.unwrap();
    let mut out = Vec::new();
    let tables = sqlx::query("select name from sqlite_master where type = 'table' order by name");
    for table in tables.fetch_all(&mut connection).await.unwrap() {
        let table: String = table.get(0);
        let columns = sqlx::query("select name from pragma_table_info($1) where name <> 'seen_at'").bind(&table);
        let columns: Vec<String> =
            columns.fetch_all(&mut connection).await.unwrap().iter().map(|row| row.get(0)).collect();
        let quoted: Vec<String> = columns.iter().map(|column| format!("quote({column})")).collect();
        let rows = format!("select {} from {table}", quoted.join(" || ',' || "));
        let rows = sqlx::query(sqlx::AssertSqlSafe(rows)).fetch_all(&mut connection).await.unwrap();
        let mut rows: Vec<String> = rows.iter().map(|row| format!("{table}: {}", row.get::<String, _>(0))).collect();
        rows.sort();
        out.extend(rows);
    }
    out
}

/// Every route, with what is really there behind it.
fn routes(link: &str, first: &str, sender: &str) -> Vec<String> {
    let mut out: Vec<String> = ["a1", "s1"]
        .iter()
        .flat_map(|id| {
            ["", "/decide", "/findings", "/content", "/original", "/ask", "/approve"]
                .map(|what| format!("/held/{id}{what}"))
        })
        .collect();
    out.extend(["roles", "reset", "end", "disable", "enable"].map(|what| format!("/people/joe/{what}")));
    out.extend(
        [
            "/",
            "/held",
            "/allowances",
            "/allowances/x/end",
            "/exemptions",
            "/exemptions/x/end",
            "/personal-use",
            "/incidents",
            "/incidents/new",
            "/incidents/export",
            "/incidents/dossier",
            "/incidents/x",
            "/incidents/x/write",
            "/incidents/x/aware",
            "/incidents/x/close",
            "/disclosures",
            "/disclosures/x",
            "/disclosures/x/decide",
            "/disclosures/x/leave-out",
            "/disclosures/x/take",
            "/overview",
            "/rules",
            "/rules/x/approve",
            "/overview.csv",
            "/audit",
            "/audit.csv",
            "/people",
            "/account",
            "/account/password",
            "/account/codes",
            "/sign-in",
            "/sign-in/code",
            "/sign-out",
            "/sign-in/with/nobody",
            "/sign-in/back/nobody",
        ]
        .map(str::to_owned),
    );
    out.extend([format!("/sign-up/{link}"), format!("/first/{first}"), format!("/m/{sender}")]);
    out
}

#[tokio::test]
async fn u06_what_fetches_links_changes_nothing() {
    let house = House::new().await;
    let first = house.store.first_link().await.unwrap().unwrap();
    house.hold("a1", "t.person@saltmere.example", &["someone@gmail.com"], "plan", "Nothing much.").await;
    house.hold("s1", "t.person@saltmere.example", &["someone@gmail.com"], "Personal", "About me.").await;
    let link = house.store.create_account("joe", &address("joe@saltmere.example"), &[Role::It], "test").await.unwrap();
    let sender = house.returned("m1", "t.person@saltmere.example", &["someone@gmail.com"], "lunch", "At one?").await;
    let mut people = vec![Browser::new(house.address)];
    for role in [Role::Sbm, Role::Head, Role::Chair] {
        people.push(house.person(role.as_str(), &[role]).await);
    }
    let before = dump(&house).await;
    assert!(
        before.iter().any(|row| row.starts_with("message: ")) && before.iter().any(|row| row.starts_with("account: "))
    );
    let routes = routes(link.token.reveal(), first.token.reveal(), sender.token.reveal());
    let source = include_str!("../../src/review/mod.rs");
    assert_eq!(source.matches(".route(").count(), 47, "a new route is to be asked here too");
    for browser in &mut people {
        for more in [Vec::new(), vec!["Sec-Purpose: prefetch;prerender".to_owned(), "Purpose: prefetch".to_owned()]] {
            browser.more = more;
            for path in &routes {
                // What a decision would be, had it been a form.
                let asked = format!(
                    "{path}?decision=release&class=neither&reason=x&purpose=facts&why=x&name=x&role=sbm&what=cancel&sure=yes"
                );
                for (method, path) in [("GET", path), ("HEAD", path), ("GET", &asked)] {
                    let status = browser.send(method, path, &[]).await.status;
                    assert!(matches!(status, 200 | 303 | 404 | 405), "{method} {path}: {status}");
                }
            }
        }
    }
    let after = dump(&house).await;
    let changed: Vec<_> = after.iter().filter(|row| !before.contains(row)).collect();
    assert!(changed.is_empty() && before.len() == after.len(), "{changed:?}");
    // The comparison sees what a form does.
    let mut sue = people.swap_remove(1);
    sue.more.clear();
    sue.press("/held/a1/findings", "/held/a1/findings", &[("purpose", "facts")]).await;
    assert_ne!(dump(&house).await, before);
}

#[tokio::test]
async fn u07_nothing_is_sent_by_itself() {
    let house = House::new().await;
    house.hold("a1", "t.person@saltmere.example", &["someone@gmail.com"], "plan", "Nothing much.").await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let page = sue.get("/held/a1").await;
    let script = page.body.split("<script src=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#x2f;", "/");
    let script = sue.get(&script).await.body;
    assert!(script.contains("addEventListener"), "the script itself: {script}");
    for word in ["submit", "fetch", "XMLHttpRequest", "sendBeacon", ".click(", "eval", "innerHTML"] {
        assert!(!script.contains(word), "{word}");
    }
    // Whoever runs scripts and sends each form as it stands has chosen nothing; without a session there is no form.
    assert!(!page.body.contains(" checked") && page.body.matches(" required").count() >= 3);
    let answer = sue.press("/held/a1", "/held/a1/decide", &[]).await;
    assert_eq!(answer.status, 422);
    let mut scanner = Browser::new(house.address);
    assert_eq!(scanner.get("/held/a1").await.status, 303);
    let form = [("decision", "release"), ("class", "neither"), ("reason", "x")];
    assert_eq!(scanner.send("POST", "/held/a1/decide", &form).await.status, 403);
    assert_eq!(house.store.show(&QueueId("a1".to_owned())).await.unwrap().summary.state, Standing::Held);
}

/// Whose token, from where, to which host, and what is answered.
type Forged = (&'static str, Option<&'static str>, &'static str, &'static [&'static str], u16);

/// Relay checklist, row 137.
#[tokio::test]
async fn u08_a_form_counts_from_our_own_page_alone() {
    // `HOST` stands for the host and port that this desk is open at.
    const OURS: Option<&str> = Some("http://HOST");
    let house = House::new().await;
    house.hold("a1", "t.person@saltmere.example", &["someone@gmail.com"], "plan", "Nothing much.").await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let mut hal = house.person("hal", &[Role::Head]).await;
    let (own, others) = (sue.get("/held/a1").await.field("token"), hal.get("/held/a1").await.field("token"));
    assert_ne!(own, others);
    let rows: &[Forged] = &[
        ("", OURS, "HOST", &[], 403),
        ("none", OURS, "HOST", &[], 403),
        ("another's", OURS, "HOST", &[], 403),
        ("longer", OURS, "HOST", &[], 403),
        ("own", Some("https://evil.example"), "HOST", &[], 403),
        ("own", Some("https://HOST"), "HOST", &[], 403),
        ("own", Some("http://HOST.evil.example"), "HOST", &[], 403),
        ("own", Some("null"), "HOST", &[], 403),
        ("own", None, "HOST", &[], 403),
        ("own", None, "HOST", &["Sec-Fetch-Site: cross-site"], 403),
        ("own", None, "HOST", &["Sec-Fetch-Site: same-site"], 403),
        ("own", None, "HOST", &["Referer: http://HOST/held/a1"], 403),
        ("own", Some("null"), "HOST", &["Sec-Fetch-Site: same-origin"], 403),
        ("own", OURS, "evil.example", &[], 421),
        ("own", OURS, "HOST.evil.example", &[], 421),
        ("own", Some("http://evil.example"), "evil.example", &["X-Forwarded-Host: HOST"], 421),
        (
            "own",
            Some("http://evil.example"),
            "HOST",
            &["X-Forwarded-Host: evil.example", "Forwarded: host=evil.example"],
            403,
        ),
        // The way through is open: what was refused was refused for its own reason.
        ("own", OURS, "HOST", &["X-Forwarded-Host: evil.example", "X-HTTP-Method-Override: DELETE"], 422),
        ("own", None, "HOST", &["Sec-Fetch-Site: same-origin"], 422),
    ];
    let here = |text: &str| text.replace("HOST", &house.address.to_string());
    let longer = format!("{own}A");
    for (whose, from, host, more, want) in rows {
        let token = match *whose {
            "own" => Some(own.as_str()),
            "another's" => Some(others.as_str()),
            "longer" => Some(longer.as_str()),
            "none" => None,
            other => Some(other),
        };
        let mut form = vec![("decision", "release"), ("class", "neither")];
        form.extend(token.map(|token| ("token", token)));
        let more = more.iter().map(|line| here(line)).collect();
        let mut forged = Browser { origin: from.map(here), host: here(host), more, ..sue.clone() };
        let answer = forged.send("POST", "/held/a1/decide", &form).await;
        assert_eq!(answer.status, *want, "token {whose}, from {from:?}, to {host}: {}", answer.body);
        for (header, value) in [("x-frame-options", "DENY"), ("cross-origin-opener-policy", "same-origin")] {
            assert_eq!(answer.header(header), Some(value));
        }
        assert!(
            answer.header("content-security-policy").is_some_and(|policy| policy.contains("frame-ancestors 'none'"))
        );
    }
    // The link for a colleague names our address, whatever the request says of itself.
    sue.more = vec!["X-Forwarded-Host: evil.example".to_owned(), "Forwarded: host=evil.example".to_owned()];
    let link = sue.press("/people", "/people/hal/reset", &[]).await;
    let url = here("http:&#x2f;&#x2f;HOST&#x2f;sign-up&#x2f;");
    assert!(link.body.contains(&url) && !link.body.contains("evil.example"), "{}", link.body);
    // A session that was planted before signing in is not the one that signing in begins.
    let mut planted = Browser::new(house.address);
    planted.cookies.insert("schoolgate".to_owned(), "A".repeat(43));
    planted.cookies.insert("schoolgate-code".to_owned(), "B".repeat(43));
    planted.send("POST", "/sign-in", &[("name", "sue"), ("password", PASSWORD)]).await;
    assert_ne!(planted.cookies["schoolgate-code"], "B".repeat(43));
    planted.cookies.insert("schoolgate".to_owned(), planted.cookies["schoolgate-code"].clone());
    assert_eq!(planted.get("/").await.status, 303, "half a sign-in is none");
    for id in ["A1", "a", "a2", "a1%20", "%61%31%00", "a1' or '1'='1", "1"] {
        let path = format!("/held/{}", id.replace(' ', "%20"));
        assert!(matches!(sue.get(&path).await.status, 400 | 404), "{id}");
    }
}

#[tokio::test]
async fn u14_words_are_never_a_language() {
    let house = House::new().await;
    house.hold("a1", "t.person@saltmere.example", &["someone@gmail.com"], "plan", "Nothing much.").await;
    let mut sue = house.person("sue", &[Role::Sbm, Role::Head]).await;
    let before = dump(&house).await;
    for word in [
        "' or '1'='1",
        "'; drop table message; --",
        "\" or \"\"=\"",
        "%' --",
        "a1') union select 1 --",
        "*)(uid=*))(|(uid=*",
        "{{ 7 * 7 }}",
        "{% raw %}",
        "${7*7}",
        "$(id)",
        "`id`",
        "|id",
        "\u{0}",
        "\\",
        "%",
        "_",
        "%00",
        "../../etc/passwd",
        "\r\nSet-Cookie: x=1",
    ] {
        let word_in = |what: &str| form_urlencoded::Serializer::new(String::new()).append_pair(what, word).finish();
        for path in [
            "/held?search",
            "/held?rule",
            "/held?kind",
            "/held?after",
            "/held?show",
            "/audit?message",
            "/audit?who",
            "/audit.csv?who",
            "/sign-in?next",
        ] {
            let (path, what) = path.split_once('?').unwrap();
            let answer = sue.get(&format!("{path}?{}", word_in(what))).await;
            assert_eq!(answer.status, 200, "{path} {what} {word:?}: {}", answer.body);
            assert!(!answer.body.contains(">49<") && answer.header("set-cookie").is_none(), "{path} {what} {word:?}");
            if what == "search" {
                assert!(!answer.body.contains("href=\"/held/a1\""), "{word:?} finds everything");
            }
        }
        for (name, password) in [(word, "x"), ("sue", word)] {
            let mut stranger = Browser::new(house.address);
            let answer = stranger.send("POST", "/sign-in", &[("name", name), ("password", password)]).await;
            assert_eq!(answer.status, 422, "{word:?}");
            assert!(!answer.body.contains(">49<"));
        }
        let token = sue.get("/people").await.field("token");
        let answer = sue
            .send(
                "POST",
                "/people",
                &[("token", &token), ("name", format!("a b{word}").as_str()), ("address", "x@y.example")],
            )
            .await;
        assert_eq!(answer.status, 422, "{word:?} is no name");
        let form = [("token", token.as_str()), ("purpose", "facts"), ("why", word)];
        let answer = sue.send("POST", "/held/a1/content", &form).await;
        assert_eq!((answer.status, alive(&answer.body)), (200, Vec::new()), "{word:?}");
    }
    let after = dump(&house).await;
    let tables = |dump: &[String]| -> std::collections::BTreeSet<String> {
        dump.iter().map(|row| row.split(':').next().unwrap_or_default().to_owned()).collect()
    };
    assert!(tables(&before).is_subset(&tables(&after)), "every table is still there");
    let kept = |dump: &[String]| {
        dump.iter().filter(|row| row.starts_with("message: ") || row.starts_with("account: ")).count()
    };
    assert_eq!(kept(&before), kept(&after));
}
