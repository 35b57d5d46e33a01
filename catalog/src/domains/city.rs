//! `city`: the name of a town.

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const CITY: SemanticDomain = SemanticDomain {
    name: domain::CITY.name,
    oid: 12027,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Location,
    masking: Masking::Null,
    comparator: Comparator::Tokens,
    validate: domain::CITY.validate,
    normalize: domain::CITY.normalize,
    comment: "town",
};
