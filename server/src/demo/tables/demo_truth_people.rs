//! `demo_truth.people`: which records are about one person. No source has this; it is what the
//! matching of identities is judged by.

use super::Table;
use crate::demo::world::World;
use crate::demo::world::lines::Lines;
use crate::demo::world::mailbox::Mailbox;
use crate::demo::world::sources::{account_id, card, contact_id, device};

pub(super) const TABLE: Table =
    Table { name: "demo_truth.people", units: |world| world.people, write, rows_of_thousand: 3423 };

/// Columns of the table that name a record.
const RECORDS: usize = 5;

fn write(world: &World, person: u64, lines: &mut Lines) {
    let known = world.known(person);
    let mut record = |place: usize, write: &dyn Fn(&mut Lines)| {
        lines.number(person + 1);
        for column in 0..RECORDS {
            match column == place {
                true => write(lines),
                false => lines.optional(None),
            }
        }
        lines.end();
    };
    for copy in 0..known.contacts {
        record(0, &|lines| contact_id(lines, world, (person, copy)));
    }
    for copy in 0..known.accounts {
        record(1, &|lines| account_id(lines, world, (person, copy)));
    }
    for copy in 0..known.cards {
        record(2, &|lines| card(lines, (person, copy)));
    }
    if let Some(somebody) = world.person(person).filter(|_| known.subscribes) {
        let mailbox = world.mailbox(&somebody, Mailbox::Main);
        record(3, &|lines| lines.text(&mailbox));
    }
    for number in 0..known.devices {
        record(4, &|lines| lines.uuid(device(world, person, number)));
    }
}
