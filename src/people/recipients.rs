//! What a recipient is to the school: exactly one kind, the first that fits.
//!
//! Addresses are compared in lower case, without what their provider ignores. A look-alike is one slip of the finger
//! (a character more, less, other, or two swapped) or a homoglyph away from a domain the school writes to, or one slip away
//! from a guardian's whole address; a domain that is itself well known is never one.

use hashbrown::{HashMap, HashSet};

use super::index::Adult;
use super::names::NAMES;
use super::providers::PROVIDERS;
use super::{Correspondent, Guardian, PupilIndex, Recipient, RecipientKind, School, Staff};
use crate::limits;
use crate::smtp::Address;
use crate::text::TextBuf;
use crate::text::normalise::{latin_for, token_hash};

/// The sender, as far as recognising his or her own private mailbox needs.
#[derive(Debug, Clone, Default)]
pub struct SenderIdentity {
    /// Place in [`School::staff`], where the address is in the directory.
    pub staff: Option<usize>,
    /// Forename, as the directory or the display name has it.
    pub forename: String,
    /// Family name.
    pub surname: String,
}

/// Addresses and domains as they are compared.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    guardians: HashMap<String, Vec<u32>>,
    private: HashSet<String>,
    /// Hashes of the pupils' own mailboxes: the mailboxes themselves are forgotten.
    pupils: HashSet<u64>,
    staff: HashMap<String, usize>,
    senders: HashMap<String, HashSet<String>>,
    exact: HashMap<String, bool>,
    domains: HashMap<String, bool>,
    suffixes: HashMap<String, bool>,
    /// Domains that a look-alike may imitate.
    imitated: Vec<String>,
}

fn fold(text: &str) -> Option<String> {
    let address = Address::parse(text.trim()).ok()?;
    Some(PROVIDERS.fold(address.local(), &address.domain()))
}

impl Directory {
    pub(super) fn build(school: &School) -> Self {
        let mut out = Self::default();
        for (at, guardian) in school.guardians.iter().enumerate() {
            if let Some(address) = guardian.email.as_deref().and_then(fold) {
                out.guardians.entry(address).or_default().push(u32::try_from(at).unwrap_or(u32::MAX));
            }
        }
        let mailboxes = school.pupils.iter().filter_map(|pupil| pupil.email.as_deref().and_then(fold));
        out.pupils = mailboxes.map(|address| token_hash(&address)).collect();
        for (at, staff) in school.staff.iter().enumerate() {
            if let Some(address) = fold(&staff.email) {
                out.staff.insert(address.clone(), at);
                let own = out.senders.entry(address).or_default();
                own.extend(staff.may_send_as.iter().filter_map(|other| fold(other)));
            }
            out.private.extend(staff.private_email.as_deref().and_then(fold));
        }
        for correspondent in &school.correspondents {
            let pattern = correspondent.pattern.trim().to_lowercase();
            let list = if pattern.contains('@') {
                &mut out.exact
            } else if pattern.starts_with("*.") {
                &mut out.suffixes
            } else {
                &mut out.domains
            };
            let key = match (pattern.contains('@'), pattern.strip_prefix("*.")) {
                (true, _) => fold(&pattern).unwrap_or(pattern),
                (false, Some(suffix)) => suffix.to_owned(),
                (false, None) => pattern,
            };
            // Trusted wins where both lists have it.
            let entry = list.entry(key).or_default();
            *entry |= correspondent.trusted;
        }
        let mut imitated: HashSet<String> = school.domains.iter().cloned().collect();
        imitated.extend(out.domains.keys().cloned());
        imitated.extend(out.suffixes.keys().cloned());
        imitated.extend(out.exact.keys().filter_map(|address| Some(address.rsplit_once('@')?.1.to_owned())));
        imitated.extend(PROVIDERS.big.iter().cloned());
        out.imitated = imitated.into_iter().collect();
        out.imitated.sort();
        out
    }

