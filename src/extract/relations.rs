//! Relations of the parts of an office package (ECMA-376-2, 9.3): what a part points to, and as what.
//!
//! Parts are found by these, as the programs that open them do; names of parts are habits. Knows no format.

use super::package::Package;
use super::xml;

/// One relation whose target lies in the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// By which the part names it.
    pub id: String,
    /// The last word of its type: `officeDocument`, `worksheet`, `header`.
    pub kind: String,
    /// The name of the part that it leads to.
    pub target: String,
}

/// The relations of a part, of the package itself where `part` is empty. What cannot be read leads nowhere.
pub fn of(package: &Package, part: &str) -> Vec<Relation> {
    let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
    let folder_of = |folder: &str| if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let own = format!("{}_rels/{name}.rels", folder_of(folder));
    package.get(&own).map(|bytes| read(bytes, folder)).unwrap_or_default()
}

/// The relations that a `.rels` part of a folder holds.
pub fn read(bytes: &[u8], folder: &str) -> Vec<Relation> {
    let Ok(root) = xml::parse(bytes) else { return Vec::new() };
    let inside = root.elements().filter(|r| r.attribute("TargetMode") != Some("External"));
    let relation = inside.filter_map(|relation| {
        let kind = relation.attribute("Type").unwrap_or_default().rsplit('/').next().unwrap_or_default();
        Some(Relation {
            id: relation.attribute("Id").unwrap_or_default().to_owned(),
            kind: kind.to_owned(),
            target: resolved(folder, relation.attribute("Target")?),
        })
    });
    relation.collect()
}

/// Where the relations of a `.rels` part lead outside the package: links, pictures and workbooks elsewhere. Its template is
/// where its author's program lies.
pub fn outside(bytes: &[u8]) -> Vec<String> {
    let Ok(root) = xml::parse(bytes) else { return Vec::new() };
    let external = root.elements().filter(|r| r.attribute("TargetMode") == Some("External"));
    let led_to = external.filter(|r| !r.attribute("Type").is_some_and(|kind| kind.ends_with("/attachedTemplate")));
    led_to.filter_map(|relation| relation.attribute("Target").map(str::to_owned)).collect()
}

/// The part with which the package begins, if it says so and the part is there.
pub fn main_part(package: &Package) -> Option<String> {
    let main = of(package, "").into_iter().find(|relation| relation.kind == "officeDocument")?.target;
    package.members.iter().any(|member| member.name.eq_ignore_ascii_case(&main)).then_some(main)
}

/// The folder of a part, with a stroke behind it unless it is the outermost.
pub fn folder(part: &str) -> &str {
    part.rfind('/').map_or("", |at| &part[..=at])
}

/// A target seen from the folder of what points to it.
fn resolved(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let mut path: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => folder.split('/').filter(|step| !step.is_empty()).collect(),
    };
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(path.pop()),
            step => path.push(step),
        }
    }
    path.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_seen_from_the_part() {
        for (folder, target, expected) in [
            ("xl", "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl", "/other/sheet1.xml", "other/sheet1.xml"),
            ("xl/worksheets", "../drawings/drawing1.xml", "xl/drawings/drawing1.xml"),
            ("", "word\\document2.xml", "word/document2.xml"),
            ("", "../../a.xml", "a.xml"),
        ] {
            assert_eq!(resolved(folder, target), expected, "{folder} {target}");
        }
    }
}
