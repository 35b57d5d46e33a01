//! `country`: a country by code or name (ISO 3166-1; the table is `countries.tsv`, its names in
//! sixteen more languages from Unicode CLDR).

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{checks, fold};

const COUNTRIES: &str = include_str!("countries.tsv");

/// Spellings that files use beside the standard's, by alpha-2 code.
const OTHER_SPELLINGS: [(&str, &str); 26] = [
    ("uk", "GB"),
    ("great britain", "GB"),
    ("england", "GB"),
    ("scotland", "GB"),
    ("wales", "GB"),
    ("northern ireland", "GB"),
    ("united kingdom of great britain and northern ireland", "GB"),
    ("el", "GR"),
    ("eire", "IE"),
    ("republic of ireland", "IE"),
    ("usa", "US"),
    ("u s a", "US"),
    ("united states of america", "US"),
    ("czech republic", "CZ"),
    ("holland", "NL"),
    ("the netherlands", "NL"),
    ("russian federation", "RU"),
    ("korea", "KR"),
    ("south korea", "KR"),
    ("republic of korea", "KR"),
    ("viet nam", "VN"),
    ("rsa", "ZA"),
    ("turkiye", "TR"),
    ("uae", "AE"),
    ("etats unis d amerique", "US"),
    ("channel islands", "JE"),
];

/// Alpha-2 code by folded code, number and name.
static CODES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut codes = HashMap::new();
    for line in COUNTRIES.lines().skip(1) {
        let code = line.split('\t').next().unwrap_or_default();
        let spellings = line.split(['\t', '|']).filter_map(fold::folded);
        codes.extend(spellings.map(|spelling| (spelling, code)));
    }
    codes.extend(OTHER_SPELLINGS.map(|(spelling, code)| (spelling.to_owned(), code)));
    codes
});

/// Says why a text is none.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    checks::one_line(value, 100)?;
    normalize(value).map(drop).ok_or_else(|| "it is no country of ISO 3166-1".to_owned())
}

/// The alpha-2 code: `Deutschland` → `DE`.
pub fn normalize(value: &str) -> Option<String> {
    code(value).map(str::to_owned)
}

/// The alpha-2 code of a code, number or name.
pub fn code(value: &str) -> Option<&'static str> {
    CODES.get(&fold::folded(value)?).copied()
}
