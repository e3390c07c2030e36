//! Mail that waits before it leaves, over the real gateway: its sender is told, takes it back or sends it now by page or answer, and
//! nothing is lost, early or doubled.
//!
//! The school of each test is closed, or its senders look a second time, whatever the hour at which it runs: times themselves are shown
//! on a clock of their own by `src/store/tests/wait.rs`.

mod support;

use std::net::SocketAddr;
use std::time::Instant;

use jiff::ToSpan;
use sqlx::Connection;
use support::desk::{Answer, Browser};
use support::{Gateway, PATIENCE, Reply, Sink, Taken, cases_of, free_port, id_of, relayed};

/// The caretaker, who is no exception to anything.
const CARETAKER: &str = "k.orrin@kestrelmoor.example";
/// Permitted to write to parents, at Saxon Wood too.
const COORDINATOR: &str = "r.vaughan@kestrelmoor.example";
const FIRM: &str = "bookings@heronlakes.example";
const PARENT: &str = "sophie.tarrant.sluice@gmail.com";

fn is(taken: &[u8], content: &[u8]) -> bool {
    relayed(taken).is_some_and(|got| got.starts_with(content))
}

/// A gateway, with or without a desk, and the sink behind it.
struct School {
    gateway: Gateway,
    sink: Sink,
    desk: Option<SocketAddr>,
}

/// A message that waits, as the note to its sender tells of it.
struct Waiting {
    id: String,
    from: &'static str,
    content: Vec<u8>,
    note: String,
}

impl School {
    /// Of this pack; closed, where that has opening hours.
    fn new(pack: &str, with_desk: bool) -> Self {
        let sink = Sink::start();
        let mut gateway = Gateway::of(&format!("schools/{pack}"), sink.port);
        let port = free_port();
        if with_desk {
            gateway.set("review", "listen", format!("127.0.0.1:{port}"));
            gateway.set("review", "public_url", format!("http://127.0.0.1:{port}"));
        }
        if pack == "saxon-wood" {
            // Closed today and for some days to come.
            let day = |days: i32| jiff::Zoned::now().date().saturating_add(days.days());
            gateway.set("review", "holidays", vec![format!("{} to {}", day(-2), day(5))]);
        }
        gateway.start(&[]);
        let desk = with_desk.then(|| SocketAddr::from(([127, 0, 0, 1], port)));
        Self { gateway, sink, desk }
    }

    fn send(&self, from: &str, to: &str, subject: &str) -> (String, Vec<u8>) {
        let content = mail(from, to, subject);
        (id_of(&self.gateway.client().send(from, &[to.to_owned()], &content).expect("taken")), content)
    }

    /// Sends what waits, and reads the note to its sender.
    fn waiting(&self, from: &'static str, to: &str, subject: &str) -> Waiting {
        let (id, content) = self.send(from, to, subject);
        let note = self.letter(from, &id, "NOT YET SENT");
        Waiting { id, from, content, note }
    }

    /// The one letter to this mailbox about this message whose subject has these words.
    fn letter(&self, to: &str, id: &str, words: &str) -> String {
        let is_it = |taken: &&Taken| {
            let text = text_of(taken);
            taken.recipients == [to] && text.contains(&format!("Reference: {id}")) && text.contains(words)
        };
        let taken = self.sink.wait(words, |taken| taken.iter().filter(is_it).count() == 1);
        text_of(taken.iter().find(is_it).expect("the letter"))
    }

    async fn page(&self, path: &str) -> Answer {
        Browser::new(self.desk.expect("a desk")).get(path).await
    }

    /// What a person does: the form as it stands on the page, its box ticked.
    async fn act(&self, path: &str, what: &str, words: &str) -> Answer {
        let mut browser = Browser::new(self.desk.expect("a desk"));
        let token = browser.get(path).await.field("token");
        browser.send("POST", path, &[("token", &token), ("what", what), ("words", words), ("sure", "yes")]).await
    }

    fn answer(&self, waiting: &Waiting, words: &str) -> Reply {
        let content = format!("From: <{}>\r\nSubject: Re: NOT YET SENT\r\n\r\n{words}\r\n", waiting.from);
        let to = reply_to(&waiting.note).expect("where to answer");
        self.gateway.client().send(waiting.from, &[to], content.as_bytes()).expect("it is answered")
    }

