//! Values of personal data as text: folding, validity, similarity.
//!
//! One file per domain, each with `validate`, which says why a value is none of the domain, and
//! `normalize`, the form under which two spellings are one value (`None` when nothing is left).
//! Normalising twice is normalising once, and no value makes either fail otherwise. [`domain`] is
//! the table of them.
//!
//! ```
//! use clientele_identity::text::{email, vat_number};
//!
//! assert_eq!(email::normalize(" Jane.Doe@GMail.com").as_deref(), Some("janedoe@gmail.com"));
//! assert!(email::validate("jane").is_err());
//! assert!(vat_number::validate("DE136695976").is_ok());
//! ```
//!
//! Keys of other systems have no file: [`checks::key`], [`fold::trimmed`], [`fold::compact`].
//! [`blocked`] has the values that stand for nothing, [`distinct`] computes once per distinct value,
//! [`compare`] says how alike two values are.

pub mod birth_date;
pub mod blocked;
pub mod checks;
pub mod city;
pub mod compare;
pub mod country;
pub mod device_id;
pub mod distinct;
pub mod domain;
pub mod email;
pub mod family_name;
pub mod fold;
pub mod full_name;
pub mod gender;
pub mod geo_point;
pub mod given_name;
pub mod ip_address;
pub mod phone;
pub mod postcode;
pub mod siren;
pub mod siret;
pub mod street_address;
#[cfg(test)]
mod tests;
pub mod vat_number;
pub mod web_domain;

pub use blocked::{Blocked, Blocklist, blocked_defaults};
