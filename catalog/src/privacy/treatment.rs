//! Which treatment a column has.

use clientele_udfs::types::PgType;

use crate::catalog::Catalog;
use crate::definition::{Column, FIRST_USER_OID, Oid, Relation, RelationKind};
use crate::domains::{self, Category, Masking, SemanticDomain};
use crate::privileges::Rights;

/// What a column shows to those it is not open to, and what kind of personal data it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Treatment {
    /// What is shown.
    pub masking: Masking,
    /// The domain whose pseudonyms are shown.
    pub namespace: Option<Oid>,
    /// `None`: no personal data.
    pub category: Option<Category>,
}

impl Treatment {
    /// The values themselves.
    pub const OPEN: Self = Self { masking: Masking::Open, namespace: None, category: None };
}

/// The treatment of a column.
///
/// What was decided goes before what the domain says. Without either, text in a table with
/// identifiers is free text, unless it is a key.
pub fn treatment(catalog: &Catalog, relation: &Relation, column: &Column) -> Treatment {
    let by_default = by_default(catalog, relation, column);
    let Some(privacy) = column.privacy.as_deref() else { return by_default };
    Treatment {
        masking: privacy.masking.unwrap_or(by_default.masking),
        namespace: privacy.namespace.or(by_default.namespace),
        category: privacy.category.or(by_default.category),
    }
}

fn by_default(catalog: &Catalog, relation: &Relation, column: &Column) -> Treatment {
    let has_rows = relation.stores_rows() || relation.foreign().is_some();
    let has_rows = relation.oid >= FIRST_USER_OID && has_rows;
    if column.subject.is_some() || !has_rows {
        return Treatment::OPEN;
    }
    if let Some(meaning) = column.domain.and_then(|domain| domains::meaning(catalog, domain)) {
        return Treatment {
            masking: meaning.masking,
            namespace: column.domain,
            category: Some(meaning.category),
        };
    }
    let personal = is_closed_type(column.pg_type)
        && is_touchpoint(catalog, relation)
        && !is_key(relation, column);
    match personal {
        true => Treatment {
            masking: Masking::Null,
            namespace: None,
            category: Some(Category::FreeText),
        },
        false => Treatment::OPEN,
    }
}

/// Whether rows of a table name people or companies.
pub fn is_touchpoint(catalog: &Catalog, relation: &Relation) -> bool {
    let identifies = |column: &Column| {
        let meaning = column.domain.and_then(|domain| domains::meaning(catalog, domain));
        column.subject.is_some() || meaning.is_some_and(SemanticDomain::identifies)
    };
    !matches!(relation.kind, RelationKind::View { .. } | RelationKind::Sequence(_))
        && relation.live_columns().any(identifies)
}

/// Whether anything may stand in a value of the type: all but numbers, booleans, times and UUIDs.
pub fn is_closed_type(pg_type: PgType) -> bool {
    const UUID: Oid = 2950;
    let element = pg_type.element().unwrap_or(pg_type);
    !matches!(element.facts().category, 'N' | 'B' | 'D' | 'T') && element.oid != UUID
}

fn is_key(relation: &Relation, column: &Column) -> bool {
    relation.unique_keys().any(|(_, columns)| columns.contains(&column.number))
        || relation.foreign_keys().any(|key| key.columns.contains(&column.number))
}

/// What a column shows to a role.
pub fn shown_as(
    catalog: &Catalog,
    rights: &Rights,
    relation: &Relation,
    column: &Column,
) -> Treatment {
    let opened = || {
        let openings = column.privacy.iter().flat_map(|one| &one.openings);
        openings.into_iter().any(|one| one.role == 0 || rights.has(one.role))
    };
    match rights.superuser || opened() {
        true => Treatment::OPEN,
        false => treatment(catalog, relation, column),
    }
}
