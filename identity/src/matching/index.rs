//! Records that are there, ready to be matched with new ones.

use hashbrown::HashMap;

use super::blocking::entries;
use super::model::{Model, Weights};
use super::prepared::Prepared;
use super::records::Records;
use super::rivals;
use super::sample::allowed;
use super::score::{Pair, Scorer};

/// Prepared records and, for each rule of a model, the records of each block.
#[derive(Debug, Clone)]
pub struct Index {
    prepared: Prepared,
    model: Model,
    blocks: Vec<HashMap<u32, Vec<u32>>>,
}

impl Index {
    /// Indexes records under a model.
    pub fn new(prepared: Prepared, model: Model) -> Self {
        let blocks = vec![HashMap::new(); model.rules.len()];
        let mut index = Self { prepared, model, blocks };
        index.insert(0);
        index
    }

    /// The records.
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    fn insert(&mut self, first: u32) {
        for (rule, blocks) in self.model.rules.iter().zip(&mut self.blocks) {
            let mut found = entries(rule, &self.prepared, first..self.prepared.len() as u32);
            found.sort_unstable();
            found.dedup();
            for entry in found {
                let (key, record) = ((entry >> 32) as u32, (entry & 0xFFFF_FFFF) as u32);
                blocks.entry(key).or_default().push(record);
            }
        }
    }

    /// Adds records (with the columns of the first ones) and matches them with all records that
    /// are there, and with one another. The pairs, by record, are those that a full run over all
    /// records yields for the new ones under the same model.
    pub fn match_new(&mut self, records: &Records, threshold: f64) -> Vec<Pair> {
        let first = self.prepared.append(records);
        self.insert(first);
        let least = (threshold / (1.0 - threshold)).log2() as f32;
        let weights = Weights::of(&self.model);
        let mut scorer = Scorer::new(&self.prepared, &self.model, &weights, least);
        let keys: Vec<Vec<u64>> = self
            .model
            .rules
            .iter()
            .map(|rule| {
                let mut keys = entries(rule, &self.prepared, first..self.prepared.len() as u32);
                keys.sort_unstable_by_key(|entry| (entry & 0xFFFF_FFFF, entry >> 32));
                keys
            })
            .collect();
        let mut places = vec![0usize; keys.len()];
        let mut pairs = Vec::new();
        let mut others: Vec<u32> = Vec::new();
        for record in first..self.prepared.len() as u32 {
            others.clear();
            for (rule, keys) in keys.iter().enumerate() {
                let limit = self.model.rules[rule].limit(self.model.block_limit);
                while let Some(entry) = keys.get(places[rule])
                    && (entry & 0xFFFF_FFFF) as u32 == record
                {
                    places[rule] += 1;
                    let block = self.blocks[rule].get(&((entry >> 32) as u32));
                    let block = block.filter(|block| block.len() <= limit);
                    let lower = block.into_iter().flatten().take_while(|other| **other < record);
                    others.extend(lower);
                }
            }
            others.sort_unstable();
            others.dedup();
            for other in &others {
                if allowed(&self.prepared, self.model.links, (*other, record)) {
                    pairs.extend(scorer.score((*other, record)));
                }
            }
        }
        rivals::weigh(&self.prepared, self.model.links, &mut pairs);
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_people::people;
    use super::super::{Prepared, Settings, predict, train};
    use super::Index;

    #[test]
    fn new_records_are_matched_as_a_full_run_does() {
        let all = people(0..3_000);
        let prepared = Prepared::new(&all);
        let model = train(&prepared, &Settings::default(), &mut |_| ());
        let mut full = predict(&prepared, &model, 0.5, 2).pairs;
        full.sort_unstable_by_key(|pair| (pair.b, pair.a));

        let mut index = Index::new(Prepared::new(&people(0..2_000)), model);
        let mut found = index.match_new(&people(2_000..2_001), 0.5);
        found.extend(index.match_new(&people(2_001..3_000), 0.5));
        let late = full.iter().filter(|pair| pair.b >= 2_000);
        // Earlier batches saw smaller counts of names: the same pairs, weights apart.
        let found: Vec<_> = found.iter().map(|pair| (pair.a, pair.b)).collect();
        let late: Vec<_> = late.map(|pair| (pair.a, pair.b)).collect();
        assert!(found.len() > 100);
        assert_eq!(found, late);
    }
}
