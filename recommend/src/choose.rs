//! Which method is best for these customers: the one that recommends most of the last baskets.

use crate::error::{Error, Result};
use crate::evaluate::{Basket, evaluate};
use crate::histories::Histories;
use crate::methods::Method;
use crate::model::{Model, Settings};
use crate::request::Request;

/// Lines on which methods are compared at most; of more, some of the customers are taken.
pub const LINES: u64 = 10_000_000;

/// The methods that are tried. Lift is not: it is worse than what is popular wherever it was
/// measured.
const TRIED: [Method; 8] = [
    Method::Ease,
    Method::Llr,
    Method::Bm25,
    Method::TfIdf,
    Method::ShrunkCosine,
    Method::Jaccard,
    Method::Cosine,
    Method::Popularity,
];

/// What a method reached.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// The method.
    pub method: Method,
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

/// Tries the methods, best first. With nothing to compare on, all reach 0 and the order is that of
/// what is best elsewhere.
///
/// # Errors
/// Cancelled.
pub fn trials(
    histories: &Histories,
    baskets: &[Basket],
    (settings, request): (&Settings, &Request),
) -> Result<Vec<Trial>> {
    let mut trials = Vec::with_capacity(TRIED.len());
    for method in TRIED {
        let model = match Model::fit(histories.clone(), method, settings) {
            Err(Error::Singular) => continue,
            other => other?.0,
        };
        let (recall, ndcg, _) = evaluate(&model, request, baskets)?.means();
        trials.push(Trial { method, recall, ndcg });
    }
    // A stable sort: of equals the first tried.
    trials.sort_by(|a, b| b.recall.total_cmp(&a.recall));
    Ok(trials)
}
