//! Message content as it lies on disk: encrypted in 64 KiB chunks (the STREAM construction of Hoang, Reyhanitabar,
//! Rogaway and Vizár, 2015) under a random key of its own.
//!
//! A record is `"SGC1"`, the id of the master key (16 bytes), a nonce prefix (7), then the chunks, each with its tag;
//! the nonce of a chunk is prefix, counter (4 bytes, big end first), last-chunk flag. The queue id and the SHA-256 of the
//! clear bytes are authenticated with every chunk: a record that was cut, swapped or reordered does not open. The
//! record's key, wrapped, stands in the message's row and nowhere else: dropping it there makes the bytes noise.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::key::Keys;
use super::{QueueId, StoreError, fault};
use crate::limits;

const MAGIC: &[u8; 4] = b"SGC1";
const PREFIX: usize = 7;
const HEADER: usize = MAGIC.len() + 16 + PREFIX;

/// Content made ready for the disk.
#[derive(Debug, Clone)]
pub(super) struct Sealed {
    /// The record.
    pub record: Vec<u8>,
    /// Its key, wrapped.
    pub key: Vec<u8>,
}

/// Where a record lies.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Path below the store's directory.
    pub file: String,
    /// Octets before the record.
    pub offset: u64,
    /// Octets of the record.
    pub length: u64,
}

fn nonce(prefix: &[u8], counter: u32, last: bool) -> Option<Nonce> {
    let mut bytes = [0u8; 12];
    bytes.get_mut(..PREFIX)?.copy_from_slice(prefix);
    bytes.get_mut(PREFIX..11)?.copy_from_slice(&counter.to_be_bytes());
    bytes[11] = u8::from(last);
    Some(Nonce::assume_unique_for_key(bytes))
}

fn bound(header: &[u8], id: &QueueId, sha256: &[u8; 32]) -> Vec<u8> {
    [header, id.0.as_bytes(), sha256].concat()
}

/// Encrypts `plain` for message `id`.
pub(super) fn seal(keys: &Keys, id: &QueueId, sha256: &[u8; 32], plain: &[u8]) -> Result<Sealed, StoreError> {
    let failed = || StoreError::Key("content cannot be encrypted".to_owned());
    let file_key = zeroize::Zeroizing::new(keys.random::<32>()?);
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*file_key).map_err(|_| failed())?);
    let prefix = keys.random::<PREFIX>()?;
    let header = [&MAGIC[..], &keys.id, &prefix].concat();
    let aad = bound(&header, id, sha256);
    let chunks = plain.len().div_ceil(limits::CONTENT_CHUNK).max(1);
    let mut record = Vec::with_capacity(HEADER + plain.len() + chunks * AES_256_GCM.tag_len());
    record.extend_from_slice(&header);
    for number in 0..chunks {
        let from = number * limits::CONTENT_CHUNK;
        let to = plain.len().min(from + limits::CONTENT_CHUNK);
        let start = record.len();
        record.extend_from_slice(&plain[from..to]);
        let counter = u32::try_from(number).map_err(|_| failed())?;
        let nonce = nonce(&prefix, counter, number + 1 == chunks).ok_or_else(failed)?;
        let tag = cipher.seal_in_place_separate_tag(nonce, Aad::from(&aad), &mut record[start..]);
        record.extend_from_slice(tag.map_err(|_| failed())?.as_ref());
    }
    Ok(Sealed { record, key: keys.wrap(&id.0, &file_key)? })
}

/// Decrypts a record; the error says what is wrong with it, in plain words.
pub(super) fn open(
    keys: &Keys,
    id: &QueueId,
    sha256: &[u8; 32],
    record: &[u8],
    key: &[u8],
) -> Result<Vec<u8>, &'static str> {
    const NOT_OURS: &str = "its content does not open: it is cut, changed or another message's";
    let (header, mut rest) = record.split_at_checked(HEADER).ok_or("its content is cut short")?;
    if &header[..MAGIC.len()] != MAGIC {
        return Err("its content has no header that is known");
    }
    if header[MAGIC.len()..MAGIC.len() + 16] != keys.id {
        return Err("its content was encrypted with another key");
    }
    let file_key = keys.unwrap(&id.0, key).ok_or("its content key does not open")?;
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*file_key).map_err(|_| NOT_OURS)?);
    let aad = bound(header, id, sha256);
    let sealed_chunk = limits::CONTENT_CHUNK + AES_256_GCM.tag_len();
    let mut plain = Vec::with_capacity(rest.len());
    let mut counter = 0u32;
    loop {
        let last = rest.len() <= sealed_chunk;
        let (chunk, after) = rest.split_at(rest.len().min(sealed_chunk));
        let start = plain.len();
        plain.extend_from_slice(chunk);
        let nonce = nonce(&header[HEADER - PREFIX..], counter, last).ok_or(NOT_OURS)?;
        let clear = cipher.open_in_place(nonce, Aad::from(&aad), &mut plain[start..]).map_err(|_| NOT_OURS)?.len();
        plain.truncate(start + clear);
        if last {
            return Ok(plain);
        }
        rest = after;
        counter = counter.checked_add(1).ok_or(NOT_OURS)?;
    }
}

