//! Columns of every relation that has columns, user's and system's alike.

use clientele_udfs::types::PgType;

use super::super::context::Context;
use super::super::system_relation::{self, SystemRelation};
use super::expressions::quote_identifier;
use crate::definition::{Column, Domain, Oid, Relation, RelationKind, Schema};

/// A relation of either kind.
pub(crate) enum Table<'a> {
    User(&'a Schema, &'a Relation),
    System(&'static SystemRelation),
}

impl Table<'_> {
    pub(crate) fn oid(&self) -> Oid {
        match self {
            Self::User(_, relation) => relation.oid,
            Self::System(relation) => relation.oid,
        }
    }

    /// The definition, of a relation of the user's.
    pub(crate) fn user(&self) -> Option<&Relation> {
        if let Self::User(_, relation) = self { Some(relation) } else { None }
    }

    pub(crate) fn schema_name(&self) -> &str {
        match self {
            Self::User(schema, _) => &schema.name,
            Self::System(relation) => relation.schema_name,
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::User(_, relation) => &relation.name,
            Self::System(relation) => relation.name,
        }
    }

    /// `pg_class.relkind`.
    pub(crate) fn kind(&self) -> char {
        match self {
            Self::User(_, relation) => relation.kind_letter(),
            Self::System(relation) => relation.kind,
        }
    }

    /// The columns that exist, in order.
    pub(crate) fn columns(&self) -> Vec<ColumnRow<'_>> {
        match self {
            Self::User(_, relation) => {
                relation.columns.iter().filter(|one| !one.dropped).map(ColumnRow::user).collect()
            }
            Self::System(relation) => relation.columns().zip(1..).map(ColumnRow::system).collect(),
        }
    }
}

/// One column.
pub(crate) struct ColumnRow<'a> {
    pub(crate) number: i16,
    pub(crate) name: &'a str,
    pub(crate) pg_type: PgType,
    pub(crate) domain: Option<Oid>,
    pub(crate) not_null: bool,
    /// The definition, for a column of the user's.
    pub(crate) column: Option<&'a Column>,
}

impl<'a> ColumnRow<'a> {
    fn user(column: &'a Column) -> Self {
        Self {
            number: column.number,
            name: &column.name,
            pg_type: column.pg_type,
            domain: column.domain,
            not_null: column.not_null,
            column: Some(column),
        }
    }

    fn system(((name, pg_type, not_null), number): ((&'a str, PgType, bool), i16)) -> Self {
        Self { number, name, pg_type, domain: None, not_null, column: None }
    }
}

/// Every relation with columns that `information_schema` shows the current role.
pub(crate) fn visible_tables(context: &Context) -> Vec<Table<'_>> {
    let rights = context.own_rights();
    let has_columns = |relation: &Relation| !matches!(relation.kind, RelationKind::Sequence(_));
    let user = context
        .placed_relations()
        .filter(|(_, relation)| has_columns(relation) && rights.sees(relation))
        .map(|(schema, relation)| Table::User(schema, relation));
    user.chain(system_relation::all().iter().map(Table::System)).collect()
}

/// OID of the type that a column shows: its domain's, else the base type's.
pub(crate) fn type_oid(pg_type: PgType, domain: Option<Oid>) -> Oid {
    domain.unwrap_or(pg_type.oid)
}

/// `atttypmod`: a domain has its modifier inside.
pub(crate) fn modifier(pg_type: PgType, domain: Option<Oid>) -> i32 {
    if domain.is_some() { -1 } else { pg_type.modifier }
}

/// The type of a column as `format_type` prints it: a domain by name, with schema when needed.
pub(crate) fn type_name(context: &Context, pg_type: PgType, domain: Option<Oid>) -> String {
    match domain.and_then(|oid| context.catalog.domain_by_oid(oid)) {
        Some(domain) => domain_name(context, domain),
        None => pg_type.sql_name(),
    }
}

/// Name of a domain, with its schema where the search path does not find it by name alone.
pub(crate) fn domain_name(context: &Context, domain: &Domain) -> String {
    let name = quote_identifier(&domain.name);
    let seen =
        context.search_schemas().find_map(|schema| context.catalog.domain(schema, &domain.name));
    match seen.is_some_and(|seen| seen.oid == domain.oid) {
        true => name,
        false => format!("{}.{name}", quote_identifier(context.schema_name(domain.schema))),
    }
}

impl Context {
    /// The search path, `pg_catalog` in front where it is not named (manual: ddl-schemas-catalog).
    pub(crate) fn search_schemas(&self) -> impl Iterator<Item = Oid> {
        let implied = !self.search_path.contains(&crate::catalog::PG_CATALOG_OID);
        implied
            .then_some(crate::catalog::PG_CATALOG_OID)
            .into_iter()
            .chain(self.search_path.iter().copied())
    }
}
