//! Backup while writers work, restore, and a backup that was damaged.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, ensure};

use super::{clientele, shown};
use crate::client::{Client, ServerError, value};
use crate::server::Server;

const ACCOUNTS: u64 = 10;

pub(super) fn while_serving() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let server = Server::on(&data)?;
    fill(server.port)?;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..3)
        .map(|number| {
            let (port, stop) = (server.port, Arc::clone(&stop));
            std::thread::spawn(move || transfer(port, number, &stop))
        })
        .collect();
    let mut client = Client::connect(server.port, "brand")?;
    // Rows in files, rows in memory, rows deleted from files.
    client.simple("CALL clientele.flush(); DELETE FROM big WHERE n % 10 = 3")?;
    let call = format!("CALL clientele.backup('{}')", backup.display());
    client.simple(&call)?;
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        ensure!(writer.join().is_ok_and(|done| done.is_ok()), "a writer failed");
    }
    let again = client.simple(&call).err().map(|error| error.to_string()).unwrap_or_default();
    ensure!(again.starts_with("42710"), "a backup over another: {again}");
    let inside = client.simple(&format!("CALL clientele.backup('{}/x')", data.display()));
    ensure!(inside.is_err(), "a backup went into the data directory");
    client.simple("DROP TABLE big; CALL clientele.flush()")?;
    drop(server);

    let restored = folder.path().join("restored");
    let path = backup.display().to_string();
    let output = clientele(&["restore", &path], &restored)?;
    ensure!(output.status.success(), "restore: {}", shown(&output));
    compare(&restored)?;
    damaged_is_refused(&backup, &folder.path().join("never"))
}

fn fill(port: u16) -> Result<()> {
    let mut client = Client::connect(port, "postgres")?;
    client.simple("CREATE ROLE auditor LOGIN PASSWORD 'secret'")?;
    client.simple("CREATE DATABASE brand OWNER auditor")?;
    client.simple("COMMENT ON DATABASE brand IS 'the brand'")?;
    let mut client = Client::connect(port, "brand")?;
    client.simple(&format!(
        "CREATE TABLE accounts (id bigint PRIMARY KEY, balance bigint NOT NULL); \
         INSERT INTO accounts SELECT g, 100 FROM generate_series(1, {ACCOUNTS}) g; \
         CREATE TABLE big AS SELECT g AS n, 'text ' || g AS note FROM generate_series(1, 5000) g; \
         CREATE SEQUENCE numbers; CREATE VIEW rich AS SELECT id FROM accounts WHERE balance > 100"
    ))?;
    client.simple("SELECT nextval('numbers')")?;
    Ok(())
}

fn transfer(port: u16, number: u64, stop: &AtomicBool) -> Result<()> {
    let mut client = Client::connect(port, "brand")?;
    for step in number.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let (from, to) = (step % ACCOUNTS + 1, step * 3 % ACCOUNTS + 1);
        let moved = client.simple(&format!(
            "BEGIN; UPDATE accounts SET balance = balance - 1 WHERE id = {from}; \
             UPDATE accounts SET balance = balance + 1 WHERE id = {to}; COMMIT"
        ));
        match moved {
            Err(error) if error.downcast_ref::<ServerError>().is_none() => return Err(error),
            Err(_) => drop(client.simple("ROLLBACK")?),
            Ok(_) => {}
        }
    }
    Ok(())
}

fn compare(data: &Path) -> Result<()> {
    let server = Server::on(data)?;
    let mut client = Client::connect(server.port, "brand")?;
    let cases = [
        ("SELECT sum(balance) || ' ' || count(*) FROM accounts", "1000 10"),
        ("SELECT count(*) || ' ' || sum(n) FROM big", "4500 11253500"),
        ("SELECT count(*) = (SELECT count(*) FROM accounts WHERE balance > 100) FROM rich", "t"),
        ("SELECT nextval('numbers') > 1", "t"),
        ("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'auditor'", "t"),
        (
            "SELECT pg_get_userbyid(datdba) || ' ' || shobj_description(oid, 'pg_database') \
             FROM pg_database WHERE datname = 'brand'",
            "auditor the brand",
        ),
    ];
    for (sql, expected) in cases {
        let found = value(&mut client, sql)?;
        ensure!(found == expected, "{sql}: {found} instead of {expected}");
    }
    // It is written to like any other.
    client.simple("INSERT INTO accounts VALUES (99, 1); CREATE TABLE later (a int)")?;
    Ok(())
}

/// One byte of any file is enough.
fn damaged_is_refused(backup: &Path, target: &Path) -> Result<()> {
    let mut files = Vec::new();
    super::damage::files_below(backup, &mut files)?;
    let is_listed = |path: &&PathBuf| !path.ends_with("VERSION") && !path.ends_with("backup.json");
    for path in files.iter().filter(is_listed) {
        let whole = std::fs::read(path)?;
        let mut bytes = whole.clone();
        let Some(middle) = bytes.get_mut(whole.len() / 2) else { continue };
        *middle ^= 1;
        // Data files may be hard links: the copy takes the link's place.
        std::fs::remove_file(path)?;
        std::fs::write(path, &bytes)?;
        let output = clientele(&["restore", &backup.display().to_string()], target)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        ensure!(!output.status.success(), "restored with a damaged {name}");
        ensure!(shown(&output).contains(&name), "{name} is not named: {}", shown(&output));
        ensure!(!target.exists(), "something was left of a refused restore");
        std::fs::write(path, &whole)?;
    }
    std::fs::remove_file(backup.join("VERSION"))?;
    let output = clientele(&["restore", &backup.display().to_string()], target)?;
    ensure!(!output.status.success(), "half a backup was restored");
    Ok(())
}
