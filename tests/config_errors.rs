//! Every configuration in `fixtures/bad/config` is refused with the place and the words that stand in `expected.tsv`.

use std::collections::BTreeSet;
use std::path::Path;

use schoolgate::config::Config;

/// Relay checklist, row 139.
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

/// Puts the keys of one table over those of another.
fn lay_over(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(over)) => lay_over(base, over),
            (_, value) => drop(base.insert(key, value)),
        }
    }
}

/// The configurations that README and the operating guide print. Further sections on a page belong to the whole one before, or
/// stand in the place of its own.
fn printed() -> Vec<(&'static str, String)> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for name in ["README.md", "docs/operating.md"] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect(name);
        let blocks =
            text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned());
        for block in blocks {
            match found.last_mut() {
                Some((page, whole)) if *page == name && !block.contains("[school]") => {
                    let mut both: toml::Table = whole.parse().unwrap_or_else(|e| panic!("{name}: {e}"));
                    lay_over(&mut both, block.parse().unwrap_or_else(|e| panic!("{name}: {e}")));
                    *whole = both.to_string();
                }
                _ => found.push((name, block)),
            }
        }
    }
    found
}

/// Each guide's blocks lie on what the README prints, one after the other.
#[test]
fn what_the_guides_of_providers_print_is_sound() {
    let (_, base) = printed().remove(0);
    for name in ["docs/microsoft-365.md", "docs/google-workspace.md"] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect(name);
        let mut whole: toml::Table = base.parse().expect("sound TOML");
        let blocks: Vec<&str> =
            text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
        assert!(!blocks.is_empty(), "{name}");
        for block in blocks {
            lay_over(&mut whole, block.parse().unwrap_or_else(|e| panic!("{name}: {e}")));
            let config = Config::parse(Path::new(name), &whole.to_string()).unwrap_or_else(|e| panic!("{e}"));
            assert!(config.smarthost.is_some_and(|smarthost| smarthost.passed_header), "{name}");
            assert!(config.listen.listeners.iter().any(|door| door.tenant.is_some()), "{name}");
        }
    }
}

#[test]
fn what_the_documents_print_serves_and_names_the_key_that_they_make() {
    let printed = printed();
    assert!(printed.len() >= 2, "{}", printed.len());
    for (name, text) in printed {
        let config = Config::parse(Path::new(name), &text).unwrap_or_else(|e| panic!("{e}"));
        let (_, store) = config.relay_ready().unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(store.key_file.as_deref(), Some(Path::new("/etc/schoolgate/key")), "{name}");
        assert_eq!(store.path, Path::new("/var/lib/schoolgate"), "{name}");
    }
    let read = |name: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect(name);
    let (unit, guide) = (read("systemd/schoolgate.service"), read("docs/operating.md"));
    assert!(guide.contains("install -m 600 -o schoolgate -g schoolgate /dev/null /etc/schoolgate/key"));
    assert!(read("systemd/schoolgate.sysusers").contains("\nu schoolgate "));
    for line in ["User=schoolgate", "StateDirectory=schoolgate", "ExecStart=/usr/bin/schoolgate serve"] {
        assert!(unit.lines().any(|l| l == line), "{line}");
    }
    assert!(
        !unit.lines().any(|l| l.starts_with("LoadCredential") || l.starts_with("DynamicUser")),
        "one way to the key"
    );
}
