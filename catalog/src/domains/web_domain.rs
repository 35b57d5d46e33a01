//! `web_domain`: a host name of the web (RFC 1035 §2.3.4; beyond ASCII by RFC 5890).

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const WEB_DOMAIN: SemanticDomain = SemanticDomain {
    name: domain::WEB_DOMAIN.name,
    oid: 12009,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Company),
    category: Category::Company,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate: domain::WEB_DOMAIN.validate,
    normalize: domain::WEB_DOMAIN.normalize,
    comment: "host name of a company on the web; identifies a company",
};
