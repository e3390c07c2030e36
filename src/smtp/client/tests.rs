//! The client against answers by script and by chance, without a socket.

mod sign_in;

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::limits;
use crate::smtp::Address;
use crate::smtp::dsn::{EnvelopeId, Notify, OfMessage, OfRecipient, OriginalRecipient, Ret};

fn way(tls: StartTls) -> Way {
    Way { hostname: "gate.school.example".into(), tls, sign_in: None }
}

fn mail(recipients: &[&str], content: &[u8]) -> Mail {
    Mail {
        from: Some(Address::parse("amy@school.example").unwrap()),
        recipients: recipients.iter().map(|a| Address::parse(a).unwrap()).collect(),
        content: Body(Arc::from(content)),
        smtputf8: false,
        reports: OfMessage::default(),
        asked: Vec::new(),
    }
}

const PLAIN: &[u8] = b"Subject: s\r\n\r\n.x\r\n";

/// A client whose caller does what it is told, and writes that down.
struct Talk {
    client: Client,
    /// Everything written, secrets too.
    written: Vec<u8>,
    writes: usize,
    /// What TLS is worth once it was begun.
    worth: Under,
    handshakes: usize,
    /// What proves the account, the first at the end.
    proofs: Vec<&'static str>,
    asked: Vec<Proof>,
    /// Something secret was written, and under what.
    told: Vec<Under>,
    dots: usize,
    ends: Vec<Action>,
}

impl Talk {
    fn new(way: Way, under: Under) -> Self {
        Self {
            client: Client::new(way, under),
            written: Vec::new(),
            writes: 0,
            worth: Under::CheckedTls,
            handshakes: 0,
            proofs: Vec::new(),
            asked: Vec::new(),
            told: Vec::new(),
            dots: 0,
            ends: Vec::new(),
        }
    }

    /// Greeted in clear by a server with these offers.
    fn greeted(offers: &str) -> Self {
        let mut talk = Self::new(way(StartTls::Never), Under::Nothing);
        talk.hears("220 mx\r\n", 1);
        talk.hears(format!("250-mx\r\n{offers}250 HELP\r\n"), 1);
        assert_eq!(talk.ends, [Action::Ready]);
        (talk.ends, talk.written, talk.writes) = (Vec::new(), Vec::new(), 0);
        talk
    }

    /// Takes octets in pieces; gives what was written meanwhile.
    fn hears(&mut self, said: impl AsRef<[u8]>, piece: usize) -> String {
        let before = self.written.len();
        for piece in said.as_ref().chunks(piece) {
            let mut actions = Vec::new();
            self.client.receive(piece, &mut actions);
            self.act(actions);
        }
        String::from_utf8_lossy(&self.written[before..]).into_owned()
    }

    fn sends(&mut self, mail: Mail) -> String {
        let before = self.written.len();
        let mut actions = Vec::new();
        self.client.send(mail, &mut actions);
        self.act(actions);
        String::from_utf8_lossy(&self.written[before..]).into_owned()
    }

    /// In seconds.
    fn patience(&self) -> u64 {
        self.client.patience(&Waits::default()).as_secs()
    }

    fn ends(&mut self) {
        let mut actions = Vec::new();
        self.client.ended(&mut actions);
        self.act(actions);
    }

    fn act(&mut self, mut actions: Vec<Action>) {
        while !actions.is_empty() {
            let mut next = Vec::new();
            for action in actions {
                match action {
                    Action::Write(bytes) => {
                        self.written.extend(bytes);
                        self.writes += 1;
                    }
                    Action::Secret(secret) => {
                        self.told.push(self.client.under);
                        self.written.extend(secret.0.iter());
                    }
                    Action::Content(body) => {
                        let (stuffed, end) = body.on_the_wire();
                        self.written.extend(&*stuffed);
                        self.client.dot_leaves();
                        self.dots += 1;
                        self.written.extend(end);
                    }
                    Action::BeginTls => {
                        self.handshakes += 1;
                        self.client.secured(self.worth, &mut next);
                    }
                    Action::Prove(wanted) => {
                        self.asked.push(wanted);
                        match self.proofs.pop() {
                            Some(proof) => self.client.prove(&proof.to_owned().into(), &mut next),
                            None => self.client.cannot_prove("there is none", &mut next),
                        }
                    }
                    end => self.ends.push(end),
                }
            }
            actions = next;
        }
    }

