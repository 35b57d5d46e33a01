//! `consents.decisions`: what people have allowed, refused and taken back, in the order of time.

use super::Table;
use super::mail_subscribers::left_at;
use crate::demo::world::World;
use crate::demo::world::lines::Lines;
use crate::demo::world::mailbox::Mailbox;
use crate::demo::world::random::Topic;

pub(super) const TABLE: Table = Table {
    name: "consents.decisions",
    units: |world| world.people,
    write,
    rows_of_thousand: 2112,
};

/// A purpose, in how many of a thousand cases it is granted where asked for, and the place of asking.
const ASKED: &[(&str, u64, &str)] = &[
    ("profiling", 560, "web form"),
    ("sms", 310, "store tablet"),
    ("partners", 120, "paper form"),
];

fn write(world: &World, number: u64, lines: &mut Lines) {
    let known = world.known(number);
    let Some(person) = world.person(number) else { return };
    let mailbox = world.mailbox(&person, Mailbox::Main);
    let mut dice = world.dice(Topic::Consent, number);
    let joined = world.joined(number);
    let mut decide = |purpose: &str, granted: bool, at: i64, source: &str| {
        lines.text(&mailbox);
        lines.text(purpose);
        lines.flag(granted);
        lines.time(at);
        lines.text(source);
        lines.end();
    };
    if known.subscribes {
        decide("newsletter", true, joined, "web form");
        if let Some(left) = left_at(world, number) {
            decide("newsletter", false, left, "unsubscribe link");
        }
    }
    for (purpose, granted, source) in ASKED {
        if !dice.permille(500) {
            continue;
        }
        let granted = dice.permille(*granted);
        let asked = joined + 60;
        decide(purpose, granted, asked, source);
        if granted && dice.permille(80) {
            decide(purpose, false, world.later(&mut dice, asked), "preference centre");
        }
    }
}
