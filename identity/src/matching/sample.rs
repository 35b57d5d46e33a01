//! Samples of pairs, and how often each vector of levels occurs in them.

use hashbrown::HashMap;

use super::blocking::block_end;
use super::compare::vector;
use super::kernel::Kernel;
use super::prepared::Prepared;
use super::random::Random;
use super::settings::Links;

/// How often each packed vector occurs, sorted by vector.
pub(crate) type Histogram = Vec<(u64, f64)>;

/// A pair of records, the lower number first.
pub(crate) type Couple = (u32, u32);

/// Any pairs: all of them where they are few.
pub(crate) fn any_pairs(prepared: &Prepared, links: Links, count: usize) -> Vec<Couple> {
    let len = prepared.len() as u64;
    let mut pairs = Vec::with_capacity(count);
    if len * len.saturating_sub(1) / 2 <= count as u64 {
        for b in 1..len as u32 {
            pairs.extend((0..b).map(|a| (a, b)));
        }
    } else {
        let mut random = Random::new(1);
        while pairs.len() < count {
            let (a, b) = (random.below(len) as u32, random.below(len) as u32);
            if a != b {
                pairs.push((a.min(b), a.max(b)));
            }
        }
    }
    pairs.retain(|pair| allowed(prepared, links, *pair));
    pairs
}

/// True when a pair may match at all.
pub(crate) fn allowed(prepared: &Prepared, links: Links, (a, b): Couple) -> bool {
    links == Links::All
        || prepared.source.is_empty()
        || prepared.source[a as usize] != prepared.source[b as usize]
}

/// Pairs drawn from blocks (sorted entries) as if all their pairs were in one urn, and how many
/// pairs the urn holds.
pub(crate) fn block_pairs(entries: &[u64], count: usize, seed: u64) -> (Vec<Couple>, f64) {
    let mut blocks = Vec::new();
    let mut total = 0u64;
    let mut start = 0;
    while start < entries.len() {
        let end = block_end(entries, start);
        let size = (end - start) as u64;
        if size > 1 {
            total += size * (size - 1) / 2;
            blocks.push((total, start, size));
        }
        start = end;
    }
    let record = |place: usize| (entries[place] & 0xFFFF_FFFF) as u32;
    let mut pairs = Vec::with_capacity(count.min(total as usize));
    if total <= count as u64 {
        for (_, start, size) in &blocks {
            for b in start + 1..start + *size as usize {
                pairs.extend((*start..b).map(|a| (record(a), record(b))));
            }
        }
    } else {
        let mut random = Random::new(seed);
        for _ in 0..count {
            let drawn = random.below(total);
            let block = blocks.partition_point(|(end, ..)| *end <= drawn);
            let (_, start, size) = blocks[block];
            let a = random.below(size);
            let b = (a + 1 + random.below(size - 1)) % size;
            let (a, b) = (start + a.min(b) as usize, start + a.max(b) as usize);
            pairs.push((record(a), record(b)));
        }
    }
    (pairs, total as f64)
}

/// Runs `work` over even parts of `pairs`, one thread each, and gives the answers in order.
pub(crate) fn in_parts<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&[T]) -> R + Sync,
) -> Vec<R> {
    let size = items.len().div_ceil(threads.max(1)).max(1);
    if items.len() <= size {
        return vec![work(items)];
    }
    std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> =
            items.chunks(size).map(|part| scope.spawn(move || work(part))).collect();
        let joined = running.into_iter().map(|thread| match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect()
    })
}

/// Compares pairs and counts their vectors.
pub(crate) fn histogram(prepared: &Prepared, pairs: &[Couple], threads: usize) -> Histogram {
    let parts = in_parts(pairs, threads, |pairs| {
        let mut kernel = Kernel::default();
        let mut counts: HashMap<u64, f64> = HashMap::new();
        for (a, b) in pairs {
            *counts.entry(vector(prepared, *a, *b, &mut kernel)).or_default() += 1.0;
        }
        counts
    });
    let mut all: HashMap<u64, f64> = HashMap::new();
    for (vector, count) in parts.into_iter().flatten() {
        *all.entry(vector).or_default() += count;
    }
    let mut histogram: Histogram = all.into_iter().collect();
    histogram.sort_unstable_by_key(|(vector, _)| *vector);
    histogram
}
