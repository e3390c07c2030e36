//! The gateway's and a worker's common language: one file to be read in one direction, what was read in the other.
//!
//! A frame is its length (four octets, least significant first) and that many octets. Numbers are of fixed width, texts
//! and lists stand behind their length. Both ends are the same program, so there are no versions. What a worker answers is
//! not trusted: every length is checked against what is there.

use std::io::{self, Read, Write};
use std::time::Duration;

use super::package::Budget;
use super::{Done, Page, Reading, Task, Unread, Why};
use crate::limits;
use crate::text::{Block, Document, Image, Kind, Row, Table};

/// Formats of pictures by their number on the wire; [`Image::format`] is one of these.
const IMAGES: &[&str] =
    &["jpeg", "png", "gif", "tiff", "webp", "heic", "avif", "bmp", "metafile", "icon", "svg", "other"];

const KINDS: &[Kind] = &[Kind::Subject, Kind::Header, Kind::Body, Kind::Quoted, Kind::Attachment, Kind::FileName];

const REASONS: &[Why] = &[Why::Encrypted, Why::Damaged, Why::Contradictory, Why::BeyondLimit, Why::UnknownType];

/// The octets are no frame of ours.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

/// A file as it crosses over; [`Task`] borrows, this owns.
#[derive(Debug, PartialEq, Eq)]
pub struct OwnedTask {
    pub bytes: Vec<u8>,
    pub place: String,
    pub depth: usize,
    pub inline: bool,
    pub content_type: String,
    pub charset: Option<String>,
    pub passwords: Vec<String>,
    pub parts: usize,
    pub unpacked: usize,
    pub time: Duration,
}

/// Writes one frame.
pub fn send(to: &mut impl Write, frame: &[u8]) -> io::Result<()> {
    let length = u32::try_from(frame.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(frame)?;
    to.flush()
}

/// Reads one frame of at most `most` octets; nothing where the other end has closed.
pub fn receive(from: &mut impl Read, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    // Memory grows with what really comes, not with what is announced.
    let mut frame = Vec::with_capacity(length.min(limits::READ_BUFFER));
    from.take(length as u64).read_to_end(&mut frame)?;
    if frame.len() < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(Some(frame)) }
}

/// A task as a frame.
pub fn task(task: &Task<'_>) -> Vec<u8> {
    let mut out = Out(Vec::with_capacity(task.bytes.len() + 1024));
    out.text(task.place);
    out.number(task.depth);
    out.flag(task.inline);
    out.text(task.content_type);
    out.optional(task.charset);
    out.list(task.passwords, |out, password| out.text(password));
    out.number(task.budget.parts);
    out.number(task.budget.bytes);
    out.number(task.budget.time.as_millis() as usize);
    out.octets(task.bytes);
    out.0
}

/// A frame as a task.
pub fn read_task(frame: &[u8]) -> Result<OwnedTask, Malformed> {
    let mut from = In(frame);
    let task = OwnedTask {
        place: from.text()?,
        depth: from.number()?,
        inline: from.flag()?,
        content_type: from.text()?,
        charset: from.optional()?,
        passwords: from.list(In::text)?,
        parts: from.number()?,
        unpacked: from.number()?,
        time: Duration::from_millis(from.number()? as u64),
        bytes: from.octets()?.to_vec(),
    };
    from.end()?;
    Ok(task)
}

