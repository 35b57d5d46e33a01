//! `VACUUM`, `CLUSTER`, `ANALYZE`, `CHECKPOINT` do what they say.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::client::Client;
use crate::server::Server;

pub(super) fn statements() -> Result<()> {
    let server = Server::start()?;
    let mut client = Client::connect(server.port, "postgres")?;
    client
        .simple("CREATE TABLE t (a int PRIMARY KEY, b text); CREATE VIEW v AS SELECT a FROM t")?;
    for start in [1, 1001, 2001] {
        client.simple(&format!(
            "INSERT INTO t SELECT g, 'x' FROM generate_series({start}, {start} + 999) g"
        ))?;
        client.simple("CHECKPOINT")?;
    }
    ensure!(files(&server.data)? == 3, "CHECKPOINT writes files");
    client.simple("DELETE FROM t WHERE a % 2 = 0")?;
    for (sql, tag) in [
        ("ANALYZE", "ANALYZE"),
        ("ANALYZE VERBOSE t (a), t", "ANALYZE"),
        ("VACUUM (VERBOSE, ANALYZE) t", "VACUUM"),
        ("CLUSTER t", "CLUSTER"),
        ("VACUUM FULL", "VACUUM"),
        ("VACUUM v", "VACUUM"),
    ] {
        let found = client.simple(sql)?.tag;
        ensure!(found == tag, "{sql}: {found}");
    }
    // The statement before held the old files.
    client.simple("VACUUM t")?;
    ensure!(files(&server.data)? == 1, "VACUUM merges files");
    let answer = client.simple(
        "SELECT c.reltuples, s.n_live_tup FROM pg_class c JOIN pg_stat_user_tables s \
         ON s.relid = c.oid WHERE c.relname = 't'",
    )?;
    let row: Vec<&str> = answer.rows.iter().flatten().flatten().map(String::as_str).collect();
    ensure!(row == ["1500", "1500"], "{row:?}");
    for (sql, sqlstate) in [
        ("VACUUM nothing", "42P01"),
        ("ANALYZE nothing", "42P01"),
        ("CLUSTER v", "42809"),
        ("BEGIN; VACUUM", "25001"),
        ("CLUSTER t USING t_pkey", "0A000"),
    ] {
        let refused = client.simple(sql).err().map(|error| error.to_string()).unwrap_or_default();
        ensure!(refused.starts_with(sqlstate), "{sql}: {refused}");
        client.simple("ROLLBACK")?;
    }
    Ok(())
}

fn files(data: &Path) -> Result<usize> {
    let mut files = Vec::new();
    super::damage::files_below(&data.join("databases"), &mut files)?;
    // Those of built-in relations are not counted.
    let of_table = |path: &&PathBuf| {
        let relation = path.parent().and_then(|one| one.file_name()?.to_str()?.parse().ok());
        let parquet = path.extension().is_some_and(|one| one == "parquet");
        parquet && relation.is_some_and(|one: u32| one >= 16384)
    };
    Ok(files.iter().filter(of_table).count())
}
