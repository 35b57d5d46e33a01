//! What a run of matching may be told; every default follows from what the columns mean.

use super::blocking::Rule;

/// Which pairs may match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Links {
    /// Any two records.
    #[default]
    All,
    /// Records of different sources only.
    AcrossSources,
}

/// How to match.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which pairs may match.
    pub links: Links,
    /// Blocking rules; empty: derived from the meanings and the sizes of the blocks.
    pub rules: Vec<Rule>,
    /// Records of one block that are still compared with one another.
    pub block_limit: usize,
    /// Candidate pairs per record that derived rules may yield together.
    pub pairs_per_record: usize,
    /// Pairs that are sampled for each estimate.
    pub sample: usize,
    /// Threads to use; the result does not depend on it.
    pub threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            links: Links::All,
            rules: Vec::new(),
            block_limit: 400,
            pairs_per_record: 16,
            sample: 30_000,
            threads: 2,
        }
    }
}

/// Pairs of records that may match, of all pairs there are.
pub(crate) fn possible_pairs(source: &[u32], len: usize, links: Links) -> f64 {
    let all = len as f64 * (len as f64 - 1.0) / 2.0;
    if links == Links::All {
        return all.max(1.0);
    }
    let sources = source.iter().max().map_or(0, |most| *most as usize + 1);
    let mut counts = vec![0f64; sources];
    source.iter().for_each(|source| counts[*source as usize] += 1.0);
    (all - counts.iter().map(|count| count * (count - 1.0) / 2.0).sum::<f64>()).max(1.0)
}
