//! UTF-8 that was taken for Windows-1252 and encoded again: `SiÃ¢n` for `Siân`. One such level is undone, where what stands
//! there cannot be meant and what comes out can.

/// The text with every run decoded that is the UTF-8 of one letter, read as Windows-1252; `None` where there is none.
pub fn decoded_again(text: &str) -> Option<String> {
    // Every run begins with one of `Â` to `ô`, which begin with this octet.
    memchr::memchr(0xc3, text.as_bytes())?;
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let (mut at, mut found) = (0, false);
    while at < chars.len() {
        match letter(&chars[at..]) {
            Some((length, meant)) => {
                out.push(meant);
                at += length;
                found = true;
            }
            None => {
                out.push(chars[at]);
                at += 1;
            }
        }
    }
    found.then_some(out)
}

/// One letter or sign at the start that was encoded twice, and over how many characters.
fn letter(chars: &[char]) -> Option<(usize, char)> {
    let length = match byte(*chars.first()?)? {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let run = chars.get(..length)?;
    let bytes: Vec<u8> = run.iter().map(|&c| byte(c)).collect::<Option<_>>()?;
    let meant = std::str::from_utf8(&bytes).ok()?.chars().next()?;
    // `ÍŽ` may stand in a name; a letter followed by `¢` or `™` does not, nor do these four before a letter of this range.
    let implausible = run[1..].iter().any(|c| !c.is_alphabetic() || matches!(c, 'ª' | 'º' | 'µ' | 'ƒ'))
        || matches!(run[0], 'Ã' | 'Â' | 'Ä' | 'Å');
    let plausible = meant.is_alphabetic()
        || matches!(meant, '\u{a0}'..='\u{bf}')
        || matches!(meant, '\u{2010}'..='\u{2015}' | '\u{2018}'..='\u{201f}' | '\u{2026}');
    (implausible && plausible).then_some((length, if meant == '\u{a0}' { ' ' } else { meant }))
}

/// The byte that Windows-1252, or ISO 8859-1 where that has none, shows as this character.
fn byte(c: char) -> Option<u8> {
    if let Ok(code) = u8::try_from(u32::from(c)) {
        return Some(code);
    }
    let mut buffer = [0; 4];
    let (bytes, _, bad) = encoding_rs::WINDOWS_1252.encode(c.encode_utf8(&mut buffer));
    (!bad).then(|| bytes.first().copied()).flatten()
}

#[cfg(test)]
mod tests {
    use super::decoded_again;

    #[test]
    fn one_level_and_only_where_it_is_plain() {
        for (spoilt, meant) in [
            ("SiÃ¢n Evans", "Siân Evans"),
            ("Oâ€™Brien Â£5", "O’Brien £5"),
            ("PaweÅ‚ ZoÃ«", "Paweł Zoë"),
            ("SiÃƒÂ¢n", "SiÃ¢n"),
        ] {
            assert_eq!(decoded_again(spoilt).as_deref(), Some(meant), "{spoilt}");
        }
        for sound in ["Siân", "JOÃO", "NÍŽEK", "São Tomé", "£5 – “six”", "Привет", "山田", "plain", ""]
        {
            assert_eq!(decoded_again(sound), None, "{sound}");
        }
    }
}
