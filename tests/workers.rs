//! A file that brings its reader down costs one worker: its message is held, the next one is delivered.

mod support;

use std::time::{Duration, Instant};

use support::{Gateway, Sink, compose};

const FROM: &str = "w.carr@saltmere.example";

fn to() -> Vec<String> {
    vec!["bookings@shorelinecoaches.example".to_owned()]
}

/// A message with an ordinary PDF, to the contact that it is for.
fn ordinary() -> Vec<u8> {
    compose::with_files("Coach", "The booking form is attached.", &[("form.pdf", &compose::pdf_line("Coach at nine"))])
}

/// Relay checklist, row 127.
#[test]
fn a_file_that_brings_its_reader_down_is_held_and_the_next_message_is_delivered() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.start(&[("SCHOOLGATE_FAULT", "worker")]);
    // Half a gigabyte of a page that draws nothing, in half a megabyte.
    let drawn = vec![b' '; 600 << 20];
    let bomb = compose::pdf(&drawn, true, &[]);
    drop(drawn);
    assert!(bomb.len() < 1 << 20);
    for (name, bytes) in [
        ("abort.bin", b"\0fault: abort\0\0".as_slice()),
        ("exit.bin", b"\0fault: exit\0\0"),
        ("memory.bin", b"\0fault: memory\0\0"),
        ("babble.bin", b"\0fault: babble\0\0"),
        ("loop.bin", b"\0fault: loop\0\0"),
        ("bomb.pdf", &bomb),
    ] {
        let started = Instant::now();
        let message = compose::with_files("Trip", "See attached.", &[(name, bytes)]);
        let reply = gateway.client().send(FROM, &to(), &message).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(reply.code, 250, "{name}: {}", reply.text());
        let took = started.elapsed();
        assert!(took < Duration::from_secs(18), "{name} took {took:?}");
        println!("{name}: {took:?}");
        let id = support::id_of(&reply);
        let held = gateway.command(&["quarantine", "show", &id]);
        let told = String::from_utf8_lossy(&held.stdout).into_owned();
        assert!(held.status.success() && told.contains(name), "{name} is not held:\n{told}\n{}", gateway.log());

        let before = sink.taken().iter().filter(|t| !t.from.is_empty()).count();
        let reply = gateway.client().send(FROM, &to(), &ordinary()).unwrap_or_else(|e| panic!("after {name}: {e}"));
        assert_eq!(reply.code, 250, "after {name}: {}", reply.text());
        let until = Instant::now() + support::PATIENCE;
        while sink.taken().iter().filter(|t| !t.from.is_empty()).count() == before {
            assert!(Instant::now() < until, "after {name} nothing is delivered\n{}", gateway.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    assert!(gateway.running());
    gateway.terminate();
}

/// Its reader starts a thread, for whose stack the limits of a worker must leave room.
#[test]
fn a_workbook_of_excel_97_is_read_in_a_worker_and_delivered() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.start(&[]);
    let workbook = include_bytes!("files/coaches.xls");
    let message = compose::with_files("Coach", "The times are attached.", &[("coaches.xls", workbook)]);
    let reply = gateway.client().send(FROM, &to(), &message).expect("an answer");
    assert_eq!(reply.code, 250, "{}", reply.text());
    let until = Instant::now() + support::PATIENCE;
    while sink.taken().iter().all(|taken| taken.from.is_empty()) {
        assert!(Instant::now() < until, "nothing is delivered\n{}", gateway.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    gateway.terminate();
}

/// Resident memory of each process that a process has started, in KiB.
fn memory_of_children(parent: u32) -> Vec<u64> {
    let number = |status: &str, name: &str| -> Option<u64> {
        status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
    };
    let resident = |entry: std::io::Result<std::fs::DirEntry>| {
        let status = std::fs::read_to_string(entry.ok()?.path().join("status")).ok()?;
        (number(&status, "PPid:")? == u64::from(parent)).then(|| number(&status, "VmRSS:"))?
    };
    std::fs::read_dir("/proc").expect("processes").filter_map(resident).collect()
}

#[test]
fn a_worker_that_keeps_much_memory_is_replaced() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.start(&[("SCHOOLGATE_FAULT", "worker")]);
    for _ in 0..4 {
        let message = compose::with_files("Trip", "See attached.", &[("keep.bin", b"\0fault: keep\0\0")]);
        let reply = gateway.client().send(FROM, &to(), &message).expect("an answer");
        assert_eq!(reply.code, 250, "{}", reply.text());
    }
    let until = Instant::now() + support::PATIENCE;
    loop {
        let kept = memory_of_children(gateway.id());
        assert!(Instant::now() < until, "{kept:?}");
        if !kept.is_empty() && kept.iter().all(|kib| *kib < 160 * 1024) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    gateway.terminate();
}

#[test]
fn a_worker_ends_with_its_input_and_refuses_what_is_no_frame() {
    for (input, sound) in [(b"".as_slice(), true), (b"\x04\0\0\0????", false), (b"\xff\xff\xff\xff", false)] {
        let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_schoolgate"))
            .arg("worker")
            .write_stdin(input)
            .timeout(Duration::from_secs(20))
            .output()
            .expect("the program starts");
        assert_eq!(output.status.success(), sound, "{input:?}: {output:?}");
        assert!(output.stdout.is_empty());
    }
}
