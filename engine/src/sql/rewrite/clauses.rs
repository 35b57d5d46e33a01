//! Clauses of queries.

use sqlparser::ast::{
    BinaryOperator, DataType, Distinct, Expr, FunctionArg, FunctionArgExpr, GroupByExpr, Ident,
    Interval, JoinConstraint, JoinOperator, LimitClause, ObjectName, OrderByKind, Parens, Query,
    Select, SelectItem, SetExpr, SetOperator, SetQuantifier, TableAlias, TableFactor,
    UnaryOperator, Value, Visit, Visitor, WindowFrameBound, WindowSpec,
};

use super::{call, cast, literals};
use crate::functions::values_cell;
use crate::sql::place::{folded, name_parts};

/// `TABLE t` is `SELECT * FROM t` (manual: sql-select, TABLE Command).
pub(super) fn table(body: &mut SetExpr) {
    if let SetExpr::SetOperation { left, right, .. } = body {
        table(left);
        table(right);
    }
    let SetExpr::Table(table) = &*body else { return };
    let name = [&table.schema_name, &table.table_name].into_iter().flatten();
    let name: Vec<String> = name.map(ToString::to_string).collect();
    if let Ok(rows) = crate::sql::parse::query(&format!("SELECT * FROM {}", name.join("."))) {
        *body = *rows.body;
    }
}

/// Rows of different kinds of expressions under one another keep their types to themselves until
/// [`crate::planning::values`] finds the one of their column. Rows that name columns, which only
/// LATERAL can, are a union, and so are those with queries, which DataFusion computes in no VALUES.
pub(super) fn values(body: &mut SetExpr) {
    if let SetExpr::SetOperation { left, right, .. } = body {
        values(left);
        values(right);
    }
    let SetExpr::Values(values) = body else { return };
    let mut cells = values.rows.iter().flat_map(|row| row.iter());
    let named = values.rows.len() > 1 && cells.clone().any(names_columns);
    if cells.any(has_query) {
        if let Some(ordered) = in_order(std::mem::take(&mut values.rows)) {
            *body = ordered;
        }
        return;
    }
    if named {
        let rows = std::mem::take(&mut values.rows);
        let rows = rows.into_iter().filter_map(|row| select_of(row.iter()));
        if let Some(union) = rows.reduce(union_all) {
            *body = union;
        }
        return;
    }
    for column in 0..values.rows.first().map_or(0, |row| row.len()) {
        let cells = || values.rows.iter().filter_map(|row| row.get(column));
        if cells().any(|cell| !literals::is_null(cell)) && cells().all(literals::is_small_or_null) {
            let cells = values.rows.iter_mut().filter_map(|row| row.get_mut(column));
            cells.for_each(|cell| *cell = cast(cell.clone(), DataType::Integer(None)));
        } else if let Some(leader) = leader(cells) {
            let cells = values.rows.iter_mut().filter_map(|row| row.get_mut(column));
            cells.for_each(|cell| {
                *cell = call(values_cell::NAME, vec![cell.clone(), leader.clone()]);
            });
        }
    }
}

/// The cell whose type a column passes for while it is planned; `None` where the cells are alike.
fn leader<'a, I: Iterator<Item = &'a Expr>>(cells: impl Fn() -> I) -> Option<Expr> {
    let first = cells().next()?;
    let kind = literals::kind(first);
    let alike = |cell: &Expr| match (first, cell) {
        (Expr::Cast { data_type: one, .. }, Expr::Cast { data_type: other, .. }) => one == other,
        _ => kind.is_some() && literals::kind(cell) == kind,
    };
    if cells().skip(1).all(alike) {
        return None;
    }
    cells().min_by_key(|cell| literals::kind(cell)).cloned()
}

fn union_all(left: SetExpr, right: SetExpr) -> SetExpr {
    SetExpr::SetOperation {
        op: SetOperator::Union,
        set_quantifier: SetQuantifier::All,
        left: Box::new(left),
        right: Box::new(right),
    }
}

/// Rows as a union that is sorted by their places.
fn in_order(rows: Vec<Parens<Vec<Expr>>>) -> Option<SetExpr> {
    let width = rows.first()?.len();
    let placed = rows.into_iter().enumerate().filter_map(|(place, row)| {
        let place = Expr::Value(Value::Number(place.to_string(), false).with_empty_span());
        select_of(row.iter().chain([&place]))
    });
    let columns: Vec<String> = (1..=width).map(|place| format!("column{place}")).collect();
    let text = format!(
        "SELECT {} FROM (SELECT 1) AS placed ORDER BY column{}",
        columns.join(", "),
        width + 1
    );
    let mut query = crate::sql::parse::query(&text).ok()?;
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    if let TableFactor::Derived { subquery, .. } = &mut select.from.first_mut()?.relation {
        *subquery.body = placed.reduce(union_all)?;
    }
    Some(SetExpr::Query(Box::new(query)))
}

