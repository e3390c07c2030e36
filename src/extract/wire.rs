//! The gateway's and a worker's common language: one file to be read in one direction, what was read in the other.
//!
//! Numbers are of fixed width, least significant octet first; texts and lists stand behind their length. Both ends are the same
//! program, so there are no versions. Either end writes and reads as it goes, so that nothing is held twice: a file goes
//! over from where it lies, and a text is kept as it comes. What a worker answers is not trusted: it may be of so many octets and
//! no more, memory grows with what really comes and not with what is announced, and no number is believed that leads nowhere.

use std::io::{self, Read, Write};
use std::time::Duration;

use super::package::Budget;
use super::{Done, Page, Reading, Task, Unread, Why};
use crate::limits;
use crate::text::{Block, Document, Image, Kind, Parts};

/// Formats of pictures by their number on the wire; [`Image::format`] is one of these.
const IMAGES: &[&str] =
    &["jpeg", "png", "gif", "tiff", "webp", "heic", "avif", "bmp", "metafile", "icon", "svg", "other"];

const KINDS: &[Kind] = &[Kind::Subject, Kind::Header, Kind::Body, Kind::Quoted, Kind::Attachment, Kind::FileName];

const REASONS: &[Why] = &[Why::Encrypted, Why::Damaged, Why::Contradictory, Why::BeyondLimit, Why::UnknownType];

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
    pub text: usize,
    pub time: Duration,
}

/// Writes a task.
///
/// # Errors
/// What the writer fails with.
pub fn send_task(to: &mut impl Write, task: &Task<'_>) -> io::Result<()> {
    let mut out = Out(to);
    // Tells a task from the end of all tasks.
    out.flag(true)?;
    out.text(task.place)?;
    out.number(task.depth)?;
    out.flag(task.inline)?;
    out.text(task.content_type)?;
    out.optional(task.charset)?;
    out.list(task.passwords, |out, password| out.text(password))?;
    out.budget(&task.budget)?;
    out.octets(task.bytes)?;
    out.0.flush()
}

/// Reads a task; nothing where the other end has closed.
///
/// # Errors
/// What the reader fails with; `InvalidData` for what is no task, `FileTooLarge` for one that is too large.
pub fn receive_task(from: &mut impl Read) -> io::Result<Option<OwnedTask>> {
    let mut from = In { from, left: limits::WORKER_TASK };
    match from.flag() {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Ok(true) => {}
        Ok(false) => return Err(malformed()),
        Err(error) => return Err(error),
    }
    let (place, depth, inline) = (from.text()?, from.number()?, from.flag()?);
    let (content_type, charset) = (from.text()?, from.optional()?);
    let passwords = from.list(In::text)?;
    let Budget { parts, bytes: unpacked, text, time } = from.budget()?;
    let bytes = from.octets()?;
    Ok(Some(OwnedTask { bytes, place, depth, inline, content_type, charset, passwords, parts, unpacked, text, time }))
}

/// Writes what was read.
///
/// # Errors
/// What the writer fails with.
pub fn send_done(to: &mut impl Write, done: &Done) -> io::Result<()> {
    let mut out = Out(to);
    out.budget(&done.budget)?;
    let reading = &done.reading;
    out.list(&reading.documents, |out, document| {
        out.number(KINDS.iter().position(|k| *k == document.kind).unwrap_or(0))?;
        out.text(&document.place)?;
        out.list(&document.blocks, Out::block)
    })?;
    out.list(&reading.images, |out, image| {
        out.text(&image.place)?;
        out.number(IMAGES.iter().position(|f| *f == image.format).unwrap_or(IMAGES.len() - 1))?;
        out.number(image.width as usize)?;
        out.number(image.height as usize)?;
        out.number(image.bytes)?;
        out.flag(image.camera)?;
        out.flag(image.inline)
    })?;
    out.list(&reading.unread, |out, unread| {
        out.text(&unread.part)?;
        out.number(REASONS.iter().position(|w| *w == unread.why).unwrap_or(0))
    })?;
    out.list(&reading.opened_with_password, |out, place| out.text(place))?;
    out.list(&reading.pages, |out, page| {
        out.text(&page.place)?;
        out.optional(page.detail.as_ref())?;
        out.octets(&page.picture)
    })?;
    out.0.flush()
}

