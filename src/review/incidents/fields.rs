//! The form of an assessment: to words in fields and back.

use minijinja::{Value, context};
use serde::Deserialize;

use crate::detect::vocabulary::VOCABULARY;
use crate::limits;
use crate::people::School;
use crate::review::view::Trouble;
use crate::store::{Assessment, ConcernedChild, IncidentKind};

/// What stands in the form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    /// Of the session.
    pub token: String,
    /// The version that the form shows.
    pub version: u32,
    kind: String,
    happened: String,
    /// One a line: `Amy Smith (P001): health, attendance`.
    children: String,
    further: String,
    adults: String,
    to_whom: String,
    consequences: String,
    measures: String,
    ico: String,
    ico_why: String,
    families: String,
    families_why: String,
}

/// The kinds of data that may stand beside a child, as the rules know them: an export for the ICO holds these words and no
/// others.
pub fn known_kinds() -> Vec<&'static str> {
    VOCABULARY.categories.iter().map(|category| category.id).collect()
}

fn answer(told: Option<bool>) -> &'static str {
    match told {
        Some(true) => "told",
        Some(false) => "not-told",
        None => "",
    }
}

fn answered(word: &str) -> Option<bool> {
    match word {
        "told" => Some(true),
        "not-told" => Some(false),
        _ => None,
    }
}

/// A child in a line.
pub fn child(child: &ConcernedChild, school: &School) -> String {
    let pupil = child.pupil.as_deref().and_then(|id| school.pupil_by_id(id)).and_then(|at| school.pupil(at));
    let who = match (pupil, &child.pupil) {
        (Some(pupil), Some(id)) => format!("{} {} ({id})", pupil.forename, pupil.surname),
        (None, Some(id)) if child.who.is_empty() => format!("({id})"),
        (None, Some(id)) => format!("{} ({id})", child.who),
        _ => child.who.clone(),
    };
    if child.kinds.is_empty() { who } else { format!("{who}: {}", child.kinds.join(", ")) }
}

/// A line as a child: by the id in brackets, or by a name that one pupil alone has.
fn read_child(line: &str, school: &School) -> Result<ConcernedChild, Trouble> {
    let (who, kinds) = line.rsplit_once(':').unwrap_or((line, ""));
    let kinds: Vec<String> = kinds.split(',').map(|kind| kind.trim().to_lowercase().replace(' ', "-")).collect();
    let kinds: Vec<String> = kinds.into_iter().filter(|kind| !kind.is_empty()).collect();
    if kinds.iter().any(|kind| !known_kinds().contains(&kind.as_str())) {
        let words = format!(
            "Behind the colon of each child stand kinds of data, as health, attendance. Known kinds are: {}.",
            known_kinds().join(", ")
        );
        return Err(Trouble::at("children", words));
    }
    let who = who.trim();
    let bracketed = who.strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    if let Some((name, id)) = bracketed.filter(|(_, id)| !id.trim().is_empty()) {
        return Ok(ConcernedChild { pupil: Some(id.trim().to_owned()), who: name.trim().to_owned(), kinds });
    }
    let lower = who.to_lowercase();
    let named = |pupil: &&crate::people::Pupil| {
        pupil.forenames().any(|first| pupil.surnames().any(|last| format!("{first} {last}").to_lowercase() == lower))
    };
    let mut named = school.pupils.iter().filter(named);
    let pupil = match (named.next(), named.next()) {
        (Some(one), None) => Some(one.id.clone()),
        _ => None,
    };
    Ok(ConcernedChild { pupil, who: who.to_owned(), kinds })
}

impl Fields {
    /// What is written, for the form.
    pub fn of(assessment: &Assessment, school: &School) -> Self {
        let children: Vec<String> = assessment.children.iter().map(|one| child(one, school)).collect();
        Self {
            token: String::new(),
            version: 0,
            kind: assessment.kind.as_str().to_owned(),
            happened: assessment.happened.clone(),
            children: children.join("\n"),
            further: assessment.further.to_string(),
            adults: assessment.adults.clone(),
            to_whom: assessment.to_whom.clone(),
            consequences: assessment.consequences.clone(),
            measures: assessment.measures.clone(),
            ico: answer(assessment.ico).to_owned(),
            ico_why: assessment.ico_why.clone(),
            families: answer(assessment.families).to_owned(),
            families_why: assessment.families_why.clone(),
        }
    }

    /// For the page.
    pub fn shown(&self) -> Value {
        context! {
            kind => self.kind.as_str(),
            happened => self.happened.as_str(),
            children => self.children.as_str(),
            further => self.further.as_str(),
            adults => self.adults.as_str(),
            to_whom => self.to_whom.as_str(),
            consequences => self.consequences.as_str(),
            measures => self.measures.as_str(),
            ico => self.ico.as_str(),
            ico_why => self.ico_why.as_str(),
            families => self.families.as_str(),
            families_why => self.families_why.as_str(),
        }
    }

    /// What was written.
    ///
    /// # Errors
    /// What is wrong with the form.
    pub fn assessment(&self, school: &School) -> Result<Assessment, Trouble> {
        let words = |text: &str| -> String {
            let text = text.replace("\r\n", "\n");
            text.trim().chars().take(limits::INCIDENT_WORDS_CHARS).collect()
        };
        let kind: IncidentKind = self
            .kind
            .parse()
            .map_err(|()| Trouble::at("kind", "Say whether it is a likely breach or a near miss.".to_owned()))?;
        let lines = self.children.lines().map(str::trim).filter(|line| !line.is_empty());
        let children: Vec<ConcernedChild> = lines.map(|line| read_child(line, school)).collect::<Result<_, _>>()?;
        let further: u32 = match self.further.trim() {
            "" => 0,
            text => text.parse().map_err(|_| Trouble::at("further", "Give a number.".to_owned()))?,
        };
        Ok(Assessment {
            kind,
            happened: words(&self.happened),
            children,
            further,
            adults: words(&self.adults),
            to_whom: words(&self.to_whom),
            consequences: words(&self.consequences),
            measures: words(&self.measures),
            ico: answered(&self.ico),
            ico_why: words(&self.ico_why),
            families: answered(&self.families),
            families_why: words(&self.families_why),
            ..Assessment::default()
        })
    }
}