fn has_query(expr: &Expr) -> bool {
    struct Queries;
    impl Visitor for Queries {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> std::ops::ControlFlow<()> {
            std::ops::ControlFlow::Break(())
        }
    }
    Visit::visit(expr, &mut Queries).is_break()
}

pub(super) fn names_columns(expr: &Expr) -> bool {
    struct Names;
    impl Visitor for Names {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> std::ops::ControlFlow<()> {
            match expr {
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                    std::ops::ControlFlow::Break(())
                }
                _ => std::ops::ControlFlow::Continue(()),
            }
        }
    }
    Visit::visit(expr, &mut Names).is_break()
}

/// `SELECT a AS column1, b AS column2`.
fn select_of<'a>(row: impl Iterator<Item = &'a Expr>) -> Option<SetExpr> {
    let mut query = crate::sql::parse::query("SELECT 1").ok()?;
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    let items = row.enumerate().map(|(place, expr)| SelectItem::ExprWithAlias {
        expr: expr.clone(),
        alias: Ident::new(format!("column{}", place + 1)),
    });
    select.projection = items.collect();
    Some(*query.body)
}

/// `FETCH FIRST n ROWS ONLY` is LIMIT; WITH TIES keeps the rows whose rank is at most n.
pub(super) fn fetch(query: &mut Query) {
    let Some(fetch) = query.fetch.clone().filter(|fetch| !fetch.percent) else { return };
    let count = fetch
        .quantity
        .unwrap_or_else(|| Expr::Value(Value::Number("1".to_owned(), false).with_empty_span()));
    if fetch.with_ties {
        if rank_within(query, count) {
            query.fetch = None;
        }
        return;
    }
    query.fetch = None;
    match &mut query.limit_clause {
        Some(LimitClause::LimitOffset { limit, .. }) => *limit = Some(count),
        clause => {
            *clause = Some(LimitClause::LimitOffset {
                limit: Some(count),
                offset: None,
                limit_by: Vec::new(),
            });
        }
    }
}

fn rank_within(query: &mut Query, count: Expr) -> bool {
    let SetExpr::Select(select) = query.body.as_mut() else { return false };
    let Some(OrderByKind::Expressions(keys)) = query.order_by.as_ref().map(|order| &order.kind)
    else {
        return false;
    };
    if query.limit_clause.is_some() || select.qualify.is_some() {
        return false;
    }
    let Ok(Expr::Function(mut rank)) = crate::sql::parse::expression("rank() OVER ()") else {
        return false;
    };
    let Some(sqlparser::ast::WindowType::WindowSpec(window)) = &mut rank.over else {
        return false;
    };
    window.order_by = keys.clone();
    for key in &mut window.order_by {
        let named = |item: &SelectItem| match (item, &key.expr) {
            (SelectItem::ExprWithAlias { expr, alias }, Expr::Identifier(name))
                if folded(alias) == folded(name) =>
            {
                Some(expr.clone())
            }
            _ => None,
        };
        if let Some(expr) = select.projection.iter().find_map(named) {
            key.expr = expr;
        }
    }
    select.qualify = Some(Expr::BinaryOp {
        left: Box::new(Expr::Function(rank)),
        op: BinaryOperator::LtEq,
        right: Box::new(count),
    });
    true
}

/// `t.*` of `FROM schema.t` is `schema.t.*`: DataFusion compares the whole name.
pub(super) fn full_wildcards(select: &mut Select) {
    let tables: Vec<ObjectName> = select
        .from
        .iter()
        .flat_map(|one| {
            std::iter::once(&one.relation).chain(one.joins.iter().map(|join| &join.relation))
        })
        .filter_map(|factor| match factor {
            TableFactor::Table { name, alias: None, .. } if name.0.len() > 1 => Some(name.clone()),
            _ => None,
        })
        .collect();
    for item in &mut select.projection {
        if let SelectItem::QualifiedWildcard(
            sqlparser::ast::SelectItemQualifiedWildcardKind::ObjectName(name),
            _,
        ) = item
        {
            let parts = name_parts(name);
            let fits = |table: &&ObjectName| name_parts(table).ends_with(&parts);
            if let Some(full) = tables.iter().find(fits) {
                *name = full.clone();
            }
        }
    }
}

/// `GROUP BY ()` is one group, also of no rows.
pub(super) fn grand_total(select: &mut Select) {
    if let GroupByExpr::Expressions(exprs, modifiers) = &mut select.group_by
        && modifiers.is_empty()
        && matches!(exprs.as_slice(), [Expr::Tuple(values)] if values.is_empty())
    {
        exprs.clear();
    }
    if let Some(Distinct::All) = select.distinct {
        select.distinct = None;
    }
}

