//! The statements that a session prepared last: clients that send the same text again (the simple
//! protocol, drivers without named statements) find its plan.

use std::collections::HashMap;
use std::sync::Arc;

use super::Prepared;
use crate::planning::context::QueryContext;

/// How many statements are remembered.
const STATEMENTS_MAX: usize = 64;
/// Bytes of text up to which a statement is: larger ones hold data and do not come again.
const TEXT_BYTES_MAX: usize = 8 << 10;

/// Statements by their text.
#[derive(Default)]
pub(super) struct Recent {
    statements: HashMap<Arc<str>, (Prepared, u64)>,
    tick: u64,
}

impl Recent {
    /// What a statement of this text and these declared parameters came to, if its plan holds.
    pub(super) fn find(&mut self, wanted: &Prepared, context: &QueryContext) -> Option<Prepared> {
        let (known, used) = self.statements.get_mut(&wanted.statement.text)?;
        let holds = known.kept.lock().as_ref().is_some_and(|kept| kept.holds(context));
        if !holds || known.declared != wanted.declared {
            return None;
        }
        self.tick += 1;
        *used = self.tick;
        Some(known.clone())
    }

    /// Remembers a statement in the place of the one that was not asked for longest.
    pub(super) fn add(&mut self, prepared: &Prepared) {
        let free = prepared.kept.lock().as_ref().is_some_and(|kept| kept.is_free());
        let text = &prepared.statement.text;
        if !free || text.len() > TEXT_BYTES_MAX {
            return;
        }
        if self.statements.len() >= STATEMENTS_MAX && !self.statements.contains_key(text) {
            let oldest = self.statements.iter().min_by_key(|(_, (_, used))| *used);
            let oldest = oldest.map(|(text, _)| Arc::clone(text));
            oldest.and_then(|text| self.statements.remove(&text));
        }
        self.tick += 1;
        self.statements.insert(Arc::clone(text), (prepared.clone(), self.tick));
    }
}
