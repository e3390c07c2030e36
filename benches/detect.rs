//! How fast text is looked through on one core: pupils' names and identifiers alone, as pattern engines do it, and the
//! whole inspection of a message.
//!
//! `cargo bench --bench detect` makes its own schools and text. `cargo bench --bench detect -- DATA` takes `text10.txt` and
//! `roster-N.csv` from a directory, so that other engines can be run on the same; a further
//! word, or one alone, runs only what has it in its name. One JSON
//! object a line: median, slowest and fastest MB/s of the runs, hits, and for a roster what its index costs.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use schoolgate::detect::meaning::MODEL;
use schoolgate::detect::{self, Correspondence};
use schoolgate::inspect::{Ground, inspect};
use schoolgate::limits;
use schoolgate::people::{Guardian, Pupil, PupilIndex, School};
use schoolgate::policy::RulePack;
use schoolgate::smtp::{Address, Envelope};
use schoolgate::text::{Block, Document, Halt, Kind, Row, Table};

/// As the gateway has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: usize = 7;
/// How long a run takes at least.
const RUN: Duration = Duration::from_millis(200);
/// Octets of the text.
const TEXT: usize = 10_000_000;
/// Octets of a mail of the text.
const MAIL: usize = 8_000;
/// Cells of a sheet.
const CELLS: usize = 30_000;

const FORENAMES: &str = "Amelia Olivia Isla Ava Mia Ivy Lily Florence Freya Willow Grace Sophia Elsie Poppy Evie Ella \
    Harper Rosie Maya Noah Oliver George Arthur Leo Muhammad Harry Oscar Archie Henry Theo Jack Charlie Alfie Jacob \
    Thomas Finley William Aisha Fatima Zainab Hassan Yusuf Priya Ananya Arjun Rohan Wei Chidi Amara Kofi Niamh Cerys \
    Rhys Zofia Jakub Lena Szymon Diego Lucia Matteo Anaïs Chloé Zoë Renée";
const HEADS: &str = "Ash Black Brad Brook Burn Cart Clay Cob Dan Den East Elm Fair Farn Fen Gar Glen Gran Had Har Hart Hay \
    Hol Hux Ing Kel Ken Lang Law Lin Mar Mel Mid Nor Oak Pen Pres Rad Ram Rey Sand Shel Stan Stock Sut Thorn Tur War Wes";
const TAILS: &str = "bourne bridge bury by combe cott croft dale den field ford gate grove ham hurst ing land leigh ley low \
    man mere more ner ridge ron sall shaw sley son stead ston ter thorpe ton ville ward well wick wood worth";
const WORDS: &str = "the of and to in for is on that with as at by we will be this it from are our your you please have can \
    not all has was school pupils meeting homework attendance assembly library maths timetable behaviour progress \
    deadline reception governor thursday afternoon coach letter parents office trip kind regards lesson printer room \
    uniform history music drama term list monday confirm account return review information morning details support";

/// Small pseudo-random numbers (SplitMix64) from a fixed seed: every run looks through the same text.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as usize >> 1
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.next() % list.len()]
    }
}

fn split(list: &str) -> Vec<&str> {
    list.split_whitespace().collect()
}

/// A UPN by its place, with the right check letter.
fn upn(at: usize) -> String {
    let digits =
        format!("{:03}{:04}{:02}{:03}", 201 + at % 150, 2000 + (at * 7) % 3000, 12 + (at / 999) % 12, at % 1000);
    let sum: usize = digits.bytes().enumerate().map(|(place, digit)| usize::from(digit - b'0') * (place + 2)).sum();
    format!("{}{digits}", char::from(b"ABCDEFGHJKLMNPQRTUVWXYZ"[sum % 23]))
}

/// A made-up school of so many pupils, each of another full name; large ones have double names as well.
fn made_up(many: usize) -> School {
    let mut numbers = Numbers(many as u64);
    let (forenames, heads, tails) = (split(FORENAMES), split(HEADS), split(TAILS));
    let mut seen = std::collections::HashSet::new();
    let mut school = School::default();
    while school.pupils.len() < many {
        let mut forename = numbers.of(&forenames).to_owned();
        let mut surname = format!("{}{}", numbers.of(&heads), numbers.of(&tails));
        if many > 50_000 {
            if numbers.next() % 10 < 3 {
                let _ = write!(forename, "-{}", numbers.of(&forenames));
            }
            if many > 500_000 || numbers.next() % 10 < 6 {
                let _ = write!(surname, "-{}{}", numbers.of(&heads), numbers.of(&tails));
            }
        }
        if seen.insert(format!("{forename} {surname}")) {
            let at = school.pupils.len();
            school.pupils.push(pupil(at, &upn(at), &forename, &surname));
        }
    }
    school
}

