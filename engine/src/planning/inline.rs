//! Calls of functions that users wrote in SQL: the body stands in place of the call (manual:
//! xfunc-sql).
//!
//! `add_tax(price)` becomes `CAST(price * 1.2 AS numeric)`. A body that reads relations becomes a
//! subquery whose arguments are columns of a relation of their own, so that no name in the body can
//! catch a name of the caller's.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use clientele_catalog::definition::{Function, FunctionArgument, Returns};
use clientele_catalog::privileges::Access;
use clientele_udfs::types::PgType;
use sqlparser::ast::{
    self, Expr, FunctionArguments, Ident, ObjectName, Query, Select, SelectItem, SetExpr,
    TableFactor, Value, Visit, VisitMut, Visitor, VisitorMut,
};

use super::context::{Named, QueryContext};
use super::output_names::{Beside, name_outputs};
use super::overloads::Scope;
use super::relations::labelled;
use super::{overloads, read_by_owner, rights};
use crate::error::{Error, Result};
use crate::functions;
use crate::sql::place::{folded, name_parts};
use crate::sql::rewrite::{call, cast, own_call, text};
use crate::sql::{parse, queries_in};

/// How deep functions may call one another (54001 beyond).
const DEPTH_MAX: usize = 32;
/// Name of the relation whose columns are the arguments; not a name that users type.
const ARGUMENTS: &str = "\u{1}arguments";

/// Puts the bodies of users' functions in place of their calls.
///
/// # Errors
/// 42501 for a function that the role may not call, 54001 for one that calls itself.
pub fn inline(context: &Arc<QueryContext>, query: &mut Query) -> Result<()> {
    if context.catalog().functions().next().is_none() {
        return Ok(());
    }
    run_in(&mut Inliner { context, depth: 0, scope: Scope::default() }, query)
}

fn may_nest(depth: usize) -> Result<()> {
    match depth > DEPTH_MAX {
        true => Err(Error::new("54001", "stack depth limit exceeded")
            .with_hint("A function in SQL cannot call itself.")),
        false => Ok(()),
    }
}

fn run_in(inliner: &mut Inliner<'_>, query: &mut Query) -> Result<()> {
    match VisitMut::visit(query, inliner) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// The users' functions that a call with so many arguments may mean; built-in ones go before those
/// whose schema is not named.
pub fn candidates(context: &QueryContext, parts: &[String], count: usize) -> Vec<Arc<Function>> {
    let of_schema = |schema, name: &str| -> Vec<Arc<Function>> {
        context.catalog().functions_named(schema, name).filter(fits(count)).cloned().collect()
    };
    match parts {
        [name] => {
            let built_in = functions::registered_name(name)
                .is_some_and(|name| context.state.scalar_functions().contains_key(name));
            let path = context.search_path.iter().filter(|_| !built_in);
            let mut found = path.map(|schema| of_schema(*schema, name));
            found.find(|one| !one.is_empty()).unwrap_or_default()
        }
        [schema, name] => {
            let schema = context.catalog().schema(schema);
            schema.map(|schema| of_schema(schema.oid, name)).unwrap_or_default()
        }
        [database, rest @ ..] if *database == context.database.name => {
            candidates(context, rest, count)
        }
        _ => Vec::new(),
    }
}

fn fits(count: usize) -> impl Fn(&&Arc<Function>) -> bool {
    move |one| (one.required()..=one.arguments.len()).contains(&count)
}

/// Whether a query calls the function.
pub fn calls(context: &QueryContext, query: &Query, function: u32) -> bool {
    struct Calls<'a>(&'a QueryContext, u32);
    impl Calls<'_> {
        fn meets(&self, name: &ObjectName, count: usize) -> ControlFlow<()> {
            let found = candidates(self.0, &name_parts(name), count);
            match found.iter().any(|one| one.oid == self.1) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        }
    }
    impl Visitor for Calls<'_> {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match called(expr) {
                Some((name, count)) => self.meets(name, count),
                None => ControlFlow::Continue(()),
            }
        }
        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            match called_in_from(factor) {
                Some((name, arguments)) => self.meets(name, arguments.len()),
                None => ControlFlow::Continue(()),
            }
        }
    }
    Visit::visit(query, &mut Calls(context, function)).is_break()
}