/// Reads what was read.
///
/// # Errors
/// As [`receive_task`]; `UnexpectedEof` also where the other end has closed.
pub fn receive_done(from: &mut impl Read, most: usize) -> io::Result<Done> {
    let mut from = In { from, left: most };
    let budget = from.budget()?;
    let documents = from.list(|from| {
        let kind = *KINDS.get(from.number()?).ok_or_else(malformed)?;
        Ok(Document { kind, place: from.text()?, blocks: from.list(In::block)? })
    })?;
    let images = from.list(|from| {
        Ok(Image {
            place: from.text()?,
            format: IMAGES.get(from.number()?).ok_or_else(malformed)?,
            width: u32::try_from(from.number()?).map_err(|_| malformed())?,
            height: u32::try_from(from.number()?).map_err(|_| malformed())?,
            bytes: from.number()?,
            camera: from.flag()?,
            inline: from.flag()?,
        })
    })?;
    let unread =
        from.list(|from| Ok(Unread { part: from.text()?, why: *REASONS.get(from.number()?).ok_or_else(malformed)? }))?;
    let opened_with_password = from.list(In::text)?;
    let pages =
        from.list(|from| Ok(Page { place: from.text()?, detail: from.optional()?, picture: from.octets()? }))?;
    Ok(Done { reading: Reading { documents, images, unread, opened_with_password, pages }, budget })
}

fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

struct Out<'w, W>(&'w mut W);

impl<W: Write> Out<'_, W> {
    fn number(&mut self, number: usize) -> io::Result<()> {
        self.0.write_all(&(number as u64).to_le_bytes())
    }

    fn length(&mut self, length: usize) -> io::Result<()> {
        let length = u32::try_from(length).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        self.0.write_all(&length.to_le_bytes())
    }

    fn flag(&mut self, flag: bool) -> io::Result<()> {
        self.0.write_all(&[u8::from(flag)])
    }

    fn octets(&mut self, octets: &[u8]) -> io::Result<()> {
        self.length(octets.len())?;
        self.0.write_all(octets)
    }

    fn text(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        self.octets(text.as_ref().as_bytes())
    }

    fn optional(&mut self, text: Option<impl AsRef<str>>) -> io::Result<()> {
        self.flag(text.is_some())?;
        text.map_or(Ok(()), |text| self.text(text))
    }

    fn list<T>(&mut self, list: &[T], mut each: impl FnMut(&mut Self, &T) -> io::Result<()>) -> io::Result<()> {
        self.length(list.len())?;
        list.iter().try_for_each(|item| each(self, item))
    }

    fn numbers(&mut self, numbers: impl ExactSizeIterator<Item = u32>) -> io::Result<()> {
        self.length(numbers.len())?;
        for number in numbers {
            self.0.write_all(&number.to_le_bytes())?;
        }
        Ok(())
    }

    fn budget(&mut self, budget: &Budget) -> io::Result<()> {
        self.number(budget.parts)?;
        self.number(budget.bytes)?;
        self.number(budget.text)?;
        self.number(budget.time.as_millis() as usize)
    }

    fn block(&mut self, block: &Block) -> io::Result<()> {
        match block {
            Block::Paragraph { text, detail } => {
                self.flag(false)?;
                self.text(text)?;
                self.optional(detail.as_ref())
            }
            Block::Table(table) => {
                self.flag(true)?;
                self.optional(table.detail.as_ref())?;
                let parts = table.parts();
                self.text(parts.buffer)?;
                self.numbers(parts.ends.iter().copied())?;
                self.numbers(parts.cells.into_iter())?;
                self.numbers(parts.lines.into_iter())
            }
        }
    }
}

struct In<'r, R> {
    from: &'r mut R,
    /// So many octets may still come.
    left: usize,
}

