//! One setting bounds memory: statements spill, or fail with 53200; the process does not grow.

use anyhow::{Context, Result, ensure};

use crate::client::{Client, ServerError, value};
use crate::server::Server;

/// The setting, and what the process may take beyond it: code, caches, rows in memory.
const MEMORY_MB: u64 = 64;
const BESIDE_MB: u64 = 600;

/// Statements that need more memory than there is.
const HEAVY: [&str; 3] = [
    "SELECT count(*) FROM (SELECT note FROM heavy ORDER BY note, n OFFSET 1) s",
    "SELECT count(*) FROM (SELECT note, count(*) FROM heavy GROUP BY note) s",
    "SELECT count(*) FROM heavy a JOIN heavy b ON a.note = b.note",
];

pub(super) fn is_bounded() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let memory = ["--memory".to_owned(), format!("{MEMORY_MB}MB")];
    let server = Server::with(&folder.path().join("data"), &memory)?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple("CREATE TABLE heavy (n bigint, note text)")?;
    for start in [0, 100_000, 200_000, 300_000] {
        client.simple(&format!(
            "INSERT INTO heavy SELECT g, md5(g::text) || md5((g + 1)::text) || md5((g + 2)::text) \
             FROM generate_series({start} + 1, {start} + 100000) g"
        ))?;
    }
    client.simple("CHECKPOINT")?;
    for sql in HEAVY {
        match client.simple(sql) {
            Ok(answer) => println!("memory: {sql}: {:?}", answer.rows),
            Err(error) => {
                let told = error.downcast_ref::<ServerError>().context("the server is gone")?;
                ensure!(told.sqlstate == "53200", "{sql}: {told}");
                println!("memory: {sql}: {told}");
            }
        }
    }
    ensure!(value(&mut client, "SELECT 1")? == "1", "the session is gone");
    let peak_mb = server.peak_memory_mb()?;
    println!("memory: {MEMORY_MB} MB allowed, {peak_mb} MB resident at most");
    ensure!(peak_mb < MEMORY_MB + BESIDE_MB, "the process grew to {peak_mb} MB");
    Ok(())
}
