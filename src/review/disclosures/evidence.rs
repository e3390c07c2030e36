//! One message as evidence: its octets, what was decided on it and why, who saw it, and the lines of the audit.

use jiff::Zoned;

use super::bundle::{Bundle, BundleError, Place, hex, sha256};
use super::export::{escape, head, lines};
use crate::store::{AuditLink, Shown};

/// Puts everything there but the manifest, which comes when it is recorded; gives the manifest and its hash.
///
/// # Errors
/// The message is not the one that was decided on; what the place says.
pub fn evidence<P: Place>(
    bundle: &mut Bundle<P>,
    shown: &Shown,
    content: Option<&[u8]>,
    audit: &[AuditLink],
    now: &Zoned,
) -> Result<(Vec<u8>, [u8; 32]), BundleError> {
    let id = &shown.summary.id;
    if let Some(content) = content {
        if sha256(content)[..] != shown.sha256[..] {
            return Err(BundleError::Changed(id.to_string()));
        }
        bundle.put(&format!("messages/{id}.eml"), content)?;
    }
    if let Some(report) = &shown.report {
        let mut json = serde_json::to_vec_pretty(report)?;
        json.push(b'\n');
        bundle.put("report.json", &json)?;
    }
    bundle.put("record.html", page(shown, content.is_some(), now).as_bytes())?;
    bundle.put("audit.jsonl", lines(audit).as_bytes())?;
    bundle.manifest("evidence", &id.0, &now.timestamp().to_string())
}

/// The record to read and to print.
fn page(shown: &Shown, kept: bool, now: &Zoned) -> String {
    let summary = &shown.summary;
    let time = |at: jiff::Timestamp| at.to_zoned(now.time_zone().clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string();
    let mut page = head(&format!("Record of message {}", summary.id));
    let from = summary.mail_from.as_ref().map_or("(nobody)".to_owned(), ToString::to_string);
    let mut facts = vec![
        ("came in", time(summary.at)),
        ("from", from),
        ("octets", summary.size.to_string()),
        ("SHA-256", hex(&shown.sha256)),
        ("stands", summary.state.as_str().to_owned()),
        ("copy", if kept { format!("messages/{}.eml", summary.id) } else { "none is kept".to_owned() }),
        ("version of the rules", summary.rules_version.clone().unwrap_or_else(|| "not known".to_owned())),
        ("record made", time(now.timestamp())),
    ];
    if let Some(report) = &shown.report {
        facts.insert(2, ("subject", report.subject.clone()));
        facts.push(("what the rules asked for", report.action.as_str().to_owned()));
    }
    page += &table(&["", ""], facts.into_iter().map(|(what, value)| vec![what.to_owned(), value]));
    page += "<h2>Recipients</h2>\n";
    page += &table(
        &["to", "what became of it", "reply"],
        shown
            .recipients
            .iter()
            .map(|to| vec![to.address.to_string(), to.state.clone(), to.reply.clone().unwrap_or_default()]),
    );
    if let Some(report) = &shown.report {
        page += "<h2>Rules that fired</h2>\n";
        page += &table(
            &["rule", "asked for", "why", "clauses", "counted"],
            report.rules.iter().map(|rule| {
                let counted = if rule.counts() { "yes" } else { "no" };
                let asked = rule.action.as_str().to_owned();
                vec![rule.id.clone(), asked, rule.why.clone(), rule.clauses.join(", "), counted.to_owned()]
            }),
        );
    }
    page += "<h2>What was done with it, and who saw it</h2>\n";
    page += &table(
        &["line", "time", "what", "who", "detail"],
        shown.audit.iter().map(|line| {
            vec![line.seq.to_string(), time(line.at), line.event.clone(), line.who.clone(), line.detail.clone()]
        }),
    );
    page += "</body>\n</html>\n";
    page
}

fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut out = "<table><thead><tr>".to_owned();
    for cell in heads {
        out += &format!("<th scope=\"col\">{cell}</th>");
    }
    out += "</tr></thead><tbody>\n";
    for row in rows {
        out += "<tr>";
        for cell in row {
            out += &format!("<td>{}</td>", escape(&cell));
        }
        out += "</tr>\n";
    }
    out + "</tbody></table>\n"
}
