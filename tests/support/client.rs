//! An SMTP client that sends exactly the bytes it is given.

use std::io::{BufRead, BufReader, Error, ErrorKind, Result, Write};
use std::net::TcpStream;

use super::PATIENCE;

/// One reply, all its lines.
#[derive(Debug, Clone)]
pub struct Reply {
    pub code: u16,
    /// Without code and separator.
    pub lines: Vec<String>,
}

impl Reply {
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }
}

pub struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    /// Connects and reads the greeting.
    pub fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut client = Self { reader: BufReader::new(stream) };
        client.try_expect(220)?;
        Ok(client)
    }

    pub fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    pub fn reply(&mut self) -> Result<Reply> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let line = line.strip_suffix("\r\n").ok_or_else(|| Error::other(format!("no CRLF ends {line:?}")))?;
            let code = line.get(..3).and_then(|code| code.parse().ok());
            let code: u16 = code.ok_or_else(|| Error::other(format!("no reply: {line:?}")))?;
            lines.push(line.get(4..).unwrap_or("").to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Reply { code, lines });
            }
        }
    }

    fn try_expect(&mut self, code: u16) -> Result<Reply> {
        let reply = self.reply()?;
        if reply.code == code { Ok(reply) } else { Err(Error::other(format!("expected {code}, got {reply:?}"))) }
    }

    /// Sends a line and wants this code.
    pub fn ask(&mut self, line: &str, code: u16) -> Result<Reply> {
        self.raw(format!("{line}\r\n").as_bytes())?;
        self.try_expect(code).map_err(|e| Error::new(e.kind(), format!("{line}: {e}")))
    }

    pub fn hello(&mut self) -> Result<Reply> {
        self.ask("EHLO client.saltmere.example", 250)
    }

    /// One transaction; the reply to the final dot. A refusal before that is an error.
    pub fn send(&mut self, from: &str, recipients: &[String], content: &[u8]) -> Result<Reply> {
        self.ask(&format!("MAIL FROM:<{from}>"), 250)?;
        for recipient in recipients {
            self.ask(&format!("RCPT TO:<{recipient}>"), 250)?;
        }
        self.ask("DATA", 354)?;
        self.raw(&stuffed(content))?;
        self.reply()
    }
}

/// With dots doubled and the final dot (RFC 5321 4.5.2); content ends in CRLF.
fn stuffed(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 64);
    for line in content.split_inclusive(|&b| b == b'\n') {
        // A line starts after CRLF, not after a bare LF.
        if line.first() == Some(&b'.') && (out.is_empty() || out.ends_with(b"\r\n")) {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    assert!(out.is_empty() || out.ends_with(b"\r\n"), "content ends in CRLF");
    out.extend_from_slice(b".\r\n");
    out
}
