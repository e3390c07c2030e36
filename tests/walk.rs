//! A new technician's walk: every command of `README.md` and `docs/operating.md` is taken out of the page and run on a clean
//! machine, as root and as the gateway's user, beside the running gateway and while none runs. A command that a page gains
//! is run too; what this walk does not know how to fill in or why it leaves out, fails it.

mod support;

use std::collections::BTreeSet;
use std::io::Read;
use std::process::{Child, Output};
use std::time::Instant;

use support::{Case, Client, Machine, PATIENCE, Sink, cases, fixture, free_port, id_of};

const README: &str = include_str!("../README.md");
const OPERATING: &str = include_str!("../docs/operating.md");
const UNIT: &str = include_str!("../systemd/schoolgate.service");
const USERS: &str = include_str!("../systemd/schoolgate.sysusers");

/// The user of the unit, who reads and writes all that the gateway has.
const SERVICE: &str = "schoolgate";

/// Commands that are played by the walk itself or that another test runs, by their beginning.
const ELSEWHERE: &[(&str, &str)] = &[
    ("cargo run -- demo", "tests/commands.rs runs it"),
    ("cargo test", "is what runs here"),
    ("cargo build --release", "the program under test is copied in its place"),
    ("systemd-sysusers", "a machine of its own below"),
    ("systemctl enable --now schoolgate", "the unit's ExecStart is run as its User"),
    ("systemctl reload schoolgate", "the unit's ExecReload is run"),
    ("schoolgate serve", "the gateway of the walk"),
    ("target/release/schoolgate serve", "the last gateway of the walk"),
    ("sudo -u schoolgate schoolgate …", "how each command is run"),
    ("useradd", "the first step of the walk"),
    ("mkdir", "the second step of the walk"),
    ("install", "the second step of the walk"),
    ("head", "the second step of the walk"),
];

/// Exit statuses, where not only 0 is right: `check` says the action, `replay` and `roster import` that something was left out.
const STATUSES: &[(&str, &[i32])] = &[
    ("schoolgate check", &[0, 10, 20, 30]),
    ("schoolgate replay", &[0, 10]),
    // The walk has ids of messages alone, and nothing was allowed.
    ("schoolgate allow end", &[1]),
    // Nor has it a rule from which anybody could be exempt.
    ("schoolgate exempt end", &[1]),
    ("schoolgate exempt grant", &[1]),
    // Nor a legal hold by such an id.
    ("schoolgate journal end-hold", &[1]),
    // Nor an account that may ask for a disclosure.
    ("schoolgate disclose ask", &[1]),
    // An incident has a reference of its own, which the walk has not.
    ("schoolgate incident show", &[1]),
];

/// Commands that can do nothing without arguments.
const WANT_ARGUMENTS: &[&str] = &[
    "schoolgate check",
    "schoolgate replay",
    "schoolgate roster import",
    "schoolgate queue hold",
    "schoolgate queue drop",
];

/// What a page says for something of the reader's own, and what the reader of this walk has.
const OWN: &[(&str, &str)] = &[
    ("--who …", "--who 'Jane Doe'"),
    ("--why …", "--why 'Spoken with the sender.'"),
    ("--because …", "--because 'As agreed.'"),
    (" RULE SENDER", " direct-to-guardian s.okoro@saltmere.example"),
    (" DATE", " 2027-07-20"),
    (" HEAD", " helen"),
    ("--happened …", "--happened 'A list was left on the bus.'"),
    ("--pupil …", "--pupil P001"),
    ("--note …", "--note 'Please send it to the office instead.'"),
    ("--mail-from …", "--mail-from s.okoro@saltmere.example"),
    ("--rcpt …", "--rcpt parent@gmail.com"),
    (" --role ROLE", " --role head,it"),
    (" DAY", " 2020-01-01"),
    (" NAME", " Jane"),
    (" EVENT", " taken"),
    (" WORDS", " inhaler"),
    ("--pupil ID", "--pupil P1"),
    ("--mailbox ADDRESS", "--mailbox s.okoro@saltmere.example"),
    (" PURPOSE", " compliance"),
    ("--purpose …", "--purpose compliance"),
    ("--output FOLDER", "--output evidence"),
    ("verify FOLDER", "verify evidence"),
    ("--only ADDRESS", "--only callumdrew.saltmere@hotmail.co.uk"),
    (" FOLDER", " sent"),
    ("--output FILE", "--output export.jsonl"),
    (" FILE", " letter.docx"),
    (" MESSAGE.eml", " message.eml"),
    ("replay --against", "replay sent --against"),
];

