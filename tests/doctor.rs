//! What `schoolgate doctor` says is true: the mistakes that a school's technician makes, each with the words that name it,
//! and the exit status.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use support::{Gateway, Sink, free_port};

/// What doctor printed, and its exit status.
fn doctor(gateway: &Gateway) -> (Option<i32>, String) {
    let output = gateway.command(&["doctor"]);
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), told)
}

/// Line and column of the value of a key, as the file has it.
fn place(gateway: &Gateway, section: &str, key: &str) -> String {
    let text = std::fs::read_to_string(&gateway.config).expect("the configuration");
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            inside = line == format!("[{section}]");
        } else if inside && line.starts_with(&format!("{key} = ")) {
            return format!(":{}:{}: {section}.{key}", number + 1, key.len() + 4);
        }
    }
    panic!("{section}.{key} is not in\n{text}")
}

fn file(gateway: &Gateway, name: &str, text: &str) -> PathBuf {
    let path = gateway.directory().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
    std::fs::write(&path, text).expect("written");
    path
}

fn without(gateway: &Gateway, section: &str) {
    let text = std::fs::read_to_string(&gateway.config).expect("the configuration");
    let mut config: toml::Table = text.parse().expect("sound TOML");
    config.remove(section);
    std::fs::write(&gateway.config, toml::to_string(&config).expect("TOML")).expect("the configuration");
}

fn raw(gateway: &Gateway, from: &str, to: &str) {
    let text = std::fs::read_to_string(&gateway.config).expect("the configuration");
    assert!(text.contains(from), "{from} is not in\n{text}");
    std::fs::write(&gateway.config, text.replace(from, to)).expect("the configuration");
}

/// A mistake: its name, how it is made, the key that is named with its place, the exit status and further words.
struct Mistake {
    name: &'static str,
    make: fn(&Gateway),
    at: Option<(&'static str, &'static str)>,
    status: i32,
    words: &'static [&'static str],
}

const fn wrong(
    name: &'static str,
    at: Option<(&'static str, &'static str)>,
    words: &'static [&'static str],
    make: fn(&Gateway),
) -> Mistake {
    Mistake { name, make, at, status: 1, words }
}

const fn unwise(
    name: &'static str,
    at: Option<(&'static str, &'static str)>,
    words: &'static [&'static str],
    make: fn(&Gateway),
) -> Mistake {
    Mistake { name, make, at, status: 0, words }
}

const DESK: &str = "https://desk.saltmere.example";

/// Turns the desk on, behind a proxy of this machine.
fn desk(gateway: &Gateway) {
    gateway.set("review", "public_url", DESK);
    gateway.set("review", "listen", format!("127.0.0.1:{}", free_port()));
    gateway.set("review", "trusted_proxies", vec!["127.0.0.1"]);
}

const PUPILS: &str = "id,forename,surname\n";
const STAFF: &str = "id,title,forename,surname,email\n";

