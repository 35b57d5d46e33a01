//! Clusters of records from weighed pairs.

use super::score::Pair;

/// The cluster of each record: the number of its lowest record.
pub fn components(len: usize, pairs: &[Pair], least: f32) -> Vec<u32> {
    let mut parents: Vec<u32> = (0..len as u32).collect();
    for pair in pairs.iter().filter(|pair| pair.weight >= least) {
        let (a, b) = (root(&mut parents, pair.a), root(&mut parents, pair.b));
        parents[a.max(b) as usize] = a.min(b);
    }
    (0..len as u32).map(|record| root(&mut parents, record)).collect()
}

fn root(parents: &mut [u32], mut node: u32) -> u32 {
    while parents[node as usize] != node {
        let parent = parents[node as usize];
        parents[node as usize] = parents[parent as usize];
        node = parents[node as usize];
    }
    node
}
