//! More than one smarthost, as the technician sees it: where mail goes while the first is away, and what log, metrics and the
//! configuration's check say of it.

mod support;

use std::time::{Duration, Instant};

use support::{Case, Gateway, PATIENCE, Sink, cases, free_port, id_of};

/// The host of the fallback is written in another way: TOML has it as a list of tables.
fn fall_back_to(gateway: &Gateway, ports: &[u16]) {
    let hosts = ports.iter().map(|port| {
        let host = [("host", "127.0.0.1".into()), ("port", i64::from(*port).into()), ("tls", "none".into())];
        toml::Value::Table(host.into_iter().map(|(key, value): (_, toml::Value)| (key.to_owned(), value)).collect())
    });
    gateway.set("smarthost", "fallback", toml::Value::Array(hosts.collect()));
}

fn until(what: &str, gateway: &Gateway, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}\n{}", gateway.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Of the lines of the log that speak of `what`, those that hold `detail`.
fn told(gateway: &Gateway, what: &str, detail: &str) -> usize {
    gateway.log().lines().filter(|line| line.contains(what) && line.contains(detail)).count()
}

fn is_well(gateway: &Gateway, port: u16) -> Option<bool> {
    let (_, page) = gateway.page("/metrics");
    let line = format!("schoolgate_smarthost_well{{host=\"127.0.0.1:{port}\"}} ");
    page.lines().find_map(|one| one.strip_prefix(&line)).map(|value| value == "1")
}

fn send(gateway: &Gateway, case: &Case) -> String {
    id_of(&gateway.client().send(&case.mail_from, &case.rcpt, &case.message()).expect("taken in"))
}

#[test]
fn mail_goes_to_the_next_smarthost_and_back_and_each_change_is_told_once() {
    let first = free_port();
    let second = Sink::start();
    let case = cases().into_iter().find(|c| c.action == "deliver" && c.rcpt.len() == 1).expect("clean mail");
    let mut gateway = Gateway::new(first);
    fall_back_to(&gateway, &[second.port]);
    gateway.monitored();
    gateway.start(&[]);

    let away = "mail goes to the next one";
    for number in 1..=3 {
        let id = send(&gateway, &case);
        second.wait("mail by the second", |taken| taken.len() == number);
        let host = format!("127.0.0.1:{}", second.port);
        until("the log says who took it", &gateway, || {
            gateway.log().lines().any(|line| line.contains("delivered") && line.contains(&id) && line.contains(&host))
        });
    }
    assert_eq!(told(&gateway, away, &format!("127.0.0.1:{first}")), 1, "{}", gateway.log());
    assert_eq!((is_well(&gateway, first), is_well(&gateway, second.port)), (Some(false), Some(true)));

    let back = Sink::start_on(first);
    // The probe is a message: it goes on being sent until the first takes it.
    until("mail by the first again", &gateway, || {
        send(&gateway, &case);
        std::thread::sleep(Duration::from_millis(100));
        !back.taken().is_empty()
    });
    until("the metric says so", &gateway, || is_well(&gateway, first) == Some(true));
    assert_eq!(told(&gateway, "smarthost-back", &format!("127.0.0.1:{first}")), 1, "{}", gateway.log());
    assert_eq!(told(&gateway, away, ""), 1, "{}", gateway.log());
    let by_the_second = second.settled().len();
    for number in 1..=3 {
        let before = back.taken().len();
        send(&gateway, &case);
        back.wait("and only by the first", |taken| taken.len() > before);
        assert_eq!(second.taken().len(), by_the_second, "message {number}");
    }
}

#[test]
fn doctor_tries_every_smarthost_and_names_the_one_that_does_not_answer() {
    let first = Sink::start();
    let dead = free_port();
    let gateway = Gateway::new(first.port);
    fall_back_to(&gateway, &[dead]);
    let output = gateway.command(&["doctor"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success(), "{said}");
    let of = |port: u16| said.lines().find(|line| line.contains(&port.to_string())).unwrap_or_default().to_owned();
    assert!(of(dead).starts_with("BAD") && of(dead).contains("smarthost.fallback"), "{said}");
    assert!(of(first.port).contains("answers"), "{said}");
}

#[test]
fn a_smarthost_that_is_named_twice_is_refused_with_its_place() {
    let first = Sink::start();
    let mut gateway = Gateway::new(first.port);
    fall_back_to(&gateway, &[first.port]);
    assert!(gateway.try_start(&[]).is_err());
    let log = gateway.log();
    assert!(
        log.contains(&format!("smarthost.fallback.host: 127.0.0.1:{} is a smarthost already", first.port)),
        "{log}"
    );
    assert!(log.contains("schoolgate.toml:"), "{log}");
}
