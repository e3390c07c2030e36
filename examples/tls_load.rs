//! Load over TLS on both sides of a relay on this machine, for `benches/relay/tls.sh`.
//!
//! ```text
//! tls_load keys DIR                              an authority, and a certificate of it for localhost
//! tls_load handshakes DIR PORT COUNT AT_ONCE     STARTTLS so often, each on a connection of its own, nothing resumed
//! tls_load mail DIR IN OUT COUNT AT_ONCE         mail to IN by STARTTLS; the smarthost at OUT, with STARTTLS, is this program too
//! ```
//!
//! Prints one line of figures. Mail counts once it has arrived at the smarthost; what is lost or doubled is said.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// What has not arrived by then is lost.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["keys", dir] => keys(Path::new(dir)),
        ["handshakes", dir, port, count, at_once] => {
            handshakes(client_config(dir)?, port.parse()?, count.parse()?, at_once.parse()?)
        }
        ["mail", dir, into, out, count, at_once] => {
            mail(dir, into.parse()?, out.parse()?, count.parse()?, at_once.parse()?)
        }
        _ => bail!("keys DIR | handshakes DIR PORT COUNT AT_ONCE | mail DIR IN OUT COUNT AT_ONCE"),
    }
}

fn keys(dir: &Path) -> anyhow::Result<()> {
    let authority_key = rcgen::KeyPair::generate()?;
    let mut authority = rcgen::CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, "Load test authority");
    let certificate = authority.self_signed(&authority_key)?;
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate()?;
    let host = rcgen::CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &issuer)?;
    std::fs::write(dir.join("ca.pem"), certificate.pem())?;
    std::fs::write(dir.join("cert.pem"), host.pem())?;
    std::fs::write(dir.join("key.pem"), key.serialize_pem())?;
    Ok(())
}

fn client_config(dir: &str) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(Path::new(dir).join("ca.pem"))?)?;
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

fn server_config(dir: &str) -> anyhow::Result<Arc<ServerConfig>> {
    let dir = Path::new(dir);
    let certificate = CertificateDer::from_pem_file(dir.join("cert.pem"))?;
    let key = PrivateKeyDer::from_pem_file(dir.join("key.pem"))?;
    Ok(Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key)?))
}

/// A conversation, before or after STARTTLS.
struct Talk<S: Read + Write>(BufReader<S>);

impl<S: Read + Write> Talk<S> {
    fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    fn say(&mut self, text: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(text)?;
        self.0.get_mut().flush()
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line)?;
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// The last line of a reply of this code.
    fn reply(&mut self, code: &str) -> anyhow::Result<()> {
        loop {
            let line = self.line()?;
            ensure!(line.starts_with(code), "{code} was expected: {line:?}");
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }
}

type Sender = Talk<StreamOwned<ClientConnection, TcpStream>>;

fn connect(config: &Arc<ClientConfig>, port: u16) -> anyhow::Result<Sender> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut clear = Talk::new(stream);
    clear.reply("220")?;
    clear.say(b"EHLO load.invalid\r\n")?;
    clear.reply("250")?;
    clear.say(b"STARTTLS\r\n")?;
    clear.reply("220")?;
    let session = ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost")?)?;
    let mut talk = Talk::new(StreamOwned::new(session, clear.0.into_inner()));
    talk.say(b"EHLO load.invalid\r\n")?;
    talk.reply("250")?;
    Ok(talk)
}

/// Runs `work` for each number below `count`, from so many threads at once, each with something of its own.
fn at_once<T>(
    count: usize,
    threads: usize,
    begin: impl Fn() -> anyhow::Result<T> + Sync,
    work: impl Fn(&mut T, usize) -> anyhow::Result<()> + Sync,
    end: impl Fn(T) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let one = || {
        let mut own = begin()?;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return end(own);
            }
            work(&mut own, number)?;
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| bail!("a thread panicked")))
    })
}

fn handshakes(config: Arc<ClientConfig>, port: u16, count: usize, threads: usize) -> anyhow::Result<()> {
    let begin = Instant::now();
    let work = |(): &mut (), _| {
        let mut talk = connect(&config, port)?;
        talk.say(b"QUIT\r\n")?;
        talk.reply("221")
    };
    at_once(count, threads, || Ok(()), work, |()| Ok(()))?;
    let seconds = begin.elapsed().as_secs_f64();
    println!("{{\"handshakes\":{count},\"seconds\":{seconds:.3},\"per_second\":{:.1}}}", count as f64 / seconds);
    Ok(())
}

