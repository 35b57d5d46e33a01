//! Definitions: what `CREATE`, `ALTER`, `COMMENT` and `GRANT` leave behind. Plain data.
//!
//! Every object has an OID that is unique within its database (roles and databases: within the
//! cluster) and never reused. Expressions (defaults, checks, view definitions) are kept as the
//! SQL text that the user gave, in PostgreSQL's dialect.

use clientele_udfs::types::PgType;
use serde::{Deserialize, Serialize};

pub use crate::constraint::{Constraint, ConstraintKind, ForeignKey};
use crate::domains::Subject;
pub use crate::foreign::{ForeignServer, ForeignTable};
pub use crate::function::{Function, FunctionArgument, Returns};
use crate::privacy::ColumnPrivacy;

/// Object identifier, PostgreSQL's `oid`.
pub type Oid = u32;

/// OIDs below are PostgreSQL's own and the engine's built-in objects.
pub const FIRST_USER_OID: Oid = 16384;

/// The option that says the access method of a relation.
pub const ACCESS_METHOD: &str = "access_method";
/// The option of a temporary table that says what becomes of it at the end of a transaction.
pub const ON_COMMIT: &str = "on_commit";
/// The access method of materialized views that recommend.
pub const RECOMMENDER: &str = "recommender";

/// One privilege on an object or column, as in PostgreSQL's `aclitem`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The role that may; `0` is PUBLIC.
    pub grantee: Oid,
    /// The role that granted.
    pub grantor: Oid,
    /// Letters of PostgreSQL manual table 5.1 (`r` SELECT, `a` INSERT, `w` UPDATE, `d` DELETE,
    /// `D` TRUNCATE, `x` REFERENCES, `t` TRIGGER, `U` USAGE, `C` CREATE, `c` CONNECT, `T` TEMPORARY, `X` EXECUTE).
    pub privileges: String,
    /// The letters that the grantee may pass on.
    pub grantable: String,
}

/// A schema (`pg_namespace`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// The role that owns it.
    pub owner: Oid,
    /// `COMMENT ON SCHEMA`.
    pub comment: Option<String>,
    /// `None`: the default privileges.
    pub grants: Option<Vec<Grant>>,
}

/// What a relation is (`pg_class.relkind`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RelationKind {
    /// A stored table.
    Table,
    /// A view: its query.
    View {
        /// `SELECT …`, without a final semicolon.
        query: String,
    },
    /// A materialized view: a stored table and the query that fills it.
    MaterializedView {
        /// `SELECT …`.
        query: String,
        /// `false` after `WITH NO DATA`: it cannot be read before a refresh.
        populated: bool,
    },
    /// A sequence.
    Sequence(Sequence),
    /// A table whose rows are kept elsewhere.
    ForeignTable(ForeignTable),
}

/// State of a sequence. The last value moves ahead of what was handed out, as PostgreSQL's cache does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// Type: smallint, integer or bigint.
    pub pg_type: PgType,
    /// First value.
    pub start: i64,
    /// Step.
    pub increment: i64,
    /// Smallest value.
    pub minimum: i64,
    /// Largest value.
    pub maximum: i64,
    /// Whether it starts again at its end.
    pub cycle: bool,
    /// Last value that may have been handed out; `None` before the first.
    pub last_value: Option<i64>,
    /// `OWNED BY`: relation and column.
    pub owned_by: Option<(Oid, i16)>,
}

/// A table, view, materialized view, sequence or foreign table (`pg_class`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// Its OID.
    pub oid: Oid,
    /// OID of its schema.
    pub schema: Oid,
    /// Its name.
    pub name: String,
    /// The role that owns it.
    pub owner: Oid,
    /// What it is.
    pub kind: RelationKind,
    /// Columns in the order of their numbers, dropped ones included.
    pub columns: Vec<Column>,
    /// Keys and checks.
    pub constraints: Vec<Constraint>,
    /// Indexes that the user declared; keys of constraints are not repeated here.
    pub indexes: Vec<Index>,
    /// `WITH (…)`.
    pub options: Vec<(String, String)>,
    /// `COMMENT ON TABLE`.
    pub comment: Option<String>,
    /// `None`: only the owner.
    pub grants: Option<Vec<Grant>>,
    /// Lives in one session's memory only.
    pub temporary: bool,
    /// Columns after which files are sorted, by number (`CLUSTER`); empty: arrival order.
    pub sort_columns: Vec<i16>,
    /// `ROW LEVEL SECURITY` and the policies.
    #[serde(default)]
    pub row_security: RowSecurity,
}

