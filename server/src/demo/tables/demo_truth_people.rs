//! `demo_truth.people`: which records are about one person. No source has this; it is what the
//! matching of identities is judged by.

use super::Table;
use crate::demo::world::World;
use crate::demo::world::lines::Lines;
use crate::demo::world::mailbox::Mailbox;
use crate::demo::world::sources::{account_id, card, contact_id, device};

pub(super) const TABLE: Table =
    Table { name: "demo_truth.people", units: |world| world.people, write, rows_of_thousand: 3423 };

fn write(world: &World, person: u64, lines: &mut Lines) {
    let known = world.known(person);
    let mut record = |source: &str, write: &dyn Fn(&mut Lines)| {
        lines.number(person + 1);
        lines.text(source);
        write(lines);
        lines.end();
    };
    for copy in 0..known.contacts {
        record("crm.contacts", &|lines| contact_id(lines, world, (person, copy)));
    }
    for copy in 0..known.accounts {
        record("shop.customers", &|lines| account_id(lines, world, (person, copy)));
    }
    for copy in 0..known.cards {
        record("loyalty.cards", &|lines| card(lines, (person, copy)));
    }
    for number in 0..known.devices {
        record("web.events", &|lines| lines.uuid(device(world, person, number)));
    }
    if let Some(somebody) = world.person(person).filter(|_| known.subscribes) {
        let mailbox = world.mailbox(&somebody, Mailbox::Main);
        record("mail.subscribers", &|lines| lines.text(&mailbox));
    }
}
