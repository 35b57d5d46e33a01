//! `email`: an electronic mail address (RFC 5321 §4.1.2). Quoted mailboxes are refused: no provider
//! gives them out, and in real files they are shifted columns.

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const EMAIL: SemanticDomain = SemanticDomain {
    name: domain::EMAIL.name,
    oid: 12000,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Person),
    category: Category::Contact,
    masking: Masking::Pseudonym,
    comparator: Comparator::Email,
    validate: domain::EMAIL.validate,
    normalize: domain::EMAIL.normalize,
    comment: "electronic mail address of a person; identifies",
};
