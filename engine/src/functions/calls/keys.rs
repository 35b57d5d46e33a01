//! Values of any type ↔ numbers.
//!
//! Integers are numbered as they are; everything else by its bytes in Arrow's row format, whose
//! order is the order of the values. Of equal values of different bytes, `1.5` and `1.50`, one is
//! kept.

use std::collections::HashMap;
use std::sync::Arc;

use clientele_recommend::Numbering;
use clientele_udfs::functions::argument::cast;
use clientele_udfs::numeric::column::keys;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::arrow::row::{RowConverter, SortField};

use crate::error::{Error, Result};

/// Numbers of the values of one type.
#[derive(Debug)]
pub(crate) struct Keys {
    data_type: DataType,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Integers(Numbering),
    Others { converter: RowConverter, numbers: HashMap<Arc<[u8]>, u32>, rows: Vec<Arc<[u8]>> },
}

impl Keys {
    /// Without values.
    pub(crate) fn new(data_type: &DataType) -> Result<Self> {
        let kind = match is_integer(data_type) {
            true => Kind::Integers(Numbering::default()),
            false => Kind::Others {
                converter: RowConverter::new(vec![SortField::new(data_type.clone())])
                    .map_err(Error::internal)?,
                numbers: HashMap::new(),
                rows: Vec::new(),
            },
        };
        Ok(Self { data_type: data_type.clone(), kind })
    }

    /// The type of the values.
    pub(crate) fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        match &self.kind {
            Kind::Integers(numbering) => numbering.keys().len(),
            Kind::Others { rows, .. } => rows.len(),
        }
    }

    /// The numbers of values, new ones included; `u32::MAX` for NULL.
    pub(crate) fn number(&mut self, values: &ArrayRef) -> Result<Vec<u32>> {
        match &mut self.kind {
            Kind::Integers(numbering) => {
                let values = integers(values)?;
                Ok(values
                    .iter()
                    .map(|one| one.map_or(u32::MAX, |one| numbering.number(one)))
                    .collect())
            }
            Kind::Others { converter, numbers, rows } => {
                let values = alike(values, &self.data_type)?;
                let converted = converter.convert_columns(std::slice::from_ref(&values));
                let converted = converted.map_err(Error::internal)?;
                let number = |place: usize| {
                    if values.is_null(place) {
                        return u32::MAX;
                    }
                    let row = converted.row(place);
                    if let Some(number) = numbers.get(row.as_ref()) {
                        return *number;
                    }
                    let (row, number): (Arc<[u8]>, u32) = (row.as_ref().into(), rows.len() as u32);
                    numbers.insert(Arc::clone(&row), number);
                    rows.push(row);
                    number
                };
                Ok((0..values.len()).map(number).collect())
            }
        }
    }

    /// The numbers of values that came before.
    pub(crate) fn find(&self, values: &ArrayRef) -> Result<Vec<Option<u32>>> {
        match &self.kind {
            Kind::Integers(numbering) => {
                let values = integers(values)?;
                Ok(values.iter().map(|one| one.and_then(|one| numbering.find(one))).collect())
            }
            Kind::Others { converter, numbers, .. } => {
                let values = alike(values, &self.data_type)?;
                let converted = converter.convert_columns(std::slice::from_ref(&values));
                let converted = converted.map_err(Error::internal)?;
                let find = |place: usize| numbers.get(converted.row(place).as_ref()).copied();
                let valid = |place: usize| values.is_valid(place).then_some(place);
                Ok((0..values.len()).map(|place| valid(place).and_then(find)).collect())
            }
        }
    }

    /// The values in the order of their numbers.
    pub(crate) fn values(&self) -> Result<ArrayRef> {
        match &self.kind {
            Kind::Integers(numbering) => {
                let values: ArrayRef = Arc::new(Int64Array::from(numbering.keys().to_vec()));
                Ok(cast(&values, &self.data_type)?)
            }
            Kind::Others { converter, rows, .. } => {
                let parser = converter.parser();
                let rows = rows.iter().map(|row| parser.parse(row));
                let mut columns = converter.convert_rows(rows).map_err(Error::internal)?;
                let column =
                    columns.pop().ok_or_else(|| Error::internal("a key without values"))?;
                Ok(cast(&column, &self.data_type)?)
            }
        }
    }

    /// All values of several, numbered in their order, and what the numbers of each have become.
    pub(crate) fn merged(all: &[&Self], data_type: &DataType) -> Result<(Self, Vec<Vec<u32>>)> {
        let mut merged = Self::new(data_type)?;
        match &mut merged.kind {
            Kind::Integers(numbering) => {
                let mut keys: Vec<i64> =
                    all.iter().flat_map(|one| one.integer_keys()).copied().collect();
                keys.sort_unstable();
                for key in keys {
                    numbering.number(key);
                }
            }
            Kind::Others { numbers, rows, .. } => {
                let mut keys: Vec<&Arc<[u8]>> = all.iter().flat_map(|one| one.rows()).collect();
                keys.sort_unstable();
                keys.dedup();
                for (number, key) in (0..).zip(keys) {
                    numbers.insert(Arc::clone(key), number);
                    rows.push(Arc::clone(key));
                }
            }
        }
        let to = |one: &&Self| match &merged.kind {
            Kind::Integers(numbering) => {
                one.integer_keys().iter().filter_map(|key| numbering.find(*key)).collect()
            }
            Kind::Others { numbers, .. } => {
                one.rows().iter().filter_map(|row| numbers.get(row).copied()).collect()
            }
        };
        let to = all.iter().map(to).collect();
        Ok((merged, to))
    }

    fn integer_keys(&self) -> &[i64] {
        match &self.kind {
            Kind::Integers(numbering) => numbering.keys(),
            Kind::Others { .. } => &[],
        }
    }

    fn rows(&self) -> &[Arc<[u8]>] {
        match &self.kind {
            Kind::Integers(_) => &[],
            Kind::Others { rows, .. } => rows,
        }
    }
}

