//! Rows of a person in foreign tables. Nobody stitches rows that are read in place: they are found by
//! their identifiers, as those of the files are normalised.

use std::collections::BTreeSet;
use std::sync::Arc;

use clientele_catalog::catalog::BOOTSTRAP_ROLE_OID;
use clientele_catalog::definition::{Column, Relation};
use clientele_catalog::domains::{self, Kind, SemanticDomain, Subject};
use clientele_catalog::pg_catalog::{quote_identifier, quote_literal};
use datafusion::arrow::array::AsArray;
use futures::StreamExt;

use super::shares::sql_name;
use crate::error::{Error, Result};
use crate::national_numbers::normalized;
use crate::planning;
use crate::planning::context::QueryContext;
use crate::session::Session;
use crate::sql;

/// Foreign tables that have rows of a customer, each with the condition of these rows.
pub(super) async fn conditions(
    session: &Session,
    context: &Arc<QueryContext>,
    customer: u32,
) -> Result<Vec<(Arc<Relation>, String)>> {
    let mut found = Vec::new();
    let catalog = Arc::clone(context.catalog());
    for relation in catalog.relations().filter(|one| one.foreign().is_some()) {
        let mut same = Vec::new();
        for column in relation.live_columns() {
            let Some(meaning) = column.domain.and_then(|oid| domains::meaning(&catalog, oid))
            else {
                continue;
            };
            if meaning.kind != Kind::Identifier(Subject::Person) {
                continue;
            }
            let values = spellings(session, context, (relation, column, meaning), customer).await?;
            if !values.is_empty() {
                let values: Vec<String> = values.iter().map(|one| quote_literal(one)).collect();
                let name = quote_identifier(&column.name);
                same.push(format!("{name} IN ({})", values.join(", ")));
            }
        }
        if !same.is_empty() {
            found.push((Arc::clone(relation), same.join(" OR ")));
        }
    }
    Ok(found)
}

/// The values of a column, as the files spell them, that are identifiers of a customer.
async fn spellings(
    session: &Session,
    context: &Arc<QueryContext>,
    (relation, column, meaning): (&Relation, &Column, &'static SemanticDomain),
    customer: u32,
) -> Result<BTreeSet<String>> {
    let namespace = column.domain.unwrap_or_default();
    let (name, table) = (quote_identifier(&column.name), sql_name(context.catalog(), relation));
    let query = sql::parse::query(&format!("SELECT {name} FROM {table} WHERE {name} IS NOT NULL"))?;
    let context = context.as_role(BOOTSTRAP_ROLE_OID).seeing_clear();
    let planning = Arc::clone(&context);
    let planned =
        session.compute(async move { planning::plan_query(&planning, query, &[]) }).await?;
    let mut rows = session.stream(&context, planned.plan).await?;
    let people = &context.snapshot.customers.person;
    let is_theirs = |value: &str| {
        let normal = normalized(&context, meaning, value)?;
        let node = context.store.node_of(Subject::Person, namespace, &normal)?;
        Some(people.customer(node) == customer)
    };
    let mut found = BTreeSet::new();
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        let values = batch.column(0).as_string_view_opt();
        let values = values.ok_or_else(|| Error::internal("an identifier is no text"))?;
        let theirs = values.iter().flatten().filter(|value| is_theirs(value) == Some(true));
        found.extend(theirs.map(str::to_owned));
    }
    Ok(found)
}
