//! Rules → the tree of a query. Values become typed literals of the tree; no text is put together.
//!
//! `SELECT customer_id FROM customers.profiles WHERE …`, where a rule over a table's rows is
//! `customer_id [NOT] IN (SELECT customer_id FROM table WHERE … GROUP BY … HAVING …)`.

use clientele_catalog::customers::Touchpoint;
use clientele_udfs::input::{Context, parse};
use clientele_udfs::types::PgType;
use serde_json::Value;
use sqlparser::ast::{
    self, BinaryOperator, DataType, Expr, GroupByExpr, Interval, Query, SetExpr, TimezoneInfo,
    UnaryOperator,
};

use super::error::Path;
use super::fields::{
    Family, Field, Fields, KEY, PROFILES_NAME, Scope, family, ident, object_name, time_of,
};
use super::model::{Group, Mode, Operand, Operator, Rows, Rule};
use crate::error::Result;
use crate::sql;
use crate::sql::rewrite::{call, cast, text};

/// The query of rules.
///
/// # Errors
/// 22023 with the place of what is unknown or of a wrong type.
pub(super) fn query(fields: &Fields, group: &Group) -> Result<Query> {
    let condition = Compiler { fields }.group(Scope::Customer, group, &Path::root())?;
    let table = ast::ObjectName::from(PROFILES_NAME.map(ast::Ident::new).to_vec());
    subquery(table, condition)
}

/// `SELECT customer_id FROM table WHERE condition`.
fn subquery(table: ast::ObjectName, condition: Expr) -> Result<Query> {
    let mut query = sql::parse::query("SELECT customer_id FROM t WHERE true")?;
    if let SetExpr::Select(select) = query.body.as_mut() {
        if let Some(ast::TableFactor::Table { name, .. }) =
            select.from.first_mut().map(|from| &mut from.relation)
        {
            *name = table;
        }
        select.selection = Some(condition);
    }
    Ok(query)
}

struct Compiler<'a> {
    fields: &'a Fields,
}

fn key() -> Expr {
    Expr::Identifier(ident(KEY))
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn nested(expr: Expr) -> Expr {
    Expr::Nested(Box::new(expr))
}

fn not(expr: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(nested(expr)) }
}

fn number(value: impl ToString) -> Expr {
    let digits = value.to_string();
    let literal =
        |digits: &str| Expr::Value(ast::Value::Number(digits.to_owned(), false).with_empty_span());
    match digits.strip_prefix('-') {
        Some(digits) => Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(literal(digits)) },
        None => literal(&digits),
    }
}

