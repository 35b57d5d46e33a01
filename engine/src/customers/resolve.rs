//! Conditions → the customers that can fulfil them.

use clientele_catalog::customers::Touchpoints;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;

use super::pins::Pin;
use super::rows::From;
use super::table::Shape;

/// Customers up to which tables are asked for each; a scan is as good for more.
const CUSTOMERS_MAX: usize = 1024;

/// What is asked of.
pub(super) struct Asked<'a> {
    pub(super) touchpoints: &'a Touchpoints,
    pub(super) shape: Shape,
    pub(super) pins: &'a [Pin],
}

/// The customers, in ascending order, that can fulfil all conditions; `None`: any.
pub(super) fn customers(from: &From<'_>, asked: &Asked<'_>, filters: &[Expr]) -> Option<Vec<i64>> {
    let key = asked.touchpoints.subject.column();
    let mut found: Option<Vec<i64>> = None;
    for condition in filters.iter().flat_map(split_conjunction) {
        let Some((column, values)) = one_of(condition) else { continue };
        let customers = match (column, asked.shape) {
            (column, _) if column == key => numbers(&values),
            ("value", Shape::Values) => match attributes(filters).as_deref() {
                Some([attribute]) => asked.with(from, attribute, &values),
                _ => None,
            },
            (column, Shape::Profile) => asked.with(from, column, &values),
            _ => None,
        };
        let Some(mut customers) = customers else { continue };
        customers.sort_unstable();
        customers.dedup();
        if let Some(before) = &found {
            customers.retain(|one| before.binary_search(one).is_ok());
        }
        found = Some(customers);
    }
    found.filter(|found| found.len() <= CUSTOMERS_MAX)
}

/// The attributes that conditions on `customers.attributes` leave; `None`: any.
pub(super) fn attributes(filters: &[Expr]) -> Option<Vec<String>> {
    let mut conditions = filters.iter().flat_map(split_conjunction).filter_map(one_of);
    let (_, values) = conditions.find(|(column, _)| *column == "attribute")?;
    values.into_iter().map(|value| text(value).map(str::to_owned)).collect()
}

impl Asked<'_> {
    /// The customers with an identifier, given as it is compared.
    fn with(&self, from: &From<'_>, name: &str, values: &[&ScalarValue]) -> Option<Vec<i64>> {
        let attributes = &self.touchpoints.attributes;
        let place = attributes.iter().position(|one| one.name == name)?;
        let attribute = attributes.get(place)?;
        let mut found = Vec::new();
        for value in values {
            let value = text(value).filter(|_| attribute.identifies)?;
            let identifier = (attribute.domain, value);
            let subject = self.touchpoints.subject;
            found.extend(from.store.customers_with(from.snapshot, subject, identifier)?);
            let pinned = self.pins.iter().filter(|pin| pin.attribute == place);
            found.extend(pinned.map(|pin| pin.customer));
        }
        Some(found)
    }
}

/// `column = value` or `column IN (…)`.
fn one_of<'e>(condition: &'e Expr) -> Option<(&'e str, Vec<&'e ScalarValue>)> {
    let value = |expr: &'e Expr| match expr {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    };
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            match (left.as_ref(), right.as_ref()) {
                (Expr::Column(column), other) | (other, Expr::Column(column)) => {
                    Some((&column.name, vec![value(other)?]))
                }
                _ => None,
            }
        }
        Expr::InList(list) if !list.negated => {
            let Expr::Column(column) = list.expr.as_ref() else { return None };
            Some((&column.name, list.list.iter().map(value).collect::<Option<_>>()?))
        }
        // DataFusion writes a short list as a chain of OR.
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let (column, mut values) = one_of(left)?;
            let (other, more) = one_of(right)?;
            values.extend(more);
            (column == other).then_some((column, values))
        }
        _ => None,
    }
}

fn numbers(values: &[&ScalarValue]) -> Option<Vec<i64>> {
    let number = |value: &&ScalarValue| match value {
        ScalarValue::Int64(Some(number)) => Some(*number),
        ScalarValue::Int32(Some(number)) => Some(i64::from(*number)),
        _ => None,
    };
    values.iter().map(number).collect()
}

fn text(value: &ScalarValue) -> Option<&str> {
    match value {
        ScalarValue::Utf8View(Some(text))
        | ScalarValue::Utf8(Some(text))
        | ScalarValue::LargeUtf8(Some(text)) => Some(text),
        _ => None,
    }
}
