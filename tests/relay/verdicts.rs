//! Relay checklist, row 140: for every wrong configuration `doctor` and a start agree, in the same words and with the same place; and a
//! reload with it keeps what was.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::Talk;
use super::support::{Client, Gateway, PATIENCE, Sink, free_port};

/// What comes of a start with it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Start {
    /// It does not start.
    Refuses,
    /// It does not start; a running gateway learns nothing of it before its next start.
    RefusesAndReloads,
    /// It does not start; a running gateway goes on with the certificate that it has, says so, and takes what else there is.
    RefusesAndKeepsPair,
    /// It starts, and says in its log what `doctor` calls bad.
    Warns,
    /// It starts, and `doctor` calls nothing bad.
    Starts,
}

use Start::{Refuses, RefusesAndKeepsPair, RefusesAndReloads, Starts, Warns};

fn file(gateway: &Gateway, name: &str, text: &str) -> PathBuf {
    let path = gateway.directory().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
    std::fs::write(&path, text).expect("written");
    path
}

fn open_to_all(path: &Path) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("its mode");
}

/// A pair for a name, until the first day of this year.
fn pair(gateway: &Gateway, name: &str, host: &str, until: i32) {
    let mut wanted = rcgen::CertificateParams::new(vec![host.to_owned()]).expect("a name");
    (wanted.not_before, wanted.not_after) = (rcgen::date_time_ymd(2_000, 1, 1), rcgen::date_time_ymd(until, 1, 1));
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = wanted.self_signed(&key).expect("a certificate");
    file(gateway, &format!("{name}.pem"), &certificate.pem());
    file(gateway, &format!("{name}.key"), &key.serialize_pem());
}

const HOST: &str = "gate.saltmere.example";

fn shows(gateway: &Gateway, certificate: &str, key: &str) {
    gateway.set("listen", "tls_certificate", certificate);
    gateway.set("listen", "tls_key", key);
    gateway.set("listen", "tls", "starttls");
}

fn desk(gateway: &Gateway) {
    gateway.set("review", "public_url", "https://desk.saltmere.example");
    gateway.set("review", "listen", format!("127.0.0.1:{}", free_port()));
    gateway.set("review", "trusted_proxies", vec!["127.0.0.1"]);
}

/// A port that somebody has until the tests end.
fn taken_port() -> String {
    let taken = Box::leak(Box::new(TcpListener::bind("127.0.0.1:0").expect("a port")));
    taken.local_addr().expect("its address").to_string()
}

/// Signs in at the smarthost, which is of another configuration then: none that answers.
fn signs_in(gateway: &Gateway, more: &[(&str, toml::Value)]) {
    gateway.set("smarthost", "tls", "required");
    gateway.set("smarthost", "user", "gate@saltmere.example");
    for (key, value) in more {
        gateway.set("smarthost", key, value.clone());
    }
}

fn oauth(more: &[(&str, &str)]) -> toml::Value {
    let always = [("token_url", "http://127.0.0.1:1/token"), ("client_id", "gate")];
    let all = always.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).into()));
    toml::Value::Table(all.collect())
}

