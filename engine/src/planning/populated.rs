//! `json_populate_recordset(NULL::t, x)` is `json_to_recordset(x)` with the columns of table t.

use std::ops::ControlFlow;
use std::sync::Arc;

use sqlparser::ast::{
    DataType, Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, Query, TableAlias,
    TableAliasColumnDef, TableFactor, Value, VisitMut, VisitorMut,
};

use super::context::{Named, QueryContext};
use crate::sql::place::name_parts;

/// Puts the one function in place of the other.
pub(super) fn name_columns(context: &Arc<QueryContext>, query: &mut Query) {
    let _ = VisitMut::visit(query, &mut Populated { context });
}

struct Populated<'a> {
    context: &'a Arc<QueryContext>,
}

impl VisitorMut for Populated<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let (name, args, alias) = match factor {
            TableFactor::Table { name, args: Some(args), alias, .. } => {
                (name, &mut args.args, alias)
            }
            TableFactor::Function { name, args, alias, .. } => (name, args, alias),
            _ => return ControlFlow::Continue(()),
        };
        let function = name_parts(name).pop().unwrap_or_default();
        let other = match function.as_str() {
            "json_populate_record" => "json_to_record",
            "json_populate_recordset" => "json_to_recordset",
            "jsonb_populate_record" => "jsonb_to_record",
            "jsonb_populate_recordset" => "jsonb_to_recordset",
            _ => return ControlFlow::Continue(()),
        };
        if let [FunctionArg::Unnamed(FunctionArgExpr::Expr(row)), _] = args.as_slice()
            && alias.as_ref().is_none_or(|alias| alias.columns.is_empty())
            && let Some(columns) = self.columns(row)
        {
            let known = alias.take().map_or_else(|| Ident::new(&function), |alias| alias.name);
            *alias = Some(TableAlias { explicit: true, name: known, columns, at: None });
            *name = ObjectName::from(vec![Ident::new(other)]);
            args.remove(0);
        }
        ControlFlow::Continue(())
    }
}

impl Populated<'_> {
    /// The columns of the table whose row `NULL::t` is.
    fn columns(&self, row: &Expr) -> Option<Vec<TableAliasColumnDef>> {
        let Expr::Cast { expr, data_type: DataType::Custom(table, _), .. } = row else {
            return None;
        };
        if !matches!(expr.as_ref(), Expr::Value(value) if value.value == Value::Null) {
            return None;
        }
        let Named::Relation(relation) = self.context.find_relation(&name_parts(table)).ok()??
        else {
            return None;
        };
        let column = |column: &clientele_catalog::definition::Column| {
            let name = column.pg_type.cast_name();
            let Expr::Cast { data_type, .. } =
                crate::sql::parse::expression(&format!("CAST(1 AS {name})")).ok()?
            else {
                return None;
            };
            let name = Ident::with_quote('"', &column.name);
            Some(TableAliasColumnDef { name, data_type: Some(data_type) })
        };
        relation.live_columns().map(column).collect()
    }
}
