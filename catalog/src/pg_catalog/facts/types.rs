//! Base types as `pg_type` has them: PostgreSQL's own rows for the types of the engine.

use std::collections::HashMap;
use std::sync::OnceLock;

use clientele_udfs::types::PgType;

use crate::definition::Oid;

const TYPES: &str = include_str!("../../../sql/types.tsv");

/// Facts of a type beside those of [`clientele_udfs::types::TypeFacts`] (manual: catalog-pg-type).
pub(crate) struct TypeRow {
    pub(crate) oid: Oid,
    pub(crate) name: &'static str,
    pub(crate) length: i16,
    pub(crate) by_value: bool,
    pub(crate) kind: char,
    pub(crate) category: char,
    pub(crate) preferred: bool,
    pub(crate) element: Oid,
    pub(crate) array: Oid,
    pub(crate) input: Oid,
    pub(crate) output: Oid,
    pub(crate) receive: Oid,
    pub(crate) send: Oid,
    pub(crate) modifier_input: Oid,
    pub(crate) modifier_output: Oid,
    pub(crate) align: char,
    pub(crate) storage: char,
    pub(crate) collation: Oid,
}

/// Every type of the engine, arrays included, by OID.
pub(crate) fn all() -> &'static [TypeRow] {
    static ALL: OnceLock<Vec<TypeRow>> = OnceLock::new();
    ALL.get_or_init(|| TYPES.lines().skip(1).filter_map(parse).collect())
}

/// The type of that OID.
pub(crate) fn find(oid: Oid) -> Option<&'static TypeRow> {
    static BY_OID: OnceLock<HashMap<Oid, &'static TypeRow>> = OnceLock::new();
    let by_oid = BY_OID.get_or_init(|| all().iter().map(|row| (row.oid, row)).collect());
    by_oid.get(&oid).copied()
}

/// The facts of a column's type; those of `text` for a type that nobody knows.
pub(crate) fn of(pg_type: PgType) -> Option<&'static TypeRow> {
    find(pg_type.oid).or_else(|| find(PgType::TEXT.oid))
}

fn parse(line: &'static str) -> Option<TypeRow> {
    let field: Vec<&str> = line.split('\t').collect();
    let text = |place: usize| field.get(place).copied();
    let oid = |place: usize| text(place).and_then(|text| text.parse().ok());
    let letter = |place: usize| text(place).and_then(|text| text.chars().next());
    Some(TypeRow {
        oid: oid(0)?,
        name: text(1)?,
        length: text(2)?.parse().ok()?,
        by_value: text(3)? == "t",
        kind: letter(4)?,
        category: letter(5)?,
        preferred: text(6)? == "t",
        element: oid(8)?,
        array: oid(9)?,
        input: oid(10)?,
        output: oid(11)?,
        receive: oid(12)?,
        send: oid(13)?,
        modifier_input: oid(14)?,
        modifier_output: oid(15)?,
        align: letter(16)?,
        storage: letter(17)?,
        collation: oid(18)?,
    })
}
