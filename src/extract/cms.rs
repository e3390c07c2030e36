//! S/MIME in DER or BER (RFC 5652): says what is encrypted, unwraps what is only signed.

use super::Why;
use super::file::Content;

/// 1.2.840.113549.1.7, before the last number.
const PKCS7: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
const DATA: u8 = 1;
/// Length of an EncapsulatedContentInfo that is an object identifier and nothing else.
const DETACHED_LENGTH: u8 = 11;
const ENVELOPED: u8 = 3;
const ENCRYPTED: u8 = 6;
/// id-ct-authEnvelopedData and id-ct-compressedData stand under 1.2.840.113549.1.9.16.1.
const AUTH_ENVELOPED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17];

/// Reads a file; signed content comes back as a message of its own.
pub fn read(bytes: &[u8]) -> Result<Content, Why> {
    let head = &bytes[..bytes.len().min(64)];
    if memchr::memmem::find(head, AUTH_ENVELOPED).is_some() {
        return Err(Why::Encrypted);
    }
    let first = memchr::memmem::find(head, PKCS7).and_then(|at| head.get(at + PKCS7.len()));
    if matches!(first, Some(&ENVELOPED | &ENCRYPTED)) {
        return Err(Why::Encrypted);
    }
    let data: Vec<u8> = PKCS7.iter().copied().chain([DATA]).collect();
    let oid = memchr::memmem::find(bytes, &data).ok_or(Why::UnknownType)?;
    let at = oid + data.len();
    // [0] EXPLICIT, then the octet string, whole or in pieces. A detached signature has no content: its EncapsulatedContentInfo
    // ends behind the object identifier, and what follows then are certificates, [0] as well.
    let ends_here = bytes[..oid].ends_with(&[0x30, DETACHED_LENGTH]);
    let (tag, _, inside) = header(bytes, at).ok_or(Why::UnknownType)?;
    if tag != 0xa0 || ends_here {
        return Ok(Content::default());
    }
    let signed = octets(bytes, inside).ok_or(Why::Damaged)?;
    Ok(Content { inner: vec![("signed message.eml".to_owned(), signed)], ..Content::default() })
}

fn octets(bytes: &[u8], at: usize) -> Option<Vec<u8>> {
    let (tag, length, mut at) = header(bytes, at)?;
    if tag == 0x04 {
        return bytes.get(at..at.checked_add(length?)?).map(<[u8]>::to_vec);
    }
    if tag != 0x24 {
        return None;
    }
    let end = length.map(|l| at.saturating_add(l));
    let mut out = Vec::new();
    while end.is_none_or(|end| at < end) {
        let (tag, length, start) = header(bytes, at)?;
        match (tag, length) {
            (0, _) => break,
            (0x04, Some(length)) => {
                out.extend_from_slice(bytes.get(start..start.checked_add(length)?)?);
                at = start + length;
            }
            _ => return None,
        }
    }
    Some(out)
}

/// Tag, length (none where it is indefinite), and where the content starts.
fn header(bytes: &[u8], at: usize) -> Option<(u8, Option<usize>, usize)> {
    let (tag, first) = (*bytes.get(at)?, *bytes.get(at + 1)?);
    match first {
        0x80 => Some((tag, None, at + 2)),
        0..0x80 => Some((tag, Some(usize::from(first)), at + 2)),
        _ => {
            let count = usize::from(first & 0x7f);
            let digits = bytes.get(at + 2..at + 2 + count).filter(|d| d.len() <= 8)?;
            let length = digits.iter().fold(0usize, |n, d| n << 8 | usize::from(*d));
            Some((tag, Some(length), at + 2 + count))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_and_signed() {
        let oid = |last: u8| [PKCS7, &[last]].concat();
        let sealed = [b"\x30\x80".as_slice(), &oid(ENVELOPED), b"\xa0\x80"].concat();
        assert_eq!(read(&sealed).err(), Some(Why::Encrypted));
        let start =
            [b"\x30\x80".as_slice(), &oid(2), b"\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80", &oid(DATA)].concat();
        for content in [b"\xa0\x05\x04\x03Amy".as_slice(), b"\xa0\x80\x24\x80\x04\x02Am\x04\x01y\0\0\0\0"] {
            let inner = read(&[start.as_slice(), content].concat()).unwrap().inner;
            assert_eq!(inner[0].1, b"Amy");
        }
        assert!(read(&[start.as_slice(), b"\x31\x03"].concat()).unwrap().inner.is_empty());
        // As mail programs write detached signatures: the certificates that follow are no content.
        let detached = [
            b"\x30\x82\x05\x00".as_slice(),
            &oid(2),
            b"\x02\x01\x01\x31\x00\x30\x0b",
            &oid(DATA),
            b"\xa0\x82\x03\x00\x30\x82",
        ];
        assert!(read(&detached.concat()).unwrap().inner.is_empty());
    }
}
