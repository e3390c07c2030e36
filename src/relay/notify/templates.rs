//! The templates: built in, replaceable file by file, all tried before the first message comes.

use std::path::{Path, PathBuf};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::Offered;
use crate::relay::log::{Event, event};

pub const AUTO_REPLIED: &str = "auto-replied";
pub const AUTO_GENERATED: &str = "auto-generated";

/// Which notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Returned,
    Held,
    Review,
    ReturnedByReviewer,
    Discarded,
    Released,
    ReleasedInPart,
    ReturnedUndecided,
    Answered,
    Digest,
    Reminder,
    Escalated,
    IncidentReported,
    ReportReceived,
    IncidentReminder,
    Waits,
}

impl Kind {
    pub const ALL: [Self; 16] = [
        Self::Returned,
        Self::Held,
        Self::Review,
        Self::ReturnedByReviewer,
        Self::Discarded,
        Self::Released,
        Self::ReleasedInPart,
        Self::ReturnedUndecided,
        Self::Answered,
        Self::Digest,
        Self::Reminder,
        Self::Escalated,
        Self::IncidentReported,
        Self::ReportReceived,
        Self::IncidentReminder,
        Self::Waits,
    ];

    /// The name of its template files, without the ending.
    pub fn name(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::Held => "held",
            Self::Review => "review",
            Self::ReturnedByReviewer => "returned-by-reviewer",
            Self::Discarded => "discarded",
            Self::Released => "released",
            Self::ReleasedInPart => "released-in-part",
            Self::ReturnedUndecided => "returned-undecided",
            Self::Answered => "answered",
            Self::Digest => "digest",
            Self::Reminder => "reminder",
            Self::Escalated => "escalated",
            Self::IncidentReported => "incident-reported",
            Self::ReportReceived => "report-received",
            Self::IncidentReminder => "incident-reminder",
            Self::Waits => "waits",
        }
    }

    /// An answer to the sender's message, or news to somebody else.
    pub fn auto_submitted(self) -> &'static str {
        match self {
            Self::Review
            | Self::Digest
            | Self::Reminder
            | Self::Escalated
            | Self::IncidentReported
            | Self::IncidentReminder => AUTO_GENERATED,
            _ => AUTO_REPLIED,
        }
    }
}

/// All that a template may say.
#[derive(Debug, Clone, Serialize)]
pub struct Context {
    pub headline: String,
    pub school: School,
    /// Empty for a message from the null sender.
    pub sender: String,
    /// The sender is somebody who can be written to.
    pub sender_told: bool,
    /// Empty where the message had none, and for reviewers; where it would quote a finding, words that say so.
    pub subject: String,
    pub recipients: Recipients,
    /// Those who get nothing of what was released to others.
    pub withheld: Recipients,
    /// What waits for a decision, in letters about it; in the letter about one that was just held, that one.
    pub waiting: Vec<Waiting>,
    /// How many more wait.
    pub more_waiting: usize,
    pub at: String,
    pub rules: Vec<Rule>,
    /// How many pupils it is about.
    pub pupils: usize,
    pub breach: bool,
    /// Who decides, in words.
    pub reviewers: String,
    /// What the reviewer wrote; may be empty.
    pub note: String,
    /// The sender's own page of the message; empty without one. In notices alone of a message that was returned, is
    /// held, or waits before it leaves.
    pub link: String,
    /// Until when a returned message is kept.
    pub link_until: String,
    /// When a message leaves that waits before, in the letter about that.
    pub leaves: String,
    /// It waits for the school to open.
    pub opening: bool,
    /// The words that an answer by mail may begin with; empty where none is read.
    pub answers: Vec<Offered>,
    /// What came of an answer, in letters about that.
    pub outcome: Outcome,
    /// The incident, in letters about one.
    pub incident: AboutIncident,
    pub id: String,
}

/// What letters say of an incident; its reference is the letter's own.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AboutIncident {
    /// Where at the desk; empty without one.
    pub link: String,
    /// `41 hours are left to tell the ICO`.
    pub left: String,
    /// The end of the 72 hours.
    pub ends: String,
    /// They are over.
    pub over: bool,
}

/// What came of an answer.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outcome {
    pub title: String,
    pub words: String,
}

