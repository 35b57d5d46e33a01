//! `clientele check` finds a changed byte in every kind of file, and names the file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::{clientele, shown};
use crate::client::{Client, value};
use crate::server::Server;

/// What is in the kinds of files: part of a path, bytes to look for.
const AFTER_A_CRASH: [(&str, &[u8]); 2] = [(".parquet", b"PAR1"), (".log", b"only in the log")];
const AT_REST: [(&str, &[u8]); 3] =
    [("catalog.redb", b"damaged_table"), ("cluster.redb", b"someone_known"), ("VERSION", b"1")];

pub(super) fn is_found() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let data = folder.path().join("data");
    let mut server = Server::on(&data)?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple(
        "CREATE ROLE someone_known; CREATE TABLE damaged_table (a int, b text); \
         INSERT INTO damaged_table SELECT g, 'text' FROM generate_series(1, 1000) g",
    )?;
    client.simple("CALL clientele.flush()")?;
    client.simple("INSERT INTO damaged_table VALUES (0, 'only in the log')")?;
    // A damaged record at the very end would be one that was never finished.
    client.simple("INSERT INTO damaged_table VALUES (0, 'another')")?;
    let rules = "SELECT (SELECT count(*) FROM identity.rule_changes) \
                 + (SELECT count(*) FROM identity.blocked_values)";
    let rules: u64 = value(&mut client, rules)?.parse()?;
    server.kill();
    let output = clientele(&["check"], &data)?;
    ensure!(output.status.success(), "check of a whole directory: {}", shown(&output));
    // With the rows of rules that a new database begins with.
    let rows = format!("{} rows", 1002 + rules);
    ensure!(shown(&output).contains(&rows), "{}", shown(&output));
    AFTER_A_CRASH.iter().try_for_each(|(kind, sign)| damage(&data, kind, sign))?;
    Server::on(&data)?.terminate()?;
    AT_REST.iter().try_for_each(|(kind, sign)| damage(&data, kind, sign))?;
    let output = clientele(&["check"], &data)?;
    ensure!(output.status.success(), "check after the repair: {}", shown(&output));
    let (path, _) = find(&data, ".parquet", b"PAR1")?;
    std::fs::remove_file(path)?;
    let output = clientele(&["check"], &data)?;
    ensure!(!output.status.success(), "a missing file is not found: {}", shown(&output));
    Ok(())
}

fn damage(data: &Path, kind: &str, sign: &[u8]) -> Result<()> {
    let (path, places) = find(data, kind, sign)?;
    let whole = std::fs::read(&path)?;
    let mut bytes = whole.clone();
    for at in places {
        *bytes.get_mut(at).context("the sign is in the file")? ^= 1;
    }
    std::fs::write(&path, &bytes)?;
    let output = clientele(&["check"], data)?;
    ensure!(!output.status.success(), "damage of {kind} is not found: {}", shown(&output));
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // A store of definitions that was not closed goes back to its state before, and what is told
    // is that the log does not continue that.
    let is_named = shown(&output).contains(&name) || kind == "catalog.redb";
    ensure!(is_named, "{kind} is not named: {}", shown(&output));
    std::fs::write(&path, &whole)?;
    Ok(())
}

/// The first file of the kind that has the bytes, and where.
fn find(data: &Path, kind: &str, sign: &[u8]) -> Result<(PathBuf, Vec<usize>)> {
    let mut files = Vec::new();
    files_below(data, &mut files)?;
    for path in files.into_iter().filter(|path| path.display().to_string().contains(kind)) {
        let bytes = std::fs::read(&path)?;
        let found = bytes.windows(sign.len()).enumerate().filter(|(_, window)| *window == sign);
        let places: Vec<usize> = found.map(|(at, _)| at).collect();
        if !places.is_empty() {
            return Ok((path, places));
        }
    }
    anyhow::bail!("no file {kind} has {}", String::from_utf8_lossy(sign))
}

/// All files below a directory.
pub(super) fn files_below(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => files_below(&entry.path(), files)?,
            false => files.push(entry.path()),
        }
    }
    Ok(())
}
