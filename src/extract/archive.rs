//! Archives other than ZIP, and files packed one by one: 7z, RAR, gzip, bzip2, xz, zstd.

use std::io::{Cursor, Read};

use rars::{ArchiveReadOptions, ArchiveReader, ErrorKind};
use sevenz_rust2::{Error as SevenZipError, Password};

use super::Why;
use super::package::{Budget, Member};
use super::password::try_each;
use crate::limits;

/// Members, and whether a password of the message was wanted to see them.
pub type Opened = (Vec<Member>, bool);

/// The members of a 7z archive.
pub fn seven_zip(bytes: &[u8], budget: &mut Budget, passwords: &[String]) -> Result<Opened, Why> {
    match seven_zip_with(bytes, budget, "") {
        Ok(members) if !members.iter().any(|m| m.content == Err(Why::Encrypted)) => Ok((members, false)),
        Ok(members) => match try_each(passwords, |p| seven_zip_sealed(bytes, budget, p)) {
            Ok(opened) => Ok((opened, true)),
            Err(_) => Ok((members, false)),
        },
        Err(Why::Encrypted) => {
            try_each(passwords, |p| seven_zip_sealed(bytes, budget, p)).map(|members| (members, true))
        }
        Err(why) => Err(why),
    }
}

fn seven_zip_sealed(bytes: &[u8], budget: &mut Budget, password: &str) -> Result<Vec<Member>, Why> {
    let mut tried = *budget;
    // A wrong password gives rubbish, which shows in many ways.
    let members = seven_zip_with(bytes, &mut tried, password).map_err(|_| Why::Encrypted)?;
    if members.iter().any(|m| m.content.is_err()) {
        return Err(Why::Encrypted);
    }
    *budget = tried;
    Ok(members)
}

fn seven_zip_with(bytes: &[u8], budget: &mut Budget, password: &str) -> Result<Vec<Member>, Why> {
    let mut reader =
        sevenz_rust2::ArchiveReader::new(Cursor::new(bytes), Password::from(password)).map_err(|e| seven_reason(&e))?;
    reader.set_thread_count(1);
    let mut members = Vec::new();
    let read = reader.for_each_entries(|entry, content| {
        if entry.is_directory() {
            return Ok(true);
        }
        let name = entry.name().replace('\\', "/");
        if budget.part().is_err() {
            members.push(Member { name, content: Err(Why::BeyondLimit) });
            return Ok(false);
        }
        // Members share their packed octets, so the ratio is that to the whole archive.
        let content = budget.unpack(bytes.len(), content);
        let go_on = content.is_ok();
        members.push(Member { name, content });
        Ok(go_on)
    });
    let seen = members.len();
    // What was not come to is named all the same.
    let names: Vec<String> =
        reader.archive().files.iter().filter(|f| !f.is_directory()).map(|f| f.name().replace('\\', "/")).collect();
    let why = match &read {
        Err(error) => Some(seven_reason(error)),
        Ok(()) if seen < names.len() => Some(Why::BeyondLimit),
        Ok(()) => None,
    };
    if let Some(why) = why {
        if names.is_empty() {
            return Err(why);
        }
        for member in &mut members {
            if member.content == Err(Why::Damaged) {
                member.content = Err(why);
            }
        }
        let missing: Vec<String> = names.into_iter().filter(|n| !members.iter().any(|m| m.name == *n)).collect();
        members.extend(missing.into_iter().map(|name| Member { name, content: Err(why) }));
    }
    Ok(members)
}

fn seven_reason(error: &SevenZipError) -> Why {
    match error {
        SevenZipError::PasswordRequired | SevenZipError::MaybeBadPassword(_) => Why::Encrypted,
        SevenZipError::UnsupportedVersion { .. }
        | SevenZipError::UnsupportedCompressionMethod(_)
        | SevenZipError::Unsupported(_)
        | SevenZipError::ExternalUnsupported => Why::UnknownType,
        SevenZipError::MaxMemLimited { .. } => Why::BeyondLimit,
        _ => Why::Damaged,
    }
}

/// The members of a RAR archive.
pub fn rar(bytes: &[u8], budget: &mut Budget, passwords: &[String]) -> Result<Opened, Why> {
    match rar_with(bytes, budget, None) {
        Ok(members) if !members.iter().any(|m| m.content == Err(Why::Encrypted)) => Ok((members, false)),
        first => {
            let sealed = |password: &str| {
                let mut tried = *budget;
                let members = rar_with(bytes, &mut tried, Some(password)).map_err(|_| Why::Encrypted)?;
                if members.iter().any(|m| m.content.is_err()) {
                    return Err(Why::Encrypted);
                }
                *budget = tried;
                Ok(members)
            };
            match (first, passwords) {
                (Err(why), _) if why != Why::Encrypted => Err(why),
                (first, passwords) => match try_each(passwords, sealed) {
                    Ok(members) => Ok((members, true)),
                    Err(_) => first.map(|members| (members, false)),
                },
            }
        }
    }
}

