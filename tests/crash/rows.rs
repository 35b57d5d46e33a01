//! Single rows that UPDATE, MERGE and DELETE change again and again.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::{Work, numbers};
use crate::client::{Client, ServerError};

const KEYS: u64 = 40;

/// What each key has: the value that was acknowledged last, and the one that was asked for since.
pub(super) struct Rows {
    next: u64,
    done: usize,
    known: BTreeMap<u64, Option<u64>>,
    asked: Option<(u64, Option<u64>)>,
    /// What was done with each key, for the message when something is wrong.
    history: BTreeMap<u64, Vec<String>>,
}

impl Rows {
    pub(super) fn new(place: u64) -> Self {
        Self {
            next: place + 1,
            done: 0,
            known: BTreeMap::new(),
            asked: None,
            history: BTreeMap::new(),
        }
    }
}

impl Work for Rows {
    fn name(&self) -> &'static str {
        "changes of rows"
    }

    fn prepare(&self, client: &mut Client) -> Result<()> {
        client.simple(
            "CREATE TABLE changed (id bigint PRIMARY KEY, n bigint, twin bigint); \
             CREATE INDEX ON changed (n); CREATE INDEX ON changed (twin, id)",
        )?;
        Ok(())
    }

    fn step(&mut self, client: &mut Client) -> Result<()> {
        let step = self.next;
        self.next += 1;
        let key = step * 17 % KEYS;
        let present = self.known.get(&key).copied().flatten().is_some();
        let (sql, after) = match (present, step % 5) {
            (true, 0) => (format!("DELETE FROM changed WHERE id = {key}"), None),
            (true, 1 | 2) => (
                format!("UPDATE changed SET n = {step}, twin = -{step} WHERE id = {key}"),
                Some(step),
            ),
            _ => (
                format!(
                    "MERGE INTO changed t USING (SELECT {key} AS id, {step} AS n) s ON t.id = s.id \
                     WHEN MATCHED THEN UPDATE SET n = s.n, twin = -s.n \
                     WHEN NOT MATCHED THEN INSERT (id, n, twin) VALUES (s.id, s.n, -s.n)"
                ),
                Some(step),
            ),
        };
        self.asked = Some((key, after));
        let done = client.simple(&sql).map(|answer| answer.tag);
        let told = done.as_ref().map_or_else(ToString::to_string, Clone::clone);
        self.history.entry(key).or_default().push(format!("{sql}: {told}"));
        let done = match done {
            Err(error) if error.downcast_ref::<ServerError>().is_none() => return Err(error),
            done => done.is_ok(),
        };
        if done {
            self.known.insert(key, after);
            self.done += 1;
        }
        self.asked = None;
        Ok(())
    }

    fn verify(&mut self, client: &mut Client) -> Result<()> {
        let answer = client.simple("SELECT id, n, n + twin FROM changed")?;
        let mut found = BTreeMap::new();
        for row in &answer.rows {
            let row: Vec<u64> = row.iter().flatten().filter_map(|text| text.parse().ok()).collect();
            let [key, n, 0] = row[..] else { bail!("a row is half changed: {row:?}") };
            if found.insert(key, n).is_some() {
                bail!("key {key} is there twice");
            }
        }
        for key in 0..KEYS {
            let known = self.known.get(&key).copied().flatten();
            let now = found.get(&key).copied();
            let asked = self.asked.filter(|(asked, _)| *asked == key).map(|(_, value)| value);
            if now != known && asked != Some(now) {
                let history = self.history.remove(&key).unwrap_or_default().join("\n");
                bail!(
                    "key {key} has {now:?}, {known:?} was acknowledged, {asked:?} asked for\n{history}"
                );
            }
            self.history.entry(key).or_default().push(format!("crash: {now:?}"));
            let n = now.map_or_else(|| "NULL".to_owned(), |n| n.to_string());
            let by_index = format!("SELECT id FROM changed WHERE n = {n} AND twin = -{n}");
            let expected: Vec<u64> = now.iter().map(|_| key).collect();
            if numbers(client, &by_index)? != expected {
                bail!("key {key} is not found by its value {n}");
            }
            self.known.insert(key, now);
        }
        self.asked = None;
        Ok(())
    }

    fn acknowledged(&self) -> usize {
        self.done
    }
}
