//! What some of the customers have bought: one entry for each customer and item.

use std::ops::Range;

use hashbrown::HashMap;

use crate::block::Unpacked;
use crate::codes::Coded;
use crate::purchases::CustomerHasher;
use crate::sums::{Bought, HalfLife, Sum};

/// A code and its sum.
type CodeSum = (u32, Sum);

/// Marks an entry whose sum is held beside it.
const HELD: u16 = u16::MAX;

/// Whether [`Partition::push_plain`] takes the lines of a customer.
pub(crate) fn is_plain(lines: &[Bought], half_life: HalfLife) -> bool {
    half_life.0.is_none()
        && lines.len() < usize::from(HELD)
        && lines.iter().all(|line| line.quantity == 1.0)
}

/// Histories of customers, ascending. Their entries stand side by side.
#[derive(Debug, Clone, Default)]
pub(crate) struct Partition {
    pub(crate) customers: Vec<i64>,
    /// Lines of each customer: whoever has none left is nobody's customer.
    lines: Vec<u32>,
    /// Where the entries of each customer end.
    ends: Vec<u32>,
    pub(crate) codes: Vec<u32>,
    pub(crate) strengths: Vec<f32>,
    pub(crate) times: Vec<u32>,
    /// Pieces of each entry; none at all where they are as many as its strength.
    pieces: Vec<u16>,
    /// Sums that entries cannot tell: of what was returned, in part or whole.
    held: Vec<(i64, u32, Sum)>,
}

impl Partition {
    /// Where the entries of a customer stand.
    pub(crate) fn range(&self, place: usize) -> Range<usize> {
        let first = place.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        first..self.ends[place] as usize
    }

    /// How many lines a customer has.
    pub(crate) fn lines(&self, place: usize) -> u32 {
        self.lines[place]
    }

    /// Adds a customer, who is greater than all, with sums by code, ascending. Whoever returned
    /// everything stays known, and is told what is popular.
    pub(crate) fn push(&mut self, customer: i64, lines: u32, sums: &[(u32, Sum)]) {
        sums.iter().for_each(|(code, sum)| self.entry(customer, *code, sum));
        self.end(customer, lines);
    }

    fn entry(&mut self, customer: i64, code: u32, sum: &Sum) {
        let pieces = sum.pieces();
        if pieces.is_none() {
            self.held.push((customer, code, *sum));
        }
        if sum.is_kept() {
            self.codes.push(code);
            self.strengths.push(sum.strength());
            self.times.push(sum.time);
            self.pieces.push(pieces.unwrap_or(HELD));
        }
    }

    fn end(&mut self, customer: i64, lines: u32) {
        self.customers.push(customer);
        self.lines.push(lines);
        self.ends.push(self.codes.len() as u32);
    }

    /// The same from the lines themselves, of which each is of one piece and counts whole: sorted by
    /// `sorted`, equal codes stand side by side.
    pub(crate) fn push_plain(&mut self, customer: i64, lines: &[Bought], sorted: &mut Vec<u64>) {
        sorted.clear();
        sorted.extend(lines.iter().map(|line| u64::from(line.code) << 32 | u64::from(line.time)));
        sorted.sort_unstable();
        for same in sorted.chunk_by(|one, other| one >> 32 == other >> 32) {
            let Some(last) = same.last() else { continue };
            self.codes.push((last >> 32) as u32);
            self.strengths.push(same.len() as f32);
            self.times.push(*last as u32);
            self.pieces.push(same.len() as u16);
        }
        self.end(customer, lines.len() as u32);
    }

    /// Adds customers as another partition has them.
    pub(crate) fn copy(&mut self, other: &Self, places: Range<usize>) {
        let customers = &other.customers[places.clone()];
        let (Some(first), Some(last)) = (customers.first(), customers.last()) else { return };
        let entries = other.range(places.start).start..other.range(places.end - 1).end;
        let (from, to) = (entries.start as u32, self.codes.len() as u32);
        self.entries(other, entries);
        let held = other.held.partition_point(|one| one.0 < *first)
            ..other.held.partition_point(|one| one.0 <= *last);
        self.held.extend_from_slice(&other.held[held]);
        self.customers.extend_from_slice(customers);
        self.lines.extend_from_slice(&other.lines[places.clone()]);
        self.ends.extend(other.ends[places].iter().map(|end| end - from + to));
    }