/// Lines of code blocks that are commands, in the order of the page.
fn blocks(page: &str) -> Vec<Vec<String>> {
    let mut blocks = Vec::new();
    for block in page.split("```").skip(1).step_by(2) {
        let Some(lines) = block.strip_prefix('\n') else { continue };
        let lines = lines.lines().map(|line| line.split("  #").next().unwrap_or("").trim().to_owned());
        let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
        let programs = ["cargo ", "mkdir ", "install ", "head ", "schoolgate ", "target/release/schoolgate "];
        if lines.iter().any(|line| programs.iter().any(|program| line.starts_with(program))) {
            blocks.push(lines);
        }
    }
    blocks
}

/// Commands between backticks. Options that stand alone, in the same row of a table, are further commands with these.
fn inline(page: &str) -> Vec<String> {
    let prose: String = page.split("```").step_by(2).collect();
    let mut found = Vec::new();
    // A table's row is a line; a command in running text may be broken over two.
    let paragraphs = prose.split("\n\n").flat_map(|paragraph| match paragraph.starts_with('|') {
        true => paragraph.lines().map(str::to_owned).collect::<Vec<_>>(),
        false => vec![paragraph.split_whitespace().collect::<Vec<_>>().join(" ")],
    });
    for paragraph in paragraphs {
        let row = paragraph.starts_with('|');
        let mut here: Vec<String> = Vec::new();
        let mut base = String::new();
        for code in paragraph.split('`').skip(1).step_by(2) {
            let first = code.split(' ').next().unwrap_or("");
            let with_more = code.contains(' ');
            if ["schoolgate", "cargo", "systemctl", "sudo", "useradd"].contains(&first) && with_more
                || code == "systemd-sysusers"
            {
                here.push(code.to_owned());
            } else if ["roster", "replay", "quarantine", "queue", "audit"].contains(&first) && with_more {
                here.push(format!("schoolgate {code}"));
            } else if row && code.starts_with("ID ") {
                here.iter_mut().for_each(|command| *command = format!("{command} {code}"));
                continue;
            } else if row && code.starts_with("--") {
                let base = if code == "--all" { base.trim_end_matches(" ID") } else { &base };
                here.push(format!("{base} {code}"));
                continue;
            }
            base = here.last().cloned().unwrap_or_default();
        }
        found.extend(here);
    }
    found
}

/// The value of a key in the unit.
fn unit(key: &str) -> &'static str {
    let line = UNIT.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("the unit has {key}"))
}

