//! Identifiers that stand in others: a SIRET begins with the SIREN of its company, a French VAT
//! number ends with it.

use super::{SemanticDomain, siren, siret, vat_number};
use crate::definition::Oid;

/// Digits of a SIREN.
const SIREN_DIGITS: usize = 9;

/// The namespace that values of a domain may imply an identifier of.
pub fn implied_by(domain: &SemanticDomain) -> Option<Oid> {
    [siret::SIRET.oid, vat_number::VAT_NUMBER.oid].contains(&domain.oid).then_some(siren::SIREN.oid)
}

/// The identifier that a normalised value implies.
pub fn implied<'a>(domain: &SemanticDomain, value: &'a str) -> Option<&'a str> {
    let siren = match domain.oid {
        oid if oid == siret::SIRET.oid => value.get(..SIREN_DIGITS),
        oid if oid == vat_number::VAT_NUMBER.oid => {
            // Two characters of a key stand between the country and the number.
            value.strip_prefix("FR").and_then(|rest| rest.get(2..))
        }
        _ => None,
    };
    let digits = |siren: &&str| {
        siren.len() == SIREN_DIGITS && siren.bytes().all(|byte| byte.is_ascii_digit())
    };
    siren.filter(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_names_its_company() {
        for (domain, value, siren) in [
            (&siret::SIRET, "73282932000074", Some("732829320")),
            (&vat_number::VAT_NUMBER, "FR44732829320", Some("732829320")),
            (&vat_number::VAT_NUMBER, "DE123456789", None),
            (&siren::SIREN, "732829320", None),
            (&siret::SIRET, "7328", None),
        ] {
            assert_eq!(implied(domain, value), siren, "{} {value}", domain.name);
        }
    }
}
