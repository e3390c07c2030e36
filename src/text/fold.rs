//! Folding: text that looks alike is made alike.
//!
//! Compatibility forms (NFKD by character, so that NFC and NFD come out the same), marks stripped, letters that do not
//! decompose mapped by hand, one apostrophe, one hyphen, one space, ASCII digits, nothing invisible, and Cyrillic or Greek
//! look-alikes inside an otherwise Latin word read as the Latin letters they imitate. Case is kept, because it is evidence.

use std::ops::Range;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Whether a text comes out of folding as it went in.
pub(super) fn is_plain(source: &str) -> bool {
    source.bytes().all(|byte| PLAIN[usize::from(byte)])
}

/// Bytes that folding leaves alone: ASCII but for control characters and the grave accent, which is read as an apostrophe.
const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0x20;
    while byte < 0x7F {
        table[byte] = byte != b'`' as usize;
        byte += 1;
    }
    table[b'\n' as usize] = true;
    table[b'\r' as usize] = true;
    table[b'\t' as usize] = true;
    table
};

/// Folds a text onto the end of `out`, and onto the end of `map` the place in the source of each byte of it, with the
/// source's length last.
pub(super) fn fold(source: &str, out: &mut String, map: &mut Vec<u32>) {
    let (base, map_base) = (out.len(), map.len());
    let mut word: Range<usize> = base..base;
    // A word is looked at again only where it mixes scripts.
    let mut foreign = false;
    let mut at = 0;
    let bytes = source.as_bytes();
    while at < bytes.len() {
        if PLAIN[usize::from(bytes[at])] {
            let end = bytes[at..].iter().position(|byte| !PLAIN[usize::from(*byte)]).map_or(bytes.len(), |n| at + n);
            let run = &source[at..end];
            let first_end = run.bytes().position(|byte| !in_word(byte)).unwrap_or(run.len());
            let last_start = run.bytes().rposition(|byte| !in_word(byte)).map_or(0, |n| n + 1);
            let start = out.len();
            out.push_str(run);
            map.extend((at..end).map(offset));
            if first_end < run.len() {
                if foreign {
                    unmask(out, word.start..start + first_end, map, base, map_base);
                    foreign = false;
                }
                word = out.len() - (run.len() - last_start)..out.len();
            } else {
                word.end = out.len();
            }
            at = end;
            continue;
        }
        let Some(c) = source[at..].chars().next() else { break };
        let before = out.len();
        fold_char(c, out);
        map.resize(map_base + out.len() - base, offset(at));
        if out[before..].chars().all(|c| c.is_alphabetic() || c == '\'') {
            foreign |= !out.as_bytes()[before..].is_ascii();
            word.end = out.len();
        } else {
            if foreign {
                unmask(out, word.start..before, map, base, map_base);
                foreign = false;
            }
            word = out.len()..out.len();
        }
        at += c.len_utf8();
    }
    if foreign {
        unmask(out, word, map, base, map_base);
    }
    map.push(offset(source.len()));
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'\''
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn fold_char(c: char, out: &mut String) {
    if c.is_ascii() {
        match c {
            '\n' | '\r' | '\t' => out.push(c),
            '`' => out.push('\''),
            c if c.is_ascii_control() => {}
            c => out.push(c),
        }
        return;
    }
    if invisible(c) {
        return;
    }
    if let Some(plain) = by_hand(c) {
        out.push_str(plain);
        return;
    }
    let mut stop = false;
    decompose_compatible(c, |d| {
        if stop || is_combining_mark(d) || invisible(d) {
            return;
        }
        if d != c
            && let Some(plain) = by_hand(d)
        {
            out.push_str(plain);
        } else if let Some(digit) = digit_value(d) {
            out.push(char::from(b'0' + digit));
        } else if d.is_whitespace() {
            out.push(if matches!(d, '\u{85}' | '\u{2028}' | '\u{2029}') { '\n' } else { ' ' });
        } else if d.is_control() {
            stop = true;
        } else {
            out.push(d);
        }
    });
}

/// Characters that show nothing: default-ignorables, soft hyphen, zero-width, direction marks, variation selectors, tags.
fn invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// Letters without a decomposition, and the many forms of apostrophe, quote and dash.
fn by_hand(c: char) -> Option<&'static str> {
    Some(match c {
        'Ł' => "L",
        'ł' => "l",
        'Ø' => "O",
        'ø' => "o",
        'ß' => "ss",
        'ẞ' => "SS",
        'Æ' => "Ae",
        'æ' => "ae",
        'Œ' => "Oe",
        'œ' => "oe",
        'ı' => "i",
        'Đ' | 'Ð' => "D",
        'đ' | 'ð' => "d",
        'Þ' => "Th",
        'þ' => "th",
        'Ħ' => "H",
        'ħ' => "h",
        'Ŧ' => "T",
        'ŧ' => "t",
        'Ŋ' => "N",
        'ŋ' => "n",
        'ĸ' => "k",
        'ə' => "e",
        'Ə' => "E",
        '\u{2018}' | '\u{2019}' | '\u{201A}' | '\u{201B}' | '\u{2BC}' | '\u{2B9}' | '\u{2BB}' | '\u{2BD}'
        | '\u{2C8}' | '\u{2032}' | '\u{B4}' | '\u{FF07}' | '\u{1FBF}' | '\u{A78C}' => "'",
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2043}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}' | '\u{2027}' => "-",
        '\u{201C}'..='\u{201F}' | '\u{AB}' | '\u{BB}' => "\"",
        '\u{2022}' => "•",
        '\u{2026}' => "…",
        _ => return None,
    })
}

