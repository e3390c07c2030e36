//! What is let through by the desk beyond one message: remembered, and exempt.

use super::*;

/// What is released and remembered goes the next time; another child's, another sender's and what has ended is asked about.
#[tokio::test]
async fn what_is_remembered_goes_and_nothing_beside_it() {
    let house = House::new().await;
    let [amy, other] = [0, 5].map(|at: usize| {
        let pupil = &house.ground.school.pupils[at];
        (pupil.id.clone(), format!("{} {}", pupil.forename, pupil.surname))
    });
    let (teacher, to) = ("t.person@saltmere.example", "someone@gmail.com");
    let about = |name: &str| format!("{name} has asthma and was given an inhaler at lunch.");
    house.hold("a1", teacher, &[to], "A note", &about(&amy.1)).await;
    house.hold("a2", teacher, &[to], "Personal: a note", &about(&amy.1)).await;
    let asks = async |from: &str, to: &str, name: &str| {
        let raw = format!("From: <{from}>\r\nTo: <{to}>\r\nSubject: A note\r\n\r\n{}\r\n", about(name));
        let envelope = Envelope::new(Some(address(from)), vec![address(to)]);
        let now = Timestamp::now();
        let allowed = house.store.allowances_of(from, now).await.unwrap();
        let halt = schoolgate::text::Halt::default();
        let known = Known { allowances: &allowed, ..Known::default() };
        inspect_with(None, &halt, &house.ground, &known, &envelope, raw.as_bytes(), now)
    };
    assert_eq!(asks(teacher, to, &amy.1).await.action, Action::Hold, "nothing is remembered yet");
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let decide = async |browser: &mut Browser, id: &str, decision: &str, until: &str| {
        let token = browser.get("/nowhere").await.field("token");
        let form = [
            ("token", token.as_str()),
            ("decision", decision),
            ("class", "neither"),
            ("reason", "x"),
            ("remember", "yes"),
            ("until", until),
        ];
        browser.send("POST", &format!("/held/{id}/decide"), &form).await
    };
    let until = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().tomorrow().unwrap().to_string();
    for (id, decision, until, says) in [
        ("a1", "return", until.as_str(), "Only what is released"),
        ("a1", "release", "2020-01-01", "Choose a last day"),
        ("a1", "release", "", "Choose a last day"),
        ("a2", "release", until.as_str(), "marked as personal is not remembered"),
    ] {
        let answer = decide(&mut sue, id, decision, until).await;
        assert!(answer.status == 422 && answer.body.contains(says), "{id} {decision} {until}: {}", answer.body);
    }
    assert!(sue.get("/held/a1").await.body.contains("name=\"remember\""));
    assert_eq!(decide(&mut sue, "a1", "release", &until).await.status, 200);

    let twin = asks(teacher, to, &amy.1).await;
    assert_eq!(twin.action, Action::Deliver, "{:?}", twin.rules);
    let confirmed = twin.rules.iter().find_map(|rule| rule.confirmed.as_ref()).expect("it says so");
    assert_eq!(confirmed.by, "sue");
    assert_eq!(asks(teacher, to, &other.1).await.action, Action::Hold, "another child");
    assert_eq!(asks(teacher, "somebody@gmail.com", &amy.1).await.action, Action::Hold, "another address");
    assert_eq!(asks("other@saltmere.example", to, &amy.1).await.action, Action::Hold, "another sender");

    // Those who may see it see it, and it ends with one press.
    let page = sue.get("/allowances").await;
    assert!(page.body.contains(&format!("{teacher} to {to}")) && page.body.contains(&amy.1), "{}", page.body);
    let kept = house.store.allowances(Timestamp::now()).await.unwrap();
    assert!(!kept.is_empty() && kept.iter().all(|kept| kept.allowance.pupil.as_deref() == Some(amy.0.as_str())));
    for one in &kept {
        assert_eq!(sue.press("/allowances", &format!("/allowances/{}/end", one.id), &[]).await.status, 303);
    }
    assert_eq!(asks(teacher, to, &amy.1).await.action, Action::Hold, "it has ended");
    let record = house.store.show(&QueueId("a1".to_owned())).await.unwrap().audit;
    for event in ["allowed", "allowance-ended"] {
        assert_eq!(record.iter().filter(|line| line.event == event).count(), kept.len(), "{event}");
    }
    assert!(record.iter().all(|line| !line.detail.contains(to)), "the record names no address");
}

