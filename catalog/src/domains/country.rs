//! `country`: a country by code or English name (ISO 3166-1).

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const COUNTRY: SemanticDomain = SemanticDomain {
    name: domain::COUNTRY.name,
    oid: 12028,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Location,
    masking: Masking::Open,
    comparator: Comparator::Exact,
    validate: domain::COUNTRY.validate,
    normalize: domain::COUNTRY.normalize,
    comment: "country, ISO 3166-1",
};