/// Which rows of a table a role sees and writes (manual: ddl-rowsecurity).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowSecurity {
    /// `ENABLE ROW LEVEL SECURITY`.
    pub enabled: bool,
    /// `FORCE ROW LEVEL SECURITY`: for the owner, too.
    pub forced: bool,
    /// By name.
    pub policies: Vec<Policy>,
}

/// A policy (`pg_policy`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// `*` ALL, `r` SELECT, `a` INSERT, `w` UPDATE, `d` DELETE.
    pub command: char,
    /// PERMISSIVE, not RESTRICTIVE.
    pub permissive: bool,
    /// The roles that it is for; 0 is PUBLIC.
    pub roles: Vec<Oid>,
    /// `USING`, as SQL.
    pub using: Option<String>,
    /// `WITH CHECK`, as SQL.
    pub with_check: Option<String>,
}

impl Relation {
    /// Columns that exist, in order.
    pub fn live_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.dropped)
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.live_columns().find(|column| column.name == name)
    }

    /// The column of that number, dropped or not.
    pub fn column_by_number(&self, number: i16) -> Option<&Column> {
        self.columns.iter().find(|column| column.number == number)
    }

    /// The primary key.
    pub fn primary_key(&self) -> Option<&Constraint> {
        self.constraints
            .iter()
            .find(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey { .. }))
    }

    /// Constraints whose keys are columns: with their numbers.
    pub fn unique_keys(&self) -> impl Iterator<Item = (&Constraint, &[i16])> {
        self.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey { columns } | ConstraintKind::Unique { columns } => {
                Some((constraint, columns.as_slice()))
            }
            _ => None,
        })
    }

    /// All constraints that demand unique keys, those of computed keys included.
    pub fn unique_constraints(&self) -> impl Iterator<Item = &Constraint> {
        self.constraints.iter().filter(|constraint| {
            matches!(
                constraint.kind,
                ConstraintKind::PrimaryKey { .. }
                    | ConstraintKind::Unique { .. }
                    | ConstraintKind::UniqueIndex { .. }
            )
        })
    }

    /// The one of that OID.
    pub fn unique_constraint(&self, oid: Oid) -> Option<&Constraint> {
        self.unique_constraints().find(|constraint| constraint.oid == oid)
    }

    /// Its foreign keys.
    pub fn foreign_keys(&self) -> impl Iterator<Item = ForeignKey<'_>> {
        self.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey {
                columns,
                references,
                referenced,
                on_delete,
                on_update,
            } => Some(ForeignKey {
                oid: constraint.oid,
                name: &constraint.name,
                columns,
                references: *references,
                referenced,
                on_delete: *on_delete,
                on_update: *on_update,
                deferrable: constraint.deferrable,
            }),
            _ => None,
        })
    }

    /// The unique key on exactly these columns, in this order.
    pub fn unique_key_on(&self, columns: &[i16]) -> Option<Oid> {
        let found = self.unique_keys().find(|(_, of_key)| *of_key == columns);
        found.map(|(constraint, _)| constraint.oid)
    }

    /// The access method that it was made with (`USING`), if it is not PostgreSQL's `heap`.
    pub fn access_method(&self) -> Option<&str> {
        let method = self.options.iter().find(|(name, _)| name == ACCESS_METHOD);
        method.map(|(_, method)| method.as_str())
    }

    /// Whether it is a materialized view that recommends.
    pub fn is_recommender(&self) -> bool {
        let is_view = matches!(self.kind, RelationKind::MaterializedView { .. });
        is_view && self.access_method() == Some(RECOMMENDER)
    }

    /// Whether it may be read: all but a materialized view before its first refresh.
    pub fn is_populated(&self) -> bool {
        !matches!(self.kind, RelationKind::MaterializedView { populated: false, .. })
    }

    /// Where its rows are, if they are kept elsewhere.
    pub fn foreign(&self) -> Option<&ForeignTable> {
        match &self.kind {
            RelationKind::ForeignTable(foreign) => Some(foreign),
            _ => None,
        }
    }

    /// Whether rows are stored for it.
    pub fn stores_rows(&self) -> bool {
        matches!(self.kind, RelationKind::Table | RelationKind::MaterializedView { .. })
    }

    /// `pg_class.relkind`.
    pub fn kind_letter(&self) -> char {
        match self.kind {
            RelationKind::Table => 'r',
            RelationKind::View { .. } => 'v',
            RelationKind::MaterializedView { .. } => 'm',
            RelationKind::Sequence(_) => 'S',
            RelationKind::ForeignTable(_) => 'f',
        }
    }
}

