//! Lines of purchases, gathered by customer as they come.

/// Customers are gathered in this many partitions, so that one partition fits into a cache.
pub(crate) const PARTITIONS: usize = 512;
/// Lines of a block of a partition, and of its first one: most shops are small.
const BLOCK: usize = 1024;
const FIRST_BLOCK: usize = 64;
/// Marks a line of more or less than one piece, in a bit of its item.
const ODD: u32 = 1 << 31;
/// Marks a line whose customer has more bits than most.
const LONG: u32 = 1 << 30;
/// Bits of a customer that most have; these are mixed, and the partition is the top of them.
const BITS: u32 = 41;
/// An odd number near 2⁴¹ / φ (Fibonacci hashing, Knuth 6.4), and its inverse modulo 2⁴¹.
const MIX: u64 = 0x13C_6EF3_72FF;
const UNMIX: u64 = inverse(MIX);

/// One line: who bought what, how much of it, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Purchase {
    /// The customer.
    pub customer: i64,
    /// The item, by its number among those of its gatherer; less than 2³⁰.
    pub item: u32,
    /// Pieces; negative for what was returned.
    pub quantity: f32,
    /// Seconds since 1970.
    pub time: u32,
}

/// A [`Purchase`] in 12 bytes: of the customer what the partition does not say. What few lines have
/// stands beside, in the order of these lines.
#[derive(Debug, Clone, Copy)]
struct Line {
    customer: u32,
    item: u32,
    time: u32,
}

/// Lines of some customers, in blocks: what grows need not be moved.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    open: Vec<Line>,
    full: Vec<Vec<Line>>,
    /// Quantities other than 1.
    odd: Vec<f32>,
    /// The upper bits of customers who have them.
    long: Vec<u32>,
    /// Which partition it is.
    number: u32,
}

/// Takes lines; several may take different lines at once.
#[derive(Debug, Default)]
pub struct Gatherer {
    partitions: Vec<Lines>,
    items: Vec<u32>,
    latest: u32,
    lines: u64,
    beside: u64,
}

impl Gatherer {
    /// Without lines.
    pub fn new() -> Self {
        let lines = |number| Lines { number, ..Lines::default() };
        Self { partitions: (0..PARTITIONS as u32).map(lines).collect(), ..Self::default() }
    }

    /// Takes a line.
    #[inline]
    pub fn push(&mut self, line: Purchase) {
        let mixed = mixed(line.customer);
        let lines = &mut self.partitions[(mixed >> 32) as usize];
        if lines.open.len() == lines.open.capacity() {
            lines.next_block();
        }
        let Purchase { customer, mut item, quantity, time } = line;
        let index = item as usize;
        if quantity != 1.0 {
            item |= ODD;
            lines.odd.push(quantity);
            self.beside += 1;
        }
        let upper = (customer.cast_unsigned() >> BITS) as u32;
        if upper != 0 {
            item |= LONG;
            lines.long.push(upper);
            self.beside += 1;
        }
        lines.open.push(Line { customer: mixed as u32, item, time });
        if index >= self.items.len() {
            self.items.resize(index + 1, 0);
        }
        self.items[index] += 1;
        self.latest = self.latest.max(time);
        self.lines += 1;
    }

    /// How many lines it has.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Bytes that the lines take.
    pub fn bytes(&self) -> usize {
        self.lines as usize * size_of::<Line>() + self.beside as usize * 4
    }

    /// Lines by number of the item.
    pub(crate) fn item_lines(&self) -> &[u32] {
        &self.items
    }

    /// The time of the last line.
    pub(crate) fn latest(&self) -> u32 {
        self.latest
    }

    /// Takes the lines of a partition out.
    pub(crate) fn take(&mut self, partition: usize) -> Lines {
        self.partitions.get_mut(partition).map(std::mem::take).unwrap_or_default()
    }

    /// Lines of a partition.
    pub(crate) fn partition(&self, partition: usize) -> impl Iterator<Item = Purchase> + '_ {
        self.partitions.get(partition).into_iter().flat_map(Lines::iter)
    }
}

impl Lines {
    #[cold]
    fn next_block(&mut self) {
        let room = if self.open.capacity() == 0 { FIRST_BLOCK } else { BLOCK };
        let full = std::mem::replace(&mut self.open, Vec::with_capacity(room));
        if !full.is_empty() {
            self.full.push(full);
        }
    }

    /// The lines as they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Purchase> + '_ {
        let (mut odd, mut long) = (self.odd.iter(), self.long.iter());
        let number = u64::from(self.number) << 32;
        let blocks = self.full.iter().chain(std::iter::once(&self.open));
        blocks.flatten().map(move |line| {
            let is_odd = line.item & ODD != 0;
            let quantity = if is_odd { odd.next().copied().unwrap_or(1.0) } else { 1.0 };
            let is_long = line.item & LONG != 0;
            let upper = if is_long { long.next().copied().unwrap_or_default() } else { 0 };
            let mixed = number | u64::from(line.customer);
            let lower = mixed.wrapping_mul(UNMIX) & MASK;
            let customer = (u64::from(upper) << BITS | lower).cast_signed();
            Purchase { customer, item: line.item & !(ODD | LONG), quantity, time: line.time }
        })
    }
}

const MASK: u64 = (1 << BITS) - 1;

/// The lower bits of a customer, one to one, so that all of them matter for the upper ones.
#[inline]
fn mixed(customer: i64) -> u64 {
    customer.cast_unsigned().wrapping_mul(MIX) & MASK
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
    (mixed(customer) >> 32) as usize
}

/// Hashes customers and other integers by one multiplication.
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
        let key = customer.cast_unsigned();
        let mixed = (key ^ (key >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        // A table takes its places from the lower bits.
        self.0 = mixed.rotate_left(24);
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
        for (place, customer) in (0..200_u8).zip(customers.into_iter().cycle()) {
            let quantity = if place % 3 == 0 { 1.0 } else { f32::from(place) - 9.5 };
            let line = Purchase { customer, item: u32::from(place), quantity, time: 5 };
            gatherer.push(line);
            lines.push(line);
        }
        let order = |line: &Purchase| (line.customer, line.item);
        let mut found: Vec<Purchase> = (0..PARTITIONS)
            .flat_map(|number| gatherer.partition(number).collect::<Vec<_>>())
            .collect();
        found.sort_unstable_by_key(order);
        lines.sort_unstable_by_key(order);
        assert_eq!(found, lines);
    }
}
