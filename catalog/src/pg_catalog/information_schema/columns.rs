//! `columns`: columns of tables and views. PostgreSQL manual: infoschema-columns.

use super::super::context::Context;
use super::super::facts::columns::Table;
use super::super::facts::expressions;
use super::super::facts::sql_types::{SqlType, sql_type};
use super::super::relations::pg_sequence::sequences;
use super::super::system_relation::relation;
use super::tables::tables_and_views;
use crate::definition::{Column, Domain, Oid, Sequence};

relation! { (context) row in rows(context) => {
    table_catalog: &context.database.name,
    table_schema: row.schema.as_str(),
    table_name: row.table.as_str(),
    column_name: row.name.as_str(),
    ordinal_position: row.number,
    column_default: row.default,
    is_nullable: super::yes_or_no(!row.not_null),
    data_type: row.sql_type.data_type,
    character_maximum_length: row.sql_type.character_maximum_length,
    character_octet_length: row.sql_type.character_octet_length,
    numeric_precision: row.sql_type.numeric_precision,
    numeric_precision_radix: row.sql_type.numeric_precision_radix,
    numeric_scale: row.sql_type.numeric_scale,
    datetime_precision: row.sql_type.datetime_precision,
    domain_catalog: row.domain.map(|_| context.database.name.as_str()),
    domain_schema: row.domain.map(|domain| context.schema_name(domain.schema)),
    domain_name: row.domain.map(|domain| domain.name.as_str()),
    udt_catalog: &context.database.name,
    udt_schema: row.enumerated.map_or("pg_catalog", |one| context.schema_name(one.schema)),
    udt_name: row.sql_type.udt_name,
    dtd_identifier: row.number.to_string(),
    is_self_referencing: "NO",
    is_identity: super::yes_or_no(row.identity.is_some()),
    identity_generation: row.identity
        .map(|identity| if identity == 'a' { "ALWAYS" } else { "BY DEFAULT" }),
    identity_start: row.sequence.map(|one| one.start.to_string()),
    identity_increment: row.sequence.map(|one| one.increment.to_string()),
    identity_maximum: row.sequence.map(|one| one.maximum.to_string()),
    identity_minimum: row.sequence.map(|one| one.minimum.to_string()),
    identity_cycle: super::yes_or_no(row.sequence.is_some_and(|one| one.cycle)),
    is_generated: if row.generated.is_some() { "ALWAYS" } else { "NEVER" },
    generation_expression: row.generated,
    is_updatable: super::yes_or_no(row.updatable),
} }

struct Row<'a> {
    schema: String,
    table: String,
    name: String,
    number: i16,
    default: Option<String>,
    not_null: bool,
    sql_type: SqlType,
    domain: Option<&'a Domain>,
    enumerated: Option<&'a Domain>,
    identity: Option<char>,
    sequence: Option<&'a Sequence>,
    generated: Option<String>,
    updatable: bool,
}

fn rows(context: &Context) -> Vec<Row<'_>> {
    let rights = context.own_rights();
    let owned = |(_, sequence): &(_, &Sequence)| sequence.owned_by.is_some();
    let sequences: Vec<_> =
        sequences(context).filter(owned).map(|(_, sequence)| sequence).collect();
    let mut rows = Vec::new();
    for table in tables_and_views(context) {
        let is_seen = |column: Option<&Column>| match (&table, column) {
            (Table::User(_, relation), Some(column)) => rights.sees_column(relation, column),
            _ => true,
        };
        for column in table.columns().into_iter().filter(|one| is_seen(one.column)) {
            let definition = column.column;
            let identity = definition.and_then(|one| one.identity);
            let domain = column.domain.and_then(|oid| context.catalog.domain_by_oid(oid));
            let domain = domain.map(AsRef::as_ref);
            let enumerated = domain.filter(|one| !one.labels.is_empty());
            rows.push(Row {
                schema: table.schema_name().to_owned(),
                table: table.name().to_owned(),
                name: column.name.to_owned(),
                number: column.number,
                default: definition
                    .filter(|one| one.generated.is_none())
                    .and_then(|one| expressions::default(context, one)),
                not_null: column.not_null,
                sql_type: match enumerated {
                    Some(one) => SqlType::user_defined(&one.name),
                    None => sql_type(column.pg_type),
                },
                domain: domain.filter(|one| one.labels.is_empty()),
                enumerated,
                identity,
                sequence: identity
                    .and_then(|_| owned_sequence(&sequences, table.oid(), column.number)),
                generated: definition.and_then(|one| one.generated.clone()),
                updatable: table.kind() == 'r',
            });
        }
    }
    rows
}

fn owned_sequence<'a>(sequences: &[&'a Sequence], table: Oid, number: i16) -> Option<&'a Sequence> {
    sequences.iter().find(|sequence| sequence.owned_by == Some((table, number))).copied()
}
