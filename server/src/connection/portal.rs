//! A portal: a statement with its parameters, run at most once, read in as many pieces as the
//! client likes.

use std::sync::Arc;

use clientele_engine::Prepared;
use datafusion::common::ScalarValue;

use super::rows::Cursor;
use crate::encode::Formats;

/// A bound statement.
pub struct Portal {
    /// The statement.
    pub prepared: Arc<Prepared>,
    /// Formats that Bind asked for.
    pub formats: Formats,
    /// How far it has run.
    pub state: State,
}

/// How far a portal has run.
pub enum State {
    /// Not at all.
    Bound(Vec<ScalarValue>),
    /// Rows are left.
    Suspended(Box<Cursor>),
    /// It is a cursor of the engine's: SQL has moved it.
    Lent,
    /// Every row has been sent; the command tag of a further Execute, which sends none.
    Exhausted(String),
    /// It has done what it does: it cannot run again.
    Finished,
}

impl Portal {
    /// Gives up what is still to come, after an error.
    pub fn abandon(&mut self) {
        if matches!(self.state, State::Suspended(_)) {
            self.state = State::Finished;
        }
    }
}
