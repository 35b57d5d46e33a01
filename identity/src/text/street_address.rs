//! `street_address`: house, street, further lines; line feeds are part of postal addresses.
//!
//! Words become the short forms of USPS Publication 28 (appendices B and C) and of the French,
//! German, Spanish, Italian and Dutch posts: many spellings have one abbreviation, while `st`
//! alone may be *street* or *saint*.

use super::{checks, fold};

/// Says why a text is none.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    checks::one_line(&value.replace(['\r', '\n', '\t'], " "), 500)
}

/// Short form, and the words that it stands for.
const SHORT_FORMS: [(&str, &[&str]); 58] = [
    ("ave", &["avenue", "av", "avn", "avenida", "avda"]),
    ("st", &["street", "str", "saint", "strt"]),
    ("rd", &["road"]),
    ("dr", &["drive", "drv"]),
    ("ln", &["lane"]),
    ("ct", &["court", "crt"]),
    ("pl", &["place", "plaza", "platz", "plein"]),
    ("sq", &["square", "sqr"]),
    ("blvd", &["boulevard", "bd", "bld", "boul", "bvd"]),
    ("hwy", &["highway", "hiway"]),
    ("pkwy", &["parkway", "pkway"]),
    ("ter", &["terrace", "terr", "tce"]),
    ("cir", &["circle", "circ"]),
    ("cres", &["crescent"]),
    ("cl", &["close", "calle"]),
    ("gdns", &["gardens"]),
    ("gr", &["grove", "grv"]),
    ("trl", &["trail"]),
    ("pde", &["parade"]),
    ("hts", &["heights", "hgts"]),
    ("mt", &["mount"]),
    ("mtn", &["mountain", "mntn"]),
    ("ft", &["fort"]),
    ("ctr", &["center", "centre", "cntr"]),
    ("pt", &["point"]),
    ("vlg", &["village", "vill"]),
    ("bldg", &["building", "batiment", "bat", "gebaude", "edificio", "edif"]),
    ("fl", &["floor", "etage", "stock", "planta", "piano"]),
    ("rm", &["room", "chambre"]),
    ("apt", &["apartment", "appartement", "appt", "app", "flat", "wohnung", "whg"]),
    ("unit", &["unt"]),
    ("ste", &["suite", "sainte"]),
    ("lot", &["lt"]),
    ("esc", &["escalier", "escalera"]),
    ("res", &["residence"]),
    ("n", &["north", "nord", "norte"]),
    ("s", &["south", "sud", "sued"]),
    ("e", &["east", "est", "ost", "este"]),
    ("w", &["west", "ouest", "oeste"]),
    ("ne", &["northeast", "nordost"]),
    ("nw", &["northwest", "nordwest"]),
    ("se", &["southeast", "sudost"]),
    ("sw", &["southwest", "sudwest"]),
    ("r", &["rue"]),
    ("all", &["allee"]),
    ("ch", &["chemin", "chem"]),
    ("imp", &["impasse"]),
    ("rte", &["route"]),
    ("fg", &["faubourg", "fbg"]),
    ("q", &["quai"]),
    ("pass", &["passage"]),
    ("lieu dit", &["ld", "lieudit"]),
    ("weg", &["wg"]),
    ("v", &["via"]),
    ("vle", &["viale"]),
    ("pza", &["piazza", "pzza"]),
    ("cza", &["corso"]),
    ("nr", &["no", "num", "numero", "nummer", "number"]),
];

/// What begins a unit within a house; it and its number go behind the street.
const UNITS: [&str; 7] = ["apt", "unit", "ste", "rm", "bldg", "fl", "lot"];

/// Spellings of a box at the post office.
const BOXES: [&[&str]; 9] = [
    &["p", "o", "box"],
    &["po", "box"],
    &["post", "office", "box"],
    &["postbox"],
    &["pob"],
    &["postfach"],
    &["boite", "postale"],
    &["b", "p"],
    &["bp"],
];

/// Passes after which an address is as normal as it gets; two are enough for real ones.
const PASSES_MAX: usize = 8;

/// Words in short forms, the house number first, units and post boxes last:
/// `Apt. 4, 12 bis Main Street` → `12bis main st apt 4`, `Hauptstraße 5` → `5 hauptstr`.
pub fn normalize(value: &str) -> Option<String> {
    let mut form = arranged(&value.replace('#', " unit "))?;
    // Moving a word may bring two together that belong together.
    for _ in 0..PASSES_MAX {
        let next = arranged(&form)?;
        if next == form {
            break;
        }
        form = next;
    }
    Some(form)
}

