//! What a relation and its columns are called, where they are, and whose they are.
//!
//! Views follow a renamed relation: their queries are put into its new name. A renamed column
//! would change what views show, so a column that a view uses keeps its name.

use std::ops::ControlFlow;
use std::sync::Arc;

use clientele_catalog::definition::{ConstraintKind, Grant, Object, Oid, Relation, RelationKind};
use sqlparser::ast::{Expr, Ident, Owner, VisitMut, VisitorMut};

use super::super::create_index::name_taken;
use super::super::create_view::plain;
use super::super::dependency;
use super::super::owner::new_owner;
use super::super::rows::quoted;
use super::columns::column_mut;
use super::{Target, put};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::rights::kind_of;
use crate::refresh::{Cause, How, Run};
use crate::segments;
use crate::session::Session;
use crate::sql;
use crate::sql::place::folded;

/// `RENAME TO`.
pub(in crate::statement) async fn rename(
    session: &mut Session,
    target: &Target,
    to: String,
) -> Result<()> {
    let relation = target.relation.as_ref().clone();
    if name_taken(target.context.catalog(), relation.schema, &to) {
        return Err(Error::new("42P07", format!("relation \"{to}\" already exists")));
    }
    let (schema, name) = (relation.schema, to);
    moved(session, target, Relation { schema, name, ..relation }).await
}

/// `SET SCHEMA`; sequences of its columns go with a table.
pub(in crate::statement) async fn change_schema(
    session: &mut Session,
    target: &Target,
    to: &str,
) -> Result<()> {
    let schema = match target.relation.kind {
        RelationKind::View { .. } | RelationKind::MaterializedView { .. } => {
            target.context.view_schema(to)?
        }
        _ => target.context.schema(to)?,
    };
    target.context.must_create_in(schema)?;
    let oid = target.relation.oid;
    if target.relation.temporary {
        return Err(Error::new("0A000", "cannot move objects into or out of temporary schemas"));
    }
    if schema == target.relation.schema {
        return Ok(());
    }
    for one in with_sequences(&target.context, oid) {
        if name_taken(target.context.catalog(), schema, &one.name) {
            let text = format!("relation \"{}\" already exists in schema \"{to}\"", one.name);
            return Err(Error::new("42P07", text));
        }
        let target = Target::fresh(session, one.oid).await?;
        let relation = target.relation.as_ref().clone();
        moved(session, &target, Relation { schema, ..relation }).await?;
    }
    Ok(())
}

/// A relation and the sequences that its columns own.
fn with_sequences(context: &QueryContext, oid: Oid) -> Vec<Arc<Relation>> {
    let belongs = |relation: &&Arc<Relation>| match &relation.kind {
        RelationKind::Sequence(sequence) => sequence.owned_by.is_some_and(|(table, _)| table == oid),
        _ => false,
    } || relation.oid == oid;
    context.catalog().relations().filter(belongs).map(Arc::clone).collect()
}

/// Puts a relation under its new name, and what names it.
async fn moved(session: &mut Session, target: &Target, after: Relation) -> Result<()> {
    let catalog = target.context.catalog();
    let schema =
        catalog.schema_by_oid(after.schema).map_or("public", |schema| schema.name.as_str());
    let mut objects: Vec<Object> =
        dependency::renamed(catalog, &target.relation, (schema, &after.name))?
            .into_iter()
            .map(Object::Relation)
            .collect();
    let mut after = after;
    if matches!(after.kind, RelationKind::Sequence(_)) {
        let before =
            catalog.schema_by_oid(target.relation.schema).map_or("public", |schema| &schema.name);
        let from = [before.to_owned(), target.relation.name.clone()];
        for table in catalog.relations() {
            if let Some(table) = with_sequence_renamed(table, &from, (schema, &after.name)) {
                objects.push(Object::Relation(table));
            }
        }
    }
    after.temporary = target.relation.temporary;
    if segments::is_segment(&after) {
        segments::define(session, &mut after).await?;
    }
    objects.push(Object::Relation(after.clone()));
    put(session, objects).await?;
    if segments::is_segment(&after)
        && matches!(after.kind, RelationKind::MaterializedView { populated: true, .. })
    {
        // The name has a history: dbt puts a new view in the place of the old one by renaming.
        let run = Run::new(session, Cause::Create, &target.context);
        let mut how = How::full("it has got this name");
        segments::record(session, &after, (&run, &mut how), None).await?;
    }
    Ok(())
}

