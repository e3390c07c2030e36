//! Codes: of an authenticator (RFC 6238), and those on paper for the day when the telephone is gone.

use jiff::Timestamp;
use totp_rs::{Builder, Totp};

use super::super::StoreError;
use super::super::key::Keys;
use super::Token;
use crate::limits;

/// Crockford's base 32: no letter that is taken for a digit, or for another letter.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Who the authenticator says that a code is for.
const ISSUER: &str = "schoolgate";

/// What reads and checks the codes of a secret.
///
/// # Errors
/// [`StoreError::Key`] where the secret is none.
pub(super) fn authenticator(secret: &[u8], name: &str) -> Result<Totp, StoreError> {
    Builder::new()
        .with_secret(secret)
        .with_digits(limits::TOTP_DIGITS)
        .with_step_duration(limits::TOTP_SECONDS)
        .with_skew(limits::TOTP_SKEW)
        .with_issuer(Some(ISSUER))
        .with_account_name(name)
        .build()
        .map_err(|_| StoreError::Key("the secret of an authenticator cannot be used".to_owned()))
}

/// The step whose code was typed, if it is later than `last`; blanks do not matter.
pub(super) fn step_of(authenticator: &Totp, typed: &str, now: Timestamp, last: i64) -> Option<i64> {
    let typed: String = typed.split_whitespace().collect();
    if typed.len() != usize::from(limits::TOTP_DIGITS) || !typed.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let step = authenticator.check(&typed, u64::try_from(now.as_second()).ok()?)?;
    i64::try_from(step).ok().filter(|step| *step > last)
}

/// Fresh recovery codes, `4F7K-9QXW-2MRB-HT0C` each.
///
/// # Errors
/// [`StoreError::Key`] where there are no random bytes.
pub(super) fn recovery_codes(keys: &Keys) -> Result<Vec<Token>, StoreError> {
    let code = |_| keys.random::<{ limits::RECOVERY_CODE }>().map(|bytes| Token::of(written(&bytes)));
    (0..limits::RECOVERY_CODES).map(code).collect()
}

/// Five bits a character, four characters a group.
pub(super) fn written(bytes: &[u8]) -> String {
    let mut out = String::new();
    let (mut held, mut bits, mut count) = (0u32, 0, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            if count > 0 && count % 4 == 0 {
                out.push('-');
            }
            out.push(char::from(ALPHABET[(held >> bits & 31) as usize]));
            count += 1;
        }
    }
    out
}

/// What the store keeps of a recovery code, however it was typed: in small letters, without hyphens, O for 0, I or L for 1.
pub(super) fn recovery_mark(keys: &Keys, typed: &str) -> [u8; 32] {
    let plain = typed.chars().filter(char::is_ascii_alphanumeric).map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        c => c,
    });
    keys.mark("recovery code", &zeroize::Zeroizing::new(plain.collect::<String>()))
}

/// The secret as a person types it into an authenticator that has no camera, in groups of four.
pub(super) fn typed_secret(authenticator: &Totp) -> Token {
    let base32 = authenticator.secret().to_base32();
    let groups: Vec<&str> = base32.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    Token::of(groups.join(" "))
}

#[cfg(test)]
mod tests {
    use super::super::super::StoreKey;
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238_one_step_off_at_most_and_once() {
        // Appendix B, the last six of its eight digits.
        let clock = authenticator(b"12345678901234567890", "jane").unwrap();
        for (second, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")] {
            let step = second / 30;
            for (off, after, is) in [
                (0, 0, true),
                (-30, 0, true),
                (30, 0, true),
                (-60, 0, false),
                (60, 0, false),
                (0, step, false),
                (0, step - 1, true),
            ] {
                let now = Timestamp::from_second(second + off).unwrap();
                assert_eq!(step_of(&clock, code, now, after), is.then_some(step), "{second} {off} {after}");
            }
        }
        let now = Timestamp::from_second(59).unwrap();
        assert_eq!(step_of(&clock, " 287 082 ", now, 0), Some(1));
        for typed in ["", "28708", "2870821", "28708x", "２８７０８２", "94287082"] {
            assert_eq!(step_of(&clock, typed, now, 0), None, "{typed}");
        }
    }

    #[test]
    fn a_recovery_code_is_known_however_it_is_typed() {
        assert_eq!(written(&[0; 10]), "0000-0000-0000-0000");
        assert_eq!(written(&[0xff; 10]), "ZZZZ-ZZZZ-ZZZZ-ZZZZ");
        assert_eq!(written(&[0x08, 0x42, 0x10, 0x84, 0x21]), "1111-1111");
        let keys = Keys::derive(&StoreKey::from_bytes([1; 32])).unwrap();
        let mark = recovery_mark(&keys, "4F0K-9QX1-2MRB-HT0C");
        for (typed, same) in [
            ("4f0k 9qx1 2mrb ht0c", true),
            ("4FOK9QXL2MRBHTOC", true),
            ("4F0K-9QX1-2MRB-HT0D", false),
            ("4F0K-9QX1-2MRB-HT0", false),
        ] {
            assert_eq!(recovery_mark(&keys, typed) == mark, same, "{typed}");
        }
        let codes: std::collections::HashSet<_> =
            recovery_codes(&keys).unwrap().iter().map(|c| c.reveal().to_owned()).collect();
        assert_eq!(codes.len(), limits::RECOVERY_CODES);
    }
}
