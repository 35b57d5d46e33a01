//! What each customer has bought: one entry for each customer and item, by customer.

use std::sync::Arc;

use crate::codes::{Coded, Codes, Gathered};
use crate::error::{Error, Result};
use crate::model::Settings;
use crate::parallel::Workers;
use crate::partition::{Grouping, Partition, is_plain};
use crate::purchases::{PARTITIONS, Purchase, partition};
use crate::sums::{Adder, Bought, HalfLife, Sum, last_bought};

/// Everybody's purchases. A copy shares what is the same.
#[derive(Debug, Clone, Default)]
pub struct Histories {
    pub(crate) partitions: Vec<Arc<Partition>>,
    /// The place of the first customer of each partition, and of nobody.
    firsts: Vec<u32>,
    pub(crate) codes: Codes,
    /// Customers who have bought a code.
    buyers: Vec<u32>,
    pairs: usize,
    /// The time of the last line.
    latest: u32,
}

/// What one customer has bought, by code.
#[derive(Debug, Clone, Copy, Default)]
pub struct History<'a> {
    /// The codes, ascending.
    pub codes: &'a [u32],
    /// How many times each was bought; with a half-life, of these as many as still counted when the
    /// customer bought last.
    pub strengths: &'a [f32],
    /// When each was bought last, seconds since 1970.
    pub times: &'a [u32],
}

impl Histories {
    /// From gathered lines. Each gatherer comes with the items that its numbers stand for; `items`
    /// is how many items there are.
    ///
    /// # Errors
    /// More than 2³² entries, or cancelled.
    pub fn build(gathered: Vec<Gathered>, items: usize, settings: &Settings) -> Result<Self> {
        let codes = Codes::of(&gathered, items);
        let latest = latest(&gathered);
        let coded: Vec<Coded<'_>> =
            gathered.iter().map(|(one, to)| codes.coded((one, to))).collect();
        let half_life = HalfLife::of(settings);
        let parts = settings.workers().each_with(
            PARTITIONS,
            || (Grouping::default(), Adder::default(), Vec::new(), Partition::default()),
            |(group, adder, sorted, part), partition| {
                group.group(&coded, partition);
                for rank in 0..group.len() {
                    let (customer, lines) = group.customer(rank);
                    if is_plain(lines, half_life) {
                        part.push_plain(customer, lines, sorted);
                    } else {
                        let sums = adder.add(lines, half_life, last_bought(lines));
                        part.push(customer, lines.len() as u32, sums);
                    }
                }
                Arc::new(part.take())
            },
        )?;
        drop(gathered);
        Self::assemble((parts, codes), latest, settings.workers())
    }

    pub(crate) fn assemble(
        (partitions, codes): (Vec<Arc<Partition>>, Codes),
        latest: u32,
        workers: Workers<'_>,
    ) -> Result<Self> {
        let pairs: usize = partitions.iter().map(|part| part.codes.len()).sum();
        let (count, limit) = (pairs as u64, u64::from(u32::MAX));
        if count > limit {
            return Err(Error::TooMany { what: "customer-item pairs", count, limit });
        }
        let start = || vec![0_u32; codes.len()];
        let counted = workers.run((partitions.len(), 8), start, |buyers, range| {
            let codes = partitions[range].iter().flat_map(|part| &part.codes);
            codes.for_each(|code| buyers[*code as usize] += 1);
        })?;
        let sum = |code| counted.iter().map(|buyers| buyers[code]).sum();
        let buyers = (0..codes.len()).map(sum).collect();
        let mut firsts = vec![0];
        for part in &partitions {
            let before = firsts.last().copied().unwrap_or_default();
            firsts.push(before + part.customers.len() as u32);
        }
        Ok(Self { partitions, firsts, codes, buyers, pairs, latest })
    }

    /// How many customers there are.
    pub fn len(&self) -> usize {
        self.firsts.last().map_or(0, |count| *count as usize)
    }

    /// Whether nobody has bought anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many items have a code.
    pub fn items(&self) -> usize {
        self.codes.len()
    }

    /// How many pairs of customer and item there are.
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// The customer of that place.
    pub fn customer(&self, place: usize) -> i64 {
        let (part, place) = self.at(place);
        part.customers[place]
    }

