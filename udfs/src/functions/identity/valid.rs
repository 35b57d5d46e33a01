//! `is_valid_…`: whether a value is one of its domain, check digits included.

use chrono::{Days, Utc};
use clientele_identity::text::{
    birth_date, country, domain, phone, postcode, siren, siret, vat_number,
};

use super::by_distinct::booleans;
use super::normalize::{by_name, region};
use crate::functions::function::{Function, column_function};

macro_rules! of_domains {
    ($($signature:literal, $domain:ident, $description:literal;)*) => {
        vec![$(column_function($signature, $description, |call| {
            booleans(call, |(value, _)| Ok((domain::$domain.validate)(value).is_ok()))
        })),*]
    };
}

pub(super) fn functions() -> Vec<Function> {
    let mut functions = of_domains! {
        "is_valid_email(text) -> bool", EMAIL, "Whether it has the form of an e-mail address.";
        "is_valid_siren(text) -> bool", SIREN, "Whether it is a SIREN with a right check digit.";
        "is_valid_siret(text) -> bool", SIRET, "Whether it is a SIRET with a right check digit.";
        "is_valid_vat_number(text) -> bool", VAT_NUMBER,
            "Whether it is a VAT number with right check digits.";
        "is_valid_web_domain(text) -> bool", WEB_DOMAIN, "Whether it has the form of a host name.";
        "is_valid_country(text) -> bool", COUNTRY, "Whether it is a country of ISO 3166-1.";
        "is_valid_ip_address(text) -> bool", IP_ADDRESS, "Whether it is an internet address.";
        "is_valid_geo_point(text) -> bool", GEO_POINT, "Whether it is a place on earth.";
    };
    functions.extend([
        column_function(
            "is_valid_phone(text) -> bool; is_valid_phone(text, region text) -> bool",
            "Whether the numbering plan of its country, or else of the region, has the number.",
            |call| booleans(call, |(value, code)| Ok(phone::is_valid_in(value, region(code)?))),
        ),
        column_function(
            "is_valid_postcode(text) -> bool; is_valid_postcode(text, country text) -> bool",
            "Whether it has the form of a postal code, of the country's where one is given.",
            |call| {
                booleans(call, |(value, country)| {
                    Ok(postcode::is_valid_in(value, country::code(country).unwrap_or_default()))
                })
            },
        ),
        column_function(
            "is_valid_company_number(text) -> bool",
            "Whether it is a SIREN, SIRET or VAT number with right check digits.",
            |call| {
                booleans(call, |(value, _)| {
                    let checks = [siren::validate, siret::validate, vat_number::validate];
                    Ok(checks.iter().any(|validate| validate(value).is_ok()))
                })
            },
        ),
        column_function(
            "is_valid_birth_date(text) -> bool",
            "Whether it is a day on which somebody alive can be born.",
            |call| booleans(call, |(value, _)| Ok(is_birth_date(value))),
        )
        .stable(),
        column_function(
            "is_valid_value(text, domain text) -> bool",
            "Whether a value is one of a semantic domain.",
            |call| {
                booleans(call, |(value, name)| {
                    let future = name == domain::BIRTH_DATE.name && !is_birth_date(value);
                    Ok((by_name(name)?.validate)(value).is_ok() && !future)
                })
            },
        )
        .stable(),
    ]);
    functions
}

/// Not after tomorrow by UTC: today has begun somewhere.
fn is_birth_date(value: &str) -> bool {
    let latest = Utc::now().date_naive().checked_add_days(Days::new(1));
    birth_date::validate(value).is_ok() && birth_date::parse(value) <= latest
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn validity() {
        check(&[
            ("is_valid_email('jane@example.org')", "t"),
            ("is_valid_email('jane@')", "f"),
            ("is_valid_email(NULL)", "NULL"),
            ("is_valid_phone('06 12 34 56 78', 'FR')", "t"),
            ("is_valid_phone('06 12 34 56 78', 'US')", "f"),
            ("is_valid_phone('+33 6 12 34 56 78')", "t"),
            ("is_valid_siren('732 829 320')", "t"),
            ("is_valid_siret('35600000049837')", "t"),
            ("is_valid_vat_number('DE136695976')", "t"),
            ("is_valid_vat_number('DE136695977')", "f"),
            ("is_valid_company_number('73282932000074')", "t"),
            ("is_valid_postcode('75001', 'FR')", "t"),
            ("is_valid_postcode('7501A', 'FR')", "f"),
            ("is_valid_birth_date('29.02.1981')", "f"),
            ("is_valid_birth_date('2999-01-01')", "f"),
            ("is_valid_value('2999-01-01', 'birth_date')", "f"),
            ("is_valid_value('1980-01-01', 'birth_date')", "t"),
        ]);
    }
}
