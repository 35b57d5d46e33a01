//! `shop.order_lines`: what each order consists of.

use super::Table;
use crate::demo::world::World;
use crate::demo::world::lines::Lines;
use crate::demo::world::order::order_id;
use crate::demo::world::product::product_id;

pub(super) const TABLE: Table =
    Table { name: "shop.order_lines", units: |world| world.orders, write, rows_of_thousand: 2964 };

fn write(world: &World, number: u64, lines: &mut Lines) {
    for line in world.order(number).lines() {
        order_id(lines, number);
        product_id(lines, world, line.product);
        lines.number(line.quantity);
        lines.cents(line.cents);
        lines.end();
    }
}
