//! `ip_address`: an IPv4 or IPv6 address; an online identifier (CJEU C-582/14, Breyer).

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const IP_ADDRESS: SemanticDomain = SemanticDomain {
    name: domain::IP_ADDRESS.name,
    oid: 12029,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::OnlineIdentifier,
    masking: Masking::Network,
    comparator: Comparator::Exact,
    validate: domain::IP_ADDRESS.validate,
    normalize: domain::IP_ADDRESS.normalize,
    comment: "internet address",
};
