//! A definition changes, and shows no more than before.

use super::{ColumnPrivacy, treatment};
use crate::catalog::Catalog;
use crate::definition::Relation;

/// Keeps the treatment of columns that a change of their table would loosen: another type, the
/// last identifier dropped, a key over a text. Only a decision about the column opens it.
pub fn keep_closed(catalog: &Catalog, before: &Relation, after: &mut Relation) {
    let loosened: Vec<(usize, _)> = after
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.privacy.as_ref().is_none_or(|one| one.masking.is_none()))
        .filter_map(|(place, column)| {
            let old = before.column_by_number(column.number)?;
            let (old, new) = (treatment(catalog, before, old), treatment(catalog, after, column));
            (new.masking.strictness() < old.masking.strictness()).then_some((place, old))
        })
        .collect();
    for (place, old) in loosened {
        let Some(column) = after.columns.get_mut(place) else { continue };
        let kept = ColumnPrivacy::derived(old.masking, old.namespace, old.category);
        column.privacy = Some(Box::new(kept.with_rest_of(column.privacy.as_deref())));
    }
}
