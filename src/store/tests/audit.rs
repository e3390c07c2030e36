//! The audit: whether it is whole, and which of its lines are shown to whom.

use super::*;

#[tokio::test]
async fn the_audit_shows_what_was_changed_behind_its_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), key()).await.unwrap();
    let other = Store::open(directory.path(), key()).await.unwrap();
    for (number, store) in [&store, &other, &store].into_iter().enumerate() {
        store.commit(vec![entry(&format!("M{number}"), State::Held, b"x\r\n")]).await.unwrap();
    }
    other.release(&id("M0"), "Sue", "fine", vec![]).await.unwrap();
    assert_eq!(store.audit_verify(Scope::Whole).await.unwrap(), Ok(4));
    let problems = async || {
        let check = store.audit_check(Scope::Whole).await.unwrap();
        let tail = store.audit_check(Scope::Tail(2)).await.unwrap();
        assert!(tail.lines <= 2 && tail.faults.len() <= check.faults.len());
        check.faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(problems().await, "");
    let mut connection = raw(directory.path()).await;
    for trigger in ["drop trigger audit_is_kept", "drop trigger audit_is_true"] {
        sqlx::query(trigger).execute(&mut connection).await.unwrap();
    }
    sqlx::query("update audit set who = 'Tom' where seq = 4").execute(&mut connection).await.unwrap();
    assert_eq!(store.audit_verify(Scope::Whole).await.unwrap().unwrap_err().seq, 4);
    let told = problems().await;
    for words in ["trigger `audit_is_kept`", "trigger `audit_is_true`", "line 4: it was changed"] {
        assert!(told.contains(words) && told.lines().count() == 3, "{words}: {told}");
    }
    sqlx::query("update audit set who = 'Sue' where seq = 4").execute(&mut connection).await.unwrap();
    assert_eq!(store.audit_verify(Scope::Whole).await.unwrap(), Ok(4));
    sqlx::query("delete from audit where seq = 2").execute(&mut connection).await.unwrap();
    assert_eq!(store.audit_verify(Scope::Whole).await.unwrap().unwrap_err().seq, 2);
    let told = problems().await;
    for words in ["line 2: a line is missing", "no line tells how message M1 came to be held"] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[tokio::test]
async fn lines_of_some_people_of_one_message_and_page_by_page() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), key()).await.unwrap();
    let mut connection = raw(directory.path()).await;
    let mut chain = crate::store::audit::Chain::end(&mut connection).await.unwrap();
    let detail = || serde_json::json!({});
    for (message, who) in [
        ("M1", "gateway"),
        ("M1", "sam"),
        ("M2", "sam (root)"),
        ("M2", "samuel"),
        ("M2", "sam.b"),
        ("", "Sam"),
        ("", "ann%"),
        ("", "annA"),
    ] {
        chain.append(&mut connection, Timestamp::now(), &id(message), "viewed", who, detail()).await.unwrap();
    }
    let all = AuditFilter::default;
    let of = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    for (name, filter, want) in [
        ("everything", all(), &[1, 2, 3, 4, 5, 6, 7, 8][..]),
        ("one person, with and without the system's user", AuditFilter { of: of(&["sam"]), ..all() }, &[1, 2, 3]),
        ("two people", AuditFilter { of: of(&["samuel", "ann%"]), ..all() }, &[1, 4, 7]),
        ("nobody: the gateway's own", AuditFilter { of: of(&[]), ..all() }, &[1]),
        ("what people did", AuditFilter { people: true, ..all() }, &[2, 3, 4, 5, 6, 7, 8]),
        ("what people of a role did", AuditFilter { people: true, of: of(&["sam"]), ..all() }, &[2, 3]),
        ("about no message", AuditFilter { technical: true, ..all() }, &[6, 7, 8]),
        ("about one", AuditFilter { message: Some(id("M2")), of: of(&["sam"]), ..all() }, &[3]),
        ("an older page", AuditFilter { before: Some(3), ..all() }, &[1, 2]),
        ("a part of a name", AuditFilter { who: Some("SAM".into()), before: Some(6), ..all() }, &[2, 3, 4, 5]),
    ] {
        let lines = store.audit_list(&filter, 100).await.unwrap();
        assert_eq!(lines.iter().map(|line| line.seq).collect::<Vec<_>>(), want, "{name}");
    }
    let last = store.audit_list(&all(), 2).await.unwrap();
    assert_eq!(last.iter().map(|line| line.seq).collect::<Vec<_>>(), [7, 8], "the newest, in order");
}