/// About 8 KB of what staff write of nobody.
fn content(number: usize) -> Vec<u8> {
    let mut text = format!(
        "From: Office <office@school.invalid>\r\nTo: Coaches <trips@coaches.invalid>\r\nSubject: Coaches for the trip\r\n\
         Date: Mon, 12 Oct 2026 13:06:00 +0000\r\nMessage-ID: <{number}@load.invalid>\r\nX-Load: {number}\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    );
    for line in 0..100 {
        text.push_str(&format!(
            "Line {line}: two coaches are wanted for the day at the museum, from the front gate at nine o'clock.\r\n"
        ));
    }
    text.into_bytes()
}

/// How often each message arrived, and when the last new one did.
#[derive(Default)]
struct Arrived {
    times: BTreeMap<usize, usize>,
    last: Option<Instant>,
}

fn mail(dir: &str, into: u16, out: u16, count: usize, threads: usize) -> anyhow::Result<()> {
    let arrived: Arc<Mutex<Arrived>> = Arc::default();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, out)).context("the smarthost's port")?;
    let server = server_config(dir)?;
    let kept = Arc::clone(&arrived);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (server, kept) = (Arc::clone(&server), Arc::clone(&kept));
            std::thread::spawn(move || {
                // A relay that goes away in mid-sentence ends its own connection; what it did not send is counted as lost.
                let _ = smarthost(stream, server, &kept);
            });
        }
    });
    let config = client_config(dir)?;
    let answers = Mutex::new(Vec::with_capacity(count));
    let begin = Instant::now();
    let work = |talk: &mut Sender, number| {
        let asked = Instant::now();
        talk.say(b"MAIL FROM:<office@school.invalid>\r\nRCPT TO:<trips@coaches.invalid>\r\nDATA\r\n")?;
        talk.reply("250")?;
        talk.reply("250")?;
        talk.reply("354")?;
        talk.say(&[&content(number)[..], b".\r\n"].concat())?;
        talk.reply("250")?;
        answers.lock().map_err(|_| anyhow::anyhow!("a thread panicked"))?.push(asked.elapsed());
        Ok(())
    };
    let end = |mut talk: Sender| {
        talk.say(b"QUIT\r\n")?;
        talk.reply("221")
    };
    at_once(count, threads, || connect(&config, into), work, end)?;
    let (all, last) = loop {
        let arrived = arrived.lock().map_err(|_| anyhow::anyhow!("the smarthost panicked"))?;
        if arrived.times.len() == count || begin.elapsed() > PATIENCE {
            break (arrived.times.clone(), arrived.last);
        }
        drop(arrived);
        std::thread::sleep(Duration::from_millis(5));
    };
    let seconds = last.map_or(f64::NAN, |last| last.duration_since(begin).as_secs_f64());
    let mut answers = answers.into_inner().unwrap_or_default();
    answers.sort_unstable();
    let of =
        |part: f64| answers.get((answers.len() as f64 * part) as usize).map_or(f64::NAN, |t| t.as_secs_f64() * 1e3);
    println!(
        "{{\"messages\":{count},\"seconds\":{seconds:.3},\"per_second\":{:.1},\"answer_p50_ms\":{:.1},\"answer_p99_ms\":{:.1},\
         \"lost\":{},\"doubled\":{}}}",
        all.len() as f64 / seconds,
        of(0.5),
        of(0.99),
        count - all.len(),
        all.values().filter(|times| **times > 1).count(),
    );
    Ok(())
}

/// One connection of the smarthost: no mail before STARTTLS.
fn smarthost(stream: TcpStream, config: Arc<ServerConfig>, arrived: &Mutex<Arrived>) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut clear = Talk::new(stream);
    clear.say(b"220 localhost ESMTP\r\n")?;
    loop {
        let line = clear.line()?.to_ascii_uppercase();
        match line.get(..4) {
            Some("EHLO") => clear.say(b"250-localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 STARTTLS\r\n")?,
            Some("STAR") => break,
            Some("QUIT") | None => return Ok(()),
            _ => clear.say(b"530 5.7.0 STARTTLS first\r\n")?,
        }
    }
    clear.say(b"220 go on\r\n")?;
    let mut talk = Talk::new(StreamOwned::new(ServerConnection::new(config)?, clear.0.into_inner()));
    loop {
        let line = talk.line()?.to_ascii_uppercase();
        match line.get(..4) {
            Some("EHLO") => talk.say(b"250-localhost\r\n250-PIPELINING\r\n250 8BITMIME\r\n")?,
            Some("DATA") => {
                talk.say(b"354 go on\r\n")?;
                let mut number = None;
                loop {
                    let line = talk.line()?;
                    if line == "." {
                        break;
                    }
                    number = number.or_else(|| line.strip_prefix("X-Load: ")?.parse::<usize>().ok());
                }
                if let (Some(number), Ok(mut arrived)) = (number, arrived.lock()) {
                    *arrived.times.entry(number).or_default() += 1;
                    arrived.last = Some(Instant::now());
                }
                talk.say(b"250 2.0.0 taken\r\n")?;
            }
            Some("QUIT") => return Ok(talk.say(b"221 bye\r\n")?),
            None => return Ok(()),
            _ => talk.say(b"250 2.0.0 well\r\n")?,
        }
    }
}
