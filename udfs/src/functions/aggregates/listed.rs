//! `array_agg` and `string_agg` (manual, 9.21) over DataFusion's, with two differences: the array
//! is of the values' own type for `oid` and `name`, and an ordering is never turned round to suit
//! that of another aggregate, which DataFusion forgets to turn back under DISTINCT.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ListArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::functions_aggregate::{array_agg, string_agg};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature,
};

use crate::types::PgType;

pub(super) fn all() -> Vec<Arc<AggregateUDF>> {
    [("array_agg", array_agg::array_agg_udaf()), ("string_agg", string_agg::string_agg_udaf())]
        .into_iter()
        .map(|(name, inner)| Arc::new(AggregateUDF::new_from_impl(Listed { name, inner })))
        .collect()
}

#[derive(Debug)]
struct Listed {
    name: &'static str,
    inner: Arc<AggregateUDF>,
}

impl PartialEq for Listed {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.inner == other.inner
    }
}

impl Eq for Listed {}

impl Hash for Listed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// The list type with the metadata of the array type over a value's type, where clients look at
/// that and Arrow's type does not tell it: the catalog's own types.
fn of_type(list: &DataType, value: &FieldRef) -> Option<Field> {
    let DataType::List(item) = list else { return None };
    let pg_type = PgType { modifier: -1, ..PgType::from_field(value) };
    if ![PgType::OID, PgType::NAME].contains(&pg_type) {
        return None;
    }
    let array = pg_type.array().field("", true);
    let DataType::List(typed) = array.data_type() else { return None };
    let item = item.as_ref().clone().with_metadata(typed.metadata().clone());
    let field = Field::new("", DataType::List(Arc::new(item)), true);
    Some(field.with_metadata(array.metadata().clone()))
}

impl AggregateUDFImpl for Listed {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        let field = self.inner.return_field(fields)?;
        let typed = fields.first().and_then(|value| of_type(field.data_type(), value));
        Ok(typed.map_or(Arc::clone(&field), |typed| Arc::new(typed.with_name(field.name()))))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let field = Arc::clone(&args.return_field);
        let inner = self.inner.accumulator(args)?;
        Ok(match field.data_type() {
            DataType::List(item) if !item.metadata().is_empty() => {
                Box::new(Typed { inner, item: Arc::clone(item) })
            }
            _ => inner,
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.inner.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        let plain = match args.return_field.data_type() {
            DataType::List(item) => item.metadata().is_empty(),
            _ => true,
        };
        plain && self.inner.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        self.inner.create_groups_accumulator(args)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    fn with_beneficial_ordering(
        self: Arc<Self>,
        beneficial_ordering: bool,
    ) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        let inner = AggregateUDF::clone(&self.inner);
        let inner = inner.with_beneficial_ordering(beneficial_ordering)?;
        Ok(inner.map(|inner| {
            Arc::new(Self { name: self.name, inner: Arc::new(inner) }) as Arc<dyn AggregateUDFImpl>
        }))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::NotSupported
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.inner.supports_null_handling_clause()
    }
}

/// An accumulator whose list gets its type's metadata.
#[derive(Debug)]
struct Typed {
    inner: Box<dyn Accumulator>,
    item: FieldRef,
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
        self.inner.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(match self.inner.evaluate()? {
            ScalarValue::List(list) => ScalarValue::List(Arc::new(ListArray::try_new(
                Arc::clone(&self.item),
                list.offsets().clone(),
                Arc::clone(list.values()),
                list.nulls().cloned(),
            )?)),
            other => other,
        })
    }

    fn size(&self) -> usize {
        self.inner.size() + size_of_val(self)
    }
}
