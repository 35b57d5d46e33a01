//! While one client works for long, another sees how far it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::client::Client;
use crate::server::Server;

const SEEN_WITHIN: Duration = Duration::from_secs(30);

/// The work of a round, and what another session must come to see of it.
const CASES: [(&str, &str, &str); 8] = [
    (
        "DELETE FROM wide WHERE n % 1000 = ROUND; VACUUM wide",
        "SELECT CASE relid WHEN 'wide'::regclass THEN phase END FROM pg_stat_progress_vacuum \
         WHERE heap_blks_total > 0 AND heap_blks_vacuumed <= heap_blks_total",
        "vacuuming heap",
    ),
    (
        "DELETE FROM wide WHERE n % 1000 = 500 + ROUND; CLUSTER wide",
        "SELECT CASE relid WHEN 'wide'::regclass THEN command END FROM pg_stat_progress_cluster \
         WHERE heap_blks_total > 0 AND heap_blks_scanned <= heap_blks_total",
        "CLUSTER",
    ),
    (
        "CALL clientele.backup('DIRECTORY/ROUND')",
        "SELECT phase FROM pg_stat_progress_basebackup \
         WHERE backup_total > 0 AND backup_streamed <= backup_total",
        "streaming database files",
    ),
    (
        "ALTER TABLE wide ADD CONSTRAINT wide_n UNIQUE (n); ALTER TABLE wide DROP CONSTRAINT wide_n",
        "SELECT CASE relid WHEN 'wide'::regclass THEN phase END FROM pg_stat_progress_create_index \
         WHERE blocks_total > 0 AND blocks_done <= blocks_total AND tuples_done >= 0",
        "building index: scanning table",
    ),
    (
        "CREATE TABLE copied AS SELECT * FROM wide; DROP TABLE copied",
        "SELECT phase FROM clientele.progress WHERE command = 'CREATE TABLE AS' AND rows_done > 0",
        "writing rows",
    ),
    (
        "REFRESH MATERIALIZED VIEW notes",
        "SELECT command FROM clientele.progress WHERE relid = 'notes'::regclass AND rows_done > 0",
        "REFRESH MATERIALIZED VIEW",
    ),
    (
        "DELETE FROM wide WHERE n % 1000 = 700 + ROUND; CALL clientele.publish_delta('wide')",
        "SELECT phase FROM clientele.progress WHERE command = 'CALL clientele.publish_delta' \
         AND relid = 'wide'::regclass AND phase = 'merging files' AND bytes_done <= bytes_total",
        "merging files",
    ),
    (
        "TRUNCATE narrow; INSERT INTO narrow SELECT n FROM wide LIMIT 50000; CHECKPOINT",
        "SELECT phase FROM clientele.progress WHERE command = 'CHECKPOINT' \
         AND bytes_total > 0 AND bytes_done <= bytes_total",
        "flushing rows in memory",
    ),
];

pub(super) fn is_seen() -> Result<()> {
    let server = Server::start()?;
    let folder = tempfile::TempDir::new()?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple(
        "CREATE TABLE wide AS SELECT g AS n, repeat(md5(g::text), 8) AS note \
         FROM generate_series(1, 100000) g; CHECKPOINT; \
         CREATE MATERIALIZED VIEW notes AS SELECT * FROM wide WHERE n < 50000; \
         CREATE TABLE narrow (n int)",
    )?;
    for (work, look, expected) in CASES {
        let work = work.replace("DIRECTORY", &folder.path().display().to_string());
        let stop = Arc::new(AtomicBool::new(false));
        let worker = {
            let (stop, port) = (Arc::clone(&stop), server.port);
            std::thread::spawn(move || repeat(port, &work, &stop))
        };
        let seen = watch(&mut client, look, &stop);
        stop.store(true, Ordering::Relaxed);
        match worker.join() {
            Ok(done) => done?,
            Err(_) => bail!("the worker panicked"),
        }
        let seen = seen?;
        ensure!(seen == expected, "{look}: {seen}");
        ensure!(client.simple(look)?.rows.is_empty(), "{look}: it is over");
    }
    Ok(())
}

fn repeat(port: u16, work: &str, stop: &AtomicBool) -> Result<()> {
    let mut client = Client::connect(port, "postgres")?;
    for round in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        for statement in work.replace("ROUND", &round.to_string()).split("; ") {
            client.simple(statement)?;
        }
    }
    Ok(())
}

/// The first value that the query finds.
fn watch(client: &mut Client, look: &str, stop: &AtomicBool) -> Result<String> {
    let began = Instant::now();
    while began.elapsed() < SEEN_WITHIN && !stop.load(Ordering::Relaxed) {
        if let Some(Some(seen)) = client.simple(look)?.rows.first().and_then(|row| row.first()) {
            return Ok(seen.clone());
        }
    }
    bail!("nothing was seen: {look}")
}
