//! Statements that change a view change its table (manual: sql-createview, updatable views).
//!
//! ```text
//! UPDATE v SET a = 1 WHERE b        UPDATE t AS v SET a = 1 WHERE (v.c > 0) AND (b)
//!   v: SELECT a, b FROM t WHERE c > 0
//! ```
//!
//! The role needs its privileges on the view, the view's owner those on the table.

use std::ops::ControlFlow;
use std::sync::Arc;

use clientele_catalog::definition::{Relation, RelationKind};
use sqlparser::ast::{
    Assignment, BinaryOperator, Expr, FromTable, GroupByExpr, Ident, Insert, ObjectName,
    OnConflictAction, OnInsert, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind as Qualified, SetExpr, Statement, TableAlias,
    TableAliasWithoutColumns, TableFactor, TableObject, TableWithJoins, Visit, VisitMut, Visitor,
    VisitorMut,
};

use super::insert::assigned;
use super::rows::{column_of, quoted};
use crate::error::{Error, Result};
use crate::planning::context::{Named, QueryContext};
use crate::planning::needs::Need;
use crate::planning::provider;
use crate::privacy::hide;
use crate::sql;
use crate::sql::place::{folded, name_parts};

/// A statement over the table of the view that it names.
pub(crate) struct Through {
    /// The statement.
    pub(crate) statement: Statement,
    /// The views, from the one that is named down to the last one over the table.
    views: Vec<Arc<Relation>>,
    /// What new rows must meet, by view: conditions over the table's columns.
    pub(crate) checks: Vec<(String, String)>,
}

/// How many views may stand on one another.
const DEPTH_MAX: usize = 32;

/// The statement over the table, if it changes a view.
///
/// # Errors
/// 55000 for a view that is more than some columns and rows of one table.
pub(super) fn through(context: &QueryContext, statement: &Statement) -> Result<Option<Through>> {
    let mut through: Option<Through> = None;
    let mut told: Vec<(Arc<Relation>, Expr)> = Vec::new();
    for _ in 0..DEPTH_MAX {
        let current = through.as_ref().map_or(statement, |through| &through.statement);
        let Some(view) = view_of(context, current)? else { break };
        let Some(base) = Base::of(context, &view, verb(current))? else { break };
        let mut next = current.clone();
        base.replace(&mut next, &view)?;
        let (mut views, mut checks) = through.map_or_else(Default::default, |one| {
            let Through { views, checks, .. } = one;
            (views, checks)
        });
        let cascaded = views.iter().any(|one: &Arc<Relation>| checks_below(one));
        if let Some(condition) = &base.condition
            && (cascaded || check_option(&view).is_some())
        {
            let condition = unqualified(condition.clone());
            checks.push((view.name.clone(), condition.to_string()));
            told.push((Arc::clone(&view), condition));
        }
        views.push(view);
        through = Some(Through { statement: next, views, checks });
    }
    if let Some(through) = through.as_ref().filter(|_| changes_rows(statement)) {
        must_tell_nothing(context, &through.statement, &told)?;
    }
    Ok(through)
}

/// Whether rows that are there get other values: what is left alone is in them as it is.
fn changes_rows(statement: &Statement) -> bool {
    match statement {
        Statement::Insert(insert) => insert.on.is_some(),
        other => !matches!(other, Statement::Delete(_)),
    }
}

/// Refuses check options with which somebody could try values that he does not see, unless who has
/// made the view sees them: what that selects by is his decision.
///
/// # Errors
/// 42501.
fn must_tell_nothing(
    context: &QueryContext,
    statement: &Statement,
    checks: &[(Arc<Relation>, Expr)],
) -> Result<()> {
    let Some(table) = name_of(statement).filter(|_| !checks.is_empty()) else { return Ok(()) };
    let table = context.relation(table)?;
    for (view, condition) in checks {
        let hidden = hide::refuse_hidden(context, &table, condition, None);
        if hidden.is_err() && !provider::invokes(view) {
            hide::refuse_hidden(&context.as_role(view.owner), &table, condition, None)?;
        } else {
            hidden?;
        }
    }
    Ok(())
}

