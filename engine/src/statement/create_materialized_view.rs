//! `CREATE MATERIALIZED VIEW`, `REFRESH MATERIALIZED VIEW` (manual: sql-creatematerializedview).

use std::sync::Arc;

use clientele_catalog::definition::{ACCESS_METHOD, Object, RECOMMENDER, Relation, RelationKind};
use clientele_catalog::pg_catalog::JobKind;
use sqlparser::ast::{CreateTableOptions, CreateView, ObjectName, SqlOption};

use super::create_table::{empty, fill, plan_rows};
use super::create_view::stored_query;
use super::grant::grants_of_new;
use crate::error::{Error, Result};
use crate::recommend;
use crate::refresh::{self, Cause, How, Run, State, Together, options};
use crate::segments;
use crate::session::Session;
use crate::session::job::Job;
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
    let (schema, name) = context.view_target(&create.name)?;
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
    view.options = with_options(&create.options);
    view.grants = grants_of_new(&context, &view);
    let names: Vec<String> = create.columns.iter().map(|column| folded(&column.name)).collect();
    check_access_method(&mut view)?;
    let plan = plan_rows(session, &context, &create.query, &names, &mut view).await?;
    let query = stored_query(&context, &create.query, &names)?;
    let populated = !text.trim_end().to_lowercase().ends_with("with no data");
    view.kind = RelationKind::MaterializedView { query, populated };
    options::check(&view)?;
    if view.is_recommender() {
        recommend::columns(&mut view)?;
    }
    if segments::is_segment(&view) {
        segments::define(session, &mut view).await?;
    }
    {
        let work = session.work().await?;
        work.lock().await.put(Object::Relation(view.clone()));
    }
    if !populated {
        return Ok(TAG.to_owned());
    }
    let job = Job::new(&session.shared, JobKind::CreateMaterializedView, view.oid);
    let count = match view.is_recommender() {
        true => session.compute(recommend::fill(Arc::clone(&context), view.clone())).await?,
        false => {
            let plan = refresh::of_somebody(&view, plan)?;
            fill(session, &context, (&view, plan), &job).await?
        }
    };
    let run = Run::new(session, Cause::Create, &context);
    let mut how = How::full("the view is new");
    if segments::is_segment(&view) {
        segments::record(session, &view, (&run, &mut how), None).await?;
    }
    session.refreshed(view.oid, State::after(&run, (&context.snapshot, &view), how));
    Ok(format!("SELECT {count}"))
}

/// `WITH (name = value, …)`; a name alone is on.
pub(super) fn with_options(options: &CreateTableOptions) -> Vec<(String, String)> {
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
    session.refresh_alone().await?;
    let context = session.context().await?;
    let view = context.relation(name)?;
    if !matches!(view.kind, RelationKind::MaterializedView { .. }) {
        return Err(Error::new("42809", format!("\"{}\" is not a materialized view", view.name)));
    }
    context.must_own_relation(&view)?;
    if no_data {
        refresh::empty(session, &view, false).await?;
        return Ok(TAG.to_owned());
    }
    let run = Run::new(session, Cause::Refresh, &context);
    let with = (&run, &mut Together::default());
    let how = Box::pin(refresh::refresh(session, &context, &view, with)).await?;
    session.refreshed(view.oid, State::after(&run, (&context.snapshot, &view), how));
    Ok(TAG.to_owned())
}

/// Refuses access methods that there are not; PostgreSQL's own is what a view without one has.
fn check_access_method(view: &mut Relation) -> Result<()> {
    view.options.retain(|(name, value)| name != ACCESS_METHOD || value != "heap");
    match view.access_method() {
        None | Some(RECOMMENDER) => Ok(()),
        Some(other) => {
            Err(Error::new("42704", format!("access method \"{other}\" does not exist")))
        }
    }
}