/// The head exempts a sender by the form; others see it, and have no form.
#[tokio::test]
async fn the_head_exempts_and_others_see_it() {
    let house = House::under("wooden-hill").await;
    let mut head = house.person("helen", &[Role::Head]).await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let day = |ahead: i64| {
        let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        today.saturating_add(jiff::Span::new().days(ahead)).to_string()
    };
    let (soon, past, far) = (day(7), day(-2), day(500));
    let teacher = "t.person@saltmere.example";
    for (rule, sender, until, because, says) in [
        ("direct-to-guardian", "nobody", soon.as_str(), "the trip", "no e-mail address"),
        ("direct-to-guardian", "someone@gmail.com", &soon, "the trip", "no mailbox of the school"),
        ("direct-to-guardian", teacher, &past, "the trip", "Choose a last day"),
        ("direct-to-guardian", teacher, &far, "the trip", "Choose a last day"),
        ("direct-to-guardian", teacher, &soon, " ", "Say why"),
        ("pupil-record-to-personal", teacher, &soon, "the trip", "does not say exempt = true"),
        ("", teacher, &soon, "the trip", "has no rule"),
    ] {
        let form = [("rule", rule), ("sender", sender), ("until", until), ("because", because)];
        let answer = head.press("/exemptions", "/exemptions", &form).await;
        assert!(answer.status == 422 && answer.body.contains(says), "{form:?}: {}", answer.body);
    }
    assert!(house.store.exemptions(Timestamp::now()).await.unwrap().is_empty());
    let form = [("rule", "direct-to-guardian"), ("sender", teacher), ("until", &soon), ("because", "a <b>trip</b>")];
    assert_eq!(head.press("/exemptions", "/exemptions", &form).await.status, 303);
    let kept = house.store.exemptions(Timestamp::now()).await.unwrap().remove(0);
    assert_eq!((kept.exemption.by.as_str(), kept.exemption.sender.as_str()), ("helen", teacher));
    let page = sue.get("/exemptions").await.body;
    assert!(page.contains(teacher) && page.contains("granted by helen") && page.contains("a &lt;b&gt;trip"), "{page}");
    assert!(!page.contains("action=\"/exemptions"), "to see is not to do: {page}");
    let end = format!("/exemptions/{}/end", kept.id);
    // With the token of another page of hers.
    assert_eq!(sue.press("/account", &end, &[]).await.status, 404);
    assert_eq!(house.store.exemptions(Timestamp::now()).await.unwrap().len(), 1);
    assert_eq!(head.press("/exemptions", &end, &[]).await.status, 303);
    assert!(house.store.exemptions(Timestamp::now()).await.unwrap().is_empty());
    let record = head.get("/audit").await.body;
    assert!(record.contains("exempted a sender from a rule") && record.contains("ended an exemption"), "{record}");
}

/// What the head approves is for the head to decide: others see it, are told so, and cannot.
#[tokio::test]
async fn what_one_role_approves_is_decided_on_by_that_role() {
    let house = House::under("wooden-hill").await;
    let mut head = house.person("helen", &[Role::Head]).await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let parent = "caroline.hill.churchpath@btinternet.com";
    house.hold("m1", "b.stubbs@saltmere.example", &[parent], "Harvest", "The harvest assembly is on Friday.").await;
    let page = sue.get("/held/m1").await.body;
    assert!(page.contains("This one is for the Headteacher to decide.") && !page.contains("id=\"decide\""), "{page}");
    let form = [("decision", "release"), ("reason", "fine"), ("class", "neither")];
    assert_eq!(sue.press("/account", "/held/m1/decide", &form).await.status, 403);
    assert_eq!(house.store.show(&QueueId("m1".to_owned())).await.unwrap().summary.state, Standing::Held);
    let page = head.get("/held/m1").await.body;
    assert!(page.contains("id=\"decide\"") && !page.contains("is for the Headteacher"), "{page}");
}