/// HAVING without GROUP BY makes one group of all rows, also without aggregates (manual: sql-select,
/// HAVING), of which DataFusion wants one.
pub(super) fn having_alone(select: &mut Select) {
    let grouped = match &select.group_by {
        GroupByExpr::Expressions(groups, modifiers) => !groups.is_empty() || !modifiers.is_empty(),
        GroupByExpr::All(_) => true,
    };
    if grouped {
        return;
    }
    let Some(having) = select.having.take() else { return };
    let Ok(counted) = crate::sql::parse::expression("count(*) >= 0") else { return };
    select.having = Some(Expr::BinaryOp {
        left: Box::new(Expr::Nested(Box::new(having))),
        op: BinaryOperator::And,
        right: Box::new(counted),
    });
}

/// Functions that PostgreSQL's system views are over, and those views.
const VIEW_FUNCTIONS: [(&str, &str); 5] = [
    ("pg_available_extensions", "pg_available_extensions"),
    ("pg_cursor", "pg_cursors"),
    ("pg_prepared_statement", "pg_prepared_statements"),
    ("pg_show_all_settings", "pg_settings"),
    ("pg_timezone_names", "pg_timezone_names"),
];

/// `pg_timezone_names()` is the view of that name.
pub(super) fn view_function(factor: &mut TableFactor) {
    let TableFactor::Table { name, args, alias, with_ordinality: false, .. } = factor else {
        return;
    };
    let parts = name_parts(name);
    let function = match parts.as_slice() {
        [name] => name,
        [schema, name] if schema == "pg_catalog" => name,
        _ => return,
    };
    let found = VIEW_FUNCTIONS.iter().find(|(name, _)| name == function);
    let (Some((_, view)), true) = (found, args.as_ref().is_some_and(|args| args.args.is_empty()))
    else {
        return;
    };
    if alias.is_none() {
        let name = Ident::with_quote('"', function);
        *alias = Some(TableAlias { explicit: true, name, columns: Vec::new(), at: None });
    }
    *name = ObjectName::from(vec![Ident::new("pg_catalog"), Ident::new(*view)]);
    *args = None;
}

/// Functions in FROM may take columns of what stands before them (manual, 7.2.1.5).
pub(super) fn lateral_function(factor: &mut TableFactor) {
    let (name, args, with_ordinality, alias) = match factor {
        TableFactor::Table { name, args: Some(args), with_ordinality, alias, .. } => {
            (name.clone(), args.args.clone(), *with_ordinality, alias.take())
        }
        TableFactor::UNNEST { array_exprs, with_ordinality, alias, .. } => {
            let name = ObjectName::from(vec![Ident::new("unnest")]);
            let args = std::mem::take(array_exprs).into_iter();
            let args = args.map(|expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)));
            (name, args.collect(), *with_ordinality, alias.take())
        }
        TableFactor::Function { lateral, .. } => {
            *lateral = true;
            return;
        }
        _ => return,
    };
    *factor = TableFactor::Function { lateral: true, name, args, with_ordinality, alias };
}

/// `GROUP BY CUBE (1, 2)`: places in the select list, as without CUBE.
pub(super) fn grouped_places(select: &mut Select) {
    let GroupByExpr::Expressions(groups, _) = &mut select.group_by else { return };
    let items = &select.projection;
    for group in groups {
        let (Expr::Cube(sets) | Expr::Rollup(sets) | Expr::GroupingSets(sets)) = group else {
            continue;
        };
        for expr in sets.iter_mut().flatten() {
            while let Expr::Nested(inner) = expr {
                *expr = inner.as_ref().clone();
            }
            let Expr::Value(value) = &*expr else { continue };
            let Value::Number(digits, _) = &value.value else { continue };
            let place = digits.parse::<usize>().ok().and_then(|place| place.checked_sub(1));
            let item = place.and_then(|place| items.get(place));
            if let Some(
                SelectItem::UnnamedExpr(named) | SelectItem::ExprWithAlias { expr: named, .. },
            ) = item
            {
                *expr = named.clone();
            }
        }
    }
}