    /// The place of a customer.
    pub fn place(&self, customer: i64) -> Option<usize> {
        let number = partition(customer);
        let found = self.partitions.get(number)?.customers.binary_search(&customer).ok()?;
        Some(self.firsts[number] as usize + found)
    }

    /// The history of the customer of that place.
    pub fn history(&self, place: usize) -> History<'_> {
        let (part, place) = self.at(place);
        part.history(place)
    }

    fn at(&self, place: usize) -> (&Partition, usize) {
        let number = self.firsts.partition_point(|first| *first as usize <= place) - 1;
        (&self.partitions[number], place - self.firsts[number] as usize)
    }

    /// The histories of all, in the order of their places.
    pub(crate) fn all(&self) -> impl Iterator<Item = History<'_>> {
        let partitions = self.partitions.iter();
        partitions.flat_map(|part| (0..part.customers.len()).map(|place| part.history(place)))
    }

    /// The item of a code.
    pub fn item(&self, code: u32) -> u32 {
        self.codes.item(code)
    }

    /// The code of an item; `None`: it was never bought.
    pub fn code(&self, item: u32) -> Option<u32> {
        self.codes.code(item)
    }

    /// Customers who have bought a code.
    pub fn buyers(&self, code: u32) -> u32 {
        self.buyers[code as usize]
    }

    /// The time of the last line.
    pub fn latest(&self) -> u32 {
        self.latest
    }

    /// The codes by number of buyers, most first; of equals the smaller item first.
    pub fn by_popularity(&self) -> Vec<u32> {
        let bought = (0..self.items() as u32).filter(|code| self.buyers(*code) > 0);
        let mut codes: Vec<u32> = bought.collect();
        codes
            .sort_unstable_by_key(|code| (std::cmp::Reverse(self.buyers(*code)), self.item(*code)));
        codes
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        let parts = self.partitions.iter().map(|part| part.bytes());
        parts.sum::<usize>() + self.items() * 12
    }

    /// The history of one customer from lines whose items are items.
    pub fn own(&self, lines: &[Purchase], settings: &Settings) -> OwnHistory {
        let lines = self.coded(lines);
        let mut adder = Adder::default();
        OwnHistory::of(adder.add(&lines, HalfLife::of(settings), last_bought(&lines)))
    }

    /// Lines of known items, by code.
    pub(crate) fn coded(&self, lines: &[Purchase]) -> Vec<Bought> {
        let coded = |line: &Purchase| self.code(line.item).map(|item| Purchase { item, ..*line });
        lines.iter().filter_map(coded).map(Bought::from).collect()
    }

    /// The sums of a customer by code, ascending; `None`: nobody knows the customer.
    pub(crate) fn sums(&self, customer: i64) -> Option<Vec<(u32, Sum)>> {
        let part = self.partitions.get(partition(customer))?;
        let place = part.customers.binary_search(&customer).ok()?;
        Some(part.sums(place))
    }
}

impl Partition {
    /// The history of a customer.
    pub(crate) fn history(&self, place: usize) -> History<'_> {
        let range = self.range(place);
        History {
            codes: &self.codes[range.clone()],
            strengths: &self.strengths[range.clone()],
            times: &self.times[range],
        }
    }
}

/// A history that is not among the kept ones.
#[derive(Debug, Clone, Default)]
pub struct OwnHistory {
    codes: Vec<u32>,
    strengths: Vec<f32>,
    times: Vec<u32>,
}

impl OwnHistory {
    /// Of items bought once and now, for a basket of somebody unknown.
    pub fn basket(mut codes: Vec<u32>, now: u32) -> Self {
        codes.sort_unstable();
        codes.dedup();
        Self { strengths: vec![1.0; codes.len()], times: vec![now; codes.len()], codes }
    }

    /// From sums by code, ascending.
    pub(crate) fn of(sums: &[(u32, Sum)]) -> Self {
        let mut own = Self::default();
        for (code, sum) in sums.iter().filter(|(_, sum)| sum.is_kept()) {
            own.codes.push(*code);
            own.strengths.push(sum.strength());
            own.times.push(sum.time);
        }
        own
    }

    /// To be scored.
    pub fn as_history(&self) -> History<'_> {
        History { codes: &self.codes, strengths: &self.strengths, times: &self.times }
    }
}

/// The time of the last line.
pub(crate) fn latest(gathered: &[Gathered]) -> u32 {
    gathered.iter().map(|(one, _)| one.latest()).max().unwrap_or_default()
}
