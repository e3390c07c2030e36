//! Check digits of the identifiers that stand in school mail. Input: capitals and digits alone, separators removed.
//!
//! Sources: UPN, govtalk UniquePupilNumber-2-0; ULN, HESA C17051; NHS number and CHI, NHS data dictionary; UCI, WJEC's
//! worked example; NINO, HMRC NIM39110; IBAN, ISO 13616; cards, ISO/IEC 7812 (Luhn); MRZ, ICAO 9303.

const UPN_LETTERS: &[u8; 23] = b"ABCDEFGHJKLMNPQRTUVWXYZ";
const UCI_LETTERS: &[u8; 17] = b"ABCDEFGHKLMRTVWXY";

fn digits<const LENGTH: usize>(text: &str) -> Option<[u32; LENGTH]> {
    let bytes: &[u8; LENGTH] = text.as_bytes().try_into().ok()?;
    bytes.iter().all(u8::is_ascii_digit).then(|| bytes.map(|b| u32::from(b - b'0')))
}

fn repeated(digits: &[u32]) -> bool {
    digits.windows(2).all(|pair| pair[0] == pair[1])
}

/// Unique pupil number, permanent or temporary: 13 characters, the check letter first.
pub fn upn(text: &str) -> bool {
    let bytes = text.as_bytes();
    let position = |b: u8| UPN_LETTERS.iter().position(|&letter| letter == b);
    let (13, Some(check)) = (bytes.len(), bytes.first().and_then(|&b| position(b))) else { return false };
    let mut sum = 0;
    for (at, &b) in bytes.iter().enumerate().skip(1) {
        let value = match b {
            b'0'..=b'9' => usize::from(b - b'0'),
            _ if at == 12 => match position(b) {
                Some(value) => value,
                None => return false,
            },
            _ => return false,
        };
        sum += value * (at + 1);
    }
    sum % 23 == check
}

/// Weighted sum 10..1 modulo 11, which both ULN and NHS number use with different right answers.
fn ten_digit_remainder(text: &str) -> Option<(u32, [u32; 10])> {
    let digits = digits::<10>(text)?;
    let sum: u32 = digits.iter().zip((1..=10).rev()).map(|(digit, weight)| digit * weight).sum();
    Some((sum % 11, digits))
}

/// Unique learner number: ten digits, the first not zero.
pub fn uln(text: &str) -> bool {
    ten_digit_remainder(text).is_some_and(|(rest, digits)| rest == 10 && digits[0] != 0 && text != "9999999999")
}

/// NHS number (and CHI number): ten digits, not all the same.
pub fn nhs(text: &str) -> bool {
    ten_digit_remainder(text).is_some_and(|(rest, digits)| rest == 0 && !repeated(&digits))
}

/// Scottish CHI number: an NHS-style check behind a date of birth.
pub fn chi(text: &str) -> bool {
    let day = text.get(..2).and_then(|d| d.parse::<u32>().ok());
    let month = text.get(2..4).and_then(|m| m.parse::<u32>().ok());
    nhs(text) && day.is_some_and(|d| (1..=31).contains(&d)) && month.is_some_and(|m| (1..=12).contains(&m))
}

/// Unique candidate identifier: 12 characters and a check letter.
pub fn uci(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != 13 {
        return false;
    }
    let mut sum = 0usize;
    for (at, &b) in bytes[..12].iter().enumerate() {
        let value = match b {
            b'0'..=b'9' => usize::from(b - b'0'),
            b'A'..=b'P' if at == 5 => usize::from(b - b'A') + 1,
            _ => return false,
        };
        sum += value * (16 - at);
    }
    UCI_LETTERS[sum % 17] == bytes[12] && &bytes[8..12] != b"0000"
}

/// National Insurance number: shape and the prefixes that are given out; it has no check digit.
pub fn national_insurance(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 9
        && bytes[..2].iter().all(|b| b.is_ascii_uppercase() && !b"DFIQUV".contains(b))
        && bytes[1] != b'O'
        && !["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"].contains(&&text[..2])
        && bytes[2..8].iter().all(u8::is_ascii_digit)
        && (b'A'..=b'D').contains(&bytes[8])
}

