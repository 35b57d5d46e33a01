//! Values that hold whatever the sources say: rows of `customers.pinned_values`.

use std::collections::BTreeMap;

use clientele_catalog::Catalog;
use clientele_catalog::customers::{Attribute, PINNED_VALUES, Touchpoints};
use clientele_catalog::domains;
use datafusion::common::Result;

use super::rows::{From, instant, number, text, truth};
use crate::error::Error;

/// A value that is pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pin {
    pub(super) customer: i64,
    /// Place in the attributes.
    pub(super) attribute: usize,
    /// As the profile shows it.
    pub(super) value: String,
    /// Microseconds since 1970.
    pub(super) changed_at: i64,
}

/// The pins in force. Of two, which a merge brought together, the later one holds.
pub(super) async fn read(from: &From<'_>, touchpoints: &Touchpoints) -> Result<Vec<Pin>> {
    let mut latest: BTreeMap<(i64, usize), (i64, String, bool)> = BTreeMap::new();
    for batch in from.all(PINNED_VALUES).await? {
        for row in 0..batch.num_rows() {
            let Some(customer) = number(&batch, "customer_id", row) else { continue };
            let name = text(&batch, "attribute", row).unwrap_or_default();
            let place = touchpoints.attributes.iter().position(|one| one.name == name);
            let Some(place) = place else { continue };
            let value = text(&batch, "value", row).unwrap_or_default().to_owned();
            let changed_at = instant(&batch, "changed_at", row).unwrap_or(i64::MIN);
            let new = (changed_at, value, truth(&batch, "pinned", row));
            let known = latest.entry((customer, place)).or_insert_with(|| new.clone());
            if new > *known {
                *known = new;
            }
        }
    }
    let pinned = latest.into_iter().filter(|(_, (_, _, pinned))| *pinned);
    let pins = pinned.filter_map(|((customer, place), (changed_at, value, _))| {
        let attribute = touchpoints.attributes.get(place)?;
        let value = shown(&from.snapshot.catalog, attribute, &value)?;
        Some(Pin { customer, attribute: place, value, changed_at })
    });
    Ok(pins.collect())
}

/// A value as the profile shows it: identifiers as they are compared.
fn shown(catalog: &Catalog, attribute: &Attribute, value: &str) -> Option<String> {
    match domains::meaning(catalog, attribute.domain).filter(|_| attribute.identifies) {
        Some(domain) => (domain.normalize)(value),
        None => Some(value.to_owned()),
    }
}

/// Refuses a value that no row could have.
///
/// # Errors
/// 23514 as the domain says it; 22007 for what is no date.
pub(super) fn check(
    catalog: &Catalog,
    attribute: &Attribute,
    value: &str,
) -> crate::error::Result<()> {
    let Some(domain) = domains::meaning(catalog, attribute.domain) else { return Ok(()) };
    (domain.validate)(value).map_err(|why| {
        let (name, check) = (domain.name, domain.check_name());
        Error::new(
            "23514",
            format!("value for domain {name} violates check constraint \"{check}\""),
        )
        .with_detail(format!("{value} is no {name}: {why}."))
    })
}
