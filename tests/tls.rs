//! The program with TLS: its listeners as a client that nobody here wrote meets them (Python's smtplib), as those do who mean harm
//! (`tls/hostile.rs`), and its way to a smarthost with somebody in between (`tls/outwards.rs`).

mod support;

#[path = "tls/hostile.rs"]
mod hostile;
#[path = "tls/outwards.rs"]
mod outwards;

use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::certificates::Authority;
use support::{Gateway, PATIENCE, Sink, cases, free_port, installed};

const HOST: &str = "gate.saltmere.example";

/// Two doors with TLS, the second from the first octet; there only the client `mail.school.example` may send, which shows a certificate.
struct House {
    gateway: Gateway,
    authority: Authority,
    implicit: u16,
    sink: Sink,
}

impl House {
    fn new() -> Self {
        let sink = Sink::start();
        let gateway = Gateway::new(sink.port);
        let folder = gateway.directory().to_owned();
        let authority = Authority::new();
        std::fs::write(folder.join("ca.pem"), authority.pem()).expect("its file");
        for (number, (name, host)) in
            (1..).zip([("gate", HOST), ("client", "mail.school.example"), ("other", "other.school.example")])
        {
            authority.numbered(host, number).lay(&folder, name);
        }
        gateway.set("listen", "hostname", HOST);
        gateway.set("listen", "tls", "required");
        gateway.set("listen", "tls_certificate", "gate.pem");
        gateway.set("listen", "tls_key", "gate.key");
        let implicit = free_port();
        let text = std::fs::read_to_string(&gateway.config).expect("the configuration");
        let door = format!(
            "\n[[listener]]\nname = \"cloud\"\naddresses = [\"127.0.0.1:{implicit}\"]\ntls = \"implicit\"\nclient_ca = \"ca.pem\"\n\
             client_names = [\"mail.school.example\"]\n"
        );
        std::fs::write(&gateway.config, text + &door).expect("the configuration");
        Self { gateway, authority, implicit, sink }
    }

    fn started() -> Self {
        let mut house = Self::new();
        house.gateway.start(&[]);
        house
    }

    /// What a script of smtplib says; `smtp` and `ssl` are imported, `trusting(NAME)` is a context that shows NAME's certificate.
    fn python(&self, script: &str) -> String {
        let folder = self.gateway.directory().display();
        let (port, implicit) = (self.gateway.port, self.implicit);
        let script = format!(
            "import smtplib, ssl\nport, implicit = {port}, {implicit}\n\
             def trusting(name=None):\n    context = ssl.create_default_context(cafile='{folder}/ca.pem')\n    \
             context.check_hostname = False\n    \
             if name: context.load_cert_chain(f'{folder}/{{name}}.pem', f'{folder}/{{name}}.key')\n    return context\n{script}"
        );
        let out = Command::new("python3").arg("-c").arg(script).output().expect("python3 runs");
        format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
    }

    /// The number of the certificate that is shown.
    fn serial(&self) -> String {
        self.python(
            "s = smtplib.SMTP('127.0.0.1', port); s.starttls(context=trusting())\nprint(s.sock.getpeercert()['serialNumber'])",
        )
    }

    /// What OpenSSL's client says that is started so at a door, and whether it ends well.
    fn openssl(&self, port: u16, arguments: &[&str], says: &str) -> (bool, String) {
        let begin: &[&str] = if port == self.implicit { &[] } else { &["-starttls", "smtp"] };
        // A line with a Q at its start ends it otherwise; an R asks for a new handshake then.
        let waits: &[&str] = if says.starts_with('Q') { &["-nocommands", "-ign_eof", "-crlf"] } else { &[] };
        let mut child = Command::new("timeout")
            .args(["5", "openssl", "s_client", "-connect", &format!("127.0.0.1:{port}")])
            .args(begin)
            .args(waits)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("openssl runs");
        // It may have ended already: then it says why.
        let _ = child.stdin.take().expect("its input").write_all(says.as_bytes());
        let out = child.wait_with_output().expect("it ends");
        let told = [out.stdout, out.stderr].concat();
        (out.status.success(), String::from_utf8_lossy(&told).into_owned())
    }

