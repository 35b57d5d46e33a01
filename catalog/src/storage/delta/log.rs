//! The log of a Delta table (delta-io/delta, PROTOCOL.md): one JSON file for each version.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::disk;
use super::schema::{Range, Shape};
use crate::definition::Relation;
use crate::error::{Error, Result};

/// Where the log is, below the table.
pub(super) const DIRECTORY: &str = "_delta_log";
/// What names of files begin with that are being written. Readers pass over a leading dot.
pub(super) const DRAFT_PREFIX: &str = ".draft-";

/// A file of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Add {
    path: String,
    partition_values: BTreeMap<String, String>,
    size: u64,
    modification_time: i64,
    data_change: bool,
    stats: String,
    /// Its rows; in the log they are in `stats`.
    #[serde(skip)]
    pub(super) rows: u64,
}

impl Add {
    /// An entry for a file that is there.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub(super) fn new(
        file: &Path,
        path: String,
        rows: u64,
        is_whole: bool,
        ranges: Vec<Range>,
    ) -> Result<Self> {
        let metadata = std::fs::metadata(file).map_err(|error| disk::io_error(file, error))?;
        let mut stats = json!({"numRecords": rows});
        for Range { column, minimum, maximum, nulls } in ranges {
            stats["minValues"][&column] = minimum;
            stats["maxValues"][&column] = maximum;
            // Some of them may be in rows that were deleted.
            if is_whole {
                stats["nullCount"][&column] = Value::from(nulls);
            }
        }
        Ok(Self {
            path,
            partition_values: BTreeMap::new(),
            size: metadata.len(),
            modification_time: now_ms(),
            data_change: true,
            stats: stats.to_string(),
            rows,
        })
    }
}

/// What the log says so far.
#[derive(Debug)]
pub(super) struct Log {
    target: PathBuf,
    next_version: u64,
    active: BTreeMap<String, Add>,
    /// Files that no version needs any more, and since when, in milliseconds.
    removed: BTreeMap<String, i64>,
    metadata: Option<Value>,
    protocol: Option<Value>,
}

