//! A smarthost that keeps what it is given, byte for byte, and answers as it is told.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::{PATIENCE, SETTLE};

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Empty for the null sender.
    pub from: String,
    /// Those that were answered 250.
    pub recipients: Vec<String>,
    /// MAIL, and RCPT for each of these, as they were said.
    pub said: Vec<String>,
    /// Headers and body, dots undone.
    pub content: Vec<u8>,
    /// Whether the final dot was answered 250.
    pub answered: bool,
}

#[derive(Default)]
struct Script {
    taken: Vec<Taken>,
    to_recipient: HashMap<String, String>,
    to_dot: HashMap<String, String>,
    deaths: usize,
    dsn: bool,
    delay: Duration,
    connections: usize,
    unknown: Vec<String>,
}

/// Runs until the test ends.
#[derive(Clone)]
pub struct Sink {
    pub port: u16,
    script: Arc<Mutex<Script>>,
}

impl Sink {
    pub fn start() -> Self {
        Self::start_on(0)
    }

    /// On this port; 0 is any that is free.
    pub fn start_on(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let sink = Self { port, script: Arc::default() };
        let serving = sink.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sink = serving.clone();
                // A client that goes away in mid-sentence ends its own session and nothing else.
                std::thread::spawn(move || sink.session(stream));
            }
        });
        sink
    }

    /// What RCPT with this address is answered from now on; `250` takes it again.
    pub fn answer_recipient(&self, address: &str, reply: &str) {
        self.lock().to_recipient.insert(address.to_lowercase(), reply.to_owned());
    }

    /// What the final dot of a message to this address is answered from now on. Such a message is not kept.
    pub fn answer_dot(&self, address: &str, reply: &str) {
        self.lock().to_dot.insert(address.to_lowercase(), reply.to_owned());
    }

    /// Offers DSN from now on, or no longer.
    pub fn offer_dsn(&self, offered: bool) {
        self.lock().dsn = offered;
    }

    /// The next `times` messages are kept, and then the connection dies without an answer.
    pub fn die_after_dot(&self, times: usize) {
        self.lock().deaths = times;
    }

    /// Waits this long before each answer to a final dot.
    pub fn delay(&self, delay: Duration) {
        self.lock().delay = delay;
    }

    /// All that came so far.
    pub fn taken(&self) -> Vec<Taken> {
        self.lock().taken.clone()
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> usize {
        self.lock().connections
    }

    /// Lines that it was told as commands and that are none.
    pub fn unknown(&self) -> Vec<String> {
        self.lock().unknown.clone()
    }

    /// Waits until `enough`; panics with who wrote to whom when it never is.
    pub fn wait(&self, what: &str, enough: impl Fn(&[Taken]) -> bool) -> Vec<Taken> {
        let until = Instant::now() + PATIENCE;
        loop {
            let taken = self.taken();
            if enough(&taken) {
                return taken;
            }
            if Instant::now() > until {
                let seen: Vec<_> = taken.iter().map(|t| format!("<{}> to {:?}", t.from, t.recipients)).collect();
                panic!("{what}: not within {PATIENCE:?}; so far:\n{}", seen.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// All that came once nothing more has come for a while.
    pub fn settled(&self) -> Vec<Taken> {
        let mut count = self.taken().len();
        loop {
            std::thread::sleep(SETTLE);
            let taken = self.taken();
            if taken.len() == count {
                return taken;
            }
            count = taken.len();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn session(&self, stream: TcpStream) -> Result<()> {
        self.lock().connections += 1;
        stream.set_nodelay(true)?;
        let mut writer = stream.try_clone()?;
        let mut reader = BufReader::new(stream);
        let mut say = move |reply: &str| writer.write_all(format!("{reply}\r\n").as_bytes());
        say("220 sink.example ESMTP")?;
        let (mut from, mut recipients) = (None::<String>, Vec::<String>::new());
        let mut said = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            let verb = line.split([' ', ':']).next().unwrap_or("").to_uppercase();
            match verb.as_str() {
                // No STARTTLS.
                "EHLO" => {
                    let dsn = if self.lock().dsn { "250-DSN\r\n" } else { "" };
                    say(&format!(
                        "250-sink.example\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
                     {dsn}250 ENHANCEDSTATUSCODES"
                    ))?
                }
                "HELO" => say("250 sink.example")?,
                "MAIL" => {
                    (from, recipients) = (Some(path(line)), Vec::new());
                    said = vec![line.to_owned()];
                    say("250 2.1.0 Sender ok")?;
                }
                "RCPT" => {
                    let to = path(line);
                    let scripted = self.lock().to_recipient.get(&to.to_lowercase()).cloned();
                    let reply = scripted.unwrap_or_else(|| "250 2.1.5 Recipient ok".to_owned());
                    if reply.starts_with("250") {
                        recipients.push(to);
                        said.push(line.to_owned());
                    }
                    say(&reply)?;
                }
                "DATA" if recipients.is_empty() => say("554 5.5.1 No valid recipients")?,
                "DATA" => {
                    say("354 Go on")?;
                    let content = read_content(&mut reader)?;
                    let taken = Taken {
                        from: from.take().unwrap_or_default(),
                        recipients: std::mem::take(&mut recipients),
                        said: std::mem::take(&mut said),
                        content,
                        answered: true,
                    };
                    match self.keep(taken) {
                        Some(reply) => say(&reply)?,
                        None => return Ok(()),
                    }
                }
                "RSET" => {
                    (from, recipients) = (None, Vec::new());
                    say("250 2.0.0 Reset")?;
                }
                "NOOP" => say("250 2.0.0 Ok")?,
                "QUIT" => return say("221 2.0.0 Bye"),
                _ => {
                    self.lock().unknown.push(line.to_owned());
                    say("500 5.5.2 Not known here")?;
                }
            }
        }
    }

    /// The answer to the final dot, or `None` for a death in its place.
    fn keep(&self, mut taken: Taken) -> Option<String> {
        let delay = self.lock().delay;
        std::thread::sleep(delay);
        let mut script = self.lock();
        let refusal = taken.recipients.iter().find_map(|to| script.to_dot.get(&to.to_lowercase())).cloned();
        if let Some(reply) = refusal.filter(|reply| !reply.starts_with("250")) {
            return Some(reply);
        }
        if script.deaths > 0 {
            script.deaths -= 1;
            taken.answered = false;
            script.taken.push(taken);
            return None;
        }
        script.taken.push(taken);
        Some(format!("250 2.0.0 Kept as {}", script.taken.len()))
    }
}

/// What stands between the angle brackets.
fn path(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(inside, _)| inside);
    inside.to_owned()
}

/// Up to the final dot, dots undone. A bare CR or LF stays what it is.
fn read_content(reader: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let mut line = Vec::new();
    let mut at_start = true;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if at_start && line == b".\r\n" {
            return Ok(content);
        }
        let undone = if at_start && line.first() == Some(&b'.') { &line[1..] } else { &line[..] };
        content.extend_from_slice(undone);
        at_start = line.ends_with(b"\r\n");
    }
}
