//! `siret`: a French establishment number: a SIREN and five digits, with a Luhn check over all.

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const SIRET: SemanticDomain = SemanticDomain {
    name: "siret",
    oid: 12007,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Company),
    category: Category::Company,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate,
    normalize: text::compact,
    comment: "French establishment number (SIRET); identifies a site of a company",
};

/// La Poste ran out of numbers under its SIREN: its sites pass when the digit sum divides by five.
const LA_POSTE: &str = "356000000";

fn validate(value: &str) -> Result<(), String> {
    let digits = text::grouped_digits(value)?;
    if digits.len() != 14 {
        return Err(format!("it has {} digits, not 14", digits.len()));
    }
    let digit_sum = || digits.bytes().map(|byte| u32::from(byte - b'0')).sum::<u32>();
    let la_poste = digits.starts_with(LA_POSTE) && digit_sum() % 5 == 0;
    if la_poste || text::luhn(&digits) {
        Ok(())
    } else {
        Err("its check digit is wrong".to_owned())
    }
}
