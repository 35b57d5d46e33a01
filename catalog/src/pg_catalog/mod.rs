//! `pg_catalog` and `information_schema`: the definitions as PostgreSQL shows them; and `clientele`,
//! what the engine shows of itself.
//!
//! The engine asks at planning time: [`schema_of`] for the columns, [`relation`] for the rows,
//! built
//! from a [`Context`]: one instant, one role, one database. Which relations exist, with which
//! columns, is one table of facts, `sql/system_relations.tsv` (PostgreSQL 15's own, then ours). Rows come from
//! [`SOURCES`]: a file of rows (`sql/pg_catalog/*.tsv`, what never changes) or one short Rust file
//! per relation, which names the columns it fills; the others are NULL, zero, false or empty. A
//! relation without a source has no rows here, truthfully.
//!
//! ```sql
//! SELECT nspname FROM pg_catalog.pg_namespace WHERE oid = 2200;  -- public
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | [`context`] | what the rows are drawn from |
//! | [`describe`] | the functions `pg_get_constraintdef`, `has_table_privilege`, `to_regclass` … |
//! | `relations` | one file per relation of `pg_catalog` |
//! | `information_schema` | one file per relation of `information_schema` |
//! | `clientele` | one file per relation of `clientele` |
//! | `facts` | what several relations need: indexes, privileges, derived OIDs, types, functions |

mod clientele;
pub mod context;
pub mod describe;
mod facts;
mod information_schema;
mod relations;
mod rows;
mod system_relation;
#[cfg(test)]
mod tests;
mod value;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

pub use context::{
    Argument, ArgumentMode, Context, CopyProgress, CursorFacts, Done, FunctionFacts, FunctionKind,
    JobFacts, JobKind, PreparedFacts, RelationFacts, SessionFacts, SettingFacts, Volatility,
};
pub use facts::expressions::{quote_identifier, quote_literal};
pub use facts::functions::{function_oid, is_function_of_postgresql, number_functions};
pub use facts::indexes::{DESCENDING, IndexPlaces, NULLS_FIRST};
pub use system_relation::SystemRelation;

use crate::definition::Oid;
use system_relation::{Source, find};

/// Where the rows of a relation come from. Relations that are not named have none.
const SOURCES: &[&[(&str, &str, Source)]] = &[
    relations::BUILT,
    relations::FILES,
    relations::ALIASES,
    information_schema::BUILT,
    information_schema::ALIASES,
    clientele::BUILT,
];

/// Every relation of the system schemas, by OID.
pub fn relation_names() -> impl Iterator<Item = &'static SystemRelation> {
    system_relation::all().iter()
}

/// The relation of that name: OID, kind, columns; `None` when there is none.
pub fn system_relation(schema: &str, name: &str) -> Option<&'static SystemRelation> {
    find(schema, name)
}

/// The columns of a relation, without building its rows.
pub fn schema_of(schema: &str, name: &str) -> Option<SchemaRef> {
    find(schema, name).map(SystemRelation::schema)
}

/// The rows of a relation; `None` when it does not exist.
pub fn relation(schema: &str, name: &str, context: &Context) -> Option<RecordBatch> {
    find(schema, name).map(|relation| relation.rows(context))
}

/// The OID of a system relation, what `tableoid` is in its rows.
pub fn relation_oid(schema: &str, name: &str) -> Option<Oid> {
    find(schema, name).map(|relation| relation.oid)
}