impl<R: Read> In<'_, R> {
    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        self.left = self.left.checked_sub(N).ok_or(io::ErrorKind::FileTooLarge)?;
        let mut octets = [0; N];
        self.from.read_exact(&mut octets)?;
        Ok(octets)
    }

    fn number(&mut self) -> io::Result<usize> {
        usize::try_from(u64::from_le_bytes(self.take()?)).map_err(|_| malformed())
    }

    fn length(&mut self) -> io::Result<usize> {
        Ok(u32::from_le_bytes(self.take()?) as usize)
    }

    fn flag(&mut self) -> io::Result<bool> {
        match self.take()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [_] => Err(malformed()),
        }
    }

    /// So many octets, for which room is made as they come.
    fn run(&mut self, length: usize) -> io::Result<Vec<u8>> {
        self.left = self.left.checked_sub(length).ok_or(io::ErrorKind::FileTooLarge)?;
        let mut octets = Vec::with_capacity(length.min(limits::READ_BUFFER));
        (&mut *self.from).take(length as u64).read_to_end(&mut octets)?;
        if octets.len() < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(octets) }
    }

    fn octets(&mut self) -> io::Result<Vec<u8>> {
        let length = self.length()?;
        self.run(length)
    }

    fn text(&mut self) -> io::Result<String> {
        String::from_utf8(self.octets()?).map_err(|_| malformed())
    }

    fn optional(&mut self) -> io::Result<Option<String>> {
        if self.flag()? { self.text().map(Some) } else { Ok(None) }
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> io::Result<T>) -> io::Result<Vec<T>> {
        (0..self.length()?).map(|_| each(self)).collect()
    }

    fn numbers(&mut self) -> io::Result<Vec<u32>> {
        let length = self.length()?;
        let octets = self.run(length.saturating_mul(4))?;
        Ok(octets.chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect())
    }

    fn budget(&mut self) -> io::Result<Budget> {
        let (parts, bytes, text) = (self.number()?, self.number()?, self.number()?);
        Ok(Budget { parts, bytes, text, time: Duration::from_millis(self.number()? as u64) })
    }

    fn block(&mut self) -> io::Result<Block> {
        if !self.flag()? {
            return Ok(Block::Paragraph { text: self.text()?, detail: self.optional()? });
        }
        let (detail, buffer) = (self.optional()?, self.text()?);
        let parts = Parts { detail, buffer, ends: self.numbers()?, cells: self.numbers()?, lines: self.numbers()? };
        parts.table().map(Block::Table).ok_or_else(malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Row, Table};

    fn example() -> Done {
        let rows = [Row { cells: vec!["Amy".into(), String::new()], detail: Some("row 2, hidden".into()) }];
        let blocks =
            vec![Block::paragraph("Zoë"), Block::paragraph_at("x", "page 3"), Block::Table(Table::of(None, rows))];
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
        Done { reading, budget: Budget { parts: 7, bytes: 8, text: 6, time: Duration::from_millis(9) } }
    }

    fn sent() -> Vec<u8> {
        let mut wire = Vec::new();
        send_done(&mut wire, &example()).unwrap();
        wire
    }

    #[test]
    fn what_is_sent_is_received() {
        let (wire, most) = (sent(), 1000);
        assert_eq!(format!("{:?}", receive_done(&mut wire.as_slice(), most).unwrap()), format!("{:?}", example()));
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
        send_task(&mut wire, &sent).unwrap();
        let owned = receive_task(&mut wire.as_slice()).unwrap().unwrap();
        assert_eq!((owned.bytes.as_slice(), owned.place.as_str(), owned.depth), (sent.bytes, sent.place, sent.depth));
        assert_eq!((owned.charset.as_deref(), owned.passwords.as_slice()), (sent.charset, sent.passwords));
        assert_eq!((owned.time, owned.text), (sent.budget.time, sent.budget.text));
        assert!(receive_task(&mut &wire[..wire.len() - 1]).is_err());
        assert!(receive_task(&mut &b""[..]).unwrap().is_none());
    }

    #[test]
    fn a_lying_answer_is_refused() {
        let wire = sent();
        for cut in 0..wire.len() {
            assert!(receive_done(&mut &wire[..cut], wire.len()).is_err(), "cut at {cut}");
        }
        let kind = |wire: &[u8], most| receive_done(&mut &wire[..], most).unwrap_err().kind();
        assert_eq!(kind(&wire, wire.len() - 1), io::ErrorKind::FileTooLarge);
        // A list of four thousand million documents in no octets.
        let mut lying = wire[..32].to_vec();
        lying.extend([0xff; 4]);
        assert_eq!(kind(&lying, wire.len()), io::ErrorKind::UnexpectedEof);
        // A text of as many.
        lying.extend([0; 8]);
        lying.extend([0xff; 4]);
        assert_eq!(kind(&lying, wire.len()), io::ErrorKind::FileTooLarge);
    }
}
