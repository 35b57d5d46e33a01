//! Columns of `numeric`, with a scale of their own or one for each value, read as numbers.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, Decimal128Array, LargeBinaryArray, LargeBinaryBuilder,
    ListArray, new_null_array,
};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Field};

use super::small::Small;
use super::{Number, stored};
use crate::functions::argument::cast;
use crate::{Result, output};

/// A column of numbers.
#[derive(Debug, Clone)]
pub enum Numbers {
    /// One scale for all.
    Fixed(Decimal128Array, u32),
    /// A scale for each.
    Free(LargeBinaryArray),
}

impl Numbers {
    /// Reads a column of any numeric type; `None`: of another type.
    pub fn new(array: &ArrayRef) -> Option<Self> {
        Some(match array.data_type() {
            DataType::LargeBinary => Self::Free(array.as_binary::<i64>().clone()),
            DataType::Decimal128(_, scale) if *scale >= 0 => {
                Self::Fixed(array.as_primitive::<Decimal128Type>().clone(), *scale as u32)
            }
            data_type if data_type.is_integer() => {
                let wide = cast(array, &DataType::Decimal128(20, 0)).ok()?;
                Self::Fixed(wide.as_primitive::<Decimal128Type>().clone(), 0)
            }
            _ => return None,
        })
    }

    /// Whether a row is NULL.
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Fixed(array, _) => array.is_null(row),
            Self::Free(array) => array.is_null(row),
        }
    }

    /// The number of a row, where 128 bits hold it.
    pub fn small(&self, row: usize) -> Option<Small> {
        match self {
            Self::Fixed(array, scale) => Some((array.value(row), *scale)),
            Self::Free(array) => stored::read_small(array.value(row)),
        }
    }

    /// The number of a row.
    pub fn number(&self, row: usize) -> Number {
        match self {
            Self::Fixed(array, scale) => {
                Number::Finite(super::Finite::new(array.value(row).into(), *scale))
            }
            Self::Free(array) => stored::read(array.value(row)),
        }
    }
}

/// A column under construction.
#[derive(Debug)]
pub struct Writer {
    builder: LargeBinaryBuilder,
    bytes: Vec<u8>,
}

impl Writer {
    /// With room for so many values.
    pub fn new(rows: usize) -> Self {
        Self { builder: LargeBinaryBuilder::with_capacity(rows, rows * 12), bytes: Vec::new() }
    }

    /// Adds a number.
    pub fn number(&mut self, number: &Number) {
        self.with(|bytes| stored::write(number, bytes));
    }

    /// Adds a number of 128 bits.
    pub fn small(&mut self, number: Small) {
        self.with(|bytes| stored::write_small(number, bytes));
    }

    fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.clear();
        write(&mut self.bytes);
        self.builder.append_value(&self.bytes);
    }

    /// Adds NULL.
    pub fn null(&mut self) {
        self.builder.append_null();
    }

    /// Number of values so far.
    pub fn len(&self) -> usize {
        self.builder.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The column.
    pub fn finish(&mut self) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}

/// Any numeric column with a scale for each value; elements of arrays too.
///
/// # Errors
/// A column of another type.
pub fn free(array: &ArrayRef) -> Result<ArrayRef> {
    rewritten(array, |bytes, out| out.extend_from_slice(bytes))
}

/// The same with equal bytes for equal values: what they are compared and grouped by.
///
/// # Errors
/// A column of another type.
pub fn keys(array: &ArrayRef) -> Result<ArrayRef> {
    rewritten(array, stored::key)
}

fn rewritten(array: &ArrayRef, copy: fn(&[u8], &mut Vec<u8>)) -> Result<ArrayRef> {
    if let Some(list) = array.as_list_opt::<i32>() {
        let values = rewritten(list.values(), copy)?;
        let field = Field::new("item", values.data_type().clone(), true);
        let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
        let list = ListArray::try_new(Arc::new(field), offsets, values, nulls);
        return Ok(Arc::new(list.map_err(crate::functions::value::internal)?));
    }
    let (mut given, mut bytes) = (Vec::new(), Vec::new());
    let mut builder = LargeBinaryBuilder::with_capacity(array.len(), array.len() * 12);
    let numbers = match array.data_type() {
        DataType::Null => return Ok(new_null_array(&DataType::LargeBinary, array.len())),
        DataType::Decimal256(_, scale) => return from_wide(array, *scale, copy),
        _ => Numbers::new(array),
    };
    let numbers = numbers.ok_or_else(|| {
        crate::functions::value::internal(format!("{} is not numeric", array.data_type()))
    })?;
    for row in 0..array.len() {
        if array.is_null(row) {
            builder.append_null();
            continue;
        }
        bytes.clear();
        match &numbers {
            Numbers::Free(values) => copy(values.value(row), &mut bytes),
            Numbers::Fixed(values, scale) => {
                given.clear();
                stored::write_small((values.value(row), *scale), &mut given);
                copy(&given, &mut bytes);
            }
        }
        builder.append_value(&bytes);
    }
    Ok(Arc::new(builder.finish()))
}

/// Wide decimals come from files only.
fn from_wide(array: &ArrayRef, scale: i8, copy: fn(&[u8], &mut Vec<u8>)) -> Result<ArrayRef> {
    let values = array.as_primitive::<Decimal256Type>();
    let mut builder = LargeBinaryBuilder::with_capacity(array.len(), array.len() * 12);
    for value in values {
        let Some(value) = value else {
            builder.append_null();
            continue;
        };
        let mut text = Vec::with_capacity(80);
        output::decimal::write_256(value, scale, &mut text);
        let number = Number::parse(&String::from_utf8_lossy(&text))?;
        let (mut given, mut bytes) = (Vec::new(), Vec::new());
        stored::write(&number, &mut given);
        copy(&given, &mut bytes);
        builder.append_value(&bytes);
    }
    Ok(Arc::new(builder.finish()))
}
