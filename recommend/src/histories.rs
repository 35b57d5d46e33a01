//! What each customer has bought: one entry for each customer and item, by customer.
//!
//! Items are numbered by how often they are bought, most first: such numbers are *codes*. What is
//! bought together is counted for pairs of codes `j < i`, whose rows then stay in a cache.

use hashbrown::HashMap;

use crate::error::{Error, Result};
use crate::evaluate::Basket;
use crate::model::Settings;
use crate::purchases::{CustomerHasher, Gatherer, PARTITIONS, Purchase, partition};

/// Everybody's purchases.
#[derive(Debug, Clone, Default)]
pub struct Histories {
    /// Customers, ascending within their partitions.
    customers: Vec<i64>,
    partitions: Vec<u32>,
    starts: Vec<u32>,
    codes: Vec<u32>,
    strengths: Vec<f32>,
    times: Vec<u32>,
    /// Item of a code.
    item_of: Vec<u32>,
    /// Code of an item.
    code_of: Vec<u32>,
    /// Customers who have bought a code.
    buyers: Vec<u32>,
    /// The time of the last line.
    latest: u32,
}

/// What one customer has bought, by code.
#[derive(Debug, Clone, Copy, Default)]
pub struct History<'a> {
    /// The codes, ascending.
    pub codes: &'a [u32],
    /// How many times each was bought; with a half-life, of these as many as still count.
    pub strengths: &'a [f32],
    /// When each was bought last, seconds since 1970.
    pub times: &'a [u32],
}

/// Entries of some customers.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    customers: Vec<i64>,
    lengths: Vec<u32>,
    codes: Vec<u32>,
    strengths: Vec<f32>,
    times: Vec<u32>,
}

impl Histories {
    /// From gathered lines. Each gatherer comes with the items that its numbers stand for; `items`
    /// is how many items there are.
    ///
    /// # Errors
    /// More than 2³² entries, or cancelled.
    pub fn build(
        gathered: Vec<(Gatherer, Vec<u32>)>,
        items: usize,
        settings: &Settings,
    ) -> Result<Self> {
        let order = Order::of(gathered.iter().map(|(one, to)| (one, to.as_slice())), items);
        let half_life = HalfLife { half_life_s: settings.half_life_s, latest: order.latest };
        let gathered: Vec<_> =
            gathered.into_iter().map(|(one, to)| (parking(one), order.codes(&to))).collect();
        let parts = settings.workers().each(PARTITIONS, |partition| {
            let mut group = Grouping::default();
            for (one, codes) in &gathered {
                let blocks = one.take(partition);
                for line in blocks.lines() {
                    group.push(Purchase { item: codes[line.item as usize], ..line });
                }
            }
            group.entries(half_life)
        })?;
        drop(gathered);
        Self::assemble(parts, order)
    }