    fn done(&self) -> &Done {
        match self.ends.as_slice() {
            [Action::Done(done), ..] => done,
            other => panic!("{other:?}"),
        }
    }
}

fn deferred(text: &str) -> Fate {
    Fate::Deferred(text.to_owned())
}

fn failed(text: &str) -> Fate {
    Fate::Failed(text.to_owned())
}

#[test]
fn each_step_is_one_write_and_with_pipelining_the_envelope_is_one() {
    let mut talk = Talk::greeted("");
    assert_eq!(talk.sends(mail(&["a@b.example", "c@b.example"], PLAIN)), "MAIL FROM:<amy@school.example>\r\n");
    assert_eq!(talk.hears("250\r\n", 1), "RCPT TO:<a@b.example>\r\n");
    assert_eq!(talk.hears("550 5.1.1 no\r\n", 1), "RCPT TO:<c@b.example>\r\n");
    assert_eq!(talk.hears("250 ok\r\n", 1), "DATA\r\n");
    assert_eq!(talk.hears("354\r\n", 1), "Subject: s\r\n\r\n..x\r\n.\r\n");
    talk.hears("250 2.0.0 taken\r\n", 1);
    let taken = Fate::Delivered("250 2.0.0 taken".to_owned());
    assert_eq!(talk.done().fates, [failed("550 5.1.1 no"), taken]);
    assert!(talk.done().reusable && talk.client.is_ready());

    let mut talk = Talk::greeted("250-PIPELINING\r\n250-SIZE 1000\r\n");
    let said = talk.sends(mail(&["a@b.example", "c@b.example"], PLAIN));
    let wanted = "MAIL FROM:<amy@school.example> SIZE=18\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<c@b.example>\r\nDATA\r\n";
    assert_eq!((said.as_str(), talk.writes), (wanted, 1));
    assert_eq!(talk.hears("250\r\n550 no\r\n450 later\r\n354 go\r\n", 100), ".\r\n", "row 88: a lone dot");
    talk.hears("554 5.5.1 no valid recipients\r\n", 100);
    assert_eq!(talk.done().fates, [failed("550 no"), deferred("450 later")]);
}

