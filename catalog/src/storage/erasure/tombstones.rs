//! Tombstones: who was erased does not come back with the next import.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{Int64Array, StringViewArray};

use crate::definition::Oid;
use crate::error::Result;
use crate::features::oids;
use crate::storage::brand_key::{BrandKey, hex, unhex};
use crate::storage::snapshot::Snapshot;
use crate::storage::stitching::{each_row, system_batch, times};
use crate::storage::transaction::Transaction;

/// What an erasure leaves of an identifier, or of the key of a row that others refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tombstone<'a> {
    /// Namespace and normalised value.
    Identifier(Oid, &'a str),
    /// A table and the keyed hash of a key of its.
    Key(Oid, u128),
}

impl Tombstone<'_> {
    /// `identifier` or `key`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Identifier(..) => "identifier",
            Self::Key(..) => "key",
        }
    }

    /// The domain or table.
    pub fn namespace(&self) -> Oid {
        match self {
            Self::Identifier(namespace, _) | Self::Key(namespace, _) => *namespace,
        }
    }

    /// Its keyed hash. Those of keys are keyed already, and asked for by every row that refers to one.
    pub fn hash(&self, key: &BrandKey) -> [u8; 32] {
        let namespace = self.namespace().to_le_bytes();
        match self {
            Self::Identifier(_, value) => key.hmac("tombstone", &[&namespace, value.as_bytes()]),
            Self::Key(_, hash) => {
                let mut bytes = [0; 32];
                bytes[..16].copy_from_slice(&hash.to_le_bytes());
                bytes[16..20].copy_from_slice(&namespace);
                bytes
            }
        }
    }

    /// Its keyed hash in hexadecimal, as `gdpr.tombstones` has it.
    pub fn text(&self, key: &BrandKey) -> String {
        hex(&self.hash(key))
    }
}

/// All tombstones of a database.
#[derive(Debug, Default)]
pub struct Tombstones {
    key: BrandKey,
    hashes: HashSet<[u8; 32]>,
    /// Tables of which there are tombstones of keys.
    tables: HashSet<Oid>,
}

impl Tombstones {
    /// Those of `gdpr.tombstones`.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(in crate::storage) fn read(snapshot: &Snapshot, key: &BrandKey) -> Result<Self> {
        let mut all = Self { key: key.clone(), ..Default::default() };
        each_row(snapshot, oids::TOMBSTONES, |rows, row| {
            let namespace = rows.number(2, row)?;
            if rows.text(1, row)? == "key" {
                all.tables.insert(namespace);
            }
            let bytes = unhex(rows.text(3, row)?)?;
            all.hashes.insert(bytes.try_into().ok()?);
            Some(())
        })?;
        Ok(all)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Whether there are any of keys of a table.
    pub(in crate::storage) fn has_keys_of(&self, table: Oid) -> bool {
        self.tables.contains(&table)
    }

    /// Whether there is one.
    pub fn contains(&self, one: Tombstone<'_>) -> bool {
        !self.hashes.is_empty() && self.hashes.contains(&one.hash(&self.key))
    }
}

impl Transaction {
    /// Adds tombstones, for an erasure or (0) for rows that were held back.
    ///
    /// # Errors
    /// As [`Transaction::insert`].
    pub fn bury(&mut self, request: i64, all: &[Tombstone<'_>], at: i64) -> Result<()> {
        if all.is_empty() {
            return Ok(());
        }
        let key = &self.store.shared.brand_key;
        let namespaces = all.iter().map(|one| Some(i64::from(one.namespace())));
        let hashes = all.iter().map(|one| one.text(key));
        let rows = system_batch(
            oids::TOMBSTONES,
            vec![
                Arc::new(Int64Array::from_value(request, all.len())),
                Arc::new(StringViewArray::from_iter_values(all.iter().map(Tombstone::kind))),
                Arc::new(namespaces.collect::<Int64Array>()),
                Arc::new(StringViewArray::from_iter_values(hashes)),
                times(at, all.len()),
            ],
        )?;
        self.insert(oids::TOMBSTONES, rows)
    }
}
