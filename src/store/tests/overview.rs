//! What is summed by week and rule: in which week a message counts, what a rule did and would have done, and what is forgotten.

use super::*;

fn taken(name: &str, state: State, at: &str) -> NewEntry {
    let mut new = entry(name, state, b"Subject: x\r\n\r\nx\r\n");
    new.at = at.parse().unwrap();
    new
}

#[tokio::test]
async fn a_message_counts_in_the_school_s_own_week_in_which_it_was_taken_in() {
    let directory = tempfile::tempdir().unwrap();
    let (store, clock) = opened_at(directory.path(), "2026-07-01T12:00:00Z").await;
    // Midnight of Monday, 29 June, in British summer time.
    for (name, state, at) in [
        ("A", State::Queued, "2026-06-28T22:59:59Z"),
        ("B", State::Held, "2026-06-28T23:00:00Z"),
        ("C", State::Returned, "2026-06-30T10:00:00Z"),
        ("D", State::Queued, "2026-04-12T10:00:00Z"),
    ] {
        store.commit(vec![taken(name, state, at)]).await.unwrap();
    }
    clock.advance(HOUR * 2);
    let grounds = Grounds { classification: Some(Classification::Neither), ..grounds("Sue", "fine") };
    store.decide_on(&QueueId("B".to_owned()), &Ruling::Release, &grounds, Vec::new()).await.unwrap();
    let overview = store.overview().await.unwrap();
    let said: Vec<String> = overview.weeks.iter().map(|week| week.begins.to_string()).collect();
    assert_eq!((said.len(), said[0].as_str(), said[11].as_str()), (12, "2026-04-13", "2026-06-29"));
    let counted = |week: usize| {
        let of = &overview.weeks[week].figures;
        [of.messages, of.sent, of.returned, of.held, of.released]
    };
    assert_eq!((counted(0), counted(10), counted(11)), ([0; 5], [1, 1, 0, 0, 0], [2, 1, 1, 1, 1]));
    assert_eq!(overview.pace, Pace { decisions: 1, median: 7_200, slowest_tenth: 7_200 });
    let rule = &overview.rules[0];
    assert_eq!(
        (rule.rule.as_str(), rule.returned, rule.held, rule.decided, rule.false_holds),
        ("visible-recipients", 1, 1, 1, 1)
    );

    // It goes with its message.
    store.forget(clock.now().saturating_add(HOUR).unwrap()).await.unwrap();
    let rules = store.overview().await.unwrap().rules;
    assert_eq!((rules[0].returned, rules[0].held), (0, 1), "{rules:?}");
    store.close().await;
}

#[tokio::test]
async fn what_is_decided_later_counts_and_what_only_observes_is_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let (store, clock) = opened_at(directory.path(), "2026-11-25T12:00:00Z").await;
    store.commit(vec![taken("P", State::Pending, "2026-11-25T11:00:00Z")]).await.unwrap();
    assert!(store.rule_effects().await.unwrap().is_empty());
    let mut observed = report(Action::Hold);
    observed.action = Action::Deliver;
    observed.rules[0].observed_only = true;
    store
        .decide_pending(&QueueId("P".to_owned()), &observed, State::Queued, Vec::new(), Beside::default())
        .await
        .unwrap();
    let effects = store.rule_effects().await.unwrap();
    let of = &effects[0];
    assert_eq!((of.held, of.would_return, of.would_hold, of.would_stop_alone), (0, 0, 1, 1), "{of:?}");
    clock.advance(HOUR * 24 * 28);
    assert!(store.rule_effects().await.unwrap().is_empty(), "four weeks, and no longer");
    store.close().await;
}
