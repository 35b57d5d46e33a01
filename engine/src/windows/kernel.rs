//! The functions, over arranged rows: one loop over arrays for each.

use std::ops::Range;
use std::sync::Arc;

use clientele_udfs::functions::behaviour::sessionize::apart;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Int64Array, PrimitiveArray, UInt32Array,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use datafusion::common::exec_datafusion_err;
use datafusion::error::{DataFusionError, Result};

use super::arrange::Arranged;
use super::function::{Frame, Function, Kind};

/// Computes a function; `argument` has the rows as they came, the result has them arranged.
///
/// # Errors
/// A sum does not fit its type.
pub(super) fn compute(
    function: &Function,
    argument: Option<&ArrayRef>,
    arranged: &Arranged,
) -> Result<ArrayRef> {
    let missing = || exec_datafusion_err!("a window function lacks its argument");
    let result: ArrayRef = match function.kind {
        Kind::RowNumber => numbers(arranged, |group, at| at - group.start + 1),
        Kind::Rank => ranks(arranged, false),
        Kind::DenseRank => ranks(arranged, true),
        Kind::Count => counts(function.frame, argument, arranged)?,
        Kind::Shift(by) => picked(argument.ok_or_else(missing)?, arranged, |group, at| {
            let from = i64::try_from(at).ok()?.checked_sub(by)?;
            usize::try_from(from).ok().filter(|from| group.contains(from))
        })?,
        Kind::Session(gap) => sessions(gap, argument.ok_or_else(missing)?, arranged)?,
        Kind::FirstValue => {
            let bounds = Bounds::new(function.frame, arranged);
            picked(argument.ok_or_else(missing)?, arranged, |_, at| Some(bounds.of(at).start))?
        }
        Kind::LastValue => {
            let bounds = Bounds::new(function.frame, arranged);
            picked(argument.ok_or_else(missing)?, arranged, |_, at| {
                bounds.of(at).end.checked_sub(1)
            })?
        }
        Kind::Sum => sums(function, argument.ok_or_else(missing)?, arranged)?,
        Kind::Min => extremes(function, argument.ok_or_else(missing)?, arranged, |a, b| a < b)?,
        Kind::Max => extremes(function, argument.ok_or_else(missing)?, arranged, |a, b| a > b)?,
    };
    match result.data_type() == function.field.data_type() {
        true => Ok(result),
        false => Ok(cast(&result, function.field.data_type())?),
    }
}

/// The rows of each place's frame.
struct Bounds {
    starts: Vec<usize>,
    ends: Vec<usize>,
}

impl Bounds {
    fn new(frame: Frame, arranged: &Arranged) -> Self {
        let rows = arranged.rows.len();
        let ends = match frame {
            Frame::Running { peers: true } | Frame::Range(_) => arranged.peer_ends(),
            Frame::Running { peers: false } | Frame::Rows(_) => (1..=rows).collect(),
            Frame::Whole => each(arranged, |group, _| group.end),
        };
        let starts = match frame {
            Frame::Whole | Frame::Running { .. } => each(arranged, |group, _| group.start),
            Frame::Rows(before) => {
                let before = usize::try_from(before).unwrap_or(usize::MAX);
                each(arranged, |group, at| at.saturating_sub(before).max(group.start))
            }
            Frame::Range(distance) => {
                let words = &arranged.words;
                let mut start = 0;
                each(arranged, |group, at| {
                    start = start.max(group.start);
                    while words[start] < words[at].saturating_sub(distance) {
                        start += 1;
                    }
                    start
                })
            }
        };
        Self { starts, ends }
    }

    fn of(&self, at: usize) -> Range<usize> {
        self.starts[at]..self.ends[at]
    }
}