/// Values in the type of the keys, equal ones with the same bytes.
fn alike(values: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    let values = cast(values, data_type)?;
    match data_type {
        DataType::LargeBinary => Ok(keys(&values)?),
        _ => Ok(values),
    }
}

/// Whether values of a type are numbered as integers.
pub(crate) fn is_integer(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int16 | DataType::Int32 | DataType::Int64)
}

/// Integers of any width.
pub(crate) fn integers(values: &ArrayRef) -> Result<Int64Array> {
    match values.as_primitive_opt::<Int64Type>() {
        Some(values) => Ok(values.clone()),
        None => Ok(cast(values, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Date32Array, Decimal128Array, StringViewArray};

    use super::*;

    #[test]
    fn numbers_follow_the_order_of_values_and_come_back() -> Result<()> {
        let arrays: Vec<(ArrayRef, ArrayRef)> = vec![
            (
                Arc::new(Int64Array::from(vec![Some(30), None, Some(-5)])),
                Arc::new(Int64Array::from(vec![7, 30])),
            ),
            (
                Arc::new(StringViewArray::from(vec![Some("tea"), None, Some("a")])),
                Arc::new(StringViewArray::from(vec!["milk", "tea"])),
            ),
            (
                Arc::new(Date32Array::from(vec![Some(300), None, Some(-5)])),
                Arc::new(Date32Array::from(vec![7, 300])),
            ),
        ];
        for (one, other) in arrays {
            let data_type = one.data_type().clone();
            let (mut first, mut second) = (Keys::new(&data_type)?, Keys::new(&data_type)?);
            assert_eq!(first.number(&one)?, [0, u32::MAX, 1]);
            assert_eq!(second.number(&other)?, [0, 1]);
            let (merged, to) = Keys::merged(&[&first, &second], &data_type)?;
            assert_eq!(to, [vec![2, 0], vec![1, 2]]);
            assert_eq!(merged.len(), 3);
            let values = merged.values()?;
            assert_eq!(values.data_type(), &data_type);
            assert_eq!(merged.find(&values)?, [Some(0), Some(1), Some(2)]);
            assert_eq!(merged.find(&one)?, [Some(2), None, Some(0)]);
        }
        Ok(())
    }

    #[test]
    fn equal_numbers_are_one_key() -> Result<()> {
        let numbers = |all: &[i128], scale: i8| -> Result<ArrayRef> {
            let all = Decimal128Array::from(all.to_vec());
            let all: ArrayRef = Arc::new(all.with_precision_and_scale(38, scale)?);
            Ok(cast(&all, &DataType::LargeBinary)?)
        };
        let mut all = Keys::new(&DataType::LargeBinary)?;
        assert_eq!(all.number(&numbers(&[15, 20], 1)?)?, [0, 1]);
        assert_eq!(all.number(&numbers(&[150, 200, 151], 2)?)?, [0, 1, 2]);
        // As integers, and as numbers of one scale, they are found, too.
        let two: ArrayRef = Arc::new(Int64Array::from(vec![2, 3]));
        assert_eq!(all.find(&two)?, [Some(1), None]);
        let fixed = Decimal128Array::from(vec![1510]).with_precision_and_scale(10, 3)?;
        assert_eq!(all.find(&(Arc::new(fixed) as ArrayRef))?, [Some(2)]);
        Ok(())
    }
}
