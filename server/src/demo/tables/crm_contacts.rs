//! `crm.contacts`: what sales and support have typed in over the years.

use super::Table;
use crate::demo::world::World;
use crate::demo::world::lines::Lines;
use crate::demo::world::random::Topic;
use crate::demo::world::record::Habits;
use crate::demo::world::sources::contact_id;

pub(super) const TABLE: Table =
    Table { name: "crm.contacts", units: |world| world.people, write, rows_of_thousand: 762 };

const HABITS: Habits = Habits {
    typo: 25,
    scanned: false,
    no_email: 130,
    no_phone: 250,
    no_birth_date: 350,
    no_address: 120,
    other_mailbox: 150,
    capitals: 30,
    garbage: 4,
};

fn write(world: &World, number: u64, lines: &mut Lines) {
    let known = world.known(number);
    let Some(person) = world.person(number).filter(|_| known.contacts > 0) else { return };
    let mut dice = world.dice(Topic::Contact, number);
    for copy in 0..known.contacts {
        let record = world.record(&person, &HABITS, copy > 0, &mut dice);
        let joined = world.joined(number);
        contact_id(lines, world, (number, copy));
        lines.optional(record.email.as_deref());
        lines.optional(record.phone.as_deref());
        lines.optional(record.given.as_deref());
        lines.optional(record.family.as_deref());
        lines.optional_day(record.born);
        lines.optional(record.zip.as_deref());
        lines.optional(record.city.as_deref());
        lines.time(if copy > 0 { world.later(&mut dice, joined) } else { joined });
        lines.end();
    }
}
