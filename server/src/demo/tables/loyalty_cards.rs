//! `loyalty.cards`: paper forms filled in at the counter and scanned later, with what that brings.

use super::Table;
use crate::demo::world::World;
use crate::demo::world::lines::Lines;
use crate::demo::world::random::Topic;
use crate::demo::world::record::Habits;
use crate::demo::world::sources::card;

pub(super) const TABLE: Table =
    Table { name: "loyalty.cards", units: |world| world.people, write, rows_of_thousand: 492 };

const HABITS: Habits = Habits {
    typo: 90,
    scanned: true,
    no_email: 450,
    no_phone: 200,
    no_birth_date: 120,
    no_address: 90,
    other_mailbox: 120,
    capitals: 250,
    garbage: 3,
};

fn write(world: &World, number: u64, lines: &mut Lines) {
    let known = world.known(number);
    let Some(person) = world.person(number).filter(|_| known.cards > 0) else { return };
    let mut dice = world.dice(Topic::Card, number);
    for copy in 0..known.cards {
        let record = world.record(&person, &HABITS, copy > 0, &mut dice);
        let joined = world.joined(number);
        card(lines, (number, copy));
        lines.optional(record.given.as_deref());
        lines.optional(record.family.as_deref());
        lines.optional_day(record.born);
        lines.optional(record.email.as_deref());
        lines.optional(record.phone.as_deref());
        lines.optional(record.street.as_deref());
        lines.optional(record.zip.as_deref());
        lines.optional(record.city.as_deref());
        lines.text(world.store(number, number));
        lines.time(if copy > 0 { world.later(&mut dice, joined) } else { joined });
        lines.end();
    }
}
