//! Rules that callers give: candidates, exclusions, groups.

use std::collections::HashMap;
use std::sync::Arc;

use clientele_recommend::Request;
use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::common::ScalarValue;

use super::definition::{K_MAX, Rule, fallback};
use super::kept::Kept;
use super::query::Query;
use super::rows;
use crate::error::{Error, Result};
use crate::functions::calls::{Call, Keys, Part, column};

/// Codes that some customers must not get, ascending.
pub(super) type Excluded = HashMap<i64, Vec<u32>>;

/// The request of a call, and whom it excludes from what.
///
/// # Errors
/// 22023 for values out of bounds, 42601 for queries of another shape.
pub(super) async fn request(call: &Call, part: &Part, kept: &Kept) -> Result<(Request, Excluded)> {
    let latest = kept.model.histories.latest();
    let mut request = rows::request(&kept.definition, latest);
    if let Some(k) = call.count("k", (0, K_MAX as i64))? {
        request.k = k;
    }
    if let Some(bought) = call.text("bought") {
        request.bought = rows::rule(Rule::read(bought)?, latest);
    }
    if let Some(rebuy) = call.share("rebuy")? {
        request.rebuy = rebuy;
    }
    if let Some(text) = call.text("fallback") {
        request.fallback = fallback(text)?;
    }
    let items = kept.model.histories.items();
    let mut may = None;
    if let Some(batches) = call.query(part, ("candidates", 1..=1)).await? {
        let mut codes = vec![false; items];
        for code in codes_of(kept, &batches, 0)?.into_iter().flatten() {
            codes[code as usize] = true;
        }
        may = Some(codes);
    }
    let mut excluded = Excluded::new();
    if let Some(batches) = call.query(part, ("exclude", 1..=2)).await? {
        exclude(kept, &batches, (&mut may, &mut excluded))?;
    }
    request.candidates = may.map(Arc::from);
    request.max_per = groups(call, part, kept).await?;
    Ok((request, excluded))
}

/// Items for nobody, or for some customers.
fn exclude(
    kept: &Kept,
    batches: &[RecordBatch],
    (may, excluded): (&mut Option<Vec<bool>>, &mut Excluded),
) -> Result<()> {
    let Some(batch) = batches.first() else { return Ok(()) };
    if batch.num_columns() == 1 {
        let may = may.get_or_insert_with(|| vec![true; kept.model.histories.items()]);
        for code in codes_of(kept, batches, 0)?.into_iter().flatten() {
            may[code as usize] = false;
        }
        return Ok(());
    }
    let Some(customers) = column(batches, 0)? else { return Ok(()) };
    let customers = kept.customers.find(&customers)?;
    for (customer, code) in customers.into_iter().zip(codes_of(kept, batches, 1)?) {
        if let (Some(customer), Some(code)) = (customer, code) {
            excluded.entry(customer).or_default().push(code);
        }
    }
    for codes in excluded.values_mut() {
        codes.sort_unstable();
        codes.dedup();
    }
    Ok(())
}

/// How groups are said.
const GROUPS_HINT: &str =
    "max_per_by => (SELECT product_id, category FROM …), or the name of a column of its query.";

/// The name that stands in the place of a query; `None`: there is a query.
fn only_name(batches: &[RecordBatch]) -> Result<Option<String>> {
    if batches.first().is_none_or(|batch| batch.num_columns() > 1) {
        return Ok(None);
    }
    let name = column(batches, 0)?.filter(|names| !names.is_empty());
    let name = name.map(|names| ScalarValue::try_from_array(&names, 0)).transpose()?;
    match name.as_ref().and_then(|name| name.try_as_str().flatten()) {
        Some(name) => Ok(Some(name.to_owned())),
        None => Err(Error::new("42601", "the query of argument max_per_by has 1 column")
            .with_hint(GROUPS_HINT)),
    }
}

/// At most so many of each group; an item without a group is one of its own.
async fn groups(call: &Call, part: &Part, kept: &Kept) -> Result<Option<(usize, Arc<[u32]>)>> {
    let most = call.count("max_per", (1, K_MAX as i64))?;
    let Some(mut batches) = call.query(part, ("max_per_by", 1..=2)).await? else {
        return match most {
            Some(_) => Err(Error::new("22023", "max_per needs max_per_by").with_hint(GROUPS_HINT)),
            None => Ok(None),
        };
    };
    if let Some(name) = only_name(&batches)? {
        let query = Query::of(&call.context, call.recommender()?)?;
        batches = query.of_items(&name)?.rows().await?;
    }
    let items = kept.model.histories.items();
    let mut groups: Vec<u32> = (0..items as u32).map(|code| u32::MAX - code).collect();
    if let Some(names) = column(&batches, 1)? {
        let numbers = Keys::new(names.data_type())?.number(&names)?;
        for (code, group) in codes_of(kept, &batches, 0)?.into_iter().zip(numbers) {
            if let Some(code) = code.filter(|_| group != u32::MAX) {
                groups[code as usize] = group;
            }
        }
    }
    Ok(Some((most.unwrap_or(1), groups.into())))
}

/// The codes of items in a column; `None` for those that nobody bought.
pub(super) fn codes_of(
    kept: &Kept,
    batches: &[RecordBatch],
    place: usize,
) -> Result<Vec<Option<u32>>> {
    let Some(items) = column(batches, place)? else { return Ok(Vec::new()) };
    let histories = &kept.model.histories;
    let numbers = kept.items.find(&items)?.into_iter();
    Ok(numbers.map(|number| number.and_then(|number| histories.code(number))).collect())
}
