//! Office files that a password seals ([MS-OFFCRYPTO] 2.3.4): the Agile and the Standard scheme, opened with a given one.
//!
//! The older RC4 schemes of Word 97 and Excel 97 are not opened; such files stay encrypted for us.

use std::io::Cursor;

use aes::cipher::{Array, BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit, block_padding::NoPadding};
use office_oxide::cfb::CfbReader;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::Why;
use super::xml::{self, Element};
use crate::limits;

/// What Office seals files with that are only protected against changes ([MS-OFFCRYPTO] 2.3.7.4).
pub const DEFAULT_PASSWORD: &str = "VelvetSweatshop";

const STANDARD_SPIN_COUNT: u32 = 50_000;
const SEGMENT: usize = 4096;

const VERIFIER_INPUT: [u8; 8] = [0xfe, 0xa7, 0xd2, 0x76, 0x3b, 0x4b, 0x9e, 0x79];
const VERIFIER_VALUE: [u8; 8] = [0xd7, 0xaa, 0x0f, 0x6d, 0x30, 0x61, 0x34, 0x4e];
const KEY_VALUE: [u8; 8] = [0x14, 0x6e, 0x0b, 0xe7, 0xab, 0xac, 0xd0, 0xd6];

/// A sealed package.
pub struct Sealed {
    info: Vec<u8>,
    package: Vec<u8>,
}

/// The sealed package in a compound file, where it holds one.
pub fn package(bytes: &[u8]) -> Option<Sealed> {
    let mut container = CfbReader::new(Cursor::new(bytes)).ok()?;
    if !container.has_root_entry("EncryptedPackage") || !container.has_root_entry("EncryptionInfo") {
        return None;
    }
    let info = container.open_stream("EncryptionInfo").ok()?;
    let package = container.open_stream("EncryptedPackage").ok()?;
    Some(Sealed { info, package })
}

impl Sealed {
    /// The package inside.
    ///
    /// # Errors
    /// [`Why::Encrypted`] where the password is another, or the scheme is none that is followed here.
    pub fn open(&self, password: &str) -> Result<Vec<u8>, Why> {
        let version = (number16(&self.info, 0)?, number16(&self.info, 2)?);
        let (length, sealed) = self.package.split_at_checked(8).ok_or(Why::Damaged)?;
        let length = length.try_into().map(u64::from_le_bytes).map_err(|_| Why::Damaged)?;
        let mut plain = match version {
            (4, 4) => agile(self.info.get(8..).ok_or(Why::Damaged)?, sealed, password)?,
            (2..=4, 2) => standard(&self.info, sealed, password)?,
            _ => return Err(Why::Encrypted),
        };
        plain.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(plain)
    }
}

#[derive(Clone, Copy)]
enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn named(name: &str) -> Result<Self, Why> {
        match name {
            "SHA1" | "SHA-1" => Ok(Self::Sha1),
            "SHA256" | "SHA-256" => Ok(Self::Sha256),
            "SHA384" | "SHA-384" => Ok(Self::Sha384),
            "SHA512" | "SHA-512" => Ok(Self::Sha512),
            _ => Err(Why::Encrypted),
        }
    }

    fn of(self, first: &[u8], second: &[u8]) -> Vec<u8> {
        fn hash<D: Digest>(first: &[u8], second: &[u8]) -> Vec<u8> {
            D::new().chain_update(first).chain_update(second).finalize().to_vec()
        }
        match self {
            Self::Sha1 => hash::<Sha1>(first, second),
            Self::Sha256 => hash::<Sha256>(first, second),
            Self::Sha384 => hash::<Sha384>(first, second),
            Self::Sha512 => hash::<Sha512>(first, second),
        }
    }

    /// The password made slow to try.
    fn spun(self, salt: &[u8], password: &str, rounds: u32) -> Vec<u8> {
        let password: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut hash = self.of(salt, &password);
        for round in 0..rounds {
            hash = self.of(&round.to_le_bytes(), &hash);
        }
        hash
    }
}

struct Scheme {
    hash: Hash,
    salt: Vec<u8>,
    key_length: usize,
    block: usize,
}

impl Scheme {
    fn of(element: &Element) -> Result<Self, Why> {
        let number = |name: &str| element.attribute(name).and_then(|v| v.parse::<usize>().ok()).ok_or(Why::Damaged);
        let says = |name: &str, value: &str| element.attribute(name) == Some(value);
        if !says("cipherAlgorithm", "AES") || !says("cipherChaining", "ChainingModeCBC") {
            return Err(Why::Encrypted);
        }
        let hash = Hash::named(element.attribute("hashAlgorithm").unwrap_or_default())?;
        Ok(Self {
            hash,
            salt: octets(element, "saltValue"),
            key_length: number("keyBits")? / 8,
            block: number("blockSize")?,
        })
    }
}

fn octets(element: &Element, name: &str) -> Vec<u8> {
    crate::message::decode_base64(element.attribute(name).unwrap_or_default().as_bytes())
}

