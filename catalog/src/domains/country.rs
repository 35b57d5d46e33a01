//! `country`: a country by code or English name (ISO 3166-1; the table is `sql/countries.tsv`).

use std::collections::HashMap;
use std::sync::OnceLock;

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const COUNTRY: SemanticDomain = SemanticDomain {
    name: "country",
    oid: 12028,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Location,
    masking: Masking::Open,
    comparator: Comparator::Exact,
    validate,
    normalize,
    comment: "country, ISO 3166-1",
};

const COUNTRIES: &str = include_str!("../../sql/countries.tsv");

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
    ("deutschland", "DE"),
    ("channel islands", "JE"),
];

fn validate(value: &str) -> Result<(), String> {
    text::one_line(value, 100)?;
    normalize(value).map(drop).ok_or_else(|| "it is no country of ISO 3166-1".to_owned())
}

/// The alpha-2 code.
fn normalize(value: &str) -> Option<String> {
    let wanted = text::folded(value)?;
    codes().get(&wanted).map(|code| (*code).to_owned())
}

/// Alpha-2 code by folded code, number and name.
fn codes() -> &'static HashMap<String, &'static str> {
    static CODES: OnceLock<HashMap<String, &'static str>> = OnceLock::new();
    CODES.get_or_init(|| {
        let mut codes = HashMap::new();
        for line in COUNTRIES.lines().skip(1) {
            let code = line.split('\t').next().unwrap_or_default();
            codes
                .extend(line.split('\t').filter_map(text::folded).map(|spelling| (spelling, code)));
        }
        codes.extend(OTHER_SPELLINGS.map(|(spelling, code)| (spelling.to_owned(), code)));
        codes
    })
}
