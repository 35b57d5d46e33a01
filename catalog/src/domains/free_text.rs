//! `free_text`: notes, messages, reviews: anything may stand there, so nobody sees it by default.

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const FREE_TEXT: SemanticDomain = SemanticDomain {
    name: domain::FREE_TEXT.name,
    oid: 12031,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::FreeText,
    masking: Masking::Null,
    comparator: Comparator::None,
    validate: domain::FREE_TEXT.validate,
    normalize: domain::FREE_TEXT.normalize,
    comment: "text in which anything may stand",
};
