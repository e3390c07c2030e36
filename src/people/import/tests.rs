//! Each format's fixture against what must come of it, and the decisions of the smaller parts as tables.

use std::path::{Path, PathBuf};

use super::*;
use crate::people::{PupilSource, Sources, load};
use crate::text::Run;

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

/// With `SCHOOLGATE_UPDATE_GOLDEN` set, the expected texts are written anew, to be read before they are committed.
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
        if std::env::var_os("SCHOOLGATE_UPDATE_GOLDEN").is_some() {
            std::fs::write(&file, &got).unwrap();
        }
        let want = std::fs::read_to_string(&file).unwrap_or_default();
        if got != want {
            wrong.push(format!("--- {name}: expected\n{want}--- got\n{got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// UTF-8 taken for Windows-1252 and encoded again; or each such letter as HTML's character reference.
fn spoilt(text: &str, by_reference: bool) -> String {
    let spoil = |c: char| match c {
        _ if c.is_ascii() => c.to_string(),
        _ if by_reference => format!("&#{};", u32::from(c)),
        _ => encoding_rs::WINDOWS_1252.decode_without_bom_handling(c.to_string().as_bytes()).0.into_owned(),
    };
    text.chars().map(spoil).collect()
}

#[test]
fn names_that_a_program_has_spoilt_are_put_right_in_every_format() {
    for name in ["sims.csv", "arbor.csv", "ctf-25.xml"] {
        for by_reference in [false, true] {
            let text = sheet::decode(&std::fs::read(fixture(name)).unwrap());
            let mut text = spoilt(text.trim_start_matches('\u{feff}'), by_reference);
            if by_reference && name.ends_with(".xml") {
                // What a program took for plain text, it escaped once more.
                text = text.replace("&#", "&amp;#");
            }
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join(name);
            std::fs::write(&file, text).unwrap();
            let (sound, mended) = (imported(&[name]), import(&[file], None, None).unwrap());
            assert_eq!(mended.roster, sound.roster, "{name}, by reference: {by_reference}");
            assert!(mended.notes.len() > sound.notes.len(), "{name}: what was put right is told");
        }
    }
}

#[test]
fn a_zipped_bundle_gives_what_its_folder_gives() {
    use std::io::Write;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bundle.zip");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&file).unwrap());
    for entry in std::fs::read_dir(fixture("oneroster-1.1")).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("export/{}", path.file_name().unwrap().to_string_lossy());
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(&std::fs::read(&path).unwrap()).unwrap();
    }
    archive.finish().unwrap();
    let zipped = import(&[file], None, None).unwrap();
    let folder = imported(&["oneroster-1.1"]);
    assert_eq!(zipped.roster, folder.roster);
    assert_eq!(zipped.faults.len(), folder.faults.len());
}

#[test]
fn faults_never_quote_a_value() {
    let all =
        ["sims.csv", "arbor.csv", "bromcom.csv", "parent-evening.csv", "oneroster-1.1", "oneroster-1.2", "ctf-25.xml"];
    for name in all {
        let imported = imported(&[name]);
        assert!(!imported.faults.is_empty(), "{name} has wrong rows");
        for fault in &imported.faults {
            let told = fault.to_string();
            for secret in [
                "Vance", "B1234", "30/02", "Tomos", "Arcy", "luc.", "osgood", "Twelve", "farah", "janitor", "soon",
                "Rooke", "nuala", "2018",
            ] {
                assert!(!told.contains(secret), "{told}");
            }
        }
    }
}

#[test]
fn every_written_form_of_a_name_finds_the_pupil() {
    let roster = imported(&["ctf-25.xml", "plain/pupils.csv"]).roster;
    let sources = Sources {
        pupils: PupilSource::Imported(&roster),
        guardians: None,
        staff: None,
        correspondents: None,
        name: "Fellgate Academy",
        domains: &[],
        telephone: "",
        bank_accounts: &[],
    };
    let school = load(&sources).unwrap().school;
    for (forename, surname, pupil) in [
        ("Aoibheann", "Ní Dhuibhir", "R843999019001"),
        ("Eevan", "Dwyer", "R843999019001"),
        ("AOIBHEANN", "LOACH", "R843999019001"),
        ("Eevan", "Ni Dhuibhir", "R843999019001"),
        ("Margaret", "Pell", "A1"),
        ("Peggy", "Pell-Shaw", "A1"),
        ("Peggy", "Pell Shaw", "A1"),
        ("Margaret", "Shaw", "A1"),
    ] {
        let found = school.index().full_name(Run::of(forename), Run::of(surname));
        assert_eq!(found, [school.pupil_by_id(pupil).unwrap()], "{forename} {surname}");
        assert!(school.index().full_name_is_exact(Run::of(forename), Run::of(surname)), "{forename} {surname}");
    }
    assert_eq!(school.guardians.len(), roster.guardians.len());
}

#[test]
fn dates() {
    let day = |y, m, d| Some(jiff::civil::date(y, m, d));
    for (text, want) in [
        ("03/02/2014", day(2014, 2, 3)),
        ("3/2/14", day(2014, 2, 3)),
        ("3.2.2014", day(2014, 2, 3)),
        ("2014-02-03", day(2014, 2, 3)),
        ("2014/02/03", day(2014, 2, 3)),
        ("2014-02-03T00:00:00", day(2014, 2, 3)),
        ("03/02/2014 00:00", day(2014, 2, 3)),
        ("03-Feb-14", day(2014, 2, 3)),
        ("03 FEB 2014", day(2014, 2, 3)),
        ("3rd February 2014", day(2014, 2, 3)),
        ("1st Sept 2014", day(2014, 9, 1)),
        ("12-Oct-78", day(1978, 10, 12)),
        ("31/02/2014", None),
        ("02/13/2014", None),
        ("2014", None),
        ("soon", None),
        ("1/2/3/4", None),
        ("03/02/0014", None),
        ("", None),
        ("é/é/éé", None),
    ] {
        assert_eq!(values::date(text), want, "{text}");
    }
}

#[test]
fn year_groups() {
    for (text, want) in [
        ("Year 4", Some("4")),
        ("Year  6", Some("6")),
        ("Y11", Some("11")),
        ("Yr 9", Some("9")),
        ("04", Some("4")),
        ("Curriculum Year 3", Some("3")),
        ("Reception", Some("R")),
        ("YR", Some("R")),
        ("R", Some("R")),
        ("0", Some("R")),
        ("Nursery", Some("N")),
        ("N2", Some("N")),
        ("X", Some("")),
        ("", Some("")),
        ("15", None),
        ("KS2", None),
        ("Twelve", None),
    ] {
        assert_eq!(values::year_group(text).as_deref(), want, "{text}");
    }
}

#[test]
fn full_names() {
    for (text, want) in [
        ("Mina Lowe", ("", "Mina", "Lowe")),
        ("Lowe, Mina", ("", "Mina", "Lowe")),
        ("van der Berg, Mina Jo", ("", "Mina Jo", "van der Berg")),
        ("Mrs Inês van der Berg", ("Mrs", "Inês", "van der Berg")),
        ("LOWE Mina", ("", "Mina", "LOWE")),
        ("MINA LOWE", ("", "MINA", "LOWE")),
        ("Lowe", ("", "", "Lowe")),
        ("Dr. Lowe", ("Dr.", "", "Lowe")),
        ("  ", ("", "", "")),
    ] {
        let (title, forename, surname) = values::full_name(text);
        assert_eq!((title.as_str(), forename.as_str(), surname.as_str()), want, "{text:?}");
    }
}

#[test]
fn headings() {
    use columns::Field::*;
    use columns::Whose::*;
    let meaning = |heading: &str| {
        let cells: Vec<String> = heading.split(',').map(str::to_owned).collect();
        columns::meanings(&cells).into_iter().map(|column| column.meaning).collect::<Vec<_>>()
    };
    for (heading, want) in [
        (
            "Surname,Forename,Surname,Forename",
            vec![
                Some((Pupil, Surname)),
                Some((Pupil, Forename)),
                Some((Contact(1), Surname)),
                Some((Contact(1), Forename)),
            ],
        ),
        (
            "Pupil's Name,Mother's Email,Father Name,Mother",
            vec![
                Some((Pupil, FullName)),
                Some((Contact(101), Email)),
                Some((Contact(102), FullName)),
                Some((Contact(101), FullName)),
            ],
        ),
        (
            "surname,parent_email1,parent_email2,relationship1",
            vec![Some((Pupil, Surname)), Some((Contact(1), Email)), Some((Contact(2), Email)), None],
        ),
        (
            "Name,Parent 2 Home Email,Email of parent 1,Contact number",
            vec![
                Some((Pupil, FullName)),
                Some((Contact(2), Email)),
                Some((Contact(1), Email)),
                Some((Contact(1), Phone)),
            ],
        ),
        (
            "Surname,Home Email,House,School Email",
            vec![Some((Pupil, Surname)), Some((Contact(103), Email)), None, Some((Pupil, Email))],
        ),
        ("UPN,Surname,Class teacher,Shoe size", vec![Some((Pupil, Upn)), Some((Pupil, Surname)), None, None]),
    ] {
        assert_eq!(meaning(heading), want, "{heading}");
    }
}

#[test]
fn encodings_and_separators_make_no_difference() {
    let text = "Class list\n\nSurname;Forename;Date of Birth\nNí Bhriain;Zoë;03/02/2014\n";
    let utf16 = |swap: bool| {
        let units = format!("\u{feff}{text}");
        units.encode_utf16().flat_map(|u| if swap { u.to_be_bytes() } else { u.to_le_bytes() }).collect::<Vec<u8>>()
    };
    let (western, _, _) = encoding_rs::WINDOWS_1252.encode(text);
    for (what, bytes) in [
        ("UTF-8", text.as_bytes().to_vec()),
        ("UTF-8 with a mark", format!("\u{feff}{text}").into_bytes()),
        ("UTF-16LE", utf16(false)),
        ("UTF-16BE", utf16(true)),
        ("Windows-1252", western.into_owned()),
        ("commas", text.replace(';', ",").into_bytes()),
        ("tabs", text.replace(';', "\t").replace('\n', "\r\n").into_bytes()),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("list.csv");
        std::fs::write(&file, bytes).unwrap();
        let imported = import(&[file], None, None).unwrap();
        assert_eq!(imported.faults, [], "{what}");
        let [pupil] = &imported.roster.pupils[..] else { panic!("{what}: {:?}", imported.roster) };
        assert_eq!((pupil.surname.as_str(), pupil.forename.as_str()), ("Ní Bhriain", "Zoë"), "{what}");
    }
}

#[test]
fn unusable_sources_say_why() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes, words) in [
        ("empty.csv", &b""[..], "no heading row"),
        ("letter.csv", b"Dear all,\nthe trip is off.\n", "no heading row"),
        ("page.xml", b"<html><body/></html>", "no Common Transfer File"),
        ("cut.xml", b"<CTfile><CTFpupilData><Pupil><UPN>", "cut short"),
        ("bad.zip", b"PK\x03\x04 and no more", "no ZIP archive"),
    ] {
        let file = dir.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let error = import(&[file], None, None).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(words), "{error}");
    }
    let error = import(&[dir.path().to_owned()], None, None).unwrap_err().to_string();
    assert!(error.contains("no users.csv"), "{error}");
    let error = import(&[dir.path().join("absent.csv")], None, None).unwrap_err().to_string();
    assert!(error.contains("absent.csv"), "{error}");
}

