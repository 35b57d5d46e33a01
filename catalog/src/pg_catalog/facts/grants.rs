//! Who may do what, and how PostgreSQL prints it (manual: ddl-priv).

use std::collections::BTreeSet;

use super::super::context::Context;
use crate::catalog::{BOOTSTRAP_ROLE_OID, INFORMATION_SCHEMA_OID, PG_CATALOG_OID, PUBLIC_OID};
use crate::definition::{Column, Database, Grant, Oid, Relation, RelationKind, Schema};

/// Letters of every privilege on a table.
pub(crate) const TABLE: &str = "arwdDxt";
const SEQUENCE: &str = "rwU";
const SCHEMA: &str = "UC";
const DATABASE: &str = "CTc";
const COLUMN: &str = "arwx";

/// The owner, the grants and the defaults of one object.
pub(crate) struct Access<'a> {
    owner: Oid,
    grants: Option<&'a [Grant]>,
    /// What the owner has by default.
    all: &'static str,
    /// What PUBLIC has by default.
    public: &'static str,
}

impl<'a> Access<'a> {
    /// Of a table, view or sequence.
    pub(crate) fn relation(relation: &'a Relation) -> Self {
        let all = if matches!(relation.kind, RelationKind::Sequence(_)) { SEQUENCE } else { TABLE };
        Self { owner: relation.owner, grants: relation.grants.as_deref(), all, public: "" }
    }

    /// Of a relation of the system schemas: everyone may read.
    pub(crate) fn system() -> Self {
        Self { owner: BOOTSTRAP_ROLE_OID, grants: None, all: TABLE, public: "r" }
    }

    /// Of a schema.
    pub(crate) fn schema(schema: &'a Schema) -> Self {
        let built_in = [PG_CATALOG_OID, PUBLIC_OID, INFORMATION_SCHEMA_OID].contains(&schema.oid);
        let public = if built_in { "U" } else { "" };
        Self { owner: schema.owner, grants: schema.grants.as_deref(), all: SCHEMA, public }
    }

    /// Of a database.
    pub(crate) fn database(database: &'a Database) -> Self {
        Self {
            owner: database.owner,
            grants: database.grants.as_deref(),
            all: DATABASE,
            public: "Tc",
        }
    }

    /// Of a column: grants only, the owner's rights come from the table.
    pub(crate) fn column(relation: &Relation, column: &'a Column) -> Self {
        let grants = (!column.grants.is_empty()).then_some(column.grants.as_slice());
        Self { owner: relation.owner, grants, all: "", public: "" }
    }

    /// Every grant in force, the defaults written out.
    pub(crate) fn entries(&self) -> Vec<Grant> {
        let grant = |grantee, privileges: &str, grantable: &str| Grant {
            grantee,
            grantor: self.owner,
            privileges: privileges.to_owned(),
            grantable: grantable.to_owned(),
        };
        let given = self.grants.unwrap_or_default();
        let mut entries = Vec::with_capacity(given.len() + 2);
        if !self.all.is_empty() && !given.iter().any(|one| one.grantee == self.owner) {
            entries.push(grant(self.owner, self.all, ""));
        }
        if self.grants.is_none() && !self.public.is_empty() {
            entries.push(grant(0, self.public, ""));
        }
        entries.extend(given.iter().cloned());
        entries
    }

    /// The ACL as `aclitem[]`; `None` (NULL) for the defaults.
    pub(crate) fn acl(&self, context: &Context) -> Option<Vec<String>> {
        self.grants?;
        Some(self.entries().iter().map(|grant| acl_item(context, grant, self.all)).collect())
    }

    /// Whether a role has a privilege, and where asked the right to pass it on.
    pub(crate) fn permits(&self, rights: &Rights, letter: char, grantable: bool) -> bool {
        if rights.superuser
            || rights.has(self.owner) && !self.all.is_empty() && self.owner_has(letter)
        {
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

    /// An owner who revoked from himself has an entry of his own.
    fn owner_has(&self, letter: char) -> bool {
        let own = self.grants.unwrap_or_default().iter().find(|grant| grant.grantee == self.owner);
        own.map_or(self.all, |grant| &grant.privileges).contains(letter)
    }
}

/// One `aclitem`: `analyst=r*w/admin`.
fn acl_item(context: &Context, grant: &Grant, order: &str) -> String {
    let order = if order.is_empty() { COLUMN } else { order };
    let mut letters: Vec<char> = grant.privileges.chars().collect();
    letters.sort_by_key(|letter| order.find(*letter).unwrap_or(usize::MAX));
    let mut text = match grant.grantee {
        0 => String::new(),
        role => quoted(&context.role_name(role)),
    };
    text.push('=');
    for letter in letters {
        text.push(letter);
        if grant.grantable.contains(letter) {
            text.push('*');
        }
    }
    text.push('/');
    text + &quoted(&context.role_name(grant.grantor))
}

fn quoted(name: &str) -> String {
    let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if plain && !name.is_empty() {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// A role with the roles whose rights it has.
pub(crate) struct Rights {
    /// Passes every check.
    pub(crate) superuser: bool,
    roles: BTreeSet<Oid>,
}

impl Rights {
    /// Of the current role.
    pub(crate) fn current(context: &Context) -> Self {
        Self::of(context, context.role)
    }

    /// Of any role: itself and, where it inherits, the roles it is a member of.
    pub(crate) fn of(context: &Context, role: Oid) -> Self {
        let mut roles = BTreeSet::new();
        let mut open = vec![role];
        while let Some(oid) = open.pop() {
            if roles.insert(oid) {
                open.extend(
                    context
                        .role(oid)
                        .filter(|role| role.inherit)
                        .into_iter()
                        .flat_map(|role| &role.member_of),
                );
            }
        }
        Self { superuser: context.role(role).is_some_and(|role| role.superuser), roles }
    }

    /// Whether it has the rights of that role.
    pub(crate) fn has(&self, role: Oid) -> bool {
        self.roles.contains(&role)
    }

    /// Whether it owns the object or has the owner's rights.
    pub(crate) fn owns(&self, owner: Oid) -> bool {
        self.superuser || self.has(owner)
    }

    /// Whether it may do anything at all with a relation: what `information_schema` shows.
    pub(crate) fn sees(&self, relation: &Relation) -> bool {
        let table = Access::relation(relation);
        self.owns(relation.owner)
            || table.all.chars().any(|letter| table.permits(self, letter, false))
            || relation.live_columns().any(|column| self.sees_column_only(relation, column))
    }

    /// Whether it may do anything with that column by a grant on the table or the column.
    pub(crate) fn sees_column(&self, relation: &Relation, column: &Column) -> bool {
        let table = Access::relation(relation);
        self.owns(relation.owner)
            || COLUMN.chars().any(|letter| table.permits(self, letter, false))
            || self.sees_column_only(relation, column)
    }

    fn sees_column_only(&self, relation: &Relation, column: &Column) -> bool {
        let access = Access::column(relation, column);
        COLUMN.chars().any(|letter| access.permits(self, letter, false))
    }
}

/// The SQL names of privilege letters.
pub(crate) fn privilege_name(letter: char) -> &'static str {
    match letter {
        'r' => "SELECT",
        'a' => "INSERT",
        'w' => "UPDATE",
        'd' => "DELETE",
        'D' => "TRUNCATE",
        'x' => "REFERENCES",
        't' => "TRIGGER",
        'U' => "USAGE",
        'C' => "CREATE",
        'c' => "CONNECT",
        'T' => "TEMPORARY",
        _ => "EXECUTE",
    }
}
