//! `kill -9` under concurrent writers: what was acknowledged is there, nothing is half there.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use libtest_mimic::{Failed, Trial};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::client::{Client, ServerError, value};
use crate::server::Server;

/// How often the server is killed; `CRASHES` says otherwise.
const CRASHES: usize = 8;
const WRITERS: u64 = 4;

/// The trial.
pub fn trials() -> Vec<Trial> {
    vec![Trial::test("crash::kill", || run().map_err(|error| Failed::from(format!("{error:#}"))))]
}

fn run() -> Result<()> {
    let crashes =
        std::env::var("CRASHES").ok().and_then(|text| text.parse().ok()).unwrap_or(CRASHES);
    let folder = tempfile::TempDir::new()?;
    let data = folder.path().join("data");
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut acknowledged: BTreeSet<u64> = BTreeSet::new();
    let mut asked: BTreeSet<u64> = BTreeSet::new();
    {
        let server = Server::on(&data)?;
        let mut client = Client::connect(server.port, "postgres")?;
        client
            .simple("CREATE TABLE pairs (id bigint PRIMARY KEY, half int NOT NULL, note text)")?;
    }
    for round in 0..crashes {
        let mut server = Server::on(&data).with_context(|| format!("start after crash {round}"))?;
        verify(server.port, &acknowledged, &asked)?;
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (port, stop) = (server.port, Arc::clone(&stop));
                let first = (round as u64 * WRITERS + writer + 1) * 1_000_000;
                std::thread::spawn(move || write(port, first, &stop))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(random.random_range(100..900)));
        server.kill();
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            let Ok((done, begun)) = writer.join() else { bail!("a writer panicked") };
            acknowledged.extend(done);
            asked.extend(begun);
        }
    }
    let server = Server::on(&data)?;
    verify(server.port, &acknowledged, &asked)?;
    drop(server);
    check(&data)?;
    println!("{crashes} crashes, {} transactions acknowledged, none lost", acknowledged.len());
    Ok(())
}

/// Writes pairs of rows, one transaction each, until the server is gone. Returns the ids that were
/// acknowledged and those that were asked for.
fn write(port: u16, first: u64, stop: &AtomicBool) -> (Vec<u64>, Vec<u64>) {
    let (mut done, mut begun) = (Vec::new(), Vec::new());
    let Ok(mut client) = Client::connect(port, "postgres") else { return (done, begun) };
    for id in (first..).step_by(2) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        begun.push(id);
        let written = pair(&mut client, id);
        match written {
            Ok(()) => done.push(id),
            Err(error) if error.downcast_ref::<ServerError>().is_some() => {}
            Err(_) => break,
        }
    }
    (done, begun)
}

fn pair(client: &mut Client, id: u64) -> Result<()> {
    match id % 7 {
        0 => {
            client.simple("BEGIN")?;
            client.simple(&format!("INSERT INTO pairs VALUES ({id}, 1, 'first')"))?;
            client.simple(&format!("INSERT INTO pairs VALUES ({}, 2, 'second')", id + 1))?;
            client.simple("COMMIT")?;
        }
        1 => {
            client.simple(&format!(
                "INSERT INTO pairs VALUES ({id}, 1, 'x'), ({}, 2, 'y')",
                id + 1
            ))?;
            client.simple(&format!(
                "UPDATE pairs SET note = 'changed' WHERE id IN ({id}, {})",
                id + 1
            ))?;
        }
        2 => {
            let table = format!("other_{id}");
            client.simple(&format!(
                "CREATE TABLE {table} (a int); INSERT INTO pairs VALUES ({id}, 1, ''), ({}, 2, ''); DROP TABLE {table}",
                id + 1
            ))?;
        }
        _ => {
            client.simple(&format!(
                "INSERT INTO pairs VALUES ({id}, 1, NULL), ({}, 2, NULL)",
                id + 1
            ))?;
        }
    }
    if id % 500 == 0 {
        client.simple("CALL clientele.flush()")?;
    }
    Ok(())
}

/// Whole pairs only, all that were acknowledged, none that nobody asked for.
fn verify(port: u16, acknowledged: &BTreeSet<u64>, asked: &BTreeSet<u64>) -> Result<()> {
    let mut client = Client::connect(port, "postgres")?;
    let answer = client.simple("SELECT id FROM pairs WHERE half = 1")?;
    let found: BTreeSet<u64> = answer
        .rows
        .iter()
        .filter_map(|row| row.first().cloned().flatten().and_then(|text| text.parse().ok()))
        .collect();
    if let Some(lost) = acknowledged.difference(&found).next() {
        bail!("pair {lost} was acknowledged and is lost");
    }
    if let Some(strange) = found.difference(asked).next() {
        bail!("pair {strange} was never written");
    }
    let halves = value(&mut client, "SELECT count(*) FROM pairs")?;
    if halves != (found.len() * 2).to_string() {
        bail!("{} pairs have {halves} rows", found.len());
    }
    Ok(())
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
