//! Visits that stitch: groups of rows that share an e-mail address, merged by hand now and then, or
//! brought together by a device and told apart again.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};

use super::{Work, attempt, numbers};
use crate::client::{Client, value};

/// Rows of one group.
const ROWS_OF_A_GROUP: u64 = 4;
/// Puts a group and its customer into one number.
const FACTOR: u64 = 1 << 32;

/// Visits of one writer.
#[derive(Default)]
pub(super) struct Customers {
    next: u64,
    acknowledged: BTreeSet<u64>,
    merged: BTreeSet<(u64, u64)>,
    asked: BTreeSet<(u64, u64)>,
    split: BTreeSet<(u64, u64)>,
}

impl Customers {
    /// A device is seen with the addresses of two groups, in one transaction that looks at what it
    /// wrote; then a steward tells them apart.
    fn bring_together(&mut self, client: &mut Client, (a, b): (u64, u64)) -> Result<bool> {
        let (one, other) = (self.next, self.next + 1);
        self.next += 2;
        let row = |id: u64, troop: u64| {
            format!("INSERT INTO visits VALUES ({id}, {troop}, 'b-{one}', 't{troop}@shop.example')")
        };
        let whole = format!(
            "BEGIN; {}; SELECT count(customer_id) FROM visits WHERE id = {one}; {}; COMMIT",
            row(one, a),
            row(other, b)
        );
        if !attempt(client, &whole)? {
            return Ok(false);
        }
        self.acknowledged.extend([one, other]);
        attempt(
            client,
            &format!("CALL identity.split('email:t{a}@shop.example', 'email:t{b}@shop.example')"),
        )
    }
}

impl Work for Customers {
    fn name(&self) -> &'static str {
        "customers"
    }

    fn prepare(&self, client: &mut Client) -> Result<()> {
        client.simple(
            "CREATE TABLE IF NOT EXISTS visits (id bigint PRIMARY KEY, troop bigint, \
             device device_id, email email, name given_name)",
        )?;
        Ok(())
    }

    fn step(&mut self, client: &mut Client) -> Result<()> {
        let id = self.next;
        self.next += 1;
        let troop = id / ROWS_OF_A_GROUP;
        match id % 23 {
            7 if troop > 2 => {
                let pair = (troop - 2, troop - 1);
                self.asked.insert(pair);
                let sql = format!(
                    "CALL identity.merge('email:t{}@shop.example', 'email:t{}@shop.example')",
                    pair.0, pair.1
                );
                if attempt(client, &sql)? {
                    self.merged.insert(pair);
                }
            }
            15 if troop > 2 => {
                let pair = (troop - 2, troop - 1);
                self.asked.insert(pair);
                if self.bring_together(client, pair)? {
                    self.split.insert(pair);
                }
            }
            11 => {
                attempt(
                    client,
                    &format!("CALL identity.set_rule('phone', priority => {})", id % 90),
                )?;
            }
            _ => {}
        }
        let name = if id.is_multiple_of(2) { "NULL" } else { "'Jo'" };
        let sql = format!(
            "INSERT INTO visits VALUES ({id}, {troop}, 'd-{id}', 't{troop}@shop.example', {name})"
        );
        if attempt(client, &sql)? {
            self.acknowledged.insert(id);
        }
        Ok(())
    }

    fn verify(&mut self, client: &mut Client) -> Result<()> {
        let found: BTreeSet<u64> = numbers(client, "SELECT id FROM visits")?.into_iter().collect();
        if let Some(lost) = self.acknowledged.difference(&found).next() {
            bail!("visit {lost} was acknowledged and is lost");
        }
        let torn = value(
            client,
            "SELECT count(*) FROM (SELECT troop FROM visits GROUP BY troop HAVING \
             count(DISTINCT customer_id) <> 1 OR count(customer_id) < count(*)) AS torn",
        )?;
        ensure!(torn == "0", "{torn} groups are not one customer");
        let sql = format!(
            "SELECT troop * {FACTOR} + min(customer_id) FROM visits GROUP BY troop ORDER BY 1"
        );
        let customers: BTreeMap<u64, u64> =
            numbers(client, &sql)?.into_iter().map(|one| (one / FACTOR, one % FACTOR)).collect();
        for (a, b) in &self.merged {
            let same = customers.get(a) == customers.get(b);
            ensure!(same || !customers.contains_key(b), "the merge of {a} and {b} is lost");
        }
        for (a, b) in self.split.difference(&self.merged) {
            let same = customers.get(a) == customers.get(b);
            ensure!(!same || !customers.contains_key(b), "the split of {a} and {b} is lost");
        }
        let mut first: BTreeMap<u64, u64> = BTreeMap::new();
        for (troop, customer) in &customers {
            // Merges are of neighbours: who shares a customer does so with the one before.
            if let Some(before) = first.insert(*customer, *troop) {
                ensure!(
                    self.asked.contains(&(before, *troop)),
                    "groups {before} and {troop} are one customer, and nobody said so"
                );
            }
        }
        Ok(())
    }

    fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }
}
