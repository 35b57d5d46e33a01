//! An aggregate over a customer's rows in order of time.
//!
//! A row is kept as its time and the conditions that it meets, twelve bytes and its group. Rows
//! that meet none of the conditions are not kept. When a result is asked for, rows are put
//! together by group with one counting sort, and each short run is sorted where it lies.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array, ListArray, RecordBatch,
    RecordBatchOptions, UInt32Array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Field, FieldRef, Int64Type, Schema, TimeUnit, UInt32Type,
};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;

use crate::ValueError;
use crate::types::PgType;

/// Conditions of one function: each is a bit.
pub const CONDITIONS_MAX: usize = 32;

/// A row: its time in microseconds, and the conditions that it meets, upside down. Rows of one
/// time thus stand in the order of the first condition that they meet.
pub type Entry = (i64, u32);

/// The conditions that a row meets, the first one as the highest bit.
pub fn met(entry: Entry) -> u32 {
    !entry.1
}

/// What is computed from one customer's rows, which come in order.
pub trait Rule: Send + Sync + Debug {
    /// The result; a boolean as 0 or 1.
    fn run(&mut self, rows: &[Entry]) -> i64;
}

/// Makes a rule from the constants and the number of conditions.
pub type MakeRule = fn(&[ScalarValue], usize) -> crate::Result<Box<dyn Rule>>;

/// A function over timelines: what its arguments mean.
#[derive(Debug)]
pub struct Declared {
    /// Name.
    pub name: &'static str,
    /// Place of the time.
    pub time: usize,
    /// Places and types of the constants.
    pub constants: &'static [(usize, DataType)],
    /// Whether conditions follow the other arguments.
    pub conditions: bool,
    /// How many of the arguments may be left out.
    pub optional: usize,
    /// Type of the result.
    pub result: PgType,
    /// The rule.
    pub rule: MakeRule,
}

impl Declared {
    fn fixed(&self) -> usize {
        self.constants.len() + 1
    }
}

#[derive(Debug)]
struct Timeline {
    declared: &'static Declared,
    signature: Signature,
}

impl PartialEq for Timeline {
    fn eq(&self, other: &Self) -> bool {
        self.declared.name == other.declared.name
    }
}

impl Eq for Timeline {}

impl Hash for Timeline {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.declared.name.hash(state);
    }
}

/// The function as DataFusion sees it.
pub fn udaf(declared: &'static Declared) -> Arc<AggregateUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(Timeline { declared, signature }))
}

/// The type in which times enter.
pub fn time_type(given: &DataType) -> Option<DataType> {
    match given {
        DataType::Timestamp(TimeUnit::Microsecond, _) => Some(given.clone()),
        DataType::Timestamp(_, zone) => {
            Some(DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))
        }
        DataType::Date32 | DataType::Null => Some(PgType::TIMESTAMP.arrow()),
        DataType::Utf8 | DataType::Utf8View => Some(PgType::TIMESTAMPTZ.arrow()),
        _ => None,
    }
}

/// No function of that name takes such arguments.
pub fn undefined(name: &str, given: &[DataType]) -> ValueError {
    let types = given.iter().map(|one| match one {
        DataType::Null => PgType::UNKNOWN.sql_name(),
        one => PgType::from_arrow(one).sql_name(),
    });
    let types = types.collect::<Vec<_>>().join(", ");
    ValueError::new("42883", format!("function {name}({types}) does not exist")).with_hint(
        "No function matches the given name and argument types. You might need to add explicit type casts.",
    )
}

/// Microseconds of an interval, a month being 30 days, as `extract(epoch …)` has it.
///
/// # Errors
/// 22023 for NULL and for negative intervals.
pub fn microseconds(what: &str, interval: &ScalarValue) -> crate::Result<i64> {
    const DAY: i64 = 86_400_000_000;
    let length = match interval {
        ScalarValue::IntervalMonthDayNano(Some(one)) => i64::from(one.months)
            .checked_mul(30)
            .and_then(|days| days.checked_add(i64::from(one.days)))
            .and_then(|days| days.checked_mul(DAY))
            .and_then(|days| days.checked_add(one.nanoseconds / 1000)),
        _ => None,
    };
    length.filter(|length| *length >= 0).ok_or_else(|| {
        ValueError::new("22023", format!("{what} must be a constant interval, not negative"))
    })
}

