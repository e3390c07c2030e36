//! Consent, parental responsibility, court orders, homes and leaving dates, as each format has them.

use std::fmt::Write as _;

use super::*;
use crate::people::PupilIndex;

/// Each pupil and guardian in one line, with what is recorded, and the faults.
fn told(name: &str, text: &str, earlier: Option<&Roster>) -> (String, Imported) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(name);
    std::fs::write(&file, text).unwrap();
    let imported = import(&[file], None, earlier).unwrap();
    let mut out = String::new();
    let ids = |of: &[PupilIndex]| {
        of.iter().map(|at| imported.roster.pupils[at.0 as usize].forename.clone()).collect::<Vec<_>>()
    };
    for p in &imported.roster.pupils {
        writeln!(out, "{} photo={:?} left={:?}", p.forename, p.photo_consent, p.left.map(|d| d.to_string())).unwrap();
    }
    for g in &imported.roster.guardians {
        let has: Vec<_> = g.responsibility.iter().map(|(at, has)| (ids(&[*at]).concat(), *has)).collect();
        writeln!(
            out,
            "{} email={:?} has={has:?} barred={:?} home={:?}",
            g.forename,
            g.email_consent,
            ids(&g.barred_from),
            [&g.address[..], &g.postcode].join("/")
        )
        .unwrap();
    }
    for fault in &imported.faults {
        writeln!(out, "fault {} {}", fault.row, fault.column).unwrap();
    }
    (out.replace('"', ""), imported)
}

fn check(what: &str, text: &str, want: &[&str]) {
    let (out, _) = told("list.csv", text, None);
    assert_eq!(out.lines().collect::<Vec<_>>(), want, "{what}");
}

#[test]
fn contacts_in_the_columns_of_one_row() {
    check(
        "two contacts beside the pupil",
        "UPN,Forename,Surname,Photo Consent,Leaving Date,Parent 1 Name,Parent 1 Email,Parent 1 Court Order,\
         Parent 1 Parental Responsibility,Parent 1 E-mail Consent,Parent 2 Name,Parent 2 Email,Parent 2 Court Order,\
         Parent 2 Address,Parent 2 Postcode\n\
         ,Mina,Lowe,Consent given,,Jo Lowe,jo@gmail.com,No,Yes,Y,Al Lowe,al@gmail.com,Yes,1 Far Row,SX1 1AA\n\
         ,Ben,Okafor,Refused,20/07/2026,Ada Okafor,ada@gmail.com,,,Opted out,,,,,\n\
         ,Zoe,Hart,Yes but not online,soon,Una Hart,una@gmail.com,See letter of 12 May,n,,,,,,\n",
        &[
            "Mina photo=Some(true) left=None",
            "Ben photo=Some(false) left=Some(2026-07-20)",
            "Zoe photo=None left=None",
            "Jo email=Some(true) has=[(Mina, true)] barred=[] home=/",
            "Al email=None has=[] barred=[Mina] home=1 Far Row/SX1 1AA",
            "Ada email=Some(false) has=[] barred=[] home=/",
            "Una email=None has=[(Zoe, false)] barred=[Zoe] home=/",
            "fault 4 Photo Consent (column D)",
            "fault 4 Leaving Date (column E)",
            "fault 4 Parent 1 Court Order (column H)",
        ],
    );
}

