//! `kill -9` under concurrent writers: what was acknowledged is there, nothing is half there.
//!
//! Writers of several kinds work in two databases, beside flushes and compactions, until the
//! server is killed; then it starts again and each writer verifies what it remembers.

mod customers;
mod definitions;
mod loads;
mod pairs;
mod rows;
mod transfers;
mod upkeep;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use libtest_mimic::{Failed, Trial};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::client::{Client, ServerError};
use crate::server::Server;

/// How often the server is killed; `CRASHES` says otherwise.
const CRASHES: usize = 8;
/// Where the writers work.
const DATABASES: [&str; 2] = ["postgres", "second"];

/// What a writer does, and what it remembers of it.
trait Work: Send {
    /// Its name in messages.
    fn name(&self) -> &'static str;
    /// Makes its tables.
    fn prepare(&self, client: &mut Client) -> Result<()>;
    /// Does one thing; fails when the server is gone.
    fn step(&mut self, client: &mut Client) -> Result<()>;
    /// Compares what is there with what was acknowledged.
    fn verify(&mut self, client: &mut Client) -> Result<()>;
    /// How many things were acknowledged.
    fn acknowledged(&self) -> usize;
}

struct Writer {
    database: &'static str,
    work: Box<dyn Work>,
}

/// The trial.
pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("crash::kill", || run().map_err(|error| Failed::from(format!("{error:#}"))))]
}

fn writers() -> Vec<Writer> {
    let mut writers = Vec::new();
    for (place, database) in (0_u64..).zip(DATABASES) {
        let works: [Box<dyn Work>; 8] = [
            Box::new(pairs::Pairs::new(2 * place)),
            Box::new(pairs::Pairs::new(2 * place + 1)),
            Box::new(transfers::Transfers::new(place)),
            Box::new(loads::Loads::default()),
            Box::new(rows::Rows::new(place)),
            Box::new(definitions::Definitions::new(place)),
            Box::new(upkeep::Upkeep::default()),
            Box::new(customers::Customers::default()),
        ];
        writers.extend(works.into_iter().map(|work| Writer { database, work }));
    }
    writers
}

fn run() -> Result<()> {
    let crashes =
        std::env::var("CRASHES").ok().and_then(|text| text.parse().ok()).unwrap_or(CRASHES);
    let folder = tempfile::TempDir::new()?;
    let data = folder.path().join("data");
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut writers = writers();
    {
        let server = Server::on(&data)?;
        Client::connect(server.port, "postgres")?.simple("CREATE DATABASE second")?;
        for writer in &writers {
            let mut client = Client::connect(server.port, writer.database)?;
            writer.work.prepare(&mut client).with_context(|| writer.work.name())?;
        }
    }
    for round in 0..crashes {
        let mut server = Server::on(&data).with_context(|| format!("start after crash {round}"))?;
        verify(server.port, &mut writers).with_context(|| format!("after crash {round}"))?;
        let stop = Arc::new(AtomicBool::new(false));
        let threads: Vec<_> = writers
            .drain(..)
            .map(|writer| {
                let (port, stop) = (server.port, Arc::clone(&stop));
                std::thread::spawn(move || write(port, writer, &stop))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(random.random_range(100..1500)));
        server.kill();
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            let Ok(writer) = thread.join() else { bail!("a writer panicked") };
            writers.push(writer);
        }
    }
    let server = Server::on(&data)?;
    verify(server.port, &mut writers)?;
    drop(server);
    check(&data)?;
    for writer in &writers {
        let (name, count) = (writer.work.name(), writer.work.acknowledged());
        println!("{crashes} crashes, {}: {count} {name} acknowledged, none lost", writer.database);
    }
    Ok(())
}

/// Works until the server is gone.
fn write(port: u16, mut writer: Writer, stop: &AtomicBool) -> Writer {
    if let Ok(mut client) = Client::connect(port, writer.database) {
        while !stop.load(Ordering::Relaxed) && writer.work.step(&mut client).is_ok() {}
    }
    writer
}

fn verify(port: u16, writers: &mut [Writer]) -> Result<()> {
    for writer in writers {
        let mut client = Client::connect(port, writer.database)?;
        let verified = writer.work.verify(&mut client);
        verified.with_context(|| format!("{} in {}", writer.work.name(), writer.database))?;
    }
    Ok(())
}

/// Runs statements; `false` when the server refuses them, as it does when writers meet.
fn attempt(client: &mut Client, sql: &str) -> Result<bool> {
    match client.simple(sql) {
        Ok(_) => Ok(true),
        Err(error) if error.downcast_ref::<ServerError>().is_some() => {
            client.simple("ROLLBACK")?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// The numbers in the first column.
fn numbers(client: &mut Client, sql: &str) -> Result<Vec<u64>> {
    let answer = client.simple(sql)?;
    let values = answer.rows.iter().filter_map(|row| row.first().cloned().flatten());
    values.map(|text| Ok(text.parse()?)).collect()
}

fn check(data: &Path) -> Result<()> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--as-server", "check", "--data-dir"])
        .arg(data)
        .output()?;
    if !output.status.success() {
        bail!(
            "check: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}
