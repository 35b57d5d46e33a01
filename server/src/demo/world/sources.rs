//! In which sources somebody is known, and under which keys.

use super::World;
use super::lines::Lines;
use super::random::{Topic, scattered};

/// In how many of a thousand cases somebody is known in a source.
struct Coverage {
    contact: u64,
    account: u64,
    card: u64,
    subscriber: u64,
    device: u64,
    /// Known twice, where known.
    twice: u64,
}

const COVERAGE: Coverage =
    Coverage { contact: 620, account: 560, card: 450, subscriber: 520, device: 600, twice: 75 };

/// How many records each source has about somebody.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// In `crm.contacts`.
    pub(crate) contacts: u64,
    /// In `shop.customers`.
    pub(crate) accounts: u64,
    /// In `loyalty.cards`.
    pub(crate) cards: u64,
    /// In `mail.subscribers`: one or none.
    pub(crate) subscribes: bool,
    /// Devices seen by the web site.
    pub(crate) devices: u64,
}

impl World {
    /// Which sources know somebody. Everybody is known to the CRM, the shop or the card office.
    pub(crate) fn known(&self, person: u64) -> Known {
        let fact = self.fact(Topic::Sources, person);
        let chance = |shift: u32, permille: u64| (fact >> shift) % 1000 < permille;
        let records = |shift: u32, permille: u64| {
            u64::from(chance(shift, permille)) * (1 + u64::from(chance(shift + 5, COVERAGE.twice)))
        };
        let (accounts, cards) = (records(10, COVERAGE.account), records(20, COVERAGE.card));
        let contacts = records(0, COVERAGE.contact).max(u64::from(accounts + cards == 0));
        // Two people with one mailbox have one subscription.
        let borrowed = person & 1 == 1 && self.household(person).one_mailbox;
        Known {
            contacts,
            accounts,
            cards,
            subscribes: chance(30, COVERAGE.subscriber) && !borrowed,
            devices: u64::from(chance(40, COVERAGE.device))
                * (1 + (fact >> 52).trailing_zeros().min(2) as u64),
        }
    }
}

/// Writes the key of somebody's first or second record in `crm.contacts`.
pub(crate) fn contact_id(lines: &mut Lines, world: &World, (person, copy): (u64, u64)) {
    lines.number(100_000 + serial(world, 3, (person, copy)));
}

/// In `shop.customers`.
pub(crate) fn account_id(lines: &mut Lines, world: &World, (person, copy): (u64, u64)) {
    lines.numbered("S", 700_001 + serial(world, 5, (person, copy)), 7);
}

/// Numbers with gaps, as they were given out; a second record got one much later.
fn serial(world: &World, step: u64, (person, copy): (u64, u64)) -> u64 {
    let place = if copy == 0 { person } else { world.people + scattered(person, world.people) };
    place * step
}

/// In `loyalty.cards`: 13 digits, the last one a check digit as EAN has it.
pub(crate) fn card(lines: &mut Lines, (person, copy): (u64, u64)) {
    let body = 290_000_000_000 + scattered(person * 2 + copy, 100_000_000);
    lines.number(body * 10 + check_digit(body));
}

fn check_digit(body: u64) -> u64 {
    let (mut rest, mut sum, mut weight) = (body, 0, 3);
    while rest > 0 {
        sum += rest % 10 * weight;
        weight = 4 - weight;
        rest /= 10;
    }
    (10 - sum % 10) % 10
}

/// The identifier of one of somebody's devices.
pub(crate) fn device(world: &World, person: u64, device: u64) -> [u64; 2] {
    let number = person * 4 + device;
    [world.fact(Topic::Device, number * 2), world.fact(Topic::Device, number * 2 + 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_ean() {
        assert_eq!(check_digit(400_638_133_393), 1);
        assert_eq!(check_digit(978_030_640_615), 7);
    }
}
