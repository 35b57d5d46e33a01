//! `pg_attribute`: columns of relations, views and indexes. PostgreSQL manual:
//! catalog-pg-attribute.

use super::super::context::Context;
use super::super::facts::columns;
use super::super::facts::expressions;
use super::super::facts::grants;
use super::super::facts::indexes::{self, Index};
use super::super::facts::types::{self, TypeRow};
use super::super::system_relation::{self, SystemRelation, relation};
use crate::definition::{Column, Oid, Relation};
use crate::privileges::Access;

relation! { (context) row in rows(context) => {
    attrelid: row.relation,
    attname: row.name,
    atttypid: row.type_oid,
    attstattarget: if row.dropped { 0 } else { -1 },
    attlen: row.facts.map_or(-1, |facts| facts.length),
    attnum: row.number,
    attndims: i32::from(row.facts.is_some_and(|facts| facts.category == 'A')),
    attcacheoff: -1,
    atttypmod: row.modifier,
    attbyval: row.facts.is_some_and(|facts| facts.by_value),
    attalign: row.facts.map_or('i', |facts| facts.align),
    attstorage: row.facts.map_or('x', |facts| facts.storage),
    attnotnull: row.not_null,
    atthasdef: row.has_default,
    atthasmissing: row.missing.is_some(),
    attidentity: row.identity.map(String::from).unwrap_or_default(),
    attgenerated: if row.generated { "s" } else { "" },
    attisdropped: row.dropped,
    attislocal: true,
    attcollation: if row.dropped { 0 } else { row.facts.map_or(0, |facts| facts.collation) },
    attacl: row.acl,
    attmissingval: row.missing.map(|value| vec![value]),
} }

struct Row<'a> {
    relation: Oid,
    name: String,
    type_oid: Oid,
    facts: Option<&'static TypeRow>,
    number: i16,
    modifier: i32,
    not_null: bool,
    has_default: bool,
    missing: Option<&'a str>,
    identity: Option<char>,
    generated: bool,
    dropped: bool,
    acl: Option<Vec<String>>,
}

fn rows(context: &Context) -> Vec<Row<'_>> {
    let user = context.relations().flat_map(|relation| {
        relation.columns.iter().map(|column| of_column(context, relation, column))
    });
    let indexes = indexes::all(context).flat_map(|index| of_index(&index));
    user.chain(indexes).chain(system_relation::all().iter().flat_map(system)).collect()
}

fn of_column<'a>(context: &Context, relation: &Relation, column: &'a Column) -> Row<'a> {
    let type_oid =
        if column.dropped { 0 } else { columns::type_oid(column.pg_type, column.domain) };
    Row {
        relation: relation.oid,
        name: match column.dropped {
            true => format!("........pg.dropped.{}........", column.number),
            false => column.name.clone(),
        },
        type_oid,
        facts: types::of(column.pg_type),
        number: column.number,
        modifier: columns::modifier(column.pg_type, column.domain),
        not_null: column.not_null && !column.dropped,
        has_default: expressions::default(context, column).is_some() && !column.dropped,
        missing: column.missing.as_deref().filter(|_| !column.dropped),
        identity: column.identity.filter(|_| !column.dropped),
        generated: column.generated.is_some(),
        dropped: column.dropped,
        acl: grants::acl(&Access::column(relation, column), context),
    }
}

fn of_index<'a>(index: &Index<'a>) -> Vec<Row<'a>> {
    let column = |(number, place): (&i16, i16)| {
        let column = index.relation.column_by_number(*number)?;
        Some(Row {
            relation: index.oid,
            name: column.name.clone(),
            type_oid: columns::type_oid(column.pg_type, column.domain),
            facts: types::of(column.pg_type),
            number: place,
            modifier: columns::modifier(column.pg_type, column.domain),
            not_null: false,
            has_default: false,
            missing: None,
            identity: None,
            generated: false,
            dropped: false,
            acl: None,
        })
    };
    index.columns.iter().zip(1..).filter_map(column).collect()
}

fn system<'a>(relation: &'static SystemRelation) -> Vec<Row<'a>> {
    let column = |((name, pg_type, not_null), number): ((&str, _, bool), i16)| Row {
        relation: relation.oid,
        name: name.to_owned(),
        type_oid: columns::type_oid(pg_type, None),
        facts: types::of(pg_type),
        number,
        modifier: -1,
        not_null,
        has_default: false,
        missing: None,
        identity: None,
        generated: false,
        dropped: false,
        acl: None,
    };
    relation.columns().zip(1..).map(column).collect()
}