impl Through {
    /// Who needs what: of the table the views' owners, of the views who looks at them.
    pub(super) fn needs(&self, context: &QueryContext, needs: Vec<Need>) -> Vec<Need> {
        let mut all = Vec::with_capacity(needs.len());
        for need in needs {
            if need.relation() != self.table(context) {
                all.push(need);
                continue;
            }
            let mut role = None;
            for view in &self.views {
                let on_view = need.over(view);
                all.push(role.map_or(on_view.clone(), |role| on_view.of(role)));
                role = if provider::invokes(view) { role } else { Some(view.owner) };
            }
            all.push(role.map_or(need.clone(), |role| need.of(role)));
        }
        all
    }

    fn table(&self, context: &QueryContext) -> u32 {
        let found = name_of(&self.statement).map(|name| context.resolve(&name_parts(name)));
        match found {
            Some(Ok(Some(Named::Relation(relation)))) => relation.oid,
            _ => 0,
        }
    }
}

/// `local` or `cascaded`, of a view with a check option.
fn check_option(view: &Relation) -> Option<&str> {
    let option = view.options.iter().find(|(name, _)| name == "check_option");
    option.map(|(_, value)| value.as_str())
}

fn checks_below(view: &Arc<Relation>) -> bool {
    check_option(view).is_some_and(|option| option != "local")
}

fn verb(statement: &Statement) -> &'static str {
    match statement {
        Statement::Insert(_) => "insert into",
        Statement::Update(_) => "update",
        _ => "delete from",
    }
}

/// The name of what a statement changes.
fn name_of(statement: &Statement) -> Option<&ObjectName> {
    let factor = match statement {
        Statement::Insert(insert) => match &insert.table {
            TableObject::TableName(name) => return Some(name),
            _ => return None,
        },
        Statement::Update(update) => &update.table.relation,
        Statement::Delete(delete) => match &delete.from {
            FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables) => {
                &tables.first()?.relation
            }
        },
        _ => return None,
    };
    match factor {
        TableFactor::Table { name, .. } => Some(name),
        _ => None,
    }
}

fn view_of(context: &QueryContext, statement: &Statement) -> Result<Option<Arc<Relation>>> {
    let Some(name) = name_of(statement) else { return Ok(None) };
    let Ok(relation) = context.relation(name) else { return Ok(None) };
    let changeable = relation.oid >= clientele_catalog::definition::FIRST_USER_OID
        && !crate::segments::is_segment(&relation);
    let is_view = matches!(relation.kind, RelationKind::View { .. });
    Ok((is_view && changeable).then_some(relation))
}

/// What a view is of.
struct Base {
    name: ObjectName,
    relation: Arc<Relation>,
    /// The name that the view's query has for it.
    label: String,
    condition: Option<Expr>,
}

