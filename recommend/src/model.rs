//! A model: what everybody bought, and what belongs together.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::changes::{Changed, Changes};
use crate::counts::Counts;
use crate::ease;
use crate::error::Result;
use crate::histories::Histories;
use crate::methods::Method;
use crate::neighbours::Neighbours;
use crate::parallel::Workers;

/// How a model is made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Neighbours that are kept of each item.
    pub neighbours: usize,
    /// Customers that must have both of a pair.
    pub min_support: u64,
    /// Items of a customer that are paired with one another at most: the last bought ones.
    pub cut: usize,
    /// After how many seconds a purchase counts half.
    pub half_life_s: Option<f64>,
    /// Regularisation of EASE.
    pub ridge: f64,
    /// Items that EASE learns at most: the most bought.
    pub head: usize,
    /// Bytes that the counts of all pairs of items may take to be kept.
    pub counts_bytes: usize,
    /// Threads.
    pub threads: usize,
    /// Set by whoever waits no longer.
    pub stop: Arc<AtomicBool>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            neighbours: 50,
            min_support: 1,
            cut: 1000,
            half_life_s: None,
            ridge: 500.0,
            head: 4096,
            counts_bytes: 0,
            threads: 1,
            stop: Arc::default(),
        }
    }
}

impl Settings {
    pub(crate) fn workers(&self) -> Workers<'_> {
        Workers { threads: self.threads, stop: &self.stop }
    }
}

/// A model that was fitted.
#[derive(Debug, Clone)]
pub struct Model {
    /// What everybody bought.
    pub histories: Histories,
    /// How pairs are weighed.
    pub method: Method,
    /// What belongs together.
    pub neighbours: Neighbours,
    /// Codes by number of buyers.
    pub popular: Vec<u32>,
    /// The settings that it was made with.
    pub settings: Settings,
}

impl Model {
    /// Fits a model; the counts are what [`Self::changed`] goes on with, where the settings have room
    /// for them.
    ///
    /// # Errors
    /// Cancelled; EASE: a ridge that is too small.
    pub fn fit(
        histories: Histories,
        method: Method,
        settings: &Settings,
    ) -> Result<(Self, Option<Counts>)> {
        let (neighbours, counts) = match method {
            Method::Popularity | Method::Personal => {
                (Neighbours::default(), Some(Counts::default()))
            }
            Method::Ease => ease::fit(&histories, settings)?,
            method => Neighbours::fit(&histories, method, settings)?,
        };
        Ok((Self::with(histories, (method, neighbours), settings), counts))
    }

    /// The model after a change, which is what a fit of everything would make. The counts change
    /// with it; after an error they are good for nothing.
    ///
    /// # Errors
    /// As [`Self::fit`].
    pub fn changed(
        self,
        changes: Changes,
        counts: &mut Counts,
        settings: &Settings,
    ) -> Result<Self> {
        let method = self.method;
        let Changed { histories, others } = self.histories.changed(changes, settings)?;
        if method.has_neighbours() {
            counts.change(&others, &histories, settings)?;
        }
        drop(others);
        let neighbours = match method {
            Method::Popularity | Method::Personal => Neighbours::default(),
            Method::Ease => ease::of_counts(counts, &histories, settings)?,
            method => Neighbours::of_counts(counts, &histories, method, settings)?,
        };
        Ok(Self::with(histories, (method, neighbours), settings))
    }

    fn with(
        histories: Histories,
        (method, neighbours): (Method, Neighbours),
        settings: &Settings,
    ) -> Self {
        let popular = histories.by_popularity();
        Self { histories, method, neighbours, popular, settings: settings.clone() }
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.histories.bytes() + self.neighbours.bytes() + self.popular.len() * 4
    }
}