/// What was read as a frame.
pub fn done(done: &Done) -> Vec<u8> {
    let mut out = Out(Vec::new());
    out.number(done.budget.parts);
    out.number(done.budget.bytes);
    out.number(done.budget.time.as_millis() as usize);
    let reading = &done.reading;
    out.list(&reading.documents, |out, document| {
        out.number(KINDS.iter().position(|k| *k == document.kind).unwrap_or(0));
        out.text(&document.place);
        out.list(&document.blocks, Out::block);
    });
    out.list(&reading.images, |out, image| {
        out.text(&image.place);
        out.number(IMAGES.iter().position(|f| *f == image.format).unwrap_or(IMAGES.len() - 1));
        out.number(image.width as usize);
        out.number(image.height as usize);
        out.number(image.bytes);
        out.flag(image.camera);
        out.flag(image.inline);
    });
    out.list(&reading.unread, |out, unread| {
        out.text(&unread.part);
        out.number(REASONS.iter().position(|w| *w == unread.why).unwrap_or(0));
    });
    out.list(&reading.opened_with_password, |out, place| out.text(place));
    out.list(&reading.pages, |out, page| {
        out.text(&page.place);
        out.optional(page.detail.as_ref());
        out.octets(&page.picture);
    });
    out.0
}

/// A frame as what was read.
pub fn read_done(frame: &[u8]) -> Result<Done, Malformed> {
    let mut from = In(frame);
    let (parts, bytes) = (from.number()?, from.number()?);
    let budget = Budget { parts, bytes, time: Duration::from_millis(from.number()? as u64) };
    let documents = from.list(|from| {
        let kind = *KINDS.get(from.number()?).ok_or(Malformed)?;
        Ok(Document { kind, place: from.text()?, blocks: from.list(In::block)? })
    })?;
    let images = from.list(|from| {
        Ok(Image {
            place: from.text()?,
            format: IMAGES.get(from.number()?).ok_or(Malformed)?,
            width: u32::try_from(from.number()?).map_err(|_| Malformed)?,
            height: u32::try_from(from.number()?).map_err(|_| Malformed)?,
            bytes: from.number()?,
            camera: from.flag()?,
            inline: from.flag()?,
        })
    })?;
    let unread =
        from.list(|from| Ok(Unread { part: from.text()?, why: *REASONS.get(from.number()?).ok_or(Malformed)? }))?;
    let opened_with_password = from.list(In::text)?;
    let pages =
        from.list(|from| Ok(Page { place: from.text()?, detail: from.optional()?, picture: from.octets()?.to_vec() }))?;
    from.end()?;
    Ok(Done { reading: Reading { documents, images, unread, opened_with_password, pages }, budget })
}

struct Out(Vec<u8>);

