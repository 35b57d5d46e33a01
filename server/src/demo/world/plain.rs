//! Letters without diacritics.

/// Without diacritics, as keyboards and mailboxes want it: `Jörg Weiß` → `Joerg Weiss`.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for letter in text.chars() {
        match PLAIN.iter().find(|(from, _)| from.contains(letter)) {
            Some((_, to)) => out.push_str(to),
            None => out.push(letter),
        }
    }
    out
}

const PLAIN: &[(&str, &str)] = &[
    ("áàâãå", "a"),
    ("ÁÀÂ", "A"),
    ("ä", "ae"),
    ("Ä", "Ae"),
    ("ç", "c"),
    ("éèêë", "e"),
    ("ÉÈÊ", "E"),
    ("íìîïı", "i"),
    ("ÍÎ", "I"),
    ("ñ", "n"),
    ("óòôõ", "o"),
    ("ÓÒ", "O"),
    ("ö", "oe"),
    ("Ö", "Oe"),
    ("úùû", "u"),
    ("Ú", "U"),
    ("ü", "ue"),
    ("Ü", "Ue"),
    ("ÿý", "y"),
    ("ß", "ss"),
    ("ğ", "g"),
    ("şŞ", "s"),
];
