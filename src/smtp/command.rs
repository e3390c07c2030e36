//! Command lines, read strictly (RFC 5321 4.1.1), with their parameters: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8
//! (RFC 6531), AUTH on MAIL (RFC 4954 5), RET, ENVID, NOTIFY and ORCPT (RFC 3461 4); STARTTLS (RFC 3207), AUTH (RFC 4954).
//!
//! Knows one line at a time and nothing of the session. What is tolerated beyond the RFC: command names in any case,
//! spaces at the end of a line, and spaces between `FROM:` or `TO:` and the path, as old copiers send them.

use zeroize::Zeroizing;

use super::address::{self, Address, AddressError, Path};
use super::dsn::{self, EnvelopeId, Notify, OriginalRecipient, Ret};
use super::reply::{Code, Reply};
use crate::limits;

/// A command, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// EHLO with the client's name.
    Ehlo(String),
    /// HELO with the client's name.
    Helo(String),
    /// MAIL FROM.
    Mail(Mail),
    /// RCPT TO, and what is asked of reports about this recipient.
    Rcpt(Path, dsn::OfRecipient),
    /// DATA.
    Data,
    /// RSET.
    Rset,
    /// NOOP, with or without an argument.
    Noop,
    /// QUIT.
    Quit,
    /// VRFY with an argument.
    Vrfy,
    /// EXPN.
    Expn,
    /// HELP, with or without an argument.
    Help,
    /// STARTTLS.
    StartTls,
    /// AUTH with the name of a mechanism and what came behind it, which may be a password.
    Auth(String, Option<Initial>),
    /// XCLIENT with its attributes.
    Xclient(String),
    /// XFORWARD with its attributes.
    Xforward(String),
    /// BDAT, which is not offered, and ends a transaction all the same (RFC 3030 2).
    Bdat,
}

/// The initial response of AUTH (RFC 4954 4): not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Initial(pub Zeroizing<String>);

impl std::fmt::Debug for Initial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Initial")
    }
}

/// What MAIL says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// `None` is the null sender.
    pub from: Option<Address>,
    /// The declared size; `u64::MAX` for any number beyond it.
    pub size: Option<u64>,
    /// BODY=8BITMIME.
    pub eight_bit: bool,
    /// SMTPUTF8.
    pub smtputf8: bool,
    /// RET and ENVID.
    pub reports: dsn::OfMessage,
}

