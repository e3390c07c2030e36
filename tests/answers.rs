//! Answers to notices by mail, over the real gateway: the first word of a person who wrote the message does what their page
//! does, and nothing else does anything.

mod support;

use std::net::SocketAddr;

use support::desk::Browser;
use support::{Case, Client, Gateway, Reply, Seeded, Sink, Taken, cases, free_port, id_of, relayed};

const DEPUTY: &str = "d.okafor@saltmere.example";
const COUNCIL: &str = "clerk@saltshire.gov.example";

/// A gateway with a desk, and the sink behind it.
struct School {
    gateway: Gateway,
    sink: Sink,
    desk: SocketAddr,
}

/// A message that was stopped, as its notice tells of it.
struct Stopped {
    id: String,
    from: String,
    answer_to: String,
    notice: String,
}

impl School {
    fn new() -> Self {
        let sink = Sink::start();
        let mut gateway = Gateway::new(sink.port);
        let port = free_port();
        gateway.set("review", "listen", format!("127.0.0.1:{port}"));
        gateway.set("review", "public_url", format!("http://127.0.0.1:{port}"));
        gateway.start(&[]);
        Self { gateway, sink, desk: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    fn stopped(&self, from: &str, to: &[String], content: &[u8]) -> Stopped {
        let id = id_of(&self.gateway.client().send(from, to, content).expect("taken"));
        let is_it = |taken: &Taken| taken.recipients == [from] && text_of(taken).contains(&format!("Reference: {id}"));
        let taken = self.sink.wait("the notice to the sender", |taken| taken.iter().any(is_it));
        let notice = text_of(taken.iter().find(|taken| is_it(taken)).expect("the notice"));
        Stopped { id, from: from.to_owned(), answer_to: reply_to(&notice).expect("where to answer"), notice }
    }

    /// A record of a pupil to the council, without a marker: Confidential puts it right.
    fn unmarked(&self) -> Stopped {
        self.stopped(DEPUTY, &[COUNCIL.to_owned()], &unmarked("Subject: Lottie\r\n"))
    }

    fn photograph(&self) -> (Stopped, Case) {
        let case = case_of("warn", Some("pupil-images"));
        (self.stopped(&case.mail_from, &case.rcpt, &case.message()), case)
    }

    fn held(&self) -> Stopped {
        let case = case_of("hold", None);
        self.stopped(&case.mail_from, &case.rcpt, &case.message())
    }

    /// What the page at the notice's link says.
    async fn page(&self, stopped: &Stopped) -> (u16, String) {
        let at = stopped.notice.find("/m/").expect("a link");
        let page = Browser::new(self.desk).get(&stopped.notice[at..at + 25]).await;
        (page.status, page.body)
    }

    /// What RCPT with this address is answered; no error where it is refused.
    fn rcpt(&self, from: &str, to: &str) -> Reply {
        let mut client = self.gateway.client();
        client.ask(&format!("MAIL FROM:<{from}>"), 250).expect("MAIL");
        rcpt(&mut client, to)
    }

    /// Sends these header lines and body as an answer.
    fn answer(&self, from: &str, to: &str, content: &str) -> Reply {
        self.gateway.client().send(from, &[to.to_owned()], content.as_bytes()).expect("it is answered")
    }

    /// A plain answer of the sender.
    fn say(&self, stopped: &Stopped, words: &str) -> Reply {
        self.answer(&stopped.from, &stopped.answer_to, &plain(words))
    }

    /// The letters to this sender about this message, the notice not among them.
    fn letters(&self, stopped: &Stopped) -> Vec<String> {
        let taken = self.sink.settled();
        let letters = taken.iter().filter(|taken| taken.recipients == [stopped.from.as_str()]).map(text_of);
        letters.filter(|text| text.contains(&stopped.id) && *text != stopped.notice).collect()
    }

    fn state(&self, id: &str) -> String {
        let shown = self.gateway.command(&["queue", "show", id, "--json"]);
        let shown =
            if shown.status.success() { shown } else { self.gateway.command(&["quarantine", "show", id, "--json"]) };
        let text = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
        text
    }

    fn audit(&self, id: &str) -> String {
        let lines = self.gateway.command(&["audit", "list", "--message", id, "--json"]);
        String::from_utf8_lossy(&lines.stdout).into_owned()
    }

    fn went_to(&self, recipient: &str) -> Vec<Taken> {
        let mail = |taken: &Taken| !taken.from.is_empty() && taken.recipients.iter().any(|to| to == recipient);
        self.sink.settled().into_iter().filter(mail).collect()
    }

    /// Nothing of references or answers is in log or audit, and the audit's chain holds.
    fn keeps_silent(&self, about: &[&Stopped], words: &[&str]) {
        let verified = self.gateway.command(&["audit", "verify"]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
        let log = self.gateway.log();
        for stopped in about {
            let told = log.clone() + &self.audit(&stopped.id);
            let reference = stopped.answer_to.split(['-', '@']).nth(1).expect("a reference");
            assert!(reference.len() == 32 && !told.contains(reference), "{told}");
            assert!(words.iter().all(|word| !log.contains(word)), "{log}");
        }
    }
}

fn rcpt(client: &mut Client, to: &str) -> Reply {
    client.raw(format!("RCPT TO:<{to}>\r\n").as_bytes()).expect("RCPT");
    client.reply().expect("it is answered")
}

fn case_of(action: &str, rule: Option<&str>) -> Case {
    let fits = |case: &Case| {
        case.action == action && case.rcpt.len() == 1 && case.rules.len() == 1 && rule.is_none_or(|r| case.rules == [r])
    };
    cases().into_iter().find(fits).expect("such a message")
}

fn unmarked(subject: &str) -> Vec<u8> {
    format!(
        "From: David Okafor <{DEPUTY}>\r\nTo: {COUNCIL}\r\n{subject}Message-ID: <u@saltmere.example>\r\n\r\n\
         Lottie Fenn lives at 48 Marram Road, Saltmere.\r\nDate of birth: 8 February 2023.\r\n"
    )
    .into_bytes()
}

/// With the soft line ends of quoted-printable taken out.
fn text_of(taken: &Taken) -> String {
    String::from_utf8_lossy(&taken.content).replace("=\r\n", "").replace("&#x2f;", "/")
}

fn reply_to(text: &str) -> Option<String> {
    let head = text.split("\r\n\r\n").next()?.replace("\r\n ", " ");
    let line = head.lines().find_map(|line| line.strip_prefix("Reply-To: "))?;
    Some(line.trim().trim_matches(['<', '>']).to_owned())
}

fn plain(words: &str) -> String {
    format!("From: <a@b.example>\r\nSubject: Re: NOT SENT\r\n\r\n{words}\r\n")
}

fn of_type(kind: &str, encoding: &str, body: &str) -> String {
    format!(
        "Subject: Re: x\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n"
    )
}

fn alternatives(plain: &str, html: &str) -> String {
    format!(
        "Subject: Re: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{plain}\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
         {html}\r\n--b--\r\n"
    )
}

#[test]
fn each_word_does_what_the_page_does() {
    let school = School::new();

    let marked = school.unmarked();
    for offered in ["CONFIDENTIAL: ", "CANCEL: "] {
        assert_eq!(marked.notice.matches(offered.trim_end_matches(": ")).count(), 2, "{offered} in both parts");
    }
    assert!(!marked.notice.contains("YES"), "which is not possible: {}", marked.notice);
    assert!(marked.answer_to.ends_with("@gate.saltmere.example"), "{}", marked.answer_to);
    let reply = school.say(&marked, "CONFIDENTIAL");
    assert_eq!((reply.code, reply.text().as_str()), (250, "2.0.0 Ok: On its way"));
    let expected = unmarked("Subject: Confidential: Lottie\r\n");
    school.sink.wait("the marked message", |taken| taken.iter().any(|t| relayed(&t.content) == Some(&expected[..])));
    assert!(school.audit(&marked.id).contains("sent_sha256"));

    let (confirmed, case) = school.photograph();
    assert!(confirmed.notice.contains("YES") && !confirmed.notice.contains("CONFIDENTIAL"), "{}", confirmed.notice);
    assert_eq!(school.say(&confirmed, "Yes, this is right because it is the boiler\r\n\r\n> a zebra").code, 250);
    school.sink.wait("the photograph", |taken| taken.iter().any(|t| relayed(&t.content) == Some(&case.message()[..])));
    let audit = school.audit(&confirmed.id);
    assert!(audit.contains("this is right because it is the boiler") && !audit.contains("zebra"), "{audit}");
    // Its twin goes by itself.
    school.gateway.client().send(&case.mail_from, &case.rcpt, &case.message()).expect("taken");
    school.sink.wait("the twin", |taken| {
        taken.iter().filter(|t| relayed(&t.content) == Some(&case.message()[..])).count() == 2
    });

    let (cancelled, held) = (school.unmarked(), school.held());
    for stopped in [&cancelled, &held] {
        assert_eq!(school.say(stopped, "cancel").text(), "2.0.0 Ok: Cancelled");
        assert!(school.state(&stopped.id).contains("discarded"));
    }
    assert!(!held.notice.contains("CONFIDENTIAL") && !held.notice.contains("YES"), "{}", held.notice);

    for (stopped, told) in [
        (&marked, "with Confidential in front of its subject"),
        (&confirmed, "as you wrote it"),
        (&cancelled, "is deleted here"),
        (&held, "is deleted here"),
    ] {
        let letters = school.letters(stopped);
        assert!(letters.len() == 1 && letters[0].contains(told), "{told}: {letters:?}");
        assert!(letters[0].contains("Auto-Submitted: auto-replied") && reply_to(&letters[0]).is_none(), "{letters:?}");
        // Once.
        let again = school.say(stopped, "CANCEL");
        assert_eq!((again.code, again.text().starts_with("5.7.0 Nothing was done")), (550, true), "{again:?}");
        assert_eq!(school.letters(stopped).len(), 1);
    }
    assert_eq!(school.went_to(COUNCIL).len(), 1);
    assert!(school.sink.taken().iter().all(|taken| taken.recipients.iter().all(|to| !to.starts_with("answer"))));
    school.keeps_silent(&[&marked, &confirmed, &cancelled, &held], &["boiler", "zebra"]);
}

/// What mail programs make of a person's word.
#[test]
fn a_first_word_is_found_however_it_is_written() {
    let school = School::new();
    let outlook = "<html><head><style>p{margin:0}</style></head><body lang=EN-GB><div class=WordSection1>\
                   <p class=MsoNormal>Cancel<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p>\
                   <div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'>\
                   <p class=MsoNormal><b>From:</b> schoolgate<br><b>Subject:</b> NOT SENT</p></div>\
                   <p>Begin your answer with YES</p></div></body></html>";
    let gmail = "<div dir=\"ltr\">Cancel.</div><br><div class=\"gmail_quote\"><div dir=\"ltr\">On Fri, 2 Oct 2026 at 16:31, \
                 schoolgate &lt;s@saltmere.example&gt; wrote:<br></div><blockquote class=\"gmail_quote\">YES</blockquote></div>";
    let apple = "<html><body dir=\"auto\">CANCEL<br><br><div dir=\"ltr\">Sent from my iPhone</div><div dir=\"ltr\"><br>\
                 <blockquote type=\"cite\">On 2 Oct 2026, at 16:31, schoolgate wrote:<br></blockquote></div></body></html>";
    let quoted =
        "\r\n\r\nOn Fri, 2 Oct 2026 at 16:31, schoolgate <s@saltmere.example> wrote:\r\n> YOUR MESSAGE\r\n> YES";
    for (form, content) in [
        ("plain", plain("CANCEL")),
        ("lower case, quoted below", plain(&format!("cancel{quoted}"))),
        ("a full stop", plain("Cancel.")),
        ("an exclamation", plain("CANCEL!!!")),
        ("more words", plain("Cancel, please. Wrong address.")),
        ("a dash", plain("Cancel \u{2013} sorry")),
        ("blank lines above", plain("\r\n  \r\n\r\n   Cancel")),
        ("a signature below", plain("Cancel\r\n\r\n-- \r\nDavid Okafor")),
        ("a byte order mark", of_type("text/plain; charset=utf-8", "8bit", "\u{feff}CANCEL")),
        ("quoted-printable", of_type("text/plain; charset=utf-8", "quoted-printable", "=C2=A0=0D=0Acanc=\r\nel=2C thanks")),
        ("base64", of_type("text/plain; charset=utf-8", "base64", "Q2FuY2VsDQoNClRoYW5rcw==")),
        ("flowed", of_type("text/plain; charset=utf-8; format=flowed", "7bit", "Cancel, this went \r\nto nobody")),
        ("UTF-16", of_type("text/plain; charset=utf-16le", "base64", "QwBhAG4AYwBlAGwA")),
        ("Outlook", of_type("text/html; charset=us-ascii", "7bit", outlook)),
        ("Outlook, both", alternatives(
            "Cancel\r\n\r\n________________________________\r\nFrom: schoolgate <s@saltmere.example>\r\nSubject: NOT SENT\r\n\r\nYES",
            outlook,
        )),
        ("Gmail", alternatives(&format!("Cancel.{quoted}"), gmail)),
        ("Apple", alternatives("CANCEL\r\n\r\nSent from my iPhone\r\n\r\n> On 2 Oct 2026, at 16:31, s wrote:\r\n> \r\n> YES", apple)),
        ("Apple, HTML alone", of_type("text/html; charset=utf-8", "7bit", apple)),
        ("an empty alternative", alternatives("", "<p>Cancel</p>")),
        ("an attachment", "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
            Cancel\r\n--b\r\nContent-Type: image/png; name=logo.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--\r\n".to_owned()),
        ("automatic says no", format!("Auto-Submitted: no\r\n{}", plain("Cancel"))),
    ] {
        let stopped = school.unmarked();
        let reply = school.answer(&stopped.from, &stopped.answer_to, &content);
        assert_eq!(reply.text(), "2.0.0 Ok: Cancelled", "{form}");
    }
    // Programs change the case of addresses, and people that of names.
    let stopped = school.unmarked();
    let reply = school.answer(&DEPUTY.to_uppercase(), &stopped.answer_to.to_uppercase(), &plain("CANCEL"));
    assert_eq!(reply.text(), "2.0.0 Ok: Cancelled");
    assert!(school.went_to(COUNCIL).is_empty());
}

/// What is no word, or not the writer's own.
#[test]
fn nothing_but_a_first_word_of_their_own_counts() {
    let school = School::new();
    let (stopped, case) = school.photograph();
    for (form, content) in [
        ("another word", plain("Yesterday I sent you this")),
        ("the word within", plain("Oh yes")),
        ("a question", plain("Yes?")),
        ("a half", plain("Yes-but")),
        ("a choice", plain("YES/CANCEL")),
        ("two words", plain("YES, or rather cancel it")),
        ("three words", plain("CANCEL CONFIDENTIAL YES")),
        ("quoted above", plain("> YES")),
        ("quoted above, and below", plain("On Fri, 2 Oct 2026 at 16:31, s wrote:\r\n> What?\r\n\r\nYES")),
        ("an original above", plain("-----Original Message-----\r\nFrom: a@b.example\r\n\r\nYES")),
        ("below the signature", plain("-- \r\nYES")),
        ("on the second line", plain("Hello,\r\nYES")),
        ("empty", plain("")),
        ("blank", plain(" \r\n\r\n\u{a0}")),
        ("other letters", plain("Y\u{415}S")),
        ("HTML, quoted", of_type("text/html; charset=utf-8", "7bit", "<blockquote>YES</blockquote><p>What?</p>")),
        ("HTML, not shown", of_type("text/html; charset=utf-8", "7bit", "<!-- YES --><p>What?</p>")),
        ("HTML, in a picture's words", of_type("text/html; charset=utf-8", "7bit", "<img alt=\"YES\"><p>What?</p>")),
        ("alternatives that differ", alternatives("YES", "<p>Cancel</p>")),
        ("alternatives, one silent", alternatives("YES", "<p>What is this?</p>")),
        ("as a file", of_type("text/plain; name=yes.txt", "7bit", "YES")),
        ("forwarded", of_type("message/rfc822", "7bit", "Subject: x\r\n\r\nYES")),
        ("in the subject", "Subject: YES\r\n\r\n\r\n".to_owned()),
        ("not for this message", plain("CONFIDENTIAL")),
        ("two subjects and two texts", format!("Subject: a\r\n{}", plain("YES"))),
    ] {
        let reply = school.answer(&stopped.from, &stopped.answer_to, &content);
        assert_eq!(reply.text(), "2.0.0 Ok, nothing was changed", "{form}");
    }
    assert!(school.state(&stopped.id).contains("returned"));
    assert!(school.went_to(&case.rcpt[0]).is_empty());
    // However often they try, one letter tells them what is possible, and they can answer that.
    let letters = school.letters(&stopped);
    assert!(letters.len() == 1 && letters[0].contains("NOTHING WAS CHANGED"), "{letters:?}");
    assert!(letters[0].contains("YES") && letters[0].contains("CANCEL"), "{letters:?}");
    assert!(letters[0].contains("Auto-Submitted: auto-replied"), "{letters:?}");
    let answer_to = reply_to(&letters[0]).expect("where to answer");
    assert_eq!(school.answer(&stopped.from, &answer_to, &plain("Yes")).text(), "2.0.0 Ok: On its way");
    school.sink.wait("the photograph", |taken| taken.iter().any(|t| relayed(&t.content) == Some(&case.message()[..])));
    school.keeps_silent(&[&stopped], &["Yesterday"]);
}

/// Whoever is not the sender, or has no reference to this message, is refused before they say anything, and nobody is written to.
#[test]
fn what_is_forged_or_comes_from_elsewhere_is_refused_and_told_to_nobody() {
    let school = School::new();
    let (one, other) = (school.unmarked(), school.unmarked());
    let before = school.sink.settled().len();
    let (mailbox, domain) = one.answer_to.split_once('@').expect("an address");
    let (id, reference) = mailbox.split_once('-').expect("a reference");
    let others = other.answer_to.split(['-', '@']).nth(1).expect("a reference");
    let last = if reference.ends_with('0') { "1" } else { "0" };
    let forged = [
        format!("{id}-{others}@{domain}"),
        format!("{id}-{}{last}@{domain}", &reference[..31]),
        format!("{id}-{}@{domain}", &reference[..31]),
        format!("{mailbox}0@{domain}"),
        format!("{id}-@{domain}"),
        format!("{id}@{domain}"),
        format!("answer+@{domain}"),
        format!("answer@{domain}"),
        format!("Answer+nonsense@{domain}."),
    ];
    for to in &forged {
        let reply = school.rcpt(DEPUTY, to);
        // The name behind a trailing dot is no address to us.
        assert!(matches!(reply.code, 550 | 501 | 553), "{to}: {reply:?}");
    }
    let replies = ["office@saltmere.example", "d.okafor@elsewhere.example", "", COUNCIL]
        .map(|from| school.rcpt(from, &one.answer_to));
    for reply in replies.iter().chain([&school.rcpt(DEPUTY, &forged[0])]) {
        assert_eq!(
            (reply.code, reply.text().as_str()),
            (550, "5.1.1 There is no such mailbox here"),
            "all look the same"
        );
    }
    assert_eq!(school.sink.settled().len(), before, "nobody is written to");
    for stopped in [&one, &other] {
        assert!(school.state(&stopped.id).contains("returned"));
        assert!(!school.audit(&stopped.id).contains("answer"));
    }
    assert_eq!(school.say(&one, "CANCEL").code, 250);
    assert!(school.state(&other.id).contains("returned"), "the other is another");
    school.keeps_silent(&[&one, &other], &[]);
}

#[test]
fn an_answer_travels_alone() {
    let school = School::new();
    let (one, other) = (school.unmarked(), school.unmarked());
    for (first, second) in [
        (one.answer_to.as_str(), "office@saltmere.example"),
        ("office@saltmere.example", one.answer_to.as_str()),
        (one.answer_to.as_str(), other.answer_to.as_str()),
    ] {
        let mut client = school.gateway.client();
        client.ask(&format!("MAIL FROM:<{DEPUTY}>"), 250).expect("MAIL");
        assert_eq!((rcpt(&mut client, first).code, rcpt(&mut client, second).code), (250, 452));
        client.ask("RSET", 250).expect("RSET");
        // Nothing of it stays behind.
        client.ask(&format!("MAIL FROM:<{DEPUTY}>"), 250).expect("MAIL");
        assert_eq!(rcpt(&mut client, second).code, 250);
    }
    for stopped in [&one, &other] {
        assert_eq!(school.say(stopped, "CANCEL").text(), "2.0.0 Ok: Cancelled");
    }
}

/// Machines that answer everything they get, over twenty rounds.
#[test]
fn automatic_replies_change_nothing_and_make_no_loop() {
    let school = School::new();
    let (stopped, _) = school.photograph();
    let before = school.sink.settled().len();
    for header in [
        "Auto-Submitted: auto-replied",
        "auto-submitted: Auto-Generated; owner=x",
        "Auto-Submitted: auto-notified",
        "Precedence: bulk",
        "Precedence: LIST",
        "Precedence: junk",
        "X-Auto-Response-Suppress: All",
        "X-Autoreply: yes",
        "List-Id: <x.saltmere.example>",
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
    ] {
        let reply = school.answer(&stopped.from, &stopped.answer_to, &format!("{header}\r\n{}", plain("YES")));
        assert_eq!(reply.text(), "2.0.0 Ok, nothing was done: a program wrote this", "{header}");
    }
    // As RFC 3834 asks for.
    assert_eq!(school.rcpt("", &stopped.answer_to).code, 550);
    assert_eq!(school.sink.settled().len(), before);
    // One that says nothing of itself, and answers each letter that it gets.
    let mut answered = Vec::new();
    for round in 0..20 {
        let taken = school.sink.taken();
        for letter in taken.iter().filter(|taken| taken.recipients == [stopped.from.as_str()]).map(text_of) {
            let Some(to) = reply_to(&letter) else { continue };
            let reply = school.answer(&stopped.from, &to, &plain(&format!("I am away, round {round}")));
            assert_eq!(reply.text(), "2.0.0 Ok, nothing was changed");
            answered.push(to);
        }
    }
    assert!(answered.len() >= 20, "{}", answered.len());
    assert_eq!(school.sink.settled().len(), before + 1, "one letter, however often");
    assert!(school.state(&stopped.id).contains("returned"));
    assert!(school.audit(&stopped.id).contains("answer-ignored"));
    school.keeps_silent(&[&stopped], &["I am away"]);
}

/// What came back is kept for its time. After it, neither page nor answer opens it.
#[tokio::test]
async fn what_is_over_is_answered_plainly() {
    let mut school = School::new();
    let (over, kept) = (school.unmarked(), school.unmarked());
    assert_eq!(school.page(&over).await.0, 200);
    assert!(school.gateway.terminate().success());
    let file = school.gateway.store().join("queue.db");
    let mut database = open(&file).await;
    let changed = sqlx::query("update message set kept_until = 1 where id = $1").bind(&over.id).execute(&mut database);
    assert_eq!(changed.await.expect("its row").rows_affected(), 1);
    sqlx::Connection::close(database).await.expect("closed");
    school.gateway.start(&[]);
    let before = school.sink.settled().len();
    let (status, body) = school.page(&over).await;
    assert!(status == 404 && body.contains("There is nothing here"), "{status} {body}");
    for words in ["CONFIDENTIAL", "CANCEL", "What is this?"] {
        let reply = school.say(&over, words);
        assert!(reply.code == 550 && reply.text().contains("is kept no longer"), "{reply:?}");
    }
    assert_eq!(school.sink.settled().len(), before, "nobody is written to");
    assert!(school.state(&over.id).contains("returned"));
    // Another's reference outlives the restart.
    assert_eq!(school.say(&kept, "Cancel").code, 250);
    let (status, used) = school.page(&kept).await;
    assert_eq!((status, used), (404, body), "used and over look the same");
    assert!(school.went_to(COUNCIL).is_empty());
}

/// Of the desk and the sender, one is first; what is done is what was answered.
#[test]
fn of_an_answer_and_a_decision_one_is_first() {
    let school = School::new();
    let mut seeded = Seeded::new();
    let to = case_of("hold", None).rcpt[0].clone();
    let mut won = [0, 0];
    for _ in 0..8 {
        let held = school.held();
        let answer = std::thread::scope(|scope| {
            let desk = scope.spawn(|| {
                school.gateway.command(&["quarantine", "release", &held.id, "--who", "sue", "--why", "asked for"])
            });
            // A command takes a moment to start.
            std::thread::sleep(std::time::Duration::from_millis(seeded.below(30)));
            let answer = school.say(&held, "CANCEL");
            desk.join().expect("the command");
            answer
        });
        let cancelled = answer.code == 250;
        assert!(cancelled || answer.code == 550, "{answer:?}");
        let audit = school.audit(&held.id);
        assert_eq!(audit.matches("\"event\": \"discarded\"").count(), usize::from(cancelled), "{audit}");
        assert_eq!(audit.matches("\"event\": \"released\"").count(), usize::from(!cancelled), "{audit}");
        won[usize::from(cancelled)] += 1;
    }
    println!("the desk was first {} times, the sender {} times", won[0], won[1]);
    assert_eq!(school.went_to(&to).len(), won[0], "what was cancelled never left");
    school.keeps_silent(&[], &[]);
}

/// Killed before it is done, or before it is answered: whoever answers again finds it done once.
#[test]
fn what_was_answered_250_is_done_and_what_was_not_can_be_answered_again() {
    for (fault, again) in [("before-sender", 250), ("before-250", 550)] {
        let mut school = School::new();
        let stopped = school.unmarked();
        assert!(school.gateway.terminate().success());
        school.gateway.start(&[("SCHOOLGATE_FAULT", fault)]);
        let lost = school.gateway.client().send(
            DEPUTY,
            std::slice::from_ref(&stopped.answer_to),
            plain("Confidential").as_bytes(),
        );
        assert!(lost.is_err(), "{fault}: {lost:?}");
        school.gateway.wait_for_exit();
        school.gateway.start(&[]);
        assert_eq!(school.say(&stopped, "Confidential").code, again, "{fault}");
        school.sink.wait("the marked message", |taken| taken.iter().any(|t| t.recipients == [COUNCIL]));
        assert_eq!(school.went_to(COUNCIL).len(), 1, "{fault}");
        assert_eq!(school.letters(&stopped).len(), 1, "{fault}");
        school.keeps_silent(&[&stopped], &[]);
    }
}

async fn open(file: &std::path::Path) -> sqlx::SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    sqlx::ConnectOptions::connect(&options).await.expect("the database")
}
