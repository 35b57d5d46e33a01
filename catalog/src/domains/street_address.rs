//! `street_address`: house, street, further lines; line feeds are part of postal addresses.

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const STREET_ADDRESS: SemanticDomain = SemanticDomain {
    name: domain::STREET_ADDRESS.name,
    oid: 12025,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Location,
    masking: Masking::Null,
    comparator: Comparator::Tokens,
    validate: domain::STREET_ADDRESS.validate,
    normalize: domain::STREET_ADDRESS.normalize,
    comment: "street and house number",
};