/// A held message as letters list it.
#[derive(Debug, Clone, Serialize)]
pub struct Waiting {
    /// Its reference.
    pub id: String,
    /// One sentence.
    pub summary: String,
    /// By when it is to be decided on; may be empty.
    pub due: String,
    /// Where at the desk; empty without one.
    pub link: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct School {
    pub name: String,
    /// May be empty.
    pub telephone: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Recipients {
    pub shown: Vec<String>,
    /// How many are not shown.
    pub more: usize,
}

#[derive(Debug, Clone, Serialize)]
pub struct Rule {
    pub id: String,
    pub why: String,
    /// Empty where a rule above says the same.
    pub remedy: String,
    /// What stands before the remedy: `To put it right`.
    pub remedy_label: &'static str,
    pub clauses: Vec<String>,
    /// Which traits of the message it goes by, and where they stand: kinds and places, nothing of what they say.
    pub found: Vec<String>,
}

/// A template that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The directory or a file in it cannot be read.
    #[error("{}: cannot be read: {error}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file that replaces no template: most likely its name is mistyped.
    #[error("{}: there is no template of this name; the names are {}", file.display(), names())]
    Unknown {
        /// Which.
        file: PathBuf,
    },
    /// It does not parse, or names something that no notice has.
    #[error("{}:{line}: {problem}", file.display())]
    Broken {
        /// Which.
        file: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
}

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../rules/notices/", $name)))),*]
    };
}

/// Name and text of each built-in template.
const BUILT_IN: &[(&str, &str)] = built_in![
    "layout.html",
    "rules.html",
    "rules.txt",
    "recipients.html",
    "recipients.txt",
    "footer.txt",
    "returned.html",
    "returned.txt",
    "held.html",
    "held.txt",
    "review.html",
    "review.txt",
    "returned-by-reviewer.html",
    "returned-by-reviewer.txt",
    "discarded.html",
    "discarded.txt",
    "released.html",
    "released.txt",
    "released-in-part.html",
    "released-in-part.txt",
    "returned-undecided.html",
    "returned-undecided.txt",
    "waiting.html",
    "waiting.txt",
    "answered.html",
    "answered.txt",
    "answers.html",
    "answers.txt",
    "digest.html",
    "digest.txt",
    "reminder.html",
    "reminder.txt",
    "escalated.html",
    "escalated.txt",
    "incident-reported.html",
    "incident-reported.txt",
    "report-received.html",
    "report-received.txt",
    "incident-reminder.html",
    "incident-reminder.txt",
    "waits.html",
    "waits.txt",
];