impl Log {
    /// Reads the log below a directory.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a version is missing or is not what this server writes.
    pub(super) fn read(target: &Path) -> Result<Self> {
        let mut log = Self {
            target: target.to_owned(),
            next_version: 0,
            active: BTreeMap::new(),
            removed: BTreeMap::new(),
            metadata: None,
            protocol: None,
        };
        let directory = target.join(DIRECTORY);
        let failed = |error| disk::io_error(&directory, error);
        let mut versions = BTreeSet::new();
        for entry in std::fs::read_dir(&directory).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            let version = name.strip_suffix(".json").and_then(|text| text.parse::<u64>().ok());
            versions.extend(version);
        }
        for version in versions {
            let path = version_path(&directory, version);
            let damaged = |reason: &str| Error::Damaged {
                path: path.display().to_string(),
                reason: reason.to_owned(),
            };
            if version != log.next_version {
                return Err(damaged("the version before it is missing"));
            }
            let text =
                std::fs::read_to_string(&path).map_err(|error| disk::io_error(&path, error))?;
            for line in text.lines() {
                let action = serde_json::from_str(line);
                let action = action.map_err(|_| damaged("it is no version of a Delta table"))?;
                log.apply(action).map_err(|_| damaged("it was not written by this server"))?;
            }
            log.next_version = version + 1;
        }
        Ok(log)
    }

    fn apply(&mut self, mut action: Value) -> serde_json::Result<()> {
        if let Some(add) = action.get_mut("add") {
            let mut add: Add = serde_json::from_value(add.take())?;
            let stats: Value = serde_json::from_str(&add.stats)?;
            add.rows = stats["numRecords"].as_u64().unwrap_or(0);
            self.removed.remove(&add.path);
            self.active.insert(add.path.clone(), add);
        } else if let Some(remove) = action.get("remove") {
            let path = remove["path"].as_str().unwrap_or_default();
            self.active.remove(path);
            let at = remove["deletionTimestamp"].as_i64().unwrap_or(0);
            self.removed.insert(path.to_owned(), at);
        } else if let Some(metadata) = action.get_mut("metaData") {
            self.metadata = Some(metadata.take());
        } else if let Some(protocol) = action.get_mut("protocol") {
            self.protocol = Some(protocol.take());
        }
        Ok(())
    }

    /// The entry of a file that the newest version has.
    pub(super) fn active(&self, name: &str) -> Option<&Add> {
        self.active.get(name)
    }

    /// Writes the next version: these files and no others. Returns its number; that of the last
    /// when nothing is different.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody else wrote that version, I/O failures.
    pub(super) fn commit(
        &mut self,
        name: &str,
        relation: &Relation,
        shape: &Shape,
        files: &[Add],
    ) -> Result<u64> {
        let now = now_ms();
        let mut actions = self.description(name, relation, shape);
        let kept: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        for path in self.active.keys().filter(|path| !kept.contains(path.as_str())) {
            let size = self.active.get(path).map(|one| one.size);
            actions.push(json!({"remove": {
                "path": path, "deletionTimestamp": now, "dataChange": true, "size": size,
                "extendedFileMetadata": true, "partitionValues": {},
            }}));
        }
        for file in files.iter().filter(|file| !self.active.contains_key(&file.path)) {
            actions.push(json!({"add": file}));
        }
        if actions.is_empty() && self.next_version > 0 {
            return Ok(self.next_version - 1);
        }
        let version = self.next_version;
        actions.push(json!({"commitInfo": {
            "timestamp": now, "operation": "WRITE", "operationParameters": {"mode": "Overwrite"},
            "engineInfo": "clientele",
        }}));
        write_version(&self.target.join(DIRECTORY), version, &actions)?;
        for action in actions {
            self.apply(action).map_err(|error| Error::Internal(error.to_string()))?;
        }
        self.next_version = version + 1;
        Ok(version)
    }

    /// The actions that describe the table, where the description has changed.
    fn description(&self, name: &str, relation: &Relation, shape: &Shape) -> Vec<Value> {
        let mut actions = Vec::new();
        let protocol = match shape.has_local_times {
            true => json!({
                "minReaderVersion": 3, "minWriterVersion": 7,
                "readerFeatures": ["timestampNtz"], "writerFeatures": ["timestampNtz"],
            }),
            false => json!({"minReaderVersion": 1, "minWriterVersion": 2}),
        };
        if self.protocol.as_ref() != Some(&protocol) {
            actions.push(json!({"protocol": protocol}));
        }
        let known = |field: &str| self.metadata.as_ref().map(|known| known[field].clone());
        let id = known("id").unwrap_or_else(|| Value::from(uuid::Uuid::new_v4().to_string()));
        let metadata = json!({
            "id": id, "name": name, "description": relation.comment,
            "format": {"provider": "parquet", "options": {}},
            "schemaString": shape.json, "partitionColumns": [], "configuration": {},
            "createdTime": known("createdTime").unwrap_or_else(|| Value::from(now_ms())),
        });
        if self.metadata.as_ref() != Some(&metadata) {
            actions.push(json!({"metaData": metadata}));
        }
        actions
    }

    /// Unlinks files that no version has needed for some time.
    ///
    /// # Errors
    /// One cannot be unlinked.
    pub(super) fn expire(&self, retention: Duration) -> Result<()> {
        let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
        let before = now_ms().saturating_sub(retention_ms);
        for (path, _) in self.removed.iter().filter(|(_, at)| **at <= before) {
            disk::unlink(&self.target.join(path))?;
        }
        disk::sync_directory(&self.target)
    }
}

/// Gives a version its name once it is whole; the name can be given only once.
fn write_version(directory: &Path, version: u64, actions: &[Value]) -> Result<()> {
    let draft = directory.join(format!("{DRAFT_PREFIX}{}", uuid::Uuid::new_v4()));
    let path = version_path(directory, version);
    let lines: String = actions.iter().map(|action| format!("{action}\n")).collect();
    let write = || {
        let mut file = std::fs::File::create(&draft)?;
        file.write_all(lines.as_bytes())?;
        file.sync_all()?;
        std::fs::hard_link(&draft, &path)
    };
    let written = write();
    disk::unlink(&draft)?;
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Error::Conflict),
        Err(error) => Err(disk::io_error(&path, error)),
        Ok(()) => disk::sync_directory(directory),
    }
}

fn version_path(directory: &Path, version: u64) -> PathBuf {
    directory.join(format!("{version:020}.json"))
}

fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
