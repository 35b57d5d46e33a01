//! RETURNING of `UPDATE … FROM` and `DELETE … USING` (manual: sql-update): it sees the columns of
//! the other tables, too.
//!
//! The statement's query gives those that RETURNING names behind the target's own, each as
//! `column MARK table`, which the rules for names of outputs show as `column`.

use std::ops::ControlFlow;
use std::sync::Arc;

use clientele_catalog::definition::Relation;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::logical_expr::LogicalPlan;
use sqlparser::ast::{
    Expr, Ident, Query, SelectItem, SelectItemQualifiedWildcardKind, TableFactor, TableWithJoins,
    VisitMut, VisitorMut,
};

use super::rows;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::describe_query;
use crate::planning::output_names::MARK;
use crate::sql;
use crate::sql::place::{folded, name_parts};

/// What a statement returns.
pub(super) struct Returning {
    /// RETURNING, over the target's columns and those of [`Returning::projection`].
    pub(super) items: Option<Vec<SelectItem>>,
    /// Columns of other tables that it names.
    others: Vec<Ident>,
}

impl Returning {
    /// RETURNING of a statement over a target, by the name that it has there, and other tables.
    ///
    /// # Errors
    /// 42702 for a name that may be of either.
    pub(super) fn new(
        context: &Arc<QueryContext>,
        (relation, label): (&Relation, &Ident),
        from: &[TableWithJoins],
        items: Option<&Vec<SelectItem>>,
    ) -> Result<Self> {
        let Some(items) = items.filter(|_| !from.is_empty()) else {
            return Ok(Self { items: items.cloned(), others: Vec::new() });
        };
        let mut sources = Vec::new();
        from.iter().for_each(|one| add_sources(context, one, &mut sources));
        let star = |item: &SelectItem| matches!(item, SelectItem::Wildcard(_));
        let used = match items.iter().any(star) {
            true => sources.iter().flat_map(Source::all).collect(),
            false => Vec::new(),
        };
        let mut names = Names { relation, label: folded(label), sources, used, depth: 0 };
        let mut shown = Vec::with_capacity(items.len());
        for item in items {
            match names.of_wildcard(item) {
                Some(columns) => shown.extend(columns),
                None => {
                    let mut item = item.clone();
                    if let ControlFlow::Break(error) = VisitMut::visit(&mut item, &mut names) {
                        return Err(error);
                    }
                    shown.push(item);
                }
            }
        }
        Ok(Self { items: Some(shown), others: names.used })
    }

    /// The columns of other tables, as the statement's query selects them.
    pub(super) fn projection(&self) -> impl Iterator<Item = SelectItem> {
        self.others.iter().filter_map(|name| {
            let (column, table) = name.value.split_once(MARK)?;
            let value = rows::column_of(&rows::quoted(table), column);
            Some(SelectItem::ExprWithAlias { expr: value, alias: name.clone() })
        })
    }
}

/// Fields of a statement's query behind those of the relation and the address of its row.
pub(super) fn others(plan: &LogicalPlan, relation: &Relation) -> Vec<FieldRef> {
    plan.schema().fields().iter().skip(1 + relation.live_columns().count()).cloned().collect()
}

/// Rows of a relation with the columns of other tables beside them.
///
/// # Errors
/// None in practice.
pub(super) fn beside(
    relation: &Relation,
    rows: Vec<RecordBatch>,
    of_query: &[RecordBatch],
) -> Result<Vec<RecordBatch>> {
    let own = 1 + relation.live_columns().count();
    if of_query.iter().all(|all| all.num_columns() <= own) {
        return Ok(rows);
    }
    let join = |(rows, all): (RecordBatch, &RecordBatch)| {
        let schema = all.schema();
        let others = schema.fields().iter().skip(own).cloned();
        let fields = rows.schema().fields().iter().cloned().chain(others).collect::<Vec<_>>();
        let columns = rows.columns().iter().chain(all.columns().iter().skip(own)).cloned();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.collect())
            .map_err(Error::internal)
    };
    rows.into_iter().zip(of_query).map(join).collect()
}

/// A table of FROM or USING.
struct Source {
    name: String,
    columns: Vec<String>,
}

