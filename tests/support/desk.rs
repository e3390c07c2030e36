//! A desk over a socket in this process, and a browser as far as forms and cookies go.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use schoolgate::config::Config;
use schoolgate::extract::Pool;
use schoolgate::inspect::{self, Ground};
use schoolgate::policy::Mode;
use schoolgate::relay::notify::Notifier;
use schoolgate::review::{Desk, DeskError, GroundNow, Origin as DeskOrigin, Provider};
use schoolgate::smtp::{Address, Envelope};
use schoolgate::store::accounts::{Role, SignUpAnswer};
use schoolgate::store::{
    Acting, Assessment, Class, DisclosureKind, NewDisclosure, NewEntry, NewIncident, Origin, QueueId, Search,
    SenderLink, State as Standing, Store, StoreKey,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What was answered.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
    /// The body octet for octet.
    pub octets: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)))
            .map(|(_, value)| value)
    }

    /// The value of a hidden field.
    pub fn field(&self, name: &str) -> String {
        let from = self.body.find(&format!("name=\"{name}\" value=\"")).map(|at| at + name.len() + 15);
        from.map(|from| self.body[from..].split('"').next().unwrap_or_default().to_owned()).unwrap_or_default()
    }
}

/// A browser with its cookies.
#[derive(Clone)]
pub struct Browser {
    pub address: SocketAddr,
    pub cookies: BTreeMap<String, String>,
    pub origin: Option<String>,
    pub host: String,
    /// Header lines besides.
    pub more: Vec<String>,
}

impl Browser {
    pub fn new(address: SocketAddr) -> Self {
        let origin = Some(format!("http://{address}"));
        Self { address, cookies: BTreeMap::new(), origin, host: address.to_string(), more: Vec::new() }
    }

    pub async fn send(&mut self, method: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.host);
        for line in &self.more {
            request.push_str(&format!("{line}\r\n"));
        }
        if !cookies.is_empty() {
            request.push_str(&format!("Cookie: {}\r\n", cookies.join("; ")));
        }
        if method == "POST" {
            if let Some(origin) = &self.origin {
                request.push_str(&format!("Origin: {origin}\r\n"));
            }
            request.push_str(&format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                body.len()
            ));
        }
        request.push_str("\r\n");
        request.push_str(&body);
        let mut stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = Vec::new();
        stream.read_to_end(&mut text).await.unwrap();
        let begin = text.windows(4).position(|four| four == b"\r\n\r\n").map_or(text.len(), |at| at + 4);
        let octets = text[begin..].to_vec();
        let text = String::from_utf8_lossy(&text).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        for line in head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let (name, value) = line.split(';').next().unwrap_or_default().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Answer { status, head: head.to_owned(), body: body.to_owned(), octets }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[]).await
    }

    /// Loads a page and sends a form that stands on it.
    pub async fn press(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let shown = self.get(page).await;
        let (token, key) = (shown.field("token"), shown.field("key"));
        let mut form = vec![("token", token.as_str()), ("key", key.as_str())];
        form.extend(fields);
        self.send("POST", action, &form).await
    }
}

/// A desk that is open, with the fixtures' school.
pub struct House {
    pub store: Store,
    pub address: SocketAddr,
    served: tokio::task::JoinHandle<Result<(), DeskError>>,
    pub ground: Arc<Ground>,
    /// The same, as the desk has it.
    swap: Arc<ArcSwap<Ground>>,
    pub directory: tempfile::TempDir,
}

impl Drop for House {
    fn drop(&mut self) {
        self.served.abort();
    }
}

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub const PASSWORD: &str = "three quiet otters";

impl House {
    pub async fn new() -> Self {
        Self::with(Vec::new()).await
    }

    /// At which people may sign in by these too.
    pub async fn with(providers: Vec<Provider>) -> Self {
        Self::made(None, |desk| desk.with_providers(providers)).await
    }

    /// Found at this URL, or where it listens, and with what else a test asks for.
    pub async fn made(public_url: Option<&str>, change: impl FnOnce(Desk) -> Desk) -> Self {
        Self::laid("core", public_url, change).await
    }

    /// Of a school with this pack.
    pub async fn under(pack: &str) -> Self {
        Self::laid(pack, None, |desk| desk).await
    }

    async fn laid(pack: &str, public_url: Option<&str>, change: impl FnOnce(Desk) -> Desk) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open_exclusive(directory.path(), StoreKey::from_bytes([7; 32])).await.unwrap();
        let mut config =
            Config::load(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/school/school.toml")))
                .unwrap();
        config.policy.pack = schoolgate::config::Pack::Embedded(pack.to_owned());
        let ground = Arc::new(schoolgate::command::ground::load(&config).unwrap().ground);
        let from = address("gate@saltmere.example");
        let notifier = Notifier::new("Saltmere", "", "gate.saltmere.example", from, None, BTreeMap::new()).unwrap();
        let swap = Arc::new(ArcSwap::from(Arc::clone(&ground)));
        let now: GroundNow = {
            let swap = Arc::clone(&swap);
            Arc::new(move || swap.load_full())
        };
        let socket = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = socket.local_addr().unwrap();
        let own_url = format!("http://{address}");
        let origin = DeskOrigin::new(public_url.unwrap_or(&own_url), Vec::new()).unwrap();
        let workers = Arc::new(Pool::start(0).unwrap());
        let desk = Desk::new(store.clone(), Arc::new(ArcSwap::from_pointee(notifier)), now, origin, workers).unwrap();
        let (chosen, changed) = (store.clone(), Arc::clone(&swap));
        let desk = desk.with_modes_put(Arc::new(move || {
            changed.store(Arc::new(changed.load().with_modes(&chosen.modes()).0));
        }));
        let served = tokio::spawn(change(desk).serve(socket));
        Self { store, address, served, ground, swap, directory }
    }

