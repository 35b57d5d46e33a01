//! Training without labels.
//!
//! u comes from random pairs, and for agreement on the whole value from the counts of the values.
//! m comes from blocks: among records that agree on one field, EM tells matches from others by
//! the other fields. A fit that found too few matches, or turned the classes round, is not used.

use super::blocking::{Blocks, Key, Part, Rule, entries};
use super::compare::levels;
use super::derive;
use super::em::{self, Fit, Table};
use super::model::{Model, Weights};
use super::prepared::Prepared;
use super::sample::{self, Histogram, allowed, block_pairs, histogram};
use super::score::weigh;
use super::settings::{Links, Settings, possible_pairs};

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Random pairs are compared.
    Random,
    /// Blocking rules are chosen.
    Rules,
    /// Pairs of blocks are compared.
    Blocks,
    /// Probabilities are estimated.
    Estimate,
}

/// A block of pairs to learn from.
struct Lesson {
    excluded: u32,
    histogram: Histogram,
    /// Pairs that agree on one whole value, for that field's u.
    same: Option<(usize, f64)>,
}

/// Trains a model; `progress` hears of each stage.
pub fn train(prepared: &Prepared, settings: &Settings, progress: &mut dyn FnMut(Stage)) -> Model {
    progress(Stage::Random);
    let random = sample::any_pairs(prepared, settings.links, settings.sample * 8);
    let random = histogram(prepared, &random, settings.threads);
    progress(Stage::Rules);
    let rules = match settings.rules.is_empty() {
        true => derive::rules(prepared, settings),
        false => settings.rules.clone(),
    };
    progress(Stage::Blocks);
    let lessons = lessons(prepared, settings, &rules);
    progress(Stage::Estimate);
    let (m, u) = estimate(prepared, settings, &random, &lessons);
    let mut model = Model::of(prepared, &m, &u);
    model.rules = rules;
    model.block_limit = settings.block_limit;
    model.links = settings.links;
    model.lambda = share_of_matches(prepared, settings, &model);
    model
}

/// Samples the pairs that agree on each field, and on each rule.
fn lessons(prepared: &Prepared, settings: &Settings, rules: &[Rule]) -> Vec<Lesson> {
    let fields = 0..prepared.fields.len();
    let singles = fields.map(|field| Rule { keys: vec![Key { field, part: Part::Value }] });
    let single_count = prepared.fields.len();
    let combined = rules.iter().filter(|rule| rule.keys.len() > 1).cloned();
    let mut lessons = Vec::new();
    for (place, rule) in singles.chain(combined).enumerate() {
        let mut found = entries(&rule, prepared, 0, prepared.len() as u32);
        found.sort_unstable();
        let (mut pairs, total) = block_pairs(&found, settings.sample, place as u64 + 2);
        let drawn = pairs.len() as f64;
        pairs.retain(|pair| allowed(prepared, settings.links, *pair));
        let total = total * pairs.len() as f64 / drawn.max(1.0);
        lessons.push(Lesson {
            excluded: excluded(prepared, &rule),
            histogram: histogram(prepared, &pairs, settings.threads),
            same: (place < single_count).then_some((place, total)),
        });
    }
    lessons
}

fn excluded(prepared: &Prepared, rule: &Rule) -> u32 {
    let mut bits = 0;
    for key in &rule.keys {
        bits |= 1 << key.field;
        if let (Part::BothNames, Some((given, family))) = (key.part, prepared.swappable) {
            bits |= 1 << given | 1 << family;
        }
    }
    bits
}

/// m and u after two rounds: the second knows how many random pairs match.
fn estimate(
    prepared: &Prepared,
    settings: &Settings,
    random: &Histogram,
    lessons: &[Lesson],
) -> (Table, Table) {
    let count = |field: usize| levels(prepared.fields[field].meaning).len();
    let fields = prepared.fields.len();
    let prior: Table = (0..fields).map(|field| prior(prepared, field)).collect();
    let possible = possible_pairs(&prepared.source, prepared.len(), settings.links);
    let mut m = prior.clone();
    let mut u = em::unmatched(random, fields, |_| 0.0, count);
    for _ in 0..3 {
        let fits: Vec<Fit> = lessons
            .iter()
            .map(|lesson| em::fit(&lesson.histogram, &u, &m, lesson.excluded))
            .collect();
        m = combine(&fits, &prior);
        let matches = matches(lessons, &fits);
        let odds = (matches / possible).clamp(1e-12, 0.5).ln();
        let logs = em::logs(&m, &u);
        let share = |vector| 1.0 / (1.0 + (-odds - em::weight(&logs, vector, 0)).exp());
        u = em::unmatched(random, fields, share, count);
        for (lesson, fit) in lessons.iter().zip(&fits) {
            if let Some((field, pairs)) = lesson.same {
                let unlike = (1.0 - fit.lambda).max(0.02);
                let known = two_records(prepared, field, settings.links, possible);
                let exact = ((pairs * unlike).max(0.5) / known.max(1.0)).min(0.999);
                set_exact(&mut u[field], count(field), exact);
            }
        }
    }
    (m, u)
}

