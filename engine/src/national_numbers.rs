//! Telephone numbers that are written without country: `clientele.default_region` says of which
//! they are, as `datestyle` says what `1/2/2026` is. The column then has the number with its country:
//! what it means does not change when the setting does.

use std::sync::Arc;

use clientele_catalog::Catalog;
use clientele_catalog::definition::{Column, Relation};
use clientele_catalog::domains::{self, SemanticDomain};
use clientele_identity::text::{domain, phone};
use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, StringViewArray};

use crate::error::{Error, Result};
use crate::planning::context::QueryContext;

/// Rows in which the numbers of columns of telephone numbers have their country.
///
/// # Errors
/// None in practice: the columns keep their types.
pub(crate) fn with_country(
    context: &QueryContext,
    relation: &Relation,
    batch: RecordBatch,
) -> Result<RecordBatch> {
    let Some(region) = context.settings.default_region() else { return Ok(batch) };
    if !relation.live_columns().any(|column| has_numbers(context.catalog(), column)) {
        return Ok(batch);
    }
    let columns = relation.live_columns().zip(batch.columns());
    let columns = columns.map(|(column, array)| match array.as_string_view_opt() {
        Some(texts) if has_numbers(context.catalog(), column) => of_region(texts, region),
        _ => Arc::clone(array),
    });
    let columns = columns.collect::<Vec<ArrayRef>>();
    RecordBatch::try_new(batch.schema(), columns).map_err(Error::internal)
}

fn has_numbers(catalog: &Catalog, column: &Column) -> bool {
    let meaning = column.domain.and_then(|one| domains::meaning(catalog, one));
    meaning.is_some_and(is_phone)
}

fn is_phone(meaning: &SemanticDomain) -> bool {
    meaning.name == domain::PHONE.name
}

fn of_region(texts: &StringViewArray, region: phone::Region) -> ArrayRef {
    let with_country = |text: Option<&str>| {
        let text = text?;
        Some(phone::with_country(text, region).unwrap_or_else(|| text.to_owned()))
    };
    Arc::new(texts.iter().map(with_country).collect::<StringViewArray>())
}

/// The form in which a value that somebody asks for is compared.
pub(crate) fn normalized(
    context: &QueryContext,
    meaning: &SemanticDomain,
    value: &str,
) -> Option<String> {
    match context.settings.default_region() {
        Some(region) if is_phone(meaning) => phone::normalize_in(value, Some(region)),
        _ => (meaning.normalize)(value),
    }
}
