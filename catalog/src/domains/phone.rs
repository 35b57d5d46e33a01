//! `phone`: a telephone number as people write it. Numbers come without country more often than
//! with one, so any plausible number is accepted (ITU-T E.164 allows 15 digits).

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const PHONE: SemanticDomain = SemanticDomain {
    name: domain::PHONE.name,
    oid: 12001,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Person),
    category: Category::Contact,
    masking: Masking::Pseudonym,
    comparator: Comparator::Digits,
    validate: domain::PHONE.validate,
    normalize: domain::PHONE.normalize,
    comment: "telephone number of a person; identifies",
};