fn pupil(at: usize, upn: &str, forename: &str, surname: &str) -> Pupil {
    Pupil {
        id: format!("P{at}"),
        upn: Some(upn.to_owned()),
        forename: forename.to_owned(),
        surname: surname.to_owned(),
        year_group: (1 + at % 13).to_string(),
        form: format!("{}{}", 1 + at % 13, char::from(b"ABCDEF"[at % 6])),
        date_of_birth: jiff::civil::Date::new(2008 + (at % 12) as i16, 1 + (at % 12) as i8, 1 + (at % 28) as i8).ok(),
        ..Pupil::default()
    }
}

/// A school of a file with the columns UPN, forename and surname.
fn of_file(path: &Path) -> School {
    let mut school = School::default();
    let text = std::fs::read_to_string(path).expect("roster");
    for (at, line) in text.lines().skip(1).enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        school.pupils.push(pupil(at, cells[0], cells[1], cells[2]));
    }
    school
}

/// Paragraphs like those of mail, with a name, a UPN or another number here and there.
fn made_up_text(school: &School) -> String {
    let mut numbers = Numbers(7);
    let words = split(WORDS);
    let mut text = String::with_capacity(TEXT + 1000);
    while text.len() < TEXT {
        for _ in 0..3 + numbers.next() % 4 {
            let start = text.len();
            for _ in 0..8 + numbers.next() % 9 {
                text.push_str(numbers.of(&words));
                text.push(' ');
            }
            text.pop();
            text.push_str(". ");
            text[start..start + 1].make_ascii_uppercase();
        }
        let pupil = &school.pupils[numbers.next() % school.pupils.len()];
        let _ = match numbers.next() % 24 {
            0 => write!(text, "{} {} was in late.", pupil.forename, pupil.surname),
            1 => write!(text, "UPN {}.", upn(numbers.next() % 5000)),
            2 => write!(text, "Order {} of {}/09/2026.", numbers.next() % 10_000_000_000, 1 + numbers.next() % 28),
            3 => write!(text, "Ring 01632 960{:03}.", numbers.next() % 1000),
            _ => Ok(()),
        };
        text.push_str("\n\n");
    }
    text
}

/// The text in mails, cut between paragraphs.
fn mails(text: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    for paragraph in text.split_inclusive("\n\n") {
        if out.last().is_some_and(|mail| mail.len() + paragraph.len() > MAIL) {
            out.push(String::new());
        }
        out.last_mut().expect("never empty").push_str(paragraph);
    }
    out
}

fn document(text: &str) -> Document {
    let paragraph = |text: &str| Block::Paragraph { text: text.to_owned(), detail: None };
    let blocks = text.split("\n\n").filter(|text| !text.is_empty()).map(paragraph).collect();
    Document { place: "body".into(), kind: Kind::Body, blocks }
}

/// A number with the check digit of the NHS.
fn nhs(numbers: &mut Numbers) -> String {
    loop {
        let digits: Vec<usize> = (0..9).map(|_| numbers.next() % 10).collect();
        let sum: usize = digits.iter().enumerate().map(|(at, digit)| digit * (10 - at)).sum();
        let check = (11 - sum % 11) % 11;
        if check < 10 {
            return digits.iter().chain([&check]).map(usize::to_string).collect();
        }
    }
}

/// The list of all pupils that an office keeps, of so many cells: each cell but the year and the note is of one pupil alone.
fn list_sheet(school: &School, cells: usize) -> Document {
    const HEADINGS: [&str; 8] =
        ["UPN", "Forename", "Surname", "Date of birth", "Year", "Guardian e-mail", "NHS number", "Notes"];
    let mut numbers = Numbers(11);
    let row = |cells: Vec<String>| Row { cells, ..Row::default() };
    let mut rows = vec![row(HEADINGS.map(str::to_owned).to_vec())];
    for at in 0..cells / HEADINGS.len() - 1 {
        let pupil = &school.pupils[at % school.pupils.len()];
        rows.push(row(vec![
            pupil.upn.clone().unwrap_or_default(),
            pupil.forename.clone(),
            pupil.surname.clone(),
            pupil.date_of_birth.map(|date| date.strftime("%d/%m/%Y").to_string()).unwrap_or_default(),
            pupil.year_group.clone(),
            format!("parent{}@guardian.invalid", at % school.pupils.len()),
            nhs(&mut numbers),
            numbers.of(&["None", "Asthma", "Nut allergy", "EHCP", "Free school meals"]).to_owned(),
        ]));
    }
    let table = Block::Table(Table::of(None, rows));
    Document { place: "pupils.xlsx".into(), kind: Kind::Attachment, blocks: vec![table] }
}