/// The name that a call calls, and how many arguments it gives.
fn called(expr: &Expr) -> Option<(&ObjectName, usize)> {
    match expr {
        Expr::Function(function) => match &function.args {
            FunctionArguments::List(list) => Some((&function.name, list.args.len())),
            FunctionArguments::None => Some((&function.name, 0)),
            FunctionArguments::Subquery(_) => None,
        },
        _ => None,
    }
}

fn called_in_from(factor: &TableFactor) -> Option<(&ObjectName, &[ast::FunctionArg])> {
    match factor {
        TableFactor::Function { name, args, .. } => Some((name, args)),
        TableFactor::Table { name, args: Some(args), .. } => Some((name, &args.args)),
        _ => None,
    }
}

/// The name of a user's function with its schema in front, so that it means the same under every
/// search path.
pub fn qualified(context: &QueryContext, expr: &Expr) -> Option<ObjectName> {
    let (name, count) = called(expr)?;
    let function = candidates(context, &name_parts(name), count).into_iter().next()?;
    let schema = context.catalog().schema_by_oid(function.schema)?;
    let quoted = |name: &str| Ident::with_quote('"', name);
    Some(ObjectName::from(vec![quoted(&schema.name), quoted(&function.name)]))
}

struct Inliner<'a> {
    context: &'a Arc<QueryContext>,
    depth: usize,
    scope: Scope,
}

