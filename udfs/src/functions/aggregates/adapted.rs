//! DataFusion's aggregates where it cannot use them: over frames of a window that lose rows, and with
//! arrays, whose items lose their PostgreSQL type on the way through a scalar.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ReversedUDAF, Signature,
};
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};

use super::collect::{Columns, DataTypes};
use crate::functions::arrays::flat;

/// The aggregate, with values of the type that the plan says and fit for sliding frames.
pub fn adapted(inner: &Arc<AggregateUDF>) -> Arc<AggregateUDF> {
    if inner.inner().is::<Adapted>() {
        return Arc::clone(inner);
    }
    Arc::new(AggregateUDF::new_from_impl(Adapted { inner: Arc::clone(inner) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Adapted {
    inner: Arc<AggregateUDF>,
}

impl Adapted {
    /// The types of the result and of the states.
    fn types(&self, args: &AccumulatorArgs<'_>) -> Result<(DataType, DataTypes)> {
        let ordering: Vec<FieldRef> = args
            .order_bys
            .iter()
            .map(|order| order.expr.return_field(args.schema))
            .collect::<Result<_>>()?;
        let states = self.inner.state_fields(StateFieldsArgs {
            name: args.name,
            input_fields: args.expr_fields,
            return_field: Arc::clone(&args.return_field),
            ordering_fields: &ordering,
            is_distinct: args.is_distinct,
        })?;
        let states = states.iter().map(|field| field.data_type().clone()).collect();
        Ok((args.return_field.data_type().clone(), states))
    }
}

impl AggregateUDFImpl for Adapted {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        self.inner.return_field(fields)
    }

    fn is_nullable(&self) -> bool {
        self.inner.is_nullable()
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.inner.state_fields(args)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let (result, states) = self.types(&args)?;
        Ok(Box::new(Typed { inner: self.inner.accumulator(args)?, result, states }))
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        let (result, states) = self.types(&args)?;
        let call = Call::new(&self.inner, &args);
        let inner = self.inner.create_sliding_accumulator(args)?;
        let inner = match inner.supports_retract_batch() {
            true => inner,
            false => Box::new(Framed { rows: Columns::new(call.fields.len()), call }),
        };
        Ok(Box::new(Typed { inner, result, states }))
    }

    fn with_beneficial_ordering(
        self: Arc<Self>,
        beneficial_ordering: bool,
    ) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        let inner = self.inner.as_ref().clone().with_beneficial_ordering(beneficial_ordering)?;
        Ok(inner
            .map(|inner| Arc::new(Self { inner: Arc::new(inner) }) as Arc<dyn AggregateUDFImpl>))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        match self.inner.reverse_udf() {
            ReversedUDAF::Reversed(other) => ReversedUDAF::Reversed(adapted(&other)),
            other => other,
        }
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.inner.supports_null_handling_clause()
    }

    fn supports_within_group_clause(&self) -> bool {
        self.inner.supports_within_group_clause()
    }
}

/// Gives results and states the types that the plan says.
#[derive(Debug)]
struct Typed {
    inner: Box<dyn Accumulator>,
    result: DataType,
    states: DataTypes,
}

fn typed(value: ScalarValue, data_type: &DataType) -> Result<ScalarValue> {
    match value {
        ScalarValue::List(list) if list.data_type() != data_type => {
            let typed = flat::typed(list, data_type)?;
            Ok(ScalarValue::List(Arc::new(typed.as_list::<i32>().clone())))
        }
        other => Ok(other),
    }
}

impl Accumulator for Typed {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let states = self.inner.state()?.into_iter().zip(&self.states);
        states.map(|(state, data_type)| typed(state, data_type)).collect()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        typed(self.inner.evaluate()?, &self.result)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }
}

/// What an accumulator is made from, again and again.
#[derive(Debug)]
struct Call {
    function: Arc<AggregateUDF>,
    result: FieldRef,
    schema: SchemaRef,
    ignore_nulls: bool,
    order_bys: Vec<PhysicalSortExpr>,
    name: String,
    is_distinct: bool,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    fields: Vec<FieldRef>,
}

impl Call {
    fn new(function: &Arc<AggregateUDF>, args: &AccumulatorArgs<'_>) -> Self {
        Self {
            function: Arc::clone(function),
            result: Arc::clone(&args.return_field),
            schema: Arc::new(Schema::clone(args.schema)),
            ignore_nulls: args.ignore_nulls,
            order_bys: args.order_bys.to_vec(),
            name: args.name.to_owned(),
            is_distinct: args.is_distinct,
            exprs: args.exprs.to_vec(),
            fields: args.expr_fields.to_vec(),
        }
    }

    fn accumulator(&self) -> Result<Box<dyn Accumulator>> {
        self.function.accumulator(AccumulatorArgs {
            return_field: Arc::clone(&self.result),
            schema: &self.schema,
            ignore_nulls: self.ignore_nulls,
            order_bys: &self.order_bys,
            is_reversed: false,
            name: &self.name,
            is_distinct: self.is_distinct,
            exprs: &self.exprs,
            expr_fields: &self.fields,
        })
    }
}

/// The rows of a frame, over which the aggregate is computed anew.
#[derive(Debug)]
struct Framed {
    call: Call,
    rows: Columns,
}

impl Accumulator for Framed {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.rows.push(values);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        // The state of a frame is its rows; no frame is computed in parts.
        self.rows.push(states);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.rows.drop_first(values.first().map_or(0, |one| one.len()));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.call.accumulator()?.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut accumulator = self.call.accumulator()?;
        let types: Vec<DataType> =
            self.call.fields.iter().map(|field| field.data_type().clone()).collect();
        let columns = self.rows.concatenated(&types)?;
        if columns.first().is_some_and(|column| !column.is_empty()) {
            accumulator.update_batch(&columns)?;
        }
        accumulator.evaluate()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.rows.size()
    }
}
