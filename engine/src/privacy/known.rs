//! Pseudonyms that a statement has made already: rows of one customer are many, and an HMAC takes
//! longer than looking. Values are known by their hashes alone; nothing of them stays.

use std::hash::{BuildHasher, RandomState};

use parking_lot::Mutex;

/// Pseudonyms that are kept, in each of the threads that treat a column.
const SLOTS: usize = 1 << 16;
/// Values up to which a statement is small: for these nothing is kept.
const SMALL: usize = 16_384;

/// A value by its hashes, and its pseudonym.
type Slot = Option<([u64; 2], Box<str>)>;

/// What one thread knows.
#[derive(Default)]
pub(super) struct Known(Vec<Slot>);

/// What is known of a column, by those who are not at work just now.
#[derive(Default)]
pub(super) struct Shelf {
    hashers: [RandomState; 2],
    state: Mutex<(usize, Vec<Known>)>,
}

impl Shelf {
    /// Takes what is known, for a thread that has so many values to treat; `None`: they are few.
    pub(super) fn take(&self, values: usize) -> Option<Known> {
        let mut state = self.state.lock();
        state.0 = state.0.saturating_add(values);
        (state.0 > SMALL).then(|| state.1.pop().unwrap_or_default())
    }

    /// Gives it back.
    pub(super) fn put(&self, known: Option<Known>) {
        self.state.lock().1.extend(known);
    }

    /// The pseudonym of a value, made if it is not known.
    pub(super) fn of<'a>(
        &self,
        known: &'a mut Known,
        value: &str,
        make: impl FnOnce() -> String,
    ) -> &'a str {
        if known.0.is_empty() {
            known.0.resize_with(SLOTS, || None);
        }
        let hashes = [self.hashers[0].hash_one(value), self.hashers[1].hash_one(value)];
        let place = usize::try_from(hashes[0] % SLOTS as u64).unwrap_or(0);
        let Some(slot) = known.0.get_mut(place) else { return "" };
        let is_known = slot.as_ref().is_some_and(|(one, _)| *one == hashes);
        if !is_known {
            *slot = Some((hashes, make().into_boxed_str()));
        }
        slot.as_ref().map_or("", |(_, pseudonym)| pseudonym)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_found_again() {
        let shelf = Shelf::default();
        assert!(shelf.take(SMALL).is_none());
        let mut known = shelf.take(1).unwrap();
        let mut made = 0;
        for turn in 0..2 {
            for value in 0..1000 {
                let expected = format!("p{value}");
                let found = shelf.of(&mut known, &value.to_string(), || {
                    made += 1;
                    expected.clone()
                });
                assert_eq!(found, expected, "turn {turn}");
            }
        }
        // A few share a slot.
        assert!((1000..1100).contains(&made), "{made}");
        shelf.put(Some(known));
        assert_eq!(shelf.take(1).map(|one| one.0.len()), Some(SLOTS));
    }
}
