//! Whoever is gone, somebody is told of what is held: the ladder over the real gateway, with accounts that come and go.

mod support;

use sqlx::Connection;
use support::{Gateway, Sink, Taken, free_port, id_of};

const AMY: &str = "d.okafor@saltmere.example";
const OUTSIDE: &str = "someone@gmail.com";
const SBM: &str = "sbm@saltmere.example";
const HEAD: &str = "head@saltmere.example";
const CHAIR: &str = "chair@tidewatertrust.example";
const DSL: &str = "dsl@saltmere.example";
const IT: &str = "it@saltmere.example";

/// Who is there, and who is told when half of the time is over, and at three quarters.
struct Case {
    what: &'static str,
    from: &'static str,
    to: &'static [&'static str],
    accounts: &'static [&'static str],
    disabled: &'static [&'static str],
    without: &'static [&'static str],
    reminded: &'static [&'static str],
    escalated: &'static [&'static str],
}

const USUAL: Case = Case {
    what: "all are there",
    from: AMY,
    to: &[OUTSIDE],
    accounts: &["sbm", "head", "chair"],
    disabled: &[],
    without: &[],
    reminded: &[SBM],
    escalated: &[HEAD],
};

const CASES: &[Case] = &[
    USUAL,
    Case { what: "the SBM has left", disabled: &["sbm"], reminded: &[SBM, HEAD, IT], ..USUAL },
    Case { what: "there never was an account of an SBM", accounts: &["head"], reminded: &[SBM, HEAD, IT], ..USUAL },
    Case {
        what: "SBM and head have left",
        disabled: &["sbm", "head"],
        reminded: &[SBM, HEAD, CHAIR, IT],
        escalated: &[HEAD, CHAIR, IT],
        ..USUAL
    },
    Case {
        what: "nobody has an account",
        accounts: &[],
        reminded: &[SBM, HEAD, CHAIR, IT],
        escalated: &[HEAD, CHAIR, IT],
        ..USUAL
    },
    Case { what: "it is the SBM's own", from: SBM, reminded: &[HEAD, IT], ..USUAL },
    Case { what: "the SBM gets it", to: &[OUTSIDE, SBM], reminded: &[HEAD, IT], ..USUAL },
    Case {
        what: "it is the SBM's own, and the ladder ends there",
        from: SBM,
        accounts: &["sbm"],
        without: &["head", "chair"],
        reminded: &[DSL, IT],
        escalated: &[DSL, IT],
        ..USUAL
    },
];

/// Sets what is due on all that is held, in minutes from now, as time would have.
async fn due(gateway: &Gateway, remind: i64, escalate: i64) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(gateway.store().join("queue.db"));
    let mut store = sqlx::SqliteConnection::connect_with(&options).await.expect("the store");
    let at = |minutes: i64| jiff::Timestamp::now().as_microsecond() + minutes * 60_000_000;
    let set = sqlx::query("update review set remind_at = $1, escalate_at = $2, due_at = $3")
        .bind(at(remind))
        .bind(at(escalate))
        .bind(at(600))
        .execute(&mut store)
        .await
        .expect("set");
    assert_eq!(set.rows_affected(), 1);
    store.close().await.expect("closed");
}

/// To whom the letter of this subject went about a message.
fn told(taken: &[Taken], subject: &str, id: &str) -> Vec<String> {
    let is_it = |taken: &&Taken| {
        let text = String::from_utf8_lossy(&taken.content).replace("=\r\n", "");
        text.contains(&format!("Subject: {subject}")) && text.contains(id)
    };
    taken.iter().filter(is_it).flat_map(|taken| taken.recipients.clone()).collect()
}

#[tokio::test]
async fn whoever_is_gone_somebody_is_told() {
    for case in CASES {
        let sink = Sink::start();
        let mut gateway = Gateway::new(sink.port);
        let port = free_port();
        gateway.set("review", "listen", format!("127.0.0.1:{port}"));
        gateway.set("review", "public_url", format!("http://127.0.0.1:{port}"));
        gateway.set("roles", "it", vec![IT]);
        for role in case.without {
            gateway.set("roles", role, Vec::<String>::new());
        }
        gateway.start(&[]);
        for role in case.accounts {
            let address = format!("{role}.person@saltmere.example");
            let added = gateway.command(&["user", "add", role, "--address", &address, "--role", role]);
            assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        }
        for role in case.disabled {
            let gone = gateway.command(&["user", "disable", role, "--last-sbm"]);
            assert!(gone.status.success(), "{}", String::from_utf8_lossy(&gone.stderr));
        }
        let content = format!(
            "From: <{}>\r\nTo: {}\r\nSubject: Lottie\r\nMessage-ID: <l@saltmere.example>\r\n\r\n\
             Lottie Fenn lives at 48 Marram Road, Saltmere.\r\nDate of birth: 8 February 2023.\r\n",
            case.from,
            case.to.join(", ")
        );
        let to: Vec<String> = case.to.iter().map(|to| (*to).to_owned()).collect();
        let id = id_of(&gateway.client().send(case.from, &to, content.as_bytes()).expect("taken"));
        for (remind, escalate, subject, wanted) in
            [(-1, 300, "REMINDER", case.reminded), (-300, -1, "TO DECIDE: nobody", case.escalated)]
        {
            gateway.terminate();
            due(&gateway, remind, escalate).await;
            gateway.start(&[]);
            let what = format!("{}: {subject}", case.what);
            sink.wait(&what, |taken| !told(taken, subject, &id).is_empty());
            assert_eq!(told(&sink.settled(), subject, &id), wanted, "{what}");
        }
        if case.reminded != [SBM] {
            let doctor = gateway.command(&["doctor"]);
            let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
            let ladder = said.lines().find(|line| line.contains("ladder: ")).unwrap_or_default();
            let missing = ["sbm", "head", "chair"].iter().filter(|role| {
                case.disabled.contains(role) || case.without.contains(role) || !case.accounts.contains(role)
            });
            for role in missing.filter(|_| !case.accounts.is_empty()) {
                assert!(ladder.contains(&format!("{role} has no ")), "{}: {role}: {said}", case.what);
            }
        }
    }
}
