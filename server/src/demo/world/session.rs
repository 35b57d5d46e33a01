//! Visits of the web site: most only look, some fill a cart, few buy.

use super::World;
use super::calendar::{END, START};
use super::random::{Dice, Topic};
use super::sources::device;

/// Of a thousand online orders, so many can be followed back to a visit: the others were made by
/// people who refuse cookies or use the app.
const FOLLOWED: u64 = 155;
/// Of a thousand visits that reach a product, so many fill a cart.
const CARTS: u64 = 150;
/// Of a thousand carts that are not bought, so many come to the checkout.
const CHECKOUTS: u64 = 350;

/// What an event is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject {
    /// The front page, reached from somewhere.
    Entry(&'static str),
    /// A category.
    Category(u64),
    /// A search for what such a product is called.
    Search(u64),
    /// A product.
    Product(u64),
    /// So many of a product, in the cart.
    Cart(u64, u64),
    /// The checkout of an amount in cents.
    Checkout(u64),
    /// An order.
    Order(u64, u64),
}

/// An event: when after the first one, and what about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) at: i64,
    pub(crate) subject: Subject,
}

/// A visit.
pub(crate) struct Visit {
    /// The device's identifier.
    pub(crate) device: [u64; 2],
    /// Whose contact number the site knows, since somebody has logged in.
    pub(crate) contact: Option<u64>,
    /// What happened.
    pub(crate) steps: Vec<Step>,
}

const ENTRIES: &[&str] = &[
    "direct",
    "direct",
    "direct",
    "google",
    "google",
    "google",
    "newsletter",
    "instagram",
    "bing",
    "affiliate",
];

impl World {
    /// A visit of somebody who buys nothing.
    pub(crate) fn visit(&self, number: u64) -> Visit {
        let mut dice = self.dice(Topic::Session, number);
        let share = Self::share_of(number, self.orders, &mut dice);
        let (begin, person) = (self.calendar.at(share), self.somebody(&mut dice, share));
        let logged_in = dice.permille(220);
        let mut visit = self.begin(person, number, logged_in, &mut dice);
        let mut clock = Clock { now: begin, until: END - 1, dice };
        clock.enter(&mut visit);
        self.look_around(&mut visit, person, &mut clock);
        visit
    }

    /// The visit in which an order was made; `None`: nobody saw it.
    pub(crate) fn purchase(&self, number: u64) -> Option<Visit> {
        if self.fact(Topic::Tracked, number) % 1000 >= FOLLOWED {
            return None;
        }
        let order = Some(self.order(number)).filter(|order| order.online)?;
        let mut dice = self.dice(Topic::Session, self.orders + number);
        let mut visit = self.begin(order.person, number, true, &mut dice);
        // Somebody needs up to a minute and a half for each of about three steps a line.
        let lead = 300 * (order.lines().len() as i64 + 1);
        let begin = (order.at - lead).max(START);
        let mut clock = Clock { now: begin, until: order.at, dice };
        clock.enter(&mut visit);
        for line in order.lines() {
            clock.step(&mut visit, Subject::Product(line.product));
            clock.step(&mut visit, Subject::Cart(line.product, line.quantity));
        }
        clock.step(&mut visit, Subject::Checkout(order.total()));
        visit.steps.push(Step { at: order.at, subject: Subject::Order(number, order.total()) });
        Some(visit)
    }

    fn begin(&self, person: u64, number: u64, logged_in: bool, dice: &mut Dice) -> Visit {
        // A tablet in the living room.
        let borrows = self.household(person).together && dice.permille(60);
        let owner = if borrows { person ^ 1 } else { person };
        let devices = self.known(owner).devices;
        let device = match devices {
            // Who refuses cookies is somebody else at every visit.
            0 => [dice.bits(), dice.bits() ^ number],
            count => device(self, owner, dice.halving(count - 1)),
        };
        let contact = (logged_in && self.known(person).contacts > 0).then_some(person);
        Visit { device, contact, steps: Vec::with_capacity(8) }
    }

    fn look_around(&self, visit: &mut Visit, person: u64, clock: &mut Clock) {
        // More than a quarter of all visitors leave at once.
        if clock.dice.permille(275) {
            return;
        }
        let category = self.liked_category(person, &mut clock.dice);
        let mut product = self.products.draw(category, &mut clock.dice);
        let searches = clock.dice.permille(250);
        clock.step(
            visit,
            if searches { Subject::Search(product) } else { Subject::Category(category) },
        );
        let views = 1 + clock.dice.below(5) * clock.dice.below(3);
        for _ in 0..views {
            clock.step(visit, Subject::Product(product));
            if clock.dice.permille(CARTS / 2) {
                self.fill_cart(visit, product, clock);
            }
            product = self.products.draw(category, &mut clock.dice);
        }
    }

    fn fill_cart(&self, visit: &mut Visit, product: u64, clock: &mut Clock) {
        let quantity = 1 + clock.dice.halving(3);
        clock.step(visit, Subject::Cart(product, quantity));
        if clock.dice.permille(CHECKOUTS) {
            clock.step(visit, Subject::Checkout(self.price(product) * quantity));
        }
    }
}

/// Time that passes between the steps of a visit.
struct Clock {
    now: i64,
    until: i64,
    dice: Dice,
}

impl Clock {
    fn enter(&mut self, visit: &mut Visit) {
        let source = self.dice.one_of(ENTRIES);
        self.step(visit, Subject::Entry(source));
    }

    fn step(&mut self, visit: &mut Visit, subject: Subject) {
        visit.steps.push(Step { at: self.now.min(self.until), subject });
        self.now += 5 + self.dice.below(12) as i64 * self.dice.below(8) as i64;
    }
}