const MISTAKES: &[Mistake] = &[
    wrong("no roster file", Some(("directory", "pupils")), &["nowhere.csv cannot be read"], |g| {
        g.set("directory", "pupils", "nowhere.csv");
    }),
    wrong("a roster of nobody", Some(("directory", "pupils")), &["holds no pupil", "export it anew"], |g| {
        file(g, "roster/pupils.csv", PUPILS);
        file(g, "roster/guardians.csv", "id,surname,pupil_ids\n");
    }),
    wrong("a roster without its columns", Some(("directory", "pupils")), &["has no column 'id'"], |g| {
        file(g, "roster/pupils.csv", "Vorname,Nachname\nAmy,Ash\n");
    }),
    wrong("imported, and nothing was", Some(("directory", "imported")), &["schoolgate roster import"], |g| {
        raw(g, "pupils = \"roster/pupils.csv\"\n", "imported = true\n");
    }),
    wrong(
        "a key of the wrong length",
        Some(("store", "key_file")),
        &["holds 31 bytes", "64 hexadecimal digits"],
        |g| {
            file(g, "store.key", &"k".repeat(31));
        },
    ),
    wrong("no key", Some(("store", "key_file")), &["nowhere.key cannot be read"], |g| {
        g.set("store", "key_file", "nowhere.key");
    }),
    wrong("no key named", None, &["name a file in [store] key_file"], |g| {
        raw(g, "key_file = \"store.key\"\n", "");
    }),
    wrong("a template with a slip", Some(("notices", "templates")), &["held.txt:2"], |g| {
        file(g, "notices/held.txt", "one\n{% if %}\n");
        g.set("notices", "templates", "notices");
    }),
    wrong("a template with a made-up word", Some(("notices", "templates")), &["held.txt:1"], |g| {
        file(g, "notices/held.txt", "Dear {{ nickname }}\n");
        g.set("notices", "templates", "notices");
    }),
    wrong("a template under another name", Some(("notices", "templates")), &["no template of this name"], |g| {
        file(g, "notices/helt.txt", "x\n");
        g.set("notices", "templates", "notices");
    }),
    wrong(
        "a port that another program has",
        Some(("listen", "addresses")),
        &["stop that, or take another port"],
        |g| {
            let taken = Box::leak(Box::new(TcpListener::bind("127.0.0.1:0").expect("a port")));
            g.set("listen", "addresses", vec![taken.local_addr().expect("its address").to_string()]);
        },
    ),
    wrong("an address of another machine", Some(("listen", "addresses")), &["no such address"], |g| {
        g.set("listen", "addresses", vec!["192.0.2.7:2525".to_owned()]);
    }),
    wrong("a monitor on a taken port", Some(("monitor", "address")), &["take another port"], |g| {
        let taken = Box::leak(Box::new(TcpListener::bind("127.0.0.1:0").expect("a port")));
        g.set("monitor", "address", taken.local_addr().expect("its address").to_string());
    }),
    wrong("the monitor on the listener's port", Some(("monitor", "address")), &["a port of its own"], |g| {
        g.set("monitor", "address", format!("127.0.0.1:{}", g.port));
    }),
    wrong("the desk on a taken port", Some(("review", "listen")), &["take another port"], |g| {
        let taken = Box::leak(Box::new(TcpListener::bind("127.0.0.1:0").expect("a port")));
        g.set("review", "public_url", DESK);
        g.set("review", "listen", taken.local_addr().expect("its address").to_string());
    }),
    wrong("the desk for all, without a proxy", Some(("review", "listen")), &["the desk has no certificate"], |g| {
        g.set("review", "public_url", DESK);
        g.set("review", "listen", "0.0.0.0:8025");
    }),
    unwise("no desk", None, &["desk: it is off", "[review]"], |_| {}),
    unwise("a desk whose proxy is not named", Some(("review", "trusted_proxies")), &["name its address"], |g| {
        desk(g);
        g.set("review", "trusted_proxies", Vec::<String>::new());
    }),
    unwise("a desk before the first start", None, &["nobody can sign in yet", "schoolgate user add NAME"], desk),
    wrong(
        "a smarthost that is not there",
        Some(("smarthost", "host")),
        &["cannot be reached", "port and firewall"],
        |g| {
            g.set("smarthost", "port", i64::from(free_port()));
        },
    ),
    wrong("a smarthost of no name", Some(("smarthost", "host")), &["smtp.nowhere.invalid", "cannot be reached"], |g| {
        g.set("smarthost", "host", "smtp.nowhere.invalid");
    }),
    wrong(
        "TLS required, and none offered",
        Some(("smarthost", "tls")),
        &["does not offer STARTTLS", "no mail would leave"],
        |g| {
            g.set("smarthost", "tls", "required");
        },
    ),
    wrong(
        "a certificate for another name",
        Some(("smarthost", "tls")),
        &["TLS could not be started", "no mail would leave"],
        |g| {
            with_tls(g, "mail.provider.example", true);
        },
    ),
    wrong(
        "a certificate of an unknown authority",
        Some(("smarthost", "tls")),
        &["TLS could not be started", "ca_file"],
        |g| {
            with_tls(g, "localhost", false);
        },
    ),
    wrong("roots that are none", Some(("smarthost", "ca_file")), &["holds no certificate in PEM form"], |g| {
        file(g, "roots.pem", "no certificate");
        g.set("smarthost", "tls", "required");
        g.set("smarthost", "ca_file", "roots.pem");
    }),
    wrong("roots that are not there", Some(("smarthost", "ca_file")), &["roots.pem cannot be read"], |g| {
        g.set("smarthost", "tls", "required");
        g.set("smarthost", "ca_file", "roots.pem");
    }),
    wrong("no smarthost", None, &["[smarthost] is missing"], |g| without(g, "smarthost")),
    wrong("no store", None, &["[store] is missing"], |g| without(g, "store")),
    wrong("nobody to tell", None, &["[roles] sbm is missing"], |g| without(g, "roles")),
    wrong("the SBM alone", None, &["roles.sbm: nobody else could decide"], |g| {
        without(g, "roles");
        g.set("roles", "sbm", vec!["sbm@saltmere.example".to_owned()]);
    }),
    wrong("a rule that the pack has not", Some(("policy.modes", "no-such-rule")), &["the pack has no rule"], |g| {
        let modes: toml::Table = [("no-such-rule".to_owned(), "warn".into())].into_iter().collect();
        g.set("policy", "modes", modes);
    }),
    wrong("a pack that is not there", Some(("policy", "pack")), &["rules.toml: cannot be read"], |g| {
        g.set("policy", "pack", "rules.toml");
    }),
    wrong("a pack of no such name", Some(("policy", "pack")), &["cor"], |g| g.set("policy", "pack", "cor")),
    wrong("a store below a file", Some(("store", "path")), &["cannot be created", "name another path"], |g| {
        file(g, "there", "a file");
        g.set("store", "path", "there/store");
    }),
    wrong("a store where nothing can be made", Some(("store", "path")), &["cannot be created"], |g| {
        g.set("store", "path", "/proc/schoolgate/store");
    }),
    wrong("a store of another key", Some(("store", "key_file")), &["not the key that the store was made with"], |g| {
        let mut other = Gateway::new(1);
        other.set("store", "path", g.store().display().to_string());
        other.start(&[]);
        other.terminate();
        file(g, "store.key", &"a5".repeat(32));
    }),
    wrong("everybody may relay", Some(("listen", "relay_from")), &["lets everybody send"], |g| {
        g.set("listen", "relay_from", vec!["127.0.0.0/8", "0.0.0.0/0"]);
    }),
    wrong("everybody may relay by IPv6", Some(("listen", "relay_from")), &["::/0 lets everybody send"], |g| {
        g.set("listen", "relay_from", vec!["::/0"]);
    }),
    unwise(
        "a public network may relay",
        Some(("listen", "relay_from")),
        &["203.0.113.0/24 is a public network"],
        |g| {
            g.set("listen", "relay_from", vec!["203.0.113.0/24"]);
        },
    ),
    unwise(
        "the gateway under the school's mail domain",
        Some(("listen", "hostname")),
        &["a name of its own, as gate."],
        |g| {
            g.set("listen", "hostname", "Saltmere.example");
        },
    ),
    unwise("an SBM elsewhere", Some(("roles", "sbm")), &["outside the school's domains"], |g| {
        g.set("roles", "sbm", vec!["saltmere.sbm@gmail.com"]);
    }),
    unwise("notices from elsewhere", Some(("notices", "from")), &["outside the school's domains"], |g| {
        g.set("notices", "from", "schoolgate@provider.example");
    }),
    unwise("nobody named for notices", None, &["they come from schoolgate@saltmere.example"], |_| {}),
    unwise("no staff", Some(("directory", "staff")), &["there is no staff"], |g| {
        file(g, "roster/staff.csv", STAFF);
    }),
    unwise(
        "a domain that nobody has",
        Some(("school", "domains")),
        &["no member of staff has an address at old.example"],
        |g| {
            g.set("school", "domains", vec!["saltmere.example", "old.example"]);
        },
    ),
    unwise(
        "a key for all to read",
        Some(("store", "key_file")),
        &["can be read by others (mode 644)", "chmod 600"],
        |g| {
            let key = g.directory().join("store.key");
            std::fs::set_permissions(key, PermissionsExt::from_mode(0o644)).expect("its mode");
        },
    ),
    unwise("a certificate that nobody checks", Some(("smarthost", "tls")), &["its certificate is not checked"], |g| {
        with_tls(g, "mail.provider.example", false);
        g.set("smarthost", "tls", "opportunistic");
    }),
];

