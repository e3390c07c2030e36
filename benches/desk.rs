//! How long each page of the desk takes from request to last octet, how heavy it is, and what memory the desk takes: with
//! nothing held, 1,000 and 100,000 messages.
//!
//! `cargo bench --bench desk`; a number after `--` measures that many held messages alone. One JSON object a line. The peer in
//! the same run is the style sheet, which the same server sends without looking anything up: `ratio` is the page's median to its.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use schoolgate::config::Config;
use schoolgate::extract::Pool;
use schoolgate::inspect::{Ground, Report, inspect};
use schoolgate::relay::notify::Notifier;
use schoolgate::review::{Desk, GroundNow, Origin};
use schoolgate::smtp::{Address, Envelope};
use schoolgate::store::accounts::{Role, SignUpAnswer};
use schoolgate::store::{Class, NewEntry, QueueId, State, Store, StoreKey};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Requests a page.
const REQUESTS: usize = 200;
/// Messages laid down at once.
const AT_ONCE: usize = 500;
const PASSWORD: &str = "three quiet otters";
const HOST: &str = "127.0.0.1:8025";

/// What the messages are like, over and over: clean to look at, of a pupil, of a pupil's health, sealed, about many.
const MAIL: &[(&str, &str, &str)] = &[
    ("office", "someone@gmail.com", "Subject: Boiler\r\n\r\nThe boiler is to be looked at on Thursday.\r\n"),
    ("t.person", "someone@gmail.com", "Subject: Albert\r\n\r\nAlbert Fisher was excluded for two days.\r\n"),
    ("head", "info@club.example", "Subject: Trip\r\n\r\nLottie Fenn has epilepsy and carries his medicine.\r\n"),
    ("t.person", "someone@outlook.com", "Subject: Personal: lunch\r\n\r\nShall we meet at one?\r\n"),
];

fn address(text: &str) -> Address {
    Address::parse(text).expect("address")
}

/// One connection that stays open, with the cookies of whoever signs in over it.
struct Browser {
    stream: BufReader<TcpStream>,
    cookies: BTreeMap<String, String>,
}

/// What was answered.
struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a hidden field.
    fn field(&self, name: &str) -> String {
        let text = self.text();
        let after = text.split(&format!("name=\"{name}\" value=\"")).nth(1);
        after.and_then(|after| after.split('"').next()).unwrap_or_default().to_owned()
    }
}

impl Browser {
    async fn new(at: SocketAddr) -> Self {
        let stream = TcpStream::connect(at).await.expect("the desk is open");
        stream.set_nodelay(true).expect("a socket");
        Self { stream: BufReader::new(stream), cookies: BTreeMap::new() }
    }