type Mistake = (&'static str, Start, fn(&Gateway));

const MISTAKES: &[Mistake] = &[
    ("nothing is wrong", Starts, |_| {}),
    // TLS of the listener.
    ("a pair that is right", Starts, |g| {
        pair(g, "own", HOST, 2_090);
        shows(g, "own.pem", "own.key");
    }),
    ("certificate and key of two pairs", RefusesAndKeepsPair, |g| {
        pair(g, "own", HOST, 2_090);
        pair(g, "other", HOST, 2_090);
        shows(g, "own.pem", "other.key");
    }),
    ("no certificate there", RefusesAndKeepsPair, |g| {
        pair(g, "own", HOST, 2_090);
        shows(g, "nowhere.pem", "own.key");
    }),
    ("no key there", RefusesAndKeepsPair, |g| {
        pair(g, "own", HOST, 2_090);
        shows(g, "own.pem", "nowhere.key");
    }),
    ("a certificate that cannot be read", RefusesAndKeepsPair, |g| {
        pair(g, "own", HOST, 2_090);
        shows(g, "roster", "own.key");
    }),
    ("a certificate that is none", RefusesAndKeepsPair, |g| {
        pair(g, "own", HOST, 2_090);
        file(g, "own.pem", "no certificate");
        shows(g, "own.pem", "own.key");
    }),
    ("a certificate that has ended", Warns, |g| {
        pair(g, "own", HOST, 2_020);
        shows(g, "own.pem", "own.key");
    }),
    ("a certificate of another host", Warns, |g| {
        pair(g, "own", "other.example", 2_090);
        shows(g, "own.pem", "own.key");
    }),
    ("a certificate and no word of TLS", Refuses, |g| {
        pair(g, "own", HOST, 2_090);
        shows(g, "own.pem", "own.key");
        without(g, "listen", "tls");
    }),
    ("a certificate that is meant to rest", Starts, |g| {
        pair(g, "own", HOST, 2_090);
        shows(g, "own.pem", "own.key");
        g.set("listen", "tls", "none");
    }),
    ("authorities that are not there", RefusesAndReloads, |g| {
        pair(g, "own", HOST, 2_090);
        shows(g, "own.pem", "own.key");
        let door = [
            ("name", "cloud".into()),
            ("addresses", vec![format!("127.0.0.1:{}", free_port())].into()),
            ("tls", "required".into()),
            ("client_names", vec!["mail.saltmere.example"].into()),
            ("client_ca", "nowhere.pem".into()),
        ];
        listener(g, &door);
    }),
    ("an unknown key of a listener", Refuses, |g| {
        listener(g, &[("name", "copiers".into()), ("adresses", vec!["127.0.0.1:0"].into())]);
    }),
    ("an unknown key", Refuses, |g| g.set("listen", "hostnam", "x")),
    // Ports.
    ("a port in use", RefusesAndReloads, |g| g.set("listen", "addresses", vec![taken_port()])),
    ("an address of another machine", RefusesAndReloads, |g| g.set("listen", "addresses", vec!["192.0.2.7:2525"])),
    ("the monitor's port in use", RefusesAndReloads, |g| g.set("monitor", "address", taken_port())),
    ("the desk's port in use", RefusesAndReloads, |g| {
        desk(g);
        g.set("review", "listen", taken_port());
    }),
    ("a port of a second listener in use", RefusesAndReloads, |g| {
        let door = [
            ("name", "copiers".into()),
            ("addresses", vec![taken_port()].into()),
            ("relay_from", vec!["127.0.0.1"].into()),
        ];
        listener(g, &door);
    }),
    ("everybody may relay", Warns, |g| g.set("listen", "relay_from", vec!["127.0.0.1", "0.0.0.0/0"])),
    // Store and key.
    ("no key of the store", RefusesAndReloads, |g| g.set("store", "key_file", "nowhere.key")),
    ("a key of the wrong length", Refuses, |g| drop(file(g, "store.key", "5a5a"))),
    ("a store below a file", RefusesAndReloads, |g| {
        file(g, "there", "a file");
        g.set("store", "path", "there/store");
    }),
    ("a store where nothing can be made", RefusesAndReloads, |g| g.set("store", "path", "/proc/schoolgate/store")),
    ("a store of another key", RefusesAndReloads, |g| {
        let mut other = Gateway::new(1);
        other.set("store", "path", g.directory().join("others").display().to_string());
        other.start(&[]);
        other.terminate();
        std::fs::write(g.directory().join("other.key"), "a5".repeat(32)).expect("another key");
        g.set("store", "path", "others");
        g.set("store", "key_file", "other.key");
    }),
    // Signing.
    ("no DKIM key there", Refuses, |g| {
        g.set("dkim", "selector", "gate");
        g.set("dkim", "key_file", "nowhere.key");
    }),
    ("a DKIM key that is none", Refuses, |g| {
        file(g, "dkim.key", "no key");
        g.set("dkim", "selector", "gate");
        g.set("dkim", "key_file", "dkim.key");
    }),
    // The way out.
    ("a smarthost's authority that is not there", Refuses, |g| {
        g.set("smarthost", "tls", "required");
        g.set("smarthost", "ca_file", "nowhere.pem");
    }),
    ("no password there", Warns, |g| signs_in(g, &[("password_file", "nowhere".into())])),
    ("an empty password", Warns, |g| {
        file(g, "password", "\n");
        signs_in(g, &[("password_file", "password".into())]);
    }),
    ("a password open to all", Starts, |g| {
        open_to_all(&file(g, "password", "sesame\n"));
        signs_in(g, &[("password_file", "password".into())]);
    }),
    ("no client secret there", Warns, |g| {
        signs_in(g, &[("oauth", oauth(&[("client_secret_file", "nowhere")]))]);
    }),
    ("no refresh token there", Warns, |g| {
        file(g, "secret", "sesame\n");
        signs_in(g, &[("oauth", oauth(&[("client_secret_file", "secret"), ("refresh_token_file", "nowhere")]))]);
    }),
    ("two proofs", Refuses, |g| {
        signs_in(g, &[("password_file", "p".into()), ("oauth", oauth(&[("client_secret_file", "s")]))]);
    }),
    // Roster, rules and letters.
    ("no roster there", Refuses, |g| g.set("directory", "pupils", "nowhere.csv")),
    ("a roster of nobody", Refuses, |g| {
        file(g, "roster/pupils.csv", "id,forename,surname\n");
        file(g, "roster/guardians.csv", "id,surname,pupil_ids\n");
    }),
    ("a roster without its columns", Refuses, |g| drop(file(g, "roster/pupils.csv", "Vorname,Nachname\nAmy,Ash\n"))),
    ("staff that is no table", Refuses, |g| drop(file(g, "roster/staff.csv", "\"open\n"))),
    ("nobody's staff there", Refuses, |g| g.set("directory", "staff", "nowhere.csv")),
    ("a rule that the pack has not", Refuses, |g| {
        g.set("policy", "modes", toml::Table::from_iter([("no-such-rule".to_owned(), "warn".into())]));
    }),
    ("a pack that is not there", Refuses, |g| g.set("policy", "pack", "rules.toml")),
    ("DKIM keys of others that are not there", Refuses, |g| g.set("policy", "dkim_keys", "nowhere")),
    ("an SBM of no address", Refuses, |g| g.set("roles", "sbm", vec!["nobody"])),
    ("a letter with a slip", Refuses, |g| {
        file(g, "notices/held.txt", "one\n{% if %}\n");
        g.set("notices", "templates", "notices");
    }),
    // The desk.
    ("the desk's certificate is not there", RefusesAndReloads, |g| {
        desk(g);
        g.set("review", "trusted_proxies", Vec::<String>::new());
        g.set("review", "tls_certificate", "nowhere.pem");
        g.set("review", "tls_key", "nowhere.key");
    }),
    ("a provider's secret is not there", RefusesAndReloads, |g| {
        desk(g);
        let one =
            [("issuer", "https://login.saltmere.example"), ("client_id", "desk"), ("client_secret_file", "nowhere")];
        let one = one.iter().map(|(key, value)| ((*key).to_owned(), (*value).into()));
        g.set("review", "oidc", toml::Table::from_iter([("own".to_owned(), toml::Value::Table(one.collect()))]));
    }),
];

/// Takes a key out of the configuration.
fn without(gateway: &Gateway, section: &str, key: &str) {
    let text = std::fs::read_to_string(&gateway.config).expect("the configuration");
    let mut config: toml::Table = text.parse().expect("sound TOML");
    config[section].as_table_mut().expect("a section").remove(key).expect("the key");
    std::fs::write(&gateway.config, toml::to_string(&config).expect("TOML")).expect("the configuration");
}

/// A listener of its own beside the one of `[listen]`.
fn listener(gateway: &Gateway, keys: &[(&str, toml::Value)]) {
    let text = std::fs::read_to_string(&gateway.config).expect("the configuration");
    let mut config: toml::Table = text.parse().expect("sound TOML");
    let door = keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    config.insert("listener".to_owned(), toml::Value::Array(vec![toml::Value::Table(door)]));
    std::fs::write(&gateway.config, toml::to_string(&config).expect("TOML")).expect("the configuration");
}

/// What `doctor` calls bad, each in one line; what belongs to the network stays out where nothing answers by intent.
fn bad(output: &std::process::Output) -> Vec<String> {
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut all: Vec<String> = Vec::new();
    let mut inside = false;
    for line in told.lines() {
        if let Some(text) = line.strip_prefix("BAD   ") {
            (inside, _) = (true, all.push(text.to_owned()));
        } else if let Some(more) = line.strip_prefix("      ").filter(|_| inside) {
            all.push(more.to_owned());
        } else {
            inside = false;
        }
    }
    assert_eq!(all.is_empty(), output.status.success(), "{told}");
    all
}

/// Why it did not start, line by line.
fn refusal(log: &str) -> Vec<String> {
    let (_, why) = log.rsplit_once("schoolgate: ").unwrap_or_default();
    why.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// What is wrong where doctor and a start with the same configuration do not agree.
fn disagreement(name: &str, wanted: Start, bad: &[String], started: bool, log: &str) -> Option<String> {
    // Nobody plays a smarthost with TLS here; whether it answers is asked of the network, and a start asks nobody.
    let bad: Vec<&String> = bad
        .iter()
        .filter(|line| {
            !["STARTTLS", "no token for", "the token server cannot be asked"].iter().any(|words| line.contains(words))
        })
        .collect();
    // As the log writes it.
    let log_plain = log.replace("\\\"", "\"");
    let said = || format!("{name}: doctor: {bad:#?}\n{log}");
    match (wanted, started) {
        (Refuses | RefusesAndKeepsPair | RefusesAndReloads, false) => {
            let why = refusal(log);
            let agree = !why.is_empty() && why.iter().all(|line| bad.iter().any(|told| told.contains(line.as_str())));
            (!agree).then(|| format!("{}\nthe start says {why:#?}", said()))
        }
        (Warns, true) => {
            let agree = !bad.is_empty() && bad.iter().all(|told| log_plain.contains(told.as_str()));
            (!agree).then(said)
        }
        (Starts, true) => (!bad.is_empty()).then(said),
        _ => Some(format!("{}\nit started: {started}", said())),
    }
}

#[test]
fn doctor_says_of_every_mistake_what_a_start_says() {
    let sink = Sink::start();
    let mut wrong = Vec::new();
    for (name, wanted, make) in MISTAKES {
        let mut gateway = Gateway::new(sink.port);
        make(&gateway);
        let bad = bad(&gateway.command(&["doctor"]));
        gateway.spawn(&[]);
        let until = Instant::now() + PATIENCE;
        let started = loop {
            if gateway.exited().is_some() {
                break false;
            }
            if Client::connect(gateway.port).is_ok() {
                break true;
            }
            assert!(Instant::now() < until, "{name}\n{}", gateway.log());
            std::thread::sleep(Duration::from_millis(20));
        };
        wrong.extend(disagreement(name, *wanted, &bad, started, &gateway.log()));
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), MISTAKES.len(), wrong.join("\n\n"));
}

/// The configurations of `fixtures/bad/config` with the words that are wanted of each.
fn fixtures() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bad/config");
    let table = std::fs::read_to_string(folder.join("expected.tsv")).expect("expected.tsv");
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let all: Vec<_> = lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            (folder.join(fields[0]), fields[2].to_owned())
        })
        .collect();
    assert!(all.len() > 50, "{}", all.len());
    all
}

