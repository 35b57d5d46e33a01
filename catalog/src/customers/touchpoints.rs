//! Touchpoint tables, and which of their columns say what.

use std::collections::HashSet;
use std::sync::Arc;

use clientele_udfs::types::PgType;

use crate::catalog::Catalog;
use crate::definition::{Column, Domain, FIRST_USER_OID, Oid, Relation, RelationKind};
use crate::domains::{self, Category, Kind, Masking, SEMANTIC_DOMAINS, SemanticDomain, Subject};

/// What is said about the people (or the companies) of a database, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touchpoints {
    /// Whom the tables are about.
    pub subject: Subject,
    /// Identifiers, then attributes; each is a column of the profile.
    pub attributes: Vec<Attribute>,
    /// The tables, by name.
    pub tables: Vec<Touchpoint>,
}

/// A kind of identifier or attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name: that of the domain.
    pub name: String,
    /// The domain: the namespace of an identifier.
    pub domain: Oid,
    /// Type of its values.
    pub pg_type: PgType,
    /// Whether it is an identifier.
    pub identifies: bool,
    /// How it is treated.
    pub masking: Masking,
    /// The kind of personal data that it is.
    pub category: Category,
    /// What it is.
    pub comment: Option<String>,
}

/// A table with rows of the subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touchpoint {
    /// The table.
    pub relation: Arc<Relation>,
    /// Its name with its schema.
    pub source: String,
    /// Number of the column that says when a row was made: the first point in time.
    pub time: Option<i16>,
    /// What its columns say.
    pub feeds: Vec<Feed>,
}

/// A column that says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feed {
    /// Its number.
    pub column: i16,
    /// Place in [`Touchpoints::attributes`].
    pub attribute: usize,
    /// Domain of the column's values; another one than the attribute's where a value implies it.
    pub domain: Oid,
}

impl Touchpoints {
    /// Those of a catalog.
    pub fn of(catalog: &Catalog, subject: Subject) -> Self {
        let tables: Vec<&Arc<Relation>> =
            catalog.defined_relations().filter(|one| is_touchpoint(one, subject)).collect();
        let mut domains: Vec<Oid> = Vec::new();
        for table in &tables {
            for (_, domain) in said(catalog, table, subject) {
                if !domains.contains(&domain) {
                    domains.push(domain);
                }
            }
        }
        domains.sort_unstable_by_key(|domain| rank(catalog, *domain));
        let attributes = named(catalog, &domains);
        let touchpoint = |table: &Arc<Relation>| {
            let feeds = said(catalog, table, subject).into_iter().filter_map(|(column, domain)| {
                let attribute = attributes.iter().position(|one| one.domain == domain)?;
                let domain = column.domain?;
                Some(Feed { column: column.number, attribute, domain })
            });
            Touchpoint {
                relation: Arc::clone(table),
                source: catalog.qualified_name(table),
                time: table.live_columns().find(|column| is_time(column)).map(|one| one.number),
                feeds: feeds.collect(),
            }
        };
        let mut tables: Vec<Touchpoint> = tables.into_iter().map(touchpoint).collect();
        tables.sort_unstable_by(|one, other| one.source.cmp(&other.source));
        Self { subject, attributes, tables }
    }
}

/// Whether rows of a relation are the subject's.
pub(super) fn is_touchpoint(relation: &Relation, subject: Subject) -> bool {
    relation.oid >= FIRST_USER_OID
        && relation.kind == RelationKind::Table
        && !relation.temporary
        && relation.live_columns().any(|column| column.subject == Some(subject))
}

fn is_time(column: &Column) -> bool {
    [PgType::TIMESTAMPTZ.oid, PgType::TIMESTAMP.oid].contains(&column.pg_type.oid)
}

/// What a table's columns say about the subject: the column and the domain of the attribute. What
/// is said about people stands in tables of people, unless only companies are named in them.
fn said<'a>(catalog: &Catalog, relation: &'a Relation, subject: Subject) -> Vec<(&'a Column, Oid)> {
    let people = relation.live_columns().any(|one| one.subject == Some(Subject::Person));
    let about = if people { Subject::Person } else { Subject::Company };
    let mut said = Vec::new();
    for column in relation.live_columns() {
        let Some(oid) = column.domain else { continue };
        let Some(meaning) = domains::meaning(catalog, oid) else { continue };
        match meaning.kind {
            Kind::Identifier(one) if one == subject => {
                said.push((column, oid));
                said.extend(domains::implied_by(meaning).map(|implied| (column, implied)));
            }
            Kind::Attribute if about == subject => said.push((column, meaning.oid)),
            _ => {}
        }
    }
    said
}

/// Identifiers first, in the order of the built-in domains.
fn rank(catalog: &Catalog, domain: Oid) -> (bool, usize, Oid) {
    let meaning = domains::meaning(catalog, domain);
    let is = |one: &SemanticDomain| meaning.is_some_and(|meaning| meaning.oid == one.oid);
    let place = SEMANTIC_DOMAINS.iter().position(is).unwrap_or(usize::MAX);
    (!meaning.is_some_and(SemanticDomain::identifies), place, domain)
}

/// Names of the columns that every profile has.
const TAKEN: [&str; 8] = [
    "customer_id",
    "account_id",
    "first_seen_at",
    "last_seen_at",
    "row_count",
    "identifier_count",
    "sources",
    "rows_by_source",
];

fn named(catalog: &Catalog, domains: &[Oid]) -> Vec<Attribute> {
    let mut taken: HashSet<String> = TAKEN.iter().map(|one| (*one).to_owned()).collect();
    let mut attributes = Vec::with_capacity(domains.len());
    for domain in domains.iter().filter_map(|oid| catalog.domain_by_oid(*oid)) {
        let names = names(catalog, domain);
        let Some(name) = names.into_iter().find(|name| taken.insert(name.clone())) else {
            continue;
        };
        let Some(meaning) = domains::meaning(catalog, domain.oid) else { continue };
        let comment = domain.comment.clone();
        attributes.push(Attribute {
            name,
            domain: domain.oid,
            pg_type: domain.pg_type,
            identifies: meaning.identifies(),
            masking: meaning.masking,
            category: meaning.category,
            comment: comment.or_else(|| Some(meaning.comment.to_owned())),
        });
    }
    attributes
}

/// The domain's name; where that is taken, the schema's before it, or its number behind it.
fn names(catalog: &Catalog, domain: &Domain) -> [String; 3] {
    let schema = catalog.schema_by_oid(domain.schema).map_or("", |schema| schema.name.as_str());
    let name = &domain.name;
    [name.clone(), format!("{schema}_{name}"), format!("{name}_{}", domain.oid)]
}
