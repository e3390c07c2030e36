//! What a recipient is to the school, and the one place where each kind has its words.

/// What a recipient is to the school; exactly one kind fits, the first of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecipientKind {
    /// In one of the school's own domains.
    Internal,
    /// A guardian's address.
    Guardian,
    /// A member of staff's private address.
    StaffPersonal,
    /// On the trusted list.
    Trusted,
    /// On the contact list.
    Contact,
    /// None of the above, and confusable with one of them.
    Lookalike,
    /// At a throw-away mailbox domain.
    Disposable,
    /// At a personal mailbox provider.
    Personal,
    /// Everybody else.
    External,
}

impl RecipientKind {
    /// Every kind, in the order in which they are tried.
    pub const ALL: [Self; 9] = [
        Self::Internal,
        Self::Guardian,
        Self::StaffPersonal,
        Self::Trusted,
        Self::Contact,
        Self::Lookalike,
        Self::Disposable,
        Self::Personal,
        Self::External,
    ];

    /// The kind of a word of a report.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The word that reports and rule packs use.
    pub fn as_str(self) -> &'static str {
        self.words().0
    }

    /// What one address of this kind, or several, are to the school, for its staff to read behind the address.
    pub fn described(self, several: bool) -> &'static str {
        let (_, one, more, _) = self.words();
        if several { more } else { one }
    }

    /// Who reads there, in a list: "Mail about 2 pupils to parents and carers".
    pub fn listed(self) -> &'static str {
        self.words().3
    }

    /// Its word, one address, several, and who reads there.
    #[rustfmt::skip]
    fn words(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Internal => (
                "internal", "an address of the school", "addresses of the school", "colleagues",
            ),
            Self::Guardian => (
                "guardian", "the address of a parent or carer", "addresses of parents or carers", "parents and carers",
            ),
            Self::StaffPersonal => (
                "staff-personal", "a private mailbox of a member of staff", "private mailboxes of members of staff",
                "private mailboxes of staff",
            ),
            Self::Trusted => (
                "trusted", "a trusted partner of the school", "trusted partners of the school", "trusted partners",
            ),
            Self::Contact => (
                "contact", "a contact of the school", "contacts of the school", "contacts of the school",
            ),
            Self::Lookalike => (
                "lookalike", "an address that looks mistyped", "addresses that look mistyped",
                "addresses that look mistyped",
            ),
            Self::Disposable => (
                "disposable", "a throw-away mailbox", "throw-away mailboxes", "throw-away mailboxes",
            ),
            Self::Personal => (
                "personal", "a private mailbox that is not on our records",
                "private mailboxes that are not on our records", "private mailboxes",
            ),
            Self::External => (
                "external", "an address that is not on our records", "addresses that are not on our records",
                "addresses not on our records",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RecipientKind;

    #[test]
    fn a_kind_keeps_its_word_and_no_two_read_alike() {
        for kind in RecipientKind::ALL {
            assert_eq!(RecipientKind::of_word(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        let words: std::collections::HashSet<_> =
            RecipientKind::ALL.into_iter().map(|kind| (kind.described(false), kind.listed())).collect();
        assert_eq!(words.len(), RecipientKind::ALL.len());
    }
}
