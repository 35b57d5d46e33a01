//! react-querybuilder's JSON ↔ rules.
//!
//! Groups, rules, operators, match modes and `valueSource` are react-querybuilder's own; rules over
//! a table's rows may also have `within`, `aggregate`, `where` and `sequence`: see
//! `docs/how-to/build-a-segment.md`.

use serde_json::{Map, Value, json};

use super::error::Path;
use super::json_logic;
use super::model::{Group, Mode, Operand, Operator, Rows, Rule};
use crate::error::Result;

/// Deepest nesting (54001 beyond is the parser's; this is ours).
pub(super) const DEPTH_MAX: usize = 32;

type Object = Map<String, Value>;

/// Reads rules; JsonLogic is known by its one member.
///
/// # Errors
/// 22023 with the place.
pub(super) fn read(value: &Value) -> Result<Group> {
    let root = Path::root();
    let object = value.as_object().ok_or_else(|| root.error("an object is expected"))?;
    if object.contains_key("rules") {
        return group(object, &root, 0);
    }
    let rule = match object.contains_key("field") {
        true => rule(object, &root, 0)?,
        false => json_logic::rule(value, &root, 0)?,
    };
    Ok(match rule {
        Rule::Group(group) => group,
        rule => Group { all: true, not: false, rules: vec![rule] },
    })
}

fn group(object: &Object, path: &Path, depth: usize) -> Result<Group> {
    if depth > DEPTH_MAX {
        return Err(path.error(format!("groups are nested more than {DEPTH_MAX} deep")));
    }
    let not = object.get("not").and_then(Value::as_bool).unwrap_or(false);
    let place = path.member("rules");
    let rules = object.get("rules").and_then(Value::as_array);
    let rules = rules.ok_or_else(|| place.error("an array is expected"))?;
    if object.contains_key("combinator") || !rules.iter().any(Value::is_string) {
        let all = match object.get("combinator").map(|one| one.as_str().unwrap_or_default()) {
            None => true,
            Some(word) => combinator(word, &path.member("combinator"))?,
        };
        let rules = rules.iter().enumerate();
        let rules = rules.map(|(index, one)| member(one, &place.element(index), depth));
        return Ok(Group { all, not, rules: rules.collect::<Result<_>>()? });
    }
    // Combinators between the rules: AND binds more tightly than OR.
    let mut any: Vec<Vec<Rule>> = vec![vec![]];
    for (index, one) in rules.iter().enumerate() {
        let place = place.element(index);
        match one.as_str() {
            Some(word) if !combinator(word, &place)? => any.push(vec![]),
            Some(_) => {}
            None => any.last_mut().into_iter().try_for_each(|all| {
                all.push(member(one, &place, depth)?);
                Ok::<(), crate::error::Error>(())
            })?,
        }
    }
    let of = |rules| Group { all: true, not: false, rules };
    Ok(match any.len() {
        1 => Group { not, ..of(any.pop().unwrap_or_default()) },
        _ => {
            let rules = any.into_iter().map(|mut rules| match (rules.pop(), rules.is_empty()) {
                (Some(one), true) => one,
                (last, _) => Rule::Group(of(rules.into_iter().chain(last).collect())),
            });
            Group { all: false, not, rules: rules.collect() }
        }
    })
}

fn combinator(word: &str, path: &Path) -> Result<bool> {
    match word.to_ascii_lowercase().as_str() {
        "and" => Ok(true),
        "or" => Ok(false),
        _ => Err(path.error(format!("unknown combinator \"{word}\""))),
    }
}

fn member(value: &Value, path: &Path, depth: usize) -> Result<Rule> {
    let object = value.as_object().ok_or_else(|| path.error("an object is expected"))?;
    match object.contains_key("rules") {
        true => Ok(Rule::Group(group(object, path, depth + 1)?)),
        false => rule(object, path, depth),
    }
}

fn rule(object: &Object, path: &Path, depth: usize) -> Result<Rule> {
    let text = |name: &str| match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(path.member(name).error("a string is expected")),
    };
    let field = text("field")?.ok_or_else(|| path.member("field").error("a string is expected"))?;
    let within = text("within")?;
    let nested = |name: &str| match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => whole_group(value, &path.member(name), depth + 1).map(Some),
    };
    if let Some(steps) = object.get("sequence") {
        let place = path.member("sequence");
        let steps = steps.as_array().ok_or_else(|| place.error("an array is expected"))?;
        let steps = steps.iter().enumerate();
        let steps = steps.map(|(index, one)| whole_group(one, &place.element(index), depth + 1));
        let steps = steps.collect::<Result<Vec<_>>>()?;
        if steps.len() < 2 {
            return Err(place.error("a sequence has two steps at least"));
        }
        return Ok(Rule::Sequence { table: field, within, steps });
    }
    if let Some(found) = object.get("match") {
        let mode = mode(found, &path.member("match"))?;
        let rows = Rows { table: field, within, filter: nested("value")? };
        return Ok(Rule::Match { rows, mode });
    }
    let word = text("operator")?.unwrap_or_default();
    let operator = Operator::named(&word);
    let operator = operator
        .ok_or_else(|| path.member("operator").error(format!("unknown operator \"{word}\"")))?;
    let operand = operand(object, operator, path)?;
    if let Some(aggregate) = object.get("aggregate") {
        let place = path.member("aggregate");
        let part = |name: &str| aggregate.get(name).and_then(Value::as_str).map(str::to_owned);
        let function = part("function")
            .ok_or_else(|| place.member("function").error("a string is expected"))?;
        let rows = Rows { table: field, within, filter: nested("where")? };
        return Ok(Rule::Aggregate { rows, function, of: part("field"), operator, operand });
    }
    Ok(Rule::Compare { field, operator, operand })
}

