//! Training without labels.
//!
//! u comes from random pairs, and for agreement on the whole value from the counts of the values.
//! m comes from blocks: among records that agree on one field, EM tells matches from others by
//! the other fields. A fit that found too few matches, or turned the classes round, is not used.

use super::blocking::{Key, Part, Rule, entries};
use super::compare::levels;
use super::derive;
use super::em::{self, Fit, Table};
use super::model::Model;
use super::pool::{self, FREE_PAIRS, Pool, Sampled};
use super::prepared::Prepared;
use super::sample::{self, Histogram, allowed, block_pairs, histogram};
use super::settings::{Links, Settings, possible_pairs};
use super::weights::{self, Dependence, Weighing};

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

impl Stage {
    /// What a progress report calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "comparing random pairs",
            Self::Rules => "choosing blocking rules",
            Self::Blocks => "comparing pairs of blocks",
            Self::Estimate => "estimating",
        }
    }
}

/// A block of pairs to learn from.
struct Lesson {
    excluded: u32,
    loose: u32,
    histogram: Histogram,
    /// Pairs that agree on one whole value, for that field's u.
    same: Option<(usize, f64)>,
}

/// The most pairs that can match: one per record of the smaller source, where records of one
/// source never match.
fn most_matches(prepared: &Prepared, links: Links) -> f64 {
    let sources = prepared.source.iter().max().map_or(1, |most| *most as usize + 1);
    if links == Links::All || sources != 2 {
        return f64::INFINITY;
    }
    let second = prepared.source.iter().filter(|source| **source == 1).count();
    second.min(prepared.len() - second) as f64
}

/// What the lessons say.
struct Learned {
    m: Table,
    u: Table,
    dependences: Vec<Dependence>,
}

impl Learned {
    fn weighing(&self) -> Weighing {
        Weighing::new(&self.m, &self.u, &self.dependences)
    }
}

/// Sampled pairs of each rule that is judged.
const JUDGED: usize = 1_500;

/// Trains a model; `progress` hears of each stage.
pub fn train(prepared: &Prepared, settings: &Settings, progress: &mut dyn FnMut(Stage)) -> Model {
    progress(Stage::Random);
    let random = sample::any_pairs(prepared, settings.links, settings.sample * 8);
    let random = histogram(prepared, &random, settings.threads);
    progress(Stage::Blocks);
    let mut lessons = lessons(prepared, settings);
    let possible = possible_pairs(&prepared.source, prepared.len(), settings.links);
    let mut learned = estimate(prepared, settings, &random, &lessons);
    progress(Stage::Rules);
    let pool = pool(prepared, settings);
    let mut chosen: Vec<usize> = (0..pool.len()).collect();
    let mut lambda = 1.0 / prepared.len().max(2) as f64;
    let alone = lessons.len();
    for _ in 0..2 {
        if settings.rules.is_empty() {
            let odds = (lambda / (1.0 - lambda)).ln();
            chosen = pool::choose(&pool, &learned.weighing(), odds, settings, prepared.len());
        }
        progress(Stage::Estimate);
        lessons.truncate(alone);
        lessons.extend(chosen.iter().map(|place| lesson(prepared, &pool[*place])));
        learned = estimate(prepared, settings, &random, &lessons);
        lambda = pool::share(&pool, &chosen, &learned.weighing(), possible);
        lambda = lambda.min(most_matches(prepared, settings.links) / possible);
    }
    let mut model = Model::of(prepared, &learned.m, &learned.u);
    model.dependences = learned.dependences;
    model.rules = chosen.iter().map(|place| pool[*place].rule.clone()).collect();
    model.block_limit = settings.block_limit;
    model.links = settings.links;
    model.lambda = lambda;
    model
}

/// Samples the pairs of rules that are given, or could be used.
fn pool(prepared: &Prepared, settings: &Settings) -> Vec<Sampled> {
    let keys = match settings.rules.is_empty() {
        true => derive::keys(prepared),
        false => {
            let mut keys: Vec<Key> =
                settings.rules.iter().flat_map(|rule| rule.keys.iter().copied()).collect();
            keys.sort_unstable();
            keys.dedup();
            keys
        }
    };
    let pool = Pool::new(prepared, settings, keys.clone());
    let rules = match settings.rules.is_empty() {
        true => {
            let most = (prepared.len() * settings.pairs_per_record) as f64 + FREE_PAIRS;
            derive::rules(prepared, &keys, &pool.prices(), most)
        }
        false => settings.rules.clone(),
    };
    rules.iter().zip(1_000..).map(|(rule, seed)| pool.sample(rule, JUDGED, seed)).collect()
}