/// Rows 81, 82, 85, 86, 88: what is said at each step, and what becomes of two recipients.
#[test]
fn what_becomes_of_each_recipient() {
    let two = |fate: Fate| vec![fate.clone(), fate];
    let ok = || Fate::Delivered("250 taken".to_owned());
    let gone = "the connection was lost: it was closed";
    // Answers in turn, without and with PIPELINING; `.` closes. Then the fates, reusable, trouble.
    type Row = (&'static str, &'static str, Vec<Fate>, bool, bool);
    let table: Vec<Row> = vec![
        ("250 250 250 354 taken", "250 250 250 354 taken", two(ok()), true, false),
        ("250 450 250 354 taken", "250 450 250 354 taken", vec![deferred("450"), ok()], true, false),
        ("250 250 550 354 taken", "250 250 550 354 taken", vec![ok(), failed("550")], true, false),
        ("450", "450 503 503 503 250", two(deferred("450")), true, false),
        ("550", "550 503 503 503 250", two(failed("550")), true, false),
        ("550", "550 250 250 354 250", two(failed("550")), true, false),
        ("250 550 450 250", "250 550 450 554 250", vec![failed("550"), deferred("450")], true, false),
        ("250 550 450 550", "250 550 450 554 550", vec![failed("550"), deferred("450")], false, false),
        ("250 250 250 550 250", "250 250 250 550 250", two(failed("550")), true, false),
        ("250 250 250 451 250", "250 250 250 451 250", two(deferred("451")), true, false),
        ("250 250 250 250 250", "250 250 250 250 250", two(deferred("250")), true, false),
        ("250 250 250 354 550", "250 250 250 354 550", two(failed("550")), true, false),
        ("250 250 250 354 452", "250 250 250 354 452", two(deferred("452")), true, false),
        ("250 250 250 354 354", "250 250 250 354 354", two(deferred("354")), true, false),
        ("250 250 250 354 .", "250 250 250 354 .", two(Fate::Unknown), false, false),
        ("250 250 250 .", "250 250 250 .", two(deferred(gone)), false, false),
        ("250 550 .", "250 550 .", vec![failed("550"), deferred(gone)], false, false),
        (".", ".", two(deferred(gone)), false, false),
        ("550", "550 .", two(failed("550")), true, false),
        ("530", "530 503 503 503 250", two(deferred("530")), false, true),
        ("421", "421 .", two(deferred("421")), false, true),
        ("250 421 .", "250 421 .", vec![deferred("421"), deferred(gone)], false, true),
        ("250 250 250 354 421", "250 250 250 354 421", two(deferred("421")), false, true),
    ];
    for (single, group, fates, reusable, trouble) in table {
        for (offers, script) in [("", single), ("250-PIPELINING\r\n", group)] {
            for piece in [1, 2, 7, 1_000] {
                let mut talk = Talk::greeted(offers);
                talk.sends(mail(&["a@b.example", "c@b.example"], PLAIN));
                for word in script.split(' ') {
                    match word {
                        "." => talk.ends(),
                        "taken" => drop(talk.hears("250 taken\r\n", piece)),
                        code => drop(talk.hears(format!("{code}\r\n"), piece)),
                    }
                }
                let name = format!("{offers:?} {script}");
                assert_eq!(talk.done().fates, fates, "{name}");
                // A connection that is closed for good is of no use, whatever was refused before.
                let reusable = reusable && !script.ends_with('.');
                assert_eq!(talk.done().reusable, reusable, "{name}");
                assert_eq!(talk.done().trouble.is_some(), trouble, "{name}");
                assert_eq!(talk.done().stale, script == ".", "{name}");
                assert_eq!(talk.client.is_ready(), reusable, "{name}");
            }
        }
    }
}

/// Relay checklist, rows 90 and 91.
#[test]
fn what_the_server_does_not_offer_is_not_said() {
    let zoe = "Subject: s\r\n\r\nZoë\r\n".as_bytes();
    let header = "Subject: Zoë\r\n\r\nx\r\n".as_bytes();
    let bytes = |smtputf8, content: &'static [u8], to: &'static str| Mail { smtputf8, ..mail(&[to], content) };
    for (offers, mail, said, refused) in [
        ("", bytes(false, zoe, "a@b.example"), "", "554 5.6.3"),
        ("250-8BITMIME\r\n", bytes(false, zoe, "a@b.example"), " BODY=8BITMIME", ""),
        ("250-8BITMIME\r\n", bytes(true, header, "a@b.example"), "", "553 5.6.7"),
        ("250-8BITMIME\r\n250-SMTPUTF8\r\n", bytes(true, header, "a@b.example"), " BODY=8BITMIME SMTPUTF8", ""),
        ("", bytes(false, PLAIN, "zoë@b.example"), "", "553 5.6.7"),
        ("250-SMTPUTF8\r\n", bytes(false, PLAIN, "zoë@b.example"), " SMTPUTF8", ""),
        ("250-SIZE 17\r\n", bytes(false, PLAIN, "a@b.example"), "", "552 5.3.4"),
        ("250-SIZE 18\r\n", bytes(false, PLAIN, "a@b.example"), " SIZE=18", ""),
        ("250-SIZE\r\n", bytes(false, PLAIN, "a@b.example"), " SIZE=18", ""),
    ] {
        let mut talk = Talk::greeted(offers);
        let line = talk.sends(mail);
        if refused.is_empty() {
            assert_eq!(line, format!("MAIL FROM:<amy@school.example>{said}\r\n"), "{offers}");
        } else {
            assert_eq!(line, "", "{offers}");
            let [Fate::Failed(reply)] = &talk.done().fates[..] else { panic!("{:?}", talk.done()) };
            assert!(reply.starts_with(refused) && talk.client.is_ready(), "{reply}");
        }
    }
}

