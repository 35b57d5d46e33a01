//! Windows that go on from a named one: `OVER (w ORDER BY x)`, `WINDOW b AS (a ROWS 1 PRECEDING)`
//! (manual: sql-select, WINDOW). They have its partition and its order, which DataFusion forgets.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Ident, NamedWindowDefinition, NamedWindowExpr, OrderBy, Query, Select, VisitMut,
    VisitorMut, WindowSpec, WindowType,
};

use crate::sql::place::folded;

/// Completes the windows of a select list and of the WINDOW clause itself.
pub(super) fn complete(select: &mut Select) {
    let mut known = Known::default();
    for NamedWindowDefinition(name, window) in &mut select.named_window {
        if let NamedWindowExpr::WindowSpec(window) = window {
            known.complete(window);
            known.windows.push((folded(name), window.clone()));
        }
    }
    if !known.windows.is_empty() {
        let _ = VisitMut::visit(&mut select.projection, &mut known);
    }
}

/// Completes the windows of ORDER BY, which stands outside of the select that names them.
pub(super) fn complete_order(select: &Select, order: &mut OrderBy) {
    let mut known = Known::default();
    for NamedWindowDefinition(name, window) in &select.named_window {
        if let NamedWindowExpr::WindowSpec(window) = window {
            let mut window = window.clone();
            known.complete(&mut window);
            known.windows.push((folded(name), window));
        }
    }
    if !known.windows.is_empty() {
        let _ = VisitMut::visit(order, &mut known);
    }
}

/// The windows with names.
#[derive(Default)]
struct Known {
    windows: Vec<(String, WindowSpec)>,
    /// How many queries deep: those within have windows of their own.
    depth: usize,
}

impl Known {
    fn complete(&self, window: &mut WindowSpec) {
        let named = |name: &Ident| {
            let name = folded(name);
            self.windows.iter().find(|(one, _)| *one == name).map(|(_, window)| window)
        };
        let Some(base) = window.window_name.as_ref().and_then(named) else { return };
        window.partition_by.clone_from(&base.partition_by);
        if window.order_by.is_empty() {
            window.order_by.clone_from(&base.order_by);
        }
        window.window_name = None;
    }
}

impl VisitorMut for Known {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0
            && let Expr::Function(function) = expr
            && let Some(WindowType::WindowSpec(window)) = &mut function.over
        {
            self.complete(window);
        }
        ControlFlow::Continue(())
    }
}
