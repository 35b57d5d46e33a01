//! A backup that is older than an erasure has the person still: the exported list takes them out.

use std::process::Command;

use anyhow::{Result, ensure};

use super::{people, search};
use crate::client::{Client, value};
use crate::server::Server;

/// People who are erased.
const PEOPLE: usize = 8;

pub(super) fn a_backup_is_cleaned() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let path = |name: &str| folder.path().join(name);
    let (backup, list) = (path("backup"), path("tombstones"));
    let (erased, others) = (people::people(0, PEOPLE), people::people(100_000, PEOPLE));
    {
        let server = Server::on(&path("data"))?;
        let mut client = Client::connect(server.port, "postgres")?;
        people::prepare(&mut client)?;
        people::plant(&mut client, &erased)?;
        people::plant(&mut client, &others)?;
        client.simple(&format!("CALL clientele.backup('{}')", backup.display()))?;
        let names: Vec<String> =
            erased.iter().map(|one| format!("'email:{}'", one.email())).collect();
        client.simple(&format!(
            "CALL gdpr.erase(subjects => ARRAY[{}], reason => 'art. 17')",
            names.join(", ")
        ))?;
        client.simple("CALL gdpr.purge()")?;
        client.simple(&format!("CALL gdpr.export_tombstones('{}')", list.display()))?;
    }
    let restored = path("restored");
    let output = Command::new(std::env::current_exe()?)
        .args(["--as-server", "restore"])
        .arg(&backup)
        .arg("--data-dir")
        .arg(&restored)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let server = Server::on(&restored)?;
    let mut client = Client::connect(server.port, "postgres")?;
    let control = people::control(&mut client, &others)?;
    let there = people::control(&mut client, &erased)?;
    ensure!(there.len() == PEOPLE, "the backup has {} of the people", there.len());
    client.simple(&format!("CALL gdpr.replay('{}')", list.display()))?;
    client.simple("CALL gdpr.purge()")?;
    ensure!(people::control(&mut client, &erased)?.is_empty(), "somebody is still there");
    ensure!(people::control(&mut client, &others)? == control, "others have changed");
    let left = search::search(&restored, &erased)?;
    ensure!(left.is_empty(), "the restored directory has {left:?}");
    for statement in people::import(&erased) {
        client.simple(&statement)?;
    }
    ensure!(people::control(&mut client, &erased)?.is_empty(), "an import brought somebody back");
    let held = value(&mut client, "SELECT count(*) FROM gdpr.held_back")?;
    ensure!(held == "4", "rows of {held} tables were held back");
    Ok(())
}
