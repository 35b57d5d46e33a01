//! Table functions that are a query: it is put in their place before the statement is planned, as
//! PostgreSQL inlines SQL functions of one SELECT.
//!
//! What they read is thus read with the rights of who asks, and filters on their result go down to
//! the tables.

use std::ops::ControlFlow;

use clientele_udfs::types::PgType;
use sqlparser::ast::{
    self, CastKind, Expr, Ident, TableAlias, TableFactor, UnaryOperator, VisitMut, VisitorMut,
};

use super::procedures::Parameter;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::relations::labelled;
use crate::sql::place::name_parts;

/// Makes the query from the texts of the arguments.
pub(crate) type MakeQuery = fn(&QueryContext, &[Option<String>]) -> Result<ast::Query>;

/// Such a function.
pub(crate) struct QueryFunction {
    /// Schema and name.
    pub(crate) name: &'static str,
    /// Its arguments, which are constants.
    pub(crate) parameters: &'static [Parameter],
    /// Its columns.
    pub(crate) columns: &'static [(&'static str, PgType)],
    /// One sentence for `\df+`.
    pub(crate) comment: &'static str,
    /// The query; `None`: it is planned as a relation.
    pub(crate) query: Option<MakeQuery>,
}

/// Calls of such functions in one statement (54001 beyond): a segment may ask about itself.
const CALLS_MAX: usize = 64;

/// Arguments with their names.
type Labelled = Vec<(Option<String>, Expr)>;

/// The arguments of a function that is planned as a relation.
///
/// # Errors
/// As [`place_queries`].
pub(crate) fn arguments_of(name: &str, arguments: Labelled) -> Result<Vec<Option<String>>> {
    match all().find(|one| one.name == name) {
        Some(function) => values(function, arguments),
        None => Err(Error::new("42883", format!("function {name} does not exist"))),
    }
}

/// Whether the values of arguments are in the text of the statement.
pub(crate) fn are_constant(arguments: &[(Option<String>, Expr)]) -> bool {
    arguments.iter().all(|(_, expr)| constant(expr).is_some())
}

/// Every such function.
pub(super) fn all() -> impl Iterator<Item = &'static QueryFunction> {
    crate::preview::FUNCTIONS.iter().chain(crate::rules::FUNCTIONS)
}

/// Puts queries in place of calls.
///
/// # Errors
/// What the functions say of their arguments.
pub(crate) fn place_queries(query: &mut ast::Query, context: &QueryContext) -> Result<()> {
    match VisitMut::visit(query, &mut Inliner { context, calls: 0 }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Inliner<'a> {
    context: &'a QueryContext,
    calls: usize,
}

impl Inliner<'_> {
    fn called(&mut self, factor: &TableFactor) -> Result<Option<TableFactor>> {
        let (name, arguments, alias) = match factor {
            TableFactor::Table { name, args: Some(args), alias, .. } => (name, &args.args, alias),
            TableFactor::Function { name, args, alias, .. } => (name, args, alias),
            _ => return Ok(None),
        };
        let name = name_parts(name).join(".");
        let Some(function) = all().find(|one| one.name == name) else { return Ok(None) };
        let Some(query) = function.query else { return Ok(None) };
        let arguments = labelled(arguments)?;
        if !are_constant(&arguments) {
            // It is called for each row, when they are known.
            return Ok(None);
        }
        self.calls += 1;
        if self.calls > CALLS_MAX {
            let text = format!("function {name} is called too often in one statement");
            return Err(Error::new("54001", text));
        }
        let arguments = values(function, arguments)?;
        let query = query(self.context, &arguments)?;
        let own_name = || TableAlias {
            explicit: true,
            name: Ident::new(name.rsplit('.').next().unwrap_or_default()),
            columns: Vec::new(),
            at: None,
        };
        Ok(Some(TableFactor::Derived {
            lateral: false,
            subquery: Box::new(query),
            alias: Some(alias.clone().unwrap_or_else(own_name)),
            sample: None,
        }))
    }
}

impl VisitorMut for Inliner<'_> {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        match self.called(factor) {
            Ok(None) => {}
            Ok(Some(derived)) => *factor = derived,
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}

/// The arguments as texts, in the order of the parameters.
fn values(function: &QueryFunction, arguments: Labelled) -> Result<Vec<Option<String>>> {
    let unfit = || {
        let parameter = |one: &Parameter| {
            let default = one.default.map(|one| format!(" DEFAULT {one}")).unwrap_or_default();
            format!("{} {}{default}", one.name, one.pg_type.sql_name())
        };
        let parameters: Vec<String> = function.parameters.iter().map(parameter).collect();
        Error::new("42883", format!("function {} does not take these arguments", function.name))
            .with_hint(format!("Its signature is {}({}).", function.name, parameters.join(", ")))
    };
    let mut given: Vec<Option<Option<String>>> = vec![None; function.parameters.len()];
    for (index, (label, expr)) in arguments.into_iter().enumerate() {
        let place = match &label {
            None => Some(index),
            Some(label) => function.parameters.iter().position(|one| one.name == label),
        };
        let slot = place.and_then(|place| given.get_mut(place)).ok_or_else(unfit)?;
        let value = constant(&expr).ok_or_else(|| {
            Error::unsupported(format!("an argument of {} that is not a constant", function.name))
        })?;
        if slot.replace(value).is_some() {
            return Err(unfit());
        }
    }
    let pairs = function.parameters.iter().zip(given);
    pairs
        .map(|(parameter, value)| match (value, parameter.default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => {
                Ok(constant(&crate::sql::parse::expression(default)?).flatten())
            }
            (None, None) => Err(unfit()),
        })
        .collect()
}

/// The text of a constant; `None` for what is none.
fn constant(expr: &Expr) -> Option<Option<String>> {
    match expr {
        Expr::Value(value) => match &value.value {
            ast::Value::Null => Some(None),
            ast::Value::Number(number, _) => Some(Some(number.clone())),
            ast::Value::Boolean(value) => Some(Some(value.to_string())),
            ast::Value::Placeholder(_) => None,
            other => other.clone().into_string().map(Some),
        },
        Expr::Interval(interval) => constant(&interval.value),
        Expr::Nested(inner)
        | Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr: inner, .. } => {
            constant(inner)
        }
        Expr::TypedString(typed) => typed.value.value.clone().into_string().map(Some),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            constant(expr).map(|value| value.map(|value| format!("-{value}")))
        }
        _ => None,
    }
}
