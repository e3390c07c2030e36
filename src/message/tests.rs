use super::*;

fn mail(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

const NESTED: &str = "From: A <a@school.example>\nTo: b@c.example, D <d@e.example>\nSubject: Trip\nReceived: x\nReceived: y\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"o\"\n\nThis is a multi-part message in MIME format.\n--o\nContent-Type: multipart/alternative; boundary=\"oi\"\n\n--oi\nContent-Type: text/plain; charset=utf-8\n\nplain\n--oi\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n<p>ht=6Dl</p>\n--oi--\n\n--o\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogSW5uZXINCkZyb206IHhAeQ0KDQppbm5lciBib2R5DQo=\n--o\nContent-Type: application/octet-stream; name=\"a.bin\"\nContent-Disposition: attachment; filename=\"../b.bin\"\nContent-Transfer-Encoding: base64\n\nAAEC\n--o--\n";

#[test]
fn a_tree_with_a_message_inside() {
    let raw = mail(NESTED);
    let message = read(&raw);
    assert_eq!(message.faults, Vec::<String>::new());
    let kinds: Vec<_> = message.parts.iter().map(|p| (p.kind, p.content_type.as_str(), p.parent)).collect();
    assert_eq!(
        kinds,
        [
            (PartKind::Multipart, "multipart/mixed", None),
            (PartKind::Multipart, "multipart/alternative", Some(0)),
            (PartKind::Text, "text/plain", Some(1)),
            (PartKind::Text, "text/html", Some(1)),
            (PartKind::Message, "message/rfc822", Some(0)),
            (PartKind::Text, "text/plain", Some(4)),
            (PartKind::Attachment, "application/octet-stream", Some(0)),
        ]
    );
    assert_eq!(message.parts[3].body.trim_ascii(), b"<p>html</p>");
    assert_eq!(message.parts[5].header("subject").map(|h| h.value.as_str()), Some("Inner"));
    assert_eq!(message.parts[5].body.trim_ascii(), b"inner body");
    assert_eq!(message.parts[6].names, ["b.bin", "a.bin"]);
    assert_eq!(message.parts[6].body, [0, 1, 2]);
    assert_eq!(message.to_addresses().len(), 2);
    assert_eq!(message.received_count(), 2);
    assert_eq!(message.subject(), "Trip");
    assert_eq!(message.outside, ["This is a multi-part message in MIME format."]);
}

#[test]
fn the_same_with_bare_line_feeds() {
    let message = read(NESTED.as_bytes());
    assert_eq!(message.faults, Vec::<String>::new());
    assert_eq!(message.parts.len(), 7);
}

#[test]
fn ordinary_oddities_are_no_fault() {
    for text in [
        "Subject: no MIME version\nContent-Type: text/plain\n\nhello\n",
        "Subject: eight bit\n\nZo\u{eb}\n",
        "Subject: 7BIT \nContent-Transfer-Encoding: 7BIT \nContent-Type: text/plain; charset=\"us-ascii\"; format=flowed\n\nx\n",
        "Subject: no body\n\n",
        "Subject: slip\nContent-Transfer-Encoding: 8-bit\n\nx\n",
        "Content-Type: text/plain\nContent-Type: text/plain\n\nthe same twice\n",
        "Content-Type: multipart/mixed;\n\tboundary=\"_004_AB_\"\n\n--_004_AB_\nContent-Type: text/plain\n\nx\n--_004_AB_--\n",
    ] {
        assert_eq!(read(&mail(text)).faults, Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_can_hide_content_is_a_fault() {
    let part = "Content-Type: text/plain\n\nx\n";
    for text in [
        "Content-Type: text/plain\nContent-Type: text/html\n\nx\n".to_owned(),
        "Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: quoted-printable\n\nQW15\n".to_owned(),
        "Subject: a\nSubject: b\n\nx\n".to_owned(),
        "From: a@b\nFrom: c@d\n\nx\n".to_owned(),
        format!("Content-Type: multipart/mixed; boundary=X; boundary=Y\n\n--X\n{part}--X--\n--Y\n{part}--Y--\n"),
        format!("Content-Type: multipart/mixed; boundary=X\n\n--X\n{part}"),
        format!("Content-Type: multipart/mixed; boundary*=utf-8''X\n\n--X\n{part}--X--\n"),
        format!("Content-Type: multipart/mixed; boundary=X\n\n{part}--X\n{part}--X--\n"),
        format!("Content-Type: multipart/mixed; boundary=X\n\n--X\n{part}--X--\n{part}"),
        format!("Content-Type: multipart/mixed\n\n--X\n{part}--X--\n"),
        format!("Content-Type: multipart/mixed; boundary=X\nContent-Transfer-Encoding: base64\n\n--X\n{part}--X--\n"),
        "Content-Transfer-Encoding: base645\n\nQW15\n".to_owned(),
        "Content-Transfer-Encoding: x-uuencode\n\nQW15\n".to_owned(),
        "Content-Transfer-Encoding: base64\n\nQW#15\n".to_owned(),
        "Content-Transfer-Encoding: base64\n\nQW==15QW\n".to_owned(),
        "Content-Type: message/partial; id=a; number=1; total=3\n\nx\n".to_owned(),
        "Content-Type: message/external-body; access-type=URL; URL=\"http://x\"\n\nx\n".to_owned(),
    ] {
        assert!(!read(&mail(&text)).faults.is_empty(), "{text}");
    }
}

#[test]
fn messages_in_messages_end_at_the_limit() {
    let mut text = "Subject: innermost\n\nx\n".to_owned();
    for _ in 0..limits::EXTRACT_DEPTH + 3 {
        text = format!("Content-Type: message/rfc822\n\n{text}");
    }
    assert!(read(&mail(&text)).faults.iter().any(|f| f.contains("deeper")));
}

#[test]
fn no_bytes_make_it_panic() {
    let raw = mail(NESTED);
    let seed = 0x5eed_u64;
    println!("seed {seed}");
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize
    };
    for _ in 0..2000 {
        let mut bytes = raw.clone();
        for _ in 0..1 + next() % 6 {
            let at = next() % bytes.len();
            match next() % 3 {
                0 => bytes[at] = (next() % 256) as u8,
                1 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, b"\r\n-=?\"(;"[next() % 8]),
            }
        }
        let message = read(&bytes);
        assert!(!message.parts.is_empty());
        message.from_addresses();
        message.to_addresses();
    }
    assert_eq!(read(b"").parts.len(), 1);
}