/// A value for each place, computed from its group and itself.
fn each<T>(arranged: &Arranged, mut value: impl FnMut(&Range<usize>, usize) -> T) -> Vec<T> {
    let mut values = Vec::with_capacity(arranged.rows.len());
    for pair in arranged.groups.windows(2) {
        let group = pair[0]..pair[1];
        values.extend(group.clone().map(|at| value(&group, at)));
    }
    values
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn numbers(arranged: &Arranged, value: impl Fn(&Range<usize>, usize) -> usize) -> ArrayRef {
    Arc::new(Int64Array::from(each(arranged, |group, at| number(value(group, at)))))
}

fn sessions(gap: i64, argument: &ArrayRef, arranged: &Arranged) -> Result<ArrayRef> {
    let times = cast(argument, &DataType::Int64)?;
    let times = times.as_primitive::<Int64Type>();
    let (mut session, mut before) = (1, None);
    let numbers = each(arranged, |group, at| {
        if at == group.start {
            (session, before) = (1, None);
        }
        let row = arranged.rows[at] as usize;
        if times.is_valid(row) {
            let time = times.value(row);
            session += i64::from(before.is_some_and(|one| apart(one, time, gap)));
            before = Some(time);
        }
        session
    });
    Ok(Arc::new(Int64Array::from(numbers)))
}

fn ranks(arranged: &Arranged, dense: bool) -> ArrayRef {
    let mut rank = 0;
    let ranks = each(arranged, |group, at| {
        if at == group.start {
            rank = 1;
        } else if arranged.first_peer[at] {
            rank = if dense { rank + 1 } else { at - group.start + 1 };
        }
        number(rank)
    });
    Arc::new(Int64Array::from(ranks))
}

/// Values of other rows: `from` says which place each place looks at.
fn picked(
    argument: &ArrayRef,
    arranged: &Arranged,
    from: impl Fn(&Range<usize>, usize) -> Option<usize>,
) -> Result<ArrayRef> {
    let rows = each(arranged, |group, at| from(group, at).map(|at| arranged.rows[at]));
    Ok(take(argument, &UInt32Array::from(rows), None)?)
}

/// Whether the argument is there, arranged; `None`: it always is.
fn validity(argument: Option<&ArrayRef>, arranged: &Arranged) -> Option<NullBuffer> {
    let nulls = argument?.logical_nulls().filter(|nulls| nulls.null_count() > 0)?;
    Some(arranged.rows.iter().map(|row| nulls.is_valid(*row as usize)).collect())
}

/// For each place how many values stand before it: a difference of two counts a frame.
fn counted_before(rows: usize, valid: Option<&NullBuffer>) -> Vec<usize> {
    let mut before = Vec::with_capacity(rows + 1);
    let mut count = 0;
    before.push(0);
    for at in 0..rows {
        count += usize::from(valid.is_none_or(|valid| valid.is_valid(at)));
        before.push(count);
    }
    before
}

fn counts(frame: Frame, argument: Option<&ArrayRef>, arranged: &Arranged) -> Result<ArrayRef> {
    let bounds = Bounds::new(frame, arranged);
    let rows = arranged.rows.len();
    let count: Int64Array = match validity(argument, arranged) {
        None => (0..rows).map(|at| Some(number(bounds.of(at).len()))).collect(),
        Some(valid) => {
            let before = counted_before(rows, Some(&valid));
            let count = |frame: Range<usize>| number(before[frame.end] - before[frame.start]);
            (0..rows).map(|at| Some(count(bounds.of(at)))).collect()
        }
    };
    Ok(Arc::new(count))
}

/// Sums of whole numbers, exact: differences of running sums.
fn sums(function: &Function, argument: &ArrayRef, arranged: &Arranged) -> Result<ArrayRef> {
    let rows = arranged.rows.len();
    let order = UInt32Array::from(arranged.rows.clone());
    let values = take(&as_decimal(argument)?, &order, None)?;
    let values = values.as_primitive::<Decimal128Type>();
    let valid = values.nulls().filter(|nulls| nulls.null_count() > 0);
    let mut before = Vec::with_capacity(rows + 1);
    let mut sum = 0_i128;
    before.push(sum);
    for (at, value) in values.values().iter().enumerate() {
        if valid.is_none_or(|valid| valid.is_valid(at)) {
            sum = sum.checked_add(*value).ok_or_else(out_of_range)?;
        }
        before.push(sum);
    }
    let seen = counted_before(rows, valid);
    let bounds = Bounds::new(function.frame, arranged);
    let sums = (0..rows).map(|at| {
        let frame = bounds.of(at);
        (seen[frame.end] > seen[frame.start]).then(|| before[frame.end] - before[frame.start])
    });
    let sums: Decimal128Array = sums.collect();
    match function.field.data_type() {
        DataType::Decimal128(precision, scale) => {
            let sums = sums.with_precision_and_scale(*precision, *scale)?;
            sums.validate_decimal_precision(*precision).map_err(|_| out_of_range())?;
            Ok(Arc::new(sums))
        }
        _ => {
            let narrow = |sum: Option<i128>| {
                sum.map(|sum| i64::try_from(sum).map_err(|_| out_of_range())).transpose()
            };
            Ok(Arc::new(sums.iter().map(narrow).collect::<Result<Int64Array>>()?))
        }
    }
}

fn as_decimal(argument: &ArrayRef) -> Result<ArrayRef> {
    match argument.data_type() {
        DataType::Decimal128(..) => Ok(Arc::clone(argument)),
        _ => {
            let wide = cast(argument, &DataType::Int64)?;
            let wide = wide.as_primitive::<Int64Type>();
            let wide: Decimal128Array = wide.unary(i128::from);
            Ok(Arc::new(wide))
        }
    }
}

fn out_of_range() -> DataFusionError {
    DataFusionError::ArrowError(
        Box::new(datafusion::arrow::error::ArrowError::ArithmeticOverflow(
            "Overflow happened on: a sum over a window".to_owned(),
        )),
        None,
    )
}

/// Smallest or largest values of a running or a whole frame.
fn extremes(
    function: &Function,
    argument: &ArrayRef,
    arranged: &Arranged,
    better: impl Fn(i64, i64) -> bool,
) -> Result<ArrayRef> {
    let narrow = match argument.data_type() {
        DataType::Date32 => cast(argument, &DataType::Int32)?,
        _ => Arc::clone(argument),
    };
    let order = UInt32Array::from(arranged.rows.clone());
    let values = take(&cast(&narrow, &DataType::Int64)?, &order, None)?;
    let values = values.as_primitive::<Int64Type>();
    let mut best = None;
    // The best value up to and with each place.
    let running = each(arranged, |group, at| {
        if at == group.start {
            best = None;
        }
        if values.is_valid(at) {
            let value = values.value(at);
            best = Some(best.filter(|best| !better(value, *best)).unwrap_or(value));
        }
        best
    });
    let bounds = Bounds::new(function.frame, arranged);
    let last = (0..running.len()).map(|at| running[bounds.ends[at] - 1]);
    let result: PrimitiveArray<Int64Type> = last.collect();
    let result: ArrayRef = Arc::new(result);
    match function.field.data_type() {
        DataType::Date32 => Ok(cast(&result, &DataType::Int32)?),
        _ => Ok(result),
    }
}
