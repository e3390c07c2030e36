//! Somebody else's mail passed on outside: an attached message, or one that the mail program put below the text.
//!
//! Its author is neither the sender nor one of the recipients, and somebody outside gets it who had no part in it. The
//! author who is answered has part in it; a program that writes (no-reply) has no wish that could be asked.

use super::addresses::{Known, found};
use super::lines;
use crate::people::RecipientKind;
use crate::smtp::Address;
use crate::text::{Block, Document, Kind};

/// Who wrote a message and who got it, as far as its head says.
#[derive(Default)]
struct Head {
    author: String,
    others: String,
}

/// Somebody else's mail goes to people outside who had no part in it.
pub(super) fn passes_on<'d>(documents: &'d [Document], known: &Known<'_>) -> Option<&'d Document> {
    let subject = documents.iter().find(|d| d.kind == Kind::Subject);
    let subject: String = subject.into_iter().flat_map(|d| d.blocks.iter().flat_map(lines::of_block)).collect();
    documents.iter().find(|document| {
        let head = match document.kind {
            Kind::Attachment => attached(document),
            Kind::Quoted => quoted(document, &subject),
            _ => None,
        };
        head.is_some_and(|head| is_passed_on(&head, known))
    })
}

fn is_passed_on(head: &Head, known: &Known<'_>) -> bool {
    let authors: Vec<Address> = found(&head.author).into_iter().map(|(_, address)| address).collect();
    let part: Vec<String> = authors
        .iter()
        .cloned()
        .chain(found(&head.others).into_iter().map(|(_, address)| address))
        .map(|address| address.as_str().to_lowercase())
        .collect();
    if head.author.trim().is_empty() || authors.iter().any(is_program) {
        return false;
    }
    let recipients: Vec<Address> =
        known.correspondence.recipient_addresses.iter().filter_map(|a| Address::parse(a).ok()).collect();
    let answered = authors.iter().any(|author| known.is_own(author) || known.is_recipient(author))
        || is_one_of(
            &head.author,
            known.correspondence.sender_names.iter().chain(&known.correspondence.recipient_names),
        );
    let outside = |address: &&Address| known.kind(address) != RecipientKind::Internal;
    !answered && recipients.iter().filter(outside).any(|address| !part.contains(&address.as_str().to_lowercase()))
}

/// A program's mailbox: nobody writes there, and nobody reads.
fn is_program(address: &Address) -> bool {
    let local: String = address.local().to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    ["noreply", "donotreply", "dontreply", "mailerdaemon", "postmaster", "notification", "newsletter"]
        .iter()
        .any(|name| local.contains(name))
}

/// A head shows one of these people by name: the same words, in whatever order, titles and what stands in brackets aside.
fn is_one_of<'a>(author: &str, mut names: impl Iterator<Item = &'a String>) -> bool {
    let words = |text: &str| -> Vec<String> {
        let shown = text.split(['<', '(', '[']).next().unwrap_or_default().to_lowercase();
        let split = |c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '-'));
        let mut words: Vec<String> = shown.split(split).filter(|w| !w.is_empty()).map(str::to_owned).collect();
        words.retain(|word| !matches!(word.as_str(), "mr" | "mrs" | "miss" | "ms" | "dr" | "mx" | "rev"));
        words.sort();
        words
    };
    let author = words(author);
    !author.is_empty() && names.any(|name| words(name) == author)
}

/// The head of a message that is a file.
fn attached(document: &Document) -> Option<Head> {
    let text = document.blocks.iter().find_map(|block| match block {
        Block::Paragraph { text, detail: Some(detail) } if detail == "headers" => Some(text),
        _ => None,
    })?;
    let lines: Vec<String> = text.lines().map(lines::plain).collect();
    match lines.iter().any(|line| field(line).is_some_and(|(name, _)| name == "from")) {
        true => Some(head_of(&lines)),
        // An Outlook item: the sender's name and address, then the others.
        false => {
            let author = lines.iter().take(2).cloned().collect::<Vec<_>>().join(" ");
            Some(Head { author, others: lines.get(2..).unwrap_or_default().join(" ") })
        }
    }
}

/// The head of the message below the text, where it is put there as one that is passed on.
fn quoted(document: &Document, subject: &str) -> Option<Head> {
    let lines: Vec<String> = document.blocks.iter().flat_map(lines::of_block).map(|l| lines::plain(&l)).collect();
    let lines: Vec<String> =
        lines.into_iter().filter(|l| !l.is_empty()).take(crate::limits::QUOTED_HEAD_LINES).collect();
    let first = lines.first()?.to_lowercase();
    let marked = first.contains("forwarded message") || first.contains("forwarded by");
    let ruled = marked || first.trim_matches(is_rule).is_empty() || first.contains("original message");
    let rest = if ruled { lines.get(1..)? } else { &lines[..] };
    let head = head_of(rest);
    // "On … wrote:" begins an answer; a head without the rule is Outlook's, for answers and for what is passed on.
    let headed = rest.first().and_then(|line| field(line)).is_some();
    let subject = subject.trim().to_lowercase();
    let begins = |marks: &[&str]| marks.iter().any(|mark| subject.starts_with(mark));
    let forwards = begins(&["fw:", "fwd:", "fw :", "fwd :", "[fwd", "tr:", "wg:"]);
    let answers = begins(&["re:", "re :", "aw:", "sv:"]);
    // Sent as something new, it is passed on where the head says by its address who wrote it.
    let renewed = !answers && !found(&head.author).is_empty();
    (headed && (marked || forwards || renewed)).then_some(head)
}

fn is_rule(c: char) -> bool {
    matches!(c, '-' | '_' | '=' | '*' | ' ' | '\u{2013}' | '\u{2014}')
}

/// The fields of a head, each over as many lines as it takes.
fn head_of(lines: &[String]) -> Head {
    let mut head = Head::default();
    let mut name = "";
    for line in lines {
        let text = match field(line) {
            Some(("subject", _)) if !head.author.is_empty() && !head.others.is_empty() => break,
            Some((field, value)) => {
                // The head of a message deeper down begins.
                if field == "from" && !head.author.is_empty() {
                    break;
                }
                name = field;
                value
            }
            None => line.as_str(),
        };
        match name {
            "from" if head.author.is_empty() => head.author = text.to_owned(),
            "from" if text.contains('@') && !head.author.contains('@') => head.author.push_str(text),
            "to" | "cc" => {
                head.others.push(' ');
                head.others.push_str(text);
            }
            _ => {}
        }
    }
    head
}

fn field(line: &str) -> Option<(&'static str, &str)> {
    let (name, value) = line.trim_start_matches(['*', '>', ' ']).split_once(':')?;
    let name = name.trim_matches(['*', ' ']);
    let known = ["from", "sent", "date", "to", "cc", "subject", "reply-to", "importance"];
    known
        .into_iter()
        .find(|field| name.eq_ignore_ascii_case(field))
        .map(|field| (field, value.trim_matches(['*', ' '])))
}
