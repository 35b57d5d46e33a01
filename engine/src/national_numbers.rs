//! Telephone numbers that are written without country: they are of the row's own country, where it
//! has one column of that domain, and else of `clientele.default_region`, as `datestyle` says what
//! `1/2/2026` is. The column then has the number with its country: what it means does not change
//! when the setting or the row's country does.

use std::collections::HashMap;
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
    let catalog = context.catalog();
    let default = context.settings.default_region();
    let own = only(relation.live_columns().enumerate().filter(|(_, one)| is_country(catalog, one)));
    let numbers = || relation.live_columns().any(|column| has_numbers(catalog, column));
    if own.is_none() && default.is_none() || !numbers() {
        return Ok(batch);
    }
    let countries = own.and_then(|(place, _)| batch.column(place).as_string_view_opt());
    let regions = countries.map(|countries| regions(countries, default));
    let columns = relation.live_columns().zip(batch.columns());
    let columns = columns.map(|(column, array)| match array.as_string_view_opt() {
        Some(texts) if has_numbers(catalog, column) => of_regions(texts, |row| match &regions {
            Some(regions) => regions.get(row).copied().flatten(),
            None => default,
        }),
        _ => Arc::clone(array),
    });
    let columns = columns.collect::<Vec<ArrayRef>>();
    RecordBatch::try_new(batch.schema(), columns).map_err(Error::internal)
}

fn only<T>(mut all: impl Iterator<Item = T>) -> Option<T> {
    all.next().filter(|_| all.next().is_none())
}

fn has_numbers(catalog: &Catalog, column: &Column) -> bool {
    meaning(catalog, column).is_some_and(is_phone)
}

fn is_country(catalog: &Catalog, column: &Column) -> bool {
    meaning(catalog, column).is_some_and(|one| one.name == domain::COUNTRY.name)
}

fn meaning(catalog: &Catalog, column: &Column) -> Option<&'static SemanticDomain> {
    column.domain.and_then(|one| domains::meaning(catalog, one))
}

fn is_phone(meaning: &SemanticDomain) -> bool {
    meaning.name == domain::PHONE.name
}

/// The region of each row: that of its country; rows without one are of the default.
fn regions(
    countries: &StringViewArray,
    default: Option<phone::Region>,
) -> Vec<Option<phone::Region>> {
    let mut known: HashMap<&str, Option<phone::Region>> = HashMap::new();
    let read = |country| phone::region(&(domain::COUNTRY.normalize)(country)?);
    let of = |country: Option<_>| match country {
        Some(country) => *known.entry(country).or_insert_with(|| read(country)),
        None => default,
    };
    countries.iter().map(of).collect()
}

fn of_regions(
    texts: &StringViewArray,
    region: impl Fn(usize) -> Option<phone::Region>,
) -> ArrayRef {
    let with_country = |(row, text): (usize, Option<&str>)| {
        let text = text?;
        let number = region(row).and_then(|region| phone::with_country(text, region));
        Some(number.unwrap_or_else(|| text.to_owned()))
    };
    Arc::new(texts.iter().enumerate().map(with_country).collect::<StringViewArray>())
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