/// A column (`pg_attribute`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// `attnum`, from 1; never reused.
    pub number: i16,
    /// Its name now.
    pub name: String,
    /// Its name in the Parquet files: the first name it had, made unique within the table.
    pub stored_name: String,
    /// Base type and modifier.
    pub pg_type: PgType,
    /// The domain it was declared with, user's or built-in (see [`crate::domains`]).
    pub domain: Option<Oid>,
    /// NOT NULL.
    pub not_null: bool,
    /// DEFAULT, as SQL.
    pub default: Option<String>,
    /// `GENERATED ALWAYS AS (…) STORED`, as SQL.
    pub generated: Option<String>,
    /// The column says whose row it is: rows keep the *node* of their identifiers in it, scans show
    /// the customer (or account) that the node belongs to. `generated` has it as SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// `GENERATED … AS IDENTITY`: `a` always, `d` by default.
    pub identity: Option<char>,
    /// Value of rows that are older than the column, as text of its type; `None` is NULL.
    pub missing: Option<String>,
    /// `COMMENT ON COLUMN`.
    pub comment: Option<String>,
    /// Column privileges.
    pub grants: Vec<Grant>,
    /// What a member of `privacy_officer` decided about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Box<ColumnPrivacy>>,
    /// Dropped: no name resolves to it, its bytes vanish with the next rewrite.
    pub dropped: bool,
}

impl Column {
    /// A column without anything special.
    pub fn plain(number: i16, name: &str, pg_type: PgType) -> Self {
        Self {
            number,
            name: name.to_owned(),
            stored_name: name.to_owned(),
            pg_type,
            domain: None,
            not_null: false,
            default: None,
            generated: None,
            subject: None,
            identity: None,
            missing: None,
            comment: None,
            grants: Vec::new(),
            privacy: None,
            dropped: false,
        }
    }
}

/// An index that the user declared; its columns get bloom filters, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// Its columns; 0 stands for an expression.
    pub columns: Vec<i16>,
    /// How each is sorted, as `pg_index.indoption` has it: 1 DESC, 2 NULLS FIRST. Empty: ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<i16>,
    /// Its expressions as SQL, in their order.
    #[serde(default)]
    pub expressions: Vec<String>,
    /// `WHERE`, as SQL: of a partial index.
    #[serde(default)]
    pub predicate: Option<String>,
    /// `USING`, where it is another method than btree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// `COMMENT ON INDEX`.
    pub comment: Option<String>,
}

impl Index {
    /// Whether rows are sorted by it: those of other methods than btree and hash, and partial ones,
    /// are kept as definitions alone.
    pub fn sorts(&self) -> bool {
        self.predicate.is_none() && self.is_of_values()
    }

    /// Whether it helps to find values of a column.
    pub fn finds(&self, column: i16) -> bool {
        self.is_of_values() && self.columns.contains(&column)
    }

    fn is_of_values(&self) -> bool {
        self.method.as_deref().is_none_or(|method| method == "hash")
    }
}