/// Reads a record back.
pub(super) fn read(directory: &Path, place: &Place) -> std::io::Result<Vec<u8>> {
    let mut file = std::fs::File::open(directory.join(&place.file))?;
    file.seek(SeekFrom::Start(place.offset))?;
    let mut record = Vec::new();
    file.take(place.length).read_to_end(&mut record)?;
    Ok(record)
}

/// Writes a large record to a file of its own: file synced, then its directory.
pub(super) fn write_large(directory: &Path, id: &QueueId, record: &[u8]) -> Result<Place, StoreError> {
    if fault::disk_full() {
        return Err(StoreError::Full);
    }
    let name = format!("{}/{}", super::LARGE, id.0);
    let path = directory.join(&name);
    let write = || -> std::io::Result<()> {
        fault::point("before-content-write");
        let mut file = super::private().create_new(true).write(true).open(&path)?;
        super::owner::give(&file, directory)?;
        file.write_all(record)?;
        fault::point("after-content-write");
        fault::disk_error("sync-fails")?;
        file.sync_all()?;
        fault::disk_error("directory-sync-fails")?;
        std::fs::File::open(directory.join(super::LARGE))?.sync_all()?;
        fault::point("after-content-sync");
        Ok(())
    };
    match write() {
        Ok(()) => Ok(Place { file: name, offset: 0, length: record.len() as u64 }),
        Err(e) => {
            if e.kind() != std::io::ErrorKind::AlreadyExists {
                let _ = std::fs::remove_file(&path);
            }
            Err(StoreError::io("content cannot be written", &e))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::StoreKey;
    use super::*;

    #[test]
    fn content_opens_as_it_was_and_never_otherwise() {
        let keys = Keys::derive(&StoreKey::from_bytes([3; 32])).unwrap();
        let other_key = Keys::derive(&StoreKey::from_bytes([4; 32])).unwrap();
        let (id, other) = (QueueId("A".into()), QueueId("B".into()));
        let chunk = limits::CONTENT_CHUNK;
        for length in [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 3 * chunk + 7] {
            let plain: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let sum = [9u8; 32];
            let sealed = seal(&keys, &id, &sum, &plain).unwrap();
            let opens = |id, sum, record: &[u8], key| open(&keys, id, sum, record, key);
            assert_eq!(opens(&id, &sum, &sealed.record, &sealed.key).unwrap(), plain, "{length} bytes");
            assert!(opens(&other, &sum, &sealed.record, &sealed.key).is_err(), "another message's row");
            assert!(opens(&id, &[8; 32], &sealed.record, &sealed.key).is_err(), "another hash");
            assert!(open(&other_key, &id, &sum, &sealed.record, &sealed.key).is_err(), "another master key");
            let swapped = seal(&keys, &id, &sum, &plain).unwrap();
            assert!(opens(&id, &sum, &swapped.record, &sealed.key).is_err(), "another record");
            for cut in [0, 5, HEADER, sealed.record.len() - 1, sealed.record.len().saturating_sub(chunk + 16)] {
                if cut < sealed.record.len() {
                    assert!(opens(&id, &sum, &sealed.record[..cut], &sealed.key).is_err(), "{length} cut to {cut}");
                }
            }
            for place in [0, 5, HEADER - 1, HEADER, sealed.record.len() - 1] {
                let mut bent = sealed.record.clone();
                bent[place] ^= 1;
                assert!(opens(&id, &sum, &bent, &sealed.key).is_err(), "{length} bent at {place}");
            }
        }
    }
}
