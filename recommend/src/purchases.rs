//! Lines of purchases, gathered by customer as they come.

/// Customers are gathered in this many partitions, so that one partition fits into a cache.
pub(crate) const PARTITIONS: usize = 512;
/// Lines of a block of a partition.
const BLOCK: usize = 1024;

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

/// A [`Purchase`] in 20 bytes.
#[derive(Debug, Clone, Copy)]
struct Line {
    customer: [u32; 2],
    item: u32,
    quantity: f32,
    time: u32,
}

/// Takes lines; several may take different lines at once.
#[derive(Debug, Default)]
pub struct Gatherer {
    partitions: Vec<Vec<Vec<Line>>>,
    items: Vec<u32>,
    latest: u32,
    lines: u64,
}

impl Gatherer {
    /// Without lines.
    pub fn new() -> Self {
        Self { partitions: (0..PARTITIONS).map(|_| Vec::new()).collect(), ..Self::default() }
    }

    /// Takes a line.
    pub fn push(&mut self, line: Purchase) {
        let blocks = &mut self.partitions[partition(line.customer)];
        let full = blocks.last().is_none_or(|block| block.len() == BLOCK);
        if full {
            blocks.push(Vec::with_capacity(if blocks.is_empty() { 64 } else { BLOCK }));
        }
        let Purchase { customer, item, quantity, time } = line;
        let key = customer.cast_unsigned();
        let line = Line { customer: [key as u32, (key >> 32) as u32], item, quantity, time };
        if let Some(block) = blocks.last_mut() {
            block.push(line);
        }
        let index = item as usize;
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
        let blocks = self.partitions.iter().flatten();
        blocks.map(|block| block.capacity() * size_of::<Line>()).sum::<usize>()
            + self.items.capacity() * 4
    }

    /// Lines by number of the item.
    pub(crate) fn item_lines(&self) -> &[u32] {
        &self.items
    }

    /// The time of the last line.
    pub(crate) fn latest(&self) -> u32 {
        self.latest
    }

    /// Takes the blocks of a partition out.
    pub(crate) fn take(&mut self, partition: usize) -> Blocks {
        Blocks(self.partitions.get_mut(partition).map(std::mem::take).unwrap_or_default())
    }

    /// Lines of a partition.
    pub(crate) fn partition(&self, partition: usize) -> impl Iterator<Item = Purchase> + '_ {
        self.partitions.get(partition).into_iter().flatten().flatten().map(Line::purchase)
    }
}

/// The blocks of a partition.
#[derive(Debug)]
pub(crate) struct Blocks(Vec<Vec<Line>>);

impl Blocks {
    /// Its lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Purchase> + '_ {
        self.0.iter().flatten().map(Line::purchase)
    }
}

impl Line {
    fn purchase(&self) -> Purchase {
        let [low, high] = self.customer;
        let customer = (u64::from(high) << 32 | u64::from(low)).cast_signed();
        Purchase { customer, item: self.item, quantity: self.quantity, time: self.time }
    }
}

/// A hash of a customer whose high bits are good (Fibonacci hashing, Knuth 6.4).
pub(crate) fn hash(customer: i64) -> u64 {
    let key = customer.cast_unsigned();
    (key ^ (key >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The partition of a customer.
pub(crate) fn partition(customer: i64) -> usize {
    (hash(customer) >> 55) as usize
}

/// Hashes customers by one multiplication.
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
        // The top bits choose the partition and are equal for all in it.
        self.0 = hash(customer).rotate_left(24);
    }
}