impl Base {
    fn of(context: &QueryContext, view: &Relation, verb: &str) -> Result<Option<Self>> {
        let RelationKind::View { query } = &view.kind else { return Ok(None) };
        let query = sql::parse::query(query)?;
        if let Some(reason) = not_updatable(&query) {
            return Err(refused(view, verb, reason));
        }
        let SetExpr::Select(select) = *query.body else { return Ok(None) };
        let Select { from, selection, projection, .. } = *select;
        let single = "Views that do not select from a single table or view are not automatically \
                      updatable.";
        let [
            TableWithJoins { relation: TableFactor::Table { name, alias, args: None, .. }, joins },
        ] = from.as_slice()
        else {
            return Err(refused(view, verb, single));
        };
        if !joins.is_empty() {
            return Err(refused(view, verb, single));
        }
        let Some(Named::Relation(relation)) = context.resolve(&name_parts(name))? else {
            return Err(refused(view, verb, single));
        };
        // Columns keep their names here: others would have to be renamed everywhere.
        let is_column = |item: &SelectItem| match item {
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => true,
            SelectItem::UnnamedExpr(Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => true,
            SelectItem::ExprWithAlias { expr, alias } => match expr {
                Expr::Identifier(name) => folded(name) == folded(alias),
                Expr::CompoundIdentifier(parts) => {
                    parts.last().is_some_and(|name| folded(name) == folded(alias))
                }
                _ => false,
            },
            _ => false,
        };
        let known = view.live_columns().all(|column| relation.column(&column.name).is_some());
        if !known || !projection.iter().all(is_column) {
            let reason = "View columns that are not columns of their base relation are not \
                          updatable.";
            return Err(refused(view, verb, reason));
        }
        let label = match alias {
            Some(alias) => folded(&alias.name),
            None => relation.name.clone(),
        };
        Ok(Some(Self { name: name.clone(), relation, label, condition: selection }))
    }

    /// Puts the table in place of the view.
    fn replace(&self, statement: &mut Statement, view: &Relation) -> Result<()> {
        match statement {
            Statement::Insert(insert) => self.insert(insert, view),
            Statement::Update(update) => {
                let alone = update.from.is_none();
                known(view, &update.assignments)?;
                let label = self.factor(&mut update.table.relation, view);
                self.refuse_hidden(&update.assignments, view, (&label, alone))?;
                self.refuse_hidden(&update.selection, view, (&label, alone))?;
                self.refuse_hidden(&update.returning, view, (&label, alone))?;
                self.narrow(&mut update.selection, &label);
                expand(update.returning.as_mut(), view, &label);
                Ok(())
            }
            Statement::Delete(delete) => {
                let alone = delete.using.is_none();
                let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) =
                    &mut delete.from;
                let Some(table) = tables.first_mut() else { return Ok(()) };
                let label = self.factor(&mut table.relation, view);
                self.refuse_hidden(&delete.selection, view, (&label, alone))?;
                self.refuse_hidden(&delete.returning, view, (&label, alone))?;
                self.narrow(&mut delete.selection, &label);
                expand(delete.returning.as_mut(), view, &label);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn insert(&self, insert: &mut Insert, view: &Relation) -> Result<()> {
        insert.table = TableObject::TableName(self.name.clone());
        let alias = insert.table_alias.get_or_insert_with(|| TableAliasWithoutColumns {
            explicit: true,
            alias: quoted(&view.name),
        });
        let label = alias.alias.clone();
        if insert.columns.is_empty() && insert.source.is_some() {
            let names = view.live_columns().map(|column| vec![quoted(&column.name)].into());
            insert.columns = names.collect();
        }
        for name in &insert.columns {
            must_show(view, &name_parts(name).pop().unwrap_or_default())?;
        }
        if let Some(OnInsert::OnConflict(conflict)) = &insert.on
            && let OnConflictAction::DoUpdate(update) = &conflict.action
        {
            known(view, &update.assignments)?;
        }
        self.refuse_hidden(&insert.on, view, (&label, true))?;
        self.refuse_hidden(&insert.returning, view, (&label, true))?;
        expand(insert.returning.as_mut(), view, &label);
        Ok(())
    }

    /// The table under the name of the view.
    fn factor(&self, factor: &mut TableFactor, view: &Relation) -> Ident {
        let TableFactor::Table { name, alias, .. } = factor else { return quoted(&view.name) };
        *name = self.name.clone();
        let alias = alias.get_or_insert_with(|| TableAlias {
            explicit: true,
            name: quoted(&view.name),
            columns: Vec::new(),
            at: None,
        });
        alias.name.clone()
    }

    /// Adds the view's condition.
    fn narrow(&self, selection: &mut Option<Expr>, label: &Ident) {
        let Some(mut own) = self.condition.clone() else { return };
        let mut names = Qualify { base: self, label, depth: 0 };
        let _ = VisitMut::visit(&mut own, &mut names);
        let own = Expr::Nested(Box::new(own));
        *selection = Some(match selection.take() {
            None => own,
            Some(given) => Expr::BinaryOp {
                left: Box::new(own),
                op: BinaryOperator::And,
                right: Box::new(Expr::Nested(Box::new(given))),
            },
        });
    }

    /// Columns of the table that the view does not show are not there.
    fn refuse_hidden(
        &self,
        part: &impl Visit,
        view: &Relation,
        (label, alone): (&Ident, bool),
    ) -> Result<()> {
        let mut look = Hidden { base: self, view, label: folded(label), alone };
        match part.visit(&mut look) {
            ControlFlow::Break(name) => {
                Err(Error::new("42703", format!("column \"{name}\" does not exist")))
            }
            ControlFlow::Continue(()) => Ok(()),
        }
    }
}

/// Only columns of the view can be set.
fn known(view: &Relation, assignments: &[Assignment]) -> Result<()> {
    assignments.iter().try_for_each(|one| must_show(view, &assigned(one)?))
}

fn must_show(view: &Relation, column: &str) -> Result<()> {
    if view.column(column).is_some() {
        return Ok(());
    }
    let text = format!("column \"{column}\" of relation \"{}\" does not exist", view.name);
    Err(Error::new("42703", text))
}

/// `RETURNING *` shows the view's columns.
fn expand(returning: Option<&mut Vec<SelectItem>>, view: &Relation, label: &Ident) {
    let Some(items) = returning else { return };
    let own = |item: &SelectItem| match item {
        SelectItem::Wildcard(_) => true,
        SelectItem::QualifiedWildcard(Qualified::ObjectName(name), _) => {
            name_parts(name).pop().is_some_and(|name| name == folded(label))
        }
        _ => false,
    };
    *items = std::mem::take(items)
        .into_iter()
        .flat_map(|item| match own(&item) {
            true => view
                .live_columns()
                .map(|column| SelectItem::UnnamedExpr(column_of(label, &column.name)))
                .collect(),
            false => vec![item],
        })
        .collect();
}

struct Qualify<'a> {
    base: &'a Base,
    label: &'a Ident,
    depth: usize,
}

impl VisitorMut for Qualify<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let column = match &*expr {
            Expr::Identifier(name) if self.depth == 0 => folded(name),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [.., table, name] if folded(table) == self.base.label => folded(name),
                _ => return ControlFlow::Continue(()),
            },
            _ => return ControlFlow::Continue(()),
        };
        if self.base.relation.column(&column).is_some() {
            *expr = column_of(self.label, &column);
        }
        ControlFlow::Continue(())
    }
}