#[test]
fn a_quotation_mark_left_open_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("list.csv");
    let mut text = "UPN,Surname,Forename,Address\n,Lowe,Mina,\"14 Frost Lane\n".to_owned();
    (0..100).for_each(|n| text.push_str(&format!(",Marsh,Edwin{n},\n")));
    std::fs::write(&file, text).unwrap();
    let faults = import(&[file], None, None).unwrap().faults;
    assert!(faults.iter().any(|fault| fault.row == 2 && fault.problem.contains("quotation mark")), "{faults:?}");
}

#[test]
fn changes_are_told_by_column() {
    let before = imported(&["plain/pupils.csv", "plain/guardians.csv"]).roster;
    assert_eq!(Diff::between(&before, &before), Diff::default());
    let mut after = before.clone();
    after.pupils[0].form = "8C".into();
    after.guardians[0].email = Some("new@example.org".into());
    after.pupils[1].id = "A3".into();
    let diff = Diff::between(&before, &after);
    assert_eq!(diff.changes, [Change::New(1), Change::Gone(1), Change::Changed(0, vec!["form", "guardians"])]);
    assert_eq!((diff.added(), diff.gone(), diff.changed()), (1, 1, 1));
}

#[test]
fn rows_that_may_be_one_pupil() {
    let upn = "R843999019001";
    for (what, rows, pupils, faults) in [
        ("the same row twice", format!("7,{upn},Ada,Finch,01/02/2015\n7,{upn},Ada,Finch,01/02/2015\n"), 1, 0),
        ("siblings under the family's number", "7,,Ada,Finch,01/02/2015\n7,,Ben,Finch,03/04/2017\n".into(), 2, 1),
        ("twins under the family's number", "7,,Ada,Finch,\n7,,Ben,Finch,\n".into(), 2, 1),
        ("somebody else's UPN", format!("7,{upn},Ada,Finch,\n8,{upn},Col,Marr,\n"), 2, 1),
        ("married name, same UPN", format!("7,{upn},Ada,Finch,\n,{upn},Ada,Marr,\n"), 1, 0),
        ("two of one name", "7,,Ada,Finch,01/02/2015\n8,,Ada,Finch,05/06/2013\n".into(), 2, 0),
        ("two systems' numbers of one pupil", "7,,Ada,Finch,01/02/2015\nx9,,Ada,Finch,2015-02-01\n".into(), 1, 0),
        ("a name alone that fits one", "7,,Ada,Finch,01/02/2015\n,,Ada,Finch,\n".into(), 1, 0),
        ("a name alone that fits two", "7,,Ada,Finch,1/2/2015\n8,,Ada,Finch,5/6/2013\n,,Ada,Finch,\n".into(), 2, 1),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("list.csv");
        std::fs::write(&file, format!("Adno,UPN,Forename,Surname,DOB\n{rows}")).unwrap();
        let imported = import(&[file], None, None).unwrap();
        assert_eq!(
            (imported.roster.pupils.len(), imported.faults.len()),
            (pupils, faults),
            "{what}: {}",
            told(&imported)
        );
        let mut ids: Vec<&str> = imported.roster.pupils.iter().map(|pupil| pupil.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), pupils, "{what}: each has an id of its own");
        assert!(!ids.contains(&""), "{what}");
    }
}

