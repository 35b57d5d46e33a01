//! The slow and obvious way: sets of customers, and sums over all pairs.

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::methods::Method;
use crate::model::Settings;
use crate::purchases::{Gatherer, Purchase};
use crate::{Histories, Model};

/// Random lines: popular items more often, some returns.
pub(super) fn lines(seed: u64, customers: i64, items: u32, count: usize) -> Vec<Purchase> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| {
            let popular: f64 = random.random::<f64>().powi(3);
            Purchase {
                customer: random.random_range(0..customers) * 7919 - 1000,
                item: (popular * f64::from(items)) as u32,
                quantity: if random.random_bool(0.1) { -1.0 } else { 1.0 },
                time: random.random_range(0..1000) * 86_400,
            }
        })
        .collect()
}

/// Gathered by two, whose numbers of items differ.
pub(super) fn gathered(lines: &[Purchase], items: u32) -> Vec<(Gatherer, Vec<u32>)> {
    let (mut one, mut other) = (Gatherer::new(), Gatherer::new());
    for (place, line) in lines.iter().enumerate() {
        match place % 3 {
            0 => one.push(*line),
            _ => other.push(Purchase { item: items - 1 - line.item, ..*line }),
        }
    }
    vec![(one, (0..items).collect()), (other, (0..items).rev().collect())]
}

pub(super) fn model(
    lines: &[Purchase],
    items: u32,
    method: Method,
    settings: &Settings,
) -> crate::Result<Model> {
    let histories = Histories::build(gathered(lines, items), items as usize, settings)?;
    Model::fit(histories, method, settings).map(|(model, _)| model)
}

/// What was bought and kept: items of customers.
pub(super) fn kept(lines: &[Purchase]) -> BTreeMap<i64, BTreeSet<u32>> {
    let mut net = BTreeMap::<(i64, u32), f32>::new();
    for line in lines {
        *net.entry((line.customer, line.item)).or_default() += line.quantity;
    }
    let mut kept: BTreeMap<i64, BTreeSet<u32>> =
        lines.iter().map(|line| (line.customer, BTreeSet::new())).collect();
    for ((customer, item), net) in net {
        if net > 0.0 {
            kept.entry(customer).or_default().insert(item);
        }
    }
    kept
}

/// The weight of each pair of items by a method.
pub(super) fn weights(
    kept: &BTreeMap<i64, BTreeSet<u32>>,
    method: Method,
) -> Vec<((u32, u32), f64)> {
    let n = kept.len() as f64;
    let mut buyers = BTreeMap::<u32, f64>::new();
    let mut common = BTreeMap::<(u32, u32), f64>::new();
    for items in kept.values() {
        for i in items {
            *buyers.entry(*i).or_default() += 1.0;
            for j in items.iter().filter(|j| *j != i) {
                *common.entry((*i, *j)).or_default() += 1.0;
            }
        }
    }
    let term = |x: f64| if x > 0.0 { x * x.ln() } else { 0.0 };
    let weight = |((i, j), c): (&(u32, u32), &f64)| {
        let (a, b) = (buyers[i], buyers[j]);
        let cosine = c / (a * b).sqrt();
        match method {
            Method::ShrunkCosine => cosine * c / (c + 10.0),
            Method::Jaccard => c / (a + b - c),
            Method::Lift => c * n / (a * b),
            Method::Llr if c * n <= a * b => 0.0,
            Method::Llr => {
                let entropy = |parts: &[f64]| parts.iter().copied().map(term).sum::<f64>();
                let cells = entropy(&[*c, a - c, b - c, n - a - b + c]);
                2.0 * (cells + term(n) - entropy(&[a, n - a]) - entropy(&[b, n - b]))
            }
            _ => cosine,
        }
    };
    common.iter().map(|(pair, c)| (*pair, weight((pair, c)))).collect()
}
