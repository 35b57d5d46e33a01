//! The built-in semantic domains: what a column *means*.
//!
//! One file per domain; each gives one [`SemanticDomain`]: base type, GDPR category, default
//! masking, comparator for record matching; validity check and normaliser are those of
//! `clientele_identity::text`. Everything else
//! (`pg_type`, `CREATE TABLE t (email email)`, masking, identity, the register of processing)
//! derives from [`SEMANTIC_DOMAINS`]. A user's `CREATE DOMAIN crm_id AS customer_key` inherits
//! the meaning: [`meaning`] follows it up.
//!
//! ```sql
//! CREATE TABLE crm.contacts (email email, born birth_date);
//! INSERT INTO crm.contacts VALUES ('jane');
//! -- ERROR:  value for domain email violates check constraint "email_check"
//! ```

mod birth_date;
mod city;
mod company_key;
mod country;
mod customer_key;
mod device_id;
mod email;
mod family_name;
mod free_text;
mod full_name;
mod gender;
mod geo_point;
mod given_name;
mod implied;
mod ip_address;
mod loyalty_card;
mod phone;
mod postcode;
mod semantic_domain;
mod sensitive;
mod siren;
mod siret;
mod street_address;
#[cfg(test)]
mod tests;
mod vat_number;
mod web_domain;

pub use implied::{implied, implied_by};
pub use semantic_domain::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

use crate::catalog::{BOOTSTRAP_ROLE_OID, Catalog, PG_CATALOG_OID};
use crate::definition::{Domain, Oid};

/// Every built-in domain, by OID. The OIDs are fixed for ever: they stand in stored columns.
pub static SEMANTIC_DOMAINS: [SemanticDomain; 23] = [
    email::EMAIL,
    phone::PHONE,
    device_id::DEVICE_ID,
    customer_key::CUSTOMER_KEY,
    loyalty_card::LOYALTY_CARD,
    company_key::COMPANY_KEY,
    siren::SIREN,
    siret::SIRET,
    vat_number::VAT_NUMBER,
    web_domain::WEB_DOMAIN,
    given_name::GIVEN_NAME,
    family_name::FAMILY_NAME,
    full_name::FULL_NAME,
    birth_date::BIRTH_DATE,
    gender::GENDER,
    street_address::STREET_ADDRESS,
    postcode::POSTCODE,
    city::CITY,
    country::COUNTRY,
    ip_address::IP_ADDRESS,
    geo_point::GEO_POINT,
    free_text::FREE_TEXT,
    sensitive::SENSITIVE,
];

/// How far [`meaning`] follows domains over domains; a longer chain has no meaning.
const ANCESTORS_MAX: usize = 64;

/// The built-in domains as catalog entries of schema `pg_catalog`.
///
/// They carry no SQL checks: the engine calls [`SemanticDomain::validate`] instead.
pub fn built_in() -> Vec<Domain> {
    let domain = |semantic: &SemanticDomain| Domain {
        oid: semantic.oid,
        schema: PG_CATALOG_OID,
        name: semantic.name.to_owned(),
        owner: BOOTSTRAP_ROLE_OID,
        pg_type: semantic.base,
        parent: None,
        not_null: false,
        default: None,
        checks: Vec::new(),
        labels: Vec::new(),
        comment: Some(semantic.comment.to_owned()),
        grants: None,
    };
    SEMANTIC_DOMAINS.iter().map(domain).collect()
}

/// The built-in domain of that OID.
pub fn semantic(oid: Oid) -> Option<&'static SemanticDomain> {
    SEMANTIC_DOMAINS.iter().find(|semantic| semantic.oid == oid)
}

/// What a column means: follows its domain, user's or built-in, up to its built-in ancestor.
pub fn meaning(catalog: &Catalog, domain: Oid) -> Option<&'static SemanticDomain> {
    let mut oid = domain;
    for _ in 0..ANCESTORS_MAX {
        if let Some(semantic) = semantic(oid) {
            return Some(semantic);
        }
        oid = catalog.domain_by_oid(oid)?.parent?;
    }
    None
}
