//! Names that are no columns but mean something: `t` is the whole row of table `t`, `t.tableoid`
//! the table itself (manual, 5.5 and 8.16.5); `xmin` of a catalog's row is that of rows which
//! everybody sees. What a name is shows only when it is not found.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use sqlparser::ast::{
    DataType, Expr, Ident, JoinOperator, ObjectName, Query, Select, SelectItem, SetExpr,
    TableFactor, Visit, VisitMut, Visitor, VisitorMut,
};

use super::context::{Named, QueryContext};
use super::output_names::shown;
use crate::sql::place::{folded, name_parts};
use crate::sql::rewrite::{cast, own_call, row_is_null, text};

/// Puts what the name means in place of it; false when it means nothing.
pub fn expand(context: &QueryContext, query: &mut Query, error: &DataFusionError) -> bool {
    let DataFusionError::SchemaError(inner, _) = error.find_root() else { return false };
    let SchemaError::FieldNotFound { field, valid_fields } = inner.as_ref() else { return false };
    let name = field.name().to_owned();
    if name == "tableoid" {
        let relation = field.relation.as_ref().map(|one| one.table().to_owned());
        let only = || valid_fields.first()?.relation.as_ref().map(|one| one.table().to_owned());
        let Some(table) = relation.or_else(only).and_then(|alias| table_of(query, &alias)) else {
            return false;
        };
        let oid = cast(text(table.to_string()), DataType::Regclass);
        let oid = cast(oid, DataType::Custom(ObjectName::from(vec![Ident::new("oid")]), vec![]));
        return replace(query, &name, &oid);
    }
    if name == "xmin" {
        let relation = field.relation.as_ref().map(|one| one.table().to_owned());
        let only = || valid_fields.first()?.relation.as_ref().map(|one| one.table().to_owned());
        let table = relation.or_else(only).and_then(|alias| table_of(query, &alias));
        return table.is_some_and(|table| is_catalog(&table))
            && replace(query, &name, &cast(text(FROZEN), DataType::Custom(xid(), vec![])));
    }
    let of_row = |one: &&datafusion::common::Column| {
        one.relation.as_ref().is_some_and(|relation| relation.table() == name)
    };
    let columns: Vec<_> = valid_fields.iter().filter(of_row).collect();
    if field.relation.is_some() || columns.is_empty() {
        return false;
    }
    if let [column] = columns.as_slice()
        && is_of_values(query, &name)
    {
        // A function of values gives values, not rows of one column.
        let parts = [&name, &column.name].map(|part| Ident::with_quote('"', part));
        return replace(query, &name, &Expr::CompoundIdentifier(parts.into()));
    }
    let columns: Vec<String> = columns.into_iter().map(|column| column.name.clone()).collect();
    let common = HashSet::new();
    let (name, columns, bound) = (&name, &columns, Vec::new());
    let mut rows = Rows { context, name, columns, bound, common, done: false };
    let _ = VisitMut::visit(query, &mut rows);
    rows.done
}

/// FrozenTransactionId of PostgreSQL.
const FROZEN: &str = "2";

fn xid() -> ObjectName {
    ObjectName::from(vec![Ident::new("xid")])
}

fn is_catalog(table: &ObjectName) -> bool {
    let parts = name_parts(table);
    let name = match parts.as_slice() {
        [name] => name,
        [schema, name] if schema == "pg_catalog" => name,
        _ => return false,
    };
    clientele_catalog::pg_catalog::system_relation("pg_catalog", name).is_some()
}

/// Whether an alias stands for the set of values that a function returns.
fn is_of_values(query: &Query, alias: &str) -> bool {
    struct Find<'a>(&'a str);
    impl Visitor for Find<'_> {
        type Break = ();
        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            let TableFactor::Function { name, alias, .. } = factor else {
                return ControlFlow::Continue(());
            };
            let function = name_parts(name).pop().unwrap_or_default();
            let known = alias.as_ref().map_or(function.clone(), |alias| folded(&alias.name));
            let docs = clientele_udfs::functions::docs();
            let mut own = docs.iter().filter(|doc| doc.signature.name == function).peekable();
            let of_values = own.peek().is_some() && own.all(|doc| doc.signature.columns.len() <= 1);
            match known == self.0 && of_values {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        }
    }
    Visit::visit(query, &mut Find(alias)).is_break()
}

/// The table that an alias stands for.
fn table_of(query: &Query, alias: &str) -> Option<ObjectName> {
    struct Find<'a>(&'a str, Option<ObjectName>);
    impl Visitor for Find<'_> {
        type Break = ();
        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            if let TableFactor::Table { name, alias, .. } = factor {
                let known = match alias {
                    Some(alias) => folded(&alias.name),
                    None => name_parts(name).pop().unwrap_or_default(),
                };
                if known == self.0 {
                    self.1 = Some(name.clone());
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        }
    }
    let mut find = Find(alias, None);
    let _ = Visit::visit(query, &mut find);
    find.1
}

/// What a relation's name stands for in one SELECT.
#[derive(Clone, Default)]
struct Bound {
    /// Its columns, where they can be told from the text.
    columns: Option<Vec<String>>,
    /// Whether an outer join may have no row of it.
    may_miss: bool,
    /// The table or view whose row type its rows are of.
    relation: Option<u32>,
}