impl VisitorMut for Inliner<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        self.scope.enter_query(query);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
        self.scope.leave_query();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        self.scope.enter_select(select);
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &mut Select) -> ControlFlow<Error> {
        self.scope.leave_select();
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match self.value(expr) {
            Ok(Some(value)) => *expr = value,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        match self.table(factor) {
            Ok(Some(table)) => *factor = table,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}

/// A call with its arguments in the function's order, defaults put in.
struct Call {
    function: Arc<Function>,
    arguments: Vec<Expr>,
}

impl Inliner<'_> {
    fn value(&self, expr: &Expr) -> Result<Option<Expr>> {
        let Expr::Function(called) = expr else { return Ok(None) };
        let FunctionArguments::List(list) = &called.args else { return Ok(None) };
        let Some(call) = self.call(&called.name, &list.args)? else { return Ok(None) };
        let body = self.body(&call.function)?;
        match &call.function.returns {
            Returns::Value(pg_type) => single(self.context, &call, body, *pg_type).map(Some),
            Returns::Row(columns) => match columns.as_slice() {
                [(_, pg_type)] => single(self.context, &call, body, *pg_type).map(Some),
                columns => {
                    let rows = typed(with_arguments(self.context, &call, body)?, columns)?;
                    let row = Expr::Subquery(Box::new(records(rows, columns)?));
                    of_no_null(&call, row).map(Some)
                }
            },
            Returns::Set(_) => {
                let rows = with_arguments(self.context, &call, body)?;
                let array = array_of(rows);
                Ok(Some(self::call("unnest", vec![array])))
            }
            Returns::Table(columns) => {
                let rows = typed(with_arguments(self.context, &call, body)?, columns)?;
                let array = array_of(records(rows, columns)?);
                Ok(Some(self::call("unnest", vec![array])))
            }
        }
    }

    fn table(&self, factor: &TableFactor) -> Result<Option<TableFactor>> {
        let Some((name, args)) = called_in_from(factor) else { return Ok(None) };
        let (TableFactor::Function { alias, .. } | TableFactor::Table { alias, .. }) = factor
        else {
            return Ok(None);
        };
        let Some(call) = self.call(name, args)? else { return Ok(None) };
        let body = self.body(&call.function)?;
        let label = alias.as_ref().map_or(&call.function.name, |alias| &alias.name.value).clone();
        let columns = match &call.function.returns {
            Returns::Value(pg_type) | Returns::Set(pg_type) => vec![(label.clone(), *pg_type)],
            Returns::Row(columns) | Returns::Table(columns) => columns.clone(),
        };
        let rows = typed(with_arguments(self.context, &call, body)?, &columns)?;
        let alias = alias.clone().unwrap_or_else(|| ast::TableAlias {
            explicit: true,
            name: Ident::with_quote('"', label),
            columns: Vec::new(),
            at: None,
        });
        let lateral = call.arguments.iter().any(names_columns);
        Ok(Some(TableFactor::Derived {
            lateral,
            subquery: Box::new(rows),
            alias: Some(alias),
            sample: None,
        }))
    }

    fn call(&self, name: &ObjectName, arguments: &[ast::FunctionArg]) -> Result<Option<Call>> {
        let parts = name_parts(name);
        let candidates = candidates(self.context, &parts, arguments.len());
        let values: Vec<Expr> = match candidates.len() {
            0 | 1 => Vec::new(),
            _ => labelled(arguments)?.into_iter().map(|(_, expr)| expr).collect(),
        };
        let chosen = overloads::choose(self.context, candidates, &values, &self.scope)?;
        let Some(function) = chosen else { return Ok(None) };
        if !Access::function(&function).permits(&self.context.rights, 'X', false) {
            return Err(rights::denied("function", &function.name));
        }
        let mut places: Vec<Option<Expr>> = vec![None; function.arguments.len()];
        for (at, (label, expr)) in labelled(arguments)?.into_iter().enumerate() {
            let place = match label {
                None => Some(at),
                Some(label) => function.arguments.iter().position(|one| one.name == label),
            };
            let Some(place) = place.and_then(|place| places.get_mut(place)) else {
                return Ok(None);
            };
            *place = Some(expr);
        }
        let mut filled = Vec::with_capacity(places.len());
        for (place, argument) in places.into_iter().zip(&function.arguments) {
            let expr = match (place, &argument.default) {
                (Some(expr), _) => expr,
                (None, Some(default)) => parse::expression(default)?,
                (None, None) => return Ok(None),
            };
            filled.push(cast(Expr::Nested(Box::new(expr)), data_type(argument.pg_type)?));
        }
        Ok(Some(Call { function, arguments: filled }))
    }

    /// The body, the calls in it replaced in their turn.
    fn body(&self, function: &Function) -> Result<Query> {
        let mut body = parse_body(&function.body)?;
        name_outputs(&mut body, Beside::Marked);
        let (depth, scope) = (self.depth + 1, Scope::of_body(function.arguments.clone()));
        may_nest(depth)?;
        run_in(&mut Inliner { context: self.context, depth, scope }, &mut body)?;
        if function.definer {
            read_by_owner::mark(self.context, &mut body, function.owner)?;
        }
        Ok(body)
    }
}

/// The query of a body: `SELECT …`, or `RETURN expression`.
///
/// # Errors
/// 42601.
pub fn parse_body(body: &str) -> Result<Query> {
    let text = body.trim().trim_end_matches(';').trim_end();
    match text.get(..6).filter(|word| word.eq_ignore_ascii_case("return")) {
        Some(_) => parse::query(&format!("SELECT {}", text.get(6..).unwrap_or_default())),
        None => parse::query(text),
    }
}

/// A type as it stands in a cast.
///
/// # Errors
/// None in practice: types print as SQL.
pub fn data_type(pg_type: PgType) -> Result<ast::DataType> {
    match parse::expression(&format!("CAST(NULL AS {})", pg_type.cast_name()))? {
        Expr::Cast { data_type, .. } => Ok(data_type),
        other => Err(Error::internal(format!("not a cast: {other}"))),
    }
}

/// The one value of a call.
fn single(
    context: &Arc<QueryContext>,
    call: &Call,
    mut body: Query,
    pg_type: PgType,
) -> Result<Expr> {
    let value = match expression_of(&body) {
        Some(_) => {
            substitute(&mut body, &call.function, &HashSet::new(), &call.arguments)?;
            let expr = expression_of(&body).cloned();
            expr.ok_or_else(|| Error::internal("a body lost its expression"))?
        }
        None => Expr::Subquery(Box::new(with_arguments(context, call, body)?)),
    };
    of_no_null(call, cast(Expr::Nested(Box::new(value)), data_type(pg_type)?))
}

/// The value of a call, NULL where the function is strict and an argument is NULL.
fn of_no_null(call: &Call, value: Expr) -> Result<Expr> {
    if !call.function.strict || call.arguments.is_empty() {
        return Ok(value);
    }
    let some_null = call.arguments.iter().cloned().map(|one| Expr::IsNull(Box::new(one)));
    let some_null = some_null.reduce(|left, right| Expr::BinaryOp {
        left: Box::new(left),
        op: ast::BinaryOperator::Or,
        right: Box::new(right),
    });
    let Some(condition) = some_null else { return Ok(value) };
    let null = Expr::Value(Value::Null.with_empty_span());
    let template = "CASE WHEN NULL THEN NULL ELSE NULL END";
    match parse::expression(template)? {
        Expr::Case { case_token, end_token, .. } => Ok(Expr::Case {
            case_token,
            end_token,
            operand: None,
            conditions: vec![ast::CaseWhen { condition, result: null }],
            else_result: Some(Box::new(value)),
        }),
        other => Err(Error::internal(format!("not a CASE: {other}"))),
    }
}

/// The expression of a body that is nothing but one.
fn expression_of(body: &Query) -> Option<&Expr> {
    let plain = body.with.is_none() && body.limit_clause.is_none() && body.order_by.is_none();
    let SetExpr::Select(select) = body.body.as_ref() else { return None };
    let bare = select.from.is_empty()
        && select.selection.is_none()
        && select.having.is_none()
        && select.distinct.is_none();
    match select.projection.as_slice() {
        [SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }]
            if plain && bare && queries_in(expr) == 0 =>
        {
            Some(expr)
        }
        _ => None,
    }
}

