//! Refusals of what a role may not do (manual: ddl-priv); who may is `clientele_catalog::privileges`'.
//!
//! Statements ask here before they change a definition. What a query reads and writes is noted while
//! it is planned ([`super::needs`]) and asked for when it is executed, so that a REVOKE also
//! concerns what was prepared before it.

use std::collections::BTreeSet;

use clientele_catalog::definition::{Domain, Oid, Relation, RelationKind, Schema};
use clientele_catalog::features::{self, SEGMENTS_OID, is_feature_schema};
use clientele_catalog::privileges::{Access, Rights};

use super::context::QueryContext;
use crate::error::{Error, Result};

/// `permission denied for table t` (42501).
pub fn denied(kind: &str, name: &str) -> Error {
    Error::new("42501", format!("permission denied for {kind} {name}"))
}

/// What messages call a relation.
pub fn kind_of(relation: &Relation) -> &'static str {
    match relation.kind {
        RelationKind::Table => "table",
        RelationKind::View { .. } => "view",
        RelationKind::MaterializedView { .. } => "materialized view",
        RelationKind::Sequence(_) => "sequence",
        RelationKind::ForeignTable(_) => FOREIGN_TABLE,
    }
}

/// What messages call a foreign table.
pub const FOREIGN_TABLE: &str = "foreign table";

/// Refuses who has neither the privilege on the relation nor on all of these columns; with none
/// named, on any column.
///
/// # Errors
/// 42501.
pub fn reach(
    rights: &Rights,
    relation: &Relation,
    letter: char,
    columns: &BTreeSet<i16>,
) -> Result<()> {
    match rights.reach(relation, letter, columns) {
        true => Ok(()),
        false => Err(denied(kind_of(relation), &relation.name)),
    }
}

impl QueryContext {
    /// Refuses who lacks a privilege on a relation as a whole.
    ///
    /// # Errors
    /// 42501 `permission denied for table t`.
    pub fn must_have(&self, relation: &Relation, letter: char) -> Result<()> {
        match Access::relation(relation).permits(&self.rights, letter, false) {
            true => Ok(()),
            false => Err(denied(kind_of(relation), &relation.name)),
        }
    }

