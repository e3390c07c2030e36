//! Relay checklist, row 141: what systemd is told. The test is systemd: it listens on the socket and starts the gateway.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use sqlx::Connection;

use super::Talk;
use super::support::{Gateway, PATIENCE, Sink};

/// Where notifications come in (sd_notify(3)).
struct Systemd {
    socket: UnixDatagram,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Systemd {
    fn listens() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        Self { socket, path, _folder: folder }
    }

    fn path(&self) -> &str {
        self.path.to_str().expect("UTF-8")
    }

    /// The lines of what is said next, within this time.
    fn hears(&self, within: Duration) -> Option<Vec<String>> {
        self.socket.set_read_timeout(Some(within)).expect("a timeout");
        let mut octets = [0; 4_096];
        let length = self.socket.recv(&mut octets).ok()?;
        Some(String::from_utf8_lossy(&octets[..length]).lines().map(str::to_owned).collect())
    }

    /// All that is said until somebody says this line, or nobody does for long; with whether it was said.
    fn hears_until(&self, line: &str) -> (bool, Vec<String>) {
        let (until, mut all) = (Instant::now() + PATIENCE, Vec::new());
        while Instant::now() < until {
            let said = self.hears(Duration::from_millis(200)).unwrap_or_default();
            let there = said.iter().any(|one| one == line);
            all.extend(said);
            if there {
                return (true, all);
            }
        }
        (false, all)
    }

    /// All that was said already.
    fn has_heard(&self) -> Vec<String> {
        std::iter::from_fn(|| self.hears(Duration::from_millis(1))).flatten().collect()
    }
}

fn sends(gateway: &Gateway, number: usize) -> bool {
    let mut talk = Talk::begins(gateway.port, "systemd");
    talk.says(
        format!("Subject: The boiler\r\nMessage-ID: <{number}@saltmere.example>\r\n\r\nIt hums.\r\n.\r\n").as_bytes(),
    );
    talk.line().starts_with(b"250 ")
}

#[test]
fn it_is_ready_when_the_store_is_open_and_says_when_it_ends() {
    let (systemd, sink) = (Systemd::listens(), Sink::start());
    let environment = [("NOTIFY_SOCKET", systemd.path())];
    let mut gateway = Gateway::new(sink.port);
    gateway.start(&environment);
    assert!(systemd.hears_until("READY=1").0, "{}", gateway.log());
    assert!(sends(&gateway, 1));
    gateway.terminate();
    systemd.has_heard();

    // A store that cannot be opened yet: the port is there, nobody is greeted, and systemd waits.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(gateway.store().join("queue.db"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut locker = runtime.block_on(async {
        let mut locker = sqlx::SqliteConnection::connect_with(&options).await.expect("the database opens");
        sqlx::query("begin immediate").execute(&mut locker).await.expect("the lock");
        locker
    });
    gateway.spawn(&environment);
    let until = Instant::now() + PATIENCE;
    while !gateway.banner().starts_with("421 4.3.") {
        assert!(Instant::now() < until && gateway.running(), "{}", gateway.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_secs(2));
    let early = systemd.has_heard();
    assert!(!early.iter().any(|line| line == "READY=1"), "{early:?}\n{}", gateway.log());
    assert!(gateway.banner().starts_with("421 4.3."), "{}", gateway.log());
    runtime.block_on(async { sqlx::query("rollback").execute(&mut locker).await.expect("the lock is let go") });
    let (ready, said) = systemd.hears_until("READY=1");
    assert!(ready, "{said:?}\n{}", gateway.log());
    // From then on, and with no wait.
    assert!(gateway.banner().starts_with("220 "), "{}", gateway.log());
    assert!(sends(&gateway, 2));

    // The unit reloads by a signal and does not wait for a word about it (`Type=notify`, not `notify-reload`).
    let unit = include_str!("../../systemd/schoolgate.service");
    assert!(unit.lines().any(|line| line == "Type=notify") && unit.contains("\nExecReload=/bin/kill -HUP $MAINPID\n"));
    gateway.signal("-HUP");
    let until = Instant::now() + PATIENCE;
    while !gateway.log().contains("event=\"reloaded\"") {
        assert!(Instant::now() < until, "{}", gateway.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    let said = systemd.has_heard();
    assert!(!said.iter().any(|line| line == "STOPPING=1" || line == "READY=1"), "{said:?}");

    gateway.signal("-TERM");
    let (stopping, said) = systemd.hears_until("STOPPING=1");
    assert!(stopping, "{said:?}\n{}", gateway.log());
    assert!(gateway.wait_for_exit().success(), "{}", gateway.log());
    let last = systemd.has_heard();
    assert!(!last.iter().any(|line| line == "READY=1" || line == "WATCHDOG=1"), "{last:?}");
}

#[test]
fn the_watchdog_is_fed_while_mail_is_committed_and_no_longer() {
    let (systemd, sink) = (Systemd::listens(), Sink::start());
    let environment = [
        ("NOTIFY_SOCKET", systemd.path()),
        ("WATCHDOG_USEC", "1000000"),
        // Behind the gateway's own start, and in the midst of mail.
        ("SCHOOLGATE_FAULT", "stands:writer:60"),
    ];
    let mut gateway = Gateway::new(sink.port);
    gateway.start(&environment);
    for _ in 0..3 {
        assert!(systemd.hears_until("WATCHDOG=1").0, "{}", gateway.log());
    }
    // What is not committed is not answered 250, so the first without is where the writer stands.
    let taken = (0..200).take_while(|number| sends(&gateway, *number)).count();
    assert!((1..200).contains(&taken), "{taken} were taken\n{}", gateway.log());
    // Twice a second it came; three seconds without it are more than systemd would wait.
    let until = Instant::now() + 3 * PATIENCE;
    let mut last = Instant::now();
    while last.elapsed() < Duration::from_secs(3) {
        assert!(Instant::now() < until, "it looks alive\n{}", gateway.log());
        if systemd.hears(Duration::from_millis(500)).is_some_and(|said| said.iter().any(|line| line == "WATCHDOG=1")) {
            last = Instant::now();
        }
    }
    assert!(gateway.running(), "it did not end: it stands, and it is systemd that ends it\n{}", gateway.log());
    gateway.kill();
    gateway.start(&[("NOTIFY_SOCKET", systemd.path())]);
    sink.wait("what was answered", |all| all.len() >= taken);
    assert!(sends(&gateway, 1_000));
}
