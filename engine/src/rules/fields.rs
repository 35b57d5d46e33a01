//! What rules may name: attributes of `customers.profiles`, tables with customers, their columns.

use std::sync::Arc;

use clientele_catalog::customers::{PROFILES, Touchpoint, Touchpoints};
use clientele_catalog::definition::{Column, Relation};
use clientele_catalog::domains::Subject;
use clientele_catalog::privileges::Access;
use clientele_udfs::types::PgType;
use sqlparser::ast::{Expr, Ident, ObjectName};

use super::error::Path;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;

/// The name of the relation that attributes are read from.
pub(super) const PROFILES_NAME: [&str; 2] = ["customers", "profiles"];
/// The column that says whose a row is.
pub(super) const KEY: &str = "customer_id";

/// Everything that rules may name.
pub(super) struct Fields {
    pub(super) profiles: Arc<Relation>,
    pub(super) tables: Vec<Touchpoint>,
}

/// What the fields of a rule belong to.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    /// A customer: attributes of the profile.
    Customer,
    /// A row of a table.
    Row(&'a Touchpoint),
}

/// A field with its type.
pub(super) struct Field {
    /// How it is read.
    pub(super) expr: Expr,
    /// Its type.
    pub(super) pg_type: PgType,
}

impl Fields {
    /// Those of the database.
    pub(super) fn of(context: &QueryContext) -> Result<Self> {
        let catalog = context.catalog();
        let profiles = catalog.relation_by_oid(PROFILES);
        let profiles = profiles.ok_or_else(|| Error::internal("customers.profiles is missing"))?;
        let tables = Touchpoints::of(catalog, Subject::Person).tables;
        Ok(Self { profiles: Arc::clone(profiles), tables })
    }

    /// Those that the role may read.
    pub(super) fn readable(mut self, context: &QueryContext) -> (Self, bool) {
        let may =
            |relation: &Relation| Access::relation(relation).permits(&context.rights, 'r', false);
        self.tables.retain(|table| may(&table.relation));
        let profiles = may(&self.profiles);
        (self, profiles)
    }

    /// The table of that name.
    pub(super) fn table(&self, name: &str, path: &Path) -> Result<&Touchpoint> {
        self.tables.iter().find(|table| table.source == name).ok_or_else(|| {
            path.error(format!("there is no table \"{name}\" with a column {KEY}"))
                .with_hint("segments.fields() lists fields and their tables.")
        })
    }

    /// A field of a scope by its name: a column, with or without its table before it.
    pub(super) fn field(&self, scope: Scope<'_>, name: &str, path: &Path) -> Result<Field> {
        let relation = match scope {
            Scope::Customer => &self.profiles,
            Scope::Row(table) => &table.relation,
        };
        let own = match scope {
            Scope::Row(table) => {
                name.strip_prefix(&table.source).and_then(|one| one.strip_prefix('.'))
            }
            Scope::Customer => None,
        };
        let column = relation.column(own.unwrap_or(name)).ok_or_else(|| {
            path.error(format!("unknown field \"{name}\""))
                .with_hint("segments.fields() lists the fields that there are.")
        })?;
        Ok(Field { expr: Expr::Identifier(ident(&column.name)), pg_type: column.pg_type })
    }

    /// The table and column of `schema.table.column`, if that is what it is.
    pub(super) fn qualified<'n>(&self, name: &'n str) -> Option<(&Touchpoint, &'n str)> {
        let (table, column) = name.rsplit_once('.')?;
        Some((self.tables.iter().find(|one| one.source == table)?, column))
    }
}

/// The column that says when a row was made.
pub(super) fn time_of<'a>(table: &'a Touchpoint, path: &Path) -> Result<&'a Column> {
    let column = table.time.and_then(|number| table.relation.column_by_number(number));
    column.ok_or_else(|| {
        path.error(format!("table \"{}\" has no column of type timestamp", table.source))
    })
}

/// An identifier, quoted only where it must be.
pub(super) fn ident(name: &str) -> Ident {
    let simple = name.starts_with(|one: char| one.is_ascii_lowercase() || one == '_')
        && name.chars().all(|one| matches!(one, 'a'..='z' | '0'..='9' | '_'));
    if simple { Ident::new(name) } else { Ident::with_quote('"', name) }
}

/// The name of a table as it stands in FROM.
pub(super) fn object_name(source: &str) -> ObjectName {
    ObjectName::from(source.split('.').map(ident).collect::<Vec<_>>())
}

/// Families of types: what values and operators go with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Number,
    Text,
    Boolean,
    Time,
    Other,
}

/// The family of a type (`pg_type.typcategory`).
pub(super) fn family(pg_type: PgType) -> Family {
    if pg_type.element().is_some() {
        return Family::Other;
    }
    match pg_type.facts().category {
        'N' => Family::Number,
        'S' => Family::Text,
        'B' => Family::Boolean,
        'D' | 'T' => Family::Time,
        _ => Family::Other,
    }
}
