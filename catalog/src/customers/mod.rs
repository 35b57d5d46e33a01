//! What the relations of schema `customers` are made of: the touchpoint tables, what their columns
//! say about a person or a company, and the definitions that follow.
//!
//! `customers.profiles` has a column for each kind of identifier and attribute that any touchpoint
//! table has. Its definition is a function of the other definitions ([`derive`]); the catalog asks
//! for it when somebody looks, so nothing has to be kept in step.
//!
//! ```sql
//! CREATE TABLE crm.contacts (email email, born birth_date);
//! SELECT customer_id, email, birth_date, last_seen_at FROM customers.profiles;
//! ```

mod relations;
#[cfg(test)]
mod tests;
mod touchpoints;

pub use relations::{account_members, derive, is_derived};
pub use touchpoints::{Attribute, Feed, Touchpoint, Touchpoints};

use crate::definition::Oid;

/// `customers.profiles`.
pub const PROFILES: Oid = 14100;
/// `customers.accounts`.
pub const ACCOUNTS: Oid = 14101;
/// `customers.attributes`.
pub const ATTRIBUTES: Oid = 14102;
/// `customers.account_members`.
pub const ACCOUNT_MEMBERS: Oid = 14103;
/// `customers.survivorship`.
pub const SURVIVORSHIP: Oid = 14104;
/// `customers.pinned_values`.
pub const PINNED_VALUES: Oid = 14105;
/// `customers.household_rules`.
pub const HOUSEHOLD_RULES: Oid = 14106;
/// `customers.account_attributes`.
pub const ACCOUNT_ATTRIBUTES: Oid = 14109;