impl Compiler<'_> {
    fn group(&self, scope: Scope<'_>, group: &Group, path: &Path) -> Result<Expr> {
        let operator = if group.all { BinaryOperator::And } else { BinaryOperator::Or };
        let place = path.member("rules");
        let rules = group.rules.iter().enumerate();
        let rules = rules.map(|(index, rule)| self.rule(scope, rule, &place.element(index)));
        let rules = rules.collect::<Result<Vec<_>>>()?;
        // A group without rules restricts nothing, as in react-querybuilder.
        let truth = Expr::Value(ast::Value::Boolean(true).with_empty_span());
        let whole = rules.into_iter().reduce(|one, other| binary(one, operator.clone(), other));
        let whole = whole.unwrap_or(truth);
        Ok(if group.not { not(whole) } else { whole })
    }

    fn rule(&self, scope: Scope<'_>, rule: &Rule, path: &Path) -> Result<Expr> {
        match rule {
            Rule::Group(group) => Ok(nested(self.group(scope, group, path)?)),
            Rule::Compare { field, operator, operand } => {
                self.compare(scope, field, (*operator, operand), path)
            }
            _ if matches!(scope, Scope::Row(_)) => {
                Err(path.error("rules over rows of a table cannot stand within one another"))
            }
            Rule::Match { rows, mode } => self.matches(rows, *mode, path),
            Rule::Aggregate { rows, function, of, operator, operand } => {
                let value = (function.as_str(), of.as_deref());
                self.aggregate(rows, value, (*operator, operand), path)
            }
            Rule::Sequence { table, within, steps } => {
                self.sequence(table, (within.as_deref(), steps), path)
            }
        }
    }

    fn compare(
        &self,
        scope: Scope<'_>,
        name: &str,
        (operator, operand): (Operator, &Operand),
        path: &Path,
    ) -> Result<Expr> {
        // A column of a table, said of a customer: some row of his.
        if let (Scope::Customer, Some((table, _))) = (scope, self.fields.qualified(name)) {
            let rule = Rule::Compare { field: name.to_owned(), operator, operand: operand.clone() };
            let filter = Group { all: true, not: false, rules: vec![rule] };
            let rows = Rows { table: table.source.clone(), within: None, filter: Some(filter) };
            return self.matches(&rows, Mode::Some, path);
        }
        let field = self.fields.field(scope, name, &path.member("field"))?;
        let other = |other: &str| self.fields.field(scope, other, &path.member("value"));
        comparison(&field, operator, operand, (&other, path))
    }

    /// The rows that count: of somebody, young enough, fulfilling the rules.
    fn rows(&self, rows: &Rows, every: bool, path: &Path) -> Result<Query> {
        let table = self.fields.table(&rows.table, &path.member("field"))?;
        let mut condition = Expr::IsNotNull(Box::new(key()));
        if let Some(within) = &rows.within {
            let young = within_of(table, within, path)?;
            condition = binary(condition, BinaryOperator::And, young);
        }
        if let Some(filter) = &rows.filter {
            let place = path.member("value");
            let filter = nested(self.group(Scope::Row(table), filter, &place)?);
            let filter = if every { Expr::IsNotTrue(Box::new(filter)) } else { filter };
            condition = binary(condition, BinaryOperator::And, filter);
        } else if every {
            let never = Expr::Value(ast::Value::Boolean(false).with_empty_span());
            condition = binary(condition, BinaryOperator::And, never);
        }
        subquery(object_name(&rows.table), condition)
    }

    fn matches(&self, rows: &Rows, mode: Mode, path: &Path) -> Result<Expr> {
        let count = |op, number_of| (op, number(number_of));
        let (negated, having) = match mode {
            Mode::Some | Mode::AtLeast(1) => (false, None),
            Mode::None | Mode::All | Mode::Exactly(0) | Mode::AtMost(0) => (true, None),
            Mode::AtLeast(0) => return Ok(Expr::IsNotNull(Box::new(key()))),
            Mode::AtLeast(least) => (false, Some(count(BinaryOperator::GtEq, least))),
            Mode::AtMost(most) => (true, Some(count(BinaryOperator::Gt, most))),
            Mode::Exactly(times) => (false, Some(count(BinaryOperator::Eq, times))),
        };
        let mut query = self.rows(rows, mode == Mode::All, path)?;
        if let Some((op, times)) = having {
            grouped(&mut query, binary(count_rows()?, op, times));
        }
        Ok(among(query, negated))
    }

    fn aggregate(
        &self,
        rows: &Rows,
        (function, of): (&str, Option<&str>),
        (operator, operand): (Operator, &Operand),
        path: &Path,
    ) -> Result<Expr> {
        let table = self.fields.table(&rows.table, &path.member("field"))?;
        let place = path.member("aggregate");
        let argument =
            of.map(|of| self.fields.field(Scope::Row(table), of, &place.member("field")));
        let value = aggregate(function, argument.transpose()?, &place)?;
        let no_fields = |_: &str| Err(path.member("value").error("a value is expected"));
        let condition = comparison(&value, operator, operand, (&no_fields, path))?;
        let mut query = self.rows(rows, false, path)?;
        grouped(&mut query, condition);
        Ok(among(query, false))
    }

    fn sequence(
        &self,
        table: &str,
        (within, steps): (Option<&str>, &[Group]),
        path: &Path,
    ) -> Result<Expr> {
        let place = path.member("sequence");
        let rows = Rows { table: table.to_owned(), within: None, filter: None };
        let mut query = self.rows(&rows, false, path)?;
        let table = self.fields.table(table, &path.member("field"))?;
        let time = Expr::Identifier(ident(&time_of(table, &path.member("field"))?.name));
        let steps = steps.iter().enumerate();
        let steps = steps.map(|(index, step)| {
            self.group(Scope::Row(table), step, &place.element(index)).map(nested)
        });
        let steps = steps.collect::<Result<Vec<_>>>()?;
        let count = steps.len();
        let condition = match within {
            Some(within) => {
                let window = interval(within, &path.member("within"))?;
                let arguments = [vec![window, time], steps].concat();
                binary(call("funnel", arguments), BinaryOperator::Eq, number(count))
            }
            None => {
                let parts: Vec<String> = (1..=count).map(|step| format!("(?{step})")).collect();
                let arguments = [vec![text(parts.join(".*")), time], steps].concat();
                call("sequence_match", arguments)
            }
        };
        grouped(&mut query, condition);
        Ok(among(query, false))
    }
}

