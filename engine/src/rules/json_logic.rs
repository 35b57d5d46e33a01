//! JsonLogic (jsonlogic.com) → rules, with `startsWith` and `endsWith` as react-querybuilder writes it.

use serde_json::Value;

use super::builder::DEPTH_MAX;
use super::error::Path;
use super::model::{Group, Mode, Operand, Operator, Rows, Rule};
use crate::error::Result;

/// Reads one.
///
/// # Errors
/// 22023 with the place.
pub(super) fn rule(value: &Value, path: &Path, depth: usize) -> Result<Rule> {
    if depth > DEPTH_MAX {
        return Err(path.error(format!("operations are nested more than {DEPTH_MAX} deep")));
    }
    let object = value.as_object().filter(|object| object.len() == 1);
    let (name, arguments) = object
        .and_then(|object| object.iter().next())
        .ok_or_else(|| path.error("rules or one operation of JsonLogic are expected"))?;
    let place = path.member(name);
    let one = std::slice::from_ref(arguments);
    let arguments = arguments.as_array().map_or(one, Vec::as_slice);
    let group = |all: bool| {
        let rules = arguments.iter().enumerate();
        let rules = rules.map(|(index, one)| rule(one, &place.element(index), depth + 1));
        Ok(Rule::Group(Group { all, not: false, rules: rules.collect::<Result<_>>()? }))
    };
    match (name.as_str(), arguments) {
        ("and", _) => group(true),
        ("or", _) => group(false),
        ("!", [inner]) => Ok(negated(rule(inner, &place, depth + 1)?)),
        ("!!", [inner]) => rule(inner, &place, depth + 1),
        ("all" | "some" | "none", [rows, condition]) => {
            let mode = match name.as_str() {
                "all" => Mode::All,
                "some" => Mode::Some,
                _ => Mode::None,
            };
            let table =
                variable(rows).ok_or_else(|| place.element(0).error("a variable is expected"))?;
            let filter = match rule(condition, &place.element(1), depth + 1)? {
                Rule::Group(group) => group,
                rule => Group { all: true, not: false, rules: vec![rule] },
            };
            Ok(Rule::Match { rows: Rows { table, within: None, filter: Some(filter) }, mode })
        }
        ("in", [needle, hay]) => within(needle, hay, &place),
        ("startsWith" | "endsWith", [left, right]) => {
            let starts = name == "startsWith";
            let operator = if starts { Operator::BeginsWith } else { Operator::EndsWith };
            compare(left, operator, right, &place)
        }
        ("<" | "<=", [low, middle, high]) => between(name, [low, middle, high], &place),
        (name, [left, right]) => match operator(name) {
            Some(operator) => compare(left, operator, right, &place),
            None => Err(path.error(format!("unknown operation \"{name}\""))),
        },
        (name, _) => Err(path.error(format!("unknown operation \"{name}\""))),
    }
}

fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        "==" | "===" => Operator::Equal,
        "!=" | "!==" => Operator::NotEqual,
        "<" => Operator::Less,
        ">" => Operator::Greater,
        "<=" => Operator::LessOrEqual,
        ">=" => Operator::GreaterOrEqual,
        _ => return None,
    })
}

fn variable(value: &Value) -> Option<String> {
    let name = value.as_object()?.get("var")?;
    let name = name.as_array().map_or(Some(name), |list| list.first())?;
    name.as_str().map(str::to_owned)
}

fn negated(rule: Rule) -> Rule {
    match rule {
        Rule::Compare { field, operator, operand } => {
            Rule::Compare { field, operator: operator.negated(), operand }
        }
        Rule::Group(group) => Rule::Group(Group { not: !group.not, ..group }),
        rule => Rule::Group(Group { all: true, not: true, rules: vec![rule] }),
    }
}

/// The operator with its sides changed.
fn turned(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::Greater => Operator::Less,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        same => same,
    }
}

fn compare(left: &Value, operator: Operator, right: &Value, path: &Path) -> Result<Rule> {
    let (field, operator, other) = match (variable(left), variable(right)) {
        (Some(field), _) => (field, operator, right),
        (None, Some(field)) if !operator.of_text() => (field, turned(operator), left),
        _ => return Err(path.error("a variable is expected")),
    };
    let (operator, operand) = match (operator, variable(other), other) {
        (operator, Some(field), _) => (operator, Operand::Field(field)),
        (Operator::Equal, None, Value::Null) => (Operator::Null, Operand::None),
        (Operator::NotEqual, None, Value::Null) => (Operator::NotNull, Operand::None),
        (_, None, Value::Array(_) | Value::Object(_) | Value::Null) => {
            return Err(path.error("a value or a variable is expected"));
        }
        (operator, None, value) => (operator, Operand::Value(value.clone())),
    };
    Ok(Rule::Compare { field, operator, operand })
}

fn within(needle: &Value, hay: &Value, path: &Path) -> Result<Rule> {
    match (variable(needle), hay) {
        (Some(field), Value::Array(values)) if !values.is_empty() => Ok(Rule::Compare {
            field,
            operator: Operator::In,
            operand: Operand::Values(values.clone()),
        }),
        _ => compare(hay, Operator::Contains, needle, path),
    }
}

fn between(name: &str, [low, middle, high]: [&Value; 3], path: &Path) -> Result<Rule> {
    let field = variable(middle).ok_or_else(|| path.element(1).error("a variable is expected"))?;
    if name == "<=" {
        let operand = Operand::Values(vec![low.clone(), high.clone()]);
        return Ok(Rule::Compare { field, operator: Operator::Between, operand });
    }
    let rules = vec![
        compare(middle, Operator::Greater, low, path)?,
        compare(middle, Operator::Less, high, path)?,
    ];
    Ok(Rule::Group(Group { all: true, not: false, rules }))
}