    /// Of a part of the customers, `share` of 512: what they bought before their last basket, and
    /// that basket, as codes. Customers with one basket only are in neither.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub fn split(
        gathered: &[(Gatherer, Vec<u32>)],
        items: usize,
        settings: &Settings,
        share: usize,
    ) -> Result<(Self, Vec<Basket>)> {
        let order = Order::of(gathered.iter().map(|(one, to)| (one, to.as_slice())), items);
        let half_life = HalfLife { half_life_s: settings.half_life_s, latest: order.latest };
        let codes: Vec<Vec<u32>> = gathered.iter().map(|(_, to)| order.codes(to)).collect();
        let made = settings.workers().each(share.min(PARTITIONS), |partition| {
            let mut group = Grouping::default();
            for ((one, _), codes) in gathered.iter().zip(&codes) {
                for line in one.partition(partition) {
                    group.push(Purchase { item: codes[line.item as usize], ..line });
                }
            }
            let baskets = group.take_last_baskets();
            (group.entries(half_life), baskets)
        })?;
        let (mut parts, baskets): (Vec<Entries>, Vec<_>) = made.into_iter().unzip();
        parts.resize_with(PARTITIONS, Entries::default);
        let histories = Self::assemble(parts, order)?;
        Ok((histories, baskets.into_iter().flatten().collect()))
    }

    fn assemble(parts: Vec<Entries>, order: Order) -> Result<Self> {
        let entries: usize = parts.iter().map(|part| part.codes.len()).sum();
        let count = entries as u64;
        let limit = u64::from(u32::MAX);
        if count > limit {
            return Err(Error::TooMany { what: "customer-item pairs", count, limit });
        }
        let customers = parts.iter().map(|part| part.customers.len()).sum();
        let mut all = Self {
            customers: Vec::with_capacity(customers),
            partitions: vec![0],
            starts: Vec::with_capacity(customers + 1),
            codes: Vec::with_capacity(entries),
            strengths: Vec::with_capacity(entries),
            times: Vec::with_capacity(entries),
            buyers: vec![0; order.item_of.len()],
            item_of: order.item_of,
            code_of: order.code_of,
            latest: order.latest,
        };
        all.starts.push(0);
        for part in parts {
            for length in &part.lengths {
                let start = all.starts.last().copied().unwrap_or_default();
                all.starts.push(start + length);
            }
            for code in &part.codes {
                all.buyers[*code as usize] += 1;
            }
            all.customers.extend(part.customers);
            all.partitions.push(all.customers.len() as u32);
            all.codes.extend(part.codes);
            all.strengths.extend(part.strengths);
            all.times.extend(part.times);
        }
        Ok(all)
    }

    /// How many customers there are.
    pub fn len(&self) -> usize {
        self.customers.len()
    }

    /// Whether nobody has bought anything.
    pub fn is_empty(&self) -> bool {
        self.customers.is_empty()
    }

    /// How many items have a code.
    pub fn items(&self) -> usize {
        self.item_of.len()
    }

    /// How many pairs of customer and item there are.
    pub fn pairs(&self) -> usize {
        self.codes.len()
    }

    /// The customer of that place.
    pub fn customer(&self, place: usize) -> i64 {
        self.customers[place]
    }

    /// The place of a customer.
    pub fn place(&self, customer: i64) -> Option<usize> {
        let partition = partition(customer);
        let first = *self.partitions.get(partition)? as usize;
        let last = *self.partitions.get(partition + 1)? as usize;
        let found = self.customers[first..last].binary_search(&customer).ok()?;
        Some(first + found)
    }

    /// The history of the customer of that place.
    pub fn history(&self, place: usize) -> History<'_> {
        let range = self.starts[place] as usize..self.starts[place + 1] as usize;
        History {
            codes: &self.codes[range.clone()],
            strengths: &self.strengths[range.clone()],
            times: &self.times[range],
        }
    }

    /// Where the entries of a customer begin.
    pub(crate) fn start(&self, place: usize) -> u32 {
        self.starts[place]
    }

    /// The codes of all entries.
    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The item of a code.
    pub fn item(&self, code: u32) -> u32 {
        self.item_of[code as usize]
    }

    /// The code of an item; `None`: it was never bought.
    pub fn code(&self, item: u32) -> Option<u32> {
        self.code_of.get(item as usize).copied().filter(|code| *code != u32::MAX)
    }

    /// Customers who have bought a code.
    pub fn buyers(&self, code: u32) -> u32 {
        self.buyers[code as usize]
    }

    /// Customers by code.
    pub fn all_buyers(&self) -> &[u32] {
        &self.buyers
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
        self.customers.len() * 12 + self.codes.len() * 12 + self.item_of.len() * 12
    }

    /// Entries of one customer from lines whose items are items.
    pub fn entries_of(&self, lines: &[Purchase], settings: &Settings) -> OwnHistory {
        let half_life = HalfLife { half_life_s: settings.half_life_s, latest: self.latest };
        let mut group = Grouping::default();
        for line in lines {
            if let Some(code) = self.code(line.item) {
                group.push(Purchase { item: code, ..*line });
            }
        }
        let entries = group.entries(half_life);
        OwnHistory { codes: entries.codes, strengths: entries.strengths, times: entries.times }
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

/// How items are numbered.
struct Order {
    item_of: Vec<u32>,
    code_of: Vec<u32>,
    latest: u32,
}

impl Order {
    fn of<'a>(gathered: impl Iterator<Item = (&'a Gatherer, &'a [u32])>, items: usize) -> Self {
        let mut lines = vec![0_u64; items];
        let mut latest = 0;
        for (one, to) in gathered {
            latest = latest.max(one.latest());
            for (count, item) in one.item_lines().iter().zip(to) {
                lines[*item as usize] += u64::from(*count);
            }
        }
        let mut item_of: Vec<u32> = (0..items as u32).filter(|i| lines[*i as usize] > 0).collect();
        item_of.sort_unstable_by_key(|item| (std::cmp::Reverse(lines[*item as usize]), *item));
        let mut code_of = vec![u32::MAX; items];
        for (code, item) in (0..).zip(&item_of) {
            code_of[*item as usize] = code;
        }
        Self { item_of, code_of, latest }
    }

    /// The codes of a gatherer's numbers.
    fn codes(&self, items: &[u32]) -> Vec<u32> {
        items.iter().map(|item| self.code_of[*item as usize]).collect()
    }
}

/// A gatherer whose partitions several threads take.
struct Parked(std::sync::Mutex<Gatherer>);

fn parking(gatherer: Gatherer) -> Parked {
    Parked(std::sync::Mutex::new(gatherer))
}

impl Parked {
    fn take(&self, partition: usize) -> crate::purchases::Blocks {
        let lock = self.0.lock();
        lock.unwrap_or_else(std::sync::PoisonError::into_inner).take(partition)
    }
}

/// How much a purchase of some time ago still counts.
#[derive(Debug, Clone, Copy)]
struct HalfLife {
    half_life_s: Option<f64>,
    latest: u32,
}