    fn entries(&mut self, other: &Self, range: Range<usize>) {
        self.codes.extend_from_slice(&other.codes[range.clone()]);
        self.strengths.extend_from_slice(&other.strengths[range.clone()]);
        self.times.extend_from_slice(&other.times[range.clone()]);
        self.pieces.extend(range.map(|at| other.pieces(at)));
    }

    /// Adds a customer as another partition has them, but without what went and with what came:
    /// sums by code, ascending.
    pub(crate) fn patch(
        &mut self,
        (other, place): (&Self, usize),
        lines: u32,
        (went, came): (&[CodeSum], &[CodeSum]),
    ) {
        let (customer, range) = (other.customers[place], other.range(place));
        let (held, first_held) = (other.held(customer), self.held.len());
        let mut next = range.start;
        for (code, went, came) in pairs(went, came) {
            let at = next + other.codes[next..range.end].partition_point(|one| *one < code);
            self.entries(other, next..at);
            next = at;
            let mut sum = Sum::default();
            if at < range.end && other.codes[at] == code {
                sum = other.plain(at);
                next += 1;
            }
            if let Ok(at) = held.binary_search_by_key(&code, |one| one.1) {
                sum = held[at].2;
            }
            let sum = sum.minus(went).plus(came);
            if !sum.is_nothing() {
                self.entry(customer, code, &sum);
            }
        }
        self.entries(other, next..range.end);
        if !held.is_empty() {
            let has =
                |sums: &[(u32, Sum)], code| sums.binary_search_by_key(code, |one| one.0).is_ok();
            let same = held.iter().filter(|one| !has(went, &one.1) && !has(came, &one.1));
            self.held.extend(same);
            self.held[first_held..].sort_unstable_by_key(|one| one.1);
        }
        self.end(customer, lines);
    }

    /// The sums of a customer by code, ascending.
    pub(crate) fn sums(&self, place: usize) -> Vec<(u32, Sum)> {
        let range = self.range(place);
        let held = self.held(self.customers[place]);
        let plain = range.filter(|at| self.pieces(*at) != HELD);
        let plain = plain.map(|at| (self.codes[at], self.plain(at)));
        let mut sums: Vec<_> = plain.chain(held.iter().map(|one| (one.1, one.2))).collect();
        sums.sort_unstable_by_key(|(code, _)| *code);
        sums
    }

    fn plain(&self, at: usize) -> Sum {
        Sum::plain(self.pieces(at), self.strengths[at], self.times[at])
    }

    fn pieces(&self, at: usize) -> u16 {
        self.pieces.get(at).copied().unwrap_or(self.strengths[at] as u16)
    }

    fn held(&self, customer: i64) -> &[(i64, u32, Sum)] {
        let first = self.held.partition_point(|one| one.0 < customer);
        let count = self.held[first..].partition_point(|one| one.0 == customer);
        &self.held[first..first + count]
    }

    /// The same in little more room than it needs, while this one is emptied to be filled again: it
    /// waits for all other partitions.
    pub(crate) fn take(&mut self) -> Self {
        let mut made = Self::default();
        self.give(&mut made);
        made
    }

    /// The same in the place of another, whose memory serves: what is touched for the first time is
    /// dear.
    pub(crate) fn give(&mut self, to: &mut Self) {
        let mut pieces = self.pieces.iter().zip(&self.strengths);
        if pieces.all(|(pieces, strength)| *pieces == *strength as u16) {
            self.pieces.clear();
        }
        moved(&mut self.customers, &mut to.customers);
        moved(&mut self.lines, &mut to.lines);
        moved(&mut self.ends, &mut to.ends);
        moved(&mut self.codes, &mut to.codes);
        moved(&mut self.strengths, &mut to.strengths);
        moved(&mut self.times, &mut to.times);
        moved(&mut self.pieces, &mut to.pieces);
        moved(&mut self.held, &mut to.held);
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        let entries = self.codes.len() * 12 + self.pieces.len() * 2;
        self.customers.len() * 16 + entries + self.held.len() * 48
    }
}

/// One more in so many may come before a list must be moved.
const SPARE: usize = 16;