    /// How often these bytes have left.
    /// How often it left; the pack's words may stand below it.
    fn left(&self, content: &[u8]) -> usize {
        self.sink.settled().iter().filter(|taken| is(&taken.content, content)).count()
    }

    fn arrives(&self, content: &[u8]) {
        self.sink.wait("the message", |taken| taken.iter().any(|taken| is(&taken.content, content)));
        assert_eq!(self.left(content), 1, "once");
    }

    fn shown(&self, id: &str) -> serde_json::Value {
        let output = self.gateway.command(&["queue", "show", id, "--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    fn state(&self, id: &str, wanted: &str) {
        let until = Instant::now() + PATIENCE;
        while self.shown(id)["state"] != wanted {
            assert!(Instant::now() < until, "{id} is not {wanted}: {}", self.shown(id));
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// The audit of a message; its chain holds.
    fn audit(&self, id: &str) -> String {
        let verified = self.gateway.command(&["audit", "verify"]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
        let lines = self.gateway.command(&["audit", "list", "--message", id, "--json"]);
        String::from_utf8_lossy(&lines.stdout).into_owned()
    }

    /// The time of all that waits is over, as the clock would have it.
    async fn time_is_over(&self) {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.gateway.store().join("queue.db"));
        let mut store = sqlx::SqliteConnection::connect_with(&options).await.expect("the store");
        let now = jiff::Timestamp::now().as_microsecond();
        let set = sqlx::query(
            "update message set leaves_at = $1, second_look_until = $1, next_due = $1, waits_since = $1 \
             where leaves_at is not null and state = 'queued'",
        );
        assert_eq!(set.bind(now).execute(&mut store).await.expect("set").rows_affected(), 1);
        store.close().await.expect("closed");
    }
}

fn mail(from: &str, to: &str, subject: &str) -> Vec<u8> {
    format!(
        "From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nMessage-ID: <{}@kestrelmoor.example>\r\n\r\n\
         The hall is free on Friday from four o'clock.\r\n",
        subject.replace(' ', "-")
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

fn path_of(waiting: &Waiting) -> &str {
    let at = waiting.note.find("/m/").expect("a link");
    &waiting.note[at..at + 25]
}

#[tokio::test]
async fn a_second_look_is_told_of_and_its_sender_cancels_it_or_sends_it_once() {
    let school = School::new("woodsetton", true);
    let waiting: Vec<Waiting> = ["by page", "sent by page", "by answer", "sent by answer"]
        .into_iter()
        .map(|subject| school.waiting(CARETAKER, FIRM, subject))
        .collect();
    let [cancelled, sent, cancelled_by_answer, sent_by_answer] = &waiting[..] else { unreachable!("four") };
    for one in &waiting {
        for said in [FIRM, "CANCEL", "SEND", "take it back"] {
            assert!(one.note.contains(said), "{said}: {}", one.note);
        }
        assert_eq!(school.left(&one.content), 0, "not yet");
        assert!(school.shown(&one.id)["leaves"]["second_look_until"].is_string(), "{}", school.shown(&one.id));
    }
    // Another try does not let it go early.
    school.gateway.command(&["queue", "retry", &sent.id]);
    let page = school.page(path_of(sent)).await;
    assert!(page.status == 200 && page.body.contains("Your message has not left yet"), "{}", page.body);
    assert_eq!(school.left(&sent.content), 0, "neither a look at the page nor another try sends it");

    let answer = school.act(path_of(cancelled), "cancel", "").await;
    assert!(answer.status == 200 && answer.body.contains("Cancelled"), "{}", answer.body);
    let answer = school.act(path_of(sent), "send-now", "").await;
    assert!(answer.status == 200 && answer.body.contains("On its way"), "{}", answer.body);
    let reply = school.answer(cancelled_by_answer, "CANCEL");
    assert_eq!((reply.code, reply.text().contains("Cancelled")), (250, true), "{}", reply.text());
    let reply = school.answer(sent_by_answer, "Send");
    assert_eq!((reply.code, reply.text().contains("On its way")), (250, true), "{}", reply.text());

    for one in [sent, sent_by_answer] {
        school.arrives(&one.content);
        school.state(&one.id, "delivered");
        // It has left: nothing takes it back, and nothing sends it again.
        assert_eq!(school.answer(one, "CANCEL").code, 550);
        assert_eq!(school.answer(one, "SEND").code, 550);
        let page = school.page(path_of(one)).await;
        assert!([404, 410].contains(&page.status), "{} {}", page.status, page.body);
        assert!(school.audit(&one.id).contains("\"waits\""), "{}", school.audit(&one.id));
    }
    for one in [cancelled, cancelled_by_answer] {
        assert_eq!(school.left(&one.content), 0, "cancelled");
        assert_eq!(school.answer(one, "SEND").code, 550);
        assert_eq!(school.page(path_of(one)).await.status, 404);
        school.audit(&one.id);
    }
    assert_eq!(school.left(&sent.content) + school.left(&sent_by_answer.content), 2, "each once");
}

#[tokio::test]
async fn what_waits_is_neither_lost_nor_early_nor_doubled_by_a_kill() {
    let mut school = School::new("woodsetton", true);
    let waiting = school.waiting(CARETAKER, FIRM, "the hall");
    school.gateway.kill();
    school.gateway.start(&[]);
    assert_eq!(school.left(&waiting.content), 0, "not early");
    assert_eq!(school.page(path_of(&waiting)).await.status, 200, "its link still opens it");
    school.gateway.kill();
    school.time_is_over().await;
    school.gateway.start(&[]);
    school.arrives(&waiting.content);
    school.state(&waiting.id, "delivered");
    school.gateway.kill();
    school.gateway.start(&[]);
    assert_eq!(school.left(&waiting.content), 1, "not twice");
    school.audit(&waiting.id);
}

#[test]
fn without_a_desk_the_note_says_how_to_answer() {
    let school = School::new("woodsetton", false);
    let waiting = school.waiting(CARETAKER, FIRM, "the hall");
    assert!(!waiting.note.contains("/m/"), "{}", waiting.note);
    assert!(waiting.note.contains("CANCEL") && waiting.note.contains("SEND"), "{}", waiting.note);
    // What stays inside, and what comes back or is held, is told of by no such note.
    let (inside, content) = school.send(CARETAKER, "year6@kestrelmoor.example", "inside");
    school.arrives(&content);
    school.state(&inside, "delivered");
    assert_eq!(school.answer(&waiting, "CANCEL").code, 250);
    assert_eq!(school.left(&waiting.content), 0, "cancelled");
}

#[test]
fn whom_the_school_leaves_out_does_not_wait() {
    let sink = Sink::start();
    let mut gateway = Gateway::of("schools/woodsetton", sink.port);
    let permitted = toml::Table::from_iter([("second-look".to_owned(), toml::Value::from(vec![CARETAKER.to_owned()]))]);
    gateway.set("policy", "permitted", permitted);
    gateway.start(&[]);
    let school = School { gateway, sink, desk: None };
    let (id, content) = school.send(CARETAKER, FIRM, "the hall");
    school.arrives(&content);
    school.state(&id, "delivered");
    school.waiting(COORDINATOR, FIRM, "the other hall");
}

#[tokio::test]
async fn routine_mail_to_parents_waits_for_the_school_to_open_and_urgent_mail_does_not() {
    let school = School::new("saxon-wood", true);
    // What does not go to parents leaves at once.
    let (id, content) = school.send(COORDINATOR, FIRM, "the hall");
    school.arrives(&content);
    school.state(&id, "delivered");
    let (id, content) = school.send(COORDINATOR, PARENT, "Urgent the hall");
    school.arrives(&content);
    school.state(&id, "delivered");

    let waiting = school.waiting(COORDINATOR, PARENT, "the hall is free");
    assert!(waiting.note.contains("the school opens"), "{}", waiting.note);
    assert!(school.shown(&waiting.id)["leaves"]["opens_at"].is_string());
    assert_eq!(school.left(&waiting.content), 0, "the school is closed");
    // Without a word of why it stays.
    assert_eq!(school.act(path_of(&waiting), "urgent", " ").await.status, 422);
    assert_eq!(school.act(path_of(&waiting), "send-now", "").await.status, 422);
    assert_eq!(school.left(&waiting.content), 0, "no reason was given");
    let answer = school.act(path_of(&waiting), "urgent", "The boiler has burst").await;
    assert!(answer.status == 200 && answer.body.contains("On its way"), "{}", answer.body);
    school.arrives(&waiting.content);
    school.state(&waiting.id, "delivered");
    assert!(school.audit(&waiting.id).contains("The boiler has burst"), "why is in the audit");
    assert!(!school.gateway.log().contains("boiler"), "and in no log");
}

#[test]
fn a_reload_by_which_the_school_is_open_lets_go_what_waits_once() {
    let school = School::new("saxon-wood", true);
    let waiting = school.waiting(COORDINATOR, PARENT, "the hall is free");
    assert_eq!(school.left(&waiting.content), 0, "the school is closed");
    let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    school.gateway.set("review", "holidays", Vec::<String>::new());
    school.gateway.set("review", "school_days", days.map(str::to_owned).to_vec());
    school.gateway.set("review", "school_hours", "00:00-23:59");
    school.gateway.signal("-HUP");
    school.arrives(&waiting.content);
    school.state(&waiting.id, "delivered");
    assert!(school.audit(&waiting.id).contains("the school opens earlier than before"), "why is in the audit");
}

/// Saxon Wood holds what goes to parents from a person's own address.
#[test]
fn what_is_released_while_the_school_is_closed_waits_and_its_sender_hears_until_when() {
    let school = School::new("saxon-wood", true);
    let (id, content) = school.send(CARETAKER, PARENT, "the hall");
    school.state(&id, "held");
    let released = school.gateway.command(&["quarantine", "release", &id, "--who", "sue", "--why", "asked for"]);
    assert!(released.status.success(), "{}", String::from_utf8_lossy(&released.stderr));
    let letter = school.letter(CARETAKER, &id, "let go by");
    assert!(letter.contains("when the school opens") && !letter.contains("on its way"), "{letter}");
    assert_eq!(school.left(&content), 0, "the school is closed");
    assert!(school.shown(&id)["leaves"]["opens_at"].is_string(), "{}", school.shown(&id));
}

#[test]
fn what_is_held_and_released_has_no_second_look() {
    let school = School::new("woodsetton", false);
    let content = String::from_utf8(mail(CARETAKER, FIRM, "the hall")).expect("ASCII");
    let content = content.replace("The hall is free", "The hall, you stupid cunt, is free").into_bytes();
    let id = id_of(&school.gateway.client().send(CARETAKER, &[FIRM.to_owned()], &content).expect("taken"));
    school.state(&id, "held");
    let released = school.gateway.command(&["quarantine", "release", &id, "--who", "sue", "--why", "asked for"]);
    assert!(released.status.success(), "{}", String::from_utf8_lossy(&released.stderr));
    school.arrives(&content);
    school.state(&id, "delivered");
    let letter = school.letter(CARETAKER, &id, "let go by");
    assert!(letter.contains("on its way"), "{letter}");
}

/// A rule that has something done with mail that goes stops nobody from putting right what came back.
#[tokio::test]
async fn what_came_back_is_confirmed_by_its_sender_and_has_no_second_look() {
    let school = School::new("woodsetton", true);
    let case = cases_of("schools/woodsetton").into_iter().find(|case| case.id == "ws-02-breaks").expect("the message");
    let (from, to, content) = (&case.mail_from, &case.rcpt, case.message());
    let id = id_of(&school.gateway.client().send(from, to, &content).expect("taken"));
    let note = school.letter(from, &id, "NOT SENT");
    let came_back = Waiting { id, from: CARETAKER, content, note };
    let page = school.page(path_of(&came_back)).await;
    assert!(page.body.contains("This is right, because") && !page.body.contains("<li></li>"), "{}", page.body);
    let answer = school.act(path_of(&came_back), "confirm", "The caretaker is away").await;
    assert!(answer.status == 200 && answer.body.contains("On its way"), "{}", answer.body);
    school.arrives(&came_back.content);
    school.state(&came_back.id, "delivered");
}
