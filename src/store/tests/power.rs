//! Power lost at every step: what a child asked of the system is recorded, and its disk is built anew as it may have been at
//! each moment, with all that was synced and any part of what was not.
//!
//! The disk is the strictest that POSIX allows: a sync of a file makes its bytes last and not its name; a name lasts when its
//! directory was synced; what was not synced may be there, be missing, be torn in the middle, in any order.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use super::crashes::content_of;
use super::*;

/// A change of a file that no sync has made last yet.
#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, data) => {
                let end = at + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*at..end].copy_from_slice(data);
            }
            Self::Length(length) => bytes.resize(*length, 0),
        }
    }

    /// Its first half, as a page that was being written.
    fn torn(&self) -> Self {
        match self {
            Self::Write(at, data) => Self::Write(*at, data[..data.len() / 2].to_vec()),
            Self::Length(length) => Self::Length(*length),
        }
    }
}

/// A change of a directory: a name, and the file that it names from then on.
#[derive(Clone)]
struct Named(PathBuf, Option<usize>);

#[derive(Default, Clone)]
struct File {
    directory: bool,
    lasting: Vec<u8>,
    length: usize,
    loose: Vec<Change>,
}

/// The disk below one directory.
#[derive(Default, Clone)]
struct Disk {
    files: Vec<File>,
    /// As the child sees them.
    names: BTreeMap<PathBuf, usize>,
    lasting: BTreeMap<PathBuf, usize>,
    loose: Vec<Named>,
}

impl Disk {
    fn name(&mut self, path: PathBuf, file: Option<usize>) {
        match file {
            Some(file) => drop(self.names.insert(path.clone(), file)),
            None => drop(self.names.remove(&path)),
        }
        self.loose.push(Named(path, file));
    }

    fn create(&mut self, path: PathBuf, directory: bool) {
        if !self.names.contains_key(&path) {
            self.files.push(File { directory, ..File::default() });
            self.name(path, Some(self.files.len() - 1));
        }
    }

    fn change(&mut self, path: &Path, change: Change) {
        let Some(&file) = self.names.get(path) else { return };
        let file = &mut self.files[file];
        file.length = match &change {
            Change::Write(at, data) => file.length.max(at + data.len()),
            Change::Length(length) => *length,
        };
        file.loose.push(change);
    }

    fn sync(&mut self, path: &Path, root: &Path) {
        let is_directory = path == root || self.names.get(path).is_some_and(|&file| self.files[file].directory);
        if is_directory {
            let (now, later): (Vec<_>, Vec<_>) =
                self.loose.drain(..).partition(|Named(name, _)| name.parent() == Some(path));
            self.loose = later;
            name_all(&mut self.lasting, &now);
        } else if let Some(&file) = self.names.get(path) {
            let file = &mut self.files[file];
            for change in std::mem::take(&mut file.loose) {
                change.apply(&mut file.lasting);
            }
        }
    }

    /// Writes what there is after a loss of power; `keeps` says what becomes of each change that was not synced.
    fn write(&self, root: &Path, to: &Path, keeps: &mut dyn FnMut() -> Kept) {
        let mut names = self.lasting.clone();
        let kept: Vec<Named> = self.loose.iter().filter(|_| keeps() != Kept::Lost).cloned().collect();
        name_all(&mut names, &kept);
        for (name, &file) in &names {
            let place = to.join(name.strip_prefix(root).unwrap());
            // The name of a directory was lost, and all in it.
            if !place.parent().unwrap().exists() {
                continue;
            }
            let file = &self.files[file];
            if file.directory {
                std::fs::create_dir(&place).unwrap();
                continue;
            }
            let mut bytes = file.lasting.clone();
            for change in &file.loose {
                match keeps() {
                    Kept::Whole => change.apply(&mut bytes),
                    Kept::Torn => change.torn().apply(&mut bytes),
                    Kept::Lost => {}
                }
            }
            std::fs::write(&place, bytes).unwrap();
        }
    }
}

fn name_all(names: &mut BTreeMap<PathBuf, usize>, changes: &[Named]) {
    for Named(name, file) in changes {
        match file {
            Some(file) => drop(names.insert(name.clone(), *file)),
            None => drop(names.remove(name)),
        }
    }
}

#[derive(PartialEq, Clone, Copy)]
enum Kept {
    Whole,
    Torn,
    Lost,
}

/// A call as `strace -f -y -xx` prints it, whole again where another thread's came between.
struct Call {
    name: String,
    arguments: Vec<String>,
    result: String,
}

/// `\x41\x42` as bytes.
fn bytes_of(text: &str) -> Vec<u8> {
    let digits = text.split("\\x").skip(1).filter_map(|hex| hex.get(..2));
    digits.map(|hex| u8::from_str_radix(hex, 16).unwrap()).collect()
}

fn path_of(text: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(bytes_of(text)).into()
}

