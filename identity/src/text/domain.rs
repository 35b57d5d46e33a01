//! What texts of each semantic domain look like: the table from which the catalog's domains and the
//! SQL functions `normalize_…` and `is_valid_…` derive.

use super::{
    birth_date, checks, city, country, device_id, email, family_name, fold, full_name, gender,
    geo_point, given_name, ip_address, phone, postcode, siren, siret, street_address, vat_number,
    web_domain,
};

/// The texts of a semantic domain.
#[derive(Debug, Clone, Copy)]
pub struct Domain {
    /// Its name in SQL.
    pub name: &'static str,
    /// Says why a text is none of the domain.
    pub validate: fn(&str) -> Result<(), String>,
    /// The form under which two spellings are one value; `None` when nothing is left.
    pub normalize: fn(&str) -> Option<String>,
}

const fn domain(
    name: &'static str,
    validate: fn(&str) -> Result<(), String>,
    normalize: fn(&str) -> Option<String>,
) -> Domain {
    Domain { name, validate, normalize }
}

/// `email`.
pub const EMAIL: Domain = domain("email", email::validate, email::normalize);
/// `phone`.
pub const PHONE: Domain = domain("phone", phone::validate, phone::normalize);
/// `device_id`.
pub const DEVICE_ID: Domain = domain("device_id", checks::key, device_id::normalize);
/// `customer_key`.
pub const CUSTOMER_KEY: Domain = domain("customer_key", checks::key, fold::trimmed);
/// `loyalty_card`.
pub const LOYALTY_CARD: Domain = domain("loyalty_card", checks::key, fold::compact);
/// `company_key`.
pub const COMPANY_KEY: Domain = domain("company_key", checks::key, fold::trimmed);
/// `siren`.
pub const SIREN: Domain = domain("siren", siren::validate, fold::compact);
/// `siret`.
pub const SIRET: Domain = domain("siret", siret::validate, fold::compact);
/// `vat_number`.
pub const VAT_NUMBER: Domain = domain("vat_number", vat_number::validate, vat_number::normalize);
/// `web_domain`.
pub const WEB_DOMAIN: Domain = domain("web_domain", web_domain::validate, web_domain::normalize);
/// `given_name`.
pub const GIVEN_NAME: Domain = domain("given_name", given_name::validate, given_name::normalize);
/// `family_name`.
pub const FAMILY_NAME: Domain =
    domain("family_name", family_name::validate, family_name::normalize);
/// `full_name`.
pub const FULL_NAME: Domain = domain("full_name", full_name::validate, full_name::normalize);
/// `birth_date`.
pub const BIRTH_DATE: Domain = domain("birth_date", birth_date::validate, birth_date::normalize);
/// `gender`.
pub const GENDER: Domain = domain("gender", gender::validate, gender::normalize);
/// `street_address`.
pub const STREET_ADDRESS: Domain =
    domain("street_address", street_address::validate, street_address::normalize);
/// `postcode`.
pub const POSTCODE: Domain = domain("postcode", postcode::validate, postcode::normalize);
/// `city`.
pub const CITY: Domain = domain("city", city::validate, city::normalize);
/// `country`.
pub const COUNTRY: Domain = domain("country", country::validate, country::normalize);
/// `ip_address`.
pub const IP_ADDRESS: Domain = domain("ip_address", ip_address::validate, ip_address::normalize);
/// `geo_point`.
pub const GEO_POINT: Domain = domain("geo_point", geo_point::validate, geo_point::normalize);
/// `free_text`.
pub const FREE_TEXT: Domain = domain("free_text", checks::anything, fold::trimmed);
/// `sensitive`.
pub const SENSITIVE: Domain = domain("sensitive", checks::anything, fold::trimmed);

/// All of them.
pub static DOMAINS: [Domain; 23] = [
    EMAIL,
    PHONE,
    DEVICE_ID,
    CUSTOMER_KEY,
    LOYALTY_CARD,
    COMPANY_KEY,
    SIREN,
    SIRET,
    VAT_NUMBER,
    WEB_DOMAIN,
    GIVEN_NAME,
    FAMILY_NAME,
    FULL_NAME,
    BIRTH_DATE,
    GENDER,
    STREET_ADDRESS,
    POSTCODE,
    CITY,
    COUNTRY,
    IP_ADDRESS,
    GEO_POINT,
    FREE_TEXT,
    SENSITIVE,
];

/// The domain of that name.
pub fn by_name(name: &str) -> Option<&'static Domain> {
    DOMAINS.iter().find(|domain| domain.name == name)
}
