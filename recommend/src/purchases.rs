//! Lines of purchases, gathered by customer as they come.

use crate::block::{Block, Chunks, LINES, Unpacked};

/// Customers are gathered in this many partitions, so that one partition fits into a cache.
pub(crate) const PARTITIONS: usize = 512;
/// The partition is the top of so many mixed bits.
const BITS: u32 = 41;
/// An odd number near 2⁴¹ / φ (Fibonacci hashing, Knuth 6.4), and its inverse modulo 2⁴¹.
const MIX: u64 = 0x13C_6EF3_72FF;
const UNMIX: u64 = inverse(MIX);
const MASK: u64 = (1 << BITS) - 1;

/// One line: who bought what, how much of it, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Purchase {
    /// The customer.
    pub customer: i64,
    /// The item, by its number among those of its gatherer.
    pub item: u32,
    /// Pieces; negative for what was returned.
    pub quantity: f32,
    /// Seconds since 1970.
    pub time: u32,
}

/// Takes lines; several may take different lines at once.
#[derive(Debug, Default)]
pub struct Gatherer {
    partitions: Vec<Lines>,
    chunks: Chunks,
    items: Vec<u32>,
    latest: u32,
    lines: u64,
}

/// Lines of some customers: packed, but for the last ones.
#[derive(Debug, Default)]
struct Lines {
    open: Vec<Purchase>,
    blocks: Vec<Block>,
}

impl Gatherer {
    /// Without lines.
    pub fn new() -> Self {
        let partitions = (0..PARTITIONS).map(|_| Lines::default()).collect();
        Self { partitions, ..Self::default() }
    }

    /// Takes a line.
    #[inline]
    pub fn push(&mut self, line: Purchase) {
        let lines = &mut self.partitions[partition(line.customer)];
        if lines.open.len() == LINES {
            lines.blocks.push(Block::pack(&lines.open, &mut self.chunks));
            lines.open.clear();
        }
        lines.open.push(line);
        let index = line.item as usize;
        if index >= self.items.len() {
            self.items.resize(index + 1, 0);
        }
        self.items[index] += 1;
        self.latest = self.latest.max(line.time);
        self.lines += 1;
    }

    /// How many lines it has.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Bytes that the lines take.
    pub fn bytes(&self) -> usize {
        let open = (self.lines as usize).min(PARTITIONS * LINES) * size_of::<Purchase>();
        self.chunks.iter().map(|chunk| chunk.capacity() * size_of::<u16>()).sum::<usize>() + open
    }

    /// Lines by number of the item.
    pub(crate) fn item_lines(&self) -> &[u32] {
        &self.items
    }

    /// The time of the last line.
    pub(crate) fn latest(&self) -> u32 {
        self.latest
    }

    /// Customers of the packed lines of a partition, handed over some at a time.
    pub(crate) fn packed_customers(
        &self,
        partition: usize,
        to: &mut Unpacked,
        mut take: impl FnMut(&[i64]),
    ) {
        for block in self.blocks(partition) {
            block.unpack_customers(&self.chunks, partition, to);
            take(&to.customers);
        }
    }

    /// The rest of the packed lines, handed over in the same order.
    pub(crate) fn packed(
        &self,
        partition: usize,
        to: &mut Unpacked,
        mut take: impl FnMut(&Unpacked),
    ) {
        for block in self.blocks(partition) {
            block.unpack(&self.chunks, to);
            take(to);
        }
    }

    fn blocks(&self, partition: usize) -> &[Block] {
        self.partitions.get(partition).map_or(&[], |lines| &lines.blocks)
    }

    /// Lines of a partition that are not packed.
    pub(crate) fn open(&self, partition: usize) -> &[Purchase] {
        self.partitions.get(partition).map_or(&[], |lines| &lines.open)
    }
}

/// A customer, one to one, so that all bits matter for the upper ones; `None`: it has more bits than
/// most.
#[inline]
pub(crate) fn mixed(customer: i64) -> Option<u64> {
    let customer = customer.cast_unsigned();
    (customer <= MASK).then(|| customer.wrapping_mul(MIX) & MASK)
}

/// The customer who was mixed.
#[inline]
pub(crate) fn unmixed(mixed: u64) -> i64 {
    (mixed.wrapping_mul(UNMIX) & MASK).cast_signed()
}

/// The inverse of an odd number modulo powers of 2, by Newton's iteration.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut bits = 3;
    while bits < 64 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        bits *= 2;
    }
    inverse
}

/// The partition of a customer.
pub(crate) fn partition(customer: i64) -> usize {
    ((customer.cast_unsigned().wrapping_mul(MIX) & MASK) >> 32) as usize
}

/// Of integers, by one multiplication.
#[inline]
pub(crate) fn hash(key: i64) -> u64 {
    let key = key.cast_unsigned();
    let mixed = (key ^ (key >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    // A table takes its places from the lower bits.
    mixed.rotate_left(24)
}

/// Hashes customers and other integers.
#[derive(Debug, Default)]
pub(crate) struct CustomerHasher(u64);

impl std::hash::Hasher for CustomerHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }

    fn write_i64(&mut self, customer: i64) {
        self.0 = hash(customer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_as_they_were() {
        let customers = [0, 1, -1, 7_919_000_000, 1 << 40, 1 << 41, i64::MAX, i64::MIN];
        let mut gatherer = Gatherer::new();
        let mut lines = Vec::new();
        for (place, customer) in (0..20_000_u16).zip(customers.into_iter().cycle()) {
            let quantity = if place % 3 == 0 { 1.0 } else { f32::from(place) - 9.5 };
            let line = Purchase { customer, item: u32::from(place), quantity, time: 5 };
            gatherer.push(line);
            lines.push(line);
        }
        let mut found: Vec<Purchase> = Vec::new();
        for number in 0..PARTITIONS {
            let (mut customers, mut rest) = (Vec::new(), Vec::new());
            let mut to = Unpacked::default();
            gatherer.packed_customers(number, &mut to, |some| customers.extend_from_slice(some));
            gatherer.packed(number, &mut to, |some| rest.extend(some.lines()));
            assert_eq!(customers.len(), rest.len());
            let lines = customers.into_iter().zip(rest);
            found.extend(lines.map(|(customer, line)| Purchase { customer, ..line }));
            found.extend(gatherer.open(number));
        }
        let order = |line: &Purchase| (line.customer, line.item);
        found.sort_unstable_by_key(order);
        lines.sort_unstable_by_key(order);
        assert_eq!(found, lines);
    }
}