/// A domain over a base type or another domain (`pg_type`, typtype `d`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// Its OID.
    pub oid: Oid,
    /// OID of its schema.
    pub schema: Oid,
    /// Its name.
    pub name: String,
    /// The role that owns it.
    pub owner: Oid,
    /// Base type at the bottom.
    pub pg_type: PgType,
    /// The domain it is declared over.
    pub parent: Option<Oid>,
    /// NOT NULL.
    pub not_null: bool,
    /// DEFAULT, as SQL.
    pub default: Option<String>,
    /// Own CHECK constraints: name and condition over `VALUE`, as SQL.
    pub checks: Vec<(String, String)>,
    /// An enumerated type (`CREATE TYPE … AS ENUM`): its values, in order. None: a domain.
    #[serde(default)]
    pub labels: Vec<String>,
    /// `COMMENT ON DOMAIN`.
    pub comment: Option<String>,
    /// `None`: everyone may use it.
    #[serde(default)]
    pub grants: Option<Vec<Grant>>,
}

/// What new objects of a role get (`pg_default_acl`, manual: sql-alterdefaultprivileges).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultPrivileges {
    /// Its OID.
    pub oid: Oid,
    /// The role whose new objects are meant.
    pub role: Oid,
    /// OID of the schema; 0: all of them.
    pub schema: Oid,
    /// `r` tables and views, `S` sequences, `f` functions, `T` types, `n` schemas.
    pub kind: char,
    /// In all schemas: in place of the built-in defaults; in one: beside them.
    pub grants: Vec<Grant>,
}

/// Any object of a database; what a transaction puts into or takes out of the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Object {
    /// A schema.
    Schema(Schema),
    /// A table, view, materialized view, sequence or foreign table.
    Relation(Relation),
    /// A domain.
    Domain(Domain),
    /// A function.
    Function(Function),
    /// Privileges of objects to come.
    DefaultPrivileges(DefaultPrivileges),
    /// A foreign server.
    ForeignServer(ForeignServer),
}

impl Object {
    /// Its OID.
    pub fn oid(&self) -> Oid {
        match self {
            Self::Schema(schema) => schema.oid,
            Self::Relation(relation) => relation.oid,
            Self::Domain(domain) => domain.oid,
            Self::Function(function) => function.oid,
            Self::DefaultPrivileges(defaults) => defaults.oid,
            Self::ForeignServer(server) => server.oid,
        }
    }
}

/// A role (`pg_authid`); cluster-wide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// SCRAM-SHA-256 verifier in PostgreSQL's form `SCRAM-SHA-256$iterations:salt$stored:server`.
    pub password: Option<String>,
    /// May log in.
    pub login: bool,
    /// Passes every check.
    pub superuser: bool,
    /// May create databases.
    pub create_database: bool,
    /// May create roles.
    pub create_role: bool,
    /// Has the rights of the roles it is a member of.
    pub inherit: bool,
    /// Largest number of connections, −1: no limit.
    pub connection_limit: i32,
    /// Roles that it is a member of.
    pub member_of: Vec<Oid>,
    /// `COMMENT ON ROLE`.
    pub comment: Option<String>,
    /// `VALID UNTIL`: the password is good until then; microseconds since 1970.
    #[serde(default)]
    pub valid_until: Option<i64>,
    /// `ALTER ROLE … SET`.
    #[serde(default)]
    pub settings: Vec<RoleSetting>,
    /// BYPASSRLS: policies do not restrict it.
    #[serde(default)]
    pub bypasses_row_security: bool,
}

/// A setting that sessions of a role begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleSetting {
    /// `IN DATABASE`; 0: in all of them.
    pub database: Oid,
    /// The setting's name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A database (`pg_database`); cluster-wide. Its directory is `databases/<oid>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// The role that owns it.
    pub owner: Oid,
    /// `COMMENT ON DATABASE`.
    pub comment: Option<String>,
    /// `None`: everyone may connect.
    pub grants: Option<Vec<Grant>>,
    /// `ALTER DATABASE … SET`: names and values that its sessions begin with.
    #[serde(default)]
    pub settings: Vec<(String, String)>,
}