fn moved<T: Copy>(from: &mut Vec<T>, to: &mut Vec<T>) {
    if to.capacity() < from.len() {
        // Room that is not touched takes no memory.
        *to = Vec::with_capacity(from.len() + from.len() / SPARE);
    }
    to.clear();
    to.extend_from_slice(from);
    from.clear();
}

/// What went and what came of each code, ascending.
fn pairs<'a>(
    mut went: &'a [CodeSum],
    mut came: &'a [CodeSum],
) -> impl Iterator<Item = (u32, Sum, Sum)> + 'a {
    std::iter::from_fn(move || {
        let code = went.first().into_iter().chain(came.first()).map(|one| one.0).min()?;
        let take = |list: &mut &'a [CodeSum]| match list.split_first() {
            Some(((first, sum), rest)) if *first == code => {
                *list = rest;
                *sum
            }
            _ => Sum::default(),
        };
        Some((code, take(&mut went), take(&mut came)))
    })
}

/// Lines by customer.
#[derive(Debug, Default)]
pub(crate) struct Grouping {
    places: HashMap<i64, u32, std::hash::BuildHasherDefault<CustomerHasher>>,
    customers: Vec<i64>,
    /// The place of each line's customer.
    of: Vec<u32>,
    starts: Vec<u32>,
    lines: Vec<Bought>,
    order: Vec<u32>,
    unpacked: Unpacked,
}

impl Grouping {
    /// Groups the lines of a partition.
    pub(crate) fn group(&mut self, coded: &[Coded<'_>], partition: usize) {
        self.places.clear();
        self.customers.clear();
        self.of.clear();
        self.starts.clear();
        self.starts.push(0);
        let mut unpacked = std::mem::take(&mut self.unpacked);
        for Coded(gatherer, _) in coded {
            gatherer.packed_customers(partition, &mut unpacked, |some| {
                some.iter().for_each(|customer| self.count(*customer));
            });
            gatherer.open(partition).iter().for_each(|line| self.count(line.customer));
        }
        for place in 1..self.starts.len() {
            self.starts[place] += self.starts[place - 1];
        }
        self.lines.clear();
        self.lines.resize(self.of.len(), Bought::default());
        let Self { of, starts, lines, .. } = self;
        let mut of = of.iter();
        // Each start is moved to its end, which is the start of the next.
        let mut put = |line: Bought| {
            let Some(place) = of.next() else { return };
            let at = &mut starts[*place as usize];
            lines[*at as usize] = line;
            *at += 1;
        };
        for Coded(gatherer, codes) in coded {
            gatherer.packed(partition, &mut unpacked, |some| {
                let lines = some.items.iter().zip(&some.quantities).zip(&some.times);
                for ((item, quantity), time) in lines {
                    let code = codes[*item as usize];
                    put(Bought { code, quantity: *quantity, time: *time });
                }
            });
            for line in gatherer.open(partition) {
                put(Bought { code: codes[line.item as usize], ..(*line).into() });
            }
        }
        self.unpacked = unpacked;
        self.order.clear();
        self.order.extend(0..self.customers.len() as u32);
        self.order.sort_unstable_by_key(|place| self.customers[*place as usize]);
    }

    #[inline]
    fn count(&mut self, customer: i64) {
        let next = self.customers.len() as u32;
        let place = *self.places.entry(customer).or_insert(next);
        if place == next {
            self.customers.push(customer);
            self.starts.push(0);
        }
        self.starts[place as usize + 1] += 1;
        self.of.push(place);
    }

    /// How many customers there are.
    pub(crate) fn len(&self) -> usize {
        self.customers.len()
    }

    /// The customer of a rank, customers ascending, and the lines.
    pub(crate) fn customer(&self, rank: usize) -> (i64, &[Bought]) {
        let place = self.order[rank] as usize;
        let first = place.checked_sub(1).map_or(0, |before| self.starts[before]);
        let range = first as usize..self.starts[place] as usize;
        (self.customers[place], &self.lines[range])
    }

    /// The lines of a customer.
    pub(crate) fn of(&self, customer: i64) -> &[Bought] {
        let found =
            self.order.binary_search_by_key(&customer, |place| self.customers[*place as usize]);
        found.map_or(&[], |rank| self.customer(rank).1)
    }
}
