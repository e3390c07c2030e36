//! What a disclosure is handed over as: the messages, an index in which others have made-up names, the lines of the audit, the incidents.
//!
//! Knows requests, messages and the roster; never where the messages come from or who may take them.

use std::collections::BTreeMap;

use jiff::Zoned;

use super::bundle::{Bundle, BundleError, Place, hex, sha256};
use super::names::Names;
use crate::people::School;
use crate::review::csv;
use crate::store::{AuditLink, Disclosing, Fit, Incident, QueueId, ToIndex};

/// A row of the index.
struct Row {
    cells: Vec<String>,
    file: Option<String>,
}

const HEAD: [&str; 11] = [
    "reference",
    "date",
    "from",
    "to",
    "subject",
    "state",
    "what was decided",
    "by which rule",
    "in this export",
    "SHA-256",
    "file",
];

/// An export on its way.
pub struct Export<'a> {
    disclosing: &'a Disclosing,
    names: Names<'a>,
    rows: Vec<Row>,
    now: Zoned,
}

/// An export but for its manifest.
pub struct Whole {
    /// The manifest as it is to be written.
    pub manifest: Vec<u8>,
    /// Its SHA-256.
    pub manifest_sha256: [u8; 32],
    /// SHA-256 of the index.
    pub index_sha256: [u8; 32],
    /// Who is called what.
    pub pseudonyms: BTreeMap<String, String>,
}

impl<'a> Export<'a> {
    /// Of this request, at `now` in the school's own time.
    pub fn of(disclosing: &'a Disclosing, school: &'a School, now: Zoned) -> Self {
        let names = Names::of(school, &disclosing.request.what, disclosing.pseudonyms.clone());
        Self { disclosing, names, rows: Vec::new(), now }
    }

    /// The messages of which a copy is to be fetched.
    pub fn wanted(&self, message: &ToIndex) -> bool {
        message.is_in() && message.listed.content
    }

    /// Those that are handed over, whether a copy is there or not.
    pub fn handed_over(&self) -> Vec<QueueId> {
        self.disclosing.messages.iter().filter(|one| one.is_in()).map(|one| one.listed.id.clone()).collect()
    }

    /// Takes in a message, with its octets where a copy is there.
    ///
    /// # Errors
    /// It is not the one that was decided on; what the place says.
    pub fn message<P: Place>(
        &mut self,
        bundle: &mut Bundle<P>,
        message: &ToIndex,
        content: Option<&[u8]>,
    ) -> Result<(), BundleError> {
        let listed = &message.listed;
        let (mut hash, mut file) = (String::new(), None);
        if let Some(content) = content.filter(|_| message.is_in()) {
            hash = hex(&sha256(content));
            if hash != message.sha256 {
                return Err(BundleError::Changed(listed.id.to_string()));
            }
            let path = format!("messages/{}.eml", listed.id);
            bundle.put(&path, content)?;
            file = Some(path);
        }
        let at = listed.at.map_or(String::new(), |at| {
            at.to_zoned(self.now.time_zone().clone()).strftime("%Y-%m-%d %H:%M").to_string()
        });
        let (from, to, subject, decided, rules) = match &listed.left_out {
            // What is left out is told of by its date and the reason alone.
            Some(_) => Default::default(),
            None => {
                let from = listed.mail_from.as_deref().map_or("(nobody)".to_owned(), |from| self.names.address(from));
                let to: Vec<String> = listed.recipients.iter().map(|to| self.names.address(to)).collect();
                let subject = match message.is_in() {
                    true => self.names.text(&message.subject, message),
                    false => String::new(),
                };
                let decided = message.action.as_deref().map_or("", in_words).to_owned();
                (from, to.join(", "), subject, decided, message.rules.join(", "))
            }
        };
        let standing = match (&listed.left_out, message.is_in(), &file) {
            (Some(why), ..) => format!("left out: {}", self.names.text(why, message)),
            (None, false, _) => {
                "sealed: marked personal, not opened without the chair of governors' approval".to_owned()
            }
            (None, true, None) => "no copy is kept".to_owned(),
            (None, true, Some(_)) if listed.fit == Fit::WordsUnknown => {
                "handed over; not all of its words could be read".to_owned()
            }
            (None, true, Some(_)) => "handed over".to_owned(),
        };
        let state = listed.state.map_or("no longer known", |state| state.as_str()).to_owned();
        let id = listed.id.to_string();
        let path = file.clone().unwrap_or_default();
        let cells = vec![id, at, from, to, subject, state, decided, rules, standing, hash, path];
        self.rows.push(Row { cells, file });
        Ok(())
    }

