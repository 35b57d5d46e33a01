//! `clientele.domains`: what columns can mean, and what follows from it. The built-in semantic
//! domains, and those that users made over them.
//!
//! ```sql
//! SELECT name, kind, subject, treatment, comparator FROM clientele.domains WHERE name = 'email';
//! -- email | identifier | person | pseudonym | email
//! ```

use super::super::context::Context;
use super::super::system_relation::relation;
use crate::definition::Domain;
use crate::domains::{self, Comparator, Kind, Masking, SemanticDomain, Subject};

/// `COMMENT ON VIEW`.
pub(crate) const COMMENT: &str =
    "what columns can mean: semantic domains, how they are treated and compared";

relation! { (context) (domain, meaning) in all(context) => {
    schema: context.schema_name(domain.schema),
    name: domain.name.as_str(),
    base_type: meaning.base.sql_name(),
    meaning: meaning.name,
    kind: if meaning.identifies() { "identifier" } else { "attribute" },
    subject: match meaning.kind {
        Kind::Identifier(Subject::Company) => "company",
        _ => "person",
    },
    category: meaning.category.name(),
    treatment: treatment(meaning.masking),
    comparator: comparator(meaning.comparator),
    comment: domain.comment.as_deref().unwrap_or(meaning.comment),
} }

fn all(context: &Context) -> impl Iterator<Item = (&Domain, &'static SemanticDomain)> {
    context.catalog.domains().filter_map(|domain| {
        Some((domain.as_ref(), domains::meaning(&context.catalog, domain.oid)?))
    })
}

fn treatment(masking: Masking) -> String {
    match masking {
        Masking::Pseudonym => "pseudonym".to_owned(),
        Masking::Null => "null".to_owned(),
        Masking::Year => "year".to_owned(),
        Masking::FirstCharacters(count) => format!("first {count} characters"),
        Masking::Network => "network".to_owned(),
        Masking::Decimals(count) => format!("{count} decimals"),
        Masking::Open => "open".to_owned(),
    }
}

fn comparator(comparator: Comparator) -> Option<&'static str> {
    Some(match comparator {
        Comparator::Exact => "exact",
        Comparator::Email => "email",
        Comparator::Digits => "digits",
        Comparator::PersonName => "person name",
        Comparator::Date => "date",
        Comparator::Tokens => "tokens",
        Comparator::Prefix => "prefix",
        Comparator::Distance => "distance",
        Comparator::None => return None,
    })
}
