//! A column by its distinct identifiers.

use std::collections::HashSet;

use clientele_identity::graph::{Identifier, Key, Node};
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use hashbrown::HashMap;

use super::gathered::Gathered;
use super::stitcher::{IdentifierColumn, Stitcher};
use crate::error::{Error, Result};
use crate::storage::erasure::Tombstone;

/// Values of a batch from which on patterns of one's own are worth their making.
const MANY: usize = 1024;

/// The identifiers of a column, each normalised and looked up once.
pub(super) struct Coded {
    /// For each row 1 + the place in `distinct`; 0: no identifier.
    codes: Vec<u32>,
    distinct: Vec<Seen>,
    /// Codes of identifiers of those who were erased.
    erased: HashSet<u32>,
}

/// An identifier on a row.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) node: Node,
    pub(super) key: Key,
}

impl Coded {
    /// Of a column. What was not seen before is gathered.
    ///
    /// # Errors
    /// The column is not of its domain's type.
    pub(super) fn of(
        stitcher: &Stitcher,
        column: &IdentifierColumn,
        array: &ArrayRef,
        gathered: &mut Gathered,
    ) -> Result<Self> {
        let (codes, distinct) = identifiers(column, array)?;
        let key = |value: &String| Key::of_identifier(column.namespace(), value);
        let keys: Vec<Key> = distinct.iter().map(key).collect();
        let nodes = stitcher.identity.nodes(column.subject).intern(&keys);
        let customers = stitcher.customers.of(column.subject);
        let patterns = || stitcher.blocked.of(&stitcher.catalog, column.namespace());
        let shared;
        let blocked = if distinct.len() < MANY {
            shared = patterns();
            &shared
        } else {
            column.patterns.get_or_init(|| patterns().into_own())
        };
        let new = gathered.of(column.subject);
        let mut erased = HashSet::new();
        let seen = (1..).zip(distinct).zip(keys).zip(nodes).map(|(((code, value), key), node)| {
            if !customers.known(node) {
                let stone = Tombstone::Identifier(column.namespace(), &value);
                if stitcher.tombstones.contains(stone) {
                    erased.insert(code);
                }
                let blocked = blocked.blocks(&value);
                let one = Identifier { node, key, namespace: column.namespace(), blocked };
                new.identifier(one, value, stitcher.source);
            }
            Seen { node, key }
        });
        let distinct = seen.collect();
        Ok(Self { codes, distinct, erased })
    }

    /// Whether any row is that of somebody who was erased.
    pub(super) fn has_erased(&self) -> bool {
        !self.erased.is_empty()
    }

    /// Whether a row is that of somebody who was erased.
    pub(super) fn is_erased(&self, row: usize) -> bool {
        self.codes.get(row).is_some_and(|code| self.erased.contains(code))
    }

    /// The identifier on a row.
    pub(super) fn at(&self, row: usize) -> Option<Seen> {
        let code = usize::try_from(*self.codes.get(row)?).ok()?;
        self.distinct.get(code.checked_sub(1)?).copied()
    }
}

/// The code of each row (0: it has no identifier), and what the codes from 1 on stand for.
///
/// # Errors
/// The column is not of its domain's type.
pub(in crate::storage) fn identifiers(
    column: &IdentifierColumn,
    array: &ArrayRef,
) -> Result<(Vec<u32>, Vec<String>)> {
    let values = array.as_string_view_opt().ok_or_else(|| {
        Error::Internal(format!("a column of domain {} is no text", column.domain.name))
    })?;
    let mut codes = Vec::with_capacity(values.len());
    let mut by_value: HashMap<&str, u32> = HashMap::with_capacity(values.len());
    let mut distinct: Vec<String> = Vec::new();
    for value in values {
        let Some(value) = value else {
            codes.push(0);
            continue;
        };
        let code = by_value.entry(value).or_insert_with(|| {
            column.identifier(value).map_or(0, |identifier| {
                distinct.push(identifier);
                u32::try_from(distinct.len()).unwrap_or(0)
            })
        });
        codes.push(*code);
    }
    Ok((codes, distinct))
}
