//! `geo_point`: latitude and longitude in degrees (WGS 84), `lat,lon`.

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const GEO_POINT: SemanticDomain = SemanticDomain {
    name: domain::GEO_POINT.name,
    oid: 12030,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Location,
    masking: Masking::Decimals(1),
    comparator: Comparator::Distance,
    validate: domain::GEO_POINT.validate,
    normalize: domain::GEO_POINT.normalize,
    comment: "place on earth: latitude,longitude",
};
