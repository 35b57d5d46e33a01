//! `pg_enum`: values of enumerated types. PostgreSQL manual: catalog-pg-enum.

use super::super::facts::oids;
use super::super::system_relation::relation;

relation! { (context) (domain, (place, label)) in context.catalog.domains().flat_map(|domain| {
    domain.labels.iter().enumerate().map(move |label| (domain, label))
}) => {
    oid: oids::part(domain.oid, place),
    enumtypid: domain.oid,
    enumsortorder: (place + 1) as f64,
    enumlabel: label.as_str(),
} }
