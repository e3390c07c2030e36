//! Each format's fixture against what must come of it, and the decisions of the smaller parts as tables.

use std::path::{Path, PathBuf};

use super::*;
use crate::people::{PupilIndex, PupilSource, Sources, load};
use crate::text::normalise::run_hash;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/roster-formats").join(name)
}

fn imported(names: &[&str]) -> Imported {
    let sources: Vec<PathBuf> = names.iter().map(|name| fixture(name)).collect();
    import(&sources, None, None).unwrap()
}

/// Everything that an import gave, one line each.
fn told(imported: &Imported) -> String {
    let mut out = String::new();
    let mut line = |parts: &[&str]| {
        out.push_str(parts.join(" | ").trim_end_matches([' ', '|']));
        out.push('\n');
    };
    for source in &imported.sources {
        line(&["source", source.format.as_str(), &format!("{}/{}/{}", source.pupils, source.contacts, source.staff)]);
    }
    for p in &imported.roster.pupils {
        let born = p.date_of_birth.map(|date| date.to_string()).unwrap_or_default();
        let also = [p.other_forenames.join(";"), p.other_surnames.join(";")].join("/");
        line(&[
            "pupil",
            &p.id,
            p.upn.as_deref().unwrap_or("-"),
            &p.forename,
            &p.middle_names,
            &p.surname,
            p.known_as.as_deref().unwrap_or("-"),
            &also,
            &born,
            &p.year_group,
            &p.form,
            &p.address,
            &p.postcode,
            &p.phone,
            p.email.as_deref().unwrap_or("-"),
        ]);
    }
    for g in &imported.roster.guardians {
        let of: Vec<&str> = g.pupils.iter().map(|p| imported.roster.pupils[p.0 as usize].id.as_str()).collect();
        let email = g.email.as_deref().unwrap_or("-");
        line(&["guardian", &g.id, &g.title, &g.forename, &g.surname, email, &g.phone, &g.relationship, &of.join(";")]);
    }
    for s in &imported.roster.staff {
        line(&["staff", &s.id, &s.title, &s.forename, &s.surname, &s.email, &s.role]);
    }
    let root = fixture("");
    for fault in &imported.faults {
        let file = fault.file.strip_prefix(&root).unwrap_or(&fault.file).display().to_string();
        line(&["fault", &file, &fault.row.to_string(), &fault.column, fault.problem]);
    }
    out
}

/// With `SCHOOLGATE_GOLDEN=write` the expected texts are written anew, to be read before they are committed.
#[test]
fn every_format_gives_what_is_expected() {
    let mut wrong = Vec::new();
    for (name, sources) in [
        ("sims", &["sims.csv"][..]),
        ("arbor", &["arbor.csv"]),
        ("bromcom", &["bromcom.csv"]),
        ("parent-evening", &["parent-evening.csv"]),
        ("plain", &["plain/guardians.csv", "plain/pupils.csv", "plain/staff.csv"]),
        ("oneroster-1.1", &["oneroster-1.1"]),
        ("oneroster-1.2", &["oneroster-1.2"]),
        ("ctf-25", &["ctf-25.xml"]),
        ("atf-25", &["atf-25.xml"]),
        ("sims-and-ctf", &["sims.csv", "ctf-25.xml"]),
    ] {
        let got = told(&imported(sources));
        let file = fixture(&format!("expected/{name}.txt"));
        if std::env::var_os("SCHOOLGATE_GOLDEN").is_some_and(|value| value == "write") {
            std::fs::write(&file, &got).unwrap();
        }
        let want = std::fs::read_to_string(&file).unwrap_or_default();
        if got != want {
            wrong.push(format!("--- {name}: expected\n{want}--- got\n{got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
