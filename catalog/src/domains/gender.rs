//! `gender`: as the person gave it, in any language.

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const GENDER: SemanticDomain = SemanticDomain {
    name: domain::GENDER.name,
    oid: 12024,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Identity,
    masking: Masking::Null,
    comparator: Comparator::Exact,
    validate: domain::GENDER.validate,
    normalize: domain::GENDER.normalize,
    comment: "gender of a person",
};
