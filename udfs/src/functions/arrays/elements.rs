//! Builds arrays out of elements of other columns, and compares elements.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, ListArray, NullBufferBuilder, new_null_array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::interleave;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::arrow::row::{RowConverter, Rows, SortField};

use crate::Result;
use crate::functions::argument::{Argument, Call, cast, is_string, plain};
use crate::functions::value::internal;
use crate::types::PgType;

/// An array column, with the row's place in a constant one.
pub struct Lists {
    /// The column.
    pub array: ListArray,
    constant: bool,
}

impl Lists {
    /// Whether a row is NULL.
    pub fn is_null(&self, row: usize) -> bool {
        self.array.is_null(self.row(row))
    }

    fn row(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    /// Places of a row's elements among [`Lists::values`].
    pub fn range(&self, row: usize) -> std::ops::Range<usize> {
        let offsets = self.array.value_offsets();
        let row = self.row(row);
        let at = |index: usize| offsets.get(index).map_or(0, |offset| *offset as usize);
        at(row)..at(row + 1)
    }

    /// The elements of all rows.
    pub fn values(&self) -> &ArrayRef {
        self.array.values()
    }
}

/// An argument as array column, converted to the wanted element field. A text is an array literal.
///
/// # Errors
/// Elements that do not go.
pub fn lists(call: &Call<'_>, index: usize, item: &FieldRef) -> Result<Lists> {
    let argument = call.arguments.get(index).ok_or_else(|| internal("an argument expected"))?;
    let wanted = DataType::List(Arc::clone(item));
    let array = if is_string(argument.array.data_type()) {
        parse(&argument.array, PgType::from_field(item).array())?
    } else {
        Arc::clone(&argument.array)
    };
    let array = cast(&array, &wanted)?;
    let array = array.as_list_opt::<i32>().ok_or_else(|| internal("an array expected"))?.clone();
    Ok(Lists { array, constant: argument.constant })
}

fn parse(texts: &ArrayRef, pg_type: PgType) -> Result<ArrayRef> {
    let texts = cast(texts, &DataType::Utf8View)?;
    let mut builder = crate::input::Builder::new(pg_type, texts.len())?;
    for text in texts.as_string_view() {
        builder.append(text, &crate::input::Context::default())?;
    }
    Ok(builder.finish())
}

/// The element field of an argument that is an array, else of the other argument.
///
/// # Errors
/// No argument is an array.
pub fn item(call: &Call<'_>) -> Result<FieldRef> {
    call.arguments
        .iter()
        .find_map(|argument| match argument.array.data_type() {
            DataType::List(item) => Some(Arc::clone(item)),
            _ => None,
        })
        .ok_or_else(|| internal("an array expected"))
}

/// An argument that is one element per row, converted to the element type.
///
/// # Errors
/// A value that does not go.
pub fn single(call: &Call<'_>, index: usize, item: &FieldRef) -> Result<Single> {
    let argument = call.arguments.get(index).ok_or_else(|| internal("an argument expected"))?;
    let values = cast(&plain(&argument.array)?, item.data_type())?;
    Ok(Single { values, argument: argument.clone() })
}

/// One element per row.
pub struct Single {
    /// The column.
    pub values: ArrayRef,
    argument: Argument,
}

impl Single {
    /// A row's place in the column.
    pub fn place(&self, row: usize) -> usize {
        if self.argument.constant { 0 } else { row }
    }
}

/// Elements picked from several sources, row by row.
pub struct Picks {
    sources: Vec<ArrayRef>,
    picks: Vec<(usize, usize)>,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
    item: FieldRef,
}

/// The source of NULL elements.
pub const NULLS: usize = 0;

impl Picks {
    /// Starts with sources; source number 0 is [`NULLS`], the given ones follow from 1.
    pub fn new(item: FieldRef, sources: &[&ArrayRef], rows: usize) -> Self {
        let nulls = new_null_array(item.data_type(), 1);
        let sources =
            std::iter::once(nulls).chain(sources.iter().map(|source| Arc::clone(source))).collect();
        Self { sources, picks: vec![], offsets: vec![0], nulls: NullBufferBuilder::new(rows), item }
    }

    /// Adds an element to the row.
    pub fn pick(&mut self, source: usize, place: usize) {
        self.picks.push((source, place));
    }

    /// Ends the row.
    ///
    /// # Errors
    /// More elements than an array column can hold.
    pub fn end_row(&mut self, valid: bool) -> Result<()> {
        self.nulls.append(valid);
        self.offsets.push(i32::try_from(self.picks.len()).map_err(internal)?);
        Ok(())
    }

    /// The column.
    ///
    /// # Errors
    /// What Arrow says of parts that do not fit.
    pub fn finish(mut self) -> Result<ArrayRef> {
        let sources: Vec<&dyn Array> = self.sources.iter().map(AsRef::as_ref).collect();
        let values = interleave(&sources, &self.picks).map_err(internal)?;
        let offsets = OffsetBuffer::new(self.offsets.into());
        let list = ListArray::try_new(self.item, offsets, values, self.nulls.finish());
        Ok(Arc::new(list.map_err(internal)?))
    }
}

/// Elements in a form whose bytes are equal when they are; NULL equals NULL.
pub struct Comparable {
    converter: RowConverter,
}

impl Comparable {
    /// For elements of this type.
    ///
    /// # Errors
    /// A type without order.
    pub fn new(data_type: &DataType) -> Result<Self> {
        let converter =
            RowConverter::new(vec![SortField::new(data_type.clone())]).map_err(internal)?;
        Ok(Self { converter })
    }

    /// Converts elements.
    ///
    /// # Errors
    /// Elements of another type.
    pub fn rows(&self, values: &ArrayRef) -> Result<Rows> {
        self.converter.convert_columns(&[Arc::clone(values)]).map_err(internal)
    }
}
