//! Compiled templates and patterns, kept per thread: a column repeats one of them millions of times.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::Result;

/// Number of entries after which a cache starts anew.
const ENTRIES_MAX: usize = 64;

/// What was compiled from a text.
pub struct Cache<T> {
    entries: RefCell<HashMap<String, Rc<T>>>,
}

impl<T> Cache<T> {
    /// An empty cache.
    pub fn new() -> Self {
        Self { entries: RefCell::new(HashMap::new()) }
    }

    /// The compiled form of a text.
    ///
    /// # Errors
    /// What `compile` says; failures are not kept.
    pub fn get(&self, text: &str, compile: impl FnOnce(&str) -> Result<T>) -> Result<Rc<T>> {
        if let Some(found) = self.entries.borrow().get(text) {
            return Ok(Rc::clone(found));
        }
        let compiled = Rc::new(compile(text)?);
        let mut entries = self.entries.borrow_mut();
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        entries.insert(text.to_owned(), Rc::clone(&compiled));
        Ok(compiled)
    }
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self::new()
    }
}
