//! A published table opens in delta-rs to the same rows.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::client::{Client, value};
use crate::server::Server;

const TABLE: &str = "
CREATE SCHEMA shop;
CREATE TABLE shop.orders (
  id bigint PRIMARY KEY, email email, total numeric(12,2), rate double precision, paid boolean,
  day date, at timestamptz, local timestamp, tags text[], doc jsonb, code uuid, wait interval,
  clock time, small smallint, \"Weird name\" text);
COMMENT ON COLUMN shop.orders.total IS 'in euros';
INSERT INTO shop.orders
  SELECT g, 'p' || g || '@example.com', g * 1.25, g / 8.0, g % 2 = 0, date '2026-01-01' + g::int,
    timestamptz '2026-01-01 00:00:00.123456+00' + g * interval '1 hour',
    timestamp '2026-01-01 12:00:00.25' + g * interval '1 minute',
    ARRAY['a' || g, NULL, 'c'], jsonb_build_object('n', g), '0f0e0d0c-0b0a-0908-0706-050403020100',
    g * interval '1 day 2 hours', time '01:02:03', (g % 100)::smallint, 'ü' || g
  FROM generate_series(1, 3000) g;
INSERT INTO shop.orders (id) VALUES (5000);
CREATE TABLE shop.plain (id bigint PRIMARY KEY, email email, total numeric(12,2), at timestamptz);
INSERT INTO shop.plain SELECT g, 'p' || g || '@example.com', g / 4.0, timestamptz '2026-01-01 UTC'
  FROM generate_series(1, 3000) g;
";

/// The rows of a table as Delta shows them: what it lacks a type for is text.
const ORDERS: &str = "SELECT json_build_object('id', id, 'email', email, 'total', total::text,
  'rate', rate, 'paid', paid, 'day', day::text,
  'at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00'),
  'local', to_char(local, 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), 'tags', to_json(tags),
  'doc', doc::text, 'code', code::text, 'wait', wait::text, 'clock', clock::text, 'small', small,
  'Weird name', \"Weird name\")::text FROM shop.orders ORDER BY id";
const PLAIN: &str = "SELECT json_build_object('id', id, 'email', email, 'total', total::text,
  'at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS+00:00'))::text
  FROM shop.plain ORDER BY id";

pub(super) fn published() -> Result<()> {
    let server = Server::start()?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple(TABLE)?;
    let root = server.data.join("delta/postgres");
    let version = |client: &mut Client, table: &str| -> Result<String> {
        let answer = client.simple(&format!("CALL clientele.publish_delta('shop.{table}')"))?;
        let row = answer.rows.first().context("no row")?;
        row.get(1).cloned().flatten().context("no version")
    };
    for (table, query) in [("orders", ORDERS), ("plain", PLAIN)] {
        let directory = root.join(format!("shop.{table}"));
        ensure!(version(&mut client, table)? == "0", "{table}: the first version is not 0");
        compare(&mut client, &directory, query)?;
        ensure!(version(&mut client, table)? == "0", "{table}: nothing had changed");
        client.simple(&format!("DELETE FROM shop.{table} WHERE id % 7 = 0"))?;
        client.simple(&format!("UPDATE shop.{table} SET email = NULL WHERE id % 5 = 0"))?;
        ensure!(version(&mut client, table)? == "1", "{table}: no new version");
        compare(&mut client, &directory, query)?;
    }
    same_bytes(&server.data, &root.join("shop.plain"))?;
    personal_values_stay(&root.join("shop.plain"))?;
    client.simple("ALTER TABLE shop.plain ADD COLUMN later int DEFAULT 7")?;
    client.simple("CALL clientele.publish_delta('shop.plain', retain_hours => 0)")?;
    let files = parquet_files(&root.join("shop.plain"))?;
    ensure!(files.len() == 1, "old files did not expire: {files:?}");
    let query = PLAIN.replace("'email'", "'later', later, 'email'");
    compare(&mut client, &root.join("shop.plain"), &query)?;
    for (sql, sqlstate) in [
        ("CALL clientele.publish_delta('shop.nothing')", "42P01"),
        ("CALL clientele.publish_delta('shop.plain', 'relative')", "42602"),
        ("CALL clientele.publish_delta(NULL)", "22004"),
        ("CALL clientele.publish_delta('shop.plain', retain_hours => -1)", "22023"),
    ] {
        let refused = client.simple(sql).err().map(|error| error.to_string()).unwrap_or_default();
        ensure!(refused.starts_with(sqlstate), "{sql}: {refused}");
    }
    ensure!(value(&mut client, "SELECT count(*) FROM shop.plain")? == "2572", "rows changed");
    Ok(())
}

fn compare(client: &mut Client, directory: &Path, query: &str) -> Result<()> {
    let answer = client.simple(query)?;
    let lines: Vec<String> =
        answer.rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect();
    let expected = tempfile::NamedTempFile::new()?;
    std::fs::write(expected.path(), lines.join("\n"))?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/delta_checks.py");
    let output =
        Command::new("python3").arg(script).arg(directory).arg(expected.path()).output()?;
    if output.status.code() == Some(3) {
        eprintln!("delta: python's deltalake is not installed, rows are not compared");
        return Ok(());
    }
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{}: {out}{err}", directory.display());
    println!("delta: {}", out.trim());
    Ok(())
}

fn parquet_files(directory: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut files = Vec::new();
    super::damage::files_below(directory, &mut files)?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "parquet"));
    Ok(files)
}

/// A published file is one of the table's own.
fn same_bytes(data: &Path, published: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let mut own = Vec::new();
    for path in parquet_files(&data.join("databases"))? {
        own.push(std::fs::metadata(path)?.ino());
    }
    for path in parquet_files(published)? {
        let is_newest = own.contains(&std::fs::metadata(&path)?.ino());
        if is_newest {
            return Ok(());
        }
    }
    anyhow::bail!("no published file is a link to one of the table's files")
}

fn personal_values_stay(directory: &Path) -> Result<()> {
    let log = std::fs::read_to_string(directory.join("_delta_log/00000000000000000000.json"))?;
    ensure!(log.contains("numRecords"), "no statistics: {log}");
    ensure!(!log.contains("@example.com"), "the log tells personal values");
    Ok(())
}