// Relay checklist, row 105.
#[test]
fn what_is_asked_of_reports_is_said_where_dsn_is_offered() {
    let asked = |notify: &str, original: &str| OfRecipient {
        notify: Notify::parse(notify),
        original: OriginalRecipient::parse(original),
    };
    let mail = || Mail {
        reports: OfMessage { ret: Some(Ret::Full), id: EnvelopeId::parse("Q+2B1") },
        asked: vec![asked("NEVER", ""), asked("SUCCESS,DELAY", "utf-8;c\u{f8}@b.example")],
        ..mail(&["a@b.example", "c@b.example", "d@b.example"], PLAIN)
    };
    for (offers, wanted) in [
        (
            "250-PIPELINING\r\n250-DSN\r\n",
            "MAIL FROM:<amy@school.example> RET=FULL ENVID=Q+2B1\r\nRCPT TO:<a@b.example> NOTIFY=NEVER\r\n\
             RCPT TO:<c@b.example> NOTIFY=SUCCESS,DELAY ORCPT=utf-8;c\\x{F8}@b.example\r\nRCPT TO:<d@b.example>\r\nDATA\r\n",
        ),
        (
            "250-PIPELINING\r\n",
            "MAIL FROM:<amy@school.example>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<c@b.example>\r\n\
             RCPT TO:<d@b.example>\r\nDATA\r\n",
        ),
    ] {
        let mut talk = Talk::greeted(offers);
        assert_eq!(talk.sends(mail()), wanted, "{offers}");
        talk.hears("250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n", 1);
        assert_eq!(talk.done().reports, offers.contains("DSN"));
    }
}

/// Rows 92, 93 and 94.
#[test]
fn tls_is_begun_as_wanted_and_nothing_from_before_it_is_believed() {
    let ehlo = "250-mx\r\n250-SIZE 5\r\n250 STARTTLS\r\n";
    let talk = |tls, answers: &[&str]| {
        let mut talk = Talk::new(way(tls), Under::Nothing);
        answers.iter().for_each(|answer| drop(talk.hears(answer, 1_000)));
        talk
    };
    let begun = talk(StartTls::Must, &["220\r\n", ehlo, "220 go\r\n"]);
    let wanted = "EHLO gate.school.example\r\nSTARTTLS\r\nEHLO gate.school.example\r\n";
    assert_eq!((String::from_utf8_lossy(&begun.written).as_ref(), begun.handshakes), (wanted, 1));
    let begun = talk(StartTls::IfOffered, &["220\r\n", ehlo, "220 go\r\n", "250-mx\r\n250 PIPELINING\r\n"]);
    assert_eq!(begun.ends, [Action::Ready]);
    assert_eq!(begun.client.offers(), Offers { pipelining: true, encrypted: true, ..Offers::default() });
    for tls in [StartTls::Must, StartTls::IfOffered] {
        for behind in ["220 go\r\n250 injected\r\n", "220 go\r\n2", "220 go\r\n\r\n x", "454 4.7.0 no\r\n", "354\r\n"] {
            let refused = talk(tls, &["220\r\n", ehlo, behind]);
            assert_eq!(refused.handshakes, 0, "{behind}");
            assert!(matches!(refused.ends[..], [Action::NotOpen(NotOpen::Tls(_))]), "{behind}: {:?}", refused.ends);
        }
    }
    assert_eq!(talk(StartTls::Must, &["220\r\n", ehlo, "220 go\r\n\r\n"]).handshakes, 1, "a blank line is nothing");
    let stripped = talk(StartTls::Must, &["220\r\n", "250 mx\r\n"]);
    assert!(matches!(stripped.ends[..], [Action::NotOpen(NotOpen::Tls(_))]), "{:?}", stripped.ends);
    for (tls, ehlo) in [(StartTls::IfOffered, "250 mx\r\n"), (StartTls::Never, ehlo)] {
        assert_eq!(talk(tls, &["220\r\n", ehlo]).ends, [Action::Ready]);
    }
    let late = talk(StartTls::Must, &["220\r\n", ehlo, "220\r\n", "502 what\r\n"]);
    assert!(matches!(late.ends[..], [Action::NotOpen(NotOpen::Tls(_))]), "{:?}", late.ends);
}

