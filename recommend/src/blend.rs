//! How what belongs to a history and what is bought again make one score.

use crate::histories::History;
use crate::methods::Method;
use crate::model::Model;
use crate::request::{Bought, Request};

/// How the two scores are mixed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blend {
    /// Factor of what belongs to the history.
    pub(crate) scale: f32,
    /// Factor of what is for buying again.
    pub(crate) rebuy: f32,
}

impl Blend {
    /// `best` is the best score that the history gives, whatever may be recommended of it.
    pub(crate) fn of(
        model: &Model,
        request: &Request,
        history: History<'_>,
        best: impl FnOnce() -> f32,
    ) -> Self {
        let share = share(model, request);
        if share <= 0.0 {
            return Self { scale: 1.0, rebuy: 0.0 };
        }
        let most = history.strengths.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let best = best();
        let scale = if best > 0.0 { (1.0 - share) / best } else { 1.0 };
        Self { scale, rebuy: share / most.sqrt() }
    }

    /// What having been bought so many times adds. Each further time says less: by their root, what
    /// is bought often leaves more room for what belongs to it.
    pub(crate) fn again(&self, times: f32) -> f32 {
        self.rebuy * times.sqrt()
    }
}

/// The share of a score that is for buying again.
pub(crate) fn share(model: &Model, request: &Request) -> f32 {
    match model.method {
        Method::Personal => 1.0,
        _ if request.bought == Bought::Exclude => 0.0,
        _ => request.rebuy,
    }
}

/// The best score that a history gives.
pub(crate) fn best(model: &Model, history: History<'_>) -> f32 {
    let mut sums = hashbrown::HashMap::<u32, f32>::new();
    for (place, code) in history.codes.iter().enumerate() {
        let strength = weight(model, history, place);
        for (other, weight) in model.neighbours.of(*code) {
            *sums.entry(other).or_default() += strength * weight;
        }
    }
    sums.into_values().fold(0.0, f32::max)
}

/// How much a bought item says: 1, or less when it was bought long ago.
pub(crate) fn weight(model: &Model, history: History<'_>, place: usize) -> f32 {
    match model.settings.half_life_s {
        None => 1.0,
        Some(half_life) => {
            let age = model.histories.latest().saturating_sub(history.times[place]);
            (-f64::from(age) / half_life).exp2() as f32
        }
    }
}
