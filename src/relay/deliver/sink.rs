//! A smarthost by script, for tests: says what it is told to say and notes what it was given.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How the smarthost behaves.
#[derive(Clone, Default)]
pub struct Script {
    /// EHLO keywords.
    pub offers: Vec<&'static str>,
    /// Replies to RCPT by local part; all others are taken.
    pub rcpt: HashMap<&'static str, &'static str>,
    /// Replies by verb, `BANNER`, `DOT`; `close` closes without a word. Without one all goes well.
    pub replies: HashMap<&'static str, &'static str>,
    /// A reply byte by byte, before all others; may be changed while the smarthost serves.
    pub odd: Arc<Mutex<Option<Odd>>>,
    /// Only for the first connection.
    pub once: bool,
    /// Done before each answer to RCPT.
    pub at_rcpt: Option<Arc<dyn Fn() + Send + Sync>>,
    /// Wait before the answer to the final dot.
    pub slow: Duration,
    /// Certificate for STARTTLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// TLS from the first octet.
    pub implicit: bool,
    /// Who signs in with one of these is taken, and nobody else: what PLAIN or XOAUTH2 carry, before base64. LOGIN is told as
    /// PLAIN would be.
    pub proofs: Option<Arc<Mutex<Vec<String>>>>,
    /// Said in one packet with the 220 to STARTTLS.
    pub injected: &'static str,
}

/// What is said at one step, and the class of reply that it stands for; 0 is none.
#[derive(Clone)]
pub struct Odd {
    /// A verb, `BANNER` or `DOT`.
    pub step: &'static str,
    pub bytes: Vec<u8>,
    pub class: u8,
}

impl Script {
    /// What is said at this step, if the script has it.
    fn says(&self, step: &str) -> Option<(Vec<u8>, u8)> {
        if let Some(odd) = self.odd.lock().unwrap().as_ref()
            && odd.step == step
        {
            return Some((odd.bytes.clone(), odd.class));
        }
        self.replies.get(step).map(|reply| line(reply))
    }
}

/// A reply of one line; `close` is none.
fn line(reply: &str) -> (Vec<u8>, u8) {
    match reply {
        "close" => (Vec::new(), 0),
        _ => (format!("{reply}\r\n").into_bytes(), reply.as_bytes()[0] - b'0'),
    }
}

/// What it was given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Taken {
    pub mail: String,
    pub rcpt: Vec<String>,
    pub content: Vec<u8>,
    pub tls: bool,
}

#[derive(Clone, Default)]
pub struct Log {
    pub taken: Arc<Mutex<Vec<Taken>>>,
    pub commands: Arc<Mutex<Vec<String>>>,
    pub connections: Arc<Mutex<usize>>,
    /// Connections that are open, and the most that were.
    pub open: Arc<Mutex<(usize, usize)>>,
}

impl Log {
    pub fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    pub fn commands(&self) -> Vec<String> {
        self.commands.lock().unwrap().clone()
    }
}

pub async fn smarthost(listener: TcpListener, script: Script, log: Log) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let number = {
            let mut connections = log.connections.lock().unwrap();
            *connections += 1;
            *connections
        };
        let mut script = script.clone();
        if script.once && number > 1 {
            script.replies.clear();
        }
        let log = log.clone();
        tokio::spawn(async move {
            {
                let mut open = log.open.lock().unwrap();
                open.0 += 1;
                open.1 = open.1.max(open.0);
            }
            let served = serve(stream, script, log.clone()).await;
            log.open.lock().unwrap().0 -= 1;
            served
        });
    }
}

async fn serve(stream: TcpStream, script: Script, log: Log) -> std::io::Result<()> {
    if let Some(tls) = script.tls.as_ref().filter(|_| script.implicit) {
        let stream = tokio_rustls::TlsAcceptor::from(Arc::clone(tls)).accept(stream).await?;
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 sink ESMTP\r\n").await?;
        return session(&mut stream, &script, &log, true).await.map(drop);
    }
    let (banner, _) = script.says("BANNER").unwrap_or_else(|| line("220 sink ESMTP"));
    let mut stream = BufReader::new(stream);
    if banner.is_empty() {
        return Ok(());
    }
    stream.write_all(&banner).await?;
    if !session(&mut stream, &script, &log, false).await? {
        return Ok(());
    }
    let Some(tls) = &script.tls else { return Ok(()) };
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(tls));
    let stream = acceptor.accept(stream.into_inner()).await?;
    session(&mut BufReader::new(stream), &script, &log, true).await.map(drop)
}

