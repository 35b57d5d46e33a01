//! A server that is killed at any point of an erasure comes to the same end.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::people;
use super::{search, setting};
use crate::client::{Client, value};
use crate::server::Server;

/// People who are erased.
const PEOPLE: usize = 12;
/// Milliseconds after which the server is killed at most.
const DELAY_MS: u64 = 400;

/// What the receipt says of each table; that `C1 = C0` is a part of its verification.
const NUMBERS: &str = "SELECT string_agg(concat_ws(' ', t.value->>'table', t.value->>'A0', \
     t.value->>'B0', t.value->>'A1', t.value->>'B1'), '; ' ORDER BY t.value->>'table') \
     FROM gdpr.receipts, jsonb_array_elements(document->'tables') AS t";

pub(super) fn same_end() -> Result<()> {
    let kills = setting("CLIENTELE_RESIDUE_KILLS", 5);
    let expected = end(0, 0)?;
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut left = kills;
    while left > 0 {
        let some = left.min(1 + random.random_range(0..3));
        let found = end(some, random.random())?;
        ensure!(found == expected, "after {some} kills: {found} instead of {expected}");
        left -= some;
    }
    Ok(())
}

/// Runs a call on a server that is killed meanwhile; connects to the one that comes after it.
fn cut(server: &mut Server, data: &Path, (call, delay_ms): (&str, u64)) -> Result<Client> {
    let (port, call) = (server.port, call.to_owned());
    let work = std::thread::spawn(move || {
        // It ends with the server.
        Client::connect(port, "postgres").and_then(|mut one| one.simple(&call))
    });
    std::thread::sleep(Duration::from_millis(delay_ms));
    server.kill();
    let _ = work.join();
    *server = Server::on(data)?;
    Client::connect(server.port, "postgres")
}

/// Plants, erases, purges, with a number of kills on the way; returns what the receipt says.
fn end(kills: usize, seed: u64) -> Result<String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let folder = tempfile::TempDir::new()?;
    let data = folder.path().join("data");
    let mut server = Server::on(&data)?;
    let mut client = Client::connect(server.port, "postgres")?;
    people::prepare(&mut client)?;
    let (erased, others) = (people::people(0, PEOPLE), people::people(100_000, PEOPLE));
    people::plant(&mut client, &erased)?;
    people::plant(&mut client, &others)?;
    let control = people::control(&mut client, &others)?;
    let names: Vec<String> = erased.iter().map(|one| format!("'email:{}'", one.email())).collect();
    let erase =
        format!("CALL gdpr.erase(subjects => ARRAY[{}], reason => 'art. 17')", names.join(", "));
    if kills > 0 {
        let delay_ms = random.random_range(0..DELAY_MS);
        client = cut(&mut server, &data, (&erase, delay_ms))?;
    }
    if value(&mut client, "SELECT count(*) FROM gdpr.erasures")? == "0" {
        client.simple(&erase)?;
    }
    for _ in 0..kills {
        let delay_ms = random.random_range(0..DELAY_MS);
        client = cut(&mut server, &data, ("CALL gdpr.purge()", delay_ms))?;
    }
    client.simple("CALL gdpr.purge()")?;
    let left = search::search(&data, &erased)?;
    ensure!(left.is_empty(), "after {kills} kills: {left:?}");
    ensure!(people::control(&mut client, &others)? == control, "others have changed");
    let state = value(&mut client, "SELECT string_agg(DISTINCT state, ' ') FROM gdpr.requests")?;
    ensure!(state == "completed", "after {kills} kills the requests are {state}");
    let valid = "SELECT bool_and(gdpr.verify_receipt(receipt_id)) FROM gdpr.receipts";
    ensure!(value(&mut client, valid)? == "t", "a receipt cannot be verified");
    let numbers = value(&mut client, NUMBERS).context("numbers")?;
    ensure!(!numbers.is_empty(), "there is no receipt");
    Ok(numbers)
}