/// A workbook's sheet of marks as schools keep them, of so many cells: names in two columns, a class, and figures.
fn marks_sheet(school: &School, cells: usize) -> Document {
    const HEADINGS: [&str; 10] =
        ["Surname", "Forename", "Form", "English", "Maths", "Science", "Attendance", "House", "Effort", "Comment"];
    let mut numbers = Numbers(9);
    let words = split(WORDS);
    let row = |cells: Vec<String>| Row { cells, ..Row::default() };
    let mut rows = vec![row(HEADINGS.map(str::to_owned).to_vec())];
    for at in 0..cells / HEADINGS.len() - 1 {
        let pupil = &school.pupils[at % school.pupils.len()];
        let mark = |numbers: &mut Numbers| (numbers.next() % 100).to_string();
        let mut cells = vec![pupil.surname.clone(), pupil.forename.clone(), pupil.form.clone()];
        cells.extend((0..3).map(|_| mark(&mut numbers)));
        cells.push(format!("{}.{}%", 80 + numbers.next() % 20, numbers.next() % 10));
        cells.push(numbers.of(&["Red", "Blue", "Green", "Yellow"]).to_owned());
        cells.push((1 + numbers.next() % 5).to_string());
        cells.push(format!("{} {}", numbers.of(&words), numbers.of(&words)));
        rows.push(row(cells));
    }
    let table = Block::Table(Table::of(None, rows));
    Document { place: "marks.xlsx".into(), kind: Kind::Attachment, blocks: vec![table] }
}

fn octets(document: &Document) -> usize {
    let of_block = |block: &Block| match block {
        Block::Paragraph { text, .. } => text.len(),
        Block::Table(table) => table.octets(),
    };
    document.blocks.iter().map(of_block).sum()
}

/// The most memory that this process has ever held, in octets; 0 where the system does not tell.
fn most_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    kib.map_or(0, |kib: usize| kib * 1024)
}

/// Runs `each` over and over; a line of what came out.
fn line(what: &str, octets: usize, more: &str, mut each: impl FnMut() -> usize) {
    let mut speeds = Vec::new();
    let start = Instant::now();
    let hits = black_box(each());
    // What is quick is done often enough to be timed.
    let times = (RUN.as_secs_f64() / start.elapsed().as_secs_f64()).ceil().max(1.0) as usize;
    for _ in 0..RUNS {
        let start = Instant::now();
        for _ in 0..times {
            black_box(each());
        }
        speeds.push((octets * times) as f64 / 1e6 / start.elapsed().as_secs_f64());
    }
    speeds.sort_by(f64::total_cmp);
    println!(
        "{{\"engine\":\"{what}\",\"mbs\":{:.1},\"min\":{:.1},\"max\":{:.1},\"hits\":{hits},\"runs\":{RUNS}{more}}}",
        speeds[RUNS / 2],
        speeds[0],
        speeds[RUNS - 1],
    );
}

