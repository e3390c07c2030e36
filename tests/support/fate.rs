//! What became of labelled messages: delivered byte for byte, returned, held or refused, as their labels say.

use schoolgate::message::footer::with_footers;
use schoolgate::policy::RulePack;

use super::{Case, Gateway, PATIENCE, Sink, Taken, header, id_of, is_notice_about, relayed};

/// Sends every case through the gateway; says of each that met another fate than its label names what went wrong.
pub fn wrong_fates(gateway: &Gateway, sink: &Sink, cases: &[Case]) -> Vec<String> {
    let mut replies = Vec::new();
    for case in cases {
        let reply = gateway.client().send(&case.mail_from, &case.rcpt, &case.message());
        replies.push(reply.unwrap_or_else(|e| panic!("{}: {e}\n{}", case.id, gateway.log())));
    }
    let expected: usize = cases
        .iter()
        .map(|case| match case.action.as_str() {
            "deliver" | "warn" => 1,
            "hold" => 2,
            _ => 0,
        })
        .sum();
    // Wrong fates are told one by one below; here only the time is given to arrive.
    let until = std::time::Instant::now() + PATIENCE;
    while sink.taken().len() < expected && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let taken = sink.settled();
    let mut wrong = Vec::new();
    for (case, reply) in cases.iter().zip(&replies) {
        let fits = |action: &str| fate(case, action, reply.code, &taken);
        let outcomes: Vec<_> = std::iter::once(&case.action).chain(&case.accept).map(|a| fits(a)).collect();
        if let Some(Err(problem)) = outcomes.first()
            && outcomes.iter().all(Result::is_err)
        {
            wrong.push(format!("{} ({}, wants {} by {:?}): {problem}", case.id, case.file, case.action, case.rules));
        }
        if reply.code == 250 {
            id_of(reply);
        }
    }
    wrong
}

/// The message as it may arrive: as it was sent, or with the words that the school's pack puts below it.
fn worded(case: &Case, message: &[u8]) -> Vec<Vec<u8>> {
    let pack = case.folder.strip_prefix("schools/").and_then(|name| RulePack::embedded(name).ok());
    let footers = pack.iter().flat_map(|pack| &pack.rules).filter_map(|rule| rule.duty.footer.clone());
    let own = [case.mail_from.rsplit('@').next().unwrap_or_default().to_owned()];
    let with = footers.map(|footer| with_footers(message, &[footer], &own).content);
    std::iter::once(message.to_vec()).chain(with).collect()
}

/// Whether the message met this fate.
fn fate(case: &Case, action: &str, code: u16, taken: &[Taken]) -> Result<(), String> {
    let message = case.message();
    let message_id = header(&message, "Message-ID").ok_or("it has no Message-ID")?;
    let copies: Vec<_> =
        taken.iter().filter(|t| header(&t.content, "Message-ID").as_deref() == Some(&message_id)).collect();
    let notices: Vec<_> = taken.iter().filter(|t| is_notice_about(t, &message_id)).collect();
    let to_sender = |n: &&&Taken| n.recipients == [case.mail_from.clone()];
    let wanted_code = if action == "reject" { 550 } else { 250 };
    if code != wanted_code {
        return Err(format!("answered {code}"));
    }
    if action == "deliver" {
        let mut reached: Vec<_> = copies.iter().flat_map(|t| &t.recipients).cloned().collect();
        let mut recipients = case.rcpt.clone();
        reached.sort();
        recipients.sort();
        if reached != recipients {
            return Err(format!("reached {reached:?}; notices: {}", subjects(&notices)));
        }
        if copies.iter().any(|t| t.from != case.mail_from) {
            return Err("the envelope sender changed".to_owned());
        }
        let as_sent = worded(case, &message);
        if copies.iter().any(|t| !as_sent.iter().any(|sent| relayed(&t.content) == Some(&sent[..]))) {
            return Err("it is not byte for byte what was sent".to_owned());
        }
        return if notices.is_empty() { Ok(()) } else { Err(format!("notices: {}", subjects(&notices))) };
    }
    if !copies.is_empty() {
        return Err("it was delivered".to_owned());
    }
    if action == "reject" {
        return if notices.is_empty() { Ok(()) } else { Err("refused, and a notice besides".to_owned()) };
    }
    let words = if action == "hold" { "HELD, NOT SENT: " } else { "NOT SENT: " };
    let told: Vec<_> = notices.iter().filter(to_sender).collect();
    let [notice] = told[..] else { return Err(format!("{} notices to its sender", told.len())) };
    if !header(&notice.content, "Subject").is_some_and(|subject| subject.starts_with(words)) {
        return Err(format!("the notice says {}", subjects(&[notice])));
    }
    let text = String::from_utf8_lossy(&notice.content).replace("=\r\n", "");
    if let Some(rule) = case.rules.iter().find(|rule| !text.contains(*rule)) {
        return Err(format!("the notice does not name {rule}"));
    }
    let reviewers: Vec<_> = notices.iter().filter(|n| !to_sender(n)).collect();
    match (action, reviewers.len()) {
        ("hold", 1) | ("warn", 0) => {}
        (_, number) => return Err(format!("{number} notices to reviewers")),
    }
    if reviewers.iter().any(|n| n.recipients.contains(&case.mail_from)) {
        return Err("its sender was told as a reviewer".to_owned());
    }
    Ok(())
}

fn subjects(notices: &[&Taken]) -> String {
    notices.iter().filter_map(|n| header(&n.content, "Subject")).collect::<Vec<_>>().join(" / ")
}
