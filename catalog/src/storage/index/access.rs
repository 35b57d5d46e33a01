//! From conditions to an index and the ranges of its keys.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::common::ScalarValue;

use super::sort_key::{self, KeyRange};
use crate::definition::{Oid, Relation};
use crate::error::Result;
use crate::storage::value_indexes::TypedColumn;

/// Keys that one question may name, of all its lists together.
const PREFIXES_MAX: usize = 1024;

/// What a column is to fulfil. Nothing but a hint: rows that do not may be among the answers.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Number of the column.
    pub column: i16,
    /// The test.
    pub test: Test,
}

/// A test that an index answers. Its values are of the column's Arrow type.
#[derive(Debug, Clone)]
pub enum Test {
    /// It is one of these.
    OneOf(Vec<ScalarValue>),
    /// It is this or above.
    From(ScalarValue),
    /// It is above this.
    Above(ScalarValue),
    /// It is this or below.
    UpTo(ScalarValue),
    /// It is below this.
    Below(ScalarValue),
    /// It is not NULL.
    Present,
    /// It is NULL.
    Null,
}

impl Test {
    /// What matches a LIKE pattern begins as the pattern does; nothing when that has no beginning.
    pub fn like(pattern: &str) -> Vec<Self> {
        let wild = |character: &char| matches!(character, '%' | '_' | '\\');
        let beginning: String = pattern.chars().take_while(|one| !wild(one)).collect();
        let mut end = beginning.clone();
        let last = end.pop().map_or(u32::MAX, u32::from);
        // The order of characters is that of their bytes.
        let next = (last..=char::MAX.into()).skip(1).find_map(char::from_u32);
        let Some(next) = next else { return Vec::new() };
        end.push(next);
        let text = |text| ScalarValue::Utf8View(Some(text));
        vec![Self::From(text(beginning)), Self::Below(text(end))]
    }
}

/// An order of rows; NULLs are last, or first in a descending one: what PostgreSQL's indexes have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexOrder {
    /// Numbers of the columns.
    pub columns: Vec<i16>,
    /// All of them fall.
    pub descending: bool,
    /// Rows that are equal in them are sorted further, by the caller: none of them may be missing.
    pub further: bool,
}

/// A way to rows by an index.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) index: Oid,
    pub(super) columns: Arc<[TypedColumn]>,
    /// Disjoint, in ascending order.
    pub(super) ranges: Vec<KeyRange>,
    /// The values of the leading column, where it equals some.
    pub(super) leading: Option<Vec<ScalarValue>>,
    /// How many columns are fixed by equality.
    equal: usize,
    /// Whether the next column is bounded.
    bounded: bool,
    unique: bool,
}

impl Access {
    /// Whether the rows of its ranges, as they are sorted, are in that order; if so, whether rows
    /// with equal keys have to be sorted further.
    pub(super) fn gives(&self, order: &IndexOrder) -> Option<bool> {
        let numbers = || self.columns.iter().map(|(number, _)| *number);
        // A column that equals one value sorts nothing.
        let fixed = if self.ranges.len() == 1 { self.equal } else { 0 };
        (0..=fixed).find_map(|skip| {
            let (wanted, has) = (order.columns.len(), numbers().len() - skip);
            let alike = has > 0
                && order.columns.iter().copied().zip(numbers().skip(skip)).all(|(a, b)| a == b);
            match alike {
                true if wanted <= has && !order.further => Some(false),
                true if wanted >= has => Some(true),
                _ => None,
            }
        })
    }

    /// Whether conditions narrow it.
    pub(super) fn is_narrow(&self) -> bool {
        self.equal > 0 || self.bounded
    }
}

/// Every index of a relation, the one that its conditions narrow most first.
///
/// # Errors
/// Arrow cannot sort a type.
pub(super) fn accesses(relation: &Relation, conditions: &[Condition]) -> Result<Vec<Access>> {
    let keys = relation.unique_keys().map(|(one, columns)| (one.oid, columns, true));
    let plain = relation.indexes.iter().filter(|one| one.sorts());
    let plain = plain.map(|one| (one.oid, one.columns.as_slice(), false));
    let mut found = Vec::new();
    for (index, columns, unique) in keys.chain(plain) {
        let columns = columns.iter().map(|number| relation.column_by_number(*number));
        // 0 is an expression: what stands behind it sorts within its values only.
        let columns = columns.map_while(|column| column.filter(|one| sort_key::is_sortable(one)));
        let columns: Arc<[TypedColumn]> = columns.map(|one| (one.number, one.pg_type)).collect();
        if !columns.is_empty() {
            found.extend(access((index, unique), &columns, conditions)?);
        }
    }
    found.sort_by_key(|one| {
        let whole = one.unique && one.equal == one.columns.len();
        std::cmp::Reverse((whole, one.equal, one.bounded))
    });
    Ok(found)
}

