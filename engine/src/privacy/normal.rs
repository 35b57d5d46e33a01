//! Normal forms of whole columns. Nearly all values are their own, and finding that out anew for
//! each row of each statement costs more than all else that is done with them: a telephone number
//! takes five microseconds. So those that are known to be are remembered, by their hashes alone.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use clientele_catalog::definition::Oid;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::error::Result;
use parking_lot::Mutex;

/// What turns a value into its normal form.
pub(super) type Normalize = fn(&str) -> Option<String>;

/// Values of a domain that are remembered, at most.
const SLOTS: usize = 1 << 18;

/// Values that are known to be normal, by their domain. The seed of the hashes is of this process.
static KNOWN: LazyLock<Mutex<HashMap<Oid, Arc<Known>>>> = LazyLock::new(Mutex::default);
static SEED: LazyLock<u64> =
    LazyLock::new(|| std::hash::RandomState::new().hash_one("normal forms"));

struct Known(Vec<AtomicU64>);

impl Known {
    fn of(domain: Oid) -> Arc<Self> {
        let make = || Arc::new(Self((0..SLOTS).map(|_| AtomicU64::new(0)).collect()));
        Arc::clone(KNOWN.lock().entry(domain).or_insert_with(make))
    }

    fn slot(&self, hash: u64) -> Option<&AtomicU64> {
        self.0.get(usize::try_from(hash % SLOTS as u64).unwrap_or(0))
    }

    fn has(&self, hash: u64) -> bool {
        self.slot(hash).is_some_and(|one| one.load(Ordering::Relaxed) == hash)
    }

    fn keep(&self, hash: u64) {
        self.slot(hash).iter().for_each(|one| one.store(hash, Ordering::Relaxed));
    }
}

/// The normal forms of an array of text views; values without one stay as they are.
///
/// # Errors
/// None in practice.
pub(super) fn forms(array: &ArrayRef, (domain, normalize): (Oid, Normalize)) -> Result<ArrayRef> {
    let known = Known::of(domain);
    let mut hashes = vec![0; array.len()];
    create_hashes(std::slice::from_ref(array), &RandomState::with_seed(*SEED), &mut hashes)?;
    let texts = array.as_string_view();
    let mut forms: Option<StringViewBuilder> = None;
    for (row, (text, hash)) in texts.iter().zip(hashes).enumerate() {
        // No slot that is free.
        let hash = hash.max(1);
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
