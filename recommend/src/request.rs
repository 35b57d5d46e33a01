//! What is asked for a customer, and what the answer is.

use std::sync::Arc;

/// Whether what was bought may be recommended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bought {
    /// No.
    #[default]
    Exclude,
    /// Yes.
    Allow,
    /// Nothing else.
    Only,
    /// Unless it was bought at this time (seconds since 1970) or later.
    ExcludeSince(u32),
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// How many items.
    pub k: usize,
    /// What of the bought ones.
    pub bought: Bought,
    /// The codes that may be recommended; `None`: all.
    pub candidates: Option<Arc<[bool]>>,
    /// Share of the score that is for buying again, 0 to 1.
    pub rebuy: f32,
    /// At most so many of a group, and the group of each code.
    pub max_per: Option<(usize, Arc<[u32]>)>,
    /// Whether popular items follow where the model says nothing more.
    pub fallback: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            k: 10,
            bought: Bought::Exclude,
            candidates: None,
            rebuy: 0.0,
            max_per: None,
            fallback: true,
        }
    }
}

impl Request {
    /// Whether what was bought at that time may be recommended.
    pub(crate) fn may_rebuy(&self, time: u32) -> bool {
        match self.bought {
            Bought::Exclude => false,
            Bought::Allow | Bought::Only => true,
            Bought::ExcludeSince(since) => time < since,
        }
    }

    /// Whether a code is among the candidates.
    pub(crate) fn is_candidate(&self, code: u32) -> bool {
        self.candidates.as_ref().is_none_or(|may| may.get(code as usize) == Some(&true))
    }
}

/// Why an item is recommended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// It belongs to what was bought.
    Model,
    /// It was bought before.
    Rebuy,
    /// It is popular.
    Popular,
}

impl Source {
    /// Its name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Rebuy => "rebuy",
            Self::Popular => "popular",
        }
    }
}

/// An item for a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recommendation {
    /// Its code.
    pub code: u32,
    /// Its score.
    pub score: f32,
    /// Why.
    pub source: Source,
}
