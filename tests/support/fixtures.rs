//! The labelled messages, and what of them arrives.

use std::path::Path;

use super::{Reply, Taken};

/// One line of a `cases.jsonl`.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Case {
    pub id: String,
    pub file: String,
    pub mail_from: String,
    pub rcpt: Vec<String>,
    pub action: String,
    #[serde(default)]
    pub accept: Vec<String>,
    pub rules: Vec<String>,
    pub tags: Vec<String>,
    /// The folder below `fixtures/` in which it stands.
    #[serde(skip)]
    pub folder: String,
}

impl Case {
    /// The message, CRLF line ends.
    pub fn message(&self) -> Vec<u8> {
        fixture(&format!("{}/{}", self.folder, self.file))
    }

    /// Whether one of its tags is this word.
    pub fn tagged(&self, tag: &str) -> bool {
        self.tags.iter().any(|t| t == tag)
    }
}

/// The labelled messages of `fixtures/school`.
pub fn cases() -> Vec<Case> {
    cases_of("school")
}

/// The labelled messages of a folder below `fixtures/`.
pub fn cases_of(folder: &str) -> Vec<Case> {
    let text = String::from_utf8(fixture(&format!("{folder}/cases.jsonl"))).expect("UTF-8");
    let case = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    text.lines().map(|line| Case { folder: folder.to_owned(), ..case(line) }).collect()
}

/// A file below `fixtures/`.
pub fn fixture(name: &str) -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// The first value of a header, unfolded.
pub fn header(content: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(content);
    let head = text.split("\r\n\r\n").next().unwrap_or("");
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    unfolded.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// What is left of relayed content below our one Received line; `None` where there is no such line at the top.
pub fn relayed(content: &[u8]) -> Option<&[u8]> {
    if !content.get(..9)?.eq_ignore_ascii_case(b"Received:") {
        return None;
    }
    let mut at = 0;
    for line in content.split_inclusive(|&b| b == b'\n') {
        if at > 0 && !line.starts_with(b" ") && !line.starts_with(b"\t") {
            return Some(&content[at..]);
        }
        at += line.len();
    }
    None
}

/// The queue id that a 250 names: its last word of 16 letters and digits.
pub fn id_of(reply: &Reply) -> String {
    let text = reply.text();
    let is_id = |word: &&str| word.len() == 16 && word.chars().all(|c| c.is_ascii_alphanumeric());
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .rfind(is_id)
        .unwrap_or_else(|| panic!("no queue id in {text:?}"))
        .to_owned()
}

/// A notice of ours (null sender, automatic) about the message with this Message-ID.
pub fn is_notice_about(taken: &Taken, message_id: &str) -> bool {
    taken.from.is_empty()
        && header(&taken.content, "Auto-Submitted").is_some_and(|value| value.starts_with("auto-"))
        && header(&taken.content, "In-Reply-To").as_deref() == Some(message_id)
}
