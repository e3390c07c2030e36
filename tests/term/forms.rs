//! What a school writes, apart from ordinary mail: forms of messages, each with the habit of marking that goes with it.
//!
//! `{pupil}`, `{name}` (the forename in use), `{class}`, `{team}` (three pupils in full), `{list}` (twelve) and `{adult}` are
//! filled in for a relation; nothing else in a form changes from day to day.

/// How a message comes to its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// It needs none.
    Plain,
    /// Its writer puts Confidential into the subject in so many per cent.
    Confidential(u64),
    /// It is a private message: Personal in the subject in so many per cent.
    Personal(u64),
}

/// One form of message.
#[derive(Debug)]
pub struct Form {
    /// As the tables name it.
    pub name: &'static str,
    /// Subject.
    pub subject: &'static str,
    /// Bodies, one of which is sent.
    pub bodies: &'static [&'static str],
    pub habit: Habit,
    /// Of a hundred messages so many carry a photograph.
    pub pictures: u64,
}

const fn form(name: &'static str, subject: &'static str, habit: Habit, bodies: &'static [&'static str]) -> Form {
    Form { name, subject, bodies, habit, pictures: 0 }
}

/// Of messages that should be marked, so many per cent are when first sent. An assumption.
pub const MARKED: u64 = 85;

/// Likewise of private mail and Personal.
pub const MARKED_PRIVATE: u64 = 70;

pub const PROGRESS: Form = form(
    "progress, to a parent",
    "{name}'s week",
    Habit::Plain,
    &[
        "{pupil} has had a good week. The reading score was 104, above what we expected.",
        "{pupil} was late three times this week. Could we talk at the gate?",
        "{name} left a coat in the hall. It is on the peg outside {class}.",
    ],
);
pub const BEHAVIOUR: Form = form(
    "behaviour, to a parent",
    "Today",
    Habit::Plain,
    &[
        "{pupil} had a detention at lunch today for shouting in the corridor.",
        "{pupil} got three house points for kindness today.",
    ],
);
pub const HEALTH: Form = form(
    "health or SEND, to a parent",
    "Plan for {name}",
    Habit::Confidential(MARKED),
    &[
        "The new inhaler for {pupil} has come. The asthma plan is signed and with the office.",
        "Here are the targets that we agreed for {pupil}'s EHCP review.",
    ],
);
pub const ABSENCE: Form = form(
    "absence, to a parent",
    "Absence",
    Habit::Plain,
    &["{pupil} ({class}) was marked absent this morning and we have had no call. Please let us know why."],
);
pub const NOTICE: Form = form(
    "dates, to a parent",
    "Dates",
    Habit::Plain,
    &["Parents' evening is on Thursday from 4 to 6. Please choose a time.", "The library books are due on Friday."],
);
pub const APPLICANT: Form = form(
    "to an applicant",
    "Your application",
    Habit::Plain,
    &[
        "Thank you for your application. Please bring the form and two references when you come.",
        "We can offer you a visit on Tuesday at 10.",
        "The start date stands. Your induction pack is at the front office.",
    ],
);
pub const COLLECT: Form = form(
    "a pupil's name, to a carer not on the roster",
    "Collection",
    Habit::Plain,
    &["{pupil} will be at the side gate at 3.15 today.", "{pupil} is at the club until 4 today, please come then."],
);
pub const UNWELL: Form = form(
    "a pupil's day, to a carer not on the roster",
    "Today",
    Habit::Plain,
    &["{pupil} was sick at lunch and would like to be collected.", "{pupil} missed both lessons this morning."],
);
pub const AGENCY: Form = form(
    "SEND, to council or NHS",
    "Referral",
    Habit::Confidential(MARKED),
    &[
        "Please find below what we see of {pupil}: speech is hard to follow, and the hearing test is still to come.",
        "For the EHCP of {pupil}: the targets were met in part, see the notes of the educational psychologist.",
    ],
);
pub const WELFARE: Form = form(
    "safeguarding, to council or police",
    "Contact",
    Habit::Confidential(MARKED),
    &[
        "We are worried about {pupil} at home. The social worker should know before the child protection conference.",
        "{pupil} has been absent for three days; the child protection plan asks us to tell you.",
    ],
);
pub const THERAPIST: Form = form(
    "SEND, to a private therapist",
    "Session",
    Habit::Confidential(MARKED),
    &["Notes for the session with {pupil}: the autism assessment is done, sensory breaks help."],
);
pub const BOILER: Form = Form {
    name: "to a firm, with photographs",
    subject: "The works",
    bodies: &["Here is what we have. When can somebody come?", "Still leaking. Please see and quote."],
    habit: Habit::Plain,
    pictures: 40,
};
pub const PRESS: Form = Form {
    name: "photograph, to the newspaper",
    subject: "For the paper",
    bodies: &["From today's assembly, consent is given for all.", "The harvest table, for Thursday."],
    habit: Habit::Plain,
    pictures: 100,
};
pub const PAYROLL: Form = form(
    "to the payroll bureau",
    "Starter",
    Habit::Confidential(MARKED),
    &["New starter from Monday. National Insurance number AB 12 34 56 C, eight hours a week."],
);
pub const GOVERNOR: Form = form(
    "to a governor's own mailbox",
    "Governors",
    Habit::Plain,
    &[
        "The papers for the meeting are on the portal. We start at six.",
        "Could we move the visit to Wednesday? The policy on charging needs one more reading.",
        "Thank you for coming. The minutes follow.",
    ],
);
pub const TEAM: Form =
    form("a team, to a volunteer coach", "Team", Habit::Plain, &["For Saturday: {team}. Kick-off is at ten."]);