    /// On a list: `Some(true)` is trusted. The most particular entry that fits decides, address before domain before suffix.
    fn listed(&self, address: &str, domain: &str) -> Option<bool> {
        let mut found: Option<bool> = None;
        let mut add = |trusted: Option<&bool>| {
            if let Some(&trusted) = trusted {
                found = Some(found.unwrap_or_default() | trusted);
            }
        };
        add(self.exact.get(address));
        add(self.domains.get(domain));
        let mut rest = Some(domain);
        while let Some(suffix) = rest {
            add(self.suffixes.get(suffix));
            rest = suffix.split_once('.').map(|(_, tail)| tail);
        }
        found
    }
}

impl School {
    /// The members of staff, by their school or private mailbox, and the guardians to whom an address belongs.
    pub fn adults_at(&self, address: &Address) -> Vec<Adult> {
        let folded = PROVIDERS.fold(address.local(), &address.domain());
        let guardians = self.directory.guardians.get(&folded).map_or(&[][..], Vec::as_slice);
        let mut out: Vec<Adult> = guardians.iter().map(|&at| Adult::Guardian(at)).collect();
        let own = |staff: &Staff| {
            let private = staff.private_email.as_deref().and_then(fold);
            fold(&staff.email).is_some_and(|mailbox| mailbox == folded)
                || private.is_some_and(|mailbox| mailbox == folded)
        };
        let staff = self.staff.iter().enumerate().filter(|(_, staff)| own(staff));
        out.extend(staff.map(|(at, _)| Adult::Staff(u32::try_from(at).unwrap_or(u32::MAX))));
        out
    }

    /// A private mailbox is written like the name of this adult, as people write their own.
    pub fn spells_adult(&self, address: &Address, adult: Adult) -> bool {
        let named = match adult {
            Adult::Staff(at) => self.staff.get(at as usize).map(|staff| (&staff.forename, &staff.surname)),
            Adult::Guardian(at) => self.guardians.get(at as usize).map(|parent| (&parent.forename, &parent.surname)),
        };
        let identity = named.map(|(forename, surname)| SenderIdentity {
            staff: None,
            forename: forename.clone(),
            surname: surname.clone(),
        });
        PROVIDERS.personal(&address.domain()) && identity.is_some_and(|identity| spells(address.local(), &identity))
    }

    /// The entry of the trusted or contact list that an address belongs to.
    pub fn correspondent(&self, address: &Address) -> Option<&Correspondent> {
        let (whole, domain) = (address.as_str().to_lowercase(), address.domain());
        self.correspondents.iter().find(|entry| {
            let pattern = entry.pattern.trim().to_lowercase();
            let below = pattern.strip_prefix("*.").is_some_and(|suffix| {
                domain == *suffix || domain.strip_suffix(suffix).is_some_and(|head| head.ends_with('.'))
            });
            pattern == whole || pattern == domain || below
        })
    }

    /// The kind of an envelope recipient.
    pub fn recipient(&self, address: &Address, sender: &SenderIdentity) -> Recipient {
        let domain = address.domain();
        let folded = PROVIDERS.fold(address.local(), &domain);
        let (mut guardian_of, mut barred_from) = (Vec::new(), Vec::new());
        let readers = self.directory.guardians.get(&folded).map_or(&[][..], Vec::as_slice);
        let readers = || readers.iter().filter_map(|&at| self.guardians.get(at as usize));
        for guardian in readers() {
            guardian_of.extend(&guardian.pupils);
            barred_from.extend(&guardian.barred_from);
        }
        for pupils in [&mut guardian_of, &mut barred_from] {
            pupils.sort();
            pupils.dedup();
        }
        guardian_of.retain(|pupil| !barred_from.contains(pupil));
        let is_guardian = readers().next().is_some();
        let kind = if self.domains.contains(&domain) {
            RecipientKind::Internal
        } else if is_guardian {
            RecipientKind::Guardian
        } else if self.directory.private.contains(&folded)
            || (PROVIDERS.personal(&domain) && spells(address.local(), sender))
        {
            RecipientKind::StaffPersonal
        } else {
            match self.directory.listed(&folded, &domain) {
                Some(true) => RecipientKind::Trusted,
                Some(false) => RecipientKind::Contact,
                None if self.lookalike(&folded, &domain) => RecipientKind::Lookalike,
                None if PROVIDERS.disposable(&domain) => RecipientKind::Disposable,
                None if PROVIDERS.personal(&domain) => RecipientKind::Personal,
                None => RecipientKind::External,
            }
        };
        if kind != RecipientKind::Guardian {
            guardian_of.clear();
        }
        Recipient {
            address: address.clone(),
            kind,
            guardian_of,
            barred_from,
            no_email_consent: readers().any(|guardian| guardian.email_consent == Some(false)),
            is_pupil: !is_guardian && self.directory.pupils.contains(&token_hash(&folded)),
            senders_own: kind == RecipientKind::Guardian && self.is_senders_own(&folded, address, &domain, sender),
        }
    }

