//! Expectation–maximisation over histograms of vectors (Winkler 1988; Fellegi, Sunter 1969).

use super::sample::Histogram;
use super::weights::{Dependence, Weighing};

/// A probability per field and level; level 0 (a value is missing) is not used.
pub(crate) type Table = Vec<[f64; 16]>;

/// What one block of pairs says.
#[derive(Debug, Clone)]
pub(crate) struct Fit {
    /// The share of matches.
    pub(crate) lambda: f64,
    pub(crate) m: Table,
    /// Matches that were expected among the sampled pairs.
    pub(crate) matches: f64,
    /// Fields that the block was made of, as bits: they say nothing here.
    pub(crate) excluded: u32,
}

/// Pseudo-observations by which the prior holds against the data.
const PRIOR_WEIGHT: f64 = 25.0;
const ROUNDS: usize = 60;

/// The level of a field in a packed vector.
pub(crate) fn level(vector: u64, field: usize) -> usize {
    (vector >> (4 * field) & 15) as usize
}

/// Fits the share of matches and m from `prior` for m; `usual` is what m is where nothing is known.
///
/// u is known, but for the `loose` fields: they were blocked on in part, so that levels above
/// the lowest one are commoner in this block than elsewhere.
pub(crate) fn fit(
    histogram: &Histogram,
    (u, prior, usual): (&Table, &Table, &Table),
    dependences: &[Dependence],
    (excluded, loose): (u32, u32),
) -> Fit {
    let total: f64 = histogram.iter().map(|(_, count)| count).sum();
    let mut u = u.clone();
    for (field, row) in u.iter_mut().enumerate().filter(|(field, _)| loose >> field & 1 == 1) {
        *row = shares(histogram, field, |_| 1.0);
    }
    let mut fit = Fit { lambda: 0.2, m: prior.clone(), matches: 0.0, excluded };
    for _ in 0..ROUNDS {
        let weighing = Weighing::new(&fit.m, &u, dependences);
        let odds = (fit.lambda / (1.0 - fit.lambda)).ln();
        let mut sums: Table = prior.iter().map(|row| row.map(|m| m * PRIOR_WEIGHT)).collect();
        let mut matches = 0.0;
        for (vector, count) in histogram {
            let p = count / (1.0 + (-odds - weighing.weight(*vector, excluded)).exp());
            matches += p;
            for (field, row) in sums.iter_mut().enumerate() {
                row[level(*vector, field)] += p;
            }
        }
        for row in &mut sums {
            row[0] = 0.0;
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|m| *m /= sum.max(f64::MIN_POSITIVE));
        }
        sums.iter_mut().zip(usual).for_each(|(row, usual)| hold(row, usual));
        for (field, row) in u.iter_mut().enumerate().filter(|(field, _)| loose >> field & 1 == 1) {
            *row = shares(histogram, field, |vector| {
                1.0 - 1.0 / (1.0 + (-odds - weighing.weight(vector, excluded)).exp())
            });
        }
        let lambda = (matches / total.max(1.0)).clamp(1e-9, 0.999);
        let settled = (lambda - fit.lambda).abs() < 1e-7 * fit.lambda;
        fit = Fit { lambda, m: sums, matches, excluded };
        if settled {
            break;
        }
    }
    fit
}

/// Keeps a class of pairs that differ in nearly everything but one field (households, products of
/// one brand) from being taken for the matches: matches differ in a field now and then only.
fn hold(row: &mut [f64; 16], usual: &[f64; 16]) {
    let most = (3.0 * usual[1]).max(0.2);
    if row[1] > most {
        let scale = (1.0 - most) / (1.0 - row[1]).max(1e-9);
        row.iter_mut().for_each(|m| *m *= scale);
        row[1] = most;
    }
}

/// The share of each level of a field, where each vector counts as much as `part` says.
fn shares(histogram: &Histogram, field: usize, part: impl Fn(u64) -> f64) -> [f64; 16] {
    let mut row = [0.0; 16];
    for (vector, count) in histogram {
        row[level(*vector, field)] += count * part(*vector);
    }
    row[0] = 0.0;
    let sum: f64 = row.iter().sum::<f64>() + 8.0;
    row.map(|count| (count + 0.5) / sum)
}

/// u of each level from pairs of which few match: those are counted by what they are not.
pub(crate) fn unmatched(
    histogram: &Histogram,
    fields: usize,
    share: impl Fn(u64) -> f64,
    levels: impl Fn(usize) -> usize,
) -> Table {
    let mut u: Table = vec![[0.0; 16]; fields];
    for (vector, count) in histogram {
        let count = count * (1.0 - share(*vector));
        for (field, row) in u.iter_mut().enumerate() {
            row[level(*vector, field)] += count;
        }
    }
    for (field, row) in u.iter_mut().enumerate() {
        row[0] = 0.0;
        let levels = levels(field);
        // Half an observation for levels that were not seen.
        row[1..=levels].iter_mut().for_each(|u| *u += 0.5);
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|u| *u /= sum.max(1.0));
    }
    u
}