/// Serves until the end, or until TLS is to start: then true.
async fn session<S>(stream: &mut BufReader<S>, script: &Script, log: &Log, tls: bool) -> std::io::Result<bool>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut current = Taken { tls, ..Taken::default() };
    let mut signed_in = script.proofs.is_none();
    loop {
        let mut command = Vec::new();
        if stream.read_until(b'\n', &mut command).await? == 0 {
            return Ok(false);
        }
        let command = String::from_utf8(command).unwrap().trim_end().to_owned();
        log.commands.lock().unwrap().push(command.clone());
        let verb = command.split([' ', ':']).next().unwrap_or_default().to_owned();
        let address = command.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        if verb == "AUTH" {
            let proof = told(stream, &command).await?;
            signed_in = script.proofs.as_ref().is_some_and(|proofs| proofs.lock().unwrap().contains(&proof));
            let wrong = script.says("WRONG").map_or(b"535 5.7.8 wrong\r\n".to_vec(), |(reply, _)| reply);
            if !signed_in && command.starts_with("AUTH XOAUTH2") {
                stream.write_all(b"334 eyJzdGF0dXMiOiI0MDEifQ==\r\n").await?;
                stream.read_until(b'\n', &mut Vec::new()).await?;
            }
            stream.write_all(if signed_in { b"235 2.7.0 in\r\n" } else { &wrong }).await?;
            continue;
        }
        let (reply, class) = script.says(&verb).unwrap_or_else(|| match verb.as_str() {
            "EHLO" => {
                let offers = script.offers.iter().filter(|w| !(tls && w.eq_ignore_ascii_case("STARTTLS")));
                let offers: String = offers.map(|word| format!("250-{word}\r\n")).collect();
                line(&format!("250-sink\r\n{offers}250 HELP"))
            }
            "MAIL" if !signed_in => line("530 5.7.57 client not authenticated"),
            "STARTTLS" => (format!("220 go\r\n{}", script.injected).into_bytes(), 2),
            "RCPT" if current.mail.is_empty() => line("503 5.5.1 MAIL first"),
            "RCPT" => {
                if let Some(done) = &script.at_rcpt {
                    done();
                }
                let local = address.split('@').next().unwrap_or_default();
                line(script.rcpt.get(local).copied().unwrap_or("250 2.1.5 ok"))
            }
            "DATA" if current.rcpt.is_empty() => line("554 5.5.1 no valid recipients"),
            "DATA" => line("354 go on"),
            "QUIT" => line("221 bye"),
            _ => line("250 ok"),
        });
        if reply.is_empty() {
            return Ok(false);
        }
        stream.write_all(&reply).await?;
        match (verb.as_str(), class) {
            ("STARTTLS", 2) => return Ok(true),
            ("MAIL", 2) => current.mail = command,
            ("RCPT", 2) => current.rcpt.push(address),
            ("QUIT", _) => return Ok(false),
            _ => {}
        }
        if verb != "DATA" || class != 3 {
            continue;
        }
        loop {
            let mut line = Vec::new();
            if stream.read_until(b'\n', &mut line).await? == 0 {
                return Ok(false);
            }
            if line == b".\r\n" {
                break;
            }
            current.content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        tokio::time::sleep(script.slow).await;
        let (reply, class) = script.says("DOT").unwrap_or_else(|| line("250 2.0.0 taken"));
        if class == 2 || reply.is_empty() {
            log.taken.lock().unwrap().push(current);
        }
        if reply.is_empty() {
            return Ok(false);
        }
        current = Taken { tls, ..Taken::default() };
        stream.write_all(&reply).await?;
    }
}

/// What the client proves itself with.
async fn told<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>, auth: &str) -> std::io::Result<String> {
    use base64::Engine;
    let decoded = |text: &[u8]| {
        let octets = base64::engine::general_purpose::STANDARD.decode(text.trim_ascii()).unwrap();
        String::from_utf8(octets).unwrap()
    };
    if let Some(response) = auth.split(' ').nth(2) {
        return Ok(decoded(response.as_bytes()));
    }
    let mut proof = String::new();
    for prompt in ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"] {
        stream.write_all(format!("334 {prompt}\r\n").as_bytes()).await?;
        let mut line = Vec::new();
        stream.read_until(b'\n', &mut line).await?;
        proof = format!("{proof}\0{}", decoded(&line));
    }
    Ok(proof)
}
