//! A bank: money moves between accounts, and its sum stays.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::{Work, attempt, numbers};
use crate::client::{Client, value};

const ACCOUNTS: u64 = 20;
const EACH: u64 = 1000;

/// Transfers, each booked with its number in the same transaction.
pub(super) struct Transfers {
    next: u64,
    acknowledged: BTreeSet<u64>,
    asked: BTreeSet<u64>,
}

impl Transfers {
    pub(super) fn new(place: u64) -> Self {
        Self { next: place * 7 + 1, acknowledged: BTreeSet::new(), asked: BTreeSet::new() }
    }
}

impl Work for Transfers {
    fn name(&self) -> &'static str {
        "transfers"
    }

    fn prepare(&self, client: &mut Client) -> Result<()> {
        client.simple(&format!(
            "CREATE TABLE accounts (id bigint PRIMARY KEY, balance bigint NOT NULL); \
             CREATE TABLE bookings (id bigint PRIMARY KEY, amount bigint NOT NULL); \
             INSERT INTO accounts SELECT g, {EACH} FROM generate_series(1, {ACCOUNTS}) g"
        ))?;
        Ok(())
    }

    fn step(&mut self, client: &mut Client) -> Result<()> {
        let id = self.next;
        self.next += 1;
        self.asked.insert(id);
        let (from, to) = (id % ACCOUNTS + 1, id * 7 % ACCOUNTS + 1);
        let amount = id % 13;
        let moved = attempt(
            client,
            &format!(
                "BEGIN; UPDATE accounts SET balance = balance - {amount} WHERE id = {from}; \
                 UPDATE accounts SET balance = balance + {amount} WHERE id = {to}; \
                 INSERT INTO bookings VALUES ({id}, {amount}); COMMIT"
            ),
        )?;
        if moved {
            self.acknowledged.insert(id);
        }
        Ok(())
    }

    fn verify(&mut self, client: &mut Client) -> Result<()> {
        let sum = value(client, "SELECT sum(balance) || ' ' || count(*) FROM accounts")?;
        if sum != format!("{} {ACCOUNTS}", EACH * ACCOUNTS) {
            bail!("the accounts hold {sum}");
        }
        let found: BTreeSet<u64> =
            numbers(client, "SELECT id FROM bookings")?.into_iter().collect();
        if let Some(lost) = self.acknowledged.difference(&found).next() {
            bail!("transfer {lost} was acknowledged and is lost");
        }
        if let Some(strange) = found.difference(&self.asked).next() {
            bail!("transfer {strange} was never asked for");
        }
        Ok(())
    }

    fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }
}