fn rar_with(bytes: &[u8], budget: &mut Budget, password: Option<&str>) -> Result<Vec<Member>, Why> {
    let most =
        budget.bytes.min(bytes.len().saturating_mul(limits::EXTRACT_RATIO).saturating_add(limits::EXTRACT_SLACK));
    let options = ArchiveReadOptions::with_optional_password(password.map(str::as_bytes))
        .with_max_header_count(limits::EXTRACT_PARTS as u64)
        .with_max_member_output_bytes(most as u64)
        .with_max_total_output_bytes(most as u64)
        .with_rar50_dictionary_size_limit(1 << limits::ARCHIVE_WINDOW_LOG);
    let archive = ArchiveReader::read_with_options(bytes, options).map_err(|e| rar_reason(e.kind()))?;
    let mut members = Vec::new();
    for (index, member) in archive.members().enumerate() {
        if member.meta.is_directory {
            continue;
        }
        budget.part()?;
        let name = crate::message::guess_text(member.meta.name_bytes()).replace('\\', "/");
        let content = if member.meta.is_split_before || member.meta.is_split_after {
            // The rest is in another file, perhaps of another message.
            Err(Why::BeyondLimit)
        } else if member.meta.is_encrypted && password.is_none() {
            Err(Why::Encrypted)
        } else {
            match archive.read_member_at_with_options(index, options) {
                Ok(content) => budget.unpack(bytes.len(), content.unwrap_or_default().as_slice()),
                Err(error) => Err(rar_reason(error.kind())),
            }
        };
        members.push(Member { name, content });
    }
    Ok(members)
}

fn rar_reason(kind: ErrorKind) -> Why {
    match kind {
        ErrorKind::PasswordRequired | ErrorKind::BadPassword => Why::Encrypted,
        ErrorKind::UnsupportedFormat | ErrorKind::UnsupportedFeature => Why::UnknownType,
        ErrorKind::ResourceLimit => Why::BeyondLimit,
        _ => Why::Damaged,
    }
}

/// A file packed by itself: gzip, bzip2, xz or zstd, several streams one behind the other included.
pub fn unpacked(bytes: &[u8], method: Packing, budget: &mut Budget) -> Result<Vec<u8>, Why> {
    let from: Box<dyn Read + '_> = match method {
        Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
        Packing::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(bytes)),
        Packing::Xz => {
            Box::new(lzma_rust2::XzReader::new_mem_limit(bytes, true, 1 << (limits::ARCHIVE_WINDOW_LOG - 10)))
        }
        Packing::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(bytes).map_err(|_| Why::Damaged)?;
            decoder.window_log_max(limits::ARCHIVE_WINDOW_LOG).map_err(|_| Why::Damaged)?;
            Box::new(decoder)
        }
    };
    budget.unpack(bytes.len(), from)
}

/// How a single file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

impl Packing {
    /// The name of what is inside, after that of the outside.
    pub fn inner_name(self, name: &str) -> String {
        let (ending, tape) = match self {
            Self::Gzip => (".gz", ".tgz"),
            Self::Bzip2 => (".bz2", ".tbz2"),
            Self::Xz => (".xz", ".txz"),
            Self::Zstd => (".zst", ".tzst"),
        };
        match name.strip_suffix(tape) {
            Some(stem) => format!("{stem}.tar"),
            None => name.strip_suffix(ending).unwrap_or(name).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn packed_7z(files: &[(&str, &[u8])], password: Option<&str>) -> Vec<u8> {
        let mut writer = sevenz_rust2::ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
        if let Some(password) = password {
            writer.set_content_methods(vec![
                sevenz_rust2::encoder_options::AesEncoderOptions::new(password.into()).into(),
                sevenz_rust2::EncoderMethod::LZMA2.into(),
            ]);
            writer.set_encrypt_header(false);
        }
        for (name, content) in files {
            writer.push_archive_entry(sevenz_rust2::ArchiveEntry::new_file(name), Some(*content)).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn seven_zip_open_sealed_and_damaged() {
        let files: [(&str, &[u8]); 2] = [("a.txt", b"Amy Smith"), ("dir/b.txt", b"Ben Jones")];
        let open = packed_7z(&files, None);
        let (members, opened) = seven_zip(&open, &mut Budget::default(), &[]).unwrap();
        assert_eq!(members.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["a.txt", "dir/b.txt"]);
        assert_eq!(members[1].content.as_deref(), Ok(b"Ben Jones".as_slice()));
        assert!(!opened);
        let sealed = packed_7z(&files, Some("Oak-12"));
        let (members, opened) = seven_zip(&sealed, &mut Budget::default(), &[]).unwrap();
        assert!(members.iter().all(|m| m.content == Err(Why::Encrypted)) && !opened);
        let (members, opened) = seven_zip(&sealed, &mut Budget::default(), &["Elm".into(), "Oak-12".into()]).unwrap();
        assert_eq!((members[0].content.as_deref(), opened), (Ok(b"Amy Smith".as_slice()), true));
        assert_eq!(seven_zip(&open[..open.len() / 2], &mut Budget::default(), &[]).err(), Some(Why::Damaged));
    }

    #[test]
    fn single_files_packed() {
        let text = b"Amy Smith".as_slice();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gz.write_all(text).unwrap();
        let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
        bz.write_all(text).unwrap();
        let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
        xz.write_all(text).unwrap();
        for (packing, bytes, name, inner) in [
            (Packing::Gzip, gz.finish().unwrap(), "a.tgz", "a.tar"),
            (Packing::Bzip2, bz.finish().unwrap(), "a.tar.bz2", "a.tar"),
            (Packing::Xz, xz.finish().unwrap(), "a.csv.xz", "a.csv"),
            (Packing::Zstd, zstd::encode_all(text, 3).unwrap(), "a", "a"),
        ] {
            assert_eq!(packing.inner_name(name), inner);
            assert_eq!(unpacked(&bytes, packing, &mut Budget::default()).as_deref(), Ok(text), "{packing:?}");
            assert_eq!(unpacked(&bytes[..bytes.len() / 2], packing, &mut Budget::default()), Err(Why::Damaged));
        }
    }
}