/// Pairs of records that both have a value.
fn two_records(prepared: &Prepared, field: usize, links: Links, possible: f64) -> f64 {
    let present = f64::from(prepared.fields[field].present);
    match links {
        Links::All => present * (present - 1.0) / 2.0,
        Links::AcrossSources => possible * (present / prepared.len() as f64).powi(2),
    }
}

fn set_exact(u: &mut [f64; 16], top: usize, exact: f64) {
    let rest: f64 = u[1..top].iter().sum();
    let scale = (1.0 - exact) / rest.max(f64::MIN_POSITIVE);
    u[1..top].iter_mut().for_each(|u| *u *= scale);
    u[top] = exact;
}

fn prior(prepared: &Prepared, field: usize) -> [f64; 16] {
    let mut row = [0.0; 16];
    for (m, level) in row[1..].iter_mut().zip(levels(prepared.fields[field].meaning)) {
        *m = f64::from(level.prior);
    }
    row
}

/// Means of m over the fits that can tell, each by the matches that it saw.
fn combine(fits: &[Fit], prior: &Table) -> Table {
    let mut m = prior.clone();
    for (field, row) in m.iter_mut().enumerate() {
        let mut sums = [0.0; 16];
        let mut weight = 0.0;
        let usable = |fit: &&Fit| fit.matches >= 30.0 && fit.lambda >= 0.01;
        for fit in fits.iter().filter(usable).filter(|fit| fit.excluded >> field & 1 == 0) {
            let share = fit.matches.min(3_000.0);
            weight += share;
            sums.iter_mut().zip(&fit.m[field]).for_each(|(sum, m)| *sum += m * share);
        }
        if weight > 0.0 {
            *row = sums.map(|sum| sum / weight);
        }
    }
    m
}

/// The largest number of matches that the pairs of one field are thought to hold.
fn matches(lessons: &[Lesson], fits: &[Fit]) -> f64 {
    let counts = lessons.iter().zip(fits).filter_map(|(lesson, fit)| {
        lesson.same.filter(|_| fit.lambda >= 0.01).map(|(_, pairs)| pairs * fit.lambda)
    });
    counts.fold(1.0, f64::max)
}

/// The share of all possible pairs that match: a fixed point over samples of the candidates.
fn share_of_matches(prepared: &Prepared, settings: &Settings, model: &Model) -> f64 {
    let possible = possible_pairs(&prepared.source, prepared.len(), settings.links);
    let weights = Weights::of(model);
    let mut found: Vec<(f64, f32)> = Vec::new();
    let mut before: Vec<Blocks> = Vec::new();
    for (place, rule) in model.rules.iter().enumerate() {
        let blocks = Blocks::new(rule, prepared, model.block_limit);
        let (pairs, total) = block_pairs(&blocks.entries, settings.sample, place as u64 + 99);
        let scale = total / pairs.len().max(1) as f64;
        let new = |(a, b): &(u32, u32)| {
            allowed(prepared, settings.links, (*a, *b))
                && before.iter().all(|blocks| blocks.shared(*a, *b) == 0)
        };
        let pairs: Vec<_> = pairs.into_iter().filter(new).collect();
        let weighed = sample::in_parts(&pairs, settings.threads, |pairs| {
            weigh(prepared, &weights, pairs)
        });
        found.extend(weighed.into_iter().flatten().map(|weight| (scale, weight)));
        before.push(blocks);
    }
    let mut lambda = 1.0 / prepared.len().max(2) as f64;
    for _ in 0..30 {
        let odds = (lambda / (1.0 - lambda)).log2() as f32;
        let matches: f64 =
            found.iter().map(|(scale, w)| scale / (1.0 + f64::from(-odds - w).exp2())).sum();
        lambda = (matches / possible).clamp(1.0 / possible.max(4.0), 0.5);
    }
    lambda
}
