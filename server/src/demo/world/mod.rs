//! The people of the demo and what they do, as pure functions of a seed.
//!
//! Nothing is kept: person 17 and order 4711 are computed whenever somebody asks for them, so that
//! 5 million people take no more memory than five. The same seed and scale give the same bytes on
//! every machine.
//!
//! ```text
//! seed, person 17 ─▶ Person (who it is) ─▶ Record (what one source has about it, with its errors)
//! seed, order 4711 ─▶ Order (who, when, where, what)
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | [`random`] | chance |
//! | [`calendar`] | the two years: seasons, weekdays, hours, growth |
//! | [`vocabulary`], [`lists`], [`plain`] | names, streets, towns, words of products; their files; their letters |
//! | [`person`] | who somebody is, with whom he lives |
//! | [`sources`] | in which sources somebody is known, under which keys |
//! | [`mailbox`], [`telephone`] | addresses that are one's own, and the ways to write them |
//! | [`record`], [`typo`] | what a source has about somebody |
//! | [`product`], [`order`], [`session`] | what is sold, to whom, and who only looks |
//! | [`lines`] | rows as COPY takes them |

pub(crate) mod calendar;
pub(crate) mod lines;
mod lists;
pub(crate) mod mailbox;
pub(crate) mod order;
pub(crate) mod person;
mod plain;
pub(crate) mod product;
pub(crate) mod random;
pub(crate) mod record;
pub(crate) mod session;
pub(crate) mod sources;
pub(crate) mod telephone;
pub(crate) mod typo;
pub(crate) mod vocabulary;

use calendar::{Calendar, DAY, END, START};
use product::Products;
use random::{Dice, ONE, Share, Topic, fact, scattered};
use vocabulary::Vocabulary;

/// People at scale 1.
const PEOPLE: u64 = 50_000;
/// Orders at scale 1.
const ORDERS: u64 = 200_000;
/// Products of each category at scale 1.
const PRODUCTS_OF_CATEGORY: u64 = 200;
/// People in a thousand who were customers before the two years begin.
const EARLIER: u64 = 450;
/// Years in which those had come.
const YEARS_BEFORE: i64 = 5;

/// A seed and a size, and what is computed from them once.
pub struct World {
    pub(crate) seed: u64,
    pub(crate) people: u64,
    pub(crate) orders: u64,
    pub(crate) calendar: Calendar,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) products: Products,
}

impl World {
    /// A world `scale` times as large as the smallest.
    pub fn new(seed: u64, scale: u64) -> Self {
        let vocabulary = Vocabulary::new();
        let of_category = PRODUCTS_OF_CATEGORY * scale;
        Self {
            seed,
            people: PEOPLE * scale,
            orders: ORDERS * scale,
            calendar: Calendar::new(),
            products: Products::new(vocabulary.categories.len() as u64, of_category),
            vocabulary,
        }
    }

    pub(crate) fn dice(&self, topic: Topic, number: u64) -> Dice {
        Dice::new(self.seed, topic, number)
    }

    pub(crate) fn fact(&self, topic: Topic, number: u64) -> u64 {
        fact(self.seed, topic, number)
    }

    fn earlier(&self) -> u64 {
        self.people * EARLIER / 1000
    }

    /// By when in the two years (as a share of all that happens) somebody had become a customer.
    pub(crate) fn joined_share(&self, person: u64) -> Share {
        let since = person.saturating_sub(self.earlier());
        since * ONE / (self.people - self.earlier())
    }

    /// When somebody became a customer; people are numbered in that order.
    pub(crate) fn joined(&self, person: u64) -> i64 {
        if person < self.earlier() {
            let span = YEARS_BEFORE * 365 * DAY;
            let part = i128::from(span) * i128::from(person) / i128::from(self.earlier().max(1));
            return START - span + part as i64;
        }
        self.calendar.at(self.joined_share(person))
    }

    /// When somebody stopped being one; `ONE`: never.
    fn left_share(&self, person: u64) -> Share {
        let fact = self.fact(Topic::Left, person);
        if fact % 1000 < 600 {
            return ONE;
        }
        let joined = self.joined_share(person);
        joined + (((ONE - joined) * (fact >> 32)) >> 32)
    }

    /// Somebody who is a customer when that share of all has happened; busy people come often.
    pub(crate) fn somebody(&self, dice: &mut Dice, share: Share) -> u64 {
        const TRIES: usize = 24;
        for _ in 0..TRIES {
            let person = scattered(dice.busy(self.people), self.people);
            if self.joined_share(person) <= share && share < self.left_share(person) {
                return person;
            }
        }
        // Almost never: one of those who were there from the beginning.
        dice.below(self.earlier())
    }

    /// A second between that one and the end of the data.
    pub(crate) fn later(&self, dice: &mut Dice, second: i64) -> i64 {
        second + dice.below((END - second).max(1).unsigned_abs()) as i64
    }
}