/// Puts rows in place of a relation's name. Several subqueries may each have a relation of that
/// name, with columns of its own.
struct Rows<'a> {
    context: &'a QueryContext,
    name: &'a str,
    /// Columns where nothing else is known.
    columns: &'a [String],
    /// What the SELECTs around say of the name, the innermost last.
    bound: Vec<Option<Bound>>,
    /// Names of common table expressions, which are no relations.
    common: HashSet<Vec<String>>,
    done: bool,
}

impl Rows<'_> {
    fn is_it(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Identifier(ident) if folded(ident) == self.name)
    }

    fn row(&self) -> Expr {
        let bound = self.bound.iter().rev().flatten().next().cloned().unwrap_or_default();
        let columns = bound.columns.unwrap_or_else(|| self.columns.to_vec());
        let fields = columns.iter().flat_map(|column| {
            let parts = [self.name, column].map(|part| Ident::with_quote('"', part));
            [text(shown(column)), Expr::CompoundIdentifier(parts.into())]
        });
        let function = match bound.may_miss {
            true => crate::functions::RECORD_OR_NULL,
            false => crate::functions::RECORD,
        };
        let record = own_call(function, fields.collect());
        match bound.relation {
            Some(oid) => own_call(crate::functions::ROW_OF, vec![record, text(oid.to_string())]),
            None => record,
        }
    }

    fn bind(&self, select: &Select) -> Option<Bound> {
        select.from.iter().find_map(|from| {
            let mut found = self.bind_factor(&from.relation);
            for join in &from.joins {
                let (left, right) = match &join.join_operator {
                    JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => (false, true),
                    JoinOperator::Right(_) | JoinOperator::RightOuter(_) => (true, false),
                    JoinOperator::FullOuter(_) => (true, true),
                    _ => (false, false),
                };
                match &mut found {
                    Some(bound) => bound.may_miss |= left,
                    None => {
                        found = self.bind_factor(&join.relation);
                        found.iter_mut().for_each(|bound| bound.may_miss |= right);
                    }
                }
            }
            found
        })
    }

    fn relation(&self, parts: &[String]) -> Option<u32> {
        let named = (!self.common.contains(parts)).then(|| self.context.resolve(parts));
        match named {
            Some(Ok(Some(Named::Relation(relation)))) => Some(relation.oid),
            _ => None,
        }
    }

    fn bind_factor(&self, factor: &TableFactor) -> Option<Bound> {
        let is_it = |ident: &Ident| folded(ident) == self.name;
        let (known, columns) = match factor {
            TableFactor::Derived { subquery, alias: Some(alias), .. } if is_it(&alias.name) => {
                (true, alias.columns.is_empty().then(|| outputs(subquery)).flatten())
            }
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Function { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. } => (is_it(&alias.name), None),
            TableFactor::Table { name, .. } => {
                (name_parts(name).pop().is_some_and(|name| name == self.name), None)
            }
            _ => (false, None),
        };
        let relation = match factor {
            TableFactor::Table { name, args: None, .. } => self.relation(&name_parts(name)),
            _ => None,
        };
        known.then_some(Bound { columns, may_miss: false, relation })
    }
}

/// Names of a query's columns, where all of them are written.
fn outputs(query: &Query) -> Option<Vec<String>> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let named = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(folded(alias)),
        SelectItem::UnnamedExpr(Expr::Identifier(ident)) => Some(folded(ident)),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().map(folded),
        _ => None,
    };
    select.projection.iter().map(named).collect()
}

impl VisitorMut for Rows<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let with = query.with.iter().flat_map(|with| &with.cte_tables);
        self.common.extend(with.map(|one| vec![folded(&one.alias.name)]));
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let named = |item: &mut SelectItem| {
            if let SelectItem::UnnamedExpr(expr) = item
                && self.is_it(expr)
            {
                let alias = Ident::with_quote('"', self.name);
                *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
            }
        };
        select.projection.iter_mut().for_each(named);
        let bound = self.bind(select);
        self.bound.push(bound);
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &mut Select) -> ControlFlow<()> {
        self.bound.pop();
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.is_it(expr) {
            *expr = self.row();
            self.done = true;
        }
        row_is_null(expr);
        ControlFlow::Continue(())
    }
}

fn replace(query: &mut Query, name: &str, with: &Expr) -> bool {
    struct Replace<'a> {
        name: &'a str,
        with: &'a Expr,
        done: bool,
    }
    impl Replace<'_> {
        fn is_it(&self, expr: &Expr) -> bool {
            match expr {
                Expr::Identifier(ident) => folded(ident) == self.name,
                Expr::CompoundIdentifier(parts) if matches!(self.name, "tableoid" | "xmin") => {
                    parts.last().is_some_and(|last| folded(last) == self.name)
                }
                _ => false,
            }
        }
    }
    impl VisitorMut for Replace<'_> {
        type Break = ();
        fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(expr) = item
                    && self.is_it(expr)
                {
                    let alias = Ident::with_quote('"', self.name);
                    *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
                }
            }
            ControlFlow::Continue(())
        }
        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if self.is_it(expr) {
                *expr = self.with.clone();
                self.done = true;
            }
            ControlFlow::Continue(())
        }
    }
    let mut replace = Replace { name, with, done: false };
    let _ = VisitMut::visit(query, &mut replace);
    replace.done
}
