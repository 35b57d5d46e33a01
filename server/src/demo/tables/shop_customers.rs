//! `shop.customers`: accounts that people have made for themselves in the web shop.

use super::Table;
use crate::demo::world::World;
use crate::demo::world::lines::Lines;
use crate::demo::world::random::Topic;
use crate::demo::world::record::Habits;
use crate::demo::world::sources::account_id;

pub(super) const TABLE: Table =
    Table { name: "shop.customers", units: |world| world.people, write, rows_of_thousand: 612 };

const HABITS: Habits = Habits {
    typo: 18,
    scanned: false,
    no_email: 0,
    no_phone: 350,
    no_birth_date: 700,
    no_address: 80,
    other_mailbox: 220,
    capitals: 15,
    garbage: 0,
};

fn write(world: &World, number: u64, lines: &mut Lines) {
    let known = world.known(number);
    let Some(person) = world.person(number).filter(|_| known.accounts > 0) else { return };
    let mut dice = world.dice(Topic::Account, number);
    for copy in 0..known.accounts {
        let record = world.record(&person, &HABITS, copy > 0, &mut dice);
        let joined = world.joined(number);
        account_id(lines, world, (number, copy));
        lines.optional(record.email.as_deref());
        lines.optional(record.given.as_deref());
        lines.optional(record.family.as_deref());
        lines.optional(record.phone.as_deref());
        lines.optional(record.street.as_deref());
        lines.optional(record.zip.as_deref());
        lines.optional(record.city.as_deref());
        lines.text(person.home.country.code);
        lines.flag(known.subscribes);
        lines.time(if copy > 0 { world.later(&mut dice, joined) } else { joined });
        lines.end();
    }
}