/// Unique taxpayer reference: ten digits, the first is the check.
pub fn utr(text: &str) -> bool {
    let Some(digits) = digits::<10>(text) else { return false };
    let sum: u32 = digits[1..].iter().zip([6, 7, 8, 9, 10, 5, 4, 3, 2]).map(|(digit, weight)| digit * weight).sum();
    [2, 1, 9, 8, 7, 6, 5, 4, 3, 2, 1][(sum % 11) as usize] == digits[0]
}

/// Payment card: 13 to 19 digits that pass Luhn and begin as a scheme's numbers do.
pub fn card(text: &str) -> bool {
    if !(13..=19).contains(&text.len()) {
        return false;
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let digits: Vec<u32> = text.bytes().map(|b| u32::from(b - b'0')).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| match at % 2 {
            0 => digit,
            _ if digit > 4 => digit * 2 - 9,
            _ => digit * 2,
        })
        .sum();
    let head = |n: usize| digits[..n].iter().fold(0, |value, digit| value * 10 + digit);
    let scheme = matches!(
        (text.len(), head(1), head(2), head(4)),
        (13 | 16 | 19, 4, ..)
            | (16, _, 51..=55, _)
            | (16, _, _, 2221..=2720)
            | (15, _, 34 | 37, _)
            | (14..=19, _, 36 | 38 | 39, _)
            | (16..=19, _, 62 | 64 | 65, _)
            | (16..=19, _, _, 6011 | 3528..=3589)
            | (12..=19, _, 50 | 56..=58 | 63 | 67, _)
    );
    sum.is_multiple_of(10) && scheme && !repeated(&digits)
}

/// What follows the country and the check digits of its IBANs: how many digits (`n`), letters (`a`) or either (`c`), in order.
/// The countries that pay in SEPA, and Pakistan, Turkey and Ukraine (SWIFT, IBAN Registry, ISO 13616).
const IBANS: &[(&str, &str)] = &[
    ("AD", "8n12c"),
    ("AL", "8n16c"),
    ("AT", "16n"),
    ("BE", "12n"),
    ("BG", "4a6n8c"),
    ("CH", "5n12c"),
    ("CY", "8n16c"),
    ("CZ", "20n"),
    ("DE", "18n"),
    ("DK", "14n"),
    ("EE", "16n"),
    ("ES", "20n"),
    ("FI", "14n"),
    ("FR", "10n11c2n"),
    ("GB", "4a14n"),
    ("GI", "4a15c"),
    ("GR", "7n16c"),
    ("HR", "17n"),
    ("HU", "24n"),
    ("IE", "4a14n"),
    ("IS", "22n"),
    ("IT", "1a10n12c"),
    ("LI", "5n12c"),
    ("LT", "16n"),
    ("LU", "3n13c"),
    ("LV", "4a13c"),
    ("MC", "10n11c2n"),
    ("MD", "20c"),
    ("ME", "18n"),
    ("MK", "3n10c2n"),
    ("MT", "4a5n18c"),
    ("NL", "4a10n"),
    ("NO", "11n"),
    ("PK", "4a16c"),
    ("PL", "24n"),
    ("PT", "21n"),
    ("RO", "4a16c"),
    ("RS", "18n"),
    ("SE", "20n"),
    ("SI", "15n"),
    ("SK", "20n"),
    ("SM", "1a10n12c"),
    ("TR", "6n16c"),
    ("UA", "6n19c"),
    ("VA", "18n"),
];

/// The parts of a country's IBAN behind the check digits: how many characters, and of which kind.
fn iban_parts(country: &str) -> Option<impl Iterator<Item = (usize, char)>> {
    let (_, form) = IBANS.iter().find(|(known, _)| known.eq_ignore_ascii_case(country))?;
    Some(form.split_inclusive(char::is_alphabetic).filter_map(|part| {
        let kind = part.chars().next_back()?;
        Some((part.trim_end_matches(kind).parse().ok()?, kind))
    }))
}

/// Characters of an IBAN of this country, of two letters; nothing where the country has none.
pub fn iban_length(country: &str) -> Option<usize> {
    Some(4 + iban_parts(country)?.map(|(many, _)| many).sum::<usize>())
}

