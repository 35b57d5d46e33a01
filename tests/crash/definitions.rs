//! Definitions: tables, columns, indexes, materialized views and databases come and go.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::{Work, attempt};
use crate::client::{Client, value};

/// What was acknowledged about a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It has rows, a later column, an index and a materialized view.
    Whole,
    /// It was dropped.
    Gone,
    /// The server was killed meanwhile: any step may have been the last.
    Open,
}

/// Tables by number.
pub(super) struct Definitions {
    place: u64,
    next: u64,
    known: BTreeMap<u64, Known>,
}

impl Definitions {
    pub(super) fn new(place: u64) -> Self {
        Self { place, next: 0, known: BTreeMap::new() }
    }
}

impl Work for Definitions {
    fn name(&self) -> &'static str {
        "tables"
    }

    fn prepare(&self, _: &mut Client) -> Result<()> {
        Ok(())
    }

    fn step(&mut self, client: &mut Client) -> Result<()> {
        let id = self.next;
        self.next += 1;
        self.known.insert(id, Known::Open);
        let steps = [
            format!("CREATE TABLE t{id} (a int PRIMARY KEY, b text)"),
            format!("INSERT INTO t{id} SELECT g, 'text' FROM generate_series(1, 10) g"),
            format!("ALTER TABLE t{id} ADD COLUMN c int DEFAULT 7"),
            format!("CREATE INDEX t{id}_b ON t{id} (b)"),
            format!("CREATE MATERIALIZED VIEW m{id} AS SELECT sum(c) AS s FROM t{id}"),
            format!("UPDATE t{id} SET c = 8 WHERE a = 1"),
            format!("REFRESH MATERIALIZED VIEW m{id}"),
        ];
        for sql in &steps {
            client.simple(sql)?;
        }
        self.known.insert(id, Known::Whole);
        if !id.is_multiple_of(3) {
            self.known.insert(id, Known::Open);
            client.simple(&format!("DROP MATERIALIZED VIEW m{id}; DROP TABLE t{id}"))?;
            self.known.insert(id, Known::Gone);
        }
        if id.is_multiple_of(5) {
            let name = format!("d{}_{id}", self.place);
            attempt(client, &format!("CREATE DATABASE {name}"))?;
            attempt(client, &format!("DROP DATABASE {name}"))?;
        }
        Ok(())
    }

    fn verify(&mut self, client: &mut Client) -> Result<()> {
        for (id, known) in &mut self.known {
            let there = value(client, &format!("SELECT to_regclass('t{id}') IS NOT NULL"))? == "t";
            match known {
                Known::Gone if there => bail!("table t{id} was dropped and is back"),
                Known::Gone => continue,
                Known::Whole => {
                    let sum = value(client, &format!("SELECT s FROM m{id}"))?;
                    let own = value(client, &format!("SELECT sum(c) FROM t{id}"))?;
                    if (sum.as_str(), own.as_str()) != ("71", "71") {
                        bail!("t{id} has {own} and m{id} {sum}");
                    }
                }
                // Whatever is there can be read and dropped.
                Known::Open => {
                    client.simple(&format!("DROP MATERIALIZED VIEW IF EXISTS m{id}"))?;
                    if there {
                        let rows = value(client, &format!("SELECT count(*) FROM t{id}"))?;
                        if rows != "0" && rows != "10" {
                            bail!("t{id} has {rows} rows");
                        }
                        client.simple(&format!("DROP TABLE t{id}"))?;
                    }
                    *known = Known::Gone;
                }
            }
        }
        Ok(())
    }

    fn acknowledged(&self) -> usize {
        self.known.values().filter(|known| **known != Known::Open).count()
    }
}
