//! What has changed since histories were made: lines that came, lines that went, and customers who
//! are made anew. The result is what all lines together would make.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashSet;

use crate::basis::last;
use crate::codes::{Coded, Codes, Gathered};
use crate::error::Result;
use crate::histories::{Histories, OwnHistory, latest};
use crate::model::Settings;
use crate::others::Others;
use crate::partition::{Grouping, Partition};
use crate::purchases::{Gatherer, PARTITIONS, Purchase};
use crate::sums::{Adder, Bought, HalfLife, Sum, last_bought};

/// Lines that came and lines that went.
#[derive(Debug, Default)]
pub struct Changes {
    /// New lines.
    pub plus: Vec<Gathered>,
    /// Lines that were known and are no more.
    pub minus: Vec<Gathered>,
    /// Customers of whom nothing that was known holds.
    pub anew: HashSet<i64>,
    /// All their lines.
    pub whole: Vec<Gathered>,
    /// What the numbers of the known items have become.
    pub items_now: Vec<u32>,
    /// How many items there are.
    pub items: usize,
}

/// Histories after a change.
#[derive(Debug)]
pub(crate) struct Changed {
    /// All of them.
    pub(crate) histories: Histories,
    /// Customers of each partition for whom other items count than before.
    pub(crate) others: Vec<Others>,
}

impl Histories {
    /// Customers whose histories cannot be told from what is known and the lines that went: these
    /// were the last purchases of items that were bought before. They must be made anew.
    ///
    /// # Errors
    /// Cancelled.
    pub fn unsure(
        &self,
        minus: &[(&Gatherer, Vec<u32>)],
        (items_now, items): (&[u32], usize),
        settings: &Settings,
    ) -> Result<Vec<i64>> {
        let codes = self.codes.with(minus.iter().map(|(one, to)| (*one, to)), items_now, items);
        let minus: Vec<Coded<'_>> = minus.iter().map(|(one, to)| codes.coded((*one, to))).collect();
        let half_life = HalfLife::of(settings);
        let found = settings.workers().each_with(
            PARTITIONS,
            || (Grouping::default(), Adder::default()),
            |(group, adder), number| {
                group.group(&minus, number);
                let part = &self.partitions[number];
                let is_unsure = |customer: &i64| match part.customers.binary_search(customer) {
                    Err(_) => true,
                    Ok(place) => {
                        let gone = group.of(*customer);
                        let all = gone.len() as u32 == part.lines(place);
                        let sums = adder.add(gone, half_life, last_bought(gone));
                        !all && (half_life.0.is_some() || loses_last(&part.sums(place), sums))
                    }
                };
                let customers = (0..group.len()).map(|rank| group.customer(rank).0);
                customers.filter(is_unsure).collect::<Vec<_>>()
            },
        )?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The history of a customer with lines that have come since; `None`: nobody knows the customer.
    pub fn own_with(
        &self,
        customer: i64,
        came: &[Purchase],
        settings: &Settings,
    ) -> Option<OwnHistory> {
        let known = self.sums(customer);
        if known.is_none() && came.is_empty() {
            return None;
        }
        let came = self.coded(came);
        let lines = (came.as_slice(), &[][..]);
        let half_life = HalfLife::of(settings);
        let sums = merged(known.unwrap_or_default(), lines, half_life, &mut Adder::default());
        Some(OwnHistory::of(&sums))
    }

    /// Histories after a change. Memory of those that nobody else has serves for the new ones.
    ///
    /// # Errors
    /// More than 2³² entries, or cancelled.
    pub(crate) fn changed(self, changes: Changes, settings: &Settings) -> Result<Changed> {
        let Changes { plus, minus, anew, whole, items_now, items } = changes;
        let all = plus.iter().chain(&whole).map(|(one, to)| (one, to));
        let codes = self.codes.with(all, &items_now, items);
        let latest = self.latest().max(latest(&plus)).max(latest(&whole));
        let [plus, minus, whole] = [&plus, &minus, &whole]
            .map(|all| all.iter().map(|(one, to)| codes.coded((one, to))).collect::<Vec<_>>());
        let rules = Rules {
            anew: &anew,
            half_life: HalfLife::of(settings),
            cut: settings.cut,
            codes: &codes,
        };
        let known: Vec<Mutex<Arc<Partition>>> =
            self.partitions.into_iter().map(Mutex::new).collect();
        let made = settings.workers().each_with(PARTITIONS, Merge::default, |merge, number| {
            let mut place = known[number].lock().unwrap_or_else(PoisonError::into_inner);
            let known = std::mem::take(&mut *place);
            merge.plus.group(&plus, number);
            merge.minus.group(&minus, number);
            merge.whole.group(&whole, number);
            match merge.concerned(&known, &anew) {
                customers if customers.is_empty() => (known, Others::default()),
                customers => merge.partition(known, customers, &rules),
            }
        })?;
        let (parts, others): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        let histories = Self::assemble((parts, codes), latest, settings.workers())?;
        Ok(Changed { histories, others })
    }
}

/// How changes are taken in.
struct Rules<'a> {
    anew: &'a HashSet<i64>,
    half_life: HalfLife,
    cut: usize,
    codes: &'a Codes,
}

