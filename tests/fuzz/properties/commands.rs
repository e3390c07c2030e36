//! Command lines: any is read or refused, and what was read reads the same when it is written again.

use std::fmt::Write;

use schoolgate::smtp::Address;
use schoolgate::smtp::address::Path;
use schoolgate::smtp::command::{Command, Initial, Mail, parse};
use schoolgate::smtp::dsn::{OfMessage, OfRecipient};

use super::replies;

/// Lines, each a command.
pub fn holds(input: &[u8]) {
    for line in input.split(|&octet| octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match parse(line) {
            Ok(command) => {
                let text = written(&command);
                let again = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
                assert_eq!(again, command, "{text:?}");
                assert_eq!(written(&again), text);
                // What is shown of a password is the same for every password: a part of it cannot be sought in what is shown, since
                // one octet of it may stand there by itself.
                if let Command::Auth(mechanism, Some(_)) = &command {
                    let other = Initial(String::from("another").into());
                    let other = Command::Auth(mechanism.clone(), Some(other));
                    assert_eq!(format!("{command:?}"), format!("{other:?}"), "a password is shown");
                }
            }
            Err(error) => {
                let codes = replies(&error.reply().to_bytes());
                assert!(matches!(codes[..], [500..=599]), "{codes:?}");
            }
        }
    }
}

fn written(command: &Command) -> String {
    match command {
        Command::Ehlo(name) => format!("EHLO {name}"),
        Command::Helo(name) => format!("HELO {name}"),
        Command::Mail(mail) => mail_from(mail),
        Command::Rcpt(path, OfRecipient { notify, original }) => {
            let mut text = match path {
                Path::Null => "RCPT TO:<>".to_owned(),
                Path::Postmaster => "RCPT TO:<postmaster>".to_owned(),
                Path::Mailbox(address) => format!("RCPT TO:<{address}>"),
            };
            if let Some(notify) = notify {
                let _ = write!(text, " NOTIFY={notify}");
            }
            if let Some(original) = original {
                let _ = write!(text, " ORCPT={}", original.as_str());
            }
            text
        }
        Command::Data => "DATA".to_owned(),
        Command::Rset => "RSET".to_owned(),
        Command::Noop => "NOOP".to_owned(),
        Command::Quit => "QUIT".to_owned(),
        Command::Vrfy => "VRFY somebody".to_owned(),
        Command::Expn => "EXPN list".to_owned(),
        Command::Help => "HELP".to_owned(),
        Command::StartTls => "STARTTLS".to_owned(),
        Command::Auth(mechanism, None) => format!("AUTH {mechanism}"),
        Command::Auth(mechanism, Some(initial)) => format!("AUTH {mechanism} {}", initial.0.as_str()),
        Command::Xclient(attributes) => format!("XCLIENT {attributes}"),
        Command::Xforward(attributes) => format!("XFORWARD {attributes}"),
        Command::Bdat => "BDAT 0 LAST".to_owned(),
    }
}

fn mail_from(mail: &Mail) -> String {
    let mut text = format!("MAIL FROM:<{}>", mail.from.as_ref().map_or("", Address::as_str));
    if let Some(size) = mail.size {
        let _ = write!(text, " SIZE={size}");
    }
    if mail.eight_bit {
        text.push_str(" BODY=8BITMIME");
    }
    if mail.smtputf8 {
        text.push_str(" SMTPUTF8");
    }
    let OfMessage { ret, id } = &mail.reports;
    if let Some(ret) = ret {
        let _ = write!(text, " RET={}", ret.as_str());
    }
    if let Some(id) = id {
        let _ = write!(text, " ENVID={}", id.as_str());
    }
    text
}
