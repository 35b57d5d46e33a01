//! Lines packed: a thousand of one partition, column by column, in 16 bits where these are enough.
//!
//! Memory that is touched for the first time is dear, and all purchases are held at once: a block
//! takes some 8 bytes for a line.

use crate::purchases::{Purchase, mixed, unmixed};

/// Lines of a block; so few that tests pack some, too.
pub(crate) const LINES: usize = if cfg!(test) { 4 } else { 256 };
/// Words of a chunk, which holds many blocks.
const CHUNK: usize = 1 << 19;

/// Where packed lines are: chunks of which none is ever moved once it is long.
pub(crate) type Chunks = Vec<Vec<u16>>;

/// How many words a number takes in a column. Of two, all lower ones stand before all upper ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    /// All are the same, which is known.
    None,
    Narrow,
    Wide,
}

impl Width {
    fn of(most: u32) -> Self {
        if most <= u32::from(u16::MAX) { Self::Narrow } else { Self::Wide }
    }

    fn words(self, lines: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Narrow => lines,
            Self::Wide => 2 * lines,
        }
    }
}

/// Where some packed lines stand, and how.
#[derive(Debug)]
pub(crate) struct Block {
    chunk: u32,
    first: u32,
    lines: u32,
    /// The earliest time, and what the seconds since then are divided by.
    time: (u32, u32),
    /// Whether customers are kept whole; else without what the partition says of them.
    whole: bool,
    items: Width,
    times: Width,
    quantities: Width,
}

/// The lines of a block.
#[derive(Debug, Default)]
pub(crate) struct Unpacked {
    pub(crate) customers: Vec<i64>,
    pub(crate) items: Vec<u32>,
    pub(crate) times: Vec<u32>,
    pub(crate) quantities: Vec<f32>,
}

#[cfg(test)]
impl Unpacked {
    /// The lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Purchase> + '_ {
        let all = self.customers.iter().zip(&self.items).zip(&self.quantities).zip(&self.times);
        all.map(|(((customer, item), quantity), time)| Purchase {
            customer: *customer,
            item: *item,
            quantity: *quantity,
            time: *time,
        })
    }
}

impl Block {
    /// Packs lines of one partition.
    pub(crate) fn pack(lines: &[Purchase], chunks: &mut Chunks) -> Self {
        let most = |of: fn(&Purchase) -> u32| lines.iter().map(of).max().unwrap_or_default();
        let base = lines.iter().map(|line| line.time).min().unwrap_or_default();
        let unit = unit(lines, base);
        let block = Self {
            chunk: 0,
            first: 0,
            lines: lines.len() as u32,
            time: (base, unit),
            whole: lines.iter().any(|line| mixed(line.customer).is_none()),
            items: Width::of(most(|line| line.item)),
            times: Width::of((most(|line| line.time) - base) / unit),
            quantities: quantities(lines),
        };
        let (chunk, words) = room(chunks, block.words());
        let block = Self { chunk, first: words.len() as u32, ..block };
        // The partition is what is left of a mixed customer above 32 bits.
        let key = |line: &Purchase| match block.whole {
            true => line.customer.cast_unsigned(),
            false => mixed(line.customer).unwrap_or_default(),
        };
        put(words, Width::Wide, lines.iter().map(|line| key(line) as u32));
        if block.whole {
            put(words, Width::Wide, lines.iter().map(|line| (key(line) >> 32) as u32));
        }
        put(words, block.items, lines.iter().map(|line| line.item));
        put(words, block.times, lines.iter().map(|line| (line.time - base) / unit));
        match block.quantities {
            Width::Wide => {
                put(words, Width::Wide, lines.iter().map(|line| line.quantity.to_bits()));
            }
            width => put(words, width, lines.iter().map(|line| line.quantity as u32)),
        }
        block
    }

    fn words(&self) -> usize {
        let lines = self.lines as usize;
        let customers = Width::Wide.words(lines) * (1 + usize::from(self.whole));
        let widths = [self.items, self.times, self.quantities];
        customers + widths.into_iter().map(|width| width.words(lines)).sum::<usize>()
    }

    /// Unpacks the customers, who are of a partition.
    pub(crate) fn unpack_customers(&self, chunks: &Chunks, partition: usize, to: &mut Unpacked) {
        let Some(words) = chunks.get(self.chunk as usize) else { return };
        let (words, lines) = (&words[self.first as usize..], self.lines as usize);
        let (lower, upper) = words.split_at(Width::Wide.words(lines));
        let above = (partition as u64) << 32;
        get(lower.split_at(lines), &mut to.customers, |key| unmixed(above | u64::from(key)));
        if self.whole {
            let all = lower[..lines].iter().zip(&lower[lines..]);
            let all = all.zip(upper[..lines].iter().zip(&upper[lines..2 * lines]));
            to.customers.clear();
            to.customers.extend(all.map(|((a, b), (c, d))| {
                let words = [*a, *b, *c, *d].map(u64::from);
                (words[0] | words[1] << 16 | words[2] << 32 | words[3] << 48).cast_signed()
            }));
        }
    }

    /// Unpacks the rest of the lines.
    pub(crate) fn unpack(&self, chunks: &Chunks, to: &mut Unpacked) {
        let Some(words) = chunks.get(self.chunk as usize) else { return };
        let lines = self.lines as usize;
        let customers = Width::Wide.words(lines) * (1 + usize::from(self.whole));
        let mut words = &words[self.first as usize + customers..];
        let mut take = |width: Width| {
            let (column, rest) = words.split_at(width.words(lines));
            words = rest;
            column.split_at(column.len().min(lines))
        };
        let (base, unit) = self.time;
        get(take(self.items), &mut to.items, |number| number);
        get(take(self.times), &mut to.times, |number| base + number * unit);
        match self.quantities {
            Width::None => {
                to.quantities.clear();
                to.quantities.resize(lines, 1.0);
            }
            Width::Narrow => {
                get(take(Width::Narrow), &mut to.quantities, |number| number as f32);
            }
            Width::Wide => get(take(Width::Wide), &mut to.quantities, f32::from_bits),
        }
    }
}

