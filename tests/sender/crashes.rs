//! Killed at every step of what a sender does: afterwards it is done or it is not, and what is not can be done again.

use std::time::{Duration, Instant};

use super::*;
use support::{PATIENCE, header};

/// The points that lie between a form and what it leads to, told by `SCHOOLGATE_FAULT`, in their order.
const FAULTS: &[&str] = &[
    "before-content-write",
    "after-content-write",
    "after-content-sync",
    "before-sender",
    "after-commit",
    "before-send",
    "after-final-dot",
    "after-smarthost-250",
    "before-record",
    "after-record",
];

/// Of these, the points at which nobody can know whether the smarthost has what was sent: it may come once more.
const UNKNOWN: &[&str] = &["after-commit", "after-final-dot", "after-smarthost-250", "before-record"];

/// How often a point is passed at most until what is sent is recorded; each pass dies in a round of its own.
const PASSES: usize = 12;

/// What a sender does, and what it leads to.
struct Act {
    what: &'static str,
    words: &'static str,
    /// Where the message stands then.
    becomes: &'static str,
    /// Who gets what for it.
    to: &'static str,
    /// That is the message itself.
    sends: bool,
}

const ACTS: [Act; 4] = [
    Act { what: "mark", words: "", becomes: "discarded", to: COUNCIL, sends: true },
    Act { what: "confirm", words: "It is the boiler", becomes: "delivered", to: "", sends: true },
    Act { what: "cancel", words: "", becomes: "discarded", to: "", sends: false },
    Act { what: "wrong", words: "The council asked", becomes: "held", to: SBM, sends: false },
];

impl Act {
    /// Its way leads by this point, whenever else it is passed.
    fn passes(&self, fault: &str) -> bool {
        match fault {
            "before-sender" | "after-commit" => true,
            "before-content-write" | "after-content-write" | "after-content-sync" => {
                matches!(self.what, "mark" | "wrong")
            }
            _ => self.what != "cancel",
        }
    }
}