/// The configuration of a page, with the ports and the smarthost of this walk.
fn configuration(page: &str, listen: u16, smarthost: u16, monitor: u16) -> String {
    let block = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a configuration");
    let mut config: toml::Table = block.parse().expect("sound TOML");
    let mut set = |section: &str, key: &str, value: toml::Value| {
        let section = config.entry(section).or_insert_with(|| toml::Table::new().into());
        section.as_table_mut().expect("a section").insert(key.to_owned(), value);
    };
    set("listen", "addresses", vec![format!("127.0.0.1:{listen}")].into());
    set("smarthost", "host", "127.0.0.1".into());
    set("smarthost", "port", i64::from(smarthost).into());
    set("smarthost", "tls", "none".into());
    set("monitor", "address", format!("127.0.0.1:{monitor}").into());
    // A fresh port, for the page's own may be taken where this runs.
    if let Some(review) = config.get_mut("review").and_then(toml::Value::as_table_mut) {
        review.insert("listen".to_owned(), format!("127.0.0.1:{}", free_port()).into());
    }
    toml::to_string(&config).expect("TOML")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A machine on which the steps of the page have been gone as far as the first start.
/// A gateway at work, and what it logs.
struct Running {
    child: Child,
    log: std::thread::JoinHandle<String>,
}

struct Walk {
    machine: Machine,
    sink: Sink,
    port: u16,
    /// Messages in quarantine and in the queue, not yet decided on.
    held: Vec<String>,
    queued: Vec<String>,
    /// Accounts of the desk that were made.
    accounts: usize,
    /// Accounts that sign in to send that were made.
    senders: usize,
    /// Problems found on the way, all told at the end.
    faults: BTreeSet<String>,
}

impl Walk {
    /// Runs a command of a page with everything filled in.
    fn take(&mut self, user: Option<&str>, command: &str, when: &str) {
        let mut said_line = format!("{command} ");
        if command.starts_with("schoolgate user ") {
            // Accounts are never deleted: each round makes another one, and does the rest with it.
            self.accounts += usize::from(command.starts_with("schoolgate user add "));
            let name = format!("jane{}", self.accounts);
            said_line = said_line
                .replace(" NAME", &format!(" {name}"))
                .replace(" ADDRESS", &format!(" {name}@saltmere.example"));
        }
        if command.starts_with("schoolgate sender ") {
            // Each that is made has a name of its own; the rest is done with the latest. One that is removed is made anew first.
            self.senders += usize::from(command.starts_with("schoolgate sender add "));
            let name = format!("copier{}", self.senders);
            if !command.contains(" add ") && command.contains(" NAME") {
                let made = self.machine.run(Some("root"), "schoolgate sender list");
                if !said(&made).contains(&format!(" {name} ")) {
                    self.machine.must(&format!("schoolgate sender add {name} --send-as copier@saltmere.example"));
                }
            }
            said_line = said_line
                .replace(" NAME", &format!(" {name}"))
                .replace(" ADDRESS", " copier@saltmere.example")
                .replace(" DOMAIN", " saltmere.example")
                .replace("--password-file FILE", "--password-file password");
        }
        let mut line = OWN.iter().fold(said_line, |line, (said, own)| line.replace(said, own));
        if line.contains(" ID ") {
            let of = if line.contains("queue ") { &mut self.queued } else { &mut self.held };
            // What only looks, looks at one that is still needed.
            let id = if line.contains(" show ") || line.contains(" evidence ") { of.last().cloned() } else { of.pop() };
            line = line.replace(" ID ", &format!(" {} ", id.expect("enough messages wait for a decision")));
        }
        let line = line.trim();
        let as_whom = user.unwrap_or("root");
        let unknown = line
            .split(' ')
            .find(|word| word.contains('…') || word.len() > 1 && word.bytes().all(|b| b.is_ascii_uppercase()));
        assert_eq!(unknown, None, "`{command}`: the walk does not know what a reader puts there");
        self.machine.must("rm -f export.jsonl");
        if line.contains(" evidence ") {
            self.machine.must("rm -rf evidence");
        }
        // A message that is being delivered this moment is asked for again, as the program says.
        let until = Instant::now() + PATIENCE;
        let output = loop {
            let output = self.machine.run(user, line);
            if !said(&output).contains("is in work right now") || Instant::now() > until {
                break output;
            }
        };
        let right =
            STATUSES.iter().find(|(start, _)| line.starts_with(start)).map_or(&[0][..], |(_, statuses)| statuses);
        if !output.status.code().is_some_and(|code| right.contains(&code)) {
            self.faults.insert(format!("`{command}` as {as_whom}, {when}: {}\n{}", output.status, said(&output)));
        }
    }

    fn start(&self, line: &str) -> Running {
        let mut child = self.machine.spawn(Some(SERVICE), &format!("exec {line}"));
        let mut stderr = child.stderr.take().expect("its log");
        // Read all the time: who writes to a full pipe stands still.
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).expect("UTF-8");
            log
        });
        let until = Instant::now() + PATIENCE;
        while Client::connect(self.port).is_err() {
            if child.try_wait().expect("its state").is_some() || Instant::now() > until {
                let _ = child.kill();
                panic!("{line} does not listen:\n{}", log.join().expect("its log"));
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Running { child, log }
    }

    fn stop(&self, mut gateway: Running) -> String {
        self.machine.must(&format!("kill {}", gateway.child.id()));
        let log = gateway.log.join().expect("its log");
        assert!(gateway.child.wait().expect("its end").success(), "it ends as asked:\n{log}");
        log
    }

    fn send(&self, case: &Case) -> String {
        let mut client = Client::connect(self.port).expect("a connection");
        client.hello().expect("greeted");
        id_of(&client.send(&case.mail_from, &case.rcpt, &case.message()).expect("taken in"))
    }
}

