//! `shop.orders`: what was bought in shops and on the web site.

use super::Table;
use crate::demo::world::World;
use crate::demo::world::lines::Lines;
use crate::demo::world::mailbox::Mailbox;
use crate::demo::world::order::{Order, order_id};
use crate::demo::world::random::{Dice, Topic};
use crate::demo::world::sources::card;

pub(super) const TABLE: Table =
    Table { name: "shop.orders", units: |world| world.orders, write, rows_of_thousand: 1000 };

/// Of a thousand purchases in a shop, so many ask for the receipt by mail.
const RECEIPT_BY_MAIL: u64 = 200;

fn write(world: &World, number: u64, lines: &mut Lines) {
    let order = world.order(number);
    // Not the order's own dice: its lines need not be thrown again for this table.
    let mut dice = world.dice(Topic::Store, world.people + number);
    order_id(lines, number);
    lines.optional(email(world, &order, &mut dice).as_deref());
    match order.card {
        true => card(lines, (order.person, 0)),
        false => lines.optional(None),
    }
    lines.text(if order.online { "online" } else { world.store(number, order.person) });
    lines.cents(order.total());
    lines.time(order.at);
    lines.end();
}

fn email(world: &World, order: &Order, dice: &mut Dice) -> Option<String> {
    if !order.online && !dice.permille(RECEIPT_BY_MAIL) {
        return None;
    }
    let mailbox = if dice.permille(90) { Mailbox::Other } else { Mailbox::Main };
    Some(world.mailbox(&world.person(order.person)?, mailbox))
}