    /// Waits until the log has these words once more than before `act`.
    fn until_told(&self, words: &str, act: impl FnOnce()) {
        let before = self.gateway.log().matches(words).count();
        act();
        let until = Instant::now() + PATIENCE;
        while self.gateway.log().matches(words).count() == before {
            assert!(Instant::now() < until, "{words}\n{}", self.gateway.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn mail_comes_by_starttls_and_by_a_clients_certificate() {
    assert!(installed("python3").is_some(), "python3 is not installed");
    let house = House::started();
    let case = cases().into_iter().find(|c| c.action == "deliver" && c.rcpt.len() == 1).expect("clean mail");
    std::fs::write(house.gateway.directory().join("mail.eml"), case.message()).expect("the message");
    let send = format!(
        "def send(s):\n    try:\n        s.sendmail('{}', ['{}'], open('{}/mail.eml', 'rb').read())\n        print('taken')\n    \
         except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as e:\n        print('refused', e)\n",
        case.mail_from,
        case.rcpt[0],
        house.gateway.directory().display()
    );
    // Row 122, and the doors beside each other.
    let told = house.python(&format!(
        "{send}s = smtplib.SMTP('127.0.0.1', port); send(s)\n\
         s = smtplib.SMTP('127.0.0.1', port); s.starttls(context=trusting()); send(s)\n\
         s = smtplib.SMTP_SSL('127.0.0.1', implicit, context=trusting('client')); send(s)\n\
         s = smtplib.SMTP_SSL('127.0.0.1', implicit, context=trusting('other')); send(s)\n\
         s = smtplib.SMTP_SSL('127.0.0.1', implicit, context=trusting()); send(s)\n"
    ));
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 5, "{told}");
    assert!(lines[0].starts_with("refused (530, "), "{told}");
    assert_eq!(lines[1..3], ["taken", "taken"], "{told}");
    assert!(lines[3..].iter().all(|line| line.starts_with("refused {") && line.contains("(550, b\"5.7.1 ")), "{told}");
    let taken = house.sink.wait("both", |taken| taken.len() >= 2);
    for one in taken {
        assert!(String::from_utf8_lossy(&one.content).contains("\r\n\twith ESMTPS id "));
    }
}

#[test]
fn a_renewed_certificate_is_taken_at_a_reload_and_a_broken_one_told() {
    assert!(installed("python3").is_some(), "python3 is not installed");
    let house = House::started();
    let folder = house.gateway.directory();
    assert_eq!(house.serial().trim(), "01");
    // Row 120.
    house.authority.numbered(HOST, 7).lay(folder, "gate");
    house.until_told("what=\"the certificate of the listener cloud\"", || house.gateway.signal("-HUP"));
    assert_eq!(house.serial().trim(), "07");
    std::fs::write(folder.join("gate.key"), "-----BEGIN PRIVATE KEY-----\n").expect("half a key");
    house.until_told("the listener's certificate was not renewed", || house.gateway.signal("-HUP"));
    assert_eq!(house.serial().trim(), "07");
    // Authorities that cannot be read are a bad configuration: all of the one before stays.
    std::fs::remove_file(folder.join("ca.pem")).expect("the authorities");
    house.until_told("nothing was reloaded", || house.gateway.signal("-HUP"));
    assert!(house.gateway.log().contains("listener.cloud.client_ca: "), "{}", house.gateway.log());
    let doctor = house.gateway.command(&["doctor"]);
    let told = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(told.contains("listen.tls_key: ") && !doctor.status.success(), "{told}");
}

#[test]
fn sigterm_ends_it_while_handshakes_are_under_way() {
    let mut house = House::started();
    let stalled: Vec<_> =
        (0..3).map(|_| TcpStream::connect(("127.0.0.1", house.implicit)).expect("a connection")).collect();
    assert!(house.gateway.terminate().success());
    assert!(!house.gateway.log().contains("connections were cut that did not end"), "{}", house.gateway.log());
    drop(stalled);
}

#[test]
fn nothing_is_renegotiated_and_old_versions_are_refused() {
    assert!(installed("openssl").is_some(), "openssl is not installed");
    let house = House::started();
    let client = |arguments: &[&str], says: &str| house.openssl(house.gateway.port, arguments, says);
    // A line of R alone asks for a new handshake (openssl-s_client(1)).
    // Its own is not answered by one of ours: no certificate comes a second time, and it waits until it is ended.
    let (went_well, told) = client(&["-tls1_2"], "R\n");
    let shown = told.matches("unable to get local issuer certificate").count();
    assert!(!went_well && told.contains("RENEGOTIATING") && shown == 1, "{told}");
    for old in ["-tls1", "-tls1_1"] {
        let (went_well, told) = client(&[old, "-cipher", "ALL:@SECLEVEL=0"], "QUIT\n");
        assert!(!went_well && told.contains("alert"), "{told}");
    }
    let (went_well, told) = client(&["-tls1_3"], "QUIT\n");
    assert!(went_well && told.contains("TLSv1.3"), "{told}");
}

/// Copiers sign in, as accounts of the command line, and send as themselves alone.
#[test]
fn a_copier_signs_in_and_sends_as_itself() {
    let mut house = House::new();
    house.gateway.set("listen", "sign_in", true);
    house.gateway.set("listen", "relay_from", vec!["192.0.2.0/24".to_owned()]);
    house.gateway.start(&[]);
    let case = cases().into_iter().find(|c| c.action == "deliver" && c.rcpt.len() == 1).expect("clean mail");
    let folder = house.gateway.directory().to_owned();
    std::fs::write(folder.join("password"), "a long password of a copier\n").expect("the password");
    let password = folder.join("password").display().to_string();
    // The one for the envelope, the other for people to see.
    let (envelope, seen) = (case.mail_from.as_str(), "office@saltmere.example");
    let added = house.gateway.command(&[
        "sender",
        "add",
        "copier",
        "--send-as",
        envelope,
        "--send-as",
        seen,
        "--password-file",
        &password,
    ]);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let bare = String::from_utf8(case.message()).expect("text");
    let without_date = bare.split_inclusive('\n').filter(|line| !line.starts_with("Date:")).collect::<String>();
    let forged = bare.replacen("From: ", "From: Somebody <somebody@saltmere.example>\r\nX-Was: ", 1);
    assert_ne!(forged, bare, "the message names its sender");
    for (name, text) in [("mail", &bare), ("bare", &without_date), ("forged", &forged)] {
        std::fs::write(folder.join(format!("{name}.eml")), text).expect("the message");
    }
    let out = house.python(&format!(
        "def go(name, word, sender, file):\n    s = smtplib.SMTP('127.0.0.1', port)\n    s.starttls(context=trusting())\n    try:\n        \
         if name: s.login(name, word)\n        s.sendmail(sender, ['{to}'], open(f'{folder}/{{file}}.eml', 'rb').read())\n        \
         print('taken')\n    except smtplib.SMTPResponseException as e:\n        print(e.smtp_code, e.smtp_error.decode()[:5])\n\
         word = 'a long password of a copier'\n\
         go(None, None, '{from}', 'mail')\ngo('copier', 'wrong', '{from}', 'mail')\ngo('nobody', word, '{from}', 'mail')\n\
         go('copier', word, 'somebody@saltmere.example', 'mail')\ngo('copier', word, '{from}', 'forged')\n\
         go('copier', word, '{from}', 'mail')\ngo('copier', word, '{from}', 'bare')\n",
        to = case.rcpt[0],
        from = case.mail_from,
        folder = folder.display(),
    ));
    let told: Vec<&str> = out.lines().collect();
    assert_eq!(told, ["530 5.7.0", "535 5.7.8", "535 5.7.8", "550 5.7.1", "550 5.7.1", "taken", "taken"], "{out}");
    let taken = house.sink.wait("both", |taken| taken.len() >= 2);
    assert_eq!(house.sink.settled().len(), 2);
    let last = String::from_utf8_lossy(&taken[1].content).into_owned();
    assert!(last.contains("with ESMTPSA id ") && last.contains("\r\nDate: "), "{last}");
    assert!(!house.gateway.log().contains("a long password"), "no password in the log");
    assert!(house.gateway.log().contains("account=\"copier\""), "{}", house.gateway.log());
    let audit = house.gateway.command(&["audit", "export"]).stdout;
    let lines = String::from_utf8_lossy(&audit).into_owned();
    let said = lines.lines().filter(|line| line.contains("accepted") && line.contains("copier")).count();
    assert_eq!(said, 2, "who sent it stands in its audit line:\n{lines}");
    house.gateway.command(&["sender", "disable", "copier"]);
    let out = house.python("s = smtplib.SMTP('127.0.0.1', port); s.starttls(context=trusting())\ntry:\n    s.login('copier', 'a long password of a copier')\nexcept smtplib.SMTPAuthenticationError as e:\n    print(e.smtp_code)\n");
    assert_eq!(out.trim(), "535", "{out}");
}