#[test]
fn headings_in_many_words() {
    for heading in [
        "Court Order",
        "Court Orders",
        "Contact Court Order",
        "No Contact",
        "No contact order",
        "Contact 1 No Contact",
        "Restraining order",
        "Prohibited Steps Order",
        "Non-Molestation Order",
        "Contact restrictions",
        "Parent 1 Barred",
        "Access Restricted",
        "Court order in place?",
    ] {
        check(
            heading,
            &format!(
                "UPN,Forename,Surname,Contact 1 Name,Contact 1 Email,{heading}\n,Mina,Lowe,Al Lowe,al@gmail.com,Yes\n"
            ),
            &["Mina photo=None left=None", "Al email=None has=[] barred=[Mina] home=/"],
        );
    }
    for heading in [
        "Photo consent",
        "Photograph Permission",
        "Consent to photographs",
        "Consent: Images",
        "Parental Consent - Photography",
        "Media Consent",
        "PhotoConsent",
        "Pupil Photo Consent",
        "Opt in - pictures",
    ] {
        for (cell, want) in [("Y", "Some(true)"), ("N", "Some(false)"), ("", "None")] {
            let text = format!("UPN,Forename,Surname,{heading}\n,Mina,Lowe,{cell}\n");
            check(heading, &text, &[&format!("Mina photo={want} left=None")]);
        }
    }
    for heading in ["Photo opt-out", "Opted out of photographs", "Photo consent refused", "No photographs"] {
        let text = format!("UPN,Forename,Surname,{heading}\n,Mina,Lowe,Yes\n");
        check(heading, &text, &["Mina photo=Some(false) left=None"]);
    }
    // Two uses, of which one is refused.
    check(
        "two uses",
        "UPN,Forename,Surname,Photo consent - display,Photo consent - website\n,Mina,Lowe,Yes,No\n",
        &["Mina photo=Some(false) left=None"],
    );
    for heading in ["Email Consent", "Consent to e-mail", "E-mail permission", "Parent 1 Email consent"] {
        check(
            heading,
            &format!("UPN,Forename,Surname,Parent 1 Name,{heading}\n,Mina,Lowe,Al Lowe,Refused\n"),
            &["Mina photo=None left=None", "Al email=Some(false) has=[] barred=[] home=/"],
        );
    }
    for heading in
        ["Photo", "Email no", "Contact order", "Immediate action", "Consent to school trips", "No of contacts"]
    {
        check(
            heading,
            &format!(
                "UPN,Forename,Surname,Parent 1 Name,Parent 1 Email,{heading}\n,Mina,Lowe,Al Lowe,al@gmail.com,1\n"
            ),
            &["Mina photo=None left=None", "Al email=None has=[] barred=[] home=/"],
        );
    }
}

#[test]
fn a_court_order_told_of_the_pupil_keeps_every_contact_of_the_row_away_and_is_named() {
    check(
        "two contacts",
        "UPN,Forename,Surname,Court Order,Parent 1 Name,Parent 2 Name\n,Mina,Lowe,Yes,Jo Lowe,Al Lowe\n,Ben,Okafor,No,Ada Okafor,\n",
        &[
            "Mina photo=None left=None",
            "Ben photo=None left=None",
            "Jo email=None has=[] barred=[Mina] home=/",
            "Al email=None has=[] barred=[Mina] home=/",
            "Ada email=None has=[] barred=[] home=/",
            "fault 2 Court Order (column D)",
        ],
    );
    check(
        "no contact",
        "UPN,Forename,Surname,Court Order\n,Mina,Lowe,Yes\n",
        &["Mina photo=None left=None", "fault 2 Court Order (column D)"],
    );
}

#[test]
fn siblings_share_a_guardian_who_is_kept_from_one_of_them() {
    check(
        "rows of siblings",
        "UPN,Forename,Surname,Parent 1 Name,Parent 1 Email,Parent 1 Court Order,Parent 1 Email consent\n\
         ,Mina,Lowe,Al Lowe,al@gmail.com,Yes,\n,Ben,Lowe,Al Lowe,al@gmail.com,No,No\n",
        &["Mina photo=None left=None", "Ben photo=None left=None", "Al email=Some(false) has=[] barred=[Mina] home=/"],
    );
}

