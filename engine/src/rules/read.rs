//! The tree of a query → rules: the inverse of [`super::compile`], for whatever it can make.

use clientele_catalog::customers::Touchpoint;
use serde_json::Value;
use sqlparser::ast::{
    self, BinaryOperator, DataType, Distinct, Expr, FunctionArg, FunctionArgExpr,
    FunctionArguments, GroupByExpr, Query, Select, SelectItem, SetExpr, SetOperator, TableFactor,
    UnaryOperator,
};

use super::fields::{Fields, KEY, PROFILES_NAME};
use super::model::{Group, Mode, Operand, Operator, Rows, Rule};
use crate::error::{Error, Result};
use crate::sql::place::{folded, name_parts};

/// The rules of a query: over profiles, over rows of a table, or over several such.
///
/// # Errors
/// 0A000 with the part that rules cannot say.
pub(super) fn group(fields: &Fields, query: &Query) -> Result<Group> {
    Reader { fields }.definition(query)
}

fn beyond(part: &impl ToString) -> Error {
    Error::new("0A000", "the definition cannot be shown as rules")
        .with_detail(format!("This part has no rule: {}", part.to_string()))
}

/// The body of a query that is nothing else.
fn body(query: &Query) -> Result<&SetExpr> {
    let simple = query.with.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    if simple { Ok(query.body.as_ref()) } else { Err(beyond(query)) }
}

/// `SELECT customer_id FROM one_table …`, and the table.
fn plain_select(body: &SetExpr) -> Result<(String, &Select)> {
    let SetExpr::Select(select) = body else { return Err(beyond(body)) };
    let key = match select.projection.as_slice() {
        [SelectItem::UnnamedExpr(expr)] => is_key(expr),
        _ => false,
    };
    let distinct = matches!(select.distinct, None | Some(Distinct::Distinct));
    if !key || !distinct || select.qualify.is_some() {
        return Err(beyond(select));
    }
    match select.from.as_slice() {
        [one] if one.joins.is_empty() => match &one.relation {
            TableFactor::Table { name, args: None, alias: None, .. } => {
                Ok((name_parts(name).join("."), select))
            }
            other => Err(beyond(other)),
        },
        _ => Err(beyond(select)),
    }
}

fn is_key(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(name) if folded(name) == KEY)
}

struct Reader<'a> {
    fields: &'a Fields,
}

/// What stands between an operator, left to right.
fn operands<'a>(expr: &'a Expr, operator: &BinaryOperator) -> Vec<&'a Expr> {
    match expr {
        Expr::BinaryOp { left, op, right } if op == operator => {
            let mut all = operands(left, operator);
            all.push(right);
            all
        }
        other => vec![other],
    }
}

