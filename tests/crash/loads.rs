//! Bulk loads: `COPY`, and now and then so many rows that they go straight to files. Every four
//! rows of a load are one customer's.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::{Work, attempt};
use crate::client::{Client, ServerError};

/// Rows of a COPY.
const ROWS: u64 = 2000;
/// Rows that are more than the store keeps in memory for one statement.
const MANY_ROWS: u64 = 140_000;

/// Rows of one customer.
const ROWS_OF_A_CUSTOMER: u64 = 4;

/// Loads by number, with their rows.
#[derive(Default)]
pub(super) struct Loads {
    next: u64,
    acknowledged: BTreeMap<u64, u64>,
    asked: BTreeMap<u64, u64>,
}

impl Work for Loads {
    fn name(&self) -> &'static str {
        "loads"
    }

    fn prepare(&self, client: &mut Client) -> Result<()> {
        client
            .simple("CREATE TABLE loads (load bigint, n bigint, note text, card loyalty_card)")?;
        Ok(())
    }

    fn step(&mut self, client: &mut Client) -> Result<()> {
        let load = self.next;
        self.next += 1;
        let rows = if load % 10 == 9 { MANY_ROWS } else { ROWS };
        self.asked.insert(load, rows);
        let done = if rows == MANY_ROWS {
            let sql = format!(
                "INSERT INTO loads SELECT {load}, g, 'many', 'L{load}N' || (g - 1) / {ROWS_OF_A_CUSTOMER} \
                 FROM generate_series(1, {rows}) g"
            );
            attempt(client, &sql)?
        } else {
            let line =
                |n| format!("{load}\t{n}\tcopied\tL{load}N{}\n", (n - 1) / ROWS_OF_A_CUSTOMER);
            let lines: String = (1..=rows).map(line).collect();
            match client.copy_in("COPY loads FROM STDIN", lines.as_bytes()) {
                Ok(_) => true,
                Err(error) if error.downcast_ref::<ServerError>().is_some() => false,
                Err(error) => return Err(error),
            }
        };
        if done {
            self.acknowledged.insert(load, rows);
        }
        Ok(())
    }

    fn verify(&mut self, client: &mut Client) -> Result<()> {
        let answer = client.simple(
            "SELECT load, count(*), count(DISTINCT n), count(customer_id), \
             count(DISTINCT customer_id) FROM loads GROUP BY 1",
        )?;
        let mut found = BTreeMap::new();
        for row in &answer.rows {
            let row: Vec<u64> = row.iter().flatten().filter_map(|text| text.parse().ok()).collect();
            let [load, rows, distinct, known, customers] = row[..] else {
                bail!("a load has no number")
            };
            if self.asked.get(&load) != Some(&rows) || rows != distinct {
                bail!("load {load} has {rows} rows, {distinct} distinct");
            }
            if known != rows || customers != rows / ROWS_OF_A_CUSTOMER {
                bail!("{known} of {rows} rows of load {load} are {customers} customers'");
            }
            found.insert(load, rows);
        }
        match self.acknowledged.keys().find(|load| !found.contains_key(load)) {
            Some(lost) => bail!("load {lost} was acknowledged and is lost"),
            None => Ok(()),
        }
    }

    fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }
}