    /// What the desk takes for what decides.
    pub fn in_force(&self) -> Arc<Ground> {
        self.swap.load_full()
    }

    /// Rules have these modes from now on.
    pub fn change_modes(&mut self, modes: impl IntoIterator<Item = (String, Mode)>) {
        let (ground, unknown) = self.ground.with_modes(&modes.into_iter().collect());
        assert!(unknown.is_empty(), "{unknown:?}");
        self.ground = Arc::new(ground);
        self.swap.store(Arc::clone(&self.ground));
    }

    /// An account that has signed up, with its browser signed in through the pages.
    pub async fn person(&self, name: &str, roles: &[Role]) -> Browser {
        let mailbox = address(&format!("{name}@saltmere.example"));
        let link = self.store.create_account(name, &mailbox, roles, "test").await.unwrap();
        let secret = self.store.sign_up(link.token.reveal()).await.unwrap().unwrap().secret;
        let answer = self.store.complete_sign_up(link.token.reveal(), PASSWORD, &code(secret.reveal())).await.unwrap();
        let SignUpAnswer::Done(codes) = answer else { panic!("{answer:?}") };
        let mut browser = Browser::new(self.address);
        let answer = browser.send("POST", "/sign-in", &[("name", name), ("password", PASSWORD)]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some("/sign-in/code?next=%2F")),
            "{}",
            answer.body
        );
        // The authenticator's code was used up by signing up.
        let answer = browser.send("POST", "/sign-in/code", &[("code", codes[0].reveal())]).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{}", answer.body);
        browser
    }

    /// A message that the rules of the school have looked at, held.
    pub async fn hold(&self, id: &str, from: &str, to: &[&str], subject: &str, body: &str) {
        let raw = format!("From: A Teacher <{from}>\r\nTo: {}\r\nSubject: {subject}\r\n\r\n{body}\r\n", to.join(", "));
        self.hold_raw(id, Some(address(from)), to.iter().map(|to| address(to)).collect(), raw.as_bytes()).await;
    }

    /// A message that came back to its sender and is kept, with the sender's link to it.
    pub async fn returned(&self, id: &str, from: &str, to: &[&str], subject: &str, body: &str) -> SenderLink {
        let raw = format!("From: A Teacher <{from}>\r\nTo: {}\r\nSubject: {subject}\r\n\r\n{body}\r\n", to.join(", "));
        let to = to.iter().map(|to| address(to)).collect();
        let entry = self.entry(id, Standing::Returned, Some(address(from)), to, raw.as_bytes());
        let link = self.store.new_sender_link(&entry.id, jiff::SignedDuration::from_hours(72)).unwrap();
        self.store.commit_with(vec![entry], Some(link.clone())).await.unwrap();
        link
    }

    /// A message that may go, on its way.
    pub async fn queued(&self, id: &str, from: &str, to: &[&str], subject: &str, body: &str) {
        let raw = format!("From: A Teacher <{from}>\r\nTo: {}\r\nSubject: {subject}\r\n\r\n{body}\r\n", to.join(", "));
        let to = to.iter().map(|to| address(to)).collect();
        self.store
            .commit(vec![self.entry(id, Standing::Queued, Some(address(from)), to, raw.as_bytes())])
            .await
            .unwrap();
    }

    /// A request for disclosure of what is from or to this mailbox, asked for by this account; its id.
    pub async fn disclosure(&self, account: &str, mailbox: &str) -> QueueId {
        let search = Search { mailbox: Some(mailbox.to_owned()), ..Search::default() };
        let reason = "a letter of 1 May".to_owned();
        let new = NewDisclosure { kind: DisclosureKind::SubjectAccess, search, applicant: None, reason };
        let by = Acting { account: account.to_owned(), who: account.to_owned(), own: Vec::new() };
        self.store.ask_disclosure(new, &by).await.unwrap()
    }

    /// An incident of this reference, entered by hand by nobody of those who sign in.
    pub async fn incident(&self, id: &str) {
        let assessment = Assessment { happened: "A list was left on the bus.".to_owned(), ..Assessment::default() };
        let new = NewIncident {
            id: QueueId(id.to_owned()),
            message: None,
            report: None,
            origin: Origin::Hand,
            assessment,
            who: "test".to_owned(),
        };
        self.store.open_incident(new).await.unwrap().unwrap();
    }

    /// The same with every octet chosen.
    pub async fn hold_raw(&self, id: &str, from: Option<Address>, to: Vec<Address>, raw: &[u8]) {
        let entry = self.entry(id, Standing::Held, from, to, raw);
        self.store.commit(vec![entry]).await.unwrap();
    }

    /// An entry as the rules of the school see it.
    fn entry(&self, id: &str, state: Standing, from: Option<Address>, to: Vec<Address>, raw: &[u8]) -> NewEntry {
        let envelope = Envelope::new(from, to);
        let now = Timestamp::now();
        let report = inspect::inspect(&self.ground, &envelope, raw, now);
        NewEntry {
            id: QueueId(id.to_owned()),
            class: Class::Mail,
            about: None,
            state,
            envelope,
            content: Arc::from(raw),
            sha256: ring::digest::digest(&ring::digest::SHA256, raw).as_ref().try_into().unwrap(),
            report: Some(report),
            at: now,
            client: None,
        }
    }
}

pub fn code(secret: &str) -> String {
    let base32: String = secret.chars().filter(|c| !c.is_whitespace()).collect();
    let secret = totp_rs::Secret::try_from_base32(&base32).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    totp.generate(u64::try_from(Timestamp::now().as_second()).unwrap()).to_string()
}