pub const POOL: Form = form(
    "a list of twelve, to the pool",
    "Confidential: swimmers",
    Habit::Plain,
    &["Swimmers for this week:\n\n{list}\n\nWe arrive at 1.15."],
);
pub const KITCHEN: Form = form(
    "allergies, to the caterer",
    "Meals",
    Habit::Confidential(MARKED),
    &["{pupil} must have no nuts: the allergy plan is unchanged."],
);
pub const DIET: Form = form(
    "meals, to the caterer",
    "Meals",
    Habit::Confidential(MARKED),
    &["{pupil} is vegetarian and has a packed lunch on Friday."],
);
pub const SUPPLY: Form = form(
    "cover, to a supply teacher",
    "Cover",
    Habit::Plain,
    &[
        "Could you cover Thursday and Friday? Lessons are planned and on the desk.",
        "The timetable for next week has changed: assembly is at nine.",
    ],
);
pub const LESSON: Form = form(
    "a pupil's lessons, to a visiting teacher",
    "Lesson",
    Habit::Plain,
    &["{pupil} passed grade 2 with 124 marks. Please start on the next book."],
);
pub const COMMITTEE: Form = form(
    "to the parents' committee, all in To",
    "Fair",
    Habit::Plain,
    &["The stalls are booked. We meet on Monday at seven.", "Who can bring tables? The tombola is sorted."],
);
pub const SCHOOL: Form = form(
    "a leaver's record, to another school",
    "Transfer",
    Habit::Confidential(MARKED),
    &["{pupil} starts with you on Monday. Attendance was 96 % and the reading score 101."],
);
pub const INTERPRETER: Form = form(
    "a pupil's name, to an interpreter",
    "Meeting",
    Habit::Plain,
    &["The meeting with the parents of {pupil} is at two on Tuesday. Please allow an hour."],
);
pub const PRIVATE: Form = form(
    "own private mail",
    "Lunch",
    Habit::Personal(MARKED_PRIVATE),
    &["Shopping: bread, tea, stamps. Train at ten past five.", "Dentist at four, home by six."],
);
pub const CHILD_PICTURE: Form = Form {
    name: "slip: a photograph of a child, to a firm",
    subject: "Photo",
    bodies: &["As on the phone."],
    habit: Habit::Plain,
    pictures: 100,
};
