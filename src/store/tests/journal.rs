//! Copies of mail that left: what is kept, until when, what a legal hold does, and what the index of words gives away.

use std::collections::BTreeMap;

use super::*;
use crate::inspect::{ReportedPupil, Words};
use crate::policy::Duties;

const DAY: Duration = Duration::from_secs(86_400);
const ANN: &str = "ann@school.example";
const BOB: &str = "bob@school.example";

/// A message from somebody, of which a copy is kept for so many days.
fn mail(name: &str, from: &str, days: Option<u32>, clock: &Clock, state: State) -> NewEntry {
    let mut new = entry(name, state, format!("Subject: {name}\r\n\r\nThe whole text.\r\n").as_bytes());
    new.envelope.mail_from = Some(Address::parse(from).unwrap());
    new.at = clock.now();
    if let Some(report) = &mut new.report {
        report.duties = Duties {
            journal_days: days,
            journal_rules: days.iter().map(|_| "keep".to_owned()).collect(),
            ..Duties::default()
        };
    }
    new
}

/// How the recipients of a message fared.
async fn end(store: &Store, clock: &Clock, name: &str, fates: [bool; 2]) {
    let leased = store.lease_due(clock.now(), 1_000, HOUR).await.unwrap();
    let others = leased.into_iter().map(|leased| leased.id).filter(|other| other.0 != name).collect();
    store.end_lease(others).await.unwrap();
    let outcome = |taken: bool| match taken {
        true => Outcome::Delivered { reply: "250".to_owned() },
        false => Outcome::Failed { reply: "550".to_owned() },
    };
    let outcomes = (0..).zip(fates).map(|(position, taken)| RecipientOutcome { position, outcome: outcome(taken) });
    store.record_attempt(&id(name), outcomes.collect(), clock.now(), Vec::new()).await.unwrap();
}

async fn events(store: &Store, name: &str) -> Vec<String> {
    let filter = AuditFilter { message: Some(id(name)), ..AuditFilter::default() };
    let mut lines = store.audit_list(&filter, 100).await.unwrap();
    lines.sort_by_key(|line| line.seq);
    lines.into_iter().map(|line| line.event).collect()
}

fn hold(mailbox: Option<&str>) -> NewHold {
    NewHold { mailbox: mailbox.map(str::to_owned), since: None, until: None, reason: "A claim.".to_owned() }
}

#[tokio::test]
async fn a_copy_is_kept_of_what_left_for_its_days_and_not_longer() {
    let directory = tempfile::tempdir().unwrap();
    let (store, clock) = opened_at(directory.path(), "2026-09-01T08:00:00Z").await;
    // Name, days, who took it, kept.
    for (name, days, fates, kept) in [
        ("A", Some(30), [true, true], true),
        ("B", Some(30), [true, false], true),
        ("C", Some(30), [false, false], false),
        ("D", None, [true, true], false),
    ] {
        store.commit(vec![mail(name, ANN, days, &clock, State::Queued)]).await.unwrap();
        let content = store.content(&id(name)).await.unwrap();
        end(&store, &clock, name, fates).await;
        match kept {
            true => assert_eq!(store.content(&id(name)).await.unwrap(), content, "{name}: octet for octet"),
            false => assert!(matches!(store.content(&id(name)).await, Err(StoreError::Dropped(_))), "{name}"),
        }
        assert_eq!(events(&store, name).await.contains(&"journalled".to_owned()), kept, "{name}");
    }
    // What is held and then released is kept like the rest; what is discarded is not.
    for (name, release) in [("E", true), ("F", false)] {
        store.commit(vec![mail(name, ANN, Some(30), &clock, State::Held)]).await.unwrap();
        match release {
            true => {
                store.release(&id(name), "Sue", "fine", vec![]).await.unwrap();
                end(&store, &clock, name, [true, true]).await;
            }
            false => drop(store.discard(&id(name), "Sue", "not fine", vec![]).await.unwrap()),
        }
        assert_eq!(store.content(&id(name)).await.is_ok(), release, "{name}");
    }
    // A restart, the time of rows, and nearly the time of copies pass.
    drop(store);
    let (store, clock) = opened_at(directory.path(), "2026-09-30T08:00:00Z").await;
    assert_eq!(store.forget(clock.now() + HOUR).await.unwrap(), 3, "only what keeps no copy");
    assert_eq!(store.end_journal().await.unwrap(), 0);
    let figures = store.journal_figures().await.unwrap();
    assert_eq!((figures.messages, figures.on_hold), (3, 0));
    clock.advance(DAY);
    assert_eq!(store.end_journal().await.unwrap(), 3);
    assert_eq!(store.journal_figures().await.unwrap(), JournalFigures::default());
    for name in ["A", "B", "E"] {
        assert!(matches!(store.content(&id(name)).await, Err(StoreError::Dropped(_))), "{name}");
        assert_eq!(events(&store, name).await.last().map(String::as_str), Some("journal-ended"), "{name}");
    }
    assert!(store.audit_check(Scope::Whole).await.unwrap().faults.is_empty());
}