fn count_rows() -> Result<Expr> {
    sql::parse::expression("count(*)")
}

fn grouped(query: &mut Query, having: Expr) {
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.group_by = GroupByExpr::Expressions(vec![key()], vec![]);
        select.having = Some(having);
    }
}

fn among(query: Query, negated: bool) -> Expr {
    Expr::InSubquery { expr: Box::new(key()), subquery: Box::new(query), negated }
}

/// An interval's literal.
fn interval(value: &str, path: &Path) -> Result<Expr> {
    if parse(PgType::INTERVAL, Some(value), &Context::default()).is_err() {
        return Err(path.error(format!("\"{value}\" is not an interval")));
    }
    Ok(Expr::Interval(Interval {
        value: Box::new(text(value)),
        leading_field: None,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    }))
}

/// `ordered_at >= now() - INTERVAL '30 days'`.
fn within_of(table: &Touchpoint, within: &str, path: &Path) -> Result<Expr> {
    let time = time_of(table, &path.member("field"))?;
    let now = call("now", vec![]);
    let since = binary(now, BinaryOperator::Minus, interval(within, &path.member("within"))?);
    Ok(binary(Expr::Identifier(ident(&time.name)), BinaryOperator::GtEq, since))
}

/// An aggregate with the type of its result.
fn aggregate(function: &str, argument: Option<Field>, path: &Path) -> Result<Field> {
    let number = |expr| Field { expr, pg_type: PgType::NUMERIC };
    let place = path.member("field");
    match (function, argument) {
        ("count", None) => Ok(number(count_rows()?)),
        ("count", Some(field)) => Ok(number(call("count", vec![field.expr]))),
        ("sum" | "avg", Some(field)) if family(field.pg_type) == Family::Number => {
            Ok(number(call(function, vec![field.expr])))
        }
        ("sum" | "avg", Some(_)) => Err(place.error("a field of a numeric type is expected")),
        ("min" | "max", Some(field)) => {
            let expr = call(function, vec![field.expr]);
            Ok(Field { expr, pg_type: field.pg_type })
        }
        ("sum" | "avg" | "min" | "max", None) => Err(place.error("a field is expected")),
        _ => Err(path.member("function").error(format!("unknown aggregate \"{function}\""))),
    }
}

/// A field of the same scope.
type Other<'a> = &'a dyn Fn(&str) -> Result<Field>;