fn agile(info: &[u8], sealed: &[u8], password: &str) -> Result<Vec<u8>, Why> {
    let root = xml::parse(info)?;
    let data = Scheme::of(find(&root, "keyData").ok_or(Why::Damaged)?)?;
    let sealed_key = find(&root, "encryptedKey").ok_or(Why::Encrypted)?;
    let scheme = Scheme::of(sealed_key)?;
    let rounds = sealed_key.attribute("spinCount").and_then(|v| v.parse().ok()).ok_or(Why::Damaged)?;
    if rounds > limits::OFFICE_ROUNDS {
        return Err(Why::BeyondLimit);
    }
    let spun = scheme.hash.spun(&scheme.salt, password, rounds);
    let iv = sized(scheme.salt.clone(), scheme.block);
    let part = |name: &str, purpose: &[u8]| {
        let key = sized(scheme.hash.of(&spun, purpose), scheme.key_length);
        cbc(&key, &iv, &octets(sealed_key, name))
    };
    let mut input = part("encryptedVerifierHashInput", &VERIFIER_INPUT)?;
    input.truncate(scheme.salt.len());
    let value = part("encryptedVerifierHashValue", &VERIFIER_VALUE)?;
    if !value.starts_with(&scheme.hash.of(&input, &[])) {
        return Err(Why::Encrypted);
    }
    let mut key = part("encryptedKeyValue", &KEY_VALUE)?;
    key.truncate(data.key_length);
    let mut plain = Vec::with_capacity(sealed.len());
    for (number, segment) in sealed.chunks(SEGMENT).enumerate() {
        let iv = sized(data.hash.of(&data.salt, &(number as u32).to_le_bytes()), data.block);
        plain.extend(cbc(&key, &iv, segment)?);
    }
    Ok(plain)
}

fn standard(info: &[u8], sealed: &[u8], password: &str) -> Result<Vec<u8>, Why> {
    let header_length = number32(info, 8)?;
    let key_length = number32(info, 12 + 16)? / 8;
    let verifier = info.get(12usize.saturating_add(header_length)..).ok_or(Why::Damaged)?;
    let salt = verifier.get(4..20).ok_or(Why::Damaged)?;
    let spun = Hash::Sha1.spun(salt, password, STANDARD_SPIN_COUNT);
    let last = Hash::Sha1.of(&spun, &0u32.to_le_bytes());
    let derived = |fill: u8| {
        let mut block = [fill; 64];
        block.iter_mut().zip(&last).for_each(|(b, h)| *b ^= h);
        Hash::Sha1.of(&block, &[])
    };
    let mut key = [derived(0x36), derived(0x5c)].concat();
    key.truncate(key_length);
    let input = ecb(&key, verifier.get(20..36).ok_or(Why::Damaged)?)?;
    let value = ecb(&key, verifier.get(40..72).ok_or(Why::Damaged)?)?;
    if !value.starts_with(&Hash::Sha1.of(&input, &[])) {
        return Err(Why::Encrypted);
    }
    ecb(&key, sealed)
}

fn find<'e>(element: &'e Element, name: &str) -> Option<&'e Element> {
    if element.name == name {
        return Some(element);
    }
    element.elements().find_map(|child| find(child, name))
}

/// Cut, or filled with 0x36, to a length.
fn sized(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.resize(length.min(64), 0x36);
    bytes
}

/// AES-CBC undone; what is over a whole block is left off.
fn cbc(key: &[u8], iv: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Why> {
    let mut plain = sealed[..sealed.len() / 16 * 16].to_vec();
    let done = match key.len() {
        16 => cbc::Decryptor::<aes::Aes128>::new_from_slices(key, iv)
            .map(|c| c.decrypt_padded::<NoPadding>(&mut plain).is_ok()),
        24 => cbc::Decryptor::<aes::Aes192>::new_from_slices(key, iv)
            .map(|c| c.decrypt_padded::<NoPadding>(&mut plain).is_ok()),
        32 => cbc::Decryptor::<aes::Aes256>::new_from_slices(key, iv)
            .map(|c| c.decrypt_padded::<NoPadding>(&mut plain).is_ok()),
        _ => return Err(Why::Encrypted),
    };
    if done == Ok(true) { Ok(plain) } else { Err(Why::Damaged) }
}

/// AES-ECB undone.
fn ecb(key: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Why> {
    fn blocks<C: BlockCipherDecrypt + KeyInit>(key: &[u8], plain: &mut [u8]) -> Result<(), Why> {
        let cipher = C::new_from_slice(key).map_err(|_| Why::Encrypted)?;
        for block in plain.chunks_exact_mut(16) {
            let Ok(block) = <&mut Array<u8, C::BlockSize>>::try_from(block) else { return Err(Why::Encrypted) };
            cipher.decrypt_block(block);
        }
        Ok(())
    }
    let mut plain = sealed[..sealed.len() / 16 * 16].to_vec();
    match key.len() {
        16 => blocks::<aes::Aes128>(key, &mut plain)?,
        24 => blocks::<aes::Aes192>(key, &mut plain)?,
        32 => blocks::<aes::Aes256>(key, &mut plain)?,
        _ => return Err(Why::Encrypted),
    }
    Ok(plain)
}

fn number16(bytes: &[u8], at: usize) -> Result<u16, Why> {
    bytes.get(at..at + 2).and_then(|b| b.try_into().ok()).map(u16::from_le_bytes).ok_or(Why::Damaged)
}

fn number32(bytes: &[u8], at: usize) -> Result<usize, Why> {
    let octets = bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).ok_or(Why::Damaged)?;
    Ok(u32::from_le_bytes(octets) as usize)
}
