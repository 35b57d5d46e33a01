//! `mail.subscribers`: who gets the newsletter. The mailbox is the key, so it has no typos.

use super::Table;
use crate::demo::world::World;
use crate::demo::world::lines::Lines;
use crate::demo::world::mailbox::Mailbox;
use crate::demo::world::random::Topic;

pub(super) const TABLE: Table =
    Table { name: "mail.subscribers", units: |world| world.people, write, rows_of_thousand: 506 };

/// Of a thousand subscribers, so many have left.
const LEFT: u64 = 140;

/// When somebody left the list, if so.
pub(super) fn left_at(world: &World, person: u64) -> Option<i64> {
    let mut dice = world.dice(Topic::Subscriber, person);
    dice.permille(LEFT).then(|| world.later(&mut dice, world.joined(person)))
}

fn write(world: &World, number: u64, lines: &mut Lines) {
    let Some(person) = world.person(number).filter(|_| world.known(number).subscribes) else {
        return;
    };
    let gave_name = world.fact(Topic::Subscriber, number) % 10 < 6;
    lines.text(&world.mailbox(&person, Mailbox::Main));
    lines.optional(gave_name.then_some(person.given.text.as_str()));
    lines.text(person.home.country.code);
    lines.time(world.joined(number));
    lines.optional_time(left_at(world, number));
    lines.end();
}