    async fn send(&mut self, method: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nCookie: {}\r\n", cookies.join("; "));
        if method == "POST" {
            request.push_str(&format!(
                "Origin: http://{HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                body.len()
            ));
        }
        request.push_str(&format!("\r\n{body}"));
        self.stream.write_all(request.as_bytes()).await.expect("sent");
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).await.expect("a head");
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if status == 0 {
                status = line.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
            }
            let (name, value) = line.split_once(": ").unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().expect("a length");
            }
            if let Some((name, value)) = value.split_once('=').filter(|_| name.eq_ignore_ascii_case("set-cookie")) {
                self.cookies.insert(name.to_owned(), value.split(';').next().unwrap_or_default().to_owned());
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.expect("a body");
        Answer { status, body }
    }

    async fn sign_in(&mut self, name: &str, code: &str) {
        let answer = self.send("POST", "/sign-in", &[("name", name), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let answer = self.send("POST", "/sign-in/code", &[("code", code)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
    }
}

/// Somebody who has signed up; a recovery code to sign in with.
async fn person(store: &Store, name: &str, role: Role) -> String {
    let mailbox = address(&format!("{name}@saltmere.example"));
    let link = store.create_account(name, &mailbox, &[role], "bench").await.expect("an account");
    let open = store.sign_up(link.token.reveal()).await.expect("the store").expect("a link");
    let base32: String = open.secret.reveal().chars().filter(|c| !c.is_whitespace()).collect();
    let secret = totp_rs::Secret::try_from_base32(&base32).expect("a secret");
    let totp = totp_rs::Builder::new().with_secret(secret).build().expect("an authenticator");
    let now = u64::try_from(Timestamp::now().as_second()).expect("after 1970");
    let code = totp.generate(now).to_string();
    match store.complete_sign_up(link.token.reveal(), PASSWORD, &code).await.expect("the store") {
        SignUpAnswer::Done(codes) => codes[0].reveal().to_owned(),
        answer => panic!("{answer:?}"),
    }
}

/// Lays down so many held messages.
async fn hold(store: &Store, ground: &Ground, many: usize) {
    let now = Timestamp::now();
    let kinds: Vec<(Envelope, Arc<[u8]>, Report)> = MAIL
        .iter()
        .map(|(from, to, content)| {
            let from = format!("{from}@saltmere.example");
            let raw = format!("From: A Teacher <{from}>\r\nTo: {to}\r\n{content}");
            let envelope = Envelope::new(Some(address(&from)), vec![address(to)]);
            let report = inspect(ground, &envelope, raw.as_bytes(), now);
            (envelope, Arc::from(raw.as_bytes()), report)
        })
        .collect();
    let entry = |at: usize| {
        let (envelope, content, report) = &kinds[at % kinds.len()];
        NewEntry {
            id: QueueId(format!("b{at:06}")),
            class: Class::Mail,
            about: None,
            state: State::Held,
            envelope: envelope.clone(),
            content: Arc::clone(content),
            sha256: ring::digest::digest(&ring::digest::SHA256, content).as_ref().try_into().expect("32 octets"),
            report: Some(report.clone()),
            at: now - jiff::SignedDuration::from_secs(i64::try_from(many - at).unwrap_or_default() * 60),
            client: None,
        }
    };
    for from in (0..many).step_by(AT_ONCE) {
        store.commit((from..many.min(from + AT_ONCE)).map(entry).collect()).await.expect("kept");
    }
}

/// Resident memory of this process, in KiB; what a heap has given back is not counted.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()).and_then(|word| word.parse().ok()).unwrap_or_default()
}

/// Asks for a page over and over: median and 95th percentile in ms, and its octets.
async fn time(browser: &mut Browser, method: &str, path: &str, form: &[(&str, &str)]) -> (f64, f64, usize) {
    let mut took = Vec::with_capacity(REQUESTS);
    let mut octets = 0;
    for _ in 0..REQUESTS {
        let start = Instant::now();
        let answer = browser.send(method, path, form).await;
        took.push(start.elapsed().as_secs_f64() * 1_000.0);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        octets = answer.body.len();
    }
    took.sort_by(f64::total_cmp);
    (took[REQUESTS / 2], took[REQUESTS * 95 / 100], octets)
}

async fn measure(held: usize) {
    let directory = tempfile::tempdir().expect("a directory");
    let school = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/school/school.toml");
    let config = Config::load(&school).expect("the school of the fixtures");
    let ground = Arc::new(schoolgate::command::ground::load(&config).expect("its roster").ground);
    let store = Store::open_exclusive(directory.path(), StoreKey::from_bytes([7; 32])).await.expect("a store");
    hold(&store, &ground, held).await;

    let before = resident();
    let gate = address("gate@saltmere.example");
    let notifier =
        Notifier::new("Saltmere", "", "gate.saltmere.example", gate, None, BTreeMap::new()).expect("notices");
    let now: GroundNow = {
        let ground = Arc::clone(&ground);
        Arc::new(move || Arc::clone(&ground))
    };
    let origin = Origin::new(&format!("http://{HOST}"), Vec::new()).expect("an origin");
    let workers = Arc::new(Pool::start(0).expect("threads"));
    let desk =
        Desk::new(store.clone(), Arc::new(ArcSwap::from_pointee(notifier)), now, origin, workers).expect("pages");
    let socket = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
    let at = socket.local_addr().expect("a port");
    let served = tokio::spawn(desk.serve(socket));
    let sheet = Browser::new(at).await.send("GET", "/sign-in", &[]).await.text();
    let sheet = sheet.split("href=\"").find(|rest| rest.contains(".css\"")).and_then(|rest| rest.split('"').next());
    let sheet = sheet.expect("a style sheet").replace("&#x2f;", "/");
    let idle = resident();

    let code = person(&store, "sue", Role::Sbm).await;
    let mut browser = Browser::new(at).await;
    browser.sign_in("sue", &code).await;
    let (peer, ..) = time(&mut browser, "GET", &sheet, &[]).await;
    let newest = format!("/held/b{:06}", held.saturating_sub(2));
    let content = format!("{newest}/content");
    let mut pages: Vec<(&str, &str)> = vec![
        ("GET", "/"),
        ("GET", "/held"),
        ("GET", "/held?breach=yes"),
        ("GET", "/held?kind=personal"),
        ("GET", "/held?rule=personal-marker-missing"),
        ("GET", "/held?search=gmail"),
        ("GET", "/held?search=nobody-like-that"),
        ("GET", "/held?show=decided"),
        ("GET", "/audit"),
        ("GET", "/people"),
        ("GET", "/sign-in"),
    ];
    if held > 0 {
        pages.extend([("GET", newest.as_str()), ("GET", &content), ("POST", &content)]);
    }
    for (method, path) in pages {
        let token = browser.send("GET", "/people", &[]).await.field("token");
        let form = [("token", token.as_str()), ("purpose", "facts")];
        let form = if method == "POST" { &form[..] } else { &[] };
        let (p50, p95, octets) = time(&mut browser, method, path, form).await;
        let path = path.replace(&newest, "/held/ID");
        println!(
            "{{\"held\":{held},\"page\":\"{method} {path}\",\"p50_ms\":{p50:.2},\"p95_ms\":{p95:.2},\"ratio\":{:.1},\
             \"octets\":{octets},\"requests\":{REQUESTS}}}",
            p50 / peer
        );
    }
    println!(
        "{{\"held\":{held},\"sheet_p50_ms\":{peer:.2},\"idle_kib\":{},\"after_kib\":{}}}",
        idle.saturating_sub(before),
        resident().saturating_sub(before)
    );
    served.abort();
}

fn main() {
    let only = std::env::args().skip(1).find_map(|argument| argument.parse::<usize>().ok());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    for held in [0, 1_000, 100_000].into_iter().filter(|held| only.is_none_or(|only| only == *held)) {
        runtime.block_on(measure(held));
    }
}