    /// A guardian's mailbox that is the sender's own private one: the directory says so, or it spells the sender's name and
    /// its guardian has that name too. Where only the spelling fits, it is another parent's.
    fn is_senders_own(&self, folded: &str, address: &Address, domain: &str, sender: &SenderIdentity) -> bool {
        let staff = sender.staff.and_then(|at| self.staff.get(at));
        let listed = staff.and_then(|staff| staff.private_email.as_deref()).and_then(fold);
        if listed.as_deref() == Some(folded) {
            return true;
        }
        let same = |one: &str, other: &str| !one.is_empty() && plain(one) == plain(other);
        let is_sender = |guardian: &Guardian| {
            same(&guardian.surname, &sender.surname) && same(&guardian.forename, &sender.forename)
        };
        PROVIDERS.personal(domain) && spells(address.local(), sender) && self.guardians_at(address).any(is_sender)
    }

    /// Who sends: from the directory, else from the display name, else from the address itself (`r.moss@`).
    pub fn sender(&self, envelope_from: Option<&Address>, display_names: &[String]) -> SenderIdentity {
        if let Some(at) = envelope_from.and_then(|from| self.staff_place(from))
            && let Some(staff) = self.staff.get(at)
        {
            return SenderIdentity {
                staff: Some(at),
                forename: staff.forename.clone(),
                surname: staff.surname.clone(),
            };
        }
        let from_local = envelope_from.map(|from| from.local().replace(['.', '_', '-'], " "));
        for name in display_names.iter().filter(|name| !name.contains('@')).chain(from_local.as_ref()) {
            let words: Vec<&str> = name.split_whitespace().collect();
            if let [first, .., last] = words[..] {
                return SenderIdentity { staff: None, forename: first.to_owned(), surname: last.to_owned() };
            }
        }
        SenderIdentity::default()
    }

    fn staff_place(&self, address: &Address) -> Option<usize> {
        self.directory.staff.get(&PROVIDERS.fold(address.local(), &address.domain())).copied()
    }

    /// Every mailbox that the person behind this address reads or may send as, the private one included; empty for an
    /// address that is in no directory.
    pub fn mailboxes_of(&self, address: &Address) -> Vec<Address> {
        let Some(staff) = self.staff_by_address(address) else { return Vec::new() };
        let addresses = std::iter::once(&staff.email).chain(&staff.may_send_as).chain(&staff.private_email);
        addresses.filter_map(|a| Address::parse(a).ok()).collect()
    }

    /// Whether this is the private mailbox of a member of staff, by the directory.
    pub fn is_private_of_staff(&self, address: &Address) -> bool {
        self.directory.private.contains(&PROVIDERS.fold(address.local(), &address.domain()))
    }

    /// The pupils whose guardian's mailbox this is.
    pub fn children_of(&self, address: &Address) -> Vec<PupilIndex> {
        self.guardians_at(address).flat_map(|guardian| &guardian.pupils).copied().collect()
    }

