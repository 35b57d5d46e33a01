//! Pairs of rows, one transaction each, by several statements or one.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::{Work, attempt, numbers};
use crate::client::{Client, value};

/// Pairs of one writer; the table is shared by two.
pub(super) struct Pairs {
    next: u64,
    own: std::ops::Range<u64>,
    acknowledged: BTreeSet<u64>,
    asked: BTreeSet<u64>,
}

impl Pairs {
    pub(super) fn new(writer: u64) -> Self {
        let first = (writer + 1) * 1_000_000_000;
        let own = first..first + 1_000_000_000;
        Self { next: first, own, acknowledged: BTreeSet::new(), asked: BTreeSet::new() }
    }
}

impl Work for Pairs {
    fn name(&self) -> &'static str {
        "pairs"
    }

    fn prepare(&self, client: &mut Client) -> Result<()> {
        client.simple(
            "CREATE TABLE IF NOT EXISTS pairs \
             (id bigint PRIMARY KEY, half int NOT NULL, note text)",
        )?;
        Ok(())
    }

    fn step(&mut self, client: &mut Client) -> Result<()> {
        let (id, twin) = (self.next, self.next + 1);
        self.next += 2;
        self.asked.insert(id);
        let sql = match id / 2 % 4 {
            0 => format!(
                "BEGIN; INSERT INTO pairs VALUES ({id}, 1, 'first'); \
                 INSERT INTO pairs VALUES ({twin}, 2, 'second'); COMMIT"
            ),
            1 => format!(
                "INSERT INTO pairs VALUES ({id}, 1, 'x'), ({twin}, 2, 'y'); \
                 UPDATE pairs SET note = 'changed' WHERE id IN ({id}, {twin})"
            ),
            2 => format!(
                "BEGIN; INSERT INTO pairs VALUES ({id}, 1, ''); SAVEPOINT s; \
                 INSERT INTO pairs VALUES ({twin}, 3, ''); ROLLBACK TO s; \
                 INSERT INTO pairs VALUES ({twin}, 2, ''); COMMIT"
            ),
            _ => format!("INSERT INTO pairs VALUES ({id}, 1, NULL), ({twin}, 2, NULL)"),
        };
        if attempt(client, &sql)? {
            self.acknowledged.insert(id);
        }
        Ok(())
    }

    fn verify(&mut self, client: &mut Client) -> Result<()> {
        let whole = value(
            client,
            "SELECT count(*) FILTER (WHERE half = 1) = \
             count(*) FILTER (WHERE half = 2) AND count(*) % 2 = 0 FROM pairs",
        )?;
        if whole != "t" {
            bail!("there are half pairs");
        }
        let found: BTreeSet<u64> = numbers(client, "SELECT id FROM pairs WHERE half = 1")?
            .into_iter()
            .filter(|id| self.own.contains(id))
            .collect();
        if let Some(lost) = self.acknowledged.difference(&found).next() {
            bail!("pair {lost} was acknowledged and is lost");
        }
        if let Some(strange) = found.difference(&self.asked).next() {
            bail!("pair {strange} was never written");
        }
        Ok(())
    }

    fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }
}
