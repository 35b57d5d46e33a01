//! `given_name`: first names.

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const GIVEN_NAME: SemanticDomain = SemanticDomain {
    name: domain::GIVEN_NAME.name,
    oid: 12020,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Identity,
    masking: Masking::Null,
    comparator: Comparator::PersonName,
    validate: domain::GIVEN_NAME.validate,
    normalize: domain::GIVEN_NAME.normalize,
    comment: "given name of a person",
};
