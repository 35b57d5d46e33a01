//! Privileges and the kinds of objects that have them (manual: tables 5.1 and 5.2).

use crate::definition::{Relation, RelationKind};

/// What can have privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Table, view, materialized view.
    Table,
    /// Sequence.
    Sequence,
    /// Schema.
    Schema,
    /// Database.
    Database,
    /// Column.
    Column,
    /// Domain.
    Type,
    /// Function.
    Function,
    /// Foreign server.
    Server,
}

impl Kind {
    /// Of a relation.
    pub fn of(relation: &Relation) -> Self {
        match relation.kind {
            RelationKind::Sequence(_) => Self::Sequence,
            _ => Self::Table,
        }
    }

    /// Letters of all its privileges, in the order in which `aclitem` prints them.
    pub fn all(self) -> &'static str {
        match self {
            Self::Table => "arwdDxt",
            Self::Sequence => "rwU",
            Self::Schema => "UC",
            Self::Database => "CTc",
            Self::Column => "arwx",
            Self::Type | Self::Server => "U",
            Self::Function => "X",
        }
    }

    /// What PUBLIC has until something is granted or revoked.
    pub fn of_public(self) -> &'static str {
        match self {
            Self::Database => "Tc",
            Self::Type => "U",
            Self::Function => "X",
            _ => "",
        }
    }

    /// What messages call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Sequence => "sequence",
            Self::Schema => "schema",
            Self::Database => "database",
            Self::Column => "column",
            Self::Type => "type",
            Self::Function => "function",
            Self::Server => "foreign server",
        }
    }
}

/// Every privilege with its letter.
const NAMES: &[(char, &str)] = &[
    ('r', "SELECT"),
    ('a', "INSERT"),
    ('w', "UPDATE"),
    ('d', "DELETE"),
    ('D', "TRUNCATE"),
    ('x', "REFERENCES"),
    ('t', "TRIGGER"),
    ('U', "USAGE"),
    ('C', "CREATE"),
    ('c', "CONNECT"),
    ('T', "TEMPORARY"),
    ('T', "TEMP"),
    ('X', "EXECUTE"),
];

/// SQL name of a privilege; empty for a letter that is none.
pub fn name(letter: char) -> &'static str {
    NAMES.iter().find(|(one, _)| *one == letter).map_or("", |(_, name)| name)
}

/// Letter of a privilege, from its name in capitals.
pub fn letter(name: &str) -> Option<char> {
    NAMES.iter().find(|(_, one)| *one == name).map(|(letter, _)| *letter)
}