/// What stands between `<` and `>` behind a number: the file that it is.
fn file_of(argument: &str) -> PathBuf {
    path_of(argument.split_once('<').map_or("", |(_, rest)| rest.split('>').next().unwrap_or_default()))
}

fn calls(trace: &str) -> Vec<Call> {
    let mut begun: BTreeMap<&str, &str> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        let whole = if let Some(head) = rest.strip_suffix("<unfinished ...>") {
            begun.insert(thread, head.trim_end());
            continue;
        } else if let Some(tail) = rest.strip_prefix("<... ") {
            let tail = tail.split_once("resumed>").map_or("", |(_, tail)| tail);
            format!("{}{tail}", begun.remove(thread).unwrap_or_default())
        } else {
            rest.to_owned()
        };
        let Some((call, result)) = whole.rsplit_once(") ") else { continue };
        let Some((name, arguments)) = call.split_once('(') else { continue };
        let result = result.trim_start().trim_start_matches("= ").to_owned();
        let arguments = arguments.split(", ").map(str::to_owned).collect();
        calls.push(Call { name: name.to_owned(), arguments, result });
    }
    calls
}

/// Whether a process may be traced here, and there is the program for it.
fn may_trace() -> bool {
    Command::new("strace").args(["-o", "/dev/null", "true"]).output().is_ok_and(|output| output.status.success())
}

/// What the recorded calls did, up to one of them.
struct Replay<'r> {
    root: &'r Path,
    disk: Disk,
    taken: Vec<String>,
}

/// What a call means to whoever loses power.
enum Step {
    /// A sync begins that makes this last.
    Sync(PathBuf),
    /// Messages were answered.
    Answered,
    Nothing,
}

impl Replay<'_> {
    fn step(&mut self, call: &Call) -> Step {
        let Call { name, arguments, result } = call;
        if result.starts_with('-') || result.starts_with('?') {
            return Step::Nothing;
        }
        let argument = |at: usize| arguments.get(at).map_or("", String::as_str);
        let number = |at: usize| argument(at).parse::<usize>().unwrap();
        let root = self.root;
        let inside = |path: &Path| path.starts_with(root) && path != root;
        match name.as_str() {
            "openat" => {
                let path = file_of(result);
                if inside(&path) && argument(2).contains("O_CREAT") {
                    self.disk.create(path.clone(), false);
                }
                if inside(&path) && argument(2).contains("O_TRUNC") {
                    self.disk.change(&path, Change::Length(0));
                }
            }
            "mkdir" | "mkdirat" => {
                let path = path_of(argument(usize::from(name == "mkdirat")));
                if inside(&path) {
                    self.disk.create(path, true);
                }
            }
            "write" if argument(0).starts_with("1<") => {
                let said = String::from_utf8_lossy(&bytes_of(argument(1))).into_owned();
                let before = self.taken.len();
                self.taken.extend(said.lines().filter_map(|line| line.strip_prefix("taken ")).map(str::to_owned));
                if self.taken.len() > before {
                    return Step::Answered;
                }
            }
            "write" | "pwrite64" => {
                let path = file_of(argument(0));
                if let Some(&file) = self.disk.names.get(&path) {
                    let at = if name == "write" { self.disk.files[file].length } else { number(3) };
                    let mut data = bytes_of(argument(1));
                    // Less was written than was asked for where a kill came between two pages.
                    let written = result.parse::<usize>().unwrap();
                    assert!(written <= data.len(), "what was written is recorded whole");
                    data.truncate(written);
                    self.disk.change(&path, Change::Write(at, data));
                }
            }
            "ftruncate" => self.disk.change(&file_of(argument(0)), Change::Length(number(1))),
            "unlink" | "unlinkat" => {
                let path = path_of(argument(usize::from(name == "unlinkat")));
                if self.disk.names.contains_key(&path) {
                    self.disk.name(path, None);
                }
            }
            "rename" | "renameat" | "renameat2" => {
                let at = |place: usize| if name == "rename" { place } else { place * 2 + 1 };
                let (from, to) = (path_of(argument(at(0))), path_of(argument(at(1))));
                if let Some(&file) = self.disk.names.get(&from) {
                    self.disk.name(from, None);
                    self.disk.name(to, Some(file));
                }
            }
            "fsync" | "fdatasync" => {
                let path = file_of(argument(0));
                if path.starts_with(root) {
                    return Step::Sync(path);
                }
            }
            _ => {}
        }
        Step::Nothing
    }
}

