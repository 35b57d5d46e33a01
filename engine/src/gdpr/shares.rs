//! What tables have of a person: rows of the person, and rows that refer to them and name nobody
//! themselves (order lines), as an erasure takes them.

use std::sync::Arc;

use clientele_catalog::Catalog;
use clientele_catalog::definition::{ForeignKey, Oid, Relation, RelationKind};
use clientele_catalog::domains::Subject as Kind;
use clientele_catalog::features::{self, oids};
use clientele_catalog::pg_catalog::quote_identifier;
use datafusion::arrow::array::RecordBatch;

use super::in_place;
use super::rows::{self, select};
use super::subject::Subject;
use crate::error::Result;
use crate::planning::context::QueryContext;
use crate::session::Session;

/// How identifiers and their records are kept: `identity.identifiers` says the same in words.
const INTERNAL: &[Oid] = &[oids::NODES, oids::RECORDS];

/// The rows of a person in one table.
pub(super) struct Share {
    /// The table.
    pub(super) relation: Oid,
    /// Its name, with its schema.
    pub(super) table: String,
    /// Whether it is a table of the user's, not what features keep or what is made of tables.
    pub(super) is_own: bool,
    /// The rows.
    pub(super) rows: RecordBatch,
    /// The same as JSON.
    pub(super) objects: Vec<String>,
}

/// The person's rows of every table that has some; with `derived` also what features keep.
pub(super) async fn of(
    session: &Session,
    context: &Arc<QueryContext>,
    subject: &Subject,
    derived: bool,
) -> Result<Vec<Share>> {
    let customer = context.snapshot.customers.person.customer(subject.node);
    let catalog = Arc::clone(&context.snapshot.catalog);
    let mut shares = Vec::new();
    let stored = conditions(&catalog, customer, derived);
    let stored = stored.into_iter().map(|(relation, condition)| (Arc::clone(relation), condition));
    let in_place = in_place::conditions(session, context, customer).await?;
    for (relation, condition) in stored.chain(in_place) {
        let relation = relation.as_ref();
        let name = sql_name(&catalog, relation);
        let query = format!("SELECT * FROM {name} WHERE {condition}");
        let rows = select(session, context, &query).await?;
        if rows.num_rows() > 0 {
            let objects = objects(session, context, &query).await?;
            shares.push(Share {
                relation: relation.oid,
                table: catalog.qualified_name(relation),
                is_own: features::relation(relation.oid).is_none() && !is_made(relation),
                rows,
                objects,
            });
        }
    }
    shares.sort_by(|one, other| one.table.cmp(&other.table));
    Ok(shares)
}

/// Whether it is made of tables.
fn is_made(relation: &Relation) -> bool {
    matches!(relation.kind, RelationKind::MaterializedView { .. })
}

/// The rows of a query as JSON objects.
pub(super) async fn objects(
    session: &Session,
    context: &Arc<QueryContext>,
    query: &str,
) -> Result<Vec<String>> {
    let query = format!("SELECT row_to_json(r)::text AS object FROM ({query}) AS r");
    let found = select(session, context, &query).await?;
    let object = |row| rows::text(&found, "object", row).unwrap_or_default().to_owned();
    Ok((0..found.num_rows()).map(object).collect())
}

/// Tables, each with the condition of the rows of a customer.
fn conditions(catalog: &Catalog, customer: u32, derived: bool) -> Vec<(&Arc<Relation>, String)> {
    let is_kept = |one: &&Arc<Relation>| {
        // What was concluded about people they did not provide (art. 20; WP 242).
        let own = features::relation(one.oid).is_none() && !one.temporary && !is_made(one);
        one.stores_rows() && (own || derived)
    };
    let mut found: Vec<(&Arc<Relation>, String)> = Vec::new();
    for relation in catalog.relations().filter(is_kept) {
        let columns = relation.live_columns().filter(|one| one.subject == Some(Kind::Person));
        let own: Vec<String> =
            columns.map(|one| format!("{} = {customer}", quote_identifier(&one.name))).collect();
        let is_known = INTERNAL.contains(&relation.oid);
        if !own.is_empty() && !is_known {
            found.push((relation, own.join(" OR ")));
        }
    }
    // What a model recommends is computed: it stores no rows.
    let recommends = |one: &&Arc<Relation>| {
        let named = one.column("customer_id").is_some_and(|column| column.subject.is_none());
        derived && named && one.is_recommender() && one.is_populated()
    };
    let recommenders = catalog.relations().filter(recommends);
    found.extend(recommenders.map(|one| (one, format!("customer_id = {customer}"))));
    // Rows that refer to these, and rows that refer to those.
    let mut at = 0;
    while let Some((parent, condition)) = found.get(at).cloned() {
        at += 1;
        let children = catalog
            .relations()
            .filter(is_kept)
            .filter(|one| !one.live_columns().any(|column| column.subject == Some(Kind::Person)));
        for child in children {
            let is_new = !found.iter().any(|(one, _)| one.oid == child.oid);
            let keys = referring(child, parent.oid);
            if is_new && !keys.is_empty() {
                let parts = keys.iter().filter_map(|key| {
                    let own = names(child, key.columns)?;
                    let of_parent = names(parent, key.referenced)?;
                    let parent = sql_name(catalog, parent);
                    Some(format!("({own}) IN (SELECT {of_parent} FROM {parent} WHERE {condition})"))
                });
                found.push((child, parts.collect::<Vec<_>>().join(" OR ")));
            }
        }
    }
    found
}

fn referring(child: &Relation, parent: Oid) -> Vec<ForeignKey<'_>> {
    child.foreign_keys().filter(|key| key.references == parent).collect()
}

fn names(relation: &Relation, numbers: &[i16]) -> Option<String> {
    let name = |number: &i16| Some(quote_identifier(&relation.column_by_number(*number)?.name));
    Some(numbers.iter().map(name).collect::<Option<Vec<_>>>()?.join(", "))
}

/// The name of a relation as queries have it.
pub(super) fn sql_name(catalog: &Catalog, relation: &Relation) -> String {
    let schema = catalog.schema_by_oid(relation.schema);
    let schema = schema.map_or("", |one| one.name.as_str());
    format!("{}.{}", quote_identifier(schema), quote_identifier(&relation.name))
}
