//! Whether a transaction may commit: what was committed since its base must not touch what it
//! changed. The first committer wins.

use std::collections::BTreeMap;
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::Committer;
use crate::catalog::Catalog;
use crate::definition::{Function, Object, Oid, Relation};
use crate::error::{Error, Result};
use crate::storage::key_index::{KeyIndex, SharedIndex};
use crate::storage::part::{PartId, RowAddress, TableData};
use crate::storage::prepare::{Prepared, PreparedTable, same_shape};
use crate::storage::{keys, references};

/// Deleted rows by part.
pub(super) type Deleted = BTreeMap<PartId, Arc<RoaringBitmap>>;

impl Committer {
    /// Checks a transaction; returns its deletes in today's addresses, for each of its tables.
    pub(super) fn validate(&self, prepared: &Prepared) -> Result<Vec<Deleted>> {
        for (oid, object) in &prepared.objects {
            self.validate_object(prepared, *oid, object.as_deref())?;
        }
        self.validate_references(prepared)?;
        self.erased.check(prepared)?;
        prepared.tables.iter().map(|table| self.validate_table(prepared, table)).collect()
    }

    /// Keys that rows refer to are still there, and nobody refers to keys that are gone.
    fn validate_references(&self, prepared: &Prepared) -> Result<()> {
        let now = &self.working.catalog;
        for ((relation, unique), keys) in &prepared.held {
            let relation = now.relation_by_oid(*relation).ok_or(Error::Conflict)?;
            let table = self.working.table(relation.oid);
            if table.written_in <= prepared.base.version {
                continue;
            }
            let index = match self.shared.indexes.get(*unique) {
                Some(index) => index,
                None => self.build_index(relation, *unique, &table)?,
            };
            let index = index.read();
            if keys.iter().any(|key| index.find(*key, |one| table.is_live(one)).is_none()) {
                return Err(Error::Conflict);
            }
        }
        for ((relation, key), keys) in &prepared.barred {
            let Some(relation) = now.relation_by_oid(*relation) else { continue };
            let Some(key) = relation.foreign_keys().find(|one| one.oid == *key) else { continue };
            let before = prepared.base.table(relation.oid);
            let come = references::come_since(&self.working.table(relation.oid), &before);
            let mut refers = false;
            let how = (key.columns, self.shared.hasher());
            references::each_hash(&come, relation, how, |_, hash| refers |= keys.contains(&hash))?;
            if refers {
                return Err(Error::Conflict);
            }
        }
        Ok(())
    }

    fn validate_object(
        &self,
        prepared: &Prepared,
        oid: Oid,
        object: Option<&Object>,
    ) -> Result<()> {
        let now = &self.working.catalog;
        if !unchanged(&prepared.base.catalog, now, oid) {
            return Err(Error::Conflict);
        }
        let touched = |oid: Oid| prepared.objects.iter().any(|(one, _)| *one == oid);
        let (kind, name, taken, schema) = match object {
            None => return self.validate_drop(prepared, oid),
            Some(Object::DefaultPrivileges(_)) => return Ok(()),
            Some(Object::Schema(one)) => {
                ("schema", &one.name, now.schema(&one.name).map(|found| found.oid), None)
            }
            Some(Object::Relation(one)) => {
                let found = now.relation(one.schema, &one.name).map(|found| found.oid);
                ("relation", &one.name, found, Some(one.schema))
            }
            Some(Object::Domain(one)) => {
                let found = now.domain(one.schema, &one.name).map(|found| found.oid);
                ("type", &one.name, found, Some(one.schema))
            }
            Some(Object::Function(one)) => {
                let alike = now.functions_named(one.schema, &one.name);
                let types = |one: &Function| -> Vec<Oid> {
                    one.arguments.iter().map(|one| one.pg_type.oid).collect()
                };
                let mut found = alike.filter(|other| types(other) == types(one));
                let found = found.next().map(|other| other.oid);
                ("function", &one.name, found, Some(one.schema))
            }
            Some(Object::ForeignServer(one)) => {
                ("server", &one.name, now.server(&one.name).map(|found| found.oid), None)
            }
        };
        if taken.is_some_and(|found| found != oid && !touched(found)) {
            return Err(Error::Duplicate { kind, name: name.clone() });
        }
        match schema {
            Some(schema) if now.schema_by_oid(schema).is_none() && !touched(schema) => {
                Err(Error::Conflict)
            }
            _ => Ok(()),
        }
    }

    /// A schema that somebody put something into meanwhile cannot be dropped.
    fn validate_drop(&self, prepared: &Prepared, oid: Oid) -> Result<()> {
        let now = &self.working.catalog;
        if now.schema_by_oid(oid).is_none() {
            return Ok(());
        }
        let gone =
            |oid: Oid| prepared.objects.iter().any(|(one, object)| *one == oid && object.is_none());
        let relations = now.relations().any(|one| one.schema == oid && !gone(one.oid));
        let domains = now.domains().any(|one| one.schema == oid && !gone(one.oid));
        let functions = now.functions().any(|one| one.schema == oid && !gone(one.oid));
        if relations || domains || functions { Err(Error::Conflict) } else { Ok(()) }
    }