impl Reader<'_> {
    fn definition(&self, query: &Query) -> Result<Group> {
        self.members(body(query)?)
    }

    fn members(&self, body: &SetExpr) -> Result<Group> {
        match body {
            SetExpr::Query(query) => self.definition(query),
            SetExpr::SetOperation { op: SetOperator::Union, left, right, .. } => {
                self.both(false, left, right)
            }
            SetExpr::SetOperation { op: SetOperator::Intersect, left, right, .. } => {
                self.both(true, left, right)
            }
            other => self.select(other),
        }
    }

    /// The members of two queries, or of either.
    fn both(&self, all: bool, left: &SetExpr, right: &SetExpr) -> Result<Group> {
        let sides = [self.members(left)?, self.members(right)?];
        Ok(Group { all, not: false, rules: sides.map(Rule::Group).into() })
    }

    fn select(&self, body: &SetExpr) -> Result<Group> {
        let (table, select) = plain_select(body)?;
        if table != PROFILES_NAME.join(".") {
            let rules = self.rows((&table, select), false)?;
            return Ok(Group { all: true, not: false, rules });
        }
        match (&select.selection, &select.having) {
            (_, Some(having)) => Err(beyond(having)),
            (Some(condition), None) => self.group(None, condition),
            (None, None) => Ok(Group { all: true, not: false, rules: vec![] }),
        }
    }

    fn group(&self, table: Option<&Touchpoint>, expr: &Expr) -> Result<Group> {
        match expr {
            Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } => match inner.as_ref() {
                Expr::Nested(inner) => Ok(Group { not: true, ..self.group(table, inner)? }),
                _ => self.rules(table, (true, vec![expr])),
            },
            Expr::Value(value) if value.value == ast::Value::Boolean(true) => {
                Ok(Group { all: true, not: false, rules: vec![] })
            }
            Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => {
                self.rules(table, (*op == BinaryOperator::And, operands(expr, op)))
            }
            one => self.rules(table, (true, vec![one])),
        }
    }

    fn rules(&self, table: Option<&Touchpoint>, (all, parts): (bool, Vec<&Expr>)) -> Result<Group> {
        let rules = parts.into_iter().map(|part| self.rule(table, part));
        Ok(Group { all, not: false, rules: rules.collect::<Result<_>>()? })
    }

    fn rule(&self, table: Option<&Touchpoint>, expr: &Expr) -> Result<Rule> {
        match expr {
            Expr::Nested(inner) => Ok(Rule::Group(self.group(table, inner)?)),
            // AND within OR needs no parentheses in SQL.
            Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. } => {
                Ok(Rule::Group(self.group(table, expr)?))
            }
            Expr::InSubquery { expr: key, subquery, negated } if is_key(key) && table.is_none() => {
                let (table, select) = plain_select(body(subquery)?)?;
                let mut rules = self.rows((&table, select), *negated)?;
                match (rules.len(), rules.pop()) {
                    (1, Some(rule)) => Ok(rule),
                    (_, last) => {
                        rules.extend(last);
                        Ok(Rule::Group(Group { all: true, not: false, rules }))
                    }
                }
            }
            other => {
                let (field, operator, operand) = comparison(other)?;
                let [field] = field.as_slice() else { return Err(beyond(other)) };
                Ok(Rule::Compare { field: field.clone(), operator, operand })
            }
        }
    }

    /// Rules over the rows of a table, all of which hold.
    fn rows(&self, (name, select): (&str, &Select), negated: bool) -> Result<Vec<Rule>> {
        let bare = || {
            let mut named = self.fields.tables.iter().filter(|one| one.relation.name == name);
            named.next().filter(|_| named.next().is_none())
        };
        let table = self.fields.tables.iter().find(|table| table.source == name).or_else(bare);
        let table = table.ok_or_else(|| beyond(&name))?;
        let (rows, every) = self.filter(table, select, negated)?;
        let Some(having) = &select.having else {
            let mode = match (negated, every) {
                (false, false) => Mode::Some,
                (true, false) => Mode::None,
                (true, true) => Mode::All,
                (false, true) => return Err(beyond(select)),
            };
            return Ok(vec![Rule::Match { rows, mode }]);
        };
        let keyed = match &select.group_by {
            GroupByExpr::Expressions(keys, _) => {
                matches!(keys.as_slice(), [key] if is_key(key) || whole(key) == Some(1))
            }
            GroupByExpr::All(_) => false,
        };
        let parts = operands(having, &BinaryOperator::And);
        if every || !keyed || negated && parts.len() > 1 {
            return Err(beyond(select));
        }
        let rules = parts.into_iter().map(|part| self.having((table, &rows), part, negated));
        Ok(rules.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// What a condition on a customer's rows says.
    fn having(
        &self,
        (table, rows): (&Touchpoint, &Rows),
        having: &Expr,
        negated: bool,
    ) -> Result<Vec<Rule>> {
        if let Some(mode) = mode_of(having, negated) {
            return Ok(vec![Rule::Match { rows: rows.clone(), mode }]);
        }
        if negated {
            return Err(beyond(having));
        }
        if let Some(rule) = self.sequence(table, having)? {
            return Ok(vec![rule]);
        }
        if let Some(within) = lapsed_for(table, having).filter(|_| rows.within.is_none()) {
            // The last one is old: there is one, and no young one.
            let young = Rows { within: Some(within), ..rows.clone() };
            let some = Rule::Match { rows: rows.clone(), mode: Mode::Some };
            return Ok(vec![some, Rule::Match { rows: young, mode: Mode::None }]);
        }
        let (value, operator, operand) = comparison(having)?;
        let [function, of] = value.as_slice() else { return Err(beyond(having)) };
        let of = (of != "*").then(|| of.clone());
        let (function, rows) = (function.clone(), rows.clone());
        Ok(vec![Rule::Aggregate { rows, function, of, operator, operand }])
    }

    /// `[customer_id IS NOT NULL] [AND time >= now() - interval] [AND …]`; whether the rest is what
    /// every row must fulfil.
    fn filter(&self, table: &Touchpoint, select: &Select, negated: bool) -> Result<(Rows, bool)> {
        let mut rows = Rows { table: table.source.clone(), within: None, filter: None };
        let parts: Vec<&Expr> =
            select.selection.iter().flat_map(|one| operands(one, &BinaryOperator::And)).collect();
        let (mut every, mut named, mut others) = (false, false, Vec::new());
        for part in parts {
            match part {
                Expr::IsNotNull(inner) if is_key(inner) => named = true,
                Expr::IsNotTrue(inner) if rows.filter.is_none() => match inner.as_ref() {
                    Expr::Nested(inner) => {
                        rows.filter = Some(self.group(Some(table), inner)?);
                        every = true;
                    }
                    other => return Err(beyond(other)),
                },
                part => match within_of(table, part).filter(|_| rows.within.is_none()) {
                    Some(within) => rows.within = Some(within),
                    None => others.push(part),
                },
            }
        }
        // NOT IN of rows that are nobody's is true of nobody.
        if negated && !named || every && !others.is_empty() {
            return Err(beyond(select));
        }
        match others.as_slice() {
            [] => {}
            [Expr::Nested(inner)] => rows.filter = Some(self.group(Some(table), inner)?),
            _ => rows.filter = Some(self.rules(Some(table), (true, others))?),
        }
        Ok((rows, every))
    }

    fn sequence(&self, table: &Touchpoint, having: &Expr) -> Result<Option<Rule>> {
        let (name, arguments, count) = match having {
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => match called(left) {
                Some((name, arguments)) if name == "funnel" => (name, arguments, whole(right)),
                _ => return Ok(None),
            },
            other => match called(other) {
                Some((name, arguments)) if name == "sequence_match" => (name, arguments, None),
                _ => return Ok(None),
            },
        };
        let [first, _, steps @ ..] = arguments.as_slice() else { return Err(beyond(having)) };
        let within = match (name.as_str(), first) {
            ("funnel", Expr::Interval(interval)) if count == u64::try_from(steps.len()).ok() => {
                Some(text_of(&interval.value).ok_or_else(|| beyond(having))?)
            }
            ("sequence_match", pattern) => {
                let parts: Vec<String> =
                    (1..=steps.len()).map(|step| format!("(?{step})")).collect();
                if text_of(pattern) != Some(parts.join(".*")) {
                    return Err(beyond(having));
                }
                None
            }
            _ => return Err(beyond(having)),
        };
        let steps = steps.iter().map(|step| match step {
            Expr::Nested(inner) => self.group(Some(table), inner),
            other => self.group(Some(table), other),
        });
        let steps = steps.collect::<Result<Vec<_>>>()?;
        Ok(Some(Rule::Sequence { table: table.source.clone(), within, steps }))
    }
}

/// `time >= now() - INTERVAL '30 days'`, or `>`: an instant's difference → `30 days`.
fn within_of(table: &Touchpoint, expr: &Expr) -> Option<String> {
    let Expr::BinaryOp { left, op: BinaryOperator::GtEq | BinaryOperator::Gt, right } = expr else {
        return None;
    };
    let Expr::Identifier(column) = left.as_ref() else { return None };
    (folded(column) == time_of(table)?).then(|| ago(right)).flatten()
}

/// `max(time) < now() - INTERVAL '90 days'` → `90 days`.
fn lapsed_for(table: &Touchpoint, having: &Expr) -> Option<String> {
    let Expr::BinaryOp { left, op: BinaryOperator::Lt | BinaryOperator::LtEq, right } = having
    else {
        return None;
    };
    let is_last = column_of(left)? == ["max".to_owned(), time_of(table)?];
    is_last.then(|| ago(right)).flatten()
}

/// The column that says when a row was made.
fn time_of(table: &Touchpoint) -> Option<String> {
    let column = table.relation.column_by_number(table.time?)?;
    Some(column.name.clone())
}

/// `now() - INTERVAL '30 days'` → `30 days`.
fn ago(expr: &Expr) -> Option<String> {
    let Expr::BinaryOp { left, op: BinaryOperator::Minus, right } = expr else { return None };
    let is_now = match left.as_ref() {
        Expr::Identifier(name) => folded(name) == "current_timestamp",
        left => {
            let (name, arguments) = called(left)?;
            ["now", "current_timestamp"].contains(&name.as_str()) && arguments.is_empty()
        }
    };
    match right.as_ref() {
        Expr::Interval(interval) if is_now => text_of(&interval.value),
        Expr::Cast { expr, data_type: DataType::Interval { .. }, .. } if is_now => text_of(expr),
        _ => None,
    }
}

/// `count(*) >= 3`.
fn mode_of(having: &Expr, negated: bool) -> Option<Mode> {
    let Expr::BinaryOp { left, op, right } = having else { return None };
    if column_of(left)? != ["count", "*"] {
        return None;
    }
    let times = whole(right)?;
    match (op, negated) {
        (BinaryOperator::GtEq, false) => Some(Mode::AtLeast(times)),
        (BinaryOperator::Gt, true) => Some(Mode::AtMost(times)),
        (BinaryOperator::Eq, false) => Some(Mode::Exactly(times)),
        _ => None,
    }
}

fn whole(expr: &Expr) -> Option<u64> {
    match value_of(expr)? {
        Value::Number(number) => number.as_u64(),
        _ => None,
    }
}

fn text_of(expr: &Expr) -> Option<String> {
    match value_of(expr)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// A literal as JSON.
fn value_of(expr: &Expr) -> Option<Value> {
    match expr {
        Expr::Value(value) => match &value.value {
            ast::Value::Number(digits, _) => serde_json::from_str(digits).ok(),
            ast::Value::Boolean(value) => Some(Value::Bool(*value)),
            ast::Value::SingleQuotedString(text) => Some(Value::String(text.clone())),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match expr.as_ref() {
            Expr::Value(value) => match &value.value {
                ast::Value::Number(digits, _) => serde_json::from_str(&format!("-{digits}")).ok(),
                _ => None,
            },
            _ => None,
        },
        Expr::Cast {
            expr,
            data_type: DataType::Date | DataType::Timestamp(..) | DataType::Time(..),
            ..
        } => value_of(expr),
        _ => None,
    }
}

/// A call of a function, with its plain arguments; `*` is none.
fn called(expr: &Expr) -> Option<(String, Vec<Expr>)> {
    let Expr::Function(function) = expr else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    if function.filter.is_some() || function.over.is_some() || list.duplicate_treatment.is_some() {
        return None;
    }
    let argument = |one: &FunctionArg| match one {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    let arguments = list.args.iter().map(argument).collect::<Option<Vec<_>>>()?;
    Some((name_parts(&function.name).join("."), arguments))
}

/// A column by its name, or an aggregate by function and column.
fn column_of(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Identifier(name) => Some(vec![folded(name)]),
        Expr::Function(function) => match called(expr) {
            Some((name, arguments)) => match arguments.as_slice() {
                [Expr::Identifier(column)] if is_aggregate(&name) => {
                    Some(vec![name, folded(column)])
                }
                _ => None,
            },
            None => {
                let star = matches!(&function.args, FunctionArguments::List(list)
                    if matches!(list.args.as_slice(), [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]));
                let name = name_parts(&function.name).join(".");
                (star && name == "count").then(|| vec![name, "*".to_owned()])
            }
        },
        _ => None,
    }
}

fn is_aggregate(name: &str) -> bool {
    ["count", "sum", "avg", "min", "max"].contains(&name)
}

/// What a condition compares, how, and with what.
fn comparison(expr: &Expr) -> Result<(Vec<String>, Operator, Operand)> {
    compared(expr).ok_or_else(|| beyond(expr))
}

fn compared(expr: &Expr) -> Option<(Vec<String>, Operator, Operand)> {
    let list = |values: &[&Expr]| {
        let values = values.iter().map(|one| value_of(one)).collect::<Option<Vec<_>>>()?;
        Some(Operand::Values(values))
    };
    match expr {
        Expr::IsNull(inner) => Some((column_of(inner)?, Operator::Null, Operand::None)),
        Expr::IsNotNull(inner) => Some((column_of(inner)?, Operator::NotNull, Operand::None)),
        Expr::InList { expr, list: values, negated } => {
            let operator = if *negated { Operator::NotIn } else { Operator::In };
            Some((column_of(expr)?, operator, list(&values.iter().collect::<Vec<_>>())?))
        }
        Expr::Between { expr, negated, low, high } => {
            let operator = if *negated { Operator::NotBetween } else { Operator::Between };
            Some((column_of(expr)?, operator, list(&[low, high])?))
        }
        Expr::Like { negated, expr, pattern, escape_char: None, .. } => {
            let (operator, value) = unlike(&text_of(pattern)?)?;
            let operator = if *negated { operator.negated() } else { operator };
            Some((column_of(expr)?, operator, Operand::Value(Value::String(value))))
        }
        Expr::BinaryOp { left, op, right } => {
            if let Some(found) = text_fields(left, op, right) {
                return Some(found);
            }
            let operand = match value_of(right) {
                Some(value) => Operand::Value(value),
                None => match column_of(right)?.as_slice() {
                    [field] => Operand::Field(field.clone()),
                    _ => return None,
                },
            };
            Some((column_of(left)?, signed(op)?, operand))
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
            let (field, operator, operand) = starts(expr)?;
            Some((field, operator.negated(), operand))
        }
        other => starts(other),
    }
}

fn signed(op: &BinaryOperator) -> Option<Operator> {
    Some(match op {
        BinaryOperator::Eq => Operator::Equal,
        BinaryOperator::NotEq => Operator::NotEqual,
        BinaryOperator::Lt => Operator::Less,
        BinaryOperator::Gt => Operator::Greater,
        BinaryOperator::LtEq => Operator::LessOrEqual,
        BinaryOperator::GtEq => Operator::GreaterOrEqual,
        _ => return None,
    })
}

fn two_fields(name: &str, expr: &Expr) -> Option<(Vec<String>, Operand)> {
    match called(expr)? {
        (found, arguments) if found == name => match arguments.as_slice() {
            [field, Expr::Identifier(other)] => {
                Some((column_of(field)?, Operand::Field(folded(other))))
            }
            _ => None,
        },
        _ => None,
    }
}

fn starts(expr: &Expr) -> Option<(Vec<String>, Operator, Operand)> {
    let (field, operand) = two_fields("starts_with", expr)?;
    Some((field, Operator::BeginsWith, operand))
}

/// `strpos(a, b) > 0`, `right(a, length(b)) = b`.
fn text_fields(
    left: &Expr,
    op: &BinaryOperator,
    right: &Expr,
) -> Option<(Vec<String>, Operator, Operand)> {
    if let Some((field, operand)) = two_fields("strpos", left) {
        let contains = match (op, whole(right)?) {
            (BinaryOperator::Gt, 0) => Operator::Contains,
            (BinaryOperator::Eq, 0) => Operator::DoesNotContain,
            _ => return None,
        };
        return Some((field, contains, operand));
    }
    let (name, arguments) = called(left)?;
    let ([field, length], "right") = (arguments.as_slice(), name.as_str()) else { return None };
    let (name, arguments) = called(length)?;
    let ([Expr::Identifier(other)], "length") = (arguments.as_slice(), name.as_str()) else {
        return None;
    };
    let operator = match op {
        BinaryOperator::Eq => Operator::EndsWith,
        BinaryOperator::NotEq => Operator::DoesNotEndWith,
        _ => return None,
    };
    let same = matches!(right, Expr::Identifier(one) if folded(one) == folded(other));
    same.then_some(())?;
    Some((column_of(field)?, operator, Operand::Field(folded(other))))
}

/// A pattern of LIKE → the operator and the text, unescaped.
fn unlike(pattern: &str) -> Option<(Operator, String)> {
    let (mut text, mut escaped, mut marks) = (String::new(), false, Vec::new());
    for one in pattern.chars() {
        match one {
            one if escaped => {
                text.push(one);
                escaped = false;
            }
            '\\' => escaped = true,
            '%' => marks.push(text.len()),
            '_' => return None,
            one => text.push(one),
        }
    }
    let operator = match marks.as_slice() {
        [0, end] if *end == text.len() => Operator::Contains,
        [0] if !text.is_empty() => Operator::EndsWith,
        [end] if *end == text.len() => Operator::BeginsWith,
        _ => return None,
    };
    (!escaped).then_some((operator, text))
}