fn whole_group(value: &Value, path: &Path, depth: usize) -> Result<Group> {
    Ok(match member(value, path, depth)? {
        Rule::Group(group) => group,
        rule => Group { all: true, not: false, rules: vec![rule] },
    })
}

fn mode(value: &Value, path: &Path) -> Result<Mode> {
    let word = value.as_str().or_else(|| value.get("mode").and_then(Value::as_str));
    let word = word.unwrap_or_default();
    let threshold = || {
        let number = value.get("threshold").and_then(Value::as_u64);
        number.ok_or_else(|| path.member("threshold").error("a whole number is expected"))
    };
    Ok(match word {
        "all" => Mode::All,
        "some" => Mode::Some,
        "none" => Mode::None,
        "atLeast" => Mode::AtLeast(threshold()?),
        "atMost" => Mode::AtMost(threshold()?),
        "exactly" => Mode::Exactly(threshold()?),
        _ => return Err(path.member("mode").error(format!("unknown match mode \"{word}\""))),
    })
}

fn operand(object: &Object, operator: Operator, path: &Path) -> Result<Operand> {
    let place = path.member("value");
    let value = object.get("value").unwrap_or(&Value::Null);
    if matches!(operator, Operator::Null | Operator::NotNull) {
        return Ok(Operand::None);
    }
    let source = object.get("valueSource").and_then(Value::as_str).unwrap_or("value");
    let several = matches!(
        operator,
        Operator::In | Operator::NotIn | Operator::Between | Operator::NotBetween
    );
    match (source, several) {
        ("field", false) => match value {
            Value::String(field) => Ok(Operand::Field(field.clone())),
            _ => Err(place.error("the name of a field is expected")),
        },
        ("value", false) => match value {
            Value::Array(_) | Value::Object(_) | Value::Null => {
                Err(place.error("one value is expected"))
            }
            value => Ok(Operand::Value(value.clone())),
        },
        ("value", true) => {
            let values = match value {
                Value::Array(values) => values.clone(),
                // react-querybuilder's own shorter form.
                Value::String(text) => {
                    text.split(',').map(|one| Value::String(one.trim().to_owned())).collect()
                }
                Value::Null | Value::Object(_) => vec![],
                one => vec![one.clone()],
            };
            let between = matches!(operator, Operator::Between | Operator::NotBetween);
            if between && values.len() != 2 {
                return Err(place.error("two values are expected"));
            }
            if values.is_empty() {
                return Err(place.error("one value at least is expected"));
            }
            Ok(Operand::Values(values))
        }
        _ => Err(path.member("valueSource").error(format!("\"{source}\" is not possible here"))),
    }
}

/// Rules as JSON.
pub(super) fn write(group: &Group) -> Value {
    let rules: Vec<Value> = group.rules.iter().map(write_rule).collect();
    let mut object = Map::new();
    object.insert("combinator".to_owned(), json!(if group.all { "and" } else { "or" }));
    if group.not {
        object.insert("not".to_owned(), json!(true));
    }
    object.insert("rules".to_owned(), Value::Array(rules));
    Value::Object(object)
}

fn write_rule(rule: &Rule) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    match rule {
        Rule::Group(group) => return write(group),
        Rule::Compare { field, operator, operand } => {
            put("field", json!(field));
            put("operator", json!(operator.name()));
            write_operand(operand, &mut put);
        }
        Rule::Match { rows, mode } => {
            put("field", json!(rows.table));
            put("operator", json!("="));
            put("match", write_mode(*mode));
            write_rows(rows, "value", &mut put);
        }
        Rule::Aggregate { rows, function, of, operator, operand } => {
            put("field", json!(rows.table));
            put(
                "aggregate",
                match of {
                    Some(of) => json!({"function": function, "field": of}),
                    None => json!({"function": function}),
                },
            );
            put("operator", json!(operator.name()));
            write_operand(operand, &mut put);
            write_rows(rows, "where", &mut put);
        }
        Rule::Sequence { table, within, steps } => {
            put("field", json!(table));
            put("sequence", Value::Array(steps.iter().map(write).collect()));
            if let Some(within) = within {
                put("within", json!(within));
            }
        }
    }
    Value::Object(object)
}

fn write_rows(rows: &Rows, filter: &str, put: &mut impl FnMut(&str, Value) -> Option<Value>) {
    if let Some(group) = &rows.filter {
        put(filter, write(group));
    }
    if let Some(within) = &rows.within {
        put("within", json!(within));
    }
}

fn write_mode(mode: Mode) -> Value {
    match mode {
        Mode::All => json!({"mode": "all"}),
        Mode::Some => json!({"mode": "some"}),
        Mode::None => json!({"mode": "none"}),
        Mode::AtLeast(number) => json!({"mode": "atLeast", "threshold": number}),
        Mode::AtMost(number) => json!({"mode": "atMost", "threshold": number}),
        Mode::Exactly(number) => json!({"mode": "exactly", "threshold": number}),
    }
}

fn write_operand(operand: &Operand, put: &mut impl FnMut(&str, Value) -> Option<Value>) {
    match operand {
        Operand::None => None,
        Operand::Value(value) => put("value", value.clone()),
        Operand::Values(values) => put("value", Value::Array(values.clone())),
        Operand::Field(field) => {
            put("value", json!(field));
            put("valueSource", json!("field"))
        }
    };
}
