//! `sum(a)` beside `sum(a::numeric)`: DataFusion leaves casts out of names, and finds one twice.

use std::ops::ControlFlow;

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Query, VisitMut, VisitorMut,
};

use crate::functions::NAMED_APART;
use crate::sql::rewrite::{own_call, text};

/// Puts the types of casts into the names of the calls that they are arguments of; false where the
/// error is another, or there is none.
pub(super) fn name_casts(query: &mut Query, error: &DataFusionError) -> bool {
    let twice = match error.find_root() {
        DataFusionError::SchemaError(inner, _) => {
            matches!(inner.as_ref(), SchemaError::DuplicateUnqualifiedField { .. })
        }
        _ => false,
    };
    let mut casts = Casts { done: false };
    if twice {
        let _ = VisitMut::visit(query, &mut casts);
    }
    casts.done
}

struct Casts {
    done: bool,
}

impl VisitorMut for Casts {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let FunctionArguments::List(list) = &mut function.args else {
            return ControlFlow::Continue(());
        };
        let own = function.name.to_string().contains(NAMED_APART);
        if let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] = list.args.as_mut_slice()
            && let Expr::Cast { data_type, .. } = &*argument
            && !own
        {
            let data_type = text(data_type.to_string());
            *argument = own_call(NAMED_APART, vec![argument.clone(), data_type]);
            self.done = true;
        }
        ControlFlow::Continue(())
    }
}
