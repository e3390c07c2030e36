//! Every configuration in `fixtures/bad/config` is refused with the place and the words that stand in `expected.tsv`.

use std::collections::BTreeSet;
use std::path::Path;

use schoolgate::config::Config;

#[test]
fn bad_configurations_say_where_and_what() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bad/config");
    let expected = std::fs::read_to_string(dir.join("expected.tsv")).expect("expected.tsv");
    let mut wrong = Vec::new();
    let mut covered = BTreeSet::new();
    for line in expected.lines().filter(|line| !line.starts_with('#')) {
        let [file, place, words] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("three columns: {line:?}") };
        covered.insert(file.to_owned());
        let message = match Config::load(&dir.join(file)) {
            Ok(_) => "taken as sound".to_owned(),
            Err(errors) => errors.to_string(),
        };
        let place = if place == "-" { format!("{file}: ") } else { format!("{file}:{place}: ") };
        if !message.lines().any(|line| line.contains(&place) && line.contains(words)) {
            wrong.push(format!("expected {place} … {words}\n     got {message}"));
        }
    }
    for entry in std::fs::read_dir(&dir).expect("the directory") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if name.ends_with(".toml") && !covered.contains(&name) {
            wrong.push(format!("{name} is not in expected.tsv"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_made_up_school_is_sound() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/school/school.toml");
    let config = Config::load(&file).expect("a sound configuration");
    config.relay_ready().expect("everything that serve needs");
}