/// IBAN in the format of its country, modulo 97; a British one is 22 characters.
pub fn iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(country), Some(digits), Some(mut rest)) = (text.get(..2), text.get(2..4), bytes.get(4..)) else {
        return false;
    };
    let Some(parts) = iban_parts(country) else { return false };
    for (many, kind) in parts {
        let Some((part, behind)) = rest.split_at_checked(many) else { return false };
        let right = part.iter().all(|c| match kind {
            'n' => c.is_ascii_digit(),
            'a' => c.is_ascii_uppercase(),
            _ => c.is_ascii_digit() || c.is_ascii_uppercase(),
        });
        if !right {
            return false;
        }
        rest = behind;
    }
    if !rest.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return false;
    }
    let mut rest = 0u32;
    for &b in bytes[4..].iter().chain(&bytes[..4]) {
        rest = match b {
            b'0'..=b'9' => (rest * 10 + u32::from(b - b'0')) % 97,
            b'A'..=b'Z' => (rest * 100 + u32::from(b - b'A') + 10) % 97,
            _ => return false,
        };
    }
    rest == 1
}

/// Driving licence of Great Britain: 16 characters; the date inside must be one.
pub fn driving_licence(text: &str) -> bool {
    let b = text.as_bytes();
    if b.len() != 16 || !b[5..11].iter().all(u8::is_ascii_digit) || !b[13].is_ascii_digit() {
        return false;
    }
    let number = |from: usize| (b[from] - b'0') * 10 + (b[from + 1] - b'0');
    let surname = b[..5].iter().position(|&c| c == b'9').unwrap_or(5);
    surname >= 1
        && b[..surname].iter().all(u8::is_ascii_uppercase)
        && b[surname..5].iter().all(|&c| c == b'9')
        && (1..=12).contains(&(number(6) % 50))
        && number(6) <= 62
        && (1..=31).contains(&number(8))
        && b[11].is_ascii_uppercase()
        && (b[12].is_ascii_uppercase() || b[12] == b'9')
        && b[14..].iter().all(u8::is_ascii_alphanumeric)
}

/// Second line of a British passport's machine-readable zone, 44 characters.
pub fn passport_mrz(line: &str) -> bool {
    let b = line.as_bytes();
    let value = |c: u8| match c {
        b'0'..=b'9' => Some(u32::from(c - b'0')),
        b'A'..=b'Z' => Some(u32::from(c - b'A') + 10),
        b'<' => Some(0),
        _ => None,
    };
    let check = |part: &[u8]| {
        part.iter()
            .zip([7, 3, 1].into_iter().cycle())
            .map(|(&c, weight)| value(c).map(|v| v * weight))
            .sum::<Option<u32>>()
    };
    b.len() == 44
        && [(0..9, 9), (13..19, 19), (21..27, 27)].into_iter().all(
            |(range, at)| matches!((check(&b[range]), value(b[at])), (Some(sum), Some(digit)) if sum % 10 == digit),
        )
}