impl Out {
    fn number(&mut self, number: usize) {
        self.0.extend((number as u64).to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        // What is longer than four octets can say is beyond every limit, and is refused by the other end as malformed.
        self.0.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.0.push(u8::from(flag));
    }

    fn octets(&mut self, octets: &[u8]) {
        self.length(octets.len());
        self.0.extend_from_slice(octets);
    }

    fn text(&mut self, text: impl AsRef<str>) {
        self.octets(text.as_ref().as_bytes());
    }

    fn optional(&mut self, text: Option<impl AsRef<str>>) {
        self.flag(text.is_some());
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn list<T>(&mut self, list: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.length(list.len());
        for item in list {
            each(self, item);
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Paragraph { text, detail } => {
                self.flag(false);
                self.text(text);
                self.optional(detail.as_ref());
            }
            Block::Table(table) => {
                self.flag(true);
                self.optional(table.detail.as_ref());
                self.list(&table.rows, |out, row| {
                    out.optional(row.detail.as_ref());
                    out.list(&row.cells, |out, cell| out.text(cell));
                });
            }
        }
    }
}

struct In<'a>(&'a [u8]);

impl<'a> In<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<usize, Malformed> {
        let octets = self.take(8)?.try_into().map_err(|_| Malformed)?;
        usize::try_from(u64::from_le_bytes(octets)).map_err(|_| Malformed)
    }

    fn length(&mut self) -> Result<usize, Malformed> {
        let octets = self.take(4)?.try_into().map_err(|_| Malformed)?;
        Ok(u32::from_le_bytes(octets) as usize)
    }

    fn flag(&mut self) -> Result<bool, Malformed> {
        match self.take(1)? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Malformed),
        }
    }

    fn octets(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.length()?;
        self.take(length)
    }

    fn text(&mut self) -> Result<String, Malformed> {
        std::str::from_utf8(self.octets()?).map(str::to_owned).map_err(|_| Malformed)
    }

    fn optional(&mut self) -> Result<Option<String>, Malformed> {
        if self.flag()? { self.text().map(Some) } else { Ok(None) }
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Result<T, Malformed>) -> Result<Vec<T>, Malformed> {
        let length = self.length()?;
        // Every item takes an octet at least: a length beyond what is left is a lie, and no room is made for it.
        let mut list = Vec::with_capacity(length.min(self.0.len() / 4));
        for _ in 0..length {
            list.push(each(self)?);
        }
        Ok(list)
    }

    fn block(&mut self) -> Result<Block, Malformed> {
        if !self.flag()? {
            return Ok(Block::Paragraph { text: self.text()?, detail: self.optional()? });
        }
        let detail = self.optional()?;
        let rows = self.list(|from| Ok(Row { detail: from.optional()?, cells: from.list(In::text)? }))?;
        Ok(Block::Table(Table { detail, rows }))
    }

    fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Done {
        let rows = vec![Row { cells: vec!["Amy".into(), String::new()], detail: Some("row 2, hidden".into()) }];
        let blocks = vec![
            Block::paragraph("Zoë"),
            Block::paragraph_at("x", "page 3"),
            Block::Table(Table { detail: None, rows }),
        ];
        let document = Document { kind: Kind::Attachment, place: "a.zip/b.xlsx".into(), blocks };
        let image =
            Image { place: "a.jpg".into(), format: "heic", width: 3, height: 4, bytes: 5, camera: true, inline: false };
        let reading = Reading {
            documents: vec![document],
            images: vec![image],
            unread: vec![Unread { part: "c".into(), why: Why::BeyondLimit }],
            opened_with_password: vec!["d.zip".into()],
            pages: vec![Page { place: "e.png".into(), detail: Some("page 1".into()), picture: vec![1, 2] }],
        };
        Done { reading, budget: Budget { parts: 7, bytes: 8, time: Duration::from_millis(9) } }
    }

    #[test]
    fn what_is_sent_is_received() {
        let frame = done(&example());
        assert_eq!(format!("{:?}", read_done(&frame)), format!("{:?}", Ok::<_, Malformed>(example())));
        let passwords = ["Oak-12".to_owned()];
        let sent = Task {
            bytes: b"%PDF-",
            place: "a.pdf",
            depth: 2,
            inline: true,
            content_type: "application/pdf",
            charset: Some("utf-8"),
            passwords: &passwords,
            budget: Budget::default(),
        };
        let mut wire = Vec::new();
        send(&mut wire, &task(&sent)).unwrap();
        let frame = receive(&mut wire.as_slice(), 1000).unwrap().unwrap();
        let owned = read_task(&frame).unwrap();
        assert_eq!((owned.bytes.as_slice(), owned.place.as_str(), owned.depth), (sent.bytes, sent.place, sent.depth));
        assert_eq!((owned.charset.as_deref(), owned.passwords.as_slice()), (sent.charset, sent.passwords));
        assert_eq!(owned.time, sent.budget.time);
        assert!(receive(&mut wire.as_slice(), 10).is_err());
        assert!(receive(&mut &wire[..wire.len() - 1], 1000).is_err());
        assert!(receive(&mut &b""[..], 10).unwrap().is_none());
    }

    #[test]
    fn a_lying_frame_is_refused() {
        let frame = done(&example());
        for cut in 0..frame.len() {
            assert!(read_done(&frame[..cut]).is_err(), "cut at {cut}");
        }
        let mut long = frame.clone();
        long.push(0);
        assert!(read_done(&long).is_err());
        // A list of four thousand million documents in no octets.
        let mut lying = frame[..24].to_vec();
        lying.extend([0xff; 4]);
        assert!(read_done(&lying).is_err());
    }
}
