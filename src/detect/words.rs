//! Small closed lists of English words by which names, places and speakers are told apart.

/// Before a name these make it an adult's.
pub(super) const TITLES: &[&str] = &[
    "mr", "mrs", "miss", "ms", "mx", "dr", "sir", "madam", "rev", "revd", "reverend", "fr", "father", "prof", "professor", "cllr", "councillor", "coach", "nurse", "pc", "sgt", "sergeant", "ds", "dc", "lady", "lord", "saint", "st", "chef", "canon", "captain", "major", "auntie", "aunt", "uncle", "nanny", "granny", "sister", "judge", "chair",
];

/// After a name these make it a place, a firm, an event or a thing.
pub(super) const PLACES: &[&str] = &[
    "road", "rd", "street", "lane", "ln", "drive", "avenue", "ave", "close", "way", "court", "crescent", "place", "square", "terrace", "gardens", "garden", "grove", "hill", "row", "mews", "walk", "rise", "view", "green", "common", "farm", "church", "chapel", "cathedral", "mosque", "hall", "house", "centre", "center", "park", "school", "schools", "primary", "academy", "college", "nursery", "university", "infants", "juniors", "hospital", "surgery", "clinic", "hospice", "hotel", "inn", "pub", "arms", "cafe", "restaurant", "bakery", "ltd", "limited", "plc", "llp", "cic", "inc", "trust", "foundation", "charity", "association", "society", "club", "group", "library", "museum", "gallery", "theatre", "cinema", "station", "bridge", "wood", "woods", "forest", "lake", "river", "beach", "valley", "meadow", "meadows", "field", "fields", "day", "week", "festival", "fair", "fete", "fayre", "sale", "cup", "trophy", "award", "awards", "prize", "medal", "fund", "appeal", "project", "scheme", "room", "building", "block", "wing", "estate", "village", "town", "city", "council", "ward", "stores", "shop", "garage", "nurseries", "coaches", "builders", "solicitors", "architects", "motors", "photography", "publishing", "books", "press", "studios", "studio", "tree", "trees", "bush", "petals", "leaves", "berries", "holiday", "camp", "show", "concert", "term", "song", "book", "poem", "story", "novel", "play", "series", "road's", "allotments", "reserve", "cottage", "cottages", "lodge", "manor", "barn", "mill", "pond", "quarry", "services", "service", "consulting", "catering", "plumbing", "heating", "joinery", "marquee", "rugby", "tennis", "cricket", "united", "rovers", "ice", "cream", "cake", "plant", "plants",
];

/// Directly before, these point at a thing, never at a child.
pub(super) const ARTICLES: &[&str] = &["the", "a", "an", "every", "each", "our", "your", "st", "this"];

/// Directly before, these point at a place when what follows could be one.
pub(super) const PREPOSITIONS: &[&str] =
    &["at", "in", "near", "outside", "opposite", "behind", "along", "down", "up", "into", "onto", "around", "through", "across", "on", "visit", "visited", "via", "past", "under", "over", "towards", "beside"];

/// Surnames that are landscape or weather: with a word before them they are a place as easily as a person.
pub(super) const LANDSCAPE: &[&str] = &[
    "marsh", "moor", "heath", "dale", "vale", "brook", "ford", "banks", "bank", "well", "wells", "cliff", "dean", "holt", "hurst", "beck", "fell", "glen", "pool", "frost", "snow", "winter", "winters", "summers", "rain", "bloom", "blossom", "rose", "bell", "bells", "waters", "rivers", "stone", "rock", "spring", "moon", "star", "light", "love", "joy", "hope", "peace", "grace", "gate", "gates", "land", "end", "head", "point", "bay", "cove", "tower", "towers", "castle", "bush", "berry", "cherry", "power", "time", "reading", "page", "book", "board", "mark", "marks", "ash", "oak", "elm", "hazel", "apple",
];

/// Directly after, these make the words before them somebody who acts.
pub(super) const ACTS: &[&str] = &[
    "is", "was", "has", "had", "hasnt", "isnt", "wasnt", "hadnt", "did", "didnt", "does", "doesnt", "got", "gets", "needs", "need", "came", "comes", "went", "goes", "said", "says", "told", "tells", "can", "cant", "could", "couldnt", "will", "wont", "would", "should", "may", "must", "mustnt", "takes", "took", "wants", "wanted", "likes", "struggles", "lives", "left", "who", "whose", "missed", "hit", "kicked", "refused", "started", "scored", "achieved", "arrived", "attends", "attended", "appears", "shows", "plays", "asked", "forgot", "brought", "lost", "joined", "moved", "ran", "fell", "felt", "cried", "made", "gave", "ate", "still", "also", "only", "again", "been", "being", "plus", "passed", "failed", "keeps", "finds", "found",
];

/// Directly before, these announce somebody.
pub(super) const ANNOUNCES: &[&str] = &[
    "for", "with", "about", "on", "re", "dear", "from", "that", "pupil", "child", "student", "called", "named", "son", "daughter", "boy", "girl", "brother", "sister", "twins", "regarding", "concerning", "of", "to", "has", "is", "did", "does", "when", "if", "because", "and", "name", "help", "gave", "told", "asked", "saw", "met", "between", "hi",
];

/// These speak of one child.
pub(super) const CHILD: &[&str] = &[
    "he", "she", "him", "her", "his", "hers", "hes", "shes", "himself", "herself", "mum", "mums", "dad", "dads", "mother", "father", "nan", "gran", "grandma", "grandad", "carer", "carers", "sibling", "parents", "parent", "mam", "mummy", "daddy", "boy", "girl", "lad", "child", "pupil", "student",
];

/// A greeting's first word.
pub(super) const GREETINGS: &[&str] =
    &["hi", "hello", "dear", "hiya", "hey", "morning", "afternoon", "evening", "thanks", "thank", "cheers", "greetings", "regards", "wishes", "love", "sincerely", "faithfully", "ta", "czesc", "bonjour", "cc"];

/// A sentence that holds one of these speaks of the school, its staff or everybody, unless a pupil stands in it.
pub(super) const GENERAL: &[&str] = &[
    "policy", "policies", "training", "courses", "vacancy", "vacancies", "workshop", "newsletter", "governors", "awareness", "webinar", "applicants", "legislation", "toolkit", "colleagues", "inset", "statistics", "nationally",
];

/// A paragraph that holds one of these runs is the footer of the school's mail.
pub(super) const FOOTERS: &[&str] = &[
    "intended for the addressee", "intended solely", "received it in error", "received this email in error", "received this e-mail in error", "think about the environment", "consider the environment", "registered in england", "views expressed", "checked for viruses", "swept for", "sent from my", "unsubscribe", "confidential and may be", "if you are not the intended",
];

/// A value or word that denies.
pub(super) const DENIALS: &[&str] = &["no", "none", "not", "nil", "na", "n", "never", "without", "isnt", "doesnt", "hasnt", "neither", "nothing", "unaffected", "0", "false", "brak"];

pub(super) fn is(list: &[&str], word: &str) -> bool {
    list.contains(&word)
}