    fn validate_table(&self, prepared: &Prepared, change: &PreparedTable) -> Result<Deleted> {
        let oid = change.relation.oid;
        let before = prepared.base.catalog.relation_by_oid(oid);
        let now = self.working.catalog.relation_by_oid(oid);
        match (before, now) {
            (Some(before), Some(now)) if !Arc::ptr_eq(before, now) && !same_shape(before, now) => {
                return Err(Error::Conflict);
            }
            (Some(_), None) => return Err(Error::Conflict),
            _ => {}
        }
        let table = self.working.table(oid);
        let changed = table.written_in > prepared.base.version;
        if change.only_if_unchanged && changed {
            return Err(Error::Conflict);
        }
        if change.truncated {
            return Ok(Deleted::new());
        }
        let deleted = self.translate(&table, &change.deleted)?;
        // The transaction looked for its keys itself; only what others wrote since is new.
        if changed {
            self.validate_keys(change, &table, &deleted)?;
        }
        Ok(deleted)
    }

    /// Deletes in today's addresses; none of the rows may be deleted already.
    fn translate(&self, table: &TableData, deleted: &Deleted) -> Result<Deleted> {
        let mut today = Deleted::new();
        for (part, rows) in deleted {
            if table.has_part(*part) {
                today.insert(*part, Arc::clone(rows));
                continue;
            }
            for row in rows.iter() {
                let address = RowAddress { part: *part, row };
                let address = self.retired.follow(table, address).ok_or(Error::Conflict)?;
                Arc::make_mut(today.entry(address.part).or_default()).insert(address.row);
            }
        }
        let dead = today
            .iter()
            .any(|(part, rows)| table.deleted(*part).is_some_and(|dead| !dead.is_disjoint(rows)));
        if dead { Err(Error::Conflict) } else { Ok(today) }
    }

    fn validate_keys(
        &self,
        change: &PreparedTable,
        table: &TableData,
        deleted: &Deleted,
    ) -> Result<()> {
        let live = |address: RowAddress| {
            let own = deleted.get(&address.part).is_some_and(|rows| rows.contains(address.row));
            !own && table.is_live(address)
        };
        let rows = change.keys.iter().map(|(oid, hashes)| (*oid, hashes, change.rows.as_ref()));
        let files = change.files.iter().flat_map(|(_, file)| file.keys.iter());
        let files = files.map(|(oid, hashes)| (*oid, hashes, None));
        for (constraint, hashes, batch) in rows.chain(files) {
            let index = match self.shared.indexes.get(constraint) {
                Some(index) => index,
                None => self.build_index(&change.relation, constraint, table)?,
            };
            let index = index.read();
            for (row, hash) in hashes.iter().enumerate() {
                if hash.is_some_and(|hash| index.find(hash, live).is_some()) {
                    let key = batch
                        .and_then(|one| keys::key_text(&change.relation, constraint, one, row));
                    return Err(violation(
                        &self.working.catalog,
                        &change.relation,
                        constraint,
                        key,
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Committer {
    /// An index that nobody needed before: the relation was empty when its writers began.
    fn build_index(
        &self,
        relation: &Relation,
        constraint: Oid,
        table: &TableData,
    ) -> Result<SharedIndex> {
        let mut index = KeyIndex::new(relation.oid, constraint, self.working.version + 1);
        index.catch_up(table, relation, self.shared.hasher())?;
        Ok(self.shared.indexes.install(constraint, index))
    }
}

/// Whether an object is the same in both catalogs: not changed, not made, not dropped.
fn unchanged(before: &Catalog, now: &Catalog, oid: Oid) -> bool {
    fn same<T>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
        match (one, other) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
    same(before.schema_by_oid(oid), now.schema_by_oid(oid))
        && same(before.relation_by_oid(oid), now.relation_by_oid(oid))
        && same(before.domain_by_oid(oid), now.domain_by_oid(oid))
}

/// The error for a key that is there already.
pub(in crate::storage) fn violation(
    catalog: &Catalog,
    relation: &Relation,
    constraint: Oid,
    key: Option<String>,
) -> Error {
    let schema = catalog.schema_by_oid(relation.schema).map(|schema| schema.name.clone());
    let name = relation.constraints.iter().find(|one| one.oid == constraint);
    Error::UniqueViolation {
        schema: schema.unwrap_or_default(),
        table: relation.name.clone(),
        constraint: name.map(|one| one.name.clone()).unwrap_or_default(),
        key,
    }
}
