//! Who writes to whom, how often: the working relations of a school, made from its roster and staff directory.
//!
//! A relation is stable: the same person writes to the same recipient about the same pupil for the whole term. Rates are
//! assumptions, chosen so that a school of a hundred pupils sends some thirty messages a day outside, and one of four hundred some ninety.

use schoolgate::inspect::Ground;
use schoolgate::people::{PupilIndex, School, Staff};

use super::forms::{self, Form};
use crate::support::Seeded;

/// One working relation.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Mailbox of the sender.
    pub sender: String,
    /// As From shows it.
    pub from: String,
    pub to: Vec<String>,
    /// Places in the roster; the first is the one it is about.
    pub pupils: Vec<usize>,
    /// What is written, each with its weight; nothing for ordinary mail from the grammar.
    pub forms: Vec<(&'static Form, u64)>,
    /// Messages in a thousand school days.
    pub rate: u64,
}

/// The made-up mailboxes of people who are on no list.
const FIRST: &[&str] = &["nan", "pat", "lou", "val", "jan", "mo", "viv", "terri", "kit", "gus", "bernie", "dot"];
const HOSTS: &[&str] = &["gmail.com", "outlook.com", "btinternet.com", "hotmail.co.uk"];

/// Firms that are on no list of the school.
const FIRMS: &[&str] = &[
    "office@brackenroofing.example",
    "service@calderlifts.example",
    "jobs@dalefencing.example",
    "hello@eskpaper.example",
];

pub fn pupil_name(school: &School, index: usize) -> String {
    let pupil = &school.pupils[index];
    format!("{} {}", pupil.forename, pupil.surname)
}

/// Makes the relations of one school.
pub fn relations(ground: &Ground, rng: &mut Seeded) -> Vec<Relation> {
    let mut made = Making { school: &ground.school, relations: Vec::new(), strangers: 0 };
    made.parents();
    made.office(rng);
    made.agencies(rng);
    made.firms(rng);
    made.other_people(rng);
    made.relations
}

struct Making<'a> {
    school: &'a School,
    relations: Vec<Relation>,
    strangers: usize,
}

