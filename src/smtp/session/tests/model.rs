//! The session against a model of it, in random sequences of commands.

use super::*;

/// What a client may say, the more often the more it moves.
const COMMANDS: &[&str] = &[
    "EHLO c",
    "EHLO c",
    "EHLO c",
    "RSET",
    "NOOP",
    "VRFY x",
    "EXPN x",
    "FROB",
    "MAIL FROM:<a@school.example>",
    "MAIL FROM:<a@school.example>",
    "MAIL FROM:<a@school.example>",
    "MAIL FROM:<head@school.example>",
    "RCPT TO:<b@x.example>",
    "RCPT TO:<b@x.example>",
    "RCPT TO:<b@x.example>",
    "RCPT TO:<b@x.example>",
    "RCPT TO:<b>",
    "DATA",
    "DATA",
    "DATA",
    "BDAT 1 LAST",
    "STARTTLS",
    GOOD,
    BAD,
    "AUTH LOGIN",
    OWN,
    "XCLIENT ADDR=192.0.2.1",
    "XFORWARD ADDR=192.0.2.1",
];
/// office and its password, and office and another.
const GOOD: &str = "AUTH PLAIN AG9mZmljZQBzZWNyZXQ=";
const BAD: &str = "AUTH PLAIN AG9mZmljZQB3cm9uZw==";
const OWN: &str = "XCLIENT ADDR=10.0.0.1";

/// The whole protocol in forty lines, to hold the session against.
struct Model {
    tls: Tls,
    sign_in: bool,
    xclient: bool,
    may_relay: bool,
    certified: bool,
    greeted: bool,
    account: bool,
    mail: bool,
    recipient: bool,
    errors: usize,
    junk: usize,
    failures: usize,
    messages: usize,
}

impl Model {
    /// The codes that a command is answered with; where content or a challenge is asked for, with what comes then.
    fn codes(&mut self, command: &str) -> Vec<&'static str> {
        let (verb, mail) = (command.split(' ').next().unwrap_or(command), self.mail);
        if ["EHLO", "RSET", "BDAT", "STARTTLS", "AUTH"].contains(&verb) || (command == "DATA" && self.recipient) {
            (self.mail, self.recipient) = (false, std::mem::take(&mut self.recipient) && verb == "DATA");
        }
        let asks_to_sign_in = self.sign_in && self.tls == Tls::On && !self.account;
        let code = match verb {
            "EHLO" => {
                self.junk += usize::from(std::mem::replace(&mut self.greeted, true));
                "250"
            }
            "RSET" | "NOOP" | "VRFY" => {
                self.junk += 1;
                if verb == "VRFY" { "252" } else { "250" }
            }
            "FROB" => "500",
            "EXPN" | "BDAT" => "502",
            "MAIL" if !self.greeted || mail => "503",
            "MAIL" if self.tls == Tls::Required || (!self.may_relay && asks_to_sign_in) => "530",
            "MAIL" if self.account && command.contains("head@") => "550",
            "MAIL" => {
                self.mail = true;
                "250"
            }
            "RCPT" if command.ends_with("<b>") => "501",
            "RCPT" if !mail => "503",
            "RCPT" if !(self.may_relay || self.account) => "550",
            "RCPT" => {
                self.recipient = true;
                "250"
            }
            "DATA" if self.recipient => {
                (self.recipient, self.errors, self.junk, self.messages) = (false, 0, 0, self.messages + 1);
                return vec!["354", "250"];
            }
            "STARTTLS" if self.tls == Tls::None => "502",
            "STARTTLS" if self.tls != Tls::On => {
                (self.tls, self.greeted, self.account, self.may_relay) = (Tls::On, false, false, self.certified);
                "220"
            }
            "AUTH" if !self.sign_in => "502",
            "AUTH" if self.tls != Tls::On => "538",
            "AUTH" if !self.greeted || self.account || mail => "503",
            "AUTH" if command == GOOD => {
                self.account = true;
                "235"
            }
            "AUTH" if command == BAD => {
                self.failures += 1;
                if self.failures == limits::SIGN_IN_FAILURES {
                    return vec!["535", ""];
                }
                "535"
            }
            "AUTH" => "501",
            "XCLIENT" | "XFORWARD" if !self.xclient => "502",
            "XCLIENT" if !mail && !self.account => {
                (self.greeted, self.may_relay) = (false, command == OWN);
                "220"
            }
            "XFORWARD" if !mail => "250",
            _ => "503",
        };
        self.errors += usize::from(code.starts_with('5'));
        let mut codes = if verb == "AUTH" && code == "501" { vec!["334", code] } else { vec![code] };
        if self.errors >= limits::ERRORS_CLOSE || self.junk > limits::JUNK_COMMANDS {
            codes.push("421");
        }
        codes
    }
}

/// Relay checklist, row 11; and row 48: some of the sequences come octet by octet.
#[test]
fn random_sequences_agree_with_the_model() {
    let seed = std::env::var("SCHOOLGATE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(|| {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |d| d.as_nanos() as u64)
    });
    println!("SCHOOLGATE_SEED={seed}");
    let mut state = seed | 1;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below
    };
    let mut heard = std::collections::BTreeMap::<&str, usize>::new();
    for round in 0..100_000 {
        let mut model = Model {
            tls: [Tls::None, Tls::Offered, Tls::Required, Tls::On][random(4)],
            sign_in: random(3) > 0,
            xclient: random(2) > 0,
            may_relay: random(3) > 0,
            certified: random(2) > 0,
            greeted: false,
            account: false,
            mail: false,
            recipient: false,
            errors: 0,
            junk: 0,
            failures: 0,
            messages: 0,
        };
        let Model { tls, sign_in, xclient, may_relay, certified, .. } = model;
        let mut talk = Talk::with(SessionConfig { tls, sign_in, xclient, ..config(may_relay) });
        talk.certified = certified;
        let in_pieces = random(8) == 0;
        let mut history = vec![format!("{tls:?} sign_in {sign_in} xclient {xclient} relay {may_relay} {certified}")];
        for _ in 0..random(24) {
            let command = COMMANDS[random(COMMANDS.len())];
            history.push(command.to_owned());
            let expected = model.codes(command);
            let mut says = |text: String| -> String {
                let piece = if in_pieces { 1 } else { text.len() };
                text.as_bytes().chunks(piece).map(|piece| talk.says(piece)).collect()
            };
            let mut replies = says(format!("{command}\r\n"));
            if replies.starts_with("354") {
                replies += &says("Subject: x\r\n\r\nMAIL FROM:<smuggled@x.example>\r\n.\r\n".to_owned());
            } else if replies.starts_with("334") {
                replies += &says("*\r\n".to_owned());
            }
            let codes: Vec<&str> = expected.iter().copied().filter(|code| !code.is_empty()).collect();
            assert_eq!(Talk::codes(&replies), codes, "round {round} of seed {seed}: {history:#?}");
            codes.iter().for_each(|code| *heard.entry(code).or_default() += 1);
            let closes = matches!(expected.last(), Some(&"421" | &""));
            assert_eq!(talk.closed.is_some(), closes, "round {round} of seed {seed}: {history:#?}");
            if closes {
                break;
            }
        }
        assert_eq!(talk.messages.len(), model.messages, "round {round} of seed {seed}");
    }
    println!("{heard:?}");
    for code in ["220", "235", "250", "334", "354", "421", "500", "501", "502", "503", "530", "535", "538", "550"] {
        assert!(heard.contains_key(code), "{code} was never said");
    }
}
