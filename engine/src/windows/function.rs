//! Which window functions and frames are recognised.

use std::sync::Arc;

use clientele_udfs::functions::behaviour::sessionize;
use datafusion::arrow::datatypes::{DataType, FieldRef, SchemaRef, TimeUnit};
use datafusion::error::Result;
use datafusion::logical_expr::{WindowFrame, WindowFrameBound, WindowFrameUnits};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_expr::window::{PlainAggregateWindowExpr, SlidingAggregateWindowExpr};
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::WindowExpr;
use datafusion::physical_plan::windows::{StandardWindowExpr, WindowUDFExpr};
use datafusion::scalar::ScalarValue;

/// A recognised function.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) kind: Kind,
    pub(super) frame: Frame,
    /// What it is computed from; `None` for `row_number()` and its like, and for `count(*)`.
    pub(super) argument: Option<Arc<dyn PhysicalExpr>>,
    /// The result.
    pub(super) field: FieldRef,
}

/// What it computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    RowNumber,
    Rank,
    DenseRank,
    /// The value so many rows before (`lag`) or, negative, after (`lead`).
    Shift(i64),
    /// The number of the session, which ends where the next row is so many microseconds away.
    Session(i64),
    FirstValue,
    LastValue,
    Count,
    Sum,
    Min,
    Max,
}

/// Over which rows of the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    /// All.
    Whole,
    /// From the first one to the current one, with its peers (`RANGE`) or without (`ROWS`).
    Running { peers: bool },
    /// So many rows before the current one, and it.
    Rows(u64),
    /// Rows whose order value is at most so much smaller, and the current one's peers.
    Range(u64),
}

/// All functions of an operator, or `None` when one of them is not recognised.
pub(super) fn recognise_all(exprs: &[Arc<dyn WindowExpr>]) -> Option<Vec<Function>> {
    let first = exprs.first()?;
    let grouped = !first.partition_by().is_empty();
    let alike = |expr: &Arc<dyn WindowExpr>| {
        expr.partition_by() == first.partition_by() && expr.order_by() == first.order_by()
    };
    if !grouped || !exprs.iter().all(alike) {
        return None;
    }
    exprs.iter().map(recognise).collect()
}

fn recognise(expr: &Arc<dyn WindowExpr>) -> Option<Function> {
    let any = expr.as_any();
    if let Some(standard) = any.downcast_ref::<StandardWindowExpr>() {
        return standard_function(standard);
    }
    let aggregate = any
        .downcast_ref::<PlainAggregateWindowExpr>()
        .map(PlainAggregateWindowExpr::get_aggregate_expr)
        .or_else(|| {
            any.downcast_ref::<SlidingAggregateWindowExpr>()
                .map(SlidingAggregateWindowExpr::get_aggregate_expr)
        })?;
    // FILTER has no accessor; it is the last field that is shown.
    if !format!("{expr:?}").ends_with("filter: None }") {
        return None;
    }
    aggregate_function(aggregate, expr)
}

fn standard_function(standard: &StandardWindowExpr) -> Option<Function> {
    let function = standard.get_standard_func_expr();
    let function = function.as_any().downcast_ref::<WindowUDFExpr>()?;
    if format!("{function:?}").contains("ignore_nulls: true") {
        return None;
    }
    let name = function.fun().name();
    let frame = frame(standard.get_window_frame(), standard.order_by())?;
    let (kind, argument) = match (name, function.args()) {
        ("row_number", []) => (Kind::RowNumber, None),
        ("rank", []) => (Kind::Rank, None),
        ("dense_rank", []) => (Kind::DenseRank, None),
        ("lag", [argument, rest @ ..]) => (Kind::Shift(offset(rest)?), Some(argument)),
        ("lead", [argument, rest @ ..]) => (Kind::Shift(-offset(rest)?), Some(argument)),
        (sessionize::NAME, [time, _]) => {
            (Kind::Session(sessionize::gap_of(function.args()).ok()?), Some(time))
        }
        ("first_value", [argument]) => (Kind::FirstValue, Some(argument)),
        ("last_value", [argument]) => (Kind::LastValue, Some(argument)),
        _ => return None,
    };
    let field = WindowExpr::field(standard).ok()?;
    Some(Function { kind, frame, argument: argument.cloned(), field })
}

