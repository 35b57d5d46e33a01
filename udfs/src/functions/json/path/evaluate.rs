//! A jsonpath, evaluated over a value.

use std::cmp::Ordering;

use super::syntax::{Expression, Path, Step};
use crate::functions::decimal::{Decimal, division_by_zero};
use crate::functions::json::node::Node;
use crate::functions::json::scan::{Kind, quoted, unquoted};
use crate::functions::strings::regex::compile;
use crate::{Result, ValueError};

/// What an expression refers to.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    lax: bool,
    root: &'a Node,
    current: &'a Node,
    last: Option<usize>,
    variables: &'a Node,
}

/// All values that a path finds.
///
/// # Errors
/// What does not fit in strict mode (2203A and neighbours), an unknown variable (42704).
pub fn values(path: &Path, root: &Node, variables: &Node) -> Result<Vec<Node>> {
    let scope = Scope { lax: path.lax, root, current: root, last: None, variables };
    scope.values(&path.expression)
}

/// The outcome of a path that is a predicate; `None`: unknown.
///
/// # Errors
/// `single boolean result is expected` (22038).
pub fn matches(path: &Path, root: &Node, variables: &Node) -> Result<Option<bool>> {
    match values(path, root, variables)?.as_slice() {
        [Node::Scalar(text)] if text == "true" => Ok(Some(true)),
        [Node::Scalar(text)] if text == "false" => Ok(Some(false)),
        [Node::Scalar(text)] if text == "null" => Ok(None),
        _ => Err(ValueError::new("22038", "single boolean result is expected")),
    }
}

fn boolean(value: Option<bool>) -> Node {
    Node::Scalar(value.map_or("null".to_owned(), |value| value.to_string()))
}

fn number(node: &Node) -> Option<Decimal> {
    match node {
        Node::Scalar(text) if Kind::of(text) == Kind::Number => Decimal::parse(text),
        _ => None,
    }
}

fn string(node: &Node) -> Option<String> {
    match node {
        Node::Scalar(text) if Kind::of(text) == Kind::String => Some(unquoted(text).into_owned()),
        _ => None,
    }
}

fn kind(node: &Node) -> Kind {
    match node {
        Node::Scalar(text) => Kind::of(text),
        Node::Array(_) => Kind::Array,
        Node::Object(_) => Kind::Object,
    }
}

