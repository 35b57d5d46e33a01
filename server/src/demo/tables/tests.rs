//! The rows are the same everywhere, as many as the scale says, and agree from table to table.

use std::collections::BTreeSet;

use super::{TABLES, Table};
use crate::demo::world::World;
use crate::demo::world::lines::Lines;
use crate::demo::world::random::scattered;

fn table(name: &str) -> &'static Table {
    TABLES.iter().find(|table| table.name == name).unwrap()
}

/// Rows of those units, as fields.
fn rows(table: &Table, world: &World, units: impl Iterator<Item = u64>) -> Vec<Vec<String>> {
    let mut lines = Lines::default();
    units.for_each(|unit| (table.write)(world, unit, &mut lines));
    let text = String::from_utf8(lines.take().0).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// So many units from everywhere.
fn spread(table: &Table, world: &World, count: u64) -> impl Iterator<Item = u64> + use<> {
    let units = (table.units)(world);
    (0..count.min(units)).map(move |place| scattered(place, units))
}

/// FNV-1a: a hash that no version of a library changes.
fn hash(rows: &[Vec<String>]) -> u64 {
    let text = rows.iter().map(|row| row.join("\t")).collect::<Vec<_>>().join("\n");
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// A change here changes everybody's demo: mention it in the change log.
const HASHES: &[(&str, u64)] = &[
    ("crm.contacts", 0x5092_0b93_8299_49d6),
    ("shop.products", 0xc42d_a1e2_cb39_d08a),
    ("shop.customers", 0x3526_87d0_c3fb_93fb),
    ("shop.orders", 0x4230_377d_54c3_a551),
    ("shop.order_lines", 0xb63d_fc21_5014_7e3a),
    ("loyalty.cards", 0x6f91_05f9_abf7_2942),
    ("mail.campaigns", 0x6f5c_a10d_b163_72cb),
    ("mail.subscribers", 0x2dd3_2622_6899_e0e6),
    ("mail.sends", 0xfdd5_39ce_f27f_d9ed),
    ("consents.decisions", 0x334d_7169_6cab_5441),
    ("web.events", 0xb3cb_4f90_abc4_8532),
    ("demo_truth.people", 0x6f8e_b49d_b54c_e437),
];

#[test]
fn the_same_seed_gives_the_same_rows_everywhere() {
    let world = World::new(42, 1);
    let found: Vec<(&str, u64)> = TABLES
        .iter()
        .map(|table| (table.name, hash(&rows(table, &world, spread(table, &world, 400)))))
        .collect();
    assert_eq!(found, HASHES, "{found:#x?}");
}

#[test]
fn another_seed_gives_other_people() {
    let (one, other) = (World::new(42, 1), World::new(43, 1));
    let contacts = table("crm.contacts");
    assert_ne!(rows(contacts, &one, 0..50), rows(contacts, &other, 0..50));
}

#[test]
fn rows_grow_with_the_scale() {
    let (small, large) = (World::new(42, 1), World::new(42, 7));
    for table in TABLES.iter().filter(|table| table.name != "mail.campaigns") {
        assert_eq!((table.units)(&small) * 7, (table.units)(&large), "{}", table.name);
        let share = |world: &World| {
            let count = spread(table, world, 8_000).count();
            rows(table, world, spread(table, world, 8_000)).len() as f64 * 1000.0 / count as f64
        };
        for found in [share(&small), share(&large)] {
            let expected = table.rows_of_thousand as f64;
            assert!((found / expected - 1.0).abs() < 0.08, "{}: {found} of {expected}", table.name);
        }
    }
}

#[test]
fn chunks_hold_all_rows() {
    let world = World::new(42, 1);
    let chunks: Vec<u64> = table("shop.products").chunks(&world).map(|chunk| chunk.rows).collect();
    assert_eq!(chunks.iter().sum::<u64>(), 2000);
}

#[test]
fn the_truth_names_every_record_once() {
    const SOURCES: &[&str] =
        &["crm.contacts", "shop.customers", "loyalty.cards", "mail.subscribers"];
    let world = World::new(42, 1);
    let mut records = BTreeSet::new();
    for (place, name) in SOURCES.iter().enumerate() {
        for row in rows(table(name), &world, 0..600) {
            assert!(records.insert((place, row[0].clone())), "{row:?} twice");
        }
    }
    let truth = rows(table("demo_truth.people"), &world, 0..600);
    let named = truth.iter().flat_map(|row| row[1..].iter().enumerate());
    let named = named.filter(|(place, value)| *place < SOURCES.len() && *value != "\\N");
    let truth: Vec<(usize, String)> = named.map(|(place, value)| (place, value.clone())).collect();
    assert_eq!(truth.len(), records.len());
    assert_eq!(truth.into_iter().collect::<BTreeSet<_>>(), records);
}

#[test]
fn tables_refer_to_what_there_is() {
    let world = World::new(42, 1);
    let orders = rows(table("shop.orders"), &world, 0..300);
    let products = rows(table("shop.products"), &world, 0..2000);
    let products: BTreeSet<&str> = products.iter().map(|row| row[0].as_str()).collect();
    let lines = rows(table("shop.order_lines"), &world, 0..300);
    assert_eq!(products.len(), 2000);
    assert!(lines.iter().all(|row| products.contains(row[1].as_str())));
    for order in &orders {
        let of_order = lines.iter().filter(|line| line[0] == order[0]);
        let total: f64 = of_order
            .map(|line| line[2].parse::<f64>().unwrap() * line[3].parse::<f64>().unwrap())
            .sum();
        assert!((total - order[4].parse::<f64>().unwrap()).abs() < 0.001, "{order:?}: {total}");
    }
    let times: Vec<&String> = orders.iter().map(|order| &order[5]).collect();
    assert!(times.is_sorted(), "orders are numbered as they happen");
}

#[test]
fn everything_happens_before_the_end() {
    let world = World::new(42, 1);
    for table in TABLES {
        let units = (table.units)(&world);
        for row in rows(table, &world, units.saturating_sub(300)..units) {
            let late = row
                .iter()
                .filter(|field| field.ends_with("+00"))
                .find(|time| time.as_str() >= "2026-11-01");
            assert_eq!(late, None, "{}: {row:?}", table.name);
        }
    }
}
