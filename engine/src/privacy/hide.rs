//! What must not be told beside rows: values in the DETAIL of errors, and rules over stored values
//! that a role may not see, with which it could try them.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use clientele_catalog::Catalog;
use clientele_catalog::definition::{Column, Relation};
use clientele_catalog::domains::Masking;
use clientele_catalog::privacy::shown_as;
use clientele_catalog::privileges::Rights;
use sqlparser::ast::{Expr, Visit, Visitor};

use super::decision;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::sql::place::folded;

/// An error without the values that the role may not see: a key that is there already, that is
/// missing, or that is still referred to.
pub(crate) fn detail(catalog: &Catalog, rights: &Rights, mut error: Error) -> Error {
    if error.sqlstate.starts_with("22") && !rights.superuser {
        return computed(catalog, rights, error);
    }
    let of_key = matches!(error.sqlstate, "23505" | "23503") && error.detail.is_some();
    if !of_key || rights.superuser {
        return error;
    }
    let name = error.object.constraint.clone().unwrap_or_default();
    let mut found = false;
    let shown = catalog.relations().all(|relation| {
        let mut keys = relation.unique_keys().filter(|(key, _)| key.name == name);
        let mut foreign = relation.foreign_keys().filter(|key| key.name == name);
        let key = keys.next().map(|(_, columns)| columns);
        let columns = key.or_else(|| foreign.next().map(|key| key.columns));
        let Some(columns) = columns else { return true };
        found = true;
        let columns = columns.iter().filter_map(|number| relation.column_by_number(*number));
        let mut all = columns.map(|column| shown_as(catalog, rights, relation, column));
        all.all(|treatment| treatment.masking == Masking::Open)
    });
    if !found || !shown {
        error.detail = None;
    }
    error
}

/// An error of the key of an index on expressions: it shows values of a row of which the role may see
/// some columns only.
fn computed(catalog: &Catalog, rights: &Rights, error: Error) -> Error {
    let Some(name) = error.object.constraint.as_deref() else { return error };
    let is_of =
        |relation: &&Arc<Relation>| relation.unique_constraints().any(|one| one.name == name);
    let open = |relation: &Arc<Relation>| {
        let mut all = relation.live_columns();
        all.all(|one| shown_as(catalog, rights, relation, one).masking == Masking::Open)
    };
    match catalog.relations().filter(is_of).all(open) {
        true => error,
        false => without_values(error),
    }
}

fn without_values(error: Error) -> Error {
    Error::new(error.sqlstate, "a value of the row cannot be computed")
        .with_detail("Values are not shown to roles that a column is not open to.")
}

/// Refuses an expression over stored rows that could tell the role what it may not see.
///
/// # Errors
/// 42501.
pub(crate) fn refuse_hidden(
    context: &QueryContext,
    relation: &Relation,
    expr: &Expr,
    except: Option<&str>,
) -> Result<()> {
    let hidden = |column: &&Column| !context.sees_column(relation, column);
    let named = names(expr);
    let mut columns = relation.live_columns().filter(|one| named.contains(&one.name));
    match columns.find(|one| except != Some(&one.name) && hidden(one)) {
        None => Ok(()),
        Some(column) => {
            let (column, table) = (&column.name, &relation.name);
            let what =
                format!("apply an expression to values of column \"{column}\" of \"{table}\"");
            Err(decision::refused(&what))
        }
    }
}

/// The names in an expression that may be columns.
pub(super) fn names(expr: &Expr) -> BTreeSet<String> {
    struct Names(BTreeSet<String>);
    impl Visitor for Names {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Identifier(name) => drop(self.0.insert(folded(name))),
                Expr::CompoundIdentifier(parts) => self.0.extend(parts.iter().map(folded)),
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names(BTreeSet::new());
    let _ = Visit::visit(expr, &mut names);
    names.0
}

/// An error of an expression over a row that is written without its values, where the role does not
/// see all that the expression is over: what an UPDATE leaves alone is in the row as it is.
pub(crate) fn of_row(
    context: &QueryContext,
    (relation, expression): (&Relation, &str),
    error: Error,
) -> Error {
    let of_values = matches!(error.sqlstate.get(..2), Some("22" | "23"));
    let hidden = crate::sql::parse::expression(expression)
        .is_ok_and(|expr| refuse_hidden(context, relation, &expr, None).is_err());
    match of_values && hidden {
        false => error,
        true => without_values(error),
    }
}

/// An error of a conversion of stored rows without the value that could not be converted.
pub(crate) fn value(context: &QueryContext, error: Error) -> Error {
    match context.sees_clear() || !error.sqlstate.starts_with("22") {
        true => error,
        false => Error::new(error.sqlstate, "a value of the column cannot be converted")
            .with_detail("The value is not shown to roles that the column is not open to."),
    }
}
