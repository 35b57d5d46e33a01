//! An order: who bought what, when, where.

use chrono::Datelike;

use super::World;
use super::calendar::{date_of, shops_are_open};
use super::lines::Lines;
use super::random::{Dice, ONE, Share, Topic};

/// Most lines of an order.
const LINES_MAX: usize = 12;
/// How many of a hundred orders have one line, two, ….
const LINE_COUNTS: [u64; LINES_MAX] = [30, 22, 17, 12, 7, 5, 3, 1, 1, 1, 1, 0];
/// Of a thousand orders of somebody with a card, so many do not show it.
const CARD_FORGOTTEN: u64 = 180;

/// What was bought at which price.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Line {
    pub(crate) product: u64,
    pub(crate) quantity: u64,
    /// Price of one, in cents.
    pub(crate) cents: u64,
}

/// An order.
pub(crate) struct Order {
    /// Who; the data show at most a mailbox and a card.
    pub(crate) person: u64,
    /// When.
    pub(crate) at: i64,
    /// Over the web site.
    pub(crate) online: bool,
    /// In a shop: with the card.
    pub(crate) card: bool,
    lines: [Line; LINES_MAX],
    count: usize,
}

impl Order {
    /// Its lines.
    pub(crate) fn lines(&self) -> &[Line] {
        self.lines.get(..self.count).unwrap_or_default()
    }

    /// What it cost, in cents.
    pub(crate) fn total(&self) -> u64 {
        self.lines().iter().map(|line| line.quantity * line.cents).sum()
    }
}

impl World {
    /// By when in the two years something happens that is the `number`-th of `count`.
    pub(crate) fn share_of(number: u64, count: u64, dice: &mut Dice) -> Share {
        let (number, count) = (u128::from(number), u128::from(count.max(1)));
        let point = (number << 32) + u128::from(dice.share());
        ((point / count) as u64).min(ONE - 1)
    }

    /// An order; they are numbered in the order in which they happen.
    pub(crate) fn order(&self, number: u64) -> Order {
        let mut dice = self.dice(Topic::Order, number);
        let share = Self::share_of(number, self.orders, &mut dice);
        let at = self.calendar.at(share);
        let person = self.somebody(&mut dice, share);
        let known = self.known(person);
        let online = match (known.accounts > 0, shops_are_open(at)) {
            (true, true) => dice.permille(if known.cards > 0 { 400 } else { 700 }),
            (_, false) => true,
            (false, true) => dice.permille(120),
        };
        let card = known.cards > 0 && !online && !dice.permille(CARD_FORGOTTEN);
        let mut order = Order {
            person,
            at,
            online,
            card,
            lines: Default::default(),
            count: line_count(&mut dice),
        };
        self.fill(&mut order, &mut dice);
        order
    }

    fn fill(&self, order: &mut Order, dice: &mut Dice) {
        let (person, sale) = (order.person, on_sale(order.at));
        let count = order.count;
        let mut before: Option<u64> = None;
        for line in order.lines.iter_mut().take(count) {
            let product = match before {
                Some(before) if dice.permille(250) => self.products.companion(before),
                _ => self.products.draw(self.liked_category(person, dice), dice),
            };
            let price = self.price(product);
            let price = if sale && dice.permille(400) { price - price / 5 } else { price };
            *line = Line { product, quantity: 1 + dice.halving(5) * dice.below(2), cents: price };
            before = Some(product);
        }
    }

    /// The shop in which somebody bought.
    pub(crate) fn store(&self, number: u64, person: u64) -> &str {
        let stores =
            self.country(person).map(|country| country.stores.as_slice()).unwrap_or_default();
        // Mostly the same one.
        let mut dice =
            self.dice(Topic::Store, if number.is_multiple_of(8) { number } else { person / 2 });
        let at = dice.below(stores.len() as u64).min(dice.below(stores.len() as u64));
        stores.get(at as usize).map_or("", String::as_str)
    }
}

fn line_count(dice: &mut Dice) -> usize {
    let mut point = dice.below(LINE_COUNTS.iter().sum());
    for (place, weight) in LINE_COUNTS.iter().enumerate() {
        match point.checked_sub(*weight) {
            Some(rest) => point = rest,
            None => return place + 1,
        }
    }
    1
}

/// January, July, and the days around Black Friday.
fn on_sale(second: i64) -> bool {
    let date = date_of(second);
    matches!(date.month(), 1 | 7) || date.month() == 11 && date.day() >= 23
}

/// Writes the key of an order.
pub(crate) fn order_id(lines: &mut Lines, number: u64) {
    lines.numbered("O", number + 1, 8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::world::product::Products;

    #[test]
    fn line_counts_are_of_a_hundred() {
        assert_eq!(LINE_COUNTS.iter().sum::<u64>(), 100);
    }

    #[test]
    fn companions_are_mutual_enough_to_be_found() {
        let products = Products::new(10, 200);
        for product in 0..2000 {
            assert!(products.companion(product) < 2000 && products.companion(product) != product);
        }
    }
}
