//! `pg_index`: indexes. PostgreSQL manual: catalog-pg-index.

use super::super::facts::indexes;
use super::super::system_relation::relation;

relation! { (context) (index, (classes, collations)) in indexes::all(context).map(|index| {
    let classes_and_collations = index.classes_and_collations();
    (index, classes_and_collations)
}) => {
    indexrelid: index.oid,
    indrelid: index.relation.oid,
    indnatts: index.columns.len() as i64,
    indnkeyatts: index.columns.len() as i64,
    indisunique: index.unique,
    indisprimary: index.primary,
    indimmediate: true,
    indisclustered: index.is_sort_order(),
    indisvalid: true,
    indisready: true,
    indislive: true,
    indkey: index.columns.to_vec(),
    indcollation: collations,
    indclass: classes,
    indoption: index.options(),
    indexprs: (!index.expressions.is_empty()).then(|| index.expressions.join(", ")),
    indpred: index.predicate,
} }