/// Every command of both pages, once each, without those that are run elsewhere.
fn commands() -> Vec<String> {
    let mut commands: Vec<String> = [README, OPERATING].iter().flat_map(|page| blocks(page)).flatten().collect();
    commands.extend([README, OPERATING].iter().flat_map(|page| inline(page)));
    let mut seen = BTreeSet::new();
    commands.retain(|command| seen.insert(command.clone()));
    // The bare name of a command that wants arguments is no more than its name, if a page gives it whole.
    let whole = commands.clone();
    let is_given = |name: &str| whole.iter().any(|c| c.strip_prefix(name).is_some_and(|more| more.starts_with(' ')));
    commands.retain(|command| !(WANT_ARGUMENTS.contains(&command.as_str()) && is_given(command)));
    for (start, why) in ELSEWHERE {
        assert!(commands.iter().any(|command| command.starts_with(start)), "no page says `{start}` any more ({why})");
    }
    commands.retain(|command| !ELSEWHERE.iter().any(|(start, _)| command.starts_with(start)));
    commands
}

#[test]
fn the_commands_of_the_pages_do_what_the_pages_say() {
    let commands = commands();
    assert!(commands.len() > 25, "the pages hold more commands than {commands:#?}");
    let Some(machine) = Machine::new() else { return };

    // Installing, step by step.
    machine.write("/usr/bin/schoolgate", "755", &std::fs::read(env!("CARGO_BIN_EXE_schoolgate")).expect("the program"));
    let user =
        inline(OPERATING).into_iter().find(|command| command.starts_with("useradd ")).expect("how to make the user");
    machine.must(&user);
    let key =
        blocks(OPERATING).into_iter().flatten().take_while(|line| !line.starts_with("schoolgate")).collect::<Vec<_>>();
    machine.must(&key.join(" && "));
    for list in ["pupils", "guardians", "staff", "correspondents"] {
        let path = format!("/etc/schoolgate/roster/{list}.csv");
        machine.write(&path, "600", &fixture(&format!("school/roster/{list}.csv")));
        machine.must(&format!("chown {SERVICE} {path}"));
    }
    let (sink, port, monitor) = (Sink::start(), free_port(), free_port());
    let mut walk = Walk {
        machine,
        sink,
        port,
        held: Vec::new(),
        queued: Vec::new(),
        accounts: 0,
        senders: 0,
        faults: BTreeSet::new(),
    };
    for page in [README, OPERATING] {
        let config = configuration(page, port, walk.sink.port, monitor);
        walk.machine.write("/etc/schoolgate/schoolgate.toml", "644", config.as_bytes());
        for user in [None, Some(SERVICE)] {
            walk.take(user, "schoolgate doctor", "before the first start");
        }
    }
    assert!(walk.faults.is_empty(), "{:#?}", walk.faults);

    // What a reader has lying about.
    let machine = &walk.machine;
    let case =
        |action: &str| cases().into_iter().find(|c| c.action == action && c.accept.is_empty()).expect("such a case");
    let (held, clean) = (case("hold"), case("deliver"));
    machine.write("/etc/schoolgate/message.eml", "644", &clean.message());
    machine.write("/etc/schoolgate/sent/1.eml", "644", &clean.message());
    machine.write("/etc/schoolgate/sent/2.eml", "644", &held.message());
    machine.write(
        "/etc/schoolgate/letter.docx",
        "644",
        &support::compose::docx(&["Dear parents,", "The hall is shut."]),
    );
    machine.write("/etc/schoolgate/password", "644", b"plum kettle orchard\n");
    machine.write("/etc/schoolgate/new-rules.toml", "644", include_bytes!("../rules/core.toml"));
    for (list, name) in [("pupils", "pupils"), ("guardians", "contacts"), ("staff", "staff")] {
        machine.write(&format!("/etc/schoolgate/{name}.csv"), "644", &fixture(&format!("school/roster/{list}.csv")));
    }
    machine.must("mkdir -p target/release && ln -s /usr/bin/schoolgate target/release/schoolgate");
    // Either user writes an export here.
    machine.must("chmod 777 .");

    // The unit starts it, and reloads it.
    assert_eq!(unit("User"), SERVICE);
    let gateway = walk.start(unit("ExecStart"));
    walk.machine.must(&unit("ExecReload").replace("$MAINPID", &gateway.child.id().to_string()));
    let mut gateway = Some(gateway);
    walk.sink.answer_recipient(&clean.rcpt[0], "450 4.2.1 Not now");
    let decisions = commands.iter().filter(|command| command.contains("ID")).count();
    for _ in 0..decisions * 4 + 1 {
        walk.held.push(walk.send(&held));
        walk.queued.push(walk.send(&clean));
    }

    for (when, running) in [("beside the running gateway", true), ("while none runs", false)] {
        if !running {
            let log = walk.stop(gateway.take().expect("the gateway"));
            assert!(log.contains("reloaded"), "{log}");
        }
        for user in [None, Some(SERVICE)] {
            for command in &commands {
                walk.take(user, command, when);
            }
        }
    }

    // The roster is imported as the page says, and the gateway that README starts uses it.
    let import = commands.iter().find(|command| command.contains("--dry-run")).expect("an import");
    walk.take(Some(SERVICE), &import.replace(" --dry-run", ""), "for good");
    let config =
        configuration(OPERATING, port, walk.sink.port, monitor).replace("[directory]", "[directory]\nimported = true");
    walk.machine.write("/etc/schoolgate/schoolgate.toml", "644", config.as_bytes());
    let serve = blocks(README).into_iter().flatten().find(|line| line.contains(" serve ")).expect("how to start it");
    let gateway = walk.start(&serve);
    walk.take(None, "schoolgate roster show", "from the imported roster");
    walk.stop(gateway);
    assert!(walk.faults.is_empty(), "{}", walk.faults.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_unit_s_own_way_makes_the_same_user() {
    if support::installed("systemd-sysusers").is_none() {
        println!("skipped: no systemd-sysusers");
        return;
    }
    let Some(machine) = Machine::new() else { return };
    machine.write("/usr/lib/sysusers.d/schoolgate.conf", "644", USERS.as_bytes());
    machine.must("systemd-sysusers schoolgate.conf");
    let user = machine.must(&format!("getent passwd {SERVICE}"));
    assert!(user.trim_end().contains(":/var/lib/schoolgate:"), "{user}");
    let key: Vec<_> =
        blocks(OPERATING).into_iter().flatten().take_while(|line| !line.starts_with("schoolgate")).collect();
    machine.must(&key.join(" && "));
    let read = machine.run(Some(SERVICE), "wc -c < /etc/schoolgate/key");
    assert_eq!(said(&read).trim(), "32", "the gateway's user reads its key");
    machine.must("useradd --system stranger");
    assert!(!machine.run(Some("stranger"), "cat /etc/schoolgate/key").status.success(), "and nobody else");
}