/// `jsonb_to_recordset(x) AS t(a int, b text)` is a query over the elements of x.
pub(super) fn record_function(factor: &mut TableFactor) {
    let (name, args, alias) = match factor {
        TableFactor::Table { name, args: Some(args), alias: Some(alias), .. } => {
            (name, &args.args, alias)
        }
        TableFactor::Function { name, args, alias: Some(alias), .. } => (name, &*args, alias),
        _ => return,
    };
    let name = name_parts(name).pop().unwrap_or_default();
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(value))] = args.as_slice() else { return };
    let rows = match name.as_str() {
        "json_to_recordset" => "SELECT 1 FROM json_array_elements(NULL) AS element",
        "jsonb_to_recordset" => "SELECT 1 FROM jsonb_array_elements(NULL) AS element",
        "json_to_record" | "jsonb_to_record" => "SELECT 1 FROM (SELECT NULL AS value) AS element",
        _ => return,
    };
    let Ok(mut query) = crate::sql::parse::query(rows) else { return };
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let mut items = Vec::with_capacity(alias.columns.len());
    for column in &alias.columns {
        let Some(data_type) = &column.data_type else { return };
        let json = matches!(data_type, DataType::JSON | DataType::JSONB);
        let field = Expr::BinaryOp {
            left: Box::new(Expr::CompoundIdentifier(vec![
                Ident::new("element"),
                Ident::new("value"),
            ])),
            op: if json { BinaryOperator::Arrow } else { BinaryOperator::LongArrow },
            right: Box::new(super::text(folded(&column.name))),
        };
        let mut field = Expr::Nested(Box::new(field));
        if matches!(data_type, DataType::Array(_)) {
            field = super::own_call(crate::functions::JSON_ELEMENTS, vec![field]);
        }
        let expr = cast(field, data_type.clone());
        items.push(SelectItem::ExprWithAlias { expr, alias: column.name.clone() });
    }
    select.projection = items;
    match select.from.first_mut().map(|table| &mut table.relation) {
        Some(TableFactor::Table { args: Some(args), .. }) => {
            args.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(value.clone()))];
        }
        Some(TableFactor::Derived { subquery, .. }) => {
            if let SetExpr::Select(inner) = subquery.body.as_mut() {
                let alias = Ident::new("value");
                // A literal there is read as jsonb writes it.
                let binary = name.starts_with("jsonb");
                let value = value.clone();
                let expr = if binary { cast(value, DataType::JSONB) } else { value };
                inner.projection = vec![SelectItem::ExprWithAlias { expr, alias }];
            }
        }
        _ => return,
    }
    let mut alias = alias.clone();
    alias.columns.clear();
    *factor = TableFactor::Derived {
        lateral: true,
        subquery: Box::new(query),
        alias: Some(alias),
        sample: None,
    };
}

/// `RANGE BETWEEN '7 days'::interval PRECEDING …`: DataFusion wants an interval's literal, whose text
/// it reads as the type that the order of the window asks for.
pub(super) fn frame(window: &mut WindowSpec) {
    let Some(frame) = &mut window.window_frame else { return };
    for bound in std::iter::once(&mut frame.start_bound).chain(&mut frame.end_bound) {
        let (WindowFrameBound::Preceding(Some(offset)) | WindowFrameBound::Following(Some(offset))) =
            bound
        else {
            continue;
        };
        if let Some(number) = number(offset) {
            **offset = number;
        } else if let Expr::Cast { expr, data_type: DataType::Interval { .. }, .. } =
            offset.as_ref()
            && matches!(expr.as_ref(), Expr::Value(_))
        {
            **offset = Expr::Interval(Interval {
                value: expr.clone(),
                leading_field: None,
                leading_precision: None,
                last_field: None,
                fractional_seconds_precision: None,
            });
        }
    }
}

/// `2::bigint PRECEDING`: DataFusion wants the number alone.
fn number(offset: &Expr) -> Option<Expr> {
    let (Expr::Cast { expr, .. } | Expr::Nested(expr)) = offset else { return None };
    match expr.as_ref() {
        Expr::Value(value) if matches!(value.value, Value::Number(..)) => {
            Some(expr.as_ref().clone())
        }
        inner => number(inner),
    }
}

/// A literal that stands as a condition is a boolean: `ON ('true')`.
pub(super) fn conditions(select: &mut Select) {
    let joins = select.from.iter_mut().flat_map(|from| &mut from.joins);
    let on = joins.filter_map(|join| match &mut join.join_operator {
        JoinOperator::Join(JoinConstraint::On(condition))
        | JoinOperator::Inner(JoinConstraint::On(condition))
        | JoinOperator::Left(JoinConstraint::On(condition))
        | JoinOperator::LeftOuter(JoinConstraint::On(condition))
        | JoinOperator::Right(JoinConstraint::On(condition))
        | JoinOperator::RightOuter(JoinConstraint::On(condition))
        | JoinOperator::FullOuter(JoinConstraint::On(condition)) => Some(condition),
        _ => None,
    });
    on.chain(&mut select.selection).chain(&mut select.having).for_each(condition);
}

fn condition(expr: &mut Expr) {
    match expr {
        Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } => {
            condition(inner);
        }
        Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, right } => {
            condition(left);
            condition(right);
        }
        Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_)) => {
            *expr = cast(expr.clone(), DataType::Boolean);
        }
        _ => {}
    }
}
