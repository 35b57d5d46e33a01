//! A full disk: a clear error, reads go on, nothing is lost, and writes go on when there is room.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail, ensure};

use super::{clientele, shown};
use crate::client::{Client, ServerError, value};
use crate::server::Server;

/// A small file system in memory, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` when this process may not mount.
    fn mount(at: &Path) -> Result<Option<Self>> {
        std::fs::create_dir_all(at)?;
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=96m", "tmpfs"]).arg(at).output();
        Ok(mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned())))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).output());
    }
}

pub(super) fn is_told() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let Some(disk) = SmallDisk::mount(&folder.path().join("disk"))? else {
        eprintln!("full_disk: a small file system cannot be mounted here, skipped");
        return Ok(());
    };
    let data = disk.0.join("data");
    let mut server = Server::on(&data)?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple("CREATE TABLE t (id int PRIMARY KEY, b text)")?;
    client.simple("INSERT INTO t VALUES (0, 'before')")?;
    let filler = disk.0.join("filler");
    fill(&filler)?;
    let mut acknowledged = 1;
    let refused = loop {
        ensure!(acknowledged < 200, "a full disk takes everything");
        let sql = format!(
            "INSERT INTO t SELECT {acknowledged}, string_agg(md5(g::text), '') \
             FROM generate_series(1, 30000) g"
        );
        match client.simple(&sql) {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    let Some(error) = refused.downcast_ref::<ServerError>() else { return Err(refused) };
    ensure!(error.sqlstate == "53100", "a full disk is told as {error}");
    println!("full disk: {acknowledged} rows acknowledged before {error}");
    let count = |client: &mut Client| value(client, "SELECT count(*) FROM t");
    ensure!(count(&mut client)? == acknowledged.to_string(), "rows were lost or are half there");
    let mut other = Client::connect(server.port, "postgres")?;
    ensure!(value(&mut other, "SELECT b FROM t WHERE id = 0")? == "before", "reads do not go on");
    std::fs::remove_file(&filler)?;
    client.simple(&format!("INSERT INTO t VALUES ({acknowledged}, 'after')"))?;
    acknowledged += 1;
    server.kill();
    let server = Server::on(&data)?;
    let mut client = Client::connect(server.port, "postgres")?;
    ensure!(count(&mut client)? == acknowledged.to_string(), "rows are lost after a restart");
    client.simple("CHECKPOINT")?;
    server.terminate()?;
    let output = clientele(&["check"], &data)?;
    ensure!(output.status.success(), "check: {}", shown(&output));
    Ok(())
}

/// Leaves no room.
fn fill(path: &Path) -> Result<()> {
    use std::io::Write;
    let mut file = std::fs::File::create(path)?;
    let chunk = vec![0; 1 << 16];
    for _ in 0..10_000 {
        if file.write_all(&chunk).is_err() {
            return Ok(());
        }
    }
    bail!("the file system is not small")
}

/// The directory of the files is lost: 58030, other tables are read, no panic.
pub(super) fn directory_is_lost() -> Result<()> {
    let server = Server::start()?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple("CREATE TABLE gone (a int); CREATE TABLE stays (a int)")?;
    client.simple("INSERT INTO gone SELECT g FROM generate_series(1, 1000) g")?;
    client.simple("INSERT INTO stays VALUES (1)")?;
    client.simple("CHECKPOINT")?;
    let oid = value(&mut client, "SELECT 'gone'::regclass::oid")?;
    let database = value(&mut client, "SELECT oid FROM pg_database WHERE datname = 'postgres'")?;
    let directory = server.data.join(format!("databases/{database}/files/{oid}"));
    std::fs::remove_dir_all(&directory)?;
    let refused = client.simple("SELECT sum(a) FROM gone");
    let refused = refused.err().map(|error| error.to_string()).unwrap_or_default();
    ensure!(refused.starts_with("58030"), "a lost directory is told as {refused:?}");
    ensure!(value(&mut client, "SELECT a FROM stays")? == "1", "other tables cannot be read");
    client.simple("INSERT INTO stays VALUES (2)")?;
    ensure!(value(&mut client, "SELECT count(*) FROM stays")? == "2", "writes do not go on");
    Ok(())
}
