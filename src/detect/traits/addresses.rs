//! Mail addresses in a text, and what each is to the sender and the recipients.

use std::sync::LazyLock;

use hashbrown::HashSet;
use regex::Regex;

use super::super::Correspondence;
use crate::people::{RecipientKind, School, SenderIdentity};
use crate::smtp::Address;

/// An address as people write it; a stop at its end belongs to the sentence.
static ADDRESS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)[a-z0-9][a-z0-9._%+'-]*@(?:[a-z0-9-]+\.)+[a-z]{2,}").ok());

/// The people of one message, by their addresses.
pub(super) struct Known<'a> {
    pub(super) school: &'a School,
    pub(super) correspondence: &'a Correspondence,
    sender: SenderIdentity,
    /// Where the sender reads, folded to lower case.
    own: HashSet<String>,
    recipients: HashSet<String>,
}

impl<'a> Known<'a> {
    pub(super) fn of(school: &'a School, correspondence: &'a Correspondence) -> Self {
        let from = correspondence.sender_address.as_deref().and_then(|address| Address::parse(address).ok());
        let mut own: HashSet<String> = correspondence.sender_address.iter().map(|a| a.to_lowercase()).collect();
        own.extend(from.iter().flat_map(|from| school.mailboxes_of(from)).map(|a| a.as_str().to_lowercase()));
        let sender = school.sender(from.as_ref(), &correspondence.sender_names);
        let recipients = correspondence.recipient_addresses.iter().map(|a| a.to_lowercase()).collect();
        Self { school, correspondence, sender, own, recipients }
    }

    pub(super) fn is_own(&self, address: &Address) -> bool {
        self.own.contains(&address.as_str().to_lowercase())
    }

    pub(super) fn is_recipient(&self, address: &Address) -> bool {
        self.recipients.contains(&address.as_str().to_lowercase())
    }

    pub(super) fn kind(&self, address: &Address) -> RecipientKind {
        self.school.recipient(address, &self.sender).kind
    }

    /// Somebody's own mailbox, outside the school; that of a member of staff who is a parent too.
    pub(super) fn is_private(&self, address: &Address) -> bool {
        self.is_staff_private(address)
            || matches!(self.kind(address), RecipientKind::Personal | RecipientKind::Disposable)
    }

    /// The sender's own mailbox outside, by the directory or by its name.
    pub(super) fn is_staff_private(&self, address: &Address) -> bool {
        let kind = self.kind(address);
        kind == RecipientKind::StaffPersonal || kind == RecipientKind::Guardian && self.is_own(address)
    }

    /// A private mailbox of the directory stands there, and not only as one of those who are written to.
    pub(super) fn of_staff_in(&self, line: &str) -> bool {
        line.contains('@')
            && found(line)
                .iter()
                .any(|(_, address)| self.school.is_private_of_staff(address) && !self.is_recipient(address))
    }
}

/// Every address of a text, with the place of its first octet.
pub(super) fn found(text: &str) -> Vec<(usize, Address)> {
    let Some(pattern) = &*ADDRESS else { return Vec::new() };
    pattern.find_iter(text).filter_map(|at| Some((at.start(), Address::parse(at.as_str()).ok()?))).collect()
}
