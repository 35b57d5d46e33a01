//! `family_name`: surname, maiden name.

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const FAMILY_NAME: SemanticDomain = SemanticDomain {
    name: domain::FAMILY_NAME.name,
    oid: 12021,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Identity,
    masking: Masking::Null,
    comparator: Comparator::PersonName,
    validate: domain::FAMILY_NAME.validate,
    normalize: domain::FAMILY_NAME.normalize,
    comment: "family name of a person",
};