impl School {
    /// Whether it dies before all is done and quiet.
    fn dies(&mut self, done: impl Fn(&[Taken]) -> bool) -> bool {
        let until = Instant::now() + PATIENCE;
        while self.gateway.running() && !done(&self.sink.taken()) {
            assert!(Instant::now() < until, "it lives and does nothing\n{}", self.gateway.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.sink.settled();
        !self.gateway.running()
    }

    /// Where a message stands.
    fn state(&self, id: &str) -> String {
        let shown = self.gateway.command(&["queue", "show", id, "--json"]);
        let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
        shown["state"].as_str().unwrap_or_default().to_owned()
    }

    /// Posts the form as it stands on the page; `None` where the answer does not come any more.
    async fn try_to(&self, path: &str, act: &Act) -> Option<u16> {
        let mut browser = self.browser();
        let (path, what, words) = (path.to_owned(), act.what, act.words);
        // What is cut off is a panic of the browser's.
        let asked = tokio::spawn(async move {
            let page = browser.get(&path).await;
            assert_eq!(page.status, 200);
            let form = [("token", page.field("token")), ("what", what.into()), ("words", words.into())];
            let mut form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            form.push(("sure", "yes"));
            browser.send("POST", &path, &form).await.status
        });
        asked.await.ok().filter(|status| *status != 0)
    }
}

/// A message of this number, which comes back and may be put right by this act.
fn message(act: &Act, number: usize) -> (String, Vec<String>, Vec<u8>) {
    if act.what == "confirm" {
        let case = photograph();
        let text = String::from_utf8(case.message()).expect("ASCII");
        let id = header(text.as_bytes(), "Message-ID").expect("a Message-ID");
        return (case.mail_from, case.rcpt, text.replacen(&id, &format!("<{number}.k@x.example>"), 1).into_bytes());
    }
    let text = String::from_utf8(unmarked("Subject: Lottie\r\n")).expect("ASCII");
    let text = text.replacen("<u@", &format!("<{number}.k@"), 1);
    (DEPUTY.to_owned(), vec![COUNCIL.to_owned()], text.into_bytes())
}

/// How often what the act leads to has come for this message.
fn came(taken: &[Taken], act: &Act, stopped: &Stopped, number: usize) -> usize {
    let is_it = |taken: &&Taken| match act.sends {
        true => header(&taken.content, "Message-ID").is_some_and(|id| id.starts_with(&format!("<{number}.k@"))),
        false => taken.recipients == [act.to] && text_of(taken).contains(&stopped.id),
    };
    taken.iter().filter(|taken| !act.sends || !taken.from.is_empty()).filter(is_it).count()
}

/// What came of the message itself is what the act sends, whole, and never the other form of it.
fn is_right(taken: &[Taken], act: &Act, number: usize, content: &[u8]) {
    for copy in taken.iter().filter(|taken| !taken.from.is_empty()) {
        if !header(&copy.content, "Message-ID").is_some_and(|id| id.starts_with(&format!("<{number}.k@"))) {
            continue;
        }
        assert!(act.sends, "{} sends nothing", act.what);
        let text = String::from_utf8_lossy(content).into_owned();
        let sent = if act.what == "mark" { text.replacen("Subject: ", "Subject: Confidential: ", 1) } else { text };
        assert_eq!(relayed(&copy.content), Some(sent.as_bytes()), "message {number} after {}", act.what);
    }
}

async fn killed_at_every_step(act: &Act) {
    let leads_to = usize::from(act.sends || !act.to.is_empty());
    let (mut number, mut died) = (0, Vec::new());
    for &fault in FAULTS {
        for pass in 1..=PASSES {
            number += 1;
            let what = format!("{} at {fault}:{pass}", act.what);
            // One of its own for each: what was confirmed once is not asked about again.
            let mut school = School::new();
            let (from, to, content) = message(act, number);
            let stopped = school.stopped(&from, &to, &content);
            school.gateway.terminate();
            // Some points are passed while it starts, too.
            if school.gateway.try_start(&[("SCHOOLGATE_FAULT", &format!("{fault}:{pass}"))]).is_err() {
                school.gateway.start(&[]);
                continue;
            }
            let answer = school.try_to(&stopped.path, act).await;
            assert!(answer.is_none_or(|status| status == 200), "{what}: {answer:?}");
            let dead = school.dies(|taken| came(taken, act, &stopped, number) >= leads_to);
            if !dead {
                assert_eq!(answer, Some(200), "{what}: it lives and does not answer");
                school.gateway.terminate();
            }
            school.gateway.start(&[]);
            if school.state(&stopped.id) == "returned" {
                assert_eq!(answer, None, "{what}: what was answered is not undone");
                // Nothing came of it, and the sender may try again.
                assert_eq!(came(&school.sink.settled(), act, &stopped, number), 0, "{what}: both are there");
                assert_eq!(school.try_to(&stopped.path, act).await, Some(200), "{what}: it can be done again");
            }
            school.sink.wait(&what, |taken| came(taken, act, &stopped, number) >= leads_to);
            let taken = school.sink.settled();
            let most = leads_to + usize::from(UNKNOWN.contains(&fault));
            assert!(came(&taken, act, &stopped, number) <= most, "{what}: it came too often");
            is_right(&taken, act, number, &content);
            assert_eq!(school.state(&stopped.id), act.becomes, "{what}");
            school.audit_holds();
            if !dead {
                break;
            }
            died.push(format!("{fault}:{pass}"));
            assert!(pass < PASSES, "{what}: there is no end of it");
        }
    }
    println!("{}: it died at {}", act.what, died.join(" "));
    let passed = FAULTS.iter().filter(|fault| act.passes(fault));
    for fault in passed {
        assert!(died.iter().any(|at| at.starts_with(fault)), "{fault} was never passed: {died:?}");
    }
}

/// Relay checklist, row 128.
#[tokio::test]
async fn killed_while_it_is_marked_exactly_one_of_old_and_new_is_there() {
    killed_at_every_step(&ACTS[0]).await;
}

#[tokio::test]
async fn killed_while_it_is_confirmed_it_goes_or_can_be_confirmed_again() {
    killed_at_every_step(&ACTS[1]).await;
}

#[tokio::test]
async fn killed_while_it_is_cancelled_it_is_gone_or_there() {
    killed_at_every_step(&ACTS[2]).await;
}

/// Relay checklist, row 136.
#[tokio::test]
async fn killed_while_it_is_handed_over_who_decides_is_told_or_it_is_still_there() {
    killed_at_every_step(&ACTS[3]).await;
}
