//! `gdpr.register` (GDPR art. 30): which personal data are kept, where, and what for, from the
//! definitions of the tables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clientele_catalog::definition::Oid;
use clientele_catalog::domains::SemanticDomain;
use clientele_catalog::domains::{self, Kind as Role, Subject as Kind};
use clientele_catalog::features;
use clientele_catalog::privacy::treatment;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, BooleanArray, StringViewArray};
use datafusion::scalar::ScalarValue;

use crate::builtin::numbers;
use crate::error::Result;
use crate::planning::context::QueryContext;

/// The columns of `gdpr.categories()`.
pub(super) const COLUMNS: &[(&str, PgType)] = &[
    ("table_name", PgType::TEXT),
    ("category", PgType::TEXT),
    ("columns", PgType::TEXT),
    ("identifies", PgType::BOOL),
    ("special", PgType::BOOL),
    ("relation", PgType::INT8),
];

/// What a table has of one category.
#[derive(Default)]
struct Entry {
    relation: Oid,
    columns: BTreeSet<String>,
    identifies: bool,
    special: bool,
}

/// One row for each table and category of personal data.
pub(super) fn rows(context: &QueryContext, _arguments: &[ScalarValue]) -> Result<Vec<ArrayRef>> {
    let catalog = context.catalog();
    let mut entries: BTreeMap<(String, &'static str), Entry> = BTreeMap::new();
    let own = catalog
        .relations()
        .filter(|one| one.stores_rows() || one.foreign().is_some())
        .filter(|one| !one.temporary && features::relation(one.oid).is_none());
    for relation in own {
        for column in relation.live_columns() {
            let meaning = column.domain.and_then(|one| domains::meaning(catalog, one));
            let category = treatment(catalog, relation, column).category;
            let is_personal = meaning.is_none_or(is_personal);
            let Some(category) = category.filter(|_| is_personal) else { continue };
            let key = (catalog.qualified_name(relation), category.name());
            let entry = entries.entry(key).or_default();
            entry.relation = relation.oid;
            entry.columns.insert(column.name.clone());
            entry.identifies |= meaning.is_some_and(SemanticDomain::identifies);
            entry.special |= category == domains::Category::SpecialCategory;
        }
    }
    let text = |of: &dyn Fn(&(String, &'static str), &Entry) -> String| -> ArrayRef {
        let values = entries.iter().map(|(key, entry)| of(key, entry));
        Arc::new(StringViewArray::from_iter_values(values))
    };
    let truth = |of: fn(&Entry) -> bool| -> ArrayRef {
        Arc::new(entries.values().map(|one| Some(of(one))).collect::<BooleanArray>())
    };
    Ok(vec![
        text(&|key, _| key.0.clone()),
        text(&|key, _| key.1.to_owned()),
        text(&|_, entry| entry.columns.iter().cloned().collect::<Vec<_>>().join(", ")),
        truth(|one| one.identifies),
        truth(|one| one.special),
        numbers(entries.values().map(|one| Some(i64::from(one.relation)))),
    ])
}

/// Whether a domain says something about a person: identifiers of companies do not.
fn is_personal(domain: &SemanticDomain) -> bool {
    !matches!(domain.kind, Role::Identifier(Kind::Company))
}