/// The offset of `lag` and `lead`; a default that is not NULL is not recognised.
fn offset(rest: &[Arc<dyn PhysicalExpr>]) -> Option<i64> {
    let literal = |expr: &Arc<dyn PhysicalExpr>| {
        expr.downcast_ref::<Literal>().map(|literal| literal.value().clone())
    };
    let (offset, default) = match rest {
        [] => (None, None),
        [offset] => (Some(literal(offset)?), None),
        [offset, default] => (Some(literal(offset)?), Some(literal(default)?)),
        _ => return None,
    };
    if default.is_some_and(|default| !default.is_null()) {
        return None;
    }
    match offset {
        None => Some(1),
        Some(ScalarValue::Int64(offset)) => offset,
        Some(ScalarValue::Int32(offset)) => offset.map(i64::from),
        Some(_) => None,
    }
}

fn aggregate_function(
    aggregate: &AggregateFunctionExpr,
    expr: &Arc<dyn WindowExpr>,
) -> Option<Function> {
    let arguments = aggregate.expressions();
    let plain = !aggregate.is_distinct()
        && !aggregate.ignore_nulls()
        && aggregate.order_bys().is_empty()
        && arguments.len() <= 1;
    let frame = frame(expr.get_window_frame(), expr.order_by())?;
    let field = aggregate.field();
    let kind = match aggregate.fun().name() {
        "count" => Kind::Count,
        "sum" if is_exact(field.data_type()) => Kind::Sum,
        "min" if is_word(field.data_type()) => Kind::Min,
        "max" if is_word(field.data_type()) => Kind::Max,
        _ => return None,
    };
    let sliding = matches!(frame, Frame::Rows(_) | Frame::Range(_));
    if !plain || (sliding && matches!(kind, Kind::Min | Kind::Max)) {
        return None;
    }
    let argument = arguments.into_iter().next().filter(|argument| {
        // count(*) counts a constant.
        !(kind == Kind::Count
            && argument.downcast_ref::<Literal>().is_some_and(|one| !one.value().is_null()))
    });
    Some(Function { kind, frame, argument, field })
}

/// Types whose sums do not depend on the order of the terms.
fn is_exact(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int64 | DataType::Decimal128(..))
}

/// Types that compare as 64-bit numbers.
pub(super) fn is_word(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Date32
            | DataType::Timestamp(TimeUnit::Microsecond, _)
    )
}

fn frame(frame: &WindowFrame, order_by: &[PhysicalSortExpr]) -> Option<Frame> {
    use WindowFrameBound::{CurrentRow, Following, Preceding};
    let range = match frame.units {
        WindowFrameUnits::Range => true,
        WindowFrameUnits::Rows => false,
        WindowFrameUnits::Groups => return None,
    };
    match (&frame.start_bound, &frame.end_bound) {
        (Preceding(start), Following(end)) if start.is_null() && end.is_null() => {
            Some(Frame::Whole)
        }
        (Preceding(start), CurrentRow) if start.is_null() => match range && order_by.is_empty() {
            true => Some(Frame::Whole),
            false => Some(Frame::Running { peers: range }),
        },
        (Preceding(ScalarValue::UInt64(Some(rows))), CurrentRow) if !range => {
            Some(Frame::Rows(*rows))
        }
        (Preceding(distance), CurrentRow) if range && order_by.len() == 1 => {
            Some(Frame::Range(microseconds(distance)?))
        }
        _ => None,
    }
}

/// Whether distances in order (`RANGE … PRECEDING`) count what order values count, microseconds.
pub(super) fn distances_fit(
    functions: &[Function],
    order_by: &[PhysicalSortExpr],
    input: &SchemaRef,
) -> Result<bool> {
    if !functions.iter().any(Function::needs_words) {
        return Ok(true);
    }
    let Some(first) = order_by.first() else { return Ok(false) };
    Ok(matches!(first.expr.data_type(input)?, DataType::Timestamp(TimeUnit::Microsecond, _)))
}

impl Function {
    /// Whether it compares distances, which NULL has not.
    pub(super) fn needs_words(&self) -> bool {
        matches!(self.frame, Frame::Range(_))
    }
}

/// An interval of fixed length.
fn microseconds(distance: &ScalarValue) -> Option<u64> {
    const DAY: i64 = 86_400_000_000;
    match distance {
        ScalarValue::IntervalMonthDayNano(Some(interval))
            if interval.months == 0 && interval.nanoseconds % 1000 == 0 =>
        {
            let days = i64::from(interval.days).checked_mul(DAY)?;
            u64::try_from(days.checked_add(interval.nanoseconds / 1000)?).ok()
        }
        _ => None,
    }
}
