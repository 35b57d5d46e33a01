//! `sensitive`: special categories of personal data (GDPR art. 9) and criminal records (art. 10).

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const SENSITIVE: SemanticDomain = SemanticDomain {
    name: domain::SENSITIVE.name,
    oid: 12032,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::SpecialCategory,
    masking: Masking::Null,
    comparator: Comparator::None,
    validate: domain::SENSITIVE.validate,
    normalize: domain::SENSITIVE.normalize,
    comment: "special category of personal data (GDPR art. 9)",
};