#[tokio::test]
async fn what_a_legal_hold_is_about_is_not_deleted_by_time_or_by_anybody() {
    let directory = tempfile::tempdir().unwrap();
    let (store, clock) = opened_at(directory.path(), "2026-09-01T08:00:00Z").await;
    for bad in [
        NewHold { reason: " ".to_owned(), ..hold(None) },
        NewHold { since: Some(clock.now()), until: Some(clock.now()), ..hold(None) },
    ] {
        assert!(matches!(store.hold_for_law(bad, "dee").await, Err(StoreError::Refused(_))));
    }
    let before = mail("before", ANN, Some(1), &clock, State::Queued);
    store.commit(vec![before]).await.unwrap();
    end(&store, &clock, "before", [true, true]).await;
    clock.advance(DAY);
    store.hold_for_law(hold(Some("ANN@school.example")), "dee").await.unwrap();
    let late = NewHold { since: Some(clock.now() + DAY), ..hold(Some(BOB)) };
    store.hold_for_law(late, "dee").await.unwrap();
    assert_eq!(store.end_journal().await.unwrap(), 0, "its time is over, and it stays");
    for (name, from, state) in
        [("sent", ANN, State::Queued), ("dropped", ANN, State::Held), ("other", BOB, State::Queued)]
    {
        store.commit(vec![mail(name, from, None, &clock, state)]).await.unwrap();
    }
    end(&store, &clock, "sent", [true, true]).await;
    end(&store, &clock, "other", [true, true]).await;
    store.discard(&id("dropped"), "Sue", "a slip", vec![]).await.unwrap();
    store.forget(clock.now() + HOUR).await.unwrap();
    for (name, kept) in [("before", true), ("sent", true), ("dropped", true), ("other", false)] {
        assert_eq!(store.content(&id(name)).await.is_ok(), kept, "{name}");
        assert_eq!(store.show(&id(name)).await.is_ok(), kept, "{name}");
    }
    let holds = store.legal_holds().await.unwrap();
    let of_ann = holds.iter().find(|hold| hold.what.mailbox.as_deref() == Some(ANN)).unwrap();
    assert_eq!((of_ann.messages, of_ann.what.reason.as_str(), of_ann.given_by.as_str()), (3, "A claim.", "dee"));
    let database = std::fs::read(directory.path().join("queue.db")).unwrap();
    assert!(!database.windows(8).any(|part| part == b"A claim."), "the reason is sealed");
    // The hold ends, and so does what it kept.
    assert!(store.end_legal_hold(&of_ann.id, "dee", "settled").await.unwrap());
    assert!(!store.end_legal_hold(&of_ann.id, "dee", "settled").await.unwrap(), "once");
    assert_eq!(store.end_journal().await.unwrap(), 3);
    for name in ["before", "sent", "dropped"] {
        assert!(store.content(&id(name)).await.is_err(), "{name}");
    }
    let filter = AuditFilter::default();
    let told: Vec<String> = store.audit_list(&filter, 100).await.unwrap().into_iter().map(|line| line.detail).collect();
    assert!(!told.iter().any(|detail| detail.contains("A claim.") || detail.contains(ANN)), "{told:?}");
}

/// What a message is by the model.
#[derive(Debug, Clone, Default)]
struct Kept {
    from: &'static str,
    days: Option<u32>,
    done: bool,
    /// The content is there, and from then on by nothing but a hold.
    content: bool,
    until: Option<Timestamp>,
    row: bool,
}