    /// The guardians who read at this mailbox.
    pub fn guardians_at(&self, address: &Address) -> impl Iterator<Item = &Guardian> {
        let folded = PROVIDERS.fold(address.local(), &address.domain());
        let guardians = self.directory.guardians.get(&folded).map_or(&[][..], Vec::as_slice);
        guardians.iter().filter_map(|&at| self.guardians.get(at as usize))
    }

    /// The member of staff whose school mailbox this is.
    pub fn staff_by_address(&self, address: &Address) -> Option<&Staff> {
        self.staff_place(address).and_then(|at| self.staff.get(at))
    }

    /// Whether the envelope sender may put `address` into From or Sender: its own, or one the directory grants.
    pub fn may_send_as(&self, envelope_from: &Address, address: &Address) -> bool {
        let own = PROVIDERS.fold(envelope_from.local(), &envelope_from.domain());
        let other = PROVIDERS.fold(address.local(), &address.domain());
        own == other || self.directory.senders.get(&own).is_some_and(|granted| granted.contains(&other))
    }

    /// Whether the directory lets anybody send as this address.
    pub fn is_sent_as(&self, address: &Address) -> bool {
        let folded = PROVIDERS.fold(address.local(), &address.domain());
        self.directory.senders.values().any(|granted| granted.contains(&folded))
    }

    fn lookalike(&self, folded: &str, domain: &str) -> bool {
        if PROVIDERS.personal(domain) || PROVIDERS.disposable(domain) {
            return self.near_a_guardian(folded);
        }
        let own_kind =
            |target: &str| domain == target || domain.strip_suffix(target).is_some_and(|head| head.ends_with('.'));
        if self.directory.imitated.iter().any(|target| own_kind(target)) {
            return self.near_a_guardian(folded);
        }
        let skeleton = skeleton(domain);
        self.directory.imitated.iter().any(|target| confusable(domain, &skeleton, target))
            || self.near_a_guardian(folded)
    }

    fn near_a_guardian(&self, folded: &str) -> bool {
        let wanted: Vec<char> = folded.chars().collect();
        self.directory.guardians.keys().any(|known| {
            known.len().abs_diff(folded.len()) <= 4 && {
                let known: Vec<char> = known.chars().collect();
                one_slip(&wanted, &known)
            }
        })
    }
}

/// The tokens of a name, closed up.
fn plain(name: &str) -> String {
    let text = TextBuf::new(name);
    let text = text.text();
    text.tokens.iter().map(|token| text.norm(token)).collect()
}

/// The local part spells the sender's surname with forename or initial.
fn spells(local: &str, sender: &SenderIdentity) -> bool {
    let surname = plain(&sender.surname);
    let forename = plain(&sender.forename);
    if surname.chars().count() < 2 || forename.is_empty() {
        return false;
    }
    let local = local.split('+').next().unwrap_or(local).to_lowercase();
    let text = TextBuf::new(&local);
    let text = text.text();
    // Letters alone, with a bar wherever something else stood.
    let mut spelt = String::new();
    for token in text.tokens {
        if !spelt.is_empty() && !token.gap.joined() {
            spelt.push('|');
        }
        spelt.extend(text.norm(token).chars().map(|c| if c.is_ascii_digit() { '|' } else { c }));
    }
    let closed = spelt.replace('|', "");
    let initial: String = forename.chars().take(1).collect();
    let mut forenames = vec![forename.clone()];
    forenames
        .extend(NAMES.short_forms(&sender.forename).iter().map(|short| plain(short)).filter(|short| short.len() >= 2));
    let whole =
        |name: &str| closed.contains(&format!("{name}{surname}")) || closed.contains(&format!("{surname}{name}"));
    let pieces: Vec<&str> = spelt.split('|').filter(|piece| !piece.is_empty()).collect();
    forenames.iter().any(|name| whole(name))
        || pieces.iter().any(|piece| *piece == format!("{initial}{surname}") || *piece == format!("{surname}{initial}"))
        || (pieces.contains(&surname.as_str())
            && pieces.iter().any(|piece| *piece == initial || forenames.iter().any(|name| name == piece)))
}