impl Scope<'_> {
    fn values(&self, expression: &Expression) -> Result<Vec<Node>> {
        match expression {
            Expression::Root => Ok(vec![self.root.clone()]),
            Expression::Current => Ok(vec![self.current.clone()]),
            Expression::Literal(node) => Ok(vec![node.clone()]),
            Expression::Last => {
                let last = self.last.map(|length| i64::try_from(length).unwrap_or(i64::MAX) - 1);
                let last = last.ok_or_else(|| {
                    ValueError::new("42601", "LAST is allowed only in array subscripts")
                })?;
                Ok(vec![Node::Scalar(last.to_string())])
            }
            Expression::Variable(name) => match self.variables {
                Node::Object(members) => members
                    .iter()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| vec![value.clone()]),
                _ => None,
            }
            .ok_or_else(|| {
                ValueError::new("42704", format!("could not find jsonpath variable \"{name}\""))
            }),
            Expression::Steps(start, steps) => {
                let mut found = self.values(start)?;
                for step in steps {
                    found = self.step(step, found)?;
                }
                Ok(found)
            }
            Expression::Arithmetic(operator, left, right) => {
                self.arithmetic(*operator, left, right)
            }
            Expression::Negative(inner) => self
                .unwrapped(inner)?
                .iter()
                .map(|node| {
                    let value =
                        number(node).ok_or_else(|| not_numeric("unary jsonpath operator -"))?;
                    Ok(Node::Scalar(Decimal { value: -value.value, ..value }.to_string()))
                })
                .collect(),
            predicate => Ok(vec![boolean(self.test(predicate))]),
        }
    }

    /// In lax mode arrays stand for their elements.
    fn unwrapped(&self, expression: &Expression) -> Result<Vec<Node>> {
        let values = self.values(expression)?;
        if !self.lax {
            return Ok(values);
        }
        Ok(values
            .into_iter()
            .flat_map(|node| match node {
                Node::Array(values) => values,
                other => vec![other],
            })
            .collect())
    }

    /// Three-valued; an error within a predicate makes it unknown.
    fn test(&self, expression: &Expression) -> Option<bool> {
        match expression {
            Expression::And(left, right) => match (self.test(left), self.test(right)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Expression::Or(left, right) => match (self.test(left), self.test(right)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Expression::Not(inner) => self.test(inner).map(|value| !value),
            Expression::Exists(inner) => self.values(inner).ok().map(|found| !found.is_empty()),
            Expression::Compare(operator, left, right) => {
                let (left, right) = (self.unwrapped(left).ok()?, self.unwrapped(right).ok()?);
                let pairs =
                    left.iter().flat_map(|a| right.iter().map(move |b| compare(operator, a, b)));
                any(pairs)
            }
            Expression::LikeRegex(inner, pattern, flags) => {
                let pattern = compile(pattern, flags).ok()?;
                any(self
                    .unwrapped(inner)
                    .ok()?
                    .iter()
                    .map(|node| Some(pattern.regex.is_match(&string(node)?))))
            }
            Expression::StartsWith(inner, head) => {
                let head = string(self.values(head).ok()?.first()?)?;
                any(self
                    .unwrapped(inner)
                    .ok()?
                    .iter()
                    .map(|node| Some(string(node)?.starts_with(&head))))
            }
            value => match self.values(value).ok()?.as_slice() {
                [Node::Scalar(text)] => text.parse().ok(),
                _ => None,
            },
        }
    }

    fn arithmetic(
        &self,
        operator: char,
        left: &Expression,
        right: &Expression,
    ) -> Result<Vec<Node>> {
        let side = |expression, which| match self.unwrapped(expression)?.as_slice() {
            [node] => number(node).ok_or_else(|| {
                not_numeric(&format!("{which} operand of jsonpath operator {operator}"))
            }),
            _ => Err(not_numeric(&format!("{which} operand of jsonpath operator {operator}"))),
        };
        let (a, b) = (side(left, "left")?, side(right, "right")?);
        let negative = Decimal { value: -b.value, ..b };
        let result = match operator {
            '+' => a.plus(b)?,
            '-' => a.plus(negative)?,
            '*' => a.multiply(b)?,
            '/' => a.divide(b, 16.max(a.scale).max(b.scale))?,
            _ if b.is_zero() => return Err(division_by_zero()),
            _ => {
                let scale = a.scale.max(b.scale);
                Decimal::from_wide(a.wide_at(scale).wrapping_rem(b.wide_at(scale)), scale)?
            }
        };
        Ok(vec![Node::Scalar(result.to_string())])
    }

    fn step(&self, step: &Step, found: Vec<Node>) -> Result<Vec<Node>> {
        let mut result = vec![];
        for node in found {
            self.step_of(step, node, &mut result)?;
        }
        Ok(result)
    }

    fn step_of(&self, step: &Step, node: Node, result: &mut Vec<Node>) -> Result<()> {
        match (step, node) {
            // Lax mode goes into the elements of an array where an object is wanted.
            (Step::Member(_) | Step::AnyMember | Step::Filter(_), Node::Array(values))
                if self.lax =>
            {
                for value in values {
                    let nested =
                        matches!(value, Node::Array(_)) && !matches!(step, Step::Filter(_));
                    if !nested {
                        self.step_of(step, value, result)?;
                    }
                }
            }
            (Step::Member(key), Node::Object(members)) => {
                match members.into_iter().find(|(name, _)| name == key) {
                    Some((_, value)) => result.push(value),
                    None if self.lax => {}
                    None => {
                        return Err(ValueError::new(
                            "2203A",
                            format!("JSON object does not contain key \"{key}\""),
                        ));
                    }
                }
            }
            (Step::AnyMember, Node::Object(members)) => {
                result.extend(members.into_iter().map(|(_, value)| value))
            }
            (Step::Member(_), _) if !self.lax => {
                return Err(ValueError::new(
                    "2203A",
                    "jsonpath member accessor can only be applied to an object",
                ));
            }
            (Step::AnyMember, _) if !self.lax => {
                return Err(ValueError::new(
                    "2203C",
                    "jsonpath wildcard member accessor can only be applied to an object",
                ));
            }
            (Step::AnyElement, Node::Array(values)) => result.extend(values),
            (Step::AnyElement, node) if self.lax => result.push(node),
            (Step::AnyElement, _) => {
                return Err(ValueError::new(
                    "22039",
                    "jsonpath wildcard array accessor can only be applied to an array",
                ));
            }
            (Step::Elements(ranges), Node::Array(values)) => {
                self.elements(ranges, &values, result)?
            }
            (Step::Elements(ranges), node) if self.lax => self.elements(ranges, &[node], result)?,
            (Step::Elements(_), _) => {
                return Err(ValueError::new(
                    "22039",
                    "jsonpath array accessor can only be applied to an array",
                ));
            }
            (Step::AnyDepth, node) => descend(node, result),
            (Step::Filter(test), node) => {
                let scope = Scope { current: &node, ..*self };
                if scope.test(test) == Some(true) {
                    result.push(node);
                }
            }
            (Step::Method(name), node) => self.method(name, node, result)?,
            _ => {}
        }
        Ok(())
    }

    fn elements(
        &self,
        ranges: &[(Expression, Option<Expression>)],
        values: &[Node],
        result: &mut Vec<Node>,
    ) -> Result<()> {
        let scope = Scope { last: Some(values.len()), ..*self };
        let place = |expression: &Expression| {
            let found = scope.values(expression)?;
            let place = found.first().and_then(number).map(|place| place.truncated(0).value);
            place.and_then(|place| i64::try_from(place).ok()).ok_or_else(|| {
                ValueError::new("22033", "jsonpath array subscript is not a single numeric value")
            })
        };
        let length = i64::try_from(values.len()).unwrap_or(i64::MAX);
        for (from, to) in ranges {
            let from = place(from)?;
            let to = to.as_ref().map_or(Ok(from), place)?;
            if !self.lax && (from < 0 || from > to || to >= length) {
                return Err(ValueError::new("22033", "jsonpath array subscript is out of bounds"));
            }
            let first = usize::try_from(from.max(0)).unwrap_or(usize::MAX);
            let count = usize::try_from(to.min(length - 1) - from.max(0) + 1).unwrap_or(0);
            result.extend(values.iter().skip(first).take(count).cloned());
        }
        Ok(())
    }

    fn method(&self, name: &str, node: Node, result: &mut Vec<Node>) -> Result<()> {
        let numeric = |node: &Node| {
            number(node).ok_or_else(|| {
                ValueError::new(
                    "22036",
                    format!(
                        "jsonpath item method .{name}() can only be applied to a numeric value"
                    ),
                )
            })
        };
        if let (Node::Array(values), true) = (&node, self.lax && !matches!(name, "type" | "size")) {
            return values.iter().try_for_each(|value| self.method(name, value.clone(), result));
        }
        result.push(match name {
            "type" => Node::Scalar(quoted(kind(&node).name())),
            "size" => match node {
                Node::Array(values) => Node::Scalar(values.len().to_string()),
                _ if self.lax => Node::Scalar("1".to_owned()),
                _ => return Err(ValueError::new("22039", "jsonpath item method .size() can only be applied to an array")),
            },
            "abs" => {
                let value = numeric(&node)?;
                Node::Scalar(Decimal { value: value.value.abs(), ..value }.to_string())
            }
            "floor" | "ceiling" => {
                let value = numeric(&node)?;
                let cut = value.truncated(0);
                let step = match name {
                    "floor" if cut > value => -1,
                    "ceiling" if cut < value => 1,
                    _ => 0,
                };
                Node::Scalar(cut.plus(Decimal::from(step))?.to_string())
            }
            "double" => {
                let text = string(&node).or_else(|| number(&node).map(|value| value.to_string()));
                let value = text.and_then(|text| text.parse::<f64>().ok()).filter(|value| value.is_finite());
                let value = value.ok_or_else(|| ValueError::new("22036", "jsonpath item method .double() can only be applied to a string or numeric value"))?;
                Node::Scalar(value.to_string())
            }
            "keyvalue" => return key_value(&node, result),
            _ => return Err(ValueError::new("42601", format!("syntax error at or near \"{name}\" of jsonpath input"))),
        });
        Ok(())
    }
}

fn key_value(node: &Node, result: &mut Vec<Node>) -> Result<()> {
    let Node::Object(_) = node else {
        return Err(ValueError::new(
            "2203C",
            "jsonpath item method .keyvalue() can only be applied to an object",
        ));
    };
    for (key, value) in node.members() {
        result.push(Node::Object(vec![
            ("id".to_owned(), Node::Scalar("0".to_owned())),
            ("key".to_owned(), Node::Scalar(quoted(key))),
            ("value".to_owned(), value.clone()),
        ]));
    }
    Ok(())
}

fn descend(node: Node, result: &mut Vec<Node>) {
    result.push(node.clone());
    match node {
        Node::Array(values) => values.into_iter().for_each(|value| descend(value, result)),
        Node::Object(members) => members.into_iter().for_each(|(_, value)| descend(value, result)),
        Node::Scalar(_) => {}
    }
}

fn not_numeric(what: &str) -> ValueError {
    ValueError::new("22038", format!("{what} is not a single numeric value"))
}

/// True as soon as one is; unknown when one is unknown and none true.
fn any(tests: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(false);
    for test in tests {
        match test {
            Some(true) => return Some(true),
            None => result = None,
            Some(false) => {}
        }
    }
    result
}

fn compare(operator: &str, a: &Node, b: &Node) -> Option<bool> {
    let ordering = match (kind(a), kind(b)) {
        (Kind::Null, Kind::Null) => Ordering::Equal,
        // null is unequal to everything else, and not comparable with it.
        (Kind::Null, _) | (_, Kind::Null) => return Some(operator == "!="),
        (Kind::Number, Kind::Number) => number(a)?.cmp(&number(b)?),
        (Kind::String, Kind::String) => string(a)?.cmp(&string(b)?),
        (Kind::Boolean, Kind::Boolean) => a.print().cmp(&b.print()),
        _ => return None,
    };
    Some(match operator {
        "==" => ordering.is_eq(),
        "!=" => ordering.is_ne(),
        "<" => ordering.is_lt(),
        "<=" => ordering.is_le(),
        ">" => ordering.is_gt(),
        _ => ordering.is_ge(),
    })
}