/// The rows of a body whose arguments are put in.
fn with_arguments(context: &Arc<QueryContext>, call: &Call, mut body: Query) -> Result<Query> {
    let columns = columns_read(context, &body)?;
    if !call.arguments.iter().any(names_columns) {
        substitute(&mut body, &call.function, &columns, &call.arguments)?;
        return Ok(body);
    }
    let column = |place: usize| Ident::with_quote('"', format!("a{place}"));
    let reference = |place| Expr::CompoundIdentifier(vec![relation(), column(place)]);
    let references: Vec<Expr> = (0..call.arguments.len()).map(reference).collect();
    substitute(&mut body, &call.function, &columns, &references)?;
    let mut outer = parse::query("SELECT * FROM (SELECT 1) AS a, LATERAL (SELECT 1) AS b")?;
    let select = select_of(&mut outer)?;
    let items = call.arguments.iter().enumerate();
    let given = items.map(|(place, expr)| SelectItem::ExprWithAlias {
        expr: expr.clone(),
        alias: column(place),
    });
    let given = given.collect();
    for table in &mut select.from {
        let TableFactor::Derived { subquery, alias: Some(alias), lateral, .. } =
            &mut table.relation
        else {
            continue;
        };
        if *lateral {
            **subquery = body.clone();
            alias.name = Ident::with_quote('"', "\u{1}rows");
        } else {
            select_of(subquery)?.projection = Vec::clone(&given);
            alias.name = relation();
        }
    }
    let mut all = parse::query("SELECT r.* FROM t AS r")?;
    let mut items = std::mem::take(&mut select_of(&mut all)?.projection);
    for item in &mut items {
        if let SelectItem::QualifiedWildcard(
            ast::SelectItemQualifiedWildcardKind::ObjectName(name),
            _,
        ) = item
        {
            *name = ObjectName::from(vec![Ident::with_quote('"', "\u{1}rows")]);
        }
    }
    select.projection = items;
    Ok(outer)
}

fn relation() -> Ident {
    Ident::with_quote('"', ARGUMENTS)
}