/// Whether what went was the last purchase of something that was bought before, too.
fn loses_last(known: &[(u32, Sum)], gone: &[(u32, Sum)]) -> bool {
    gone.iter().any(|(code, gone)| {
        let Ok(place) = known.binary_search_by_key(code, |one| one.0) else {
            return !gone.is_nothing();
        };
        let known = known[place].1;
        gone.bought > 0 && gone.bought < known.bought && gone.time >= known.time
    })
}

/// What a thread works with.
#[derive(Default)]
struct Merge {
    plus: Grouping,
    minus: Grouping,
    whole: Grouping,
    adder: Adder,
    /// Sums of the lines of one customer that went.
    went: Vec<(u32, Sum)>,
    part: Partition,
}

impl Merge {
    /// The customers of a partition for whom anything changes, ascending.
    fn concerned<'a>(&'a self, known: &Partition, anew: &HashSet<i64>) -> Vec<i64> {
        let groups = [&self.plus, &self.minus, &self.whole].into_iter();
        let of = |group: &'a Grouping| (0..group.len()).map(|rank| group.customer(rank).0);
        let mut customers: Vec<i64> = groups.flat_map(of).collect();
        if !anew.is_empty() {
            customers.extend(known.customers.iter().filter(|one| anew.contains(*one)));
        }
        customers.sort_unstable();
        customers.dedup();
        customers
    }

    /// The partition with the customers concerned in their new state, and for whom other items
    /// count. What the known one takes serves for it, where nobody else has that.
    fn partition(
        &mut self,
        mut known: Arc<Partition>,
        customers: Vec<i64>,
        rules: &Rules<'_>,
    ) -> (Arc<Partition>, Others) {
        let mut part = std::mem::take(&mut self.part);
        let (mut next, mut others) = (0, Others::default());
        for customer in customers {
            let at = next + known.customers[next..].partition_point(|one| *one < customer);
            part.copy(&known, next..at);
            let is_known = known.customers.get(at) == Some(&customer);
            let place = is_known.then_some(at);
            next = at + usize::from(is_known);
            let counted = |place| last(rules.codes, known.history(place), rules.cut);
            let before = place.map_or(Cow::default(), counted);
            let is_there = self.customer((&known, place), (customer, &mut part), rules);
            others.note(&before, is_there.then_some(&part), (rules.codes, rules.cut));
        }
        part.copy(&known, next..known.customers.len());
        match Arc::get_mut(&mut known) {
            Some(own) => part.give(own),
            None => known = Arc::new(part.take()),
        }
        self.part = part;
        (known, others)
    }

    /// Adds a customer, who was at a place or nowhere, to a partition; whether any line is left.
    fn customer(
        &mut self,
        (known, place): (&Partition, Option<usize>),
        (customer, part): (i64, &mut Partition),
        rules: &Rules<'_>,
    ) -> bool {
        let is_anew = rules.anew.contains(&customer);
        let place = place.filter(|_| !is_anew);
        let (came, went): (&[Bought], &[Bought]) = match (is_anew, place) {
            (true, _) => (self.whole.of(customer), &[]),
            (_, Some(_)) => (self.plus.of(customer), self.minus.of(customer)),
            (_, None) => (self.plus.of(customer), &[]),
        };
        let lines = place.map_or(0, |place| known.lines(place)) as usize + came.len();
        let lines = lines.saturating_sub(went.len()) as u32;
        match place {
            _ if lines == 0 => {}
            // Nothing fades: what neither came nor went is as it was.
            Some(place) if rules.half_life.0.is_none() => {
                let last = last_bought(came);
                self.went.clear();
                self.went.extend_from_slice(self.adder.add(went, rules.half_life, last));
                let came = self.adder.add(came, rules.half_life, last);
                part.patch((known, place), lines, (&self.went, came));
            }
            _ => {
                let sums = place.map(|place| known.sums(place)).unwrap_or_default();
                let sums = merged(sums, (came, went), rules.half_life, &mut self.adder);
                part.push(customer, lines, &sums);
            }
        }
        lines > 0
    }
}

/// Sums with lines that came and without lines that went.
fn merged(
    mut sums: Vec<(u32, Sum)>,
    (came, went): (&[Bought], &[Bought]),
    half_life: HalfLife,
    adder: &mut Adder,
) -> Vec<(u32, Sum)> {
    let before = sums.iter().map(|(_, sum)| sum.time).max().unwrap_or_default();
    let last = last_bought(came).max(before);
    if half_life.0.is_some() && last > before {
        let left = half_life.left(last - before);
        sums.iter_mut().for_each(|(_, sum)| *sum = sum.fades(left));
    }
    // What went goes first: nothing of it may be left in what came.
    for (code, sum) in adder.add(went, half_life, last) {
        let at = place_of(&mut sums, *code);
        sums[at].1 = sums[at].1.minus(*sum);
    }
    for (code, sum) in adder.add(came, half_life, last) {
        let at = place_of(&mut sums, *code);
        sums[at].1 = sums[at].1.plus(*sum);
    }
    sums.retain(|(_, sum)| !sum.is_nothing());
    sums
}

/// The place of the sum of a code, which is put there if there is none.
fn place_of(sums: &mut Vec<(u32, Sum)>, code: u32) -> usize {
    sums.binary_search_by_key(&code, |one| one.0).unwrap_or_else(|place| {
        sums.insert(place, (code, Sum::default()));
        place
    })
}
