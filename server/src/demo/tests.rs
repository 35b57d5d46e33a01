//! The definitions and the rows fit together.

use clientele_catalog::domains::{SEMANTIC_DOMAINS, SemanticDomain};
use clientele_engine::{Engine, EngineOptions};

use super::load::DEFINITIONS;
use super::tables::TABLES;
use super::world::World;
use super::world::lines::Lines;
use crate::command::import::client::Client;

/// Domains that the definitions make, and their base.
const OWN_DOMAINS: &[(&str, &str)] = &[("crm_id", "customer_key"), ("shop_id", "customer_key")];

struct Column {
    name: String,
    type_name: String,
}

impl Column {
    fn domain(&self) -> Option<&'static SemanticDomain> {
        let own = OWN_DOMAINS.iter().find(|(name, _)| *name == self.type_name);
        let name = own.map_or(self.type_name.as_str(), |(_, base)| base);
        SEMANTIC_DOMAINS.iter().find(|domain| domain.name == name)
    }
}

/// Columns as `CREATE TABLE` writes them: each begins after a comma and a space or line feed.
fn columns(table: &str) -> Vec<Column> {
    let head = format!("CREATE TABLE {table} (");
    let rest = DEFINITIONS.iter().find_map(|text| text.split_once(&head)).unwrap().1;
    let list = rest.split_once(");\n").unwrap().0.replace(",\n", ", ");
    list.split(", ")
        .filter_map(|part| part.trim().split_once(' '))
        .take_while(|(name, _)| {
            name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
        })
        .map(|(name, rest)| Column {
            name: name.to_owned(),
            type_name: rest.split(' ').next().unwrap_or_default().to_owned(),
        })
        .collect()
}

fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|table| table.name).chain([super::online_retail::TABLE])
}

#[test]
fn everything_has_a_comment() {
    let all = DEFINITIONS.concat();
    for table in tables() {
        let schema = table.split('.').next().unwrap();
        assert!(all.contains(&format!("COMMENT ON SCHEMA {schema} IS '")), "{schema}");
        assert!(all.contains(&format!("COMMENT ON TABLE {table} IS '")), "{table}");
        for Column { name, .. } in columns(table) {
            assert!(
                all.contains(&format!("COMMENT ON COLUMN {table}.{name} IS '")),
                "{table}.{name}"
            );
        }
    }
}

#[test]
fn values_are_of_their_domains() {
    const UNITS: u64 = 2_000;
    let world = World::new(7, 1);
    for table in TABLES {
        let columns = columns(table.name);
        let units = (table.units)(&world);
        let mut lines = Lines::default();
        (0..units)
            .step_by((units / UNITS).max(1) as usize)
            .for_each(|unit| (table.write)(&world, unit, &mut lines));
        let text = String::from_utf8(lines.take().0).unwrap();
        for line in text.lines() {
            assert!(!line.replace("\\N", "").contains('\\'), "{line}");
            let values: Vec<&str> = line.split('\t').collect();
            assert_eq!(values.len(), columns.len(), "{}: {line}", table.name);
            for (value, column) in
                values.into_iter().zip(&columns).filter(|(value, _)| *value != "\\N")
            {
                let valid = column.domain().map_or(Ok(()), |domain| (domain.validate)(value));
                assert_eq!(valid, Ok(()), "{}.{}: {value:?}", table.name, column.name);
            }
        }
    }
}

#[test]
fn online_retail_is_whole() {
    let mut rows = 0;
    for chunk in super::online_retail::chunks().unwrap() {
        let chunk = chunk.unwrap();
        if rows == 0 {
            let first = String::from_utf8(chunk.bytes).unwrap().lines().next().unwrap().to_owned();
            let expected = "536365\t85123A\tWHITE HANGING HEART T-LIGHT HOLDER\t6\t2010-12-01 08:26:00\t2.55\t17850\tUnited Kingdom";
            assert_eq!(first, expected);
        }
        rows += chunk.rows;
    }
    assert_eq!(rows, super::online_retail::ROWS);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_takes_the_definitions() {
    let data_dir = std::env::temp_dir().join(format!("demo-{}", std::process::id()));
    Engine::create(&data_dir, "secret").unwrap();
    {
        let options = EngineOptions { data_dir: data_dir.clone(), ..EngineOptions::default() };
        let engine = Engine::open(options).unwrap();
        let mut client = Client::connect(&engine, "postgres").unwrap();
        for definition in DEFINITIONS {
            client.script(definition).await.unwrap();
        }
    }
    std::fs::remove_dir_all(data_dir).unwrap();
}