/// A table whose defaults draw from a sequence, with the sequence's new name in them.
pub(in crate::statement) fn with_sequence_renamed(
    table: &Relation,
    from: &[String; 2],
    (schema, name): (&str, &str),
) -> Option<Relation> {
    let text = |default: &str| -> Option<String> {
        let inner = default.strip_prefix("nextval('")?.split_once('\'')?.0;
        let parts = match sql::parse::expression(inner).ok()? {
            Expr::CompoundIdentifier(parts) => parts.iter().map(folded).collect::<Vec<_>>(),
            _ => return None,
        };
        (parts == from).then(|| format!("nextval('{}.{}')", quoted(schema), quoted(name)))
    };
    let mut changed = table.clone();
    let mut any = false;
    for column in &mut changed.columns {
        if let Some(default) = column.default.as_deref().and_then(text) {
            column.default = Some(default);
            any = true;
        }
    }
    any.then_some(changed)
}

/// `OWNER TO`; sequences of its columns go with a table.
pub(in crate::statement) async fn change_owner(
    session: &mut Session,
    target: &Target,
    owner: &Owner,
) -> Result<()> {
    let owner = new_owner(&target.context, owner)?.oid;
    if !target.context.role.superuser {
        let rights = target.context.engine.cluster.rights(owner, target.context.database.oid);
        target.context.may_create_in(&rights, target.relation.schema)?;
    }
    let changed =
        with_sequences(&target.context, target.relation.oid).into_iter().map(|relation| {
            let mut relation = relation.as_ref().clone();
            let before = std::mem::replace(&mut relation.owner, owner);
            let of_columns = relation.columns.iter_mut().flat_map(|column| &mut column.grants);
            for grant in relation.grants.iter_mut().flatten().chain(of_columns) {
                hand_over(grant, before, owner);
            }
            Object::Relation(relation)
        });
    let changed: Vec<Object> = changed.collect();
    put(session, changed).await
}

/// What the old owner granted or was granted is the new one's (manual: ddl-priv).
fn hand_over(grant: &mut Grant, before: Oid, owner: Oid) {
    for role in [&mut grant.grantee, &mut grant.grantor] {
        if *role == before {
            *role = owner;
        }
    }
}

/// `RENAME COLUMN`.
pub(in crate::statement) async fn rename_column(
    session: &mut Session,
    target: &Target,
    name: &Ident,
    to: &Ident,
) -> Result<()> {
    let (name, to) = (folded(name), folded(to));
    let mut relation = target.relation.as_ref().clone();
    if relation.column(&name).is_none() {
        return Err(Error::new("42703", format!("column \"{name}\" does not exist")));
    }
    if relation.column(&to).is_some() {
        let text = format!("column \"{to}\" of relation \"{}\" already exists", relation.name);
        return Err(Error::new("42701", text));
    }
    if let Some(view) =
        dependency::users_of_column(target.context.catalog(), &relation, &name).first()
    {
        let text = format!("cannot rename column {name} of {}", target.shown());
        return Err(Error::new("0A000", text)
            .with_detail(format!("{} {} uses it.", kind_of(view), view.name))
            .with_hint("Drop the view, rename the column, and create the view again."));
    }
    column_mut(&mut relation, &name)?.name.clone_from(&to);
    for constraint in &mut relation.constraints {
        match &mut constraint.kind {
            ConstraintKind::Check { expression } => {
                *expression = with_column_renamed(expression, &name, &to)?;
            }
            ConstraintKind::UniqueIndex { expressions, predicate, .. } => {
                for text in expressions.iter_mut().chain(predicate) {
                    *text = with_column_renamed(text, &name, &to)?;
                }
            }
            _ => {}
        }
    }
    for index in &mut relation.indexes {
        for text in index.expressions.iter_mut().chain(&mut index.predicate) {
            *text = with_column_renamed(text, &name, &to)?;
        }
    }
    for column in &mut relation.columns {
        if let Some(generated) = &mut column.generated {
            *generated = with_column_renamed(generated, &name, &to)?;
        }
    }
    if let RelationKind::View { query } = &relation.kind {
        let names: Vec<String> =
            relation.live_columns().map(|column| quoted(&column.name).to_string()).collect();
        let query = format!("SELECT * FROM ({query}) AS source ({})", names.join(", "));
        relation.kind = RelationKind::View { query };
    }
    if segments::is_segment(&relation) {
        segments::define(session, &mut relation).await?;
    }
    put(session, [Object::Relation(relation)]).await
}

fn with_column_renamed(expression: &str, from: &str, to: &str) -> Result<String> {
    let mut tree = sql::parse::expression(expression)?;
    let _ = VisitMut::visit(&mut tree, &mut ColumnRename { from, to });
    Ok(tree.to_string())
}

struct ColumnRename<'a> {
    from: &'a str,
    to: &'a str,
}

impl VisitorMut for ColumnRename<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let last = match expr {
            Expr::Identifier(name) => Some(name),
            Expr::CompoundIdentifier(parts) => parts.last_mut(),
            _ => None,
        };
        if let Some(name) = last.filter(|name| folded(name) == self.from) {
            *name = plain(self.to);
        }
        ControlFlow::Continue(())
    }
}
