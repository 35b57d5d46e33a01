//! `sensitive`: special categories of personal data (GDPR art. 9) and criminal records (art. 10).

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const SENSITIVE: SemanticDomain = SemanticDomain {
    name: "sensitive",
    oid: 12032,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::SpecialCategory,
    masking: Masking::Null,
    comparator: Comparator::None,
    validate: text::anything,
    normalize: text::trimmed,
    comment: "special category of personal data (GDPR art. 9)",
};
