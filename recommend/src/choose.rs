//! Which method is best for these customers: the one that recommends most of the last baskets.

use crate::error::{Error, Result};
use crate::evaluate::{Basket, evaluate};
use crate::histories::Histories;
use crate::methods::Method;
use crate::model::{Model, Settings};
use crate::request::{Bought, Request};

/// Lines on which methods are compared at most; of more, some of the customers are taken.
pub const LINES: u64 = 10_000_000;

/// The methods that are tried. Lift is not: it is worse than what is popular wherever it was
/// measured. What the customer buys most often says nothing where bought items are excluded.
const TRIED: [Method; 9] = [
    Method::Ease,
    Method::Llr,
    Method::Bm25,
    Method::TfIdf,
    Method::ShrunkCosine,
    Method::Jaccard,
    Method::Cosine,
    Method::Popularity,
    Method::Personal,
];

/// The share of a score for buying again that is good in most shops.
pub const REBUY: f32 = 0.8;

/// The shares that are tried; of equals the first.
pub const SHARES: &[f32] = &[REBUY, 0.65, 0.5, 0.35, 0.0];

/// What a method reached.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// The method.
    pub method: Method,
    /// The share for buying again that was best.
    pub rebuy: f32,
    /// Mean share of the last basket that it recommended.
    pub recall: f64,
    /// Mean NDCG.
    pub ndcg: f64,
}

/// The share that is everybody.
pub const ALL: usize = crate::purchases::PARTITIONS;

/// How many 512ths of the customers are enough to compare.
pub fn share(lines: u64) -> usize {
    match lines {
        0..=LINES => ALL,
        more => ((LINES * ALL as u64 / more) as usize).max(1),
    }
}

/// Tries the methods, each with some shares for buying again where that is allowed; best first.
/// With nothing to compare on, all reach 0 and the order is that of what is best elsewhere.
///
/// # Errors
/// Cancelled.
pub fn trials(
    histories: &Histories,
    baskets: &[Basket],
    (settings, request): (&Settings, &Request),
    shares: &[f32],
) -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    let is_new = request.bought == Bought::Exclude;
    let shares = if is_new { &[request.rebuy] } else { shares };
    for method in TRIED.into_iter().filter(|method| !is_new || *method != Method::Personal) {
        let model = match Model::fit(histories.clone(), method, settings) {
            Err(Error::Singular) => continue,
            other => other?.0,
        };
        for rebuy in shares.iter().copied() {
            let request = Request { rebuy, ..request.clone() };
            let (recall, ndcg, _) = evaluate(&model, &request, baskets)?.means();
            trials.push(Trial { method, rebuy, recall, ndcg });
        }
    }
    // A stable sort: of equals the first tried.
    trials.sort_by(|a, b| b.recall.total_cmp(&a.recall));
    let mut known = Vec::new();
    trials.retain(|trial| {
        let is_first = !known.contains(&trial.method);
        known.push(trial.method);
        is_first
    });
    Ok(trials)
}
