//! Rows by group and, within a group, by order.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::{SortOptions, cast};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use datafusion::error::Result;

use super::function::is_word;

/// The order that rows get.
#[derive(Debug)]
pub(super) struct Arranged {
    /// Numbers of the rows as they came, in their new order.
    pub(super) rows: Vec<u32>,
    /// Where each group begins in `rows`, and the end of the last one.
    pub(super) groups: Vec<usize>,
    /// For each place: whether it is the first of its peers, which are alike in order.
    pub(super) first_peer: Vec<bool>,
    /// For each place the order value as a number that rises; empty where order is no such value.
    pub(super) words: Vec<u64>,
}

/// Order values of rows, as they came.
enum Keys {
    /// No ORDER BY: all rows of a group are peers.
    None,
    /// One column of numbers or times without NULL.
    Words(Vec<u64>),
    /// Anything else, as bytes that compare.
    Rows(Rows),
}

impl Keys {
    fn new(columns: &[(ArrayRef, SortOptions)]) -> Result<Self> {
        match columns {
            [] => Ok(Self::None),
            [(array, options)] if is_word(array.data_type()) && array.null_count() == 0 => {
                Ok(Self::Words(words(array, *options)?))
            }
            _ => {
                let fields = columns.iter().map(|(array, options)| {
                    SortField::new_with_options(array.data_type().clone(), *options)
                });
                let converter = RowConverter::new(fields.collect())?;
                let arrays: Vec<ArrayRef> =
                    columns.iter().map(|(array, _)| ArrayRef::clone(array)).collect();
                Ok(Self::Rows(converter.convert_columns(&arrays)?))
            }
        }
    }
}

/// Numbers that rise as the values do, or fall where the order is descending.
fn words(array: &ArrayRef, options: SortOptions) -> Result<Vec<u64>> {
    let wide = match array.data_type() {
        DataType::Date32 => cast(&cast(array, &DataType::Int32)?, &DataType::Int64)?,
        _ => cast(array, &DataType::Int64)?,
    };
    let rising = |value: &i64| (*value as u64) ^ (1 << 63);
    let values = wide.as_primitive::<Int64Type>().values().iter();
    Ok(match options.descending {
        false => values.map(rising).collect(),
        true => values.map(|value| !rising(value)).collect(),
    })
}

/// Arranges rows: `group_of` says for each row its group, of `groups`.
///
/// # Errors
/// Arrow cannot compare a type.
pub(super) fn arrange(
    group_of: &[u32],
    groups: usize,
    order: &[(ArrayRef, SortOptions)],
) -> Result<Arranged> {
    let keys = Keys::new(order)?;
    let begins = begins(group_of, groups);
    let mut next = begins.clone();
    let mut place = |group: u32| {
        let slot = &mut next[group as usize];
        *slot += 1;
        *slot - 1
    };
    let numbered = (0_u32..).zip(group_of);
    let mut arranged = Arranged {
        rows: vec![0; group_of.len()],
        first_peer: vec![false; group_of.len()],
        words: Vec::new(),
        groups: begins,
    };
    match keys {
        Keys::None => {
            numbered.for_each(|(row, group)| arranged.rows[place(*group)] = row);
        }
        Keys::Words(words) => {
            let mut pairs = vec![(0_u64, 0_u32); group_of.len()];
            numbered.zip(words).for_each(|((row, group), word)| pairs[place(*group)] = (word, row));
            arranged.each_group(|range| sort(&mut pairs[range], |pair| *pair));
            arranged.rows = pairs.iter().map(|pair| pair.1).collect();
            arranged.words = pairs.into_iter().map(|pair| pair.0).collect();
            let words = std::mem::take(&mut arranged.words);
            arranged.mark_peers(|one, other| words[one] == words[other]);
            arranged.words = words;
            return Ok(arranged);
        }
        Keys::Rows(keys) => {
            let mut rows = std::mem::take(&mut arranged.rows);
            numbered.for_each(|(row, group)| rows[place(*group)] = row);
            let key = |row: u32| keys.row(row as usize);
            arranged.each_group(|range| sort(&mut rows[range], |row| (key(*row), *row)));
            arranged.mark_peers(|one, other| key(rows[one]) == key(rows[other]));
            arranged.rows = rows;
            return Ok(arranged);
        }
    }
    arranged.mark_peers(|_, _| true);
    Ok(arranged)
}

/// Where each group begins when groups follow one another, and the end.
fn begins(group_of: &[u32], groups: usize) -> Vec<usize> {
    let mut begins = vec![0; groups + 1];
    for group in group_of {
        begins[*group as usize + 1] += 1;
    }
    let mut sum = 0;
    for begin in &mut begins {
        sum += *begin;
        *begin = sum;
    }
    begins
}

/// Sorts a group; most come sorted, as rows are written in time.
fn sort<T, K: Ord>(rows: &mut [T], key: impl Fn(&T) -> K) {
    if !rows.is_sorted_by_key(&key) {
        rows.sort_unstable_by_key(key);
    }
}

impl Arranged {
    fn each_group(&self, mut work: impl FnMut(std::ops::Range<usize>)) {
        self.groups.windows(2).for_each(|pair| work(pair[0]..pair[1]));
    }

    fn mark_peers(&mut self, alike: impl Fn(usize, usize) -> bool) {
        let first_peer = &mut self.first_peer;
        for pair in self.groups.windows(2) {
            for (at, first) in (pair[0]..).zip(&mut first_peer[pair[0]..pair[1]]) {
                *first = at == pair[0] || !alike(at - 1, at);
            }
        }
    }

    /// For each place the end of its peers.
    pub(super) fn peer_ends(&self) -> Vec<usize> {
        let mut ends = vec![0; self.rows.len()];
        let mut end = self.rows.len();
        for at in (0..self.rows.len()).rev() {
            ends[at] = end;
            if self.first_peer[at] {
                end = at;
            }
        }
        ends
    }
}
