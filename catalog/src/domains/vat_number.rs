//! `vat_number`: a value added tax number with its country prefix. Formats: European Commission,
//! VIES "VAT number format"; United Kingdom, Switzerland and Norway beside.

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const VAT_NUMBER: SemanticDomain = SemanticDomain {
    name: domain::VAT_NUMBER.name,
    oid: 12008,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Company),
    category: Category::Company,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate: domain::VAT_NUMBER.validate,
    normalize: domain::VAT_NUMBER.normalize,
    comment: "value added tax number; identifies a company",
};