/// The rows with the names and types that the function promises.
fn typed(rows: Query, columns: &[(String, PgType)]) -> Result<Query> {
    let mut outer = parse::query("SELECT 1 FROM (SELECT 1) AS r (a)")?;
    let select = select_of(&mut outer)?;
    let inner = |place: usize| Ident::with_quote('"', format!("c{place}"));
    let mut items = Vec::with_capacity(columns.len());
    for (place, (name, pg_type)) in columns.iter().enumerate() {
        items.push(SelectItem::ExprWithAlias {
            expr: cast(Expr::Identifier(inner(place)), data_type(*pg_type)?),
            alias: Ident::with_quote('"', name),
        });
    }
    select.projection = items;
    for table in &mut select.from {
        if let TableFactor::Derived { subquery, alias: Some(alias), .. } = &mut table.relation {
            **subquery = rows.clone();
            alias.columns = (0..columns.len())
                .map(|place| ast::TableAliasColumnDef { name: inner(place), data_type: None })
                .collect();
        }
    }
    Ok(outer)
}

/// The rows as records.
fn records(rows: Query, columns: &[(String, PgType)]) -> Result<Query> {
    let mut outer = parse::query("SELECT 1 FROM (SELECT 1) AS r")?;
    let select = select_of(&mut outer)?;
    let fields = columns.iter().flat_map(|(name, _)| {
        let field = vec![Ident::new("r"), Ident::with_quote('"', name)];
        [text(name.clone()), Expr::CompoundIdentifier(field)]
    });
    let record = own_call(functions::RECORD, fields.collect());
    select.projection =
        vec![SelectItem::ExprWithAlias { expr: record, alias: Ident::with_quote('"', "record") }];
    for table in &mut select.from {
        if let TableFactor::Derived { subquery, .. } = &mut table.relation {
            **subquery = rows.clone();
        }
    }
    Ok(outer)
}

fn select_of(query: &mut Query) -> Result<&mut Select> {
    match query.body.as_mut() {
        SetExpr::Select(select) => Ok(select),
        other => Err(Error::internal(format!("not a SELECT: {other}"))),
    }
}

fn array_of(rows: Query) -> Expr {
    let Expr::Function(mut function) = call("array", Vec::new()) else {
        return Expr::Subquery(Box::new(rows));
    };
    function.args = FunctionArguments::Subquery(Box::new(rows));
    Expr::Function(function)
}

/// Names of the columns that the relations of a body have: they go before arguments of their name.
fn columns_read(context: &QueryContext, body: &Query) -> Result<HashSet<String>> {
    let mut columns = HashSet::new();
    let found = ast::visit_relations(body, |name| match context.find_relation(&name_parts(name)) {
        Ok(Some(Named::Relation(relation))) => {
            columns.extend(relation.live_columns().map(|column| column.name.clone()));
            ControlFlow::Continue(())
        }
        Ok(_) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    });
    match found {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(columns),
    }
}

/// Whether an expression names columns, so that it means something only where it stands.
fn names_columns(expr: &Expr) -> bool {
    let named = |one: &Expr| match one {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Subquery(_) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    };
    ast::visit_expressions(expr, named).is_break()
}

/// Puts expressions in place of the arguments' names and of `$n`.
fn substitute(
    body: &mut Query,
    function: &Function,
    columns: &HashSet<String>,
    values: &[Expr],
) -> Result<()> {
    let place_of = |name: &str| {
        let named = |one: &FunctionArgument| one.name == name && !name.is_empty();
        function.arguments.iter().position(named)
    };
    let replaced = ast::visit_expressions_mut(body, |expr| {
        let place = match expr {
            Expr::Identifier(ident) => {
                let name = folded(ident);
                place_of(&name).filter(|_| !columns.contains(&name))
            }
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [of, name] if folded(of) == function.name => place_of(&folded(name)),
                _ => None,
            },
            Expr::Value(value) => match &value.value {
                Value::Placeholder(text) => {
                    let number = text.trim_start_matches('$').parse::<usize>().ok();
                    match number.and_then(|number| number.checked_sub(1)) {
                        Some(place) if place < values.len() => Some(place),
                        _ => return ControlFlow::Break(text.clone()),
                    }
                }
                _ => None,
            },
            _ => None,
        };
        if let Some(value) = place.and_then(|place| values.get(place)) {
            *expr = value.clone();
        }
        ControlFlow::Continue(())
    });
    match replaced {
        ControlFlow::Break(text) => {
            Err(Error::new("42P02", format!("there is no parameter {text}")))
        }
        ControlFlow::Continue(()) => Ok(()),
    }
}
