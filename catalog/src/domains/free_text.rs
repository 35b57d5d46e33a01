//! `free_text`: notes, messages, reviews: anything may stand there, so nobody sees it by default.

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const FREE_TEXT: SemanticDomain = SemanticDomain {
    name: "free_text",
    oid: 12031,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::FreeText,
    masking: Masking::Null,
    comparator: Comparator::None,
    validate: text::anything,
    normalize: text::trimmed,
    comment: "text in which anything may stand",
};