/// Why a line is no command. Each knows its reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Not a command of SMTP.
    #[error("Command not recognised")]
    Unknown,
    /// A command of SMTP or an extension that this server does not do.
    #[error("Command not implemented")]
    NotImplemented,
    /// Octets that stand in no command line.
    #[error("Command lines hold printable characters only")]
    Character,
    /// The arguments are not what the command wants.
    #[error("Syntax: {0}")]
    Syntax(&'static str),
    /// The path of MAIL.
    #[error("Sender address refused: {0}")]
    Sender(AddressError),
    /// The path of RCPT.
    #[error("Recipient address refused: {0}")]
    Recipient(AddressError),
    /// A parameter that is not known here.
    #[error("Parameter not recognised or not implemented")]
    UnknownParameter,
    /// A known parameter with a value that it cannot have, or twice.
    #[error("Parameter {0} is not valid")]
    Parameter(&'static str),
    /// An address outside ASCII without SMTPUTF8 (RFC 6531 3.5).
    #[error("An address outside ASCII wants SMTPUTF8")]
    WantsUtf8,
}

impl CommandError {
    /// What the client is told.
    pub fn reply(&self) -> Reply {
        let (code, enhanced) = match self {
            Self::Unknown => (Code::Unrecognised, (5, 1)),
            Self::NotImplemented => (Code::NotImplemented, (5, 1)),
            Self::Character => (Code::Syntax, (5, 2)),
            Self::Syntax(_) | Self::Parameter(_) => (Code::Syntax, (5, 4)),
            Self::Sender(_) => (Code::Syntax, (1, 7)),
            Self::Recipient(_) => (Code::Syntax, (1, 3)),
            Self::UnknownParameter => (Code::BadParameter, (5, 4)),
            Self::WantsUtf8 => (Code::BadAddress, (6, 7)),
        };
        Reply::new(code, enhanced, self.to_string())
    }
}

/// Reads one line, given without its CRLF.
pub fn parse(line: &[u8]) -> Result<Command, CommandError> {
    let line = std::str::from_utf8(line).map_err(|_| CommandError::Character)?;
    if line.chars().any(char::is_control) {
        return Err(CommandError::Character);
    }
    let line = line.trim_end_matches(' ');
    let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
    let argument = argument.trim_start_matches(' ');
    let without_argument = |command, syntax| {
        if argument.is_empty() { Ok(command) } else { Err(CommandError::Syntax(syntax)) }
    };
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => greeting(argument).map(Command::Ehlo).ok_or(CommandError::Syntax("EHLO your.host.name")),
        "HELO" => greeting(argument).map(Command::Helo).ok_or(CommandError::Syntax("HELO your.host.name")),
        "MAIL" => mail(argument).map(Command::Mail),
        "RCPT" => rcpt(argument),
        "DATA" => without_argument(Command::Data, "DATA"),
        "RSET" => without_argument(Command::Rset, "RSET"),
        "QUIT" => without_argument(Command::Quit, "QUIT"),
        "NOOP" => Ok(Command::Noop),
        "HELP" => Ok(Command::Help),
        "EXPN" => Ok(Command::Expn),
        "VRFY" if argument.is_empty() => Err(CommandError::Syntax("VRFY address")),
        "VRFY" => Ok(Command::Vrfy),
        "STARTTLS" => without_argument(Command::StartTls, "STARTTLS"),
        "AUTH" => auth(argument).ok_or(CommandError::Syntax("AUTH mechanism")),
        "BDAT" => Ok(Command::Bdat),
        "ETRN" | "TURN" | "ATRN" | "SEND" | "SOML" | "SAML" => Err(CommandError::NotImplemented),
        "XCLIENT" => Ok(Command::Xclient(argument.to_owned())),
        "XFORWARD" => Ok(Command::Xforward(argument.to_owned())),
        _ => Err(CommandError::Unknown),
    }
}

fn auth(argument: &str) -> Option<Command> {
    let mut words = argument.split(' ').filter(|word| !word.is_empty());
    let mechanism = words.next()?.to_owned();
    let initial = words.next().map(|word| Initial(Zeroizing::new(word.to_owned())));
    words.next().is_none().then_some(Command::Auth(mechanism, initial))
}

/// The argument of EHLO and HELO: a name, or an address literal. Underscores and bare addresses are common, so they pass.
fn greeting(argument: &str) -> Option<String> {
    let fits = match argument.strip_prefix('[').and_then(|a| a.strip_suffix(']')) {
        Some(literal) => address::is_address_literal(literal),
        None => argument.chars().all(|c| c.is_ascii_alphanumeric() || "-._:".contains(c)),
    };
    (fits && !argument.is_empty() && argument.len() <= limits::DOMAIN).then(|| argument.to_owned())
}

/// Splits `FROM:<path> parameters` into the path and the parameters.
fn path<'a>(argument: &'a str, word: &str) -> Option<Result<(Path, &'a str), AddressError>> {
    let (head, rest) = argument.split_at_checked(word.len())?;
    let rest = head.eq_ignore_ascii_case(word).then_some(rest)?.trim_start_matches(' ');
    Some(address::parse_path(rest).and_then(|(path, rest)| {
        if rest.is_empty() || rest.starts_with(' ') { Ok((path, rest)) } else { Err(AddressError::Shape) }
    }))
}

