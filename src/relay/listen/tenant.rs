//! Whether a message comes from one tenant of a provider that shares its addresses and certificates among all of them.
//!
//! The provider writes a header that names the tenant; a sender elsewhere may have written one too. So it counts only where it stands
//! once, in the message's own header, whatever its letters' case and folding; what cannot be read so is another's. Its value is a
//! secret where a school made it up: it is taken out before anything else is done with the message, and nobody further on reads it.

use std::sync::Arc;

use ring::digest::{SHA256, digest};

use crate::config::Tenant;
use crate::message::header;

/// The content without that header, and its SHA-256; `None` where it is not of this tenant. Our own `head` stands before the message.
pub(super) fn admitted(content: &[u8], head: usize, tenant: &Tenant) -> Option<(Arc<[u8]>, [u8; 32])> {
    let (ours, message) = content.split_at_checked(head)?;
    if !is_of(message, tenant) {
        return None;
    }
    let content: Arc<[u8]> = [ours, &header::without(message, |field| field.is(&tenant.header))].concat().into();
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, &content).as_ref());
    Some((content, sha256))
}

/// Whether the message's own header names this tenant, and nobody else.
fn is_of(message: &[u8], tenant: &Tenant) -> bool {
    let block = header::read_block(message, 0);
    let mut found = block.headers.iter().filter(|header| header.is(&tenant.header));
    let (Some(only), None) = (found.next(), found.next()) else { return false };
    // Folding may stand wherever there is white space (RFC 5322 2.2.3).
    let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    block.faults.is_empty() && words(&only.raw_value) == words(&tenant.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_header_with_the_one_value_and_nothing_else_will_do() {
        let tenant = Tenant { header: "X-Tenant".to_owned(), value: "0a1b2c3d-Ours".to_owned() };
        for (message, is_of_it) in [
            (&b"X-Tenant: 0a1b2c3d-ours\r\n\r\nx"[..], true),
            (b"Subject: x\r\nx-TENANT:0A1B2C3D-OURS  \r\nTo: y\r\n\r\nx", true),
            (b"X-Tenant:\r\n 0a1b2c3d-ours\r\n\r\nx", true),
            (b"X-Tenant:\r\n\t 0a1b2c3d-ours\r\n \tx\r\n\r\nx", false),
            (b"X-Tenant : 0a1b2c3d-ours\r\n\r\nx", true),
            (b"X-Tenant: 0a1b2c3d-ours\r\n", true),
            (b"", false),
            (b"Subject: x\r\n\r\nx", false),
            (b"X-Tenant:\r\n\r\nx", false),
            (b"X-Tenant: theirs\r\n\r\nx", false),
            (b"X-Tenant: 0a1b2c3d-ours-too\r\n\r\nx", false),
            (b"X-Tenant: 0a1b2c3d -ours\r\n\r\nx", false),
            (b"X-Tenant: 0a1b2c3d-\r\n ours\r\n\r\nx", false),
            (b"X-Tenant: theirs, 0a1b2c3d-ours\r\n\r\nx", false),
            (b"X-Tenant: =?utf-8?q?0a1b2c3d-ours?=\r\n\r\nx", false),
            (b"X-Tenants: 0a1b2c3d-ours\r\n\r\nx", false),
            // Written by the sender, and by the provider behind or before it.
            (b"X-Tenant: 0a1b2c3d-ours\r\nX-Tenant: theirs\r\n\r\nx", false),
            (b"X-Tenant: theirs\r\nX-Tenant: 0a1b2c3d-ours\r\n\r\nx", false),
            (b"X-Tenant: 0a1b2c3d-ours\r\nx-tenant : 0a1b2c3d-ours\r\n\r\nx", false),
            // Not in the header of the message itself.
            (b"Subject: x\r\n\r\nX-Tenant: 0a1b2c3d-ours\r\n", false),
            (b"Content-Type: message/rfc822\r\n\r\nX-Tenant: 0a1b2c3d-ours\r\n\r\nx", false),
            (b"Subject: x X-Tenant: 0a1b2c3d-ours\r\n\r\nx", false),
            (b"Subject: x\r\n X-Tenant: 0a1b2c3d-ours\r\n\r\nx", false),
            // What programs read in different ways.
            (b"no header\r\nX-Tenant: 0a1b2c3d-ours\r\n\r\nx", false),
            (b"Subject: x\r\nno header\r\nX-Tenant: 0a1b2c3d-ours\r\n\r\nx", false),
            (b"X-Tenant: 0a1b2c3d-ours\0\r\n\r\nx", false),
            (b"X-Tenant: theirs\r0a1b2c3d-ours\r\n\r\nx", false),
        ] {
            assert_eq!(super::is_of(message, &tenant), is_of_it, "{}", message.escape_ascii());
        }
    }
}