    /// Puts everything beside the messages there, but for the manifest, which comes when the export is recorded.
    ///
    /// # Errors
    /// What the place says.
    pub fn finish<P: Place>(
        self,
        bundle: &mut Bundle<P>,
        audit: &[AuditLink],
        incidents: &[Incident],
    ) -> Result<Whole, BundleError> {
        let mut table = csv::line(HEAD);
        for row in &self.rows {
            table += &csv::line(&row.cells);
        }
        let index_sha256 = bundle.put("index.csv", table.as_bytes())?;
        bundle.put("index.html", self.page().as_bytes())?;
        bundle.put("audit.jsonl", lines(audit).as_bytes())?;
        bundle.put("incidents.csv", crate::review::incidents_as_table(incidents, None, &self.now).as_bytes())?;
        let made_at = self.now.timestamp().to_string();
        let (manifest, manifest_sha256) = bundle.manifest("disclosure", &self.disclosing.request.id.0, &made_at)?;
        Ok(Whole { manifest, manifest_sha256, index_sha256, pseudonyms: self.names.into_given() })
    }

    /// The index to read and to print.
    fn page(&self) -> String {
        let request = &self.disclosing.request;
        let day = self.now.strftime("%-d %B %Y").to_string();
        let title = format!("Disclosure {}", request.id);
        let mut page = head(&title);
        page += &format!(
            "<p>Index of the mail that was found for {}, made on {day}. {} messages, of which {} are handed over. People who are not \
             concerned are called Pupil, Parent or Person with a number, the same throughout.</p>\n",
            request.what.kind.in_words(),
            self.rows.len(),
            self.rows.iter().filter(|row| row.file.is_some()).count(),
        );
        page += "<table><thead><tr>";
        for cell in HEAD {
            page += &format!("<th scope=\"col\">{cell}</th>");
        }
        page += "</tr></thead><tbody>\n";
        for row in &self.rows {
            page += "<tr>";
            for (cell, head) in row.cells.iter().zip(HEAD) {
                match (head, &row.file) {
                    ("file", Some(file)) => page += &format!("<td><a href=\"{0}\">{0}</a></td>", escape(file)),
                    _ => page += &format!("<td>{}</td>", escape(cell)),
                }
            }
            page += "</tr>\n";
        }
        page += "</tbody></table>\n</body>\n</html>\n";
        page
    }
}

/// Lines of the audit as `audit export` writes them.
pub fn lines(audit: &[AuditLink]) -> String {
    audit.iter().map(|link| format!("{}\n", link.as_json())).collect()
}

/// The head of a page that stands alone.
pub fn head(title: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en-GB\">\n<head>\n<meta charset=\"utf-8\">\n<title>{0}</title>\n<style>\n\
         body {{ font-family: sans-serif; margin: 2em; }}\n\
         table {{ border-collapse: collapse; font-size: 80%; }}\n\
         th, td {{ border: 1px solid #999; padding: 0.3em; text-align: left; vertical-align: top; overflow-wrap: anywhere; }}\n\
         thead {{ display: table-header-group; }}\ntr {{ break-inside: avoid; }}\n\
         @page {{ size: A4 landscape; }}\n</style>\n</head>\n<body>\n<h1>{0}</h1>\n",
        escape(title)
    )
}

/// Text in HTML.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// What the rules asked for.
fn in_words(action: &str) -> &str {
    match action {
        "deliver" => "may go",
        "warn" => "returned to its sender",
        "hold" => "held for a decision",
        "reject" => "refused",
        other => other,
    }
}