#[test]
fn what_is_said_unasked_is_no_answer() {
    // Behind the answer to EHLO, between two messages, and in the middle of one.
    let mut talk = Talk::greeted("");
    talk.hears("250 more\r\n", 100);
    assert!(!talk.client.is_ready());
    assert_eq!(talk.sends(mail(&["a@b.example"], PLAIN)), "");
    assert!(talk.done().stale && !talk.done().reusable);
    for script in ["250\r\n250 more\r\n", "250\r\n2", "250\r\nx"] {
        let mut talk = Talk::greeted("");
        talk.sends(mail(&["a@b.example"], PLAIN));
        assert_eq!(talk.hears(script, 100), "");
        assert_eq!(talk.done().fates, [deferred("the connection was lost: it says more than it is asked for")]);
    }
    let mut talk = Talk::greeted("250-PIPELINING\r\n");
    talk.sends(mail(&["a@b.example"], PLAIN));
    assert_eq!(talk.hears("250\r\n250\r\n354\r\n250 more\r\n", 100), "");
    assert_eq!((talk.dots, talk.done().reusable), (0, false));
    let mut talk = Talk::greeted("250-PIPELINING\r\n");
    talk.sends(mail(&["a@b.example"], PLAIN));
    talk.hears("250\r\n250\r\n354\r\n", 100);
    talk.hears("250 taken\r\n250 more\r\n", 100);
    assert_eq!(talk.done().fates, [Fate::Delivered("250 taken".to_owned())], "what was answered is answered");
    assert!(!talk.client.is_ready());
}

/// Row 87.
#[test]
fn each_answer_has_its_wait() {
    // The greeting, EHLO, STARTTLS, and EHLO under TLS.
    let mut talk = Talk::new(way(StartTls::Must), Under::Nothing);
    let mut waits = vec![talk.patience()];
    for answer in ["220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n"] {
        talk.hears(answer, 1);
        waits.push(talk.patience());
    }
    assert_eq!((waits.as_slice(), talk.handshakes), (&[300; 4][..], 1));
    // A command at a time: MAIL, two RCPT, DATA, the final dot.
    let mut talk = Talk::greeted("");
    talk.sends(mail(&["a@b.example", "c@b.example"], PLAIN));
    let mut waits = vec![talk.patience()];
    for answer in ["250\r\n", "250\r\n", "250\r\n", "354\r\n"] {
        talk.hears(answer, 1);
        waits.push(talk.patience());
    }
    assert_eq!(waits, [300, 300, 300, 120, 600]);
    let mut talk = Talk::greeted("250-PIPELINING\r\n");
    talk.sends(mail(&["a@b.example"], PLAIN));
    let mut waits = vec![talk.patience()];
    for answer in ["250\r\n", "250\r\n", "354\r\n"] {
        talk.hears(answer, 1);
        waits.push(talk.patience());
    }
    assert_eq!(waits, [300, 300, 120, 600]);
    talk.hears("250\r\n", 1);
    let mut actions = Vec::new();
    talk.client.quit(&mut actions);
    assert_eq!(actions, [Action::Write(b"QUIT\r\n".to_vec())]);
    assert_eq!(talk.patience(), limits::SMARTHOST_QUIT_SECONDS);
    talk.hears("221\r\n", 1);
    assert_eq!(talk.ends[1..], [Action::Bye]);
}

/// An answer, or anything else that a server may say.
fn said() -> impl Strategy<Value = Vec<u8>> {
    let good = prop_oneof![Just("250 ok"), Just("354 go"), Just("220 go"), Just("250-a\r\n250 STARTTLS")];
    let offers = prop_oneof![
        Just("250-mx\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN XOAUTH2"),
        Just("250-mx\r\n250-STARTTLS\r\n250 PIPELINING"),
    ];
    let code = (200u16..600).prop_map(|code| code.to_string());
    let line = prop_oneof![
        6 => good.prop_map(str::to_owned),
        2 => offers.prop_map(str::to_owned),
        3 => code,
        1 => Just("235 2.7.0 in".to_owned()),
        1 => Just("334 x".to_owned()),
    ];
    let line = line.prop_map(|line| format!("{line}\r\n").into_bytes());
    prop_oneof![12 => line, 1 => proptest::collection::vec(any::<u8>(), 0..12)]
}