#[test]
fn every_mistake_is_named_with_its_key_and_the_way_out() {
    let sink = Sink::start();
    let mut missed = Vec::new();
    for mistake in MISTAKES {
        let gateway = Gateway::new(sink.port);
        secret(&gateway);
        (mistake.make)(&gateway);
        let (status, told) = doctor(&gateway);
        let at = mistake.at.map(|(section, key)| place(&gateway, section, key));
        let word = if mistake.status == 0 { "look  " } else { "BAD   " };
        let told_of_it = told.split("\nlook  ").flat_map(|part| part.split("\nBAD   ")).find(|part| {
            at.as_ref().is_none_or(|at| part.contains(at.as_str())) && mistake.words.iter().all(|w| part.contains(w))
        });
        if status != Some(mistake.status) || told_of_it.is_none() || (at.is_some() && !told.contains(word)) {
            missed.push(format!("{}: exit {status:?}; wanted {at:?} {:?}\n{told}", mistake.name, mistake.words));
        }
    }
    assert!(MISTAKES.len() >= 25 && missed.is_empty(), "{} missed\n{}", missed.len(), missed.join("\n"));
}

/// The key as it should be.
fn secret(gateway: &Gateway) {
    let key = gateway.directory().join("store.key");
    std::fs::set_permissions(key, PermissionsExt::from_mode(0o600)).expect("its mode");
}

