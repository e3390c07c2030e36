//! Six kinds of rosters and every written form of a name.

mod schools;
mod support;

use std::collections::BTreeSet;

use schools::{Kind, school};
use support::Seeded;

/// In 1,000 pupils those who share forename and surname with another: a real school has few.
const NAMESAKES: usize = 60;

#[test]
fn rosters_are_what_their_kind_says() {
    let mut rng = Seeded::fixed(20_261_130);
    for (kind, wanted) in Kind::ALL.into_iter().zip([1300, 210, 400, 900, 300, 90]) {
        let school = school(kind, &mut rng);
        let pupils = &school.pupils;
        let surnames: BTreeSet<_> = pupils.iter().map(|pupil| &pupil.surname).collect();
        let names: BTreeSet<_> = pupils.iter().map(|pupil| (&pupil.forename, &pupil.surname)).collect();
        let numbers: BTreeSet<_> = pupils.iter().filter_map(|pupil| pupil.upn.as_deref()).collect();
        println!("{}: {} surnames, {} full names of {}", kind.name(), surnames.len(), names.len(), pupils.len());
        assert_eq!(pupils.len(), wanted);
        assert_eq!(numbers.len(), wanted, "every pupil has a number of their own");
        assert!(numbers.iter().all(|number| schoolgate::text::checks::upn(number)), "with its check letter");
        assert!((pupils.len() - names.len()) * 1000 <= NAMESAKES * pupils.len(), "namesakes are few");
        assert!(surnames.len() * 10 < pupils.len() * 9, "families have brothers and sisters");
        assert!(names.iter().all(
            |(forename, surname)| !format!("{forename}{surname}").contains([',', '=', '[']) && !surname.is_empty()
        ));
        assert!(
            school.guardians.iter().any(|guardian| !surnames.contains(&guardian.surname)),
            "parents of another surname"
        );
        assert!(school.staff.iter().any(|person| surnames.contains(&person.surname)), "staff of a pupil's surname");
    }
}