fn lesson(prepared: &Prepared, sampled: &Sampled) -> Lesson {
    let loose = sampled.rule.word_field().map_or(0, |field| 1 << field);
    Lesson {
        excluded: excluded(prepared, &sampled.rule) & !loose,
        loose,
        histogram: pool::histogram(sampled),
        same: None,
    }
}

/// Samples the pairs that agree on each field.
fn lessons(prepared: &Prepared, settings: &Settings) -> Vec<Lesson> {
    let mut lessons = Vec::new();
    for field in 0..prepared.fields.len() {
        let rule = Rule { keys: vec![Key { field, part: Part::Value }] };
        let mut found = entries(&rule, prepared, 0..prepared.len() as u32);
        found.sort_unstable();
        let (mut pairs, total) = block_pairs(&found, settings.sample, field as u64 + 2);
        let drawn = pairs.len() as f64;
        pairs.retain(|pair| allowed(prepared, settings.links, *pair));
        let total = total * pairs.len() as f64 / drawn.max(1.0);
        lessons.push(Lesson {
            excluded: excluded(prepared, &rule),
            loose: 0,
            histogram: histogram(prepared, &pairs, settings.threads),
            same: Some((field, total)),
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
) -> Learned {
    let count = |field: usize| levels(prepared.fields[field].meaning).len();
    let fields = prepared.fields.len();
    let prior: Table = (0..fields).map(|field| prior(prepared, field)).collect();
    let possible = possible_pairs(&prepared.source, prepared.len(), settings.links);
    let mut m = prior.clone();
    let mut u = em::unmatched(random, fields, |_| 0.0, count);
    let mut dependences: Vec<Dependence> = Vec::new();
    for _ in 0..4 {
        let mut fits: Vec<Fit> = lessons
            .iter()
            .map(|lesson| {
                let masks = (lesson.excluded, lesson.loose);
                em::fit(&lesson.histogram, (&u, &m, &prior), &dependences, masks)
            })
            .collect();
        for (fit, lesson) in fits.iter_mut().zip(lessons) {
            fit.excluded |= lesson.loose;
        }
        m = combine(&fits, &prior);
        let matches = matches(lessons, &fits);
        let odds = (matches / possible).clamp(1e-12, 0.5).ln();
        let weighing = Weighing::new(&m, &u, &dependences);
        let share = |vector| 1.0 / (1.0 + (-odds - weighing.weight(vector, 0)).exp());
        u = em::unmatched(random, fields, share, count);
        for (lesson, fit) in lessons.iter().zip(&fits) {
            if let Some((field, pairs)) = lesson.same {
                let unlike = (1.0 - fit.lambda).max(0.02);
                let known = two_records(prepared, field, settings.links, possible);
                let exact = ((pairs * unlike).max(0.5) / known.max(1.0)).min(0.999);
                set_exact(&mut u[field], count(field), exact);
            }
        }
        let weighing = Weighing::new(&m, &u, &dependences);
        let singles = lessons.iter().filter_map(|lesson| Some((lesson, lesson.same?.0)));
        let found = singles.flat_map(|(lesson, given)| {
            weights::dependences(&lesson.histogram, given, &weighing, (&m, &u))
        });
        dependences = found.collect();
    }
    Learned { m, u, dependences }
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

/// Matches as which the prior counts beside those that were seen.
const PRIOR_MATCHES: f64 = 40.0;

/// Means of m over the fits that can tell, each by the matches that it saw.
fn combine(fits: &[Fit], prior: &Table) -> Table {
    let mut m = prior.clone();
    for (field, row) in m.iter_mut().enumerate() {
        let mut sums = [0.0; 16];
        let mut weight = PRIOR_MATCHES;
        sums.iter_mut().zip(*row).for_each(|(sum, m)| *sum += m * PRIOR_MATCHES);
        let usable = |fit: &&Fit| fit.matches >= 30.0 && fit.lambda >= 0.01;
        for fit in fits.iter().filter(usable).filter(|fit| fit.excluded >> field & 1 == 0) {
            let share = fit.matches.min(3_000.0);
            weight += share;
            sums.iter_mut().zip(&fit.m[field]).for_each(|(sum, m)| *sum += m * share);
        }
        *row = sums.map(|sum| sum / weight);
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
