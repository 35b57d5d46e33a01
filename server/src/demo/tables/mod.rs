//! The tables of the demo: one file each, and the one list of them.
//!
//! A table is written unit by unit: the unit is a person, an order, a visit, a campaign. Each unit
//! gives a few rows or none, and needs no other unit.

mod consents_decisions;
mod crm_contacts;
mod demo_truth_people;
mod loyalty_cards;
mod mail_campaigns;
mod mail_sends;
mod mail_subscribers;
mod shop_customers;
mod shop_order_lines;
mod shop_orders;
mod shop_products;
#[cfg(test)]
mod tests;
mod web_events;

use super::world::World;
use super::world::lines::Lines;

/// A table and how it is filled.
pub struct Table {
    /// Its name, with the schema.
    pub name: &'static str,
    /// How many units there are.
    pub(crate) units: fn(&World) -> u64,
    /// Writes the rows of a unit.
    pub(crate) write: fn(&World, u64, &mut Lines),
    /// About how many rows a thousand units give, for the progress bar.
    pub(crate) rows_of_thousand: u64,
}

/// All tables, in the order in which they are filled: a table comes after those that it refers to.
pub static TABLES: &[Table] = &[
    crm_contacts::TABLE,
    shop_products::TABLE,
    shop_customers::TABLE,
    shop_orders::TABLE,
    shop_order_lines::TABLE,
    loyalty_cards::TABLE,
    mail_campaigns::TABLE,
    mail_subscribers::TABLE,
    mail_sends::TABLE,
    consents_decisions::TABLE,
    web_events::TABLE,
    demo_truth_people::TABLE,
];

/// Bytes after which rows are handed on.
const CHUNK_BYTES: usize = 1 << 20;

/// Rows of a table as COPY takes them.
pub struct Chunk {
    /// Text format.
    pub bytes: Vec<u8>,
    /// How many rows there are.
    pub rows: u64,
}

impl Table {
    /// About how many rows there will be.
    pub fn rows_expected(&self, world: &World) -> u64 {
        (self.units)(world) * self.rows_of_thousand / 1000
    }

    /// The rows, in pieces.
    pub fn chunks<'w>(&'static self, world: &'w World) -> impl Iterator<Item = Chunk> + use<'w> {
        let (mut unit, units) = (0, (self.units)(world));
        let mut lines = Lines::default();
        std::iter::from_fn(move || {
            while unit < units && lines.len() < CHUNK_BYTES {
                (self.write)(world, unit, &mut lines);
                unit += 1;
            }
            let (bytes, rows) = lines.take();
            (rows > 0).then_some(Chunk { bytes, rows })
        })
    }
}
