//! How good recommendations are: on the last basket of each customer, recommended from what was
//! bought before it.

use crate::error::Result;
use crate::histories::{Histories, History};
use crate::model::Model;
use crate::request::{Bought, Request};
use crate::scorer::Scorer;

/// Customers that a thread takes at once.
const AT_ONCE: usize = 256;

/// The last basket of a customer.
pub type Basket = (i64, Vec<u32>);

/// What came of one customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The customer.
    pub customer: i64,
    /// Share of the basket that was recommended.
    pub recall: f64,
    /// Discounted cumulative gain of the recommended ones, of the most possible (Järvelin and
    /// Kekäläinen 2002).
    pub ndcg: f64,
    /// Whether any was recommended.
    pub hit: bool,
}

/// What came of all customers.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// Each customer who could be judged, in a fixed order.
    pub outcomes: Vec<Outcome>,
    /// Different items recommended, of those that were bought before.
    pub coverage: f64,
    /// Mean of `-log₂(buyers / customers)` of what was recommended.
    pub novelty: f64,
}

impl Evaluation {
    /// Means over customers: recall, NDCG, share of customers with a hit.
    pub fn means(&self) -> (f64, f64, f64) {
        let count = self.outcomes.len().max(1) as f64;
        // An empty sum is -0.
        let mean =
            |of: fn(&Outcome) -> f64| (self.outcomes.iter().map(of).sum::<f64>() + 0.0) / count;
        (mean(|one| one.recall), mean(|one| one.ndcg), mean(|one| f64::from(u8::from(one.hit))))
    }
}

/// Recommends to every customer of the baskets and compares. Where bought items are excluded, so
/// they are from the baskets.
///
/// # Errors
/// Cancelled.
pub fn evaluate(model: &Model, request: &Request, baskets: &[Basket]) -> Result<Evaluation> {
    let chunks: Vec<&[Basket]> = baskets.chunks(AT_ONCE).collect();
    let workers = model.settings.workers();
    let parts = workers.each(chunks.len(), |chunk| {
        let mut scorer = Scorer::new(model, request);
        let mut part = Part::default();
        for basket in chunks[chunk] {
            part.judge(&model.histories, (&mut scorer, request), basket);
        }
        part
    })?;
    let mut seen = vec![false; model.histories.items()];
    let mut all = Evaluation::default();
    let (mut surprise, mut shown) = (0.0, 0_u64);
    for part in parts {
        all.outcomes.extend(part.outcomes);
        surprise += part.surprise;
        shown += part.shown;
        part.codes.into_iter().for_each(|code| seen[code as usize] = true);
    }
    let items = model.popular.len().max(1) as f64;
    all.coverage = seen.iter().filter(|one| **one).count() as f64 / items;
    all.novelty = surprise / shown.max(1) as f64;
    Ok(all)
}

/// What came of some customers.
#[derive(Default)]
struct Part {
    outcomes: Vec<Outcome>,
    codes: hashbrown::HashSet<u32>,
    surprise: f64,
    shown: u64,
}

impl Part {
    fn judge(
        &mut self,
        histories: &Histories,
        (scorer, request): (&mut Scorer<'_>, &Request),
        (customer, basket): &Basket,
    ) {
        let place = histories.place(*customer);
        let history = place.map_or_else(History::default, |place| histories.history(place));
        let excluded = request.bought == Bought::Exclude;
        let is_new = |code: &&u32| !excluded || history.codes.binary_search(code).is_err();
        let wanted: Vec<u32> = basket.iter().filter(is_new).copied().collect();
        if wanted.is_empty() {
            return;
        }
        let (mut hits, mut gain) = (0, 0.0);
        for (rank, one) in scorer.recommend(history, &[]).iter().enumerate() {
            if wanted.binary_search(&one.code).is_ok() {
                hits += 1;
                gain += discount(rank);
            }
            let share = f64::from(histories.buyers(one.code).max(1)) / histories.len() as f64;
            self.surprise -= share.log2();
            self.shown += 1;
            self.codes.insert(one.code);
        }
        let most: f64 = (0..wanted.len().min(request.k)).map(discount).sum();
        self.outcomes.push(Outcome {
            customer: *customer,
            recall: f64::from(hits) / wanted.len() as f64,
            ndcg: gain / most,
            hit: hits > 0,
        });
    }
}

fn discount(rank: usize) -> f64 {
    (rank as f64 + 2.0).log2().recip()
}