#[test]
fn guardians_of_siblings_are_one() {
    for (what, rows, guardians) in [
        ("one mailbox in two cases", "1,Ada,Finch,Jo,Finch,jo@example.org\n2,Ben,Finch,Jo,Finch,Jo@Example.org\n", 1),
        ("initial and whole forename", "1,Ada,Finch,J,Finch,jo@example.org\n2,Ben,Finch,Jo,Finch,jo@example.org\n", 1),
        (
            "two parents at one mailbox",
            "1,Ada,Finch,Jo,Finch,all@example.org\n1,Ada,Finch,Max,Finch,all@example.org\n",
            2,
        ),
        ("one parent, two mailboxes", "1,Ada,Finch,Jo,Finch,jo@example.org; jo@work.example\n", 2),
        ("same name, no mailbox: nobody knows", "1,Ada,Finch,Jo,Finch,\n2,Ben,Marr,Jo,Finch,\n", 2),
        ("a mailbox alone", "1,Ada,Finch,,,jo@example.org\n2,Ben,Finch,,,jo@example.org\n", 1),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("list.csv");
        let heading = "Adno,Forename,Surname,Parent Forename,Parent Surname,Parent Email";
        std::fs::write(&file, format!("{heading}\n{rows}")).unwrap();
        let imported = import(&[file], None, None).unwrap();
        assert_eq!(imported.roster.guardians.len(), guardians, "{what}: {}", told(&imported));
        let tied: usize = imported.roster.guardians.iter().map(|g| g.pupils.len()).sum();
        assert!(tied >= guardians, "{what}");
    }
}

#[test]
fn kinds_of_which_no_source_speaks_stay() {
    let before = imported(&["plain/pupils.csv", "plain/guardians.csv", "plain/staff.csv"]).roster;
    let only_pupils = import(&[fixture("plain/pupils.csv")], None, Some(&before)).unwrap();
    assert_eq!(only_pupils.roster, before);
    assert_eq!(only_pupils.kept, ["guardians", "staff"]);
    let only_staff = import(&[fixture("plain/staff.csv")], None, Some(&before)).unwrap();
    assert_eq!((only_staff.roster, &only_staff.kept[..]), (before, &["pupils", "guardians"][..]));
}

proptest::proptest! {
    /// Whatever a file holds, reading it ends and panics nowhere.
    #[test]
    fn any_bytes_in_no_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), start in 0usize..4) {
        let head: &[u8] = [&b""[..], b"Surname,Forename,UPN,DOB,Year,Parent,Email\n", b"<CTfile><CTFpupilData><Pupil>", b"PK\x03\x04"][start];
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("list");
        std::fs::write(&file, [head, &bytes].concat()).unwrap();
        let _ = import(&[file], None, None);
    }
}
