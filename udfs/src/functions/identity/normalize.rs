//! `normalize_…`: the form under which two spellings are one value, NULL when nothing is left.

use clientele_identity::text::{birth_date, country, domain, phone, postcode, vat_number};
use datafusion::arrow::array::{ArrayRef, Date32Array};
use datafusion::arrow::datatypes::Date32Type;
use std::sync::Arc;

use super::by_distinct::texts;
use crate::functions::argument::{Call, Row};
use crate::functions::function::{Function, column_function};
use crate::{Result, ValueError};

macro_rules! of_domains {
    ($($signature:literal, $domain:ident, $description:literal;)*) => {
        vec![$(column_function($signature, $description, |call| {
            texts(call, |(value, _)| Ok((domain::$domain.normalize)(value)))
        })),*]
    };
}

pub(super) fn functions() -> Vec<Function> {
    let mut functions = of_domains! {
        "normalize_email(text) -> text", EMAIL,
            "E-mail address in lower case, without what its provider ignores.";
        "normalize_device_id(text) -> text", DEVICE_ID,
            "Device identifier; a UUID in lower case, without braces.";
        "normalize_loyalty_card(text) -> text", LOYALTY_CARD,
            "Letters and digits of a card number, in upper case.";
        "normalize_siren(text) -> text", SIREN, "French company number without separators.";
        "normalize_siret(text) -> text", SIRET, "French establishment number without separators.";
        "normalize_vat_number(text) -> text", VAT_NUMBER,
            "VAT number without separators, Greece under EL.";
        "normalize_web_domain(text) -> text", WEB_DOMAIN,
            "The registered domain of a host name or address of a page.";
        "normalize_given_name(text) -> text", GIVEN_NAME,
            "Given names without case, accents and punctuation.";
        "normalize_family_name(text) -> text", FAMILY_NAME,
            "Family name without case, accents and punctuation, particles joined.";
        "normalize_name(text) -> text", FULL_NAME,
            "Full name, given names first, without title, case, accents and punctuation.";
        "normalize_gender(text) -> text", GENDER, "f, m, x, or the word that was given.";
        "normalize_address(text) -> text", STREET_ADDRESS,
            "Street address in short forms, house number first, unit and post box last.";
        "normalize_city(text) -> text", CITY,
            "Town without case, accents and punctuation, abbreviations written out.";
        "normalize_country(text) -> text", COUNTRY,
            "ISO 3166-1 alpha-2 code of a country's code or name.";
        "normalize_ip_address(text) -> text", IP_ADDRESS,
            "Internet address in its shortest form.";
        "normalize_geo_point(text) -> text", GEO_POINT,
            "Latitude and longitude with six decimals.";
    };
    functions.extend([
        column_function(
            "normalize_phone(text) -> text; normalize_phone(text, region text) -> text",
            "Telephone number as E.164; one without country is of the region.",
            |call| texts(call, |(value, code)| Ok(phone::normalize_in(value, region(code)?))),
        ),
        column_function(
            "normalize_postcode(text) -> text; normalize_postcode(text, country text) -> text",
            "Postal code without separators; as the country writes it.",
            |call| texts(call, |(value, country)| Ok(code_of_country(value, country))),
        ),
        column_function(
            "normalize_company_number(text) -> text",
            "SIREN, SIRET or VAT number without separators.",
            |call| texts(call, |(value, _)| Ok(vat_number::normalize(value))),
        ),
        column_function(
            "normalize_birth_date(text) -> date",
            "Date of birth in any of the common notations, day before month.",
            dates,
        ),
        column_function(
            "normalize_value(text, domain text) -> text",
            "The normal form of a value of a semantic domain.",
            |call| texts(call, |(value, name)| Ok((by_name(name)?.normalize)(value))),
        ),
    ]);
    functions
}

/// The numbering plan of a region; none for the empty code, which stands for "not given".
///
/// # Errors
/// An unknown code (22023).
pub(super) fn region(code: &str) -> Result<Option<phone::Region>> {
    if code.is_empty() {
        return Ok(None);
    }
    let known = phone::region(code);
    known.map(Some).ok_or_else(|| {
        ValueError::new("22023", format!("region \"{code}\" not recognized"))
            .with_hint("Give the ISO 3166-1 alpha-2 code of a country.")
    })
}

/// The domain of a name.
///
/// # Errors
/// 42704, as for a type.
pub(super) fn by_name(name: &str) -> Result<&'static domain::Domain> {
    let domain = domain::by_name(name);
    domain.ok_or_else(|| ValueError::new("42704", format!("domain \"{name}\" does not exist")))
}

/// A country's name is as good as its code; what is neither is no country whose form is known.
fn code_of_country(value: &str, country: &str) -> Option<String> {
    postcode::normalize_in(value, country::code(country).unwrap_or_default())
}

fn dates(call: &Call<'_>) -> Result<ArrayRef> {
    let day = |index| {
        let text = Row::new(call, index).text_opt(0)?;
        birth_date::parse(text).map(Date32Type::from_naive_date)
    };
    Ok(Arc::new((0..call.rows).map(day).collect::<Date32Array>()))
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn normal_forms() {
        check(&[
            ("normalize_email('J.Doe+news@GoogleMail.com')", "jdoe@gmail.com"),
            ("normalize_email('jane')", "NULL"),
            ("normalize_email(NULL)", "NULL"),
            ("normalize_phone('06 12 34 56 78')", "0612345678"),
            ("normalize_phone('06 12 34 56 78', 'fr')", "+33612345678"),
            ("normalize_phone('06 12 34 56 78', NULL)", "NULL"),
            ("normalize_name('Dr. DE LA CRUZ, María')", "maria delacruz"),
            ("normalize_address('Apt. 4, 12 Main Street')", "12 main st apt 4"),
            ("normalize_postcode('F-1000', 'France')", "01000"),
            ("normalize_postcode('sw1a 1aa')", "SW1A1AA"),
            ("normalize_company_number('732 829 320')", "732829320"),
            ("normalize_birth_date('29.02.1980')", "1980-02-29"),
            ("normalize_birth_date('soon')", "NULL"),
            ("normalize_value('Österreich', 'country')", "AT"),
        ]);
        check_errors(&[
            ("normalize_phone('1', 'XX')", "22023", "region \"XX\" not recognized"),
            ("normalize_value('1', 'colour')", "42704", "domain \"colour\" does not exist"),
        ]);
    }
}
