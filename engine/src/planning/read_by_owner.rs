//! Bodies of functions with `SECURITY DEFINER` (manual: sql-createfunction): what they read, they
//! read with the rights of the function's owner.
//!
//! The body stands in the caller's query, so each of its relations says whose reading it is: as the
//! first part of its name, which no user can type.

use std::collections::HashSet;
use std::ops::ControlFlow;

use clientele_catalog::definition::Oid;
use sqlparser::ast::{Ident, Query, TableAlias, TableFactor, VisitMut, VisitorMut};

use super::context::{Named, QueryContext};
use crate::error::Error;
use crate::sql::place::{folded, name_parts};

const MARK: &str = "\u{1}definer ";

/// The role that reads, and the relation's name without it.
pub(super) fn unmarked(parts: &[String]) -> Option<(Oid, &[String])> {
    let (mark, rest) = parts.split_first()?;
    Some((mark.strip_prefix(MARK)?.parse().ok()?, rest))
}

/// Lets a role read the relations of a body.
///
/// # Errors
/// What the names refuse.
pub(super) fn mark(context: &QueryContext, body: &mut Query, role: Oid) -> Result<(), Error> {
    let mut marker = Marker { context, role, common: HashSet::new() };
    match VisitMut::visit(body, &mut marker) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Marker<'a> {
    context: &'a QueryContext,
    role: Oid,
    /// Names of common table expressions.
    common: HashSet<Vec<String>>,
}

impl VisitorMut for Marker<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        let with = query.with.iter().flat_map(|with| &with.cte_tables);
        self.common.extend(with.map(|one| vec![folded(&one.alias.name)]));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        let TableFactor::Table { name, alias, args: None, .. } = factor else {
            return ControlFlow::Continue(());
        };
        let parts = name_parts(name);
        if self.common.contains(&parts) || unmarked(&parts).is_some() {
            return ControlFlow::Continue(());
        }
        let relation = match self.context.resolve(&parts) {
            Ok(Some(Named::Relation(relation))) => relation,
            Ok(_) => return ControlFlow::Continue(()),
            Err(error) => return ControlFlow::Break(error),
        };
        let Some(schema) = self.context.catalog().schema_by_oid(relation.schema) else {
            return ControlFlow::Continue(());
        };
        let quoted = |text: &str| Ident::with_quote('"', text);
        let mark = format!("{MARK}{}", self.role);
        *name = vec![quoted(&mark), quoted(&schema.name), quoted(&relation.name)].into();
        alias.get_or_insert_with(|| TableAlias {
            explicit: true,
            name: quoted(&relation.name),
            columns: Vec::new(),
            at: None,
        });
        ControlFlow::Continue(())
    }
}