/// The chunk that has room for so many words.
fn room(chunks: &mut Chunks, words: usize) -> (u32, &mut Vec<u16>) {
    if chunks.last().is_none_or(|last| last.len() + words > CHUNK) {
        // Few lines have one chunk, which grows.
        let room = if chunks.is_empty() { words } else { CHUNK };
        chunks.push(Vec::with_capacity(room));
    }
    let last = chunks.len() - 1;
    (last as u32, &mut chunks[last])
}

/// What times can be divided by that would be too long otherwise: dates are whole days.
fn unit(lines: &[Purchase], base: u32) -> u32 {
    let since = || lines.iter().map(|line| line.time - base);
    if since().all(|seconds| seconds <= u32::from(u16::MAX)) {
        return 1;
    }
    let mut unit = 0;
    for seconds in since() {
        unit = divisor(unit, seconds);
        if unit == 1 {
            break;
        }
    }
    unit
}

/// The greatest common divisor, by Euclid.
fn divisor(mut a: u32, mut b: u32) -> u32 {
    while a != 0 {
        (a, b) = (b % a, a);
    }
    b
}

fn quantities(lines: &[Purchase]) -> Width {
    let all = |is: fn(f32) -> bool| lines.iter().all(|line| is(line.quantity));
    if all(|quantity| quantity == 1.0) {
        Width::None
    } else if all(|quantity| f32::from(quantity as u16) == quantity) {
        Width::Narrow
    } else {
        Width::Wide
    }
}

fn put(words: &mut Vec<u16>, width: Width, numbers: impl Iterator<Item = u32> + Clone) {
    if width != Width::None {
        words.extend(numbers.clone().map(|number| number as u16));
    }
    if width == Width::Wide {
        words.extend(numbers.map(|number| (number >> 16) as u16));
    }
}

fn get<T>((lower, upper): (&[u16], &[u16]), to: &mut Vec<T>, of: impl Fn(u32) -> T) {
    to.clear();
    match upper.is_empty() {
        true => to.extend(lower.iter().map(|lower| of(u32::from(*lower)))),
        false => to.extend(
            lower
                .iter()
                .zip(upper)
                .map(|(lower, upper)| of(u32::from(*upper) << 16 | u32::from(*lower))),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::purchases::partition;

    fn line(item: u32, quantity: f32, time: u32) -> Purchase {
        Purchase { customer: 0, item, quantity, time }
    }

    #[test]
    fn blocks_hold_what_was_packed() {
        const DAY: u32 = 86_400;
        let some = |count: u32, of: &dyn Fn(u32) -> Purchase| (0..count).map(of).collect();
        let cases: Vec<(Vec<Purchase>, usize)> = vec![
            (some(100, &|at| line(at, 1.0, at)), 4),
            (some(1000, &|at| line(at, 2.0, 1_700_000_000 + at * DAY)), 5),
            (some(3, &|at| line(at << 20, 1.0, at * 70_001 + at % 2)), 6),
            (vec![line(1, -1.5, u32::MAX), line(2, 1e9, 0)], 6),
            (vec![line(1, 65_535.0, 9), line(2, 0.0, 9)], 5),
            (vec![line(1, 65_536.0, 9), line(2, -0.5, 9)], 6),
        ];
        // Of one partition; then also somebody of whom it does not say enough.
        let mut same = (0..).filter(|customer| partition(*customer) == partition(7));
        let same: Vec<i64> = same.by_ref().take(1000).collect();
        for strange in [None, Some(-1), Some(i64::MIN), Some(1 << 41)] {
            let (mut chunks, mut blocks) = (Chunks::new(), Vec::new());
            let mut cases = cases.clone();
            for (lines, _) in &mut cases {
                for (line, customer) in lines.iter_mut().zip(&same) {
                    line.customer = *customer;
                }
                lines[0].customer = strange.unwrap_or(lines[0].customer);
                blocks.push(Block::pack(lines, &mut chunks));
            }
            let mut to = Unpacked::default();
            for (block, (lines, words)) in blocks.iter().zip(&cases) {
                block.unpack_customers(&chunks, partition(7), &mut to);
                block.unpack(&chunks, &mut to);
                let words = words + if strange.is_some() { 2 } else { 0 };
                assert_eq!(block.words(), words * lines.len());
                let found: Vec<Purchase> = to.lines().collect();
                assert_eq!(&found, lines);
            }
        }
    }

    #[test]
    fn long_chunks_are_not_moved() {
        let lines: Vec<Purchase> = (0..1024).map(|at| line(at << 8, 0.5, at << 8)).collect();
        let mut chunks = Chunks::new();
        let mut first = Vec::new();
        for place in 0..200 {
            let block = Block::pack(&lines, &mut chunks);
            assert!(block.first as usize + block.words() <= CHUNK);
            if place == 100 {
                first = chunks.iter().map(Vec::as_ptr).collect();
            }
        }
        assert!(chunks.len() > first.len());
        assert!(first.iter().skip(1).zip(chunks.iter().skip(1)).all(|(a, b)| *a == b.as_ptr()));
    }
}
