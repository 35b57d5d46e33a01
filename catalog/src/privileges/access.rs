//! The owner, the grants and the defaults of one object.

use super::kind::Kind;
use super::predefined::{PRIVACY_OFFICER, READ_ALL_DATA, WRITE_ALL_DATA};
use super::rights::Rights;
use crate::catalog::{BOOTSTRAP_ROLE_OID, INFORMATION_SCHEMA_OID, PG_CATALOG_OID, PUBLIC_OID};
use crate::definition::{
    Column, Database, Domain, ForeignServer, Function, Grant, Oid, Relation, Schema,
};
use crate::features::{CLIENTELE_OID, PRIVACY_SCHEMAS};

/// System relations that show passwords' verifiers or samples of rows: not for everyone.
const SECRET: &[&str] = &["pg_authid", "pg_shadow", "pg_statistic", "pg_user_mapping"];

/// Who has what on one object.
pub struct Access<'a> {
    /// What it is.
    pub kind: Kind,
    owner: Oid,
    grants: Option<&'a [Grant]>,
    /// What PUBLIC has by default.
    public: &'static str,
    /// What members of `privacy_officer` have.
    officer: &'static str,
}

impl<'a> Access<'a> {
    fn new(kind: Kind, owner: Oid, grants: Option<&'a Vec<Grant>>) -> Self {
        Self {
            kind,
            owner,
            grants: grants.map(Vec::as_slice),
            public: kind.of_public(),
            officer: "",
        }
    }

    /// Of a table, view or sequence.
    pub fn relation(relation: &'a Relation) -> Self {
        let officer = if PRIVACY_SCHEMAS.contains(&relation.schema) { "r" } else { "" };
        Self { officer, ..Self::new(Kind::of(relation), relation.owner, relation.grants.as_ref()) }
    }

    /// Of a relation of the system schemas: everyone may read all but a few.
    pub fn system(name: &str) -> Self {
        let public = if SECRET.contains(&name) { "" } else { "r" };
        Self { public, ..Self::new(Kind::Table, BOOTSTRAP_ROLE_OID, None) }
    }

    /// Of a schema.
    pub fn schema(schema: &'a Schema) -> Self {
        let built_in = [PG_CATALOG_OID, PUBLIC_OID, INFORMATION_SCHEMA_OID, CLIENTELE_OID];
        let built_in = built_in.contains(&schema.oid);
        let public = if built_in { "U" } else { "" };
        // Who decides about columns names tables in any schema; reading them is another matter.
        Self {
            public,
            officer: "U",
            ..Self::new(Kind::Schema, schema.owner, schema.grants.as_ref())
        }
    }

    /// Of a database.
    pub fn database(database: &'a Database) -> Self {
        Self::new(Kind::Database, database.owner, database.grants.as_ref())
    }

    /// Of a domain.
    pub fn domain(domain: &'a Domain) -> Self {
        Self::new(Kind::Type, domain.owner, domain.grants.as_ref())
    }

    /// Of a function.
    pub fn function(function: &'a Function) -> Self {
        Self::new(Kind::Function, function.owner, function.grants.as_ref())
    }

    /// Of a foreign server.
    pub fn server(server: &'a ForeignServer) -> Self {
        Self::new(Kind::Server, server.owner, server.grants.as_ref())
    }

    /// Of a column: grants only, the owner's rights come from the table.
    pub fn column(relation: &Relation, column: &'a Column) -> Self {
        let grants = (!column.grants.is_empty()).then_some(&column.grants);
        Self::new(Kind::Column, relation.owner, grants)
    }

    /// What the owner has without an entry.
    fn of_owner(&self) -> &'static str {
        if self.kind == Kind::Column { "" } else { self.kind.all() }
    }

    /// Whether nothing was ever granted or revoked, and PUBLIC has what it has on any such object.
    pub fn is_default(&self) -> bool {
        self.grants.is_none() && self.public == self.kind.of_public()
    }

    /// What PUBLIC has by default, as a list of grants.
    pub fn public_entry(&self) -> Vec<Grant> {
        if self.public.is_empty() { Vec::new() } else { vec![self.default_entry(0, self.public)] }
    }

    fn default_entry(&self, grantee: Oid, privileges: &str) -> Grant {
        Grant {
            grantee,
            grantor: self.owner,
            privileges: privileges.to_owned(),
            grantable: String::new(),
        }
    }

    /// Every grant in force, the defaults written out.
    pub fn entries(&self) -> Vec<Grant> {
        let given = self.grants.unwrap_or_default();
        let mut entries = Vec::with_capacity(given.len() + 2);
        let all = self.of_owner();
        if !all.is_empty() && !given.iter().any(|one| one.grantee == self.owner) {
            entries.push(self.default_entry(self.owner, all));
        }
        if self.grants.is_none() {
            entries.extend(self.public_entry());
        }
        entries.extend(given.iter().cloned());
        entries
    }

    /// Whether a role has a privilege, and where asked the right to pass it on.
    pub fn permits(&self, rights: &Rights, letter: char, grantable: bool) -> bool {
        if rights.superuser || rights.has(self.owner) && self.owner_has(letter, grantable) {
            return true;
        }
        if !grantable && self.predefined_permits(rights, letter) {
            return true;
        }
        let covers = |grant: &Grant| {
            let letters = if grantable { &grant.grantable } else { &grant.privileges };
            letters.contains(letter) && (grant.grantee == 0 || rights.has(grant.grantee))
        };
        match self.grants {
            Some(grants) => grants.iter().any(covers),
            None => !grantable && self.public.contains(letter),
        }
    }

    /// An owner who revoked from himself has an entry of his own; he may grant it back to himself.
    fn owner_has(&self, letter: char, grantable: bool) -> bool {
        let own = self.grants.unwrap_or_default().iter().find(|grant| grant.grantee == self.owner);
        let own = own.filter(|_| !grantable && self.kind != Kind::Column);
        own.map_or(self.of_owner(), |grant| &grant.privileges).contains(letter)
    }

    /// `pg_read_all_data`, `pg_write_all_data` and `privacy_officer`.
    fn predefined_permits(&self, rights: &Rights, letter: char) -> bool {
        let letters = match self.kind {
            Kind::Table | Kind::Sequence | Kind::Column => ("r", "awd"),
            Kind::Schema => ("U", "U"),
            Kind::Database | Kind::Type | Kind::Function | Kind::Server => return false,
        };
        rights.has(PRIVACY_OFFICER) && self.officer.contains(letter)
            || rights.has(READ_ALL_DATA) && letters.0.contains(letter)
            || rights.has(WRITE_ALL_DATA) && letters.1.contains(letter)
    }
}