/// Any order of what people and time do, against a model of twenty lines.
#[tokio::test]
async fn journal_and_holds_do_as_a_small_model_does() {
    let seed: u64 = std::env::var("SCHOOLGATE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_129);
    println!("SCHOOLGATE_SEED={seed}");
    let mut random = seed;
    let mut next = |below: u64| {
        // Knuth's MMIX: what comes out is even enough for an order of events.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let directory = tempfile::tempdir().unwrap();
    let (store, clock) = opened_at(directory.path(), "2026-10-20T08:00:00Z").await;
    let mut model: BTreeMap<String, Kept> = BTreeMap::new();
    let mut holds: Vec<(String, Option<&'static str>)> = Vec::new();
    let held = |holds: &[(String, Option<&'static str>)], kept: &Kept| {
        holds.iter().any(|(_, mailbox)| mailbox.is_none_or(|mailbox| mailbox == kept.from))
    };
    for step in 0..600 {
        let open: Vec<String> = model.iter().filter(|(_, kept)| !kept.done).map(|(name, _)| name.clone()).collect();
        match next(9) {
            0 | 1 => {
                let name = format!("M{step:04}");
                let days = [None, Some(1), Some(3)][next(3) as usize];
                let from = [ANN, BOB][next(2) as usize];
                store.commit(vec![mail(&name, from, days, &clock, State::Queued)]).await.unwrap();
                model.insert(name, Kept { from, days, content: true, row: true, ..Kept::default() });
            }
            2 | 3 if !open.is_empty() => {
                let name = &open[next(open.len() as u64) as usize];
                let fates = [next(2) == 0, next(2) == 0];
                let dropped = next(4) == 0;
                match dropped {
                    true => drop(store.drop_queued(&id(name), "Sue", "").await.unwrap()),
                    false => end(&store, &clock, name, fates).await,
                }
                let kept = model.get_mut(name).unwrap();
                kept.done = true;
                let left = !dropped && fates.contains(&true);
                kept.until = match kept.days.filter(|_| left) {
                    Some(days) => Some(clock.now() + DAY * days),
                    None if held(&holds, kept) => Some(clock.now()),
                    None => None,
                };
                kept.content = kept.until.is_some();
            }
            4 | 5 => clock.advance(HOUR * 12),
            6 => {
                store.end_journal().await.unwrap();
                for kept in model.values_mut().filter(|kept| kept.until.is_some_and(|until| until <= clock.now())) {
                    if !held(&holds, kept) {
                        (kept.content, kept.until) = (false, None);
                    }
                }
            }
            7 => match holds.len() {
                0 | 1 => {
                    let mailbox = [None, Some(ANN), Some(BOB)][next(3) as usize];
                    store.hold_for_law(hold(mailbox), "dee").await.unwrap();
                    let all = store.legal_holds().await.unwrap();
                    let new = all.into_iter().find(|new| !holds.iter().any(|(known, _)| *known == new.id)).unwrap();
                    holds.push((new.id, mailbox));
                }
                _ => {
                    let (ended, _) = holds.remove(next(holds.len() as u64) as usize);
                    assert!(store.end_legal_hold(&ended, "dee", "over").await.unwrap());
                }
            },
            _ => {
                store.forget(clock.now() + Duration::from_secs(1)).await.unwrap();
                for kept in model.values_mut().filter(|kept| kept.done && kept.until.is_none()) {
                    kept.row &= held(&holds, kept);
                }
            }
        }
        for (name, kept) in &model {
            assert_eq!(store.show(&id(name)).await.is_ok(), kept.row, "step {step}: the row of {name}, {kept:?}");
            assert_eq!(
                store.content(&id(name)).await.is_ok(),
                kept.content,
                "step {step}: the content of {name}, {kept:?}"
            );
        }
        model.retain(|_, kept| kept.row);
    }
    assert!(store.audit_check(Scope::Whole).await.unwrap().faults.is_empty());
}

/// A message with words and a pupil.
fn of_words(name: &str, words: &str, pupil: Option<&str>, state: State, clock: &Clock) -> NewEntry {
    let mut new = mail(name, ANN, Some(30), clock, state);
    let report = new.report.as_mut().unwrap();
    report.words = Some(Words::of_text(words));
    report.pupils = pupil
        .map(|pupil| ReportedPupil {
            id: pupil.to_owned(),
            tier: "record".to_owned(),
            categories: vec![],
            places: vec![],
            shared_name: false,
        })
        .into_iter()
        .collect();
    new
}

#[tokio::test]
async fn kept_mail_is_found_by_what_fits_and_each_search_has_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let (store, clock) = opened_at(directory.path(), "2026-09-01T08:00:00Z").await;
    let day = |day: &str| Some(format!("2026-09-{day}T00:00:00Z").parse().unwrap());
    store.commit(vec![of_words("A", "Zoë's inhaler plan", Some("P1"), State::Queued, &clock)]).await.unwrap();
    end(&store, &clock, "A", [true, true]).await;
    clock.advance(DAY);
    store.commit(vec![of_words("B", "the plan for Friday", Some("P2"), State::Held, &clock)]).await.unwrap();
    clock.advance(DAY);
    store.commit(vec![of_words("C", "inhaler, again", Some("P1"), State::Queued, &clock)]).await.unwrap();
    let mut unread = of_words("D", "", None, State::Held, &clock);
    unread.report.as_mut().unwrap().words = None;
    store.commit(vec![unread]).await.unwrap();
    // Content is gone, and what was said of it stays.
    store.commit(vec![of_words("E", "inhaler", Some("P1"), State::Queued, &clock)]).await.unwrap();
    end(&store, &clock, "E", [false, false]).await;
    let words = |words: &str| Search { words: words.to_owned(), ..Search::default() };
    let pupil = |pupil: &str| Search { pupil: Some(pupil.to_owned()), ..Search::default() };
    for (search, wanted) in [
        (words("inhaler"), "A C D?"),
        (words("ZOE"), "A D?"),
        (words("plan inhaler"), "A D?"),
        (words("nothing of it"), "D?"),
        (pupil("P1"), "A C E"),
        (Search { words: "plan".into(), ..pupil("P2") }, "B"),
        (Search { until: day("03"), ..words("inhaler") }, "A"),
        (Search { since: day("02"), until: day("03"), ..Search::default() }, "B"),
        (Search { mailbox: Some("ONE@a.example".into()), ..words("friday") }, "B D?"),
        (Search { mailbox: Some("nobody@a.example".into()), ..Search::default() }, ""),
    ] {
        let found = store.search(&search, "dee", "a subject access request").await.unwrap();
        let shown: Vec<String> = found
            .hits
            .iter()
            .map(|hit| format!("{}{}", hit.id, if hit.fit == Fit::WordsUnknown { "?" } else { "" }))
            .collect();
        assert_eq!(shown.join(" "), wanted, "{search:?}");
        assert!(!found.hits.iter().any(|hit| hit.id.0 == "E" && hit.content), "{search:?}");
    }
    for (search, why) in [(Search::default(), "x"), (words("plan"), " "), (words("a !"), "x")] {
        assert!(matches!(store.search(&search, "dee", why).await, Err(StoreError::Refused(_))), "{search:?}");
    }
    let filter = AuditFilter { event: Some("searched".to_owned()), ..AuditFilter::default() };
    let lines = store.audit_list(&filter, 100).await.unwrap();
    assert_eq!(lines.len(), 10, "each that gave something, and none that was refused");
    for secret in ["inhaler", "P1", "a.example"] {
        assert!(!lines.iter().any(|line| line.detail.contains(secret)), "{secret}: {lines:?}");
    }
}

/// No word of a message stands in the store, neither plain nor as a hash that anybody could try, and not that two share one.
#[tokio::test]
async fn the_index_of_words_gives_nothing_away() {
    let directory = tempfile::tempdir().unwrap();
    let (store, clock) = opened_at(directory.path(), "2026-09-01T08:00:00Z").await;
    let text = "Marigold's hydrocortisone cream";
    for name in ["A", "B"] {
        store.commit(vec![of_words(name, text, None, State::Queued, &clock)]).await.unwrap();
        end(&store, &clock, name, [true, true]).await;
    }
    let mut database = raw(directory.path()).await;
    let blobs: Vec<Vec<u8>> =
        sqlx::query_scalar("select words from word_index order by message").fetch_all(&mut database).await.unwrap();
    assert_eq!(blobs.len(), 2);
    assert_ne!(blobs[0], blobs[1], "the same words, and nobody sees it");
    drop(database);
    drop(store);
    let mut all = Vec::new();
    let mut folders = vec![directory.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for found in std::fs::read_dir(folder).unwrap().map(|found| found.unwrap().path()) {
            match found.is_dir() {
                true => folders.push(found),
                false => all.extend(std::fs::read(found).unwrap()),
            }
        }
    }
    let keys = key::Keys::derive(&key()).unwrap();
    for word in Words::of_text(text).all {
        let sha256 = ring::digest::digest(&ring::digest::SHA256, word.as_bytes());
        let sha1 = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, word.as_bytes());
        let keyed = keys.mark("word", &word);
        for trace in [word.as_bytes(), &sha256.as_ref()[..6], &sha1.as_ref()[..6], &keyed[..6]] {
            assert!(!all.windows(trace.len()).any(|part| part == trace), "{word}");
        }
    }
}