#[test]
fn an_export_without_the_column_ends_no_court_order() {
    let with = "UPN,Adno,Forename,Surname,Parent 1 Name,Parent 1 Email,Parent 1 Court Order\n\
                ,1,Mina,Lowe,Al Lowe,al@gmail.com,Yes\n,2,Ben,Okafor,Ada Okafor,ada@gmail.com,\n";
    let (_, first) = told("a.csv", with, None);
    let without = "UPN,Adno,Forename,Surname,Parent 1 Name,Parent 1 Email\n\
                   ,2,Ben,Okafor,Ada Okafor,ada@gmail.com\n,1,Mina,Lowe,Al Lowe,al.lowe@sky.com\n";
    let (out, second) = told("b.csv", without, Some(&first.roster));
    assert!(out.contains("Al email=None has=[] barred=[Mina]"), "{out}");
    assert!(out.contains("Ada email=None has=[] barred=[]"), "{out}");
    assert_eq!(second.kept, ["court orders"]);
    // A source that has the column and says no ends it.
    let (out, third) = told("c.csv", &with.replace("Yes", "No"), Some(&second.roster));
    assert!(out.contains("Al email=None has=[] barred=[]"), "{out}");
    assert!(third.kept.is_empty());
    // A list of pupils alone leaves the guardians as they are.
    let (out, fourth) = told("d.csv", "Adno,Forename,Surname\n2,Ben,Okafor\n1,Mina,Lowe\n", Some(&second.roster));
    assert!(out.contains("Al email=None has=[] barred=[Mina]"), "{out}");
    assert_eq!(fourth.kept, ["guardians"]);
}

#[test]
fn our_own_lists_name_pupils_by_their_ids() {
    let dir = tempfile::tempdir().unwrap();
    let (pupils, guardians) = (dir.path().join("p.csv"), dir.path().join("g.csv"));
    std::fs::write(
        &pupils,
        "id,forename,surname,photo_consent,leaving_date\nP1,Mina,Lowe,yes,\nP2,Ben,Lowe,maybe,2025-07-18\n",
    )
    .unwrap();
    std::fs::write(
        &guardians,
        "id,forename,surname,pupil_ids,barred_from,parental_responsibility,email_consent,court_order,address\n\
         G1,Al,Lowe,P1;P2,P2,P1,no,,\nG2,Jo,Lowe,P1;P2,no,yes,,,1 Far Row\nG3,Cy,Lowe,P1;P2,P9,,,,\nG4,Di,Lowe,P1,,no,,Y,\n",
    )
    .unwrap();
    let (mina, ben) = (PupilIndex(0), PupilIndex(1));
    let loaded = super::super::load(&super::super::Sources {
        pupils: super::super::PupilSource::File(&pupils),
        guardians: Some(&guardians),
        staff: None,
        correspondents: None,
        name: "",
        domains: &[],
        telephone: "",
        bank_accounts: &[],
    })
    .unwrap();
    let imported = import(&[pupils, guardians], None, None).unwrap();
    for (what, pupils, guardians) in [
        ("loaded", &loaded.school.pupils, &loaded.school.guardians),
        ("imported", &imported.roster.pupils, &imported.roster.guardians),
    ] {
        let consents: Vec<_> = pupils.iter().map(|p| (p.photo_consent, p.left.map(|d| d.to_string()))).collect();
        assert_eq!(consents, [(Some(true), None), (None, Some("2025-07-18".to_owned()))], "{what}");
        let told: Vec<_> =
            guardians.iter().map(|g| (g.barred_from.clone(), g.responsibility.clone(), g.email_consent)).collect();
        assert_eq!(
            told,
            [
                (vec![ben], vec![(mina, true), (ben, false)], Some(false)),
                (vec![], vec![(mina, true), (ben, true)], None),
                (vec![mina, ben], vec![], None),
                (vec![mina], vec![(mina, false)], None),
            ],
            "{what}"
        );
        assert_eq!(guardians[1].address, "1 Far Row", "{what}");
    }
    let places: Vec<_> = loaded.faults.iter().map(|f| (f.row, f.column.as_ref())).collect();
    assert_eq!(places, [(3, "photo_consent"), (4, "barred_from")]);
    assert_eq!(imported.faults.len(), 2, "{:?}", imported.faults);
}

#[test]
fn an_older_sealed_roster_still_opens() {
    let old = r#"{"pupils":[{"id":"P1","forename":"Mina","surname":"Lowe"}],
                  "guardians":[{"id":"G1","surname":"Lowe","pupils":[0]}],"staff":[]}"#;
    let roster: Roster = serde_json::from_str(old).unwrap();
    assert_eq!((roster.pupils[0].photo_consent, roster.guardians[0].barred_from.len()), (None, 0));
}