#[test]
fn a_sound_configuration_is_said_to_be_sound() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    secret(&gateway);
    with_tls(&gateway, "localhost", true);
    let before = doctor(&gateway);
    assert_eq!(before.0, Some(0), "{}", before.1);
    for words in ["run as ", "is made at the first start", "its certificate checked", "The gateway can work."] {
        assert!(before.1.contains(words), "{words} is missing:\n{}", before.1);
    }
    assert!(!gateway.store().exists(), "doctor changes nothing");
    gateway.monitored();
    gateway.start(&[]);
    let beside = doctor(&gateway);
    assert_eq!(beside.0, Some(0), "{}", beside.1);
    assert_eq!(beside.1.matches("by the gateway that runs").count(), 2, "{}", beside.1);
    assert!(beside.1.contains("the gateway that runs answers"), "{}", beside.1);
    gateway.terminate();
    let after = doctor(&gateway);
    assert!(after.0 == Some(0) && after.1.contains("store: it opens"), "{}", after.1);
}

/// Whether the desk, as its proxy asks it, has a page here.
fn opens(gateway: &Gateway, path: &str) -> bool {
    let config = std::fs::read_to_string(gateway.directory().join("schoolgate.toml")).expect("the configuration");
    let config: toml::Table = config.parse().expect("TOML");
    let listens = config["review"]["listen"].as_str().expect("where the desk listens");
    let mut stream = TcpStream::connect(listens).expect("the desk listens");
    let host = DESK.trim_start_matches("https://");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 404"), "{answer}");
    answer.starts_with("HTTP/1.1 200")
}

#[test]
fn the_first_account_is_asked_for_until_it_is_made() {
    const ASKED: &str = "nobody can sign in at the desk yet";
    let sink = Sink::start();
    let mut gateway = Gateway::started(sink.port);
    assert!(!gateway.log().contains(ASKED), "nobody is missed where there is no desk");
    secret(&gateway);
    desk(&gateway);
    let (status, told) = doctor(&gateway);
    assert!(status == Some(0) && told.contains("does not serve the desk; restart it"), "{told}");
    assert!(told.contains("desk: nobody can sign in yet, there is no account"), "{told}");
    gateway.terminate();
    let told = doctor(&gateway).1;
    assert!(told.contains("can be listened on") && !told.contains("restart it"), "{told}");

    gateway.start(&[]);
    let log = gateway.log();
    let asked: Vec<&str> = log.lines().filter(|line| line.contains(ASKED)).collect();
    assert!(
        asked.len() == 1 && asked[0].contains("schoolgate user add NAME --address ADDRESS --role sbm"),
        "{asked:?}"
    );
    let first = asked[0].split(['"', ' ', '=']).find_map(|word| word.strip_prefix(&format!("{DESK}/first/")));
    let first = first.expect("a link to make the first account").to_owned();
    assert!(first.len() == 43 && opens(&gateway, &format!("/first/{first}")), "{first}");
    gateway.terminate();
    gateway.start(&[]);
    let log = gateway.log();
    let second = log.rsplit(&format!("{DESK}/first/")).next().expect("another link")[..43].to_owned();
    assert!(first != second && opens(&gateway, &format!("/first/{second}")), "each start makes another");
    assert!(!opens(&gateway, &format!("/first/{first}")), "and the one before is worth nothing");
    let added = gateway.command(&["user", "add", "jane", "--address", "jane@saltmere.example", "--role", "sbm"]);
    let added = String::from_utf8_lossy(&added.stdout).into_owned();
    let link = added.lines().last().expect("the link");
    let token = link.strip_prefix(&format!("{DESK}/sign-up/")).expect("a whole link");
    assert!(token.len() >= 22, "a token of 128 bits or more: {} characters", token.len());
    let beside = doctor(&gateway).1;
    assert!(beside.contains("open the link that was given to jane"), "{beside}");
    gateway.terminate();
    gateway.start(&[]);
    assert!(!opens(&gateway, &format!("/first/{second}")), "there is an account now");
    assert_eq!(gateway.log().matches(ASKED).count(), 2, "there is an account now: {}", gateway.log());
    assert!(!gateway.log().contains(token), "the link is in no log");
}

