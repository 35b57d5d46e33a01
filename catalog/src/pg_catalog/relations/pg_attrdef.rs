//! `pg_attrdef`: defaults and generation expressions. PostgreSQL manual: catalog-pg-attrdef.

use super::super::facts::{expressions, oids};
use super::super::system_relation::relation;

relation! { (context) (relation, column, expression) in context.relations().flat_map(|relation| {
    relation.live_columns().filter_map(move |column| {
        Some((relation, column, expressions::default(context, column)?))
    })
}) => {
    oid: oids::part(relation.oid, column.number.unsigned_abs().into()),
    adrelid: relation.oid,
    adnum: column.number,
    adbin: expression,
} }