    /// Refuses who lacks a privilege on these columns of a relation; with none named, on any.
    ///
    /// # Errors
    /// 42501, 42703 when there is no such column.
    pub fn must_reach<'n>(
        &self,
        relation: &Relation,
        letter: char,
        columns: impl IntoIterator<Item = &'n str>,
    ) -> Result<()> {
        let numbers = columns.into_iter().map(|name| {
            let column = relation.column(name).map(|column| column.number);
            column.ok_or_else(|| Error::new("42703", format!("column \"{name}\" does not exist")))
        });
        reach(&self.rights, relation, letter, &numbers.collect::<Result<_>>()?)
    }

    /// Refuses who may not change an object of that kind (`table`, `view` … as messages say it).
    ///
    /// # Errors
    /// 42501 `must be owner of table t`.
    pub fn must_own(&self, kind: &str, name: &str, owner: Oid) -> Result<()> {
        match self.rights.owns(owner) {
            true => Ok(()),
            false => Err(Error::new("42501", format!("must be owner of {kind} {name}"))),
        }
    }

    /// [`Self::must_own`] for a relation.
    ///
    /// # Errors
    /// 42501.
    pub fn must_own_relation(&self, relation: &Relation) -> Result<()> {
        features_are_closed(relation)?;
        self.must_own(kind_of(relation), &relation.name, relation.owner)
    }

    /// Refuses who may neither drop the relation as its owner nor as that of its schema.
    ///
    /// # Errors
    /// 42501.
    pub fn must_own_or_schema(&self, kind: &str, name: &str, owners: (Oid, Oid)) -> Result<()> {
        let found = self.catalog().relation(owners.1, name);
        let built_in = found.is_some_and(|one| features::relation(one.oid).is_some());
        if built_in || is_feature_schema(owners.1) && owners.1 != SEGMENTS_OID {
            let text = format!("permission denied: \"{name}\" is a system catalog");
            return Err(Error::new("42501", text));
        }
        let schema = self.catalog().schema_by_oid(owners.1);
        match schema.is_some_and(|schema| self.rights.owns(schema.owner)) {
            true => Ok(()),
            false => self.must_own(kind, name, owners.0),
        }
    }

    /// Refuses names in a schema that the role may not look into.
    ///
    /// # Errors
    /// 42501 `permission denied for schema s`.
    pub fn must_enter(&self, schema: &Schema) -> Result<()> {
        match Access::schema(schema).permits(&self.rights, 'U', false) {
            true => Ok(()),
            false => Err(denied("schema", &schema.name)),
        }
    }

    /// Refuses who may not make objects in a schema.
    ///
    /// # Errors
    /// 42501 `permission denied for schema s`.
    pub fn must_create_in(&self, schema: Oid) -> Result<()> {
        self.may_create_in(&self.rights, schema)
    }

    /// Refuses a new owner who could not have made the object there himself.
    ///
    /// # Errors
    /// 42501.
    pub fn may_create_in(&self, rights: &Rights, schema: Oid) -> Result<()> {
        let Some(schema) = self.catalog().schema_by_oid(schema) else { return Ok(()) };
        match Access::schema(schema).permits(rights, 'C', false) {
            true => Ok(()),
            false => Err(denied("schema", &schema.name)),
        }
    }

    /// Refuses who lacks a privilege on the database that the session is connected to.
    ///
    /// # Errors
    /// 42501 `permission denied for database d`.
    pub fn must_have_on_database(&self, letter: char) -> Result<()> {
        let database = self.engine.cluster.database(self.database.oid);
        let database = database.as_ref().unwrap_or(&self.database);
        match (Access::database(database).permits(&self.rights, letter, false), letter) {
            (true, _) => Ok(()),
            (false, 'T') => Err(Error::new(
                "42501",
                format!(
                    "permission denied to create temporary tables in database \"{}\"",
                    database.name
                ),
            )),
            (false, _) => Err(denied("database", &database.name)),
        }
    }

    /// Refuses who may not use a domain for a column.
    ///
    /// # Errors
    /// 42501 `permission denied for type d`.
    pub fn must_use(&self, domain: &Domain) -> Result<()> {
        match Access::domain(domain).permits(&self.rights, 'U', false) {
            true => Ok(()),
            false => Err(denied("type", &domain.name)),
        }
    }

    /// Refuses who may not do one of these with a sequence.
    ///
    /// # Errors
    /// 42501 `permission denied for sequence s`.
    pub fn must_have_one(&self, sequence: &Relation, letters: &str) -> Result<()> {
        let access = Access::relation(sequence);
        let permits = |letter| access.permits(&self.rights, letter, false);
        match letters.chars().any(permits) || self.fills_identity(sequence) {
            true => Ok(()),
            false => Err(denied("sequence", &sequence.name)),
        }
    }

    /// An identity column draws from its sequence for whoever may insert into it.
    fn fills_identity(&self, sequence: &Relation) -> bool {
        let RelationKind::Sequence(facts) = &sequence.kind else { return false };
        let Some((table, number)) = facts.owned_by else { return false };
        let Some(table) = self.catalog().relation_by_oid(table) else { return false };
        table.column_by_number(number).is_some_and(|column| column.identity.is_some())
            && self.rights.reach(table, 'a', &BTreeSet::new())
    }
}

/// Relations of the features change by CALL alone.
///
/// # Errors
/// 42501.
pub(crate) fn features_are_closed(relation: &Relation) -> Result<()> {
    if features::relation(relation.oid).is_none() {
        return Ok(());
    }
    let text = format!("permission denied: \"{}\" is a system catalog", relation.name);
    Err(Error::new("42501", text).with_hint("Procedures change it: \\df shows them."))
}
