//! XCLIENT and XFORWARD: what is told reads the same when it is told again, and holds nothing that breaks out of its line.

use schoolgate::smtp::xclient::{Told, XCLIENT, XFORWARD, read};

/// Lines, each the attributes of a command.
pub fn holds(input: &[u8]) {
    for line in String::from_utf8_lossy(input).split('\n') {
        for offer in [XCLIENT, XFORWARD] {
            let Some(Told { address, helo }) = read(offer, line) else { continue };
            let mut attributes = vec!["NAME=[UNAVAILABLE]".to_owned()];
            if let Some(address) = address {
                assert_eq!(address, address.to_canonical());
                let tag = if address.is_ipv6() { "IPV6:" } else { "" };
                attributes.push(format!("ADDR={tag}{address}"));
            }
            if let Some(helo) = &helo {
                assert!(!helo.is_empty() && helo.len() <= 255 && !helo.chars().any(char::is_control), "{helo:?}");
                let encoded: String = helo.bytes().map(|octet| format!("+{octet:02X}")).collect();
                attributes.push(format!("HELO={encoded}"));
            }
            assert_eq!(read(offer, &attributes.join(" ")), Some(Told { address, helo }), "{line:?}");
        }
    }
}