struct Hidden<'a> {
    base: &'a Base,
    view: &'a Relation,
    label: String,
    /// There is no other table that a bare name could be of.
    alone: bool,
}

impl Visitor for Hidden<'_> {
    type Break = String;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<String> {
        let name = match expr {
            Expr::Identifier(name) if self.alone => folded(name),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [.., table, name] if folded(table) == self.label => folded(name),
                _ => return ControlFlow::Continue(()),
            },
            _ => return ControlFlow::Continue(()),
        };
        let hidden =
            self.base.relation.column(&name).is_some() && self.view.column(&name).is_none();
        if hidden { ControlFlow::Break(name) } else { ControlFlow::Continue(()) }
    }
}

/// A condition over the columns alone, as new rows are checked.
fn unqualified(mut condition: Expr) -> Expr {
    let _ = sqlparser::ast::visit_expressions_mut(&mut condition, |expr| {
        if let Expr::CompoundIdentifier(parts) = expr
            && let Some(name) = parts.pop()
        {
            *expr = Expr::Identifier(name);
        }
        ControlFlow::<()>::Continue(())
    });
    condition
}

/// Why a view is more than some columns and rows of a table (PostgreSQL's
/// `view_query_is_auto_updatable`).
fn not_updatable(query: &Query) -> Option<&'static str> {
    if query.with.is_some() {
        return Some("Views containing WITH are not automatically updatable.");
    }
    if query.limit_clause.is_some() || query.fetch.is_some() {
        return Some("Views containing LIMIT or OFFSET are not automatically updatable.");
    }
    let SetExpr::Select(select) = query.body.as_ref() else {
        let reason =
            "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable.";
        return Some(reason);
    };
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    if select.distinct.is_some() {
        return Some("Views containing DISTINCT are not automatically updatable.");
    }
    if grouped {
        return Some("Views containing GROUP BY are not automatically updatable.");
    }
    if select.having.is_some() {
        return Some("Views containing HAVING are not automatically updatable.");
    }
    None
}

fn refused(view: &Relation, verb: &str, reason: &str) -> Error {
    Error::new("55000", format!("cannot {verb} view \"{}\"", view.name))
        .with_detail(reason)
        .with_hint("Change the tables that it is over.")
}

/// Refuses a check option of a view that it could not be checked for.
///
/// # Errors
/// 0A000.
pub(super) fn check_definition(context: &QueryContext, view: &Relation) -> Result<()> {
    let Some(option) = check_option(view) else { return Ok(()) };
    if !matches!(option, "local" | "cascaded") {
        let text = "invalid value for enum option \"check_option\": ".to_owned() + option;
        return Err(
            Error::new("22023", text).with_detail("Valid values are \"local\" and \"cascaded\".")
        );
    }
    let text = "WITH CHECK OPTION is supported only on automatically updatable views";
    match Base::of(context, view, "update") {
        Ok(Some(base)) if base.condition.as_ref().is_some_and(|one| sql::queries_in(one) > 0) => {
            Err(Error::unsupported("WITH CHECK OPTION of a view with a subquery"))
        }
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(Error::new("0A000", text)),
        Err(error) => {
            let error = error.detail.map(|detail| Error::new("0A000", text).with_hint(detail));
            Err(error.unwrap_or_else(|| Error::new("0A000", text)))
        }
    }
}
