//! OIDs of things that definitions do not number: row types, defaults, rules, domain checks.
//!
//! PostgreSQL's OIDs are unique within one catalog, so a number derived from the owner's is enough
//! as long as no two rows of the same catalog share it. Derived numbers are above 2³⁰; those that
//! are handed out stay below.

use clientele_udfs::types::{DERIVED, PgType};

use crate::definition::Oid;

/// A table has at most 1600 columns.
const NUMBER_BITS: u32 = 11;
const OWNER_BITS: u32 = 20;

/// The row type of a relation (`pg_class.reltype`).
pub(crate) fn row_type(relation: Oid) -> Oid {
    PgType::row_of(relation).told().oid
}

/// The relation whose row type that is.
pub(crate) fn relation_of_row_type(row_type: Oid) -> Option<Oid> {
    (DERIVED..DERIVED * 2).contains(&row_type).then(|| row_type - DERIVED)
}

/// Part `number` of object `owner`: a column's default, a domain's check.
pub(crate) fn part(owner: Oid, number: usize) -> Oid {
    let number = Oid::try_from(number).unwrap_or_default() % (1 << NUMBER_BITS);
    DERIVED + ((owner % (1 << OWNER_BITS)) << NUMBER_BITS) + number
}

/// A number from a name, for functions that PostgreSQL does not have (FNV-1a).
pub(crate) fn from_text(text: &str) -> Oid {
    let hash = text
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    DERIVED + hash % DERIVED
}
