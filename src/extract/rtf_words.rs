//! What the words of Rich Text Format mean to a reader of text: which destinations hold words, and which code pages fonts
//! are written in.

/// Where the text of a destination goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// On in the text around it.
    Same,
    /// A text of its own, with where it stands.
    Aside(&'static str),
    /// The definitions of fonts.
    Fonts,
    /// The digits of an object.
    Object,
    /// Nowhere: machinery.
    Nowhere,
}

/// The destination that a word opens; none where it opens none. `optional` is one behind `\*`, which programs pass over
/// unless they know it: what is in an unknown one is hidden.
pub fn destination(word: &str, optional: bool) -> Option<Destination> {
    Some(match word {
        "fonttbl" => Destination::Fonts,
        "objdata" => Destination::Object,
        "footnote" => Destination::Aside("footnote"),
        "annotation" | "atnauthor" => Destination::Aside("comment"),
        "header" | "headerl" | "headerr" | "headerf" | "footer" | "footerl" | "footerr" | "footerf" => {
            Destination::Aside("header or footer")
        }
        "shptxt" => Destination::Aside("text box"),
        "fldinst" => Destination::Aside(FIELD),
        "sv" => Destination::Aside("drawing"),
        // What programs that know no shapes show in their place.
        "shprslt" => Destination::Aside("hidden part"),
        "info" | "title" | "subject" | "author" | "operator" | "manager" | "company" | "keywords" | "comment"
        | "doccomm" | "category" | "staticval" | "docvar" => Destination::Aside("document properties"),
        // The table of contents and the index say again what stands in the text, or what the writer wants there.
        "tc" | "xe" | "txe" | "rxe" => Destination::Aside("index entry, hidden"),
        word if SAME.binary_search(&word).is_ok() => Destination::Same,
        word if NOWHERE.binary_search(&word).is_ok() => Destination::Nowhere,
        _ if optional => Destination::Aside("hidden part"),
        _ => return None,
    })
}

/// What a field is told to do: where a link leads, what is asked for, what is shown elsewhere.
pub const FIELD: &str = "field, hidden";

/// The words of a field's instruction beside its kind, its switches and what those say of forms; none where it has none.
pub fn instruction(text: &str) -> String {
    let mut said = Vec::new();
    let mut words = text.split_whitespace().skip(1);
    while let Some(word) = words.next() {
        match word {
            // A form of letters, of numbers, of dates; the last two may be of several words, and are no words of anybody.
            "\\*" => drop(words.next()),
            "\\#" | "\\@" => {
                let first = words.next().unwrap_or_default();
                if first.starts_with('"') && !(first.len() > 1 && first.ends_with('"')) {
                    let _ = words.find(|word| word.ends_with('"'));
                }
            }
            word if word.starts_with('\\') => {}
            word => said.push(word),
        }
    }
    let said = said.join(" ");
    let letters = said.chars().filter(|c| c.is_alphabetic()).count();
    if letters > 1 { said.replace('"', "") } else { String::new() }
}

/// Sorted: optional destinations that stand in the middle of the text.
const SAME: &[&str] = &[
    "background",
    "do",
    "fldrslt",
    "formfield",
    "ftnsep",
    "mailmerge",
    "mmath",
    "moMath",
    "moMathPara",
    "nesttableprops",
    "object",
    "pn",
    "shp",
    "shpinst",
    "shppict",
    "ud",
    "userprops",
    "xmlopen",
];

/// Sorted: destinations that hold no words of the writer. In `htmltag` and `mhtmltag` stands the mark-up of which the text around
/// them was made.
const NOWHERE: &[&str] = &[
    "aftncn",
    "aftnsep",
    "aftnsepc",
    "atndate",
    "atnicn",
    "atnid",
    "atnparent",
    "atnref",
    "atntime",
    "atrfend",
    "atrfstart",
    "bkmkend",
    "bkmkstart",
    "bliptag",
    "blipuid",
    "buptim",
    "cchs",
    "colorschememapping",
    "colortbl",
    "creatim",
    "datafield",
    "datastore",
    "defchp",
    "defpap",
    "ebcend",
    "ebcstart",
    "factoidname",
    "falt",
    "fchars",
    "ffname",
    "filetbl",
    "fldtype",
    "fontemb",
    "fontfile",
    "ftncn",
    "ftnsepc",
    "generator",
    "gridtbl",
    "hl",
    "hlfr",
    "hlinkbase",
    "hlloc",
    "hlsrc",
    "hsv",
    "htmltag",
    "keycode",
    "latentstyles",
    "lchars",
    "levelnumbers",
    "leveltext",
    "lfolevel",
    "list",
    "listlevel",
    "listname",
    "listoverride",
    "listoverridetable",
    "listpicture",
    "liststylename",
    "listtable",
    "lsdlockedexcept",
    "mctrlPr",
    "mhtmltag",
    "mmathPict",
    "mmathPr",
    "nextfile",
    "nonesttables",
    "nonshppict",
    "objalias",
    "objclass",
    "objname",
    "objsect",
    "objtime",
    "oldcprops",
    "oldpprops",
    "oldsprops",
    "oldtprops",
    "oleclsid",
    "panose",
    "password",
    "passwordhash",
    "pgp",
    "pgptbl",
    "picprop",
    "pict",
    "pnseclvl",
    "pntxta",
    "pntxtb",
    "printim",
    "private",
    "propname",
    "protend",
    "protstart",
    "protusertbl",
    "pxe",
    "revtbl",
    "revtim",
    "rsidtbl",
    "sn",
    "stylesheet",
    "svb",
    "template",
    "themedata",
    "wgrffmtfilter",
    "windowcaption",
    "writereservation",
    "writereservhash",
    "xform",
    "xmlattrname",
    "xmlclose",
    "xmlname",
    "xmlnstbl",
];

/// Of a code page's number, the encoding.
pub fn code_page(number: i32) -> &'static str {
    match number {
        866 => "ibm866",
        874 => "windows-874",
        932 => "shift_jis",
        936 => "gbk",
        949 => "euc-kr",
        950 => "big5",
        1250 => "windows-1250",
        1251 => "windows-1251",
        1253 => "windows-1253",
        1254 => "windows-1254",
        1255 => "windows-1255",
        1256 => "windows-1256",
        1257 => "windows-1257",
        1258 => "windows-1258",
        10000 => "macintosh",
        10007 => "x-mac-cyrillic",
        65001 => "utf-8",
        _ => "windows-1252",
    }
}

/// Of a font's character set, the encoding; none where the document's own is meant.
pub fn charset(number: i32) -> Option<&'static str> {
    Some(match number {
        0 => "windows-1252",
        77 => "macintosh",
        128 => "shift_jis",
        129 => "euc-kr",
        134 => "gbk",
        136 => "big5",
        161 => "windows-1253",
        162 => "windows-1254",
        163 => "windows-1258",
        177 => "windows-1255",
        178 => "windows-1256",
        186 => "windows-1257",
        204 => "windows-1251",
        222 => "windows-874",
        238 => "windows-1250",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted() {
        assert!(SAME.is_sorted() && NOWHERE.is_sorted());
        for (word, optional, expected) in [
            ("themedata", true, Some(Destination::Nowhere)),
            ("shpinst", true, Some(Destination::Same)),
            ("strange", true, Some(Destination::Aside("hidden part"))),
            ("strange", false, None),
        ] {
            assert_eq!(destination(word, optional), expected, "{word}");
        }
    }
}
