//! What each customer has bought: one entry for each customer and item, by customer.

use std::sync::{Arc, Mutex, PoisonError};

use crate::codes::{Codes, Gathered};
use crate::error::{Error, Result};
use crate::evaluate::Basket;
use crate::model::Settings;
use crate::partition::{Grouping, Partition};
use crate::purchases::{Gatherer, Lines, PARTITIONS, Purchase, partition};
use crate::sums::{Adder, Bought, HalfLife, last_bought};

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
        let gathered = Parked::of(gathered, &codes);
        let half_life = HalfLife::of(settings);
        let parts = settings.workers().each_with(
            PARTITIONS,
            || (Grouping::default(), Adder::default(), Partition::default()),
            |(group, adder, part), partition| {
                let taken: Vec<(Lines, &[u32])> =
                    gathered.iter().map(|one| one.take(partition)).collect();
                group.group(|| taken.iter().flat_map(|(lines, codes)| coded(lines.iter(), codes)));
                drop(taken);
                for rank in 0..group.len() {
                    let (customer, lines) = group.customer(rank);
                    let sums = adder.add(lines, half_life, last_bought(lines));
                    part.push(customer, lines.len() as u32, sums);
                }
                Arc::new(part.take())
            },
        )?;
        Self::assemble(parts, codes, latest)
    }

    /// Of a part of the customers, `share` of 512: what they bought before their last basket, and
    /// that basket, as codes. Customers with one basket only are in neither.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub fn split(
        gathered: &[Gathered],
        items: usize,
        settings: &Settings,
        share: usize,
    ) -> Result<(Self, Vec<Basket>)> {
        let codes = Codes::of(gathered, items);
        let latest = latest(gathered);
        let numbers: Vec<Vec<u32>> = gathered.iter().map(|(_, to)| codes.numbers(to)).collect();
        let half_life = HalfLife::of(settings);
        let made = settings.workers().each_with(
            share.min(PARTITIONS),
            || (Grouping::default(), Adder::default()),
            |(group, adder), partition| {
                group.group(|| {
                    let gathered = gathered.iter().zip(&numbers);
                    gathered.flat_map(|((one, _), codes)| coded(one.partition(partition), codes))
                });
                let (mut part, mut baskets) = (Partition::default(), Vec::new());
                for rank in 0..group.len() {
                    let (customer, lines) = group.customer(rank);
                    let Some((before, basket)) = split_last(lines) else { continue };
                    let sums = adder.add(&before, half_life, last_bought(&before));
                    part.push(customer, before.len() as u32, sums);
                    baskets.push((customer, basket));
                }
                (Arc::new(part), baskets)
            },
        )?;
        let (mut parts, baskets): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        parts.resize_with(PARTITIONS, Arc::default);
        let histories = Self::assemble(parts, codes, latest)?;
        Ok((histories, baskets.into_iter().flatten().collect()))
    }

    pub(crate) fn assemble(
        partitions: Vec<Arc<Partition>>,
        codes: Codes,
        latest: u32,
    ) -> Result<Self> {
        let pairs: usize = partitions.iter().map(|part| part.codes.len()).sum();
        let (count, limit) = (pairs as u64, u64::from(u32::MAX));
        if count > limit {
            return Err(Error::TooMany { what: "customer-item pairs", count, limit });
        }
        let mut buyers = vec![0; codes.len()];
        let mut firsts = vec![0];
        for part in &partitions {
            for code in &part.codes {
                buyers[*code as usize] += 1;
            }
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
        let coded = |line: &Purchase| self.code(line.item).map(|item| Purchase { item, ..*line });
        let lines: Vec<Bought> = lines.iter().filter_map(coded).map(Bought::from).collect();
        let mut adder = Adder::default();
        let sums = adder.add(&lines, HalfLife::of(settings), last_bought(&lines));
        let mut own = OwnHistory::default();
        for (code, sum) in sums.iter().filter(|(_, sum)| sum.is_kept()) {
            own.codes.push(*code);
            own.strengths.push(sum.strength());
            own.times.push(sum.time);
        }
        own
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

    /// To be scored.
    pub fn as_history(&self) -> History<'_> {
        History { codes: &self.codes, strengths: &self.strengths, times: &self.times }
    }
}

/// A gatherer whose partitions several threads take, and its codes.
pub(crate) struct Parked(Mutex<Gatherer>, Vec<u32>);

impl Parked {
    pub(crate) fn of(gathered: Vec<Gathered>, codes: &Codes) -> Vec<Self> {
        let park = |(one, to): Gathered| Self(Mutex::new(one), codes.numbers(&to));
        gathered.into_iter().map(park).collect()
    }

    pub(crate) fn take(&self, partition: usize) -> (Lines, &[u32]) {
        let mut one = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (one.take(partition), &self.1)
    }
}

/// Lines with codes for items.
pub(crate) fn coded(
    lines: impl Iterator<Item = Purchase>,
    codes: &[u32],
) -> impl Iterator<Item = Purchase> {
    lines.map(|line| Purchase { item: codes[line.item as usize], ..line })
}

/// The time of the last line.
pub(crate) fn latest(gathered: &[Gathered]) -> u32 {
    gathered.iter().map(|(one, _)| one.latest()).max().unwrap_or_default()
}

/// What a customer bought before the last basket, and that; `None`: there is but one.
fn split_last(lines: &[Bought]) -> Option<(Vec<Bought>, Vec<u32>)> {
    let bought = || lines.iter().filter(|line| line.quantity > 0.0);
    let last = last_bought(lines);
    if bought().all(|line| line.time == last) {
        return None;
    }
    let before = lines.iter().filter(|line| line.time < last).copied().collect();
    let mut basket: Vec<u32> =
        bought().filter(|line| line.time == last).map(|line| line.code).collect();
    basket.sort_unstable();
    basket.dedup();
    Some((before, basket))
}
