//! Files of content: torn ends, what nothing names, what is swept.

use super::*;

#[tokio::test]
async fn a_torn_segment_tail_is_ignored() {
    use std::io::Write;
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), key()).await.unwrap();
    store.commit(vec![entry("A", State::Queued, b"whole\r\n")]).await.unwrap();
    store.close().await;
    let segment = std::fs::read_dir(directory.path().join(SEGMENTS)).unwrap().next().unwrap().unwrap().path();
    let mut file = std::fs::OpenOptions::new().append(true).open(&segment).unwrap();
    file.write_all(b"SGC1 half a rec").unwrap();
    let store = exclusive(directory.path()).await;
    store.commit(vec![entry("B", State::Queued, b"next\r\n")]).await.unwrap();
    assert_eq!(&*store.content(&id("A")).await.unwrap(), b"whole\r\n");
    assert_eq!(&*store.content(&id("B")).await.unwrap(), b"next\r\n");
}

#[tokio::test]
async fn content_without_a_row_is_swept_at_start_unless_young() {
    let directory = tempfile::tempdir().unwrap();
    exclusive(directory.path()).await.close().await;
    let old = std::time::SystemTime::now() - Duration::from_secs(crate::limits::SWEEP_AGE + 1);
    for (name, modified) in
        [("large/OLD", old), ("segments/OLD.transit", old), ("large/YOUNG", std::time::SystemTime::now())]
    {
        let file = std::fs::File::create(directory.path().join(name)).unwrap();
        file.set_modified(modified).unwrap();
    }
    let store = exclusive(directory.path()).await;
    let there = |name: &str| directory.path().join(name).exists();
    until("the old are swept", || !there("large/OLD") && !there("segments/OLD.transit")).await;
    store.close().await;
    assert!(there("large/YOUNG"));
}

#[tokio::test]
async fn sweeping_a_full_directory_holds_no_commit_up_and_leaves_what_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    let large = vec![b'x'; crate::limits::LARGE_CONTENT + 1];
    store.commit(vec![entry("A", State::Held, &large), entry("B", State::Held, b"small\r\n")]).await.unwrap();
    store.close().await;
    let part = directory.path().join(LARGE);
    let strays = 20 * crate::limits::SWEEP_BATCH;
    (0..strays).for_each(|n| std::fs::write(part.join(format!("S{n}")), b"x").unwrap());
    let old = std::time::SystemTime::now() - Duration::from_secs(crate::limits::SWEEP_AGE + 1);
    for part in [SEGMENTS, LARGE] {
        for file in std::fs::read_dir(directory.path().join(part)).unwrap() {
            std::fs::File::options().append(true).open(file.unwrap().path()).unwrap().set_modified(old).unwrap();
        }
    }
    let store = exclusive(directory.path()).await;
    let left = || std::fs::read_dir(&part).unwrap().count() - 1;
    let mut during = 0;
    for number in 0.. {
        store.commit(vec![entry(&format!("M{number}"), State::Queued, b"x\r\n")]).await.unwrap();
        match left() {
            0 => break,
            left if left < strays => during += 1,
            _ => {}
        }
        assert!(number < 100_000, "it is never swept");
    }
    assert!(during > 2, "commits come between the batches: {during}");
    assert_eq!(&*store.content(&id("A")).await.unwrap(), &large[..]);
    assert_eq!(&*store.content(&id("B")).await.unwrap(), b"small\r\n");
}

#[tokio::test]
async fn segments_that_nothing_names_are_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let store = exclusive(directory.path()).await;
    let content = vec![b'x'; crate::limits::LARGE_CONTENT];
    let enough = crate::limits::SEGMENT_SIZE as usize / content.len() + 2;
    let files = || std::fs::read_dir(directory.path().join(SEGMENTS)).unwrap().count();
    for number in 0..enough {
        let name = format!("M{number:03}");
        store.commit(vec![entry(&name, State::Queued, &content)]).await.unwrap();
        assert_eq!(ids_due(&store).await, [name.as_str()]);
        if number > 0 {
            let taken = outcomes(&Outcome::Delivered { reply: "250".into() });
            store.record_attempt(&id(&name), taken, Timestamp::now(), vec![]).await.unwrap();
        }
    }
    store.commit(vec![entry("H", State::Held, b"x\r\n")]).await.unwrap();
    assert_eq!(files(), 3, "the first is full, M000 still lies in it; the second is begun; H has one of its own");
    let taken = outcomes(&Outcome::Delivered { reply: "250".into() });
    store.record_attempt(&id("M000"), taken, Timestamp::now(), vec![]).await.unwrap();
    store.close().await;
    assert_eq!(files(), 2);
}
