//! How much memory rows take.

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::DataType;

/// Bytes of a text up to which a view holds it itself.
const INLINE_BYTES: u32 = 12;

/// Bytes that belong to these rows. Views of text that share a buffer with other rows count what
/// they show; Arrow's own measure counts the whole buffer with every batch that looks into it,
/// which makes gigabytes of megabytes behind a join.
pub(crate) fn retained_bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|array| array_bytes(array.as_ref())).sum()
}

fn array_bytes(array: &dyn Array) -> usize {
    match array.data_type() {
        DataType::Utf8View => views_bytes(array.as_string_view().views()),
        DataType::BinaryView => views_bytes(array.as_binary_view().views()),
        _ => array
            .to_data()
            .get_slice_memory_size()
            .unwrap_or_else(|_| array.get_array_memory_size()),
    }
}

fn views_bytes(views: &[u128]) -> usize {
    // The low 32 bits of a view are the text's length.
    let lengths = views.iter().map(|view| *view as u32);
    let long: usize =
        lengths.filter(|length| *length > INLINE_BYTES).map(|length| length as usize).sum();
    size_of_val(views) + long
}

/// Bytes that a copy of these rows takes whose views still look into the same buffers.
pub(crate) fn copied_bytes(batch: &RecordBatch) -> usize {
    let width = |array: &dyn Array| match array.data_type() {
        DataType::Utf8View | DataType::BinaryView => 16 * array.len(),
        _ => array_bytes(array),
    };
    batch.columns().iter().map(|array| width(array.as_ref())).sum()
}
