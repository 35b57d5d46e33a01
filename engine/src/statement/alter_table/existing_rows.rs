//! Questions to the rows that are there already, when a rule becomes new for them.

use std::sync::Arc;

use clientele_catalog::definition::{Oid, Relation, RelationKind};
use clientele_catalog::pg_catalog::JobKind;
use clientele_catalog::{Catalog, Error as CatalogError};
use clientele_udfs::output;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{AsArray, RecordBatch};
use sqlparser::ast::{self, Expr};

use super::super::computed_key;
use super::super::create_view::plain;
use super::super::rows::quoted;
use crate::error::{Error, Result};
use crate::planning;
use crate::planning::context::QueryContext;
use crate::session::Session;
use crate::session::job::Job;
use crate::sql;

type Kind = clientele_catalog::definition::ConstraintKind;

/// Whether a relation has any row.
pub(in crate::statement) async fn any(
    session: &Session,
    context: &Arc<QueryContext>,
    relation: &Relation,
) -> Result<bool> {
    meets(session, context, relation, sql::parse::expression("true")?).await
}

/// The columns of tables that are of a domain.
pub(in crate::statement) fn columns_of(
    catalog: &Catalog,
    domain: Oid,
) -> Vec<(Arc<Relation>, String)> {
    let tables = catalog.relations().filter(|one| matches!(one.kind, RelationKind::Table));
    let columns = tables.flat_map(|relation| {
        let columns = relation.live_columns().filter(|column| column.domain == Some(domain));
        columns.map(|column| (Arc::clone(relation), column.name.clone())).collect::<Vec<_>>()
    });
    columns.collect()
}

/// Whether a condition is true for some row.
pub(in crate::statement) async fn meets(
    session: &Session,
    context: &Arc<QueryContext>,
    relation: &Relation,
    condition: Expr,
) -> Result<bool> {
    let mut query =
        sql::parse::query(&format!("SELECT 1 FROM {} LIMIT 1", qualified(context, relation)))?;
    if let ast::SetExpr::Select(select) = query.body.as_mut() {
        select.selection = Some(condition);
    }
    // The answer is of the rows as they are; who may ask is the caller's to say.
    let batches = run(session, &context.seeing_clear(), query).await?;
    Ok(batches.iter().any(|batch| batch.num_rows() > 0))
}

/// `"schema"."name"`, for queries made here.
pub(super) fn qualified(context: &QueryContext, relation: &Relation) -> String {
    let schema = context.catalog().schema_by_oid(relation.schema);
    let schema = schema.map_or("public", |schema| schema.name.as_str());
    format!("{}.{}", quoted(schema), quoted(&relation.name))
}

async fn run(
    session: &Session,
    context: &Arc<QueryContext>,
    query: ast::Query,
) -> Result<Vec<RecordBatch>> {
    let planning = Arc::clone(context);
    let planned =
        session.compute(async move { planning::plan_query(&planning, query, &[]) }).await?;
    session.collect(context, planned.plan).await
}

/// Refuses a key that rows have twice. The constraint is in the transaction's catalog already.
///
/// # Errors
/// 23505 `could not create unique index "t_a_key"`, the first such key in the DETAIL.
pub(in crate::statement) async fn are_unique(
    session: &mut Session,
    relation: &Relation,
    constraint: Oid,
) -> Result<()> {
    let checked = {
        let work = session.work().await?;
        let transaction = work.lock().await;
        let index = (relation.oid, constraint);
        let job = Job::of_index(&session.shared, JobKind::CreateIndex, index);
        transaction.check_unique(relation, constraint, &job.progress())
    };
    match checked {
        Err(CatalogError::UniqueViolation { constraint: name, .. }) => {
            let mut error =
                Error::new("23505", format!("could not create unique index \"{name}\""));
            let context = session.context().await?;
            error.object.schema =
                context.catalog().schema_by_oid(relation.schema).map(|one| one.name.clone());
            error.object.table = Some(relation.name.clone());
            error.object.constraint = Some(name);
            // The search for an example must not hide what is wrong.
            error.detail = duplicate(session, &context, relation, constraint).await.ok().flatten();
            Err(error)
        }
        other => Ok(other?),
    }
}

/// `Key (a, b)=(1, x) is duplicated.`
async fn duplicate(
    session: &Session,
    context: &Arc<QueryContext>,
    relation: &Relation,
    constraint: Oid,
) -> Result<Option<String>> {
    let Some(constraint) = relation.unique_constraint(constraint) else { return Ok(None) };
    let names = computed_key::parts(relation, constraint);
    let mut present: Vec<String> = names.iter().map(|name| format!("{name} IS NOT NULL")).collect();
    if let Kind::UniqueIndex { predicate: Some(predicate), .. } = &constraint.kind {
        present.push(format!("({predicate})"));
    }
    let list = names.join(", ");
    let query = sql::parse::query(&format!(
        "SELECT {list} FROM {} WHERE {} GROUP BY {list} HAVING count(*) > 1 LIMIT 1",
        qualified(context, relation),
        present.join(" AND ")
    ))?;
    let batches = run(session, context, query).await?;
    let Some(batch) = batches.iter().find(|batch| batch.num_rows() > 0) else { return Ok(None) };
    let mut values = Vec::new();
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        let pg_type = PgType::from_field(field);
        let text = output::to_text_array(array, pg_type, &output::Style::default())?;
        values.push(text.as_string_view().value(0).to_owned());
    }
    let shown = |name: &String| match name.strip_prefix('"').and_then(|one| one.strip_suffix('"')) {
        Some(column) => plain(column).to_string(),
        None => name.clone(),
    };
    let shown: Vec<String> = names.iter().map(shown).collect();
    Ok(Some(format!("Key ({})=({}) is duplicated.", shown.join(", "), values.join(", "))))
}