impl HalfLife {
    fn weight(self, time: u32) -> f32 {
        let age = f64::from(self.latest.saturating_sub(time));
        self.half_life_s.map_or(1.0, |half_life| (-age / half_life).exp2() as f32)
    }
}

/// A line of a known customer.
#[derive(Debug, Clone, Copy)]
struct Bought {
    code: u32,
    quantity: f32,
    time: u32,
}

/// Lines by customer.
#[derive(Debug, Default)]
struct Grouping {
    places: HashMap<i64, u32, Hashed>,
    customers: Vec<i64>,
    lines: Vec<(u32, Bought)>,
    gone: Vec<bool>,
}

/// The hasher of customers: a multiplication.
type Hashed = std::hash::BuildHasherDefault<CustomerHasher>;

impl Grouping {
    fn push(&mut self, line: Purchase) {
        let next = self.customers.len() as u32;
        let place = *self.places.entry(line.customer).or_insert(next);
        if place == next {
            self.customers.push(line.customer);
        }
        let bought = Bought { code: line.item, quantity: line.quantity, time: line.time };
        self.lines.push((place, bought));
    }

    /// Takes out the last basket of each customer who has more than one, and all of the others.
    fn take_last_baskets(&mut self) -> Vec<(i64, Vec<u32>)> {
        let mut last = vec![0_u32; self.customers.len()];
        let mut first = vec![u32::MAX; self.customers.len()];
        for (place, line) in self.lines.iter().filter(|(_, line)| line.quantity > 0.0) {
            last[*place as usize] = last[*place as usize].max(line.time);
            first[*place as usize] = first[*place as usize].min(line.time);
        }
        let mut baskets: Vec<Vec<u32>> = vec![Vec::new(); self.customers.len()];
        self.lines.retain(|(place, line)| {
            let (place, bought) = (*place as usize, line.quantity > 0.0);
            if first[place] >= last[place] {
                return false;
            }
            if line.time == last[place] && bought {
                baskets[place].push(line.code);
            }
            line.time < last[place]
        });
        self.gone = first.iter().zip(&last).map(|(first, last)| first >= last).collect();
        let mut made = Vec::new();
        for (place, mut basket) in baskets.into_iter().enumerate() {
            basket.sort_unstable();
            basket.dedup();
            if !basket.is_empty() {
                made.push((self.customers[place], basket));
            }
        }
        made.sort_unstable_by_key(|(customer, _)| *customer);
        made
    }

    /// One entry for each customer and code that was not returned; customers ascending.
    fn entries(self, half_life: HalfLife) -> Entries {
        let count = self.customers.len();
        let mut starts = vec![0_usize; count + 1];
        for (place, _) in &self.lines {
            starts[*place as usize + 1] += 1;
        }
        for place in 0..count {
            starts[place + 1] += starts[place];
        }
        let mut next = starts.clone();
        let mut sorted = vec![Bought { code: 0, quantity: 0.0, time: 0 }; self.lines.len()];
        for (place, line) in self.lines {
            let at = &mut next[place as usize];
            sorted[*at] = line;
            *at += 1;
        }
        let mut order: Vec<u32> = (0..count as u32).collect();
        order.sort_unstable_by_key(|place| self.customers[*place as usize]);
        let mut entries = Entries::default();
        for place in order.into_iter().map(|place| place as usize) {
            if self.gone.get(place) == Some(&true) {
                continue;
            }
            let lines = &mut sorted[starts[place]..starts[place + 1]];
            let length = entries.take(lines, half_life);
            // Whoever returned everything stays known, and is told what is popular.
            entries.customers.push(self.customers[place]);
            entries.lengths.push(length);
        }
        // They wait for those of all other partitions.
        entries.codes.shrink_to_fit();
        entries.strengths.shrink_to_fit();
        entries.times.shrink_to_fit();
        entries
    }
}

impl Entries {
    /// Adds the lines of one customer; returns how many entries came of them.
    fn take(&mut self, lines: &mut [Bought], half_life: HalfLife) -> u32 {
        lines.sort_unstable_by_key(|line| u64::from(line.code) << 32 | u64::from(line.time));
        let mut length = 0;
        for lines in lines.chunk_by(|a, b| a.code == b.code) {
            let (mut net, mut bought, mut strength, mut time) = (0.0_f64, 0.0_f64, 0.0_f32, 0);
            for line in lines {
                net += f64::from(line.quantity);
                if line.quantity > 0.0 {
                    bought += f64::from(line.quantity);
                    strength += half_life.weight(line.time);
                    time = line.time;
                }
            }
            if net <= 0.0 || bought <= 0.0 {
                continue;
            }
            self.codes.push(lines[0].code);
            // What was returned in part counts in part.
            self.strengths.push(strength * (net / bought).min(1.0) as f32);
            self.times.push(time);
            length += 1;
        }
        length
    }
}
