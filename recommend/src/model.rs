//! A model: what everybody bought, and what belongs together.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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
    /// Fits a model.
    ///
    /// # Errors
    /// Cancelled; EASE: a ridge that is too small.
    pub fn fit(histories: Histories, method: Method, settings: &Settings) -> Result<Self> {
        let neighbours = fit_neighbours(&histories, method, settings)?;
        let popular = histories.by_popularity();
        Ok(Self { histories, method, neighbours, popular, settings: settings.clone() })
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.histories.bytes() + self.neighbours.bytes() + self.popular.len() * 4
    }
}

/// What belongs together by a method.
///
/// # Errors
/// As [`Model::fit`].
pub fn fit_neighbours(
    histories: &Histories,
    method: Method,
    settings: &Settings,
) -> Result<Neighbours> {
    match method {
        Method::Popularity | Method::Personal => Ok(Neighbours::default()),
        Method::Ease => ease::fit(histories, settings),
        method => Neighbours::by_counts(histories, method, settings),
    }
}