fn tls() -> impl Strategy<Value = (StartTls, Under)> {
    prop_oneof![
        Just((StartTls::Never, Under::Nothing)),
        Just((StartTls::IfOffered, Under::Nothing)),
        Just((StartTls::Must, Under::Nothing)),
        Just((StartTls::Never, Under::CheckedTls)),
    ]
}

/// Lets a server say this, piece by piece, and sends a message as soon as one may be sent.
fn run(answers: &[Vec<u8>], pieces: usize, (starttls, under): (StartTls, Under), by: Option<bool>) -> Talk {
    let sign_in = by.map(|by_token| SignIn { user: "gate".into(), by_token });
    let mut talk = Talk::new(Way { sign_in, ..way(starttls) }, under);
    talk.proofs = vec!["second", "first"];
    let mut sent = false;
    for answer in answers {
        talk.hears(answer, pieces);
        if !sent && talk.client.is_ready() {
            sent = true;
            talk.sends(mail(&["a@b.example", "c@b.example"], PLAIN));
        }
    }
    talk.ends();
    talk
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Whatever is said: one end, a fate for each, and nothing in the wrong place.
    #[test]
    fn every_dialogue_ends_and_ends_once(
        answers in proptest::collection::vec(said(), 0..14),
        pieces in 1usize..40,
        tls in tls(),
        by in proptest::option::of(any::<bool>()),
    ) {
        let talk = run(&answers, pieces, tls, by);
        let ready = talk.ends.iter().filter(|end| **end == Action::Ready).count();
        let not_open = talk.ends.iter().filter(|end| matches!(end, Action::NotOpen(_))).count();
        let done: Vec<&Done> =
            talk.ends.iter().filter_map(|end| if let Action::Done(done) = end { Some(done) } else { None }).collect();
        prop_assert_eq!(ready + not_open, 1, "{:?}", talk.ends);
        let last = |end: &Action| match end {
            Action::NotOpen(_) | Action::Bye => true,
            Action::Done(done) => !done.reusable,
            _ => false,
        };
        prop_assert_eq!(talk.ends.iter().filter(|end| last(end)).count(), 1, "{:?}", talk.ends);
        prop_assert!(done.len() <= ready);
        let written = String::from_utf8_lossy(&talk.written);
        prop_assert!(!written.contains("MAIL FROM") || done.len() == 1);
        prop_assert!(tls.0 != StartTls::Must || talk.handshakes > 0 || !written.contains("MAIL FROM"));
        prop_assert!(talk.told.iter().all(|&under| under == Under::CheckedTls));
        prop_assert!(talk.dots <= 1 && (talk.dots == 0 || written.contains("DATA\r\n")));
        for done in done {
            prop_assert_eq!(done.fates.len(), 2);
            for fate in &done.fates {
                prop_assert!(!matches!(fate, Fate::Delivered(_) | Fate::Unknown) || talk.dots == 1);
            }
        }
    }

    /// Where no more is said than was asked for, it is all one in what pieces it comes.
    #[test]
    fn pieces_change_nothing(
        codes in proptest::collection::vec(prop_oneof![Just(250u16), 200u16..600], 5),
        lines in 1usize..4,
        pieces in 1usize..40,
        pipelining in any::<bool>(),
    ) {
        let outcome = |pieces: usize| {
            let mut talk = Talk::greeted(if pipelining { "250-PIPELINING\r\n" } else { "" });
            talk.sends(mail(&["a@b.example", "c@b.example"], PLAIN));
            for (number, code) in codes.iter().enumerate() {
                let code = if number == 3 && *code == 250 { 354 } else { *code };
                if !talk.ends.is_empty() {
                    break;
                }
                let more = format!("{code}-x\r\n").repeat(lines - 1);
                talk.hears(format!("{more}{code} x\r\n"), pieces);
            }
            talk.ends();
            let ends = format!("{:?}", talk.ends);
            (talk.written, ends)
        };
        prop_assert_eq!(outcome(pieces), outcome(1_000));
    }
}