#[test]
fn oneroster_metadata_and_the_responsibility_of_a_ctf() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("users.csv"),
        "sourcedId,role,givenName,familyName,agentSourcedIds,grades,email,metadata.photoConsent,metadata.xy.courtOrder,\
         metadata.parentalResponsibility,metadata.emailConsent,metadata.leavingDate,metadata.lunch\n\
         1,student,Mina,Lowe,\"2,3\",4,,No,,,,2026-07-20,Yes\n2,parent,Jo,Lowe,,,jo@gmail.com,,,true,No,,Yes\n\
         3,parent,Al,Lowe,,,al@gmail.com,,order of 3 May,false,,,\n",
    )
    .unwrap();
    let imported = import(&[dir.path().to_owned()], None, None).unwrap();
    let pupil = &imported.roster.pupils[0];
    assert_eq!((pupil.photo_consent, pupil.left.map(|d| d.to_string()).as_deref()), (Some(false), Some("2026-07-20")));
    let mina = PupilIndex(0);
    let told: Vec<_> = imported
        .roster
        .guardians
        .iter()
        .map(|g| (g.barred_from.clone(), g.responsibility.clone(), g.email_consent))
        .collect();
    assert_eq!(told, [(vec![], vec![(mina, true)], Some(false)), (vec![mina], vec![(mina, false)], None)]);
    let faults: Vec<_> = imported.faults.iter().map(|f| (f.row, f.column.as_ref())).collect();
    assert_eq!(faults, [(4, "metadata.xy.courtOrder")]);

    // Told of the pupil it names nobody: every contact of that pupil is kept away, and of no other.
    std::fs::write(
        dir.path().join("users.csv"),
        "sourcedId,role,givenName,familyName,agentSourcedIds,grades,metadata.courtOrder\n1,student,Mina,Lowe,\"3,4\",4,Yes\n\
         2,student,Ben,Lowe,3,5,No\n3,parent,Jo,Lowe,,,\n4,parent,Al,Lowe,,,\n",
    )
    .unwrap();
    let imported = import(&[dir.path().to_owned()], None, None).unwrap();
    let kept: Vec<_> = imported.roster.guardians.iter().map(|guardian| guardian.barred_from.clone()).collect();
    assert_eq!(kept, [vec![PupilIndex(0)], vec![PupilIndex(0)]]);
    let faults: Vec<_> = imported.faults.iter().map(|f| (f.row, f.column.as_ref())).collect();
    assert_eq!(faults, [(2, "metadata.courtOrder")]);

    let ctf = dir.path().join("8201234_CTF_8205678_001.xml");
    let contact = |name: &str, inner: &str| {
        format!("<Contact><Surname>Lowe</Surname><Forename>{name}</Forename>{inner}</Contact>")
    };
    let contacts = [
        contact("Jo", "<Responsibility>true</Responsibility><Address><AddressAsPupil>true</AddressAsPupil></Address>"),
        contact(
            "Al",
            "<Responsibility>false</Responsibility><Address><Line1>1 Far Row</Line1><PostCode>SX1 1AA</PostCode></Address>",
        ),
        contact("Cy", "<Responsibility>see file</Responsibility>"),
    ];
    std::fs::write(
        &ctf,
        format!(
            "<CTfile><CTFpupilData><Pupil><UPN>A801200005001</UPN><Surname>Lowe</Surname><Forename>Mina</Forename>\
             <BasicDetails><NCyearActual>4</NCyearActual></BasicDetails>\
             <Address><Line1>9 Near Row</Line1><PostCode>SX2 2AA</PostCode></Address><Contacts>{}</Contacts>\
             </Pupil></CTFpupilData></CTfile>",
            contacts.concat()
        ),
    )
    .unwrap();
    let imported = import(&[ctf], None, None).unwrap();
    let told: Vec<_> = imported
        .roster
        .guardians
        .iter()
        .map(|g| (g.forename.as_str(), g.responsibility.clone(), g.address.as_str(), g.postcode.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("Jo", vec![(mina, true)], "9 Near Row", "SX2 2AA"),
            ("Al", vec![(mina, false)], "1 Far Row", "SX1 1AA"),
            ("Cy", vec![], "", ""),
        ]
    );
    assert_eq!(
        imported.faults.iter().map(|f| f.column.as_ref()).collect::<Vec<_>>(),
        ["UPN", "Contacts/Contact/Responsibility"]
    );
}
