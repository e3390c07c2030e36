//! A store that is full, locked or failing says so at the door, pauses delivery, and recovers by itself.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sqlx::Connection;
use support::{Client, Gateway, PATIENCE, Sink, header};

const SENDER: &str = "w.carr@saltmere.example";
const RECIPIENT: &str = "bookings@shorelinecoaches.example";

fn content(name: &str, lines: usize) -> String {
    let head = format!(
        "From: Wendy Carr <{SENDER}>\r\nTo: {RECIPIENT}\r\nSubject: Coach\r\n\
         Message-ID: <{name}.sick@saltmere.example>\r\n\r\n"
    );
    head + &"The coach leaves at nine.\r\n".repeat(lines)
}

fn send(gateway: &Gateway, name: &str) -> std::io::Result<support::Reply> {
    let mut client = Client::connect(gateway.port)?;
    client.hello()?;
    let content = content(name, 1);
    client.send(SENDER, &[RECIPIENT.to_owned()], content.as_bytes())
}

/// How often each name came.
fn arrivals(sink: &Sink) -> Vec<String> {
    let mut names: Vec<String> = sink
        .taken()
        .iter()
        .filter_map(|taken| header(&taken.content, "Message-ID"))
        .map(|id| id.trim_start_matches('<').split('.').next().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    names
}

/// Waits until mail is answered 250 again.
fn send_at_last(gateway: &Gateway, name: &str) {
    let until = Instant::now() + PATIENCE;
    loop {
        match send(gateway, name) {
            Ok(reply) if reply.code == 250 => return,
            refused => assert!(Instant::now() < until, "{refused:?}\n{}", gateway.log()),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A small disk of its own; `None` where this process may not mount one.
struct Disk(PathBuf);

impl Disk {
    fn mount(place: &Path, megabytes: usize) -> Option<Self> {
        std::fs::create_dir(place).expect("a directory");
        let size = format!("size={megabytes}m,mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(place).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(place.to_owned()));
        }
        println!("skipped: only root may mount a small disk");
        None
    }

    /// Leaves room for this many octets.
    fn fill(&self, left: u64) {
        let path = self.0.join("filler");
        let _ = std::fs::remove_file(&path);
        let free = || {
            let disk = rustix::fs::statvfs(&self.0).expect("figures of the disk");
            disk.f_bavail * disk.f_frsize
        };
        let file = std::fs::File::create(&path).expect("a file");
        let wanted = free().saturating_sub(left);
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, wanted.max(1)).expect("room taken");
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("filler")).expect("the file");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a gateway that a failing test left behind may still have it open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_start_on_a_full_disk_waits_for_room() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    let place = gateway.directory().join("disk");
    let Some(disk) = Disk::mount(&place, 120) else { return };
    gateway.set("store", "path", place.to_string_lossy().into_owned());
    gateway.set("listen", "message_size", 1_048_576);
    gateway.monitored();
    // Once with no store yet, once with one that has mail in it.
    for name in ["first", "second"] {
        disk.fill(0);
        gateway.spawn(&[]);
        // Before the disk is looked at, it only says that it starts.
        let until = Instant::now() + PATIENCE;
        while !gateway.wait_for_readiness(503).contains("disk nearly full") {
            assert!(Instant::now() < until, "it does not say why it takes no mail\n{}", gateway.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        // A store that needs no room to be opened refuses at MAIL what it has no room for.
        let shut = gateway.banner().starts_with("421 4.3.0 ");
        let refused = send(&gateway, name).expect_err("mail is refused").to_string();
        assert!(shut || refused.contains("452"), "{refused}\n{}", gateway.log());
        std::thread::sleep(Duration::from_secs(3));
        assert!(gateway.running(), "it does not give up\n{}", gateway.log());
        disk.empty();
        gateway.wait_for_readiness(200);
        send_at_last(&gateway, name);
        sink.wait(name, |_| arrivals(&sink).contains(&name.to_owned()));
        gateway.kill();
    }
    // Killed between the sink's answer and its own note of it, a gateway sends once more what it cannot know has arrived.
    let mut arrived = arrivals(&sink);
    arrived.dedup();
    assert_eq!(arrived, ["first", "second"]);
}

/// Relay checklist, rows 72 and 73.
#[test]
fn a_disk_that_fills_up_says_so_and_is_waited_for() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    let place = gateway.directory().join("disk");
    let Some(disk) = Disk::mount(&place, 120) else { return };
    gateway.set("store", "path", place.to_string_lossy().into_owned());
    gateway.set("listen", "message_size", 1_048_576);
    gateway.monitored();
    gateway.start(&[]);
    send_at_last(&gateway, "before");
    // Nearly full: what was taken is still delivered, nothing new is taken.
    disk.fill(32 * 1024 * 1024);
    assert!(gateway.wait_for_readiness(503).contains("disk nearly full"));
    let refused = send(&gateway, "nearly").expect_err("MAIL is refused").to_string();
    assert!(refused.contains("452"), "{refused}");
    assert!(gateway.page("/metrics").1.contains("schoolgate_store_free_octets"));
    // Quite full: not even an outcome could be recorded, so nothing is sent.
    disk.fill(0);
    assert!(send(&gateway, "full").is_err());
    std::thread::sleep(Duration::from_secs(3));
    assert!(gateway.running(), "{}", gateway.log());
    disk.empty();
    gateway.wait_for_readiness(200);
    send_at_last(&gateway, "after");
    sink.wait("what was answered", |_| arrivals(&sink).len() >= 2);
    sink.settled();
    assert_eq!(arrivals(&sink), ["after", "before"]);
}

/// How a test spoils what lies on the disk.
type Spoil = fn(&Path);

/// Relay checklist, row 75.
#[test]
fn a_start_among_damaged_files_delivers_the_rest_and_counts_what_is_set_aside() {
    let sink = Sink::start();
    // Nobody listens there: all of it waits.
    let mut gateway = Gateway::new(1);
    gateway.monitored();
    gateway.start(&[]);
    let spoilt: &[(&str, Spoil)] = &[
        ("torn", |file| std::fs::File::options().write(true).open(file).and_then(|f| f.set_len(1_000)).expect("cut")),
        ("empty", |file| std::fs::File::create(file).map(drop).expect("emptied")),
        ("gone", |file| std::fs::remove_file(file).expect("removed")),
        ("flipped", |file| {
            let mut bytes = std::fs::read(file).expect("the content");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(file, bytes).expect("written back");
        }),
        ("of another version", |file| {
            let mut bytes = std::fs::read(file).expect("the content");
            bytes[0] = 0xff;
            std::fs::write(file, bytes).expect("written back");
        }),
        ("unreadable", |file| {
            std::fs::remove_file(file).and_then(|()| std::fs::create_dir(file)).expect("no file any more");
        }),
    ];
    let mut ids = Vec::new();
    for (place, _) in spoilt.iter().enumerate() {
        // Large enough for a file of its own.
        let mut client = gateway.client();
        client.hello().expect("EHLO");
        let content = content(&format!("spoilt{place}"), 12_000);
        let reply = client.send(SENDER, &[RECIPIENT.to_owned()], content.as_bytes()).expect("an answer");
        ids.push(support::id_of(&reply));
    }
    send_at_last(&gateway, "row");
    send_at_last(&gateway, "whole");
    gateway.kill();
    let store = gateway.store();
    for ((_, spoil), id) in spoilt.iter().zip(&ids) {
        spoil(&store.join("large").join(id));
    }
    // What a crash may have left: a file that no row names, an empty one, one of another program.
    for litter in ["large/0000000000000000", "segments/left.tmp", "segments/0000000000000000.q", "core"] {
        std::fs::write(store.join(litter), if litter == "core" { "a core" } else { "" }).expect("litter");
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(store.join("queue.db"));
        let mut rows = sqlx::SqliteConnection::connect_with(&options).await.expect("the database opens");
        let spoil = "update message set mail_from = 'no address' where id = (select id from message \
                     where content_file like 'segments/%' and class = 'mail' order by at, id limit 1)";
        let done = sqlx::query(spoil).execute(&mut rows).await.expect("a row is spoilt");
        assert_eq!(done.rows_affected(), 1);
        rows.close().await.expect("closed");
    });
    gateway.set("smarthost", "port", i64::from(sink.port));
    gateway.start(&[]);
    sink.wait("what is whole", |_| arrivals(&sink).contains(&"whole".to_owned()));
    let wanted = format!("schoolgate_set_aside_messages {}", spoilt.len() + 1);
    let until = Instant::now() + PATIENCE;
    while !gateway.page("/metrics").1.contains(&wanted) {
        let page = gateway.page("/metrics").1;
        let said: Vec<&str> = page.lines().filter(|line| line.contains("set_aside")).collect();
        assert!(Instant::now() < until, "{wanted}: {said:?}\n{}", gateway.log());
        std::thread::sleep(Duration::from_millis(200));
    }
    sink.settled();
    assert_eq!(arrivals(&sink), ["whole"]);
    let listed = gateway.command(&["queue", "list", "--damaged", "--json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let reasons: Vec<&str> =
        listed.as_array().expect("a list").iter().filter_map(|one| one["damaged"].as_str()).collect();
    println!("{reasons:?}");
    for ((what, _), id) in spoilt.iter().zip(&ids) {
        let one = listed.as_array().expect("a list").iter().find(|one| one["id"] == id.as_str());
        let reason = one.and_then(|one| one["damaged"].as_str()).unwrap_or_else(|| panic!("{what}: not set aside"));
        assert!(!reason.is_empty(), "{what}");
    }
    send_at_last(&gateway, "after");
    sink.wait("what comes after", |_| arrivals(&sink).contains(&"after".to_owned()));
}

/// Relay checklist, row 74.
#[test]
fn a_locked_database_is_451_and_421_and_then_over() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.monitored();
    gateway.start(&[]);
    send_at_last(&gateway, "before");
    let database = find(gateway.directory(), "queue.db").expect("the database");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database);
    let mut locker = runtime.block_on(async {
        let mut locker = sqlx::SqliteConnection::connect_with(&options).await.expect("the database opens");
        sqlx::query("begin immediate").execute(&mut locker).await.expect("the lock");
        locker
    });
    let reply = send(&gateway, "locked").expect("an answer in time");
    assert_eq!(reply.code, 451, "{reply:?}");
    assert!(gateway.wait_for_readiness(503).contains("store does not commit"));
    assert!(gateway.banner().starts_with("421 4.3.0 "), "{}", gateway.log());
    runtime.block_on(async { sqlx::query("rollback").execute(&mut locker).await.expect("the lock is let go") });
    gateway.wait_for_readiness(200);
    send_at_last(&gateway, "after");
    sink.wait("what was answered", |_| arrivals(&sink).len() >= 2);
    sink.settled();
    assert_eq!(arrivals(&sink), ["after", "before"]);
    assert!(gateway.log().contains("store-back"), "{}", gateway.log());
}

fn find(directory: &Path, name: &str) -> Option<PathBuf> {
    std::fs::read_dir(directory).ok()?.flatten().map(|entry| entry.path()).find_map(|path| {
        if path.is_dir() {
            return find(&path, name);
        }
        (path.file_name()? == name).then_some(path)
    })
}
