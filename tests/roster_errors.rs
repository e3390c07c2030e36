//! Every list in `fixtures/bad/roster` is refused, or its bad row reported, with the line and the words that stand in
//! `expected.tsv`, and without the value that is wrong; the made-up school itself loads without a fault.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use schoolgate::people::load::{LoadError, Loaded, PupilSource, Sources, load};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The made-up school with one of its lists replaced.
fn loaded(list: &str, file: &Path) -> Result<Loaded, LoadError> {
    let path = |name: &str| {
        if name == list { file.to_owned() } else { fixtures().join(format!("school/roster/{name}.csv")) }
    };
    load(&Sources {
        pupils: PupilSource::File(&path("pupils")),
        guardians: (list != "pupils").then(|| path("guardians")).as_deref(),
        staff: Some(&path("staff")),
        correspondents: Some(&path("correspondents")),
        name: "Saltmere Primary School and Nursery",
        domains: &["saltmere.example".to_owned()],
        telephone: "01632 960700",
        bank_accounts: &[],
    })
}

#[test]
fn bad_lists_say_where_and_what() {
    let dir = fixtures().join("bad/roster");
    let expected = std::fs::read_to_string(dir.join("expected.tsv")).expect("expected.tsv");
    let (mut wrong, mut covered) = (Vec::new(), BTreeSet::new());
    for line in expected.lines().filter(|line| !line.starts_with('#')) {
        let [file, list, row, words] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("four columns: {line:?}")
        };
        covered.insert(file.to_owned());
        let messages = match loaded(list, &dir.join(file)) {
            Ok(loaded) => loaded.faults.iter().map(ToString::to_string).collect(),
            Err(error) => vec![error.to_string()],
        };
        let place = if row == "-" { String::new() } else { format!("line {row}") };
        let told = |message: &String| {
            // The path itself may hold the words: only what follows the file's name counts.
            message.split_once(file).is_some_and(|(_, told)| told.contains(&place) && told.contains(words))
        };
        if !messages.iter().any(told) {
            wrong.push(format!("{file}: expected {place:?} … {words:?}\n     got {messages:?}"));
        }
        for secret in ["Lottie", "9991022555", "K998441726117", "claire.fenn", "8th of Feb", "P999"] {
            if messages.iter().any(|message| message.contains(secret)) {
                wrong.push(format!("{file}: the message quotes the list"));
            }
        }
    }
    for entry in std::fs::read_dir(&dir).expect("the directory") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if name.ends_with(".csv") && !covered.contains(&name) {
            wrong.push(format!("{name} is not in expected.tsv"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_made_up_school_loads_whole() {
    let list = fixtures().join("school/roster/guardians.csv");
    let loaded = loaded("guardians", &list).expect("four sound lists");
    assert_eq!(loaded.faults, []);
    let school = loaded.school;
    let counts = [school.pupils.len(), school.guardians.len(), school.staff.len(), school.correspondents.len()];
    assert_eq!(counts, [69, 90, 15, 13]);
    for pupil in &school.pupils {
        let linked =
            school.guardians.iter().any(|g| g.pupils.iter().any(|p| school.pupils[p.0 as usize].id == pupil.id));
        assert!(linked, "{} has a guardian", pupil.id);
    }
}

#[test]
fn an_open_quotation_mark_and_a_footer_cost_nobody() {
    let loaded = loaded("pupils", &fixtures().join("bad/roster/pupils-open-quotation-mark.csv")).expect("a list");
    let pupils: Vec<String> = loaded.school.pupils.iter().map(|p| format!("{} {}", p.forename, p.surname)).collect();
    assert_eq!(pupils, ["Lottie Fenn", "Bertie Fisher", "Martha Hand", "Zoë Rowley"]);
    let places = |rows: &[schoolgate::people::RowFault]| -> Vec<(u64, String)> {
        rows.iter().map(|row| (row.row, row.column.to_string())).collect()
    };
    assert_eq!(places(&loaded.faults), [(3, "forename".to_owned())]);
    assert_eq!(places(&loaded.notes), [(5, "forename".to_owned()), (6, "id".to_owned())]);
}
