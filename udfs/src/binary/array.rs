//! Arrays: dimensions, whether there are NULLs, the element's OID, then every element with its
//! length (src/backend/utils/adt/arrayfuncs.c, `array_send`).

use datafusion::arrow::buffer::OffsetBuffer;

use super::{ArrayEncoder, Reader, incorrect};
use crate::input::array::ListBuilder;
use crate::output;
use crate::types::PgType;
use crate::{Result, ValueError};

/// Sends one list.
pub(crate) fn send(
    offsets: &OffsetBuffer<i32>,
    row: usize,
    elements: &ArrayEncoder,
    pg_type: PgType,
    out: &mut Vec<u8>,
) {
    let range = output::array::range(offsets, row);
    let vector = matches!(pg_type, PgType::INT2VECTOR | PgType::OIDVECTOR);
    let dimensions = i32::from(!range.is_empty() || vector);
    let has_nulls = range.clone().any(|element| elements.is_null(element));
    let element_oid = pg_type.element().map_or(0, |element| element.oid);
    out.extend_from_slice(&dimensions.to_be_bytes());
    out.extend_from_slice(&i32::from(has_nulls).to_be_bytes());
    out.extend_from_slice(&element_oid.to_be_bytes());
    if dimensions == 0 {
        return;
    }
    out.extend_from_slice(&(range.len() as i32).to_be_bytes());
    out.extend_from_slice(&i32::from(!vector).to_be_bytes());
    for element in range {
        send_with_length(elements, element, out);
    }
}

/// Sends a value after its length, −1 for NULL.
pub(crate) fn send_with_length(values: &ArrayEncoder, row: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&(-1i32).to_be_bytes());
    if !values.write(row, out) {
        return;
    }
    let length = (out.len() - start - 4) as i32;
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// Receives one list.
pub(crate) fn append(builder: &mut ListBuilder, pg_type: PgType, bytes: &[u8]) -> Result<()> {
    let elements = elements(pg_type.element().unwrap_or(PgType::TEXT), bytes)?;
    builder.append_all(&elements, |builder, element| builder.append_binary(*element))
}

fn elements(element: PgType, bytes: &[u8]) -> Result<Vec<Option<&[u8]>>> {
    let mut reader = Reader(bytes);
    let (dimensions, _has_nulls, oid) = (reader.i32()?, reader.i32()?, reader.i32()?);
    if oid as u32 != element.oid {
        return Err(ValueError::new("42804", "wrong element type"));
    }
    match dimensions {
        0 => return reader.end().map(|()| Vec::new()),
        1 => {}
        2..=6 => {
            return Err(ValueError::new(
                "0A000",
                "arrays of more than one dimension are not supported",
            ));
        }
        _ => return Err(incorrect()),
    }
    let (count, _lower_bound) = (reader.i32()?, reader.i32()?);
    let mut elements = Vec::new();
    for _ in 0..count {
        elements.push(match reader.i32()? {
            -1 => None,
            length => Some(reader.bytes(usize::try_from(length).map_err(|_| incorrect())?)?),
        });
    }
    reader.end()?;
    Ok(elements)
}