impl Source {
    fn flat(&self, column: &str) -> Ident {
        rows::quoted(&format!("{column}{MARK}{}", self.name))
    }

    fn all(&self) -> impl Iterator<Item = Ident> {
        self.columns.iter().map(|column| self.flat(column))
    }
}

fn add_sources(context: &Arc<QueryContext>, table: &TableWithJoins, found: &mut Vec<Source>) {
    let joined = table.joins.iter().map(|join| &join.relation);
    for factor in std::iter::once(&table.relation).chain(joined) {
        match factor {
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                add_sources(context, table_with_joins, found);
            }
            factor => found.extend(source(context, factor)),
        }
    }
}

/// `None` for what cannot be planned alone: a LATERAL one.
fn source(context: &Arc<QueryContext>, factor: &TableFactor) -> Option<Source> {
    let name = match factor {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::Function { alias: Some(alias), .. }
        | TableFactor::UNNEST { alias: Some(alias), .. }
        | TableFactor::NestedJoin { alias: Some(alias), .. } => folded(&alias.name),
        TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => {
            name_parts(name).pop()?
        }
        _ => return None,
    };
    let mut query = sql::parse::query("SELECT * FROM a").ok()?;
    if let sqlparser::ast::SetExpr::Select(select) = query.body.as_mut() {
        let relation = factor.clone();
        select.from = vec![TableWithJoins { relation, joins: Vec::new() }];
    }
    let columns = describe_query(context, query, &[]).ok()?.columns;
    Some(Source { name, columns: columns.into_iter().map(|column| column.name).collect() })
}

/// Puts the names of the query's columns in place of those of other tables.
struct Names<'a> {
    relation: &'a Relation,
    label: String,
    sources: Vec<Source>,
    used: Vec<Ident>,
    /// How many queries are around.
    depth: usize,
}

impl Names<'_> {
    /// `s.*`, or `t.*` of the target.
    fn of_wildcard(&mut self, item: &SelectItem) -> Option<Vec<SelectItem>> {
        let SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) =
            item
        else {
            return None;
        };
        let name = name_parts(name).pop()?;
        if name == self.label {
            let label = rows::quoted(&self.label);
            let column = |name: &str| SelectItem::UnnamedExpr(rows::column_of(&label, name));
            return Some(self.relation.live_columns().map(|one| column(&one.name)).collect());
        }
        let source = self.sources.iter().find(|one| one.name == name)?;
        let columns: Vec<Ident> = source.all().collect();
        columns.iter().for_each(|one| self.note(one));
        let shown = columns.into_iter().map(|one| SelectItem::UnnamedExpr(Expr::Identifier(one)));
        Some(shown.collect())
    }

    fn note(&mut self, column: &Ident) {
        if !self.used.contains(column) {
            self.used.push(column.clone());
        }
    }

    /// The column of another table that a name stands for.
    fn find(&self, parts: &[Ident]) -> Result<Option<Ident>> {
        let parts: Vec<String> = parts.iter().map(folded).collect();
        let has = |source: &&Source, column: &String| source.columns.contains(column);
        match parts.as_slice() {
            [column] if self.depth == 0 => {
                let mut found = self.sources.iter().filter(|one| has(one, column));
                let first = found.next();
                let of_target = self.relation.column(column).is_some();
                if found.next().is_some() || first.is_some() && of_target {
                    let text = format!("column reference \"{column}\" is ambiguous");
                    return Err(Error::new("42702", text));
                }
                Ok(first.map(|source| source.flat(column)))
            }
            [.., table, column] if *table != self.label => {
                let source = self.sources.iter().find(|one| one.name == *table);
                Ok(source.filter(|one| has(one, column)).map(|source| source.flat(column)))
            }
            _ => Ok(None),
        }
    }
}

impl VisitorMut for Names<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let found = match &*expr {
            Expr::Identifier(name) => self.find(std::slice::from_ref(name)),
            Expr::CompoundIdentifier(parts) => self.find(parts),
            _ => return ControlFlow::Continue(()),
        };
        match found {
            Ok(Some(column)) => {
                self.note(&column);
                *expr = Expr::Identifier(column);
                ControlFlow::Continue(())
            }
            Ok(None) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}