fn mail(argument: &str) -> Result<Mail, CommandError> {
    let (path, rest) =
        path(argument, "FROM:").ok_or(CommandError::Syntax("MAIL FROM:<address>"))?.map_err(CommandError::Sender)?;
    let from = match path {
        Path::Null => None,
        Path::Mailbox(address) => Some(address),
        Path::Postmaster => return Err(CommandError::Sender(AddressError::Shape)),
    };
    let reports = dsn::OfMessage::default();
    let mut mail = Mail { from, size: None, eight_bit: false, smtputf8: false, reports };
    for (known, value) in known(rest, &["SIZE", "BODY", "SMTPUTF8", "AUTH", "RET", "ENVID"])? {
        let wrong = CommandError::Parameter(known);
        match (known, value) {
            ("SIZE", Some(digits)) if digits.len() <= 20 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                // Twenty digits can pass the type: too big either way.
                mail.size = Some(digits.parse().unwrap_or(u64::MAX));
            }
            ("BODY", Some(body)) if body.eq_ignore_ascii_case("7BIT") => {}
            ("BODY", Some(body)) if body.eq_ignore_ascii_case("8BITMIME") => mail.eight_bit = true,
            ("SMTPUTF8", None) => mail.smtputf8 = true,
            // From a client that has not authenticated it says nothing that may be trusted (RFC 4954 5).
            ("AUTH", Some(sender)) if sender.is_ascii() => {}
            ("RET", Some(ret)) => mail.reports.ret = Some(Ret::parse(ret).ok_or(wrong)?),
            ("ENVID", Some(id)) => mail.reports.id = Some(EnvelopeId::parse(id).ok_or(wrong)?),
            _ => return Err(wrong),
        }
    }
    if !mail.smtputf8 && mail.from.as_ref().is_some_and(|a| !a.is_ascii()) {
        return Err(CommandError::WantsUtf8);
    }
    Ok(mail)
}

fn rcpt(argument: &str) -> Result<Command, CommandError> {
    let (path, rest) =
        path(argument, "TO:").ok_or(CommandError::Syntax("RCPT TO:<address>"))?.map_err(CommandError::Recipient)?;
    let mut asked = dsn::OfRecipient::default();
    for (known, value) in known(rest, &["NOTIFY", "ORCPT"])? {
        let wrong = CommandError::Parameter(known);
        match (known, value) {
            ("NOTIFY", Some(words)) => asked.notify = Some(Notify::parse(words).ok_or(wrong)?),
            ("ORCPT", Some(text)) => asked.original = Some(OriginalRecipient::parse(text).ok_or(wrong)?),
            _ => return Err(wrong),
        }
    }
    match path {
        Path::Null => Err(CommandError::Recipient(AddressError::Shape)),
        path => Ok(Command::Rcpt(path, asked)),
    }
}

