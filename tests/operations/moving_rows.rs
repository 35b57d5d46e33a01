//! Rows move to other files while writers look for them: no write misses its row, none is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::client::{Client, ServerError, value};
use crate::server::Server;

const KEYS: u64 = 20;
const WRITERS: usize = 3;
const SECONDS: u64 = 6;

pub(super) fn are_found() -> Result<()> {
    let server = Server::start()?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple(
        "CREATE TABLE moving (id bigint PRIMARY KEY, n bigint); \
         CREATE TABLE counter (id int PRIMARY KEY, n bigint); INSERT INTO counter VALUES (1, 0)",
    )?;
    let stop = Arc::new(AtomicBool::new(false));
    let port = server.port;
    let upkeep = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || -> Result<()> {
            let mut client = Client::connect(port, "postgres")?;
            while !stop.load(Ordering::Relaxed) {
                client.simple("CHECKPOINT")?;
                client.simple("CLUSTER moving")?;
                client.simple("VACUUM counter")?;
            }
            Ok(())
        })
    };
    let counters: Vec<_> = (0..WRITERS)
        .map(|_| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || count(port, &stop))
        })
        .collect();
    let moved = write(port);
    stop.store(true, Ordering::Relaxed);
    let mut counted = 0;
    for counter in counters {
        match counter.join() {
            Ok(count) => counted += count?,
            Err(_) => bail!("a writer panicked"),
        }
    }
    ensure!(upkeep.join().is_ok_and(|done| done.is_ok()), "upkeep failed");
    println!("moving rows: {} writes of rows, {counted} of a counter", moved?);
    let n = value(&mut client, "SELECT n FROM counter")?;
    ensure!(n == counted.to_string(), "{counted} additions were acknowledged, the sum is {n}");
    Ok(())
}

/// Writes rows that nobody else writes: each statement must meet its row.
fn write(port: u16) -> Result<usize> {
    let mut client = Client::connect(port, "postgres")?;
    let begun = Instant::now();
    let mut writes = 0;
    for round in 0_u64.. {
        for id in 0..KEYS {
            for (sql, tag) in [
                (format!("INSERT INTO moving VALUES ({id}, {round})"), "INSERT 0 1"),
                (format!("UPDATE moving SET n = n + 1 WHERE id = {id}"), "UPDATE 1"),
                (
                    format!(
                        "INSERT INTO moving VALUES ({id}, 0) \
                         ON CONFLICT (id) DO UPDATE SET n = moving.n + 1"
                    ),
                    "INSERT 0 1",
                ),
                (format!("DELETE FROM moving WHERE n = {round} + 2 AND id = {id}"), "DELETE 1"),
            ] {
                let found = client.simple(&sql)?.tag;
                ensure!(found == tag, "{sql}: {found}");
                writes += 1;
            }
        }
        if begun.elapsed() > Duration::from_secs(SECONDS) {
            break;
        }
    }
    Ok(writes)
}

/// Adds to the one row that all want; returns how often it was acknowledged.
fn count(port: u16, stop: &AtomicBool) -> Result<usize> {
    let mut client = Client::connect(port, "postgres")?;
    let mut counted = 0;
    while !stop.load(Ordering::Relaxed) {
        match client.simple("UPDATE counter SET n = n + 1 WHERE id = 1") {
            Ok(answer) => {
                ensure!(answer.tag == "UPDATE 1", "the counter was not found: {}", answer.tag);
                counted += 1;
            }
            Err(error) => match error.downcast_ref::<ServerError>() {
                Some(told) if told.sqlstate == "40001" => {}
                _ => return Err(error),
            },
        }
    }
    Ok(counted)
}
