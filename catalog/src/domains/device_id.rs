//! `device_id`: a device, browser or advertising identifier (cookie, IDFA, GAID).

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const DEVICE_ID: SemanticDomain = SemanticDomain {
    name: domain::DEVICE_ID.name,
    oid: 12002,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Person),
    category: Category::OnlineIdentifier,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate: domain::DEVICE_ID.validate,
    normalize: domain::DEVICE_ID.normalize,
    comment: "device, browser or advertising identifier; identifies",
};