/// The parameters, each of these names and said once.
fn known<'a>(text: &'a str, names: &[&'static str]) -> Result<Vec<(&'static str, Option<&'a str>)>, CommandError> {
    let mut list: Vec<(&'static str, Option<&str>)> = Vec::new();
    for (keyword, value) in parameters(text)? {
        let name = names.iter().copied().find(|name| name.eq_ignore_ascii_case(keyword));
        let name = name.ok_or(CommandError::UnknownParameter)?;
        if list.iter().any(|(seen, _)| *seen == name) {
            return Err(CommandError::Parameter(name));
        }
        list.push((name, value));
    }
    Ok(list)
}

/// `keyword` or `keyword=value`, separated by spaces (RFC 5321 4.1.2).
fn parameters(text: &str) -> Result<Vec<(&str, Option<&str>)>, CommandError> {
    let wrong = CommandError::Syntax("parameters are KEYWORD or KEYWORD=value");
    let mut list = Vec::new();
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let (keyword, value) = word.split_once('=').map_or((word, None), |(k, v)| (k, Some(v)));
        let starts = keyword.starts_with(|c: char| c.is_ascii_alphanumeric());
        let goes_on = keyword.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let value_fits = value.is_none_or(|v| !v.is_empty() && !v.contains('='));
        if !(starts && goes_on && value_fits) {
            return Err(wrong);
        }
        list.push((keyword, value));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(address: &str) -> Mail {
        let from = (!address.is_empty()).then(|| Address::parse(address).unwrap());
        let reports = dsn::OfMessage::default();
        Mail { from, size: None, eight_bit: false, smtputf8: false, reports }
    }

    #[test]
    fn commands_that_pass() {
        let asked = |notify: &str, original: &str| dsn::OfRecipient {
            notify: Notify::parse(notify),
            original: OriginalRecipient::parse(original),
        };
        let reports = |ret: &str, id: &str| dsn::OfMessage { ret: Ret::parse(ret), id: EnvelopeId::parse(id) };
        let rcpt_asks = |a: &str, asked| Command::Rcpt(Path::Mailbox(Address::parse(a).unwrap()), asked);
        let rcpt = |a: &str| rcpt_asks(a, dsn::OfRecipient::default());
        let a = "a@x.example";
        let table: Vec<(&str, Command)> = vec![
            ("EHLO mail.school.example", Command::Ehlo("mail.school.example".into())),
            ("ehlo [192.0.2.1]", Command::Ehlo("[192.0.2.1]".into())),
            ("Helo OFFICE_PC-1   ", Command::Helo("OFFICE_PC-1".into())),
            ("HELO 192.0.2.1", Command::Helo("192.0.2.1".into())),
            ("mail from:<a@x.example>", Command::Mail(mail(a))),
            ("MAIL FROM: <a@x.example>", Command::Mail(mail(a))),
            ("MAIL FROM:<>", Command::Mail(mail(""))),
            ("MAIL FROM:<a@x.example> SIZE=10 BODY=7BIT", Command::Mail(Mail { size: Some(10), ..mail(a) })),
            ("MAIL FROM:<a@x.example> body=8bitmime", Command::Mail(Mail { eight_bit: true, ..mail(a) })),
            // relay.md 37: read, and nothing follows from it.
            ("MAIL FROM:<a@x.example> AUTH=<>", Command::Mail(mail(a))),
            ("MAIL FROM:<a@x.example> AUTH=e+3Dmc2@x.example", Command::Mail(mail(a))),
            (
                "MAIL FROM:<a@x.example> SIZE=99999999999999999999",
                Command::Mail(Mail { size: Some(u64::MAX), ..mail(a) }),
            ),
            ("MAIL FROM:<ä@x.example> SMTPUTF8", Command::Mail(Mail { smtputf8: true, ..mail("ä@x.example") })),
            ("RCPT TO:<a@x.example>", rcpt(a)),
            ("rcpt to:<\"a b>\"@x.example>", rcpt("\"a b>\"@x.example")),
            ("RCPT TO:<Postmaster>", Command::Rcpt(Path::Postmaster, dsn::OfRecipient::default())),
            // Relay checklist, row 105.
            ("MAIL FROM:<a@x.example> RET=FULL", Command::Mail(Mail { reports: reports("FULL", ""), ..mail(a) })),
            (
                "MAIL FROM:<> envid=Q+2B1 ret=hdrs",
                Command::Mail(Mail { reports: reports("HDRS", "Q+2B1"), ..mail("") }),
            ),
            ("RCPT TO:<a@x.example> NOTIFY=NEVER", rcpt_asks(a, asked("NEVER", ""))),
            (
                "RCPT TO:<a@x.example> ORCPT=rfc822;b+2B@x.example notify=success,DELAY",
                rcpt_asks(a, asked("SUCCESS,DELAY", "rfc822;b+2B@x.example")),
            ),
            ("RCPT TO:<a@x.example> ORCPT=utf-8;ä@x.example", rcpt_asks(a, asked("", "utf-8;ä@x.example"))),
            ("DATA", Command::Data),
            ("data  ", Command::Data),
            ("RSET", Command::Rset),
            ("NOOP at all", Command::Noop),
            ("QUIT", Command::Quit),
            ("VRFY amy", Command::Vrfy),
            ("EXPN staff", Command::Expn),
            ("HELP", Command::Help),
            ("starttls", Command::StartTls),
            ("BDAT 10 LAST", Command::Bdat),
            ("auth login", Command::Auth("login".into(), None)),
            ("AUTH PLAIN AGEAYg==", Command::Auth("PLAIN".into(), Some(Initial(Zeroizing::new("AGEAYg==".into()))))),
        ];
        for (line, command) in table {
            assert_eq!(parse(line.as_bytes()), Ok(command), "{line}");
        }
    }

    #[test]
    fn commands_that_do_not_and_what_they_are_told() {
        let table: &[(&[u8], &str)] = &[
            (b"", "500 5.5.1"),
            (b" NOOP", "500 5.5.1"),
            (b"FROB", "500 5.5.1"),
            (b"STARTTLS now", "501 5.5.4"),
            (b"AUTH", "501 5.5.4"),
            (b"AUTH PLAIN a b", "501 5.5.4"),
            (b"ETRN x", "502 5.5.1"),
            (b"NOOP \xff", "501 5.5.2"),
            (b"NOOP\rx", "501 5.5.2"),
            (b"RCPT TO:<a\0@x.example>", "501 5.5.2"),
            (b"EHLO", "501 5.5.4"),
            (b"EHLO ", "501 5.5.4"),
            (b"HELO x) by evil (", "501 5.5.4"),
            (b"EHLO [300.1.1.1]", "501 5.5.4"),
            (b"DATA now", "501 5.5.4"),
            (b"RSET x", "501 5.5.4"),
            (b"QUIT x", "501 5.5.4"),
            (b"VRFY", "501 5.5.4"),
            (b"MAIL", "501 5.5.4"),
            (b"MAIL TO:<a@x.example>", "501 5.5.4"),
            (b"MAIL FROM:a@x.example", "501 5.1.7"),
            (b"MAIL FROM:<a@x.example>SIZE=1", "501 5.1.7"),
            (b"MAIL FROM:<a@x.example>> SIZE=1", "501 5.1.7"),
            (b"MAIL FROM:<postmaster>", "501 5.1.7"),
            (b"MAIL FROM:<a@[1.2.3]>", "501 5.1.7"),
            (b"MAIL FROM:<a@x.example> SIZE=", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> SIZE=-1", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> SIZE=999999999999999999999", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> SIZE=1 SIZE=2", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> BODY=BINARYMIME", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> SMTPUTF8=1", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> AUTH", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> =x", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> AUTH=\xc3\xa4@x.example", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> FROB=1", "555 5.5.4"),
            // Relay checklist, row 105.
            (b"MAIL FROM:<a@x.example> RET", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> RET=", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> RET=ALL", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> RET=FULL RET=FULL", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> ENVID=a ENVID=b", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> NOTIFY=NEVER", "555 5.5.4"),
            (b"RCPT TO:<a@x.example> RET=FULL", "555 5.5.4"),
            (b"RCPT TO:<a@x.example> NOTIFY", "501 5.5.4"),
            (b"RCPT TO:<a@x.example> NOTIFY=NEVER,DELAY", "501 5.5.4"),
            (b"RCPT TO:<a@x.example> NOTIFY=NEVER NOTIFY=NEVER", "501 5.5.4"),
            (b"RCPT TO:<a@x.example> NOTIFY=SOON", "501 5.5.4"),
            (b"RCPT TO:<a@x.example> ORCPT=a@x.example", "501 5.5.4"),
            (b"RCPT TO:<a@x.example> ORCPT=rfc822;a@x.example ORCPT=rfc822;a@x.example", "501 5.5.4"),
            // Relay checklist, row 32.
            (b"MAIL FROM:<a@x.example> ENVID=a+0D+0ARSET", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> ENVID=a+00", "501 5.5.4"),
            (b"MAIL FROM:<a@x.example> ENVID=a+3E", "501 5.5.4"),
            (b"RCPT TO:<a@x.example> ORCPT=rfc822;a@x.example+0D+0ADATA", "501 5.5.4"),
            (b"RCPT TO:<a@x.example> ORCPT=rfc822;a@x.example+00", "501 5.5.4"),
            (b"RCPT TO:<a@x.example> ORCPT=rfc822;a+3E@x.example", "501 5.5.4"),
            (b"RCPT TO:<a@x.example> ORCPT=utf-8;a\\x{0A}@x.example", "501 5.5.4"),
            ("MAIL FROM:<ä@x.example>".as_bytes(), "553 5.6.7"),
            (b"RCPT TO:<>", "501 5.1.3"),
            (b"RCPT TO:<a b@x.example>", "501 5.1.3"),
            (b"RCPT FROM:<a@x.example>", "501 5.5.4"),
        ];
        for (line, told) in table {
            let error = parse(line).expect_err(&line.escape_ascii().to_string());
            let wire = String::from_utf8(error.reply().to_bytes()).unwrap();
            assert!(wire.starts_with(told), "{}: {wire}", line.escape_ascii());
        }
    }
}
