//! `pg_aggregate`: which functions aggregate. PostgreSQL manual: catalog-pg-aggregate.

use super::super::context::FunctionKind;
use super::super::system_relation::relation;

relation! { (context) function in context.functions.iter()
    .filter(|function| function.kind == FunctionKind::Aggregate) => {
    aggfnoid: function.oid,
    aggkind: 'n',
    aggfinalmodify: 'r',
    aggmfinalmodify: 'r',
} }