impl AggregateUDFImpl for Timeline {
    fn name(&self) -> &str {
        self.declared.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let declared = self.declared;
        let unfit = || undefined(declared.name, given);
        let conditions = given.len().saturating_sub(declared.fixed());
        let enough = given.len() + declared.optional >= declared.fixed();
        if !enough || declared.conditions == (conditions == 0) {
            return Err(unfit().into());
        }
        if conditions > CONDITIONS_MAX {
            let text = format!("{} takes at most {CONDITIONS_MAX} conditions", declared.name);
            return Err(ValueError::new("54023", text).into());
        }
        let wanted = given.iter().enumerate().map(|(place, given)| {
            if place == declared.time {
                return time_type(given);
            }
            let constant = declared.constants.iter().find(|(one, _)| *one == place);
            match constant {
                Some((_, wanted)) => Some(wanted.clone()),
                None => {
                    matches!(given, DataType::Boolean | DataType::Null).then_some(DataType::Boolean)
                }
            }
        });
        Ok(wanted.collect::<Option<Vec<_>>>().ok_or_else(unfit)?)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.declared.result.arrow())
    }

    fn return_field(&self, _: &[FieldRef]) -> Result<FieldRef> {
        Ok(self.declared.result.field(self.declared.name, false))
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        ScalarValue::new_zero(data_type).or_else(|_| Ok(ScalarValue::Boolean(Some(false))))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let list = |name: &str, item| {
            let item = Arc::new(Field::new_list_field(item, true));
            Arc::new(Field::new(format!("{}[{name}]", args.name), DataType::List(item), true))
        };
        Ok(vec![list("times", DataType::Int64), list("met", DataType::UInt32)])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Single(Groups::new(self.declared, &args)?)))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(self.declared, &args)?))
    }
}

/// The value of an argument that is the same for all rows.
///
/// # Errors
/// It hangs on columns.
pub fn constant(expr: &Arc<dyn PhysicalExpr>, wanted: &DataType) -> Result<ScalarValue> {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let one = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)?;
    let value = expr.evaluate(&one).map_err(|_| {
        ValueError::new("22023", "an option of an aggregate must be the same for all rows")
    })?;
    ScalarValue::try_from_array(&value.into_array(1)?, 0)?.cast_to(wanted)
}

/// The rows of all groups, as they came.
#[derive(Debug)]
struct Kept {
    declared: &'static Declared,
    entries: Vec<Entry>,
    groups: Vec<u32>,
    groups_total: usize,
    /// Of one batch: the conditions that its rows meet.
    marks: Vec<u32>,
}

/// Rows put together by group.
struct Arranged {
    entries: Vec<Entry>,
    /// Where each group begins, and the end.
    offsets: Vec<usize>,
}

impl Kept {
    fn new(declared: &'static Declared) -> Self {
        Self { declared, entries: vec![], groups: vec![], groups_total: 0, marks: vec![] }
    }

    /// The conditions that each row of a batch meets.
    fn mark(&mut self, values: &[ArrayRef], rows: usize) {
        self.marks.clear();
        if !self.declared.conditions {
            self.marks.resize(rows, u32::MAX);
            return;
        }
        self.marks.resize(rows, 0);
        for (place, condition) in values.iter().skip(self.declared.fixed()).enumerate() {
            let Some(condition) = condition.as_boolean_opt() else { continue };
            let bit = (1 << (CONDITIONS_MAX - 1)) >> place;
            let met = match condition.nulls() {
                Some(nulls) => condition.values() & nulls.inner(),
                None => condition.values().clone(),
            };
            for row in met.set_indices() {
                self.marks[row] |= bit;
            }
        }
    }

    fn push(
        &mut self,
        values: &[ArrayRef],
        group_of: impl Fn(usize) -> usize,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let Some(time) = values.get(self.declared.time) else { return Ok(()) };
        // Without its zone: what is kept is the instant.
        let time = cast(time, &DataType::Int64)?;
        let time = time.as_primitive::<Int64Type>();
        self.mark(values, time.len());
        let kept = |row: usize| filter.is_none_or(|one| one.is_valid(row) && one.value(row));
        for (row, (at, mark)) in time.values().iter().zip(&self.marks).enumerate() {
            if *mark != 0 && time.is_valid(row) && kept(row) {
                self.entries.push((*at, !*mark));
                self.groups.push(u32::try_from(group_of(row)).unwrap_or(u32::MAX));
            }
        }
        Ok(())
    }

    /// Takes the rows of the groups that are asked for; the others move up.
    fn arrange(&mut self, emit: EmitTo) -> Arranged {
        let taken = match emit {
            EmitTo::All => self.groups_total,
            EmitTo::First(groups) => groups,
        };
        let mut offsets = vec![0_usize; taken + 1];
        for group in self.groups.iter().map(|group| *group as usize).filter(|one| *one < taken) {
            offsets[group + 1] += 1;
        }
        for group in 1..=taken {
            offsets[group] += offsets[group - 1];
        }
        let mut next = offsets.clone();
        let mut entries = vec![(0, 0); offsets[taken]];
        let mut rest = (vec![], vec![]);
        for (entry, group) in self.entries.iter().zip(&self.groups) {
            let group = *group as usize;
            if group < taken {
                entries[next[group]] = *entry;
                next[group] += 1;
            } else {
                rest.0.push(*entry);
                rest.1.push(u32::try_from(group - taken).unwrap_or(u32::MAX));
            }
        }
        (self.entries, self.groups) = rest;
        self.groups_total -= taken;
        Arranged { entries, offsets }
    }
}