#[test]
fn doctor_and_a_start_read_a_wrong_file_alike() {
    let run = |command: &str, file: &Path| {
        let program = Command::new(env!("CARGO_BIN_EXE_schoolgate")).args([command, "--config"]).arg(file).output();
        program.expect("the program starts")
    };
    let mut wrong = Vec::new();
    for (file, words) in fixtures() {
        let (told, started) = (bad(&run("doctor", &file)), run("serve", &file));
        let log = String::from_utf8_lossy(&started.stderr).into_owned();
        let name = format!("{}: {words}", file.display());
        wrong.extend(disagreement(&name, Refuses, &told, started.status.success(), &log));
        if !log.contains(&words) {
            wrong.push(format!("{name} is not in {log}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Sends SIGHUP and gives what the log tells from then on, once it tells what came of it.
fn reload(gateway: &Gateway, name: &str) -> String {
    let before = gateway.log().len();
    gateway.signal("-HUP");
    let until = Instant::now() + PATIENCE;
    loop {
        let told = gateway.log()[before..].to_owned();
        // The certificate of the listener is told of before all is done.
        if told.contains("nothing was reloaded") || told.contains("configuration, rules and roster") {
            return told;
        }
        assert!(Instant::now() < until, "{name}: {told}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_reload_with_a_wrong_file_keeps_what_was() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    pair(&gateway, "own", HOST, 2_090);
    shows(&gateway, "own.pem", "own.key");
    gateway.start(&[]);
    let sound = std::fs::read_to_string(&gateway.config).expect("the configuration");
    let lists: Vec<(PathBuf, String)> =
        ["roster/pupils.csv", "roster/guardians.csv", "roster/staff.csv", "store.key", "own.pem", "own.key"]
            .iter()
            .map(|name| gateway.directory().join(name))
            .map(|path| (path.clone(), std::fs::read_to_string(&path).expect("a list")))
            .collect();
    let mut sent = 0;
    // It still takes mail, by the way in and the way out that were.
    let mut works = |name: &str| {
        let mut talk = Talk::begins(gateway.port, name);
        talk.says(
            format!("Subject: Coach\r\nMessage-ID: <{sent}.kept@saltmere.example>\r\n\r\nAt nine.\r\n.\r\n").as_bytes(),
        );
        talk.codes(&["250"], name);
        sent += 1;
        sink.wait(name, |taken| taken.len() == sent);
    };
    for (file, words) in fixtures() {
        std::fs::copy(&file, &gateway.config).expect("the wrong file");
        let told = reload(&gateway, &words);
        assert!(
            told.contains("nothing was reloaded") && told.replace("\\\"", "\"").contains(&words),
            "{words}: {told}"
        );
    }
    works("after the wrong files");
    let mut wrong = Vec::new();
    for (name, start, make) in MISTAKES {
        std::fs::write(&gateway.config, &sound).expect("the configuration");
        make(&gateway);
        let told = reload(&gateway, name);
        let kept = told.contains("nothing was reloaded");
        let is_right = match start {
            Refuses => kept,
            Warns | Starts => !kept,
            RefusesAndKeepsPair => told.contains("the one before stays in force"),
            RefusesAndReloads => true,
        };
        if !is_right {
            wrong.push(format!("{name}: {told}"));
        }
        if kept {
            works(name);
        }
        for (path, text) in &lists {
            std::fs::write(path, text).expect("the list");
        }
        std::fs::write(&gateway.config, &sound).expect("the configuration");
        let told = reload(&gateway, name);
        assert!(told.contains("event=\"reloaded\""), "{name}, and right again: {told}");
    }
    works("at the end");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
