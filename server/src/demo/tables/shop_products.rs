//! `shop.products`: the range.

use super::Table;
use crate::demo::world::World;
use crate::demo::world::calendar::{DAY, START, date_of};
use crate::demo::world::lines::Lines;
use crate::demo::world::product::product_id;
use crate::demo::world::random::{Topic, fact};

pub(super) const TABLE: Table = Table {
    name: "shop.products",
    units: |world| world.products.count,
    write,
    rows_of_thousand: 1000,
};

fn write(world: &World, product: u64, lines: &mut Lines) {
    let fact = fact(world.seed, Topic::Product, product);
    product_id(lines, world, product);
    lines.text(&world.product_name(product));
    lines.optional(world.category(product).map(|category| category.name.as_str()));
    lines.text(world.brand(product));
    lines.cents(world.price(product));
    // One in twelve is sold out.
    lines.number(if (fact >> 8).is_multiple_of(12) { 0 } else { (fact >> 16) % 400 });
    lines.optional_day(Some(date_of(START - ((fact >> 24) % 1500) as i64 * DAY)));
    lines.end();
}