fn digit_value(c: char) -> Option<u8> {
    // First digits of the decimal ranges that occur in UK families' scripts; full-width digits decompose by themselves.
    const ZEROS: [u32; 16] = [
        0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0, 0xF20, 0x1040,
    ];
    let code = c as u32;
    ZEROS.iter().find(|&&zero| (zero..zero + 10).contains(&code)).and_then(|zero| u8::try_from(code - zero).ok())
}

/// Reads Cyrillic and Greek look-alikes as Latin where the word has a Latin letter of its own.
fn unmask(out: &mut String, word: Range<usize>, map: &mut Vec<u32>, base: usize, map_base: usize) {
    let slice = &out[word.clone()];
    if slice.is_ascii() || !slice.bytes().any(|b| b.is_ascii_alphabetic()) {
        return;
    }
    let in_map = word.start - base + map_base..word.end - base + map_base;
    let mut plain = String::with_capacity(slice.len());
    let mut plain_map = Vec::with_capacity(slice.len());
    for (at, c) in slice.char_indices() {
        plain.push(latin_for(c).unwrap_or(c));
        plain_map.resize(plain.len(), map[in_map.start + at]);
    }
    if plain != slice {
        out.replace_range(word, &plain);
        map.splice(in_map, plain_map);
    }
}

/// The Latin letter that a Cyrillic or Greek one is drawn like.
pub fn latin_for(c: char) -> Option<char> {
    Some(match c {
        'а' | 'α' => 'a',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'с' | 'ϲ' => 'c',
        'С' | 'Ϲ' => 'C',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'Е' | 'Ε' => 'E',
        'Н' | 'Η' => 'H',
        'һ' => 'h',
        'і' | 'ι' => 'i',
        'І' | 'Ι' => 'I',
        'ј' => 'j',
        'Ј' => 'J',
        'к' | 'κ' => 'k',
        'К' | 'Κ' => 'K',
        'ӏ' => 'l',
        'м' => 'm',
        'М' | 'Μ' => 'M',
        'п' | 'η' => 'n',
        'Ν' => 'N',
        'о' | 'ο' | 'σ' => 'o',
        'О' | 'Ο' => 'O',
        'р' | 'ρ' => 'p',
        'Р' | 'Ρ' => 'P',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' => 's',
        'Ѕ' => 'S',
        'т' | 'τ' => 't',
        'Т' | 'Τ' => 'T',
        'υ' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'Х' | 'Χ' => 'X',
        'у' | 'γ' => 'y',
        'У' | 'Υ' => 'Y',
        'Ζ' => 'Z',
        _ => return None,
    })
}
