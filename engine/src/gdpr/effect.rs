//! What an erasure does to each table, and to the tables that refer to it.

use clientele_catalog::Catalog;
use clientele_catalog::definition::{Oid, Relation};
use clientele_catalog::domains::Subject as Kind;
use clientele_catalog::storage::{Tombstone, Transaction};
use serde_json::{Value, json};

use super::holds::{self, Hold};
use crate::error::{Error, Result};

/// What an erasure does to one table.
#[derive(Debug, Clone)]
pub(super) struct Effect {
    /// The table.
    pub(super) relation: Oid,
    /// Its name with its schema.
    pub(super) name: String,
    /// Rows before.
    pub(super) total: u64,
    /// Rows of the people.
    pub(super) erased: u64,
    /// Of those, rows of which a legal hold keeps columns.
    pub(super) kept: u64,
    /// The holds that keep them.
    pub(super) holds: Vec<Hold>,
    /// Rows of other people out of which an identifier was taken.
    pub(super) cleared: u64,
    /// Rows after.
    pub(super) left: u64,
}

impl Effect {
    /// None yet, on a table with so many rows.
    pub(super) fn of(catalog: &Catalog, relation: &Relation, total: u64) -> Self {
        Self {
            relation: relation.oid,
            name: catalog.qualified_name(relation),
            total,
            erased: 0,
            kept: 0,
            holds: Vec::new(),
            cleared: 0,
            left: total,
        }
    }

    fn json(&self, follows: Option<i64>) -> Value {
        let hold = |one: &Hold| {
            json!({
                "hold": one.id,
                "columns": one.columns,
                "basis": one.basis,
                "until": one.until,
                "of_one": one.customer.is_some(),
            })
        };
        json!({
            "table": self.name,
            "relation": self.relation,
            "A0": self.total,
            "B0": self.erased,
            "kept": self.kept,
            "kept_columns": holds::columns_of(&self.holds),
            "holds": self.holds.iter().map(hold).collect::<Vec<_>>(),
            "follows": follows,
            "cleared": self.cleared,
            "A1": self.left,
        })
    }
}

/// Effects as `gdpr.erasures` keeps them; `follows`: the erasure whose holds have ended.
pub(super) fn json(effects: &[Effect], follows: Option<i64>) -> String {
    let all = effects.iter().map(|one| one.json(follows));
    Value::from(all.collect::<Vec<_>>()).to_string()
}

/// Rows that refer to rows which are gone: those of tables without identifiers go with them, those of
/// other people let go of the key.
///
/// # Errors
/// 23503 where neither is possible.
pub(super) fn settle(
    transaction: &mut Transaction,
    erasure: i64,
    effects: &mut Vec<Effect>,
) -> Result<()> {
    loop {
        let keys = transaction.removed_keys();
        let stones: Vec<Tombstone<'_>> =
            keys.iter().map(|(table, key)| Tombstone::Key(*table, *key)).collect();
        let orphans = transaction.orphans(false)?;
        transaction.bury(erasure, &stones, chrono::Utc::now().timestamp_micros())?;
        if orphans.is_empty() {
            return Ok(());
        }
        for found in &orphans {
            let relation = &found.relation;
            let key = relation.foreign_keys().find(|one| one.oid == found.key);
            let key = key.ok_or_else(|| Error::internal("a foreign key is gone"))?;
            let has_people = relation.live_columns().any(|one| one.subject == Some(Kind::Person));
            if has_people || matches!(key.on_delete, 'n' | 'd') {
                let mut columns = key.columns.iter();
                let fixed = columns.any(|number| {
                    relation.column_by_number(*number).is_some_and(|one| one.not_null)
                });
                if fixed {
                    return Err(transaction.still_referenced(found)?.into());
                }
                transaction.clear_columns(relation, &found.rows, key.columns)?;
                continue;
            }
            let total = transaction.snapshot().row_count(relation.oid);
            let erased = transaction.delete(relation.oid, &found.rows)?;
            match effects.iter_mut().find(|one| one.relation == relation.oid) {
                Some(effect) => effect.erased += erased,
                None => {
                    let effect = Effect::of(&transaction.snapshot().catalog, relation, total);
                    effects.push(Effect { erased, left: total - erased, ..effect });
                }
            }
        }
    }
}
