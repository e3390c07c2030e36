//! Addresses and paths: kept as they came, and never two addresses to two readers.

use schoolgate::smtp::Address;
use schoolgate::smtp::address::{Path, parse_path};
use schoolgate::smtp::command::{Command, parse};

/// Lines, each an address, or a path with what follows it.
pub fn holds(input: &[u8]) {
    for line in String::from_utf8_lossy(input).split('\n') {
        if let Ok((path, rest)) = parse_path(line) {
            assert!(line.ends_with(rest));
            if let Path::Mailbox(address) = path {
                assert!(line.contains(address.as_str()), "kept as it came");
                whole(&address);
            }
        }
        if let Ok(address) = Address::parse(line) {
            assert_eq!(address.as_str(), line);
            whole(&address);
        }
    }
}

fn whole(address: &Address) {
    let text = address.as_str();
    assert_eq!(address.to_string(), text);
    let domain =
        text.strip_prefix(address.local()).and_then(|rest| rest.strip_prefix('@')).expect("local part, @, domain");
    assert!(!address.local().is_empty() && !domain.is_empty());
    assert!(address.local().len() <= 64 && domain.len() <= 255 && text.len() + 2 <= 256);
    assert!(!text.chars().any(char::is_control));
    assert!(!domain.contains(['@', '<', '>', ' ', '"']), "{domain:?}");
    assert!(address.local_unquoted().len() <= address.local().len());
    assert_eq!(address.domain().to_lowercase(), address.domain());
    assert_eq!(address.is_ascii(), text.is_ascii());

    let again = Address::parse(text).expect("it reads again");
    assert_eq!((&again, again.local()), (address, address.local()));
    assert!(address.is_same_mailbox(&again));
    let json = serde_json::to_string(address).expect("text");
    assert_eq!(&serde_json::from_str::<Address>(&json).expect("the same text"), address);

    // In a command it is one recipient, and all that follows is parameters.
    match parse_path(&format!("<{text}> REST")) {
        Ok((Path::Mailbox(path), " REST")) => assert_eq!(path.as_str(), text),
        other => panic!("{text:?} between brackets: {other:?}"),
    }
    match parse(format!("RCPT TO:<{text}>").as_bytes()) {
        Ok(Command::Rcpt(Path::Mailbox(path), _)) => assert_eq!(path.as_str(), text),
        other => panic!("{text:?} in RCPT: {other:?}"),
    }
}
