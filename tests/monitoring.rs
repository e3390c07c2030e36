//! The files for Prometheus and Grafana in `monitoring/`: they name no figure that a running gateway does not export, nothing of
//! one place, and the alerts do what they are for, by Prometheus' own `promtool`.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use schoolgate::relay::monitor::Metric;
use support::{Case, Gateway, PATIENCE, Sink, cases};

/// Exported only where a smarthost is signed in to by a token.
const BY_TOKEN_ONLY: &str = "schoolgate_token_well";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("monitoring").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The names of figures in a text, as they are exported.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .filter(|word| word.starts_with("schoolgate_"))
        .map(|word| ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word))
        .map(str::to_owned)
        .collect()
}

fn dashboard() -> serde_json::Value {
    serde_json::from_str(&text("dashboard.json")).expect("sound JSON")
}

#[test]
fn every_figure_that_is_named_is_exported_by_a_running_gateway() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.monitored();
    gateway.start(&[]);
    let one = |wanted: fn(&Case) -> bool| cases().into_iter().find(wanted).expect("a case");
    for case in
        [one(|c| c.action == "deliver" && c.rcpt.len() == 1), one(|c| c.action == "hold" && c.accept.is_empty())]
    {
        gateway.client().send(&case.mail_from, &case.rcpt, &case.message()).expect("an answer");
    }
    sink.wait("the mail that may go", |taken| taken.iter().any(|taken| !taken.from.is_empty()));
    let wanted: BTreeSet<String> =
        named(&text("alerts.yml")).into_iter().chain(named(&text("dashboard.json"))).collect();
    assert!(wanted.len() > 12, "{wanted:?}");
    let known: BTreeSet<&str> = Metric::ALL.iter().map(|metric| metric.name()).collect();
    let unknown: Vec<&String> = wanted.iter().filter(|name| !known.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "no figure has these names: {unknown:?}");
    let until = Instant::now() + PATIENCE;
    loop {
        let (status, page) = gateway.page("/metrics");
        assert_eq!(status, 200);
        let exported = named(&page);
        let missing: Vec<&String> =
            wanted.iter().filter(|name| *name != BY_TOKEN_ONLY && !exported.contains(*name)).collect();
        if missing.is_empty() {
            return;
        }
        assert!(Instant::now() < until, "not exported: {missing:?}\n{page}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_dashboard_is_of_no_place() {
    let dashboard = dashboard();
    let mut sources = Vec::new();
    fn walk(value: &serde_json::Value, sources: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    match name.as_str() {
                        "datasource" => sources.push(value["uid"].as_str().unwrap_or_default().to_owned()),
                        _ => walk(value, sources),
                    }
                }
            }
            serde_json::Value::Array(values) => values.iter().for_each(|value| walk(value, sources)),
            _ => {}
        }
    }
    walk(&dashboard, &mut sources);
    assert!(sources.len() > 10 && sources.iter().all(|uid| uid == "${datasource}"), "{sources:?}");
    let panels = dashboard["panels"].as_array().expect("panels");
    for panel in panels {
        for target in panel["targets"].as_array().expect("targets") {
            let asked = target["expr"].as_str().expect("an expression");
            assert!(asked.contains("job=\"$job\""), "{asked} is of every gateway at once");
        }
        let place = |at: &str| panel["gridPos"][at].as_u64().expect("a number");
        assert!(place("x") + place("w") <= 24, "{} stands out of the picture", panel["title"]);
    }
    let text = text("dashboard.json");
    assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("localhost"));
}

#[test]
fn each_alert_is_sound_and_does_what_it_is_for() {
    let named = std::env::var("SCHOOLGATE_PROMTOOL").ok();
    let promtool = named.clone().unwrap_or_else(|| "promtool".to_owned());
    if Command::new(&promtool).arg("--version").output().is_err() {
        assert!(named.is_none(), "{promtool} is named and does not run");
        return eprintln!("skipped: no promtool here");
    }
    let run = |arguments: &[&str]| {
        let done = Command::new(&promtool).args(arguments).current_dir(file("")).output().expect("it ran once");
        let told = [done.stdout, done.stderr].map(|told| String::from_utf8_lossy(&told).into_owned()).concat();
        (done.status.success(), told)
    };
    // What the dashboard asks is asked by no rule: it is checked as if it were.
    let folder = tempfile::tempdir().expect("a folder");
    let asked = folder.path().join("dashboard.yml");
    let dashboard = dashboard();
    let targets = dashboard["panels"]
        .as_array()
        .expect("panels")
        .iter()
        .flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let rules: Vec<_> = targets
        .enumerate()
        .map(|(number, target)| {
            let expression = target["expr"].as_str().expect("an expression").replace("$job", "schoolgate");
            assert!(!expression.contains('$'), "{expression}");
            serde_json::json!({"record": format!("asked:{number}"), "expr": expression})
        })
        .collect();
    assert!(rules.len() > 10, "{rules:?}");
    // JSON is YAML.
    let rules = serde_json::json!({"groups": [{"name": "dashboard", "rules": rules}]});
    std::fs::write(&asked, rules.to_string()).expect("written");
    let asked = asked.to_string_lossy().into_owned();
    for arguments in
        [&["check", "rules", "alerts.yml"][..], &["test", "rules", "alerts_test.yml"], &["check", "rules", &asked]]
    {
        let (sound, told) = run(arguments);
        assert!(sound, "{arguments:?}: {told}");
    }
    // Each alert has a test that it is raised, and one that a gateway that is well does not raise it.
    let (alerts, tests) = (text("alerts.yml"), text("alerts_test.yml"));
    let names: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(names.len() >= 10, "{names:?}");
    for name in names {
        let raised = tests
            .split("alertname: ")
            .any(|part| part.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with("exp_alerts:")));
        assert!(raised, "nothing shows that {name} is raised");
        assert!(tests.contains(&format!("{{eval_time: 2h, alertname: {name}}}")), "{name} while all is well");
    }
}
