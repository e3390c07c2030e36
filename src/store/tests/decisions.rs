//! Decisions: each is taken once, whoever comes second, by commands that open the store alone, and told by the audit.

use super::*;

/// Brings a message into one of the histories that the table below names.
async fn with_history(store: &Store, name: &str, history: &str) {
    let at = id(name);
    let taken = || outcomes(&Outcome::Delivered { reply: "250".into() });
    let (state, steps) = history.split_once(' ').unwrap_or((history, ""));
    store.commit(vec![entry(name, state.parse().unwrap(), b"x\r\n")]).await.unwrap();
    for step in steps.split_whitespace() {
        match step {
            "hold" => drop(store.hold(&at, "Ann", "").await.unwrap()),
            "release" => drop(store.release(&at, "Ann", "", vec![]).await.unwrap()),
            "return" => drop(store.return_to_sender(&at, "Ann", "", vec![]).await.unwrap()),
            "discard" => drop(store.discard(&at, "Ann", "", vec![]).await.unwrap()),
            "drop" => drop(store.drop_queued(&at, "Ann", "").await.unwrap()),
            "lease" => assert!(ids_due(store).await.contains(&name.to_owned())),
            "deliver" => {
                let others = ids_due(store).await.into_iter().filter(|due| due != name).map(QueueId);
                store.end_lease(others.collect()).await.unwrap();
                store.record_attempt(&at, taken(), Timestamp::now(), vec![]).await.unwrap();
            }
            "damage" => store.set_aside(&at, "it does not open").await.unwrap(),
            _ => panic!("{step}"),
        }
    }
}

/// Relay checklist, row 134.
#[tokio::test]
async fn a_decision_is_taken_once() {
    const ASKED: [&str; 5] = ["release", "return", "discard", "hold", "drop"];
    // What is answered to each: `=state` when it is carried out, the word of the earlier decision when it stands, `busy`
    // while somebody works on it, `no` where the state does not allow it.
    let table: &[(&str, [&str; 5])] = &[
        ("pending", ["no", "no", "=discarded", "=held", "=discarded"]),
        ("queued", ["no", "no", "=discarded", "=held", "=discarded"]),
        ("queued lease", ["no", "no", "busy", "busy", "busy"]),
        ("queued deliver", ["no", "no", "no", "no", "no"]),
        ("held", ["=queued", "=returned", "=discarded", "no", "=discarded"]),
        ("returned", ["no", "no", "no", "no", "no"]),
        ("queued hold", ["=queued", "=returned", "=discarded", "held", "held"]),
        ("pending hold", ["=queued", "=returned", "=discarded", "held", "held"]),
        ("held release", ["released"; 5]),
        ("held release lease", ["released"; 5]),
        ("held release deliver", ["released"; 5]),
        ("held release damage", ["released", "released", "=discarded", "released", "=discarded"]),
        ("queued hold release", ["released"; 5]),
        ("held return", ["returned"; 5]),
        ("held discard", ["discarded"; 5]),
        ("queued drop", ["discarded"; 5]),
        ("queued hold discard", ["discarded"; 5]),
    ];
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    for (row, (history, expected)) in table.iter().enumerate() {
        for (asked, expected) in ASKED.into_iter().zip(expected) {
            let name = format!("M{row:02}{asked}");
            let at = id(&name);
            with_history(&store, &name, history).await;
            let before = store.show(&at).await.unwrap();
            let answer = match asked {
                "release" => store.release(&at, "Bob", "", vec![notice(&format!("N{name}"), &name)]).await,
                "return" => store.return_to_sender(&at, "Bob", "", vec![]).await,
                "discard" => store.discard(&at, "Bob", "", vec![]).await,
                "hold" => store.hold(&at, "Bob", "").await,
                _ => store.drop_queued(&at, "Bob", "").await,
            };
            let after = store.show(&at).await.unwrap();
            let too_late = matches!(answer, Ok(Decision::Already(_)));
            let (told, changed) = match answer {
                Ok(Decision::Done) => (format!("={}", after.summary.state.as_str()), true),
                Ok(Decision::Already(line)) => {
                    assert_eq!(line.who, "Ann", "{history}, then {asked}");
                    (line.event, false)
                }
                Err(StoreError::WrongState { .. }) => ("no".to_owned(), false),
                Err(StoreError::Refused(_)) => ("busy".to_owned(), false),
                Err(error) => panic!("{history}, then {asked}: {error}"),
            };
            assert_eq!(told, *expected, "{history}, then {asked}");
            let lines = before.audit.len() + usize::from(changed || too_late);
            assert_eq!(after.audit.len(), lines, "{history}, then {asked}");
            let last = after.audit.last().unwrap();
            assert_eq!(
                too_late,
                last.event == "came-too-late" && last.who == "Bob",
                "{history}, then {asked}: {last:?}"
            );
            assert_eq!(after.summary.state == before.summary.state, !changed, "{history}, then {asked}");
            let noticed = store.show(&id(&format!("N{name}"))).await.is_ok();
            assert_eq!(noticed, changed && asked == "release", "{history}, then {asked}: the notice goes with it");
        }
    }
    assert!(store.audit_verify(Scope::Whole).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_release_of_what_went_in_part_tells_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    store.commit(vec![entry("A", State::Queued, b"x\r\n")]).await.unwrap();
    let mixed = [Outcome::Delivered { reply: "250".into() }, Outcome::Deferred { reply: "450".into() }];
    let mixed = mixed.into_iter().zip(0..).map(|(outcome, position)| RecipientOutcome { position, outcome });
    assert_eq!(ids_due(&store).await, ["A"]);
    store.record_attempt(&id("A"), mixed.collect(), Timestamp::now() + HOUR, vec![]).await.unwrap();
    store.hold(&id("A"), "Ann", "").await.unwrap();
    let released = store.release(&id("A"), "Ann", "", vec![notice("N", "A")]).await.unwrap();
    assert_eq!((released, state_of(&store, "A").await), (Decision::Done, State::Queued));
    assert!(matches!(store.show(&id("N")).await, Err(StoreError::NotFound(_))));
}

#[tokio::test]
async fn a_command_opens_what_is_there_alone_and_makes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let alone = async |purpose| {
        let lock = Lock::take(directory.path())?;
        Store::open_alone(directory.path(), key(), lock, purpose).await
    };
    let missing = alone(Purpose::Look).await.unwrap_err().to_string();
    assert!(missing.contains("there is no store yet") && missing.contains("start the gateway first"), "{missing}");
    assert!(!Store::exists(directory.path()));
    let store = exclusive(directory.path()).await;
    store.commit(vec![entry("A", State::Queued, b"x\r\n")]).await.unwrap();
    assert_eq!(ids_due(&store).await, ["A"]);
    assert!(matches!(alone(Purpose::Look).await, Err(StoreError::InUse(_))), "while a daemon runs");
    store.close().await;
    let store = alone(Purpose::Look).await.unwrap();
    assert_eq!(store.show(&id("A")).await.unwrap().audit.len(), 1, "to look changes nothing");
    store.close().await;
    let store = alone(Purpose::Change).await.unwrap();
    assert_eq!(store.hold(&id("A"), "Ann", "").await.unwrap(), Decision::Done, "the daemon that had it is gone");
}

