//! A breach is reported by mail, over the real gateway: the report goes on, those who answer for it are told at once, and who
//! reported is told what to do; nobody else can open an incident, and no two machines write to each other.

mod support;

use support::{Client, Gateway, Sink, Taken};

const BREACH: &str = "breach@saltmere.example";
const AMY: &str = "d.okafor@saltmere.example";
const SBM: &str = "sbm@saltmere.example";
const HEAD: &str = "head@saltmere.example";
const DPO: &str = "dpo@council.example";

fn school(sink: &Sink) -> Gateway {
    let mut gateway = Gateway::new(sink.port);
    gateway.set("roles", "report", vec![BREACH]);
    gateway.set("roles", "dpo", vec![DPO]);
    gateway.start(&[]);
    gateway
}

/// Letters of this subject: to whom, and what they say, each line after the other.
fn letters(taken: &[Taken], subject: &str) -> Vec<(Vec<String>, String)> {
    let text = |taken: &Taken| String::from_utf8_lossy(&taken.content).replace("=\r\n", "");
    let ours = taken.iter().filter(|taken| text(taken).contains(&format!("Subject: {subject}")));
    ours.map(|taken| (taken.recipients.clone(), text(taken))).collect()
}

fn send(client: &mut Client, from: &str, header: &str, body: &str) -> u16 {
    let content = format!("From: <{from}>\r\nTo: {BREACH}\r\nSubject: Sorry\r\n{header}\r\n{body}");
    client.send(from, &[BREACH.to_owned()], content.as_bytes()).map_or(0, |reply| reply.code)
}

fn incidents(gateway: &Gateway) -> Vec<serde_json::Value> {
    let listed = gateway.command(&["incident", "list", "--json"]);
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    serde_json::from_slice(&listed.stdout).expect("JSON")
}

/// WS-12, WH-5.1.1g: a sent message that is passed on to the mailbox.
#[test]
fn a_report_opens_an_incident_tells_who_answers_for_it_and_is_answered() {
    let sink = Sink::start();
    let gateway = school(&sink);
    let body = "I sent this to the wrong mother.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
        From: <d.okafor@saltmere.example>\r\nTo: other.mother@gmail.com\r\nSubject: Lottie\r\n\r\n\
        Lottie Fenn lives at 48 Marram Road, Saltmere.\r\nDate of birth: 8 February 2023.\r\n--b--\r\n";
    let header =
        "Message-ID: <r1@saltmere.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n";
    let body = format!("--b\r\nContent-Type: text/plain\r\n\r\n{body}");
    assert_eq!(send(&mut gateway.client(), AMY, header, &body), 250);
    let taken = sink.wait("report, notice and answer", |taken| taken.len() >= 3);
    assert!(taken.iter().any(|one| one.recipients == [BREACH] && one.from == AMY), "the report itself goes on");
    let told = letters(&taken, "BREACH REPORTED");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, [SBM, DPO]);
    let answer = letters(&taken, "YOUR REPORT IS HERE");
    assert_eq!(answer.len(), 1);
    assert_eq!(answer[0].0, [AMY]);
    for wanted in [
        "Auto-Submitted: auto-replied",
        "In-Reply-To: <r1@saltmere.example>",
        "ask them to delete it",
        "Do not recall it",
    ] {
        assert!(answer[0].1.contains(wanted), "{wanted}: {}", answer[0].1);
    }
    assert!(taken.iter().filter(|one| one.recipients != [BREACH]).all(|one| one.from.is_empty()), "no loop can begin");
    for (_, text) in told.iter().chain(&answer) {
        assert!(!text.contains("Lottie") && !text.contains("other.mother"), "{text}");
    }

    let all = incidents(&gateway);
    assert_eq!(all.len(), 1);
    let id = all[0]["id"].as_str().expect("an id").to_owned();
    assert!(all[0]["aware_at"].is_null(), "no clock runs before a person says so");
    assert!(told[0].1.contains(&id) && answer[0].1.contains(&id), "both letters hold the reference");
    let shown = gateway.command(&["incident", "show", &id, "--who", "Jane"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    for held in [
        "what happened: ",
        "I sent this to the wrong mother.",
        "other.mother@gmail.com",
        AMY,
        "whose data: ",
        "last written: version 1, ",
    ] {
        assert!(shown.contains(held), "{held}: {shown}");
    }
    let json = gateway.command(&["incident", "show", &id, "--who", "Jane", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["versions"][0]["assessment"]["children"][0]["pupil"], "P001", "{json}");
    // Neither the store's database nor the log holds it in clear.
    let database = std::fs::read(gateway.store().join("queue.db")).expect("the database");
    assert!(!String::from_utf8_lossy(&database).contains("wrong mother"));
    assert!(!gateway.log().contains("wrong mother") && !gateway.log().contains("Lottie"));

    // By hand, without names, and one child's.
    let opened =
        ["incident", "open", "--kind", "near-miss", "--happened", "A list was left on the bus.", "--who", "Jane"];
    assert!(gateway.command(&opened).status.success());
    assert_eq!(incidents(&gateway).len(), 2);
    let table = gateway.command(&["incident", "export", "--who", "Jane"]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.contains(&id) && !table.contains("mother") && !table.contains("okafor"), "{table}");
    let whole = gateway.command(&["incident", "export", "--whole", "--who", "Jane"]);
    let whole = String::from_utf8_lossy(&whole.stdout).into_owned();
    assert!(whole.contains("Lottie Fenn") && whole.contains("other.mother@gmail.com"), "{whole}");
    let record = gateway.command(&["audit", "list"]);
    let record = String::from_utf8_lossy(&record.stdout).into_owned();
    for event in ["incident-opened", "incident-seen", "incidents-exported"] {
        assert!(record.contains(event), "{event}: {record}");
    }
}

#[test]
fn programs_and_outsiders_open_none_and_who_reports_their_own_is_not_alone() {
    let sink = Sink::start();
    let gateway = school(&sink);
    let words = "It went to somebody else.\r\n";
    let mut client = gateway.client();
    for (from, header) in
        [(AMY, "Auto-Submitted: auto-replied\r\n"), (AMY, "Precedence: bulk\r\n"), ("someone@gmail.com", ""), ("", "")]
    {
        send(&mut client, from, header, words);
        client = gateway.client();
    }
    sink.settled();
    assert_eq!(incidents(&gateway).len(), 0);
    assert!(letters(&sink.taken(), "YOUR REPORT IS HERE").is_empty());
    assert_eq!(send(&mut client, SBM, "", words), 250);
    let taken = sink.wait("told", |taken| !letters(taken, "BREACH REPORTED").is_empty());
    assert_eq!(letters(&taken, "BREACH REPORTED")[0].0, [DPO, HEAD]);
    assert_eq!(incidents(&gateway).len(), 1);
}

#[test]
fn a_reporting_mailbox_elsewhere_is_refused() {
    let gateway = Gateway::new(9);
    gateway.set("roles", "report", vec!["breach@elsewhere.example"]);
    let checked = gateway.command(&["doctor"]);
    let said = [checked.stdout, checked.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(!checked.status.success() && said.contains("roles.report"), "{said}");
}
