//! Who is at the other end, by the system's word.

/// The name as it was given, and behind it the user that the system knows: `Jane Doe (root)`, `Jane Doe (sue, uid 1000)`,
/// `Jane Doe (uid 64999)`. The last bracket is ours, whatever the name holds.
pub(super) fn signed(who: &str, uid: u32) -> String {
    match (uid, name_of(uid)) {
        (0, _) => format!("{who} (root)"),
        (_, Some(name)) => format!("{who} ({name}, uid {uid})"),
        (_, None) => format!("{who} (uid {uid})"),
    }
}

/// The user's name, where `/etc/passwd` has one; users of a directory service are known by number alone.
pub fn name_of(uid: u32) -> Option<String> {
    name_in(&std::fs::read_to_string("/etc/passwd").ok()?, uid)
}

fn name_in(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        let sound = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-$".contains(&b));
        (sound && number.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_named_where_they_can_be() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n\nodd\nsue:x:1000:1000::/home/sue:/bin/sh\nb(d:x:7:7::/:/x\n";
        for (uid, name) in [(0, Some("root")), (1000, Some("sue")), (7, None), (5, None)] {
            assert_eq!(name_in(passwd, uid).as_deref(), name, "{uid}");
        }
        assert_eq!(signed("Jane Doe", 0), "Jane Doe (root)");
        assert_eq!(signed("Jane (root)", 4_000_111_222), "Jane (root) (uid 4000111222)");
    }
}
