//! Normal forms of whole columns. Nearly all values are their own, and finding that out anew for
//! each row of each statement costs more than all else that is done with them: a telephone number
//! takes five microseconds. So those that are known to be are remembered, by their hashes alone.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use clientele_catalog::definition::Oid;
use clientele_catalog::seen::SeenValues;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use datafusion::error::Result;
use parking_lot::Mutex;

/// What turns a value into its normal form.
pub(super) type Normalize = fn(&str) -> Option<String>;

/// Values of a domain that are remembered, at most.
const KNOWN_MAX: usize = 1 << 18;

/// Values that are known to be normal, by their domain.
static KNOWN: LazyLock<Mutex<HashMap<Oid, Arc<SeenValues>>>> = LazyLock::new(Mutex::default);

/// The normal forms of an array of text views; values without one stay as they are.
///
/// # Errors
/// None in practice.
pub(super) fn forms(array: &ArrayRef, (domain, normalize): (Oid, Normalize)) -> Result<ArrayRef> {
    let make = || Arc::new(SeenValues::new(KNOWN_MAX));
    let known = Arc::clone(KNOWN.lock().entry(domain).or_insert_with(make));
    let hashes = known.hashes(array)?;
    let texts = array.as_string_view();
    let mut forms: Option<StringViewBuilder> = None;
    for (row, (text, hash)) in texts.iter().zip(hashes).enumerate() {
        let form = text.filter(|_| !known.has(hash)).and_then(normalize);
        let form = form.filter(|form| Some(form.as_str()) != text);
        if form.is_none() && text.is_some() {
            known.keep(hash);
        }
        if form.is_some() && forms.is_none() {
            let mut before = StringViewBuilder::with_capacity(texts.len());
            texts.iter().take(row).for_each(|text| before.append_option(text));
            forms = Some(before);
        }
        if let Some(forms) = &mut forms {
            forms.append_option(form.as_deref().or(text));
        }
    }
    Ok(forms.map_or_else(|| Arc::clone(array), |mut forms| Arc::new(forms.finish())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::StringViewArray;

    #[test]
    fn what_is_known_to_be_normal_stays() {
        let small: Normalize = |value| (value != "?").then(|| value.to_lowercase());
        for _ in 0..2 {
            let values = vec![Some("a"), None, Some("?"), Some("B"), Some("a"), None];
            let array: ArrayRef = Arc::new(StringViewArray::from(values));
            let wanted = vec![Some("a"), None, Some("?"), Some("b"), Some("a"), None];
            let wanted: ArrayRef = Arc::new(StringViewArray::from(wanted));
            assert_eq!(&forms(&array, (1, small)).unwrap(), &wanted);
            assert!(Arc::ptr_eq(&forms(&wanted, (1, small)).unwrap(), &wanted));
        }
    }
}