/// What is wrong after the loss: a message that was answered and is not there whole, or another of which half is there.
async fn wrong(directory: &Path, taken: &[String]) -> Result<(), String> {
    let store = exclusive(directory).await;
    let listed = store.list(Filter::default(), 100).await.unwrap();
    let (mails, notices): (Vec<_>, Vec<_>) = listed.iter().partition(|summary| summary.class == Class::Mail);
    let there: Vec<&str> = mails.iter().map(|summary| summary.id.0.as_str()).collect();
    let all = taken.iter().all(|id| there.contains(&id.as_str()));
    // One more may have been in hand.
    if !all || there.len() > taken.len() + 1 || notices.len() != mails.len() {
        return Err(format!("{taken:?} answered, {there:?} there with {} notices", notices.len()));
    }
    for summary in &mails {
        let number = summary.id.0[1..].parse().unwrap();
        let content = store.content(&summary.id).await.map_err(|error| error.to_string())?;
        if *content != *content_of(number) {
            return Err(format!("content of {}", summary.id));
        }
    }
    if store.audit_verify(Scope::Whole).await.unwrap().is_err() {
        return Err("the audit".to_owned());
    }
    // And it goes on.
    let next = store.commit(vec![entry("Z", State::Held, b"x\r\n")]).await;
    store.close().await;
    next.map_err(|error| error.to_string())
}

/// Records a child that takes in mail into `root`.
fn recorded(root: &Path, trace: &Path) -> Vec<Call> {
    let traced =
        "trace=openat,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,ftruncate,mkdir,mkdirat";
    let output = Command::new("strace")
        .args(["-f", "-y", "-xx", "-s", "100000000", "-e", traced, "-o"])
        .arg(trace)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::crashes::child_that_takes_in", "--ignored", "--nocapture", "--test-threads=1"])
        .env("SCHOOLGATE_TEST_STORE", root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    calls(&std::fs::read_to_string(trace).unwrap())
}

/// xorshift64, from a seed that is printed; `SCHOOLGATE_SEED` gives the same again.
fn seeded() -> impl FnMut() -> u64 {
    let given = std::env::var("SCHOOLGATE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = given.unwrap_or_else(|| Timestamp::now().subsec_nanosecond().unsigned_abs().into());
    println!("SCHOOLGATE_SEED={seed}");
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

/// Relay checklist, row 69.
#[test]
fn what_was_answered_survives_a_loss_of_power_at_every_step() {
    if !may_trace() {
        println!("skipped: there is no strace, or no process may be traced");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let place = place.path().canonicalize().unwrap();
    let root = place.join("store");
    std::fs::create_dir(&root).unwrap();
    let calls = recorded(&root, &place.join("trace"));
    let mut random = seeded();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let after = |replay: &Replay<'_>, keeps: &mut dyn FnMut() -> Kept| {
        let built = tempfile::tempdir().unwrap();
        replay.disk.write(&root, built.path(), keeps);
        runtime.block_on(wrong(built.path(), &replay.taken))
    };
    let begin = || Replay { root: &root, disk: Disk::default(), taken: Vec::new() };
    let (mut replay, mut losses, mut syncs) = (begin(), 0, 0);
    for call in &calls {
        match replay.step(call) {
            Step::Nothing => continue,
            Step::Answered => {}
            Step::Sync(path) => {
                syncs += 1;
                // Lost while the sync runs: any of what was not synced is there, or, as of a disk that keeps the order, all but
                // the end.
                for in_order in [false, true] {
                    let mut left = random() % 12;
                    let mut keeps = || match (in_order, random() % 4) {
                        (false, 0) => Kept::Lost,
                        (false, 1) => Kept::Torn,
                        (false, _) => Kept::Whole,
                        (true, _) if left == 0 => Kept::Lost,
                        (true, _) => {
                            left -= 1;
                            Kept::Whole
                        }
                    };
                    let found = after(&replay, &mut keeps);
                    assert_eq!(found, Ok(()), "lost in sync {syncs}, in order: {in_order}");
                    losses += 1;
                }
                replay.disk.sync(&path, &root);
            }
        }
        assert_eq!(after(&replay, &mut || Kept::Lost), Ok(()), "all is lost that {syncs} syncs did not make last");
        losses += 1;
    }
    println!("{losses} losses of power at {syncs} syncs, {} messages answered", replay.taken.len());
    assert_eq!(replay.taken.len(), 12, "every answer was seen");
    assert!(syncs > 24, "{syncs} syncs: at least content and rows of each");
    // The loss is a real one: on a disk that does not heed the syncs of one kind of file or directory, something is lost.
    for unheeded in ["segments", "large", "queue.db-wal", ""] {
        let mut replay = begin();
        for call in &calls {
            match replay.step(call) {
                Step::Sync(path) if unheeded.is_empty() && path == root => {}
                Step::Sync(path) if !unheeded.is_empty() && path.starts_with(root.join(unheeded)) => {}
                Step::Sync(path) => replay.disk.sync(&path, &root),
                // Closing would write the database whole.
                Step::Answered if replay.taken.len() == 12 => break,
                Step::Answered | Step::Nothing => {}
            }
        }
        assert!(after(&replay, &mut || Kept::Lost).is_err(), "without the syncs of `{unheeded}` something is lost");
    }
}