fn ground(mut school: School) -> Ground {
    school.domains = vec!["bench.invalid".into()];
    school.guardians = (0..school.pupils.len().min(2_000))
        .map(|at| Guardian {
            id: format!("G{at}"),
            forename: "Robin".into(),
            surname: school.pupils[at].surname.clone(),
            email: Some(format!("parent{at}@guardian.invalid")),
            pupils: vec![PupilIndex(at as u32)],
            ..Guardian::default()
        })
        .collect();
    Ground {
        school: std::sync::Arc::new(school.indexed()),
        pack: RulePack::embedded("core").expect("embedded"),
        confidential_markers: Vec::new(),
        bulk_pupils: 10,
        roles: Default::default(),
        permitted: Default::default(),
        times: Default::default(),
        dkim_keys: Default::default(),
        version: Default::default(),
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).peekable();
    let data = arguments.next_if(|argument| Path::new(argument).is_dir()).map(PathBuf::from);
    let only = arguments.next().unwrap_or_default();
    let school = |many: usize| match &data {
        Some(directory) => of_file(&directory.join(format!("roster-{many}.csv"))),
        None => made_up(many),
    };
    let text = match &data {
        Some(directory) => std::fs::read_to_string(directory.join("text10.txt")).expect("text"),
        None => made_up_text(&school(1_500)),
    };
    let mails = mails(&text);
    let documents: Vec<Vec<Document>> = mails.iter().map(|mail| vec![document(mail)]).collect();

    for many in [1_500, 100_000, 1_000_000] {
        let name = format!("schoolgate-names-and-identifiers-{many}");
        if !name.contains(&only) {
            continue;
        }
        let roster = school(many);
        let start = Instant::now();
        let roster = roster.indexed();
        let more = format!(
            ",\"load_ms\":{},\"heap_kib\":{}",
            start.elapsed().as_millis(),
            roster.index().heap().div_ceil(1024)
        );
        line(&name, text.len(), &more, || {
            documents.iter().map(|mail| detect::names_and_numbers(mail, &roster)).map(|(a, b)| a + b).sum()
        });
    }

    let nobody = Correspondence::default();
    for many in [1_500, 100_000, 1_000_000] {
        let name = format!("schoolgate-every-detector-{many}");
        if !name.contains(&only) {
            continue;
        }
        let roster = school(many).indexed();
        line(&name, text.len(), "", || {
            let found = |mail: &Vec<Document>| detect::detect(mail, &[], &roster, &nobody, &Halt::default());
            documents.iter().map(found).map(|found| found.findings.len()).sum()
        });
    }
    let ground = ground(school(1_500));
    for (name, document) in [
        ("schoolgate-one-text-1500", document(&text)),
        ("schoolgate-cells-1500", marks_sheet(&ground.school, CELLS)),
        ("schoolgate-list-1500", list_sheet(&ground.school, CELLS)),
    ] {
        if !name.contains(&only) {
            continue;
        }
        let octets = octets(&document);
        let documents = [document];
        let before = most_memory();
        black_box(detect::detect(&documents, &[], &ground.school, &nobody, &Halt::default()));
        // What an earlier line took is not given back, so that this is to be trusted in a run of this line alone.
        let more = format!(",\"octets\":{octets},\"memory\":{:.1}", (most_memory() - before) as f64 / octets as f64);
        line(name, octets, &more, || {
            detect::detect(&documents, &[], &ground.school, &nobody, &Halt::default()).findings.len()
        });
    }
    if "schoolgate-plain-words".contains(&only) {
        // Every sentence, as if each named a pupil of whom nothing else is said: no mail costs more.
        let model = MODEL.as_ref().expect("the model that is built in");
        let lower = text.to_lowercase();
        let sentences: Vec<Vec<&str>> = lower.split(['.', '\n']).map(|one| one.split_whitespace().collect()).collect();
        line("schoolgate-plain-words", text.len(), "", || {
            sentences.iter().filter(|words| model.read_words(words).tier(limits::MEANING_THRESHOLD).is_some()).count()
        });
    }
    if !"schoolgate-inspection-1500".contains(&only) {
        return;
    }
    let address = |text: &str| Address::parse(text).expect("address");
    let envelope = Envelope::new(Some(address("teacher@bench.invalid")), vec![address("parent1@guardian.invalid")]);
    let raw: Vec<Vec<u8>> = mails
        .iter()
        .map(|mail| {
            let body = mail.replace('\n', "\r\n");
            format!(
                "From: A Teacher <teacher@bench.invalid>\r\nTo: parent1@guardian.invalid\r\nSubject: A letter\r\n\
                 Date: Mon, 12 Oct 2026 09:30:00 +0100\r\nMessage-ID: <1@bench.invalid>\r\nMIME-Version: 1.0\r\n\
                 Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}"
            )
            .into_bytes()
        })
        .collect();
    let octets: usize = raw.iter().map(Vec::len).sum();
    let more = format!(",\"messages\":{}", raw.len());
    line("schoolgate-inspection-1500", octets, &more, || {
        raw.iter().map(|raw| inspect(&ground, &envelope, raw, jiff::Timestamp::UNIX_EPOCH).findings.len()).sum()
    });
}