fn confusable(domain: &str, skeleton_of_domain: &str, target: &str) -> bool {
    // A longer domain is compared by as many labels as the imitated one has: `team.nsh.uk` imitates `nhs.uk`.
    let labels = target.split('.').count();
    let tail = |text: &str| {
        let from = text.match_indices('.').map(|(at, _)| at).rev().nth(labels - 1).map_or(0, |at| at + 1);
        text[from..].to_owned()
    };
    let (near, near_skeleton) = (tail(domain), tail(skeleton_of_domain));
    let name = target.split('.').next().unwrap_or(target);
    if near_skeleton == skeleton(target) && near != target {
        return true;
    }
    let telling = name.len() >= limits::CONFUSABLE_NAME || (labels > 2 && target.len() >= 12);
    let (a, b): (Vec<char>, Vec<char>) = (near.chars().collect(), target.chars().collect());
    telling && one_slip(&a, &b)
}

/// What a domain looks like: each character and pair replaced by what it can be taken for.
fn skeleton(domain: &str) -> String {
    let mut out = String::with_capacity(domain.len());
    for label in domain.split('.') {
        let decoded = label.strip_prefix("xn--").and_then(punycode);
        for c in TextBuf::new(decoded.as_deref().unwrap_or(label)).text().folded().chars() {
            let c = latin_for(c).unwrap_or(c).to_ascii_lowercase();
            out.push(match c {
                '0' => 'o',
                '1' | 'i' | '|' => 'l',
                '5' => 's',
                '3' => 'e',
                c => c,
            });
        }
        out.push('.');
    }
    out.pop();
    out.replace("rn", "m").replace("vv", "w").replace("cl", "d")
}

/// One insertion, deletion, substitution or swap of neighbours.
fn one_slip(a: &[char], b: &[char]) -> bool {
    if a.len().abs_diff(b.len()) > 1 || a == b {
        return false;
    }
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (short, long) = (a.len().min(b.len()), a.len().max(b.len()));
    if head + tail >= long - 1 && head + tail.min(short - head) >= long - 1 {
        return true;
    }
    a.len() == b.len()
        && head + 2 <= a.len()
        && a[head] == b[head + 1]
        && a[head + 1] == b[head]
        && a[head + 2..] == b[head + 2..]
}

