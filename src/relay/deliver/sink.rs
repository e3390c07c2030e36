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
    /// Only for the first connection.
    pub once: bool,
    /// Done before each answer to RCPT.
    pub at_rcpt: Option<Arc<dyn Fn() + Send + Sync>>,
    /// Wait before the answer to the final dot.
    pub slow: Duration,
    /// Certificate for STARTTLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Said in one packet with the 220 to STARTTLS.
    pub injected: &'static str,
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
        tokio::spawn(serve(stream, script, log.clone()));
    }
}

async fn serve(stream: TcpStream, script: Script, log: Log) -> std::io::Result<()> {
    let banner = script.replies.get("BANNER").copied().unwrap_or("220 sink ESMTP");
    let mut stream = BufReader::new(stream);
    if banner == "close" {
        return Ok(());
    }
    stream.write_all(format!("{banner}\r\n").as_bytes()).await?;
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
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok(false);
        }
        let line = String::from_utf8(line).unwrap().trim_end().to_owned();
        log.commands.lock().unwrap().push(line.clone());
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_owned();
        let scripted = script.replies.get(verb.as_str()).copied();
        if scripted == Some("close") {
            return Ok(false);
        }
        let reply = match (verb.as_str(), scripted) {
            (_, Some(reply)) => reply.to_owned(),
            ("EHLO", _) => {
                let words: Vec<_> = script.offers.iter().filter(|w| !(tls && **w == "STARTTLS")).collect();
                let mut reply = String::new();
                for word in &words {
                    reply.push_str(&format!("250-{word}\r\n"));
                }
                format!("250-sink\r\n{reply}250 HELP")
            }
            ("STARTTLS", _) => {
                stream.write_all(format!("220 go\r\n{}", script.injected).as_bytes()).await?;
                return Ok(true);
            }
            ("MAIL", _) => {
                current.mail = line.clone();
                "250 2.1.0 ok".to_owned()
            }
            ("RCPT", _) if current.mail.is_empty() => "503 5.5.1 MAIL first".to_owned(),
            ("RCPT", _) => {
                if let Some(done) = &script.at_rcpt {
                    done();
                }
                let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                let local = address.split('@').next().unwrap_or_default();
                let reply = script.rcpt.get(local).copied().unwrap_or("250 2.1.5 ok");
                if reply.starts_with('2') {
                    current.rcpt.push(address.to_owned());
                }
                reply.to_owned()
            }
            ("DATA", _) if current.rcpt.is_empty() => "554 5.5.1 no valid recipients".to_owned(),
            ("DATA", _) => "354 go on".to_owned(),
            ("QUIT", _) => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(false);
            }
            _ => "250 ok".to_owned(),
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
        if verb != "DATA" || !reply.starts_with('3') {
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
        let reply = script.replies.get("DOT").copied().unwrap_or("250 2.0.0 taken");
        if reply == "close" {
            log.taken.lock().unwrap().push(current);
            return Ok(false);
        }
        if reply.starts_with('2') {
            log.taken.lock().unwrap().push(current);
        }
        current = Taken { tls, ..Taken::default() };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
}