fn arranged(value: &str) -> Option<String> {
    let folded = fold::folded(value)?;
    let words: Vec<&str> = folded.split(' ').collect();
    let words: Vec<String> = with_box(&words).iter().flat_map(|word| short(word)).collect();
    let (mut street, units) = apart(words);
    number_first(&mut street);
    street.extend(units);
    fold::some(street.join(" "))
}

/// The spellings of a post box, where a number follows, as `po box`.
fn with_box<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut result = Vec::with_capacity(words.len());
    let mut rest = words;
    while let Some((first, behind)) = rest.split_first() {
        let spelling = BOXES.iter().find(|spelling| {
            rest.starts_with(spelling)
                && rest.get(spelling.len()).is_some_and(|next| has_digit(next))
        });
        match spelling {
            Some(spelling) => {
                result.extend(["po", "box"]);
                rest = &rest[spelling.len()..];
            }
            None => {
                result.push(first);
                rest = behind;
            }
        }
    }
    result
}

/// The short form of a word; `hauptstrasse` ends in one.
fn short(word: &str) -> Vec<String> {
    let known = SHORT_FORMS.iter().find(|(short, long)| *short == word || long.contains(&word));
    if let Some((short, _)) = known {
        return short.split(' ').map(str::to_owned).collect();
    }
    let ending = word.strip_suffix("strasse").or_else(|| word.strip_suffix("straat"));
    vec![match ending.filter(|street| !street.is_empty()) {
        Some(street) => format!("{street}str"),
        None => word.to_owned(),
    }]
}

/// The street, and the units and post boxes with their numbers.
fn apart(words: Vec<String>) -> (Vec<String>, Vec<String>) {
    let (mut street, mut units) = (Vec::new(), Vec::new());
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let is_unit = UNITS.contains(&word.as_str());
        // `apt # 4` is `apt 4`.
        while is_unit && words.next_if(|next| next == "unit").is_some() {}
        let numbered = words.peek().is_some_and(|next| has_digit(next) || next.len() == 1);
        if is_unit && numbered {
            units.push(word);
            units.extend(words.next());
        } else if word == "po" && words.next_if(|next| next == "box").is_some() {
            units.extend([word, "box".to_owned()]);
            units.extend(words.next_if(|next| has_digit(next)));
        } else {
            street.push(word);
        }
    }
    (street, units)
}

/// Moves the house number, the first word with a digit, to the front, its addition joined.
fn number_first(street: &mut Vec<String>) {
    let Some(place) = street.iter().position(|word| has_digit(word)) else { return };
    let mut number = street.remove(place);
    // Behind the number; else what the number will stand before.
    for place in [place, 0] {
        let bare = number.bytes().all(|byte| byte.is_ascii_digit());
        if bare && street.get(place).is_some_and(|word| is_addition(word)) {
            number.push_str(&street.remove(place));
        }
    }
    street.insert(0, number);
}

/// What tells houses of one number apart. Letters that are directions are none.
fn is_addition(word: &str) -> bool {
    matches!(word, "a" | "b" | "c" | "d" | "bis" | "ter" | "quater")
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let cases = [
            ("Apt. 4, 12 Main Street", "12 main st apt 4"),
            ("12 main st #4", "12 main st unit 4"),
            ("12 Main St, Apt #4B", "12 main st apt 4b"),
            ("Hauptstraße 5 a", "5a hauptstr"),
            ("Haupt-Str. 5", "5 haupt st"),
            ("12 bis, av. du Général-de-Gaulle", "12bis ave du general de gaulle"),
            ("1 rue de l'Église\nBât. B", "1 r de l eglise bldg b"),
            ("P.O. Box 12", "po box 12"),
            ("Postfach 12, Hauptstr. 5", "5 hauptstr po box 12"),
            ("12 rue du Lac B.P. 7", "12 r du lac po box 7"),
            ("15 North 5th Avenue", "15 n 5th ave"),
            ("12 E Main", "12 e main"),
            ("12/3 Ring", "12 3 ring"),
        ];
        for (value, expected) in cases {
            assert_eq!(normalize(value).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn a_short_form_is_its_own() {
        for (form, long) in SHORT_FORMS {
            assert_eq!(short(form).join(" "), form);
            assert!(!long.is_empty());
        }
    }
}
