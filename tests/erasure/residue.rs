//! Nothing of those who were erased is left, and nobody else changes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, ensure};

use super::people::{self, Person};
use super::{features, search, setting};
use crate::client::{Client, value};
use crate::server::Server;

/// People in one call.
const BATCH: usize = 16;

pub(super) fn nothing_is_left() -> Result<()> {
    let count = setting("CLIENTELE_RESIDUE_PEOPLE", 40);
    let server = Server::start()?;
    let mut client = Client::connect(server.port, "postgres")?;
    people::prepare(&mut client)?;
    let (erased, others) = (people::people(0, count), people::people(100_000, count));
    people::plant(&mut client, &erased)?;
    people::plant(&mut client, &others)?;
    let outside = tempfile::TempDir::new()?;
    features::plant(&mut client, &erased, outside.path())?;
    let before = search::search(&server.data, &erased)?;
    ensure!(before.len() > count, "the search found {} places before", before.len());
    let control = people::control(&mut client, &others)?;
    ensure!(control.len() == count, "{} controls", control.len());

    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..2)
        .map(|number| {
            let (port, stop) = (server.port, Arc::clone(&stop));
            std::thread::spawn(move || write(port, number, &stop))
        })
        .collect();
    for batch in erased.chunks(BATCH) {
        erase(&mut client, batch)?;
    }
    client.simple("CALL gdpr.purge()")?;
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        ensure!(writer.join().is_ok_and(|done| done.is_ok()), "a writer failed");
    }
    let open = value(&mut client, "SELECT count(*) FROM gdpr.erasures WHERE state <> 'completed'")?;
    ensure!(open == "0", "{open} erasures are not completed");
    let bad = "SELECT count(*) FROM gdpr.receipts WHERE NOT gdpr.verify_receipt(receipt_id)";
    let bad = value(&mut client, bad)?;
    ensure!(bad == "0", "{bad} receipts cannot be verified");
    let after = search::search(&server.data, &erased)?;
    ensure!(after.is_empty(), "{} are left: {after:?}", after.len());
    copies(&mut client, outside.path(), &erased)?;
    ensure!(people::control(&mut client, &others)? == control, "others have changed");

    // The nightly import comes again.
    let counts = "SELECT (SELECT count(*) FROM contacts) || ' ' || (SELECT count(*) FROM orders) \
                  || ' ' || (SELECT count(*) FROM order_lines) || ' ' || (SELECT count(*) FROM events)";
    let rows = value(&mut client, counts)?;
    for statement in people::import(&erased) {
        client.simple(&statement)?;
    }
    ensure!(value(&mut client, counts)? == rows, "an import brought somebody back");
    client.simple("CALL clientele.flush()")?;
    let again = search::search(&server.data, &erased)?;
    ensure!(again.is_empty(), "an import left {again:?}");
    let held = value(&mut client, "SELECT count(*) FROM gdpr.held_back")?;
    ensure!(held == "4", "rows of {held} tables were held back");
    Ok(())
}

/// Copies elsewhere: the one of a table was renewed; that of a table which is gone still has the
/// people, and each receipt names it.
fn copies(client: &mut Client, outside: &Path, erased: &[Person]) -> Result<()> {
    let renewed = search::search(&outside.join("orders"), erased)?;
    ensure!(renewed.is_empty(), "a published table has {renewed:?}");
    ensure!(!search::search(&outside.join("former"), erased)?.is_empty(), "nothing was published");
    let states = "SELECT DISTINCT string_agg(concat_ws(' ', c.value->>'table', c.value->>'state'), ', ' \
         ORDER BY c.value->>'directory') FROM gdpr.receipts, jsonb_array_elements(document->'copies') AS c \
         WHERE c.value->>'state' <> 'removed' GROUP BY receipt_id";
    let states = value(client, states)?;
    let expected = "public.former left, public.orders renewed, public.contacts renewed, \
                    public.orders renewed, public.renamed renewed";
    ensure!(states == expected, "the receipts say {states}");
    let directory = outside.join("former");
    client.simple(&format!("CALL gdpr.forget_copy('{}')", directory.display()))?;
    Ok(())
}

fn erase(client: &mut Client, batch: &[Person]) -> Result<()> {
    let names: Vec<String> = batch.iter().map(|one| format!("'email:{}'", one.email())).collect();
    let call =
        format!("CALL gdpr.erase(subjects => ARRAY[{}], reason => 'art. 17')", names.join(", "));
    // Writers may have been faster.
    for _ in 0..50 {
        match client.simple(&call) {
            Err(error) if error.to_string().starts_with("40001") => {}
            Err(error) => return Err(error),
            Ok(_) => return Ok(()),
        }
    }
    anyhow::bail!("writers were always faster")
}

/// Orders of people who are not concerned.
fn write(port: u16, number: usize, stop: &AtomicBool) -> Result<()> {
    let mut client = Client::connect(port, "postgres")?;
    for step in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        client.simple(&format!(
            "INSERT INTO orders VALUES ('W-{number}-{step}', 'w{step}@writers.example', NULL, 1, now())"
        ))?;
        if step % 7 == 3 {
            let sql = format!("DELETE FROM orders WHERE order_id = 'W-{number}-{}'", step - 2);
            client.simple(&sql)?;
        }
    }
    Ok(())
}