/// Punycode of one label, RFC 3492 section 6.2.
fn punycode(text: &str) -> Option<String> {
    let (basic, extended) = text.rsplit_once('-').unwrap_or(("", text));
    let mut out: Vec<char> = basic.chars().collect();
    let (mut n, mut i, mut bias) = (128u32, 0u32, 72u32);
    let mut input = extended.bytes();
    while input.len() > 0 {
        let (start, mut weight, mut k) = (i, 1u32, 36u32);
        loop {
            let digit = match input.next()? {
                b @ b'a'..=b'z' => u32::from(b - b'a'),
                b @ b'0'..=b'9' => u32::from(b - b'0') + 26,
                _ => return None,
            };
            i = i.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(1, 26);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(36 - threshold)?;
            k += 36;
        }
        let points = u32::try_from(out.len()).ok()? + 1;
        let mut delta = (i - start) / if start == 0 { 700 } else { 2 };
        delta += delta / points;
        let mut steps = 0;
        while delta > 455 {
            delta /= 35;
            steps += 36;
        }
        bias = steps + 36 * delta / (delta + 38);
        n = n.checked_add(i / points)?;
        i %= points;
        out.insert(i as usize, char::from_u32(n)?);
        i += 1;
    }
    Some(out.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{Correspondent, Guardian, Pupil};

    fn school() -> School {
        let correspondent =
            |trusted, pattern: &str| Correspondent { trusted, pattern: pattern.into(), name: String::new() };
        School {
            domains: vec!["brackenhurst.example".into()],
            pupils: vec![Pupil { id: "A".into(), forename: "Mina".into(), surname: "Lowe".into(), ..Pupil::default() }],
            guardians: vec![Guardian {
                id: "G".into(),
                forename: "Jo".into(),
                surname: "Lowe".into(),
                email: Some("jo.lowe.quarry@gmail.com".into()),
                pupils: vec![PupilIndex(0)],
                ..Guardian::default()
            }],
            staff: vec![Staff {
                forename: "Daniel".into(),
                surname: "Moss".into(),
                email: "d.moss@brackenhurst.example".into(),
                private_email: Some("mossy77@sky.com".into()),
                may_send_as: vec!["office@brackenhurst.example".into()],
                ..Staff::default()
            }],
            correspondents: vec![
                correspondent(true, "council.example"),
                correspondent(true, "*.nhs.example"),
                correspondent(true, "clerk.lane@btinternet.com"),
                correspondent(false, "lensphotos.example"),
            ],
            ..School::default()
        }
        .indexed()
    }

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn kinds() {
        use RecipientKind::*;
        let school = school();
        let sender = school.sender(Some(&address("d.moss@brackenhurst.example")), &[]);
        for (text, want) in [
            ("head@Brackenhurst.EXAMPLE", Internal),
            ("Jo.Lowe.Quarry+school@googlemail.com", Guardian),
            ("jolowequarry@gmail.com", Guardian),
            ("mossy77@sky.com", StaffPersonal),
            ("dan.moss@hotmail.co.uk", StaffPersonal),
            ("dmoss1980@gmail.com", StaffPersonal),
            ("moss.daniel@gmail.com", StaffPersonal),
            ("mossgarden@gmail.com", Personal),
            ("adam.mossop@gmail.com", Personal),
            ("d.moss@firm.example", External),
            ("x@council.example", Trusted),
            ("x@sub.council.example", External),
            ("x@nhs.example", Trusted),
            ("x@a.b.nhs.example", Trusted),
            ("clerk.lane@btinternet.com", Trusted),
            ("other@btinternet.com", Personal),
            ("x@lensphotos.example", Contact),
            ("x@counci.example", Lookalike),
            ("x@gmial.com", Lookalike),
            ("x@gmail.co", Lookalike),
            ("x@brackenhurst.examp1e", Lookalike),
            ("x@brackenhurt.example", Lookalike),
            ("x@brackenhurst.exarnple", Lookalike),
            ("x@mail.com", Personal),
            ("x@ymail.com", Personal),
            ("jo.low.quarry@gmail.com", Lookalike),
            ("x@mailinator.com", Disposable),
            ("x@office.brackenhurst.example", External),
            ("x@elsewhere.example", External),
            ("x@ski.com", External),
        ] {
            assert_eq!(school.recipient(&address(text), &sender).kind, want, "{text}");
        }
        assert_eq!(school.recipient(&address("jolowequarry@gmail.com"), &sender).guardian_of, [PupilIndex(0)]);
    }

    #[test]
    fn who_may_send_as_whom() {
        let school = school();
        let own = address("d.moss@brackenhurst.example");
        assert!(school.may_send_as(&own, &address("D.Moss@brackenhurst.example")));
        assert!(school.may_send_as(&own, &address("office@brackenhurst.example")));
        assert!(!school.may_send_as(&own, &address("head@brackenhurst.example")));
        assert!(!school.may_send_as(&address("office@brackenhurst.example"), &own));
    }

    #[test]
    fn punycode_samples() {
        assert_eq!(punycode("mnchen-3ya").as_deref(), Some("münchen"));
        assert_eq!(punycode("!"), None);
        assert_eq!(skeleton("xn--gmal-nza.com"), skeleton("gmaíl.com"));
    }

    #[test]
    fn slips() {
        for (a, b, want) in [
            ("abc", "abc", false),
            ("abc", "ab", true),
            ("abc", "acb", true),
            ("abc", "axc", true),
            ("abc", "cba", false),
            ("aab", "ab", true),
            ("abcd", "ab", false),
            ("abcd", "badc", false),
        ] {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            assert_eq!(one_slip(&a, &b), want, "{a:?} {b:?}");
        }
    }
}