/// All groups, and what is computed from each.
#[derive(Debug)]
struct Groups {
    kept: Kept,
    rule: Box<dyn Rule>,
}

impl Groups {
    fn new(declared: &'static Declared, args: &AccumulatorArgs<'_>) -> Result<Self> {
        let given = declared.constants.iter().filter(|(place, _)| *place < args.exprs.len());
        let constants = given
            .map(|(place, wanted)| constant(&args.exprs[*place], wanted))
            .collect::<Result<Vec<_>>>()?;
        let conditions = args.exprs.len().saturating_sub(declared.fixed());
        let rule = (declared.rule)(&constants, conditions)?;
        Ok(Self { kept: Kept::new(declared), rule })
    }

    fn results(&mut self, mut arranged: Arranged) -> ArrayRef {
        let results = arranged.offsets.windows(2).map(|bounds| {
            let rows = &mut arranged.entries[bounds[0]..bounds[1]];
            if !rows.is_sorted() {
                rows.sort_unstable();
            }
            self.rule.run(rows)
        });
        match self.kept.declared.result {
            PgType::BOOL => Arc::new(results.map(|one| Some(one != 0)).collect::<BooleanArray>()),
            PgType::INT4 => Arc::new(Int32Array::from_iter_values(
                results.map(|one| i32::try_from(one).unwrap_or(i32::MAX)),
            )),
            _ => Arc::new(Int64Array::from_iter_values(results)),
        }
    }
}

fn state_of(arranged: &Arranged) -> Result<Vec<ArrayRef>> {
    let lengths = arranged.offsets.windows(2).map(|bounds| bounds[1] - bounds[0]);
    let offsets = OffsetBuffer::<i32>::from_lengths(lengths);
    let times = Int64Array::from_iter_values(arranged.entries.iter().map(|entry| entry.0));
    let marks = UInt32Array::from_iter_values(arranged.entries.iter().map(|entry| entry.1));
    let list = |values: ArrayRef| -> Result<ArrayRef> {
        let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
        Ok(Arc::new(ListArray::try_new(item, offsets.clone(), values, None)?))
    };
    Ok(vec![list(Arc::new(times))?, list(Arc::new(marks))?])
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups_total: usize,
    ) -> Result<()> {
        self.kept.groups_total = groups_total;
        self.kept.push(values, |row| group_indices[row], filter)
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let arranged = self.kept.arrange(emit);
        Ok(self.results(arranged))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        state_of(&self.kept.arrange(emit))
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        groups_total: usize,
    ) -> Result<()> {
        self.kept.groups_total = groups_total;
        let [times, marks] = values else { return Ok(()) };
        let (times, marks) = (times.as_list::<i32>(), marks.as_list::<i32>());
        let offsets = times.value_offsets();
        let first = offsets.first().map_or(0, |first| *first as usize);
        let times = times.values().as_primitive::<Int64Type>().values();
        // Both lists have the same lengths, but not the same beginning when they were sliced.
        let shift = marks.value_offsets().first().map_or(0, |first| *first as usize);
        let marks = marks.values().as_primitive::<UInt32Type>().values();
        for (bounds, group) in offsets.windows(2).zip(group_indices) {
            for at in bounds[0] as usize..bounds[1] as usize {
                self.kept.entries.push((times[at], marks[at - first + shift]));
                self.kept.groups.push(u32::try_from(*group).unwrap_or(u32::MAX));
            }
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |values| values.len());
        let mut one = Kept::new(self.kept.declared);
        one.groups_total = rows;
        one.push(values, |row| row, filter)?;
        state_of(&one.arrange(EmitTo::All))
    }

    fn size(&self) -> usize {
        self.kept.entries.capacity() * size_of::<Entry>()
            + self.kept.groups.capacity() * size_of::<u32>()
    }
}

/// The rows of one group.
#[derive(Debug)]
struct Single(Groups);

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.kept.groups_total = 1;
        self.0.kept.push(values, |_| 0, None)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut entries = self.0.kept.entries.clone();
        entries.sort_unstable();
        let offsets = vec![0, entries.len()];
        let result = self.0.results(Arranged { entries, offsets });
        ScalarValue::try_from_array(&result, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (entries, offsets) = (self.0.kept.entries.clone(), vec![0, self.0.kept.entries.len()]);
        let state = state_of(&Arranged { entries, offsets })?;
        state.iter().map(|one| ScalarValue::try_from_array(one, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, |states| states.len());
        self.0.merge_batch(states, &vec![0; rows], 1)
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(&self.0) + size_of_val(self)
    }
}