impl<'a> Making<'a> {
    /// Those whose role holds one of these words.
    fn staff(&self, words: &[&str]) -> Vec<&'a Staff> {
        let of = |staff: &&Staff| words.iter().any(|word| staff.role.to_lowercase().contains(word));
        self.school.staff.iter().filter(of).collect()
    }

    /// The first whose role holds the first of these words that any holds.
    fn one(&self, words: &[&str]) -> &'a Staff {
        let found = words.iter().find_map(|word| self.staff(&[word]).into_iter().next());
        found.unwrap_or_else(|| panic!("nobody is {words:?}"))
    }

    fn add(&mut self, by: &Staff, to: Vec<String>, pupils: &[usize], forms: &[(&'static Form, u64)], rate: u64) {
        self.relations.push(Relation {
            sender: by.email.clone(),
            from: format!("{} {} {} <{}>", by.title, by.forename, by.surname, by.email),
            to,
            pupils: pupils.to_vec(),
            forms: forms.to_vec(),
            rate,
        });
    }

    fn stranger(&mut self) -> String {
        let n = self.strangers;
        self.strangers += 1;
        format!("{}.{}.{n}@{}", FIRST[n % FIRST.len()], ["orchard", "mill", "lea"][n % 3], HOSTS[n % HOSTS.len()])
    }

    /// Mailboxes of this pupil's guardians.
    fn guardians(&self, pupil: usize) -> Vec<String> {
        let index = PupilIndex(u32::try_from(pupil).expect("a small roster"));
        let own = self.school.guardians.iter().filter(|g| g.pupils.contains(&index));
        own.filter_map(|g| g.email.clone()).collect()
    }

    /// An address at each listed correspondent, trusted or not, whose name or pattern holds one of these words.
    fn listed(&self, trusted: bool, words: &[&str]) -> Vec<String> {
        let of = self.school.correspondents.iter().filter(|c| c.trusted == trusted);
        let named = of.filter(|c| {
            let text = format!("{} {}", c.pattern, c.name).to_lowercase();
            words.is_empty() || words.iter().any(|word| text.contains(word))
        });
        named
            .map(|c| match (c.pattern.contains('@'), c.pattern.strip_prefix("*.")) {
                (true, _) => c.pattern.clone(),
                (false, Some(suffix)) => format!("team@childrens.{suffix}"),
                (false, None) => format!("team@{}", c.pattern),
            })
            .collect()
    }

    /// So many different pupils.
    fn some(&self, rng: &mut Seeded, many: usize) -> Vec<usize> {
        let mut left: Vec<usize> = (0..self.school.pupils.len()).collect();
        (0..many.min(left.len())).map(|_| left.swap_remove(rng.below(left.len() as u64) as usize)).collect()
    }

    /// Pupils per hundred, at least one.
    fn share(&self, rng: &mut Seeded, in_a_hundred: usize) -> Vec<usize> {
        self.some(rng, (self.school.pupils.len() * in_a_hundred).div_ceil(100))
    }

    /// Each class has its teacher, who writes to each pupil's first guardian once in fifteen days.
    fn parents(&mut self) {
        let teachers = self.staff(&["teacher (", "teacher of", "head of year", "head of sixth"]);
        let mut classes: Vec<&str> = self.school.pupils.iter().map(|p| p.form.as_str()).collect();
        classes.sort_unstable();
        classes.dedup();
        for (n, class) in classes.into_iter().enumerate() {
            let own = teachers.iter().find(|t| t.role.contains(&format!("({class})")));
            let teacher = own.unwrap_or(&teachers[n % teachers.len()]);
            for pupil in 0..self.school.pupils.len() {
                let Some(to) = self.guardians(pupil).into_iter().next() else { continue };
                if self.school.pupils[pupil].form == class {
                    let forms = [(&forms::PROGRESS, 4), (&forms::BEHAVIOUR, 2), (&forms::NOTICE, 3)];
                    self.add(teacher, vec![to], &[pupil], &forms, 66);
                }
            }
        }
    }

    /// The office: absences, applicants, carers who are not on the roster, leavers.
    fn office(&mut self, rng: &mut Seeded) {
        let office = self.one(&["attendance", "office manager"]);
        let desk = self.one(&["receptionist", "office manager"]);
        for pupil in 0..self.school.pupils.len() {
            if let Some(to) = self.guardians(pupil).into_iter().next() {
                self.add(office, vec![to], &[pupil], &[(&forms::ABSENCE, 1)], 16);
            }
        }
        for _ in 0..6 {
            let to = self.stranger();
            self.add(desk, vec![to], &[], &[(&forms::APPLICANT, 1)], 100);
        }
        for pupil in self.share(rng, 3) {
            let to = self.stranger();
            self.add(desk, vec![to], &[pupil], &[(&forms::COLLECT, 5), (&forms::UNWELL, 1)], 130);
        }
        for (pupil, to) in
            self.some(rng, 4).into_iter().zip(self.listed(true, &["school", "academy", "college"]).into_iter().cycle())
        {
            self.add(desk, vec![to], &[pupil], &[(&forms::SCHOOL, 1)], 50);
        }
    }

    /// Special needs and safeguarding.
    fn agencies(&mut self, rng: &mut Seeded) {
        let (senco, dsl) = (self.one(&["senco"]), self.one(&["dsl"]));
        let agencies = self.listed(true, &["council", "nhs"]);
        let police = self.listed(true, &["council", "police"]);
        for (n, pupil) in self.share(rng, 12).into_iter().enumerate() {
            self.add(senco, vec![agencies[n % agencies.len()].clone()], &[pupil], &[(&forms::AGENCY, 1)], 50);
            if let Some(to) = self.guardians(pupil).into_iter().next() {
                self.add(senco, vec![to], &[pupil], &[(&forms::HEALTH, 1)], 50);
            }
        }
        for (n, pupil) in self.share(rng, 4).into_iter().enumerate() {
            self.add(dsl, vec![police[n % police.len()].clone()], &[pupil], &[(&forms::WELFARE, 1)], 100);
        }
        for (n, pupil) in self.share(rng, 1).into_iter().chain(self.some(rng, 2)).enumerate() {
            let to = ["clinic@speechbeck.example", "rooms@moortherapy.example"][n % 2].to_owned();
            self.add(senco, vec![to], &[pupil], &[(&forms::THERAPIST, 1)], 100);
        }
        let to = vec!["desk@linguabeck.example".to_owned()];
        let pupil = self.some(rng, 1);
        self.add(senco, to, &pupil, &[(&forms::INTERPRETER, 1)], 60);
    }

    /// Firms: works with photographs, meals, payroll, the newspaper, the pool; and ordinary mail from everybody.
    fn firms(&mut self, rng: &mut Seeded) {
        let site = self.one(&["site manager"]);
        let contacts = self.listed(false, &[]);
        let firms: Vec<String> =
            contacts.iter().take(2).cloned().chain(FIRMS.iter().map(|f| (*f).to_owned())).collect();
        for firm in &firms {
            self.add(site, vec![firm.clone()], &[], &[(&forms::BOILER, 1)], 300);
        }
        let (office, head) = (self.one(&["receptionist", "office assistant"]), self.one(&["headteacher"]));
        let finance = self.one(&["finance"]);
        let bureau = self.listed(false, &["payroll"]).pop().unwrap_or_else(|| "bureau@beckpay.example".to_owned());
        self.add(finance, vec![bureau], &[], &[(&forms::PAYROLL, 1)], 60);
        self.add(head, vec!["news@beckgazette.example".to_owned()], &[], &[(&forms::PRESS, 1)], 70);
        let kitchen: Vec<_> = self.listed(false, &["cater", "kitchen"]).into_iter().take(1).collect();
        for pupil in self.some(rng, 5) {
            self.add(office, kitchen.clone(), &[pupil], &[(&forms::KITCHEN, 1), (&forms::DIET, 2)], 70);
        }
        let coach = self.one(&["pe coach", "teacher of pe"]);
        let swimmers = self.some(rng, 12);
        self.add(coach, vec!["bookings@beckpool.example".to_owned()], &swimmers, &[(&forms::POOL, 1)], 200);
        for (n, staff) in self.school.staff.iter().enumerate() {
            for firm in [&contacts[n % contacts.len()], &firms[n % firms.len()]] {
                self.add(staff, vec![firm.clone()], &[], &[], 250);
            }
        }
    }

    /// Governors, coaches, supply teachers, the parents' committee, and the staff's own mailboxes.
    fn other_people(&mut self, rng: &mut Seeded) {
        let (head, cover) = (self.one(&["headteacher"]), self.one(&["cover", "deputy"]));
        for _ in 0..6 {
            let to = self.stranger();
            self.add(head, vec![to], &[], &[(&forms::GOVERNOR, 1)], 100);
        }
        let coach = self.one(&["pe coach", "teacher of pe"]);
        for _ in 0..2 {
            let (to, squad) = (self.stranger(), self.some(rng, 7));
            self.add(coach, vec![to], &squad, &[(&forms::TEAM, 1)], 200);
        }
        for _ in 0..3 {
            let (to, pupil) = (self.stranger(), self.some(rng, 1));
            self.add(cover, vec![to], &pupil, &[(&forms::SUPPLY, 6), (&forms::LESSON, 1)], 150);
        }
        let parents = self.some(rng, 6).into_iter().filter_map(|p| self.guardians(p).into_iter().next());
        let mut parents: Vec<String> = parents.collect();
        parents.sort();
        parents.dedup();
        parents.push(self.stranger());
        self.add(self.one(&["breakfast club", "pastoral"]), parents, &[], &[(&forms::COMMITTEE, 1)], 200);
        for staff in &self.school.staff {
            if let Some(private) = staff.private_email.clone() {
                self.add(staff, vec![private], &[], &[(&forms::PRIVATE, 1)], 50);
            }
        }
    }
}