#[test]
fn root_is_told_what_the_services_user_cannot_read_or_write() {
    if !rustix::process::geteuid().is_root() {
        println!("only root can give files to another user: left out");
        return;
    }
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    std::fs::create_dir(gateway.store()).expect("the store");
    gateway.belongs_to(64_999);
    let (status, told) = doctor(&gateway);
    assert!(status == Some(0) && told.contains("64999"), "{told}");
    let pupils = gateway.directory().join("roster/pupils.csv");
    let root_only = |path: &std::path::Path| {
        std::os::unix::fs::chown(path, Some(0), Some(0)).expect("root gives");
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).expect("its mode");
    };
    root_only(&pupils);
    root_only(&gateway.directory().join("store.key"));
    root_only(&file(&gateway, "store/people.lock", ""));
    let (status, told) = doctor(&gateway);
    assert_eq!(status, Some(1), "{told}");
    for words in [
        "directory.pupils: the user with id 64999 cannot read",
        "store.key_file: the user with id 64999 cannot read",
        "store.path: 1 files in it are not the user with id 64999's",
        "chown -R 64999",
    ] {
        assert!(told.contains(words), "{words} is missing:\n{told}");
    }
}

/// Mail goes to `localhost`, TLS required, where a smarthost shows a certificate for `name`; `trusted` puts that into
/// `ca_file`.
fn with_tls(gateway: &Gateway, name: &str, trusted: bool) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("its key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("the certificate fits");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    gateway.set("smarthost", "port", i64::from(listener.local_addr().expect("its address").port()));
    gateway.set("smarthost", "host", "localhost");
    gateway.set("smarthost", "tls", "required");
    if trusted {
        file(gateway, "roots.pem", &made.cert.pem());
        gateway.set("smarthost", "ca_file", "roots.pem");
    }
    let server = Arc::new(server);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let server = Arc::clone(&server);
            // What the client does not like ends its own session.
            std::thread::spawn(move || drop(serve(stream, server)));
        }
    });
}

/// Greets, starts TLS, and greets again.
fn serve(mut stream: TcpStream, server: Arc<rustls::ServerConfig>) -> std::io::Result<()> {
    let mut plain = BufReader::new(stream.try_clone()?);
    stream.write_all(b"220 smarthost\r\n")?;
    loop {
        let mut line = String::new();
        if plain.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line.starts_with("STARTTLS") {
            stream.write_all(b"220 go on\r\n")?;
            break;
        }
        stream.write_all(b"250-smarthost\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 STARTTLS\r\n")?;
    }
    let connection = rustls::ServerConnection::new(server).map_err(std::io::Error::other)?;
    let mut secure = BufReader::new(rustls::StreamOwned::new(connection, stream));
    loop {
        let mut line = String::new();
        if secure.read_line(&mut line)? == 0 {
            return Ok(());
        }
        secure.get_mut().write_all(b"250-smarthost\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")?;
    }
}

#[test]
fn too_few_open_files_are_told_by_doctor_and_by_a_start() {
    let sink = Sink::start();
    let gateway = Gateway::new(sink.port);
    gateway.set("listen", "connections", 400);
    let limited = |files: u32, command: &str| {
        let mut shell = std::process::Command::new("sh");
        let program = env!("CARGO_BIN_EXE_schoolgate");
        shell.args(["-c", &format!("ulimit -n {files} && exec \"$0\" \"$@\""), program, command, "--config"]);
        shell.arg(&gateway.config);
        shell
    };
    let words = "with 400 connections the gateway may come to 1064 open files, and the system lets it have 600";
    for (files, is_told) in [(600, true), (1_064, false)] {
        let output = limited(files, "doctor").output().expect("doctor");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(told.contains(words), is_told, "{files}: {told}");
        assert_eq!(told.contains("open files"), is_told, "{files}: {told}");
    }
    let log = gateway.directory().join("few.log");
    let mut started =
        limited(600, "serve").stderr(std::fs::File::create(&log).expect("a log")).spawn().expect("it starts");
    let until = std::time::Instant::now() + support::PATIENCE;
    let told = loop {
        let told = std::fs::read_to_string(&log).expect("the log");
        if support::Client::connect(gateway.port).is_ok() || std::time::Instant::now() > until {
            break told;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    let _ = started.kill();
    started.wait().expect("it has ended");
    assert!(told.lines().any(|line| line.contains("configuration") && line.contains(words)), "{told}");
}