fn access(
    (index, unique): (Oid, bool),
    columns: &Arc<[TypedColumn]>,
    conditions: &[Condition],
) -> Result<Option<Access>> {
    let mut prefixes = vec![Vec::new()];
    let mut equal = 0;
    for column in columns.iter() {
        let Some(values) = values_of(*column, conditions)? else { break };
        if values.len().saturating_mul(prefixes.len()) > PREFIXES_MAX {
            break;
        }
        let longer = |prefix: &Vec<u8>| {
            let prefix = prefix.clone();
            values.iter().map(move |value| [prefix.as_slice(), value].concat()).collect::<Vec<_>>()
        };
        prefixes = prefixes.iter().flat_map(longer).collect();
        equal += 1;
    }
    let (mut ranges, mut bounded) = (Vec::with_capacity(prefixes.len()), false);
    for prefix in prefixes {
        let range = match columns.get(equal) {
            Some(column) => range_of(&prefix, *column, conditions)?,
            None => None,
        };
        bounded |= range.is_some();
        ranges.push(range.unwrap_or_else(|| KeyRange::beginning_with(prefix)));
    }
    ranges.retain(|range| !range.is_empty());
    ranges.sort_unstable();
    ranges.dedup();
    let columns = Arc::clone(columns);
    let leading = columns.first().filter(|_| equal > 0);
    let leading = leading.and_then(|(number, _)| one_of(*number, conditions)).cloned();
    Ok(Some(Access { index, columns, ranges, leading, equal, bounded, unique }))
}

/// The values that a column may have. Of a conjunction the shortest list has them all.
fn one_of(number: i16, conditions: &[Condition]) -> Option<&Vec<ScalarValue>> {
    let lists = conditions.iter().filter(|one| one.column == number);
    let lists = lists.filter_map(|one| match &one.test {
        Test::OneOf(values) => Some(values),
        _ => None,
    });
    lists.min_by_key(|values| values.len())
}

/// The keys of the values that a column may have; `None`: nothing says so.
fn values_of(
    (number, pg_type): TypedColumn,
    conditions: &[Condition],
) -> Result<Option<Vec<Vec<u8>>>> {
    let Some(list) = one_of(number, conditions) else { return Ok(None) };
    let mut keys = Vec::with_capacity(list.len());
    for value in list.iter().filter(|value| !value.is_null()) {
        let Some(key) = sort_key::encode_value(pg_type, value)? else { return Ok(None) };
        keys.push(key);
    }
    keys.sort_unstable();
    keys.dedup();
    Ok(Some(keys))
}

/// The range of a column behind a prefix; `None`: nothing bounds it.
fn range_of(
    prefix: &[u8],
    (number, pg_type): (i16, PgType),
    conditions: &[Condition],
) -> Result<Option<KeyRange>> {
    let mut found: Option<KeyRange> = None;
    for condition in conditions.iter().filter(|one| one.column == number) {
        let key = |value: &ScalarValue| -> Result<Option<Vec<u8>>> {
            let key = sort_key::encode_value(pg_type, value)?;
            Ok(key.map(|key| [prefix, key.as_slice()].concat()))
        };
        let mut range = KeyRange::present(prefix);
        match &condition.test {
            Test::OneOf(_) => continue,
            Test::Present => {}
            Test::Null => range = KeyRange::null(prefix),
            Test::From(value) => range.from = key(value)?.unwrap_or(range.from),
            Test::Above(value) => {
                range.from =
                    key(value)?.and_then(|key| sort_key::after(&key)).unwrap_or(range.from);
            }
            Test::Below(value) => range.to = key(value)?.or(range.to),
            Test::UpTo(value) => {
                range.to = key(value)?.and_then(|key| sort_key::after(&key)).or(range.to);
            }
        }
        found = Some(match found {
            None => range,
            Some(before) => KeyRange {
                from: before.from.max(range.from),
                // Both end within the prefix: neither is open.
                to: before.to.zip(range.to).map(|(one, other)| one.min(other)),
            },
        });
    }
    Ok(found)
}
