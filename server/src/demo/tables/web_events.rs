//! `web.events`: what browsers report.

use super::Table;
use crate::demo::world::World;
use crate::demo::world::lines::{Lines, cents, digits};
use crate::demo::world::product::product_key;
use crate::demo::world::session::{Subject, Visit};
use crate::demo::world::sources::contact_id;

/// A unit is a visit that buys nothing, and the order of that number where it was made in a visit.
pub(super) const TABLE: Table =
    Table { name: "web.events", units: |world| world.orders, write, rows_of_thousand: 5016 };

fn write(world: &World, number: u64, lines: &mut Lines) {
    report(world, &world.visit(number), number * 2, lines);
    if let Some(visit) = world.purchase(number) {
        report(world, &visit, number * 2 + 1, lines);
    }
}

fn report(world: &World, visit: &Visit, session: u64, lines: &mut Lines) {
    for step in &visit.steps {
        lines.uuid(visit.device);
        match visit.contact {
            Some(person) => contact_id(lines, world, (person, 0)),
            None => lines.optional(None),
        }
        lines.text(event(step.subject));
        lines.with(|out| properties(world, step.subject, session, out));
        lines.time(step.at);
        lines.end();
    }
}

fn event(subject: Subject) -> &'static str {
    match subject {
        Subject::Entry(_) => "visit",
        Subject::Category(_) => "category_view",
        Subject::Search(_) => "search",
        Subject::Product(_) => "product_view",
        Subject::Cart(..) => "add_to_cart",
        Subject::Checkout(_) => "checkout",
        Subject::Order(..) => "purchase",
    }
}

/// Writes a JSON object. No text in it needs an escape.
fn properties(world: &World, subject: Subject, session: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"session\": ");
    digits(out, session + 1, 1);
    match subject {
        Subject::Entry(source) => text(out, "source", source),
        Subject::Category(category) => text(out, "category", category_name(world, category)),
        Subject::Search(product) => {
            let name = world.product_name(product).to_lowercase();
            text(out, "query", name.split(' ').next_back().unwrap_or_default());
        }
        Subject::Product(product) => {
            key(out, "product_id", b"\"P", product_key(world, product), 5);
            amount(out, "price", world.price(product));
        }
        Subject::Cart(product, quantity) => {
            key(out, "product_id", b"\"P", product_key(world, product), 5);
            amount(out, "price", world.price(product));
            out.extend_from_slice(b", \"quantity\": ");
            digits(out, quantity, 1);
        }
        Subject::Checkout(total) => amount(out, "total", total),
        Subject::Order(number, total) => {
            key(out, "order_id", b"\"O", number + 1, 8);
            amount(out, "total", total);
        }
    }
    out.push(b'}');
}

fn category_name(world: &World, category: u64) -> &str {
    world.category(category).map_or("", |category| category.name.as_str())
}

fn name(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b", \"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\": ");
}

fn text(out: &mut Vec<u8>, label: &str, value: &str) {
    name(out, label);
    out.push(b'"');
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

fn key(out: &mut Vec<u8>, label: &str, prefix: &[u8], number: u64, width: usize) {
    name(out, label);
    out.extend_from_slice(prefix);
    digits(out, number, width);
    out.push(b'"');
}

fn amount(out: &mut Vec<u8>, label: &str, value: u64) {
    name(out, label);
    cents(out, value);
}
