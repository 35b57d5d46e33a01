//! Clusters of records that respect conflicts.
//!
//! Pairs are taken from the heaviest on. A pair joins the clusters of its two records only when
//! the records of one cluster and those of the other agree on the whole: the mean evidence of the
//! pairs between them (their weight without the prior) must make up for most of the prior. So one
//! chance agreement does not chain two persons together, as transitive closure would.

use hashbrown::HashSet;

use super::model::{Model, Weights};
use super::prepared::Prepared;
use super::score::{Pair, Scorer};
use super::settings::Links;

/// What clusters must respect.
#[derive(Debug, Clone)]
pub struct Clustering {
    /// Pairs whose weight alone comes to this probability are linked; of rivals the heaviest.
    pub link: f64,
    /// Pairs whose weight alone comes to this probability, which are not linked, wait for review.
    pub review: f64,
    /// A cluster has at most one record of each source; always so when only records of different
    /// sources may match.
    pub one_per_source: bool,
    /// Pairs that are known to be different, the lower record first.
    pub apart: HashSet<(u32, u32)>,
}

impl Default for Clustering {
    fn default() -> Self {
        Self { link: 0.9, review: 0.5, one_per_source: false, apart: HashSet::new() }
    }
}

/// What came of the pairs.
#[derive(Debug, Clone, Default)]
pub struct Clusters {
    /// The cluster of each record: the number of its lowest record.
    pub of: Vec<u32>,
    /// The pairs that joined two clusters: a spanning forest, heaviest first.
    pub links: Vec<Pair>,
    /// Pairs between clusters that are likely enough to be looked at.
    pub review: Vec<Pair>,
}

/// Records of each of two clusters that are looked at before they are joined.
const LOOKED_AT: usize = 8;
/// Evidence of one pair, in bits, that counts at most: no pair outvotes all others.
const MOST_BITS: f32 = 16.0;

/// The share of the prior's bits that the mean evidence must make up for.
const AGREEMENT: f32 = 0.7;

/// Joins records by weighed pairs.
pub fn cluster(prepared: &Prepared, model: &Model, pairs: &[Pair], how: &Clustering) -> Clusters {
    let bits = |p: f64| (p / (1.0 - p)).log2() as f32;
    let (link, review) = (bits(how.link), bits(how.review));
    let mut order: Vec<&Pair> = pairs.iter().filter(|pair| pair.weight >= review).collect();
    order.sort_unstable_by(|x, y| y.weight.total_cmp(&x.weight).then((x.a, x.b).cmp(&(y.a, y.b))));
    let weights = Weights::of(model);
    let mut forest = Forest::new(prepared.len());
    let mut scorer = Scorer::new(prepared, model, &weights, f32::NEG_INFINITY);
    let apart = how.one_per_source || model.links == Links::AcrossSources;
    let sources = apart && !prepared.source.is_empty();
    let conflicts = Conflicts { sources, apart: &how.apart };
    let mut clusters = Clusters::default();
    let mut waiting = Vec::new();
    for pair in order {
        let (a, b) = (forest.root(pair.a), forest.root(pair.b));
        if a == b {
            continue;
        }
        let joins = pair.weight >= link
            && !forest.conflict(prepared, &conflicts, a, b)
            && forest.evidence(&mut scorer, weights.prior, pair, (a, b))
                >= AGREEMENT * -weights.prior;
        if joins {
            forest.join(a, b);
            clusters.links.push(*pair);
        } else {
            waiting.push(*pair);
        }
    }
    clusters.of = (0..prepared.len() as u32).map(|record| forest.root(record)).collect();
    let of = &clusters.of;
    waiting.retain(|pair| of[pair.a as usize] != of[pair.b as usize]);
    clusters.review = waiting;
    clusters
}

/// What keeps two records apart.
struct Conflicts<'a> {
    sources: bool,
    apart: &'a HashSet<(u32, u32)>,
}

/// Union-find whose sets can be listed: the records of a set are a ring.
struct Forest {
    parents: Vec<u32>,
    next: Vec<u32>,
    sizes: Vec<u32>,
}

impl Forest {
    fn new(len: usize) -> Self {
        let records: Vec<u32> = (0..len as u32).collect();
        Self { parents: records.clone(), next: records, sizes: vec![1; len] }
    }

    fn root(&mut self, mut node: u32) -> u32 {
        while self.parents[node as usize] != node {
            let parent = self.parents[node as usize];
            self.parents[node as usize] = self.parents[parent as usize];
            node = self.parents[node as usize];
        }
        node
    }

    /// The lower root wins, so that a cluster is named by its lowest record.
    fn join(&mut self, a: u32, b: u32) {
        let (low, high) = (a.min(b), a.max(b));
        self.parents[high as usize] = low;
        self.sizes[low as usize] += self.sizes[high as usize];
        self.next.swap(low as usize, high as usize);
    }

    fn members(&self, root: u32) -> impl Iterator<Item = u32> {
        let step = move |record: &u32| {
            let next = self.next[*record as usize];
            (next != root).then_some(next)
        };
        std::iter::successors(Some(root), step)
    }

    fn conflict(&self, prepared: &Prepared, how: &Conflicts, a: u32, b: u32) -> bool {
        let sources = how.sources;
        if !sources && how.apart.is_empty() {
            return false;
        }
        let clash = |x: u32, y: u32| {
            (sources && prepared.source[x as usize] == prepared.source[y as usize])
                || how.apart.contains(&(x.min(y), x.max(y)))
        };
        self.members(a).any(|x| self.members(b).any(|y| clash(x, y)))
    }

    /// The mean evidence of pairs between two clusters, of some records where there are many.
    fn evidence(&self, scorer: &mut Scorer, prior: f32, pair: &Pair, (a, b): (u32, u32)) -> f32 {
        let (size_a, size_b) = (self.sizes[a as usize] as usize, self.sizes[b as usize] as usize);
        let clip = |weight: f32| (weight - prior).clamp(-MOST_BITS, MOST_BITS);
        if size_a * size_b == 1 {
            return clip(pair.weight);
        }
        let (mut sum, mut count) = (0.0, 0);
        for x in self.members(a).take(LOOKED_AT) {
            for y in self.members(b).take(LOOKED_AT) {
                let scored = scorer.score((x.min(y), x.max(y)));
                sum += scored.map_or(-MOST_BITS, |pair| clip(pair.weight));
                count += 1;
            }
        }
        sum / count.max(1) as f32
    }
}

/// Clusters by transitive closure: every pair of at least `least` bits joins.
pub fn components(len: usize, pairs: &[Pair], least: f32) -> Vec<u32> {
    let mut forest = Forest::new(len);
    for pair in pairs.iter().filter(|pair| pair.weight >= least) {
        let (a, b) = (forest.root(pair.a), forest.root(pair.b));
        if a != b {
            forest.join(a, b);
        }
    }
    (0..len as u32).map(|record| forest.root(record)).collect()
}
