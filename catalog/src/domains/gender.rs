//! `gender`: as the person gave it, in any language.

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const GENDER: SemanticDomain = SemanticDomain {
    name: "gender",
    oid: 12024,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Identity,
    masking: Masking::Null,
    comparator: Comparator::Exact,
    validate,
    normalize,
    comment: "gender of a person",
};

fn validate(value: &str) -> Result<(), String> {
    text::one_line(value, 50)
}

/// `f`, `m`, `x`, or what was given. Salutations of the common languages included.
fn normalize(value: &str) -> Option<String> {
    let word = text::folded(value)?;
    let code = match word.as_str() {
        "f" | "female" | "woman" | "w" | "weiblich" | "femme" | "feminin" | "mme" | "mlle"
        | "mrs" | "ms" | "miss" | "frau" | "2" => "f",
        "m" | "male" | "man" | "mannlich" | "homme" | "masculin" | "h" | "mr" | "herr" | "1" => "m",
        "x" | "d" | "divers" | "diverse" | "other" | "autre" | "non binary" | "nonbinary" => "x",
        _ => return Some(word),
    };
    Some(code.to_owned())
}
