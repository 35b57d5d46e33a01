//! The definitions that follow from the touchpoint tables.

use std::fmt::Write as _;
use std::sync::Arc;

use clientele_udfs::types::PgType;

use super::touchpoints::{Attribute, Touchpoints, is_touchpoint};
use super::{ACCOUNTS, PROFILES};
use crate::catalog::Catalog;
use crate::definition::{Column, Oid, Relation, RelationKind};
use crate::domains::Subject;
use crate::features;
use crate::pg_catalog::{quote_identifier, quote_literal};
use crate::privacy::ColumnPrivacy;

/// The relations whose columns follow from others, and whom they are about.
const DERIVED: [(Oid, Subject); 2] = [(PROFILES, Subject::Person), (ACCOUNTS, Subject::Company)];

/// Names of columns that say what somebody is in a company.
const ROLES: [&str; 3] = ["role", "job_title", "position"];

/// Whether the columns of a relation follow from other relations.
pub fn is_derived(oid: Oid) -> bool {
    DERIVED.iter().any(|(one, _)| *one == oid)
}

/// The relations whose columns follow from others, as they stand.
pub fn derive(catalog: &Catalog) -> Vec<Arc<Relation>> {
    let of = |(oid, subject): (Oid, Subject)| {
        let built_in = features::relation(oid)?;
        let stored = catalog.defined_relations().find(|one| one.oid == oid);
        let touchpoints = Touchpoints::of(catalog, subject);
        Some(Arc::new(profile(built_in, &touchpoints, stored.map(Arc::as_ref))))
    };
    DERIVED.into_iter().filter_map(of).collect()
}

/// The relation with the attributes' columns behind its first; `stored` has what was granted.
fn profile(built_in: &Relation, touchpoints: &Touchpoints, stored: Option<&Relation>) -> Relation {
    let (key, facts) = built_in.columns.split_at(1);
    let attributes = touchpoints.attributes.iter().map(attribute_column);
    let columns = key.iter().cloned().chain(attributes).chain(facts.iter().cloned());
    let columns: Vec<Column> = (1..)
        .zip(columns)
        .map(|(number, column)| granted(stored, Column { number, ..column }))
        .collect();
    let names: Vec<String> = columns.iter().map(|column| quote_identifier(&column.name)).collect();
    let subject = match touchpoints.subject {
        Subject::Person => "person",
        Subject::Company => "company",
    };
    let list = names.join(", ");
    let query = format!("SELECT {list} FROM customers.golden_records('{subject}')");
    Relation {
        kind: RelationKind::View { query },
        grants: stored.and_then(|one| one.grants.clone()),
        columns,
        ..built_in.clone()
    }
}

/// The column with what was granted on it, and the roles that it was opened to.
fn granted(stored: Option<&Relation>, mut column: Column) -> Column {
    let Some(before) = stored.and_then(|stored| stored.column(&column.name)) else { return column };
    column.grants.clone_from(&before.grants);
    if let (Some(privacy), Some(before)) = (&mut column.privacy, &before.privacy) {
        **privacy = std::mem::take(&mut **privacy).with_rest_of(Some(before));
    }
    column
}

fn attribute_column(attribute: &Attribute) -> Column {
    let comment = attribute.comment.clone();
    let (masking, category) = (attribute.masking, attribute.category);
    let privacy = ColumnPrivacy::derived(masking, Some(attribute.domain), Some(category));
    let plain = Column::plain(0, &attribute.name, attribute.pg_type);
    Column { comment, privacy: Some(Box::new(privacy)), ..plain }
}

/// The query behind `customers.account_members`: one aggregation for each table that names people
/// and companies. The view itself names no table: none must be kept because of it.
pub fn account_members(catalog: &Catalog) -> String {
    let mut query = String::from(
        "SELECT NULL::int8 AS account_id, NULL::int8 AS customer_id, NULL::text AS source, \
         NULL::text AS role, NULL::timestamptz AS first_seen_at, \
         NULL::timestamptz AS last_seen_at, NULL::int8 AS row_count WHERE false",
    );
    let people = Touchpoints::of(catalog, Subject::Person);
    let both = people.tables.iter().filter(|one| is_touchpoint(&one.relation, Subject::Company));
    for table in both {
        let relation = &table.relation;
        let column = |subject| {
            let found = relation.live_columns().find(|column| column.subject == Some(subject));
            found.map_or_else(String::new, |column| quote_identifier(&column.name))
        };
        let (account, customer) = (column(Subject::Company), column(Subject::Person));
        let role = ROLES.iter().find_map(|name| relation.column(name));
        let role = role.map_or_else(|| "NULL".to_owned(), |column| quote_identifier(&column.name));
        let time = table.time.and_then(|number| relation.column_by_number(number));
        let time = time.map_or_else(|| "NULL::timestamptz".to_owned(), instant);
        let schema = catalog.schema_by_oid(relation.schema).map_or("", |one| one.name.as_str());
        let from = format!("{}.{}", quote_identifier(schema), quote_identifier(&relation.name));
        let source = quote_literal(&table.source);
        // Writing to a string cannot fail.
        let _ = write!(
            query,
            " UNION ALL SELECT {account}, {customer}, {source}, {role}::text, \
             min({time}), max({time}), count(*) FROM {from} \
             WHERE {account} IS NOT NULL AND {customer} IS NOT NULL \
             GROUP BY {account}, {customer}, {role}::text"
        );
    }
    query
}

/// A time as an instant; without a zone it is one of UTC.
fn instant(column: &Column) -> String {
    let name = quote_identifier(&column.name);
    match column.pg_type == PgType::TIMESTAMPTZ {
        true => name,
        false => format!("({name} AT TIME ZONE 'UTC')"),
    }
}