/// A post code of the United Kingdom, one space or none between its halves.
pub fn postcode(text: &str) -> bool {
    let compact: Vec<u8> = text.bytes().filter(|b| *b != b' ').map(|b| b.to_ascii_uppercase()).collect();
    if !(5..=7).contains(&compact.len()) {
        return false;
    }
    let (outward, inward) = compact.split_at(compact.len() - 3);
    let unit = |b: &u8| b.is_ascii_uppercase() && !b"CIKMOV".contains(b);
    let first = outward[0].is_ascii_uppercase() && !b"QVX".contains(&outward[0]);
    let shape = match outward {
        [_, d] => d.is_ascii_digit(),
        [_, d, e] if d.is_ascii_digit() => e.is_ascii_digit() || b"ABCDEFGHJKPSTUW".contains(e),
        [_, l, d] => l.is_ascii_uppercase() && !b"IJZ".contains(l) && d.is_ascii_digit(),
        [_, l, d, e] => {
            l.is_ascii_uppercase()
                && !b"IJZ".contains(l)
                && d.is_ascii_digit()
                && (e.is_ascii_digit() || b"ABEHMNPRVWXY".contains(e))
        }
        _ => false,
    };
    first && shape && inward[0].is_ascii_digit() && inward[1..].iter().all(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Check = fn(&str) -> bool;

    /// Published specimens and computed vectors: (check, right ones, wrong ones).
    const VECTORS: &[(Check, &[&str], &[&str])] = &[
        (
            upn,
            &[
                "B801200005001",
                "A873000019001",
                "P873000019002",
                "V302000021117",
                "J925000022043",
                "E336000023500",
                "R660000020001",
                "R87300002400A",
                "Q87300002401Z",
                "X30200002407K",
                "P92500002312T",
                "P207000016049",
                "R674123101121",
            ],
            &[
                "Q207000016049",
                "B207000016049",
                "A801200005001",
                "R674123101122",
                "I873000019001",
                "P20700001604",
                "P2070000160491",
                "L87300001900O",
            ],
        ),
        (
            uln,
            &["9276308686", "1000000000", "1234567899", "5555555554", "2001003004", "4000000011"],
            &["9276308687", "0276308686", "927630868"],
        ),
        (
            nhs,
            &["9990000018", "9994640232", "9998776651", "9434765870", "9995551233", "9990102031"],
            &["9434765871", "1111111111", "0000000000", "999000000"],
        ),
        (
            chi,
            &["0101011237", "3112990102", "2902044569", "1503152014", "0101903324"],
            &["0101011230", "3201201234", "123456789"],
        ),
        (
            national_insurance,
            &["AB123456C", "CE000000A", "JY999999D", "OA010101B"],
            &["QQ123456C", "BG123456A", "GB123456A", "AO123456A", "AB123456E", "DA123456A", "ZZ123456A", "AB12345C"],
        ),
        (
            uci,
            &[
                "681990012058G",
                "689990980001D",
                "999990140001B",
                "123450190042C",
                "505070210001V",
                "717010230999E",
                "12345B190042H",
            ],
            &["999990140001X", "681990012058A", "68199001205G"],
        ),
        (utr, &["7195583911", "1123456789", "9000000001", "9400000000", "7555000111"], &["2955839661", "12345"]),
        (
            driving_licence,
            &["MORGA753116SM9IJ", "MORGA657054SM9IJ", "LEE99902031J99AA", "MCDON805121AB9ZZ", "SMITH862159J99XY"],
            &["MORGA773116SM9IJ", "MORGA753326SM9IJ", "12345678"],
        ),
        (
            iban,
            &[
                "GB29NWBK60161331926819",
                "GB92BARC20038412345678",
                "GB07LOYD30963412345678",
                "GB82WEST12345698765432",
                "DE89370400440532013000",
                "FR1420041010050500013M02606",
                "MT84MALT011000012345MTLCAST001S",
                "NO9386011117947",
            ],
            &[
                "GB00WEST12345698765432",
                "GB82WEST1234569876543",
                "GB83WEST12345698765432",
                "EN14TOEN24ANDDRWOOD",
                "NO93860111179471",
                "",
            ],
        ),
        (
            card,
            &[
                "4111111111111111",
                "5555555555554444",
                "378282246310005",
                "6011111111111117",
                "4000056655665556",
                "2223003122003222",
            ],
            &["4111111111111112", "1234567812345678", "5555555555554445"],
        ),
        (
            passport_mrz,
            &[
                "1234567897GBR1003123M2903116<<<<<<<<<<<<<<06",
                "9256654166GBR8812049F2509286<<<<<<<<<<<<<<08",
                "0000000011GBR1309010F2808314<<<<<<<<<<<<<<02",
                "9999999908GBR1201011F3001019<<<<<<<<<<<<<<08",
            ],
            &["1234567898GBR1003123M2903116<<<<<<<<<<<<<<06"],
        ),
        (
            postcode,
            &["SW1A 1AA", "M1 1AE", "B33 8TH", "CR2 6XH", "DN55 1PT", "W1A 0AX", "EC1A 1BB", "N1P 1AA", "CF101BH"],
            &["QA1 1AA", "SW1A 1AC", "V1 1AA", "AI1 1AA", "SW1A 1OA", "Year 10", "X1 1AA"],
        ),
    ];

    #[test]
    fn vectors() {
        for (row, (check, right, wrong)) in VECTORS.iter().enumerate() {
            for text in *right {
                assert!(check(text), "row {row}: {text} is right");
            }
            for text in *wrong {
                assert!(!check(text), "row {row}: {text} is wrong");
            }
        }
    }

    #[test]
    fn no_number_is_both_uln_and_nhs() {
        for n in (1_000_000_000u64..1_000_200_000).step_by(7) {
            let text = n.to_string();
            assert!(!(uln(&text) && nhs(&text)));
        }
    }
}
