//! `CREATE MATERIALIZED VIEW`, `REFRESH MATERIALIZED VIEW` (manual: sql-creatematerializedview).

use std::sync::Arc;

use clientele_catalog::definition::{Object, Relation, RelationKind};
use clientele_catalog::pg_catalog::JobKind;
use sqlparser::ast::{CreateTableOptions, CreateView, ObjectName, SqlOption};

use super::create_table::{empty, fill, plan_rows};
use super::create_view::stored_query;
use crate::error::{Error, Result};
use crate::planning;
use crate::session::Session;
use crate::session::job::Job;
use crate::sql;
use crate::sql::place::folded;

/// Runs a CREATE MATERIALIZED VIEW.
pub(super) async fn create(
    session: &mut Session,
    create: &CreateView,
    text: &str,
) -> Result<String> {
    const TAG: &str = "CREATE MATERIALIZED VIEW";
    session.writable(TAG)?;
    let context = session.context().await?;
    let (schema, name) = context.creation_target(&create.name)?;
    if context.catalog().relation(schema, &name).is_some() {
        return match create.if_not_exists {
            true => {
                session.notice(
                    "NOTICE",
                    "42P07",
                    format!("relation \"{name}\" already exists, skipping"),
                );
                Ok(TAG.to_owned())
            }
            false => Err(Error::new("42P07", format!("relation \"{name}\" already exists"))),
        };
    }
    let mut view = empty(session.store.allocate_oid(), schema, &name, context.role.oid);
    view.options = options(&create.options);
    let names: Vec<String> = create.columns.iter().map(|column| folded(&column.name)).collect();
    let plan = plan_rows(session, &context, &create.query, &names, &mut view).await?;
    let query = stored_query(&context, &create.query, &names)?;
    let populated = !text.trim_end().to_lowercase().ends_with("with no data");
    view.kind = RelationKind::MaterializedView { query, populated };
    {
        let work = session.work().await?;
        work.lock().await.put(Object::Relation(view.clone()));
    }
    if !populated {
        return Ok(TAG.to_owned());
    }
    let job = Job::new(&session.shared, JobKind::CreateMaterializedView, view.oid);
    let count = fill(session, &context, (&view, plan), &job).await?;
    Ok(format!("SELECT {count}"))
}

/// `WITH (name = value, …)`; a name alone is on.
pub(super) fn options(options: &CreateTableOptions) -> Vec<(String, String)> {
    let (CreateTableOptions::With(list)
    | CreateTableOptions::Options(list)
    | CreateTableOptions::Plain(list)) = options
    else {
        return Vec::new();
    };
    let pair = |option: &SqlOption| match option {
        SqlOption::KeyValue { key, value } => {
            Some((folded(key), value.to_string().trim_matches('\'').to_owned()))
        }
        SqlOption::Ident(name) => Some((folded(name), "true".to_owned())),
        _ => None,
    };
    list.iter().filter_map(pair).collect()
}

/// `REFRESH MATERIALIZED VIEW`: the new rows take the place of the old ones in one commit.
pub(super) async fn refresh(
    session: &mut Session,
    name: &ObjectName,
    no_data: bool,
) -> Result<String> {
    const TAG: &str = "REFRESH MATERIALIZED VIEW";
    session.writable(TAG)?;
    let context = session.context().await?;
    let view = context.relation(name)?;
    let RelationKind::MaterializedView { query, .. } = &view.kind else {
        return Err(Error::new("42809", format!("\"{}\" is not a materialized view", view.name)));
    };
    context.must_own_relation(&view)?;
    // What is under it is read with the owner's rights, whoever refreshes it.
    let context = context.as_role(view.owner);
    let job = Job::new(&session.shared, JobKind::RefreshMaterializedView, view.oid);
    let kind = RelationKind::MaterializedView { query: query.clone(), populated: !no_data };
    let definition = Relation { kind, ..view.as_ref().clone() };
    let parsed = sql::parse::query(query)?;
    let planning_context = Arc::clone(&context);
    let planned = session
        .compute(async move { planning::plan_query(&planning_context, parsed, &[]) })
        .await?;
    {
        let work = session.work().await?;
        let mut transaction = work.lock().await;
        if definition.kind != view.kind {
            transaction.put(Object::Relation(definition.clone()));
        }
        transaction.truncate(view.oid);
    }
    if !no_data {
        fill(session, &context, (&definition, planned.plan), &job).await?;
    }
    Ok(TAG.to_owned())
}