fn comparison(
    field: &Field,
    operator: Operator,
    operand: &Operand,
    (other, path): (Other<'_>, &Path),
) -> Result<Expr> {
    let kind = family(field.pg_type);
    let fits = match kind {
        Family::Text => true,
        Family::Number | Family::Time => !operator.of_text(),
        Family::Boolean => !operator.of_text() && !operator.of_order(),
        Family::Other => matches!(operator, Operator::Null | Operator::NotNull),
    };
    if !fits {
        let (operator, shown) = (operator.name(), field.pg_type.sql_name());
        let text = format!("operator \"{operator}\" does not go with type {shown}");
        return Err(path.member("operator").error(text));
    }
    let place = path.member("value");
    let left = Box::new(field.expr.clone());
    Ok(match (operator, operand) {
        (Operator::Null, _) => Expr::IsNull(left),
        (Operator::NotNull, _) => Expr::IsNotNull(left),
        (Operator::In | Operator::NotIn, Operand::Values(values)) => {
            let values = values.iter().enumerate();
            let list =
                values.map(|(index, one)| literal(one, field.pg_type, &place.element(index)));
            let (list, negated) = (list.collect::<Result<_>>()?, operator == Operator::NotIn);
            Expr::InList { expr: left, list, negated }
        }
        (Operator::Between | Operator::NotBetween, Operand::Values(values)) => {
            let bound = |index: usize| {
                let place = place.element(index);
                let value = values.get(index).ok_or_else(|| place.error("a value is expected"))?;
                literal(value, field.pg_type, &place).map(Box::new)
            };
            let negated = operator == Operator::NotBetween;
            Expr::Between { expr: left, negated, low: bound(0)?, high: bound(1)? }
        }
        (_, Operand::Value(Value::String(value))) if operator.of_text() => {
            like(left, operator, value)
        }
        (_, Operand::Value(value)) if operator.of_text() => {
            like(left, operator, &value.to_string())
        }
        (_, Operand::Value(value)) => {
            let right = literal(value, field.pg_type, &place)?;
            binary(field.expr.clone(), sign(operator), right)
        }
        (_, Operand::Field(name)) => {
            let other = other(name)?;
            if family(other.pg_type) != kind {
                let (one, two) = (field.pg_type.sql_name(), other.pg_type.sql_name());
                return Err(place.error(format!("types {one} and {two} do not compare")));
            }
            with_field(field.expr.clone(), operator, other.expr)
        }
        _ => return Err(place.error("a value is expected")),
    })
}

fn sign(operator: Operator) -> BinaryOperator {
    match operator {
        Operator::NotEqual => BinaryOperator::NotEq,
        Operator::Less => BinaryOperator::Lt,
        Operator::Greater => BinaryOperator::Gt,
        Operator::LessOrEqual => BinaryOperator::LtEq,
        Operator::GreaterOrEqual => BinaryOperator::GtEq,
        _ => BinaryOperator::Eq,
    }
}

fn like(expr: Box<Expr>, operator: Operator, value: &str) -> Expr {
    let mut pattern = String::with_capacity(value.len() + 2);
    for one in value.chars() {
        if matches!(one, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(one);
    }
    let negated = operator != Operator::Contains
        && operator != Operator::BeginsWith
        && operator != Operator::EndsWith;
    let pattern = match if negated { operator.negated() } else { operator } {
        Operator::BeginsWith => format!("{pattern}%"),
        Operator::EndsWith => format!("%{pattern}"),
        _ => format!("%{pattern}%"),
    };
    let pattern = Box::new(text(pattern));
    Expr::Like { negated, any: false, expr, pattern, escape_char: None }
}

fn with_field(left: Expr, operator: Operator, right: Expr) -> Expr {
    let zero = || number(0);
    let end = |left: Expr, right: Expr| call("right", vec![left, call("length", vec![right])]);
    match operator {
        Operator::Contains => binary(call("strpos", vec![left, right]), BinaryOperator::Gt, zero()),
        Operator::DoesNotContain => {
            binary(call("strpos", vec![left, right]), BinaryOperator::Eq, zero())
        }
        Operator::BeginsWith => call("starts_with", vec![left, right]),
        Operator::DoesNotBeginWith => {
            let starts = call("starts_with", vec![left, right]);
            Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(starts) }
        }
        Operator::EndsWith => binary(end(left, right.clone()), BinaryOperator::Eq, right),
        Operator::DoesNotEndWith => binary(end(left, right.clone()), BinaryOperator::NotEq, right),
        _ => binary(left, sign(operator), right),
    }
}

/// A value as a literal of a type.
fn literal(value: &Value, pg_type: PgType, path: &Path) -> Result<Expr> {
    let shown = pg_type.sql_name();
    let unfit = || path.error(format!("a value of type {shown} is expected"));
    let plain = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        _ => return Err(unfit()),
    };
    let valid = || parse(pg_type, Some(&plain), &Context::default()).map_err(|_| unfit());
    Ok(match family(pg_type) {
        Family::Number => {
            valid()?;
            let digits =
                |one: char| one.is_ascii_digit() || matches!(one, '.' | '-' | 'e' | 'E' | '+');
            if !plain.chars().all(digits) {
                return Err(unfit());
            }
            number(plain.trim_start_matches('+'))
        }
        Family::Boolean => {
            valid()?;
            let truth = matches!(plain.as_str(), "true" | "t" | "1" | "on" | "yes");
            Expr::Value(ast::Value::Boolean(truth).with_empty_span())
        }
        Family::Text => text(plain),
        Family::Time => {
            valid()?;
            let data_type = match pg_type {
                PgType::DATE => DataType::Date,
                PgType::TIMESTAMP => DataType::Timestamp(None, TimezoneInfo::None),
                PgType::TIMESTAMPTZ => DataType::Timestamp(None, TimezoneInfo::Tz),
                PgType::TIME => DataType::Time(None, TimezoneInfo::None),
                _ => return Err(unfit()),
            };
            cast(text(plain), data_type)
        }
        Family::Other => return Err(unfit()),
    })
}