#[tokio::test]
async fn the_audit_shows_a_state_or_a_schema_that_it_does_not_tell() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    for (name, history) in [
        ("M1", "held release deliver"),
        ("M2", "queued lease"),
        ("M3", "pending hold"),
        ("M4", "returned"),
        ("M5", "queued lease damage"),
        ("M6", "held discard"),
    ] {
        with_history(&store, name, history).await;
    }
    store.note_view(&id("M3"), "Ann", "to see").await.unwrap();
    store.retry(&id("M3"), "Ann").await.unwrap_err();
    assert_eq!(store.audit_check(Scope::Whole).await.unwrap().faults, []);
    let mut connection = raw(directory.path()).await;
    for (statement, words) in [
        ("drop trigger message_final", "the trigger `message_final`, which protects the store, is missing"),
        ("update message set state = 'held' where id = 'M6'", "message M6 is held, and its last line says discarded"),
        ("create trigger audit_eats before insert on audit begin select raise(ignore); end", "`audit_eats`"),
        ("drop index audit_by_message", "the index `audit_by_message`"),
        ("drop trigger audit_is_kept", "the trigger `audit_is_kept`"),
        ("delete from audit where seq = (select max(seq) from audit where event = 'discarded')", "a line is missing"),
        (
            "create trigger audit_is_kept before delete on audit begin select 1; end",
            "the trigger `audit_is_kept` was changed",
        ),
    ] {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
        for scope in [Scope::Whole, Scope::Tail(1_000)] {
            let check = store.audit_check(scope).await.unwrap();
            let told: Vec<String> = check.faults.iter().map(ToString::to_string).collect();
            assert!(told.iter().any(|fault| fault.contains(words)), "{statement}: {told:?}");
        }
    }
}

/// What is allowed with a decision stands or falls with it, the last word counts, and it ends with its time or the roster.
#[tokio::test]
async fn what_is_allowed_is_given_with_the_decision_and_ends() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    let held = ["A", "B", "C"].map(|name| entry(name, State::Held, b"x\r\n"));
    store.commit(held.into()).await.unwrap();
    let hour = jiff::Span::new().hours(1);
    let until = store.clock().now().checked_add(hour).unwrap();
    let new = |recipient: &str, until| NewAllowance {
        rule: "pupil-images".to_owned(),
        sender: "head@school.example".to_owned(),
        recipient: recipient.to_owned(),
        pupil: None,
        sender_listed: true,
        recipient_listed: false,
        until,
    };
    let with = |remember| Grounds { remember, ..grounds("Sue", "fine") };
    let holding = async || store.allowances_of("Head@School.example", store.clock().now()).await.unwrap().len();
    assert!(!store.has_allowances());
    // Only a release gives.
    let returned = with(vec![new("a@b.example", until)]);
    store.decide_on(&id("A"), &Ruling::Return, &returned, Vec::new()).await.unwrap();
    assert_eq!(holding().await, 0);
    let released = with(vec![new("a@b.example", until), new("c@d.example", store.clock().now())]);
    store.decide_on(&id("B"), &Ruling::Release, &released, Vec::new()).await.unwrap();
    assert_eq!(holding().await, 1, "the other was over at once");
    store.decide_on(&id("C"), &Ruling::Release, &with(vec![new("a@b.example", until)]), Vec::new()).await.unwrap();
    assert_eq!(holding().await, 1, "the same again takes the place of the earlier");
    assert_eq!(store.allowances_of("cook@school.example", store.clock().now()).await.unwrap(), []);
    assert_eq!(store.end_allowances_without(|_| true).await.unwrap(), 0);
    assert_eq!(store.end_allowances_without(|kept| !kept.sender_listed).await.unwrap(), 1, "its sender is gone");
    assert_eq!(holding().await, 0);
    let all = store.audit_list(&AuditFilter::default(), 100).await.unwrap();
    assert_eq!(all.iter().filter(|line| line.event == "allowed").count(), 3);
    let ended: Vec<&str> =
        all.iter().filter(|line| line.event == "allowance-ended").map(|line| line.who.as_str()).collect();
    assert_eq!(ended, ["gateway"]);
    store.close().await;
    assert!(exclusive(directory.path()).await.has_allowances(), "it is known when the store is opened again");
}
