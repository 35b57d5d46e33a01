//! `postcode`: a postal code of any country (UPU S42: at most 10 signs; files add a country
//! prefix).

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const POSTCODE: SemanticDomain = SemanticDomain {
    name: domain::POSTCODE.name,
    oid: 12026,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Location,
    masking: Masking::FirstCharacters(2),
    comparator: Comparator::Prefix,
    validate: domain::POSTCODE.validate,
    normalize: domain::POSTCODE.normalize,
    comment: "postal code",
};
