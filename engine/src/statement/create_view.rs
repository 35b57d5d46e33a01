//! `CREATE [OR REPLACE] VIEW` (manual: sql-createview).
//!
//! A view is kept as SQL with the names of its relations qualified, so that it means the same
//! under every search path.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use clientele_catalog::definition::{FIRST_USER_OID, Object, Relation, RelationKind};
use sqlparser::ast::{CreateView, DataType, Expr, Ident, ObjectName, Query, VisitMut, VisitorMut};

use super::create_materialized_view::with_options;
use super::create_table::{empty, take_columns};
use super::dependency;
use super::grant::grants_of_new;
use super::rows::quoted;
use super::view_target;
use crate::error::{Error, Result};
use crate::planning::context::{Named, QueryContext};
use crate::planning::{self, inline};
use crate::session::Session;
use crate::sql::place::{folded, name_parts};
use crate::{refresh, segments};

/// Runs a CREATE VIEW.
pub(super) async fn execute(session: &mut Session, create: &CreateView) -> Result<String> {
    const TAG: &str = "CREATE VIEW";
    session.writable(TAG)?;
    let parts = name_parts(&create.name);
    let context = match create.or_replace {
        true => session.context_to_change(|context| dependency::touched(context, &parts)).await?,
        false => session.context().await?,
    };
    let (schema, name) = match create.temporary {
        true => {
            context.must_have_on_database('T')?;
            (session.temporary.schema().oid, name_parts(&create.name).pop().unwrap_or_default())
        }
        false => context.view_target(&create.name)?,
    };
    let existing = context.catalog().relation(schema, &name).map(Arc::clone);
    let replaced = match &existing {
        Some(old) if create.or_replace && matches!(old.kind, RelationKind::View { .. }) => {
            Some(old)
        }
        Some(_) if create.or_replace => {
            return Err(Error::new("42809", format!("\"{name}\" is not a view")));
        }
        Some(_) => return Err(Error::new("42P07", format!("relation \"{name}\" already exists"))),
        None => None,
    };
    let oid = replaced.map_or_else(|| session.store.allocate_oid(), |old| old.oid);
    let mut view = empty(oid, schema, &name, context.role.oid);
    view.temporary = create.temporary;
    view.grants = grants_of_new(&context, &view);
    let names: Vec<String> = create.columns.iter().map(|column| folded(&column.name)).collect();
    view.options = with_options(&create.options);
    // Who makes a view need not be able to read it (manual: sql-createview).
    let (looking, query) = (Arc::clone(&context), create.query.as_ref().clone());
    let planned =
        session.compute(async move { planning::describe_query(&looking, query, &[]) }).await?;
    take_columns(&context, &planned.columns, &names, &mut view)?;
    if let Some(old) = replaced {
        context.must_own_relation(old)?;
        keep_columns(old, &mut view)?;
    }
    let query = stored_query(&context, &create.query, &names)?;
    view.kind = RelationKind::View { query };
    refresh::options::check(&view)?;
    view_target::check_definition(&context, &view)?;
    if segments::is_segment(&view) {
        segments::define(session, &mut view).await?;
    }
    let work = session.work().await?;
    work.lock().await.put(Object::Relation(view));
    Ok(TAG.to_owned())
}

/// A replaced view keeps its columns and may add some at the end.
fn keep_columns(old: &Relation, new: &mut Relation) -> Result<()> {
    let mut columns = new.columns.iter_mut();
    for before in old.live_columns() {
        let Some(after) = columns.next() else {
            return Err(Error::new("42P16", "cannot drop columns from view"));
        };
        if before.name != after.name {
            let text = format!(
                "cannot change name of view column \"{}\" to \"{}\"",
                before.name, after.name
            );
            return Err(Error::new("42P16", text));
        }
        if before.pg_type.oid != after.pg_type.oid {
            let text = format!(
                "cannot change data type of view column \"{}\" from {} to {}",
                before.name,
                before.pg_type.sql_name(),
                after.pg_type.sql_name()
            );
            return Err(Error::new("42P16", text));
        }
        after.comment.clone_from(&before.comment);
        after.grants.clone_from(&before.grants);
    }
    new.owner = old.owner;
    new.comment.clone_from(&old.comment);
    new.grants.clone_from(&old.grants);
    Ok(())
}

/// The query with qualified names and, where the view names its columns, those names.
pub(super) fn stored_query(
    context: &QueryContext,
    query: &Query,
    names: &[String],
) -> Result<String> {
    let mut query = query.clone();
    let mut qualifier = Qualifier { context, ctes: HashSet::new() };
    if let ControlFlow::Break(error) = VisitMut::visit(&mut query, &mut qualifier) {
        return Err(error);
    }
    if names.is_empty() {
        return Ok(query.to_string());
    }
    let names: Vec<String> = names.iter().map(|name| quoted(name).to_string()).collect();
    Ok(format!("SELECT * FROM ({query}) AS source ({})", names.join(", ")))
}

struct Qualifier<'a> {
    context: &'a QueryContext,
    ctes: HashSet<String>,
}

impl VisitorMut for Qualifier<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        self.ctes.extend(ctes.map(|cte| folded(&cte.alias.name)));
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if let Some(name) = inline::qualified(self.context, expr)
            && let Expr::Function(function) = expr
        {
            function.name = name;
        }
        if let Expr::Cast { data_type: DataType::Custom(name, _), .. } = expr
            && let Some(domain) = self.context.domain(&name_parts(name))
            && domain.oid >= FIRST_USER_OID
            && let Some(schema) = self.context.catalog().schema_by_oid(domain.schema)
        {
            *name = ObjectName::from(vec![plain(&schema.name), plain(&domain.name)]);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<Error> {
        let parts = name_parts(relation);
        if let [name] = parts.as_slice()
            && self.ctes.contains(name)
        {
            return ControlFlow::Continue(());
        }
        match self.context.find_relation(&parts) {
            Ok(Some(Named::Relation(found))) => {
                let schema = self.context.catalog().schema_by_oid(found.schema);
                let schema = schema.map_or("public", |schema| schema.name.as_str());
                *relation = ObjectName::from(vec![plain(schema), plain(&found.name)]);
                ControlFlow::Continue(())
            }
            Ok(_) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// An identifier, quoted only where it must be.
pub(super) fn plain(name: &str) -> Ident {
    let simple = name.starts_with(|one: char| one.is_ascii_lowercase() || one == '_')
        && name.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_');
    if simple { Ident::new(name) } else { quoted(name) }
}
