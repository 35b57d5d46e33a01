//! Constraints of tables: keys, foreign keys, checks.

use serde::{Deserialize, Serialize};

use crate::computed_key::KeyCache;
use crate::definition::Oid;

/// A table constraint (`pg_constraint`); NOT NULL lives on the column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraint {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// What it demands.
    pub kind: ConstraintKind,
    /// `COMMENT ON CONSTRAINT`.
    pub comment: Option<String>,
    /// Whether it was made by `CREATE UNIQUE INDEX`: an index to users, no constraint.
    #[serde(default)]
    pub of_index: bool,
    /// How each column of that index is sorted, see [`crate::definition::Index::options`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<i16>,
    /// `DEFERRABLE`, of a foreign key: whether `INITIALLY DEFERRED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferrable: Option<bool>,
    /// What the expressions of [`ConstraintKind::UniqueIndex`] were compiled to.
    #[serde(skip)]
    pub computed: KeyCache,
}

impl Constraint {
    /// A constraint without a comment.
    pub fn new(oid: Oid, name: String, kind: ConstraintKind) -> Self {
        let (comment, options) = (None, Vec::new());
        Self {
            oid,
            name,
            kind,
            comment,
            of_index: false,
            options,
            deferrable: None,
            computed: KeyCache::default(),
        }
    }
}

/// What a constraint demands. Columns are given by number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConstraintKind {
    /// PRIMARY KEY.
    PrimaryKey {
        /// Its columns.
        columns: Vec<i16>,
    },
    /// UNIQUE; NULLs are distinct.
    Unique {
        /// Its columns.
        columns: Vec<i16>,
    },
    /// `CREATE UNIQUE INDEX` on expressions, or over some of the rows.
    UniqueIndex {
        /// Its columns; 0 stands for an expression.
        columns: Vec<i16>,
        /// Its expressions as SQL, in their order.
        expressions: Vec<String>,
        /// `WHERE`, as SQL.
        predicate: Option<String>,
    },
    /// CHECK.
    Check {
        /// The condition as SQL.
        expression: String,
    },
    /// FOREIGN KEY; its columns are in the order of the unique key that it refers to.
    ForeignKey {
        /// Referencing columns.
        columns: Vec<i16>,
        /// The table referred to.
        references: Oid,
        /// Its columns.
        referenced: Vec<i16>,
        /// `ON DELETE`: `a` no action, `r` restrict, `c` cascade, `n` set null, `d` set default.
        on_delete: char,
        /// `ON UPDATE`, likewise.
        on_update: char,
    },
}

/// A foreign key of a relation.
#[derive(Debug, Clone, Copy)]
pub struct ForeignKey<'a> {
    /// OID of the constraint.
    pub oid: Oid,
    /// Its name.
    pub name: &'a str,
    /// Referring columns, in the order of the unique key.
    pub columns: &'a [i16],
    /// The relation referred to.
    pub references: Oid,
    /// Its columns: those of a unique key, in its order.
    pub referenced: &'a [i16],
    /// `ON DELETE`, see [`ConstraintKind::ForeignKey`].
    pub on_delete: char,
    /// `ON UPDATE`, likewise.
    pub on_update: char,
    /// See [`Constraint::deferrable`].
    pub deferrable: Option<bool>,
}
