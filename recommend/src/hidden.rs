//! What is hidden of each customer, to be recommended from the rest: the last basket, or one item
//! where nobody has bought twice or times are not known (leave-one-out).

use std::sync::Arc;

use crate::codes::{Coded, Codes, Gathered};
use crate::error::Result;
use crate::evaluate::Basket;
use crate::histories::{Histories, latest};
use crate::model::Settings;
use crate::partition::{Grouping, Partition};
use crate::purchases::{PARTITIONS, hash};
use crate::sums::{Adder, Bought, HalfLife, last_bought};

/// Lines that are shown, and codes that are hidden.
type Split = (Vec<Bought>, Vec<u32>);

/// What is hidden of each customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hidden {
    /// The last basket; one item if nobody has two baskets.
    #[default]
    LastBasket,
    /// One item, as good as drawn by lot.
    OneItem,
}

impl Hidden {
    /// That of a name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "last_basket" => Some(Self::LastBasket),
            "one_item" => Some(Self::OneItem),
            _ => None,
        }
    }
}

impl Histories {
    /// Of a part of the customers, `share` of 512: what is not hidden, and what is, as codes. Of whom
    /// nothing can be hidden is in neither.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub fn split(
        gathered: &[Gathered],
        items: usize,
        settings: &Settings,
        (share, hidden): (usize, Hidden),
    ) -> Result<(Self, Vec<Basket>)> {
        let codes = Codes::of(gathered, items);
        if hidden == Hidden::LastBasket {
            let last = |_: i64, lines: &[Bought]| last_basket(lines);
            let found = Self::split_by(gathered, &codes, (settings, share), last)?;
            if !found.1.is_empty() {
                return Ok(found);
            }
        }
        let one = |customer: i64, lines: &[Bought]| one_item(customer, lines, &codes);
        Self::split_by(gathered, &codes, (settings, share), one)
    }

    fn split_by(
        gathered: &[Gathered],
        codes: &Codes,
        (settings, share): (&Settings, usize),
        split: impl Fn(i64, &[Bought]) -> Option<Split> + Sync,
    ) -> Result<(Self, Vec<Basket>)> {
        let coded: Vec<Coded<'_>> =
            gathered.iter().map(|(one, to)| codes.coded((one, to))).collect();
        let half_life = HalfLife::of(settings);
        let made = settings.workers().each_with(
            share.min(PARTITIONS),
            || (Grouping::default(), Adder::default()),
            |(group, adder), partition| {
                group.group(&coded, partition);
                let (mut part, mut baskets) = (Partition::default(), Vec::new());
                for rank in 0..group.len() {
                    let (customer, lines) = group.customer(rank);
                    let Some((before, basket)) = split(customer, lines) else { continue };
                    let sums = adder.add(&before, half_life, last_bought(&before));
                    part.push(customer, before.len() as u32, sums);
                    baskets.push((customer, basket));
                }
                (Arc::new(part), baskets)
            },
        )?;
        let (mut parts, baskets): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        parts.resize_with(PARTITIONS, Arc::default);
        let histories =
            Self::assemble((parts, codes.clone()), latest(gathered), settings.workers())?;
        Ok((histories, baskets.into_iter().flatten().collect()))
    }
}

/// What a customer bought before the last basket, and that; `None`: there is but one.
fn last_basket(lines: &[Bought]) -> Option<Split> {
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

/// What a customer bought but for one item, as good as drawn by lot, and that; `None`: there is but
/// one.
fn one_item(customer: i64, lines: &[Bought], codes: &Codes) -> Option<Split> {
    let bought = || lines.iter().filter(|line| line.quantity > 0.0).map(|line| line.code);
    let lot =
        |code: &u32| (hash(customer ^ hash(i64::from(codes.item(*code))).cast_signed()), *code);
    let hidden = bought().min_by_key(lot)?;
    if bought().all(|code| code == hidden) {
        return None;
    }
    let shown = lines.iter().filter(|line| line.code != hidden).copied().collect();
    Some((shown, vec![hidden]))
}