fn names() -> String {
    BUILT_IN.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// The built-in templates, and the school's own over them.
#[derive(Debug, Clone)]
pub struct Templates {
    own: Environment<'static>,
    built_in: Environment<'static>,
}

impl Templates {
    /// Reads the school's templates and tries each notice on made-up messages.
    pub fn load(dir: Option<&Path>) -> Result<Self, TemplateError> {
        let inside = Path::new("rules/notices");
        let mut built_in = environment();
        for (name, text) in BUILT_IN {
            built_in.add_template(name, text).map_err(|e| broken(inside, &e))?;
        }
        let mut own = built_in.clone();
        if let Some(dir) = dir {
            for (name, text) in read(dir)? {
                own.add_template_owned(name, text).map_err(|e| broken(dir, &e))?;
            }
        }
        let templates = Self { own, built_in };
        for context in made_up() {
            for kind in Kind::ALL {
                rendered(&templates.own, kind, &context).map_err(|e| broken(dir.unwrap_or(inside), &e))?;
            }
        }
        Ok(templates)
    }

    /// The text and the HTML of a notice.
    ///
    /// A school's template that passed [`Templates::load`] and still fails on a message gives way to the built-in one.
    pub fn render(&self, kind: Kind, context: &Context) -> (String, String) {
        rendered(&self.own, kind, context)
            .inspect_err(|error| {
                event!(Event::Trouble, what = "a notice template failed", template = kind.name(), line = error.line());
            })
            .or_else(|_| rendered(&self.built_in, kind, context))
            .unwrap_or_else(|_| {
                // The headline is clean of everything that HTML would read as mark-up: it is made of fixed words.
                let words = format!("{}\n\nReference: {}\n", context.headline, context.id);
                (words.clone(), format!("<pre>{words}</pre>"))
            })
    }
}

fn rendered(
    environment: &Environment<'static>,
    kind: Kind,
    context: &Context,
) -> Result<(String, String), minijinja::Error> {
    let one = |ending: &str| environment.get_template(&format!("{}.{ending}", kind.name()))?.render(Serde(context));
    Ok((one("txt")?, one("html")?))
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    // A misspelt placeholder is an error at start, not a gap in a notice. What ends in .html is escaped by default.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // A tag alone on its line leaves no line behind.
    if let Ok(syntax) =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()
    {
        environment.set_syntax(syntax);
    }
    environment
}

fn read(dir: &Path) -> Result<Vec<(String, String)>, TemplateError> {
    let unreadable = |file: &Path| {
        let file = file.to_owned();
        move |error| TemplateError::Unreadable { file, error }
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable(dir))? {
        let file = entry.map_err(unreadable(dir))?.path();
        if !file.extension().is_some_and(|ending| ending == "txt" || ending == "html") {
            continue;
        }
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if !BUILT_IN.iter().any(|(known, _)| *known == name) {
            return Err(TemplateError::Unknown { file });
        }
        let text = std::fs::read_to_string(&file).map_err(unreadable(&file))?;
        found.push((name, text));
    }
    found.sort();
    Ok(found)
}

fn broken(dir: &Path, error: &minijinja::Error) -> TemplateError {
    // An error inside an included template is wrapped by the including one; the innermost knows the place.
    let mut innermost = error;
    while let Some(source) = std::error::Error::source(innermost).and_then(|s| s.downcast_ref::<minijinja::Error>()) {
        innermost = source;
    }
    TemplateError::Broken {
        file: dir.join(innermost.name().unwrap_or("unknown")),
        line: innermost.line().unwrap_or(1),
        problem: innermost
            .detail()
            .map_or_else(|| innermost.kind().to_string(), |d| format!("{}: {d}", innermost.kind())),
    }
}

/// Two messages that between them take every turn a template can take.
fn made_up() -> [Context; 2] {
    let full = Context {
        headline: "NOT SENT: subject does not say Confidential".to_owned(),
        school: School { name: "A School".to_owned(), telephone: "01632 960000".to_owned() },
        sender: "a.teacher@school.example".to_owned(),
        sender_told: true,
        subject: "A subject".to_owned(),
        recipients: Recipients { shown: vec!["a@b.example".to_owned(), "c@d.example".to_owned()], more: 3 },
        withheld: Recipients { shown: vec!["c@d.example".to_owned()], more: 1 },
        waiting: vec![Waiting {
            id: "01ARZ3NDEKTSV4RR".to_owned(),
            summary: "A message.".to_owned(),
            due: "Friday 2 October 2026 at 16:31".to_owned(),
            link: "https://desk.school.example/held/01ARZ3NDEKTSV4RR".to_owned(),
        }],
        more_waiting: 2,
        at: "Friday 2 October 2026 at 16:31".to_owned(),
        rules: ["1", "2"]
            .map(|n| Rule {
                id: format!("rule-{n}"),
                why: "Why.".to_owned(),
                remedy: "Remedy.".to_owned(),
                remedy_label: "To put it right",
                clauses: vec!["Clause 1".to_owned(), "Clause 2".to_owned()],
                found: vec!["a link that anyone may open, in the message itself, line 4".to_owned()],
            })
            .into(),
        pupils: 2,
        breach: true,
        reviewers: "the School Business Manager".to_owned(),
        note: "A note.".to_owned(),
        link: "https://desk.school.example/m/AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        link_until: "Friday 2 October 2026 at 16:31".to_owned(),
        leaves: "Friday 2 October 2026 at 16:31".to_owned(),
        opening: true,
        answers: vec![Offered { word: "CANCEL", does: "it is deleted" }],
        outcome: Outcome { title: "Done".to_owned(), words: "It is done.".to_owned() },
        incident: AboutIncident {
            link: "https://desk.school.example/incidents/01ARZ3NDEKTSV4RR".to_owned(),
            left: "The 72 hours are over".to_owned(),
            ends: "Friday 2 October 2026 at 16:31".to_owned(),
            over: true,
        },
        id: "01ARZ3NDEKTSV4RR".to_owned(),
    };
    let bare = Context {
        school: School { telephone: String::new(), ..full.school.clone() },
        sender: String::new(),
        sender_told: false,
        subject: String::new(),
        recipients: Recipients { shown: Vec::new(), more: 0 },
        withheld: Recipients { shown: Vec::new(), more: 0 },
        waiting: vec![Waiting { due: String::new(), link: String::new(), ..full.waiting[0].clone() }],
        more_waiting: 0,
        rules: Vec::new(),
        pupils: 0,
        breach: false,
        note: String::new(),
        link: String::new(),
        link_until: String::new(),
        opening: false,
        answers: Vec::new(),
        outcome: Outcome::default(),
        incident: AboutIncident { over: false, link: String::new(), ..full.incident.clone() },
        ..full.clone()
    };
    [full, bare]
}
